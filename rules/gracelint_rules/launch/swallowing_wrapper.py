r"""A wrapper that keeps the stop signal from its program.

## What it does
Reports commands that start the program and stay in front of it without passing the stop signal on (`flock`, `xargs`,
`time`, `strace`, `hatch run`, `honcho run`, …), and those that end before the program has cleaned up (`script`,
`watch`, `runsvdir`, `supervisord` with a program started by a shell); and `dumb-init --rewrite`, where it drops the
signal or turns it into SIGKILL. It is a warning where what is cut off drops requests on that signal by itself, as httpd
does below `apachectl` and an init, and information where somebody else's image starts it by itself and cuts its program
off: that is for those to mend who make the image.

## Why is this bad?
The container's PID 1 gets SIGTERM; the kernel gives PID 1 no default action. A wrapper without a handler as PID 1
ignores the signal, and the program is killed with SIGKILL when the grace period is over (exit 137): requests in flight,
buffered output and unfinished jobs are lost. Commands that replace themselves (`env`, `nice`, `gosu`, `setpriv`,
`stdbuf`) or forward the signal (`sudo`, `timeout`, `uv run`) are not reported.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
COPY worker.py /worker.py
CMD ["flock", "/tmp/worker.lock", "python", "/worker.py"]
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
CMD ["flock", "-F", "/tmp/worker.lock", "python", "/worker.py"]
```

## Fix safety
`flock -F` replaces itself with the program and keeps the lock: the fix is safe. Other wrappers have no such option.

## References
- [flock(1)](https://man7.org/linux/man-pages/man1/flock.1.html)
- [pid_namespaces(7)](https://man7.org/linux/man-pages/man7/pid_namespaces.7.html): signals and PID 1
"""

from collections.abc import Iterator

from gracelint import Applicability, Effect, Finding, Fix, Hop, HopKind, Launch, Note, Severity, Verdict, edits, rule

_SEEN = {
    Effect.SWALLOWS: "{signal} is ignored until {kill}",
    Effect.CUTS: "the program is cut before its cleanup is done",
}
_DROPPED = "open requests are dropped"
_KINDS = (HopKind.WRAPPER, HopKind.SUPERVISOR, HopKind.INIT)


@rule("swallowing-wrapper", severity=Severity.ERROR, subject=Launch, verdict=True, about=("blocker",))
def swallowing_wrapper(launch: Launch) -> Iterator[Finding]:
    hop = launch.blocker
    above = launch.above(hop) if hop is not None else None
    if hop is not None and hop.details.get("group_cut") and above is not None and above.kind is HopKind.SUPERVISOR:
        setting = above.details.get("group")
        yield Finding(
            f"{above.name} signals the whole process group ({setting}): {hop.why}",
            at=hop.span or launch.origin.span,
            fix=Fix(f"Do without {setting}", (), Applicability.MANUAL),
        )
        return
    if hop is None or hop.kind not in _KINDS or hop.effect not in _SEEN or hop.details.get("advice"):
        return
    if hop.effect is Effect.CUTS and hop.deadline is not None:
        return  # deadline-in-between says that it kills too soon
    seen = _SEEN[hop.effect].format(signal=hop.signal, kill=launch.kill) if launch.loses_work else _DROPPED
    at, below = hop.span or launch.origin.span, launch.below(hop)
    started = below.span if below is not None else None
    notes = (Note(started, "what it starts"),) if started is not None and started.source is not at.source else ()
    yield Finding(f"{hop.why}: {seen}", at, notes, _fix(launch, hop), _severity(launch))


def _severity(launch: Launch) -> Severity:
    if launch.verdict is Verdict.CUT and launch.command_span == launch.origin.span:
        return Severity.INFO  # nobody here has written what is started
    return Severity.ERROR if launch.loses_work else Severity.WARNING


def _fix(launch: Launch, hop: Hop) -> Fix | None:
    instead = hop.details.get("instead")
    if instead:
        return Fix(f"Start {instead}", (), Applicability.MANUAL)
    word = next((word for word in launch.argv or () if word.value.rpartition("/")[2] == "flock"), None)
    if launch.decisive is None or launch.decisive.name != "flock" or word is None:
        return None
    changes = edits.words.insert_after(word, "-F")
    return Fix("Let flock replace itself with the program", changes, Applicability.SAFE) if changes else None
