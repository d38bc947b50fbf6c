import assert from "node:assert/strict";
import { test } from "node:test";
import { message, NotFound, prompt, resource, resourceTemplate, serve } from "../src/index.js";
import * as testing from "../src/testing.js";

const read = (value, options) => resource({ uri: "a:b", name: "b", read: () => value, ...options });

test("texts, bytes and JSON are contents of a resource", async () => {
  const contents = (value, options) =>
    testing.read(serve({ name: "test", resources: [read(value, options)] }), "a:b");
  assert.deepEqual(await contents("words", { mimeType: "text/plain" }), [
    { uri: "a:b", mimeType: "text/plain", text: "words" },
  ]);
  const blob = new Uint8Array([0]);
  assert.deepEqual(await contents(blob), [{ uri: "a:b", mimeType: undefined, blob }]);
  assert.deepEqual(await contents(["one"]), [{ uri: "a:b", mimeType: "application/json", text: '["one"]' }]);
});

test("variables of a template are arguments, and a resource goes before it", async () => {
  const app = serve({
    name: "test",
    resources: [
      resourceTemplate({
        uri: "files:{owner}/{+path}",
        name: "files",
        read: ({ owner, path }, { caller }) => {
          if (path === "missing") throw new NotFound(path);
          return `${path} of ${owner}, for ${caller.subject}`;
        },
      }),
      resource({ uri: "files:ada/fixed", name: "fixed", read: () => "fixed" }),
    ],
  });
  assert.equal((await testing.read(app, "files:ada/notes/a%20b.txt"))[0].text, "notes/a b.txt of ada, for ada");
  assert.equal((await testing.read(app, "files:ada/fixed"))[0].text, "fixed");
  for (const uri of ["files:ada", "others:ada/x", "files:ada/missing"]) {
    await assert.rejects(testing.read(app, uri), NotFound);
  }
});

test("a template of other operators is refused", () => {
  assert.throws(() => resourceTemplate({ uri: "files:{?name}", name: "files", read: () => "" }), TypeError);
});

test("a prompt is a text or messages, and its arguments are completed", async () => {
  const app = serve({
    name: "test",
    prompts: [
      prompt({
        name: "explain",
        arguments: {
          unit: { description: "Which", complete: ["mile", "metre", "foot"] },
          word: { required: false, complete: (begun) => [`${begun}s`] },
        },
        get: ({ unit }) => [`Explain ${unit}.`, message("Gladly.", "assistant")],
      }),
    ],
  });
  const messages = await testing.prompt(app, "explain", { unit: "mile" });
  assert.deepEqual(messages.map(({ role, content }) => [role, content.text]), [
    ["user", "Explain mile."],
    ["assistant", "Gladly."],
  ]);
  assert.deepEqual(await testing.complete(app, "explain", "unit", "m"), ["mile", "metre"]);
  assert.deepEqual(await testing.complete(app, "explain", "word", "foot"), ["foots"]);
  assert.deepEqual(await testing.complete(app, "explain", "other", "x"), []);
});
