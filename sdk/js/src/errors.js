// An error for the model to read and mend: its message is what the call returns.
export class ToolError extends Error {
  name = "ToolError";
}

// Thrown by `read`: there is no resource of that URI.
export class NotFound extends Error {
  name = "NotFound";
}
