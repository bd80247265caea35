"""Text in XML, by hand: importing `xml.sax` takes longer than a run."""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACES = str.maketrans({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def attribute(text: str) -> str:
    """An attribute's value, quotes included."""
    value = content(text).translate(_SPACES)
    if '"' not in value:
        return f'"{value}"'
    return f"'{value}'" if "'" not in value else '"' + value.replace('"', "&quot;") + '"'


def content(text: str) -> str:
    """What stands between two tags."""
    return _legal(text).replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")


def _legal(text: str) -> str:
    """XML 1.0 has no way to write most control characters, surrogates, U+FFFE and U+FFFF."""
    return _ILLEGAL.sub("\ufffd", text)
