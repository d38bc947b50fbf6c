// The official TypeScript SDK, version 1, over Streamable HTTP. PACKAGE is the name under which package.json has it.
import { run } from "./lib/run.mjs";
import { useSdk } from "./lib/typescript-sdk-v1.mjs";

run("typescript-sdk.mjs URL [PACKAGE]", (url, name = "@modelcontextprotocol/sdk") =>
  useSdk(name, {
    module: "streamableHttp.js",
    Transport: "StreamableHTTPClientTransport",
    url,
    label: "TypeScript SDK 1",
    end: (transport) => transport.terminateSession(),
  }),
);
