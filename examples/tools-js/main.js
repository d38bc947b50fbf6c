// The contract wit/tools: every function is async, and a call that goes on is a stream. A generator becomes a stream.

import { tools as plain } from "./tools.js";

const asynchronous = ([name, call]) => [name, async (...given) => call(...given)];

export const tools = Object.fromEntries(Object.entries(plain).map(asynchronous));
