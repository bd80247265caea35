"""What is written, and in which colours."""

from __future__ import annotations

import os
import sys

from gracelint.config import ConfigError
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable


_ASCII = {"→": "->", "…": "...", "·": "-", "×": "x", "█": "#", "░": "."}


def lenient() -> str:
    """The name of an error handler for streams of narrow encodings: signs become ASCII, all else an escape."""
    import codecs

    def replaced(error: UnicodeError) -> tuple[str | bytes, int]:
        if isinstance(error, UnicodeEncodeError) and error.object[error.start] in _ASCII:
            return _ASCII[error.object[error.start]], error.start + 1
        return codecs.backslashreplace_errors(error)

    codecs.register_error("gracelint", replaced)
    return "gracelint"


def say(options: Namespace, *lines: str) -> None:
    if lines and not options.quiet:
        print("\n".join(map(visible, lines)), file=sys.stderr)


def write(path: str | None, text: str, option: str = "--format") -> None:
    """Writes to a file, or to standard output."""
    if path is None:
        print(text, end="\n" if text else "")
        return
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text + "\n" if text else "")
    except OSError as error:
        raise ConfigError(f"{option}: {path}: cannot be written: {error.strerror}") from error


def wants_color(options: Namespace) -> bool:
    if options.color != "auto":
        return bool(options.color == "always")
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def progress_bar() -> Callable[[int, int], None]:
    """A bar on standard error, once a run takes longer than a second."""
    from time import monotonic

    start = shown = monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal shown
        now = monotonic()
        if done == total:
            print("\r\x1b[K" if shown > start else "", end="", file=sys.stderr, flush=True)
        elif now - start > 1 and now - shown > 0.1:
            shown = now
            bar = "█" * (20 * done // total)
            print(f"\r{bar:░<20} {done}/{total} files", end="", file=sys.stderr, flush=True)

    return progress
