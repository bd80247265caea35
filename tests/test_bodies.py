"""Bodies of functions that are parsed when they are asked for: the same tree as one that was parsed at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gracelint
from gracelint.behaviour.python.bodies import put_off
from gracelint.source import Source

SOURCES = sorted(Path(gracelint.__file__).parent.rglob("*.py"))[::12]
ODD = {
    "tabs and a decorator": "class A:\n\t@d\n"
    "\tasync def f(self):\n\t\tx = '''\n a\n'''\n\t\tawait x\n\n\t\treturn f'{x}'\n",
    "two lines in one": "def f():\n    a; b\n\n    c; return 1; d\ne = 2\n",
    "line ends of other systems": "class A:\r\n  def f(self):\r\n    a\r\n    b\r\n    c\r\rdef g():\r  a\r  b\r  c\r",
    "a byte order mark": "\ufeffdef f():\n    a\n    b\n    c\n",
    "a form feed": "\x0cdef f():\n    a\n    b\n    c\n",
    "words of other scripts": "class Ä:\n    def é(self):\n        ü = 'ö'; ß = f'{ü}ö{ü}'\n\n        return ß\n",
    "functions in functions": "def f():\n  def g():\n    a\n    b\n\n    c\n"
    "  @g\n  class A:\n    def h(self): a\n  return g\n",
    "a line that goes on into nothing": "def f():\n    a\n    b\n\n    c\\\n\n\nd()\n",
    "no end of line": "def f():\n    a\n    b\n    c",
}


@pytest.mark.parametrize("text", [*ODD.values(), *(path.read_text(encoding="utf-8") for path in SOURCES)])
def test_a_tree_that_is_read_in_parts_is_the_one_that_is_read_at_once(text: str) -> None:
    whole, parts = ast.parse(text.removeprefix("\ufeff")), ast.parse(text.removeprefix("\ufeff"))
    put_off(parts.body, Source("app.py", text))
    assert ast.dump(parts, include_attributes=True) == ast.dump(whole, include_attributes=True)
    assert ast.unparse(parts) == ast.unparse(whole)


def test_a_body_is_only_parsed_when_it_is_asked_for_and_then_once() -> None:
    tree = ast.parse(ODD["functions in functions"])
    (function,) = tree.body
    put_off(tree.body, Source("app.py", ODD["functions in functions"]))
    assert isinstance(function, ast.FunctionDef)
    assert "body" not in vars(function)
    assert function.body is function.body
