"""Regular expressions that are compiled when they are first used: a short run needs few of those there are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any


class _Pattern:
    """Stands in for a compiled pattern; each of its methods, once asked for, is the compiled pattern's own."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        import re

        found = getattr(re.compile(self._text), name)
        self.__dict__[name] = found
        return found


def pattern(text: str) -> re.Pattern[str]:
    """What `re.compile` makes of a text, as soon as that is asked for something. Flags stand in the text: `(?im)`."""
    return _Pattern(text)  # type: ignore[return-value]
