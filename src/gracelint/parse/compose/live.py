"""Compose files that bring a developer's own sources to life: a reloader runs what is mounted from beside the file."""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.knowledge import keys, table
from gracelint.parse.compose.service import STARTS
from gracelint.tree.purpose import starting_production

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.compose import ComposeService


def without_live(services: list[ComposeService]) -> list[ComposeService]:
    """The services; those that a file with such a reloader starts are for development, whatever runs beside it."""
    live = {path for service in services if _reloads(service) for path in _command_paths(service)}
    live = {path for path in live if not starting_production((posixpath.basename(path),))}
    if not live:
        return services
    return [replace(one, development=True) if _is_started_in(one, live) else one for one in services]


def _reloads(service: ComposeService) -> bool:
    """Whether a service watches sources of the project, which are mounted into it."""
    words = [word for each in (*(service.entrypoint or ()), *(service.command or ())) for word in each.value.split()]
    if not any(map(_is_reloader, words, ["", *words])) or _is_server(service):
        return False
    return any(_holds_sources(service, host) for host, _ in service.mounts)


def _is_reloader(word: str, before: str) -> bool:
    """Whether a word of a command reloads, and is not what an option in front of it is given: `-A dev`."""
    given = before.startswith("-") and not _RUNS.fullmatch(before) and not word.startswith("-")
    return word in table("compose")["reloaders"] and not given


_RUNS = pattern(r"-[a-z]*[cm]|--|-r|-s|--(?:parallel|recursive|silent)")
"""Options in front of what is run: those of shells and interpreters, and those of package managers without a value."""


def _is_server(service: ComposeService) -> bool:
    """Whether an image is a server such as `caddy:2`, which reloads its configuration: it runs nobody's sources."""
    if service.build is not None or service.image is None:
        return False
    return posixpath.basename(service.image.value).partition(":")[0] in keys("servers")


def _holds_sources(service: ComposeService, host: str) -> bool:
    """Whether a mounted path is the project, or a folder of what the service is built from."""
    if host in (".", posixpath.dirname(service.source.path)):
        return True
    context = service.build.context if service.build is not None else None
    below = context is not None and (context == "." or host == context or host.startswith(f"{context}/"))
    return below and not posixpath.splitext(host)[1]


def _command_paths(service: ComposeService) -> Iterator[str]:
    for key in ("command", "entrypoint"):
        document, node = service.holder(key)
        if node.get(key) is not None:
            yield document.source.path


def _is_started_in(service: ComposeService, paths: set[str]) -> bool:
    return service.source.path in paths or any(
        document.source.path in paths and any(own.get(key) for key in STARTS) for document, own in service.layers
    )
