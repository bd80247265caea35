"""A machine for the languages whose front end makes nodes: names, members, calls, objects."""

from __future__ import annotations

from gracelint.behaviour.machine import interest, library
from gracelint.behaviour.machine.arithmetic import equal, held
from gracelint.behaviour.machine.evaluation import evaluate
from gracelint.behaviour.machine.frames import Closure, Frame, Leave
from gracelint.behaviour.machine.machine import Machine, receive
from gracelint.behaviour.machine.nodes import Call, Class, Const, Field, Function, Name, Return, Try
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    UNSET,
    Ctx,
    Doubt,
    Lib,
    Method,
    Native,
    Object,
    OneOf,
    Raised,
    Scope,
    Sig,
    Unknown,
    Wait,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.nodes import Node
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span


class Interpreter(Machine):
    """A language gives: what its names mean, what libraries do that no row can say, and what the signal does."""

    eager_tasks = True
    """Calling a task starts it; else it runs once it is awaited."""
    errors: tuple[str, ...] = ("Exception",)
    """What a catch without classes catches."""
    whole_quotients = True
    """An integer by an integer is an integer."""
    bare_calls = False
    """A name by itself may call a function."""
    _words: frozenset[str] | None = None
    nothing: tuple[str, ...] = ()
    """What a method of nil raises: the exception's class, and those above it; none where that is not followed."""
    answers: frozenset[str] = frozenset()
    """Methods that nil has."""
    mistake: tuple[str, Span] | None = None
    """What has raised that since the signal, and where."""
    unwinding = False
    """It has come to a `try` with something to do on the way out."""

    # what a language gives

    def name(self, frame: Frame, name: str) -> Run:
        """A name that no scope knows: a function, class, constant or library of the program."""
        yield from ()
        return Lib(name)

    def class_named(self, name: str, file: Any) -> Class | None:
        """A class of the program, as a file names it."""
        return None

    def builtin(self, path: str, frame: Frame | None, given: library.Given) -> Run | None:
        """The run of a library's function that no row can say; None where there is none."""
        return None

    def method(self, of: Any, name: str, frame: Frame | None, given: library.Given) -> Run | None:
        """The run of a method on what is no object of the program; None where nothing is known of it."""
        return None

    def join(self, path: str, name: str) -> str:
        """How a member of a library is written in a row."""
        return f"{path}.{name}"

    def truth(self, value: Any) -> bool | None:
        """Whether a value holds; None where nobody can tell."""
        return held(value)

    def same(self, value: Any, other: Any) -> bool | None:
        """Whether a case is the one of a value."""
        return equal(value, other)

    def raised(self, value: Any, span: Span) -> Raised:
        """The exception that a value is raised as."""
        if isinstance(value, Object):
            types = self.types(value.package) if value.package is not None else (value.type,)
        elif isinstance(value, Class):
            types = self.types(value)
        else:
            types = (value.path,) if isinstance(value, Lib) else self.errors[:1]
        return Raised(types, value, span)

    def is_error(self, error: Raised, name: str, frame: Frame) -> bool:
        """Whether an exception is of a class, as a catch names it."""
        short = name.replace("::", ".").replace("\\", ".").rpartition(".")[2]
        return short in {one.replace("::", ".").replace("\\", ".").rpartition(".")[2] for one in error.types}

    def unwinds(self, way: BaseException) -> bool:
        """Whether a `finally` runs on a way out."""
        return isinstance(way, (Raised, Leave))

    def entered(self, frame: Frame, node: Try) -> None:
        """A `try` begins."""
        if node.final is not None:
            self.unwinding = True

    def caught(self, error: Raised, span: Span) -> None:
        """A catch has taken an exception."""

    def unwound(self, span: Span) -> None:
        """A `finally` runs on the way of an exception."""

    def meets_nothing(self, frame: Frame, node: Call) -> None:
        """A method of nil is called on the way out."""
        assert isinstance(node.callee, Field)
        from gracelint.behaviour.machine.nothing import is_sure

        name = node.callee.name
        if name not in self.answers and not self.functions_named(name) and is_sure(self, node.callee.of):
            self.fails(self.nothing, frame, node)

    def fails(self, types: tuple[str, ...], frame: Frame, node: Node) -> None:
        """Raises what a mistake raises."""
        span = frame.file.span(node.at)
        self.mistake = types[0], span
        raise Raised(types, UNKNOWN, span)

    def beyond(self, frame: Frame, node: Node) -> Any:
        """What there is behind the last word of the command line."""
        return NIL

    def passes(self, frame: Frame, taken: Node | None, left_out: list[Node | None]) -> None:
        """A condition that is known has decided between branches."""

    def monitor(self, value: Any) -> Object:
        """What holds the lock of a value: of one that nobody can tell, nobody waits for it."""
        if isinstance(value, Object):
            return value
        return self.monitors.setdefault(id(value), Object("monitor")) if isinstance(value, Class) else Object("monitor")

    def iterated(self, over: Any, span: Span) -> Run:
        """What a loop over a value goes through."""
        yield from ()
        return over

    def items(self, over: Any, names: int) -> Any:
        """The items of a collection for so many names; None where nobody can tell them."""
        return [*over.items()] if isinstance(over, dict) else over if isinstance(over, (list, tuple)) else None

    def functions_named(self, name: str) -> list[Function]:
        """The program's functions and methods of a name, wherever they are."""
        return []

    def meaning(self, path: str, file: Any) -> Function | str | None:
        """What a path names in a file, where that is beyond doubt: a function of the program, or the type and the
        name of one of a library's."""
        return None

    def words(self) -> frozenset[str]:
        """Names of what bears on the end, in rows of the language."""
        if self._words is None:
            self._words = interest.words_of(self.language)
        return self._words

    # members and calls

    def values_of(self, class_: Class) -> dict[str, Any]:
        """What a class holds itself in this run."""
        if id(class_) not in self.class_values:
            its = {name: [*one] if isinstance(one, list) else one for name, one in class_.values.items()}
            self.class_values[id(class_)] = its
        return self.class_values[id(class_)]

    def find(self, class_: Class | None, name: str, kind: str = "methods", depth: int = 0) -> Function | None:
        """A method of a class, or of those it inherits from or mixes in."""
        if class_ is None or depth > 12:
            return None
        own: Function | None = getattr(class_, kind).get(name)
        if own is not None:
            return own
        for base in class_.bases:
            above = self.class_named(base, class_.file)
            found = self.find(above, name, kind, depth + 1) if above is not class_ else None
            if found is not None:
                return found
        return None

    def types(self, class_: Class, depth: int = 0) -> tuple[str, ...]:
        """A class by name and all it inherits from."""
        found = [class_.name]
        for base in class_.bases if depth < 12 else ():
            above = self.class_named(base, class_.file)
            found += self.types(above, depth + 1) if above is not None and above is not class_ else (base,)
        return tuple(found)

    def member(self, of: Any, name: str) -> Run:
        yield from ()
        if isinstance(of, Object):
            if name in of.fields:
                return of.fields[name]
            function = self.find(of.package, name)
            return Closure(function, None, of) if function is not None else Method(of, name)
        if isinstance(of, Class):
            values = self.values_of(of)
            if name in values:
                return values[name]
            function = self.find(of, name, "statics")
            return Closure(function, None, of) if function is not None else Method(of, name)
        if isinstance(of, Lib):
            return Lib(self.join(of.path, name))
        if isinstance(of, dict) and name in of:
            return of[name]
        return Method(of, name)

    def call(self, function: Any, given: list[Any], span: Span) -> Run:
        return self.apply(function, library.Given("", span, given, {}), None)

    def apply(self, function: Any, given: library.Given, frame: Frame | None) -> Run:
        self.step()
        if self.backlog:
            # what a queue is handed to may save what is in it
            self.backlog = [one for one in self.backlog if one not in given.args]
        if isinstance(function, Closure):
            if function.function.task:
                return self._task(function, given)
            value = yield from self.enter(function, given)
            return value
        if isinstance(function, Native):
            value = function.call(given.args)
            if hasattr(value, "send"):
                value = yield from value
            return value
        if isinstance(function, Lib):
            value = yield from self._of_library(function.path, frame, given)
            return value
        if isinstance(function, Method):
            value = yield from self._of_value(function, frame, given)
            return value
        return UNKNOWN

    def _task(self, function: Closure, given: library.Given) -> Object:
        one = Object("task", given.span)
        one.state["called"] = (function, given.args)
        if self.eager_tasks:
            one.state["thread"] = thread = self.start(self.enter(function, given), given.span)
            thread.daemon = True
        else:
            one.state["lazy"] = self.enter(function, given)
        return one

    def _of_library(self, path: str, frame: Frame | None, given: library.Given) -> Run:
        here = library.Given(path, given.span, self._settled(path, given.args), given.named, given.of)
        for run in (self.builtin(path, frame, here), library.function(self, here)):
            if run is not None:
                value = yield from run
                return value
        value = yield from self.foreign(path, given)
        return value

    def _of_value(self, method: Method, frame: Frame | None, given: library.Given) -> Run:
        of, name = method.of, method.name
        type_ = of.type if isinstance(of, Object) and of.package is None else of.of if isinstance(of, Unknown) else ""
        args = self._settled(name, given.args)
        here = library.Given(f"{type_}.{name}" if type_ else name, given.span, args, given.named, of)
        run = self.method(of, name, frame, here)
        if run is None and isinstance(of, Object) and of.package is not None:
            run = next((one for base in self.types(of.package) if (one := self._by_type(base, name, here))), None)
        if run is None and isinstance(of, Class):
            run = self._by_class(of, name, here)
        if run is None and type_:
            run = library.method(self, type_, name, here)
        if run is not None:
            value = yield from run
            return value
        value = yield from self.foreign(here.path, given)
        return Unknown(type_) if isinstance(value, Unknown) else value

    def _settled(self, path: str, args: list[Any]) -> list[Any]:
        """What a call gets that bears on the end."""
        matters = path.replace("::", ".").rpartition(".")[2] in self.words()
        return [*map(self.settle, args)] if matters and any(isinstance(one, OneOf) for one in args) else args

    def _by_class(self, class_: Class, name: str, given: library.Given) -> Run | None:
        """A method that a class of the program itself has from a library's."""
        paths = [self.join(base, name) for base in self.types(class_)]
        path = next((one for one in paths if one in library.rows(self, "functions")), None)
        return library.perform(self, library.rows(self, "functions")[path], given) if path is not None else None

    def _by_type(self, type_: str, name: str, given: library.Given) -> Run | None:
        """A method that a class of the program has from a library's."""
        row = library.rows(self, "types").get(type_, {}).get("methods", {}).get(name)
        return library.perform(self, row, given) if row is not None else None

    def foreign(self, path: str, given: library.Given) -> Run:
        """A call of a library nobody knows: it may wait for ever where its name says so, and handle signals."""
        type_, _, name = path.replace("::", ".").rpartition(".")
        waiting = library.rows(self, "waiting")
        if waiting and self.is_main_stopping() and type_ in waiting["types"] and name in waiting["methods"]:
            raise Doubt(f"whether {path} in line {given.span.line} comes to its end is not known", given.span)
        if name not in library.rows(self, "foreign").get("waits", ()) or self.stopping or self.is_silent(path):
            return Unknown(path)
        self.unsure.append(path)
        if self.choose(2, given.span) == 1:
            yield Wait("for ever", given.span, lambda: False)
        return Unknown(path)

    def is_silent(self, path: str) -> bool:
        """Whether a library is known to handle no signals, and not to wait."""
        silent = library.rows(self, "packages").get("silent", ())
        return any(path == one or path.startswith((f"{one}.", f"{one}:", f"{one}/", f"{one}\\")) for one in silent)

    def enter(self, closure: Closure, given: library.Given) -> Run:
        """Runs a function of the program; one that only goes through data within data is not followed for ever."""
        function = closure.function
        deeper = self.goes_deeper(id(function), given.args)
        if deeper and not interest.matters(self, Frame(function.file, Scope()), function.body):
            return UNKNOWN
        frame = Frame(function.file, Scope(closure.scope), closure.this, closure.home if function.block else None)
        frame.block = given.named.get("block", NIL)
        if function.block and isinstance(closure.home, Frame):
            frame.block = closure.home.block
        yield from self._bind(frame, function, given)
        if function.block and given.args and isinstance(given.args[0], (int, float, str)):
            self.notes(id(function), given.args[0])
            self.counts((id(function),))
        self.depth += 1
        self.step()
        self.nested.setdefault(id(function), []).append(self.wakes)
        try:
            value = yield from evaluate(self, frame, function.body)
        except Leave as leave:
            is_end = leave.kind == "continue" and function.block and leave.to == ""
            if not is_end and (leave.kind != "return" or leave.to is not frame):
                raise
            value = leave.value
        finally:
            self.nested[id(function)].pop()
        self.depth -= 1
        if value is UNSET:
            value = yield from self._instead(frame)
        return _agreed(value, frame.passed_by)

    def _instead(self, frame: Frame) -> Run:
        """What a guard that was passed by returns in the place of a variable that is not set."""
        ways = [one.value for one in frame.passed_by if isinstance(one, Return)]
        own = next((one for one in ways if isinstance(one, (Const, Name))), None)
        value = UNSET if own is None else (yield from evaluate(self, frame, own))
        return UNSET if value is NIL else value

    def _bind(self, frame: Frame, function: Function, given: library.Given) -> Run:
        left = list(given.args)
        named = {name: value for name, value in given.named.items() if name != "block"}
        if function.block and len(left) == 1 and isinstance(left[0], list) and len(function.params) > 1:
            left = list(left[0])
        for param in function.params:
            value: Any = UNKNOWN
            if param.kind == "rest":
                value, left = left, []
            elif param.kind == "keywords":
                value, named = named, {}
            elif param.kind == "block":
                value = given.named.get("block", NIL)
            elif param.name in named:
                value = named.pop(param.name)
            elif param.kind != "named" and left:
                value = left.pop(0)
            elif param.default is not None:
                value = yield from evaluate(self, frame, param.default)
            elif not function.block:
                value = UNKNOWN
            frame.scope.names[param.name] = value

    def make(self, class_: Class, given: library.Given, init: str) -> Run:
        """A new object of a class of the program; `init` is what the language calls its constructor."""
        one = Object(class_.name, given.span, class_)
        frame = Frame(class_.file, Scope(), one)
        for above in reversed(self.line(class_)):
            for name, node in above.fields.items():
                one.fields[name] = NIL
                if node is not None:
                    one.fields[name] = yield from evaluate(self, frame, node)
        function = self.find(class_, init)
        if function is not None:
            yield from self.enter(Closure(function, None, one), given)
        return one

    def line(self, class_: Class, depth: int = 0) -> list[Class]:
        """A class and the program's own that it inherits from."""
        found = [class_]
        for base in class_.bases if depth < 12 else ():
            above = self.class_named(base, class_.file)
            found += self.line(above, depth + 1) if above is not None and above is not class_ else []
        return found

    def new(self, type_: Any, given: library.Given, frame: Frame) -> Run:
        """What `new` or `.new` makes of a class or a library's type."""
        if isinstance(type_, Class):
            value = yield from self.make(type_, given, self.constructor(type_))
            return value
        if isinstance(type_, Lib):
            here = library.Given(type_.path, given.span, given.args, given.named)
            run = self.builtin(self.join(type_.path, "new"), frame, here)
            row = library.rows(self, "functions").get(self.join(type_.path, "new"))
            if run is None and row is not None:
                run = library.perform(self, row, here)
            if run is not None:
                value = yield from run
                return value
            one = Object(type_.path, given.span)
            one.state["given"] = here
            return one
        return UNKNOWN

    def captured(self, function: Function, frame: Frame) -> Scope:
        """What a closure sees of where it stands."""
        return frame.scope

    def constructor(self, class_: Class) -> str:
        return "new"

    def first_of(self, value: Any, span: Span) -> Run:
        """Waits for one of several that a `select` begins."""
        return self.wait_for(value, span)

    def wait_for(self, value: Any, span: Span) -> Run:
        """`await`: runs or joins a task; anything else is its own value."""
        thread = library.thread_of(value)
        if thread is not None:
            yield Wait("join", span, lambda: thread.done)
            return thread.value
        lazy = value.state.pop("lazy", None) if isinstance(value, Object) else None
        if lazy is not None:
            result = yield from lazy
            return result
        if isinstance(value, Ctx):
            result = yield from receive(self, value, span, None)
            return result
        return value


def _agreed(value: Any, passed_by: list[Node]) -> Any:
    """What a function returns: unknown where a guard that was passed by returns something else, and no error."""
    if not isinstance(value, (bool, int, str)) or isinstance(value, Sig):
        return value
    for way in passed_by:
        if not isinstance(way, Return):
            continue
        other = way.value.value if isinstance(way.value, Const) else way.value or NIL
        if isinstance(value, bool):
            is_same = value == other if isinstance(other, bool) else other is NIL and not value
            is_error = isinstance(other, Call) and getattr(other.callee, "name", "") == "Err"
            if not is_same and not is_error:
                return UNKNOWN
        elif isinstance(other, (int, str)) and other != value:
            return UNKNOWN
    return value
