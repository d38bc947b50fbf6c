// Stands in for the desktop's browser opener, for clients that open a browser by themselves.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { atEnd } from "./run.mjs";

const LOOPBACK_ONLY = new URL("./loopback.mjs", import.meta.url).href;

/**
 * Makes a home folder for one client, which is removed at the end, with openers that write down the address instead of
 * opening it. `environment` is what the client has to be started with; `opened()` waits for the next address.
 */
export async function makeHome() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "gatehouse-client-"));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const list = path.join(folder, "opened");
  for (const name of ["open", "xdg-open", "gio", "browser"]) {
    const shim = path.join(folder, name);
    await writeFile(shim, `#!/bin/sh\nfor last; do :; done\nprintf '%s\\n' "$last" >> '${list}'\n`);
    await chmod(shim, 0o755);
  }
  let taken = 0;
  return {
    folder,
    environment: {
      HOME: folder,
      PATH: `${folder}${path.delimiter}${process.env.PATH}`,
      BROWSER: path.join(folder, "browser"),
      NODE_OPTIONS: `--import=${LOOPBACK_ONLY}`,
      NO_COLOR: "1",
    },
    async opened() {
      for (;;) {
        const addresses = (await readFile(list, "utf8").catch(() => "")).split("\n").slice(0, -1);
        if (addresses.length > taken) return new URL(addresses[taken++]);
        await sleep(50);
      }
    },
    async count() {
      return (await readFile(list, "utf8").catch(() => "")).split("\n").length - 1;
    },
  };
}

/** The path of a file of an installed package. */
export function packaged(relative) {
  return fileURLToPath(new URL(`../node_modules/${relative}`, import.meta.url));
}
