"""Manifests that a tool wrote, and what it wrote them from."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.finding import Note
from gracelint.fixing.editable import is_generated
from gracelint.source import Source, Span

_BUILT = "dist"
"""The folder that holds what a build makes."""
_RENDERED = pattern(r"(?m)^# Source: (?P<template>[^\s/]+/(?:\S+/)?templates/\S+)[ \t]*\r?$")
_DOCUMENT = pattern(r"(?m)^---(?:\s|\Z)")


def is_made(source: Source) -> bool:
    """Whether a manifest is made by a tool, and so mended in what it is made from."""
    return _BUILT in source.path.split("/")[:-1] or is_generated(source.text)


def rendered_from(at: Span) -> Note | None:
    """The template that `helm template` names above a document."""
    text = at.source.text
    if "# Source: " not in text:
        return None
    last = next(reversed(list(_RENDERED.finditer(text, 0, at.start))), None)
    if last is None or _DOCUMENT.search(text, last.end(), at.start) is not None:
        return None
    return Note(Span(at.source, last.start(), last.end()), f"rendered from {last['template'].strip()}")
