"""Launches as they are met in a text: the lines that bear on one, its story, its verdict, and the way of the signal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from gracelint.base.record import Record
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.facts.yaml import Mapping
from gracelint.report.trace import render
from gracelint.source import Source, Span

_MOST = 3
"""Stories told at once."""
_POD = ("terminationGracePeriodSeconds",)
_CONTAINER = ("command", "args", "lifecycle")
_SERVICE = ("command", "entrypoint", "init", "stop_grace_period", "stop_signal")
_WORST_FIRST = (Verdict.IGNORED, Verdict.CUT, Verdict.UNKNOWN, Verdict.HANDLED)


class Hint(Record):
    """What becomes of the signal, to be shown behind a line."""

    end: int
    """The offset of the line's end."""
    label: str
    why: str


def told_at(launches: Iterable[Launch], path: str, line: int) -> list[Launch]:
    """The launches that a 1-based line of a file bears on: what is started, how it is stopped, how long it may take."""
    return [launch for launch in launches if any(_on(span, path, line) for span in _settings(launch))]


def story(launches: Sequence[Launch], shown: Callable[[str], str]) -> str:
    """The stories of launches as Markdown."""
    text = render(launches[:_MOST], "text", shown=shown).rstrip("\n")
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    more = f"\n\n… and {len(launches) - _MOST} more" if len(launches) > _MOST else ""
    return f"{fence}text\n{text}\n{fence}{more}"


def hints(launches: Iterable[Launch], source: Source) -> list[Hint]:
    """The verdicts of what a file starts, by line."""
    by_line: dict[int, dict[int, Launch]] = {}
    for launch in launches:
        for span in (launch.origin.span.place, launch.command_span.place):
            if span.source is source:
                by_line.setdefault(span.end_line, {})[id(launch)] = launch
    return [
        Hint(source.line_span(line).end, _label(list(met.values())), _reasons(met.values()))
        for line, met in sorted(by_line.items())
    ]


def next_places(launches: Iterable[Launch], path: str, line: int) -> list[Span]:
    """Where the signal goes from a line: the Dockerfile, the script, the program's handler."""
    found: dict[Span, None] = {}
    for launch in launches:
        way = list(_way(launch))
        here = [number for number, span in enumerate(way) if _on(span, path, line)]
        if not here and any(_on(span, path, line) for span in _settings(launch)):
            here = [0]
        beyond = (span for span in way[here[-1] + 1 :] if not _on(span, path, line)) if here else ()
        found.update(dict.fromkeys(span for span, _ in zip(beyond, range(1), strict=False)))
    return list(found)


def _label(launches: Sequence[Launch]) -> str:
    counts = {verdict: sum(launch.verdict is verdict for launch in launches) for verdict in _WORST_FIRST}
    signals = dict.fromkeys(launch.stop_signal.value for launch in launches)
    parts = [
        verdict.value + (f" ({count} of {len(launches)})" if count < len(launches) else "")
        for verdict, count in counts.items()
        if count
    ]
    return f"{'/'.join(signals)} {', '.join(parts)}"


def _reasons(launches: Iterable[Launch]) -> str:
    return "\n".join(dict.fromkeys(f"{launch.verdict.value}: {launch.why}" for launch in launches))


def _settings(launch: Launch) -> Iterator[Span]:
    """The places that say what is started and how it is stopped."""
    yield launch.origin.span.place
    yield from (word.span.place for word in launch.argv or () if word.span is not None)
    yield from (hop.span.place for hop in launch.hops if hop.span is not None)
    if launch.stop_signal.span is not None:
        yield launch.stop_signal.span.place
    image = launch.image
    yield from (each.span for each in (image.entrypoint_at, image.cmd_at) if each is not None)
    if launch.container is not None:
        yield from _entries(launch.container.node, (*_CONTAINER, "image"))
    if launch.workload is not None:
        yield from _entries(launch.workload.pod, _POD)
    if launch.service is not None:
        yield from (span for _, node in launch.service.layers for span in _entries(node, _SERVICE))
        yield from _entries(launch.service.node, (*_SERVICE, "image", "build"))


def _entries(node: Mapping, names: Iterable[str]) -> Iterator[Span]:
    for name in names:
        key, value = node.key(name), node.get(name)
        if key is not None and value is not None:
            yield key.span.place
            if key.source is value.source:
                yield Span(key.source, key.start, max(key.end, value.end)).place


def _way(launch: Launch) -> Iterator[Span]:
    """The places that the signal passes, from where the launch is declared to the program's handler."""
    yield launch.origin.span.place
    command = launch.command_span.place
    if launch.stage is not None and command.source is not launch.stage.source:
        yield launch.stage.from_.span
    yield command
    yield from (hop.span.place for hop in launch.hops if hop.span is not None)
    program = launch.program
    if program is None:
        return
    signal = launch.hops[-1].signal if launch.hops else launch.stop_signal.value
    reaction = program.reactions.get(signal)
    handler = next((handler for handler in program.handlers if signal in handler.signals), None)
    if handler is not None:
        yield handler.span
    elif reaction is not None and reaction.span is not None:
        yield reaction.span
    else:
        yield program.span


def _on(span: Span, path: str, line: int) -> bool:
    return span.source.path == path and span.line <= line <= max(
        span.line, span.source.position(max(span.end - 1, 0))[0]
    )
