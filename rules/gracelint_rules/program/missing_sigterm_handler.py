"""A program that runs on and has no handler for the stop signal.

## What it does
Reports servers, consumers, loops and schedulers that a container starts, or that are entry points of their own, and
that handle no SIGTERM: neither themselves nor in a module of the project, nor by their framework. Programs that run
to their end by themselves are silent, and so is everything that cannot be followed.
An error where the signal is ignored or ends a program that has cleanup of its own; a warning where it only drops what
is in flight; information for an entry point that no container here starts, and where a Go or Node program was read
whole and serves nobody, opens nothing and writes nothing, where a Node program answers each request before it does
anything else, or where a program that is cut off serves metrics. So it is for what only drops requests in a Knative
service, whose queue-proxy keeps the signal back until they are answered, and in what stands in for devices and users
(`meter-simulator`, `loadgenerator`).

## Why is this bad?
A process without a handler has the default action for SIGTERM. PID 1 does not get default actions: the kernel drops
the signal, and the container runs on until SIGKILL. Under an init the default action kills it at once: no `finally`,
no `atexit`, open requests dropped, buffered output lost. Either way work is lost on every deployment.
The Go runtime ends a program that has not asked for the signal at once, exit code 2, as PID 1 too. Rust installs no
handler by itself.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENTRYPOINT ["tini", "--"]
CMD ["python", "ticker.py"]
```
```python bad path=ticker.py
import time


def main():
    try:
        while True:
            print("tick")
            time.sleep(1)
    finally:
        print("state saved")


if __name__ == "__main__":
    main()
```
Use instead:
```python good path=ticker.py
import signal
import time


def main():
    try:
        while True:
            print("tick")
            time.sleep(1)
    finally:
        print("state saved")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
```

## Fix safety
Unsafe: the handler raises an exception wherever the program happens to be. `signal.default_int_handler` raises
KeyboardInterrupt, which the program cleans up after already; elsewhere SystemExit is raised. Where the program has a
function of its own that stops it or sets up its signals, that one is called; where it cannot be called by its name, and
for Python's servers, the handler is left to the program. So it is where the program waits for a child process, which
would be killed with it: a handler has to tell the child.

## References
- [Python: signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Applicability, Cause, Finding, Fix, Program, Severity, Span, Stop, Verdict, edits, rule

_MANUAL = Applicability.MANUAL


@rule("missing-sigterm-handler", severity=Severity.ERROR, subject=Program, verdict=True)
def missing_sigterm_handler(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.NO_HANDLER, Cause.OTHER_SIGNAL_ONLY)
    if stop is None or _handles_sigint_only(program, stop):
        return
    at = stop.reaction.span or program.span
    yield Finding(
        f"{stop.why}: {stop.seen}",
        at=at,
        notes=stop.notes,
        fix=_fix(program, stop, at),
        severity=_severity(program, stop),
    )


def _severity(program: Program, stop: Stop) -> Severity | None:
    """A program that is cut off loses its cleanup where it has one, else what is in flight.

    What no container here starts may be run by hand.
    """
    if not program.launches:
        return Severity.INFO
    if stop.verdict is Verdict.CUT and (program.loses_nothing or stop.for_metrics):
        return Severity.INFO
    loses_all = stop.verdict is Verdict.IGNORED or program.cleans_up_on_interrupt
    return None if loses_all else Severity.WARNING


def _handles_sigint_only(program: Program, stop: Stop) -> bool:
    """`sigint-only-handler` speaks of it."""
    if stop.reaction.cause is Cause.NO_HANDLER or stop.signal == "SIGINT":
        return False
    return not program.handlers or any("SIGINT" in handler.signals for handler in program.handlers)


def _fix(program: Program, stop: Stop, at: Span) -> Fix:
    if any(child.kind == "subprocess" and child.span == at for child in program.children):
        return Fix("Install a handler for SIGTERM that passes it on to the child and waits for it", (), _MANUAL)
    changes = edits.of_language(program.language).add_sigterm_handler(program) if stop.signal == "SIGTERM" else None
    if changes:
        return Fix("Install a handler for SIGTERM", changes, Applicability.UNSAFE)
    return Fix("Install a handler for SIGTERM that calls what stops the program", (), _MANUAL)
