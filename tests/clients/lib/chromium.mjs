// Starts the system's Chromium, which cannot leave loopback either.
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { atEnd } from "./run.mjs";

/** A headless Chromium: the one named in GATEHOUSE_TEST_CHROMIUM (a path or a name), or `chromium`. */
export async function launchChromium() {
  const browser = await chromium.launch({
    executablePath: locate(process.env.GATEHOUSE_TEST_CHROMIUM ?? "chromium"),
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]",
    ],
  });
  atEnd(() => browser.close());
  return browser;
}

function locate(program) {
  if (program.includes(path.sep)) return program;
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const candidate = path.join(folder, program);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`there is no ${program} on the PATH`);
}
