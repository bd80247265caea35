r"""A mesh proxy that does not stop when its program does.

## What it does
Reports

- Istio's `terminationDrainDuration` and Linkerd's `proxy-wait-before-exit-seconds` that outlast the grace period
- a wait of Linkerd's proxy (0 s where none is set) that is shorter than the preStop hook of the program behind it
- a preStop hook that quits the proxy of a native sidecar: it runs at once, while the program still needs the proxy
- a proxy as an ordinary container of a Job: it runs on when the job is done

Pods without annotations of a mesh, and Jobs whose program quits the proxy itself, are not reported.

## Why is this bad?
All requests of the pod go through the proxy. One that refuses new requests while the program waits for the last of them
makes the wait useless; one that outlasts the grace period is killed with what it has open.

## Example
```yaml bad path=web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    config.alpha.linkerd.io/proxy-wait-before-exit-seconds: "5"
spec:
  terminationGracePeriodSeconds: 60
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
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
  annotations:
    config.alpha.linkerd.io/proxy-wait-before-exit-seconds: "30"
spec:
  terminationGracePeriodSeconds: 60
  containers:
    - name: web
      image: ghcr.io/acme/shop:1.4.2
      lifecycle:
        preStop:
          sleep:
            seconds: 15
```

## References
- [Linkerd: graceful pod shutdown](https://linkerd.io/2/tasks/graceful-shutdown/)
- [Istio: `terminationDrainDuration`](https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Note, Severity, Workload, rule


@rule("mesh-drain-mismatch", severity=Severity.WARNING, subject=Workload)
def mesh_drain_mismatch(workload: Workload) -> Iterator[Finding]:
    if workload.kind in ("Job", "CronJob"):
        yield from _keeps_job(workload)
        return
    for container in workload.containers:
        if container.role == "sidecar" and container.proxy is not None and container.quits_proxy:
            message = (
                f"this hook quits `{container.name}` at once: a native sidecar's preStop does not wait for the program"
                " to end"
            )
            at = container.pre_stop.key if container.pre_stop else container.span
            yield Finding(message, at=at, fix=_by_hand("Drop it: the kubelet stops sidecars last"))
    if not workload.runs_to_end:
        yield from _times(workload)


def _keeps_job(workload: Workload) -> Iterator[Finding]:
    programs = [one for one in workload.containers if one.role == "main" and one.proxy is None]
    if not programs or workload.share_process_namespace or any(one.quits_proxy for one in workload.containers):
        return
    for proxy in workload.containers:
        if proxy.role == "main" and proxy.proxy is not None:
            yield Finding(
                f"`{proxy.name}` runs on when `{programs[0].name}` is done: the {workload.kind} never completes",
                at=proxy.span,
                notes=(Note(programs[0].span, "the job itself"),),
                fix=_by_hand("Make it an init container with restartPolicy: Always"),
            )


def _times(workload: Workload) -> Iterator[Finding]:
    mesh, grace = workload.mesh, workload.grace.value
    if mesh is None:
        return
    lasts = mesh.drain or mesh.wait
    if lasts is not None and lasts.span is not None and lasts.value >= grace > 0:
        verb = "drains" if mesh.drain else "waits"
        message = f"{mesh.name}'s proxy {verb} for {lasts.value:g} s, and SIGKILL comes after {grace:g} s"
        yield Finding(
            message, at=lasts.span, fix=_by_hand("Give the pod a longer grace period, or the proxy less time")
        )
        return
    wait, longest = mesh.wait, workload.longest_hook
    if wait is None or wait.span is None or longest is None or longest[1].value <= wait.value:
        return
    container, hook = longest
    yield Finding(
        f"{mesh.name}'s proxy refuses requests after {wait.value:g} s, while the preStop hook of `{container.name}`"
        f" lets them come for {hook.value:g} s",
        at=wait.span,
        notes=(Note(hook.span, f"{hook.value:g} s"),) if hook.span is not None else (),
        fix=_by_hand("Let the proxy wait longer than the hook, and less than the grace period"),
    )


def _by_hand(title: str) -> Fix:
    return Fix(title, (), Applicability.MANUAL)
