"""Which file of the project an `import` or `require` means, and which files are loaded late."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.record import Record, replace
from gracelint.behaviour.node.state import Frame, Stop, Thrown
from gracelint.behaviour.node.syntax import ENDINGS, FUNCTIONS, TooBigError, once, string_of
from gracelint.behaviour.node.values import UNKNOWN, Object, Scope
from gracelint.behaviour.node.workspaces import entries_of, has_scope, imports_of
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File
    from gracelint.facts.files import Files
    from gracelint.source import Source

_GENERATED = pattern(r'(?m)^[ \t]*output[ \t]*=[ \t]*"([^"\n]{1,200})"')
"""Where a generator of a Prisma schema writes what it makes."""
_MOST_FOLDERS = 8
_OUTPUTS = ("dist", "build", "out", "lib", ".build", "output")
"""Folders compilers write to where no tsconfig says another."""


def find_module(name: str, importer: str, files: Files) -> Source | None:
    """The project's file for a module name in the file `importer`; None where there is none."""
    folder = posixpath.dirname(importer)
    if name.startswith(("./", "../", "/")) or name in (".", ".."):
        return _file(posixpath.join(folder, name), files)
    for base, options, paths in _configurations(folder, files):
        found = _mapped(name, base, options, paths, files)
        if found is not None:
            return found
    named = imports_of(name, importer, files) if name.startswith("#") else entries_of(name, importer, files)
    for path in named or ():
        source = _file(path, files) or trace_built(path, files)
        if source is not None:
            return source
    return None


def generated_as(name: str, importer: str, files: Files) -> str | None:
    """The package that a file is generated of which is not in the project: Prisma's client, as its schema says."""
    if not name.startswith(("./", "../")):
        return None
    folder = place = posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))
    for _ in range(_MOST_FOLDERS):
        folder = posixpath.dirname(folder)
        for schema in ("schema.prisma", "prisma/schema.prisma"):
            path = posixpath.join(folder, schema)
            for output in _GENERATED.findall(files.glance(path)):
                made = posixpath.normpath(posixpath.join(posixpath.dirname(path), output))
                if f"{place}/".startswith(f"{made}/"):
                    return "@prisma/client"
        if not folder:
            break
    return None


def is_local(name: str, importer: str, files: Files) -> bool:
    """Whether a module name is one of the project's own, found or not."""
    if name.startswith(("./", "../", "/", "@/", "~/", "#", "src/")) or name in (".", ".."):
        return True
    return entries_of(name, importer, files) is not None or has_scope(name, importer, files)


def parent_of(importer: File | None) -> Any:
    """`module.parent`, which only `require` sets: whether an `import` becomes one is for a compiler to say."""
    if importer is None:
        return None
    return UNKNOWN if any(node.type == "import_statement" for node in importer.root.named_children) else Object()


def trace_built(path: str, files: Files) -> Source | None:
    """The source that `dist/server.js`, which is not in the project, is compiled from.

    tsconfig's outDir and rootDir say it; without them, a folder that compilers write to stands for `src`.
    """
    path = posixpath.normpath(path)
    stem = path.removesuffix(posixpath.splitext(path)[1]) if path.endswith((".js", ".mjs", ".cjs")) else path
    for base, options, _ in _configurations(posixpath.dirname(path), files):
        output = options.get("outDir")
        if not isinstance(output, str):
            continue
        built = posixpath.normpath(posixpath.join(base, output))
        if not stem.startswith(f"{built}/"):
            continue
        root = options.get("rootDir")
        roots = [root] if isinstance(root, str) else ["src", "."]
        return _first(stem[len(built) + 1 :], [posixpath.join(base, folder) for folder in roots], files)
    parts = stem.split("/")
    for index, part in enumerate(parts[:-1]):
        if part in _OUTPUTS:
            base = "/".join(parts[:index])
            rest = "/".join(parts[index + 1 :])
            return _first(rest.removeprefix("src/"), [posixpath.join(base, "src"), base], files)
    return None


def _first(stem: str, folders: list[str], files: Files) -> Source | None:
    for folder in folders:
        for ending in (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs"):
            source = files.read(posixpath.normpath(posixpath.join(folder, stem + ending)))
            if source is not None:
                return source
    return None


def _file(path: str, files: Files) -> Source | None:
    """A path as it is, with an ending, with TypeScript's in place of JavaScript's, or the folder's index."""
    path = posixpath.normpath(path)
    stem, ending = posixpath.splitext(path)
    candidates = [path] if ending in (*ENDINGS, ".json") else []
    candidates += [path + other for other in (*ENDINGS, ".json")]
    if ending in (".js", ".mjs", ".cjs", ".jsx"):
        candidates += [stem + other for other in (".ts", ".mts", ".cts", ".tsx")]
    candidates += [f"{path}/index{other}" for other in ENDINGS]
    for candidate in candidates:
        source = files.read(candidate) if files.exists(candidate) else None
        if source is not None:
            return source
    return None


class Paths(Record, identity=True):
    """tsconfig's `paths`."""

    by_start: dict[str, list[tuple[int, str | None, list[Any]]]]
    """The number, the end and the targets of the patterns, by what stands before their star; the end of one without a
    star is None."""
    lengths: frozenset[int]
    """Of what stands before the stars."""

    def of(self, name: str) -> list[tuple[str, list[Any]]]:
        """What the star of each pattern that fits stands for, and its targets, in order."""
        found = []
        for length in self.lengths:
            for number, end, targets in self.by_start.get(name[:length], ()) if length <= len(name) else ():
                if length == len(name) if end is None else name.endswith(end):
                    found.append((number, name[length : len(name) - len(end or "")], targets))
        return [(middle, targets) for _, middle, targets in sorted(found, key=lambda one: one[0])]


@lru_cache(maxsize=64)
def _configurations(folder: str, files: Files) -> list[tuple[str, dict[str, Any], Paths]]:
    """The `compilerOptions` of the tsconfig.json files in a folder and above it, nearest first."""
    found = []
    while True:
        options = _options(posixpath.join(folder, "tsconfig.json"), files, 0)
        if options:
            found.append((folder, options, _read_paths(options.get("paths"))))
        if not folder:
            return found
        folder = posixpath.dirname(folder)


def _read_paths(patterns: object) -> Paths:
    found: dict[str, list[tuple[int, str | None, list[Any]]]] = {}
    for number, (wanted, targets) in enumerate(patterns.items() if isinstance(patterns, dict) else ()):
        start, star, end = wanted.partition("*")
        if isinstance(targets, list):
            found.setdefault(start, []).append((number, end if star else None, targets))
    return Paths(found, frozenset(map(len, found)))


def _options(path: str, files: Files, depth: int) -> dict[str, Any]:
    """`compilerOptions`, those of a tsconfig it extends included."""
    data = _json(path, files)
    options = data.get("compilerOptions") if isinstance(data, dict) else None
    options = options if isinstance(options, dict) else {}
    parent = data.get("extends") if isinstance(data, dict) else None
    if isinstance(parent, str) and parent.startswith(".") and depth < 4:
        name = parent if parent.endswith(".json") else f"{parent}.json"
        return _options(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)), files, depth + 1) | options
    return options


def _json(path: str, files: Files) -> Any:
    source = files.read(path) if files.exists(path) else None
    return relaxed_json(source.text) if source is not None else None


def relaxed_json(text: str) -> Any:
    """A tsconfig is JSON with comments and trailing commas; None where it is not even that."""
    import json
    import re

    # Strings and comments may be cut off at the end: what fails there is tried again from each of its parts.
    string = r'("(?:[^"\\\n]|\\.)*"?)'
    text = re.sub(rf"{string}|/\*.*?(?:\*/|\Z)|//[^\n]*", lambda match: match[1] or " ", text, flags=re.DOTALL)
    text = re.sub(rf"{string}|,(?=\s*[}}\]])", lambda match: match[1] or "", text, flags=re.DOTALL)
    try:
        return json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _mapped(name: str, base: str, options: dict[str, Any], paths: Paths, files: Files) -> Source | None:
    """A name by tsconfig's `paths` and `baseUrl`."""
    root = posixpath.normpath(posixpath.join(base, str(options.get("baseUrl", "."))))
    for middle, targets in paths.of(name):
        for target in targets:
            found = _file(posixpath.join(root, str(target).replace("*", middle, 1)), files)
            if found is not None:
                return found
    return _file(posixpath.join(root, name), files) if "baseUrl" in options else None


# Modules that a program loads only when it works: what they open keeps node running from the first such call on


def load_lazily(machine: Machine) -> None:
    """Loads what functions require that start-up did not run: surely where they answer requests, else perhaps."""
    steps = machine.steps
    certain = machine.certain
    seen: set[str] = set()
    try:
        while new := [path for path in machine.modules if path not in seen]:
            seen |= set(new)
            for path in new:
                _load_from(machine, machine.parsed.get(path))
    except TooBigError:
        machine.steps = steps
    finally:
        machine.certain = certain


def _load_from(machine: Machine, file: File | None) -> None:
    if file is None:
        return
    for name, functions in _required(file):
        source = find_module(name, file.source.path, machine.files)
        if source is None or source.path in machine.modules:
            continue
        if (file.source.path, functions[0].start_byte) in machine.called:
            continue
        before = len(machine.registrations)
        machine.certain = any(_answers_requests(function) for function in functions)
        try:
            machine.load(name, Frame(Scope(), file))
        except (Stop, Thrown):
            continue
        finally:
            late = [replace(known, certain=False) for known in machine.registrations[before:]]
            machine.registrations[before:] = late


@once
def _required(file: File) -> list[tuple[str, list[Node]]]:
    """The modules that are asked for inside functions, with those functions, the innermost first."""
    if "require(" not in file.source.text and "import(" not in file.source.text:
        return []
    found = []
    for node in walk(file.root):
        called = node.child_by_field_name("function") if node.type == "call_expression" else None
        given = node.child_by_field_name("arguments")
        if called is None or text_of(called) not in ("require", "import") or given is None or not given.named_children:
            continue
        name = string_of(given.named_children[0])
        functions = list(_around(node))
        if name is not None and functions:
            found.append((name, functions))
    return found


def _around(node: Node) -> Iterator[Node]:
    here = node.parent
    while here is not None:
        if here.type in FUNCTIONS and not here.type.startswith("class"):
            yield here
        here = here.parent


def _answers_requests(function: Node) -> bool:
    """Whether a function is given to a route: `app.get('/', function)`, `createServer(function)`."""
    given = function.parent
    call = given.parent if given is not None and given.type == "arguments" else None
    called = call.child_by_field_name("function") if call is not None else None
    return called is not None and text_of(called.child_by_field_name("property") or called) in ROUTES


ROUTES = frozenset(table("node")["routes"])
