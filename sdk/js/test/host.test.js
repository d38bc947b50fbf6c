import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyValueError, keyValue, serve, tool, variable, VariableError } from "../src/index.js";
import * as testing from "../src/testing.js";

const visits = keyValue("visits");

// An app whose tool does this.
const doing = (run) => serve({ name: "test", tools: [tool({ name: "do", run })] });
const call = (app, options) => testing.call(app, "do", {}, options);

test("a variable is what the test gives, and there are no others", async () => {
  process.env.SPIN_VARIABLE_OTHER = "x";
  const variables = { api_key: "secret" };
  assert.equal((await call(doing(() => variable("api_key")), { variables })).text, "secret");
  await assert.rejects(call(doing(() => variable("other")), { variables }), (error) => {
    return error instanceof VariableError && error.message.includes("`variables` among the options of a call");
  });
});

test("elsewhere a variable is one of the environment", async () => {
  process.env.SPIN_VARIABLE_ELSEWHERE = "value";
  assert.equal(await variable("elsewhere"), "value");
  await assert.rejects(variable("missing"), /SPIN_VARIABLE_MISSING in the environment/);
});

test("a key is written, read and deleted", async () => {
  const stores = { visits: new Map([["a", '{"count":1}'], ["b", new Uint8Array([0xff])]]) };
  const seen = await call(
    doing(async () => {
      const before = [await visits.getJson("a"), await visits.getText("b"), (await visits.get("b"))[0]];
      await visits.set("b", "Tromsø");
      await visits.setJson("c", { count: 2 });
      const existed = await visits.exists("a");
      await visits.delete("a");
      await visits.delete("a");
      const after = [await visits.exists("a"), await visits.getText("b"), await visits.getJson("c")];
      assert.deepEqual([await visits.get("a"), await visits.getText("a"), await visits.getJson("a")], Array(3).fill());
      return { before, existed, after };
    }),
    { stores },
  );
  assert.deepEqual(seen.structured, {
    before: [{ count: 1 }, "\ufffd", 0xff],
    existed: true,
    after: [false, "Tromsø", { count: 2 }],
  });
  assert.deepEqual([...stores.visits.keys()], ["b", "c"]);
});

test("calls at the same time have their own variables and stores", async () => {
  const app = doing(async () => {
    const known = (await visits.getJson("count")) ?? 0;
    await visits.setJson("count", known + 1);
    return `${await variable("name")} ${await visits.getText("count")}`;
  });
  const ada = { variables: { name: "ada" }, stores: { visits: new Map() } };
  const grace = { variables: { name: "grace" }, stores: { visits: new Map([["count", "7"]]) } };
  const seen = await Promise.all([call(app, ada), call(app, grace)]);
  assert.deepEqual(seen.map(({ text }) => text), ["ada 1", "grace 8"]);
  assert.equal((await call(app, ada)).text, "ada 2");
});

test("a store that the test does not give is not there", async () => {
  await assert.rejects(call(doing(() => visits.get("a")), { stores: { other: new Map() } }), (error) => {
    return error instanceof KeyValueError && error.message.includes('gives "visits" to a test');
  });
});

test("a value that is no JSON is an error without the value", async () => {
  const stores = { visits: new Map([["a", "secret"]]) };
  await assert.rejects(call(doing(() => visits.getJson("a")), { stores }), (error) => {
    return error.message === 'the value of "a" in the store "visits" is no JSON';
  });
  await assert.rejects(call(doing(() => visits.setJson("a", undefined)), { stores }), TypeError);
});
