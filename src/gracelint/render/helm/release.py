"""A release: one chart rendered with one set of values."""

from __future__ import annotations

import base64
import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.parse.yaml import length_read
from gracelint.render.dump import dump
from gracelint.render.effort import Effort
from gracelint.render.helm.chart import Chart, Scoped, scoped
from gracelint.render.helm.functions import functions
from gracelint.render.helm.syntax import Template, TemplateSyntaxError, parse
from gracelint.render.helm.template import NO_VALUE, Machine, TemplateError
from gracelint.render.helm.values import Native, shown
from gracelint.render.text import Text, concat, mapped, pieces_of, replaced, split_at
from gracelint.render.values import TooLargeError, placed, weigh
from gracelint.source import Origin, Source, SourceMap, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set
    from typing import Any

    from gracelint.facts.files import Files

NEWEST = (1, 34)
"""The Kubernetes version that charts are told where the settings name none."""


class Release(Record, identity=True):
    """What is installed: `values` win over the chart's own."""

    name: str
    namespace: str = "default"
    values: Mapping[str, Any] = {}
    kubernetes: tuple[int, int] = NEWEST
    kinds: Mapping[str, Any] = {}
    """The user's own kinds of workloads, which are read too."""


class Rendered(Record, identity=True):
    """What one template became."""

    template: Source
    text: str
    map: SourceMap


class Unread(Record):
    """A template that could not be rendered, and the place that shows why."""

    template: Source
    span: Span
    reason: str


Parsed = dict[tuple[Source, str], "dict[str, Template] | Unread"]
"""Templates that were read before, for other releases, by text and name."""


_KEPT_AT_ONCE = 16
"""Code points that are kept, and read by nobody, at the price of one step; those that are parsed take two each."""


def render(
    files: Files, chart: Chart, release: Release, effort: Effort | None = None, parsed: Parsed | None = None
) -> tuple[list[Rendered], list[Unread]]:
    """All manifests of a release, in the order of their templates' paths, and what could not be read."""
    effort = effort or Effort()
    root = scoped(chart, dict(release.values))
    effort.spend(weigh(root.values))
    unread: list[Unread] = []
    templates = _parsed(root, unread, {} if parsed is None else parsed)
    reads: list[tuple[str | int, ...]] = []
    machine = Machine(templates, functions(reads), reads)
    contexts = _contexts(files, root, release, effort)
    made: dict[str, Rendered | Unread] = {}
    manifests = dict(_manifests(root, {id(problem.template) for problem in unread}))
    for name, (part, source) in sorted(manifests.items(), key=_helms_order, reverse=True):
        context = contexts[part.path]
        context["Template"] = {"Name": name, "BasePath": f"{_base(part)}/templates"}
        try:
            text = _run(machine, name, context, effort)
            effort.spend(len(text) // _KEPT_AT_ONCE + 2 * length_read(text, release.kinds))
        except TooLargeError as error:
            made[name] = Unread(source, source.span(0, 0), str(error))
            continue
        except TemplateError as error:
            at = error.origin.span if error.origin is not None and error.origin.source.path else source.span(0, 0)
            made[name] = Unread(source, at, error.reason)
            continue
        if text.strip():
            whole = text if isinstance(text, Text) else Text(text, ((len(text), None),))
            made[name] = Rendered(source, str(text), mapped(whole, Origin(source, 0, 0)))
    results = [made[name] for name in manifests if name in made]
    unread += (result for result in results if isinstance(result, Unread))
    return [result for result in results if isinstance(result, Rendered)], unread


def _manifests(root: Scoped, broken: Set[int]) -> Iterator[tuple[str, tuple[Scoped, Source]]]:
    """The templates that make manifests, by name, in the order of their paths."""
    for part in root.all():
        for path, source in part.chart.templates if not part.chart.library else ():
            if not posixpath.basename(path).startswith("_") and id(source) not in broken:
                yield f"{_base(part)}/{path}", (part, source)


def _helms_order(manifest: tuple[str, object]) -> tuple[int, str]:
    """Helm's `byPathLen`, which it turns round: what a template sets in its dot, those after it see."""
    name, _ = manifest
    return name.count("/"), name


def _run(machine: Machine, name: str, context: dict[str, Any], effort: Effort) -> str:
    before = machine.steps
    machine.allow(effort.left)
    try:
        return _apart(replaced(machine.run(name, context), NO_VALUE, ""))
    finally:
        effort.take(machine.steps - before)


_MARKER = pattern(r"(?m)^---[ \t]*")


def _apart(text: str) -> str:
    """Its documents as Helm splits them: each on lines of its own, whatever stands behind `---`, and without the
    space at its end."""
    cuts: list[tuple[int, int, str]] = []
    for marker in _MARKER.finditer(text) if "---" in text else ():
        _cut_space(text, marker.start(), cuts)
        behind = text[marker.end() : marker.end() + 1]
        if behind and behind not in " \t\r\n-":
            cuts.append((marker.end(), marker.end(), "\n"))
    _cut_space(text, len(text), cuts)
    if not cuts:
        return text
    whole = text if isinstance(text, Text) else Text(text, pieces_of(text))
    parts = split_at(whole, [place for start, end, _ in cuts for place in (start, end)])
    parts[1::2] = [new for _, _, new in cuts]
    return concat(parts)


def _cut_space(text: str, end: int, cuts: list[tuple[int, int, str]]) -> None:
    """Notes what stands between the last line of a document that ends here and the newline behind it."""
    start = end
    while start and text[start - 1] in " \t\r\n":
        start -= 1
    if start and text[start:end] != "\n":
        cuts.append((start, end, "\n"))


def _base(part: Scoped) -> str:
    """The path of a chart as its templates are called by: `parent/charts/child`."""
    return "/charts/".join((part.top, *part.path))


def _parsed(root: Scoped, unread: list[Unread], parsed: Parsed) -> dict[str, Template]:
    """All templates by name. What a chart defines wins over its subcharts' definitions."""
    templates: dict[str, Template] = {}
    for part in sorted(root.all(), key=lambda part: -len(part.path)):
        for path, source in part.chart.templates:
            name = f"{_base(part)}/{path}"
            found = parsed.get((source, name))
            if found is None:
                found = parsed[source, name] = _read(source, name)
            if isinstance(found, Unread):
                unread.append(found)
            else:
                templates |= found
    return templates


def _read(source: Source, name: str) -> dict[str, Template] | Unread:
    try:
        return parse(source, name)
    except TemplateSyntaxError as error:
        return Unread(source, source.span(error.offset, error.offset), error.reason)


def _contexts(files: Files, root: Scoped, release: Release, effort: Effort) -> dict[tuple[str, ...], dict[str, Any]]:
    """The dot of each chart, by its path."""
    contexts: dict[tuple[str, ...], dict[str, Any]] = {}
    about = {
        "Name": release.name,
        "Namespace": release.namespace,
        "Service": "Helm",
        "IsInstall": True,
        "IsUpgrade": False,
        "Revision": 1,
    }
    for part in reversed(list(root.all())):
        contexts[part.path] = {
            "Values": placed(part.values, part.path),
            "Release": about,
            "Chart": _about(part),
            "Files": _files(files, part.chart, effort),
            "Capabilities": _capabilities(release.kubernetes),
            "Subcharts": {inner.chart.name: contexts[inner.path] for inner in part.parts},
        }
    return contexts


def _about(part: Scoped) -> dict[str, Any]:
    given = {key[:1].upper() + key[1:]: value for key, value in part.chart.about.items()}
    text = {key: shown(given.get(key)) for key in ("Version", "AppVersion", "Description", "Type", "KubeVersion")}
    annotations = given.get("Annotations")
    return {
        **given,
        **text,
        "Annotations": annotations if isinstance(annotations, dict) else {},
        "Name": part.chart.name,
        "IsRoot": not part.path,
    }


_SERVED = {
    "admissionregistration.k8s.io": "v1 v1alpha1 v1beta1",
    "apiextensions.k8s.io": "v1 v1beta1",
    "apps": "v1 v1beta1 v1beta2",
    "authentication.k8s.io": "v1 v1alpha1 v1beta1",
    "authorization.k8s.io": "v1 v1beta1",
    "autoscaling": "v1 v2 v2beta1 v2beta2",
    "batch": "v1 v1beta1",
    "certificates.k8s.io": "v1 v1alpha1 v1beta1",
    "coordination.k8s.io": "v1 v1alpha2 v1beta1",
    "discovery.k8s.io": "v1 v1beta1",
    "events.k8s.io": "v1 v1beta1",
    "extensions": "v1beta1",
    "flowcontrol.apiserver.k8s.io": "v1 v1beta1 v1beta2 v1beta3",
    "internal.apiserver.k8s.io": "v1alpha1",
    "networking.k8s.io": "v1 v1alpha1 v1beta1",
    "node.k8s.io": "v1 v1alpha1 v1beta1",
    "policy": "v1 v1beta1",
    "rbac.authorization.k8s.io": "v1 v1alpha1 v1beta1",
    "resource.k8s.io": "v1alpha3 v1beta1 v1beta2",
    "scheduling.k8s.io": "v1 v1alpha1 v1beta1",
    "storage.k8s.io": "v1 v1alpha1 v1beta1",
    "storagemigration.k8s.io": "v1alpha1",
}
_VERSIONS = {"v1", *(f"{group}/{version}" for group, versions in _SERVED.items() for version in versions.split())}
"""What `helm template` takes a cluster to serve: all that client-go knows, of every Kubernetes version."""


def _capabilities(kubernetes: tuple[int, int]) -> dict[str, Any]:
    major, minor = map(str, kubernetes)
    text = f"v{major}.{minor}.0"
    version = Native({"Version": text, "GitVersion": text, "Major": major, "Minor": minor, "String": text}, text)

    def has(asked: Any) -> bool:
        return shown(asked) in _VERSIONS  # helm knows versions without a cluster, and no kinds

    return {
        "KubeVersion": version,
        "APIVersions": Native({"Has": has, "list": sorted(_VERSIONS)}),
        "HelmVersion": {"Version": "v3.18.0", "GitCommit": "", "GitTreeState": "clean", "GoVersion": "go1.24"},
    }


def _files(files: Files, chart: Chart, effort: Effort) -> Native:
    """`.Files`: what lies in the chart, but for its templates and subcharts."""

    def leaves_out(path: str) -> bool:
        return chart.ignored.leaves_out(posixpath.join(chart.root, path))

    def get(path: Any) -> str:
        inside = posixpath.normpath(shown(path))
        if inside.startswith(("..", "/", "templates/", "charts/")):
            return ""
        source = files.read(posixpath.join(chart.root, inside))
        if source is None or leaves_out(inside):
            return ""
        effort.read(source)
        return Text(source.text, ((len(source.text), Origin(source, 0, len(source.text), True)),))

    def lines(path: Any) -> list[str]:
        return get(path).splitlines()

    def glob(pattern: Any) -> Native:
        matching = _matching(files, chart.root, shown(pattern), effort)
        return _found(
            sorted(path for path in matching if not chart.ignored.leaves_out(posixpath.join(chart.root, path))), get
        )

    return Native({"Get": get, "GetBytes": get, "Lines": lines, "Glob": glob})


def _found(paths: list[str], get: Any) -> Native:
    texts = {path: get(path) for path in paths}

    def as_config() -> str:
        return dump({posixpath.basename(path): text for path, text in texts.items()}) if texts else ""

    def as_secrets() -> str:
        coded = {posixpath.basename(path): base64.b64encode(text.encode()).decode() for path, text in texts.items()}
        return dump(coded) if coded else ""

    return Native({"items": texts, "Get": get, "AsConfig": as_config, "AsSecrets": as_secrets})


_MOST_FILES = 5_000


def _matching(files: Files, root: str, pattern: str, effort: Effort) -> Iterator[str]:
    from gracelint.render.helm.functions.patterns import Pattern

    matcher = Pattern("^" + _as_expression(pattern) + "$")
    left = _MOST_FILES
    folders = [""]
    while folders:
        folder = folders.pop()
        names = files.names(posixpath.join(root, folder))
        effort.spend(8 * len(names))
        for name in names:
            left -= 1
            if left < 0:
                raise TemplateError("too large to be followed")
            path = f"{folder}{name}"
            if name.endswith("/"):
                if path not in ("templates/", "charts/"):
                    folders.append(path)
            elif matcher.search(path):
                yield path


def _as_expression(glob: str) -> str:
    """A glob of gobwas/glob, with `/` as its separator."""
    parts: list[str] = []
    index = depth = 0
    while index < len(glob):
        char = glob[index]
        index += 1
        if char == "*":
            both = glob.startswith("*", index)
            parts.append(".*" if both else "[^/]*")
            index += both
        elif char == "?":
            parts.append("[^/]")
        elif char in "{}":
            depth += 1 if char == "{" else -1
            parts.append("(?:" if char == "{" else ")")
        elif char == "," and depth > 0:
            parts.append("|")
        elif char in "[]":
            parts.append(char)
        elif char == "\\" and index < len(glob):
            parts.append("\\" + glob[index])
            index += 1
        else:
            parts.append("\\" + char if char in ".+()|^$" else char)
    return "".join(parts)
