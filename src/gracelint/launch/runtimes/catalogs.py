"""Versions that a package.json leaves to its workspace: `catalog:` of pnpm and Bun."""

from __future__ import annotations

import json
from functools import partial

from gracelint.base.memory import lru_cache
from gracelint.base.posix import upwards
from gracelint.launch.images.image import find_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image
    from gracelint.source import Passage, Source

_SCHEME = "catalog:"


def requirement(name: str, wanted: str, folders: Iterable[Callable[[str], Source | Passage | None]]) -> str:
    """What the nearest catalog says for `wanted` (`catalog:NAME`); that itself where none has the package.

    `folders` read the files of the folder that asks for it and of those above, the nearest first.
    """
    catalog = wanted.removeprefix(_SCHEME) or "default"
    for read in folders:
        for file, kept in (("pnpm-workspace.yaml", _of_pnpm), ("package.json", _of_bun)):
            given = read(file)
            found = kept(given.text).get((catalog, name)) if given is not None else None
            if found is not None:
                return found
    return wanted


def of_image(name: str, wanted: str, image: Image, files: Files, folder: str) -> str:
    """The same for a package in a folder of an image."""
    return requirement(name, wanted, (partial(_file, image, files, above) for above in upwards(folder)))


def _file(image: Image, files: Files, folder: str, name: str) -> Passage | None:
    return find_file(image, files, name, folder)


@lru_cache(maxsize=64)
def _of_pnpm(text: str) -> dict[tuple[str, str], str]:
    """The versions in pnpm-workspace.yaml, by catalog and package."""
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.facts.yaml import Scalar
    from gracelint.parse.errors import ParseError, TemplatedError
    from gracelint.parse.yaml import read_documents
    from gracelint.source import Source

    try:
        root = next((document.root for document in read_documents(Source("pnpm-workspace.yaml", text))), None)
    except (ParseError, TemplatedError):
        return {}
    if not isinstance(root, Node):
        return {}
    named = root.get("catalogs")
    catalogs = [("default", root.get("catalog"))]
    catalogs += [(key.value, packages) for key, packages in named.items] if isinstance(named, Node) else []
    return {
        (catalog, key.value): value.value
        for catalog, packages in catalogs
        if isinstance(packages, Node)
        for key, value in packages.items
        if isinstance(value, Scalar)
    }


@lru_cache(maxsize=64)
def _of_bun(text: str) -> dict[tuple[str, str], str]:
    """The versions in a package.json, at its top or below `workspaces`, by catalog and package."""
    try:
        data = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    found: dict[tuple[str, str], str] = {}
    below = data.get("workspaces") if isinstance(data, dict) else None
    for place in (below, data):
        if not isinstance(place, dict):
            continue
        named = place.get("catalogs")
        catalogs = [("default", place.get("catalog")), *(named.items() if isinstance(named, dict) else ())]
        for catalog, packages in catalogs:
            for key, value in packages.items() if isinstance(packages, dict) else ():
                if isinstance(value, str):
                    found.setdefault((catalog, key), value)
    return found
