"""What a Python program hands to others, and whether that is done when it ends: scripts, forks, queues, tasks."""

from __future__ import annotations

import pytest

from gracelint.behaviour.python import read_python
from gracelint.facts.program import Reaction
from test_behaviour_python import Folder, read, sigterm

FLAG = """
import os, signal, subprocess, sys, time
stopping = False
def stop(*_):
    global stopping
    stopping = True
signal.signal(signal.SIGTERM, stop)
"""


def with_script(main: str, script: str) -> Reaction:
    folder = Folder({"main.py": main, "job.sh": script})
    return read_python(folder.sources["main.py"], files=folder).reactions["SIGTERM"]


@pytest.mark.parametrize(
    ("command", "script", "verdict", "delay"),
    [
        ("['sh', 'job.sh']", "sleep 2\necho stored", "handled", 2),
        ("['bash', '-e', '/srv/job.sh', 'now']", "sleep 2", "handled", 2),
        ("['./job.sh']", "#!/usr/bin/env bash\nsleep 2", "handled", 2),
        ("['sh', 'job.sh']", "for name in a b c; do\n  sleep 2\ndone", "handled", 6),
        ("['sh', 'job.sh']", "step() {\n  sleep 1\n}\nstep && step | cat; exit 0\nsleep 9", "handled", 2),
        ("['sh', 'job.sh']", "if test -f a; then sleep 2; else sleep 2; fi", "handled", 2),
        ("['sh', 'job.sh']", "while read -r name; do\n  echo $name\ndone < names", "handled", None),
        ("'sleep 2; echo stored', shell=True", "", "handled", 2),
        ("['sh', 'job.sh']", "while true; do\n  sleep 1\ndone", "ignored", None),
        ("['sh', 'job.sh']", "tail -f log", "ignored", None),
        ("['sh', 'job.sh']", "if test -f a; then sleep 2; else sleep 40; fi", "unknown", None),
        ("['sh', 'job.sh']", "sleep $PAUSE", "unknown", None),
        ("['sh', 'job.sh']", "until nc -z db 5432; do sleep 1; done", "unknown", None),
        ("['sh', 'job.sh']", "./worker &", "unknown", None),
        ("['./job.sh']", "#!/usr/bin/perl\nsleep 2", "unknown", None),
        ("['sh', 'other.sh']", "sleep 2", "unknown", None),
    ],
)
def test_a_shell_script_that_is_run_in_each_round(command: str, script: str, verdict: str, delay: float | None) -> None:
    found = with_script(f"{FLAG}while not stopping:\n    subprocess.run({command})\n", script)
    assert (found.as_pid_1.value, found.delay) == (verdict, delay), found.why


def test_scripts_that_run_one_another_end_in_an_answer() -> None:
    found = with_script(f"{FLAG}while not stopping:\n    subprocess.run(['sh', 'job.sh'])\n", "sh job.sh\nsleep 1")
    assert found.as_pid_1.value == "unknown", found.why


@pytest.mark.parametrize(("script", "verdict"), [("sleep 5\necho stored", "cut"), ("echo stored", "handled")])
def test_an_exit_amid_a_script_loses_its_work(script: str, verdict: str) -> None:
    found = with_script(
        "import signal, subprocess, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        "while True:\n    subprocess.run(['sh', 'job.sh'])\n",
        script,
    )
    assert found.as_pid_1.value == verdict, found.why
    if verdict == "cut":
        assert found.why == "what the handler raises ends it amid the child that it waits for, which is killed with it"


def test_a_program_of_the_project_takes_its_time() -> None:
    job = "import time\ndef main():\n    time.sleep(20)\nif __name__ == '__main__':\n    main()\n"
    found = sigterm(f"{FLAG}while not stopping:\n    subprocess.run([sys.executable, 'job.py'])\n", job=job)
    assert (found.as_pid_1.value, found.delay) == ("handled", 20), found.why


FORKS = """
import os, signal, sys, time

def work():
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    while not stop:
        time.sleep(0.5)
    store()

def store():
    time.sleep(1)

pid = os.fork()
if pid == 0:
    {}
    os._exit(0)

def handler(*_):
    {}
    sys.exit()

signal.signal(signal.SIGTERM, handler)
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize(
    ("child", "handler", "verdict", "why"),
    [
        ("work()", "os.kill(pid, signal.SIGTERM); os.waitpid(pid, 0)", "handled", None),
        (
            "work()",
            "os.kill(pid, signal.SIGTERM)",
            "cut",
            "it does not wait for `store()`, which its process still does when it is told to end",
        ),
        ("time.sleep(3)", "pass", "cut", "it ends while a process is at work that nobody waits for"),
        ("time.sleep(3)", "os.waitpid(pid, 0)", "handled", None),
        (
            "while True: store(); time.sleep(2); store()",
            "os.kill(pid, signal.SIGTERM); os.waitpid(pid, 0)",
            "cut",
            "it ends a process of its own while `time.sleep(2)` stands in the middle of what that does",
        ),
    ],
)
def test_what_a_forked_child_is_at(child: str, handler: str, verdict: str, why: str | None) -> None:
    found = sigterm(FORKS.format(child, handler))
    assert found.as_pid_1.value == verdict, found.why
    assert why is None or found.why == why


QUEUE = """
import asyncio, signal

async def worker(queue):
    while True:
        item = await queue.get()
        try:
            await asyncio.sleep(1)
        finally:
            queue.task_done()

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    queue = asyncio.Queue({size})
    tasks = [asyncio.create_task(worker(queue)) for _ in range({workers})]
    {put}
    await stop.wait()
    {join}

asyncio.run(main())
"""
MANY = "for n in range(20): queue.put_nowait(n)"
FAST = """while not stop.is_set():
        await queue.put(1)
        await asyncio.sleep(0.1)"""
IN_TIME = """try:
        async with asyncio.timeout(3):
            await queue.join()
    except TimeoutError:
        pass"""


@pytest.mark.parametrize(
    ("put", "join", "workers", "size", "verdict", "says"),
    [
        (MANY, "await queue.join()", 2, "", "handled", 10),
        (MANY, "await queue.join()", 10, "", "handled", 2),
        (MANY, "await asyncio.wait_for(queue.join(), 3)", 10, "", "handled", 2),
        (MANY, IN_TIME, 2, "", "cut", "`asyncio.timeout(3)` gives up after 3 s, and what it waits for takes 10 s"),
        (FAST, IN_TIME, 2, "", "cut", "`asyncio.timeout(3)` gives up after 3 s, and what it waits for grows faster"),
        (FAST, IN_TIME, 10, "", "handled", 1.1),
        (FAST, IN_TIME, 2, "maxsize=2", "handled", 2.1),
        (FAST, "await queue.join()", 2, "", "unknown", "how much `queue.join()` waits for is only known when it runs"),
    ],
)
def test_the_backlog_of_a_queue(put: str, join: str, workers: int, size: str, verdict: str, says: str | float) -> None:
    found = sigterm(QUEUE.format(put=put, join=join, workers=workers, size=size))
    assert found.as_pid_1.value == verdict, found.why
    assert found.why.startswith(says) if isinstance(says, str) else found.delay == says, (found.why, found.delay)


TOLD = """
import asyncio, signal

async def flush(rows):
    await asyncio.sleep(0)

async def collect(stop):
    rows = []
    {}

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    task = asyncio.create_task(collect(stop))
    await stop.wait()
    {}

asyncio.run(main())
"""
ROUNDS = "while not stop.is_set():\n        await asyncio.sleep(0.5)\n    await flush(rows)"
GUARDED = "try:\n        while not stop.is_set():\n            await asyncio.sleep(0.5)\n    {}:\n        {}"
NEVER = "a task is cancelled in `asyncio.sleep(0.5)`, and never comes to `flush(rows)` behind its loop"


@pytest.mark.parametrize(
    ("collect", "leaves", "why"),
    [
        (ROUNDS, "task.cancel()", NEVER),
        (ROUNDS, "pass", NEVER),
        (ROUNDS, "await task", None),
        (ROUNDS, "await asyncio.sleep(1); task.cancel()", None),
        (GUARDED.format("finally", "await flush(rows)"), "task.cancel()", None),
        (GUARDED.format("except asyncio.CancelledError", "pass") + "\n    await flush(rows)", "task.cancel()", None),
        ("while True:\n        await asyncio.sleep(0.5)", "task.cancel()", None),
    ],
)
def test_a_task_that_is_told_to_end_and_then_cancelled(collect: str, leaves: str, why: str | None) -> None:
    found = sigterm(TOLD.format(collect, leaves))
    assert found.as_pid_1.value == ("handled" if why is None else "cut"), found.why
    assert why is None or found.why == why


FIRST = """
import asyncio, signal

async def job():
    await asyncio.sleep(2)
    print("stored")

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    stopped = asyncio.create_task(stop.wait())
    jobs = set()
    while not stop.is_set():
        while len(jobs) < 4:
            jobs.add(asyncio.create_task(job()))
        done, rest = await asyncio.wait(jobs | {{stopped}}, return_when=asyncio.FIRST_COMPLETED)
        jobs = rest - {{stopped}}
    {}

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("leaves", "verdict"),
    [("pass", "cut"), ("await asyncio.wait(jobs)", "handled"), ("[j.cancel() for j in jobs]", "cut")],
)
def test_what_is_left_when_the_first_of_several_tasks_is_done(leaves: str, verdict: str) -> None:
    found = sigterm(FIRST.format(leaves))
    assert found.as_pid_1.value == verdict, found.why


def test_what_is_handed_on_in_another_module_is_named_there() -> None:
    found = sigterm(
        "import asyncio, signal\nfrom db import save\n\n\nasync def consume():\n    n = 0\n    while True:\n"
        "        n += 1\n        await save(n)\n        print(n)\n\n\n"
        "loop = asyncio.new_event_loop()\nloop.create_task(consume())\n"
        "loop.add_signal_handler(signal.SIGTERM, loop.stop)\nloop.run_forever()\n",
        db="import asyncio\nasync def save(row):\n    await asyncio.sleep(1.5)\n    return row\n",
    )
    assert found.as_pid_1.value == "cut", found.why
    assert found.span is not None
    assert (found.span.source.path, found.span.line) == ("db.py", 3)


GREENLETS = """
import signal, gevent
from gevent.event import Event
from gevent.pool import Pool

stop = Event()
pool = Pool(4)

def work(n):
    gevent.sleep(2)

gevent.signal_handler(signal.SIGTERM, stop.set)
while not stop.wait(0.5):
    {}
{}
"""


@pytest.mark.parametrize(
    ("starts", "leaves", "why"),
    [
        ("pool.spawn(work, 1)", "pool.join()", None),
        ("pool.spawn(work, 1)", "pool.join(timeout=5)", None),
        ("pool.spawn(work, 1)", "print('bye')", "it ends while a greenlet is at work that nobody waits for"),
        ("gevent.spawn(work, 1).join()", "print('bye')", None),
        ("gevent.spawn(work, 1)", "print('bye')", "it ends while a greenlet is at work that nobody waits for"),
    ],
)
def test_greenlets_at_work(starts: str, leaves: str, why: str | None) -> None:
    found = sigterm(GREENLETS.format(starts, leaves))
    assert found.as_pid_1.value == ("handled" if why is None else "cut"), found.why
    assert why is None or found.why == why


POOL = """
import asyncio, signal

idle = asyncio.Queue()
for n in range(4):
    idle.put_nowait(n)

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    {}
    await stop.wait()
    for _ in range(4):
        await idle.get()

asyncio.run(main())
"""


@pytest.mark.parametrize(("before", "verdict"), [("pass", "handled"), ("await idle.get()", "unknown")])
def test_a_queue_that_is_emptied_on_the_way_out(before: str, verdict: str) -> None:
    found = sigterm(POOL.format(before))
    assert found.as_pid_1.value == verdict, found.why


@pytest.mark.parametrize(("pause", "delay"), [(3, 3), (0, None)])
def test_a_call_that_lets_no_handler_run_before_it_ends(pause: int, delay: float | None) -> None:
    found = sigterm(
        "import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        f"while True:\n    os.system('sleep {pause}')\n"
    )
    assert (found.as_pid_1.value, found.delay) == ("handled", delay), found.why


@pytest.mark.parametrize(
    ("urls", "view"),
    [
        ("from shop.views import report\nurlpatterns = [path('report/', report)]\n", "def report(request):\n    {}"),
        (
            "from . import views\nurlpatterns = [path('r/', views.Report.as_view())]\n",
            "class Report:\n  def get(self, r):\n    {}",
        ),
        ("urlpatterns = [path('', include('shop.urls2'))]\n", "def report(request):\n    {}"),
    ],
)
def test_the_views_of_django_are_read_by_their_routes(urls: str, view: str) -> None:
    from gracelint.behaviour.python.work import REQUESTS, slowest

    sources = read(
        "import os\nfrom django.core.wsgi import get_wsgi_application\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\napplication = get_wsgi_application()\n",
        shop__0="",
        shop__settings="ROOT_URLCONF = 'shop.urls'\n",
        shop__urls=urls,
        shop__urls2="from .views import report\nurlpatterns = [path('report/', report)]\n",
        shop__views=f"import time\n{view.format('time.sleep(4)')}\n",
    ).sources
    found = slowest(sources, REQUESTS)
    assert found is not None
    assert (found.source.path, found.seconds) == ("shop/views.py", 4)


@pytest.mark.parametrize(("count", "delay"), [(60, 30), (2, 1.5)])
def test_an_executor_of_each_round_is_waited_for(count: int, delay: float) -> None:
    found = sigterm(
        f"{FLAG}from concurrent.futures import ThreadPoolExecutor\ndef job(n):\n    time.sleep(1)\n"
        "while not stopping:\n    with ThreadPoolExecutor(max_workers=2) as pool:\n"
        f"        results = list(pool.map(job, range({count})))\n    time.sleep(0.5)\n"
    )
    assert (found.as_pid_1.value, found.delay) == ("handled", delay), found.why
