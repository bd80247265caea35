"""`gracelint show-links`: which Dockerfile each image is joined to, and why or why not."""

from __future__ import annotations

from gracelint.launch.images.bases import is_known
from gracelint.launch.images.names import Dockerfiles, repository_of
from gracelint.report.canvas import visible
from gracelint.report.launches import LINKS, title, where
from gracelint.tree.discover import DOCKERFILE, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.facts.launch import Launch
    from gracelint.project import Project
    from gracelint.report.launches import Shown


def render(launches: Iterable[Launch], project: Project, shown: Shown) -> str:
    paths = sorted(source.path for source in project.sources if kind_of(source.path) == DOCKERFILE)
    dockerfiles = Dockerfiles(paths)
    return (
        "\n".join(line for launch in launches for line in _lines(launch, dockerfiles, shown)) or "No image is started."
    )


def _lines(launch: Launch, dockerfiles: Dockerfiles, shown: Shown) -> Iterator[str]:
    if launch.origin.kind == "dockerfile":
        return
    yield f"{title(launch)}  {where(launch.origin.span, shown)}"
    if launch.stage is not None:
        how = LINKS.get(launch.link or "", "built from it")
        yield f"  {_image(launch)} → {where(launch.stage.from_.span, shown)} ({how})"
    else:
        yield f"  {_image(launch)}: {_reason(launch, dockerfiles, shown)}"


def _image(launch: Launch) -> str:
    named = launch.container.image if launch.container is not None else None
    if named is not None:
        return visible(named.value)
    return visible(launch.image.reference or "its own build") if launch.stage is None else "its image"


def _reason(launch: Launch, dockerfiles: Dockerfiles, shown: Shown) -> str:
    reference = launch.image.reference
    if reference is None:
        return "it has no name, and nothing says how it is built"
    if is_known(reference):
        return "a public image, whose ways are known"
    found = dockerfiles.fitting(repository_of(reference), launch.origin.source.path)
    listed = ", ".join(visible(shown(path)) for path in found[:5]) + (", …" if len(found) > 5 else "")
    if len(found) > 1:
        return f"{len(found)} Dockerfiles fit its name ({listed}): choose one in `[images]` of the settings"
    return "no build and no Dockerfile here fits its name: if one builds it, say so in `[images]` of the settings"
