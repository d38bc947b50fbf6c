"""Two tools: one calls an API, the other knows who is signed in."""

from dataclasses import dataclass
from typing import Annotated

from gatehouse import Caller, ToolError, http, server, tool

server("weather", title="Weather", version="1.0.0")

PLACES = "https://geocoding-api.open-meteo.com/v1/search"
FORECAST = "https://api.open-meteo.com/v1/forecast"


@dataclass
class Weather:
    city: str
    temperature: Annotated[float, "In degrees Celsius"]
    wind: Annotated[float, "In km/h"]


@tool(read_only=True)
async def weather(city: Annotated[str, "Such as Oslo"]) -> Weather:
    """The weather in a city, now."""
    found = await http.get(PLACES, params={"name": city, "count": 1})
    places = found.raise_for_status().json().get("results")
    if not places:
        raise ToolError(f"There is no city “{city}”.")
    place = {name: places[0][name] for name in ("latitude", "longitude")}
    asked = {**place, "current": "temperature_2m,wind_speed_10m"}
    now = (await http.get(FORECAST, params=asked)).raise_for_status().json()["current"]
    return Weather(places[0]["name"], now["temperature_2m"], now["wind_speed_10m"])


@tool(scopes=["userinfo"], read_only=True)
def whoami(caller: Caller) -> str:
    """Says who is signed in."""
    return f"You are {caller.profile.name or caller.subject}."
