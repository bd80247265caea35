r"""A container that stops while Services still send it requests.

## What it does
Reports containers that get traffic, have no `lifecycle.preStop` hook, and have another pod beside them that could take
the requests meanwhile: two replicas or more (also by an autoscaler's minimum, or by another workload behind the same
Service), and no `Recreate`.

A container gets traffic where a Service that is applied together with it (the same file, folder or kustomization, else
the nearest) sends requests to one of its ports, or, if there is no Service at all in there, where it declares `ports`.
Not counted are Services for metrics and headless ones, Jobs, test hooks, init containers, sidecars, Knative services,
Windows, servers that a preStop hook has to tell to drain (`drops-requests-on-stop`), operators that elect a leader,
databases and brokers whose clients connect anew, and programs that wait for some seconds after SIGTERM before they
close their listener.

It is a warning where the files show both ends: requests from outside of the cluster (an Ingress, a route, a Service of
type LoadBalancer or NodePort), whose senders learn of the stop last, and a program that is known to serve nothing more
after the signal. Else it is information: inside of a cluster endpoints are gone within moments, and a program that
nobody here can read may wait by itself. So it is for dashboards and collectors, for development servers, and for a
program that ignores the signal, which is to be mended first.

## Why is this bad?
When a pod is deleted, two things begin at the same time: the kubelet stops its containers, and the endpoints controller
takes the pod out of its Services. The second takes 5 to 15 s to reach every node, proxy and load balancer. A program
that stops listening on SIGTERM refuses all that is sent to it until then: every rollout drops some requests. A preStop
hook that sleeps holds SIGTERM back for that long.

## Example
```yaml bad path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/shop:1.4.2
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
```
```toml path=gracelint.toml
kubernetes-version = "1.30"
```
Use instead:
```yaml good path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/shop:1.4.2
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
```

## Options
`budget.pre-stop-seconds` is how long the fix sleeps (15). `kubernetes-version` decides its form: `sleep` from 1.30 on;
else `exec` of `sleep`, where the image is known to have it.

## Fix safety
Unsafe: each stop takes so much longer. The grace period is raised in the same fix where the sum needs it.

## References
- [Pod termination](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
- [Termination of endpoints](https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Container, Finding, Fix, Launch, Note, Severity, Verdict, Workload, edits, rule

_STOPS = (Verdict.HANDLED, Verdict.CUT)
"""What is known to serve nothing more after the stop signal."""


@rule("missing-pre-stop", severity=Severity.WARNING, subject=Workload, about=("has_stand_in",))
def missing_pre_stop(workload: Workload) -> Iterator[Finding]:
    if workload.knative or workload.grace.value == 0 or not workload.has_stand_in:
        return
    for container, launch in workload.serving():
        if container.pre_stop is not None or launch.pauses or launch.needs_hook_to_drain:
            continue  # of the last `drops-requests-on-stop` says which hook, and that waits as well
        stays = launch.verdict is Verdict.IGNORED
        felt = bool(workload.balancers) and launch.verdict in _STOPS and not launch.dev_server
        yield Finding(
            f"`{container.name}` {_told(workload, launch, stays)}",
            at=container.span,
            notes=tuple(Note(service.span, "this Service sends it requests") for service in workload.callers),
            fix=_fix(workload, container, launch),
            severity=workload.severity_of(container, felt=felt),
        )


def _told(workload: Workload, launch: Launch, stays: bool) -> str:
    signal, senders = launch.stop_signal.value, "Services" if workload.services else "clients"
    if stays:
        return (
            f"serves on after {signal}, which it ignores; once that is mended, it needs a preStop hook that waits while"
            f" {senders} still send it requests"
        )
    return (
        f"gets {signal} while {senders} still send it requests: without a preStop hook that waits, it refuses those of"
        " the next 5 to 15 s"
    )


def _fix(workload: Workload, container: Container, launch: Launch) -> Fix:
    pause = launch.assume.pre_stop
    title = f"Sleep for {pause:g} s before the container is stopped"
    hook = edits.yaml.sleep_hook(launch, pause)
    changes = edits.yaml.set_pre_stop(workload, container, hook) if hook else None
    grace = edits.yaml.make_room(workload, launch.needed_with(pause))
    if changes is None or grace is None:
        return Fix(title, (), Applicability.MANUAL)
    return Fix(title, (*grace, *changes), Applicability.UNSAFE)
