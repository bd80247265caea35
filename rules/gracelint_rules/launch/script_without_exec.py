r"""An entry script that keeps the stop signal from its program.

## What it does
Reports entry scripts that run the program as a child (`"$@"`, `python app.py`, `gosu app "$@"`, `app | tee log`), and
those whose traps cannot work: one `wait` only, `trap 'exit 0' TERM`, `kill 0`, a trap on EXIT, a trap around a
foreground child. The arguments of the container decide `case "$1" in …`, as they do when it runs. Of a service of
s6-overlay it is a warning: what the script leaves behind is told to stop at the very end. A script whose `#!` line
has a Windows line end cannot be started at all. It is a warning, too, where the shell cuts off what drops its requests
on that signal by itself.

## Why is this bad?
A script stays PID 1, and a shell passes no signal on: SIGTERM is ignored, and the program is killed with SIGKILL when
the grace period is over. No shell execs the last command of a script file by itself. A trap does not help by itself,
either: it runs only when the foreground child has ended, and it interrupts `wait`, so that the script ends and the
kernel kills the program while it is cleaning up.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY worker.py /worker.py
COPY --chmod=755 entrypoint.sh /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
CMD ["python", "/worker.py"]
```
```sh bad path=entrypoint.sh
#!/bin/sh
set -e
mkdir -p /tmp/state
"$@"
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
```sh good path=entrypoint.sh
#!/bin/sh
set -e
mkdir -p /tmp/state
exec "$@"
```
A script that has to stay waits twice: the trap interrupts the first `wait`.
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY worker.py /worker.py
COPY --chmod=755 start.sh /start.sh
CMD ["/start.sh"]
```
```sh bad path=start.sh
#!/bin/sh
trap 'kill -TERM "$pid"' TERM
python /worker.py &
pid=$!
wait "$pid"
rm -f /tmp/worker.lock
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
```sh good path=start.sh
#!/bin/sh
trap 'kill -TERM "$pid"' TERM
python /worker.py &
pid=$!
wait "$pid"
wait "$pid"
rm -f /tmp/worker.lock
```

## Fix safety
`exec` is put before the command that ends the script on every way through it: safe, and unsafe where the script sets
traps or has background jobs, or starts a cron, some of which refuse to be PID 1 (dcron). A second `wait` is safe; under
`set -e` the first gets `|| true`, for it would end the script. All else has no fix.

## References
- [POSIX: signals and traps](https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_11)
- [pid_namespaces(7)](https://man7.org/linux/man-pages/man7/pid_namespaces.7.html): signals and PID 1
"""

from collections.abc import Iterator

from gracelint import Applicability, Effect, Finding, Fix, Hop, HopKind, Launch, Note, Severity, edits, rule


@rule("script-without-exec", severity=Severity.ERROR, subject=Launch, verdict=True, about=("scripts",))
def script_without_exec(launch: Launch) -> Iterator[Finding]:
    if launch.ends_by_itself:
        return
    dead = next((hop for hop in launch.scripts if hop.details.get("cause") == "carriage-return"), None)
    if dead is not None:
        yield Finding(
            f"{dead.why}, and the container does not start",
            at=dead.details["at"],
            notes=(Note(dead.span, "the script is started here"),) if dead.span is not None else (),
            fix=Fix("Save it with Unix line ends, and say so in .gitattributes", (), Applicability.MANUAL),
        )
        return
    left = next((hop for hop in launch.hops if hop.details.get("inherits")), None)
    script = next(iter(launch.scripts), None)
    if left is not None and left is launch.decisive and script is not None:
        yield Finding(
            f"{left.why}, as every job in the background does; {launch.fate(left)}",
            at=script.details["at"],
            fix=Fix(f"Send it SIGTERM in place of {left.signal}", (), Applicability.MANUAL),
        )
        return
    hop = _script_that_stays(launch)
    below = launch.below(hop) if hop is not None else None
    if hop is None or (below is not None and below.kind is HopKind.INIT):
        return  # misplaced-init speaks of a script that starts an init
    yield Finding(
        f"{hop.why}; {launch.fate(hop)}",
        at=hop.details["at"],
        notes=(Note(hop.span, "the script is started here"),) if hop.span is not None else (),
        fix=_fix(launch, hop),
        severity=Severity.WARNING if hop.details.get("rest") or not launch.loses_work else Severity.ERROR,
    )


def _fix(launch: Launch, hop: Hop) -> Fix | None:
    """Unsafe in front of a cron: dcron, for one, refuses to be PID 1 (https://github.com/dubiousjim/dcron/issues/13)."""
    fix = edits.script.reach_program(hop)
    if fix is None or fix.applicability is not Applicability.SAFE or not (hop.pid_1 and launch.schedules):
        return fix
    return Fix(fix.title, fix.edits, Applicability.UNSAFE)


def _script_that_stays(launch: Launch) -> Hop | None:
    stays = (Effect.SWALLOWS, Effect.CUTS, Effect.UNKNOWN)
    hop = next((hop for hop in launch.hops if hop.effect in stays), None)
    if hop is None or hop is not launch.blocker or hop.details.get("form") != "script":
        return None
    return hop
