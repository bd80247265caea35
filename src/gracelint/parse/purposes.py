"""What a container is there for, by its image's name and by its ports."""

from __future__ import annotations

from fnmatch import fnmatchcase

from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.kubernetes import Port


def is_store(image: str) -> bool:
    """Whether an image is a database or broker: its clients open new connections when they lose one."""
    return _is_one_of("stores", image)


def is_watcher(image: str) -> bool:
    """Whether an image is for operators: a dashboard, or a collector whose senders try again."""
    return _is_one_of("watchers", image)


def listens_as_store(ports: tuple[Port, ...]) -> bool:
    """Whether all its ports are those of databases and brokers."""
    asked = [port.number for port in ports if not port.for_metrics]
    return bool(asked) and set(asked) <= set(table("workloads")["stores"]["ports"])


def last_part(image: str) -> str:
    """`registry:5000/team/api:1.4@sha256:…` → `api`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _is_one_of(kind: str, image: str) -> bool:
    last = last_part(image)
    return any(fnmatchcase(last, pattern) for pattern in table("workloads")[kind]["images"])
