"""Runs Go templates: what https://pkg.go.dev/text/template says, as Helm sets it up (a missing key is nil)."""

from __future__ import annotations

import sys

from gracelint.base.record import Record
from gracelint.render.helm.syntax import (
    Action,
    Branch,
    Call,
    Constant,
    Dot,
    Function,
    Jump,
    Literal,
    Pipe,
    Range,
    Template,
    TemplateSyntaxError,
    Variable,
    parse,
)
from gracelint.render.helm.values import Native, kind, shown, truth
from gracelint.render.text import Text, concat, pieces_of, replaced
from gracelint.render.values import Items, TooLargeError, Tree, weigh
from gracelint.source import Origin, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from gracelint.render.helm.syntax import Operand, Statement
    from gracelint.source import Path


class TemplateError(Exception):
    """A template that cannot be run, as Helm would say or because it is too large. `origin`: where that shows."""

    def __init__(self, reason: str, origin: Origin | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.origin = origin


class Limits(Record):
    """What one template may take, and one release put out: of 160 public charts none took a sixth of the steps all in
    all, or a fourth of the output."""

    steps: int = 1_000_000
    """Statements run and functions called, each for as much as it reads and makes."""
    output: int = 20_000_000
    """Code points put out, those of templates in templates included."""
    depth: int = 200
    """Templates that run templates."""


class _BreakError(Exception):
    pass


class _ContinueError(Exception):
    pass


class _Scope:
    """Variables; those of the outer scope are seen and can be set."""

    __slots__ = ("_names", "_outer")

    def __init__(self, outer: _Scope | None = None) -> None:
        self._names: dict[str, Any] = {}
        self._outer = outer

    def get(self, name: str) -> Any:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope._names:
                return scope._names[name]
            scope = scope._outer
        raise TemplateError(f"undefined variable {name}")

    def declare(self, name: str, value: Any) -> None:
        self._names[name] = value

    def assign(self, name: str, value: Any) -> None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope._names:
                scope._names[name] = value
                return
            scope = scope._outer
        raise TemplateError(f"undefined variable {name}")


NO_VALUE = "<no value>"
"""What text/template prints for nil; Helm takes it out of what a whole template makes."""
_FRAMES = 6_000
"""Python's own limit is 1,000, which 60 templates in templates use up."""
_NO_DOT = object()
"""The dot of a template that is given none, or nil: all fields of it are nil, and so on down."""
_NOTHING = object()
"""No value from a command before; nil is one."""


class Machine:
    """Runs the templates of one chart and its subcharts."""

    def __init__(
        self,
        templates: Mapping[str, Template],
        functions: Mapping[str, Callable[..., Any]],
        reads: list[Path],
        limits: Limits = Limits(),  # noqa: B008 (it is frozen)
    ) -> None:
        """`reads` is where the functions note which of the chart's values they look at."""
        self._templates = dict(templates)
        self._functions = functions
        self._limits = limits
        self.steps = 0
        self._most = limits.steps
        self._output = 0
        self._depth = 0
        self._reads = reads
        self._literals: dict[int, tuple[Literal, Text]] = {}

    def allow(self, steps: int) -> None:
        """How many steps it may take from here on; no more than its limits let it."""
        self._most = self.steps + min(steps, self._limits.steps)

    def run(self, name: str, dot: Any) -> Text:
        """What a template puts out for a dot. Raises TemplateError."""
        template = self._templates.get(name)
        if template is None:
            raise TemplateError(f"no template {name!r}")
        if self._depth >= self._limits.depth:
            raise TemplateError(f"templates run each other more than {self._limits.depth} deep")
        if sys.getrecursionlimit() < _FRAMES:
            sys.setrecursionlimit(_FRAMES)
        self._spend(4)
        self._depth += 1
        scope = _Scope()
        scope.declare("$", dot)
        parts: list[str] = []
        try:
            self._walk(template.body, _NO_DOT if dot is None else dot, scope, template.source, parts)
        except RecursionError as error:
            raise TemplateError("templates run each other too deep") from error
        finally:
            self._depth -= 1
        text = concat(parts)
        return text if isinstance(text, Text) else Text(text, pieces_of(text))

    def _own(self, name: str) -> Callable[..., Any] | None:
        """The functions that run templates. A table of them would hold the machine in a circle, and all it has read."""
        own: dict[str, Callable[..., Any]] = {"include": self._include, "tpl": self._tpl}
        return own.get(name)

    def _include(self, name: Any, dot: Any = None) -> str:
        return self.run(shown(name), dot)

    def _tpl(self, text: Any, dot: Any) -> str:
        text = shown(text)
        if "{{" not in text:
            return replaced(text if isinstance(text, Text) else str.__str__(text), NO_VALUE, "")
        self._spend(len(text) // 4)
        name = f"tpl {self._depth}"
        source = Source("", str(text))
        before = self._templates
        try:
            self._templates = {**before, **parse(source, name)}
            made = replaced(self.run(name, dot), NO_VALUE, "")
        except TemplateSyntaxError as error:
            raise TemplateError(f"tpl: {error.reason}") from error
        finally:
            self._templates = before
        whole = text.pieces[0][1] if isinstance(text, Text) and len(text.pieces) == 1 else None
        file = whole if isinstance(whole, Origin) and whole.exact else None
        return Text(made, tuple((length, _outside(known, source, file)) for length, known in pieces_of(made)))

    def _spend(self, steps: int = 1) -> None:
        if self.steps + steps > self._most:
            raise TemplateError("too large to be followed")
        self.steps += steps

    # Statements

    def _walk(self, body: tuple[Statement, ...], dot: Any, scope: _Scope, source: Source, parts: list[str]) -> None:
        for statement in body:
            self._spend()
            if isinstance(statement, Literal):
                self._put(self._literal(statement, source), parts)
                continue
            try:
                self._do(statement, dot, scope, source, parts)
            except TemplateError as error:
                if error.origin is None:
                    error.origin = Origin(source, statement.start, statement.end)
                raise
            except TooLargeError as error:
                raise TemplateError(str(error), Origin(source, statement.start, statement.end)) from error

    def _literal(self, statement: Literal, source: Source) -> Text:
        """The text of a statement, made once however often it is put out."""
        if id(statement) not in self._literals:
            origin = Origin(source, statement.start, statement.end, True)
            text = Text(origin.span.text, ((statement.end - statement.start, origin),))
            self._literals[id(statement)] = (statement, text)
        return self._literals[id(statement)][1]

    def _put(self, text: str, parts: list[str]) -> None:
        self._output += len(text)
        if self._output > self._limits.output:
            raise TemplateError("too large to be followed")
        parts.append(text)

    def _do(self, statement: Statement, dot: Any, scope: _Scope, source: Source, parts: list[str]) -> None:
        if isinstance(statement, Action):
            self._print(statement, dot, scope, source, parts)
        elif isinstance(statement, Branch):
            inner = _Scope(scope)
            value = self._pipe(statement.pipe, dot, inner)
            if truth(value):
                self._walk(statement.body, value if statement.moves_dot else dot, inner, source, parts)
            else:
                self._walk(statement.otherwise, dot, inner, source, parts)
        elif isinstance(statement, Range):
            self._range(statement, dot, scope, source, parts)
        elif isinstance(statement, Call):
            value = self._pipe(statement.pipe, dot, scope) if statement.pipe is not None else None
            self._put(self.run(statement.name, value), parts)
        elif isinstance(statement, Jump):
            raise _BreakError if statement.word == "break" else _ContinueError

    def _print(self, action: Action, dot: Any, scope: _Scope, source: Source, parts: list[str]) -> None:
        mark = len(self._reads)
        value = self._pipe(action.pipe, dot, scope)
        reads = self._reads[mark:]
        del self._reads[mark:]
        if action.pipe.variables:
            return
        text = NO_VALUE if value is None else shown(value)
        origin = Origin(source, action.start, action.end, False, reads[-1] if reads else None)
        self._put(Text(text, tuple((length, _claimed(known, origin)) for length, known in pieces_of(text))), parts)

    def _range(self, statement: Range, dot: Any, scope: _Scope, source: Source, parts: list[str]) -> None:
        outer = _Scope(scope)
        pipe = statement.pipe
        value = self._pipe(Pipe(pipe.commands), dot, outer)
        if isinstance(value, (dict, list, tuple)):
            self._spend(len(value))
        pairs = list(self._pairs(value))
        if not pairs:
            self._walk(statement.otherwise, dot, outer, source, parts)
        for key, value in pairs:
            inner = _Scope(outer)
            for name, item in zip(reversed(pipe.variables), (value, key), strict=False):
                inner.declare(name, item)
            try:
                self._walk(statement.body, value, inner, source, parts)
            except _BreakError:
                break
            except _ContinueError:
                continue

    def _pairs(self, value: Any) -> Iterator[tuple[Any, Any]]:
        if isinstance(value, Native) and "items" in value.members:
            value = value.members["items"]
        if isinstance(value, dict):
            yield from ((key, value[key]) for key in sorted(value, key=str))
        elif isinstance(value, (list, tuple)):
            yield from enumerate(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            self._spend(max(value, 0))
            yield from ((number, number) for number in range(value))
        elif value is not None:
            raise TemplateError(f"range cannot go over a {kind(value)}")

    # Expressions

    def _pipe(self, pipe: Pipe, dot: Any, scope: _Scope) -> Any:
        value: Any = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, scope, value)
        for name in pipe.variables:
            if pipe.assigns:
                scope.assign(name, value)
            else:
                scope.declare(name, value)
        return value

    def _command(self, command: tuple[Operand, ...], dot: Any, scope: _Scope, last: Any) -> Any:
        head, *rest = command
        if isinstance(head, Function):
            return self._fields(self._call(head.name, rest, dot, scope, last), head.fields)
        if not rest and last is _NOTHING:
            return self._value(head, dot, scope)
        arguments = [self._value(operand, dot, scope) for operand in rest]
        if last is not _NOTHING:
            arguments.append(last)
        if isinstance(head, Constant) or not head.fields:
            raise TemplateError("arguments for what is no function")
        base = self._value(_without_fields(head), dot, scope)
        return self._fields(base, head.fields, arguments)

    def _value(self, operand: Operand, dot: Any, scope: _Scope) -> Any:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Dot):
            return None if dot is _NO_DOT else self._fields(dot, operand.fields)
        if isinstance(operand, Variable):
            value = scope.get(operand.name)
            return None if value is None else self._fields(value, operand.fields)
        if isinstance(operand, Pipe):
            value = self._pipe(operand, dot, scope)
            return None if value is None else self._fields(value, operand.fields)
        return self._fields(self._call(operand.name, [], dot, scope, _NOTHING), operand.fields)

    def _fields(self, value: Any, names: tuple[str, ...], arguments: Iterable[Any] = ()) -> Any:
        """`value.a.b`; where the last is a method, it gets the arguments."""
        for index, name in enumerate(names):
            value = self._field(value, name)
            if callable(value):
                method: Callable[..., Any] = value
                value = method(*arguments) if index == len(names) - 1 else method()
                self._spend(_size(value))
        return value

    def _field(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            if isinstance(value, Tree):
                if name == "AsMap" and name not in value:
                    return value  # a method of Helm's values
                self._reads.append((*value.path, name))
            return value.get(name)
        if isinstance(value, Native) and name in value.members:
            return value.members[name]
        if value is None:
            raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
        raise TemplateError(f"cannot evaluate field {name} of a {kind(value)}")

    def _call(self, name: str, operands: Iterable[Operand], dot: Any, scope: _Scope, last: Any) -> Any:
        if name in ("and", "or"):
            return self._choose(name, operands, dot, scope, last)
        function = self._functions.get(name) or self._own(name)
        if function is None:
            raise TemplateError(f"function {name!r} is not known")
        arguments = [self._value(operand, dot, scope) for operand in operands]
        if last is not _NOTHING:
            arguments.append(last)
        self._spend(1 + sum(_reading(name, argument) for argument in arguments))
        pattern, text = (*arguments, None, None)[:2]
        if name.startswith(_LOOKING) and isinstance(pattern, str) and isinstance(text, str):
            from gracelint.render.helm.functions.patterns import price

            self._spend(price(pattern, text))
        for argument in arguments:
            if isinstance(argument, (Tree, Items)):
                self._reads.append(argument.path)
        try:
            value = _sane(function(*arguments))
            self._spend(len(value) // _made_at_once(name) if isinstance(value, (str, list, dict)) else 0)
            self._spend(len(value.pieces) if isinstance(value, Text) else 0)
            return value
        except TooLargeError as error:
            raise TemplateError(str(error)) from error
        except AttributeError as error:
            raise TemplateError(f"{name}: an argument is of the wrong kind") from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"{name}: {error}") from error

    def _choose(self, name: str, operands: Iterable[Operand], dot: Any, scope: _Scope, last: Any) -> Any:
        """`and`, `or`: the first that decides; what comes after it is not looked at."""
        value: Any = None
        for operand in operands:
            value = self._value(operand, dot, scope)
            if truth(value) != (name == "and"):
                return value
        return value if last is _NOTHING else last


def _made_at_once(name: str) -> int:
    """How many code points of a text, or elements of a list, a function makes at the price of one step."""
    return 1 if name.startswith(("to", "mustTo")) else 64


def _reading(name: str, argument: Any) -> int:
    """The steps it takes a function to read an argument: many where it parses a text."""
    if isinstance(argument, str):
        return len(argument) // (4 if name.startswith(("from", "mustFrom", *_LOOKING)) else 1_024)
    if name in _READ_DEEP:
        return weigh(argument) // 2
    return len(argument) // (64 if name in _READ_AT_ONE_PLACE else 4) if isinstance(argument, (list, dict)) else 0


_LOOKING = ("regex", "mustRegex")
_READ_DEEP = ("deepCopy", "mustDeepCopy", "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite")
_READ_AT_ONE_PLACE = ("get", "set", "unset", "hasKey", "dig", "index", "default", "list", "dict", "include", "tpl")


def _size(value: Any) -> int:
    """The steps it takes to make what a method returns."""
    if isinstance(value, Native):
        value = value.members.get("items")
    return len(value) // (64 if isinstance(value, str) else 4) if isinstance(value, (str, list, dict)) else 0


_LONGEST_TEXT = 5_000_000
_LONGEST_LIST = 200_000


def _sane(value: Any) -> Any:
    """A function's result, unless it is larger than any chart needs."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise TooLargeError
    elif isinstance(value, (list, dict)) and len(value) > _LONGEST_LIST:
        raise TooLargeError
    return value


def _outside(known: Origin | Path | None, source: Source, file: Origin | None) -> Origin | Path | None:
    """The origin of a piece of a text from elsewhere: in the `file` that the text is, else the value that filled it."""
    if not isinstance(known, Origin) or known.source is not source:
        return known
    if file is None:
        return known.path
    return Origin(file.source, file.start + known.start, file.start + known.end, known.exact, known.path)


def _claimed(known: Origin | Path | None, origin: Origin) -> Origin:
    """The origin of a piece that an action puts out."""
    if isinstance(known, tuple):
        return Origin(origin.source, origin.start, origin.end, False, known)
    return known or origin


def _without_fields(operand: Dot | Variable | Function | Pipe) -> Operand:
    if isinstance(operand, Pipe):
        return Pipe(operand.commands, operand.variables, operand.assigns)
    return Variable(operand.name) if isinstance(operand, Variable) else Dot()
