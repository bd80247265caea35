"""What is nil beyond doubt: what a program meets that calls a method of it on its way out."""

from __future__ import annotations

import re

from gracelint.base.memory import lru_cache
from gracelint.behaviour.machine.ends import line
from gracelint.behaviour.machine.ways import reaction
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.interpreter import Interpreter
    from gracelint.facts.program import Reaction

_LOOKS_UP = ("get", "dig", "first", "last", "peek", "poll")
_NOTHING = "nil|null|NULL"
_GIVEN = r"""(?x)
    (?<![\w@]) \$?{name} (?!\w) \s{{0,9}} (?:\|\||\?\?|&&)?= (?![=~>]) (?!\s{{0,9}}(?:{nothing})\b)  # set to something,
  | (?<![\w@]) \$?{name} \s{{0,9}} ,[\w\s,@$]{{0,80}}=(?!=)                        # as one of several,
  | [(,|] \s{{0,9}} (?:[\w.]{{1,40}}(?:<[\w,?<>]{{0,40}}>)?\s)? &?\$?{name} \s{{0,9}} [,)|]  # an argument, a parameter,
  | (?<![\w@$>]) {name} \s{{0,9}} ->                                              # that of a lambda,
  | \b(?:for|foreach|rescue)\b [^\n]{{0,80}} [\s(*] \$?{name} \b               # a loop's,
  | \b(?:attr_writer|attr_accessor)\b [^\n]{{0,80}} :{bare}\b                     # open to be set,
  | @\w{{1,40}} (?:\([^)\n]{{0,80}}\))? \s{{1,9}} [\w.<>,\ ]{{1,80}} \s {name} \s? ;   # an annotated one
"""
_IS_NOTHING = r"\${name}\s{{0,9}}=\s{{0,9}}(?:{nothing})\b"
_CHANGES = r"(?<![\w@]) ?\$?{name}(?!\w)(?!\s*(?:\[[^\]\n]*\](?!\s*(?:\|\||\?\?)?=(?![=~>]))|(?:\.|->)(?:{reads})\b))"
_READS = "get|fetch|dig|first|last|peek|poll|each|forEach|count|any\\?|size|length|isEmpty|containsKey|key\\?|empty\\?"
_SHARED = re.compile(r"\buse\s*\([^)]{0,400}\)")


def is_sure(machine: Interpreter, node: Any) -> bool:
    """Whether what has come out of a node as nil can be nothing else: no other place of the program sets it."""
    kind = type(node).__name__
    if kind in ("Name", "Field"):
        texts = _texts(machine)
        is_set = node.name[:1] != "$" or _is_found(_IS_NOTHING, node.name, texts)
        return is_set and not _is_found(_GIVEN, node.name, texts)
    if kind == "Call" and type(node.callee).__name__ == "Field" and node.callee.name in _LOOKS_UP:
        node = node.callee
    elif kind != "Index":
        return False
    name = getattr(node.of, "name", "")
    texts = _texts(machine)
    return bool(name) and sum(text.count(name) for text in texts) <= _MOST and _is_only_read(name, texts)


_MOST = 12


def _texts(machine: Interpreter) -> tuple[str, ...]:
    return tuple(file.source.text for file in machine.files())


@lru_cache(maxsize=64)
def _is_found(what: str, name: str, texts: tuple[str, ...]) -> bool:
    bare = name.lstrip("@$")
    written = re.escape(name.lstrip("$"))
    found = re.compile(what.format(name=written, bare=re.escape(bare), nothing=_NOTHING, reads=_READS))
    return any(bare in text and found.search(_SHARED.sub("", text)) is not None for text in texts)


def _is_only_read(name: str, texts: tuple[str, ...]) -> bool:
    """Whether a collection is named where it is made, and asked for what it holds, and nowhere else."""
    found = re.compile(_CHANGES.format(name=re.escape(name.lstrip("$")), reads=_READS))
    return sum(len(found.findall(text)) for text in texts) <= 1


def lost(signal: str, machine: Interpreter) -> Reaction | None:
    """The reaction of a program that has called a method of nil since the signal, and caught nothing of that."""
    if machine.mistake is None:
        return None
    error, span = machine.mistake
    why = f"on {signal} `{line(span.text)}` in {machine.place(span)} raises {error}, and what follows it is not done"
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
