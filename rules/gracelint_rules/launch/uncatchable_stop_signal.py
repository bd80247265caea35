r"""A stop signal that no program can catch.

## What it does
Reports SIGKILL and SIGSTOP, by name or number, as the stop signal of a container: `STOPSIGNAL` in a Dockerfile,
`stop_signal` in a Compose file, `lifecycle.stopSignal` in a Kubernetes manifest.

## Why is this bad?
The kernel never asks a program before SIGKILL and SIGSTOP. SIGKILL turns each stop into a crash: no handler, no flush,
no closed connections, whatever the grace period says. SIGSTOP freezes the program until the grace period is over, and
then it is killed.

## Example
```dockerfile bad path=Dockerfile
FROM nginx:1.27
STOPSIGNAL SIGKILL
```
Use instead:
```dockerfile good path=Dockerfile
FROM nginx:1.27
```

## Fix safety
The fix drops the line, so that the image's own stop signal (SIGTERM, where it sets none) is sent. That is unsafe
because someone may have chosen SIGKILL to hide a program that does not stop on SIGTERM.

## References
- [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html)
- [Dockerfile reference: STOPSIGNAL](https://docs.docker.com/reference/dockerfile/#stopsignal)
"""

from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Launch, Severity, edits, rule, signal_name


@rule("uncatchable-stop-signal", severity=Severity.ERROR, subject=Launch, verdict=True, about=("stop_signal.span",))
def uncatchable_stop_signal(launch: Launch) -> Iterator[Finding]:
    signal = signal_name(launch.stop_signal.value)
    if signal not in ("SIGKILL", "SIGSTOP") or launch.stop_signal.span is None:
        return
    seen = (
        "each stop kills the program at once, before it can finish anything"
        if signal == "SIGKILL"
        else f"it freezes the program until SIGKILL after {launch.grace.value:g} s"
    )
    changes = _without_stop_signal(launch)
    applicability = Applicability.UNSAFE if changes else Applicability.MANUAL
    yield Finding(
        f"no program can catch {signal}, the stop signal here: {seen}",
        at=launch.stop_signal.span,
        fix=Fix("Leave the stop signal at its default", changes or (), applicability),
    )


def _without_stop_signal(launch: Launch) -> tuple[Edit, ...] | None:
    service, container, workload = launch.service, launch.container, launch.workload
    changes: tuple[Edit, ...] | None = None
    if service is not None and service.stop_signal is not None:
        changes = edits.yaml.remove_entry(*service.holder("stop_signal"), "stop_signal")
    elif container is not None and workload is not None and container.stop_signal is not None:
        lifecycle = container.node.mapping("lifecycle")
        changes = edits.yaml.remove_entry(workload.document, lifecycle, "stopSignal") if lifecycle else None
    elif launch.stage is not None:
        changes = edits.dockerfile.drop_stop_signal(launch.stage)
    return changes
