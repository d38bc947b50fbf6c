"""HTTP over `wasi:http@0.3`: other calls of the instance go on while one waits."""

from typing import Any

import wit_world
from componentize_py_async_support import spawn
from componentize_py_types import Err, Ok
from wit_world.imports import client
from wit_world.imports import wasi_http_types as wasi

from . import MAX_BODY_BYTES, HttpError, Request, Response
from ._wasi import CHUNK_BYTES, failed, fields_of, headers_of, options_of, set_target


async def send(request: Request) -> Response:
    try:
        incoming = await client.send(_outgoing(request))
        headers = headers_of(incoming.get_headers().copy_all())
        status = incoming.get_status_code()
        reader, trailers = wasi.Response.consume_body(incoming, _nothing())
        body = bytearray()
        with reader, trailers:
            while not reader.writer_dropped:
                body += await reader.read(CHUNK_BYTES)
                if len(body) > MAX_BODY_BYTES:
                    raise HttpError(f"the response has more than {MAX_BODY_BYTES} bytes")
    except Err as error:
        raise failed(request, error.value) from None
    return Response(status, headers, bytes(body), request.url)


def _outgoing(request: Request) -> wasi.Request:
    body = None
    if request.body:
        writer, body = wit_world.byte_stream()
        spawn(_write(request.body, writer))
    options = options_of(wasi, request.timeout)
    outgoing, _sent = wasi.Request.new(fields_of(wasi, request), body, _no_trailers(), options)
    set_target(wasi, outgoing, request)
    return outgoing


async def _write(body: bytes, writer: Any) -> None:
    with writer:
        await writer.write_all(body)


def _no_trailers() -> Any:
    return wit_world.result_option_wasi_http_types_fields_wasi_http_types_error_code_future(lambda: Ok(None))[1]


def _nothing() -> Any:
    return wit_world.result_unit_wasi_http_types_error_code_future(lambda: Ok(None))[1]
