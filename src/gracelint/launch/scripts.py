"""What a shell script does, command by command, on each way through it.

A path is a list of events: what is run, started beside, waited for, signalled, exec'd. Conditions that the files decide
are decided; at the others the path forks.
"""

from __future__ import annotations

import posixpath
import re

from gracelint.facts.script import (
    AndOr,
    Background,
    Case,
    Function,
    Group,
    If,
    Loop,
    Opaque,
    Pipeline,
    ShellWord,
    Simple,
)
from gracelint.knowledge import table
from gracelint.launch.signals import signal_name
from gracelint.launch.words import base_name
from gracelint.parse.expansion import ITEMS, Scope, expand, expand_all
from gracelint.record import Record, replace
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gracelint.facts.script import Command
    from gracelint.source import Passage, Span

_MOST_PATHS = 48
_MOST_ROUNDS = 40
"""Of a loop whose condition is known each time, such as one that shifts arguments."""
_DEEPEST = 12
"""Functions and sourced files that call one another."""

NOWHERE = "/?"
"""The working directory after a `cd` to a place only known when it runs."""
SELF = "\x00self"
_JOB = "\x00job"


class Event(Record, identity=True):
    """`kind` is run (in the foreground), start (in the background), exec, wait, kill, exit, or forever (an idle loop)."""

    kind: str
    span: Span
    words: tuple[Word, ...] = ()
    command: Span | None = None
    """The command's first word: where `exec ` would go."""
    shapes: frozenset[str] | None = None
    """Where it is the last command: the shapes through which the shell sees that (`knowledge/shells.toml`)."""
    traps: dict[str, str] | None = None
    """Actions in force by signal name, "" where it is ignored."""
    env: dict[str, str | None] | None = None
    """What the command's environment has."""
    working_dir: str = "/"
    one_shot: bool = False
    job: int | None = None
    """The number of a started job; None otherwise."""
    jobs: frozenset[int] | None = None
    """Which jobs are waited for or signalled; None where that is not known. 0 is the shell's whole group."""
    signal: str = ""
    """What `kill` sends."""
    polls: bool = False
    """It waits in a loop until the job is gone, whatever interrupts it."""
    any: bool = False
    """`wait -n`: the first job that ends is enough."""
    monitor: bool = False
    """Under `set -m`, where background jobs keep SIGINT."""
    pipe: tuple[Span, ...] = ()
    """The other commands of its pipe."""


class Path(Record, identity=True):
    events: tuple[Event, ...]
    traps: dict[str, str]
    """In force at its end."""
    complete: bool = True
    """False where the script has more ways than are followed."""
    state: State | None = None


class State:
    """What the shell knows at one point of one path."""

    def __init__(self, scope: Scope, working_dir: str, positional: tuple[Word, ...] | None) -> None:
        self.variables: dict[str, str | None] = dict(scope.variables)
        self.exported: set[str] = set(scope.variables)
        self.name = scope.name
        self.positional = positional
        self.working_dir = working_dir
        self.functions: dict[str, Function] = {}
        self.traps: dict[str, str] = {}
        self.trapped = False
        self.jobs = 0
        self.monitor = False
        self.exports_all = False
        self.status: bool | None = True
        self.ended = False
        self.events: list[Event] = []
        self.depth = 0

    def fork(self) -> State:
        other = object.__new__(State)
        other.__dict__.update(self.__dict__)
        other.variables = dict(self.variables)
        other.exported = set(self.exported)
        other.functions = dict(self.functions)
        other.traps = dict(self.traps)
        other.events = list(self.events)
        return other

    @property
    def scope(self) -> Scope:
        values = None if self.positional is None else tuple(word.value for word in self.positional)
        return Scope(self.variables, values, self.name)


class Walk:
    """One walk over a script. `read` finds the text of a sourced file, or says None."""

    def __init__(self, read: Callable[[str, str], Passage | None], lacks: Sequence[str] = ()) -> None:
        self.read = read
        self.lacks = lacks
        self.complete = True

    def paths(self, commands: Sequence[Command], state: State, shapes: frozenset[str] | None) -> list[Path]:
        """Every way through the commands; `shapes` is None where none of them is the text's last."""
        ends = self._list(commands, [state], shapes)
        return [Path(tuple(end.events), end.traps, self.complete, end) for end in ends]

    def _list(self, commands: Sequence[Command], states: list[State], shapes: frozenset[str] | None) -> list[State]:
        for index, command in enumerate(commands):
            last = index == len(commands) - 1
            inner = _at_the_end(commands, shapes) if last and shapes is not None else None
            running = [state for state in states if not state.ended]
            if not running:
                break
            done = [state for state in states if state.ended]
            for state in running:
                done.extend(self._command(command, state, inner))
            states = self._merge(done)
        return states

    def _merge(self, states: list[State]) -> list[State]:
        if len(states) > _MOST_PATHS:
            self.complete = False
            return states[:_MOST_PATHS]
        return states

    def _command(self, command: Command, state: State, shapes: frozenset[str] | None) -> list[State]:
        if isinstance(command, Simple):
            return self._simple(command, state, shapes)
        if isinstance(command, AndOr):
            return self._and_or(command, state, shapes)
        if isinstance(command, Background):
            return self._background(command, state)
        if isinstance(command, Group):
            return self._group(command, state, shapes)
        if isinstance(command, If):
            return self._if(command, state, shapes)
        if isinstance(command, Case):
            return self._case(command, state, shapes)
        if isinstance(command, Loop):
            return self._loop(command, state)
        if isinstance(command, Pipeline):
            return self._pipeline(command, state)
        if isinstance(command, Function):
            state.functions[command.name] = command
            state.status = True
            return [state]
        assert isinstance(command, Opaque)
        state.status = None
        return [state]

    def _and_or(self, command: AndOr, state: State, shapes: frozenset[str] | None) -> list[State]:
        inner = None if shapes is None else shapes | {"and" if command.operator == "&&" else "or"}
        ends = []
        for left in self._command(command.left, state, None):
            if left.ended:
                ends.append(left)
                continue
            goes_on = command.operator == "&&"
            if left.status is None:
                stays = left.fork()
                stays.status = not goes_on
                ends.append(stays)
            if left.status is None or left.status is goes_on:
                ends.extend(self._command(command.right, left, inner))
            else:
                ends.append(left)
        return ends

    def _background(self, command: Background, state: State) -> list[State]:
        job = _JOB + str(state.jobs + 1)
        child = state.fork()
        child.events = []
        child.traps = {name: action for name, action in state.traps.items() if not action}
        runs = [
            event
            for end in self._command(command.command, child, None)
            for event in end.events
            if event.kind in ("run", "exec", "start", "forever")
        ]
        state.jobs += 1
        main = next((event for event in runs if not event.one_shot and event.kind != "forever"), None)
        looping = any(event.kind == "forever" for event in runs)
        if main is None:
            main = Event("start", command.span, one_shot=not looping, env={}, working_dir=state.working_dir)
        helper = main.one_shot or looping or is_idle(main.words)
        state.events.append(
            Event(
                "start",
                command.span,
                main.words,
                main.command,
                traps=dict(state.traps),
                env=main.env,
                working_dir=main.working_dir,
                one_shot=helper,
                job=state.jobs,
                monitor=state.monitor,
                pipe=main.pipe,
            )
        )
        state.variables["!"] = job
        state.variables["jobs -p"] = f"{state.variables.get('jobs -p') or ''} {job}".strip()
        state.status = True
        return [state]

    def _group(self, group: Group, state: State, shapes: frozenset[str] | None) -> list[State]:
        shape = {"subshell" if group.subshell else "braces", *(("redirect",) if group.redirects else ())}
        inner = None if shapes is None else shapes | shape
        if not group.subshell:
            return self._list(group.body, [state], inner)
        before = state.fork()
        child = state.fork()
        ends = []
        for end in self._list(group.body, [child], inner):
            after = before.fork()
            after.events = [_in_subshell(event, inner, before.traps) for event in end.events]
            after.status = end.status
            ends.append(after)
        return ends

    def _if(self, command: If, state: State, shapes: frozenset[str] | None) -> list[State]:
        inner = None if shapes is None else shapes | {"if", *(("redirect",) if command.redirects else ())}
        ends: list[State] = []
        waiting = [state]
        for condition, body in command.branches:
            otherwise = []
            for asked in self._list(condition, waiting, None):
                if asked.ended:
                    ends.append(asked)
                    continue
                if asked.status is not False:
                    taken = asked.fork() if asked.status is None else asked
                    ends.extend(self._list(body, [taken], inner))
                if asked.status is not True:
                    otherwise.append(asked)
            waiting = otherwise
        if command.otherwise is not None and waiting:
            ends.extend(self._list(command.otherwise, waiting, inner))
        else:
            for left in waiting:
                left.status = True
                ends.append(left)
        return ends

    def _case(self, command: Case, state: State, shapes: frozenset[str] | None) -> list[State]:
        from fnmatch import fnmatchcase

        inner = None if shapes is None else shapes | {"case", *(("redirect",) if command.redirects else ())}
        subject = self._text(command.subject, state)
        ends = []
        for patterns, body in command.arms:
            texts = [self._text(pattern, state) for pattern in patterns]
            sure = subject is not None and any(text is not None and fnmatchcase(subject, text) for text in texts)
            catches_all = "*" in texts
            if not sure and not catches_all and subject is not None and None not in texts:
                continue
            taken = state if sure or catches_all else state.fork()
            ends.extend(self._list(body, [taken], inner))
            if sure or catches_all:
                return ends
        state.status = True
        return [*ends, state]

    def _loop(self, loop: Loop, state: State) -> list[State]:
        if loop.kind == "for":
            return self._for(loop, state)
        polled = _polled_jobs(loop, state, self)
        if polled is not None:
            state.events.append(self._event("wait", loop.condition[0].span, state, jobs=polled, polls=True))
            state.status = True
            return [state]
        wanted = loop.kind == "while"
        ends: list[State] = []
        running = [state]
        for _ in range(_MOST_ROUNDS):
            again = []
            for asked in self._list(loop.condition, running, None):
                runs_program = asked.events and asked.events[-1].kind == "run" and not asked.events[-1].one_shot
                if asked.ended:
                    ends.append(asked)
                elif asked.status is None or runs_program:
                    ends.extend(_left(self._list(loop.body, [asked], None)))
                elif asked.status is not wanted:
                    asked.status = True
                    ends.append(asked)
                elif _is_constant(loop.condition):
                    ends.extend(self._forever(loop, asked))
                else:
                    again.append(asked)
            running = self._list(loop.body, again, None) if again else []
            ends.extend(left for left in running if left.ended)
            running = [left for left in running if not left.ended]
            if not running:
                break
        return self._merge([*ends, *_left(running)])

    def _forever(self, loop: Loop, state: State) -> list[State]:
        """`while true`: left only by break, exit or exec."""
        ends = self._list(loop.body, [state], None)
        breaks = _breaks(loop.body)
        for end in ends:
            if not end.ended and not breaks:
                end.events.append(self._event("forever", loop.span, end))
                end.ended = True
        return ends

    def _for(self, loop: Loop, state: State) -> list[State]:
        each = loop.condition[0]
        assert isinstance(each, Simple)
        values = [field for word in each.words for field in (self._fields(word, state) or (None,))]
        states = [state]
        for value in values[:_MOST_ROUNDS] or [None]:
            for running in states:
                if loop.variable is not None and not running.ended:
                    running.variables[loop.variable] = value
            states = self._list(loop.body, states, None)
        return _left(states)

    def _pipeline(self, pipeline: Pipeline, state: State) -> list[State]:
        if len(pipeline.commands) == 1:
            ends = self._command(pipeline.commands[0], state, None)
            for end in ends:
                end.status = None if end.status is None else not end.status
            return ends
        runs = []
        for command in pipeline.commands:
            child = state.fork()
            child.events = []
            found = [event for end in self._command(command, child, None) for event in end.events if event.words]
            runs.append(found[-1] if found else None)
        main = _main_of_pipe(runs)
        others = tuple(
            command.span
            for command, run in zip(pipeline.commands, runs, strict=True)
            if run is not main and (run is None or not run.one_shot or base_name(run.words[0].value) in _filters())
        )
        if main is not None:
            state.events.append(_as_run(main, None, others))
        state.status = None if main is None or main.one_shot else True
        return [state]

    def _simple(self, command: Simple, state: State, shapes: frozenset[str] | None) -> list[State]:
        state.status = True
        if not command.words:
            for name, value in command.assignments:
                self._assign(state, name, value)
            return [state]
        words: list[Word] = []
        for word in command.words:
            words.extend(self._words(word, state))
        if shapes is not None and command.redirects:
            shapes = shapes | {"redirect"}
        if not words:
            return [state]
        return self._call(words, command, state, shapes)

    def _call(self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None) -> list[State]:
        name = words[0].value
        if name in state.functions and state.depth < _DEEPEST:
            return self._function(state.functions[name], words, state, shapes)
        builtin = _BUILTINS.get(name)
        if builtin is not None:
            return builtin(self, words, command, state, shapes)
        state.events.append(self._run("run", words, command, state, _with_traps(shapes, state)))
        state.status = None if base_name(name) in _asks() else True
        return [state]

    def _run(
        self, kind: str, words: Sequence[Word], command: Simple, state: State, shapes: frozenset[str] | None = None
    ) -> Event:
        env = {key: state.variables.get(key) for key in state.exported}
        env.update((name, self._text(value, state) if value else "") for name, value in command.assignments)
        return Event(
            kind,
            command.span,
            tuple(words),
            words[0].span if words else None,
            shapes,
            dict(state.traps),
            env,
            state.working_dir,
            is_one_shot(tuple(words)),
            monitor=state.monitor,
            pipe=tuple(item.target.span for item in command.redirects if item.target and "(" in item.target.text[:2]),
        )

    def _event(
        self,
        kind: str,
        span: Span,
        state: State,
        jobs: frozenset[int] | None = None,
        signal: str = "",
        polls: bool = False,
        any: bool = False,
    ) -> Event:
        return Event(
            kind,
            span,
            traps=dict(state.traps),
            working_dir=state.working_dir,
            jobs=jobs,
            signal=signal,
            polls=polls,
            any=any,
        )

    def _function(
        self, function: Function, words: list[Word], state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        outer, name = state.positional, state.name
        state.positional = tuple(words[1:])
        state.depth += 1
        ends = self._list(function.body, [state], None if shapes is None else shapes | {"function"})
        for end in ends:
            end.positional, end.name = outer, name
            end.depth -= 1
            if end.ended and end.events and end.events[-1].kind == "return":
                end.events.pop()
                end.ended = False
        return ends

    def _builtin_exec(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        rest = words[1:]
        while rest and rest[0].value.startswith("-"):
            option = rest.pop(0).value
            if option == "--":
                break
            if option.endswith("a") and "exec -a" in self.lacks:
                return self._builtin_exit(words, command, state, None)
            if option.endswith("a") and rest:
                rest.pop(0)
        if not rest:
            state.events.append(self._run("redirect", (), command, state))
            return [state]
        state.events.append(self._run("exec", rest, command, state))
        state.ended = True
        return [state]

    def _builtin_command(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        rest = words[1:]
        if rest and rest[0].value in ("-v", "-V"):
            state.status = None
            return [state]
        while rest and rest[0].value in ("-p", "--"):
            rest = rest[1:]
        if not rest:
            return [state]
        return self._call(rest, command, state, None if shapes is None else (shapes - {"simple"}) | {"command"})

    def _builtin_time(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        rest = words[2:] if len(words) > 1 and words[1].value == "-p" else words[1:]
        return self._call(rest, command, state, None) if rest else [state]

    def _builtin_eval(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        from gracelint.parse.shell import read_script

        state.depth += 1
        if state.depth > _DEEPEST:
            return [state]
        text = " ".join(word.value for word in words[1:])
        script = read_script(_passage_at(text, command.span))
        ends = self._list(script.body, [state], None)
        for end in ends:
            end.depth -= 1
        return ends

    def _builtin_source(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        from gracelint.parse.shell import read_script

        passage = self.read(words[1].value, state.working_dir) if len(words) > 1 and state.depth < _DEEPEST else None
        if passage is None:
            return [state]
        outer = state.positional
        if len(words) > 2:
            state.positional = tuple(words[2:])
        state.depth += 1
        ends = self._list(read_script(passage).body, [state], None)
        for end in ends:
            end.positional = outer if len(words) > 2 else end.positional
            end.depth -= 1
            if end.ended and end.events and end.events[-1].kind == "return":
                end.events.pop()
                end.ended = False
        return ends

    def _builtin_exit(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        kind = "return" if words[0].value == "return" and state.depth else "exit"
        state.events.append(self._event(kind, command.span, state))
        state.ended = True
        return [state]

    def _builtin_true(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        state.status = words[0].value != "false"
        for word in command.words[1:]:
            default = _DEFAULT.fullmatch(word.text)
            if default is not None and not state.variables.get(default[1], ""):
                fields = expand(f'"{default[2]}"', state.scope)
                state.variables[default[1]] = None if fields is None else " ".join(fields)
        return [state]

    def _builtin_cd(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        operands = [word.value for word in words[1:] if not word.value.startswith("-")]
        target = operands[0] if operands else "$HOME"
        known = "$" not in target and "`" not in target and not target.startswith("~")
        if known and state.working_dir != NOWHERE:
            state.working_dir = posixpath.normpath(posixpath.join(state.working_dir, target))
        else:
            state.working_dir = target if known and target.startswith("/") else NOWHERE
        state.variables["PWD"] = state.working_dir if state.working_dir != NOWHERE else None
        return [state]

    def _builtin_export(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        for word in command.words[1:]:
            name, equals, text = word.text.partition("=")
            if not _NAME.fullmatch(name):
                continue
            if equals:
                self._assign(state, name, ShellWord(text, None, word.span))
            if words[0].value == "export":
                state.exported.add(name)
        return [state]

    def _builtin_unset(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        for word in words[1:]:
            state.variables.pop(word.value, None)
            state.exported.discard(word.value)
            state.functions.pop(word.value, None)
        return [state]

    def _builtin_read(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        for word in words[1:]:
            if _NAME.fullmatch(word.value):
                state.variables[word.value] = None
        state.status = None
        return [state]

    def _builtin_set(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        for index, word in enumerate(words[1:], 1):
            option = word.value
            if option in ("--", "-"):
                state.positional = tuple(words[index + 1 :])
                break
            if option[:1] not in ("-", "+"):
                if words[index - 1].value not in ("-o", "+o"):
                    state.positional = tuple(words[index:])
                    break
                option = {"monitor": "m", "allexport": "a"}.get(option, "")
                option = words[index - 1].value[0] + option
            if "m" in option:
                state.monitor = option.startswith("-")
            if "a" in option:
                state.exports_all = option.startswith("-")
        return [state]

    def _builtin_shift(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        count = words[1].value if len(words) > 1 else "1"
        known = state.positional is not None and count.isdigit()
        state.positional = (state.positional or ())[int(count) :] if known else None
        return [state]

    def _builtin_test(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        if words[0].value in self.lacks:
            state.status = False
            return [state]
        fields: list[str | None] = []
        for word in command.words[1:]:
            expanded = self._fields(word, state)
            if expanded is None:
                fields.append(None)
            elif words[0].value == "[[":
                fields.append(" ".join(expanded))
            else:
                fields.extend(expanded)
        if fields and fields[-1] in ("]", "]]") and words[0].value != "test":
            fields.pop()
        state.status = self._test(fields, state)
        return [state]

    def _test(self, fields: list[str | None], state: State) -> bool | None:
        if fields and fields[0] == "!":
            answer = self._test(fields[1:], state)
            return None if answer is None else not answer
        for joint in ("||", "-o", "&&", "-a"):
            if joint in fields:
                index = fields.index(joint)
                left, right = self._test(fields[:index], state), self._test(fields[index + 1 :], state)
                decisive = joint in ("||", "-o")
                if decisive in (left, right):
                    return decisive
                return None if None in (left, right) else not decisive
        if len(fields) == 3:
            return _compare(fields[0], fields[1], fields[2])
        if len(fields) == 2:
            return self._ask(fields[0], fields[1], state)
        if not fields:
            return False
        return bool(fields[0]) if len(fields) == 1 and fields[0] is not None else None

    def _ask(self, operator: str | None, operand: str | None, state: State) -> bool | None:
        if operand is None:
            return None
        if operator in ("-z", "-n"):
            return (operand == "") is (operator == "-z")
        if operator in ("-e", "-f", "-r", "-s") and self.read(operand, state.working_dir) is not None:
            return True
        return None

    def _builtin_trap(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        texts = [word for word in command.words[1:] if word.text != "--"]
        if not texts or texts[0].text in ("-l", "-p"):
            return [state]
        action: str | None = None
        if len(texts) > 1:
            fields = self._fields(texts[0], state)
            action = " ".join(fields) if fields is not None else texts[0].text.strip("\"'").replace("\\$", "$")
            texts = texts[1:]
        for text in texts:
            name = _trap_name(self._text(text, state) or text.text)
            if action is None or action == "-":
                state.traps.pop(name, None)
            else:
                state.traps[name] = action
                state.trapped = state.trapped or bool(action)
        return [state]

    def _builtin_wait(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        operands = [word.value for word in words[1:]]
        first = "-n" in operands
        if first and "wait -n" in self.lacks:
            state.status = False
            return [state]
        operands = [operand for operand in operands if not operand.startswith("-")]
        jobs = _jobs(operands, state) if operands else frozenset(range(1, state.jobs + 1))
        state.events.append(self._event("wait", command.span, state, jobs=jobs, any=first))
        state.status = None if operands else True
        return [state]

    def _builtin_fg(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        started = [event for event in state.events if event.kind == "start" and event.words]
        if started:
            state.events.append(_as_run(started[-1], None, ()))
        return [state]

    def _builtin_kill(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        name, operands = base_name(words[0].value), words[1:]
        signal: str | None = "SIGTERM"
        while operands and operands[0].value.startswith("-") and len(operands) > 1:
            option = operands.pop(0).value
            if option in ("-s", "-n", "--signal"):
                signal = signal_name(operands.pop(0).value)
            elif option == "--":
                break
            elif name == "kill" or signal_name(option[1:]):
                signal = signal_name(option[1:])
            elif option in ("-P", "-g", "-u", "-x", "-f"):
                break
        if signal is None or (name == "kill" and any(option.value == "-0" for option in words)):
            state.status = None
            return [state]
        values = [part for operand in operands for part in operand.value.split()]
        jobs = _jobs(values, state) if name == "kill" else _named_jobs(values, state)
        state.events.append(self._event("kill", command.span, state, jobs=jobs, signal=signal))
        state.status = True
        return [state]

    def _builtin_break(
        self, words: list[Word], command: Simple, state: State, shapes: frozenset[str] | None
    ) -> list[State]:
        return [state]

    def _assign(self, state: State, name: str, value: ShellWord | None) -> None:
        if value is None:
            state.variables[name] = ""
        elif value.text.startswith("("):
            items = expand_all(value.text[1:-1], state.scope)
            state.variables[name] = None if items is None else ITEMS.join(items)
        else:
            fields = expand(value.text, state.scope)
            state.variables[name] = None if fields is None else " ".join(fields)
        if state.exports_all:
            state.exported.add(name)

    def _words(self, word: ShellWord, state: State) -> list[Word]:
        """The words a word becomes; those from `"$@"` stand where the arguments do."""
        if word.text in ('"$@"', "$@", "${@}", '"${@}"') and state.positional is not None:
            return list(state.positional)
        fields = (word.value,) if word.value is not None else self._fields(word, state)
        if fields is None:
            return [Word(word.text.strip('"'), word.span)]
        return [Word(field, word.span) for field in fields]

    def _fields(self, word: ShellWord, state: State) -> tuple[str, ...] | None:
        return (word.value,) if word.value is not None else expand(word.text, state.scope)

    def _text(self, word: ShellWord, state: State) -> str | None:
        fields = self._fields(word, state)
        return None if fields is None else " ".join(fields)


_BUILTINS: dict[str, Callable[[Walk, list[Word], Simple, State, frozenset[str] | None], list[State]]] = {
    "exec": Walk._builtin_exec,
    "command": Walk._builtin_command,
    "builtin": Walk._builtin_command,
    "time": Walk._builtin_time,
    "eval": Walk._builtin_eval,
    ".": Walk._builtin_source,
    "source": Walk._builtin_source,
    "exit": Walk._builtin_exit,
    "return": Walk._builtin_exit,
    "true": Walk._builtin_true,
    ":": Walk._builtin_true,
    "false": Walk._builtin_true,
    "cd": Walk._builtin_cd,
    "pushd": Walk._builtin_cd,
    "export": Walk._builtin_export,
    "local": Walk._builtin_export,
    "declare": Walk._builtin_export,
    "typeset": Walk._builtin_export,
    "readonly": Walk._builtin_export,
    "unset": Walk._builtin_unset,
    "read": Walk._builtin_read,
    "set": Walk._builtin_set,
    "shift": Walk._builtin_shift,
    "test": Walk._builtin_test,
    "[": Walk._builtin_test,
    "[[": Walk._builtin_test,
    "trap": Walk._builtin_trap,
    "wait": Walk._builtin_wait,
    "fg": Walk._builtin_fg,
    "kill": Walk._builtin_kill,
    "pkill": Walk._builtin_kill,
    "killall": Walk._builtin_kill,
    "break": Walk._builtin_break,
    "continue": Walk._builtin_break,
    **dict.fromkeys(
        (
            "umask",
            "ulimit",
            "shopt",
            "alias",
            "unalias",
            "hash",
            "type",
            "let",
            "disown",
            "enable",
            "bg",
            "jobs",
            "popd",
        ),
        Walk._builtin_break,
    ),
}
BUILTINS = frozenset(_BUILTINS)

_LONG = 600
"""Seconds of a `sleep` that is there to keep the container up."""
_LOOKS_AT = 4
"""`bundle exec rake db:migrate`: how many words may name the tool."""
_NAME = re.compile(r"[A-Za-z_]\w*")
_DEFAULT = re.compile(r'"?\$\{([A-Za-z_]\w*):?=(.*)\}"?', re.DOTALL)


def is_one_shot(words: tuple[Word, ...]) -> bool:
    """Whether a command is known to end by itself, and not to be what the container is for."""
    rows = table("shell_commands")["one_shot"]
    values = [word.value for word in words]
    name = base_name(values[0]) if values else ""
    if name == "sleep":
        return not is_idle(words)
    if name in rows["names"] or name in BUILTINS:
        return True
    return any(
        word in rows["with"].get(base_name(value), ())
        for index, value in enumerate(values[:_LOOKS_AT])
        for word in values[index + 1 :]
    )


def is_idle(words: tuple[Word, ...]) -> bool:
    """`tail -f /dev/null`, `sleep infinity` and the like."""
    values = [word.value for word in words]
    name = base_name(values[0]) if values else ""
    if name == "sleep":
        seconds = values[1].rstrip("s") if len(values) > 1 else "0"
        return not (seconds.replace(".", "", 1).isdigit() and float(seconds) < _LONG)
    return name == "tail" and any(value.startswith("-") and ("f" in value.lower()) for value in values[1:])


def _at_the_end(commands: Sequence[Command], shapes: frozenset[str]) -> frozenset[str]:
    """The shapes through which the last of these commands is seen."""
    if len(commands) == 1:
        return shapes
    before, last = commands[-2], commands[-1]
    between = last.span.source.text[before.span.end : last.span.start]
    if isinstance(before, Background):
        shapes = shapes | {"background"}
    else:
        shapes = shapes | {"sequence" if between.lstrip(" \t").startswith(";") else "lines"}
    if isinstance(last, AndOr) and "\n" not in between and "\\n" not in between:
        shapes = shapes | {"nested"}
    return shapes


def _with_traps(shapes: frozenset[str] | None, state: State) -> frozenset[str] | None:
    if shapes is None or not state.trapped:
        return shapes
    return shapes | {"trap" if any(state.traps.values()) else "reset-trap"}


def _in_subshell(event: Event, shapes: frozenset[str] | None, traps: dict[str, str]) -> Event:
    """An exec in a subshell replaces only that; where the shell forks none, it replaces the shell."""
    event = _as_run(event, shapes, event.pipe) if event.kind == "exec" else event
    return replace(event, traps=dict(traps))


def _as_run(event: Event, shapes: frozenset[str] | None, pipe: tuple[Span, ...]) -> Event:
    return Event(
        "run",
        event.span,
        event.words,
        event.command if event.kind == "run" else None,
        shapes,
        event.traps,
        event.env,
        event.working_dir,
        event.one_shot,
        pipe=pipe,
    )


def _main_of_pipe(runs: list[Event | None]) -> Event | None:
    """The program of a pipe: the first that neither feeds nor filters."""
    known = [run for run in runs if run is not None]
    mains = [run for run in known if not run.one_shot and base_name(run.words[0].value) not in _filters()]
    return mains[0] if mains else known[-1] if known else None


def _filters() -> list[str]:
    names: list[str] = table("shell_commands")["filters"]["names"]
    return names


def _asks() -> list[str]:
    names: list[str] = table("shell_commands")["asks"]["names"]
    return names


def _is_constant(condition: tuple[Command, ...]) -> bool:
    """`true`, `:`, `false`, `[ 1 ]`, `[ 1 -eq 1 ]`: what never changes."""
    command = condition[0]
    if len(condition) != 1 or not isinstance(command, Simple):
        return False
    return all(word.value is not None for word in command.words)


def _breaks(commands: Sequence[Command]) -> bool:
    """Whether a loop's body may leave it."""
    for command in commands:
        if isinstance(command, Simple) and command.words and command.words[0].text in ("break", "return"):
            return True
        inner: Sequence[Sequence[Command]] = ()
        if isinstance(command, AndOr):
            inner = [(command.left, command.right)]
        elif isinstance(command, Group):
            inner = [command.body]
        elif isinstance(command, If):
            inner = [*(body for _, body in command.branches), command.otherwise or ()]
        elif isinstance(command, Case):
            inner = [body for _, body in command.arms]
        elif isinstance(command, Pipeline):
            inner = [command.commands]
        if any(_breaks(body) for body in inner):
            return True
    return False


def _left(states: list[State]) -> list[State]:
    """States that came out of a loop."""
    for state in states:
        if not state.ended:
            state.status = True
    return states


def _polled_jobs(loop: Loop, state: State, walk: Walk) -> frozenset[int] | None:
    """The jobs that `while kill -0 $PID; do …; done` waits for."""
    command = loop.condition[-1]
    if loop.kind != "while" or not isinstance(command, Simple) or len(command.words) < 3:
        return None
    if command.words[0].text != "kill" or command.words[1].text not in ("-0", "-s"):
        return None
    target = walk._text(command.words[-1], state)
    return _jobs([target], state) if target is not None else None


def _jobs(operands: Sequence[str], state: State) -> frozenset[int] | None:
    """The jobs that operands of `kill` or `wait` name; 0 is the shell's group."""
    found: set[int] = set()
    for operand in operands:
        if operand in ("0", "-1", f"-{SELF}", "-$$") or operand == SELF:
            found.add(0)
        elif operand.startswith(("%%", "%+", "%-")) and state.jobs:
            found.add(state.jobs)
        elif operand.startswith("%") and operand[1:].isdigit():
            found.add(int(operand[1:]))
        elif operand.lstrip("-").startswith(_JOB):
            found.add(int(operand.lstrip("-")[len(_JOB) :]))
        elif operand == "$(jobs -p)":
            found.update(range(1, state.jobs + 1))
        else:
            return None
    return frozenset(found)


def _named_jobs(operands: Sequence[str], state: State) -> frozenset[int] | None:
    """The jobs that `pkill NAME` or `pkill -P $$` reaches."""
    if SELF in operands or "$$" in operands:
        return frozenset(range(1, state.jobs + 1))
    found = {
        event.job
        for event in state.events
        if event.job is not None and event.words and base_name(event.words[0].value) in operands
    }
    return frozenset(found) if found else None


def _trap_name(text: str) -> str:
    if text in ("0", "EXIT", "exit"):
        return "EXIT"
    return signal_name(text) or text


def _compare(left: str | None, operator: str | None, right: str | None) -> bool | None:
    from fnmatch import fnmatchcase

    if left is None or right is None:
        return None
    if operator in ("=", "=="):
        return fnmatchcase(left, right)
    if operator == "!=":
        return not fnmatchcase(left, right)
    numbers = _NUMBERS.get(operator or "")
    if numbers is None or not left.lstrip("-").isdigit() or not right.lstrip("-").isdigit():
        return None
    return numbers(int(left), int(right))


_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": int.__eq__,
    "-ne": int.__ne__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
    "-lt": int.__lt__,
    "-le": int.__le__,
}


def _passage_at(text: str, span: Span) -> Passage:
    """Text that was put together when it ran: all of it stands at the command that did."""
    from gracelint.source import Passage, Segment

    return Passage(span.source, text, (Segment(0, span.start, len(text), span.end - span.start),))
