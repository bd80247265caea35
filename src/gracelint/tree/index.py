"""What is known of a project's files between runs, so that a run opens those it has to do with and no others.

Of each file it is kept by which keys it is joined with others (`launch.near`), or that nothing in it matters; facts are
always read from the file itself. An index is a file in the user's own cache folder, one for each root. Nothing in it
is run; one that is broken, of another version or of another root counts for nothing and is written anew.

A file counts as known while its size and both of its times are the same. As in git, one that was changed just before
it was read is not kept: it may change again within the same tick of the clock.
"""

from __future__ import annotations

import os
import stat
import sys

from gracelint.base.numbers import is_digits
from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    _Stamp = tuple[int, int, int]
    """Size in bytes, and when it was written and changed in nanoseconds."""

NOTHING = "nothing"
"""The only key of a file in which nothing matters."""
_ONLY_NOTHING = (NOTHING,)
SETTLED = 2_000_000_000
"""Nanoseconds for which a file has to have been left alone: no file system in use has a coarser clock (FAT)."""
LARGEST = 200_000_000
"""Bytes of an index; one that has more is not ours."""
_FORMAT = f"gracelint index 4 {sys.byteorder}"
_NUMBERS, _WIDTH = 3, 8
"""Of a stamp, and of each of its numbers in bytes."""
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
        self._kept = _load(path, _head(root)) or _NONE
        self._asked: dict[str, int] = {}
        """The files that are as they were, with their rows."""
        self._new: dict[str, _Stamp] = {}
        """The other ones that can be kept, as they were before they were read."""
        self._learnt: dict[str, tuple[_Stamp, str]] = {}

    @property
    def is_kept(self) -> bool:
        """Whether an earlier run has written one, be it of use or not."""
        return os.path.lexists(self._path)

    def look(self, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The keys of those files that are as they were. To be asked for all that is read, before it is."""
        rows, (sizes, written, changed), asked = self._kept.rows, self._kept.stamps, self._asked
        known, all_keys, start, lstat = {}, self._kept.keys, f"{self._root}/", os.lstat
        for path in paths:
            try:
                status = lstat(start + path)
            except (OSError, ValueError):
                continue
            size, touched, other = status.st_size, status.st_mtime_ns, status.st_ctime_ns
            row = rows.get(path)
            if row is not None and changed[row] == other and written[row] == touched and sizes[row] == size:
                asked[path], keys = row, all_keys[row]
                known[path] = _ONLY_NOTHING if keys == NOTHING else tuple(keys.split(_BETWEEN)) if keys else ()
            elif stat.S_ISREG(status.st_mode) and touched < self._unsettled and other < self._unsettled:
                self._new[path] = size, touched, other
        return known

    def knows(self, path: str) -> bool:
        """Whether a file is as it was when it was read."""
        return path in self._asked

    def learn(self, path: str, keys: Iterable[str]) -> None:
        """Takes what a file holds that was looked at before it was read."""
        stamp = self._new.get(path)
        if stamp is None:
            return
        found = sorted(set(keys))
        if all(_RESERVED.isdisjoint(key) for key in (path, *found)):
            self._learnt[path] = stamp, _BETWEEN.join(found)

    def save(self) -> None:
        """Writes what is known of the files that were asked for; where that is impossible, does not."""
        if not self._learnt:
            return
        kept = self._kept
        rows = {path: (tuple(one[row] for one in kept.stamps), kept.keys[row]) for path, row in self._asked.items()}
        try:
            _write(self._path, _packed(_head(self._root), sorted({**rows, **self._learnt}.items())))
        except (OSError, UnicodeEncodeError):
            return


class _Kept(Record):
    """What a file of ours says."""

    rows: dict[str, int]
    """Where what is said of a path stands in each of the others."""
    stamps: tuple[Sequence[int], Sequence[int], Sequence[int]]
    keys: Sequence[str]


_NONE = _Kept({}, ((), (), ()), ())


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


def _sum(body: bytes, count: int) -> str:
    from zlib import crc32

    return f"{crc32(body):08x} {len(body)} {count}\n"


def _packed(head: str, rows: Sequence[tuple[str, tuple[tuple[int, ...], str]]]) -> bytes:
    """Sizes and times as numbers, and behind them two lines: the paths, and their keys."""
    numbers = [stamp[which] for which in range(_NUMBERS) for _, (stamp, _) in rows]
    packed = b"".join(number.to_bytes(_WIDTH, sys.byteorder, signed=True) for number in numbers)
    paths, keys = "\t".join(path for path, _ in rows), "\t".join(keys for _, (_, keys) in rows)
    body = packed + f"{paths}\n{keys}".encode()
    return f"{head}{_sum(body, len(rows))}".encode() + body


def _load(path: str, head: str) -> _Kept | None:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return None
    start = head.encode(errors="surrogateescape")
    if len(data) > LARGEST or not data.startswith(start):
        return None
    line, _, body = data[len(start) :].partition(b"\n")
    told = line.decode(errors="replace")
    last = told.rpartition(" ")[2]
    count = int(last) if is_digits(last) else 0
    if f"{told}\n" != _sum(body, count):
        return None
    split = _NUMBERS * _WIDTH * count
    numbers = memoryview(body)[:split].cast("q")
    paths, keys = (column.split("\t") for column in body[split:].decode(errors="replace").split("\n"))
    stamps = numbers[:count], numbers[count : 2 * count], numbers[2 * count :]
    return _Kept(dict(zip(paths, range(count), strict=True)), stamps, keys)


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
