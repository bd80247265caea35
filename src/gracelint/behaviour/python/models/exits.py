"""Ways out of a program: exit, exec, and what `atexit` keeps."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import EXEC, HARD, RAISE, End, Leave, Point
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import model
from gracelint.behaviour.python.values import CERTAIN, FROM_OUTSIDE, NONE, Const, Error, Items, Partial, Value, items
from gracelint.behaviour.python.waits import words_of
from gracelint.knowledge import table
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model(*table("python")["exit"])
def _exit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    row = table("python")["exit"][path_of(function)]
    if not row.get("hard"):
        machine.act("exit", "", node)
        raise Leave([End(RAISE, CERTAIN, Error(row["raises"]))])
    machine.act("hard-exit", "", node)
    end = End(HARD)
    end.point = Point(node, machine.module, "exit", None, text_of(node))
    raise Leave([end])


@model("os.execv", "os.execve", "os.execvp", "os.execvpe", "os.execl", "os.execle", "os.execlp", "os.execlpe")
def _exec(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    listed = path_of(function).startswith("os.execv")
    argv: Value = args[1] if listed and len(args) > 1 else items("list", args[1:])
    if path_of(function) in ("os.execle", "os.execlpe"):
        argv = items("list", args[1:-1])
    words = words_of(machine, argv, node, is_open=True)
    file = args[0] if args else FROM_OUTSIDE
    if words and isinstance(file, Const) and isinstance(file.value, str):
        words = (Word(file.value, words[0].span), *words[1:])
    if machine.facts.replaced_by is None and not machine.aside:
        machine.facts.replaced_by = words
    point = Point(node, machine.module, "exec", None, text_of(node))
    end = End(EXEC)
    end.point = point
    raise Leave([end])


@model("atexit.register")
def _atexit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        hooks = machine.world.get("atexit")
        hook = Partial(args[0], args[1:], keywords)
        if isinstance(hooks, Items):
            machine.write(hooks.store, len(hooks.store), hook)
        else:
            machine.write(machine.world, "atexit", items("list", [hook]))
    return args[0] if args else NONE
