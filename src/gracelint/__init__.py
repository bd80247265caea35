"""gracelint's public API, for rule packs. Everything not named here is private and may change.

Names are imported when first used, so that a run pays only for what it needs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint import edits
    from gracelint.facts.compose import ComposeService
    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.hooks import Flaw, Gap, Hook
    from gracelint.facts.kubernetes import Container, PreStop, Probe, Workload
    from gracelint.facts.launch import Budget, Drain, DrainSource, Effect, Hop, HopKind, Image, Launch, Shortfall
    from gracelint.facts.program import Cause, Program, Reaction, Stop
    from gracelint.facts.verdict import Verdict
    from gracelint.facts.yaml import Misplaced
    from gracelint.finding import Applicability, Edit, Finding, Fix, Note, Severity
    from gracelint.launch.signals import nearest_signal, signal_name
    from gracelint.rules import Rule, rule
    from gracelint.source import Located, Passage, Source, Span, Word

__version__ = "0.1.0"

_HOMES = {
    "gracelint.facts.compose": ("ComposeService",),
    "gracelint.facts.dockerfile": ("Instruction", "Stage"),
    "gracelint.facts.kubernetes": ("Container", "PreStop", "Probe", "Workload"),
    "gracelint.facts.hooks": ("Flaw", "Gap", "Hook"),
    "gracelint.facts.launch": (
        "Budget",
        "Drain",
        "DrainSource",
        "Effect",
        "Hop",
        "HopKind",
        "Image",
        "Launch",
        "Shortfall",
    ),
    "gracelint.facts.program": ("Cause", "Program", "Reaction", "Stop"),
    "gracelint.facts.verdict": ("Verdict",),
    "gracelint.facts.yaml": ("Misplaced",),
    "gracelint.finding": ("Applicability", "Edit", "Finding", "Fix", "Note", "Severity"),
    "gracelint.launch.signals": ("nearest_signal", "signal_name"),
    "gracelint.rules": ("Rule", "rule"),
    "gracelint.source": ("Located", "Passage", "Source", "Span", "Word"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Applicability",
    "Budget",
    "Cause",
    "ComposeService",
    "Container",
    "Drain",
    "DrainSource",
    "Edit",
    "Effect",
    "Finding",
    "Fix",
    "Flaw",
    "Gap",
    "Hook",
    "Hop",
    "HopKind",
    "Image",
    "Instruction",
    "Launch",
    "Located",
    "Misplaced",
    "Note",
    "Passage",
    "PreStop",
    "Probe",
    "Program",
    "Reaction",
    "Rule",
    "Severity",
    "Shortfall",
    "Source",
    "Span",
    "Stage",
    "Stop",
    "Verdict",
    "Word",
    "Workload",
    "edits",
    "nearest_signal",
    "rule",
    "signal_name",
]


def _module(name: str) -> Any:
    """`importlib.import_module`, without what importing `importlib` takes."""
    return __import__(name, fromlist=("__name__",))


def __getattr__(name: str) -> Any:
    if name == "edits":
        return _module("gracelint.edits")
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_module(home), name)
    globals()[name] = value
    return value
