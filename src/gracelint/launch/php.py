"""PHP: from `php worker.php` to the script, and what it does with the signal."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.step import Context, Step
    from gracelint.source import Word


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    return None
