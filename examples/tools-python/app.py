"""Units of measurement for a model: an example of a tools component.

It converts, shows how far it has come, asks which gallon is meant or remembers it, and offers what
it knows as resources and a prompt. The same is in ../tools-rust and ../tools-js.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from gatehouse import Caller, Complete, Context, Field, KeyValueError, NotFound, ToolError, ToolResult, VariableError
from gatehouse import key_value, prompt, resource, resource_template, server, tool, variable
from units import KINDS, UNITS, Different, convert as converted

server(
    "units",
    title="Units of measurement",
    version="1.0.0",
    instructions="Converts units. `units:all` lists them.",
)

Unit = Annotated[str, "A unit, such as mile or celsius"]
Gallon = Literal["US gallon", "imperial gallon"]
PREFERENCES = key_value("units")
# Units do not change from one hour to the next, nor from one person to another.
AN_HOUR = 3600


@dataclass
class Quantity:
    value: float
    unit: str


@dataclass
class Quantities:
    value: Annotated[list[float], Field(max_length=1000)]
    unit: str


@tool(read_only=True, open_world=False)
async def convert(
    value: Annotated[float, "How many"], from_: Unit, to: Unit, context: Context
) -> ToolResult[Quantity]:
    """Converts a value into another unit."""
    source, target = await which_unit(from_, context), await which_unit(to, context)
    result = or_say_why(value, source, target)
    return ToolResult(Quantity(result, target), f"{result:.10g} {target}")


@tool(read_only=True, open_world=False)
async def convert_many(
    values: Annotated[list[Annotated[float, "How many"]], Field(max_length=1000)],
    from_: Unit,
    to: Unit,
    context: Context,
) -> ToolResult[Quantities]:
    """Converts many values."""
    source, target = await which_unit(from_, context), await which_unit(to, context)
    results = []
    for value in values:
        results.append(or_say_why(value, source, target))
        await context.progress(len(results), len(values))
    return ToolResult(Quantities(results, target), json.dumps(results))


@tool(idempotent=True, open_world=False)
async def prefer(gallon: Gallon, caller: Caller) -> str:
    """Remembers which gallon the person means."""
    await PREFERENCES.set(caller.subject, gallon)
    return f"A gallon is the {gallon} from now on."


@resource("units:all", name="all", title="All units", mime_type="application/json", ttl=AN_HOUR, shared=True)
def every_unit() -> list[str]:
    return list(UNITS)


@resource_template(
    "units:{kind}",
    name="units",
    title="The units of a kind",
    mime_type="application/json",
    ttl=AN_HOUR,
    shared=True,
)
def units_of(kind: Annotated[str, Complete(KINDS)]) -> list[str]:
    if kind not in KINDS:
        raise NotFound(kind)
    return [name for name, unit in UNITS.items() if unit[0] == kind]


@prompt(title="Explain a unit")
def explain(unit: Annotated[str, "Which", Complete(UNITS)]) -> str:
    return (
        f"What is one {unit}, and what would one measure with it? "
        "Compare it with two other units."
    )


def or_say_why(value: float, source: str, target: str) -> float:
    try:
        return converted(value, source, target)
    except Different as different:
        raise ToolError(str(different)) from None


async def which_unit(name: str, context: Context) -> str:
    """The name of the unit. A gallon may be one of two: the person has said which, or is asked if the client can ask."""
    if name in UNITS:
        return name
    if name != "gallon":
        raise ToolError(f"there is no unit “{name}”; the resource units:all lists them")
    usual = await usual_gallon(context.caller)
    if usual in UNITS:
        return usual
    meant = context.ask("Which gallon?", Gallon, name="gallon")
    if meant is None:
        raise ToolError("Say “US gallon” or “imperial gallon”.")
    return meant


async def usual_gallon(caller: Caller) -> str | None:
    """The gallon that the person prefers, or else the operator. Tools that are composed into mcp know neither."""
    try:
        return await PREFERENCES.get_text(caller.subject) or await variable("gallon")
    except (KeyValueError, VariableError):
        return None
