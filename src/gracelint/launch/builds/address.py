"""What a project is called where it is kept: `owner/name` on GitHub, as its own files say."""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.launch.images.names import Link
from gracelint.tree.purpose import is_for_development, is_set_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.files import Files

_MODULE = pattern(r"(?m)^module[ \t]+github\.com/([\w.-]{1,100}/[\w.-]{1,100})")
_FIELD = pattern(
    r"""(?i)\b(?:repository|url)["']?[ \t]*[:=][^\n]{0,100}\bgithub(?:\.com)?[:/]"""
    r"""([\w.-]{1,100}/[\w.-]{1,100})/?["'#\s]"""
)
"""The address of a repository itself: nothing is named below it."""
_LINK = pattern(r"\bgithub\.com[/:]([\w.-]{1,100}/[\w.-]{1,100})")
_FIELDS = ("package.json", "Cargo.toml", "pyproject.toml")
_LONGEST = 200_000
"""Characters of a file that are searched."""


@lru_cache(maxsize=16)
def address(files: Files) -> str | None:
    """`owner/name` in small letters: of a manifest, else what the README links to more often than to all else."""
    module = _MODULE.search(files.glance("go.mod")[:_LONGEST])
    if module is not None:
        return module[1].lower()
    for name in _FIELDS:
        fields = {_named(found) for found in _FIELD.findall(files.glance(name)[:_LONGEST])}
        if len(fields) == 1:
            return fields.pop()
    readme = next((name for name in files.names("") if name.lower() in ("readme.md", "readme.rst", "readme")), None)
    links: dict[str, int] = {}
    for found in _LINK.findall(files.glance(readme)[:_LONGEST]) if readme else ():
        links[_named(found)] = links.get(_named(found), 0) + 1
    most = max(links, key=links.__getitem__, default=None)
    return most if most is not None and max(2, sum(links.values()) // 2 + 1) <= links[most] else None


def _named(link: str) -> str:
    return link.lower().rstrip(".").removesuffix(".git")


def own_image(files: Files, dockerfiles: Iterable[str]) -> tuple[str, Link] | None:
    """The image that is called as the project is, where a single Dockerfile can build it."""
    served = [path for path in dockerfiles if not is_for_development(path) and not is_set_aside(path)]
    name = address(files) if len(served) == 1 else None
    return (name, Link(served[0], "named")) if name is not None else None
