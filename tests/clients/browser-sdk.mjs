// The TypeScript SDK (version 2) inside a web page of another origin, in a real Chromium (GATEHOUSE_TEST_CHROMIUM): what
// CORS keeps from a page shows here and nowhere else. The emulator has to sign people in without its page.
import http from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launchChromium } from "./lib/chromium.mjs";
import { STEP_TIMEOUT_SECONDS, atEnd, check, run, step } from "./lib/run.mjs";
import { CALLS, report } from "./lib/session.mjs";

run(
  "browser-sdk.mjs URL",
  async (url) => {
    step("serving the web application");
    const application = await serve(url);
    const browser = await launchChromium();
    const page = await browser.newPage();
    page.setDefaultTimeout(STEP_TIMEOUT_SECONDS * 1000);
    const said = [];
    page.on("console", (message) => said.push(message.text()));

    step("connecting, which asks for a sign-in");
    await page.goto(application);
    await untilElsewhere(page, application, said);
    await page.getByRole("button", { name: /^(allow|approve|continue|accept)/i }).click();
    await page.waitForURL((at) => at.origin === application);

    step("using the tools");
    await page.waitForFunction(() => window.seen ?? window.failure);
    const seen = await page.evaluate(() => window.seen ?? { failure: window.failure });
    check(!seen.failure, `the page failed: ${seen.failure}\n${said.join("\n")}`);
    check(seen.again.structuredContent?.sum === 42, `after the refresh, 20 + 22 came out as ${JSON.stringify(seen.again)}`);
    check(seen.refreshed, "the tokens were not replaced");
    return report(seen.tools, seen.results);
  },
);

async function untilElsewhere(page, application, said) {
  const failed = page.waitForFunction(() => window.failure).then((failure) => failure.jsonValue());
  failed.catch(() => {});
  const failure = await Promise.race([page.waitForURL((at) => at.origin !== application).then(() => undefined), failed]);
  check(!failure, `the page failed: ${failure}\n${said.join("\n")}`);
}

/** Serves the application on a free loopback port; its origin. */
async function serve(url) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./lib/browser-app.mjs", import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "warning",
  });
  const attribute = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const html = `<!doctype html><html lang="en" data-server="${attribute(url)}" data-calls="${attribute(JSON.stringify(CALLS))}"><meta charset="utf-8"><title>Web application</title><link rel="icon" href="data:,"><script type="module" src="/app.js"></script></html>`;
  const server = http.createServer((request, response) => {
    const isScript = request.url === "/app.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8" });
    response.end(isScript ? outputFiles[0].text : html);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
