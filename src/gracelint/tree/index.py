"""What is known of a project's files between runs, so that a run opens those it has to do with and no others.

Of each file it is kept by which keys it is joined with others (`launch.near`), or that nothing in it matters; facts are
always read from the file itself. An index is plain text in the user's own cache folder, one for each root. Nothing in
it is run; one that is broken, of another version or of another root counts for nothing and is written anew.

A file counts as known while its size and both of its times are the same. As in git, one that was changed just before
it was read is not kept: it may change again within the same tick of the clock.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NOTHING = "nothing"
"""The only key of a file in which nothing matters."""
_ONLY_NOTHING = (NOTHING,)
SETTLED = 2_000_000_000
"""Nanoseconds for which a file has to have been left alone: no file system in use has a coarser clock (FAT)."""
LARGEST = 200_000_000
"""Bytes of an index; one that has more is not ours."""
_FORMAT = "gracelint index 3"
_BETWEEN = "\x1f"
_RESERVED = frozenset("\t\n\x1f")


class Index:
    """What earlier runs have learnt of the files below a root, and what this one learns.

    `path` is where it is kept; `now` is the time, in nanoseconds, at which nothing had been read yet.
    """

    def __init__(self, root: str, path: str, now: int) -> None:
        self._root = root
        self._path = path
        self._unsettled = now - SETTLED
        self._stamps: dict[str, str | None] = {}
        self._learnt: dict[str, tuple[str, str]] = {}
        self._known = _load(path, _head(root))

    @property
    def is_kept(self) -> bool:
        """Whether an earlier run has written one, be it of use or not."""
        return os.path.lexists(self._path)

    def keys(self, path: str) -> tuple[str, ...] | None:
        """Those of a file that is as it was when it was read; None for any other."""
        if path in self._stamps:
            stamp = self._stamps[path]
        else:
            stamp = self._stamps[path] = self._stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            return None
        keys = known[1]
        return _ONLY_NOTHING if keys == NOTHING else tuple(keys.split(_BETWEEN)) if keys else ()

    def learn(self, path: str, keys: Iterable[str]) -> None:
        """Takes what a file holds that `keys` was asked for before it was read."""
        found = sorted(set(keys))
        stamp = self._stamps.get(path)
        if stamp is None or not all(_RESERVED.isdisjoint(key) for key in (path, *found)):
            return
        learnt = stamp, _BETWEEN.join(found)
        if self._known.get(path) != learnt:
            self._learnt[path] = learnt

    def save(self) -> None:
        """Writes what is known of the files that were asked for; where that is impossible, does not."""
        if not self._learnt:
            return
        kept = {path: self._known[path] for path in self._stamps if path in self._known}
        rows = sorted({**kept, **self._learnt}.items())
        columns = ([path for path, _ in rows], [stamp for _, (stamp, _) in rows], [keys for _, (_, keys) in rows])
        try:
            body = "\n".join(map("\t".join, columns)).encode()
            _write(self._path, f"{_head(self._root)}{_sum(body)}\n".encode() + body)
        except (OSError, UnicodeEncodeError):
            return

    def _stamp(self, path: str) -> str | None:
        """Size and times of an ordinary file; None for anything else, and for one that has only just changed."""
        try:
            status = os.lstat(f"{self._root}/{path}")
        except (OSError, ValueError):
            return None
        changed, touched = status.st_ctime_ns, status.st_mtime_ns
        if not stat.S_ISREG(status.st_mode) or changed >= self._unsettled or touched >= self._unsettled:
            return None
        return f"{status.st_size} {touched} {changed}"


def index_of(root: str) -> Index | None:
    """The index of a root in the user's cache folder; None where there is no such folder."""
    folder = cache_folder()
    if folder is None:
        return None
    from time import time_ns
    from zlib import crc32

    real = os.path.realpath(root)
    name = "".join(char if char.isalnum() else "-" for char in os.path.basename(real))[:40]
    return Index(real, os.path.join(folder, f"{name}-{crc32(os.fsencode(real)):08x}.index"), time_ns())


def cache_folder() -> str | None:
    """`GRACELINT_CACHE_DIR`, else where the system keeps what programs can do without."""
    own = os.environ.get("GRACELINT_CACHE_DIR")
    if own:
        return os.path.abspath(own)
    if sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return os.path.join(base, "gracelint") if os.path.isabs(base) else None


def _head(root: str) -> str:
    from gracelint import __version__

    return f"{_FORMAT}\n{__version__} {sys.implementation.cache_tag} {_state_of_the_code()}\n{root!r}\n"


def _state_of_the_code() -> int:
    """When this gracelint was last changed: a checkout has many states of one version."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    newest = 0
    for below in ("", "parse", "launch", "knowledge", "facts"):
        with os.scandir(os.path.join(folder, below)) as entries:
            newest = max(newest, *(entry.stat().st_mtime_ns for entry in entries if entry.is_file()))
    return newest


def _sum(body: bytes) -> str:
    from zlib import crc32

    return f"{crc32(body):08x} {len(body)}"


def _load(path: str, head: str) -> dict[str, tuple[str, str]]:
    """What a file of ours says: path → stamp and keys. Each of the three is one line, which is read at once."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return {}
    start = head.encode(errors="surrogateescape")
    if len(data) > LARGEST or not data.startswith(start):
        return {}
    line, _, body = data[len(start) :].partition(b"\n")
    if line.decode(errors="replace") != _sum(body):
        return {}
    paths, stamps, keys = (column.split("\t") for column in body.decode(errors="replace").split("\n"))
    return dict(zip(paths, zip(stamps, keys, strict=True), strict=True))


def _write(path: str, data: bytes) -> None:
    """Whole or not at all, whoever else writes it at the same time."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise
