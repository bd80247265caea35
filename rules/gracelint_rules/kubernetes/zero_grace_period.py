r"""A grace period of zero.

## What it does
Reports pods with `terminationGracePeriodSeconds: 0`, but for Jobs and for pods that only wait (`pause`, `sleep`). It is
an error where the files show what is lost: a StatefulSet, a volume claim, a preStop hook, or requests; a warning
elsewhere; and information for the agents of nodes, of which the next one is not to wait for the last, and for what
hears no signal and gets no requests, such as a shell that loops: it would be killed later, and that is all.

## Why is this bad?
Grace 0 means SIGKILL at once: no preStop hook runs, no handler for SIGTERM ever does anything, and whatever was in
flight or not yet written is lost. For a StatefulSet it is unsafe too: the pod's name is free before its containers have
ended, so two of the same identity can run at once.

## Example
```yaml bad path=db.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: db
          image: ghcr.io/acme/db:3.1.0
```
Use instead:
```yaml good path=db.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      containers:
        - name: db
          image: ghcr.io/acme/db:3.1.0
```

## Fix safety
Unsafe: the default of 30 s may be less or more than the program needs. By hand where nothing hears the signal: there
the default alone only means a longer wait.

## References
- [Pod termination](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
- [Force deletion of StatefulSet pods](https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Severity, Verdict, Workload, edits, rule


@rule("zero-grace-period", severity=Severity.ERROR, subject=Workload)
def zero_grace_period(workload: Workload) -> Iterator[Finding]:
    grace = workload.grace
    if grace.value != 0 or grace.span is None or workload.runs_to_end or _idle(workload):
        return
    message = "a grace period of 0 is SIGKILL at once: no preStop hook and no SIGTERM handler runs"
    if workload.kind == "StatefulSet":
        message += ", and two pods of the same name can run at once"
    deaf = _is_deaf(workload)
    changes = edits.yaml.remove_entry(workload.document, workload.pod, "terminationGracePeriodSeconds")
    fix = (
        Fix("Let the program hear the signal, then use the default of 30 s", (), Applicability.MANUAL)
        if deaf
        else Fix("Use the default of 30 s", changes or (), Applicability.UNSAFE if changes else Applicability.MANUAL)
    )
    yield Finding(message, at=grace.span, fix=fix, severity=_severity(workload, deaf=deaf))


def _severity(workload: Workload, *, deaf: bool) -> Severity | None:
    """Somebody has chosen it: what is lost has to be in the files, and is a hook, data, or requests."""
    if workload.agent or deaf or workload.severity is Severity.INFO:
        return Severity.INFO
    keeps = workload.kind == "StatefulSet" or bool(workload.claim_names or workload.hooks)
    return None if keeps or any(workload.serving()) else Severity.WARNING


def _idle(workload: Workload) -> bool:
    """Whether its pods only hold their place."""
    mains = [launch for container, launch in workload.launched() if container.role == "main"]
    return bool(mains) and all(launch.idle for launch in mains)


def _is_deaf(workload: Workload) -> bool:
    """Whether nothing in it would hear the signal, and nobody sends it requests: it is only waited for less long."""
    mains = [launch for container, launch in workload.launched() if container.role == "main"]
    return all(launch.verdict is Verdict.IGNORED and not launch.gets_traffic for launch in mains)
