"""Writes the tables of `knowledge/` as JSON into the wheel: an installed gracelint reads no TOML of its own."""

from __future__ import annotations

import json
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

KNOWLEDGE = Path(__file__).parent / "gracelint" / "knowledge"


def built(folder: Path) -> dict[str, str]:
    """The JSON of each table in a folder, by the name of its file."""
    return {
        f"{path.stem}.json": json.dumps(loads(path.read_text(encoding="utf-8")), ensure_ascii=False)
        for path in sorted(folder.glob("*.toml"))
    }


class Tables(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        folder = Path(tempfile.mkdtemp())
        for name, text in built(KNOWLEDGE).items():
            (folder / name).write_text(text, encoding="utf-8")
            build_data["force_include"][str(folder / name)] = f"gracelint/knowledge/{name}"
