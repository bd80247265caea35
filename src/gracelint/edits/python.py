"""Edits of Python source: a handler more, a thread around a call, a timeout."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.finding import Edit
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator

    from gracelint.facts.program import Act, Handler, Program, Wait


def add_sigterm_handler(program: Program) -> tuple[Edit, ...] | None:
    """Installs a handler before the program begins: one that raises what the program cleans up after already.

    Where the program has a way of its own to stop, that is called; None where it cannot be called from there.
    """
    file = None if program.servers else _read(program.source)
    if file is None:
        return None
    if program.cleans_up_on_interrupt:
        return _install(file, "signal.signal(signal.SIGTERM, signal.default_int_handler)", ("signal",))
    own = _own_ways(program)
    sets_up = len(own) == 1 and _SETS_UP.match((own[0] or "").lstrip("_").lower()) is not None
    if _serves(program) or (_names_sigterm(program) and not sets_up):
        return None
    if not own:
        return _install(file, "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))", ("signal", "sys"))
    name = own[0] if len(own) == 1 else None
    if name is None or _main_guard(file) is None:
        return None
    if sets_up:
        return _install(file, f"{name}()", ())
    return _install(file, f"signal.signal(signal.SIGTERM, lambda *_: {name}())", ("signal",))


_STOPS = pattern(r"(graceful_?)?(stop|shut_?down|terminate|tear_?down|clean_?up|quit|exit)(_?(all|gracefully|now))?$")
_SETS_UP = pattern(r"(setup|set_up|install|register|init|configure|handle)_\w*(signal|shutdown|sigterm)\w*$")

_SERVING = frozenset(("accept", "listen", "create_server", "make_server", "run_app", "serve", "serve_forever")) | {
    "start_server",
    "start_unix_server",
    "AppRunner",
    "HTTPServer",
    "TCPServer",
    "WSGIServer",
}


def _serves(program: Program) -> bool:
    """Whether an exit would drop requests."""
    import ast

    trees = _trees(program, lambda text: any(name in text for name in _SERVING))
    calls = (node for _, tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(_name(call.func) in _SERVING for call in calls)


def _names_sigterm(program: Program) -> bool:
    """Whether a handler for it may stand somewhere, below a condition or in a function."""
    import ast

    trees = _trees(program, lambda text: "SIGTERM" in text)
    return any(_name(node) == "SIGTERM" for _, tree in trees for node in ast.walk(tree))


def _name(node: ast.AST) -> str:
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))


def _own_ways(program: Program) -> list[str | None]:
    """The program's functions that stop it or listen for signals; None for one that cannot be called by its name."""
    import ast

    found: list[str | None] = []
    for path, tree in _trees(program, lambda text: any(map(_is_own_way, _defined(text)))):
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_own_way(node.name):
                here = path == program.source.path and node in tree.body
                found.append(node.name if here and isinstance(node, ast.FunctionDef) and _is_bare(node) else None)
    return found


def _defined(text: str) -> Iterator[str]:
    """What may be names of functions, which is asked of every file that a program reads."""
    return (part.partition("(")[0].strip() for part in text.split("def ")[1:])


def _trees(program: Program, may_matter: Callable[[str], bool]) -> Iterator[tuple[str, ast.Module]]:
    """The syntax trees of the program's files whose text may matter, one after the other: together they are large."""
    sources = {source.path: source for source in program.sources or (program.source,)}
    for path, source in sources.items():
        tree = _tree(source) if may_matter(source.text) else None
        if tree is not None:
            yield path, tree


def _is_own_way(name: str) -> bool:
    name = name.lstrip("_").lower()
    return _STOPS.match(name) is not None or _SETS_UP.match(name) is not None


def _is_bare(function: ast.FunctionDef) -> bool:
    """Whether it can be called without arguments."""
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional == 0 and all(default is not None for default in arguments.kw_defaults)


def handle_sigterm_too(program: Program, handler: Handler) -> tuple[Edit, ...] | None:
    """Gives SIGTERM to a handler of SIGINT: one more element in the loop over signals, or one more registration."""
    source = handler.span.source
    if handler.span.text and handler.names:
        name = handler.names[0].text
        other = name.replace("SIGINT", "SIGTERM")
        if other != name and handler.span.start <= handler.names[0].start < handler.span.end:
            return _repeat(source, handler, name, other)
    listed = _loop_element(handler.span)
    if listed is None:
        return None
    return (Edit(Span(source, listed.end, listed.end), f", {listed.text.replace('SIGINT', 'SIGTERM')}"),)


def run_shutdown_in_thread(program: Program, act: Act) -> tuple[Edit, ...] | None:
    """`server.shutdown()` → `threading.Thread(target=server.shutdown).start()`."""
    text = act.span.text
    file = _read(act.span.source) if text.endswith("()") else None
    if file is None:
        return None
    imports = _imports(file)
    names = {full: name for each in imports for full, name in each.names.items()}
    module = names.get("threading")
    thread = names.get("threading.Thread") or f"{module or 'threading'}.Thread"
    needed = () if module or "threading.Thread" in names else ("threading",)
    return (*_add_imports(file, imports, needed), Edit(act.span, f"{thread}(target={text[:-2]}).start()"))


def bound_wait(program: Program, wait: Wait) -> tuple[Edit, ...] | None:
    """`thread.join()` → `thread.join(timeout=8)`, with the seconds that there are until SIGKILL."""
    text, seconds = wait.span.text, program.bound
    if wait.kind != "join" or not text.endswith(".join()") or seconds is None:
        return None
    end = wait.span.end - 1
    return (Edit(Span(wait.span.source, end, end), f"timeout={seconds:g}"),)


class _File(Record):
    """A source and its syntax tree."""

    source: Source
    module: ast.Module

    @property
    def statements(self) -> list[ast.stmt]:
        """Those of the top level; between semicolons, one by one."""
        return self.module.body

    def span(self, node: ast.stmt | ast.expr) -> Span:
        start = self._offset(node.lineno, node.col_offset)
        return Span(self.source, start, self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0))

    def start(self, statement: ast.stmt) -> int:
        """Where a statement begins, with its decorators."""
        start = self.span(statement).start
        for decorator in getattr(statement, "decorator_list", ()):
            start = min(start, self.source.text.rindex("@", 0, self.span(decorator).start))
        return start

    def _offset(self, line: int, column: int) -> int:
        """Columns are counted in bytes of UTF-8."""
        start = _line_start(self.source, line)
        head = self.source.text[start : start + column]
        return start + (column if head.isascii() else len(head.encode()[:column].decode(errors="ignore")))


class _Import(Record):
    span: Span
    module: str
    """The first that it names."""
    names: dict[str, str]
    """What the file calls what it imports, by the full name."""
    straight: bool
    """`import a`, not `from a import b`."""
    opening: bool
    """Nothing but a docstring and imports stands before it."""

    @property
    def standard(self) -> bool:
        return self.module.partition(".")[0] in sys.stdlib_module_names


def _read(source: Source) -> _File | None:
    tree = None if "\f" in source.text else _tree(source)
    return _File(source, tree) if tree is not None else None


def _tree(source: Source) -> ast.Module | None:
    import ast
    import warnings

    with suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source.text.removeprefix("\ufeff"))
    return None


def _install(file: _File, statement: str, modules: tuple[str, ...]) -> tuple[Edit, ...] | None:
    """Puts a statement where the program begins: in `if __name__ == "__main__":`, else behind the imports."""
    source, newline = file.source, _newline(file.source)
    guard = _main_guard(file)
    if guard is not None:
        first = file.start(guard.body[0])
        line = _line_start(source, source.position(first)[0])
        if source.text[line:first].strip():
            return None
        install = _insert(source, line, f"{source.text[line:first]}{statement}{newline}")
        return (*_add_imports(file, _imports(file), modules), install)
    opening = [each for each in _imports(file) if each.opening]
    added = _add_imports(file, opening, modules)
    if not opening:
        return tuple(Edit(edit.span, f"{edit.text}{statement}{newline * 2}") for edit in added)
    offset = _line_start(source, opening[-1].span.end_line + 1)
    blank = "" if source.text[offset : offset + 1] in ("\r", "\n", "") else newline
    together = "".join(edit.text for edit in added if edit.span.start == offset)
    install = _insert(source, offset, f"{together}{newline}{statement}{newline}{blank}")
    return (*(edit for edit in added if edit.span.start != offset), install)


def _add_imports(file: _File, imports: list[_Import], modules: tuple[str, ...]) -> tuple[Edit, ...]:
    """`import` lines for the modules that are not imported yet, in their place among the others."""
    newline = _newline(file.source)
    known = {full for each in imports if each.straight for full, name in each.names.items() if full == name}
    lines: dict[int, str] = {}
    for module in sorted({*modules} - known):
        offset = _import_line(file, imports, module)
        lines[offset] = f"{lines.get(offset, '')}import {module}{newline}"
    blank = "" if any(each.standard for each in imports) else newline
    return tuple(_insert(file.source, offset, f"{text}{blank}") for offset, text in lines.items())


def _import_line(file: _File, imports: list[_Import], module: str) -> int:
    """Where a line `import module` of the standard library goes: among its others, by the alphabet."""
    source = file.source
    straight = [each for each in imports if each.straight and each.standard]
    behind = next((each for each in straight if each.module > module), None)
    if behind is None and straight:
        return _line_start(source, straight[-1].span.end_line + 1)
    if behind is not None or imports:
        return _line_start(source, (behind or imports[0]).span.line)
    first = next((node for node in file.statements if not _is_opening(node)), None)
    return len(source.text) if first is None else _line_start(source, source.position(file.start(first))[0])


def _imports(file: _File) -> list[_Import]:
    """The imports of the file's top level, but for those from `__future__`, which stay before all others."""
    import ast

    found = []
    opening = True
    for node in file.statements:
        opening = opening and _is_opening(node)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append(_import(file, node, opening))
    return [each for each in found if each.module != "__future__"]


def _import(file: _File, node: ast.Import | ast.ImportFrom, opening: bool) -> _Import:
    import ast

    names = {alias.name: alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return _Import(file.span(node), next(iter(names)), names, True, opening)
    module = "." * node.level + (node.module or "")
    return _Import(file.span(node), module, {f"{module}.{full}": name for full, name in names.items()}, False, opening)


def _repeat(source: Source, handler: Handler, name: str, other: str) -> tuple[Edit, ...] | None:
    """The same registration once more, on a line of its own below."""
    line = source.line_span(handler.span.end_line)
    first = source.line_span(handler.span.line)
    indent = first.text[: len(first.text) - len(first.text.lstrip())]
    if first.text.strip() != handler.span.text.strip() or handler.span.line != handler.span.end_line:
        return None
    again = handler.span.text.replace(name, other, 1)
    return (Edit(Span(source, line.end, line.end), f"{_newline(source)}{indent}{again}"),)


def _loop_element(span: Span) -> Span | None:
    """SIGINT as the last of the elements that the loop around a registration goes over."""
    import ast

    file = _read(span.source)
    found = None
    for node in ast.walk(file.module) if file is not None else ():
        if not isinstance(node, (ast.For, ast.AsyncFor)) or not isinstance(node.iter, (ast.Tuple, ast.List)):
            continue
        assert file is not None
        loop, elements = file.span(node), node.iter.elts
        if loop.start <= span.start < loop.end and len(elements) > 1:
            last = file.span(elements[-1])
            behind = re.sub(r"#.*", "", span.source.text[last.end : file.span(node.iter).end])
            in_parentheses = behind.count(")") > isinstance(node.iter, ast.Tuple)
            found = last if "SIGINT" in last.text and not in_parentheses else None
    return found


def _main_guard(file: _File) -> ast.If | None:
    import ast

    for node in file.statements:
        if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
            continue
        if isinstance(node.test.ops[0], ast.Eq) and "__name__" in file.span(node.test).text:
            return node
    return None


def _is_opening(node: ast.stmt) -> bool:
    """A docstring or an import, as a file begins with."""
    import ast

    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, (str, bytes))
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _insert(source: Source, offset: int, text: str) -> Edit:
    return Edit(Span(source, offset, offset), text)


def _line_start(source: Source, line: int) -> int:
    """The offset of a line's first code point, behind a byte order mark; behind the last line, the end of the file."""
    if line > len(source.line_starts):
        return len(source.text)
    return source.line_starts[line - 1] or int(source.text.startswith("\ufeff"))


def _newline(source: Source) -> str:
    return "\r\n" if "\r\n" in source.text else "\n"
