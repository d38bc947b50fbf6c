"""Tools that ask the host for what they may have, or not: requests, variables and stores; and one that reports changes."""

from gatehouse import Context, http, key_value, resource, server, tool, variable

server("http", changes=["tools", "prompts", "resources", "resource_contents"])


@tool
async def send(method: str, url: str, body: str = "") -> dict:
    """Sends a request and returns the response."""
    response = await http.request(method, url, body=body)
    return {"status": response.status, "text": response.text}


@tool
async def read_variable(name: str) -> str:
    """Returns the value of a variable."""
    return await variable(name)


@tool
async def read_key(store: str, key: str) -> dict:
    """Says whether a store has a key."""
    return {"exists": await key_value(store).exists(key)}


@tool
async def change(context: Context) -> str:
    """Reports every change that there can be."""
    for what in ("tools", "prompts", "resources"):
        await context.changed(what)
    await context.resource_changed("test:one")
    return "changed"


@resource("test:one", name="one")
def one() -> str:
    return "One."
