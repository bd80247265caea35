"""What is known of the world: tables in TOML, each row with its `source` (a URL, or "measured")."""

from __future__ import annotations

import os
import sys
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

if sys.version_info >= (3, 11):
    import tomllib as tomllib
else:
    import tomli as tomllib


@cache
def table(name: str) -> dict[str, Any]:
    """The rows of `knowledge/<name>.toml`, as TOML has them."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.toml"), "rb") as file:
        return tomllib.load(file)


def with_rows(name: str, rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A table with rows of the user's own in front of ours."""
    return {**table(name), **rows} if rows else table(name)
