"""Whether a Go program has anything that would be lost when it ends at once."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.go.packages import Modules, Package
    from gracelint.behaviour.go.syntax import File


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
