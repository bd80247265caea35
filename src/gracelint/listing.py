"""What rules say of themselves in their decorators, read from their text: to list them, none is imported."""

from __future__ import annotations

import ast
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Row = tuple[str, str, tuple[str, ...], bool]
    """Name, group, what it is about, and whether it is strict."""


def listed(folder: str, groups: Iterable[str]) -> list[Row]:
    """The rules of a pack, by name."""
    return sorted(
        _row(group, os.path.join(folder, group, name))
        for group in groups
        for name in os.listdir(os.path.join(folder, group))
        if name.endswith(".py") and not name.startswith("_")
    )


def _row(group: str, path: str) -> Row:
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    calls = (call for node in tree.body if isinstance(node, ast.FunctionDef) for call in node.decorator_list)
    given: dict[str, object] = {}
    for call in calls:
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "rule":
            given = {
                word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg in ("about", "strict")
            }
    name = os.path.basename(path).removesuffix(".py").replace("_", "-")
    about = given.get("about", ())
    assert isinstance(about, tuple), f"{path}: about=(…,)"
    return name, group, about, bool(given.get("strict"))
