"""An asyncio task that the shutdown forgets.

## What it does
Reports tasks made with `asyncio.create_task()` or `ensure_future()` that are neither awaited nor cancelled on the way
out. Tasks of a TaskGroup are silent.

## Why is this bad?
`asyncio.run()` cancels what is left when the main coroutine returns: the task stops at whatever `await` it has come
to, half-done, and its exception is only logged. Await it with a timeout, or cancel and await it, while you still know
the order in which things must end.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "relay.py"]
```
```python bad path=relay.py
import asyncio
import signal


async def relay():
    while True:
        await asyncio.sleep(1)


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    task = asyncio.create_task(relay())
    await stop.wait()
    print("stopped", task)


asyncio.run(main())
```
Use instead:
```python good path=relay.py
import asyncio
import signal


async def relay():
    while True:
        await asyncio.sleep(1)


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    task = asyncio.create_task(relay())
    await stop.wait()
    task.cancel()
    await asyncio.wait([task], timeout=5)


asyncio.run(main())
```

## References
- [asyncio: create_task](https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task)
"""

from collections.abc import Iterator

from gracelint import Finding, Program, Severity, Verdict, rule


@rule("detached-task-on-shutdown", severity=Severity.WARNING, subject=Program, strict=True, about=("children",))
def detached_task_on_shutdown(program: Program) -> Iterator[Finding]:
    if not any(stop.verdict is Verdict.HANDLED for stop in program.stops):
        return
    for child in program.children:
        if child.kind == "task" and not child.ended:
            yield Finding(
                "this task is neither awaited nor cancelled on the way out: it stops half-done", at=child.span
            )
