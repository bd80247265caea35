"""Times gracelint beside the linters it finds: `python benchmarks/run.py [--peers FOLDER] [TREE …]`.

Each tool runs alone on the same tree, as a process of its own. What is compared is the CPU time of the process and its
children: the median of several runs, after one that fills the caches. Peers that are not installed are left out, and
the table says so. Writes `benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
GRACELINT = [sys.executable, "-m", "gracelint", "check", "--fail-on", "never", "--quiet"]
VERSIONS = {
    "hadolint": ["--version"],
    "tally": ["--version"],
    "kube-linter": ["version"],
    "kube-score": ["version"],
    "checkov": ["--version"],
}
TREES = ((1000, 0), (0, 20_000), (1000, 20_000), (2000, 40_000))
"""Dockerfiles and manifests. The last one is there for the growth, and not shown to the peers."""
KINDS = ("Dockerfiles", "manifests")
GROWTH = ((125, 2500), (250, 5000), (500, 10_000), (1000, 20_000), (2000, 40_000))


class Cost(NamedTuple):
    cpu: float
    """Seconds."""
    memory: float
    """MiB at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, metavar="TREE", help="real projects to measure on, too")
    parser.add_argument("--peers", type=Path, action="append", default=[], help="a folder with peers, before PATH")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the generated trees' size")
    parser.add_argument("--only", choices=tuple(PARTS), action="append", help="a part of the report; default: all")
    options = parser.parse_args()
    folders = [str(folder.resolve()) for folder in options.peers]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])
    peers = {name: path for name in VERSIONS if (path := shutil.which(name)) is not None}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRACELINT_CACHE_DIR"] = os.path.join(folder, "cache")
        lines = head(peers, options)
        for part in options.only or PARTS:
            for line in PARTS[part](Path(folder), peers, options):
                lines.append(line)
                print(line, flush=True)
                (HERE / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def head(peers: dict[str, str], options: argparse.Namespace) -> list[str]:
    lines = [
        "# Benchmarks",
        "",
        "Written by `python benchmarks/run.py`. CPU seconds (user and system) of the whole process, medians "
        f"of {options.runs} runs, of peers {options.peer_runs}.",
        "",
        f"- Machine: {machine()}",
        f"- Python {platform.python_version()}, {version_of([*GRACELINT[:3], '-V'])}",
    ]
    lines += [f"- {name}: {version_of([path, *VERSIONS[name]])}" for name, path in peers.items()]
    return [*lines, *(f"- {name}: not found, and not measured" for name in VERSIONS if name not in peers)]


def beside(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    """Whole trees; what peers take for both kinds of files is the sum of what they take for each."""
    yield from ("", "## Beside others", "", "| tree | tool | CPU s | × gracelint | MiB |", "|---|---|---|---|---|")
    for size in TREES:
        tree = generated(folder, *size, options.scale)
        name = " + ".join(
            f"{int(count * options.scale):,} {kind}" for count, kind in zip(size, KINDS, strict=True) if count
        )
        yield from compared(name, tree, peers if 0 in size else {}, options)
    for tree in options.trees:
        yield from compared(tree.name, tree.resolve(), peers, options)


def growth(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    yield from ("", "## Growth", "", "| Dockerfiles | manifests | CPU s | ms per file | MiB |", "|---|---|---|---|---|")
    for dockerfiles, manifests in GROWTH:
        tree = generated(folder, dockerfiles, manifests, options.scale)
        cost = measured([*GRACELINT, "--no-cache", "."], tree, options.runs)
        sizes = (int(dockerfiles * options.scale), int(manifests * options.scale))
        row = f"{sizes[0]} | {sizes[1]} | {cost.cpu:.2f} | {1000 * cost.cpu / sum(sizes):.2f} | {cost.memory:.0f}"
        yield f"| {row} |"


def compared(name: str, tree: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    own = measured([*GRACELINT, "--no-cache", "."], tree, options.runs)
    again = measured([*GRACELINT, "."], tree, options.runs)
    yield from (
        f"| {name} | gracelint | {own.cpu:.2f} | 1 | {own.memory:.0f} |",
        f"| {name} | gracelint, with its index | {again.cpu:.2f} | {again.cpu / own.cpu:.1f} | {again.memory:.0f} |",
    )
    for peer, command in asked(tree, peers).items():
        cost = measured(command, tree, options.peer_runs)
        yield f"| {name} | {peer} | {cost.cpu:.2f} | {cost.cpu / own.cpu:.1f} | {cost.memory:.0f} |"


def asked(tree: Path, peers: dict[str, str]) -> dict[str, Sequence[str]]:
    """How each peer is told to lint what it knows of a tree."""
    dockerfiles = sorted(str(path.relative_to(tree)) for path in tree.rglob("Dockerfile*"))
    manifests = sorted(str(path.relative_to(tree)) for path in tree.rglob("*.yaml"))
    commands: dict[str, Callable[[str], Sequence[str]]] = {}
    if dockerfiles:
        commands["hadolint"] = lambda path: [path, "--no-fail", *dockerfiles]
        commands["tally"] = lambda path: [path, "lint", *dockerfiles]
    if manifests:
        commands["kube-linter"] = lambda path: [path, "lint", "."]
        commands["kube-score"] = lambda path: [path, "score", *manifests]
    if len(dockerfiles) + len(manifests) <= 2000:
        commands["checkov"] = lambda path: [path, "-d", ".", "--quiet", "--compact", "--skip-download"]
    return {name: commands[name](path) for name, path in peers.items() if name in commands}


def single(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    """One file: alone, and as it is staged in the trees."""
    runs = options.runs
    bare = measured([sys.executable, "-c", "pass"], folder, 3 * runs)
    alone = folder / "alone"
    write(alone / "Dockerfile", 'FROM python:3.12-slim\nCMD ["gunicorn", "app:app"]\n')
    write(alone / "pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: nginx}]}\n")
    subprocess.run(["git", "init", "-q", "."], cwd=alone, check=True)
    both = generated(folder, 1000, 20_000, options.scale)
    where = f"of {int(1000 * options.scale):,} Dockerfiles and {int(20_000 * options.scale):,} manifests"
    rows = [
        ("one Dockerfile", [*GRACELINT, "Dockerfile"], alone, 3 * runs),
        ("one manifest", [*GRACELINT, "pod.yaml"], alone, 3 * runs),
        ("`--help`", [*GRACELINT[:3], "--help"], alone, 3 * runs),
    ]
    staged = [(both, where, path) for path in ("services/0/app-0/Dockerfile", "manifests/0/0.yaml")]
    for tree in options.trees:
        names = sorted(path.relative_to(tree) for path in tree.rglob("*.yaml") if path.is_file())
        staged += [(tree.resolve(), f"of {tree.name}", str(names[len(names) // 2]))] if names else []
    for tree, its_name, path in staged:
        rows.append((f"{path} {its_name}, no index", [*GRACELINT, "--no-cache", path], tree, runs))
        rows.append((f"{path} {its_name}, with an index", [*GRACELINT, path], tree, runs))
    yield from ("", "## One file", "", "| run | CPU ms | × bare Python | MiB |", "|---|---|---|---|")
    yield f"| bare Python | {1000 * bare.cpu:.0f} | 1 | {bare.memory:.0f} |"
    for name, words, tree, times in rows:
        cost = measured(words, tree, times)
        yield f"| {name} | {1000 * cost.cpu:.0f} | {cost.cpu / bare.cpu:.1f} | {cost.memory:.0f} |"
    for peer, command in asked(alone, peers).items():
        cost = measured(command, alone, runs)
        row = f"{1000 * cost.cpu:.0f} | {cost.cpu / bare.cpu:.1f} | {cost.memory:.0f}"
        yield f"| one Dockerfile or manifest, {peer} | {row} |"


PARTS = {"beside": beside, "single": single, "growth": growth}


def measured(command: Sequence[str], folder: Path, runs: int) -> Cost:
    """The median of some runs, after a first one that does not count; of one run, that."""
    costs = [_once(command, folder) for _ in range(runs + 1 if runs > 1 else 1)][-runs:]
    return Cost(statistics.median(cost.cpu for cost in costs), max(cost.memory for cost in costs))


def _once(command: Sequence[str], folder: Path) -> Cost:
    """Waits by hand: the system tells what one child has used to the one that waits for it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    return Cost(used.ru_utime + used.ru_stime, _mebibytes(used))


def _mebibytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def generated(folder: Path, dockerfiles: int, manifests: int, scale: float) -> Path:
    """A tree of that size, with everything tracked by git."""
    tree = folder / f"{dockerfiles}-{manifests}"
    if not tree.exists():
        sizes = ["--dockerfiles", str(int(dockerfiles * scale)), "--manifests", str(int(manifests * scale))]
        subprocess.run([sys.executable, str(HERE / "generate.py"), str(tree), *sizes], check=True)
        subprocess.run(["git", "init", "-q", "."], cwd=tree, check=True)
        subprocess.run(["git", "add", "-A", "."], cwd=tree, check=True)
    return tree


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def machine() -> str:
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        text = Path("/proc/cpuinfo").read_text()
        name = next((line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line), name)
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {name}, {platform.system()} {platform.release()}, load {load:.1f} when this was begun"


def version_of(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return " ".join((done.stdout or done.stderr).split())[:80]


if __name__ == "__main__":
    main()
