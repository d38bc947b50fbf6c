"""Calls of an app's functions, step by step: reports on the way, then an end."""

import inspect
import types
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

from ._context import PAUSE, Asked, Context, Event, Question, current_task


@dataclass(frozen=True)
class Returned:
    """The function returned."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """The function raised an exception."""

    error: Exception


@dataclass(frozen=True)
class Paused:
    """The call is over until the client has answered."""

    question: Question
    state: str | None


End = Returned | Raised | Paused


class Run:
    """One call of a function, plain or `async`."""

    def __init__(self, function: Callable[..., Any], arguments: dict[str, Any], context: Context):
        self.context = context
        self.end: End | None = None
        self._coroutine = _called(function, arguments)

    @types.coroutine
    def step(self) -> Generator[Any, Any, None]:
        """Runs until there is something to report or the call has ended; what the function awaits is awaited."""
        self.context.task = current_task()
        if self.end is not None:
            return
        resume: Callable[[], Any] = lambda: self._coroutine.send(None)
        while True:
            try:
                awaited = resume()
            except StopIteration as stop:
                self.end = Returned(stop.value)
                return
            except Asked as asked:
                self.end = Paused(asked.question, self.context.state)
                return
            except Exception as error:
                self.end = Raised(error)
                return
            if awaited is PAUSE:
                return
            try:
                value = yield awaited
                resume = lambda value=value: self._coroutine.send(value)
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:
                resume = lambda error=error: self._coroutine.throw(error)

    def step_now(self) -> None:
        """The same without an event loop, where waiting is done by calls that block (WASI 0.2)."""
        # A bare `yield` is asyncio.sleep(0): it waits for nothing.
        stepping = self.step()
        try:
            while stepping.send(None) is None:
                pass
        except StopIteration:
            return
        stepping.close()
        name = self._coroutine.__name__
        self.end = Raised(RuntimeError(f"{name} awaits what is not ready at once, which WASI 0.2 cannot do"))

    async def finish(self) -> End:
        """Runs to the end; reports stay in the context."""
        while self.end is None:
            await self.step()
        return self.end

    def take_events(self) -> list[Event]:
        """Returns what is to be reported, once."""
        events = list(self.context.events)
        self.context.events.clear()
        return events

    def cancel(self) -> None:
        """Ends the call where it is."""
        self._coroutine.close()


def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> Coroutine[Any, Any, Any]:
    async def call() -> Any:
        result = function(**arguments)
        return await result if inspect.isawaitable(result) else result

    call.__name__ = getattr(function, "__name__", "the function")
    return call()
