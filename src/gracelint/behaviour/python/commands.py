"""Command lines that libraries take apart: which function of the program runs, and with what options."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.names import canonical, is_none, is_true, path_of
from gracelint.behaviour.python.objects import parameter_default
from gracelint.behaviour.python.registry import DECORATORS, argument, model, receiver_of
from gracelint.behaviour.python.values import (
    FALSE,
    FROM_OUTSIDE,
    LOST,
    NONE,
    TRUE,
    Bound,
    Class,
    Const,
    Function,
    Items,
    Name,
    Thing,
    Value,
    items,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords

_SWITCHES = ("store_true", "store_false", "count", "help", "version")


def _text(value: Value | None) -> str | None:
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else None


def _word(text: str) -> Value:
    """A word of the command line; a variable in it is only known when it runs."""
    return FROM_OUTSIDE if "$" in text else Const(text)


# -- argparse ------------------------------------------------------------------------------------------------------


@model("argparse.ArgumentParser.add_argument", "argparse.ArgumentParser.add_subparsers")
def _add_argument(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    parser = receiver_of(function)
    spec = Thing("argparse.Action", node, machine.module)
    spec.store.update(keywords)
    spec.store["#names"] = items("tuple", [Const(name) for name in map(_text, args) if name])
    if path_of(function).endswith("subparsers"):
        spec.kind = "argparse.Subparsers"
    if parser is not None:
        machine.write(parser.store, ("argument", id(node), len(parser.store)), spec)
    return spec


@model("argparse.Subparsers.add_parser")
def _add_parser(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    spec = receiver_of(function)
    parser = Thing("argparse.ArgumentParser", node, machine.module)
    aliases = machine.elements(keywords["aliases"]) if "aliases" in keywords else []
    for name in filter(None, map(_text, (*args[:1], *(aliases or [])))):
        if spec is not None:
            machine.write(spec.store, ("command", name), parser)
    return parser


@model("argparse.ArgumentParser.set_defaults")
def _set_defaults(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    parser = receiver_of(function)
    for name, value in keywords.items():
        if parser is not None:
            machine.write(parser.store, ("default", name), value)
    return NONE


@model("argparse.ArgumentParser.add_argument_group", "argparse.ArgumentParser.add_mutually_exclusive_group")
def _add_group(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return receiver_of(function) or FROM_OUTSIDE


@model("argparse.ArgumentParser.parse_args", "argparse.ArgumentParser.parse_known_args")
def _parse_args(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    parser = receiver_of(function)
    given = argument(args, keywords, 0, "args")
    words: list[str] | None = list(machine.argv)
    if given is not None and not is_none(given):
        known = machine.elements(given)
        texts = [text for text in map(_text, known or ()) if text is not None]
        words = texts if known is not None and len(texts) == len(known) else None
    parsed = parse_words(machine, parser, words, node)
    return items("tuple", [parsed, FROM_OUTSIDE]) if path_of(function).endswith("known_args") else parsed


def parse_words(machine: Machine, parser: Thing | None, words: list[str] | None, node: ast.AST) -> Thing:
    """The namespace that a parser makes of words."""
    parsed = Thing("argparse.Namespace", node, machine.module)
    if parser is not None:
        _parse(machine, parser, words, parsed, node)
    return parsed


def _parse(machine: Machine, parser: Thing, words: list[str] | None, parsed: Thing, node: ast.AST) -> None:
    """Sets what a parser makes of words; where they are not known, none of the values are."""
    specs = [value for key, value in parser.store.items() if isinstance(key, tuple) and key[0] == "argument"]
    arguments = [spec for spec in specs if isinstance(spec, Thing)]
    for spec in arguments:
        parsed.store[_destination(spec)] = FROM_OUTSIDE if words is None else _default(spec)
    for key, value in parser.store.items():
        if isinstance(key, tuple) and key[0] == "default":
            parsed.store[key[1]] = value
    operands = [spec for spec in arguments if not _destination(spec, is_option=True)]
    waiting = list(words or ())
    while waiting:
        word = waiting.pop(0)
        name, equals, rest = word.partition("=")
        option = next((spec for spec in arguments if name in _names(spec)), None) if word[:1] == "-" else None
        if option is not None:
            if _text(option.store.get("action")) in _SWITCHES:
                is_off = _text(option.store.get("action")) == "store_false"
                parsed.store[_destination(option)] = FALSE if is_off else TRUE
            elif equals or waiting:
                text = rest if equals else waiting.pop(0)
                parsed.store[_destination(option)] = _converted(machine, option, text, node)
        elif word[:1] != "-" and operands:
            spec = operands[0]
            if spec.kind == "argparse.Subparsers":
                parsed.store[_destination(spec)] = _word(word)
                chosen = spec.store.get(("command", word))
                if isinstance(chosen, Thing):
                    _parse(machine, chosen, waiting, parsed, node)
                return
            if "nargs" in spec.store and _text(spec.store["nargs"]) != "?":
                return
            parsed.store[_destination(spec)] = _converted(machine, spec, word, node)
            operands.pop(0)


def _names(spec: Thing) -> list[str]:
    names = spec.store["#names"]
    return [value.value for value in names.values() if isinstance(value, Const)] if isinstance(names, Items) else []


def _destination(spec: Thing, is_option: bool = False) -> str:
    """The attribute an argument is stored in; with `is_option` only an option's."""
    longest = max(_names(spec), key=len, default="")
    if is_option and not longest.startswith("-"):
        return ""
    return _text(spec.store.get("dest")) or longest.lstrip("-").replace("-", "_")


def _default(spec: Thing) -> Value:
    switch = {"store_true": FALSE, "store_false": TRUE}.get(_text(spec.store.get("action")) or "")
    is_optional = "nargs" in spec.store or _destination(spec, is_option=True) or spec.kind == "argparse.Subparsers"
    return spec.store.get("default", switch or (NONE if is_optional else FROM_OUTSIDE))


def _converted(machine: Machine, spec: Thing, text: str, node: ast.AST) -> Value:
    kind = spec.store.get("type")
    word = _word(text)
    return machine.call(kind, [word], {}, node) if isinstance(kind, Name) and word is not FROM_OUTSIDE else word


# -- click and typer -----------------------------------------------------------------------------------------------


@model("click.command", "click.group", "click.Group.command", "click.Group.group", "typer.Typer.command")
def _command(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`@click.command(…)`, `@cli.command(…)`: what makes a command of a function."""
    if args and isinstance(args[0], (Function, Thing)):
        return _make_command(machine, function, args[0], node)
    maker = Thing("click.command", node, machine.module)
    owner = receiver_of(function)
    if owner is not None:
        maker.store["#owner"] = owner
    name = argument(args, keywords, 0, "name")
    if name is not None:
        maker.store["#name"] = name
    maker.store["#alone"] = keywords.get("invoke_without_command", FALSE)
    return maker


def _make_command(machine: Machine, maker: Value, function: Value, node: ast.AST) -> Value:
    command = Thing("click.Group", node, machine.module)
    command.store["#function"] = function
    if isinstance(maker, Bound) and isinstance(maker.receiver, Thing):
        _add(machine, maker.receiver, command, None)
    if not isinstance(maker, Thing):
        return command
    command.store["#alone"] = maker.store.get("#alone", FALSE)
    owner = maker.store.get("#owner")
    if isinstance(owner, Thing):
        _add(machine, owner, command, _text(maker.store.get("#name")))
    return command


def _add(machine: Machine, owner: Thing, command: Thing, name: str | None) -> None:
    function = command.store.get("#function")
    if name is None and isinstance(function, Function) and not isinstance(function.node, ast.Lambda):
        name = function.node.name.replace("_", "-").removesuffix("-command")
    machine.write(owner.store, ("command", name), command)


for _path in ("click.command", "click.group", "click.Group.command", "click.Group.group"):
    DECORATORS[_path] = _make_command


@model("click.Group", "click.Command", "typer.Typer", "click.Group.main", "typer.Typer.__call__")
def _run_or_make(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`click.Group()` makes a group; a call of the group runs it."""
    if isinstance(function, Name):
        return Thing(path_of(function), node, machine.module)
    command = function if isinstance(function, Thing) else receiver_of(function)
    given = argument(args, keywords, 0, "args")
    words: list[str] = list(machine.argv)
    if given is not None and not is_none(given):
        words = [text for text in map(_text, machine.elements(given) or []) if text is not None]
    return NONE if command is None else _run(machine, command, words, node)


@model("click.Group.add_command")
def _add_command(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    group = receiver_of(function)
    if group is not None and args and isinstance(args[0], Thing):
        _add(machine, group, args[0], _text(argument(args, keywords, 1, "name")))
    return NONE


@model("typer.Typer.add_typer")
def _add_typer(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    app = receiver_of(function)
    if app is not None and args and isinstance(args[0], Thing):
        machine.write(app.store, ("command", _text(keywords.get("name"))), args[0])
    return NONE


@model("typer.Typer.callback")
def _callback(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    maker = Thing("typer.callback", node, machine.module)
    owner = receiver_of(function)
    if owner is not None:
        maker.store["#owner"] = owner
        owner.store["#alone"] = keywords.get("invoke_without_command", FALSE)
    return maker


def _set_callback(machine: Machine, maker: Value, function: Value, node: ast.expr) -> Value:
    owner = maker.store.get("#owner") if isinstance(maker, Thing) else None
    if isinstance(owner, Thing):
        machine.write(owner.store, "#function", function)
    return function


DECORATORS["typer.callback"] = _set_callback


@model("typer.run")
def _typer_run(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    command = Thing("click.Group", node, machine.module)
    command.store["#function"] = args[0] if args else FROM_OUTSIDE
    return _run(machine, command, list(machine.argv), node)


def _run(machine: Machine, command: Thing, words: list[str], node: ast.AST) -> Value:
    """Runs a command with its words: a group's own function, then the command that is named."""
    commands = {key[1]: value for key, value in command.store.items() if isinstance(key, tuple) and key[0] == "command"}
    if canonical(command.kind) == "typer.Typer" and len(commands) == 1 and "#function" not in command.store:
        commands, command = {}, next(iter(commands.values()))  # type: ignore[assignment]
    function = command.store.get("#function")
    if function is not None:
        machine.call(function, [], _options(machine, function, words), node)
    if not commands or (not words and is_true(command.store.get("#alone"))):
        return NONE
    index = next((index for index, word in enumerate(words) if word in commands), None)
    chosen = commands[words[index]] if index is not None else None
    if isinstance(chosen, Thing):
        return _run(machine, chosen, words[(index or 0) + 1 :], node)
    from gracelint.behaviour.python.ends import Point

    machine.doubt("which command it runs is only known when it runs")
    point = Point(node, machine.module, "call", None, "the command")
    point.tag = LOST
    machine.facts.maybe.append(point)
    return NONE


@model("click.option", "click.argument")
def _option(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    thing.store.update(keywords)
    thing.store["#names"] = items("tuple", list(args))
    return thing


def _set_option(machine: Machine, option: Value, function: Value, node: ast.expr) -> Value:
    """The parameter that an option fills: from the command line, else its default."""
    target = function.store.get("#function") if isinstance(function, Thing) else function
    if not isinstance(option, Thing) or not isinstance(target, Function):
        return function
    names = [name for value in _names(option) for name in value.split("/")]
    explicit = next((name for name in names if not name.startswith("-")), None)
    parameter = explicit or max(names, key=len, default="").lstrip("-")
    is_flag = is_true(option.store.get("is_flag"))
    default = option.store.get("default", FALSE if is_flag else NONE)
    text = _given(machine.argv, names)
    if text is not None:
        default = TRUE if is_flag else _converted(machine, option, text, node)
    elif canonical(option.kind) == "click.argument" or "envvar" in option.store:
        default = FROM_OUTSIDE
    target.defaults[parameter.replace("-", "_")] = default
    return function


DECORATORS["click.option"] = DECORATORS["click.argument"] = _set_option


def _given(words: Sequence[str], names: Sequence[str]) -> str | None:
    """The word behind an option."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names and name.startswith("-"):
            return value if equals else "".join(words[index + 1 : index + 2])
    return None


def _options(machine: Machine, function: Value, words: list[str]) -> dict[str, Value]:
    """typer: parameters are options."""
    if not isinstance(function, Function):
        return {}
    found: dict[str, Value] = {}
    parameters = function.node.args
    for parameter in (*parameters.args, *parameters.kwonlyargs):
        text = _given(words, (f"--{parameter.arg.replace('_', '-')}",))
        if text is not None and parameter.annotation is not None:
            known = parameter_default(function.defaults.get(parameter.arg))
            kind = ast.unparse(parameter.annotation)
            if kind in ("int", "float", "str"):
                found[parameter.arg] = machine.call(Name(f"builtins.{kind}"), [_word(text)], {}, parameter)
            elif isinstance(known, Const) and isinstance(known.value, bool):
                found[parameter.arg] = TRUE
            else:
                found[parameter.arg] = FROM_OUTSIDE
    return found


# -- others --------------------------------------------------------------------------------------------------------


@model("fire.Fire")
def _fire(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A function is called; of a class or dict the first word names what to call."""
    component = argument(args, keywords, 0, "component")
    if isinstance(component, Function):
        return machine.call(component, [], {}, node)
    name = machine.argv[0].replace("-", "_") if machine.argv else ""
    if isinstance(component, Class) and name:
        return machine.call(machine.attribute(machine.instantiate(component, [], {}, node), name, node), [], {}, node)
    if isinstance(component, Items) and name in component.store:
        return machine.call(component.store[name], [], {}, node)
    machine.doubt("which command it runs is only known when it runs")
    return FROM_OUTSIDE
