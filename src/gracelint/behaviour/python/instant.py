"""Requests that are answered at once, from what the program has in memory: a stop hardly ever finds one in flight."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.streams import functions, last_name, trees
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.streams import Generator

_METHOD = "do_"
"""What `http.server` calls for a request begins with this."""


def answers_at_once(machine: Machine) -> bool:
    """Whether all that `http.server` calls in the project, and what that calls, comes back without a wait."""
    read = trees(machine.modules.sources(), ("def ",))
    found = [node for _, tree in read for node in functions(tree)]
    named: dict[str, list[Generator]] = {}
    for node in found:
        named.setdefault(node.name, []).append(node)
    answers = [node for node in found if node.name.startswith(_METHOD)]
    return bool(answers) and all(_is_instant(node, named, {node.name}) for node in answers)


def _is_instant(function: Generator, named: dict[str, list[Generator]], seen: set[str]) -> bool:
    for call in ast.walk(function):
        if isinstance(call, (ast.Await, ast.AsyncFor, ast.While)):
            return False
        if not isinstance(call, ast.Call) or _is_quick(call):
            continue
        name = last_name(call.func)
        if name not in named:
            return False
        if name not in seen:
            seen.add(name)
            if not all(_is_instant(one, named, seen) for one in named[name]):
                return False
    return True


def _is_quick(call: ast.Call) -> bool:
    """Whether a call is known to come back at once. `get` is a mapping's where it names a key."""
    name = last_name(call.func)
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name == "write":
        return receiver is not None and last_name(receiver) == "wfile"
    if name == "join":
        return isinstance(receiver, ast.Constant)
    if name == "get":
        key = call.args[0] if call.args else None
        return isinstance(key, ast.Constant) and isinstance(key.value, str) and "/" not in key.value
    return name in table("python")["words"]["instant"]
