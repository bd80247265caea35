"""What of a Python program the image decides, and what a command becomes that the program execs."""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.reading import read_project
from gracelint.testing import request
from test_behaviour_python import sigterm

SERVER = """
import asyncio, signal

async def serve(reader, writer):
    line = await reader.readline()
    {answer}
    writer.close()

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(serve, {host!r}, 8000)
    await stop.wait()
    server.close()
    {leaves}

asyncio.run(main())
"""


def launch(files: dict[str, str], image: str = "python:3.11-slim", command: str = "python app.py") -> Launch:
    text = f"FROM {image}\nWORKDIR /app\nCOPY . .\nCMD {command.split()}\n".replace("'", '"')
    (found,) = read_project(request(files | {"Dockerfile": text})[0]).launches
    return found


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        ("python:3.11-slim", "cut"),
        ("python:3.8", "cut"),
        ("python:3.12", "handled"),
        ("python:3.14-alpine", "handled"),
        ("python:3", "handled"),
        ("python:2.7", "cut"),
        ("python", "unknown"),
        ("python:$VERSION", "unknown"),
    ],
)
def test_connections_are_waited_for_from_a_version_on(image: str, verdict: str) -> None:
    text = SERVER.format(answer="await asyncio.sleep(1)", host="", leaves="await server.wait_closed()")
    found = launch({"app.py": text}, image)
    assert found.verdict.value == verdict, found.why


@pytest.mark.parametrize(
    ("answer", "host", "leaves", "verdict"),
    [
        ("await asyncio.sleep(1)", "", "pass", "cut"),
        ("await asyncio.gather(writer.drain(), asyncio.sleep(1))", "", "pass", "cut"),
        ("await asyncio.gather(*[one.drain() for one in [writer]])", "", "pass", "handled"),
        ("await asyncio.wait_for(reader.readline(), 5)", "", "pass", "handled"),
        ("await asyncio.sleep(1)", "127.0.0.1", "pass", "cut"),
        ("await asyncio.sleep(1)", "127.0.0.1", "asyncio.open_connection('db', 1)", "unknown"),
        ("await asyncio.sleep(1)", "0.0.0.0", "asyncio.open_connection('db', 1)", "cut"),
    ],
)
def test_what_a_connection_waits_for(answer: str, host: str, leaves: str, verdict: str) -> None:
    found = launch({"app.py": SERVER.format(answer=answer, host=host, leaves=leaves)})
    assert found.verdict.value == verdict, found.why


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("'-u', 'worker.py', '--name', name()", "it has no handler for SIGTERM"),
        ("'-u', name(), 'worker.py'", "`${…}` is only known when it runs"),
        ("'-u', 'worker.py', '--name=' + name()", "it execs another program"),
        ("name(), 'worker.py'", "it execs another program"),
    ],
)
def test_only_the_values_of_options_may_be_open_where_a_program_becomes_another(words: str, why: str) -> None:
    launcher = f"import os\nfrom names import name\nos.execvp('python', ['python', {words}])\n"
    found = launch({"app.py": launcher, "worker.py": "import time\nwhile True:\n    time.sleep(1)\n"})
    assert found.why.endswith(why)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        ("threading.Timer(5, work); timer.daemon = True", "unknown"),
        ("threading.Timer(5, work)", "handled"),
        ("threading.Timer(5, bite); timer.daemon = True", "handled"),
        ("threading.Timer(5, again); timer.daemon = True", "handled"),
        ("threading.Timer(5, elsewhere); timer.daemon = True", "handled"),
    ],
)
def test_what_a_daemon_timer_was_set_for(made: str, verdict: str) -> None:
    reaction = sigterm(
        "import os, signal, threading\nfrom jobs import save, elsewhere\nstop = threading.Event()\n"
        "signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
        "def work():\n    save()\ndef bite():\n    os._exit(1)\n"
        "def again():\n    save()\n    threading.Timer(5, again).start()\n"
        f"timer = {made}\ntimer.start()\nstop.wait()\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


STATUS = """
import signal, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
jobs, names = Queue(), {{}}

def found(path):
    {found}

class Status(BaseHTTPRequestHandler):
    def do_GET(self):
        body = found(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("", 8000), Status)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return b'ok'", "handled"),
        ("return str(names.get('a')).encode()", "handled"),
        ("return ''.join(names).encode()", "handled"),
        ("return found(path[1:]) if path else b''", "handled"),
        ("return jobs.get()", "cut"),
        ("return names.get('http://names/a')", "cut"),
        ("return open(path).read()", "cut"),
        ("time.sleep(1)", "cut"),
        ("threading.Thread(target=found).join()", "cut"),
    ],
)
def test_a_request_that_is_answered_at_once(body: str, verdict: str) -> None:
    reaction = sigterm(STATUS.format(found=body))
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("number in (signal.SIGTERM, signal.SIGINT)", "handled"),
        ("number in {15}", "handled"),
        ("number not in [signal.SIGHUP]", "handled"),
        ("number in (signal.SIGINT, signal.SIGHUP)", "ignored"),
    ],
)
def test_the_number_of_a_signal_among_others(test: str, verdict: str) -> None:
    reaction = sigterm(
        "import signal, time\nrunning = True\ndef stop(number, frame):\n    global running\n"
        f"    if {test}:\n        running = False\n"
        "signal.signal(signal.SIGTERM, stop)\nwhile running:\n    time.sleep(1)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


KEPT = """
import asyncio, functools, signal
tasks = set()

async def answer(reader, writer):
    await asyncio.sleep(1)

def called(reader, writer):
    {starts}

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server({handler}, "", 8000)
    await stop.wait()
    server.close()
    {leaves}

asyncio.run(main())
"""
STARTS = "asyncio.create_task(answer(reader, writer))"


@pytest.mark.parametrize(
    ("starts", "handler", "leaves", "verdict"),
    [
        (STARTS, "called", "pass", "cut"),
        (f"tasks.add({STARTS})", "called", "pass", "cut"),
        (f"tasks.add({STARTS})", "called", "await asyncio.wait(tasks)", "handled"),
        (f"tasks.add({STARTS})", "called", "pending = list(tasks); await asyncio.gather(*pending)", "handled"),
        (f"task = {STARTS}; tasks[1] = task", "called", "await drain(tasks)", "handled"),
        (f"return {STARTS}", "called", "pass", "handled"),
        ("group.create_task(answer(reader, writer))", "called", "pass", "handled"),
        ("pass", "functools.partial(answer)", "pass", "cut"),
        ("pass", "lambda r, w: answer(r, w)", "pass", "cut"),
        ("pass", "handlers['tcp']", "pass", "unknown"),
    ],
)
def test_tasks_of_connections_that_are_waited_for(starts: str, handler: str, leaves: str, verdict: str) -> None:
    found = launch({"app.py": KEPT.format(starts=starts, handler=handler, leaves=leaves)})
    assert found.verdict.value == verdict, found.why


@pytest.mark.parametrize(
    ("target", "leaves", "verdict"),
    [
        ("save", "pass", "unknown"),
        ("save", "handle.cancel(); save()", "handled"),
        ("bite", "pass", "handled"),
        ("stop.set", "pass", "handled"),
        ("again", "pass", "handled"),
    ],
)
def test_a_call_that_an_event_loop_has_put_off(target: str, leaves: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, os, signal\nfrom files import write\ndef save():\n    write()\ndef bite():\n    os._exit(1)\n"
        "async def main():\n    loop = asyncio.get_running_loop()\n    stop = asyncio.Event()\n"
        "    def again():\n        write()\n        loop.call_later(5, again)\n"
        "    loop.add_signal_handler(signal.SIGTERM, stop.set)\n"
        f"    handle = loop.call_later(5, {target})\n    await stop.wait()\n    {leaves}\nasyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("await asyncio.sleep(1)", "handled"),
        ("while line: line = await reader.readline()", "unknown"),
        ("\n    async for line in reader:\n        await asyncio.sleep(1)", "unknown"),
    ],
)
def test_a_connection_that_lasts_as_long_as_its_client(answer: str, verdict: str) -> None:
    text = SERVER.format(answer=answer, host="", leaves="await server.wait_closed()")
    found = launch({"app.py": text}, "python:3.13")
    assert found.verdict.value == verdict, found.why
