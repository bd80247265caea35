r"""A program that its stop signal does not end, or ends too early, with nobody to repair it here.

## What it does
Reports containers whose program is known to ignore the stop signal or to drop its work on it, where no other rule has
something to say: the shell, the package manager, the wrapper, the source and the signal itself are all as they should
be, and the program is made that way. A program of somebody else's image that drops its work is information, and so is
its shell that waits at a prompt: a stop takes its time, and nothing is lost. So is one that gives what is in flight the
few seconds that most of it needs. One that drops what is asked for again at once (an exporter's scrape), or does
nothing at all, is not reported.

## Why is this bad?
A program that ignores the signal keeps every stop waiting for the whole grace period and is then killed. One that ends
at once loses what it is doing at that moment.

## Example
```dockerfile bad path=Dockerfile
FROM debian:12
CMD ["tail", "-f", "/var/log/shop.log"]
```
Use instead:
```dockerfile good path=Dockerfile
FROM python:3.12
CMD ["uvicorn", "shop.asgi:application", "--timeout-graceful-shutdown", "7"]
```
A program that ignores the signal as PID 1, such as `tail -f`, is ended by an init in front: `init: true` in Compose.

## References
- [Docker: `--init`](https://docs.docker.com/reference/cli/docker/container/run/#init)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Cause, Finding, Hop, HopKind, Launch, Severity, Verdict, rule

_PROGRAMS = (HopKind.PROGRAM, HopKind.SERVER)
_SHELLS = (HopKind.SHELL, HopKind.SCRIPT)
_OF_THE_SOURCE = (
    Cause.NO_HANDLER,
    Cause.OTHER_SIGNAL_ONLY,
    Cause.DISCARDED,
    Cause.NEVER_OBSERVED,
    Cause.EXIT_BLOCKED,
    Cause.SHUTDOWN_DEADLOCK,
    Cause.OFF_MAIN_THREAD,
    Cause.ABRUPT_EXIT,
    Cause.SHUTDOWN_NOT_AWAITED,
    Cause.STILL_ALIVE,
    Cause.GRACEFUL,
    Cause.KEEP_ALIVE,
)


@rule("unheard-stop-signal", severity=Severity.ERROR, subject=Launch, verdict=True, about=("blocker",))
def unheard_stop_signal(launch: Launch) -> Iterator[Finding]:
    hop = launch.blocker
    if hop is None or _is_for_another_rule(launch, hop) or (_is_theirs(launch) and _drops_nothing(launch)):
        return
    ignored = launch.verdict is Verdict.IGNORED
    seen = f", which is ignored until {launch.kill}" if ignored and hop.signal not in hop.why else ""
    until = f": it runs on until {launch.kill}" if ignored and not seen else seen
    name = hop.argv[0].rpartition("/")[2]
    why = f"{name} {hop.why[3:]}" if hop.why.startswith("it ") else hop.why
    yield Finding(
        f"{why}{until}",
        at=hop.span or launch.origin.span,
        severity=_severity(launch, hop),
    )


def _severity(launch: Launch, hop: Hop) -> Severity:
    if launch.verdict is Verdict.IGNORED and hop.details.get("cause") != "interactive":
        return Severity.ERROR
    return Severity.INFO if _is_theirs(launch) or hop.details.get("brief") else Severity.WARNING


def _is_theirs(launch: Launch) -> bool:
    return launch.stage is None and launch.origin.kind != "dockerfile"


def _drops_nothing(launch: Launch) -> bool:
    return launch.idle and launch.verdict is Verdict.CUT


def _is_for_another_rule(launch: Launch, hop: Hop) -> bool:
    if hop.kind in _SHELLS:
        return hop.details.get("cause") != "interactive" or bool(hop.details.get("written"))
    if hop.kind not in _PROGRAMS:
        return True
    if any(hop.details.get(key) for key in ("group_cut", "lossy", "inherits")):
        return True
    if hop.details.get("better") or hop.details.get("advice") or hop.deadline is not None:
        return True
    return launch.program is not None and hop.details.get("cause") in _OF_THE_SOURCE
