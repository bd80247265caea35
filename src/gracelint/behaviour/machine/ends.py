"""What is seen of a program over all its ways: its reactions, and what is lost when it ends."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.machine.ways import SIGNALS, TOO_MUCH, reaction
from gracelint.facts.program import Cause, Handler, Program, ServerCall, Wait
from gracelint.facts.verdict import Verdict
from gracelint.finding import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Ended, Object
    from gracelint.behaviour.machine.ways import Outcome
    from gracelint.facts.program import Reaction
    from gracelint.source import Source, Span

    Judge = Callable[[str], tuple[Reaction, list[Outcome]]]
    Unasked = Callable[[str, list[Outcome]], Reaction]
Waited = tuple[str, "Span", "float | None"]


class Told(Record):
    """All that was seen of a program."""

    reactions: dict[str, Reaction]
    handlers: tuple[Handler, ...]
    servers: tuple[ServerCall, ...]
    waits: tuple[Wait, ...]
    drain: tuple[float, Span] | None
    drain_by_default: bool
    long_running: bool | None

    def program(self, language: str, source: Source, at: Span, sources: tuple[Source, ...], unread: Any) -> Program:
        return Program(
            language,
            source,
            at,
            self.long_running,
            sources=tuple(sorted(sources, key=lambda one: one is not source)),
            handlers=self.handlers,
            servers=self.servers,
            waits=self.waits,
            reactions=self.reactions,
            drain_seconds=self.drain[0] if self.drain is not None else None,
            drain_span=self.drain[1] if self.drain is not None else None,
            drain_by_default=self.drain_by_default,
            unread=tuple(unread),
        )


def tell(judge: Judge, unasked: Unasked, name: str) -> Told:
    """Asks for SIGTERM first, and for others where something is asked for them.

    `unasked` says what the runtime does with a signal that the program does not know; `name` is the language's.
    """
    first, outcomes = judge("SIGTERM")
    registered = {key: span for one in outcomes for key, span in one.machine.registered.items()}
    ignored = {key for one in outcomes for key in one.machine.ignored}
    reactions = {"SIGTERM": first}
    for signal in SIGNALS[1:]:
        if first.why in TOO_MUCH or outcomes[-1].final:
            why = first.why.replace("SIGTERM", signal)
            reactions[signal] = reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why)
            continue
        known = signal in registered or signal in ignored
        reactions[signal] = judge(signal)[0] if known else unasked(signal, outcomes)
    machines = [one.machine for one in outcomes if not one.early] or [one.machine for one in outcomes]
    by_span: dict[Span, list[str]] = {}
    for key, span in registered.items():
        by_span.setdefault(span, []).append(key)
    handlers = tuple(Handler(tuple(names), span, (), span) for span, names in by_span.items())
    servers = {one.state["serving"]: one for machine in machines for one in machine.servers}
    waits = {wait[1]: wait for machine in machines for wait in machine.waits}
    limits = [(wait[2], wait[1]) for wait in waits.values() if wait[0] == "close" and wait[2] is not None]
    drain = max(limits, key=lambda limit: limit[0], default=None)
    unset = {span for span, one in servers.items() if one.state.get("limit") is None}
    return Told(
        reactions,
        handlers,
        tuple(ServerCall(f"{name}'s {_label(one)}", span) for span, one in servers.items()),
        tuple(Wait(kind, span, seconds, on_shutdown=True) for kind, span, seconds in _blocking(waits)),
        drain,
        drain is not None and drain[1] in unset,
        _long_running(outcomes),
    )


def _long_running(outcomes: list[Outcome]) -> bool | None:
    """None where no way is seen to stay, and one gives up at its start."""
    if not all(one.early for one in outcomes):
        return True
    gives_up = any(one.reaction.as_pid_1 is Verdict.UNKNOWN for one in outcomes)
    return None if gives_up or not outcomes else False


def _label(server: Object) -> str:
    return server.type.rpartition("/")[2]


def _blocking(waits: dict[Span, Waited]) -> list[Waited]:
    """The waits on the way out; one that closes a server within a limit bounds what others wait for it."""
    bounded = any(seconds is not None for _, _, seconds in waits.values())
    kinds = ("close",) if bounded else ("close", "join")
    return [wait for wait in waits.values() if wait[0] in kinds]


def lost(signal: str, machine: Machine, ended: Ended, how: str, at: Span) -> Reaction | None:
    """What the end of the process cuts off; None where all was done. `how` it ends is a clause: "main returns"."""
    assert machine.stopped_at is not None
    now = machine.now
    took = now - machine.stopped_at
    span_of_end = ended.span if ended.how != "returns" and ended.span is not None else at
    left = machine.finish()
    machine.now = now
    closing = next((one for one in left if one.wait is not None and one.wait.kind == "close"), None)
    busy = next((one for one in machine.servers if not one.state.get("drained")), None)
    if machine.lost is not None:
        span = machine.lost.state["cut_by"]
        why = f"{machine.place(span)} closes the server with the requests that are being answered"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    if closing is not None and closing.wait is not None and now < machine.idle_at:
        span = closing.wait.span
        why = f"`{line(span.text)}` waits for the requests in flight, and {how} without waiting for it"
        notes = (Note(ended.span, "the program ends here"),) if ended.how != "returns" and ended.span else ()
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span, notes)
    if busy is not None and now < machine.idle_at:
        short = busy.state.get("short")
        if short is not None:
            why = f"`{line(short.text)}` gives requests {took:.3g} s, and {how} with those that need longer"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, short)
        why = f"on {signal} {how} with the requests that are being answered"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of_end)
    work = next((one for one in machine.threads if one.wait is not None and one.wait.kind == "request"), None)
    if work is not None and work.span is not None and now < machine.idle_at:
        why = f"on {signal} {how} with the connections that {machine.place(work.span)} serves"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of_end)
    pending = next((one for one in left if one is not closing), None)
    if pending is not None and pending.wait is not None:
        span = pending.wait.span
        why = f"on {signal} {how} while {machine.place(span)} is still at its cleanup"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span)
    return None


def line(text: str) -> str:
    """A text's first line, to be quoted."""
    first = text.split("\n", 1)[0]
    return first if len(first) <= 60 else f"{first[:59]}…"
