"""HTTP over `wasi:http@0.2`: an instance serves one call, which may block."""

from componentize_py_types import Err
from wit_world.imports import outgoing_handler, streams
from wit_world.imports import types as wasi

from . import MAX_BODY_BYTES, HttpError, Request, Response
from ._wasi import CHUNK_BYTES, failed, fields_of, headers_of, options_of, set_target

# As much as `blocking-write-and-flush` takes.
_MAX_WRITE_BYTES = 4096


async def send(request: Request) -> Response:
    try:
        return _send(request)
    except Err as error:
        raise failed(request, error.value) from None


def _send(request: Request) -> Response:
    outgoing = wasi.OutgoingRequest(fields_of(wasi, request))
    set_target(wasi, outgoing, request)
    body = outgoing.body()
    with outgoing_handler.handle(outgoing, options_of(wasi, request.timeout)) as pending:
        with body.write() as stream:
            for start in range(0, len(request.body), _MAX_WRITE_BYTES):
                stream.blocking_write_and_flush(request.body[start : start + _MAX_WRITE_BYTES])
        wasi.OutgoingBody.finish(body, None)
        with pending.subscribe() as answered:
            answered.block()
        # Taken once, so the outer result is never the error of taking it twice.
        incoming = pending.get().value
    if isinstance(incoming, Err):
        raise incoming
    with incoming.value as response:
        with response.headers() as fields:
            headers = headers_of(fields.entries())
        with response.consume() as body, body.stream() as stream:
            return Response(response.status(), headers, _read(stream), request.url)


def _read(stream: streams.InputStream) -> bytes:
    body = bytearray()
    while len(body) <= MAX_BODY_BYTES:
        try:
            body += stream.blocking_read(CHUNK_BYTES)
        except Err as error:
            if isinstance(error.value, streams.StreamError_Closed):
                return bytes(body)
            raise HttpError(f"the response breaks off: {error.value}") from None
    raise HttpError(f"the response has more than {MAX_BODY_BYTES} bytes")
