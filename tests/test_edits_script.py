"""Edits of shell text keep every other byte, whatever file the text stands in."""

from __future__ import annotations

import pytest

from gracelint.edits.script import insert_exec, repeat_wait
from gracelint.finding import Edit
from gracelint.source import Source, Span
from gracelint.testing import fix, fixed_files

WORKER = (
    "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True:\n    time.sleep(1)\n"
)
FROM = "FROM python:3.12-slim\nCOPY . /\n"
RULES = ["shell-form-command", "shell-wrapper", "script-without-exec"]


def span(text: str, part: str) -> Span:
    source = Source("start.sh", text)
    start = text.index(part)
    return source.span(start, start + len(part))


def applied(edits: tuple[Edit, ...] | None, text: str) -> str | None:
    if edits is None:
        return None
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def test_exec_goes_before_the_word() -> None:
    assert (
        applied(insert_exec([span('set -e\n"$@" 2>&1\n', '"$@"')]), 'set -e\n"$@" 2>&1\n') == 'set -e\nexec "$@" 2>&1\n'
    )


def test_nothing_to_exec_is_no_edit() -> None:
    assert insert_exec([]) is None


@pytest.mark.parametrize(
    ("text", "errexit", "expected"),
    [
        ("app &\nwait $!\n", False, "app &\nwait $!\nwait $!\n"),
        ("app &\r\nwait $!\r\n", False, "app &\r\nwait $!\r\nwait $!\r\n"),
        ("f() {\n\twait $!\n}", False, "f() {\n\twait $!\n\twait $!\n}"),
        ("app & wait $!", False, "app & wait $!; wait $!"),
        ("wait $! # done", False, "wait $!; wait $! # done"),
        ("wait $!; exit $?", False, "wait $!; wait $!; exit $?"),
        ("wait $!\n", True, "wait $! || true\nwait $!\n"),
        ("wait $! || exit 1\n", False, None),
        ("(wait $!)\n", False, None),
    ],
)
def test_a_second_wait(text: str, errexit: bool, expected: str | None) -> None:
    assert applied(repeat_wait(span(text, "wait $!"), errexit), text) == expected


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("Dockerfile", FROM + "CMD python worker.py\n", FROM + 'CMD ["python", "worker.py"]\n'),
        ("Dockerfile", FROM + 'CMD python "a b.py" \\\n  --x\n', FROM + 'CMD ["python", "a b.py", "--x"]\n'),
        ("Dockerfile", FROM + "CMD python worker.py $OPTS\n", FROM + "CMD exec python worker.py $OPTS\n"),
        ("Dockerfile", FROM + "CMD A=1 python worker.py > log\n", FROM + "CMD A=1 exec python worker.py > log\n"),
        (
            "Dockerfile",
            FROM + "CMD cd / && \\\n    python worker.py\n",
            FROM + "CMD cd / && \\\n    exec python worker.py\n",
        ),
        ("Dockerfile", FROM + "CMD python worker.py || exit 1\n", FROM + "CMD python worker.py || exit 1\n"),
        ("Dockerfile", FROM + "CMD (python worker.py)\n", FROM + "CMD (python worker.py)\n"),
        (
            "Dockerfile",
            FROM + 'CMD ["sh", "-c", "echo \\"é\\" && python worker.py"]\n',
            FROM + 'CMD ["sh", "-c", "echo \\"é\\" && exec python worker.py"]\n',
        ),
    ],
)
def test_commands_of_a_dockerfile(path: str, before: str, after: str) -> None:
    files = {path: before, "worker.py": WORKER, "a b.py": WORKER}
    assert fixed_files(files, fix(files, select=RULES))[path] == after


@pytest.mark.parametrize(
    ("command", "fixed"),
    [
        ('command: ["sh", "-c", "python worker.py"]', 'command: ["sh", "-c", "exec python worker.py"]'),
        ("command: sh -c 'cd / && python worker.py'", "command: sh -c 'cd / && exec python worker.py'"),
        (
            "command:\n      - sh\n      - -c\n      - |\n        cd /\n        python worker.py",
            "command:\n      - sh\n      - -c\n      - |\n        cd /\n        exec python worker.py",
        ),
        (
            "command:\n      - sh\n      - -c\n      - >-\n        cd / &&\n        python worker.py  # worker",
            "command:\n      - sh\n      - -c\n      - >-\n        cd / &&\n        exec python worker.py  # worker",
        ),
    ],
)
def test_commands_of_a_compose_file(command: str, fixed: str) -> None:
    compose = f"services:\n  worker:\n    build: .\n    {command}\n"
    files = {"compose.yaml": compose, "Dockerfile": FROM, "worker.py": WORKER}
    after = f"services:\n  worker:\n    build: .\n    {fixed}\n"
    assert fixed_files(files, fix(files, select=RULES))["compose.yaml"] == after


@pytest.mark.parametrize(
    ("script", "fixed"),
    [
        ('#!/bin/sh\n"$@"\n', '#!/bin/sh\nexec "$@"\n'),
        (
            "#!/bin/sh\nif [ -f /x ]; then\n  python worker.py --x\nelse\n  python worker.py\nfi\n",
            "#!/bin/sh\nif [ -f /x ]; then\n  exec python worker.py --x\nelse\n  exec python worker.py\nfi\n",
        ),
        (
            '#!/bin/sh\nset -e\ntrap \'kill "$p"\' TERM\n"$@" &\np=$!\nwait "$p"\n',
            '#!/bin/sh\nset -e\ntrap \'kill "$p"\' TERM\n"$@" &\np=$!\nwait "$p" || true\nwait "$p"\n',
        ),
        ('#!/bin/sh\n"$@" | tee log\n', '#!/bin/sh\n"$@" | tee log\n'),
        ("#!/bin/sh\nmain() {\n  python worker.py\n}\nmain\n", "#!/bin/sh\nmain() {\n  python worker.py\n}\nmain\n"),
    ],
)
def test_scripts(script: str, fixed: str) -> None:
    dockerfile = FROM + 'ENTRYPOINT ["/start.sh"]\nCMD ["python", "worker.py"]\n'
    files = {"Dockerfile": dockerfile, "start.sh": script, "worker.py": WORKER}
    assert fixed_files(files, fix(files, select=RULES))["start.sh"] == fixed
