r"""A preStop hook that stops the program before the traffic stops.

## What it does
Reports preStop hooks of containers that get traffic which return at once (`nginx -s quit`, `kill`, an `httpGet`, a
`sleep` of 0 s), and those that tell the program to stop and sleep only then. Hooks that sleep first, and scripts that
cannot be read, are not reported, nor is a workload without another pod that could take the requests.

## Why is this bad?
While a pod is being deleted, requests reach it for another 5 to 15 s: that is how long its removal from the endpoints
takes to spread. A hook is the place to wait for that. One that returns at once makes SIGTERM come as early as without a
hook, and one that tells the program to quit makes it even earlier.

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
          lifecycle:
            preStop:
              exec:
                command: ["kill", "-QUIT", "1"]
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
              exec:
                command: ["sh", "-c", "sleep 15 && kill -QUIT 1"]
```

## References
- [Container hooks](https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)
- [Termination of endpoints](https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Container, Edit, Finding, Fix, Launch, PreStop, Severity, Span, Workload, rule


@rule("pre-stop-without-delay", severity=Severity.WARNING, subject=Workload, about=("hooks",))
def pre_stop_without_delay(workload: Workload) -> Iterator[Finding]:
    if workload.knative or workload.grace.value == 0 or not workload.has_stand_in:
        return
    for container, launch in workload.serving():
        hook = container.pre_stop
        if hook is not None and launch.hook.early is not None and not launch.pauses:
            yield _too_early(container, *launch.hook.early)
            continue
        what = _at_once(container, hook, launch) if hook is not None else None
        if hook is None or what is None or launch.pauses:
            continue
        yield Finding(
            f"{what}: `{container.name}` is stopped while Services still send it requests, for another 5 to 15 s",
            at=hook.key,
            fix=Fix(f"Let the hook sleep for {launch.assume.pre_stop:g} s first", (), Applicability.MANUAL),
            severity=workload.severity,
        )


def _too_early(container: Container, told: Span, sleep: Span) -> Finding:
    message = (
        f"`{told.text}` comes before `{sleep.text}`: `{container.name}` stops while Services still send it requests,"
        " and the sleep delays nothing"
    )
    swapped = (Edit(told, sleep.text), Edit(sleep, told.text)) if told.source.path else ()
    applicability = Applicability.UNSAFE if swapped else Applicability.MANUAL
    at = told if told.source.path else None
    hook = container.pre_stop
    assert hook is not None
    return Finding(message, at=at or hook.key, fix=Fix("Sleep first", swapped, applicability))


def _at_once(container: Container, hook: PreStop, launch: Launch) -> str | None:
    """What makes the hook return at once; None where it waits, or nobody can tell."""
    if launch.budget.pre_stop is None or launch.budget.pre_stop.value != 0:
        return None
    if hook.handlers == ("httpGet",) and not _asks_another(container, hook):
        return "this hook lasts no longer than one HTTP request"
    if hook.handlers == ("sleep",):
        zero_is_valid = (launch.assume.kubernetes_version or (1, 33)) >= (1, 33)
        return "this hook sleeps for 0 s" if zero_is_valid else None
    return f"`{_on_one_line(hook)}` returns at once" if hook.handlers == ("exec",) else None


def _asks_another(container: Container, hook: PreStop) -> bool:
    """Whether the request goes to another container, which may answer only when all is drained."""
    port = hook.node.scalar("httpGet", "port")
    own = {name for one in container.ports for name in (one.name, str(one.number))}
    return port is not None and bool(own) and port.value not in own


def _on_one_line(hook: PreStop) -> str:
    lines = " ".join(word.value for word in hook.argv).splitlines()
    text = "; ".join(line.strip() for line in lines if line.strip())
    return text if len(text) <= 80 else f"{text[:79]}…"
