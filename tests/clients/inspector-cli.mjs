// The MCP Inspector's command line, with its own sign-in. TRANSPORT is `http` or `sse`.
import { spawn } from "node:child_process";
import { newerNode } from "./lib/newer-node.mjs";
import { makeHome, packaged } from "./lib/opener.mjs";
import { Person } from "./lib/person.mjs";
import { atEnd, check, run, step } from "./lib/run.mjs";
import { CALLS, report } from "./lib/session.mjs";

run(
  "inspector-cli.mjs URL [TRANSPORT] [ARGUMENT...]",
  async (url, transport = "http", ...given) => {
    const home = await makeHome();
    const person = new Person();
    const inspect = (...more) => start(home, [url, "--transport", transport, ...given, "--format", "json", ...more]);

    step("listing the tools, which asks for a sign-in");
    const listing = inspect("--method", "tools/list");
    const address = await Promise.race([home.opened(), listing.then(() => undefined)]);
    check(address, "the Inspector listed the tools without a sign-in");
    await person.authorize(address, address.searchParams.get("redirect_uri"));
    const { tools } = payload(await listing);

    const results = {};
    for (const [name, values] of Object.entries(CALLS)) {
      step(`calling ${name}`);
      const call = ["--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(values)];
      results[name] = payload(await inspect("--stored-auth-only", ...call));
    }
    check((await home.count()) === 1, "the person had to sign in more than once");
    return { ...report(tools, results), pages: person.pages };
  },
);

/** Runs the Inspector once; its standard output if it exits with 0. */
function start(home, options) {
  return new Promise((resolve, reject) => {
    const launcher = packaged("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
    const child = spawn(newerNode(22, 19), [launcher, "--cli", ...options], {
      env: {
        ...home.environment,
        MCP_AUTO_OPEN_ENABLED: "true",
        MCP_OAUTH_CALLBACK_URL: "http://127.0.0.1:0/oauth/callback",
        MCP_INSPECTOR_SECRET_STORE: "file",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    atEnd(() => child.kill());
    let out = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (part) => (out += part));
    child.stderr.setEncoding("utf8").on("data", (part) => (said = (said + part).slice(-4000)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`the Inspector ended with ${code}:\n${said.replace(/https?:\S+/g, "(address)")}`));
    });
  });
}

/** What the server answered, from the Inspector's JSON. */
function payload(text) {
  const value = JSON.parse(text);
  return value.result ?? value;
}
