"""A server of the Python SDK, of version 1 or 2, or of FastMCP 2 or later, on a port of loopback.

It has the same tools with each of them, and is reached at http://127.0.0.1:PORT/mcp.
"""

import argparse
import asyncio
import sys
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

if "fastmcp" in sys.argv:
    from fastmcp import Context, FastMCP as Server
elif version("mcp").startswith("1."):
    from mcp.server.fastmcp import Context, FastMCP as Server
else:
    from mcp.server.mcpserver import Context, MCPServer as Server


class Name(BaseModel):
    name: str


def serve(port: int, is_fastmcp: bool) -> None:
    is_old = not is_fastmcp and version("mcp").startswith("1.")
    server = Server("python", instructions="Add.", **({"port": port} if is_old else {}))

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    @server.tool()
    def fail() -> str:
        """Fails."""
        raise ValueError("This tool always fails.")

    @server.tool()
    async def count(to: int, ctx: Context) -> str:
        """Counts, and reports it."""
        for number in range(1, to + 1):
            await ctx.report_progress(number, to)
            await ctx.info(f"at {number}")
        return "counted"

    @server.tool()
    async def wait(ctx: Context) -> str:
        """Says so, and waits until it is cancelled."""
        await ctx.info("waiting")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise
        return "waited"

    if hasattr(Context, "input_responses"):
        from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

        @server.tool()
        async def greet(ctx: Context) -> str | InputRequiredResult:
            """Asks for a name, in a second round."""
            if not ctx.input_responses:
                form = ElicitRequestFormParams(message="Who are you?", requested_schema=Name.model_json_schema())
                return InputRequiredResult(input_requests={"name": ElicitRequest(params=form)})
            answer: Any = ctx.input_responses["name"]
            return f"Hello, {answer.content['name']}!" if answer.action == "accept" else f"You said: {answer.action}"

    elif hasattr(Context, "elicit"):

        @server.tool()
        async def greet(ctx: Context) -> str:
            """Asks for a name."""
            asked: Any = await ctx.elicit("Who are you?", Name)
            return f"Hello, {asked.data.name}!" if asked.action == "accept" else f"You said: {asked.action}"

    @server.resource("note://{name}")
    def note(name: str) -> str:
        """A note."""
        return f"the note {name}"

    @server.resource("note://first")
    def first() -> str:
        """The first note."""
        return "the first note"

    @server.prompt()
    def explain(topic: str) -> str:
        """Explains a topic."""
        return f"Explain {topic}."

    if is_fastmcp:
        server.run(transport="http", port=port, show_banner=False)
    elif is_old:
        server.run(transport="streamable-http")
    else:
        server.run("streamable-http", port=port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("package", choices=["mcp", "fastmcp"])
    options = parser.parse_args()
    serve(options.port, options.package == "fastmcp")
