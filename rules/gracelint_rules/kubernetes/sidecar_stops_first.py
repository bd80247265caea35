r"""A proxy that is gone before the program which needs it.

## What it does
Reports known proxies (istio-proxy, Envoy, cloud-sql-proxy, linkerd-proxy, PgBouncer …) that run as an ordinary
container beside the program, without a preStop hook of their own and without a flag that makes them wait. Also as a
native sidecar, where `kubernetes-version` is below 1.29. One that only brings requests to the program (oauth2-proxy)
is not meant. It is information where the mesh's own tool has put the proxy
into the manifest, and says so in an annotation.

## Why is this bad?
All ordinary containers of a pod get SIGTERM at the same time. A proxy has nothing to finish and ends at once; the
program then drains without its database or network: the requests it was given time for fail. A native sidecar, which
is an init container with `restartPolicy: Always`, is stopped after the last ordinary container has ended.

## Example
```yaml bad path=orders.yaml
apiVersion: v1
kind: Pod
metadata:
  name: orders
spec:
  containers:
    - name: orders
      image: ghcr.io/acme/orders:5.2.0
    - name: cloud-sql-proxy
      image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.11.0
      args: ["acme:europe-west1:orders"]
```
Use instead:
```yaml good path=orders.yaml
apiVersion: v1
kind: Pod
metadata:
  name: orders
spec:
  initContainers:
    - name: cloud-sql-proxy
      image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.11.0
      args: ["acme:europe-west1:orders"]
      restartPolicy: Always
  containers:
    - name: orders
      image: ghcr.io/acme/orders:5.2.0
```

## Options
`kubernetes-version`: native sidecars are on from 1.29.

## References
- [Sidecar containers](https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Container, Finding, Fix, Note, Severity, Workload, rule

_HELP = {
    "main": "Make it an init container with restartPolicy: Always, or let a preStop hook hold it back",
    "sidecar": "Make it an ordinary container that a preStop hook holds back",
}


@rule("sidecar-stops-first", severity=Severity.WARNING, subject=Workload, verdict=True)
def sidecar_stops_first(workload: Workload) -> Iterator[Finding]:
    programs = [item for item in workload.containers if item.role == "main" and item.proxy is None]
    if workload.runs_to_end or workload.windows or not programs:
        return
    version = workload.assume.kubernetes_version if workload.assume else None
    for container in workload.containers:
        if container.proxy is None or container.proxy_waits or container.pre_stop is not None:
            continue
        message = _message(container, version)
        if message is not None:
            yield Finding(
                message,
                at=container.span,
                notes=(Note(programs[0].span, "it needs the proxy until it has drained"),),
                fix=Fix(_HELP[container.role], (), Applicability.MANUAL),
                severity=workload.severity,
            )


def _message(proxy: Container, version: tuple[int, int] | None) -> str | None:
    if proxy.role == "main":
        return f"`{proxy.name}` is stopped at the same time as the program that drains through it"
    if proxy.role == "sidecar" and version is not None and version < (1, 29):
        return (
            f"`{proxy.name}` is a native sidecar, which needs Kubernetes 1.29: in {version[0]}.{version[1]} it is an"
            " init container that never ends, and the pod never starts"
        )
    return None
