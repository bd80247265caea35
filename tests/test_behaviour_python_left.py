"""What a Python program leaves behind when it ends, and how long the pauses of its retries take."""

from __future__ import annotations

import pytest

from test_behaviour_python import sigterm

LOOP = """
import random, signal, time
running = True
def stop(*_):
    global running
    running = False
signal.signal(signal.SIGTERM, stop)
"""


@pytest.mark.parametrize(
    ("pause", "seconds"),
    [
        ("1 + random.random()", 2),
        ("random.uniform(0.5, 3)", 3),
        ("min(work(), 5)", 5),
        ("0.5 * 2 ** random.randint(0, 3)", 4),
        ("5 - random.random()", 5),
        ("max(0, 2 - (time.monotonic() - began))", 2),
        ("60 + random.random()", 60),
        ("random.uniform(1, 30)", None),
        ("min(work(), 30)", None),
        ("2 ** work()", None),
        ("-random.random() * 5", None),
    ],
)
def test_a_pause_between_bounds(pause: str, seconds: float | None) -> None:
    reaction = sigterm(
        f"from work import work\n{LOOP}while running:\n    began = time.monotonic()\n    time.sleep({pause})\n"
    )
    assert reaction.as_pid_1.value == ("unknown" if seconds is None else "handled"), reaction.why
    assert reaction.delay == seconds


def test_the_number_of_a_retry_is_below_its_count() -> None:
    reaction = sigterm(
        f"from work import work\n{LOOP}while running:\n    for attempt in range(6):\n"
        "        try:\n            work()\n            break\n        except OSError:\n"
        "            time.sleep(0.1 * 2 ** attempt)\n    time.sleep(1)\n"
    )
    assert reaction.as_pid_1.value == "handled", reaction.why


CHILD = "import signal, time\n{}\nprint('up')\nwhile True:\n    time.sleep(1)\n"
LAUNCHER = (
    "import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "child = subprocess.Popen({})\nwhile True:\n    time.sleep(1)\n"
)


@pytest.mark.parametrize(
    ("command", "handler", "verdict"),
    [
        ("[sys.executable, 'child.py']", "signal.signal(signal.SIGTERM, lambda *_: exit(0))", "cut"),
        ("[sys.executable, 'child.py']", "", "handled"),
        ("['gunicorn', 'app:app']", "", "unknown"),
        ("['tail', '-f', 'log']", "", "handled"),
    ],
)
def test_a_child_that_nobody_tells(command: str, handler: str, verdict: str) -> None:
    reaction = sigterm(LAUNCHER.format(command), child=CHILD.format(handler))
    assert reaction.as_pid_1.value == verdict, reaction.why


THREAD = """
import queue, signal, sys, threading, time
jobs = queue.Queue()
def work():
    while True:
        job = jobs.get()
        {}
        jobs.task_done()
def stop(*_):
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
thread = threading.Thread(target=work, daemon={})
thread.start()
try:
    while True:
        jobs.put(1)
        time.sleep(1)
finally:
    {}
"""


@pytest.mark.parametrize(
    ("job", "daemon", "leaves", "verdict"),
    [
        ("time.sleep(4)", True, "print('bye')", "cut"),
        ("print(job)", True, "print('bye')", "unknown"),
        ("time.sleep(4)", True, "jobs.join()", "unknown"),
        ("time.sleep(0.9)", True, "jobs.join()", "handled"),
        ("time.sleep(4)", False, "print('bye')", "ignored"),
    ],
)
def test_a_daemon_thread_at_work(job: str, daemon: bool, leaves: str, verdict: str) -> None:
    reaction = sigterm(THREAD.format(job, daemon, leaves))
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("start", "leaves", "verdict"),
    [
        ("asyncio.create_task(upload())", "pass", "cut"),
        ("tasks.append(asyncio.create_task(upload()))", "await asyncio.gather(*tasks)", "handled"),
        ("asyncio.create_task(quick())", "pass", "handled"),
        ("await upload()", "pass", "handled"),
    ],
)
def test_tasks_that_nobody_waits_for(start: str, leaves: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, signal\nasync def upload():\n    await asyncio.sleep(5)\n"
        "async def quick():\n    await asyncio.sleep(0.1)\n"
        "async def main():\n    stop, tasks = asyncio.Event(), []\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        f"    while not stop.is_set():\n        {start}\n        await asyncio.sleep(0.5)\n    {leaves}\n"
        "asyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("stop", "verdict"),
    [("loop.call_soon_threadsafe(loop.stop)", "handled"), ("pass", "ignored")],
)
def test_an_event_loop_in_a_thread(stop: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, signal, threading\nloop = asyncio.new_event_loop()\n"
        "thread = threading.Thread(target=loop.run_forever)\nthread.start()\ndone = threading.Event()\n"
        f"signal.signal(signal.SIGTERM, lambda *_: done.set())\ndone.wait()\n{stop}\nthread.join()\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("queue", "stop", "verdict"),
    [
        ("mp.Queue()", "child.terminate()", "unknown"),
        ("mp.Queue(10)", "child.terminate()", "handled"),
        ("mp.Queue()", "child.terminate(); jobs.cancel_join_thread()", "handled"),
    ],
)
def test_a_queue_whose_reader_is_terminated(queue: str, stop: str, verdict: str) -> None:
    reaction = sigterm(
        "import multiprocessing as mp, signal, sys, time\ndef work(jobs):\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n    while True:\n        print(jobs.get())\n"
        f"jobs = {queue}\nchild = mp.Process(target=work, args=(jobs,))\nchild.start()\n"
        f"def stop(*_):\n    {stop}\n    child.join()\n    sys.exit(0)\nsignal.signal(signal.SIGTERM, stop)\n"
        "while True:\n    jobs.put('x' * 1000)\n    time.sleep(0.1)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("own", "handler", "verdict"),
    [
        ("install_signal_handlers", "pass", "unknown"),
        ("capture_signals", "pass", "ignored"),
        ("capture_signals", "signal.signal(signal.SIGTERM, stop)", "handled"),
        ("startup", "pass", "handled"),
    ],
)
def test_a_server_with_methods_of_its_own(own: str, handler: str, verdict: str) -> None:
    reaction = sigterm(
        "import contextlib, signal, uvicorn\n"
        f"class Server(uvicorn.Server):\n    @contextlib.contextmanager\n    def {own}(self):\n        yield\n"
        "server = Server(uvicorn.Config('app:app'))\ndef stop(*_):\n    server.should_exit = True\n"
        f"{handler}\nserver.run()\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("jobs", "take", "verdict"),
    [
        ("[1, 2]", "jobs.pop()", "handled"),
        ("collections.deque([1, 2])", "jobs.popleft()", "handled"),
        ("{1, 2}", "jobs.pop()", "handled"),
        ("{1: 2}", "jobs.popitem()", "handled"),
        ("[1, 2]", "heapq.heappop(jobs)", "handled"),
        ("[1, 2]", "jobs", "ignored"),
    ],
)
def test_what_is_taken_from_a_collection_makes_it_empty(jobs: str, take: str, verdict: str) -> None:
    reaction = sigterm(
        f"import collections, heapq\n{LOOP}jobs = {jobs}\nwhile running:\n    time.sleep(1)\n"
        f"while jobs:\n    print({take})\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize("take", ["jobs.popleft()", "jobs.pop()", "heapq.heappop(jobs)"])
def test_how_much_is_in_a_collection_that_grows_is_not_known(take: str) -> None:
    reaction = sigterm(
        f"import heapq\n{LOOP}jobs = []\nwhile running:\n    jobs.append(1)\n    time.sleep(1)\n"
        f"while jobs:\n    print({take})\n"
    )
    assert reaction.as_pid_1.value == "unknown", reaction.why
    assert reaction.why.endswith("whether `jobs` ever comes down is only known when it runs")


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("signal.SIGTERM | signal.SIGINT", "handled"),
        ("signal.SIGINT", "ignored"),
        ("number if number == 15", "unknown"),
    ],
)
def test_a_handler_that_matches_the_signal(case: str, verdict: str) -> None:
    reaction = sigterm(
        "import signal, time\nstate = 'on'\ndef stop(number, _):\n    global state\n    match number:\n"
        f"        case {case}:\n            state = 'off'\n        case _:\n            pass\n"
        "signal.signal(signal.SIGTERM, stop)\nwhile True:\n    match state:\n"
        "        case 'on':\n            time.sleep(1)\n"
        "        case 'off':\n            break\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("puts", "verdict"),
    [("for _ in children:\n    jobs.put(None)", "handled"), ("jobs.put(None)", "ignored"), ("jobs.put(0)", "ignored")],
)
def test_sentinels_reach_processes(puts: str, verdict: str) -> None:
    reaction = sigterm(
        f"import multiprocessing as mp\n{LOOP}def work(jobs):\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    for job in iter(jobs.get, None):\n        print(job)\n"
        "jobs = mp.Queue()\nchildren = [mp.Process(target=work, args=(jobs,)) for _ in range(2)]\n"
        "for child in children:\n    child.start()\nwhile running:\n    time.sleep(1)\n"
        f"{puts}\nfor child in children:\n    child.join()\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(("word", "verdict"), [("'stop'", "handled"), ("'go'", "ignored")])
def test_what_a_pipe_says_to_a_process(word: str, verdict: str) -> None:
    reaction = sigterm(
        "import multiprocessing as mp, signal\nhere, there = mp.Pipe()\ndef work(end):\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True:\n"
        "        if end.poll(1) and end.recv() == 'stop':\n            break\n"
        f"child = mp.Process(target=work, args=(there,))\nchild.start()\ndef stop(*_):\n    here.send({word})\n"
        "signal.signal(signal.SIGTERM, stop)\nchild.join()\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("body", "verdict"),
    [("try:\n        run()\n    finally:\n        out.close()", "cut"), ("run()", "handled")],
)
def test_a_process_that_is_terminated(body: str, verdict: str) -> None:
    reaction = sigterm(
        "import multiprocessing, signal, sys, time\ndef run():\n    while True:\n        time.sleep(1)\n"
        f"def work():\n    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n    out = open('out', 'w')\n    {body}\n"
        "child = multiprocessing.Process(target=work)\nchild.start()\n"
        "def stop(*_):\n    child.terminate()\n    child.join()\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\nwhile True:\n    time.sleep(1)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("if not jobs:\n            time.sleep(0.1)\n            continue\n        do(jobs.pop())", "cut"),
        ("if jobs:\n            do(jobs.pop())\n        else:\n            time.sleep(0.1)", "cut"),
        ("print('alive')\n        time.sleep(5)", "handled"),
    ],
)
def test_a_daemon_thread_that_looks_for_work(body: str, verdict: str) -> None:
    reaction = sigterm(
        "import signal, sys, threading, time\njobs = []\ndef do(job):\n    time.sleep(3)\n"
        f"def work():\n    while True:\n        {body}\n"
        "threading.Thread(target=work, daemon=True).start()\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "while True:\n    jobs.append(1)\n    time.sleep(1)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        ("asyncio.to_thread(client.save, 1)", "handled"),
        ("asyncio.to_thread(client.receive, timeout=1)", "handled"),
        ("asyncio.to_thread(client.receive)", "unknown"),
        ("asyncio.to_thread(client.serve_forever)", "unknown"),
    ],
)
def test_a_library_called_in_a_thread(call: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, signal\nfrom client import Client\nclient = Client()\n"
        f"async def poll():\n    while True:\n        await {call}\n"
        "async def main():\n    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    task = asyncio.create_task(poll())\n    await stop.wait()\n    task.cancel()\n"
        "    await asyncio.gather(task, return_exceptions=True)\nasyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("work", "verdict"),
    [
        ("await asyncio.sleep(5)", "cut"),
        ("await asyncio.sleep(0.1)", "handled"),
        ("try:\n            await asyncio.sleep(5)\n        finally:\n            keep(item)", "handled"),
    ],
)
def test_a_task_that_is_cancelled_at_work(work: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, signal\ndef keep(item):\n    print(item)\nasync def clerk(queue):\n    while True:\n"
        f"        item = await queue.get()\n        {work}\n"
        "async def main():\n    stop, queue = asyncio.Event(), asyncio.Queue()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    task = asyncio.create_task(clerk(queue))\n    await stop.wait()\n    task.cancel()\n"
        "    await asyncio.gather(task, return_exceptions=True)\nasyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(("seconds", "verdict"), [(3, "cut"), (0.1, "handled")])
def test_daemon_threads_for_each_piece_of_work(seconds: float, verdict: str) -> None:
    reaction = sigterm(
        f"import signal, sys, threading, time\ndef send():\n    time.sleep({seconds})\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True:\n"
        "    threading.Thread(target=send, daemon=True).start()\n    time.sleep(0.5)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


FORWARDS = (
    "import os, shlex, signal, subprocess\nchild = subprocess.Popen({})\n"
    "signal.signal(signal.SIGTERM, lambda *_: child.terminate())\nchild.wait()\n"
)


@pytest.mark.parametrize("command", ['["sleep", "3600"]', 'shlex.split("sleep 3600")'])
def test_a_child_that_only_waits_is_told_and_has_nothing_to_finish(command: str) -> None:
    reaction = sigterm(FORWARDS.format(command))
    assert (reaction.as_pid_1.value, reaction.why) == (
        "handled",
        "it passes the signal on to its child and waits for it; the child has nothing to finish",
    )


def test_a_child_whose_command_is_not_known_is_named() -> None:
    reaction = sigterm(FORWARDS.format('shlex.split(os.environ["ENCODER"])'))
    assert (reaction.as_pid_1.value, reaction.why) == (
        "unknown",
        "it passes the signal on to its child and waits for it: which command "
        "`subprocess.Popen(…)` starts is only known when it runs",
    )


@pytest.mark.parametrize(
    ("stop", "why"),
    [
        (
            "server.stop()",
            "`stop()` takes no more connections, and the main thread ends without waiting for those that "
            "`server.listen(8888)` has: tornado drops their requests",
        ),
        (
            "pass",
            "the main thread ends, and nothing closes what `server.listen(8888)` started: tornado drops its requests",
        ),
    ],
)
def test_a_server_that_only_takes_no_more_connections_drops_those_it_has(stop: str, why: str) -> None:
    reaction = sigterm(
        "import signal\nfrom tornado import httpserver, ioloop\n"
        "server = httpserver.HTTPServer(None)\nserver.listen(8888)\nloop = ioloop.IOLoop.current()\n"
        f"def shutdown():\n    {stop}\n    loop.stop()\n"
        "signal.signal(signal.SIGTERM, lambda *_: loop.add_callback_from_signal(shutdown))\nloop.start()\n"
    )
    assert (reaction.as_pid_1.value, reaction.why) == ("cut", why)


TOLD = (
    "import signal, threading, time\nfrom work import flush\nstopping = threading.Event()\n"
    "signal.signal(signal.SIGTERM, lambda *_: stopping.set())\n"
    "def run():\n    {}\nthreading.Thread(target=run, daemon=True).start()\nstopping.wait()\n{}\n"
)


@pytest.mark.parametrize(
    ("body", "leaves", "verdict", "why"),
    [
        (
            "while not stopping.is_set():\n        time.sleep(1)\n    flush()",
            "",
            "cut",
            "it does not wait for `flush()`, which its daemon thread still does when it is told to end",
        ),
        (
            "while not stopping.is_set():\n        time.sleep(1)\n        flush()",
            "",
            "unknown",
            "whether anything is lost is not known: it does not wait for `flush()`, which its daemon thread still does "
            "when it is told to end",
        ),
        (
            "try:\n        while not stopping.wait(1):\n            pass\n    finally:\n        flush()",
            "",
            "cut",
            "it does not wait for `flush()`, which its daemon thread still does when it is told to end",
        ),
        ("while not stopping.is_set():\n        flush()\n        time.sleep(1)", "", "handled", None),
        ("while not stopping.wait(1):\n        flush()", "", "handled", None),
        ("while not stopping.is_set():\n        time.sleep(1)\n    print('left')", "", "handled", None),
        ("while not stopping.is_set():\n        time.sleep(1)\n    flush()", "time.sleep(2)", "handled", None),
    ],
)
def test_a_daemon_thread_that_is_told_to_end(body: str, leaves: str, verdict: str, why: str | None) -> None:
    reaction = sigterm(TOLD.format(body, leaves))
    assert reaction.as_pid_1.value == verdict, reaction.why
    assert why is None or reaction.why == why


@pytest.mark.parametrize(
    ("when", "seconds", "why"),
    [
        ("loop.call_later(4, loop.stop)", 4, None),
        ("loop.call_at(loop.time() + 3, loop.stop)", 3, None),
        ("loop.call_later(4, print)", 0, None),
        (
            "loop.call_later(wait(), loop.stop)",
            None,
            "how long `loop.call_later(wait(), loop.stop)` takes is only known when it runs",
        ),
    ],
)
def test_a_timer_of_the_event_loop(when: str, seconds: float | None, why: str | None) -> None:
    reaction = sigterm(
        "import asyncio, signal\nfrom work import wait\nloop = asyncio.new_event_loop()\n"
        f"def stop():\n    {when}\n{'    loop.stop()' if seconds == 0 else ''}\n"
        "loop.add_signal_handler(signal.SIGTERM, stop)\nloop.run_forever()\n"
    )
    assert reaction.as_pid_1.value == ("unknown" if seconds is None else "handled"), reaction.why
    assert (reaction.delay or 0) == (seconds or 0)
    assert why is None or reaction.why == why


def test_a_task_that_is_taken_up_leaves_the_flag_that_the_handler_has_set() -> None:
    reaction = sigterm(
        "import signal, threading, time\nclass Poller:\n    running = False\n    def run(self):\n"
        "        self.running = True\n        while self.running:\n            time.sleep(1)\n"
        "    def stop(self, *_):\n        self.running = False\npoller = Poller()\n"
        "signal.signal(signal.SIGTERM, poller.stop)\nthread = threading.Thread(target=poller.run)\n"
        "thread.start()\nthread.join()\n"
    )
    assert reaction.as_pid_1.value == "handled", reaction.why


def test_os_exit_once_the_server_has_given_the_signal_on() -> None:
    reaction = sigterm(
        "import os, signal, uvicorn\nfrom work import app\n"
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\nuvicorn.run(app)\n"
    )
    assert reaction.as_pid_1.value == "handled"
    assert reaction.why == "uvicorn handles SIGTERM, and the handler that it found ends the program"


CHOICE = (
    "import json, signal, time\nfrom pathlib import Path\nrunning = True\ndef stop(*_):\n    global running\n"
    "    running = False\ndef graceful():\n    {}\ndef plain():\n    pass\nSETUPS = {{'a': graceful, 'b': plain}}\n"
    "kind = Path('kind').read_text()\n{}\nwhile running:\n    time.sleep(1)\n"
)
HANDLER = "signal.signal(signal.SIGTERM, stop)"


@pytest.mark.parametrize(
    ("installs", "call", "why"),
    [
        (HANDLER, "SETUPS[kind]()", "which function `SETUPS[kind]()` calls, and whether that handles SIGTERM, is only"),
        (HANDLER, "SETUPS.get(kind)()", "which function `SETUPS.get(kind)()` calls, and whether that handles SIGTERM,"),
        (
            HANDLER,
            "chosen = SETUPS[kind]\nchosen()",
            "which function `chosen()` calls, and whether that handles SIGTERM",
        ),
        ("pass", "SETUPS[kind]()", None),
        (HANDLER, "SETUPS['b']()", None),
    ],
)
def test_a_call_of_one_of_several_functions_may_install_the_handler(installs: str, call: str, why: str | None) -> None:
    reaction = sigterm(CHOICE.format(installs, call))
    assert reaction.as_pid_1.value == ("ignored" if why is None else "unknown"), reaction.why
    assert reaction.why.startswith(why or "it has no handler for SIGTERM")


@pytest.mark.parametrize(
    ("seconds", "get", "delay"),
    [("0.5", "get(timeout=60)", 0.5), ("25", "get(timeout=60)", 25), ("25", "wait(5)", 5), ("0.5", "get()", 0.5)],
)
def test_a_result_of_a_pool_is_there_when_its_task_is_done(seconds: str, get: str, delay: float) -> None:
    reaction = sigterm(
        "import multiprocessing, signal, time\nrunning = True\ndef stop(*_):\n    global running\n    running = False\n"
        f"def work(number):\n    time.sleep({seconds})\nsignal.signal(signal.SIGTERM, stop)\n"
        "pool = multiprocessing.Pool(2, print)\nwhile running:\n"
        f"    pool.apply_async(work, (1,)).{get}\npool.close()\npool.join()\n"
    )
    assert (reaction.as_pid_1.value, reaction.delay) == ("handled", delay), reaction.why


def test_a_program_with_a_handler_that_runs_to_its_end_by_itself() -> None:
    reaction = sigterm(
        "import signal\nfrom concurrent.futures import ThreadPoolExecutor, as_completed\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('stopping'))\nwith ThreadPoolExecutor() as pool:\n"
        "    for future in as_completed([pool.submit(print, n) for n in range(9)]):\n        future.result()\n"
    )
    assert reaction.as_pid_1.value == "unknown"
    assert reaction.why == (
        "it handles SIGTERM, but where that finds it before it has run to its end is only known when it runs"
    )


@pytest.mark.parametrize(
    ("waits", "verdict"),
    [
        ("await asyncio.gather(*(wait(child) for child in children))", "handled"),
        ("await asyncio.gather(*[wait(child) for child in children])", "handled"),
        ("print(children)", "cut"),
    ],
)
def test_children_that_the_tasks_of_a_program_wait_for(waits: str, verdict: str) -> None:
    child = "import signal, time\nrun = True\ndef stop(*_):\n    global run\n    run = False\n"
    child += "signal.signal(signal.SIGTERM, stop)\nwhile run:\n    time.sleep(0.3)\nprint('done')\n"
    reaction = sigterm(
        "import asyncio, signal\nasync def wait(child):\n    await asyncio.wait_for(child.wait(), 5)\n"
        "async def main():\n    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    children = [await asyncio.create_subprocess_exec('python', 'child.py')]\n    await stop.wait()\n"
        f"    for child in children:\n        child.terminate()\n    {waits}\nasyncio.run(main())\n",
        child=child,
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("shuts", "leaves", "verdict"),
    [
        ("stop.set()\n    await asyncio.sleep(2)", "", "cut"),
        ("await asyncio.sleep(2)\n    stop.set()", "", "handled"),
        ("stop.set()", "asyncio.create_task(flush())", "cut"),
        ("stop.set()", "await asyncio.create_task(flush())", "handled"),
        ("stop.set()", "asyncio.create_task(flush())\n    await asyncio.sleep(5)", "handled"),
    ],
)
def test_a_task_that_starts_on_the_way_out(shuts: str, leaves: str, verdict: str) -> None:
    reaction = sigterm(
        "import asyncio, signal\nasync def flush():\n    await asyncio.sleep(3)\n"
        f"async def shutdown(stop):\n    {shuts}\nasync def main():\n    stop = asyncio.Event()\n"
        "    loop = asyncio.get_running_loop()\n"
        "    loop.add_signal_handler(signal.SIGTERM, lambda: asyncio.create_task(shutdown(stop)))\n"
        f"    await stop.wait()\n    {leaves}\nasyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    seconds = "2" if not leaves else "3"
    assert verdict == "handled" or reaction.why == (
        f"its event loop ends, and cancels a task that takes {seconds} s and that nobody waits for"
    )


HTTP = (
    "import signal\nfrom http.server import BaseHTTPRequestHandler, {kind}HTTPServer\n"
    "class Gone({base}):\n    pass\n"
    "def stop(*_):\n    raise Gone\n"
    "signal.signal(signal.SIGTERM, stop)\n"
    "server = {kind}HTTPServer(('', 8000), BaseHTTPRequestHandler)\n"
    "server.daemon_threads = False\n"
    "try:\n    server.serve_forever()\nexcept Gone:\n    server.server_close()\n"
)


@pytest.mark.parametrize(
    ("kind", "base", "verdict"),
    [
        ("", "Exception", "unknown"),
        ("", "BaseException", "cut"),
        ("Threading", "Exception", "handled"),
    ],
)
def test_what_the_handler_raises_comes_into_a_request(kind: str, base: str, verdict: str) -> None:
    reaction = sigterm(HTTP.format(kind=kind, base=base))
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "unknown":
        assert reaction.why == (
            "http.server catches the handler's exception while it answers a request, and goes on serving; "
            "between requests it ends"
        )


AWAITS = (
    "import asyncio, contextlib, signal\nfrom work import listen\n"
    "async def poll():\n    {poll}\n"
    "async def main():\n"
    "    stop = asyncio.Event()\n"
    "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
    "    task = asyncio.create_task({task})\n"
    "    await stop.wait()\n    task.cancel()\n    {awaits}\n    save()\n"
    "def save():\n    open('state', 'w').write('')\n"
    "asyncio.run(main())\n"
)
ASKS = "while True:\n        await asyncio.sleep(1)"
LATE = (
    "await asyncio.sleep(1)\n    try:\n        while True:\n            await asyncio.sleep(1)\n"
    "    except asyncio.CancelledError:\n        return"
)
CATCHES = f"try:\n        await asyncio.sleep(9)\n    except asyncio.CancelledError:\n        {{}}\n    {ASKS}"


@pytest.mark.parametrize(
    ("poll", "task", "awaits", "why"),
    [
        (ASKS, "poll()", "await task", "nobody catches CancelledError, which leaves out `save()`"),
        (ASKS, "poll()", "await asyncio.gather(task)", "nobody catches CancelledError, which leaves out `save()`"),
        (ASKS, "poll()", "await asyncio.gather(task, return_exceptions=True)", None),
        (ASKS, "poll()", "with contextlib.suppress(asyncio.CancelledError):\n        await task", None),
        (CATCHES.format("raise"), "poll()", "await task", "nobody catches CancelledError, which leaves out `save()`"),
        (CATCHES.format("return"), "poll()", "await task", None),
        (LATE, "poll()", "await task", "whether `task` raises CancelledError is only known when it runs"),
        ("pass", "listen()", "await task", "whether it gets past `task` is only known when it runs"),
    ],
)
def test_a_cancelled_task_is_awaited(poll: str, task: str, awaits: str, why: str | None) -> None:
    reaction = sigterm(AWAITS.format(poll=poll, task=task, awaits=awaits))
    verdict = "handled" if why is None else "unknown" if why.startswith("whether") else "cut"
    assert reaction.as_pid_1.value == verdict, reaction.why
    assert why is None or reaction.why == why


def test_an_exit_that_leaves_out_what_comes_after_the_loop() -> None:
    reaction = sigterm(
        f"import sys\n{LOOP}while True:\n    if not running:\n        sys.exit()\n    time.sleep(1)\nsave()\n"
    )
    assert reaction.as_pid_1.value == "unknown"
    assert reaction.why == "SystemExit leaves out `save()`, and whether anything is lost with that is not known"


def test_a_task_that_drains_on_the_way_out_is_not_done_when_nobody_awaits_it() -> None:
    reaction = sigterm(
        "import asyncio, signal\n"
        "async def drain(queue):\n    await asyncio.wait_for(queue.join(), 5)\n    print('drained')\n"
        "async def main():\n    stop, queue = asyncio.Event(), asyncio.Queue()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    queue.put_nowait(1)\n    await stop.wait()\n    asyncio.create_task(drain(queue))\n"
        "asyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == "unknown"
    assert reaction.why == (
        "whether a task that nobody waits for is done before the main one ends is only known when it runs"
    )


SAVER = (
    "import signal, sys, threading, time\nstop = threading.Event()\nrows = []\n"
    "def {name}():\n    open('rows', 'w').write(str(rows))\n"
    "def beside():\n    while {rounds}\n        {name}()\n    {last}\n"
    "signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
    "thread = threading.Thread(target=beside, daemon={daemon})\nthread.start()\nstop.wait()\nthread.join({limit})\n"
)


@pytest.mark.parametrize(
    ("name", "rounds", "last", "daemon", "verdict"),
    [
        ("save_rows", "not stop.wait(5):", "pass", False, "unknown"),
        ("save_rows", "not stop.wait(5):", "save_rows()", False, "handled"),
        ("show_rows", "not stop.wait(5):", "pass", False, "handled"),
        ("save_rows", "not stop.is_set():\n        time.sleep(1)", "pass", False, "handled"),
    ],
)
def test_what_a_thread_saves_from_time_to_time(name: str, rounds: str, last: str, daemon: bool, verdict: str) -> None:
    reaction = sigterm(SAVER.format(name=name, rounds=rounds, last=last, daemon=daemon, limit=""))
    assert reaction.as_pid_1.value == verdict, reaction.why
    assert verdict == "handled" or reaction.why == (
        "whether anything is lost is not known: it does not call `save_rows()` on its way out, "
        "which a thread does from time to time"
    )


@pytest.mark.parametrize(
    ("cancels", "why"),
    [("True", "whether `future.result()` raises CancelledError is only known when it runs"), ("False", None)],
)
def test_the_result_of_a_job_that_may_have_been_cancelled(cancels: str, why: str | None) -> None:
    reaction = sigterm(
        "import signal, threading, time\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "stop = threading.Event()\nsignal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
        "def job(n):\n    time.sleep(0.5)\n"
        "pool = ThreadPoolExecutor(1)\nfutures = [pool.submit(job, n) for n in range(30)]\nstop.wait()\n"
        f"pool.shutdown(cancel_futures={cancels})\nfor future in futures:\n    future.result()\nprint('done')\n"
    )
    assert reaction.as_pid_1.value == ("handled" if why is None else "unknown"), reaction.why
    assert why is None or reaction.why == why


@pytest.mark.parametrize(
    ("fails", "grows", "delay", "why"),
    [
        (True, "delay *= 2", None, "it grows without a bound"),
        (True, "delay = min(delay * 2, 60)", None, "it grows up to 60 s"),
        (True, "delay = min(60, delay + 1)", None, "it grows up to 60 s"),
        (True, "delay *= 2\n            if delay > MOST:\n                delay = MOST", 8, None),
        (False, "delay = min(delay * 1.5, 60)", 60, None),
        (False, "delay = 1", 1, None),
    ],
)
def test_a_pause_that_grows(fails: bool, grows: str, delay: float | None, why: str | None) -> None:
    asks = "try:\n            fetch()\n        except OSError:" if fails else "if fetch() is None:"
    reaction = sigterm(
        f"from work import fetch\n{LOOP}MOST = 8\ndelay = 1\n"
        f"while running:\n    if True:\n        {asks}\n            time.sleep(delay)\n            {grows}\n"
    )
    assert reaction.as_pid_1.value == ("unknown" if why else "handled"), reaction.why
    assert reaction.delay == delay
    assert not why or reaction.why == f"how long `time.sleep(delay)` takes is only known when it runs: {why}"


@pytest.mark.parametrize(
    ("loads", "verdict"),
    [
        ("json.loads('{\"graceful\": true}')", "handled"),
        ("json.loads('{\"graceful\": false}')", "ignored"),
        ("json.loads('{')", "unknown"),
        ("json.load(open('settings.json'))", "unknown"),
        ("json.loads(sys.argv[1])", "unknown"),
    ],
)
def test_json_says_whether_the_handler_is_installed(loads: str, verdict: str) -> None:
    reaction = sigterm(
        f"import json, signal, sys, time\nsettings = {loads}\nif settings['graceful']:\n"
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True:\n    time.sleep(1)\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("last", "verdict"),
    [("store.close()", "cut"), ("print('bye')", "cut"), ("serve_others()", "handled"), ("store = None", "handled")],
)
def test_what_an_exit_leaves_out_behind_an_endless_loop(last: str, verdict: str) -> None:
    reaction = sigterm(
        "import signal, sys, time\nfrom work import serve_others, store\n"
        f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True:\n    time.sleep(1)\n{last}\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("begins", "verdict"),
    [
        ("with anyio.move_on_after(0.5):", "cut"),
        ("with anyio.fail_after(0.5):", "cut"),
        ("async with async_timeout.timeout(0.5):", "cut"),
        ("with anyio.move_on_after(5):", "handled"),
        ("with contextlib.suppress(OSError):", "handled"),
    ],
)
def test_what_is_begun_in_a_timeout_that_is_too_short(begins: str, verdict: str) -> None:
    reaction = sigterm(
        "import anyio, asyncio, async_timeout, contextlib, signal\n"
        "async def drain():\n    await asyncio.sleep(2)\n    print('drained')\n"
        "async def main():\n    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n    await stop.wait()\n"
        f"    with contextlib.suppress(TimeoutError):\n        {begins}\n            await drain()\n"
        "asyncio.run(main())\n"
    )
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "cut":
        call = begins.split("with ")[1].rstrip(":")
        assert reaction.why == f"`{call}` gives up after 0.5 s, and what it waits for takes 2 s: it is left behind"


# What is queued

FEEDS = """
import signal, threading, time
from concurrent.futures import ThreadPoolExecutor
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
def work(n=0):
    time.sleep(1)
with ThreadPoolExecutor({workers}) as executor:
    while not stop.{wait}:
        executor.submit(work)
"""


@pytest.mark.parametrize(
    ("workers", "wait", "verdict"),
    [
        ("2", "wait(0.5)", "handled"),
        ("2", "wait(0.4)", "unknown"),
        ("", "wait(0.2)", "handled"),
        ("1", "is_set()", "unknown"),
    ],
)
def test_an_executor_that_is_handed_more_than_it_does(workers: str, wait: str, verdict: str) -> None:
    reaction = sigterm(FEEDS.format(workers=workers, wait=wait))
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "unknown":
        assert reaction.why == (
            f"how much of what `while not stop.{wait}:` hands out is still queued, which takes 1 s each, "
            "is only known when it runs"
        )


HANDS_ON = """
import signal, threading, time
rows, running = [], True
def ship():
    global rows
    {ship}
def often():
    while True:
        time.sleep(5)
        ship()
def stop(*_):
    global running
    running = False
signal.signal(signal.SIGTERM, stop)
threading.Thread(target=often, daemon=True).start()
while running:
    rows.append(1)
    time.sleep(0.2)
{last}
"""


@pytest.mark.parametrize(
    ("ship", "last", "verdict"),
    [
        ("batch, rows = rows, []", "", "unknown"),
        ("batch, rows = rows, []", "ship()", "handled"),
        ("batch, rows = list(rows), rows", "", "handled"),
    ],
)
def test_a_thread_that_hands_on_a_list_from_time_to_time(ship: str, last: str, verdict: str) -> None:
    reaction = sigterm(HANDS_ON.format(ship=ship, last=last))
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "unknown":
        assert reaction.why == (
            "whether anything is lost is not known: it does not call `ship()` on its way out, "
            "which a thread does from time to time"
        )


@pytest.mark.parametrize("call", ["serve(80)", "serve_transformations(80)", "run_forever()"])
def test_a_call_whose_name_says_that_it_serves_may_be_the_main_loop(call: str) -> None:
    reaction = sigterm(f"import store\nstore.open('.').{call}\n")
    assert reaction.as_pid_1.value == "unknown"
    assert "runs on, and what it does with SIGTERM, is not in the project" in reaction.why


def test_a_pause_that_only_follows_a_failure_does_not_decide_alone() -> None:
    """The signal may come into the second pause as well, and nobody catches there what its handler raises."""
    reaction = sigterm(
        "import signal, time\nclass Stop(Exception): pass\ndef stop(*_): raise Stop\n"
        "signal.signal(signal.SIGTERM, stop)\nwhile True:\n    try:\n        time.sleep(1)\n"
        "    except Stop:\n        break\n    except Exception:\n        time.sleep(5)\nprint('closed')\n"
    )
    assert reaction.as_pid_1.value == "unknown"
    assert reaction.why == (
        "whether it comes to line 11 is only known when it runs: there nobody catches Stop, "
        "which leaves out `print('closed')`"
    )
