"""Servers that are known by name: what a stop signal does to them, and how long they take to finish."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracelint.engine import lint
from gracelint.facts.launch import Drain, DrainSource, Launch
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.launch.one_shots import one_shot
from gracelint.launch.servers.servers import server_reaction
from gracelint.reading import read_project
from gracelint.source import Word
from gracelint.testing import read, request

KINDS = {"graceful", "drops", "stays", "unhandled", "unknown"}


def launch_of(command: str, *lines: str, base: str = "python:3.12-slim", **files: str) -> Launch:
    """The launch of an image that starts a command, given as a JSON array; `files` have `_` for `.` in their names."""
    dockerfile = "\n".join((f"FROM {base}", "WORKDIR /app", "COPY . .", *lines, f"CMD {command}", ""))
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    (launch,) = read({"Dockerfile": dockerfile, **named}).launches
    return launch


def drain_of(command: str, *lines: str, **files: str) -> Drain | None:
    return launch_of(command, *lines, **files).budget.drain


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ('["gunicorn", "shop:app"]', "handled"),
        ('["/usr/local/bin/gunicorn", "shop:app"]', "handled"),
        ('["python", "-m", "gunicorn", "shop:app"]', "handled"),
        ('["gunicorn", "shop:app", "--daemon"]', "unknown"),
        ('["uvicorn", "api:app", "--workers", "4"]', "handled"),
        ('["hypercorn", "api:app"]', "handled"),
        ('["granian", "--interface", "asgi", "api:app"]', "handled"),
        ('["sanic", "api:app"]', "handled"),
        ('["daphne", "api:app"]', "cut"),
        ('["waitress-serve", "shop:app"]', "ignored"),
        ('["flask", "run"]', "ignored"),
        ('["flask", "run", "--debug"]', "cut"),
        ('["python", "-m", "http.server"]', "ignored"),
        ('["celery", "-A", "shop", "worker"]', "handled"),
        ('["celery", "-A", "shop", "beat"]', "handled"),
        ('["celery", "-A", "shop", "inspect", "active"]', "unknown"),
        ('["huey_consumer", "shop.huey"]', "cut"),
        ('["huey_consumer", "shop.huey", "--graceful-signal", "TERM"]', "handled"),
        ('["nginx", "-g", "daemon off;"]', "cut"),
        ('["nginx"]', "unknown"),
        ('["apache2", "-DFOREGROUND"]', "cut"),
        ('["haproxy", "-W", "-db"]', "cut"),
        ('["uwsgi", "--master", "--http", ":80"]', "ignored"),
        ('["uwsgi", "--http", ":80"]', "cut"),
        ('["ruby", "bin/puma"]', "handled"),
        ('["uwsgi", "--http=:80", "--master", "--die-on-term"]', "cut"),
        ('["postgres"]', "ignored"),
        ('["redis-server", "--port", "6380"]', "handled"),
        ('["php", "-S", "0.0.0.0:80"]', "ignored"),
        ('["java", "-Xrs", "-jar", "shop.jar"]', "ignored"),
        ('["java", "-jar", "shop.jar"]', "unknown"),
        ('["go", "run", "."]', "cut"),
        ('["tail", "-f", "/dev/null"]', "ignored"),
        ('["sleep", "infinity"]', "ignored"),
        ('["cron", "-f"]', "ignored"),
        ('["cron", "-L", "5", "-f"]', "ignored"),
        ('["cron"]', "unknown"),
        ('["sshd", "-eD"]', "cut"),
        ('["sshd", "-e"]', "unknown"),
        ('["taskiq", "scheduler", "tasks:scheduler"]', "ignored"),
        ('["sirv", "public", "--host", "0.0.0.0"]', "ignored"),
        ('["bokeh", "serve", "chart.py"]', "handled"),
        ('["varnishd", "-F", "-f", "/etc/varnish/default.vcl"]', "cut"),
        ('["catalina.sh", "run"]', "cut"),
        ('["react-router", "dev"]', "cut"),
        ('["krakend", "run", "-c", "krakend.json"]', "handled"),
        ('["/opt/emqx/bin/emqx", "foreground"]', "handled"),
        ('["cockroach", "start-single-node", "--insecure"]', "handled"),
        ('["ntfy", "serve"]', "cut"),
        ('["vite", "--host"]', "cut"),
        ('["vite", "preview"]', "unknown"),
        ('["next", "dev"]', "cut"),
        ('["mkdocs", "serve"]', "ignored"),
        ('["snuba", "rust-consumer", "--storage", "errors"]', "handled"),
        ('["snuba", "api"]', "unknown"),
        ('["vector", "--config-dir", "/etc/vector"]', "handled"),
        ('["/usr/local/bin/exampled"]', "unknown"),
    ],
)
def test_sigterm_as_pid_1(command: str, verdict: str) -> None:
    assert launch_of(command).verdict.value == verdict


@pytest.mark.parametrize(
    ("signal", "command", "verdict"),
    [
        ("SIGQUIT", '["nginx", "-g", "daemon off;"]', "handled"),
        ("SIGWINCH", '["apache2", "-DFOREGROUND"]', "handled"),
        ("SIGQUIT", '["apache2", "-DFOREGROUND"]', "ignored"),
        ("SIGUSR1", '["haproxy", "-W", "-db"]', "handled"),
        ("SIGINT", '["postgres"]', "handled"),
        ("SIGINT", '["vite"]', "ignored"),
        ("SIGINT", '["mkdocs", "serve"]', "cut"),
        ("SIGINT", '["python", "-m", "http.server"]', "cut"),
        ("SIGINT", '["waitress-serve", "shop:app"]', "handled"),
        ("SIGINT", '["bokeh", "serve", "chart.py"]', "cut"),
        ("SIGINT", '["taskiq", "scheduler", "tasks:scheduler"]', "handled"),
        ("SIGQUIT", '["gunicorn", "shop:app"]', "cut"),
        ("SIGQUIT", '["gunicorn", "-k", "gthread", "shop:app"]', "handled"),
        ("SIGQUIT", '["gunicorn", "--threads=4", "shop:app"]', "handled"),
        ("SIGQUIT", '["gunicorn", "--threads", "1", "shop:app"]', "cut"),
        ("SIGQUIT", '["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "api:app"]', "unknown"),
        ("SIGRTMIN+3", '["gunicorn", "shop:app"]', "unknown"),
    ],
)
def test_other_stop_signals(signal: str, command: str, verdict: str) -> None:
    assert launch_of(command, f"STOPSIGNAL {signal}").verdict.value == verdict


@pytest.mark.parametrize("server", ["flask run", "waitress-serve shop:app", "tail -f /dev/null"])
def test_a_server_without_a_handler_dies_at_once_below_an_init(server: str) -> None:
    service = f"services:\n  web:\n    build: .\n    init: true\n    command: {server}\n"
    files = {"Dockerfile": "FROM python:3.12-slim\n", "compose.yaml": service}
    (launch,) = read(files).launches
    assert launch.verdict is Verdict.CUT
    (elsewhere,) = read({"compose.yaml": service.replace("build: .", "image: shop")}).launches
    assert elsewhere.verdict is Verdict.UNKNOWN, "an image that nobody read may have an entrypoint that handles it"


def test_celery_loses_its_tasks_where_the_whole_group_is_signalled() -> None:
    prefork = launch_of('["dumb-init", "--", "celery", "-A", "shop", "worker"]')
    assert prefork.verdict is Verdict.CUT
    assert prefork.why == (
        "prefork children have no handler of their own: signalled together with celery, they drop their tasks"
    )
    assert launch_of('["dumb-init", "celery", "-A", "shop", "worker", "-P", "threads"]').verdict is Verdict.HANDLED
    assert launch_of('["dumb-init", "-c", "celery", "-A", "shop", "worker"]').verdict is Verdict.HANDLED


@pytest.mark.parametrize(
    ("init", "env", "verdict"),
    [
        ("dumb-init", "DUMB_INIT_SETSID=0", "handled"),
        ("dumb-init", "DUMB_INIT_SETSID=1", "cut"),
        ("tini", "HOME=/app", "handled"),
        ("tini", "TINI_KILL_PROCESS_GROUP=1", "cut"),
        ("tini", "TINI_KILL_PROCESS_GROUP=", "cut"),
    ],
)
def test_the_environment_says_whether_an_init_signals_the_group(init: str, env: str, verdict: str) -> None:
    command = f'["{init}", "--", "celery", "-A", "shop", "worker"]'
    assert launch_of(command, f"ENV {env}").verdict.value == verdict


DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef app(env, start): ...\n"


@pytest.mark.parametrize(
    ("install", "verdict"),
    [
        ("RUN pip install -e ./back", "ignored"),
        ("RUN python -m pip install --no-cache-dir './back[prod]' gunicorn", "ignored"),
        ("RUN cd back && pip install -r requirements.txt .", "ignored"),
        ("ARG WHERE=back\nRUN uv pip install --system -e $WHERE/", "ignored"),
        ("WORKDIR /app/back\nRUN uv sync --frozen", "ignored"),
        ("WORKDIR /app/back\nRUN poetry install --only main", "ignored"),
        ("WORKDIR /app/back\nRUN poetry install --no-root", "unknown"),
        ("WORKDIR /app/back\nRUN uv sync --no-install-project", "unknown"),
        ("RUN pip install gunicorn https://example.com/back/shop.zip", "unknown"),
    ],
)
def test_an_application_is_read_where_its_project_is_installed_from(install: str, verdict: str) -> None:
    launch = launch_of('["gunicorn", "shop.web:app"]', install, back__src__shop__web_py=DEAF)
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("installs", "copies"),
    [
        ("RUN uv sync --frozen", "COPY --from=made /src/.venv /src/.venv\nENV PATH=/src/.venv/bin:$PATH"),
        ("RUN pip install --prefix=/install .", "COPY --from=made /install /usr/local"),
        ("RUN pip wheel -w /wheels .", "COPY --from=made /wheels /w\nRUN pip install /w/*.whl"),
        ("RUN uv build --wheel", "COPY --from=made /src/dist /w\nRUN pip install /w/*.whl"),
    ],
)
def test_an_application_is_read_where_another_stage_installs_or_builds_it_from(installs: str, copies: str) -> None:
    files = {
        "Dockerfile": f"FROM python:3.12 AS made\nWORKDIR /src\nCOPY . .\n{installs}\n"
        f'FROM python:3.12\nWORKDIR /app\n{copies}\nCMD ["gunicorn", "shop.web:app"]\n',
        "src/shop/web.py": DEAF,
    }
    (launch,) = read(files).launches
    assert launch.verdict is Verdict.IGNORED, launch.why


@pytest.mark.parametrize(("given", "verdict"), [("--pythonpath back,", "ignored"), ("", "unknown")])
def test_gunicorn_looks_for_its_application_where_it_is_told_to(given: str, verdict: str) -> None:
    command = f"gunicorn {given.rstrip(',')} shop:app".split()
    launch = launch_of(str(command).replace("'", '"'), back__shop_py=DEAF)
    assert launch.verdict.value == verdict, launch.why


GUNICORN = '["gunicorn", "shop:app"]'


@pytest.mark.parametrize("command", ['"python", "serve.py"', '"python", "-m", "serve"', '"shop-serve"'])
def test_what_a_program_is_given_it_may_give_to_the_server(command: str) -> None:
    launch = launch_of(
        f'[{command}, "--graceful-timeout", "7"]',
        serve_py="import os, sys\ndef main():\n    os.execvp('gunicorn', ['gunicorn', *sys.argv[1:], 'shop:app'])\n"
        "if __name__ == '__main__':\n    main()\n",
        pyproject_toml='[project.scripts]\nshop-serve = "serve:main"\n',
    )
    assert launch.budget.drain is not None and launch.budget.drain.seconds == 7.0


@pytest.mark.parametrize(
    ("installs", "copies"),
    [
        ("RUN uv sync --locked", "COPY --from=made /src/.venv /src/.venv\nENV PATH=/src/.venv/bin:$PATH"),
        ("RUN uv pip install --python /venv .", "COPY --from=made /venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH"),
        ("RUN pip install --prefix=/install .", "COPY --from=made /install /usr/local"),
    ],
)
@pytest.mark.parametrize("name", ["shop-serve", "shop"])
def test_a_command_may_be_installed_in_another_stage(installs: str, copies: str, name: str) -> None:
    files = {
        "Dockerfile": f"FROM python:3.12 AS made\nWORKDIR /src\nCOPY . .\n{installs}\n"
        f'FROM python:3.12\n{copies}\nCMD ["{name}"]\n',
        "pyproject.toml": '[project.scripts]\nshop-serve = "serve:main"\n',
        "src/serve.py": "import time\ndef main():\n    while True:\n        time.sleep(1)\n",
    }

    (launch,) = read_project(request(files)[0]).launches

    assert launch.verdict is (Verdict.IGNORED if name == "shop-serve" else Verdict.UNKNOWN)
    assert (launch.program is not None) is (name == "shop-serve")


@pytest.mark.parametrize("command", ['"/opt/bin/shop"', '"/opt/bin/python", "/opt/bin/shop"'])
def test_what_is_installed_in_another_stage_imports_what_lies_there(command: str) -> None:
    files = {
        "Dockerfile": "FROM python:3.12 AS made\nWORKDIR /src\nCOPY . .\n"
        "RUN python -m venv /venv && /venv/bin/pip install .\n"
        f"FROM python:3.12\nWORKDIR /data\nCOPY --from=made /venv /opt\nCMD [{command}]\n",
        "pyproject.toml": '[project.scripts]\nshop = "shop.__main__:run"\n',
        "shop/__init__.py": "",
        "shop/__main__.py": "from shop import till\ndef run():\n    till.serve()\n",
        "shop/till.py": "import time\ndef serve():\n    while True:\n        time.sleep(1)\n",
    }
    (launch,) = read_project(request(files)[0]).launches
    assert (launch.verdict, launch.why) == (Verdict.IGNORED, "__main__.py: it has no handler for SIGTERM")


@pytest.mark.parametrize(
    ("app", "seconds"),
    [
        ("app = Celery('shop')\napp.conf.worker_soft_shutdown_timeout = 20\n", 20.0),
        ("app = Celery('shop')\napp.conf.update(worker_soft_shutdown_timeout=7.5)\n", 7.5),
        ("app = Celery('shop')\napp.conf.worker_soft_shutdown_timeout = 0\n", None),
        ("app = Celery('shop')\n", None),
        (None, None),
    ],
)
def test_how_long_celerys_soft_shutdown_takes_stands_in_the_application(app: str | None, seconds: float | None) -> None:
    files = {} if app is None else {"shop_py": f"from celery import Celery\n{app}"}
    command = '["celery", "-A", "shop", "worker"]'
    launch = launch_of(command, "ENV REMAP_SIGTERM=SIGQUIT", "RUN pip install celery", **files)
    assert launch.verdict is (Verdict.CUT if seconds is None else Verdict.HANDLED)
    assert (launch.budget.drain.seconds if launch.budget.drain is not None else None) == seconds


def test_gunicorns_timeout_is_30_s_by_default() -> None:
    assert drain_of(GUNICORN) == Drain(30.0, DrainSource.DERIVED, "gunicorn --graceful-timeout, default", default=True)


def test_gunicorn_takes_the_command_line_before_the_environment_before_the_file() -> None:
    env = "ENV GUNICORN_CMD_ARGS='--graceful-timeout 20'"
    conf = {"gunicorn_conf_py": "graceful_timeout = 10\n"}
    flag = '["gunicorn", "--graceful-timeout", "25", "shop:app"]'
    found = [drain_of(GUNICORN, **conf), drain_of(GUNICORN, env, **conf), drain_of(flag, env, **conf)]
    assert [drain.seconds for drain in found if drain] == [10.0, 20.0, 25.0]


def test_gunicorns_file_is_only_believed_where_it_is_literal() -> None:
    assert drain_of(GUNICORN, gunicorn_conf_py="import os\ngraceful_timeout = int(os.environ['T'])\n") is None
    from_environment = "import os\ngraceful_timeout = int(os.environ.get('T', '8'))\n"
    drain = drain_of(GUNICORN, gunicorn_conf_py=from_environment)
    assert drain is not None
    assert drain.seconds == 8
    assert drain_of(GUNICORN, gunicorn_conf_py="if True:\n    graceful_timeout = 5\n") is None
    assert drain_of(GUNICORN, gunicorn_conf_py="from base import *\n") is None
    assert drain_of(GUNICORN, gunicorn_conf_py="graceful_timeout = (\n") is None


def test_gunicorns_file_may_stand_in_the_dockerfile() -> None:
    conf = "COPY <<EOF /app/gunicorn.conf.py\nbind = ':80'\ngraceful_timeout = 11\nEOF"
    drain = drain_of(GUNICORN, conf)
    assert drain is not None
    assert drain.seconds == 11.0
    assert drain.span is not None
    assert (drain.span.line, drain.span.text) == (6, "graceful_timeout = 11")


def test_a_configuration_file_that_is_not_here_leaves_the_drain_unknown() -> None:
    assert drain_of('["gunicorn", "-c", "/etc/gunicorn.py", "shop:app"]') is None
    named = drain_of('["gunicorn", "-c", "conf.py", "shop:app"]', conf_py="graceful_timeout = 7\n")
    assert named is not None
    assert named.seconds == 7.0
    assert named.span is not None
    assert (named.span.source.path, named.span.line) == ("conf.py", 1)


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ('["hypercorn", "api:app"]', 3.0),
        ('["sanic", "api:app"]', 15.0),
        ('["dramatiq", "shop"]', 600.0),
        ('["dramatiq", "shop", "--worker-shutdown-timeout", "5000"]', 5.0),
        ('["sidekiq", "-t", "40"]', 40.0),
        ('["rustfs", "/data"]', 10.0),
        ('["vector"]', 60.0),
        ('["vector", "--graceful-shutdown-limit-secs", "20"]', 20.0),
        ('["uvicorn", "api:app"]', None),
        ('["uvicorn", "api:app", "--timeout-graceful-shutdown", "12"]', 12.0),
        ('["celery", "-A", "shop", "worker"]', None),
    ],
)
def test_drains(command: str, seconds: float | None) -> None:
    drain = drain_of(command)
    assert drain is not None
    assert drain.seconds == seconds


def test_uwsgis_ini_file() -> None:
    command = '["uwsgi", "--ini", "uwsgi.ini"]'
    hook = "hook-master-start = unix_signal:15 gracefully_kill_them_all\n"
    master = "[uwsgi]\nmaster = true ; one\nmodule = shop\n"
    assert launch_of(command, uwsgi_ini=master).verdict is Verdict.IGNORED
    assert launch_of(command, uwsgi_ini=master + hook).verdict is Verdict.HANDLED
    assert launch_of(command, uwsgi_ini=master + "die-on-term = 1\n").verdict is Verdict.CUT
    assert launch_of(command, uwsgi_ini=master + "include = more.ini\n").verdict is Verdict.UNKNOWN
    assert launch_of(command).verdict is Verdict.UNKNOWN
    assert launch_of('["uwsgi", "uwsgi.ini"]', uwsgi_ini=master + hook).verdict is Verdict.HANDLED


@pytest.mark.parametrize(
    ("server", "verdict", "seconds"),
    [
        ('<Service name="Catalina" gracefulStopAwaitMillis="20000">', "handled", 20.0),
        ("<Service gracefulStopAwaitMillis = '5000'>", "handled", 5.0),
        ('<Service name="Catalina" gracefulStopAwaitMillis="0">', "cut", None),
        ('<!-- <Service gracefulStopAwaitMillis="20000"> --><Service name="Catalina">', "cut", None),
        ('<Service gracefulStopAwaitMillis="${wait}">', "unknown", None),
    ],
)
def test_tomcat_may_be_told_to_wait(server: str, verdict: str, seconds: float | None) -> None:
    dockerfile = "FROM tomcat:10.1\nCOPY server.xml /usr/local/tomcat/conf/\n"

    (launch,) = read_project(
        request({"Dockerfile": dockerfile, "server.xml": f"<Server>{server}</Server>"})[0]
    ).launches

    assert launch.verdict == verdict
    assert (launch.budget.drain.seconds if launch.budget.drain is not None else None) == seconds


def test_nginx_may_say_in_its_file_that_it_stays_in_front() -> None:
    copied = "COPY nginx.conf /etc/nginx/nginx.conf"
    text = "daemon off;\nworker_shutdown_timeout 20s;\nevents { worker_connections 64; }\n"
    launch = launch_of('["nginx"]', copied, "STOPSIGNAL SIGQUIT", nginx_conf=text)
    assert launch.verdict is Verdict.HANDLED
    assert launch.budget.drain is not None
    assert launch.budget.drain.seconds == 20.0


_GRADLE = """plugins {
  id 'org.springframework.boot' version '3.3.0'
}
dependencies {
  implementation 'org.springframework.boot:spring-boot-starter-web'
}
"""


@pytest.mark.parametrize(
    ("files", "verdict", "seconds"),
    [
        ({"src__main__resources__application_properties": "server.shutdown=graceful\n"}, "handled", 30.0),
        ({"src__main__resources__application_properties": "server.shutdown=immediate\n"}, "cut", None),
        (
            {
                "src__main__resources__application_yml": "server:\n  shutdown: graceful\nspring:\n  lifecycle:\n"
                "    timeout-per-shutdown-phase: 45s\n"
            },
            "handled",
            45.0,
        ),
        ({}, "cut", None),
        ({"build_gradle": _GRADLE.replace("3.3.0", "3.4.1")}, "handled", 30.0),
        ({"build_gradle": _GRADLE.replace("-web", "-batch")}, "unknown", None),
    ],
)
def test_spring_boot(files: dict[str, str], verdict: str, seconds: float | None) -> None:
    launch = launch_of('["java", "-jar", "/app.jar"]', **{"build_gradle": _GRADLE, **files})
    drain = launch.budget.drain
    assert (launch.verdict.value, drain.seconds if drain else None) == (verdict, seconds)


def test_a_handler_of_the_application_counts_where_the_server_has_none() -> None:
    app = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: exit(0))\napp = None\n"
    launch = launch_of('["waitress-serve", "shop:app"]', shop_py=app)
    assert launch.verdict is Verdict.HANDLED
    assert launch.why == "shop.py: its handler for SIGTERM ends it"


_THREAD = """
import threading, time

def work():
    while True:
        time.sleep(1)

threading.Thread(target=work).start()
app = None
application = None
"""
_FLAG = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: print('later'))\napp = None\napplication = None\n"


@pytest.mark.parametrize(
    ("command", "app", "verdict", "why"),
    [
        ('["uvicorn", "shop:app"]', _THREAD, "ignored", "uvicorn ends, but a non-daemon thread keeps the process"),
        ('["uvicorn", "shop:app"]', _FLAG, "handled", ""),
        ('["uvicorn", "shop:app", "--workers", "2"]', _THREAD, "handled", ""),
        ('["uvicorn", "shop:app", "--workers", "2"]', _FLAG, "ignored", "whose own handler it replaces"),
        ('["tini", "--", "uvicorn", "shop:app"]', _THREAD, "handled", ""),
        ('["gunicorn", "shop"]', _THREAD, "ignored", "until gunicorn kills its worker after 30 s"),
        ('["gunicorn", "shop", "--graceful-timeout", "5"]', _THREAD, "handled", ""),
        ('["gunicorn", "shop", "--graceful-timeout", "5"]', _FLAG, "cut", "whose own handler it replaces"),
        ('["gunicorn", "shop", "--preload"]', _FLAG, "handled", ""),
        ('["gunicorn", "shop", "--preload"]', _THREAD, "ignored", "gunicorn ends, but a non-daemon thread"),
        ('["hypercorn", "shop:app"]', _THREAD, "ignored", "hypercorn ends, but a non-daemon thread"),
        ('["hypercorn", "shop:app"]', _FLAG, "handled", ""),
        ('["granian", "--interface", "asgi", "shop:app"]', _THREAD, "ignored", "granian ends, but a non-daemon thread"),
        ('["granian", "--interface", "asgi", "shop:app"]', _FLAG, "handled", ""),
        ('["daphne", "shop:app"]', _THREAD, "ignored", "daphne ends, but a non-daemon thread"),
        ('["waitress-serve", "shop:app"]', _FLAG, "ignored", "the handler for SIGTERM does not end the program"),
        ('["celery", "-A", "shop", "worker"]', _FLAG, "handled", ""),
    ],
)
def test_the_application_below_a_server_counts(command: str, app: str, verdict: str, why: str) -> None:
    launch = launch_of(command, shop_py=app)
    assert launch.verdict.value == verdict, launch.why
    assert why in launch.why


_LIFESPAN = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    {before}
    yield
    {after}

app = FastAPI(lifespan=lifespan)
"""


@pytest.mark.parametrize(
    ("before", "after", "verdict", "why"),
    [
        (
            "pass",
            "await asyncio.sleep(60)",
            "ignored",
            "uvicorn handles SIGTERM, and what is on the way out takes 60 s",
        ),
        ("task = asyncio.create_task(asyncio.sleep(1000))", "await task", "ignored", ""),
        ("task = asyncio.create_task(asyncio.sleep(1000))", "task.cancel()", "handled", ""),
        ("pass", "await asyncio.sleep(1)", "handled", ""),
    ],
)
def test_what_the_application_awaits_on_its_way_out_counts(before: str, after: str, verdict: str, why: str) -> None:
    launch = launch_of('["uvicorn", "shop:app"]', shop_py=_LIFESPAN.format(before=before, after=after))
    assert launch.verdict.value == verdict, launch.why
    assert why in launch.why


@pytest.mark.parametrize(("limit", "verdict"), [("0", "cut"), ("1", "unknown"), ("2", "handled")])
def test_a_graceful_stop_needs_time(limit: str, verdict: str) -> None:
    assert launch_of(f'["uvicorn", "api:app", "--timeout-graceful-shutdown", "{limit}"]').verdict.value == verdict


def test_reactions_for_servers_that_a_program_starts() -> None:
    handled = server_reaction("uvicorn", {"timeout_graceful_shutdown": 9}, "SIGTERM")
    assert handled == (
        Verdict.HANDLED,
        Verdict.HANDLED,
        "uvicorn finishes what is in flight on SIGTERM and ends",
        Drain(9.0, DrainSource.DERIVED, "uvicorn --timeout-graceful-shutdown"),
    )
    assert server_reaction("uvicorn", {"timeout_graceful_shutdown": None}, "SIGTERM")[3] is None
    assert server_reaction("werkzeug", {}, "SIGTERM")[:2] == (Verdict.IGNORED, Verdict.CUT)
    assert server_reaction("exampled", {}, "SIGTERM")[:2] == (Verdict.UNKNOWN, Verdict.UNKNOWN)


@pytest.mark.parametrize(
    "command",
    [
        "echo hello",
        "ls",
        "gunicorn --version",
        "alembic upgrade head",
        "python manage.py migrate",
        "pytest -q",
        "go build .",
        "react-scripts build",
    ],
)
def test_commands_that_end_by_themselves(command: str) -> None:
    assert one_shot(tuple(Word(part) for part in command.split())) is True


@pytest.mark.parametrize("command", ["gunicorn shop:app", "./server", "python manage.py runserver", "alembic"])
def test_commands_that_may_not(command: str) -> None:
    assert one_shot(tuple(Word(part) for part in command.split())) is None


@pytest.mark.parametrize("key", list(table("servers")))
def test_every_row_says_what_it_knows_and_where_from(key: str) -> None:
    row = table("servers")[key]
    assert row["source"] == "measured" or row["source"].startswith("https://")
    for each in (row, *row.get("when", ())):
        assert set(each.get("signals", {}).values()) <= KINDS
        assert set(each.get("why", {})) <= set(each.get("signals", {}))
    assert row.get("signals") or row.get("development") or row.get("detaches") or row.get("when"), "a row without use"


WORDS = st.sampled_from(
    [
        "-",
        "--",
        "-=",
        "--=",
        "-D",
        "-D=",
        "",
        "=",
        "--ini",
        "-c",
        "-k",
        "$X",
        "a.ini",
        "-g",
        "daemon off;",
        "-Dx=1",
        "--t=",
        "\0",
    ]
)


@given(
    st.sampled_from(["gunicorn", "uwsgi", "nginx", "java", "celery", "php", "haproxy", "flask"]),
    st.lists(WORDS, max_size=6),
)
def test_no_command_line_is_too_odd(server: str, words: list[str]) -> None:
    assert launch_of(json.dumps([server, *words])).verdict in Verdict


@given(st.text(max_size=80))
def test_no_configuration_file_is_too_odd(text: str) -> None:
    for command, name in (
        ('["gunicorn", "a:b"]', "gunicorn_conf_py"),
        ('["uwsgi", "a.ini"]', "a_ini"),
        ('["hypercorn", "-c", "a.toml", "b:c"]', "a_toml"),
        ('["sidekiq", "-C", "a.yml"]', "a_yml"),
        ('["java", "-jar", "a.jar"]', "src__main__resources__application_yml"),
        ('["haproxy", "-f", "a.cfg"]', "a_cfg"),
        ('["nginx", "-c", "a.conf"]', "a_conf"),
    ):
        assert launch_of(command, **{name: text}).verdict in Verdict


def test_files_with_a_star_in_their_name_are_only_files() -> None:
    files = {"etc__*.conf": "", "etc__php__*__fpm__*.conf": "process_control_timeout = 5\n"}
    launch = launch_of('["php-fpm"]', "COPY etc /usr/local/etc/php-fpm.d", "COPY etc /etc", **files)
    assert launch.verdict in Verdict


@pytest.mark.parametrize(
    "copied",
    [
        "COPY pools /usr/local/etc/php-fpm.d",
        "COPY pools/ /usr/local/etc/php-fpm.d/",
        "COPY pools/shop.conf /usr/local/etc/php-fpm.d/",
        "COPY pools/shop.conf /usr/local/etc/php-fpm.d/zz-shop.conf",
        "COPY pools/shop.conf other.conf /usr/local/etc/php-fpm.d/",
        "COPY pools/*.conf /usr/local/etc/php-fpm.d/",
    ],
)
def test_every_file_of_a_folder_of_settings_is_read(copied: str) -> None:
    pool = "[global]\nprocess_control_timeout = 7\n"
    drain = drain_of('["php-fpm"]', "STOPSIGNAL SIGQUIT", copied, pools__shop_conf=pool, other_conf="")
    assert drain is not None
    assert drain.seconds == 7.0


def test_aliases_that_multiply_are_read_once() -> None:
    levels = [f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}}}" if n else "a0: &a0 {x: y}" for n in range(16)]
    text = "\n".join([*levels, ":timeout: 40", ""])
    drain = drain_of('["sidekiq", "-C", "sidekiq.yml"]', sidekiq_yml=text)
    assert drain is not None
    assert drain.seconds == 40.0


PROXY = """apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: shop:1
  {kind}:
  - name: proxy
    image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.11.0
    args: ["acme:europe-west1:orders"]
{more}"""


@pytest.mark.parametrize(
    ("kind", "more", "verdict", "why"),
    [
        (
            "initContainers",
            "    restartPolicy: Always\n",
            Verdict.HANDLED,
            "; a sidecar is stopped last, when `web` has ended",
        ),
        ("containers", "", Verdict.UNKNOWN, "; whether `web` still needs it then is not known"),
    ],
)
def test_a_proxy_drops_what_the_program_beside_it_still_sends(kind: str, more: str, verdict: Verdict, why: str) -> None:
    text = PROXY.format(kind=kind, more=more)
    text = text.replace("  containers:\n  - name: proxy", "  - name: proxy")
    proxy = next(one for one in read({"web.yaml": text}).launches if one.origin.container == "proxy")
    said = "cloud-sql-proxy closes the connections of its clients on SIGTERM"
    assert (proxy.verdict, proxy.why) == (verdict, f"{said}{why}")


SERVED = """---
kind: Service
apiVersion: v1
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
"""


@pytest.mark.parametrize(
    ("image", "hook", "verdict"),
    [
        ("caddy:2", "", Verdict.CUT),
        ("nginx:1.16", "", Verdict.UNKNOWN),
        ("shop:1", "", Verdict.UNKNOWN),
        ("caddy:2", "    lifecycle: {preStop: {exec: {command: [sleep, '9']}}}\n", Verdict.UNKNOWN),
    ],
)
def test_a_proxy_cuts_off_what_answers_through_it(image: str, hook: str, verdict: Verdict) -> None:
    text = PROXY.format(kind="containers", more=hook).replace("  containers:\n  - name: proxy", "  - name: proxy")
    text = text.replace("shop:1", image).replace(
        "metadata:\n  name: web\n", "metadata: {name: web, labels: {app: web}}\n"
    )
    files = {"web.yaml": text + SERVED}
    proxy = next(one for one in read(files).launches if one.origin.container == "proxy")
    assert proxy.verdict is verdict
    if verdict is Verdict.CUT:
        assert proxy.why.endswith("on SIGTERM, through which `web` still answers requests then")
        asked, selection = request(files)
        told = [item.rule for item in lint(read_project(asked), selection).findings]
        assert told.count("sidecar-stops-first") == 1 and "unheard-stop-signal" not in told


def test_a_proxy_alone_drops_what_is_in_flight() -> None:
    text = PROXY.format(kind="initContainers", more="").replace(
        "  - name: web\n    image: shop:1\n  initContainers:\n", ""
    )
    (proxy,) = read({"web.yaml": text}).launches
    assert proxy.verdict is Verdict.CUT


@pytest.mark.parametrize(
    ("app", "files", "verdict"),
    [
        ("from celery import Celery\napp = Celery('shop')\n", {}, "cut"),
        ("from celery import Celery\napp = Celery('shop')\napp.conf.worker_pool = 'threads'\n", {}, "handled"),
        ("from celery import Celery\napp = Celery('shop')\napp.conf.worker_pool = pick()\n", {}, "unknown"),
        ("from celery import Celery\napp = Celery('shop')\napp.config_from_object('settings')\n", {}, "unknown"),
        (
            "from celery import Celery\napp = Celery('shop')\napp.config_from_object('settings')\n",
            {"settings_py": "worker_pool = 'threads'\n"},
            "handled",
        ),
        (
            "from celery import Celery\nimport os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
            "app = Celery('shop')\napp.config_from_object('django.conf:settings', namespace='CELERY')\n",
            {"settings_py": "CELERY_WORKER_POOL = 'solo'\n"},
            "handled",
        ),
        (
            "from celery import Celery\nimport os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
            "app = Celery('shop')\napp.config_from_object('django.conf:settings', namespace='CELERY')\n",
            {"settings_py": "DEBUG = False\n"},
            "cut",
        ),
        (
            "from celery import Celery\napp = Celery('shop')\napp.config_from_object('settings')\n",
            {"settings_py": "from base import *\n"},
            "unknown",
        ),
        ("from made import app\n", {}, "unknown"),
    ],
)
def test_the_pool_of_celery_may_be_chosen_by_its_settings(app: str, files: dict[str, str], verdict: str) -> None:
    launch = launch_of('["dumb-init", "celery", "-A", "shop", "worker"]', shop_py=app, **files)
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize("command", ['["celery", "-A", "shop", "worker"]', '["uvicorn", "shop:app"]'])
def test_an_application_that_ends_before_it_is_served_has_not_been_understood(command: str) -> None:
    launch = launch_of(command, shop_py="import sys\n\nsys.exit(1)\n")
    assert launch.verdict is Verdict.UNKNOWN
    assert launch.why == "as far as shop.py can be followed, it ends before anything of it is served"


@pytest.mark.parametrize(
    ("before", "verdict", "why"),
    [
        ("", Verdict.IGNORED, "pyTelegramBotAPI has no handler for SIGTERM, and the program installs none"),
        (
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))",
            Verdict.CUT,
            "the handler's exception leaves `bot.infinity_polling()` at once: "
            "pyTelegramBotAPI drops the requests in flight",
        ),
    ],
)
def test_a_bot_whose_library_listens_for_no_signal(before: str, verdict: Verdict, why: str) -> None:
    text = (
        f'import signal\nimport sys\n\nimport telebot\n\n{before}\nbot = telebot.TeleBot("a")\nbot.infinity_polling()\n'
    )
    launch = launch_of('["python", "bot.py"]', bot_py=text)
    assert (launch.verdict, launch.why) == (verdict, f"bot.py: {why}")


@pytest.mark.parametrize(
    ("service", "verdict", "why"),
    [
        ("{image: traefik/whoami}", "cut", "whoami ends at once on SIGTERM and drops what is in flight"),
        ("{image: traefik/whoami, command: [--version]}", "unknown", "whoami ends by itself"),
        ("{image: alpine, command: [whoami]}", "unknown", "whoami ends by itself"),
    ],
)
def test_a_program_its_image_is_known_by_is_no_other_command_of_that_name(service: str, verdict: str, why: str) -> None:
    (launch,) = read({"compose.yaml": f"services:\n  app: {service}\n"}).launches
    assert (launch.verdict.value, launch.why) == (verdict, why)


def test_where_the_signal_itself_kills_that_is_what_is_said_and_not_that_the_server_is_for_development() -> None:
    compose = (
        "services:\n  files:\n    image: python:3.12\n    command: python -m http.server\n    stop_signal: SIGKILL\n"
    )

    (launch,) = read({"compose.yaml": compose}).launches

    assert (launch.verdict, launch.dev_server, launch.is_told_as_dev_server) == (Verdict.CUT, True, False)
