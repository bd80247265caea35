r"""A container that gets requests before it can serve them.

## What it does
Reports containers that get traffic and have no `readinessProbe`.

A container gets traffic where a Service of the input selects its pod, or, if there is no Service at all in the input,
where it declares `ports`. Jobs, init containers, sidecars and Knative services do not count, nor do containers with a
startupProbe: they are not ready before that succeeds. Containers called `worker`, `scheduler` and the like fetch their
work by themselves: information.

It is a warning where somebody gets the errors: requests come from outside of the cluster (an Ingress, a route, a
Service of type LoadBalancer or NodePort), or the image is built in this repository, and where somebody shows that no
request is to be lost: several pods or an autoscaler, a disruption budget, a rolling update with numbers of its own, a
preStop hook, another probe, or a readinessProbe of something else that is applied with it (a variant of its own name
takes its place). It is information for all others: one pod without any of that has a break with each node that goes. It
is information also for what others built and only the cluster calls; for a single pod that keeps its data on a volume,
where a new version is a break anyway; for a bare Pod, ReplicaSet or ReplicationController, which nothing rolls out; for
dashboards and collectors, whose pages are loaded again and whose senders try again; for servers such as nginx, which
listen as soon as they run: also by their names and by the configuration that is mounted into them, where nobody can
look into the image; for what is asked over UDP, whose senders ask again; and for API versions that clusters no longer
serve.

## Why is this bad?
Without a readiness probe a container is ready as soon as it runs. In a rollout the new pod gets its share of the
requests while the program still starts, and the old pod, which could have served them, is stopped.

A readiness probe is not needed for stopping: a pod that is being deleted leaves the endpoints whatever its probe says.

## Example
```yaml bad path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/shop:1.4.2
          ports:
            - containerPort: 8080
          livenessProbe:
            httpGet:
              path: /healthz
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
```
Use instead:
```yaml good path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/shop:1.4.2
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            failureThreshold: 2
          livenessProbe:
            httpGet:
              path: /healthz
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
```

## Fix safety
Unsafe. The check is that of the liveness probe, made to fail earlier than the liveness probe does; else a
TCP connection to the only declared port. Whether that means ready, the program's authors know.

## References
- [Readiness
  probes](https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#readiness-probe)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Container, Finding, Fix, Launch, Note, Severity, Workload, edits, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_NEVER_ROLLED_OUT = ("Pod", "ReplicaSet", "ReplicationController")


@rule("missing-readiness-probe", severity=Severity.WARNING, subject=Workload, about=("overlaps",))
def missing_readiness_probe(workload: Workload) -> Iterator[Finding]:
    if workload.knative or not workload.overlaps:
        return
    for container, launch in workload.serving():
        if container.readiness is not None or container.startup is not None:
            continue
        yield Finding(
            f"`{container.name}` has no readinessProbe: a new pod gets requests before it can serve them, so that each"
            " rollout drops some",
            at=container.span,
            notes=tuple(Note(service.span, "this Service sends it requests") for service in workload.callers),
            fix=_fix(workload, container),
            severity=workload.severity_of(container, felt=_is_felt(workload, container, launch)),
        )


def _is_felt(workload: Workload, container: Container, launch: Launch) -> bool:
    """Whether users, or what is built beside it, get errors while it starts, and for more than moments."""
    own = launch.stage is not None and bool(workload.callers)
    if workload.kind in _NEVER_ROLLED_OUT or container.datagrams or container.takes_jobs or not workload.cared_for:
        return False
    prompt = launch.prompt or (launch.stage is None and container.web_server)
    return (own or bool(workload.balancers)) and not (prompt or launch.dev_server or workload.breaks_anyway)


def _fix(workload: Workload, container: Container) -> Fix:
    probe = _probe(workload, container)
    changes = edits.yaml.set_readiness_probe(workload, container, probe) if probe else None
    if not probe or changes is None:
        return Fix("Add a readinessProbe that asks what serving needs", (), Applicability.MANUAL)
    return Fix(f"Add a readinessProbe with {next(iter(probe))}", changes, Applicability.UNSAFE)


def _probe(workload: Workload, container: Container) -> dict[str, Any] | None:
    existing = container.liveness
    if existing is not None and existing.kind:
        handler = existing.node.get(existing.kind)
        check = edits.yaml.copy_of(workload.document, handler) if handler is not None else None
        timing = existing.sooner
        return {existing.kind: check, **timing} if check is not None and timing is not None else None
    ports = [port for port in container.ports if port.protocol == "TCP"]
    if len(ports) != 1 or len(container.ports) != 1 or ports[0].number is None:
        return None
    asked = {port.target for service in workload.callers for port in service.request_ports}
    if asked and asked.isdisjoint((str(ports[0].number), ports[0].name)):
        return None  # a port for metrics says nothing of the one that is served
    return {"tcpSocket": {"port": ports[0].number}}
