"""What the instructions of a stage put into its image: packages, and the project's files.

A path in an image is followed back through COPY, ADD and simple RUN lines, last one first, to the file it came from.
"""

from __future__ import annotations

import posixpath
import re

from gracelint.knowledge import table
from gracelint.launch.bases import image_named
from gracelint.record import Record
from gracelint.source import Passage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.files import Files

_DEEPEST = 16
"""Stages and links that are followed from one file to the next."""
_SHELL_TOKEN = re.compile(
    r"""(?P<end>[;&|()\n]+)|(?P<redirect>\d*>>?&?)|(?P<comment>(?<!\S)\#[^\n]*)"""
    r"""|(?P<word>(?:[^\s;&|()<>"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)|.""",
    re.S,
)
_SHELL_HEREDOC = re.compile(r"\s*(?:(?:/bin/|/usr/bin/env )?(?:ba|da|a|z)?sh\b[^|;&]*)?<<")
_PROGRAMS = ("/", "/bin", "/usr", "/usr/bin")
_WHOLE = ("/", "rootfs", "/bin", "/usr", ".tar", ".tgz", ".tar.gz", ".tar.xz")
_SHELLS = frozenset(("ash", "bash", "busybox", "dash", "sh"))
_PREPARATION = frozenset(("sudo", "exec", "if", "then", "else", "do", "!", "{", "time", "command"))


class Installed(Record):
    packages: frozenset[str]
    versions: dict[str, str]
    """Of those whose version is named."""
    sh: str | None
    """What /bin/sh is linked to anew: bash, dash, busybox …"""
    file_system: bool
    """Whole folders of programs come from elsewhere: nobody can tell which."""


def installed(stage: Stage) -> Installed:
    """What a stage's own instructions install."""
    packages: set[str] = set()
    versions: dict[str, str] = {}
    sh, file_system = None, False
    for item in stage.instructions:
        if item.name == "RUN":
            for command in commands(item):
                for name, version in _packages(command):
                    packages.add(name)
                    if version:
                        versions[name] = version
                sh = _linked_shell(command) or sh
        elif item.name == "ADD" or (item.name == "COPY" and item.flag("from")):
            words = copy_words(item)
            packages.update(_downloaded(words))
            file_system = file_system or _brings_programs(words)
    return Installed(frozenset(packages), versions, sh, file_system)


def _brings_programs(words: list[str]) -> bool:
    """Whether a COPY from elsewhere, or an archive, fills a folder of programs or brings a shell."""
    *sources, destination = words or [""]
    target = posixpath.normpath(destination)
    if target in _PROGRAMS and any(source.endswith(_WHOLE) for source in sources):
        return True
    return not _SHELLS.isdisjoint(posixpath.basename(path) for path in (*sources, target))


def commands(run: Instruction) -> Iterator[list[str]]:
    """The simple commands of a RUN as words without quotes; a redirection is a word `>` before its target."""
    text = run.argument.text
    if run.argv is not None:
        words = [word.value for word in run.argv]
        if "-c" not in words[1:-1]:
            yield words
            return
        text = words[-1]
    bodies = [heredoc.body.text for heredoc in run.heredocs] if _SHELL_HEREDOC.match(text) else []
    for part in (text, *bodies):
        command: list[str] = []
        for token in _SHELL_TOKEN.finditer(part):
            if token.lastgroup == "end":
                if command:
                    yield command
                command = []
            elif token.lastgroup == "redirect":
                command.append(">")
            elif token.lastgroup == "word":
                word = _unquoted(token[0])
                if command or (word not in _PREPARATION and not _is_assignment(word)):
                    command.append(word)
        if command:
            yield command


def _unquoted(word: str) -> str:
    if "\\" in word:
        word = re.sub(r"\\(.)", r"\1", word)
    return word.replace('"', "").replace("'", "")


def _is_assignment(word: str) -> bool:
    return word.partition("=")[0].isidentifier() and "=" in word


def copy_words(copy: Instruction) -> list[str]:
    """The sources of a COPY or ADD and, last, the destination."""
    return [word.value for word in copy.argv] if copy.argv is not None else copy.value.split()


def _packages(command: list[str]) -> Iterator[tuple[str, str]]:
    """Name and version ("" where none is named) of each package that a command installs."""
    words = command
    if len(words) > 2 and words[1] == "-m":
        words = words[2:]
    if words[0] == "uv" and len(words) > 1:
        words = ["pip", *words[2:]] if words[1] in ("pip", "tool") else words[1:]
    if words[0] in ("curl", "wget", "install", "mv", "cp"):
        yield from ((name, "") for name in _downloaded(words[1:]))
        return
    manager = posixpath.basename(words[0])
    installer = table("images")["installers"].get(manager)
    if installer is None:
        return
    verb = next((index for index, word in enumerate(words) if index and word in installer["verbs"]), None)
    if verb is None or (installer.get("flag") and not any(word in installer["flag"] for word in words)):
        return
    skip = False
    for word in words[verb + 1 :]:
        if skip or word.startswith("-") or word == ">":
            skip = not skip and (word in installer["values"] or word == ">")
            continue
        yield _package(word)


def _package(word: str) -> tuple[str, str]:
    """`tini=0.19.0-r0`, `gunicorn[gevent]>=20`, `npm@10.2.4`, `@scope/tool@1` …"""
    match = re.match(r"(@?[^\[\]@=<>~!:;]+)(?:\[[^\]]*\])?(?:[=@~<>!]+v?(\d[^,;]*))?", word)
    return (match[1], match[2] or "") if match else (word, "")


def _downloaded(words: list[str]) -> Iterator[str]:
    for word in words:
        for part in word.split("/"):
            for name in table("images")["downloads"]["names"]:
                if part == name or (part.startswith(name) and part[len(name)] in "-_."):
                    yield name


def _linked_shell(command: list[str]) -> str | None:
    words = [word for word in command[1:] if not word.startswith("-")]
    if command[0] in ("ln", "mv", "cp") and len(words) == 2 and words[1] in ("/bin/sh", "/usr/bin/sh"):
        return posixpath.basename(words[0])
    if "dash" in words and "dash/sh" in words and "false" in words:
        return "bash"
    if command[0] == "update-alternatives" and "/bin/sh" in words:
        return posixpath.basename(words[2]) if len(words) > 2 else None
    return None


def origin(stage: Stage, files: Files, context: str, path: str, depth: int = 0) -> str | Passage | None:
    """Where an absolute path in a stage's image came from: a path in the project, or a heredoc in the Dockerfile."""
    if depth > _DEEPEST:
        return None
    for one in stage.lineage():
        for item, working_dir in reversed(_placed(one)):
            if item.name == "RUN":
                moved = _moved(item, working_dir, path)
                if not isinstance(moved, str):
                    return moved
                path = moved
                continue
            found = _copied(one, item, working_dir, files, context, path, depth)
            if found is not None:
                return found
    return None


def folder_of_files(stage: Stage, files: Files, context: str, folder: str) -> str | None:
    """The project's folder whose files are copied one by one to a folder of the image."""
    for one in stage.lineage():
        for item, working_dir in reversed(_placed(one)):
            if item.name == "RUN" or item.flag("from"):
                continue
            *sources, destination = copy_words(item) or [""]
            tail = posixpath.relpath(posixpath.join(working_dir, destination), folder)
            for path in (path for source in sources for path in _in_project(files, context, source)):
                if tail == ".":
                    return path if files.names(path) else posixpath.dirname(path)
                if f"/{path}".endswith(f"/{tail}"):
                    return path[: -len(tail)].rstrip("/")
    return None


def _placed(stage: Stage) -> list[tuple[Instruction, str]]:
    """The instructions that put files into the image, each with the working directory it runs in."""
    found = []
    working_dir = _first_working_dir(stage)
    for item in stage.instructions:
        if item.name == "WORKDIR":
            working_dir = posixpath.normpath(posixpath.join(working_dir, item.value))
        elif item.name in ("COPY", "ADD") or (item.name == "RUN" and _moves(item.argument.text)):
            found.append((item, working_dir))
    return found


def _moves(text: str) -> bool:
    return any(mark in text for mark in ("ln ", "mv ", "cp ", ">"))


def _first_working_dir(stage: Stage) -> str:
    """Where a stage starts: in its parents' last WORKDIR, or in the base image's."""
    stages = [*stage.lineage()]
    working_dir = image_named(stages[-1].base.value).working_dir
    for one in reversed(stages[1:]):
        for item in one.instructions:
            if item.name == "WORKDIR":
                working_dir = posixpath.normpath(posixpath.join(working_dir, item.value))
    return working_dir


def _moved(run: Instruction, working_dir: str, path: str) -> str | Passage | None:
    """Where a path was before a RUN moved, copied or linked it there, or the text that a RUN wrote there.

    None where the RUN wrote something that cannot be read.
    """
    folder = working_dir
    before = path
    for command in commands(run):
        if command[0] == "cd" and len(command) > 1:
            folder = posixpath.normpath(posixpath.join(folder, command[1]))
        if ">" in command[:-1] and posixpath.join(folder, command[command.index(">") + 1]) == path:
            return _written(run, command)
        operands = [word for word in command[1:] if not word.startswith("-")]
        if command[0] not in ("ln", "mv", "cp") or len(operands) != 2:
            continue
        source, destination = operands
        target = posixpath.normpath(posixpath.join(folder, destination))
        if path in (target, posixpath.join(target, posixpath.basename(source))):
            start = posixpath.dirname(target) if command[0] == "ln" else folder
            before = posixpath.normpath(posixpath.join(start, source))
    return before


def _written(run: Instruction, command: list[str]) -> Passage | None:
    """The text of `cat <<EOF > file`, where the shell leaves it as it is."""
    if command[0] != "cat" or len(run.heredocs) != 1:
        return None
    heredoc = run.heredocs[0]
    return heredoc.body if heredoc.quoted or not any(mark in heredoc.body.text for mark in "$`\\") else None


def _copied(
    stage: Stage, copy: Instruction, working_dir: str, files: Files, context: str, path: str, depth: int
) -> str | Passage | None:
    """What a COPY or ADD put at a path."""
    words = copy_words(copy)
    if len(words) < 2:
        return None
    *sources, destination = words
    target = posixpath.normpath(posixpath.join(working_dir, destination))
    from_ = copy.flag("from")
    other = stage.siblings.get(from_.lower()) if from_ and stage.siblings else None
    if from_ and (other is None or other.index >= stage.index):
        return None
    for heredoc in copy.heredocs:
        if path in (target, posixpath.join(target, heredoc.delimiter)):
            return heredoc.body if heredoc.quoted or "$" not in heredoc.body.text else None
    into_folder = len(sources) > 1 or destination.endswith(("/", ".")) or target == working_dir
    for source in reversed(sources):
        if other is not None:
            for candidate in _counterparts(posixpath.join("/", source), target, path):
                found = origin(other, files, context, candidate, depth + 1)
                if found is not None:
                    return found
            continue
        for candidate in _in_project(files, context, source):
            for counterpart in _counterparts(candidate, target, path):
                if files.exists(counterpart) and not (path == target and into_folder and not files.names(counterpart)):
                    return counterpart
    return None


def _counterparts(source: str, target: str, path: str) -> Iterator[str]:
    """What a path below a copy's target can be at its source, which may be a file or a folder."""
    if path == target:
        yield source
    elif path.startswith(target.rstrip("/") + "/"):
        tail = path[len(target.rstrip("/")) + 1 :]
        yield posixpath.normpath(posixpath.join(source, tail))
        if tail == posixpath.basename(source):
            yield source


def _in_project(files: Files, context: str, source: str) -> Iterator[str]:
    """The paths in the project that a source of a COPY names."""
    if "://" in source or source.startswith("<<"):
        return
    path = posixpath.normpath(posixpath.join("/", context, source.lstrip("/")))[1:]
    if not any(character in source for character in "*?["):
        yield path
        return
    folders = [""]
    for part in path.split("/"):
        folders = [
            posixpath.join(folder, name)
            for folder in folders
            for name in (_matching(files, folder, part) if any(c in part for c in "*?[") else (part,))
        ]
    yield from folders


def _matching(files: Files, folder: str, pattern: str) -> list[str]:
    from fnmatch import fnmatchcase

    return [name.rstrip("/") for name in files.names(folder) if fnmatchcase(name.rstrip("/"), pattern)]


def context_of(stage: Stage, files: Files) -> str:
    """The folder a Dockerfile is most likely built from: its own or one above, by which the sources of its COPY exist.

    Sources that are made before the build exist nowhere, so the folder that has most of them wins, the nearest first.
    """
    sources = {
        source
        for other in (stage.siblings or {}).values()
        for item in other.instructions
        if item.name in ("COPY", "ADD") and not item.flag("from")
        for source in copy_words(item)[:-1]
    }
    folder = posixpath.dirname(stage.source.path)
    best, most = folder, -1
    while True:
        present = sum(any(files.exists(path) for path in _in_project(files, folder, source)) for source in sources)
        if present > most:
            best, most = folder, present
        if not folder:
            return best
        folder = posixpath.dirname(folder)
