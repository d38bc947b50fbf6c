"""What differs between wit/tools and, for hosts of WASI 0.2, wit/portable/tools.wit.

In the first every function is a coroutine, and a call that goes on is a stream; in the second a function returns what the
coroutine would, and a call that goes on is a resource that is asked for one event after the other.
"""

import inspect

import wit_world
from wit_world.exports.tools import CallResult_Running

IS_PORTABLE = not hasattr(wit_world, "tools_event_stream")

if not IS_PORTABLE:
    from componentize_py_async_support import spawn


def exported(tools):
    """A class of coroutines, as the contract wants it."""
    if IS_PORTABLE:
        for name, function in inspect.getmembers(tools, inspect.iscoroutinefunction):
            setattr(tools, name, finished(function))
    return tools


def finished(function):
    """The function that returns what a coroutine does. In WASI 0.2 waiting is done by calls that block."""

    def call(*arguments):
        coroutine = function(*arguments)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        raise RuntimeError(f"{function.__name__} awaits something")

    return call


def running(events):
    """A call that goes on: its events are made while the caller reads them."""
    if IS_PORTABLE:
        return CallResult_Running(EventStream(iter(events)))
    writer, reader = wit_world.tools_event_stream()
    spawn(write(events, writer))
    return CallResult_Running(reader)


async def write(events, writer):
    with writer:
        for event in events:
            # A caller who no longer listens has cancelled the call.
            if await writer.write_all([event]) == 0:
                return


class EventStream:
    def __init__(self, events):
        self.events = events

    def next(self):
        return next(self.events, None)
