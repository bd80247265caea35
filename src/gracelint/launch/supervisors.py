"""Supervisors and make: programs that start what a file of their own names."""

from __future__ import annotations

import posixpath
import shlex

from gracelint.base.numbers import is_whole
from gracelint.base.record import Record, replace
from gracelint.facts.launch import Deadline, Effect, Hop, HopKind
from gracelint.knowledge import keys, table
from gracelint.launch.environment import seconds_of
from gracelint.launch.images.image import find_file
from gracelint.launch.signals import signal_name
from gracelint.launch.step import Context, Step
from gracelint.launch.words import base_name, read_options, split
from gracelint.source import Passage, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any


class Entry(Record):
    """One program of a supervisor: its command line, and the signal that stops it."""

    argv: tuple[Word, ...]
    name: str
    signal: str | None = None
    """None: the one that reaches the supervisor."""
    deadline: Deadline | None = None
    working_dir: str | None = None
    group: bool = False
    """Its whole process group is signalled."""
    perhaps: Span | None = None
    """Where a condition decides whether it is started."""


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a supervisor does; None where argv[0] is none."""
    key = keys("supervisors").get(argv[0].value) or keys("supervisors").get(base_name(argv[0].value))
    if key is None:
        return None
    row = table("supervisors")[key]
    if "run" in row:
        at = read_options(argv, 1, row["values"]).rest
        if at >= len(argv) or argv[at].value != row["run"]:
            return _run_alone(argv, at, context, key, row.get("alone"))
    effect, why = Effect(row["effect"]), row["why"].format(signal=context.signal)
    if context.signal not in row.get("handles", ()) and effect is Effect.FORWARDS:
        effect = context.unheard
        why = f"{key} has no handler for {context.signal}"
        if context.signal in row.get("dies", ()):
            effect, why = Effect.CUTS, f"{key} has no handler for {context.signal}, which ends it at once"
    details: dict[str, object] = {
        "waits_for_orphans": row.get("waits_for_orphans", False),
        "waits_for_output": row.get("waits_for_output", False),
        "group": row.get("group"),
        "rest": _time_of_the_rest(key, row, context),
    }

    def hop(effect: Effect, why: str) -> Hop:
        words = tuple(word.value for word in argv)
        span = argv[0].span or context.span
        return Hop(words, HopKind.SUPERVISOR, key, effect, why, span, context.pid_1, context.signal, details)

    if effect is not Effect.FORWARDS:
        return Step(hop(effect, why))
    itself = (context.working_dir, *(word.value for word in argv))
    if itself in context.above:
        return Step(hop(Effect.UNKNOWN, f"{key} starts itself over and over"))
    entries = list(_READERS[row["reader"]](argv, context, row))
    if not entries:
        why = row.get("unread") or f"what {key} runs cannot be read: its file is not in the project"
        return Step(hop(Effect.UNKNOWN, why))
    open_ = next((entry for entry in entries if entry.perhaps is not None), None)
    if open_ is not None and open_.perhaps is not None:
        place = open_.perhaps
        why = f"whether line {place.line} of {place.source.path}, which starts `{open_.name}`, is come to is not known"
        return Step(hop(Effect.UNKNOWN, why))
    killed = next((entry for entry in entries if entry.signal == "SIGKILL"), None)
    if killed is not None:
        return Step(hop(Effect.CUTS, f"{key} stops `{killed.name}` with SIGKILL, which nothing can handle"))
    group = bool(row.get("waits_for_output"))
    above = context.above | {itself}
    below = replace(context, pid_1=False, group_signalled=group, depth=context.depth + 1, above=above)
    together = tuple(
        (
            entry.argv,
            replace(
                below,
                signal=entry.signal or ("SIGTERM" if key != "make" else context.signal),
                working_dir=entry.working_dir or context.working_dir,
                group_signalled=below.group_signalled or entry.group,
                deadline=entry.deadline or (Deadline(row["deadline"]) if "deadline" in row else None),
            ),
        )
        for entry in entries
    )
    return Step(hop(effect, why), together=together, lasts="lasts" in row)


def _time_of_the_rest(key: str, row: dict[str, Any], context: Context) -> str | None:
    """How long those have that are left when all services have ended, and get SIGTERM then."""
    seconds = seconds_of(key, "kill", context.env) if "rest" in row else None
    return f"{seconds:g} s ({row['rest']})" if seconds is not None else None


def _run_alone(argv: tuple[Word, ...], at: int, context: Context, key: str, alone: str | None) -> Step | None:
    """`honcho run command` waits for its command and passes nothing on (measured)."""
    if len(argv) < at + 2 or argv[at].value != alone:
        return None
    effect = context.unheard
    why = f"{key} run waits for its command and passes no signal on"
    words = tuple(word.value for word in argv[: at + 1])
    span = argv[0].span or context.span
    hop = Hop(words, HopKind.WRAPPER, key, effect, why, span, context.pid_1, context.signal)
    return Step(hop, argv[at + 1 :], replace(context, pid_1=False))


def _file(paths: list[str], context: Context) -> Passage | None:
    for path in paths:
        found = find_file(context.image, context.files, path, context.working_dir)
        if found is not None:
            return found
    return None


def _ini_entries(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    """The sections of supervisord's or circus's configuration that name a program each."""
    keys = row["ini"]
    given = read_options(argv, 1, row["values"])
    operand = argv[given.rest] if "operand" in keys and given.rest < len(argv) else None
    named = given.value(keys.get("options", ())) or operand
    passage = _file([named.value] if named else row["files"], context)
    if passage is None:
        return
    sections = list(_sections(passage))
    sections += _included(sections, posixpath.dirname(named.value if named else ""), context)
    started = _started_by_others(sections, keys["command"], context)
    for section, values in sections:
        kind, _, name = section.partition(":")
        if kind != keys["section"] or keys["command"] not in values:
            continue
        if "expands" in keys:
            own = {"program_name": name, "group_name": name, "process_num": "0"}
            values = {key: _expanded(value, keys["expands"], own, context) for key, value in values.items()}
        command = values[keys["command"]]
        held_back = values.get("autostart", command).value.strip().lower() == "false"
        if held_back and not {name, "all"} & started.keys():
            continue
        stop = values.get(keys["signal"])
        words = split(command.value, command.span) or ()
        if "arguments" in keys and keys["arguments"] in values:
            more = values[keys["arguments"]]
            words += split(more.value, more.span) or ()
        if _is_on(values, keys.get("shell")):
            # circus quotes each word: no operator means anything to that shell
            text = shlex.join(word.value for word in words)
            words = (Word("sh", command.span), Word("-c", command.span), Word(text, command.span))
        yield Entry(
            words,
            name,
            (signal_name(stop.value.strip()) if stop else None) or "SIGTERM",
            _stop_wait(values.get(row["deadline_setting"]), command, row),
            values[keys["folder"]].value if keys["folder"] in values else None,
            _is_on(values, keys["group"]),
            started.get(name, started.get("all")) if held_back else None,
        )


def _started_by_others(
    sections: Sequence[tuple[str, Mapping[str, Word]]], key: str, context: Context
) -> dict[str, Span | None]:
    """The programs that scripts of others start (`supervisorctl start web`), with the place where that is open."""
    found: dict[str, Span | None] = {}
    if not any("autostart" in values for _, values in sections):
        return found
    for _, values in sections:
        for word in split(values[key].value, values[key].span) or () if key in values else ():
            script = find_file(context.image, context.files, word.value, context.working_dir)
            if script is not None and "supervisorctl" in script.text:
                found |= _started_in(script)
    return found


def _started_in(script: Passage) -> dict[str, Span | None]:
    from gracelint.launch.shell.loops import simple_commands
    from gracelint.parse.shell import read_script

    body = read_script(script).body
    found: dict[str, Span | None] = {}
    for command in simple_commands(body):
        words = [word.text.strip("\"'") for word in command.words]
        if base_name(words[0] if words else "") == "supervisorctl" and "start" in words:
            at = None if command in body else command.span
            found |= {name.removesuffix(":*"): at for name in words[words.index("start") + 1 :]}
    return found


def _expanded(value: Word, prefix: str, own: Mapping[str, str], context: Context) -> Word:
    """A setting with `%(ENV_NAME)s` and the like put in; a variable that is only known when it runs stays one."""
    text, *parts = value.value.split("%(")
    for part in parts:
        name, _, rest = part.partition(")")
        variable = name.removeprefix(prefix)
        known = own.get(name) if variable == name else context.env.get(variable, "")
        after = rest.lstrip("0123456789")
        width = rest[: len(rest) - len(after)]
        text += (f"${{{variable}}}" if known is None else known.zfill(int(width[:2] or 0))) + after[1:]
    return Word(text, value.span)


def _is_on(values: Mapping[str, Word], key: str | None) -> bool:
    return key is not None and key in values and values[key].value.lower() in ("true", "1", "yes", "on")


def _stop_wait(given: Word | None, command: Word, row: dict[str, Any]) -> Deadline:
    setting = row["deadline_setting"]
    length = given.value.strip() if given is not None else ""
    if given is not None and is_whole(length):
        return Deadline(float(length), given.span, setting)
    return Deadline(row["deadline"], None, setting, behind=command, written=f"{setting}={{}}")


def _included(
    sections: list[tuple[str, dict[str, Word]]], folder: str, context: Context
) -> Iterator[tuple[str, dict[str, Word]]]:
    """The sections of the files that `[include]` names, relative to the folder of the configuration."""
    from fnmatch import fnmatchcase

    from gracelint.launch.images.image import list_folder

    patterns = next((values["files"].value for name, values in sections if name == "include" and "files" in values), "")
    for path in dict.fromkeys(patterns.split()):
        parent, _, last = posixpath.join(folder, path).rpartition("/")
        names = list_folder(context.image, context.files, parent or ".", context.working_dir)
        for name in sorted({*names, last} if "*" not in last else names):
            passage = _file([posixpath.join(parent, name)], context) if fnmatchcase(name, last) else None
            if passage is not None:
                yield from _sections(passage)


def _sections(passage: Passage) -> Iterator[tuple[str, dict[str, Word]]]:
    """Sections of an INI file as supervisord reads it: `;` comments, indented continuation lines."""
    section, last = "", ""
    values: dict[str, Word] = {}
    offset = 0
    for line in passage.text.splitlines(keepends=True):
        start, offset = offset, offset + len(line)
        text = line.split(" ;", 1)[0].rstrip()
        if not text.strip() or text.lstrip()[0] in ";#":
            continue
        if text.startswith("["):
            if section:
                yield section, values
            section, values, last = text.strip("[] \t"), {}, ""
        elif text[0] in " \t" and last:
            word = values[last]
            values[last] = Word(f"{word.value} {text.strip()}", word.span)
        elif "=" in text:
            key, _, value = text.partition("=")
            begin = start + len(key) + 1 + len(value) - len(value.lstrip())
            last = key.strip().lower()
            values[last] = Word(value.strip(), passage.span(begin, start + len(text)))
    if section:
        yield section, values


def _procfile_entries(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    before = read_options(argv, 1, row["values"])
    given = read_options(argv, before.rest + 1, row["values"])
    named = given.value(("-f", "--procfile")) or before.value(("-f", "--procfile"))
    wanted = {word.value for word in argv[given.rest :]}
    limit = given.value((row["deadline_option"],)) if "deadline_option" in row else None
    known = limit is not None and is_whole(limit.value)
    deadline = Deadline(float(limit.value), limit.span) if limit is not None and known else None
    prefix = "exec " if row.get("execs") else ""
    passage = _file([named.value] if named else row["files"], context)
    offset = 0
    for line in (passage.text if passage else "").splitlines(keepends=True):
        start, offset = offset, offset + len(line)
        name, colon, command = line.partition(":")
        if not colon or not command.strip() or name.lstrip().startswith("#") or (wanted and name not in wanted):
            continue
        begin = start + len(name) + 1 + len(command) - len(command.lstrip())
        assert passage is not None
        span = passage.span(begin, begin + len(command.strip()))
        text = Word(f"{prefix}{command.strip()}", span)
        yield Entry((Word("sh", span), Word("-c", span), text), name, deadline=deadline)


def _service_entries(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    """The `run` programs of a runit, daemontools or s6 service folder."""
    from gracelint.launch.images.image import list_folder

    given = read_options(argv, 1, ("-t", "-c", "-d"))
    if given.rest >= len(argv):
        return
    folder = argv[given.rest].value.rstrip("/")
    names = (name.rstrip("/") for name in list_folder(context.image, context.files, folder, context.working_dir))
    for name in dict.fromkeys(names):
        run = f"{folder}/{name}/run"
        if find_file(context.image, context.files, run, context.working_dir) is not None:
            yield Entry((Word(run, argv[given.rest].span),), name)


def _sv_entries(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    """The services that runit's `sv stop` is given, by folder or by name; it waits some seconds for them."""
    given = read_options(argv, 1, row["values"])
    length = given.value(("-w",))
    limit = float(length.value) if length is not None and is_whole(length.value) else row["deadline"]
    deadline = Deadline(limit, length.span if length is not None else None, row["deadline_setting"])
    for folder in _sv_folders(argv, row, context):
        run = f"{folder}/run"
        if find_file(context.image, context.files, run, context.working_dir) is not None:
            yield Entry((Word(run, argv[0].span),), posixpath.basename(folder), deadline=deadline)


def runs_only(runsvdir: tuple[Word, ...], sv: tuple[Word, ...], context: Context) -> bool:
    """Whether all services below `runsvdir` are among those that an `sv` command line is about."""
    entries = _service_entries(runsvdir, context, {})
    told = set(_sv_folders(sv, table("supervisors")["sv"], context))
    return all(posixpath.dirname(entry.argv[0].value) in told for entry in entries)


def _sv_folders(argv: tuple[Word, ...], row: dict[str, Any], context: Context) -> Iterator[str]:
    """The folders of the services that an `sv` command line is about."""
    from gracelint.launch.images.image import list_folder

    for word in argv[read_options(argv, 1, row["values"]).rest + 1 :]:
        parent, _, name = word.value.rstrip("/").rpartition("/")
        if name == "*":
            names = list_folder(context.image, context.files, parent, context.working_dir)
            yield from dict.fromkeys(f"{parent}/{each.rstrip('/')}" for each in names)
        else:
            yield f"{parent or row['folders'][0]}/{name}"


def _overlay_entries(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    """The services of s6-overlay, and the command behind `/init`, which is told to stop when they have ended."""
    from gracelint.launch.images.image import list_folder

    grace = seconds_of("s6-overlay", "services", context.env)
    kill = seconds_of("s6-overlay", "kill", context.env)
    for folder in row["folders"]:
        for name in list_folder(context.image, context.files, folder, context.working_dir):
            here = f"{folder}/{name.rstrip('/')}"
            run = find_file(context.image, context.files, f"{here}/run", context.working_dir)
            if run is None or not name.endswith("/") or _ends_before(here, context):
                continue
            deadline = _timeout_kill(here, context)
            if deadline is None and folder == row["folders"][0] and grace is not None and kill is not None:
                deadline = Deadline(grace + kill, None, "S6_SERVICES_GRACETIME")
            yield Entry((Word(f"{here}/run", run.span(0, 0)),), name.rstrip("/"), deadline=deadline)
    if len(argv) > 1 and kill is not None:
        yield Entry(argv[1:], "the command", deadline=Deadline(kill, None, "S6_KILL_GRACETIME"))


def _ends_before(folder: str, context: Context) -> bool:
    """Whether s6-rc runs it once and waits for its end before it starts what depends on it."""
    kind = find_file(context.image, context.files, f"{folder}/type", context.working_dir)
    return kind is not None and kind.text.strip() == "oneshot"


def _timeout_kill(folder: str, context: Context) -> Deadline | None:
    """A service's own `timeout-kill`, in milliseconds; 0 is none."""
    passage = find_file(context.image, context.files, f"{folder}/timeout-kill", context.working_dir)
    text = passage.text.strip() if passage is not None else ""
    if passage is None or not is_whole(text) or int(text) == 0:
        return None
    start = passage.text.index(text)
    return Deadline(int(text) / 1000, passage.span(start, start + len(text)), "timeout-kill", unit=0.001)


def _one_service(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    if len(argv) > 1:
        yield Entry((Word(f"{argv[1].value.rstrip('/')}/run", argv[1].span),), argv[1].value)


def _makefile_entries(argv: tuple[Word, ...], context: Context, row: dict[str, Any]) -> Iterator[Entry]:
    """The last recipe line of the target, as make starts it: by itself where it is plain, else by the shell."""
    from gracelint.launch.makefile import recipe

    given = read_options(argv, 1, ("-C", "--directory", "-f", "--file", "--makefile", "-j", "-I", "-o", "-W"))
    folder = given.value(("-C", "--directory"))
    here = replace(context, working_dir=folder.value) if folder and folder.value.startswith("/") else context
    named = given.value(("-f", "--file", "--makefile"))
    passage = _file([named.value] if named else row["files"], here)
    if passage is None:
        return
    operands = [word.value for word in argv[given.rest :]]
    overrides = dict(word.split("=", 1) for word in operands if "=" in word)
    target = next((word for word in operands if "=" not in word), None)
    words = recipe(passage, target, overrides)
    if words:
        yield Entry(words, target or "the default target")


_READERS = {
    "ini": _ini_entries,
    "procfile": _procfile_entries,
    "services": _service_entries,
    "sv": _sv_entries,
    "overlay": _overlay_entries,
    "service": _one_service,
    "makefile": _makefile_entries,
}
