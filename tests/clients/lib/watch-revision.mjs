// Preloaded into a client's process: notes the MCP-Protocol-Version of its last message outside a session in the file that
// GATEHOUSE_TEST_REVISION names. In a session, `initialize` has agreed on the revision, whatever this header says.
import { subscribe } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";

subscribe("undici:request:create", ({ request }) => {
  if (request.method !== "POST" || !/^\/mcp\b/.test(request.path)) return;
  // A list of names and values, or lines, by the version of Node.js.
  const headers = Array.isArray(request.headers) ? request.headers.join("\n") : String(request.headers);
  const found = /^mcp-protocol-version(?::\s*|\n)([\d-]+)/im.exec(headers);
  if (found && !/^mcp-session-id\b/im.test(headers)) writeFileSync(process.env.GATEHOUSE_TEST_REVISION, found[1]);
});
