"""Stopping servers, the options of Tornado, and the commands of Django."""

from __future__ import annotations

import ast

from gracelint.base.numbers import is_digits
from gracelint.behaviour.python.ends import Point, Served, stuck
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import METHODS, argument, model, receiver_of
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    LOST,
    NONE,
    TRUE,
    Bound,
    Const,
    Function,
    Thing,
    Value,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


def _stops(mark: str) -> list[str]:
    """The methods that stop the servers in whose rows a word stands."""
    rows = [(path.rpartition(".")[0], row) for path, row in table("python")["server"].items() if mark in row]
    return [f"{owner}.{stop}" for owner, row in rows for stop in row["stops"]]


@model(*_stops("deadlock"))
@model("shutdown", into=METHODS)
def _shutdown_server(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`server.shutdown()` waits for serve_forever(): in the thread that runs it, for ever."""
    thing = receiver_of(function)
    if thing is None:
        return _generic_stop(machine, function, args, keywords, node)
    machine.close(thing, "end")
    point = machine.arrival
    serves_itself = (
        point is not None and point.serves is not None and point.serves.get("deadlock") and point.receiver is thing
    )
    name = function.name if isinstance(function, Bound) else "shutdown"
    machine.write(thing.store, ("called", name), TRUE)
    if machine.arrived:
        machine.write(thing.store, ("called after", name), TRUE)
    if serves_itself and machine.handling and not machine.in_thread:
        machine.act("shutdown-here", text_of(node), node)
        raise stuck(Point(node, machine.module, "shutdown", None, text_of(node)), "deadlock")
    machine.act("close", text_of(node), node)
    return NONE


@model("tornado.ioloop.IOLoop")
def _io_loop(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """There is one for a thread."""
    known = machine.world.get("io loop")
    if not isinstance(known, Thing):
        known = Thing("tornado.ioloop.IOLoop", node, machine.module)
        machine.write(machine.world, "io loop", known)
    return known


@model("tornado.options.define", "tornado.options.options.define")
def _define_option(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """An option of the command line; without it, its default."""
    name, value = argument(args, keywords, 0, "name"), argument(args, keywords, 1, "default") or NONE
    kind = path_of(argument(args, keywords, 2, "type") or value)
    if isinstance(name, Const) and isinstance(name.value, str):
        for word in machine.argv:
            option, equals, text = word.lstrip("-").partition("=")
            if word[:1] == "-" and option.replace("_", "-") == name.value.replace("_", "-"):
                value = _converted(text if equals else "true", kind)
        machine.write(machine.world, ("option", name.value.replace("-", "_")), value)
    return NONE


def _converted(text: str, kind: str) -> Value:
    if "$" in text:
        return FROM_OUTSIDE
    if kind == "builtins.bool":
        return Const(text.lower() not in ("false", "0", "f"))
    if kind == "builtins.int":
        return Const(int(text)) if is_digits(text) else FROM_OUTSIDE
    return Const(text) if kind == "builtins.str" else FROM_OUTSIDE


@model("tornado.options.parse_config_file", "tornado.options.options.parse_config_file")
def _read_options(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    for key in [key for key in machine.world if isinstance(key, tuple) and key[0] == "option"]:
        machine.write(machine.world, key, FROM_OUTSIDE)
    return NONE


def _generic_stop(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.handling and not machine.aside:
        machine.act("call", text_of(node), node)
        machine.doubt(f"what `{text_of(node)}` in the handler does is not in the project")
    return FROM_OUTSIDE


@model(*_stops("grace"))
def _stop_within(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    """`server.stop(grace)` gives what is set once it has stopped."""
    seconds = argument(args, keywords, 0, "grace")
    if thing is not None:
        machine.close(thing, "end")
        machine.write(thing.store, ("called", "stop"), TRUE)
        machine.act("close", text_of(node), node)
        if (
            machine.arrived
            and isinstance(seconds, Const)
            and isinstance(seconds.value, (int, float))
            and machine.dropped is None
        ):
            machine.facts.drain = (float(seconds.value), node, machine.module)
    waiter = Thing("threading.Event", node, machine.module)
    waiter.store["#set"] = TRUE
    return waiter


@model("django.core.management.execute_from_command_line", "django.core.management.call_command")
def _django(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if path_of(function).endswith("call_command"):
        words = [value.value if isinstance(value, Const) else "" for value in args]
    else:
        words = list(machine.argv)
    command = next((word for word in words if isinstance(word, str) and not word.startswith("-")), "help")
    if command in table("python")["django"]["one_shot"]:
        return NONE
    if command in table("python")["django"]["server"]:
        reloads = "--noreload" not in words
        row = {**table("python")["server"]["manage.py"], "reload_cuts": reloads, "options": words}
        point = Point(node, machine.module, "serve", None, f"manage.py {command}")
        point.serves = row
        point.handles = ("SIGTERM", "SIGINT") if reloads else ()
        if not machine.arrived:
            machine.facts.servers.append(Served(node, machine.module, {}, row))
        return machine.wait(point, ready=lambda: False, value=NONE)
    found = _management_command(machine, command, node)
    if found is None:
        machine.doubt(f"the command `{command}` of manage.py is not in the project")
        point = Point(node, machine.module, "call", None, f"manage.py {command}")
        point.tag = LOST
        machine.facts.maybe.append(point)
        return NONE
    cls = machine.attribute(found, "Command", node)
    thing = machine.call(cls, [], {}, node)
    rest = [word for word in words[words.index(command) + 1 :] if isinstance(word, str)]
    options = _options_of(machine, thing, rest, node)
    return machine.call(machine.attribute(thing, "handle", node), [], options, node)


def _options_of(machine: Machine, command: Value, words: list[str], node: ast.AST) -> Keywords:
    """What a command's own `add_arguments` makes of its words."""
    from gracelint.behaviour.python.commands import parse_words

    method = command.cls.find("add_arguments") if isinstance(command, Thing) and command.cls is not None else None
    if not isinstance(method, Function):
        return {}
    parser = Thing("argparse.ArgumentParser", node, machine.module)
    machine.call(method.bind(command), [parser], {}, node)
    parsed = parse_words(machine, parser, words, node)
    return {name: value for name, value in parsed.store.items() if isinstance(name, str)}


def _management_command(machine: Machine, command: str, node: ast.AST) -> Value | None:
    for package in machine.modules.packages():
        name = f"{package}.management.commands.{command}"
        if machine.modules.find(name) is not None:
            return machine.import_module(name, node)
    return None
