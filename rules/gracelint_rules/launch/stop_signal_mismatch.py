r"""A stop signal that this program does not stop for, or stops for without finishing its work.

## What it does
Compares the signal that the container runtime sends (`STOPSIGNAL`, `stop_signal` in Compose, `stopSignal` in
Kubernetes, else SIGTERM) with what the program does on it. Reports daemons whose graceful stop is another signal
(SIGQUIT for nginx, SIGWINCH for httpd, SIGUSR1 for haproxy, SIGINT for postgres), those that need a setting for one
(uWSGI, php-fpm), and programs that handle SIGTERM and are sent something else. What is cut off is a warning, and so is
a signal that somebody has chosen for postgres in Compose. Where nobody has, it is information: its clients are stopped
with it or before it, and its log repairs what a kill leaves. So it is for a pod without a Service that is cut off, and
for Tomcat, which gives requests the 2 s that most need.

## Why is this bad?
For nginx, httpd, haproxy and unicorn SIGTERM means *stop now*: each deployment drops the requests in flight. uWSGI
reloads on SIGTERM and runs until SIGKILL. A signal that a program has no handler for is ignored when it is PID 1.

## Example
```dockerfile bad path=Dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nginx
COPY site.conf /etc/nginx/conf.d/site.conf
CMD ["nginx", "-g", "daemon off;"]
```
Use instead:
```dockerfile good path=Dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nginx
COPY site.conf /etc/nginx/conf.d/site.conf
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
```

## Fix safety
Unsafe: whoever sends the old signal by hand, or a supervisor around the container, has to know of the new one.

## References
- [nginx: controlling nginx](https://nginx.org/en/docs/control.html)
- [httpd: stopping and restarting](https://httpd.apache.org/docs/2.4/stopping.html)
- [uWSGI: signals](https://uwsgi-docs.readthedocs.io/en/latest/Management.html#signals-for-controlling-uwsgi)
- [Dockerfile: STOPSIGNAL](https://docs.docker.com/reference/dockerfile/#stopsignal)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Hop, HopKind, Launch, Severity, Verdict, edits, rule

_UNCATCHABLE = ("SIGKILL", "SIGSTOP")


@rule("stop-signal-mismatch", severity=Severity.ERROR, subject=Launch, verdict=True, about=("blocker",))
def stop_signal_mismatch(launch: Launch) -> Iterator[Finding]:
    hop = launch.blocker
    if hop is None or hop.signal in _UNCATCHABLE:
        return
    better = _better(hop, launch)
    if better is None and hop.kind is HopKind.PROGRAM and launch.program is not None:
        return  # the source is what is wrong
    advice = f"stop it with {better}" if better else hop.details.get("advice")
    if advice is None or hop.details.get("group_cut") or hop.details.get("lossy"):
        return
    seen = f", and it runs until {launch.kill}" if launch.verdict is Verdict.IGNORED else ""
    yield Finding(
        f"{hop.why}{seen}; {advice}",
        at=launch.stop_signal.span or hop.span or launch.origin.span,
        fix=_fix(launch, hop, better) if better else None,
        severity=_severity(launch, hop),
    )


def _severity(launch: Launch, hop: Hop) -> Severity:
    """The clients of a Compose service are stopped with it or before it, and then nothing holds it up.

    A pod to which no Service sends requests has none in flight that somebody would miss; a signal that somebody has
    chosen is wrong all the same.
    """
    unasked = launch.workload is not None and not launch.workload.callers and launch.stop_signal.span is None
    if launch.verdict is Verdict.CUT and (unasked or hop.details.get("brief")):
        return Severity.INFO
    if launch.service is not None and hop.details.get("clients"):
        return Severity.INFO if launch.stop_signal.span is None else Severity.WARNING
    return Severity.WARNING if launch.verdict is Verdict.CUT else Severity.ERROR


def _better(hop: Hop, launch: Launch) -> str | None:
    """The signal that would let it finish, as it is configured."""
    if hop.kind is HopKind.SERVER:
        better = hop.details.get("better")
        return str(better) if better else None
    # where SIGTERM is sent, a handler for SIGINT alone is for sigint-only-handler to report
    if hop.kind is not HopKind.PROGRAM or launch.program is None or hop.signal == "SIGTERM":
        return None
    reaction = launch.program.reactions.get("SIGTERM")
    return "SIGTERM" if reaction is not None and reaction.as_pid_1 is Verdict.HANDLED else None


def _fix(launch: Launch, hop: Hop, better: str) -> Fix | None:
    """The signal is set where it is set now, else in the image, else in the Compose file."""
    if any(one.kind is HopKind.SUPERVISOR for one in launch.hops[: launch.hops.index(hop)]):
        return Fix(f"Let the supervisor send it {better}", (), Applicability.MANUAL)
    if hop.signal != launch.hops[0].signal:
        return None  # an init makes one signal of another
    container, service, stage, changes = launch.container, launch.service, launch.stage, None
    lifecycle = container.node.mapping("lifecycle") if container is not None and container.stop_signal else None
    if lifecycle is not None and launch.workload is not None:
        changes = edits.yaml.set_entry(launch.workload.document, lifecycle, "stopSignal", better)
    elif service is not None and (service.stop_signal is not None or stage is None):
        changes = edits.yaml.set_entry(*service.holder("stop_signal"), "stop_signal", better, after=("image",))
    elif stage is not None:
        changes = edits.dockerfile.set_stop_signal(stage, better)
    return Fix(f"Stop it with {better}", changes, Applicability.UNSAFE) if changes else None
