"""Says where each millisecond of a short run goes: `python benchmarks/startup.py [--runs N] [RUN …]`.

Every run is a process of its own, measured in CPU time and repeated; the smallest figure of each part is shown, as
whatever else the machine does can only add to it. Writes `benchmarks/startup.md`.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from ast import literal_eval
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PROBE = str(HERE / "startup_probe.py")
COMMAND = "from gracelint.__main__ import command; command()"
"""What the installed command says. (`-m` takes some milliseconds more, as do the scripts of pips that import `re`.)"""
PARTS = {
    "bare": "a bare Python: `python -c pass`",
    "finding": "the import system looks for modules and their compiled forms",
    "reading": "compiled modules are read",
    "running": "top-level statements of modules",
    "classes": "class statements",
    "initialisers": "`__init__` of the records that are made",
    "patterns": "regular expressions are compiled",
    "tables": "tables of `knowledge/` are read",
    "git": "git says which files there are",
    "linting": "all else: settings, files, launches, rules, output",
}
COUNTS = {"running": "modules", "classes": "classes", "patterns": "patterns", "tables": "questions to tables"}
PYTHON = (
    "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    "COPY . .\nEXPOSE 8000\nCMD {command}\n"
)
SERVICE = "FROM {image}\nWORKDIR /app\nCOPY . .\nCMD {command}\n"
RUNS: dict[str, tuple[list[str], dict[str, str]]] = {
    "one Dockerfile": (
        ["check", "Dockerfile"],
        {"Dockerfile": PYTHON.format(command='["gunicorn", "-b", ":8000", "app:app"]')},
    ),
    "one with a finding": (["check", "Dockerfile"], {"Dockerfile": PYTHON.format(command="gunicorn -b :8000 app:app")}),
    "one manifest": (
        ["check", "deploy.yaml"],
        {
            "deploy.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n"
            "  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n"
            "    spec:\n      containers:\n        - name: web\n          image: nginx:1.27\n"
            "          ports:\n            - containerPort: 80\n"
        },
    ),
    "one Compose file": (
        ["check", "compose.yaml"],
        {
            "compose.yaml": "services:\n  web:\n    image: nginx:1.27\n    ports: ['80:80']\n"
            "  cache:\n    image: redis:7\n    command: sh -c 'redis-server --save 60 1'\n"
        },
    ),
    "a Python service": (
        ["check", "Dockerfile"],
        {
            "Dockerfile": SERVICE.format(image="python:3.12-slim", command='["python", "app.py"]'),
            "app.py": "import signal\nimport sys\nimport time\n\n\ndef stop(signum, frame):\n    sys.exit(0)\n\n\n"
            "signal.signal(signal.SIGTERM, stop)\nwhile True:\n    time.sleep(1)\n",
        },
    ),
    "a Node service": (
        ["check", "Dockerfile"],
        {
            "Dockerfile": SERVICE.format(image="node:22-slim", command='["node", "server.js"]'),
            "server.js": "const http = require('http')\nconst server = http.createServer((q, r) => r.end('ok'))\n"
            "server.listen(8080)\nprocess.on('SIGTERM', () => server.close())\n",
        },
    ),
    "a Go service": (
        ["check", "Dockerfile"],
        {
            "Dockerfile": "FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\n\n"
            'FROM gcr.io/distroless/static\nCOPY --from=build /app /app\nCMD ["/app"]\n',
            "go.mod": "module example.com/app\n\ngo 1.23\n",
            "main.go": 'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":8080", nil)\n}\n',
        },
    ),
    "--help": (["--help"], {}),
    "--version": (["--version"], {}),
    "explain": (["explain", "shell-form-command"], {}),
    "rules": (["rules"], {}),
    "show-files": (["show-files"], {"Dockerfile": "FROM scratch\n"}),
}
"""What is asked, and of which files."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="RUN", help=f"one of {', '.join(RUNS)}")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--modules", action="store_true", help="show what each module takes in the first run")
    options = parser.parse_args()
    costs = {name: cost(*RUNS[name], options.runs) for name in options.names or RUNS}
    text = "\n".join(table(costs)) + "\n"
    print(text)
    if options.modules:
        modules = next(iter(costs.values())).modules
        print(*(f"{spent:7.2f}  {name}" for name, spent in sorted(modules.items(), key=itemgetter(1))), sep="\n")
    if not options.names:
        (HERE / "startup.md").write_text(text, encoding="utf-8")


class Cost(NamedTuple):
    """The least CPU milliseconds that a run takes, in all and by part and module, and how many there are of some."""

    whole: float
    parts: dict[str, float]
    modules: dict[str, float]
    counts: dict[str, int]


def cost(arguments: list[str], files: dict[str, str], runs: int) -> Cost:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONHASHSEED"] = "0"
    parts: dict[str, float] = {}
    modules: dict[str, float] = {}
    counts: dict[str, int] = {}
    wholes, bares = [], []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        tree.mkdir()
        for path, text in files.items():
            (tree / path).write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        subprocess.run(["git", "add", "-A"], cwd=tree, check=True)
        answer = Path(folder, "answer")
        for _ in range(runs + 1):  # the first one fills the caches, and is never the least
            spent_by([PROBE, str(answer), *arguments], tree, environment)
            told = literal_eval(answer.read_text())
            parts = {part: min(spent, parts.get(part, spent)) for part, spent in told["parts"].items()}
            modules = {name: min(spent, modules.get(name, spent)) for name, spent in told["modules"].items()}
            counts = told["counts"]
            wholes.append(spent_by(["-c", COMMAND, *arguments], tree, environment))
            bares.append(spent_by(["-c", "pass"], tree, environment))
    return Cost(min(wholes), {"bare": min(bares)} | parts, modules, counts)


def spent_by(arguments: list[str], folder: Path, environment: dict[str, str]) -> float:
    """The CPU milliseconds of a Python and its children."""
    nothing = subprocess.DEVNULL
    child = subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment, stdout=nothing, stderr=nothing)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return (usage.ru_utime + usage.ru_stime) * 1000


def table(costs: dict[str, Cost]) -> Iterator[str]:
    yield "## Where each millisecond of a short run goes"
    yield ""
    yield (
        f"CPU milliseconds, the least of several runs: Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores. Parts are timed one by one in a run that is slowed by it."
    )
    yield ""
    yield row("", costs)
    yield row("---", ["---:" for _ in costs])
    for part, meaning in PARTS.items():
        yield row(meaning, [f"{cost.parts[part]:.1f}" for cost in costs.values()])
    yield row("**the whole process**", [f"**{cost.whole:.1f}**" for cost in costs.values()])
    for part, counted in COUNTS.items():
        yield row(f"{counted}, beyond those of a bare Python", [str(cost.counts[part]) for cost in costs.values()])


def row(head: str, cells: Iterable[str]) -> str:
    return f"| {head} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
