// The MCP client of the AI SDK, with its own sign-in. TRANSPORT is `http` or `sse`.
import { installedVersion } from "./lib/package.mjs";
import { listenForCallback } from "./lib/callback.mjs";
import { MemoryProvider } from "./lib/provider.mjs";
import { check, run, step } from "./lib/run.mjs";
import { CALLS, checkSum, report } from "./lib/session.mjs";
import { auth, createMCPClient, UnauthorizedError } from "@ai-sdk/mcp";

run("ai-sdk.mjs URL [TRANSPORT]", async (url, type = "http") => {
  const authProvider = new MemoryProvider(await listenForCallback(), { clientName: "AI SDK" });
  // It knows the client as its own registration's, so that it may register again.
  authProvider.isClientInformationDynamicallyRegistered = () => true;
  let protocol;
  const watchedFetch = (input, init) => {
    protocol = new Headers(init?.headers).get("mcp-protocol-version") ?? protocol;
    return fetch(input, init);
  };
  const connect = () => createMCPClient({ transport: { type, url, authProvider, fetch: watchedFetch } });

  step("connecting without a token");
  const refusal = await connect().then(
    () => undefined,
    (error) => error,
  );
  check(refusal !== undefined, "the server let a client in without a token");
  check(authProvider.logins === 1, `${authProvider.logins} sign-ins were started instead of one: ${refusal}`);
  check(refusal instanceof UnauthorizedError || refusal.cause instanceof UnauthorizedError, `it was refused with ${refusal}`);
  step("trading the code for tokens");
  const parameters = await authProvider.answer();
  const outcome = await auth(authProvider, {
    serverUrl: new URL(url),
    authorizationCode: parameters.get("code"),
    callbackState: parameters.get("state"),
    callbackIssuer: parameters.get("iss"),
  });
  check(outcome === "AUTHORIZED", `the sign-in ended with ${outcome}`);
  const first = authProvider.tokens();
  check(first?.refresh_token, "no refresh token was issued");

  step("connecting with a token");
  const client = await connect();
  const { tools: listed } = await client.listTools();
  const tools = await client.tools();
  const results = {};
  for (const [name, values] of Object.entries(CALLS)) {
    step(`calling ${name}`);
    results[name] = await tools[name].execute(values, { toolCallId: name, messages: [] });
  }
  const seen = report(listed, results);

  step("using a token that is no longer good");
  authProvider.spoilAccessToken();
  const again = await tools.add.execute({ a: 20, b: 22 }, { toolCallId: "again", messages: [] });
  checkSum(again, 42);
  check(authProvider.logins === 1, "the person had to sign in again although there was a refresh token");
  const second = authProvider.tokens();
  await client.close();
  return {
    version: await installedVersion("@ai-sdk/mcp"),
    protocol,
    ...seen,
    scope: first.scope ?? null,
    pages: authProvider.person.pages,
    refreshed: { accessToken: second.access_token !== first.access_token, refreshToken: second.refresh_token !== first.refresh_token },
  };
});
