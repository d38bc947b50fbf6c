// The official TypeScript SDK, version 1, over HTTP+SSE.
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { run } from "./lib/run.mjs";
import { signInAndUse } from "./lib/sign-in-session.mjs";

run("typescript-sdk-sse.mjs URL", (url) =>
  signInAndUse(
    {
      Unauthorized: UnauthorizedError,
      client: () => new Client({ name: "gatehouse-tests", version: "1.0.0" }),
      transport: (authProvider) => new SSEClientTransport(new URL(url), { authProvider }),
      finish: (transport, parameters) => transport.finishAuth(parameters.get("code")),
      protocol: (_client, transport) => transport._protocolVersion ?? null,
    },
    "TypeScript SDK 1 (SSE)",
  ),
);
