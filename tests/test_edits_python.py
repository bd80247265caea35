"""Edits of Python source, to the byte."""

from __future__ import annotations

import pytest

from gracelint.edits import python as edits
from gracelint.facts.program import Program
from gracelint.finding import Edit
from test_behaviour_python import read


def applied(text: str, changes: tuple[Edit, ...] | None) -> str | None:
    if changes is None:
        return None
    for edit in sorted(changes, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    compile(text.removeprefix("\ufeff"), "main.py", "exec")
    return text


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        pytest.param(
            "import time\n\nwhile True:\n    time.sleep(1)\n",
            "import signal\nimport sys\nimport time\n\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\n"
            "while True:\n    time.sleep(1)\n",
            id="behind the imports, which stay sorted",
        ),
        pytest.param(
            '"""A clock."""\n\nfrom time import sleep\n\n\ndef main():\n    while True:\n        sleep(1)\n\n\n'
            'if __name__ == "__main__":\n    main()\n',
            '"""A clock."""\n\nimport signal\nimport sys\nfrom time import sleep\n\n\ndef main():\n    while True:\n'
            '        sleep(1)\n\n\nif __name__ == "__main__":\n'
            "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n    main()\n",
            id="where the program begins",
        ),
        pytest.param(
            "import time\r\ntry:\r\n    while True:\r\n        time.sleep(1)\r\nfinally:\r\n    print('é')\r\n",
            "import signal\r\nimport time\r\n\r\n"
            "signal.signal(signal.SIGTERM, signal.default_int_handler)\r\n\r\ntry:\r\n"
            "    while True:\r\n        time.sleep(1)\r\nfinally:\r\n    print('é')\r\n",
            id="a program that cleans up, with its newlines",
        ),
        pytest.param(
            "\ufeffimport time\n\nwhile True:\n    time.sleep(1)\n",
            "\ufeffimport signal\nimport sys\nimport time\n\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\n"
            "while True:\n    time.sleep(1)\n",
            id="behind a byte order mark",
        ),
        pytest.param(
            "from __future__ import annotations\n\nwhile True:\n    pass\n",
            "from __future__ import annotations\n\nimport signal\nimport sys\n\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\nwhile True:\n    pass\n",
            id="behind the imports from __future__",
        ),
        pytest.param(
            "import os\n\nimport redis\n\nwhile True:\n    redis.Redis().blpop('q')\n",
            "import os\nimport signal\nimport sys\n\nimport redis\n\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\nwhile True:\n    redis.Redis().blpop('q')\n",
            id="among the imports of the standard library",
        ),
        pytest.param(
            "import redis\n\nwhile True:\n    redis.Redis().blpop('q')\n",
            "import signal\nimport sys\n\nimport redis\n\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\nwhile True:\n    redis.Redis().blpop('q')\n",
            id="above the imports of packages",
        ),
    ],
)
def test_add_sigterm_handler(text: str, fixed: str) -> None:
    assert applied(text, edits.add_sigterm_handler(read(text))) == fixed


def test_a_server_gets_no_handler_from_us() -> None:
    assert edits.add_sigterm_handler(read("from waitress import serve\nserve(None)\n")) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "signal.signal(signal.SIGINT, leave)\n",
            "signal.signal(signal.SIGINT, leave)\nsignal.signal(signal.SIGTERM, leave)\n",
        ),
        (
            "for s in (signal.SIGHUP, signal.SIGINT):\n    signal.signal(s, leave)\n",
            "for s in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):\n    signal.signal(s, leave)\n",
        ),
        (
            "for é in (signal.SIGHUP, signal.SIGINT):  # ü\r\n\tsignal.signal(é, leave)\r\n",
            "for é in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):  # ü\r\n\tsignal.signal(é, leave)\r\n",
        ),
    ],
)
def test_handle_sigterm_too(before: str, after: str) -> None:
    head = "import signal, sys, time\n\n\ndef leave(*_):\n    sys.exit()\n\n\n"
    tail = "while True:\n    time.sleep(1)\n"
    program = read(head + before + tail)
    assert applied(head + before + tail, edits.handle_sigterm_too(program, sigint(program))) == head + after + tail


def sigint(program: Program):  # type: ignore[no-untyped-def]
    return next(handler for handler in program.handlers if "SIGINT" in handler.signals)


@pytest.mark.parametrize(
    ("imports", "wanted", "thread"),
    [
        ("import signal\n", "import signal\nimport threading\n", "threading.Thread"),
        ("import signal\nfrom threading import Thread\n", "import signal\nfrom threading import Thread\n", "Thread"),
        ("import signal, threading as t\n", "import signal, threading as t\n", "t.Thread"),
    ],
)
def test_run_shutdown_in_thread(imports: str, wanted: str, thread: str) -> None:
    rest = (
        "from http.server import HTTPServer\nserver = HTTPServer(('', 80), None)\n"
        "signal.signal(signal.SIGTERM, lambda *_: {})\nserver.serve_forever()\n"
    )
    text = imports + rest.format("server.shutdown()")
    program = read(text)
    act = next(act for act in program.handlers[0].acts if act.kind == "shutdown-here")
    fixed = applied(text, edits.run_shutdown_in_thread(program, act))
    assert fixed == wanted + rest.format(f"{thread}(target=server.shutdown).start()")


def test_bound_wait() -> None:
    text = (
        "import signal, threading\nstop = threading.Event()\nsignal.signal(15, lambda *_: stop.set())\n"
        "t = threading.Thread(target=print)\nt.start()\nstop.wait()\nt.join()\n"
    )
    program = read(text)
    wait = next(wait for wait in program.waits if wait.on_shutdown)
    assert applied(text, edits.bound_wait(program, wait)) == text.replace("t.join()", "t.join(timeout=8)")


LOOP = "def main():\n    while True:\n        time.sleep(1)\n\n\n"
MAIN = 'if __name__ == "__main__":\n    main()\n'


@pytest.mark.parametrize(
    ("own", "call"),
    [
        ("def stop():\n    flush()\n", "signal.signal(signal.SIGTERM, lambda *_: stop())"),
        ("def shutdown(reason=None):\n    flush()\n", "signal.signal(signal.SIGTERM, lambda *_: shutdown())"),
        ("def setup_signals():\n    flush()\n", "setup_signals()"),
        ("def _install_signal_handlers():\n    flush()\n", "_install_signal_handlers()"),
    ],
)
def test_the_program_s_own_way_to_stop_is_called(own: str, call: str) -> None:
    text = f"import signal\nimport time\n\n\n{own}\n\n{LOOP}{MAIN}"
    fixed = applied(text, edits.add_sigterm_handler(read(text)))
    assert fixed == text.replace("    main()\n", f"    {call}\n    main()\n")


@pytest.mark.parametrize(
    "own",
    [
        "class Worker:\n    def stop(self):\n        flush()\n",
        "def stop(worker):\n    flush()\n",
        "async def shutdown():\n    flush()\n",
        "def stop():\n    flush()\n\n\ndef setup_signals():\n    flush()\n",
        "if DEBUG:\n    signal.signal(signal.SIGTERM, leave)\n",
        "app = web.AppRunner(site)\n",
        "async def open():\n    await asyncio.start_server(answer, port=80)\n",
    ],
    ids=["a method", "with arguments", "a coroutine", "two ways", "a handler below a condition", "a site", "a server"],
)
def test_a_way_to_stop_that_cannot_be_called_by_its_name(own: str) -> None:
    assert edits.add_sigterm_handler(read(f"import time\n\n\n{own}\n\n{LOOP}{MAIN}")) is None


@pytest.mark.parametrize(
    "line",
    [
        "count = 0; signal.signal(signal.SIGINT, leave)",
        "signal.signal(\n    signal.SIGINT,\n    leave,\n)",
        "for s in (signal.SIGINT, signal.SIGHUP):\n    signal.signal(s, leave)",
        "for s in (signal.SIGHUP, (signal.SIGINT)):\n    signal.signal(s, leave)",
    ],
)
def test_a_registration_that_is_no_line_of_its_own_nor_in_a_plain_loop_is_left_alone(line: str) -> None:
    text = f"import signal\nimport time\n\n\ndef leave(*_):\n    raise SystemExit\n\n\n{line}\n{LOOP}main()\n"
    program = read(text)
    assert edits.handle_sigterm_too(program, program.handlers[0]) is None
