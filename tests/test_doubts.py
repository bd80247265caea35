"""Calls that may undo what was seen of a program that handles its signal.

Programs like these were measured as PID 1: what their handlers were to do was lost, or never done.
"""

from __future__ import annotations

import pytest

from gracelint.testing import read

RECORDER = "process.on('SIGTERM', () => { clearInterval(timer) })\n{}\nconst timer = setInterval(() => {{}}, 100)\n"
RUNNER = "process.on('SIGTERM', () => process.exit(0))\n{}\nsetInterval(() => {{}}, 1000)\n"


def told(image: str, command: str, files: dict[str, str], build: str = "") -> tuple[str, str]:
    dockerfile = f"FROM {image}\nWORKDIR /app\nCOPY . .\n{build}CMD {command}\n"
    launches = read({"Dockerfile": dockerfile, **files}).launches
    return launches[0].verdict.value, launches[0].why


def node(main: str, **others: str) -> tuple[str, str]:
    return told(
        "node:22", '["node", "main.js"]', {"main.js": main, **{f"{name}.js": text for name, text in others.items()}}
    )


def test_what_takes_listeners_away_may_take_the_handler() -> None:
    main = RECORDER.replace("{}\n", "require('./terminal').reset()\n", 1).replace("{{}}", "{}")
    loop = "for (const name of process.env.NAMES.split(',')) process.removeAllListeners(name)"
    terminal = f"exports.reset = () => {{\n  {loop}\n}}\n"
    why = "whether line 2 of terminal.js, which takes listeners away, leaves the handler in its place cannot be told"
    assert node(main, terminal=terminal) == ("unknown", f"main.js: {why}")


def test_without_it_the_handler_stays() -> None:
    main = RECORDER.replace("{}\n", "require('./terminal').reset()\n", 1).replace("{{}}", "{}")
    assert node(main, terminal="exports.reset = () => {}\n")[0] == "handled"


def run(command: str) -> str:
    return "const { execFileSync } = require('child_process')\n" + RUNNER.format(command).replace("{{}}", "{}")


def test_the_loop_waits_for_a_child_that_nobody_knows() -> None:
    why = "the handler waits for the child of line 3, and when that ends cannot be told"
    assert node(run("execFileSync(process.argv[2], [])")) == ("unknown", f"main.js: {why}")


@pytest.mark.parametrize("line", ["execFileSync('git', ['rev-parse', 'HEAD'])", "// execFileSync(step)", ""])
def test_a_child_that_is_written_out_ends_and_a_comment_starts_none(line: str) -> None:
    assert node(run(line))[0] == "handled"


GATE = """\
import sun.misc.Signal;
import sun.misc.SignalHandler;

public class Gate implements SignalHandler {
    public void handle(Signal signal) {
        %s;
    }

    public static void main(String[] args) throws InterruptedException {
        Signal.handle(new Signal("TERM"), new Gate());
        while (true) Thread.sleep(1000);
    }
}
"""


def gate(ending: str) -> tuple[str, str]:
    return told("eclipse-temurin:21", '["java", "Gate"]', {"Gate.java": GATE % ending}, "RUN javac Gate.java\n")


def test_a_halt_runs_no_hooks() -> None:
    why = "whether line 6, which ends the JVM without its hooks, is reached cannot be told"
    assert gate("System.exit(0)")[0] == "handled"
    assert gate("Runtime.getRuntime().halt(0)") == ("unknown", f"Gate.java: {why}")


SENDER = "trap('TERM') { $stop = true }\n%s\nsleep 0.1 until $stop\n"


def sender(line: str) -> tuple[str, str]:
    return told("ruby:3.3", '["ruby", "main.rb"]', {"main.rb": SENDER % line})


def test_a_detached_child_is_killed_with_its_parent() -> None:
    why = "the child that line 2 detaches is killed when its parent, PID 1, ends"
    assert sender("Process.detach($sending)") == ("unknown", f"main.rb: {why}, and whether it is done is not known")
    assert sender("puts 'up'")[0] == "handled"
