"""Holds the official images of `knowledge/images.toml` against the Dockerfiles that they are published from.

    python tools/published_images.py OFFICIAL_IMAGES SOURCES [NAME …]

OFFICIAL_IMAGES is a checkout of docker-library/official-images, whose `library/NAME` says which repository, commit and
folder each tag is built from. SOURCES holds checkouts of those repositories, each as `OWNER+NAME`. For each image the
entrypoint, command and stop signal of its `latest` are printed as a row, and after `#` what the table says that
differs. What is not there to be read is said. Nothing is written: a row needs a person, who adds its drain, its dates
and whether its clients reconnect.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from gracelint.facts.launch import Launch
from gracelint.testing import read

KEYS = ("entrypoint and command", "stop_signal")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("official", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    library = given.official / "library"
    differing = 0
    for name in given.names or sorted(path.name for path in library.iterdir()):
        for line in report(name, (library / name).read_text(), given.sources):
            print(line)
            differing += "  # images.toml:" in line
    return 1 if differing else 0


def report(name: str, stanzas: str, sources: Path) -> Iterator[str]:
    built = next((stanza for stanza in stanzas_of(stanzas) if "latest" in tags(stanza)), None)
    text = dockerfile(built, sources) if built is not None else None
    if text is None:
        yield f"{name}: the Dockerfile of `latest` is not here"
        return
    published, known = shape(text), shape(f"FROM {name}\n")
    yield f"{name} ({built['GitCommit'][:12] if built else ''})"
    for key, there, here in zip(KEYS, published, known, strict=True):
        yield f"  {key} = {there!r}" + ("" if there == here else f"  # images.toml: {here!r}")


def stanzas_of(text: str) -> Iterator[dict[str, str]]:
    """The images of a library file; what stands at its beginning holds for all."""
    shared: dict[str, str] = {}
    for block in text.split("\n\n"):
        lines = (line.partition(":") for line in block.splitlines() if ":" in line and not line.startswith(("#", " ")))
        found = {key.strip(): value.strip() for key, _, value in lines}
        if "Tags" in found:
            yield {**shared, **found}
        else:
            shared |= found


def tags(stanza: dict[str, str]) -> list[str]:
    return f"{stanza['Tags']}, {stanza.get('SharedTags', '')}".split(", ")


def dockerfile(stanza: dict[str, str], sources: Path) -> str | None:
    """At the commit that is published, or the newest one where that is not in the checkout."""
    owner, name = stanza["GitRepo"].removesuffix(".git").rstrip("/").split("/")[-2:]
    folder = stanza.get("amd64-Directory", stanza.get("Directory", ".")).removeprefix("./")
    file = stanza.get("File", "Dockerfile")
    path = file if folder in ("", ".") else f"{folder}/{file}"
    for commit in (stanza.get("amd64-GitCommit", stanza.get("GitCommit", "HEAD")), "HEAD"):
        command = ["git", "-C", str(sources / f"{owner}+{name}"), "show", f"{commit}:{path}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout
    return None


def shape(text: str) -> tuple[str, ...]:
    """What a Dockerfile's last stage starts, as gracelint reads it."""
    launches = read({"Dockerfile": text}).launches
    return told(launches[-1]) if launches else ("", "")


def told(launch: Launch) -> tuple[str, ...]:
    return " ".join(word.value for word in launch.argv or ()), launch.stop_signal.value


if __name__ == "__main__":
    sys.exit(main())
