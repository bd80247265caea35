"""What is known of images by their name and tag."""

from __future__ import annotations

from gracelint.base.memory import cache
from gracelint.base.numbers import is_digits, is_whole
from gracelint.facts.launch import Image
from gracelint.knowledge import table
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHELLS = {
    "sh": (),
    "dash": ("dash-debian", "dash"),
    "bash": ("bash-5.1+", "bash-5.0", "bash-4.4"),
    "ash": ("busybox-ash",),
    "zsh": ("zsh",),
    "ksh": ("ksh93", "mksh"),
    "ksh93": ("ksh93",),
    "mksh": ("mksh",),
    "posh": ("posh",),
    "yash": ("yash",),
    "fish": ("fish",),
}
"""Names of shells, and the rows of `knowledge/shells.toml` they may be."""
SHELL = (Word("/bin/sh"), Word("-c"))
"""What runs shell form where no SHELL says otherwise."""
REGISTRIES = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")
"""Names of Docker's registry, which is meant where there is none."""
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@cache
def image_named(reference: str) -> Image:
    """What the name and tag of an image that is not built here tell of it."""
    name, tag = _split(reference)
    row = _tagged(name, tag)
    if row is None:
        return Image(reference, None, shell=SHELL, env={"PATH": SEARCH_PATH})
    family = _family(row, tag)
    root = table("images")["families"].get(family, {})
    versions = _versions(row, root, name, tag)
    stop_signal = row.get("stop_signal")
    return Image(
        reference=reference,
        family=family,
        entrypoint=tuple(Word(word) for word in row.get("entrypoint", ())),
        cmd=tuple(Word(word) for word in row.get("cmd", ())),
        stop_signal=Word(stop_signal) if stop_signal else None,
        shell=SHELL,
        sh=sh_row(root.get("sh"), versions),
        working_dir=row.get("working_dir", "/"),
        user=row.get("user"),
        env={"PATH": SEARCH_PATH},
        tools=_tools(row, root),
        versions=versions,
        os=root.get("os"),
    )


@cache
def _tagged(name: str, tag: str) -> dict[str, Any] | None:
    """The row of an image with what its tag changes, and what it was like before the dates of `since`."""
    row = _row(name)
    if row is None:
        return None
    for pattern, changes in row.get("by_tag", ()):
        if _matches(tag, pattern):
            row = {**row, **changes}
            break
    for change in row.get("since", ()):
        if _matches(tag, change.get("tags", "*")) and _is_before(tag, change["versions"]):
            row = {**row, **change["before"]}
    return row


def _is_before(tag: str, first: list[str]) -> bool:
    """Whether a tag's version is older than the first ones, one for each branch, that have a change.

    `12` stands for the last of its kind, and a tag without a version for the last of all.
    """
    version = _numbers(tag)
    if not version:
        return False
    firsts = [_numbers(text) for text in first]
    if any(one[: len(version)] == version for one in firsts):
        return False
    branch = [one for one in firsts if len(one) > 1 and version[: len(one) - 1] == one[:-1]]
    return version < max(branch or firsts)


def _numbers(tag: str) -> list[int]:
    """The version that a tag begins with."""
    found = []
    for part in tag.removeprefix("v").partition("-")[0].split("."):
        if not is_digits(part) or len(part) > 6:
            break
        found.append(int(part))
    return found


def _split(reference: str) -> tuple[str, str]:
    """Repository, as the tables spell it, and tag."""
    reference = reference.partition("@")[0]
    head, slash, tail = reference.rpartition("/")
    last, _, tag = tail.partition(":")
    name = head + slash + last
    library = name.rfind("library/")
    if library >= 0 and (library == 0 or name[library - 1] == "/"):
        return name[library + len("library/") :], tag or "latest"
    for registry in REGISTRIES:
        name = name.removeprefix(registry)
    return name, tag or "latest"


@cache
def _row(name: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = table("images")["images"]
    exact, patterns, starts = _names()
    first = exact.get(name, len(rows))
    if name.startswith(starts):
        first = min([first, *(number for number, pattern in patterns if _matches(name, pattern))])
    return rows[first] if first < len(rows) else None


@cache
def _names() -> tuple[dict[str, int], list[tuple[int, str]], tuple[str, ...]]:
    """The names of images as the numbers of their rows, the patterns among them, and what those begin with."""
    exact: dict[str, int] = {}
    patterns = []
    for number, row in enumerate(table("images")["images"]):
        for name in row["names"]:
            if "*" in name:
                patterns.append((number, name))
            else:
                exact.setdefault(name, number)
    return exact, patterns, tuple({name.partition("*")[0] for _, name in patterns})


def _matches(text: str, pattern: str) -> bool:
    """Whether a pattern, in which `*` stands for anything, is all of a text."""
    first, *parts = pattern.split("*")
    if not parts:
        return text == pattern
    at = len(first)
    for part in parts[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.startswith(first) and text.endswith(parts[-1]) and len(text) >= at + len(parts[-1])


def _family(row: dict[str, Any], tag: str) -> str | None:
    tags = table("images")["tags"][row["tags"]] if isinstance(row["tags"], str) else row["tags"]
    for pattern, family in tags:
        if _matches(tag, pattern):
            return None if pattern == "*" and len(tags) > 1 and "$" in tag else str(family)
    return None


def _tools(row: dict[str, Any], root: dict[str, Any]) -> frozenset[str] | None:
    lists = root.get("tools")
    if lists is None:
        return None
    tools = table("images")["tools"]
    return frozenset(tool for name in (*lists, *row.get("tools", ())) for tool in tools[name])


def _versions(row: dict[str, Any], root: dict[str, Any], name: str, tag: str) -> dict[str, str]:
    """The versions of bash, of the program the image is made for, and of the npm that comes with its node."""
    versions = {}
    for mark, version in (*row.get("bash", ()), *root.get("bash", ())):
        if tag.startswith(mark[1:]) if mark.startswith("^") else mark in f"{name}:{tag}":
            versions["bash"] = version
            break
    program = row.get("program")
    number = tag.removeprefix("v").partition("-")[0]
    if program and not is_whole(number[:1]):
        number = next((version for pattern, version in row.get("floating", ()) if _matches(tag, pattern)), "")
    if program and number and "$" not in tag:
        versions[program] = number
        npm = _npm(number) if program == "node" else None
        if npm:
            versions["npm"] = npm
    return versions


def _npm(node: str) -> str | None:
    """The npm that came with a node release; a tag such as `20` stands for the last one of its kind."""
    parts = [int(part) for part in node.split(".") if is_whole(part)]
    if not parts:
        return None
    newest = [*parts, 999, 999][:3]
    found = [npm for release, npm in table("images")["npm"]["releases"] if release <= newest and release[0] == parts[0]]
    return found[-1] if found else None


def sh_row(name: str | None, versions: dict[str, str]) -> str | None:
    """The row of `shells.toml` for a shell of that name."""
    if name != "bash":
        return name
    version = versions.get("bash")
    if version is None:
        return None
    number = tuple(int(part) for part in version.split("."))
    return "bash-4.4" if number < (5, 0) else "bash-5.0" if number < (5, 1) else "bash-5.1+"


@cache
def is_known(reference: str) -> bool:
    """Whether the tables know an image of that name: one that others make."""
    return _row(_split(reference)[0]) is not None


def repository(reference: str) -> str:
    """`docker.io/library/python:3.11@sha256:…` → `python`."""
    return _split(reference)[0]


def entry_script(reference: str, name: str) -> dict[str, Any] | None:
    """The row of the entry script of that name which an image brings along."""
    row = _tagged(*_split(reference)) or {}
    entrypoint = row.get("entrypoint") or [""]
    for script in row.get("scripts", ()):
        if name == (script.get("name") or entrypoint[-1].rpartition("/")[2]):
            found: dict[str, Any] = script
            return found
    return None


def extensions_of(reference: str) -> tuple[str, ...]:
    """The extensions of its language that an image has beside what that brings along."""
    return tuple((_tagged(*_split(reference)) or {}).get("extensions", ()))


def program_of(reference: str, words: tuple[str, ...]) -> str | None:
    """The row of `servers.toml` of a command that only this image calls so."""
    row = _tagged(*_split(reference)) or {}
    line = " ".join(words) + " "
    return next((key for command, key in row.get("programs", {}).items() if line.startswith(f"{command} ")), None)
