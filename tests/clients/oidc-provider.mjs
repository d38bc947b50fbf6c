// The certified OpenID Connect provider of npm (oidc-provider), with its own pages, for Gatehouse at REDIRECT_URI. ACCOUNTS
// is a file of JSON: who can sign in, and the claims of each. It is read at every look-up, so that what changes there
// counts at once. Without it everyone can, with an address at example.com. Access tokens live so many SECONDS.
//
// Prints where it is and the client as one line of JSON, and ends with its standard input.
import "./lib/loopback.mjs";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";

// It says on these that its pages are for development.
console.info = console.warn = console.error;
const { default: Provider } = await import("oidc-provider");

const [redirectUri, accounts = "", seconds = "600"] = process.argv.slice(2);
if (redirectUri === undefined) {
  process.stderr.write("usage: oidc-provider.mjs REDIRECT_URI [ACCOUNTS [SECONDS]]\n");
  process.exit(2);
}

/** The claims of the person who signs in as `login`; undefined if there is no such person. */
function claimsOf(login) {
  if (accounts === "") return { name: login, email: `${login}@example.com`, email_verified: true };
  return JSON.parse(readFileSync(accounts, "utf8"))[login];
}

const secret = () => randomBytes(24).toString("base64url");
const client = {
  client_id: "gatehouse",
  client_secret: secret(),
  redirect_uris: [redirectUri],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
};
const CLAIMS = ["name", "email", "email_verified", "picture", "roles", "groups", "permissions", "tenants", "hd", "realm_access"];

const server = http.createServer();
await new Promise((resolve, reject) => {
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
});
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [client],
  cookies: { keys: [secret()] },
  // Those of every scope are given with `openid`: which ones there are is the accounts' matter.
  claims: { openid: ["sub", ...CLAIMS], profile: [], email: [] },
  features: { devInteractions: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true } },
  findAccount: (_context, login) => {
    const claims = claimsOf(login);
    return claims && { accountId: login, claims: () => ({ sub: login, ...claims }) };
  },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: Number(seconds),
    AuthorizationCode: 60,
    Grant: 86_400,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
});
provider.on("server_error", (_context, error) => console.error(error));
server.on("request", provider.callback());
process.stdout.write(`${JSON.stringify({ issuer, clientId: client.client_id, clientSecret: client.client_secret })}\n`);
process.stdin.on("end", () => process.exit(0)).resume();
