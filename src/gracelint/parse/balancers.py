"""How long load balancers send what is open to a pod that they have let go, as far as manifests say."""

from __future__ import annotations

import json

from gracelint.base.numbers import is_whole
from gracelint.facts.kubernetes import Balancer
from gracelint.source import Located, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.yaml import Mapping, Scalar

_AWS = (
    "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes",
    "alb.ingress.kubernetes.io/target-group-attributes",
)
_DELAY = "deregistration_delay.timeout_seconds"
_GKE = ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config")


def balancers_of(node: Mapping, kind: str, name: str, namespace: str) -> Iterator[Balancer]:
    """What a Service, an Ingress or a BackendConfig says."""
    if kind == "BackendConfig":
        seconds = node.scalar("spec", "connectionDraining", "drainingTimeoutSec")
        if seconds is not None and is_whole(seconds.value):
            found = Located(float(seconds.value[:9]), seconds.span)
            yield Balancer(name, namespace, ("config", name), found, seconds.span, "connection draining of the backend")
        return
    annotations = node.mapping("metadata", "annotations")
    delay = _delay(annotations) if annotations is not None else None
    if delay is None or delay.span is None:
        return
    services = [name] if kind == "Service" else list(dict.fromkeys(_services(node)))
    for service in services:
        yield Balancer(name, namespace, ("service", service), delay, delay.span, _DELAY)


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


def _services(ingress: Mapping) -> Iterator[str]:
    """The Services that an Ingress sends requests to."""
    spec = ingress.mapping("spec")
    if spec is None:
        return
    backends = [spec.mapping("defaultBackend"), spec.mapping("backend")]
    for rule in spec.mappings("rules"):
        http = rule.mapping("http")
        backends += [path.mapping("backend") for path in (http.mappings("paths") if http else ())]
    for backend in backends:
        name = (backend.scalar("service", "name") or backend.scalar("serviceName")) if backend else None
        if name is not None:
            yield name.value
