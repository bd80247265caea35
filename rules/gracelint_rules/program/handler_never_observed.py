"""A handler sets a flag, and nobody looks at it in time.

## What it does
Reports programs whose handler only sets a variable, an attribute or an event, while the main thread waits without a
timeout in a call that the signal does not end (`queue.get()`, `recv()`, `accept()`, `select()`, `subprocess.run()`,
`join()`), sleeps longer than the grace period, or loops without ever looking at that flag. A program that only takes
longer than Docker's default of 10 s is information where nothing but a Dockerfile starts it.

## Why is this bad?
Since Python 3.5 a blocking call that a signal interrupts is simply started again once the handler has returned. The
handler runs, the log says "stopping", and nothing else happens until SIGKILL.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "tasks.py"]
```
```python bad path=tasks.py
import queue
import signal

tasks = queue.Queue()
stopping = False


def stop(signum, frame):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
while not stopping:
    task = tasks.get()
    print("task", task)
```
Use instead:
```python good path=tasks.py
import queue
import signal

tasks = queue.Queue()
stopping = False


def stop(signum, frame):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
while not stopping:
    try:
        task = tasks.get(timeout=1)
    except queue.Empty:
        continue
    print("task", task)
```

## References
- [PEP 475: retry system calls failing with EINTR](https://peps.python.org/pep-0475/)
- [Python: signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Cause, Finding, Program, Severity, rule


@rule("handler-never-observed", severity=Severity.ERROR, subject=Program, verdict=True)
def handler_never_observed(program: Program) -> Iterator[Finding]:
    severity = None if program.launches else Severity.WARNING
    stop = program.stop_because(Cause.NEVER_OBSERVED, Cause.STILL_ALIVE)
    if stop is not None:
        if stop.launch is not None and stop.launch.development:
            severity = Severity.INFO  # others start it too, and it ends there
        message = f"{stop.why}: it runs on until {stop.kill}"
        yield Finding(message, at=stop.reaction.span or program.span, notes=stop.notes, severity=severity)
        return
    late = next((stop for stop in program.stops if stop.late and stop.reaction.cause is not Cause.KEEP_ALIVE), None)
    if late is not None:
        message = f"{late.takes}, but {late.deadline} comes first: wait in shorter steps, or raise the grace period"
        # a Dockerfile alone declares no grace period: whoever runs the image may well give it more
        untold = late.launch is not None and late.launch.origin.kind == "dockerfile"
        yield Finding(message, at=program.span, notes=late.notes, severity=Severity.INFO if untold else severity)
