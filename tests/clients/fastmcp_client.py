"""FastMCP's client with its own sign-in, over Streamable HTTP, or with --sse over HTTP+SSE.

Prints what it saw as one line of JSON.
"""

import argparse
import tempfile
import webbrowser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import anyio
from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

from lib.http_client import httpx
from lib.person import Person
from lib.run import check, claims, run, step

try:
    VERSION = version("fastmcp-slim")
except PackageNotFoundError:
    VERSION = version("fastmcp")
IS_V2 = VERSION.startswith("2.")


class SignIn(OAuth):
    """FastMCP's own, with a person for a browser."""

    def __init__(self, url: str, folder: str) -> None:
        # Version 2 keeps its tokens in a folder and is called back at localhost.
        own = {"token_storage_cache_dir": Path(folder)} if IS_V2 else {"callback_host": "127.0.0.1"}
        super().__init__(url, client_name="FastMCP", **own)
        self.person = Person()
        self.opened: list[str] = []
        webbrowser.open = self.opened.append

    async def callback_handler(self) -> Any:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._visit)
            return await super().callback_handler()

    async def _visit(self) -> None:
        redirect_uri = str(self.context.client_metadata.redirect_uris[0])
        arrived = await self.person.authorize(self.opened[-1], redirect_uri)
        async with httpx.AsyncClient() as browser:
            while True:
                try:
                    await browser.get(arrived)
                    return
                except httpx.ConnectError:
                    # FastMCP begins to listen only now.
                    await anyio.sleep(0.05)


async def use(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return await use_with(SignIn(options.url, folder), options)


async def use_with(sign_in: SignIn, options: argparse.Namespace) -> dict[str, Any]:
    transport = (SSETransport if options.sse else StreamableHttpTransport)(options.url, auth=sign_in)
    step("connecting, which asks for a sign-in")
    async with Client(transport, **({} if IS_V2 else {"mode": options.mode})) as client:
        step("listing the tools")
        tools = [tool.name for tool in await client.list_tools()]
        added, sum_text = await call(client, "add", a=2, b=3)
        check(added == {"sum": 5} and sum_text == "5", f"2 + 3 came out as {added} and {sum_text}")
        user, user_text = await call(client, "getUserInfo")
        check(user and user.get("sub"), f"getUserInfo names no one: {user}")
        _, token_text = await call(client, "getToken")
        scheme, _, token = token_text.rpartition(" ")
        check(token, "getToken gave no token")
        check(len(sign_in.opened) == 1, f"the person had to sign in {len(sign_in.opened)} times")
        return {
            "version": VERSION,
            "protocol": client.initialize_result.protocolVersion if IS_V2 else client.protocol_version,
            "tools": tools,
            "add": sum_text,
            "getUserInfo": user_text,
            "getToken": "(not shown)",
            "user": user,
            "token": {"scheme": scheme or None, "claims": claims(token)},
            "pages": sign_in.person.pages,
        }


async def call(client: Client, name: str, **arguments: Any) -> Any:
    step(f"calling {name}")
    result = await client.call_tool(name, arguments)
    return result.structured_content, "\n".join(block.text for block in result.content if block.type == "text")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--sse", action="store_true")
    parser.add_argument("--mode", default="auto", help="auto, legacy, or a revision to insist on")
    run(use, parser.parse_args())
