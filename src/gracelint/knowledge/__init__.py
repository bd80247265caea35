"""What is known of the world: tables in TOML, each row with its `source` (a URL, or "measured").

Reading the tables of one launch takes Python's TOML reader 30 ms, as long as all else: they are kept in read form.
"""

from __future__ import annotations

import os

from gracelint.base.memory import cache
from gracelint.kept import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The rows of `knowledge/<name>.toml`, as TOML has them."""
    folder = os.path.dirname(__file__)
    path = os.path.join(folder, f"{name}.toml")

    def stamp() -> tuple[int, int]:
        status = os.stat(path)
        return status.st_mtime_ns, status.st_size

    def read() -> dict[str, Any]:
        from gracelint.toml import loads

        with open(path, encoding="utf-8") as file:
            return loads(file.read())

    found: dict[str, Any] = kept(folder, name, stamp, read)
    return found


@cache
def keys(name: str) -> dict[str, str]:
    """The row of a table that a command's name stands for: each lists its `names`, or has its own name alone."""
    return {command: key for key, row in table(name).items() for command in row.get("names", (key,))}
