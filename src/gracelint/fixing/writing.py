"""Puts fixed files on the disk: every file or none, each in one step.

All new texts are on the disk before the first file is replaced, in files without a name where the system has them, so
that nothing is left behind by a run that is killed. The files are then replaced by a process of its own, which a signal
to this one does not stop half-way.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from gracelint.base.record import Record
from gracelint.config import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.fixing.fixer import Change, Fixed

_OTHERS = 64
"""Descriptors that are needed for anything else."""


def write_files(fixed: Fixed) -> None:
    """Writes every file or none. Raises ConfigError where that cannot be done: then all files are as they were."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    staged: list[_Staged] = []
    room = _descriptors(len(fixed.changes) + _OTHERS) - _OTHERS
    try:
        for number, change in enumerate(fixed.changes):
            staged.append(_stage(os.path.join(fixed.root, change.path), change, nameless=number < room))
    except BaseException:
        for one in staged:
            one.discard()
        raise
    reason = _out_of_reach(lambda: _swap_in(staged, fixed.changes))
    if reason:
        raise ConfigError(reason)


class _Staged(Record, identity=True):
    """A new text on the disk, beside the file that it will replace."""

    real: str
    temporary: str
    descriptor: int | None
    """Of a file that has no name yet."""

    def swap_in(self) -> None:
        if self.descriptor is not None:
            # a directory is named, though the path is absolute: without one Python links the link, not the file
            os.link(f"/proc/self/fd/{self.descriptor}", self.temporary, src_dir_fd=self.descriptor)
        os.replace(self.temporary, self.real)

    def discard(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
        if os.path.lexists(self.temporary):
            os.unlink(self.temporary)


def _stage(path: str, change: Change, *, nameless: bool) -> _Staged:
    """The new text, with the mode and owner of the real file."""
    real = os.path.realpath(path)
    try:
        with open(real, "rb") as file:
            if file.read() != change.before.encode("utf-8", "surrogatepass"):
                raise ConfigError(f"{change.path} was changed meanwhile, or is not UTF-8; nothing was written")
        if not os.access(real, os.W_OK):  # to replace a file takes no right to write it
            raise ConfigError(f"{change.path} is read-only; nothing was written")
        return _write_beside(real, change.after, nameless=nameless)
    except OSError as error:
        raise ConfigError(f"{change.path} cannot be written: {error.strerror}; nothing was written") from error


def _write_beside(real: str, text: str, *, nameless: bool) -> _Staged:
    status = os.stat(real)
    folder, name = os.path.split(real)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    descriptor = _open_nameless(folder) if nameless else None
    kept = descriptor is not None
    if descriptor is None:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb", closefd=not kept) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(descriptor)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            _keep_owner(descriptor, status)
    except BaseException:
        _Staged(real, temporary, descriptor if kept else None).discard()
        raise
    return _Staged(real, temporary, descriptor if kept else None)


def _descriptors(wanted: int) -> int:
    """How many files can be open at once; up to the number wanted that is raised as far as the system lets it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


def _open_nameless(folder: str) -> int | None:
    """A file without a name, or None where the system or the file system has none."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not os.path.isdir("/proc/self/fd"):
        return None
    with suppress(OSError):
        return os.open(folder, flag | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    return None


def _keep_owner(descriptor: int, status: os.stat_result) -> None:
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.fchown(descriptor, status.st_uid, status.st_gid)


def _out_of_reach(action: Callable[[], str]) -> str:
    """The answer of an action in a process of its own session, which goes on whatever becomes of this one."""
    if not hasattr(os, "fork"):
        return action()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.close(reading)
            os.write(writing, action().encode("utf-8", "surrogateescape"))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return os.fsdecode(answer)


def _swap_in(staged: list[_Staged], changes: tuple[Change, ...]) -> str:
    """Puts the new texts in their places; where that fails, the old ones are put back, and the reason is returned."""
    try:
        for number, one in enumerate(staged):
            try:
                one.swap_in()
            except OSError as error:
                for earlier, change in zip(staged[:number], changes[:number], strict=True):
                    _write_beside(earlier.real, change.before, nameless=False).swap_in()
                return f"{changes[number].path} cannot be written: {error.strerror}; nothing was written"
        return ""
    finally:
        for one in staged:
            one.discard()
