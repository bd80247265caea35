"""Images that ko builds of Go programs, without a Dockerfile."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.record import replace
from gracelint.launch.builds import GO_MODULE
from gracelint.launch.images.bases import image_named
from gracelint.launch.images.names import Link
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image

SCHEME = "ko://"
_SETTINGS = (".ko.yaml", ".ko.yml")
_DEFAULT_BASE = "cgr.dev/chainguard/static"  # https://ko.build/configuration/#overriding-base-images
_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.M)
_DIGEST = re.compile(r"[:@][^/]*$")


def link_to_package(files: Files, folder: str, package: str) -> Link | None:
    """The main package in a folder, as its module builds it; None where there is no program there."""
    place = posixpath.normpath(posixpath.join(folder, package))
    place = "" if place == "." else place
    place = posixpath.dirname(place) if place.endswith(".go") else place
    sources = [posixpath.join(place, name) for name in files.names(place) if name.endswith(".go")]
    module = _module_of(files, place)
    if module is None or not any("package main" in files.glance(source) for source in sources):
        return None
    return Link(module, "built", place)


def link_of(files: Files, reference: str) -> Link | None:
    """The main package that `ko://IMPORT_PATH` names, below the module in the root."""
    path = _DIGEST.sub("", reference.removeprefix(SCHEME))
    name = _module_name(files.glance(GO_MODULE))
    is_in = name and (path == name or path.startswith(f"{name}/"))
    return link_to_package(files, "", path[len(name) :].strip("/")) if is_in else None


def image_of(files: Files, link: Link) -> Image:
    """What ko makes of a main package: its binary alone, as PID 1."""
    folder = link.context or ""
    base = next((found for name in _SETTINGS if (found := _base(files, name))), _DEFAULT_BASE)
    source = files.read(link.dockerfile)
    name = posixpath.basename(folder or _module_name(source.text if source is not None else ""))
    at = source.span(0, 0) if source is not None else None
    return replace(image_named(base), entrypoint=(Word(f"/ko-app/{name}", at),), cmd=(), context=folder)


def _module_name(text: str) -> str:
    found = _MODULE.search(text)
    return found[1] if found is not None else ""


def _base(files: Files, name: str) -> str | None:
    from gracelint.launch.builds.declared import document

    root = document(name, files.glance(name)) if files.exists(name) else None
    found = root.scalar("defaultBaseImage") if root is not None else None
    return found.value if found is not None else None


def _module_of(files: Files, folder: str) -> str | None:
    """The go.mod that a folder belongs to."""
    while True:
        path = posixpath.join(folder, GO_MODULE)
        if files.exists(path):
            return path
        if not folder:
            return None
        folder = posixpath.dirname(folder)
