"""What tools, prompts and resources return."""

import json
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, Literal, TypeVar

from ._schema import encode

T = TypeVar("T")


@dataclass
class Icon:
    """An icon for people to see: `src` is an `https:` or `data:` URI, a size is `48x48` or `any`."""

    src: str
    mime_type: str | None = None
    sizes: list[str] = field(default_factory=list)
    theme: Literal["light", "dark"] | None = None


@dataclass
class Annotations:
    """Whom a content is for, and how much it matters, from 0 to 1. `last_modified` is of ISO 8601."""

    audience: list[Literal["user", "assistant"]] = field(default_factory=list)
    priority: float | None = None
    last_modified: str | None = None


@dataclass
class Content:
    """A part of a result or of a prompt."""

    _: KW_ONLY
    annotations: Annotations | None = None
    meta: dict[str, Any] | None = None


@dataclass
class Text(Content):
    text: str


@dataclass
class Image(Content):
    data: bytes
    mime_type: str = "image/png"


@dataclass
class Audio(Content):
    data: bytes
    mime_type: str = "audio/wav"


@dataclass
class ResourceLink(Content):
    """A resource that the client may read."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    icons: list[Icon] = field(default_factory=list)


@dataclass
class ResourceContents(Content):
    """The contents of a resource: what a function of a resource may return, and a content of its own in results."""

    uri: str
    body: str | bytes
    mime_type: str | None = None


@dataclass
class Message:
    """A message of a prompt."""

    content: Content | str
    role: Literal["user", "assistant"] = "user"


@dataclass
class ToolResult(Generic[T]):
    """What a call of a tool returns, where the text is not to be the JSON of `structured`.

    In a return type, `ToolResult[Forecast]` gives the output schema of `Forecast`.
    """

    structured: T | None = None
    content: str | Content | list[str | Content] | None = None
    _: KW_ONLY
    is_error: bool = False
    meta: dict[str, Any] | None = None


@dataclass
class Output:
    """A result as it goes out."""

    content: list[Content]
    structured: Any = None
    is_error: bool = False
    meta: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """All texts in it, a line each."""
        return "\n".join(part.text for part in self.content if isinstance(part, Text))


def output_of(value: Any) -> Output:
    """Returns the output of what a tool returned."""
    if isinstance(value, ToolResult):
        structured = encode(value.structured)
        content = contents_of(value.content)
        if value.content is None and structured is not None:
            content = [Text(json.dumps(structured))]
        return Output(content, structured, value.is_error, value.meta)
    if value is None or isinstance(value, (str, Content)) or _is_contents(value):
        return Output(contents_of(value))
    encoded = encode(value)
    return Output([Text(json.dumps(encoded))], encoded if isinstance(encoded, dict) else None)


def contents_of(value: Any) -> list[Content]:
    """Returns the contents that a text, a content or a list of them is."""
    if value is None:
        return []
    parts = value if isinstance(value, list) else [value]
    return [Text(part) if isinstance(part, str) else part for part in parts]


def _is_contents(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(part, Content) for part in value)
