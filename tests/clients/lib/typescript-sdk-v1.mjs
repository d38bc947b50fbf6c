// Version 1 of the TypeScript SDK, whichever of its minor versions.
import { installedVersion } from "./package.mjs";
import { signInAndUse } from "./sign-in-session.mjs";

/**
 * The life of one client of the SDK that is installed as `name`. `Transport` is the name of the class in `module`, and `end`
 * says goodbye to the server if the transport can. With `usesSecondTransport`, another transport than the one that began trades the
 * code, as where a web application's callback is answered. Returns what was seen.
 */
export async function useSdk(name, { module, Transport, url, label, end, usesSecondTransport = false }) {
  const { UnauthorizedError } = await import(`${name}/client/auth.js`);
  const { Client } = await import(`${name}/client/index.js`);
  const { [Transport]: Class } = await import(`${name}/client/${module}`);
  let authProvider;
  const transport = (provider) => new Class(new URL(url), { authProvider: (authProvider = provider) });
  const sdk = {
    Unauthorized: UnauthorizedError,
    client: () => rememberingRevision(new Client({ name: "gatehouse-tests", version: "1.0.0" })),
    transport,
    finish: (begun, parameters) => (usesSecondTransport ? transport(authProvider) : begun).finishAuth(parameters.get("code")),
    protocol: (client) => client.negotiated,
    end,
  };
  return { version: await installedVersion(name), ...(await signInAndUse(sdk, label)) };
}

/** `client`, with the revision that `initialize` was answered with in `negotiated`: early versions do not tell. */
export function rememberingRevision(client) {
  const request = client.request.bind(client);
  client.request = async (message, ...rest) => {
    const result = await request(message, ...rest);
    if (message.method === "initialize") client.negotiated = result.protocolVersion;
    return result;
  };
  return client;
}
