// The component of an app: bundled by esbuild, built by componentize-qjs.

import { componentize } from "componentize-qjs";
import { build as bundleWith } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { withWasiNames } from "./wasi-names.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const MAIN = (app) => `
import app from ${JSON.stringify(app)};
import { component } from ${JSON.stringify(here("component.js"))};
export const tools = component(app);
`;

// The first import of all replaces Promise.
const PORTABLE = (app) => `
import { settled } from ${JSON.stringify(here("sync-globals.js"))};
import app from ${JSON.stringify(app)};
import { portableComponent } from ${JSON.stringify(here("component.js"))};
export const tools = portableComponent(app, settled);
`;

// Writes the component of an app; `portable`, for hosts of WASI 0.2.
export async function build(app, output, { portable = false } = {}) {
  const entry = portable ? PORTABLE(resolve(app)) : MAIN(resolve(app));
  const source = await bundle(entry, { portable, component: true });
  const { component } = await componentize({
    witPath: here(portable ? "../wit/portable" : "../wit/main"),
    world: "app",
    jsSource: source,
    sync: portable,
  });
  await mkdir(dirname(resolve(output)), { recursive: true });
  await writeFile(output, withWasiNames(component));
}

// Returns the source of an app, with what it imports, as one module. `component` has HTTP, variables and stores over WASI, and
// `portable` has no `async` function left in it.
export async function bundle(entry, { portable = false, component = false } = {}) {
  const lowered = { "async-await": false, "async-generator": false, "for-await": false, "top-level-await": false };
  const { outputFiles } = await bundleWith({
    stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: "gatehouse-entry.js" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2023",
    mainFields: ["module", "main"],
    conditions: ["import"],
    // The app and this package share one copy.
    alias: { "gatehouse-sdk": here("index.js") },
    supported: portable ? lowered : {},
    external: ["fermyon:*", "gasi:*"],
    plugins: component ? [oneLanguage, overWasi] : [oneLanguage],
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

// zod brings its messages in 60 languages, 500 KB that a model does not read: all are the English ones here.
const oneLanguage = {
  name: "one-language",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]\w/ }, ({ path }) => {
      if (/[\\/](en|index)\.js$/.test(path)) return undefined;
      return { contents: 'export { default } from "./en.js";' };
    });
  },
};

const overWasi = {
  name: "over-wasi",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(http|host)-native\.js$/ }, ({ path, importer }) =>
      importer.startsWith(here(".")) ? { path: here(path.replace("native", "wasi")) } : undefined,
    );
  },
};
