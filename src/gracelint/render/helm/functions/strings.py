"""Text. What changes single characters makes plain strings; what moves text about keeps its origins."""

from __future__ import annotations

import posixpath
import re

from gracelint.render.helm.functions.formatting import quoted, sprintf
from gracelint.render.helm.functions.numbers import integer
from gracelint.render.helm.functions.patterns import Pattern
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import shown
from gracelint.render.text import concat, cut, indented, replaced, stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LONGEST = 1_000_000
"""Code points that `repeat`, `replace` and what else multiplies texts may make."""
_GO_SPACE = " \t\n\v\f\r\x85\xa0"


def text(value: Any) -> str:
    """Sprig's strval; nil is nothing."""
    return shown(value)


def _strip(value: Any, characters: Any = _GO_SPACE) -> str:
    taken = text(characters)
    return stripped(text(value), lambda it: it.lstrip(taken), lambda it: it.rstrip(taken))


def _without_prefix(prefix: Any, value: Any) -> str:
    whole, start = text(value), text(prefix)
    return cut(whole, len(start), len(whole)) if whole.startswith(start) else whole


def _without_suffix(suffix: Any, value: Any) -> str:
    whole, end = text(value), text(suffix)
    return cut(whole, 0, len(whole) - len(end)) if end and whole.endswith(end) else whole


def _pad(width: Any) -> str:
    return " " * min(max(integer(width), 0), 1000)


def _bound(length: int) -> None:
    if length > _LONGEST:
        raise TemplateError("too large to be followed")


def _repeat(count: Any, value: Any) -> str:
    _bound(integer(count) * len(text(value)))
    return text(value) * integer(count)


def _substring(start: Any, end: Any, value: Any) -> str:
    whole, first, last = text(value), integer(start), integer(end)
    if first < 0:
        return cut(whole, 0, last)
    return cut(whole, first, len(whole) if last < 0 or last > len(whole) else last)


def _truncated(length: Any, value: Any) -> str:
    whole, count = text(value), integer(length)
    if count < 0:
        return cut(whole, max(len(whole) + count, 0), len(whole))
    return cut(whole, 0, count)


def _abbreviated(length: Any, value: Any) -> str:
    whole, count = text(value), integer(length)
    return whole if count < 4 or len(whole) <= count else whole[: count - 3] + "..."


def _abbreviated_on_both_sides(start: Any, length: Any, value: Any) -> str:
    whole, count = text(value), integer(length)
    room = count - 3
    offset = min(integer(start), len(whole) - room)
    if count < 4 or len(whole) <= count or (integer(start) > 0 and count < 7):
        return whole
    if offset <= 4:
        return _abbreviated(count, whole)
    return "..." + (_abbreviated(room, whole[offset:]) if offset + room < len(whole) else whole[-room:])


def _wrapped(width: Any, value: Any, separator: str = "\n", *, breaks_words: bool = False) -> str:
    from textwrap import wrap

    lines = wrap(text(value), max(integer(width), 1), break_long_words=breaks_words, break_on_hyphens=False)
    _bound(len(lines) * len(separator))
    return separator.join(lines)


def _quotes(*values: Any) -> str:
    return " ".join(quoted(text(value)) for value in values if value is not None)


def _single_quotes(*values: Any) -> str:
    return concat(_spaced([concat(["'", text(value), "'"]) for value in values if value is not None]))


def _spaced(parts: list[str]) -> list[str]:
    return [piece for part in parts for piece in (" ", part)][1:]


def _words(value: Any) -> list[str]:
    return [part for part in re.split(r"[-_\s]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", text(value)) if part]


def _camel(value: Any) -> str:
    parts = [part for part in re.split(r"[-_\s]+", text(value)) if part]
    return "".join(part.capitalize() if part[:2].isupper() else part[:1].upper() + part[1:] for part in parts)


def _title(value: Any) -> str:
    return re.sub(r"(?<!\w)\w", lambda match: match[0].upper(), text(value))


def _split(separator: Any, value: Any, most: int = -1) -> list[str]:
    whole, mark = text(value), text(separator)
    if not mark:
        return list(whole)
    return whole.split(mark, most)


def _numbered(parts: list[str]) -> dict[str, str]:
    return {f"_{index}": part for index, part in enumerate(parts)}


def _texts(values: Any) -> list[str]:
    """Sprig's strslice: what is nil is left out."""
    items = values if isinstance(values, (list, tuple)) else [values]
    return [text(item) for item in items if item is not None]


def _joined(separator: Any, values: Any) -> str:
    items, mark = _texts(values), text(separator)
    _bound(len(mark) * len(items))
    return concat([part for item in items for part in (mark, item)][1:])


def _replaced(old: Any, new: Any, value: Any) -> str:
    whole, mark = text(value), text(old)
    _bound(whole.count(mark) * len(text(new)))
    return replaced(whole, mark, text(new))


def _printed(*values: Any) -> str:
    """fmt.Sprint: a space between two that are both no strings."""
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(shown(value, inside=True))
    return concat(parts)


def _find_all(pattern: Any, value: Any, most: Any) -> list[str]:
    found = Pattern(text(pattern)).find_all(text(value))
    return found if integer(most) < 0 else found[: integer(most)]


def _find(pattern: Any, value: Any) -> str:
    return next(iter(Pattern(text(pattern)).find_all(text(value))), "")


def _matches(pattern: Any, value: Any) -> bool:
    return Pattern(text(pattern)).search(text(value))


def _replace_all(pattern: Any, value: Any, replacement: Any) -> str:
    return Pattern(text(pattern)).replace(text(value), text(replacement))


def _replace_literally(pattern: Any, value: Any, replacement: Any) -> str:
    return Pattern(text(pattern)).replace(text(value), text(replacement).replace("$", "$$"))


def _split_by(pattern: Any, value: Any, most: Any) -> list[str]:
    return Pattern(text(pattern)).split(text(value), integer(most))


def _as_html(value: Any) -> str:
    return re.sub("[\0\"'&<>]", lambda match: _HTML[match[0]], text(value))


_HTML = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _as_javascript(value: Any) -> str:
    escaped = re.sub(r"[\\'\"]", r"\\\g<0>", text(value))
    return re.sub(r"[<>&=\x00-\x1f\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04X}", escaped)


def _base(path: Any) -> str:
    return posixpath.basename(text(path).rstrip("/")) or ("/" if text(path) else ".")


def _clean(path: Any) -> str:
    normal = posixpath.normpath(text(path) or ".")
    return "/" + normal.lstrip("/") if normal.startswith("/") else normal


def _directory(path: Any) -> str:
    whole = text(path)
    return _clean(whole[: whole.rfind("/") + 1])


def _extension(path: Any) -> str:
    _, dot, end = text(path).rpartition("/")[2].rpartition(".")
    return dot + end if dot else ""


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "toString": lambda value: shown(value, inside=True),
    "print": _printed,
    "println": lambda *values: concat([*_spaced([shown(value, inside=True) for value in values]), "\n"]),
    "printf": lambda pattern, *values: sprintf(text(pattern), values),
    "quote": _quotes,
    "squote": _single_quotes,
    "trim": _strip,
    "trimAll": lambda characters, value: _strip(value, characters),
    "trimall": lambda characters, value: _strip(value, characters),
    "trimPrefix": _without_prefix,
    "trimSuffix": _without_suffix,
    "upper": lambda value: text(value).upper(),
    "lower": lambda value: text(value).lower(),
    "title": _title,
    "untitle": lambda value: re.sub(r"(^|\s)(\S)", lambda match: match[1] + match[2].lower(), text(value)),
    "swapcase": lambda value: text(value).swapcase(),
    "repeat": _repeat,
    "substr": _substring,
    "trunc": _truncated,
    "abbrev": _abbreviated,
    "abbrevboth": _abbreviated_on_both_sides,
    "nospace": lambda value: re.sub(r"\s", "", text(value)),
    "initials": lambda value: "".join(word[0] for word in text(value).split()),
    "wrap": _wrapped,
    "wrapWith": lambda width, separator, value: _wrapped(width, value, text(separator), breaks_words=True),
    "contains": lambda part, value: text(part) in text(value),
    "hasPrefix": lambda part, value: text(value).startswith(text(part)),
    "hasSuffix": lambda part, value: text(value).endswith(text(part)),
    "cat": lambda *values: concat(_spaced([text(value) for value in values if value is not None])),
    "indent": lambda width, value: indented(text(value), _pad(width)),
    "nindent": lambda width, value: concat(["\n", indented(text(value), _pad(width))]),
    "replace": _replaced,
    "plural": lambda one, many, count: one if integer(count) == 1 else many,
    "snakecase": lambda value: "_".join(_words(value)).lower(),
    "kebabcase": lambda value: "-".join(_words(value)).lower(),
    "camelcase": _camel,
    "split": lambda separator, value: _numbered(_split(separator, value)),
    "splitn": lambda separator, most, value: _numbered(_split(separator, value, integer(most) - 1)),
    "splitList": _split,
    "join": _joined,
    "sortAlpha": lambda values: sorted(_texts(values)),
    "toStrings": _texts,
    "regexMatch": _matches,
    "mustRegexMatch": _matches,
    "regexFind": _find,
    "mustRegexFind": _find,
    "regexFindAll": _find_all,
    "mustRegexFindAll": _find_all,
    "regexReplaceAll": _replace_all,
    "mustRegexReplaceAll": _replace_all,
    "regexReplaceAllLiteral": _replace_literally,
    "mustRegexReplaceAllLiteral": _replace_literally,
    "regexSplit": _split_by,
    "mustRegexSplit": _split_by,
    "regexQuoteMeta": lambda value: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text(value)),
    "base": _base,
    "dir": _directory,
    "ext": _extension,
    "clean": _clean,
    "isAbs": lambda path: text(path).startswith("/"),
    "osBase": _base,
    "osDir": _directory,
    "osExt": _extension,
    "osClean": _clean,
    "osIsAbs": lambda path: text(path).startswith("/"),
    "html": _as_html,
    "js": _as_javascript,
}
