// How every script here starts and ends.
import "./loopback.mjs";
import { once } from "node:events";

/**
 * Seconds that one step may take: a page that loads, a response that begins. It ends what hangs; a machine that runs
 * three browsers on two processors needs a good part of it.
 */
export const STEP_TIMEOUT_SECONDS = 90;

let current = "starting";
const cleanups = [];

/** Says on stderr what the script is doing, for the message if that never ends. */
export function step(what) {
  current = what;
  process.stderr.write(`- ${what}\n`);
}

/** Runs `action` when the script ends, however it ends. The last one asked for runs first. */
export function atEnd(action) {
  cleanups.unshift(action);
}

/** Throws `message` unless `condition` holds. */
export function check(condition, message) {
  if (!condition) throw new Error(message);
}

/**
 * Runs `body` with the command line's arguments. What it returns is printed as one line of JSON, and the exit code is 0.
 * If it throws or takes more than `seconds`, the reason is on stderr and the exit code is 1.
 */
export async function run(usage, body, seconds = 200) {
  const values = process.argv.slice(2);
  if (values.length === 0) {
    process.stderr.write(`usage: ${usage}\n`);
    process.exit(2);
  }
  const limit = setTimeout(() => {
    fail(new Error(`still not done after ${seconds} s`));
  }, seconds * 1000);
  process.on("unhandledRejection", fail);
  try {
    const seen = await body(...values);
    clearTimeout(limit);
    await cleanUp();
    if (!process.stdout.write(`${JSON.stringify(seen)}\n`)) await once(process.stdout, "drain");
    process.exit(0);
  } catch (error) {
    await fail(error);
  }
}

let failing = false;
async function fail(error) {
  if (failing) return;
  failing = true;
  process.stderr.write(`FAILED while ${current}\n${describe(error)}\n`);
  await Promise.race([cleanUp(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  process.exit(1);
}

async function cleanUp() {
  for (const action of cleanups.splice(0)) {
    try {
      await action();
    } catch (error) {
      process.stderr.write(`cleaning up: ${describe(error)}\n`);
    }
  }
}

function describe(error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return error?.cause ? `${text}\ncaused by: ${describe(error.cause)}` : text;
}
