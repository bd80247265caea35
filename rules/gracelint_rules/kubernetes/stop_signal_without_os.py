r"""A stop signal in a pod that does not say what it runs on.

## What it does
Reports `lifecycle.stopSignal` in pods without `spec.os.name`.

## Why is this bad?
Which signals there are depends on the operating system, so the API server asks for it: without `spec.os.name` it
rejects the pod, and the rollout stands still.

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
        stopSignal: SIGUSR1
```
Use instead:
```yaml good path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  os:
    name: linux
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
      lifecycle:
        stopSignal: SIGUSR1
```

## Fix safety
A pod that was rejected is created: safe.

## References
- [Container stop
  signals](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-stop-signals)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Severity, Workload, edits, rule


@rule("stop-signal-without-os", severity=Severity.ERROR, subject=Workload)
def stop_signal_without_os(workload: Workload) -> Iterator[Finding]:
    signals = [one.stop_signal for one in workload.containers if one.stop_signal is not None]
    if not signals or signals[0].span is None or workload.pod.get("os") is not None:
        return
    changes = edits.yaml.set_entry(workload.document, workload.pod, "os", {"name": "linux"})
    applicability = Applicability.SAFE if changes else Applicability.MANUAL
    yield Finding(
        f"stopSignal {signals[0].value} needs spec.os.name: without it the API server rejects the pod",
        at=signals[0].span,
        fix=Fix("Say that it runs on Linux", changes or (), applicability),
    )
