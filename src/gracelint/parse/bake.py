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
_CALL = "\0call"
"""The key of a call of a function: its name, and what it is given."""
_DEEPEST = 50
_LONGEST = 1_000
"""Characters of a variable's value; a longer one is not put in."""


def read_targets(text: str) -> dict[str, dict[str, Value]]:
    """The targets by name, with variables' defaults put in; what cannot be told is None."""
    reader = _Reader([(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)])
    blocks = reader.blocks()
    variables = {name: body.get("default") for kind, name, body in blocks if kind == "variable"}
    variables |= {f"{name}()": dict(body) for kind, name, body in blocks if kind == "function"}
    return {name: _filled(body, variables) for kind, name, body in blocks if kind == "target"}


def _filled(body: dict[str, Value], variables: Mapping[str, Value]) -> dict[str, Value]:
    return {key: _put(value, variables) for key, value in body.items()}


def _put(value: Value, variables: Mapping[str, Value]) -> Value:
    if isinstance(value, list):
        return _filled_list(value, variables)
    if isinstance(value, dict):
        return _called(value[_CALL], variables) if _CALL in value else _filled(value, variables)
    if value is None:
        return None
    if value.startswith("\0"):
        return variables.get(value[1:], value)
    return _VARIABLE.sub(lambda match: _text(variables.get(match[1]), match[0]), value)


def _called(call: Value, variables: Mapping[str, Value]) -> Value:
    """What a function of the file makes; functions that it calls itself are not followed."""
    words = call if isinstance(call, list) else []
    name, given = words[0] if words else None, words[1:]
    function = variables.get(f"{name}()")
    params = function.get("params") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(params, list):
        return None
    plain = {key: value for key, value in variables.items() if not key.endswith("()")}
    names = [param.removeprefix("\0") for param in params if isinstance(param, str)]
    return _put(function.get("result"), {**plain, **dict(zip(names, _filled_list(given, plain), strict=False))})


def _filled_list(values: list[Value], variables: Mapping[str, Value]) -> list[Value]:
    return [_put(value, variables) for value in values]


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
        while self._peek() == ("sign", "."):
            self._next()
            text = f"{text}.{self._next()[1]}"
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
