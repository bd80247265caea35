"""What brings requests from outside of the cluster, and how long it keeps those that are open."""

from __future__ import annotations

import json
import re

from gracelint.base.numbers import is_whole
from gracelint.facts.kubernetes import Balancer
from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.knowledge import table
from gracelint.source import Located, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.yaml import Node

_AWS = (
    "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes",
    "alb.ingress.kubernetes.io/target-group-attributes",
)
_OPEN = ("LoadBalancer", "NodePort")
_DELAY = "deregistration_delay.timeout_seconds"
_GKE = ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config")


def balancers_of(node: Mapping, kind: str, name: str, namespace: str, at: Span) -> Iterator[Balancer]:
    """What a Service, an Ingress, a route or a BackendConfig says. `at` is where its name stands."""
    title = f"{kind} {name}"
    if kind == "BackendConfig":
        seconds = node.scalar("spec", "connectionDraining", "drainingTimeoutSec")
        if seconds is not None and is_whole(seconds.value):
            found = Located(float(seconds.value[:9]), seconds.span)
            yield Balancer(
                title, namespace, ("config", name), seconds.span, found, "connection draining of the backend"
            )
        return
    annotations = node.mapping("metadata", "annotations")
    delay = _delay(annotations) if annotations is not None else None
    if kind == "Service":
        services = [name] if delay is not None or _is_open(node) else []
    else:
        services = list(dict.fromkeys(_services(node, kind)))
    for service in services:
        yield Balancer(title, namespace, ("service", service), (delay and delay.span) or at, delay, _DELAY)


def configs_of(node: Mapping) -> tuple[str, ...]:
    """The BackendConfigs that a Service names: `{"default": "web"}`."""
    annotations = node.mapping("metadata", "annotations")
    text = next((found for key in _GKE if annotations and (found := annotations.scalar(key))), None)
    try:
        given = json.loads(text.value) if text is not None and len(text.value) < 10_000 else {}
    except ValueError:
        return ()
    values = [given.get("default"), *_values(given.get("ports"))] if isinstance(given, dict) else []
    return tuple(value for value in values if isinstance(value, str))


def _values(ports: object) -> list[object]:
    return [*ports.values()] if isinstance(ports, dict) else []


def _delay(annotations: Mapping) -> Located[float] | None:
    for key in _AWS:
        scalar = annotations.scalar(key)
        for part in scalar.value.split(",") if scalar is not None else ():
            name, _, value = part.partition("=")
            if name.strip() == _DELAY and is_whole(value.strip()):
                return Located(float(value.strip()[:9]), _span(scalar))
    return None


def _span(scalar: Scalar | None) -> Span | None:
    return scalar.span if scalar is not None else None


def _is_open(service: Mapping) -> bool:
    """Whether a Service is reached from outside of the cluster without anything in front of it."""
    kind, spec = service.scalar("spec", "type"), service.mapping("spec")
    return (kind is not None and kind.value in _OPEN) or (spec is not None and bool(spec.sequence("externalIPs")))


def _services(node: Mapping, kind: str) -> Iterator[str]:
    """The Services that an Ingress or a route sends requests to: what stands below keys such as `backendRefs`."""
    spec = node.mapping("spec")
    if spec is None or (kind == "VirtualService" and spec.get("gateways") is None):
        return  # without a gateway it is for the mesh itself
    keys = table("workloads")["routes"]["keys"]
    left: list[Node] = [spec]
    seen: set[int] = set()
    while left:
        below = left.pop()
        if id(below) in seen:
            continue
        seen.add(id(below))
        if isinstance(below, Mapping):
            left += [value for _, value in below.items]
            named = [value for key, value in below.items if key.value in keys]
            yield from (name for value in named for name in _names(value))
        elif isinstance(below, Sequence):
            left += below.items


def _names(node: Node) -> Iterator[str]:
    """A Service's name as it is given: alone, as `name` or `host`, or in a list of such."""
    for item in node.items if isinstance(node, Sequence) else (node,):
        given = item if isinstance(item, Scalar) else None
        if isinstance(item, Mapping):
            given = item.scalar("name") or item.scalar("host")
        if given is not None:
            yield re.split(r"[.:]", given.value.rpartition("://")[2], maxsplit=1)[0]
