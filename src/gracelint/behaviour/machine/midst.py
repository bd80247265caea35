"""Work that is left half done where the process ends: what stands around the pause it comes into."""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.ends import line
from gracelint.behaviour.machine.ways import reaction
from gracelint.behaviour.tree import text_of, walk
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Wait
    from gracelint.facts.program import Reaction
    from gracelint.source import Span

LISTS = frozenset(
    (
        "block",
        "block_body",
        "body_statement",
        "compound_statement",
        "do",
        "else",
        "program",
        "source_file",
        "statement_list",
        "then",
    )
)
"""Nodes whose children come one after the other."""
BOUNDS = ("function", "func", "method", "closure", "lambda", "block_body", "do_block")
LOOPS = ("while", "until", "for", "foreach", "loop")
CHOICES = (
    "if",
    "unless",
    "case",
    "switch",
    "match",
    "conditional",
    "select",
    "when",
    "else",
    "rescue",
    "catch",
    "macro",
)
_CATCHES = ("rescue", "catch")
_TAKEN = ("communication", "condition")
_TAKES = ("receive_statement", "let_condition", "assignment", "assignment_expression")
_ONE_OF_A_CHANNEL = pattern(r"[a-zA-Z]\w{0,60} := range [\w.]{1,60}$")
_ERROR = pattern(r"\b[eE]rr(?:or)?\b")
_CALLS = pattern(r"\w!?\(")
_ACTS = frozenset(("echo_statement", "macro_invocation", "method_invocation", "print_intrinsic"))
_PAUSES = ("sleep", "usleep", "time.Sleep", "thread::sleep", "std::thread::sleep", "Thread.sleep", "TimeUnit")


def broken_off(signal: str, machine: Machine, how: str, wait: Wait | None) -> Reaction | None:
    """The reaction of a program that is ended (`how` is a clause) while main is in `wait` with work half done."""
    if wait is None:
        return None
    if not is_half_done(machine, wait) and not _is_within_work(machine, wait):
        return gathered(signal, machine, how, [wait], Cause.ABRUPT_EXIT)
    machine.half_way = True
    why = f"on {signal} {how} in the middle of the work of {machine.place(wait.span)}"
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, wait.span)


def only_says(machine: Machine, span: Span) -> bool:
    """Whether a hook on the way out, or what catches an exception there, does no more than print something."""
    file = next((one for one in machine.files() if one.source is span.source), None)
    node = node_at(file.root, span) if file is not None else None
    if node is None or not any(one.type in _BODIES for one in walk(node)):
        return False
    calls = (one for one in walk(node) if "call" in one.type.split("_"))
    names = (text_of(one.child_by_field_name("method") or one.child_by_field_name("function")) for one in calls)
    return all(name in _SAYS_ALONE for name in names)


def takes_its_time(machine: Machine, span: Span) -> bool:
    """Whether what answers a client does more than to write to it."""
    file = next((one for one in machine.files() if one.source is span.source), None)
    node = node_at(file.root, span) if file is not None else None
    calls = (one for one in walk(node) if _is_call(one)) if node is not None else ()
    return any(_callee(one) not in _ANSWERS for one in calls)


_ANSWERS = frozenset(("puts", "write", "print", "close", "flush", "new", "start", "fork"))
_BODIES = ("block", "do_block", "compound_statement", "rescue", "ensure")
_SAYS_ALONE = frozenset(
    ("at_exit", "register_shutdown_function", "puts", "print", "printf", "error_log", "warn", "info", "message")
)


def left_midway(signal: str, machine: Machine, how: str, what: str) -> Reaction | None:
    """The reaction of a program that ends while a thread which nothing waits for, or no longer, has work half done.

    `what` is the language's word for it.
    """
    waits = machine.left_in or [one.wait for one in machine.threads if not one.main and one.wait is not None]
    short = gives_too_little(signal, machine, how, waits)
    if short is not None:
        return short
    wait = next((one for one in waits if is_half_done(machine, one) or _is_within_work(machine, one)), None)
    if wait is not None:
        machine.half_way = True
        why = f"on {signal} {how} in the middle of the work of {machine.place(wait.span)}: nothing waits for its {what}"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, wait.span)
    return gathered(signal, machine, how, waits, Cause.SHUTDOWN_NOT_AWAITED)


def queued(signal: str, machine: Machine, how: str) -> Reaction | None:
    """The reaction of a program that ends while a queue still holds what it had put there before the signal."""
    span = next((one.span for one in machine.backlog if one.queue and one.span is not None), None)
    if span is None:
        return None
    why = f"on {signal} {how}, and what it has put into the queue of {machine.place(span)} is dropped"
    return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span)


def gives_too_little(signal: str, machine: Machine, how: str, waits: list[Wait]) -> Reaction | None:
    """The reaction of a program that no longer waits for jobs which are still at work."""
    for one, span, seconds in machine.given_up:
        file = file_of(machine, one)
        if one in waits and file is not None and not _comes_again(file.root, one):
            why = f"`{line(span.text)}` gives its jobs {seconds:.3g} s, and {how} with those that need longer"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    return None


def overdue(signal: str, machine: Machine, waits: list[Wait]) -> Reaction | None:
    """The reaction of a program that ends before a thread's time has come to write out what there is."""
    from gracelint.behaviour.machine.remainder import overdue as is_overdue

    for wait in waits:
        name = is_overdue(machine, wait)
        if name is not None:
            why = f"on {signal} nothing calls `{name}` as {machine.place(wait.span)} does in its time"
            why = f"whether anything is lost is not known: {why}"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, wait.span)
    return None


def gathered(signal: str, machine: Machine, how: str, waits: list[Wait], cause: Cause) -> Reaction | None:
    """The reaction of a program that ends while what main or a thread has gathered is still to be written."""
    from gracelint.behaviour.machine.remainder import has_remainder

    wait = next((one for one in waits if has_remainder(machine, one)), None)
    if wait is None:
        return None
    why = f"on {signal} {how}, and what the loop of {machine.place(wait.span)} has gathered is lost"
    return reaction(signal, Verdict.CUT, cause, why, wait.span)


def meets_one_job(machine: Machine) -> bool:
    """Whether a thread that does one thing and ends is in the middle of it, once main has come to where it stays."""
    others = [one.wait for one in machine.threads if not one.main and one.wait is not None and one.wait.kind == "sleep"]
    works = _is_one_job if not machine.queues else is_half_done
    return bool(others) and has_come_to_stay(machine) and any(works(machine, wait) for wait in others)


def has_come_to_stay(machine: Machine) -> bool:
    """Whether main waits for something else than time, or goes round and has nothing to do."""
    main = machine.main_thread
    if main is None or main.wait is None:
        return False
    return main.wait.at() is None or (is_pause(machine, main.wait) and not is_half_done(machine, main.wait))


def is_pause(machine: Machine, wait: Wait) -> bool:
    """Whether a thread that goes round pauses."""
    file = file_of(machine, wait) if wait.kind == "sleep" else None
    return file is not None and _comes_again(file.root, wait)


def _is_one_job(machine: Machine, wait: Wait) -> bool:
    known = machine.one_jobs.get(wait.span)
    if known is None:
        file = file_of(machine, wait)
        known = is_half_done(machine, wait) and file is not None and not _comes_again(file.root, wait)
        machine.one_jobs[wait.span] = known
    return known


def is_half_done(machine: Machine, wait: Wait, *, begun: bool = False) -> bool:
    """Whether a pause stands between two things that the program does in one round; `begun`: or in one task."""
    if wait.kind != "sleep":
        return False
    known = machine.half_done.get(wait.span)
    if known is None or (begun and not known):
        file = file_of(machine, wait)
        known = machine.half_done[wait.span] = file is not None and _stands_between(file.root, wait, begun)
    return known


def file_of(machine: Machine, wait: Wait) -> Any:
    return next((one for one in machine.files() if one.source is wait.span.source), None)


def _stands_between(root: Node, wait: Wait, is_task: bool) -> bool:
    """Nothing is to do in a pause at the end or the start of a round or a branch, or before another try.

    What a round or a branch takes from a queue is at work from there on. A loop that goes round a known number of times
    is one long pause.
    """
    here = node_of(root, wait)
    if here is not None and here.type == "token_tree":
        return _stands_between_tokens(here, wait)
    before, after, _ = around(here, is_task=is_task)
    return before and after


def _is_within_work(machine: Machine, wait: Wait) -> bool:
    """Whether a pause stands in a function that is called, in one place alone, between two things of one round."""
    file = file_of(machine, wait) if wait.kind == "sleep" else None
    here = node_of(file.root, wait) if file is not None else None
    before = after = False
    for _ in range(_MOST_CALLERS):
        before, after, function = around(here, before, after)
        if before and after:
            return True
        here = only_call(machine, function) if function is not None else None
    return False


def only_call(machine: Machine, function: Node) -> Node | None:
    """Where a function is called, if that is in one place."""
    name = text_of(function.child_by_field_name("name"))
    found = [one for file in machine.files() for one in _calls_in(file.root).get(name, ())] if name else []
    return found[0] if len(found) == 1 else None


@fleeting(64)
def _calls_in(root: Node) -> dict[str, list[Node]]:
    """The calls of a file by what they call; of many the first two."""
    found: dict[str, list[Node]] = {}
    for node in walk(root):
        if _is_call(node):
            of = found.setdefault(_callee(node), [])
            of += [node] if len(of) < 2 else []
    return found


def _is_call(node: Node) -> bool:
    return any(one in _CALL_WORDS for one in node.type.split("_"))


def _callee(call: Node) -> str:
    part = next((part for name in _CALLEES if (part := call.child_by_field_name(name)) is not None), None)
    return text_of(part).rpartition(".")[2]


_CALL_WORDS = ("call", "invocation")
_CALLEES = ("name", "method", "function")
_MOST_CALLERS = 6


def around(
    here: Node | None, before: bool = False, after: bool = False, *, is_task: bool = False
) -> tuple[bool, bool, Node | None]:
    """Whether something is done before and after a node in its round or branch, and the function that it is in all
    the same."""
    counted: set[str] = set()
    while here is not None and here.parent is not None:
        above = here.parent
        if above.type in LISTS:
            place = next(index for index, one in enumerate(above.named_children) if one.id == here.id)
            first, then = above.named_children[:place], above.named_children[place + 1 :]
            before = before or any(map(acts, first))
            after = after or any(map(acts, then)) or any(map(_acts_later, first))
            counted |= {name for one in first if (name := _counts_up(one))}
            if counted and any((name := _counts_up(one)) and name not in counted for one in then):
                before = after = True  # what is begun is counted, and what is done
        words = above.type.split("_")
        if any(one in words for one in CHOICES):
            before = (before or _takes(above)) and after and not _is_of_error(above)
            return before, after, None
        is_loop = any(one in words for one in LOOPS)
        if above.type in BOUNDS or is_loop or any(one in words for one in BOUNDS):
            before = before or _takes(above) or _is_handed_over(above)
            before = before or (is_task and not is_loop)
            is_once = not is_loop and _is_once(above)
            if (before and after) or not (is_once or _is_counted(above)):
                return before, after, above if not is_loop else None
            before, after = before and is_once, after and is_once
        here = above
    return before, after, None


def _stands_between_tokens(tokens: Node, wait: Wait) -> bool:
    """Whether calls stand before and after a pause in a block that a macro gets."""
    start, end = _place(wait.span)
    text = tokens.text or b""
    before = text[: start - tokens.start_byte].decode("utf-8", "replace").rstrip()
    after = text[end - tokens.start_byte :].decode("utf-8", "replace")
    return before.endswith(";") and all(map(_CALLS.search, (before, after)))


def _takes(above: Node) -> bool:
    """Whether a round of a loop, or a case, begins with something taken from a queue."""
    part = next((part for name in _TAKEN if (part := above.child_by_field_name(name)) is not None), None)
    ranged = next((one for one in above.named_children if one.type == "range_clause"), None)
    if ranged is not None:
        return _ONE_OF_A_CHANNEL.match(text_of(ranged)) is not None
    return part is not None and any(one.type in _TAKES for one in walk(part))


def _is_handed_over(function: Node) -> bool:
    """Whether a function is a job that Java's executors are given: it is at work from its first line."""
    call = function.parent.parent if function.parent is not None else None
    return call is not None and text_of(call.child_by_field_name("name")) in _HANDS_OVER


_HANDS_OVER = ("submit", "execute", "invokeAll", "runAsync", "supplyAsync")


def _is_of_error(choice: Node) -> bool:
    """Whether a branch is the one of an error: a pause there is one before the next try."""
    test = text_of(choice.child_by_field_name("condition") or choice.child_by_field_name("pattern"))
    return any(one in choice.type.split("_") for one in _CATCHES) or _ERROR.search(test) is not None


def node_of(root: Node, wait: Wait) -> Node | None:
    return node_at(root, wait.span)


def node_at(root: Node, span: Span) -> Node | None:
    return root.named_descendant_for_byte_range(*_place(span))


def _place(span: Span) -> tuple[int, int]:
    """Where something stands, in bytes."""
    start = len(span.source.text[: span.start].encode("utf-8", "surrogatepass"))
    return start, start + len(span.text.encode("utf-8", "surrogatepass"))


def _comes_again(root: Node, wait: Wait) -> bool:
    """Whether a pause stands in a loop of its function: a worker that goes round is often at nothing in it."""
    here = node_of(root, wait)
    while here is not None and here.parent is not None:
        here = here.parent
        words = here.type.split("_")
        if any(one in words for one in LOOPS) and not _is_counted(here):
            return True
        if here.type in BOUNDS or any(one in words for one in BOUNDS):
            return text_of(called(here)).startswith("loop")
    return False


def _is_counted(loop: Node) -> bool:
    """Whether a loop goes round a number of times that stands in its text, or for a time, and leaves no earlier."""
    first = text_of(called(loop)).partition("\n")[0]
    if loop.type.endswith("_modifier"):
        first = f"while {text_of(loop.child_by_field_name('condition'))}"
    is_counted = any(one.search(first) is not None for one in (_COUNTED, _FOR_A_TIME, _UP_TO)) or _counts(loop, first)
    return is_counted and not any(one.type.startswith(_LEAVES) for one in walk(loop))


def _is_once(block: Node) -> bool:
    """Whether a block of Ruby is one that its method calls once."""
    return block.type in _BLOCKS and _ONCE.search(text_of(called(block)).partition("\n")[0]) is not None


_ONCE = pattern(
    r"^[\w.:@]{0,60}\b(?:open|synchronize|transaction|chdir|mktmpdir|flock|realtime|timeout|with_\w{1,40})\b"
)


def called(block: Node) -> Node:
    """The call that gets a block of Ruby; any other node itself."""
    while block.type in _BLOCKS and block.parent is not None:
        block = block.parent
    return block


_COUNTED = pattern(r"^for\b.*(?:<=?|\.\.=?|\brange)\s*[0-9]+\b|^[0-9]+\.times\b")
_FOR_A_TIME = pattern(
    r"^(?:while|until|for)\b.{0,40}\b(?:microtime|hrtime|time\(\)|Time\.now|clock_gettime|time\.Now|time\.Since|elapsed|nanoTime"
    r"|currentTimeMillis|Instant::now)\b.{0,40}[<>]|^(?:while|for)\b.{0,40}<.{0,40}\b(?:microtime|hrtime|Time\.now)\b"
)
_UP_TO = pattern(
    r"^for\b[^{;]{0,40};\s*\$?\w{1,40}\s*<=?\s*[\w$.>()-]{1,60}\s*;[^{]{0,40}\+|^for \w{1,40} in [^{]{0,60}\.\.=?\s*\w"
    r"|^for \w{1,40}, \w{1,40} := range |^[@$\w.()]{1,60}\.(?:times|upto|downto)\b"
)
_WHILE = pattern(r"^while\b\s*(?:\(\s*)?([@$]?[\w.]{1,40})\s*<=?\s*[@$\w.()]{1,60}\)?\s*(?:\{|do\b|$)")


def _counts(loop: Node, first: str) -> bool:
    """Whether a loop counts up what its condition compares."""
    found, fills = _WHILE.match(first), _FILLS.match(first)
    body = loop.child_by_field_name("body") if found is not None or fills is not None else None
    lines = body.named_children if body is not None else []
    if fills is not None:
        name = fills[1] or fills[2]
        return any(text_of(one).startswith(tuple(f"{name}{adds}" for adds in _ADDS)) for one in lines)
    return found is not None and any(_counts_up(one) == found[1] for one in lines)


_FILLS = pattern(
    r"^while\b\s*(?:\(\s*)?(?:([@$]?[\w.]{1,40}?)\.(?:len\(\)|size\(\)|length|size)|count\((\$\w{1,40})\))"
    r"\s*<=?\s*[@$\w.>()-]{1,60}\s*(?:\{|do\b|$)"
)
_ADDS = (".push(", ".push_back(", ".add(", ".append(", " << ", ".push ", "[] =")


_LEAVES = ("break", "return")
_BLOCKS = ("block", "block_body", "do_block")
"""Between the body of a Ruby block and the call that gets it."""


def _counts_up(statement: Node) -> str:
    """The variable that a statement counts up by one."""
    found = _COUNTS_UP.match(text_of(statement)) if len(statement.text or b"") <= _SHORT else None
    return (found[1] or found[2]) if found is not None else ""


_COUNTS_UP = pattern(r"""(?:([$@\w.>\[\]'"-]{1,40}?)(?:\+\+| ?\+= ?1)|\+\+([$@\w.>\[\]'"-]{1,40}));?$""")
_SHORT = 60


def _acts_later(statement: Node) -> bool:
    """Whether Go defers something to the end of the function that is more than giving back what it holds."""
    return statement.type == "defer_statement" and not gives_back(text_of(statement))


def gives_back(call: str) -> bool:
    """Whether a call gives back what the program holds, which nobody misses when it has ended."""
    return any(word in call for word in _GIVES_BACK)


_GIVES_BACK = ("Unlock(", "Done(", "ancel(", "lose(", "top(", "recover(", "<-", "atomic.", ".Add(", "Rollback(")


def acts(statement: Node) -> bool:
    if text_of(statement).startswith(_PAUSES):
        return False
    return statement.type == "identifier" or any(map(_is_act, walk(statement)))


def _is_act(node: Node) -> bool:
    is_receive = node.type == "unary_expression" and node.children[0].type == "<-"
    calls = node.type in _ACTS or "call" in node.type.split("_")
    return is_receive or (calls and _COMPUTES.search(text_of(node)) is None)


_COMPUTES = pattern(r"^(?:Math\.|math\.|std::cmp::|cmp::)?(?:min|max)\(|\.(?:min|max)(?:\([^()]{0,60}\))?$")
