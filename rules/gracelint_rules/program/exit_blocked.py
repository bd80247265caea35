"""The handler asks for the end, and something stands in its way.

## What it does
Reports programs whose handler exits or raises, but which do not end: a non-daemon thread, a running task of an
executor, a child process, a pool or a task keeps them, or a broad `except` swallows what the handler raises.

## Why is this bad?
`sys.exit()` ends only the main thread. Python then waits for every other thread that is not a daemon, for executors
and for child processes, without any limit, and none of them has heard of the signal. `SystemExit` and
`KeyboardInterrupt` are exceptions as well: `except:` and `except BaseException:` in the main loop catch them and go
on.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "syncer.py"]
```
```python bad path=syncer.py
import signal
import sys
import threading
import time


def sync():
    while True:
        time.sleep(1)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
threading.Thread(target=sync).start()
while True:
    time.sleep(1)
```
Use instead:
```python good path=syncer.py
import signal
import threading

stop = threading.Event()


def sync():
    while not stop.wait(1):
        pass


signal.signal(signal.SIGTERM, lambda *_: stop.set())
worker = threading.Thread(target=sync)
worker.start()
stop.wait()
worker.join(timeout=5)
```

## References
- [Python: threads and their end](https://docs.python.org/3/library/threading.html#thread-objects)
- [Python: signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Cause, Finding, Program, Severity, rule


@rule("exit-blocked", severity=Severity.ERROR, subject=Program, verdict=True)
def exit_blocked(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.EXIT_BLOCKED)
    if stop is None:
        return
    yield Finding(
        f"{stop.why}: it runs on until {stop.kill}",
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        severity=None if program.launches else Severity.WARNING,
    )
