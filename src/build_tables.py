"""Puts tables in read form into the wheel: those of `knowledge/`, and what the built-in rules say of themselves."""

from __future__ import annotations

import marshal
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # the tests call `built` alone
    BuildHookInterface = object

if sys.version_info >= (3, 11):
    from tomllib import loads
else:
    from tomli import loads

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from gracelint.kept import ENDING, FORMAT  # noqa: E402
from gracelint.listing import listed  # noqa: E402
from gracelint.rules import BUILT_IN, GROUPS  # noqa: E402


def built(root: Path) -> dict[str, bytes]:
    """The tables of a checkout, by their paths in the wheel."""
    tables: dict[str, Any] = {
        f"gracelint/knowledge/{path.stem}": loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / "src" / "gracelint" / "knowledge").glob("*.toml"))
    }
    tables[f"{BUILT_IN}/rules"] = listed(str(root / "rules" / BUILT_IN), GROUPS)
    return {name + ENDING: marshal.dumps(table, FORMAT) for name, table in tables.items()}


class Tables(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        folder = Path(tempfile.mkdtemp())
        for number, (name, content) in enumerate(built(Path(self.root)).items()):
            path = folder / str(number)
            path.write_bytes(content)
            build_data["force_include"][str(path)] = name
