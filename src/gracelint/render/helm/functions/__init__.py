"""What Helm gives to templates: Go's own functions, sprig's (https://masterminds.github.io/sprig/), and Helm's."""

from __future__ import annotations

from gracelint.render.helm.functions import containers, durations, formats, numbers, stand_ins, strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.source import Path


def functions(reads: list[Path]) -> dict[str, Callable[..., Any]]:
    """All but `include` and `tpl`, which run templates. `reads` gets the paths of values that are looked at."""
    return {
        **strings.FUNCTIONS,
        **numbers.FUNCTIONS,
        **durations.FUNCTIONS,
        **formats.FUNCTIONS,
        **stand_ins.FUNCTIONS,
        **containers.functions(reads),
    }
