"""Images that GitHub workflows build with the actions of `builds.toml`."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.facts.yaml import Mapping as Node
from gracelint.knowledge import table
from gracelint.launch.builds.commands import put_in
from gracelint.launch.builds.declared import UNKNOWN, Build, copies, document, link_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gracelint.facts.files import Files
    from gracelint.launch.images.names import Link

_MOST = 400
"""Jobs of a workflow, those of a matrix once for each copy, with what they call."""
_NAMED = pattern(r"\bname=((?:\$\{\{[^}]{0,500}\}\}|[^,\s$\"'])+)")
"""What an image without tags is called in `outputs: type=image,name=…,push-by-digest=true`."""
_ONLY_IN = pattern(r"\bgithub\.repository[ \t]*==[ \t]*['\"]([\w.-]{1,100}/[\w.-]{1,100})['\"]")
_OUTPUT = pattern(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.tags\s*\}\}")


def pushed(files: Files, path: str) -> Iterator[Build]:
    """The builds of a workflow's steps, and of the workflows and actions here that it calls with values of its own."""
    root = _document(files, path)
    if root is not None:
        room = iter(range(_MOST))
        given = _given(files, path) if "github." in files.glance(path) else {}
        for job in _jobs(root):
            yield from _of_job(files, job, {**given, **_texts(root.mapping("env"))}, room)


def _given(files: Files, path: str) -> dict[str, str]:
    """What GitHub itself sets: the name of the repository, as a fork's workflow asks for it, else as its files say."""
    from gracelint.launch.builds.address import address

    asked = set(_ONLY_IN.findall(files.glance(path)))
    name = asked.pop() if len(asked) == 1 else address(files)
    if name is None:
        return {}
    owner, _, short = name.partition("/")
    return {"github.repository": name, "github.repository_owner": owner, "github.event.repository.name": short}


@lru_cache(maxsize=16)
def _document(files: Files, path: str) -> Node | None:
    return document(path, files.glance(path))


def _jobs(workflow: Node) -> Iterator[Node]:
    jobs = workflow.mapping("jobs")
    return (job for _, job in (jobs.items if jobs is not None else ()) if isinstance(job, Node))


def _of_job(files: Files, job: Node, variables: dict[str, str], room: Iterator[int]) -> Iterator[Build]:
    """The builds of a job, once for each copy that its matrix makes."""
    for values in _matrix(job):
        if next(room, None) is None:
            return
        its = {**variables, **_texts(job.mapping("env")), **values}
        steps = list(job.mappings("steps"))
        yield from _of_steps(files, steps, its, room)
        called = _called(files, job, its, ())
        if called is not None:
            for other in _jobs(called[0]):
                yield from _of_job(files, other, called[1], room)


def _of_steps(files: Files, steps: list[Node], variables: dict[str, str], room: Iterator[int]) -> Iterator[Build]:
    for step in steps:
        uses, given = step.scalar("uses"), step.mapping("with")
        row = table("builds")["actions"].get(uses.value.partition("@")[0]) if uses is not None else None
        if row is not None and given is not None:
            yield from _of_action(row, _texts(given), steps, variables)
            continue
        called = _called(files, step, variables, ("action.yml", "action.yaml"))
        if called is not None and next(room, None) is not None:
            inner = called[0].mapping("runs")
            yield from _of_steps(files, list(inner.mappings("steps")) if inner is not None else [], called[1], room)


def _called(
    files: Files, caller: Node, variables: dict[str, str], names: tuple[str, ...]
) -> tuple[Node, dict[str, str]] | None:
    """The workflow, or the action with one of these names, that `uses: ./…` means, and its inputs."""
    uses = caller.scalar("uses")
    if uses is None or not uses.value.startswith("./"):
        return None
    place = posixpath.normpath(uses.value)
    path = next((at for name in names if files.exists(at := posixpath.join(place, name))), place)
    root = _document(files, path) if path.endswith((".yml", ".yaml")) and files.exists(path) else None
    if root is None:
        return None
    declared = root.mapping("inputs") or root.mapping("on", "workflow_call", "inputs")
    found = {}
    for name, one in declared.items if declared is not None else ():
        default = one.scalar("default") if isinstance(one, Node) else None
        if default is not None:
            found[f"inputs.{name.value}"] = default.value
    found |= {f"inputs.{name}": put_in(text, variables) for name, text in _texts(caller.mapping("with")).items()}
    return root, {**_texts(root.mapping("env")), **found}


def _of_action(
    row: Mapping[str, str], options: dict[str, str], steps: list[Node], variables: dict[str, str]
) -> Iterator[Build]:
    """What a step builds whose action has its options called as a row of `builds.toml` says."""

    def told(key: str) -> str:
        return put_in(options.get(row.get(key, ""), ""), variables)

    place = _checkout(steps)
    context, file = (_in_checkout(path, place) for path in (told("context") or ".", told("file")))
    inside = posixpath.relpath(file, context) if file and UNKNOWN not in context else None
    arguments = tuple(_arguments(options.get("build-args", ""), variables))
    link = link_to(context, inside, told("target") or None, arguments)
    if link is None or UNKNOWN in file:
        return
    image = told("image")
    names = (image,) if image else (options.get(row.get("tags", ""), ""), *_NAMED.findall(options.get("outputs", "")))
    yield from _named("\n".join(names), link, steps, variables)


def _checkout(steps: list[Node]) -> str:
    """The folder that a job puts this repository in; empty where that is the one it works in."""
    paths = {
        posixpath.normpath(path.value) if (path := step.scalar("with", "path")) is not None else ""
        for step in steps
        if (uses := step.scalar("uses")) is not None
        and uses.value.startswith("actions/checkout@")
        and step.scalar("with", "repository") is None
    }
    return paths.pop() if len(paths) == 1 else ""


def _in_checkout(path: str, place: str) -> str:
    """A path of a job as it is in the repository."""
    plain = posixpath.normpath(path) if place and path else ""
    return posixpath.relpath(plain, place) if plain and f"{plain}/".startswith(f"{place}/") else path


def _arguments(text: str, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The build arguments of which all is known."""
    for line in text.splitlines():
        key, equals, value = put_in(line.strip(), variables).partition("=")
        if equals and UNKNOWN not in key + value:
            yield key, value


def _named(text: str, link: Link, steps: list[Node], variables: dict[str, str]) -> Iterator[Build]:
    """A build by the names that a step gives to its image, those of docker/metadata-action put in."""
    output = _OUTPUT.search(text)
    if output is not None:
        text = text.replace(output[0], "")
        yield from _described((step for step in steps if _is_called(step, output[1])), link, variables)
    # a variable may hold several
    names = [one.strip() for tag in re.split(r"[\n,]", text) for one in put_in(tag, variables).split(",")]
    known = [name for name in names if name.strip(f"{UNKNOWN} ")]
    yield from (Build(name, link) for name in known)
    if any(names) and not known and output is None:
        # pushed by its digest under a name that a script has put together of the same ones
        described = [step for step in steps if _is_metadata(step)]
        yield from _described(described, link, variables) if len(described) == 1 else ()


def _described(steps: Iterable[Node], link: Link, variables: dict[str, str]) -> Iterator[Build]:
    from gracelint.launch.builds.metadata import names

    for step in steps:
        for name in names(_texts(step.mapping("with")), variables):
            if name.partition(":")[0].strip(f"{UNKNOWN}/ "):
                yield Build(name, link, aside=":" in posixpath.basename(name))


def _is_called(step: Node, name: str) -> bool:
    own = step.scalar("id")
    return own is not None and own.value == name


def _is_metadata(step: Node) -> bool:
    uses = step.scalar("uses")
    return uses is not None and uses.value.startswith("docker/metadata-action@")


def _texts(node: Node | None) -> dict[str, str]:
    from gracelint.facts.yaml import Scalar

    return {key.value: value.value for key, value in node.items if isinstance(value, Scalar)} if node else {}


def _matrix(job: Node) -> list[dict[str, str]]:
    """The values of a job's matrix: one of each list with one another, and those of `include`."""
    from gracelint.facts.yaml import Scalar, Sequence

    matrix = job.mapping("strategy", "matrix")
    if matrix is None:
        return [{}]
    choices = []
    for key, value in matrix.items:
        if isinstance(value, Sequence) and key.value not in ("include", "exclude"):
            texts = [item.value for item in value.items if isinstance(item, Scalar)]
            rows = [_texts_of(item) for item in value.items]
            choices.append(
                [{f"matrix.{key.value}": text} for text in texts]
                or [{f"matrix.{key.value}.{name}": text for name, text in row.items()} for row in rows]
            )
    found = copies(choices)
    included = [{f"matrix.{name}": text for name, text in _texts(item).items()} for item in matrix.mappings("include")]
    return [one for one in (*found, *included) if one or not included] or [{}]


def _texts_of(node: object) -> dict[str, str]:
    return _texts(node) if isinstance(node, Node) else {}
