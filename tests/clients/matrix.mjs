// Every client of matrix.json, or those with these ids, at the Gatehouse at BASE. The table is on stderr.
import { readFile } from "node:fs/promises";
import os from "node:os";
import { startClient } from "./lib/matrix.mjs";
import { check, run, step } from "./lib/run.mjs";

const COLUMNS = ["client", "version", "transport", "sign-in", "tools", "revision"];

run(
  "matrix.mjs BASE [ID...]",
  async (base, ...ids) => {
    const known = JSON.parse(await readFile(new URL("./matrix.json", import.meta.url), "utf8"));
    for (const id of ids) check(known.some((client) => client.id === id), `there is no client ${id}`);
    const chosen = ids.length > 0 ? known.filter((client) => ids.includes(client.id)) : known;
    step(`running ${chosen.length} clients`);
    const outcomes = await eachOf(chosen, os.availableParallelism(), (client) => startClient(client, base));
    const failed = outcomes.filter(({ failure }) => failure !== undefined);
    for (const { client, failure } of failed) process.stderr.write(`\n${client.id}:\n${failure}\n`);
    process.stderr.write(`\n${table(outcomes.map(row))}\n`);
    check(failed.length === 0, `${failed.length} of ${outcomes.length} failed: ${failed.map(({ client }) => client.id).join(", ")}`);
    return Object.fromEntries(outcomes.map(({ client, seen }) => [client.id, seen]));
  },
  600,
);

/** The results of `action` for each of `values`, of which so many are under way at a time. */
async function eachOf(values, workers, action) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < values.length) {
      const at = next++;
      results[at] = await action(values[at]);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}

/** What the table says of one client. */
function row({ client, seen, failure, hasSignedIn }) {
  return [
    client.client,
    seen?.version ?? client.version,
    client.path === "/sse" ? "HTTP+SSE" : "Streamable HTTP",
    failure === undefined || hasSignedIn ? "ok" : "FAILED",
    failure === undefined ? "ok" : hasSignedIn ? "FAILED" : "-",
    seen?.protocol ?? "-",
  ];
}

function table(rows) {
  const all = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...all.map((cells) => cells[column].length)));
  return all.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()).join("\n");
}
