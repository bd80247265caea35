"""What scripts ask: `[ … ]`, `[[ … ]]`, `(( … ))`, as far as the files decide it."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.launch.shell.loops import ASSIGNS
from gracelint.launch.shell.paths import JOB, LEADER, SELF, State
from gracelint.parse.expansion import expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.launch.shell.builtins import Call, Walk


def test(walk: Walk, call: Call, state: State) -> list[State]:
    if call.name in walk.lacks:
        state.status = False
        return [state]
    fields: list[str | None] = []
    for word in call.command.words[1:]:
        expanded = state.fields(word)
        if expanded is None:
            fields.append(None)
        elif call.name == "[[":
            fields.append(" ".join(expanded))
        else:
            fields.extend(expanded)
    if fields and fields[-1] in ("]", "]]") and call.name != "test":
        fields.pop()
    state.status = _answer(fields, walk, state)
    return [state]


def _answer(fields: list[str | None], walk: Walk, state: State) -> bool | None:
    if fields and fields[0] == "!":
        answer = _answer(fields[1:], walk, state)
        return None if answer is None else not answer
    for joint in ("||", "-o", "&&", "-a"):
        if joint in fields:
            index = fields.index(joint)
            answers = (_answer(fields[:index], walk, state), _answer(fields[index + 1 :], walk, state))
            decisive = joint in ("||", "-o")
            if decisive in answers:
                return decisive
            return None if None in answers else not decisive
    if len(fields) == 3:
        return _compare(fields[0], fields[1], fields[2])
    if len(fields) == 2:
        return _ask(fields[0], fields[1], walk, state)
    if not fields:
        return False
    return bool(fields[0]) if len(fields) == 1 and fields[0] is not None else None


def _ask(operator: str | None, operand: str | None, walk: Walk, state: State) -> bool | None:
    if operand is None:
        return None
    if operator in ("-z", "-n"):
        return (operand == "") is (operator == "-z")
    if operator in ("-e", "-f", "-r", "-s") and walk.read(operand, state.working_dir) is not None:
        return True
    return None


def _compare(left: str | None, operator: str | None, right: str | None) -> bool | None:
    from fnmatch import fnmatchcase

    if left is None or right is None:
        return None
    if operator in ("=", "==", "!="):
        return fnmatchcase(left, right) is (operator != "!=")
    numbers = _NUMBERS.get(operator or "")
    left, right = _as_number(left), _as_number(right)
    if numbers is None or not is_whole(left.removeprefix("-")) or not is_whole(right.removeprefix("-")):
        return None
    return numbers(int(left), int(right))


def _as_number(value: str) -> str:
    """A process has some number that is not 0: any will do to compare with that."""
    return _SOME_PROCESS if value.startswith((JOB, LEADER, SELF)) and " " not in value else value


_SOME_PROCESS = "4194304"


_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": int.__eq__,
    "-ne": int.__ne__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
    "-lt": int.__lt__,
    "-le": int.__le__,
}


def arithmetic(walk: Walk, call: Call, state: State) -> list[State]:
    """`(( … ))` and `let`: a comparison is decided, and what is assigned is not known afterwards."""
    text = " ".join(word.text for word in call.command.words[1:])
    state.status = False if "[[" in walk.lacks else _holds(text, state)
    for name in _NAME.findall(text) if ASSIGNS.search(text) else ():
        state.variables[name] = None
    return [state]


def _holds(text: str, state: State) -> bool | None:
    """`running`, `! stop`, `stop == 0`."""
    found = _COMPARISON.fullmatch(text.strip()) or _COUNTS.fullmatch(text.strip())
    if found is None:
        return None
    fields = expand(f'"${found[2]}"', state.scope) if _NAME.fullmatch(found[2]) else (found[2],)
    value = None if fields is None else fields[0] or "0"
    answer = _compare(value, _SYMBOLS[found[3] or "!="], found[4] or "0")
    return None if answer is None else answer is not bool(found[1])


_NAME = pattern(r"[A-Za-z_]\w*")
_COMPARISON = pattern(r"(!?)\s*\$?\{?(\w+)\}?\s*(?:(==|!=|<=|>=|<|>)\s*([0-9]+))?")
_COUNTS = pattern(r"()([A-Za-z_]\w*)(?:\+\+|--)()()")
"""What `n++` gives is `n` as it was."""
_SYMBOLS = {"==": "-eq", "!=": "-ne", "<": "-lt", "<=": "-le", ">": "-gt", ">=": "-ge"}
