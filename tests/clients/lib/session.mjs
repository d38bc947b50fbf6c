// What every client does once it is connected: list the tools, and call each of them.
import { check, step } from "./run.mjs";

/** What each tool is called with. */
export const CALLS = { add: { a: 2, b: 3 }, getUserInfo: {}, getToken: {} };

/** The oldest revision whose results have structured content. */
const STRUCTURED = "2025-06-18";

/** Lists the tools and calls all three with `client`, a connected client of either TypeScript SDK, in `revision`. */
export async function useTools(client, revision) {
  step("listing the tools");
  const { tools } = await client.listTools();
  const results = {};
  for (const [name, values] of Object.entries(CALLS)) {
    step(`calling ${name}`);
    results[name] = await client.callTool({ name, arguments: values });
  }
  return report(tools, results, revision);
}

/** Throws unless `result`, in `revision`, is that of an addition that comes to `sum`. */
export function checkSum(result, sum, revision = STRUCTURED) {
  const { structured, text } = summary("add", result);
  const isStructured = revision < STRUCTURED || structured?.sum === sum;
  check(isStructured && text === String(sum), `${sum} came out as ${JSON.stringify({ structured, text })}`);
}

/**
 * What was seen: the names of the tools as they were listed, the text of each result, `user` (who getUserInfo says it
 * is) and `token` (the scheme and the claims of what getToken gave). Throws if any of it is not as it has to be.
 */
export function report(listed, results, revision = STRUCTURED) {
  const tools = listed.map((tool) => tool.name);
  for (const name of Object.keys(CALLS)) check(tools.includes(name), `there is no tool ${name} among ${tools.join(", ")}`);
  checkSum(results.add, 5, revision);
  const { structured, text } = summary("getUserInfo", results.getUserInfo);
  const user = JSON.parse(text);
  check(user.sub, `getUserInfo names no one: ${text}`);
  check(revision < STRUCTURED || structured?.sub === user.sub, `getUserInfo's structured content is ${JSON.stringify(structured)}`);
  const token = tokenSummary(results.getToken);
  return { tools, add: "5", getUserInfo: text, getToken: "(not shown)", user, token };
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

/** The claims of a JWT, unverified; null if it is not one. */
function claims(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  try {
    return JSON.parse(Buffer.from(parts[1], "base64url").toString("utf8"));
  } catch {
    return null;
  }
}
