"""A tool that sends a request, and one that reports changes."""

from gatehouse import Context, http, server, tool

server("http", changes=["tools", "prompts", "resources", "resource_contents"])


@tool
async def send(method: str, url: str, body: str = "") -> dict:
    """Sends a request and returns the response."""
    response = await http.request(method, url, body=body)
    return {"status": response.status, "text": response.text}


@tool
async def change(context: Context) -> str:
    """Reports every change that there can be."""
    for what in ("tools", "prompts", "resources"):
        await context.changed(what)
    await context.resource_changed("test:one")
    return "changed"
