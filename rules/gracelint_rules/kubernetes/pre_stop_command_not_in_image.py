r"""A preStop hook that runs a command the image does not have.

## What it does
Reports preStop hooks that run what is not there:

- a shell, `sleep`, `curl` or `wget` in an image known to have none: `scratch`, distroless and slim images
- a script that no COPY brings into the image built here, or that is looked for in another folder than it lies in
- a script that the mounted ConfigMap of the input does not have

Images that are not known are not judged, nor are commands behind `command -v` or `||`.

## Why is this bad?
The hook fails as soon as it starts, the kubelet logs a `FailedPreStopHook` event that nobody reads, and the container
is stopped as if there were no hook: while Services still send it requests.

## Example
```yaml bad path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: gcr.io/distroless/static-debian12
      command: ["/web"]
      lifecycle:
        preStop:
          exec:
            command: ["sleep", "15"]
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
      image: gcr.io/distroless/static-debian12
      command: ["/web"]
      lifecycle:
        preStop:
          sleep:
            seconds: 15
```

## Options
`kubernetes-version`: from 1.30 on the kubelet itself can sleep, and the fix says so.

## References
- [Container hooks](https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Container, Finding, Fix, Gap, Launch, PreStop, Severity, Workload, edits, rule


@rule("pre-stop-command-not-in-image", severity=Severity.ERROR, subject=Workload, about=("hooks",))
def pre_stop_command_not_in_image(workload: Workload) -> Iterator[Finding]:
    for container, launch in workload.launched():
        hook, gap = container.pre_stop, launch.hook.gap
        if hook is None or gap is None:
            continue
        yield Finding(_message(gap, container, launch), at=gap.span or hook.key, fix=_fix(workload, hook, launch))


def _message(gap: Gap, container: Container, launch: Launch) -> str:
    name = launch.image.reference or (container.image.value if container.image else "the image")
    subject = name if gap.why.startswith("has no") else gap.name
    ends = f": the preStop hook fails, and `{container.name}` is stopped without delay"
    return f"{subject} {gap.why}{ends}"


def _fix(workload: Workload, hook: PreStop, launch: Launch) -> Fix:
    seconds = launch.budget.pre_stop.value if launch.budget.pre_stop else 0.0
    gap = launch.hook.gap
    if gap is not None and ("/" in gap.name or gap.name in ("curl", "wget")):
        return Fix("Bring it into the image, or let the hook do without it", (), Applicability.MANUAL)
    handler = edits.yaml.sleep_hook(launch, seconds) if seconds > 0 and _only_sleeps(hook) else None
    if handler is None or "sleep" not in handler:
        return Fix("Let the kubelet sleep: preStop.sleep, from Kubernetes 1.30 on", (), Applicability.MANUAL)
    changes = edits.yaml.replace_entry(workload.document, hook.node, "exec", "sleep", handler["sleep"])
    applicability = Applicability.SAFE if changes else Applicability.MANUAL
    return Fix(f"Let the kubelet sleep for {seconds:g} s", changes or (), applicability)


def _only_sleeps(hook: PreStop) -> bool:
    words = [word.value for word in hook.argv]
    if words[0].rpartition("/")[2] != "sleep":
        words = words[-1].split()
    return len(words) == 2 and words[0].rpartition("/")[2] == "sleep"
