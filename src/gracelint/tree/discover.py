"""Which files a run reads. Every file of interest that is left out has a reason."""

from __future__ import annotations

import os

from gracelint.base.record import Record
from gracelint.config import ConfigError, did_you_mean
from gracelint.tree import git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

VENDORED = frozenset(
    {".git", ".hg", ".svn", ".nox", ".terraform", ".tox", ".venv", "__pycache__", "bower_components", "node_modules"}
    | {"site-packages", "vendor", "venv"}
)
UNMARKED_LIMIT = 500
"""Folder entries looked at around a named file where nothing marks the root of its project."""

DOCKERFILE, MANIFEST, PROGRAM, OTHER = "dockerfile", "manifest", "program", "other"
NODE = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
"""Programs if they are named; most of such files start nothing."""


class Skip(Record):
    path: str
    reason: str


class Scope(Record):
    """The paths a run reports on, relative to the root; "" is the root itself."""

    files: frozenset[str]
    folders: tuple[str, ...]

    def __contains__(self, path: object) -> bool:
        if path in self.files or "" in self.folders:
            return True
        return isinstance(path, str) and any(path.startswith(folder + "/") for folder in self.folders)


class Found(Record):
    """The files to read, by path, each with its kind, and those left out."""

    files: tuple[tuple[str, str], ...]
    skipped: tuple[Skip, ...]
    listing: tuple[str, ...]
    """The paths of all files there are, whatever they are."""


def _nothing(_: str) -> bool:
    return False


def scope_of(root: str, paths: Iterable[str]) -> Scope:
    """What absolute paths mean inside a root. Raises ConfigError for a path that does not exist."""
    files, folders = [], []
    for path in paths:
        if not os.path.lexists(path):
            raise ConfigError(f"{os.path.relpath(path)}: no such file or folder{_nearest(path)}")
        relative = os.path.relpath(path, root).replace(os.sep, "/")
        if os.path.isdir(path):
            try:
                os.scandir(path).close()
            except OSError as error:
                raise ConfigError(f"{os.path.relpath(path)}: cannot be listed: {error.strerror}") from error
            folders.append("" if relative == "." else relative)
        else:
            files.append(relative)
    return Scope(frozenset(files), tuple(folders))


def _nearest(path: str) -> str:
    """`: did you mean 'api/Dockerfile'?`, where what is missing is the last part of a path."""
    folder = os.path.dirname(path)
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    return did_you_mean(os.path.relpath(path), [os.path.relpath(os.path.join(folder, name)) for name in names])


def discover(
    root: str,
    scope: Scope,
    *,
    excludes: Callable[[str], bool] = _nothing,
    is_open: Callable[[str], bool] = _nothing,
    around: int | None = None,
) -> Found:
    """The files that may matter: all that `scope` names and, around it, all below the root.

    `around` limits how many folder entries are looked at beyond the scope; 0 leaves the surroundings alone. `excludes`
    need not be asked of what stands in a folder that `is_open`.
    """
    skipped: list[Skip] = []
    barred = _barrier(root, scope, excludes, skipped)
    packages = _packages_above(scope)
    found = {}
    folder, is_barred, all_in = None, False, False
    listing = tuple(sorted(dict.fromkeys(_listed(root, scope, barred, around, skipped))))
    for path in listing:
        kind = kind_of(path)
        if kind == OTHER or ((around == 0 or (kind == PROGRAM and path not in packages)) and path not in scope):
            continue
        above = path.rpartition("/")[0]
        if above != folder:
            folder, is_barred = above, barred(above)
            all_in = not is_barred and is_open(above)
        if is_barred:
            continue
        if not all_in and excludes(path):
            skipped.append(Skip(path, "excluded by the configuration"))
        else:
            found[path] = kind
    for path in scope.files:
        if excludes(path):
            found.pop(path, None)
            skipped.append(Skip(path, "excluded by the configuration"))
        else:
            found[path] = PROGRAM if path.endswith(NODE) else kind_of(path)
    unique = {skip.path: skip for skip in skipped}
    files = tuple([(path, found[path]) for path in sorted(found)])
    return Found(files, tuple(unique[path] for path in sorted(unique)), listing)


def _packages_above(scope: Scope) -> set[str]:
    """Where a package.json may say that a program in the scope is one."""
    folders = {*scope.folders, *(path.rpartition("/")[0] for path in scope.files if path.endswith(NODE))}
    found = {"package.json"} if folders else set()
    for folder in folders:
        while folder and f"{folder}/package.json" not in found:
            found.add(f"{folder}/package.json")
            folder = folder.rpartition("/")[0]
    return found


def _listed(
    root: str, scope: Scope, barred: Callable[[str], bool], around: int | None, skipped: list[Skip]
) -> Iterator[str]:
    if around == 0 and not scope.folders:
        return
    by_git = git.tracked(root)
    if by_git is not None:
        if scope.folders:
            skipped += _git_ignored(root, barred)
        yield from by_git
        unlisted = [
            folder for folder in scope.folders if folder and not any(path.startswith(f"{folder}/") for path in by_git)
        ]
    else:
        if around != 0:
            yield from _walk(root, "", barred, around, skipped)
        unlisted = list(scope.folders)
    for folder in unlisted:
        yield from _walk(root, folder, barred, None, skipped)


def kind_of(path: str) -> str:
    """What a file is by its name."""
    if path.endswith((".yaml", ".yml", ".json", ".yaml.gotmpl", ".yml.gotmpl")):
        return PROGRAM if path[path.rfind("/") + 1 :] == "package.json" else MANIFEST
    if path.endswith(".py"):
        return PROGRAM
    if "ockerfile" not in path and "ontainerfile" not in path:
        return OTHER
    from gracelint.parse.dockerfile import is_dockerfile_name

    return DOCKERFILE if is_dockerfile_name(path[path.rfind("/") + 1 :]) else OTHER


def _barrier(root: str, scope: Scope, excludes: Callable[[str], bool], skipped: list[Skip]) -> Callable[[str], bool]:
    """A test for folders that are not read, which notes the reason once. What is named is read all the same."""
    known = {"": False, **dict.fromkeys(scope.folders, False)}

    def barred(folder: str) -> bool:
        answer = known.get(folder)
        if answer is not None:
            return answer
        parent, _, name = folder.rpartition("/")
        if barred(parent):
            known[folder] = True
            return True
        reason = _reason(os.path.join(root, folder), folder, name, excludes)
        if reason is not None and name != ".git":
            skipped.append(Skip(folder + "/", reason))
        known[folder] = reason is not None
        return known[folder]

    return barred


def _reason(absolute: str, folder: str, name: str, excludes: Callable[[str], bool]) -> str | None:
    if name in VENDORED:
        return "vendored or generated"
    if excludes(folder):
        return "excluded by the configuration"
    if os.path.islink(absolute):
        return "symbolic link to a folder"
    if os.path.isfile(f"{absolute}/.git"):
        return "git submodule"
    return None


def _walk(
    root: str, start: str, barred: Callable[[str], bool], limit: int | None, skipped: list[Skip]
) -> Iterator[str]:
    """All files below a folder, level by level, so that a limit cuts off what is farthest away."""
    seen = 0
    level = [start]
    while level:
        below = []
        for folder in level:
            try:
                entries = sorted(os.scandir(os.path.join(root, folder)), key=lambda entry: entry.name)
            except OSError as error:
                skipped.append(Skip(folder + "/", f"cannot be listed: {error.strerror}"))
                continue
            seen += len(entries)
            if limit is not None and seen > limit:
                reason = "too many files around, and neither a configuration nor a git root says where the project ends"
                skipped.append(Skip(folder + "/", reason))
                return
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not _is_folder(entry):
                    yield path
                elif not barred(path):
                    below.append(path)
        level = below


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _git_ignored(root: str, barred: Callable[[str], bool]) -> Iterator[Skip]:
    for path in git.ignored(root):
        folder = path.endswith("/")
        if (folder or kind_of(path) != OTHER) and not barred(path.rpartition("/")[0]):
            yield Skip(path, "ignored by git")
