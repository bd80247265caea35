"""Runs a JavaScript program on what is known before it runs: which servers it opens, which handlers it installs, and
what a handler then does, in which order.

Nothing is really executed. Branches nobody can decide are both taken, marked as not certain; an `await` or a callback
is followed with the note of what has to happen before it (`After`).
"""

from __future__ import annotations

import posixpath

from gracelint.base.limits import DEPTH, ELEMENTS_A_STEP, MODULE, Effort
from gracelint.base.numbers import is_whole
from gracelint.base.record import replace
from gracelint.behaviour.node import failing, globals, library, methods, promises, timers
from gracelint.behaviour.node.arrays import item_at, run_callbacks
from gracelint.behaviour.node.expressions import EXPRESSIONS
from gracelint.behaviour.node.modules import find_module, generated_as, is_local, parent_of
from gracelint.behaviour.node.names import bind_parameters, hoist
from gracelint.behaviour.node.state import Event, Frame, Registration, Stop, Text, Thrown
from gracelint.behaviour.node.statements import STATEMENTS
from gracelint.behaviour.node.syntax import File, TooBigError, callee_of, read_file, string_of
from gracelint.behaviour.node.values import (
    EMITTER,
    UNDEFINED,
    UNKNOWN,
    Afloat,
    After,
    Array,
    Builtin,
    Class,
    Closure,
    External,
    Generator,
    Method,
    Object,
    Promise,
    Scope,
    Thing,
    as_key,
    equal,
    joined,
)
from gracelint.behaviour.tree import text_of
from gracelint.parse.errors import ParseError
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tree_sitter import Node

    from gracelint.facts.files import Files


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
        effort: Effort | None = None,
    ) -> None:
        self.source: Source = source
        self.files = files
        self.env = env
        self.argv: tuple[str, ...] = argv
        self.words: Array = Array(["node", source.path, *argv], open=any("$" in word or "`" in word for word in argv))
        self.role: str = role
        """main, worker (a worker thread), forked (a child with a channel) or clustered (a worker of `cluster`)"""
        self.shell: Callable[[str], tuple[str, ...] | None] = lambda text: None
        """What the image's `/bin/sh -c` becomes for a text."""
        self.parsed = parsed if parsed is not None else {}
        self.modules: dict[str, Object] = {}
        self.scopes: dict[str, Scope] = {}
        """The variables of each module, by its path."""
        self.sources: list[Source] = []
        self.things: list[Thing] = []
        self.registrations: list[Registration] = []
        self.removed: list[str] = []
        self.classes: list[Class] = []
        self.providers: list[Object] = []
        """Instances whose hooks a framework calls."""
        self.events: list[Event] = []
        self.listeners: dict[str, list[Any]] = {}
        self.at_exit: list[tuple[str, Closure]] = []
        """Listeners for `exit`, which has no time for what is awaited, and for `beforeExit`, which an exit skips."""
        self.counted_up: set[str] = set()
        """Variables that were counted up since somebody looked."""
        self.unread: list[str] = []
        self.libraries: set[str] = set()
        """Modules from outside of the project, those of Node included."""
        self.blind = False
        """Start-up calls a function of which nobody knows which one it is."""
        self.foreign: list[str] = []
        """Calls of libraries nobody here knows, made at start."""
        self.handed: list[tuple[str, Span, list[Closure]]] = []
        """What those are given to call."""
        self.rounds: list[Thing] = []
        """Loops over lists that wait for something, gone through while it started."""
        self.pauses: list[tuple[After, ...]] = []
        """What was waited for so far by what is run."""
        self.said: set[str] = set()
        """Events that emitters have emitted while it stops."""
        self.asked: set[str] = set()
        """Calls of libraries made while it stops."""
        self.run_timers: set[tuple[str, int]] = set()
        self.empty: list[tuple[str, Array]] = []
        """Lists that were made empty while it started, by the name they got."""
        self.begun: list[tuple[After, ...]] = []
        """What the project's own functions that were called while it started, and do more after that, wait for."""
        self.loose: set[int] = set()
        """Timers set while it stops that do not keep it alive, by `id`."""
        self.pending: list[Thing] = []
        """Timers set while it stops, which keep it alive until they fire; `data` is their seconds."""
        self.awaited: list[tuple[str, Span, int]] = []
        """What start-up awaits by name, and how many handlers were installed by then."""
        self.certain = True
        self.asking: Span | None = None
        """The outermost condition under way that nobody can decide."""
        self.stopping = False
        self.rehearsing = False
        """What it does with a request, or with a job, is tried out."""
        self.in_job = False
        """A job is tried out: what it asks of a library, and does nothing behind, is lost with nothing."""
        self.ended = False
        self.signal = ""
        """The signal that has arrived."""
        self.steps = self.limit = 0
        self.effort = effort or Effort()
        self.counters: frozenset[str] = frozenset()
        """Variables that work counts up and down: nobody knows what they are when the signal comes."""
        self.running: frozenset[str] = frozenset()
        """Those of them that are counted both up and down: requests in flight."""
        self.counting: frozenset[str] = frozenset()
        """Variables that are known all the same, while a countdown is followed."""
        self.signalled: list[Any] = []
        """AbortSignals that were given to a library, which ends nobody knows what by them."""
        self.listening: list[tuple[list[Any], Frame, bool]] = []
        """Callbacks of servers that begin to listen, which are called after what begins it."""
        self.cleared: set[str] = set()
        """The names of the timers that were cleared while it stopped."""
        self.called: set[tuple[str, int]] = set()
        """The functions that were run, by file and place."""
        self.stack: list[Node] = []
        self.entered: list[tuple[tuple[After, ...], int]] = []
        """What each of the calls in `stack` comes after, and the timers that are fired by then."""
        self.returned: list[list[Any]] = []
        """By function call, the innermost last: what it may have returned on a branch nobody can decide."""
        self.timer_stack: list[tuple[Any, Thing]] = []
        self.resolved: dict[int, tuple[After, ...]] = {}
        """By the `id` of a loop, a promise or an awaited signal: what its end comes after, once the program stops."""
        self.settled: list[Thing] = []
        """Those, which are kept so that nothing else gets their `id`."""
        self.races: list[tuple[Thing, tuple[int, ...]]] = []
        """Promises of which the first one counts, and the keys of their parts in `resolved`."""
        self.broken: list[Thing] = []
        """What was broken off in the middle while it stops."""
        self.abortable: list[tuple[Any, Thing]] = []
        """Loops and timers with the AbortSignal that ends them."""
        self.written: set[After] = set()
        """What has happened once a stream says that it has written everything."""
        self.floating: list[Afloat] = []
        """Calls whose promise nobody takes."""
        self.passed = 0
        """How many branches nobody can decide waited for something."""
        self.unset: frozenset[str] | None = None
        """Names that nothing ever sets, once somebody asks."""
        self.live: dict[tuple[int, str], list[tuple[dict[str, Any], dict[str, Any], str]]] = {}
        """By the `id` of a module's variables and a name: whose, and the variables and names it is bound to it."""
        self.rearmed: set[int] = set()
        """Timers, by `id`, that a function under way sets anew after they were cleared."""
        self.set_after: dict[tuple[int, str], tuple[dict[str, Any], tuple[After, ...]]] = {}
        """By the `id` of the variables and a name: those, and what its value comes after, set while it stops."""
        self.absent: list[tuple[str, Span]] = []
        """Files that it needs while it stops and that may not be there, each with where it does."""
        self.undecided = self.caught = 0
        """How many branches nobody can decide were run, and how many errors were caught."""
        self.early: set[int] = set()
        """Timers that nothing waits for any longer, by `id`: cleared, or what they were to settle is settled."""

    # The life of a program

    def start(self, preload: tuple[Source, ...] = ()) -> None:
        """Runs the entry's top level. Raises ParseError where the entry cannot be read."""
        file = self.parsed.get(self.source.path) or read_file(self.source)
        self.parsed[self.source.path] = file
        try:
            for source in preload:
                self.load(f"./{posixpath.basename(source.path)}", Frame(Scope(), replace(file, source=source)))
            self.run_module(file)
        except (Stop, Thrown):
            self.ended = not any(thing.kind == "busy" for thing in self.things)

    def task(self, function: Any, args: list[Any], frame: Frame, after: tuple[After, ...], certain: bool = True) -> Any:
        """A callback: what it does comes after `after`, and an exit in it ends it alone."""
        was = self.certain
        self.certain = was and certain
        inner = Frame(frame.scope, frame.file, after, frame.this)
        try:
            value = self.call(function, args, inner, None)
            failing.dropped(self, value, inner.file.root, inner)
            return value
        except Stop:
            return Promise(after, never=True)
        except Thrown:
            failing.uncaught(self, "uncaughtException", inner)
            return Promise(after, never=True)
        finally:
            self.certain = was

    def note(self, kind: str, node: Node, frame: Frame, **facts: Any) -> None:
        self.events.append(Event(kind, frame.file.span(node), frame.after, self.certain, **facts))

    def pause(self, after: tuple[After, ...]) -> None:
        """Something that is run goes on only after all that."""
        if self.certain or self.rehearsing:
            self.pauses.append(after)

    def add(self, thing: Thing, frame: Frame) -> Thing:
        thing.certain = self.certain
        thing.after = frame.after
        self.things.append(thing)
        return thing

    # Modules

    def run_module(self, file: File, importer: File | None = None) -> Object:
        path = file.source.path
        self.steps += MODULE
        exports = Object()
        self.modules[path] = exports
        self.sources.append(file.source)
        module = Object({"exports": exports, "parent": parent_of(importer)})
        scope = self.scopes[path] = Scope()
        scope.names |= {
            "module": module,
            "exports": exports,
            "__filename": Text(path),
            "__dirname": Text(path.rpartition("/")[0] or "."),
        }
        hoist(file.root, scope)
        frame = Frame(scope, file)
        self.stack.append(file.root)
        self.entered.append(((), 0))
        try:
            for node in file.root.named_children:
                if node.type == "import_statement":
                    self.execute(node, frame)
            self.block([node for node in file.root.named_children if node.type != "import_statement"], frame)
        finally:
            self.stack.pop()
            self.entered.pop()
            found = module.props["exports"]
            if found is not exports:
                self.modules[path] = found
        return self.modules[path]

    def load(self, name: str, frame: Frame) -> Any:
        """The exports of a module by its name."""
        name = name.removeprefix("node:")
        source = find_module(name, frame.file.source.path, self.files)
        if source is None:
            name = generated_as(name, frame.file.source.path, self.files) or name
            if name.endswith((".json", ".css", ".html", ".graphql", ".svg")):
                return UNKNOWN
            if is_local(name, frame.file.source.path, self.files):
                self.unread.append(name)
                return External(f"?{name}")
            self.libraries.add(name)
            return External(name)
        if source.path in self.modules:
            return self.modules[source.path]
        if source.path.endswith(".json"):
            return self.modules.setdefault(source.path, globals.from_json(self, source.text))
        if source.path not in self.parsed:
            try:
                self.parsed[source.path] = read_file(source)
            except (ParseError, TooBigError):
                self.parsed[source.path] = None
        file = self.parsed[source.path]
        if file is None:
            self.unread.append(name)
            return External(f"?{name}")
        return self.run_module(file, frame.file)

    # Running

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
        if self.steps > self.limit and not self.effort.lets(self):
            raise TooBigError
        run = STATEMENTS.get(node.type)
        ended = run(self, node, frame) if run else None
        self.call_back()
        return ended

    def call_back(self) -> None:
        """Calls what waits for a server to listen: `const s = app.listen(80, () => resolve(s))` has its `s` by then."""
        while self.listening:
            functions, frame, certain = self.listening.pop(0)
            run_callbacks(self, functions, frame, certain)

    def declare_function(self, node: Node, frame: Frame) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            frame.scope.names[text_of(name)] = Closure(node, frame.scope, frame.file, frame.this)

    def pay_for(self, elements: int) -> None:
        """Pays for copying a collection."""
        self.steps += elements // ELEMENTS_A_STEP
        if self.steps > self.limit and not self.effort.lets(self):
            raise TooBigError

    def value(self, node: Node | None, frame: Frame) -> Any:
        if node is None:
            return UNDEFINED
        self.steps += 1
        if self.steps > self.limit and not self.effort.lets(self):
            raise TooBigError
        evaluate = EXPRESSIONS.get(node.type)
        return evaluate(self, node, frame) if evaluate else UNKNOWN

    def key(self, node: Node | None, frame: Frame) -> str | None:
        if node is None:
            return None
        if node.type == "computed_property_name":
            return as_key(self.value(node.named_children[0], frame))
        return string_of(node) if node.type == "string" else text_of(node)

    def settle(self, thing: Thing, after: tuple[After, ...]) -> None:
        """Something that is waited for has come to its end."""
        self.settled.append(thing)
        self.resolved.setdefault(id(thing), after)

    def is_counted(self, name: str) -> bool:
        """Whether nobody knows the number a variable is at."""
        return name in self.counters and name not in self.counting

    def property_name(self, node: Node, frame: Frame) -> str | None:
        if node.type == "member_expression":
            name = node.child_by_field_name("property")
            return text_of(name) if name is not None else None
        return as_key(self.value(node.child_by_field_name("index"), frame))

    def member(self, owner: Any, name: str, frame: Frame) -> Any:
        """`owner.name`"""
        if isinstance(owner, External):
            return library.external_member(self, owner, name)
        if isinstance(owner, Object):
            if name in owner.props:
                found = owner.props[name]
                return UNKNOWN if self.is_counted(name) and isinstance(found, (int, float)) else found
            found = _method_of(owner.cls, name, owner, self) if owner.cls is not None else _absent(owner)
            inherits = EMITTER in owner.props and found is UNKNOWN and name in methods.EMITS
            return Method(owner.props[EMITTER], name) if inherits else found
        if isinstance(owner, Class):
            if name in owner.statics:
                return owner.statics[name]
            if owner.parent is None:
                return UNKNOWN if name in ("name", "prototype", "length") else UNDEFINED
            return self.member(owner.parent, name, frame)
        if isinstance(owner, Array):
            if is_whole(name):
                return item_at(owner, int(name))
            if name in ("length", "size"):
                return UNKNOWN if owner.open else len(owner.items)
            return Method(owner, name)
        if isinstance(owner, Thing) and name in methods.SELF and owner.kind != "consumer":
            return owner.data if owner.kind == "app" and isinstance(owner.data, Thing) else owner
        if isinstance(owner, Thing) and name in methods.STATES:
            return methods.STATES[name]
        if isinstance(owner, (Thing, Promise, Closure, str, Builtin, Method)):
            if isinstance(owner, str) and name == "length":
                return len(owner)
            return Method(owner, name)
        return UNKNOWN

    def call(self, target: Any, args: list[Any], frame: Frame, node: Node | None) -> Any:
        if isinstance(target, Closure):
            return self.call_closure(target, args, frame)
        if isinstance(target, Builtin):
            return target.call(self, args, node, frame)
        at = node if node is not None else frame.file.root
        if isinstance(target, External):
            if target.path == "require" and args:
                return globals.load_computed(self, args[0], at, frame)
            return library.call_external(self, target, args, at, frame)
        if isinstance(target, Method):
            return methods.call_method(self, target, args, at, frame)
        if isinstance(target, Thing):
            # `const app = express()` is a function too
            return target
        if self.rehearsing:
            from gracelint.behaviour.node.answers import is_answered

            is_answered(self, [target, *args], frame.after)
        run_callbacks(self, args, frame, certain=False)
        if not self.stopping:
            self.blind = True
        if (self.stopping or methods.is_later(frame)) and not library.is_logging(callee_of(at)):
            self.note("opaque", at, frame, target=callee_of(at))
        return UNKNOWN

    def call_closure(self, closure: Closure, args: list[Any], frame: Frame) -> Any:
        node = closure.node
        is_async = any(child.type == "async" for child in node.children)
        recursive = self.stack.count(node)
        if recursive and (is_async or promises.comes_round(self, node, frame)):
            # a function that calls itself once something is done goes round like a loop
            thing = timers.rearm(self, closure, args, 0.0, "recursion", closure.file.span(node), frame)
            return Promise((*frame.after, After("loop", thing.span, thing)))
        if recursive > 1 or len(self.stack) > DEPTH or _is_generator(node):
            self.pay_for(ELEMENTS_A_STEP)
            return Generator(closure, tuple(args)) if _is_generator(node) else UNKNOWN
        body = node.child_by_field_name("body")
        if body is None:
            return UNKNOWN
        inner = Frame(Scope(closure.scope), closure.file, frame.after, closure.this)
        own = node.child_by_field_name("name") if node.type in _NAMED_EXPRESSIONS else None
        if own is not None:
            inner.scope.names[text_of(own)] = closure
        bind_parameters(self, node, type(args)([*closure.bound, *args]), inner)
        self.stack.append(node)
        passed = self.passed
        self.entered.append((frame.after, len(self.timer_stack)))
        self.called.add((closure.file.source.path, node.start_byte))
        value: Any = UNDEFINED
        certain = self.certain
        self.returned.append([])
        try:
            if body.type == "statement_block":
                ended = self.block(body.named_children, inner)
                value = ended[1] if isinstance(ended, tuple) else UNDEFINED
                value = _either(value, self.returned[-1]) if certain else value
            else:
                value = self.value(body, inner)
        except Stop:
            if not is_async or inner.after == frame.after:
                raise
            return Promise(inner.after, never=True)
        except Thrown:
            if not is_async:
                raise
            return Promise(inner.after, never=True, rejected=self.stopping)
        finally:
            self.stack.pop()
            self.entered.pop()
            self.returned.pop()
        if not is_async:
            return value
        if inner.after and not self.stopping and failing.goes_on(closure):
            self.begun.append(inner.after)
        if isinstance(value, Promise):
            return Promise(joined(inner.after, value.after), value.value, value.never)
        if isinstance(value, External) and "(" in value.path:
            return Promise((*inner.after, After("work", closure.file.span(node))), value)
        return Promise(inner.after, value, maybe=self.passed > passed)


_NAMED_EXPRESSIONS = ("function_expression", "generator_function")
"""`const f = function again() { setTimeout(again, 1000) }`: a name that is known inside alone."""


def _either(value: Any, others: list[Any]) -> Any:
    """What a function gives that may have returned before."""
    if all(equal(value, other) is True for other in others) or isinstance(value, (Thing, Promise)):
        return value
    return next((other for other in others if isinstance(other, (Thing, Promise))), UNKNOWN)


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


def _is_generator(node: Node) -> bool:
    return "generator" in node.type or any(child.type == "*" for child in node.children)
