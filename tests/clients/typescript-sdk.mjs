// The official TypeScript SDK, version 1, over Streamable HTTP. PACKAGE is the name under which package.json has it. With
// `second-transport`, another transport than the one that began the sign-in trades the code.
import { run } from "./lib/run.mjs";
import { useSdk } from "./lib/typescript-sdk-v1.mjs";

run("typescript-sdk.mjs URL [PACKAGE [second-transport]]", (url, name = "@modelcontextprotocol/sdk", finish = "") =>
  useSdk(name, {
    module: "streamableHttp.js",
    Transport: "StreamableHTTPClientTransport",
    url,
    label: "TypeScript SDK 1",
    usesSecondTransport: finish === "second-transport",
    end: (transport) => transport.terminateSession(),
  }),
);
