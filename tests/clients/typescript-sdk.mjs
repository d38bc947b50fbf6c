// The official TypeScript SDK, version 1, over Streamable HTTP.
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { run } from "./lib/run.mjs";
import { signInAndUse } from "./lib/sign-in-session.mjs";

run("typescript-sdk.mjs URL", (url) =>
  signInAndUse(
    {
      Unauthorized: UnauthorizedError,
      client: () => new Client({ name: "gatehouse-tests", version: "1.0.0" }),
      transport: (authProvider) => new StreamableHTTPClientTransport(new URL(url), { authProvider }),
      finish: (transport, parameters) => transport.finishAuth(parameters.get("code")),
      protocol: (_client, transport) => transport.protocolVersion,
      end: (transport) => transport.terminateSession(),
    },
    "TypeScript SDK 1",
  ),
);
