"""Variables and key-value stores of the host: Spin's in a component, those of this process elsewhere."""

import sys

if sys.platform == "wasi":
    from ._host_wasi import call_store, read_variable
else:
    from ._host_native import call_store, read_variable

__all__ = ["call_store", "read_variable"]
