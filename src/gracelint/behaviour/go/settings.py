"""Structs that a library fills from the environment, as the tags of their fields say."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.behaviour.go import expressions, flags
from gracelint.behaviour.go.packages import type_name
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Object
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.source import Span

_TAG = pattern(r"([\w-]{1,40}):\"([^\"]{0,400})\"")
_HUMPS = pattern(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ARGUMENT = pattern(r"\[(\w{1,100})\]\(")
_DEEPEST = 4
_KINDS = {
    "string": "String",
    "bool": "Bool",
    "time.Duration": "Duration",
    "float64": "Float64",
    **dict.fromkeys(("int", "int32", "int64", "uint", "uint32", "uint64"), "Int"),
}


class Style(Record):
    """How a library names the tags: https://pkg.go.dev/github.com/kelseyhightower/envconfig and its like."""

    name: str
    default: str
    prefix: str = ""
    """The tag that a nested struct has for its own variables."""
    by_field: bool = False
    """A field without a tag has its own name, and a nested struct's is put in front of those below."""


_STYLES = {
    "github.com/kelseyhightower/envconfig.": Style("envconfig", "default", by_field=True),
    "github.com/caarlos0/env": Style("env", "envDefault", "envPrefix"),
    "github.com/ilyakaznacheev/cleanenv.": Style("env", "env-default", "env-prefix"),
    "github.com/sethvargo/go-envconfig.": Style("env", ""),
}
_FILLS = ("Process", "MustProcess", "Parse", "ReadEnv")
_MAKES = ("ParseAs",)


def reader_of(path: str) -> Callable[[GoMachine, list[Any], Span], Any] | None:
    """What a function does that fills a struct from the environment; None of all others."""
    package, _, name = path.rpartition(".")
    style = next((its for start, its in _STYLES.items() if f"{package}.".startswith(start)), None)
    if style is None or name not in (*_FILLS, *_MAKES):
        return None
    its = style
    return lambda machine, given, span: _filled(machine, its, name, given, span)


def _filled(machine: GoMachine, style: Style, name: str, given: list[Any], span: Span) -> Any:
    prefix = next((one for one in given if isinstance(one, str)), "") if style.by_field else ""
    if name in _MAKES:
        one = _of_argument(machine, span)
        if isinstance(one, Object):
            _fill(machine, one, style, prefix, 0)
        return (one, NIL)
    for one in given:
        if isinstance(one, Object):
            _fill(machine, one, style, prefix, 0)
    return NIL


def _of_argument(machine: GoMachine, span: Span) -> Any:
    """A new struct of the type that a call has as its argument: `env.ParseAs[Config]()`."""
    match = _ARGUMENT.search(span.text)
    for package in machine.modules.packages(machine.main) if match is not None else ():
        for file in package.files:
            if match is not None and file.source is span.source:
                return expressions.made(machine, file, package, match[1], span)
    return UNKNOWN


def _fill(machine: GoMachine, of: Object, style: Style, prefix: str, depth: int) -> None:
    declared = of.package.types.get(of.type.rpartition(".")[2]) if of.package is not None else None
    if declared is None or depth > _DEEPEST:
        return
    for field, type_, tags in _tagged(declared.node.child_by_field_name("type")):
        its = expressions.made(machine, declared.file, of.package, type_name(type_), None)
        if isinstance(its, Object) and its.package is not None and _is_struct(its):
            inner = of.fields.setdefault(field, its)
            below = f"{prefix}_{field}" if style.by_field and prefix else field if style.by_field else prefix
            if isinstance(inner, Object):
                _fill(machine, inner, style, below + tags.get(style.prefix, ""), depth + 1)
            continue
        value = _value(machine, field, text_of(type_), tags, style, prefix)
        if value is not UNSET:
            of.fields[field] = value


def _is_struct(one: Object) -> bool:
    declared = one.package.types.get(one.type.rpartition(".")[2])
    type_ = declared.node.child_by_field_name("type") if declared is not None else None
    return type_ is not None and type_.type == "struct_type"


def _value(machine: GoMachine, field: str, type_: str, tags: dict[str, str], style: Style, prefix: str) -> Any:
    name, *options = tags.get(style.name, "").split(",")
    default = tags.get(style.default)
    default = next((one.removeprefix("default=") for one in options if one.startswith("default=")), default)
    if style.by_field:
        name = name or (_HUMPS.sub("_", field) if tags.get("split_words") == "true" else field)
        below = [f"{prefix}_{name}".upper()] if prefix else []
        names = [*below, name.upper()] if style.name in tags or not prefix else below
    else:
        names = [f"{prefix}{name}"] if name else []
    found = [its for one in names if (its := machine.variable(one)) is not UNSET]
    text = found[0] if found else UNSET if default is None else default
    if not isinstance(text, str):
        return text
    kind = _KINDS.get(type_)
    return flags.read(kind, text) if kind is not None else UNKNOWN


def _tagged(struct: Node | None) -> Iterator[tuple[str, Node, dict[str, str]]]:
    """The fields of a struct, their types and their tags."""
    body = struct.named_children[0] if struct is not None and struct.named_children else None
    for line in body.named_children if body is not None else ():
        type_, tag = line.child_by_field_name("type"), line.child_by_field_name("tag")
        if line.type != "field_declaration" or type_ is None:
            continue
        for name in line.children_by_field_name("name"):
            yield text_of(name), type_, dict(_TAG.findall(text_of(tag)))
