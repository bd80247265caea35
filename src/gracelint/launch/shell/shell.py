"""Shells: what `sh -c '…'` or a script file starts, and whether the shell stays in front of it."""

from __future__ import annotations

import posixpath

from gracelint.base.numbers import is_whole
from gracelint.base.posix import normal
from gracelint.base.record import Record, replace
from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.facts.script import Simple
from gracelint.knowledge import table
from gracelint.launch.images.bases import SHELLS
from gracelint.launch.images.image import changes_line_ends, find_text
from gracelint.launch.shell.beside import unheard
from gracelint.launch.shell.builtins import BUILTINS, EVALUATED
from gracelint.launch.shell.paths import NOWHERE, SELF, Event, State, is_idle
from gracelint.launch.shell.reasons import why_of
from gracelint.launch.shell.scripts import Walk
from gracelint.launch.shell.services import detacher
from gracelint.launch.shell.shapes import shapes_around
from gracelint.launch.shell.traps import Reaction, Scene, blocking, only_naps, program_of, react
from gracelint.launch.step import Context, Followed, Step
from gracelint.launch.words import base_name
from gracelint.parse.expansion import OTHER_VARIABLES, Scope
from gracelint.parse.shell import read_script
from gracelint.source import Passage, Segment, Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.facts.dockerfile import Instruction
    from gracelint.facts.script import Script
    from gracelint.source import Span

_LIKELY_SH = ("dash-debian", "busybox-ash", "bash-5.1+")
"""What /bin/sh is in nearly all images, where nothing is known of this one."""
_LONGEST_TEXT = 500_000
"""Characters of a script; longer ones are archives that unpack themselves."""
_LONG_OPTIONS_WITH_VALUE = ("--rcfile", "--init-file")


class _Call(Record):
    """A shell's command line, taken apart."""

    options: str
    """The letters of its short options."""
    text: Word | None
    """Of `-c`."""
    script: Word | None
    name: str | None
    """`$0`."""
    arguments: tuple[Word, ...]


class _Job(Record, identity=True):
    """A shell that is started, and the text it reads."""

    argv: tuple[Word, ...]
    shell: str
    passage: Passage
    call: _Call
    context: Context
    form: str
    """sh -c, shell-form or script."""
    unnamed: bool = False
    """Which shell it is is not known, and makes no difference."""


class _End(Record, identity=True):
    """How one way through a script ends: what it blocks in, and what comes of the program then."""

    scene: Scene
    reaction: Reaction
    program: Event


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a shell or a shell script does; None where argv[0] is neither."""
    path = argv[0].value
    if base_name(path) in SHELLS:
        return _shell_step(argv, context)
    if context.image.stage is None and not context.image.mounts and not context.image.written:
        return None
    passage = find_text(context.image, context.files, path, context.working_dir)
    return None if passage is None else _file_step(argv, passage, context)


def rows_of(shell: str, context: Context) -> tuple[str, ...]:
    """The rows a shell may be in this image; none where the image has no shell."""
    name = base_name(shell)
    image = context.image
    if image.sh == "none":
        return ()
    if name == "sh":
        return (image.sh,) if image.sh in table("shells") else _LIKELY_SH
    version = image.versions.get(name)
    if name == "bash" and version is not None:
        number = tuple(int(part) for part in version.split(".")[:2] if is_whole(part))
        return ("bash-5.1+" if number >= (5, 1) else "bash-5.0" if number >= (5, 0) else "bash-4.4",)
    if image.sh in SHELLS[name]:
        return (image.sh,) if image.sh else ()
    if name == "dash" and image.os == "apt":
        return ("dash-debian",)
    return SHELLS[name]


def _shell_step(argv: tuple[Word, ...], context: Context) -> Step:
    call = _read_call(argv)
    if call.text is not None:
        passage = call.text.passage or _passage(call.text, context)
        form = "sh -c" if _instruction(call.text, context) is None else "shell-form"
        return _run(_Job(argv, argv[0].value, passage, call, context, form))
    if call.script is not None:
        found = find_text(context.image, context.files, call.script.value, context.working_dir)
        if found is None:
            return _unreadable(argv, context, f"the script {call.script.value} is not in the project")
        return _run(_Job(argv, argv[0].value, found, call, context, "script"))
    name = base_name(argv[0].value)
    if not context.stdin_open:
        why = f"{name} without a command reads its standard input, which is empty here: it ends at once"
        hop = _hop(argv, context, HopKind.SHELL, name, Effect.UNKNOWN, why, {"cause": "at-once", "form": "sh -c"})
        return Step(hop, one_shot=True)
    effect = Effect.SWALLOWS if context.pid_1 else Effect.UNKNOWN
    why = f"{name} without a command is an interactive shell, which does not end on {context.signal}"
    details = {"cause": "interactive", "form": "sh -c", "written": argv[0].span is not None}
    return Step(_hop(argv, context, HopKind.SHELL, name, effect, why, details))


def _read_call(argv: tuple[Word, ...]) -> _Call:
    """`sh [options] -c TEXT [name [arguments]]` or `sh [options] script [arguments]`."""
    index = 1
    options = ""
    while index < len(argv):
        option = argv[index].value
        if option in ("-", "--") or option[:1] not in ("-", "+"):
            index += option in ("-", "--")
            break
        index += 1
        if option.startswith("--"):
            index += option in _LONG_OPTIONS_WITH_VALUE
            continue
        if option.startswith("-"):
            options += option[1:]
        if option[-1:] in ("o", "O") and index < len(argv):
            options += "e" if argv[index].value == "errexit" else ""
            index += 1
    rest = argv[index:]
    if not rest:
        return _Call(options, None, None, None, ())
    if "c" in options:
        return _Call(options, rest[0], None, rest[1].value if len(rest) > 1 else argv[0].value, rest[2:])
    return _Call(options, None, rest[0], rest[0].value, rest[1:])


def _file_step(argv: tuple[Word, ...], passage: Passage, context: Context) -> Step | None:
    """A file that is started by itself, by its `#!` line."""
    first = passage.text[:256].split("\n", 1)[0]
    path = argv[0].value
    if not first.startswith("#!"):
        if not path.endswith(".sh"):
            return None
        return _unreadable(argv, context, f"{path} has no #! line: the kernel refuses to start it (exec format error)")
    words = _interpreter(first)
    if words and any(base_name(words[0]) in row.get("names", (key,)) for key, row in table("inits").items()):
        return Step(None, (*(Word(word, argv[0].span) for word in words), *argv))
    if words and base_name(words[0]) == "execlineb":
        from gracelint.launch.shell import execline

        return execline.step(argv, passage, context)
    if not words or base_name(words[0]) not in SHELLS:
        return None
    if first.endswith("\r"):
        why = f"the #! line of {path} ends in a carriage return: the kernel looks for a shell of that name in vain"
        step = _unreadable(argv, context, why)
        if step.hop is None or changes_line_ends(context.image):
            return step
        details = {**step.hop.details, "cause": "carriage-return", "at": passage.span(0, len(first) - 1)}
        return replace(step, hop=replace(step.hop, details=details))
    where = context.working_dir if "/" in path or context.working_dir == NOWHERE else "/usr/local/bin"
    name = normal(posixpath.join(where, path))
    options = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    return _run(_Job(argv, words[0], passage, _Call(options, None, argv[0], name, argv[1:]), context, "script"))


def _interpreter(line: str) -> list[str]:
    """The words of a `#!` line behind `env` and its options."""
    words = line[2:].split()
    if words and base_name(words[0]) == "env":
        words = words[1:]
        while words and (words[0] in ("-S", "-i", "-") or "=" in words[0]):
            words = words[1:]
        if words:
            words[0] = words[0].removeprefix("-S")
    if words and base_name(words[0]) == "with-contenv":
        words = words[1:]
    return words


def _run(job: _Job) -> Step:
    """What the shell makes of its text; unknown where the shell may be one of several that differ."""
    names = rows_of(job.shell, job.context)
    if not names:
        return _end(job, "none", f"the image has no shell: {job.shell} cannot be started", "no-shell")
    if len(job.passage.text) > _LONGEST_TEXT:
        return _end(job, names[0], "the script is too long to be followed", "branches")
    script = read_script(job.passage)
    if script.broken is not None:
        return _end(job, names[0], f"the shell text cannot be read from line {script.broken.line} on", "broken")
    if job.form == "script" and "\r\n" in job.passage.text:
        why = f"{job.call.name} has Windows line endings, which the shell takes for part of its words"
        return _end(job, names[0], why, "broken")
    try:
        return _in_any_shell(job, script, names)
    except RecursionError:
        return _end(job, names[0], "the script is nested too deeply to be followed", "branches")


def _in_any_shell(job: _Job, script: Script, names: tuple[str, ...]) -> Step:
    first, *more = (_in_shell(job, script, name) for name in names)
    if len({step.hop.effect for step in (first, *more) if step.hop is not None}) > 1:
        return _undecided(job, [_mended_whole(first, job, script, names[0]), *more], names)
    if more:
        job = replace(job, unnamed=True)
        first = _in_shell(job, script, names[0])
    return _mended_whole(first, job, script, names[0])


def _in_shell(job: _Job, script: Script, name: str, others: bool = False) -> Step:
    """What one kind of shell makes of the script; with `others`, variables may be set that no file sets."""
    row = table("shells")[name]
    missing = _missing(script, row)
    if missing:
        return _end(job, name, f"{row['title']} has no {missing}: it cannot read this text", "broken")
    walk = Walk(_reader(job.context), row, detacher(job.context), job.context.followed.effort)
    paths = walk.paths(script, _state(job, others), shapes_around(script, job.form))
    if not walk.complete:
        return _end(job, name, "the script has more ways to go than are followed", "branches")
    passed = frozenset().union(*(path.passed for path in paths))
    scenes = [
        Scene(path, index, walk, job.context)
        for path in paths
        if (index := blocking(path, job.context)) is not None and not _passes(path, path.events[index], passed)
    ]
    if not scenes and not others and any(_fails(path) for path in paths):
        return _in_shell(job, script, name, others=True)
    if not scenes:
        lasting = any(not item.prepares for path in paths for item in path.started)
        return replace(_end(job, name, "it starts no program and waits for it", "one-shot"), one_shot=not lasting)
    ends = [_judge(scene) for scene in scenes]
    return _step_of([end for end in ends if not end.program.is_for_development] or ends, job, script, name)


def _mended_whole(step: Step, job: _Job, script: Script, name: str) -> Step:
    """The step with a fix that also holds on the ways that open where variables are set that no file sets."""
    hop = step.hop
    if hop is None or not hop.details.get("exec_at") or hop.effect is Effect.REPLACES:
        return step
    if not any(mark in job.passage.text for mark in _ASKING):
        return step
    aside = replace(job, context=replace(job.context, followed=Followed(room=0)))
    other = _in_shell(aside, script, name, others=True).hop
    repairs = {key: other.details.get(key) for key in ("exec_at", "leaves_behind")} if other is not None else {}
    covers = set(hop.details["exec_at"]) < set(repairs.get("exec_at") or ())
    if not covers or repairs["leaves_behind"] != hop.details["leaves_behind"]:
        return step
    return replace(step, hop=replace(hop, details={**hop.details, "exec_at": repairs["exec_at"]}))


_ASKING = ("$", "`", "/", ".sh", ". ", ".\t", "source")
"""What a text has in it that may ask for a variable, itself or in another file."""


def _passes(path: State, event: Event, passed: frozenset[tuple[object, ...]]) -> bool:
    """Whether a way ends behind its last program: that is a step on another way, or `exit 1` follows."""
    if event.kind != "run" or event.idle or event.looped:
        return False
    return event.identity in passed or _fails(path)


def _fails(path: State) -> bool:
    return bool(path.events) and path.events[-1].fails


def _judge(scene: Scene) -> _End:
    event = scene.event
    signal = scene.context.signal
    replaced = event.kind == "exec" or (event.kind == "run" and _execs(event, scene.row) is not False)
    if replaced and event.idle and scene.programs:
        return _End(scene, Reaction(scene.context.unheard, "execs-idle", signal), program_of(scene))
    if event.kind == "exec":
        piped = any(item.beside for item in scene.path.events if item.kind in ("exec", "redirect"))
        if piped and scene.context.group_signalled:
            return _End(scene, Reaction(Effect.CUTS, "pipe-breaks", signal), event)
        return _End(scene, Reaction(Effect.REPLACES, "exec", signal), event)
    if event.kind == "run":
        execs = _execs(event, scene.row)
        if execs:
            return _End(scene, Reaction(Effect.REPLACES, "optimised", signal), event)
        if execs is None:
            cause = "evaluated" if (event.shapes or frozenset()) >= EVALUATED else "unmeasured"
            return _End(scene, Reaction(Effect.UNKNOWN, cause, signal), event)
    reaction = react(scene)
    return _End(scene, reaction, reaction.program or program_of(scene))


def _execs(event: Event, row: dict[str, Any]) -> bool | None:
    """Whether the shell execs its last command, seen through these shapes."""
    shapes = event.shapes
    if shapes is None or event.piped:
        return False
    if shapes >= EVALUATED:
        return None
    unmeasured = frozenset(row.get("unmeasured", ()))
    if "file" in shapes:
        return None if "file" in unmeasured else False
    if not shapes <= unmeasured.union(row["execs"]):
        return False
    return None if shapes & unmeasured else True


def _stays_or_execs(end: _End) -> bool:
    """Whether the shell passes nothing on, and all that may be open is if it becomes the program."""
    if end.reaction.effect in (Effect.SWALLOWS, Effect.CUTS, Effect.REPLACES):
        return True
    return end.scene.event.kind == "run" and _execs(end.scene.event, end.scene.row) is None


def _leaves_others(scene: Scene) -> bool:
    """Whether something was started before that may run in the background, as `service cron start` does."""
    return any(item.words and not item.prepares for item in scene.path.events[: scene.index])


def _step_of(ends: list[_End], job: _Job, script: Script, name: str) -> Step:
    """One step for all ways through the script: the worst of them is shown, and they must agree to be believed."""
    bad = [end for end in ends if end.reaction.effect in (Effect.SWALLOWS, Effect.CUTS)] or ends
    worst = next((end for end in bad if not is_idle(end.program.words)), bad[0])
    reaction, program = worst.reaction, worst.program
    agree = all(end.reaction.effect is reaction.effect for end in ends)
    shown, refused = program, worst.scene.walk.refused
    if refused and reaction.cause in _WITHOUT_TRAP:
        reaction = replace(reaction, cause="refused")
    idle = worst.scene.event.idle and not worst.scene.event.looped
    if reaction.cause == "child" and idle and _leaves_others(worst.scene):
        reaction, shown = replace(reaction, cause="idle"), worst.scene.event
    beside = [unheard(end.scene) for end in ends] if reaction.effect is Effect.REPLACES else []
    why = why_of(_title(job, name), shown, reaction, job.context, refused[0].text if refused else "")
    if not agree:
        why = f"whether the shell stays depends on the branch that is taken: on one, {why}"
    details = {
        "cause": reaction.cause,
        "at": worst.scene.event.command or worst.scene.event.span,
        "plain": _plain(script),
        "reached_by_exec": all(end.scene.event.kind == "exec" for end in ends),
        "refused": tuple(refused),
        "delay": _delay(worst.scene, reaction),
        "window": _window(ends),
        "stays_or_execs": all(_stays_or_execs(end) for end in ends),
        "idle": all(only_naps(end.scene) for end in ends),
        "others": any(_leaves_others(end.scene) for end in ends),
        "beside": beside[0] if beside and all(beside) else None,
        **_repairs(ends, reaction, job.passage),
    }
    hop = _hop_of(job, name, reaction.effect if agree else Effect.UNKNOWN, why, details)
    lines = {tuple(word.value for word in end.program.words): end.program.words for end in [worst, *ends]}
    first, *others = lines.values()
    return Step(
        hop,
        None if reaction.effect is Effect.HANDLES else first or None,
        _inner_context(program, reaction, job.context),
        lasts=any(item.kind == "forever" for item in worst.scene.path.events),
        scripts=(job.passage.source,),
        children=_beside(worst),
        also=tuple(line for line in others if line),
    )


def _delay(scene: Scene, reaction: Reaction) -> float | None:
    """The seconds until the trap runs, and those that it sleeps."""
    if reaction.effect not in (Effect.HANDLES, Effect.FORWARDS):
        return None
    return reaction.takes + (0.0 if reaction.at_once else scene.naps or 0.0) or None


def _window(ends: list[_End]) -> Event | None:
    """The step before an `exec` during which a stop is lost: the shell is PID 1 and has no trap."""
    for end in ends:
        step = end.scene.path.delayed_by
        if end.reaction.effect is Effect.REPLACES and step is not None and end.scene.context.signal not in step.traps:
            return step
    return None


_WITHOUT_TRAP = ("wait", "trap-forgets", "trap-exits", "single-wait")
"""What is seen where a `trap` or `kill` was refused."""


def _repairs(ends: list[_End], reaction: Reaction, passage: Passage) -> dict[str, Any]:
    """Where a fix would go: `exec ` before the last command of each way, or a second `wait`."""
    spots: dict[Span, None] = {}
    for end in ends:
        event = end.scene.event
        if end.reaction.cause == "exec":
            continue
        inside = event.shapes is None or not event.shapes.isdisjoint(("subshell", "function"))
        elsewhere = event.kind != "run" or event.piped or event is not end.program or is_idle(event.words)
        if elsewhere or inside or event.command is None or event.traps.get("EXIT"):
            spots = {}
            break
        spots[event.command] = None
    waits = [end.scene for end in ends if end.scene.event.kind == "wait" and not end.scene.event.polls]
    same = len({scene.event.span for scene in waits}) == 1
    started = [item for end in ends for item in end.scene.path.events if item.kind == "start"]
    return {
        "exec_at": tuple(spots) if _has_places(passage) else (),
        "wait_at": waits[0].event.span if same and reaction.cause in ("single-wait", "errexit") else None,
        "waits_again": any(item.kind == "wait" for scene in waits for item in scene.path.events[scene.index + 1 :]),
        "errexit": any(end.scene.path.errexit for end in ends),
        "leaves_behind": bool(started) or any(end.scene.event.traps for end in ends),
    }


def _has_places(passage: Passage) -> bool:
    """Whether what stands somewhere in a text can be found in its file: not where a shell has expanded it."""
    if len(passage.segments) != 1:
        return True
    segment = passage.segments[0]
    return passage.source.text[segment.start : segment.start + segment.width] == passage.text


def _missing(script: Script, row: dict[str, Any]) -> str | None:
    """Syntax of bash that this shell does not have."""
    text = script.passage.text
    lacks = row.get("lacks", ())
    if "<()" in lacks and ("<(" in text or ">(" in text):
        return "process substitution"
    if "<()" in lacks and any(line.lstrip().startswith("coproc ") for line in text.splitlines()):
        return "`coproc` keyword"
    if "function" in lacks and any(line.lstrip().startswith("function ") for line in text.splitlines()):
        return "`function` keyword"
    return None


def _state(job: _Job, others: bool) -> State:
    context, call = job.context, job.call
    user = (context.user or context.image.user or "root").partition(":")[0]
    state = State(Scope(dict(context.env), (), call.name), context.working_dir, call.arguments)
    state.variables["$"] = SELF
    state.pid_1 = context.pid_1
    state.variables["jobs -p"] = ""
    state.variables["PWD"] = context.working_dir
    state.variables["EUID"] = "0" if user == "root" else user if is_whole(user) else _SOME_USER
    state.variables["whoami"] = "root" if user == "0" else None if is_whole(user) else user
    if others:
        state.variables[OTHER_VARIABLES] = None
    state.errexit = "e" in call.options
    state.monitor = "m" in call.options or "i" in call.options
    return state


_SOME_USER = "1000"
"""The number of a user who is named and not root."""


def _reader(context: Context) -> Callable[[str, str], Passage | None]:
    def read(path: str, working_dir: str) -> Passage | None:
        if "$" in path or "\x00" in path or (working_dir == NOWHERE and not path.startswith("/")):
            return None
        return find_text(context.image, context.files, path, working_dir)

    return read


def _inner_context(program: Event, reaction: Reaction, context: Context) -> Context:
    ignores = context.ignores | {name for name, action in program.traps.items() if not action}
    if program.kind == "start" and not program.monitor:
        # POSIX: a job in the background ignores both, unless job control is on
        ignores |= {"SIGINT", "SIGQUIT"}
    image = context.image
    if program.written:
        image = replace(image, written={**image.written, **program.written})
    return replace(
        context,
        image=image,
        env=program.env,
        working_dir=program.working_dir,
        pid_1=context.pid_1 and reaction.effect in (Effect.REPLACES, Effect.UNKNOWN),
        positional=(),
        ignores=frozenset(ignores),
        signal=reaction.signal,
    )


def _beside(end: _End) -> tuple[Span, ...]:
    """What runs beside the program: background jobs, and the other commands of its pipe."""
    events = end.scene.path.events
    jobs = [item.span for item in events if item.kind == "start" and item is not end.program]
    pipes = [span for item in events if item is end.program or item.kind == "redirect" for span in item.beside]
    return (*jobs, *pipes)


def _plain(script: Script) -> tuple[str, ...] | None:
    """The words of a text that is one command without expansions, redirections and builtins."""
    command = script.body[0] if len(script.body) == 1 else None
    if not isinstance(command, Simple) or command.assignments or command.redirects:
        return None
    words = tuple(word.value for word in command.words if word.value is not None)
    if len(words) != len(command.words) or not words or words[0] in BUILTINS:
        return None
    return words


def _undecided(job: _Job, steps: list[Step], names: tuple[str, ...]) -> Step:
    """Where the shell is not known and the known ones differ."""
    first = steps[0]
    stays: list[str] = []
    execs: list[str] = []
    for name, one in zip(names, steps, strict=True):
        replaces = one.hop is not None and one.hop.effect is Effect.REPLACES
        (execs if replaces else stays).append(table("shells")[name]["title"])
    why = f"which shell {job.shell} is here is not known: {' and '.join(stays)} would stay in front of the program"
    why += f", {' and '.join(execs)} would not" if execs else ""
    hops = [step.hop for step in steps if step.hop is not None]
    details = {
        **(hops[0].details if hops else {}),
        "cause": "unknown-shell",
        "stays_or_execs": all(hop.details.get("stays_or_execs") for hop in hops),
    }
    hop = _hop_of(job, base_name(job.shell), Effect.UNKNOWN, why, details)
    inner = replace(first.context, pid_1=job.context.pid_1) if first.context is not None else None
    return replace(first, hop=hop, context=inner)


def _end(job: _Job, name: str, why: str, cause: str) -> Step:
    """A step that leads nowhere."""
    return Step(_hop_of(job, name, Effect.UNKNOWN, why, {"cause": cause}))


def _unreadable(argv: tuple[Word, ...], context: Context, why: str) -> Step:
    details = {"form": "script", "cause": "broken"}
    return Step(_hop(argv, context, HopKind.SCRIPT, base_name(argv[0].value), Effect.UNKNOWN, why, details))


def _title(job: _Job, name: str) -> str:
    if job.unnamed:
        return f"{base_name(job.shell)}, whichever shell it is,"
    title: str = table("shells").get(name, {}).get("title", job.shell)
    return title


def _hop_of(job: _Job, name: str, effect: Effect, why: str, details: dict[str, Any]) -> Hop:
    kind = HopKind.SCRIPT if job.form == "script" else HopKind.SHELL
    span = job.call.text.span if job.call.text is not None else job.argv[0].span
    title = _title(job, name)
    instruction = _instruction(job.call.text, job.context) if job.call.text is not None else None
    details = {**details, "form": job.form, "shell": title, "instruction": instruction}
    return _hop(job.argv, job.context, kind, name, effect, why, details, span)


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


def _instruction(text: Word, context: Context) -> Instruction | None:
    """The CMD or ENTRYPOINT, no JSON array, that a text is the argument of."""
    span = text.span
    for at in (context.image.cmd_at, context.image.entrypoint_at):
        if span is None or at is None or at.argv is not None or at.argument.source is not span.source:
            continue
        if at.span.start <= span.start and span.end <= at.span.end:
            return at
    return None


def _passage(text: Word, context: Context) -> Passage:
    """The text of a word; where it was escaped or expanded, all of it stands where the word does."""
    span = text.span or context.span
    if span is None:
        return Passage.whole(Source("", text.value))
    if span.text == text.value:
        return Passage.whole(span.source, span.start, span.end)
    if span.text in (f"'{text.value}'", f'"{text.value}"') and not set(text.value) & set("\\$`\"'"):
        return Passage.whole(span.source, span.start + 1, span.end - 1)
    return Passage(span.source, text.value, (Segment(0, span.start, len(text.value), span.end - span.start),))
