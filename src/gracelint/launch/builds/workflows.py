"""Images that GitHub workflows build with docker/build-push-action."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.patterns import pattern
from gracelint.launch.builds.commands import put_in
from gracelint.launch.builds.declared import UNKNOWN, Build, link_to
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.yaml import Mapping as Node

_MOST = 100
"""Jobs that a matrix stands for."""
_NAMED = pattern(r"\bname=((?:\$\{\{[^}]{0,500}\}\}|[^,\s$])+)")
"""What an image without tags is called in `outputs: type=image,name=…,push-by-digest=true`."""
_OUTPUT = pattern(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.tags\s*\}\}")


def pushed(path: str, text: str) -> Iterator[Build]:
    """The builds of a workflow's steps."""
    from gracelint.facts.yaml import Mapping as Node

    try:
        documents = read_documents(Source(path, text))
    except (ParseError, TemplatedError):
        return
    for document in documents:
        root = document.root
        jobs = root.mapping("jobs") if isinstance(root, Node) else None
        if jobs is None or not isinstance(root, Node):
            continue
        for _, job in jobs.items:
            if isinstance(job, Node):
                for values in _matrix(job):
                    yield from _of_job(job, {**_texts(root.mapping("env")), **_texts(job.mapping("env")), **values})


def _of_job(job: Node, variables: dict[str, str]) -> Iterator[Build]:
    steps = list(job.mappings("steps"))
    for step in steps:
        uses, given = step.scalar("uses"), step.mapping("with")
        if uses is None or given is None or not uses.value.startswith("docker/build-push-action"):
            continue
        options = _texts(given)
        context = put_in(options.get("context", "."), variables)
        file = put_in(options["file"], variables) if "file" in options else None
        inside = posixpath.relpath(file, context) if file and UNKNOWN not in context else None
        target = put_in(options["target"], variables) if "target" in options else None
        link = link_to(context, inside, target, tuple(_arguments(options.get("build-args", ""), variables)))
        if link is None or (file and UNKNOWN in file):
            continue
        names = _NAMED.findall(options.get("outputs", ""))
        for tag in _tags("\n".join((options.get("tags", ""), *names)), steps, variables):
            yield Build(tag, link)


def _arguments(text: str, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The build arguments of which all is known."""
    for line in text.splitlines():
        key, equals, value = put_in(line.strip(), variables).partition("=")
        if equals and UNKNOWN not in key + value:
            yield key, value


def _tags(text: str, steps: list[Node], variables: dict[str, str]) -> Iterator[str]:
    """The names that a step gives to its image, those of docker/metadata-action put in."""
    output = _OUTPUT.search(text)
    if output is not None:
        named = [step for step in steps if (own := step.scalar("id")) and own.value == output[1]]
        images = [found.value for step in named if (found := step.scalar("with", "images"))]
        text = "\n".join((*images, text.replace(output[0], "")))
    for tag in re.split(r"[\n,]", text):
        name = put_in(tag.strip(), variables)
        if name.strip(UNKNOWN):
            yield name


def _texts(node: Node | None) -> dict[str, str]:
    from gracelint.facts.yaml import Scalar

    return {key.value: value.value for key, value in node.items if isinstance(value, Scalar)} if node else {}


def _matrix(job: Node) -> list[dict[str, str]]:
    """The values of a job's matrix: one of each list with one another, and those of `include`."""
    from gracelint.facts.yaml import Scalar, Sequence

    matrix = job.mapping("strategy", "matrix")
    if matrix is None:
        return [{}]
    found: list[dict[str, str]] = [{}]
    for key, value in matrix.items:
        if isinstance(value, Sequence) and key.value not in ("include", "exclude"):
            texts = [item.value for item in value.items if isinstance(item, Scalar)]
            rows = [_texts_of(item) for item in value.items]
            choices = [{f"matrix.{key.value}": text} for text in texts] or [
                {f"matrix.{key.value}.{name}": text for name, text in row.items()} for row in rows
            ]
            found = [{**one, **choice} for one in found for choice in choices][:_MOST]
    included = [{f"matrix.{name}": text for name, text in _texts(item).items()} for item in matrix.mappings("include")]
    return [one for one in (*found, *included) if one or not included] or [{}]


def _texts_of(node: object) -> dict[str, str]:
    from gracelint.facts.yaml import Mapping as Node

    return _texts(node) if isinstance(node, Node) else {}
