"""The app as a component: the contract `gatehouse:tools/tools`, for hosts of WASI 0.3 and of WASI 0.2.

Only what componentize-py builds imports this module. In the contract for WASI 0.3 every function is a coroutine and a
running call a stream; in the one for WASI 0.2 a function returns what the coroutine would, and a running call is a
resource that is asked for one event after the other.
"""

import inspect
import json
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, get_args

import wit_world
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import tools as wit

from . import _content as content
from . import _context as context
from ._app import server
from ._calls import Paused, Run
from ._errors import NotFound, ToolError
from ._results import content_of, contents_of, messages_of, tool_output
from ._server import Prompt, Resource, Tool, description_of

IS_PORTABLE = not hasattr(wit_world, "tools_event_stream")

if not IS_PORTABLE:
    from componentize_py_async_support import spawn


class Tools(exports.Tools):
    async def describe(self) -> wit.Offer:
        return _offer()

    async def call_tool(self, call: wit.Call) -> wit.CallResult:
        tool = _named(server.tools, call.name)
        given = _context(call.context)
        try:
            run = tool.handler.start(json.loads(call.arguments), given)
        except ToolError as error:
            return wit.CallResult_Done(_output(content.Output([content.Text(str(error))], is_error=True)))
        await _step(run)
        if run.end is None or given.events:
            return _running(run)
        if isinstance(run.end, Paused):
            return wit.CallResult_InputRequired(_input_required(run.end))
        return wit.CallResult_Done(_output(_or_internal(lambda: tool_output(run.end))))

    async def list_resources(self, caller: wit.Caller, cursor: str | None) -> wit.ResourcePage:
        resources = list(server.resources.values())
        listed = [
            wit.ListedResource(
                each.uri, each.name, each.title, each.description, _icons(each.icons), each.mime_type, None, None,
                _json(each.meta),
            )
            for each in resources
        ]
        # The list holds as long as all that is in it.
        lasts = all(each.ttl is not None for each in resources) and bool(resources)
        ttl = min(each.ttl for each in resources) if lasts else None
        return wit.ResourcePage(listed, None, _freshness(ttl, all(each.shared for each in resources)))

    async def read_resource(self, read: wit.Read) -> wit.Reading:
        try:
            resource, variables = server.find_resource(read.uri)
        except NotFound:
            raise Err(wit.Failure_NotFound()) from None
        run = await _finished(resource, variables, read.context)
        if isinstance(run.end, Paused):
            return wit.Reading_InputRequired(_input_required(run.end))
        parts = _or_failure(lambda: contents_of(run.end, resource, read.uri))
        contents = [_resource_contents(part) for part in parts]
        return wit.Reading_Contents(wit.Contents(contents, _freshness(resource.ttl, resource.shared)))

    async def get_prompt(self, request: wit.PromptRequest) -> wit.Prompting:
        prompt = _named(server.prompts, request.name)
        arguments = {argument.name: argument.value for argument in request.arguments}
        run = await _finished(prompt, arguments, request.context)
        if isinstance(run.end, Paused):
            return wit.Prompting_InputRequired(_input_required(run.end))
        messages = [
            wit.PromptMessage(wit.Role[message.role.upper()], _content(content_of(message)))
            for message in _or_failure(lambda: messages_of(run.end))
        ]
        return wit.Prompting_Messages(wit.PromptMessages(prompt.description, messages, None))

    async def complete(self, completion: wit.Completion) -> wit.Suggestions:
        kind = "prompt" if isinstance(completion.target, wit.CompletionTarget_Prompt) else "resource"
        argument = completion.argument
        return wit.Suggestions(server.complete(kind, completion.target.value, argument.name, argument.value), None)


def _at_once(coroutine_function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        coroutine = coroutine_function(*arguments)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        raise RuntimeError("a function of the contract waits")

    return call


if IS_PORTABLE:
    for _name, _function in inspect.getmembers(Tools, inspect.iscoroutinefunction):
        setattr(Tools, _name, _at_once(_function))


async def _step(run: Run) -> None:
    if IS_PORTABLE:
        run.step_now()
    else:
        await run.step()


async def _finished(item: Prompt | Resource, arguments: dict[str, Any], given: wit.Context) -> Run:
    """Runs the function of a prompt or resource, which cannot report on the way."""
    try:
        run = item.handler.start(arguments, _context(given))
    except ToolError as error:
        raise Err(wit.Failure_InvalidArguments(str(error))) from None
    while run.end is None:
        await _step(run)
    return run


def _running(run: Run) -> wit.CallResult_Running:
    if IS_PORTABLE:
        return wit.CallResult_Running(EventStream(run))
    writer, reader = wit_world.tools_event_stream()
    spawn(_write(run, writer))
    return wit.CallResult_Running(reader)


async def _write(run: Run, writer: Any) -> None:
    with writer:
        while True:
            for event in run.take_events():
                # A caller who no longer listens has cancelled the call.
                if await writer.write_all([_event(event)]) == 0:
                    return run.cancel()
            if run.end is not None:
                await writer.write_all([_last_event(run)])
                return
            await run.step()


class EventStream:
    """A running call of WASI 0.2."""

    def __init__(self, run: Run):
        self._run = run
        self._events = run.take_events()
        self._is_over = False

    def next(self) -> wit.Event | None:
        while not self._events:
            if self._is_over:
                return None
            if self._run.end is not None:
                self._is_over = True
                return _last_event(self._run)
            self._run.step_now()
            self._events = self._run.take_events()
        return _event(self._events.pop(0))


def _event(event: context.Event) -> wit.Event:
    if isinstance(event, context.Progress):
        total = None if event.total is None else float(event.total)
        return wit.Event_Progress(wit.Progress(float(event.progress), total, event.message))
    if isinstance(event, context.Changed):
        return wit.Event_Changed(_changed(event))
    return wit.Event_Log(wit.Log(wit.LogLevel[event.level.upper()], json.dumps(event.data), event.logger))


def _changed(event: context.Changed) -> wit.Changed:
    if event.what == "resource_contents":
        return wit.Changed_Resource(event.uri)
    return getattr(wit, f"Changed_{event.what.capitalize()}")()


def _last_event(run: Run) -> wit.Event:
    if isinstance(run.end, Paused):
        return wit.Event_InputRequired(_input_required(run.end))
    try:
        return wit.Event_Done(_output(tool_output(run.end)))
    except Exception as error:
        # A call that runs can no longer fail: the log says why, and the client that it did.
        traceback.print_exception(error, file=sys.stderr)
        return wit.Event_Done(_output(content.Output([content.Text("Internal error.")], is_error=True)))


def _or_internal(value: Callable[[], Any]) -> Any:
    """Returns the value. What it raises goes to the operator's log, and not to the client."""
    try:
        return value()
    except Exception as error:
        raise _internal(error) from None


def _internal(error: Exception) -> Err:
    traceback.print_exception(error, file=sys.stderr)
    return Err(wit.Failure_Internal(f"{type(error).__name__}: {error}"))


def _or_failure(value: Callable[[], Any]) -> Any:
    """The same, for what has no output for the model."""
    try:
        return value()
    except NotFound:
        raise Err(wit.Failure_NotFound()) from None
    except ToolError as error:
        raise Err(wit.Failure_InvalidArguments(str(error))) from None
    except Exception as error:
        raise _internal(error) from None


def _named(every: dict[str, Any], name: str) -> Any:
    if name not in every:
        raise Err(wit.Failure_NotFound())
    return every[name]


def _offer() -> wit.Offer:
    info = wit.ServerInfo(
        server.name, server.title, server.version, server.description, _icons(server.icons), server.website
    )
    resources = None
    if server.resources or server.templates:
        every = [*server.resources.values(), *server.templates.values()]
        wants_credential = any(each.handler.wants_credential for each in every)
        templates = [_template(each) for each in server.templates.values()]
        resources = wit.ResourceOffer(templates, server.scopes, wants_credential)
    return wit.Offer(
        server=info,
        instructions=server.instructions,
        tools=[_tool(each) for each in server.tools.values()],
        prompts=[_prompt(each) for each in server.prompts.values()],
        resources=resources,
        completes=server.completes,
        changes=wit.Changes(*(change in server.changes for change in get_args(context.Change))),
    )


def _tool(tool: Tool) -> wit.Tool:
    hints = (tool.read_only, tool.destructive, tool.idempotent, tool.open_world)
    return wit.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        icons=_icons(tool.icons),
        input_schema=json.dumps(tool.input_schema),
        output_schema=_json(tool.output_schema),
        annotations=wit.ToolAnnotations(*hints) if any(hint is not None for hint in hints) else None,
        scopes=tool.scopes,
        wants_credential=tool.handler.wants_credential,
        tasks=wit.TaskUse[tool.tasks.upper()],
        meta=_json(tool.meta),
    )


def _prompt(prompt: Prompt) -> wit.Prompt:
    arguments = [
        wit.PromptArgument(each.key, None, description_of(each.annotation), each.required)
        for each in prompt.handler.arguments
    ]
    return wit.Prompt(
        prompt.name, prompt.title, prompt.description, _icons(prompt.icons), arguments, prompt.scopes, _json(prompt.meta)
    )


def _template(each: Resource) -> wit.ResourceTemplate:
    return wit.ResourceTemplate(
        each.uri, each.name, each.title, each.description, _icons(each.icons), each.mime_type, None, _json(each.meta)
    )


def _context(given: wit.Context) -> context.Context:
    able = given.capabilities
    credential = given.caller.credential
    return context.Context(
        _caller(given.caller),
        capabilities=context.Capabilities(
            able.elicits_forms, able.elicits_urls, able.samples, able.samples_with_tools, able.lists_roots
        ),
        wants_progress=given.wants_progress,
        log_level=given.log_level.name.lower() if given.log_level is not None else None,
        credential=_credential(credential) if credential is not None else None,
        answers={answer.id: json.loads(answer.result) for answer in given.answers},
        state=given.state,
    )


def _caller(caller: wit.Caller) -> context.Caller:
    told = caller.profile
    profile = context.Profile(told.name, told.email, told.email_verified, told.picture, json.loads(told.claims or "{}"))
    return context.Caller(
        caller.subject, caller.kind.name.lower(), caller.client_id, tuple(caller.scopes), profile
    )


def _credential(credential: wit.Credential) -> context.Credential:
    if isinstance(credential, wit.Credential_Upstream):
        return context.Credential(credential.value, "upstream")
    # The value of the Authorization header: the scheme and the token.
    return context.Credential(credential.value.split(" ")[-1], "presented")


def _input_required(paused: Paused) -> wit.InputRequired:
    question = paused.question
    request = wit.InputRequest(question.id, question.method, json.dumps(question.params))
    return wit.InputRequired([request], paused.state)


def _output(output: content.Output) -> wit.Output:
    structured = None if output.structured is None else json.dumps(output.structured)
    return wit.Output([_content(part) for part in output.content], structured, output.is_error, _json(output.meta))


def _content(part: content.Content) -> wit.Content:
    if isinstance(part, content.Text):
        body: Any = wit.ContentBody_Text(part.text)
    elif isinstance(part, content.Image):
        body = wit.ContentBody_Image(wit.Media(part.data, part.mime_type))
    elif isinstance(part, content.Audio):
        body = wit.ContentBody_Audio(wit.Media(part.data, part.mime_type))
    elif isinstance(part, content.ResourceLink):
        body = wit.ContentBody_ResourceLink(
            wit.ListedResource(
                part.uri, part.name, part.title, part.description, _icons(part.icons), part.mime_type, part.size,
                None, None,
            )
        )
    elif isinstance(part, content.ResourceContents):
        body = wit.ContentBody_EmbeddedResource(_resource_contents(part))
    else:
        raise TypeError(f"{type(part).__name__} is no content")
    return wit.Content(body, _annotations(part.annotations), _json(part.meta))


def _resource_contents(part: content.ResourceContents) -> wit.ResourceContents:
    is_text = isinstance(part.body, str)
    body = wit.ResourceBody_Text(part.body) if is_text else wit.ResourceBody_Blob(part.body)
    return wit.ResourceContents(part.uri, part.mime_type, body, None)


def _annotations(given: content.Annotations | None) -> wit.Annotations | None:
    if given is None:
        return None
    return wit.Annotations([wit.Role[role.upper()] for role in given.audience], given.priority, given.last_modified)


def _icons(icons: list[content.Icon]) -> list[wit.Icon]:
    return [
        wit.Icon(icon.src, icon.mime_type, icon.sizes, wit.Theme[icon.theme.upper()] if icon.theme else None)
        for icon in icons
    ]


def _freshness(ttl: float | None, shared: bool) -> wit.Freshness | None:
    return None if ttl is None else wit.Freshness(round(ttl * 1000), shared)


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
