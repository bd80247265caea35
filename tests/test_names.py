"""Which Dockerfile an image's name means."""

from __future__ import annotations

import pytest

from gracelint.launch.names import Link, find_dockerfile, repository_of

SHOP = ["api/Dockerfile", "web/Dockerfile", "worker/Dockerfile.worker", "src/cart/src/Dockerfile"]


def find(image: str, dockerfiles: list[str] = SHOP, root: str = "shop", **known: dict) -> Link | None:  # type: ignore[type-arg]
    return find_dockerfile(image, dockerfiles, root, known.get("declared", {}), known.get("built", {}))


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("api", "api"),
        ("api:1.4.2", "api"),
        ("registry:5000/team/api", "registry:5000/team/api"),
        ("registry:5000/team/api:1.4@sha256:abc", "registry:5000/team/api"),
    ],
)
def test_a_repository_is_the_reference_without_tag_and_digest(reference: str, repository: str) -> None:
    assert repository_of(reference) == repository


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


def test_two_candidates_are_no_link() -> None:
    assert find("acme/api", ["one/api/Dockerfile", "two/api/Dockerfile"]) is None


def test_a_dockerfile_in_the_root_is_named_after_the_root() -> None:
    assert find("registry.example.com/shop:2", ["Dockerfile"]) == Link("Dockerfile", "named")


def test_the_ending_of_a_dockerfile_is_its_image_in_place_of_its_folder() -> None:
    files = ["docker/Dockerfile.api", "docker/web.Dockerfile"]
    assert find("api", files) == Link("docker/Dockerfile.api", "named")
    assert find("web", files) == Link("docker/web.Dockerfile", "named")


def test_the_configuration_comes_first_then_what_compose_builds() -> None:
    built = {"acme/api": Link("other/Dockerfile", "built", "other", "prod")}
    assert find("acme/api:1", built=built) == Link("other/Dockerfile", "built", "other", "prod")
    assert find("acme/api:1", built=built, declared={"acme/api": "./mine/Dockerfile"}) == Link(
        "mine/Dockerfile", "declared"
    )
