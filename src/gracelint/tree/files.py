"""The project's files: read once, only inside its root, only if they are ordinary files of a sane size."""

from __future__ import annotations

import os
import stat

from gracelint.base.record import Record
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gracelint.tree.warm import Warm

LIMIT = 10_000_000
"""Bytes. Text above it is nothing a person wrote."""
ENCRYPTED = "is encrypted"
"""The reason where a file keeps a secret, and only who holds the key has its text."""
_LOCKED = (b"\0GITCRYPT\0", b"Salted__", b"age-encryption.org/")
"""How such files begin: git-crypt (its commands.cpp), OpenSSL's enc, age (its format.md)."""


class UnreadableError(Exception):
    """A file that is there but is no text. `source` and `offset` say where that shows."""

    def __init__(self, reason: str, source: Source, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.source = source
        self.offset = offset


class ProjectFiles:
    """Implements `facts.files.Files` on a folder. `overlay` holds texts that stand in for what is on the disk."""

    def __init__(
        self,
        root: str,
        overlay: Mapping[str, str] | None = None,
        *,
        allowed: Callable[[str], bool] | None = None,
        warm: Warm | None = None,
        listing: tuple[str, ...] = (),
    ) -> None:
        self._warm = warm
        self.name = os.path.basename(os.path.realpath(root))
        self._start = os.path.join(root, "")
        self._real_root = os.path.realpath(root)
        self._overlay = overlay or {}
        new = self._overlay.keys() - set(listing) if self._overlay else ()
        self._listing = tuple(sorted((*listing, *new))) if new else listing
        self._allowed = allowed
        self._texts: dict[str, _Text | _Unreadable | None] = {}
        self._loose: list[str] = []
        """What was read since texts were put away."""
        self._folders: dict[str, bool] = {"": True}
        self._entries: dict[str, dict[str, None]] = {}

    def read(self, path: str) -> Source | None:
        try:
            text = self.load(path)
        except UnreadableError:
            return None
        return text.source if text else None

    def load(self, path: str) -> _Text | None:
        """The file's text, with what is odd about its bytes. Raises UnreadableError where it is none."""
        normal = _normal(path)
        if normal is None or (self._allowed is not None and not self._allowed(normal)):
            return None
        if normal not in self._texts:
            self._loose.append(normal)
            try:
                self._texts[normal] = self._remembered(normal) if self._warm else self._fetch(normal)
            except UnreadableError as error:
                self._texts[normal] = _Unreadable(error.reason, error.source, error.offset)
        text = self._texts[normal]
        if isinstance(text, _Unreadable):
            raise UnreadableError(text.reason, text.source, text.offset)
        return text

    def fetch_all(self, paths: Sequence[str], threads: int) -> None:
        """Reads many files at once: worth it where the disk is slow to answer."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self.read, paths))

    def exists(self, path: str) -> bool:
        normal = _normal(path)
        if not normal:
            return normal is not None
        folder, _, name = normal.rpartition("/")
        names = self._names(folder)
        return name in names or f"{name}/" in names

    def names(self, folder: str) -> tuple[str, ...]:
        normal = _normal(folder)
        return () if normal is None else tuple(self._names(normal))

    def listed(self, folder: str) -> tuple[str, ...]:
        return tuple(path for path in self._listing if path.startswith(f"{folder}/")) if folder else self._listing

    def _names(self, folder: str) -> dict[str, None]:
        """The names in a folder, in order; links that lead out of the project are none."""
        known = self._entries.get(folder)
        if known is not None:
            return known
        above, _, name = folder.rpartition("/")
        if folder and f"{name}/" not in self._entries.get(above, (f"{name}/",)):
            return {}
        prefix = folder + "/" if folder else ""
        inner = (path[len(prefix) :] for path in self._overlay if path.startswith(prefix))
        found = {name + slash for name, slash, _ in (path.partition("/") for path in inner)}
        if self._folder_inside(folder):
            try:
                with os.scandir(self._start + folder) as entries:
                    for entry in entries:
                        if not entry.is_symlink():
                            is_folder = entry.is_dir(follow_symlinks=False)
                        elif self._below(entry.path):
                            is_folder = os.path.isdir(entry.path)
                        else:
                            continue
                        found.add(f"{entry.name}/" if is_folder else entry.name)
                        if is_folder:
                            self._folders[prefix + entry.name] = True
            except OSError:
                pass
        self._entries[folder] = listing = dict.fromkeys(sorted(found))
        return listing

    def glance(self, path: str) -> str:
        """The file's text, not kept unless it was read before; empty where there is none."""
        try:
            text = self.peek(path)
        except UnreadableError:
            return ""
        return text.source.text if text else ""

    def peek(self, path: str) -> _Text | None:
        """As `load`, not kept unless it was read before."""
        kept = path in self._texts
        try:
            return self.load(path)
        finally:
            if not kept:
                self._texts.pop(path, None)

    def pack(self) -> None:
        """Puts away the texts that were read since it was asked to before."""
        for path in self._loose:
            text = self._texts.get(path)
            if isinstance(text, _Text):
                text.source.pack()
        self._loose = []

    def forget(self, path: str) -> None:
        """Lets go of a file's text: nothing in it matters."""
        self._texts.pop(path, None)

    def forget_all(self, is_done: Callable[[str], bool]) -> None:
        """Lets go of the texts of files that nobody will ask for again."""
        for path in [path for path in self._texts if is_done(path)]:
            del self._texts[path]

    def loaded(self) -> list[Source]:
        """Everything read so far, by path."""
        texts = (self._texts[path] for path in sorted(self._texts))
        return [text.source for text in texts if isinstance(text, _Text)]

    def _remembered(self, path: str) -> _Text | None:
        """As `_fetch`, but the same text again while it stands for the same bytes."""
        assert self._warm is not None
        if path in self._overlay:
            return self._warm.text(path, self._overlay[path], lambda: self._fetch(path))
        if not self._inside(path):
            return None
        from gracelint.tree.warm import stamp_of

        stamp = stamp_of(self._start + path)
        if stamp is None:
            return self._fetch(path)
        return self._warm.text(path, stamp, lambda: self._fetch(path)) if stamp else None

    def _fetch(self, path: str) -> _Text | None:
        if path in self._overlay:
            return _text(path, self._overlay[path], None)
        if not self._folder_inside(path.rpartition("/")[0]):
            return None
        try:
            data = self._bytes(self._start + path)
        except OSError as error:
            if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
                return None
            raise UnreadableError(f"cannot be read: {error.strerror}", Source(path, "")) from error
        if data is None:
            raise UnreadableError("is no ordinary file", Source(path, ""))
        if len(data) > LIMIT:
            raise UnreadableError(f"is larger than {LIMIT // 1_000_000} MB", Source(path, ""))
        return _decode(path, data)

    def _inside(self, path: str) -> bool:
        """Whether a path stays below the root once its symbolic links are followed."""
        absolute = self._start + path
        is_near = self._folder_inside(path.rpartition("/")[0])
        return is_near and (not os.path.islink(absolute) or self._below(absolute))

    def _bytes(self, absolute: str) -> bytes | None:
        """What a file holds; a symbolic link is followed where that leads to a place below the root."""
        try:
            return _bytes(absolute, os.O_NOFOLLOW)
        except OSError:
            if not os.path.islink(absolute):
                raise
        if not self._below(absolute):
            raise FileNotFoundError(absolute)
        return _bytes(absolute, 0)

    def _folder_inside(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            absolute = self._start + folder
            within = self._folder_inside(folder.rpartition("/")[0])
            known = self._folders[folder] = self._below(absolute) if os.path.islink(absolute) or not within else True
        return known

    def _below(self, absolute: str) -> bool:
        real = os.path.realpath(absolute)
        return real == self._real_root or real.startswith(self._real_root.rstrip("/") + "/")


class _Text(Record, identity=True):
    source: Source
    invalid_at: int | None
    """The offset of the first byte that is not UTF-8; U+FFFD stands there."""


class _Unreadable(Record):
    """What an error says: by its traceback it would hold all that was under way when it was raised."""

    reason: str
    source: Source
    offset: int


def _normal(path: str) -> str | None:
    """A relative path without dots; None where it leads out of the root."""
    if path.startswith("/") or "\0" in path:
        return None
    if "./" not in path and "//" not in path and not path.endswith(("/", ".")):
        return path
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _bytes(path: str, more: int) -> bytes | None:
    """Up to one byte more than LIMIT; None for what is no ordinary file (opening a pipe would wait for its writer)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | more)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        return _read_all(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    """Asks for one byte more than the file has: where that does not come, the end was reached with one call."""
    chunks = []
    wanted = LIMIT + 1
    asked = size + 1
    while wanted > 0:
        chunk = os.read(descriptor, min(wanted, asked, 1 << 20))
        if not chunk:
            break
        chunks.append(chunk)
        if len(chunk) == size < asked:
            break
        asked = 1 << 20
        wanted -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _decode(path: str, data: bytes) -> _Text:
    if data.startswith(_LOCKED):
        raise UnreadableError(ENCRYPTED, Source(path, ""))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("is UTF-16; the tools that read it expect UTF-8", Source(path, ""))
    try:
        return _text(path, data.decode(), None)
    except UnicodeDecodeError as error:
        return _text(path, data.decode(errors="replace"), len(data[: error.start].decode()))


def _text(path: str, text: str, invalid_at: int | None) -> _Text:
    if "\0" in text:
        raise UnreadableError("is binary, not text", Source(path, ""))
    return _Text(Source(path, text), invalid_at)
