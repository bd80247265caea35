r"""A server that takes the stop signal and drops what is in flight.

## What it does
Reports servers and frameworks that end at once on the stop signal as they are configured, with no signal that would let
them finish: Spring Boot with `server.shutdown` immediate (its default before 3.4), php-fpm with
`process_control_timeout` 0, daphne, vLLM without `--shutdown-timeout`. It is information for an Envoy in Compose, where
there is no preStop hook that would make it drain, and in a Knative service, whose queue-proxy keeps the signal back
until the requests are answered.

## Why is this bad?
The signal arrives and the container ends in time, so nothing looks wrong; but every request that is open at that moment
fails, at each rollout and each scale-down.

## Example
```dockerfile bad path=Dockerfile
FROM php:8.3-fpm
CMD ["php-fpm"]
```
Use instead:
```dockerfile good path=Dockerfile
FROM php:8.3-fpm
RUN printf '[global]\nprocess_control_timeout = 8s\n' > /usr/local/etc/php-fpm.d/stop.conf
CMD ["php-fpm"]
```

## Fix safety
Spring Boot's `server.shutdown` is written into the application file for all profiles, where there is one and it has no
parts for some profiles: unsafe, as a stop then takes up to 30 s (`spring.lifecycle.timeout-per-shutdown-phase`).
Elsewhere the setting is for people to make.

## References
- [Spring Boot: graceful shutdown](https://docs.spring.io/spring-boot/reference/web/graceful-shutdown.html)
- [php-fpm: process_control_timeout](https://www.php.net/manual/en/install.fpm.configuration.php#process-control-timeout)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Hop, HopKind, Launch, Severity, Verdict, edits, rule


@rule("drops-requests-on-stop", severity=Severity.WARNING, subject=Launch, verdict=True, about=("blocker",))
def drops_requests_on_stop(launch: Launch) -> Iterator[Finding]:
    hop = launch.blocker
    if hop is None or hop.kind is not HopKind.SERVER or not hop.details.get("lossy"):
        return
    if launch.verdict is not Verdict.CUT or launch.ends_by_itself:
        return
    yield Finding(
        f"{hop.why}: the requests that are open then fail",
        at=hop.span or launch.origin.span,
        fix=_fix(hop),
        severity=Severity.INFO if _needs_a_hook(launch, hop) else None,
    )


def _needs_a_hook(launch: Launch, hop: Hop) -> bool:
    """Whether only a preStop hook of Kubernetes would help."""
    return launch.service is not None and bool(hop.details.get("hook"))


def _fix(hop: Hop) -> Fix:
    setting = hop.details.get("setting")
    changes = edits.properties.add_setting(*setting) if isinstance(setting, tuple) else None
    if changes and isinstance(setting, tuple):
        source, key, value = setting
        return Fix(f"Set {key}={value} in {source.path.rpartition('/')[2]}", changes, Applicability.UNSAFE)
    advice = hop.details.get("advice")
    title = f"{advice[0].upper()}{advice[1:]}" if advice else "Run a server that finishes what is in flight"
    return Fix(title, (), Applicability.MANUAL)
