"""Whether a value fits a pattern, and the names that it gets there."""

from __future__ import annotations

from gracelint.behaviour.machine.arithmetic import equal
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Err, Lib, Object, Unknown
from gracelint.behaviour.rust.crates import Variant
from gracelint.behaviour.rust.syntax import Lower, path_of
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node as Tree

    Resolve = Callable[[str], Any]


def fits(value: Any, pattern: Tree, names: dict[str, Any], resolve: Resolve) -> bool | None:
    """None where nobody can tell. Errors of what nobody knows do not happen."""
    kind = pattern.type
    if kind in ("mut_pattern", "ref_pattern", "reference_pattern", "match_pattern"):
        return fits(value, pattern.named_children[-1], names, resolve) if pattern.named_children else True
    if kind in ("_", "remaining_field_pattern") or text_of(pattern) == "_":
        return True
    if kind == "identifier":
        name = text_of(pattern)
        if not name[:1].isupper():
            names[name] = value
            return True
        return _same(value, name, resolve)
    if kind == "captured_pattern":
        names[text_of(pattern.named_children[0])] = value
        return fits(value, pattern.named_children[-1], names, resolve)
    if kind == "or_pattern":
        found = [fits(value, one, names, resolve) for one in pattern.named_children]
        return True if True in found else None if None in found else False
    if kind == "scoped_identifier":
        return _same(value, path_of(pattern), resolve)
    if kind == "tuple_struct_pattern":
        return _wrapped(value, pattern, names, resolve)
    if kind in ("tuple_pattern", "slice_pattern"):
        return _items(value, _places(pattern), names, resolve)
    if kind == "struct_pattern":
        return _struct(value, pattern, names, resolve)
    if kind.endswith("_literal") or kind == "range_pattern":
        literal = Lower.__new__(Lower)
        literal.base = 0
        constant: Any = getattr(literal.expression(pattern), "value", UNKNOWN)
        return equal(value, constant) if kind != "range_pattern" else None
    return None


def _same(value: Any, path: str, resolve: Resolve) -> bool | None:
    if path.rpartition("::")[2] == "None":
        return None if isinstance(value, Unknown) else value is NIL
    its = resolve(path)
    if isinstance(value, Unknown) or isinstance(its, Unknown):
        return None
    if isinstance(its, (Variant, Lib)) or isinstance(value, (Lib, Err)):
        name = its.path if isinstance(its, Lib) else str(its)
        return _name(value) == name.rpartition("::")[2]
    return equal(value, its)


def _name(value: Any) -> str:
    if isinstance(value, Lib):
        return value.path.rpartition("::")[2]
    if isinstance(value, Err):
        return value.name.rpartition("::")[2]
    if isinstance(value, Object):
        return value.type.rpartition("::")[2]
    return str(value).rpartition("::")[2] if isinstance(value, Variant) else ""


def _wrapped(value: Any, pattern: Tree, names: dict[str, Any], resolve: Resolve) -> bool | None:
    path = path_of(pattern.child_by_field_name("type"))
    inner = [one for one in _places(pattern) if one != pattern.child_by_field_name("type")]
    name = path.rpartition("::")[2]
    first = inner[0] if inner else None
    if name == "Err":
        if not isinstance(value, Err):
            _unknown(inner, names, resolve)
            return None if value is UNSET else False
        its = value.fields if isinstance(value, Failed) else UNKNOWN
        return fits(its, first, names, resolve) if first is not None else True
    if name in ("Ok", "Some", "Ready"):
        missing = value is NIL if name == "Some" else isinstance(value, Err)
        if missing:
            _unknown(inner, names, resolve)
            return False
        unsure = value is UNSET or (isinstance(value, Unknown) and name == "Some")
        found = fits(value, first, names, resolve) if first is not None else True
        return None if unsure and found else found
    if isinstance(value, Unknown) or not isinstance(value, Object):
        _unknown(inner, names, resolve)
        return None if isinstance(value, Unknown) else False
    if value.type.rpartition("::")[2] != name:
        _unknown(inner, names, resolve)
        return False
    inside = [fits(value.fields.get(str(i), UNKNOWN), one, names, resolve) for i, one in enumerate(inner)]
    return False if False in inside else None if None in inside else True


def _places(pattern: Tree) -> list[Tree]:
    """The patterns in another one; to the grammar `_` has no name."""
    return [one for one in pattern.children if (one.is_named or one.type == "_") and "comment" not in one.type]


def _unknown(inner: list[Tree], names: dict[str, Any], resolve: Resolve) -> None:
    for one in inner:
        fits(UNKNOWN, one, names, resolve)


def _items(value: Any, inner: list[Tree], names: dict[str, Any], resolve: Resolve) -> bool | None:
    items = list(value) if isinstance(value, (list, tuple)) else []
    found = [fits(items[i] if i < len(items) else UNKNOWN, one, names, resolve) for i, one in enumerate(inner)]
    return False if False in found else None if None in found else True


def _struct(value: Any, pattern: Tree, names: dict[str, Any], resolve: Resolve) -> bool | None:
    name = path_of(pattern.child_by_field_name("type")).rpartition("::")[2]
    fields = value.fields if isinstance(value, Object) else {}
    found: list[bool | None] = []
    for one in pattern.named_children:
        if one.type != "field_pattern":
            continue
        field, inner = text_of(one.child_by_field_name("name")), one.child_by_field_name("pattern")
        its = fields.get(field, UNKNOWN)
        if inner is None:
            names[field] = its
        else:
            found.append(fits(its, inner, names, resolve))
    if isinstance(value, Object) and value.type.rpartition("::")[2] != name and value.package is None:
        return False
    if not isinstance(value, Object):
        return None if isinstance(value, Unknown) else False
    return False if False in found else None if None in found else True


class Failed(Err):
    """`Err(x)`, with what it holds."""

    __slots__ = ("fields",)

    def __init__(self, value: Any = UNKNOWN) -> None:
        super().__init__(value.name if isinstance(value, Err) else _name(value) or "Err")
        self.fields: Any = value
