"""What Python programs do with signals.

`fixtures/python-programs/` holds one program a file, each run for real as PID 1 of a PID namespace and as an ordinary
process, sent SIGTERM when it said "ready" and given 4 s. The first line says what was seen; a program that ended after
it had printed "cleaned up" is handled, one that ended without is cut.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gracelint.behaviour.python import read_python
from gracelint.facts.program import Cause, Program, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.parse.errors import ParseError
from gracelint.source import Source

PROGRAMS = sorted((Path(__file__).parents[1] / "fixtures" / "python-programs").glob("*.py"))
GRACE = 4.0


class Folder:
    """Files given as text."""

    name = "app"

    def __init__(self, files: dict[str, str]) -> None:
        self.sources = {path: Source(path, text) for path, text in files.items()}

    def read(self, path: str) -> Source | None:
        return self.sources.get(path)

    def exists(self, path: str) -> bool:
        return any(known == path or known.startswith(f"{path}/") for known in self.sources)

    def names(self, folder: str) -> tuple[str, ...]:
        start = "" if folder in ("", ".") else f"{folder}/"
        inside = [path[len(start) :] for path in self.sources if path.startswith(start)]
        return tuple(sorted({name.split("/")[0] + ("/" if "/" in name else "") for name in inside}))


def read(main: str, **others: str) -> Program:
    """A program of one file, or with modules beside it: `pkg__mod` is pkg/mod.py, `pkg__0` its __init__.py."""
    files = {f"{name.replace('__', '/').replace('/0', '/__init__')}.py": text for name, text in others.items()}
    folder = Folder({"main.py": main, **files})
    return read_python(folder.sources["main.py"], files=folder)


def sigterm(main: str, **others: str) -> Reaction:
    return read(main, **others).reactions["SIGTERM"]


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_a_program_that_was_run(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    seen = re.match(r"# as PID 1: (\w+), as a child: (\w+)(; gracelint: unknown)?\n", text)
    assert seen is not None
    folder = Folder({path.name: text})
    reaction = read_python(folder.sources[path.name], files=folder).reactions["SIGTERM"]
    late = reaction.delay is not None and reaction.delay > GRACE
    said = ("ignored", "ignored") if late else (reaction.as_pid_1.value, reaction.as_child.value)
    assert said == (("unknown", "unknown") if seen[3] else (seen[1], seen[2])), reaction.why


LOOP = """
print("ready")
while True:
    time.sleep(1)
"""


TWO_WAYS = """
import signal, sys, time


def work():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    while True:
        time.sleep(0.2)


def plain():
    while True:
        time.sleep(0.2)


"""
WORK_OR_PLAIN = "if role == 'work':\n    work()\nplain()\n"


@pytest.mark.parametrize(
    "text",
    [
        "role = open('role').read()",
        "role, *_ = sys.argv[1:] + open('roles').read().split()",
        "role = [word for word in ('-v', 'work') if word in open('roles').read()][0]",
        "role = {'role': 'plain', **load()}['role']",
        "roles = {'role': 'plain'}\nroles.update(load())\nrole = roles['role']",
        "roles = {'role': 'plain'}\nroles[open('key').read()] = 'work'\nrole = roles['role']",
        "roles = ['plain']\nroles[load()] = 'work'\nrole = roles[0]",
        "roles = ['plain', 'work']\ndel roles[load()]\nrole = roles[0]",
        "role = {'work': 'work'}.get(open('role').read(), 'plain')",
        "def named(role='plain', *rest): return role\nrole = named(*load())",
        "def named(role='plain', **rest): return role\nrole = named(**load())",
        "role = sorted(['work', 'plain'], key=len)[0]",
        "class Role: name = 'plain'\nones = Role()\nsetattr(ones, load(), 'work')\nrole = ones.name",
        "sys.argv.pop(0)\nrole = sys.argv[0]",
    ],
)
def test_of_two_ways_nobody_can_decide_on_none_is_certain(text: str) -> None:
    load = "from elsewhere import load\n"
    for ways in (WORK_OR_PLAIN, "if role != 'work':\n    plain()\nwork()\n"):
        assert sigterm(TWO_WAYS + load + text + "\n" + ways).as_pid_1 == "unknown", ways


def test_where_a_program_may_end_up_without_a_handler_is_named() -> None:
    reaction = sigterm(TWO_WAYS + "role = open('role').read()\n" + WORK_OR_PLAIN)
    assert reaction.why == (
        "whether it comes to line 13 is only known when it runs: there it has no handler for SIGTERM"
    )


@pytest.mark.parametrize(
    "text",
    [
        "role, *rest = ['work', 'x']",
        "*rest, role = ['x', 'work']",
        "role = sorted(['work', 'zero'])[0]",
        "role = list(reversed(['x', 'work']))[0]",
        "roles = ['x', 'work']\nroles.reverse()\nrole = roles[0]",
        "role = {'role': 'plain', **{'role': 'work'}}['role']",
    ],
)
def test_what_is_unpacked_sorted_and_merged_is_known(text: str) -> None:
    assert sigterm(f"{TWO_WAYS}{text}\n{WORK_OR_PLAIN}").as_pid_1 == "handled"


def test_the_reaction_says_why_and_where() -> None:
    program = read("import queue, signal\n\nq = queue.Queue()\nrunning = True\n\n\n"
                   "def stop(*_):\n    global running\n    running = False\n\n\n"
                   "signal.signal(signal.SIGTERM, stop)\nwhile running:\n    q.get()\n")  # fmt: skip
    reaction = program.reactions["SIGTERM"]
    assert reaction.cause is Cause.NEVER_OBSERVED
    assert reaction.why == "the handler only sets `running`, and `q.get()` goes on waiting without a timeout"
    assert reaction.span is not None and (reaction.span.text, reaction.span.line) == ("q.get()", 14)
    assert [note.span.text for note in reaction.notes] == ["signal.signal(signal.SIGTERM, stop)"]


def test_the_longest_wait_is_the_delay() -> None:
    reaction = sigterm("import signal, time\nstop = []\nsignal.signal(signal.SIGTERM, lambda *_: stop.append(1))\n"
                       "while not stop:\n    time.sleep(60)\n")  # fmt: skip
    assert (reaction.as_pid_1, reaction.delay) == (Verdict.HANDLED, 60.0)
    assert reaction.why == "its handler for SIGTERM is seen within 60 s, when `time.sleep(60)` returns"


def test_a_wait_of_unknown_length_is_unknown() -> None:
    reaction = sigterm("import signal, time, settings\nstop = []\n"
                       "signal.signal(signal.SIGTERM, lambda *_: stop.append(1))\n"
                       "while not stop:\n    time.sleep(settings.INTERVAL)\n")  # fmt: skip
    assert reaction.as_pid_1 is Verdict.UNKNOWN


def test_environment_and_arguments_give_values() -> None:
    text = ("import argparse, os, signal, time\nparser = argparse.ArgumentParser()\n"
            "parser.add_argument('--pause', type=float, default=2)\nargs = parser.parse_args()\nstop = []\n"
            "signal.signal(getattr(signal, os.environ['STOP']), lambda *_: stop.append(1))\n"
            "while not stop:\n    time.sleep(args.pause)\n")  # fmt: skip
    folder = Folder({"main.py": text})
    source = folder.sources["main.py"]
    told = read_python(source, files=folder, env={"STOP": "SIGQUIT"}, argv=("--pause", "7"))
    assert (told.reactions["SIGQUIT"].as_pid_1, told.reactions["SIGQUIT"].delay) == (Verdict.HANDLED, 7.0)
    assert told.reactions["SIGTERM"].cause is Cause.OTHER_SIGNAL_ONLY
    assert read_python(source, files=folder).reactions["SIGTERM"].as_pid_1 is Verdict.UNKNOWN


def test_modules_packages_and_relative_imports_are_followed() -> None:
    reaction = sigterm(
        "import time\nfrom app import state\nfrom app.stop import install\ninstall()\n"
        "while state.running:\n    time.sleep(1)\n",
        app__0="",
        app__state="running = True\n",
        app__stop="import signal\nfrom . import state\n\n\ndef handler(*_):\n    state.running = False\n\n\n"
        "def install():\n    signal.signal(signal.SIGTERM, handler)\n",
    )
    assert reaction.as_pid_1 is Verdict.HANDLED


def test_modules_that_import_each_other_are_read_once() -> None:
    program = read("import a\n" + LOOP.replace("print", "import time\nprint"), a="import b\n", b="import a\nimport b\n")
    assert [source.path for source in program.sources] == ["main.py", "a.py", "b.py"]


def test_a_function_that_nobody_calls_installs_nothing() -> None:
    reaction = sigterm(f"import signal, sys, time\n\n\ndef install():\n    signal.signal(15, sys.exit)\n{LOOP}")
    assert (reaction.as_pid_1, reaction.cause) == (Verdict.IGNORED, Cause.NO_HANDLER)


def test_a_console_script_calls_its_function() -> None:
    loop = LOOP.replace("\n", "\n    ")
    text = f"import signal, sys, time\n\n\ndef main():\n    signal.signal(15, sys.exit)\n{loop}"
    folder = Folder({"pkg/cli.py": text, "pkg/__init__.py": ""})
    program = read_python(folder.sources["pkg/cli.py"], files=folder, roots=("",), call="main", module="pkg.cli")
    assert program.reactions["SIGTERM"].as_pid_1 is Verdict.HANDLED
    assert program.entry


def test_a_management_command_is_found() -> None:
    manage = "import sys\nfrom django.core import management\nmanagement.execute_from_command_line(sys.argv)\n"
    command = ("import time\nfrom django.core.management.base import BaseCommand\n\n\nclass Command(BaseCommand):\n"
               "    def handle(self, *args, **options):\n        while True:\n            time.sleep(1)\n")  # fmt: skip
    folder = Folder({"manage.py": manage, "shop/management/commands/sync.py": command, "shop/__init__.py": ""})
    program = read_python(folder.sources["manage.py"], files=folder, argv=("sync",))
    assert program.reactions["SIGTERM"].cause is Cause.NO_HANDLER
    assert program.span.source.path == "shop/management/commands/sync.py"
    assert read_python(folder.sources["manage.py"], files=folder, argv=("migrate",)).long_running is False


@pytest.mark.parametrize(
    ("text", "server", "verdict"),
    [
        ("import uvicorn\nuvicorn.run('api:app')\n", "uvicorn", Verdict.HANDLED),
        ("from aiohttp import web\nweb.run_app(web.Application())\n", "aiohttp", Verdict.HANDLED),
        ("from flask import Flask\napp = Flask(__name__)\napp.run()\n", "flask", Verdict.IGNORED),
        ("from waitress import serve\nserve(None)\n", "waitress", Verdict.IGNORED),
        (
            "import grpc\nserver = grpc.server(None)\nserver.wait_for_termination()\n",
            "grpc",
            Verdict.IGNORED,
        ),
    ],
)
def test_servers_in_code(text: str, server: str, verdict: Verdict) -> None:
    program = read(text)
    assert [call.name for call in program.servers] == [server]
    assert program.reactions["SIGTERM"].as_pid_1 is verdict
    assert program.long_running is True


def test_threads_that_answer_requests_are_daemons() -> None:
    text = ("import signal, threading\nfrom http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n\n\n"
            "class Server(ThreadingHTTPServer):\n    {0}\n\n\nserver = Server(('', 80), BaseHTTPRequestHandler)\n"
            "signal.signal(15, lambda *_: threading.Thread(target=server.shutdown).start())\n"
            "server.serve_forever()\n")  # fmt: skip
    assert sigterm(text.format("pass")).as_pid_1 is Verdict.CUT
    assert sigterm(text.format("daemon_threads = False")).as_pid_1 is Verdict.HANDLED
    bare = text.replace("http.server", "socketserver").replace("ThreadingHTTPServer", "ThreadingTCPServer")
    bare = bare.replace("BaseHTTPRequestHandler", "StreamRequestHandler")
    assert sigterm(bare.format("daemon_threads = True")).as_pid_1 is Verdict.UNKNOWN


def test_a_task_of_huey_is_put_into_its_queue() -> None:
    text = ("import time\nfrom huey import SqliteHuey\n\nhuey = SqliteHuey()\n\n\n@huey.task()\n"
            "def build():\n    time.sleep(9)\n\n\nbuild()\n{0}")  # fmt: skip
    assert sigterm(text.format("huey.create_consumer().run()\n")).as_pid_1 is Verdict.UNKNOWN
    plain = text.replace("@huey.task()\n", "").format("")
    assert sigterm(plain).as_pid_1 is Verdict.IGNORED


def test_a_child_that_may_take_longer_than_it_is_given() -> None:
    text = ("import signal, subprocess\nstop = False\n\n\ndef on_term(*_):\n    global stop\n    stop = True\n\n\n"
            "signal.signal(15, on_term)\nwhile not stop:\n    subprocess.run(['make', name], timeout=30)\n"
            "open('/tmp/done', 'w').write('done')\n").replace("name", "'all'")  # fmt: skip
    assert sigterm(text).as_pid_1 is Verdict.UNKNOWN
    assert "takes so long that TimeoutExpired leaves out" in sigterm(text).why


def test_a_program_that_runs_to_its_end() -> None:
    program = read("print('migrated')\n")
    assert program.long_running is False
    assert program.reactions["SIGTERM"].cause is Cause.ONE_SHOT


def test_a_program_that_execs_says_what() -> None:
    program = read("import os, sys\nos.execvp('gunicorn', ['gunicorn', '-b', ':80', *sys.argv[1:], 'app'])\n")
    assert program.replaced_by is not None
    assert [word.value for word in program.replaced_by] == ["gunicorn", "-b", ":80", "app"]


def test_a_launcher_says_what_it_forwards_to() -> None:
    program = read("import signal, subprocess\nchild = subprocess.Popen(['node', 'server.js'])\n"
                   "signal.signal(15, lambda s, f: child.send_signal(s))\nchild.wait()\n")  # fmt: skip
    assert program.forwards_to is not None
    assert [word.value for word in program.forwards_to] == ["node", "server.js"]


def test_sigint_is_a_keyboard_interrupt() -> None:
    plain = read(f"import time\n{LOOP}").reactions["SIGINT"]
    cleaning = read(
        "import time\ntry:\n    while True:\n        time.sleep(1)\nfinally:\n    print('saved')\n"
    ).reactions["SIGINT"]
    assert (plain.as_pid_1, cleaning.as_pid_1) == (Verdict.CUT, Verdict.HANDLED)


def test_facts_for_rules() -> None:
    program = read("import signal, threading\nimport torch\nfrom redis import Redis\n\n\n"
                   "def stop(*_):\n    done.set()\n\n\n"
                   "done = threading.Event()\nsignal.signal(signal.SIGTERM, stop)\ncache = Redis()\n"
                   "worker = threading.Thread(target=print)\nworker.start()\n"
                   "done.wait()\nworker.join()\ncache.close()\n")  # fmt: skip
    assert [(handler.signals, handler.span.line) for handler in program.handlers] == [(("SIGTERM",), 11)]
    assert [handler.names[0].text for handler in program.handlers] == ["signal.SIGTERM"]
    assert [(act.kind, act.span.text) for act in program.handlers[0].acts] == [("event", "done.set()")]
    assert [wait.span.text for wait in program.startup] == ["import torch"]
    assert [(connection.library, connection.closed) for connection in program.connections] == [("redis", True)]
    assert [(child.kind, child.ended) for child in program.children] == [("thread", True)]
    assert [wait.span.text for wait in program.waits if wait.on_shutdown] == ["worker.join()"]


def test_columns_are_code_points() -> None:
    text = "\ufeffimport time\r\nwhile True:\r\n    'é😀'; time.sleep(1)\r\n"
    program = read(text)
    assert (program.span.text, program.span.line, program.span.column) == ("time.sleep(1)", 3, 11)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("import os\nx = (1\ny = 2\n", 2, 5), ("print('a'\n", 1, 6), ("def f(:\n", 1, 7)],
)
def test_a_syntax_error_has_a_place(text: str, line: int, column: int) -> None:
    with pytest.raises(ParseError) as raised:
        read(text)
    assert (raised.value.span.line, raised.value.span.column) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000 + ")" * 5000,
        "x\0y",
        "f()" + "()" * 3000,
        "def f(n):\n    return f(n)\n\n\nf(1)\n",
        "x = [1]\nx.append(x)\nwhile x:\n    x = [x, x]\n",
        "import main\nfrom main import *\n",
        "from . import nothing\nfrom .... import more\n",
        "class A(A): pass\n",
        "class A:\n    pass\nA.x = A\nA.x.x.x()\n",
        "".join(f"if a{n}:\n{' ' * 0}    b = {n}\n" for n in range(3000)),
        "".join(f"{' ' * n}while x{n}:\n" for n in range(90)) + " " * 90 + "pass\n",
        "lambda: (yield)\n",
        "for x in x: x = x\nelse: x\n",
        "signal.signal()\nimport signal\nsignal.signal()\nsignal.signal(*a, **b)\n",
        "import threading\nt = threading.Thread()\nt.start(); t.start(); t.join(t)\n",
        "match 1:\n    case [1, *x]: pass\n    case {'a': 1, **y}: pass\n",
        "import asyncio\nasyncio.run()\nasyncio.run(1)\nasyncio.gather(*1)\n",
        "x = 10 ** 10 ** 10\ny = 'a' * 10 ** 12\nz = 1 << 10 ** 9\n",
    ],
)
def test_hostile_text_ends_in_an_answer_or_a_parse_error(text: str) -> None:
    try:
        program = read(text)
    except ParseError:
        return
    assert program.reactions["SIGTERM"].signal == "SIGTERM"


FLAG = """
import queue, signal, threading, time
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
"""


@pytest.mark.parametrize(
    ("lowers", "verdict"),
    [
        ("    if n:\n        return\n    busy -= 1", "unknown"),
        ("    time.sleep(1)\n    busy -= 1", "handled"),
        ("    try:\n        if n:\n            return\n    finally:\n        busy -= 1", "handled"),
        ("    pass", "unknown"),
    ],
)
def test_a_counter_that_is_waited_for_comes_down_on_every_way(lowers: str, verdict: str) -> None:
    reaction = sigterm(
        f"{FLAG}busy = 0\ndef job(n):\n    global busy\n{lowers}\n"
        "while not stopping.wait(0.2):\n    busy += 1\n    threading.Thread(target=job, args=(1,)).start()\n"
        "while busy:\n    time.sleep(0.1)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "unknown":
        assert reaction.why == "whether `busy` ever comes down is only known when it runs"


@pytest.mark.parametrize(("feeds", "verdict"), [("while True", "unknown"), ("while not stopping.is_set()", "handled")])
def test_a_flag_that_is_only_seen_when_nothing_comes(feeds: str, verdict: str) -> None:
    reaction = sigterm(
        f"{FLAG}work = queue.Queue()\ndef feed():\n    {feeds}:\n        work.put(1)\n        time.sleep(0.1)\n"
        "threading.Thread(target=feed, daemon=True).start()\n"
        "while True:\n    try:\n        work.get(timeout=1)\n    except queue.Empty:\n"
        "        if stopping.is_set():\n            break\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "unknown":
        assert reaction.why == "as long as `work.get(timeout=1)` gives it something, it does not look for the end"


@pytest.mark.parametrize(("limit", "verdict"), [("0.5", "cut"), ("2", "unknown"), ("5", "handled")])
def test_a_thread_that_is_given_up_is_left_behind(limit: str, verdict: str) -> None:
    reaction = sigterm(
        f"{FLAG}def upload():\n    while not stopping.is_set():\n        time.sleep(3)\n"
        "thread = threading.Thread(target=upload, daemon=True)\nthread.start()\n"
        f"stopping.wait()\nthread.join(timeout={limit})\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict != "handled":
        assert reaction.why == (
            f"`thread.join(timeout={limit})` gives up after {limit} s, "
            "and what it waits for takes 3 s: it is left behind"
        )


@pytest.mark.parametrize(("ends", "verdict"), [("pass", "unknown"), ("print('cleaned up')", "handled")])
def test_a_daemon_process_that_does_all_the_work(ends: str, verdict: str) -> None:
    reaction = sigterm(
        "import multiprocessing, signal, sys, time\ndef load():\n    while True:\n        time.sleep(2)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "multiprocessing.Process(target=load, daemon=True).start()\n"
        f"try:\n    while True:\n        time.sleep(1)\nfinally:\n    {ends}\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "unknown":
        assert reaction.why == "the main process ends, and kills its daemon process whatever that is doing"


@pytest.mark.parametrize(
    ("body", "verdict", "says"),
    [
        ("while True:\n        yield '1'\n        await asyncio.sleep(1)", "ignored", "a stream that never ends"),
        (
            "while True:\n        item = await box.get()\n        if not item:\n            break\n        yield item",
            "unknown",
            "a stream whose end is only known when it runs",
        ),
        ("async for chunk in source():\n        yield chunk", "handled", ""),
        ("while chunk := source.read():\n        yield chunk", "handled", ""),
    ],
)
def test_a_stream_that_a_server_waits_for(body: str, verdict: str, says: str) -> None:
    reaction = sigterm(
        "import asyncio, uvicorn\nfrom fastapi import FastAPI\nfrom fastapi.responses import StreamingResponse\n"
        f"app = FastAPI()\nasync def feed():\n    {body}\n"
        "@app.get('/')\nasync def index():\n    return StreamingResponse(feed())\nuvicorn.run(app)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if says:
        assert reaction.why == f"uvicorn waits for `feed()`, {says}"


@pytest.mark.parametrize(
    ("more", "delay"),
    [
        ("", 60.0),
        ("    app.on_shutdown.append(forget)\n", 60.0),
        ("    app.on_shutdown.append(close)\n", None),
    ],
)
def test_a_websocket_that_nobody_closes_holds_aiohttp(more: str, delay: float | None) -> None:
    reaction = sigterm(
        "from aiohttp import web\nasync def forget(app):\n    app['db'] = None\n"
        "async def close(app):\n    for ws in app['open']:\n        await ws.close()\n"
        "async def chat(request):\n    ws = web.WebSocketResponse()\n    await ws.prepare(request)\n"
        "    async for message in ws:\n        print(message)\n    return ws\n"
        "def main():\n    app = web.Application()\n    app.router.add_get('/', chat)\n"
        f"{more}    web.run_app(app)\nmain()\n"
    )
    assert (reaction.as_pid_1, reaction.delay) == (Verdict.HANDLED, delay), reaction.why


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [("stopping.set()", "handled"), ("print('got it')", "unknown")],
)
def test_a_thread_that_takes_the_signal(ends: str, verdict: str) -> None:
    reaction = sigterm(
        "import signal, threading\nstopping = threading.Event()\n"
        f"def take():\n    signal.sigwait({{signal.SIGTERM}})\n    {ends}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "threading.Thread(target=take, daemon=True).start()\nwhile not stopping.wait(1):\n    pass\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ("    pass\n", "cut"),
        ("    await asyncio.wait(tasks)\n", "handled"),
        ("    await asyncio.gather(*tasks)\n", "handled"),
    ],
)
def test_tasks_of_requests_are_awaited_or_lost(more: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, contextlib, uvicorn\nfrom fastapi import FastAPI\ntasks = set()\n"
        f"@contextlib.asynccontextmanager\nasync def lifespan(app):\n    yield\n{more}"
        "app = FastAPI(lifespan=lifespan)\nasync def index():\n    await asyncio.sleep(2)\n"
        "@app.post('/')\nasync def begin():\n    tasks.add(asyncio.create_task(index()))\nuvicorn.run(app)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "cut":
        assert reaction.why == "the task that `begin()` starts is lost when uvicorn ends"


def test_what_is_left_until_a_deadline_is_no_number() -> None:
    """It bounds a wait, but nobody knows whether it has run out."""
    reaction = sigterm(
        f"{FLAG}stopping.wait()\ndeadline = time.monotonic() + 3\nwhile True:\n"
        "    left = deadline - time.monotonic()\n    if left <= 0:\n        break\n    time.sleep(max(0, left))\n"
    )
    assert reaction.as_pid_1 is Verdict.HANDLED, reaction.why


@pytest.mark.parametrize(
    ("command", "stops", "verdict"),
    [
        ("['tail', '-f', '/dev/null']", "pass", "ignored"),
        ("['tail', '-f', '/dev/null']", "child.terminate()", "unknown"),
        ("['./follow']", "pass", "unknown"),
    ],
)
def test_the_lines_of_a_child_that_runs_on(command: str, stops: str, verdict: str) -> None:
    reaction = sigterm(
        f"import signal, subprocess\nchild = subprocess.Popen({command}, stdout=subprocess.PIPE)\nstopping = False\n"
        f"def stop(*_):\n    global stopping\n    stopping = True\n    {stops}\nsignal.signal(signal.SIGTERM, stop)\n"
        "for line in child.stdout:\n    if stopping:\n        break\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("test", "verdict"), [("self.state is State.ON", "handled"), ("allows(self.state)", "unknown"), ("True", "ignored")]
)
def test_a_state_that_the_handler_sets(test: str, verdict: str) -> None:
    reaction = sigterm(
        "import enum, signal, time\nfrom rules import allows\nclass State(enum.Enum):\n"
        "    ON = enum.auto()\n    OFF = enum.auto()\nclass Machine:\n    state = State.ON\n"
        "    def stop(self, *_):\n        self.state = State.OFF\n"
        f"    def run(self):\n        while {test}:\n            time.sleep(1)\n"
        "machine = Machine()\nsignal.signal(signal.SIGTERM, machine.stop)\nmachine.run()\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("child", "handler", "verdict"),
    [
        ("pass", "[os.kill(pid, signal.SIGTERM) for pid in pids]", "handled"),
        ("pass", "pids.sort()", "ignored"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "[os.kill(pid, signal.SIGTERM) for pid in pids]", "ignored"),
        ("signal.signal(signal.SIGTERM, leave)", "[os.kill(pid, signal.SIGTERM) for pid in pids]", "handled"),
    ],
)
def test_children_of_fork_are_told_and_end(child: str, handler: str, verdict: str) -> None:
    reaction = sigterm(
        "import os, signal, time\npids = []\ndef leave(*_):\n    os._exit(0)\n"
        f"def stop(*_):\n    {handler}\npid = os.fork()\n"
        f"if pid == 0:\n    {child}\n    while True:\n        time.sleep(1)\n"
        "pids.append(pid)\nsignal.signal(signal.SIGTERM, stop)\nos.waitpid(pid, 0)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    "before",
    [
        "found = []\nif yaml.x():\n    found.append(1)",
        "found = []\nfor each in yaml.x():\n    found.append(each)",
        "found = set()\nfor each in yaml.x():\n    if each.y:\n        found.add(each)",
        "found = False\nfor each in yaml.x():\n    found = True",
    ],
)
def test_what_only_some_ways_leave_behind_is_not_sure_to_be_there(before: str) -> None:
    main = f"import time\nimport yaml\n{before}\nif found:\n    raise RuntimeError\nwhile True:\n    time.sleep(1)\n"
    assert sigterm(main).cause is Cause.NO_HANDLER


def test_what_is_sure_to_be_there_counts() -> None:
    main = "import time\nfound = []\nfound.append(1)\nif found:\n    raise RuntimeError\ntime.sleep(9999)\n"
    assert sigterm(main).cause is Cause.ONE_SHOT
