"""The syntax of Go's text/template (https://pkg.go.dev/text/template), with the place of every node."""

from __future__ import annotations

import re

from gracelint.base.memory import lru_cache
from gracelint.base.numbers import is_digits
from gracelint.base.record import Record
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_NESTING = 100
"""Blocks, parentheses; the deepest of 200 public charts has 14."""


class TemplateSyntaxError(Exception):
    """A template that is none. `offset` is where that shows."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


# Expressions


class Constant(Record):
    value: Any


class Dot(Record):
    fields: tuple[str, ...] = ()


class Variable(Record):
    name: str
    fields: tuple[str, ...] = ()


class Function(Record):
    name: str
    fields: tuple[str, ...] = ()


class Pipe(Record):
    """Commands, each of which gets what the one before made as its last argument."""

    commands: tuple[tuple[Operand, ...], ...]
    variables: tuple[str, ...] = ()
    """What it is kept in."""
    assigns: bool = False
    """`=` rather than `:=`."""
    fields: tuple[str, ...] = ()
    """Where it stands in parentheses: `(…).field`."""


if TYPE_CHECKING:
    Operand = Constant | Dot | Variable | Function | Pipe

# Statements; `start` and `end` are offsets into the template.


class Literal(Record):
    start: int
    end: int


class Action(Record):
    pipe: Pipe
    start: int
    end: int


class Branch(Record):
    """`if` and `with`."""

    pipe: Pipe
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    start: int
    end: int
    moves_dot: bool = False


class Range(Record):
    pipe: Pipe
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    start: int
    end: int


class Call(Record):
    """`template "name" pipe`."""

    name: str
    pipe: Pipe | None
    start: int
    end: int


class Jump(Record):
    """`break` or `continue`."""

    word: str
    start: int
    end: int


if TYPE_CHECKING:
    Statement = Literal | Action | Branch | Range | Call | Jump


class Template(Record, identity=True):
    name: str
    body: tuple[Statement, ...]
    source: Source


def parse(source: Source, name: str) -> dict[str, Template]:
    """The template itself and all that it defines, by name. Raises TemplateSyntaxError."""
    reader = _Reader(source)
    body, _ = reader.block(("",), 0)
    return {**reader.defined, name: Template(name, body, source)}


# Actions


_SPACE = " \t\r\n"
_OPEN = re.compile(r"\{\{(-(?=[ \t\r\n]))?")
_STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`' + r"|'(?:[^'\\\n]|\\.)+'|\}\}|[^\"`'}]+|.", re.DOTALL)


class _Item(Record):
    """A stretch of literal text (`word` is None), or an action: its keyword, and the rest of it from `at`."""

    start: int
    end: int
    word: str | None = None
    at: int = 0
    until: int = 0


_KEYWORD = re.compile(r"(if|else|end|range|with|define|template|block|break|continue)(?!\w)")


def _items(text: str) -> list[_Item]:
    items: list[_Item] = []
    position, trim = 0, False
    while True:
        opening = _OPEN.search(text, position)
        end = opening.start() if opening else len(text)
        start = _after_space(text, position, end) if trim else position
        stop = _before_space(text, start, end) if opening is not None and opening[1] else end
        if start < stop:
            items.append(_Item(start, stop))
        if opening is None:
            return items
        at = _after_space(text, opening.end(), len(text))
        if text.startswith("/*", at):
            position, trim = _after_comment(text, at)
            continue
        close = _closing(text, at)
        trim = text[close - 1] == "-" and close - 1 > at and text[close - 2] in _SPACE
        until = close - 1 if trim else close
        keyword = _KEYWORD.match(text, at, until)
        items.append(_Item(opening.start(), close + 2, keyword[1] if keyword else "", at, until))
        position = close + 2


def _after_space(text: str, start: int, end: int) -> int:
    while start < end and text[start] in _SPACE:
        start += 1
    return start


def _before_space(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] in _SPACE:
        end -= 1
    return end


def _after_comment(text: str, at: int) -> tuple[int, bool]:
    end = text.find("*/", at)
    if end < 0:
        raise TemplateSyntaxError("a comment that does not end", at)
    after = _after_space(text, end + 2, len(text))
    trim = text.startswith("-", after) and after > end + 2
    if not text.startswith("}}", after + trim):
        raise TemplateSyntaxError("a comment ends before its action does", end)
    return after + trim + 2, trim


def _closing(text: str, at: int) -> int:
    """Where the `}}` of an action stands; one in a string is none."""
    for token in _STRINGS.finditer(text, at):
        if token[0] == "}}":
            return token.start()
    raise TemplateSyntaxError("an action that does not end", at)


_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<char>'(?:[^'\\\n]|\\.)+')
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][-+]?[0-9]+)?|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?))
    |(?P<variable>\$\w*)
    |(?P<field>\.[^\W0-9]\w*)
    |(?P<dot>\.)
    |(?P<name>[^\W0-9]\w*)
    |(?P<sign>:=|=|\||\(|\)|,))""",
    re.VERBOSE,
)


class _Token(Record):
    kind: str
    text: str
    start: int
    joined: bool = False
    """Nothing stands between it and the one before."""


def _tokens(text: str, at: int, until: int) -> list[_Token]:
    tokens = []
    until = _before_space(text, at, until)
    while at < until:
        match = _TOKEN.match(text, at, until)
        if match is None or match.lastgroup is None:
            at = _after_space(text, at, until)
            raise TemplateSyntaxError(f"unexpected {text[at]!r} in an action", at)
        start, end = match.span(match.lastgroup)
        tokens.append(_Token(match.lastgroup, text[start:end], start, start == at))
        at = end
    return tokens


class _Reader:
    """Items → statements."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.defined: dict[str, Template] = {}
        self._items = _items(source.text)
        self._next = 0

    def block(self, ends: tuple[str, ...], depth: int) -> tuple[tuple[Statement, ...], _Item | None]:
        """Statements up to one of the closing words, and that item; "" stands for the end of the text."""
        if depth > MAX_NESTING:
            raise TemplateSyntaxError("nested too deeply", self._items[self._next - 1].start)
        body: list[Statement] = []
        while self._next < len(self._items):
            item = self._items[self._next]
            self._next += 1
            if item.word in ("end", "else"):
                if item.word not in ends:
                    raise TemplateSyntaxError(f"unexpected {{{{ {item.word} }}}}", item.start)
                return tuple(body), item
            statement = self._statement(item, depth)
            if statement is not None:
                body.append(statement)
        if "" not in ends:
            raise TemplateSyntaxError("a block without its {{ end }}", len(self.source.text))
        return tuple(body), None

    def _statement(self, item: _Item, depth: int) -> Statement | None:
        word = item.word
        if word is None:
            return Literal(item.start, item.end)
        if word in ("if", "with", "range"):
            return self._branch(item, item.at + len(word), word, depth)
        if word in ("break", "continue"):
            return Jump(word, item.start, item.end)
        if word == "define":
            name, _ = self._name(item)
            body, _ = self.block(("end",), depth + 1)
            self.defined[name] = Template(name, body, self.source)
            return None
        if word in ("template", "block"):
            name, tokens = self._name(item)
            rest = _Expression(tokens, item.start)
            pipe = rest.whole() if rest.more() else None
            if word == "block":
                body, _ = self.block(("end",), depth + 1)
                self.defined.setdefault(name, Template(name, body, self.source))
            return Call(name, pipe, item.start, item.end)
        return Action(self._pipe(item, item.at), item.start, item.end)

    def _branch(self, item: _Item, at: int, word: str, depth: int) -> Branch | Range:
        pipe = self._pipe(item, at)
        body, closing = self.block(("else", "end"), depth + 1)
        otherwise: tuple[Statement, ...] = ()
        if closing is not None and closing.word == "else":
            at = _after_space(self.source.text, closing.at + len("else"), closing.until)
            chained = _KEYWORD.match(self.source.text, at, closing.until)
            if chained is not None and chained[1] in ("if", "with"):
                otherwise = (self._branch(closing, at + len(chained[1]), chained[1], depth + 1),)
            else:
                otherwise, _ = self.block(("end",), depth + 1)
        if word == "range":
            return Range(pipe, body, otherwise, item.start, item.end)
        return Branch(pipe, body, otherwise, item.start, item.end, word == "with")

    def _pipe(self, item: _Item, at: int) -> Pipe:
        text = self.source.text[at : item.until]
        try:
            return _short(text) if len(text) <= _SHORT_EXPRESSION else _expression(text)
        except TemplateSyntaxError as error:
            raise TemplateSyntaxError(error.reason, at + error.offset) from error

    def _name(self, item: _Item) -> tuple[str, list[_Token]]:
        """The template's name behind `define`, `template` or `block`, and what follows."""
        assert item.word is not None
        tokens = _tokens(self.source.text, item.at + len(item.word), item.until)
        if not tokens or tokens[0].kind != "string":
            raise TemplateSyntaxError(f"{item.word} without a name", item.start)
        return unquoted(tokens[0].text, item.start), tokens[1:]


_END = _Token("end", "", 0)
_SHORT_EXPRESSION = 200
"""Code points of one that is remembered: charts repeat the same few, and those of a library stand in each of them."""


def _expression(text: str) -> Pipe:
    return _Expression(_tokens(text, 0, len(text)), 0).whole()


_short = lru_cache(5_000)(_expression)


class _Expression:
    """Tokens → a pipe."""

    def __init__(self, tokens: list[_Token], start: int) -> None:
        self._tokens = tokens
        self._start = start
        self._next = 0
        self._depth = 0

    def more(self) -> bool:
        return self._next < len(self._tokens)

    def whole(self) -> Pipe:
        pipe = self._pipe()
        if self.more():
            raise TemplateSyntaxError(f"unexpected {self._peek().text!r} in an action", self._peek().start)
        return pipe

    def _peek(self) -> _Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _pipe(self) -> Pipe:
        variables, assigns = self._variables()
        commands = [self._command()]
        while self._peek().text == "|":
            self._take()
            if self._peek() is _END or self._peek().text == ")":
                break  # Go lets a pipe lead nowhere
            commands.append(self._command())
        return Pipe(tuple(commands), variables, assigns)

    def _variables(self) -> tuple[tuple[str, ...], bool]:
        start = self._next
        names = []
        while self._peek().kind == "variable":
            names.append(self._take().text)
            if self._peek().text != ",":
                break
            self._take()
        if names and self._peek().text in (":=", "="):
            return tuple(names), self._take().text == "="
        self._next = start
        return (), False

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while True:
            token = self._peek()
            if token.kind == "end" or token.text in ("|", ")"):
                break
            operands.append(self._operand())
        if not operands:
            raise TemplateSyntaxError("an action without a value", self._start)
        return tuple(operands)

    def _operand(self) -> Operand:
        token = self._take()
        if token.kind == "sign" and token.text == "(":
            return self._group(token)
        if token.kind == "field":
            return Dot((token.text[1:], *self._fields()))
        if token.kind == "dot":
            return Dot()
        if token.kind == "variable":
            return Variable(token.text, self._fields())
        if token.kind == "name" and token.text not in _WORDS:
            return Function(token.text, self._fields())
        return Constant(_constant(token))

    def _group(self, token: _Token) -> Pipe:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise TemplateSyntaxError("nested too deeply", token.start)
        inner = self._pipe()
        self._depth -= 1
        if self._take().text != ")":
            raise TemplateSyntaxError("a parenthesis that is not closed", token.start)
        return Pipe(inner.commands, inner.variables, inner.assigns, self._fields())

    def _fields(self) -> tuple[str, ...]:
        names = []
        while (token := self._peek()).kind == "field" and token.joined:
            names.append(self._take().text[1:])
        return tuple(names)


_WORDS: dict[str, Any] = {"true": True, "false": False, "nil": None}


def _constant(token: _Token) -> Any:
    readers: dict[str, Callable[[_Token], Any]] = {
        "string": lambda token: unquoted(token.text, token.start),
        "char": lambda token: ord(unquoted(token.text, token.start)[:1] or "\0"),
        "number": _number,
        "name": lambda token: _WORDS[token.text],
    }
    reader = readers.get(token.kind)
    if reader is None:
        raise TemplateSyntaxError(f"unexpected {token.text!r} in an action", token.start)
    return reader(token)


_LONGEST_NUMBER = 40


def _number(token: _Token) -> int | float:
    text = token.text.replace("_", "")
    if len(text) > _LONGEST_NUMBER:
        raise TemplateSyntaxError("a number of too many digits", token.start)
    digits = text.lstrip("+-")
    try:
        if is_digits(digits) and digits[0] == "0":
            return int(text, 8)
        if "p" in text.lower():
            return float.fromhex(text)
        return int(text, 0) if digits[:2].lower() in ("0x", "0b", "0o") or is_digits(digits) else float(text)
    except (ValueError, OverflowError) as error:
        raise TemplateSyntaxError(f"{token.text!r} is no number", token.start) from error


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unquoted(text: str, offset: int) -> str:
    """What a Go string or character constant means. Raises TemplateSyntaxError for a code point there is not."""
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")

    def meant(escape: re.Match[str]) -> str:
        if escape[5] is not None:
            return _SHORT.get(escape[5], escape[5])
        code = int(escape[4], 8) if escape[4] else int(escape[1] or escape[2] or escape[3], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise TemplateSyntaxError("an escape that is no code point", offset)
        return chr(code)

    return _ESCAPE.sub(meant, text[1:-1])
