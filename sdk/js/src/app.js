// An app: what it offers, as its author describes it.

import { jsonSchema } from "./schema.js";

const TOOL_NAME = /^[A-Za-z0-9_./-]{1,128}$/;
const DEFAULT_SCOPES = ["tools"];
export const CHANGES = ["tools", "prompts", "resources", "resourceContents"];

export function tool(options) {
  const { name, run } = options;
  if (!TOOL_NAME.test(name ?? "")) {
    throw new TypeError(`${name} is no name of a tool: 1 to 128 of the characters A-Z a-z 0-9 _ - . /`);
  }
  if (typeof run !== "function") throw new TypeError(`the tool ${name} has no function \`run\``);
  const { input, output } = options;
  const schemas = { inputSchema: jsonSchema(input), outputSchema: output && jsonSchema(output) };
  return { kind: "tool", scopes: DEFAULT_SCOPES, tasks: "never", icons: [], ...options, ...schemas };
}

export function resource(options) {
  required("resource", options, ["uri", "name", "read"]);
  return { kind: "resource", icons: [], ...options };
}

export function resourceTemplate(options) {
  required("template", options, ["uri", "name", "read"]);
  return { kind: "template", icons: [], ...options, ...pattern(options.uri) };
}

export function prompt(options) {
  required("prompt", options, ["name", "get"]);
  return { kind: "prompt", scopes: DEFAULT_SCOPES, icons: [], arguments: {}, ...options };
}

export function serve({ tools = [], resources = [], prompts = [], changes = [], ...server }) {
  required("server", server, ["name"]);
  for (const change of changes) {
    if (!CHANGES.includes(change)) throw new TypeError(`${change} cannot change: ${CHANGES.join(", ")} can`);
  }
  const app = {
    server: { version: "0.0.0", icons: [], resourceScopes: DEFAULT_SCOPES, changes, ...server },
    tools: byKey(tools, "tool", "name"),
    resources: byKey(resources.filter(({ kind }) => kind !== "template"), "resource", "uri"),
    templates: byKey(resources.filter(({ kind }) => kind === "template"), "template", "uri"),
    prompts: byKey(prompts, "prompt", "name"),
  };
  return app;
}

// The resource or template of a URI, with its variables.
export function findResource(app, uri) {
  const found = app.resources.get(uri);
  if (found) return { resource: found, variables: {} };
  for (const template of app.templates.values()) {
    const matched = template.pattern.exec(uri);
    if (matched) {
      const values = template.variables.map((name, index) => [name, decodeURIComponent(matched[index + 1])]);
      return { resource: template, variables: Object.fromEntries(values) };
    }
  }
  return undefined;
}

// The completions of an argument of a prompt, or of a template that is named by its URI.
export async function complete(app, target, name, argument, begun) {
  const completes =
    target === "prompt"
      ? app.prompts.get(name)?.arguments[argument]?.complete
      : app.templates.get(name)?.complete?.[argument];
  if (typeof completes === "function") return [...(await completes(begun))];
  return (completes ?? []).filter((value) => value.startsWith(begun));
}

export function completes(app) {
  const ofPrompt = ({ arguments: given }) => Object.values(given).some((argument) => argument.complete);
  return [...app.prompts.values()].some(ofPrompt) || [...app.templates.values()].some((each) => each.complete);
}

function required(what, options, names) {
  for (const name of names) {
    if (options[name] === undefined) throw new TypeError(`a ${what} needs \`${name}\``);
  }
}

function byKey(items, kind, key) {
  const map = new Map();
  for (const item of items) {
    if (item.kind !== kind) throw new TypeError(`${item[key] ?? item} is no ${kind}: make it with ${kind}(...)`);
    if (map.has(item[key])) throw new TypeError(`${item[key]} is there twice`);
    map.set(item[key], item);
  }
  return map;
}

// A regular expression for a template of RFC 6570 with {name}, which ends at a slash, and {+name}.
function pattern(uri) {
  const variables = [];
  const parts = uri.split(/\{([^}]*)\}/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const [, plus, name] = /^(\+?)([A-Za-z_][A-Za-z0-9_]*)$/.exec(part) ?? [];
    if (!name) throw new TypeError(`${uri}: only {name} and {+name} are understood, not {${part}}`);
    variables.push(name);
    return plus ? "(.+)" : "([^/]+)";
  });
  return { pattern: new RegExp(`^${parts.join("")}$`), variables };
}
