"""Every rule over every project there is: what holds for all rules, whoever writes the next one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from conftest import FIXTURES, case_files, rule_cases
from gracelint.engine.reported import Report, Reported
from gracelint.rules import addresses
from gracelint.testing import Files, examples, fix, fixed_files, lint, unified_diff

DEFAULTS = ("dockerfile", "launch", "kubernetes", "program", "engine")


def projects() -> Iterator[tuple[str, dict[str, str]]]:
    for rule, folder in rule_cases():
        yield f"{rule}/{os.path.basename(folder)}", case_files(folder)
    for collection in ("projects", "verdicts"):
        parent = os.path.join(FIXTURES, collection)
        for name in sorted(os.listdir(parent)) if os.path.isdir(parent) else ():
            yield f"{collection}/{name}", case_files(os.path.join(parent, name))
    yield "shop", case_files(os.path.join(FIXTURES, "shop"))
    for address in addresses():
        for number, example in enumerate(examples(address.load().doc), 1):
            if example.bad:
                yield f"{address.name}/example-{number}", example.bad


PROJECTS = list(projects())
every_project = pytest.mark.parametrize("files", [files for _, files in PROJECTS], ids=[name for name, _ in PROJECTS])


def _leaves_connections(reason: str) -> bool:
    """A handler for SIGINT that closes no connections is not given SIGTERM as well."""
    return reason.startswith("sigint-only-handler at ") and "(unclosed-connections in " in reason


def _may_lose_work(reason: str) -> bool:
    """A wait is given no limit where what comes behind it may be lost then."""
    return reason.startswith("unbounded-wait-on-shutdown at ") and "unknown, which is handled now" in reason


@every_project
def test_fixes_converge_and_none_is_taken_back(files: Files) -> None:
    fixed = fix(files, strict=True)
    refused = [one for one in fixed.refused if not (_leaves_connections(one) or _may_lose_work(one))]
    assert refused == []
    again = fix(fixed_files(files, fixed), strict=True)
    assert not again.changes, unified_diff(again)


@every_project
def test_no_rule_breaks_and_every_finding_can_be_suppressed(files: Files) -> None:
    """By a comment above it; findings in JSON have the configuration for that."""
    report = lint(files, strict=True)
    assert report.errors == ()
    marked = [item for item in report.findings if not item.path.endswith(".json") and item.rule not in _ABOUT_COMMENTS]
    told = [
        item
        for item in lint(_with_comments(files, marked), strict=True).findings
        if item.path in {i.path for i in marked}
    ]
    left = {(item.rule, item.path) for item in told} & {(item.rule, item.path) for item in marked}
    assert not left


@every_project
def test_places_survive_what_does_not_change_the_meaning(files: Files) -> None:
    found = lint(files).findings
    for change, shift in (("lines above", 2), ("carriage returns", 0), ("byte order mark", 0)):
        changed = {path: _changed(path, text, change) for path, text in files.items()}
        if changed == files:
            continue
        before = sorted(_place(item, shift * (changed[item.path] != files[item.path])) for item in found)
        assert sorted(_place(item) for item in lint(changed).findings) == before, change


_ABOUT_COMMENTS = ("unused-suppression", "unknown-rule-in-suppression")


def _place(reported: Reported, shift: int = 0) -> tuple[str, str, int, int]:
    at = reported.finding.at
    return reported.rule, at.source.path, at.line + shift, at.column


def _changed(path: str, text: str, change: str) -> str:
    """The text with `change`, in the files that may have it: an interpreter line suffers neither."""
    name = os.path.basename(path)
    if not ("ockerfile" in name or name.endswith((".yaml", ".yml"))) or not text or "<<" in text:
        return text
    if change == "carriage returns":
        return text.replace("\r\n", "\n").replace("\n", "\r\n")
    if change == "byte order mark":
        return "\ufeff" + text.removeprefix("\ufeff")
    directive = text.startswith(("%", "\ufeff", "# syntax", "# escape", "#syntax", "#escape"))
    return text if directive else "# 🎈\n#\n" + text


_SLASHES = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".go", ".java", ".cs", ".rs")


def _with_comments(files: Files, reported: list[Reported]) -> dict[str, str]:
    """The files with a comment above each finding that suppresses it."""
    wanted: dict[tuple[str, int], list[str]] = {}
    for item in reported:
        line = _first_line(files[item.path], item.finding.at.line, item.path)
        wanted.setdefault((item.path, line), []).append(item.rule)
    changed = dict(files)
    for (path, line), rules in sorted(wanted.items(), reverse=True):
        lines = changed[path].splitlines(keepends=True)
        below = lines[line - 1] if line <= len(lines) else ""
        indent = below[: len(below) - len(below.lstrip())]
        marker = "//" if path.endswith(_SLASHES) else "#"
        lines.insert(line - 1, f"{indent}{marker} gracelint: ignore[{', '.join(sorted(set(rules)))}]\n")
        changed[path] = "".join(lines)
    return changed


def _first_line(text: str, line: int, path: str) -> int:
    """The line an instruction begins at: in a Dockerfile a comment stands above the whole of it."""
    lines = text.splitlines()
    while "ockerfile" in path and line > 1 and lines[line - 2].rstrip().endswith("\\"):
        line -= 1
    return line


def test_the_report_of_the_shop_is_the_same_in_any_order() -> None:
    files = case_files(os.path.join(FIXTURES, "shop"))
    backwards = dict(reversed(files.items()))

    def said(report: Report) -> list[tuple[str, str]]:
        return [(item.rule, item.finding.message) for item in report.findings]

    assert said(lint(files)) == said(lint(backwards))
