"""The language server: which texts are open, when they are read, and who is told.

Reading is done by one thread, so that the server hears of the next keystroke meanwhile: what it outdates is stopped.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from gracelint import __version__
from gracelint.base.internal import internal_error
from gracelint.config import OWN_FILE, SHARED_FILE, ConfigError
from gracelint.lsp.answers import FIX_ALL, Answers
from gracelint.lsp.session import Configure, Reading, Session, Stopped, place_for
from gracelint.tree.discover import VENDORED

T = TypeVar("T")

SETTINGS = (OWN_FILE, SHARED_FILE)

PAUSE = 0.25
"""Seconds without a keystroke until a text is read."""
PATIENCE = 1.0
"""Seconds that a reading takes in silence."""
WATCHED = (
    "**/{gracelint.toml,pyproject.toml,package.json,Procfile,Makefile,.dockerignore}",
    "**/*{ockerfile,ontainerfile}*",
    "**/*.{yml,yaml,json,tpl,sh,bash,py,js,cjs,mjs,ts,cts,mts,conf,ini,toml,hcl,env}",
)


class Room:
    """A project with open files."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.uris: dict[str, str] = {}
        self.versions: dict[str, int | None] = {}
        self.revision = 0
        """Counts what was changed."""
        self.known: dict[str, int | None] = {}
        """The versions that the session's reading is about."""
        self.read = 0
        """The revision that was read last."""
        self.due = 0.0
        """When it is to be read, by the loop's clock."""
        self.work: asyncio.Task[None] | None = None
        self.done = self.total = 0
        self.complaint = ""


class Server:
    def __init__(self, configure: Configure) -> None:
        self._configure = configure
        self._rooms: dict[str, Room] = {}
        self._reader = ThreadPoolExecutor(1, "reader")
        self._tokens = 0
        self.ended = False
        self.protocol = server = LanguageServer(
            "gracelint", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        actions = types.CodeActionOptions([types.CodeActionKind.QuickFix, FIX_ALL])
        for method, answer, options in (
            (types.INITIALIZED, self.initialized, None),
            (types.SHUTDOWN, self.shutdown, None),
            (types.TEXT_DOCUMENT_DID_OPEN, self.opened, None),
            (types.TEXT_DOCUMENT_DID_CHANGE, self.changed, None),
            (types.TEXT_DOCUMENT_DID_SAVE, self.saved, None),
            (types.TEXT_DOCUMENT_DID_CLOSE, self.closed, None),
            (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self.watched, None),
            (types.WORKSPACE_DID_CHANGE_CONFIGURATION, self.configured, None),
            (types.TEXT_DOCUMENT_CODE_ACTION, self.code_actions, actions),
            (types.TEXT_DOCUMENT_HOVER, self.hover, None),
            (types.TEXT_DOCUMENT_INLAY_HINT, self.inlay_hints, None),
            (types.TEXT_DOCUMENT_DEFINITION, self.definition, None),
        ):
            # a bound method takes no attributes, which pygls gives to what it calls
            server.feature(method, options)(partial(answer))

    # What the client tells

    async def initialized(self, params: types.InitializedParams) -> None:
        workspace = self.protocol.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [types.FileSystemWatcher(glob) for glob in WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        wanted = types.Registration("gracelint-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        with suppress(JsonRpcException):
            await self.protocol.client_register_capability_async(types.RegistrationParams([wanted]))

    def shutdown(self, params: None) -> None:
        self.ended = True

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        self._take(document.uri, document.version, pause=0)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        self._take(params.text_document.uri, params.text_document.version, pause=PAUSE)

    def saved(self, params: types.DidSaveTextDocumentParams) -> None:
        room, path = self._find(params.text_document.uri)
        if room is not None and path.endswith(SETTINGS):
            self._move()
        elif room is not None:
            room.session.look_again()
            self._touch(room, 0)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        room, path = self._find(uri)
        if room is None:
            return
        room.session.update(path, None)
        room.uris.pop(path, None)
        room.versions.pop(path, None)
        self.protocol.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        if room.session.open:
            self._touch(room, 0)
        else:
            room.revision += 1
            del self._rooms[room.session.root]

    def watched(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Files were changed by others. The roots of projects may be others, too, once settings come or go."""
        paths = [path for change in params.changes if (path := path_of(change.uri)) is not None]
        if any(path.endswith(SETTINGS) for path in paths):
            self._move()
        for room in self._rooms.values():
            inside = (os.path.relpath(path, room.session.root).split(os.sep) for path in paths)
            if any(parts[0] != ".." and VENDORED.isdisjoint(parts) for parts in inside):
                room.session.look_again()
                self._touch(room, PAUSE)

    def configured(self, params: types.DidChangeConfigurationParams) -> None:
        for room in self._rooms.values():
            self._touch(room, 0)

    # What the client asks

    async def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        room, path = self._find(params.text_document.uri)
        answers = await self._answers(room)
        if room is None or answers is None:
            return []
        only = params.context.only
        fixing = only is None or any(FIX_ALL.startswith(kind) for kind in only if kind)
        quick = only is None or any(types.CodeActionKind.QuickFix.startswith(kind) for kind in only)

        def work() -> list[types.CodeAction]:
            found = answers.meant(path, params.range) if quick else []
            made = [*answers.fixes(found), *answers.ignores(found)]
            return [*made, *answers.fix_all(path)] if fixing and only is not None else made

        actions = await self._in_thread(work)
        workspace = self.protocol.client_capabilities.workspace
        if workspace is None or workspace.workspace_edit is None or not workspace.workspace_edit.document_changes:
            for action in actions:
                action.edit = answers.plain(action.edit) if action.edit is not None else None
        return actions

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        room, path = self._find(params.text_document.uri)
        answers = await self._answers(room)
        return answers.hover(path, params.position) if answers is not None else None

    async def inlay_hints(self, params: types.InlayHintParams) -> list[types.InlayHint]:
        room, path = self._find(params.text_document.uri)
        answers = await self._answers(room)
        return answers.hints(path, params.range) if answers is not None else []

    async def definition(self, params: types.DefinitionParams) -> list[types.Location]:
        room, path = self._find(params.text_document.uri)
        answers = await self._answers(room)
        return answers.definition(path, params.position) if answers is not None else []

    # Which project a text belongs to

    def _take(self, uri: str, version: int | None, pause: float) -> None:
        path = path_of(uri)
        if path is None:
            return
        room, below = self._find(uri)
        if room is None:
            place, working_dir = place_for(path, self._folders())
            room = self._rooms.setdefault(place.root, Room(Session(place, working_dir, self._configure)))
            below = os.path.relpath(path, place.root)
        room.uris[below], room.versions[below] = uri, version
        room.session.update(below, self.protocol.workspace.get_text_document(uri).source)
        self._touch(room, pause)

    def _find(self, uri: str) -> tuple[Room | None, str]:
        """The project that an open text belongs to, and its path there."""
        for room in self._rooms.values():
            for path, known in room.uris.items():
                if known == uri:
                    return room, path
        return None, ""

    def _move(self) -> None:
        """Finds the projects of all open texts anew."""
        rooms = list(self._rooms.values())
        self._rooms = {}
        for room in rooms:
            room.revision += 1
            for path, uri in room.uris.items():
                self._take(uri, room.versions[path], pause=0)

    def _folders(self) -> tuple[str, ...]:
        folders = (path_of(uri) for uri in self.protocol.workspace.folders)
        root = self.protocol.workspace.root_path
        return tuple(folder for folder in folders if folder) or ((root,) if root else ())

    # Reading

    def _touch(self, room: Room, pause: float) -> None:
        room.revision += 1
        room.due = asyncio.get_running_loop().time() + pause
        if room.work is None or room.work.done():
            room.work = asyncio.ensure_future(self._keep(room))

    async def _keep(self, room: Room) -> None:
        """Reads a project until nothing has changed meanwhile."""
        loop = asyncio.get_running_loop()
        while room.read != room.revision and not self.ended:
            while (left := room.due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not room.session.open:
                return
            revision = room.revision
            try:
                versions = dict(room.versions)
                reading = await self._read(room, revision)
            except Stopped:
                if room.revision == revision:
                    return
                continue
            except ConfigError as error:
                room.read = revision
                self._complain(room, str(error))
                continue
            except Exception as error:
                room.read = revision
                self._log(internal_error("reading the project", error))
                continue
            room.read, room.complaint = revision, ""
            if room.revision == revision and not self.ended:
                room.session.reading, room.known = reading, versions
                self._publish(room, reading)

    async def _read(self, room: Room, revision: int) -> Reading:
        texts = dict(room.session.open)
        stopped = False

        def progress(done: int, total: int) -> None:
            if stopped or self.ended or room.revision != revision:
                raise Stopped
            room.done, room.total = done, total

        work = asyncio.ensure_future(self._in_thread(lambda: room.session.read(texts, progress)))
        await asyncio.wait({work}, timeout=PATIENCE)
        window = self.protocol.client_capabilities.window
        if work.done() or window is None or not window.work_done_progress:
            return await work
        self._tokens += 1
        token = f"gracelint-{self._tokens}"
        shown = self.protocol.work_done_progress
        with suppress(JsonRpcException):
            await shown.create_async(token)
        shown.begin(token, types.WorkDoneProgressBegin("gracelint", message="reading", cancellable=True, percentage=0))
        while not work.done():
            part = 100 * room.done // room.total if room.total else 0
            shown.report(
                token, types.WorkDoneProgressReport(message=f"{room.done}/{room.total} files", percentage=part)
            )
            stopped = stopped or (token in shown.tokens and shown.tokens[token].cancelled())
            await asyncio.wait({work}, timeout=0.5)
        shown.end(token, types.WorkDoneProgressEnd())
        return await work

    async def _answers(self, room: Room | None) -> Answers | None:
        """Answers from what the text is now: a reading that is due is waited for."""
        if room is None:
            return None
        while room.work is not None and not room.work.done():
            room.due = 0
            await asyncio.wait({room.work})
        return self._of(room, room.session.reading) if room.session.reading is not None else None

    def _of(self, room: Room, reading: Reading) -> Answers:
        encoding = self.protocol.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16
        return Answers(room.session, reading, encoding, room.uris, room.known)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    # Telling

    def _publish(self, room: Room, reading: Reading) -> None:
        answers = self._of(room, reading)
        for path, uri in room.uris.items():
            found = types.PublishDiagnosticsParams(uri, answers.diagnostics(path), room.known.get(path))
            self.protocol.text_document_publish_diagnostics(found)
        for error in reading.report.errors:
            self._log(error)
        workspace = self.protocol.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.protocol.workspace_inlay_hint_refresh(None)

    def _complain(self, room: Room, message: str) -> None:
        """Says once what is wrong with the settings; what was found before stays."""
        if message != room.complaint:
            room.complaint = message
            told = types.ShowMessageParams(types.MessageType.Error, f"gracelint: {message}")
            self.protocol.window_show_message(told)

    def _log(self, message: str) -> None:
        self.protocol.window_log_message(types.LogMessageParams(types.MessageType.Error, message))


def path_of(uri: str) -> str | None:
    """The path of a file's URI; None for what is no file, such as a text that was never saved."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    return os.path.normpath(os.fsdecode(unquote_to_bytes(parts.path))) if parts.path.startswith("/") else None


def serve(configure: Configure) -> None:
    """Serves one client on standard input and output, until it says so."""
    gc.enable()
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # so that nothing can write between the messages
    server = Server(configure)
    try:
        server.protocol.start_io(stdout=messages)
    finally:
        server.ended = True
