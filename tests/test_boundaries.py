"""Who may import whom, and what starting up may cost."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator

import pytest

from conftest import ROOT

ENGINE = os.path.join(ROOT, "src", "gracelint")
PACK = os.path.join(ROOT, "rules", "gracelint_rules")
PARSERS = {
    "dockerfile_parse",
    "libcst",
    "ruamel",
    "tree_sitter",
    "tree_sitter_bash",
    "tree_sitter_javascript",
    "tree_sitter_typescript",
    "tree_sitter_go",
    "tree_sitter_java",
    "tree_sitter_c_sharp",
    "tree_sitter_ruby",
    "tree_sitter_php",
    "tree_sitter_rust",
}
READERS = ("parse", "behaviour")


def modules(folder: str) -> list[str]:
    return sorted(_modules(folder))


def _modules(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(parent, name), folder)


def imports(path: str, *, at_start_only: bool = False) -> Iterator[str]:
    """The names a module imports when it runs; with `at_start_only` those it imports when it is itself imported."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in _running(tree, not at_start_only):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def _running(node: ast.AST, functions: bool) -> Iterator[ast.AST]:
    """All below a node that runs: not what only type checkers see, and function bodies if `functions`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not functions:
            continue
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child, functions)


@pytest.mark.parametrize("module", modules(PACK))
def test_rules_import_gracelint_alone(module: str) -> None:
    used = {name for name in imports(os.path.join(PACK, module)) if name.split(".")[0] not in sys.stdlib_module_names}
    assert used <= {"gracelint"}


@pytest.mark.parametrize("module", modules(ENGINE))
def test_the_engine_imports_no_pack(module: str) -> None:
    assert not any(name.startswith("gracelint_rules") for name in imports(os.path.join(ENGINE, module)))


@pytest.mark.parametrize("module", modules(ENGINE))
def test_only_readers_import_parsers(module: str) -> None:
    used = {name.split(".")[0] for name in imports(os.path.join(ENGINE, module))} & PARSERS
    assert not used or module.split(os.sep)[0] in READERS


@pytest.mark.parametrize("module", [name for name in modules(ENGINE) if name.startswith("facts")])
def test_facts_know_no_parser_and_no_engine(module: str) -> None:
    allowed = (
        "gracelint.facts",
        "gracelint.base.choice",
        "gracelint.base.record",
        "gracelint.source",
        "gracelint.finding",
    )
    ours = [name for name in imports(os.path.join(ENGINE, module), at_start_only=True) if name.startswith("gracelint")]
    assert all(name.startswith(allowed) for name in ours), ours


@pytest.mark.parametrize("module", [name for name in modules(ENGINE) if name.startswith(READERS)])
def test_readers_know_neither_launches_nor_rules(module: str) -> None:
    used = [name for name in imports(os.path.join(ENGINE, module), at_start_only=True) if name.startswith("gracelint.")]
    assert not [name for name in used if name.split(".")[1] in ("engine", "project", "report", "rules", "cli", "fixer")]


@pytest.mark.parametrize("path", [os.path.join(place, name) for place in (ENGINE, PACK) for name in modules(place)])
def test_digits_are_ascii(path: str) -> None:
    r"""`\d` and the methods of `str` also take the digits of other scripts, which the tools read as text."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    if path.endswith("numbers.py") and path.startswith(ENGINE) and "render" not in path:
        return
    methods = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not methods & {"isdigit", "isdecimal", "isnumeric"}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if "\\d" in text]


@pytest.mark.parametrize("path", [os.path.join(place, name) for place in (ENGINE, PACK) for name in modules(place)])
def test_a_file_can_be_read_at_a_sitting(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        assert len(file.readlines()) <= 600


def _named(path: str, known: set[str]) -> Iterator[str]:
    """The modules of those that a module imports, by their full names, those that its functions import too."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in _running(tree, True):
        if isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names} & known
            yield from whole or {node.module or ""} & known


def test_no_circle_of_the_wing_is_larger_than_a_folder() -> None:
    paths = {
        f"gracelint.{name[:-3].replace(os.sep, '.')}".removesuffix(".__init__"): os.path.join(ENGINE, name)
        for name in modules(ENGINE)
        if name.startswith("behaviour")
    }
    direct = {name: set(_named(path, {*paths})) for name, path in paths.items()}
    reached = {name: {*direct[name]} for name in paths}
    for middle in paths:
        for name in paths:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    circles = [(one, other) for one in paths for other in reached[one] if one < other and one in reached[other]]
    assert circles, "there are some within folders"
    assert not [pair for pair in circles if os.path.dirname(paths[pair[0]]) != os.path.dirname(paths[pair[1]])]
