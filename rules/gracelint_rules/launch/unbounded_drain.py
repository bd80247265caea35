r"""A server that waits for what is in flight without a limit.

## What it does
Reports servers and workers that are started without an upper limit for their shutdown: uvicorn without
`--timeout-graceful-shutdown`, granian without `--workers-kill-timeout`, Celery without a time limit for tasks.

It is information: whether a request or task ever outlasts the grace period, the files do not say; where they do, as of
a stream that never ends, the launch is judged by it. Where uvicorn is asked for several workers, it is a warning: of
that many requests one does not end sooner or later.

## Why is this bad?
One request that does not end (a slow client, a websocket, a stream, a hanging query) keeps the server alive until
SIGKILL. The lifespan's end, buffered telemetry and the pool's close never run then, for the sake of one request. With a
limit the server ends by itself and cleans up.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN pip install --no-cache-dir fastapi uvicorn
WORKDIR /app
COPY . .
CMD ["uvicorn", "api:app", "--host", "0.0.0.0"]
```
Use instead:
```dockerfile good path=Dockerfile
FROM python:3.12-slim
RUN pip install --no-cache-dir fastapi uvicorn
WORKDIR /app
COPY . .
CMD ["uvicorn", "--timeout-graceful-shutdown=8", "api:app", "--host", "0.0.0.0"]
```

## Fix safety
Unsafe: the limit is what is left of the grace period (10 s for `docker stop`, where no manifest says more) after
preStop and margin. Requests that run longer are cancelled then, as SIGKILL would have done.

## References
- [uvicorn settings: timeouts](https://www.uvicorn.org/settings/#timeouts)
- [Celery: stopping the worker](https://docs.celeryq.dev/en/stable/userguide/workers.html#stopping-the-worker)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Hop, Launch, Located, Severity, Verdict, edits, rule


@rule("unbounded-drain", severity=Severity.WARNING, subject=Launch, about=("budget.unlimited",))
def unbounded_drain(launch: Launch) -> Iterator[Finding]:
    drain, hop = launch.budget.unlimited, launch.decisive
    # in a program's source, waiting without a limit is for unbounded-wait-on-shutdown to say
    if (
        drain is None
        or hop is None
        or "bound" not in hop.details
        or launch.verdict is not Verdict.HANDLED
        or launch.dev_server
    ):
        return
    before = launch.budget.pre_stop.value if launch.budget.pre_stop else 0.0
    left = launch.grace.value - before - launch.budget.margin
    bound = hop.details["bound"]
    advice = hop.details["advice"] if bound is None else _advice(str(bound), left)
    yield Finding(
        f"{drain.why}: one that does not end keeps it until {launch.kill}{f'; {advice}' if advice else ''}",
        at=(drain.span if bound is None else None) or hop.span or launch.origin.span,
        fix=_fix(hop, left),
        severity=None if drain.several and advice else Severity.INFO,
    )


def _advice(bound: str, left: float) -> str:
    return f"set {bound} to at most {left:g}" if left >= 1 else f"set {bound}, and raise the grace period"


def _fix(hop: Hop, left: float) -> Fix | None:
    bound, program = hop.details["bound"], hop.details["first"]
    if bound is None or not isinstance(program, Located) or not left >= 1:
        return None
    # options come before the application: what stands behind it may be a variable that only the container knows
    changes = edits.words.insert_after(program, f"{bound}={int(left)}")
    return Fix(f"Limit the shutdown to {int(left)} s", changes, Applicability.UNSAFE) if changes else None
