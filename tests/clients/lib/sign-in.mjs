// A sign-in as the TypeScript SDK does it, for a client that is given a token.
import { auth } from "@modelcontextprotocol/sdk/client/auth.js";
import { listenForCallback } from "./callback.mjs";
import { MemoryProvider } from "./provider.mjs";
import { check, step } from "./run.mjs";

/** Signs in at the server whose MCP endpoint is `serverUrl`; the access token. */
export async function signIn(serverUrl, clientName) {
  step("signing in");
  const provider = new MemoryProvider(await listenForCallback(), { clientName });
  check((await auth(provider, { serverUrl })) === "REDIRECT", "there was a token before the sign-in");
  const authorizationCode = (await provider.answer()).get("code");
  check((await auth(provider, { serverUrl, authorizationCode })) === "AUTHORIZED", "the sign-in brought no token");
  return provider.tokens().access_token;
}
