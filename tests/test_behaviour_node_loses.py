"""Node handlers that do not get to their end: errors, timers that nothing waits for, exits by time, rows that stay behind."""

# ruff: noqa: E501 (a line of these tables is a program)

from __future__ import annotations

import pytest

from test_behaviour_node import program

BUSY = "const busy = setInterval(() => {}, 1000);\n"


def reaction(text: str, **files: str) -> tuple[str, str]:
    found = program(text, **files).reactions["SIGTERM"]
    return found.as_pid_1.value, found.why


def stopped_by(body: str, before: str = "") -> str:
    return reaction(f"{BUSY}{before}process.on('SIGTERM', () => {{ {body} clearInterval(busy); }});")[0]


@pytest.mark.parametrize(
    ("body", "before", "expected"),
    [
        ("log.info('bye');", "", "cut"),
        ("log.info('bye');", "global.log = require('pino')();\n", "handled"),
        ("log.info('bye');", "log = require('pino')();\n", "handled"),
        ("log.info('bye');", "function main() { const log = console; }\nmain();\n", "cut"),
        ("log.info('bye');", "if (true) { var log = console; }\n", "handled"),
        ("log.info('bye');", "const { log } = require('./log');\n", "handled"),
        ("if (typeof log !== 'undefined') log.info('bye');", "", "handled"),
        ("try { log.info('bye'); } catch (error) { console.error(error); }", "", "handled"),
        ("BUILD_ID;", "", "handled"),
        ("state = 'stopping';", "const state = 'up';\n", "cut"),
        ("state = 'stopping';", "let state = 'up';\n", "handled"),
        ("const inner = (state) => { state = 1; }; inner(2);", "const state = 'up';\n", "handled"),
        ("pool.end();", "class Pool { close() {} }\nconst pool = new Pool();\n", "cut"),
        ("pool.end?.();", "class Pool { close() {} }\nconst pool = new Pool();\n", "handled"),
        ("pool.close();", "class Pool { close() {} }\nconst pool = new Pool();\n", "handled"),
        ("pool.end();", "class Pool { close() {} }\nconst pool = new Pool();\npool.end = () => {};\n", "handled"),
        ("pool.end();", "class Pool extends require('pg').Pool {}\nconst pool = new Pool();\n", "handled"),
    ],
)  # fmt: skip
def test_an_error_that_is_sure_to_be_thrown(body: str, before: str, expected: str) -> None:
    assert stopped_by(body, before) == expected


PAUSE = "const pause = (ms) => new Promise((r) => { const t = setTimeout(r, ms); t.unref(); });\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("async () => { clearInterval(busy); await pause(500); console.log('saved'); }", "cut"),
        ("async () => { await pause(500); clearInterval(busy); console.log('saved'); }", "handled"),
        ("async () => { clearInterval(busy); setTimeout(() => {}, 900); await pause(500); console.log('saved'); }", "handled"),
        ("async () => { clearInterval(busy); await pause(500); process.exit(0); }", "handled"),
        ("() => { clearInterval(busy); setTimeout(save, 500).unref(); }", "cut"),
        ("() => { clearInterval(busy); setTimeout(() => { console.warn('still here'); }, 500).unref(); }", "handled"),
        ("() => { setTimeout(save, 500).unref(); }", "ignored"),
    ],
)  # fmt: skip
def test_a_timer_that_does_not_keep_node_running(handler: str, expected: str) -> None:
    text = f"{BUSY}{PAUSE}function save() {{ console.log('saved'); }}\nprocess.on('SIGTERM', {handler});"
    assert reaction(text)[0] == expected


WORKER = """const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
let stopping = false;
async function work() {
  while (!stopping) { await sleep(MS); }
  console.log('flushed');
}
work();
process.on('SIGTERM', () => {
  stopping = true;
  setTimeout(() => process.exit(1), 1000)UNREF;
});"""


@pytest.mark.parametrize("unref", ["", ".unref()"])
@pytest.mark.parametrize(("ms", "expected"), [("500", "handled"), ("1500", "unknown"), ("3000", "cut")])
def test_a_loop_that_takes_longer_than_the_exit_by_time(ms: str, expected: str, unref: str) -> None:
    assert reaction(WORKER.replace("MS", ms).replace("UNREF", unref))[0] == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("1000", "cut"), ("5000", "handled")],
)
def test_what_a_race_gives_up(limit: str, expected: str) -> None:
    text = f"""{BUSY}const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
async function drain() {{ await sleep(3000); console.log('drained'); }}
process.on('SIGTERM', async () => {{ await Promise.race([drain(), sleep({limit})]); process.exit(0); }});"""
    assert reaction(text)[0] == expected


ROWS = """let rows = [];
function flush() { const batch = rows; rows = []; send(batch); }
function send(batch) { console.log(batch.length); }
exports.add = (row) => { rows.push(row); if (rows.length >= 50) flush(); };
"""


@pytest.mark.parametrize(
    ("rows", "handler", "expected"),
    [
        (ROWS, "clearInterval(busy);", "unknown"),
        (ROWS, "clearInterval(busy); flush();", "handled"),
        (ROWS, "clearInterval(busy); console.log(`${rows.length} rows are dropped`);", "handled"),
        (ROWS.replace("const batch = rows; rows = []; send(batch);", "rows = [];"), "clearInterval(busy);", "handled"),
        (ROWS.replace(">= 50", "> 0"), "clearInterval(busy);", "handled"),
    ],
)  # fmt: skip
def test_rows_that_wait_for_more(rows: str, handler: str, expected: str) -> None:
    assert reaction(f"{BUSY}{rows}process.on('SIGTERM', () => {{ {handler} }});")[0] == expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("clearInterval(busy); clearTimeout(later);", "unknown"),
        ("clearInterval(busy); clearTimeout(later); save();", "handled"),
        ("clearInterval(busy);", "handled"),
    ],
)
def test_a_timer_of_the_work_that_is_cleared(handler: str, expected: str) -> None:
    text = f"{BUSY}let later;\nfunction save() {{ console.log('saved'); }}\nexports.touch = () => {{ later = setTimeout(save, 500); }};\n"
    assert reaction(f"{text}process.on('SIGTERM', () => {{ {handler} }});")[0] == expected


@pytest.mark.parametrize(
    ("emits", "expected"),
    [("", "cut"), ("service.emit('stopped');", "unknown"), ("service.emit(name);", "unknown")],
)
def test_an_event_that_is_awaited(emits: str, expected: str) -> None:
    text = f"""const {{ EventEmitter, once }} = require('events');
{BUSY}const service = new EventEmitter();
exports.tell = (name) => {{ {emits} }};
process.on('SIGTERM', async () => {{ clearInterval(busy); await once(service, 'stopped'); console.log('done'); }});"""
    assert reaction(text)[0] == expected


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ("poll().then(() => next())", "ignored"),
        ("poll().then(next, next)", "ignored"),
        ("poll().catch(() => {}).finally(() => next())", "ignored"),
        ("stopping ? null : poll().then(() => next())", "handled"),
        ("poll()", "handled"),
    ],
)
def test_a_function_that_a_promise_calls_again(again: str, expected: str) -> None:
    text = f"""let stopping = false;
const poll = () => new Promise((r) => setTimeout(r, 300));
function next() {{ return {again}; }}
next();{BUSY if expected == "handled" else ""}
process.on('SIGTERM', () => {{ stopping = true; {"clearInterval(busy);" if expected == "handled" else ""} }});"""
    assert reaction(text)[0] == expected


QUEUE = """const queue = [];
let running = true;
exports.put = (job) => queue.push(job);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
async function work() {
  while (TEST) { const job = queue.shift(); if (!job) { EMPTY } await sleep(100); }
}
const done = work();
process.on('SIGTERM', async () => { clearInterval(busy); running = false; await done; process.exit(0); });"""


@pytest.mark.parametrize(
    ("test", "empty", "expected"),
    [
        ("running", "await sleep(50); continue;", "unknown"),
        ("running || queue.length", "await sleep(50); continue;", "handled"),
        ("true", "if (!running) break; await sleep(50); continue;", "handled"),
    ],
)
def test_jobs_that_a_loop_leaves_in_its_queue(test: str, empty: str, expected: str) -> None:
    assert reaction(BUSY + QUEUE.replace("TEST", test).replace("EMPTY", empty))[0] == expected


@pytest.mark.parametrize(("does", "expected"), [("fs.unlinkSync('lock');", "cut"), ("console.log('bye');", "handled")])
def test_what_comes_before_an_exit_is_left_out_by_process_exit(does: str, expected: str) -> None:
    text = f"const fs = require('fs');\n{BUSY}process.on('beforeExit', () => {{ {does} }});\n"
    assert reaction(f"{text}process.on('SIGTERM', () => process.exit(0));")[0] == expected


def test_a_loop_that_asks_for_what_the_handler_counts() -> None:
    text = "let round = 0;\nasync function poll(mine) { while (mine === round) await new Promise((r) => setTimeout(r, 300)); }\npoll(round);\n"
    assert reaction(f"{text}process.on('SIGTERM', () => {{ round++; }});")[0] == "handled"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("jobs.clear(); process.exit(0);", "unknown"),
        ("process.exit(0);", "unknown"),
        ("await jobs.onIdle(); process.exit(0);", "handled"),
        ("", "handled"),
    ],
)
def test_jobs_that_wait_in_the_queue_of_a_library(last: str, expected: str) -> None:
    text = f"const PQueue = require('p-queue');\n{BUSY}const jobs = new PQueue({{ concurrency: 1 }});\nexports.put = (job) => jobs.add(job);\n"
    assert reaction(f"{text}process.on('SIGTERM', async () => {{ clearInterval(busy); {last} }});")[0] == expected


@pytest.mark.parametrize(("limit", "expected"), [("1000", "cut"), ("3000", "unknown"), ("9000", "handled")])
def test_a_race_that_gives_up_what_the_program_has_begun(limit: str, expected: str) -> None:
    text = f"""const {{ setTimeout: sleep }} = require('timers/promises');
const PARTS = 8;
async function upload() {{ for (let i = 0; i < PARTS; i += 1) await sleep(500); console.log('uploaded'); }}
const current = upload();
process.on('SIGTERM', async () => {{ await Promise.race([current, sleep({limit})]); process.exit(0); }});"""
    assert reaction(text)[0] == expected


@pytest.mark.parametrize(("await_", "expected"), [("", "cut"), ("void ", "cut"), ("await ", "handled")])
def test_a_flush_of_what_has_come_together_is_awaited(await_: str, expected: str) -> None:
    text = f"""{BUSY}const rows = [];
exports.add = (row) => rows.push(row);
async function flush() {{ while (rows.length) {{ rows.shift(); await new Promise((r) => setTimeout(r, 20)); }} console.log('sent'); }}
process.on('SIGTERM', async () => {{ clearInterval(busy); {await_}flush(); process.exit(0); }});"""
    assert reaction(text)[0] == expected


@pytest.mark.parametrize(("force", "expected"), [("1000", "cut"), ("5000", "handled")])
def test_an_exit_by_time_beside_requests_whose_time_is_a_variable(force: str, expected: str) -> None:
    text = f"""const server = require('http').createServer((req, res) => {{
  const delay = req.url === '/export' ? 3000 : 0;
  setTimeout(() => res.end('ok'), delay);
}});
server.listen(80);
process.on('SIGTERM', () => {{ server.close(() => process.exit(0)); setTimeout(() => process.exit(1), {force}).unref(); }});"""
    assert reaction(text)[0] == expected


OUTBOX = """const messages = [];
let busy_ = false;
exports.push = (one) => { messages.push(one); drain(); };
const send = (one) => new Promise((r) => setTimeout(r, 300));
async function drain() {
  if (busy_) return;
  busy_ = true;
  while (messages.length) await send(messages.shift());
  BACK
}
"""


@pytest.mark.parametrize(
    ("back", "last", "expected"),
    [
        ("busy_ = false;", "await drain(); process.exit(0);", "unknown"),
        ("busy_ = false;", "await drain(); while (busy_) await send(1); process.exit(0);", "handled"),
        ("", "await drain(); process.exit(0);", "handled"),
        ("busy_ = false;", "await drain();", "handled"),
    ],
)
def test_what_comes_back_at_once_while_it_is_under_way(back: str, last: str, expected: str) -> None:
    text = BUSY + OUTBOX.replace("BACK", back)
    assert reaction(f"{text}process.on('SIGTERM', async () => {{ clearInterval(busy); {last} }});")[0] == expected


CLOSABLE = "const server = require('http').createServer((q, r) => r.end());\nserver.listen(80);\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("() => { server.close(); server.close((error) => { if (error) throw error; process.exit(0); }); }", "cut"),
        ("() => { server.close(); server.close(() => process.exit(0)); }", "handled"),
        ("() => { server.close((error) => { if (error) throw error; process.exit(0); }); }", "handled"),
        ("async () => { await close(); await close(); process.exit(0); }", "cut"),
        ("async () => { await close(); await close().catch(() => {}); process.exit(0); }", "handled"),
        ("async () => { await close(); try { await close(); } catch (e) { console.log(e.code); } process.exit(0); }", "handled"),
        ("async () => { await promised(); await promised(); process.exit(0); }", "cut"),
        ("async () => { await promised(); process.exit(0); }", "handled"),
        ("async () => { if (Math.random() > 2) server.close(); await close(); process.exit(0); }", "handled"),
    ],
)  # fmt: skip
def test_a_server_that_is_closed_a_second_time_calls_back_with_an_error(handler: str, expected: str) -> None:
    close = "const close = () => new Promise((done, fail) => server.close((error) => error ? fail(error) : done()));\n"
    close += "const promised = require('util').promisify(server.close).bind(server);\n"
    assert reaction(f"{CLOSABLE}{close}process.on('SIGTERM', {handler});")[0] == expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("() => { server.close(() => { closed = true; }); while (!closed) {} process.exit(0); }", "ignored"),
        ("() => { server.close(() => { state.closed = true; }); while (!state.closed) {} process.exit(0); }", "ignored"),
        ("() => { setTimeout(() => process.exit(1), 5000); server.close(); while (open > 0) {} }", "ignored"),
        ("async () => { server.close(() => { closed = true; }); while (!closed) await sleep(20); process.exit(0); }", "handled"),
        ("() => { server.close(() => process.exit(0)); const end = Date.now() + 200; while (Date.now() < end) {} }", "handled"),
        ("async () => { server.close(() => { closed = true; }); for (;;) { if (closed) break; await sleep(20); } process.exit(0); }", "handled"),
        ("async () => { server.close(() => { closed = true; }); while (!closed && tries++ < 99) await sleep(20); process.exit(0); }", "handled"),
        ("async () => { server.close(() => { closed = true; }); while (!closed && tries++ < 9) await sleep(20); process.exit(0); }", "cut"),
        ("() => { closed = true; while (!closed) {} server.close(() => process.exit(0)); }", "handled"),
        ("() => { let n = 0; while (n < 9) { n += 1; } server.close(() => process.exit(0)); }", "handled"),
    ],
)  # fmt: skip
def test_a_loop_that_waits_for_the_event_loop_and_does_not_give_way_to_it(handler: str, expected: str) -> None:
    text = """const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
let closed = false, open = 0, tries = 0;
const state = { closed: false };
const server = require('http').createServer((q, r) => { open += 1; r.on('finish', () => { open -= 1; }); r.end(); });
server.listen(80);
"""
    found, why = reaction(f"{text}process.on('SIGTERM', {handler});")
    assert found == expected
    if expected == "ignored":
        assert why == "line 6 loops without ever giving way to the event loop, once its SIGTERM handler runs"


@pytest.mark.parametrize(
    ("flush", "loop", "expected"),
    [
        ("throw new Error('down');", "for (let i = 0; i < 3; i++) try { await flush(); break; } catch (e) { if (i === 2) throw e; }", "cut"),
        ("throw new Error('down');", "for (let i = 0; i < 3; i++) try { await flush(); break; } catch (e) { console.log(i); }", "handled"),
        ("throw new Error('down');", "let n = 0; while (true) { try { await flush(); break; } catch (e) { if (++n > 2) throw e; await sleep(9); } }", "cut"),
        ("throw new Error('down');", "for (;;) { try { await flush(); break; } catch (e) { await sleep(90); } }", "ignored"),
        ("await sleep(9);", "for (let i = 0; i < 3; i++) try { await flush(); break; } catch (e) { if (i === 2) throw e; }", "handled"),
        ("if (Math.random() > 0.5) throw new Error('down');", "for (let i = 0; i < 3; i++) try { await flush(); break; } catch (e) { if (i === 2) throw e; }", "handled"),
    ],
)  # fmt: skip
def test_what_is_tried_again_and_fails_each_time(flush: str, loop: str, expected: str) -> None:
    text = f"const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\nasync function flush() {{ {flush} }}\n"
    text += f"process.on('SIGTERM', async () => {{ clearInterval(busy); {loop} process.exit(0); }});"
    assert reaction(BUSY + text)[0] == expected


@pytest.mark.parametrize(
    ("needs", "before", "expected"),
    [
        ("fs.unlinkSync('/tmp/app.pid');", "", "unknown"),
        ("fs.unlinkSync('/tmp/app.pid');", "fs.writeFileSync('/tmp/app.pid', '1');\n", "handled"),
        ("fs.unlinkSync(PID);", "const PID = '/tmp/app.pid';\nfs.writeFileSync(PID, '1');\n", "handled"),
        ("fs.unlinkSync(PID);", "const PID = '/tmp/app.pid';\n", "unknown"),
        ("try { fs.unlinkSync('/tmp/app.pid'); } catch {}", "", "handled"),
        ("if (fs.existsSync('/tmp/app.pid')) fs.unlinkSync('/tmp/app.pid');", "", "handled"),
        ("fs.writeFileSync('/tmp/a', fs.readFileSync('/tmp/a', 'utf8') + '!');", "", "unknown"),
        ("JSON.parse(fs.readFileSync('/app/state.json', 'utf8'));", "", "unknown"),
        ("JSON.parse(fs.readFileSync('./package.json', 'utf8'));", "", "handled"),
        ("fs.readFileSync('/etc/hostname', 'utf8');", "", "handled"),
        (
            "s.close(() => fs.unlinkSync('/tmp/s'));",
            "const s = require('http').createServer().listen('/tmp/s');\n",
            "unknown",
        ),
        (
            "fs.unlinkSync('/tmp/s'); s.close();",
            "const s = require('http').createServer().listen('/tmp/s');\n",
            "handled",
        ),
        ("fs.readFileSync(process.argv[2]);", "", "handled"),
    ],
)
def test_a_file_that_may_not_be_there_on_the_way_out(needs: str, before: str, expected: str) -> None:
    text = f"const fs = require('fs');\n{BUSY}{before}process.on('SIGTERM', () => {{ clearInterval(busy); {needs} }});"
    found, why = reaction(text, package_json="{}")
    assert found == expected
    if expected == "unknown":
        assert why.endswith(", which nothing here writes, is there for its SIGTERM handler is not known")


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("async () => { db.end(); server.close(); }", "unknown"),
        ("async () => { server.close(); db.end(); }", "unknown"),
        ("() => server.close(() => db.end())", "handled"),
    ],
)
def test_what_the_requests_in_flight_still_need(handler: str, expected: str) -> None:
    text = "const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\n"
    text += "class Db {\n  async get() { await sleep(400); if (this.ended) throw new Error('ended'); }\n"
    text += "  end() { this.ended = true; }\n}\nconst db = new Db();\n"
    text += "const server = require('http').createServer(async (req, res) => { await db.get(); res.end('ok'); });\n"
    text += f"server.listen(8000);\nprocess.on('SIGTERM', {handler});"
    found, why = reaction(text)
    assert found == expected
    assert ("which refuses them" in why) is (expected == "unknown")


@pytest.mark.parametrize(("seconds", "expected"), [(9, "unknown"), (0.5, "handled")])
def test_a_handler_that_is_installed_after_a_while(seconds: float, expected: str) -> None:
    text = f"{BUSY}setTimeout(() => process.on('SIGTERM', () => clearInterval(busy)), {seconds * 1000:g});"
    assert reaction(text)[0] == expected


@pytest.mark.parametrize(("asks", "expected"), [("if (!this.#active) ", "handled"), ("", "cut")])
def test_work_that_a_private_flag_tells_of(asks: str, expected: str) -> None:
    text = "class Runner {\n  #active = false;\n  start() { this.timer = setInterval(() => this.#tick(), 50); }\n"
    text += f"  halt() {{ clearInterval(this.timer); {asks}process.exit(0); }}\n"
    text += "  async #tick() { this.#active = true; await new Promise((r) => setTimeout(r, 1000)); this.#active = false; }\n"
    text += "}\nconst runner = new Runner();\nrunner.start();\nprocess.on('SIGTERM', () => runner.halt());"
    assert reaction(text)[0] == expected


@pytest.mark.parametrize(("end", "expected"), [("worker.terminate()", "unknown"), ("worker.postMessage(0)", "ignored")])
def test_threads_that_are_ended_as_far_as_they_are_idle(end: str, expected: str) -> None:
    text = "const { Worker } = require('worker_threads');\nconst idle = [];\nconst worker = new Worker('./task.js');\n"
    text += "worker.on('message', () => idle.push(worker));\n"
    text += f"process.on('SIGTERM', () => {{ for (const worker of [...idle]) {end}; }});"
    task = "const { parentPort } = require('worker_threads');\nparentPort.on('message', (task) => parentPort.postMessage(1));\n"
    assert reaction(text, task_js=task)[0] == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("worker.terminate()", "unknown"),
        ("process.exit(0)", "unknown"),
        ("console.log('through')", "ignored"),
    ],
)
def test_an_end_behind_a_loop_that_may_come_to_its_end(after: str, expected: str) -> None:
    text = "const { Worker } = require('worker_threads');\nconst worker = new Worker('./task.js');\nlet stopping = false;\n"
    text += "const ask = () => new Promise((r) => { worker.once('message', r); worker.postMessage(1); });\n"
    text += f"async function main() {{ while (!stopping) await ask(); {after}; }}\nmain();\n"
    text += "process.on('SIGTERM', () => { stopping = true; });"
    task = "const { parentPort } = require('worker_threads');\nparentPort.on('message', (n) => parentPort.postMessage(n));\n"
    assert reaction(text, task_js=task)[0] == expected


@pytest.mark.parametrize(("after", "expected"), [("child.disconnect()", "unknown"), ("child.kill()", "handled")])
def test_a_child_that_is_told_behind_a_loop(after: str, expected: str) -> None:
    text = "const child = require('child_process').fork('./task.js');\nlet stopping = false;\n"
    text += "const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\n"
    text += f"async function main() {{ while (!stopping) await sleep(200); {after}; }}\nmain();\n"
    text += "process.on('SIGTERM', () => { stopping = true; });"
    task = "process.on('message', (n) => process.send(n));\nprocess.on('SIGTERM', () => process.exit(0));\n"
    assert reaction(text, task_js=task)[0] == expected


@pytest.mark.parametrize(
    "body",
    [
        "while (!pool.closed) await sleep(100);",
        "do { await sleep(100); } while (!pool.closed);",
        "while (!stopping) { const jobs = await list(); await Promise.all(jobs.map(pool.work)); }",
    ],
)
def test_a_loop_that_asks_for_something_that_nothing_sets(body: str) -> None:
    text = (
        f"{BUSY}const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\nlet pool = null;\nlet stopping = false;\n"
    )
    text += f"async function list() {{ await sleep(100); return [1]; }}\nasync function main() {{ {body} }}\nmain();\n"
    text += "process.on('SIGTERM', () => { stopping = true; process.exit(0); });"
    assert reaction(text)[0] in ("handled", "cut")
