"""Edits of an application's settings, in properties files and in YAML."""

from __future__ import annotations

from gracelint.edits import yaml
from gracelint.facts.yaml import Mapping
from gracelint.finding import Edit
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.source import Source

_PARTS = ("#---", "!---")
"""What begins another document of a properties file, which may be one for a profile (Spring Boot 2.4)."""


def add_setting(source: Source, key: str, value: str) -> tuple[Edit, ...] | None:
    """Gives a value to a dotted key that is not there; None where the file has parts that hold for some profiles."""
    if source.path.endswith(".properties"):
        return _in_properties(source, f"{key}={value}")
    try:
        documents = read_documents(source)
    except (ParseError, TemplatedError):
        return None
    if len(documents) != 1 or not isinstance(documents[0].root, Mapping):
        return None
    root = documents[0].root
    head, _, rest = key.partition(".")
    inner = root.mapping(head)
    if inner is not None:
        return yaml.set_entry(documents[0], inner, rest, value, after=())
    return yaml.set_entry(documents[0], root, key, value, after=())


def _in_properties(source: Source, line: str) -> tuple[Edit, ...] | None:
    text = source.text
    if any(part in text for part in _PARTS) or text.rstrip().endswith("\\"):
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    before = newline if text and not text.endswith("\n") else ""
    return (Edit(source.span(len(text), len(text)), f"{before}{line}{newline}"),)
