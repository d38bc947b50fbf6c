// mcp-remote, which lets programs that only start local servers reach a remote one. Arguments after the URL go to it.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { makeHome, packaged } from "./lib/opener.mjs";
import { Person } from "./lib/person.mjs";
import { atEnd, check, run, step } from "./lib/run.mjs";
import { useTools } from "./lib/session.mjs";

run(
  "mcp-remote.mjs URL [ARGUMENT...]",
  async (url, ...given) => {
    const home = await makeHome();
    const person = new Person();

    step("starting mcp-remote for the first time");
    const first = start(url, given, home);
    const address = await Promise.race([home.opened(), first.failure]);
    step("signing in");
    await person.authorize(address, address.searchParams.get("redirect_uri"));
    const client = await Promise.race([first.connected, first.failure]);
    const seen = { server: client.getServerVersion(), ...(await useTools(client)), pages: person.pages };
    await client.close();

    step("starting mcp-remote again");
    const second = start(url, given, home);
    const again = await Promise.race([second.connected, second.failure]);
    const sum = await again.callTool({ name: "add", arguments: { a: 20, b: 22 } });
    check(sum.structuredContent?.sum === 42, `20 + 22 came out as ${JSON.stringify(sum)}`);
    await again.close();
    check((await home.count()) === 1, "the second start opened a browser again");
    return seen;
  },
  120,
);

function start(url, given, home) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [packaged("mcp-remote/dist/proxy.js"), url, "--auth-timeout", "60", ...given],
    env: { ...home.environment, MCP_REMOTE_CONFIG_DIR: home.folder },
    stderr: "pipe",
  });
  let said = "";
  transport.stderr.on("data", (part) => (said = (said + part).slice(-4000)));
  const client = new Client({ name: "gatehouse-tests", version: "1.0.0" });
  atEnd(() => client.close());
  const failure = new Promise((_, reject) => {
    client.onclose = () => reject(new Error(`mcp-remote ended. It said:\n${said.replace(/https?:\S+/g, "(address)")}`));
  });
  failure.catch(() => {});
  const connected = client.connect(transport, { timeout: 90_000 }).then(() => client);
  connected.catch(() => {});
  return { connected, failure };
}
