r"""A setting of the stop in a place where nobody reads it.

## What it does
Reports settings that stand one level too high or too low:

- `terminationGracePeriodSeconds` in a container, in `metadata`, or beside the pod's `spec` instead of in it
- `lifecycle`, `preStop` or a probe in the pod's `spec` or above, instead of in a container
- `preStop` or `stopSignal` beside `lifecycle` instead of in it
- Compose: `stop_grace_period`, `stop_signal` or `init` outside of a service, or below its `deploy`

Custom resources are not judged: they may have such keys of their own.

## Why is this bad?
`kubectl` and Compose reject a key that they do not know, where they validate. Where they do not (`--validate=false`,
server-side tools, older versions) it is dropped without a word, and the default holds: 30 s, no hook, no probe.

## Example
```yaml bad path=worker.yaml
apiVersion: v1
kind: Pod
metadata:
  name: worker
spec:
  containers:
    - name: worker
      image: ghcr.io/acme/worker:2.0.1
      terminationGracePeriodSeconds: 120
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

## Fix safety
Once it is moved the setting holds, which nobody has tried so far: unsafe.

## References
- [PodSpec](https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec)
- [Compose services](https://docs.docker.com/reference/compose-file/services/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Launch, Misplaced, Severity, edits, rule


@rule("misplaced-key", severity=Severity.ERROR, subject=Launch, about=("misplaced",))
def misplaced_key(launch: Launch) -> Iterator[Finding]:
    for item in launch.misplaced:
        yield Finding(
            f"`{item.key.value}` {item.where}: it is rejected or dropped there, and {item.instead}",
            at=item.key.span,
            fix=_fix(item),
        )


def _fix(item: Misplaced) -> Fix:
    title = f"Move it {item.home_name}"
    changes = edits.yaml.move_entry(item.document, item.place, item.key.value, item.home, item.below)
    return Fix(title, changes or (), Applicability.UNSAFE if changes else Applicability.MANUAL)
