"""Applications that are named on a server's command line: `uvicorn main:app`, `celery -A shop worker`."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.record import Record, field, replace
from gracelint.facts.verdict import Verdict
from gracelint.launch.images.image import find_file, find_path
from gracelint.launch.images.layers import copied_from
from gracelint.launch.images.packages import installed_projects
from gracelint.launch.words import base_name
from gracelint.parse.errors import ParseError
from gracelint.tree.purpose import holds_tests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gracelint.behaviour.python.work import Work
    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image
    from gracelint.facts.program import Program, Reaction
    from gracelint.launch.servers.settings import ServerSettings
    from gracelint.launch.step import Context
    from gracelint.source import Source

    Row = Mapping[str, Any]

_HINDRANCES = pattern(
    r"\b(?:import|from)[ \t]+signal\b|\bsignal\.(?:signal|SIG\w+)|add_signal_handler"
    r"|\b(?:Thread|Process|Timer|Pool|\w*Executor)\(|\((?:threading\.)?Thread\)"
    r"|\b(?:sleep|to_thread|run_in_executor|fork)\(|\bwait\w*\(|\.join\((?:[ \t]*\)|timeout|[0-9])"
    r"|lifespan|shutdown|cleanup"
)
"""What no source can do without that keeps a server from its end."""
_MOST_SOURCES = 2_000
"""Of an application that is too large to be followed."""


_LONG = 5.0
"""Seconds that count against a grace period."""
_NO_TIME = 1.0
"""Seconds that nobody misses who has to wait."""


class Served(Record, identity=True):
    """What becomes of a server's stop with the application that it serves."""

    verdict: Verdict | None = None
    """None where it is as the server's own."""
    why: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    program: Program | None = None


def served(row: Row, given: ServerSettings, context: Context, kind: str, drain: float | None) -> Served | None:
    """Reads the application with the server's own order of events; None where it is not in the project."""
    spec = row["application"]
    found = _find(spec, given, context)
    if found is None:
        return _missing(spec, given, context) if kind == "graceful" else None
    try:
        program = _read(found, row, given, context, drain)
    except ParseError as error:
        why = f"{found[0].path}, which it serves, has a syntax error in line {error.span.line}"
        return Served(Verdict.UNKNOWN, why)
    from gracelint.facts.program import Cause

    reaction = program.reactions.get(context.signal)
    if reaction is not None and reaction.cause is Cause.ONE_SHOT:
        why = f"as far as {base_name(found[0].path)} can be followed, it ends before anything of it is served"
        return Served(Verdict.UNKNOWN, why)
    if reaction is None or _is_too_large(program):
        return _unread(program, found[3], context) if kind == "graceful" else None
    if kind == "graceful" and reaction.as_pid_1 is Verdict.HANDLED:
        streaming = _streaming(program) if _waits_for_ever(row, given) else None
        told = streaming or _lasting(program, reaction, row, drain) or _judged(program, reaction, context, kind)
        return told or Served()
    return _judged(program, reaction, context, kind)


def _missing(spec: Row, given: ServerSettings, context: Context) -> Served | None:
    """An application that should be among the sources that are copied to where it is looked up, and is not."""
    name = next(iter(_names(spec, given)), "")
    folder = find_path(context.image, context.files, context.working_dir, "/")
    if not name or folder is None or context.image.stage is None:
        return None
    paths = (path for path in context.files.listed(folder) if path.endswith(".py") and not holds_tests(path))
    if not any(not _is_configuration(path) for path in paths):
        return None
    why = f"`{name}`, which it serves, is not found among the sources that are copied to {context.working_dir}"
    return Served(Verdict.UNKNOWN, why)


def _is_configuration(path: str) -> bool:
    """`gunicorn.conf.py`, `hypercorn_config.py`: what is none of the application."""
    return "conf" in base_name(path)


def _read(
    found: tuple[Source, str, str, tuple[str, ...]],
    row: Row,
    given: ServerSettings,
    context: Context,
    drain: float | None,
) -> Program:
    source, module, expression, roots = found
    from gracelint.behaviour.python import read_python
    from gracelint.behaviour.python.serving import Application

    spec, does = row["application"], row.get("signals", {})
    application = Application(
        expression,
        spec["call"],
        tuple(signal for signal, what in does.items() if what in ("graceful", "drops")),
        spec.get("handlers", "after"),
        not spec.get("child"),
        drain if spec.get("deadline") else None,
        _configuration(row, given, context),
        row.get("hooks", {}),
        tuple(spec.get("swallows", ())),
    )
    return read_python(
        source,
        files=context.files,
        roots=roots,
        env=context.env,
        module=module,
        application=application,
        version=context.image.versions.get("python", ""),
        effort=context.followed.effort,
    )


def outlasting(row: Row, given: ServerSettings, context: Context, seconds: float) -> str | None:
    """What always takes longer than a server waits for it, as a clause; None where nothing is known to."""
    found = _find(row["application"], given, context) if "application" in row else None
    if found is None:
        return None
    try:
        program = _read(found, row, given, context, seconds)
    except ParseError:
        return None
    work = _slowest(program, row)
    return f"`{work.function.name}()` takes {work.seconds:g} s" if work is not None and work.seconds > seconds else None


def _slowest(program: Program, row: Row) -> Work | None:
    from gracelint.behaviour.python.work import JOBS, REQUESTS, slowest

    return slowest(program.sources, JOBS if row.get("jobs") else REQUESTS)


def _lasting(program: Program, reaction: Reaction, row: Row, drain: float | None) -> Served | None:
    """A request or job that is sure to take longer than a stop should, or that the server does not wait for."""
    work = _slowest(program, row)
    from gracelint.behaviour.python.work import abandoned

    left = None if row.get("jobs") else abandoned(program.sources, [child.span for child in program.children])
    details: dict[str, object]
    if left is not None:
        at = left.source.line_span(left.function.lineno)
        what = f"the {left.leaves} that `{left.function.name}()` starts"
        why = f"{base_name(left.source.path)}: {what} is lost when the server ends"
        details = {"application": left.source.path, "at": at, "better": None, "advice": None, "lossy": True}
        return Served(Verdict.CUT if left.seconds >= _NO_TIME else Verdict.UNKNOWN, why, details)
    if work is None or work.seconds < max(_LONG, reaction.delay or 0):
        return None
    at = work.source.line_span(work.function.lineno)
    details = {"application": work.source.path, "at": at, "better": None, "advice": None}
    why = f"{base_name(work.source.path)}: `{work.function.name}()` takes {work.seconds:g} s"
    if drain is not None and work.seconds > drain:
        details |= {"lossy": True, "delay": drain}
        return Served(Verdict.CUT, f"{why}, and the server waits {drain:g} s for it", details)
    return Served(Verdict.HANDLED, f"{why}, for which the server waits", details | {"delay": work.seconds})


def _configuration(row: Row, given: ServerSettings, context: Context) -> Source | None:
    """The configuration file, where functions in it are the server's hooks."""
    if "hooks" not in row or given.unread is not None:
        return None
    from gracelint.launch.servers.settings import config_files

    found = config_files(dict(given.options), row["config"], context)
    return found[0].source if found and found[0].text == found[0].source.text else None


def _waits_for_ever(row: Row, given: ServerSettings) -> bool:
    """Whether the server waits without a limit for what is in flight, as it is started here."""
    drain = row.get("drain", {})
    return "unbounded" in drain and given.unread is None and drain.get("option") not in given.options


def _streaming(program: Program) -> Served | None:
    """An answer that does not end, for which the server waits."""
    from gracelint.behaviour.python.streams import endless_stream

    found = endless_stream(program.sources)
    if found is None:
        return None
    why = f"{base_name(found.source.path)}: the server {found.says}"
    verdict = Verdict.IGNORED if found.never else Verdict.UNKNOWN
    return Served(verdict, why, {"application": found.source.path, "better": None, "advice": None})


def _judged(program: Program, reaction: Reaction, context: Context, kind: str) -> Served | None:
    from gracelint.facts.program import Cause

    verdict = reaction.as_pid_1 if context.pid_1 else reaction.as_child
    details: dict[str, object] = {"application": program.source.path, "cause": reaction.cause, "at": reaction.span}
    details |= {"better": None, "advice": None}
    if verdict is Verdict.HANDLED:
        delay: dict[str, object] = {"delay": reaction.delay} if reaction.delay is not None else {}
        if kind == "unhandled":
            return Served(verdict, _why(program, reaction), details | delay, program)
        if kind != "graceful" or (reaction.delay or 0) < _LONG:
            return None
        why = _why(program, reaction)
        return Served(verdict, why, details | delay, program)
    if kind == "unhandled" and reaction.cause in (Cause.NO_HANDLER, Cause.DEV_SERVER, Cause.OTHER_SIGNAL_ONLY):
        return None
    if kind == "drops" and verdict is not Verdict.IGNORED:
        return None
    if reaction.delay is not None:
        details["delay"] = reaction.delay
    return Served(verdict, _why(program, reaction), details, program if verdict is not Verdict.UNKNOWN else None)


def _why(program: Program, reaction: Reaction) -> str:
    return f"{base_name(program.source.path)}: {reaction.why}"


def _is_too_large(program: Program) -> bool:
    from gracelint.facts.program import Cause

    return bool(program.reactions) and all(reaction.cause is Cause.UNKNOWN for reaction in program.reactions.values())


def _unread(program: Program, roots: tuple[str, ...], context: Context) -> Served | None:
    """An application that is too large to be followed: does it have anything to keep the server from its end with?"""
    has = next(filter(None, map(_hindrance, program.sources)), None)
    if has is None:
        tops = {top for source in program.sources for root in roots if (top := _package(source.path, root))}
        has = _hindrance_below(context.files, tuple(sorted(tops)))
    if has is None:
        return None
    return Served(Verdict.UNKNOWN, f"{base_name(program.source.path)}: it is too large to be followed, and {has}")


def _hindrance(source: Source) -> str | None:
    found = _HINDRANCES.search(source.text)
    return f"{source.path} has `{found[0].strip()}`" if found is not None else None


def _package(path: str, root: str) -> str:
    """The folder of the package of a module, where modules are looked up; empty for one that is in none."""
    inside = posixpath.relpath(path, root or ".")
    return posixpath.join(root, inside.partition("/")[0]) if "/" in inside and not inside.startswith("../") else ""


@lru_cache(maxsize=16)
def _hindrance_below(files: Files, folders: tuple[str, ...]) -> str | None:
    """The first in the packages of an application, of which only a part was read."""
    paths = [path for folder in folders for path in files.listed(folder) if path.endswith(".py")]
    paths = [path for path in paths if not holds_tests(path)]
    if len(paths) > _MOST_SOURCES:
        return f"has more than {_MOST_SOURCES} sources"
    for path in paths:
        found = _HINDRANCES.search(files.glance(path))
        if found is not None:
            return f"{path} has `{found[0].strip()}`"
    return None


def find_application(spec: Row, given: ServerSettings, context: Context) -> Source | None:
    """The module that is served; None where it is not in the project."""
    found = _find(spec, given, context)
    return found[0] if found is not None else None


def find_module(module: str, context: Context) -> Source | None:
    """The source of a Python module by its dotted name, looked up where an application's imports are."""
    for path, _ in _paths(module, {}):
        for image, place in _python_path(context):
            found = find_file(image, context.files, path, place)
            if found is not None:
                return found.source
    return None


def _find(spec: Row, given: ServerSettings, context: Context) -> tuple[Source, str, str, tuple[str, ...]] | None:
    """The module that is served, its dotted name, what is served of it, and where its imports are looked up."""
    folders = [value for name in spec.get("folders", ()) if (value := _option(given, name))]
    start = posixpath.join(context.working_dir, *folders)
    places = list(dict.fromkeys(((context.image, start), *_python_path(context))))
    found_at = (find_path(image, context.files, place, "/") for image, place in places)
    roots = tuple(dict.fromkeys(root for root in found_at if root is not None))
    for name in _names(spec, given):
        module, _, expression = name.partition(":")
        module, attribute = _dotted(module, spec)
        expression = expression or attribute or str(spec.get("attribute", ""))
        if spec.get("factory") and _option(given, str(spec["factory"])) not in (None, "false"):
            expression = f"{expression}()"
        for path, dotted in _paths(module, spec):
            for image, place in places:
                found = find_file(image, context.files, path, place)
                if found is not None and found.text == found.source.text.removeprefix("\ufeff"):
                    return found.source, dotted, expression, roots
    return None


def _option(given: ServerSettings, name: str) -> str | None:
    option = given.options.get(name)
    return option.value if option is not None else None


def _names(spec: Row, given: ServerSettings) -> Iterator[str]:
    """What the command line names, else what is looked for without a name."""
    for name in spec.get("options", ()):
        if name in given.options:
            value = given.options[name].value
            if value:
                yield value
            return
    operands = given.operands[spec.get("operand", 0) :] if "operand" in spec or "options" not in spec else ()
    if operands:
        yield operands[0]
        return
    yield from spec.get("default", ())


def _dotted(module: str, spec: Row) -> tuple[str, str]:
    """`app/main.py` as `app.main`; `main.WorkerSettings` as `main` and what is served of it."""
    module = module.removeprefix("./")
    if module.endswith(".py"):
        return module.removesuffix(".py").replace("/", "."), ""
    if spec.get("dotted"):
        module, _, attribute = module.rpartition(".")
        return module, attribute
    return module, ""


def _paths(module: str, spec: Row) -> Iterator[tuple[str, str]]:
    base = module.replace(".", "/")
    for inner in spec.get("inside", ()):
        yield f"{base}/{inner}.py", f"{module}.{inner}"
    yield f"{base}.py", module
    yield f"{base}/__init__.py", module


def _python_path(context: Context) -> Iterator[tuple[Image, str]]:
    """Where modules are looked up: an image, and a folder in it."""
    image, start = context.image, context.working_dir
    given = (context.env.get("PYTHONPATH") or "").split(":")
    yield from ((image, posixpath.join(start, folder)) for folder in ("", *filter(None, given)))
    stages = (image.stage, *copied_from(image.stage)) if image.stage is not None else ()
    for stage in stages:
        its = image if stage is image.stage else replace(image, stage=stage, mounts=())
        for project in installed_projects(stage):
            yield from ((its, posixpath.join(start, project, folder)) for folder in ("src", ""))
