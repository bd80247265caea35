"""What single calls of the standard library do to the machine: each module fills the tables of `library`."""

from __future__ import annotations

from gracelint.behaviour.python.models import (
    applications,
    builtin,
    contexts,
    event_loop,
    events,
    leaving,
    pipes,
    servers,
    signals,
    subprocesses,
    threads,
)
from gracelint.behaviour.python.models.base import argument, model, receiver_of

__all__ = [
    "applications",
    "argument",
    "builtin",
    "contexts",
    "event_loop",
    "events",
    "leaving",
    "model",
    "pipes",
    "receiver_of",
    "servers",
    "signals",
    "subprocesses",
    "threads",
]
