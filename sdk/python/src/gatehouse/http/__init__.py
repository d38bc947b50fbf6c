"""HTTP requests of tools: over `wasi:http` in a component, over `urllib` elsewhere.

    response = await http.get("https://api.example.com/weather", params={"city": city})
    response.raise_for_status()
    return response.json()

In a component a tool reaches the hosts alone that `spin.toml` lets it: see `HttpError`. Redirects are not followed.
"""

import json as json_
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from .._context import Credential

DEFAULT_TIMEOUT = 30.0
"""Seconds for connecting, for the first byte, and between two of them."""

MAX_BODY_BYTES = 16 * 1024 * 1024

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


class HttpError(Exception):
    """A request that failed, or was answered with an error (`raise_for_status`).

    Uncaught in a tool, its message goes to the operator's log and the client gets no more than that the call failed.
    """


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are in lower case."""
    body: bytes = b""
    timeout: float = DEFAULT_TIMEOUT


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are in lower case; values of one name are joined by commas."""
    body: bytes = b""
    url: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Returns the body as JSON. Raises HttpError if it is not."""
        try:
            return json_.loads(self.body)
        except ValueError as error:
            raise HttpError(f"{_without_query(self.url)} did not answer JSON: {error}") from None

    def raise_for_status(self) -> "Response":
        """Raises HttpError from status 400 on; returns the response otherwise."""
        if not self.ok:
            raise HttpError(f"{_without_query(self.url)} answered {self.status}")
        return self


Transport = Callable[[Request], Awaitable[Response]]


async def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    bearer: str | Credential | None = None,
    json: Any = None,
    body: bytes | str = b"",
    timeout: float = DEFAULT_TIMEOUT,
) -> Response:
    """Sends a request and returns the response, whatever its status. Raises HttpError if there is none.

    `params` are added to the query, `bearer` is sent as `Authorization: Bearer`, and `json` as the body.
    """
    fields = {name.lower(): value for name, value in (headers or {}).items()}
    if bearer is not None:
        fields["authorization"] = f"Bearer {bearer.token if isinstance(bearer, Credential) else bearer}"
    if json is not None:
        body = json_.dumps(json)
        fields.setdefault("content-type", "application/json")
    fields.setdefault("user-agent", "gatehouse-sdk")
    data = body.encode() if isinstance(body, str) else body
    return await _transport(Request(method.upper(), _url(url, params), fields, data, timeout))


async def get(url: str, **options: Any) -> Response:
    """Sends a GET; the options are those of `request`."""
    return await request("GET", url, **options)


async def post(url: str, **options: Any) -> Response:
    """Sends a POST; the options are those of `request`."""
    return await request("POST", url, **options)


async def put(url: str, **options: Any) -> Response:
    """Sends a PUT; the options are those of `request`."""
    return await request("PUT", url, **options)


async def patch(url: str, **options: Any) -> Response:
    """Sends a PATCH; the options are those of `request`."""
    return await request("PATCH", url, **options)


async def delete(url: str, **options: Any) -> Response:
    """Sends a DELETE; the options are those of `request`."""
    return await request("DELETE", url, **options)


def not_allowed(url: str) -> HttpError:
    """The error for a host that the component may not call."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return HttpError(
        f"{origin} may not be called: in spin.toml, add \"{origin}\" to allowed_outbound_hosts of the component that "
        "these tools are a part of, and let them inherit it: inherit_configuration = [\"allowed_outbound_hosts\"]"
    )


def _url(url: str, params: Mapping[str, Any] | None) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HttpError(f"{url!r} is no http: or https: URL")
    if not parts.netloc.isascii() or "@" in parts.netloc:
        raise HttpError(f"{parts.hostname!r}: write the host in ASCII, and credentials into a header")
    query = "&".join(filter(None, [parts.query, urlencode(params or {}, doseq=True)]))
    # What is escaped already stays.
    kept = "%/:?#[]@!$&'()*+,;=~"
    return urlunsplit((parts.scheme, parts.netloc, quote(parts.path or "/", kept), quote(query, kept), ""))


def _without_query(url: str) -> str:
    return url.partition("?")[0]


if sys.platform == "wasi":
    import wit_world

    if hasattr(wit_world, "tools_event_stream"):
        from ._wasi_0_3 import send as _transport
    else:
        from ._wasi_0_2 import send as _transport
else:
    from ._native import send as _transport
