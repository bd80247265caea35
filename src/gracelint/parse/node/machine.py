"""Runs a JavaScript program on what is known before it runs: which servers it opens, which handlers it installs, and
what a handler then does, in which order.

Nothing is really executed. Branches nobody can decide are both taken, marked as not certain; an `await` or a callback
is followed with the note of what has to happen before it (`After`).
"""

from __future__ import annotations

from gracelint.knowledge import table
from gracelint.parse.errors import ParseError
from gracelint.parse.node import library
from gracelint.parse.node.modules import find_module, is_local
from gracelint.parse.node.syntax import File, TooBigError, read_file, string_of, text_of, walk
from gracelint.parse.node.values import (
    UNDEFINED,
    UNKNOWN,
    After,
    Array,
    Builtin,
    Class,
    Closure,
    External,
    Method,
    Object,
    Promise,
    Scope,
    Thing,
)
from gracelint.record import Record, replace
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tree_sitter import Node

    from gracelint.facts.files import Files

_MOST_STEPS = 60_000
_DEEPEST = 40
_LONGEST_STRING = 10_000


class Stop(Exception):  # noqa: N818
    """The program has called `process.exit`."""


class Thrown(Exception):  # noqa: N818
    """A `throw` that is sure to happen."""


class Text(str):
    """A string that knows the literal it was written as."""

    span: Span | None = None


class Registration(Record, identity=True):
    """One call that installs a signal handler."""

    signals: tuple[str, ...]
    """Empty where they cannot be told."""
    names: tuple[Span, ...]
    function: Any
    span: Span
    certain: bool
    after: tuple[After, ...]
    once: bool = False


class Event(Record, identity=True):
    """Something the program does that bears on stopping."""

    kind: str
    """exit, close, close-idle, close-now, force, release, stop-child, ask, disconnect, rekill, flag, log, opaque"""
    span: Span
    after: tuple[After, ...]
    certain: bool
    thing: Thing | None = None
    seconds: float | None = None
    target: str = ""
    value: Any = None
    """The message that is sent."""


class Frame:
    """One function call."""

    __slots__ = ("after", "file", "scope", "this")

    def __init__(self, scope: Scope, file: File, after: tuple[After, ...] = (), this: Any = UNDEFINED) -> None:
        self.scope = scope
        self.file = file
        self.after = after
        self.this = this


class Machine:
    """The state of one run."""

    def __init__(
        self,
        source: Source,
        files: Files,
        env: Mapping[str, str | None],
        argv: tuple[str, ...] = (),
        role: str = "main",
        parsed: dict[str, File | None] | None = None,
    ) -> None:
        self.source: Source = source
        self.files = files
        self.env = env
        self.argv: tuple[str, ...] = argv
        self.role: str = role
        """main, worker (a worker thread) or clustered (a worker of `cluster`)"""
        self.parsed = parsed if parsed is not None else {}
        self.modules: dict[str, Object] = {}
        self.sources: list[Source] = []
        self.things: list[Thing] = []
        self.registrations: list[Registration] = []
        self.removed: list[str] = []
        self.events: list[Event] = []
        self.listeners: dict[str, list[Any]] = {}
        self.unread: list[str] = []
        self.foreign: list[str] = []
        """Calls of libraries nobody here knows, made at start."""
        self.run_timers: set[tuple[str, int]] = set()
        self.awaited: list[tuple[str, Span, int]] = []
        """What start-up awaits by name, and how many handlers were installed by then."""
        self.certain = True
        self.stopping = False
        self.ended = False
        self.signal = ""
        """The signal that has arrived."""
        self.steps = 0
        self.counters: frozenset[str] = frozenset()
        """Variables that work counts up and down: nobody knows what they are when the signal comes."""
        self.stack: list[Node] = []
        self.timer_stack: list[tuple[Any, Thing]] = []
        self.resolved: dict[int, tuple[After, ...]] = {}
        """By the `id` of a loop, a promise or an awaited signal: what its end comes after, once the program stops."""

    # The life of a program

    def start(self) -> None:
        """Runs the entry's top level. Raises ParseError where the entry cannot be read."""
        file = read_file(self.source)
        self.parsed[self.source.path] = file
        try:
            self.run_module(file)
        except (Stop, Thrown):
            self.ended = not any(thing.kind == "busy" for thing in self.things)

    def deliver(self, functions: list[Any], args: list[Any], file: File) -> None:
        """Calls listeners, as the event loop does."""
        self.stopping = True
        for function in functions:
            frame = Frame(Scope(), file)
            self.task(function, args, frame, ())

    def task(self, function: Any, args: list[Any], frame: Frame, after: tuple[After, ...], certain: bool = True) -> Any:
        """A callback: what it does comes after `after`, and an exit in it ends it alone."""
        was = self.certain
        self.certain = was and certain
        inner = Frame(frame.scope, frame.file, after, frame.this)
        try:
            return self.call(function, args, inner, None)
        except Stop:
            return Promise(after, never=True)
        except Thrown:
            # nothing catches it: node ends with an error
            self.note("exit", inner.file.root, inner, target="throw")
            return Promise(after, never=True)
        finally:
            self.certain = was

    def note(self, kind: str, node: Node, frame: Frame, **facts: Any) -> None:
        self.events.append(Event(kind, frame.file.span(node), frame.after, self.certain, **facts))

    def add(self, thing: Thing, frame: Frame) -> Thing:
        thing.certain = self.certain
        thing.after = frame.after
        self.things.append(thing)
        return thing

    # Modules

    def run_module(self, file: File) -> Object:
        path = file.source.path
        exports = Object()
        self.modules[path] = exports
        self.sources.append(file.source)
        module = Object({"exports": exports})
        scope = Scope()
        scope.names |= {
            "module": module,
            "exports": exports,
            "__filename": Text(path),
            "__dirname": Text(path.rpartition("/")[0] or "."),
        }
        frame = Frame(scope, file)
        self.stack.append(file.root)
        try:
            for node in file.root.named_children:
                if node.type == "import_statement":
                    self.execute(node, frame)
            self.block([node for node in file.root.named_children if node.type != "import_statement"], frame)
        finally:
            self.stack.pop()
            found = module.props["exports"]
            if found is not exports:
                self.modules[path] = found
        return self.modules[path]

    def load(self, name: str, frame: Frame) -> Any:
        """The exports of a module by its name."""
        name = name.removeprefix("node:")
        source = find_module(name, frame.file.source.path, self.files)
        if source is None:
            if name.endswith((".json", ".css", ".html", ".graphql", ".svg")):
                return UNKNOWN
            if is_local(name):
                self.unread.append(name)
                return External(f"?{name}")
            return External(name)
        if source.path in self.modules:
            return self.modules[source.path]
        if source.path.endswith(".json"):
            return UNKNOWN
        if source.path not in self.parsed:
            try:
                self.parsed[source.path] = read_file(source)
            except (ParseError, TooBigError):
                self.parsed[source.path] = None
        file = self.parsed[source.path]
        if file is None:
            self.unread.append(name)
            return External(f"?{name}")
        return self.run_module(file)

    # Statements

    def block(self, nodes: list[Node], frame: Frame) -> Any:
        """Runs statements; returns how they ended: None, "break", "continue", or ("return", value)."""
        for node in nodes:
            declared = node.named_children[-1] if node.type == "export_statement" and node.named_children else node
            if declared.type in ("function_declaration", "generator_function_declaration"):
                self.declare_function(declared, frame)
        for node in nodes:
            ended = self.execute(node, frame)
            if ended is not None:
                return ended
        return None

    def execute(self, node: Node, frame: Frame) -> Any:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooBigError
        run = _STATEMENTS.get(node.type)
        return run(self, node, frame) if run else None

    def declare_function(self, node: Node, frame: Frame) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            frame.scope.names[text_of(name)] = Closure(node, frame.scope, frame.file, frame.this)

    def both(self, nodes: list[Node | None], frame: Frame) -> Any:
        """Branches of which nobody knows which is taken."""
        was, before = self.certain, frame.after
        ends = []
        self.certain = False
        try:
            for node in nodes:
                frame.after = before
                ends.append(self.execute(node, frame) if node is not None else None)
        except (Stop, Thrown):
            pass
        finally:
            self.certain = was
        frame.after = before
        return ends[0] if len(ends) > 1 and all(isinstance(end, tuple) for end in ends) else None

    def if_statement(self, node: Node, frame: Frame) -> Any:
        test = node.child_by_field_name("condition")
        then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        if other is not None and other.type == "else_clause":
            other = other.named_children[-1] if other.named_children else None
        truth = truthy(self.value(test, frame))
        if truth is None:
            return self.both([then, other], frame)
        branch = then if truth else other
        return self.execute(branch, frame) if branch is not None else None

    def try_statement(self, node: Node, frame: Frame) -> Any:
        body, handler = node.child_by_field_name("body"), node.child_by_field_name("handler")
        finalizer = node.child_by_field_name("finalizer")
        last = finalizer.child_by_field_name("body") if finalizer is not None else None
        ended = None
        try:
            ended = self.execute(body, frame) if body is not None else None
        except Thrown:
            caught = handler.child_by_field_name("body") if handler is not None else None
            if caught is None:
                if last is not None:
                    self.execute(last, frame)
                raise
            ended = self.execute(caught, frame)
        return (self.execute(last, frame) if last is not None else None) or ended

    def switch_statement(self, node: Node, frame: Frame) -> Any:
        value = self.value(node.child_by_field_name("value"), frame)
        body = node.child_by_field_name("body")
        cases = body.named_children if body is not None else []
        start = None
        for index, case in enumerate(cases):
            wanted = case.child_by_field_name("value")
            if wanted is None:
                continue
            same = equal(value, self.value(wanted, frame))
            if same is None:
                for other in cases:
                    was, self.certain = self.certain, False
                    self.block(_case_body(other), frame)
                    self.certain = was
                return None
            if same:
                start = index
                break
        if start is None:
            start = next((index for index, case in enumerate(cases) if case.type == "switch_default"), None)
        for case in cases[start:] if start is not None else ():
            ended = self.block(_case_body(case), frame)
            if ended is not None:
                return None if ended == "break" else ended
        return None

    def for_in(self, node: Node, frame: Frame) -> Any:
        """`for … of` and `for … in`."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        body = node.child_by_field_name("body")
        if left is None or body is None:
            return None
        operator = node.child_by_field_name("operator")
        over = self.value(right, frame)
        if any(child.type == "await" for child in node.children) and not isinstance(over, Array):
            return self.endless(node, body, frame, None)
        over = library.items(self, over)
        if operator is not None and operator.type == "in" and isinstance(over, Object):
            items, open_ = list(over.props), over.open
            if over.open and over.props:
                items, open_ = list(over.props), False
        elif operator is not None and operator.type == "in" and isinstance(over, Array):
            items, open_ = [str(i) for i in range(len(over.items))], over.open
        elif isinstance(over, Array):
            items, open_ = list(over.items), over.open
        else:
            items, open_ = [], True
        for item in items[:64]:
            inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
            self.bind(left, item, inner)
            ended = self.execute(body, inner)
            frame.after = inner.after
            if ended == "break":
                return None
            if isinstance(ended, tuple):
                return ended
        if open_:
            inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
            self.bind(left, UNKNOWN, inner)
            self.both([body], inner)
        return None

    def loop(self, node: Node, frame: Frame) -> Any:
        """`while`, `do … while` and `for (;;)`."""
        inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
        start = node.child_by_field_name("initializer")
        if start is not None:
            self.execute(start, inner)
        test, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if test is not None and test.type in ("empty_statement", ";"):
            test = None
        if test is not None and test.type == "expression_statement":
            test = test.named_children[0]
        truth = True if test is None else truthy(self.value(test, inner))
        if (truth is False and node.type != "do_statement") or body is None:
            return None
        if _awaits(body) or (test is not None and _awaits(test)):
            return self.endless(node, body, inner, test, frame)
        if truth and _is_endless(node, test, body):
            thing = self.add(Thing("busy", "loop", frame.file.span(node), True), frame)
            thing.data = node
            raise Stop
        ended = self.execute(body, inner) if truth else self.both([body], inner)
        frame.after = inner.after
        return ended if isinstance(ended, tuple) and truth else None

    def endless(
        self, node: Node, body: Node | None, inner: Frame, test: Node | None, outer: Frame | None = None
    ) -> Any:
        """A loop that gives way to the event loop: it runs until its test or a `break` ends it."""
        outer = outer or inner
        before = inner.after
        thing = Thing("loop", "loop", inner.file.span(node), True)
        ended = self.execute(body, inner) if body is not None else None
        waits = inner.after[len(before) :]
        inner.after = before
        if ended == "break" or isinstance(ended, tuple):
            return ended if isinstance(ended, tuple) else None
        if test is not None and truthy(self.value(test, inner)) is False:
            return None
        if self.stopping:
            return None
        if not _is_endless_await(node, test):
            # a loop over a list of work, such as `while (await next())`, or retries: it may end by itself
            thing.alive = None
        self.add(thing, outer)
        thing.data = (test, body, inner, waits)
        outer.after = (*before, After("loop", thing.span, thing))
        return None

    def again(self, thing: Thing) -> bool:
        """Whether a loop comes to its end when it is run once more, with the state as it is now."""
        test, body, frame, waits = thing.data
        over = Frame(Scope(frame.scope), frame.file, waits, frame.this)
        if test is not None and truthy(self.value(test, over)) is False:
            return True
        try:
            ended = self.execute(body, over) if body is not None else None
        except (Stop, Thrown):
            return False
        if ended == "break" or isinstance(ended, tuple):
            return True
        return test is not None and truthy(self.value(test, over)) is False

    def return_statement(self, node: Node, frame: Frame) -> Any:
        value = self.value(node.named_children[0], frame) if node.named_children else UNDEFINED
        return ("return", value)

    def throw_statement(self, node: Node, frame: Frame) -> Any:
        for child in node.named_children:
            self.value(child, frame)
        if self.certain:
            raise Thrown
        return ("return", UNDEFINED)

    def declaration(self, node: Node, frame: Frame) -> None:
        for child in node.named_children:
            if child.type != "variable_declarator":
                continue
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            found = self.value(value, frame) if value is not None else UNDEFINED
            if name is not None:
                self.bind(name, found, frame, declare=True)

    def class_declaration(self, node: Node, frame: Frame) -> None:
        name = node.child_by_field_name("name")
        found = self.class_value(node, frame)
        if name is not None:
            frame.scope.names[text_of(name)] = found

    def enum_declaration(self, node: Node, frame: Frame) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        found = Object()
        for child in body.named_children if body is not None else ():
            if child.type == "enum_assignment":
                key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if key is not None:
                    found.props[string_of(key) or text_of(key)] = self.value(value, frame)
        found.open = True
        if name is not None:
            frame.scope.names[text_of(name)] = found

    def import_statement(self, node: Node, frame: Frame) -> None:
        text = text_of(node)
        if text.startswith("import type "):
            return
        source = node.child_by_field_name("source")
        clause = next((child for child in node.named_children if child.type == "import_clause"), None)
        required = next((child for child in node.named_children if child.type == "import_require_clause"), None)
        if required is not None:
            name = next((string_of(child) for child in required.named_children if child.type == "string"), None)
            identifier = next((child for child in required.named_children if child.type == "identifier"), None)
            if name and identifier is not None:
                frame.scope.names[text_of(identifier)] = self.load(name, frame)
            return
        module = self.load(string_of(source) or "", frame) if source is not None else UNKNOWN
        for child in clause.named_children if clause is not None else ():
            if child.type == "identifier":
                frame.scope.names[text_of(child)] = _default(module)
            elif child.type == "namespace_import":
                frame.scope.names[text_of(child.named_children[0])] = module
            elif child.type == "named_imports":
                for item in child.named_children:
                    name_node, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                    if name_node is not None:
                        key = text_of(name_node)
                        found = _default(module) if key == "default" else self.member(module, key, frame)
                        frame.scope.names[text_of(alias or name_node)] = found

    def export_statement(self, node: Node, frame: Frame) -> None:
        exports = self.modules.get(frame.file.source.path)
        if not isinstance(exports, Object):
            exports = Object()
        source = node.child_by_field_name("source")
        module = self.load(string_of(source) or "", frame) if source is not None else None
        declared = node.child_by_field_name("declaration")
        value = node.child_by_field_name("value")
        if declared is not None:
            before = dict(frame.scope.names)
            self.execute(declared, frame)
            name = declared.child_by_field_name("name")
            is_default = any(child.type == "default" for child in node.children)
            if declared.type in ("function_declaration", "generator_function_declaration"):
                self.declare_function(declared, frame)
            for key, found in frame.scope.names.items():
                if before.get(key, _MISSING) is not found or (name is not None and text_of(name) == key):
                    exports.props["default" if is_default else key] = found
            return
        if value is not None:
            exports.props["default"] = self.value(value, frame)
            return
        clause = next((child for child in node.named_children if child.type == "export_clause"), None)
        if clause is not None:
            for item in clause.named_children:
                name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                if name is None:
                    continue
                key = text_of(name)
                found = frame.scope.get(key) if module is None else self.member(module, key, frame)
                exports.props[text_of(alias or name)] = found
        elif isinstance(module, Object):
            exports.props |= {key: found for key, found in module.props.items() if key != "default"}

    # Expressions

    def value(self, node: Node | None, frame: Frame) -> Any:
        if node is None:
            return UNDEFINED
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooBigError
        evaluate = _EXPRESSIONS.get(node.type)
        return evaluate(self, node, frame) if evaluate else UNKNOWN

    def inner_value(self, node: Node, frame: Frame) -> Any:
        """Parentheses, `as`, `!`, `satisfies`: the value inside."""
        return self.value(node.named_children[0], frame) if node.named_children else UNKNOWN

    def sequence(self, node: Node, frame: Frame) -> Any:
        found = UNDEFINED
        for child in node.named_children:
            found = self.value(child, frame)
        return found

    def identifier(self, node: Node, frame: Frame) -> Any:
        name = text_of(node)
        found = frame.scope.get(name, _MISSING)
        if name in self.counters and isinstance(found, (int, float)):
            return UNKNOWN
        return library.GLOBALS.get(name, External(name)) if found is _MISSING else found

    def string(self, node: Node, frame: Frame) -> Any:
        found = string_of(node)
        if found is None:
            parts = []
            for child in node.named_children:
                if child.type == "string_fragment":
                    parts.append(text_of(child))
                elif child.type == "template_substitution":
                    part = self.value(child.named_children[0], frame) if child.named_children else UNKNOWN
                    if not isinstance(part, (str, int, float)):
                        return UNKNOWN
                    parts.append(str(part))
            return "".join(parts)
        text = Text(found)
        text.span = frame.file.span(node)
        return text

    def number(self, node: Node, frame: Frame) -> Any:
        text = text_of(node).replace("_", "").rstrip("n")
        try:
            return int(text, 0)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                return UNKNOWN

    def array(self, node: Node, frame: Frame) -> Any:
        found = Array([])
        for child in node.named_children:
            if child.type == "spread_element":
                inner = self.value(child.named_children[0], frame)
                if isinstance(inner, Array):
                    found.items += inner.items
                    found.open = found.open or inner.open
                else:
                    found.open = True
            elif child.type != "comment":
                found.items.append(self.value(child, frame))
        return found

    def object(self, node: Node, frame: Frame) -> Any:
        found = Object()
        for child in node.named_children:
            if child.type == "pair":
                key = self.key(child.child_by_field_name("key"), frame)
                value = self.value(child.child_by_field_name("value"), frame)
                if key is None:
                    found.open = True
                else:
                    found.props[key] = value
            elif child.type == "shorthand_property_identifier":
                found.props[text_of(child)] = self.identifier(child, frame)
            elif child.type == "method_definition":
                name = self.key(child.child_by_field_name("name"), frame)
                if name is not None:
                    found.props[name] = Closure(child, frame.scope, frame.file, found)
            elif child.type == "spread_element":
                inner = self.value(child.named_children[0], frame)
                if isinstance(inner, Object):
                    found.props |= inner.props
                    found.open = found.open or inner.open
                else:
                    found.open = True
        return found

    def key(self, node: Node | None, frame: Frame) -> str | None:
        if node is None:
            return None
        if node.type == "computed_property_name":
            value = self.value(node.named_children[0], frame)
            return value if isinstance(value, str) else None
        return string_of(node) if node.type == "string" else text_of(node)

    def function(self, node: Node, frame: Frame) -> Any:
        this = frame.this if node.type == "arrow_function" else UNDEFINED
        return Closure(node, frame.scope, frame.file, this)

    def class_value(self, node: Node, frame: Frame) -> Any:
        heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
        parent = None
        if heritage is not None and heritage.named_children:
            clause = heritage.named_children[0]
            inner = clause.child_by_field_name("value") if clause.type == "extends_clause" else clause
            parent = self.value(inner, frame)
        found = Class(node, frame.scope, frame.file, parent, {}, {})
        body = node.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            static = any(part.type == "static" for part in child.children)
            if child.type == "method_definition":
                name = self.key(child.child_by_field_name("name"), frame)
                if name is not None:
                    closure = Closure(child, frame.scope, frame.file, found if static else UNDEFINED)
                    (found.statics if static else found.methods)[name] = closure
            elif static and child.type in ("field_definition", "public_field_definition"):
                field = child.child_by_field_name("property") or child.child_by_field_name("name")
                name = self.key(field, frame)
                if name is not None:
                    found.statics[name] = self.value(child.child_by_field_name("value"), frame)
        return found

    def this(self, node: Node, frame: Frame) -> Any:
        return frame.this

    def unary(self, node: Node, frame: Frame) -> Any:
        operator = node.child_by_field_name("operator")
        value = self.value(node.child_by_field_name("argument"), frame)
        kind = text_of(operator) if operator is not None else ""
        if kind == "!":
            truth = truthy(value)
            return UNKNOWN if truth is None else not truth
        if kind in "+-" and isinstance(value, (int, float)):
            return value if kind == "+" else -value
        if kind == "void":
            return UNDEFINED
        if kind == "typeof":
            return _type_of(value)
        return UNKNOWN

    def binary(self, node: Node, frame: Frame) -> Any:
        operator = node.child_by_field_name("operator")
        kind = text_of(operator) if operator is not None else ""
        left = self.value(node.child_by_field_name("left"), frame)
        right = node.child_by_field_name("right")
        if kind in ("&&", "||", "??"):
            return self.logical(kind, left, right, frame)
        other = self.value(right, frame)
        if kind in ("===", "==", "!==", "!="):
            if _is_entry_test(left, other):
                return kind in ("===", "==")
            same = equal(left, other)
            return UNKNOWN if same is None else same if kind in ("===", "==") else not same
        return _arithmetic(kind, left, other)

    def logical(self, kind: str, left: Any, right: Node | None, frame: Frame) -> Any:
        truth = truthy(left)
        if kind == "??":
            truth = True if left is not None and left is not UNDEFINED and left is not UNKNOWN else truth
            truth = False if left is None or left is UNDEFINED else truth
        if truth is None:
            was, before, self.certain = self.certain, frame.after, False
            try:
                other = self.value(right, frame)
            finally:
                self.certain, frame.after = was, before
            # `process.env.TIMEOUT_MS || 10000`: the number the program itself takes for granted
            is_default = kind != "&&" and (
                isinstance(other, (int, float)) or (isinstance(other, str) and other.isdigit())
            )
            return other if is_default and not isinstance(other, bool) else UNKNOWN
        if kind == "&&":
            return self.value(right, frame) if truth else left
        return left if truth else self.value(right, frame)

    def ternary(self, node: Node, frame: Frame) -> Any:
        truth = truthy(self.value(node.child_by_field_name("condition"), frame))
        then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        if truth is not None:
            return self.value(then if truth else other, frame)
        was, before, self.certain = self.certain, frame.after, False
        try:
            found = [self.value(part, frame) for part in (then, other)]
        finally:
            self.certain, frame.after = was, before
        return next((value for value in found if isinstance(value, Thing)), UNKNOWN)

    def assignment(self, node: Node, frame: Frame) -> Any:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        value = self.value(right, frame)
        if node.type == "augmented_assignment_expression":
            value = UNKNOWN
        if left is not None:
            self.bind(left, value, frame)
            if self.stopping:
                self.note("flag", node, frame, target=text_of(left))
        return value

    def update(self, node: Node, frame: Frame) -> Any:
        argument = node.child_by_field_name("argument")
        if argument is not None and argument.type == "identifier":
            frame.scope.assign(text_of(argument), UNKNOWN)
        return UNKNOWN

    def bind(self, target: Node, value: Any, frame: Frame, declare: bool = False) -> None:
        """Gives a value to a name, a member or a pattern."""
        kind = target.type
        if kind == "identifier":
            self.store(frame, text_of(target), value, declare)
        elif kind in ("member_expression", "subscript_expression"):
            owner = self.value(target.child_by_field_name("object"), frame)
            name = self.property_name(target, frame)
            if isinstance(owner, Object) and name is not None:
                owner.props[name] = value if self.certain or _keeps(value) else UNKNOWN
            elif isinstance(owner, Class) and name is not None:
                owner.statics[name] = value
            elif isinstance(owner, Thing) and name is not None:
                owner.settings[name] = value
            if isinstance(value, Thing) and name and value.variable is None:
                value.variable = text_of(target)
        elif kind in ("object_pattern", "array_pattern"):
            self.destructure(target, value, frame, declare)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            default = target.child_by_field_name("right")
            left = target.child_by_field_name("left")
            if value is UNDEFINED:
                value = self.value(default, frame)
            if left is not None:
                self.bind(left, value, frame, declare)
        elif kind == "shorthand_property_identifier_pattern":
            self.store(frame, text_of(target), value, declare)
        elif kind in ("lexical_declaration", "variable_declaration"):
            for child in target.named_children:
                self.bind(child, value, frame, True)
        elif kind in ("required_parameter", "optional_parameter", "variable_declarator"):
            inner = target.child_by_field_name("pattern") or target.child_by_field_name("name")
            default = target.child_by_field_name("value")
            if value is UNDEFINED and default is not None:
                value = self.value(default, frame)
            if inner is not None:
                self.bind(inner, value, frame, True)

    def store(self, frame: Frame, name: str, value: Any, declare: bool) -> None:
        if isinstance(value, Thing) and value.variable is None:
            value.variable = name
        if isinstance(value, Promise) and isinstance(value.value, Thing) and value.value.variable is None:
            value.value.variable = name
        scope = frame.scope if declare else frame.scope.find(name) or frame.scope
        old = scope.names.get(name, _MISSING)
        if not (self.certain or declare or _keeps(value)) and old is not _MISSING and equal(old, value) is not True:
            value = UNKNOWN
        scope.names[name] = value

    def destructure(self, target: Node, value: Any, frame: Frame, declare: bool) -> None:
        if isinstance(value, Promise):
            value = value.value
        index = 0
        for child in target.named_children:
            if child.type in ("rest_pattern", "comment"):
                if child.type == "rest_pattern" and child.named_children:
                    self.bind(child.named_children[0], UNKNOWN, frame, declare)
                continue
            if target.type == "array_pattern":
                known = isinstance(value, Array) and index < len(value.items)
                self.bind(child, value.items[index] if known else UNKNOWN, frame, declare)
                index += 1
                continue
            if child.type == "pair_pattern":
                key = self.key(child.child_by_field_name("key"), frame)
                inner = child.child_by_field_name("value")
            else:
                inner = child
                name = child.child_by_field_name("left") if child.type == "object_assignment_pattern" else child
                key = text_of(name) if name is not None else None
            if inner is not None:
                found = self.member(value, key, frame) if key is not None else UNKNOWN
                self.bind(inner, found, frame, declare)

    def property_name(self, node: Node, frame: Frame) -> str | None:
        if node.type == "member_expression":
            name = node.child_by_field_name("property")
            return text_of(name) if name is not None else None
        index = self.value(node.child_by_field_name("index"), frame)
        return str(index) if isinstance(index, (str, int)) else None

    def member_expression(self, node: Node, frame: Frame) -> Any:
        owner = self.value(node.child_by_field_name("object"), frame)
        name = self.property_name(node, frame)
        if isinstance(owner, External) and owner.path == "cluster.workers":
            return library.external_member(self, owner, name or "1")
        return self.member(owner, name, frame) if name is not None else UNKNOWN

    def member(self, owner: Any, name: str, frame: Frame) -> Any:
        """`owner.name`"""
        if isinstance(owner, External):
            return library.external_member(self, owner, name)
        if isinstance(owner, Object):
            if name in owner.props:
                found = owner.props[name]
                return UNKNOWN if name in self.counters and isinstance(found, (int, float)) else found
            return _method_of(owner.cls, name, owner, self) if owner.cls is not None else _absent(owner)
        if isinstance(owner, Class):
            if name in owner.statics:
                return owner.statics[name]
            return self.member(owner.parent, name, frame) if owner.parent is not None else UNKNOWN
        if isinstance(owner, Array):
            if name.isdigit():
                absent = UNKNOWN if owner.open else UNDEFINED
                return owner.items[int(name)] if int(name) < len(owner.items) else absent
            return len(owner.items) if name == "length" and not owner.open else Method(owner, name)
        if isinstance(owner, Thing) and name in library.SELF:
            return owner
        if isinstance(owner, (Thing, Promise, Closure, str, Builtin, Method)):
            if isinstance(owner, str) and name == "length":
                return len(owner)
            return Method(owner, name)
        return UNKNOWN

    def await_expression(self, node: Node, frame: Frame) -> Any:
        value = self.value(node.named_children[0], frame) if node.named_children else UNDEFINED
        if not self.stopping and isinstance(value, (External, Promise, Thing)):
            self.awaited.append((_callee(node), frame.file.span(node), len(self.registrations)))
        return self.settle(value, node, frame)

    def settle(self, value: Any, node: Node, frame: Frame) -> Any:
        """What `await` gives, and what then has to have happened."""
        if isinstance(value, Promise):
            if value.never:
                raise Stop
            frame.after = (*frame.after, *(part for part in value.after if part not in frame.after))
            return value.value
        if isinstance(value, External) and "(" in value.path:
            kind = "unknown" if value.path.startswith("?") else "work"
            if value.path.rpartition(".")[2].removesuffix("()") in library.BLOCKING:
                kind = "unknown"
            frame.after = (*frame.after, After(kind, frame.file.span(node)))
        if value is UNKNOWN and self.stopping:
            frame.after = (*frame.after, After("unknown", frame.file.span(node)))
        return value

    def new_expression(self, node: Node, frame: Frame) -> Any:
        target = self.value(node.child_by_field_name("constructor"), frame)
        args = self.arguments(node, frame)
        if isinstance(target, Class):
            return self.construct(target, args, frame)
        if isinstance(target, External):
            if target.path == "Promise":
                return self.new_promise(args, node, frame)
            return library.call_external(self, target, args, node, frame)
        return UNKNOWN

    def construct(self, target: Class, args: list[Any], frame: Frame) -> Any:
        found = Object(cls=target)
        chain: list[Class] = []
        here: Any = target
        while isinstance(here, Class) and len(chain) < 16:
            chain.append(here)
            here = here.parent
        if here is not None and not isinstance(here, Class):
            found.open = True
        for cls in reversed(chain):
            inner = Frame(Scope(cls.scope), cls.file, frame.after, found)
            body = cls.node.child_by_field_name("body")
            for child in body.named_children if body is not None else ():
                if child.type in ("field_definition", "public_field_definition") and not any(
                    part.type == "static" for part in child.children
                ):
                    name = child.child_by_field_name("property") or child.child_by_field_name("name")
                    key = self.key(name, inner)
                    if key is not None:
                        found.props[key] = self.value(child.child_by_field_name("value"), inner)
                        if isinstance(found.props[key], Thing):
                            found.props[key].variable = f"this.{key}"
            if "constructor" in cls.methods and cls is next((c for c in chain if "constructor" in c.methods), None):
                constructor = cls.methods["constructor"]
                _bind_parameter_properties(constructor.node, args, found)
                self.call(replace(constructor, this=found), args, frame, None)
        return found

    def new_promise(self, args: list[Any], node: Node, frame: Frame) -> Any:
        """A promise is settled after what comes before the call of `resolve`."""
        settled: list[tuple[tuple[After, ...], Any]] = []
        span = frame.file.span(node)
        later = Thing("promise", "promise", span, False)

        def resolve(machine: Machine, given: list[Any], at: Node | None, inner: Frame) -> Any:
            settled.append((inner.after, given[0] if given else UNDEFINED))
            if machine.stopping:
                machine.resolved.setdefault(id(later), inner.after)
            return UNDEFINED

        reject = Builtin(lambda *_: UNDEFINED)
        if args:
            self.task(args[0], [Builtin(resolve), reject], frame, frame.after)
        if not settled:
            return Promise((*frame.after, After("unknown", span, later)))
        after, value = settled[0]
        if isinstance(value, Promise):
            after, value = (*after, *value.after), value.value
        return Promise(after, value)

    def call_expression(self, node: Node, frame: Frame) -> Any:
        function = node.child_by_field_name("function")
        if function is not None and function.type == "import":
            args = self.arguments(node, frame)
            name = args[0] if args else UNKNOWN
            if isinstance(name, str):
                return Promise(frame.after, self.load(name, frame))
            self.unread.append("import()")
            return UNKNOWN
        if function is not None and function.type == "super":
            self.arguments(node, frame)
            return UNDEFINED
        target = self.value(function, frame)
        args = self.arguments(node, frame)
        return self.call(target, args, frame, node)

    def arguments(self, node: Node, frame: Frame) -> list[Any]:
        given = node.child_by_field_name("arguments")
        found: list[Any] = []
        for child in given.named_children if given is not None and given.type == "arguments" else ():
            if child.type == "spread_element":
                inner = self.value(child.named_children[0], frame)
                found.extend(inner.items if isinstance(inner, Array) else [UNKNOWN])
            elif child.type != "comment":
                found.append(self.value(child, frame))
        return found

    def call(self, target: Any, args: list[Any], frame: Frame, node: Node | None) -> Any:
        if isinstance(target, Closure):
            return self.call_closure(target, args, frame)
        if isinstance(target, Builtin):
            return target.call(self, args, node, frame)
        at = node if node is not None else frame.file.root
        if isinstance(target, External):
            if target.path == "require" and args and isinstance(args[0], str):
                return self.load(args[0], frame)
            return library.call_external(self, target, args, at, frame)
        if isinstance(target, Method):
            return library.call_method(self, target, args, at, frame)
        if isinstance(target, Thing):
            # `const app = express()` is a function too
            return target
        library.run_callbacks(self, args, frame, certain=False)
        if self.stopping:
            self.note("opaque", at, frame, target=_callee(at))
        return UNKNOWN

    def call_closure(self, closure: Closure, args: list[Any], frame: Frame) -> Any:
        node = closure.node
        is_async = any(child.type == "async" for child in node.children)
        recursive = self.stack.count(node)
        if recursive and is_async:
            # an async function that calls itself goes round like a loop
            thing = library.rearm(self, closure, args, 0.0, "recursion", closure.file.span(node), frame)
            return Promise((*frame.after, After("loop", thing.span, thing)))
        if recursive > 1 or len(self.stack) > _DEEPEST or _is_generator(node):
            return UNKNOWN
        body = node.child_by_field_name("body")
        if body is None:
            return UNKNOWN
        inner = Frame(Scope(closure.scope), closure.file, frame.after, closure.this)
        self.bind_parameters(node, [*closure.bound, *args], inner)
        self.stack.append(node)
        value: Any = UNDEFINED
        try:
            if body.type == "statement_block":
                ended = self.block(body.named_children, inner)
                value = ended[1] if isinstance(ended, tuple) else UNDEFINED
            else:
                value = self.value(body, inner)
        except Stop:
            if not is_async or inner.after == frame.after:
                raise
            return Promise(inner.after, never=True)
        except Thrown:
            if not is_async:
                raise
            if self.stopping:
                self.note("opaque", node, inner, target="a rejected promise")
            return Promise(inner.after, never=True)
        finally:
            self.stack.pop()
        if not is_async:
            return value
        if isinstance(value, Promise):
            return Promise((*inner.after, *(p for p in value.after if p not in inner.after)), value.value, value.never)
        if isinstance(value, External) and "(" in value.path:
            return Promise((*inner.after, After("work", closure.file.span(node))), value)
        return Promise(inner.after, value)

    def bind_parameters(self, node: Node, args: list[Any], frame: Frame) -> None:
        single = node.child_by_field_name("parameter")
        if single is not None:
            frame.scope.names[text_of(single)] = args[0] if args else UNDEFINED
            return
        parameters = node.child_by_field_name("parameters")
        index = 0
        for child in parameters.named_children if parameters is not None else ():
            if child.type == "comment":
                continue
            pattern = child.child_by_field_name("pattern") or child
            if pattern.type == "rest_pattern":
                self.bind(pattern.named_children[0], Array(list(args[index:])), frame, True)
                return
            self.bind(child, args[index] if index < len(args) else UNDEFINED, frame, True)
            index += 1


_MISSING = object()


def truthy(value: Any) -> bool | None:
    """JavaScript's truth of a value; None where it is not known."""
    if value is UNKNOWN or (isinstance(value, External) and ("(" in value.path or value.path.startswith("?"))):
        return None
    if value is UNDEFINED or value is None or value is False or value == "" or value == 0:
        return False
    return True if not isinstance(value, External) else None


def equal(left: Any, right: Any) -> bool | None:
    """Whether two values are the same; None where that is not known."""
    known = (str, int, float, bool, type(None))
    if (isinstance(left, known) or left is UNDEFINED) and (isinstance(right, known) or right is UNDEFINED):
        if left in (None, UNDEFINED) and right in (None, UNDEFINED):
            return True
        return (type(left) is type(right) and left == right) or (
            isinstance(left, str) and isinstance(right, str) and str(left) == str(right)
        )
    return None


def _keeps(value: Any) -> bool:
    return isinstance(value, (Thing, Closure, Method, Builtin))


def _default(module: Any) -> Any:
    if isinstance(module, Object):
        return module.props.get("default", module)
    return module


def _absent(owner: Object) -> Any:
    return UNKNOWN if owner.open else UNDEFINED


def _method_of(cls: Any, name: str, this: Object, machine: Machine) -> Any:
    while isinstance(cls, Class):
        if name in cls.methods:
            closure = cls.methods[name]
            if any(child.type == "get" for child in closure.node.children):
                return machine.call(replace(closure, this=this), [], Frame(cls.scope, cls.file), None)
            return replace(closure, this=this)
        cls = cls.parent
    return UNDEFINED if cls is None and not this.open else UNKNOWN


def _bind_parameter_properties(node: Node, args: list[Any], this: Object) -> None:
    """TypeScript's `constructor(private readonly server: Server)`."""
    parameters = node.child_by_field_name("parameters")
    for index, child in enumerate(parameters.named_children if parameters is not None else ()):
        if any(part.type in ("accessibility_modifier", "readonly") for part in child.children):
            pattern = child.child_by_field_name("pattern")
            if pattern is not None:
                this.props[text_of(pattern)] = args[index] if index < len(args) else UNKNOWN


def _type_of(value: Any) -> Any:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (Closure, Builtin, Class)):
        return "function"
    return "undefined" if value is UNDEFINED else UNKNOWN


def _is_entry_test(left: Any, right: Any) -> bool:
    """`require.main === module`, or `import.meta.url` compared with the script's own path: true in the entry."""
    paths = {value.path for value in (left, right) if isinstance(value, External)}
    return "require.main" in paths or any(path.startswith("import.meta") for path in paths)


def _arithmetic(kind: str, left: Any, right: Any) -> Any:
    if kind == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) < _LONGEST_STRING else UNKNOWN
    if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
        return UNKNOWN
    try:
        return _OPERATORS[kind](left, right)
    except (KeyError, ArithmeticError, ValueError):
        return UNKNOWN


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b if max(abs(a), abs(b)) < 1e15 else 0,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _case_body(case: Node) -> list[Node]:
    value = case.child_by_field_name("value")
    return [child for child in case.named_children if value is None or child.id != value.id]


_FUNCTIONS = (
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function",
    "generator_function_declaration",
    "class_declaration",
    "class",
)


def _own(node: Node) -> list[Node]:
    """The nodes of a body, those of functions in it left out."""
    found = []
    waiting = [node]
    while waiting:
        here = waiting.pop()
        found.append(here)
        waiting.extend(child for child in here.named_children if child.type not in _FUNCTIONS)
    return found


def _awaits(node: Node) -> bool:
    return any(
        here.type == "await_expression"
        or (here.type == "for_in_statement" and any(child.type == "await" for child in here.children))
        for here in _own(node)
    )


def _is_endless(node: Node, test: Node | None, body: Node) -> bool:
    """A loop without `await` that nothing in it ends."""
    if any(here.type in ("break_statement", "return_statement", "throw_statement") for here in _own(body)):
        return False
    if test is None or text_of(test).strip("()") in ("true", "1"):
        return node.child_by_field_name("increment") is None or test is None
    names = {text_of(here) for here in walk(test) if here.type == "identifier"}
    if any(here.type in ("call_expression", "member_expression") for here in walk(test)):
        return False
    changed = {
        text_of(target)
        for here in walk(node)
        if here.type in ("assignment_expression", "augmented_assignment_expression", "update_expression")
        if (target := here.child_by_field_name("left") or here.child_by_field_name("argument")) is not None
    }
    return bool(names) and not names & changed


def _is_endless_await(node: Node, test: Node | None) -> bool:
    """`for (;;)`, `while (true)`, `while (!stopping)`, `for await`: not a loop over counted work."""
    if node.type == "for_in_statement" or test is None:
        return True
    text = text_of(test).strip("() ")
    if text in ("true", "1"):
        return True
    return not any(here.type in ("call_expression", "await_expression") for here in walk(test)) and "<" not in text


def _is_generator(node: Node) -> bool:
    return "generator" in node.type or any(child.type == "*" for child in node.children)


def _callee(node: Node) -> str:
    while node.type == "await_expression" and node.named_children:
        node = node.named_children[0]
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    return text_of(function) if function is not None else text_of(node)[:40]


def _nothing(_: Any) -> None:
    return None


_STATEMENTS: dict[str, Callable[[Machine, Node, Frame], Any]] = {
    "expression_statement": lambda m, n, f: _nothing(m.sequence(n, f)),
    "statement_block": lambda m, n, f: _scoped(m, n.named_children, f),
    "if_statement": Machine.if_statement,
    "try_statement": Machine.try_statement,
    "switch_statement": Machine.switch_statement,
    "for_in_statement": Machine.for_in,
    "for_statement": Machine.loop,
    "while_statement": Machine.loop,
    "do_statement": Machine.loop,
    "return_statement": Machine.return_statement,
    "throw_statement": Machine.throw_statement,
    "break_statement": lambda m, n, f: "break",
    "continue_statement": lambda m, n, f: "continue",
    "lexical_declaration": Machine.declaration,
    "variable_declaration": Machine.declaration,
    "class_declaration": Machine.class_declaration,
    "abstract_class_declaration": Machine.class_declaration,
    "enum_declaration": Machine.enum_declaration,
    "import_statement": Machine.import_statement,
    "export_statement": Machine.export_statement,
    "labeled_statement": lambda m, n, f: m.execute(n.named_children[-1], f),
}


def _scoped(machine: Machine, nodes: list[Node], frame: Frame) -> Any:
    inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
    ended = machine.block(nodes, inner)
    frame.after = inner.after
    return ended


_EXPRESSIONS: dict[str, Callable[[Machine, Node, Frame], Any]] = {
    "identifier": Machine.identifier,
    "string": Machine.string,
    "template_string": Machine.string,
    "number": Machine.number,
    "true": lambda m, n, f: True,
    "false": lambda m, n, f: False,
    "null": lambda m, n, f: None,
    "undefined": lambda m, n, f: UNDEFINED,
    "this": Machine.this,
    "array": Machine.array,
    "object": Machine.object,
    "arrow_function": Machine.function,
    "function_expression": Machine.function,
    "function": Machine.function,
    "generator_function": Machine.function,
    "class": Machine.class_value,
    "parenthesized_expression": Machine.inner_value,
    "as_expression": Machine.inner_value,
    "satisfies_expression": Machine.inner_value,
    "non_null_expression": Machine.inner_value,
    "type_assertion": lambda m, n, f: m.value(n.named_children[-1], f),
    "sequence_expression": Machine.sequence,
    "unary_expression": Machine.unary,
    "binary_expression": Machine.binary,
    "ternary_expression": Machine.ternary,
    "assignment_expression": Machine.assignment,
    "augmented_assignment_expression": Machine.assignment,
    "update_expression": Machine.update,
    "member_expression": Machine.member_expression,
    "subscript_expression": Machine.member_expression,
    "await_expression": Machine.await_expression,
    "new_expression": Machine.new_expression,
    "call_expression": Machine.call_expression,
    "meta_property": lambda m, n, f: External(text_of(n)),
}

STARTUP = frozenset(table("node")["startup"])
