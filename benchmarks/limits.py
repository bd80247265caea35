"""Grows each hostile input of the tests to just below 100 kB, and says what a process takes to check, trace and fix it.

    python benchmarks/limits.py [WORD…]

WORDs choose inputs by their names. What takes more than SECURITY.md allows is marked, and the exit is 1 then.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from test_limits import DOUBLING, GROWING, LINEAR, Project  # noqa: E402

MOST_BYTES, MOST_SECONDS, MOST_MEGABYTES = 100_000, 2.0, 200.0
COMMANDS = {"check": ["check"], "trace": ["trace"], "fix": ["check", "--fix", "--unsafe-fixes"]}


def main(words: list[str]) -> int:
    over = 0
    for name, make in (DOUBLING | GROWING | LINEAR).items():
        if words and not any(word in name for word in words):
            continue
        files = grown(make)
        for command, seconds, megabytes in measured(files):
            is_over = seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES
            over += is_over
            print(
                f"{'OVER' if is_over else '    '} {seconds:6.2f} s {megabytes:6.0f} MB  {command:5}  {name}", flush=True
            )
    return 1 if over else 0


def grown(make: Callable[[int], Project]) -> Project:
    """The largest project of a kind that is small enough."""
    few, many = 1, 2
    while size(make(many)) <= MOST_BYTES and many < MOST_BYTES:
        few, many = many, many * 2
    while many - few > max(few // 50, 1):
        middle = (few + many) // 2
        few, many = (middle, many) if size(make(middle)) <= MOST_BYTES else (few, middle)
    return make(few)


def size(files: Project) -> int:
    return sum(len(text.encode()) for text in files.values())


def measured(files: Project) -> Iterator[tuple[str, float, float]]:
    """What each command takes, in seconds of the processor and megabytes."""
    for command, words in COMMANDS.items():
        folder = Path(tempfile.mkdtemp())
        try:
            for path, text in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8", newline="")
            yield command, *run([sys.executable, "-m", "gracelint", *words, "."], folder)
        finally:
            shutil.rmtree(folder)


def run(argv: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of a process of its own."""
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execv(argv[0], argv)
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{' '.join(argv)} ended with {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
