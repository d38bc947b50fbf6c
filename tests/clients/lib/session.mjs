// What every client does once it is connected: list the tools, and call each of them.
import { check, step } from "./run.mjs";

const TOOLS = ["add", "getToken", "getUserInfo"];

/** Lists the tools and calls all three with `client`, a connected client of either TypeScript SDK. */
export async function useTools(client) {
  step("listing the tools");
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name).sort();
  for (const name of TOOLS) check(names.includes(name), `there is no tool ${name} among ${names.join(", ")}`);
  step("calling add");
  const sum = summary("add", await client.callTool({ name: "add", arguments: { a: 2, b: 3 } }));
  check(sum.structured?.sum === 5, `2 + 3 came out as ${JSON.stringify(sum)}`);
  step("calling getUserInfo");
  const person = summary("getUserInfo", await client.callTool({ name: "getUserInfo", arguments: {} }));
  check(person.structured?.sub, `getUserInfo names nobody: ${JSON.stringify(person)}`);
  step("calling getToken");
  const token = tokenSummary(await client.callTool({ name: "getToken", arguments: {} }));
  return { tools: names, add: sum.structured, getUserInfo: person.structured, getToken: token };
}

/** The structured content and the text of a tool's result, which must not be an error. */
export function summary(name, result) {
  const text = (result.content ?? [])
    .filter((block) => block.type === "text")
    .map((block) => block.text)
    .join("\n");
  check(!result.isError, `${name} failed: ${text}`);
  return { structured: result.structuredContent, text };
}

/** What getToken's result says, without the token: its scheme, and its claims if it is a JWT. */
export function tokenSummary(result) {
  const { text } = summary("getToken", result);
  const [, scheme, token] = /^(?:(\S+) )?(\S+)$/.exec(text) ?? [];
  check(token, "getToken gave no token");
  return { scheme: scheme ?? null, claims: claims(token) };
}

/** The claims of a JWT, unverified; null if it is none. */
export function claims(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  try {
    return JSON.parse(Buffer.from(parts[1], "base64url").toString("utf8"));
  } catch {
    return null;
  }
}
