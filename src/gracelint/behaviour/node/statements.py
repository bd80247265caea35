"""What statements do in a run."""

from __future__ import annotations

from contextlib import suppress

from gracelint.behaviour.node import failing, methods, names
from gracelint.behaviour.node.expressions import class_value, sequence
from gracelint.behaviour.node.state import Frame, Stop, Thrown, Undecided
from gracelint.behaviour.node.syntax import FUNCTIONS, string_of
from gracelint.behaviour.node.this import taken
from gracelint.behaviour.node.values import (
    MISSING,
    UNDEFINED,
    UNKNOWN,
    After,
    Array,
    Object,
    Promise,
    Scope,
    Thing,
    equal,
    joined,
    truthy,
)
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


def _expression_statement(machine: Machine, node: Node, frame: Frame) -> None:
    failing.dropped(machine, sequence(machine, node, frame), node, frame)


def _if_statement(machine: Machine, node: Node, frame: Frame) -> Any:
    test = node.child_by_field_name("condition")
    then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    if other is not None and other.type == "else_clause":
        other = other.named_children[-1] if other.named_children else None
    truth = truthy(machine.value(test, frame))
    if truth is None and machine.stopping and any(part.kind == "timer" for part in frame.after):
        from gracelint.behaviour.node import draining

        # a timer that looks at it again and again comes to the branch in which no request is running
        some = draining.counts_requests(machine, test, frame)
        if some is not None and draining.is_filled(machine, test):
            truth = some
        elif some is not None:
            frame.after = (*frame.after, *draining.drained_requests(machine, node, frame))
            truth = not some
    if truth is None:
        return _both(machine, [then, other], test, frame)
    branch = then if truth else other
    return machine.execute(branch, frame) if branch is not None else None


def _try_statement(machine: Machine, node: Node, frame: Frame) -> Any:
    body, handler = node.child_by_field_name("body"), node.child_by_field_name("handler")
    finalizer = node.child_by_field_name("finalizer")
    last = finalizer.child_by_field_name("body") if finalizer is not None else None
    ended = None
    try:
        ended = machine.execute(body, frame) if body is not None else None
    except Thrown:
        machine.caught += 1
        caught = handler.child_by_field_name("body") if handler is not None else None
        if caught is None:
            if last is not None:
                machine.execute(last, frame)
            raise
        ended = machine.execute(caught, frame)
    return (machine.execute(last, frame) if last is not None else None) or ended


def _switch_statement(machine: Machine, node: Node, frame: Frame) -> Any:
    value = machine.value(node.child_by_field_name("value"), frame)
    body = node.child_by_field_name("body")
    cases = body.named_children if body is not None else []
    start = None
    for index, case in enumerate(cases):
        wanted = case.child_by_field_name("value")
        if wanted is None:
            continue
        same = equal(value, machine.value(wanted, frame))
        if same is None:
            for other in cases:
                with Undecided(machine, node.child_by_field_name("value"), frame):
                    machine.block(_case_body(other), frame)
            return None
        if same:
            start = index
            break
    if start is None:
        start = next((index for index, case in enumerate(cases) if case.type == "switch_default"), None)
    for case in cases[start:] if start is not None else ():
        ended = machine.block(_case_body(case), frame)
        if ended is not None:
            return None if ended == "break" else ended
    return None


def _for_in(machine: Machine, node: Node, frame: Frame) -> Any:
    """`for … of` and `for … in`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    body = node.child_by_field_name("body")
    if left is None or body is None:
        return None
    operator = node.child_by_field_name("operator")
    over = machine.value(right, frame)
    if any(child.type == "await" for child in node.children) and isinstance(over, Promise):
        frame.after = joined(frame.after, over.after)
        over = Array([UNKNOWN])
    if any(child.type == "await" for child in node.children) and not isinstance(over, Array):
        ended = _endless(machine, node, body, frame, None)
        loop = frame.after[-1].thing if frame.after else None
        if loop is None or loop.kind != "loop" or loop.data is None or loop.data[1] != body:
            return ended
        from gracelint.behaviour.node import iterating

        iterating.note(machine, node, over, loop, frame)
        return ended
    over = methods.items(machine, over)
    if operator is not None and operator.type == "in" and isinstance(over, Object):
        items, open_ = list(over.props), over.open
        if over.open and over.props:
            items, open_ = list(over.props), False
    elif operator is not None and operator.type == "in" and isinstance(over, Array):
        items, open_ = [str(i) for i in range(len(over.items))], over.open
    elif isinstance(over, Array):
        # what else is in it is like what is known of it
        items, open_ = list(over.items), over.open and not over.items
    else:
        items, open_ = [], True
    if not machine.stopping and machine.certain and _awaits(body):
        _keep_round(machine, node, left, body, frame)
    for item in items[:64]:
        inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
        names.bind(machine, left, item, inner)
        ended = machine.execute(body, inner)
        frame.after = inner.after
        if ended == "break":
            return None
        if isinstance(ended, tuple):
            return ended
    if open_:
        inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
        names.bind(machine, left, UNKNOWN, inner)
        _both(machine, [body], right, inner)
        if machine.stopping and _awaits(body):
            frame.after = (*frame.after, After("work", frame.file.span(node)))
    return None


def _keep_round(machine: Machine, node: Node, left: Node, body: Node, frame: Frame) -> None:
    """Keeps a loop over a list, which may be what the program is at when the signal comes."""
    thing = Thing("loop", "loop", frame.file.span(node), None)
    inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
    names.bind(machine, left, UNKNOWN, inner, declare=True)
    thing.data = (None, body, inner, ())
    machine.rounds.append(thing)


def _loop(machine: Machine, node: Node, frame: Frame) -> Any:
    """`while`, `do … while` and `for (;;)`."""
    inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
    start = node.child_by_field_name("initializer")
    if start is not None:
        machine.execute(start, inner)
    test, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if test is not None and test.type in ("empty_statement", ";"):
        test = None
    if test is not None and test.type == "expression_statement":
        test = test.named_children[0]
    truth = True if test is None else truthy(machine.value(test, inner))
    if truth is not False and node.type == "for_statement" and body is not None and _awaits(body):
        from gracelint.behaviour.node import counted

        times = counted.rounds(machine, node, inner)
        if times is not None:
            return counted.run(machine, node, times, inner, frame)
    if machine.stopping and body is not None:
        from gracelint.behaviour.node import draining, spinning

        if spinning.spins(machine, node, test, truth, inner):
            thing = machine.add(Thing("busy", "loop", frame.file.span(node), True), frame)
            thing.data = node
            raise Stop
        tried = spinning.retry(machine, node, inner) if _awaits(body) else None
        if tried is not None:
            frame.after = inner.after
            return tried[0]
        if truth is False and test is not None and _awaits(body):
            frame.after = (*inner.after, *spinning.polled(machine, node, test, inner))
    if truth is None and machine.stopping and body is not None and _awaits(body):
        parts = draining.conjuncts(test)
        requests = [part for part in parts if draining.counts_requests(machine, part, inner)]
        if requests:
            fed = draining.is_fed(machine, test) if len(requests) == len(parts) else False
            if fed:
                raise Stop
            drained = draining.drained_requests(machine, node, inner)
            if fed is None:
                drained = (After("unknown", frame.file.span(node)),)
            limits = [part for part in parts if part not in requests]
            if limits:
                drained = (draining.within(machine, limits, body, inner, node, drained),)
            frame.after = (*inner.after, *drained)
            return None
    if (truth is False and node.type != "do_statement") or body is None:
        return None
    if _awaits(body) or (test is not None and _awaits(test)):
        return _endless(machine, node, body, inner, test, frame)
    if truth and _is_endless(node, test, body):
        thing = machine.add(Thing("busy", "loop", frame.file.span(node), True), frame)
        thing.data = node
        raise Stop
    ended = machine.execute(body, inner) if truth else _both(machine, [body], test, inner)
    frame.after = inner.after
    return ended if isinstance(ended, tuple) and truth else None


def _endless(
    machine: Machine, node: Node, body: Node | None, inner: Frame, test: Node | None, outer: Frame | None = None
) -> Any:
    """A loop that gives way to the event loop: it runs until its test or a `break` ends it."""
    outer = outer or inner
    before = inner.after
    thing = Thing("loop", "loop", inner.file.span(node), True)
    paused = len(machine.pauses)
    ended = machine.execute(body, inner) if body is not None else None
    if test is not None and (machine.stopping or methods.is_later(outer)):
        ended = _to_its_end(machine, test, body, inner, ended)
    waits = inner.after[len(before) :]
    inner.after = before
    if ended == "break" or isinstance(ended, tuple):
        outer.after = (*before, *waits)
        if machine.stopping and body is not None:
            from gracelint.behaviour.node import spinning

            outer.after = (*outer.after, *spinning.left_once(machine, body, outer))
        return ended if isinstance(ended, tuple) else None
    if test is not None and truthy(machine.value(test, inner)) is False:
        outer.after = (*before, *waits)
        if machine.stopping:
            from gracelint.behaviour.node import spinning

            outer.after = (*outer.after, *spinning.polled(machine, node, test, outer))
        return None
    if machine.stopping:
        if test is None or truthy(machine.value(test, inner)):
            if not _can_break(body) and node.type != "for_in_statement":
                raise Stop
            outer.after = (*before, *waits)
        elif waits:
            outer.after = (*before, After("work", thing.span))  # it goes round as often as there is something to do
        return None
    if not _is_endless_await(node, test):
        # a loop over a list of work, such as `while (await next())`, or retries: it may end by itself
        thing.alive = None
    machine.add(thing, outer)
    thing.settings["pauses"] = machine.pauses[paused:]
    thing.data = (test, body, inner, waits)
    outer.after = (*before, After("loop", thing.span, thing))
    return None


def _to_its_end(machine: Machine, test: Node, body: Node | None, frame: Frame, ended: Any) -> Any:
    """Goes on with a loop that empties a list, as long as it is known that something is in it."""
    if body is None or not text_of(test).strip("() ").endswith((".length", ".size", "> 0")):
        return ended
    for _ in range(_MOST_ROUNDS):
        if ended not in (None, "continue") or truthy(machine.value(test, frame)) is not True:
            break
        ended = machine.execute(body, frame)
    return ended


_MOST_ROUNDS = 64


def again(machine: Machine, thing: Thing) -> bool:
    """Whether a loop comes to its end when it is run once more, with the state as it is now."""
    from gracelint.behaviour.node import iterating

    source = thing.settings.get("source")
    if "iterator" in thing.settings:
        is_over = iterating.is_over(machine, *thing.settings["iterator"])
        thing.alive = None if is_over is None else thing.alive
        return is_over is True
    if not (_ends(machine, thing) or (source is not None and _ends(machine, source))):
        return False
    comes = iterating.comes(machine, thing)
    thing.alive = None if comes is None else thing.alive
    return comes is True


def _ends(machine: Machine, thing: Thing) -> bool:
    test, body, frame, waits = thing.data
    over = Frame(Scope(frame.scope), frame.file, waits, frame.this)
    try:
        if test is not None and truthy(machine.value(test, over)) is False:
            return True
        ended = machine.execute(body, over) if body is not None else None
        if ended == "break" or isinstance(ended, tuple):
            return True
        return test is not None and truthy(machine.value(test, over)) is False
    except Stop:
        return False
    except Thrown:
        from gracelint.behaviour.node.aborting import is_rescued

        machine.broken.append(thing)
        thing.settings["uncaught"] = body is None or not is_rescued(body)
        thing.alive = thing.alive and not thing.settings["uncaught"]
        return not thing.settings["uncaught"]


def _both(machine: Machine, nodes: list[Node | None], asked: Node | None, frame: Frame) -> Any:
    """Branches of which nobody knows which is taken."""
    ends = []
    for node in nodes:
        with Undecided(machine, asked, frame), suppress(Stop, Thrown):
            ends.append(machine.execute(node, frame) if node is not None else None)
    return ends[0] if len(ends) > 1 and all(isinstance(end, tuple) for end in ends) else None


def _return_statement(machine: Machine, node: Node, frame: Frame) -> Any:
    value = machine.value(node.named_children[0], frame) if node.named_children else UNDEFINED
    if not machine.certain and machine.returned:
        machine.returned[-1].append(value)
    return ("return", value)


def _throw_statement(machine: Machine, node: Node, frame: Frame) -> Any:
    for child in node.named_children:
        machine.value(child, frame)
    if machine.certain and not (machine.returned and machine.returned[-1]):
        raise Thrown
    return ("return", UNDEFINED)


def _declaration(machine: Machine, node: Node, frame: Frame) -> None:
    for child in node.named_children:
        if child.type != "variable_declarator":
            continue
        name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
        found = taken(machine.value(value, frame), value) if value is not None else UNDEFINED
        is_set = value is None and name is not None and frame.scope.names.get(text_of(name), UNDEFINED) is not UNDEFINED
        if name is not None and not is_set:
            names.bind(machine, name, found, frame, declare=True)


def _class_declaration(machine: Machine, node: Node, frame: Frame) -> None:
    name = node.child_by_field_name("name")
    found = class_value(machine, node, frame)
    if name is not None:
        frame.scope.names[text_of(name)] = found


def _enum_declaration(machine: Machine, node: Node, frame: Frame) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    found = Object()
    for child in body.named_children if body is not None else ():
        if child.type == "enum_assignment":
            key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if key is not None:
                found.props[string_of(key) or text_of(key)] = machine.value(value, frame)
    found.open = True
    if name is not None:
        frame.scope.names[text_of(name)] = found


def _import_statement(machine: Machine, node: Node, frame: Frame) -> None:
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
            frame.scope.names[text_of(identifier)] = machine.load(name, frame)
        return
    module = machine.load(string_of(source) or "", frame) if source is not None else UNKNOWN
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
                    found = _default(module) if key == "default" else machine.member(module, key, frame)
                    frame.scope.names[text_of(alias or name_node)] = found
                    if isinstance(module, Object) and key in module.props:
                        names.share(machine, module.props, key, frame.scope.names, text_of(alias or name_node))


def _export_statement(machine: Machine, node: Node, frame: Frame) -> None:
    exports = machine.modules.get(frame.file.source.path)
    if not isinstance(exports, Object):
        exports = Object()
    source = node.child_by_field_name("source")
    module = machine.load(string_of(source) or "", frame) if source is not None else None
    declared = node.child_by_field_name("declaration")
    value = node.child_by_field_name("value")
    if declared is not None:
        before = dict(frame.scope.names)
        machine.execute(declared, frame)
        name = declared.child_by_field_name("name")
        is_default = any(child.type == "default" for child in node.children)
        if declared.type in ("function_declaration", "generator_function_declaration"):
            machine.declare_function(declared, frame)
        for key, found in frame.scope.names.items():
            if before.get(key, MISSING) is not found or (name is not None and text_of(name) == key):
                exports.props["default" if is_default else key] = found
                if not is_default:
                    names.share(machine, frame.scope.names, key, exports.props, key)
        return
    if value is not None:
        exports.props["default"] = machine.value(value, frame)
        return
    clause = next((child for child in node.named_children if child.type == "export_clause"), None)
    if clause is not None:
        for item in clause.named_children:
            name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
            if name is None:
                continue
            key = text_of(name)
            found = frame.scope.get(key) if module is None else machine.member(module, key, frame)
            exports.props[text_of(alias or name)] = found
            own = frame.scope.names if module is None else module.props if isinstance(module, Object) else {}
            if key in own:
                names.share(machine, own, key, exports.props, text_of(alias or name))
    elif isinstance(module, Object):
        shared = [key for key in module.props if key != "default"]
        for key in shared:
            exports.props[key] = module.props[key]
            names.share(machine, module.props, key, exports.props, key)


def _case_body(case: Node) -> list[Node]:
    value = case.child_by_field_name("value")
    return [child for child in case.named_children if value is None or child.id != value.id]


def _own(node: Node) -> list[Node]:
    """The nodes of a body, those of functions in it left out."""
    found = []
    waiting = [node]
    while waiting:
        here = waiting.pop()
        found.append(here)
        waiting.extend(child for child in here.named_children if child.type not in FUNCTIONS)
    return found


def _awaits(node: Node) -> bool:
    return any(
        here.type == "await_expression"
        or (here.type == "for_in_statement" and any(child.type == "await" for child in here.children))
        for here in _own(node)
    )


def _is_endless(node: Node, test: Node | None, body: Node) -> bool:
    """A loop without `await` that nothing in it ends."""
    if _can_break(body):
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


def _can_break(body: Node | None) -> bool:
    return body is not None and any(here.type in _BREAKS for here in _own(body))


_BREAKS = ("break_statement", "return_statement", "throw_statement")


def _is_endless_await(node: Node, test: Node | None) -> bool:
    """`for (;;)`, `while (true)`, `while (!stopping)`, `for await`: not a loop over counted work."""
    if node.type == "for_in_statement" or test is None:
        return True
    text = text_of(test).strip("() ")
    if text in ("true", "1"):
        return True
    return not any(here.type in ("call_expression", "await_expression") for here in walk(test)) and "<" not in text


def _nothing(_: Any) -> None:
    return None


def _default(module: Any) -> Any:
    if isinstance(module, Object):
        return module.props.get("default", module)
    return module


def _scoped(machine: Machine, nodes: list[Node], frame: Frame) -> Any:
    inner = Frame(Scope(frame.scope), frame.file, frame.after, frame.this)
    ended = machine.block(nodes, inner)
    frame.after = inner.after
    return ended


STATEMENTS: dict[str, Callable[[Machine, Node, Frame], Any]] = {
    "expression_statement": _expression_statement,
    "statement_block": lambda m, n, f: _scoped(m, n.named_children, f),
    "if_statement": _if_statement,
    "try_statement": _try_statement,
    "switch_statement": _switch_statement,
    "for_in_statement": _for_in,
    "for_statement": _loop,
    "while_statement": _loop,
    "do_statement": _loop,
    "return_statement": _return_statement,
    "throw_statement": _throw_statement,
    "break_statement": lambda m, n, f: "break",
    "continue_statement": lambda m, n, f: "continue",
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "class_declaration": _class_declaration,
    "abstract_class_declaration": _class_declaration,
    "enum_declaration": _enum_declaration,
    "import_statement": _import_statement,
    "export_statement": _export_statement,
    "labeled_statement": lambda m, n, f: m.execute(n.named_children[-1], f),
}
