// What a person allows once and for a while, in a real Chromium (GATEHOUSE_TEST_CHROMIUM): a consent that is remembered, and
// /account, where it is seen and ended; with the keyboard alone. BASE is Gatehouse's base URL; the emulator has to show its
// sign-in page. Screenshots go into FOLDER.
import { mkdir } from "node:fs/promises";
import { authorization, checkAnswer, redeem, register } from "./lib/application.mjs";
import { launchChromium } from "./lib/chromium.mjs";
import { check, run, step } from "./lib/run.mjs";
import { WatchedPage } from "./lib/watched-page.mjs";

const HOST = "https://notes.example";
const REDIRECT_URI = `${HOST}/callback`;
const NOTES = "Notes & Queries";
const LONG = `Averylong${"name".repeat(30)}`;
const NAME = "Grace O’Malley";

run(
  "account.mjs BASE FOLDER",
  async (given, folder) => {
    check(folder, "no folder for the screenshots was given");
    await mkdir(folder, { recursive: true });
    const base = given.replace(/\/$/, "");
    const browser = await launchChromium();
    const watched = await WatchedPage.open(await browser.newContext(), folder, [HOST]);
    const { page } = watched;
    const press = async (name, key = "Enter") => {
      await watched.tabTo(name);
      await page.keyboard.press(key);
    };
    const says = async (text) => {
      const body = await page.locator("main").innerText();
      check(body.includes(text), `the page does not say "${text}" but: ${body}`);
    };
    const signIn = async () => {
      await watched.reach((url) => url.origin !== base && url.protocol === "http:", "the way to the sign-in page");
      await watched.type("Name", NAME);
      await watched.type("Email", "grace@example.com");
      await page.keyboard.press("Enter");
    };
    const arrive = async (asked) => {
      const arrived = await watched.visit("the way to the app");
      check(arrived.href.startsWith(`${REDIRECT_URI}?`), `the app was visited at ${arrived.pathname}`);
      checkAnswer(arrived, asked, base);
      const code = arrived.searchParams.get("code");
      check(code, `the sign-in brought ${arrived.searchParams.get("error")} instead of a code`);
      return code;
    };

    step("allowing an app, to be remembered");
    const notes = await register(base, NOTES, REDIRECT_URI);
    const first = authorization(base, notes, REDIRECT_URI);
    await page.goto(first.url);
    await watched.look("consent-hosted");
    await press(/^do not ask me again/i, "Space");
    check(await page.getByRole("checkbox").isChecked(), "the space bar does not tick the box");
    await watched.look("consent-remember");
    await press(/^allow/i);
    await signIn();
    await redeem(base, notes, REDIRECT_URI, await arrive(first), first.verifier);
    watched.good("allowing");

    step("coming a second time");
    const second = authorization(base, notes, REDIRECT_URI);
    const visited = [];
    page.on("response", (response) => visited.push(response.status()));
    await page.goto(second.url);
    check(new URL(page.url()).origin !== base, `consent was asked again at ${page.url()}`);
    check(visited[0] === 303, `the second visit was answered ${visited[0]}`);
    await signIn();
    await arrive(second);

    step("allowing an app with an endless name");
    const long = await register(base, LONG, REDIRECT_URI);
    const third = authorization(base, long, REDIRECT_URI);
    await page.goto(third.url);
    await watched.look("consent-long");
    await press(/^allow/i);
    await signIn();
    await arrive(third);

    step("signing in at the account");
    await page.goto(`${base}/account`);
    await watched.look("account-signed-out");
    await press(/^sign in$/i);
    await signIn();
    await watched.reach((url) => url.href === `${base}/account`, "the way to the account");
    await says(`You are signed in as ${NAME}.`);
    const apps = () => page.locator("main h3").allInnerTexts();
    const listed = await apps();
    check(listed.join() === [LONG, NOTES, NOTES].join(), `the connected apps are ${listed.join()}`);
    await watched.look("account");

    step("disconnecting an app");
    await press(new RegExp(`^Disconnect ${NOTES}$`));
    await watched.reach((url) => url.href === `${base}/account?done=ended`, "the way back to the list");
    await says("The app is disconnected.");
    const left = await apps();
    check(left.join() === [LONG, NOTES].join(), `the connected apps are ${left.join()}`);
    await watched.look("account-ended");

    step("disconnecting all");
    await press(/^disconnect all apps$/i);
    await watched.look("account-all");
    await press(/^disconnect all$/i);
    await watched.reach((url) => url.href === `${base}/account?done=all`, "the way back to the empty list");
    await says("You have not connected any apps.");
    await watched.look("account-empty");

    step("being asked again");
    await press(/^ask me again$/i);
    await watched.reach((url) => url.href === `${base}/account?done=forgotten`, "the way back from forgetting");
    await page.goto(authorization(base, notes, REDIRECT_URI).url);
    await says(`${NOTES} asks to use this server`);

    step("signing out");
    await page.goto(`${base}/account`);
    await press(/^sign out$/i);
    await watched.reach((url) => url.href === `${base}/account?done=out`, "the way out");
    await says("You are signed out.");
    await watched.look("account-out");
    await page.goBack();
    await page.reload();
    check(!(await page.locator("body").innerText()).includes(NAME), "the Back button shows the account after signing out");

    watched.good("everything");
    return { ok: true, listed };
  },
);
