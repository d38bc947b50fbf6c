import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { http, HttpError, serve, tool } from "../src/index.js";
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
