"""Build commands in Makefiles, scripts and pipelines: `docker build -t IMAGE -f DOCKERFILE CONTEXT` and its kin."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.patterns import pattern
from gracelint.knowledge import table
from gracelint.launch.builds.declared import UNKNOWN, Build, link_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BUILD = pattern(
    r"(?:\b(?:docker(?:[ \t]+(?:buildx|image))?|podman|nerdctl|buildah)[ \t]+(?:build|bud)|kaniko/executor)[ \t]"
    r"([^\n;&|]*)"
)
_CD = pattern(r"\bcd[ \t]+([\w./-]+)[ \t]*(?:&&|;)")
_COMPOSE = pattern(r"\bdocker(?:-|[ \t]+)compose[ \t]([^\n;&|]*)")
_WORD = pattern(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""")
_SET = pattern(
    r"""(?m)^[ \t]*(?:export[ \t]+|readonly[ \t]+|local[ \t]+|-[ \t]+)*([A-Za-z_]\w*)[ \t]*"""
    r"""(?:[:?]{0,2}=|:(?=[ \t]))[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\n#]*))""",
)
_USE = pattern(
    r"\$\{\{[ \t]*(?:env\.)?([\w.-]{1,200})[^}]{0,500}\}\}"
    r"|\$[({]([A-Za-z_][\w.]*|[1-9])(?::?[-=]([^)}]{0,500}))?[)}]|\$([A-Za-z_]\w*)"
    r"|\$\([^)]{0,500}\)|`[^`]{0,500}`"
)
_LAST = pattern(r"\|\|[ \t]*(?:env\.)?([\w.-]{1,200})[ \t]*\}\}$")
_EXPRESSION = pattern(r"\$\{\{[^}]{0,500}\}\}")
_VALUES = frozenset(
    (
        *("--add-host", "--attest", "--build-arg", "--build-context", "--builder", "--cache-from", "--cache-to"),
        *("--cpuset-cpus", "--format", "--iidfile", "--label", "--memory", "--metadata-file", "--network", "--output"),
        *("--platform", "--progress", "--secret", "--shm-size", "--ssh", "--ulimit", "-m", "-o"),
    )
)
_MEANINGS = {
    "-t": "tag",
    "--tag": "tag",
    "-f": "file",
    "--file": "file",
    "--target": "target",
    "--build-arg": "argument",
    "--destination": "tag",
    "-d": "tag",
    "--dockerfile": "file",
    "--context": "context",
    "-c": "context",
}
_PIPELINE = pattern(
    r"""\bdocker\.build\([ \t]*["']([^"'\n]{1,200})["']"""
    r"""(?:[ \t]*,[ \t]*(?:"([^"\n]{0,500})"|'([^'\n]{0,500})'))?[ \t]*\)"""
)
"""`docker.build("IMAGE", "OPTIONS")` of a Jenkinsfile."""
_LOOP = pattern(r"\bfor[ \t]+([A-Za-z_]\w*)[ \t]+in[ \t]+([^;\n]+)")
_MOST = 100
"""Rounds of a loop."""
_LONGEST = 1_000
_MOST_USES = 50
"""Variables put into one text, those of their values included."""


def by_commands(
    path: str, text: str, exists: Callable[[str], bool], given: Mapping[str, str] | None = None
) -> Iterator[Build]:
    """The builds of a file's commands. They are run in its folder or in the project's root: where the files are.

    `given` are variables that its surroundings set.
    """
    text = _lines(path, text)
    if path.endswith("Jenkinsfile"):
        text = _PIPELINE.sub(lambda found: f"docker build -t {found[1]} {found[2] or found[3] or '.'}", text)
    variables = {**dict.fromkeys(table("builds")["checkout"]["variables"], "."), **(given or {}), **variables_of(text)}
    loops = list(_LOOP.finditer(text))[:_MOST]
    for match in _BUILD.finditer(text):
        moved = _moved(text, match.start())
        for values in _rounds(loops, match, variables):
            yield from _builds(arguments(_words(match[1], values)), moved, path, exists)


def _rounds(loops: list[re.Match[str]], command: re.Match[str], variables: Mapping[str, str]) -> list[dict[str, str]]:
    """The variables of a command, once for each value of the variable of a loop above it."""
    above = {loop[1]: loop[2].split() for loop in loops if loop.start() < command.start()}
    used = [name for name in above if re.search(rf"\$\{{?{name}\b", command[1])]
    if len(used) != 1:
        return [dict(variables)]
    return [{**variables, used[0]: value.strip("\"'")} for value in above[used[0]][:_MOST]]


def _builds(given: dict[str, list[str]], moved: list[str], path: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    contexts = given["context"]
    if contexts and given["tag"]:
        for folder in dict.fromkeys((posixpath.dirname(path), "")):
            here = posixpath.join(folder, *moved)
            context = posixpath.join(here, contexts[-1])
            file = _inside(posixpath.join(here, given["file"][-1]), context) if given["file"] else None
            target = given["target"][-1] if given["target"] else None
            arguments = tuple(
                (name, value)
                for name, equals, value in (item.partition("=") for item in given["argument"])
                if equals and UNKNOWN not in value
            )
            link = link_to(context, file, target, arguments)
            if link is not None and exists(link.dockerfile):
                yield from (Build(tag, link) for tag in given["tag"])
                break


def compose_lists(path: str, text: str) -> Iterator[tuple[str, ...]]:
    """The files that commands give to `docker compose` with `-f a -f b`, from the project's root."""
    text = _lines(path, text)
    variables = variables_of(text) if "$" in text else {}
    for match in _COMPOSE.finditer(text):
        moved = _moved(text, match.start())
        files = arguments(_words(match[1], variables))["file"]
        if len(files) > 1 and not any(UNKNOWN in file for file in files):
            here = posixpath.join(posixpath.dirname(path), *moved)
            yield tuple(posixpath.normpath(posixpath.join(here, file)) for file in files)


def _lines(path: str, text: str) -> str:
    """The text with continued lines joined, and with the escapes of JSON undone."""
    if path.endswith(".json"):
        text = text.replace('\\"', "'").replace('",', "\n").replace('"', "\n")
    return re.sub(r"\\\r?\n[ \t]*", " ", text)


def variables_of(text: str) -> dict[str, str]:
    """What a file sets to one value alone."""
    found: dict[str, str] = {}
    for name, double, single, plain in _SET.findall(text):
        value = double or single or plain.strip()
        found[name] = value if found.get(name, value) == value else UNKNOWN
    return found


def put_in(text: str, variables: Mapping[str, str], room: Iterator[int] | None = None) -> str:
    """A text with variables put in; what is not known stands as `*`."""
    uses = iter(range(_MOST_USES)) if room is None else room

    def value(match: re.Match[str]) -> str:
        if room is not None:
            next(room)
        name = match[1] or match[2] or match[4]
        known = variables.get(name or "") or match[3] or _otherwise(match[0], variables)
        if known is None or len(known) > _LONGEST:
            return UNKNOWN
        try:
            return put_in(known, variables, uses)
        except StopIteration:
            if room is not None:
                raise
            return UNKNOWN

    return _USE.sub(value, text)[:_LONGEST] if "$" in text or "`" in text else text


def _moved(text: str, at: int) -> list[str]:
    """The folders that commands before it on its line change to, one below the other."""
    begin = max(0, at - _LONGEST)
    line = max(begin, text.rfind("\n", begin, at))
    return [found[1] for found in _CD.finditer(text, line, at)]


def _otherwise(expression: str, variables: Mapping[str, str]) -> str | None:
    """What the last variable of `${{ … || env.NAME }}` holds."""
    last = _LAST.search(expression)
    return variables.get(last[1]) if last is not None else None


def _inside(path: str, context: str) -> str:
    """A path as it is given from a folder; as it is where the folder is not known."""
    return path if UNKNOWN in context else posixpath.relpath(path, context)


def _words(text: str, variables: Mapping[str, str]) -> list[str]:
    """The words of a command with variables put in, quotes removed."""
    text = _EXPRESSION.sub(lambda match: put_in(match[0], variables), text)
    return [put_in(word.replace('"', "").replace("'", ""), variables) for word in _WORD.findall(text)]


def arguments(words: list[str]) -> dict[str, list[str]]:
    """What options and operands say."""
    found: dict[str, list[str]] = {"tag": [], "file": [], "target": [], "argument": [], "context": []}
    index = 0
    while index < len(words):
        name, equals, value = words[index].partition("=")
        index += 1
        meaning = _MEANINGS.get(name)
        if (meaning or name in _VALUES) and not equals:
            value = words[index] if index < len(words) else ""
            index += 1
        if meaning is not None:
            found[meaning].append(value)
        elif not name.startswith("-") and not equals:
            found["context"].append(name)
    return found
