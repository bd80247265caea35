"""Work grows with the input, and not with its square: what is counted are the calls that joining takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType

import pytest

from gracelint.behaviour.go.packages import Declared, Package
from gracelint.behaviour.go.requests import left_behind
from gracelint.behaviour.go.syntax import read_file
from gracelint.config import Configuration, matches
from gracelint.engine.copies import Copies
from gracelint.facts.dockerfile import Stage
from gracelint.finding import Finding
from gracelint.launch.desk import Desk, Stages
from gracelint.launch.images.layers import context_of, origin
from gracelint.launch.mounted import variables_of
from gracelint.launch.near import Aside, keys_of
from gracelint.launch.units import attach
from gracelint.parse.dockerfile import read_dockerfile
from gracelint.parse.kubernetes import Manifests, read_manifests
from gracelint.parse.yaml import read_documents
from gracelint.source import Source, Word
from gracelint.tree.files import ProjectFiles
from test_index import BUDGET, DEPLOYMENT, DOCKERFILE, SERVICE

FEW, MANY = 200, 2000
AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}}}
spec: {{minReplicas: 2, scaleTargetRef: {{kind: Deployment, name: {name}}}}}
"""


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those of the interpreter and steps of generators included."""
    count = 0

    def counted(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def manifests(size: int, folders: int, *texts: str) -> Manifests:
    sources = (
        Source(
            f"deploy/{number % folders}/{number}-{kind}.yaml", text.format(name=f"app-{number}", image=f"app-{number}")
        )
        for number in range(size)
        for kind, text in enumerate(texts)
    )
    return read_manifests(document for source in sources for document in read_documents(source))


def stages(size: int) -> dict[str, list[Stage] | None]:
    paths = (f"services/{number % 50}/app-{number}/Dockerfile" for number in range(size))
    return {path: read_dockerfile(Source(path, DOCKERFILE)) for path in paths}


def images_and_dockerfiles(size: int) -> Callable[[], object]:
    known = stages(size)
    desk = Desk(Stages(known, lambda _: []), (), ProjectFiles("/nowhere"), Configuration("/nowhere"))
    wanted = [(f"registry.example.com/team/app-{number}:1", f"{number}.yaml") for number in range(size)]

    def work() -> None:
        desk.count_users((), (), wanted)
        links = [desk.find(reference, path) for reference, path in wanted]
        assert all(link is not None and link.how == "named" for link in links)
        assert all(desk.users(one) == 1 for each in known.values() for one in each or ())

    return work


def objects_of_one_kind(text: str, folders: int) -> Callable[[int], Callable[[], object]]:
    def prepared(size: int) -> Callable[[], object]:
        found = manifests(size, folders, DEPLOYMENT, text)
        return lambda: attach(found)

    return prepared


def copies(size: int) -> Callable[[], object]:
    sources = [Source(f"{number}/Dockerfile", DOCKERFILE) for number in range(size)]
    findings = [Finding("a defect", source.span(0, 4)) for source in sources]
    known = Copies()
    return lambda: {key for finding in findings for key in known.keys("rule", finding, None)}


def keys_that_lead_on(size: int) -> Callable[[], object]:
    found = manifests(size, 50, DEPLOYMENT, SERVICE)
    aside = Aside({path: tuple(keys) for path, keys in keys_of(found).items()})
    return lambda: aside.joined_with(key for keys in aside.keys.values() for key in keys)


def files_of_an_image(size: int) -> Callable[[], object]:
    copied = "".join(f"COPY part-{number} /app/part-{number}\n" for number in range(size // 10))
    (stage,) = read_dockerfile(Source("Dockerfile", f"FROM python:3.12-slim\n{copied}"))
    files = ProjectFiles("/nowhere")
    context_of(stage, files)
    return lambda: [origin(stage, files, "", "/app/missing.py") for _ in range(10)]


def goroutines_that_requests_start(size: int) -> Callable[[], object]:
    lines = "".join(f"func work{number}() {{ use({number}) }}\n" for number in range(size))
    starts = "".join(f"\tgo work{number}()\n" for number in range(size))
    text = f"package main\n\n{lines}\nfunc serve(w http.ResponseWriter) {{\n{starts}}}\n"
    file = read_file(Source("main.go", text))
    assert file is not None
    own = [one for one in file.root.named_children if one.type == "function_declaration"]
    package = Package("main", [file])
    package.functions.update({str(number): Declared(file, one, package) for number, one in enumerate(own)})
    return lambda: left_behind([package])


def functions_that_are_named_once(size: int) -> Callable[[], object]:
    text = "".join(f"func work{number}() {{ use({number}) }}\n" for number in range(size))
    file = read_file(Source("main.go", f"package main\n\n{text}"))
    assert file is not None
    package = Package("main", [file])
    return lambda: [package.times_named(f"work{number}".encode()) for number in range(size)]


CASES: dict[str, Callable[[int], Callable[[], object]]] = {
    "image names and Dockerfiles": images_and_dockerfiles,
    "Services and workloads": objects_of_one_kind(SERVICE, 50),
    "Services and workloads of one folder": objects_of_one_kind(SERVICE, 1),
    "disruption budgets": objects_of_one_kind(BUDGET, 50),
    "autoscalers": objects_of_one_kind(AUTOSCALER, 50),
    "copies of a finding": copies,
    "keys of files": keys_that_lead_on,
    "layers of an image": files_of_an_image,
    "goroutines that requests start": goroutines_that_requests_start,
    "functions that are named once": functions_that_are_named_once,
}


@pytest.mark.parametrize("case", CASES)
def test_ten_times_the_subjects_take_ten_times_the_calls(case: str) -> None:
    few, many = (calls(CASES[case](size)) for size in (FEW, MANY))
    assert few > FEW // 10
    assert many < 11 * few, f"{few} calls for {FEW}, {many} for {MANY}"


def test_what_grows_with_the_square_would_be_seen() -> None:
    def compared(numbers: Iterable[int]) -> Callable[[], object]:
        listed = [str(number) for number in numbers]
        return lambda: [one for one in listed if any(one.startswith(f"{other}-") for other in listed)]

    assert calls(compared(range(300))) > 50 * calls(compared(range(30)))


def test_a_path_is_asked_once_for_all_globs() -> None:
    globs = tuple(f"d{number}/*.yaml" for number in range(MANY))
    assert matches("d7/web.yaml", globs)
    assert calls(lambda: matches("d8/deep/web.yaml", globs)) < 50


def test_a_config_map_is_read_once_for_all_containers_that_take_it() -> None:
    keys = "".join(f"  key{number}: x\n" for number in range(400))
    containers = "{name: a, image: a, envFrom: [{configMapRef: {name: settings}}]}, " * FEW
    config_map = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata:\n{keys}"
    pod = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{containers}]}}\n"
    (workload,) = attach(read_manifests(read_documents(Source("pod.yaml", f"{config_map}---\n{pod}"))))
    found: list[dict[str, Word | None]] = []
    count = calls(lambda: found.extend(variables_of(workload, container) for container in workload.containers))
    assert [len(each) for each in found] == [400] * FEW
    assert count < 50 * (400 + FEW)
