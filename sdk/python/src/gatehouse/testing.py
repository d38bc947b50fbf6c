"""Tests of an app without a server.

    from gatehouse import testing
    import app

    def test_weather():
        with testing.http(lambda request: testing.response({"temperature": 4})):
            result = testing.call("weather", {"city": "Oslo"})
        assert result.structured == {"temperature": 4}
"""

import asyncio
import contextlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from . import _host_native as _host
from . import http as _http
from ._app import server
from ._calls import End, Paused, Raised
from ._content import Message, Output, ResourceContents
from ._context import Caller, Capabilities, Changed, Context, Credential, Event, Log, Profile, Progress, Question
from ._errors import ToolError
from ._results import contents_of, messages_of, tool_output
from ._schema import encode
from ._server import Handler

T = TypeVar("T")

DECLINE = object()
"""An answer: the person declines."""


class MissingScopes(Exception):
    """The caller lacks scopes without which Gatehouse refuses the call."""


@dataclass
class Result(Output):
    """What came of a call of a tool, and what it reported and asked on the way."""

    progress: list[Progress] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def person(subject: str = "ada", **profile: Any) -> Caller:
    """Returns a person as the caller, with what the identity provider says of them: `name`, `email`, `claims`."""
    return Caller(subject, profile=Profile(**profile))


def call(
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    scopes: Sequence[str] | None = None,
    caller: Caller | None = None,
    credential: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Result:
    """Calls a tool as Gatehouse does: it checks scopes and arguments, and answers questions with `answers`.

    Without `scopes` the caller has all that the tool needs. `answers` has an answer for each question by its name
    (`ask(..., name="gallon")`, else `question-1` and so on): a value, a dict for a form of several fields, or
    `DECLINE`; without `answers` the client cannot ask. Raises what the tool raises, except ToolError, which is a
    result with `is_error`.
    """
    return asyncio.run(
        call_async(tool, arguments, scopes=scopes, caller=caller, credential=credential, answers=answers)
    )


async def call_async(
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    scopes: Sequence[str] | None = None,
    caller: Caller | None = None,
    credential: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Result:
    """The same in a test that is `async`."""
    if tool not in server.tools:
        raise LookupError(f"there is no tool {tool!r}; there are {list(server.tools)}")
    found = server.tools[tool]
    watched = _Watched(_allowed(caller, found.scopes, scopes), credential, answers)
    try:
        # As in JSON: what a client can send.
        end = await watched.run(found.handler, json.loads(json.dumps(dict(arguments or {}))))
    except ToolError as error:
        end = Raised(error)
    output = tool_output(end)
    return Result(
        **vars(output),
        progress=watched.events_of(Progress),
        logs=watched.events_of(Log),
        changed=watched.events_of(Changed),
        questions=watched.questions,
    )


def read(
    uri: str,
    *,
    caller: Caller | None = None,
    credential: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> list[ResourceContents]:
    """Reads a resource. Raises NotFound if there is none of this URI, and what its function raises."""
    resource, variables = server.find_resource(uri)
    watched = _Watched(_allowed(caller, server.scopes, None), credential, answers)
    return contents_of(asyncio.run(watched.run(resource.handler, variables)), resource, uri)


def prompt(
    name: str,
    arguments: Mapping[str, str] | None = None,
    *,
    caller: Caller | None = None,
    answers: Mapping[str, Any] | None = None,
) -> list[Message]:
    """Gets the messages of a prompt. Raises what its function raises."""
    found = server.prompts[name]
    watched = _Watched(_allowed(caller, found.scopes, None), None, answers)
    return messages_of(asyncio.run(watched.run(found.handler, dict(arguments or {}))))


def complete(name: str, argument: str, begun: str = "") -> list[str]:
    """Completes an argument of a prompt, by its name, or of a template, by its URI."""
    return server.complete("prompt" if name in server.prompts else "resource", name, argument, begun)


def response(body: Any = b"", status: int = 200, headers: Mapping[str, str] | None = None) -> _http.Response:
    """Returns a response for `http`: bytes, a text, or what becomes JSON."""
    return _http.Response(status, dict(headers or {}), _bytes(body))


@contextlib.contextmanager
def http(
    answer: Callable[[_http.Request], _http.Response | Awaitable[_http.Response]],
) -> Iterator[list[_http.Request]]:
    """Answers the requests of `gatehouse.http` with a function, and lists them."""
    requests: list[_http.Request] = []

    async def transport(request: _http.Request) -> _http.Response:
        requests.append(request)
        answered = answer(request)
        return await answered if inspect.isawaitable(answered) else answered

    usual, _http._transport = _http._transport, transport
    try:
        yield requests
    finally:
        _http._transport = usual


@contextlib.contextmanager
def variables(**values: str) -> Iterator[None]:
    """Gives these variables to `gatehouse.variable`, and no others."""
    usual, _host.given_variables = _host.given_variables, values
    try:
        yield
    finally:
        _host.given_variables = usual


@contextlib.contextmanager
def stores(**contents: Mapping[str, Any]) -> Iterator[dict[str, dict[str, bytes]]]:
    """Gives these stores to `gatehouse.key_value`, and no others, with what they hold at first: bytes, texts, or what
    becomes JSON. Returns what they hold.
    """
    held = {name: {key: _bytes(value) for key, value in values.items()} for name, values in contents.items()}
    usual, _host.given_stores = _host.given_stores, held
    try:
        yield held
    finally:
        _host.given_stores = usual


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else json.dumps(encode(value)).encode()


def _allowed(caller: Caller | None, needed: Sequence[str], scopes: Sequence[str] | None) -> Caller:
    caller = caller or person()
    held = tuple(scopes) if scopes is not None else caller.scopes or tuple(needed)
    missing = [scope for scope in needed if scope not in held]
    if missing:
        raise MissingScopes(f"the caller has {list(held)}, and needs {missing} too")
    return replace(caller, scopes=held)


class _Watched:
    """A call that is made again with every answer."""

    def __init__(self, caller: Caller, credential: str | None, answers: Mapping[str, Any] | None):
        self.caller = caller
        self.credential = Credential(credential) if credential is not None else None
        self.answers = answers
        self.events: list[Event] = []
        self.questions: list[Question] = []

    async def run(self, handler: Handler, arguments: dict[str, Any]) -> End:
        answered: dict[str, dict[str, Any]] = {}
        state = None
        able = self.answers is not None
        while True:
            context = Context(
                self.caller,
                capabilities=Capabilities(able, able, able, able, able),
                wants_progress=True,
                log_level="debug",
                credential=self.credential if handler.wants_credential else None,
                answers=answered,
                state=state,
            )
            run = handler.start(arguments, context)
            while run.end is None:
                await run.step()
                self._note(run.take_events())
            self._note(run.take_events())
            if not isinstance(run.end, Paused):
                return run.end
            question, state = run.end.question, run.end.state
            self.questions.append(question)
            answered = {question.id: self._answer(question)}

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Changed) and event.what not in server.changes:
                raise ValueError(f"a change that is not announced: server(..., changes=[{event.what!r}])")
        self.events += events

    def events_of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def _answer(self, question: Question) -> dict[str, Any]:
        if question.id not in (self.answers or {}):
            raise LookupError(f"the test has no answer to {question.id!r}: {question.params}")
        answer = self.answers[question.id]
        if question.method != "elicitation/create":
            return answer
        if answer is DECLINE:
            return {"action": "decline"}
        properties = list(question.params["requestedSchema"]["properties"])
        is_form = isinstance(answer, Mapping)
        return {"action": "accept", "content": encode(dict(answer) if is_form else {properties[0]: answer})}
