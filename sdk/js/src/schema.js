// Schemas: those of libraries that speak Standard Schema and Standard JSON Schema (zod, from 4.2 on), or JSON Schema itself.

import { ToolError } from "./errors.js";

const EMPTY = { type: "object", properties: {} };

// The JSON Schema of what is given. Of defaults and transforms a caller sees the outside.
export function jsonSchema(schema) {
  if (schema === undefined) return EMPTY;
  const standard = schema["~standard"];
  if (!standard) return schema;
  if (!standard.jsonSchema) {
    throw new TypeError(`${standard.vendor} gives no JSON Schema: take zod 4.2 or later, or write the JSON Schema`);
  }
  const { $schema, ...rest } = standard.jsonSchema.input({ target: "draft-2020-12" });
  return rest;
}

// The value as the schema has it: with defaults and transforms. Throws a ToolError if it does not fit.
export async function parse(schema, value, what = "arguments") {
  const standard = schema?.["~standard"];
  if (!standard) {
    return check(jsonSchema(schema), value);
  }
  const parsed = await standard.validate(value);
  if (!parsed.issues) return parsed.value;
  const told = parsed.issues.map(({ path = [], message }) => {
    const where = path.map((step) => step?.key ?? step).join(".");
    return `\`${where || what}\`: ${message}`;
  });
  throw new ToolError(told.join("; "));
}

// Gatehouse holds arguments against a JSON Schema before a call; here is what a test or a call by hand forgets most.
function check(schema, value) {
  for (const name of schema.required ?? []) {
    if (value?.[name] === undefined) throw new ToolError(`\`${name}\` is missing`);
  }
  return value;
}
