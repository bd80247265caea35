r"""A rollout that stops all pods before a new one serves.

## What it does
Reports Deployments behind a Service whose strategy takes the last serving pod away: `Recreate`, a `maxUnavailable` of
all pods, or `maxSurge: 0` with one replica. `Recreate` with one replica, and where the pod has a volume that one node
alone can mount, has its reason, and so has what makes room for the next pod of a single one with such a volume: that is
information, as are the pods of dashboards and collectors.

## Why is this bad?
However well a program stops, a Service without a ready pod answers nothing: each rollout is an outage as long as a
start takes, for ever if the new version does not start.

## Example
```yaml bad path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  strategy:
    type: Recreate
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
              path: /ready
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
```
Use instead:
```yaml good path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
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
              path: /ready
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
```

## Fix safety
Unsafe: the new pods need room beside the old ones.

## References
- [Deployment strategy](https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Note, Severity, Span, Workload, rule

_SHARED = ("ReadWriteMany", "ReadOnlyMany")
_SURGE = "Roll out with maxSurge: 1 and maxUnavailable: 0"
_SHARE = f"{_SURGE}, on a volume that several nodes can mount"


@rule("disruptive-rollout", severity=Severity.WARNING, subject=Workload, about=("callers",))
def disruptive_rollout(workload: Workload) -> Iterator[Finding]:
    if workload.kind != "Deployment" or workload.pods == 0 or not any(workload.serving()) or not workload.callers:
        return
    found = _disruption(workload)
    if found is None:
        return
    what, at = found
    bound = ("Recreate" in what or workload.pods == 1) and _has_bound_volume(workload)
    reason = ", as a volume that one node mounts demands" if bound else ""
    yield Finding(
        f"{what}{reason}: each rollout of `{workload.name}` stops all pods before a new one serves",
        at=at,
        notes=tuple(Note(service.span, "this Service has no pod meanwhile") for service in workload.callers),
        fix=_fix(workload, bound=bound),
        severity=Severity.INFO if bound or _is_meant(workload) or _is_watched(workload) else workload.severity,
    )


def _fix(workload: Workload, *, bound: bool) -> Fix:
    """No pod may be missing; where no other may be started beside them either, that is for people to change."""
    strategy = workload.strategy
    surge = strategy.scalar("rollingUpdate", "maxSurge") if strategy else None
    unavailable = strategy.scalar("rollingUpdate", "maxUnavailable") if strategy else None
    if bound or unavailable is None or (surge is not None and surge.value in ("0", "0%")):
        return Fix(_SHARE if bound else _SURGE, (), Applicability.MANUAL)
    return Fix("Start a new pod before an old one is stopped", (Edit(unavailable.span, "0"),), Applicability.UNSAFE)


def _is_meant(workload: Workload) -> bool:
    """`Recreate` is written for what must not run twice: with one pod, that is what it says."""
    return workload.recreates and workload.pods == 1


def _is_watched(workload: Workload) -> bool:
    """Whether nobody but its operators sends it requests."""
    return all(container.watches for container, _ in workload.serving())


def _disruption(workload: Workload) -> tuple[str, Span] | None:
    strategy = workload.strategy
    kind = strategy.scalar("type") if strategy else None
    if kind is not None and kind.value == "Recreate":
        return "the strategy is Recreate", kind.span
    surge = strategy.scalar("rollingUpdate", "maxSurge") if strategy else None
    unavailable = strategy.scalar("rollingUpdate", "maxUnavailable") if strategy else None
    if unavailable is not None and _is_all(unavailable.value, workload.pods):
        of_one = " with one replica" if workload.pods == 1 else ""
        return f"maxUnavailable is {unavailable.value}{of_one}", unavailable.span
    if surge is not None and surge.value in ("0", "0%") and workload.pods == 1:
        return f"maxSurge is {surge.value} with one replica", surge.span
    return None


def _is_all(amount: str, pods: int) -> bool:
    return amount == "100%" or (re.fullmatch("[0-9]+", amount) is not None and int(amount[:9]) >= pods)


def _has_bound_volume(workload: Workload) -> bool:
    """Whether a volume may be mounted by one node only: its claim says so, or is not in the input."""
    volumes = [volume for volume in workload.pod.mappings("volumes") if volume.get("persistentVolumeClaim")]
    shared = [claim for claim in workload.claims if any(mode in _SHARED for mode in claim.access_modes)]
    return len(volumes) > len(shared)
