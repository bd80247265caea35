"""Puts fixed files on the disk: every file or none, each in one step."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from gracelint.config import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.fixer import Change, Fixed


def write_files(fixed: Fixed) -> None:
    """Writes every file or none. Raises ConfigError where that cannot be done: then all files are as they were."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    staged: list[tuple[str, str]] = []
    try:
        for change in fixed.changes:
            staged.append(_stage(os.path.join(fixed.root, change.path), change))
        _swap_in(staged, fixed.changes)
    finally:
        for temporary, _ in staged:
            if os.path.lexists(temporary):
                os.unlink(temporary)


def _stage(path: str, change: Change) -> tuple[str, str]:
    """A temporary file beside the real one with the new text and the old mode; and the real one's path."""
    real = os.path.realpath(path)
    try:
        with open(real, "rb") as file:
            if file.read() != change.before.encode("utf-8", "surrogatepass"):
                raise ConfigError(f"{change.path} was changed meanwhile, or is not UTF-8; nothing was written")
        status = os.stat(real)
        if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
            raise ConfigError(f"{change.path} is read-only; nothing was written")
        return _write_beside(real, change.after), real
    except OSError as error:
        raise ConfigError(f"{change.path} cannot be written: {error.strerror}; nothing was written") from error


def _write_beside(real: str, text: str) -> str:
    """A temporary file in the same folder, on the disk already, with the real one's mode and owner."""
    from tempfile import mkstemp

    status = os.stat(real)
    descriptor, temporary = mkstemp(prefix=f".{os.path.basename(real)}.", suffix=".tmp", dir=os.path.dirname(real))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, status.st_mode & 0o7777)
        _keep_owner(temporary, status)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _keep_owner(path: str, status: os.stat_result) -> None:
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(path, status.st_uid, status.st_gid)


def _swap_in(staged: list[tuple[str, str]], changes: tuple[Change, ...]) -> None:
    for number, (temporary, real) in enumerate(staged):
        try:
            os.replace(temporary, real)
        except OSError as error:
            for (_, earlier), change in zip(staged[:number], changes[:number], strict=True):
                os.replace(_write_beside(earlier, change.before), earlier)
            reason = f"cannot be written: {error.strerror}; nothing was written"
            raise ConfigError(f"{changes[number].path} {reason}") from error
