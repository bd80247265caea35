"""Images that the jobs of GitLab and Azure pipelines and of Cloud Build make, with the variables they are given."""

from __future__ import annotations

import posixpath
import shlex

from gracelint.facts.yaml import Mapping as Node
from gracelint.facts.yaml import Scalar, Sequence
from gracelint.knowledge import table
from gracelint.launch.builds.commands import by_commands, put_in
from gracelint.launch.builds.declared import UNKNOWN, Build, copies, document, documents, link_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.facts.files import Files

_DEEPEST = 10
"""Jobs that extend one another; GitLab allows 11."""
_MOST = 100
"""Jobs of a pipeline."""
_MOST_INCLUDED = 20
_MOST_NODES = 4_000
"""Parts of an Azure pipeline; aliases may repeat them without end."""


def by_jobs(files: Files, path: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    """The builds of a GitLab pipeline, whose jobs get variables of their own, of those they extend and of a matrix."""
    text = files.glance(path)
    for root in documents(path, text):  # what a pipeline takes from those who include it stands in one of its own
        included = [one for other in _included(root, files) for one in documents(other, files.glance(other))]
        yield from _of_pipeline((*included, root), posixpath.basename(path), exists)


def _included(root: Node, files: Files) -> Iterator[str]:
    """The files of the repository that a pipeline includes, by their paths from its root."""
    include = root.get("include")
    items = include.items if isinstance(include, Sequence) else (include,)
    for item in items[:_MOST_INCLUDED]:
        place = item.scalar("local") if isinstance(item, Node) else item
        if isinstance(place, Scalar) and files.exists(own := posixpath.normpath(place.value.lstrip("/"))):
            yield own


def _of_pipeline(roots: tuple[Node, ...], name: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    shared = {key: value for root in roots for key, value in _variables(root).items()}
    jobs = {key.value: value for root in roots for key, value in root.items if isinstance(value, Node)}
    for job in list(jobs.values())[:_MOST]:
        chain = _chain(job, jobs)
        lines = [line for key in ("before_script", "script") for line in _own_or_inherited(chain, key)]
        given = dict(shared)
        for one in reversed(chain):
            given |= _variables(one)
        for values in _matrix(chain):
            # what the pipeline runs stands in the root, wherever its file does
            yield from by_commands(name, "\n".join(lines), exists, {**given, **values})


def by_steps(path: str, text: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    """The builds of Cloud Build: each step's image is a command, and its `args` are the words."""
    root = document(path, text)
    for step in root.mappings("steps") if root is not None else ():
        tool, words = step.scalar("name"), _texts(step.get("args"))
        folder = step.scalar("dir")
        if tool is None or not words:
            continue
        command = "kaniko/executor" if "kaniko" in tool.value else posixpath.basename(tool.value).partition(":")[0]
        moved = f"cd {folder.value} && " if folder is not None else ""
        quoted = " ".join(word if "$" in word else shlex.quote(word) for word in words)
        yield from by_commands(posixpath.basename(path), f"{moved}{command} {quoted}", exists)


def by_tasks(path: str, text: str) -> Iterator[Build]:
    """The builds of an Azure pipeline: its tasks, with the variables of what stands around them."""
    known = dict.fromkeys(table("builds")["checkout"]["variables"], ".")
    room = iter(range(_MOST_NODES))
    for root in documents(path, text):
        yield from _of_tasks(root, known, room)


def _of_tasks(node: object, variables: dict[str, str], room: Iterator[int]) -> Iterator[Build]:
    if next(room, None) is None:
        return
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _of_tasks(item, variables, room)
    if not isinstance(node, Node):
        return
    own = _set_by(node)
    variables = {**variables, **own} if own else variables
    task, inputs = node.scalar("task"), node.mapping("inputs")
    row = table("builds")["tasks"].get(task.value) if task is not None else None
    if row is not None and inputs is not None:
        yield from _of_task(
            row, {key.value: one.value for key, one in inputs.items if isinstance(one, Scalar)}, variables
        )
        return
    for _, value in node.items:
        yield from _of_tasks(value, variables, room)


def _of_task(row: dict[str, Any], given: dict[str, str], variables: dict[str, str]) -> Iterator[Build]:
    inputs = {key.lower(): put_in(text, variables).strip() for key, text in given.items()}
    image, file, context = (inputs.get(row[key].lower(), "") for key in ("image", "file", "context"))
    if (
        not image
        or not file
        or "*" in file
        or inputs.get(row["command"].lower(), row["builds"][0]) not in row["builds"]
    ):
        return
    folder = posixpath.dirname(file) if context in ("", "**") else context
    link = link_to(folder or ".", posixpath.relpath(file, folder or "."), None)
    if link is not None:
        yield from (Build(name, link) for name in (image, f"{UNKNOWN}/{image}"))


def _set_by(node: Node) -> dict[str, str]:
    """The variables that a part of an Azure pipeline sets: a mapping, or a list of names and values; and parameters."""
    found = _variables(node)
    found |= {own[0].value: own[1].value for one in node.mappings("variables") if (own := _pair(one, "value"))}
    found |= {f"variables.{name}": text for name, text in found.items()}
    own_ones = (own for one in node.mappings("parameters") if (own := _pair(one, "default")))
    return found | {f"parameters.{name.value}": default.value for name, default in own_ones}


def _pair(node: Node, key: str) -> tuple[Scalar, Scalar] | None:
    name, value = node.scalar("name"), node.scalar(key)
    return (name, value) if name is not None and value is not None else None


def _chain(job: Node, jobs: dict[str, Node]) -> list[Node]:
    """A job and those that it extends, its own first."""
    found, waiting = [job], [job]
    while waiting and len(found) < _DEEPEST:
        for name in reversed(_texts(waiting.pop(0).get("extends"))):
            if name in jobs:
                found.append(jobs[name])
                waiting.append(jobs[name])
    return found


def _own_or_inherited(chain: list[Node], key: str) -> list[str]:
    return next((found for one in chain if (found := _texts(one.get(key)))), [])


def _variables(node: Node) -> dict[str, str]:
    found = {}
    for key, value in own.items if (own := node.mapping("variables")) is not None else ():
        text = value.scalar("value") if isinstance(value, Node) else value
        if isinstance(text, Scalar):
            found[key.value] = text.value
    return found


def _matrix(chain: list[Node]) -> list[dict[str, str]]:
    """The variables of each copy of a job."""
    rows = next((list(found) for one in chain if (found := _rows(one))), [])
    made: list[dict[str, str]] = []
    for row in rows[:_MOST]:
        made += copies([{key.value: text} for text in _texts(value)] for key, value in row.items)
    return made[:_MOST] or [{}]


def _rows(job: Node) -> list[Node]:
    parallel = job.mapping("parallel")
    return list(parallel.mappings("matrix")) if parallel is not None else []


def _texts(node: object) -> list[str]:
    if isinstance(node, Scalar):
        return [node.value]
    return [text for item in node.items for text in _texts(item)] if isinstance(node, Sequence) else []
