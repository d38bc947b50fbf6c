// Either TypeScript SDK with the conformance suite's fixtures. SDK is 1 or 2; MODE is, for 2, `legacy` or a revision.
import * as v2 from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import * as v1 from "@modelcontextprotocol/sdk/types.js";
import { ANSWERS, CAPABILITIES, useFixtures } from "./lib/fixtures.mjs";
import { run, step } from "./lib/run.mjs";
import { signIn } from "./lib/sign-in.mjs";

const INFO = { name: "gatehouse-tests", version: "1.0.0" };

run("typescript-sdk-fixtures.mjs URL SDK [MODE]", async (url, sdk, mode = "legacy") => {
  const requestInit = { headers: { authorization: `Bearer ${await signIn(url, `TypeScript SDK ${sdk}`)}` } };
  const { client, transport, kit } = sdk === "1" ? first(url, requestInit) : second(url, requestInit, mode);
  step("connecting");
  await client.connect(transport);
  const seen = await useFixtures(client, kit);
  const protocol = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
  await client.close();
  return { protocol, ...seen };
});

/** Version 1. */
function first(url, requestInit) {
  const client = new Client(INFO, { capabilities: CAPABILITIES });
  const asked = { "elicitation/create": v1.ElicitRequestSchema, "sampling/createMessage": v1.CreateMessageRequestSchema, "roots/list": v1.ListRootsRequestSchema };
  for (const [method, schema] of Object.entries(asked)) client.setRequestHandler(schema, ANSWERS[method]);
  const logs = [];
  client.setNotificationHandler(v1.LoggingMessageNotificationSchema, ({ params }) => void logs.push(params.data));
  const kit = {
    logs,
    askForLogs: () => askOnce(client),
    callTool: (params, options) => client.callTool(params, undefined, options),
    listen: async () => ({ heard: next((handle) => client.setNotificationHandler(v1.ToolListChangedNotificationSchema, handle)) }),
  };
  return { client, transport: new StreamableHTTPClientTransport(new URL(url), { requestInit }), kit };
}

/** Version 2. */
function second(url, requestInit, mode) {
  const isLegacy = mode === "legacy";
  const client = new v2.Client(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode: isLegacy ? mode : { pin: mode } } });
  for (const [method, answer] of Object.entries(ANSWERS)) client.setRequestHandler(method, answer);
  const logs = [];
  client.setNotificationHandler("notifications/message", ({ params }) => void logs.push(params.data));
  const kit = {
    logs,
    askForLogs: () => (isLegacy ? askOnce(client) : { _meta: { "io.modelcontextprotocol/logLevel": "debug" } }),
    callTool: (params, options) => client.callTool(params, options),
    listen: async () => {
      const heard = next((handle) => client.setNotificationHandler("notifications/tools/list_changed", handle));
      if (!isLegacy) await client.listen({ toolsListChanged: true });
      return { heard };
    },
  };
  return { client, transport: new v2.StreamableHTTPClientTransport(new URL(url), { requestInit }), kit };
}

async function askOnce(client) {
  await client.setLoggingLevel("debug");
  return {};
}

/** Waits for what `listen` is to hand over. */
function next(listen) {
  return new Promise((resolve) => listen(() => resolve(true)));
}
