"""What `wasi:http` of 0.2 and of 0.3 have in common."""

from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from componentize_py_types import Err

from . import METHODS, HttpError, Request, not_allowed

CHUNK_BYTES = 64 * 1024


def fields_of(wasi: ModuleType, request: Request) -> Any:
    """Returns the headers of a request as a resource of WASI."""
    fields = dict(request.headers)
    if request.body:
        fields["content-length"] = str(len(request.body))
    return wasi.Fields.from_list([(name, value.encode()) for name, value in fields.items()])


def set_target(wasi: ModuleType, outgoing: Any, request: Request) -> None:
    """Sets the method and the URL of an outgoing request."""
    parts = urlsplit(request.url)
    known = request.method in METHODS
    method = getattr(wasi, f"Method_{request.method.capitalize()}")() if known else wasi.Method_Other(request.method)
    outgoing.set_method(method)
    outgoing.set_scheme(wasi.Scheme_Https() if parts.scheme == "https" else wasi.Scheme_Http())
    outgoing.set_authority(parts.netloc)
    outgoing.set_path_with_query(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def options_of(wasi: ModuleType, timeout: float) -> Any:
    """Returns the timeouts as a resource of WASI."""
    options = wasi.RequestOptions()
    nanoseconds = round(timeout * 1_000_000_000)
    for name in ("connect", "first_byte", "between_bytes"):
        try:
            getattr(options, f"set_{name}_timeout")(nanoseconds)
        except Err:
            # A host may have no such timeout; the call ends with its own.
            pass
    return options


def headers_of(fields: list[tuple[str, bytes]]) -> dict[str, str]:
    """Returns the headers of a response by their names in lower case."""
    headers: dict[str, str] = {}
    for name, value in fields:
        text, known = value.decode("utf-8", "replace"), headers.get(name.lower())
        headers[name.lower()] = text if known is None else f"{known}, {text}"
    return headers


def failed(request: Request, error_code: Any) -> HttpError:
    """Returns the error for an error code of WASI."""
    kind = type(error_code).__name__.removeprefix("ErrorCode_")
    if kind == "HttpRequestDenied":
        return not_allowed(request.url)
    detail = getattr(error_code, "value", None)
    return HttpError(f"{request.url.partition('?')[0]} cannot be reached: {kind}{f' ({detail})' if detail else ''}")
