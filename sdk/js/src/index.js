// Tools for Gatehouse: descriptions of tools, resources and prompts, and the app that serves them.

export { KeyValueError, NotFound, ToolError, VariableError } from "./errors.js";
export { audio, embeddedResource, image, message, resourceLink, result, text } from "./content.js";
export { prompt, resource, resourceTemplate, serve, tool } from "./app.js";
export { fetch } from "./fetch.js";
export { http, HttpError } from "./http.js";
export { keyValue } from "./key-value.js";
export { variable } from "./variable.js";
