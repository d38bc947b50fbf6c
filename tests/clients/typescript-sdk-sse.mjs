// The official TypeScript SDK, version 1, over HTTP+SSE. PACKAGE is the name under which package.json has it.
import { run } from "./lib/run.mjs";
import { useSdk } from "./lib/typescript-sdk-v1.mjs";

run("typescript-sdk-sse.mjs URL [PACKAGE]", (url, name = "@modelcontextprotocol/sdk") =>
  useSdk(name, { module: "sse.js", Transport: "SSEClientTransport", url, label: "TypeScript SDK 1 (SSE)" }),
);
