// What a client that signs people in does, one step at a time, with no SDK between it and the server.
import { createHash, randomBytes } from "node:crypto";
import { check } from "./run.mjs";

/** Registers a public client, and gives its id. */
export async function register(base, name, redirectUri) {
  const answer = await post(`${base}/register`, "application/json", JSON.stringify({
    client_name: name,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  }));
  return answer.client_id;
}

/** A new authorization request: its `url`, and the `verifier` and `state` behind it. */
export function authorization(base, client, redirectUri) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const url = new URL(`${base}/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: redirectUri,
    state,
    resource: `${base}/mcp`,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  return { url: url.href, verifier, state };
}

/** What holds of every answer at a redirect URI, good or bad: RFC 6749 section 4.1.2 and RFC 9207 section 2. */
export function checkAnswer(arrived, asked, base) {
  check(arrived.searchParams.get("state") === asked.state, "the state came back changed");
  check(arrived.searchParams.get("iss") === base, `the issuer came back as ${arrived.searchParams.get("iss")}`);
}

/** Trades a code for tokens. */
export function redeem(base, client, redirectUri, code, verifier) {
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    client_id: client,
    code_verifier: verifier,
    resource: `${base}/mcp`,
  });
  return post(`${base}/token`, "application/x-www-form-urlencoded", form.toString());
}

async function post(url, type, body) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": type }, body, redirect: "error" });
  const text = await answer.text();
  check(answer.ok, `${new URL(url).pathname} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
