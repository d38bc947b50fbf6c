// The way from the consent form on, in a real Chromium (GATEHOUSE_TEST_CHROMIUM): the provider signs in without a page, the
// client's callback is on another origin, and sends the browser on to an app (`claude:`) or a loopback address. Chromium
// holds every redirect after a form to the form's `form-action`. BASE is Gatehouse's base URL; the emulator has to sign in
// by itself. A real client's callback is https: here it is http on another port, for there is no certificate.
import http from "node:http";
import { authorization, checkAnswer, register } from "./lib/application.mjs";
import { launchChromium } from "./lib/chromium.mjs";
import { atEnd, check, run, step } from "./lib/run.mjs";

const APP = "claude://oauth/done";
const ALLOW = /^allow/i;

run("form-action.mjs BASE", async (given) => {
  const base = given.replace(/\/$/, "");
  const browser = await launchChromium();
  const end = await listen((url, response) => html(response, "<p>The app has it."));
  const client = await listen((url, response) => {
    const onward = url.pathname === "/to-app" ? APP : `${end.origin}/end`;
    response.writeHead(302, { location: onward, connection: "close" });
    response.end();
  });
  // A form with a directive such as the consent page had.
  const control = await listen((url, response) => {
    const policy = { "content-security-policy": `form-action 'self' ${client.origin}` };
    html(response, `<form method=get action="${client.origin}${url.pathname}"><button>Allow</button></form>`, policy);
  });

  step("meeting the directive, or this test would show nothing");
  for (const path of ["/to-app", "/to-loopback"]) {
    const stopped = await walk(browser, `${control.origin}${path}`, client);
    check(stopped.refused.length > 0, `Chromium went on to ${path} past the directive`);
    check(end.visits.length === 0, "Chromium went on to the loopback address past the directive");
  }

  const seen = {};
  for (const path of ["/to-app", "/to-loopback"]) {
    step(`going ${path}`);
    const redirectUri = `${client.origin}${path}`;
    const id = await register(base, "Harbour Crane", redirectUri);
    const asked = authorization(base, id, redirectUri);
    const { refused, arrived } = await walk(browser, asked.url, client);
    check(refused.length === 0, `${path}: ${refused.join("; ")}`);
    checkAnswer(arrived, asked, base);
    check(arrived.searchParams.get("code"), `${path}: no code came, but ${arrived.search}`);
    seen[path] = true;
  }
  check(end.visits.length === 1, `the loopback address was reached ${end.visits.length} times`);
  return { ok: true, seen };
});

/** Opens a page, presses the button, and waits until the chain has come to its end: what Chromium refused, and how the client was reached. */
async function walk(browser, url, client) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const refused = [];
  page.on("console", (message) => {
    if (/form-action/i.test(message.text())) refused.push(message.text());
  });
  await page.goto(url);
  const before = client.visits.length;
  await page.getByRole("button", { name: ALLOW }).click();
  for (let waited = 0; waited < 300 && client.visits.length === before; waited++) await page.waitForTimeout(100);
  check(client.visits.length > before, `the client was not reached; the page is at ${page.url()}: ${refused.join("; ")}`);
  // What Chromium says of the last redirect comes after the client has been asked.
  await page.waitForTimeout(1000);
  await context.close();
  return { refused, arrived: client.visits.at(-1) };
}

async function listen(answer) {
  const visits = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, `http://127.0.0.1:${server.address().port}`);
    if (url.pathname === "/favicon.ico") {
      response.writeHead(404).end();
      return;
    }
    visits.push(url);
    answer(url, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.close());
  return { origin: `http://127.0.0.1:${server.address().port}`, visits };
}

function html(response, body, headers = {}) {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", connection: "close", ...headers });
  response.end(`<!doctype html><html lang=en><meta charset=utf-8><title>t</title>${body}`);
}
