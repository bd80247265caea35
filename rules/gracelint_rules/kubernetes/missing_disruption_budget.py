r"""Pods that may all be evicted at once, or never.

## What it does
Reports budgets that never allow an eviction; with `--strict`, also workloads with two replicas or more behind a Service
that no PodDisruptionBudget of the input selects: budgets often live in another repository.

## Why is this bad?
A node upgrade evicts pods through the eviction API, which asks the budgets. Without one, all replicas that happen to
be on the drained nodes go at the same time. With one that allows none, the drain of the node hangs until somebody
ends it by force, and force knows no grace period.

## Example
```yaml bad path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
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
```yaml good path=budget.yaml
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app: web
```

## References
- [Pod disruption budgets](https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets)
- [Safely drain a node](https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Note, Severity, Word, Workload, rule


@rule("missing-disruption-budget", severity=Severity.WARNING, subject=Workload, about=("services", "budgets"))
def missing_disruption_budget(workload: Workload) -> Iterator[Finding]:
    replicas = workload.pods
    if workload.kind == "DaemonSet" or workload.runs_to_end:
        return
    if replicas >= 2 and workload.services and not workload.budgets:
        yield Finding(
            f"no PodDisruptionBudget selects `{workload.name}`: a node drain may evict all {replicas} replicas at once",
            at=workload.replicas.span if workload.replicas and workload.replicas.span else workload.span,
            notes=tuple(Note(service.span, "this Service sends them requests") for service in workload.services),
            fix=Fix("Add a PodDisruptionBudget with maxUnavailable: 1", (), Applicability.MANUAL),
            strict=True,
        )
    for budget in workload.budgets:
        limit = _never(budget.max_unavailable, budget.min_available, replicas)
        if limit is not None:
            yield Finding(
                f"the budget `{budget.name}` never allows an eviction ({limit}): node drains hang until forced",
                at=budget.span,
                notes=(Note(workload.span, "the pods it selects"),),
                fix=Fix("Allow one pod to be missing: maxUnavailable: 1", (), Applicability.MANUAL),
                severity=workload.severity,
            )


def _never(most_missing: Word | None, least_there: Word | None, replicas: int) -> str | None:
    if most_missing is not None and most_missing.value in ("0", "0%"):
        return f"maxUnavailable: {most_missing.value}"
    if least_there is None:
        return None
    there = least_there.value
    if there == "100%":
        return "minAvailable: 100%"
    if re.fullmatch("[0-9]+", there) and int(there[:9]) >= replicas > 0:
        return f"minAvailable: {there} of {replicas}"
    return None
