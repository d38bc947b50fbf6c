// A web application of its own origin, with the TypeScript SDK (version 2) in the page. What it knows survives the way
// to the sign-in in sessionStorage. Bundled and served by browser-sdk.mjs.
import { Client, SSEClientTransport, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

const url = new URL(document.documentElement.dataset.server);
const redirectUrl = new URL("/callback", location.href).href;

function stored(name) {
  return { get: () => JSON.parse(sessionStorage.getItem(name) ?? "null") ?? undefined, set: (value) => sessionStorage.setItem(name, JSON.stringify(value)) };
}
const [registration, tokens, verifier, state] = ["registration", "tokens", "verifier", "state"].map(stored);

const provider = {
  redirectUrl,
  clientMetadata: {
    client_name: "Web application",
    redirect_uris: [redirectUrl],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  },
  state: () => {
    state.set(crypto.randomUUID());
    return state.get();
  },
  clientInformation: registration.get,
  saveClientInformation: registration.set,
  tokens: tokens.get,
  saveTokens: tokens.set,
  codeVerifier: verifier.get,
  saveCodeVerifier: verifier.set,
  redirectToAuthorization: (address) => location.assign(address),
};

const INFO = { name: "gatehouse-tests", version: "1.0.0" };
const OPTIONS = { versionNegotiation: { mode: "auto" } };

function transport() {
  const Transport = url.pathname.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(url, { authProvider: provider });
}

async function use(calls) {
  const client = new Client(INFO, OPTIONS);
  await client.connect(transport());
  const { tools } = await client.listTools();
  const results = {};
  for (const [name, values] of Object.entries(calls)) results[name] = await client.callTool({ name, arguments: values });
  const before = tokens.get();
  tokens.set({ ...before, access_token: `${before.access_token}x` });
  const again = await client.callTool({ name: "add", arguments: { a: 20, b: 22 } });
  const after = tokens.get();
  await client.close();
  return { tools, results, again, refreshed: after.access_token !== before.access_token && after.refresh_token !== before.refresh_token };
}

async function start() {
  const arrived = new URL(location.href).searchParams;
  if (!arrived.has("state")) {
    try {
      await new Client(INFO, OPTIONS).connect(transport());
    } catch (error) {
      if (error instanceof UnauthorizedError) return undefined;
      throw error;
    }
    throw new Error("the server let the page in without a token");
  }
  if (arrived.get("state") !== state.get()) throw new Error("the state came back changed");
  await transport().finishAuth(arrived);
  return use(JSON.parse(document.documentElement.dataset.calls));
}

start().then(
  (seen) => (window.seen = seen),
  (error) => (window.failure = error.stack ?? String(error)),
);
