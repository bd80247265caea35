"""Images that a Tiltfile builds.

Its language, Starlark, has the grammar of Python; only what is plain in it is read.
"""

from __future__ import annotations

import ast
import posixpath
import warnings

from gracelint.launch.builds.commands import by_commands
from gracelint.launch.builds.declared import UNKNOWN, Build, link_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST = 2_000
"""Statements, those in a loop once for each round."""
_DEEPEST = 20
_LONGEST = 1_000
_BUILDERS = ("docker_build", "docker_build_with_restart")


def by_tilt(path: str, text: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    """`docker_build('image', 'context', dockerfile='…')`, and `custom_build('image', 'docker build …')`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from _of_body(tree.body, {}, path, exists, iter(range(_MOST)))


def _of_body(
    body: list[ast.stmt], values: dict[str, str], path: str, exists: Callable[[str], bool], room: Iterator[int]
) -> Iterator[Build]:
    """The builds of statements, one after the other; of branches both are read."""
    for statement in body:
        if next(room, None) is None:
            return
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            values[statement.targets[0].id] = _text(statement.value, values)
        elif isinstance(statement, ast.For) and isinstance(statement.target, ast.Name):
            rounds = statement.iter.elts if isinstance(statement.iter, (ast.List, ast.Tuple)) else []
            for item in rounds:
                its = {**values, statement.target.id: _text(item, values)}
                yield from _of_body(statement.body, its, path, exists, room)
        elif isinstance(statement, ast.If):
            for branch in (statement.body, statement.orelse):
                yield from _of_body(branch, dict(values), path, exists, room)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            yield from _of_call(statement.value, values, path, exists)


def _of_call(call: ast.Call, values: dict[str, str], path: str, exists: Callable[[str], bool]) -> Iterator[Build]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    given = dict(zip(("ref", "second"), (_text(value, values) for value in call.args), strict=False))
    given |= {word.arg: _text(word.value, values) for word in call.keywords if word.arg}
    image = given.get("ref", UNKNOWN)
    folder = posixpath.dirname(path)
    if name in _BUILDERS:
        context = posixpath.join(folder, given.get("context") or given.get("second") or UNKNOWN)
        file = given.get("dockerfile")
        inside = posixpath.relpath(posixpath.join(folder, file), context) if file and UNKNOWN not in context else file
        link = link_to(context, inside, given.get("target"))
        if link is not None:
            yield Build(image, link)
    elif name == "custom_build":
        command = given.get("command") or given.get("second") or ""
        yield from by_commands(path, command, exists, {"EXPECTED_REF": image, "EXPECTED_IMAGE": image})


def _text(node: ast.expr, values: dict[str, str], depth: int = 0) -> str:
    """What a text is, as far as the file says; what is not known stands as `*`."""
    found = UNKNOWN
    if depth > _DEEPEST:
        return found
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = node.value
    elif isinstance(node, ast.Name):
        found = values.get(node.id, UNKNOWN)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found = _text(node.left, values, depth + 1) + _text(node.right, values, depth + 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        right = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        found = _put(_text(node.left, values, depth + 1), "%s", right, values, depth + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        found = _put(_text(node.func.value, values, depth + 1), "{}", node.args, values, depth + 1)
    return found if len(found) < _LONGEST else UNKNOWN


def _put(text: str, hole: str, items: list[ast.expr], values: dict[str, str], depth: int) -> str:
    """A text with what is given in the places that are left for it."""
    first, *parts = text.split(hole)
    given = (_text(item, values, depth) for item in items)
    return first + "".join(next(given, hole) + part for part in parts)
