"""Little projects with a defect, and what the kernel sees of them before and after their fix."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cases import Case
from container import Probe

from gracelint.facts.verdict import Verdict


class Repair(NamedTuple):
    """A project with a defect of a rule, or of several. Its fix may be unsafe: what is asked is whether it helps."""

    rule: str
    dockerfile: str
    before: Verdict | None
    """None for what ends before it is up."""
    files: Mapping[str, str] = MappingProxyType({})
    programs: tuple[str, ...] = ("app.py",)
    image: str = "debian"
    after: Verdict = Verdict.HANDLED
    probe: Probe = Probe()
    modules: bool = False

    def __str__(self) -> str:
        command = self.dockerfile.strip().replace("\n", "; ")
        return f"{self.rule} {self.image} {command} {' '.join(self.files)}".rstrip()

    def case(self) -> Case:
        return Case(
            0, None, self.image, self.dockerfile, None, self.programs, dict(self.files), self.modules, self.probe, None
        )


IGNORED, CUT, HANDLED, ENDS = Verdict.IGNORED, Verdict.CUT, Verdict.HANDLED, None
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
PRE_SCRIPT = '{"name": "app", "version": "1.0.0", "scripts": {"prestart": "echo first", "start": "node server.js"}}\n'
OWN_STOP = """\
import os
import time

running = True


def stop():
    global running
    running = False


def main():
    print("ready", flush=True)
    while running:
        time.sleep(0.2)
    print("cleanup done", flush=True)


if __name__ == "__main__":
    main()
"""
OWN_SIGNALS = """\
import signal
import threading

ending = threading.Event()


def setup_signals():
    signal.signal(signal.SIGTERM, lambda *_: ending.set())


def main():
    print("ready", flush=True)
    while not ending.wait(0.5):
        pass
    print("cleanup done", flush=True)


if __name__ == "__main__":
    main()
"""
CONSUMER = """\
import queue

jobs = queue.Queue()
print("ready", flush=True)
try:
    while True:
        job = jobs.get()
finally:
    print("cleanup done", flush=True)
"""
COROUTINE = """\
import asyncio


async def main():
    print("ready", flush=True)
    try:
        while True:
            await asyncio.sleep(1)
    finally:
        print("cleanup done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
"""
CONTEXT = """\
import contextlib
import time


@contextlib.contextmanager
def store():
    try:
        yield
    finally:
        print("cleanup done", flush=True)


with store():
    print("ready", flush=True)
    while True:
        time.sleep(1)
"""
INTERRUPT_LOOP = """\
import signal
import sys
import time


def leave(signum, frame):
    print("cleanup done", flush=True)
    sys.exit(0)


for number in (signal.SIGHUP, signal.SIGINT):
    signal.signal(number, leave)
print("ready", flush=True)
while True:
    time.sleep(1)
"""
INTERRUPT_HANDLED = """\
import time

try:
    print("ready", flush=True)
    while True:
        time.sleep(1)
except KeyboardInterrupt:
    print("cleanup done", flush=True)
"""
JOINS = """\
import signal
import threading

stop = threading.Event()


def pump():
    while not stop.wait(0.2):
        pass


signal.signal(signal.SIGTERM, lambda *_: stop.set())
worker = threading.Thread(target=pump, daemon=True)
worker.start()
print("ready", flush=True)
stop.wait()
worker.join()
print("cleanup done", flush=True)
"""
IN_FUNCTION_JS = """\
const http = require("node:http");

async function main() {
  process.on("exit", () => console.log("cleanup done"));
  const api = http.createServer((request, response) => response.end("ok"));
  api.listen(8000, () => console.log("ready"));
}

main();
"""
MODULE_JS = """\
import http from 'node:http'

process.on('exit', () => console.log('cleanup done'))
const server = http.createServer((request, response) => response.end('ok'))
server.listen(8000, () => console.log('ready'))
"""
SIGNALS_JS = """\
const http = require("node:http");

const server = http.createServer((request, response) => response.end("ok"));
for (const name of ["SIGHUP", "SIGINT"]) {
  process.once(name, () => server.close(() => console.log("cleanup done")));
}
server.listen(8000, () => console.log("ready"));
"""
CLOSES_JS = """\
const http = require("node:http");

const server = http.createServer((request, response) => response.end("ok"));
process.on("SIGTERM", () => {
  server.close(() => {
    console.log("cleanup done");
    process.exit(0);
  });
});
server.listen(8000, () => console.log("ready"));
"""
KEEPS_JS = CLOSES_JS.replace("process.on", "server.keepAliveTimeout = 65_000;\nprocess.on", 1)
REDIRECTED = "#!/bin/sh\nset -e\ncd /app\npython -u app.py 2>&1\n"
BRANCHES = '#!/bin/sh\nif [ -n "$DEBUG" ]; then\n  python -u app.py\nelse\n  python app.py\nfi\n'
CHOICE = '#!/bin/sh\ncase "$1" in\n  serve) python app.py ;;\n  *) "$@" ;;\nesac\n'
PREFIXED = "#!/bin/sh\nmkdir -p /tmp/cache\nnice env MODE=full python app.py\n"
INTERACTIVE = '#!/bin/bash\nset -euo pipefail\nreadonly app=app.py\npython "$app"\n'
NAMES = (
    '#!/bin/sh\nend() {{\n  kill -TERM "$pid"\n  wait "$pid"\n}}\ntrap end {}\npython app.py &\npid=$!\nwait "$pid"\n'
)
INIT_SCRIPT = "#!/bin/sh\ncd /app\ntini -- python app.py\n"
SLOW = Probe(ready="Uvicorn running", request="/slow")


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
    Repair("shell-form-command", "CMD python app.py", HANDLED, image="alpine"),
    Repair("shell-form-command", "CMD cd /app && python app.py", HANDLED, image="alpine"),
    Repair("shell-form-command", "CMD cd /app; python app.py", HANDLED, image="fedora"),
    Repair("shell-form-command", "CMD MODE=full python app.py", IGNORED),
    Repair("shell-form-command", "CMD export MODE=full; python app.py", IGNORED),
    Repair("shell-form-command", "CMD echo starting && python app.py", IGNORED),
    Repair("shell-form-command", "CMD umask 027 && nice -n 5 python app.py", IGNORED),
    Repair("shell-form-command", "ENTRYPOINT python app.py", IGNORED),
    Repair("shell-form-command", "ENTRYPOINT cd /app && python -u app.py", HANDLED, image="alpine"),
    Repair("shell-form-command", "ENV NAME=app.py\nCMD python $NAME", IGNORED),
    Repair("shell-form-command", "ENV NAME=app.py\nCMD python ${NAME:-other.py}", HANDLED, image="alpine"),
    Repair("shell-form-command", "CMD python 'app.py'", IGNORED),
    Repair("shell-form-command", "CMD node server.js", IGNORED, {}, ("server.js",), "node"),
    Repair("shell-form-command", "CMD node server.js", HANDLED, {}, ("server.js",), "node-alpine"),
    Repair("shell-form-command", "STOPSIGNAL SIGINT\nCMD python app.py", IGNORED),
    Repair("shell-wrapper", 'CMD ["sh", "-c", "cd /app && python app.py"]', HANDLED, image="alpine"),
    Repair("shell-wrapper", 'CMD ["sh", "-c", "python app.py 2>&1"]', IGNORED),
    Repair("shell-wrapper", 'CMD ["sh", "-c", "mkdir -p /tmp/cache; python app.py"]', IGNORED),
    Repair("shell-wrapper", 'ENTRYPOINT ["sh", "-c"]\nCMD ["cd /app && python app.py"]', IGNORED),
    Repair("shell-wrapper", 'CMD ["sh", "-c", "exec sh -c \'cd /app && python app.py\'"]', IGNORED),
    Repair("shell-wrapper", 'CMD ["/bin/bash", "-c", "cd /app && python app.py"]', HANDLED),
    Repair(
        "shell-wrapper",
        'ENTRYPOINT ["dumb-init", "--single-child", "--"]\nCMD ["sh", "-c", "cd /app && python app.py"]',
        CUT,
    ),
    Repair("shell-wrapper", 'ENTRYPOINT ["nice"]\nCMD ["sh", "-c", "cd /app && python app.py"]', IGNORED),
    Repair("shell-wrapper", 'CMD ["sh", "-c", "cd /app && node server.js"]', IGNORED, {}, ("server.js",), "node"),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": '#!/bin/bash\nset -e\n"$@"\n'}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": REDIRECTED}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": BRANCHES}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": BRANCHES}, image="alpine"),
    Repair("script-without-exec", 'ENTRYPOINT ["./start.sh"]\nCMD ["serve"]', IGNORED, {"start.sh": CHOICE}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": CHOICE}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": PREFIXED}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": INTERACTIVE}),
    Repair("script-without-exec", SCRIPT, CUT, {"start.sh": f"#!/bin/bash\n{SINGLE_WAIT}"}),
    Repair("script-without-exec", SCRIPT, CUT, {"start.sh": f"#!/bin/sh\n{SINGLE_WAIT}"}, image="alpine"),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": NAMES.format("SIGTERM")}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": NAMES.format("SIGHUP INT QUIT TERM")}),
    Repair("script-without-exec", SCRIPT, IGNORED, {"start.sh": NAMES.format("SIGHUP SIGINT SIGQUIT SIGUSR1 SIGTERM")}),
    Repair("script-without-exec", 'CMD ["sh", "start.sh"]', IGNORED, {"start.sh": "python app.py\n"}),
    Repair("shell-form-command script-without-exec", "CMD ./start.sh", IGNORED, {"start.sh": REDIRECTED}),
    Repair(
        "package-manager-as-pid-1", 'CMD ["npm", "start"]', CUT, {"package.json": PACKAGE}, ("server.js",), "node-22"
    ),
    Repair(
        "package-manager-as-pid-1",
        'CMD ["npm", "start"]',
        HANDLED,
        {"package.json": PACKAGE},
        ("server.js",),
        "node-alpine",
    ),
    Repair(
        "package-manager-as-pid-1",
        'CMD ["npm", "run", "start"]',
        CUT,
        {"package.json": PACKAGE},
        ("server.js",),
        "node",
    ),
    Repair(
        "package-manager-as-pid-1", 'CMD ["npm", "start"]', CUT, {"package.json": PRE_SCRIPT}, ("server.js",), "node"
    ),
    Repair("package-manager-as-pid-1", 'CMD ["yarn", "start"]', CUT, {"package.json": PACKAGE}, ("server.js",), "node"),
    Repair(
        "package-manager-as-pid-1",
        'CMD ["yarn", "start"]',
        CUT,
        {"package.json": PACKAGE},
        ("server.js",),
        "node-alpine",
    ),
    Repair("misplaced-init", "CMD dumb-init python app.py", IGNORED),
    Repair("misplaced-init", 'CMD ["sh", "-c", "cd /app && tini -- python app.py"]', IGNORED),
    Repair("misplaced-init", SCRIPT, IGNORED, {"start.sh": INIT_SCRIPT}),
    Repair("malformed-exec-form", "CMD ['python', 'app.py']", ENDS),
    Repair("malformed-exec-form", 'CMD ["python", "app.py",]', ENDS),
    Repair("malformed-exec-form", 'CMD [python, "app.py"]', ENDS),
    Repair("uncatchable-stop-signal", 'STOPSIGNAL SIGKILL\nCMD ["python", "app.py"]', CUT),
    Repair("uncatchable-stop-signal", 'STOPSIGNAL SIGSTOP\nCMD ["python", "app.py"]', IGNORED),
    Repair("stop-signal-mismatch", 'STOPSIGNAL SIGQUIT\nCMD ["python", "app.py"]', IGNORED),
    Repair("stop-signal-mismatch", 'STOPSIGNAL SIGHUP\nCMD ["node", "server.js"]', IGNORED, {}, ("server.js",), "node"),
    Repair("stop-signal-mismatch", 'ENTRYPOINT ["tini", "--"]\nCMD ["python", "app.py"]\nSTOPSIGNAL SIGUSR1', CUT),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": OWN_STOP}),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": OWN_SIGNALS}),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": CONSUMER}),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": COROUTINE}),
    Repair("missing-sigterm-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": CONTEXT}, image="alpine"),
    Repair(
        "missing-sigterm-handler", 'ENTRYPOINT ["dumb-init"]\nCMD ["python", "main.py"]', CUT, {"main.py": CONSUMER}
    ),
    Repair("missing-sigterm-handler", 'CMD ["node", "main.js"]', IGNORED, {"main.js": IN_FUNCTION_JS}, image="node"),
    Repair("missing-sigterm-handler", 'CMD ["node", "main.mjs"]', IGNORED, {"main.mjs": MODULE_JS}, image="node-22"),
    Repair(
        "missing-sigterm-handler",
        'ENTRYPOINT ["tini", "--"]\nCMD ["node", "main.js"]',
        CUT,
        {"main.js": SERVER_JS},
        image="node",
    ),
    Repair("sigint-only-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": INTERRUPT_LOOP}),
    Repair("sigint-only-handler", 'CMD ["python", "main.py"]', IGNORED, {"main.py": INTERRUPT_HANDLED}),
    Repair(
        "sigint-only-handler", 'ENTRYPOINT ["tini", "--"]\nCMD ["python", "main.py"]', CUT, {"main.py": SIGINT_ALONE}
    ),
    Repair("sigint-only-handler", 'CMD ["node", "main.js"]', IGNORED, {"main.js": SIGNALS_JS}, image="node"),
    Repair("unbounded-wait-on-shutdown", 'CMD ["python", "main.py"]', HANDLED, {"main.py": JOINS}),
    Repair("unbounded-wait-on-shutdown", 'CMD ["node", "main.js"]', HANDLED, {"main.js": CLOSES_JS}, image="node"),
    Repair("keep-alive-blocks-close", 'CMD ["node", "main.js"]', HANDLED, {"main.js": KEEPS_JS}, image="node"),
    Repair(
        "unbounded-drain",
        'CMD ["uvicorn", "--port", "8000", "asgi:app"]',
        HANDLED,
        {},
        ("asgi.py",),
        probe=SLOW,
    ),
    Repair("missing-sigterm-handler missing-init", 'CMD ["python", "main.py"]', IGNORED, {"main.py": TICKER}),
    Repair("shell-form-command missing-sigterm-handler", "CMD python main.py", IGNORED, {"main.py": TICKER}),
    Repair(
        "package-manager-as-pid-1 missing-sigterm-handler",
        'CMD ["npm", "start"]',
        CUT,
        {"package.json": PACKAGE, "server.js": SERVER_JS},
        image="node",
    ),
]
