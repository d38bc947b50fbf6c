// Units of measurement for a model: an example of a tools component.
//
// It converts, shows how far it has come, asks which gallon is meant or remembers it, and offers what
// it knows as resources and a prompt. The same is in ../tools-rust and ../tools-python.

import { KeyValueError, keyValue, NotFound, prompt, resource, resourceTemplate } from "gatehouse-sdk";
import { result, serve, tool, ToolError, variable, VariableError } from "gatehouse-sdk";
import { z } from "zod";
import { convert, KINDS, UNITS } from "./units.js";

const unit = z.string().describe("A unit, such as mile or celsius");
const value = z.number().describe("How many");
const Gallon = z.enum(["US gallon", "imperial gallon"]);
const preferences = keyValue("units");

const convertOne = tool({
  name: "convert",
  description: "Converts a value into another unit.",
  input: z.object({ value, from: unit, to: unit }),
  output: z.object({ value: z.number(), unit: z.string() }),
  readOnly: true,
  openWorld: false,
  run: async ({ value, from, to }, context) => {
    const source = await whichUnit(from, context);
    const target = await whichUnit(to, context);
    const converted = convert(value, source, target);
    return result({ structured: { value: converted, unit: target }, content: `${converted} ${target}` });
  },
});

const convertMany = tool({
  name: "convert_many",
  description: "Converts many values.",
  input: z.object({ values: z.array(value).max(1000), from: unit, to: unit }),
  output: z.object({ value: z.array(z.number()).max(1000), unit: z.string() }),
  readOnly: true,
  openWorld: false,
  run: async ({ values, from, to }, context) => {
    const source = await whichUnit(from, context);
    const target = await whichUnit(to, context);
    const converted = [];
    for (const each of values) {
      converted.push(convert(each, source, target));
      await context.progress(converted.length, values.length);
    }
    return result({ structured: { value: converted, unit: target }, content: JSON.stringify(converted) });
  },
});

const prefer = tool({
  name: "prefer",
  description: "Remembers which gallon the person means.",
  input: z.object({ gallon: Gallon }),
  idempotent: true,
  openWorld: false,
  run: async ({ gallon }, { caller }) => {
    await preferences.set(caller.subject, gallon);
    return `A gallon is the ${gallon} from now on.`;
  },
});

// Units do not change from one hour to the next, nor from one person to another.
const lasting = { mimeType: "application/json", ttl: 3600, shared: true };

const everyUnit = resource({
  uri: "units:all",
  name: "all",
  title: "All units",
  ...lasting,
  read: () => Object.keys(UNITS),
});

const unitsOf = resourceTemplate({
  uri: "units:{kind}",
  name: "units",
  title: "The units of a kind",
  ...lasting,
  complete: { kind: KINDS },
  read: ({ kind }) => {
    if (!KINDS.includes(kind)) throw new NotFound(kind);
    return Object.keys(UNITS).filter((name) => UNITS[name][0] === kind);
  },
});

const explain = prompt({
  name: "explain",
  title: "Explain a unit",
  arguments: { unit: { description: "Which", complete: Object.keys(UNITS) } },
  get: ({ unit }) => `What is one ${unit}, and what would one measure with it? Compare it with two other units.`,
});

// The name of the unit. A gallon may be one of two: the person has said which, or is asked if the client can ask.
async function whichUnit(name, context) {
  if (Object.hasOwn(UNITS, name)) return name;
  if (name !== "gallon") throw new ToolError(`there is no unit “${name}”; the resource units:all lists them`);
  const usual = await usualGallon(context.caller);
  if (Object.hasOwn(UNITS, usual)) return usual;
  const meant = await context.ask("Which gallon?", Gallon, { name: "gallon" });
  if (!meant) throw new ToolError("Say “US gallon” or “imperial gallon”.");
  return meant;
}

// The gallon that the person prefers, or else the operator. Tools that are composed into mcp know neither.
async function usualGallon(caller) {
  try {
    return (await preferences.getText(caller.subject)) || (await variable("gallon"));
  } catch (error) {
    if (error instanceof KeyValueError || error instanceof VariableError) return undefined;
    throw error;
  }
}

export default serve({
  name: "units",
  title: "Units of measurement",
  version: "1.0.0",
  instructions: "Converts units. `units:all` lists them.",
  tools: [convertOne, convertMany, prefer],
  resources: [everyUnit, unitsOf],
  prompts: [explain],
});
