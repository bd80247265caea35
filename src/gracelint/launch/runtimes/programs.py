"""Interpreters: from `python worker.py` or `node .` to the program's facts, and what it does with the signal."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.base.numbers import is_whole, whole
from gracelint.base.record import replace
from gracelint.facts.launch import Drain, DrainSource, Effect, Hop, HopKind
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.launch.images.image import find_command, find_file, find_path
from gracelint.launch.step import Context, Step
from gracelint.launch.words import base_name, read_options
from gracelint.parse.errors import ParseError, TooLargeError
from gracelint.source import Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.program import Program

_PYTHON_VALUES = ("-X", "-W", "--check-hash-based-pycs")
_NODE_VALUES = ("-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file")
_EFFECTS = {
    Verdict.HANDLED: Effect.HANDLES,
    Verdict.IGNORED: Effect.SWALLOWS,
    Verdict.CUT: Effect.CUTS,
    Verdict.UNKNOWN: Effect.UNKNOWN,
}


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a program does; None where argv[0] is neither a runtime nor a file of the project."""
    name = base_name(argv[0].value)
    if _is_python(name):
        return _python_step(argv, context)
    if name in ("node", "nodejs"):
        return _node_step(argv, context)
    if name == "java":
        from gracelint.launch.runtimes import jvm

        return jvm.step(argv, context)
    if name == "dotnet":
        from gracelint.launch.runtimes import dotnet

        return dotnet.step(argv, context)
    if name.startswith(("ruby", "jruby")) or name == "rake":
        from gracelint.launch.runtimes import ruby

        return ruby.step(argv, context)
    if name.startswith("php"):
        from gracelint.launch.runtimes import php

        return php.step(argv, context)
    if name in table("one_shots")["interactive"] and all(word.value in ("-de0", "-i") for word in argv[1:]):
        return interactive(argv, context, name)
    if name == "cargo":
        from gracelint.launch.runtimes import rust

        return rust.run(argv, context)
    return _executable_step(argv, context)


def _is_python(name: str) -> bool:
    """python, python3, python3.12, pypy3 …"""
    version = name.removeprefix("python").removeprefix("pypy")
    return name in ("python", "pypy") or (version != name and is_whole(version.replace(".", "")))


def _python_step(argv: tuple[Word, ...], context: Context) -> Step:
    index = 1
    while index < len(argv) and argv[index].value.startswith("-") and argv[index].value != "-":
        text = argv[index].value
        flag = text[-1] if not text.startswith("--") else ""
        if flag in "mc" and flag and index + 1 < len(argv):
            rest = argv[index + 1 :]
            return _module_step(argv, rest, context) if flag == "m" else _text_step(argv, rest, context)
        index += 2 if text in _PYTHON_VALUES else 1
    if index >= len(argv) or argv[index].value == "-":
        return interactive(argv, context, "python")
    return _script_step(argv, index, context, "python")


def _module_step(argv: tuple[Word, ...], rest: tuple[Word, ...], context: Context) -> Step:
    """`python -m pkg` is the project's pkg/__main__.py or pkg.py, if it has one; `-m gunicorn` is gunicorn."""
    from gracelint.launch import supervisors, wrappers
    from gracelint.launch.servers import servers

    module = rest[0].value
    base = module.replace(".", "/")
    for path in (f"{base}/__main__.py", f"{base}.py", f"src/{base}/__main__.py"):
        source = source_at(path, context)
        if source is not None:
            return _read_python(argv, source, context, rest[1:], module=module)
    for steps in (servers.step, supervisors.step, wrappers.step):
        known = steps(rest, context)
        if known is not None:
            return known
    step = unknown(argv, context, f"the module {module} is not in the project")
    return replace(step, one_shot=True) if module in table("one_shots")["modules"] else step


def _text_step(argv: tuple[Word, ...], rest: tuple[Word, ...], context: Context) -> Step:
    """`python -c TEXT`: judged like a file, but a finding cannot point into it."""
    folder = find_path(context.image, context.files, ".", context.working_dir) or ""
    source = Source(posixpath.join(folder, "<python -c>"), rest[0].value)
    step = _read_python(argv, source, context, rest[1:])
    program = step.program
    if program is not None and program.span.source is source:
        return replace(step, program=None)
    return step


def _script_step(argv: tuple[Word, ...], index: int, context: Context, language: str) -> Step:
    path = argv[index].value
    if language == "python":
        source = source_at(path, context) or source_at(posixpath.join(path, "__main__.py"), context)
        if source is not None:
            return _read_python(argv, source, context, argv[index + 1 :])
    else:
        source = _node_source(path, context)
        if source is not None:
            return _read_node(argv, source, context, argv[index + 1 :])
    if "$" in path:
        return unknown(argv, context, f"`{path}` is only known when it runs")
    built = _console_script(argv, context, index) if language == "python" else _framework_step(argv, path, context)
    return built or unknown(argv, context, f"{path} is not in the project")


def _framework_step(argv: tuple[Word, ...], path: str, context: Context) -> Step | None:
    """The server that a framework's build writes: `.next/standalone/server.js`, `.output/server/index.mjs`."""
    from gracelint.launch.runtimes.node import framework_of
    from gracelint.launch.versions import SEVERAL, of_requirement

    found = framework_of(path, context)
    if found is None:
        return None
    name, wanted = found
    row = of_requirement(table("node")["builds"][name], wanted)
    if row is None:
        return unknown(argv, context, SEVERAL.format(name=name, version=wanted))
    if row.get("unless") in context.env:
        return unknown(argv, context, row["instead"])
    if context.signal not in row["handles"]:
        return unknown(argv, context, f"nobody knows what the server that {name} builds does on {context.signal}")
    effect = Effect(row["effect"])
    why = row["why"].format(name=name, signal=context.signal)
    if effect is Effect.SWALLOWS:
        effect = context.unheard
    hop = _hop(argv, context, HopKind.SERVER, effect, why)
    drain = Drain(row["drain"], DrainSource.DERIVED, f"{name}'s own timeout", default=True) if "drain" in row else None
    return Step(replace(hop, name=name), drain=drain)


def _node_step(argv: tuple[Word, ...], context: Context) -> Step:
    given = read_options(argv, 1, _NODE_VALUES)
    if given.has(("-e", "--eval", "-p", "--print", "-pe")):
        return unknown(argv, context, "the program is given as text to node -e")
    if given.rest >= len(argv):
        return interactive(argv, context, "node")
    return _script_step(argv, given.rest, context, "node")


def _executable_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A file that is started by itself: one of a language by its `#!` line, or a console script of the project."""
    at, found = find_command(context.image, context.files, argv[0].value, context.working_dir)
    first = found.text.split("\n", 1)[0].rstrip() if found and found.text.startswith("#!") else ""
    interpreter = base_name(first.replace("env ", "env/").replace("/-S ", "/").split(" ")[0]) if first else ""
    started = (Word(interpreter, argv[0].span), Word(at, argv[0].span), *argv[1:])
    if interpreter and _is_python(interpreter):
        return _script_step(started, 1, context, "python")
    if interpreter in ("node", "nodejs"):
        return _script_step((Word("node", argv[0].span), *started[1:]), 1, context, "node")
    if interpreter in ("ruby", "php"):
        return step(started, context)
    return (
        _console_script(argv, context)
        or _go_step(argv, context)
        or _rust_step(argv, context)
        or _dotnet_step(argv, context)
        or _gradle_step(argv, context)
        or _release_step(argv, context)
    )


def _release_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """The start script of a release that Mix or rebar3 assembles."""
    stage = context.image.stage
    if stage is None or not any("_build/" in item.argument.text for item in stage.instructions):
        return None
    from gracelint.launch.runtimes import elixir

    return elixir.step(argv, context)


def _go_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A binary that a `go build` makes, in this image or before it, or ko."""
    if not _may_be_go(argv[0].value, context.image.stage):
        return None
    from gracelint.launch.runtimes.go import built_from

    built = built_from(argv[0].value, context)
    if built is None:
        return None
    if isinstance(built, str):
        return unknown(argv, context, built)
    from gracelint.behaviour.go import read_go

    words = tuple(word.value for word in argv)
    program = read_go(
        built.folder,
        files=context.files,
        argv=words,
        only=built.only,
        env=context.env,
        effort=context.followed.effort,
    )
    return unknown(argv, context, program) if isinstance(program, str) else program_step(argv, program, context)


def _may_be_go(path: str, stage: Stage | None) -> bool:
    if stage is None:
        return path.startswith("/ko-app/")
    copied = (item.argument.text for item in stage.instructions if item.name == "COPY")
    return _runs(stage, "go ", "make") or any(base_name(path) in one for one in copied)


def _rust_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A binary that a `cargo build`, a `cargo install` or `rustc` of this image makes."""
    stage = context.image.stage
    if stage is None or not _runs(stage, "cargo ", "rustc "):
        return None
    from gracelint.launch.runtimes import rust

    return rust.built(argv, context)


def _dotnet_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A program that a `dotnet publish` of this image makes."""
    stage = context.image.stage
    if stage is None or not _runs(stage, "dotnet "):
        return None
    from gracelint.launch.runtimes import dotnet

    return dotnet.published(argv, context)


def _gradle_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A start script that a Gradle build of this image writes."""
    stage = context.image.stage
    if stage is None or "/" not in argv[0].value or not _runs(stage, "gradle"):
        return None
    from gracelint.launch.runtimes.jvm import start_script

    return start_script(argv, context)


def _runs(stage: Stage, *words: str) -> bool:
    """Whether any of the RUN lines that may have made a file of a stage holds one of these words."""
    first = (stage.siblings or {}).get("0", stage)
    return any(_holds(stage.lineage(), word) or _file_holds(first, word) for word in words)


@lru_cache(maxsize=32)
def _file_holds(first: Stage, word: str) -> bool:
    """Asked once for all stages of a file, by its first one."""
    found = {id(above): above for one in (first.siblings or {}).values() for above in one.lineage()}
    return _holds(found.values(), word)


def _holds(stages: Iterable[Stage], word: str) -> bool:
    return any(word in item.argument.text for one in stages for item in one.instructions if item.name == "RUN")


def _console_script(argv: tuple[Word, ...], context: Context, index: int = 0) -> Step | None:
    """A name under `[project.scripts]` or `[tool.poetry.scripts]` of a pyproject.toml that was installed.

    That one lies in the working directory, of the image or of the stage that the command is copied from.
    """
    name, rest = argv[index].value, argv[index + 1 :]
    for place in (context, *_where_installed(name, context)):
        for folder in dict.fromkeys((place.working_dir, "/app", "/")):
            found = find_file(place.image, place.files, "pyproject.toml", folder)
            if found is None:
                continue
            from gracelint.parse.pyproject import scripts

            target = scripts(found.text).get(base_name(name))
            if target is None:
                break
            module, _, function = target.partition(":")
            base, here = module.strip().replace(".", "/"), replace(place, working_dir=folder)
            for path in (f"src/{base}.py", f"{base}.py", f"src/{base}/__init__.py", f"{base}/__init__.py"):
                source = source_at(path, here)
                if source is not None:
                    call = function.strip() or None
                    return _read_python(argv, source, context, rest, call=call, module=module, roots=_roots(here))
            return unknown(argv, context, f"{module}, which `{name}` starts, is not in the project")
    return None


def _where_installed(command: str, context: Context) -> Iterator[Context]:
    """The stages that a command of the image was made in, as if it were started there."""
    from gracelint.launch.images.image import image_of
    from gracelint.launch.images.layers import made_in

    stage, folders = context.image.stage, (context.env.get("PATH") or "").split(":")
    if stage is None:
        return
    for path in [command] if command.startswith("/") else [posixpath.join(one, command) for one in folders if one]:
        for made, _ in made_in(stage, path):
            if made is not stage:
                image = image_of(made, context.files, context.image.context)
                yield replace(context, image=image, working_dir=image.working_dir)


def source_at(path: str, context: Context) -> Source | None:
    found = find_file(context.image, context.files, path, context.working_dir)
    if found is None or found.text != found.source.text.removeprefix("\ufeff"):
        return None
    return found.source


def _node_source(path: str, context: Context) -> Source | None:
    """The file node starts for a path: itself, with an ending, or the folder's `main`, else its index.js."""
    for candidate in (path, f"{path}.js", f"{path}.cjs", f"{path}.mjs"):
        source = source_at(candidate, context)
        if source is not None:
            return source
    package = find_file(context.image, context.files, posixpath.join(path, "package.json"), context.working_dir)
    if package is not None:
        import json

        try:
            main = json.loads(package.text).get("main")
        except (ValueError, AttributeError):
            main = None
        if isinstance(main, str) and main.strip("./"):
            return _node_source(posixpath.join(path, main), context)
    source = source_at(posixpath.join(path, "index.js"), context)
    if source is not None:
        return source
    return _built_source(path, context)


def _built_source(path: str, context: Context) -> Source | None:
    """`dist/server.js`, which is not in the project, by way of the build that makes it."""
    from gracelint.launch.runtimes.node import built_from

    return built_from(path, context)


def _read_python(
    argv: tuple[Word, ...],
    source: Source,
    context: Context,
    rest: tuple[Word, ...],
    call: str | None = None,
    module: str | None = None,
    roots: tuple[str, ...] | None = None,
) -> Step:
    from gracelint.behaviour.python import read_python

    try:
        program = read_python(
            source,
            files=context.files,
            roots=_roots(context) if roots is None else roots,
            env=context.env,
            call=call,
            argv=tuple(word.value for word in rest),
            module=module,
            version=context.image.versions.get("python", ""),
            effort=context.followed.effort,
        )
    except TooLargeError:
        return unknown(argv, context, f"{source.path} is too large to be followed")
    except ParseError as error:
        return unknown(argv, context, f"{source.path} {_not_python(error.span.line, context)}")
    return program_step(argv, program, context)


def _roots(context: Context) -> tuple[str, ...]:
    """The project's folders that modules are imported from."""
    return tuple(
        root
        for folder in (".", "src", *(context.env.get("PYTHONPATH") or "").split(":"))
        if folder and (root := find_path(context.image, context.files, folder, context.working_dir)) is not None
    )


def _not_python(line: int, context: Context) -> str:
    """Where a program is no Python, as far as the Python that runs gracelint can tell: it knows no newer syntax."""
    import sys

    own = sys.version_info[:2]
    here = f"Python {own[0]}.{own[1]}, which gracelint runs on"
    its = tuple(map(whole, context.image.versions.get("python", "").split(".")[:2]))
    if len(its) == 2 and None not in its and its > own:
        return f"cannot be read by {here}, in line {line}: the image has {its[0]}.{its[1]}"
    return f"has a syntax error in line {line}, to {here}"


def _read_node(argv: tuple[Word, ...], source: Source, context: Context, rest: tuple[Word, ...]) -> Step:
    from gracelint.behaviour.node import read_node

    major = context.image.versions.get("node", "").split(".")[0]
    try:
        program = read_node(
            source,
            files=context.files,
            env=context.env,
            node_major=whole(major),
            argv=tuple(word.value for word in rest),
            preload=_preloaded(argv, context),
            shell=lambda text: _below_a_shell(text, context),
            effort=context.followed.effort,
        )
    except ParseError as error:
        return unknown(argv, context, f"{source.path} has a syntax error in line {error.span.line}")
    return program_step(argv, program, context)


def _below_a_shell(text: str, context: Context) -> tuple[str, ...] | None:
    """The command line that `sh -c` becomes; empty where a signal ends the shell alone, None where that is open."""
    from gracelint.launch.shell import shell

    step = shell.step((Word("/bin/sh"), Word("-c"), Word(text)), replace(context, pid_1=False))
    effect = step.hop.effect if step is not None and step.hop is not None else Effect.UNKNOWN
    if step is None or effect not in (Effect.REPLACES, Effect.CUTS):
        return None
    return tuple(word.value for word in step.next or ()) if effect is Effect.REPLACES else ()


def _preloaded(argv: tuple[Word, ...], context: Context) -> tuple[Source, ...]:
    """The project's modules that node runs first: `--require ./tracing.js`, on the command line or in NODE_OPTIONS."""
    words = tuple(Word(text) for text in (context.env.get("NODE_OPTIONS") or "").split())
    options = (*read_options(words, 0, _NODE_VALUES).options, *read_options(argv, 1, _NODE_VALUES).options)
    paths = [value.value for name, value in options if name in ("-r", "--require", "--import") and value is not None]
    found = [_node_source(path, context) for path in paths if path.startswith(("./", "../", "/"))]
    return tuple(source for source in found if source is not None)


def program_step(argv: tuple[Word, ...], program: Program, context: Context) -> Step:
    """What a program that was read does."""
    from gracelint.facts.program import Cause

    name = base_name(program.source.path)
    reaction = program.reactions.get(context.signal)
    unhandled = reaction is not None and reaction.cause in (Cause.NO_HANDLER, Cause.OTHER_SIGNAL_ONLY)
    left_ignored = _leaves_sigint_ignored(program, context)
    if program.replaced_by is not None:
        hop = _hop(argv, context, HopKind.WRAPPER, Effect.REPLACES, f"{name} execs the next program")
        return Step(hop, program.replaced_by, program=program)
    if program.forwards_to is not None and reaction is not None and reaction.as_pid_1 is Verdict.UNKNOWN:
        passes = reaction.passes or context.signal
        other = "" if passes == context.signal else f" as {passes}"
        why = f"{name} passes {context.signal} on to its child{other} and waits for it"
        hop = _hop(argv, context, HopKind.WRAPPER, Effect.FORWARDS, why)
        return Step(hop, program.forwards_to, replace(context, pid_1=False, signal=passes), program)
    if reaction is None:
        effect, why = Effect.UNKNOWN, f"nobody knows what {name} does on {context.signal}"
    elif left_ignored or (unhandled and context.signal in context.ignores):
        effect, why = Effect.SWALLOWS, f"{name} inherits an ignored {context.signal} from the shell that started it"
    elif reaction.cause is Cause.ONE_SHOT:
        effect, why = Effect.UNKNOWN, f"{name}: {reaction.why}"
    else:
        effect = _EFFECTS[reaction.as_pid_1 if context.pid_1 else reaction.as_child]
        why = f"{name}: {reaction.why}"
        doubt = _doubt(program) if effect is Effect.HANDLES else None
        if doubt is not None:
            effect, why = Effect.UNKNOWN, f"{name}: {doubt}"
    details: dict[str, object] = {}
    if reaction is not None:
        details = {"delay": reaction.delay, "cause": reaction.cause, "at": reaction.span}
    if left_ignored:
        details = {"inherits": True, "at": program.span}
    drain = _drain(program, context)
    if effect is Effect.HANDLES and drain is not None and drain.seconds is None and program.drain_seconds is None:
        details |= {"bound": None, "first": None, "advice": _bound_advice(program)}
    return Step(
        replace(_hop(argv, context, HopKind.PROGRAM, effect, why), name=name, details=details),
        program=program,
        drain=drain,
        one_shot=None if program.long_running is None else not program.long_running,
        development=any(server.development for server in program.servers),
    )


def _doubt(program: Program) -> str | None:
    from gracelint.behaviour.doubts import doubt_of

    return doubt_of(program)


def _leaves_sigint_ignored(program: Program, context: Context) -> bool:
    """Python puts its KeyboardInterrupt in the place of the default action alone, not of an ignored signal."""
    if program.language != "python" or context.signal != "SIGINT" or "SIGINT" not in context.ignores:
        return False
    return not any("SIGINT" in handler.signals for handler in program.handlers)


def _hop(argv: tuple[Word, ...], context: Context, kind: HopKind, effect: Effect, why: str) -> Hop:
    words = tuple(word.value for word in argv)
    span = argv[0].span or context.span
    return Hop(words, kind, base_name(words[0]), effect, why, span, context.pid_1, context.signal)


def _drain(program: Program, context: Context) -> Drain | None:
    if program.drain_seconds is not None:
        by_default = program.drain_by_default
        why = f"{base_name(program.source.path)} gives itself {program.drain_seconds:g} s"
        why += ", its server's default" if by_default else ""
        return Drain(program.drain_seconds, DrainSource.DERIVED, why, program.drain_span, default=by_default)
    if not program.servers:
        return None
    from gracelint.launch.servers.servers import server_reaction

    server = program.servers[0]
    drain = server_reaction(server.name, server.options, context.signal)[3]
    return None if drain is None else replace(drain, span=drain.span or server.span)


def _bound_advice(program: Program) -> str:
    """What sets a limit to the drain of a server that the source starts."""
    row = table("servers").get(program.servers[0].name, {})
    return row.get("advice") or f"pass `{row['drain']['option']}`"


def interactive(argv: tuple[Word, ...], context: Context, language: str) -> Step:
    if not context.stdin_open:
        why = f"{language} without a script reads its standard input, which is empty here: it ends at once"
        hop = _hop(argv, context, HopKind.PROGRAM, Effect.UNKNOWN, why)
        return Step(replace(hop, details={"cause": "at-once"}), one_shot=True)
    why = f"{language} without a script reads commands and has no handler"
    hop = _hop(argv, context, HopKind.PROGRAM, context.unheard, why)
    return Step(replace(hop, details={"cause": "interactive"}))


def unknown(argv: tuple[Word, ...], context: Context, why: str) -> Step:
    return Step(_hop(argv, context, HopKind.PROGRAM, Effect.UNKNOWN, why))
