r"""A stop signal that does not exist.

## What it does
Reports a stop signal that is neither the name nor the number of a Linux signal: `STOPSIGNAL` in a Dockerfile,
`stop_signal` in a Compose file, `lifecycle.stopSignal` in a Kubernetes manifest. Values that hold a variable nobody can
resolve are left alone.

## Why is this bad?
BuildKit refuses to build such an image, and the Kubernetes API server refuses such a manifest. Other builders take the
text as it is; then it is the container that cannot be created or stopped.

## Example
```dockerfile bad path=Dockerfile
FROM caddy:2
STOPSIGNAL SIGTREM
```
Use instead:
```dockerfile good path=Dockerfile
FROM caddy:2
STOPSIGNAL SIGTERM
```

## Fix safety
The fix puts in the signal with the nearest name; it is unsafe because it is a guess.

## References
- [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html)
- [Dockerfile reference: STOPSIGNAL](https://docs.docker.com/reference/dockerfile/#stopsignal)
"""

from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Launch, Severity, Word, nearest_signal, rule, signal_name


@rule("invalid-stop-signal", severity=Severity.ERROR, subject=Launch, about=("stop_signal.span",))
def invalid_stop_signal(launch: Launch) -> Iterator[Finding]:
    word = launch.stop_signal
    if word.span is None or "$" in word.value or _is_valid(launch):
        return
    near = signal_name(word.value) or nearest_signal(word.value)
    hint = f", did you mean {near}?" if near else ": it has names such as SIGTERM, and numbers from 1 to 64"
    changes = _replaced(word, near) if near not in (None, "SIGKILL", "SIGSTOP") else ()
    yield Finding(
        f"`{word.value}` is no signal of {'Kubernetes' if _is_manifest(launch) else 'Linux'}{hint}",
        at=word.span,
        fix=Fix(f"Write {near}", changes, Applicability.UNSAFE) if changes else None,
    )


def _is_valid(launch: Launch) -> bool:
    value = launch.stop_signal.value
    return signal_name(value) is not None and (not _is_manifest(launch) or value.startswith("SIG"))


def _is_manifest(launch: Launch) -> bool:
    """Kubernetes takes signals by their full names only."""
    return launch.container is not None and launch.container.stop_signal is launch.stop_signal


def _replaced(word: Word, name: str | None) -> tuple[Edit, ...]:
    """The name in the quotes that stand there; nothing where the value came from a variable."""
    if word.span is None or name is None or word.value not in word.span.text:
        return ()
    return (Edit(word.span, word.span.text.replace(word.value, name)),)
