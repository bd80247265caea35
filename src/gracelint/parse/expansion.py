"""Expanding shell words: parameters, quotes and field splitting, as far as the files tell."""

from __future__ import annotations

import posixpath

from gracelint.base.limits import EXPANDED
from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.base.posix import normal
from gracelint.base.record import Record, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OTHER_VARIABLES = ""
"""Among variables, None under this name says that any other may be set, too."""
ITEMS = "\x1f"
"""Stands between the words of `$@` and of arrays, which stay several words even in quotes."""

_NAME = pattern(r"[A-Za-z_]\w*")
_BRACED = pattern(r"(?s)([#!]?)([A-Za-z_]\w*|[0-9]+|[@*#?$!-])(\[[@*]\])?(?:(:?[-=+?]|%%?|##?)(.*))?")
_KEYED = pattern(r"([A-Za-z_]\w*)\[(\$\{?[A-Za-z_]\w*\}?)\]")
_ITEM = pattern(r"([A-Za-z_]\w*)\[([0-9]{1,3})\]")
_PART = pattern(r"([A-Za-z_]\w*|[0-9]):( +-?[0-9]{1,6}|[0-9]{1,6})(?::([0-9]{1,6}))?")
"""`${x:1:2}`; a minus needs a blank before it (`${x: -1}`), for `${x:-1}` is a default."""
_SPLITS = pattern(f"[ \t\n{ITEMS}]+")
_LONGEST_CUT = 1_000
"""Characters of a value from which `${x#pattern}` cuts, or of a `$(…)` that moves: each length is tried."""
_SET_AT_RUN_TIME = frozenset(
    ("HOME", "PATH", "PWD", "OLDPWD", "HOSTNAME", "USER", "LOGNAME", "TERM", "UID", "EUID", "PPID", "SHLVL", "UNKNOWN")
)


class Scope(Record):
    """What a word is expanded with."""

    variables: Mapping[str, str | None] = field(default_factory=dict)
    """None is a variable that is set to something unknown; a name that is not here is unset."""
    positional: tuple[str, ...] | None = ()
    """`$1`, `$2` …; None where they are unknown."""
    name: str | None = None
    """`$0`."""


def expand(text: str, scope: Scope) -> tuple[str, ...] | None:
    """The words that a word's text becomes, or None where that is only known when it runs. Globs stay as they are."""
    pieces: list[tuple[str, bool]] = []
    length = 0
    longest = len(text) + EXPANDED
    for piece, quoted in _pieces(text, scope):
        if piece is None:
            return None
        length += len(piece)
        if length > longest:
            return None
        pieces.append((piece, quoted))
    return tuple(_fields(pieces))


def expand_all(text: str, scope: Scope) -> tuple[str, ...] | None:
    """The words of a list of words, such as an array's."""
    words: list[str] = []
    for part in _parts(text):
        fields = expand(part, scope)
        if fields is None:
            return None
        words.extend(fields)
    return tuple(words)


def _parts(text: str) -> Iterator[str]:
    """The words of a text as they are written, split at the blanks outside quotes and substitutions."""
    start = offset = 0
    while offset < len(text):
        char = text[offset]
        if char.isspace():
            if start < offset:
                yield text[start:offset]
            start = offset + 1
        offset = _behind(text, offset)
    if start < offset:
        yield text[start:]


def _has_operators(text: str) -> bool:
    """Whether a text is more than one simple command."""
    offset = 0
    while offset < len(text):
        if text[offset] in "|&;<>(":
            return True
        offset = _behind(text, offset)
    return False


def _behind(text: str, offset: int) -> int:
    """Behind the character at an offset, or behind what it opens: quotes or a substitution."""
    char = text[offset]
    if char == "\\":
        return offset + 2
    if char in "'`":
        return _find(text, char, offset + 1) + 1
    if char == "$" and text[offset + 1 : offset + 2] in ("(", "{"):
        return _closing(text, offset + 1)
    if char != '"':
        return offset + 1
    offset += 1
    while offset < len(text) and text[offset] != '"':
        offset = offset + 1 if text[offset] == "'" else _behind(text, offset)
    return offset + 1


def _fields(pieces: list[tuple[str, bool]]) -> Iterator[str]:
    """Splits unquoted expansions at blanks, and all of them between items."""
    current: str | None = None
    for piece, quoted in pieces:
        if quoted and piece == ITEMS:
            continue
        for index, part in enumerate(piece.split(ITEMS) if quoted else _SPLITS.split(piece)):
            if index and current is not None:
                yield current
                current = None
            if part or quoted:
                current = (current or "") + part
    if current is not None:
        yield current


def _pieces(text: str, scope: Scope) -> Iterator[tuple[str | None, bool]]:
    """The parts of a word's text, each with its value and whether it is safe from splitting."""
    offset = 0
    length = len(text)
    quoted = False
    while offset < length:
        char = text[offset]
        if char == '"':
            quoted = not quoted
            offset += 1
            if quoted and text.startswith('"', offset):
                yield "", True
        elif char == "'" and not quoted:
            end = _find(text, "'", offset + 1)
            yield text[offset + 1 : end], True
            offset = end + 1
        elif char == "\\":
            following = text[offset + 1 : offset + 2]
            offset += 2
            if following != "\n":
                yield (char + following if quoted and following not in '$`"\\' else following), True
        elif char == "`":
            end = _find(text, "`", offset + 1)
            yield _substituted(text[offset + 1 : end], scope), quoted
            offset = end + 1
        elif char == "$":
            value, offset = _parameter(text, offset, scope, quoted)
            yield value, quoted
        else:
            end = offset + 1
            while end < length and text[end] not in '"\\`$' and (quoted or text[end] != "'"):
                end += 1
            yield text[offset:end], True
            offset = end


def _parameter(text: str, offset: int, scope: Scope, quoted: bool) -> tuple[str | None, int]:
    """The value of the `$…` at an offset, and where it ends."""
    following = text[offset + 1 : offset + 2]
    if following == "(":
        end = _closing(text, offset + 1)
        value = None if text.startswith("((", offset + 1) else _substituted(text[offset + 2 : end - 1], scope)
        return value, end
    if following == "{":
        end = _closing(text, offset + 1)
        return _braced(text[offset + 2 : end - 1], scope), end
    if following == "'" and not quoted:
        end = _find(text, "'", offset + 2)
        value = text[offset + 2 : end]
        return (None if "\\" in value else value), end + 1
    name = _NAME.match(text, offset + 1)
    if name is not None:
        return _value(name[0], scope), name.end()
    if following and following in "@*#?-$!0123456789":
        return _value(following, scope), offset + 2
    return "$", offset + 1


def _value(name: str, scope: Scope) -> str | None:
    """The value of a variable or parameter; an unset one is empty."""
    if name in ("0", "BASH_SOURCE"):
        return scope.name
    if name in scope.variables:
        return scope.variables[name]
    if name in ("?", "-", "$", "!") or name in _SET_AT_RUN_TIME:
        return None
    if not (is_whole(name) or name in ("@", "*", "#")):
        return None if OTHER_VARIABLES in scope.variables else ""
    if scope.positional is None:
        return None
    if name == "#":
        return str(len(scope.positional))
    if name == "@":
        return ITEMS.join(scope.positional) or ITEMS
    if name == "*":
        return " ".join(scope.positional)
    return scope.positional[int(name) - 1] if int(name) <= len(scope.positional) else ""


def _braced(inside: str, scope: Scope) -> str | None:
    """`${…}`: defaults, alternatives, lengths, and prefixes or suffixes that are cut off."""
    if inside == "BASH_SOURCE[0]":
        return scope.name
    part = _PART.fullmatch(inside)
    if part is not None:
        whole = _value(part[1], scope)
        return None if whole is None else _slice(whole, int(part[2]), part[3])
    item = _ITEM.fullmatch(inside)
    if item is not None:
        return _item(scope.variables.get(item[1]), int(item[2]))
    keyed = _KEYED.fullmatch(inside)
    if keyed is not None:
        key = _text(keyed[2], scope)
        return _item(scope.variables.get(keyed[1]), int(key)) if key is not None and is_whole(key) else None
    found = _BRACED.fullmatch(inside)
    if found is None:
        return None
    length, name, items, operator, argument = found.groups()
    if length == "!" and items:
        return _keys(scope.variables.get(name))
    if length == "!":
        indirect = _value(name, scope)
        if indirect is None or not _NAME.fullmatch(indirect):
            return None
        length, name = "", indirect
    value = _value(name, scope)
    if value is None:
        return None
    if items and not value:
        value = ITEMS
    if length:
        return None if items else str(len(value))
    if operator is None:
        return value
    if operator[-1] not in "-=+?":
        pattern = _text(argument, scope)
        return None if pattern is None else _cut(value, pattern, operator)
    present = value not in ("", ITEMS)
    if not operator.startswith(":") and name in scope.variables:
        present = True
    if operator.endswith("+"):
        return _text(argument, scope) if present else ""
    if present:
        return value
    return None if operator.endswith("?") else _text(argument, scope)


def _keys(array: str | None) -> str | None:
    """`${!x[@]}`: the keys of an array; those that are words are numbered like the others."""
    return None if array is None else ITEMS.join(map(str, range(len(array.split(ITEMS))))) if array else ITEMS


def _item(array: str | None, index: int) -> str | None:
    """`${x[1]}`: one word of an array that the script itself has set."""
    if array is None:
        return None
    words = array.split(ITEMS)
    return words[index] if index < len(words) else ""


def _slice(value: str, start: int, length: str | None) -> str:
    """`${x:start:length}`; a negative start counts from the end."""
    start = max(len(value) + start, 0) if start < 0 else start
    return value[start:] if length is None else value[start : start + int(length)]


def _text(text: str, scope: Scope) -> str | None:
    fields = expand(text if '"' in text or "'" in text else f'"{text}"', scope)
    return None if fields is None else " ".join(fields)


def _cut(value: str, pattern: str, operator: str) -> str | None:
    from fnmatch import fnmatchcase

    if len(value) > _LONGEST_CUT:
        return None
    shortest = range(len(value) + 1)
    ends = reversed(shortest) if operator in ("##", "%") else shortest
    for end in ends:
        if operator[0] == "#" and fnmatchcase(value[:end], pattern):
            return value[end:]
        if operator[0] == "%" and fnmatchcase(value[end:], pattern):
            return value[:end]
    return value


def _substituted(text: str, scope: Scope) -> str | None:
    """What `$(…)` prints, for the few commands that only rearrange text."""
    moved = _CD.fullmatch(text) if len(text) < _LONGEST_CUT else None
    if moved is not None:
        folder = expand(moved[1], scope)
        return _moved(folder[0], scope) if folder is not None and len(folder) == 1 else None
    if text.startswith("<"):
        text = f"cat {text[1:]}"
    words = None if _has_operators(text) else expand_all(text, scope)
    if not words:
        return None
    name, *arguments = (word for word in words if word != "--")
    if name == "echo" and not any(argument.startswith("-") for argument in arguments):
        return " ".join(arguments)
    line = " ".join((name, *arguments))
    if line in scope.variables or line in _ANSWERS:
        return scope.variables.get(_ANSWERS.get(line, line))
    if len(arguments) != (2 if arguments and arguments[0] in ("-v", "-f") else 1):
        return None
    path = arguments[-1]
    if name == "dirname":
        return posixpath.dirname(path) or "."
    if name == "basename":
        return posixpath.basename(path)
    if name in ("which", "command"):
        return path
    return _moved(path, scope) if name in ("realpath", "readlink") else None


def _moved(path: str, scope: Scope) -> str | None:
    """Where a path leads from the working directory."""
    here = "/" if path.startswith("/") else scope.variables.get("PWD")
    return None if here is None else normal(posixpath.join(here, path))


_CD = pattern(
    r"\s*cd\s+(?:-P\s+|--\s+)*([^&;|<>\n]+?)\s*(?:[12&]?>+\s*(?:/dev/null|&1)\s*)*(?:&&|;)\s*pwd(?:\s+-P)?\s*"
)
"""`cd FOLDER && pwd`."""
_ANSWERS = {
    "pwd": "PWD",
    "id -u": "EUID",
    "id -un": "whoami",
    "whoami": "whoami",
    "jobs -p": "jobs -p",
    "jobs -rp": "jobs -rp",
    "jobs -pr": "jobs -rp",
    "jobs -r -p": "jobs -rp",
    "jobs -p -r": "jobs -rp",
}
"""Commands whose output is kept as a variable of that name."""


def _find(text: str, char: str, start: int) -> int:
    end = text.find(char, start)
    return len(text) if end < 0 else end


def _closing(text: str, offset: int) -> int:
    """Behind the bracket that closes the one at an offset, in text whose quotes are known to match."""
    opening = text[offset]
    closing = ")" if opening == "(" else "}"
    level = 0
    quoted = False
    while offset < len(text):
        char = text[offset]
        if char == "\\":
            offset += 1
        elif char == '"':
            quoted = not quoted
        elif char == "'" and not quoted:
            offset = _find(text, "'", offset + 1)
        elif char == opening:
            level += 1
        elif char == closing:
            level -= 1
            if not level:
                return offset + 1
        offset += 1
    return len(text)
