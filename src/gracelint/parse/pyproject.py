"""The few facts of a pyproject.toml that bear on a launch."""

from __future__ import annotations

from gracelint import toml


def scripts(text: str) -> dict[str, str]:
    """Console scripts by name, as `module:function`; empty where the text is no TOML."""
    try:
        data = toml.loads(text)
    except toml.TOMLDecodeError:
        return {}
    found: dict[str, str] = {}
    for tables in (data.get("project"), data.get("tool", {}).get("poetry")):
        entries = tables.get("scripts") if isinstance(tables, dict) else None
        if isinstance(entries, dict):
            found |= {name: target for name, target in entries.items() if isinstance(target, str)}
    return found
