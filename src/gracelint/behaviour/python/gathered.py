"""What comes together in memory, is handed on once there is enough of it, and is forgotten at the end."""

from __future__ import annotations

import ast
from itertools import islice

from gracelint.base.memory import fleeting
from gracelint.base.record import Record
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.streams import last_name
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.modules import Module
    from gracelint.behaviour.python.reaction import Run
    from gracelint.behaviour.python.streams import Generator
    from gracelint.source import Span

    Sites = dict[str, list["Site"]]

_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NAMES = (ast.Name, ast.Attribute)
_MOST = 40
"""Branches that are looked at, and places for each."""


class Site(Record):
    """A statement or call, and where it stands."""

    node: ast.AST
    function: Generator | None = None
    loop: ast.AST | None = None
    """The loop in each of whose rounds it is come to, and not only when that is left."""
    branches: tuple[ast.If, ...] = ()


class Gathered(Record):
    """A branch that hands on what has been gathered: `if len(rows) >= 100: insert(rows); rows = []`."""

    module: Module
    site: Site
    name: str
    """What it is gathered in; empty where only the name of what is called says that it saves."""
    savers: frozenset[str]
    """The functions that hand it on."""
    within: frozenset[ast.AST]
    """What belongs to the branch and to what it calls."""

    @property
    def span(self) -> Span:
        return self.module.source.line_span(self.site.node.lineno)  # type: ignore[attr-defined]


def forgotten(signal: str, run: Run, ended: Reaction) -> Reaction:
    """The same end; what has been gathered since the last time is lost where nothing hands it on once more."""
    modules = tuple(run.machine.modules.all())
    doubt = None
    for each in _gathered(modules):
        if not _is_walked(run, each.site):
            continue
        named = {id(site.node): site for name in (each.name, *each.savers) for site in _sites(modules).get(name, ())}
        sites = [site for site in islice(named.values(), _MOST) if site.node not in each.within]
        sites = [site for site in sites if _is_walked(run, site) or site.function.name in _sites(modules)]  # type: ignore[union-attr]
        if any(_is_seen(run, each, site) for site in sites) or not run.machine.called_back.isdisjoint(each.savers):
            continue
        why = f"what has come together since line {each.site.node.lineno} last handed it on is lost"  # type: ignore[attr-defined]
        if not sites and each.name:
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, each.span, delay=ended.delay)
        why = f"whether anything is lost is not known: {why} where nothing hands it on once more"
        doubt = doubt or reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, each.span)
    return doubt or ended


def _is_walked(run: Run, site: Site) -> bool:
    return site.function is None or site.function in run.before.walked or site.function in run.machine.walked


def _is_seen(run: Run, each: Gathered, site: Site) -> bool:
    """Whether it is handed on there on the way out, and not only from time to time."""
    machine = run.machine
    inner = _inner(site.loop, each.site.loop) if site.loop is not None else None
    if site.loop is not None and inner is None:
        return False
    asking = (branch for branch in site.branches if each.name and each.name in _names_in(branch.test))
    if site.node in machine.reached or any(branch in machine.reached for branch in asking):
        return True
    found_in = machine.arrival.loops if machine.arrival is not None else ()
    return inner is not None and all(around.node is not inner for around in found_in)


def _inner(loop: ast.AST, inner: ast.AST | None) -> ast.AST | None:
    """The inner one of two loops, where it stands in the other."""
    is_within = inner is not None and inner is not loop and any(part is inner for part in ast.walk(loop))
    return inner if is_within else None


# -- what the sources say --------------------------------------------------------------------------------------------


@fleeting(1)
def _gathered(modules: tuple[Module, ...]) -> tuple[Gathered, ...]:
    hinted = (module for module in modules if any(word in module.source.text for word in _HINTS))
    branches = [
        (module, site, measured)
        for module in hinted
        for site in _placed(module.tree)
        if isinstance(site.node, ast.If) and (measured := _measured(site.node.test))
    ]
    own: dict[str, list[ast.AST]] = {}
    for module in modules if branches else ():
        for part in ast.walk(module.tree):
            if isinstance(part, _FUNCTIONS):
                own.setdefault(part.name, []).append(part)
    return tuple(filter(None, (_branch(*branch, own) for branch in branches[:_MOST])))


_HINTS = ("len(", " % ", "time", "monotonic")


def _branch(module: Module, site: Site, measured: list[str], own: dict[str, list[ast.AST]]) -> Gathered | None:
    assert isinstance(site.node, ast.If)
    calls = [part for line in site.node.body for part in ast.walk(line) if isinstance(part, ast.Call)]
    called = [function for call in calls for function in own.get(last_name(call.func), ())]
    parts = [part for root in (*site.node.body, *called) for part in ast.walk(root)]
    words = table("python")["words"]
    named = {
        last_name(call.func) for call in calls if set(words["saves"]) & set(last_name(call.func).lower().split("_"))
    }
    name = next((name for name in measured if name and any(_empties(part, name) for part in parts)), "")
    if not name and not named:
        return None
    own_names = {function.name for function in called if isinstance(function, _FUNCTIONS)} if name else set()
    if not (own_names or named or any(name in given for part in parts for _, given in _handed(part))):
        return None
    return Gathered(module, site, name, frozenset(own_names | named), frozenset(parts))


def _measured(test: ast.expr) -> list[str]:
    """What a test says is enough: `len(rows) >= 100`; empty for `count % 100 == 0` and `time() - last > 5`."""
    found = []
    for part in ast.walk(test):
        for side in (part.left, *part.comparators) if isinstance(part, ast.Compare) else ():
            if isinstance(side, ast.Call) and last_name(side.func) == "len" and len(side.args) == 1:
                found.append(last_name(side.args[0]))
            elif isinstance(side, ast.BinOp) and (isinstance(side.op, ast.Mod) or _is_time(side)):
                found.append("")
    return found


def _is_time(side: ast.BinOp) -> bool:
    clock = last_name(side.left.func) if isinstance(side.left, ast.Call) else ""
    return isinstance(side.op, ast.Sub) and clock in ("time", "monotonic", "perf_counter", "now")


def _empties(part: ast.AST, name: str) -> bool:
    if isinstance(part, ast.Call):
        func = part.func
        return isinstance(func, ast.Attribute) and func.attr == "clear" and last_name(func.value) == name
    if isinstance(part, ast.Delete):
        return any(isinstance(one, ast.Subscript) and last_name(one.value) == name for one in part.targets)
    if not isinstance(part, ast.Assign):
        return False
    target, value = part.targets[0], part.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)
        return any(last_name(one) == name and _is_empty(given) for one, given in pairs)
    return last_name(target) == name and _is_empty(value)


def _is_empty(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return last_name(value.func) in ("list", "set", "deque", "defaultdict", "dict") and len(value.args) < 2
    return (isinstance(value, (ast.List, ast.Set)) and not value.elts) or (
        isinstance(value, ast.Dict) and not value.keys
    )


@fleeting(1)
def _sites(modules: tuple[Module, ...]) -> Sites:
    """All calls, by the last name of what is called and by the names in what a statement hands it."""
    found: Sites = {}
    for module in modules:
        for site in _placed(module.tree):
            if isinstance(site.node, ast.Call):
                found.setdefault(last_name(site.node.func), []).append(site)
            for call, names in _handed(site.node):
                for name in names:
                    found.setdefault(name, []).append(Site(call, site.function, site.loop, site.branches))
    return found


def _handed(statement: ast.AST) -> Iterator[tuple[ast.Call, set[str]]]:
    """The call that a statement makes, and the names in what that is given."""
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)) else None
    call = value.value if isinstance(value, ast.Await) else value
    if isinstance(call, ast.Call) and last_name(call.func) not in table("python")["words"]["looks"]:
        yield call, {name for one in (*call.args, *call.keywords) for name in _names_in(one)}


def _names_in(node: ast.AST) -> set[str]:
    return {last_name(part) for part in ast.walk(node) if isinstance(part, _NAMES)}


def _placed(tree: ast.AST) -> Iterator[Site]:
    """All nodes of a tree, with what stands around them."""
    waiting = [Site(tree)]
    while waiting:
        here = waiting.pop()
        yield here
        node, around = here.node, here
        if isinstance(node, _FUNCTIONS):
            around = Site(node, node)
        elif isinstance(node, _LOOPS):
            around = Site(node, here.function, node, here.branches)
        elif isinstance(node, ast.If):
            around = Site(node, here.function, here.loop, (*here.branches, node)[-_DEEP:])
        bodies = (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
        leaving = {one for body in bodies if isinstance(body, list) and any(map(_leaves, body)) for one in body}
        for part in ast.iter_child_nodes(node):
            loop = None if part in leaving else around.loop
            waiting.append(Site(part, around.function, loop, around.branches))


def _leaves(statement: ast.AST) -> bool:
    return isinstance(statement, (ast.Break, ast.Return, ast.Raise))


_DEEP = 4
"""Branches around a place that are looked at."""
