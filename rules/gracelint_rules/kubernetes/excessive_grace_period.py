r"""A grace period longer than anything needs, or than anything honours.

## What it does
Reports grace periods above 600 s, and those above 300 s where nothing in the files needs so long: no server's timeout,
no preStop hook, no declared drain.

## Why is this bad?
cluster-autoscaler waits at most 600 s for a pod when it removes a node (and so does AKS): the rest of the period does
not exist there. And a long period is often what is left of a program that never handled SIGTERM: it hides that every
stop ends in SIGKILL, while nodes and rollouts wait for it.

## Example
```yaml bad path=worker.yaml
apiVersion: v1
kind: Pod
metadata:
  name: worker
spec:
  terminationGracePeriodSeconds: 900
  containers:
    - name: worker
      image: ghcr.io/acme/worker:2.0.1
```
Use instead:
```yaml good path=worker.yaml
apiVersion: v1
kind: Pod
metadata:
  name: worker
spec:
  terminationGracePeriodSeconds: 120
  containers:
    - name: worker
      image: ghcr.io/acme/worker:2.0.1
```

## References
- [cluster-autoscaler:
  `max-graceful-termination-sec`](https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-are-the-parameters-to-ca)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, DrainSource, Finding, Fix, Launch, Severity, Workload, rule

_HONOURED = 600
_LONG = 300


@rule("excessive-grace-period", severity=Severity.INFO, subject=Workload, about=("grace.span",))
def excessive_grace_period(workload: Workload) -> Iterator[Finding]:
    grace = workload.grace
    if grace.span is None or not grace.value > _LONG:
        return
    needed = max((_needed(launch) for _, launch in workload.launched()), default=0.0)
    if grace.value > _HONOURED:
        message = f"cluster-autoscaler waits at most {_HONOURED} s, not {grace.value:g} s, before it removes the node"
        if _HONOURED < needed < float("inf"):
            message += f": a stop that needs {needed:g} s is cut there"
    elif needed <= _LONG and not workload.runs_to_end:
        message = (
            f"nothing in the files needs {grace.value:g} s to stop: a stop that hangs is seen only after that long"
        )
    else:
        return
    yield Finding(message, at=grace.span, fix=Fix("Set what a stop really needs", (), Applicability.MANUAL))


def _needed(launch: Launch) -> float:
    """The seconds that the files themselves ask for, without limit for a drain that has none."""
    drain, before = launch.budget.drain, launch.budget.pre_stop
    pause = before.value if before is not None and before.value > 0 else 0.0
    if drain is None or drain.source is DrainSource.ASSUMED:
        return pause
    return pause + (float("inf") if drain.seconds is None else drain.seconds) + launch.budget.margin
