r"""A preStop command in a form that cannot do what it was written for.

## What it does
Reports commands of preStop hooks that fail, or never end, by the way they are written: `["sleep 15"]` names a program
called `sleep 15`; `["sleep", "15", "&&", "nginx", "-s", "quit"]` gives `&&` to sleep; `["sh", "-c", "'sleep 10'"]` has
quotes that are part of the text; `["sh", "-c", "sleep", "15"]` runs `sleep` alone; `["sleep", "infinity"]` outlasts
every grace period. Commands with variables are left alone.

## Why is this bad?
A hook that fails is over at once, and the container is stopped as if there were none. Nothing shows it but an event of
the pod that is just going away.

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
          exec:
            command: ["sleep 15"]
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
          exec:
            command: ["sleep", "15"]
```

## Fix safety
The words are put right as they were meant. Nothing changes until the container is stopped: safe.

## References
- [Container hooks](https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Flaw, PreStop, Severity, Workload, edits, rule


@rule("broken-pre-stop", severity=Severity.ERROR, subject=Workload, about=("hooks",))
def broken_pre_stop(workload: Workload) -> Iterator[Finding]:
    for container, launch in workload.launched():
        hook, flaw = container.pre_stop, launch.hook.flaw
        if hook is None or flaw is None or container.role == "init":
            continue
        ending = "" if flaw.right is None else f": the preStop hook of `{container.name}` fails and delays nothing"
        yield Finding(f"{flaw.why}{ending}", at=flaw.span or hook.key, fix=_fix(workload, hook, flaw))


def _fix(workload: Workload, hook: PreStop, flaw: Flaw) -> Fix:
    command = hook.node.mapping("exec")
    if flaw.right is None or command is None:
        return Fix("Write a command that ends in time", (), Applicability.MANUAL)
    changes = edits.yaml.replace_entry(workload.document, command, "command", "command", [*flaw.right])
    applicability = Applicability.SAFE if changes else Applicability.MANUAL
    return Fix("Write it as the words it was meant to be", changes or (), applicability)
