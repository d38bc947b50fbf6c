// The life of one client of either TypeScript SDK: refused, signed in, used, refreshed.
import { listenForCallback } from "./callback.mjs";
import { MemoryProvider } from "./provider.mjs";
import { check, step } from "./run.mjs";
import { checkSum, useTools } from "./session.mjs";

/**
 * `sdk` gives `Unauthorized` (the error class of a connection that needs a sign-in), `client()`, `transport(provider)`
 * and `finish(transport, parameters)`. Returns what was seen.
 */
export async function signInAndUse(sdk, clientName) {
  const provider = new MemoryProvider(await listenForCallback(), { clientName });

  step("connecting without a token");
  let transport = sdk.transport(provider);
  let refused = false;
  try {
    await sdk.client().connect(transport);
  } catch (error) {
    if (!(error instanceof sdk.Unauthorized)) throw error;
    refused = true;
  }
  check(refused, "the server let a client in without a token");
  check(provider.logins === 1, `${provider.logins} sign-ins were started instead of one`);
  step("trading the code for tokens");
  await sdk.finish(transport, await provider.answer());
  await transport.close();
  const first = provider.tokens();
  check(first?.refresh_token, "no refresh token was issued");

  step("connecting with a token");
  transport = sdk.transport(provider);
  const client = sdk.client();
  await client.connect(transport);
  const protocol = sdk.protocol(client, transport);
  const seen = {
    server: client.getServerVersion(),
    protocol,
    ...(await useTools(client, protocol)),
    scope: first.scope ?? null,
    pages: provider.person.pages,
  };

  step("using a token that is no longer good");
  provider.spoilAccessToken();
  const again = await client.callTool({ name: "add", arguments: { a: 20, b: 22 } });
  checkSum(again, 42, protocol);
  check(provider.logins === 1, "the person had to sign in again although there was a refresh token");
  check(provider.saves === 2, `tokens were saved ${provider.saves} times instead of twice`);
  const second = provider.tokens();
  seen.refreshed = { accessToken: second.access_token !== first.access_token, refreshToken: second.refresh_token !== first.refresh_token };

  step("ending the session");
  await sdk.end?.(transport);
  await client.close();
  return seen;
}
