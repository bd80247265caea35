"""What is known of an image: its base by name and tag, what a stage makes of it, and the project's files in it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracelint.base.record import replace
from gracelint.edits.dockerfile import install_init
from gracelint.facts.dockerfile import Instruction, Stage
from gracelint.facts.launch import Effect, Image
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.launch.images import layers, packages
from gracelint.launch.images.bases import image_named
from gracelint.launch.images.image import find_path, find_text, image_of, list_folder, step
from gracelint.launch.images.packages import commands, listed_version
from gracelint.launch.signals import nearest_signal, signal_name, signal_number
from gracelint.launch.step import Context
from gracelint.launch.versions import NEWEST, newest, of_requirement, of_version
from gracelint.parse.dockerfile import read_dockerfile
from gracelint.parse.errors import ParseError
from gracelint.parse.purposes import is_store
from gracelint.source import Source, Word
from gracelint.testing import read


class Project:
    """A project in memory: path → text."""

    name = "project"

    def __init__(self, **files: str) -> None:
        self.files = {path: Source(path, text) for path, text in files.items()}

    def read(self, path: str) -> Source | None:
        return self.files.get(path)

    def exists(self, path: str) -> bool:
        return path in self.files or bool(self.names(path))

    def names(self, folder: str) -> tuple[str, ...]:
        prefix = "" if folder in ("", ".") else f"{folder}/"
        tails = [path[len(prefix) :] for path in self.files if path.startswith(prefix)]
        return tuple(sorted({tail.partition("/")[0] + ("/" if "/" in tail else "") for tail in tails}))


def project(dockerfile: str, *paths: str) -> Project:
    return Project(Dockerfile=dockerfile, **{path: f"text of {path}" for path in paths})


def final(files: Project, path: str = "Dockerfile") -> Stage:
    source = files.read(path)
    assert source is not None
    return read_dockerfile(source)[-1]


def built(dockerfile: str) -> Image:
    files = project(dockerfile)
    return image_of(final(files), files, None)


def argv(words: tuple[Word, ...] | None) -> list[str] | None:
    return None if words is None else [word.value for word in words]


# Bases


@pytest.mark.parametrize(
    ("reference", "family", "sh"),
    [
        ("python:3.12", "debian", "dash-debian"),
        ("python", "debian", "dash-debian"),
        ("docker.io/library/python:3.12-slim@sha256:abc", "debian", "dash-debian"),
        ("public.ecr.aws/docker/library/node:22-alpine3.20", "alpine", "busybox-ash"),
        ("python:3.12-windowsservercore", "windows", None),
        ("ubuntu:22.04", "ubuntu", "dash-debian"),
        ("eclipse-temurin:21-jre", "ubuntu", "dash-debian"),
        ("alpine", "alpine", "busybox-ash"),
        ("registry.access.redhat.com/ubi8/ubi", "rhel", "bash-4.4"),
        ("registry.access.redhat.com/ubi9/ubi-minimal:9.4", "ubi-minimal", "bash-5.1+"),
        ("rockylinux:9", "rhel", "bash-5.1+"),
        ("centos:7", "rhel", "bash-4.4"),
        ("centos", "rhel", None),
        ("fedora:40", "fedora", "bash-5.1+"),
        ("amazonlinux:2023", "amazonlinux", "bash-5.1+"),
        ("amazonlinux:2", "amazonlinux", "bash-4.4"),
        ("scratch", "empty", "none"),
        ("gcr.io/distroless/python3-debian12", "distroless", "none"),
        ("gcr.io/distroless/base:debug-nonroot", "busybox", "busybox-ash"),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "debian", "dash-debian"),
        ("registry.example.com/team/python:3.12", None, None),
        ("example/app", None, None),
        ("python:${V}", None, None),
        ("python:${V}-slim", "debian", "dash-debian"),
        ("$BASE", None, None),
        ("", None, None),
    ],
)
def test_the_shell_of_a_base(reference: str, family: str | None, sh: str | None) -> None:
    image = image_named(reference)
    assert (image.family, image.sh) == (family, sh)


@pytest.mark.parametrize(
    ("reference", "entrypoint", "cmd", "stop_signal"),
    [
        ("python:3.12", [], ["python3"], None),
        ("node:22", ["docker-entrypoint.sh"], ["node"], None),
        ("nginx", ["/docker-entrypoint.sh"], ["nginx", "-g", "daemon off;"], "SIGQUIT"),
        ("httpd:2.4", [], ["httpd-foreground"], "SIGWINCH"),
        ("postgres:17", ["docker-entrypoint.sh"], ["postgres"], "SIGINT"),
        ("php:8.3-fpm-alpine", ["docker-php-entrypoint"], ["php-fpm"], "SIGQUIT"),
        ("php:8.3-apache", ["docker-php-entrypoint"], ["apache2-foreground"], "SIGWINCH"),
        ("haproxy:3.0", ["docker-entrypoint.sh"], ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"], "SIGUSR1"),
        ("varnish:7.7", ["/usr/local/bin/docker-varnish-entrypoint"], [], None),
        ("monica:4-fpm-alpine", ["/usr/local/bin/entrypoint.sh"], ["php-fpm"], "SIGQUIT"),
        ("pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime", [], ["/bin/bash"], None),
        ("xwiki:17", ["docker-entrypoint.sh"], ["xwiki"], None),
        ("mcr.microsoft.com/dotnet/sdk:8.0", [], ["bash"], None),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-alpine", [], ["/bin/sh"], None),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled", [], [], None),
        ("swaggerapi/swagger-ui:v5.17", ["/docker-entrypoint.sh"], ["nginx", "-g", "daemon off;"], "SIGQUIT"),
        ("swaggerapi/swagger-ui:v3.52", [], ["sh", "/usr/share/nginx/run.sh"], "SIGQUIT"),
        ("example/app", None, None, None),
    ],
)
def test_what_a_base_starts(
    reference: str, entrypoint: list[str] | None, cmd: list[str] | None, stop_signal: str | None
) -> None:
    image = image_named(reference)
    assert (argv(image.entrypoint), argv(image.cmd)) == (entrypoint, cmd)
    assert (image.stop_signal.value if image.stop_signal else None) == stop_signal


@pytest.mark.parametrize(
    ("tag", "npm"),
    [
        ("14-alpine", "6.14"),
        ("18.16.1", "9.5.1"),
        ("18.17-slim", "9.6.7"),
        ("18", "10.8.2"),
        ("20.9.0-bookworm", "10.1.0"),
        ("20.11", "10.2.4"),
        ("20.12.0", "10.5.0"),
        ("20", "10.8.2"),
        ("22-alpine", "10.9.0"),
        ("hydrogen", "10.8.2"),
        ("lts-alpine", "11.3.0"),
        ("$NODE", None),
        ("20x", None),
        ("²", "11.19.1"),
    ],
)
def test_the_npm_of_a_node_image(tag: str, npm: str | None) -> None:
    assert image_named(f"node:{tag}").versions.get("npm") == npm


def test_what_an_image_has() -> None:
    assert image_named("debian:12").has("sleep") is True
    assert image_named("alpine").has("bash") is False
    assert image_named("gcr.io/distroless/static").has("sleep") is False
    assert image_named("example/app").has("sleep") is None


def test_every_row_names_tables_that_exist() -> None:
    images = table("images")
    for row in images["images"]:
        tags = images["tags"][row["tags"]] if isinstance(row["tags"], str) else row["tags"]
        assert {family for _, family in tags} <= images["families"].keys(), row["names"]
        assert row["source"], row["names"]
    for name, family in images["families"].items():
        assert set(family.get("tools", ())) <= images["tools"].keys(), name
        assert family["source"], name


# A stage over its base


def test_shell_form_is_one_word_for_the_shell() -> None:
    image = built("FROM python:3.12\nCMD cd /app && \\\n  python a.py\n")
    assert argv(image.cmd) == ["/bin/sh", "-c", "cd /app &&   python a.py"]
    text = (image.cmd or ())[-1]
    assert text.passage is not None and text.passage.span(13, 19).text == "python"


def test_shell_form_runs_in_the_shell_that_was_set_before_it() -> None:
    image = built('FROM a\nSHELL ["/bin/bash", "-c"]\nCMD x\nSHELL ["/bin/ash", "-c"]\n')
    assert argv(image.cmd) == ["/bin/bash", "-c", "x"]
    assert argv(image.shell) == ["/bin/ash", "-c"]


@pytest.mark.parametrize(
    ("instructions", "entrypoint", "cmd"),
    [
        ('ENTRYPOINT ["e"]', ["e"], []),
        ('CMD ["c"]\nENTRYPOINT ["e"]', ["e"], ["c"]),
        ('ENTRYPOINT ["e"]\nCMD ["c"]', ["e"], ["c"]),
        ('CMD ["c"]', ["docker-entrypoint.sh"], ["c"]),
        ('CMD ["c"]\nCMD ["d"]', ["docker-entrypoint.sh"], ["d"]),
        ("ENTRYPOINT []\nCMD []", [], []),
        ("CMD ['c']", ["docker-entrypoint.sh"], None),
    ],
)
def test_an_entrypoint_resets_an_inherited_command(
    instructions: str, entrypoint: list[str], cmd: list[str] | None
) -> None:
    image = built(f"FROM node:22\n{instructions}\n")
    assert (argv(image.entrypoint), argv(image.cmd)) == (entrypoint, cmd)


def test_an_entrypoint_resets_the_command_of_a_parent_stage() -> None:
    image = built('FROM a AS base\nCMD ["c"]\nFROM base\nENTRYPOINT ["e"]\n')
    assert (argv(image.entrypoint), argv(image.cmd)) == (["e"], [])


def test_the_rest_is_folded_over_the_lineage() -> None:
    image = built(
        "FROM golang:1.23 AS base\nUSER app\nENV A=1 PATH=/x:$PATH\nSTOPSIGNAL 3\nWORKDIR src\n"
        "FROM base\nENV B=$A PATH=/y:$PATH\nWORKDIR api/../web\n"
    )
    assert (image.user, image.working_dir) == ("app", "/go/src/web")
    assert image.stop_signal is not None and image.stop_signal.value == "3"
    assert (image.env["A"], image.env["B"]) == ("1", "1")
    assert image.env["PATH"] == "/y:/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize(
    ("run", "package"),
    [
        ("RUN apt-get update && apt-get install -y --no-install-recommends tini=0.19.0-1 && rm -rf /x", "tini"),
        ("RUN apk add --no-cache --virtual .deps tini", "tini"),
        ("RUN set -eux; microdnf install -y tini; microdnf clean all", "tini"),
        ("RUN if true; then apt install tini; fi", "tini"),
        ("RUN <<EOF\napt-get update\napt-get install -y tini\nEOF", "tini"),
        ('RUN ["apt-get", "install", "-y", "tini"]', "tini"),
        ('RUN ["sh", "-c", "apk add tini"]', "tini"),
        ("RUN curl -fsSL -o /tini https://github.com/krallin/tini/releases/download/v0.19.0/tini", "tini"),
        ("ADD https://github.com/krallin/tini/releases/download/v0.19.0/tini-static /sbin/init", "tini"),
        ("COPY --from=example/tools /usr/bin/tini /tini", "tini"),
        ("RUN wget -qO /usr/local/bin/dumb-init https://example.com/dumb-init_1.2.5_x86_64", "dumb-init"),
        ("RUN pip install --no-cache-dir -r requirements.txt 'gunicorn[gevent]>=20'", "gunicorn"),
        (r"RUN pip install gunicorn\>=20 uvicorn\[standard\]", "uvicorn"),
        ("RUN python -m pip install gunicorn", "gunicorn"),
        ("RUN uv pip install --system gunicorn==23.0.0", "gunicorn"),
        ("RUN npm install -g @scope/tool@1.2 pm2", "pm2"),
        ("RUN yarn global add pm2", "pm2"),
    ],
)
def test_what_run_lines_install(run: str, package: str) -> None:
    assert package in built(f"FROM debian:12\n{run}\n").packages


@pytest.mark.parametrize(
    "run",
    [
        "RUN apt-get remove tini",
        "RUN npm install tini",
        "RUN echo apt-get install tini",
        "RUN pip install -r tini",
        "RUN cat > /x <<EOF\napt-get install tini\nEOF",
    ],
)
def test_what_run_lines_do_not_install(run: str) -> None:
    assert "tini" not in built(f"FROM debian:12\n{run}\n").packages


def test_versions_that_run_lines_name() -> None:
    image = built("FROM node:18.17\nRUN npm i -g npm@10.9.0 pnpm@8 && corepack prepare yarn@4.1.0 --activate\n")
    assert (image.versions["npm"], image.versions["pnpm"], image.versions["yarn"]) == ("10.9.0", "8", "4.1.0")


@pytest.mark.parametrize(
    ("dockerfile", "version"),
    [
        ("FROM ghcr.io/astral-sh/uv:0.4-python3.12-bookworm-slim", "0.4"),
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim", None),
        ("FROM debian:12\nCOPY --from=ghcr.io/astral-sh/uv:0.5.1 /uv /bin/", "0.5.1"),
        ("FROM ghcr.io/astral-sh/uv:0.4.9 AS uv\nFROM debian:12\nCOPY --from=uv /uv /bin/uv", "0.4.9"),
        ("FROM debian:12\nRUN curl -LsSf https://astral.sh/uv/0.4.5/install.sh | sh", "0.4.5"),
        ("FROM debian:12\nADD https://astral.sh/uv/0.4.29/install.sh /install.sh", "0.4.29"),
        ("FROM debian:12\nADD https://astral.sh/uv/install.sh /install.sh", None),
    ],
)
def test_the_version_of_a_program_by_the_way_it_came(dockerfile: str, version: str | None) -> None:
    assert built(f"{dockerfile}\n").versions.get("uv") == version


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("0.4.2", "0.4.2"),
        ("==0.4.*", "0.4"),
        ("<0.5", "0.4"),
        ("<0.5.2", "0.5.1"),
        ("<2.0.0", "1"),
        ("<0", ""),
        ("<=0.4.30", "0.4.30"),
        (">=0.4,<0.5", "0.4"),
        ("<0.5,>=0.4", "0.4"),
        ("<=0.5,<2", "0.5"),
        ("<2,<=0.5", "0.5"),
        ("~=0.4,<0.4.9", "0.4.8"),
        ("^9 || ^10", "10"),
        ("^0.0.3", "0.0.3"),
        ("^0", "0"),
        ("~=1", "1"),
        ("1.2 - 2.3", "2.3"),
        ("~=0.4.2", "0.4"),
        ("~0.4.2", "0.4"),
        ("^0.4.2", "0.4"),
        ("^9.8.1", "9"),
        (">=0.4", NEWEST),
        ("!=0.4", NEWEST),
        ("latest", NEWEST),
        ("next", ""),
        ("", ""),
    ],
)
def test_the_newest_version_that_a_requirement_allows(wanted: str, version: str) -> None:
    assert newest(wanted) == version


@pytest.mark.parametrize(
    ("wanted", "effect"),
    [
        ("13 - 14.0", "cuts"),
        ("13 - 14", None),
        ("<14.1", None),
        ("<=14.0.4", None),
        ("<15", None),
        ("<14.1 >=13", "cuts"),
        ("^14.1.0 || ^13.0.0", None),
        (">=14.1 <16", "handles"),
        ("latest", "handles"),
        ("catalog:", None),
        ("workspace:*", None),
        ("npm:next@13.0.0", None),
        ("github:vercel/next.js#v13.0.0", None),
    ],
)
def test_the_row_that_holds_for_all_that_a_requirement_allows(wanted: str, effect: str | None) -> None:
    row = of_requirement(table("package_managers")["next"], wanted)
    assert (row["effect"] if row is not None else None) == effect


@pytest.mark.parametrize(
    ("run", "name", "version"),
    [
        ('pip install "uv>=0.4"', "uv", NEWEST),
        ("pip install 'uv[x] ~= 0.4.1 ; python_version < \"3\"'", "uv", "0.4"),
        ("pip install uv", "uv", None),
        ("npm install -g npm", "npm", NEWEST),
        ("npm install -g npm@latest", "npm", NEWEST),
        ("npm install -g pnpm", "npm", "9.6.7"),
        (f"npm install -g npm@{'9' * 5_000}", "npm", "9" * 5_000),
    ],
)
def test_the_version_that_a_run_line_brings(run: str, name: str, version: str | None) -> None:
    assert built(f"FROM node:18.17\nRUN {run}\n").versions.get(name) == version


@pytest.mark.parametrize(
    ("run", "listed", "version"),
    [
        ("pip install -r requirements.txt", "# tools\ngunicorn==22\nuv==0.4.27 \\\n    --hash=sha256:aa\n", "0.4.27"),
        ("pip install --requirement requirements.txt", "uv<0.5  # until we move\n", "0.4"),
        ("pip install -r requirements.txt", "uvicorn==0.4.1\n", ""),
        ("pip install -r other.txt", "uv==0.4.27\n", ""),
        ("pip install gunicorn", "uv==0.4.27\n", ""),
        ("python -m pip install -r requirements.txt", "uv==0.4.27\n", "0.4.27"),
        ("/venv/bin/pip3 install -q -r requirements.txt", "uv==0.4.27\n", "0.4.27"),
        ("uv pip install --requirements requirements.txt", "uv==0.4.27\n", "0.4.27"),
        ("rm -r requirements.txt", "uv==0.4.27\n", ""),
        ("useradd -m -r requirements.txt", "uv==0.4.27\n", ""),
    ],
)
def test_the_version_that_a_list_of_requirements_names(run: str, listed: str, version: str) -> None:
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nRUN {run}\n"
    files = Project(Dockerfile=dockerfile, **{"requirements.txt": listed})
    assert listed_version("uv", image_of(final(files), files, None), files) == version


def test_lists_of_requirements_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Instruction] = []

    def counted(run: Instruction) -> Iterator[list[str]]:
        seen.append(run)
        return commands(run)

    dockerfile = "FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nRUN pip install -r requirements.txt\n"
    files = Project(Dockerfile=dockerfile, **{"requirements.txt": "uv==0.4.27\n"})
    image = image_of(final(files), files, None)
    monkeypatch.setattr(packages, "commands", counted)
    for here in (image, image, replace(image, user="app")):
        assert listed_version("uv", here, files) == "0.4.27"
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("version", "effect"),
    [("0.4", "swallows"), ("0.5", "forwards"), ("0.5.1", "swallows"), ("0.5.2", "forwards"), ("", "forwards")],
)
def test_numbers_that_a_version_leaves_out_stand_for_the_newest(version: str, effect: str) -> None:
    assert of_version(table("wrappers")["uv"], version)["effect"] == effect


@pytest.mark.parametrize(
    ("text", "sh"),
    [
        ("FROM debian:12\nRUN ln -sf /bin/bash /bin/sh\n", "bash-5.1+"),
        ("FROM debian:buster\nRUN rm /bin/sh && ln -s bash /bin/sh\n", "bash-5.0"),
        ("FROM ubuntu:24.04\nRUN echo 'dash dash/sh boolean false' | debconf-set-selections\n", "dash-debian"),
        ("FROM ubuntu:24.04\nRUN echo dash dash/sh boolean false | debconf-set-selections\n", "bash-5.1+"),
        ("FROM alpine\nRUN apk add bash && ln -sf /bin/bash /bin/sh\n", "bash-5.1+"),
        ("FROM alpine\nRUN apk add dash && ln -sf /usr/bin/dash /bin/sh\n", "dash"),
        ("FROM alpine\nRUN apk add bash\n", "busybox-ash"),
        ("FROM scratch\nCOPY --from=busybox /bin/busybox /bin/sh\n", None),
        ("FROM scratch\nADD rootfs.tar.gz /\n", None),
        ("FROM scratch\nCOPY --from=build /app /\n", "none"),
        ("FROM debian:12\nCOPY --from=ghcr.io/astral-sh/uv /uv /uvx /bin/\n", "dash-debian"),
    ],
)
def test_another_shell_as_bin_sh(text: str, sh: str | None) -> None:
    assert built(text).sh == sh


# The project's files


def found(dockerfile: str, path: str, *paths: str, working_dir: str | None = None) -> str | None:
    """The project's path of a file in the image."""
    files = project(dockerfile, *paths)
    image = image_of(final(files), files, None)
    text = find_text(image, files, path, image.working_dir if working_dir is None else working_dir)
    return text.source.path if text else None


@pytest.mark.parametrize(
    ("dockerfile", "path", "expected"),
    [
        ("FROM a\nWORKDIR /app\nCOPY . .\n", "run.sh", "run.sh"),
        ("FROM a\nWORKDIR /app\nCOPY . .\n", "./bin/start.sh", "bin/start.sh"),
        ("FROM a\nWORKDIR /app\nCOPY . .\n", "/app/bin/../run.sh", "run.sh"),
        ("FROM a\nWORKDIR /app\nCOPY . .\n", "/other/run.sh", None),
        ("FROM a\nWORKDIR /app\nCOPY . .\n", "missing.sh", None),
        ("FROM a\nCOPY bin /opt/bin\n", "/opt/bin/start.sh", "bin/start.sh"),
        ("FROM a\nCOPY bin/ /opt/\n", "/opt/start.sh", "bin/start.sh"),
        ("FROM a\nCOPY run.sh /entrypoint\n", "/entrypoint", "run.sh"),
        ("FROM a\nCOPY run.sh /opt/\n", "/opt/run.sh", "run.sh"),
        ("FROM a\nCOPY run.sh bin/start.sh /opt/\n", "/opt/start.sh", "bin/start.sh"),
        ("FROM a\nCOPY *.sh /opt/\n", "/opt/run.sh", "run.sh"),
        ("FROM a\nCOPY b*/*.sh /opt/\n", "/opt/start.sh", "bin/start.sh"),
        ('FROM a\nCOPY ["run.sh", "/my dir/"]\n', "/my dir/run.sh", "run.sh"),
        ("FROM a\nCOPY --chmod=755 run.sh /usr/local/bin/entrypoint\n", "entrypoint", "run.sh"),
        ("FROM a\nADD run.sh /run.sh\n", "/run.sh", "run.sh"),
        ("FROM a\nARG DIR=/srv\nENV HOME=$DIR/app\nWORKDIR $HOME\nCOPY . ${HOME}\n", "run.sh", "run.sh"),
        ("FROM a\nENV PATH=/opt/bin:$PATH\nCOPY bin /opt/bin\n", "start.sh", "bin/start.sh"),
        ("FROM a\nCOPY ../../etc/passwd /x\n", "/x", None),
        ("FROM a\nCOPY run.sh /x\nCOPY bin/start.sh /x\n", "/x", "bin/start.sh"),
        ("FROM a AS base\nWORKDIR /app\nCOPY . .\nFROM base\nCOPY bin/start.sh run.sh\n", "run.sh", "bin/start.sh"),
        (
            "FROM a AS build\nWORKDIR /src\nCOPY . .\nFROM b\nCOPY --from=build /src/bin /app\n",
            "/app/start.sh",
            "bin/start.sh",
        ),
        ("FROM a\nCOPY . /src\nFROM b\nCOPY --from=0 /src/run.sh /\n", "/run.sh", "run.sh"),
        ("FROM a\nCOPY . /src\nFROM b\nCOPY --from=0 /src/run.sh/ ./\n", "/run.sh", "run.sh"),
        ("FROM a\nCOPY . /src\nFROM b\nCOPY --from=0 /src/*.sh /\n", "/run.sh", "run.sh"),
        ("FROM a\nCOPY . /src\nFROM b\nCOPY --from=0 /src/*.py /\n", "/run.sh", None),
        ("FROM a\nCOPY --from=other/image /run.sh /run.sh\n", "/run.sh", None),
        ("FROM php:8.3-fpm\nCOPY . .\n", "/var/www/html/run.sh", "run.sh"),
        ("FROM a\nCOPY run.sh /x\nRUN mv /x /y\n", "/y", "run.sh"),
        ("FROM a\nCOPY run.sh /x\nRUN cd / && cp x y\n", "/y", "run.sh"),
        ("FROM a\nCOPY run.sh /opt/x\nRUN ln -s /opt/x /usr/bin/y\n", "y", "run.sh"),
        ("FROM a\nCOPY run.sh /x\nRUN chmod +x /x && sed -i 's/\\r$//' /x\n", "/x", "run.sh"),
        ("FROM a\nCOPY run.sh /x\nRUN echo 'exec y' > /x\n", "/x", "Dockerfile"),
        ("FROM a\nCOPY run.sh /x\nRUN sed s/a/b/ run.sh > /x\n", "/x", None),
        ("FROM a\nCOPY <<'EOF' /x\nexec \"$@\"\nEOF\n", "/x", "Dockerfile"),
        ('FROM a\nCOPY <<EOF /x\nexec "$@"\nEOF\n', "/x", None),
        ("FROM a\nRUN cat > /x <<'EOF'\nexec \"$@\"\nEOF\n", "/x", "Dockerfile"),
    ],
)
def test_a_path_in_the_image_is_followed_to_the_project(dockerfile: str, path: str, expected: str | None) -> None:
    assert found(dockerfile, path, "run.sh", "bin/start.sh") == expected


def test_stages_that_copy_in_many_ways_are_given_up_in_time() -> None:
    stages = ["FROM a AS s0"]
    for index in range(1, 20):
        copies = "\n".join(f"COPY --from=s{index - 1} /a{way} /" for way in range(12))
        stages.append(f"FROM a AS s{index}\n{copies}")
    assert found("\n".join(stages), "/run.sh", "run.sh") is None


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("RUN printf '#!/bin/sh\\nexec \"$@\"\\n' > /x && chmod +x /x", '#!/bin/sh\nexec "$@"\n'),
        ("RUN echo '#!/bin/sh' > /x && echo 'exec \"$@\"' >> /x", '#!/bin/sh\nexec "$@"\n'),
        ("RUN cd / && printf '%s\\n' '#!/bin/sh' 'exec y' > x", "#!/bin/sh\nexec y\n"),
        ("ENV APP=y\nCOPY <<EOF /x\nexec $APP \\$1\nEOF", "exec y $1\n"),
        ("RUN cat > /x <<EOF\nexec \\$1\nEOF", "exec $1\n"),
    ],
)
def test_the_text_that_instructions_write(written: str, text: str) -> None:
    stage = read_dockerfile(Source("Dockerfile", f"FROM a\n{written}\n"))[-1]
    passage = find_text(image_of(stage, Project(), ""), Project(), "/x", "/")
    assert passage is not None
    assert passage.text == text


@pytest.mark.parametrize(
    "written",
    [
        'RUN echo "exec $APP" > /x',
        "COPY <<EOF /x\nexec $APP\nEOF",
        "RUN cat > /x <<EOF\n`date`\nEOF",
        "RUN printf %d 1 > /x",
    ],
)
def test_text_that_is_only_known_at_build_time(written: str) -> None:
    stage = read_dockerfile(Source("Dockerfile", f"FROM a\n{written}\n"))[-1]
    assert find_text(image_of(stage, Project(), ""), Project(), "/x", "/") is None


def test_the_text_of_a_heredoc_knows_its_place() -> None:
    files = project("FROM a\nCOPY <<-'EOF' /x\n\t#!/bin/sh\n\texec y\nEOF\n")
    text = find_text(image_of(final(files), files, None), files, "/x", "/")
    assert text is not None and text.text == "#!/bin/sh\nexec y\n"
    assert (text.span(10, 14).line, text.span(10, 14).column) == (4, 2)


def test_a_bind_mount_hides_what_the_image_has() -> None:
    files = project("FROM a\nWORKDIR /app\nCOPY . .\n", "run.sh", "src/run.sh")
    image = replace(image_of(final(files), files, None), mounts=(("src", "/app"),))
    text = find_text(image, files, "run.sh", "/app")
    assert text is not None and text.source.path == "src/run.sh"


def test_folders_of_the_image() -> None:
    files = project(
        "FROM a\nWORKDIR /app\nCOPY package.json server.js ./\nCOPY src ./src\n",
        "package.json",
        "server.js",
        "src/a.js",
    )
    image = image_of(final(files), files, None)
    assert find_path(image, files, "src", "/app") == "src"
    assert find_path(image, files, ".", "/app") == ""
    assert find_path(image, files, ".", "/other") is None
    assert list_folder(image, files, "src", "/app") == ("a.js",)


@pytest.mark.parametrize(
    "instruction",
    [
        "COPY run.sh /etc/service/worker/run",
        "COPY run.sh /etc/service/worker/",
        "COPY run.sh /tmp/\nRUN cd /etc/service && cp /tmp/run.sh worker/run",
        "RUN echo 'exec app' > /etc/service/worker/run",
    ],
)
def test_a_folder_that_is_filled_under_other_names(instruction: str) -> None:
    files = project(f"FROM debian:12\n{instruction}\n", "run.sh")
    image = image_of(final(files), files, None)
    assert [name.rstrip("/") for name in list_folder(image, files, "/etc/service", "/")] == ["worker"]
    assert list_folder(image, files, "/etc/cron.d", "/") == ()


@pytest.mark.parametrize(
    ("copy", "context"),
    [
        ("COPY app.py .", "api"),
        ("COPY api/app.py .", ""),
        ("COPY api .", ""),
        ("COPY . .", "api"),
        ("COPY shared ./shared\nCOPY api/app.py dist ./", ""),
        ("COPY . .\nRUN go mod download && make api", ""),
        ("COPY . .\nRUN npm ci", "api"),
    ],
)
def test_the_context_is_where_the_sources_are(copy: str, context: str) -> None:
    files = Project(**{"api/Dockerfile": f"FROM a\n{copy}\n", "api/app.py": "", "shared/x.py": "", "web/a.js": ""})
    tools = Project(**{"go.mod": "", "Makefile": "", "package.json": "", "api/package.json": ""})
    files.files |= tools.files
    assert image_of(final(files, "api/Dockerfile"), files, None).context == context


def test_a_declared_context_is_taken_as_it_is() -> None:
    files = Project(**{"api/Dockerfile": "FROM a\nCOPY a.js /\n", "web/a.js": ""})
    image = image_of(final(files, "api/Dockerfile"), files, "web")
    text = find_text(image, files, "/a.js", "/")
    assert text is not None and text.source.path == posixpath.join("web", "a.js")


# Entry scripts that images bring along


def started(reference: str, *command: str, files: Project | None = None, dockerfile: str = "") -> list[str] | None:
    image = image_named(reference)
    project_files = files or Project()
    if files is not None:
        image = image_of(final(files), files, None)
    context = Context(image, project_files, "/", {}, True, "SIGTERM", None)
    taken = step(tuple(Word(word) for word in command), context)
    if taken is None:
        return None
    assert taken.hop is not None and taken.hop.effect is Effect.REPLACES and taken.hop.pid_1
    return argv(taken.next)


@pytest.mark.parametrize(
    ("reference", "command", "expected"),
    [
        ("node:22", ["docker-entrypoint.sh", "npm", "start"], ["npm", "start"]),
        ("node:22", ["docker-entrypoint.sh", "server.js"], ["node", "server.js"]),
        ("node:22", ["docker-entrypoint.sh", "--inspect", "a"], ["node", "--inspect", "a"]),
        ("nginx", ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"], ["nginx", "-g", "daemon off;"]),
        ("redis", ["docker-entrypoint.sh", "/etc/redis.conf"], ["redis-server", "/etc/redis.conf"]),
        ("httpd", ["httpd-foreground"], ["httpd", "-DFOREGROUND"]),
        ("python", ["docker-entrypoint.sh", "x"], None),
        ("example/app", ["docker-entrypoint.sh", "x"], None),
        ("node:22", ["node", "a.js"], None),
    ],
)
def test_entry_scripts_exec_their_arguments(reference: str, command: list[str], expected: list[str] | None) -> None:
    assert started(reference, *command) == expected


def test_an_entry_script_of_the_project_goes_before_the_base_s_own() -> None:
    files = project("FROM node:22\nCOPY docker-entrypoint.sh /usr/local/bin/\n", "docker-entrypoint.sh")
    assert started("node:22", "docker-entrypoint.sh", "x", files=files) is None


# Signals


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SIGTERM", "SIGTERM"),
        ("term", "SIGTERM"),
        (" 15 ", "SIGTERM"),
        ("SIGPOLL", "SIGIO"),
        ("34", "SIGRTMIN"),
        ("37", "SIGRTMIN+3"),
        ("RTMIN+3", "SIGRTMIN+3"),
        ("SIGRTMAX-1", "SIGRTMIN+29"),
        ("SIGRTMAX", "SIGRTMIN+30"),
        ("SIGRTMIN+31", None),
        ("SIGRTMIN-1", None),
        ("SIGRTMIN+x", None),
        ("SIGRTMID", None),
        ("0", None),
        ("32", None),
        ("65", None),
        ("9" * 100, None),
        ("٣", None),
        ("SIGTREM", None),
        ("", None),
    ],
)
def test_signal_names(text: str, name: str | None) -> None:
    assert signal_name(text) == name


def test_signal_numbers_and_near_names() -> None:
    assert (signal_number("SIGTERM"), signal_number("SIGRTMIN+3"), signal_number("SIGNONE")) == (15, 37, None)
    assert (nearest_signal("sigtrem"), nearest_signal("QIUT"), nearest_signal("gracefully")) == (
        "SIGTERM",
        "SIGQUIT",
        None,
    )


# Hostile input

PIECES = st.sampled_from(
    [
        *("FROM a AS a", "FROM a", "FROM node:²", "FROM python:3.$X", "FROM @", "FROM :", "FROM /:", "FROM scratch"),
        *(
            "COPY",
            "COPY a",
            "COPY --from=a / /",
            "COPY --from=0 . .",
            "COPY [] /",
            "COPY [*?/[ ../..",
            "COPY <<E /x\ny\nE",
        ),
        *(
            "RUN",
            "RUN ln -s /x /x",
            "RUN ln -s x",
            "RUN > /x",
            "RUN cat >",
            "RUN mv / /",
            "RUN []",
            'RUN ["-c"]',
            "RUN ;;",
        ),
        *("RUN -m -m", "RUN uv", "RUN x -m y", "RUN uv pip", "RUN apk add", "RUN apk add @ = [", "RUN cd && cp a b"),
        *("WORKDIR", "WORKDIR ../..", "WORKDIR $X", "ENV", "ENV A", "ENV PATH=", "ENV PATH=$PATH:${PATH}", "ENV =x"),
        *(
            "CMD",
            "CMD []",
            "CMD [",
            "ENTRYPOINT",
            "ENTRYPOINT ['a']",
            "SHELL",
            "SHELL []",
            "SHELL x",
            "STOPSIGNAL",
            "USER",
        ),
        *("ADD http://x/tini /", "ADD a.tar /", "ARG X", "ARG", "ARG =", "ONBUILD", "LABEL x", "HEALTHCHECK NONE"),
    ]
)


@given(st.lists(PIECES, max_size=10), st.sampled_from(["/x", "x", "", "/", "../..", "//x", "x/./y/"]))
@hypothesis.settings(max_examples=400, deadline=None)
def test_any_stage_makes_an_image(lines: list[str], path: str) -> None:
    files = project("FROM node:22\n" + "\n".join(lines) + "\n", "x/y", "a")
    try:
        stage = final(files)
    except ParseError:
        return
    image = image_of(stage, files, None)
    for working_dir in ("/", image.working_dir):
        text = find_text(image, files, path, working_dir)
        assert text is None or text.source in files.files.values()
        at = find_path(image, files, path, working_dir)
        assert at is None or not at.startswith(("..", "/"))
        list_folder(image, files, path, working_dir)
    install_init(stage, image)


# What changed one day


@pytest.mark.parametrize(
    ("reference", "stop_signal"),
    [
        ("nginx:1.19.4-alpine", "SIGTERM"),
        ("nginx:1.19.5", "SIGQUIT"),
        ("nginx:1.19", "SIGQUIT"),
        ("nginx:1.18.0", "SIGQUIT"),
        ("nginx:1.17", "SIGTERM"),
        ("nginx:1.9.9", "SIGTERM"),
        ("nginx:1", "SIGQUIT"),
        ("nginx:1.27.3-bookworm", "SIGQUIT"),
        ("nginx:alpine", "SIGQUIT"),
        ("nginx", "SIGQUIT"),
        ("nginx:${TAG}", "SIGQUIT"),
        ("postgres:9.4.26", None),
        ("postgres:9.6.18-alpine", None),
        ("postgres:9.6", "SIGINT"),
        ("postgres:9", "SIGINT"),
        ("postgres:12.3", None),
        ("postgres:12.4", "SIGINT"),
        ("postgres:12", "SIGINT"),
        ("postgres:17", "SIGINT"),
        ("php:7.0-fpm", None),
        ("php:7.2.16-fpm-alpine", None),
        ("php:7.2-fpm", "SIGQUIT"),
        ("php:fpm", "SIGQUIT"),
        ("php:7.3.7-apache", None),
        ("php:7.3.8-apache", "SIGWINCH"),
        ("php:7.4-apache", "SIGWINCH"),
        ("httpd:2.4.39", None),
        ("httpd:2.4", "SIGWINCH"),
        ("haproxy:1.8.12", None),
        ("haproxy:1.8", "SIGUSR1"),
        ("haproxy:3.0", "SIGUSR1"),
    ],
)
def test_the_stop_signal_of_a_tag_is_that_of_its_time(reference: str, stop_signal: str | None) -> None:
    found = image_named(reference).stop_signal
    assert (found.value if found else None) == stop_signal


@pytest.mark.parametrize(
    ("reference", "entrypoint"),
    [
        ("node:6", []),
        ("node:6-alpine", []),
        ("node:8.15.1", []),
        ("node:8", ["docker-entrypoint.sh"]),
        ("node:10.15.3", []),
        ("node:10.16.0-stretch", ["docker-entrypoint.sh"]),
        ("node:12.3.1", []),
        ("node:22", ["docker-entrypoint.sh"]),
        ("node:lts", ["docker-entrypoint.sh"]),
        ("nginx:1.17.9", []),
    ],
)
def test_the_entry_script_of_a_tag_is_that_of_its_time(reference: str, entrypoint: list[str]) -> None:
    assert [word.value for word in image_named(reference).entrypoint or ()] == entrypoint


FLUENT_BIT = "/fluent-bit/etc/fluent-bit.conf"


@pytest.mark.parametrize(
    ("reference", "started"),
    [
        ("minio/minio:RELEASE.2024-01-01", ["/usr/bin/docker-entrypoint.sh", "minio"]),
        ("jenkins/jenkins:lts", ["/usr/bin/tini", "--", "/usr/local/bin/jenkins.sh"]),
        ("docker.io/library/registry:2", ["/entrypoint.sh", "/etc/docker/registry/config.yml"]),
        ("traefik:v3.1", ["/entrypoint.sh", "traefik"]),
        ("traefik:1.7", ["/traefik"]),
        ("nats:2.10", ["/nats-server", "--config", "nats-server.conf"]),
        ("bitnami/redis:7.2", ["/opt/bitnami/scripts/redis/entrypoint.sh", "/opt/bitnami/scripts/redis/run.sh"]),
        ("ghcr.io/valkey-io/valkey:9-alpine", ["docker-entrypoint.sh", "redis-server"]),
        ("cr.fluentbit.io/fluent/fluent-bit:3.1-debug", ["/fluent-bit/bin/fluent-bit", "-c", FLUENT_BIT]),
        ("quay.io/argoproj/argocd:v3.0", ["/usr/bin/tini", "--"]),
        ("mediawiki:1.43-fpm", ["docker-php-entrypoint", "php-fpm"]),
        ("matomo:5", ["/entrypoint.sh", "apache2-foreground"]),
        ("odoo:17", ["/entrypoint.sh", "odoo"]),
        ("gradle:8-jdk21", ["gradle"]),
    ],
)
def test_what_images_that_people_run_start(reference: str, started: list[str]) -> None:
    image = image_named(reference)
    assert [word.value for word in (*(image.entrypoint or ()), *(image.cmd or ()))] == started


def test_the_clients_of_databases_and_brokers_come_back() -> None:
    found = [name for name in ("postgres:17", "rabbitmq", "nats", "nginx", "acme/shop") if is_store(name)]
    assert found == ["postgres:17", "rabbitmq", "nats"]


DAEMONS = [
    ("grafana/grafana:11.2.0", None, "grafana finishes what is in flight on SIGTERM and ends"),
    ("grafana/loki:3.2.0", None, "loki finishes what is in flight on SIGTERM and ends"),
    ("minio/minio", "server /data", "minio finishes what is in flight on SIGTERM and ends"),
    ("minio/minio", "minio server /data", "minio finishes what is in flight on SIGTERM and ends"),
    ("headscale/headscale", "serve", "headscale finishes what is in flight on SIGTERM and ends"),
    ("cloudflare/cloudflared", "tunnel run", "cloudflared finishes what is in flight on SIGTERM and ends"),
    ("syncthing/syncthing", None, "syncthing finishes what is in flight on SIGTERM and ends"),
    ("dexidp/dex", None, "dex finishes what is in flight on SIGTERM and ends"),
    ("nats:2.10", None, "nats-server closes its clients on SIGTERM, which reconnect elsewhere, and ends"),
    ("prom/prometheus:v3.5.0", None, "prometheus finishes what is in flight on SIGTERM and ends"),
    ("quay.io/jaegertracing/jaeger:2.19.0", "--config x", "jaeger finishes what is in flight on SIGTERM and ends"),
    ("ghcr.io/open-feature/flagd:v0.16.0", "start --port 8013", "flagd finishes what is in flight on SIGTERM and ends"),
    ("louislam/uptime-kuma:2", None, "uptime-kuma finishes what is in flight on SIGTERM and ends"),
    ("fluent/fluentd:v1.19", None, "fluentd finishes what is in flight on SIGTERM and ends"),
    ("victoriametrics/vmagent:v1.120.0", None, "victoria-metrics finishes what is in flight on SIGTERM and ends"),
    ("odoo:17", None, "odoo finishes what is in flight on SIGTERM and ends"),
    ("temporalio/server:1.28", None, "temporal-server finishes what is in flight on SIGTERM and ends"),
    ("apache/kafka:4.0.0", None, "kafka finishes what is in flight on SIGTERM and ends"),
    ("ghcr.io/valkey-io/valkey:9", None, "redis finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/redis:7.2", None, "redis finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/valkey:8.0", None, "redis finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/kafka:4.0", None, "kafka finishes what is in flight on SIGTERM and ends"),
    ("opensearchproject/opensearch:3.6.0", None, "opensearch finishes what is in flight on SIGTERM and ends"),
    ("clickhouse/clickhouse-server:26.2", None, "clickhouse finishes what is in flight on SIGTERM and ends"),
    ("cassandra:5.0", None, "cassandra drains its node on SIGTERM, and ends"),
    ("pgautoupgrade/pgautoupgrade:18-alpine", "-c max_connections=9", "SIGINT is postgres' fast shutdown"),
    ("nats:2.10-alpine", None, "nats-server closes its clients on SIGTERM, which reconnect elsewhere, and ends"),
    ("influxdb:2.7", None, "influxd finishes what is in flight on SIGTERM and ends"),
    ("quay.io/keycloak/keycloak:26.0", "start-dev", "keycloak finishes what is in flight on SIGTERM and ends"),
    ("elasticsearch:8.15.0", None, "elasticsearch finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/minio:2024.5.28", None, "minio finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/etcd:3.5.11", None, "etcd finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/valkey-sentinel:8.0", None, "redis finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/valkey-cluster:8.0", None, "valkey-cluster finishes what is in flight on SIGTERM and ends"),
    ("dpage/pgadmin4:8", None, "gunicorn finishes what is in flight on SIGTERM and ends"),
    ("tecnativa/docker-socket-proxy", None, "haproxy finishes what is in flight on SIGUSR1 and ends"),
    ("dessalines/lemmy-ui:0.19.14", None, "lemmy-ui finishes what is in flight on SIGTERM and ends"),
    (
        "electricsql/electric:1.2.4",
        None,
        "the Erlang virtual machine stops its applications one after the other on SIGTERM, and ends",
    ),
    ("ghcr.io/s2-streamstore/s2", "lite --init-file a", "s2 finishes what is in flight on SIGTERM and ends"),
    ("ghcr.io/caioricciuti/ch-ui", None, "ch-ui finishes what is in flight on SIGTERM and ends"),
    ("mattermost/mattermost-team-edition:10.5", None, "mattermost finishes what is in flight on SIGTERM and ends"),
    ("axllent/mailpit:latest", None, "mailpit closes its database on SIGTERM, and ends"),
    (
        "mcr.microsoft.com/mssql/server:2022-CU17-ubuntu-22.04",
        None,
        "sqlservr finishes what is in flight on SIGTERM and ends",
    ),
    ("mcr.microsoft.com/azure-storage/azurite", None, "azurite finishes what is in flight on SIGTERM and ends"),
    ("kibana:8.15.0", None, "kibana finishes what is in flight on SIGTERM and ends"),
    (
        "docker.elastic.co/logstash/logstash:8.15.0",
        "-f a.conf",
        "logstash stops its inputs on SIGTERM, works off the events in flight, and ends",
    ),
    ("jaegertracing/all-in-one:1.57", None, "jaeger finishes what is in flight on SIGTERM and ends"),
    ("confluentinc/cp-kafka:7.6.0", None, "kafka finishes what is in flight on SIGTERM and ends"),
    ("bitnamilegacy/mongodb:7.0", None, "mongod finishes what is in flight on SIGTERM and ends"),
    ("bitnami/mariadb:11.4", None, "mysqld finishes what is in flight on SIGTERM and ends"),
    ("zabbix/zabbix-server-mysql:alpine-7.0-latest", None, "zabbix finishes what is in flight on SIGTERM and ends"),
    ("zabbix/zabbix-proxy-sqlite3:ubuntu-6.0-latest", None, "zabbix finishes what is in flight on SIGTERM and ends"),
    ("zabbix/zabbix-agent2", None, "zabbix_agent2 finishes what is in flight on SIGTERM and ends"),
    ("znc:1.10", None, "znc finishes what is in flight on SIGTERM and ends"),
    ("willfarrell/autoheal", None, "autoheal finishes what is in flight on SIGTERM and ends"),
    ("sj26/mailcatcher", None, "mailcatcher finishes what is in flight on SIGTERM and ends"),
    ("schickling/mailcatcher", None, "mailcatcher finishes what is in flight on SIGTERM and ends"),
    ("ckulka/baikal:nginx", None, "SIGQUIT is nginx's graceful stop"),
    ("backdrop", None, "SIGWINCH is httpd's graceful stop"),
]

OTHERS = [
    (
        "nginxproxy/acme-companion",
        "cut",
        "its trap ends the script without waiting for the renewal of a certificate that it tells to end",
    ),
    (
        "zookeeper:3.8",
        "cut",
        "the JVM ends at once; what zookeeper has confirmed is on disk, and its clients reconnect",
    ),
    ("registry:2", "cut", "the registry has no handler for SIGTERM as long as `http.draintimeout` is not set"),
    ("ghcr.io/shopify/toxiproxy", "cut", "toxiproxy drops the connections it stands in between"),
    ("clamav/clamav:1.4", "cut", "tini passes SIGTERM on to `tail -f /dev/null` alone: clamd is killed beside it"),
    ("nginxproxy/nginx-proxy:1.4", "cut", "forego has no handler for SIGQUIT, which ends it at once"),
    (
        "libretranslate/libretranslate:v1.7.3",
        "ignored",
        "neither libretranslate nor the script in front of it takes notice of SIGTERM",
    ),
    (
        "mcr.microsoft.com/mssql/server:2022-CU18-ubuntu-22.04",
        "ignored",
        "launch_sqlservr.sh waits for SQL Server and passes SIGTERM on to nobody",
    ),
    (
        "mcr.microsoft.com/mssql/server:2019-latest",
        "unknown",
        "what the image mcr.microsoft.com/mssql/server:2019-latest starts is not known",
    ),
    (
        "confluentinc/cp-zookeeper:7.6.0",
        "cut",
        "the JVM ends at once; what zookeeper has confirmed is on disk, and its clients reconnect",
    ),
    ("chronograf:1.10", "cut", "chronograf ends at once on SIGTERM and drops what is in flight"),
    ("portainer/portainer-ce:2.21.0", "cut", "portainer ends at once on SIGTERM and drops what is in flight"),
    (
        "registry.k8s.io/git-sync:v3.1.6",
        "cut",
        "git-sync ends at once on SIGTERM: what it was fetching is fetched again",
    ),
    ("dessalines/lemmy-ui:0.18.5", "unknown", "what the image dessalines/lemmy-ui:0.18.5 starts is not known"),
]


@pytest.mark.parametrize(("image", "verdict", "why"), OTHERS, ids=[image for image, _, _ in OTHERS])
def test_images_that_do_not_finish(image: str, verdict: str, why: str) -> None:
    (launch,) = read({"compose.yaml": json.dumps({"services": {"it": {"image": image}}})}).launches
    assert (launch.verdict.value, launch.why) == (verdict, why)


def test_a_registry_drains_where_it_is_told_to() -> None:
    service = {"image": "registry:2", "environment": {"REGISTRY_HTTP_DRAINTIMEOUT": "20s"}}
    (launch,) = read({"compose.yaml": json.dumps({"services": {"it": service}})}).launches
    assert launch.verdict is Verdict.HANDLED
    assert launch.budget.drain is not None and launch.budget.drain.seconds == 20


def test_vaultwarden_keeps_the_two_seconds_of_its_framework() -> None:
    (launch,) = read({"compose.yaml": "services: {it: {image: vaultwarden/server}}\n"}).launches
    why = "vaultwarden gives what is in flight 2 s, Rocket's default, and ends"
    assert (launch.verdict, launch.why) == (Verdict.CUT, why)


@pytest.mark.parametrize(("image", "command", "why"), DAEMONS, ids=[image for image, _, _ in DAEMONS])
def test_daemons_that_are_run_as_images(image: str, command: str | None, why: str) -> None:
    service = {"image": image, **({"command": command} if command else {})}
    (launch,) = read({"compose.yaml": json.dumps({"services": {"it": service}})}).launches
    assert (launch.verdict, launch.why) == (Verdict.HANDLED, why)


@pytest.mark.parametrize(
    ("image", "verdict", "why"),
    [
        (
            "quay.io/prometheus-operator/prometheus-operator:v0.85.0",
            Verdict.HANDLED,
            "prometheus-operator finishes what is in flight on SIGTERM and ends",
        ),
        ("acme/operator:1", Verdict.UNKNOWN, "nothing is known of the command /bin/operator"),
    ],
)
def test_a_program_whose_name_says_nothing_is_known_by_its_image(image: str, verdict: Verdict, why: str) -> None:
    service = {"image": image, "entrypoint": ["/bin/operator"]}
    (launch,) = read({"compose.yaml": json.dumps({"services": {"it": service}})}).launches
    assert (launch.verdict, launch.why) == (verdict, why)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("prom/node-exporter:v1.9.1", "it has no handler, and what it drops is a scrape, which is made again"),
        ("prom/blackbox-exporter:v0.27.0", "it ends at once, and what it drops is a probe, which is made again"),
    ],
)
def test_an_exporter_loses_nothing(image: str, why: str) -> None:
    project = read({"compose.yaml": json.dumps({"services": {"it": {"image": image}}})})
    (launch,) = project.launches
    assert (launch.verdict, launch.why, launch.idle) == (Verdict.CUT, why, True)


@pytest.mark.parametrize(
    ("tag", "signal", "verdict", "why"),
    [
        ("v1.23.1-p3", "SIGTERM", Verdict.IGNORED, "pgbouncer waits on SIGTERM until every client has disconnected"),
        ("v1.23.1-p3", "SIGINT", Verdict.HANDLED, "pgbouncer waits on SIGINT until its servers are released, and ends"),
        ("1.22.1", "SIGTERM", Verdict.CUT, "pgbouncer ends at once on SIGTERM and drops what is in flight"),
    ],
)
def test_pgbouncer_by_its_version(tag: str, signal: str, verdict: Verdict, why: str) -> None:
    service = {"image": f"edoburu/pgbouncer:{tag}", "stop_signal": signal}
    (launch,) = read({"compose.yaml": json.dumps({"services": {"it": service}})}).launches
    assert (launch.verdict, launch.why) == (verdict, why)


def test_a_command_that_ends_by_itself_is_not_called_handled() -> None:
    (launch,) = read({"Dockerfile": "FROM cloudflare/cloudflared\n"}).launches
    assert launch.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("image", "command", "verdict", "why"),
    [
        ("dexidp/dex", "/shared/argocd-dex rundex", Verdict.CUT, "the dex that it started is killed"),
        ("busybox", "/var/run/argocd/argocd-cmp-server", Verdict.IGNORED, "nothing ends its server"),
        ("cassandra:5.0", "cassandra", Verdict.UNKNOWN, "nothing is known of the command cassandra"),
        ("mailhog/mailhog:v1.0.1", "", Verdict.CUT, "MailHog ends at once on SIGTERM"),
        ("clickhouse", "bash", Verdict.UNKNOWN, "ends at once"),
        (
            "sail-8.4/app",
            "",
            Verdict.UNKNOWN,
            "what start-container of the sail-8.4/app image starts without arguments",
        ),
        ("sail-8.4/app", "redis-server", Verdict.HANDLED, "redis finishes what is in flight"),
        ("redis/redis-stack", "", Verdict.CUT, "dies of SIGTERM before redis has saved its data"),
        ("quay.io/soketi/soketi:1.4-16-debian", "", Verdict.HANDLED, "soketi closes its sockets on SIGTERM"),
        ("binwiederhier/ntfy", "serve", Verdict.CUT, "ntfy ends at once on SIGTERM"),
        ("docker.redpanda.com/redpandadata/console", "", Verdict.HANDLED, "Redpanda Console finishes"),
        ("ghcr.io/getsentry/snuba:nightly", "rust-consumer --storage x", Verdict.HANDLED, "snuba finishes"),
        ("docker.elastic.co/beats/filebeat:8.17.0", "-e", Verdict.HANDLED, "the beat finishes"),
        ("osixia/openldap:1.5.0", "--copy-service", Verdict.HANDLED, "passes SIGTERM on to slapd"),
        ("timberio/vector:0.32.2-debian", "", Verdict.HANDLED, "vector finishes"),
        ("wurstmeister/kafka", "", Verdict.HANDLED, "kafka finishes"),
        ("confluentinc/cp-kafka-connect:7.2.15", "", Verdict.HANDLED, "Kafka Connect finishes"),
        ("ankane/pgvector:v0.5.1", "", Verdict.HANDLED, "SIGINT is postgres' fast shutdown"),
        ("linuxserver/heimdall", "", Verdict.UNKNOWN, "s6-overlay"),
        ("openzipkin/zipkin", "", Verdict.CUT, "zipkin ends at once on SIGTERM"),
        ("ghcr.io/saleor/saleor:3.22", "", Verdict.HANDLED, "uvicorn finishes"),
        ("ghcr.io/saleor/saleor:3.20", "", Verdict.HANDLED, "gunicorn finishes"),
        ("cockroachdb/cockroach", "start-single-node --insecure", Verdict.HANDLED, "cockroach finishes"),
        ("sail-8.4/app", "php artisan schedule:run", Verdict.UNKNOWN, "ends by itself"),
        ("couchdb:3", "", Verdict.HANDLED, "the Erlang virtual machine stops its applications"),
        ("kong/kong-gateway:3.9", "", Verdict.HANDLED, "SIGQUIT is nginx's graceful stop"),
        ("kong:3.4", "kong migrations up", Verdict.UNKNOWN, "nothing is known of the command"),
        ("mongo-express", "", Verdict.CUT, "mongo-express has no handler for SIGTERM"),
        ("docker:dind", "--tls=false", Verdict.HANDLED, "dockerd stops its containers on SIGTERM"),
        ("docker:28", "", Verdict.HANDLED, "dockerd stops its containers on SIGTERM"),
        ("docker:20.10", "", Verdict.UNKNOWN, "sh without a command"),
        ("neo4j:5.26", "", Verdict.HANDLED, "neo4j finishes"),
        ("neo4j:4.2", "", Verdict.UNKNOWN, "nothing is known of the command"),
        ("couchbase/server:7.6.0", "", Verdict.CUT, "couchbase-server is killed under it"),
        ("rethinkdb:2.4", "", Verdict.HANDLED, "rethinkdb finishes"),
        ("crate:5.10", "crate -Cnetwork.host=_site_", Verdict.HANDLED, "crate finishes"),
        ("bitnamilegacy/redis-cluster:7.0.10", "", Verdict.HANDLED, "redis finishes"),
        ("ghcr.io/tursodatabase/libsql-server", "", Verdict.HANDLED, "sqld finishes"),
        ("dunglas/mercure:v0.18", "", Verdict.HANDLED, "caddy finishes"),
        ("dunglas/frankenphp:1-php8.3", "", Verdict.HANDLED, "frankenphp finishes"),
        ("caronc/apprise", "", Verdict.CUT, "supervisord stops nginx with SIGTERM"),
        ("victoriametrics/victoria-logs:v1.0.0-victorialogs", "", Verdict.HANDLED, "victoria-logs finishes"),
        ("zabbix/zabbix-web-service:alpine-7.0-latest", "", Verdict.CUT, "zabbix_web_service ends at once"),
        ("zabbix/zabbix-java-gateway", "", Verdict.CUT, "zabbix_java_gateway ends at once"),
        ("guacamole/guacd:1.5.5", "", Verdict.CUT, "guacd stops the connections that are open"),
        ("drakkan/sftpgo:v2", "", Verdict.CUT, "as long as --grace-time is 0"),
        ("drakkan/sftpgo:v2", "sftpgo serve --grace-time 8", Verdict.HANDLED, "sftpgo waits for transfers"),
        ("qmcgaw/gluetun", "", Verdict.HANDLED, "gluetun finishes"),
        ("ghcr.io/gethomepage/homepage:v1.2", "", Verdict.HANDLED, "Next's server closes"),
        ("ghcr.io/gethomepage/homepage:v0.9", "", Verdict.UNKNOWN, "nothing is known of the command"),
        ("ghcr.io/wg-easy/wg-easy:15", "", Verdict.HANDLED, "Nitro's node server closes"),
        ("b4bz/homer", "", Verdict.CUT, "lighttpd drops open requests"),
        ("ghcr.io/flaresolverr/flaresolverr", "", Verdict.CUT, "flaresolverr has no handler"),
        ("roundcube/roundcubemail:1.6.x-apache", "", Verdict.HANDLED, "SIGWINCH is httpd's graceful stop"),
        ("grafana/otel-lgtm:0.22.1", "", Verdict.HANDLED, "run-all.sh stops its servers"),
        ("temporalio/auto-setup:1.24", "", Verdict.HANDLED, "temporal-server finishes"),
        ("qdrant/qdrant:v1.15.1", "", Verdict.CUT, "qdrant is killed while it stops"),
        ("qdrant/qdrant:v1.1.0", "", Verdict.UNKNOWN, "nothing is known of the command"),
        ("qdrant/qdrant:latest", "./qdrant --config-path x", Verdict.UNKNOWN, "nothing is known of the command"),
        ("centrifugo/centrifugo:v6", "centrifugo -c config.json", Verdict.HANDLED, "centrifugo finishes"),
        ("oryd/kratos:v1.3.1", "serve -c /etc/kratos.yml --watch-courier", Verdict.HANDLED, "the server finishes"),
        ("jaegertracing/jaeger-collector:1.62.0", "", Verdict.HANDLED, "jaeger finishes"),
        ("prom/mysqld-exporter", "", Verdict.CUT, "what it drops is a scrape"),
        ("portainer/agent:2.21", "", Verdict.CUT, "the agent ends at once on SIGTERM"),
        ("rediscommander/redis-commander", "", Verdict.CUT, "redis-commander ends at once on SIGTERM"),
        ("jwilder/nginx-proxy", "", Verdict.CUT, "forego"),
        ("apache/tika:3.2.0-full", "", Verdict.CUT, "tika ends at once on SIGTERM"),
        ("apache/tika:1.24", "", Verdict.UNKNOWN, "what the image apache/tika:1.24 starts"),
        ("amazon/aws-otel-collector", "--config=/x.yaml", Verdict.HANDLED, "otelcol finishes"),
        ("ghcr.io/ferretdb/ferretdb:2", "", Verdict.CUT, "ferretdb gives its connections 3 s"),
        ("redis/redisinsight", "", Verdict.CUT, "redisinsight ends at once"),
        ("ghcr.io/navikt/mock-oauth2-server:2.1.9", "", Verdict.CUT, "mock-oauth2-server ends at once"),
        ("kenchan0130/simplesamlphp:1.19.8", "", Verdict.HANDLED, "SIGWINCH is httpd's graceful stop"),
        ("grafana/otel-lgtm:0.8.1", "", Verdict.IGNORED, "passes SIGTERM on to nobody"),
    ],
)
def test_programs_that_images_of_others_start(image: str, command: str, verdict: Verdict, why: str) -> None:
    key = "entrypoint" if image in ("dexidp/dex", "busybox", "cassandra:5.0") else "command"
    service = {"image": image, **({key: command.split()} if command else {})}
    (launch,) = read({"compose.yaml": json.dumps({"services": {"it": service}})}).launches
    assert launch.verdict is verdict
    assert why in launch.why


@pytest.mark.parametrize(
    ("instructions", "names"),
    [
        ("COPY . .", {"Dockerfile", "a.js", "b/"}),
        ("COPY a.js .", {"a.js"}),
        ("COPY a.js c.js", {"c.js"}),
        ("COPY b .", {"b", "d.js"}),
        ("COPY [ab]* .", {"a.js", "b", "d.js"}),
        ("COPY . /", set()),
        ("RUN make", set()),
        ("COPY a.js .\nRUN mv a.js c.js", None),
        ("COPY <<E /app/a.js\nE", None),
    ],
)
def test_the_names_in_a_folder_hold_all_that_is_found_there(instructions: str, names: set[str] | None) -> None:
    files = project(f"FROM node:22\nWORKDIR /app\n{instructions}\n", "a.js", "b/d.js")
    stage = final(files)
    named = layers.names_in(stage, files, "", "/app")
    assert named == names
    for name in ("a.js", "c.js", "d.js", "b"):
        found = layers.origin(stage, files, "", f"/app/{name}")
        assert named is None or not isinstance(found, str) or {name, f"{name}/"} & named


def test_only_what_an_instruction_may_have_put_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[str] = []
    look = layers._origin
    monkeypatch.setattr(
        layers,
        "_origin",
        lambda stage, files, context, path, seen: looked_for.append(path) or look(stage, files, context, path, seen),
    )
    files = project("FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN make\nCMD app\n", "main.py")
    image = image_of(final(files), files, "")
    assert find_text(image, files, "app", "/app") is None
    assert looked_for == ["/app/app"]
    moved = project("FROM python:3.12\nCOPY . /app\nRUN cp /app/run.sh /usr/bin/app\n", "run.sh")
    found = find_text(image_of(final(moved), moved, ""), moved, "app", "/")
    assert found is not None and found.source.path == "run.sh"


@pytest.mark.parametrize(
    ("tag", "bash"), [("3.2", "4.3"), ("4.2", "4.4"), ("4.4.1", "5.0"), ("7", "5.2"), ("latest", "5.2")]
)
def test_the_bash_of_mongodb_is_that_of_its_ubuntu(tag: str, bash: str) -> None:
    assert image_named(f"mongo:{tag}").versions["bash"] == bash
