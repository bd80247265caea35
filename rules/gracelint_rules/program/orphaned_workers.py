"""Child processes that nobody stops.

## What it does
Reports child processes, pools and subprocesses that the program starts and that its way out neither terminates nor
waits for. Daemon processes end with their parent and are silent.

## Why is this bad?
The stop signal goes to one process. Children hear nothing of it: when the program ends, the kernel kills them
together with PID 1, in the middle of their work.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENTRYPOINT ["tini", "--"]
CMD ["python", "encoder.py"]
```
```python bad path=encoder.py
import signal
import subprocess
import threading

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
encoder = subprocess.Popen(["ffmpeg", "-i", "in.mp4", "out.webm"])
stop.wait()
print("stopped")
```
Use instead:
```python good path=encoder.py
import signal
import subprocess
import threading

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
encoder = subprocess.Popen(["ffmpeg", "-i", "in.mp4", "out.webm"])
stop.wait()
encoder.terminate()
encoder.wait(timeout=5)
print("stopped")
```

## References
- [Python: subprocess](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.terminate)
"""

from collections.abc import Iterator

from gracelint import Finding, Program, Severity, Verdict, rule

_KINDS = {"process": "child process", "pool": "pool of workers", "subprocess": "child process", "worker": "worker"}


@rule("orphaned-workers", severity=Severity.WARNING, subject=Program, about=("children",))
def orphaned_workers(program: Program) -> Iterator[Finding]:
    verdicts = {stop.verdict for stop in program.stops}
    if verdicts.isdisjoint((Verdict.HANDLED, Verdict.UNKNOWN)) or not program.handlers:
        return
    for child in program.children:
        if child.kind not in _KINDS or child.daemon or child.ended:
            continue
        if child.kind == "subprocess" and Verdict.HANDLED not in verdicts:
            continue  # it may be the child that decides, and that ends by itself
        yield Finding(
            f"nothing stops this {_KINDS[child.kind]} when the program is told to stop:"
            " it is killed in the middle of its work when the program ends",
            at=child.span,
        )
