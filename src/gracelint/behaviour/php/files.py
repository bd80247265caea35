"""The files of a PHP program: what it includes, and the classes that composer's autoloader finds in the project."""

from __future__ import annotations

import json
import posixpath

from gracelint.behaviour.machine.sources import followed
from gracelint.behaviour.php.syntax import File, read_file, short
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.machine.nodes import Class, Function
    from gracelint.facts.files import Files
    from gracelint.source import Source


_REGISTERS = "spl_autoload_register"


class Sources:
    """A program's files, the entry first."""

    def __init__(self, files: Files, entry: Source, working_dir: str) -> None:
        self.project, self._working_dir = files, working_dir
        self.unread: list[str] = []
        self.foreign: dict[str, str] = {}
        """Classes of libraries that are spoken of, and the file that does."""
        self.classes: dict[str, Class] = {}
        self.functions: dict[str, Function] = {}
        self.by_name: dict[str, list[Function]] = {}
        self._autoload = self._composer()
        self._loaders: set[tuple[str, int]] = set()
        """Autoloaders of the program's own that were read."""
        self.files = followed(entry, read_file, self._others, self.unread)
        for file in self.files.values():
            self._index(file)

    @property
    def entry(self) -> File | None:
        return next(iter(self.files.values()), None)

    def included(self, tree: Node, by: File) -> str | None:
        """The file that a require means; None where it cannot be told, or it is composer's autoloader."""
        path = _path(tree.named_children[0] if tree.named_children else None, by)
        if path is None:
            return None
        at_folder = posixpath.join(posixpath.dirname(by.source.path), path)
        for one in (path, at_folder, posixpath.join(self._working_dir, path)):
            its = posixpath.normpath(one).lstrip("/")
            if not its.startswith("..") and self.project.exists(its):
                return its
        return None

    def _composer(self) -> list[tuple[str, str]]:
        """Folders by the prefix of the classes in them: PSR-4."""
        found: list[tuple[str, str]] = []
        for folder in dict.fromkeys((self._working_dir, "")):
            source = self.project.read(posixpath.join(folder, "composer.json"))
            if source is None:
                continue
            try:
                rows = json.loads(source.text).get("autoload", {}).get("psr-4", {})
            except (ValueError, AttributeError):
                continue
            for prefix, places in rows.items() if isinstance(rows, dict) else ():
                for place in places if isinstance(places, list) else [places]:
                    found.append((prefix, posixpath.join(folder, str(place).rstrip("/"))))
        return sorted(found, key=lambda row: -len(row[0]))

    def _loads(self, tree: Node, file: File) -> bool:
        """Whether a require stands in the program's own autoloader; then its classes are looked for where that does."""
        here: Node | None = tree
        while here is not None and not _is_loader(here):
            here = here.parent
        if here is None:
            return False
        if (file.source.path, here.id) in self._loaders:
            return True
        self._loaders.add((file.source.path, here.id))
        folders = _folders(here, file)
        if not folders:
            here = _root(here)
            folders = _folders(here, file) or [posixpath.dirname(file.source.path), self._working_dir]
        prefixes = [text for one in walk(here) if (text := _prefix(one)) is not None] or [""]
        found = [(prefix, posixpath.normpath(folder)) for prefix in prefixes for folder in folders]
        self._autoload = sorted({*self._autoload, *found}, key=lambda row: (-len(row[0]), row))
        return True

    def _autoloaded(self, name: str) -> str | None:
        for prefix, folder in self._autoload:
            if name.startswith(prefix):
                path = posixpath.join(folder, name[len(prefix) :].replace("\\", "/") + ".php")
                if self.project.exists(path):
                    return path
        return None

    def _others(self, file: File) -> Iterator[Source]:
        """The project's files that a file includes, and those of the classes that it speaks of."""
        here = file.source.path
        paths = []
        before = len(self._autoload)
        for tree in file.required:
            path = self.included(tree, file)
            if path is not None:
                paths.append(path)
            elif "autoload" not in text_of(tree) and not self._loads(tree, file):
                self.unread.append(f"what line {file.span(tree).line} of {here} includes")
        again = self.foreign if len(self._autoload) > before else ()
        for name in (*file.mentioned, *again):
            path = self._autoloaded(name)
            if path is not None:
                paths.append(path)
                self.foreign.pop(name, None)
            elif "\\" in name:
                self.foreign.setdefault(name, here)
        for path in paths:
            source = self.project.read(path)
            if source is not None:
                yield source

    def _index(self, file: File) -> None:
        for name, function in file.functions.items():
            self.functions.setdefault(name, function)
            self.by_name.setdefault(name, []).append(function)
        for name, class_ in file.classes.items():
            self.classes.setdefault(name, class_)
            for one in (class_.methods, class_.statics):
                for its, function in one.items():
                    self.by_name.setdefault(its, []).append(function)
        for name in [name for name in self.foreign if short(name) in self.classes]:
            del self.foreign[name]


def _is_loader(tree: Node) -> bool:
    """A call of spl_autoload_register, or the function that one in the same file names."""
    if tree.type == "function_call_expression":
        return text_of(tree.child_by_field_name("function")).lstrip("\\") == _REGISTERS
    if tree.type not in ("function_definition", "method_declaration"):
        return False
    name = text_of(tree.child_by_field_name("name"))
    calls = text_of(_root(tree)).split(_REGISTERS)[1:]
    return any(f"'{name}'" in one or f'"{name}"' in one for one in (call.partition(";")[0] for call in calls))


def _root(tree: Node) -> Node:
    while tree.parent is not None:
        tree = tree.parent
    return tree


def _folders(tree: Node, by: File) -> list[str]:
    return [path for one in walk(tree) if one.type == "binary_expression" and (path := _path(one, by))]


def _prefix(tree: Node) -> str | None:
    """The start of the names that an autoloader takes: `'App\\\\'`."""
    text = text_of(tree)[1:-1].replace("\\\\", "\\") if tree.type in ("string", "encapsed_string") else ""
    return text if len(text) > 1 and text.endswith("\\") else None


def _path(tree: Node | None, by: File) -> str | None:
    """`__DIR__ . '/src/x.php'`, `'lib.php'`, `dirname(__DIR__) . '/x.php'`."""
    if tree is None:
        return None
    if tree.type == "parenthesized_expression":
        return _path(tree.named_children[0], by)
    folder = posixpath.dirname(by.source.path)
    text = text_of(tree)
    if tree.type in ("string", "encapsed_string"):
        return text[1:-1] if "$" not in text else None
    if text == "__DIR__":
        return f"{folder}/." if folder else "."
    if text.replace(" ", "") in ("dirname(__DIR__)", "dirname(__FILE__,2)"):
        return posixpath.dirname(folder) or "."
    if text.replace(" ", "") == "dirname(__FILE__)":
        return folder or "."
    if tree.type == "binary_expression":
        left, right = _path(tree.child_by_field_name("left"), by), _path(tree.child_by_field_name("right"), by)
        return left + right if left is not None and right is not None else None
    return None
