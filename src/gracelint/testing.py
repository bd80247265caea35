"""What tests of rules stand on: small projects given as text. For gracelint's own tests and for other packs.

report = lint({"Dockerfile": "FROM python:3.12\\nCMD python app.py\\n"}, select=["shell-form-command"])
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from tempfile import TemporaryDirectory

from gracelint.base.record import Record, replace
from gracelint.config import OWN_FILE, Configuration, Settings
from gracelint.engine import lint as lint_project
from gracelint.engine.reported import Report, Reported
from gracelint.finding import Applicability
from gracelint.fixing.fixer import Fixed, unified_diff
from gracelint.fixing.fixer import fix as fix_project
from gracelint.project import Project, Request
from gracelint.reading import read_project
from gracelint.report.text import render
from gracelint.selection import Selection, select

Files = Mapping[str, str]
"""Path → text."""


def read(files: Files, *, select: Sequence[str] = (), strict: bool = False) -> Project:
    """The project that files make; a `gracelint.toml` among them is its configuration."""
    return read_project(request(files, select, strict)[0])


def lint(files: Files, *, select: Sequence[str] = (), strict: bool = False) -> Report:
    """What gracelint says of files."""
    asked, selection = request(files, select, strict)
    return lint_project(read_project(asked), selection)


def fix(files: Files, *, select: Sequence[str] = (), strict: bool = False, unsafe: bool = True) -> Fixed:
    """What fixing would make of files."""
    asked, selection = request(files, select, strict)
    return fix_project(asked, selection, unsafe=unsafe)


def fixed_files(files: Files, fixed: Fixed) -> dict[str, str]:
    """The files after fixing."""
    return {**files, **{change.path: change.after for change in fixed.changes}}


def request(files: Files, names: Sequence[str] = (), strict: bool = False) -> tuple[Request, Selection]:
    """A run for all the files of a project; a `gracelint.toml` among them holds below its folder."""

    def adjust(settings: Settings) -> Settings:
        return replace(settings, select=tuple(names) or settings.select, strict=strict or settings.strict)

    root = _empty_folder().name
    configuration = Configuration(root, adjust=adjust, overlay=files)
    paths = tuple(os.path.join(root, path) for path in files if path != OWN_FILE)
    return Request(root=root, paths=paths, configuration=configuration, overlay=files), select(configuration)


def read_folder(folder: str, *, leave_out: Sequence[str] = ()) -> dict[str, str]:
    """The files below a folder, each with its newlines as they are."""
    files = {}
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            if name in leave_out:
                continue
            path = os.path.join(parent, name)
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                files[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return files


class Example(Record):
    """A pair of blocks of a rule's documentation. `good` is what should stand in place of `bad`."""

    bad: dict[str, str]
    good: dict[str, str] | None


def examples(doc: str) -> list[Example]:
    """The examples in a rule's documentation.

    Fenced blocks are marked ```` ```dockerfile bad path=Dockerfile ````. Blocks with nothing between them, of the same
    kind and with different paths, are one project. A good project is the bad one above it with some files replaced.
    """
    found: list[Example] = []
    for kind, files in _projects(doc):
        if kind == "bad":
            found.append(Example(files, None))
        elif found and found[-1].good is None:
            found[-1] = replace(found[-1], good={**found[-1].bad, **files})
        else:
            found.append(Example({}, files))
    return found


def check_example(rule: str, example: Example, *, plugins: Sequence[str] = ()) -> None:
    """Asserts that `bad` is reported by this rule alone, that `good` is clean, and that the fix makes it of `bad`.

    `plugins` are the rule packs that know the rule; it is to get on with gracelint's own rules.
    """
    settings = {OWN_FILE: f"plugins = {json.dumps(list(plugins))}\n"} if plugins else {}
    bad = {**settings, **example.bad}
    if example.bad:
        reported = lint(bad, select=_default_and(rule)).findings
        assert reported, f"{rule} does not report its own bad example:\n{_shown(example.bad)}"
        others = [item for item in reported if item.rule != rule]
        assert not others, f"another rule reports the bad example of {rule}:\n{_told(others)}"
    if example.good is None:
        return
    good = {**settings, **example.good}
    leftover = lint(good, select=_default_and(rule)).findings
    assert not leftover, f"the good example of {rule} is not clean:\n{_told(leftover)}"
    if example.bad and any(_applies(item) for item in reported):
        made = fixed_files(bad, fix(bad, select=[rule]))
        assert made == good, f"the fix of {rule} makes this of its bad example:\n{_shown(made)}"


def expectation(rule: str, files: Files) -> str:
    """The text of a case's `expected.txt`: what one rule finds in files, and what its fixes change."""
    report = lint(files, select=[rule])
    fixed = fix(files, select=[rule])
    again = fix(fixed_files(files, fixed), select=[rule])
    assert not report.errors, "\n".join(report.errors)
    assert not again.changes, f"fixing a second time changes more:\n{unified_diff(again)}"
    parts = [
        render(report, containers=False),
        unified_diff(fixed),
        *(f"Not fixed: {reason}" for reason in fixed.refused),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


@cache
def _empty_folder() -> TemporaryDirectory[str]:
    """A root with nothing in it; it is removed when the process ends."""
    return TemporaryDirectory(prefix="gracelint-")


def _default_and(rule: str) -> list[str]:
    """Every rule that runs by default, and this one."""
    return ["dockerfile", "launch", "kubernetes", "program", "engine", rule]


def _projects(doc: str) -> Iterator[tuple[str, dict[str, str]]]:
    kind, apart = "", True
    files: dict[str, str] = {}
    for block in _blocks(doc):
        if block is None:
            apart = True
            continue
        its_kind, path, text = block
        if files and (apart or its_kind != kind or path in files):
            yield kind, files
            files = {}
        kind, apart = its_kind, False
        files[path] = text
    if files:
        yield kind, files


def _blocks(doc: str) -> Iterator[tuple[str, str, str] | None]:
    """Each marked block as its kind, path and text; None for prose and unmarked blocks."""
    lines = iter(doc.splitlines())
    for line in lines:
        if not line.startswith("```"):
            if line.strip():
                yield None
            continue
        fence = line[: len(line) - len(line.lstrip("`"))]
        body = []
        for inner in lines:
            if inner.rstrip() == fence:
                break
            body.append(inner)
        words = line[len(fence) :].split()
        path = next((word[5:] for word in words if word.startswith("path=")), None)
        kind = next((word for word in words if word in ("bad", "good")), None)
        yield (kind, path, "\n".join(body) + "\n") if kind and path else None


def _applies(reported: Reported) -> bool:
    fix = reported.finding.fix
    return fix is not None and bool(fix.edits) and fix.applicability is not Applicability.MANUAL


def _shown(files: Files) -> str:
    return "\n".join(f"--- {path}\n{text}" for path, text in files.items())


def _told(reported: Sequence[Reported]) -> str:
    return "\n".join(f"{item.path}:{item.finding.at.line}: {item.rule}: {item.finding.message}" for item in reported)


__all__ = [
    "Example",
    "Files",
    "check_example",
    "examples",
    "expectation",
    "fix",
    "fixed_files",
    "lint",
    "read",
    "read_folder",
    "request",
    "unified_diff",
]
