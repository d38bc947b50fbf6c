// Calls of tools, resources and prompts, whatever the way they came.

import { errorOutput, messages, output, resourceContents } from "./content.js";
import { ToolError } from "./errors.js";
import { Run } from "./run.js";
import { parse } from "./schema.js";

export function startTool(tool, given, values) {
  return new Run(withCredential(tool, given)).start(async (context) => {
    const input = await parse(tool.input, values);
    if (tool.credential === "required" && !context.credential) {
      throw new ToolError("There is no token of yours left at the identity provider. Please sign in again.");
    }
    return tool.run(input, context);
  });
}

export function startResource(resource, given, variables) {
  const isTemplate = resource.kind === "template";
  return new Run(withCredential(resource, given)).start((context) =>
    isTemplate ? resource.read(variables, context) : resource.read(context),
  );
}

export function startPrompt(prompt, given, values) {
  return new Run(given).start((context) => prompt.get(values, context));
}

// The output of a call that ended. A ToolError is one for the model; throws any other error.
export function toolOutput(end) {
  if (!end.error) return output(end.value);
  if (end.error instanceof ToolError) return errorOutput(end.error.message);
  throw end.error;
}

export function contentsOf(end, resource, uri) {
  if (end.error) throw end.error;
  return resourceContents(end.value, resource, uri);
}

export function messagesOf(end) {
  if (end.error) throw end.error;
  return messages(end.value);
}

const withCredential = (item, given) => (item.credential ? given : { ...given, credential: undefined });
