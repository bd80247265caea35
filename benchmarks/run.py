"""Times gracelint beside the linters it finds: `python benchmarks/run.py [--peers FOLDER] [TREE …]`.

Each tool runs alone on the same tree, as a process of its own. What is compared is the CPU time of the process and its
children: the median of several runs, after one that fills the caches. A peer that is slow runs fewer times, as the
table says. Peers that are not installed are left out, and the table says so. Writes `benchmarks/README.md`.
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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import NamedTuple

from startup import COMMAND

HERE = Path(__file__).parent
GRACELINT = [sys.executable, "-c", COMMAND, "check", "--fail-on", "never", "--quiet"]
VERSIONS = {
    "hadolint": ["--version"],
    "tally": ["--version"],
    "kube-linter": ["version"],
    "kube-score": ["version"],
    "checkov": ["--version"],
}
TREES = ((1000, 0), (0, 20_000), (1000, 20_000))
"""Dockerfiles and manifests. Peers know one of both: for the last tree they take what they take for the first two."""
SAMPLE = (10, 200)
"""What a peer is shown that takes a minute for a thousand files."""
KINDS = ("Dockerfiles", "manifests")
SETTINGS = "settings/application.yaml"
"""In the generated trees, a file of YAML that is no manifest."""
PATTERNS = ("Dockerfile*", "*.yaml")
PATIENCE = 80.0
"""CPU seconds that a peer may spend on one tree before it is not run again."""
AT_ONCE = 1000
"""Files that kube-score opens at once: it keeps them all open, and the system's limit is often not much above this."""
GROWTH = ((125, 2500), (250, 5000), (500, 10_000), (1000, 20_000), (2000, 40_000))


class Cost(NamedTuple):
    cpu: float
    """Seconds."""
    memory: float
    """MiB at most."""
    runs: int = 1


class Peer(NamedTuple):
    """A tool as it is told to lint a tree."""

    name: str
    command: Sequence[str]
    stdin: Path | None = None


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
        "Written by `python benchmarks/run.py`. CPU seconds (user and system) of the whole process: the median of so "
        "many runs, after one that does not count.",
        "",
        f"- Machine: {machine()}",
        f"- Python {platform.python_version()}, {version_of([*GRACELINT[:3], '-V'])}",
    ]
    lines += [f"- {name}: {version_of([path, *VERSIONS[name]])}" for name, path in peers.items()]
    return [*lines, *(f"- {name}: not found, and not measured" for name in VERSIONS if name not in peers)]


def beside(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    """Whole trees."""
    yield from (
        "",
        "## Beside others",
        "",
        "kube-score joins what it is given at once: in one stream that is everything, in batches not. Both are shown. "
        "checkov, which takes a minute for a thousand files, is shown a sample.",
        "",
        "| tree | tool | CPU s | × gracelint | ms per file | MiB | runs |",
        "|---|---|---|---|---|---|---|",
    )
    for size in TREES:
        tree = generated(folder, *size, options.scale)
        yield from compared(named(size, options.scale), tree, asked(tree, peers) if 0 in size else (), options)
    sample = generated(folder, *SAMPLE, 1.0)
    yield from compared(f"a sample: {named(SAMPLE, 1.0)}", sample, slow(peers), options)
    for tree in options.trees:
        yield from compared(tree.name, tree.resolve(), asked(tree.resolve(), peers), options)


def named(size: tuple[int, int], scale: float) -> str:
    return " + ".join(f"{int(count * scale):,} {kind}" for count, kind in zip(size, KINDS, strict=True) if count)


def growth(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    """Each tree is twice the one before."""
    yield from (
        "",
        "## Growth",
        "",
        "| Dockerfiles | manifests | CPU s | × the row before | ms per file | MiB |",
        "|---|---|---|---|---|---|",
    )
    before = None
    for dockerfiles, manifests in GROWTH:
        tree = generated(folder, dockerfiles, manifests, options.scale)
        cost = measured([*GRACELINT, "--no-cache", "."], tree, options.runs)
        sizes = (int(dockerfiles * options.scale), int(manifests * options.scale))
        times = f"{cost.cpu / before:.2f}" if before else ""
        before = cost.cpu
        row = f"{cost.cpu:.2f} | {times} | {1000 * cost.cpu / sum(sizes):.2f} | {cost.memory:.0f}"
        yield f"| {sizes[0]} | {sizes[1]} | {row} |"


def compared(name: str, tree: Path, peers: Iterable[Peer], options: argparse.Namespace) -> Iterator[str]:
    own = measured([*GRACELINT, "--no-cache", "."], tree, options.runs)
    for path in one_of_each(tree):  # a run for a file begins an index, one for everything only keeps it up
        _once([*GRACELINT, path], tree, None)
    again = measured([*GRACELINT, "."], tree, options.runs)
    costs = {"gracelint": own, "gracelint, with its index": again}
    files = sum(1 for pattern in PATTERNS for path in tree.rglob(pattern) if path.is_file())
    for tool, cost in costs.items():
        yield compared_row(name, tool, cost, own, files)
    for peer in peers:
        cost = measured(peer.command, tree, options.peer_runs, stdin=peer.stdin, patience=PATIENCE)
        yield compared_row(name, peer.name, cost, own, files)


def compared_row(tree: str, tool: str, cost: Cost, own: Cost, files: int) -> str:
    row = f"{cost.cpu:.2f} | {cost.cpu / own.cpu:.1f} | {1000 * cost.cpu / files:.2f} | {cost.memory:.0f} | {cost.runs}"
    return f"| {tree} | {tool} | {row} |"


def asked(tree: Path, peers: dict[str, str]) -> Iterator[Peer]:
    """How each peer is told to lint what it knows of a tree."""
    dockerfiles = sorted(str(path.relative_to(tree)) for path in tree.rglob(PATTERNS[0]))
    manifests = sorted(str(path.relative_to(tree)) for path in tree.rglob(PATTERNS[1]) if is_manifest(path))
    if dockerfiles and "hadolint" in peers:
        yield Peer("hadolint", [peers["hadolint"], "--no-fail", *dockerfiles])
    if dockerfiles and "tally" in peers:
        yield Peer("tally", [peers["tally"], "lint", *dockerfiles])
    if manifests and "kube-linter" in peers:
        yield Peer("kube-linter", [peers["kube-linter"], "lint", "."])
    if manifests and "kube-score" in peers:
        path = peers["kube-score"]
        yield Peer("kube-score, all in one stream", [path, "score", "-"], in_one_stream(tree, manifests))
        batches = ["xargs", "-0", "-n", str(AT_ONCE), path, "score"]
        if len(manifests) > AT_ONCE:
            yield Peer(f"kube-score, {AT_ONCE:,} files at a time", batches, listed(tree, manifests))


def slow(peers: dict[str, str]) -> Iterator[Peer]:
    if "checkov" in peers:
        yield Peer("checkov", [peers["checkov"], "-d", ".", "--quiet", "--compact", "--skip-download"])


def is_manifest(path: Path) -> bool:
    """Whether a file holds objects as they are: peers that render no charts end at the first that does not."""
    if not path.is_file() or "templates" in path.parts:
        return False
    text = path.read_text("utf-8", "replace")
    return "{{" not in text and all(f"\n{key}:" in f"\n{text}" for key in ("apiVersion", "kind"))


def in_one_stream(tree: Path, manifests: Sequence[str]) -> Path:
    stream = tree.with_name(f"{tree.name}.stream")
    with open(stream, "w", encoding="utf-8") as file:
        for path in manifests:
            file.write(f"---\n{(tree / path).read_text('utf-8', 'replace')}\n")
    return stream


def listed(tree: Path, manifests: Sequence[str]) -> Path:
    return written(tree.with_name(f"{tree.name}.list"), "\0".join(manifests))


def single(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    """One file: alone, and as it is staged in the trees."""
    runs = options.runs
    bare = measured([sys.executable, "-c", "pass"], folder, 3 * runs)
    alone = [written(folder / f"alone-{name}" / name, text) for name, text in ALONE.items()]
    for path in alone:
        subprocess.run(["git", "init", "-q", "."], cwd=path.parent, check=True)
    rows = [(f"{path.name}, alone", [*GRACELINT, path.name], path.parent, 3 * runs) for path in alone]
    rows.append(("`--help`", [*GRACELINT[:3], "--help"], folder, 3 * runs))
    for tree, where in [
        *((generated(folder, *size, options.scale), named(size, options.scale)) for size in TREES),
        *((tree.resolve(), tree.name) for tree in options.trees),
    ]:
        for name in one_of_each(tree):
            rows.append((f"{name} of {where}, no index", [*GRACELINT, "--no-cache", name], tree, runs))
            rows.append((f"{name} of {where}, with an index", [*GRACELINT, name], tree, runs))
    yield from ("", "## One file", "", "| run | CPU ms | × bare Python | MiB |", "|---|---|---|---|")
    yield f"| bare Python | {1000 * bare.cpu:.0f} | 1 | {bare.memory:.0f} |"
    for name, words, tree, times in rows:
        yield single_row(name, measured(words, tree, times), bare)
    for path in alone:
        for peer in asked(path.parent, peers):
            cost = measured(peer.command, path.parent, runs, stdin=peer.stdin)
            yield single_row(f"{path.name}, alone, {peer.name}", cost, bare)


def single_row(name: str, cost: Cost, bare: Cost) -> str:
    return f"| {name} | {1000 * cost.cpu:.0f} | {cost.cpu / bare.cpu:.1f} | {cost.memory:.0f} |"


def one_of_each(tree: Path) -> Iterator[str]:
    """A file of each kind from the middle of a tree, as somebody would stage it."""
    found = (sorted(path for path in tree.rglob(pattern) if path.is_file()) for pattern in PATTERNS)
    staged = [str(paths[len(paths) // 2].relative_to(tree)) for paths in found if paths]
    yield from dict.fromkeys((*staged, *([SETTINGS] if (tree / SETTINGS).exists() else ())))


ALONE = {
    "Dockerfile": 'FROM python:3.12-slim\nCMD ["gunicorn", "app:app"]\n',
    "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: nginx}]}\n",
}


def warm(folder: Path, peers: dict[str, str], options: argparse.Namespace) -> Iterator[str]:
    """An edit of one file, as the server of editors answers it."""
    from gracelint.config import Configuration, Place
    from gracelint.lsp.session import Session

    yield from (
        "",
        "## An edit in the editor",
        "",
        "What `gracelint lsp` works out once a line of a file of `fixtures/shop` is changed, which has six services of "
        "Compose and five workloads: CPU milliseconds of the model's work.",
        "",
        "| file | the first reading | an edit, median | least |",
        "|---|---|---|---|",
    )
    for path in EDITED:
        session = Session(Place(str(SHOP)), str(SHOP), Configuration)
        text = (SHOP / path).read_text("utf-8")
        costs = []
        for number in range(10 * options.runs):
            session.update(path, text.replace("\n", f"\n# {number}\n", 1))
            before = process_time()
            session.read(session.open)
            costs.append(1000 * (process_time() - before))
        first, *edits = costs
        yield f"| {path} | {first:.0f} | {statistics.median(edits):.1f} | {min(edits):.1f} |"


SHOP = HERE.parent / "fixtures/shop"
EDITED = ("api/Dockerfile", "checkout/app.py", "web/Dockerfile", "worker/entrypoint.sh", "k8s/web.yaml", "compose.yaml")
PARTS = {"beside": beside, "single": single, "warm": warm, "growth": growth}


def measured(
    command: Sequence[str], folder: Path, runs: int, *, stdin: Path | None = None, patience: float = float("inf")
) -> Cost:
    """The median of some runs, after a first one that does not count unless it alone takes all the patience."""
    costs = [_once(command, folder, stdin)]
    while len(costs) <= runs and sum(cost.cpu for cost in costs) < patience:
        costs.append(_once(command, folder, stdin))
    costs = costs[1:] or costs
    return Cost(statistics.median(cost.cpu for cost in costs), max(cost.memory for cost in costs), len(costs))


def _once(command: Sequence[str], folder: Path, stdin: Path | None) -> Cost:
    """Waits by hand: the system tells what one child has used to the one that waits for it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with open(stdin or os.devnull, "rb") as given:
        nothing = subprocess.DEVNULL
        child = subprocess.Popen(command, cwd=folder, env=environment, stdin=given, stdout=nothing, stderr=nothing)
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


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


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
