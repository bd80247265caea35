"""Work that is under way when a program ends, and that nothing waits for."""

from __future__ import annotations

import pytest

import test_go
import test_java
import test_php
import test_ruby
import test_rust
from gracelint.facts.verdict import Verdict
from test_behaviour_node_work import verdict as node
from test_behaviour_python import sigterm

GO = "\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n"
WORK = 'fmt.Println("a")\n\t\t\ttime.Sleep(2 * time.Second)\n\t\t\tfmt.Println("b")'


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        (WORK, "on SIGTERM main returns in the middle of the work of line 17: nothing waits for its goroutine"),
        (WORK.replace('\n\t\t\tfmt.Println("b")', ""), None),
        (WORK.replace("2 * time.Second)", "2 * time.Second); if done() { return }"), "17"),
    ],
)
def test_a_goroutine_in_the_middle_of_its_work(loop: str, why: str | None) -> None:
    body = f"{GO}\tgo func() {{\n\t\tfor {{\n\t\t\t{loop}\n\t\t}}\n\t}}()\n\t<-c"
    found = test_go.program(body, "fmt", "os", "time")
    assert found.verdict is (Verdict.HANDLED if why is None else Verdict.CUT)
    assert why is None or why in found.why


@pytest.mark.parametrize(
    ("stop", "verdict"),
    [
        ("c.Stop()", Verdict.CUT),
        ("ctx := c.Stop()\n\t<-ctx.Done()", Verdict.HANDLED),
        ("<-c.Stop().Done()", Verdict.HANDLED),
        ("_ = c", Verdict.CUT),
    ],
)
def test_the_jobs_of_cron(stop: str, verdict: Verdict) -> None:
    job = f"func() {{\n\t\t\t{WORK}\n\t\t}}"
    signals = GO.replace("c", "s", 1).replace("(c,", "(s,")
    body = f'\tc := cron.New()\n\tc.AddFunc("@every 1s", {job})\n\tc.Start()\n{signals}\t<-s\n\t{stop}'
    found = test_go.program(body, "fmt", "os", "time", "github.com/robfig/cron/v3")
    assert found.verdict is verdict, found.why


@pytest.mark.parametrize(
    ("main", "verdict"),
    [
        ("defer flush()\n\t<-c\n\tlog.Fatal(1)", Verdict.CUT),
        ("run()\n\t<-c\n\tos.Exit(0)", Verdict.HANDLED),
        ("defer flush()\n\t<-c", Verdict.HANDLED),
        ("defer flush()\n\tdefer os.Exit(0)\n\t<-c", Verdict.CUT),
        ("defer flush()\n\tdefer func() { os.Exit(0) }()\n\t<-c", Verdict.CUT),
        ("defer os.Exit(0)\n\tdefer flush()\n\t<-c", Verdict.HANDLED),
    ],
)
def test_what_main_defers(main: str, verdict: Verdict) -> None:
    text = (
        'package main\n\nimport (\n\t"log"\n\t"os"\n\t"os/signal"\n\t"syscall"\n)\n\n'
        'func flush() { log.Println("x") }\n\n'
        f"func run() {{ defer flush() }}\n\nfunc main() {{\n{GO}\t{main}\n}}\n"
    )
    files = {"main.go": text, "Dockerfile": test_go.build("go build -o /app .")}
    assert test_go.launch(files).verdict is verdict


def test_a_long_sleep_that_has_begun_before_the_signal() -> None:
    body = (
        f"{GO}\tvar over atomic.Bool\n\tgo func() {{ <-c; over.Store(true) }}()\n"
        "\tfor !over.Load() {\n\t\ttime.Sleep(60 * time.Second)\n\t}"
    )
    found = test_go.program(body, "os", "sync/atomic", "time")
    assert found.verdict is Verdict.IGNORED


@pytest.mark.parametrize(
    ("given", "verdict"), [("", Verdict.UNKNOWN), ("cmd.Cancel = func() error { return nil }\n\t", Verdict.HANDLED)]
)
def test_a_child_that_is_killed_when_its_context_ends(given: str, verdict: Verdict) -> None:
    body = (
        "\tctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)\n\tdefer stop()\n"
        f'\tcmd := exec.CommandContext(ctx, "convert")\n\t{given}cmd.Run()'
    )
    found = test_go.program(body, "context", "os/exec")
    assert found.verdict is verdict, found.why


@pytest.mark.parametrize(
    ("end", "verdict"), [("puts 'bye'", Verdict.CUT), ("worker.join", Verdict.IGNORED), ("exit", Verdict.CUT)]
)
def test_a_ruby_thread(end: str, verdict: Verdict) -> None:
    text = (
        "stop = false\ntrap('TERM') { stop = true }\nworker = Thread.new do\n  loop do\n    puts 'a'\n    sleep 2\n"
        "    puts 'b'\n  end\nend\nsleep 0.1 until stop\n"
    )
    found, why = test_ruby.script(text + end + "\n")
    assert found is verdict, why
    assert verdict is not Verdict.CUT or why.endswith("the work of line 6: nothing waits for its thread")


@pytest.mark.parametrize(
    ("shutdown", "verdict"),
    [
        ("shutdown", Verdict.CUT),
        ("shutdown(:wait)", Verdict.HANDLED),
        ("shutdown(wait: true)", Verdict.HANDLED),
        ("shutdown(wait: nil)", Verdict.CUT),
        ("shutdown(wait: 5)", Verdict.HANDLED),
        ("shutdown(wait: 0.5)", Verdict.CUT),
        ("shutdown(wait: Integer(ENV['WAIT']))", Verdict.UNKNOWN),
    ],
)
def test_the_jobs_of_rufus(shutdown: str, verdict: Verdict) -> None:
    text = (
        "require 'rufus-scheduler'\nscheduler = Rufus::Scheduler.new\nscheduler.every '1s' do\n  puts 'a'\n"
        "  sleep 2\n  puts 'b'\nend\n"
        f"trap('TERM') {{ Thread.new {{ scheduler.{shutdown} }} }}\nscheduler.join\n"
    )
    found, why = test_ruby.script(text)
    assert found is verdict, why


def test_a_job_of_rufus_that_raises_is_over() -> None:
    text = (
        "require 'rufus-scheduler'\nscheduler = Rufus::Scheduler.new\nscheduler.every('5s') { sleep 2; raise 'x' }\n"
        "trap('TERM') { Thread.new { scheduler.shutdown(:wait) } }\nscheduler.join\n"
    )
    found, why = test_ruby.script(text)
    assert found is Verdict.HANDLED, why


@pytest.mark.parametrize(
    ("job", "verdict"),
    [
        ("puts 'a'; 3.times { sleep 1 }; puts 'b'", Verdict.CUT),
        ("puts 'a'; 3.times { sleep 1; break if done }; puts 'b'", Verdict.HANDLED),
        ("puts 'a'; jobs.each { sleep 1 }; puts 'b'", Verdict.HANDLED),
    ],
)
def test_a_loop_that_is_counted_is_one_pause(job: str, verdict: Verdict) -> None:
    found, why = test_ruby.script(f"trap('TERM') {{ exit }}\nloop do\n  {job.replace('; ', chr(10))}\nend\n")
    assert found is verdict, why


def test_the_processes_that_php_forks() -> None:
    text = (
        "pcntl_async_signals(true);\n$pid = pcntl_fork();\nif ($pid === 0) { while (true) { sleep(1); } }\n"
        "pcntl_signal(SIGTERM, function () use ($pid) { posix_kill($pid, SIGTERM); exit(0); });\n"
        "while (true) { sleep(1); }\n"
    )
    found, why = test_php.script(text)
    assert found is Verdict.UNKNOWN
    assert why == "app.php: on SIGTERM `exit` ends it, whatever the processes that line 3 forks are doing"


def test_a_task_that_tokio_drops() -> None:
    text = test_rust.asynchronous(
        "let mut term = signal(SignalKind::terminate()).unwrap();\n"
        'tokio::spawn(async { loop { println!("a"); '
        'tokio::time::sleep(std::time::Duration::from_secs(2)).await; println!("b"); } });\n'
        "term.recv().await;",
        "use tokio::signal::unix::{signal, SignalKind};",
    )
    found, why = test_rust.program(text)
    assert found is Verdict.CUT, why


def test_a_queue_that_is_full() -> None:
    body = (
        "BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(2);\n"
        "Thread worker = new Thread(() -> { try { while (!stop) { queue.take(); Thread.sleep(500); } } catch"
        " (InterruptedException e) { } });\n"
        f"worker.start();\n"
        f"{test_java.hook('stop = true; try { worker.join(); } catch (InterruptedException e) { }')}for (;;) {{"
        f" queue.put(1); }}"
    )
    found = test_java.program(body, "static volatile boolean stop;")
    assert found.verdict is Verdict.HANDLED, found.why


# Python


@pytest.mark.parametrize(
    ("work", "verdict"),
    [
        ("print('a'); time.sleep(2); print('b')", "cut"),
        ("print('a'); time.sleep(2)", "handled"),
        ("time.sleep(2); print('b')", "handled"),
        ("print('a')\n    for _ in range(5):\n        time.sleep(1)\n    print('b')", "cut"),
        ("print('a')\n    if late():\n        time.sleep(2)\n    print('b')", "handled"),
    ],
)
def test_an_exception_in_the_middle_of_the_work(work: str, verdict: str) -> None:
    text = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"def late():\n    return True\nwhile True:\n    {work}\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == verdict, reaction.why
    if verdict == "cut":
        assert reaction.why.startswith("the handler's exception ends it in the middle of the work around `time.sleep(")


@pytest.mark.parametrize(
    ("stop", "verdict"),
    [
        ("pool.terminate(); pool.join(); sys.exit(0)", "cut"),
        ("pool.close(); pool.join(); sys.exit(0)", "handled"),
        ("sys.exit(0)", "cut"),
    ],
)
def test_the_workers_of_a_pool(stop: str, verdict: str) -> None:
    text = (
        "import multiprocessing, signal, sys, time\ndef work(n):\n    time.sleep(2)\ndef init():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        f"pool = multiprocessing.Pool(2, init)\ndef end(*_):\n    {stop}\nsignal.signal(signal.SIGTERM, end)\n"
        f"while True:\n    pool.apply_async(work, (1,))\n    time.sleep(1)\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == verdict, reaction.why


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("import os; WORKERS = os.environ.get('WORKERS')", "cut"),
        ("import os; WORKERS = os.environ.get('WORKERS', 2)", "cut"),
        ("USES = 'pool.imap(work), result.wait()'", "cut"),
        ("def last(): return result.get()", "handled"),
        ("def last(): return result.get(5)", "handled"),
        ("def last(): return result.get(timeout=limit)", "handled"),
        ("def last(): return result.wait(limit)", "handled"),
        ("def last(): return list(pool.imap_unordered(work, [1]))", "handled"),
    ],
)
def test_only_a_call_that_waits_asks_a_pool_for_its_results(line: str, verdict: str) -> None:
    text = (
        f"import multiprocessing, signal, time\n{line}\ndef work(n):\n    time.sleep(2)\ndef init():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "pool = multiprocessing.Pool(2, init)\nstop = []\nsignal.signal(signal.SIGTERM, lambda *_: stop.append(1))\n"
        "while not stop:\n    result = pool.apply_async(work, (1,))\n    time.sleep(1)\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == verdict, reaction.why


def test_either_branch_gives_a_pool_its_work() -> None:
    text = (
        "import multiprocessing, os, signal, time\ndef work(n):\n    time.sleep(2)\ndef init():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "pool = multiprocessing.Pool(2, init)\nstop = []\nsignal.signal(signal.SIGTERM, lambda *_: stop.append(1))\n"
        "while not stop:\n    if os.path.exists('/all'):\n        pool.apply_async(work, (1,))\n"
        "    else:\n        pool.apply_async(work, (2,))\n    time.sleep(1)\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == "cut", reaction.why


def test_a_task_that_a_cancelled_task_has_started() -> None:
    text = (
        "import asyncio, signal\nasync def push():\n    await asyncio.sleep(2)\nasync def listen():\n"
        "    while True:\n        asyncio.create_task(push())\n        await asyncio.sleep(0.5)\n"
        "async def main():\n    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    task = asyncio.create_task(listen())\n    await stop.wait()\n    task.cancel()\nasyncio.run(main())\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == "cut"
    assert reaction.why == "it ends while a task is at work that nobody waits for"


@pytest.mark.parametrize(
    ("thread", "verdict"),
    [
        ("threading.Thread(target=send, daemon=True).start()", "cut"),
        ("t = threading.Thread(target=send)\n    t.daemon = True\n    t.start()", "cut"),
        ("threading.Thread(target=send).start()", "handled"),
        ("t = threading.Thread(target=send, daemon=True)\n    t.start()\n    t.join()", "handled"),
        ("t = threading.Thread(target=send, daemon=True)\n    t.start()\n    t.join(5)", "handled"),
        ("t = threading.Thread(target=send, daemon=True)\n    t.start()\n    t.join(timeout=5)", "handled"),
        ("threading.Thread(target=send, daemon=True).start()\n    return os.path.join('static', 'x')", "cut"),
    ],
)
def test_a_daemon_thread_of_a_request(thread: str, verdict: str) -> None:
    text = (
        "import os, threading, time\nfrom fastapi import FastAPI\nimport uvicorn\napp = FastAPI()\ndef send():\n"
        "    time.sleep(2)\n"
        f"@app.post('/')\ndef begin():\n    {thread}\nuvicorn.run(app)\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == verdict, reaction.why
    assert verdict == "handled" or reaction.why == "the daemon thread that `begin()` starts is lost when uvicorn ends"


# Node

BEGIN = "const fs = require('fs');\nsetInterval(() => {}, 1000);\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("flush(); process.exit(0);", "cut"),
        ("flush().then(() => process.exit(0));", "handled"),
        ("await flush(); process.exit(0);", "handled"),
    ],
)
def test_a_promise_of_the_projects_own_function(handler: str, expected: str) -> None:
    own = "async function flush() { await fs.promises.writeFile('/tmp/x', ''); console.log('flushed'); }\n"
    assert node(f"{BEGIN}{own}process.on('SIGTERM', async () => {{ {handler} }});") == expected


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for (const s of sockets) s.destroy();", "cut"),
        ("sockets.forEach((s) => s.destroy());", "cut"),
        ("for (const s of sockets) { if (s.idle) s.destroy(); }", "unknown"),
        ("for (const s of others) s.destroy();", "unknown"),
    ],
)
def test_connections_that_are_destroyed(loop: str, expected: str) -> None:
    text = (
        "const sockets = new Set();\nconst others = require('others');\n"
        "const server = require('http').createServer((q, s) => setTimeout(() => s.end(), 2000)).listen(80);\n"
        f"server.on('connection', (s) => sockets.add(s));\nprocess.on('SIGTERM', () => {{ server.close(); {loop} }});"
    )
    assert node(text) == expected


def test_a_counted_loop_that_awaits_ends() -> None:
    text = (
        "let stop = false;\nprocess.on('SIGTERM', () => (stop = true));\n"
        "async function page() { for (let i = 0; i < 3; i++) { await new Promise((r) => setTimeout(r, 500)); } }\n"
        "(async () => { while (!stop) await page(); console.log('closed'); })();"
    )
    assert node(text) == "handled"


# Beside requests, pools and children


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        ("go send()", "main.go: the goroutine that a request starts in line 16 is lost when main returns"),
        ("go func() { time.Sleep(2 * time.Second) }()", "line 16 is lost"),
        ("send()", None),
        ("go quick()", None),
    ],
)
def test_a_goroutine_of_a_request(begin: str, why: str | None) -> None:
    text = (
        'package main\n\nimport (\n\t"context"\n\t"net/http"\n\t"os/signal"\n\t"syscall"\n\t"time"\n)\n\n'
        "func send() { time.Sleep(2 * time.Second) }\n\nfunc quick() {}\n\nfunc main() {\n"
        f'\thttp.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {{ {begin} }})\n'
        '\tsrv := &http.Server{Addr: ":8080"}\n\tgo srv.ListenAndServe()\n'
        "\tctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)\n\tdefer stop()\n\t<-ctx.Done()\n"
        "\tsrv.Shutdown(context.Background())\n}\n"
    )
    found = test_go.launch({"main.go": text, "Dockerfile": test_go.build("go build -o /app .")})
    assert found.verdict is (Verdict.HANDLED if why is None else Verdict.CUT), found.why
    assert why is None or why in found.why


@pytest.mark.parametrize(("last", "verdict"), [("w.Flush()", Verdict.CUT), ('fmt.Println("over")', Verdict.UNKNOWN)])
def test_a_goroutine_that_main_does_not_let_flush(last: str, verdict: Verdict) -> None:
    body = (
        f"\tw := bufio.NewWriter(os.Stdout)\n{GO}\tlines := make(chan string)\n"
        f"\tgo func() {{\n\t\tfor line := range lines {{\n\t\t\tfmt.Fprintln(w, line)\n\t\t}}\n\t\t{last}\n\t}}()\n"
        "\t<-c\n\tclose(lines)"
    )
    found = test_go.program(body, "bufio", "fmt", "os")
    assert found.verdict is verdict, found.why


def test_fiber_ends_without_an_error() -> None:
    body = (
        f"\tapp := fiber.New()\n{GO}\tdone := make(chan struct{{}})\n"
        "\tgo func() { <-c; app.ShutdownWithTimeout(8 * time.Second); close(done) }()\n"
        '\tif err := app.Listen(":3000"); err != nil { panic(err) }\n\t<-done'
    )
    found = test_go.program(body, "os", "time", "github.com/gofiber/fiber/v2")
    assert found.verdict is Verdict.HANDLED, found.why


@pytest.mark.parametrize(("wait", "verdict"), [("", Verdict.CUT), ("pool.wait_for_termination(8)\n", Verdict.HANDLED)])
def test_the_jobs_of_a_ruby_pool(wait: str, verdict: Verdict) -> None:
    text = (
        "require 'concurrent'\npool = Concurrent::FixedThreadPool.new(2)\nstop = Queue.new\n"
        "trap('TERM') { stop << 1 }\n"
        "Thread.new do\n  (1..).each do |n|\n    pool.post do\n      puts 'a'\n      sleep 2\n      puts 'b'\n    end\n"
        f"    sleep 0.5\n  end\nend\nstop.pop\npool.shutdown\n{wait}"
    )
    found, why = test_ruby.script(text)
    assert found is verdict, why


@pytest.mark.parametrize(
    ("job", "limit", "verdict", "why"),
    [
        ("sleep 60", "5", Verdict.CUT, "`pool.wait_for_termination(5)` gives its jobs 5 s, and main comes to its end"),
        ("3.times { sleep 20 }", "5", Verdict.CUT, "gives its jobs 5 s, and main comes to its end"),
        ("loop { sleep 60 }", "5", Verdict.HANDLED, "once that is done"),
        ("sleep 4", "5", Verdict.HANDLED, "once that is done"),
        ("sleep 4", "Integer(ENV['WAIT'])", Verdict.UNKNOWN, "how long line 12 waits is only known when it runs"),
        ("raise 'x'", "", Verdict.HANDLED, "once that is done"),
    ],
)
def test_how_long_a_ruby_pool_is_waited_for(job: str, limit: str, verdict: Verdict, why: str) -> None:
    text = (
        "require 'concurrent'\npool = Concurrent::FixedThreadPool.new(2)\nstop = Queue.new\n"
        f"trap('TERM') {{ stop << 1 }}\nThread.new do\n  loop do\n    pool.post {{ {job} }}\n"
        "    sleep 0.5\n  end\nend\n"
        f"stop.pop && pool.shutdown\npool.wait_for_termination({limit})\n"
    )
    found = test_ruby.script(text)
    assert found[0] is verdict and why in found[1], found


def test_a_bounded_channel_of_rust_has_room_for_so_many() -> None:
    text = (
        "use std::sync::atomic::{AtomicBool, Ordering};\nuse std::sync::{mpsc::sync_channel, Arc};\n"
        "use std::{thread, time::Duration};\n\nfn main() {\n    let (tx, rx) = sync_channel::<u32>(2);\n"
        "    let worker = thread::spawn(move || { for id in rx { thread::sleep(Duration::from_secs(1)); } });\n"
        "    let stop = Arc::new(AtomicBool::new(false));\n"
        "    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop)).unwrap();\n"
        "    while !stop.load(Ordering::Relaxed) { tx.send(1).unwrap(); }\n"
        "    drop(tx);\n    worker.join().unwrap();\n}\n"
    )
    found, why = test_rust.program(text, 'signal-hook = "0.3"\n')
    assert found is Verdict.HANDLED, why


def test_a_hard_exit_in_the_middle_of_the_work() -> None:
    text = (
        "import os, signal, sqlite3, time\ndb = sqlite3.connect('x')\ndef die(*_):\n    db.close()\n    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, die)\nwhile True:\n    print('a')\n    time.sleep(2)\n    db.commit()\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == "cut"
    assert reaction.why == (
        "the handler leaves at once with os._exit(), in the middle of the work around `time.sleep(2)`"
    )


def test_a_scope_that_is_cancelled() -> None:
    text = (
        "import signal, trio\nasync def handle():\n    await trio.sleep(2)\n"
        "async def source(nursery):\n    while True:\n"
        "        nursery.start_soon(handle)\n        await trio.sleep(1)\nasync def main():\n"
        "    async with trio.open_nursery() as nursery:\n        nursery.start_soon(source, nursery)\n"
        "        with trio.open_signal_receiver(signal.SIGTERM) as signals:\n            async for _ in signals:\n"
        "                nursery.cancel_scope.cancel()\n                break\ntrio.run(main)\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == "cut"
    assert reaction.why == "it cancels tasks that are started for each piece of work: what they have begun is lost"


@pytest.mark.parametrize(("milliseconds", "expected"), [(500, "cut"), (5000, "handled")])
def test_an_exit_after_a_while_is_too_early_for_a_job(milliseconds: int, expected: str) -> None:
    text = (
        "const Queue = require('bull');\nconst mail = new Queue('mail');\n"
        "mail.process(async () => { await new Promise((r) => setTimeout(r, 2500)); });\n"
        f"process.on('SIGTERM', () => {{ setTimeout(() => process.exit(0), {milliseconds}); }});"
    )
    assert node(text) == expected


@pytest.mark.parametrize(
    ("begin", "handler", "expected"),
    [
        ("scan(1);", "server.close(() => process.exit(0));", "cut"),
        ("scan(1).catch(console.error);", "server.close(() => process.exit(0));", "cut"),
        ("void scan(1);", "server.close(() => process.exit(0));", "cut"),
        ("scan(1);", "server.close();", "handled"),
        ("quick(1);", "server.close(() => process.exit(0));", "handled"),
        ("await scan(1);", "server.close(() => process.exit(0));", "cut"),
    ],
)
def test_a_job_that_a_request_of_node_starts(begin: str, handler: str, expected: str) -> None:
    text = (
        "const app = require('express')();\n"
        "async function scan(id) { await new Promise((r) => setTimeout(r, 2500)); }\n"
        f"const quick = async (id) => {{}};\napp.post('/scan', async (req, res) => {{ res.end(); {begin} }});\n"
        f"const server = app.listen(80);\nprocess.on('SIGTERM', () => {{ {handler} }});"
    )
    assert node(text) == expected


@pytest.mark.parametrize(
    ("later", "verdict"),
    [('defer mu.Unlock(); defer fmt.Println("b")', Verdict.CUT), ("defer mu.Unlock()", Verdict.HANDLED)],
)
def test_what_a_goroutine_defers(later: str, verdict: Verdict) -> None:
    body = (
        f"\tvar mu sync.Mutex\n{GO}\tgo func() {{\n\t\tfor {{\n\t\t\tfunc() {{\n\t\t\t\tmu.Lock()\n\t\t\t\t{later}\n"
        "\t\t\t\ttime.Sleep(2 * time.Second)\n\t\t\t}()\n\t\t}\n\t}()\n\t<-c"
    )
    found = test_go.program(body, "fmt", "os", "sync", "time")
    assert found.verdict is verdict, found.why


def test_a_channel_that_counts_what_is_at_work() -> None:
    body = (
        "\tctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)\n\tdefer stop()\n"
        f"\tplaces := make(chan struct{{}}, 2)\n\tfor ctx.Err() == nil {{\n\t\tplaces <- struct{{}}{{}}\n"
        f"\t\tgo func() {{\n\t\t\t{WORK}\n"
        "\t\t\t<-places\n\t\t}()\n\t}\n\tfor i := 0; i < cap(places); i++ {\n\t\tplaces <- struct{}{}\n\t}"
    )
    found = test_go.program(body, "context", "fmt", "time")
    assert found.verdict is Verdict.HANDLED, found.why


@pytest.mark.parametrize(
    ("start", "what"),
    [
        ("threading.Thread(target=work, daemon=True).start()", "a daemon thread does"),
        ("threading.Thread(target=work).start()", None),
    ],
)
def test_a_thread_in_the_middle_of_its_work(start: str, what: str | None) -> None:
    text = (
        "import signal, threading, time\nstop = threading.Event()\ndef work():\n    while not stop.is_set():\n"
        "        print('a')\n        time.sleep(2)\n        print('b')\n"
        f"signal.signal(signal.SIGTERM, lambda *_: stop.set())\n{start}\nstop.wait()\n"
    )
    reaction = sigterm(text)
    assert reaction.as_pid_1.value == ("handled" if what is None else "cut"), reaction.why
    assert what is None or what in reaction.why
