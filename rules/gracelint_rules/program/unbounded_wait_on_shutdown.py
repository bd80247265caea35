"""A wait without a deadline on the way out.

## What it does
Reports calls that wait without a limit after the stop signal: `thread.join()`, `executor.shutdown()`,
`process.wait()`, `await asyncio.gather(...)`, and in Node `server.close(callback)` without a timer that ends the
process; in Go `Shutdown` with a context that has no deadline, and `WaitGroup.Wait()`.
Silent where the wait has a timeout, where a timer of the handler's bounds it all, and where it is known to take longer
than the grace period, which another rule says.

## Why is this bad?
The grace period is a deadline that somebody else keeps. A worker that hangs in a request to a dead host holds the
whole program, and everything that comes after the wait (flushing, committing, leaving the cluster) is lost to
SIGKILL. With a deadline of its own the program decides what is given up.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "pump.py"]
```
```python bad path=pump.py
import signal
import threading

stop = threading.Event()


def pump():
    while not stop.wait(1):
        pass


signal.signal(signal.SIGTERM, lambda *_: stop.set())
worker = threading.Thread(target=pump, daemon=True)
worker.start()
stop.wait()
worker.join()
```
Use instead:
```python good path=pump.py
import signal
import threading

stop = threading.Event()


def pump():
    while not stop.wait(1):
        pass


signal.signal(signal.SIGTERM, lambda *_: stop.set())
worker = threading.Thread(target=pump, daemon=True)
worker.start()
stop.wait()
worker.join(timeout=8)
```

## Fix safety
Unsafe: what the thread has not finished by then is left undone, and a thread that is no daemon still holds the
process. The timeout is what preStop and the margin leave of the shortest grace period, and never less than a request
and the connection it came by need. In Node the timer goes into the body of the handler, and nowhere else.

## References
- [Python: Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Program, Severity, Verdict, edits, rule

_UNSAFE, _MANUAL = Applicability.UNSAFE, Applicability.MANUAL
_TITLE = "Give the wait a timeout"
_JOBS = ("queue.join", "executor", "result", "futures")
"""Work of any length; threads and tasks that are told to end, and requests, mostly are short."""
_KINDS = ("join", "queue.join", "executor", "gather", "result", "futures", "task group", "close")


@rule("unbounded-wait-on-shutdown", severity=Severity.WARNING, subject=Program, about=("waits",))
def unbounded_wait_on_shutdown(program: Program) -> Iterator[Finding]:
    stop = next((stop for stop in program.stops if stop.verdict is Verdict.HANDLED), None)
    if stop is None or program.drain_seconds is not None or program.held is not None:
        return
    if any(one.late for one in program.stops):
        return
    for wait in program.waits:
        if not wait.on_shutdown or wait.seconds is not None or wait.kind not in _KINDS:
            continue
        leaves = wait.kind == "join" and any(child.kind == "process" and not child.daemon for child in program.children)
        changes = None if leaves else edits.of_language(program.language).bound_wait(program, wait)
        title = "Give the wait a timeout, and terminate the processes that are left then" if leaves else _TITLE
        yield Finding(
            f"`{_line(wait.span.text)}` waits without a deadline on the way out: if it hangs, {stop.kill} decides",
            at=wait.span,
            fix=Fix(title, changes or (), _UNSAFE if changes else _MANUAL),
            severity=None if wait.kind in _JOBS else Severity.INFO,
        )


def _line(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 60 else f"{first[:59]}…"
