// Settings and secrets: the variables that the manifest gives to the tools.

import { readVariable } from "./host-native.js";

export async function variable(name) {
  return readVariable(name);
}
