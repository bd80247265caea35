"""Python files as syntax trees whose nodes know their place, and how an import finds one in the project."""

from __future__ import annotations

import ast
import posixpath
import sys

from gracelint.base.limits import FIELDS, TOKENS
from gracelint.base.memory import kept
from gracelint.base.patterns import pattern
from gracelint.behaviour.python.bodies import put_off
from gracelint.parse.errors import ParseError, TooLargeError
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.files import Files


class Module:
    """One file: its tree, and what its globals hold once it has run."""

    __slots__ = ("_ascii", "_shift", "is_package", "name", "path", "source", "tree")

    def __init__(self, source: Source, name: str, path: str) -> None:
        self.source = source
        self.name = name
        self.path = path
        self.is_package = posixpath.basename(path) == "__init__.py"
        self.tree = _parse(source)
        self._shift = 1 if source.text.startswith("\ufeff") else 0
        self._ascii = source.text.isascii()

    def span(self, node: ast.AST) -> Span:
        """Where a node stands; `ast` counts columns in UTF-8 bytes."""
        if not isinstance(node, (ast.expr, ast.stmt, ast.excepthandler, ast.keyword, ast.arg)):
            return Span(self.source, 0, 0)
        first = node
        start = self._offset(first.lineno, first.col_offset)
        if first.end_lineno is None or first.end_col_offset is None:
            return Span(self.source, start, start)
        return Span(self.source, start, self._offset(first.end_lineno, first.end_col_offset))

    def _offset(self, line: int, column: int) -> int:
        start = self.source.line_starts[line - 1]
        if line == 1:
            start += self._shift
        if self._ascii:
            return start + column
        head = self.source.text[start : start + column]
        if head.isascii():
            return start + column
        return start + len(head.encode()[:column].decode(errors="ignore"))


class Modules:
    """The project's modules, read when they are imported and parsed once."""

    def __init__(self, files: Files, roots: tuple[str, ...]) -> None:
        self._files = files
        self._roots = roots
        self._found: dict[str, Module | None] = {}
        self._ours: dict[str, bool] = {}
        self._generators: dict[ast.AST, bool] = {}
        self.unread: dict[str, None] = {}

    def add(self, module: Module) -> None:
        self._found[module.name] = module

    def find(self, name: str) -> Module | None:
        """The module of a dotted name, or None where the project has no such file."""
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def is_ours(self, name: str) -> bool:
        """Whether a dotted name belongs to the project: its first part is a module or a folder here."""
        top = name.split(".")[0]
        if top not in self._ours:
            self._ours[top] = self.find(top) is not None or self.is_folder(top)
        return self._ours[top]

    def is_folder(self, name: str) -> bool:
        """Whether a dotted name is a folder, which Python takes as a package even without an `__init__.py`."""
        path = name.replace(".", "/")
        return any(self._files.names(posixpath.normpath(posixpath.join(root, path))) for root in self._roots)

    def packages(self) -> list[str]:
        """The folders that can be imported, by name."""
        return [name[:-1] for root in self._roots for name in self._files.names(root) if name.endswith("/")]

    def is_generator(self, function: ast.AST) -> bool:
        """Whether a function yields."""
        known = self._generators.get(function)
        if known is None:
            known = self._generators[function] = any(isinstance(p, (ast.Yield, ast.YieldFrom)) for p in _own(function))
        return known

    def all(self) -> list[Module]:
        """The modules that were read."""
        return [module for module in self._found.values() if module is not None]

    def sources(self) -> tuple[Source, ...]:
        return tuple(module.source for module in self.all())

    def text_of_file(self, path: str) -> str | None:
        """A file of the project that the program opens by a relative path."""
        for root in self._roots:
            source = self._files.read(posixpath.normpath(posixpath.join(root, path)))
            if source is not None:
                return source.text
        return None

    def _read(self, name: str) -> Module | None:
        base = name.replace(".", "/")
        for root in self._roots:
            for ending in (".py", "/__init__.py"):
                path = posixpath.normpath(posixpath.join(root, base + ending))
                source = self._files.read(path)
                if source is None:
                    continue
                try:
                    return Module(source, name, path)
                except ParseError:
                    self.unread[path] = None
                    return None
        return None


def _is_followed(text: str) -> bool:
    """Whether a program's syntax tree is of a size that is followed."""
    if _length_of_fields(text) > FIELDS:
        return False
    if len(text) <= TOKENS:
        return True
    import re

    return sum(1 for _ in re.finditer(r"\w+|[^\w\s]", text)) <= TOKENS


def _length_of_fields(text: str) -> int:
    """What Python before 3.12 reads of f-strings: the whole of one for each of its fields."""
    if sys.version_info >= (3, 12) or text.count("{") * len(text) <= FIELDS:
        return 0
    return sum(len(found[0]) * found[0].count("{") for found in _F_STRING.finditer(text))


_F_STRING = pattern(r"(?is)\bf?r?f(\"\"\"|'''|\"|').*?\1")


@kept
def _parse(source: Source) -> ast.Module:
    """The tree of a file. Raises ParseError where it is not Python."""
    text = source.text[1:] if source.text.startswith("\ufeff") else source.text
    if not _is_followed(text):
        raise TooLargeError("is too large to be followed", Span(source, 0, 0))
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        put_off(tree.body, source)
        return tree
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), len(source.line_starts))
        line_span = source.line_span(line)
        start = min(line_span.start + max((error.offset or 1) - 1, 0), line_span.end)
        raise ParseError(error.msg, Span(source, start, start)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "is nested too deeply" if not isinstance(error, ValueError) else str(error)
        raise ParseError(reason, Span(source, 0, 0)) from None


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function that are not a nested function's."""
    waiting = list(getattr(node, "body", ())) if not isinstance(node, ast.Lambda) else []
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(part))
