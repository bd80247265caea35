"""Shells: what `sh -c '…'` or a script file starts, and whether the shell stays in front of it."""

from __future__ import annotations

import posixpath

from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.facts.script import Simple
from gracelint.knowledge import table
from gracelint.launch.image import find_text
from gracelint.launch.scripts import BUILTINS, NOWHERE, Event, Path, State, Walk
from gracelint.launch.step import Context, Step
from gracelint.launch.traps import Reaction, blocking, program_event, react
from gracelint.launch.words import base_name
from gracelint.parse.expansion import Scope
from gracelint.parse.shell import read_script
from gracelint.record import Record, replace
from gracelint.source import Passage, Segment, Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.facts.script import Script
    from gracelint.source import Span

_SHELLS = {
    "sh": None,
    "dash": ("dash-debian", "dash"),
    "bash": ("bash-5.1+", "bash-5.0", "bash-4.4"),
    "ash": ("busybox-ash",),
    "zsh": ("zsh",),
    "ksh": ("ksh93", "mksh"),
    "ksh93": ("ksh93",),
    "mksh": ("mksh",),
    "posh": ("posh",),
    "yash": ("yash",),
    "fish": ("fish",),
}
"""Names of shells, and the rows of `knowledge/shells.toml` they may be."""
_LIKELY_SH = ("dash-debian", "busybox-ash", "bash-5.1+")
"""What /bin/sh is in nearly all images, where nothing is known of this one."""
_LONG_OPTIONS_WITH_VALUE = ("--rcfile", "--init-file")


class _Call(Record):
    """A shell's command line, taken apart."""

    text: Word | None
    script: Word | None
    name: str | None
    """`$0`."""
    arguments: tuple[Word, ...]


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a shell or a shell script does; None where argv[0] is neither."""
    path = argv[0].value
    if base_name(path) in _SHELLS:
        return _shell_step(argv, context)
    if base_name(path) == "busybox" and len(argv) > 1 and argv[1].value in ("sh", "ash"):
        return _shell_step((Word("ash", argv[0].span), *argv[2:]), context)
    if context.image.stage is None and not context.image.mounts:
        return None
    passage = find_text(context.image, context.files, path, context.working_dir)
    return None if passage is None else _file_step(argv, passage, context)


def rows_of(shell: str, context: Context) -> tuple[str, ...]:
    """The rows a shell may be in this image; none where the image has no shell."""
    name = base_name(shell)
    sh = context.image.sh
    if sh == "none":
        return ()
    if name == "sh":
        return (sh,) if sh in table("shells") else _LIKELY_SH
    candidates = _SHELLS[name] or ()
    if sh in candidates and (name != "bash" or "bash" not in context.image.versions):
        return (sh,) if sh else ()
    version = context.image.versions.get(name)
    if name == "bash" and version is not None:
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        return ("bash-5.1+" if numbers >= (5, 1) else "bash-5.0" if numbers >= (5, 0) else "bash-4.4",)
    if name == "dash" and context.image.os == "apt":
        return ("dash-debian",)
    return candidates


def _shell_step(argv: tuple[Word, ...], context: Context) -> Step:
    call = _read_call(argv)
    if call.text is not None:
        passage = call.text.passage or _passage(call.text, context)
        return _run(_Job(argv, argv[0].value, passage, call, context, "sh -c"))
    if call.script is not None:
        found = find_text(context.image, context.files, call.script.value, context.working_dir)
        if found is None:
            return _unknown(argv, context, f"the script {call.script.value} is not in the project")
        return _run(_Job(argv, argv[0].value, found, call, context, "script"))
    effect = Effect.SWALLOWS if context.pid_1 else Effect.UNKNOWN
    why = (
        f"{base_name(argv[0].value)} without a command is an interactive shell, which does not end on {context.signal}"
    )
    return Step(_hop(argv, context, HopKind.SHELL, base_name(argv[0].value), effect, why, {"cause": "interactive"}))


def _read_call(argv: tuple[Word, ...]) -> _Call:
    """`sh [options] -c TEXT [name [arguments]]` or `sh [options] script [arguments]`."""
    index = 1
    takes_text = False
    while index < len(argv):
        option = argv[index].value
        if option in ("-", "--") or option[:1] not in ("-", "+"):
            index += option in ("-", "--")
            break
        index += 1
        if option.startswith("--"):
            index += option in _LONG_OPTIONS_WITH_VALUE
            continue
        takes_text = takes_text or ("c" in option and option.startswith("-"))
        index += option.count("o") + option.count("O")
    rest = argv[index:]
    if not rest:
        return _Call(None, None, None, ())
    if takes_text:
        return _Call(rest[0], None, rest[1].value if len(rest) > 1 else argv[0].value, rest[2:])
    return _Call(None, rest[0], rest[0].value, rest[1:])


def _file_step(argv: tuple[Word, ...], passage: Passage, context: Context) -> Step | None:
    """A file that is started by itself, by its `#!` line."""
    first = passage.text[:256].split("\n", 1)[0]
    path = argv[0].value
    if not first.startswith("#!"):
        if not path.endswith(".sh"):
            return None
        return _unknown(argv, context, f"{path} has no #! line: the kernel refuses to start it (exec format error)")
    words = first[2:].split()
    if words and base_name(words[0]) == "env":
        words = words[1:]
        while words and (words[0] in ("-S", "-i", "-") or "=" in words[0]):
            words = words[1:]
        words = [words[0].removeprefix("-S"), *words[1:]] if words else []
    if not words or base_name(words[0]) not in _SHELLS:
        return None
    if first.endswith("\r"):
        reason = (
            f"the #! line of {path} ends in a carriage return: the kernel looks for `{words[-1]}\\r` and finds nothing"
        )
        return _unknown(argv, context, reason)
    where = context.working_dir if "/" in path or context.working_dir == NOWHERE else "/usr/local/bin"
    call = _Call(None, argv[0], posixpath.normpath(posixpath.join(where, path)), argv[1:])
    return _run(_Job(argv, words[0], passage, call, context, "script"))


class _Job(Record, identity=True):
    """A shell that is started, and the text it reads."""

    argv: tuple[Word, ...]
    shell: str
    passage: Passage
    call: _Call
    context: Context
    form: str


def _run(job: _Job) -> Step:
    context = job.context
    names = rows_of(job.shell, context)
    if not names:
        why = f"the image has no shell: {job.shell} cannot be started"
        return Step(_hop_of(job, "none", Effect.UNKNOWN, why, {"cause": "no-shell"}))
    script = read_script(job.passage)
    if script.broken is not None:
        line = script.broken.line
        return Step(_hop_of(job, names[0], Effect.UNKNOWN, f"the shell text cannot be read from line {line} on", {}))
    if job.form == "script" and "\r\n" in job.passage.text:
        why = f"{job.call.name} has Windows line endings, which the shell takes for part of its words"
        return Step(_hop_of(job, names[0], Effect.UNKNOWN, why, {}))
    answers = [_answer(job, script, name) for name in names]
    first = answers[0]
    if all(
        answer.hop is not None and first.hop is not None and answer.hop.effect is first.hop.effect for answer in answers
    ):
        return first
    return _depends(job, answers, names)


def _answer(job: _Job, script: Script, name: str) -> Step:
    """What one kind of shell makes of the script."""
    row = table("shells")[name]
    context = job.context
    if "<()" in row.get("lacks", ()) and _substitutes_processes(job.passage.text):
        why = f"{row['title']} has no process substitution: it cannot read this text"
        return Step(_hop_of(job, name, Effect.UNKNOWN, why, {}))
    walk = Walk(_reader(context), row.get("lacks", ()))
    shapes = _shapes_around(script, job.form)
    paths = walk.paths(script.body, _state(job), shapes)
    if not walk.complete:
        why = "the script has more branches than can be followed"
        return Step(_hop_of(job, name, Effect.UNKNOWN, why, {}))
    ends = [(path, index) for path in paths if (index := blocking(path)) is not None]
    details: dict[str, Any] = {"plain": _plain(script), "sets_traps": "trap" in job.passage.text}
    if not ends:
        why = "it starts no program that stays"
        return Step(_hop_of(job, name, Effect.UNKNOWN, why, {**details, "cause": "one-shot"}), one_shot=True)
    outcomes = [_outcome(path, index, walk, row, context) for path, index in ends]
    effects = {outcome.effect for outcome in outcomes}
    chosen = next((i for i, item in enumerate(outcomes) if item.effect in (Effect.SWALLOWS, Effect.CUTS)), 0)
    path, index = ends[chosen]
    outcome = outcomes[chosen]
    program = _program(path, index, outcome)
    effect = outcome.effect if len(effects) == 1 else Effect.UNKNOWN
    why = _why(job, row, program, outcome, context)
    if len(effects) > 1:
        why = f"whether the shell stays depends on the branch that is taken: on one, {why}"
    details |= _places(ends, outcomes, outcome, script)
    details["cause"] = outcome.cause
    details["reached_by_exec"] = all(path.events[index].kind == "exec" for path, index in ends)
    hop = _hop_of(job, name, effect, why, details)
    lines = _distinct([_program(*end, reaction).words for end, reaction in zip(ends, outcomes, strict=True)])
    lines.sort(key=lambda line: line != program.words)
    children = _beside(path, program)
    inner = _inner_context(program, outcome, context)
    return Step(hop, lines[0] or None, inner, scripts=(job.passage.source,), children=children, also=tuple(lines[1:]))


def _program(path: Path, index: int, outcome: Reaction) -> Event:
    return path.events[index] if outcome.effect is Effect.REPLACES else program_event(path, index)


def _outcome(path: Path, index: int, walk: Walk, row: dict[str, Any], context: Context) -> Reaction:
    event = path.events[index]
    if event.kind == "exec":
        return Reaction(Effect.REPLACES, "exec", context.signal)
    if event.kind == "run":
        execs = _execs(event, row)
        if execs:
            return Reaction(Effect.REPLACES, "optimised", context.signal)
        if execs is None:
            return Reaction(Effect.UNKNOWN, "unmeasured", context.signal)
    return react(path, index, walk, row, context)


def _execs(event: Event, row: dict[str, Any]) -> bool | None:
    """Whether the shell execs its last command, seen through these shapes."""
    shapes = event.shapes
    if shapes is None or event.pipe:
        return False
    if "file" in shapes:
        return None if "file" in row.get("unmeasured", ()) else False
    if not shapes <= {*row["execs"], *row.get("unmeasured", ())}:
        return False
    return None if shapes & set(row.get("unmeasured", ())) else True


def _shapes_around(script: Script, form: str) -> frozenset[str]:
    """The shapes that the text as a whole has: what stands behind its last command, or that it is a file."""
    if form == "script" or not script.body:
        return frozenset(("file",))
    text = script.passage.text
    last = script.body[-1]
    shapes = {"simple"}
    if isinstance(last, Simple) and any("<<" in redirect.operator for redirect in last.redirects):
        return frozenset((*shapes, "newline"))
    line, newline, more = _behind(script.passage, last.span).lstrip(" \t;").replace("\r\n", "\n").partition("\n")
    if line.startswith("#"):
        shapes.add("comment")
    if newline or text.endswith("\n"):
        shapes.add("newline")
    if more.strip("\"'") or text.endswith("\n\n"):
        shapes.add("blank")
    return frozenset(shapes)


def _behind(passage: Passage, span: Span) -> str:
    """The passage's text behind a span; where it stands otherwise in the source, the blanks at its end."""
    whole = passage.span(0, len(passage.text))
    if whole.text == passage.text:
        return passage.text[span.end - whole.start :]
    return passage.text[len(passage.text.rstrip()) :]


def _substitutes_processes(text: str) -> bool:
    return "<(" in text or ">(" in text


def _state(job: _Job) -> State:
    context = job.context
    user = context.image.user or "0"
    known = {
        "$": "\x00self",
        "EUID": {"root": "0"}.get(user, user if user.isdigit() else "1000"),
        "PWD": context.working_dir,
    }
    state = State(Scope(dict(context.env), (), job.call.name), context.working_dir, job.call.arguments)
    state.exported = set(context.env)
    state.variables.update(known)
    return state


def _reader(context: Context) -> Any:
    def read(path: str, working_dir: str) -> Passage | None:
        if "$" in path or (working_dir == NOWHERE and not path.startswith("/")):
            return None
        return find_text(context.image, context.files, path, working_dir)

    return read


def _inner_context(program: Event, outcome: Reaction, context: Context) -> Context:
    ignores = context.ignores | {name for name, action in (program.traps or {}).items() if not action}
    if program.kind == "start" and not program.monitor:
        ignores |= {"SIGINT", "SIGQUIT"}
    stays = outcome.effect not in (Effect.REPLACES, Effect.UNKNOWN)
    return replace(
        context,
        env=program.env or {},
        working_dir=program.working_dir,
        pid_1=context.pid_1 and not stays,
        positional=(),
        ignores=frozenset(ignores),
        signal=outcome.signal,
    )


def _beside(path: Path, program: Event) -> tuple[Span, ...]:
    """What runs beside the program: background jobs, and the other commands of its pipe."""
    jobs = [event.span for event in path.events if event.kind == "start" and event is not program]
    pipes = [span for event in path.events if event is program or event.kind == "redirect" for span in event.pipe]
    return (*jobs, *pipes)


def _distinct(lines: list[tuple[Word, ...]]) -> list[tuple[Word, ...]]:
    found: dict[tuple[str, ...], tuple[Word, ...]] = {}
    for line in lines:
        found.setdefault(tuple(word.value for word in line), line)
    return list(found.values())


def _plain(script: Script) -> tuple[str, ...] | None:
    """The words of a text that is one command without expansions, redirections and builtins."""
    command = script.body[0] if len(script.body) == 1 else None
    if not isinstance(command, Simple) or command.assignments or command.redirects:
        return None
    words = tuple(word.value for word in command.words if word.value is not None)
    if len(words) != len(command.words) or not words or words[0] in BUILTINS:
        return None
    return words


def _places(
    ends: list[tuple[Path, int]], outcomes: list[Reaction], outcome: Reaction, script: Script
) -> dict[str, Any]:
    """Where a fix would go: `exec ` before each last command, or a second `wait` behind the first."""
    spots: list[Span] = []
    provable = True
    for (path, index), reaction in zip(ends, outcomes, strict=True):
        event = path.events[index]
        if reaction.cause == "exec":
            continue
        movable = event.kind == "run" and event.shapes is not None and event.command is not None and not event.pipe
        inside = event.shapes is not None and not event.shapes.isdisjoint(("subshell", "function"))
        if not movable or inside or reaction.cause == "exit-trap" or (event.traps or {}).get("EXIT"):
            provable = False
        elif event.command is not None and event.command not in spots:
            spots.append(event.command)
    waits = [path.events[index].span for path, index in ends if path.events[index].kind == "wait"]
    jobs = any(event.kind == "start" for path, _ in ends for event in path.events)
    return {
        "exec_at": tuple(spots) if provable else (),
        "wait_at": waits[0] if outcome.cause == "single-wait" and waits else None,
        "jobs": jobs,
    }


def _depends(job: _Job, answers: list[Step], names: tuple[str, ...]) -> Step:
    """Where the shell is not known and the known ones differ."""
    first = answers[0]
    titles = {name: table("shells")[name]["title"] for name in names}
    stays = [titles[n] for n, a in zip(names, answers, strict=True) if a.hop and a.hop.effect is not Effect.REPLACES]
    execs = [titles[n] for n, a in zip(names, answers, strict=True) if a.hop and a.hop.effect is Effect.REPLACES]
    why = f"which shell {job.shell} is here is not known: {' and '.join(stays)} would stay in front of the program"
    if execs:
        why += f", {' and '.join(execs)} would not"
    assert first.hop is not None
    details = {**first.hop.details, "cause": "unknown-shell"}
    hop = replace(first.hop, effect=Effect.UNKNOWN, why=why, name=base_name(job.shell), details=details)
    inner = replace(first.context, pid_1=job.context.pid_1) if first.context is not None else None
    return replace(first, hop=hop, context=inner)


_WHY = {
    "exec": "{shell} execs `{program}`",
    "optimised": "{shell} execs the last command of this text by itself, and becomes `{program}`",
    "unmeasured": "whether {shell} execs `{program}` here has never been measured",
    "pipe": "{shell} {stays} for a pipe, with `{program}` as its child{fate}",
    "child": "{shell} {stays} and runs `{program}` as its child{fate}",
    "wait": "{shell} {stays}, waits for `{program}` and has no trap for {signal}{fate}",
    "loop": "{shell} loops on after {signal} and never ends",
    "single-wait": "the trap passes {signal} on, but it also interrupts `wait`: the script ends and the kernel kills"
    " `{program}` in the middle of its cleanup",
    "trap-exits": "the trap ends the script without waiting for `{program}`, which is killed in the middle of its work",
    "trap-waits-for-child": "{shell} runs its {signal} trap only after `{program}`, its foreground child, has ended",
    "trap-forgets": "the {signal} trap does not tell `{program}`, and the script goes on waiting for it",
    "kills": "the trap sends SIGKILL to `{program}`",
    "kill-group": "`kill` signals the script's own group, the script included, which ends before `{program}` has",
    "exit-trap": "with a trap on EXIT, {shell} dies of {signal} at once, even as PID 1, and `{program}` with it",
    "ignores": "{shell} ignores {signal}, and does not pass it on to `{program}`",
    "sleeps": "the script sleeps after it has passed {signal} on: whether `{program}` ends in that time is not known",
    "forwards": "{shell} passes {signal} on to `{program}` and waits for it",
}


def _why(job: _Job, row: dict[str, Any], program: Event, outcome: Reaction, context: Context) -> str:
    command = " ".join(word.value.replace("\x00", "$") for word in program.words) or "its job"
    fate = ": it has no handler and passes nothing on" if context.pid_1 else ", and dies without telling it"
    return _WHY[outcome.cause].format(
        shell=row["title"],
        program=command if len(command) <= 60 else f"{command[:57]}…",
        stays="stays PID 1" if context.pid_1 else "stays in front",
        fate=fate,
        signal=context.signal,
    )


def _hop_of(job: _Job, name: str, effect: Effect, why: str, details: dict[str, Any]) -> Hop:
    """The hop of a shell that was given text: `sh -c`, shell form, or a script file."""
    context = job.context
    form = job.form
    if form == "sh -c" and _is_shell_form(job.call.text, context):
        form = "shell-form"
    row = table("shells").get(name)
    details = {**details, "form": form, "text": job.passage, "shell": row["title"] if row else job.shell}
    kind = HopKind.SCRIPT if form == "script" else HopKind.SHELL
    span = job.call.text.span if job.call.text is not None else job.argv[0].span
    return _hop(job.argv, context, kind, name, effect, why, details, span)


def _is_shell_form(text: Word | None, context: Context) -> bool:
    """Whether the text is the whole argument of a CMD or ENTRYPOINT that is no JSON array."""
    if text is None or text.span is None:
        return False
    return any(
        at is not None and at.argv is None and at.argument.source is text.span.source and _within(text.span, at.span)
        for at in (context.image.cmd_at, context.image.entrypoint_at)
    )


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _hop(
    argv: tuple[Word, ...],
    context: Context,
    kind: HopKind,
    name: str,
    effect: Effect,
    why: str,
    details: dict[str, Any],
    span: Span | None = None,
) -> Hop:
    words = tuple(word.value for word in argv)
    where = span or argv[0].span or context.span
    return Hop(words, kind, name, effect, why, where, context.pid_1, context.signal, details)


def _unknown(argv: tuple[Word, ...], context: Context, why: str) -> Step:
    return Step(_hop(argv, context, HopKind.SCRIPT, base_name(argv[0].value), Effect.UNKNOWN, why, {"form": "script"}))


def _passage(text: Word, context: Context) -> Passage:
    """Text whose characters have no places of their own: all of it stands where the word does."""
    span = text.span or context.span
    if span is None:
        return Passage.whole(Source("", text.value))
    if span.text == text.value:
        return Passage.whole(span.source, span.start, span.end)
    return Passage(span.source, text.value, (Segment(0, span.start, len(text.value), span.end - span.start),))
