"""Which containers get requests, as far as the manifests say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.kubernetes import Container, Workload


def gets_traffic(workload: Workload, container: Container) -> bool:
    """Whether a container gets requests that are lost when it refuses them.

    Scrapes of metrics are not: the next one comes anyway. Nor are those of a headless Service alone, whose clients hold
    the pods' addresses themselves, those of databases and brokers, whose clients connect anew, those of agents,
    which concern their node alone, and those of a proxy that somebody else completes.
    """
    if workload.runs_to_end or workload.windows or workload.operator or container.role != "main":
        return False
    if workload.agent or container.reconnects or container.filled_in:
        return False
    if not workload.services:
        ports = [port for port in container.ports if not port.for_metrics]
        agent = workload.kind == "DaemonSet"
        return bool(ports) and not (agent or container.proxy is not None or workload.any_service)
    return any(container is one for one in _behind(workload))


def _behind(workload: Workload) -> Iterable[Container]:
    """The main containers that answer on the ports that Services send requests to."""
    if not workload.callers:
        return ()
    asked = {port.target for service in workload.callers for port in service.request_ports}
    mains = [one for one in workload.containers if one.role == "main"]
    # of several containers with a port of that name the first is meant (Kubernetes: FindPort)
    answering = {next((one for one in mains if target in _ports(one)), None) for target in asked} - {None}
    if answering:
        return [one for one in mains if one in answering]
    programs = [one for one in mains if one.proxy is None] or mains
    return [one for one in programs if not one.ports] or programs


def _ports(container: Container) -> set[str]:
    """Every port that a container is known to answer on: those it declares, and those its probes ask."""
    names = {name for port in container.ports for name in (port.name, str(port.number)) if name}
    for probe in (container.readiness, container.liveness, container.startup):
        port = probe.node.scalar(probe.kind, "port") if probe is not None else None
        if port is not None:
            names.add(port.value)
    return names
