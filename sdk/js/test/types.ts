// What the types of the package let an author write; `npm run types` checks it.

import { http, prompt, resourceTemplate, result, serve, tool, ToolError } from "gatehouse-sdk";
import * as testing from "gatehouse-sdk/testing";
import { z } from "zod";

const weather = tool({
  name: "weather",
  input: z.object({ city: z.string(), days: z.number().default(1) }),
  output: z.object({ city: z.string(), temperature: z.number() }),
  scopes: ["tools"],
  readOnly: true,
  run: async ({ city, days }, context) => {
    const exact: number = days;
    await context.progress(1, exact);
    const unit = await context.ask("Which unit?", z.enum(["C", "F"]), { name: "unit" });
    if (unit === undefined) throw new ToolError("Say which.");
    const known: "C" | "F" = unit;
    return result({ structured: { city, temperature: 4 }, content: known });
  },
});

const wrong = tool({
  name: "wrong",
  input: z.object({ city: z.string() }),
  output: z.object({ temperature: z.number() }),
  // @ts-expect-error: the temperature is a number
  run: ({ city }) => ({ temperature: city }),
});

const plain = tool({
  name: "plain",
  input: { type: "object", properties: { city: { type: "string" } } },
  run: ({ city }, { caller }) => `${city} for ${caller.profile.name ?? caller.subject}`,
});

const files = tool({
  name: "files",
  credential: "required",
  run: async (_, { credential }) => {
    const response = await http.get("https://a.test", { params: { page: 1 }, bearer: credential! });
    return response.throwForStatus().json();
  },
});

const app = serve({
  name: "weather",
  tools: [weather, wrong, plain, files],
  resources: [resourceTemplate({ uri: "a:{b}", name: "b", complete: { b: ["c"] }, read: ({ b }) => ({ b }) })],
  prompts: [prompt({ name: "explain", arguments: { city: {} }, get: ({ city }) => `Explain ${city}.` })],
});

const seen: testing.CallResult = await testing.call(app, "weather", { city: "Oslo" }, { answers: { unit: "C" } });
await testing.withHttp(
  ({ url }) => testing.response({ url }),
  async (requests) => console.log(seen.text, requests.length),
);

export default app;
