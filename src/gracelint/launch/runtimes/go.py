"""From a started binary to the folder of its main package, by the `go build` that makes it."""

from __future__ import annotations

import posixpath
import re
from collections import deque
from itertools import islice

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.posix import join, normal
from gracelint.base.record import Record
from gracelint.launch.images import layers
from gracelint.launch.images.packages import commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.files import Files
    from gracelint.launch.step import Context

_VALUES = frozenset(
    (
        "-o",
        "-ldflags",
        "-tags",
        "-gcflags",
        "-asmflags",
        "-mod",
        "-modfile",
        "-p",
        "-C",
        "-buildmode",
        "-pkgdir",
        "-installsuffix",
        "-toolexec",
        "-overlay",
        "-pgo",
        "-covermode",
        "-coverpkg",
        "-compiler",
    )
)
_MOST = 4_000
"""Folders that are looked at."""
_SKIPPED = ("vendor/", "node_modules/", "testdata/")
_IGNORED = ("_", ".")
"""How the names of folders begin that `./...` leaves out."""
_ROOTS = ("go.mod", "go.work")
_MENTIONS = pattern(r"\bgo\s+(?:build|install)\b|\bgo-build\b|\bmake\b|\bgoreleaser\b|\.sh\b")


class Built(Record):
    """The main package of a binary: its folder in the project, and its files where the build names them."""

    folder: str
    only: tuple[str, ...] = ()


class _Command(Record):
    words: tuple[str, ...]
    working_dir: str
    env: dict[str, str]
    run: Instruction


def built_from(path: str, context: Context) -> Built | str | None:
    """What a file of the image is built from; a text says what is missing, None that no Go build makes it."""
    image = context.image
    if image.stage is None and image.context is not None and path.startswith("/ko-app/"):
        return Built(image.context)
    if image.stage is None or image.context is None:
        return None
    missing: str | None = None
    for target in targets(path, context):
        for stage, at in layers.made_in(image.stage, target):
            for command in _builds(stage, context):
                package = _package(command, at)
                if package is None:
                    continue
                found = _folder(package, command, stage, context)
                if isinstance(found, Built):
                    return found
                missing = found
    return missing or _built_before(path, context)


def _built_before(path: str, context: Context) -> Built | None:
    """The main package of a binary that the image copies, and that is only there once something has built it."""
    from gracelint.launch.builds.goreleaser import main_package

    image, files = context.image, context.files
    if image.stage is None or image.context is None:
        return None
    for target in targets(path, context):
        for place in layers.named_in_project(image.stage, files, image.context, target):
            name = posixpath.basename(target)
            if files.exists(place) or (name != posixpath.basename(place) and "$" not in posixpath.basename(place)):
                continue
            found = main_package(name, image.context, files)
            if found is None and any(_is_in_module(at, files) for at in (image.context, posixpath.dirname(place))):
                found = _named(name, image.context, files)
            if found is not None:
                return Built("" if found == "." else found)
    return None


def targets(path: str, context: Context) -> list[str]:
    here = normal(join("/", context.working_dir, path))
    if "/" in path:
        return [here]
    search = [*(context.image.env.get("PATH") or "").split(":"), "/usr/local/bin", "/usr/bin", "/bin", "/go/bin"]
    return [*dict.fromkeys(join(folder, path) for folder in search if folder.startswith("/"))]


def _builds(stage: Stage, context: Context) -> Iterator[_Command]:
    """The `go build` and `go install` commands of a stage and its parents, with the folders they run in.

    They are looked for once, no further than somebody asks: scripts and Makefiles are read for them.
    """
    assert context.image.context is not None
    known, further = _begun(stage, context.files, context.image.context)
    at = 0
    while True:
        if at == len(known):
            known += islice(further, 1)  # another one who asks may have gone further meanwhile
        if at == len(known):
            return
        yield known[at]
        at += 1


@lru_cache(maxsize=64)
def _begun(stage: Stage, files: Files, build_context: str) -> tuple[list[_Command], Iterator[_Command]]:
    return [], _commands(stage, files, build_context)


def _commands(stage: Stage, files: Files, build_context: str) -> Iterator[_Command]:
    for one in stage.lineage():
        working_dir = layers.first_working_dir(one)
        env = dict(one.arguments or {})
        for item in one.instructions:
            if item.name == "WORKDIR":
                working_dir = normal(join(working_dir, put_in(item.value, env)))
            if item.name != "RUN" or not _MENTIONS.search(item.whole):
                continue
            for words, folder, its in _go_commands(commands(item), working_dir, env, one, files, build_context):
                yield _Command(words, folder, its, item)


def _go_commands(
    lines: Iterator[list[str]],
    folder: str,
    env: dict[str, str],
    stage: Stage,
    files: Files,
    build_context: str,
    depth: int = 0,
) -> Iterator[tuple[tuple[str, ...], str, dict[str, str]]]:
    for line in lines:
        words = [put_in(word, env) for word in line]
        while words and ("=" in words[0] or words[0] in ("env", "time", "exec", "xx-go", "command")):
            name, equals, value = words[0].partition("=")
            if words[0] == "xx-go":
                words[0] = "go"
                break
            if equals:
                env = {**env, name: value}
            words = words[1:]
        if words[:1] == ["cd"] and len(words) > 1:
            folder = normal(join(folder, words[1]))
        elif words[:2] in (["go", "build"], ["go", "install"]):
            yield tuple(words), folder, env
        elif words[:1] and depth < 3:
            started = _recipe if words[0] == "make" else _script
            its = started(words, folder, stage, files, build_context)
            yield from _go_commands(its, folder, env, stage, files, build_context, depth + 1)


def _script(words: list[str], folder: str, stage: Stage, files: Files, build_context: str) -> Iterator[list[str]]:
    """The commands of a script that is started by its path, or by a shell."""
    from gracelint.launch.images.packages import words_of

    path = words[1] if words[0] in ("sh", "bash") and len(words) > 1 else words[0]
    if path.endswith(".sh"):
        found = layers.origin(stage, files, build_context, normal(join(folder, path)))
        source = files.read(found) if isinstance(found, str) else None
        yield from words_of(source.text) if source is not None else []


def _recipe(words: list[str], folder: str, stage: Stage, files: Files, build_context: str) -> Iterator[list[str]]:
    """The commands of make's targets, where a Makefile of the project says them."""
    from gracelint.launch.images.packages import words_of
    from gracelint.launch.makefile import command_lines
    from gracelint.source import Passage

    targets = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    given = dict(word.split("=", 1) for word in words[1:] if "=" in word) | {"CURDIR": folder, "PWD": folder}
    for name in ("Makefile", "makefile", "GNUmakefile"):
        found = layers.origin(stage, files, build_context, join(folder, name))
        source = files.read(found) if isinstance(found, str) else None
        if source is None:
            continue
        wanted: list[str | None] = [*targets] or [None]
        for target in wanted:
            for text in command_lines(Passage.whole(source), target, given):
                yield from words_of(text.replace("$(shell pwd)", folder))
        return


def put_in(word: str, env: dict[str, str]) -> str:
    if "$" not in word:
        return word
    return re.sub(r"\$(?:\{(\w+)(?::-([^}]{0,500}))?\}|(\w+))", lambda m: env.get(m[1] or m[3], m[2] or m[0]), word)


_ENDING = pattern(r"(?<=[\w.-])\$\{?\w+\}?\Z")
"""What a platform adds to a name, nothing where it is Linux: `shop${EXT}`."""


def _package(command: _Command, at: str) -> str | None:
    """The package that a build writes to a file, as the command names it; None where it writes another."""
    output = None
    packages: list[str] = []
    folder = command.working_dir
    words = command.words
    index = 2
    while index < len(words):
        name, equals, value = words[index].partition("=")
        name = name.replace("--", "-", 1) if name.startswith("--") else name
        if name.startswith("-"):
            if name in _VALUES and not equals:
                index += 1
                value = words[index] if index < len(words) else ""
            if name == "-o":
                output = _ENDING.sub("", value) if "$" in value else value
            elif name == "-C":
                folder = normal(join(folder, value))
        elif words[index] in (">", "2>"):
            index += 1
        else:
            packages.append(words[index])
        index += 1
    packages = packages or ["."]
    name = posixpath.basename(at)
    if words[1] == "install":
        bins = {command.env.get("GOBIN") or join(command.env.get("GOPATH") or "/go", "bin")}
        return _by_name(packages, name, folder, folder) if posixpath.dirname(at) in bins else None
    if output is None:
        return _by_name(packages, name, folder, folder) if posixpath.dirname(at) == folder else None
    target = normal(join(folder, output))
    if target == at and not output.endswith("/"):
        return _resolve(packages[0], folder, packages)
    if posixpath.dirname(at) == target:
        return _by_name(packages, name, folder, folder)
    return None


def _resolve(package: str, folder: str, packages: list[str]) -> str:
    if package.endswith("/..."):
        return f"any * {normal(join(folder, package[:-4]))}"
    if "*" in posixpath.basename(package):
        return normal(join(folder, posixpath.dirname(package)))
    if package.endswith(".go"):
        return "\n".join(normal(join(folder, one)) for one in packages)
    return normal(join(folder, package)) if package.startswith((".", "/")) else f"module {package} {folder}"


def _by_name(packages: list[str], name: str, folder: str, working_dir: str) -> str | None:
    """The one of several packages whose binary has this name."""
    for package in packages:
        if package.endswith("/..."):
            return f"any {name} {normal(join(working_dir, package[:-4]))}"
        if package.endswith(".go"):
            if posixpath.basename(packages[0]).removesuffix(".go") == name:
                return _resolve(package, folder, packages)
            continue
        place = normal(join(folder, package.partition("@")[0]))
        if posixpath.basename(place) == name or package in (".", "./"):
            return _resolve(package, folder, packages)
    return None


def _folder(package: str, command: _Command, stage: Stage, context: Context) -> Built | str:
    """The project's folder of a package that is named as it lies in the stage."""
    build_context = context.image.context
    assert build_context is not None

    def origin(place: str) -> str | None:
        found = layers.origin(stage, context.files, build_context, place)
        if found is None:
            found = layers.bound(command.run, command.working_dir, build_context, place)
        if isinstance(found, str):
            return "" if found == "." else found
        return layers.folder_of_files(stage, context.files, build_context, place) if found is None else None

    if package.startswith("any "):
        _, name, top = package.split(" ", 2)
        start = origin(top)
        found = _named(name, start, context.files) if start is not None else None
        what = "" if name == "*" else f" {name}"
        return Built(found) if found is not None else f"no folder{what} with a main package was found below {top}"
    if package.startswith("module "):
        _, path, folder = package.split(" ", 2)
        root = _module_root(folder, path.partition("@")[0], origin, context)
        if root is None:
            return f"the module of {path} is not in the project"
        return Built(root)
    if "\n" in package or package.endswith(".go"):
        places = package.split("\n")
        first = origin(places[0])
        if first is None or not context.files.exists(first):
            return f"{places[0]}, which `go build` compiles, is not in the project"
        return Built(posixpath.dirname(first), tuple(posixpath.basename(place) for place in places))
    found = origin(package)
    if found is None or not any(name.endswith(".go") for name in context.files.names(found)):
        return f"{package}, which `go build` compiles, is not in the project"
    return Built(found)


def _is_in_module(folder: str, files: Files) -> bool:
    while not any(files.exists(join(folder, name)) for name in _ROOTS):
        if not folder:
            return False
        folder = posixpath.dirname(folder)
    return True


@lru_cache(maxsize=256)
def _named(name: str, folder: str, files: Files) -> str | None:
    """The folder of the nearest main package whose binary has a name. `*`: of any."""
    found = (at for its, at in _packages(files, folder) if name in ("*", its))
    return next((at for at in found if _is_main(at, files)), None)


@lru_cache(maxsize=32)
def _packages(files: Files, folder: str) -> tuple[tuple[str, str], ...]:
    """The folders with Go sources from one down, the nearest first, and what their binaries would be called."""
    module = re.search(r"^module\s+(\S+)", files.glance(join(folder, "go.mod")), re.M)
    found = [(posixpath.basename(module[1]), folder)] if module is not None else []
    waiting = deque([folder])
    count = 0
    while waiting and count < _MOST:
        here = waiting.popleft()
        count += 1
        names = files.names(here)
        if any(name.endswith(".go") for name in names):
            found.append((posixpath.basename(here), here))
        below = (name for name in names if name.endswith("/") and not name.startswith(_IGNORED))
        waiting += [join(here, name[:-1]) for name in below if name not in _SKIPPED]
    return tuple(found)


def _is_main(folder: str, files: Files) -> bool:
    sources = [join(folder, name) for name in files.names(folder) if name.endswith(".go")]
    return any("package main" in files.glance(source) for source in sources)


def _module_root(folder: str, path: str, origin: object, context: Context) -> str | None:
    """The folder of a package that is named by its import path."""
    assert callable(origin)
    while True:
        root = origin(folder)
        source = context.files.read(join(root, "go.mod")) if root is not None else None
        named = re.search(r"^module\s+\"?([^\s\"]+)", source.text, re.M) if source is not None else None
        if named is not None and root is not None:
            below = path[len(named[1]) :].lstrip("/")
            is_in = path == named[1] or path.startswith(f"{named[1]}/")
            return join(str(root), below).rstrip("/") if is_in else None
        if folder == "/":
            return None
        folder = posixpath.dirname(folder)
