"""Words of shell text: where one ends, and what it is where nothing has to be expanded for that."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.parse.expansion import Scope, expand

DEEPEST = 60
"""Levels of nesting; deeper text is not a start script."""
SPACE = pattern(r"(?:[ \t]|\\\r?\n)+")
PLAIN = pattern(r"[^\s|&;()<>\\'\"$`]+")
_IN_QUOTES = pattern(r'[^\\"$`]+')
ASSIGNMENT = pattern(r"([A-Za-z_]\w*)(\[[^\]]*\])?\+?=")


class BrokenError(Exception):
    """Text that breaks the grammar, and where."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def word_end(text: str, start: int) -> int:
    """Behind a word; an array's parentheses (`local a=(b c)`) and a pattern's (`@(a|b)`) are part of it."""
    offset = start
    length = len(text)
    while offset < length:
        plain = PLAIN.match(text, offset)
        if plain is not None:
            offset = plain.end()
            continue
        char = text[offset]
        if char == "\\" and offset + 1 < length:
            if SPACE.match(text, offset):
                break
            offset += 2
        elif char in "'\"$`":
            offset = _quoted_end(text, offset, 0)
        elif char in "<>" and text.startswith("(", offset + 1):
            offset = parentheses_end(text, offset + 2, 1)
        elif char == "(" and (text[offset - 1] in "@!+*?" or ASSIGNMENT.fullmatch(text, start, offset)):
            offset = parentheses_end(text, offset + 1, 1)
        elif char == "\\" or (char == "\r" and not text.startswith("\n", offset + 1)):
            offset += 1
        else:
            break
    return offset


def _quoted_end(text: str, offset: int, depth: int) -> int:
    """From a quote, a `$` or a backtick to behind what it opens."""
    if depth > DEEPEST:
        raise BrokenError(offset)
    char = text[offset]
    if char == "'":
        return _behind(text, "'", offset + 1)
    if char == "`":
        return _behind(text, "`", offset + 1)
    if char == '"':
        return _double_end(text, offset, depth)
    following = text[offset + 1 : offset + 2]
    if following == "(":
        return parentheses_end(text, offset + 2, depth + 1)
    if following == "{":
        return _braces_end(text, offset + 2, depth + 1)
    if following == "'":
        end = offset + 2
        while end < len(text) and text[end] != "'":
            end += 2 if text[end] == "\\" else 1
        return min(end + 1, len(text))
    return offset + 1


def _double_end(text: str, offset: int, depth: int) -> int:
    start = offset
    offset += 1
    while offset < len(text):
        plain = _IN_QUOTES.match(text, offset)
        if plain is not None:
            offset = plain.end()
            continue
        char = text[offset]
        if char == '"':
            return offset + 1
        if char == "\\":
            offset += 2
        else:
            offset = _quoted_end(text, offset, depth + 1)
    raise BrokenError(start)


def parentheses_end(text: str, offset: int, depth: int) -> int:
    """Behind the parenthesis that closes `$(`, `<(` or an array."""
    start = offset
    level = 1
    while offset < len(text):
        char = text[offset]
        if char == "\\":
            offset += 2
            continue
        if char in "'\"$`":
            offset = _quoted_end(text, offset, depth)
            continue
        if char == "#" and text[offset - 1] in " \t\n":
            newline = text.find("\n", offset)
            offset = len(text) if newline < 0 else newline
            continue
        level += (char == "(") - (char == ")")
        offset += 1
        if not level:
            return offset
    raise BrokenError(start)


def _braces_end(text: str, offset: int, depth: int) -> int:
    start = offset
    while offset < len(text):
        char = text[offset]
        if char == "}":
            return offset + 1
        if char == "\\":
            offset += 2
        elif char in "'\"$`":
            offset = _quoted_end(text, offset, depth)
        else:
            offset += 1
    raise BrokenError(start)


def _behind(text: str, char: str, start: int) -> int:
    offset = text.find(char, start)
    while char == "`" and offset > 0 and text[offset - 1] == "\\":
        offset = text.find(char, offset + 1)
    if offset < 0:
        raise BrokenError(start - 1)
    return offset + 1


def unquoted(text: str) -> str:
    return text.replace("'", "").replace('"', "").replace("\\", "")


def certain(text: str) -> str | None:
    """What a word is, if nothing has to be expanded for that: no variables, substitutions, globs, `~` or `{a,b}`."""
    if PLAIN.fullmatch(text) and not _EXPANDS.search(text):
        return text
    if "$" in text or "`" in text or _EXPANDS.search(_QUOTED.sub("", text)):
        if text.startswith("'") and text.endswith("'") and text.count("'") == 2:
            return text[1:-1]
        return None
    fields = expand(text, Scope())
    return fields[0] if fields is not None and len(fields) == 1 else None


_EXPANDS = pattern(r"[*?\[{<>]|^~")
_QUOTED = pattern(r"(?s)'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.")
