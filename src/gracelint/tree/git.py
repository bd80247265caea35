"""What git knows of a tree's files, asked so that nothing in the tree has a say in what is run.

A repository's settings can name commands, and files to be read, in more ways than can be turned off one by one. So git
never sees them: it is told that an empty repository of ours is the one it works with, and is given the index, the
objects and the work tree of the linted one. What is turned off on top of that would do by itself against every way
known today.
"""

from __future__ import annotations

import os
import stat

from gracelint.base.record import Record

SILENCE = 20_000
"""Milliseconds without a word from git after which it is given up: a pipe in place of an ignore file never ends."""

_SIGKILL = 9
_LONGEST_LINK = 4096
"""Bytes of a `.git` file, and of `commondir`."""
_NONE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "norepository")
_OFF = (
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.untrackedCache=false"),
    "--no-pager",
)


class Repository(Record):
    """A repository that was found on the way from a folder to the root of the file system."""

    work_tree: str
    own: str
    """The folder that holds its index."""
    common: str
    """The folder that holds its objects; another one only in linked work trees."""


class Objects(Record):
    """The objects of a repository, and the git that reads them."""

    program: str
    environment: dict[str, str]

    def ask(self, *arguments: str, stdin: str = os.devnull) -> bytes | None:
        """What a command of git's says that needs nothing but objects; None where it fails."""
        command = [self.program, *_OFF, *arguments]
        return _written(self.program, command, self.environment, stdin)


def objects_of(found: Repository) -> Objects | None:
    """None where there is no git that can be trusted."""
    program = _program(found.work_tree)
    if program is None:
        return None
    return Objects(program, _environment(found, os.path.join(found.own, "index")))


def tracked(root: str) -> list[str] | None:
    """The files git tracks or would track, or None where git does not say: no repository, or a root it ignores."""
    listing = _listing(root, "-coz")
    return [path for path in listing.split("\0") if path] if listing else None


def ignored(root: str) -> list[str]:
    """The files, and with a slash behind them the folders, that git is told to ignore."""
    return [path for path in (_listing(root, "-oiz", "--directory") or "").split("\0") if path]


def repository(folder: str) -> Repository | None:
    """The nearest repository at or above a folder."""
    while True:
        found = _repository_in(folder)
        if found is not None:
            return found
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _repository_in(folder: str) -> Repository | None:
    own = os.path.join(folder, ".git")
    if not os.path.isdir(own):
        link = _line(own)
        if not link.startswith("gitdir:"):
            return None
        own = os.path.join(folder, link.removeprefix("gitdir:").strip())
    if not os.path.isfile(os.path.join(own, "HEAD")):
        return None
    common = os.path.join(own, _line(os.path.join(own, "commondir")) or ".")
    return Repository(folder, own, common) if os.path.isdir(os.path.join(common, "objects")) else None


def _line(path: str) -> str:
    """What an ordinary file of one line says; nothing where it is another kind of file."""
    if not os.path.isfile(path):
        return ""
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read(_LONGEST_LINK).rstrip(b"\r\n"))
    except OSError:
        return ""


def _listing(root: str, *wanted: str) -> str | None:
    found = repository(root)
    program = _program(found.work_tree) if found else None
    if found is None or program is None:
        return None
    index = os.path.join(found.own, "index")
    if os.path.lexists(index) and not _is_ordinary(index):
        return None
    command = [program, "-C", root, *_OFF, "ls-files", *wanted, "--exclude-standard"]
    excludes = os.path.join(found.common, "info", "exclude")
    if _is_ordinary(excludes):
        command.append(f"--exclude-from={excludes}")
    return _answer(program, command, _environment(found, index))


def _environment(found: Repository, index: str) -> dict[str, str]:
    """The user's own, without what would lead git elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("GIT_CONFIG_")}
    return kept | {
        "GIT_DIR": _NONE,
        "GIT_WORK_TREE": found.work_tree,
        "GIT_INDEX_FILE": index,
        "GIT_OBJECT_DIRECTORY": os.path.join(found.common, "objects"),
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _program(tree: str) -> str | None:
    """The git of the user's search path, as far as that does not lead into the linted tree."""
    inside = os.path.realpath(tree).rstrip("/") + "/"
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = os.path.join(folder, "git")
        if not os.path.isabs(folder) or f"{os.path.realpath(folder)}/".startswith(inside):
            continue
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return None


def _is_ordinary(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _answer(program: str, command: list[str], environment: dict[str, str]) -> str | None:
    written = _written(program, command, environment)
    return os.fsdecode(written) if written is not None else None


def _written(program: str, command: list[str], environment: dict[str, str], stdin: str = os.devnull) -> bytes | None:
    """What a command writes, or None where it fails. Spawned by hand: importing `subprocess` takes longer than git."""
    read_end, write_end = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, write_end, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
    ]
    try:
        child = os.posix_spawn(program, command, environment, file_actions=actions)
    except OSError:
        os.close(read_end)
        return None
    finally:
        os.close(write_end)
    answer = None
    try:
        answer = _read(read_end)
    finally:
        os.close(read_end)
        if answer is None:
            os.kill(child, _SIGKILL)
        _, status = os.waitpid(child, 0)
    return answer if answer is not None and status == 0 else None


def _read(pipe: int) -> bytes | None:
    """All that comes out of a pipe; None where nothing comes any more, and no end either."""
    from select import POLLIN, poll

    waiting = poll()
    waiting.register(pipe, POLLIN)
    chunks: list[bytes] = []
    while waiting.poll(SILENCE):
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
    return None
