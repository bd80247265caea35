"""Tables in read form: made when the wheel is built, so that an installed gracelint parses none.

In a checkout, where the text that a table is made from may change, the table is kept in `__pycache__`, as Python keeps
its modules.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FORMAT = 2
"""Of `marshal`: plain values in it are the same for every Python."""
ENDING = ".table"


def kept(folder: str, name: str, stamp: Callable[[], object], make: Callable[[], Any]) -> Any:
    """The table of a name, made anew unless it came with the wheel or was kept when the stamp was the same."""
    try:
        return _loaded(os.path.join(folder, name + ENDING))
    except (OSError, EOFError, ValueError, TypeError):
        pass
    path = os.path.join(folder, "__pycache__", f"{name}.{sys.implementation.cache_tag}{ENDING}")
    now = stamp()
    try:
        then, table = _loaded(path)
        if then == now:
            return table
    except (OSError, EOFError, ValueError, TypeError):
        pass
    table = make()
    if not sys.dont_write_bytecode:
        _keep(path, (now, table))
    return table


def _loaded(path: str) -> Any:
    with open(path, "rb") as file:
        return marshal.loads(file.read())  # `load` would ask the file for each value


def _keep(path: str, content: Any) -> None:
    draft = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(draft, "wb") as file:
            file.write(marshal.dumps(content, FORMAT))
        os.replace(draft, path)
    except (OSError, ValueError):
        pass
