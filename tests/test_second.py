"""Files that a fix has changed are read by other parsers too, before they are written."""

from __future__ import annotations

import pytest

from gracelint.parse import second
from gracelint.parse.second import refused
from gracelint.source import Source
from gracelint.testing import fix, fixed_files

SHELL = "FROM debian\nCMD python app.py\n"


@pytest.mark.parametrize(
    ("path", "before", "after", "parser"),
    [
        ("app.py", "x = 1\n", "x = 2\n", None),
        ("app.py", "x = 1\n", "x = (\n", "libcst"),
        ("app.py", "x = (\n", "y = (\n", None),
        ("app.py", "x = 1\ny = 1; z = 1\n", "x = 1\ny = 1; z = (\n", "libcst"),
        ("app.py", "import a\n@d\ndef f(): a\n", "import a\n\n@e\ndef f():\n  b\nf()\n", None),
        ("app.py", "\ufeffx = 1\r\ny = 2\r\n", "\ufeffx = 1\r\n\r\ny = 3\r\n# end", None),
        ("Dockerfile", SHELL, 'FROM debian\nCMD ["python", "app.py"]\n', None),
        ("Dockerfile", SHELL, "FROM debian\nRUN a \\\n\n  b\nCMD c\n", "dockerfile-parse"),
        ("Dockerfile", "FROM debian\nRUN <<E\na\nE\n", "FROM debian\nRUN a\n", None),
        ("run.sh", "a\n", "if\n", None),
    ],
)
def test_what_a_second_parser_refuses(path: str, before: str, after: str, parser: str | None) -> None:
    assert refused(Source(path, before), Source(path, after)) == parser


def test_only_the_statements_that_were_changed_are_read_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(second, "_python", lambda parts: read.extend(parts) or True)
    before = "import a\n\n# one\nb()\nc()\n\n\n@d\ndef e():\n    pass\n"
    assert refused(Source("app.py", before), Source("app.py", before.replace("c()", "c(1)\nf()"))) is None
    assert sorted(read) == ["c(1)\n", "f()\n"]


def test_fixes_pass_the_second_reading() -> None:
    files = {"Dockerfile": SHELL, "app.py": "import time\nwhile True:\n    time.sleep(1)\n"}
    assert fixed_files(files, fix(files, select=["shell-form-command"]))["Dockerfile"] == (
        'FROM debian\nCMD ["python", "app.py"]\n'
    )
