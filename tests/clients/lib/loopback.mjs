// Keeps a Node process on loopback: import it, or preload it with `node --import`.
import net from "node:net";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether `host` names this machine's loopback interface. */
export function isLoopback(host) {
  return LOOPBACK.test(host);
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  // Node's own callers pass [options, callback] as one array.
  const [first, second] = Array.isArray(given[0]) ? given[0] : given;
  const target =
    first !== null && typeof first === "object"
      ? first
      : { port: first, host: typeof second === "string" ? second : undefined };
  const host = target.host ?? "localhost";
  if (target.path || isLoopback(host)) return connect.apply(this, given);
  const refusal = new Error(`refused to leave loopback: ${host}:${target.port}`);
  process.stderr.write(`${refusal.message}\n`);
  process.nextTick(() => this.destroy(refusal));
  return this;
};
