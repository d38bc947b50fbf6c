"""The tools of ../weather-python with FastMCP 4, without a login: that is what `auth` of FastMCP would be."""

from dataclasses import dataclass
from typing import Annotated

import httpx2
from fastmcp import FastMCP
from fastmcp.dependencies import CurrentAccessToken
from fastmcp.exceptions import ToolError
from fastmcp.server.auth import AccessToken, require_scopes
from pydantic import Field

mcp = FastMCP("weather", version="1.0.0")

PLACES = "https://geocoding-api.open-meteo.com/v1/search"
FORECAST = "https://api.open-meteo.com/v1/forecast"


@dataclass
class Weather:
    city: str
    temperature: Annotated[float, Field(description="In degrees Celsius")]
    wind: Annotated[float, Field(description="In km/h")]


@mcp.tool(annotations={"readOnlyHint": True})
async def weather(city: Annotated[str, "Such as Oslo"]) -> Weather:
    """The weather in a city, now."""
    async with httpx2.AsyncClient() as client:
        found = await client.get(PLACES, params={"name": city, "count": 1})
        places = found.raise_for_status().json().get("results")
        if not places:
            raise ToolError(f"There is no city “{city}”.")
        place = {name: places[0][name] for name in ("latitude", "longitude")}
        asked = {**place, "current": "temperature_2m,wind_speed_10m"}
        now = (await client.get(FORECAST, params=asked)).raise_for_status().json()["current"]
    return Weather(places[0]["name"], now["temperature_2m"], now["wind_speed_10m"])


@mcp.tool(auth=require_scopes("userinfo"), annotations={"readOnlyHint": True})
def whoami(token: AccessToken = CurrentAccessToken()) -> str:
    """Says who is signed in."""
    return f"You are {token.claims.get('name') or token.claims['sub']}."


if __name__ == "__main__":
    mcp.run(transport="http")
