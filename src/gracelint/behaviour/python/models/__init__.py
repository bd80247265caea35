"""What calls do to the machine that no row can say: each module fills the tables of `registry`."""

from __future__ import annotations

from gracelint.behaviour.python.models import (  # noqa: F401 - for what they do when they are imported
    applications,
    brokers,
    builtin,
    contexts,
    event_loop,
    events,
    exits,
    forks,
    greenlets,
    locks,
    pipes,
    rows,
    schedules,
    servers,
    signals,
    subprocesses,
    threads,
)
