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


def _wrapped(width: Any, value: Any, separator: str = "\n") -> str:
    from textwrap import wrap

    lines = wrap(text(value), max(integer(width), 1), break_long_words=False, break_on_hyphens=False)
    _bound(len(lines) * len(separator))
    return separator.join(lines)


def _quotes(*values: Any) -> str:
    return " ".join(quoted(text(value)) for value in values if value is not None)


def _single_quotes(*values: Any) -> str:
    return concat(_spaced([concat(["'", text(value), "'"]) for value in values if value is not None]))


def _spaced(parts: list[str]) -> list[str]:
    return [piece for part in parts for piece in (" ", part)][1:]


def _words(value: Any) -> list[str]:
    return [part for part in re.split(r"[-_ .]+|(?<=[a-z0-9])(?=[A-Z])", text(value)) if part]


def _title(value: Any) -> str:
    return re.sub(r"(^|\s)(\S)", lambda match: match[1] + match[2].upper(), text(value))


def _split(separator: Any, value: Any, most: int = -1) -> list[str]:
    whole, mark = text(value), text(separator)
    if not mark:
        return list(whole)
    return whole.split(mark, most)


def _numbered(parts: list[str]) -> dict[str, str]:
    return {f"_{index}": part for index, part in enumerate(parts)}


def _joined(separator: Any, values: Any) -> str:
    items = values if isinstance(values, (list, tuple)) else [] if values is None else [values]
    mark = text(separator)
    _bound(len(mark) * len(items))
    return concat([part for item in items for part in (mark, text(item))][1:])


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


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "toString": text,
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
    "abbrevboth": lambda _, length, value: _abbreviated(length, value),
    "nospace": lambda value: re.sub(r"\s", "", text(value)),
    "initials": lambda value: "".join(word[0] for word in text(value).split()),
    "wrap": _wrapped,
    "wrapWith": lambda width, separator, value: _wrapped(width, value, text(separator)),
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
    "camelcase": lambda value: "".join(word[:1].upper() + word[1:] for word in _words(value)),
    "split": lambda separator, value: _numbered(_split(separator, value)),
    "splitn": lambda separator, most, value: _numbered(_split(separator, value, integer(most) - 1)),
    "splitList": _split,
    "join": _joined,
    "sortAlpha": lambda values: sorted(text(value) for value in values or ()),
    "toStrings": lambda values: [text(value) for value in values or ()],
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
    "base": lambda path: posixpath.basename(text(path).rstrip("/")) or ("/" if text(path) else "."),
    "dir": lambda path: posixpath.dirname(text(path)) or ".",
    "ext": lambda path: posixpath.splitext(text(path))[1],
    "clean": lambda path: posixpath.normpath(text(path) or "."),
    "isAbs": lambda path: text(path).startswith("/"),
    "osBase": lambda path: posixpath.basename(text(path)),
    "osDir": lambda path: posixpath.dirname(text(path)) or ".",
    "osExt": lambda path: posixpath.splitext(text(path))[1],
    "osClean": lambda path: posixpath.normpath(text(path) or "."),
    "osIsAbs": lambda path: text(path).startswith("/"),
    "html": text,
    "js": text,
}
