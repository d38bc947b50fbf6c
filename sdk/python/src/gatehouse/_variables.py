"""Settings and secrets: the variables that the manifest gives to the tools."""

from ._host import read_variable


async def variable(name: str) -> str:
    """Returns the value of a variable that `spin.toml` gives to these tools. Raises VariableError if there is none.

    It is read from the host each time, so that a secret may change while the tools are served. Outside of a component
    it is `SPIN_VARIABLE_<NAME>` of the environment, or what `testing.variables` gives.
    """
    return await read_variable(name)
