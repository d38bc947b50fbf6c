// Tools that ask the host for what they may have, or not: requests, variables and stores; and one that reports changes.

import { http, keyValue, resource, serve, tool, variable } from "gatehouse-sdk";

const text = { type: "string" };

const send = tool({
  name: "send",
  description: "Sends a request and returns the response.",
  input: { type: "object", properties: { method: text, url: text, body: text }, required: ["method", "url"] },
  run: async ({ method, url, body }) => {
    const response = await http.request(method, url, { body });
    return { status: response.status, text: response.text() };
  },
});

const readVariable = tool({
  name: "read_variable",
  description: "Returns the value of a variable.",
  input: { type: "object", properties: { name: text }, required: ["name"] },
  run: ({ name }) => variable(name),
});

const readKey = tool({
  name: "read_key",
  description: "Says whether a store has a key.",
  input: { type: "object", properties: { store: text, key: text }, required: ["store", "key"] },
  run: async ({ store, key }) => ({ exists: await keyValue(store).exists(key) }),
});

const change = tool({
  name: "change",
  description: "Reports every change that there can be.",
  run: async (_, context) => {
    for (const what of ["tools", "prompts", "resources"]) await context.changed(what);
    await context.resourceChanged("test:one");
    return "changed";
  },
});

const one = resource({ uri: "test:one", name: "one", read: () => "One." });

const changes = ["tools", "prompts", "resources", "resourceContents"];

export default serve({ name: "http", changes, tools: [send, readVariable, readKey, change], resources: [one] });
