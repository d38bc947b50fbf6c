"""What an app offers: its tools, resources and prompts, registered by decorators."""

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import unquote

from ._calls import Run
from ._content import Icon, ToolResult
from ._context import Caller, Change, Context, Credential
from ._errors import NotFound, ToolError
from ._schema import (
    Field,
    Property,
    decode_properties,
    note_of,
    object_schema,
    plain,
    properties_of,
    schema_of,
    without_none,
)

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_SCOPES = ("tools",)
_TOOL_NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")


@dataclass(frozen=True)
class Complete:
    """Completions of an argument of a prompt or a template, as metadata of `Annotated`.

    Either the values, of which those that begin with what is typed are offered, or a function of what is typed that
    returns them.
    """

    values: Iterable[str] | Callable[[str], Iterable[str]]

    def __call__(self, begun: str) -> list[str]:
        if callable(self.values):
            return list(self.values(begun))
        return [value for value in self.values if value.startswith(begun)]


class Handler:
    """A function of the app, and which of its parameters are arguments."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.arguments: list[Property] = []
        # The parameters that are no arguments, by what they get.
        self._given: dict[str, type] = {}
        self._may_lack_credential = True
        # typing.get_type_hints adds `| None` to parameters whose default is `None`, before Python 3.11.
        hints = inspect.get_annotations(function, eval_str=True)
        self.returns = hints.get("return", Any)
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"{function.__name__}: the parameter `{name}` has to have a name that callers can give")
            annotation = hints.get(name, Any)
            kind, is_optional = without_none(plain(annotation))
            if kind in (Context, Caller, Credential):
                self._given[name] = kind
                if kind is Credential:
                    self._may_lack_credential = is_optional
                continue
            required = parameter.default is parameter.empty
            default = None if required else parameter.default
            self.arguments.append(Property(name, annotation, required, default))

    @property
    def wants_credential(self) -> bool:
        return Credential in self._given.values()

    def start(self, arguments: dict[str, Any], context: Context) -> Run:
        """Starts a call. Raises ToolError if the arguments do not fit, or a credential is missing."""
        values = decode_properties(self.arguments, arguments)
        if context.credential is None and not self._may_lack_credential:
            raise ToolError("There is no token of yours left at the identity provider. Please sign in again.")
        for name, kind in self._given.items():
            values[name] = {Context: context, Caller: context.caller, Credential: context.credential}[kind]
        return Run(self.function, values, context)

    def completions(self, name: str, begun: str) -> list[str]:
        argument = next((argument for argument in self.arguments if argument.key == name), None)
        if argument is None:
            return []
        complete = note_of(argument.annotation, Complete)
        if complete is None:
            complete = Complete([value for value in _choices(argument.annotation) if isinstance(value, str)])
        return complete(begun)

    @property
    def completes(self) -> bool:
        return any(note_of(each.annotation, Complete) or _choices(each.annotation) for each in self.arguments)


@dataclass
class Named:
    handler: Handler
    name: str
    title: str | None
    description: str | None
    icons: list[Icon]
    scopes: list[str]
    meta: dict[str, Any] | None


@dataclass
class Tool(Named):
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    read_only: bool | None
    destructive: bool | None
    idempotent: bool | None
    open_world: bool | None
    tasks: Literal["never", "optional", "required"]


@dataclass
class Prompt(Named):
    pass


@dataclass
class Resource(Named):
    uri: str
    """A URI, or a template of RFC 6570."""
    mime_type: str | None
    ttl: float | None
    """Seconds for which an answer may be kept."""
    shared: bool
    """Whether the answer is the same for every caller."""
    pattern: re.Pattern | None = None

    def match(self, uri: str) -> dict[str, str] | None:
        """Returns the variables that the URI has, or `None` if it is another resource's."""
        if self.pattern is None:
            return {} if uri == self.uri else None
        matched = self.pattern.fullmatch(uri)
        return {name: unquote(value) for name, value in matched.groupdict().items()} if matched else None


@dataclass
class Server:
    """An app. The decorators of this package are those of one `Server`, which a component exports."""

    name: str = "tools"
    title: str | None = None
    version: str = "0.0.0"
    description: str | None = None
    instructions: str | None = None
    website: str | None = None
    icons: list[Icon] = field(default_factory=list)
    scopes: list[str] = field(default_factory=lambda: list(DEFAULT_SCOPES))
    changes: list[Change] = field(default_factory=list)
    tools: dict[str, Tool] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    templates: dict[str, Resource] = field(default_factory=dict)
    prompts: dict[str, Prompt] = field(default_factory=dict)

    def configure(
        self,
        name: str,
        *,
        title: str | None = None,
        version: str = "0.0.0",
        description: str | None = None,
        instructions: str | None = None,
        website: str | None = None,
        icons: Sequence[Icon] = (),
        resource_scopes: Sequence[str] = DEFAULT_SCOPES,
        changes: Sequence[Change] = (),
    ) -> None:
        """Says who the server is, and how to use all of it (`instructions`, for the model).

        `resource_scopes` are those without which no resource is listed or read. `changes` announces what may change
        while clients are connected, and is reported by `Context.changed` and `Context.resource_changed`.
        """
        unknown = [change for change in changes if change not in typing.get_args(Change)]
        if unknown:
            raise ValueError(f"{unknown} cannot change: {list(typing.get_args(Change))} can")
        self.name, self.title, self.version, self.description = name, title, version, description
        self.instructions, self.website, self.icons = instructions, website, list(icons)
        self.scopes, self.changes = list(resource_scopes), list(changes)

    @typing.overload
    def tool(self, function: F) -> F: ...

    @typing.overload
    def tool(
        self,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        scopes: Sequence[str] = DEFAULT_SCOPES,
        read_only: bool | None = None,
        destructive: bool | None = None,
        idempotent: bool | None = None,
        open_world: bool | None = None,
        tasks: Literal["never", "optional", "required"] = "never",
        icons: Sequence[Icon] = (),
        meta: dict[str, Any] | None = None,
    ) -> Callable[[F], F]: ...

    def tool(self, function=None, **options):
        """Makes a function a tool: its name, docstring and type hints say what the model is told.

        Parameters of the types `Context`, `Caller` and `Credential` are no arguments. A call without `scopes` is
        refused; the hints `read_only`, `destructive`, `idempotent` and `open_world` only inform clients. `tasks` says whether
        a call may take longer than a client cares to wait.
        """
        return self._decorate(self._add_tool, function, options)

    def resource(
        self,
        uri: str,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        ttl: float | None = None,
        shared: bool = False,
        icons: Sequence[Icon] = (),
        meta: dict[str, Any] | None = None,
    ) -> Callable[[F], F]:
        """Makes a function a resource: it returns text, bytes, what becomes JSON, or `ResourceContents`.

        A client may keep an answer for `ttl` seconds, and share it between its users if it is `shared`.
        """

        def decorate(function: F) -> F:
            resource = self._resource(function, uri, name, title, description, mime_type, ttl, shared, icons, meta)
            self._register(self.resources, uri, resource)
            return function

        return decorate

    def resource_template(
        self,
        uri: str,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        ttl: float | None = None,
        shared: bool = False,
        icons: Sequence[Icon] = (),
        meta: dict[str, Any] | None = None,
    ) -> Callable[[F], F]:
        """Makes a function the resources of a template such as `units:{kind}`, whose variables are its arguments.

        `{kind}` ends at a slash, and `{+path}` goes on. The function raises `NotFound` for what is not there.
        """

        def decorate(function: F) -> F:
            resource = self._resource(function, uri, name, title, description, mime_type, ttl, shared, icons, meta)
            resource.pattern = _pattern(uri)
            arguments = {argument.key for argument in resource.handler.arguments}
            if arguments != set(resource.pattern.groupindex):
                raise TypeError(f"the arguments of {function.__name__} have to be the variables of {uri}")
            _check_texts(resource.handler)
            self._register(self.templates, uri, resource)
            return function

        return decorate

    @typing.overload
    def prompt(self, function: F) -> F: ...

    @typing.overload
    def prompt(
        self,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        scopes: Sequence[str] = DEFAULT_SCOPES,
        icons: Sequence[Icon] = (),
        meta: dict[str, Any] | None = None,
    ) -> Callable[[F], F]: ...

    def prompt(self, function=None, **options):
        """Makes a function a prompt: it returns a text, a `Message`, or a list of them. Its arguments are texts."""
        return self._decorate(self._add_prompt, function, options)

    def find_resource(self, uri: str) -> tuple[Resource, dict[str, str]]:
        """Returns the resource or template of a URI with the variables. Raises NotFound."""
        for resource in [*self.resources.values(), *self.templates.values()]:
            variables = resource.match(uri)
            if variables is not None:
                return resource, variables
        raise NotFound(uri)

    @property
    def handlers(self) -> list[Handler]:
        every = [*self.tools.values(), *self.resources.values(), *self.templates.values(), *self.prompts.values()]
        return [each.handler for each in every]

    @property
    def completes(self) -> bool:
        return any(each.handler.completes for each in [*self.prompts.values(), *self.templates.values()])

    def complete(self, kind: Literal["prompt", "resource"], name: str, argument: str, begun: str) -> list[str]:
        """Returns the completions of an argument of a prompt, or of a template that is named by its URI."""
        every = self.prompts if kind == "prompt" else self.templates
        return every[name].handler.completions(argument, begun) if name in every else []

    def _decorate(self, add: Callable[..., None], function: Any, options: dict[str, Any]) -> Any:
        def decorate(function: F) -> F:
            add(function, **options)
            return function

        return decorate if function is None else decorate(function)

    def _add_tool(
        self,
        function: Callable[..., Any],
        *,
        read_only: bool | None = None,
        destructive: bool | None = None,
        idempotent: bool | None = None,
        open_world: bool | None = None,
        tasks: Literal["never", "optional", "required"] = "never",
        **options: Any,
    ) -> None:
        named = _named(function, **options)
        if not _TOOL_NAME.fullmatch(named["name"]):
            raise ValueError(f"{named['name']!r} is no name of a tool: 1 to 128 of the characters A-Z a-z 0-9 _ - . /")
        handler = named["handler"]
        schemas = {"input_schema": object_schema(handler.arguments), "output_schema": _output_schema(handler.returns)}
        hints = {"read_only": read_only, "destructive": destructive, "idempotent": idempotent, "open_world": open_world}
        self._register(self.tools, named["name"], Tool(**named, **schemas, **hints, tasks=tasks))

    def _add_prompt(self, function: Callable[..., Any], **options: Any) -> None:
        named = _named(function, **options)
        _check_texts(named["handler"])
        self._register(self.prompts, named["name"], Prompt(**named))

    def _resource(self, function, uri, name, title, description, mime_type, ttl, shared, icons, meta) -> Resource:
        named = _named(function, name=name, title=title, description=description, icons=icons, meta=meta)
        return Resource(**named, uri=uri, mime_type=mime_type, ttl=ttl, shared=shared)

    def _register(self, every: dict[str, Any], key: str, named: Named) -> None:
        if key in every:
            raise ValueError(f"{key!r} is there twice")
        every[key] = named


def description_of(annotation: Any) -> str | None:
    """Returns what `Annotated` says of an argument."""
    note = note_of(annotation, Field)
    return note.description if note else note_of(annotation, str)


def _named(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    icons: Sequence[Icon] = (),
    meta: dict[str, Any] | None = None,
) -> dict[str, Any]:
    if isinstance(scopes, str):
        scopes = scopes.split()
    return {
        "handler": Handler(function),
        "name": name or function.__name__,
        "title": title,
        "description": description or inspect.getdoc(function),
        "icons": list(icons),
        "scopes": list(scopes),
        "meta": meta,
    }


def _output_schema(returns: Any) -> dict[str, Any] | None:
    returns = plain(returns)
    if typing.get_origin(returns) is ToolResult:
        return schema_of(typing.get_args(returns)[0])
    is_object = returns is dict or typing.get_origin(returns) is dict
    if is_object or (properties_of(returns) is not None and returns.__module__ != ToolResult.__module__):
        return schema_of(returns)
    return None


def _choices(annotation: Any) -> list[Any]:
    kind, _ = without_none(plain(annotation))
    return schema_of(kind).get("enum", []) if kind is not str else []


def _check_texts(handler: Handler) -> None:
    for argument in handler.arguments:
        kind, _ = without_none(plain(argument.annotation))
        if kind is not str and not all(isinstance(choice, str) for choice in _choices(kind) or [None]):
            raise TypeError(f"{handler.function.__name__}: `{argument.name}` has to be a text, as MCP passes it")


def _pattern(template: str) -> re.Pattern:
    parts = re.split(r"\{([^}]*)\}", template)
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
            continue
        matched = re.fullmatch(r"(\+?)([A-Za-z_][A-Za-z0-9_]*)", part)
        if not matched:
            raise ValueError(f"{template}: only {{name}} and {{+name}} are understood, not {{{part}}}")
        pattern += f"(?P<{matched[2]}>{'.+' if matched[1] else '[^/]+'})"
    return re.compile(pattern)
