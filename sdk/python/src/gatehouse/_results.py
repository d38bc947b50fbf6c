"""What calls come to: outputs of tools, contents of resources, messages of prompts."""

import json
from typing import Any

from ._calls import End, Raised, Returned
from ._content import Content, Message, Output, ResourceContents, Text, output_of
from ._errors import ToolError
from ._schema import encode
from ._server import Resource


def tool_output(end: End) -> Output:
    """Returns the output of a call that ended. A ToolError is one for the model; raises any other exception."""
    try:
        return output_of(value_of(end))
    except ToolError as error:
        return Output([Text(str(error))], is_error=True)


def contents_of(end: End, resource: Resource, uri: str) -> list[ResourceContents]:
    """Returns what a resource holds. Raises what its function raised."""
    value = value_of(end)
    if isinstance(value, ResourceContents):
        return [value]
    if isinstance(value, list) and value and all(isinstance(part, ResourceContents) for part in value):
        return value
    if isinstance(value, (str, bytes)):
        return [ResourceContents(uri, value, resource.mime_type)]
    return [ResourceContents(uri, json.dumps(encode(value)), resource.mime_type or "application/json")]


def messages_of(end: End) -> list[Message]:
    """Returns the messages of a prompt. Raises what its function raised."""
    value = value_of(end)
    parts = value if isinstance(value, list) else [value]
    return [part if isinstance(part, Message) else Message(part) for part in parts]


def content_of(message: Message) -> Content:
    return Text(message.content) if isinstance(message.content, str) else message.content


def value_of(end: End) -> Any:
    """Returns what a function returned. Raises what it raised."""
    if isinstance(end, Raised):
        raise end.error
    assert isinstance(end, Returned)
    return end.value
