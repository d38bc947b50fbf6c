"""A tool that sends a request."""

from gatehouse import http, server, tool

server("http")


@tool
async def send(method: str, url: str, body: str = "") -> dict:
    """Sends a request and returns the response."""
    response = await http.request(method, url, body=body)
    return {"status": response.status, "text": response.text}
