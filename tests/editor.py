"""An editor for tests: it speaks the language server protocol to `gracelint lsp`, as pytest-lsp's clients do."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lsprotocol import types

GRACELINT = (sys.executable, "-m", "gracelint", "lsp")


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with these files."""
    for name, text in {".git/HEAD": "ref: refs/heads/main\n", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


class Editor:
    def __init__(self, client: object, folder: Path) -> None:
        from pytest_lsp import LanguageClient

        assert isinstance(client, LanguageClient)
        self.client = client
        self.folder = folder
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def at(self, name: str) -> types.TextDocumentIdentifier:
        from lsprotocol import types

        return types.TextDocumentIdentifier(self.uri(name))

    def open(self, name: str, text: str | None = None) -> None:
        from lsprotocol import types

        if text is None:
            text = (self.folder / name).read_bytes().decode("utf-8-sig")
        self.texts[name], self.versions[name] = text, 1
        item = types.TextDocumentItem(self.uri(name), "any", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, name: str, text: str) -> None:
        """Changes an open text, which is not saved."""
        from lsprotocol import types

        self.versions[name] += 1
        self.texts[name] = text
        document = types.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self, name: str) -> None:
        from lsprotocol import types

        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.at(name)))

    def save(self, name: str, text: str) -> None:
        """Writes a file, and tells the server that it was changed."""
        from lsprotocol import types

        (self.folder / name).write_text(text)
        event = types.FileEvent(self.uri(name), types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    async def shows(self, name: str, *rules: str) -> Sequence[types.Diagnostic]:
        """Waits until the findings of a file are of these rules."""
        await until(lambda: self.shown(name) == sorted(rules), lambda: f"{name} shows {self.shown(name)}")
        return self.client.diagnostics[self.uri(name)]

    def shown(self, name: str) -> list[str] | None:
        found = self.client.diagnostics.get(self.uri(name))
        return None if found is None else sorted(str(each.code) for each in found)

    async def actions(self, name: str, line: int, *, only: Sequence[str] | None = None) -> list[types.CodeAction]:
        """What is offered on a 0-based line."""
        from lsprotocol import types

        where = types.Range(types.Position(line, 0), types.Position(line, 999))
        context = types.CodeActionContext([], only=only)
        found = await self.client.text_document_code_action_async(types.CodeActionParams(self.at(name), where, context))
        return [action for action in found or () if isinstance(action, types.CodeAction)]

    def apply(self, action: types.CodeAction) -> None:
        """Makes the edits of an action: of open texts in the editor, of others on the disk."""
        from lsprotocol import types

        assert action.edit is not None and action.edit.document_changes
        for change in action.edit.document_changes:
            assert isinstance(change, types.TextDocumentEdit)
            name = os.path.relpath(change.text_document.uri.removeprefix("file://"), self.folder)
            assert change.text_document.version == self.versions.get(name)
            text = self.texts[name] if name in self.texts else (self.folder / name).read_text()
            for edit in sorted(change.edits, key=lambda edit: edit.range.start, reverse=True):
                assert isinstance(edit, types.TextEdit)
                start, end = offset(text, edit.range.start), offset(text, edit.range.end)
                text = text[:start] + edit.new_text + text[end:]
            if name in self.texts:
                self.type(name, text)
            else:
                self.save(name, text)

    async def hover(self, name: str, line: int, character: int = 0) -> str | None:
        from lsprotocol import types

        where = types.HoverParams(self.at(name), types.Position(line, character))
        found = await self.client.text_document_hover_async(where)
        if found is None:
            return None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def hints(self, name: str) -> list[tuple[int, int, str]]:
        from lsprotocol import types

        whole = types.Range(types.Position(0, 0), types.Position(9999, 0))
        found = await self.client.text_document_inlay_hint_async(types.InlayHintParams(self.at(name), whole))
        return [(hint.position.line, hint.position.character, str(hint.label)) for hint in found or ()]

    async def definition(self, name: str, line: int) -> list[str]:
        from lsprotocol import types

        where = types.DefinitionParams(self.at(name), types.Position(line, 6))
        found = await self.client.text_document_definition_async(where)
        assert isinstance(found, Sequence)
        places = [place for place in found if isinstance(place, types.Location)]
        return [f"{place.uri.rpartition('/')[2]}:{place.range.start.line}" for place in places]


def offset(text: str, position: types.Position) -> int:
    """Where a position in UTF-16 units is in a text."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r|$)", text)
    before = sum(len(line) for line in lines[: position.line])
    line = lines[position.line] if position.line < len(lines) else ""
    return before + len(line.encode("utf-16-le")[: 2 * position.character].decode("utf-16-le"))


async def until(holds: Callable[[], bool], told: Callable[[], str]) -> None:
    for _ in range(1500):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(told())


@asynccontextmanager
async def editing(
    *folders: Path, command: Sequence[str] = GRACELINT, options: Sequence[str] = (), encodings: Sequence[str] = ()
) -> AsyncIterator[Editor]:
    """An editor with these workspace folders, and a server of its own."""
    from lsprotocol import types
    from pytest_lsp import client_capabilities, make_test_lsp_client

    client = make_test_lsp_client()
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)(lambda params: None)
    await client.start_io(*command, *options)
    capabilities = client_capabilities("visual_studio_code")
    if encodings:
        assert capabilities.general is not None
        capabilities.general.position_encodings = [types.PositionEncodingKind(name) for name in encodings]
    named = [types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders]
    await client.initialize_session(types.InitializeParams(capabilities=capabilities, workspace_folders=named))
    try:
        yield Editor(client, folders[0])
    finally:
        await client.shutdown_session()


def needs_the_server() -> None:
    """Skips a module's tests where the server cannot be installed, but not where everything has to be tried."""
    if os.environ.get("CI"):
        return
    pytest.importorskip("pytest_lsp", reason="the extra `dev` is not installed")


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 120))
