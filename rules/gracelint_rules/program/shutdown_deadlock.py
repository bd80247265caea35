"""`server.shutdown()` in the handler of the thread that serves.

## What it does
Reports handlers that call `shutdown()` of a `socketserver` or `http.server` server whose `serve_forever()` runs in
the main thread.

## Why is this bad?
`shutdown()` waits until `serve_forever()` has ended. Handlers run in the main thread, on top of `serve_forever()`,
which cannot go on before the handler returns: both wait for each other until SIGKILL.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "files.py"]
```
```python bad path=files.py
import signal
from http.server import HTTPServer, SimpleHTTPRequestHandler

server = HTTPServer(("", 8000), SimpleHTTPRequestHandler)


def stop(signum, frame):
    server.shutdown()


signal.signal(signal.SIGTERM, stop)
server.serve_forever()
server.server_close()
```
Use instead:
```python good path=files.py
import signal
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler

server = HTTPServer(("", 8000), SimpleHTTPRequestHandler)


def stop(signum, frame):
    threading.Thread(target=server.shutdown).start()


signal.signal(signal.SIGTERM, stop)
server.serve_forever()
server.server_close()
```

## Fix safety
Safe: until the signal comes nothing changes, and then `shutdown()` waits in a thread of its own.

## References
- [socketserver: shutdown](https://docs.python.org/3/library/socketserver.html#socketserver.BaseServer.shutdown)
"""

from collections.abc import Iterator

from gracelint import Applicability, Cause, Edit, Finding, Fix, Program, Severity, edits, rule


@rule("shutdown-deadlock", severity=Severity.ERROR, subject=Program, verdict=True)
def shutdown_deadlock(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.SHUTDOWN_DEADLOCK)
    if stop is None:
        return
    changes = _changes(program)
    yield Finding(
        f"{stop.why}: both wait until {stop.kill}",
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        fix=Fix("Shut down from a thread", changes, Applicability.SAFE) if changes else None,
        severity=None if program.launches else Severity.WARNING,
    )


def _changes(program: Program) -> tuple[Edit, ...] | None:
    acts = [act for handler in program.handlers for act in handler.acts if act.kind == "shutdown-here"]
    changes: tuple[Edit, ...] | None
    changes = edits.of_language(program.language).run_shutdown_in_thread(program, acts[0]) if len(acts) == 1 else None
    return changes
