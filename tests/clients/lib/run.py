"""How every script here starts and ends."""

import base64
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

LOOPBACK = ("127.", "::1", "localhost")


def step(what: str) -> None:
    """Says on stderr what the script is doing, for the message if that never ends."""
    print(f"- {what}", file=sys.stderr, flush=True)


def check(condition: object, message: str) -> None:
    if not condition:
        raise RuntimeError(message)


def claims(token: str) -> dict[str, Any] | None:
    """The claims of a JWT, unverified; None if it is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None


def run(body: Callable[[Any], Awaitable[dict[str, Any]]], given: Any, seconds: float = 60) -> None:
    """Runs `body` on loopback only and prints what it returns as one line of JSON. It fails after so many seconds."""

    async def bounded() -> dict[str, Any]:
        with anyio.fail_after(seconds):
            return await body(given)

    sys.addaudithook(_stay_on_loopback)
    print(json.dumps(anyio.run(bounded)), flush=True)


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if not host.startswith(LOOPBACK):
            raise ConnectionError(f"refused to leave loopback: {host}")
