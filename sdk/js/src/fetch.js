// `fetch` over `http`: the part of the Fetch Standard that a component can have. QuickJS has no `fetch`, Headers or Response.

import { http } from "./http.js";

// `redirect` has one value that holds: nothing follows redirects.
const OPTIONS = ["method", "headers", "body", "redirect"];

export async function fetch(url, options = {}) {
  const { method = "GET", headers = {}, body, redirect = "manual" } = options;
  const refused = Object.keys(options).find((name) => options[name] != null && !OPTIONS.includes(name));
  if (refused) throw new TypeError(`fetch has no option ${refused} here; there are ${OPTIONS.join(", ")}`);
  if (redirect !== "manual") throw new TypeError(`fetch follows no redirects here: redirect is "manual"`);
  if (body != null && /^(get|head)$/i.test(method)) throw new TypeError(`a ${method} request has no body`);
  const fields = joined(headers);
  if (typeof body === "string") fields["content-type"] ??= "text/plain;charset=UTF-8";
  return new FetchResponse(await http.request(method, url?.href ?? url, { headers: fields, body: bodyOf(body) }));
}

class FetchResponse {
  #response;

  constructor(response) {
    const { url, status, headers } = response;
    Object.assign(this, { url, status, headers: new ResponseHeaders(headers) });
    this.#response = response;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  async text() {
    return this.#response.text();
  }

  async json() {
    return this.#response.json();
  }

  async bytes() {
    return this.#response.body.slice();
  }

  async arrayBuffer() {
    return this.#response.body.slice().buffer;
  }
}

class ResponseHeaders {
  #fields;

  constructor(fields) {
    this.#fields = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
  }

  get(name) {
    return this.#fields.get(name.toLowerCase()) ?? null;
  }

  has(name) {
    return this.#fields.has(name.toLowerCase());
  }

  entries() {
    return this.#fields.entries();
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

// Headers as one object: values of one name are joined by commas, as Headers does it.
function joined(headers) {
  const fields = {};
  for (const [name, value] of headers[Symbol.iterator] ? headers : Object.entries(headers)) {
    const key = name.toLowerCase();
    fields[key] = Object.hasOwn(fields, key) ? `${fields[key]}, ${value}` : String(value);
  }
  return fields;
}

function bodyOf(body) {
  if (body == null || typeof body === "string") return body ?? undefined;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  throw new TypeError("the body of a fetch is a text, a typed array or an ArrayBuffer here");
}
