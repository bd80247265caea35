"""Starts a command as PID 1 of fresh namespaces, stops it as a container runtime does, and says what was seen."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from gracelint.facts.verdict import Verdict

HERE = Path(__file__).parent
TOOLS = Path(os.environ.get("GRACELINT_KERNEL_TOOLS", "/var/tmp/gracelint-kernel"))
PORT = 8000
PATH = f"{TOOLS}/python/bin:/usr/local/bin:{TOOLS}/node/node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin"
NEW_NET = 0x40000000
"""CLONE_NEWNET of linux/sched.h."""

T = TypeVar("T")


class Probe(NamedTuple):
    """How it is known that a program is up, and that its work was finished."""

    ready: str = "ready"
    """A regular expression on the output."""
    done: str = "cleanup done"
    request: str | None = None
    """A path that answers 200 late: begun before the signal, its whole answer stands in the place of `done`."""
    client: bytes | None = None
    """What a client says that stays connected."""
    settle: float = 0.0
    """Seconds to wait before the signal; where `ready` is empty, all there is to wait for."""
    grace: float = 3.0


class Seen(NamedTuple):
    verdict: Verdict
    pid_1: str
    """The name of PID 1 when the signal was sent."""
    seconds: float
    """From the signal to the end."""
    output: str


class NotReady(Exception):
    """The program never came up, so nothing was seen."""


def missing() -> str | None:
    """Why no container can be started here, or None."""
    if not (TOOLS / "node.sum").exists():
        return f"{TOOLS} is incomplete: run tests/kernel/install"
    done = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, text=True)
    return f"no namespaces of our own: {done.stderr.strip()}" if done.returncode else None


NAMESPACES = ("--pid", "--fork", "--kill-child", "--mount", "--net", "--uts", "--ipc")


def stop(argv: list[str], *, project: Path, layer: Path, env: dict[str, str], by: str, probe: Probe) -> Seen:
    """Runs `argv` in a copy of `project`, sends it the signal named `by` once it is up, and waits out the grace."""
    with tempfile.TemporaryDirectory(prefix="gracelint-") as folder:
        inside = [str(HERE / "container.sh"), folder, str(TOOLS), str(layer), str(project), *argv]
        container = subprocess.Popen(
            ["unshare", *NAMESPACES, *inside],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": PATH, "HOME": "/root", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"} | env,
        )
        try:
            return _stop(container, _Output(container), by, probe)
        finally:
            container.kill()
            container.wait()


def _stop(container: subprocess.Popen[bytes], output: _Output, by: str, probe: Probe) -> Seen:
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children")
    _until(lambda: children.read_text() and output.says(probe.ready), container, output)
    pid = int(children.read_text())
    if probe.request is not None:
        _until(lambda: _inside(pid, _accepts), container, output)
    with contextlib.ExitStack() as clients:
        if probe.client is not None:
            greeting = probe.client
            clients.enter_context(_inside(pid, lambda: _client(greeting)))
        answer = _Answer(pid, probe.request) if probe.request is not None else None
        time.sleep(probe.settle)
        if container.poll() is not None:
            raise NotReady(f"it ended before the signal:\n{output.text()}")
        pid_1 = Path(f"/proc/{pid}/comm").read_text().strip()
        began = time.monotonic()
        os.kill(pid, getattr(signal, by))
        try:
            container.wait(probe.grace)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        seconds = time.monotonic() - began
        container.kill()
    finished = answer.whole() if answer else output.says(probe.done)
    verdict = Verdict.IGNORED if not ended else Verdict.HANDLED if finished else Verdict.CUT
    return Seen(verdict, pid_1, seconds, output.text())


class _Output:
    """What a container has printed so far, by way of a pipe as a container runtime has it."""

    def __init__(self, container: subprocess.Popen[bytes]) -> None:
        assert container.stdout is not None
        self._pipe = container.stdout
        self._bytes = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def says(self, pattern: str) -> bool:
        """Whether a regular expression is found in it; once the container has ended, in all of it."""
        return re.search(pattern, self.text()) is not None

    def text(self) -> str:
        self._reader.join(0.05)
        return self._bytes.decode(errors="replace")

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), 1 << 16):
                self._bytes += chunk


def _until(condition: Callable[[], object], container: subprocess.Popen[bytes], output: _Output) -> None:
    deadline = time.monotonic() + 45
    while not condition():
        if container.poll() is not None:
            raise NotReady(f"it ended before it was ready:\n{output.text()}")
        if time.monotonic() > deadline:
            raise NotReady(f"it was not ready in time:\n{output.text()}")


class _Answer:
    """A request in flight when the signal comes."""

    def __init__(self, pid: int, path: str) -> None:
        self._whole = False
        self._sent = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(pid, path), daemon=True)
        self._thread.start()
        self._sent.wait(5)
        time.sleep(0.3)

    def whole(self) -> bool:
        self._thread.join(5)
        return self._whole

    def _ask(self, pid: int, path: str) -> None:
        _enter(pid)
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", path, headers={"Connection": "close"})
            self._sent.set()
            response = connection.getresponse()
            self._whole = response.status == 200 and bool(response.read())


def _accepts() -> bool:
    try:
        socket.create_connection(("127.0.0.1", PORT), 1).close()
    except OSError:
        return False
    return True


def _client(greeting: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", PORT), 5)
    client.sendall(greeting)
    client.recv(1)
    return client


def _inside(pid: int, action: Callable[[], T]) -> T:
    """Runs `action` in the network namespace of a process. A thread of its own: namespaces belong to threads."""
    results: list[T] = []

    def run() -> None:
        _enter(pid)
        results.append(action())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net") as namespace:
        if libc.setns(namespace.fileno(), NEW_NET):
            raise OSError(ctypes.get_errno(), "setns")
