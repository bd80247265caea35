r"""A probe whose own grace period cuts the stop short.

## What it does
Reports liveness and startup probes with a `terminationGracePeriodSeconds` of their own that ends before the preStop
hook and the drain do, and readiness probes that have one at all.

## Why is this bad?
When such a probe fails, the container is stopped with the probe's grace period instead of the pod's: the preStop hook
runs, SIGTERM is sent, and SIGKILL comes while the program still finishes what is in flight. On a readiness probe, which
stops nothing, the API server rejects it.

## Example
```yaml bad path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 60
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
      livenessProbe:
        tcpSocket:
          port: 8080
        terminationGracePeriodSeconds: 10
      lifecycle:
        preStop:
          sleep:
            seconds: 15
```
Use instead:
```yaml good path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 60
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
      livenessProbe:
        tcpSocket:
          port: 8080
        terminationGracePeriodSeconds: 27
      lifecycle:
        preStop:
          sleep:
            seconds: 15
```

## Fix safety
A short time may be meant for a program that hangs: unsafe.

## References
- [Probe-level
  terminationGracePeriodSeconds](https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#probe-level-terminationgraceperiodseconds)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from gracelint import (
    Applicability,
    Container,
    DrainSource,
    Finding,
    Fix,
    Launch,
    Probe,
    Severity,
    Workload,
    edits,
    rule,
)

_KEY = "terminationGracePeriodSeconds"


@rule("probe-grace-cuts-stop", severity=Severity.WARNING, subject=Workload)
def probe_grace_cuts_stop(workload: Workload) -> Iterator[Finding]:
    for container, launch in workload.launched():
        if container.readiness is not None and container.readiness.grace is not None:
            yield _rejected(workload, container.readiness)
        for probe in (container.liveness, container.startup):
            if probe is not None and probe.grace is not None:
                yield from _cut(workload, container, launch, probe, probe.grace.value)


def _rejected(workload: Workload, probe: Probe) -> Finding:
    message = "a readiness probe stops nothing, and may have no grace period: the API server rejects the pod"
    changes = edits.yaml.remove_entry(workload.document, probe.node, _KEY)
    applicability = Applicability.SAFE if changes else Applicability.MANUAL
    at = probe.grace.span if probe.grace and probe.grace.span else probe.key
    return Finding(message, at=at, fix=Fix("Drop it", changes or (), applicability), severity=Severity.ERROR)


def _cut(workload: Workload, container: Container, launch: Launch, probe: Probe, grace: float) -> Iterator[Finding]:
    budget = launch.budget
    before = budget.pre_stop.value if budget.pre_stop is not None else 0.0
    drain = budget.drain.seconds if budget.drain is not None else 0.0
    guessed = budget.drain is not None and budget.drain.source is DrainSource.ASSUMED
    needed = before + (0.0 if drain is None or guessed else drain)
    if not needed > grace:
        return
    raised = math.ceil(needed + (launch.assume.drain if guessed or not drain else 0.0) + budget.margin)
    changes = edits.yaml.set_entry(workload.document, probe.node, _KEY, raised)
    yield Finding(
        f"when this probe fails, `{container.name}` is killed after {grace:g} s, and its stop takes {needed:g} s",
        at=probe.grace.span if probe.grace and probe.grace.span else probe.key,
        notes=tuple(note for note in budget.notes if note.span != workload.grace.span),
        fix=Fix(
            "Give it the time a stop needs", changes or (), Applicability.UNSAFE if changes else Applicability.MANUAL
        ),
    )
