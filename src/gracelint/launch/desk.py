"""What lies open while launches are made: the files, the Dockerfiles by the images they build, and the images."""

from __future__ import annotations

import posixpath

from gracelint.base.limits import ROOM
from gracelint.base.record import Record, replace
from gracelint.facts.dockerfile import Stage
from gracelint.launch.images.bases import image_named, is_known
from gracelint.launch.images.image import image_of
from gracelint.launch.images.layers import context_with, sources_of
from gracelint.launch.images.names import Dockerfiles, Link, find_dockerfile, repository_of
from gracelint.launch.near import COPIED
from gracelint.source import Source, Word
from gracelint.tree.purpose import is_for_development, is_set_aside, says_development

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeVar

    from gracelint.config import Configuration
    from gracelint.facts.compose import Build, ComposeService
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files
    from gracelint.facts.kubernetes import Workload
    from gracelint.facts.launch import Assumptions, Image, Launch, Origin
    from gracelint.facts.program import Program
    from gracelint.launch.builds.declared import Builds
    from gracelint.launch.near import Near
    from gracelint.source import Passage, Span
    from gracelint.tree.warm import Warm

    T = TypeVar("T")
    _Named = tuple[str, str]
    """An image's name, and the path of the file it stands in."""

_MOST_CONTEXTS = 10
_DEEPEST = 2
"""Images that are built from one another under names of the build's own."""


class Stages:
    """The stages of each Dockerfile, read when they are asked for."""

    def __init__(
        self,
        known: dict[str, list[Stage] | None],
        read: Callable[[str], list[Stage]],
        aside: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._known = known
        self._read = read
        self._aside = aside or {}
        """By which keys those are joined that were not read."""

    def __iter__(self) -> Iterator[str]:
        """The paths of all Dockerfiles that can be read."""
        return iter(self._known)

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def __len__(self) -> int:
        return len(self._known)

    def of(self, path: str) -> list[Stage]:
        """Those of a Dockerfile; none where there is no such file."""
        found = self._known.get(path)
        if found is None and path in self._known:
            found = self._known[path] = self._read(path)
        return found or []

    def sources(self, path: str) -> Collection[str]:
        """What a Dockerfile is built from has to have in it."""
        if not self.has_read(path) and path in self._aside:
            return [key[1:] for key in self._aside[path] if key.startswith(COPIED)]
        stages = self.of(path)
        return sources_of(stages[-1]) if stages else ("$",)

    def has_read(self, path: str) -> bool:
        return self._known.get(path) is not None

    def put(self, name: str, stages: list[Stage]) -> None:
        """Takes those that are written in another file."""
        self._known[name] = stages


class Desk:
    """What lies open while launches are made: the files, and the images already looked at."""

    def __init__(
        self,
        stages: Stages,
        services: Iterable[ComposeService],
        files: Files,
        configuration: Configuration,
        warm: Warm | None = None,
        beginnings: int = 1,
        followed: Callable[[], None] = lambda: None,
    ) -> None:
        self.files = files
        self.followed = followed
        """Called when a launch was followed: what was read for it is unlikely to be asked for again."""
        self._beginnings = max(beginnings, 1)
        """Files of the tree in which launches may begin."""
        self._crowds: dict[str, int] = {}
        """Launches that begin in one file, by its path."""
        self.warm = warm
        self.configuration = configuration
        self.programs: dict[int, list[Program]] = {}
        self.broken: list[tuple[Origin, Exception]] = []
        self._stages = stages
        self._dockerfiles = Dockerfiles(self._stages)
        self._inline: dict[str, list[str]] = {}
        """What Dockerfiles are called that stand in a Compose file, by its path."""
        self._parts: dict[str, Span] = {}
        """Where they stand there, by what they are called."""
        self._copies: dict[str, Source] = {}
        """What those stand in, by path: not the file's own text, as edits of Dockerfiles do not fit into it."""
        for service in services:
            if service.build is not None and service.build.inline is not None:
                self._put_inline(service, service.build.inline)
        self._services = {service.name: service for service in services}
        self._built: dict[str, Link] = {}
        for service in services:
            link = self._build_link(service) if service.build is not None and service.image is not None else None
            if link is not None and service.image is not None and link.dockerfile in self._stages:
                repository = repository_of(service.image.value)
                self._built.setdefault(repository, link)
                self._dockerfiles.builds(link.dockerfile, repository)
        self._others: Builds | None = None
        self._links: dict[tuple[str, int, str], Link | None] = {}
        self._only: dict[str, Link] = {}
        self._builds: dict[tuple[object, ...], list[Stage]] = {}
        self._declared: dict[int, dict[str, str]] = {}
        """The Dockerfiles that settings name, by the `id` of the settings."""
        self._targets: dict[int, dict[str, Stage]] = {}
        """Of a Dockerfile that is built, by the `id` of its stages: each by its name and number."""
        self._bases: set[tuple[str, int]] = set()
        self._images: dict[tuple[int, str | None], Image] = {}
        self._users: dict[str, list[tuple[Link, str]]] = {}
        """What runs an image: how it is built, by Dockerfile, and the file that says so."""
        self._has_counted = False
        self._counted: dict[str, dict[tuple[str, int], int]] = {}

    def _put_inline(self, service: ComposeService, inline: Passage) -> None:
        """Reads a Dockerfile within another file, each thing in its place there; none where variables are put in."""
        from gracelint.parse.dockerfile import read_dockerfile
        from gracelint.parse.errors import ParseError

        name, path = _inline_name(service), service.source.path
        self._inline.setdefault(path, []).append(name)
        written = inline.span(0, len(inline.text))
        source = self._copies.setdefault(written.source.path, Source(written.source.path, written.source.text))
        part = self._parts[name] = source.span(written.start, written.end)
        try:
            self._stages.put(name, read_dockerfile(source, part=part) if "$" not in part.text else [])
        except ParseError:
            self._stages.put(name, [])

    def again(self, name: Hashable, value: T) -> T:
        """A value, or the one of that name from the reading before, if that is the same."""
        return value if self.warm is None else self.warm.again(name, value)

    def share_room(self, beginnings: Iterable[ComposeService | Workload]) -> None:
        """Learns which launches begin in one file: they share the room that it has for programs."""
        self._crowds = {}
        for one in beginnings:
            self._crowds[one.source.path] = self._crowds.get(one.source.path, 0) + 1

    def room(self, path: str) -> int:
        """The steps that there are for the programs of a launch that begins in a file, beyond their own worth."""
        return ROOM // self._beginnings // self._crowds.get(path, 1)

    def launches(self, path: str) -> int:
        """How many may read the texts that a launch reads which begins in a file, each in a way of its own."""
        return self._crowds.get(path, 1)

    def count_users(
        self, services: Iterable[ComposeService], workloads: Iterable[Workload], elsewhere: Iterable[_Named] = ()
    ) -> None:
        """Learns, once, what runs which image; `elsewhere` are images of workloads that were not read."""
        if self._has_counted:
            return
        self._has_counted = True
        images = [
            (container.image.value, workload.source.path)
            for workload in workloads
            for container in workload.containers
            if container.image is not None
        ]
        images += elsewhere
        composed = [(self.of_service(service), service.source.path) for service in services]
        deployed = [(self.find(reference, path), path) for reference, path in images]
        taken = {link.dockerfile for link, _ in (*composed, *deployed) if link is not None}
        self._join_the_only_one(services, images, taken)
        if self._only:
            deployed = [(self.find(reference, path), path) for reference, path in images]
        for link, path in (*composed, *deployed):
            if link is not None:
                self._users.setdefault(link.dockerfile, []).append((link, path))

    def _join_the_only_one(
        self, services: Iterable[ComposeService], deployed: Sequence[_Named], taken: set[str]
    ) -> None:
        """The one deployed image that nobody knows is built from the only Dockerfile, where that stands at the root."""
        taken = taken.union(link.dockerfile for link in self._built.values())
        free = (path for path in self._stages if path not in taken and not is_for_development(path))
        one, another = next(free, None), next(free, None)
        if one is None or another is not None or "/" in one:
            return
        named = [
            (service.image.value, service.source.path)
            for service in services
            if service.build is None and service.image is not None
        ]
        unknown = {
            reference
            for reference, path in (*named, *deployed)
            if reference and not is_known(reference) and self.find(reference, path) is None
        }
        if len({repository_of(reference) for reference in unknown}) != 1:
            return
        if not any(reference in unknown for reference, _ in deployed):
            return
        for reference in unknown:
            self._only[reference] = Link(one, "named")

    def users(self, stage: Stage) -> int:
        """How many services and containers run a stage."""
        path = stage.source.path
        if path not in self._counted:
            counts = self._counted[path] = {}
            for name in (path, *self._inline.get(path, ())):
                for link, _ in self._users.get(name, ()):
                    used = self.stage(link)
                    if used is not None:
                        counts[place_of(used)] = counts.get(place_of(used), 0) + 1
        return self._counted[path].get(place_of(stage), 0)

    def running(self, near: Near) -> Iterator[str]:
        """The files that run an image which is built from a stage that is near, of those read so far."""
        for dockerfile, users in self._users.items():
            if dockerfile in near.images or self._stages.has_read(dockerfile):
                yield from (path for link, path in users if near.image(link, self))

    def may_start_with(self, paths: Collection[str], services: Iterable[ComposeService]) -> bool:
        """Whether something that is started here may find one of some files of the project in its image."""
        held = (posixpath.normpath(f"/{place}/") for place in self._held(services)) if paths else ()
        return any(f"/{path}/".startswith(f"{place.rstrip('/')}/") for place in held for path in paths)

    def _held(self, services: Iterable[ComposeService]) -> Iterator[str]:
        """The files and folders of the project of which something may be in an image, or be mounted."""
        from gracelint.launch.mounted import configs_of

        for service in services:
            yield from (host for host, _ in (*service.mounts, *configs_of(service)[0]))
        for dockerfile, users in self._users.items():
            yield from (link.context for link, _ in users if link.context is not None)
            if dockerfile not in self._stages:  # what a build without one puts there is its own affair
                yield ""
        for dockerfile in self._stages:
            sources = self._stages.sources(dockerfile)
            is_known = not any("$" in source for source in sources)
            yield context_with(sources, posixpath.dirname(dockerfile), self.files) if is_known else ""

    def shared(self, stage: Stage | None) -> bool:
        """Whether more than one service or container runs the stage."""
        return stage is not None and self.users(stage) > 1

    def of_service(self, service: ComposeService) -> Link | None:
        """What it is built from; where that is not in the project, what its image's name says."""
        link = self._build_link(service) if service.build is not None else None
        if link is not None and (service.image is None or link.dockerfile in self._stages):
            return link
        return self.named(service.image, service.source) or link

    def _build_link(self, service: ComposeService, depth: int = 0) -> Link:
        build = service.build
        assert build is not None
        given = self._context(service.source, build)
        path = self._file(given, build)
        path = path if build.inline is None else _inline_name(service)
        context = "" if given == "." else given
        others = {
            name: self._services.get(other.removeprefix("service:"))
            for name, other in list((build.contexts or {}).items())[:_MOST_CONTEXTS]
            if other.startswith("service:") and depth < _DEEPEST
        }
        bases = tuple(
            (name, self._build_link(other, depth + 1))
            for name, other in others.items()
            if other is not None and other.build is not None
        )
        return Link(path, "built", context, build.target, tuple((build.arguments or {}).items()), bases)

    def _context(self, source: Source, build: Build) -> str:
        """The folder it is built in.

        Compose takes the paths of all its files from the folder of the first: one that is put over another
        (`-f compose.yml -f tests/redis.yml`) may name a folder that lies beside that other.
        """
        here = posixpath.dirname(source.path)
        own = posixpath.relpath(build.context, here or ".")
        parts = posixpath.join(own, posixpath.dirname(build.dockerfile)).split("/")
        if "://" in build.context or not {*parts}.difference((".", "..", "")):
            return build.context
        given = build.context
        while self._file(given, build) not in self._stages and here:
            here = posixpath.dirname(here)
            given = posixpath.normpath(posixpath.join(here, own))
        return given if self._file(given, build) in self._stages else build.context

    @staticmethod
    def _file(context: str, build: Build) -> str:
        return posixpath.normpath(posixpath.join(context, build.dockerfile))

    def image(self, stage: Stage, context: str | None) -> Image:
        key = (id(stage), context)
        if key not in self._images:
            self._images[key] = self._image_of(stage, context)
        return self._images[key]

    def _image_of(self, stage: Stage, context: str | None) -> Image:
        if self.warm is None:
            return image_of(stage, self.files, context)
        name = ("image", id(stage), context)
        return self.warm.made(name, stage, self.files, lambda asked: image_of(stage, asked, context))

    def stage(self, link: Link) -> Stage | None:
        """The stage a link means: its target, else the last of the file."""
        if not self._stages.of(link.dockerfile):
            return None
        stages = self._built_with(link.dockerfile, link.arguments, link.bases)
        if link.target is None:
            return stages[-1]
        if id(stages) not in self._targets:
            found = self._targets[id(stages)] = {}
            for one in stages:
                found.setdefault(str(one.index), one)
                found.setdefault(one.name or "", one)
        return self._targets[id(stages)].get(link.target.lower())

    def final_stages(self) -> list[Stage]:
        """What each Dockerfile builds, left out those that only serve as a base for others."""
        found: list[Stage] = []
        for path in list(self._stages):
            if self._stages.has_read(path):
                *others, final = self._built_with(path)
                if place_of(final) not in self._bases or any(one.own("CMD") for one in final.lineage()):
                    found.append(final)
                if says_development(final.name or ""):
                    found += [one for one in others if _is_served(one)]
        return found

    def assume(self, source: Source) -> Assumptions:
        """What the settings above a file say of the world its containers live in."""
        return self.configuration.of(source.path).assume

    def named(self, image: Word | None, source: Source) -> Link | None:
        """The Dockerfile that an image's name means in a file."""
        return self.find(image.value, source.path) if image is not None else None

    def fitting(self, image: Word | None, source: Source) -> tuple[str, ...]:
        """The Dockerfiles that an image's name could mean in a file, where it means none of them for sure."""
        if image is None or is_known(image.value):
            return ()
        return tuple(self._dockerfiles.fitting(repository_of(image.value), source.path))

    def find(self, reference: str, path: str) -> Link | None:
        """The Dockerfile that an image's name means in a file of that path."""
        settings = self.configuration.of(path)
        key = (reference, id(settings), path.rpartition("/")[0])
        if key not in self._links:
            if id(settings) not in self._declared:
                self._declared[id(settings)] = settings.image_files()
            declared = self._declared[id(settings)]
            self._links[key] = find_dockerfile(
                reference, self._dockerfiles, declared, self._built, self._otherwise, asked_in=path
            )
        return self._links[key] or self._only.get(reference)

    def _otherwise(self, reference: str) -> Link | None:
        """The build that scripts, pipelines and build files of the repository give for an image."""
        if reference.startswith("ko://"):
            from gracelint.launch.builds.ko import link_of

            return link_of(self.files, reference)
        if self._others is None:
            from gracelint.launch.builds.declared import builds

            self._others = builds(self.files, self._stages)
        found = self._others.of(reference)
        if found is not None:
            return found
        if not self._others.by_themselves:
            return None
        repository = repository_of(reference)
        made = self._others.by_themselves.get(posixpath.basename(repository))
        return made if made is not None and not self._dockerfiles.fitting(repository) else None

    def _built_with(
        self, path: str, arguments: tuple[tuple[str, str], ...] = (), bases: tuple[tuple[str, Link], ...] = ()
    ) -> list[Stage]:
        """The stages of a Dockerfile with build arguments put in, over bases that are built here, too."""
        stages, part = self._stages.of(path), self._parts.get(path)
        text = stages[0].source.text if part is None else part.text
        declared = tuple(pair for pair in arguments if pair[0] in text and "$" not in pair[1])
        named = dict(bases)
        key = (path, declared, bases)
        if key not in self._builds:
            self._builds[key] = stages
            if declared or any(stage.base.value in named or self._may_be_ours(stage) for stage in stages):
                from gracelint.parse.dockerfile import read_dockerfile

                source = stages[0].source
                built = read_dockerfile(source, dict(declared), lambda name: self._base(name, path, named), part)
                self._builds[key] = self.again(("stages", *key), built)
        return self._builds[key]

    def _may_be_ours(self, stage: Stage) -> bool:
        base = stage.base.value
        if stage.parent is not None or "$" in base or is_known(base) or len(self._stages) == 1:
            return False
        return self.find(base, stage.source.path) is not None

    def _base(self, reference: str, path: str, named: Mapping[str, Link]) -> Stage | None:
        """The stage of another Dockerfile that an image after FROM is built from."""
        link = named.get(reference)
        if link is None and "$" not in reference:
            link = self.find(reference, path)
        if link is None or link.dockerfile == path:
            return None
        stage = self.stage(link)
        if stage is None or any(one.source.path == path for one in stage.lineage()):
            return None
        self._bases.add(place_of(stage))
        return stage if link.context is None else replace(stage, context=link.context)


def place_of(stage: Stage) -> tuple[str, int]:
    """A stage, with whatever arguments it is built."""
    return stage.source.path, stage.index


def _inline_name(service: ComposeService) -> str:
    """What stands for the path of a Dockerfile that is written in the Compose file."""
    return f"{service.source.path}#{service.name}"


def _is_served(stage: Stage) -> bool:
    """Whether a stage is one to be built by its name (`--target`), and not for development."""
    starts = stage.own("CMD") is not None or stage.own("ENTRYPOINT") is not None
    return starts and stage.name is not None and not says_development(stage.name)


def served(launches: Iterable[Launch]) -> dict[tuple[str, int], bool]:
    """The stages that are run, and whether anything runs them that is not for development."""
    found: dict[tuple[str, int], bool] = {}
    for launch in launches:
        if launch.stage is not None:
            place = place_of(launch.stage)
            found[place] = found.get(place, False) or _serves(launch)
    return found


def _serves(launch: Launch) -> bool:
    """Whether it runs its stage as what is served, or its stage starts what nobody serves by."""
    return _runs_its_own(launch) if launch.dev_server else not launch.development


def stands_alone(desk: Desk, stage: Stage, run: Mapping[tuple[str, int], bool]) -> bool:
    """Whether nothing here runs what a stage starts by itself: nobody runs it at all, or only for development."""
    if not desk.users(stage):
        return True
    starts = any(one.own("CMD") or one.own("ENTRYPOINT") for one in stage.lineage())
    return starts and not run.get(place_of(stage), True) and not for_development(stage, stage.source)


def _runs_its_own(launch: Launch) -> bool:
    """Whether it starts what its image says."""
    own = launch.image.own_argv if launch.image is not None else None
    return [word.value for word in own or ()] == [word.value for word in launch.argv or ()]


def for_development(stage: Stage | None, source: Source) -> bool:
    """Whether the names of a stage, of its files or of the folders they stand in say that it is for development."""
    if ".devcontainer/" in source.path or is_set_aside(source.path):
        return True
    return stage is not None and (says_development(stage.name or "") or is_for_development(stage.source.path))


class Ground(Record):
    """What a launch stands on besides its own file: its image, and what the settings above the file say."""

    image: Image
    stage: Stage | None
    link: str | None
    """How the image's name led to the stage."""
    fitting: tuple[str, ...]
    """The Dockerfiles that it could mean, where it means none of them for sure."""
    shared: bool
    assume: Assumptions
    wrappers: Mapping[str, Mapping[str, Any]]
    room: int
    launches: int


def ground_of(desk: Desk, source: Source, found: Link | None, reference: Word | None) -> Ground:
    """That of what a file starts from an image, which a Dockerfile builds if one was `found`."""
    image, stage, how = _image(desk, found, reference)
    fitting = desk.fitting(reference, source) if how is None else ()
    return _ground(desk, source, image, stage, how, fitting, shared=desk.shared(stage))


def ground_of_stage(desk: Desk, stage: Stage) -> Ground:
    """That of a Dockerfile by itself."""
    return _ground(desk, stage.source, desk.image(stage, None), stage, None, (), shared=False)


def _ground(
    desk: Desk,
    source: Source,
    image: Image,
    stage: Stage | None,
    link: str | None,
    fitting: tuple[str, ...],
    *,
    shared: bool,
) -> Ground:
    settings, room = desk.configuration.of(source.path), desk.room(source.path)
    launches = desk.launches(source.path)
    return Ground(image, stage, link, fitting, shared, settings.assume, settings.wrappers, room, launches)


def _image(desk: Desk, found: Link | None, reference: Word | None) -> tuple[Image, Stage | None, str | None]:
    stage = desk.stage(found) if found is not None else None
    if found is not None and stage is not None:
        return desk.image(stage, found.context), stage, found.how
    if found is not None:
        from gracelint.launch.builds.declared import image_built_by

        made = image_built_by(desk.files, found)
        if made is not None:
            return made, None, found.how
    return image_named(reference.value if reference is not None else ""), None, None
