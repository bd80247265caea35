"""What the repository itself builds: image names and the Dockerfiles that its build files give for them.

Only what names both counts. Where two builds give one image two meanings, it has none.
"""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import Record, replace
from gracelint.knowledge import table
from gracelint.launch.builds import is_build_file, is_jvm_file
from gracelint.launch.images.names import Link, plain, repository_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.parse.bake import Value

_MOST_FILES = 400
_MOST_TARGETS = 30
"""Of a bake file, that one inherits from: they are followed without end otherwise, and deeply."""
_MOST_BASES = 20
"""That a target names itself."""
_MOST_BUILDS = 4_000
"""Of a bake file."""
_MOST_TEXTS = 100
"""Of a list in one."""
_MOST_COPIES = 400
"""Of what a matrix stands over."""
_MOST_VARIABLES = 20
"""Of a matrix."""
_LONGEST_TEXT = 1_000_000
"""Characters of a script; what is longer was not written by hand."""
_COMMAND_FILES = pattern(
    r"(?:GNU)?[Mm]akefile|[\w.-]+\.(?:mk|sh|bash)|package\.json|[Jj]ustfile|Taskfile\.ya?ml|Jenkinsfile"
    r"|[\w.-]*\.gitlab-ci\.ya?ml|cloudbuild[\w.-]*\.ya?ml|azure-pipelines[\w.-]*\.ya?ml|bitbucket-pipelines\.yml|\.travis\.yml"
)
_MENTIONS = pattern(r"\b(?:docker|podman|nerdctl|buildah|kaniko)\b")
_TARGET = pattern(r"""\btarget\b""")
_OTHER_HCL = (".terraform", "terragrunt")
"""Lock files and settings of other tools."""
RELEASES = (".goreleaser.yaml", ".goreleaser.yml", "goreleaser.yaml", "goreleaser.yml")
"""Where GoReleaser looks for its configuration."""
UNKNOWN = "*"
"""Stands in names for what is only known when a build runs."""


class Build(Record):
    """One build: an image's name and where it comes from.

    `aside` is one that goes by its tag: where others have the name without it, that is theirs.
    """

    image: str
    link: Link
    aside: bool = False


class Builds:
    """Builds by the names of their images.

    `by_themselves` are those of projects that need no Dockerfile: they build what is called as they are.
    """

    def __init__(
        self,
        builds: Iterable[Build],
        by_themselves: Mapping[str, Link] | None = None,
        own: tuple[str, Link] | None = None,
    ) -> None:
        self.by_themselves = by_themselves or {}
        self._own = own
        """What the project itself is called, and what builds it."""
        self._exact: dict[str, Link | None] = {}
        self._open: dict[str, dict[str, Link | None]] = {}
        """Names with unknown parts, by their last one."""
        self._marked: dict[str, dict[str, Link | None]] = {}
        """Tags with open parts (`*-slim`), by the image's name."""
        made = list(builds)
        served = {repository_of(build.image) for build in made if not _is_aside(build)}
        for build in made:
            repository = repository_of(build.image)
            if repository in served and _is_aside(build):
                self._put_tag(build, repository)
                continue
            if UNKNOWN in repository:
                name = posixpath.basename(repository)
                if UNKNOWN not in name:
                    _put(self._open.setdefault(name, {}), repository, build.link)
                continue
            _put(self._exact, repository, build.link)
            self._put_tag(build, repository)

    def _put_tag(self, build: Build, repository: str) -> None:
        name = plain(build.image)
        if name == repository or UNKNOWN in repository:
            return
        if UNKNOWN not in name:
            _put(self._exact, name, build.link)
        elif build.aside:
            _put(self._marked.setdefault(repository, {}), name, build.link)

    def of(self, reference: str) -> Link | None:
        """The build of an image: of its very tag, else of its name."""
        if not (self._exact or self._open or self._own):
            return None
        repository = repository_of(reference)
        found = self._exact.get(plain(reference)) or self._of_mark(repository, plain(reference))
        found = found or self._exact.get(repository)
        if found is not None:
            return found
        patterns = self._open.get(posixpath.basename(repository))
        if patterns is None:
            own = self._own is not None and f"/{repository}".endswith(f"/{self._own[0]}")
            return self._own[1] if self._own is not None and own else None
        links = {link for pattern, link in patterns.items() if _fits(repository, pattern)}
        return links.pop() if len(links) == 1 else None

    def _of_mark(self, repository: str, reference: str) -> Link | None:
        """Of the tags with open parts the longest that fits says the most."""
        marks = self._marked.get(repository, {})
        fitting = [mark for mark in marks if _fits(reference, mark)]
        return marks[max(fitting, key=len)] if fitting else None


def _put(links: dict[str, Link | None], key: str, link: Link) -> None:
    """Of two builds that differ in their arguments alone, what both give counts."""
    other = links.get(key, link)
    if other is not None and other != link:
        common = tuple(item for item in other.arguments if item in link.arguments)
        other, link = replace(other, arguments=common), replace(link, arguments=common)
    links[key] = link if other == link else None


def _is_aside(build: Build) -> bool:
    """Whether only a tag of its own tells it from what is served: a stage for development is told so."""
    if build.aside or build.link.target is None:
        return build.aside
    from gracelint.tree.purpose import says_development

    return says_development(build.link.target)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name is what a pattern leaves open, where each open part is something."""
    first, *parts = pattern.split(UNKNOWN)
    if not parts or not name.startswith(first):
        return name == pattern
    at = len(first)
    for part in parts[:-1]:
        found = name.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return name.endswith(parts[-1]) and at < len(name) - len(parts[-1])


def builds(files: Files, dockerfiles: Iterable[str]) -> Builds:
    """The builds of a project whose Dockerfiles these are."""
    from gracelint.launch.builds.address import own_image

    known = dict.fromkeys(dockerfiles)
    found = list(_by_commands(files, list(known)))
    by_themselves: dict[str, Link] = {}
    if any(map(is_jvm_file, files.listed(""))):
        from gracelint.launch.builds import jvm

        found = [*jvm.builds(files, known.__contains__), *found]
        by_themselves = jvm.by_themselves(files)
    ours = (one for one in found if one.link.dockerfile in known or is_build_file(one.link.dockerfile))
    return Builds(ours, by_themselves, own_image(files, known))


def image_built_by(files: Files, link: Link) -> Image | None:
    """The image that a build makes without a Dockerfile; None where it has one."""
    if is_jvm_file(link.dockerfile):
        from gracelint.launch.builds import jvm

        return jvm.image_built_by(files, link)
    if is_build_file(link.dockerfile):
        from gracelint.launch.builds import ko

        return ko.image_of(files, link)
    return None


def _by_commands(files: Files, dockerfiles: list[str]) -> Iterator[Build]:
    from gracelint.launch.builds import commands

    exists = set(dockerfiles).__contains__
    for path in command_files(files, dockerfiles):
        text = files.glance(path)
        name = posixpath.basename(path)
        if name.endswith(".hcl") or ("bake" in name and name.endswith(".json")):
            yield from _baked(path, text, exists) if _TARGET.search(text) else ()
        elif name == "skaffold.yaml":
            from gracelint.launch.builds.skaffold import artifacts

            yield from artifacts(files, path)
        elif name in RELEASES:
            from gracelint.launch.builds.goreleaser import images

            yield from images(files, path)
        elif name == "Tiltfile":
            from gracelint.launch.builds.tilt import by_tilt

            yield from by_tilt(path, text, exists)
        elif path.startswith(".github/workflows/"):
            if "uses:" in text:
                from gracelint.launch.builds.workflows import pushed

                yield from pushed(files, path)
            yield from commands.by_commands(path, text, exists)
        elif ".gitlab-ci." in name and (_MENTIONS.search(text) or "include" in text):
            from gracelint.launch.builds.pipelines import by_jobs

            yield from by_jobs(files, path, exists)
        elif name.startswith("cloudbuild"):
            from gracelint.launch.builds.pipelines import by_steps

            yield from by_steps(path, text, exists)
        elif name.startswith("azure-pipelines") and len(text) < _LONGEST_TEXT:
            from gracelint.launch.builds.pipelines import by_tasks

            yield from by_tasks(path, text)
            yield from commands.by_commands(path, text, exists)
        elif len(text) < _LONGEST_TEXT and _MENTIONS.search(text):
            yield from commands.by_commands(path, text, exists)


def compose_lists(files: Files, paths: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The Compose files that commands of the repository start together with `-f a -f b`."""
    from gracelint.launch.builds.commands import compose_lists as lists_of

    known = list(paths)
    found: dict[tuple[str, ...], None] = {}
    for path in command_files(files, known):
        text = files.glance(path)
        for names in lists_of(path, text) if "compose" in text[:_LONGEST_TEXT] else ():
            if all(name in known or files.exists(name) for name in names):
                found[names] = None
    return tuple(found)


def command_files(files: Files, beside: Iterable[str]) -> list[str]:
    """The files that may say what is built and started: in the root, in workflows, and above the files given."""
    folders = {"": None, **dict.fromkeys(table("builds")["scripts"]["folders"]), ".github/workflows": None}
    for path in beside:
        while path:
            path = posixpath.dirname(path)
            folders[path] = None
    found: dict[str, list[str]] = {folder: [] for folder in folders}
    for path in files.listed(""):
        folder, _, name = path.rpartition("/")
        if folder in found and _is_of_interest(folder, name):
            found[folder].append(path)
        elif name.endswith(".hcl") and not name.startswith(_OTHER_HCL):
            found[""].append(path)  # bake is told where it is
    return [path for paths in found.values() for path in paths][:_MOST_FILES]


def _is_of_interest(folder: str, name: str) -> bool:
    if folder in (".github/workflows", ".circleci"):
        return name.endswith((".yml", ".yaml"))
    if name in ("skaffold.yaml", "Tiltfile", *RELEASES) or ("bake" in name and name.endswith(".json")):
        return True
    if name.endswith(".hcl"):
        return not name.startswith(_OTHER_HCL)
    return _COMMAND_FILES.fullmatch(name) is not None


# Build files


def _baked(path: str, text: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    """The targets of a bake file, whose paths begin where bake is run: in its folder, or in the root."""
    from gracelint.parse.bake import read_targets

    targets = read_targets(text) if path.endswith(".hcl") else _json_targets(path, text)
    room = iter(range(_MOST_BUILDS))
    for name in targets:
        body = _inherited(name, targets, {})
        for values in _matrix(body.get("matrix")):
            if next(room, None) is None:
                return
            for folder in dict.fromkeys((posixpath.dirname(path), "")):
                link = _target_link(body, values, folder, targets, 0)
                if link is not None and exists(link.dockerfile):
                    yield from (Build(_VARIABLE.sub(UNKNOWN, tag), link) for tag in _texts(body.get("tags"), values))
                    break


def _target_link(
    body: Mapping[str, Value],
    values: Mapping[str, str],
    folder: str,
    targets: Mapping[str, dict[str, Value]],
    depth: int,
) -> Link | None:
    """Where a target's image comes from, and those of other targets that it calls by names of its own."""
    context, file = _texts(body.get("context"), values), _texts(body.get("dockerfile"), values)
    target, args, contexts = _texts(body.get("target"), values), body.get("args"), body.get("contexts")
    arguments = args.items() if isinstance(args, dict) else ()
    link = link_to(
        posixpath.join(folder, context[0] if context else "."),
        file[0] if file else None,
        target[0] if target else None,
        tuple((key, value) for key, value in arguments if isinstance(value, str) and not {"$", "\0"} & {*value}),
    )
    if link is None or not isinstance(contexts, dict) or depth > 1:
        return link
    bases = []
    for name, other in list(contexts.items())[:10]:
        if isinstance(other, str) and other.startswith("target:"):
            below = _inherited(other.removeprefix("target:"), targets, {})
            base = _target_link(below, {}, folder, targets, depth + 1) if below else None
            bases += [(name, base)] if base is not None else []
    return replace(link, bases=tuple(bases))


_VARIABLE = pattern(r"\$\{[^}]*\}")


def _json_targets(path: str, text: str) -> dict[str, dict[str, Value]]:
    root = document(path, text)
    targets = root.mapping("target") if root is not None else None
    return {key.value: _plain(value) for key, value in targets.items} if targets is not None else {}  # type: ignore[misc]


def _plain(node: object) -> Value:
    from gracelint.facts.yaml import Mapping, Scalar, Sequence

    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {key.value: _plain(value) for key, value in node.items} if isinstance(node, Mapping) else None


def _inherited(
    name: str, targets: Mapping[str, dict[str, Value]], done: dict[str, dict[str, Value]]
) -> dict[str, Value]:
    """A target over those it inherits from. `done` holds what was put together before."""
    if name not in done:
        body = targets.get(name)
        body = body if isinstance(body, dict) else {}
        done[name] = body
        below: dict[str, Value] = {}
        bases = body.get("inherits")
        for base in _texts(bases[:_MOST_BASES] if isinstance(bases, list) else bases, {}):
            below |= _inherited(base, targets, done) if len(done) < _MOST_TARGETS else {}
        done[name] = {**below, **body}
    return done[name]


def _matrix(value: Value) -> list[dict[str, str]]:
    """The values of a matrix: one of each variable with one another; of what has parts, those (`item.name`)."""
    variables = value.items() if isinstance(value, dict) else ()
    return copies(
        [one for item in items if (one := _parts(name, item))] for name, items in variables if isinstance(items, list)
    )


def _parts(name: str, item: Value) -> dict[str, str]:
    if isinstance(item, dict):
        return {f"{name}.{key}": text for key, text in item.items() if isinstance(text, str)}
    return {name: item} if isinstance(item, str) else {}


def _texts(value: Value, values: Mapping[str, str]) -> list[str]:
    """A text, or those of a list, with the values of a matrix put in."""
    from gracelint.parse.bake import filled

    items = value[:_MOST_TEXTS] if isinstance(value, list) else [value]
    found = [filled(item, values) for item in items if isinstance(item, str)]
    return [item for item in found if isinstance(item, str) and not item.startswith("\0")]


def copies(choices: Iterable[list[dict[str, str]]]) -> list[dict[str, str]]:
    """What a matrix makes of what its variables may be: one of each with one another."""
    from itertools import chain, islice, product

    varied = islice(filter(None, choices), _MOST_VARIABLES)
    rows = islice(product(*varied), _MOST_COPIES)
    return [dict(chain.from_iterable(one.items() for one in row)) for row in rows]


def document(path: str, text: str) -> Node | None:
    """The root of the first mapping of a YAML file; None where there is none."""
    return next(iter(documents(path, text)), None)


def documents(path: str, text: str) -> list[Node]:
    """The roots of a YAML file that are mappings."""
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.parse.errors import ParseError, TemplatedError
    from gracelint.parse.yaml import read_documents
    from gracelint.source import Source

    try:
        found = read_documents(Source(path, text))
    except (ParseError, TemplatedError):
        return []
    return [one.root for one in found if isinstance(one.root, Node)]


def link_to(
    context: str, file: str | None, target: str | None, arguments: tuple[tuple[str, str], ...] = ()
) -> Link | None:
    """A build's Dockerfile, which `file` gives relative to its context; None where a part of it is not known."""
    if UNKNOWN in context or "$" in context or UNKNOWN in (file or "") or "$" in (file or "") or "://" in context:
        return None
    folder = posixpath.normpath(context)
    path = posixpath.normpath(posixpath.join(folder, file or "Dockerfile"))
    known = target if target and "$" not in target and UNKNOWN not in target else None
    if target and known is None:
        return None
    return Link(path, "built", "" if folder == "." else folder, known, arguments)
