// A server of the TypeScript SDK, version 2, on a port of loopback: stateless, at http://127.0.0.1:PORT/mcp.
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const text = (text) => ({ content: [{ type: "text", text }] });

function server() {
  const server = new McpServer({ name: "typescript", title: "TypeScript", version: "1.0.0" });
  server.registerTool("region", {
    inputSchema: z.object({ region: z.string().meta({ "x-mcp-header": "Region" }) }),
  }, ({ region }) => text(`in ${region}`));
  server.registerTool("greet", { inputSchema: z.object({}) }, (_, context) => {
    const schema = z.object({ name: z.string() });
    const answer = acceptedContent(context.mcpReq.inputResponses, "name", schema);
    if (answer) return text(`Hello, ${answer.name}! ${context.mcpReq.requestState?.() ?? ""}`);
    const ask = inputRequired.elicit({ message: "Who are you?", requestedSchema: schema });
    return inputRequired({ inputRequests: { name: ask }, requestState: "kept" });
  });
  server.registerTool("wait", { inputSchema: z.object({}) }, async (_, context) => {
    const { progressToken } = context.mcpReq._meta;
    await context.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    context.mcpReq.signal.addEventListener("abort", () => console.log("cancelled"));
    await sleep(60_000, undefined, { signal: context.mcpReq.signal });
    return text("waited");
  });
  return server;
}

const handler = createMcpHandler(server, { legacy: "reject" });
const port = Number(process.argv[2]);
createServer(async (request, response) => {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const answer = await handler.fetch(new Request(`http://127.0.0.1:${port}${request.url}`, {
    method: request.method,
    headers: request.headers,
    body: request.method === "POST" ? Readable.toWeb(request) : undefined,
    duplex: "half",
    signal: gone.signal,
  }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body) Readable.fromWeb(answer.body).on("error", () => {}).pipe(response);
  else response.end();
}).listen(port, "127.0.0.1");
