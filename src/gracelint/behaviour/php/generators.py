"""PHP's generators, where something else than a loop goes through them."""

from __future__ import annotations

from gracelint.behaviour.machine.machine import yielded
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Doubt, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run


def asked(generator: Object) -> Doubt:
    """Where nobody can tell what becomes of a generator."""
    assert generator.span is not None
    line = generator.span.line
    return Doubt(f"what the generator of line {line} is asked for is only known when it runs", generator.span)


def keep(given: Given) -> None:
    """Something that is not read gets what it is given, and goes through a generator, or not."""
    for one in given.args:
        if isinstance(one, Object) and "yields" in one.state:
            raise asked(one)


def method(of: Object, name: str, given: Given) -> Run:
    """https://www.php.net/manual/en/class.generator.php; the first of these runs it to its first `yield`."""
    if name not in _METHODS:
        raise asked(of)
    if "item" not in of.state:
        of.state["item"] = yield from yielded(of.state["yields"])
    item = of.state["item"]
    if name in ("next", "send") and item is not None:
        sent = given.argument(0, NIL) if name == "send" else None
        of.state["item"] = item = yield from yielded(of.state["yields"], sent)
    if name == "valid":
        return item is not None
    if name == "getReturn":
        return UNKNOWN
    value: Any = NIL if item is None or name in ("next", "rewind") else item.key if name == "key" else item.value
    return value


_METHODS = ("current", "getReturn", "key", "next", "rewind", "send", "valid")
