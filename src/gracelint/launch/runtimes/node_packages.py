"""The package.json files of an image: the nearest one, and those of a workspace."""

from __future__ import annotations

import posixpath

from gracelint.base.posix import normal, upwards
from gracelint.facts.launch import Image
from gracelint.launch.images.image import find_file, find_path
from gracelint.launch.images.packages import pnpm_workspaces
from gracelint.tree.warm import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files
    from gracelint.facts.package import Package
    from gracelint.launch.step import Context


def nearest_package(context: Context, folder: str) -> tuple[Package | None, str]:
    """The package.json in a folder or the nearest one above it, as package managers look for it."""
    for here in upwards(folder):
        package = _package(context.image, context.files, here)
        if package is not None:
            return package, here
    return None, normal(folder)


def _package(image: Image, files: Files, folder: str) -> Package | None:
    from gracelint.parse.errors import ParseError
    from gracelint.parse.package import read_package

    text = find_file(image, files, "package.json", folder)
    source = text.source if text is not None and len(text.text) == len(text.source.text) else None
    if text is None:
        from gracelint.launch.runtimes.node import copied_package

        source = copied_package(folder, image, files)
    try:
        return read_package(source) if source is not None else None
    except ParseError:
        return None


def workspace(package: Package | None, folder: str, context: Context, wanted: str) -> tuple[Package | None, str]:
    """The package of a workspace, by its name or folder, and where it is in the image."""
    if package is None:
        return None, folder
    name = wanted.removeprefix("./").rstrip("/").removesuffix("...")
    image = context.image
    patterns = (*package.workspaces, *pnpm_workspaces(image, context.files, folder))
    members = _members_here(image, context.files, folder, (name,))
    if image.written:
        members += _members_here(image, context.files, folder, patterns)
    else:
        members += _members(context.files, image.stage, image.context, image.mounts, folder, patterns)
    for place, inside, member in members:
        if member.name == name or place == name:
            return member, inside
    return None, folder


@once
def _members(
    files: Files,
    stage: Stage | None,
    context: str | None,
    mounts: tuple[tuple[str, str], ...],
    folder: str,
    patterns: tuple[str, ...],
) -> tuple[tuple[str, str, Package], ...]:
    """As `_members_here`: once for all launches of an image."""
    return _members_here(Image(None, None, stage, context, mounts=mounts), files, folder, patterns)


def _members_here(
    image: Image, files: Files, folder: str, patterns: tuple[str, ...]
) -> tuple[tuple[str, str, Package], ...]:
    """The packages of a workspace: where each lies below its folder, in the image, and what its package.json says."""
    found = []
    for pattern in patterns:
        parent, star, _ = pattern.removeprefix("./").partition("*")
        inside = [normal(pattern)]
        if star:
            path = find_path(image, files, parent.rstrip("/") or ".", folder)
            names = files.names(path) if path is not None else ()
            inside = [posixpath.join(parent, entry.rstrip("/")) for entry in names if entry.endswith("/")]
        for place in inside:
            within = posixpath.join(folder, place)
            package = _package(image, files, within)
            if package is not None:
                found.append((place, within, package))
    return tuple(found)
