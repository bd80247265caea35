"""The kernel decides on fixes, too: a little project is stopped before its fix and after it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from cases import Case
from container import NotReadyError, Probe, missing

from gracelint.facts.verdict import Verdict
from gracelint.testing import fix, fixed_files, read_folder
from predict import launches, verdict

pytestmark = pytest.mark.kernel
AT_ONCE = 10
"""Containers that run at the same time: they mostly wait."""


class Repair(NamedTuple):
    """A project with one defect. Its fix may be unsafe: what is asked is whether it helps."""

    rule: str
    dockerfile: str
    before: Verdict
    files: Mapping[str, str] = MappingProxyType({})
    programs: tuple[str, ...] = ("app.py",)
    image: str = "debian"
    after: Verdict = Verdict.HANDLED

    def __str__(self) -> str:
        command = self.dockerfile.strip().replace("\n", "; ")
        return f"{self.rule} {self.image} {command} {' '.join(self.files)}".rstrip()

    def case(self) -> Case:
        return Case(0, None, self.image, self.dockerfile, None, self.programs, dict(self.files), False, Probe(), None)


class Outcome(NamedTuple):
    """What was seen before and after; what gracelint says of the project after."""

    before: str
    after: str
    predicted: str


IGNORED, CUT = Verdict.IGNORED, Verdict.CUT
SCRIPT = 'ENTRYPOINT ["./start.sh"]\nCMD ["python", "app.py"]'
SINGLE_WAIT = 'trap \'kill -TERM "$pid"\' TERM\npython app.py &\npid=$!\nwait "$pid"\n'
TICKER = """\
import time

print("ready", flush=True)
try:
    while True:
        time.sleep(1)
finally:
    print("cleanup done", flush=True)
"""
ON_EXIT = """\
import atexit
import time


def main():
    atexit.register(print, "cleanup done", flush=True)
    print("ready", flush=True)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()
"""
SIGINT_ALONE = """\
import signal
import sys
import time


def leave(signum, frame):
    print("cleanup done", flush=True)
    sys.exit(0)


signal.signal(signal.SIGINT, leave)
print("ready", flush=True)
while True:
    time.sleep(1)
"""
SHUTDOWN = """\
import signal
from http.server import HTTPServer, SimpleHTTPRequestHandler

server = HTTPServer(("", 8000), SimpleHTTPRequestHandler)


def stop(signum, frame):
    server.shutdown()


signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
server.serve_forever()
server.server_close()
print("cleanup done", flush=True)
"""
SERVER_JS = """\
const http = require("node:http");

process.on("exit", () => console.log("cleanup done"));
const server = http.createServer((request, response) => response.end("ok"));
server.listen(8000, () => console.log("ready"));
"""
NAMELESS_JS = """\
const http = require("node:http");

process.on("exit", () => console.log("cleanup done"));
http.createServer((request, response) => response.end("ok")).listen(8000, () => console.log("ready"));
"""
SIGINT_JS = """\
const http = require("node:http");

const server = http.createServer((request, response) => response.end("ok"));
process.on("SIGINT", () => {
  server.close(() => {
    console.log("cleanup done");
    process.exit(0);
  });
});
server.listen(8000, () => console.log("ready"));
"""
PACKAGE = '{"name": "app", "version": "1.0.0", "scripts": {"start": "node server.js"}}\n'
COMPOUND = '{"name": "app", "version": "1.0.0", "scripts": {"start": "cd . && node server.js"}}\n'

REPAIRS = [
    Repair("shell-form-command", "CMD python app.py", IGNORED),
    Repair("shell-form-command", "CMD cd /app && python app.py 2>&1", IGNORED),
    Repair("shell-wrapper", 'CMD ["sh", "-c", "cd /app && python app.py"]', IGNORED),
    Repair("shell-wrapper", 'ENTRYPOINT ["tini", "--"]\nCMD ["sh", "-c", "python app.py"]', CUT),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": '#!/bin/sh\nset -e\n"$@"\n'}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": '#!/bin/sh\nset -e\n"$@"\n'}, image="alpine"),
    Repair("shell-wrapper", SCRIPT, IGNORED, {"start.sh": "#!/bin/bash\nexec sh -c 'cd /app && python app.py'\n"}),
    Repair("script-without-exec", SCRIPT, CUT, {"start.sh": f"#!/bin/sh\n{SINGLE_WAIT}"}),
    Repair("script-without-exec", SCRIPT, CUT, {"start.sh": f"#!/bin/sh\nset -e\n{SINGLE_WAIT}"}),
    Repair("package-manager-as-pid-1", 'CMD ["npm", "start"]', CUT, {"package.json": PACKAGE}, ("server.js",), "node"),
    Repair("package-manager-as-pid-1", 'CMD ["npm", "start"]', CUT, {"package.json": COMPOUND}, ("server.js",), "node"),
    Repair("misplaced-init", "CMD tini -- python app.py", IGNORED),
    Repair("swallowing-wrapper", 'CMD ["flock", "/tmp/lock", "python", "app.py"]', IGNORED),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": TICKER}),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": ON_EXIT}),
    Repair(
        "missing-sigterm-handler", 'ENTRYPOINT ["tini", "--"]\nCMD ["python", "main.py"]', CUT, {"main.py": ON_EXIT}
    ),
    Repair("missing-sigterm-handler", 'CMD ["node", "main.js"]', IGNORED, {"main.js": SERVER_JS}, image="node"),
    Repair("missing-sigterm-handler", 'CMD ["node", "main.js"]', IGNORED, {"main.js": NAMELESS_JS}, image="node"),
    Repair("sigint-only-handler", 'CMD ["python", "interrupt.py"]', IGNORED, {}, ("interrupt.py",)),
    Repair("sigint-only-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": SIGINT_ALONE}),
    Repair("sigint-only-handler", 'CMD ["node", "main.js"]', IGNORED, {"main.js": SIGINT_JS}, image="node"),
    Repair("shutdown-deadlock", 'CMD ["python", "main.py"]', IGNORED, {"main.py": SHUTDOWN}),
    Repair("missing-init", 'CMD ["python", "main.py"]', IGNORED, {"main.py": TICKER}, after=CUT),
    Repair("missing-init", 'CMD ["python", "main.py"]', IGNORED, {"main.py": TICKER}, image="alpine", after=CUT),
]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """What became of each selected repair. All are started at once, and run while the tests wait for the first."""
    reason = missing()
    if reason is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    callspecs = (getattr(item, "callspec", None) for item in request.session.items)
    selected = [spec.params["repair"] for spec in callspecs if spec and "repair" in spec.params]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {repr(one): pool.submit(_outcome, one, tmp_path_factory.mktemp("repair")) for one in selected}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("repair", REPAIRS, ids=str)
def test_a_fix_does_what_it_says(repair: Repair, outcomes: dict[str, Future[Outcome]]) -> None:
    assert outcomes[repr(repair)].result() == Outcome(repair.before.value, repair.after.value, repair.after.value)


def _outcome(repair: Repair, folder: Path) -> Outcome:
    defect = repair.case()
    before = _seen(defect, repair.before, folder / "before")
    files = read_folder(str(folder / "before"))
    result = fix(files, select=[repair.rule])
    assert result.changes, f"nothing to fix: {[item.finding.message for item in result.before.findings]}"
    made = fixed_files(files, result)
    lines = made.pop("Dockerfile").split("COPY . .\n", 1)[1]
    mended = defect._replace(dockerfile=lines, programs=(), files=made)
    after = _seen(mended, repair.after, folder / "after")
    return Outcome(before, after, verdict(launches(folder / "after")).value)


def _seen(case: Case, expected: Verdict, folder: Path) -> str:
    """A surprise is looked at again with more time: on a busy machine programs come up and end late."""
    folder.mkdir()
    case.write(folder)
    seen = "not started"
    for attempt in (folder.with_name(f"{folder.name}-1"), folder.with_name(f"{folder.name}-2")):
        attempt.mkdir()
        case.write(attempt)
        try:
            seen = case.run(attempt).verdict.value
        except NotReadyError as error:
            seen = str(error)
        if seen == expected.value:
            break
        case = case._replace(probe=case.probe._replace(grace=6, settle=0.5))
    return seen
