r"""A long grace period that nobody answers for.

## What it does
Reports workloads whose grace period is above `longest` seconds and that have no annotation `acme.example/owner`.

## Why is this bad?
Long stops hold up every node drain; whoever is on call has to know whom to ask.

## Example
```yaml bad path=worker.yaml
apiVersion: v1
kind: Pod
metadata:
  name: worker
spec:
  terminationGracePeriodSeconds: 200
  containers:
    - name: worker
      image: registry.acme.example/worker:2.0.1
```
Use instead:
```yaml good path=worker.yaml
apiVersion: v1
kind: Pod
metadata:
  name: worker
  annotations:
    acme.example/owner: team-orders
spec:
  terminationGracePeriodSeconds: 200
  containers:
    - name: worker
      image: registry.acme.example/worker:2.0.1
```
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Finding, Severity, Workload, rule


@rule("unowned-long-stop", severity=Severity.WARNING, subject=Workload, options={"longest": 120})
def unowned_long_stop(workload: Workload, *, longest: int) -> Iterator[Finding]:
    grace = workload.grace
    if grace.span is None or grace.value <= longest or "acme.example/owner" in workload.annotations:
        return
    yield Finding(f"{grace.value:g} s to stop, and no `acme.example/owner` says who needs them", at=grace.span)
