"""Lists that are empty when a program has started, and that its work puts something into and takes it out again."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.node.statements import again
from gracelint.behaviour.node.syntax import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import Thing


def fill(machine: Machine) -> None:
    """Leaves open what is in the lists by now, where anything fills them."""
    files = [file for file in machine.parsed.values() if file is not None]
    filled = frozenset[str]().union(*(_filled(file) for file in files if machine.empty))
    for name, made in machine.empty:
        made.open = made.open or (not made.items and name in filled)


@once
def _filled(file: File) -> frozenset[str]:
    """The lists that something is put into."""
    return frozenset(_PUTS.findall(file.source.text))


_PUTS = pattern(r"([\w$]{1,80})(?:\?\.|\.)(?:push|unshift)\(")


def ends_without(machine: Machine, loop: Thing) -> bool:
    """Whether a loop ends as things are now, once it has taken all that it takes from a list."""
    taken = frozenset(_TAKES.findall(loop.span.text))
    lists = [made for name, made in machine.empty if name in taken and made.open and not made.items]
    for made in lists:
        made.open = False
    ends = again(machine, loop)
    for made in lists:
        made.open = True
    return ends


_TAKES = pattern(r"([\w$]{1,80})\.(?:shift|pop|splice)\(")
