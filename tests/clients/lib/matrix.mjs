// How one client of matrix.json is run.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { newerNode } from "./newer-node.mjs";
import { atEnd } from "./run.mjs";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const CALLED = "- calling ";

/**
 * Lets `client` sign in at the Gatehouse at `base` and call every tool. Returns `seen`, what its script printed, or `failure`,
 * why it failed, and whether it `hasSignedIn` by then.
 */
export async function startClient(client, base) {
  const { code, out, said } = await start(client, base);
  const hasSignedIn = said.split("\n").some((line) => line.startsWith(CALLED));
  if (code !== 0) return { client, hasSignedIn, failure: said };
  const seen = JSON.parse(out.trimEnd().split("\n").at(-1));
  return { client, hasSignedIn, seen, failure: difference(client, seen) };
}

/** What is other than matrix.json says. */
function difference({ version, revision }, seen) {
  const wanted = version.replace(/^newest( of )?/, "");
  if (wanted && !`${seen.version}.`.startsWith(`${wanted}.`)) return `version ${seen.version} is installed instead of ${wanted}`;
  if (seen.protocol !== revision) return `it talks in revision ${seen.protocol} instead of ${revision}`;
  return undefined;
}

function start({ script, path: endpoint, arguments: given, environment, node }, base) {
  const program = script.endsWith(".py") ? python(environment) : node ? newerNode(node) : process.execPath;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [script, base + endpoint, ...given], { cwd: FOLDER, stdio: ["ignore", "pipe", "pipe"] });
    atEnd(() => child.kill());
    let out = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (part) => (out += part));
    child.stderr.setEncoding("utf8").on("data", (part) => (said = (said + part).slice(-20_000)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, said }));
  });
}

/** The Python of a virtual environment: that of the newest packages, or the one of this name. */
function python(environment) {
  const windows = process.platform === "win32";
  const inside = windows ? ["Scripts", "python.exe"] : ["bin", "python"];
  if (environment === undefined) return process.env.GATEHOUSE_TEST_PYTHON ?? path.join(FOLDER, ".venv", ...inside);
  const program = path.join(FOLDER, `.venv-${environment}`, ...inside);
  if (existsSync(program)) return program;
  throw new Error(`there is no ${program}: \`cargo xtask clients\` installs it`);
}
