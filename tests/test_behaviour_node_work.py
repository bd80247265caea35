"""Node programs at work when the signal comes: modules that requests load, clients that stay, jobs under way."""

# ruff: noqa: E501 (a line of these tables is a program)

from __future__ import annotations

import pytest

from gracelint.testing import read
from test_behaviour_node import program

SLEEP = "const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\n"
WORK = f"{SLEEP}async function work() {{ await sleep(2000); console.log('done'); }}\n"
JOB = "exports.work = async () => { await new Promise((r) => setTimeout(r, 2000)); };"


def verdict(text: str, **files: str) -> str:
    return program(text, **files).reactions["SIGTERM"].as_pid_1.value


# Modules that are loaded by work


@pytest.mark.parametrize(
    ("route", "module", "expected"),
    [
        ("app.get('/', (q, s) => require('./late').find());", "setInterval(() => {}, 1000);", "ignored"),
        ("app.get('/', async (q, s) => (await import('./late')).find());", "setInterval(() => {}, 1000);", "ignored"),
        ("app.get('/', (q, s) => require('./late').find());", "exports.find = () => 1;", "handled"),
        ("app.get('/', (q, s) => require('./late').find());", "const timer = setInterval(() => {}, 1000); timer.unref();", "handled"),
        ("app.get('/', (q, s) => require('./late').find());", "require('./deeper');", "ignored"),
        ("exports.report = () => require('./late').find();", "setInterval(() => {}, 1000);", "unknown"),
        ("app.get('/', (q, s) => require('./none').find());", "setInterval(() => {}, 1000);", "handled"),
    ],
)  # fmt: skip
def test_a_module_that_work_loads_may_keep_node_running(route: str, module: str, expected: str) -> None:
    text = f"const app = require('express')();\n{route}\nconst server = app.listen(80);\nprocess.on('SIGTERM', () => server.close());"
    assert verdict(text, late_js=module, deeper_js="setInterval(() => {}, 1000);") == expected


def test_a_handler_that_work_installs_is_none() -> None:
    text = "const app = require('express')();\napp.get('/', () => require('./late'));\napp.listen(80);"
    assert verdict(text, late_js="process.on('SIGTERM', () => process.exit(0));") == "unknown"


def test_what_ends_a_module_that_work_loads_does_not_end_the_program() -> None:
    text = "const app = require('express')();\napp.post('/stop', () => require('./late'));\napp.listen(80);"
    assert verdict(text, late_js="process.exit(0);") == "ignored"


# WebSocket clients

SOCKETS = "const http = require('http'); const { WebSocketServer } = require('ws');\nconst server = http.createServer();\nconst wss = new WebSocketServer({ server });\nserver.listen(80);\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("server.close(() => { wss.close(); process.exit(0); })", "ignored"),
        ("{ wss.close(); server.close(() => process.exit(0)); }", "ignored"),
        ("{ wss.clients.forEach((client) => client.terminate()); server.close(() => process.exit(0)); }", "handled"),
        ("{ require('hub').closeConnections(); server.close(() => process.exit(0)); }", "handled"),
        ("{ require('hub').closeJournal(); server.close(() => process.exit(0)); }", "ignored"),
        ("{ for (const client of wss.clients) client.close(1001); wss.close(); server.close(() => process.exit(0)); }", "handled"),
        ("{ server.close(() => process.exit(0)); setTimeout(() => process.exit(1), 5000).unref(); }", "handled"),
    ],
)  # fmt: skip
def test_clients_of_web_sockets_hold_the_server(handler: str, expected: str) -> None:
    assert verdict(f"{SOCKETS}process.on('SIGTERM', () => {handler});") == expected


# Jobs under way


@pytest.mark.parametrize(
    ("work", "handler", "expected"),
    [
        ("(async () => { while (true) { await work(); } })();", "process.exit(0)", "cut"),
        ("let on = true; (async () => { while (on) { await work(); } })();", "{ on = false; process.exit(0); }", "cut"),
        ("let on = true; (async () => { while (on) { await work(); } process.exit(0); })();", "{ on = false; }", "handled"),
        ("(async () => { while (true) { console.log('tick'); await sleep(1000); } })();", "process.exit(0)", "handled"),
        ("const t = setInterval(work, 5000);", "{ clearInterval(t); process.exit(0); }", "cut"),
        ("const t = setInterval(async () => { await work(); }, 5000);", "{ clearInterval(t); process.exit(0); }", "cut"),
        ("const t = setInterval(work, 5000);", "{ clearInterval(t); }", "handled"),
        ("const t = setInterval(() => console.log('tick'), 5000);", "{ clearInterval(t); process.exit(0); }", "handled"),
        ("let now; const t = setInterval(() => { now = work(); }, 5000);", "async () => { clearInterval(t); if (now) await now; process.exit(0); }", "handled"),
        ("let busy = false; const t = setInterval(async () => { busy = true; await work(); busy = false; }, 5000);", "async () => { clearInterval(t); while (busy) await sleep(50); process.exit(0); }", "handled"),
        ("const all = new Set(); const t = setInterval(() => { all.add(work()); }, 5000);", "async () => { clearInterval(t); await Promise.allSettled([...all]); process.exit(0); }", "handled"),
        ("let busy = false; const t = setInterval(async () => { busy = true; await work(); busy = false; }, 5000);", "{ clearInterval(t); if (!busy) process.exit(0); }", "handled"),
        ("const t = setInterval(async () => { await fetch('http://queue'); }, 5000);", "{ clearInterval(t); process.exit(0); }", "handled"),
        ("const t = setInterval(async () => { const m = await fetch('http://queue'); await m.done(); }, 5000);", "{ clearInterval(t); process.exit(0); }", "unknown"),
        ("const t = setInterval(work, 5000);", "async () => { clearInterval(t); await require('db').end(); process.exit(0); }", "unknown"),
        ("const t = setInterval(work, 5000);", "async () => { clearInterval(t); while (more()) await sleep(10); process.exit(0); }", "unknown"),
        ("require('hooks').tap(async () => { await work(); });", "{ process.exit(0); }", "unknown"),
        ("const hooks = require('hooks'); hooks.tap(async () => { await work(); });", "async () => { await hooks.close(); process.exit(0); }", "handled"),
        ("require('hooks').tap({ async run() { await work(); } });", "{ process.exit(0); }", "unknown"),
        ("require('hooks').tap(() => console.log('tick'));", "{ process.exit(0); }", "handled"),
    ],
)  # fmt: skip
def test_an_exit_in_the_middle_of_a_job(work: str, handler: str, expected: str) -> None:
    function = handler if handler.startswith("async") else f"() => {handler}"
    assert verdict(f"{WORK}{work}\nprocess.on('SIGTERM', {function});") == expected


@pytest.mark.parametrize(
    ("consumer", "closing"),
    [
        ("const t = require('node-cron').schedule('* * * * *', async () => { await work(); });", "t.stop()"),
        ("const t = new (require('cron').CronJob)('* * * * *', async () => { await work(); }); t.start();", "t.stop()"),
        ("const c = require('redis').createClient(); c.connect(); c.subscribe('x', async (m) => { await work(m); });", "await c.quit()"),
        ("let c; require('amqplib').connect().then(async (conn) => { c = conn; const ch = await conn.createChannel(); ch.consume('q', (m) => work(m)); });", "await c.close()"),
    ],
)  # fmt: skip
def test_closing_a_consumer_does_not_wait_for_its_job(consumer: str, closing: str) -> None:
    text = f"const {{ work }} = require('./job');\n{consumer}\nprocess.on('SIGTERM', async () => {{ {closing}; process.exit(0); }});"
    assert verdict(text, job_js=JOB) == "cut"
    assert verdict(text, job_js="exports.work = async () => console.log('seen');") == "handled"


def test_a_message_loop_that_blocks_for_a_while_looks_at_its_flag() -> None:
    text = (
        "const Redis = require('ioredis');\nconst redis = new Redis();\nlet on = true;\nprocess.on('SIGTERM', () => { on = false; });\n"
        "(async () => { while (on) { const seen = await redis.xreadgroup('GROUP', 'g', 'c', 'BLOCK', %s, 'STREAMS', 's', '>'); console.log(seen); } await redis.quit(); })();"
    )
    assert verdict(text % 2000) == "handled"
    assert verdict(text % 0) == "ignored"


# What libraries make of a server or of a class

ROUTE = "const app = require('express')();\napp.get('/', (q, s) => setTimeout(() => s.send('ok'), 2500));\nconst server = app.listen(80);\n"


@pytest.mark.parametrize(
    ("library", "stop", "expected"),
    [
        ("require('server-destroy')(server);", "server.destroy(() => process.exit(0))", "cut"),
        ("require('killable')(server);", "server.kill(() => process.exit(0))", "cut"),
        ("require('http-shutdown')(server);", "server.shutdown(() => process.exit(0))", "handled"),
        ("require('http-shutdown')(server);", "server.forceShutdown(() => process.exit(0))", "cut"),
    ],
)
def test_a_server_that_can_be_destroyed(library: str, stop: str, expected: str) -> None:
    assert verdict(f"{ROUTE}{library}\nprocess.on('SIGTERM', () => {stop});") == expected


@pytest.mark.parametrize(
    ("close", "expected"),
    [
        ("server.close(() => process.exit(0))", "ignored"),
        ("io.close(() => process.exit(0))", "handled"),
        ("{ io.emit('going-away'); server.close(() => process.exit(0)); }", "handled"),
    ],
)
def test_clients_of_socket_io_leave_when_it_is_closed_or_they_are_told(close: str, expected: str) -> None:
    text = "const server = require('http').createServer();\nconst { Server } = require('socket.io');\nconst io = new Server(server);\nserver.listen(80);\n"
    assert verdict(f"{text}process.on('SIGTERM', () => {close});") == expected


def test_clients_of_express_ws_stay() -> None:
    text = "const { app } = require('express-ws')(require('express')());\nconst server = app.listen(80);\n"
    assert verdict(f"{text}process.on('SIGTERM', () => server.close());") == "ignored"


INJECTED = """\
class Http { start() { this.server = require('http').createServer().listen(80); } stop() { return new Promise((done) => this.server.close(done)); } }
class App { constructor(private readonly http: Http) {} start() { this.http.start(); } async stop() { await this.http.stop(); process.exit(0); } }
"""


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        ("import { container } from 'tsyringe';\nconst app = container.resolve(App);", "handled"),
        ("import { Container } from 'typedi';\nconst app = Container.get(App);", "handled"),
        ("import { createContainer } from 'awilix';\nconst app = createContainer().resolve('app');", "unknown"),
    ],
)
def test_an_object_that_dependency_injection_makes(make: str, expected: str) -> None:
    text = f"{INJECTED}{make}\napp.start();\nprocess.on('SIGTERM', () => app.stop());"
    assert program(text, path="app.ts").reactions["SIGTERM"].as_pid_1 == expected


def test_objects_that_ask_for_each_other() -> None:
    text = "import { container } from 'tsyringe';\nclass A { constructor(b: B) {} }\nclass B { constructor(a: A) {} }\ncontainer.resolve(A);"
    assert program(text, path="app.ts").reactions["SIGTERM"].as_pid_1 == "ignored"


# Loops over generators, and timers that are set anew

POLL = "async function* poll(signal) { while (!signal.aborted) { yield 1; await sleep(500); } }\nconst ac = new AbortController();\n"


@pytest.mark.parametrize(
    ("items", "stop", "expected"),
    [
        ("poll(ac.signal)", "ac.abort()", "handled"),
        ("poll(ac.signal)", "console.log('stopping')", "ignored"),
        ("poll({ aborted: false })", "ac.abort()", "ignored"),
    ],
)
def test_a_loop_over_a_generator_ends_with_it(items: str, stop: str, expected: str) -> None:
    text = f"{SLEEP}{POLL}(async () => {{ for await (const item of {items}) console.log(item); console.log('bye'); }})();\n"
    assert verdict(f"{text}process.on('SIGTERM', () => {{ {stop}; }});") == expected


def test_a_loop_over_what_nobody_knows_may_end() -> None:
    text = "const make = (globalThis.makers || {})[process.env.KIND];\n(async () => { for await (const item of make()) console.log(item); })();\n"
    assert verdict(f"{text}process.on('SIGTERM', () => console.log('stopping'));") == "unknown"


@pytest.mark.parametrize(
    ("body", "stop", "expected"),
    [
        ("await work(); timer = setTimeout(run, 1000);", "clearTimeout(timer);", "ignored"),
        ("await work(); if (!stopping) timer = setTimeout(run, 1000);", "stopping = true; clearTimeout(timer);", "handled"),
        ("console.log('tick'); timer = setTimeout(run, 1000);", "clearTimeout(timer);", "handled"),
    ],
)  # fmt: skip
def test_a_timer_that_is_cleared_while_its_function_works(body: str, stop: str, expected: str) -> None:
    text = f"{WORK}let timer, stopping = false;\nasync function run() {{ {body} }}\nrun();\n"
    assert verdict(f"{text}process.on('SIGTERM', () => {{ {stop} }});") == expected


# Queues in memory, schedules, threads


@pytest.mark.parametrize(
    ("stop", "expected"),
    [("q.kill(); process.exit(0);", "cut"), ("await q.drain(); process.exit(0);", "handled")],
)
def test_jobs_of_a_queue_in_memory(stop: str, expected: str) -> None:
    text = f"{WORK}const q = require('async').queue(async (job) => {{ await work(job); }}, 1);\nq.push({{}});\n"
    assert verdict(f"{text}process.on('SIGTERM', async () => {{ {stop} }});") == expected


@pytest.mark.parametrize(("hooks", "expected"), [("", "ignored"), ("app.enableShutdownHooks();", "handled")])
def test_a_schedule_of_nest_keeps_it_running(hooks: str, expected: str) -> None:
    text = (
        "import { NestFactory } from '@nestjs/core'; import { Interval } from '@nestjs/schedule'; import { Injectable } from '@nestjs/common';\n"
        "@Injectable()\nclass Task { @Interval(5000) async run() {} }\n"
        f"async function start() {{ const app = await NestFactory.createApplicationContext(Task); {hooks} }}\nstart();\n"
    )
    assert program(text, path="main.ts").reactions["SIGTERM"].as_pid_1 == expected


def test_a_thread_is_built_from_typescript() -> None:
    text = (
        "import { Worker } from 'node:worker_threads'; import { join } from 'node:path';\n"
        "const worker = new Worker(join(__dirname, 'job.js'));\nprocess.on('SIGTERM', () => worker.postMessage('stop'));\n"
    )
    job = "import { parentPort } from 'node:worker_threads';\nparentPort!.on('message', () => parentPort!.close());"
    assert program(text, path="src/main.ts", src__job_ts=job).reactions["SIGTERM"].as_pid_1 == "handled"


def test_a_child_is_named_without_its_ending() -> None:
    text = "const { fork } = require('child_process');\nconst child = fork(require.resolve('./job'));\nchild.on('exit', () => process.exit(0));\nprocess.on('SIGTERM', () => child.kill());"
    assert verdict(text, job_js="setTimeout(() => {}, 2500);") == "cut"


def test_fastify_that_destroys_its_connections() -> None:
    text = "const app = require('fastify')({ forceCloseConnections: true });\napp.get('/', async () => { await new Promise((r) => setTimeout(r, 2500)); return 'ok'; });\napp.listen({ port: 80 });\n"
    assert verdict(f"{text}process.on('SIGTERM', async () => {{ await app.close(); process.exit(0); }});") == "cut"


def test_the_server_of_an_application() -> None:
    text = "const app = require('polka')();\napp.listen(80);\nprocess.on('SIGTERM', () => app.server.close(() => process.exit(0)));"
    assert verdict(text) == "handled"


def test_an_exit_at_once_waits_for_no_interval() -> None:
    text = """const http = require('http');
const server = http.createServer((asked, answer) => answer.end());
server.listen(4000);
const clients = new Set();
setInterval(() => { clients.forEach((one) => { one.end(); server.closeIdleConnections(); }); }, 30000);
process.on('SIGTERM', () => { server.close(); process.exit(0); });
"""
    files = {"Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "app.js"]\n', "app.js": text}
    (launch,) = read(files).launches
    why = "app.js: process.exit comes at once, before the requests in flight are answered"
    assert (launch.verdict.value, launch.why) == ("cut", why)


# What a worker thread, an unread library and an aborted signal are at

THREAD = (
    "const { Worker } = require('worker_threads');\nconst worker = new Worker('./job.js');\nconst running = new Set();\n"
    "let active = 0;\nworker.on('message', () => { active -= 1; });\n"
    "const timer = setInterval(() => { active += 1; worker.postMessage(1); }, 500);\n"
)
JOBS = "const { parentPort } = require('worker_threads');\nparentPort.on('message', () => parentPort.postMessage(1));"


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ("", "cut"),
        ("while (active > 0) await new Promise((r) => setTimeout(r, 50)); ", "handled"),
        ("while (running.size) await new Promise((r) => setTimeout(r, 50)); ", "handled"),
        ("await Promise.allSettled([...running]); ", "handled"),
        ("await Promise.all(Array.from(running)); ", "handled"),
        ("await Promise.all([1].map((n) => n)); ", "cut"),
        ("for (const one of [worker]) ", "cut"),
        ("worker.terminate(); while (active > 0) await new Promise((r) => setTimeout(r, 50)); ", "cut"),
    ],
)
def test_a_worker_thread_is_terminated_once_its_work_is_done(waits: str, expected: str) -> None:
    text = f"{THREAD}process.on('SIGTERM', async () => {{ clearInterval(timer); {waits}await worker.terminate(); process.exit(0); }});"
    assert verdict(text, job_js=JOBS) == expected


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ("process.exit(0);", "unknown"),
        ("app.close(); process.exit(0);", "unknown"),
        ("setTimeout(() => process.exit(0), 200);", "unknown"),
        ("await app.close(); process.exit(0);", "handled"),
        ("app.close(() => process.exit(0));", "handled"),
        ("setTimeout(() => process.exit(0), 5000);", "handled"),
    ],
)
def test_a_library_that_nobody_knows_may_serve_when_the_program_exits(stops: str, expected: str) -> None:
    text = f"const app = require('tinyweb')();\napp.listen(80);\nprocess.on('SIGTERM', async () => {{ {stops} }});"
    reaction = program(text).reactions["SIGTERM"]
    assert reaction.as_pid_1.value == expected
    assert expected == "handled" or reaction.why == (
        "what tinyweb().listen() serves is not known, nor whether process.exit drops its requests"
    )


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ("await require('events').once(controller.signal, 'abort');", "handled"),
        ("try { for (;;) await sleep(9e4, null, { signal: controller.signal }); } catch {}", "handled"),
        ("for (;;) { try { await sleep(9e4, null, { signal: controller.signal }); } catch {} }", "ignored"),
        ("await require('events').once(new AbortController().signal, 'abort');", "ignored"),
    ],
)
def test_a_signal_that_the_handler_aborts(waits: str, expected: str) -> None:
    text = (
        "const sleep = require('timers/promises').setTimeout;\nconst controller = new AbortController();\n"
        "process.on('SIGTERM', () => controller.abort());\nconst timer = setInterval(() => {}, 500);\n"
        f"async function main() {{ {waits} clearInterval(timer); }}\nmain();"
    )
    assert verdict(text) == expected


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ("child.kill('SIGTERM'); setTimeout(() => child.kill('SIGKILL'), 5000).unref();", "handled"),
        ("child.kill('SIGTERM'); setTimeout(() => child.kill(9), 5000).unref();", "handled"),
        ("setTimeout(() => child.kill('SIGKILL'), 1000);", "cut"),
        ("child.kill(9);", "cut"),
        ("child.kill(); setTimeout(() => child.kill(9), 100);", "cut"),
    ],
)
def test_killing_a_child_as_a_last_resort(stops: str, expected: str) -> None:
    text = f"const child = require('child_process').fork('./job.js');\nprocess.on('SIGTERM', () => {{ {stops} }});"
    job = "const timer = setInterval(() => {}, 500);\nprocess.on('SIGTERM', () => setTimeout(() => { clearInterval(timer); process.disconnect(); }, 200));"
    assert verdict(text, job_js=job) == expected


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ("await Promise.race([closed(), sleep(7000).then(() => { throw new Error(); })]).catch(() => {});", "handled"),
        ("await Promise.race([closed(), sleep(100).then(() => { throw new Error(); })]).catch(() => {});", "cut"),
        ("await Promise.all([closed(), sleep(100).then(() => { throw new Error(); })]).catch(() => {});", "cut"),
        ("await Promise.allSettled([closed(), sleep(100).then(() => { throw new Error(); })]);", "handled"),
        ("await closed().then(() => { throw new Error(); }).catch(() => {});", "handled"),
    ],
)
def test_what_a_promise_throws(waits: str, expected: str) -> None:
    text = (
        "const sleep = require('timers/promises').setTimeout;\nconst server = require('http').createServer().listen(80);\n"
        "const closed = () => new Promise((resolve) => server.close(resolve));\n"
        f"process.on('SIGTERM', async () => {{ {waits} process.exit(0); }});"
    )
    assert verdict(text) == expected


def test_a_promise_that_nothing_may_settle_before_nothing_is_left_to_run() -> None:
    text = (
        "const { EventEmitter } = require('events');\nclass Queue extends EventEmitter {}\nconst queue = new Queue();\n"
        "const timer = setInterval(() => {}, 500);\nprocess.on('SIGTERM', async () => {\n  clearInterval(timer);\n"
        "  await new Promise((resolve) => queue.once('drain', resolve));\n  process.exit(0);\n});"
    )
    reaction = program(text).reactions["SIGTERM"]
    assert reaction.as_pid_1.value == "unknown"
    assert reaction.why == (
        "whether anything settles the promise in line 7 before nothing is left to run, and its SIGTERM handler goes on, "
        "is only known when it runs"
    )


QUEUE = (
    "class Queue {\n  items = [];\n  ended = false;\n  end() { this.ended = true; }\n  next() {\n"
    "    if (this.items.length > 0) return Promise.resolve({ value: this.items.shift(), done: false });\n"
    "    if (this.ended) return Promise.resolve({ value: undefined, done: true });\n"
    "    return new Promise(() => {});\n  }\n  [Symbol.asyncIterator]() { return this; }\n}\nconst queue = new Queue();\n"
)


@pytest.mark.parametrize(("stops", "expected"), [("queue.end()", "handled"), ("console.log('x')", "unknown")])
def test_an_iterator_of_ones_own(stops: str, expected: str) -> None:
    text = f"{QUEUE}process.on('SIGTERM', () => {stops});\n(async () => {{ for await (const job of queue) work(job); }})();"
    assert verdict(text) == expected


def test_all_that_waits_is_taken_and_called() -> None:
    text = (
        "const waiters = [];\nconst timer = setInterval(() => {}, 500);\n"
        "const pop = () => new Promise((resolve) => waiters.push(resolve));\n"
        "async function run() { for (;;) { if ((await pop()) === null) break; } console.log('left'); }\n"
        "process.on('SIGTERM', () => { clearInterval(timer); for (const each of waiters.splice(0)) each(null); });\nrun();"
    )
    assert verdict(text) == "handled"


# What a timer writes down, what a worker answers, and what an interval goes on to start

SAVES = "let rows = [];\nfunction saveRows() { rows = []; }\nfunction refresh() { rows.push(1); }\n"


@pytest.mark.parametrize(
    ("timer", "stop", "expected"),
    [
        ("setInterval(saveRows, 5000)", "clearInterval(timer);", "unknown"),
        ("setInterval(() => saveRows(), 5000)", "process.exit(0);", "unknown"),
        ("setInterval(saveRows, 5000)", "clearInterval(timer); saveRows();", "handled"),
        ("setInterval(refresh, 5000)", "clearInterval(timer);", "handled"),
    ],
)
def test_what_a_timer_saves_from_time_to_time(timer: str, stop: str, expected: str) -> None:
    text = f"{SAVES}const timer = {timer};\nprocess.on('SIGTERM', () => {{ {stop} }});"
    reaction = program(text).reactions["SIGTERM"]
    assert reaction.as_pid_1.value == expected
    assert expected == "handled" or reaction.why == (
        "whether anything is lost is not known: its SIGTERM handler does not call saveRows(), which a timer does"
    )


@pytest.mark.parametrize(
    ("timer", "stop", "expected"),
    [
        ("() => { send(rows.splice(0)); }", "process.exit(0);", "unknown"),
        ("async () => { const batch = rows; rows = []; await send(batch); }", "process.exit(0);", "unknown"),
        ("() => { send([...rows]); rows.length = 0; }", "process.exit(0);", "unknown"),
        ("() => { send(rows.splice(0)); }", "send(rows); process.exit(0);", "handled"),
        ("() => { rows.length = 0; }", "process.exit(0);", "handled"),
        ("() => { send(other.splice(0)); }", "process.exit(0);", "handled"),
    ],
)
def test_what_a_timer_hands_on_from_time_to_time(timer: str, stop: str, expected: str) -> None:
    text = "let rows = [], other = [];\nconst send = (batch) => {};\nconst on = () => rows.push(1);\n"
    found = program(f"{text}setInterval({timer}, 5000);\nprocess.on('SIGTERM', () => {{ {stop} }});").reactions[
        "SIGTERM"
    ]
    assert found.as_pid_1.value == expected
    if expected == "unknown":
        assert found.why == (
            "whether anything is lost is not known: its SIGTERM handler leaves out what the setInterval in line 4 does"
        )


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        ("() => worker.terminate().then(() => process.exit(0))", "handled"),
        ("(said) => { if (said === 'done') process.exit(0); }", "handled"),
        ("(said) => { if (said === 'drained') process.exit(0); }", "ignored"),
        ("console.log", "ignored"),
    ],
)
def test_a_worker_that_answers_before_it_is_terminated(listener: str, expected: str) -> None:
    text = (
        "const { Worker } = require('worker_threads');\nconst worker = new Worker('./job.js');\n"
        f"process.on('SIGTERM', () => {{ worker.on('message', {listener}); worker.postMessage('drain'); }});"
    )
    job = "const { parentPort } = require('worker_threads');\nparentPort.on('message', () => setTimeout(() => parentPort.postMessage('done'), 500));"
    assert verdict(text, job_js=job) == expected


@pytest.mark.parametrize(
    ("job", "expected"),
    [("await sleep(200)", "handled"), ("await sleep(900)", "ignored"), ("await fetch('/')", "unknown")],
)
def test_a_count_that_an_interval_goes_on_to_raise(job: str, expected: str) -> None:
    text = (
        f"{SLEEP}let running = 0;\nasync function work() {{ running++; {job}; running--; }}\nsetInterval(work, 500);\n"
        "process.on('SIGTERM', async () => { while (running > 0) await sleep(50); process.exit(0); });"
    )
    assert verdict(text) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("'worker'", "handled"),
        ("'web'", "ignored"),
        ("process.env.ROLE", "unknown"),
        ("process.argv[2] + ''", "unknown"),
    ],
)
def test_a_map_with_a_key_that_nobody_knows_may_have_any(key: str, expected: str) -> None:
    text = (
        f"const stops = new Map();\nstops.set({key}, () => process.exit(0));\nconst stop = stops.get('worker');\n"
        "if (stop) process.on('SIGTERM', stop);\nsetInterval(() => {}, 1000);"
    )
    assert verdict(text) == expected


PARENT = "const { spawn, fork } = require('child_process');\n"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("process.on('message', () => clearInterval(busy));", "ignored"),
        ("process.on('message', () => { clearInterval(busy); process.disconnect(); });", "handled"),
        ("process.on('message', () => process.exit(0));", "handled"),
        ("process.once('message', () => clearInterval(busy));", "handled"),
    ],
)
def test_a_forked_child_lives_as_long_as_it_listens_for_messages(job: str, expected: str) -> None:
    text = f"{PARENT}const child = fork('./job.js');\nprocess.on('SIGTERM', () => child.send('stop'));"
    assert verdict(text, job_js=f"const busy = setInterval(() => {{}}, 100);\n{job}") == expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("() => { child.kill(); child.on('exit', () => process.exit(0)); }", "handled"),
        ("async () => { child.kill(); await new Promise((done) => child.once('close', done)); process.exit(0); }", "handled"),
        ("async () => { child.kill(); await Promise.race([gone, sleep(100)]); child.kill('SIGKILL'); process.exit(0); }", "cut"),
        ("async () => { child.kill(); await Promise.race([gone, sleep(5000)]); child.kill('SIGKILL'); process.exit(0); }", "handled"),
        ("async () => { await gone; process.exit(0); }", "ignored"),
    ],
)  # fmt: skip
def test_what_a_handler_gives_a_child_to_end(handler: str, expected: str) -> None:
    text = f"""{PARENT}const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const child = spawn('node', ['job.js']);
const gone = new Promise((done) => child.on('exit', done));
const busy = setInterval(() => {{}}, 100);
process.on('SIGTERM', {handler});"""
    job = "const t = setInterval(() => {}, 100);\nprocess.on('SIGTERM', () => setTimeout(() => process.exit(0), 300));"
    assert verdict(text, job_js=job) == expected


@pytest.mark.parametrize(
    ("job", "handler", "expected"),
    [
        ("setInterval(() => {}, 100);", "() => clearInterval(busy)", "cut"),
        ("setInterval(() => {}, 100);", "() => process.exit(0)", "cut"),
        ("setInterval(() => {}, 100);\nprocess.on('SIGTERM', () => setTimeout(() => process.exit(0), 300));", "() => { clearInterval(busy); child.kill(); }", "cut"),
        ("require('fs').writeFileSync('/tmp/a', 'a');", "() => clearInterval(busy)", "handled"),
    ],
)  # fmt: skip
def test_a_child_that_does_not_keep_its_parent_running(job: str, handler: str, expected: str) -> None:
    text = f"{PARENT}const child = spawn('node', ['job.js'], {{ detached: true, stdio: 'ignore' }});\nchild.unref();\n"
    text += f"const busy = setInterval(() => {{}}, 100);\nprocess.on('SIGTERM', {handler});"
    assert verdict(text, job_js=f"const keep = {job}" if job.startswith("set") else f"{job}\n") == expected


def test_a_thread_that_shares_memory_may_be_told_by_it() -> None:
    text = """const { Worker } = require('worker_threads');
const flag = new Int32Array(new SharedArrayBuffer(4));
const worker = new Worker('./job.js', { workerData: flag });
process.on('SIGTERM', () => Atomics.store(flag, 0, 1));"""
    found = program(text, job_js="setInterval(() => {}, 100);").reactions["SIGTERM"]
    assert found.why == "whether the worker thread in line 3 ends by what it shares memory for cannot be told"


@pytest.mark.parametrize(
    ("done", "stop", "expected"),
    [
        ("running.delete(job)", "clearInterval(tick);", "handled"),
        ("running.delete(job)", "", "ignored"),
        ("console.log(job)", "clearInterval(tick);", "unknown"),
    ],
)
def test_an_interval_that_looks_whether_a_set_of_jobs_is_empty(done: str, stop: str, expected: str) -> None:
    text = f"""const running = new Set();
const begin = () => {{ const job = new Promise((end) => setTimeout(end, 900)).finally(() => {done}); running.add(job); }};
const tick = setInterval(begin, 200);
process.on('SIGTERM', () => {{
  {stop}
  setInterval(() => {{ if (running.size === 0) process.exit(0); }}, 100);
}});"""
    assert verdict(text) == expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("() => worker.postMessage('go')", "ignored"),
        ("() => { for (const one of [" + "1, " * 20 + "]) worker.postMessage(one); }", "ignored"),
    ],
    ids=["without end", "many"],
)
def test_answers_that_are_answered(handler: str, expected: str) -> None:
    text = "const { Worker } = require('worker_threads');\nconst worker = new Worker('./job.js');\n"
    text += f"worker.on('message', (said) => worker.postMessage(said));\nprocess.on('SIGTERM', {handler});"
    job = "const { parentPort } = require('worker_threads');\nparentPort.on('message', (said) => parentPort.postMessage(said));"
    assert verdict(text, job_js=job) == expected
