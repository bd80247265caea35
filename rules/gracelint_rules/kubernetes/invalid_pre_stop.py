r"""A preStop hook that the API server rejects, or that fails when it runs.

## What it does
Reports hooks

- with a `tcpSocket` handler, which passes validation and fails at run time,
- with several handlers, or none (`preStop: {}`), or an `exec` without a list of words,
- with a `sleep` that is longer than the grace period, negative, or 0 before Kubernetes 1.33,
- with a `sleep` before Kubernetes 1.30.

What depends on the version is reported only where `kubernetes-version` is configured.

## Why is this bad?
A pod that the API server rejects is never created: the rollout stands still. A hook that fails at run time is over at
once, and the container is stopped as if there were none.

## Example
```yaml bad path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
      lifecycle:
        preStop:
          tcpSocket:
            port: 8080
```
```toml path=gracelint.toml
kubernetes-version = "1.30"
```
Use instead:
```yaml good path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
      lifecycle:
        preStop:
          sleep:
            seconds: 15
```

## Options
`kubernetes-version`: of the clusters that the manifests are applied to.

## Fix safety
Safe where the new form waits as long as the old one would, and where the grace period is raised above a `sleep` that
the API server rejects; else unsafe.

## References
- [LifecycleHandler](https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#LifecycleHandler)
- [KEP-3960: sleep
  action](https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/3960-pod-lifecycle-sleep-action)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from gracelint import Applicability, DrainSource, Finding, Fix, Launch, PreStop, Severity, Workload, edits, rule

_SAFE, _UNSAFE, _MANUAL = Applicability.SAFE, Applicability.UNSAFE, Applicability.MANUAL


@rule("invalid-pre-stop", severity=Severity.ERROR, subject=Workload, about=("hooks",))
def invalid_pre_stop(workload: Workload) -> Iterator[Finding]:
    for container, launch in workload.launched():
        hook = container.pre_stop
        if hook is None or container.role == "init":
            continue
        if len(hook.handlers) > 1:
            names = " and ".join(hook.handlers)
            message = f"a preStop hook takes one handler, this one has {names}: the API server rejects the pod"
            yield Finding(message, at=hook.key, fix=Fix("Keep one of them", (), _MANUAL))
        elif not hook.handlers or (hook.handlers == ("exec",) and not hook.argv):
            what = "no handler" if not hook.handlers else "an exec without a command list"
            message = f"this preStop hook has {what}: the API server rejects the pod"
            yield Finding(message, at=hook.key, fix=Fix("Say what it does: exec, httpGet or sleep", (), _MANUAL))
        elif hook.handlers == ("tcpSocket",):
            message = "tcpSocket is valid in a preStop hook and fails when it runs: the container is stopped at once"
            yield Finding(message, at=hook.key, fix=_waiting(workload, hook, launch, launch.assume.pre_stop, _UNSAFE))
        elif hook.sleep is not None:
            yield from _sleep(workload, hook, launch, hook.sleep.value)


def _sleep(workload: Workload, hook: PreStop, launch: Launch, seconds: float) -> Iterator[Finding]:
    version, grace = launch.assume.kubernetes_version, workload.grace.value
    at = hook.sleep.span if hook.sleep and hook.sleep.span else hook.key
    if version is not None and version < (1, 30):
        message = f"preStop.sleep needs Kubernetes 1.30, this is for {version[0]}.{version[1]}: the hook does not run"
        yield Finding(message, at=hook.key, fix=_waiting(workload, hook, launch, seconds, _SAFE))
    elif seconds < 0 or (seconds == 0 and version is not None and version < (1, 33)):
        limit = "negative" if seconds < 0 else "0 s, which Kubernetes takes from 1.33 on"
        message = f"preStop.sleep is {limit}: the API server rejects the pod"
        yield Finding(message, at=at, fix=_longer(workload, hook, launch.assume.pre_stop))
    elif 0 < grace < seconds:
        message = (
            f"preStop.sleep of {seconds:g} s is longer than the grace period of {grace:g} s: the API server rejects it"
        )
        drain = launch.budget.drain
        rest = drain.seconds if drain and drain.seconds is not None else launch.assume.drain
        changes = edits.yaml.set_grace(workload, seconds + rest + launch.assume.margin)
        title = "Raise the grace period above it"
        known = drain is not None and drain.seconds is not None and drain.source is not DrainSource.ASSUMED
        applicability = _MANUAL if not changes else _SAFE if known or workload.grace.span is None else _UNSAFE
        yield Finding(message, at=at, fix=Fix(title, changes or (), applicability))


def _longer(workload: Workload, hook: PreStop, seconds: float) -> Fix:
    sleep = hook.node.mapping("sleep")
    changes = edits.yaml.set_entry(workload.document, sleep, "seconds", math.ceil(seconds)) if sleep else None
    return Fix(f"Sleep for {seconds:g} s", changes or (), _UNSAFE if changes else _MANUAL)


def _waiting(workload: Workload, hook: PreStop, launch: Launch, seconds: float, applicability: Applicability) -> Fix:
    """Another handler, which waits in the form that this cluster and image have."""
    handler = edits.yaml.sleep_hook(launch, seconds)
    changes = None
    for name, value in handler.items() if handler else ():
        changes = edits.yaml.replace_entry(workload.document, hook.node, hook.handlers[0], name, value)
    return Fix(f"Sleep for {seconds:g} s", changes or (), applicability if changes else _MANUAL)
