"""A handler that leaves at once and drops what is in flight.

## What it does
Reports handlers that end a server or a program with cleanup of its own on the spot: `os._exit()`, `process.exit()`,
an exception out of a server's loop that nothing catches, and HTTP servers whose request threads are daemons. In Go:
`os.Exit`, `log.Fatal`, a panic, `Close` in the place of `Shutdown`, a main that returns with requests in flight, and a
`Shutdown` whose context ends before the requests do. It is information where the time is the server's default, such as
the 2 s of Rocket: few requests are that long; where it serves metrics; and where no container here starts the program.

## Why is this bad?
The container ends within milliseconds, exit code 0, and everything looks fine: but requests that were being answered
are dropped, `finally` blocks and `atexit` hooks may never run, and buffered output is lost. Close the listener,
finish what is in flight, then leave.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "uploader.py"]
```
```python bad path=uploader.py
import os
import signal
import time


def stop(signum, frame):
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
try:
    while True:
        time.sleep(1)
finally:
    print("pending uploads flushed")
```
Use instead:
```python good path=uploader.py
import signal
import sys
import time


def stop(signum, frame):
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
try:
    while True:
        time.sleep(1)
finally:
    print("pending uploads flushed")
```

## References
- [os._exit](https://docs.python.org/3/library/os.html#os._exit)
- [Node: process.exit](https://nodejs.org/api/process.html#processexitcode)
"""

from collections.abc import Iterator

from gracelint import Cause, Finding, Program, Severity, rule


@rule("abrupt-exit-in-handler", severity=Severity.WARNING, subject=Program, verdict=True)
def abrupt_exit_in_handler(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.ABRUPT_EXIT)
    if stop is None or any(server.development for server in program.servers):
        return
    yield Finding(
        stop.why,
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        severity=Severity.INFO if program.drain_by_default or not program.launches or stop.for_metrics else None,
    )
