"""Applications that servers run: what they have for the server's startup and shutdown."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.names import path_of
from gracelint.behaviour.python.objects import environment
from gracelint.behaviour.python.registry import DECORATORS, INITS, model
from gracelint.behaviour.python.serving import LIFESPAN, SHUTDOWN, STARTUP, add_hook
from gracelint.behaviour.python.values import NONE, Bound, Class, Const, Function, Items, Name, Thing, Value
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords

_KEYWORDS = {"lifespan": LIFESPAN, "on_startup": STARTUP, "on_shutdown": SHUTDOWN}


@model(*table("python")["application"]["made_by"])
def _make(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    _init(machine, thing, args, keywords, node)
    return thing


@model(*(f"{path}.__init__" for path in table("python")["application"]["made_by"]))
def _super_init(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    owner = _owner(function) or (args[0] if args and isinstance(args[0], Thing) else None)
    return _init(machine, owner, args, keywords, node) if owner is not None else NONE


def _init(machine: Machine, thing: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    assert isinstance(thing, Thing)
    for keyword, event in _KEYWORDS.items():
        given = keywords.get(keyword)
        for hook in given.values() if isinstance(given, Items) else [given]:
            if isinstance(hook, (Function, Bound, Name)):
                add_hook(machine, thing, event, hook)
    return NONE


for _path in table("python")["application"]["made_by"]:
    INITS[_path] = _init


@model(*table("python")["hook"])
def _hook(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`app.on_startup.append(f)`, `app.add_event_handler("startup", f)`, `@app.on_event("startup")`."""
    row: dict[str, Any] = table("python")["hook"][path_of(function)]
    event = _event(row, args)
    owner = _owner(function)
    at: int = row.get("function", 0)
    if event is not None and len(args) > at and isinstance(args[at], (Function, Bound, Class)):
        add_hook(machine, owner, event, args[at])
        return args[at]
    maker = Thing("application.hook", node, machine.module)
    if owner is not None:
        maker.store["#owner"] = owner
    maker.store["#event"] = Const(event)
    return maker


def _event(row: dict[str, Any], args: Arguments) -> str | None:
    if "event" in row:
        return str(row["event"])
    at = row["named"]
    given = args[at] if isinstance(at, int) and len(args) > at else None
    events: dict[str, str] = table("python")["application"]["events"]
    return events.get(given.value) if isinstance(given, Const) and isinstance(given.value, str) else None


def _owner(function: Value) -> Thing | None:
    """The application whose method, or whose list's method, is called."""
    while isinstance(function, Bound):
        function = function.receiver
    return function if isinstance(function, Thing) else None


def _decorate(machine: Machine, decorator: Value, function: Value, node: ast.expr) -> Value:
    if isinstance(decorator, Thing) and decorator.kind == "application.hook":
        event, owner = decorator.store["#event"], decorator.store.get("#owner")
        if isinstance(event, Const) and isinstance(event.value, str):
            add_hook(machine, owner if isinstance(owner, Thing) else None, event.value, function)
        return function
    _hook(machine, decorator, [function], {}, node)
    return function


for _path in ("application.hook", *table("python")["hook"]):
    DECORATORS[_path] = _decorate


# -- Django ----------------------------------------------------------------------------------------------------------


@model("django.core.wsgi.get_wsgi_application", "django.core.asgi.get_asgi_application", "django.setup")
def _django(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Imports the settings and calls `ready()` of the project's apps."""
    name = environment(machine, Const("DJANGO_SETTINGS_MODULE"), NONE)
    if isinstance(name, Const) and isinstance(name.value, str) and ("django", "ready") not in machine.world:
        machine.write(machine.world, ("django", "ready"), NONE)
        settings = machine.import_module(name.value, node)
        listed = machine.attribute(settings, "INSTALLED_APPS", node)
        for app in listed.values() if isinstance(listed, Items) else ():
            if isinstance(app, Const) and isinstance(app.value, str) and machine.modules.is_ours(app.value):
                _ready(machine, app.value, node)
        urls = machine.attribute(settings, "ROOT_URLCONF", node)
        if isinstance(urls, Const) and isinstance(urls.value, str):
            _read_urls(machine, urls.value)
    return Thing(path_of(function), node, machine.module)


def _read_urls(machine: Machine, root: str) -> None:
    """Reads the modules of what answers requests, which Django imports when the first one comes."""
    waiting, seen = [root], {root}
    while waiting and len(seen) < _MOST:
        module = machine.modules.find(waiting.pop())
        for part in ast.walk(module.tree) if module is not None else ():
            for name in _modules_of(part, module.name if module is not None else "") - seen:
                seen.add(name)
                if machine.modules.find(name) is not None and not isinstance(part, (ast.Import, ast.ImportFrom)):
                    waiting.append(name)


_MOST = 60
"""Modules that are looked for."""


def _modules_of(part: ast.AST, own: str) -> set[str]:
    """The modules that a line imports, or that `include("orders.urls")` names."""
    if isinstance(part, ast.Import):
        return {alias.name for alias in part.names}
    if isinstance(part, ast.ImportFrom):
        above = own.split(".")[: -part.level] if part.level else []
        base = ".".join([*above, *([part.module] if part.module else [])])
        return {base, *(f"{base}.{alias.name}" for alias in part.names)} - {""}
    is_include = isinstance(part, ast.Call) and getattr(part.func, "id", getattr(part.func, "attr", "")) == "include"
    named = part.args[:1] if is_include and isinstance(part, ast.Call) else []
    return {one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def _ready(machine: Machine, app: str, node: ast.AST) -> None:
    package, _, name = app.rpartition(".")
    if machine.modules.find(app) is None and machine.modules.find(package) is not None:
        cls = machine.attribute(machine.import_module(package, node), name, node)
        found = [cls] if isinstance(cls, Class) else []
    elif machine.modules.find(f"{app}.apps") is not None:
        machine.import_module(f"{app}.apps", node)
        store = machine.stores.get(f"{app}.apps", {})
        found = [each for each in store.values() if isinstance(each, Class) and each.kind.endswith("AppConfig")]
    else:
        machine.import_module(app, node)
        return
    for cls in found:
        ready = cls.find("ready")
        if isinstance(ready, Function):
            machine.call(ready.bind(machine.instantiate(cls, [], {}, node)), [], {}, node)
