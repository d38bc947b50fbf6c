import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { image, resourceLink, result, serve, text, tool, ToolError } from "../src/index.js";
import * as testing from "../src/testing.js";

const app = (...tools) => serve({ name: "test", tools });

describe("schemas", () => {
  test("a zod schema is the JSON Schema that callers see", () => {
    const { inputSchema, outputSchema } = tool({
      name: "measure",
      input: z.object({
        name: z.string().describe("Of what"),
        count: z.int().min(1).max(9).default(3),
        unit: z.enum(["m", "ft"]).optional(),
        at: z.object({ x: z.number() }),
      }),
      output: z.object({ total: z.number() }),
      run: () => ({ total: 1 }),
    });
    assert.deepEqual(inputSchema.required, ["name", "at"]);
    assert.deepEqual(inputSchema.properties.name, { type: "string", description: "Of what" });
    assert.equal(inputSchema.properties.count.default, 3);
    assert.deepEqual(inputSchema.properties.unit, { type: "string", enum: ["m", "ft"] });
    assert.equal("$schema" in inputSchema, false);
    const total = { type: "object", properties: { total: { type: "number" } }, required: ["total"] };
    assert.deepEqual(outputSchema, total);
  });

  test("a JSON Schema is taken as it is", async () => {
    const input = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const greet = tool({ name: "greet", input, run: ({ name }) => `Hello, ${name}!` });
    assert.equal(greet.inputSchema, input);
    assert.equal((await testing.call(app(greet), "greet", { name: "Ada" })).text, "Hello, Ada!");
    const missing = await testing.call(app(greet), "greet");
    assert.ok(missing.isError);
    assert.equal(missing.text, "`name` is missing");
  });

  test("a tool gets defaults, and never what does not fit", async () => {
    let seen;
    const input = z.object({ count: z.number().default(3), at: z.object({ x: z.number() }) });
    const measure = tool({ name: "measure", input, run: (given) => void (seen = given) });
    await testing.call(app(measure), "measure", { at: { x: 1 } });
    assert.deepEqual(seen, { count: 3, at: { x: 1 } });
    const unfit = await testing.call(app(measure), "measure", { at: { x: "1" } });
    assert.ok(unfit.isError);
    assert.match(unfit.text, /`at.x`/);
  });

  test("what is described wrongly is refused where it is written", () => {
    const run = () => "";
    assert.throws(() => tool({ name: "two words", run }), TypeError);
    assert.throws(() => tool({ name: "nothing" }), TypeError);
    assert.throws(() => app(tool({ name: "same", run }), tool({ name: "same", run })), TypeError);
    assert.throws(() => app({ name: "plain", run }), TypeError);
  });
});

describe("results", () => {
  const returned = async (value, options) => {
    const made = tool({ name: "made", run: () => value, ...options });
    return testing.call(app(made), "made");
  };

  test("a text, an object, a result and other contents", async () => {
    assert.deepEqual((await returned("words")).content, [text("words")]);
    const object = await returned({ total: 1 });
    assert.deepEqual(object.structured, { total: 1 });
    assert.equal(object.text, '{"total":1}');
    const own = await returned(result({ structured: { total: 1 }, content: "one" }));
    assert.deepEqual([own.structured, own.text], [{ total: 1 }, "one"]);
    const kinds = await returned(["a picture", image(new Uint8Array(1)), resourceLink({ uri: "a:b", name: "b" })]);
    assert.equal(kinds.content.length, 3);
    assert.equal(kinds.structured, undefined);
    assert.equal((await returned([1, 2])).text, "[1,2]");
    assert.deepEqual((await returned(undefined)).content, []);
  });

  test("what does not fit the output fails the test", async () => {
    const output = z.object({ total: z.number() });
    await assert.rejects(returned({ total: "1" }, { output }), /does not fit its output/);
  });

  test("a ToolError is for the model, and other errors are thrown", async () => {
    const fails = tool({
      name: "fails",
      input: z.object({ mine: z.boolean() }),
      run: ({ mine }) => {
        throw mine ? new ToolError("Say which.") : new Error("secret");
      },
    });
    const told = await testing.call(app(fails), "fails", { mine: true });
    assert.deepEqual([told.isError, told.text], [true, "Say which."]);
    await assert.rejects(testing.call(app(fails), "fails", { mine: false }), /secret/);
  });
});

describe("contexts", () => {
  test("the caller is known, and one without the scopes refused", async () => {
    const whoami = tool({
      name: "whoami",
      scopes: ["read", "write"],
      run: (_, { caller }) => `${caller.profile.name} ${caller.scopes}`,
    });
    const caller = testing.person("u1", { name: "Ada" });
    assert.equal((await testing.call(app(whoami), "whoami", {}, { caller })).text, "Ada read,write");
    const short = testing.call(app(whoami), "whoami", {}, { scopes: ["read"] });
    await assert.rejects(short, testing.MissingScopes);
  });

  test("a credential is there for who asks for it", async () => {
    const run = (_, { credential }) => credential?.token ?? "none";
    const tools = app(
      tool({ name: "needs", credential: "required", run }),
      tool({ name: "takes", credential: "optional", run }),
      tool({ name: "ignores", run }),
    );
    const options = { credential: "abc" };
    assert.equal((await testing.call(tools, "needs", {}, options)).text, "abc");
    const missing = await testing.call(tools, "needs");
    assert.ok(missing.isError);
    assert.match(missing.text, /sign in again/);
    assert.equal((await testing.call(tools, "takes")).text, "none");
    assert.equal((await testing.call(tools, "ignores", {}, options)).text, "none");
  });

  test("progress and log are recorded", async () => {
    const slow = tool({
      name: "slow",
      run: async (_, context) => {
        await context.progress(1, 2, "half");
        await context.log({ at: 1 }, { level: "warning" });
        context.progress(2, 2);
        return "done";
      },
    });
    const seen = await testing.call(app(slow), "slow");
    assert.equal(seen.text, "done");
    assert.deepEqual(seen.progress.map(({ progress, message }) => [progress, message]), [[1, "half"], [2, undefined]]);
    assert.deepEqual(seen.logs.map(({ level, data }) => [level, data]), [["warning", { at: 1 }]]);
  });
});

describe("changes", () => {
  const changing = (run, changes) => serve({ name: "test", changes, tools: [tool({ name: "change", run })] });

  test("those that are announced are recorded", async () => {
    const app = changing(async (_, context) => {
      await context.changed("tools");
      await context.resourceChanged("units:all");
    }, ["tools", "resourceContents"]);
    const { changed } = await testing.call(app, "change");
    assert.deepEqual(changed, [{ what: "tools" }, { uri: "units:all" }]);
  });

  test("others fail the test", async () => {
    const surprise = changing((_, context) => context.resourceChanged("units:all"), ["tools"]);
    await assert.rejects(testing.call(surprise, "change"), /serve\(\{ changes: \["resourceContents"\]/);
    const unknown = changing((_, context) => context.changed("tool"));
    await assert.rejects(testing.call(unknown, "change"), TypeError);
    assert.throws(() => changing(() => {}, ["tool"]), TypeError);
  });
});

describe("questions", () => {
  let runs = 0;
  const deliver = tool({
    name: "deliver",
    run: async (_, context) => {
      runs += 1;
      const size = await context.ask("How large?", z.enum(["small", "large"]), { name: "size" });
      if (!size) throw new ToolError("Say the size.");
      const address = await context.ask("Where to?", z.object({ street: z.string(), city: z.string().default("Oslo") }));
      return `${size} to ${address.street}, ${address.city}`;
    },
  });

  test("each answer runs the tool again with all answers", async () => {
    runs = 0;
    const answers = { size: "large", "question-2": { street: "Main Street 1" } };
    const seen = await testing.call(app(deliver), "deliver", {}, { answers });
    assert.equal(seen.text, "large to Main Street 1, Oslo");
    assert.equal(runs, 3);
    const [size, address] = seen.questions.map(({ params }) => params.requestedSchema);
    assert.deepEqual(size, {
      type: "object",
      properties: { size: { title: "Size", type: "string", enum: ["small", "large"] } },
      required: ["size"],
    });
    assert.deepEqual(address.required, ["street"]);
  });

  test("who declines or cannot be asked has no answer", async () => {
    for (const answers of [{ size: testing.DECLINE }, undefined]) {
      const seen = await testing.call(app(deliver), "deliver", {}, { answers });
      assert.deepEqual([seen.isError, seen.text], [true, "Say the size."]);
    }
  });

  test("a question without an answer fails the test", async () => {
    await assert.rejects(testing.call(app(deliver), "deliver", {}, { answers: { size: "large" } }), /question-2/);
  });
});
