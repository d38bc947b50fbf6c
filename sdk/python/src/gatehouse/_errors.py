"""The exceptions of the SDK."""


class ToolError(Exception):
    """An error for the model to read and mend: its message is what the call returns."""


class InvalidArguments(ToolError):
    """Arguments that do not fit what the function takes."""


class NotFound(Exception):
    """Raised by the function of a resource or of a template: there is no resource of that URI."""
