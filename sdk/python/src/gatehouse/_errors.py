"""The exceptions of the SDK."""


class ToolError(Exception):
    """An error for the model to read and mend: its message is what the call returns."""


class InvalidArguments(ToolError):
    """Arguments that do not fit what the function takes."""


class NotFound(Exception):
    """Raised by the function of a resource or of a template: there is no resource of that URI."""


class VariableError(Exception):
    """A variable that cannot be read: `spin.toml` does not give it to these tools, or what provides it failed.

    Uncaught in a tool, its message goes to the operator's log and the client gets no more than that the call failed.
    """


class KeyValueError(Exception):
    """A store that `spin.toml` does not grant to these tools, one that failed, or a value that is not what is wanted.

    Uncaught in a tool, its message goes to the operator's log and the client gets no more than that the call failed.
    """
