"""The Python SDK's client, in version 1 and in version 2, behind one face.

Version 2 has `mcp.Client`; version 1 has a session over the streams of a transport.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from mcp.client.sse import sse_client

VERSION = version("mcp")
IS_V1 = VERSION.startswith("1.")


class SessionOfV1:
    """A session of version 1 with the names of version 2."""

    def __init__(self, session: Any, initialized: Any) -> None:
        self._session = session
        self.protocol_version = initialized.protocolVersion
        self.server_info = initialized.serverInfo

    async def list_tools(self) -> Any:
        return await self._session.list_tools()

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        return ResultOfV1(await self._session.call_tool(name, arguments))


class ResultOfV1:
    """A tool's result of version 1 with the names of version 2. Before 1.10 there is no structured content."""

    def __init__(self, result: Any) -> None:
        self.content = result.content
        self.is_error = result.isError
        self.structured_content = getattr(result, "structuredContent", None)


@asynccontextmanager
async def connected(url: str, sse: bool, mode: str, auth: Any) -> AsyncIterator[Any]:
    """A connected client; `mode` is for version 2 alone."""
    if IS_V1:
        async with _v1(url, sse, auth) as client:
            yield client
        return
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    if sse:
        async with Client(sse_client(url, auth=auth), mode=mode) as client:
            yield client
        return
    async with create_mcp_http_client(auth=auth) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            yield client


@asynccontextmanager
async def _v1(url: str, sse: bool, auth: Any) -> AsyncIterator[SessionOfV1]:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    transport = sse_client if sse else streamablehttp_client
    async with transport(url, auth=auth) as (read, write, *_):
        async with ClientSession(read, write) as session:
            yield SessionOfV1(session, await session.initialize())
