"""Where the files of an image come from.

A path in an image is followed back through COPY, ADD and simple RUN lines, last one first, to the project's file.
"""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.posix import join, normal
from gracelint.base.record import Record
from gracelint.knowledge import table
from gracelint.launch.images.bases import image_named
from gracelint.launch.images.packages import commands, copy_words
from gracelint.source import Passage, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gracelint.facts.dockerfile import Heredoc, Instruction, Stage
    from gracelint.facts.files import Files
    from gracelint.facts.script import Command, Simple

_MOST_STEPS = 256
"""Stages and paths in them that one file is looked for: files that copy in circles have more."""


def origin(stage: Stage, files: Files, context: str, path: str) -> str | Passage | None:
    """Where an absolute path in a stage's image came from: a path in the project, or a heredoc in the Dockerfile."""
    return _origin(stage, files, context, path, set()) if f"{path}/".startswith(_reached(stage)) else None


@lru_cache(maxsize=64)
def _reached(stage: Stage) -> tuple[str, ...]:
    """What the paths begin with, a slash behind them, that instructions of a stage and of those below it may put."""
    return tuple(put.below for _, puts in _latest_first(stage) for put in puts)


@lru_cache(maxsize=64)
def _latest_first(stage: Stage) -> tuple[tuple[Stage, tuple[Placed, ...]], ...]:
    """A stage and those it is built from, each with what puts files into the image."""
    return tuple((one, tuple(reversed(placed(one)))) for one in stage.lineage())


@lru_cache(maxsize=64)
def filled(stage: Stage, folders: str) -> tuple[str, ...]:
    """Those folders of a PATH that instructions of a stage, or of those below it, may put something into."""
    reached = _reached(stage)
    return tuple(folder for folder in search_path(folders) if _may_reach(reached, f"{normal(folder)}/"))


def _may_reach(reached: tuple[str, ...], below: str) -> bool:
    return not below.startswith("/") or any(below.startswith(put) or put.startswith(below) for put in reached)


def search_path(folders: str) -> tuple[str, ...]:
    """The folders of a PATH that are known."""
    return tuple(folder for folder in folders.split(":") if folder and "$" not in folder)


def _origin(stage: Stage, files: Files, context: str, path: str, seen: set[tuple[int, str]]) -> str | Passage | None:
    if (id(stage), path) in seen or len(seen) > _MOST_STEPS:
        return None
    seen.add((id(stage), path))
    for one, puts in _latest_first(stage):
        context = _context(one, stage, files, context)
        for put in puts:
            if put.target is None:
                moved = _moved(put.item, put.commands, put.working_dir, path)
                if not isinstance(moved, str):
                    return moved
                path = moved
                continue
            if path != put.target and not path.startswith(put.below):
                continue
            found = _copied(one, put, put.target, files, context, path, seen) if put.is_copy else None
            if found is not None:
                return found
    before = _before(stage, path)
    return _origin(stage, files, context, before, seen) if before is not None else None


def _before(stage: Stage, path: str) -> str | None:
    """Where a file lay before a tool of the build copied it."""
    built, pruned_to = _MADE
    overlay = _OVERLAY.fullmatch(path) if built in path else None
    if overlay is not None:
        return f"{overlay[1]}/rel/overlays/{overlay[2]}"
    pruned = _PRUNED.fullmatch(path) if pruned_to in path else None
    if pruned is None or not any("turbo" in text and " prune " in text for text in _runs(stage)):
        return None
    return f"{pruned[1]}/{pruned[2]}"


def _runs(stage: Stage) -> Iterator[str]:
    return (item.argument.text for one in stage.lineage() for item in one.instructions if item.name == "RUN")


_MADE = ("/_build/", "/out/")
"""What is in the path of a file that such a tool copied."""
_OVERLAY = pattern(r"(.*)/_build/[^/]+/rel/[^/]+/(.+)")
"""What Mix puts into a release as it stands below `rel/overlays`."""
_PRUNED = pattern(r"(.*)/out/(?:full|json)/(.+)")
"""What `turbo prune --docker` copies of a workspace."""


def made_in(stage: Stage, path: str) -> Iterator[tuple[Stage, str]]:
    """The stages that may make a file no COPY brings from the project, the first one first, and where it lies there."""
    return _made_in(stage, path, set())


def _made_in(stage: Stage, path: str, seen: set[tuple[int, str]]) -> Iterator[tuple[Stage, str]]:
    if (id(stage), path) in seen or len(seen) > _MOST_STEPS:
        return
    seen.add((id(stage), path))
    for one, puts in _latest_first(stage):
        for put in puts:
            if put.target is None:
                moved = _moved(put.item, put.commands, put.working_dir, path)
                path = _with_arguments(moved, one) if isinstance(moved, str) else path
                continue
            if path != put.target and not path.startswith(put.below):
                continue
            if put.origin is None:
                continue
            for source in put.commands[0][:-1]:
                for candidate in _counterparts(join("/", source), put.target, path):
                    yield from _made_in(put.origin, posixpath.normpath(candidate), seen)
    yield stage, path


def _with_arguments(path: str, stage: Stage) -> str:
    """A path with the build arguments of a stage put in: `target/release/$APP_NAME`."""
    given = stage.arguments or {}
    return _VARIABLE.sub(lambda name: given.get(name[1] or name[2], name[0]), path) if "$" in path else path


_VARIABLE = pattern(r"\$(?:\{(\w+)\}|(\w+))")


def named_in_project(stage: Stage, files: Files, context: str, path: str) -> Iterator[str]:
    """What a stage copies to a path, as it is called in the project: it may only be there once something is built."""
    for one, puts in _latest_first(stage):
        context = _context(one, stage, files, context)
        for put in puts:
            if put.target is None or put.item.flag("from"):
                continue
            for source in put.commands[0][:-1]:
                for candidate in _counterparts(normal(join("/", context, source)), put.target, path):
                    yield candidate.lstrip("/")


def folder_of_files(stage: Stage, files: Files, context: str, folder: str) -> str | None:
    """The project's folder whose files are copied one by one to a folder of the image."""
    for one in stage.lineage():
        context = _context(one, stage, files, context)
        for put in reversed(placed(one)):
            if put.target is None or put.item.flag("from"):
                continue
            tail = posixpath.relpath(put.target, folder)
            for path in (path for source in put.commands[0][:-1] for path in in_project(files, context, source)):
                if tail == ".":
                    return path if files.names(path) else posixpath.dirname(path)
                if f"/{path}".endswith(f"/{tail}"):
                    return path[: -len(tail)].rstrip("/")
    return None


def bound(run: Instruction, working_dir: str, context: str, place: str) -> str | None:
    """The project's folder that the bind mounts of a RUN show at a place, whole or file by file."""
    for word in run.flags:
        options = dict(part.partition("=")[::2] for part in word.value.removeprefix("--mount=").split(","))
        if not word.value.startswith("--mount=") or options.get("type", "bind") != "bind" or "from" in options:
            continue
        target = next((options[name] for name in _MOUNT_TARGETS if name in options), "")
        source = next((options[name] for name in _MOUNT_SOURCES if name in options), ".")
        at = normal(join("/", working_dir, target))
        origin = normal(join("/", context, source.lstrip("/")))[1:]
        if place == at or place.startswith(f"{at.rstrip('/')}/"):
            return join(origin, place[len(at) :].lstrip("/")).rstrip("/")
        tail = posixpath.relpath(at, place)
        if f"/{origin}".endswith(f"/{tail}"):
            return origin[: -len(tail)].rstrip("/")
    return None


_MOUNT_TARGETS = ("target", "dst", "destination")
_MOUNT_SOURCES = ("source", "src")


def named_in_folder(stage: Stage, folder: str) -> tuple[str, ...]:
    """What instructions put into a folder of the image by name, file by file; with a slash where it is a folder."""
    below = folder.rstrip("/") + "/"
    targets = [target for one in stage.lineage() for put in placed(one) for target in _targets(put)]
    names = (target[len(below) :].partition("/") for target in targets if target.startswith(below))
    return tuple(dict.fromkeys(name + slash for name, slash, _ in names))


def _targets(put: Placed) -> Iterator[str]:
    """The files and folders that an instruction makes, by absolute path."""
    if put.target is not None:
        yield put.target
        return
    folder = put.working_dir
    for command in put.commands:
        if command[0] == "cd" and len(command) > 1:
            folder = normal(join(folder, command[1]))
        elif ">" in command[:-1]:
            yield normal(join(folder, command[command.index(">") + 1]))
        elif command[0] in ("ln", "mv", "cp") and len(command) > 2:
            yield normal(join(folder, command[-1]))


@lru_cache(maxsize=64)
def names_in(stage: Stage, files: Files, context: str, folder: str) -> frozenset[str] | None:
    """The names of all files that `origin` finds in a folder of the image; None where each has to be asked for."""
    names: set[str] = set()
    below = folder.rstrip("/") + "/"
    if any(mark in below for mark in _MADE):
        return None
    for one in stage.lineage():
        context = _context(one, stage, files, context)
        for put in placed(one):
            if put.target is None or put.origin is not None or put.item.heredocs:
                return None
            if not put.is_copy:
                continue
            if posixpath.dirname(put.target) == folder:
                names.add(posixpath.basename(put.target))
            for source in put.commands[0][:-1] if below.startswith(put.below) else ():
                for path in in_project(files, context, source):
                    if _is_pattern(path):
                        return None
                    names.add(posixpath.basename(path))
                    names.update(files.names(normal(join(path, folder[len(put.below) :]))))
    return frozenset(names - {""})


class Placed(Record, identity=True):
    """An instruction that puts files into the image."""

    item: Instruction
    working_dir: str
    commands: list[list[str]]
    """The words of a RUN's commands, or those of a COPY or ADD: its sources and, last, its destination."""
    target: str | None = None
    """Where a COPY or ADD puts files; None for a RUN."""
    below: str = ""
    """What the paths of all files in the target begin with; nothing for a RUN, which may put any."""
    is_copy: bool = False
    """Whether it brings files of the project or of an earlier stage; others come from images."""
    origin: Stage | None = None
    """The earlier stage that it copies from."""
    into_folder: bool = False
    """Whether its target is a folder, however little it copies."""


@lru_cache(maxsize=64)
def placed(stage: Stage) -> list[Placed]:
    """The instructions of a stage that put files into the image, in order."""
    found: list[Placed] = []
    working_dir = first_working_dir(stage)
    for item in stage.instructions:
        if item.name == "WORKDIR":
            working_dir = normal(join(working_dir, item.value))
        elif item.name in ("COPY", "ADD"):
            found.append(_put_by(item, stage, working_dir))
        elif item.name == "RUN" and _moves(item.whole):
            found.append(Placed(item, working_dir, list(commands(item))))
    return found


def copied_from(stage: Stage) -> list[Stage]:
    """The stages that a stage copies from, and those that they copy from."""
    found = [stage]
    for here in found:
        origins = (put.origin for one in here.lineage() for put in placed(one))
        found += [other for other in dict.fromkeys(origins) if other is not None and other not in found]
    return found[1:]


def _put_by(copy: Instruction, stage: Stage, working_dir: str) -> Placed:
    """What a COPY or ADD of a stage does."""
    words = copy_words(copy)
    destination = words[-1] if words else ""
    target = normal(join(working_dir, destination))
    from_ = copy.flag("from")
    other = stage.siblings.get(from_.lower()) if from_ and stage.siblings else None
    origin = other if other is not None and other.index < stage.index else None
    into_folder = len(words) > 2 or destination.endswith(("/", ".")) or target == working_dir
    is_copy = len(words) > 1 and (not from_ or origin is not None)
    return Placed(copy, working_dir, [words], target, target.rstrip("/") + "/", is_copy, origin, into_folder)


def _moves(text: str) -> bool:
    return any(mark in text for mark in ("ln ", "mv ", "cp ", ">", "prune ", "deploy "))


def first_working_dir(stage: Stage) -> str:
    """Where a stage starts: in its parents' last WORKDIR, or in the base image's."""
    stages = [*stage.lineage()]
    working_dir = image_named(stages[-1].base.value).working_dir
    for one in reversed(stages[1:]):
        for item in one.instructions:
            if item.name == "WORKDIR":
                working_dir = normal(join(working_dir, item.value))
    return working_dir


def _moved(run: Instruction, its_commands: list[list[str]], working_dir: str, path: str) -> str | Passage | None:
    """Where a path was before a RUN moved, copied or linked it there, or the text that a RUN wrote there.

    None where the RUN wrote something that cannot be read.
    """
    folder = working_dir
    before = path
    for command in its_commands:
        if command[0] == "cd" and len(command) > 1:
            folder = normal(join(folder, command[1]))
        if ">" in command[:-1] and join(folder, command[command.index(">") + 1]) == path:
            return (
                _written(run, command) if command[0] == "cat" else _printed(run, posixpath.relpath(path, folder), path)
            )
        operands = [word for word in command[1:] if not word.startswith("-")]
        if "turbo" in command and "prune" in command:
            # what a package needs, as it lies in the repository
            for pruned in ("out/full/", "out/json/"):
                start = join(folder, pruned)
                before = join(folder, before[len(start) :]) if before.startswith(start) else before
        if command[0] not in ("ln", "mv", "cp") or len(operands) != 2:
            continue
        source, destination = operands
        target = normal(join(folder, destination))
        if path in (target, join(target, posixpath.basename(source))):
            start = posixpath.dirname(target) if command[0] == "ln" else folder
            before = normal(join(start, source))
    return before


def _written(run: Instruction, command: list[str]) -> Passage | None:
    """The text of `cat <<EOF > file`."""
    heredoc = run.heredocs[0] if len(run.heredocs) == 1 else None
    if heredoc is None or not (heredoc.quoted or _HEREDOC_MARKS.isdisjoint(heredoc.body.text.replace("\\$", ""))):
        return None
    return _heredoc_text(heredoc, {})


def _printed(run: Instruction, *names: str) -> Passage | None:
    """The text that `echo` and `printf` put into a file of one of these names."""
    from gracelint.parse.expansion import OTHER_VARIABLES, Scope, expand
    from gracelint.parse.shell import read_script

    scope = Scope({OTHER_VARIABLES: None})
    text: str | None = None
    for command in _simple_commands(read_script(run.argument).body):
        redirect = command.redirects[-1] if command.redirects else None
        target = expand(redirect.target.text, scope) if redirect is not None and redirect.target is not None else None
        if redirect is None or target is None or target[0].removeprefix("./") not in names:
            continue
        words = [expand(word.text, scope) for word in command.words]
        more = _output([" ".join(word) for word in words if word is not None]) if None not in words else None
        if more is None:
            return None
        text = more if redirect.operator == ">" or text is None else text + more
    where = run.argument.span(0, len(run.argument.text))
    return (
        None
        if text is None
        else Passage(run.span.source, text, (Segment(0, where.start, len(text), where.end - where.start),))
    )


def _simple_commands(commands: Sequence[Command]) -> Iterator[Simple]:
    from gracelint.facts.script import AndOr, Simple

    waiting = list(reversed(commands))
    while waiting:
        command = waiting.pop()
        if isinstance(command, AndOr):
            waiting += (command.right, command.left)
        elif isinstance(command, Simple):
            yield command


def _output(words: list[str]) -> str | None:
    """What `echo` or `printf` prints. A script that the image can run has its `\\n` read as line ends by either."""
    name, *rest = words or [""]
    while name == "echo" and rest and rest[0] in ("-e", "-n", "-en", "-ne"):
        rest = rest[1:]
    if name == "printf" and rest and "%" in rest[0]:
        if rest[0] not in ("%s\\n", "%s", "%b\\n", "%b"):
            return None
        return "".join(f"{word}\n" for word in rest[1:])
    if name not in ("echo", "printf"):
        return None
    text = " ".join(rest).replace("\\n", "\n").replace("\\t", "\t")
    return text if name == "printf" else f"{text}\n"


def _heredoc_text(heredoc: Heredoc, variables: Mapping[str, str]) -> Passage | None:
    """A heredoc's text with variables put in; None where one has no known value."""
    body = heredoc.body
    if heredoc.quoted or "$" not in body.text:
        return body
    segments: list[Segment] = []
    parts: list[str] = []
    length = 0
    for match in _HEREDOC_PARTS.finditer(body.text):
        text: str | None = match[0]
        if match[0].startswith("$"):
            text = variables.get(match["name"] or match["braced"] or "")
        elif match[0] == "\\$":
            text = "$"
        if text is None:
            return None
        place = body.span(*match.span())
        segments.append(Segment(length, place.start, len(text), place.end - place.start))
        parts.append(text)
        length += len(text)
    return Passage(body.source, "".join(parts), tuple(segments))


_HEREDOC_MARKS = frozenset("$`\\")
"""What the shell takes for its own in a heredoc."""
_HEREDOC_PARTS = pattern(r"(?s)\\\$|\$(?P<name>\w+)|\$\{(?P<braced>\w+)\}|[^$\\\n]+\n?|.")


def _copied(
    stage: Stage, put: Placed, target: str, files: Files, context: str, path: str, seen: set[tuple[int, str]]
) -> str | Passage | None:
    """What a COPY or ADD put at a path that is its target, or below."""
    for heredoc in put.item.heredocs:
        if path in (target, join(target, heredoc.delimiter)):
            return _heredoc_text(heredoc, stage.arguments or {})
    only_folders = path == target and put.into_folder
    for source in reversed(put.commands[0][:-1]):
        if put.origin is not None:
            for candidate in _counterparts(join("/", source), target, path):
                found = _origin(put.origin, files, context, candidate, seen)
                if found is not None:
                    return found
            continue
        for candidate in in_project(files, context, source):
            for counterpart in _counterparts(candidate, target, path):
                if files.exists(counterpart) and not (only_folders and not files.names(counterpart)):
                    return counterpart
    return None


def _counterparts(source: str, target: str, path: str) -> list[str]:
    """What a path below a copy's target can be at its source, which may be a file or a folder."""
    source = source.rstrip("/") if len(source) > 1 else source
    below = target.rstrip("/") + "/"
    if path == target:
        return [source]
    if not path.startswith(below):
        return []
    tail, name = path[len(below) :], source[source.rfind("/") + 1 :]
    found = [normal(join(source, tail))]
    if _is_pattern(name) and _matches(tail, name):
        found.append(join(posixpath.dirname(source), tail))
    if tail == name:
        found.append(source)
    return found


@lru_cache(maxsize=1024)
def in_project(files: Files, context: str, source: str) -> tuple[str, ...]:
    """The paths in the project that a source of a COPY names."""
    if "://" in source or source.startswith("<<"):
        return ()
    path = normal(join("/", context, source.lstrip("/")))[1:]
    if not _is_pattern(source):
        return (path,)
    folders = [""]
    for part in path.split("/"):
        folders = [
            join(folder, name)
            for folder in folders
            for name in (_matching(files, folder, part) if _is_pattern(part) else (part,))
        ]
    return tuple(folders)


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name or "[" in name


def _matches(name: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return "/" not in name and fnmatchcase(name, pattern)


def _matching(files: Files, folder: str, pattern: str) -> list[str]:
    from fnmatch import fnmatchcase

    return [name.rstrip("/") for name in files.names(folder) if fnmatchcase(name.rstrip("/"), pattern)]


def _context(one: Stage, stage: Stage, files: Files, context: str) -> str:
    """What an ancestor of a stage is built from: another Dockerfile has a context of its own."""
    if one.source is stage.source:
        return context
    return context_of(one, files) if one.context is None else one.context


@lru_cache(maxsize=64)
def context_of(stage: Stage, files: Files) -> str:
    """The folder a Dockerfile is most likely built from: its own or one above, by which the sources of its COPY exist.

    Sources that are made before the build exist nowhere, so the folder that has most of them wins, the nearest first.
    Where the whole context is copied, what the build's tools read has to be in it.
    """
    return context_with(sources_of(stage), posixpath.dirname(stage.source.path), files)


def sources_of(stage: Stage) -> set[str]:
    """What a Dockerfile is built from has to have in it."""
    items = [item for other in (stage.siblings or {}).values() for item in other.instructions]
    sources = {
        source
        for item in items
        if item.name in ("COPY", "ADD") and not item.flag("from")
        for source in copy_words(item)[:-1]
    }
    if not sources.isdisjoint((".", "./")):
        runs = (words for item in items if item.name == "RUN" for words in commands(item))
        reads = table("builds")["reads"]
        sources |= {reads[words[0]] for words in runs if words and words[0] in reads}
    return sources - {".", "./"}


def context_with(sources: Collection[str], folder: str, files: Files) -> str:
    """The folder, or the one above it, that has most of some sources."""
    best, most = folder, -1
    while True:
        present = sum(_is_there(files, folder, source) for source in sources)
        if present > most:
            best, most = folder, present
        if not folder:
            return best
        folder = posixpath.dirname(folder)


def _is_there(files: Files, folder: str, source: str) -> bool:
    """Whether a folder has a source, or a project that builds it there."""
    if any(files.exists(path) for path in in_project(files, folder, source)):
        return True
    if "dist/" not in source:
        return False
    from gracelint.launch.runtimes.nx import is_built_to

    return is_built_to(normal(source).removeprefix("/"), lambda path: files.exists(join(folder, path)))
