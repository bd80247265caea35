"""What is nil beyond doubt: what a program meets that calls a method of it on its way out."""

from __future__ import annotations

from itertools import islice

from gracelint.base.memory import fleeting
from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.ends import line
from gracelint.behaviour.machine.ways import reaction
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.behaviour.machine.interpreter import Interpreter
    from gracelint.facts.program import Reaction

_LOOKS_UP = ("get", "dig", "first", "last", "peek", "poll")
_GIVEN = pattern(
    r"""(?x)
    (?<![\w@]) \$?\0 (?!\w) \s{0,9} (?:\|\||\?\?|&&)?= (?![=~>]) (?!\s{0,9}(?:nil|null|NULL)\b)  # set to something,
  | (?<![\w@]) \$?\0 \s{0,9} ,[\w\s,@$]{0,80}=(?!=)                                  # as one of several,
  | , \s{0,9} \$?\0 \s{0,9} \] \s{0,9} =(?!=)                                        # as the last of several,
  | [(,|] \s{0,9} (?:[\w.]{1,40}(?:<[\w,?<>]{0,40}>)?\s)? &?\$?\0 \s{0,9} [,)|]     # an argument, a parameter,
  | (?<![\w@$>]) \0 \s{0,9} ->                                                       # that of a lambda,
  | \b(?:for|foreach|rescue)\b [^\n]{0,80} [\s(*] \$?\0 (?!\w)                      # a loop's,
  | \b(?:attr_writer|attr_accessor)\b [^\n]{0,80} :\0                               # open to be set,
  | @\w{1,40} (?:\([^)\n]{0,80}\))? \s{1,9} [\w.<>,\ ]{1,80} \s \0 \s? ;            # an annotated one
"""
)
"""What gives the variable or field that `\\0` stands for another value."""
_BY_NAME = pattern(
    r"\binstance_variable_set\b|\bsetAccessible\b|\bfindVarHandle\b|\blombok\.|\$this->[{$]|\$\$\w|(?<![\w.>])extract\("
)
"""What may set any field or variable, by a name that is only known when it runs."""
_IS_NOTHING = pattern(r"\$\0\s{0,9}=\s{0,9}(?:nil|null|NULL)\b")
_READS = pattern(
    r"\s?(?:\[[^\]\n]{0,80}\](?!\s?(?:\|\||\?\?)?=(?![=~>]))"
    r"|(?:\.|->)(?:get|fetch|dig|first|last|peek|poll|each|forEach|count|any\?|size|length|isEmpty|containsKey|key\?|empty\?)"
    r"(?!\w))"
)
_SHARED = pattern(r"\buse\s?\([^)]{0,400}\)")
_BEFORE, _BEHIND = 120, 160
"""Characters around a name that are looked at."""
_MOST = 24
"""Places of a name that are."""


def is_sure(machine: Interpreter, node: Any) -> bool:
    """Whether what has come out of a node as nil can be nothing else: no other place of the program sets it."""
    kind = type(node).__name__
    texts = tuple(file.source.text for file in machine.files())
    if _is_set_by_name(texts):
        return False
    if kind in ("Name", "Field"):
        around = _around(node.name, texts)
        is_set = node.name[:1] != "$" or any(map(_IS_NOTHING.search, around))
        return bool(around) and is_set and not any(map(_GIVEN.search, around))
    if kind == "Call" and type(node.callee).__name__ == "Field" and node.callee.name in _LOOKS_UP:
        node = node.callee
    elif kind != "Index":
        return False
    name = getattr(node.of, "name", "")
    return bool(name) and _is_only_read(name, texts)


@fleeting(8)
def _is_set_by_name(texts: tuple[str, ...]) -> bool:
    return any(map(_BY_NAME.search, texts))


@fleeting(256)
def _around(name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """What stands around a name wherever it stands, with a mark in its place; nothing where that is too often."""
    bare, written = name.lstrip("@$"), name.lstrip("$")
    found: list[str] = []
    for text, at in _places(bare, texts):
        part = _SHARED.sub("", text[max(0, at - _BEFORE) : at + len(bare) + _BEHIND])
        found.append(part.replace(written, "\0").replace(f":{bare}", ":\0"))
    return tuple(found) if len(found) < _MOST else ()


def _places(bare: str, texts: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    places = ((text, at) for text in texts for at in _each(bare, text))
    return islice(places, _MOST)


def _each(bare: str, text: str) -> Iterator[int]:
    at = text.find(bare)
    while at >= 0:
        before, behind = text[at - 1 : at], text[at + len(bare) : at + len(bare) + 1]
        if not (before.isalnum() or before == "_" or behind.isalnum() or behind == "_"):
            yield at
        at = text.find(bare, at + len(bare))


def _is_only_read(name: str, texts: tuple[str, ...]) -> bool:
    """Whether a collection is named where it is made, and asked for what it holds, and nowhere else."""
    bare = name.lstrip("@$")
    places = [*_places(bare, texts)]
    others = sum(_READS.match(text, at + len(bare)) is None for text, at in places)
    return len(places) < _MOST and others <= 1


def lost(signal: str, machine: Interpreter) -> Reaction | None:
    """The reaction of a program that has called a method of nil since the signal, and caught nothing of that."""
    if machine.mistake is None:
        return None
    error, span = machine.mistake
    why = f"on {signal} `{line(span.text)}` in {machine.place(span)} raises {error}, and what follows it is not done"
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
