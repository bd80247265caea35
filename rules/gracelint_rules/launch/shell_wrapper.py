r"""A shell that stays between the stop signal and the program.

## What it does
Reports `sh -c "…"` in an exec-form CMD or ENTRYPOINT, in Kubernetes' `command` and `args`, and in Compose's `command`
and `entrypoint`, where the program is not reached by `exec`. It is an error where the shell of that image is known to
stay in front of the program, and information where it would exec the program by itself, or is not known: that hangs by
the shell and by the shape of the text. Where a store or an exporter hangs by it nothing is said: its image and its
chart come from the same people. A shell without a command (`CMD ["bash"]`) is a warning, and so is one that cuts off
what drops its requests on that signal by itself.

## Why is this bad?
A shell passes no signal on. As PID 1 it ignores SIGTERM, and the program is killed with SIGKILL when the grace period
is over; behind an init it dies at once, and the container ends before the program has cleaned up. Debian's dash never
execs the last command of `sh -c` by itself. Bash and busybox do in some shapes: in `cd /app && node .` yes, in
`node . | tee log`, `node . || exit 1` and behind a trap no.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY worker.py /app/worker.py
CMD ["sh", "-c", "cd /app && python worker.py"]
```
```python bad path=worker.py
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    time.sleep(1)
```
Use instead:
```dockerfile good path=Dockerfile
FROM python:3.12-slim
COPY worker.py /app/worker.py
CMD ["sh", "-c", "cd /app && exec python worker.py"]
```

## Fix safety
`exec` is put before the command that ends the text on every way through it: safe. Where the text sets traps or starts
background jobs, which `exec` leaves behind, the fix is unsafe. A second `wait` behind the one that the trap interrupts
is safe. Pipes, `|| exit` and loops have no fix.

## References
- [Debian bug 642706](https://bugs.debian.org/642706): why Debian's dash does not exec the last command
- [pid_namespaces(7)](https://man7.org/linux/man-pages/man7/pid_namespaces.7.html): signals and PID 1
"""

from collections.abc import Iterator

from gracelint import Applicability, Effect, Finding, Fix, Hop, HopKind, Launch, Severity, edits, rule

_BY_LUCK = ("optimised", "unmeasured", "unknown-shell")


@rule("shell-wrapper", severity=Severity.ERROR, subject=Launch, verdict=True, about=("shell_texts",))
def shell_wrapper(launch: Launch) -> Iterator[Finding]:
    for hop in () if launch.ends_by_itself else launch.hops:
        if hop.details.get("form") == "sh -c" and not _others_speak(launch, hop):
            yield from _judge(launch, hop)
        if hop.effect in (Effect.SWALLOWS, Effect.CUTS, Effect.UNKNOWN):
            return


def _judge(launch: Launch, hop: Hop) -> Iterator[Finding]:
    cause, at = hop.details.get("cause"), hop.span or launch.origin.span
    if hop.details.get("reached_by_exec"):
        return
    below = launch.below(hop)
    waits = below if below is not None and below.details.get("cause") == "interactive" else hop
    if hop is launch.blocker and "interactive" not in (cause, waits.details.get("cause")):
        severity = None if launch.loses_work else Severity.WARNING
        yield Finding(f"{hop.why}; {launch.fate(hop)}", at, fix=_fix(launch, hop), severity=severity)
    elif cause == "no-shell":
        yield Finding(f"{hop.why}, and the container does not start", at)
    elif hop is launch.blocker and (waits is not hop or hop.details.get("written")):
        yield Finding(f"{waits.why}; it is killed after {launch.grace.value:g} s", at, severity=Severity.WARNING)
    elif cause in _BY_LUCK and launch.blocker is None and launch.hook.stops is None and not _is_as_published(launch):
        message = f"{hop.why}; say `exec`, so that the signal arrives whatever the shell"
        yield Finding(message, at, fix=edits.script.reach_program(hop), severity=Severity.INFO)


def _is_as_published(launch: Launch) -> bool:
    """Whether it is a store or an exporter, whose chart and image come from the same people."""
    return launch.container is not None and (launch.container.reconnects or launch.container.watches)


def _fix(launch: Launch, hop: Hop) -> Fix | None:
    above = launch.above(hop)
    instead = above.details.get("instead") if above is not None else None
    if above is None or instead is None:
        return edits.script.reach_program(hop)
    # with `exec` the signal arrives, and what stands above still kills the program soon after
    return Fix(f"Start the program with {instead} in place of {above.name}", (), Applicability.MANUAL)


def _others_speak(launch: Launch, hop: Hop) -> bool:
    """`package-manager-as-pid-1` of the shell that npm starts, `misplaced-init` of a shell that starts an init."""
    above, below = launch.above(hop), launch.below(hop)
    from_npm = above is not None and above.kind is HopKind.PACKAGE_MANAGER
    return from_npm or (below is not None and below.kind is HopKind.INIT)
