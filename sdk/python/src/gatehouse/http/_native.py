"""HTTP over `urllib`, for tests and for calls by hand."""

import asyncio
import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from . import MAX_BODY_BYTES, HttpError, Request, Response


async def send(request: Request) -> Response:
    """Sends a request from another thread, so that others go on."""
    return await asyncio.to_thread(_send, request)


def _send(request: Request) -> Response:
    outgoing = urllib.request.Request(
        request.url, request.body or None, dict(request.headers), method=request.method
    )
    try:
        with _OPENER.open(outgoing, timeout=request.timeout) as incoming:
            return _response(request, incoming.status, incoming.headers, incoming)
    except urllib.error.HTTPError as answered:
        with answered:
            return _response(request, answered.code, answered.headers, answered)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise HttpError(f"{request.url.partition('?')[0]} cannot be reached: {reason}") from None


def _response(request: Request, status: int, headers: Mapping[str, str], body: Any) -> Response:
    read = body.read(MAX_BODY_BYTES + 1)
    if len(read) > MAX_BODY_BYTES:
        raise HttpError(f"the response has more than {MAX_BODY_BYTES} bytes")
    fields: dict[str, str] = {}
    for name, value in headers.items():
        known = fields.get(name.lower())
        fields[name.lower()] = value if known is None else f"{known}, {value}"
    return Response(status, fields, read, request.url)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)
