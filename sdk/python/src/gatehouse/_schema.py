"""JSON Schema from type hints, and values between JSON and Python by the same hints."""

import dataclasses
import enum
import types
import typing
from typing import Annotated, Any, Literal, Union

from ._errors import InvalidArguments

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_ARTICLES = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean"}


@dataclasses.dataclass(frozen=True)
class Field:
    """What the schema says of an argument or a field, as metadata of `Annotated`.

    `min_length` and `max_length` hold for strings, and for the number of items of a list.
    """

    description: str | None = None
    _: dataclasses.KW_ONLY
    title: str | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    examples: list | None = None

    def _keywords(self, kind: str | None) -> dict[str, Any]:
        ends = "Items" if kind == "array" else "Length"
        keywords = {
            "title": self.title,
            "description": self.description,
            "minimum": self.ge,
            "exclusiveMinimum": self.gt,
            "maximum": self.le,
            "exclusiveMaximum": self.lt,
            "multipleOf": self.multiple_of,
            f"min{ends}": self.min_length,
            f"max{ends}": self.max_length,
            "pattern": self.pattern,
            "format": self.format,
            "examples": self.examples,
        }
        return {name: value for name, value in keywords.items() if value is not None}


@dataclasses.dataclass(frozen=True)
class Property:
    """An argument of a function, or a field of a dataclass or TypedDict."""

    name: str
    """Its name in Python."""
    annotation: Any
    required: bool
    default: Any = None

    @property
    def key(self) -> str:
        """Its name in JSON: `from_` is `from`."""
        return self.name.rstrip("_") or self.name


def object_schema(properties: list[Property]) -> dict[str, Any]:
    """Returns the schema of an object with these properties."""
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for property in properties:
        member = schema_of(property.annotation)
        if not property.required and property.default is not None:
            member["default"] = encode(property.default)
        schema["properties"][property.key] = member
    required = [property.key for property in properties if property.required]
    if required:
        schema["required"] = required
    return schema


def schema_of(annotation: Any) -> dict[str, Any]:
    """Returns the schema of values of this type. Raises TypeError for types without one."""
    if annotation is Any:
        return {}
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        schema = schema_of(arguments[0])
        for note in arguments[1:]:
            if isinstance(note, str):
                note = Field(note)
            if isinstance(note, Field):
                schema.update(note._keywords(schema.get("type")))
        return schema
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(choice) for choice in arguments]}
    if origin is Literal:
        return _enumeration(list(arguments))
    if annotation is list or origin is list:
        return {"type": "array"} | ({"items": schema_of(arguments[0])} if arguments else {})
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return {"type": "array", "items": schema_of(arguments[0])}
    if annotation is dict:
        return {"type": "object"}
    if origin is dict and arguments[0] is str:
        values = schema_of(arguments[1])
        return {"type": "object"} | ({"additionalProperties": values} if values else {})
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enumeration([member.value for member in annotation])
    properties = properties_of(annotation)
    if properties is None:
        raise TypeError(f"{annotation!r} has no JSON Schema")
    return object_schema(properties)


def properties_of(annotation: Any) -> list[Property] | None:
    """Returns the fields of a dataclass or TypedDict; `None` for other types."""
    if not isinstance(annotation, type):
        return None
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation, include_extras=True)
        return [_field(field, hints[field.name]) for field in dataclasses.fields(annotation) if field.init]
    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation, include_extras=True)
        required = annotation.__required_keys__
        return [Property(name, _unrequired(hint), name in required) for name, hint in hints.items()]
    return None


def decode(annotation: Any, value: Any, where: str) -> Any:
    """Returns the Python value of a JSON value. Raises InvalidArguments if it is not of this type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return decode(arguments[0], value, where)
    if annotation is Any:
        return value
    if annotation in _SCALARS:
        return _scalar(annotation, value, where)
    if origin in (Union, types.UnionType):
        return _choice(arguments, value, where)
    if origin is Literal:
        return _one_of({_distinct(choice): choice for choice in arguments}, value, where)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _one_of({_distinct(member.value): member for member in annotation}, value, where)
    if annotation is list or origin in (list, tuple):
        if not isinstance(value, list):
            raise InvalidArguments(f"`{where}` has to be an array")
        item = arguments[0] if arguments else Any
        items = [decode(item, each, f"{where}[{index}]") for index, each in enumerate(value)]
        return tuple(items) if origin is tuple else items
    if not isinstance(value, dict):
        raise InvalidArguments(f"`{where}` has to be an object")
    properties = properties_of(annotation)
    if properties is None:
        each = arguments[1] if arguments else Any
        return {key: decode(each, item, f"{where}.{key}") for key, item in value.items()}
    return annotation(**decode_properties(properties, value, f"{where}."))


def decode_properties(properties: list[Property], value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns the keyword arguments that an object has for these properties, without those that are absent.

    Raises InvalidArguments if a required one is missing or one is of another type.
    """
    decoded = {}
    for property in properties:
        where = f"{prefix}{property.key}"
        if property.key in value:
            decoded[property.name] = decode(property.annotation, value[property.key], where)
        elif property.required:
            raise InvalidArguments(f"`{where}` is missing")
    return decoded


def encode(value: Any) -> Any:
    """Returns what `json.dumps` takes for a value of these types."""
    if isinstance(value, enum.Enum):
        return encode(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            Property(field.name, field.type, True).key: encode(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def note_of(annotation: Any, kind: type) -> Any:
    """Returns the metadata of this kind in an `Annotated`, if there is any."""
    if typing.get_origin(annotation) is not Annotated:
        return None
    return next((note for note in annotation.__metadata__ if isinstance(note, kind)), None)


def plain(annotation: Any) -> Any:
    """Returns the type without the metadata of `Annotated`."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def without_none(annotation: Any) -> tuple[Any, bool]:
    """Returns `X` and whether the type was `X | None`."""
    choices = typing.get_args(annotation)
    if typing.get_origin(annotation) in (Union, types.UnionType) and type(None) in choices and len(choices) == 2:
        return next(choice for choice in choices if choice is not type(None)), True
    return annotation, False


def _field(field: dataclasses.Field, annotation: Any) -> Property:
    if field.default is not dataclasses.MISSING:
        return Property(field.name, annotation, False, field.default)
    if field.default_factory is not dataclasses.MISSING:
        return Property(field.name, annotation, False, field.default_factory())
    return Property(field.name, annotation, True)


def _unrequired(annotation: Any) -> Any:
    # NotRequired and Required are in typing from Python 3.11 on.
    origin = typing.get_origin(annotation)
    is_wrapped = origin is not None and getattr(origin, "_name", None) in ("NotRequired", "Required")
    return typing.get_args(annotation)[0] if is_wrapped else annotation


def _enumeration(values: list[Any]) -> dict[str, Any]:
    kinds = {type(value) for value in values}
    kind = _SCALARS.get(kinds.pop()) if len(kinds) == 1 else None
    return ({"type": kind} if kind else {}) | {"enum": values}


def _scalar(kind: type, value: Any, where: str) -> Any:
    # `True` is an int in Python, and a JSON number without a fraction an integer.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and is_number:
        return float(value)
    if kind is int and is_number and value == int(value):
        return int(value)
    if kind not in (int, float) and isinstance(value, kind):
        return value
    raise InvalidArguments(f"`{where}` has to be {_ARTICLES.get(_SCALARS[kind], 'null')}")


def _choice(choices: tuple, value: Any, where: str) -> Any:
    problem = None
    for choice in choices:
        try:
            return decode(choice, value, where)
        except InvalidArguments as error:
            problem = problem or error
    raise problem or InvalidArguments(f"`{where}` does not fit")


def _distinct(value: Any) -> tuple[type, Any]:
    return type(value), value


def _one_of(members: dict[tuple[type, Any], Any], value: Any, where: str) -> Any:
    if not isinstance(value, (dict, list)) and _distinct(value) in members:
        return members[_distinct(value)]
    names = ", ".join(repr(choice) for _, choice in members)
    raise InvalidArguments(f"`{where}` has to be one of {names}")
