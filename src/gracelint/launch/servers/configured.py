"""Settings that an application gives the server it is run by, such as celery's `worker_pool`."""

from __future__ import annotations

import ast

from gracelint.base.record import replace
from gracelint.launch.servers.applications import find_application, find_module
from gracelint.source import Located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gracelint.launch.servers.settings import ServerSettings
    from gracelint.launch.step import Context
    from gracelint.source import Source

    Row = Mapping[str, Any]

_DJANGO = "django.conf"
_NAMED = "DJANGO_SETTINGS_MODULE"


def with_configured(row: Row, given: ServerSettings, context: Context) -> ServerSettings:
    """The settings with those options that only the application sets: None where it may, in what cannot be read."""
    missing = {option: name for option, name in row["configured"].items() if option not in given.options}
    found = find_application(row["application"], given, context) if missing else None
    if found is None:
        return given
    tree = _tree(found)
    configured = {option: _text(tree, name, context) for option, name in missing.items()}
    said = {option: Located(value) for option, value in configured.items() if value != ""}
    return replace(given, options={**said, **given.options})


def number(row: Row, given: ServerSettings, context: Context, name: str) -> float | None:
    """A number that the application's module gives a setting: `app.conf.name = 6`, `name = 6`, `update(name=6)`."""
    found = find_application(row["application"], given, context)
    for value in _assigned(_tree(found), name) if found is not None else ():
        if isinstance(value, ast.Constant) and isinstance(value.value, (int, float)) and value.value > 0:
            return float(value.value)
    return None


def _text(tree: ast.Module | None, name: str, context: Context) -> str | None:
    """What a setting says: "" where nothing sets it, None where that cannot be told."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    if tree is None or "Celery" not in (_name(call.func) for call in calls):
        return None
    values = _assigned(tree, name)
    for call in calls:
        if _name(call.func) == "config_from_object":
            module, prefix = _configuration(call, calls, context)
            if module is None:
                return None
            values += _assigned(module, prefix + name)
            if not values and any(isinstance(node, ast.ImportFrom) and _is_star(node) for node in module.body):
                return None
    if not values:
        return ""
    constants = {value.value if isinstance(value, ast.Constant) else None for value in values}
    value = constants.pop()
    return str(value) if value is not None and not constants else None


def _configuration(call: ast.Call, calls: list[ast.Call], context: Context) -> tuple[ast.Module | None, str]:
    """The module that `config_from_object("shop.celeryconfig", namespace="CELERY")` reads, and its names' prefix."""
    namespace = next((item.value for item in call.keywords if item.arg == "namespace"), None)
    prefix = f"{namespace.value!s}_" if isinstance(namespace, ast.Constant) else ""
    named = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if not isinstance(named, str):
        return None, prefix
    module = named.partition(":")[0]
    if module == _DJANGO:
        module = context.env.get(_NAMED) or _defaulted(calls)
    found = find_module(module, context) if module else None
    return (_tree(found), prefix) if found is not None else (None, prefix)


def _defaulted(calls: list[ast.Call]) -> str:
    """What `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` names."""
    for call in calls:
        values = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        if _name(call.func) == "setdefault" and len(values) == 2 and values[0] == _NAMED:
            return str(values[1])
    return ""


def _assigned(tree: ast.Module | None, name: str) -> list[ast.expr]:
    """All that a setting is assigned or given as an argument, whatever the case of its name."""
    if tree is None:
        return []
    nodes = (node for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.keyword)))
    return [node.value for node in nodes if _sets(node, name.lower())]


def _sets(node: ast.Assign | ast.keyword, name: str) -> bool:
    if isinstance(node, ast.keyword):
        return (node.arg or "").lower() == name
    return any(_name(target).lower() == name for target in node.targets)


def _is_star(node: ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _tree(source: Source) -> ast.Module | None:
    try:
        return ast.parse(source.text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _name(node: ast.expr) -> str:
    """The last part of a name: what is called or assigned to."""
    return str(getattr(node, "attr", getattr(node, "id", "")))
