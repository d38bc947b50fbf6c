// Variables and stores of this process, for tests and for calls by hand. The build for a component takes host-wasi.js in its
// place.

import { KeyValueError, VariableError } from "./errors.js";
import { encodeUtf8 } from "./utf8.js";

const stores = new Map();

// What a test gives, if one runs: { variables, stores }. Without, variables are those of the environment, and there is every
// store, in memory.
let given = () => undefined;

export function giveInTests(provider) {
  given = provider;
}

export async function readVariable(name) {
  const inEnvironment = `SPIN_VARIABLE_${name.toUpperCase()}`;
  const test = given();
  const value = test ? test.variables[name] : process.env[inEnvironment];
  if (value !== undefined) return value;
  throw new VariableError(
    `no variable for "${name}": in a test, \`variables\` among the options of a call gives it; elsewhere, ${inEnvironment} in ` +
      "the environment",
  );
}

export async function callStore(name, method, key, value) {
  const store = storeOf(name);
  switch (method) {
    case "get":
      return bytes(store.get(key));
    case "set":
      return void store.set(key, value);
    case "delete":
      return void store.delete(key);
    default:
      return store.has(key);
  }
}

function storeOf(name) {
  const test = given();
  if (!test) {
    if (!stores.has(name)) stores.set(name, new Map());
    return stores.get(name);
  }
  if (Object.hasOwn(test.stores, name)) return test.stores[name];
  throw new KeyValueError(`no such store: \`stores\` among the options of a call gives "${name}" to a test`);
}

// A test may have put a text into its store.
const bytes = (value) => (typeof value === "string" ? encodeUtf8(value) : value);
