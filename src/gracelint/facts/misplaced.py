"""Settings of the stop that nobody reads."""

from __future__ import annotations

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts import yaml


class Misplaced(Record):
    """A setting of the stop that stands where nobody reads it."""

    key: yaml.Scalar
    where: str
    """A clause such as "stands in the container"."""
    instead: str
    """What holds instead, such as "the grace period stays 30 s"."""
    document: yaml.Document
    place: yaml.Mapping
    home: yaml.Mapping | None
    """Where it belongs; None where nobody can tell."""
    home_name: str
    """Such as "into the container"."""
    below: str | None = None
    """The entry of `home` that it belongs below, where that is missing."""
