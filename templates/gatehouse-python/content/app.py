"""The tools."""

from typing import Annotated

from gatehouse import server, tool

server("{{project-name | kebab_case}}", version="0.1.0")


@tool(read_only=True)
def greet(name: Annotated[str, "Whom"]) -> str:
    """Greets a person."""
    return f"Hello, {name}!"
