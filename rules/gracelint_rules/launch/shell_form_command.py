r"""A CMD or ENTRYPOINT in shell form, with a shell between the stop signal and the program.

## What it does
Reports CMD and ENTRYPOINT that are no JSON array, and so are started by the image's shell, where the program is not
reached by `exec`. It is an error where the shell of that image is known to stay in front of the program for a text of
that shape, a warning where it cuts off what drops its requests on that signal by itself, and information where it would
exec the program by itself, or is not known.

## Why is this bad?
Docker starts the text with `/bin/sh -c`. A shell passes no signal on: as PID 1 it ignores SIGTERM, and the program is
killed with SIGKILL when the grace period is over. Debian's dash, which most images have, never execs the last command
by itself; bash and busybox do for simple commands, but not in a pipe, before `|| exit 1` or behind a trap. Shell form
that ends in `exec` on every way is not reported: where `$VARIABLES` must be expanded, it is the right form.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY worker.py /worker.py
CMD python /worker.py --queue mail
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
COPY worker.py /worker.py
CMD ["python", "/worker.py", "--queue", "mail"]
```
A text that needs its shell keeps it, and execs the program:
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY worker.py /worker.py
CMD mkdir -p /tmp/state && python /worker.py --queue "$QUEUE"
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
COPY worker.py /worker.py
CMD mkdir -p /tmp/state && exec python /worker.py --queue "$QUEUE"
```

## Fix safety
Plain words become a JSON array, and in other texts `exec` is put before the command that ends them on every way: safe.
The array is unsafe behind an entry script, which may look at its arguments, and so is `exec` where the text sets traps
or starts background jobs. Pipes, `|| exit` and loops have no fix.

## References
- [Dockerfile reference: shell and exec form](https://docs.docker.com/reference/dockerfile/#shell-and-exec-form)
- [Debian bug 642706](https://bugs.debian.org/642706): why Debian's dash does not exec the last command
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Hop, HopKind, Launch, Severity, edits, rule

_BY_LUCK = ("optimised", "unmeasured", "unknown-shell")


@rule("shell-form-command", severity=Severity.ERROR, subject=Launch, verdict=True, about=("shell_form",))
def shell_form_command(launch: Launch) -> Iterator[Finding]:
    hop = launch.shell_form
    if hop is None or launch.ends_by_itself or hop.details["instruction"].broken_array is not None:
        return
    below = launch.below(hop)
    if below is not None and below.kind is HopKind.INIT:
        return  # misplaced-init speaks
    cause, at = hop.details.get("cause"), hop.span or launch.origin.span
    name = hop.details["instruction"].name
    if cause == "no-shell":
        yield Finding(
            f"{name} is in shell form, but {hop.why}: the container does not start", at, fix=_fix(launch, hop)
        )
    elif below is not None and launch.blocker is not None and below.details.get("cause") == "interactive":
        message = f"{below.why}; it is killed after {launch.grace.value:g} s"
        yield Finding(message, at, severity=Severity.WARNING)
    elif hop is launch.blocker:
        severity = None if launch.loses_work else Severity.WARNING
        yield Finding(f"shell form: {hop.why}; {launch.fate(hop)}", at, fix=_fix(launch, hop), severity=severity)
    elif cause in _BY_LUCK and launch.blocker is None and not hop.details.get("reached_by_exec"):
        message = f"shell form: {hop.why}; say `exec`, so that the signal arrives whatever the shell"
        yield Finding(message, at, fix=_fix(launch, hop), severity=Severity.INFO)


def _fix(launch: Launch, hop: Hop) -> Fix | None:
    plain = hop.details.get("plain")
    below = launch.below(hop)
    program = below.details.get("instead") if below is not None and below.kind is HopKind.PACKAGE_MANAGER else None
    if plain and program:
        changes = edits.dockerfile.to_exec_form(hop.details["instruction"], program)
        return Fix("Start the program itself", changes, Applicability.UNSAFE) if changes else None
    changes = edits.dockerfile.to_exec_form(hop.details["instruction"], plain) if plain else None
    if changes is None:
        return edits.script.reach_program(hop)
    behind_script = any(one.details.get("form") == "script" for one in launch.hops[: launch.hops.index(hop)])
    applicability = Applicability.UNSAFE if behind_script else Applicability.SAFE
    return Fix("Write the command as a JSON array", changes, applicability)
