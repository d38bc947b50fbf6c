// The official TypeScript SDK, version 2. MODE is `legacy` (initialize), `auto` (discover, then fall back) or a revision
// to insist on; over HTTP+SSE if the URL ends in /sse.
import { Client, SSEClientTransport, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { installedVersion } from "./lib/package.mjs";
import { run } from "./lib/run.mjs";
import { signInAndUse } from "./lib/sign-in-session.mjs";

run("typescript-sdk-v2.mjs URL [MODE]", async (url, mode = "auto") => {
  const overSse = new URL(url).pathname.endsWith("/sse");
  const Transport = overSse ? SSEClientTransport : StreamableHTTPClientTransport;
  const versionNegotiation = { mode: mode === "legacy" || mode === "auto" ? mode : { pin: mode } };
  const seen = await signInAndUse(
    {
      Unauthorized: UnauthorizedError,
      client: () => new Client({ name: "gatehouse-tests", version: "1.0.0" }, { versionNegotiation }),
      transport: (authProvider) => new Transport(new URL(url), { authProvider }),
      finish: (transport, parameters) => transport.finishAuth(parameters),
      protocol: (client, transport) => client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? null,
      end: (transport) => (overSse ? undefined : transport.terminateSession()),
    },
    "TypeScript SDK 2",
  );
  return { version: await installedVersion("@modelcontextprotocol/client"), ...seen };
});
