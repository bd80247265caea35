"""Go templates outside of charts: helmfiles, their values, and what ApplicationSets fill in."""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.record import replace
from gracelint.render.effort import Effort
from gracelint.render.helm.functions import functions
from gracelint.render.helm.syntax import TemplateSyntaxError, parse
from gracelint.render.helm.template import NO_VALUE, Limits, Machine, TemplateError
from gracelint.render.text import Text, mapped, replaced
from gracelint.source import Origin, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gracelint.render.helm.syntax import Template

_LIMITS = Limits(steps=200_000, output=2_000_000)


def filled(
    source: Source, dot: Any, also: Mapping[str, Callable[..., Any]] = {}, effort: Effort | None = None
) -> Source:
    """The text that a template makes, each part with its place in the template. Raises TemplateError."""
    if "{{" not in source.text:
        return source
    text = replaced(_run(source, dot, also, effort), NO_VALUE, "")
    whole = text if isinstance(text, Text) else Text(text, ((len(text), None),))
    return Source(source.path, str(text), map=mapped(whole, Origin(source, 0, 0)))


def filled_text(text: str, dot: Any, also: Mapping[str, Callable[..., Any]] = {}, effort: Effort | None = None) -> str:
    """A text of one value. Raises TemplateError, also for a value that is not there."""
    made = str(_run(Source("", text), dot, also, effort)) if "{{" in text else text
    if NO_VALUE in made:
        raise TemplateError("a value is missing")
    return made


def _run(source: Source, dot: Any, also: Mapping[str, Callable[..., Any]], effort: Effort | None) -> str:
    reads: list[Any] = []
    effort = effort or Effort()
    machine = Machine(
        _parsed(source),
        {**functions(reads), **also},
        reads,
        replace(_LIMITS, steps=min(_LIMITS.steps, effort.left)),
    )
    try:
        made = machine.run("it", dot)
    finally:
        effort.take(machine.steps)
    effort.take(len(made) // _A_STEP)
    return made


_A_STEP = 2
"""Code points that are put out, and read then, at the price of one step."""


@lru_cache(maxsize=8)
def _parsed(source: Source) -> dict[str, Template]:
    """Parsed once: many releases may have the same file of values."""
    try:
        return parse(source, "it")
    except TemplateSyntaxError as error:
        raise TemplateError(error.reason, Origin(source, error.offset, error.offset)) from error
