"""Edits of Python source: a handler more, a thread around a call, a timeout."""

from __future__ import annotations

import ast
import sys

from gracelint.finding import Edit
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.program import Act, Handler, Program, Wait


def add_sigterm_handler(program: Program) -> tuple[Edit, ...] | None:
    """Installs a handler before the program begins: one that raises what the program cleans up after already."""
    tree = _tree(program.source)
    if tree is None or program.servers:
        return None
    handler = "signal.default_int_handler" if program.cleans_up_on_interrupt else "lambda *_: sys.exit(0)"
    modules = ("signal",) if program.cleans_up_on_interrupt else ("signal", "sys")
    return _install(program.source, tree, f"signal.signal(signal.SIGTERM, {handler})", modules)


def handle_sigterm_too(program: Program, handler: Handler) -> tuple[Edit, ...] | None:
    """Gives SIGTERM to a handler of SIGINT: one more element in the loop over signals, or one more registration."""
    source = handler.span.source
    if handler.span.text and handler.names:
        name = handler.names[0].text
        other = name.replace("SIGINT", "SIGTERM")
        if other != name and handler.span.start <= handler.names[0].start < handler.span.end:
            return _repeat(source, handler, name, other)
    listed = _loop_element(source, handler.span)
    if listed is None:
        return None
    return (Edit(Span(source, listed.end, listed.end), f", {listed.text.replace('SIGINT', 'SIGTERM')}"),)


def run_shutdown_in_thread(program: Program, act: Act) -> tuple[Edit, ...] | None:
    """`server.shutdown()` → `threading.Thread(target=server.shutdown).start()`."""
    source, text = act.span.source, act.span.text
    tree = _tree(source)
    if tree is None or not text.endswith("()"):
        return None
    thread, needed = _name_of(tree, "threading", "Thread")
    call = Edit(act.span, f"{thread}(target={text[:-2]}).start()")
    return (*_imports(source, tree, (needed,) if needed else ()), call)


def bound_wait(program: Program, wait: Wait, seconds: float) -> tuple[Edit, ...] | None:
    """`thread.join()` → `thread.join(timeout=5)`."""
    text = wait.span.text
    if wait.kind != "join" or not text.endswith(".join()"):
        return None
    end = wait.span.end - 1
    return (Edit(Span(wait.span.source, end, end), f"timeout={seconds:g}"),)


def _tree(source: Source) -> ast.Module | None:
    try:
        return ast.parse(source.text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError):
        return None


def _install(source: Source, tree: ast.Module, statement: str, modules: tuple[str, ...]) -> tuple[Edit, ...] | None:
    """Puts a statement where the program begins: in `if __name__ == "__main__":`, else behind the imports."""
    guard = next((node for node in tree.body if _is_main_guard(node)), None)
    imports = _imports(source, tree, modules)
    if isinstance(guard, ast.If):
        first = guard.body[0]
        if first.lineno == guard.lineno:
            return None
        start = source.line_starts[first.lineno - 1]
        indent = source.line_span(first.lineno).text[: first.col_offset]
        return (*imports, Edit(Span(source, start, start), f"{indent}{statement}{_newline(source)}"))
    last = next((node for node in reversed(_preamble(tree)) if isinstance(node, (ast.Import, ast.ImportFrom))), None)
    newline = _newline(source)
    if last is None:
        return tuple(Edit(edit.span, f"{edit.text}{statement}{newline * 2}") for edit in imports[:1]) or None
    offset = _after(source, last)
    blank = "" if source.text[offset : offset + 1] in ("\r", "\n", "") else newline
    text = f"{newline}{statement}{newline}{blank}"
    together = [edit for edit in imports if edit.span.start == offset]
    if together:
        text = together[0].text + text
    return (*(edit for edit in imports if edit not in together), Edit(Span(source, offset, offset), text))


def _imports(source: Source, tree: ast.Module, modules: tuple[str, ...]) -> tuple[Edit, ...]:
    """`import` lines for the modules that are not imported yet, in their place among the others."""
    plain = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_future(node)]
    known = {
        alias.name for node in plain if isinstance(node, ast.Import) for alias in node.names if alias.asname is None
    }
    missing = [module for module in sorted(modules) if module not in known]
    lines: dict[int, str] = {}
    for module in missing:
        line = _import_line(source, tree, plain, module)
        lines[line] = lines.get(line, "") + f"import {module}{_newline(source)}"
    if not any(map(_is_standard, plain)) and lines:
        lines = {line: f"{text}{_newline(source)}" for line, text in lines.items()}
    return tuple(Edit(Span(source, offset, offset), text) for offset, text in lines.items())


def _import_line(source: Source, tree: ast.Module, plain: list[ast.Import | ast.ImportFrom], module: str) -> int:
    """Where a line `import module` of the standard library goes: among its others, by the alphabet."""
    straight = [node for node in plain if isinstance(node, ast.Import) and _is_standard(node)]
    behind = next((node for node in straight if node.names[0].name > module), None)
    if behind is not None:
        return source.line_starts[behind.lineno - 1]
    last = straight[-1] if straight else None
    if last is not None:
        return _after(source, last)
    if plain:
        return source.line_starts[plain[0].lineno - 1]
    first = next((node for node in tree.body if not _is_preamble(node)), None)
    if first is not None:
        return source.line_starts[_line(first) - 1]
    return len(source.text)


def _is_standard(node: ast.Import | ast.ImportFrom) -> bool:
    name = node.names[0].name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
    return name.partition(".")[0] in sys.stdlib_module_names


def _after(source: Source, node: ast.stmt) -> int:
    line = node.end_lineno or node.lineno
    return source.line_starts[line] if line < len(source.line_starts) else len(source.text)


def _line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min((node.lineno, *(decorator.lineno for decorator in decorators)))


def _name_of(tree: ast.Module, module: str, name: str) -> tuple[str, str | None]:
    """How the file calls a name of a module, and the import it needs for it."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == module and not node.level:
            for alias in node.names:
                if alias.name == name:
                    return alias.asname or name, None
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == module:
                    return f"{alias.asname or module}.{name}", None
    return f"{module}.{name}", module


def _repeat(source: Source, handler: Handler, name: str, other: str) -> tuple[Edit, ...] | None:
    """The same registration once more, on a line of its own below."""
    line = source.line_span(handler.span.end_line)
    first = source.line_span(handler.span.line)
    indent = first.text[: len(first.text) - len(first.text.lstrip())]
    if first.text.strip() != handler.span.text.strip() or handler.span.line != handler.span.end_line:
        return None
    again = handler.span.text.replace(name, other, 1)
    return (Edit(Span(source, line.end, line.end), f"{_newline(source)}{indent}{again}"),)


def _loop_element(source: Source, span: Span) -> Span | None:
    """SIGINT among the elements that the loop around a registration goes over."""
    tree = _tree(source)
    if tree is None or not source.text.isascii():
        return None
    for node in ast.walk(tree):
        if not isinstance(node, ast.For) or not isinstance(node.iter, (ast.Tuple, ast.List)):
            continue
        if node.lineno <= span.line <= (node.end_lineno or 0) and len(node.iter.elts) > 1:
            last = node.iter.elts[-1]
            start = source.line_starts[last.lineno - 1] + last.col_offset
            end = source.line_starts[(last.end_lineno or last.lineno) - 1] + (last.end_col_offset or 0)
            found = Span(source, start, end)
            return found if "SIGINT" in found.text else None
    return None


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and "__name__" in ast.unparse(node.test)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _preamble(tree: ast.Module) -> list[ast.stmt]:
    """The docstring and imports that a file begins with."""
    found: list[ast.stmt] = []
    for node in tree.body:
        if not _is_preamble(node):
            break
        found.append(node)
    return found


def _is_preamble(node: ast.stmt) -> bool:
    docstring = (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    return docstring or isinstance(node, (ast.Import, ast.ImportFrom))


def _newline(source: Source) -> str:
    return "\r\n" if "\r\n" in source.text else "\n"
