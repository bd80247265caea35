"""What compilers and bundlers make: the source behind a file that only a build puts into the image.

A path of the image is followed back to the stage that makes it. What the package there says of its build (tsconfig,
package.json's scripts, the RUN lines, the bundler's configuration) maps it to its source.
"""

from __future__ import annotations

import posixpath
from itertools import chain, islice

from gracelint.base.posix import join
from gracelint.base.record import Record, replace
from gracelint.knowledge import table
from gracelint.launch.images import layers
from gracelint.launch.images.packages import commands
from gracelint.launch.runtimes.deployed import deployed_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image
    from gracelint.launch.step import Context
    from gracelint.source import Source

_ENDINGS = (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx")
_OUTPUTS = ("dist", "build", "out", "lib", "output", "bundle")
"""Folders that compilers write to where nothing says another."""
_MOST_FOLDERS = 12
_MOST_STAGES = 8
_MOST_NAMES = 4


class Place(Record):
    """A folder of the project as it is where the build runs: in a stage, or in the project itself."""

    folder: str
    read: Callable[[str], Source | None]
    """The project's file at a path below the folder."""
    runs: tuple[tuple[str, ...], ...] = ()
    """The simple commands of the stage's RUN lines."""


class Mapping(Record):
    """What one build command or configuration says: an output, and what it is made of. Paths are below the folder."""

    entries: tuple[tuple[str, str], ...] = ()
    """The names of the outputs, without their ending, and their sources."""
    folder: str = ""
    """Where the outputs are written."""
    file: str = ""
    """The one file that is written."""
    sources: tuple[str, ...] = ()
    """Folders that are compiled file by file into `folder`."""


def built_from(path: str, context: Context) -> Source | None:
    """The source of a file that is not in the project; `path` is as in the command line."""
    target = posixpath.normpath(join("/", context.working_dir, path))
    for place, rest in _places(target, context.image, context.files):
        if rest.startswith("../"):
            continue
        source = _source_at(place, rest)
        if source is not None:
            return source
    return None


def framework_of(path: str, context: Context) -> tuple[str, str] | None:
    """The framework whose build writes this server, and its version as package.json asks for it.

    Next's is `.next/standalone/server.js`.
    """
    target = posixpath.normpath(join("/", context.working_dir, path))
    rows = table("node")["builds"]
    places = _places(target, context.image, context.files)
    for place, rest in places:
        writing = [name for name, row in rows.items() if any(f"{rest}/".startswith(f"{one}/") for one in row["writes"])]
        package = _json(place.read("package.json")) if writing else {}
        known = {**_dict(package.get("devDependencies")), **_dict(package.get("dependencies"))}
        for name in writing:
            dependency = next((one for one in rows[name]["dependencies"] if one in known), None)
            if dependency is not None:
                return str(name), _required(dependency, str(known[dependency]), chain([(place, rest)], places))
    return None


def _required(name: str, wanted: str, places: Iterator[tuple[Place, str]]) -> str:
    if not wanted.startswith("catalog:"):
        return wanted
    from gracelint.launch.runtimes.catalogs import requirement

    return requirement(name, wanted, (place.read for place, _ in places))


def copied_package(folder: str, image: Image, files: Files) -> Source | None:
    """The package.json that `next build` copies into `.next/standalone`."""
    target = posixpath.normpath(join("/", folder, "package.json"))
    for place, rest in _places(target, image, files):
        if rest == ".next/standalone/package.json":
            return place.read("package.json")
    return None


def _places(target: str, image: Image, files: Files) -> Iterator[tuple[Place, str]]:
    """The folders above a file, in every stage it may come from, the nearest first, with its path below each."""
    places: list[tuple[Callable[[str, str], Source | None], str, tuple[tuple[str, ...], ...]]] = []
    for host, mounted in image.mounts:
        inside = posixpath.normpath(mounted)
        if target.startswith(f"{inside}/"):
            at = posixpath.normpath(join("/", host, target[len(inside) + 1 :]))
            places.append((_read_project(files), at, ()))
    if image.stage is not None and image.context is not None:
        for stage, at in islice(layers.made_in(image.stage, target), _MOST_STAGES):
            runs = tuple(
                tuple(command)
                for one in stage.lineage()
                for item in one.instructions
                if item.name == "RUN"
                for command in commands(item)
            )
            read = _reader(stage, files, image.context)
            places.append((read, at, runs))
            deployed = deployed_from(at, stage, files, image.context)
            if deployed is not None:
                places.append((read, deployed, runs))
            built = (
                path for path in layers.named_in_project(stage, files, image.context, at) if not files.exists(path)
            )
            places += [(_read_project(files), f"/{path}", ()) for path in islice(built, _MOST_NAMES)]
    for read, at, runs in places:
        folder = posixpath.dirname(at)
        for _ in range(_MOST_FOLDERS):
            rest = at[len(folder) :].lstrip("/")
            yield Place(folder, _below(read, folder), runs), rest
            if folder == "/":
                break
            folder = posixpath.dirname(folder)


def _reader(stage: Stage, files: Files, context: str) -> Callable[[str, str], Source | None]:
    def read(folder: str, path: str) -> Source | None:
        names = layers.names_in(stage, files, context, folder) if "/" not in path else None
        if names is not None and path not in names:
            return None
        found = layers.origin(stage, files, context, _inside(folder, path))
        return files.read(found) if isinstance(found, str) and files.exists(found) else None

    return read


def _read_project(files: Files) -> Callable[[str, str], Source | None]:
    return lambda folder, path: files.read(_inside(folder, path).lstrip("/"))


def _inside(folder: str, path: str) -> str:
    return posixpath.normpath(join(folder, path))


def _below(read: Callable[[str, str], Source | None], folder: str) -> Callable[[str], Source | None]:
    return lambda path: read(folder, path)


def _source_at(place: Place, rest: str) -> Source | None:
    """The source of the built file `rest` of one folder."""
    if place.read("package.json") is None and place.read("tsconfig.json") is None:
        return None
    if rest.endswith(_ENDINGS) and (found := place.read(rest)) is not None:
        return found
    stem = _stem(rest)
    if rest.startswith("dist/"):
        from gracelint.launch.runtimes.nx import entry_of

        made = entry_of(rest, lambda path: _json(place.read(path)))
        if made is not None and (found := place.read(made)) is not None:
            return found
    for mapping in _mappings(place):
        if mapping.file and _stem(posixpath.normpath(mapping.file)) == stem and mapping.entries:
            found = _read(place, mapping.entries[0][1])
            if found is not None:
                return found
        folder = posixpath.normpath(mapping.folder) if mapping.folder else ""
        if not folder or not (stem.startswith(f"{folder}/") or folder == "."):
            continue
        name = stem if folder == "." else stem[len(folder) + 1 :]
        wanted = [source for output, source in mapping.entries if output == name]
        wanted += [join(source, name) for source in mapping.sources]
        for source in wanted:
            found = _read(place, source)
            if found is not None:
                return found
    return _by_its_name(place, stem)


def _by_its_name(place: Place, stem: str) -> Source | None:
    """`dist/server.js` is made of `src/server.ts` or `server.ts`, where nothing says more."""
    output, slash, name = stem.partition("/")
    if not slash or output not in _OUTPUTS:
        return None
    for candidate in (f"src/{name}", name.removeprefix("src/") and f"src/{name.removeprefix('src/')}", name):
        found = _read(place, candidate)
        if found is not None and _stem(candidate) != stem:
            return found
    return None


def _read(place: Place, path: str) -> Source | None:
    stem = _stem(path)
    for candidate in (path, *(stem + ending for ending in _ENDINGS)):
        if candidate.endswith(_ENDINGS):
            source = place.read(candidate)
            if source is not None:
                return source
    return None


def _stem(path: str) -> str:
    path = posixpath.normpath(path)
    return path[: -len(posixpath.splitext(path)[1])] if path.endswith(_ENDINGS) else path


# What the package says of its build


def _mappings(place: Place) -> Iterator[Mapping]:
    package = _json(place.read("package.json"))
    named = sorted(_dict(package.get("scripts")).items(), key=lambda item: not item[0].startswith(_BUILDING))
    scripts = [value for _, value in named if isinstance(value, str)]
    lines = [line for script in scripts for line in _commands(script)]
    lines += [list(words) for words in place.runs]
    projects = [
        "tsconfig.json",
        "tsconfig.build.json",
        "tsconfig.prod.json",
        "tsconfig.app.json",
        "tsconfig.server.json",
    ]
    for line in lines:
        tool, words = _tool(line)
        known = _COMMANDS.get(tool)
        if known is not None:
            yield from known(words)
        elif tool == "node":
            yield from _scripted(place, words)
        projects += [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-p", "--project", "-b", "--build")]
    for name in ("tsup", "tsdown", "rollup", "webpack", "vite", "rspack", "rolldown", "esbuild", "build", "rslib"):
        for ending in (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts"):
            for form in (f"{name}.config{ending}", f"{name}{ending}"):
                source = place.read(form) if name in _CONFIGURED or form.startswith(("esbuild", "build")) else None
                if source is not None:
                    yield from _configured(name, source)
    for project in dict.fromkeys(projects):
        yield from _typescript(place, project if project.endswith(".json") else join(project, "tsconfig.json"))


_BUILDING = ("build", "bundle")
"""How scripts are called that make what is shipped: another may write to the same file on the way to that."""
_CONFIGURED = ("tsup", "tsdown", "rollup", "webpack", "vite", "rspack", "rolldown", "rslib")


def _commands(script: str) -> Iterator[list[str]]:
    for part in script.replace("||", "&&").replace(";", "&&").split("&&"):
        words = [word.strip("'\"") for word in part.split()]
        if words:
            yield words


def _tool(words: list[str]) -> tuple[str, list[str]]:
    """`npx esbuild …`, `NODE_ENV=production tsup`, `bun build …`"""
    rest = list(words)
    while rest and (rest[0] in ("npx", "pnpm", "yarn", "exec", "cross-env", "bunx", "dlx", "run") or "=" in rest[0]):
        rest = rest[1:]
    if not rest:
        return "", []
    name = posixpath.basename(rest[0])
    if len(rest) > 1 and (name, rest[1]) in (("bun", "build"), ("ncc", "build"), ("nest", "build"), ("vite", "build")):
        return f"{name} build", rest[2:]
    return name, rest[1:]


def _split(words: list[str], values: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """The operands, and the options with their values."""
    operands: list[str] = []
    options: dict[str, str] = {}
    index = 0
    while index < len(words):
        word = words[index]
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            operands.append(word)
        elif equals or word not in values:
            options[name] = value
        elif index + 1 < len(words):
            index += 1
            options[word] = words[index]
        index += 1
    return operands, options


def _named(entries: list[str], base: str = "") -> tuple[tuple[str, str], ...]:
    """Each entry by its own name, and by its path below the folder that all share."""
    common = base or (
        posixpath.commonpath([posixpath.dirname(posixpath.normpath(e)) or "." for e in entries]) if entries else ""
    )
    found = []
    for entry in entries:
        stem = _stem(entry)
        found.append((posixpath.basename(stem), entry))
        found.append((posixpath.relpath(stem, common or "."), entry))
    return tuple(dict.fromkeys(found))


def _bundled(words: list[str]) -> Iterator[Mapping]:
    """esbuild, tsup, tsdown, `ncc build`, `bun build`, rollup, `vite build --ssr`: entries, and where they go."""
    operands, options = _split(
        words,
        (
            "-o",
            "-d",
            "-i",
            "-f",
            "--out",
            "--out-dir",
            "--outDir",
            "--outdir",
            "--outfile",
            "--file",
            "--dir",
            "--input",
            "--format",
            "--target",
            "--entry",
            "--ssr",
            "--external",
            "--platform",
            "--config",
            "-c",
        ),
    )
    entries = [*operands, *(options[name] for name in ("--entry", "--input", "-i", "--ssr") if options.get(name))]
    entries = [entry for entry in entries if entry.endswith(_ENDINGS)]
    if not entries:
        return
    file = next(
        (options[name] for name in ("--outfile", "--file", "-o") if options.get(name, "").endswith(_ENDINGS)), ""
    )
    if file:
        yield Mapping(_named(entries), file=file)
        return
    folder = next(
        (
            options[name]
            for name in ("--outdir", "--out-dir", "--outDir", "--out", "--dir", "-d", "-o")
            if options.get(name)
        ),
        "dist",
    )
    yield Mapping((*_named(entries), *((("index", entries[0]),) if len(entries) == 1 else ())), folder=folder)


def _scripted(place: Place, words: list[str]) -> Iterator[Mapping]:
    """`node build.js --entry=src/main.ts`: a script of the project that calls a bundler."""
    path = next((word for word in words if not word.startswith("-")), "")
    source = place.read(path) if path.endswith(_ENDINGS) else None
    if source is None or "esbuild" not in source.text:
        return
    given = [word.rpartition("=")[2] for word in words[words.index(path) + 1 :]]
    entries = [word for word in given if word.endswith(_ENDINGS)]
    for mapping in _configured("esbuild", source):
        yield replace(mapping, entries=_named(entries)) if entries and mapping.file else mapping


def _copied(words: list[str]) -> Iterator[Mapping]:
    """swc, babel and `tsc --outDir`: each file of a folder."""
    operands, options = _split(
        words,
        (
            "-d",
            "--out-dir",
            "--outDir",
            "--rootDir",
            "--extensions",
            "-x",
            "--config-file",
            "-p",
            "--project",
            "--target",
            "--module",
        ),
    )
    folder = next((options[name] for name in ("-d", "--out-dir", "--outDir") if options.get(name)), "")
    if folder:
        sources = [posixpath.normpath(one) for one in operands if not one.endswith(_ENDINGS)]
        root = [options["--rootDir"]] if options.get("--rootDir") else []
        yield Mapping(
            _named([one for one in operands if one.endswith(_ENDINGS)]), folder, sources=(*root, *sources, ".", "src")
        )


_BUNDLERS = (
    "esbuild",
    "tsup",
    "tsup-node",
    "tsdown",
    "ncc build",
    "bun build",
    "rollup",
    "rolldown",
    "vite build",
    "pkgroll",
)
_COMPILERS = ("swc", "babel", "tsc", "tspc", "ttsc")
_COMMANDS: dict[str, Callable[[list[str]], Iterator[Mapping]]] = {
    **dict.fromkeys(_BUNDLERS, _bundled),
    **dict.fromkeys(_COMPILERS, _copied),
}


def _configured(tool: str, source: Source) -> Iterator[Mapping]:
    """A bundler's configuration, as far as its values are written out."""
    from gracelint.behaviour.node.settings import settings_of

    found = settings_of(
        source,
        (
            "entry",
            "input",
            "entryPoints",
            "ssr",
            "outDir",
            "outdir",
            "dir",
            "path",
            "file",
            "outfile",
            "filename",
            "entryFileNames",
        ),
    )
    defaults = {"webpack": "src/index.js", "rspack": "src/index.js", "tsup": "src/index.ts", "tsdown": "src/index.ts"}
    pairs = [pair for key in ("entry", "input", "entryPoints", "ssr") for pair in found.get(key, ())]
    pairs = [(name, path) for name, path in pairs if path.endswith(_ENDINGS) or "/" in path]
    if not pairs and tool in defaults:
        pairs = [("", defaults[tool])]
    paths = [path for _, path in pairs]
    if not paths:
        return
    entries = [*_named(paths), *((name, path) for name, path in pairs if name)]
    names = [path for key in ("file", "outfile") for _, path in found.get(key, ())]
    folders = [path for key in ("outDir", "outdir", "dir", "path") for _, path in found.get(key, ())] or ["dist"]
    for file in names:
        yield Mapping(tuple(entries), file=file)
    written = [path for key in ("filename", "entryFileNames") for _, path in found.get(key, ()) if "[" not in path]
    if tool in ("webpack", "rspack") and len(paths) == 1:
        written.append("main")
    for folder in folders:
        yield Mapping((*entries, *((_stem(name), paths[0]) for name in written)), folder=folder)


def _typescript(place: Place, project: str) -> Iterator[Mapping]:
    options = _compiler_options(place, project, 0)
    folder = options.get("outDir")
    if not isinstance(folder, str):
        return
    base = posixpath.dirname(posixpath.normpath(project))
    root = options.get("rootDir")
    roots = [root] if isinstance(root, str) else ["src", "."]
    yield Mapping(folder=join(base, folder), sources=tuple(join(base, one) for one in roots))


def _compiler_options(place: Place, path: str, depth: int) -> dict[str, Any]:
    data = _json(place.read(path))
    options = _dict(data.get("compilerOptions"))
    parent = data.get("extends")
    if isinstance(parent, str) and parent.startswith(".") and depth < 4:
        name = parent if parent.endswith(".json") else f"{parent}.json"
        above = posixpath.normpath(join(posixpath.dirname(path), name))
        return _compiler_options(place, above, depth + 1) | options
    return options


def _json(source: Source | None) -> dict[str, Any]:
    from gracelint.behaviour.node.modules import relaxed_json

    return _dict(relaxed_json(source.text)) if source is not None else {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
