"""Settings of the stop that stand where nobody reads them."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.facts.yaml import Mapping, Misplaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.compose import ComposeService
    from gracelint.facts.kubernetes import Container
    from gracelint.facts.yaml import Document
    from gracelint.source import Located

_GRACE = "terminationGracePeriodSeconds"
_HOOKS = ("preStop", "stopSignal")
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_OF_CONTAINERS = ("lifecycle", "preStop", *_PROBES)
_IN_POD = ("lifecycle", *_HOOKS, *_PROBES)
_BUILT_IN = ("", "apps", "batch", "extensions")
"""API groups whose objects have no such keys of their own."""
_COMPOSE = ("stop_grace_period", "stop_signal", "init")
_STAYS = {
    _GRACE: "the grace period stays 30 s",
    "stop_grace_period": "the grace period stays 10 s",
    "stop_signal": "the signal stays the image's own",
    "init": "the service gets no init",
}


class _Pod(Record):
    """What is known of a workload when its containers are."""

    document: Document
    node: Mapping
    pod: Mapping
    grace: Located[float]
    only: Mapping | None
    """The container, where it is the only one that matters."""


def in_pod(
    document: Document, node: Mapping, pod: Mapping, containers: tuple[Container, ...], grace: Located[float]
) -> Iterator[tuple[Container, Misplaced]]:
    """What is misplaced in a workload, and in which container: the first one stands for what is around them."""
    version = node.scalar("apiVersion")
    if (version.value if version else "").rpartition("/")[0] not in _BUILT_IN:
        return
    mains = [one for one in containers if one.role == "main"]
    around = _Pod(document, node, pod, grace, mains[0].node if len(mains) == 1 else None)
    for container in containers:
        yield from ((container, found) for found in _in_container(around, container.node))
        if container is containers[0]:
            yield from ((container, found) for found in _around(around))


def _around(workload: _Pod) -> Iterator[Misplaced]:
    pod, only = workload.pod, workload.only
    for key in _among(pod, _IN_POD):
        yield from _found(workload, pod, key, "stands in the pod's spec", _home(only, key), "into the container")
    for place, name in _above(workload):
        yield from _found(workload, place, _GRACE, f"stands {name}", pod, "into the pod's spec")
        for key in _among(place, _OF_CONTAINERS):
            yield from _found(workload, place, key, f"stands {name}", _home(only, key), "into the container")


def _in_container(workload: _Pod, node: Mapping) -> Iterator[Misplaced]:
    yield from _found(workload, node, _GRACE, "stands in the container", workload.pod, "into the pod's spec")
    lifecycle = node.mapping("lifecycle")
    if lifecycle is not None:
        yield from _found(workload, lifecycle, _GRACE, "stands in `lifecycle`", workload.pod, "into the pod's spec")
    for key in _among(node, _HOOKS):
        yield from _found(workload, node, key, "stands beside `lifecycle`", _home(node, key), "into `lifecycle`")


def _among(place: Mapping, keys: tuple[str, ...]) -> list[str]:
    """Those of some keys that a mapping has."""
    names = {name.value for name, _ in place.items}
    return [key for key in keys if key in names]


def _home(container: Mapping | None, key: str) -> tuple[Mapping | None, str | None]:
    """The mapping that a key of a container belongs into, and the entry of it that has to be made first."""
    if container is None or key not in _HOOKS:
        return container, None
    lifecycle = container.mapping("lifecycle")
    return (lifecycle, None) if lifecycle is not None else (container, "lifecycle")


def _above(workload: _Pod) -> Iterator[tuple[Mapping, str]]:
    """The mappings on the way down to the pod's spec, with their `metadata`."""
    place: Mapping | None = workload.node
    name = "beside `spec`"
    while place is not None and place is not workload.pod:
        yield place, name
        metadata = place.mapping("metadata")
        if metadata is not None:
            yield metadata, "in `metadata`"
        step = next((key for key in ("jobTemplate", "template", "spec") if place.mapping(key) is not None), "")
        place = place.mapping(step)
        name = "beside the pod's spec" if step == "template" else "beside the pod template"


def _found(
    workload: _Pod,
    place: Mapping,
    key: str,
    where: str,
    home: Mapping | tuple[Mapping | None, str | None],
    home_name: str,
) -> Iterator[Misplaced]:
    at = place.key(key)
    if at is not None and place.get(key) is not None:
        target, below = home if isinstance(home, tuple) else (home, None)
        stays = _STAYS.get(key) or f"the container has no {key}"
        if key == _GRACE and workload.grace.span is not None:
            stays = f"the grace period stays {workload.grace.value:g} s"
        yield Misplaced(at, where, stays, workload.document, place, target, home_name, below)


def in_service(service: ComposeService) -> Iterator[Misplaced]:
    """What is misplaced in a Compose service, and, for the first one, above it."""
    root = service.document.root
    services = root.mapping("services") if isinstance(root, Mapping) else None
    deploy = service.node.mapping("deploy")
    places = [(deploy, "stands below `deploy`")] if deploy is not None else []
    if isinstance(root, Mapping) and services is not None and services.items and services.items[0][1] is service.node:
        places.append((root, "stands outside of the services"))
    for place, where in places:
        alone = place is deploy or (services is not None and len(services.items) == 1)
        for key in _COMPOSE:
            at = place.key(key)
            if at is not None:
                home = service.node if alone else None
                yield Misplaced(at, where, _STAYS[key], service.document, place, home, "into the service")
