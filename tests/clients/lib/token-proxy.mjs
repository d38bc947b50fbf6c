// A reverse proxy that signs in and adds the token, for a client that cannot send one. Everything else passes as it is, Host
// and Origin included.
import http from "node:http";
import { atEnd } from "./run.mjs";
import { signIn } from "./sign-in.mjs";

/**
 * Listens on a free loopback port in front of `base`, and signs in there. With `revision`, clients that initialize ask for
 * that one, whatever they know. Returns its own base.
 */
export async function startTokenProxy(base, { revision } = {}) {
  const target = new URL(base);
  let token;
  const server = http.createServer((request, response) => {
    const headers = gather(request.rawHeaders);
    if (token && !("authorization" in request.headers)) headers.Authorization = `Bearer ${token}`;
    const options = { host: target.hostname, port: target.port, method: request.method, path: request.url, headers, setHost: false, agent: false };
    const onward = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    if (revision && request.method === "POST") replaceRevision(request, onward, revision).catch(() => onward.destroy());
    else request.pipe(onward);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const own = `http://127.0.0.1:${server.address().port}`;
  token = await signIn(`${own}/mcp`, "Conformance");
  return own;
}

async function replaceRevision(request, onward, revision) {
  let body = Buffer.concat(await request.toArray());
  if (body.includes('"initialize"')) {
    const message = JSON.parse(body);
    message.params.protocolVersion = revision;
    body = Buffer.from(JSON.stringify(message));
    if (onward.hasHeader("content-length")) onward.setHeader("content-length", body.length);
  }
  onward.end(body);
}

/** Headers as they came, in the form that Node sends. */
function gather(raw) {
  const headers = {};
  for (let at = 0; at < raw.length; at += 2) {
    const [name, value] = [raw[at], raw[at + 1]];
    headers[name] = name in headers ? [headers[name], value].flat() : value;
  }
  return headers;
}
