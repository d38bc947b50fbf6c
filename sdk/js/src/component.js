// An app as the contract `gatehouse:tools/tools`, for hosts of WASI 0.3 and of WASI 0.2.
//
// The build for WASI 0.2 takes a Promise that settles at once (sync-promise.js): a function of the contract then returns
// what the promise is worth, and a running call is a resource that is asked for one event after the other.

import { CHANGES, complete, completes, findResource } from "./app.js";
import { contentsOf, messagesOf, startPrompt, startResource, startTool, toolOutput } from "./call.js";
import { errorOutput, kindOf } from "./content.js";
import { NotFound, ToolError } from "./errors.js";

const notFound = { tag: "not-found" };

// The exported interface of WASI 0.3.
export function component(app) {
  const stream = async function* (run) {
    for (let event; (event = await run.nextEvent()); ) yield event;
    yield lastEvent(run.end);
  };
  return exported(app, stream);
}

// The exported interface of WASI 0.2. `settled` gives the value of a promise, or throws its error.
export function portableComponent(app, settled) {
  class EventStream {
    #run;
    #isOver = false;

    constructor(run) {
      this.#run = run;
    }

    next() {
      const event = settled(this.#run.nextEvent());
      if (event || this.#isOver) return event;
      this.#isOver = true;
      return lastEvent(this.#run.end);
    }
  }
  const functions = Object.entries(exported(app, (run) => new EventStream(run)));
  const now = functions.map(([name, call]) => [name, (...given) => settled(call(...given))]);
  return { ...Object.fromEntries(now), EventStream };
}

function exported(app, stream) {
  return {
    async describe() {
      return offer(app);
    },

    async callTool(call) {
      const tool = app.tools.get(call.name);
      if (!tool) throw notFound;
      const run = startTool(tool, given(call.context), JSON.parse(call.arguments));
      await run.step();
      if (run.hasEvents) return { tag: "running", val: stream(run) };
      if (run.end.question) return { tag: "input-required", val: inputRequired(run.end) };
      return { tag: "done", val: wireOutput(orInternal(() => toolOutput(run.end))) };
    },

    async listResources() {
      const every = [...app.resources.values()];
      // The list holds as long as all that is in it.
      const lasts = every.length > 0 && every.every(({ ttl }) => ttl !== undefined);
      const ttl = lasts ? Math.min(...every.map((each) => each.ttl)) : undefined;
      const shared = every.every((each) => each.shared);
      return { resources: every.map(listed), freshness: freshness({ ttl, shared }) };
    },

    async readResource({ uri, context }) {
      const found = findResource(app, uri);
      if (!found) throw notFound;
      const end = await startResource(found.resource, given(context), found.variables).finish();
      if (end.question) return { tag: "input-required", val: inputRequired(end) };
      const parts = orFailure(() => contentsOf(end, found.resource, uri)).map(wireContents);
      return { tag: "contents", val: { parts, freshness: freshness(found.resource) } };
    },

    async getPrompt(request) {
      const prompt = app.prompts.get(request.name);
      if (!prompt) throw notFound;
      const values = Object.fromEntries(request.arguments.map(({ name, value }) => [name, value]));
      const end = await startPrompt(prompt, given(request.context), values).finish();
      if (end.question) return { tag: "input-required", val: inputRequired(end) };
      const messages = orFailure(() => messagesOf(end));
      const wired = messages.map(({ role, content }) => ({ role, content: wireContent(content) }));
      return { tag: "messages", val: { description: prompt.description, messages: wired } };
    },

    async complete({ target, argument }) {
      return { values: await complete(app, target.tag, target.val, argument.name, argument.value) };
    },
  };
}

function lastEvent(end) {
  if (end.question) return { tag: "input-required", val: inputRequired(end) };
  try {
    return { tag: "done", val: wireOutput(toolOutput(end)) };
  } catch {
    // A call that runs can no longer fail.
    return { tag: "done", val: wireOutput(errorOutput("Internal error.")) };
  }
}

// What is thrown goes to the operator's log, and not to the client.
function orInternal(value) {
  try {
    return value();
  } catch (error) {
    throw { tag: "internal", val: `${error?.stack ? `${error}\n${error.stack}` : error}` };
  }
}

function orFailure(value) {
  try {
    return value();
  } catch (error) {
    if (error instanceof NotFound) throw notFound;
    if (error instanceof ToolError) throw { tag: "invalid-arguments", val: error.message };
    return orInternal(() => {
      throw error;
    });
  }
}

function offer(app) {
  const { name, title, version, description, icons, website, instructions, resourceScopes, changes } = app.server;
  const offered = [...app.resources.values(), ...app.templates.values()];
  const resources = offered.length > 0 && {
    templates: [...app.templates.values()].map(({ uri, ...rest }) => ({ uriTemplate: uri, ...described(rest) })),
    scopes: resourceScopes,
    wantsCredential: offered.some(({ credential }) => Boolean(credential)),
  };
  return {
    server: { name, title, version, description, icons: icons.map(icon), website },
    instructions,
    tools: [...app.tools.values()].map(wireTool),
    prompts: [...app.prompts.values()].map(wirePrompt),
    resources: resources || undefined,
    completes: completes(app),
    changes: Object.fromEntries(CHANGES.map((change) => [change, changes.includes(change)])),
  };
}

function wireTool(tool) {
  const { readOnly, destructive, idempotent, openWorld } = tool;
  const hints = { readOnly, destructive, idempotent, openWorld };
  return {
    ...described(tool),
    inputSchema: JSON.stringify(tool.inputSchema),
    outputSchema: json(tool.outputSchema),
    annotations: Object.values(hints).some((hint) => hint !== undefined) ? hints : undefined,
    scopes: tool.scopes,
    wantsCredential: Boolean(tool.credential),
    tasks: tool.tasks,
  };
}

function wirePrompt(prompt) {
  const given = Object.entries(prompt.arguments).map(([name, { title, description, required = true }]) => ({
    name,
    title,
    description,
    required,
  }));
  return { ...described(prompt), arguments: given, scopes: prompt.scopes };
}

const listed = (resource) => ({ uri: resource.uri, size: resource.size, ...described(resource) });

function described({ name, title, description, icons = [], mimeType, meta }) {
  return { name, title, description, icons: icons.map(icon), mimeType, meta: json(meta) };
}

const icon = ({ src, mimeType, sizes = [], theme }) => ({ src, mimeType, sizes, theme });

const json = (value) => (value === undefined ? undefined : JSON.stringify(value));

const freshness = ({ ttl, shared = false }) =>
  ttl === undefined ? undefined : { ttl: Math.round(ttl * 1000), shared: Boolean(shared) };

function given({ caller, capabilities, wantsProgress, logLevel, answers, state }) {
  const { kind, subject, clientId, scopes, profile, credential } = present(caller);
  const { claims, ...known } = present(profile);
  return {
    caller: { kind, subject, clientId, scopes, profile: { ...known, claims: JSON.parse(claims || "{}") } },
    capabilities,
    wantsProgress,
    logLevel: logLevel ?? undefined,
    // A presented credential is the value of the Authorization header: the scheme and the token.
    credential: credential && { kind: credential.tag, token: credential.val.split(" ").at(-1) },
    answers: Object.fromEntries(answers.map(({ id, result }) => [id, JSON.parse(result)])),
    state: state ?? undefined,
  };
}

// Options arrive as `null`.
const present = (record) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, value ?? undefined]));

const inputRequired = ({ question: { id, method, params }, state }) => ({
  requests: [{ id, method, params: JSON.stringify(params) }],
  state,
});

function wireOutput({ content, structured, isError, meta }) {
  return { content: content.map(wireContent), structured: json(structured), isError, meta: json(meta) };
}

function wireContent(content) {
  const { annotations, meta } = content;
  const { audience = [], ...rest } = annotations ?? {};
  return { body: body(content), annotations: annotations && { audience, ...rest }, meta: json(meta) };
}

function body(content) {
  const tag = kindOf(content);
  switch (tag) {
    case "text":
      return { tag, val: content.text };
    case "image":
    case "audio":
      return { tag, val: { data: content.data, mimeType: content.mimeType } };
    case "resource-link":
      return { tag, val: listed(content) };
    case "embedded-resource":
      return { tag, val: wireContents(content) };
    default:
      throw new TypeError("what was returned is no content");
  }
}

function wireContents({ uri, mimeType, text, blob, meta }) {
  const body = text === undefined ? { tag: "blob", val: blob } : { tag: "text", val: text };
  return { uri, mimeType, body, meta: json(meta) };
}
