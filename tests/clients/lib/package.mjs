// Which version of a package is installed, of those that package.json names.
import { readFile } from "node:fs/promises";
import { packaged } from "./opener.mjs";

/** The version of the package that is installed under this name, which may be an alias. */
export async function installedVersion(name) {
  return JSON.parse(await readFile(packaged(`${name}/package.json`), "utf8")).version;
}
