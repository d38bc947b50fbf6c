// The official conformance runner's mode for servers. It cannot send a token, so a proxy of ours adds one, and
// authentication stays on. SELECTION is `requirements` (what REVISION requires), `revision` (every scenario that applies to it)
// or `forced` (these scenarios). For the last two the runner's client, which asks for the newest one, is made to ask for
// REVISION.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { newerNode } from "./lib/newer-node.mjs";
import { makeHome, packaged } from "./lib/opener.mjs";
import { atEnd, check, run, step } from "./lib/run.mjs";
import { startTokenProxy } from "./lib/token-proxy.mjs";

/** What the runner is started with, run by run. */
const SELECTIONS = {
  requirements: (revision) => [["--requirements", revision]],
  revision: (revision) => [["--suite", "all", "--spec-version", revision]],
  forced: (revision, scenarios) => scenarios.map((scenario) => ["--scenario", scenario, "--spec-version", revision, "--force"]),
};

run(
  "conformance-server.mjs BASE SELECTION REVISION [SCENARIO...]",
  async (base, selection, revision, ...scenarios) => {
    const select = SELECTIONS[selection];
    check(select && revision, `no such selection: ${selection} ${revision}`);
    const home = await makeHome();
    const own = await startTokenProxy(base, selection === "requirements" ? {} : { revision });
    step(`running the scenarios of ${selection} ${revision}`);
    const folder = path.join(home.folder, "results");
    let code = 0;
    for (const selected of select(revision, scenarios)) {
      code = (await conformance(home, ["server", "--url", `${own}/mcp`, "--output-dir", folder, ...selected])) || code;
    }
    return { code, scenarios: await results(folder) };
  },
  230,
);

/** Runs the runner; the code that it exits with. What the checks say comes from its files. */
async function conformance(home, given) {
  const entry = packaged("@modelcontextprotocol/conformance/dist/index.js");
  const child = spawn(newerNode(22), [entry, ...given], { env: home.environment, stdio: ["ignore", "ignore", "inherit"] });
  atEnd(() => child.kill());
  const [code] = await once(child, "close");
  check(code === 0 || code === 1, `the runner ended with ${code}`);
  return code;
}

/** Every scenario, and how each of its checks ended. */
async function results(folder) {
  const scenarios = {};
  for (const name of (await readdir(folder)).sort()) {
    const [, scenario] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? [];
    check(scenario, `the runner wrote something else: ${name}`);
    check(!(scenario in scenarios), `${scenario} was run twice`);
    // A scenario that broke off has left none.
    const written = await readFile(path.join(folder, name, "checks.json"), "utf8").catch(() => '[{"id":"none","status":"FAILURE"}]');
    scenarios[scenario] = JSON.parse(written).map(({ id, status, errorMessage }) => ({ id, status, ...(errorMessage && { errorMessage }) }));
  }
  return scenarios;
}
