"""Text in XML."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def attribute(text: str) -> str:
    """An attribute's value, quotes included."""
    return quoteattr(_legal(text))


def content(text: str) -> str:
    """What stands between two tags."""
    return escape(_legal(text))


def _legal(text: str) -> str:
    """XML 1.0 has no way to write most control characters, surrogates, U+FFFE and U+FFFF."""
    return _ILLEGAL.sub("\ufffd", text)
