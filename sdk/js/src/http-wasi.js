// HTTP over `wasi:http@0.2`, in both builds: componentize-qjs cannot import the async functions of 0.3 yet. While one
// request waits, other calls of this instance do.

import handler from "gasi:http/outgoing-handler@0.2.0";
import wasi from "gasi:http/types@0.2.0";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
// As much as `blocking-write-and-flush` takes.
const MAX_WRITE_BYTES = 4096;
const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"];

export async function send(request, HttpError) {
  try {
    return exchange(request, HttpError);
  } catch (error) {
    const code = codeOf(error);
    if (!code?.tag) throw error;
    if (code.tag === "HTTP-request-denied") throw new HttpError(notAllowed(request));
    const detail = code.val === undefined || code.val === null ? "" : ` (${JSON.stringify(code.val)})`;
    throw new HttpError(`${request.url.split("?")[0]} cannot be reached: ${code.tag}${detail}`);
  }
}

// The error of a function of WASI is the payload of an Error.
const codeOf = (error) => error?.payload ?? error;

function exchange(request, HttpError) {
  const outgoing = outgoingRequest(request);
  const body = outgoing.body();
  const pending = handler.handle(outgoing, options(request.timeout));
  const stream = body.write();
  for (let start = 0; start < request.body.length; start += MAX_WRITE_BYTES) {
    stream.blockingWriteAndFlush(request.body.subarray(start, start + MAX_WRITE_BYTES));
  }
  stream[Symbol.dispose]();
  wasi.OutgoingBody.finish(body, null);
  const answered = pending.subscribe();
  answered.block();
  answered[Symbol.dispose]();
  // Taken once, so the outer result is never the error of taking it twice.
  const result = pending.get().val;
  if (result.tag === "err") throw result.val;
  const response = result.val;
  const fields = response.headers();
  const headers = {};
  for (const [name, value] of fields.entries()) {
    const text = decodeUtf8(new Uint8Array(value));
    const key = name.toLowerCase();
    headers[key] = Object.hasOwn(headers, key) ? `${headers[key]}, ${text}` : text;
  }
  fields[Symbol.dispose]();
  return { status: response.status(), headers, body: read(response.consume(), HttpError) };
}

function read(body, HttpError) {
  const stream = body.stream();
  const chunks = [];
  let length = 0;
  for (;;) {
    let chunk;
    try {
      chunk = new Uint8Array(stream.blockingRead(CHUNK_BYTES));
    } catch (error) {
      if (codeOf(error)?.tag === "closed") break;
      throw new HttpError(`the response breaks off: ${codeOf(error)?.tag ?? error}`);
    }
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new HttpError(`the response has more than ${MAX_BODY_BYTES} bytes`);
  }
  stream[Symbol.dispose]();
  body[Symbol.dispose]();
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function outgoingRequest({ method, scheme, authority, pathWithQuery, headers, body }) {
  const sent = body.length > 0 ? { ...headers, "content-length": String(body.length) } : headers;
  const fields = Object.entries(sent).map(([name, value]) => [name, encodeUtf8(String(value))]);
  const outgoing = new wasi.OutgoingRequest(wasi.Fields.fromList(fields));
  const known = METHODS.includes(method.toLowerCase());
  outgoing.setMethod(known ? { tag: method.toLowerCase() } : { tag: "other", val: method });
  outgoing.setScheme({ tag: scheme === "https" ? "HTTPS" : "HTTP" });
  outgoing.setAuthority(authority);
  outgoing.setPathWithQuery(pathWithQuery);
  return outgoing;
}

function options(timeout) {
  const made = new wasi.RequestOptions();
  const nanoseconds = Math.round(timeout * 1e9);
  for (const name of ["setConnectTimeout", "setFirstByteTimeout", "setBetweenBytesTimeout"]) {
    try {
      made[name](nanoseconds);
    } catch {
      // A host may have no such timeout; the call ends with its own.
    }
  }
  return made;
}

function notAllowed({ scheme, authority }) {
  const origin = `${scheme}://${authority}`;
  return (
    `${origin} may not be called: in spin.toml, add "${origin}" to allowed_outbound_hosts of the component that these ` +
    'tools are a part of, and let them inherit it: inherit_configuration = ["allowed_outbound_hosts"]'
  );
}
