"""Reports as text. Each format is a module with `render(report) -> str`; nothing in here decides anything."""

from __future__ import annotations

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")
