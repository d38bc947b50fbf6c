"""What comes with a call: the caller, and ways to report and to ask while it runs."""

import asyncio
import dataclasses
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

from ._schema import Property, decode, encode, object_schema, plain, properties_of, schema_of
from ._errors import InvalidArguments

T = TypeVar("T")

Level = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
LEVELS: tuple[str, ...] = get_args(Level)

Change = Literal["tools", "prompts", "resources", "resource_contents"]


@dataclass(frozen=True)
class Profile:
    """What the identity provider said of the person when they signed in."""

    name: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    picture: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    """Everything that it said."""


@dataclass(frozen=True)
class Caller:
    """The person for whom something is done, or the client that acts for itself."""

    subject: str
    """Stable, and unique at the identity provider; `client:` and the client's id for a client that acts for itself."""
    kind: Literal["person", "client"] = "person"
    client_id: str | None = None
    """The client that asks; `None` when the person pasted a token by hand."""
    scopes: tuple[str, ...] = ()
    """The scopes that the person allowed the client."""
    profile: Profile = Profile()


@dataclass(frozen=True)
class Credential:
    """A token of the person's at the identity provider. A parameter of this type makes a tool one that wants it."""

    token: str = field(repr=False)
    kind: Literal["upstream", "presented"] = "upstream"
    """Whether the person signed in (`upstream`), or pasted the token into their client (`presented`)."""

    def __str__(self) -> str:
        # A token does not belong into a text or a log by mistake.
        return f"<{self.kind} credential>"


@dataclass(frozen=True)
class Capabilities:
    """What the client can be asked."""

    elicits_forms: bool = False
    elicits_urls: bool = False
    samples: bool = False
    samples_with_tools: bool = False
    lists_roots: bool = False


@dataclass(frozen=True)
class Progress:
    """A report of how far a call has come."""

    progress: float
    total: float | None = None
    message: str | None = None


@dataclass(frozen=True)
class Log:
    """A message to the client's log."""

    data: Any
    level: str = "info"
    logger: str | None = None


@dataclass(frozen=True)
class Changed:
    """A report of what is no longer as it was; of the contents of a resource, with its URI."""

    what: Change
    uri: str | None = None


Event = Progress | Log | Changed


@dataclass(frozen=True)
class Question:
    """A question to the client."""

    id: str
    method: str
    params: dict[str, Any]


class Asked(BaseException):
    """Ends a call until the client has answered. No `except Exception` of an app catches it."""

    def __init__(self, question: Question):
        super().__init__(question.id)
        self.question = question


class Reported:
    """What `progress`, `log` and `changed` return: `await` lets the client see the report now, and not only at the end."""

    def __init__(self, context: "Context"):
        self._context = context

    def __await__(self) -> Generator[Any, None, None]:
        # Only the task that drives the call can pause it; another one that it made goes on.
        if self._context.events and current_task() is self._context.task:
            yield PAUSE


PAUSE = object()


def current_task() -> asyncio.Task | None:
    """Returns the running task; `None` outside of an event loop, as in WASI 0.2."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class Context:
    """What comes with a call. A parameter of this type gets it, whatever its name."""

    def __init__(
        self,
        caller: Caller,
        *,
        capabilities: Capabilities = Capabilities(),
        wants_progress: bool = False,
        log_level: str | None = None,
        credential: Credential | None = None,
        answers: dict[str, dict[str, Any]] | None = None,
        state: str | None = None,
    ):
        self.caller = caller
        self.capabilities = capabilities
        self.wants_progress = wants_progress
        self._log_level = log_level
        self._credential = credential
        # The client answers the last question alone; what it answered before comes back in the state.
        self._answers: dict[str, dict[str, Any]] = (json.loads(state) if state else {}) | (answers or {})
        self._questions = 0
        self.events: list[Event] = []
        self.task: asyncio.Task | None = None

    @property
    def credential(self) -> Credential | None:
        """The person's token, in a tool that has a parameter of the type `Credential`; `None` if there is none left."""
        return self._credential

    @property
    def can_ask(self) -> bool:
        """Whether the client can ask the person. Many cannot."""
        return self.capabilities.elicits_forms

    @property
    def state(self) -> str | None:
        """What brings the answers back when a question ends the call."""
        return json.dumps(self._answers) if self._answers else None

    def progress(self, progress: float, total: float | None = None, message: str | None = None) -> Reported:
        """Reports how far the call has come; `progress` grows with every report. Dropped if the client does not care.

        With `await` the client sees it at once; without, when the call ends or awaits the next report.
        """
        if self.wants_progress:
            self.events.append(Progress(progress, total, message))
        return Reported(self)

    def log(self, data: Any, level: Level = "info", logger: str | None = None) -> Reported:
        """Sends a message to the client's log; dropped below the level that the client wants. No secrets."""
        if self._log_level is not None and LEVELS.index(level) >= LEVELS.index(self._log_level):
            self.events.append(Log(data, level, logger))
        return Reported(self)

    def changed(self, what: Literal["tools", "prompts", "resources"]) -> Reported:
        """Reports that there are other tools, prompts or resources: clients that listen ask again.

        `server(..., changes=[...])` announces what may be reported.
        """
        self.events.append(Changed(what))
        return Reported(self)

    def resource_changed(self, uri: str) -> Reported:
        """Reports that a resource holds something else; `changes` announces it as `resource_contents`."""
        self.events.append(Changed("resource_contents", uri))
        return Reported(self)

    def ask(self, message: str, type: type[T] | Any, name: str | None = None) -> T | None:
        """Asks the person, in a form with the fields of a dataclass, or with one field of another type.

        Returns `None` if the person declines, or if the client cannot ask (`can_ask`).

        A question ends the call. With the answer the function runs again from its beginning, perhaps in
        another process, and `ask` then returns: do what has an effect after the last question. `name` is the
        name of the single field, and tells questions apart; without one they are told apart by their order.
        """
        if not self.can_ask:
            return None
        properties = properties_of(plain(type))
        key = name or "answer"
        if properties is None:
            schema = object_schema([Property(key, type, True)])
            schema["properties"][key].setdefault("title", key.replace("_", " ").capitalize())
        else:
            schema = object_schema(properties)
        answer = self.request("elicitation/create", {"message": message, "requestedSchema": schema}, name)
        if answer.get("action") != "accept":
            return None
        content = answer.get("content") or {}
        try:
            if properties is not None:
                return decode(type, content, "answer")
            return decode(type, content.get(key), key)
        except InvalidArguments:
            # A client has to hold answers against the schema; one that did not has not answered.
            return None

    def request(self, method: str, params: dict[str, Any], name: str | None = None) -> dict[str, Any]:
        """Sends the client a request (`elicitation/create`, `sampling/createMessage`, `roots/list`) and returns its result.

        Ends the call and runs the function again, as `ask` does. Look at `capabilities` first: a request that
        the client cannot answer ends the call with an error.
        """
        self._questions += 1
        id = name or f"question-{self._questions}"
        if id in self._answers:
            return self._answers[id]
        raise Asked(Question(id, method, params))
