"""The packages of a Go module: which files belong to one, and what they declare."""

from __future__ import annotations

import posixpath
import re
from collections import Counter

from gracelint.base.record import Record, field
from gracelint.behaviour.go.syntax import File, read_file, statements
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from gracelint.facts.files import Files

_MOST_FILES = 400
"""Files of one program that are read."""
_OTHER_SYSTEMS = frozenset(
    (
        "windows",
        "darwin",
        "freebsd",
        "openbsd",
        "netbsd",
        "solaris",
        "plan9",
        "js",
        "wasip1",
        "android",
        "ios",
        "aix",
        "dragonfly",
        "illumos",
        "wasm",
        "386",
        "arm",
        "mips",
        "ppc64le",
        "riscv64",
        "s390x",
        "loong64",
        "test",
    )
)
_GENERATED = (".pb.go", ".pb.gw.go", "_generated.go", ".gen.go", "_string.go")
"""Types and their conversions, which start and stop nothing."""
_BUILD = re.compile(r"^//go:build (.+)$", re.M)


class Declared(Record, identity=True):
    """A function, method, variable or type, and the file it stands in."""

    file: File
    node: Node
    package: Package
    fields: list[tuple[str, Node, bool]] = field(default_factory=list)
    """Those of a struct, once they are asked for: name, type, and whether it is embedded."""


class Package(Record, identity=True):
    path: str
    """As it is imported."""
    files: list[File]
    functions: dict[str, Declared] = field(default_factory=dict)
    methods: dict[tuple[str, str], Declared] = field(default_factory=dict)
    variables: dict[str, Declared] = field(default_factory=dict)
    types: dict[str, Declared] = field(default_factory=dict)
    inits: list[Declared] = field(default_factory=list)
    scope: dict[str, object] = field(default_factory=dict)
    """The values of its variables, once they are asked for."""
    named: dict[bytes, int] = field(default_factory=dict)
    """How often each identifier stands in its files, once that is asked for."""

    def times_named(self, identifier: bytes) -> int:
        """How often an identifier stands in its files: one look at the package answers for all of them."""
        if not self.named:
            self.named.update(Counter(_identifiers(self.files)))
        return self.named.get(identifier, 0)


def _identifiers(files: Iterable[File]) -> Iterator[bytes]:
    nodes = (node for file in files for node in walk(file.root) if node.type == "identifier")
    return (node.text or b"" for node in nodes)


class Modules:
    """The modules that a program is made of: its own, and those that `replace` and go.work say lie beside it."""

    def __init__(self, files: Files, folder: str) -> None:
        self.files = files
        self.unread: list[str] = []
        self.read = 0
        self.bearing: dict[tuple[Declared, bool], bool] = {}
        """Whether a function bears on the program's end, before and after the signal, as far as that was asked."""
        self.parts: dict[tuple[str, int, int, bool, frozenset[str]], bool] = {}
        """The same of parts of functions: file, first and last byte, and what is known to be of no account there."""
        self._packages: dict[str, Package | None] = {}
        self.roots: dict[str, str] = {}
        """Folders by module path."""
        root = self._root(folder)
        self.root = root if root is not None else folder
        self.path = self._module(self.root) if root is not None else "main"
        self._workspace()

    def main(self, folder: str, only: tuple[str, ...]) -> Package | None:
        """The package that is started; `only` names its files where the build does."""
        return self._read("main", folder, only)

    def packages(self, main: Package) -> list[Package]:
        """The main package and those of these modules that were asked for so far."""
        return [main, *(package for package in self._packages.values() if package is not None)]

    def find(self, path: str) -> Package | None:
        """A package of these modules by its import path."""
        if path in self._packages:
            return self._packages[path]
        best = max((name for name in self.roots if path == name or path.startswith(f"{name}/")), key=len, default=None)
        package = None
        if best is not None:
            package = self._read(path, posixpath.join(self.roots[best], path[len(best) + 1 :]).rstrip("/"), ())
        self._packages[path] = package
        return package

    def is_own(self, path: str) -> bool:
        return any(path == name or path.startswith(f"{name}/") for name in self.roots)

    def _root(self, folder: str) -> str | None:
        while True:
            if self.files.exists(posixpath.join(folder, "go.mod")):
                return folder
            if not folder:
                return None
            folder = posixpath.dirname(folder)

    def _module(self, folder: str) -> str:
        source = self.files.read(posixpath.join(folder, "go.mod"))
        text = source.text if source is not None else ""
        named = re.search(r"^module\s+\"?([^\s\"]+)", text, re.M)
        path = named[1] if named else "main"
        self.roots.setdefault(path, folder)
        for old, new in re.findall(r"^(?:replace)?[ \t]*(\S+)(?:[ \t]+v\S+)?[ \t]*=>[ \t]*(\.\S*)", text, re.M):
            at = posixpath.normpath(posixpath.join(folder, new))
            if not at.startswith(".."):
                self.roots.setdefault(old, "" if at == "." else at)
        return path

    def _workspace(self) -> None:
        folder = self.root
        while True:
            source = self.files.read(posixpath.join(folder, "go.work"))
            if source is not None:
                for member in re.findall(r"^(?:use)?[ \t]*(?:\([ \t]*)?(\.\S*)[ \t\r]*$", source.text, re.M):
                    at = posixpath.normpath(posixpath.join(folder, member))
                    at = "" if at == "." else at
                    if self.files.exists(posixpath.join(at, "go.mod")):
                        self._module(at)
                return
            if not folder:
                return
            folder = posixpath.dirname(folder)

    def _read(self, path: str, folder: str, only: tuple[str, ...]) -> Package | None:
        files = []
        generated = False
        for name in only or self.files.names(folder):
            if not name.endswith(".go") or name.endswith("_test.go") or (not only and not _is_for_linux(name)):
                continue
            if name.endswith(_GENERATED):
                generated = True
                continue
            source = self.files.read(posixpath.join(folder, name))
            if source is None or (not only and not _is_built(source.text)):
                continue
            self.read += 1
            if self.read > _MOST_FILES:
                self.unread.append(f"{source.path} (behind {_MOST_FILES} other files)")
                continue
            try:
                file = read_file(source)
            except ParseError as error:
                self.unread.append(f"{source.path} (line {error.span.line})")
                continue
            if file is None:
                self.unread.append(source.path)
                continue
            files.append(file)
        if not files and not generated:
            return None
        package = Package(path, files)
        for file in files:
            _declare(package, file)
        return package


def _is_for_linux(name: str) -> bool:
    return _OTHER_SYSTEMS.isdisjoint(name.removesuffix(".go").split("_")[1:])


def _is_built(text: str) -> bool:
    """Whether a file's build constraint holds on Linux, without tags."""
    found = _BUILD.search(text[:4000])
    if found is None:
        return True
    terms = re.sub(r"[\w.]+", lambda term: str(_is_set(term[0])), found[1])
    for operator, python in (("&&", " and "), ("||", " or "), ("!", " not ")):
        terms = terms.replace(operator, python)
    return _holds(terms.split())


def _is_set(term: str) -> bool:
    return term in ("linux", "unix", "amd64", "cgo", "gc") or term.startswith("go1")


def _holds(terms: list[str]) -> bool:
    """`a or b and not c`, without parentheses: with them, the file is taken to be built."""
    if any("(" in term or ")" in term for term in terms):
        return True
    text = " ".join(terms)
    return any(
        all((part.split()[-1] == "True") is (part.split().count("not") % 2 == 0) for part in one.split(" and ") if part)
        for one in text.split(" or ")
    )


def _declare(package: Package, file: File) -> None:
    for node in statements(file.root):
        name = node.child_by_field_name("name")
        if node.type == "function_declaration" and name is not None:
            declared = Declared(file, node, package)
            if text_of(name) == "init":
                package.inits.append(declared)
            else:
                package.functions[text_of(name)] = declared
        elif node.type == "method_declaration" and name is not None:
            receiver = type_name(node.child_by_field_name("receiver"))
            package.methods[(receiver, text_of(name))] = Declared(file, node, package)
        elif node.type in ("var_declaration", "const_declaration"):
            for spec in _specs(node):
                for one in spec.children_by_field_name("name"):
                    package.variables[text_of(one)] = Declared(file, spec, package)
        elif node.type == "type_declaration":
            for spec in node.named_children:
                of = spec.child_by_field_name("name")
                if of is not None:
                    package.types[text_of(of)] = Declared(file, spec, package)


def _specs(node: Node) -> list[Node]:
    found = []
    for child in node.named_children:
        if child.type in ("var_spec", "const_spec"):
            found.append(child)
        elif child.type == "var_spec_list":
            found += [spec for spec in child.named_children if spec.type == "var_spec"]
    return found


def fields_of(declared: Declared | None) -> list[tuple[str, Node, bool]]:
    """The fields of a struct: name, type, and whether it is embedded."""
    struct = declared.node.child_by_field_name("type") if declared is not None else None
    if declared is None or struct is None or struct.type != "struct_type":
        return []
    found = declared.fields
    if found:
        return found
    for line in struct.named_children[0].named_children if struct.named_children else ():
        type_ = line.child_by_field_name("type")
        if line.type != "field_declaration" or type_ is None:
            continue
        names = [text_of(name) for name in line.children_by_field_name("name")]
        found += [(name, type_, False) for name in names]
        if not names:
            found.append((type_name(type_).rpartition(".")[2], type_, True))
    return found


def type_name(node: Node | None) -> str:
    """The name of a type without `*`, `[T]` and the parameter's name."""
    while node is not None:
        if node.type in ("type_identifier", "qualified_type", "identifier"):
            return text_of(node)
        if node.type in ("parameter_declaration", "generic_type"):
            node = node.child_by_field_name("type")
        else:
            node = node.named_children[-1] if node.named_children else None
    return ""


def loses_nothing(reached: tuple[Package, ...], modules: Modules) -> bool:
    """Whether it is read whole, and uses only what serves nobody, opens nothing and writes nothing but its output."""
    files = [file for package in reached for file in package.files]
    return not modules.unread and all(_is_harmless(file, modules) for file in files)


def _is_harmless(file: File, modules: Modules) -> bool:
    known = table("go")["harmless"]
    partly = {name.rpartition(".")[0] for name in known["members"]}
    for path in (*file.imports.values(), *file.blank):
        if path not in known["packages"] and path not in partly and not modules.is_own(path):
            return False
    limited = {name: path for name, path in file.imports.items() if path in partly}
    members = (text_of(node).partition(".") for node in walk(file.root) if limited and _is_selector(node.type))
    return all(f"{limited[name]}.{member}" in known["members"] for name, _, member in members if name in limited)


def _is_selector(kind: str) -> bool:
    return kind in ("selector_expression", "qualified_type")
