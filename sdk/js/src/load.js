// An app from its source, for calls and tests: TypeScript too.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "./build.js";

export async function load(path) {
  const source = await bundle(`export { default } from ${JSON.stringify(resolve(path))};`);
  const folder = await mkdtemp(join(tmpdir(), "gatehouse-"));
  try {
    const file = join(folder, "app.mjs");
    await writeFile(file, source);
    const { default: app } = await import(pathToFileURL(file));
    if (!app?.tools) throw new TypeError(`${path} has to end with: export default serve({ ... })`);
    return app;
  } finally {
    await rm(folder, { recursive: true });
  }
}
