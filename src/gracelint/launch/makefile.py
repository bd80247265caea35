"""As much of a Makefile as it takes to see what `make target` leaves running."""

from __future__ import annotations

from gracelint.base.limits import EXPANDED
from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.knowledge import table
from gracelint.launch.words import split
from gracelint.source import Passage, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re


class _Rules(Record):
    """What a Makefile says: its variables, the places of each target's recipe lines, and what a target needs."""

    variables: dict[str, str]
    recipes: dict[str, list[tuple[int, int]]]
    needs: dict[str, list[str]]
    first: str | None


def recipe(makefile: Passage, target: str | None, overrides: dict[str, str]) -> tuple[Word, ...]:
    """The command line of the last recipe line of a target (the first target where None); empty if there is none."""
    rules = _read(makefile, overrides)
    lines = _lines_of(
        target or rules.variables.get(".DEFAULT_GOAL") or rules.first,
        rules.recipes,
        rules.needs,
        set(),
    )
    return _command(makefile, lines[-1], rules.variables) if lines else ()


def command_lines(makefile: Passage, target: str | None, overrides: dict[str, str]) -> list[str]:
    """All recipe lines that a target takes, those of what it needs first, with make's variables put in."""
    rules = _read(makefile, overrides)
    found: list[str] = []
    seen: set[str] = set()

    def add(name: str) -> None:
        if name in seen or len(seen) > _MOST_TARGETS:
            return
        seen.add(name)
        for need in rules.needs.get(name, ()):
            add(need)
        for start, end in rules.recipes.get(name, ()):
            text = makefile.text[start:end].lstrip(" \t@-+").replace("\\\n", " ")
            text = _expand(text.replace("$@", name), rules.variables)
            found.append(_CALL.sub("$(unknown)", text).replace("$$", "$"))

    wanted = target or rules.variables.get(".DEFAULT_GOAL") or rules.first
    if wanted is not None:
        add(wanted)
    return found


def _read(makefile: Passage, overrides: dict[str, str]) -> _Rules:
    variables: dict[str, str] = {}
    recipes: dict[str, list[tuple[int, int]]] = {}
    needs: dict[str, list[str]] = {}
    current: list[str] = []
    first: str | None = None
    offset = 0
    for line in _logical_lines(makefile.text):
        start, offset = offset, offset + len(line)
        if line.startswith("\t"):
            for name in current:
                recipes[name].append((start + 1, start + len(line.rstrip())))
            continue
        text = line.replace("\\\n", " ").split("#", 1)[0].rstrip()
        name, operator, value = _assignment(text)
        if operator:
            if operator != "?=" or name not in variables:
                variables[name] = value
            continue
        targets, colon, after = text.partition(":")
        if not colon or not targets.strip():
            continue
        current = _expand(targets, variables | overrides).split()
        for name in current:
            recipes.setdefault(name, [])
            needs.setdefault(name, []).extend(_expand(after, variables | overrides).split())
            if first is None and not name.startswith("."):
                first = name
    return _Rules(variables | overrides, recipes, needs, first)


_CALL = pattern(r"\$\((?!shell pwd\))\w+\s[^()\n]{0,500}\)")
"""A function of make's, whose text would fall into several words."""
_MOST_TARGETS = 200
"""Targets that one target needs; each is another call."""


def _logical_lines(text: str) -> list[str]:
    """Lines with their newlines; those that end in a backslash joined with the next."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if lines and lines[-1].rstrip("\r\n").endswith("\\"):
            lines[-1] += line
        else:
            lines.append(line)
    return lines


def _assignment(text: str) -> tuple[str, str, str]:
    for operator in ("::=", ":=", "?=", "+=", "="):
        name, found, value = text.partition(operator)
        if found and name.strip() and ":" not in name and " " not in name.replace("export ", "").strip():
            return name.replace("export ", "").strip(), operator, value.strip()
    return "", "", ""


def _expand(text: str, variables: dict[str, str], depth: int = 0) -> str:
    """Puts in `$(NAME)` and `${NAME}`; what is not known, or makes the text too long, stays."""
    if depth > 10 or "$" not in text:
        return text
    length = 0

    def value(match: re.Match[str]) -> str:
        nonlocal length
        name = match[1] or match[2]
        if name not in variables or length > EXPANDED:
            return match[0]
        found = _expand(variables[name], variables, depth + 1)
        length += len(found)
        return found if length <= EXPANDED else match[0]

    return _REFERENCE.sub(value, text)


_REFERENCE = pattern(r"\$\(([^()$\s:]*)\)|\$\{([^{}$\s:]*)\}|\$\$")


def _lines_of(
    target: str | None,
    recipes: dict[str, list[tuple[int, int]]],
    needs: dict[str, list[str]],
    seen: set[str],
) -> list[tuple[int, int]]:
    """The recipe lines of a target; where it has none of its own, those of its last prerequisite."""
    todo = [target] if target is not None else []
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if recipes.get(name):
            return recipes[name]
        todo += needs.get(name, ())
    return []


def _command(makefile: Passage, place: tuple[int, int], variables: dict[str, str]) -> tuple[Word, ...]:
    span = makefile.span(*place)
    text = _expand(makefile.text[slice(*place)].lstrip(" \t@-+"), variables).replace("$$", "$")
    shell = variables.get("SHELL", "/bin/sh")
    first = next(iter(text.split(None, 1)), None)
    if first is None:
        return ()
    row = table("supervisors")["make"]
    builtin = first in row["shell_words"] or "=" in first
    if shell == "/bin/sh" and not builtin and not set(row["shell_characters"]).intersection(text):
        words = split(text, span)
        if words is not None:
            return words
    return (Word(shell, span), Word("-c", span), Word(text, span))
