r"""A command that an ENTRYPOINT in shell form never looks at.

## What it does
Reports a CMD, Kubernetes `args` or a Compose `command` behind an entrypoint that is shell text: an ENTRYPOINT in shell
form, or `["sh", "-c", "…"]`. Silent where the text uses its arguments (`"$@"`, `$0`, `$1`).

## Why is this bad?
The words are handed to the shell as `$0`, `$1` and so on, where nothing reads them. What was meant as the default
command, or as its options, has no effect, and nobody is told.

## Example
```dockerfile bad path=Dockerfile
FROM nginx:1.27
ENTRYPOINT exec nginx -g 'daemon off;'
CMD ["-c", "/etc/nginx/site.conf"]
```
Use instead:
```dockerfile good path=Dockerfile
FROM nginx:1.27
ENTRYPOINT ["nginx", "-g", "daemon off;"]
CMD ["-c", "/etc/nginx/site.conf"]
```

## References
- [Dockerfile reference: how CMD and ENTRYPOINT interact](https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact)
- [Kubernetes: define a command and arguments](https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Launch, Note, Severity, Span, Word, rule

_ARGUMENTS = ("$@", "$*", "$#", "${@", "${*", "${#", *(f"${digit}" for digit in range(10)), "${0", "${1", "${2")


@rule("ignored-command", severity=Severity.WARNING, subject=Launch, about=("container", "service", "image.entrypoint"))
def ignored_command(launch: Launch) -> Iterator[Finding]:
    entrypoint = _entrypoint(launch)
    ignored = _behind(launch)
    if ignored is None or len(entrypoint) < 3 or not _is_shell_text(entrypoint):
        return
    what, at = ignored
    text = entrypoint[-1]
    yield Finding(
        f"nothing reads this {what}: the entrypoint is shell text, to which these words are $0, $1 and so on",
        at=at,
        notes=(Note(text.span, "the entrypoint"),) if text.span else (),
        fix=Fix(f"Write the entrypoint as an array, or drop the {what}", (), Applicability.MANUAL),
    )


def _entrypoint(launch: Launch) -> tuple[Word, ...]:
    container, service = launch.container, launch.service
    if container is not None and container.command is not None:
        return container.command
    if service is not None and service.entrypoint is not None:
        return service.entrypoint
    return launch.image.entrypoint or ()


def _behind(launch: Launch) -> tuple[str, Span] | None:
    """What is handed to the entrypoint: its name for people, and its place."""
    container, service, image = launch.container, launch.service, launch.image
    if container is not None and container.args and container.args[0].span:
        return "`args`", container.args[0].span
    if service is not None and service.command and service.command[0].span:
        return "`command`", service.command[0].span
    overridden = (container and container.command is not None) or (service and service.entrypoint is not None)
    if overridden or not image.cmd or image.cmd_at is None:
        return None
    return "CMD", image.cmd_at.span


def _is_shell_text(words: tuple[Word, ...]) -> bool:
    """Whether words are a shell, its options and a text that makes no use of what follows."""
    shell, *options, text = (word.value for word in words)
    return (
        shell.endswith("sh")
        and text not in ("-", "--")  # the text is the next word
        and all(option.startswith("-") for option in options)
        and options[-1].endswith("c")
        and not any(mark in text for mark in _ARGUMENTS)
    )
