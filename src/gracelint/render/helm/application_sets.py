"""The Applications that an ApplicationSet makes.

https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/
"""

from __future__ import annotations

import posixpath
import re
from itertools import islice

from gracelint.base.record import replace
from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.render.globs import matching
from gracelint.render.helm.loose import filled_text
from gracelint.render.helm.template import TemplateError
from gracelint.render.values import TooLargeError, read_values, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Node

    Parameters = dict[str, Any]

_MOST = 500
"""Applications of one set."""
_MOST_SETS = 10_000
"""Sets of parameters that the generators of one ApplicationSet look at, those that are left out again included."""


def applications(files: Files, root: Mapping) -> Iterator[Mapping]:
    """Its template for each set of parameters; as it is written where only a cluster or a service knows them."""
    template, spec = root.mapping("spec", "template"), root.mapping("spec")
    if template is None or spec is None:
        return
    written = spec.scalar("goTemplate")
    generators = _Generators(files, go=written is not None and written.value == "true")
    made = 0
    for generator in spec.mappings("generators"):
        found = generators.sets(generator, {}, 0)
        if found is None:
            yield template
        for parameters in found or ():
            made += 1
            if made > _MOST:
                return
            yield _mapping(template, parameters, generators.go)


class _Generators:
    """The generators of one ApplicationSet, which may stand in each other and filter what the others say."""

    def __init__(self, files: Files, *, go: bool) -> None:
        self.go = go
        self._files = files
        self._left = _MOST_SETS

    def sets(self, generator: Mapping, known: Parameters, depth: int) -> list[Parameters] | None:
        """The parameter sets of a generator; None where they cannot be known from files."""
        found = self._of_kind(_mapping(generator, known, self.go) if known else generator, depth)
        if found is None:
            return None
        selector = generator.mapping("selector", "matchLabels")
        for name, wanted in selector.items if selector is not None else ():
            text = wanted.value if isinstance(wanted, Scalar) else None
            found = [each for each in found if _flat(each).get(name.value) == text]
        return found[:_MOST]

    def _of_kind(self, generator: Mapping, depth: int) -> list[Parameters] | None:
        listed, git = generator.mapping("list"), generator.mapping("git")
        matrix, merge = generator.mapping("matrix"), generator.mapping("merge")
        if listed is not None and listed.get("elementsYaml") is None:
            values = (_value(element) for element in listed.mappings("elements"))
            return self._taken(value if self.go else _flat(value) for value in values if isinstance(value, dict))
        if git is not None:
            found = _from_git(self._files, git, self.go)
            return self._taken(_with_own_values(git, each, self.go) for each in found)
        if matrix is not None and depth < 3:
            return self._matrix(matrix, depth)
        if merge is not None and depth < 3:
            return self._merge(merge, depth)
        return None

    def _taken(self, found: Iterable[Parameters]) -> list[Parameters]:
        """As many as may still be looked at."""
        taken = list(islice(found, self._left))
        self._left -= len(taken)
        return taken

    def _matrix(self, matrix: Mapping, depth: int) -> list[Parameters] | None:
        sets: list[Parameters] = [{}]
        for inner in matrix.mappings("generators"):
            both: list[Parameters] = []
            for first in sets:
                second = self.sets(inner, first, depth + 1)
                # What the other generators say may do, as the chart's path mostly comes of them.
                both += [{**first, **each} for each in ([{}] if second is None else second)]
                if len(both) >= _MOST or self._left <= 0:
                    break
            sets = both
        return sets if any(sets) else None

    def _merge(self, merge: Mapping, depth: int) -> list[Parameters] | None:
        keys = [key.value for key in merge.sequence("mergeKeys") if isinstance(key, Scalar)]
        result: dict[tuple[Any, ...], Parameters] | None = None
        for inner in merge.mappings("generators"):
            found = self.sets(inner, {}, depth + 1)
            if found is None:
                return None
            by_key = {tuple(_flat(each).get(key) for key in keys): each for each in found}
            known = by_key if result is None else result
            result = {key: {**each, **by_key.get(key, {})} for key, each in known.items()}
        return list((result or {}).values())


def _from_git(files: Files, git: Mapping, go: bool) -> Iterator[Parameters]:
    """The folders or files of this repository: an ApplicationSet mostly lies beside what it installs."""
    prefix = git.scalar("pathParamPrefix")
    named = _paths(git, "directories", exclude=False), _paths(git, "directories", exclude=True)
    without = {path for pattern in named[1] for path in matching(files, pattern, folders=True)}
    for pattern in named[0]:
        for path in matching(files, pattern, folders=True):
            if path not in without:
                yield _about(path, prefix, go)
    for pattern in _paths(git, "files", exclude=False):
        for path in matching(files, pattern):
            source = files.read(path)
            try:
                found = read_values(source) if source is not None else None
            except (ParseError, TemplatedError, TooLargeError):
                continue
            for each in found if isinstance(found, list) else [found]:
                if isinstance(each, dict):
                    content = each if go else _flat(each)
                    yield {**content, **_about(posixpath.dirname(path), prefix, go, posixpath.basename(path))}


def _paths(git: Mapping, key: str, *, exclude: bool) -> list[str]:
    found = []
    for entry in git.mappings(key):
        path, excluded = entry.scalar("path"), entry.scalar("exclude")
        if path is not None and (excluded is not None and excluded.value == "true") == exclude:
            found.append(path.value)
    return found


def _about(path: str, prefix: Scalar | None, go: bool, name: str = "") -> Parameters:
    """What a generator says of a path (`path.basename`, `path[0]`)."""
    base = posixpath.basename(path)
    about: Parameters = {"path": path, "basename": base, "basenameNormalized": _normal(base)}
    about |= {"filename": name, "filenameNormalized": _normal(name)} if name else {}
    segments = path.split("/")
    if go:
        inner: Parameters = {"path": {**about, "segments": segments}}
        return {prefix.value: inner} if prefix is not None else inner
    start = f"{prefix.value}.path" if prefix is not None else "path"
    flat: Parameters = {start if key == "path" else f"{start}.{key}": value for key, value in about.items()}
    return flat | {f"{start}[{index}]": segment for index, segment in enumerate(segments)}


def _normal(name: str) -> str:
    """A name as one of Kubernetes may be."""
    return re.sub(r"[^-a-z0-9.]", "-", name.lower())[:253].strip("-.")


def _with_own_values(generator: Mapping, found: Parameters, go: bool) -> Parameters:
    """With `values:` of the generator, which may name other parameters."""
    own = generator.mapping("values")
    value = _value(_mapping(own, found, go)) if own is not None else None
    if not isinstance(value, dict):
        return found
    return {**found, "values": value} if go else {**found, **_flat({"values": value})}


def _value(node: Node) -> Any:
    try:
        return value_of(node)
    except TooLargeError:
        return None


def _flat(value: Any, start: str = "", depth: int = 0) -> Parameters:
    """Nested values as the old templates call them: `cluster.address`."""
    if not isinstance(value, dict) or depth > 20:
        return {start: _shown(value)}
    found: Parameters = {}
    for key, item in value.items():
        found |= _flat(item, f"{start}.{key}" if start else str(key), depth + 1)
    return found


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


# Filling in

_PLACE = re.compile(r"\{\{\s*([\w.\[\]-]{1,200})\s*\}\}")


def _mapping(node: Mapping, parameters: Parameters, go: bool) -> Mapping:
    found = _filled(node, parameters, go)
    assert isinstance(found, Mapping)
    return found


def _filled(node: Node, parameters: Parameters, go: bool) -> Node:
    if isinstance(node, Mapping):
        items = tuple((key, _filled(value, parameters, go)) for key, value in node.items)
        return replace(node, entries=items)
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_filled(item, parameters, go) for item in node.items))
    if "{{" not in node.value:
        return node
    if not go:
        return replace(node, value=_PLACE.sub(lambda match: _shown(parameters.get(match[1], match[0])), node.value))
    try:
        return replace(node, value=filled_text(node.value, parameters, {"normalize": lambda text: _normal(str(text))}))
    except TemplateError:
        return node
