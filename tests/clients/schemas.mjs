// Takes the official schema of each revision out of the conformance runner, which has them inside its one file, and writes
// them into FOLDER as REVISION.json. The specification does not publish them as a package.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import vm from "node:vm";
import { packaged } from "./lib/opener.mjs";
import { check, run, step } from "./lib/run.mjs";

run("schemas.mjs FOLDER", async (folder) => {
  step("reading the runner");
  const source = await readFile(packaged("@modelcontextprotocol/conformance/dist/index.js"), "utf8");
  const schemas = {};
  for (const start of source.matchAll(/([\w$]+)=(?=\{\$schema:)/g)) {
    const literal = objectAt(source, start.index + start[0].length);
    if (!literal.includes("JSONRPCMessage")) continue;
    // An empty context: the literal is data, and gets nothing to call.
    schemas[revisionOf(source, start[1])] = vm.runInNewContext(`JSON.stringify(${literal})`, {}, { timeout: 5000 });
  }
  const revisions = Object.keys(schemas).sort();
  step(`writing ${revisions.join(", ")}`);
  await mkdir(folder, { recursive: true });
  for (const revision of revisions) await writeFile(path.join(folder, `${revision}.json`), schemas[revision]);
  return { revisions };
});

/** The text of the object literal at `start`. */
function objectAt(source, start) {
  let depth = 0;
  let quote;
  for (let at = start; at < source.length; at++) {
    const character = source[at];
    if (character === "\\") at++;
    else if (quote) quote = character === quote ? undefined : quote;
    else if (`"'\``.includes(character)) quote = character;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return source.slice(start, at + 1);
  }
  throw new Error("an object that does not end");
}

/** The revision under which the runner knows the schema in the variable `name`. */
function revisionOf(source, name) {
  const key = new RegExp(`[{,](?:"([\\d-]+)"|\\[([\\w$]+)\\]):${escaped(name)}[,}]`).exec(source);
  check(key, `the runner does not say of which revision ${name} is`);
  const revision = key[1] ?? new RegExp(`\\b${escaped(key[2])}=\`([\\d-]+)\``).exec(source)?.[1];
  check(/^\d{4}-\d{2}-\d{2}$/.test(revision ?? ""), `${name} is of the revision ${revision}`);
  return revision;
}

function escaped(name) {
  return name.replaceAll("$", "\\$");
}
