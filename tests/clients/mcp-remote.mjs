// mcp-remote, which lets programs that only start local servers reach a remote one. PACKAGE is the name under which
// package.json has it; arguments after that go to it.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { freePort } from "./lib/free-port.mjs";
import { makeHome, packaged } from "./lib/opener.mjs";
import { installedVersion } from "./lib/package.mjs";
import { Person } from "./lib/person.mjs";
import { atEnd, check, run, step } from "./lib/run.mjs";
import { checkSum, useTools } from "./lib/session.mjs";
import { rememberingRevision } from "./lib/typescript-sdk-v1.mjs";

const WATCH_REVISION = new URL("./lib/watch-revision.mjs", import.meta.url).href;

run(
  "mcp-remote.mjs URL [PACKAGE [ARGUMENT...]]",
  async (url, name = "mcp-remote", ...given) => {
    const home = await makeHome();
    const person = new Person();
    // Its own choice depends on URL alone: two of them at one server would meet.
    const port = String(await freePort());

    step("starting mcp-remote for the first time");
    const first = start(name, url, [port, ...given], home);
    const address = await Promise.race([home.opened(), first.failure]);
    step("signing in");
    await person.authorize(address, address.searchParams.get("redirect_uri"));
    const client = await Promise.race([first.connected, first.failure]);
    const used = await useTools(client, client.negotiated);
    const seen = {
      version: await installedVersion(name),
      server: client.getServerVersion(),
      // It translates between the revision of its own client and the server's.
      protocol: await readFile(revisionFile(home), "utf8").catch(() => client.negotiated),
      ...used,
      pages: person.pages,
    };
    await client.close();

    step("starting mcp-remote again");
    const second = start(name, url, [port, ...given], home);
    const again = await Promise.race([second.connected, second.failure]);
    const sum = await again.callTool({ name: "add", arguments: { a: 20, b: 22 } });
    checkSum(sum, 42, again.negotiated);
    await again.close();
    check((await home.count()) === 1, "the second start opened a browser again");
    return seen;
  },
);

function revisionFile(home) {
  return path.join(home.folder, "revision");
}

function start(name, url, given, home) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [packaged(`${name}/dist/proxy.js`), url, ...given, "--auth-timeout", "60"],
    env: {
      ...home.environment,
      NODE_OPTIONS: `${home.environment.NODE_OPTIONS} --import=${WATCH_REVISION}`,
      GATEHOUSE_TEST_REVISION: revisionFile(home),
      MCP_REMOTE_CONFIG_DIR: home.folder,
    },
    stderr: "pipe",
  });
  let said = "";
  transport.stderr.on("data", (part) => (said = (said + part).slice(-4000)));
  const client = rememberingRevision(new Client({ name: "gatehouse-tests", version: "1.0.0" }));
  atEnd(() => client.close());
  const failure = new Promise((_, reject) => {
    client.onclose = () => reject(new Error(`mcp-remote ended. It said:\n${said.replace(/https?:\S+/g, "(address)")}`));
  });
  failure.catch(() => {});
  const connected = client.connect(transport, { timeout: 90_000 }).then(() => client);
  connected.catch(() => {});
  return { connected, failure };
}
