"""Settings: where they are found, what they may say, and what a wrong one is answered.

They stand in `gracelint.toml`, or below `[tool.gracelint]` in pyproject.toml. For each file those of the nearest folder
above it hold, up to the root of the repository. An unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import os

from gracelint.base.memory import cache
from gracelint.base.numbers import is_whole
from gracelint.base.record import Record, field, replace
from gracelint.facts.launch import Assumptions
from gracelint.finding import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

OWN_FILE = "gracelint.toml"
SHARED_FILE = "pyproject.toml"


class ConfigError(Exception):
    """The command line or the configuration asks for something that cannot be done."""


class Chart(Record):
    """One of `[[charts]]`: a chart in the repository, and how it is installed. Paths are relative to the settings."""

    path: str
    values: tuple[str, ...] = ()
    """Values files, the strongest last."""
    set: Mapping[str, Any] = field(default_factory=dict)
    """Single values, by their path such as `web.replicas`."""
    release: str | None = None
    namespace: str = "default"


class Settings(Record):
    """What the configuration says; everything has a default."""

    file: str | None = None
    """The file they were read from."""
    folder: str = ""
    """Where it stands, relative to the project's root: its globs and paths start there."""
    select: tuple[str, ...] = ()
    """Rules and groups to run in place of the default ones; empty for the default."""
    ignore: tuple[str, ...] = ()
    strict: bool = False
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    without_plugins: bool = False
    """They are not loaded, so that rules nobody knows are no mistake."""
    assume: Assumptions = Assumptions()
    images: Mapping[str, str] = field(default_factory=dict)
    """Image name → the Dockerfile that builds it, relative to `folder`."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Rule name → its options."""
    wrappers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further rows of `knowledge/wrappers.toml`."""
    workload_kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further rows of `knowledge/workloads.toml`."""
    charts: tuple[Chart, ...] = ()
    """Releases of charts in this repository."""
    baseline: str | None = None
    """A file of findings that are not reported, relative to `folder`."""
    documentation: str | None = None
    """Where people read about a rule: an address in which `{rule}` stands for its name."""
    require_reason: bool = False
    """Comments that silence a rule have to say why."""
    cache: bool = True
    """What is known of unchanged files is kept between runs; as the settings at the root say."""

    def image_files(self) -> dict[str, str]:
        """`images` with paths that are relative to the project's root."""
        return {name: os.path.normpath(os.path.join(self.folder, path)) for name, path in self.images.items()}

    def names(self, path: str, globs: Iterable[str]) -> bool:
        """Whether globs of these settings mean a path below them, which is relative to the project's root."""
        return matches(path[self.offset :], globs)

    @property
    def offset(self) -> int:
        """Where the part of a path begins that is relative to `folder`."""
        return len(self.folder) + 1 if self.folder else 0


class Place(Record):
    """A project's root."""

    root: str
    around: int | None = None
    """How many folder entries are looked at around what is linted; None where the root says how far a project goes."""


def locate(folder: str) -> Place | None:
    """The git root at or above a folder, else the topmost folder with a configuration; None where there is neither."""
    topmost = None
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return Place(folder)
        if any(_is_ours(os.path.join(folder, name)) for name in (OWN_FILE, SHARED_FILE)):
            topmost = folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return Place(topmost) if topmost is not None else None
        folder = parent


class Configuration:
    """Which settings hold where: for each file those of the nearest configuration above it, up to the root.

    `adjust` is what the command line makes of them. `fixed` holds everywhere, whatever the folders say.
    """

    def __init__(
        self,
        root: str,
        *,
        adjust: Callable[[Settings], Settings] | None = None,
        fixed: Settings | None = None,
        overlay: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root
        self._adjust = adjust or (lambda settings: settings)
        self._overlay = overlay or {}
        self._fixed = self._adjust(fixed) if fixed is not None else None
        self._folders: dict[str, Settings] = {}
        self._excluded: dict[str, bool] = {"": False}
        self._open: dict[str, bool] = {}
        """Whether nothing in a folder is left out."""

    def at(self, root: str) -> Configuration:
        """The settings of an older copy of the tree. It chooses no rule packs: those of today are loaded."""
        today = self.inside("")

        def adjust(settings: Settings) -> Settings:
            return replace(self._adjust(settings), plugins=today.plugins, without_plugins=today.without_plugins)

        return Configuration(root, adjust=adjust, fixed=self._fixed)

    @property
    def baseline(self) -> str | None:
        """The path of the baseline that the settings at the root name."""
        settings = self.inside("")
        if settings.baseline is None:
            return None
        path = os.path.join(os.path.dirname(os.path.join(self.root, settings.file or "")), settings.baseline)
        if self._fixed is None and not leads_inside(self.root, path):
            raise ConfigError(
                f"{settings.file}: baseline: {settings.baseline} leads out of {self.root}, and is not read"
            )
        if os.path.exists(path) and not os.path.isfile(path):
            raise ConfigError(f"{settings.file}: baseline: {settings.baseline} is no ordinary file")
        return path

    def of(self, path: str) -> Settings:
        """Those that hold for a file; its path is relative to the root."""
        return self._fixed or self.inside(path.rpartition("/")[0])

    def inside(self, folder: str) -> Settings:
        """Those that hold in a folder. Raises ConfigError where the file that says them is wrong."""
        if self._fixed is not None:
            return self._fixed
        found = self._folders.get(folder)
        if found is not None:
            return found
        asked = []
        while found is None:
            asked.append(folder)
            found = self._read(folder)
            if found is None and not folder:
                found = self._adjust(Settings())
            folder = folder.rpartition("/")[0]
            found = found or self._folders.get(folder)
        self._folders.update(dict.fromkeys(asked, found))
        return found

    def excludes(self, path: str) -> bool:
        """Whether the settings above a file or folder leave it out, or a folder that it lies in."""
        folder = path[: max(path.rfind("/"), 0)]
        return not self.is_open(folder) and (self._excludes_folder(folder) or self._leaves_out(folder, path))

    def is_open(self, folder: str) -> bool:
        """Whether nothing that stands in a folder can be left out."""
        if folder not in self._open:
            self._open[folder] = not self._excludes_folder(folder) and not self.inside(folder).exclude
        return self._open[folder]

    def _excludes_folder(self, folder: str) -> bool:
        asked, answer = [], self._excluded.get(folder)
        while answer is None:
            asked.append(folder)
            folder = folder.rpartition("/")[0]
            answer = self._excluded.get(folder)
        for folder in reversed(asked):
            answer = self._excluded[folder] = answer or self._leaves_out(folder.rpartition("/")[0], folder)
        return answer

    def _leaves_out(self, parent: str, path: str) -> bool:
        settings = self.inside(parent)
        return bool(settings.exclude) and matches(path[settings.offset :], settings.exclude, above=False)

    def _read(self, folder: str) -> Settings | None:
        for name in (OWN_FILE, SHARED_FILE):
            path = f"{folder}/{name}" if folder else name
            if path in self._overlay:
                read = parse_settings(self._overlay[path], path) if _is_ours(path, self._overlay[path]) else None
            else:
                absolute = f"{self.root}/{path}"
                there = os.path.lexists(absolute) and self._is_inside(absolute) and _is_ours(absolute)
                read = read_settings(absolute) if there else None
            if read is not None:
                return self._adjust(replace(read, folder=folder))
        return None

    def _is_inside(self, path: str) -> bool:
        """Raises ConfigError for settings that somebody's link would take from elsewhere."""
        if not leads_inside(self.root, path):
            raise ConfigError(f"{path}: leads out of {self.root}, and is not read")
        return True


def leads_inside(root: str, path: str) -> bool:
    """Whether a path lies below a folder, wherever its links lead."""
    real_root = os.path.realpath(root)
    return os.path.realpath(path).startswith(os.path.join(real_root, ""))


def read_settings(path: str) -> Settings:
    """The settings in a file. Raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return parse_settings(text, path)


_LONGEST = 1_000_000
"""Characters of a file of settings."""
_MOST_DOTS = 200
"""In one line of it, outside of strings: the reader of TOML takes quadratic time for the parts of a key."""


def parse_settings(text: str, path: str) -> Settings:
    """The settings in a file's text. Raises ConfigError."""
    changes: dict[str, Any] = {}
    for key, value in (_table(text, path) or {}).items():
        if key not in _READERS:
            near = ": in this file settings stand without `[tool.gracelint]`" if key == "tool" else ""
            raise ConfigError(f"{path}: unknown key {key!r}{near or did_you_mean(key, _READERS)}")
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
    spelt = word.lower().replace("_", "-")
    near = [name for name in names if word and name.startswith(word)] or get_close_matches(word, names, n=1)
    near = near or get_close_matches(spelt, names, n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def matches(path: str, patterns: Iterable[str], *, above: bool = True) -> bool:
    """Whether a path matches one of the globs, or with `above` a folder above it does.

    A glob without a slash matches at any depth; `**` stands for any number of folders, none included.
    """
    globs = tuple(patterns)
    if not globs:
        return False
    parts = path.split("/") if above else [path.rpartition("/")[2]]
    prefixes = ["/".join(parts[: length + 1]) for length in range(len(parts))] if above else [path]
    by_name, by_path = _tests(globs)
    return any(map(by_name, parts)) or any(map(by_path, prefixes))


@cache
def _tests(patterns: tuple[str, ...]) -> tuple[Callable[[str], object], Callable[[str], object]]:
    """Two tests for all of some globs: of a name anywhere, and of a path."""
    import re

    names, paths = ["(?!)"], ["(?!)"]
    for pattern in dict.fromkeys(patterns):
        into = paths if "/" in pattern.rstrip("/") else names
        into.append(_expression(pattern.rstrip("/").removeprefix("./").removeprefix("/")))
    return re.compile(rf"(?:{'|'.join(names)})\Z").match, re.compile(rf"(?:{'|'.join(paths)})\Z").match


def _expression(pattern: str) -> str:
    """What one glob is as a regular expression; `*` and `?` stand for slashes too, as in Ruff."""
    import re
    from fnmatch import translate

    parts = re.split(r"((?:(?<![^/])\*\*/)+)", pattern)
    # what `translate` makes of a glob ends in `\\Z`, or in `\\z`
    return "".join("(?s:.*/)?" if index % 2 else translate(part)[:-2] for index, part in enumerate(parts))


class _WrongValueError(Exception):
    pass


def _is_ours(path: str, text: str | None = None) -> bool:
    """Whether a file configures gracelint: one of our own, or a pyproject.toml with a table for us."""
    if os.path.basename(path) == OWN_FILE:
        return text is not None or os.path.isfile(path)
    if text is None:
        if not os.path.isfile(path):
            return False
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(_LONGEST + 1)
        except OSError:
            return False
    return "gracelint" in text and _table(text, path) is not None


def _has_long_keys(text: str) -> bool:
    if text.count(".") <= _MOST_DOTS:
        return False
    import re

    bare = re.sub(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", "''", text)
    return any(line.count(".") > _MOST_DOTS for line in bare.split("\n"))


def _table(text: str, path: str) -> dict[str, Any] | None:
    from gracelint import toml

    if len(text) > _LONGEST or _has_long_keys(text):
        raise ConfigError(f"{path}: too large to be read")
    try:
        table = toml.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: too deeply nested to be read") from None
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


def _checked(name: str, check: str) -> Callable[[str, object], dict[str, Any]]:
    """A reader of further rows of a table."""

    def read(key: str, value: object) -> dict[str, Any]:
        from gracelint import rows

        for row_name, row in _tables(key, value).items():
            try:
                getattr(rows, check)(row)
            except rows.RowError as error:
                dot = " " if str(error).startswith("needs ") else "."
                raise _WrongValueError(f"{key}.{row_name}{dot}{error}") from None
        return {name: value}

    return read


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
    if len(parts) < 2 or not (is_whole(parts[0]) and is_whole(parts[1].rstrip("+"))):
        raise _WrongValueError(f'{key} must be a string such as "1.30", not {value!r}')
    return int(parts[0]), int(parts[1].rstrip("+"))


def _seconds(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise _WrongValueError(f"{key} must be a number of seconds, 0 or more, not {value!r}")
    return float(value)


def _file(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _WrongValueError(f"{key} must be the path of a file, not {value!r}")
    return value


def _address(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.startswith(("https://", "http://")) or not value.isprintable():
        raise _WrongValueError(f'{key} must be an address such as "https://docs.example.com/{{rule}}", not {value!r}')
    return value


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


_CHART = ("path", "values", "set", "release", "namespace")


def _charts(key: str, value: object) -> tuple[Chart, ...]:
    if not isinstance(value, list):
        raise _WrongValueError(f"{key} must be written [[{key}]], once for each release")
    return tuple(_chart(key, _rows(key, entry)) for entry in value)


def _chart(key: str, entry: Mapping[str, Any]) -> Chart:
    for name in entry:
        if name not in _CHART:
            raise _WrongValueError(f"unknown key '{key}.{name}'{did_you_mean(name, _CHART)}")
    for name in ("path", "release", "namespace"):
        if not isinstance(entry.get(name, ""), str):
            raise _WrongValueError(f"{key}.{name} must be a string, not {entry[name]!r}")
    if "path" not in entry:
        raise _WrongValueError(f"{key} needs `path`, the folder of a chart")
    return Chart(
        path=entry["path"],
        values=_names(f"{key}.values", entry.get("values", [])),
        set=_rows(f"{key}.set", entry.get("set", {})),
        release=entry.get("release"),
        namespace=entry.get("namespace", "default"),
    )


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
    "baseline": _into("baseline", _file),
    "documentation": _into("documentation", _address),
    "require-reason": _into("require_reason", _flag),
    "cache": _into("cache", _flag),
    "images": _into("images", _image_files),
    "charts": _into("charts", _charts),
    "rules": _into("options", _tables),
    "wrappers": _checked("wrappers", "check_wrapper"),
    "workload-kinds": _checked("workload_kinds", "check_workload"),
    "budget": _into("assume", _budget),
    "kubernetes-version": lambda key, value: {"version": {"kubernetes_version": _version(key, value)}},
}
