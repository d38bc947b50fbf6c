// Ports for clients that have to be told one before they listen.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import net from "node:net";

// Below the ports that systems hand out to connections (from 32768 on Linux, from 49152 elsewhere): one of those can
// be taken again between this choice and the client's own `listen`, which then fails.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_ATTEMPTS = 50;

/** Returns a port of 127.0.0.1 on which nothing listens. Fails if it finds none. */
export async function freePort() {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const server = net.createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`no free port among ${MAX_ATTEMPTS} of ${FIRST_PORT} to ${LAST_PORT}`);
}
