"""An abstract run of a program, with a signal that arrives while it waits.

The machine walks the statements in the order Python would, follows calls into the project, and keeps what it can know
of variables and objects. Where a condition is not known it walks both ways and joins what they leave behind. Calls that
leave the project are answered by `library`. A first run without a signal finds the places where the program waits; one
with `at` set delivers the signal at one of them, runs the handler that is installed by then, and goes on: how the
program's main thread ends from there is its reaction.
"""

from __future__ import annotations

import ast
import builtins

from gracelint.base.limits import DEPTH
from gracelint.behaviour.python import commands, models  # noqa: F401 - they fill the tables of registry
from gracelint.behaviour.python.beside import let_tasks_run, take_results
from gracelint.behaviour.python.delivery import deliver, deliver_late, run_handler, tell_child
from gracelint.behaviour.python.ends import (
    AT_WORK,
    FED,
    LASTING,
    NORMAL,
    RETURN,
    End,
    Frame,
    Leave,
    Point,
    Registration,
    TooLong,
    stuck,
)
from gracelint.behaviour.python.expressions import EXPRESSIONS
from gracelint.behaviour.python.leaving import finish
from gracelint.behaviour.python.library import await_external, await_thing, call, initialise
from gracelint.behaviour.python.modules import Module
from gracelint.behaviour.python.names import (
    NAMESPACES,
    canonical,
    external_attribute,
    is_exception,
    is_kind_of,
    path_of,
    text_of,
    truth_of,
)
from gracelint.behaviour.python.objects import arguments_of, cloud, dataclass_fields, key_of, key_value, unpacked
from gracelint.behaviour.python.queues import runs_empty
from gracelint.behaviour.python.state import State
from gracelint.behaviour.python.statements import STATEMENTS
from gracelint.behaviour.python.values import (
    CERTAIN,
    ELEMENTS,
    FROM_OUTSIDE,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    Bound,
    Class,
    Const,
    Error,
    Function,
    Items,
    Later,
    ModuleValue,
    Name,
    Partial,
    Super,
    Thing,
    Unknown,
    Value,
    derives,
    join,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gracelint.behaviour.python.serving import Application
    from gracelint.behaviour.python.values import Store


class Machine(State):
    # -- running ---------------------------------------------------------------------------------------------

    def run(self, entry: Module, call: str | None) -> list[End]:
        """All the ways in which the program's main thread can end."""
        self.entry = entry
        if self.application is not None:
            return self._serve(entry, self.application)
        store = self.load(entry, "__main__" if call is None else entry.name)
        if not isinstance(store, list):
            ends = [End(NORMAL)]
            if call is not None:
                self.frames.append(Frame(entry, ()))
                function: Value = ModuleValue(entry, store)
                try:
                    for part in call.split("."):
                        function = self.attribute(function, part, entry.tree)
                    self.call(function, [], {}, entry.tree)
                except Leave as leave:
                    ends = leave.ends
                self.frames.pop()
        else:
            ends = store
        ends = self.merge(ends + self.side)
        self.side = []
        return finish(self, ends)

    def _serve(self, entry: Module, application: Application) -> list[End]:
        from gracelint.behaviour.python.serving import run_application

        ends = self.merge(run_application(self, entry, application) + self.side)
        self.side = []
        return finish(self, ends)

    def load(self, module: Module, name: str) -> Store | list[End]:
        """Runs a module's top level; its globals, or the ways it ended where it did not come back."""
        if module.name in self.stores:
            return self.stores[module.name]
        store: Store = {"__name__": Const(name), "__file__": Const(module.path), "__doc__": NONE}
        self.stores[module.name] = store
        self.frames.append(Frame(module, (store,)))
        try:
            ends = self.block(module.tree.body)
        finally:
            self.frames.pop()
        if any(end.kind == NORMAL for end in ends):
            self.side += [end for end in ends if end.kind != NORMAL]
            return store
        return ends

    def block(self, body: Sequence[ast.stmt]) -> list[End]:
        ends: list[End] = []
        tag = CERTAIN
        for at, statement in enumerate(body):
            arrived = self.arrived
            step = self.statement(statement)
            if self.arrived and not arrived:
                ends, tag = [], CERTAIN
            ends += [end for end in step if end.kind != NORMAL]
            normal = [end.tag for end in step if end.kind == NORMAL]
            if not normal:
                return self.merge(self.left_out(ends, body[at + 1 :]))
            tag = max(tag, min(normal))
        return [*self.merge(ends), End(NORMAL, tag)]

    def statement(self, node: ast.stmt) -> list[End]:
        self.steps += 1
        if self.steps > self.limit and not self.effort.lets(self):
            raise TooLong
        outer, self.side = self.side, []
        arrived = self.arrived
        try:
            run = STATEMENTS.get(type(node))
            ends = [End(NORMAL)] if run is None else run(self, node)
        except Leave as leave:
            ends = leave.ends
        ends = ends + self.side
        self.side = [] if self.arrived and not arrived else outer
        return ends

    # -- names and imports ------------------------------------------------------------------------------------------

    def catches(self, type_: Value, error: Error) -> bool:
        if isinstance(type_, Class):
            return error.cls is not None and derives(error.cls, type_)
        dotted = canonical(type_.dotted) if isinstance(type_, Name) else ""
        kind = canonical(error.cls.kind if error.cls is not None else error.dotted)
        return bool(dotted) and (kind == dotted or is_kind_of(kind, dotted))

    def as_error(self, value: Value) -> Error:
        if isinstance(value, Error):
            return value
        if isinstance(value, Class):
            return Error(value.kind, value)
        if isinstance(value, Thing):
            return Error(value.kind, value.cls)
        if isinstance(value, Name):
            return Error(value.dotted)
        return Error("?")

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Function:
        arguments = node.args
        defaults: dict[str, Value] = {}
        positional = [*arguments.posonlyargs, *arguments.args]
        for argument, default in zip(
            positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=False
        ):
            defaults[argument.arg] = self.eval(default)
        for argument, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False):
            if keyword_default is not None:
                defaults[argument.arg] = self.eval(keyword_default)
        return Function(node, self.module, self.frame.scopes, defaults)

    def import_module(self, name: str, node: ast.AST) -> Value:
        """Runs a module and its packages, once; a Name for what is not in the project."""
        if name.partition(".")[0] in self.heavy:
            self.startup("import", node)
        parent: Value | None = None
        parts = name.split(".")
        for index in range(len(parts)):
            dotted = ".".join(parts[: index + 1])
            module = self.modules.find(dotted)
            if module is None:
                continue
            found = self.load(module, dotted)
            if isinstance(found, list):
                raise Leave(found)
            value = ModuleValue(module, found)
            if isinstance(parent, ModuleValue):
                self.write(parent.store, parts[index], value)
            parent = value
        if self.modules.find(name) is not None and parent is not None:
            return parent
        if self.modules.is_ours(name) and not self.modules.is_folder(name):
            self.modules.unread.setdefault(name)
        return Name(name)

    def bind(self, name: str, value: Value) -> None:
        frame = self.frame
        if name in frame.globals:
            self.write(self.stores[self.module.name], name, value)
        elif name in frame.nonlocals:
            scope = next((scope for scope in reversed(frame.scopes[:-1]) if name in scope), frame.scopes[-1])
            self.write(scope, name, value)
        else:
            self.write(frame.scopes[-1], name, value)
        if self.handling and not self.aside and (name in frame.globals or name in frame.nonlocals):
            self.act("flag", name)

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Attribute):
            owner = self.eval(target.value)
            if isinstance(owner, (Thing, Class, ModuleValue)):
                self.write(owner.store, target.attr, value)
                if self.handling and not self.aside:
                    self.act("flag", target.attr, target)
            elif self.handling and isinstance(owner, (Unknown, Bound)):
                self.doubt(f"the handler sets `{ast.unparse(target)}`, which is not in the project")
        elif isinstance(target, ast.Subscript):
            owner = self.eval(target.value)
            key = self.eval(target.slice)
            if path_of(owner) == "os.environ" and isinstance(key, Const):
                self.write(self.world, ("env", key.value), value)
            if isinstance(owner, Items) and key_of(key) == "…":
                cloud(self, owner.store)
            if isinstance(owner, (Items, Thing)):
                self.write(owner.store, key_of(key), value)
                if self.handling and not self.aside:
                    self.act("flag", ast.unparse(target), target)
        elif isinstance(target, (ast.Tuple, ast.List)):
            spare: Value = value if isinstance(value, Unknown) else FROM_OUTSIDE
            known = unpacked(target.elts, self.elements(value)) or [spare] * len(target.elts)
            for part, each in zip(target.elts, known, strict=True):
                self.assign(part, each)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value)

    # -- values -----------------------------------------------------------------------------------------

    def eval(self, node: ast.expr) -> Value:
        self.steps += 1
        if self.steps > self.limit and not self.effort.lets(self):
            raise TooLong
        evaluate = EXPRESSIONS.get(type(node))
        return FROM_OUTSIDE if evaluate is None else evaluate(self, node)

    def lookup(self, name: str) -> Value:
        frame = self.frame
        if name not in frame.globals:
            for scope in reversed(frame.scopes):
                if name in scope:
                    return scope[name]
        store = self.stores.get(frame.module.name, {})
        if name in store:
            return store[name]
        if hasattr(builtins, name):
            return Name(f"builtins.{name}")
        star = store.get("*")
        if isinstance(star, Name):
            return Name(f"{star.dotted}.{name}")
        return LOST_TRACK

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        if isinstance(owner, ModuleValue):
            return self._module_attribute(owner, name, node)
        if isinstance(owner, Name):
            return external_attribute(self, owner, name)
        if isinstance(owner, Thing):
            return self._thing_attribute(owner, name, node)
        if isinstance(owner, Super):
            for base in owner.owner.bases:
                found = base.find(name) if isinstance(base, Class) else None
                if isinstance(found, Function):
                    return found.bind(owner.receiver)
            return Bound(owner.receiver, name)
        if isinstance(owner, Class):
            found = owner.find(name)
            if isinstance(found, Function):
                return found.bind(owner) if found.wrapper == "classmethod" else found
            if found is not None:
                return found
            return Name(f"{owner.kind}.{name}") if owner.kind else LOST_TRACK
        return Bound(owner, name)

    def _module_attribute(self, owner: ModuleValue, name: str, node: ast.AST) -> Value:
        if name in owner.store:
            return owner.store[name]
        if owner.module.is_package and self.modules.find(f"{owner.module.name}.{name}") is not None:
            return self.import_module(f"{owner.module.name}.{name}", node)
        star = owner.store.get("*")
        return Name(f"{star.dotted}.{name}") if isinstance(star, Name) else LOST_TRACK

    def _thing_attribute(self, owner: Thing, name: str, node: ast.AST) -> Value:
        if name in owner.store:
            return owner.store[name]
        found = owner.cls.find(name) if owner.cls is not None else None
        if isinstance(found, Function):
            if found.wrapper == "property":
                return self.call(found.bind(owner), [], {}, node)
            if found.wrapper == "staticmethod":
                return found
            return found.bind(owner.cls if found.wrapper == "classmethod" and owner.cls else owner)
        if found is not None:
            return found
        if f"{canonical(owner.kind)}.{name}" in NAMESPACES:
            owner.store[name] = Thing("types.SimpleNamespace", node, self.module)
            return owner.store[name]
        return Bound(owner, name)

    def call(self, function: Value, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        self.note_call(function, node)
        if isinstance(function, Function):
            return self._cached(function, args, keywords, node)
        if isinstance(function, Partial):
            return self.call(function.function, [*function.args, *args], {**function.keywords, **keywords}, node)
        if isinstance(function, Class):
            return self.instantiate(function, args, keywords, node)
        if isinstance(function, Thing) and function.cls is not None:
            method = function.cls.find("__call__")
            if isinstance(method, Function):
                return self.invoke(method.bind(function), args, keywords, node)
        return call(self, function, args, keywords, node)

    def _cached(self, function: Function, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        """What a call gives; of a function that keeps its answers, what it gave for the same arguments."""
        given = tuple(key_of(value) for value in (*args, *keywords.values()))
        if function.wrapper != "cached" or "…" in given:
            return self.invoke(function, args, keywords, node)
        key = ("answer", function.node, function.receiver, given)
        if key not in self.world:
            self.write(self.world, key, self.invoke(function, args, keywords, node))
        return self.world[key]

    def instantiate(self, cls: Class, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        thing = Thing(cls.kind, node, self.module, cls)
        if is_exception(cls.kind):
            return Error(cls.kind, cls)
        init = cls.find("__init__")
        if isinstance(init, Function):
            self.invoke(init.bind(thing), args, keywords, node)
        else:
            initialise(self, thing, args, keywords, node)
            dataclass_fields(cls, thing, args, keywords)
        return thing

    def invoke(
        self,
        function: Value,
        args: Sequence[Value],
        keywords: dict[str, Value],
        node: ast.AST,
        *,
        on_yield: Callable[[Value], Value] | None = None,
        awaited: bool = False,
    ) -> Value:
        if not isinstance(function, Function):
            return self.call(function, args, keywords, node)
        target = function.node
        if on_yield is None and (
            (isinstance(target, ast.AsyncFunctionDef) and not awaited)
            or (not awaited and self.modules.is_generator(target))
        ):
            return Later(function, args, keywords, node)
        if target in self.active or len(self.active) > DEPTH:
            return FROM_OUTSIDE
        if self.handling and not self.aside:
            self.helpers += 1
        scope = arguments_of(function, args, keywords)
        awaiting, self.awaiting = self.awaiting, False
        frame = Frame(function.module, (*function.scopes, scope), function, node)
        frame.on_yield = on_yield
        self.frames.append(frame)
        self.active.append(target)
        try:
            if isinstance(target, ast.Lambda):
                return self.eval(target.body)
            ends = self.block(target.body)
        finally:
            self.frames.pop()
            self.active.pop()
            self.awaiting = awaiting
        returned = [end for end in ends if end.kind in (RETURN, NORMAL)]
        if not returned:
            raise Leave(ends)
        self.side += [end for end in ends if end.kind not in (RETURN, NORMAL)]
        self.came_back = min(end.tag for end in returned)
        value = returned[0].value or NONE
        for end in returned[1:]:
            value = join(value, end.value or NONE, max(end.tag, OUTSIDE))
        return value

    def awaited(self, value: Value, node: ast.AST) -> Value:
        """What `await value` gives."""
        if isinstance(value, Later):
            if isinstance(value.function, Function):
                return self.invoke(value.function, value.args, value.keywords, value.node, awaited=True)
            return self.give_way(lambda: await_external(self, value))
        if isinstance(value, Thing):
            return self.give_way(lambda: await_thing(self, value, node))
        if isinstance(value, Unknown) and self.arrived and isinstance(node, ast.Await):
            return self._await_unknown(value, node)
        return value

    def _await_unknown(self, value: Value, node: ast.Await) -> Value:
        """Something that is kept somewhere, most likely a task: whether it comes to its end is not known."""
        if isinstance(node.value, ast.Call) or (self.handling and not self.aside):
            return value
        point = Point(node, self.module, "await", None, text_of(node))
        return self.give_way(lambda: self.wait(point, ready=lambda: LOST_TRACK, value=value))

    def give_way(self, wait: Callable[[], Value]) -> Value:
        """Waits in a way that lets the event loop go on."""
        outer, self.awaiting = self.awaiting, True
        try:
            return wait()
        finally:
            self.awaiting = outer

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of something iterable, where they are all known."""
        if isinstance(value, Thing) and "#mapped" in value.store:
            take_results(self, value)
        if isinstance(value, Items) and not value.open:
            self.pay_for(len(value.store))
            if value.kind == "dict":
                return [key_value(key) for key in value.store]
            return value.values()
        if isinstance(value, Const) and isinstance(value.value, (str, bytes)) and len(value.value) <= ELEMENTS:
            return [Const(char) for char in value.value]
        return None

    def truth(self, value: Value) -> bool | Unknown:
        if isinstance(value, (Const, Unknown)):
            return bool(value.value) if isinstance(value, Const) else value
        if isinstance(value, Items):
            return self.has_elements(value)
        if isinstance(value, Thing):
            if value.cls is not None:
                return self._truth_of_instance(value)
            return True if value.kind.rpartition(".")[2][:1].isupper() else FROM_OUTSIDE
        if isinstance(value, Bound):
            receiver: Value = value
            while isinstance(receiver, Bound):
                receiver = receiver.receiver
            return receiver if isinstance(receiver, Unknown) else FROM_OUTSIDE
        if isinstance(value, Name):
            return truth_of(value)
        return True

    def _truth_of_instance(self, thing: Thing) -> bool | Unknown:
        for name in ("__bool__", "__len__"):
            method = thing.cls.find(name) if thing.cls is not None else None
            if isinstance(method, Function) and method.node not in self.active:
                return self.truth(self.call(method.bind(thing), [], {}, method.node))
        return True

    # -- waiting ---------------------------------------------------------------------------------------------

    def wait(
        self,
        point: Point,
        *,
        ready: Callable[[], bool | Unknown] | None = None,
        raises: str | None = None,
        comes_back: bool = False,
        deaf: bool = False,
        value: Value = FROM_OUTSIDE,
    ) -> Value:
        """One blocking call.

        `ready` tells whether what it waits for is there; `raises` is what a timeout raises; `comes_back` waits end when
        the world outside sends something; `deaf` ones let no handler run before they end.
        """
        self.place(point, comes_back)
        self.hear_cancel(point)
        if self.deferred and not self.aside and not self.arrived:
            for key, handler in self.deferred:
                if isinstance(handler, Registration):
                    handler.before = self.world.get(key)
                self.write(self.world, key, handler)
            self.deferred = []
        self.resuming = self.early = False
        tell_child(self, point)
        if self.pending is not None and self.awaiting and not self.aside:
            registration, self.pending = self.pending, None
            run_handler(self, registration, point)
        is_ready = ready() if ready is not None else False
        if not self.arrived:
            return self._wait_before(point, is_ready, ready, raises, comes_back, deaf, value)
        if self.handling == 0 or self.aside:
            is_ready = self._after_tasks(point, is_ready, ready)
            return self._wait_after(point, is_ready, raises, value)
        self.act("wait", point.what, point.node, point.limit)
        self.leaving.append(point)
        if is_ready is True:
            return value
        if point.seconds is None:
            raise stuck(point, "handler wait", is_ready.tag if isinstance(is_ready, Unknown) else CERTAIN)
        self.spend(point)
        return value

    def _after_tasks(
        self, point: Point, is_ready: bool | Unknown, ready: Callable[[], bool | Unknown] | None
    ) -> bool | Unknown:
        """Whether the wait is over once the tasks beside it had their turn."""
        if is_ready is True or ready is None or not self.awaiting or self.aside or self.unheard or not self.runners:
            return is_ready
        let_tasks_run(self, point.seconds)
        return ready()

    def _wait_before(
        self,
        point: Point,
        is_ready: bool | Unknown,
        ready: Callable[[], bool | Unknown] | None,
        raises: str | None,
        comes_back: bool,
        deaf: bool,
        value: Value,
    ) -> Value:
        if is_ready is True and point.kind in LASTING and self.loops:
            self.record(point)
        if is_ready is True and (self.aside or point.kind not in LASTING or self.at != id(point.node)):
            return value
        if self.aside:
            self.facts.aside.append(point)
            if self.bodies and point.kind in (*FED, *AT_WORK):
                self.facts.working.append((self.bodies[-1], point))
            if point.seconds is None and not comes_back and is_ready is False:
                raise stuck(point, "wait")
            return value
        self.record(point)
        if self.at == id(point.node) and not self.puts_off(point):
            if deaf:
                deliver_late(self, point, comes_back)
            else:
                deliver(self, point)
            if self.served:
                return value
            is_ready = ready() if ready is not None and not self.unheard else False
            is_ready = self._after_tasks(point, is_ready, ready)
            if isinstance(is_ready, Unknown) and is_ready.tag == OUTSIDE:
                is_ready = False
            return self._wait_after(point, is_ready, raises, value)
        if point.seconds is None and not comes_back:
            if not isinstance(is_ready, Unknown):
                raise stuck(point, "wait")
            point.tag = is_ready.tag
        return value

    def _wait_after(self, point: Point, is_ready: bool | Unknown, raises: str | None, value: Value) -> Value:
        if point is not self.arrival and not self.aside:
            self.leaving.append(point)
        if is_ready is True:
            return value
        if point.seconds is None:
            raise stuck(point, "wait", is_ready.tag if isinstance(is_ready, Unknown) else CERTAIN)
        self.spend(point)
        if self.fed and not self.aside and self.arrival is not None and point.node is self.arrival.node:
            self.fed = not runs_empty(self)
        if raises is not None and not self.fed:
            self.times_out(raises, surely=is_ready is False or point is self.arrival)
        return value

    def spend(self, point: Point) -> None:
        """Time that passes between the signal and the end."""
        limit = point.limit
        if limit is None and self.aside and not self.loops:
            return
        if limit is None or self.delay is None:
            self.delay = None
        elif point.kind == "sleep" or point is self.arrival or self.aside:
            self.delay += limit
        self.waited = self.waited or point is self.arrival
