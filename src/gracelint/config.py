"""Settings: where they are found, what they may say, and what a wrong one is answered.

They stand in `gracelint.toml`, or below `[tool.gracelint]` in pyproject.toml, in the nearest folder above the linted
paths. An unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from gracelint.facts.launch import Assumptions
from gracelint.finding import Severity
from gracelint.record import Record, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OWN_FILE = "gracelint.toml"
SHARED_FILE = "pyproject.toml"


class ConfigError(Exception):
    """The command line or the configuration asks for something that cannot be done."""


class Settings(Record):
    """What the configuration says; everything has a default."""

    file: str | None = None
    """The file they were read from."""
    select: tuple[str, ...] = ()
    """Rules and groups to run in place of the default ones; empty for the default."""
    ignore: tuple[str, ...] = ()
    strict: bool = False
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    assume: Assumptions = Assumptions()
    images: Mapping[str, str] = field(default_factory=dict)
    """Image name → the Dockerfile that builds it, relative to the project's root."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Rule name → its options."""
    wrappers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further rows of `knowledge/wrappers.toml`."""
    base_images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further rows of `knowledge/images.toml`."""
    workload_kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further rows of `knowledge/workloads.toml`."""


class Place(Record):
    """A project's root, and the configuration that marks it, or the git repository."""

    root: str
    file: str | None = None
    around: int | None = None
    """How many folder entries are looked at around what is linted; None where the root says how far a project goes."""


def locate(folder: str) -> Place | None:
    """The nearest configuration at or above a folder, else the git root; None where there is neither."""
    while True:
        own = os.path.join(folder, OWN_FILE)
        if os.path.isfile(own):
            return Place(folder, own)
        shared = os.path.join(folder, SHARED_FILE)
        if _is_ours(shared):
            return Place(folder, shared)
        if os.path.exists(os.path.join(folder, ".git")):
            return Place(folder)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def read_settings(path: str) -> Settings:
    """The settings in a file. Raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return parse_settings(text, path)


def parse_settings(text: str, path: str) -> Settings:
    """The settings in a file's text. Raises ConfigError."""
    changes: dict[str, Any] = {}
    for key, value in (_table(text, path) or {}).items():
        if key not in _READERS:
            raise ConfigError(f"{path}: unknown key {key!r}{did_you_mean(key, _READERS)}")
        try:
            changes |= _READERS[key](key, value)
        except _WrongValueError as wrong:
            raise ConfigError(f"{path}: {wrong}") from None
    assumptions = changes.pop("assume", {}) | changes.pop("version", {})
    return Settings(file=path, **changes, assume=Assumptions(**assumptions))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`: did you mean 'x'?`, or nothing where no known word is near."""
    from difflib import get_close_matches

    names = sorted(known)
    near = [name for name in names if word and name.startswith(word)] or get_close_matches(word, names, n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path, or a folder above it, matches one of the globs; a glob without a slash matches at any depth."""
    patterns = tuple(patterns)
    if not patterns:
        return False
    from fnmatch import fnmatchcase

    parts = path.split("/")
    prefixes = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    for pattern in patterns:
        pattern = pattern.rstrip("/")
        subjects = prefixes if "/" in pattern else parts
        pattern = pattern.removeprefix("./").removeprefix("/")
        wherever = pattern.removeprefix("**/")
        if any(fnmatchcase(subject, pattern) or fnmatchcase(subject, wherever) for subject in subjects):
            return True
    return False


class _WrongValueError(Exception):
    pass


def _is_ours(path: str) -> bool:
    """Whether a pyproject.toml has a table for gracelint."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return False
    return "gracelint" in text and _table(text, path) is not None


def _table(text: str, path: str) -> dict[str, Any] | None:
    from gracelint import toml

    try:
        table = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    if os.path.basename(path) != SHARED_FILE:
        return table
    tool = table.get("tool")
    own = tool.get("gracelint") if isinstance(tool, dict) else None
    if own is not None and not isinstance(own, dict):
        raise ConfigError(f"{path}: tool.gracelint must be a table")
    return own


def _names(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _WrongValueError(f'{key} must be a list of strings, such as ["…"]')
    return tuple(value)


def _rows(key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _WrongValueError(f"{key} must be a table")
    return value


def _tables(key: str, value: object) -> Mapping[str, Mapping[str, Any]]:
    return {name: _rows(f"{key}.{name}", row) for name, row in _rows(key, value).items()}


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _WrongValueError(f"{key} must be true or false")
    return value


def _severities(key: str, value: object) -> Mapping[str, Severity]:
    found = {}
    for name, level in _rows(key, value).items():
        if level not in ("error", "warning", "info"):
            raise _WrongValueError(f'{key}.{name} must be "error", "warning" or "info", not {level!r}')
        found[name] = Severity(level)
    return found


def _globs(key: str, value: object) -> Mapping[str, tuple[str, ...]]:
    return {glob: _names(f"{key}.{glob!r}", names) for glob, names in _rows(key, value).items()}


def _image_files(key: str, value: object) -> Mapping[str, str]:
    for name, path in _rows(key, value).items():
        if not isinstance(path, str):
            raise _WrongValueError(f"{key}.{name!r} must be the path of a Dockerfile")
    return dict(_rows(key, value))


def _version(key: str, value: object) -> tuple[int, int]:
    parts = value.lstrip("v").split(".") if isinstance(value, str) else []
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].rstrip("+").isdecimal()):
        raise _WrongValueError(f'{key} must be a string such as "1.30", not {value!r}')
    return int(parts[0]), int(parts[1].rstrip("+"))


def _seconds(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise _WrongValueError(f"{key} must be a number of seconds, 0 or more, not {value!r}")
    return float(value)


_BUDGET = ("pre-stop-seconds", "drain-seconds", "p95-request-seconds", "connection-drain-seconds", "margin-seconds")


def _budget(key: str, value: object) -> dict[str, float]:
    given = {}
    for name, number in _rows(key, value).items():
        if name not in _BUDGET:
            raise _WrongValueError(f"unknown key '{key}.{name}'{did_you_mean(name, _BUDGET)}")
        given[name] = _seconds(f"{key}.{name}", number)
    measured = {"p95-request-seconds", "connection-drain-seconds"} & given.keys()
    if measured and "drain-seconds" in given:
        raise _WrongValueError(f"{key}: drain-seconds and {min(measured)} both say how long draining takes: keep one")
    found: dict[str, float] = {}
    if "pre-stop-seconds" in given:
        found["pre_stop"] = given["pre-stop-seconds"]
    if "margin-seconds" in given:
        found["margin"] = given["margin-seconds"]
    if "drain-seconds" in given:
        found["drain"] = given["drain-seconds"]
    if measured:
        found["drain"] = 2 * given.get("p95-request-seconds", 0.0) + given.get("connection-drain-seconds", 0.0)
    if "drain" in found:
        found["drain_is_set"] = True
    return found


def _into(name: str, read: Callable[[str, object], object]) -> Callable[[str, object], dict[str, Any]]:
    return lambda key, value: {name: read(key, value)}


_READERS: dict[str, Callable[[str, object], dict[str, Any]]] = {
    "select": _into("select", _names),
    "ignore": _into("ignore", _names),
    "strict": _into("strict", _flag),
    "severity": _into("severity", _severities),
    "per-file-ignores": _into("per_file_ignores", _globs),
    "exclude": _into("exclude", _names),
    "plugins": _into("plugins", _names),
    "images": _into("images", _image_files),
    "rules": _into("options", _tables),
    "wrappers": _into("wrappers", _tables),
    "base-images": _into("base_images", _tables),
    "workload-kinds": _into("workload_kinds", _tables),
    "budget": _into("assume", _budget),
    "kubernetes-version": lambda key, value: {"version": {"kubernetes_version": _version(key, value)}},
}
