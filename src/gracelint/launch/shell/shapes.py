"""The shapes of a script's text, which decide whether a shell execs its last command: `shells.toml` lists them."""

from __future__ import annotations

from gracelint.facts.script import AndOr, Background, Simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.facts.script import Command, Script
    from gracelint.source import Passage


def at_the_end(text: Passage, commands: Sequence[Command], shapes: frozenset[str]) -> frozenset[str]:
    """The shapes through which the last of these commands is seen."""
    if len(commands) == 1:
        return shapes
    before, last = commands[-2], commands[-1]
    between = text.text[text.offset(before.span.end) : text.offset(last.span.start)]
    on_one_line = "\n" not in between
    if isinstance(before, Background) and on_one_line:
        shapes |= {"background"}
    else:
        shapes |= {"sequence" if between.lstrip(" \t").startswith(";") else "lines"}
    return shapes | {"nested"} if isinstance(last, AndOr) and on_one_line else shapes


def shapes_around(script: Script, form: str) -> frozenset[str]:
    """The shapes that the text as a whole has: what stands behind its last command, or that it is a file."""
    if form == "script" or not script.body:
        return frozenset(("file",))
    last = script.body[-1]
    if isinstance(last, Simple) and any("<<" in redirect.operator for redirect in last.redirects):
        return frozenset(("simple", "newline"))
    shapes = {"simple"}
    behind = script.passage.text[script.passage.offset(last.span.end) :]
    line, newline, more = behind.lstrip(" \t;").replace("\r\n", "\n").partition("\n")
    if line.startswith("#"):
        shapes.add("comment")
    if newline:
        shapes.add("newline")
    if more:
        shapes.add("blank")
    return frozenset(shapes)
