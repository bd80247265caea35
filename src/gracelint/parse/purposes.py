"""What a container is there for, by its image's name, its arguments and its ports, and what a manifest is."""

from __future__ import annotations

from gracelint.base.memory import cache, lru_cache
from gracelint.base.patterns import pattern
from gracelint.knowledge import table
from gracelint.tree.purpose import holds_tests, is_example, is_retired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gracelint.facts import yaml
    from gracelint.facts.kubernetes import Container, Port
    from gracelint.source import Source, Word


def is_sample(source: Source) -> bool:
    """Whether a manifest is there to be read, or was rendered with values that only exercise a chart."""
    tried = source.unit is not None and "/ci/" in f"/{source.unit.values}"
    return tried or _hold_samples(source.path.rpartition("/")[0])


@lru_cache(maxsize=256)
def _hold_samples(folders: str) -> bool:
    named = folders.lower().split("/")
    inside = f"{folders}/"
    return (
        not set(table("workloads")["samples"]["folders"]).isdisjoint(named)
        or is_example(inside)
        or is_retired(inside)
        or holds_tests(inside)
        or any(map(_is_no_place_to_mend, named))
    )


_SCAFFOLDS = frozenset(("skeleton", "scaffold", "boilerplate"))
_RELEASE = pattern(r"v?[0-9]+[.][0-9]+[.][0-9]+(?:-[0-9a-z.]+)?")


def _is_no_place_to_mend(folder: str) -> bool:
    """Whether a folder holds what was released under a version, or what others are to fill in: `service-template`."""
    *first, last = words_of(folder)
    scaffold = not _SCAFFOLDS.isdisjoint((*first, last)) or (last == "template" and bool(first))
    return scaffold or _RELEASE.fullmatch(folder) is not None


def is_told_to_develop(environment: Mapping[str, Word | None]) -> bool:
    """Whether variables tell a program that those who work on it start it: `NODE_ENV=development`, `FLASK_DEBUG=1`."""
    known = table("compose")
    given = {name: word.value.lower() for name, word in environment.items() if word is not None}
    named = any(given.get(name) in known["working"] for name in known["environments"])
    return named or any(given.get(name) in ("1", "true") for name in known["switches"])


def is_out_of_date(version: str) -> bool:
    """Whether an object is of an API version that clusters have stopped to serve: nobody applies it to a new one."""
    return version in table("workloads")["removed"]["versions"]


def is_written_by_tool(annotations: Iterable[str]) -> bool:
    """Whether the annotations of an object are those that a tool leaves on what it has made or completed."""
    return not set(table("workloads")["tools"]["annotations"]).isdisjoint(annotations)


def leads(container: Container) -> bool:
    """Whether its replicas elect a leader: the others have nothing to drain."""
    operators = table("workloads")["operators"]
    words = [word.value for word in (*(container.command or ()), *(container.args or ()))]
    told = [word for word in words if any(flag in word for flag in operators["flags"])]
    if told:
        return any(not word.endswith("=false") for word in told)
    return container.image is not None and _is_one_of("operators", container.image.value)


def is_store(image: str) -> bool:
    """Whether an image is a database or broker: its clients open new connections when they lose one."""
    return _is_one_of("stores", image)


def is_watcher(image: str) -> bool:
    """Whether an image is for operators: a dashboard, or a collector whose senders try again."""
    return _is_one_of("watchers", image)


def takes_jobs(name: str) -> bool:
    """Whether a container is named after what fetches its work by itself: `worker`, `mail-consumer`."""
    return not set(table("workloads")["jobs"]["words"]).isdisjoint(words_of(name))


def is_web_server(name: str, image: str) -> bool:
    """Whether a container and its image are both named after a web server: `web-nginx`, of `team/kubenginx`."""
    words, last = name.split("-"), last_part(image)
    return any(server in words and server in last for server in table("workloads")["web-servers"]["names"])


def is_given_web_config(node: yaml.Mapping) -> bool:
    """Whether the configuration of a web server is mounted into a container."""
    mounted = (mount.scalar("mountPath") for mount in node.mappings("volumeMounts"))
    paths = table("workloads")["web-servers"]["paths"]
    return any(is_below(path.value, each) for path in mounted if path is not None for each in paths)


def is_below(path: str, root: str) -> bool:
    """Whether a path is a folder, or lies in it."""
    return path == root or (root != "/" and path.startswith(f"{root}/"))


@lru_cache(maxsize=1024)
def says_metrics(name: str) -> bool:
    """Whether a port or Service is called after metrics."""
    return not set(table("workloads")["metrics"]["words"]).isdisjoint(words_of(name))


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case."""
    return name.lower().replace("_", "-").replace(".", "-").split("-")


def listens_as_store(ports: tuple[Port, ...]) -> bool:
    """Whether all its ports are those of databases and brokers."""
    asked = [port.number for port in ports if not port.for_metrics]
    return bool(asked) and set(asked) <= set(table("workloads")["stores"]["ports"])


def last_part(image: str) -> str:
    """`registry:5000/team/api:1.4@sha256:…` → `api`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _is_one_of(kind: str, image: str) -> bool:
    last = last_part(image)
    names, beginnings, endings = _names(kind)
    return last in names or last.startswith(beginnings) or last.endswith(endings)


@cache
def _names(kind: str) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """The names of a kind's images, what they begin with, and what they end with."""
    images = table("workloads")[kind]["images"]
    beginnings = tuple(name[:-1] for name in images if name.endswith("*"))
    return frozenset(images), beginnings, tuple(name[1:] for name in images if name.startswith("*"))
