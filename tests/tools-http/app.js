// A tool that sends a request, and one that reports changes.

import { http, serve, tool } from "gatehouse-sdk";

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

const change = tool({
  name: "change",
  description: "Reports every change that there can be.",
  run: async (_, context) => {
    for (const what of ["tools", "prompts", "resources"]) await context.changed(what);
    await context.resourceChanged("test:one");
    return "changed";
  },
});

const changes = ["tools", "prompts", "resources", "resourceContents"];

export default serve({ name: "http", changes, tools: [send, change] });
