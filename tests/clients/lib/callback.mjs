// The loopback listener of a client that has none of its own.
import http from "node:http";
import { atEnd } from "./run.mjs";

/** Listens on a free loopback port. `redirectUri` is where it is, and `arrival()` the next address asked for there. */
export async function listenForCallback(host = "127.0.0.1") {
  const arrived = [];
  const waiting = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, redirectUri);
    response.writeHead(url.pathname === "/callback" ? 200 : 404, { "content-type": "text/html; charset=utf-8", connection: "close" });
    response.end("<!doctype html><html lang=en><meta charset=utf-8><title>Done</title><link rel=icon href=data:,><p>You can close this page.");
    if (url.pathname !== "/callback") return;
    const next = waiting.shift();
    if (next) next(url);
    else arrived.push(url);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  atEnd(() => server.close());
  const redirectUri = `http://${host}:${server.address().port}/callback`;
  return {
    redirectUri,
    arrival: () => (arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise((resolve) => waiting.push(resolve))),
  };
}
