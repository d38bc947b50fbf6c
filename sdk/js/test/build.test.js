import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundle } from "../src/build.js";

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CLI = here("../bin/gatehouse-sdk.js");

const APP = `
import { serve, tool, ToolError } from "gatehouse-sdk";

const add = tool({
  name: "add",
  description: "Adds numbers.",
  input: {
    type: "object",
    properties: { first: { type: "number" }, numbers: { type: "array" }, double: { type: "boolean" } },
    required: ["first", "numbers"],
  },
  run: async (input: { first: number; numbers: number[]; double?: boolean }, context: any) => {
    await context.progress(1, 2);
    if (input.numbers.length === 0) throw new ToolError("Nothing to add.");
    const [total] = await Promise.all([input.numbers.reduce((sum, each) => sum + each, input.first)]);
    await context.progress(2, 2);
    return { total: input.double ? total * 2 : total };
  },
});
const waits = tool({ name: "waits", run: () => new Promise(() => {}) });

export default serve({ name: "summing", tools: [add, waits] });
`;

async function inFolder(body) {
  const folder = await mkdtemp(join(tmpdir(), "gatehouse-test-"));
  try {
    const app = join(folder, "app.ts");
    await writeFile(app, APP);
    return await body(app, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the contract inside is that of the repository", async () => {
  for (const [inside, outside] of [
    ["../wit/main/deps/tools/tools.wit", "../../../wit/tools/tools.wit"],
    ["../wit/portable/deps/tools/tools.wit", "../../../wit/portable/tools.wit"],
  ]) {
    assert.equal(await readFile(here(inside), "utf8"), await readFile(here(outside), "utf8"));
  }
});

test("interfaces of WASI are those of the repository, in another namespace", async () => {
  for (const build of ["main", "portable"]) {
    for (const file of [
      "http/types.wit",
      "http/handler.wit",
      "io/error.wit",
      "io/streams.wit",
      "io/poll.wit",
      "spin/key-value.wit",
      "spin/variables.wit",
    ]) {
      const inside = await readFile(here(`../wit/${build}/deps/${file}`), "utf8");
      const outside = await readFile(here(`../../../wit/platform/deps/${file}`), "utf8");
      assert.equal(inside, outside.replaceAll(/\bwasi:/g, "gasi:"));
    }
  }
});

test("the types let an author write what the documentation shows, and no more", async () => {
  await run(process.execPath, [here("../node_modules/typescript/bin/tsc"), "--project", here("tsconfig.json")]);
});

test("a tool in TypeScript is called by hand", () =>
  inFolder(async (app) => {
    const call = (...words) => run(process.execPath, [CLI, "call", app, ...words]);
    const { stdout, stderr } = await call("add", "--first", "1.5", "--numbers=[2, 3]", "--double");
    assert.deepEqual(JSON.parse(stdout), { total: 13 });
    assert.equal(stderr, "1/2\n2/2\n");
    for (const [words, code, why] of [
      [["add", "--first", "1", "--numbers", "[]"], 1, "Nothing to add."],
      [["add", "--second", "1"], 2, "--second is no argument of the tool"],
      [["subtract"], 2, "There are: add"],
    ]) {
      await assert.rejects(call(...words), (error) => error.code === code && error.stderr.includes(why));
    }
  }));

test("an app that does not export what it serves says so", () =>
  inFolder(async (app) => {
    await writeFile(app, "export const x = 1; export default 2;");
    const call = run(process.execPath, [CLI, "call", app, "add"]);
    await assert.rejects(call, (error) => error.stderr.includes("export default serve("));
  }));

test("on WASI 0.2 an async tool answers at once, one event after the other", () =>
  inFolder(async (app, folder) => {
    const source = await bundle(
      `
      import { settled } from ${JSON.stringify(here("../src/sync-globals.js"))};
      import app from ${JSON.stringify(app)};
      import { portableComponent } from ${JSON.stringify(here("../src/component.js"))};
      const tools = portableComponent(app, settled);
      const caller = { kind: "person", subject: "ada", scopes: [], profile: { claims: "{}" } };
      const context = { caller, capabilities: {}, wantsProgress: true, answers: [] };
      const call = (name, given) => tools.callTool({ name, arguments: JSON.stringify(given), context });
      const running = call("add", { first: 1, numbers: [2] });
      const events = [];
      for (let event; (event = running.val.next()); ) events.push(event);
      let failure;
      try {
        call("waits", {});
      } catch (error) {
        failure = error;
      }
      const names = tools.describe().tools.map(({ name }) => name);
      console.log(JSON.stringify({ names, tag: running.tag, events, failure, missing: running.val.next() === undefined }));
      `,
      { portable: true },
    );
    assert.doesNotMatch(source, /\basync\b(?!-)\s*(function|\()/);
    const file = join(folder, "portable.mjs");
    await writeFile(file, source);
    const { stdout } = await run(process.execPath, [file]);
    const { names, tag, events, failure, missing } = JSON.parse(stdout);
    assert.deepEqual(names, ["add", "waits"]);
    assert.equal(tag, "running");
    assert.deepEqual(events.map((event) => event.tag), ["progress", "progress", "done"]);
    assert.equal(events[2].val.structured, '{"total":3}');
    assert.equal(failure.tag, "internal");
    assert.ok(missing);
  }));
