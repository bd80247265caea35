"""What a Compose file says. Times are in seconds."""

from __future__ import annotations

from collections.abc import Mapping as Map

from gracelint.facts import yaml
from gracelint.record import Record
from gracelint.source import Located, Passage, Source, Span, Word

DEFAULT_GRACE = 10.0
"""`stop_grace_period` where nobody sets it (Compose specification)."""


class Build(Record):
    context: str
    """As written, relative to the Compose file's folder."""
    dockerfile: str = "Dockerfile"
    """Relative to the context."""
    target: str | None = None
    inline: Passage | None = None
    """`dockerfile_inline`."""
    arguments: Map[str, str] | None = None


class ComposeService(Record, identity=True):
    source: Source
    name: str
    span: Span
    """The service's key."""
    document: yaml.Document
    node: yaml.Mapping
    build: Build | None = None
    image: Word | None = None
    command: tuple[Word, ...] | None = None
    """None where unset or null (the image's own); a string is split into words as Compose does, `$$` already `$`."""
    entrypoint: tuple[Word, ...] | None = None
    init: Located[bool] | None = None
    stop_signal: Word | None = None
    grace: Located[float] = Located(DEFAULT_GRACE)
    """NaN where the file gives it by a variable without default."""
    environment: Map[str, Word | None] | None = None
    working_dir: Word | None = None
    user: Word | None = None
    annotations: Map[str, Word] | None = None
    """`labels` and `annotations` named `gracelint/…`."""
    pid: str | None = None
    """`pid:` mode."""
    development: bool = False
    """The file or the service is named for development (compose.dev.yaml, …)."""
    mounts: tuple[tuple[str, str], ...] = ()
    """Bind mounts: host path as written, path in the container."""
