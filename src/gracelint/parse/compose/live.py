"""Compose files that bring a developer's own sources to life.

What is mounted from beside the file is run by a reloader, in a stage named for development, or in an environment that
says so.
"""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.knowledge import keys, table
from gracelint.parse.compose.service import STARTS
from gracelint.tree.purpose import says_development, starting_production

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.compose import ComposeService


def without_live(services: list[ComposeService]) -> list[ComposeService]:
    """The services; those that such a file starts are for development, whatever runs beside it."""
    live = {path for service in services if _is_live(service) for path in _command_paths(service)}
    live = {path for path in live if not starting_production((posixpath.basename(path),))}
    if not live:
        return services
    return [replace(one, development=True) if _is_started_in(one, live) else one for one in services]


def _is_live(service: ComposeService) -> bool:
    """Whether a service runs sources of the project as they are mounted into it, for those who work on them."""
    if _is_server(service) or not (_reloads(service) or _is_named_for_development(service)):
        return False
    return any(_holds_sources(service, host) or _starts_in(service, inside) for host, inside in service.mounts)


def _reloads(service: ComposeService) -> bool:
    words = _words(service)
    return any(map(_is_reloader, words, ["", *words]))


def _words(service: ComposeService) -> list[str]:
    """Those of its command, of shell text too."""
    lines = (*(service.entrypoint or ()), *(service.command or ()))
    return [word for line in lines for word in line.value.split()]


def _is_named_for_development(service: ComposeService) -> bool:
    """Whether the stage it is built from, or its environment, is called so: `target: dev`, `NODE_ENV: development`."""
    if service.build is not None and says_development((service.build.target or "").lower()):
        return True
    if not service.environment:
        return False
    from gracelint.parse.purposes import is_told_to_develop

    return is_told_to_develop(service.environment)


def _is_reloader(word: str, before: str) -> bool:
    """Whether a word of a command reloads, and is not what an option in front of it is given: `-A dev`."""
    given = before.startswith("-") and not _RUNS.fullmatch(before) and not word.startswith("-")
    return word in table("compose")["reloaders"] and not given


_RUNS = pattern(r"-[a-z]*[cm]|--|-r|-s|--(?:parallel|recursive|silent)|-(?:ntp|B|q)")
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


def _starts_in(service: ComposeService, inside: str) -> bool:
    """Whether an image that is not built here is started in a folder that is mounted, or runs what is in it."""
    if service.build is not None or inside in ("", "/"):
        return False
    at = [service.working_dir.value] if service.working_dir is not None else []
    return any(place == inside or place.startswith(f"{inside}/") for place in (*at, *_words(service)))


def _command_paths(service: ComposeService) -> Iterator[str]:
    for key in ("command", "entrypoint"):
        document, node = service.holder(key)
        if node.get(key) is not None:
            yield document.source.path


def _is_started_in(service: ComposeService, paths: set[str]) -> bool:
    return service.source.path in paths or any(
        document.source.path in paths and any(own.get(key) for key in STARTS) for document, own in service.layers
    )
