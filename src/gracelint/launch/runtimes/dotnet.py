""".NET: from `dotnet App.dll`, or what `dotnet publish` makes, to its project, and what a signal does to that."""

from __future__ import annotations

import posixpath
import re
from collections import deque
from functools import lru_cache

from gracelint.base.record import replace
from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.knowledge import table
from gracelint.launch.images.image import find_path, list_folder
from gracelint.launch.runtimes.code import marks
from gracelint.launch.step import Context, Step
from gracelint.launch.words import base_name, read_options
from gracelint.parse.csproj import Project, frameworks, imports, properties_of, read_project
from gracelint.parse.errors import ParseError
from gracelint.parse.xml import read_xml
from gracelint.source import Located, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.source import Source

    Row = Mapping[str, Any]

_MOST = 4_000
"""Folders and files that are looked at."""
_MOST_IMPORTS = 20
_TAKEN_IN = ("Directory.Build.props", "Directory.Packages.props", "Directory.Build.targets")
"""Files that MSBuild looks for above each project: https://learn.microsoft.com/visualstudio/msbuild/customize-by-directory"""
_SKIPPED = frozenset(("node_modules/", "bin/", "obj/", ".git/", "packages/", "TestResults/"))
_LIMIT = re.compile(
    r"(?:ShutdownTimeout\s*=|UseShutdownTimeout\()\s*TimeSpan\.From(Milliseconds|Seconds|Minutes)\(\s*([0-9.]{1,9})\s*\)"
)
_ANY_LIMIT = re.compile(r"ShutdownTimeout\s*=|UseShutdownTimeout\(")
_UNITS = {"Milliseconds": 0.001, "Seconds": 1.0, "Minutes": 60.0}
_SETTINGS = ("shutdowntimeoutseconds",)
_RUN_VALUES = (
    *("-c", "--configuration", "-f", "--framework", "-p", "--project", "-r", "--runtime", "-a", "--arch", "--os"),
    *("-v", "--verbosity", "-lp", "--launch-profile", "-e", "--environment"),
)


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What `dotnet` starts; None where that is one of its other commands."""
    words = [word.value for word in argv[1:]]
    index = 1 if words[:1] == ["exec"] else 0
    while index < len(words) and words[index].startswith("--"):
        index += 1 if "=" in words[index] else 2
    if index < len(words) and words[index].endswith(".dll"):
        name = posixpath.basename(words[index]).removesuffix(".dll")
        return _program_step(argv, name, words[index + 1 :], context) or _unknown(
            argv, context, f"{words[index]} is built by no project that is here"
        )
    return _run_step(argv, context) if words[:1] == ["run"] else None


def _run_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """`dotnet run`: it builds the project of its folder, starts it, passes SIGTERM on and waits for it.

    Read in https://github.com/dotnet/sdk/blob/main/src/Cli/Microsoft.DotNet.Cli.Utils/ProcessReaper.cs
    """
    given = read_options(argv, 2, _RUN_VALUES)
    configuration = given.value(("-c", "--configuration"))
    if configuration is not None and "$" in configuration.value and "--no-build" in (name for name, _ in given.options):
        why = f"nothing is built as {configuration.value}, which no shell replaces here: it ends at once"
        return Step(_hop(argv, context, Effect.UNKNOWN, why), one_shot=True)
    project = _project_of(given.value(("-p", "--project")), context)
    if project is None or context.signal != "SIGTERM":
        return None
    span = argv[0].span or context.span
    words = tuple(word.value for word in argv[: given.rest])
    why = "dotnet run passes SIGTERM on and waits for the program"
    hop = Hop(words, HopKind.WRAPPER, "dotnet run", Effect.FORWARDS, why, span, context.pid_1, context.signal)
    command = (Word("dotnet", span), Word(f"{project.assembly}.dll", span), *argv[given.rest :])
    return Step(hop, command, replace(context, pid_1=False))


def _project_of(named: Word | None, context: Context) -> Project | None:
    """The project of a folder of the image, or of the file, that is named."""
    path = named.value if named is not None else "."
    if not path.endswith("proj"):
        names = list_folder(context.image, context.files, path, context.working_dir)
        found = [name for name in names if name.endswith("proj")]
        path = posixpath.join(path, found[0]) if len(found) == 1 else ""
    at = find_path(context.image, context.files, path, context.working_dir) if path else None
    return _project(context.files, at) if at is not None else None


def published(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A program that `dotnet publish` makes beside its .dll, or as a single file."""
    return _program_step(argv, base_name(argv[0].value), [word.value for word in argv[1:]], context)


def _program_step(argv: tuple[Word, ...], name: str, arguments: list[str], context: Context) -> Step | None:
    project = project_called(context.files, context.image.context, name)
    if project is None:
        return None
    paths = sources(context.files, project)
    version = _version(context.files, project)
    if not version:
        return _unknown(argv, context, f"which .NET {name} is built for is not known: {project.source.path} names none")
    row = table("dotnet")["host"]
    if next(marks(context.files, paths, [{"words": row["marks"]}]), None) is None:
        from gracelint.behaviour.csharp import read_csharp
        from gracelint.launch.runtimes.programs import program_step

        program = read_csharp(
            version, files=context.files, paths=paths, env=context.env, effort=context.followed.effort
        )
        if isinstance(program, str):
            return _unknown(argv, context, f"{name} has no host, and {program}")
        return program_step(argv, program, context)
    if next(marks(context.files, paths, [{"words": row["runs"]}]), None) is None:
        return _unknown(argv, context, f"{name} makes a host, and where it is run is not found")
    from gracelint.launch.servers.servers import named_step
    from gracelint.launch.servers.settings import ServerSettings

    options: dict[str, Located[str | None]] = {"version": Located(version)}
    limit = _limit(context, paths, arguments)
    if limit is not None:
        options["shutdown_timeout"] = limit
    judged = named_step(argv, "dotnet-host", row, ServerSettings(options), context)
    return _changed(argv, judged, row, paths, context)


def _changed(argv: tuple[Word, ...], judged: Step, row: Row, paths: tuple[str, ...], context: Context) -> Step:
    """What the project's own code makes of it."""
    hop = judged.hop
    if hop is None or hop.effect is not Effect.HANDLES:
        return judged
    change = next(marks(context.files, paths, row.get("code", ())), None)
    if change is not None:
        return _unknown(argv, context, f"{row['label']}: {change.row['why']} ({change.place})")
    from gracelint.behaviour.csharp.hosted import deaf_services

    texts = (source for path in paths if (source := _with_service(context.files, path)) is not None)
    service = next(iter(deaf_services(texts)), None)
    if service is None:
        return judged
    place = f"{service.span.source.path}:{service.span.line}"
    if not service.certain:
        return _unknown(
            argv, context, f"{row['label']}: {service.name} may run on when its token is cancelled ({place})"
        )
    seconds = judged.drain.seconds if judged.drain is not None else None
    given_up = f", and the host gives up after {seconds:g} s" if seconds is not None else ""
    why = f"{service.name}.ExecuteAsync never looks at its token ({place}){given_up}"
    details = {**hop.details, "reaction": "drops", "lossy": False, "delay": seconds, "at": service.span}
    return replace(judged, hop=replace(hop, effect=Effect.CUTS, why=why, details=details), drain=None)


def _with_service(files: Files, path: str) -> Source | None:
    return files.read(path) if "ExecuteAsync" in files.glance(path) else None


def _limit(context: Context, paths: tuple[str, ...], arguments: list[str]) -> Located[str | None] | None:
    """How long the host waits: in the sources, else its setting in the environment or on the command line."""
    for path in paths:
        if not _ANY_LIMIT.search(context.files.glance(path)):
            continue
        source = context.files.read(path)
        found = _LIMIT.search(source.text) if source is not None else None
        if source is None or found is None:
            return Located(None)
        return Located(f"{float(found[2]) * _UNITS[found[1]]:g}", source.span(*found.span()))
    for name, value in context.env.items():
        key = name.lower().replace("_", "")
        if key in ("dotnetshutdowntimeoutseconds", "aspnetcoreshutdowntimeoutseconds"):
            return Located(value)
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name.lstrip("-/").lower() == "shutdowntimeoutseconds":
            return Located(value if equals else next(iter(arguments[index + 1 :]), None))
    return None


# Projects


def project_called(files: Files, folder: str | None, name: str) -> Project | None:
    """The one project below a folder that makes an assembly of this name."""
    if folder is None:
        return None
    found = [project for project in _projects(files, folder) if project.assembly == name]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=32)
def _projects(files: Files, folder: str) -> tuple[Project, ...]:
    """Those below a folder, the nearest first: of a large repository the deep ones are sources."""
    found: list[Project] = []
    waiting = deque([folder])
    count = 0
    while waiting and count < _MOST:
        here = waiting.popleft()
        for name in files.names(here):
            count += 1
            if name.endswith("/") and name not in _SKIPPED:
                waiting.append(posixpath.join(here, name[:-1]))
            elif name.endswith((".csproj", ".fsproj", ".vbproj")):
                project = _project(files, posixpath.join(here, name))
                found += [project] if project is not None else []
    return tuple(found)


@lru_cache(maxsize=512)
def _project(files: Files, path: str) -> Project | None:
    source = files.read(path)
    try:
        return read_project(source) if source is not None else None
    except ParseError:
        return None


def _version(files: Files, project: Project) -> str:
    """The newest .NET that a project is built for, by itself, by what it imports or by what MSBuild takes in for it."""
    properties = dict(project.properties)
    folder = posixpath.dirname(project.source.path)
    nearest = [path for name in _TAKEN_IN if (path := _above(files, folder, name)) is not None]
    waiting = deque([*_imported(files, folder, project.imports), *nearest])
    seen: set[str] = set()
    while waiting and len(seen) < _MOST_IMPORTS:
        path = waiting.popleft()
        source = files.read(path) if path not in seen else None
        seen.add(path)
        try:
            root = read_xml(source) if source is not None else None
        except ParseError:
            continue
        if root is None:
            continue
        for name, value in properties_of(root).items():
            properties.setdefault(name, value)
        waiting += _imported(files, posixpath.dirname(path), imports(root))
    return max(frameworks(properties), key=lambda version: [int(part) for part in version.split(".")], default="")


def _imported(files: Files, folder: str, named: tuple[tuple[str, bool], ...]) -> Iterator[str]:
    for name, is_above in named:
        if is_above:
            found = _above(files, posixpath.dirname(folder), name) if folder else None
        else:
            found = posixpath.normpath(posixpath.join(folder, name))
        if found is not None and not found.startswith(".."):
            yield found


def _above(files: Files, folder: str, name: str) -> str | None:
    """The nearest file of a name in a folder or in one above it."""
    while name not in files.names(folder):
        if not folder:
            return None
        folder = posixpath.dirname(folder)
    return posixpath.join(folder, name)


def sources(files: Files, project: Project) -> tuple[str, ...]:
    """The paths of a project's sources and of those of the projects it refers to."""
    found: list[str] = []
    waiting = [project]
    seen = {project.source.path}
    while waiting and len(found) < _MOST:
        here = waiting.pop()
        found += _below(files, posixpath.dirname(here.source.path))
        for path in here.references:
            other = _project(files, path) if path not in seen and not path.startswith("..") else None
            seen.add(path)
            waiting += [other] if other is not None else []
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=128)
def _below(files: Files, folder: str) -> tuple[str, ...]:
    """The C# sources below a folder, those of other projects left out."""
    found: list[str] = []
    waiting = [folder]
    count = 0
    while waiting and count < _MOST:
        here = waiting.pop()
        names = files.names(here)
        if here != folder and any(name.endswith(".csproj") for name in names):
            continue
        for name in names:
            count += 1
            if name.endswith("/") and name not in _SKIPPED:
                waiting.append(posixpath.join(here, name[:-1]))
            elif name.endswith(".cs"):
                found.append(posixpath.join(here, name))
    return tuple(sorted(found))


def _hop(argv: tuple[Word, ...], context: Context, effect: Effect, why: str) -> Hop:
    words = tuple(word.value for word in argv)
    span = argv[0].span or context.span
    return Hop(words, HopKind.PROGRAM, base_name(words[0]), effect, why, span, context.pid_1, context.signal)


def _unknown(argv: tuple[Word, ...], context: Context, why: str) -> Step:
    return Step(_hop(argv, context, Effect.UNKNOWN, why))
