"""Runs gracelint in this process and says what each part of it took: `startup_probe.py FILE ARGUMENT …`.

Writes CPU milliseconds to FILE. A part's time is what passes while no other part runs inside of it. Nothing is imported
before gracelint that a bare Python does not have.
"""

import builtins
import os
import sys
import time
from importlib import _bootstrap_external as bootstrap

PARTS = ("finding", "reading", "running", "classes", "initialisers", "patterns", "tables", "git", "linting")
parts = dict.fromkeys(PARTS, 0.0)
counts = dict.fromkeys(PARTS, 0)
each = {}
stack = [("linting", "")]
clock = 0.0


def switch():
    global clock
    now = time.thread_time()
    part, name = stack[-1]
    parts[part] += now - clock
    if name:
        each[name] = each.get(name, 0.0) + now - clock
    clock = time.thread_time()


def timed(part, function, name_of=None):
    """The function, with what it takes counted for a part and, where `name_of` its arguments says one, for a module."""

    def inner(*values, **named):
        switch()
        counts[part] += 1
        stack.append((part, name_of(*values) if name_of else stack[-1][1]))
        try:
            return function(*values, **named)
        finally:
            switch()
            stack.pop()

    return inner


INSIDE = {
    "gracelint.tree.git": ("git", "_written"),
    "gracelint.knowledge": ("tables", "table"),
    "gracelint.base.record": ("initialisers", "_initialiser"),
    "re._compiler": ("patterns", "compile"),
    "sre_compile": ("patterns", "compile"),
}
"""Functions that are parts of their own, by the module that has them."""


def executed(loader, module, run=bootstrap._LoaderBasics.exec_module):
    run(loader, module)
    if module.__name__ in INSIDE:
        part, name = INSIDE[module.__name__]
        setattr(module, name, timed(part, getattr(module, name)))


class Finder:
    find_spec = staticmethod(timed("finding", bootstrap.PathFinder.find_spec, lambda name, *_: name))


def main(answer, arguments):
    global clock
    sys.path[0] = ""  # this folder, as in `-m`
    bootstrap.SourceFileLoader.get_code = timed("reading", bootstrap.SourceFileLoader.get_code, lambda _, name: name)
    bootstrap.SourceFileLoader.exec_module = timed("running", executed, lambda _, module: module.__name__)
    sys.meta_path[:] = [Finder if finder is bootstrap.PathFinder else finder for finder in sys.meta_path]
    builtins.__build_class__ = timed("classes", builtins.__build_class__)
    sys.argv[:] = ["gracelint", *arguments]
    clock = time.thread_time()
    try:
        from gracelint.__main__ import main as run

        run()
    except SystemExit:
        pass
    switch()
    usage = os.times()
    parts["git"] += usage.children_user + usage.children_system
    spent = {part: seconds * 1000 for part, seconds in parts.items()}
    modules = {name: seconds * 1000 for name, seconds in each.items()}
    with open(answer, "w") as file:
        file.write(repr({"parts": spent, "counts": counts, "modules": modules}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
