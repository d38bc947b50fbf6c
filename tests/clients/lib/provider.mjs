// What the TypeScript SDKs ask of an application that signs people in: memory, and a browser.
import { randomUUID } from "node:crypto";
import { Person } from "./person.mjs";
import { check } from "./run.mjs";

/** An OAuthClientProvider of either SDK, with dynamic registration and `person` at the browser. */
export class MemoryProvider {
  #verifier;
  #client;
  #tokens;
  #discovery;

  constructor(callback, { clientName, scope, person = new Person() }) {
    this.callback = callback;
    this.person = person;
    this.clientName = clientName;
    this.scope = scope;
    this.logins = 0;
    /** How many times tokens were saved. */
    this.saves = 0;
  }

  get redirectUrl() {
    return this.callback.redirectUri;
  }

  get clientMetadata() {
    return {
      client_name: this.clientName,
      redirect_uris: [this.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      ...(this.scope && { scope: this.scope }),
    };
  }

  state() {
    return (this.sentState = randomUUID());
  }

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(information) {
    this.#client = information;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens) {
    this.saves++;
    this.#tokens = tokens;
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  saveDiscoveryState(state) {
    this.#discovery = state;
  }

  discoveryState() {
    return this.#discovery;
  }

  invalidateCredentials(scope) {
    if (scope === "all" || scope === "client") this.#client = undefined;
    if (scope === "all" || scope === "tokens") this.#tokens = undefined;
    if (scope === "all" || scope === "verifier") this.#verifier = undefined;
    if (scope === "all" || scope === "discovery") this.#discovery = undefined;
  }

  async redirectToAuthorization(url) {
    this.logins++;
    this.authorizationUrl = url;
    await this.person.authorize(url, this.redirectUrl);
  }

  /** The parameters with which the person came back from the sign-in. */
  async answer() {
    const parameters = (await this.callback.arrival()).searchParams;
    check(parameters.get("error") === null, `the sign-in ended with ${parameters.get("error")}: ${parameters.get("error_description")}`);
    check(parameters.get("state") === this.sentState, "the state came back changed");
    check(parameters.get("code"), "the sign-in brought no code");
    return parameters;
  }

  /** Makes the access token one that the server refuses, as an expired one is. */
  spoilAccessToken() {
    const token = this.#tokens.access_token;
    const middle = Math.floor(token.length / 2);
    const other = token[middle] === "A" ? "B" : "A";
    this.#tokens = { ...this.#tokens, access_token: token.slice(0, middle) + other + token.slice(middle + 1) };
  }
}
