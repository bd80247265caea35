"""Slow start-up before the handler is installed.

## What it does
Reports programs that import heavy libraries, connect to databases or brokers, run migrations or load models before
they install their handler for the stop signal. What counts as heavy is a list. It is information: what is stopped while
it starts has no work in flight yet.

## Why is this bad?
A signal that arrives before the handler is there is lost: PID 1 ignores it, and the runtime sends it only once. The
container that is stopped while it starts, in a rollout that is rolled back or a crash loop next to it, runs on until
SIGKILL.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "scorer.py"]
```
```python bad path=scorer.py
import signal
import sys
import time

import torch

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    time.sleep(1)
```
Use instead:
```python good path=scorer.py
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import torch

while True:
    time.sleep(1)
```

## References
- [Python: signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Finding, Note, Program, Severity, Verdict, rule


@rule("late-handler", severity=Severity.INFO, subject=Program, about=("startup",))
def late_handler(program: Program) -> Iterator[Finding]:
    handlers = [handler for handler in program.handlers if handler.main_thread and not handler.ignores]
    if not program.startup or not handlers:
        return
    first = program.startup[0]
    stop = next((stop for stop in program.stops if stop.verdict is Verdict.HANDLED and stop.pid_1), None)
    if stop is None or not any(stop.signal in handler.signals for handler in handlers):
        return
    yield Finding(
        f"`{_line(first.span.text)}` runs before the handler for {stop.signal} is installed:"
        f" a stop that comes in that time is lost, and it runs on until {stop.kill}",
        at=first.span,
        notes=(Note(handlers[0].span, "the handler is installed here"),),
    )


def _line(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 60 else f"{first[:59]}…"
