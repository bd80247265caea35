"""Starts a command as PID 1 of fresh namespaces, stops it as a container runtime does, and says what was seen."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from gracelint.facts.verdict import Verdict

HERE = Path(__file__).parent
TOOLS = Path(os.environ.get("GRACELINT_KERNEL_TOOLS", "/var/tmp/gracelint-kernel"))
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
    """A path that answers "ok" late: begun before the signal, its whole answer stands in the place of `done`."""
    port: int = 8000
    client: str | None = None
    """What a client says that stays connected."""
    answer: str | None = None
    """A regular expression on all that client hears, in the place of `done`."""
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


class NotReadyError(Exception):
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
    _until(lambda: output.says(probe.ready) and children.read_text(), container, output)
    pid = int(children.read_text())
    if probe.request is not None:
        _until(lambda: _answers(pid, probe.port), container, output)
    client = _Client(pid, probe) if probe.request is not None or probe.client is not None else None
    time.sleep(probe.settle)
    if container.poll() is not None:
        raise NotReadyError(f"it ended before the signal:\n{output.text()}")
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
    answer = r"^HTTP/1\.[01] 200 [\s\S]*\nok\n" if probe.request is not None else probe.answer
    finished = output.says(probe.done) if client is None or answer is None else client.heard(answer)
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
            raise NotReadyError(f"it ended before it was ready:\n{output.text()}")
        if time.monotonic() > deadline:
            raise NotReadyError(f"it was not ready in time:\n{output.text()}")


class _Client:
    """A client with a request in flight, or just connected, when the signal comes."""

    def __init__(self, pid: int, probe: Probe) -> None:
        request = f"GET {probe.request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        self._socket = _inside(pid, lambda: socket.create_connection(("127.0.0.1", probe.port), 5))
        self._socket.settimeout(20)
        self._socket.sendall((request if probe.client is None else probe.client).encode())
        self._bytes = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        time.sleep(0.3)

    def heard(self, pattern: str) -> bool:
        """Whether what came back until the connection ended matches a regular expression."""
        self._thread.join(5)
        return re.search(pattern, self._bytes.decode(errors="replace")) is not None

    def _read(self) -> None:
        with self._socket, contextlib.suppress(OSError):
            while chunk := self._socket.recv(1 << 16):
                self._bytes += chunk


def _answers(pid: int, port: int) -> bool:
    """Whether a first request is answered, however: a server may listen long before its workers are up."""
    with contextlib.suppress(OSError), _inside(pid, lambda: socket.create_connection(("127.0.0.1", port), 1)) as client:
        client.settimeout(10)
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return client.recv(1) != b""
    return False


def _inside(pid: int, action: Callable[[], T]) -> T:
    """Runs `action` in the network namespace of a process. A thread of its own: namespaces belong to threads."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_enter, pid).result()
        return thread.submit(action).result()


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net") as namespace:
        if libc.setns(namespace.fileno(), NEW_NET):
            raise OSError(ctypes.get_errno(), "setns")
