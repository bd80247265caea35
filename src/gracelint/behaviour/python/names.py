"""What things outside of the project are called, and what is known of a value by its name."""

from __future__ import annotations

import ast
import builtins
import sys
from functools import cache

from gracelint.base.memory import fleeting
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    Bound,
    Class,
    Const,
    Items,
    Later,
    Name,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine

SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 9: "SIGKILL", 10: "SIGUSR1", 12: "SIGUSR2", 13: "SIGPIPE",
           14: "SIGALRM", 15: "SIGTERM", 17: "SIGCHLD", 28: "SIGWINCH"}  # fmt: skip

_LINUX = {"os.name": "posix", "sys.platform": "linux"}
"""What containers run on."""

NUMBERS = {name: number for number, name in SIGNALS.items()}

STANDARD = sys.stdlib_module_names


@cache
def canonical(dotted: str) -> str:
    """One name for things that are the same, whichever module they are taken from."""
    same: dict[str, str] = table("python")["same"]
    head = dotted
    while head:
        if head in same:
            return canonical(same[head] + dotted[len(head) :])
        head = head.rpartition(".")[0]
    return dotted


NAMESPACES = frozenset(table("python")["namespace"])
"""Attributes in which a program keeps its own things."""


def path_of(value: Value) -> str:
    """The dotted path of a callable or object; "" where it is not known."""
    if isinstance(value, Name):
        return canonical(value.dotted)
    if isinstance(value, Thing):
        return canonical(value.kind)
    if isinstance(value, Bound):
        owner = path_of(value.receiver)
        return canonical(f"{owner}.{value.name}") if owner else f"?.{value.name}"
    if isinstance(value, Const):
        return f"builtins.{type(value.value).__name__}"
    if isinstance(value, Items):
        return f"builtins.{value.kind}"
    if isinstance(value, Class):
        return canonical(value.kind)
    if isinstance(value, Later):
        return ""
    return ""


def external_attribute(machine: Machine, owner: Name, name: str) -> Value:
    if machine.modules.is_ours(owner.dotted) and machine.modules.find(f"{owner.dotted}.{name}") is not None:
        return machine.import_module(f"{owner.dotted}.{name}", machine.module.tree)
    dotted = canonical(f"{owner.dotted}.{name}")
    if dotted == "sys.executable":
        return Const("python")
    if dotted == "sys.argv":
        if machine.words is None:
            machine.words = items("list", [Const(machine.module.path), *map(Const, machine.argv)])
            if any("$" in word or "`" in word for word in machine.argv):
                machine.words.store["…"] = FROM_OUTSIDE
        return machine.words
    if owner.dotted == "tornado.options.options" and ("option", name) in machine.world:
        return machine.world["option", name]
    if dotted in _LINUX:
        return Const(_LINUX[dotted])
    head, _, last = dotted.rpartition(".")
    if last in ("value", "name") and head.removeprefix("signal.") in NUMBERS:
        signal = head.removeprefix("signal.")
        return Const(signal if last == "name" else NUMBERS[signal])
    return Name(dotted)


def signal_of(value: Value) -> str | None:
    """SIGTERM for signal.SIGTERM, 15, Signals.SIGTERM and the like."""
    if isinstance(value, Name):
        last = canonical(value.dotted).rpartition(".")[2]
        return last if value.dotted.startswith("signal.") and last.startswith("SIG") and last[3:4] != "_" else None
    if isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool):
        return SIGNALS.get(value.value)
    return None


def is_result(thing: Thing) -> bool:
    """Whether it stands for what a function outside of the project gave, and not for an object of a class."""
    return thing.cls is None and not thing.kind.rpartition(".")[2][:1].isupper()


def comparable(value: Value) -> Value:
    """Signals compare equal to their numbers."""
    name = signal_of(value) if isinstance(value, Name) else None
    return Const(NUMBERS[name]) if name in NUMBERS else value


def truth_of(name: Name) -> bool | Unknown:
    if name.dotted in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"):
        return False
    signal = signal_of(name)
    return True if signal or name.dotted.startswith("builtins.") else FROM_OUTSIDE


def is_exception(kind: str) -> bool:
    found = getattr(builtins, kind.removeprefix("builtins."), None) if kind.startswith("builtins.") else None
    return isinstance(found, type) and issubclass(found, BaseException)


def is_kind_of(kind: str, base: str) -> bool:
    """Whether an exception outside of the project is a kind of another."""
    if base == "builtins.BaseException":
        return True
    top = getattr(builtins, base.removeprefix("builtins."), None) if base.startswith("builtins.") else None
    if kind == "builtins.CancelledError":
        return False
    if kind.startswith("builtins."):
        own = getattr(builtins, kind.removeprefix("builtins."), None)
        return isinstance(own, type) and isinstance(top, type) and issubclass(own, top)
    return base == "builtins.Exception"


@fleeting(10_000)
def text_of(node: ast.AST) -> str:
    """A call as a reader would name it: `queue.get()`."""
    if isinstance(node, ast.Await):
        node = node.value
    try:
        if isinstance(node, ast.Call):
            inside = ", ".join(ast.unparse(argument) for argument in (*node.args, *node.keywords))
            return f"{ast.unparse(node.func)}({inside if len(inside) <= 20 else '…'})"
        if isinstance(node, ast.expr):
            text = ast.unparse(node)
            return text if len(text) <= 40 else f"{text[:39]}…"
    except (RecursionError, ValueError):
        pass
    return "the loop"


def is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def is_true(value: Value | None) -> bool:
    return isinstance(value, Const) and bool(value.value)


def is_false(value: Value | None) -> bool:
    return isinstance(value, Const) and not value.value and value.value is not None


def is_number(value: Value, number: int) -> bool:
    return isinstance(value, Const) and value.value == number and value.value is not False
