"""What a shell script does, command by command, on each way through it.

Conditions that the files decide are decided; at the others the path forks. Preparations are taken to succeed.
"""

from __future__ import annotations

from gracelint.base.limits import PORTION, WORDS, Effort
from gracelint.base.record import replace
from gracelint.facts.script import AndOr, Background, Case, Function, Group, If, Loop, Pipeline, Simple
from gracelint.launch.shell.builtins import (
    BUILTINS,
    Call,
    assign,
    jobs_of,
    leave_function,
    leave_round,
    run_event,
    too_deep,
)
from gracelint.launch.shell.loops import flags, is_constant, may_break, pauses_in_midst, works
from gracelint.launch.shell.paths import (
    JOB,
    LEADER,
    Event,
    State,
    asks,
    event,
    filters,
    lingers,
    merged,
    succeeded,
    watched_by,
)
from gracelint.launch.shell.services import daemonizes, may_tell_program, stops
from gracelint.launch.shell.shapes import at_the_end
from gracelint.launch.shell.written import note_writes
from gracelint.parse.shell import read_script
from gracelint.source import Passage, Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from gracelint.facts.script import Command, Redirect, Script
    from gracelint.launch.shell.inert import Inert
    from gracelint.launch.shell.paths import Shapes
    from gracelint.source import Span

_MOST_PATHS = 48
_WORTH = 200
"""Commands followed in any walk, counted each time, and one more for each `_EACH` code points of its text; of 2,078
walks over public scripts five took more, and that from the room of their launch."""
_WORTH_TOGETHER = 20_000
"""The same in all launches of a tree, one walk for each."""
_EACH = 5
_MOST_STEPS = 5_000
_MOST_STEPS_AGAIN = 10_000
"""Commands followed once more, with the signal in one of the events that a script stays in."""
_EVENTS_A_STEP = 32
"""Events by which two paths are compared at the price of one step."""
_TELLS = ("kill", "stop", "tell")
_INERT_A_STEP = 16
"""Commands of a function that starts nothing, at the price of one that is followed."""
_MOST_ROUNDS = 40
"""Of a loop whose condition is known each time, such as one that shifts arguments."""


class Walk:
    """One walk over a script. `read` finds a file's text by path and working directory; `row` is the shell's."""

    def __init__(
        self,
        read: Callable[[str, str], Passage | None],
        row: dict[str, Any],
        detaches: Callable[[tuple[Word, ...], str], bool] = lambda words, working_dir: daemonizes(words),
        effort: Effort | None = None,
    ) -> None:
        self.read = read
        self.row = row
        self._effort = effort or Effort()
        self._limit = min(_WORTH, _WORTH_TOGETHER // self._effort.launches)
        self.detaches = detaches
        """Whether a command goes to the background by itself."""
        self.lacks = frozenset(row.get("lacks", ()))
        self.refused: list[Span] = []
        """Signal names that the shell does not take."""
        self.steps = 0
        self.complete = True
        """False where the script has more ways than are followed."""
        self.arrival: tuple[tuple[object, ...], str] | None = None
        """In which event, by identity, a signal arrives, and the trap that runs then."""
        self._again: dict[tuple[tuple[object, ...], str], list[State]] = {}
        self._again_steps = 0
        self._inert: Inert | None = None
        self._at_work: dict[Span, bool] = {}

    def paths(self, script: Script, state: State, shapes: Shapes) -> list[State]:
        """The end of every way through a script; `shapes` are those of its text as a whole."""
        commands = script.body
        self._text = script.passage
        self._start = script, state.fork(), shapes
        if commands:
            self._limit += self._effort.share(commands[-1].span.end - commands[0].span.start) // _EACH
        return self._list(commands, [state], shapes)

    def interrupted(self, at: Event, action: str) -> list[State]:
        """The end of every way on which a signal arrives in an event like this one, and a trap runs there."""
        arrival = at.identity, action
        if arrival in self._again or self._again_steps > _MOST_STEPS_AGAIN:
            return self._again.get(arrival, [])
        again = Walk(self.read, self.row, self.detaches, self._effort)
        again.arrival = arrival
        script, state, shapes = self._start
        ends = again.paths(script, state.fork(), shapes)
        self._again_steps += again.steps
        self.refused += [span for span in again.refused if span not in self.refused]
        self._again[arrival] = [end for end in ends if end.reached is not None] if again.complete else []
        return self._again[arrival]

    def last(self, item: Event, state: State) -> list[State]:
        """Takes down an event in which the script may stay until a signal arrives, and runs the trap if it does."""
        state.add(item)
        if self.arrival is None or state.reached is not None or self.arrival[0] != item.identity:
            return [state]
        state.reached = len(state.events) - 1
        guarded, state.guarded = state.guarded, 0
        ends = self.commands(read_script(Passage.whole(Source("", self.arrival[1]))).body, state)
        for end in ends:
            end.guarded = guarded
        return ends

    def commands(self, commands: Sequence[Command], state: State) -> list[State]:
        """Ways through commands that stand inside another, such as `eval`."""
        return self._list(commands, [state], None)

    def call(self, call: Call, state: State) -> list[State]:
        """A command by its name: a function, a builtin, or a program."""
        name = call.name
        if name in state.functions and not too_deep(state):
            return self._function(state.functions[name], call, state)
        if name in BUILTINS:
            return BUILTINS[name](self, call, state)
        watched = watched_by(call.words)
        if watched is not None and state.reached is not None:
            state.add(event("wait", call.command.span, state, jobs_of([watched], state)))
            return succeeded([state])
        shapes = _behind_traps(call.shapes, state)
        run = run_event("run", call.words, Call(call.words, call.command, shapes), state)
        states = [state]
        if stops(run.words):
            state.events.append(replace(run, kind="stop"))
        elif state.reached is not None and may_tell_program(run.words):
            state.events.append(replace(run, kind="tell"))
        elif run.idle:
            states = self.last(run, state)
        else:
            state.add(replace(run, kind="daemon") if self.detaches(run.words, state.working_dir) else run)
        for end in states:
            end.status = None if asks(name) else True
        return states

    def _list(self, commands: Sequence[Command], states: list[State], shapes: Shapes) -> list[State]:
        for index, command in enumerate(commands):
            running = [state for state in states if not state.ended]
            if not running:
                break
            is_last = index == len(commands) - 1
            inner = at_the_end(self._text, commands, shapes) if is_last and shapes is not None else None
            states = [state for state in states if state.ended]
            for state in running:
                states.extend(self._command(command, state, inner))
            if len(states) > 1 and index < len(commands) - 1:
                self.steps += sum(len(state.events) for state in states) // _EVENTS_A_STEP
                states = merged(states)
            if len(states) > _MOST_PATHS:
                self.complete = False
                states = states[:_MOST_PATHS]
        return states

    def _command(self, command: Command, state: State, shapes: Shapes) -> list[State]:
        self.steps += 1
        if self.steps > self._limit and not self._goes_on():
            self.complete = False
            state.ended = True
            return [state]
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
            return self._for(command, state) if command.kind == "for" else self._while(command, state)
        if isinstance(command, Pipeline):
            return self._pipeline(command, state)
        state.status = None
        if isinstance(command, Function):
            state.functions[command.name] = command
            state.status = True
        return [state]

    def _goes_on(self) -> bool:
        """Whether there is room for more of this walk."""
        if self._limit >= _MOST_STEPS or not self._effort.take(PORTION):
            return False
        self._limit += PORTION
        return True

    def _simple(self, command: Simple, state: State, shapes: Shapes) -> list[State]:
        state.status = True
        if not command.words:
            for name, value in command.assignments:
                assign(state, name, value)
            state.variables["?"] = None
            return [state]
        words: list[Word] = []
        for word in command.words:
            more = state.words(word)
            if len(words) + len(more) > len(command.words) + WORDS:
                more = [Word(word.text.strip('"'), word.span)]
            words.extend(more)
        state.variables["?"] = None
        if not words:
            return [state]
        note_writes(words, command, state, self.read)
        call = Call(words, command, _through(shapes, command.redirects))
        if not state.strict:
            return self.call(call, state)
        from gracelint.launch.shell.failing import ways_behind

        return ways_behind(call, self.call(call, state))

    def _function(self, function: Function, call: Call, state: State) -> list[State]:
        if not state.guarded and not state.strict:
            from gracelint.launch.shell.inert import Inert

            inert = self._inert = self._inert or Inert(self.read)
            found = inert(function, state.functions)
            if found is not None:
                plan, size = found
                self.steps += size // _INERT_A_STEP
                inert.run(plan, call.operands, state)
                return [state]
        outer = state.positional
        state.positional = tuple(call.operands)
        state.depth += 1
        ends = self._list(function.body, [state], None if call.shapes is None else call.shapes | {"function"})
        leave_function(ends)
        for end in ends:
            end.positional = outer
            end.depth -= 1
        return ends

    def _and_or(self, command: AndOr, state: State, shapes: Shapes) -> list[State]:
        goes_on = command.operator == "&&"
        inner = None if shapes is None else shapes | {"and" if goes_on else "or"}
        ends = []
        for left in self._guarded((command.left,), [state]):
            if left.ended or left.status is (not goes_on):
                ends.append(left)
                continue
            if left.status is None:
                stays = left.fork()
                stays.status = not goes_on
                ends.append(stays)
            ends.extend(self._command(command.right, left, inner))
        return ends

    def _guarded(self, commands: Sequence[Command], states: list[State], looping: int = 0) -> list[State]:
        """Commands whose failure is asked for, and so does not end the script under `set -e`."""
        for state in states:
            state.guarded += 1
            state.looping += looping
        ends = self._list(commands, states, None)
        for end in ends:
            end.guarded -= 1
            end.looping -= looping
        return ends

    def _background(self, command: Background, state: State) -> list[State]:
        child = state.fork()
        child.events = []
        # POSIX: a subshell takes back its traps, except those that ignore a signal
        child.traps = {name: action for name, action in state.traps.items() if not action}
        child.trapped = False
        body = command.command
        shapes = frozenset(("simple",) if isinstance(body, (Simple, Group)) else ("simple", "compound"))
        found = [item for end in self._command(body, child, shapes) for item in end.events]
        loops = any(item.kind in ("forever", "read") for item in found)
        lasting = (item for item in found if item.words and item.kind not in _TELLS)
        main = next((item for item in lasting if lingers(item.words) or not item.prepares), None)
        watched = watched_by(main.words) if main is not None else None
        if watched is not None and watched.startswith(JOB):
            state.variables["!"] = watched  # it ends with that job
            state.status = True
            return [state]
        if main is None:
            if found and all(item.kind in _TELLS for item in found):
                state.events += found  # `kill $PID & wait $PID`
            if state.turns and command.span not in self._at_work:
                self._at_work[command.span] = works(body, state.functions)
            at_work = state.turns > 0 and self._at_work[command.span]
            main = Event("start", command.span, prepares=not loops, works=at_work)
        state.jobs += 1
        started = replace(
            main,
            kind="start",
            span=command.span,
            shapes=None,
            traps=dict(state.traps),
            prepares=main.prepares and not lingers(main.words),
            reached=self._reached(body, main),
            leads=not isinstance(body, Pipeline) or main.span == body.commands[0].span,
            job=state.jobs,
            monitor=state.monitor,
            passes=False,
            endless=loops,
        )
        state.events.append(started)
        state.started = (*state.started, started)
        job = f"{JOB}{state.jobs}"
        state.variables |= {"!": job, **({f"{command.name}_PID": job} if command.name else {})}
        if "jobs -p" not in self.lacks:
            state.variables["jobs -p"] = f"{state.variables['jobs -p']} {LEADER}{state.jobs}".strip()
            state.variables["jobs -rp"] = state.variables["jobs -p"] if self.row.get("jobs_running") else None
        state.status = True
        return [state]

    def _reached(self, body: Command, main: Event) -> bool | None:
        """Whether the job's number is the program's own: the forked shell execs it, or stays in front of it."""
        if main.kind == "exec" or (isinstance(body, Simple) and "function" not in (main.shapes or ())):
            return True
        if isinstance(body, Pipeline) and len(body.commands) > 1:
            return main.span == body.commands[-1].span
        if "background" not in self.row:
            return None
        return main.shapes is not None and main.shapes <= frozenset(self.row["background"])

    def _group(self, group: Group, state: State, shapes: Shapes) -> list[State]:
        inner = _through(shapes, group.redirects, "subshell" if group.subshell else "braces")
        around = _behind_traps(inner, state)
        if not group.subshell or (around is not None and around <= frozenset(self.row["execs"])):
            return self._list(group.body, [state], inner)  # a shell that execs its last command forks none for it
        ends = []
        before = set(state.events)
        for end in self._list(group.body, [state.fork()], inner):
            after = state.fork()
            after.events = []
            for item in end.events:
                after.add(item if item in before else _in_subshell(item, inner, state))
            after.status = end.status
            after.reached = end.reached
            ends.append(after)
        return ends

    def _if(self, command: If, state: State, shapes: Shapes) -> list[State]:
        inner = _through(shapes, command.redirects, "if")
        ends: list[State] = []
        undecided = [state]
        for condition, body in command.branches:
            otherwise = []
            for asked in self._guarded(condition, undecided):
                if asked.ended:
                    ends.append(asked)
                    continue
                if asked.status is not True:
                    otherwise.append(asked.fork())
                if asked.status is not False:
                    ends.extend(self._list(body, [asked], inner))
            undecided = otherwise
        if command.otherwise is not None:
            return [*ends, *self._list(command.otherwise, undecided, inner)]
        return [*ends, *succeeded(undecided)]

    def _case(self, command: Case, state: State, shapes: Shapes) -> list[State]:
        from fnmatch import fnmatchcase

        inner = _through(shapes, command.redirects, "case")
        subject = state.text(command.subject)
        ends: list[State] = []
        for patterns, body in command.arms:
            texts = [pattern.text if "*" in pattern.text else state.text(pattern) for pattern in patterns]
            matches = subject is not None and any(text is not None and fnmatchcase(subject, text) for text in texts)
            if matches or "*" in texts:
                return [*ends, *self._list(body, [state], inner)]
            if subject is None or None in texts:
                ends.extend(self._list(body, [state.fork()], inner))
        return [*ends, *succeeded([state])]

    def _while(self, loop: Loop, state: State) -> list[State]:
        from gracelint.launch.shell.polling import acts, pause_of, polled, sleeps

        asked_for = polled(loop, state)
        if asked_for is not None:
            test, command, jobs = asked_for
            waits = event("wait", command.span, state, jobs)
            polls = replace(waits, polls=True, acts=acts(loop.body), pause=pause_of(loop, state))
            return self._polling(test, polls, state)
        wanted, at_first = loop.kind == "while", state.reached
        ends: list[State] = []
        running = [state]
        for _ in range(_MOST_ROUNDS):
            on: list[State] = []
            before = {item for state in running for item in state.events}
            for asked in self._guarded(loop.condition, running, looping=1):
                runs = any(item.kind == "run" and not item.prepares and item not in before for item in asked.events)
                if asked.ended or asked.status is (not wanted):
                    ends.extend(succeeded([asked]))
                elif asked.status is None or runs:
                    if asked.reached is not None and sleeps(loop):
                        asked.events.append(event("pause", loop.span, asked))
                    left, stay = self._body(loop, [asked])
                    again = [one for end in stay for one in self._perhaps_again(loop, end, at_first)]
                    ends.extend(succeeded([*left, *again]))
                else:
                    left, stay = self._round(loop, asked)
                    ends.extend(succeeded(left))
                    on.extend(stay)
            running = merged(succeeded(on))
            if not running:
                break
        return [*ends, *succeeded([one for end in running for one in self._perhaps_again(loop, end, at_first)])]

    def _polling(self, test: tuple[Command, ...], polls: Event, state: State) -> list[State]:
        """A loop that goes round while its job is there and its test holds, which a trap may change."""
        reached, state.status = state.reached, True
        ends: list[State] = []
        for asked in self._guarded(test, [state]):
            stays = not asked.ended and asked.status is not False
            for end in self.last(polls, asked) if stays else [asked]:
                goes_on = end.reached != reached and not end.ended
                end.status = goes_on or end.status
                for again in self._guarded(test, [end]) if goes_on else [end]:
                    if goes_on and not again.ended and again.status is not False:
                        again.events.append(polls)
                    ends.append(again)
        return succeeded(ends)

    def _perhaps_again(self, loop: Loop, end: State, at_first: int | None) -> list[State]:
        """The ways behind a loop in which a signal arrived: what it asks may still hold, and then it goes on."""
        if end.reached == at_first or end.ended:
            return [end]
        ends: list[State] = []
        for asked in self._guarded(loop.condition, [end], looping=1):
            if asked.status is not (loop.kind != "while"):
                stays = asked.fork()
                stays.events.append(event("forever", loop.span, asked))
                ends.append(stays)
            if asked.status is not (loop.kind == "while"):
                ends.append(asked)
        return ends

    def _round(self, loop: Loop, state: State) -> tuple[list[State], list[State]]:
        """One round of a loop that is known to go on: the paths that leave it here, and those of the next round."""
        asked = {name: state.variables.get(name) for name in flags(loop, state.functions)}
        left, on = self._body(loop, [state])
        constant = is_constant(loop.condition)
        if constant and (left or any(end.ended and end.events[-1:] and end.events[-1].kind == "exec" for end in on)):
            return [*left, *(end for end in on if end.ended)], []
        left += [end for end in on if end.ended]
        is_left = any(not end.ended or not end.events or not end.events[-1].fails for end in left)
        stay: list[State] = []
        for end in on:
            if end.ended:
                continue
            only_a_trap = (
                asked and not is_left and all(end.variables.get(name) == value for name, value in asked.items())
            )
            if only_a_trap or (constant and not may_break(loop.body)):
                stay.extend(self._forever(loop, end))
            else:
                (left if constant else stay).append(end)
        return [*left, *(end for end in stay if end.ended)], [end for end in stay if not end.ended]

    def _forever(self, loop: Loop, state: State) -> list[State]:
        """A loop that goes round until a signal arrives; its trap may change what the next round asks."""
        reached = state.reached
        if state.traps and loop.span not in self._at_work:
            self._at_work[loop.span] = pauses_in_midst(loop.body, state.functions)
        rounds = event("forever", loop.span, state)
        states = self.last(replace(rounds, works=self._at_work.get(loop.span, False)), state)
        for end in states:
            end.ended |= end.reached == reached
        return states

    def _body(self, loop: Loop, states: list[State]) -> tuple[list[State], list[State]]:
        """One round of a loop: the paths that `break` out of it, and the others."""
        turns = loop.kind != "for"
        for state in states:
            state.loops += 1
            state.turns += turns
        left: list[State] = []
        on: list[State] = []
        before = min(len(state.events) for state in states)
        for end in self._list(loop.body, states, None):
            end.loops -= 1
            end.turns -= turns
            end.repeat(before)
            (left if leave_round(end) == "break" else on).append(end)
        return left, on

    def _for(self, loop: Loop, state: State) -> list[State]:
        each = loop.condition[0]
        assert isinstance(each, Simple)
        values: list[str | None] = [field for word in each.words for field in (state.fields(word) or (None,))]
        ends: list[State] = []
        states = [state]
        for value in values[:_MOST_ROUNDS] or [None]:
            for running in states:
                if loop.variable is not None and not running.ended:
                    running.variables[loop.variable] = value
            left, on = self._body(loop, states)
            ends.extend(succeeded(left))
            states = merged(succeeded(on))
        return [*ends, *states]

    def _pipeline(self, pipeline: Pipeline, state: State) -> list[State]:
        if len(pipeline.commands) == 1:
            ends = self._guarded(pipeline.commands, [state])
            for end in ends:
                end.status = None if end.status is None else not end.status
            return ends
        runs = []
        for command in pipeline.commands:
            child = state.fork()
            child.events = []
            found = [item for end in self._command(command, child, None) for item in end.events if item.words]
            runs.append(found[-1] if found else Event("run", command.span, prepares=True))
        main = next((run for run in runs if not run.prepares and not filters(run.words)), runs[-1])
        beside = tuple(
            run.span for run in runs if run is not main and (not run.words or filters(run.words) or not run.prepares)
        )
        if main.words:
            state.add(_as_run(replace(main, beside=beside, piped=True), None))
        state.status = None if main.prepares else True
        return [state]


def _through(shapes: Shapes, redirects: tuple[Redirect, ...], *shape: str) -> Shapes:
    return None if shapes is None else shapes | {*shape, *(("redirect",) if redirects else ())}


def _behind_traps(shapes: Shapes, state: State) -> Shapes:
    if shapes is None or not state.trapped:
        return shapes
    return shapes | {"trap" if any(state.traps.values()) else "reset-trap"}


def _in_subshell(item: Event, shapes: Shapes, outer: State) -> Event:
    """An exec in a subshell replaces only that; where the shell forks none, it replaces the shell."""
    item = _as_run(item, _behind_traps(shapes, outer)) if item.kind == "exec" else item
    return replace(item, traps=dict(outer.traps))


def _as_run(item: Event, shapes: Shapes) -> Event:
    return replace(item, kind="run", command=item.command if item.kind == "run" else None, shapes=shapes, job=None)
