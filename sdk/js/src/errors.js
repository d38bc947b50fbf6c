// An error for the model to read and mend: its message is what the call returns.
export class ToolError extends Error {
  name = "ToolError";
}

// Thrown by `read`: there is no resource of that URI.
export class NotFound extends Error {
  name = "NotFound";
}

// A variable that cannot be read. Not caught in a tool, its message goes to the operator's log, and the client is told no more
// than that the call failed.
export class VariableError extends Error {
  name = "VariableError";
}

// A store that is not granted or that failed, or a value that is not what is wanted. Not caught in a tool, likewise.
export class KeyValueError extends Error {
  name = "KeyValueError";
}
