"""What is known of the world: tables in TOML, each row with its `source` (a URL, or "measured").

Reading the tables of one launch takes Python's TOML reader 30 ms, as long as all else. So an installed gracelint has
each table as JSON, too, written when the wheel is built. In a checkout, where the text may change, a table is kept in
read form in `__pycache__`, as Python keeps its modules.
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The rows of `knowledge/<name>.toml`, as TOML has them."""
    folder = os.path.dirname(__file__)
    try:
        with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as built:
            return _from_json(built.read())
    except FileNotFoundError:
        pass
    path = os.path.join(folder, f"{name}.toml")
    status = os.stat(path)
    stamp = (status.st_mtime_ns, status.st_size)
    kept = os.path.join(folder, "__pycache__", f"{name}.{sys.implementation.cache_tag}.table")
    try:
        with open(kept, "rb") as file:
            its_stamp, rows = marshal.loads(file.read())
        if its_stamp == stamp:
            found: dict[str, Any] = rows
            return found
    except (OSError, EOFError, ValueError, TypeError):
        pass
    return _read(path, kept, stamp)


def _from_json(text: str) -> dict[str, Any]:
    from json import loads

    rows: dict[str, Any] = loads(text)
    return rows


def _read(path: str, kept: str, stamp: tuple[int, int]) -> dict[str, Any]:
    from gracelint.toml import loads

    with open(path, encoding="utf-8") as file:
        rows = loads(file.read())
    if not sys.dont_write_bytecode:
        draft = f"{kept}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            with open(draft, "wb") as file:
                marshal.dump((stamp, rows), file)
            os.replace(draft, kept)
        except (OSError, ValueError):
            pass
    return rows
