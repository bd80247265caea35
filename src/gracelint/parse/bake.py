"""Bake files (docker-bake.hcl): the attributes of their targets, as far as they are plain text, lists and maps."""

from __future__ import annotations

from gracelint.base.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = str | list["Value"] | dict[str, "Value"] | None

_TOKEN = pattern(
    r"""(?xs)(?P<skip>[ \t\r]+|\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<newline>\n)
    |"(?P<text>(?:[^"\\]|\\.)*)"
    |(?P<word>[A-Za-z_][\w-]*|-?[0-9][\w.]*)
    |(?P<sign>[{}\[\]=:,()?]|.)""",
)
_VARIABLE = pattern(r"\$\{[ \t]{0,20}([A-Za-z_][\w.]*)[ \t]{0,20}\}")
_CALL = "\0call"
"""The key of a call of a function: its name, and what it is given."""
_DEEPEST = 50
_LONGEST = 1_000
"""Characters of a variable's value; a longer one is not put in."""
_MOST = 20
"""Values put into one text, and texts that a function makes."""
_MOST_CALLS = 500
"""Of the functions of a file."""


def read_targets(text: str) -> dict[str, dict[str, Value]]:
    """The targets by name, with variables' defaults put in; what cannot be told is None."""
    reader = _Reader([(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)])
    blocks = reader.blocks()
    variables = {name: body.get("default") for kind, name, body in blocks if kind == "variable"}
    functions = {name: body for kind, name, body in blocks if kind == "function"}
    room = iter(range(_MOST_CALLS))

    def put(value: Value) -> Value:
        if isinstance(value, list):
            return [put(item) for item in value]
        if isinstance(value, dict):
            return called(value[_CALL]) if _CALL in value else {key: put(item) for key, item in value.items()}
        return filled(value, variables)

    def called(call: Value) -> Value:
        """What a function of the file makes; functions that it calls itself are not followed."""
        name, *given = (call if isinstance(call, list) else []) or [None]
        function = functions.get(name) if isinstance(name, str) and next(room, None) is not None else None
        params = function.get("params") if function is not None else None
        if function is None or not isinstance(params, list):
            return None
        names = [param.removeprefix("\0") for param in params if isinstance(param, str)]
        known = {**variables, **dict(zip(names, (filled(one, variables) for one in given), strict=False))}
        result = function.get("result")
        return [filled(one, known) for one in result[:_MOST]] if isinstance(result, list) else filled(result, known)

    return {name: {key: put(value) for key, value in body.items()} for kind, name, body in blocks if kind == "target"}


def filled(value: Value, variables: Mapping[str, Value]) -> Value:
    """A text with variables put in, or the variable that it names; None for anything but a text."""
    if not isinstance(value, str):
        return None
    if value.startswith("\0"):
        return variables.get(value[1:], value)
    return _VARIABLE.sub(lambda match: _text(variables.get(match[1]), match[0]), value, count=_MOST)


def _text(value: Value, otherwise: str) -> str:
    fits = isinstance(value, str) and not value.startswith("\0") and len(value) < _LONGEST
    return value if fits and isinstance(value, str) else otherwise


class _Reader:
    """Reads tokens once, from first to last."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [token for token in tokens if token[0] != "skip"]
        self._at = 0

    def blocks(self) -> list[tuple[str, str, dict[str, Value]]]:
        found = []
        while self._at < len(self._tokens):
            kind, word = self._next()
            if kind != "word":
                continue
            label = self._next()[1] if self._peek()[0] == "text" else ""
            if self._peek() == ("sign", "{"):
                self._next()
                found.append((word, label, self._map(0)))
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _map(self, depth: int) -> dict[str, Value]:
        """The entries up to the closing brace."""
        found: dict[str, Value] = {}
        if depth > _DEEPEST:
            self._at = len(self._tokens)
        while (token := self._next())[0] != "end" and token != ("sign", "}"):
            if token[0] in ("word", "text") and self._peek() in (("sign", "="), ("sign", ":")):
                self._next()
                found[token[1]] = self._value(depth + 1)
            elif token == ("sign", "{"):
                self._map(depth + 1)
        return found

    def _value(self, depth: int) -> Value:
        kind, text = self._next()
        value: Value = None
        if depth > _DEEPEST:
            return None
        if (kind, text) == ("sign", "{"):
            value = self._map(depth)
        elif (kind, text) == ("sign", "["):
            value = self._list(depth, "]")
        elif kind == "text":
            value = text.replace('\\"', '"')
        elif kind == "word":
            value = self._named(text, depth)
        if self._peek()[0] in ("newline", "end") or self._peek()[1] in ("}", "]", ")", ","):
            return value
        self._skip()
        return None

    def _named(self, text: str, depth: int) -> Value:
        """A variable, a part of one (`item.name`), or a call."""
        parts = [text]
        while self._peek() == ("sign", "."):
            self._next()
            parts.append(self._next()[1])
        text = ".".join(parts)
        if self._peek() != ("sign", "("):
            return f"\0{text}"
        self._next()
        return {_CALL: [text, *self._list(depth, ")")]}

    def _list(self, depth: int, end: str) -> list[Value]:
        found: list[Value] = []
        while (token := self._peek())[0] != "end" and token != ("sign", end):
            if token[0] == "newline" or token == ("sign", ","):
                self._next()
            else:
                found.append(self._value(depth + 1))
        self._next()
        return found

    def _skip(self) -> None:
        """Goes on to where an expression ends."""
        depth = 0
        while (token := self._peek())[0] != "end":
            if not depth and (token[0] == "newline" or token[1] in ("}", "]", ")", ",")) and token[0] != "text":
                return
            if token[0] == "sign":
                depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token[1], 0)
            self._next()
