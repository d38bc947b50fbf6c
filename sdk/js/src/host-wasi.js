// Variables and stores of Spin, by the interfaces for WASI 0.2 in both builds: componentize-qjs cannot import the async
// functions of those for 0.3 yet. While one answers, other calls of this instance wait.

import spinKeyValue from "fermyon:spin/key-value@2.0.0";
import spinVariables from "fermyon:spin/variables@2.0.0";
import { KeyValueError, VariableError } from "./errors.js";

const INHERIT = "and inherit_configuration = true to their line in its dependencies; composed into mcp, they have";
const WHERE = 'docs/tools.md, "A component of its own"';

// Each store is opened once an instance.
const stores = new Map();

export async function readVariable(name) {
  try {
    return spinVariables.get(name);
  } catch (error) {
    throw variableError(name, payload(error));
  }
}

export async function callStore(name, method, ...given) {
  try {
    if (!stores.has(name)) stores.set(name, spinKeyValue.Store.open(name));
    const answer = stores.get(name)[method](...given);
    if (method !== "get") return answer;
    return answer === undefined || answer === null ? undefined : new Uint8Array(answer);
  } catch (error) {
    throw keyValueError(name, payload(error));
  }
}

// The error of a function of WASI is the payload of an Error.
function payload(error) {
  const value = error?.payload ?? error;
  if (!value?.tag) throw error;
  return value;
}

function variableError(name, { tag, val }) {
  if (tag !== "undefined") return new VariableError(`the variable "${name}" cannot be read: ${val}`);
  return new VariableError(
    `no variable for "${name}": spin.toml gives these tools none of that name. Behind a tool server, add ` +
      `${name} = "..." to [component.NAME.variables] of its component, ${INHERIT} no variables (${WHERE})`,
  );
}

function keyValueError(name, { tag, val }) {
  if (tag !== "no-such-store" && tag !== "access-denied") {
    return new KeyValueError(`the store "${name}" failed: ${val ?? "too many are open"}`);
  }
  return new KeyValueError(
    `no such store: spin.toml grants these tools none of the name "${name}". Behind a tool server, add ` +
      `"${name}" to key_value_stores of its [component.NAME], ${INHERIT} no store (${WHERE})`,
  );
}
