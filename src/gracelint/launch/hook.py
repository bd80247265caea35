"""What a preStop hook's command does when it runs: whether it can at all, and in which order."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.patterns import pattern
from gracelint.facts.hooks import Flaw, Gap, Hook
from gracelint.knowledge import table
from gracelint.launch.words import base_name
from gracelint.source import Passage, Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files
    from gracelint.facts.kubernetes import Container, PreStop, Workload
    from gracelint.facts.launch import Image
    from gracelint.facts.script import Command, Script, Simple
    from gracelint.source import Span

_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh"))
_OPERATORS = frozenset(("&&", "||", ";", "|"))
_SHELL_TEXT = pattern(r"[&|;<>`(){}*?\n]")
_CHECKED = (*sorted(_SHELLS), "sleep", "curl", "wget")
"""Commands of which the tables say for certain whether an image has them."""
_SCRIPTS = (".sh", ".bash", ".py", ".js", ".rb", ".pl", ".php")
"""Files that are written, not built: they come from the project or from nowhere."""


def hook_of(hook: PreStop, image: Image, files: Files, workload: Workload, container: Container, folder: str) -> Hook:
    """What the command of a hook says of itself, of the image and of the volumes. `folder` is where it runs."""
    if not hook.argv:
        return Hook(stops="an httpGet" if hook.handlers == ("httpGet",) else None)
    flaw = _flaw(hook.argv)
    if flaw is not None:
        return Hook(flaw=flaw)
    script = _script(hook.argv)
    gap = _gap(hook.argv, script, image, files, workload, container, folder)
    return Hook(gap=gap, early=_early(script), stops=_way_to_stop(hook.argv, script) if gap is None else None)


# Forms that cannot do what they were written for


def _flaw(argv: tuple[Word, ...]) -> Flaw | None:
    words = [word.value for word in argv]
    if any("$" in word for word in words):
        return None
    if base_name(words[0]) in _SHELLS:
        return _shell_flaw(argv, words)
    if len(words) == 1 and " " in words[0].strip():
        text = words[0].strip()
        right = ("sh", "-c", text) if _SHELL_TEXT.search(text) else tuple(text.split())
        return Flaw(f"no program is named `{text}`, and nothing splits it into words", argv[0].span, right)
    operator = next((word for word in words[1:] if word in _OPERATORS), None)
    if operator is not None:
        why = f"no shell reads `{operator}`: `{words[0]}` gets it and what follows as arguments"
        return Flaw(why, argv[words.index(operator)].span, ("sh", "-c", " ".join(words)))
    if base_name(words[0]) == "sleep" and words[1:] in (["infinity"], ["inf"]):
        return Flaw(_ENDLESS, argv[1].span)
    return None


_ENDLESS = "the hook never ends: the program is not told to stop before SIGKILL"
_SLEEPS_FOR_EVER = pattern(r"(?s)(?:.*(?:&&|;|\n)[ \t]*)?(?:exec\s+)?sleep\s+inf(?:inity)?\s*(?:;\s*)?")


def _shell_flaw(argv: tuple[Word, ...], words: list[str]) -> Flaw | None:
    shell = words[0]
    at = next((index for index, word in enumerate(words) if index and not word.startswith("-")), len(words))
    if not any(_is_c(word) for word in words[1:at]):
        if at < len(words) and " " in words[at].strip():
            right = (*words[:at], "-c", *words[at:])
            return Flaw(f"without -c {shell} takes `{words[at]}` for the name of a file", argv[at].span, right)
        return None
    if at == len(words):
        return Flaw(f"{shell} -c has no command", argv[-1].span)
    text, rest = words[at].strip(), words[at + 1 :]
    inner = text[1:-1]
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in inner and " " in inner:
        why = f"the quotes are part of the text: {shell} looks for one program named `{inner}`"
        return Flaw(why, argv[at].span, (*words[:at], inner, *rest))
    if rest and re.fullmatch(r"[\w./-]+", text) and not _SHELL_TEXT.search(" ".join(rest)):
        why = f"{shell} -c runs `{text}` alone: the words behind it are $0, $1 …"
        return Flaw(why, argv[at + 1].span, (*words[:at], " ".join((text, *rest))))
    if _SLEEPS_FOR_EVER.fullmatch(text):
        return Flaw(_ENDLESS, argv[at].span)
    return None


def _is_c(word: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and word.endswith("c")


# The shell text of a hook


def _script(argv: tuple[Word, ...]) -> Script | None:
    """What `sh -c` runs."""
    if base_name(argv[0].value) not in _SHELLS:
        return None
    for index, word in enumerate(argv[1:-1], 1):
        if _is_c(word.value):
            from gracelint.parse.shell import read_script

            text = argv[index + 1]
            script = read_script(text.passage or Passage.whole(Source("", text.value)))
            return script if script.broken is None else None
    return None


def _commands(body: Iterable[Command]) -> Iterator[Simple]:
    """The commands that a text surely runs, one after the other, as long as they succeed."""
    from gracelint.facts.script import AndOr, Group, Simple

    for command in body:
        if isinstance(command, Simple):
            yield command
        elif isinstance(command, AndOr):
            if command.operator == "||":
                return  # whether the left side fails is what it asks
            yield from _commands((command.left, command.right))
        elif isinstance(command, Group):
            yield from _commands(command.body)
        else:
            return


def _name(command: Simple) -> tuple[str, Span] | None:
    for word in command.words:
        if word.value not in ("exec", "command"):
            return (word.value, word.span) if word.value else None
    return None


def _early(script: Script | None) -> tuple[Span, Span] | None:
    """The command that tells the program to stop, and the sleep that comes only after it."""
    told: Span | None = None
    for command in _commands(script.body) if script is not None else ():
        words = [word.value or word.text for word in command.words]
        name = base_name(words[0]) if words else ""
        if name == "sleep":
            return (told, command.span) if told is not None else None
        if told is None and _stops(name, words[1:]):
            told = command.span
    return None


def _stops(name: str, words: list[str]) -> bool:
    row = table("workloads")["stops"].get(name)
    if row is None:
        return False
    if any(word in row["spared"] for word in words):
        return False
    return not row["words"] or any(word in row["words"] for word in words)


# What ends the program before the stop signal comes


def _way_to_stop(argv: tuple[Word, ...], script: Script | None) -> str | None:
    """The first command that may end the program, or is not known to leave it alone."""
    if script is None:
        return None if _leaves_alone([word.value for word in argv]) else argv[0].value
    for command in _every(script.body):
        words = [word.value or word.text for word in command.words]
        if words and not _leaves_alone(words):
            return words[0]
    return None


def _every(body: Iterable[Command]) -> Iterator[Simple]:
    """The commands that a text may run, whatever they hang on."""
    from gracelint.facts.script import AndOr, Background, Case, Function, Group, If, Loop, Pipeline, Simple

    for command in body:
        if isinstance(command, Simple):
            yield command
        elif isinstance(command, Pipeline):
            yield from _every(command.commands)
        elif isinstance(command, AndOr):
            yield from _every((command.left, command.right))
        elif isinstance(command, Background):
            yield from _every((command.command,))
        elif isinstance(command, Loop):
            yield from _every((*command.condition, *command.body))
        elif isinstance(command, (Group, Function)):
            yield from _every(command.body)
        elif isinstance(command, If):
            for condition, then in command.branches:
                yield from _every((*condition, *then))
            yield from _every(command.otherwise or ())
        elif isinstance(command, Case):
            for _, arm in command.arms:
                yield from _every(arm)


def _leaves_alone(words: list[str]) -> bool:
    name, rest = base_name(words[0]), words[1:]
    if name == "kill" and rest[-1:] == ["1"] and {"-TERM", "-15", "-SIGTERM"}.issuperset(rest[:-1]):
        return True  # the stop signal, some moments early
    return name in table("one_shots")["harmless"]


# What is not there


def _gap(
    argv: tuple[Word, ...],
    script: Script | None,
    image: Image,
    files: Files,
    workload: Workload,
    container: Container,
    folder: str,
) -> Gap | None:
    first = argv[0].value
    called: list[tuple[str, Span | None]] = [(first, argv[0].span)]
    if base_name(first) in _SHELLS and len(argv) > 1 and not argv[1].value.startswith("-"):
        called.append((argv[1].value, argv[1].span))
    if script is not None and not _asks_first(argv[-1].value):
        inner = [found for command in _commands(script.body) if (found := _name(command))]
        called += [(name, span if span.source.path else argv[-1].span) for name, span in inner]
    for name, span in called:
        if "$" in name:
            return None
        path = posixpath.normpath(posixpath.join("/", folder, name))
        mounted = _mounted(path, workload, container) if "/" in name else None
        if mounted is None and ("/" not in name or base_name(name) in _CHECKED):
            if base_name(name) in _CHECKED and _lacks(image, base_name(name)):
                return Gap(base_name(name), f"has no `{base_name(name)}`", span)
            continue
        why = mounted if mounted is not None else _never_copied(path, image, files)
        if why:
            return Gap(path, why, span)
    return None


def _asks_first(text: str) -> bool:
    return any(word in text for word in ("command -v", "which ", "type ", "[ -x", "[ -f", "test -"))


def _lacks(image: Image, command: str) -> bool:
    """Whether an image surely does not have a command."""
    if command not in ("curl", "wget"):
        return image.has(command) is False
    if image.has(command) is not False or image.reference is None:
        return False
    if image.tools == frozenset():
        return image.stage is None or not _speaks_of(image.stage, command)
    from gracelint.launch.images.bases import repository

    name, tag = repository(image.reference), image.reference.rpartition(":")[2]
    if not any(
        command in row["commands"] and name in row["images"] and any(mark in tag for mark in row["tags"])
        for row in table("workloads")["lacks"]
    ):
        return False
    return image.stage is None or not _speaks_of(image.stage, command)


def _speaks_of(stage: Stage, name: str) -> bool:
    """Whether an instruction may bring a file of that name: it names it, or nobody can tell what it brings."""
    for one in stage.lineage():
        for item in one.instructions:
            text = item.value
            if item.name in ("COPY", "ADD") and name in posixpath.basename(text.split()[-1] if text else ""):
                return True
            if item.name == "RUN" and (name in text or _OPEN.search(text)):
                return True
    return False


_OPEN = pattern(
    r"(?:^|[\s;&|/])(?:sh|bash|make|tar|unzip|git|xargs|ansible\S*|rsync|source|curl|wget)\s|\S\.sh\b|(?:^|\s)\./\S"
)
"""RUN texts that may bring any file."""


def _mounted(path: str, workload: Workload, container: Container) -> str | None:
    """Why a path is not on the volume that is mounted there; "" where it is or may be; None where none is mounted."""
    best: tuple[str, str] | None = None
    sub = ""
    for mount in container.node.mappings("volumeMounts"):
        at, name = mount.scalar("mountPath"), mount.scalar("name")
        if at is None or name is None:
            continue
        place = posixpath.normpath(at.value)
        if (path == place or path.startswith(f"{place}/")) and (best is None or len(place) > len(best[0])):
            part = mount.scalar("subPath")
            best, sub = (place, name.value), part.value if part is not None else ""
    if best is None:
        return None
    place, volume = best
    key = posixpath.join(sub, path[len(place) :].lstrip("/")).rstrip("/")
    from gracelint.launch.mounted import data_of

    for node in workload.pod.mappings("volumes"):
        name = node.scalar("name")
        source = node.scalar("configMap", "name")
        if name is None or name.value != volume or source is None:
            continue
        items = node.mapping("configMap")
        renamed = {
            item.scalar("path").value: item.scalar("key").value  # type: ignore[union-attr]
            for item in (items.mappings("items") if items else ())
            if item.scalar("path") and item.scalar("key")
        }
        if renamed and key not in renamed:
            return f"is not among the items that are mounted from ConfigMap {source.value}"
        key = renamed.get(key, key)
        found = [one for one in workload.config_maps if one.name == source.value]
        if found and not any(key in data_of(one) for one in found):
            return f"is to come from ConfigMap {source.value}, which has no `{key}`"
    return ""


def _never_copied(path: str, image: Image, files: Files) -> str:
    """Why a script cannot be in an image that is built here; "" where it may be."""
    from gracelint.launch.images.image import find_path, find_text

    stage, context = image.stage, image.context
    if stage is None or context is None or image.family is None or not path.endswith(_SCRIPTS):
        return ""
    if path.startswith(("/usr/", "/bin/", "/sbin/", "/etc/", "/lib/")) or "/node_modules/" in path:
        return ""
    if find_text(image, files, path, "/") is not None or find_path(image, files, path, "/") is not None:
        return ""
    if _speaks_of(stage, posixpath.basename(path)) or _brought_from_elsewhere(stage, files, context, path):
        return ""
    return "comes into the image by no instruction of its Dockerfile"


def _brought_from_elsewhere(stage: Stage, files: Files, context: str, path: str) -> bool:
    """Whether a COPY or ADD that cannot be followed reaches a path."""
    from gracelint.launch.images import layers

    for one in stage.lineage():
        for put in layers.placed(one):
            if put.target is None or (path != put.target and not path.startswith(put.below)):
                continue
            if put.item.flag("from") or put.item.heredocs:
                return True
            for source in put.commands[0][:-1]:
                if "://" in source or "$" in source or source.endswith((".tar", ".tgz", ".gz", ".xz", ".zip")):
                    return True
                if not any(files.exists(each) for each in layers.in_project(files, context, source)):
                    return True
    return False
