"""What a package.json says that bears on how a container starts and stops."""

from __future__ import annotations

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.source import Passage, Source, Word


class Package(Record, identity=True):
    source: Source
    scripts: Mapping[str, Passage]
    """The text of each script, JSON escapes resolved."""
    main: Word | None = None
    name: str | None = None
    module: bool = False
    """`"type": "module"`."""
    manager: str | None = None
    """`packageManager`, such as "pnpm@9.15.9"."""
    dependencies: Mapping[str, str] | None = None
    """Of every kind, with their version ranges."""
    workspaces: tuple[str, ...] = ()
    """Folders and patterns such as `packages/*`."""

    def plain(self, script: str) -> tuple[str, ...] | None:
        """The words of a script that is one plain command nothing runs before or after; None where it is more."""
        passage = self.scripts.get(script)
        if passage is None or f"pre{script}" in self.scripts or f"post{script}" in self.scripts:
            return None
        words = tuple(passage.text.split())
        words = words[1:] if words[:1] == ("exec",) else words
        shell = _SHELL_CHARACTERS.intersection(passage.text)
        return None if shell or not words or "=" in words[0] or words[0] in _SHELL_WORDS else words


_SHELL_CHARACTERS = frozenset("\"'`$&|;<>()[]{}*?~#\\!\n\r")
_SHELL_WORDS = frozenset(("cd", "export", "set", "source", ".", "if", "while", "for", "case", "trap", "eval"))
