"""Work that the handler's exception leaves half done: what stands around the pause it comes into."""

from __future__ import annotations

import ast

from gracelint.base.memory import fleeting
from gracelint.behaviour.python.streams import last_name
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.ends import Call, Point

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BOUNDS = (*_FUNCTIONS, ast.ClassDef)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_CHOICES = (ast.If, ast.IfExp, ast.Match, ast.ExceptHandler)


def is_half_done(point: Point) -> bool:
    """Whether a pause, or the wait for a child, stands between two things that the program does in one round."""
    waits = point.kind == "subprocess" or (point.kind == "child" and bool(point.limit))
    return (point.kind == "sleep" or (waits and bool(point.loops))) and stands_amid(point)


def is_amid_work(point: Point) -> bool:
    """The same of what others are at: a pause, a child that they run, or a wait that ends by itself."""
    waits = point.kind == "subprocess" or (point.kind in ("child", "event-wait") and bool(point.limit))
    return (waits or point.kind == "sleep") and stands_amid(point)


def stands_amid(point: Point) -> bool:
    """Whether a wait stands between two things that are done in one round.

    One at the end or the start of a round, or in a branch, is one in which there is nothing to do. A loop that goes
    round a known number of times is one long wait, and so is a function of whose round it is a part. One that is handed
    something goes on with what its caller has begun.
    """
    before, after, bound = _stands_between(point.module.tree, point.node)
    for called in reversed(point.calls if point.loops else ()):
        if (before and after) or not isinstance(bound, _FUNCTIONS):
            break
        if called.function is bound:
            earlier, later, bound = _stands_between(called.module.tree, called.node)
            is_handed = isinstance(called.node, ast.Call) and (
                bool(called.node.args) or _is_of_its_round(called.node, bound)
            )
            before = earlier or (is_handed and before) or _hands_on(called, bound, point.node)
            after = later or (is_handed and after)
    return before and after


def _hands_on(called: Call, bound: ast.AST | None, pause: ast.AST) -> bool:
    """Whether a function is handed what its caller's round has made, and does not only pause for as long."""
    if not isinstance(called.node, ast.Call) or not isinstance(bound, _LOOPS) or not isinstance(pause, ast.Call):
        return False
    made = {part.id for part in ast.walk(bound) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    given = {part.id for one in called.node.args for part in ast.walk(one) if isinstance(part, ast.Name)}
    return bool(made & given) and not any(isinstance(part, ast.Name) for one in pause.args for part in ast.walk(one))


def _is_of_its_round(call: ast.Call, bound: ast.AST | None) -> bool:
    """`for job in jobs(): job.render()`: a method of what the round is about."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(owner, ast.Name) or not isinstance(bound, _LOOPS):
        return False
    made = (part.id for part in ast.walk(bound) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
    return owner.id in made


def _stands_between(tree: ast.AST, node: ast.AST) -> tuple[bool, bool, ast.AST | None]:
    """Whether something is done before and after a node in its function or its loop, and what ends the search."""
    before = after = False
    above = None
    for here, above in upwards(tree, node):
        for body in _bodies(above):
            if here in body:
                place = body.index(here)
                before = before or any(map(_acts, body[:place]))
                after = after or any(map(_acts, body[place + 1 :]))
        if isinstance(above, _CHOICES):
            return False, False, above
        if isinstance(above, (*_BOUNDS, *_LOOPS)):
            if (before and after) or not _is_counted(above):
                break
            before = after = False
    return before, after, above


def is_put_back(point: Point) -> bool:
    """Whether what breaks into a pause may find a way to put back what was taken before it and is handed on after.

    Where nothing is known to be taken, any cleanup is one.
    """
    items = _items(point)
    cleanups = [part for guard in point.guards for part in _cleanup(guard.node)]
    return not items or any(isinstance(part, ast.Name) and part.id in items for part in cleanups)


def puts_right(point: Point) -> bool:
    """Whether what is done where a pause is broken off may be more than to close what was open, and to say so."""
    closes = (*table("python")["words"]["closes"], *_IDLE)
    parts = [part for guard in point.guards for part in _cleanup(guard.node)]
    calls = [part for part in parts if isinstance(part, ast.Call)]
    return any(last_name(call.func) not in (_IDLE if call.args else closes) for call in calls)


def _cleanup(guard: ast.AST) -> Iterator[ast.AST]:
    lines = (*guard.finalbody, *guard.handlers) if isinstance(guard, ast.Try) else ()
    return (part for line in lines for part in ast.walk(line))


def _items(point: Point) -> set[str]:
    """`job = jobs.take()`, or what a loop goes through, that is handed on once a pause is over: `jobs.finish(job)`."""
    places = [(point.module.tree, point.node), *((call.module.tree, call.node) for call in reversed(point.calls))]
    for tree, node in places:
        taken: set[str] = set()
        given: set[str] = set()
        above: ast.AST | None = None
        for here, above in upwards(tree, node):
            for body in _bodies(above):
                if here in body:
                    place = body.index(here)
                    taken |= {name for statement in body[:place] if (name := _taken(statement))}
                    given |= {name for statement in body[place + 1 :] for name in _given(statement)}
            if isinstance(above, (*_BOUNDS, *_LOOPS)):
                break
        if isinstance(above, (ast.For, ast.AsyncFor)):
            taken |= {part.id for part in ast.walk(above.target) if isinstance(part, ast.Name)}
        if taken & given or isinstance(above, _LOOPS):
            return taken & given
    return set()


def _taken(statement: ast.stmt) -> str:
    """The name that a statement gives to what a call makes."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return ""
    value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return statement.targets[0].id if isinstance(value, ast.Call) and last_name(value.func)[:1].islower() else ""


def _given(statement: ast.stmt) -> Iterator[str]:
    for call in ast.walk(statement):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr not in _IDLE:
            yield from (one.id for one in call.args if isinstance(one, ast.Name))


def left_to_do(point: Point) -> tuple[ast.Call | None, ast.Call | None]:
    """What a thread told to end still does once its pause is over: in that round, and after its loop."""
    loop = point.loops[-1].node if point.loops else None
    rounds: list[ast.stmt] = []
    after: list[ast.stmt] = []
    inside = loop is not None
    for here, above in upwards(point.module.tree, point.node):
        found = rounds if inside else after
        for body in _bodies(above):
            if here in body:
                found += body[body.index(here) + 1 :]
        if isinstance(above, ast.Try) and not inside and here not in above.finalbody:
            after += above.finalbody
        if isinstance(above, _BOUNDS):
            break
        inside = inside and above is not loop
    return first_act(rounds), first_act(after)


def goes_on(point: Point) -> ast.Call | None:
    """What the round does with what a wait has given, or after it."""
    places = [(point.module.tree, point.node), *((call.module.tree, call.node) for call in reversed(point.calls))]
    for tree, node in places:
        above: ast.AST | None = None
        for here, above in upwards(tree, node):
            if isinstance(above, ast.Call) and here is not above.func and not _only_looks(above):
                return above
            rest = [line for body in _bodies(above) if here in body for line in body[body.index(here) + 1 :]]
            if isinstance(above, (ast.For, ast.AsyncFor)) and here is above.iter:
                rest = above.body
            found = _first_call(rest)
            if found is not None:
                return found
            if isinstance(above, _BOUNDS) or (isinstance(above, _LOOPS) and here in above.body):
                break
        if isinstance(above, _LOOPS):
            return None
    return None


def _only_looks(call: ast.Call) -> bool:
    return last_name(call.func) in table("python")["words"]["looks"]


def left_out(tree: ast.AST, branch: ast.If) -> ast.Call | None:
    """What a function does after its loop over a number of things, which a `return` in that leaves out."""
    inside = True
    for here, above in upwards(tree, branch):
        if isinstance(above, ast.While):
            return None
        if not inside:
            rest = [line for body in _bodies(above) if here in body for line in body[body.index(here) + 1 :]]
            found = first_act(rest)
            if found is not None:
                return found
        if isinstance(above, _BOUNDS):
            return None
        inside = inside and not isinstance(above, (ast.For, ast.AsyncFor))
    return None


def first_act(statements: list[ast.stmt]) -> ast.Call | None:
    """The first call that is more than a pause or a line of a log."""
    return next((call for call in _calls(statements) if not is_idle(call)), None)


def _first_call(statements: list[ast.stmt]) -> ast.Call | None:
    """The first call that is more than a line of a log, or the first of all that is more than a pause."""
    calls = [call for call in _calls(statements) if last_name(call.func) != "sleep"]
    return next((call for call in calls if not is_idle(call)), calls[0] if calls else None)


def _calls(statements: list[ast.stmt]) -> Iterator[ast.Call]:
    return (part for statement in statements for part in ast.walk(statement) if isinstance(part, ast.Call))


def is_idle(call: ast.Call) -> bool:
    """Whether a call is a pause or a line of a log."""
    return last_name(call.func) in _IDLE


_IDLE = frozenset(("sleep", "print", "info", "warning", "debug", "error", "exception", "critical", "log"))


def following(point: Point) -> Iterator[ast.stmt]:
    """What its function does after a wait."""
    for here, above in upwards(point.module.tree, point.node):
        for body in _bodies(above):
            if here in body:
                yield from body[body.index(here) + 1 :]
        if isinstance(above, _BOUNDS):
            return


def own_round(point: Point) -> Iterator[ast.AST]:
    """What a pause stands in, up to its function or loop."""
    for _, above in upwards(point.module.tree, point.node):
        if isinstance(above, (*_BOUNDS, *_LOOPS)):
            return
        yield above


def upwards(tree: ast.AST, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """A node with the one it stands in, that one with the next, and so on."""
    parents = _parents(tree)
    here = node
    while here in parents:
        yield here, parents[here]
        here = parents[here]


@fleeting(4)
def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: above for above in ast.walk(tree) for child in ast.iter_child_nodes(above)}


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list):
            yield body


def _is_counted(loop: ast.AST) -> bool:
    """Whether a loop goes round a number of times that stands in its text, and leaves no earlier."""
    if not isinstance(loop, (ast.For, ast.AsyncFor)) or not _has_an_end(loop.iter):
        return False
    return not any(isinstance(part, (ast.Break, ast.Return)) for part in ast.walk(loop))


def _has_an_end(values: ast.expr) -> bool:
    if isinstance(values, (ast.Tuple, ast.List)):
        return True
    is_range = isinstance(values, ast.Call) and last_name(values.func) == "range"
    return is_range and all(isinstance(one, ast.Constant) for one in values.args)  # type: ignore[attr-defined]


def _acts(statement: ast.stmt) -> bool:
    """Whether it calls something that is more than a pause, counts something, or hands on what it has made."""
    return any(
        last_name(part.func) != "sleep"
        if isinstance(part, ast.Call)
        else isinstance(part, (ast.Yield, ast.YieldFrom)) or _counts(part)
        for part in ast.walk(statement)
    )


def _counts(part: ast.AST) -> bool:
    """`self.begun += 1`, which others see."""
    return isinstance(part, ast.AugAssign) and isinstance(part.target, (ast.Attribute, ast.Subscript))
