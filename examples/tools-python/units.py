"""Units of measurement."""

# Name: kind, factor, shift. What is measured in a unit is worth (value + shift) * factor in the
# first of its kind.
UNITS = {
    "metre": ("length", 1.0, 0.0),
    "kilometre": ("length", 1000.0, 0.0),
    "foot": ("length", 0.3048, 0.0),
    "mile": ("length", 1609.344, 0.0),
    "kilogram": ("mass", 1.0, 0.0),
    "pound": ("mass", 0.45359237, 0.0),
    "litre": ("volume", 1.0, 0.0),
    "US gallon": ("volume", 3.785411784, 0.0),
    "imperial gallon": ("volume", 4.54609, 0.0),
    "kelvin": ("temperature", 1.0, 0.0),
    "celsius": ("temperature", 1.0, 273.15),
    "fahrenheit": ("temperature", 5 / 9, 459.67),
}
KINDS = ["length", "mass", "volume", "temperature"]


class Different(Exception):
    """The units measure different things."""


def convert(value: float, source: str, target: str) -> float:
    kind, factor, shift = UNITS[source]
    other_kind, other_factor, other_shift = UNITS[target]
    if kind != other_kind:
        raise Different(f"{source} is {kind}, and {target} is {other_kind}")
    # Ten digits are more than anybody measures, and hide what binary fractions cannot say.
    return float(f"{(value + shift) * factor / other_factor - other_shift:.10g}")
