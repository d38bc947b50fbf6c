// What tools, prompts and resources return.

const CONTENT = Symbol("content");
const RESULT = Symbol("result");

const content = (kind, fields) => ({ [CONTENT]: kind, ...fields });

export const text = (value, options) => content("text", { text: value, ...options });
export const image = (data, mimeType = "image/png", options) => content("image", { data, mimeType, ...options });
export const audio = (data, mimeType = "audio/wav", options) => content("audio", { data, mimeType, ...options });
export const resourceLink = (link) => content("resource-link", link);
export const embeddedResource = (resource) => content("embedded-resource", resource);

// A result whose text is not the JSON of what is structured.
export const result = (fields) => ({ [RESULT]: true, ...fields });

// A message of a prompt.
export const message = (value, role = "user") => ({ role, content: contents(value)[0] });

export const kindOf = (value) => (typeof value === "object" && value !== null ? value[CONTENT] : undefined);

export function contents(value) {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((part) => (typeof part === "string" ? text(part) : part));
}

// What goes out of what a tool returned.
export function output(value) {
  if (value?.[RESULT]) {
    const { structured, content: parts, isError = false, meta } = value;
    const shown = parts === undefined && structured !== undefined ? JSON.stringify(structured) : parts;
    return { content: contents(shown), structured, isError, meta };
  }
  const isContent = typeof value === "string" || kindOf(value) || (Array.isArray(value) && value.some(kindOf));
  if (value === undefined || value === null || isContent) {
    return { content: contents(value), isError: false };
  }
  const isObject = typeof value === "object" && !Array.isArray(value);
  return { content: [text(JSON.stringify(value))], structured: isObject ? value : undefined, isError: false };
}

export const errorOutput = (why) => ({ content: [text(why)], isError: true });

export function resourceContents(value, { mimeType }, uri) {
  const parts = Array.isArray(value) && value.length > 0 && value.every(isPart) ? value : [value];
  return parts.map((part) => {
    if (isPart(part)) return { mimeType, ...part };
    if (typeof part === "string") return { uri, mimeType, text: part };
    if (part instanceof Uint8Array) return { uri, mimeType, blob: part };
    return { uri, mimeType: mimeType ?? "application/json", text: JSON.stringify(part) };
  });
}

const isPart = (value) => typeof value?.uri === "string" && ("text" in value || "blob" in value);

export function messages(value) {
  return (Array.isArray(value) ? value : [value]).map((part) => (part?.role ? part : message(part)));
}
