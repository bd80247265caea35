"""The model of shells against what shells did.

`observations/` has one line for each text or script that was run as PID 1 (or behind an init), with the verdict seen in
each shell; a program with a handler stood for `python app.py`, and "ended" is a container that did not stay
up. The model may say *unknown*, where it is listed below, but never anything else than what was seen.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracelint.base.record import replace
from gracelint.facts.launch import Effect, Image, Launch
from gracelint.launch import wrappers
from gracelint.launch.shell import scripts, shell
from gracelint.launch.shell.paths import is_idle
from gracelint.launch.step import Context
from gracelint.source import Passage, Source, Word
from gracelint.testing import read

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "observations")
NESTED = Image(reference=None, family=None, sh="dash-debian", versions={"bash": "5.2"}, os="apt")
"""A shell that the text itself starts was Debian's dash, or bash 5.2."""
SAYS_NO_MORE = {
    "kill $P; sleep 1.2": "whether a sleep in a trap is long enough depends on the program",
    "until wait $P": "whether the loop ends depends on the program's exit code",
    "while ! wait $P": "whether the loop ends depends on the program's exit code",
    "python app.py & sleep 100": "a foreground sleep is taken for a preparation",
    "python app.py; true": "SIGQUIT behind an init: bash and busybox ignore it, dash dies",
}
NOT_UNDERSTOOD = {"mksh": "which simple commands it execs follows no rule that was found"}


class NoFiles:
    def read(self, path: str) -> Source | None:
        return None

    def exists(self, path: str) -> bool:
        return False

    def names(self, folder: str) -> tuple[str, ...]:
        return ()


def load(name: str) -> list[dict[str, object]]:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def words(*values: str) -> tuple[Word, ...]:
    return tuple(Word(value) for value in values)


def context(row: str, signal: str = "SIGTERM", init: str = "") -> Context:
    group = init.startswith("dumb-init") or "-g" in init.split()
    image = Image(reference=None, family=None, sh=row)
    return Context(image, NoFiles(), "/app", {}, not init, signal, None, group_signalled=group)


def verdict(argv: tuple[Word, ...], where: Context) -> str | None:
    """Walks to `python app.py`, which handles its signal; None is unknown."""
    while True:
        name = argv[0].value.rpartition("/")[2]
        if name in ("python", "python3"):
            return "handled"
        if name in ("tail", "sleep"):
            return "ignored" if where.pid_1 else "cut"
        step = shell.step(argv, where) or wrappers.step(argv, where)
        if step is None or step.hop is None:
            return None
        if step.hop.effect in (Effect.SWALLOWS, Effect.CUTS):
            return "ignored" if step.hop.effect is Effect.SWALLOWS else "cut"
        if step.hop.effect is Effect.UNKNOWN or step.next is None:
            return None
        argv = step.next
        where = replace(step.context or where, image=NESTED)


def finds(script: Source) -> Callable[[Image, NoFiles, str, str], Passage | None]:
    return lambda image, files, path, folder: Passage.whole(script) if path == script.path else None


def is_listed(text: str, row: str) -> bool:
    return row in NOT_UNDERSTOOD or any(part in text for part in SAYS_NO_MORE)


TEXTS = load("shells.jsonl")


@pytest.mark.parametrize("seen", TEXTS, ids=[str(seen["text"])[:60] for seen in TEXTS])
def test_text(seen: dict[str, object]) -> None:
    text = str(seen["text"])
    for expected, rows in seen["seen"].items():  # type: ignore[attr-defined]
        for row in rows:
            where = context(row, str(seen.get("signal", "SIGTERM")), str(seen.get("init", "")))
            said = verdict(words("sh", "-c", text), where)
            if said is None and (expected == "ended" or is_listed(text, row)):
                continue
            assert said == expected, f"{row}: {text}"


SCRIPTS = load("scripts.jsonl")


@pytest.mark.parametrize("seen", SCRIPTS, ids=[str(seen["script"])[:60] for seen in SCRIPTS])
def test_script(seen: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    script = Source("entry.sh", str(seen["script"]))
    monkeypatch.setattr(shell, "find_text", finds(script))
    for expected, rows in seen["seen"].items():  # type: ignore[attr-defined]
        for row in rows:
            where = context(row, init=str(seen.get("init", "")))
            assert verdict(words("sh", "entry.sh", "python", "app.py"), where) == expected, row


COMBINATIONS = load("combinations.jsonl")
"""Preparations, traps, ways to start the program and endings, put together at random."""


@pytest.mark.parametrize("seen", COMBINATIONS)
def test_combination(seen: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    text = str(seen.get("text") or seen["script"])
    argv = words("sh", "entry.sh") if "script" in seen else words("sh", "-c", text)
    script = Source("entry.sh", text)
    monkeypatch.setattr(shell, "find_text", finds(script))
    for expected, rows in seen["seen"].items():  # type: ignore[attr-defined]
        for row in rows:
            said = verdict(argv, context(row, init=str(seen.get("init", ""))))
            decided = said is not None and expected != "ended"
            assert not decided or said == expected, f"{row}: {text}"


def test_most_combinations_are_decided() -> None:
    said = [
        verdict(words("sh", "-c", str(seen["text"])), context(row, init=str(seen.get("init", ""))))
        for seen in COMBINATIONS
        if "text" in seen and "ended" not in seen["seen"]  # type: ignore[operator]
        for row in ("dash-debian", "bash-5.1+", "busybox-ash")
    ]
    assert said.count(None) < len(said) / 20


PARTS = [
    "exec",
    '"$@"',
    "python app.py",
    "tail -f /dev/null",
    "&",
    "&&",
    ";",
    "\n",
    "|",
    "||",
    "trap",
    "'kill $p; wait'",
    "'exit 0'",
    '""',
    "TERM",
    "EXIT",
    "-",
    "p=$!",
    "wait",
    "wait $p",
    "kill 0",
    "kill -TERM $p",
    "(",
    ")",
    "{",
    "}",
    "if",
    "then",
    "else",
    "fi",
    "true",
    "false\n",
    "while",
    "do",
    "done",
    "case $1 in",
    "esac",
    "*)",
    ";;",
    "set -e",
    "set -m",
    "set --",
    "shift",
    "f() {",
    "f",
    "eval",
    ". ./x",
    "cd /x",
    "$x",
    '"${x:-$y}"',
    "exit",
    "return",
    "> log\n",
    "for x in a b",
    "break",
    "[ -f x ]",
    '[ "$x" = y ]',
    "!",
    "sleep 1",
    "echo",
    "fg",
    "export A=$x",
    "read x",
    "command",
    "time",
    "#",
    "'",
    '"',
    "$(",
    "`",
    "nohup",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=25), st.sampled_from(["dash-debian", "bash-5.1+", "busybox-ash"]))
def test_any_text_is_followed(parts: list[str], row: str) -> None:
    step = shell.step(words("sh", "-c", " ".join(parts), "sh", "python", "app.py"), context(row))
    assert step is not None and step.hop is not None


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; f; f; }; f; exec app",
        "f0() { echo a > b; }\n" + "".join(f"f{n + 1}() {{ {f'f{n}; ' * 200}}}\n" for n in range(4)) + "f4; exec app",
        'x=\'eval "$x"; eval "$x"\'; eval "$x"',
        "A=xxxxxxxxxx\n" + "A=$A$A\n" * 60 + "exec $A",
        "if [ -f a ]; then b; fi\n" * 3000 + "exec app",
        "a && " * 3000 + "exec app",
        "for a in 1 2 3 4 5 6 7 8 9 0; do " * 9 + "b; " + "done; " * 9,
        "trap 's=1' TERM; s=0; " + "while [ $s = 0 ]; do a & wait $!; " * 40 + "done; " * 40,
        "trap 's=1' TERM; " + "".join(f"if grep {n} f; then a{n} & wait $!; b; fi; " for n in range(60)),
    ],
)
def test_hostile_text_ends_soon(text: str) -> None:
    started = time.process_time()
    assert shell.step(words("sh", "-c", text), context("dash-debian")) is not None
    assert time.process_time() - started < 20


def test_optional_preparations_do_not_multiply() -> None:
    text = "".join(f"if [ -f /init/{n} ]; then ./init-{n}; fi\n" for n in range(30)) + 'exec "$@"\n'
    assert verdict(words("sh", "-c", text, "sh", "python", "app.py"), context("dash-debian")) == "handled"


@pytest.mark.parametrize(("before", "verdict"), [("", "handled"), (". /config/shop.conf\n", "unknown")])
def test_what_a_file_sets_that_is_not_here_is_not_known(before: str, verdict: str) -> None:
    assert started_by(f'{before}if [ -n "$PROGRAM" ]; then exec $PROGRAM; fi\nexec redis-server\n')[0] == verdict


_CONFIGURES = """
set_option() {
    local file=$1 name=$2 value=$3
    if [ ! -f "$file" ]; then echo "$file is missing"; return; fi
    if [ -z "$value" ]; then sed -i "/^$name=/d" "$file"; return; fi
    case "$value" in *\\*) value=$(escape "$value") ;; esac
    if grep -q "^$name=" "$file"; then sed -i "s/^$name=.*/$name=$value/" "$file"; return; fi
    echo "$name=$value" >> "$file"
}
"""


def test_a_function_that_starts_nothing_is_called_a_hundred_times() -> None:
    calls = "".join(f'set_option app.conf option{n} "$OPTION{n}"\n' for n in range(300))
    assert started_by(f"{_CONFIGURES}{calls}exec redis-server\n")[0] == "handled"


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        ('log() { [ -n "$QUIET" ] || echo "$1"; }', "handled"),
        ("log() { [ -n \"$QUIET\" ] && return; cat > run.sh <<'EOF'\nexec redis-server\nEOF\n}", "unknown"),
        ("log() { cat > run.sh <<'EOF'\nexec redis-server\nEOF\n}", "handled"),
    ],
)
def test_what_a_function_has_written_is_known_where_it_was_sure_to(function: str, verdict: str) -> None:
    first = "cat > run.sh <<'EOF'\nexec redis-server\nEOF\n"
    assert started_by(f"{first}{function}\nlog hello\nexec sh run.sh\n")[0] == verdict


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        ('wanted() { [ "$1" = web ]; }', "handled"),
        ('wanted() { [ "$1" = worker ]; }', "ignored"),
    ],
)
def test_what_a_function_answers_decides(function: str, verdict: str) -> None:
    script = f"{function}\nif wanted web; then exec redis-server; fi\nsleep infinity\n"
    assert started_by(script)[0] == verdict


def test_every_shell_was_tried() -> None:
    from gracelint.knowledge import table

    tried = {row for seen in TEXTS for rows in seen["seen"].values() for row in rows}  # type: ignore[attr-defined]
    assert set(table("shells")) - tried == {"fish"}


@pytest.mark.parametrize(
    "text",
    [
        "cat /t/run.sh > /tmp/run.sh && /tmp/run.sh",
        "sed 's/\\r$//' /t/run.sh > /tmp/run.sh && /tmp/run.sh",
        "sed 's/r$//' /t/run.sh > /tmp/run.sh && /tmp/run.sh",
        "cp -a /t/. /etc/x/ && cat /etc/x/run.sh > /tmp/run.sh && /tmp/run.sh",
    ],
)
def test_a_script_that_is_written_from_another_one(text: str) -> None:
    service = (
        f'services:\n  web:\n    image: nginx:alpine\n    volumes: ["./t:/t:ro"]\n    command: [sh, -c, "{text}"]\n'
    )
    files = {"compose.yaml": service.replace("\\", "\\\\"), "t/run.sh": "#!/bin/sh\necho stop later\nexec nginx\n"}
    (launch,) = read(files).launches
    assert [hop.argv[0] for hop in launch.hops[-2:]] == ["/tmp/run.sh", "nginx"]


def test_a_name_that_has_to_be_evaluated_is_no_program() -> None:
    start = """#!/bin/bash
stop() { kill $(jobs -p); wait; exit 0; }
trap stop TERM
begin() { eval "started_${1}=$(date +%s)"; now=$(date); eval "at_${1}=${now}"; }
begin web
sleep 1000 &
wait
"""
    (launch,) = read({"Dockerfile": 'FROM python:3.12\nCOPY run.sh /\nCMD ["/run.sh"]\n', "run.sh": start}).launches
    assert launch.hops[-1].argv[0] == "sleep"
    assert launch.verdict.value == "cut"


def started_by(script: str) -> tuple[str, str]:
    """The verdict on a script of bash as PID 1, and why."""
    files = {"Dockerfile": 'FROM debian:12\nCOPY run.sh /\nCMD ["/run.sh"]\n', "run.sh": f"#!/bin/bash\n{script}"}
    (launch,) = read(files).launches
    return launch.verdict.value, launch.why


def test_a_text_to_be_evaluated_that_nobody_can_read_may_be_an_exec_or_a_trap() -> None:
    assert started_by('jobs=$(list_jobs)\neval "$jobs"\nwait\n') == (
        "unknown",
        "what bash 5.1+ evaluates is only known when it runs: `$jobs` may run a program, exec one, or trap",
    )


def test_between_the_rounds_of_a_loop_nothing_runs_in_the_background() -> None:
    assert started_by("while :; do\n  /clean-up\n  sleep 30m\ndone\n") == (
        "ignored",
        "bash 5.1+ stays PID 1 in front of `sleep 30m` and passes no signal on",
    )


def test_a_program_in_the_background_is_not_what_the_shell_stays_in_front_of() -> None:
    assert started_by("startxfce4 &\nsleep 2 && tail -f /dev/null\n") == (
        "ignored",
        "bash 5.1+ stays PID 1 in front of `tail -f /dev/null` and passes no signal on, "
        "and so no signal reaches what runs in the background",
    )


def test_a_service_is_started_and_stopped_behind_a_wrapper_too() -> None:
    upgrade = "gosu postgres pg_ctl -D new -l log start\nvacuumdb --all\ngosu postgres pg_ctl -D new -m smart stop\n"
    assert started_by(upgrade) == ("unknown", "it starts no program and waits for it")


def test_what_a_tool_prints_to_be_evaluated_is_no_program() -> None:
    files = {
        "Dockerfile": 'FROM debian:12\nCOPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]\nCMD ["sleep", "infinity"]\n',
        "run.sh": '#!/bin/bash\neval "$(pyenv init -)"\nexec "$@"\n',
    }
    (launch,) = read(files).launches
    assert [hop.name for hop in launch.hops] == ["bash-5.1+", "sleep"]


@pytest.mark.parametrize(
    ("before", "condition", "effect"),
    [
        ("stop=0", "[ $stop = 0 ]", Effect.HANDLES),
        ("stop=0", "(( stop == 0 ))", Effect.HANDLES),
        ("stop=0", "(( ! stop ))", Effect.HANDLES),
        ("stop=", "[ -z $stop ]", Effect.HANDLES),
        ("go=1", "[ $go = 1 ]", Effect.SWALLOWS),
        ("go=1", "(( go ))", Effect.SWALLOWS),
        ("go=0; (( go++ ))", "(( go ))", Effect.UNKNOWN),
        ("stop=lock", "[ -e $stop ]", Effect.UNKNOWN),
    ],
)
def test_a_flag_that_a_trap_sets_ends_the_loop(before: str, condition: str, effect: Effect) -> None:
    text = f"trap 'stop=1' TERM; {before}; while {condition}; do sleep 1; done"
    step = shell.step(words("bash", "-c", text), context("bash-5.1+"))
    assert step is not None and step.hop is not None and step.hop.effect is effect


@pytest.mark.parametrize(
    ("loop", "effect"),
    [
        ("while [ ! -f /tmp/stop ]; do sleep 600 & wait $!; done", Effect.UNKNOWN),
        ("while [ ${ROUNDS} -lt 5 ]; do sleep 600 & wait $!; done", Effect.UNKNOWN),
        ("n=0; while (( n < 1000 )); do n=$((n + 1)); sleep 600 & wait $!; done", Effect.UNKNOWN),
        ("n=0; while (( n < 3 )); do sleep 600 & wait $!; done", Effect.SWALLOWS),
        ("stop=0; while (( stop == 0 )); do sleep 600 & wait $!; done", Effect.HANDLES),
        ("stop=0; until (( stop )); do sleep 600 & pause=$!; wait $pause; done", Effect.HANDLES),
    ],
)
def test_a_loop_whose_condition_may_still_hold_is_not_taken_to_end(loop: str, effect: Effect) -> None:
    step = shell.step(words("bash", "-c", f"trap 'stop=1; kill $pause' TERM; {loop}"), context("bash-5.1+"))
    assert step is not None and step.hop is not None and step.hop.effect is effect


@pytest.mark.parametrize(
    "loop",
    [
        "while [ $ready = 0 ]; do ./probe && ready=1; sleep 1; done",
        "while [ $ready = 0 ]; do if ./probe; then ready=1; fi; sleep 1; done",
        "while [ $ready = 0 ]; do ./probe || ready=1; sleep 1; done",
        "look() { ./probe || ready=1; }; while [ $ready = 0 ]; do look; sleep 1; done",
        "while [ $ready = 0 ]; do . ./state.sh; sleep 1; done",
        "while [ $ready = 0 ]; do read ready < state; sleep 1; done",
        "while [ $ready = 0 ]; do ./probe || break; sleep 1; done",
        "while true; do ./probe || break; sleep 1; done",
        "while true; do case $ready in 1) break ;; esac; sleep 1; ready=1; done",
    ],
)
def test_a_loop_that_something_in_it_may_end_is_left(loop: str) -> None:
    text = f"trap 'exit 0' TERM; ready=0; {loop}; exec python app.py"
    assert verdict(words("bash", "-c", text), context("bash-5.1+")) == "handled"


@pytest.mark.parametrize(
    ("command", "idle"),
    [
        ("tail -f /dev/null", True),
        ("tail -n 5 -F app.log", True),
        ("tail --follow=name app.log", True),
        ("tail -n 5 app.log", False),
        ("tail refused.log", False),
        ("sleep infinity", True),
        ("sleep 86400", True),
        ("sleep 2.5", False),
        ("sleep", False),
        ("cat", False),
    ],
)
def test_what_only_waits(command: str, idle: bool) -> None:
    assert is_idle(words(*command.split())) is idle


@pytest.mark.parametrize(
    "text",
    [
        "export APP=app.py\nexec python $APP\n",
        "export APP=app.py MODE=production\nexec python $APP\n",
        "readonly APP=app.py\nexec python $APP\n",
        "cd /srv\nexec python $PWD/app.py\n",
        "export HOME=/srv\ncd /tmp\ncd\nexec python app.py\n",
        "HOME=/\ncd ~/srv\nexec python app.py\n",
        "cat > go.sh <<'EOF'\nexec python app.py\nEOF\nexec sh go.sh\n",
        "write() { cat > $1 <<'EOF'\nexec python app.py\nEOF\n}\nwrite go.sh\nexec sh go.sh\n",
        "write() { echo $2 > $1; }\npython app.py &\nwrite app.pid $!\ntrap 'kill $(cat app.pid); wait' TERM\nwait\n",
        "python app.py &\necho $! > app.pid\ntrap 'kill $(cat app.pid); wait' TERM\nwait\n",
    ],
)
@pytest.mark.parametrize("image", ["debian:12", "alpine:3.20"])
def test_what_a_script_has_set_or_written_is_known_below(text: str, image: str) -> None:
    files = {
        "Dockerfile": f'FROM {image}\nWORKDIR /srv\nCOPY . .\nCMD ["./run.sh"]\n',
        "run.sh": f"#!/bin/sh\n{text}",
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict == "handled", launch.why


@pytest.mark.parametrize(("program", "verdict"), [("certbot renew", "handled"), ("frobnicate", "unknown")])
def test_what_a_trap_may_handle_is_not_judged_by_what_the_shell_waits_for(program: str, verdict: str) -> None:
    """The `sleep` in the background ignores the signal; the shell's trap ends all the same."""
    text = f"trap exit TERM; while :; do {program}; sleep 12h & wait $!; done"
    (launch,) = read({"Dockerfile": f"FROM alpine\nENTRYPOINT /bin/sh -c '{text}'\n"}).launches
    assert launch.verdict.value == verdict, launch.why


def test_a_step_of_celery_that_ends_by_itself_is_not_the_program() -> None:
    text = "while true; do celery --app=shop status; [ $? = 0 ] && break; done; exec python app.py"
    assert verdict(words("bash", "-c", text), context("bash-5.1+")) == "handled"


@pytest.mark.parametrize(
    ("before", "end", "verdict"),
    [
        ('[ -n "$SECRET" ] || { echo "no SECRET"; exit 1; }', "exec python app.py", "handled"),
        ('if [ -z "$SECRET" ]; then\n  exit 1\nfi', "python app.py", "ignored"),
        ('test "$MODE" = web || exit 64', "exec python app.py", "handled"),
        ('[ -n "$SECRET" ] || exit 0', "exec python app.py", "unknown"),
    ],
)
def test_a_script_that_fails_without_a_variable_is_started_with_one(before: str, end: str, verdict: str) -> None:
    files = {
        "Dockerfile": 'FROM debian:12\nWORKDIR /srv\nCOPY . .\nCMD ["./run.sh"]\n',
        "run.sh": f"#!/bin/sh\n{before}\n{end}\n",
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("word", "verdict"), [("WORD=x", "handled"), ("WORD=", "ignored"), ("WORD=$(cat /word)", "unknown")]
)
def test_a_condition_of_one_word_asks_whether_it_is_empty(word: str, verdict: str) -> None:
    text = f'{word}\nif [ "$WORD" ]; then exec python app.py; fi\npython app.py'
    files = {
        "Dockerfile": 'FROM debian:12\nWORKDIR /srv\nCOPY . .\nCMD ["./run.sh"]\n',
        "run.sh": f"#!/bin/sh\n{text}\n",
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize("command", ["cd / && bash", "python3", "exec node", "true; sh", "irb", "exec perl -de0"])
def test_what_ends_at_once_leaves_nothing_in_front_of_which_a_shell_stays(command: str) -> None:
    services = f"services:\n  tools:\n    image: python:3.12\n    command: ['sh', '-c', '{command}']\n"
    (launch,) = read({"compose.yaml": services}).launches
    assert (launch.verdict.value, launch.ends_by_itself) == ("unknown", True)
    assert launch.why.endswith("reads its standard input, which is empty here: it ends at once")


@pytest.mark.parametrize("commands", range(1, 12))
def test_a_loop_in_the_background_may_be_where_a_script_is_followed_no_further(
    commands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_WORTH", commands)
    monkeypatch.setattr(scripts, "_MOST_STEPS", commands)
    monkeypatch.setattr(scripts, "_EACH", 1_000)
    script = "#!/bin/bash\nprepare\n(\nwhile true; do\n  if ! check; then\n    tell\n  fi\ndone\n) &\nwait\n"
    image = 'FROM debian:12\nCOPY watch.sh /watch.sh\nENTRYPOINT ["/watch.sh"]\n'
    project = read({"Dockerfile": image, "watch.sh": script})
    assert [launch.verdict.value in ("ignored", "unknown") for launch in project.launches] == [True]
    assert project.errors == ()


def test_a_loop_around_what_ends_at_once_goes_on() -> None:
    services = "services:\n  tools:\n    image: python:3.12\n    command: sh -c 'while true; do bash; done'\n"
    (launch,) = read({"compose.yaml": services}).launches
    assert (launch.verdict.value, launch.ends_by_itself) == ("ignored", False)


@pytest.mark.parametrize(
    ("user", "verdict"),
    [
        ("USER root\n", "handled"),
        ("USER 0\n", "handled"),
        ("", "handled"),
        ("USER 1000\n", "unknown"),
        ("USER web\n", "ignored"),
    ],
)
def test_who_a_script_runs_as_is_the_user_of_the_image(user: str, verdict: str) -> None:
    files = {
        "Dockerfile": f'FROM debian:12\nWORKDIR /srv\nCOPY . .\n{user}CMD ["./run.sh"]\n',
        "run.sh": '#!/bin/sh\nif [ "$(whoami)" = root ]; then exec python app.py; fi\npython app.py\n',
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("mode", "arm", "verdict"),
    [
        ("web", "web", "ignored"),
        ("web", "w*", "ignored"),
        ("web", "worker", "handled"),
        ("$(cat /mode)", "web", "unknown"),
        ("web", "$(cat /mode)", "unknown"),
    ],
)
def test_an_arm_is_taken_where_it_is_known_to_match(mode: str, arm: str, verdict: str) -> None:
    text = f"case {mode} in {arm}) python app.py; exit ;; esac; exec python app.py"
    files = {
        "Dockerfile": 'FROM debian:12\nWORKDIR /srv\nCOPY . .\nCMD ["./run.sh"]\n',
        "run.sh": f"#!/bin/sh\n{text}\n",
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("trap 'kill $P; exit' TERM; python app.py & P=$!; wait $P", "interrupts `wait`: the script ends, and "),
        ("trap 'exit' TERM; python app.py & P=$!; wait $P", "ends the script without a word to "),
    ],
)
def test_a_trap_that_exits_says_what_becomes_of_the_program(text: str, why: str) -> None:
    step = shell.step(words("sh", "-c", text), context("dash-debian"))
    assert step is not None and step.hop is not None and step.hop.effect is Effect.CUTS
    assert step.hop.why.startswith(f"the SIGTERM trap {why}`python app.py`")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("echo done", True),
        ("sleep 1 &", True),
        ("python app.py &", False),
        ("/shop/migrate", True),
        ("shopctl test -f shop.yaml", True),
        ("shopctl serve test", False),
    ],
)
def test_a_script_that_leaves_nothing_running_has_done_its_work(text: str, ends: bool) -> None:
    services = f"services:\n  tools:\n    image: python:3.12\n    command: ['sh', '-c', '{text}']\n"
    (launch,) = read({"compose.yaml": services}).launches
    assert launch.ends_by_itself is ends


def test_of_a_pipe_in_which_all_only_take_in_what_is_written_the_last_is_the_program() -> None:
    step = shell.step(words("sh", "-c", "tail -F /log | s6-log /logs"), context("dash-debian"))
    assert step is not None and step.next is not None
    assert [word.value for word in step.next] == ["s6-log", "/logs"]


@pytest.mark.parametrize(
    ("shell", "options", "verdict"),
    [
        ("bash", "set -m", "handled"),
        ("bash", "set -o monitor", "handled"),
        ("bash", "set -m; set +m", "ignored"),
        ("bash", "set -e", "ignored"),
        ("sh", "set -m", "ignored"),
    ],
)
def test_job_control_leaves_sigint_to_jobs_in_the_background(shell: str, options: str, verdict: str) -> None:
    """Without it a job begins with SIGINT ignored, and Python then raises no KeyboardInterrupt."""
    files = {
        "Dockerfile": 'FROM debian:12\nWORKDIR /srv\nCOPY . .\nCMD ["./run.sh"]\n',
        "run.sh": f"#!/bin/{shell}\n{options}\npython app.py &\ntrap 'kill -INT $P; wait $P' TERM\nP=$!\nwait $P\n",
        "app.py": "import time\ntry:\n    while True:\n        time.sleep(1)\nfinally:\n    print(1)\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize("start", ['["busybox", "sh", "run.sh"]', '["/bin/busybox", "ash", "-c", "python app.py; :"]'])
def test_busybox_is_the_shell_that_it_is_told_to_be(start: str) -> None:
    files = {
        "Dockerfile": f"FROM alpine:3.20\nWORKDIR /srv\nCOPY . .\nCMD {start}\n",
        "run.sh": "python app.py\n:\n",
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert [hop.name for hop in launch.hops] == ["busybox", "busybox-ash", "app.py"]
    assert launch.verdict == "ignored"


@pytest.mark.parametrize(
    ("start", "trap", "verdict", "why"),
    [
        ("postgres", "pg_ctl stop -m fast; exit 0", "handled", "SIGINT is postgres' fast shutdown"),
        ("gosu postgres postgres", "pg_ctl stop; exit", "handled", "SIGINT is postgres' fast shutdown"),
        ("postgres", "gosu postgres pg_ctl -m fast stop; exit", "handled", "SIGINT is postgres' fast shutdown"),
        ("postgres", "pg_ctl -m smart stop; exit", "ignored", "postgres waits on SIGTERM until every"),
        ("mysqld", "mysqladmin shutdown", "handled", "mysqld finishes what is in flight on SIGTERM and ends"),
        ("nginx -g 'daemon off;'", "nginx -s quit; wait", "handled", "SIGQUIT is nginx's graceful stop"),
        ("nginx -g 'daemon off;'", "nginx -s stop; wait", "cut", "SIGTERM is nginx's fast stop"),
        ("nginx -g 'daemon off;'", "nginx -s quit; exit", "cut", "the SIGTERM trap interrupts `wait`"),
        ("redis-server", "redis-cli shutdown; exit", "handled", "redis finishes what is in flight on SIGTERM and ends"),
        ("nginx -g 'daemon off;'", "nginx -s quit & wait", "handled", "SIGQUIT is nginx's graceful stop"),
        ("/opt/app postgres", "pg_ctl stop; exit", "unknown", "whether `pg_ctl stop` in the SIGTERM trap tells the"),
        ("/opt/app", "pg_ctl stop; exit", "unknown", "whether `pg_ctl stop` in the SIGTERM trap tells the program"),
        (
            "/opt/app",
            "/opt/tool stop; exit",
            "unknown",
            "whether `/opt/tool stop` in the SIGTERM trap tells the program",
        ),
        ("/opt/app", "curl -X POST localhost/stop; wait", "unknown", "whether `curl -X POST localhost/stop` in the"),
        ("/opt/app", "rm -f /ready; echo bye; exit", "cut", "the SIGTERM trap ends the script without a word to"),
    ],
)
def test_a_trap_may_have_the_program_stop_itself(start: str, trap: str, verdict: str, why: str) -> None:
    told = started_by(f"trap '{trap}' TERM\n{start} &\nwait $!\n")
    assert (told[0], told[1][: len(why)]) == (verdict, why)


@pytest.mark.parametrize(
    ("loop", "verdict"),
    [
        ("while pgrep -f job.py >/dev/null; do sleep 1; done", "handled"),
        ('while [ -n "$(pgrep -f job.py)" ]; do sleep 1; done', "handled"),
        ('until [ -z "$(pidof python)" ]; do sleep 1; done', "handled"),
        ("until ! pgrep python; do sleep 1; done", "handled"),
        ("while ps -p $job; do sleep 1; done", "handled"),
        ("while [ -d /proc/$job ]; do sleep 1; done", "handled"),
        ("while kill -0 $job; do sleep 1; done", "handled"),
        ("while pgrep -P $$ python; do sleep 1; done", "handled"),
        ("while ps -p $job -o pid=; do sleep 1; done", "handled"),
        ("while pgrep other; do sleep 1; done", "unknown"),
        ("while pgrep pyth; do sleep 1; done", "unknown"),
        ("while pgrep -u root python; do sleep 1; done", "unknown"),
        ("while ps aux | grep -q '[j]ob.py'; do sleep 1; done", "unknown"),
        ("while [ -f /run/job.pid ]; do sleep 1; done", "unknown"),
        ("while kill -0 $job; do sleep 1; n=$((n+1)); [ $n -gt 2 ] && break; done", "unknown"),
        ("while kill -0 $job; do sleep 1; kill $job; done", "unknown"),
        ("while [ -n '' ]; do sleep 1; done", "cut"),
    ],
)
def test_a_loop_may_wait_until_a_job_is_gone(loop: str, verdict: str) -> None:
    files = {
        "Dockerfile": 'FROM python:3.12\nCOPY run.sh job.py /\nCMD ["/run.sh"]\n',
        "run.sh": f"#!/bin/bash\nleave() {{\n{loop}\nexit\n}}\ntrap leave TERM\n"
        "python /job.py &\njob=$!\nsleep 300 &\nwait $!\n",
        "job.py": "import time\ntime.sleep(5)\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


def test_all_checks_that_fail_are_one_way() -> None:
    checks = "\n".join(f'if [ -z "$NAME_{number}" ]; then exit {number}; fi' for number in range(1, 80))

    step = shell.step(words("bash", "-c", f"{checks}\nexec python app.py"), context("bash-5.1+"))

    assert step is not None
    assert step.hop is not None
    assert step.hop.effect is Effect.REPLACES


AGAIN = """\
#!/bin/bash
run() {
  if [ "$AS_ROOT" = yes ]; then
    "$@"
    return
  fi
  if command -v gosu; then
    gosu www "$@"
  elif command -v su-exec; then
    su-exec www "$@"
  else
    exit 1
  fi
}
tries=0
while [ "$tries" -lt 700 ]; do
  if run psql -c pending | grep -q yes; then
    tries=$((tries + 1))
    sleep 5
  else
    break
  fi
done
RUNNING=true
trap 'RUNNING=false' TERM
while $RUNNING; do
  run python app.py
  sleep 5
done
"""


def test_a_round_of_a_loop_that_runs_the_same_again_is_no_new_way() -> None:
    files = {
        "Dockerfile": 'FROM python:3.12-slim\nCOPY start.sh app.py /\nENTRYPOINT ["/start.sh"]\n',
        "start.sh": AGAIN,
        "app.py": "import time\nwhile True:\n    time.sleep(1)\n",
    }

    launch = read(files).launches[0]

    assert launch.verdict.value == "ignored"
    assert "trap only after its foreground child" in launch.why


TRAP = """#!/bin/bash
stop() {{ {action}; }}
trap stop TERM
job() {{ echo begun; sleep 3; echo done; }}
copy() {{ for i in 1 2 3; do sleep 0.1; done; }}
move() {{ mv a b; sleep 1; mv b c; }}
while true; do {round}; done
"""


@pytest.mark.parametrize(
    ("action", "round", "verdict"),
    [
        ("sleep 30; exit 0", "sleep 1 & wait $!", "ignored"),
        ("sleep 2; exit 0", "sleep 1 & wait $!", "handled"),
        ("sleep $PAUSE; exit 0", "sleep 1 & wait $!", "unknown"),
        ("for i in $(seq 60); do sleep 1; done; exit 0", "sleep 1 & wait $!", "unknown"),
        ("exit 0", "job & sleep 60 & wait $!", "cut"),
        ("exit 0", "a=$((a + 1)); copy; b=$((b + 1))", "unknown"),
        ("exit 0", "a=$((a + 1)); copy", "handled"),
        ("exit 0", "move", "unknown"),
        ("wait; exit 0", "job & sleep 5 & wait $!", "handled"),
    ],
)
def test_what_a_trap_takes_its_time_for(action: str, round: str, verdict: str) -> None:
    text = TRAP.format(action=action, round=round)
    (launch,) = read({"run.sh": text, "Dockerfile": 'FROM debian:12\nCOPY run.sh /\nCMD ["/run.sh"]'}).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(("shell", "verdict"), [("bash", "handled"), ("sh", "ignored")])
def test_bash_does_not_wait_for_its_foreground_before_it_runs_its_trap_on_exit(shell: str, verdict: str) -> None:
    text = f"#!/bin/{shell}\ntrap 'rm -f /tmp/lock' EXIT\nwhile true; do date; sleep 300; done\n"
    (launch,) = read({"run.sh": text, "Dockerfile": 'FROM debian:12\nCOPY run.sh /\nCMD ["/run.sh"]'}).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("waits", "verdict"),
    [("wait $a", "unknown"), ("wait $a $b", "handled"), ("wait $a; wait $b", "handled"), ("wait", "handled")],
)
def test_a_trap_that_waits_for_some_of_the_jobs_it_tells(waits: str, verdict: str) -> None:
    files = {
        "app.sh": "#!/bin/sh\ntrap 'exit 0' TERM\nwhile true; do sleep 1 & wait $!; done\n",
        "run.sh": f"#!/bin/sh\n/app.sh & a=$!\n/app.sh & b=$!\ntrap 'kill $a $b; {waits}' TERM\nwait $a $b\n",
        "Dockerfile": 'FROM debian:12\nCOPY app.sh run.sh /\nCMD ["/run.sh"]',
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict, launch.why


def script(text: str, shell: str = "bash", before: str = "") -> Launch:
    files = {
        "app.py": "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(9999)\n",
        "run.sh": text,
        "Dockerfile": f"FROM python:3.12-slim\nRUN apt-get install -y dumb-init\nCOPY run.sh app.py ./\n"
        f'CMD [{before}"{shell}", "run.sh"]\n',
    }
    (launch,) = read(files).launches
    return launch


@pytest.mark.parametrize(
    ("stops", "verdict"),
    [
        ("kill $main; wait", "ignored"),
        ("kill $main $beat; wait", "handled"),
        ("kill $main; wait $main", "handled"),
    ],
)
def test_a_job_that_goes_round_for_ever_beside_a_program(stops: str, verdict: str) -> None:
    beat = "while :; do date > /tmp/beat; sleep 5; done & beat=$!"
    launch = script(f"{beat}\npython app.py & main=$!\ntrap '{stops}' TERM\nwait $main\n")
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("first", "verdict"),
    [
        ("note", "cut"),
        ("note || true", "handled"),
        ("(( n++ ))", "cut"),
        ("rm /tmp/ready", "unknown"),
        ("rm -f /tmp/ready", "handled"),
        ("[ -e /tmp/ready ] && rm /tmp/ready", "handled"),
        ("if [ -e /tmp/ready ]; then rm /tmp/ready; fi", "handled"),
    ],
)
def test_a_command_that_fails_ends_a_trap_under_errexit(first: str, verdict: str) -> None:
    note = 'note() { [ -n "$VERBOSE" ] && echo stopping; }'
    stop = f"stop() {{ {first}; kill $main; wait $main; }}"
    launch = script(f"set -e\nn=0\n{note}\n{stop}\npython app.py & main=$!\ntrap stop TERM\nwait $main || true\n")
    assert launch.verdict.value == verdict, launch.why
    fails = "a command fails on SIGTERM, and `set -e` ends the script while `python app.py` cleans up"
    assert (launch.why == fails) == (verdict == "cut"), launch.why


@pytest.mark.parametrize(
    ("trap", "loop", "verdict"),
    [
        ("stop=1", 'while [ -z "$stop" ]; do run_once; done', "handled"),
        ("stop=1", 'while [ -z "$stop" ]; do python app.py; done', "handled"),
        ("exit 0", "while true; do run_once; sleep 1; done", "handled"),
        ("echo stopping", "while true; do run_once; sleep 1; done", "ignored"),
    ],
)
def test_a_program_that_dies_of_its_groups_signal_lets_the_trap_end_the_loop(
    trap: str, loop: str, verdict: str
) -> None:
    launch = script(f"trap '{trap}' TERM\nrun_once() {{ python app.py; }}\n{loop}\n", before='"dumb-init", "--", ')
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(
    ("written", "replaced"),
    [
        ("sleep 1 &\n        python app.py", False),
        ('"sleep 1 &\n        python app.py"', False),
        ('"sleep 1 &\\npython app.py"', True),
        ("|\n        sleep 1 &\n        python app.py", True),
        ("true; true &&\n        python app.py", False),
    ],
)
def test_the_lines_of_a_text_are_those_that_yaml_makes_of_it(written: str, replaced: bool) -> None:
    compose = "services:\n  a:\n    image: python:3.11-bookworm\n    entrypoint:\n      - bash\n      - -c\n      - "
    (launch,) = read({"compose.yaml": f"{compose}{written}\n"}).launches
    assert (launch.hops[0].effect is Effect.REPLACES) == replaced, launch.why


@pytest.mark.parametrize(("job", "verdict"), [("{ exec python app.py; }", "handled"), ("{ python app.py; }", "cut")])
def test_a_coprocess_is_a_job_by_its_name(job: str, verdict: str) -> None:
    launch = script(f"coproc APP {job}\ntrap 'kill $APP_PID; wait $APP_PID' TERM\nwait $APP_PID\n")
    assert launch.verdict.value == verdict, launch.why


def test_the_jobs_that_mapfile_reads() -> None:
    stop = 'stop() { mapfile -t pids < <(jobs -p); kill "${pids[@]}"; wait; }'
    launch = script(f"python app.py &\n{stop}\ntrap stop TERM\nwait\n")
    assert launch.verdict.value == "handled", launch.why
