r"""A grace period that ends before the container has drained.

## What it does
Adds up what a stop needs (the preStop hook, the time the program takes to finish what is in flight, and a margin) and
compares the sum with the grace period: `terminationGracePeriodSeconds` of a pod (30 s where it is not set),
`stop_grace_period` of a Compose service (10 s).

The drain time is, in this order, the annotation `gracelint/drain-seconds`, the timeout of the server that is started
(its flags, its configuration, its environment, its default), a timer in the program's own source, or the configured
`budget.drain-seconds`.

It is an error where somebody has written how long the program takes, unless only the margin is missing: that is a
warning beside a grace period that somebody wrote, and information beside a default. Where that is the server's
default it is a warning, and information if the grace period is a default too and no hook takes part of it: few
requests are that long. Neither is more than information where Compose mounts the project over the image that it builds
of it (`.:/app`): those who work on it stop that.

Where nobody says how long it takes, 10 s are assumed, for containers that get requests. That makes a warning where a
preStop hook takes its part and leaves less to the program, and information where somebody wrote a shorter grace period:
an assumption is no reason to contradict them.

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
A longer grace period changes nothing until the container is told to stop, and then only gives it time: safe. Where the
drain is assumed it is a guess, and unsafe.

## References
- [Pod termination](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
- [Container hooks](https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)
- [Compose: stop_grace_period](https://docs.docker.com/reference/compose-file/services/#stop_grace_period)
"""

from collections.abc import Iterator

from gracelint import Applicability, Drain, DrainSource, Finding, Fix, Launch, Severity, edits, rule


@rule("grace-period-too-short", severity=Severity.ERROR, subject=Launch, about=("workload", "service"))
def grace_period_too_short(launch: Launch) -> Iterator[Finding]:
    budget, grace = launch.budget, launch.grace.value
    # a Dockerfile alone declares no grace period, and one of 0 or of a variable leaves nothing to compare
    if launch.origin.kind == "dockerfile" or not grace > 0 or launch.needs_no_time:
        return
    before = budget.pre_stop.value if budget.pre_stop else 0.0
    needed = budget.needed
    assumed = budget.drain is None or budget.drain.source is DrainSource.ASSUMED
    if before >= grace:
        message = (
            f"preStop takes {before:g} s of a grace period of {grace:g} s: the program is killed 2 s after it is told"
            " to stop"
        )
        severity = Severity.ERROR
        needed = launch.needed_with(before) if needed is None else needed
    elif needed is None or needed <= grace or budget.drain is None:
        return
    elif assumed:
        if not _is_asked(launch, before) or grace - before >= launch.assume.drain:
            return
        message = _leaves_little(before, grace, budget.drain)
        severity = Severity.WARNING if before > 0 else Severity.INFO
    else:
        default = "" if launch.grace.span else ", the default"
        message = (
            f"stopping needs {needed:g} s ({budget}; drain: {budget.drain.why}), but SIGKILL comes after"
            f" {grace:g} s{default}"
        )
        severity = _proven(launch, budget.drain, before, tight=needed - budget.margin <= grace)
    at = launch.grace.span or launch.origin.span
    changes = edits.yaml.set_grace(launch, needed)
    applicability = Applicability.UNSAFE if assumed or budget.needed is None else Applicability.SAFE
    yield Finding(
        message,
        at=at,
        notes=tuple(note for note in budget.notes if note.span != at),
        fix=Fix("Raise the grace period", changes, applicability) if changes else None,
        severity=severity,
    )


def _proven(launch: Launch, drain: Drain, before: float, *, tight: bool) -> Severity:
    """What somebody has written is meant. A server's default is its most, which few requests ever need.

    Where only the margin is missing, the last moment of the longest stop is at stake.
    """
    if not (tight or drain.default):
        return Severity.ERROR
    felt = launch.grace.span or (not tight and (before > 0 or drain.jobs))
    works_on_it = launch.service is not None and launch.service.is_working_copy
    return Severity.WARNING if felt and not works_on_it else Severity.INFO


def _is_asked(launch: Launch, before: float) -> bool:
    """Whether it gets requests; where nothing says so, a hook that waits is there for some reason."""
    return launch.gets_traffic or (before > 0 and launch.workload is not None and launch.workload.untold)


def _leaves_little(before: float, grace: float, drain: Drain) -> str:
    if before > 0:
        return (
            f"preStop takes {before:g} s of a grace period of {grace:g} s: {grace - before:g} s are left to finish what"
            f" is in flight, less than the {drain.seconds:g} s that are assumed"
        )
    return f"SIGKILL comes after {grace:g} s, less than the {drain.seconds:g} s assumed to finish what is in flight"
