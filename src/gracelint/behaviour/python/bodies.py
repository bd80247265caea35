"""Functions whose bodies are parsed when somebody looks into them: of a large program, most are never called.

A syntax tree takes thirty bytes for each code point of its text, and the bodies are the most of it.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.source import Source

_FEW = 3
"""Lines of a body that is no longer than what it takes to parse it again."""


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    known = vars(function)
    if "body" not in known:
        known["body"] = _read(function)
    body: list[ast.stmt] = known["body"]
    return body


class FunctionDef(ast.FunctionDef):
    """One that only knows where its body stands. `ast.unparse` goes by the name."""

    __slots__ = ()
    body = property(_body)


class AsyncFunctionDef(ast.AsyncFunctionDef):
    """The same of a coroutine."""

    __slots__ = ()
    body = property(_body)


KINDS: dict[type, type] = {ast.FunctionDef: FunctionDef, ast.AsyncFunctionDef: AsyncFunctionDef}


def put_off(statements: Sequence[ast.stmt], source: Source) -> None:
    """Lets go of the bodies of the functions and methods among statements."""
    for one in statements:
        if isinstance(one, ast.ClassDef):
            put_off(one.body, source)
        elif isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_worth_it(one, source):
            kind = KINDS[type(one)]
            del one.body
            one.__class__ = kind
            vars(one)["source"] = source


def _is_worth_it(function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> bool:
    """Whether its body is long, and its lines can be read without those around them."""
    if (function.body[-1].end_lineno or 0) - function.lineno <= _FEW:
        return False
    lines = _lines(function, source)
    return not lines[: function.col_offset].strip(" \t") and not lines.endswith(("\\\n", "\\\r\n", "\\\r", "\\"))


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> str:
    starts, end = source.line_starts, function.end_lineno or 0
    return source.text[starts[function.lineno - 1] : starts[end] if end < len(starts) else None]


def _read(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """Parses the lines of a function where they stand, so that each node has the place that it has in the file."""
    lines = _lines(function, vars(function)["source"])
    if function.col_offset:
        tree = ast.parse("\n" * (function.lineno - 2) + "if 1:\n" + lines)
        whole = tree.body[0].body[0]  # type: ignore[attr-defined]
    else:
        whole = ast.parse("\n" * (function.lineno - 1) + lines).body[0]
    body: list[ast.stmt] = whole.body
    return body
