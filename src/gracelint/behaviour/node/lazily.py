"""Modules that a program loads only when it works: `require('./search')` in a route, `await import('./mail')` in a job.

What they open at their top level keeps node running from the first such call on.
"""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.behaviour.node.modules import find_module
from gracelint.behaviour.node.state import Frame, Stop, Thrown
from gracelint.behaviour.node.syntax import FUNCTIONS, TooBigError, string_of, text_of, walk
from gracelint.behaviour.node.values import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File


def load_lazily(machine: Machine) -> None:
    """Loads what functions require that start-up did not run: surely where they answer requests, else perhaps."""
    steps = machine.steps
    certain = machine.certain
    seen: set[str] = set()
    try:
        while new := [path for path in machine.modules if path not in seen]:
            seen |= set(new)
            for path in new:
                _load_from(machine, machine.parsed.get(path))
    except TooBigError:
        machine.steps = steps
    finally:
        machine.certain = certain


def _load_from(machine: Machine, file: File | None) -> None:
    if file is None:
        return
    for name, functions in _required(file):
        source = find_module(name, file.source.path, machine.files)
        if source is None or source.path in machine.modules:
            continue
        if (file.source.path, functions[0].start_byte) in machine.called:
            continue
        before = len(machine.registrations)
        machine.certain = any(_answers_requests(function) for function in functions)
        try:
            machine.load(name, Frame(Scope(), file))
        except (Stop, Thrown):
            continue
        finally:
            late = [replace(known, certain=False) for known in machine.registrations[before:]]
            machine.registrations[before:] = late


def _required(file: File) -> Iterator[tuple[str, list[Node]]]:
    """The modules that are asked for inside functions, with those functions, the innermost first."""
    if "require(" not in file.source.text and "import(" not in file.source.text:
        return
    for node in walk(file.root):
        called = node.child_by_field_name("function") if node.type == "call_expression" else None
        given = node.child_by_field_name("arguments")
        if called is None or text_of(called) not in ("require", "import") or given is None or not given.named_children:
            continue
        name = string_of(given.named_children[0])
        functions = list(_around(node))
        if name is not None and functions:
            yield name, functions


def _around(node: Node) -> Iterator[Node]:
    here = node.parent
    while here is not None:
        if here.type in FUNCTIONS and not here.type.startswith("class"):
            yield here
        here = here.parent


def _answers_requests(function: Node) -> bool:
    """Whether a function is given to a route: `app.get('/', function)`, `createServer(function)`."""
    given = function.parent
    call = given.parent if given is not None and given.type == "arguments" else None
    called = call.child_by_field_name("function") if call is not None else None
    return called is not None and text_of(called.child_by_field_name("property") or called) in _ROUTES


_ROUTES = frozenset(("createServer", "get", "post", "put", "patch", "delete", "all", "use", "route"))
