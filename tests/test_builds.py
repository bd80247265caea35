"""What the repository itself says of the images it builds."""

from __future__ import annotations

from time import process_time

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.testing import read

TWO = {
    "docker/one.Dockerfile": 'FROM python:3.12-slim\nCMD ["python", "one.py"]\n',
    "docker/two.Dockerfile": 'FROM python:3.12-slim\nCMD ["python", "two.py"]\n',
}
BUILD = "docker build -t acme/shop -f docker/two.Dockerfile ."
POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: shop}}\nspec: {{containers: [{{name: shop, image: {image}}}]}}\n"


def pod(image: str, files: dict[str, str]) -> Launch:
    """The launch of a pod with an image, in a project of two Dockerfiles that are not named like it."""
    found = read({**TWO, **files, "pod.yaml": POD.format(image=image)}).launches
    return next(launch for launch in found if launch.origin.kind == "kubernetes")


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": "IMAGE ?= acme/shop\n\nimage:\n\tdocker build -t $(IMAGE):$(TAG) -f docker/two.Dockerfile .\n"},
        {"Makefile": "image:\n\tdocker build \\\n\t  --file=docker/two.Dockerfile \\\n\t  --tag=acme/shop:1 .\n"},
        {"package.json": '{"scripts": {"image": "docker buildx build -f docker/two.Dockerfile -t acme/shop ."}}'},
        {"scripts/build.sh": 'REPO=acme\ndocker build . -t "$REPO/shop:${TAG:-dev}" -f docker/two.Dockerfile\n'},
        {"hack/build.sh": "podman build -f docker/two.Dockerfile -t acme/shop --build-arg A=1 .\n"},
        {"docker/build.sh": "docker build -f two.Dockerfile -t acme/shop .\n"},
        {"Makefile": "test:\n\tpytest\n", "build.sh": "docker build -f docker/two.Dockerfile -t acme/shop .\n"},
        {"build.sh": "cd docker && docker build -f two.Dockerfile -t acme/shop .\n"},
        {".gitlab-ci.yml": "a:\n  script:\n    - docker build -t acme/shop:$CI_TAG -f docker/two.Dockerfile .\n"},
        {
            ".gitlab-ci.yml": (
                "include:\n  - local: /.gitlab/jobs.yml\nimage:\n  extends: .image\n  variables: {NAME: acme/shop}\n"
            ),
            ".gitlab/jobs.yml": ".image:\n  script: [docker build -t $NAME:$CI_TAG -f docker/two.Dockerfile .]\n",
        },
        {"justfile": "image:\n    docker build -t acme/shop -f docker/two.Dockerfile .\n"},
        {"Taskfile.yml": "tasks:\n  image:\n    cmds:\n      - docker build -t acme/shop -f docker/two.Dockerfile .\n"},
        {"Tiltfile": "docker_build('acme/shop', '.', dockerfile='docker/two.Dockerfile')\n"},
        {
            "Tiltfile": (
                "for n in ['shop']:\n  docker_build('acme/' + n, '.', dockerfile='docker/%s.Dockerfile' % 'two')\n"
            )
        },
        {"Tiltfile": "custom_build('acme/shop', 'docker build -f docker/two.Dockerfile -t $EXPECTED_REF .', ['.'])\n"},
        {
            "skaffold.yaml": (
                "build:\n  artifacts:\n    - image: acme/shop\n      context: docker\n"
                "      docker: {dockerfile: two.Dockerfile}\n"
            )
        },
        {
            "skaffold.yaml": (
                "build:\n  artifacts:\n    - image: acme/shop\n      kaniko: {dockerfile: docker/two.Dockerfile}\n"
            )
        },
        {"Jenkinsfile": "node { docker.build(\"acme/shop:${env.BUILD_ID}\", '-f docker/two.Dockerfile .') }\n"},
        {".circleci/config.yml": "jobs: {a: {steps: [run: docker build -t acme/shop -f docker/two.Dockerfile .]}}\n"},
        {
            ".gitlab-ci.yml": (
                "a:\n  script:\n    - /kaniko/executor --context $CI_PROJECT_DIR --destination acme/shop:$CI_TAG"
                " --dockerfile $CI_PROJECT_DIR/docker/two.Dockerfile\n"
            )
        },
        {
            "ci/images.gitlab-ci.yml": (
                "variables: {REPO: {value: acme}}\n"
                ".image:\n  script:\n    - docker buildx build -t $REPO/$NAME -f $FILE .\n"
                "shop:\n  extends: .image\n  variables: {NAME: shop, FILE: docker/two.Dockerfile}\n"
                "till:\n  extends: [.image]\n  variables: {NAME: till, FILE: docker/one.Dockerfile}\n"
            )
        },
        {
            ".gitlab-ci.yml": (
                "spec: {inputs: {stage: {default: build}}}\n---\n"
                "a:\n  script: [docker build -t acme/shop -f docker/two.Dockerfile .]\n"
            )
        },
        {
            ".gitlab-ci.yml": (
                "a:\n  script: [docker build -t acme/$NAME -f docker/$FILE.Dockerfile .]\n  parallel:\n    matrix:\n"
                "      - {NAME: till, FILE: one}\n      - {NAME: [shop, shelf], FILE: two}\n"
            )
        },
        {
            "cloudbuild.yaml": (
                "steps:\n- name: gcr.io/cloud-builders/docker\n  dir: docker\n"
                "  args: [build, -t, 'acme/shop:$COMMIT_SHA', -f, two.Dockerfile, .]\n"
            )
        },
        {
            "azure-pipelines.yml": (
                "variables:\n  name: acme/shop\n  file: '$(Build.SourcesDirectory)/docker/two.Dockerfile'\n"
                "stages:\n- stage: a\n  jobs:\n  - job: b\n    steps:\n    - task: Docker@2\n      inputs:\n"
                "        command: buildAndPush\n        repository: $(name)\n        dockerfile: $(file)\n"
                "        tags: $(tag)\n"
            )
        },
        {
            "deploy/azure-pipelines.release.yml": (
                "parameters:\n- {name: which, default: two}\n"
                "jobs:\n- job: b\n  variables:\n  - {name: repo, value: shop}\n  steps:\n"
                "  - task: Docker@2\n    inputs:\n      containerRegistry: acme\n      buildContext: .\n"
                "      repository: ${{ variables.repo }}\n"
                "      Dockerfile: docker/${{ parameters.which }}.Dockerfile\n"
            )
        },
        {
            ".goreleaser.yaml": (
                "dockers:\n- image_templates: ['acme/shop:{{ .Tag }}-amd64']\n  dockerfile: docker/two.Dockerfile\n"
            )
        },
        {
            "docker-bake.hcl": (
                'variable "REG" { default = "acme" }\n'
                'function "tags" {\n  params = [name]\n  result = ["${REG}/${name}:latest"]\n}\n'
                'target "all" {\n  matrix = { item = [{ n = "till", f = "one" }, { n = "shop", f = "two" }] }\n'
                '  name = item.n\n  dockerfile = "docker/${item.f}.Dockerfile"\n  tags = ["acme/${item.n}"]\n}\n'
                'target "two" {\n  dockerfile = "docker/two.Dockerfile"\n  tags = tags("shop")\n}\n'
            )
        },
        {
            "deploy/bake.hcl": 'target "shop" {\n  dockerfile = "docker/two.Dockerfile"\n  tags = ["acme/shop"]\n}\n',
        },
        {
            "docker-bake.hcl": (
                'variable "TAG" { default = "latest" }\n'
                'target "base" {\n  context = "."\n  args = { A = "1" }\n}\n'
                'target "shop" {\n  inherits = ["base"]\n  dockerfile = "docker/two.Dockerfile"\n'
                '  tags = ["acme/shop:${TAG}", "acme/shop:next"]\n}\n'
            )
        },
        {
            "docker-bake.hcl": (
                'target "all" {\n  matrix = { item = ["one", "two"] }\n  name = "all-${item}"\n'
                '  dockerfile = "docker/${item}.Dockerfile"\n  tags = [item == "two" ? "x" : "y", "acme/${item}"]\n}\n'
                'target "shop" { # the shop\n  dockerfile = "docker/two.Dockerfile"\n  tags = ["acme/shop"]\n}\n'
            )
        },
        {
            "docker-bake.json": '{"target": {"shop": {"dockerfile": "docker/two.Dockerfile", "tags": ["acme/shop"]}}}',
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n"
                "      - uses: docker/build-push-action@v6\n        with:\n          context: .\n"
                "          file: docker/two.Dockerfile\n          tags: |\n            acme/shop:latest\n"
            )
        },
        {
            ".github/workflows/image.yml": (
                "on: push\nenv:\n  REPO: acme\njobs:\n  image:\n    runs-on: ubuntu-latest\n    strategy:\n"
                "      matrix:\n        include:\n          - {name: till, file: docker/one.Dockerfile}\n"
                "          - {name: shop, file: docker/two.Dockerfile}\n    steps:\n"
                "      - id: meta\n        uses: docker/metadata-action@v5\n        with:\n"
                "          images: ${{ env.REPO }}/${{ matrix.name }}\n"
                "      - uses: docker/build-push-action@v6\n        with:\n          file: ${{ matrix.file }}\n"
                "          tags: ${{ steps.meta.outputs.tags }}\n"
            )
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    strategy:\n"
                "      matrix:\n        include:\n"
                "          - {tags: 'acme/till,ghcr.io/acme/till', file: docker/one.Dockerfile}\n"
                "          - {tags: 'acme/shop:1, ghcr.io/acme/shop', file: docker/two.Dockerfile}\n    steps:\n"
                "      - uses: docker/build-push-action@v6\n        with:\n          file: ${{ matrix.file }}\n"
                "          tags: ${{ matrix.tags }}\n"
            )
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    env:\n      IMAGE: acme/shop\n    steps:\n"
                "      - uses: docker/build-push-action@v6\n        with:\n          file: docker/two.Dockerfile\n"
                "          outputs: type=image,name=${{ a == 'x' && env.CACHE || env.IMAGE }},push=true\n"
                "      - uses: docker/build-push-action@v6\n        with:\n          file: docker/two.Dockerfile\n"
                "          target: dev\n          outputs: type=image,name=acme/shop,push-by-digest=true\n"
                "      - uses: docker/build-push-action@v6\n        with:\n          file: docker/two.Dockerfile\n"
                "          build-args: VERSION=2\n          outputs: type=image,name=acme/shop,push-by-digest=true\n"
            )
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    strategy:\n"
                "      matrix:\n        which: [one, two]\n    steps:\n"
                "      - run: docker build -f docker/two.Dockerfile -t ${{ github.repository_owner }}/shop:1 .\n"
            )
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    steps:\n      - uses: redhat-actions/buildah-build@v2\n"
                "        with: {image: acme/shop, tags: v1, containerfiles: docker/two.Dockerfile}\n"
            )
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    strategy: {matrix: {name: [shop, till]}}\n"
                "    uses: ./.github/workflows/build.yml\n"
                "    with: {image: 'acme/${{ matrix.name }}', file: docker/two.Dockerfile}\n"
            ),
            ".github/workflows/build.yml": (
                "on: {workflow_call: {inputs: {image: {type: string}, file: {type: string}}}}\n"
                "jobs:\n  b:\n    steps:\n      - uses: ./.github/actions/build\n"
                "        with: {image: '${{ inputs.image }}', file: '${{ inputs.file }}'}\n"
            ),
            ".github/actions/build/action.yml": (
                "inputs: {image: {}, file: {}, tag: {default: latest}}\nruns:\n  using: composite\n  steps:\n"
                "    - uses: docker/build-push-action@v6\n"
                "      with: {file: '${{ inputs.file }}', tags: '${{ inputs.image }}:${{ inputs.tag }}'}\n"
            ),
        },
    ],
    ids=lambda files: next(iter(files)),
)
def test_a_build_that_names_image_and_dockerfile_joins_them(files: dict[str, str]) -> None:
    launch = pod("acme/shop:1.2", files)
    assert launch.stage is not None
    assert (launch.stage.source.path, launch.link) == ("docker/two.Dockerfile", "built")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"Makefile": "image:\n\tdocker build -t $(IMAGE) -f docker/two.Dockerfile .\n"},
        {"Makefile": "image:\n\tdocker build -t acme/shop -f docker/$(WHICH).Dockerfile .\n"},
        {"Makefile": f"a:\n\t{BUILD}\nb:\n\t{BUILD.replace('two', 'one')}\n"},
        {"Makefile": "image:\n\tdocker build -f docker/two.Dockerfile .\n\tdocker push acme/shop\n"},
        {"docker-bake.hcl": 'target "shop" {\n  dockerfile = "docker/two.Dockerfile"\n}\n'},
        {"docker-bake.hcl": "target {{{{ tags = [[[" * 200},
        {"docker-bake.hcl": 'target "a" {\n  dockerfile = item.f\n  tags = f(f("acme/shop"))\n}\n'},
        {"Tiltfile": "docker_build('acme/shop', '.', dockerfile=find('two'))\n"},
        {"Tiltfile": "docker_build(find('shop'), '.', dockerfile='docker/two.Dockerfile')\n"},
        {"Tiltfile": "docker_build(" + "+".join(["'a'"] * 5_000) + ", '.')\n"},
        {
            "Tiltfile": "for a in [1, 2]:\n"
            + "".join(f"{' ' * n}for b in [1, 2]:\n" for n in range(1, 18))
            + " " * 18
            + "f()\n"
        },
        {".gitlab-ci.yml": "a:\n  extends: a\n  script: [docker build -t acme/shop -f $FILE .]\n"},
        {"cloudbuild.yaml": "steps:\n- {name: docker, args: [build, -t, acme/shop, -f, $_FILE, .]}\n"},
        {"azure-pipelines.yml": "steps:\n- {task: Docker@2, inputs: {repository: acme/shop}}\n"},
        {
            "azure-pipelines.yml": (
                "steps:\n- task: Docker@2\n"
                "  inputs: {command: push, repository: acme/shop, dockerfile: docker/two.Dockerfile}\n"
            )
        },
        {"azure-pipelines.yml": "steps:\n- {task: Docker@2, inputs: {repository: acme/shop, dockerfile: $(which)}}\n"},
        {".goreleaser.yaml": "dockers:\n- {image_templates: ['{{ .Env.REPO }}'], dockerfile: docker/two.Dockerfile}\n"},
        {
            "skaffold.yaml": "build: {artifacts: [{image: acme/shop, context: docker, bazel: {target: //shop}}]}\n",
            "docker/Dockerfile": "FROM a\n",
        },
        {
            ".github/workflows/image.yml": (
                "on: push\njobs:\n  image:\n    uses: ./.github/workflows/image.yml\n    with: {image: acme/shop}\n"
                "  b:\n    steps:\n    - uses: docker/build-push-action@v6\n"
                "      with: {file: '${{ inputs.file }}', tags: '${{ inputs.image }}'}\n"
            )
        },
    ],
    ids=str,
)
def test_what_names_only_one_of_them_joins_nothing(files: dict[str, str]) -> None:
    assert pod("acme/shop:1.2", files).stage is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"name": "a", "repository": {"url": "git+https://github.com/acme/shop.git"}}\n'),
        ("go.mod", "module github.com/acme/shop\n\nrequire github.com/acme/till v1.0.0\n"),
        ("README.md", "See https://github.com/Acme/Shop/actions of https://github.com/acme/shop.\n"),
        ("pyproject.toml", '[project.urls]\nRepository = "https://github.com/acme/shop"\n'),
        (
            "pyproject.toml",
            'url = "https://github.com/acme/shop/"\nx = {url = "https://github.com/acme/x/releases/x.whl"}\n',
        ),
    ],
)
def test_an_image_called_as_the_repository_is(path: str, text: str) -> None:
    workflow = (
        "on: push\nenv: {REGISTRY: ghcr.io, IMAGE: '${{ github.repository }}'}\njobs:\n  image:\n    steps:\n"
        "      - id: meta\n        uses: docker/metadata-action@v5\n"
        "        with: {images: '${{ env.REGISTRY }}/${{ env.IMAGE }}'}\n"
        "      - uses: docker/build-push-action@v6\n"
        "        with: {file: docker/two.Dockerfile, tags: '${{ steps.meta.outputs.tags }}'}\n"
    )

    launch = pod("ghcr.io/acme/shop:1.2", {".github/workflows/image.yml": workflow, path: text})

    assert launch.stage is not None
    assert (launch.stage.source.path, launch.link) == ("docker/two.Dockerfile", "built")


@pytest.mark.parametrize(
    ("image", "files", "link"),
    [
        ("ghcr.io/acme/shop:1.2", {}, "named"),
        ("acme/shop", {"Dockerfile.dev": "FROM node:22\n"}, "named"),
        ("ghcr.io/acme/shop:1.2", {"worker/Dockerfile": "FROM node:22\n"}, None),
        ("ghcr.io/other/shop", {}, None),
        ("acme/till", {}, None),
    ],
)
def test_the_only_dockerfile_builds_what_is_called_as_the_repository_is(
    image: str, files: dict[str, str], link: str | None
) -> None:
    manifest = f"services:\n  web:\n    image: {image}\n"
    written = {"Dockerfile": 'FROM node:22\nCMD ["node"]\n', "go.mod": "module github.com/acme/shop\n", **files}

    launches = read({**written, "compose.yaml": manifest}).launches

    assert [one.link for one in launches if one.origin.kind == "compose"] == [link]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Tiltfile", f"a = '{'%s' * 490}'\ndocker_build('%s' % ({'a, ' * 50_000}), '.')\n"),
        ("Tiltfile", f"a = '{'{}' * 490}'\ndocker_build('{{}}'.format({'a, ' * 50_000}), '.')\n"),
        (
            "docker-bake.hcl",
            'target "a" {\n  matrix = {\n'
            + "".join(f"v{n} = [{', '.join(['x'] * 100)}]\n".replace("x", '"x"') for n in range(1_000))
            + '  }\n  tags = ["acme/shop"]\n}\n',
        ),
        (
            "docker-bake.hcl",
            'target "a" {\n  matrix = {\n'
            + "".join(f'v{n} = ["{f"${{v{n + 1}}}" * 10}"]\n' for n in range(12))
            + '  }\n  tags = ["${v0}"]\n}\n',
        ),
        (
            "docker-bake.hcl",
            f'function "f" {{\n  params = [a]\n  result = ["{"${a}" * 7_000}"]\n}}\n'
            f'variable "v" {{ default = "{"x" * 990}" }}\n'
            + "".join(f'target "t{n}" {{ tags = f(v) }}\n' for n in range(1_500)),
        ),
        ("build.sh", "".join(f"v{n}={f'$v{n + 1}' * 60}\n" for n in range(12)) + "docker build -t acme/$v0 .\n"),
        ("build.sh", f"docker build -t {'a'.join(['$X'] * 30)}b/shop .\n"),
        (
            "docker-bake.hcl",
            "".join(f'target "t{n}" {{\n  inherits = ["t{n + 1}"' + ', "x"' * 90 + "]\n}\n" for n in range(2_000)),
        ),
        (
            "azure-pipelines.yml",
            "variables:\n"
            + "".join(f"  v{n}: {f'$v{n + 1}' * 240}\n" for n in range(60))
            + "steps:\n"
            + "- {task: Docker@2, inputs: {command: build, repository: $(v0), Dockerfile: one/Dockerfile}}\n" * 3_000,
        ),
    ],
    ids=[
        *("places", "braces", "matrix", "values of a matrix", "functions", "variables", "open names", "bases"),
        "variables of a pipeline",
    ],
)
def test_a_build_file_that_grows_without_end_costs_a_moment(path: str, text: str) -> None:
    before = process_time()
    assert pod(f"{'a' * 90}/shop", {path: text}).stage is None
    assert process_time() - before < 10


@pytest.mark.parametrize(
    ("beside", "joined"),
    [("redis:7", True), ("acme/shop:2", True), ("acme/other", False)],
    ids=["a known image", "the same one", "another one"],
)
def test_the_only_dockerfile_builds_the_only_image_that_nobody_knows(beside: str, joined: bool) -> None:
    files = {
        "Dockerfile": 'FROM python:3.12-slim\nCMD ["python", "shop.py"]\n',
        "shop.yaml": POD.format(image="acme/shop"),
        "beside.yaml": POD.format(image=f'"{beside}"').replace("name: shop", "name: beside"),
    }
    stages = {launch.origin.source.path: launch.stage for launch in read(files).launches}
    assert (stages["shop.yaml"] is not None) is joined


def test_the_tag_tells_two_builds_apart() -> None:
    script = "".join(BUILD.replace("shop", f"shop:{tag}").replace("two", tag) + "\n" for tag in ("one", "two"))
    launch = pod("acme/shop:two", {"build.sh": script})
    assert launch.stage is not None
    assert launch.stage.source.path == "docker/two.Dockerfile"


def test_a_build_may_stop_at_a_stage() -> None:
    files = {
        "docker/dockerfile": "FROM python:3.12-slim AS release\nCMD a\nFROM release AS nightly\nCMD b\n",
        "package.json": '{"scripts": {"image": "docker build -f docker/dockerfile --target release -t acme/shop:2 ."}}',
    }
    launch = pod("acme/shop:2", files)
    assert launch.stage is not None
    assert launch.stage.name == "release"


# Bases


def test_a_base_that_is_built_here_is_part_of_the_image() -> None:
    files = {
        "base/Dockerfile": (
            'FROM python:3.12-slim\nENV ROLE=web\nWORKDIR /srv\nCOPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]\n'
        ),
        "base/run.sh": '#!/bin/sh\nexec "$@"\n',
        "app/Dockerfile": 'FROM registry.example.com/base:1\nCOPY main.py .\nCMD ["python", "main.py"]\n',
        "app/main.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    (launch,) = read(files).launches
    assert (launch.verdict, launch.image.env["ROLE"]) == (Verdict.HANDLED, "web")
    assert [hop.name for hop in launch.hops] == ["dash-debian", "main.py"]


def test_a_base_that_starts_something_of_its_own_is_judged_too() -> None:
    files = {
        "base/Dockerfile": "FROM python:3.12-slim\nCMD python base.py\n",
        "app/Dockerfile": "FROM acme/base\nCMD python app.py\n",
    }
    assert len(read(files).launches) == 2


def test_bases_that_are_built_from_one_another_end() -> None:
    files = {"one/Dockerfile": "FROM acme/two\nCMD a\n", "two/Dockerfile": "FROM acme/one\nCMD b\n"}
    assert len(read(files).launches) == 2


def test_build_arguments_fill_the_base_of_the_service_that_gives_them() -> None:
    files = {
        "compose.yaml": (
            "services:\n  cache: {build: {context: ., args: {BASE: 'redis:7'}}}\n"
            "  web: {build: {context: ., args: [BASE=nginx]}}\n"
        ),
        "Dockerfile": "ARG BASE\nFROM ${BASE}\n",
    }
    found = {launch.origin.name: [word.value for word in launch.argv or ()] for launch in read(files).launches}
    assert found == {
        "cache": ["docker-entrypoint.sh", "redis-server"],
        "web": ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"],
    }


def test_of_two_builds_of_an_image_the_arguments_that_both_give_count() -> None:
    build = "docker build -t acme/web --build-arg BASE=nginx --build-arg REVISION={} .\n"
    files = {
        "ci.sh": "#!/bin/sh\n" + build.format("$NEW") + build.format("old"),
        "Dockerfile": "ARG BASE\nFROM ${BASE}\n",
        "pod.yaml": "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: web, image: acme/web}]}\n",
    }
    launch = next(one for one in read(files).launches if one.origin.source.path == "pod.yaml")
    assert [word.value for word in launch.argv or ()] == ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"]


# Compose files that are started together


def test_files_that_a_command_starts_together_are_merged() -> None:
    files = {
        "docker-compose.yml": "services: {shop: {image: 'python:3', command: [a]}, mail: {image: 'python:3'}}\n",
        "docker-compose.prod.yml": "services: {shop: {image: 'python:3.12', command: [b]}}\n",
        "Makefile": "up:\n\tdocker compose -f docker-compose.yml -f docker-compose.prod.yml up -d\n",
    }
    found = [
        (launch.origin.source.path, launch.origin.name, (launch.argv or ())[0].value) for launch in read(files).launches
    ]
    assert found == [
        ("docker-compose.yml", "shop", "a"),
        ("docker-compose.yml", "mail", "python3"),
        ("docker-compose.prod.yml", "shop", "b"),
    ]


def test_a_command_may_start_a_file_that_is_none_by_itself() -> None:
    files = {
        "base.yml": "services: {shop: {image: 'python:3', command: [a]}}\n",
        "mail.yml": "services: {mail: {image: 'python:3'}}\n",
        "prod.yml": "services: {shop: {command: [b]}}\n",
        "Makefile": "up:\n\tdocker compose -f base.yml -f prod.yml up -d\n",
    }
    assert {launch.origin.name: (launch.argv or ())[0].value for launch in read(files).launches} == {
        "shop": "b",
        "mail": "python3",
    }


def test_a_variant_that_nothing_starts_is_judged_by_what_it_says() -> None:
    files = {
        "compose.yaml": "services: {shop: {image: 'python:3', command: [a]}}\n",
        "compose.prod.yaml": "services: {shop: {command: [b]}}\n",
    }
    assert [launch.origin.source.path for launch in read(files).launches] == ["compose.yaml"]


TINI = 'FROM python:3.12-slim\nRUN apt-get update && apt-get install -y tini\nENTRYPOINT ["tini", "--"]\n'
APP = "FROM runtime\nCOPY main.py .\nCMD python main.py\n"


def test_a_base_may_have_a_name_of_the_build_s_own() -> None:
    files = {
        "one/Dockerfile": TINI,
        "two/Dockerfile": APP,
        "two/main.py": "import time\nwhile True:\n    time.sleep(1)\n",
        "compose.yaml": (
            "services:\n  tools: {build: one}\n"
            "  shop: {build: {context: two, additional_contexts: {runtime: 'service:tools'}}}\n"
        ),
    }
    shop = next(launch for launch in read(files).launches if launch.origin.name == "shop")
    assert (shop.verdict, [hop.name for hop in shop.hops]) == (Verdict.CUT, ["tini", "dash-debian", "main.py"])


@pytest.mark.parametrize("path", ["docker-bake.hcl", "tests/build.hcl"])
def test_a_bake_target_may_call_another_one(path: str) -> None:
    bake = (
        'target "tools" { context = "one" }\n'
        'target "shop" {\n  context = "two"\n  contexts = { runtime = "target:tools" }\n  tags = ["acme/shop"]\n}\n'
    )
    files = {"one/Dockerfile": TINI, "two/Dockerfile": APP, path: bake, "terragrunt.hcl": 'target = "x"\n'}
    launch = pod("acme/shop", files)
    assert [word.value for word in launch.argv or ()][:2] == ["tini", "--"]


def test_bake_targets_that_call_each_other_are_followed_to_an_end() -> None:
    bake = (
        'target "tools" {\n  context = "one"\n  contexts = { runtime = "target:shop" }\n}\n'
        'target "shop" {\n  context = "two"\n  contexts = { runtime = "target:tools" }\n  tags = ["acme/shop"]\n}\n'
    )
    launch = pod("acme/shop", {"one/Dockerfile": TINI, "two/Dockerfile": APP, "docker-bake.hcl": bake})
    assert [word.value for word in launch.argv or ()][:2] == ["tini", "--"]


def test_a_dockerfile_within_a_compose_file_is_read_in_its_place() -> None:
    compose = (
        "services:\n  shop:\n    build:\n      dockerfile_inline: |\n"
        '        FROM python:3.12-slim\n        COPY main.py .\n        CMD ["python", "main.py"]\n'
    )
    (launch,) = read({"compose.yaml": compose, "main.py": "import time\nwhile True:\n    time.sleep(1)\n"}).launches
    assert (launch.verdict, launch.command_span.source.path) == (Verdict.IGNORED, "compose.yaml")
    assert launch.command_span.text == '"python"'


def test_a_loop_builds_once_for_each_of_its_values() -> None:
    script = "for name in one two; do\n  docker build -t acme/$name -f docker/$name.Dockerfile .\ndone\n"
    launch = pod("acme/two", {"build.sh": script})
    assert launch.stage is not None
    assert launch.stage.source.path == "docker/two.Dockerfile"


def test_an_argument_of_a_script_is_what_it_falls_back_on() -> None:
    script = 'variant="${1:-two}"\ndocker build -f "docker/$variant.Dockerfile" -t acme/till:local .\n'
    launch = pod("acme/till:local", {"scripts/run-docker.sh": script})
    assert launch.stage is not None
    assert launch.stage.source.path == "docker/two.Dockerfile"


def test_a_service_whose_build_is_elsewhere_is_joined_by_the_name_of_its_image() -> None:
    service = "services:\n  shop:\n    image: acme/shop\n    build: ../nowhere\n"
    (launch,) = (
        launch
        for launch in read({**TWO, "Makefile": f"image:\n\t{BUILD}\n", "deploy/compose.yaml": service}).launches
        if launch.origin.kind == "compose"
    )
    assert launch.stage is not None
    assert launch.stage.source.path == "docker/two.Dockerfile"


@pytest.mark.parametrize(
    ("build", "file"),
    [
        ("elk/kibana", "elk/kibana/Dockerfile"),
        ("{context: elk, dockerfile: own.Dockerfile}", "elk/own.Dockerfile"),
        ("'https://example.com/shop.git'", "https://example.com/shop.git"),
    ],
)
def test_a_build_that_is_not_here_is_named(build: str, file: str) -> None:
    (launch,) = read({"compose.yaml": f"services:\n  shop:\n    build: {build}\n"}).launches

    assert launch.why == f"{file}, which it is built from, is not in the project"


GO = {
    "go.mod": "module acme.io/shop\n",
    "cmd/till/main.go": 'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":80", nil) }\n',
    "cmd/lib/lib.go": "package lib\n",
}
CUT = "main.go: it has no handler for SIGTERM, so the Go runtime ends it at once, exit 2"


@pytest.mark.parametrize(
    ("image", "files"),
    [
        ("ko://acme.io/shop/cmd/till", {}),
        ("ko://acme.io/shop/cmd/till:latest", {".ko.yaml": "defaultBaseImage: alpine\n"}),
        ("acme/shop", {"skaffold.yaml": "build: {artifacts: [{image: acme/shop, ko: {main: ./cmd/till}}]}\n"}),
        (
            "acme/shop:1",
            {
                ".goreleaser.yml": "builds: [{id: t, main: ./cmd/till}]\n"
                "kos: [{build: t, repositories: [acme/shop], bare: true}]\n"
            },
        ),
    ],
)
def test_ko_makes_an_image_of_a_main_package(image: str, files: dict[str, str]) -> None:
    found = read({**GO, **files, "pod.yaml": POD.format(image=f'"{image}"')}).launches
    assert [(one.why, one.verdict, one.link, one.hops[-1].argv) for one in found] == [
        (CUT, Verdict.CUT, "built", ("/ko-app/till",))
    ]


@pytest.mark.parametrize("image", ["ko://acme.io/shop/cmd/lib", "ko://acme.io/other/cmd/till", "ko://acme.io/shopping"])
def test_ko_makes_none_of_what_is_not_here_or_no_program(image: str) -> None:
    (found,) = read({**GO, "pod.yaml": POD.format(image=f'"{image}"')}).launches
    assert (found.verdict, found.link) == (Verdict.UNKNOWN, None)
