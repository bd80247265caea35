"""A handler that is installed from a thread.

## What it does
Reports `signal.signal()` that is reached only in a thread other than the main one.

## Why is this bad?
Python installs handlers in the main thread alone; elsewhere `signal.signal()` raises ValueError. The thread dies with
a traceback, the program runs on, and no handler is there when SIGTERM comes.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENTRYPOINT ["tini", "--"]
CMD ["python", "agent.py"]
```
```python bad path=agent.py
import signal
import sys
import threading
import time


def watch():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


threading.Thread(target=watch, daemon=True).start()
while True:
    time.sleep(1)
```
Use instead:
```python good path=agent.py
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    time.sleep(1)
```

## References
- [Python: signals and threads](https://docs.python.org/3/library/signal.html#signals-and-threads)
"""

from collections.abc import Iterator

from gracelint import Cause, Finding, Program, Severity, rule


@rule("handler-off-main-thread", severity=Severity.ERROR, subject=Program, verdict=True)
def handler_off_main_thread(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.OFF_MAIN_THREAD)
    if stop is None:
        return
    yield Finding(
        f"{stop.why}: {stop.seen}",
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        severity=None if program.launches else Severity.WARNING,
    )
