"""What a chart's .helmignore leaves out of the chart (https://helm.sh/docs/chart_template_guide/helm_ignore_file/)."""

from __future__ import annotations

import fnmatch
import posixpath

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.files import Files

_MOST_RULES = 150
"""As many as `fnmatch` keeps compiled."""


class _Rule(Record):
    steps: tuple[str, ...]
    """One where it is held against names, wherever they are; more where against whole paths."""
    rooted: bool
    folders: bool
    """It speaks of folders alone."""
    negated: bool

    def fits(self, path: str) -> bool:
        names = path.split("/")
        if not self.rooted:
            names = names[-1:]
        return len(names) == len(self.steps) and all(map(fnmatch.fnmatchcase, names, self.steps))


class Ignored(Record, identity=True):
    """The rules of the chart in `root`, which hold for its subcharts too."""

    root: str
    rules: tuple[_Rule, ...]

    def leaves_out(self, path: str) -> bool:
        """Whether a file below the root is no part of the chart, or a folder that it lies in."""
        inside = posixpath.relpath(path, self.root or ".")
        ends = [index for index, char in enumerate(inside) if char == "/"]
        return any(self._leaves_out(inside[:end], True) for end in ends) or self._leaves_out(inside, False)

    def _leaves_out(self, path: str, is_folder: bool) -> bool:
        for rule in self.rules:
            if rule.negated:
                if (rule.folders and not is_folder) or not rule.fits(path):
                    return True
            elif (is_folder or not rule.folders) and rule.fits(path):
                return True
        return False


_HIDDEN = _Rule(("templates", ".?*"), True, False, False)


def ignored_in(files: Files, root: str) -> Ignored:
    """What the chart in a folder leaves out. Helm reads no `.helmignore` that has a rule with `**`."""
    source = files.read(posixpath.join(root, ".helmignore"))
    lines = [line.strip() for line in source.text.lstrip("\ufeff").splitlines()] if source is not None else []
    rules = [_rule(line) for line in lines[:_MOST_RULES] if line and not line.startswith("#")]
    return Ignored(root, (*rules, _HIDDEN))


def _rule(line: str) -> _Rule:
    negated = line.startswith("!")
    pattern = line[negated:]
    folders = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    steps = tuple(pattern.removeprefix("/").split("/"))
    return _Rule(steps, "/" in pattern, folders, negated)
