"""Intents turned into minimal text edits, one module for each kind of file.

Each function returns the edits, or None where it cannot be done rightly. Modules are imported when first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from gracelint.edits import deadlines, dockerfile, node, properties, python, script, words, yaml
    from gracelint.facts.program import Program
    from gracelint.finding import Edit

__all__ = ["deadlines", "dockerfile", "node", "properties", "python", "script", "words", "yaml"]


_EDITED = ("node", "php", "python", "ruby")


def of_language(language: str) -> Any:
    """The module that edits programs of a language; those modules have the same functions."""
    module = language if language in _EDITED else "by_hand"
    return __import__(f"{__name__}.{module}", fromlist=("__name__",))


def handle_sigterm(program: Program) -> tuple[Edit, ...] | None:
    """Gives SIGTERM to the program's own handler of SIGINT, else a new one; None where that cannot be done rightly."""
    module = of_language(program.language)
    handler = next((handler for handler in program.handlers if "SIGINT" in handler.signals), None)
    changes: tuple[Edit, ...] | None
    changes = module.add_sigterm_handler(program) if handler is None else module.handle_sigterm_too(program, handler)
    return changes


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return __import__(f"{__name__}.{name}", fromlist=("__name__",))
