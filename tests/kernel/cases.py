"""The cases of `cases/*.toml`, each a little project that can be started and that gracelint can read."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, product
from pathlib import Path
from typing import Any, NamedTuple

from container import HERE, TOOLS, Probe, Seen, stop

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLES: list[dict[str, Any]] = [tomllib.loads(path.read_text()) for path in sorted(HERE.glob("cases/*.toml"))]
IMAGES: dict[str, Any] = {name: image for table in TABLES for name, image in table.get("images", {}).items()}
NOT_STARTED: dict[str, str] = {row: why for table in TABLES for row, why in table.get("not-started", {}).items()}
MODULES = TOOLS / "node/node_modules"


class Case(NamedTuple):
    number: int
    about: str | None
    image: str
    dockerfile: str
    install: str | None
    programs: tuple[str, ...]
    files: dict[str, str]
    modules: bool
    probe: Probe
    unknown: str | None

    def __str__(self) -> str:
        parts = (self.image, self.install, self.about, self.dockerfile.replace("\n", "; "))
        return " ".join(part for part in parts if part)

    def write(self, folder: Path) -> None:
        """Puts the project into a folder."""
        image = IMAGES[self.image]
        lines = [f"FROM {image['from']}", "WORKDIR /app", "COPY . ."]
        if self.install:
            lines.append(f"RUN npm install -g {self.install}")
        (folder / "Dockerfile").write_text("\n".join([*lines, self.dockerfile, ""]))
        for name in self.programs:
            shutil.copy(HERE / "programs" / name, folder / name)
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)

    def run(self, folder: Path) -> Seen:
        """Starts and stops the project that `write` put into a folder."""
        if self.modules:
            (folder / "node_modules").symlink_to(MODULES)
        layer = folder.with_name(folder.name + "-layer")
        _lay_commands(layer, self)
        argv, by, env = _launch(self.dockerfile)
        by = by or IMAGES[self.image].get("stop-signal", "SIGTERM")
        return stop(argv, project=folder, layer=layer, env=env, by=by, probe=self.probe)


def cases() -> Iterator[Case]:
    numbers = count()
    for row in (row for table in TABLES for row in table["cases"]):
        for image, install, dockerfile in product(row["images"], row.get("install", [None]), row["dockerfile"]):
            yield Case(
                next(numbers),
                row.get("about"),
                image,
                dockerfile,
                install,
                tuple(row.get("programs", ())),
                row.get("files", {}),
                row.get("modules", False),
                Probe(**row.get("probe", {})),
                row.get("unknown"),
            )


def _launch(dockerfile: str) -> tuple[list[str], str | None, dict[str, str]]:
    """What a container runtime makes of the last lines of a Dockerfile: argv, stop signal, environment."""
    shell = ["/bin/sh", "-c"]
    words: dict[str, list[str]] = {"ENTRYPOINT": [], "CMD": []}
    by, env = None, {}
    for line in dockerfile.splitlines():
        name, _, rest = line.partition(" ")
        if name == "SHELL":
            shell = json.loads(rest)
        elif name == "STOPSIGNAL":
            by = rest
        elif name == "ENV":
            env |= dict(word.split("=", 1) for word in shlex.split(rest))
        elif name in words:
            words[name] = _array(rest) or [*shell, rest]
    return [*words["ENTRYPOINT"], *words["CMD"]], by, env


def _array(text: str) -> list[str] | None:
    """The words of a JSON array; what is none goes to the shell."""
    try:
        array: list[str] = json.loads(text) if text.startswith("[") else None
    except ValueError:
        return None
    return array


def _lay_commands(layer: Path, case: Case) -> None:
    """Makes the commands by which the image differs from the machine: its sh, busybox's, the installed versions."""
    image = IMAGES[case.image]
    usr_bin, local_bin = layer / "usr/bin", layer / "usr/local/bin"
    usr_bin.mkdir(parents=True)
    local_bin.mkdir(parents=True)
    links = dict.fromkeys(_applets(), "busybox") if image.get("busybox") else image.get("links", {})
    (local_bin / "python").symlink_to("/usr/bin/python3")
    for name, target in links.items():
        (usr_bin / name).symlink_to(target)
    tools = dict(tool.split("@") for tool in (*image.get("tools", ()), *filter(None, [case.install])))
    for tool, version in tools.items():
        package = (MODULES.parent if tool == "node" else MODULES) / f"{tool}-{version}"
        commands = json.loads((package / "package.json").read_text())["bin"]
        for name, path in commands.items():
            (local_bin / name).symlink_to(package / path)


def _applets() -> list[str]:
    listed = subprocess.run([TOOLS / "debian/bin/busybox", "--list"], capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if name != "busybox"]
