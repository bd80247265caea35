"""What `docker/metadata-action` calls an image: its names, and what of its tags sets it apart from others of a name."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.launch.builds.commands import put_in
from gracelint.launch.builds.declared import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMPARED = pattern(r"\$\{\{[ \t]*([\w.-]{1,200})[ \t]*(==|!=)[ \t]*'([^'\n]{0,200})'[ \t]*\}\}")
_MOST = 50
"""Lines of one option."""


def names(options: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[str]:
    """The names that these options give: with a tag, which may end in or begin with what is open, where it says more.

    `shop` stands for every tag that nothing else claims, `shop:*-slim` for those that end so.
    """
    tags = dict.fromkeys(_tags(options, variables))
    for line in _lines(options.get("images", "")):
        # an option may hold several lines of another file
        for one in _lines(put_in(line, variables)):
            image = _fields(one, {}).get("name") or one.partition(",")[0]
            yield from (f"{image}:{tag}" if tag else image for tag in tags)


def _tags(options: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[str]:
    flavor: dict[str, str] = {}
    for line in _lines(options.get("flavor", "")):
        flavor |= _fields(line, variables)
    lines = _lines(options.get("tags", ""))
    for line in lines or ["type=ref"]:
        fields = _fields(line, variables)
        if fields.get("enable") == "false":
            continue
        prefix, suffix = (fields.get(key, flavor.get(key, "")) for key in ("prefix", "suffix"))
        kind = fields.get("type", "raw")
        value = fields.get("value", line.strip() if "type" not in fields else "") if kind == "raw" else UNKNOWN
        tag = f"{prefix}{put_in(value, variables)}{suffix}"
        yield "" if not tag.strip(UNKNOWN) or UNKNOWN in prefix + suffix else tag
    marked = flavor.get("onlatest") == "true" and (flavor.get("suffix") or flavor.get("prefix"))
    if flavor.get("latest") != "false" and not marked:
        yield ""


def _fields(line: str, variables: Mapping[str, str]) -> dict[str, str]:
    """`type=raw,value=latest,enable=${{ matrix.os == 'alpine' }}`, with what a matrix decides put in."""
    found = {}
    for part in _COMPARED.sub(lambda one: _decided(one[0], variables), line).split(","):
        key, equals, value = part.strip().partition("=")
        if equals:
            found[key] = put_in(value.strip("\"'"), variables)
    return found


def _decided(expression: str, variables: Mapping[str, str]) -> str:
    compared = _COMPARED.fullmatch(expression)
    known = variables.get(compared[1].removeprefix("env.")) if compared is not None else None
    if compared is None or known is None or "$" in known or UNKNOWN in known:
        return UNKNOWN
    return "true" if (known == compared[3]) == (compared[2] == "==") else "false"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")][:_MOST]
