"""Servers, daemons and workers that are known by name: what they do on a signal, and how long they take to finish."""

from __future__ import annotations

from gracelint.base.memory import cache
from gracelint.base.record import replace
from gracelint.facts.launch import Drain, DrainSource, Effect, Hop, HopKind
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.launch.durations import seconds
from gracelint.launch.images.bases import program_of
from gracelint.launch.one_shots import one_shot, only_tells
from gracelint.launch.step import NO_ACTION, Context, Step
from gracelint.launch.words import base_name
from gracelint.source import Located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gracelint.facts.program import Cause
    from gracelint.launch.servers.applications import Served
    from gracelint.launch.servers.settings import ServerSettings
    from gracelint.source import Word

    Row = Mapping[str, Any]

_VERDICTS = {
    "graceful": (Verdict.HANDLED, Verdict.HANDLED),
    "drops": (Verdict.CUT, Verdict.CUT),
    "stays": (Verdict.IGNORED, Verdict.IGNORED),
    "unhandled": (Verdict.IGNORED, Verdict.CUT),
    "unknown": (Verdict.UNKNOWN, Verdict.UNKNOWN),
}
_CLAUSES = {
    "graceful": "{name} finishes what is in flight on {signal} and ends",
    "drops": "{name} ends at once on {signal} and drops what is in flight",
    "stays": "{name} does not stop on {signal}",
    "unhandled": "{name} has no handler for {signal}",
    "unknown": "what {name} does on {signal} is not known",
}
_EFFECTS = {
    Verdict.HANDLED: Effect.HANDLES,
    Verdict.CUT: Effect.CUTS,
    Verdict.IGNORED: Effect.SWALLOWS,
    Verdict.UNKNOWN: Effect.UNKNOWN,
}
_OFF = frozenset(("", "0", "false", "no", "off", "none"))
_NO_TIME = 1.0
"""Seconds; whether a request is done by then is chance."""
_ALLOW = "give {drain} longer than what it serves takes"


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a known server or a command that ends by itself does; None where argv[0] is neither."""
    if _ends(argv, context):
        return _one_shot_step(argv, context)
    found = _known(argv, context)
    return named_step(argv, *found, context) if found is not None else None


def detaches(argv: tuple[Word, ...], context: Context) -> bool:
    """Whether a known server goes to the background, and PID 1 with it."""
    found = None if _ends(argv, context) else _known(argv, context)
    return found is not None and bool(_as_set(*found[1:])[0].get("detaches"))


def _ends(argv: tuple[Word, ...], context: Context) -> bool:
    """Whether it ends by itself. A program that its image is known by is no other command of that name."""
    return bool(one_shot(argv)) and (only_tells(argv) or _row_by_image(argv, context) is None)


def _known(argv: tuple[Word, ...], context: Context) -> tuple[str, Row, ServerSettings] | None:
    """The server that a command line starts: its row's name, the row, and its settings."""
    found = _row_by_image(argv, context) or row_of(argv)
    if found is None:
        return None
    from gracelint.launch.servers.settings import read_settings

    key, row = found
    given = read_settings(argv, context, row)
    if "option" in row and row["option"] not in given.options:
        return None
    version = context.image.versions.get(key)
    if version is not None:
        given = replace(given, options={"version": Located(version), **given.options})
    return key, row, given


def named_step(argv: tuple[Word, ...], key: str, row: Row, given: ServerSettings, context: Context) -> Step:
    """What the server of a row does with its settings."""
    if context.group_signalled and "configured" in row:
        from gracelint.launch.servers.configured import with_configured

        given = with_configured(row, given, context)
    row, doubts = _as_set(row, given)
    name = row.get("label", key)
    usual, why = _reaction(name, row, doubts, given, context.signal)
    drain = _drain(name, row, given) if usual == "graceful" else None
    if context.signal in row.get("remap", {}):
        usual, why, drain = _remapped(name, row, given, context) or (usual, why, drain)
    hurried = _hurried(drain, context.signal)
    if hurried is not None and hurried[0] == "unknown":
        hurried = _outlasted(hurried, drain, row, given, context)
    kind, why = _here(name, row, doubts, context, usual) or hurried or (usual, why)
    verdict = _VERDICTS[kind][0 if context.pid_1 else 1]
    served = _served(row, given, context, kind, drain)
    if served is not None and served.verdict is not None:
        verdict, why = served.verdict, served.why
    hop = Hop(
        argv=tuple(word.value for word in argv),
        kind=HopKind(row.get("kind", "server")),
        name=key,
        effect=_EFFECTS[verdict],
        why=why,
        span=argv[0].span or context.span,
        pid_1=context.pid_1,
        signal=context.signal,
        details=_details(name, row, context.signal, kind, argv)
        | ({"lossy": True, "advice": _ALLOW.format(drain=drain.why)} if hurried and drain and kind == "drops" else {})
        | {"group_cut": (usual, kind) == ("graceful", "drops")}
        | (dict(served.details) if served is not None else {}),
    )
    return Step(
        hop,
        drain=drain if kind == "graceful" else None,
        one_shot=False,
        development=bool(row.get("development")),
        program=served.program if served is not None else None,
    )


def _no_handler() -> Cause:
    from gracelint.facts.program import Cause

    return Cause.NO_HANDLER


def _served(row: Row, given: ServerSettings, context: Context, kind: str, drain: Drain | None) -> Served | None:
    """What the application changes in what the server does; None where it changes nothing, or is not here."""
    if "application" not in row or kind not in ("graceful", "drops", "unhandled") or row.get("detaches"):
        return None
    from gracelint.launch.servers.applications import served

    return served(row, given, context, kind, drain.seconds if drain is not None else None)


def _remapped(name: str, row: Row, given: ServerSettings, context: Context) -> tuple[str, str, Drain | None] | None:
    """What it does where a variable makes the signal mean another; None where none does."""
    variable = row["remap"][context.signal]
    if not context.env.get(variable, ""):
        if variable not in context.env or context.env[variable] == "":
            return None
        return "unknown", f"{variable} is only known when it runs", None
    other = str(context.env[variable])
    kind = row.get("signals", {}).get(other, "unknown")
    why = f"{variable} makes {context.signal} mean {other}: {row.get('why', {}).get(other) or name}"
    if kind != "drops" or "soft" not in row:
        return (kind, why, None) if kind != "graceful" else None
    from gracelint.launch.servers.configured import number

    limit = number(row, given, context, row["soft"])
    if limit is None:
        return kind, why, None
    why = f"{name} waits {limit:g} s for running tasks ({row['soft']}), then drops them"
    return "graceful", why, Drain(limit, DrainSource.DERIVED, f"{name} {row['soft']}")


def _here(name: str, row: Row, doubts: list[Row], context: Context, usual: str) -> tuple[str, str] | None:
    """What it does instead where it is started like this; None where it does as usual."""
    if row.get("detaches"):
        return "unknown", f"{name} goes to the background here, and the container ends with PID 1"
    if usual == "graceful" and row.get("group") and context.group_signalled:
        doubt = next((variant for variant in doubts if "group" in variant), None)
        if doubt is not None:
            return "unknown", f"{name}: which `{doubt['option']}` its settings choose is not known"
        return "drops", row["group"]
    if usual == "unhandled" and context.signal in context.ignores:
        return "stays", f"{name} inherits an ignored {context.signal}"
    return None


def _hurried(drain: Drain | None, signal: str) -> tuple[str, str] | None:
    """A graceful stop that has no time for what is in flight."""
    if drain is None or drain.seconds is None or drain.seconds > _NO_TIME:
        return None
    if drain.seconds == 0:
        return "drops", f"{drain.why} is 0: what is in flight is dropped on {signal}"
    return "unknown", f"{drain.why} leaves only {drain.seconds:g} s for what is in flight"


def _outlasted(
    hurried: tuple[str, str], drain: Drain | None, row: Row, given: ServerSettings, context: Context
) -> tuple[str, str]:
    """The same stop, where something that it serves always takes longer."""
    from gracelint.launch.servers.applications import outlasting

    longer = outlasting(row, given, context, drain.seconds if drain is not None and drain.seconds is not None else 0)
    return hurried if longer is None else ("drops", f"{hurried[1]}, and {longer}")


def is_server(argv: tuple[Word, ...]) -> bool:
    """Whether a command line starts a known server, by itself or as `service NAME start`."""
    name = base_name(argv[0].value)
    names = [word.value for word in argv[1:]] if name in _STARTERS else [name]
    return any(name in _SERVICES or _finishes(name) for name in names)


def starts_jobs(argv: tuple[Word, ...]) -> bool:
    """Whether a command line starts a `cron`: what hears no signal then is not yet there most of the time."""
    return any(row.get("schedules") for _, row in _named().get(base_name(argv[0].value), ()))


def _finishes(name: str) -> bool:
    """Whether some signal lets it finish what is in flight."""
    return any("graceful" in row.get("signals", {}).values() for _, row in _named().get(name, ()))


_STARTERS = ("service", "rc-service", "invoke-rc.d", "systemctl")


_SERVICES = frozenset(
    ("apachectl", "apache2ctl", "apache2", "pg_ctl", "pg_ctlcluster", "postgresql", "mysql", "mariadb", "cron", "crond")
)
"""Names of services and of what starts them, where those of the servers are others."""


def server_reaction(
    name: str, options: Mapping[str, float | str | bool | None], signal: str
) -> tuple[Verdict, Verdict, str, Drain | None]:
    """What a server that a program starts by a call does on a signal: as PID 1, as a child, why, and its drain."""
    row = table("servers").get(name)
    if row is None:
        return Verdict.UNKNOWN, Verdict.UNKNOWN, f"nothing is known of the server {name}", None
    from gracelint.launch.servers.settings import called_with

    given = called_with(options)
    row, doubts = _as_set(row, given)
    label = row.get("label", name)
    kind, why = _reaction(label, row, doubts, given, signal)
    drain = _drain(label, row, given) if kind == "graceful" else None
    kind, why = _hurried(drain, signal) or (kind, why)
    return *_VERDICTS[kind], why, drain if kind == "graceful" else None


def _one_shot_step(argv: tuple[Word, ...], context: Context) -> Step:
    words = tuple(word.value for word in argv)
    name = base_name(words[0])
    span = argv[0].span or context.span
    why = f"{name} ends by itself"
    hop = Hop(words, HopKind.PROGRAM, name, Effect.UNKNOWN, why, span, context.pid_1, context.signal)
    return Step(hop, one_shot=True)


def row_of(argv: tuple[Word, ...]) -> tuple[str, Row] | None:
    """The row that a command line starts: the one for its subcommand, else one that needs none."""
    rows = _named().get(base_name(argv[0].value), ())
    if len(argv) > 1 and base_name(argv[0].value) in ("php", "ruby") and base_name(argv[1].value) in _named():
        return row_of(argv[1:])
    for key, row in rows:
        if "command" not in row or _first_operand(argv, row.get("values", ())) in row["command"]:
            return key, row
    return None


def _row_by_image(argv: tuple[Word, ...], context: Context) -> tuple[str, Row] | None:
    """The row of a program whose name says nothing, as `/manager`, by the image that it is started in."""
    reference = context.image.reference
    key = program_of(reference, tuple(word.value for word in argv)) if reference is not None else None
    return (key, table("servers")[key]) if key is not None else None


@cache
def _named() -> dict[str, list[tuple[str, Row]]]:
    found: dict[str, list[tuple[str, Row]]] = {}
    for key, row in table("servers").items():
        for name in row.get("names", (key,)):
            found.setdefault(name, []).append((key, row))
    return found


def _first_operand(argv: tuple[Word, ...], values: list[str]) -> str | None:
    index = 1
    while index < len(argv):
        text = argv[index].value
        if not text.startswith("-"):
            return text
        index += 2 if text in values else 1
    return None


def _as_set(row: Row, given: ServerSettings) -> tuple[Row, list[Row]]:
    """The row with what the settings change, and the changes that may hold, which nobody can tell."""
    doubts = []
    for variant in row.get("when", ()):
        holds = _holds(variant, given)
        if holds is None:
            doubts.append(variant)
        elif holds:
            signals = {**row.get("signals", {}), **variant.get("signals", {})}
            why = {key: text for key, text in row.get("why", {}).items() if key not in variant.get("signals", ())}
            row = {**row, **variant, "signals": signals, "why": {**why, **variant.get("why", {})}}
    return row, doubts


def _holds(variant: Row, given: ServerSettings) -> bool | None:
    """Whether the condition of a `when` holds; None where that cannot be told."""
    if "operand" in variant:
        return bool(given.operands) and given.operands[0] in variant["operand"]
    if "since" in variant or "before" in variant:
        version = given.options.get("version")
        since = is_since(version.value if version is not None else None, variant.get("since") or variant["before"])
        return since if "since" in variant or since is None else not since
    option = given.options.get(variant["option"])
    if option is None:
        return None if given.unread is not None else False
    if option.value is None:
        return None
    value = option.value.lower()
    if "is" in variant:
        return value in variant["is"]
    if "isnt" in variant:
        return value not in variant["isnt"]
    if "contains" in variant:
        return variant["contains"] in option.value
    if "above" in variant:
        number = seconds(value)
        return None if number is None else number > variant["above"]
    return value not in _OFF


def is_since(version: str | None, first: str) -> bool | None:
    """Whether a version is `first` or a later one; None where it is not known."""
    from gracelint.base.numbers import whole

    known = [whole(part) for part in (version or "").split(".")[:2]]
    if not known or None in known:
        return None
    return [part or 0 for part in known] >= [int(part) for part in first.split(".")]


def _reaction(name: str, row: Row, doubts: list[Row], given: ServerSettings, signal: str) -> tuple[str, str]:
    """What it does on a signal, and the clause that says so."""
    kind = row.get("signals", {}).get(signal, "unknown")
    for variant in doubts:
        if variant.get("signals", {}).get(signal, kind) != kind:
            since = f"whether it is {variant['since']} or later is not known" if "since" in variant else None
            reason = since or given.unread or f"`{variant.get('option')}` is only known when it runs"
            return "unknown", f"{name}: {reason}"
    if kind == "unhandled" and signal in NO_ACTION:
        kind = "stays"
    return kind, row.get("why", {}).get(signal) or _CLAUSES[kind].format(name=name, signal=signal)


def _drain(name: str, row: Row, given: ServerSettings) -> Drain | None:
    """How long it takes to finish, where the settings or its default say so."""
    spec = row.get("drain")
    if spec is None:
        return None
    option, flag = given.options.get(spec.get("option", "")), spec.get("flag")
    if option is not None:
        length = seconds(option.value, spec.get("unit", 1)) if option.value is not None else None
        return None if length is None else Drain(length, DrainSource.DERIVED, f"{name} {flag}", option.span)
    if given.unread is not None:
        return None
    if "default" in spec:
        return Drain(
            float(spec["default"]),
            DrainSource.DERIVED,
            f"{name} {flag}, default" if flag is not None else f"{name}'s own limit",
            default=True,
            jobs=bool(row.get("jobs")),
        )
    if "unbounded" in spec:
        why = f"{name} {spec['unbounded']}"
        return Drain(None, DrainSource.DERIVED, why, jobs=bool(row.get("jobs")), several=bool(row.get("several")))
    return None


def _details(name: str, row: Row, signal: str, kind: str, argv: tuple[Word, ...]) -> dict[str, object]:
    """What the rules ask: which signal would do, what else can be done, the flag that bounds the drain."""
    graceful = [known for known, does in row.get("signals", {}).items() if does == "graceful"]
    flag = row.get("drain", {}).get("flag", "")
    return {
        "label": name,
        "reaction": kind,
        "lossy": kind == "drops" and not graceful and bool(row.get("lossy")),
        "serves": bool(row.get("serves")),
        "brief": kind == "drops" and bool(row.get("brief")),
        "hook": kind == "drops" and bool(row.get("hook")),
        "clients": kind == "stays" and bool(row.get("clients")),
        "better": graceful[0] if graceful and signal not in graceful else None,
        "advice": row.get("advice"),
        "instead": row.get("instead"),
        "cause": _no_handler() if kind == "unhandled" else None,
        "bound": flag if flag.startswith("--") else None,
        "first": argv[0],
        "development": bool(row.get("development")),
        "detaches": bool(row.get("detaches")),
        "idle": bool(row.get("idle")),
        "schedules": bool(row.get("schedules")),
        "prompt": bool(row.get("prompt")),
        "stock": bool(row.get("stock")),
    }
