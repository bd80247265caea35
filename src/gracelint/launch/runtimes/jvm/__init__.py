"""The Java virtual machine: from `java -jar app.jar` to the project it is built from, and what a signal does to it."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.record import replace
from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.knowledge import table
from gracelint.launch.images.image import find_file
from gracelint.launch.runtimes.code import marks
from gracelint.launch.runtimes.jvm.command import Started, read_command
from gracelint.launch.runtimes.jvm.packed import packed_main
from gracelint.launch.runtimes.jvm.places import module_of
from gracelint.launch.runtimes.jvm.sources import is_compiled, java_sources, kotlin_source, main_class, sources
from gracelint.launch.step import Context, Step
from gracelint.launch.words import base_name
from gracelint.source import Located, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gracelint.behaviour.config.properties import Properties
    from gracelint.launch.runtimes.jvm.modules import Module
    from gracelint.launch.servers.settings import ServerSettings
    from gracelint.source import Source

    Row = Mapping[str, Any]

_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
"""Those on which the JVM runs its shutdown hooks and ends (`java` manual: -Xrs)."""
_ENDINGS = ("yml", "yaml", "properties")
_WITHOUT = ("-Xrs", "-XX:+ReduceSignalUsage")


def step(argv: tuple[Word, ...], context: Context) -> Step:
    """What a `java` command starts, and does."""
    started = read_command(argv, context.env)
    off = next((word for word in started.options if word.value in _WITHOUT), None)
    if off is not None and context.signal in _SIGNALS:
        why = f"java {off.value} takes no notice of {context.signal}: shutdown hooks do not run"
        return Step(_hop(argv, context, context.unheard, why))
    if not started.kind or started.target is None:
        ends = any(word.value.lstrip("-") in ("version", "help", "showversion") for word in started.options)
        return Step(_hop(argv, context, Effect.UNKNOWN, "java starts no program here"), one_shot=ends or None)
    started = _launched(started)
    module = _module(started, context)
    step = _framework_step(argv, started, module, context) if module is not None else None
    return step or _source_step(argv, started, module, context)


def _launched(started: Started) -> Started:
    """What Spring Boot's launcher starts where `-Dloader.main` names it."""
    main = started.system.get("loader.main")
    if main is None or not main.value or started.target is None or started.kind != "class":
        return started
    if not started.target.value.startswith("org.springframework.boot.loader."):
        return started
    return replace(started, target=Word(main.value, main.span))


def _module(started: Started, context: Context) -> Module | None:
    assert started.target is not None
    if started.kind == "jar":
        return module_of(started.target.value, context)
    places = [entry.rstrip("*").rstrip("/") or "/" for entry in started.class_path if not entry.startswith("@")]
    found = (module_of(place, context) for place in places or ["."])
    module = next((module for module in found if module is not None), None)
    return module or _module_with(started.target.value, context)


def _module_with(name: str, context: Context) -> Module | None:
    """The one project of the repository that has the source of a class with this full name."""
    from gracelint.launch.builds.jvm import modules

    if "." not in name or context.image.stage is None:
        return None
    path = name.replace(".", "/")
    inside = (f"java/{path}.java", f"kotlin/{path}.kt", f"kotlin/{path.removesuffix('Kt')}.kt")
    found = [
        one
        for one in modules(context.files)
        if any(context.files.exists(posixpath.join(one.folder, "src/main", path)) for path in inside)
    ]
    return found[0] if len(found) == 1 else None


def start_script(argv: tuple[Word, ...], context: Context) -> Step | None:
    """The script that Gradle's application plugin writes into `bin/`; None where a file is none."""
    path = posixpath.normpath(posixpath.join(context.working_dir, argv[0].value))
    folder, inside = posixpath.dirname(posixpath.dirname(path)), posixpath.basename(posixpath.dirname(path))
    module = module_of(path, context) if inside == "bin" else None
    if module is None or module.tool != "gradle" or not module.has(("application", "org.springframework.boot")):
        return None
    main = module.names.get("main")
    if main is None:
        return _unknown(argv, context, f"which class {argv[0].value} starts is not said in {module.source.path}")
    name = base_name(argv[0].value)
    why = f"the start script that Gradle writes execs java with {main}"
    words = tuple(word.value for word in argv)
    span = argv[0].span or context.span
    hop = Hop(words, HopKind.SCRIPT, name, Effect.REPLACES, why, span, context.pid_1, context.signal)
    options = (context.env.get("JAVA_OPTS") or "").split() + (context.env.get(f"{name.upper()}_OPTS") or "").split()
    line = ("java", *options, "-cp", f"{folder}/lib/*", main)
    return Step(hop, (*(Word(word, span) for word in line), *argv[1:]))


def _source_step(argv: tuple[Word, ...], started: Started, module: Module | None, context: Context) -> Step:
    """What the program's own code does."""
    assert started.target is not None
    name = started.target.value
    paths, main = java_sources(context.files, module, context.image.context), name
    if started.kind == "jar":
        packed = packed_main(name, context)
        if module is None and packed is None:
            return _unknown(argv, context, f"{name} is built by nothing in the project")
        built = module.names.get("main") or main_class(context.files, module.folder) if module is not None else None
        main = built or packed or ""
        if module is not None and not main:
            return _unknown(argv, context, f"which class {name} starts is not said in {module.source.path}")
    elif started.kind == "module":
        main = name.partition("/")[2]
    elif module is None and not is_compiled(context.image.stage):
        return _unknown(argv, context, f"{name} is compiled by nothing in the project")
    if started.unread is not None:
        return _unknown(argv, context, started.unread)
    found = [path for path in paths if f"/{path}".endswith(f"/{main.replace('.', '/')}.java")]
    if len(found) != 1:
        other = kotlin_source(context.files, module, main)
        missing = f"the source of {main or name}, which is started, is not found"
        return _unknown(argv, context, f"{other} is Kotlin, and its code is not read" if other else missing)
    from gracelint.behaviour.java import read_java
    from gracelint.launch.runtimes.programs import program_step

    words = tuple(word.value for word in started.arguments)
    program = read_java(
        found[0],
        main.rpartition(".")[2],
        files=context.files,
        paths=paths,
        argv=words,
        env=context.env,
        effort=context.followed.effort,
    )
    return _unknown(argv, context, program) if isinstance(program, str) else program_step(argv, program, context)


def _framework_step(argv: tuple[Word, ...], started: Started, module: Module, context: Context) -> Step | None:
    """What the framework does that the project is built with; None where it is none that is known."""
    for key, row in table("java").items():
        if "marks" in row and module.has(row["marks"]):
            return _judged(argv, key, row, started, module, context)
    return None


def _judged(
    argv: tuple[Word, ...], key: str, row: Row, started: Started, module: Module, context: Context
) -> Step | None:
    from gracelint.behaviour.config.properties import read_properties
    from gracelint.launch.servers.servers import named_step
    from gracelint.launch.servers.settings import ServerSettings, options_of

    version = module.version_of(row["versions"]) if "versions" in row else ""
    if "versions" in row and not version:
        unseen = f"{module.unseen} is not in the project" if module.unseen else f"{module.source.path} names none"
        return _unknown(argv, context, f"which version of {row['label']} it is, is not known: {unseen}")
    settings = _files(row, module, context)
    found = read_properties(
        settings,
        profiles=row.get("profiles", "spring"),
        env=context.env,
        system=started.system,
        arguments=_arguments(started),
    )
    options: dict[str, Located[str | None]] = {"version": Located(version)}
    options["web"] = Located("true" if module.has(row["web"]) else "false") if "web" in row else Located("true")
    for option in options_of(row):
        value = found.get(option)
        if value is not None:
            options[option] = value
    given = ServerSettings(options, (), started.unread or found.unread)
    judged = _mendable(named_step(argv, key, row, given, context), row, given, settings)
    return _changed(argv, judged, row, module, given, found, context)


def _mendable(judged: Step, row: Row, given: ServerSettings, settings: Iterable[Source]) -> Step:
    """With the place of the setting that would mend it: the project's application file for all profiles."""
    mend = row.get("mend")
    place = next((one for one in settings if base_name(one.path).partition(".")[0] == row["files"][0]), None)
    if mend is None or place is None or judged.hop is None or mend["option"] in given.options:
        return judged
    if not judged.hop.details["lossy"] or judged.hop.details["advice"] != row["advice"]:
        return judged  # something else is wrong
    from gracelint.launch.servers.servers import is_since

    if not is_since(given.options["version"].value, mend["since"]):
        return judged
    details = {**judged.hop.details, "setting": (place, mend["key"], mend["value"])}
    return replace(judged, hop=replace(judged.hop, details=details))


def _changed(
    argv: tuple[Word, ...],
    judged: Step,
    row: Row,
    module: Module,
    given: ServerSettings,
    found: Properties,
    context: Context,
) -> Step:
    """What the project's own code, or a server of configurations, makes of it."""
    from gracelint.launch.servers.servers import is_since

    assert judged.hop is not None
    effect, version = judged.hop.effect, given.options["version"].value
    if effect is Effect.CUTS and found.remote is not None:
        return _unknown(argv, context, f"{row['label']}: {found.remote}")
    where = "worker" if effect is Effect.UNKNOWN and given.options["web"].value == "false" else effect.value
    rows = [
        one
        for one in row.get("code", ())
        if where in one["where"]
        and ("since" not in one or is_since(version, one["since"]))
        and ("before" not in one or not is_since(version, one["before"]))
        and ("unless" not in one or found.get(one["unless"]) is None)
    ]
    paths = [path for folder in module.folders for path in sources(context.files, folder)]
    paths += [posixpath.join(folder, "src/main/resources/application.conf") for folder in module.folders]
    change = next(marks(context.files, paths, rows), None) if rows else None
    if change is None:
        return judged
    why = f"{row['label']}: {change.row['why']} ({change.place})"
    delay = _sleeps(change.body, change.row["within"]) if change.row["effect"] == "delays" else None
    if delay is not None:
        details = {**judged.hop.details, "delay": delay, "at": change.span}
        return replace(judged, hop=replace(judged.hop, why=f"{why}: {delay:g} s", details=details))
    if change.row["effect"] in ("unknown", "delays"):
        return _unknown(argv, context, why)
    hop = replace(judged.hop, effect=Effect(change.row["effect"]), why=why)
    details = {**hop.details, "lossy": effect is not Effect.UNKNOWN, "setting": None}
    details["advice"] = change.row.get("advice")
    return replace(judged, hop=replace(hop, details=details), drain=None)


def _sleeps(body: str, waits: list[str]) -> float | None:
    """Seconds that a method sleeps; None where it waits in another way, or nobody can tell how long."""
    found = re.findall(r"Thread\.sleep\(\s*([0-9_]{1,12})L?\s*\)", body)
    others = sum(body.count(wait) for wait in waits)
    return sum(int(one.replace("_", "")) for one in found) / 1000 if found and len(found) == others else None


def _arguments(started: Started) -> dict[str, Located[str | None]]:
    """`--server.shutdown=graceful` behind the jar."""
    found: dict[str, Located[str | None]] = {}
    for word in started.arguments:
        name, equals, value = word.value.partition("=")
        if name.startswith("--"):
            found[name] = Located((None if "$" in value else value) if equals else "true", word.span)
    return found


def _files(row: Row, module: Module, context: Context) -> list[Source]:
    """The application files in the project's resources, then those beside the jar in the image, the strongest last."""
    found: list[Source] = []
    files = context.files
    for folder in reversed(module.folders):
        for inside in ("src/main/resources", "src/main/resources/config"):
            place = posixpath.join(folder, inside)
            for name in sorted(files.names(place), key=lambda name: (name.endswith(".properties"), name)):
                stem, _, ending = name.rpartition(".")
                if ending in _ENDINGS and stem.partition("-")[0] in row["files"]:
                    source = files.read(posixpath.join(place, name))
                    found += [source] if source is not None else []
    beside = [f"{inside}{stem}.{ending}" for inside in ("", "config/") for stem in row["files"] for ending in _ENDINGS]
    for name in beside:
        passage = find_file(context.image, files, name, context.working_dir)
        if passage is not None and passage.source not in found and passage.text == passage.source.text:
            found.append(passage.source)
    return found


def _hop(argv: tuple[Word, ...], context: Context, effect: Effect, why: str) -> Hop:
    words = tuple(word.value for word in argv)
    span = argv[0].span or context.span
    return Hop(words, HopKind.PROGRAM, base_name(words[0]), effect, why, span, context.pid_1, context.signal)


def _unknown(argv: tuple[Word, ...], context: Context, why: str) -> Step:
    return Step(_hop(argv, context, Effect.UNKNOWN, why))
