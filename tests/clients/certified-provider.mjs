// A sign-in over the provider of oidc-provider.mjs, which has to be Gatehouse's: the TypeScript SDK's client, Gatehouse's
// consent page and the provider's own pages in Chromium (GATEHOUSE_TEST_CHROMIUM), as the account LOGIN. Every tool is
// called, the tokens are refreshed on both sides, and a revocation at Gatehouse ends them at the provider at ISSUER, whose
// access tokens have to live for less than a minute. Screenshots go into FOLDER.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { discoverAuthorizationServerMetadata, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { listenForCallback } from "./lib/callback.mjs";
import { launchChromium } from "./lib/chromium.mjs";
import { MemoryProvider } from "./lib/provider.mjs";
import { STEP_TIMEOUT_SECONDS, check, run, step } from "./lib/run.mjs";
import { checkSum, useTools } from "./lib/session.mjs";

run(
  "certified-provider.mjs BASE ISSUER LOGIN FOLDER",
  async (base, issuer, login, folder) => {
    check(folder, "no folder for the screenshots was given");
    await mkdir(folder, { recursive: true });
    const browser = new Browser(await launchChromium(), { base, issuer, login, folder });
    const provider = new MemoryProvider(await listenForCallback(), { clientName: "Harbour Crane", person: browser });
    const transport = () => new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { authProvider: provider });
    const newClient = () => new Client({ name: "gatehouse-tests", version: "1.0.0" });

    step("connecting without a token");
    const first = transport();
    const refusal = await newClient().connect(first).then(
      () => undefined,
      (error) => error,
    );
    check(refusal instanceof UnauthorizedError, `the first connection ended with ${refusal}`);
    await first.finishAuth((await provider.answer()).get("code"));

    step("using the tools");
    const client = newClient();
    await client.connect(transport());
    const seen = await useTools(client);
    const upstream = await upstreamToken(client);
    check((await userinfo(issuer, upstream)) === 200, "the provider does not know its own token");

    step("refreshing on both sides");
    const { saves } = provider;
    provider.spoilAccessToken();
    checkSum(await client.callTool({ name: "add", arguments: { a: 20, b: 22 } }), 42);
    check(provider.saves === saves + 1 && provider.logins === 1, "the client did not refresh its tokens");
    const fresh = await upstreamToken(client);
    check(fresh !== upstream, "the provider's token was not refreshed");
    check((await userinfo(issuer, fresh)) === 200, "the provider does not know the token that it refreshed");

    step("revoking");
    const metadata = await discoverAuthorizationServerMetadata(base);
    const { refresh_token: token } = provider.tokens();
    const { client_id } = provider.clientInformation();
    const answer = await fetch(metadata.revocation_endpoint, { method: "POST", body: new URLSearchParams({ token, client_id }) });
    check(answer.status === 200, `the revocation was answered ${answer.status}`);
    step("waiting for the provider to have heard of it");
    while ((await userinfo(issuer, fresh)) !== 401) await sleep(50);
    return { ...seen, pages: browser.pages };
  },
);

/** The person at a real browser. */
class Browser {
  pages = [];

  constructor(chromium, { base, issuer, login, folder }) {
    Object.assign(this, { chromium, base, issuer, login, folder });
  }

  async authorize(url, redirectUri) {
    const page = await this.chromium.newPage();
    page.setDefaultTimeout(STEP_TIMEOUT_SECONDS * 1000);
    await page.goto(String(url));
    step("allowing at Gatehouse");
    await this.look(page, "gatehouse");
    await page.getByRole("button", { name: /^allow/i }).click();

    step("signing in at the provider");
    await this.reach(page, this.issuer);
    await this.look(page, "login");
    await page.getByPlaceholder("Enter any login").fill(this.login);
    await page.getByPlaceholder("and password").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();

    step("allowing at the provider");
    const allow = page.getByRole("button", { name: "Continue" });
    await allow.waitFor();
    await this.look(page, "consent");
    await allow.click();
    await page.waitForURL((at) => at.href.startsWith(redirectUri));
    await page.close();
  }

  async reach(page, origin) {
    await page.waitForURL((at) => at.origin === origin);
  }

  async look(page, name) {
    this.pages.push(await page.locator("h1").innerText());
    await page.screenshot({ path: path.join(this.folder, `certified-provider-${name}.png`) });
  }
}

/** What getToken gives. */
async function upstreamToken(client) {
  step("taking the provider's token");
  const { content, isError } = await client.callTool({ name: "getToken", arguments: {} });
  check(!isError, "getToken failed");
  return content[0].text.split(" ").at(-1);
}

/** How the provider answers to its token. */
async function userinfo(issuer, token) {
  const answer = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}
