// The pages in a real Chromium (GATEHOUSE_TEST_CHROMIUM): landing, consent, the emulator's sign-in, warnings, errors. BASE
// is Gatehouse's base URL; the emulator has to show its sign-in page. Screenshots go into FOLDER.
import { mkdir } from "node:fs/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { authorization, checkAnswer, redeem, register } from "./lib/application.mjs";
import { listenForCallback } from "./lib/callback.mjs";
import { launchChromium } from "./lib/chromium.mjs";
import { check, run, step } from "./lib/run.mjs";
import { WatchedPage } from "./lib/watched-page.mjs";

const CLIENT = "Harbour <b>Crane</b> & Co";
/** With a Cyrillic first letter. */
const POSING = "\u0421laude";
const NAME = "Grace O’Malley";
const EMAIL = "grace@example.com";
const APPROVE = /^(allow|approve|continue|accept)/i;
const DENY = /^(deny|cancel|decline|don.t|do not)/i;

run(
  "pages.mjs BASE FOLDER",
  async (given, folder) => {
    check(folder, "no folder for the screenshots was given");
    await mkdir(folder, { recursive: true });
    const base = given.replace(/\/$/, "");
    const browser = await launchChromium();
    const titles = {};

    step("looking at the landing page");
    const context = await browser.newContext();
    const watched = await WatchedPage.open(context, folder);
    await watched.page.goto(`${base}/`);
    titles.landing = await watched.look("landing");
    const copied = await tryCopying(context, watched, base);
    await lookWithoutScripts(browser, base);

    const callback = await listenForCallback();
    const client = await register(base, CLIENT, callback.redirectUri);

    step("allowing with the keyboard");
    const allowed = authorization(base, client, callback.redirectUri);
    await watched.page.goto(allowed.url);
    titles.consent = await watched.look("consent");
    await checkConsent(watched.page, callback.redirectUri);
    await watched.tabTo(APPROVE);
    await watched.page.keyboard.press("Enter");

    step("signing in");
    await watched.reach((url) => url.origin !== new URL(base).origin, "the way to the sign-in page");
    titles.signIn = await watched.look("sign-in");
    await watched.type("Name", NAME);
    await watched.type("Email", EMAIL);
    await watched.page.keyboard.press("Enter");
    const arrived = await arrival(watched, callback);
    checkAnswer(arrived, allowed, base);
    check(arrived.searchParams.get("code"), `the sign-in brought ${arrived.searchParams.get("error")} instead of a code`);
    watched.good("the way back");

    step("going back, and signing in again");
    await watched.page.goBack();
    await watched.reach((url) => url.origin !== new URL(base).origin, "the way back to the sign-in page");
    await watched.tabTo(/^(sign in|continue|allow|approve)/i);
    await watched.page.keyboard.press("Enter");
    await watched.reach((url) => url.href.startsWith(`${base}/callback`), "the way to a sign-in that is over");
    titles.used = await watched.look("sign-in-used");

    step("using the token");
    const tokens = await redeem(base, client, callback.redirectUri, arrived.searchParams.get("code"), allowed.verifier);
    const person = await whoAmI(base, tokens.access_token);
    check(person.name === NAME && person.email === EMAIL, `the person is ${JSON.stringify(person)}`);

    step("denying with the keyboard");
    const denied = authorization(base, client, callback.redirectUri);
    await watched.page.goto(denied.url);
    await watched.tabTo(DENY);
    await watched.page.keyboard.press("Enter");
    const refused = await arrival(watched, callback);
    checkAnswer(refused, denied, base);
    check(refused.searchParams.get("error") === "access_denied", `denying brought ${refused.search}`);

    step("denying at the sign-in page");
    const left = authorization(base, client, callback.redirectUri);
    await watched.page.goto(left.url);
    await watched.tabTo(APPROVE);
    await watched.page.keyboard.press("Enter");
    await watched.reach((url) => url.origin !== new URL(base).origin, "the way to the sign-in page");
    await watched.tabTo(DENY);
    await watched.page.keyboard.press("Enter");
    const turned = await arrival(watched, callback);
    checkAnswer(turned, left, base);
    check(turned.searchParams.get("error") === "access_denied", `leaving the sign-in page brought ${turned.searchParams.get("error")}`);

    step("meeting an app that passes itself off as another");
    const posing = await register(base, POSING, callback.redirectUri);
    const posed = authorization(base, posing, callback.redirectUri);
    await watched.page.goto(posed.url);
    const warning = await watched.page.getByRole("region", { name: "Be careful" }).innerText();
    check(/looks like Claude, and is not/.test(warning), `the warning says ${warning}`);
    titles.warning = await watched.look("consent-warning");
    await watched.tabTo(DENY);
    await watched.page.keyboard.press("Enter");
    checkAnswer(await arrival(watched, callback), posed, base);

    step("meeting an error");
    const unknown = new URL(allowed.url);
    unknown.searchParams.set("client_id", "unknown");
    const answer = await watched.page.goto(unknown.href);
    check(answer.status() >= 400 && answer.status() < 500, `an unknown client was answered ${answer.status()}`);
    check(watched.page.url() === unknown.href, "an unknown client's redirect URI was followed");
    titles.error = await watched.look("error");

    watched.good("everything");
    return { ok: true, titles, copied, person, scope: tokens.scope ?? null };
  },
);

/** Presses each copy button; what the first one copied. Null if there are none. */
async function tryCopying(context, watched, base) {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  const buttons = watched.page.getByRole("button", { name: /copy/i });
  const copied = [];
  for (const button of await buttons.all()) {
    if (!(await button.isVisible())) continue;
    await button.click();
    copied.push(await watched.page.evaluate(() => navigator.clipboard.readText()));
  }
  check(copied.length === 0 || copied.some((text) => text.includes(base)), "no copy button copies this server's URL");
  watched.good("copying");
  return copied[0] ?? null;
}

/** Without scripts, everything that matters is there too. */
async function lookWithoutScripts(browser, base) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${base}/`);
  const text = await page.locator("body").innerText();
  for (const expected of [`${base}/mcp`, "add", "getUserInfo", "getToken"]) {
    check(text.includes(expected), `without scripts, the landing page does not say ${expected}`);
  }
  await context.close();
}

async function checkConsent(page, redirectUri) {
  const text = await page.locator("body").innerText();
  check(text.includes(CLIENT), "the consent page does not name the client as it calls itself");
  const { hostname } = new URL(redirectUri);
  check(text.includes(hostname), `the consent page does not say that ${hostname} gets the answer`);
}

/** The address at which the browser reached the client. */
async function arrival(watched, callback) {
  await watched.reach((url) => url.href.startsWith(callback.redirectUri), "the way to the client");
  return callback.arrival();
}

async function whoAmI(base, token) {
  const client = new Client({ name: "gatehouse-tests", version: "1.0.0" });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { requestInit }));
  const { structuredContent } = await client.callTool({ name: "getUserInfo", arguments: {} });
  await client.close();
  return structuredContent;
}
