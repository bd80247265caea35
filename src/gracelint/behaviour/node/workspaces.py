"""Packages of one repository: workspaces of npm, Yarn, pnpm and Lerna, and dependencies that name a folder."""

from __future__ import annotations

import posixpath
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.source import Source

_MOST_PACKAGES = 400
_DEEPEST = 4
"""Levels of folders that `packages/**` is looked through."""
_CONDITIONS = ("source", "development", "node", "import", "require", "default")
"""Of `exports`, the most telling first."""


def package_of(name: str) -> tuple[str, str]:
    """`@acme/web/server` is the file `./server` of the package `@acme/web`."""
    parts = name.split("/")
    length = 2 if name.startswith("@") else 1
    return "/".join(parts[:length]), "/".join((".", *parts[length:]))


def entries_of(name: str, importer: str, files: Files) -> Iterator[str] | None:
    """The paths in the project that a module name may mean; None where it is no package of the repository."""
    package, inside = package_of(name)
    folder = posixpath.dirname(importer)
    while True:
        place = packages(folder, files).get(package)
        if place is not None:
            return _entries(place, inside, files)
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def imports_of(name: str, importer: str, files: Files) -> Iterator[str]:
    """The paths that a name such as `#lib/db` means by `imports` of the nearest package.json."""
    folder = posixpath.dirname(importer)
    while not files.exists(posixpath.join(folder, "package.json")) and folder:
        folder = posixpath.dirname(folder)
    imports = _json(posixpath.join(folder, "package.json"), files).get("imports")
    for pattern, value in imports.items() if isinstance(imports, dict) else ():
        start, star, end = pattern.partition("*")
        if name == pattern or (
            star and name.startswith(start) and name.endswith(end) and len(name) >= len(start + end)
        ):
            middle = name[len(start) : len(name) - len(end)] if star else ""
            for path in _targets(value):
                yield posixpath.normpath(posixpath.join(folder, path.replace("*", middle)))


def has_scope(name: str, importer: str, files: Files) -> bool:
    """Whether a package has the scope of the one that imports it (`@acme`): its owners', found here or not."""
    folder = posixpath.dirname(importer)
    while name.startswith("@"):
        own = _json(posixpath.join(folder, "package.json"), files).get("name")
        if isinstance(own, str) and own.startswith(f"{name.split('/')[0]}/"):
            return True
        if not folder:
            break
        folder = posixpath.dirname(folder)
    return False


@lru_cache(maxsize=256)
def packages(root: str, files: Files) -> dict[str, str]:
    """The folders of the packages that a folder's package.json, or a tool's own file, names, by the packages' names."""
    manifest = _json(posixpath.join(root, "package.json"), files)
    patterns = manifest.get("workspaces")
    patterns = patterns.get("packages") if isinstance(patterns, dict) else patterns
    given = [one for one in patterns if isinstance(one, str)] if isinstance(patterns, list) else []
    found: dict[str, str] = {}
    for pattern in [*given, *_pnpm(root, files), *_lerna(root, files)]:
        for folder in _matching(root, pattern, files):
            name = _json(posixpath.join(folder, "package.json"), files).get("name")
            if isinstance(name, str) and len(found) < _MOST_PACKAGES:
                found.setdefault(name, folder)
    for kind in ("dependencies", "devDependencies"):
        named = manifest.get(kind)
        for name, where in named.items() if isinstance(named, dict) else ():
            scheme, colon, path = where.partition(":") if isinstance(where, str) else ("", "", "")
            if colon and scheme in ("file", "link", "portal") and not path.endswith((".tgz", ".tar.gz")):
                found.setdefault(name, posixpath.normpath(posixpath.join(root, path)))
    return found


def _pnpm(root: str, files: Files) -> list[str]:
    """The list `packages` of pnpm-workspace.yaml, one plain string a line."""
    source = files.read(posixpath.join(root, "pnpm-workspace.yaml"))
    lines = source.text.splitlines() if source is not None else []
    return [line.strip()[1:].strip().strip("\"'") for line in lines if line.strip().startswith("- ")]


def _lerna(root: str, files: Files) -> list[str]:
    """The `packages` of lerna.json."""
    from gracelint.behaviour.node.modules import relaxed_json

    source = files.read(posixpath.join(root, "lerna.json"))
    data = relaxed_json(source.text) if source is not None else None
    listed = data.get("packages") if isinstance(data, dict) else None
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _matching(root: str, pattern: str, files: Files) -> list[str]:
    if pattern.startswith("!"):
        return []
    folders = [root]
    for part in posixpath.normpath(pattern).split("/"):
        if part == "**":
            folders = [below for folder in folders for below in _tree(folder, files, _DEEPEST)]
        elif "*" in part:
            folders = [below for folder in folders for below in _below(folder, part, files)]
        else:
            folders = [posixpath.join(folder, part) for folder in folders]
        folders = folders[:_MOST_PACKAGES]
    return [posixpath.normpath(folder) for folder in folders]


def _below(folder: str, pattern: str, files: Files) -> list[str]:
    from fnmatch import fnmatchcase

    names = (name[:-1] for name in files.names(folder) if name.endswith("/"))
    return [posixpath.join(folder, name) for name in names if fnmatchcase(name, pattern) and name != "node_modules"]


def _tree(folder: str, files: Files, depth: int) -> list[str]:
    found = [folder]
    for below in _below(folder, "*", files) if depth else ():
        found.extend(_tree(below, files, depth - 1))
        if len(found) > _MOST_PACKAGES:
            break
    return found


def _entries(folder: str, inside: str, files: Files) -> Iterator[str]:
    manifest = _json(posixpath.join(folder, "package.json"), files)
    exports = manifest.get("exports")
    if inside == "." and not (isinstance(exports, dict) and any(key.startswith(".") for key in exports)):
        wanted = _targets(exports)
    else:
        wanted = _targets(exports.get(inside) if isinstance(exports, dict) else None)
    if inside == ".":
        wanted += [value for key in ("source", "main", "module") if isinstance(value := manifest.get(key), str)]
        wanted += ["index", "src/index"]
    else:
        wanted += [inside, f"src/{inside[2:]}"]
    for path in wanted:
        yield posixpath.normpath(posixpath.join(folder, path))


def _targets(value: Any) -> list[str]:
    """What `exports` gives for one path, by its conditions."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [path for item in value for path in _targets(item)]
    if not isinstance(value, dict):
        return []
    return [path for condition in _CONDITIONS if condition in value for path in _targets(value[condition])]


def _json(path: str, files: Files) -> dict[str, Any]:
    source = files.read(path) if files.exists(path) else None
    return _mapping(source) if source is not None else {}


@lru_cache(maxsize=1_000)
def _mapping(source: Source) -> dict[str, Any]:
    import json

    try:
        data = json.loads(source.text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
