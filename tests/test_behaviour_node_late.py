"""Node programs that end too early or too late for what is still to come: items, requests, jobs and lists."""

# ruff: noqa: E501 (a line of these tables is a program)

from __future__ import annotations

import pytest

from test_behaviour_node import program
from test_behaviour_node_work import verdict

# Loops over items that come one by one

WATCH = "const { watch } = require('fs/promises');\nlet stopping = false;\nprocess.on('SIGTERM', () => { stopping = true; });\n"
ON = "const { EventEmitter, on } = require('events');\nconst bus = new EventEmitter();\nlet stopping = false;\n"


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for await (const e of watch('/data')) { if (stopping) break; }", "ignored"),
        ("for await (const name of names()) { if (stopping) break; }", "ignored"),
        ("for await (const e of watch('/data', { signal: ac.signal })) console.log(e);", "cut"),
        ("try { for await (const e of watch('/data', { signal: ac.signal })) console.log(e); } catch {}", "handled"),
        ("for await (const t of require('timers/promises').setInterval(500)) { if (stopping) break; }", "handled"),
    ],
)
def test_a_loop_over_file_changes_looks_again_when_a_file_changes(loop: str, expected: str) -> None:
    made = "const ac = new AbortController();\nprocess.on('SIGTERM', () => ac.abort());\nasync function* names() { for await (const e of watch('/data')) yield e.filename; }\n"
    assert verdict(f"{WATCH}{made}(async () => {{ {loop} }})();") == expected


@pytest.mark.parametrize(
    ("emits", "handler", "expected"),
    [
        ("const timer = setInterval(() => bus.emit('job', 1), 100);", "stopping = true", "handled"),
        (
            "const timer = setInterval(() => bus.emit('job', 1), 100);",
            "{ stopping = true; clearInterval(timer); }",
            "unknown",
        ),
        ("const timer = setInterval(() => {}, 100);", "{ stopping = true; bus.emit('job', null); }", "handled"),
    ],
)
def test_a_loop_over_events_looks_again_when_somebody_emits_one(emits: str, handler: str, expected: str) -> None:
    text = f"{ON}{emits}\nprocess.on('SIGTERM', () => {handler});\n(async () => {{ for await (const [j] of on(bus, 'job')) {{ if (stopping) break; }} clearInterval(timer); }})();"
    assert verdict(text) == expected


# Requests that wait for an answer

STOP = "server.listen(80);\nprocess.on('SIGTERM', () => { server.close(() => process.exit(0)); %s });"
SERVER = "const http = require('http');\nconst waiting = new Set();\n%s\nconst server = http.createServer((req, res) => { %s });\n"


@pytest.mark.parametrize(
    ("beside", "request_", "stop", "expected"),
    [
        ("", "waiting.add(res);", "", "ignored"),
        ("", "waiting.add({ res, at: Date.now() }); req.on('close', () => waiting.delete(res));", "", "ignored"),
        ("", "waiting.add(res);", "for (const one of waiting) one.end('bye');", "handled"),
        ("", "waiting.add(res);", "waiting.clear();", "ignored"),
        ("", "waiting.add(res); work(req, res);", "", "handled"),
        ("", "waiting.add(res); res.end('ok');", "", "handled"),
        ("", "waiting.add(res); setTimeout(() => res.end(), 1000);", "", "handled"),
        ("const bus = require('./bus');", "waiting.add(res); bus.emit('work', req.url);", "", "handled"),
        ("async function answer() { for (;;) { for (const one of waiting) one.end('ok'); await new Promise((r) => setTimeout(r, 50)); } }\nanswer();", "waiting.add(res);", "", "handled"),
        ("setInterval(() => { for (const one of waiting) one.end('tick'); }, 500).unref();", "waiting.add(res);", "", "handled"),
        ("require('./bus').on('news', (text) => { for (const one of waiting) one.end(text); });", "waiting.add(res);", "", "unknown"),
        ("function news() { for (const one of waiting) one.end(); }", "if (req.method === 'POST') { news(); return res.end(); } waiting.add(res);", "", "ignored"),
        ("function wait(req, res) { return new Promise((resolve) => waiting.add(resolve)); }", "wait(req, res).then((t) => res.end(t));", "", "ignored"),
    ],
)  # fmt: skip
def test_a_request_that_nothing_answers_holds_the_server(beside: str, request_: str, stop: str, expected: str) -> None:
    text = (SERVER % (beside, request_)) + (STOP % stop)
    assert (
        verdict(text, bus_js="const { EventEmitter } = require('events'); module.exports = new EventEmitter();")
        == expected
    )


# Jobs and lists that an exit by time leaves behind

JOBS = """const running = new Set();
function begin(seconds) { const job = work(seconds); running.add(job); job.finally(() => running.delete(job)); }
module.exports = { begin };
"""


@pytest.mark.parametrize(
    ("work", "given", "expected"),
    [
        ("async function work() { await new Promise((r) => setTimeout(r, 2000)); }", 500, "unknown"),
        ("async function work() { await new Promise((r) => setTimeout(r, 2000)); }", 6000, "handled"),
        ("async function work() { await fetch('http://a/'); }", 500, "unknown"),
        ("async function work() { await fetch('http://a/'); }", 4000, "handled"),
    ],
)
def test_a_race_that_gives_up_jobs_is_to_give_them_their_time(work: str, given: int, expected: str) -> None:
    text = f"{JOBS}{work}\nprocess.on('SIGTERM', async () => {{ await Promise.race([Promise.all([...running]), new Promise((r) => setTimeout(r, {given}))]); process.exit(0); }});"
    assert verdict(text) == expected


LIST = "const rows = [1, 2, 3];\nasync function next() { while (rows.length) { rows.shift(); await new Promise((r) => setTimeout(r, 100)); } }\nnext();\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("{ console.log(rows.length); setTimeout(() => process.exit(0), 500); }", "unknown"),
        ("setTimeout(() => process.exit(0), rows.length ? 500 : 0)", "unknown"),
        ("{ if (rows.length) require('fs').writeFileSync('rows', String(rows)); process.exit(0); }", "handled"),
        ("{ console.log(rows.length); setTimeout(() => process.exit(0), 8000); }", "handled"),
    ],
)
def test_a_handler_that_only_asks_for_a_list_leaves_it_behind(handler: str, expected: str) -> None:
    assert verdict(f"{LIST}process.on('SIGTERM', () => {handler});") == expected


# What is broken off

ABORT = """const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const fs = require('fs');
const ac = new AbortController();
async function* rows() { for (let i = 0; i < 40; i++) { await new Promise((r) => setTimeout(r, 50)); yield `${i}`; } }
const copy = () => pipeline(Readable.from(rows()), fs.createWriteStream('/tmp/rows'), { signal: ac.signal });
process.on('SIGTERM', () => ac.abort());
"""
AWAITED = "await pipeline(Readable.from(rows()), fs.createWriteStream('/tmp/rows'), { signal: ac.signal });"


@pytest.mark.parametrize(
    ("body", "call", "expected"),
    [
        (f"{AWAITED} console.log('complete');", "main().catch((e) => console.error(e))", "cut"),
        (f"{AWAITED} console.log('complete');", "main()", "cut"),
        (f"{AWAITED} console.log('complete');", "main().catch(() => save())", "unknown"),
        (AWAITED, "main().catch((e) => console.error(e))", "unknown"),
        (f"try {{ {AWAITED} console.log('complete'); }} catch (e) {{ console.log('aborted'); }}", "main()", "cut"),
        (f"try {{ {AWAITED} console.log('complete'); }} catch (e) {{ await save(); }}", "main()", "handled"),
        (f"try {{ {AWAITED} console.log('complete'); }} catch (e) {{ console.log('aborted'); }} await save();", "main()", "handled"),
        (f"try {{ {AWAITED} }} catch (e) {{ console.log('aborted'); }}", "main()", "handled"),
    ],
)  # fmt: skip
def test_what_a_signal_breaks_off_is_lost_where_nothing_makes_up_for_it(body: str, call: str, expected: str) -> None:
    saves = "async function save() { await fs.promises.writeFile('/tmp/at', '1'); }\n"
    assert verdict(f"{ABORT}{saves}async function main() {{ {body} }}\n{call};") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("try { while (true) { ac.signal.throwIfAborted(); await step(); } } finally { save(); }", "handled"),
        ("try { while (true) { ac.signal.throwIfAborted(); await step(); } } catch { save(); }", "handled"),
        ("while (true) { ac.signal.throwIfAborted(); await step(); } save();", "cut"),
        ("while (true) { await step(); }", "ignored"),
    ],
)
def test_a_loop_is_left_by_what_the_aborted_signal_throws(body: str, expected: str) -> None:
    text = "const ac = new AbortController();\nconst step = () => new Promise((r) => setTimeout(r, 200));\nconst save = () => require('fs').writeFileSync('/tmp/at', '1');\nprocess.on('SIGTERM', () => ac.abort());\n"
    assert (
        verdict(f"{text}async function main() {{ {body} }}\nmain().catch((e) => console.error(e.message));") == expected
    )


# Timers that are left running

LIMIT = """const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const { setTimeout: pause } = require('timers/promises');
let stopping = false;
async function limited(ms) {
  let timer;
  try { return await Promise.race([sleep(100), new Promise((r) => { timer = setTimeout(r, ms); })]); } finally { clearTimeout(timer); }
}
"""


@pytest.mark.parametrize(
    ("round_", "delay"),
    [
        ("await Promise.race([sleep(100), sleep(30_000)]);", 30),
        ("await Promise.race([sleep(100), pause(30_000)]);", 30),
        ("await Promise.race([sleep(100), pause(30_000, null, { ref: false })]);", None),
        ("await Promise.race([sleep(100), new Promise((r) => setTimeout(r, 30_000).unref())]);", None),
        ("await Promise.race([sleep(100), sleep(2000)]);", None),
        ("await limited(30_000);", None),
    ],
)
@pytest.mark.parametrize(
    ("work", "stop"),
    [
        ("(async () => {{ while (!stopping) {{ {} }} }})();", "stopping = true"),
        ("const timer = setInterval(async () => {{ {} }}, 500);", "clearInterval(timer)"),
    ],
)
def test_a_race_leaves_its_timer_running(round_: str, delay: float | None, work: str, stop: str) -> None:
    text = f"{LIMIT}{work.format(round_)}\nprocess.on('SIGTERM', () => {{ {stop}; }});"
    reaction = program(text).reactions["SIGTERM"]
    assert reaction.as_pid_1.value == "handled"
    assert (reaction.delay if (reaction.delay or 0) > 2 else None) == delay


def test_an_interval_that_is_longer_than_the_timer_leaves_none() -> None:
    work = "const timer = setInterval(async () => { await Promise.race([sleep(100), sleep(8000)]); }, 60_000);"
    reaction = program(f"{LIMIT}{work}\nprocess.on('SIGTERM', () => clearInterval(timer));").reactions["SIGTERM"]
    assert (reaction.as_pid_1.value, reaction.delay) == ("handled", None)


# What the handler puts off

PUT_OFF = "setInterval(() => {}, 1000);\nfunction save() { console.log('saved'); }\nfunction later() { setTimeout(save, 500); }\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("{ later(); process.exit(0); }", "cut"),
        ("{ setTimeout(() => console.log('bye'), 100); process.exit(0); }", "cut"),
        ("{ const timer = setTimeout(save, 500); clearTimeout(timer); process.exit(0); }", "handled"),
        ("{ later(); save(); process.exit(0); }", "handled"),
        ("{ setTimeout(() => process.exit(1), 2000); process.exit(0); }", "handled"),
    ],
)
def test_an_exit_at_once_leaves_out_what_the_handler_puts_off(handler: str, expected: str) -> None:
    assert verdict(f"{PUT_OFF}process.on('SIGTERM', () => {handler});") == expected


def test_a_combined_signal_is_aborted_with_its_own() -> None:
    text = "const { setTimeout: pause } = require('timers/promises');\nconst ac = new AbortController();\nprocess.on('SIGTERM', () => ac.abort());\n"
    made = "const signal = AbortSignal.any([ac.signal, AbortSignal.timeout(9000)]);"
    loop = "for (;;) { try { await pause(5000, null, { signal }); } catch { if (ac.signal.aborted) return; } }"
    assert verdict(f"{text}async function main() {{ {made} {loop} }}\nmain();") == "handled"


def test_a_thread_that_requests_ask_may_be_idle_once_they_are_answered() -> None:
    text = (
        "const { Worker } = require('worker_threads');\nconst worker = new Worker('./work.js');\n"
        "const server = require('http').createServer((req, res) => { worker.postMessage(1); worker.once('message', () => res.end()); });\n"
        "server.listen(80);\nprocess.on('SIGTERM', () => server.close(() => process.exit(0)));"
    )
    work = (
        "const { parentPort } = require('worker_threads');\nparentPort.on('message', () => parentPort.postMessage(1));"
    )
    assert verdict(text, work_js=work) == "unknown"
