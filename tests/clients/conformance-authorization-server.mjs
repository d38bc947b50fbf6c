// The official conformance runner's mode for authorization servers, at every revision that it offers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import readline from "node:readline";
import { freePort } from "./lib/free-port.mjs";
import { newerNode } from "./lib/newer-node.mjs";
import { makeHome, packaged } from "./lib/opener.mjs";
import { Person } from "./lib/person.mjs";
import { atEnd, check, run, step } from "./lib/run.mjs";

run(
  "conformance-authorization-server.mjs BASE",
  async (base) => {
    const home = await makeHome();
    step("asking the runner what it offers");
    const scenarios = [];
    await conformance(home, ["list", "--authorization"], (line) => {
      const [, name, revisions] = /^ +- (\S+) \[(.+)\]$/.exec(line) ?? [];
      if (name) scenarios.push({ name, revisions: revisions.split(",") });
    });
    const revisions = [...new Set(scenarios.flatMap((scenario) => scenario.revisions))].sort();
    const clientId = await register(base);
    const checks = {};
    for (const revision of revisions) {
      checks[revision] = await conform(home, base, clientId, revision);
      const expected = scenarios.filter((scenario) => scenario.revisions.includes(revision)).length;
      check(checks[revision].length >= expected, `${revision}: only ${checks[revision].length} checks for ${expected} scenarios`);
    }
    return { checks };
  },
);

/** Runs the scenarios of one revision, and signs in when the runner asks for it. Every check and how it ended. */
async function conform(home, base, clientId, revision) {
  step(`running the scenarios of ${revision}`);
  const folder = path.join(home.folder, revision);
  const port = await freePort();
  const options = { url: base, "client-id": clientId, resource: `${base}/mcp`, port, "spec-version": revision, "output-dir": folder };
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const signIns = [];
  await conformance(home, ["authorization", ...given], (line) => {
    if (line.startsWith(`${base}/authorize?`)) signIns.push(new Person().authorize(line, `http://127.0.0.1:${port}/callback`));
  });
  await Promise.all(signIns);
  const checks = [];
  for (const file of await readdir(folder, { recursive: true })) {
    if (path.basename(file) === "checks.json") checks.push(...JSON.parse(await readFile(path.join(folder, file), "utf8")));
  }
  return checks.map(({ id, status, errorMessage }) => ({ id, status, ...(errorMessage && { errorMessage }) }));
}

/** Runs the runner, and gives each line that it prints to `read`. What the checks say comes from its files. */
async function conformance(home, given, read) {
  const entry = packaged("@modelcontextprotocol/conformance/dist/index.js");
  const child = spawn(newerNode(22), [entry, ...given], { env: home.environment, stdio: ["ignore", "pipe", "inherit"] });
  atEnd(() => child.kill());
  const closed = once(child, "close");
  for await (const line of readline.createInterface({ input: child.stdout })) read(line);
  const [code] = await closed;
  check(code === 0 || code === 1, `the runner ended with ${code}`);
}

async function register(base) {
  step("registering a client");
  const answer = await fetch(`${base}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "MCP conformance",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "none",
    }),
  });
  check(answer.status === 201, `the registration was answered ${answer.status}`);
  return (await answer.json()).client_id;
}
