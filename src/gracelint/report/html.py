"""`gracelint trace --format html`: one page with the story of each launch. It needs no other file and asks for none."""

from __future__ import annotations

import os
from collections import Counter
from html import escape

from gracelint.base.record import Record
from gracelint.facts.launch import Effect
from gracelint.facts.verdict import Verdict
from gracelint.report import counted
from gracelint.report.canvas import visible
from gracelint.report.hosts import address
from gracelint.report.launches import LINKS, command, effect, label, title, unit, where
from gracelint.report.timeline import DELAY, DRAIN, END, KILL, PRE_STOP, SIGNAL, bars, timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gracelint.engine.reported import Report, Reported
    from gracelint.facts.launch import Launch
    from gracelint.source import Span

MANY = 12
"""Launches from which on only the worst are unfolded."""
WORST_FIRST = (Verdict.IGNORED, Verdict.CUT, Verdict.UNKNOWN, Verdict.HANDLED)
TONES = {
    Effect.REPLACES: "good",
    Effect.FORWARDS: "good",
    Effect.HANDLES: "good",
    Effect.SWALLOWS: "bad",
    Effect.CUTS: "bad",
    Effect.UNKNOWN: "open",
}
_SIGNS = {Verdict.HANDLED: "✓", Verdict.IGNORED: "✗", Verdict.CUT: "✂", Verdict.UNKNOWN: "?"}
_KEYS = {PRE_STOP: "calm", SIGNAL: "signal", DELAY: "slow", DRAIN: "good", END: "good", KILL: "bad"}
# Nothing is loaded from anywhere, whatever a name in the tree says.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


class _Links(Record):
    """How places and rules are shown: as links where they have an address."""

    report: Report

    def name(self, span: Span) -> str:
        return where(span, self.report.shown)

    def place(self, span: Span) -> str:
        place = span.place
        there = address(os.environ, place.source.path, place.line)
        return f'<code class="place">{_link(self.name(span), there)}</code>'

    def rule(self, name: str) -> str:
        return f"<code>{_link(name, self.report.page(name))}</code>"


def _link(text: str, there: str | None) -> str:
    if there is None:
        return escape(text)
    return f'<a href="{escape(there)}" rel="noreferrer">{escape(text)}</a>'


def render(launches: Sequence[Launch], report: Report) -> str:
    return "\n".join(_page(sorted(launches, key=lambda launch: WORST_FIRST.index(launch.verdict)), report))


def _page(launches: Sequence[Launch], report: Report) -> Iterator[str]:
    links = _Links(report)
    counts = Counter(launch.verdict for launch in launches)
    it_is = "it is" if len(launches) == 1 else "they are"
    heading = f"{counted(len(launches), 'container')}: what happens when {it_is} told to stop"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>gracelint: {heading}</title>"
    yield f"<style>\n{_part('page.css')}</style>\n</head>\n<body>\n<header>"
    yield f"<h1>{heading}</h1>"
    yield f"<p>{_fates(counts)}</p>"
    yield from _filter(counts)
    yield "</header>\n<main>"
    for number, launch in enumerate(launches):
        told = [reported for reported in report.findings if _is_about(reported, launch)]
        is_bad = launch.verdict in (Verdict.IGNORED, Verdict.CUT)
        is_open = len(launches) < MANY or (is_bad and number < MANY)
        yield from _launch(launch, number, told, links, is_open)
    others = [item for item in report.findings if not any(_is_about(item, launch) for launch in launches)]
    if others:
        yield "<h2>Other findings</h2>"
        yield from _findings(others, links)
    if not launches:
        yield "<p>No container is started by these files.</p>"
    yield "</main>\n<footer><p>Made by gracelint. Times are seconds from the decision to stop.</p></footer>"
    yield f"<script>\n{_part('page.js')}</script>\n</body>\n</html>"


def _is_about(reported: Reported, launch: Launch) -> bool:
    """Whether a finding is about a launch, or about the object or service that starts it and no launch."""
    if reported.launches:
        return launch in reported.launches
    home, at = launch.workload or launch.service, reported.finding.at
    return home is not None and at.source is home.source and home.node.span.start <= at.start < home.node.span.end


def _part(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def _fates(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in WORST_FIRST if counts[verdict])


def _filter(counts: Counter[Verdict]) -> Iterator[str]:
    yield '<form role="search" aria-label="Containers" hidden>'
    yield "<fieldset><legend>Show containers that are</legend>"
    for verdict in WORST_FIRST:
        if counts[verdict]:
            box = f'<input type="checkbox" value="{verdict.value}" checked>'
            yield f"<label>{box} {verdict.value} ({counts[verdict]})</label>"
    yield "</fieldset>"
    yield '<input type="search" name="words" placeholder="Name or path" aria-label="Name or path">'
    yield '<output aria-live="polite"></output>\n</form>'


def _launch(launch: Launch, number: int, findings: Sequence[Reported], links: _Links, is_open: bool) -> Iterator[str]:
    verdict, spans = launch.verdict.value, (launch.origin.span, *(hop.span for hop in launch.hops if hop.span))
    words = " ".join([title(launch), *map(links.name, spans)])
    opened = " open" if is_open else ""
    data = f'data-verdict="{verdict}" data-words="{escape(words.lower())}"'
    yield f'<details class="{verdict}" id="c{number}" {data}{opened}>'
    yield f"<summary><strong>{escape(title(launch))}</strong>"
    yield f'<span class="badge"><span aria-hidden="true">{_SIGNS[launch.verdict]}</span> {verdict}</span>'
    yield f'<code class="place">{escape(links.name(launch.origin.span))}</code>'
    yield f'<span class="why">{_prose(launch.why)}</span></summary>\n<div class="body">'
    if launch.origin.source.unit is not None:
        yield f"<p>{escape(' '.join(unit(launch.origin.source.unit, links.report.shown)))}</p>"
    if launch.link is not None and launch.stage is not None:
        image = links.place(launch.stage.from_.span)
        yield f'<p class="place">Image: {image} ({escape(LINKS[launch.link])})</p>'
    if launch.hops:
        yield '<h3>The way of the signal</h3>\n<ol class="way">'
        yield from _way(launch, links)
        yield "</ol>"
    yield from _timeline(launch)
    if findings:
        yield "<h3>Findings</h3>"
        yield from _findings(sorted(findings, key=lambda reported: reported.severity.rank), links)
    yield "</div>\n</details>"


def _way(launch: Launch, links: _Links) -> Iterator[str]:
    for number, hop in enumerate(launch.hops):
        name = label(launch, number)
        spoken = "then" if name == "→" else name
        place = f" {links.place(hop.span)}" if hop.span else ""
        why = f": {_prose(hop.why)}" if hop.why else ""
        yield (
            f'<li class="{TONES[hop.effect]}"><span class="label">{spoken}</span> '
            f'<code class="command">{escape(command(hop))}</code>{place}'
            f'<br><span class="effect">{escape(effect(hop))}</span>{why}</li>'
        )


def _timeline(launch: Launch) -> Iterator[str]:
    moments = list(timeline(launch))
    if not moments:
        return
    grace = launch.grace.value
    end = max(moments[-1].seconds, grace) or 1.0
    spoken = "; ".join(f"{moment.seconds:g} seconds: {moment.event}" for moment in moments)
    yield "<h3>The time it has</h3>"
    yield f'<div class="track" role="img" aria-label="{escape(visible(spoken))}">'
    for bar in bars(launch, moments):
        left, width = 100 * bar.start / end, 100 * (bar.end - bar.start) / end
        yield f'<span class="bar {bar.kind}" style="left:{left:.4g}%;width:{width:.4g}%"></span>'
    for moment in moments:
        if moment.kind in (SIGNAL, KILL):
            left = min(max(100 * moment.seconds / end, 0.4), 99.6)
            yield f'<span class="mark {moment.kind}" style="left:{left:.4g}%"></span>'
    yield "</div>"
    yield f'<div class="scale" aria-hidden="true"><span>0 s</span><span>{end:g} s</span></div>'
    yield '<ol class="moments">'
    for moment in moments:
        key = f'<span class="key {_KEYS[moment.kind]}" aria-hidden="true"></span>'
        yield f'<li>{key}<span class="at">{moment.seconds:g} s</span><span>{_prose(moment.event)}</span></li>'
    yield "</ol>"


def _findings(findings: Iterable[Reported], links: _Links) -> Iterator[str]:
    yield '<ul class="findings">'
    for reported in findings:
        at = reported.finding.at
        fix = f"<br>Help: {_prose(reported.finding.fix.title)}" if reported.finding.fix is not None else ""
        yield (
            f'<li class="{reported.severity.value}"><span class="level">{reported.severity.value}</span> '
            f"{links.rule(reported.rule)}: {_prose(reported.finding.message)} {links.place(at)}{fix}</li>"
        )
    yield "</ul>"


def _prose(text: str) -> str:
    """A sentence in which what stands between backticks is code."""
    plain, *rest = escape(visible(text)).split("`")
    for index, part in enumerate(rest):
        is_code = index % 2 == 0 and index + 1 < len(rest)
        plain += f"<code>{part}</code>" if is_code else part
    return plain
