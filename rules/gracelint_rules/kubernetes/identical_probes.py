r"""A liveness probe that restarts a container which only wanted less traffic.

## What it does
Reports containers whose readiness and liveness probes make the same check, and whose liveness probe acts as early as
the readiness probe or earlier (`periodSeconds` × `failureThreshold`). A check that is named for readiness (`/readyz`)
is a warning, where other pods take over the load; else, and in samples (folders named `samples`, `examples`, `testdata`
…), it is information. Silent for checks that only connect
(`tcpSocket`), and where the liveness probe waits for five minutes or more: what fails those is rather stuck than busy.

## Why is this bad?
A readiness probe that fails takes the pod out of its Services, so that it can catch up with what it has. A liveness
probe that fails restarts the container: what it had in flight is lost, and its share of the load goes to the other
pods, which fail next. Where both ask the same at the same time, each overload is a restart.

## Example
```yaml bad path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
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
          readinessProbe:
            httpGet:
              path: /readyz
              port: 8080
          livenessProbe:
            httpGet:
              path: /readyz
              port: 8080
```
Use instead:
```yaml good path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
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
          readinessProbe:
            httpGet:
              path: /readyz
              port: 8080
          livenessProbe:
            httpGet:
              path: /healthz
              port: 8080
```

## References
- [Liveness, readiness and startup
  probes](https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Note, Probe, Severity, Workload, rule

_PATIENT = 300.0
"""Seconds of failure after which a container is more likely stuck than busy."""


@rule("identical-probes", severity=Severity.WARNING, subject=Workload)
def identical_probes(workload: Workload) -> Iterator[Finding]:
    if workload.runs_to_end or workload.windows:
        return
    for container, launch in workload.launched():
        if not (launch.gets_traffic or workload.untold):
            continue  # no request is lost or kept by what its readiness says
        readiness, liveness = container.readiness, container.liveness
        if readiness is None or liveness is None or not readiness.checks_as(liveness):
            continue
        if readiness.patience < liveness.patience or liveness.patience >= _PATIENT or liveness.kind == "tcpSocket":
            continue
        yield Finding(
            f"the liveness probe makes the readiness probe's check and restarts `{container.name}` after"
            f" {liveness.patience:g} s, no later than that one takes it out of its Services ({readiness.patience:g} s)",
            at=liveness.key,
            notes=(Note(readiness.key, "the same check"),),
            fix=Fix("Let the liveness probe wait longer, or ask for less", (), Applicability.MANUAL),
            severity=workload.severity_of(container, felt=_harms(workload, liveness)),
        )


def _harms(workload: Workload, liveness: Probe) -> bool:
    """Whether what is not ready for a while is restarted, while other pods are there to take over."""
    return liveness.asks_readiness and workload.endpoints >= 2
