"""Which Dockerfile an image's name means."""

from __future__ import annotations

import sys

import pytest

from gracelint.launch.images.names import Dockerfiles, Link, find_dockerfile, repository_of
from gracelint.reading import read_project
from gracelint.report.trace import render
from gracelint.testing import request

SHOP = ["api/Dockerfile", "web/Dockerfile", "worker/Dockerfile.worker", "src/cart/src/Dockerfile"]


def find(image: str, dockerfiles: list[str] = SHOP, **known: dict) -> Link | None:  # type: ignore[type-arg]
    return find_dockerfile(image, Dockerfiles(dockerfiles), known.get("declared", {}), known.get("built", {}))


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("api", "api"),
        ("api:1.4.2", "api"),
        ("registry:5000/team/api", "registry:5000/team/api"),
        ("docker.io/team/api:1", "team/api"),
        ("registry:5000/team/api:1.4@sha256:abc", "registry:5000/team/api"),
    ],
)
def test_a_repository_is_the_reference_without_tag_and_digest(reference: str, repository: str) -> None:
    assert repository_of(reference) == repository


def test_what_another_project_is_made_from_builds_nothing_of_this_one() -> None:
    scaffold = "boilerplate/{{ cookiecutter.slug }}"
    places = ["api/Dockerfile", f"{scaffold}/api.Dockerfile"]

    ours = find_dockerfile("acme/api", Dockerfiles(places), {}, {}, asked_in="compose.yaml")
    theirs = find_dockerfile("acme/api", Dockerfiles(places), {}, {}, asked_in=f"{scaffold}/compose.yaml")

    assert ours is not None
    assert ours.dockerfile == "api/Dockerfile"
    assert theirs is not None
    assert theirs.dockerfile == f"{scaffold}/api.Dockerfile"


def test_one_named_for_development_is_not_meant_beside_another() -> None:
    found = find("acme/cart", ["cart/src/Dockerfile", "cart/src/Dockerfile.debug"])
    assert found is not None
    assert found.dockerfile == "cart/src/Dockerfile"
    alone = find("acme/cart", ["cart/src/Dockerfile.debug", "web/Dockerfile"])
    assert alone is not None
    assert alone.dockerfile == "cart/src/Dockerfile.debug"
    assert find("acme/cart", ["cart/a/Dockerfile", "cart/b/Dockerfile"]) is None


@pytest.mark.parametrize(
    ("image", "dockerfile"),
    [
        ("registry.example.com/team/api:1.4.2", "api/Dockerfile"),
        ("worker", "worker/Dockerfile.worker"),
        ("cart", "src/cart/src/Dockerfile"),
        ("acme/shop-web:latest", "web/Dockerfile"),
        ("acme/shop_web", "web/Dockerfile"),
    ],
)
def test_an_image_is_built_in_the_folder_it_is_named_after(image: str, dockerfile: str) -> None:
    assert find(image) == Link(dockerfile, "named")


@pytest.mark.parametrize("image", ["redis:7", "postgres", "my-web", "acme/apis", ""])
def test_other_images_are_not_ours(image: str) -> None:
    assert find(image) is None


@pytest.mark.parametrize(
    ("image", "dockerfile", "asked_in"),
    [
        ("acme/shop-api", "shop/api/Dockerfile", "deploy/shop.yaml"),
        ("acme/shop-api", "src/services/api/Dockerfile", "deploy/shop.yaml"),
        ("acme/shop-api", "examples/tour/api/Dockerfile", "examples/tour/shop.yaml"),
        ("acme/catalog-api", "src/Catalog_API/Dockerfile", "deploy/shop.yaml"),
    ],
)
def test_the_end_of_a_name_is_enough_where_no_folder_names_another_product(
    image: str, dockerfile: str, asked_in: str
) -> None:
    assert find_dockerfile(image, Dockerfiles([dockerfile]), {}, {}, asked_in=asked_in) == Link(dockerfile, "named")


@pytest.mark.parametrize(
    ("image", "dockerfile"),
    [
        ("acme/gradio-app", "chat/agent/app/Dockerfile"),
        ("acme/inference-server", "diffusion/build/server/Dockerfile"),
        ("acme/shop-api", "examples/tour/api/Dockerfile"),
    ],
)
def test_the_end_of_a_name_says_nothing_below_another_product(image: str, dockerfile: str) -> None:
    assert find_dockerfile(image, Dockerfiles([dockerfile]), {}, {}, asked_in="deploy/shop.yaml") is None


def test_two_candidates_are_no_link() -> None:
    assert find("acme/api", ["one/api/Dockerfile", "two/api/Dockerfile"]) is None


def test_a_dockerfile_in_the_root_has_no_name() -> None:
    assert find("registry.example.com/shop:2", ["Dockerfile"]) is None


@pytest.mark.parametrize(
    ("image", "dockerfile"),
    [
        ("acme/shop-server:2", "server/Dockerfile"),
        ("ghcr.io/acme/shop-server", "server/Dockerfile"),
        ("ghcr.io/library/sql-server", None),
    ],
)
def test_the_end_of_a_name_says_nothing_where_a_build_gives_another_name(image: str, dockerfile: str | None) -> None:
    known = Dockerfiles(["server/Dockerfile"])
    known.builds("server/Dockerfile", "shop/server")

    found = find_dockerfile(image, known, {}, {}, asked_in="compose.yaml")

    assert (found.dockerfile if found is not None else None) == dockerfile


@pytest.mark.parametrize("image", ["redis:7", "docker.io/library/redis", "grafana/grafana"])
def test_an_image_that_others_make_is_not_built_in_a_folder_of_its_name(image: str) -> None:
    assert find(image, ["redis/Dockerfile", "grafana/Dockerfile"]) is None


@pytest.mark.parametrize(
    ("image", "dockerfile"),
    [
        ("api", "docker/Dockerfile.api"),
        ("web", "docker/web.Dockerfile"),
        ("jobs", "docker/dockerfile-jobs"),
        ("mail", "docker/mail-Containerfile"),
        ("push", "docker/Dockerfile_push"),
    ],
)
def test_what_a_dockerfile_is_called_beside_itself_is_its_image_in_place_of_its_folder(
    image: str, dockerfile: str
) -> None:
    files = [f"docker/{name}" for name in ("Dockerfile.api", "web.Dockerfile", "dockerfile-jobs", "Dockerfile_push")]
    assert find(image, [*files, "docker/mail-Containerfile"]) == Link(dockerfile, "named")


def test_an_image_is_looked_up_and_not_compared_with_each_dockerfile() -> None:
    assert _calls(2_000) < 11 * _calls(200)


def _calls(subjects: int) -> int:
    """The functions that are called to find as many images among as many Dockerfiles."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        dockerfiles = Dockerfiles(
            f"team-{number % 20}/service-{subjects}-{number}/Dockerfile" for number in range(subjects)
        )
        for number in range(subjects):
            find_dockerfile(f"registry.example.com/shop/service-{subjects}-{number}:1", dockerfiles, {}, {})
    finally:
        sys.setprofile(None)
    return calls


def test_the_configuration_comes_first_then_what_compose_builds() -> None:
    built = {"acme/api": Link("other/Dockerfile", "built", "other", "prod")}
    assert find("acme/api:1", built=built) == Link("other/Dockerfile", "built", "other", "prod")
    assert find("acme/api:1", built=built, declared={"acme/api": "./mine/Dockerfile"}) == Link(
        "mine/Dockerfile", "declared"
    )


@pytest.mark.parametrize(
    ("image", "dockerfiles"),
    [("acme/api:1", ["api/Dockerfile"]), ("acme/blog", []), ("acme/cart", ["a/cart/Dockerfile", "b/cart/Dockerfile"])],
)
def test_which_dockerfiles_fit_a_name(image: str, dockerfiles: list[str]) -> None:
    known = Dockerfiles([*SHOP[:3], "a/cart/Dockerfile", "b/cart/Dockerfile"])
    assert known.fitting(repository_of(image)) == dockerfiles


@pytest.mark.parametrize(
    ("folders", "reason"),
    [
        ([], "no Dockerfile here fits its name"),
        (
            ["a/cart", "b/cart"],
            "2 Dockerfiles fit its name: a/cart/Dockerfile, b/cart/Dockerfile; `images` in the settings decides",
        ),
    ],
)
def test_trace_says_why_an_image_is_not_joined(folders: list[str], reason: str) -> None:
    files = {f"{folder}/Dockerfile": 'FROM debian:12\nCMD ["cart"]\n' for folder in folders}
    files["compose.yaml"] = "services:\n  cart:\n    image: ghcr.io/acme/cart:3\n"
    asked, _ = request(files, (), False)
    launches = [launch for launch in read_project(asked).launches if launch.service is not None]
    assert f"  image    ghcr.io/acme/cart:3: {reason}" in render(launches, "text").splitlines()
