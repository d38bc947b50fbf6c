"""Variables and stores of this process, for tests and for calls by hand."""

import os
from typing import Any

from ._errors import KeyValueError, VariableError

# What a test gives; without, variables are those of the environment, and there is every store, in memory.
given_variables: dict[str, str] | None = None
given_stores: dict[str, dict[str, bytes]] | None = None

_stores: dict[str, dict[str, bytes]] = {}


async def read_variable(name: str) -> str:
    if given_variables is not None:
        value = given_variables.get(name)
    else:
        value = os.environ.get(f"SPIN_VARIABLE_{name.upper()}")
    if value is None:
        raise VariableError(
            f"no variable for {name!r}: in a test, testing.variables({name}=...) gives it; elsewhere, "
            f"SPIN_VARIABLE_{name.upper()} in the environment"
        )
    return value


async def call_store(name: str, method: str, key: str, *value: bytes) -> Any:
    if given_stores is None:
        store = _stores.setdefault(name, {})
    elif name in given_stores:
        store = given_stores[name]
    else:
        raise KeyValueError(f"no such store: testing.stores({name}={{}}) gives it to a test")
    if method == "set":
        [store[key]] = value
    elif method == "delete":
        store.pop(key, None)
    else:
        return key in store if method == "exists" else store.get(key)
