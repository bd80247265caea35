"""Go's fmt, as far as templates use it."""

from __future__ import annotations

import re

from gracelint.base.numbers import is_digits
from gracelint.render.helm.values import kind, shown, shown_float, type_of
from gracelint.render.text import concat, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_VERB = re.compile(r"%([-+# 0]*)([0-9]{1,4}|\*)?(?:\.([0-9]{0,4}))?(?:\[([0-9]{1,4})\])?([a-zA-Z%])")
_QUOTE = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b"} | {
    "\f": "\\f",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """What %q makes of a string."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return concat(['"', text, '"'])
    return '"' + "".join(_QUOTE.get(char) or _escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def sprintf(pattern: str, values: Sequence[Any]) -> str:
    """fmt.Sprintf, mistakes included: they are printed, not raised."""
    parts: list[str] = []
    position = used = 0
    is_in_order = True
    for verb in _VERB.finditer(pattern):
        parts.append(cut(pattern, position, verb.start()))
        position = verb.end()
        if verb[5] == "%":
            parts.append("%")
            continue
        width = verb[2]
        if width == "*" and used < len(values):
            width, used = shown(values[used]), used + 1
        if verb[4] is not None:
            used, is_in_order = int(verb[4]) - 1, False
        if not 0 <= used < len(values):
            parts.append(f"%!{verb[5]}({'MISSING' if verb[4] is None else 'BADINDEX'})")
            continue
        made = _one(verb[5], verb[1], verb[3], values[used])
        used += 1
        parts.append(_padded(made, verb[1], int(width)) if width and is_digits(width) else made)
    parts.append(cut(pattern, position, len(pattern)))
    if is_in_order and used < len(values):
        extra = ", ".join(f"{type_of(value)}={shown(value, True)}" for value in values[used:])
        parts.append(f"%!(EXTRA {extra})")
    return concat(parts)


def _padded(text: str, flags: str, width: int) -> str:
    missing = min(width, 1000) - len(text)
    if missing <= 0:
        return text
    if "-" in flags:
        return concat([text, " " * missing])
    if "0" in flags:
        sign, digits = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
        return sign + "0" * missing + digits
    return concat([" " * missing, text])


def _one(verb: str, flags: str, precision: str | None, value: Any) -> str:
    name = kind(value)
    if verb == "v":
        return shown(value, True)
    if verb == "T":
        return type_of(value)
    if verb in "sq" and name in ("string", "map", "slice"):
        text = shown(value)
        text = cut(text, 0, int(precision)) if precision else text
        return quoted(text) if verb == "q" else text
    if verb == "d" and name == "int":
        return f"{value:+d}" if "+" in flags else f"{value: d}" if " " in flags else str(value)
    if verb in "feEgG" and name == "float64":
        if verb in "gG" and not precision:
            return shown_float(value).upper() if verb == "G" else shown_float(value)
        return f"{value:.{min(int(precision or 6), 50)}{verb}}"
    if verb == "t" and name == "bool":
        return shown(value)
    if verb in "xX" and name in ("int", "string"):
        text = f"{value:#x}" if name == "int" and "#" in flags else f"{value:x}" if name == "int" else ""
        text = text or str(value).encode().hex()
        return text.upper() if verb == "X" else text
    if verb in "Uq" and name == "int":
        return f"U+{value:04X}" if verb == "U" else f"'{chr(value)}'" if 0 <= value < 0x110000 else "'\ufffd'"
    if verb in "boc" and name == "int":
        return chr(value) if verb == "c" and 0 <= value < 0x110000 else f"{value:{verb}}" if verb != "c" else "\ufffd"
    return f"%!{verb}({type_of(value)}={shown(value, True)})" if value is not None else f"%!{verb}(<nil>)"
