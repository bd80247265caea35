"""What RUN, COPY and ADD install in an image: packages and single programs."""

from __future__ import annotations

import posixpath
from itertools import pairwise

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.posix import normal
from gracelint.base.record import Record
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image

_MARKS = ("'", '"', "\\", "<", ">", "#")
_SEPARATORS = str.maketrans(dict.fromkeys(";&|()", "\n"))
_SHELL_TOKEN = pattern(
    r"""(?s)(?P<end>[;&|()\n]+)|(?P<redirect>[0-9]*>>?&?)|(?P<comment>(?<!\S)\#[^\n]*)"""
    r"""|(?P<word>(?:[^\s;&|()<>"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)|.""",
)
_VERSION = pattern(r"v?([0-9][\w.]*)")
_ESCAPED = pattern(r"\\(.)")
_REQUIREMENT = pattern(r"(@?[^\[\]@=<>~!:; ]+)(?:\[[^\]]*\])?\s*@?([^;]*)")
_SHELL_HEREDOC = pattern(r"\s*(?:(?:/bin/|/usr/bin/env )?(?:ba|da|a|z)?sh\b[^|;&]*)?<<")
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
            for command in _with_arguments(commands(item), stage):
                for name, version in _packages(command):
                    packages.add(name)
                    if version:
                        versions[name] = version
                sh = _linked_shell(command) or sh
        elif item.name == "ADD" or (item.name == "COPY" and item.flag("from")):
            words = copy_words(item)
            for name, version in _downloaded(words):
                packages.add(name)
                if version:
                    versions[name] = version
            versions.update(_copied_versions(item, words, stage))
            file_system = file_system or _brings_programs(words)
    return Installed(frozenset(packages), versions, sh, file_system)


def _with_arguments(found: Iterator[list[str]], stage: Stage) -> Iterator[list[str]]:
    """Commands with the values of ARG and ENV in their words, where those are known."""
    values = stage.arguments or {}
    for command in found:
        yield [_with_values(word, values) if "$" in word else word for word in command]


def _with_values(word: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda name: values.get(name[1] or name[2], name[0]), word)


_VARIABLE = pattern(r"\$(?:\{(\w+)\}|(\w+))")


def _copied_versions(copy: Instruction, words: list[str], stage: Stage) -> dict[str, str]:
    """The versions of programs that are copied from an image of their own: `COPY --from=ghcr.io/astral-sh/uv:0.5`."""
    source = copy.flag("from") or ""
    sibling = (stage.siblings or {}).get(source.lower())
    reference = (sibling.base.value if sibling is not None else source).partition("@")[0]
    name, _, tag = posixpath.basename(reference).partition(":")
    version = _VERSION.match(tag)
    if version is None or not any(posixpath.basename(word) == name for word in words):
        return {}
    return {name: version[1]}


def _brings_programs(words: list[str]) -> bool:
    """Whether a COPY from elsewhere, or an archive, fills a folder of programs or brings a shell."""
    *sources, destination = words or [""]
    target = normal(destination)
    if target in _PROGRAMS and any(source.endswith(_WHOLE) for source in sources):
        return True
    return not _SHELLS.isdisjoint(posixpath.basename(path) for path in (*sources, target))


def commands(run: Instruction) -> Iterator[list[str]]:
    """The simple commands of a RUN as words without quotes; a redirection is a word `>` before its target."""
    text = run.argument.text
    if run.argv is not None:
        words = [word.value for word in run.argv]
        if "-c" not in words[1:-1]:
            yield from [words] if words else []
            return
        text = words[-1]
    bodies = [heredoc.body.text for heredoc in run.heredocs] if run.heredocs and _SHELL_HEREDOC.match(text) else []
    for part in (text, *bodies):
        yield from words_of(part)


@lru_cache(maxsize=64)
def words_of(text: str) -> list[list[str]]:
    """The simple commands of a shell's text, as `commands` has them."""
    return list(_words_of(text))


def _words_of(text: str) -> Iterator[list[str]]:
    if not any(mark in text for mark in _MARKS):
        for part in text.translate(_SEPARATORS).split("\n"):
            yield from [words] if (words := _command(part.split())) else []
        return
    command: list[str] = []
    for token in _SHELL_TOKEN.finditer(text):
        if token.lastgroup == "end":
            if command:
                yield command
            command = []
        elif token.lastgroup == "redirect":
            command.append(">")
        elif token.lastgroup == "word":
            word = _unquoted(token[0])
            if command or not _is_preparation(word):
                command.append(word)
    if command:
        yield command


def _command(words: list[str]) -> list[str]:
    """The words from the one that names the command on."""
    at = next((index for index, word in enumerate(words) if not _is_preparation(word)), len(words))
    return words[at:]


def _is_preparation(word: str) -> bool:
    return word in _PREPARATION or _is_assignment(word)


def _unquoted(word: str) -> str:
    if "\\" in word:
        word = _ESCAPED.sub(r"\1", word)
    return word.replace('"', "").replace("'", "")


def _is_assignment(word: str) -> bool:
    return word.partition("=")[0].isidentifier() and "=" in word


def copy_words(copy: Instruction) -> list[str]:
    """The sources of a COPY or ADD and, last, the destination."""
    return [word.value for word in copy.argv] if copy.argv is not None else copy.value.split()


def _packages(command: list[str]) -> Iterator[tuple[str, str]]:
    """Name and version ("" where none is named) of each package that a command installs."""
    words = _of_installer(command)
    if words[0] in ("curl", "wget", "install", "mv", "cp"):
        yield from _downloaded(words[1:])
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
        yield _package("npm@latest" if word == manager == "npm" else word)


def _of_installer(command: list[str]) -> list[str]:
    """`pip install …` for `python -m pip install …`, `uv pip install …` and `uv tool install …`."""
    words = command[2:] if len(command) > 2 and command[1] == "-m" else command
    if words[0] == "uv" and len(words) > 1:
        return ["pip", *words[2:]] if words[1] in ("pip", "tool") else words[1:]
    return words


def _package(word: str) -> tuple[str, str]:
    """`tini=0.19.0-r0`, `gunicorn[gevent]>=20`, `npm@10.2.4`, `@scope/tool@1` …"""
    if word.isalnum():
        return word, ""
    from gracelint.launch.versions import newest

    match = _REQUIREMENT.match(word)
    return (match[1], newest(match[2])) if match else (word, "")


def _downloaded(words: list[str]) -> Iterator[tuple[str, str]]:
    """Programs that an address names, with the version behind the name where one is, as in `astral.sh/uv/0.5.1/`."""
    for word in words:
        parts = word.split("/")
        for part, following in zip(parts, [*parts[1:], ""], strict=True):
            for name in table("images")["downloads"]["names"]:
                if part == name or (part.startswith(name) and part[len(name)] in "-_."):
                    version = _VERSION.fullmatch(following)
                    yield name, version[1] if version is not None and part == name else ""


def _linked_shell(command: list[str]) -> str | None:
    words = [word for word in command[1:] if not word.startswith("-")]
    if command[0] in ("ln", "mv", "cp") and len(words) == 2 and words[1] in ("/bin/sh", "/usr/bin/sh"):
        return posixpath.basename(words[0])
    if "dash" in words and "dash/sh" in words and "false" in words:
        return "bash"
    if command[0] == "update-alternatives" and "/bin/sh" in words:
        return posixpath.basename(words[2]) if len(words) > 2 else None
    return None


@lru_cache(maxsize=64)
def listed_version(name: str, image: Image, files: Files) -> str:
    """The version of a package in the files that `pip install -r FILE` reads; "" where none names it."""
    from gracelint.launch.images.image import find_file

    for path in (path for stage in (image.stage.lineage() if image.stage else ()) for path in _lists(stage)):
        text = find_file(image, files, path, image.working_dir)
        for line in text.text.splitlines() if text is not None else ():
            if line.startswith(name) and _package(line)[0] == name:
                return _package(line.partition(" #")[0].partition(" --")[0])[1]
    return ""


@lru_cache(maxsize=256)
def _lists(stage: Stage) -> tuple[str, ...]:
    """The files with packages that a stage's own commands are given."""
    installers = table("images")["installers"]
    found: list[str] = []
    for run in (item for item in stage.instructions if item.name == "RUN" and "-r" in item.argument.text):
        for words in map(_of_installer, commands(run)):
            options = installers.get(posixpath.basename(words[0]), {}).get("lists", ())
            found += [path for option, path in pairwise(words) if option in options]
    return tuple(found)


@lru_cache(maxsize=256)
def installed_projects(stage: Stage) -> tuple[str, ...]:
    """The folders, in the image, of Python projects that are installed from where they lie: `pip install ./backend`."""
    from gracelint.launch.images.layers import first_working_dir

    found: list[str] = []
    for one in stage.lineage():
        working_dir = first_working_dir(one)
        for item in one.instructions:
            if item.name == "WORKDIR":
                working_dir = posixpath.join(working_dir, item.value)
            elif item.name == "RUN" and any(word in item.argument.text for word in _INSTALLING):
                found += _projects(list(_with_arguments(commands(item), one)), working_dir)
    return tuple(dict.fromkeys(found))


def _projects(its_commands: list[list[str]], folder: str) -> Iterator[str]:
    """Those of one RUN, which may go to another folder first."""
    for words in map(_of_installer, its_commands):
        name = posixpath.basename(words[0])
        if name == "cd" and len(words) == 2:
            folder = posixpath.join(folder, words[1])
        elif name in ("pip", "pip3") and words[1:2] in (["install"], ["wheel"]):
            paths = [word.partition("[")[0].removeprefix("file://") for word in words[2:] if not word.startswith("-")]
            paths = [path for path in paths if "://" not in path and ("/" in path or path.startswith("."))]
            yield from (normal(posixpath.join(folder, path)) for path in paths)
        elif (tuple(words[:1]) in _OF_THE_FOLDER or tuple(words[:2]) in _OF_THE_FOLDER) and _APART.isdisjoint(words):
            yield normal(folder)


_INSTALLING = ("install", "sync", "wheel", "build")
_OF_THE_FOLDER = frozenset(
    (("sync",), ("build",), ("poetry", "install"), ("poetry", "build"), ("pdm", "install"), ("pdm", "sync"))
)
"""What installs the project of the folder it runs in, or builds it for that; `sync` and `build` are uv's."""
_APART = frozenset(("--no-root", "--no-self", "--no-install-project", "--only-deps"))
"""Options with which only what the project depends on is installed."""


def pnpm_workspaces(image: Image, files: Files, folder: str) -> list[str]:
    """The list in pnpm-workspace.yaml, which is one of plain strings."""
    from gracelint.launch.images.image import find_file

    text = find_file(image, files, "pnpm-workspace.yaml", folder)
    lines = text.text.splitlines() if text else []
    return [line.strip()[1:].strip().strip("\"'") for line in lines if line.strip().startswith("- ")]
