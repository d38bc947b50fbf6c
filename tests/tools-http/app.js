// A tool that sends a request.

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

export default serve({ name: "http", tools: [send] });
