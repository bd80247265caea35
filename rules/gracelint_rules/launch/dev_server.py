r"""A development server or a reloader as the container's program.

## What it does
Reports containers whose program is meant for a developer's machine: `flask run`, `app.run()`, `manage.py runserver`,
`uvicorn --reload`, `python -m http.server`, `php -S`, `go run`, nodemon, `tsx watch`, Vite, `ng serve`, `next dev` and
the like, and those that a shell in front cuts off. Silent for stages and Compose files that are named for development,
for Compose files that run a reloader over the project's own sources (`uvicorn --reload` with `.:/app` mounted), for
those and manifests that give it the environment of its developers (`FLASK_DEBUG=1`, `NODE_ENV=development`), and for
plain ones (`compose.yaml`, `Dockerfile`) beside which others for production stand (`compose.prod.yaml`,
`Dockerfile.prod`). Information where a stock image serves nothing of its own: `python -m http.server` that a manifest
puts there to have something that answers.

## Why is this bad?
Development servers are made to be restarted, not to be stopped. Flask's and Python's have no handler for SIGTERM: as
PID 1 they run until SIGKILL. Django's reloader ends at once and drops the open requests. Reloaders keep a second
process and a file watcher between the signal and the program.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN pip install --no-cache-dir flask gunicorn
WORKDIR /app
COPY . .
CMD ["flask", "--app", "shop", "run", "--host", "0.0.0.0"]
```
Use instead:
```dockerfile good path=Dockerfile
FROM python:3.12-slim
RUN pip install --no-cache-dir flask gunicorn
WORKDIR /app
COPY . .
CMD ["gunicorn", "--bind", "0.0.0.0:5000", "shop:app"]
```

## References
- [Flask: deploying to production](https://flask.palletsprojects.com/en/stable/deploying/)
- [Django: runserver](https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver)
- [uvicorn: deployment](https://www.uvicorn.org/deployment/)
"""

from collections.abc import Iterator

from gracelint import Finding, Launch, Note, Severity, Verdict, rule

_SEEN = {
    Verdict.IGNORED: "{signal} is ignored until {kill}",
    Verdict.CUT: "{signal} ends it at once, and open requests are dropped",
    Verdict.HANDLED: "it ends well, but it is made for one developer at a time",
    Verdict.UNKNOWN: "it is not made to be stopped without loss",
}


@rule("dev-server", severity=Severity.WARNING, subject=Launch, verdict=True, about=("dev_server",))
def dev_server(launch: Launch) -> Iterator[Finding]:
    if not launch.dev_server or launch.development or launch.one_shot or not launch.is_dev_server:
        return
    if launch.verdict is Verdict.HANDLED and launch.command_span == launch.origin.span:
        return  # the image's own choice, such as adminer's
    signal = launch.decisive.signal if launch.decisive is not None else None
    seen = _SEEN[launch.verdict].format(signal=signal or launch.stop_signal.value, kill=launch.kill)
    call = next((server for server in launch.program.servers if server.development), None) if launch.program else None
    if call is not None:
        started = (Note(launch.command_span, "started here"),)
        yield Finding(f"{call.name}'s development server is what runs here: {seen}", at=call.span, notes=started)
        return
    hop = launch.server_for_development
    if hop is None:
        return
    label = hop.details.get("label", hop.name)
    instead = hop.details.get("instead")
    advice = f"; run {instead} instead" if instead else ""
    stock = bool(hop.details.get("stock")) and launch.stage is None and launch.origin.kind != "dockerfile"
    yield Finding(
        f"{label} is for development: {seen}{advice}",
        at=hop.span or launch.origin.span,
        severity=Severity.INFO if stock else None,
    )
