"""Which parts of a program bear on its end: what neither waits, starts, stops nor leaves can be passed over."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import statements
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.go.packages import Declared
    from gracelint.behaviour.go.statements import Frame

_TELLING = frozenset(("go_statement", "select_statement", "send_statement", "receive_statement"))
_ENDS = ("return_statement", "break_statement", "continue_statement", "goto_statement")
_EXITS = ("os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "panic", "logger.Fatal", "log.Panic", "klog.Fatal")


def ends_here(node: Node) -> bool:
    """Whether a branch leaves: a guard, as after an error."""
    last = statements(node)[-1:] if node.type == "block" else [node]
    if not last:
        return False
    if last[0].type in _ENDS:
        return True
    text = text_of(last[0])
    return text.startswith(_EXITS) or ".Fatal" in text.partition("(")[0]


def leaves_loop(branch: Node) -> bool:
    """Whether a guard stands in a loop of its function, and goes out of it."""
    last = statements(branch)[-1:] if branch.type == "block" else [branch]
    here = branch.parent
    while here is not None and here.type not in ("for_statement", "func_literal"):
        here = here.parent
    in_loop = here is not None and here.type == "for_statement"
    return in_loop and bool(last) and last[0].type in ("break_statement", "return_statement")


def matters(machine: GoMachine, frame: Frame, node: Node, unknown: frozenset[str] = frozenset()) -> bool:
    """Whether a part waits, starts a goroutine, touches signals or servers, or calls a function that does.

    `unknown` are expressions whose value nobody can tell: their methods do nothing that could be followed.
    """
    part = (frame.file.source.path, node.start_byte, node.end_byte, machine.stopping, unknown)
    known = machine.modules.parts.get(part)
    if known is not None:
        return known
    seen: dict[int, Declared] = {}
    found = _matters(machine, frame.package.path, frame.file.imports, node, seen, unknown)
    machine.modules.parts[part] = found
    if not found:
        machine.modules.bearing |= {(one, machine.stopping): False for one in seen.values()}
    return found


def _matters(
    machine: GoMachine,
    package: str,
    imports: dict[str, str],
    node: Node,
    seen: dict[int, Declared],
    unknown: frozenset[str],
) -> bool:
    words = table("go")["interesting"]
    waits = table("go")["foreign"]["waits"]
    unknown |= _made_here(node, imports, words["calls"])
    for here in walk(node):
        if here.type in _TELLING or (here.type == "unary_expression" and text_of(here).startswith("<-")):
            return True
        function = here.child_by_field_name("function") if here.type == "call_expression" else None
        if function is None:
            continue
        operand, _, member = text_of(function).rpartition(".")
        if operand == "" and member == "close":
            return True
        if operand in unknown and (member not in waits or machine.stopping):
            continue
        if operand in imports:
            path = imports[operand]
            if f"{path}.{member}" in words["calls"] or f"{path}." in words["calls"]:
                return True
            own = machine.modules.find(path) if machine.modules.is_own(path) else None
            found = own.functions.get(member) if own is not None else None
            if found is not None and _declared(machine, found, seen):
                return True
            continue
        if member in words["methods"]:
            return True
        if any(_declared(machine, declared, seen) for declared in _by_name(machine, package, operand, member)):
            return True
    return False


def _made_here(node: Node, imports: dict[str, str], calls: list[str]) -> frozenset[str]:
    """Variables that a part sets to what a library returns which starts and stops nothing: an opened file."""
    found = []
    for here in walk(node):
        left, right = here.child_by_field_name("left"), here.child_by_field_name("right")
        if here.type != "short_var_declaration" or left is None or right is None or not left.named_children:
            continue
        package, _, rest = text_of(right).partition(".")
        name = rest.partition("(")[0]
        path = imports.get(package, "")
        if path and "." not in path.partition("/")[0] and f"{path}.{name}" not in calls and f"{path}." not in calls:
            found.append(text_of(left.named_children[0]))
    return frozenset(found)


def _declared(machine: GoMachine, declared: Declared, seen: dict[int, Declared]) -> bool:
    known = machine.modules.bearing.get((declared, machine.stopping))
    if known is not None:
        return known
    key = id(declared)
    if key in seen:
        return False
    seen[key] = declared
    machine.step()
    body = declared.node.child_by_field_name("body")
    if body is None:
        return False
    found = _matters(machine, declared.package.path, declared.file.imports, body, seen, frozenset())
    if found:
        machine.modules.bearing[declared, machine.stopping] = True
    return found


def _by_name(machine: GoMachine, package: str, operand: str, member: str) -> list[Declared]:
    own = machine.main if package == "main" else machine.modules.find(package)
    if own is None:
        return []
    if operand:
        return [declared for (_, name), declared in own.methods.items() if name == member]
    found = own.functions.get(member)
    return [found] if found is not None else []
