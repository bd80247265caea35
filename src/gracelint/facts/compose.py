"""What a Compose file says. Times are in seconds."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.source import Located, Passage, Source, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from gracelint.facts import yaml

DEFAULT_GRACE = 10.0
"""`stop_grace_period` where nobody sets it (Compose specification)."""


class Build(Record):
    context: str
    """Relative to the project's root; a URL as it is written."""
    dockerfile: str = "Dockerfile"
    """Relative to the context."""
    target: str | None = None
    inline: Passage | None = None
    """`dockerfile_inline`."""
    arguments: Map[str, str] | None = None
    contexts: Map[str, str] | None = None
    """`additional_contexts`, as they are written."""


class ComposeService(Record, identity=True):
    source: Source
    name: str
    span: Span
    """The service's key."""
    document: yaml.Document
    node: yaml.Mapping
    """The first definition, as written; `layers` has all of them."""
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
    """Those of `env_file`, too; None is a value given elsewhere, and under the name "" that others may be set."""
    working_dir: Word | None = None
    user: Word | None = None
    annotations: Map[str, Word] | None = None
    """`labels` and `annotations` named `gracelint/…`."""
    pid: str | None = None
    """`pid:` mode."""
    development: bool = False
    """The file or the service is named for development (compose.dev.yaml, …)."""
    replaced: bool = False
    """The file has a plain name, and what stands beside it for production starts something else."""
    mounts: tuple[tuple[str, str], ...] = ()
    """Bind mounts: path in the project, path in the container."""
    layers: tuple[tuple[yaml.Document, yaml.Mapping], ...] = ()
    """What each file says of the service, the lowest first; what it extends is not among them."""
    missing: str | None = None
    """What it extends and is not here, as "`base` of common.yml"."""

    @property
    def is_working_copy(self) -> bool:
        """Whether all that its image is built of is mounted into it as it stands: `.:/app`."""
        return self.build is not None and any(host == self.build.context for host, _ in self.mounts)

    def holder(self, key: str) -> tuple[yaml.Document, yaml.Mapping]:
        """The definition in which a key counts: the uppermost that has it, else the first."""
        layers = reversed(self.layers)
        return next((layer for layer in layers if layer[1].get(key) is not None), (self.document, self.node))
