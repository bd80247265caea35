"""What a Python program does with signals, read from its source."""

from __future__ import annotations

import ast
import posixpath

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.python.children import Children
from gracelint.behaviour.python.ends import EXEC, STUCK, Point, Registration, Served, TooLong
from gracelint.behaviour.python.machine import Machine
from gracelint.behaviour.python.modules import Module, Modules
from gracelint.behaviour.python.names import path_of
from gracelint.behaviour.python.places import candidates
from gracelint.behaviour.python.reaction import Run, keyboard_interrupt, react
from gracelint.behaviour.python.registry import GREENLET
from gracelint.behaviour.python.values import CERTAIN, Const, Thing
from gracelint.facts.program import Act, Cause, Child, Connection, Handler, Program, Reaction, ServerCall, Wait
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.source import Source, Span
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.behaviour.python.serving import Application
    from gracelint.facts.files import Files

SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH")


@kept_warm
@remembered
def read_python(
    source: Source,
    *,
    files: Files,
    roots: tuple[str, ...] = (),
    env: Mapping[str, str | None] | None = None,
    call: str | None = None,
    argv: tuple[str, ...] = (),
    module: str | None = None,
    parents: tuple[str, ...] = (),
    application: Application | None = None,
    version: str = "",
    effort: Effort | None = None,
) -> Program:
    """The program that starts with a source file.

    `roots` are folders that imports are looked up in, besides the file's own. `call` is the function that a console
    script calls, `module` the dotted name for `python -m`, `parents` the scripts that start this one, `application`
    what a server serves of the file, `version` the Python's, as far as the image tells. Raises ParseError where the
    file itself is not Python.
    """
    folder = posixpath.dirname(source.path)
    name = module or "__main__"
    if (
        application is None
        and module is not None
        and posixpath.basename(source.path) == "__main__.py"
        and not module.endswith("__main__")
    ):
        name = f"{module}.__main__"
    entry = Module(source, name, source.path)
    modules = Modules(files, tuple(dict.fromkeys((folder, *roots))))
    modules.add(entry)

    runs: list[Machine] = []

    folders = tuple(dict.fromkeys((folder, *roots)))
    children = Children((*parents, entry.path), folders, files, env or {}, version, effort)

    def run(signal: str, at: int | None, pid_1: bool = True, *, fails: bool = False, fed: bool = False) -> Run:
        def made(passed: set[ast.AST]) -> Run:
            machine = Machine(
                modules,
                env=env or {},
                argv=argv,
                signal=signal,
                at=at,
                pid_1=pid_1 and (application is None or application.pid_1),
                effort=effort,
                children=children,
                application=application,
                version=version,
                fails=fails,
                fed=fed,
            )
            machine.passed = passed
            return Run(machine, machine.run(entry, call))

        found = made(set())
        if found.machine.passed and found.machine.arrival is None:
            found = made(found.machine.passed)
        runs.append(found.machine)
        return found

    try:
        base = run("", None)
        runs.clear()
        reactions = _reactions(base, run)
    except (TooLong, RecursionError):
        return _too_long(entry, modules)
    return _program(entry, modules, base, runs, reactions, call)


def _too_long(entry: Module, modules: Modules) -> Program:
    why = "it is too large to be followed"
    reactions = {signal: Reaction(signal, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why) for signal in SIGNALS}
    span = _first_span(entry)
    return Program("python", entry.source, span, None, modules.sources(), reactions=reactions, unread=(why,))


def _first_span(entry: Module) -> Span:
    body = entry.tree.body
    is_doc = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    rest = body[1:] if is_doc and len(body) > 1 else body
    return entry.source.line_span(entry.span(rest[0]).line) if rest else Span(entry.source, 0, 0)


def _reactions(base: Run, run: object) -> dict[str, Reaction]:
    """One reaction for each signal; signals with the same handlers share their runs."""
    reactions: dict[str, Reaction] = {}
    known: dict[object, Reaction] = {}
    for signal in SIGNALS:
        installed = base.machine.world.get(("signal", signal))
        handled = {signal for point in base.machine.facts.points for signal in point.handles}
        key: object = (id(installed.handler) if isinstance(installed, Registration) else installed, signal in handled)
        if signal in ("SIGINT", "SIGWINCH") and installed is None:
            key = signal
        same = known.get(key)
        if same is None:
            reactions[signal] = known[key] = react(signal, run, base)  # type: ignore[arg-type]
        else:
            reactions[signal] = replace(same, signal=signal, why=same.why.replace(same.signal, signal))
    return reactions


def _program(
    entry: Module, modules: Modules, base: Run, runs: list[Machine], reactions: dict[str, Reaction], call: str | None
) -> Program:
    facts = base.machine.facts
    points = candidates(base.machine, base.ends)
    drain = next((machine.facts.drain for machine in runs if machine.signal == "SIGTERM" and machine.facts.drain), None)
    forwards_to = next((machine.facts.forwards_to for machine in runs if machine.facts.forwards_to), None)
    return Program(
        "python",
        entry.source,
        _span(base, entry, points, reactions),
        _long_running(base, points),
        modules.sources(),
        tuple(_handler(each, _acts(each, runs)) for each in facts.registrations),
        tuple(_server(server) for server in facts.servers),
        (*map(_wait, _unique(facts.points)), *_shutdown_waits(runs)),
        tuple(_child(thing, runs) for thing in facts.children),
        tuple(_connection(path, thing, runs) for path, thing in facts.connections),
        tuple(_wait(point) for point in facts.startup),
        _cleans_up(base.machine, points),
        reactions,
        drain[0] if drain else None,
        drain[2].span(drain[1]) if drain else None,
        tuple(modules.unread),
        entry=call is not None or _is_entry(entry),
        replaced_by=facts.replaced_by if any(end.kind == EXEC and end.tag == CERTAIN for end in base.ends) else None,
        forwards_to=forwards_to,
    )


def _span(base: Run, entry: Module, points: list[Point], reactions: dict[str, Reaction]) -> Span:
    """Where the program spends its life; of an application below a server, what decides how it ends."""
    if base.machine.application is not None:
        return reactions["SIGTERM"].span or _first_span(entry)
    return points[0].span if points else _first_span(entry)


def _long_running(base: Run, points: list[Point]) -> bool | None:
    if any(end.kind == STUCK and end.tag == CERTAIN for end in base.ends):
        return True
    if any(point.outlasts_a_stop for point in points):
        return True
    goes_on = any(end.kind in (STUCK, EXEC) for end in base.ends)
    if points or base.machine.facts.maybe or goes_on or base.machine.doubts:
        return None
    return False


def _unique(points: list[Point]) -> list[Point]:
    return list({id(point.node): point for point in points}.values())


def _handler(registration: Registration, acts: tuple[Act, ...]) -> Handler:
    kind = path_of(registration.handler)
    body = getattr(registration.handler, "node", None)
    module = getattr(registration.handler, "module", registration.module)
    return Handler(
        tuple(registration.signals),
        registration.module.span(registration.node),
        acts,
        module.span(body) if isinstance(body, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) else None,
        kind == "signal.SIG_IGN",
        registration.main_thread,
        tuple(registration.module.span(name) for name in registration.names),
        registration.certain,
    )


def _acts(registration: Registration, runs: list[Machine]) -> tuple[Act, ...]:
    """What a handler did in the runs in which its signal arrived."""
    found: dict[tuple[str, int], Act] = {}
    for machine in runs:
        if machine.handler is not None and machine.handler.node is registration.node:
            for deed in machine.acts:
                if deed.node is not None:
                    span = deed.module.span(deed.node)
                    found.setdefault((deed.kind, span.start), Act(deed.kind, span, deed.target, deed.seconds))
    return tuple(found.values())


def _shutdown_waits(runs: list[Machine]) -> tuple[Wait, ...]:
    """Where the program waits after a signal came, on its way out."""
    found: dict[int, Wait] = {}
    for machine in runs:
        if machine.signal not in ("SIGTERM", "SIGINT"):
            continue
        for point in machine.leaving:
            if point.kind in ("exit", "lock"):
                continue
            found.setdefault(id(point.node), Wait(point.kind, point.span, point.limit, True))
    return tuple(found.values())


def _server(server: Served) -> ServerCall:
    options = {
        name: value.value if isinstance(value, Const) and isinstance(value.value, (int, float, str, bool)) else None
        for name, value in server.keywords.items()
    }
    span = server.module.span(server.node)
    first = server.node.args[0] if isinstance(server.node, ast.Call) and server.node.args else None
    named = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return ServerCall(server.row["server"], span, None, options, bool(server.row.get("development")), named)


def _wait(point: Point) -> Wait:
    return Wait(point.kind, point.span, point.limit)


def _child(thing: Thing, runs: list[Machine]) -> Child:
    kinds = {
        "threading.Thread": "thread",
        GREENLET: "thread",
        "multiprocessing.Process": "process",
        "asyncio.Task": "task",
    }
    kind = kinds.get(thing.kind) or (
        "executor" if "Executor" in thing.kind else "pool" if "Pool" in thing.kind else "subprocess"
    )
    daemon = thing.store.get("daemon")
    assert thing.module is not None and thing.node is not None
    return Child(
        kind,
        thing.module.span(thing.node),
        None,
        isinstance(daemon, Const) and bool(daemon.value),
        _is_ended(thing, runs),
    )


def _is_ended(thing: Thing, runs: list[Machine]) -> bool:
    """Whether a run that a signal interrupted terminates or joins what is started at this place."""
    return any(thing.node in machine.ended for machine in runs)


def _connection(path: str, thing: Thing, runs: list[Machine]) -> Connection:

    row = table("python")["connection"][path]
    assert thing.module is not None and thing.node is not None
    closed = any(name in (*row["closes"], "with") for machine in runs for name in machine.closing.get(thing.node, ()))
    return Connection(row["library"], thing.module.span(thing.node), None, closed)


def _cleans_up(machine: Machine, points: list[Point]) -> bool:
    return "atexit" in machine.world or any(
        keyboard_interrupt(point) is not None
        or (guard is not None and isinstance(guard.node, ast.Try) and guard.node.finalbody)
        for point in points
        for guard in (*point.guards, None)
    )


def _is_entry(entry: Module) -> bool:
    """`if __name__ == "__main__":` at the top level."""
    return any(
        isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and "__name__" in ast.unparse(node.test)
        for node in entry.tree.body
    )
