r"""A start during which the container cannot be stopped.

## What it does
Reports scripts that are PID 1 and wait or migrate before they `exec` the program: `wait-for-it`, `until …; do sleep 1;
done`, `manage.py migrate`. Silent below an init, and where a trap for the stop signal is set before.

## Why is this bad?
The kernel gives PID 1 no default action: a shell without a trap drops SIGTERM. A stop that comes while the script waits
for its step is lost for good, also for the program that is exec'd afterwards: that starts, serves, and is killed when
the grace period is over. Rollouts that are taken back and nodes that are drained early meet just that.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN pip install gunicorn django
WORKDIR /srv
COPY . .
ENTRYPOINT ["/srv/entry.sh"]
```
```sh bad path=entry.sh
#!/bin/sh
set -e
python manage.py migrate --noinput
exec gunicorn --graceful-timeout 6 shop.wsgi
```
Use instead:
```sh good path=entry.sh
#!/bin/sh
set -e
trap 'exit 143' TERM
python manage.py migrate --noinput
exec gunicorn --graceful-timeout 6 shop.wsgi
```

## Fix safety
No fix: an init in front ends the script at once, in the middle of its step; a trap ends it behind the step.

## References
- [pid_namespaces(7)](https://man7.org/linux/man-pages/man7/pid_namespaces.7.html): signals and PID 1
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Launch, Note, Severity, Verdict, rule


@rule("unstoppable-start", severity=Severity.INFO, subject=Launch, about=("window",))
def unstoppable_start(launch: Launch) -> Iterator[Finding]:
    hop = launch.window
    if hop is None or launch.verdict is not Verdict.HANDLED or launch.ends_by_itself or launch.development:
        return
    step = hop.details["window"]
    command = " ".join(word.value for word in step.words)
    yield Finding(
        f"while `{command}` runs, {hop.details['shell']} is PID 1 and drops {hop.signal}: the program starts all the"
        f" same, and runs until {launch.kill}",
        at=step.span,
        notes=(Note(hop.span, "the script is started here"),) if hop.span not in (None, step.span) else (),
        fix=Fix(f"Put an init in front, or `trap 'exit 143' {hop.signal[3:]}` above", (), Applicability.MANUAL),
    )
