// What the types of the package let an author write; `npm run types` checks it.

import { fetch, http, keyValue, prompt, resourceTemplate, result, serve, tool, ToolError, variable } from "gatehouse-sdk";
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

const upload = tool({
  name: "upload",
  run: async () => {
    const headers = new Headers({ accept: "application/json" });
    const response = await fetch(new URL("https://a.test"), { method: "PUT", headers, body: new Uint8Array(1) });
    const kind: string | null = response.headers.get("content-type");
    const bytes: Uint8Array = await response.bytes();
    // @ts-expect-error: there are no signals
    await fetch("https://a.test", { headers: { accept: "text/plain" }, signal: AbortSignal.timeout(1) });
    // @ts-expect-error: redirects are not followed
    await fetch("https://a.test", { headers: [["accept", "text/plain"]], redirect: "follow" });
    return response.ok ? `${kind} ${bytes.length} ${await response.text()}` : "failed";
  },
});

const homes = keyValue("weather");

const moveTo = tool({
  name: "move_to",
  input: z.object({ city: z.string() }),
  run: async ({ city }, context) => {
    const key: string = await variable("api_key");
    const before = await homes.getJson<{ city: string }>(context.caller.subject);
    await homes.setJson(context.caller.subject, { city });
    await context.changed("resources");
    await context.resourceChanged(`homes:${key.length}`);
    // @ts-expect-error: one resource is reported by resourceChanged
    await context.changed("resourceContents");
    return `From ${before?.city ?? "nowhere"}`;
  },
});

const app = serve({
  name: "weather",
  changes: ["resources", "resourceContents"],
  tools: [weather, wrong, plain, files, upload, moveTo],
  resources: [resourceTemplate({ uri: "a:{b}", name: "b", complete: { b: ["c"] }, read: ({ b }) => ({ b }) })],
  prompts: [prompt({ name: "explain", arguments: { city: {} }, get: ({ city }) => `Explain ${city}.` })],
});

const seen: testing.CallResult = await testing.call(app, "weather", { city: "Oslo" }, { answers: { unit: "C" } });
const stores = { weather: new Map([["ada", "{}"]]) };
const moved = await testing.call(app, "move_to", { city: "Oslo" }, { variables: { api_key: "secret" }, stores });
console.log(moved.changed.length, moved.text);
await testing.withHttp(
  ({ url }) => testing.response({ url }),
  async (requests) => console.log(seen.text, requests.length),
);

export default app;
