"""Variables and stores of Spin. Their interfaces have the same names in both generations of WASI: a function of 0.3 is a
coroutine, and one of 0.2 returns what the coroutine would."""

import inspect
from typing import Any

from componentize_py_types import Err
from wit_world.imports import key_value, variables

from ._errors import KeyValueError, VariableError

_INHERIT = "and inherit_configuration = true to their line in its dependencies; composed into mcp, they have"
_WHERE = 'docs/tools.md, "A component of its own"'

# Each store is opened once an instance.
_stores: dict[str, key_value.Store] = {}


async def read_variable(name: str) -> str:
    try:
        return await _waited(variables.get(name))
    except Err as error:
        raise _variable_error(name, error.value) from None


async def call_store(name: str, method: str, *arguments: Any) -> Any:
    try:
        if name not in _stores:
            _stores[name] = await _waited(key_value.Store.open(name))
        return await _waited(getattr(_stores[name], method)(*arguments))
    except Err as error:
        raise _key_value_error(name, error.value) from None


async def _waited(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def _variable_error(name: str, error: variables.Error) -> VariableError:
    if isinstance(error, variables.Error_Undefined):
        return VariableError(
            f"no variable for {name!r}: spin.toml gives these tools none of that name. Behind a tool server, add "
            f'{name} = "..." to [component.NAME.variables] of its component, {_INHERIT} no variables ({_WHERE})'
        )
    return VariableError(f"the variable {name!r} cannot be read: {error.value}")


def _key_value_error(name: str, error: key_value.Error) -> KeyValueError:
    if isinstance(error, (key_value.Error_NoSuchStore, key_value.Error_AccessDenied)):
        return KeyValueError(
            f"no such store: spin.toml grants these tools none of the name {name!r}. Behind a tool server, add "
            f'"{name}" to key_value_stores of its [component.NAME], {_INHERIT} no store ({_WHERE})'
        )
    why = getattr(error, "value", "too many are open")
    return KeyValueError(f"the store {name!r} failed: {why}")
