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
_VARIABLE = pattern(r"\$\{\s*([A-Za-z_]\w*)\s*\}")
_DEEPEST = 50
_LONGEST = 1_000
"""Characters of a variable's value; a longer one is not put in."""


def read_targets(text: str) -> dict[str, dict[str, Value]]:
    """The targets by name, with variables' defaults put in; what cannot be told is None."""
    reader = _Reader([(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)])
    blocks = reader.blocks()
    variables = {name: body.get("default") for kind, name, body in blocks if kind == "variable"}
    return {name: _filled(body, variables) for kind, name, body in blocks if kind == "target"}


def _filled(body: dict[str, Value], variables: Mapping[str, Value]) -> dict[str, Value]:
    return {key: _put(value, variables) for key, value in body.items()}


def _put(value: Value, variables: Mapping[str, Value]) -> Value:
    if isinstance(value, list):
        return [_put(item, variables) for item in value]
    if isinstance(value, dict):
        return _filled(value, variables)
    if value is None:
        return None
    if value.startswith("\0"):
        return variables.get(value[1:])
    return _VARIABLE.sub(lambda match: _text(variables.get(match[1]), match[0]), value)


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
            value = self._list(depth)
        elif kind == "text":
            value = text.replace('\\"', '"')
        elif kind == "word":
            value = f"\0{text}"
        if self._peek()[0] in ("newline", "end") or self._peek()[1] in ("}", "]", ","):
            return value
        self._skip()
        return None

    def _list(self, depth: int) -> list[Value]:
        found: list[Value] = []
        while (token := self._peek())[0] != "end" and token != ("sign", "]"):
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
            if not depth and (token[0] == "newline" or token[1] in ("}", "]", ",")) and token[0] != "text":
                return
            if token[0] == "sign":
                depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token[1], 0)
            self._next()
