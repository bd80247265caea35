"""Node programs: what a signal does to them. The verdicts of the tables were measured with real processes on Node 20, as PID 1
of a PID namespace and with a request of 2.5 s in flight where there is a server."""

# ruff: noqa: E501 (a line of these tables is a program)

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracelint.behaviour.node import read_node, trace_built
from gracelint.facts.program import Act, Program
from gracelint.parse.errors import ParseError
from gracelint.source import Source


class Tree:
    """Files given as text."""

    name = "app"

    def __init__(self, files: dict[str, str]) -> None:
        self.sources = {path: Source(path, text) for path, text in files.items()}

    def read(self, path: str) -> Source | None:
        return self.sources.get(path)

    def glance(self, path: str) -> str:
        return self.sources[path].text if path in self.sources else ""

    def exists(self, path: str) -> bool:
        return path in self.sources or any(known.startswith(f"{path}/") for known in self.sources)

    def names(self, folder: str) -> tuple[str, ...]:
        start = f"{folder}/" if folder not in ("", ".") else ""
        inside = {known[len(start) :] for known in self.sources if known.startswith(start)}
        return tuple(sorted({name if "/" not in name else name.split("/")[0] + "/" for name in inside}))


def program(
    text: str,
    *,
    path: str = "app.js",
    env: dict[str, str | None] | None = None,
    node: int | None = 20,
    argv: tuple[str, ...] = (),
    **files: str,
) -> Program:
    """The program of a text; `files` have `_` for `.` and `__` for `/` in their names."""
    named = {name.replace("__", "/").replace("_", "."): content for name, content in files.items()}
    tree = Tree({path: text, **named})
    source = tree.read(path)
    assert source is not None
    return read_node(source, files=tree, env=env or {}, node_major=node, argv=argv)


SERVER = """\
const http = require('http');
const server = http.createServer((req, res) => setTimeout(() => res.end('ok'), 2500));
server.listen(8000);
"""
CHECKED = "function url() {{ {}return ''; }}\nif (!url()) throw new Error('none');\n"
CLOSES = "process.on('SIGTERM', () => server.close());"
INTERVAL = "const timer = setInterval(() => {}, 500);\n"
SLEEP = "const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (SERVER, "ignored"),
        (SERVER + "process.on('SIGINT', () => server.close());", "ignored"),
        (SERVER + "process.on('exit', () => server.close());", "ignored"),
        (SERVER + "process.on('beforeExit', () => server.close());", "ignored"),
        (SERVER + "process.on('SIGTERM', () => {});", "ignored"),
        (SERVER + "process.on('SIGTERM', (signal) => console.log(signal));", "ignored"),
        (SERVER + "let stopping = false;\nprocess.on('SIGTERM', () => { stopping = true; });", "ignored"),
        (SERVER + "process.on('SIGTERM', () => server.closeIdleConnections());", "ignored"),
        (SERVER + "process.on('SIGTERM', () => server.close());", "handled"),
        (SERVER + "process.once('SIGTERM', () => server.close(() => process.exit(0)));", "handled"),
        (SERVER + "process.on('SIGTERM', () => server.close());\nprocess.removeAllListeners('SIGTERM');", "ignored"),
        (SERVER + INTERVAL + "process.on('SIGTERM', () => server.close());", "ignored"),
        (SERVER + INTERVAL + "timer.unref();\nprocess.on('SIGTERM', () => server.close());", "handled"),
        (SERVER + INTERVAL + "process.on('SIGTERM', () => { clearInterval(timer); server.close(); });", "handled"),
        (SERVER + "process.on('SIGTERM', () => process.exit(0));", "cut"),
        (SERVER + "process.on('SIGTERM', process.exit);", "cut"),
        (SERVER + "process.on('SIGTERM', () => process.abort());", "cut"),
        (SERVER + "process.on('SIGTERM', () => setImmediate(() => process.exit(0)));", "cut"),
        (SERVER + "process.on('SIGTERM', () => { throw new Error('stop'); });", "cut"),
        (SERVER + "process.on('SIGTERM', () => { server.close(); throw new Error('stop'); });", "cut"),
        (SERVER + "process.on('SIGTERM', () => { server.close(() => process.exit(0)); process.exit(1); });", "cut"),
        (SERVER + "process.on('SIGTERM', () => { server.close(); server.closeAllConnections(); });", "cut"),
        (SERVER + "process.on('SIGTERM', () => server.close());\nprocess.on('SIGTERM', () => process.exit(0));", "cut"),
        (SERVER + "process.on('SIGTERM', () => { while (true) {} });", "ignored"),
        (CHECKED.format("if (process.env.URL) return process.env.URL; ") + SERVER + CLOSES, "handled"),
        (CHECKED.format("if (process.env.URL) throw new Error('no'); ") + SERVER + CLOSES, "ignored"),
        (SERVER + "process.on('SIGTERM', () => process.emit('SIGINT'));\nprocess.on('SIGINT', () => server.close());", "handled"),
    ],
)  # fmt: skip
def test_servers(text: str, verdict: str) -> None:
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("handler", "verdict"),
    [
        ("() => { server.close(); setTimeout(() => process.exit(1), 8000).unref(); }", "handled"),
        ("() => { server.close(() => process.exit(0)); setTimeout(() => process.exit(1), 500); }", "cut"),
        ("() => { server.close(); setTimeout(process.exit, 1000); }", "cut"),
        ("() => setTimeout(() => process.exit(0), 300)", "cut"),
        ("() => setTimeout(() => process.exit(0), 3000)", "handled"),
        ("() => { setTimeout(() => server.close(() => process.exit(0)), 500); }", "handled"),
        ("() => { server.close(); setTimeout(() => server.closeAllConnections(), 400); }", "cut"),
        ("() => { server.close(); setTimeout(() => server.closeAllConnections(), 4000).unref(); }", "handled"),
        ("async () => { await sleep(3000); await closed(); process.exit(0); }", "handled"),
        ("async () => { await Promise.race([closed(), sleep(500)]); process.exit(0); }", "cut"),
        ("async () => { await Promise.race([closed(), sleep(5000)]); process.exit(0); }", "handled"),
        ("async () => { closed(); process.exit(0); }", "cut"),
        ("async () => { await server.close(); process.exit(0); }", "cut"),
        ("async () => { server.close(); await sleep(300); process.exit(0); }", "cut"),
        ("() => closed().then(() => process.exit(0)).catch(() => process.exit(1))", "handled"),
        ("() => Promise.allSettled([closed(), sleep(10)]).then(() => process.exit(0))", "handled"),
        ("async () => { try { await closed(); } finally { process.exit(); } }", "handled"),
        ("async () => { await require('util').promisify(server.close.bind(server))(); process.exit(0); }", "handled"),
        ("async () => { await Promise.all([server].map((s) => new Promise((r) => s.close(r)))); process.exit(); }", "handled"),
        ("async () => { await Promise.resolve(); process.exit(0); }", "cut"),
    ],
)  # fmt: skip
def test_how_long_a_handler_waits(handler: str, verdict: str) -> None:
    helpers = SLEEP + "const closed = () => new Promise((resolve) => server.close(resolve));\n"
    assert program(f"{SERVER}{helpers}process.on('SIGTERM', {handler});").reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    "text",
    [
        "['SIGINT', 'SIGTERM'].forEach((name) => process.on(name, () => server.close()));",
        "for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => server.close());",
        "for (const name in { SIGINT: 2, SIGTERM: 15 }) process.on(name, () => server.close());",
        "Object.entries({ SIGTERM: 15 }).forEach(([name]) => process.addListener(name, () => server.close()));",
        "const handlers = { SIGTERM() { server.close(); } };\nfor (const [n, f] of Object.entries(handlers)) process.on(n, f);",
        "const { once } = require('events');\n(async () => { await once(process, 'SIGTERM'); server.close(); })();",
        "(async () => { await new Promise((r) => process.once('SIGTERM', r)); server.close(); })();",
        "class App {\n  constructor(s) { this.s = s; process.on('SIGTERM', this.stop.bind(this)); }\n"
        "  stop() { this.s.close(); }\n}\nnew App(server);",
        "const hooks = [];\nhooks.push(() => new Promise((r) => server.close(r)));\n"
        "process.on('SIGTERM', async () => { for (const hook of hooks) await hook(); process.exit(0); });",
        "function on(signal) {\n  switch (signal) {\n    case 'SIGTERM': server.close(); break;\n    default: process.exit(1);\n"
        "  }\n}\n['SIGINT', 'SIGTERM'].forEach((s) => process.on(s, on));",
        "let n = 0;\nprocess.on('SIGTERM', () => { if (n++ > 0) process.exit(1); server.close(); });",
        "const app = { server };\nprocess.on('SIGTERM', () => app?.server?.close?.());",
        "server.on('stop', () => server.close());\nprocess.on('SIGTERM', () => server.emit('stop'));",
    ],
)
def test_ways_to_install_a_handler(text: str) -> None:
    assert program(SERVER + text).reactions["SIGTERM"].as_pid_1 == "handled"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (INTERVAL + "process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });", "handled"),
        ("let stop = false;\nsetInterval(() => { if (stop) return; }, 500);\nprocess.on('SIGTERM', () => { stop = true; });",
         "ignored"),
        ("let stop = false;\nconst t = setInterval(() => { if (stop) clearInterval(t); }, 300);\n"
         "process.on('SIGTERM', () => { stop = true; });", "handled"),
        ("let stop = false;\nfunction poll() { if (!stop) setTimeout(poll, 300); }\npoll();\n"
         "process.on('SIGTERM', () => { stop = true; });", "handled"),
        ("let stop = false;\nfunction poll() { setTimeout(poll, 300); }\npoll();\nprocess.on('SIGTERM', () => { stop = true; });",
         "ignored"),
        ("let t;\nfunction poll() { t = setTimeout(poll, 300); }\npoll();\nprocess.on('SIGTERM', () => clearTimeout(t));",
         "handled"),
        (SLEEP + "let run = true;\n(async () => { while (run) await sleep(300); })();\n"
         "process.on('SIGTERM', () => { run = false; });", "handled"),
        (SLEEP + "let stop = false;\n(async () => { for (;;) { if (stop) break; await sleep(200); } process.exit(0); })();\n"
         "process.on('SIGTERM', () => { stop = true; });", "handled"),
        (SLEEP + "(async () => { while (true) await sleep(300); })();\nprocess.on('SIGTERM', () => console.log('bye'));",
         "ignored"),
        (SLEEP + "let run = true;\nasync function tick() { await sleep(200); if (run) return tick(); }\ntick();\n"
         "process.on('SIGTERM', () => { run = false; });", "handled"),
        (SLEEP + "let stop = false;\n(async () => { while (!stop) await sleep(100); })();\n" + INTERVAL
         + "process.on('SIGTERM', () => { stop = true; });", "ignored"),
        ("process.on('SIGTERM', () => process.exit(0));\nwhile (true) {}", "ignored"),
        ("process.on('SIGTERM', () => process.exit(0));\nrequire('child_process').execSync('sleep 30');", "ignored"),
        ("const ac = new AbortController();\nconst { setTimeout: sleep } = require('timers/promises');\n"
         "process.on('SIGTERM', () => ac.abort());\n"
         "(async () => { while (!ac.signal.aborted) await sleep(500, null, { signal: ac.signal }); })().catch(() => {});", "handled"),
    ],
)  # fmt: skip
def test_workers(text: str, verdict: str) -> None:
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


def test_a_flag_is_seen_as_late_as_the_loop_sleeps() -> None:
    text = SLEEP + "let run = true;\n(async () => { while (run) await sleep(60_000); })();\n"
    reaction = program(text + "process.on('SIGTERM', () => { run = false; });").reactions["SIGTERM"]
    assert (reaction.as_pid_1, reaction.delay) == ("handled", 60.0)


@pytest.mark.parametrize(
    ("wait", "verdict", "delay"),
    [
        ("sqs.send(new ReceiveMessageCommand({ WaitTimeSeconds: 20 }))", "handled", 20.0),
        ("client.blPop('jobs', 5)", "handled", 5.0),
        ("client.blPop('jobs', 0)", "ignored", None),
        ("fetch('https://shop.example/jobs')", "handled", None),
        ("jobs.take()", "unknown", None),
    ],
)
def test_a_loop_that_polls_sees_its_flag_when_the_poll_is_over(wait: str, verdict: str, delay: float | None) -> None:
    text = (
        "const { SQSClient, ReceiveMessageCommand } = require('@aws-sdk/client-sqs');\n"
        "const client = require('redis').createClient();\nconst sqs = new SQSClient({});\nconst jobs = require('./jobs');\n"
        f"let run = true;\n(async () => {{ while (run) await {wait}; await client.quit(); }})();\n"
        "process.on('SIGTERM', () => { run = false; });\n"
    )
    reaction = program(text, jobs_js="exports.take = require('./native').take;\n").reactions["SIGTERM"]
    assert (reaction.as_pid_1, reaction.delay) == (verdict, delay)


@pytest.mark.parametrize(
    "logger",
    [
        "const logger = require('winston').createLogger({});",
        "const logger = require('pino')();",
        "const { logger } = require('./log');",
        "const logger = require('./missing').logger;",
    ],
)
def test_logging_ends_nothing(logger: str) -> None:
    text = f"{SERVER}{logger}\nprocess.on('SIGTERM', (signal) => {{ logger.info(signal); }});"
    found = program(text, log_js="exports.logger = require('pino')();\n").reactions["SIGTERM"]
    assert (found.as_pid_1, found.cause) == ("ignored", "discarded")


def test_a_connection_that_stays_open_keeps_node_running() -> None:
    text = (
        "const mongoose = require('mongoose');\nconst app = require('express')();\nlet server;\n"
        "mongoose.connect(process.env.MONGO_URL).then(() => { server = app.listen(3000); });\n"
        "process.on('SIGTERM', () => { server.close(CLOSED); });\n"
    )
    open_ = program(text.replace("CLOSED", "")).reactions["SIGTERM"]
    closed = program(text.replace("CLOSED", "() => mongoose.disconnect()")).reactions["SIGTERM"]
    assert open_.why == "its SIGTERM handler runs, but the mongoose connection in line 4 keeps it running"
    assert (open_.as_pid_1, closed.as_pid_1) == ("ignored", "handled")


def test_a_method_that_only_a_framework_calls_is_not_taken_for_dead() -> None:
    service = "export class Stop {\n  onModuleInit() {\n    process.on('SIGTERM', () => process.exit(0));\n  }\n}\n"
    reaction = program(f"import {{ Stop }} from './stop';\n{SERVER}", path="main.ts", stop_ts=service).reactions[
        "SIGTERM"
    ]
    assert (reaction.as_pid_1, reaction.why) == (
        "unknown",
        "whether anything calls the function in stop.ts line 3, which handles SIGTERM, cannot be told",
    )


@pytest.mark.parametrize(
    ("work", "verdict"),
    [
        ("app.get('/slow', (req, res) => setTimeout(() => res.end(), 2500))", "cut"),
        ("app.get('/slow', async () => { await sleep(2500); })", "cut"),
        ("function expire(cache, key) { setTimeout(() => cache.delete(key), 60000); }", "handled"),
        ("async function retry() { await sleep(60000); }", "handled"),
    ],
)
def test_only_timers_that_requests_wait_for_say_how_long_requests_take(work: str, verdict: str) -> None:
    text = (
        "const http = require('http');\nconst app = require('express')();\n"
        + SLEEP
        + "const server = app.listen(80);\n"
        f"{work};\nprocess.on('SIGTERM', () => {{ server.close(); setTimeout(process.exit, 2000); }});\n"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


CHILD = "setInterval(() => {}, 500);\nprocess.on('SIGTERM', () => setTimeout(() => process.exit(0), 500));\n"
SPAWN = "const { spawn, fork } = require('child_process');\nconst child = spawn('node', ['child.js']);\n"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (SPAWN + "child.on('exit', (code) => process.exit(code));", "ignored"),
        (SPAWN + "process.on('SIGTERM', () => child.kill('SIGTERM'));", "handled"),
        (SPAWN + "process.on('SIGTERM', () => child.kill());\nchild.on('exit', (code) => process.exit(code));", "handled"),
        (SPAWN + "process.on('SIGTERM', () => { child.kill(); process.exit(0); });", "cut"),
        (SPAWN.replace("child.js", "idle.js") + "process.on('SIGTERM', () => child.kill());", "cut"),
        (SPAWN.replace("spawn('node', ['child.js'])", "fork('./child.js')") + "process.on('SIGTERM', () => child.kill());",
         "handled"),
        (SPAWN.replace("child.js", "-c") + "process.on('SIGTERM', () => child.kill());", "unknown"),
    ],
)  # fmt: skip
def test_child_processes(text: str, verdict: str) -> None:
    assert program(text, child_js=CHILD, idle_js="setInterval(() => {}, 500);").reactions["SIGTERM"].as_pid_1 == verdict


CLUSTER = """\
const cluster = require('cluster');
const http = require('http');
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
  PRIMARY
} else {
  const server = http.createServer((req, res) => setTimeout(() => res.end('ok'), 2500)).listen(8000);
  WORKER
}
"""
CLOSES = "process.on('SIGTERM', () => server.close(() => process.exit(0)));"
KILLS = "process.on('SIGTERM', () => { for (const id in cluster.workers) cluster.workers[id].kill(); });"


@pytest.mark.parametrize(
    ("primary", "worker", "verdict"),
    [
        ("", CLOSES, "ignored"),
        (KILLS, CLOSES, "handled"),
        (KILLS, "", "cut"),
        (KILLS + "cluster.on('exit', () => cluster.fork());", CLOSES, "ignored"),
        ("let stop = false; cluster.on('exit', () => { if (!stop) cluster.fork(); });"
         + KILLS.replace("() => {", "() => { stop = true;"), CLOSES, "handled"),
        (KILLS.replace("} });", "} process.exit(0); });").replace("kill(); })", "kill(); process.exit(0); })"), CLOSES, "cut"),
        ("process.on('SIGTERM', () => cluster.disconnect());", "", "handled"),
        ("process.on('SIGTERM', () => cluster.disconnect(() => process.exit(0)));", "", "cut"),
        ("process.on('SIGTERM', () => Object.values(cluster.workers).forEach((w) => w.send('stop')));",
         "process.on('message', (m) => { if (m === 'stop') server.close(() => process.exit(0)); });", "handled"),
    ],
)  # fmt: skip
def test_clusters(primary: str, worker: str, verdict: str) -> None:
    text = CLUSTER.replace("PRIMARY", primary).replace("WORKER", worker)
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


THREADS = """\
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (isMainThread) {
  const worker = new Worker(__filename);
  MAIN
} else {
  const timer = setInterval(() => {}, 100);
  THREAD
}
"""


@pytest.mark.parametrize(
    ("main", "thread", "verdict"),
    [
        ("process.on('SIGTERM', () => worker.terminate());", "", "cut"),
        ("process.on('SIGTERM', () => worker.postMessage('stop'));", "", "ignored"),
        ("process.on('SIGTERM', () => worker.postMessage('stop'));",
         "parentPort.on('message', () => { clearInterval(timer); parentPort.close(); });", "handled"),
        ("worker.on('exit', () => process.exit(0));\nprocess.on('SIGTERM', () => worker.postMessage({ type: 'stop' }));",
         "parentPort.on('message', (m) => { if (m.type === 'stop') { clearInterval(timer); parentPort.close(); } });", "handled"),
    ],
)  # fmt: skip
def test_worker_threads(main: str, thread: str, verdict: str) -> None:
    text = THREADS.replace("MAIN", main).replace("THREAD", thread)
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("const app = require('express')();\nconst s = app.listen(80);\nprocess.on('SIGTERM', () => s.close());", "handled"),
        ("const app = require('express')();\napp.listen(80);\nprocess.on('SIGTERM', () => app.close());", "cut"),
        ("import { App } from '@tinyhttp/app';\nnew App().listen(80);", "ignored"),
        ("import { App } from '@tinyhttp/app';\nconst s = new App().listen(80);\nprocess.on('SIGTERM', () => s.close());", "handled"),
        ("const Koa = require('koa');\nconst s = new Koa().listen(80);\nprocess.on('SIGTERM', () => s.close());", "handled"),
        ("const app = require('fastify')();\napp.listen({ port: 80 });", "ignored"),
        ("const app = require('fastify')();\napp.listen({ port: 80 });\n"
         "process.on('SIGTERM', async () => { await app.close(); process.exit(0); });", "handled"),
        ("const app = require('fastify')();\napp.listen({ port: 80 });\n"
         "process.on('SIGTERM', () => { app.close(); process.exit(0); });", "cut"),
        ("const app = require('fastify')();\napp.register(require('fastify-graceful-shutdown'));\napp.listen({ port: 80 });",
         "handled"),
        ("const Hapi = require('@hapi/hapi');\n(async () => {\n  const s = Hapi.server({ port: 80 });\n  await s.start();\n"
         "  process.on('SIGTERM', async () => { await s.stop(); process.exit(0); });\n})();", "handled"),
        (SERVER + "require('http-graceful-shutdown')(server);", "handled"),
        (SERVER + "require('@godaddy/terminus').createTerminus(server, { signal: 'SIGTERM' });", "cut"),
        (SERVER + "require('@godaddy/terminus').createTerminus(server, { signal: 'SIGTERM', timeout: 5000 });", "handled"),
        (SERVER + "const stop = require('http-terminator').createHttpTerminator({ server });\n"
         "process.on('SIGTERM', () => stop.terminate());", "cut"),
        (SERVER + "require('stoppable')(server, 5000);\nprocess.on('SIGTERM', () => server.stop());", "handled"),
        (SERVER + "require('close-with-grace')({ delay: 5000 }, () => new Promise((r) => server.close(r)));", "handled"),
        (SERVER + "require('close-with-grace')({ delay: 500 }, () => new Promise((r) => server.close(r)));", "cut"),
        (SERVER + "require('node-graceful-shutdown').onShutdown(() => new Promise((r) => server.close(r)));", "handled"),
        (INTERVAL + "require('signal-exit').onExit(() => console.log('bye'));", "ignored"),
        (INTERVAL + "require('death')(() => process.exit(0));", "handled"),
    ],
)  # fmt: skip
def test_libraries(text: str, verdict: str) -> None:
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (SERVER, "cut"),
        (SERVER + "process.on('SIGTERM', () => {});", "ignored"),
        (SERVER + "process.once('SIGTERM', (s) => server.close(() => process.kill(process.pid, s)));", "handled"),
        (
            INTERVAL + "process.once('SIGTERM', (s) => { console.log('bye'); process.kill(process.pid, s); });",
            "handled",
        ),
        (INTERVAL + "require('signal-exit').onExit(() => console.log('bye'));", "handled"),
        ("process.on('SIGTERM', () => process.exit(0));\nwhile (true) {}", "ignored"),
    ],
)
def test_as_the_child_of_an_init(text: str, verdict: str) -> None:
    assert program(text).reactions["SIGTERM"].as_child == verdict


def test_handlers_in_modules_of_the_project() -> None:
    register = (
        "export const register = (server, { timeout = 10_000 } = {}) => {\n"
        "  for (const signal of ['SIGTERM', 'SIGINT'])\n"
        "    process.once(signal, () => {\n"
        "      const timer = setTimeout(() => process.exit(1), timeout).unref();\n"
        "      server.close(() => clearTimeout(timer));\n"
        "    });\n"
        "};\n"
    )
    text = (
        "import http from 'node:http';\nimport { register } from './lib/index.js';\n"
        "const server = http.createServer();\nawait new Promise((resolve) => server.listen(80, resolve));\nregister(server);\n"
    )
    found = program(
        text, path="main.ts", lib__index_ts="export * from './stop';\n", lib__stop_ts=register, tsconfig_json="{}"
    )
    assert [source.path for source in found.sources] == ["main.ts", "lib/index.ts", "lib/stop.ts"]
    assert found.reactions["SIGTERM"].as_pid_1 == "handled"
    assert found.drain_seconds == 10


def test_typescript_with_paths_and_classes() -> None:
    found = program(
        "import { App } from '@app/server';\nvoid new App(8080).start();\n",
        path="src/main.ts",
        tsconfig_json='{ // comments are allowed\n "compilerOptions": { "baseUrl": ".", "paths": { "@app/*": ["src/*"], } } }',
        src__server_ts=(
            "import http, { type Server } from 'http';\n"
            "export class App {\n"
            "  private server!: Server;\n"
            "  constructor(private readonly port: number) {}\n"
            "  async start(): Promise<void> {\n"
            "    this.server = http.createServer((_req, res) => { res.end('ok'); });\n"
            "    this.server.listen(this.port);\n"
            "    process.on('SIGTERM', () => this.stop());\n"
            "  }\n"
            "  stop(): void { this.server.close((err?: Error) => process.exit(err ? 1 : 0)); }\n"
            "}\n"
        ),
    )
    assert found.reactions["SIGTERM"].as_pid_1 == "handled"
    assert found.servers[0].variable == "this.server"


def test_nest_closes_and_sends_itself_the_signal_again() -> None:
    text = (
        "import { NestFactory } from '@nestjs/core';\nimport { AppModule } from './app.module';\n"
        "async function bootstrap() {\n  const app = await NestFactory.create(AppModule);\n  HOOKS\n"
        "  await app.listen(3000);\n}\nbootstrap();\n"
    )
    module = "export class AppModule {}\n"
    with_hooks = program(text.replace("HOOKS", "app.enableShutdownHooks();"), path="main.ts", app_module_ts=module)
    without = program(text.replace("HOOKS", ""), path="main.ts", app_module_ts=module)
    assert with_hooks.reactions["SIGTERM"].as_pid_1 == "handled"
    assert without.reactions["SIGTERM"].as_pid_1 == "ignored"


@pytest.mark.parametrize(
    ("env", "verdict"),
    [
        ({"NODE_ENV": "production"}, "handled"),
        ({"NODE_ENV": "test"}, "ignored"),
        ({}, "unknown"),
        ({"NODE_ENV": None}, "unknown"),
    ],
)
def test_handlers_behind_a_condition_on_the_environment(env: dict[str, str | None], verdict: str) -> None:
    text = SERVER + "if (process.env.NODE_ENV === 'production') process.on('SIGTERM', () => server.close());"
    assert program(text, env=env).reactions["SIGTERM"].as_pid_1 == verdict


def test_arguments_of_the_program_decide() -> None:
    text = SERVER + "if (process.argv[2] === 'serve') process.on('SIGTERM', () => server.close());"
    assert program(text, argv=("serve",)).reactions["SIGTERM"].as_pid_1 == "handled"
    assert program(text).reactions["SIGTERM"].as_pid_1 == "ignored"


@pytest.mark.parametrize(
    "text",
    [
        "const [role] = process.argv.slice(2);",
        "const [role, ...rest] = process.argv.slice(2);",
        "const [, , role = 'help'] = process.argv;",
        "const args = process.argv.slice(2);\nconst role = args.shift();",
        "const role = process.argv.at(-1);",
        "const role = process.argv.slice(2).includes('serve') ? 'serve' : 'help';",
        "const role = ['help', 'serve'].find((name) => name === process.argv[2]);",
        "let role; [role] = process.argv.filter((word) => word === 'serve');",
        "const parse = ([role = 'help', ...flags]) => ({ role, flags });\nconst { role } = parse(process.argv.slice(2));",
        "let role; ((name = 'help', ...rest) => { role = name; })(...process.argv.slice(2));",
        "const { role } = Object.fromEntries(process.argv.slice(2).map((word) => ['role', word]));",
        "const { port, ...rest } = { port: 80, role: process.argv[2] };\nconst { role } = rest;",
        "const role = process.argv[2] in { serve: 1 } ? 'serve' : 'help';",
    ],
)
def test_the_words_of_the_command_line_are_known_however_they_are_taken(text: str) -> None:
    text = SERVER + text + "\nif (role === 'serve') process.on('SIGTERM', () => server.close());"
    assert program(text, argv=("serve",)).reactions["SIGTERM"].as_pid_1 == "handled"
    assert program(text, argv=("stop",)).reactions["SIGTERM"].as_pid_1 == "ignored"


def test_words_that_a_shell_expands_are_known_when_it_runs() -> None:
    text = SERVER + "if (process.argv[2] === 'serve') process.on('SIGTERM', () => server.close());"
    assert program(text, argv=("$(cat /role)",)).reactions["SIGTERM"].as_pid_1 == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "const [role] = words();",
        "const [role = 'help'] = ['a', ...words()];",
        "const [role] = ['a', 'b'].filter(words());",
        "const [role] = ['b', 'a'].sort();",
        "const roles = ['a'];\nroles[words()] = 'serve';\nconst [role] = roles;",
        "const roles = ['a'];\nroles.splice(0, 1);\nconst [role] = roles;",
        "const { role } = { role: 'help', ...words() };",
        "const { role } = Object.assign({ role: 'help' }, words());",
        "const { role } = { role: 'help', [words()]: 'serve' };",
        "const table = { role: 'help' };\ntable[words()] = 'serve';\nconst { role } = table;",
        "let role; ((name = 'help') => { role = name; })(...words());",
        "let role; ((name = 'help') => { role = name; }).apply(null, words());",
    ],
)
def test_what_is_put_where_nobody_can_tell_leaves_nothing_certain(text: str) -> None:
    text = SERVER + "const words = require('words');\n" + text
    text += "\nif (role === 'serve') process.on('SIGTERM', () => server.close());"
    assert program(text).reactions["SIGTERM"].as_pid_1 == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "const settings = require('./settings.json');",
        "const settings = require('./settings');",
        "import settings from './settings.json' with { type: 'json' };",
        "const settings = JSON.parse(require('fs').readFileSync('./settings.json', 'utf8'));",
    ],
)
def test_json_of_the_project_is_known(text: str) -> None:
    text += "\n" + SERVER + "for (const signal of settings.signals) process.on(signal, () => server.close());"
    known = {"SIGINT": "ignored", "SIGTERM": "handled"}
    for signal, verdict in known.items():
        reactions = program(text, settings_json=f'{{"signals": ["{signal}"]}}').reactions
        assert reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SERVER + "require('./missing');", "./missing could not be read, and may handle SIGTERM"),
        (SERVER + "process.on(name, () => server.close());", "which signals line 4 handles is only known when it runs"),
        (SERVER + "process.on('SIGTERM', require('./missing').stop);", "what ?./missing.stop() does cannot be told"),
        (SERVER + "for (const s of all) process.on('SIGTERM', stop);",
         "whether the handler in line 4 is installed is only known when it runs: it depends on `all` in line 4"),
        (SERVER + "if (process.env.GRACEFUL === 'true')\n  process.on('SIGTERM', stop);",
         "whether the handler in line 5 is installed is only known when it runs: "
         "it depends on `process.env.GRACEFUL` in line 4"),
        (SERVER + "const env = process.env.NODE_ENV || 'development';\nconst config = { isProduction: env === 'production' };\n"
         "if (config.isProduction) process.on('SIGTERM', stop);",
         "whether the handler in line 6 is installed is only known when it runs: it depends on `config.isProduction` in "
         "line 6, which asks for `process.env.NODE_ENV`"),
        (SERVER + "class Settings { isProduction() { return process.env.NODE_ENV === 'production'; } }\n"
         "if (new Settings().isProduction()) process.on('SIGTERM', stop);",
         "whether the handler in line 5 is installed is only known when it runs: it depends on "
         "`new Settings().isProduction()` in line 5, which asks for `process.env.NODE_ENV`"),
        (SERVER + "const serve = () => process.on('SIGTERM', stop);\n({ serve })[process.env.ROLE]();",
         "whether anything calls the function in app.js line 4, which handles SIGTERM, cannot be told"),
        (SERVER + "require(`./roles/${process.env.ROLE}`);",
         "what line 4 of app.js loads could not be read, and may handle SIGTERM"),
        (SERVER + "require('@acme/ops').gracefully(server);",
         "whether @acme/ops.gracefully(), which the program calls, handles SIGTERM is not known"),
        ("require('@acme/server').start();", "nothing is known of @acme/server.start(), which the program calls"),
        (SERVER + "let active = 0;\nserver.on('request', () => { active++; });\n"
         "process.on('SIGTERM', () => { server.close(); setInterval(() => { if (active === 0) process.exit(0); }, 100); });",
         "what comes before process.exit in line 6 cannot be told"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_says_why(text: str, why: str) -> None:
    reaction = program(text).reactions["SIGTERM"]
    assert (reaction.as_pid_1, reaction.why) == ("unknown", why)


@pytest.mark.parametrize(
    ("text", "cause", "why"),
    [
        (SERVER, "no-handler", "it has no handler for SIGTERM"),
        (SERVER + "process.on('SIGINT', () => server.close());", "other-signal-only", "it handles SIGINT, not SIGTERM"),
        (SERVER + "process.on('SIGTERM', () => {});", "discarded",
         "its SIGTERM handler does nothing that ends it: the listening server in line 3 keeps it running"),
        (INTERVAL + "let stop = false;\nprocess.on('SIGTERM', () => { stop = true; });", "never-observed",
         "its SIGTERM handler only sets `stop`, and the setInterval in line 1 keeps it running"),
        (SERVER + "process.on('SIGTERM', () => process.exit(0));", "abrupt-exit",
         "process.exit comes at once, without closing the server"),
        (SERVER + "process.on('SIGTERM', () => { server.close(); setTimeout(process.exit, 500); });", "abrupt-exit",
         "process.exit comes 0.5 s after the signal, before the requests in flight are answered"),
        (SERVER + "setInterval(() => {}, 9);\nprocess.on('SIGTERM', () => server.close());", "still-alive",
         "its SIGTERM handler runs, but the setInterval in line 4 keeps it running"),
        (SERVER + "process.on('SIGTERM', () => server.close());", "graceful",
         "its SIGTERM handler closes the server, and nothing is left to run"),
        ("console.log('done');", "one-shot", "it has no handler for SIGTERM, and runs to its end by itself"),
    ],
)  # fmt: skip
def test_the_cause_and_its_words(text: str, cause: str, why: str) -> None:
    reaction = program(text).reactions["SIGTERM"]
    assert (reaction.cause, reaction.why) == (cause, why)


def test_the_facts_of_a_handler() -> None:
    text = (
        SERVER + "const pool = new (require('pg').Pool)();\n"
        "for (const signal of ['SIGINT', 'SIGTERM']) {\n"
        "  process.on(signal, async () => {\n"
        "    console.log('stopping');\n"
        "    setTimeout(() => process.exit(1), 8000).unref();\n"
        "    await new Promise((resolve) => server.close(resolve));\n"
        "    await pool.end();\n"
        "    process.exit(0);\n"
        "  });\n"
        "}\n"
    )
    found = program(text)
    (handler,) = found.handlers
    assert handler.signals == ("SIGINT", "SIGTERM")
    assert [span.text for span in handler.names] == ["'SIGINT'", "'SIGTERM'"]
    assert handler.body is not None and handler.body.text.startswith("async () => {")
    assert _outline(handler.acts) == ["log", ["timer 8", ["exit"]], ["close server", [["cancel pool", ["exit"]]]]]
    assert (found.drain_seconds, found.drain_span and found.drain_span.text) == (8.0, "process.exit(1)")
    assert [(one.library, one.variable, one.closed) for one in found.connections] == [("pg", "pool", True)]
    assert [(one.name, one.variable, one.span.line) for one in found.servers] == [("http", "server", 3)]
    assert found.long_running


def _outline(acts: tuple[Act, ...]) -> list[object]:
    names = [" ".join(filter(None, (act.kind, act.target, f"{act.seconds:g}" if act.seconds else ""))) for act in acts]
    return [[name, _outline(act.then)] if act.then else name for name, act in zip(names, acts, strict=True)]


def test_waits_on_the_way_out() -> None:
    closing = "process.on('SIGTERM', () => server.close());"
    assert [(wait.kind, wait.seconds) for wait in program(SERVER + closing).waits] == [
        ("close", None),
        ("keep-alive", 5.0),
    ]
    once = closing.replace("server.close()", "{ server.close(); server.closeIdleConnections(); }")
    assert [wait.kind for wait in program(SERVER + once).waits] == ["keep-alive"]
    sweep = once.replace("server.closeIdle", "setInterval(() => server.closeIdle").replace("s(); }", "s(), 500); }")
    assert not program(SERVER + sweep).waits


def test_work_before_the_first_handler_counts_only_where_it_is_awaited() -> None:
    text = "(async () => {\n  await db.connect();\n  queue.connect();\n  process.on('SIGTERM', () => process.exit(0));\n})();\n"
    assert [(wait.kind, wait.span.text) for wait in program(text).startup] == [("connect", "await db.connect()")]


def test_places_are_code_points() -> None:
    found = program("const été = '🚢';\n" + SERVER)
    assert found.span.text == "server.listen(8000)"
    assert (found.span.line, found.span.column) == (4, 1)


@pytest.mark.parametrize(
    ("path", "files", "source"),
    [
        ("dist/main.js", {"src/main.ts": ""}, "src/main.ts"),
        ("build/server.js", {"server.ts": ""}, "server.ts"),
        ("out/api/main.js", {"tsconfig.json": '{"compilerOptions": {"outDir": "out", "rootDir": "lib"}}', "lib/api/main.ts": ""},
         "lib/api/main.ts"),
        ("api/dist/main.js", {"api/tsconfig.json": '{"extends": "../base"}', "base.json": '{"compilerOptions": {"outDir": "dist"}}',
                              "api/src/main.ts": ""}, "api/src/main.ts"),
        ("dist/main.js", {"main.py": ""}, None),
    ],
)  # fmt: skip
def test_built_files_are_traced_to_their_source(path: str, files: dict[str, str], source: str | None) -> None:
    found = trace_built(path, Tree(files))
    assert (found.path if found else None) == source


def test_a_syntax_error_has_its_place() -> None:
    with pytest.raises(ParseError) as caught:
        program("const a = 1;\nfunction (\n")
    assert caught.value.span.line == 2


@pytest.mark.parametrize(
    "text",
    ["[" * 3000 + "]" * 3000, "a" + "+a" * 30_000, "if (a) {" * 2000 + "}" * 2000, "{}" * 100_000, "x;" * 1_100_000],
    ids=["arrays", "sum", "blocks", "empty blocks", "long"],
)
def test_what_is_too_big_is_unknown(text: str) -> None:
    reaction = program(text).reactions["SIGTERM"]
    assert (reaction.as_pid_1, reaction.why) == ("unknown", "it is too big to be followed to its end")


@pytest.mark.parametrize(
    "text",
    [
        "const f = () => f(); f();",
        "async function f() { await f(); } f();",
        "class A extends A {} new A();",
        "const o = {}; o.o = o; for (const k in o) o[k](); o.o.o();",
        "module.exports = require('./app.js');",
        "let s = 'x';" + "s = s + s;" * 60,
        "const a = []; a.push(a); a.map((x) => x.map((y) => y.map((z) => z)));",
    ],
)
def test_programs_that_go_round_come_to_an_end(text: str) -> None:
    assert program(text).reactions["SIGTERM"].as_pid_1 in ("ignored", "unknown")


_PIECES = (
    SERVER, INTERVAL, "process.on('SIGTERM', () => ", "server.close(", ")", "{", "}", ";", "await ", "async ", "(", "new ", "'",
    "`${", "for (const s of ['SIGTERM']) ", "process.exit(0)", "class A { ", "=> ", "?.", "...", "import x from './x';", "é🚢",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_any_text_gives_facts_or_a_syntax_error(text: str) -> None:
    try:
        found = program(text)
    except ParseError as error:
        assert 0 <= error.span.start <= len(text)
    else:
        assert set(found.reactions) >= {"SIGTERM", "SIGINT"}


SLEEP = "const sleep = (ms) => new Promise((done) => setTimeout(done, ms));\n"


@pytest.mark.parametrize(
    ("handler", "seconds"),
    [
        ("server.close(() => process.exit(0));", None),
        ("server.close(); setTimeout(() => process.exit(1), 20000);", 20.0),
        ("server.close(); setTimeout(() => process.exit(1), 20000).unref();", None),
        ("const t = setTimeout(() => process.exit(1), 20000); server.close(() => clearTimeout(t));", None),
        ("setTimeout(() => server.close(), 15000);", 15.0),
        ("sleep(4000).then(() => server.close(() => process.exit(0)));", 4.0),
        ("Promise.all([sleep(4000), sleep(6000)]).then(() => process.exit(0)); server.close();", 6.0),
        ("Promise.race([sleep(4000), sleep(6000)]).then(() => process.exit(0)); server.close();", 4.0),
    ],
)
def test_the_time_it_always_takes(handler: str, seconds: float | None) -> None:
    found = program(f"{SERVER}{SLEEP}process.on('SIGTERM', () => {{ {handler} }});")
    assert (found.reactions["SIGTERM"].as_pid_1, found.reactions["SIGTERM"].delay) == ("handled", seconds)


@pytest.mark.parametrize(
    ("set_to", "handler", "seconds"),
    [
        ("65_000", "server.close();", 65.0),
        ("65_000", "server.close(); server.closeIdleConnections();", 65.0),
        ("65_000", "server.close(); setInterval(() => server.closeIdleConnections(), 500).unref();", None),
        ("65_000", "server.close(); setTimeout(() => process.exit(0), 8000).unref();", 8.0),
        ("1000", "server.close();", 1.0),
    ],
)
def test_connections_that_clients_keep(set_to: str, handler: str, seconds: float | None) -> None:
    found = program(f"{SERVER}server.keepAliveTimeout = {set_to};\nprocess.on('SIGTERM', () => {{ {handler} }});")
    assert (found.reactions["SIGTERM"].as_pid_1, found.reactions["SIGTERM"].delay) == ("handled", seconds)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("const { promise, resolve } = Promise.withResolvers();\nprocess.on('SIGTERM', resolve);\nawait promise;\nserver.close();",
         "handled"),
        ("import { on } from 'events';\nfor await (const _ of on(process, 'SIGTERM')) break;\nserver.close();", "handled"),
        ("process.on('SIGTERM', async () => {\n  await new Promise((_, no) => server.close(no));\n  await flush();\n});", "cut"),
        ("class Life { static get() { return (this.one ??= new Life()); } on() { process.on('SIGTERM', () => server.close()); } }\n"
         "Life.get().on();", "handled"),
    ],
)  # fmt: skip
def test_promises_that_wait_for_a_signal(text: str, verdict: str) -> None:
    module = "import http from 'http';\nconst server = http.createServer().listen(8000);\n"
    assert program(module + text).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        ("setTimeout(done, 100)", "handled"),
        ("setTimeout((error) => { if (error) return done(error); }, 100)", "unknown"),
    ],
)
def test_a_hook_that_takes_a_callback_has_to_call_it(calls: str, verdict: str) -> None:
    app = "const app = require('fastify')();\napp.listen({ port: 3000 });\n"
    hook = f"app.addHook('onClose', (instance, done) => {{ {calls}; }});\n"
    stop = "process.on('SIGTERM', async () => { await app.close(); process.exit(0); });"
    assert program(app + hook + stop).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("constructor", "verdict"),
    [("", "ignored"), ("constructor() { autoBind(this); }", "handled"),
     ("constructor() { this.halt = this.halt.bind(this); }", "handled")],
)  # fmt: skip
def test_a_method_that_is_a_listener_has_its_object_only_where_it_is_bound(constructor: str, verdict: str) -> None:
    text = (
        f"class Ticker {{ on = true; {constructor} halt() {{ this.on = false; }}\n"
        "  async tick() { while (this.on) await new Promise((done) => setTimeout(done, 200)); } }\n"
        "const ticker = new Ticker();\nprocess.on('SIGTERM', ticker.halt);\nticker.tick();"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


STREAM = """\
const http = require('http');
const open = new Set();
const server = http.createServer((req, res) => {{
  res.writeHead(200, {{ 'Content-Type': 'text/event-stream' }});
  open.add(res);{ends}
}});
server.listen(8000);
process.on('SIGTERM', () => {{ {stops}server.close(() => process.exit(0)); }});
"""


@pytest.mark.parametrize(
    ("ends", "stops", "verdict", "why"),
    [
        ("", "", "ignored", "its SIGTERM handler waits for the event streams of line 4, which nothing closes"),
        ("", "for (const res of open) res.end(); ", "handled", "its SIGTERM handler closes the server and ends the process"),
        ("\n  setTimeout(() => res.end(), 500);", "", "handled", "its SIGTERM handler closes the server and ends the process"),
        ("", "setTimeout(() => process.exit(1), 4000); ", "handled",
         "its SIGTERM handler closes the server and ends the process after 4 s"),
    ],
)  # fmt: skip
def test_event_streams_hold_a_server_until_something_ends_them(ends: str, stops: str, verdict: str, why: str) -> None:
    found = program(STREAM.format(ends=ends, stops=stops)).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == (verdict, why)


@pytest.mark.parametrize(
    ("taken", "verdict"),
    [
        ("const { halt } = ticker;\nprocess.on('SIGTERM', () => halt());", "cut"),
        ("const halt = ticker.halt.bind(ticker);\nprocess.on('SIGTERM', () => halt());", "handled"),
        ("const hooks = [ticker.halt];\nprocess.on('SIGTERM', () => hooks.forEach((hook) => hook()));", "cut"),
        (
            "const hooks = [() => ticker.halt()];\nprocess.on('SIGTERM', () => hooks.forEach((hook) => hook()));",
            "handled",
        ),
    ],
)
def test_a_method_that_is_taken_from_its_object_throws(taken: str, verdict: str) -> None:
    text = (
        "class Ticker { on = true; halt() { this.on = false; }\n"
        "  async tick() { while (this.on) await new Promise((done) => setTimeout(done, 200)); } }\n"
        f"const ticker = new Ticker();\n{taken}\nticker.tick();"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(
    ("listener", "verdict", "why"),
    [
        ("process.on('beforeExit', async () => { await flush(); });", "cut",
         "process.exit leaves out what the listener for beforeExit in line 4 does"),
        ("process.on('exit', async () => { await flush(); });", "cut",
         "process.exit leaves out what the listener for exit in line 4 does"),
        ("process.on('exit', () => flush());", "handled", "its SIGTERM handler releases what it holds and ends the process"),
        ("process.on('beforeExit', () => console.log('bye'));", "handled",
         "its SIGTERM handler releases what it holds and ends the process"),
    ],
)  # fmt: skip
def test_what_process_exit_leaves_out(listener: str, verdict: str, why: str) -> None:
    text = (
        "const sleep = (ms) => new Promise((done) => setTimeout(done, ms));\n"
        "const flush = async () => { await sleep(300); };\n"
        f"const timer = setInterval(() => {{}}, 500);\n{listener}\n"
        "process.on('SIGTERM', () => { clearInterval(timer); process.exit(0); });"
    )
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == (verdict, why)


@pytest.mark.parametrize(
    ("tick", "seconds"),
    [
        ("left -= 1; if (left <= 0) process.exit(0);", 3.0),
        ("if (left-- === 0) process.exit(0);", 4.0),
        ("if (--left === 0) { clearInterval(timer); process.exit(0); }", 3.0),
    ],
)
def test_an_interval_that_counts_down(tick: str, seconds: float) -> None:
    text = f"process.on('SIGTERM', () => {{ server.close(); let left = 3; const timer = setInterval(() => {{ {tick} }}, 1000); }});"
    found = program(SERVER + text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.delay) == ("handled", seconds)


@pytest.mark.parametrize(
    ("first", "verdict"),
    [("clearInterval(timer); ", "handled"), ("", "ignored"), ("stopping = true; ", "handled")],
)
def test_a_loop_that_waits_for_running_work_while_more_is_begun(first: str, verdict: str) -> None:
    text = (
        "const sleep = (ms) => new Promise((done) => setTimeout(done, ms));\nlet busy = 0, stopping = false;\n"
        "const timer = setInterval(async () => { if (stopping) return; busy++; await sleep(900); busy--; }, 300);\n"
        f"process.on('SIGTERM', async () => {{ {first}while (busy > 0) await sleep(100); clearInterval(timer); process.exit(0); }});"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


def test_a_library_that_may_run_on_is_no_end() -> None:
    text = "const { Poller } = require('some-poller');\nnew Poller(8080);\nconst timer = setInterval(() => {}, 500);\n"
    stop = "process.on('SIGTERM', () => clearInterval(timer));"
    found = program(text + stop).reactions["SIGTERM"]
    why = "whether some-poller.Poller(), which the program calls, keeps it running cannot be told"
    assert (found.as_pid_1, found.why) == ("unknown", why)


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [("app.quit()", "unknown"), ("app.exit(0)", "unknown"), ("app.hide()", "ignored"), ("cache.quit()", "ignored")],
)
def test_a_module_that_is_told_to_quit_may_end_the_program(asked: str, verdict: str) -> None:
    text = (
        "const { app, connect } = require('some-shell');\nconst cache = connect();\n"
        "require('express')().listen(8080);\n"
        f"let leaves = false;\nprocess.on('SIGTERM', () => {{ leaves = true; {asked}; }});\n"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


def test_a_library_that_is_told_to_stop_may_end() -> None:
    text = "const { Poller } = require('some-poller');\nconst poller = new Poller(8080);\nconst timer = setInterval(() => {}, 500);\n"
    stop = "process.on('SIGTERM', () => { clearInterval(timer); poller.stop(); });"
    assert program(text + stop).reactions["SIGTERM"].as_pid_1 == "handled"


@pytest.mark.parametrize(
    ("timer", "verdict", "why"),
    [
        ("seen.set(req.url, setTimeout(() => seen.clear(), 15 * 60 * 1000));", "unknown",
         "whether the timer that line 3 sets is still there cannot be told"),
        ("setTimeout(() => seen.clear(), 900);", "handled", "its SIGTERM handler closes the server, and nothing is left to run"),
        ("setTimeout(() => seen.clear(), 900_000).unref();", "handled",
         "its SIGTERM handler closes the server, and nothing is left to run"),
    ],
)  # fmt: skip
def test_a_timer_that_a_request_leaves_behind(timer: str, verdict: str, why: str) -> None:
    text = (
        "const http = require('http');\nconst seen = new Map();\n"
        f"const server = http.createServer((req, res) => {{ {timer} res.end(); }});\nserver.listen(8000);\n"
        "process.on('SIGTERM', () => server.close());"
    )
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == (verdict, why)


def test_what_a_library_makes_of_a_handler_is_not_known() -> None:
    text = SERVER + "const stop = require('wrap-handler')(() => server.close());\nprocess.on('SIGTERM', stop);"
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == ("unknown", "what wrap-handler() does cannot be told")


@pytest.mark.parametrize(
    ("start", "becomes", "verdict", "why"),
    [
        ("spawn('node child.js', { shell: true })", (), "cut", "kill() ends the shell in line 2 alone, not what runs below it"),
        ("exec('node child.js')", (), "cut", "kill() ends the shell in line 2 alone, not what runs below it"),
        ("exec('node child.js')", ("node", "child.js"), "handled",
         "its SIGTERM handler stops its children, and nothing is left to run"),
        ("exec('node child.js')", None, "unknown",
         "what the child process in line 2 does when it is told to stop cannot be told"),
    ],
)  # fmt: skip
def test_a_child_below_a_shell(start: str, becomes: tuple[str, ...] | None, verdict: str, why: str) -> None:
    text = f"const {{ spawn, exec }} = require('child_process');\nconst child = {start};\nprocess.on('SIGTERM', () => child.kill());"
    files = Tree({"app.js": text, "child.js": CHILD})
    found = read_node(files.sources["app.js"], files=files, shell=lambda text: becomes).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == (verdict, why)


@pytest.mark.parametrize(
    ("at_stop", "verdict"),
    [("", "unknown"), ("clearInterval(sweeper); ", "handled")],
)
def test_an_interval_of_a_request_is_cleared_by_the_handler_or_not(at_stop: str, verdict: str) -> None:
    text = (
        "const http = require('http');\nlet sweeper;\n"
        "const server = http.createServer((req, res) => { sweeper ??= setInterval(sweep, 1000); res.end(); });\n"
        f"server.listen(8000);\nprocess.on('SIGTERM', () => {{ {at_stop}server.close(); }});"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


@pytest.mark.parametrize(("force", "verdict"), [("", "handled"), ("true", "cut")])
def test_a_worker_of_a_queue_that_is_closed_by_force(force: str, verdict: str) -> None:
    text = (
        "const { Worker } = require('bullmq');\nconst worker = new Worker('mails', async () => {});\n"
        f"process.on('SIGTERM', async () => {{ await worker.close({force}); process.exit(0); }});"
    )
    assert program(text).reactions["SIGTERM"].as_pid_1 == verdict


SLEEP = "const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n"


@pytest.mark.parametrize(
    ("waiting", "verdict", "delay"),
    [
        ("while (true) { await sleep(3000); if (idle) break; }", "handled", 3),
        ("do { await sleep(3000); } while (!idle);", "handled", 3),
        ("while (true) { if (idle) break; await sleep(3000); }", "cut", None),
    ],
)
def test_a_loop_on_the_way_out_takes_its_rounds(waiting: str, verdict: str, delay: float | None) -> None:
    handler = f"async () => {{ server.close(); {waiting} process.exit(0); }}"
    text = f"{SERVER}{SLEEP}const idle = true;\nprocess.on('SIGTERM', {handler});"
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.delay) == (verdict, delay)


@pytest.mark.parametrize(
    ("interval", "delay"),
    [
        ("setInterval(() => console.log('checked'), 172800000);", 3),
        ("setInterval(() => { if (stopping) process.exit(0); }, 30000);", 30),
    ],
)
def test_nobody_waits_for_an_interval_that_ends_nothing(interval: str, delay: float) -> None:
    last = "process.exit(0);" if delay == 3 else ""
    handler = f"async () => {{ stopping = true; server.close(); await sleep(3000); {last} }}"
    text = f"{SERVER}{SLEEP}let stopping = false;\n{interval}\nprocess.on('SIGTERM', {handler});"
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.delay) == ("handled", delay)


@pytest.mark.parametrize(
    ("waiting", "verdict", "why"),
    [
        ("for (let i = 0; i < 50 && open > 0; i++) await sleep(100);", "handled",
         "its SIGTERM handler closes the server and ends the process"),
        ("for (let i = 0; open > 0 && i < 5; i++) await sleep(100);", "cut",
         "process.exit comes 0.5 s after the signal, before the requests in flight are answered"),
        ("while (open > 0 && Date.now() < until) await sleep(100);", "unknown",
         "what comes before process.exit in line 7 cannot be told"),
        ("for (let i = 0; i < 50 && open > 0; i++) { await sleep(100); process.exit(1); }", "unknown",
         "what comes before process.exit in line 7 cannot be told"),
    ],
)  # fmt: skip
def test_a_wait_for_requests_that_gives_up(waiting: str, verdict: str, why: str) -> None:
    text = (
        f"const http = require('http');\n{SLEEP}let open = 0;\nsetInterval(() => {{}}, 1000);\n"
        "const server = http.createServer(async (req, res) => { open++; await sleep(500); res.end(); open--; });\n"
        f"server.listen(8000);\nprocess.on('SIGTERM', async () => {{ server.close(); {waiting} process.exit(0); }});"
    )
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == (verdict, why)


COMPILED = {
    "typescript": "function pause() {\n  return __awaiter(this, void 0, void 0, function* () { yield wait(); });\n}\n",
    "typescript with arguments": "function pause(ms) {\n  return __awaiter(this, arguments, void 0, function* (ms) { yield wait(); });\n}\n",
    "tslib": "function pause() {\n  return tslib_1.__awaiter(void 0, [1], void 0, function* (ms) { yield wait(); });\n}\n",
    "babel": "const pause = _asyncToGenerator(function* () { yield wait(); });\n",
    "swc": "const pause = _async_to_generator(function*() { yield wait(); });\n",
}  # fmt: skip


@pytest.mark.parametrize("compiled", COMPILED.values(), ids=COMPILED)
@pytest.mark.parametrize(
    ("wait", "verdict"),
    [
        ("new Promise((r) => setTimeout(r, 300))", "handled"),
        ("new Promise(() => {})", "ignored"),
    ],
)
def test_async_functions_that_a_compiler_has_made_generators(compiled: str, wait: str, verdict: str) -> None:
    text = "var __awaiter = (this && this.__awaiter) || function (thisArg, _arguments, P, generator) { return P; };\n"
    text += f"const tslib_1 = require('tslib');\nconst wait = () => {wait};\n{INTERVAL}{compiled}"
    found = program(f"{text}process.on('SIGTERM', () => pause().then(() => process.exit(0)));")
    assert found.reactions["SIGTERM"].as_pid_1 == verdict


def test_what_a_compiler_has_made_of_an_async_function_without_generators_is_not_known() -> None:
    steps = "function stop() { return __awaiter(this, void 0, void 0, function () { return __generator(this, (_a) => 0); }); }\n"
    text = f"var __awaiter = 1, __generator = 1;\n{SERVER}{steps}process.on('SIGTERM', stop);"
    found = program(text).reactions["SIGTERM"]
    assert (found.as_pid_1, found.why) == ("unknown", "what __generator() does cannot be told")
