// HTTP requests of tools: over `wasi:http` in a component, over `fetch` elsewhere.

import { send } from "./http-native.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

// Seconds for connecting, for the first byte, and between two of them.
const DEFAULT_TIMEOUT = 30;

// A request that failed, or was answered with an error (`throwForStatus`). Not caught in a tool, its message goes to the
// operator's log, and the client is told no more than that the call failed.
export class HttpError extends Error {
  name = "HttpError";
}

export class HttpResponse {
  constructor(url, { status, headers = {}, body = new Uint8Array() }) {
    Object.assign(this, { url, status, headers, body });
  }

  get ok() {
    return this.status < 400;
  }

  text() {
    return decodeUtf8(this.body);
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new HttpError(`${withoutQuery(this.url)} did not answer JSON: ${error.message}`);
    }
  }

  throwForStatus() {
    if (!this.ok) throw new HttpError(`${withoutQuery(this.url)} answered ${this.status}`);
    return this;
  }
}

async function request(method, url, { params = {}, headers = {}, bearer, json, body = "", timeout } = {}) {
  const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  if (bearer !== undefined) fields.authorization = `Bearer ${bearer.token ?? bearer}`;
  if (json !== undefined) fields["content-type"] ??= "application/json";
  fields["user-agent"] ??= "gatehouse-sdk";
  const sent = json === undefined ? body : JSON.stringify(json);
  const outgoing = {
    method: method.toUpperCase(),
    ...target(url, params),
    headers: fields,
    body: typeof sent === "string" ? encodeUtf8(sent) : sent,
    timeout: timeout ?? DEFAULT_TIMEOUT,
  };
  return new HttpResponse(outgoing.url, await transport(outgoing));
}

const verb = (method) => (url, options) => request(method, url, options);

export const http = {
  request,
  get: verb("GET"),
  post: verb("POST"),
  put: verb("PUT"),
  patch: verb("PATCH"),
  delete: verb("DELETE"),
};

let transport = (outgoing) => send(outgoing, HttpError);

// Sends the requests elsewhere, for a test; returns where they went before.
export function setTransport(replacement) {
  const before = transport;
  transport = replacement;
  return before;
}

// The URL and its parts. QuickJS has no URL and no URLSearchParams.
function target(url, params) {
  const [, scheme, authority, path, query] =
    /^(https?):\/\/([A-Za-z0-9.:[\]_-]+)(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/.exec(url) ?? [];
  if (!scheme) throw new HttpError(`${url} is no http: or https: URL with its host in ASCII and without credentials`);
  const more = Object.entries(params).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
  );
  const whole = [query, ...more].filter(Boolean).join("&");
  // What is escaped already stays.
  const pathWithQuery = encodeURI(`${path ?? "/"}${whole && `?${whole}`}`).replaceAll("%25", "%");
  return { scheme, authority, pathWithQuery, url: `${scheme}://${authority}${pathWithQuery}` };
}

const withoutQuery = (url) => url.split("?")[0];
