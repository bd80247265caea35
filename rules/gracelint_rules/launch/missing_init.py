r"""A program as PID 1 that does not do what PID 1 has to.

## What it does
Reports containers whose PID 1 is a runtime such as Python or Node, where

- the program's source cannot be read, so that nobody can tell whether it has a handler for the stop signal, or
- the program starts other processes, and nothing above it reaps the orphans they leave.

Silent where an init is PID 1 (`tini`, `dumb-init`, `docker-init`, s6), with `init: true` in Compose and with
`shareProcessNamespace` in Kubernetes, and for servers that reap (gunicorn, nginx) and runtimes that end by themselves
(Go, Java, Ruby, BEAM).

## Why is this bad?
Without an init, SIGTERM to a program without a handler is ignored: each stop takes the whole grace period (10 s in
Docker and Compose, 30 s in Kubernetes) and ends in SIGKILL. With one, the program ends at once: *ignored* becomes
*cut*. That is faster, but only a handler in the program lets it finish its work.

## Example
```yaml bad path=compose.yaml
services:
  ticker:
    build: .
```
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY ticker.py /ticker.py
CMD ["python", "/ticker.py"]
```
```python bad path=ticker.py
import signal
import subprocess
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
feed = subprocess.Popen(["tail", "-F", "/var/log/feed"])
try:
    while True:
        time.sleep(1)
finally:
    feed.terminate()
    feed.wait()
```
Use instead:
```yaml good path=compose.yaml
services:
  ticker:
    build: .
    init: true
```

## Fix safety
`init: true` is safe. Installing tini in a Dockerfile adds a package to the image and is unsafe.

## References
- [docker run --init](https://docs.docker.com/reference/cli/docker/container/run/#init)
- [tini](https://github.com/krallin/tini)
"""

from collections.abc import Iterator

from gracelint import (
    Applicability,
    Cause,
    Effect,
    Finding,
    Fix,
    Hop,
    Launch,
    Note,
    Program,
    Severity,
    Span,
    edits,
    rule,
)

_PROCESSES = ("process", "pool", "subprocess", "worker")
_RUNTIMES = ("python", "pypy", "node", "nodejs")


@rule("missing-init", severity=Severity.INFO, subject=Launch, about=("program_as_pid_1",))
def missing_init(launch: Launch) -> Iterator[Finding]:
    first = launch.program_as_pid_1
    if first is None or launch.one_shot:
        return
    if launch.image.family is None and launch.image.entrypoint is None:
        return
    if launch.development or launch.dev_server or (launch.workload is not None and launch.workload.runs_to_end):
        return
    reason = _reason(first, launch)
    if reason is None:
        return
    message, place = reason
    notes = (Note(place, "here"),) if place is not None else ()
    service = launch.service if not launch.shared else None
    at = service.span if service is not None else launch.command_span
    yield Finding(message, at=at, notes=notes, fix=_fix(launch))


def _reason(hop: Hop, launch: Launch) -> tuple[str, Span | None] | None:
    """Why this program should not be PID 1, and the place in its source that shows it."""
    runtime = hop.argv[0].rpartition("/")[2] if hop.argv else ""
    program = launch.program
    if program is None and hop.effect is Effect.UNKNOWN and _is_runtime(runtime):
        return f"{runtime} is PID 1, and whether its program handles {hop.signal} cannot be read: {hop.why}", None
    child = next((child for child in program.children if child.kind in _PROCESSES), None) if program else None
    if program is None or child is None or _is_stuck(program, hop):
        return None
    return f"{runtime} is PID 1 and starts other processes: nothing reaps the orphans they leave", child.span


def _is_stuck(program: Program, hop: Hop) -> bool:
    """Whether it runs on until SIGKILL, with or without an init: another rule says why."""
    reaction = program.reactions.get(hop.signal)
    return reaction is not None and reaction.cause in (Cause.NEVER_OBSERVED, Cause.STILL_ALIVE, Cause.EXIT_BLOCKED)


def _is_runtime(name: str) -> bool:
    """python3.12, node, nodejs; not `node_exporter`."""
    return name.rstrip("0123456789.") in _RUNTIMES


def _fix(launch: Launch) -> Fix | None:
    if launch.service is not None and not launch.shared:
        changes = edits.yaml.set_init(launch.service)
        return Fix("Put an init in front", changes, Applicability.SAFE) if changes else None
    if launch.stage is None or launch.command_span.source is not launch.stage.source:
        return None
    changes = edits.dockerfile.install_init(launch.stage, launch.image)
    return Fix("Install tini and start the program through it", changes, Applicability.UNSAFE) if changes else None
