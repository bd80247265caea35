"""The shell's builtins: what each changes of a path's state, and which events it makes."""

from __future__ import annotations

import posixpath

from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.base.posix import normal
from gracelint.base.record import Record, replace
from gracelint.facts.script import ShellWord, Simple
from gracelint.launch.shell.conditions import arithmetic, test
from gracelint.launch.shell.paths import GROUP, JOB, LEADER, NOWHERE, SELF, Event, State, event, failed, prepares
from gracelint.launch.signals import signal_name
from gracelint.launch.words import base_name
from gracelint.parse.expansion import ITEMS, OTHER_VARIABLES, expand, expand_all
from gracelint.source import Passage, Segment, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from gracelint.facts.script import Command
    from gracelint.launch.shell.paths import Shapes

    class Walk(Protocol):
        row: dict[str, Any]
        lacks: frozenset[str]
        refused: list[Span]
        read: Callable[[str, str], Passage | None]

        def call(self, call: Call, state: State) -> list[State]: ...
        def commands(self, commands: Sequence[Command], state: State) -> list[State]: ...
        def last(self, item: Event, state: State) -> list[State]: ...


_DEEPEST = 12
"""Functions, sourced files and `eval` within one another."""
EVALUATED = frozenset(("evaluated",))
"""The shape of a text for `eval` that nobody can read: it may be a program, an `exec` or a trap."""
_INTERRUPTED = "143"
"""What `wait` returns when a trap for SIGTERM interrupts it: 128 and the signal's number."""
_NAME = pattern(r"[A-Za-z_]\w*")
_VARIABLE = pattern(r"""\"?\$\{?([A-Za-z_]\w*)\}?\"?""")
_DEFAULT = pattern(r'(?s)"?\$\{([A-Za-z_]\w*):?=(.*)\}"?')


class Call(Record):
    """A simple command whose words are expanded."""

    words: list[Word]
    command: Simple
    shapes: Shapes

    @property
    def name(self) -> str:
        return self.words[0].value

    @property
    def operands(self) -> list[Word]:
        return self.words[1:]


def too_deep(state: State) -> bool:
    return state.depth >= _DEEPEST


def run_event(kind: str, words: Sequence[Word], call: Call, state: State) -> Event:
    """The event of a command that is run, started or exec'd."""
    command = call.command
    env = {key: state.variables.get(key) for key in state.exported}
    env.update((name, state.text(value) if value else "") for name, value in command.assignments)
    return Event(
        kind,
        command.span,
        tuple(words),
        None if command.words[0].text in BUILTINS else command.words[0].span,
        call.shapes,
        dict(state.traps),
        env,
        state.working_dir,
        state.written,
        prepares(tuple(words)),
        monitor=state.monitor,
        looped=state.looping + state.loops > 0,
        beside=tuple(item.target.span for item in command.redirects if item.target and "(" in item.target.text[:2]),
    )


def assign(state: State, name: str, value: ShellWord | None) -> None:
    if value is not None and value.text.startswith("("):
        items = expand_all(value.text[1:-1], state.scope)
        state.variables[name] = None if items is None else ITEMS.join(items)
    else:
        state.variables[name] = state.text(value) if value is not None else ""
    if state.exports_all:
        state.exported.add(name)


def jobs_of(operands: Sequence[str], state: State) -> frozenset[int] | None:
    """The jobs that operands of `kill` or `wait` name."""
    found: set[int] = set()
    for operand in operands:
        process = operand.lstrip("-")
        own_group = process in (SELF, "$$") and operand.startswith("-")
        if operand == "-1" or (own_group and state.pid_1):
            found.update(range(1, state.jobs + 1))  # kill(2) spares PID 1 and the caller
        elif operand == "0" or process in (SELF, "$$"):
            found.add(GROUP)
        elif process.startswith(JOB) and is_whole(process[len(JOB) :]):
            # Without `set -m` a job leads no process group, and `kill -$PID` finds none
            found.update((int(process[len(JOB) :]),) if process == operand or state.monitor else ())
        elif process.startswith(LEADER) and is_whole(process[len(LEADER) :]):
            found.add(int(process[len(LEADER) :]))
        elif operand in ("%%", "%+", "%", "$!"):
            found.add(state.jobs)
        elif operand.startswith("%") and is_whole(operand[1:]):
            found.add(int(operand[1:]))
        elif operand in ("$(jobs -p)", "`jobs -p`"):
            found.update(range(1, state.jobs + 1))
        elif operand:
            return None
    return frozenset(found)


def leave_function(states: list[State]) -> None:
    """A `return` ends the function or the sourced file, not the script."""
    for state in states:
        if state.ended and state.events and state.events[-1].kind == "return":
            state.events.pop()
            state.ended = False


def leave_round(state: State) -> str:
    """A `break` or `continue` ends a round of a loop, not the script. Says which of them it was, if any."""
    kind = state.events[-1].kind if state.ended and state.events else ""
    if kind not in ("break", "continue"):
        return ""
    state.events.pop()
    state.ended = False
    return kind


def _exec(walk: Walk, call: Call, state: State) -> list[State]:
    rest = call.operands
    while rest and rest[0].value.startswith("-"):
        option, *rest = rest
        if option.value == "--":
            break
        if option.value.endswith("a"):
            if "exec -a" in walk.lacks:
                return _exit(walk, call, state)
            rest = rest[1:]
    if not call.operands:
        rest = [Word(word.text, word.span) for word in call.command.words[1:] if _comes_from_outside(word, state)]
    state.endless |= _open_both_ways(call)
    state.add(run_event("exec" if rest else "redirect", rest, call, state))
    state.ended = bool(rest)
    return [state]


def _comes_from_outside(word: ShellWord, state: State) -> bool:
    """Whether a word is a variable that nothing here sets: nobody writes `exec $COMMAND` for an empty one."""
    found = _VARIABLE.fullmatch(word.text)
    return found is not None and found[1] not in state.variables


def _command(walk: Walk, call: Call, state: State) -> list[State]:
    rest = call.operands
    if rest and rest[0].value in ("-v", "-V"):
        state.status = None
        return [state]
    while rest and rest[0].value in ("-p", "--"):
        rest = rest[1:]
    if not rest:
        return [state]
    shapes = None if call.shapes is None else (call.shapes - {"simple"}) | {"command"}
    return walk.call(Call(rest, call.command, shapes), state)


def _time(walk: Walk, call: Call, state: State) -> list[State]:
    rest = call.operands[1:] if call.operands and call.operands[0].value == "-p" else call.operands
    return walk.call(Call(rest, call.command, None), state) if rest else [state]


_SETS_SOME = pattern(r"(?:\w|\$\w|\$\{\w+\})+=(?:\$\([^()]*\)|[^\s;&|()`<>])*")


def _eval(walk: Walk, call: Call, state: State) -> list[State]:
    from gracelint.parse.shell import read_script

    if too_deep(state):
        return [state]
    text, span = " ".join(word.value for word in call.operands), call.command.span
    if text.startswith("$(") and text.endswith(")"):
        return [state]  # what a tool prints to be eval'd, as in `eval "$(pyenv init -)"`, sets variables and functions
    if _SETS_SOME.fullmatch(text):
        return [state]  # `eval "${name}_port=$port"`: bash takes no such name for one, so that it has to be eval'd
    if text.startswith("$") and call.shapes is None:  # the last one of a script, as in `eval $STARTUP`, is its program
        return walk.call(Call(call.operands, call.command, EVALUATED), state)
    passage = Passage(span.source, text, (Segment(0, span.start, len(text), span.end - span.start),))
    state.depth += 1
    states = walk.commands(read_script(passage).body, state)
    for end in states:
        end.depth -= 1
    return states


def _source(walk: Walk, call: Call, state: State) -> list[State]:
    from gracelint.parse.shell import read_script

    operands = call.operands
    passage = None
    if operands and not too_deep(state):
        place = posixpath.normpath(posixpath.join(state.working_dir, operands[0].value))
        passage = state.written[place] if place in state.written else walk.read(operands[0].value, state.working_dir)
    if passage is None:
        if operands and "*" not in operands[0].value:
            state.variables[OTHER_VARIABLES] = None  # nobody knows what it sets
        return [state]
    outer = state.positional
    if len(operands) > 1:
        state.positional = tuple(operands[1:])
    state.depth += 1
    states = walk.commands(read_script(passage).body, state)
    leave_function(states)
    for end in states:
        end.depth -= 1
        if len(operands) > 1:
            end.positional = outer
    return states


def _exit(walk: Walk, call: Call, state: State) -> list[State]:
    kind = "return" if call.name == "return" and state.depth else "exit"
    status = call.operands[0].value if call.operands else ""
    state.events.append(event(kind, call.command.span, state, signal=status if is_whole(status) else ""))
    state.ended = True
    return [state]


def _break(walk: Walk, call: Call, state: State) -> list[State]:
    if state.loops:
        state.events.append(event(call.name, call.command.span, state))
        state.ended = True
    return [state]


def _true(walk: Walk, call: Call, state: State) -> list[State]:
    state.status = call.name != "false"
    for word in call.command.words[1:]:
        default = _DEFAULT.fullmatch(word.text)
        if default is not None and not state.variables.get(default[1], ""):
            fields = expand(f'"{default[2]}"', state.scope)
            state.variables[default[1]] = None if fields is None else " ".join(fields)
    return [state]


def _cd(walk: Walk, call: Call, state: State) -> list[State]:
    operands = [word.value for word in call.operands if not word.value.startswith("-")]
    target = operands[0] if operands else "~"
    if target == "~" or target.startswith("~/"):
        target = (state.variables.get("HOME") or "$HOME") + target[1:]
    known = "$" not in target and "`" not in target and not target.startswith("~")
    if known and (state.working_dir != NOWHERE or target.startswith("/")):
        state.working_dir = normal(posixpath.join(state.working_dir, target))
    else:
        state.working_dir = NOWHERE
    state.variables["PWD"] = None if state.working_dir == NOWHERE else state.working_dir
    return [state]


def _declare(walk: Walk, call: Call, state: State) -> list[State]:
    for word in call.command.words[1:]:
        name, equals, text = word.text.partition("=")
        if not _NAME.fullmatch(name):
            continue
        if equals:
            assign(state, name, ShellWord(text, None, word.span))
        if call.name == "export":
            state.exported.add(name)
    return [state]


def _unset(walk: Walk, call: Call, state: State) -> list[State]:
    for word in call.operands:
        state.variables.pop(word.value, None)
        state.exported.discard(word.value)
        state.functions.pop(word.value, None)
    return [state]


def _sets(walk: Walk, call: Call, state: State) -> list[State]:
    for word in call.operands:
        if _NAME.fullmatch(word.value):
            state.variables[word.value] = None
    state.status = None
    return [state]


def _lines(walk: Walk, call: Call, state: State) -> list[State]:
    """`mapfile -t LINES < FILE`."""
    names = [word.value for word in call.operands if _NAME.fullmatch(word.value)]
    source = next((one.target.text for one in call.command.redirects if one.operator == "<" and one.target), "")
    if source.replace(" ", "") == "<(jobs-p)":
        lines = (state.variables["jobs -p"] or "").split()
    else:
        place = posixpath.normpath(posixpath.join(state.working_dir, source))
        passage = state.written[place] if place in state.written else walk.read(source, state.working_dir)
        lines = passage.text.splitlines() if passage is not None and source else []
    is_known = bool(lines) and all(line and ITEMS not in line for line in lines)
    state.variables[names[-1] if names else "MAPFILE"] = ITEMS.join(lines) if is_known else None
    state.status = True
    return [state]


def _read(walk: Walk, call: Call, state: State) -> list[State]:
    """Waits for a line where its end of the pipe is open for writing too, so that there is never an end of it."""
    _sets(walk, call, state)
    reads = walk.row.get("read")
    if reads is None or _descriptor(call) not in state.endless:
        return [state]
    before = state.reached
    states = walk.last(event("read", call.command.span, state), state)
    for end in states:
        if end.reached != before and not end.ended:
            end.status = False
            if reads == "restarts":
                end.events.append(event("forever", call.command.span, end))
                end.ended = True
    return states


def _descriptor(call: Call) -> str | None:
    """The number that `read` reads from; None where it does so for a limited time."""
    words = [word.value for word in call.operands]
    if any(word.startswith("-") and "t" in word for word in words):
        return None
    after = next((words[index + 1] for index, word in enumerate(words[:-1]) if word in ("-u", "-ru")), None)
    joined = next((word[2:] for word in words if word.startswith("-u") and len(word) > 2), None)
    redirected = (one.target.text for one in call.command.redirects if one.operator == "<&" and one.target is not None)
    return after or joined or next(redirected, "0")


def _open_both_ways(call: Call) -> frozenset[str]:
    """The numbers that `exec 3<>PIPE` opens."""
    found = (one.operator.removesuffix("<>") for one in call.command.redirects if one.operator.endswith("<>"))
    return frozenset(one or "0" for one in found)


def _coproc(walk: Walk, call: Call, state: State) -> list[State]:
    """A job whose name, where it has one, stands before a compound command, which is read elsewhere."""
    if call.operands:
        state.jobs += 1
        job = replace(run_event("start", call.operands, call, state), job=state.jobs)
        state.events.append(job)
        state.started = (*state.started, job)
        state.variables["!"] = state.variables["COPROC_PID"] = f"{JOB}{state.jobs}"
    return [state]


def _set(walk: Walk, call: Call, state: State) -> list[State]:
    for index, word in enumerate(call.words[1:], 1):
        option = word.value
        if option in ("--", "-"):
            state.positional = tuple(call.words[index + 1 :])
            break
        if option[:1] not in ("-", "+"):
            before = call.words[index - 1].value
            if before[:1] not in ("-", "+") or not before.endswith("o"):
                state.positional = tuple(call.words[index:])
                break
            option = before[0] + {"monitor": "m", "allexport": "a", "errexit": "e"}.get(option, "")
        if "m" in option and "set -m" not in walk.lacks:
            state.monitor = option.startswith("-")
        if "a" in option:
            state.exports_all = option.startswith("-")
        if "e" in option:
            state.errexit = option.startswith("-")
    return [state]


def _shift(walk: Walk, call: Call, state: State) -> list[State]:
    count = call.operands[0].value if call.operands else "1"
    known = state.positional is not None and is_whole(count)
    state.positional = (state.positional or ())[int(count) :] if known else None
    return [state]


def _trap(walk: Walk, call: Call, state: State) -> list[State]:
    texts = [word for word in call.command.words[1:] if word.text != "--"]
    if not texts or texts[0].text in ("-l", "-p"):
        return [state]
    action: str | None = None
    if len(texts) > 1:
        action = state.text(texts[0])
        # What is only known when it runs stays as written: `kill $(pidof app)`
        action = texts[0].text.strip("\"'").replace("\\$", "$") if action is None else action
        texts = texts[1:]
    for text in texts:
        name = state.text(text) or text.text
        if name.startswith("SIG") and "SIG" in walk.lacks:
            walk.refused += [word.span for word in texts if "SIG" in word.text]
            break
        if name in walk.lacks:
            break
        name = "EXIT" if name in ("0", "EXIT", "exit") else signal_name(name) or name
        if action is None or action == "-":
            state.traps.pop(name, None)
        else:
            state.traps[name] = action
            state.trapped = state.trapped or bool(action)
    return [state]


def _wait(walk: Walk, call: Call, state: State) -> list[State]:
    operands = [word.value for word in call.operands]
    if "-n" in operands and "wait -n" in walk.lacks:
        state.status = False
        return [state]
    named = [operand for operand in operands if not operand.startswith("-")]
    jobs = jobs_of(named, state) if named else frozenset(range(1, state.jobs + 1))
    strict = state.errexit and not state.guarded
    waits = event("wait", call.command.span, state, jobs)
    interrupted = any(state.traps.values()) and not any(item.kind == "wait" for item in state.events)
    waits = replace(waits, first="-n" in operands, strict=strict, looped=state.looping > 0)
    reached = state.reached
    states = walk.last(waits, state)
    for end in states:
        if end.ended:
            continue
        # Where a trap is set, what comes behind the first `wait` only matters when the signal has interrupted it
        end.status = False if interrupted else None if named else True
        end.variables["?"] = _INTERRUPTED if interrupted else None
        if strict and end.reached != reached:
            failed(call.command.span, end)
    return states


def _fg(walk: Walk, call: Call, state: State) -> list[State]:
    started = [item for item in state.started if item.words]
    state.status = "fg" not in walk.lacks
    if started and state.status:
        state.add(replace(started[-1], kind="run", command=None, job=None, traps=dict(state.traps)))
    return [state]


def _kill(walk: Walk, call: Call, state: State) -> list[State]:
    signal: str | None = "SIGTERM"
    operands = list(call.operands)
    given = False
    while operands and operands[0].value.startswith("-") and not (given and operands[0].value != "--"):
        option = operands.pop(0).value
        given = option != "--" and (call.name == "kill" or signal_name(option[1:]) is not None)
        if option in ("-s", "-n", "--signal") and operands:
            option = operands.pop(0).value
        elif option == "--":
            break
        elif call.name != "kill" and signal_name(option[1:]) is None:
            continue
        if option in ("-0", "0"):
            return _asked_for(call, [operand.value for operand in operands], state)
        if call.name == "kill" and "SIG" in option and "SIG" in walk.lacks:
            walk.refused.append(next(word.span for word in call.command.words if "SIG" in word.text))
            return failed(call.command.span, state)
        signal = signal_name(option.lstrip("-"))
    values = [part for operand in operands for part in operand.value.split()]
    if not values:
        return failed(call.command.span, state)
    by_name = call.name != "kill" and SELF not in values and "$$" not in values
    if call.name == "kill":
        if not walk.lacks.isdisjoint(_kill_forms(call)):
            return failed(call.command.span, state)
        jobs = jobs_of(values, state)
    else:
        whole = any(word.value in ("-f", "--full") for word in call.operands)
        jobs = named_jobs([operand.value for operand in operands] if whole else values, state, whole)
    kills = event("kill", call.command.span, state, jobs, signal or "")
    by_name |= walk.row.get("kill_whole_job", False) and any(value.startswith("%") for value in values)
    by_leader = any(value.startswith(("%", LEADER, "$(jobs", "`jobs")) for value in values)
    state.events.append(replace(kills, by_name=by_name, by_leader=by_leader))
    if call.name == "kill" and "kill --" in _kill_forms(call) and walk.row.get("kill_dashes_fail"):
        return failed(call.command.span, state)
    return [state]


def _asked_for(call: Call, operands: Sequence[str], state: State) -> list[State]:
    """`kill -0 $PID`: once the signal has arrived, a job that it does not find has ended."""
    jobs = jobs_of(operands, state)
    if state.reached is None or not jobs:
        state.status = None
        return [state]
    gone = state.fork()
    gone.events.append(event("wait", call.command.span, state, jobs))
    state.status, gone.status = True, False
    return [state, gone]


def _kill_forms(call: Call) -> set[str]:
    """The forms of operands that not every shell's `kill` takes."""
    texts = [word.text for word in call.command.words[1:]]
    forms = {"kill --" for text in texts[1:] if text == "--"}
    forms |= {"kill %" for text in texts if text.startswith("%")}
    return forms | {"jobs -p" for text in texts if "jobs -p" in text}


def named_jobs(operands: Sequence[str], state: State, whole: bool) -> frozenset[int] | None:
    """The jobs that `pkill NAME`, `pkill -P $$` or, by their whole command lines, `pkill -f TEXT` reaches."""
    if SELF in operands or "$$" in operands:
        return frozenset(range(1, state.jobs + 1))
    found = set()
    for item in state.started:
        line = " ".join(word.value for word in item.words)
        named = item.words and base_name(item.words[0].value) in operands
        if item.job is not None and (named or (whole and any(operand in line for operand in operands))):
            found.add(item.job)
    return frozenset(found) or None


def _nothing(walk: Walk, call: Call, state: State) -> list[State]:
    return [state]


_QUIET = (
    "bind",
    "caller",
    "compgen",
    "complete",
    "compopt",
    "dirs",
    "emulate",
    "fc",
    "help",
    "history",
    "setopt",
    "times",
    "umask",
    "ulimit",
    "shopt",
    "alias",
    "unalias",
    "hash",
    "disown",
    "enable",
    "bg",
    "jobs",
    "popd",
)
BUILTINS: dict[str, Callable[[Walk, Call, State], list[State]]] = {
    "exec": _exec,
    "command": _command,
    "builtin": _command,
    "time": _time,
    "eval": _eval,
    ".": _source,
    "source": _source,
    "exit": _exit,
    "return": _exit,
    "true": _true,
    ":": _true,
    "false": _true,
    "cd": _cd,
    "pushd": _cd,
    "export": _declare,
    "local": _declare,
    "declare": _declare,
    "typeset": _declare,
    "readonly": _declare,
    "unset": _unset,
    "read": _read,
    "set": _set,
    "shift": _shift,
    "test": test,
    "[": test,
    "[[": test,
    "((": arithmetic,
    "let": arithmetic,
    "trap": _trap,
    "wait": _wait,
    "fg": _fg,
    "kill": _kill,
    "pkill": _kill,
    "killall": _kill,
    "type": _sets,
    "getopts": _sets,
    "readarray": _lines,
    "mapfile": _lines,
    "coproc": _coproc,
    "logout": _exit,
    "break": _break,
    "continue": _break,
    **dict.fromkeys(_QUIET, _nothing),
}
