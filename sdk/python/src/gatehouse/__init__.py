"""Tools for Gatehouse, an MCP server behind a login: functions with type hints and docstrings.

    from gatehouse import server, tool

    server("greeter", title="Greeter")

    @tool
    def greet(name: str) -> str:
        "Greets a person."
        return f"Hello, {name}!"

`python -m gatehouse build app.py -o greeter.wasm` makes a component of it, and `python -m gatehouse call app.py greet
--name Ada` tries it.
"""

from . import http
from ._app import server as _server
from ._content import (
    Annotations,
    Audio,
    Content,
    Icon,
    Image,
    Message,
    ResourceContents,
    ResourceLink,
    Text,
    ToolResult,
)
from ._context import Caller, Capabilities, Context, Credential, Profile
from ._errors import InvalidArguments, KeyValueError, NotFound, ToolError, VariableError
from ._key_value import KeyValue, key_value
from ._schema import Field
from ._server import Complete
from ._variables import variable

server = _server.configure
tool = _server.tool
resource = _server.resource
resource_template = _server.resource_template
prompt = _server.prompt

__all__ = [
    "Annotations",
    "Audio",
    "Caller",
    "Capabilities",
    "Complete",
    "Content",
    "Context",
    "Credential",
    "Field",
    "Icon",
    "Image",
    "InvalidArguments",
    "KeyValue",
    "KeyValueError",
    "Message",
    "NotFound",
    "Profile",
    "ResourceContents",
    "ResourceLink",
    "Text",
    "ToolError",
    "ToolResult",
    "VariableError",
    "http",
    "key_value",
    "prompt",
    "resource",
    "resource_template",
    "server",
    "tool",
    "variable",
]
