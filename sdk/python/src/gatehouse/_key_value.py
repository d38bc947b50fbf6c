"""Key-value stores, which the manifest grants to the tools."""

import json
from typing import Any

from ._errors import KeyValueError
from ._host import call_store
from ._schema import encode


class KeyValue:
    """A key-value store that `spin.toml` grants to these tools: what it holds outlives the call and the instance.

    Each function raises KeyValueError if the store is not granted or fails. Nothing in a store expires, and no operation
    is atomic with another one: of two calls that read and then write the same key, the later one wins. Keys have at most
    256 bytes on SQLite, values 1 MB. Keys are not listed: that can stop a store which others write to.
    """

    def __init__(self, name: str):
        self.name = name

    async def get(self, key: str) -> bytes | None:
        """Returns the value of a key, or `None` if it has none."""
        return await call_store(self.name, "get", key)

    async def get_text(self, key: str) -> str | None:
        """The same as a text."""
        value = await self.get(key)
        return None if value is None else value.decode("utf-8", "replace")

    async def get_json(self, key: str) -> Any:
        """The same, read as JSON. Raises KeyValueError if the value is none."""
        value = await self.get(key)
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            raise KeyValueError(f"the value of {key!r} in the store {self.name!r} is no JSON") from None

    async def set(self, key: str, value: bytes | str) -> None:
        """Gives a key a value."""
        await call_store(self.name, "set", key, value.encode() if isinstance(value, str) else bytes(value))

    async def set_json(self, key: str, value: Any) -> None:
        """Gives a key a value, written as JSON; it may be a dataclass."""
        await self.set(key, json.dumps(encode(value)))

    async def delete(self, key: str) -> None:
        """Removes a key. It need not be there."""
        await call_store(self.name, "delete", key)

    async def exists(self, key: str) -> bool:
        """Returns whether a key has a value."""
        return await call_store(self.name, "exists", key)


def key_value(name: str) -> KeyValue:
    """Returns the store of this name, as `key_value_stores` in `spin.toml` has it. It is opened when it is first used."""
    return KeyValue(name)
