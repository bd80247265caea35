"""What was found, in the words of the protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from urllib.parse import quote

from lsprotocol import types

from gracelint.engine.reported import Reported, shown_path
from gracelint.finding import Applicability, Severity
from gracelint.fixing.fixer import Change
from gracelint.lsp.positions import Positions
from gracelint.lsp.session import Reading, Session, is_applied
from gracelint.lsp.silence import silencing
from gracelint.lsp.stories import hints, next_places, story, told_at
from gracelint.report.places import printable
from gracelint.source import Source, Span

FIX_ALL = "source.fixAll.gracelint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


class Answers:
    """Answers from one reading of a session, for one client.

    `uris` are those of its open files as the client writes them, `versions` the texts' numbers.
    """

    def __init__(
        self,
        session: Session,
        reading: Reading,
        encoding: str,
        uris: Mapping[str, str],
        versions: Mapping[str, int | None],
    ) -> None:
        self._session = session
        self._reading = reading
        self._uris = uris
        self._versions = versions
        request = reading.project.request
        self._shown: Callable[[str], str] = partial(shown_path, request.root, request.working_dir)
        self._positions = Positions(encoding, request.overlay)
        self._sources = {source.path: source for source in reading.project.sources}

    def diagnostics(self, path: str) -> list[types.Diagnostic]:
        return [self._diagnostic(reported) for reported in self._session.findings(path)]

    def hover(self, path: str, position: types.Position) -> types.Hover | None:
        told = told_at(self._reading.project.launches, path, position.line + 1)
        if not told:
            return None
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, printable(story(told, self._shown))))

    def hints(self, path: str, wanted: types.Range) -> list[types.InlayHint]:
        source = self._sources.get(path)
        if source is None:
            return []
        found = [
            types.InlayHint(
                self._positions.position(source, hint.end),
                printable(hint.label),
                tooltip=printable(hint.why),
                padding_left=True,
            )
            for hint in hints(self._reading.project.launches, source)
        ]
        return [hint for hint in found if wanted.start.line <= hint.position.line <= wanted.end.line]

    def definition(self, path: str, position: types.Position) -> list[types.Location]:
        places = next_places(self._reading.project.launches, path, position.line + 1)
        return [self._location(span) for span in places]

    def meant(self, path: str, wanted: types.Range) -> list[Reported]:
        """The findings that a range touches."""
        source = self._sources.get(path)
        if source is None:
            return []
        start, end = (self._positions.offset(source, place) for place in (wanted.start, wanted.end))
        return [
            reported
            for reported in self._session.findings(path)
            if reported.finding.at.start <= end and start <= max(reported.finding.at.end, reported.finding.at.start)
        ]

    def fixes(self, found: Sequence[Reported]) -> Iterator[types.CodeAction]:
        """The fixes that have proved right."""
        for reported in filter(is_applied, found):
            changes, fix = self._reading.fix(reported), reported.finding.fix
            if isinstance(changes, str) or not changes or fix is None:
                continue
            unsafe = fix.applicability is not Applicability.SAFE
            yield types.CodeAction(
                title=printable(f"{fix.title} (unsafe: read it)" if unsafe else fix.title),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[self._diagnostic(reported)],
                is_preferred=not unsafe,
                edit=self._edit(changes),
            )

    def ignores(self, found: Sequence[Reported]) -> Iterator[types.CodeAction]:
        """Comments that silence findings, each at the place that counts."""
        for reported in found:
            span = reported.home or reported.finding.at
            known = self._sources.get(span.source.path)
            comment = silencing(span, reported.rule) if known is span.source else None
            if comment is None:
                continue
            at, text = comment
            change = Change(span.source.path, span.source.text, span.source.text[:at] + text + span.source.text[at:])
            here = span.source.path == reported.path
            where = "" if here else f" in {self._shown(span.source.path)}:{span.line}"
            yield types.CodeAction(
                title=printable(f"Ignore {reported.rule} here" if here else f"Ignore {reported.rule}{where}"),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[self._diagnostic(reported)],
                edit=self._edit([change]),
            )

    def fix_all(self, path: str) -> Iterator[types.CodeAction]:
        changes = self._reading.fix_all(path)
        if changes:
            yield types.CodeAction(title="Apply all safe fixes", kind=FIX_ALL, edit=self._edit(changes))

    def _edit(self, changes: Sequence[Change]) -> types.WorkspaceEdit:
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(
                    types.OptionalVersionedTextDocumentIdentifier(
                        self._uri(change.path), version=self._versions.get(change.path)
                    ),
                    list(self._text_edits(change)),
                )
                for change in changes
            ]
        )

    def plain(self, edit: types.WorkspaceEdit) -> types.WorkspaceEdit:
        """The same for clients that know no versions of texts."""
        changes: dict[str, list[types.TextEdit]] = {}
        for document in edit.document_changes or ():
            assert isinstance(document, types.TextDocumentEdit)
            changes[document.text_document.uri] = [each for each in document.edits if isinstance(each, types.TextEdit)]
        return types.WorkspaceEdit(changes=changes)

    def _text_edits(self, change: Change) -> Iterator[types.TextEdit]:
        source = self._sources.get(change.path) or Source(change.path, change.before)
        for start, end, text in differences(change.before, change.after):
            yield types.TextEdit(self._positions.range(source.span(start, end)), text)

    def _diagnostic(self, reported: Reported) -> types.Diagnostic:
        finding = reported.finding
        related = [
            types.DiagnosticRelatedInformation(self._location(note.span.place), printable(note.text))
            for note in finding.notes
        ]
        unnecessary = reported.rule == "unused-suppression"
        return types.Diagnostic(
            range=self._positions.range(finding.at),
            message=printable(finding.message),
            severity=_SEVERITIES[reported.severity],
            code=reported.rule,
            source="gracelint",
            tags=[types.DiagnosticTag.Unnecessary] if unnecessary else None,
            related_information=related or None,
        )

    def _location(self, span: Span) -> types.Location:
        return types.Location(self._uri(span.source.path), self._positions.range(span))

    def _uri(self, path: str) -> str:
        return self._uris.get(path) or uri_of(os.path.join(self._session.root, path))


def uri_of(path: str) -> str:
    return "file://" + quote(os.fsencode(path))


def differences(before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """The stretches of one text that are different in another, as start, end and what stands there instead."""
    one, other = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in one:
        starts.append(starts[-1] + len(line))
    for tag, first, last, low, high in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        old, new = "".join(one[first:last]), "".join(other[low:high])
        head = _alike(old, new)
        tail = _alike(old[head:][::-1], new[head:][::-1])
        yield starts[first] + head, starts[last] - tail, new[head : len(new) - tail]


def _alike(one: str, other: str) -> int:
    """How many code points two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (left, right) in pairs if left != right), min(len(one), len(other)))
