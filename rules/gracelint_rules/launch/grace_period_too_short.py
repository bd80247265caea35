r"""A grace period that ends before the container has drained.

## What it does
Adds up what a stop needs (the preStop hook, the time the program takes to finish what is in flight, and a margin) and
compares the sum with the grace period: `terminationGracePeriodSeconds` of a pod (30 s where it is not set),
`stop_grace_period` of a Compose service (10 s).

The drain time is, in this order, the annotation `gracelint/drain-seconds`, the timeout of the server that is started
(its flags, its configuration, its environment, its default), a timer in the program's own source, or the configured
`budget.drain-seconds`. The last one is an assumption: it counts only where a grace period or a preStop hook is
declared, and makes a warning instead of an error.

## Why is this bad?
The countdown to SIGKILL starts before the preStop hook, not after it. A hook that sleeps 15 s in a grace period of 30 s
leaves 15 s to the program. What is not finished by then is lost: requests without an answer, jobs half done.

## Example
```yaml bad path=deploy.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders
spec:
  selector:
    matchLabels: {app: orders}
  template:
    metadata:
      labels: {app: orders}
      annotations:
        gracelint/drain-seconds: "20"
    spec:
      terminationGracePeriodSeconds: 30
      containers:
        - name: orders
          image: registry.example.com/orders:1.4
          lifecycle:
            preStop:
              exec:
                command: ["sleep", "15"]
```
Use instead:
```yaml good path=deploy.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders
spec:
  selector:
    matchLabels: {app: orders}
  template:
    metadata:
      labels: {app: orders}
      annotations:
        gracelint/drain-seconds: "20"
    spec:
      terminationGracePeriodSeconds: 37
      containers:
        - name: orders
          image: registry.example.com/orders:1.4
          lifecycle:
            preStop:
              exec:
                command: ["sleep", "15"]
```

## Options
`budget.drain-seconds`, `budget.margin-seconds` in the configuration; the annotation `gracelint/drain-seconds` on an
object or its pod template, or as a label of a Compose service.

## Fix safety
A longer grace period changes nothing until the container is told to stop, and then only gives it time: safe.

## References
- [Pod termination](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
- [Container hooks](https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)
- [Compose: stop_grace_period](https://docs.docker.com/reference/compose-file/services/#stop_grace_period)
"""

from collections.abc import Iterator

from gracelint import Applicability, DrainSource, Finding, Fix, Launch, Severity, Verdict, edits, rule


@rule("grace-period-too-short", severity=Severity.ERROR, subject=Launch)
def grace_period_too_short(launch: Launch) -> Iterator[Finding]:
    budget, grace = launch.budget, launch.grace.value
    # a Dockerfile alone declares no grace period, and one of 0 or of a variable leaves nothing to compare
    if launch.origin.kind == "dockerfile" or not grace > 0 or _moot(launch):
        return
    before = budget.pre_stop.value if budget.pre_stop else 0.0
    needed = budget.needed
    if before >= grace:
        message = (
            f"preStop takes {before:g} s of a grace period of {grace:g} s: the program is killed 2 s after it is told"
            " to stop"
        )
        severity = Severity.ERROR
        needed = before + launch.assume.drain + budget.margin if needed is None else needed
    elif needed is not None and needed > grace and budget.drain is not None:
        default = "" if launch.grace.span else ", the default"
        message = (
            f"stopping needs {needed:g} s ({budget}; drain: {budget.drain.why}), but SIGKILL comes after"
            f" {grace:g} s{default}"
        )
        severity = Severity.WARNING if budget.drain.source is DrainSource.ASSUMED else Severity.ERROR
    else:
        return
    at = launch.grace.span or launch.origin.span
    changes = edits.yaml.set_grace(launch, needed)
    yield Finding(
        message,
        at=at,
        notes=tuple(note for note in budget.notes if note.span != at),
        fix=Fix("Raise the grace period", changes, Applicability.SAFE) if changes else None,
        severity=severity,
    )


def _moot(launch: Launch) -> bool:
    """Nothing is drained, or another rule says that the API server rejects it or that the signal never arrives."""
    hook = launch.pre_stop
    if hook is not None and hook.sleep is not None and hook.sleep.value > launch.grace.value:
        return True
    if launch.workload is not None and (launch.workload.knative or launch.workload.windows):
        return True  # Knative sets the grace period itself, to the revision's timeoutSeconds
    ends_by_itself = launch.workload is not None and launch.workload.runs_to_end and launch.verdict is Verdict.UNKNOWN
    return launch.one_shot or ends_by_itself or launch.verdict in (Verdict.IGNORED, Verdict.CUT)
