"""What GitHub workflows say of the images they build."""

from __future__ import annotations

import pytest

from gracelint.launch.builds import metadata
from test_builds import pod

MATRIX = """\
on: push
jobs:
  image:
    strategy:
      matrix:
        include:
          - {os: one, file: docker/one.Dockerfile}
          - {os: two, file: docker/two.Dockerfile}
    steps:
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: acme/shop
          flavor: latest=false
          tags: |
            type=semver,pattern={{version}},suffix=-${{ matrix.os }}
            type=semver,pattern={{version}},enable=${{ matrix.os == 'two' }}
            type=raw,value=${{ matrix.os }}
            # type=sha
      - uses: docker/build-push-action@v6
        with: {file: '${{ matrix.file }}', tags: '${{ steps.meta.outputs.tags }}'}
"""


@pytest.mark.parametrize(
    ("image", "dockerfile"),
    [
        ("acme/shop", "docker/two.Dockerfile"),
        ("acme/shop:2.1", "docker/two.Dockerfile"),
        ("acme/shop:2.1-one", "docker/one.Dockerfile"),
        ("docker.io/acme/shop:2.1-two", "docker/two.Dockerfile"),
        ("acme/shop:one", "docker/one.Dockerfile"),
    ],
)
def test_tags_tell_the_copies_of_a_matrix_apart(image: str, dockerfile: str) -> None:
    launch = pod(image, {".github/workflows/image.yml": MATRIX})

    assert launch.stage is not None
    assert launch.stage.source.path == dockerfile


@pytest.mark.parametrize(
    "changed",
    [
        MATRIX.replace("flavor: latest=false", ""),
        MATRIX.replace(",enable=${{ matrix.os == 'two' }}", ",enable=${{ github.ref == 'x' }}"),
        MATRIX.replace(",suffix=-${{ matrix.os }}", ",suffix=${{ steps.a.outputs.b }}"),
    ],
)
def test_two_builds_that_may_have_one_tag_build_nothing(changed: str) -> None:
    assert changed != MATRIX
    assert pod("acme/shop", {".github/workflows/image.yml": changed}).stage is None


STEP = """\
on: push
jobs:
  image:
    steps:
{steps}
"""


@pytest.mark.parametrize(
    ("image", "steps"),
    [
        (
            "acme/shop:1",
            "      - uses: actions/checkout@v5\n        with: {path: shop}\n"
            "      - uses: docker/build-push-action@v6\n"
            "        with: {context: ./shop, file: shop/docker/two.Dockerfile, tags: docker.io/acme/shop}\n",
        ),
        (
            "ghcr.io/acme/till:1",
            "      - uses: docker/metadata-action@v5\n"
            "        with: {images: 'ghcr.io/${{ github.repository_owner }}/till'}\n"
            "      - uses: docker/build-push-action@v6\n        with:\n"
            "          file: docker/two.Dockerfile\n"
            "          outputs: 'type=image,name=${{ env.NAMES }},push-by-digest=true'\n",
        ),
        (
            "ghcr.io/acme/till:1",
            "      - uses: docker/metadata-action@v5\n"
            "        with: {images: 'ghcr.io/${{ github.repository_owner }}/till'}\n"
            "      - uses: docker/build-push-action@v6\n        with:\n"
            "          file: docker/two.Dockerfile\n"
            '          outputs: type=image,"name=${{ env.NAMES }}",push-by-digest=true\n',
        ),
    ],
)
def test_a_build_is_joined_by_what_its_steps_say(image: str, steps: str) -> None:
    files = {".github/workflows/image.yml": STEP.format(steps=steps), "go.mod": "module github.com/acme/shop\n"}

    launch = pod(image, files)

    assert launch.stage is not None
    assert launch.stage.source.path == "docker/two.Dockerfile"


def test_a_fork_is_called_as_its_workflow_asks_for() -> None:
    steps = (
        "      - uses: docker/build-push-action@v6\n        if: github.repository == 'fork/shop'\n"
        "        with: {file: docker/two.Dockerfile, tags: 'ghcr.io/${{ github.repository_owner }}/till'}\n"
    )
    files = {".github/workflows/image.yml": STEP.format(steps=steps), "go.mod": "module github.com/acme/shop\n"}

    assert pod("ghcr.io/acme/till", files).stage is None
    launch = pod("ghcr.io/fork/till", files)

    assert launch.stage is not None
    assert launch.stage.source.path == "docker/two.Dockerfile"


def test_a_build_in_another_checkout_is_none_of_this_repository() -> None:
    steps = (
        "      - uses: actions/checkout@v5\n        with: {path: other, repository: acme/other}\n"
        "      - uses: docker/build-push-action@v6\n"
        "        with: {context: ./other, file: other/docker/two.Dockerfile, tags: acme/shop}\n"
    )

    assert pod("acme/shop", {".github/workflows/image.yml": STEP.format(steps=steps)}).stage is None


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"images": "shop"}, ["shop"]),
        (
            {"images": "a/shop\nname=b/shop,enable=true", "tags": "edge", "flavor": "latest=false"},
            ["a/shop:edge", "b/shop:edge"],
        ),
        ({"images": "shop", "flavor": "suffix=-old,onlatest=true"}, ["shop:*-old"]),
        ({"images": "shop", "flavor": "prefix=old-"}, ["shop:old-*", "shop"]),
        ({"images": "shop", "tags": "type=sha,enable=false\ntype=raw,value=1", "flavor": "latest=false"}, ["shop:1"]),
        ({}, []),
    ],
)
def test_names_of_the_metadata_action(options: dict[str, str], names: list[str]) -> None:
    assert list(metadata.names(options, {})) == names
