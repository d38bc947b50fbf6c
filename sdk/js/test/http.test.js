import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { fetch, http, HttpError, serve, tool } from "../src/index.js";
import * as testing from "../src/testing.js";
import { withWasiNames } from "../src/wasi-names.js";

test("a request has its query, headers, bearer and body", () =>
  testing.withHttp(
    () => testing.response({ ok: true }),
    async (requests) => {
      await http.get("https://a.test/x?y=1#z", {
        params: { city: "Tromsø", both: ["a", "b&c"] },
        headers: { "X-One": "1" },
        bearer: "t",
      });
      await http.post("https://a.test", { json: { a: 1 }, bearer: { kind: "upstream", token: "c" } });
      const [get, post] = requests;
      assert.equal(get.url, "https://a.test/x?y=1&city=Troms%C3%B8&both=a&both=b%26c");
      assert.deepEqual([get.headers["x-one"], get.headers.authorization], ["1", "Bearer t"]);
      assert.deepEqual([post.url, new TextDecoder().decode(post.body)], ["https://a.test/", '{"a":1}']);
      assert.equal(post.headers.authorization, "Bearer c");
      assert.equal(post.headers["content-type"], "application/json");
    },
  ));

test("an error status and a body that is no JSON are errors without the query", () =>
  testing.withHttp(
    () => testing.response("no", { status: 503 }),
    async () => {
      const response = await http.get("https://a.test/?key=secret");
      for (const fails of [() => response.throwForStatus(), () => response.json()]) {
        assert.throws(fails, (error) => error instanceof HttpError && !error.message.includes("secret"));
      }
    },
  ));

test("fetch sends what http does, and its response is read as the standard's", () =>
  testing.withHttp(
    ({ method, url, headers, body }) => {
      const seen = { method, url, headers, body: new TextDecoder().decode(body) };
      return testing.response(seen, { status: url.endsWith("/moved") ? 302 : 201, headers: { "X-Kind": "a" } });
    },
    async (requests) => {
      const headers = new Headers([["X-One", "1"], ["x-one", "2"]]);
      const response = await fetch(new URL("https://a.test/x?y=é"), { method: "post", headers, body: "hello" });
      assert.deepEqual([response.status, response.ok, response.url], [201, true, "https://a.test/x?y=%C3%A9"]);
      assert.deepEqual([response.headers.get("x-KIND"), response.headers.get("x-other")], ["a", null]);
      assert.deepEqual([response.headers.has("X-kind"), ...response.headers], [true, ["x-kind", "a"]]);
      const seen = await response.json();
      assert.deepEqual([seen.method, seen.url, seen.body], ["POST", response.url, "hello"]);
      assert.equal(seen.headers["x-one"], "1, 2");
      assert.equal(seen.headers["content-type"], "text/plain;charset=UTF-8");
      const text = await response.text();
      assert.equal(new TextDecoder().decode(await response.bytes()), text);
      assert.equal(new TextDecoder().decode(await response.arrayBuffer()), text);

      const bytes = new Uint8Array([0, 104, 105]).subarray(1);
      const typed = { "Content-Type": "application/x-a" };
      for (const body of [bytes, bytes.slice().buffer, new DataView(bytes.buffer, 1)]) {
        const { body: sent, headers } = await (await fetch("https://a.test", { method: "PUT", headers: typed, body })).json();
        assert.deepEqual([sent, headers["content-type"]], ["hi", "application/x-a"]);
      }
      const moved = await fetch("https://a.test/moved", { redirect: "manual", body: null, signal: undefined });
      assert.deepEqual([moved.status, moved.ok, requests.at(-1).method], [302, false, "GET"]);
    },
  ));

test("fetch refuses what a component cannot have, by its name", () =>
  testing.withHttp(
    () => testing.response("no JSON"),
    async (requests) => {
      const post = (body) => ({ method: "POST", body });
      for (const [options, why] of [
        [{ signal: AbortSignal.timeout(1000) }, /no option signal here/],
        [{ redirect: "follow" }, /follows no redirects/],
        [{ body: "hello" }, /a GET request has no body/],
        [post(new Blob(["hello"])), /a text, a typed array or an ArrayBuffer/],
        [post(new Blob(["hello"]).stream()), /a text, a typed array or an ArrayBuffer/],
      ]) {
        await assert.rejects(fetch("https://a.test", options), (error) => error instanceof TypeError && why.test(error.message));
      }
      await assert.rejects(fetch(new Request("https://a.test")), HttpError);
      assert.equal(requests.length, 0);
      await assert.rejects((await fetch("https://a.test")).json(), HttpError);
    },
  ));

test("other URLs are refused", async () => {
  for (const url of ["ftp://a.test", "/path", "https://user:word@a.test", "https://größe.test"]) {
    await assert.rejects(http.get(url), HttpError);
  }
});

test("outside of a component a response of any status is returned, and no redirect followed", async () => {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    response.writeHead(request.url === "/redirects" ? 302 : 418, { location: "/" });
    response.end(Buffer.concat(chunks));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const send = tool({
    name: "send",
    run: async ({ path }) => {
      const response = await http.post(base + path, { body: "hello" });
      return { status: response.status, text: response.text() };
    },
  });
  const app = serve({ name: "test", tools: [send] });
  try {
    const plain = await testing.call(app, "send", { path: "/" });
    assert.deepEqual(plain.structured, { status: 418, text: "hello" });
    assert.equal((await testing.call(app, "send", { path: "/redirects" })).structured.status, 302);
  } finally {
    server.close();
  }
  await assert.rejects(http.get(`${base}/?key=secret`), /^HttpError: http:\/\/127\.0\.0\.1:\d+\/ cannot be reached/);
});

test("a component gets the names of WASI, and its memory stays as it is", () => {
  const bytes = (text) => [...Buffer.from(text)];
  const section = (id, content) => [id, content.length, ...content];
  const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const module = (name) => [
    ...preamble,
    ...section(2, bytes(`${name}:http/types`)),
    ...section(11, bytes("gasi:http/types")),
  ];
  const component = (name) => [
    ...preamble,
    ...section(10, bytes(`${name}:io/poll gasi:other/x`)),
    ...section(1, module(name)),
    ...section(4, [...preamble, ...section(1, module(name))]),
  ];
  assert.deepEqual([...withWasiNames(new Uint8Array(component("gasi")))], component("wasi"));
});
