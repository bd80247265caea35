"""The crate of a Rust program: its manifest, its modules, and the crates of the same project that it depends on."""

from __future__ import annotations

import posixpath
import re

from gracelint import toml
from gracelint.base.posix import join
from gracelint.base.record import Record
from gracelint.behaviour.machine.nodes import Class, Function, Node
from gracelint.behaviour.rust.clap import DECLARED
from gracelint.behaviour.rust.syntax import Lower, elsewhere, path_of, read_file
from gracelint.behaviour.tree import TreeFile, text_of
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from tree_sitter import Node as Tree

    from gracelint.facts.files import Files
    from gracelint.source import Source, Span

_MOST_FILES = 400


class Manifest(Record):
    """A Cargo.toml: `dependencies` by the name code gives them, as written, those of the workspace put in."""

    folder: str
    name: str
    dependencies: dict[str, dict[str, Any]]
    bins: dict[str, str]
    """The source files of its binaries, by their names."""


def manifest(files: Files, folder: str) -> Manifest | None:
    """The package of a folder; None where there is none, or only a workspace."""
    raw = _toml(files, folder)
    package = raw.get("package")
    if not isinstance(package, dict) or not isinstance(package.get("name"), str):
        return None
    shared, root = _workspace(files, folder)
    found: dict[str, dict[str, Any]] = {}
    tables = [raw.get("dependencies"), *(one.get("dependencies") for one in _targets(raw))]
    for name, its in ((name, its) for one in tables if isinstance(one, dict) for name, its in one.items()):
        row = dict(its) if isinstance(its, dict) else {}
        above = shared.get(name) if row.get("workspace") else None
        if isinstance(above, dict):
            features = [*above.get("features", ()), *row.get("features", ())]
            row = above | row | {"features": features}
            row["root"] = root
        found[str(name).replace("-", "_")] = row
    return Manifest(folder, package["name"], found, dict(_bins(files, folder, raw, package["name"])))


def members(files: Files, folder: str) -> Iterator[Manifest]:
    """The package of a folder, and those of the workspace it is the root of."""
    own = manifest(files, folder)
    if own is not None:
        yield own
    workspace = _toml(files, folder).get("workspace")
    named = workspace.get("members", ()) if isinstance(workspace, dict) else ()
    for one in named if isinstance(named, list) else ():
        for place in _folders(files, folder, str(one)):
            member = manifest(files, place)
            if member is not None:
                yield member


def _folders(files: Files, folder: str, member: str) -> Iterator[str]:
    head, mark, tail = member.partition("*")
    if not mark:
        yield posixpath.normpath(join(folder, member))
        return
    top = join(folder, head.rstrip("/")).rstrip("/")
    for name in files.names(top) if not tail else ():
        if name.endswith("/"):
            yield join(top, name[:-1])


def _toml(files: Files, folder: str) -> dict[str, Any]:
    source = files.read(join(folder, "Cargo.toml"))
    if source is None:
        return {}
    try:
        return toml.loads(source.text)
    except (toml.TOMLDecodeError, RecursionError):
        return {}


def _targets(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    targets = raw.get("target")
    for one in targets.values() if isinstance(targets, dict) else ():
        if isinstance(one, dict):
            yield one


def _workspace(files: Files, folder: str) -> tuple[dict[str, Any], str]:
    """The dependencies that the workspace of a folder shares, and where it is."""
    here = folder
    while True:
        workspace = _toml(files, here).get("workspace")
        if isinstance(workspace, dict):
            shared = workspace.get("dependencies")
            return (shared if isinstance(shared, dict) else {}), here
        if not here:
            return {}, folder
        here = posixpath.dirname(here)


def _bins(files: Files, folder: str, raw: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for one in files.names(join(folder, "src/bin")):
        path = join(folder, "src/bin", one)
        if one.endswith(".rs"):
            yield one[:-3], path
        elif one.endswith("/") and files.exists(join(path, "main.rs")):
            yield one[:-1], join(path, "main.rs")
    if files.exists(join(folder, "src/main.rs")):
        yield name, join(folder, "src/main.rs")
    named = raw.get("bin")
    for row in named if isinstance(named, list) else ():
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            continue
        its = row.get("path")
        tries = [its] if isinstance(its, str) else [f"src/bin/{row['name']}.rs", f"src/bin/{row['name']}/main.rs"]
        found = next((one for one in [*tries, "src/main.rs"] if files.exists(join(folder, one))), None)
        if found is not None:
            yield row["name"], posixpath.normpath(join(folder, found))


class Variant(str):
    """A variant of an enum, by its path."""

    __slots__ = ()


class Module:
    """A module: what its file, or its braces, declare. The machine takes it for a file."""

    def __init__(self, crate: Crate, path: str, file: TreeFile, folder: str, above: Module | None) -> None:
        self.crate, self.path, self.file, self.folder, self.above = crate, path, file, folder, above
        self.items: dict[str, Any] = {}
        """Functions, classes and modules by name; of constants their Node."""
        self.uses: dict[str, str] = {}
        self.globs: list[str] = []
        self.attributes: dict[str, str] = {}
        """Of functions."""

    @property
    def source(self) -> Source:
        return self.file.source

    def span(self, at: Any) -> Span:
        return self.file.span(at)

    def is_within(self, file: TreeFile) -> bool:
        """Whether a file is this module's, or that of one above it."""
        return self.file is file or (self.above is not None and self.above.is_within(file))

    def declare(self, trees: Iterable[Tree]) -> None:
        """Notes the items among some nodes."""
        skip = False
        attributes: list[str] = []
        for one in trees:
            if one.type == "attribute_item":
                skip = skip or elsewhere(one)
                attributes.append(text_of(one))
                continue
            how = getattr(self, f"_{one.type}", None)
            if how is not None and not skip:
                how(one, " ".join(attributes))
            if "comment" not in one.type:
                skip, attributes = False, []

    def _function_item(self, tree: Tree, attributes: str) -> None:
        function = Lower(self).function(tree)
        self.items.setdefault(function.name, function)
        self.attributes[function.name] = attributes
        self.crate.program.by_name.setdefault(function.name, []).append(function)

    def _use_declaration(self, tree: Tree, _: str) -> None:
        self._use(tree.child_by_field_name("argument"), "")

    def _use(self, tree: Tree | None, above: str) -> None:
        if tree is None:
            return
        kind = tree.type
        if kind == "use_list":
            for one in tree.named_children:
                self._use(one, above)
        elif kind == "scoped_use_list":
            path = path_of(tree.child_by_field_name("path"))
            self._use(tree.child_by_field_name("list"), f"{above}{path}::" if path else above)
        elif kind == "use_as_clause":
            self.uses[text_of(tree.child_by_field_name("alias"))] = (
                f"{above}{path_of(tree.child_by_field_name('path'))}"
            )
        elif kind == "use_wildcard":
            self.globs.append(f"{above}{path_of(tree.named_children[0])}" if tree.named_children else above[:-2])
        elif kind == "self":
            self.uses[above[:-2].rpartition("::")[2]] = above[:-2]
        else:
            path = f"{above}{path_of(tree)}"
            self.uses[path.rpartition("::")[2]] = path

    def _extern_crate_declaration(self, tree: Tree, _: str) -> None:
        alias = tree.child_by_field_name("alias")
        if alias is not None:
            self.uses[text_of(alias)] = text_of(tree.child_by_field_name("name"))

    def _foreign_mod_item(self, tree: Tree, _: str) -> None:
        """`extern "C"`: functions of the C library, which the program declares itself."""
        body = tree.child_by_field_name("body")
        for one in body.named_children if body is not None else ():
            if one.type == "function_signature_item":
                name = text_of(one.child_by_field_name("name"))
                self.uses[name] = f"libc::{name}"

    def _mod_item(self, tree: Tree, attributes: str) -> None:
        name, body = text_of(tree.child_by_field_name("name")), tree.child_by_field_name("body")
        if body is not None:
            inner = Module(self.crate, f"{self.path}::{name}", self.file, join(self.folder, name), self)
            self.items[name] = inner
            inner.declare(body.named_children)
            return
        given = re.search(r'path\s*=\s*"([^"]+)"', attributes)
        tries = [join(self.folder, f"{name}.rs"), join(self.folder, name, "mod.rs")]
        if given is not None:
            tries = [posixpath.normpath(join(posixpath.dirname(self.source.path), given[1]))]
        self.items[name] = self.crate.program.load(self.crate, f"{self.path}::{name}", tries, self)

    def _const_item(self, tree: Tree, _: str) -> None:
        value = tree.child_by_field_name("value")
        if value is not None:
            made = self.items[text_of(tree.child_by_field_name("name"))] = Lower(self).expression(value)
            self.crate.program.constants.append((made, self))

    _static_item = _const_item

    def _macro_invocation(self, tree: Tree, _: str) -> None:
        if path_of(tree.child_by_field_name("macro")).rpartition("::")[2] != "lazy_static":
            return
        text = text_of(tree)
        for found in re.finditer(r"\bref[ \n\t]{1,20}(\w{1,100})[ \n\t]{0,20}:", text):
            start = text.find("=", found.end(), found.end() + 500)
            value = _statement(text, start + 1) if start >= 0 else ""
            if value:
                made = self.items[found[1]] = Lower(self).text(tree, value)
                self.crate.program.constants.append((made, self))

    def _expression_statement(self, tree: Tree, attributes: str) -> None:
        if tree.named_children and tree.named_children[0].type == "macro_invocation":
            self._macro_invocation(tree.named_children[0], attributes)

    def _macro_definition(self, tree: Tree, _: str) -> None:
        self.crate.program.macros[text_of(tree.child_by_field_name("name"))] = text_of(tree)

    def _struct_item(self, tree: Tree, _: str) -> None:
        self._class(tree)

    _union_item = _struct_item

    def _class(self, tree: Tree) -> Class:
        name = text_of(tree.child_by_field_name("name"))
        class_ = self.items[name] = Class(name, self)
        class_.values[DECLARED] = tree
        return class_

    def _enum_item(self, tree: Tree, _: str) -> None:
        class_, body = self._class(tree), tree.child_by_field_name("body")
        for one in body.named_children if body is not None else ():
            if one.type == "enum_variant":
                variant = text_of(one.child_by_field_name("name"))
                class_.values[variant] = Variant(f"{class_.name}::{variant}")

    def _trait_item(self, tree: Tree, _: str) -> None:
        class_ = self._class(tree)
        self._methods(class_, tree.child_by_field_name("body"))

    def _impl_item(self, tree: Tree, _: str) -> None:
        self.crate.program.impls.append((self, tree))

    def _methods(self, class_: Class, body: Tree | None, more: list[Function] | None = None) -> None:
        skip = False
        for one in body.named_children if body is not None else ():
            if one.type == "attribute_item":
                skip = skip or elsewhere(one)
                continue
            if one.type == "function_item" and not skip:
                function = Lower(self, class_.name).function(one)
                class_.methods.setdefault(function.name, function)
                if more is not None:
                    more.append(function)
                self.crate.program.by_name.setdefault(function.name, []).append(function)
            elif one.type == "const_item" and not skip:
                value = Lower(self, class_.name).expression(one.child_by_field_name("value"))
                class_.fields.setdefault(text_of(one.child_by_field_name("name")), value)
            skip = False

    def implement(self, tree: Tree) -> None:
        """Adds the methods of an `impl` to its type."""
        name = path_of(tree.child_by_field_name("type"))
        class_ = self.crate.program.find(name, self)
        if not isinstance(class_, Class):
            class_ = Class(name, self)
            self.crate.program.foreign.setdefault(name.rpartition("::")[2], class_)
        trait = tree.child_by_field_name("trait")
        if trait is not None and path_of(trait).rpartition("::")[2] == "Drop":
            class_.values["$drop"] = True
        elif trait is not None:
            class_.bases.append(path_of(trait))
        program = self.crate.program
        is_foreign = trait is not None and not isinstance(program.find(path_of(trait), self), Class)
        self._methods(class_, tree.child_by_field_name("body"), program.of_foreign_traits if is_foreign else None)


_LAUNCH = re.compile(r"#\[(?:rocket::)?launch\]\s+(?:pub\s+)?(?:async\s+)?fn\s+(\w+)", re.ASCII)


class Crate:
    """A library or binary of the project: its root module, once it is read."""

    def __init__(self, program: Crates, manifest: Manifest) -> None:
        self.program, self.manifest = program, manifest
        self.root: Module | None = None


class Crates:
    """A program's crates: the binary, and what it depends on of the project."""

    def __init__(self, files: Files, of: Manifest, path: str) -> None:
        self.files, self.manifest = files, of
        self.sources: dict[str, TreeFile] = {}
        self.loaded = 0
        """Modules: a file that both main.rs and lib.rs declare is two of them."""
        self.unread: list[str] = []
        self.impls: list[tuple[Module, Tree]] = []
        self.by_name: dict[str, list[Function]] = {}
        self.of_foreign_traits: list[Function] = []
        """Methods that libraries and the language call, which need no name for that."""
        self.attributes: frozenset[str] | None = None
        """The words of all attributes, once they were asked for."""
        self.constants: list[tuple[Node, Module]] = []
        self.macros: dict[str, str] = {}
        self.foreign: dict[str, Class] = {}
        """What the project adds to types of others."""
        self.outside: dict[str, dict[str, Any]] = {}
        """Dependencies that are not of the project, by the name code gives them."""
        self.libraries: dict[str, Crate] = {}
        self.manifests: list[Manifest] = []
        self.crate = Crate(self, of)
        self.main = self.crate.root = self.load(self.crate, "crate", [path], None)
        library = join(of.folder, "src/lib.rs")
        if self.main is not None and files.exists(library) and path != library:
            self._library(of.name.replace("-", "_"), of, library)
        self._depend(of)
        for module, tree in self.impls:
            module.implement(tree)

    @property
    def launched(self) -> str:
        """The name of the function that rocket makes main of, and launches what it returns."""
        found = _LAUNCH.search(self.main.source.text) if self.main is not None else None
        return found[1] if found is not None else ""

    @property
    def start(self) -> Function | None:
        items = self.main.items if self.main is not None else {}
        found = items.get("main") or items.get(self.launched)
        return found if isinstance(found, Function) else None

    def _depend(self, of: Manifest) -> None:
        if of in self.manifests:
            return
        self.manifests.append(of)
        for name, row in of.dependencies.items():
            path = row.get("path")
            folder = posixpath.normpath(join(row.get("root", of.folder), path)) if isinstance(path, str) else ""
            if not isinstance(path, str):
                self.outside.setdefault(name, row)
                continue
            its = manifest(self.files, "" if folder == "." else folder) if not folder.startswith("..") else None
            if its is None:
                self.unread.append(f"the crate {name}")
                continue
            self._library(name, its, join(its.folder, "src/lib.rs"))
            self._depend(its)

    def _library(self, name: str, of: Manifest, path: str) -> None:
        if name in self.libraries:
            return
        crate = self.libraries[name] = Crate(self, of)
        crate.root = self.load(crate, "crate", [path], None)

    def load(self, crate: Crate, path: str, tries: list[str], above: Module | None) -> Module | None:
        """The module of a file and all below it; None where it cannot be read, which is noted."""
        found = next((one for one in tries if self.files.exists(one)), None)
        if found is not None and self.loaded >= _MOST_FILES:
            self.unread.append(f"{found} (behind {_MOST_FILES} other files)")
            return None
        source = self.files.read(found) if found is not None else None
        if source is None:
            self.unread.append(found or tries[0])
            return None
        try:
            file = self.sources.get(source.path) or read_file(source)
        except ParseError as error:
            self.unread.append(f"{source.path} (line {error.span.line})")
            return None
        if file is None or (above is not None and above.is_within(file)):
            self.unread.append(source.path)
            return None
        self.loaded += 1
        self.sources[source.path] = file
        stem = posixpath.basename(source.path)
        folder = posixpath.dirname(source.path)
        if above is not None and stem != "mod.rs":
            folder = join(folder, stem.removesuffix(".rs"))
        module = Module(crate, path, file, folder, above)
        module.declare(file.root.named_children)
        return module

    def find(self, path: str, module: Module, depth: int = 0) -> Any:
        """What a path means in a module: an item of the project, else the path of a library's."""
        first, mark, rest = path.partition("::")
        if depth > 12:
            return path
        if first == "crate":
            return self._below(module.crate.root, rest, depth) if mark else path
        if first in ("self", "super") and mark:
            place: Module | None = module if first == "self" else module.above
            return self._below(place, rest, depth)
        if first in module.items and not (mark and isinstance(module.items[first], (Function, Node))):
            return self._below(module.items[first], rest, depth) if mark else module.items[first]
        used = module.uses.get(first)
        if used is not None and used != first:
            return self.find(f"{used}{mark}{rest}", module, depth + 1)
        library = self.libraries.get(first)
        if library is not None:
            return self._below(library.root, rest, depth)
        for one in module.globs:
            found = self.find(f"{one}::{path}", module, depth + 1)
            if not isinstance(found, str) or isinstance(found, Variant):
                return found
        return path.removeprefix("::")

    def _below(self, place: Any, rest: str, depth: int) -> Any:
        if not rest:
            return place
        if isinstance(place, Module):
            return self.find(rest, place, depth + 1)
        if isinstance(place, Class):
            name = rest.partition("::")[0]
            own = place.methods.get(name) or place.values.get(name) or place.fields.get(name)
            return own if own is not None else f"?{place.name}::{rest}"
        return f"?{rest}"


_LONGEST_VALUE = 2_000


def _statement(text: str, start: int) -> str:
    """The text up to the semicolon that ends it, which is in no braces; empty where there is none near."""
    depth = 0
    for index in range(start, min(len(text), start + _LONGEST_VALUE)):
        char = text[index]
        depth += (char == "{") - (char == "}")
        if char == ";" and depth <= 0:
            return text[start:index].strip()
    return ""
