// The commands `gatehouse-sdk build` and `gatehouse-sdk call`.

import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { build } from "./build.js";
import { startTool, toolOutput } from "./call.js";
import { kindOf } from "./content.js";
import { load } from "./load.js";

const USAGE = `gatehouse-sdk build APP [-o OUTPUT.wasm] [--portable]
    makes a component of an app; --portable, for hosts of WASI 0.2
gatehouse-sdk call [--subject SUBJECT] [--credential TOKEN] APP TOOL [--ARGUMENT VALUE ...]
    calls a tool here, without a server`;

// Returns the code with which the process ends.
export async function main(words) {
  const [command, ...rest] = words;
  try {
    if (command === "build") return await buildCommand(rest);
    if (command === "call") return await callCommand(rest);
  } catch (error) {
    console.error(error instanceof UsageError || error.errors ? error.message : error);
    return error instanceof UsageError ? 2 : 1;
  }
  console.error(USAGE);
  return 2;
}

class UsageError extends Error {}

async function buildCommand(words) {
  const options = { output: { type: "string", short: "o" }, portable: { type: "boolean" } };
  const { values, positionals } = parsed({ args: words, options, allowPositionals: true });
  if (positionals.length !== 1) throw new UsageError(USAGE);
  const [app] = positionals;
  await build(app, values.output ?? app.replace(/\.[^.]*$/, ".wasm"), { portable: values.portable });
  return 0;
}

async function callCommand(words) {
  const options = { subject: { type: "string", default: "you" }, credential: { type: "string" } };
  const start = firstPositional(words, options);
  const { values } = parsed({ args: words.slice(0, start), options });
  const [path, name, ...rest] = words.slice(start);
  if (!path || !name) throw new UsageError(USAGE);
  const app = await load(path);
  const tool = app.tools.get(name);
  if (!tool) throw new UsageError(`There is no tool ${name}. There are: ${[...app.tools.keys()].join(", ")}`);
  const input = toolArguments(tool.inputSchema, rest);
  const given = {
    caller: { kind: "person", subject: values.subject, scopes: tool.scopes, profile: { claims: {} } },
    capabilities: { elicitsForms: Boolean(process.stdin.isTTY) },
    wantsProgress: true,
    logLevel: "debug",
    credential: values.credential && { kind: "upstream", token: values.credential },
    answers: {},
  };
  let run;
  do {
    run = startTool(tool, given, input);
    for (let event; (event = await run.nextEvent()); ) report(event);
    if (run.end.question) {
      given.answers = { [run.end.question.id]: await ask(run.end.question) };
      given.state = run.end.state;
    }
  } while (run.end.question);
  const output = toolOutput(run.end);
  const shown = output.content.map((part) => (kindOf(part) === "text" ? part.text : `<${kindOf(part)}>`)).join("\n");
  if (output.isError) {
    console.error(shown);
    return 1;
  }
  console.log(output.structured === undefined ? shown : JSON.stringify(output.structured, undefined, 2));
  return 0;
}

function parsed(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function firstPositional(words, options) {
  let index = 0;
  while (index < words.length && words[index].startsWith("--")) {
    const [name, value] = words[index].slice(2).split("=");
    index += options[name]?.type === "string" && value === undefined ? 2 : 1;
  }
  return index;
}

function report({ tag, val }) {
  if (tag === "log") {
    console.error(`${val.level}: ${val.data}`);
  } else if (tag === "changed") {
    console.error(`changed: ${val.val ?? val.tag}`);
  } else {
    const of = val.total === undefined ? "" : `/${val.total}`;
    console.error(`${val.progress}${of} ${val.message ?? ""}`.trimEnd());
  }
}

async function ask({ method, params }) {
  console.error(params.message ?? method);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const content = {};
  for (const [name, schema] of Object.entries(params.requestedSchema?.properties ?? {})) {
    const choices = schema.enum ? ` (${schema.enum.join(", ")})` : "";
    content[name] = value(schema, await terminal.question(`${schema.title ?? name}${choices}: `));
  }
  terminal.close();
  return { action: "accept", content };
}

// Reads `--city Oslo --days 3`. Values of other types than texts are JSON.
function toolArguments({ properties = {} }, words) {
  const values = {};
  const rest = [...words];
  while (rest.length > 0) {
    const [, name, joined] = /^--([^=]+)(?:=(.*))?$/s.exec(rest[0]) ?? [];
    const schema = properties[name];
    if (!schema) {
      const known = Object.keys(properties).map((each) => `--${each}`);
      throw new UsageError(`${rest[0]} is no argument of the tool. It takes: ${known.join(", ") || "no arguments"}`);
    }
    rest.shift();
    const isFlag = schema.type === "boolean" && (rest.length === 0 || rest[0].startsWith("--"));
    if (joined === undefined && !isFlag && rest.length === 0) throw new UsageError(`--${name} needs a value`);
    values[name] = value(schema, joined ?? (isFlag ? "true" : rest.shift()));
  }
  return values;
}

function value(schema, text) {
  if (schema.type === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
