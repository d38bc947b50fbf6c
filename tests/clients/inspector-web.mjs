// The MCP Inspector's web application in a real Chromium (GATEHOUSE_TEST_CHROMIUM). The emulator has to sign people in
// without its page. A screenshot of each tool's result goes into FOLDER.
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { launchChromium } from "./lib/chromium.mjs";
import { freePort } from "./lib/free-port.mjs";
import { newerNode } from "./lib/newer-node.mjs";
import { makeHome, packaged } from "./lib/opener.mjs";
import { STEP_TIMEOUT_SECONDS, atEnd, check, run, step } from "./lib/run.mjs";

const TOOLS = [
  { name: "add", listed: /^add\b/i, fields: { a: "2", b: "3" }, result: /\b5\b/ },
  { name: "getUserInfo", listed: /^(getUserInfo|who am i)/i, fields: {}, result: /@example\.com/ },
  { name: "getToken", listed: /^(getToken|my token)/i, fields: {}, result: /eyJ[\w-]+\.[\w-]+/ },
];

run(
  "inspector-web.mjs URL FOLDER",
  async (url, folder) => {
    check(folder, "no folder for the screenshots was given");
    await mkdir(folder, { recursive: true });
    step("starting the Inspector");
    const inspector = await start(url);
    const browser = await launchChromium();
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    page.setDefaultTimeout(STEP_TIMEOUT_SECONDS * 1000);

    step("connecting, which asks for a sign-in");
    await page.goto(inspector.href);
    await page.getByRole("switch", { name: /connect/i }).click({ force: true });
    await page.waitForURL((at) => at.origin === new URL(url).origin);
    const consent = await page.title();
    await page.getByRole("button", { name: /^(allow|approve|continue|accept)/i }).click();
    await page.waitForURL((at) => at.origin === inspector.origin);
    await page.locator("label", { hasText: /^Tools$/ }).click();

    const results = {};
    for (const tool of TOOLS) {
      step(`calling ${tool.name}`);
      await page.getByRole("button", { name: tool.listed }).first().click();
      for (const [label, value] of Object.entries(tool.fields)) {
        await page.getByLabel(new RegExp(`^${label}\\b`)).first().fill(value);
      }
      await page.getByRole("button", { name: "Execute Tool" }).click();
      const result = page.getByRole("main").getByText(tool.result).first();
      await result.waitFor({ state: "visible" });
      await page.screenshot({ path: path.join(folder, `inspector-${tool.name}.png`) });
      results[tool.name] = tool.name === "getToken" ? "a JWT" : await result.innerText();
    }
    return { consent, results };
  },
);

/** Starts the Inspector's server for `url`; the address of its page. */
async function start(url) {
  const home = await makeHome();
  const launcher = packaged("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
  const child = spawn(newerNode(22, 19), [launcher, "--web", url, "--transport", "http", "--protocol-era", "auto"], {
    env: {
      ...home.environment,
      CLIENT_PORT: String(await freePort()),
      MCP_SANDBOX_PORT: "0",
      MCP_APP_ORIGIN_PORT: "0",
      MCP_AUTO_OPEN_ENABLED: "false",
      MCP_INSPECTOR_SECRET_STORE: "memory",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  atEnd(() => child.kill());
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (part) => {
      said = (said + part).slice(-4000);
      const address = /http:\/\/\S+MCP_INSPECTOR_API_TOKEN=\w+(?=\s)/.exec(said);
      if (address) resolve(new URL(address[0]));
    };
    child.stdout.setEncoding("utf8").on("data", listen);
    child.stderr.setEncoding("utf8").on("data", listen);
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`the Inspector ended with ${code}:\n${said}`)));
  });
}
