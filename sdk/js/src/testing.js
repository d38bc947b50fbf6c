// Tests of an app without a server.

import { AsyncLocalStorage } from "node:async_hooks";
import { complete as completeArgument, findResource } from "./app.js";
import { contentsOf, messagesOf, startPrompt, startResource, startTool, toolOutput } from "./call.js";
import { kindOf } from "./content.js";
import { NotFound, ToolError } from "./errors.js";
import { giveInTests } from "./host-native.js";
import { setTransport } from "./http.js";
import { parse } from "./schema.js";

// The variables and stores of the call that runs.
const host = new AsyncLocalStorage();
giveInTests(() => host.getStore());

// An answer: the person declines.
export const DECLINE = Symbol("decline");

// The caller lacks scopes without which Gatehouse refuses the call.
export class MissingScopes extends Error {
  name = "MissingScopes";
}

export function person(subject = "ada", profile = {}) {
  return { kind: "person", subject, scopes: [], profile: { claims: {}, ...profile } };
}

// Calls a tool as Gatehouse does, and answers its questions with `answers`.
export async function call(app, name, input = {}, options = {}) {
  const tool = app.tools.get(name);
  if (!tool) throw new Error(`there is no tool ${name}; there are ${[...app.tools.keys()].join(", ")}`);
  const seen = nothingSeen();
  // As in JSON: what a client can send.
  const sent = JSON.parse(JSON.stringify(input));
  const end = await run(app, options, tool.scopes, seen, (given) => startTool(tool, given, sent));
  const output = toolOutput(end);
  if (tool.output && !output.isError) {
    await parse(tool.output, output.structured, "structured").catch((error) => {
      throw new TypeError(`the tool ${name} returned what does not fit its output: ${error.message}`);
    });
  }
  const texts = output.content.filter((part) => kindOf(part) === "text");
  return { ...output, text: texts.map((part) => part.text).join("\n"), ...seen };
}

// Reads a resource.
export async function read(app, uri, options = {}) {
  const found = findResource(app, uri);
  if (!found) throw new NotFound(uri);
  const { resource, variables } = found;
  const scopes = app.server.resourceScopes;
  const end = await run(app, options, scopes, nothingSeen(), (given) => startResource(resource, given, variables));
  return contentsOf(end, resource, uri);
}

// Gets the messages of a prompt.
export async function prompt(app, name, values = {}, options = {}) {
  const found = app.prompts.get(name);
  if (!found) throw new Error(`there is no prompt ${name}`);
  const start = (given) => startPrompt(found, given, values);
  return messagesOf(await run(app, options, found.scopes, nothingSeen(), start));
}

// Completes an argument of a prompt, by its name, or of a template, by its URI.
export function complete(app, name, argument, begun = "") {
  return completeArgument(app, app.prompts.has(name) ? "prompt" : "resource", name, argument, begun);
}

// Answers the requests of `http` with a function while `body` runs, and gives `body` the list of them.
export async function withHttp(answer, body) {
  const requests = [];
  const before = setTransport(async (request) => {
    requests.push(request);
    return answer(request);
  });
  try {
    return await body(requests);
  } finally {
    setTransport(before);
  }
}

// A response for `withHttp`: bytes, a text, or what becomes JSON.
export function response(body = "", { status = 200, headers = {} } = {}) {
  if (body instanceof Uint8Array) return { status, headers, body };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers, body: new TextEncoder().encode(text) };
}

const nothingSeen = () => ({ progress: [], logs: [], changed: [], questions: [] });

function run(app, { variables = {}, stores = {}, ...options }, needed, seen, start) {
  return host.run({ variables, stores }, () => rounds(app, options, needed, seen, start));
}

async function rounds(app, { caller = person(), scopes, credential, answers }, needed, seen, start) {
  const held = scopes ?? (caller.scopes.length > 0 ? caller.scopes : needed);
  const missing = needed.filter((scope) => !held.includes(scope));
  if (missing.length > 0) throw new MissingScopes(`the caller has ${held}, and needs ${missing} too`);
  const able = answers !== undefined;
  const given = {
    caller: { ...caller, scopes: held },
    capabilities: {
      elicitsForms: able,
      elicitsUrls: able,
      samples: able,
      samplesWithTools: able,
      listsRoots: able,
    },
    wantsProgress: true,
    logLevel: "debug",
    credential: credential === undefined ? undefined : { kind: "upstream", token: credential },
    answers: {},
  };
  for (;;) {
    const call = start(given);
    for (let event; (event = await call.nextEvent()); ) note(app, seen, event);
    const { question, state } = call.end;
    if (!question) return call.end;
    seen.questions.push(question);
    given.answers = { [question.id]: answer(question, answers) };
    given.state = state;
  }
}

function note(app, seen, { tag, val }) {
  if (tag === "progress") {
    seen.progress.push(val);
  } else if (tag === "log") {
    seen.logs.push({ ...val, data: JSON.parse(val.data) });
  } else {
    const announced = val.tag === "resource" ? "resourceContents" : val.tag;
    if (!app.server.changes.includes(announced)) {
      throw new Error(`a change that is not announced: serve({ changes: ["${announced}"], ... })`);
    }
    seen.changed.push(val.tag === "resource" ? { uri: val.val } : { what: val.tag });
  }
}

function answer({ id, method, params }, answers) {
  if (!Object.hasOwn(answers ?? {}, id)) {
    throw new Error(`the test has no answer to ${id}: ${JSON.stringify(params)}`);
  }
  const value = answers[id];
  if (method !== "elicitation/create") return value;
  if (value === DECLINE) return { action: "decline" };
  const isForm = typeof value === "object" && value !== null && !Array.isArray(value);
  const [first] = Object.keys(params.requestedSchema.properties);
  return { action: "accept", content: isForm ? value : { [first]: value } };
}

export { NotFound, ToolError };
