"""Edits of Node programs: what is put in is written as the file is, parses, and does what it was put in for."""

# ruff: noqa: E501 (a line of these tables is a program)

from __future__ import annotations

import pytest

from gracelint.behaviour.node import read_node
from gracelint.edits import node
from gracelint.facts.program import Program
from gracelint.finding import Edit
from gracelint.source import Source
from test_behaviour_node import Tree


def read(text: str, version: int = 20) -> Program:
    return read_node(Source("app.js", text), files=Tree({}), node_major=version)


def applied(text: str, edits: tuple[Edit, ...] | None) -> str:
    assert edits is not None
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "const app = require('express')();\nconst server = app.listen(3000);\n",
            "const app = require('express')();\nconst server = app.listen(3000);\n\n"
            "process.on('SIGTERM', () => {\n"
            "  setTimeout(() => process.exit(1), 8000).unref();\n"
            "  server.close(() => process.exit(0));\n"
            "});\n",
        ),
        (
            'const app = require("express")()\napp.listen(3000)\n',
            'const app = require("express")()\nconst server = app.listen(3000)\n\n'
            'process.on("SIGTERM", () => {\n'
            "  setTimeout(() => process.exit(1), 8000).unref()\n"
            "  server.close(() => process.exit(0))\n"
            "})\n",
        ),
        (
            "import http from 'http';\nasync function main() {\n\tconst api = http.createServer();\n\tapi.listen(80);\n}\nmain();\n",
            "import http from 'http';\nasync function main() {\n\tconst api = http.createServer();\n\tapi.listen(80);\n\n"
            "\tprocess.on('SIGTERM', () => {\n"
            "\t\tsetTimeout(() => process.exit(1), 8000).unref();\n"
            "\t\tapi.close(() => process.exit(0));\n"
            "\t});\n}\nmain();\n",
        ),
        (
            "const app = require('fastify')();\r\napp.listen({ port: 80 });\r\n",
            "const app = require('fastify')();\r\napp.listen({ port: 80 });\r\n\r\n"
            "process.on('SIGTERM', async () => {\r\n"
            "  setTimeout(() => process.exit(1), 8000).unref();\r\n"
            "  await app.close();\r\n"
            "  process.exit(0);\r\n"
            "});\r\n",
        ),
    ],
    ids=["express", "no variable, no semicolons", "in a function", "fastify, CRLF"],
)  # fmt: skip
def test_add_sigterm_handler(before: str, after: str) -> None:
    made = applied(before, node.add_sigterm_handler(read(before)))
    assert made == after
    assert read(made).reactions["SIGTERM"].as_pid_1 == "handled"
    assert read(made).drain_seconds == 8


@pytest.mark.parametrize(
    "text",
    [
        "setInterval(() => {}, 500);\n",
        "export default require('http').createServer().listen(80);\n",
        "const start = () => require('http').createServer().listen(80);\nstart();\n",
    ],
    ids=["no server", "no statement of its own", "in an expression"],
)
def test_no_handler_where_the_server_has_no_place_to_close_it(text: str) -> None:
    assert node.add_sigterm_handler(read(text)) is None


HTTP = "const s = require('http').createServer().listen(80);\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("['SIGINT'].forEach((x) => process.on(x, stop));", "['SIGINT', 'SIGTERM'].forEach((x) => process.on(x, stop));"),
        ('for (const x of ["SIGHUP", "SIGINT"]) process.on(x, stop);',
         'for (const x of ["SIGHUP", "SIGINT", "SIGTERM"]) process.on(x, stop);'),
        ("process.once('SIGINT', stop);", "for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);"),
        ("process.on('SIGINT', (signal) => stop(signal));",
         "for (const stopSignal of ['SIGINT', 'SIGTERM']) process.on(stopSignal, (signal) => stop(signal));"),
        ("process.on('SIGINT', () => {\n  stop();\n})", "for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {\n  stop();\n})"),
    ],
)  # fmt: skip
def test_handle_sigterm_too(before: str, after: str) -> None:
    text = f"{HTTP}function stop() {{ s.close(); }}\n{before}\n"
    program = read(text)
    handler = next(one for one in program.handlers if "SIGINT" in one.signals)
    made = applied(text, node.handle_sigterm_too(program, handler))
    assert made == f"{HTTP}function stop() {{ s.close(); }}\n{after}\n"
    assert read(made).reactions["SIGTERM"].as_pid_1 == "handled"


def test_a_signal_by_another_name_is_left_alone() -> None:
    program = read(f"{HTTP}const SIGNAL = 'SIGINT';\nconst on = process.on(SIGNAL, () => s.close());\n")
    assert node.handle_sigterm_too(program, program.handlers[0]) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("process.on('SIGTERM', () => s.close());",
         "process.on('SIGTERM', () => { setTimeout(() => process.exit(1), 8000).unref(); s.close() });"),
        ("process.on('SIGTERM', () => {\n  s.close();\n});",
         "process.on('SIGTERM', () => {\n  setTimeout(() => process.exit(1), 8000).unref();\n  s.close();\n});"),
        ("process.on('SIGTERM', async () => {\n    await new Promise((r) => s.close(r));\n    process.exit(0);\n});",
         "process.on('SIGTERM', async () => {\n"
         "    await new Promise((r) => { setTimeout(() => process.exit(1), 8000).unref(); s.close(r) });\n"
         "    process.exit(0);\n});"),
    ],
)  # fmt: skip
def test_bound_wait(before: str, after: str) -> None:
    text = f"{HTTP}{before}\n"
    program = read(text)
    made = applied(text, node.bound_wait(program, program.waits[0]))
    assert made == f"{HTTP}{after}\n"
    assert (read(made).drain_seconds, read(made).waits) == (8.0, ())


SWEEP = "setInterval(() => s.closeIdleConnections?.(), 500).unref();"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("process.on('SIGTERM', () => s.close());", f"process.on('SIGTERM', () => {{ {SWEEP} s.close() }});"),
        ("process.on('SIGTERM', () => {\n  s.close(() => {\n    process.exit(0);\n  });\n});",
         f"process.on('SIGTERM', () => {{\n  {SWEEP}\n  s.close(() => {{\n    process.exit(0);\n  }});\n}});"),
        ("process.on('SIGTERM', () => {\n  return s.close();\n});",
         f"process.on('SIGTERM', () => {{\n  {SWEEP}\n  return s.close();\n}});"),
    ],
)  # fmt: skip
def test_sweep_idle_connections(before: str, after: str) -> None:
    text = f"{HTTP}{before}\n"
    program = read(text, 18)
    made = applied(text, node.sweep_idle_connections(program, program.waits[0]))
    assert made == f"{HTTP}{after}\n"
    assert read(made, 18).waits == ()


def test_no_sweep_before_node_18() -> None:
    program = read(f"{HTTP}process.on('SIGTERM', () => s.close());\n", 16)
    assert node.sweep_idle_connections(program, program.waits[0]) is None


@pytest.mark.parametrize(
    "own",
    [
        "function shutdown() { db.end(); }",
        "async function gracefulShutdown(signal) { await db.end(); }",
        "const stop = async () => { await db.end(); };",
        "class App { async stop() { await db.end(); } }",
        "export const setupSignalHandlers = () => listen();",
        "exports.onShutdown = (work) => queue.push(work);",
        "if (process.env.GRACEFUL) process.on('SIGTERM', () => leave());",
    ],
)
def test_a_program_that_can_stop_itself_gets_no_handler_beside_that(own: str) -> None:
    assert node.add_sigterm_handler(read(f"{HTTP}{own}\n")) is None


@pytest.mark.parametrize(
    "other", ["timer.stop();", "// call shutdown() here", "const stopped = false;", "socket.on('close', () => stop());"]
)
def test_what_is_no_way_to_stop(other: str) -> None:
    assert node.add_sigterm_handler(read(f"{HTTP}{other}\n")) is not None


@pytest.mark.parametrize(
    "text",
    [
        "const { NestFactory } = require('@nestjs/core');\nasync function start() {\n"
        "  const shop = await NestFactory.create(Shop);\n  shop.enableShutdownHooks();\n  await shop.listen(80);\n}\nstart();\n",
        f"{HTTP}async function closeAll() {{\n  await new Promise((done) => s.close(done));\n}}\nprocess.on('SIGTERM', closeAll);\n"
        "closeAll.later = () => s.close();\n",
    ],
)
def test_a_timer_goes_nowhere_but_into_a_handler(text: str) -> None:
    program = read(text)
    bodies = [one.body for one in program.handlers if one.body]
    for wait in program.waits:
        for edit in node.bound_wait(program, wait) or ():
            assert any(body.start <= edit.span.start <= body.end for body in bodies)


@pytest.mark.parametrize(("kept", "bound"), [("5_000", 8.0), ("65_000", None), ("patience", 8.0)])
def test_no_timer_where_a_kept_connection_outlives_it(kept: str, bound: float | None) -> None:
    text = (
        "const server = require('http').createServer().listen(80);\n"
        f"server.keepAliveTimeout = {kept};\nprocess.on('SIGTERM', () => {{ server.close(); }});\n"
    )
    assert read(text).bound == bound


def test_no_timer_in_a_callback_that_runs_later() -> None:
    """Its time would begin when some of the grace period is over."""
    program = read(f"{HTTP}process.on('SIGTERM', () => {{\n  setTimeout(() => {{ s.close(); }}, 3000);\n}});\n")
    assert [node.bound_wait(program, wait) for wait in program.waits if wait.kind == "close"] == [None]
