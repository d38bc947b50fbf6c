// What every client does once it is connected: list the tools, and call each of them.
import { check, step } from "./run.mjs";

/** What each tool is called with. */
export const CALLS = { add: { a: 2, b: 3 }, getUserInfo: {}, getToken: {} };

/** Lists the tools and calls all three with `client`, a connected client of either TypeScript SDK. */
export async function useTools(client) {
  step("listing the tools");
  const { tools } = await client.listTools();
  const results = {};
  for (const [name, values] of Object.entries(CALLS)) {
    step(`calling ${name}`);
    results[name] = await client.callTool({ name, arguments: values });
  }
  return report(tools, results);
}

/**
 * What was seen: the names of the tools as they were listed, the text of each result, `user` (who getUserInfo says it
 * is) and `token` (the scheme and the claims of what getToken gave). Throws if any of it is not as it has to be.
 */
export function report(listed, results) {
  const tools = listed.map((tool) => tool.name);
  for (const name of Object.keys(CALLS)) check(tools.includes(name), `there is no tool ${name} among ${tools.join(", ")}`);
  const add = summary("add", results.add);
  check(add.structured?.sum === 5 && add.text === "5", `2 + 3 came out as ${JSON.stringify(add)}`);
  const user = summary("getUserInfo", results.getUserInfo);
  check(user.structured?.sub, `getUserInfo names nobody: ${JSON.stringify(user)}`);
  check(JSON.parse(user.text).sub === user.structured.sub, `getUserInfo's text says something else: ${JSON.stringify(user)}`);
  const token = tokenSummary(results.getToken);
  return { tools, add: add.text, getUserInfo: user.text, getToken: "(not shown)", user: user.structured, token };
}

/** The structured content and the text of a tool's result, which must not be an error. */
function summary(name, result) {
  const text = (result.content ?? [])
    .filter((block) => block.type === "text")
    .map((block) => block.text)
    .join("\n");
  check(!result.isError, `${name} failed: ${text}`);
  return { structured: result.structuredContent, text };
}

/** What getToken's result says, without the token: its scheme, and its claims if it is a JWT. */
function tokenSummary(result) {
  const { text } = summary("getToken", result);
  const [, scheme, token] = /^(?:(\S+) )?(\S+)$/.exec(text) ?? [];
  check(token, "getToken gave no token");
  return { scheme: scheme ?? null, claims: claims(token) };
}

/** The claims of a JWT, unverified; null if it is none. */
function claims(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  try {
    return JSON.parse(Buffer.from(parts[1], "base64url").toString("utf8"));
  } catch {
    return null;
  }
}
