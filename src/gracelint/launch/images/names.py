"""Which Dockerfile builds an image of a given name."""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.knowledge import table
from gracelint.launch.images.bases import REGISTRIES, is_known
from gracelint.tree.purpose import is_for_development, is_retired, is_scaffold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Link(Record):
    """A Dockerfile, and how it was found: `how` is declared (configuration), built (a build names both) or named."""

    dockerfile: str
    how: str
    context: str | None = None
    target: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    """Build arguments."""
    bases: tuple[tuple[str, Link], ...] = ()
    """What the build calls other images that are built here."""


class Dockerfiles:
    """Dockerfiles by the names their places give them. An image is looked up, never compared with each of them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._own: dict[str, list[str]] = {}
        self._above: dict[str, list[str]] = {}
        self._names: dict[str, list[frozenset[str]]] = {}
        for path in paths:
            self._own.setdefault(_plain(own_name(path)), []).append(path)
            for folder in {_plain(folder) for folder in path.split("/")[:-1]}:
                self._above.setdefault(folder, []).append(path)

    def builds(self, path: str, repository: str) -> None:
        """That a build gives what it makes of the Dockerfile at `path` this name."""
        names = self._names.setdefault(path, [])
        if len(names) < _MOST_NAMES:
            names.append(frozenset(_JOINT.split(repository.lower())))

    def called(self, repository: str, asked_in: str = "") -> str | None:
        """The one Dockerfile whose place says that it builds an image; None where two do.

        One that is named for development (`Dockerfile.debug`) is not meant where there is another, and one that is
        kept for the record, or that another project is made from, is meant by what stands with it alone. Of several
        that are left, the one in the very folder of the file that asks is meant.
        """
        found = self.fitting(repository, asked_in)
        for stands_apart in (is_retired, is_scaffold):
            if any(map(stands_apart, found)) and not stands_apart(asked_in):
                found = [path for path in found if not stands_apart(path)]
        if len(found) > 1:
            found = [path for path in found if not is_for_development(path)] or found
        if len(found) > 1:
            found = [path for path in found if posixpath.dirname(path) == posixpath.dirname(asked_in)]
        return found[0] if len(found) == 1 else None

    def fitting(self, repository: str, asked_in: str = "") -> list[str]:
        """The Dockerfiles whose places say so equally well, to the file at `asked_in`.

        The end of a name is enough (`team/shop-api` in `api/`) where neither a folder above nor the name that a build
        gives it names another product.
        """
        name = _plain(repository[repository.rfind("/") + 1 :])
        found = self._own.get(name) or self._above.get(name) or []
        if found or "/" not in repository:
            return found if name else []
        by_ending = [(ending, path) for ending in _endings(name) for path in self._own.get(ending, ())]
        if not by_ending:
            return []
        here = posixpath.dirname(asked_in)
        words = {*_JOINT.split(repository.lower())}
        neutral = {*table("images")["shelves"], *words, *_JOINT.split(here.lower())}
        return [
            path
            for ending, path in by_ending
            if neutral.issuperset(_words_above(path, ending)) and self._may_be(path, words)
        ]

    def _may_be(self, path: str, words: set[str]) -> bool:
        """Whether the words of an image's name have those of one that the Dockerfile is built as, where it has any."""
        names = self._names.get(path)
        return names is None or any(map(words.issuperset, names))


def find_dockerfile(
    reference: str,
    dockerfiles: Dockerfiles,
    declared: Mapping[str, str],
    built: Mapping[str, Link],
    otherwise: Callable[[str], Link | None] | None = None,
    asked_in: str = "",
) -> Link | None:
    """The Dockerfile that builds an image, or None: two candidates are no link.

    `declared` is the configuration, `built` what Compose builds; `otherwise` knows other builds of the repository;
    `asked_in` is the file that names the image.
    """
    repository = repository_of(reference)
    for key in (reference, repository, repository[repository.rfind("/") + 1 :]) if declared else ():
        if key in declared:
            return Link(posixpath.normpath(declared[key]), "declared")
    for key in (reference, repository):
        if key in built:
            return built[key]
    if is_known(reference):
        return None
    found = otherwise(reference) if otherwise is not None else None
    if found is not None:
        return found
    path = dockerfiles.called(repository, asked_in)
    return Link(path, "named") if path is not None else None


def plain(reference: str) -> str:
    """`docker.io/team/api:1.4` → `team/api:1.4`: what is called without a registry lies in Docker's."""
    for registry in REGISTRIES:
        reference = reference.removeprefix(registry)
    return reference


def repository_of(reference: str) -> str:
    """`registry:5000/team/api:1.4@sha256:…` → `registry:5000/team/api`."""
    name = plain(reference).partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return head + slash + tail.partition(":")[0]


_JOINT = pattern("[-_/.]")
_MOST_NAMES = 100
"""Names of one Dockerfile that others are held against."""
_JOINTS = (".", "_", "-")
_KINDS = ("dockerfile", "containerfile")


def own_name(path: str) -> str:
    """What a Dockerfile is called: by its own name, else by its folder's; one in the root is called nothing."""
    folder, _, file = path.rpartition("/")
    lower = file.lower()
    for kind in _KINDS:
        if lower.endswith(kind) and lower[: -len(kind)].endswith(_JOINTS) and len(file) > len(kind) + 1:
            return file[: -len(kind) - 1]
    for kind in _KINDS:
        if lower.startswith(kind) and lower[len(kind) :].startswith(_JOINTS) and len(file) > len(kind) + 1:
            return file[len(kind) + 1 :]
    return posixpath.basename(folder)


def _plain(name: str) -> str:
    """A folder's name as that of an image, which has no capitals: `Catalog_API` builds `catalog-api`."""
    return name.lower().replace("_", "-")


def _endings(name: str) -> list[str]:
    """team/shop-api is built in api/, as Compose names its images: what may be a folder's name behind a dash."""
    return [name[place + 1 :] for place in range(len(name) - 3) if name[place] == "-"]


def _words_above(path: str, name: str) -> list[str]:
    """The words of the folders above a Dockerfile, but for the one that it has its name from."""
    folders = path.lower().split("/")[:-1]
    above = folders[:-1] if folders and _plain(folders[-1]) == name else folders
    return [word for folder in above for word in _JOINT.split(folder)]
