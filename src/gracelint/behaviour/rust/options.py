"""Methods of options, results and lists."""

from __future__ import annotations

from gracelint.behaviour.machine import texts
from gracelint.behaviour.machine.arithmetic import binary, outermost
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Doubt, Err, Unknown, Words
from gracelint.behaviour.rust.syntax import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.machine import RustMachine

EMPTY = ("Vec::new", "Vec::with_capacity", "VecDeque::new", "VecDeque::with_capacity")
"""What makes a list without anything in it."""


def _push(of: list[Any], given: Given) -> Any:
    of.append(given.argument(0))
    return UNIT


def _extend(of: list[Any], given: Given) -> Any:
    more = given.argument(0)
    of.extend(more if isinstance(more, (list, tuple)) else [UNKNOWN])
    return UNIT


def _pop(of: list[Any], given: Given) -> Any:
    return of.pop() if of else NIL


def _pop_first(of: list[Any], given: Given) -> Any:
    return of.pop(0) if of else NIL


def _clear(of: list[Any], given: Given) -> Any:
    of.clear()
    return UNIT


def _next(of: list[Any], _: Given) -> Any:
    return of.pop(0) if of else NIL


def _skip(of: list[Any], given: Given) -> Any:
    count = given.argument(0)
    return type(of)(of[count:]) if isinstance(count, int) else UNKNOWN


def _nth(of: list[Any], given: Given) -> Any:
    index = given.argument(0)
    if not isinstance(index, int):
        return UNKNOWN
    taken, of[: index + 1] = of[: index + 1], []
    return taken[index] if len(taken) > index else NIL


def _get(of: list[Any], given: Given) -> Any:
    index = given.argument(0)
    if not isinstance(index, int):
        return UNKNOWN
    return of[index] if index < len(of) else NIL if isinstance(of, Words) else UNKNOWN


def _copy(of: list[Any], _: Given) -> Any:
    return type(of)(of)


def _remove(of: list[Any], given: Given) -> Any:
    index = given.argument(0)
    return of.pop(index) if isinstance(index, int) and index < len(of) else _changed(of, given)


def _changed(_: list[Any], given: Given) -> Any:
    raise Doubt(f"what line {given.span.line} leaves of the command line is only known when it runs", given.span)


def slice_of(given: Given) -> Any:
    """`&words[1..]`."""
    of, first = given.args
    return type(of)(of[first:]) if isinstance(of, list) and isinstance(first, int) else UNKNOWN


def _parsed(of: str) -> Any:
    return of == "true" if of in ("true", "false") else texts.number(of)


def _is_like(of: str, other: Any) -> Any:
    return of.lower() == other.lower() if isinstance(other, str) else UNKNOWN


WORDS: dict[str, Callable[[list[Any], Given], Any]] = {
    "next": _next,
    "skip": _skip,
    "nth": _nth,
    "first": lambda of, _: of[0] if of else NIL,
    "peekable": lambda of, _: of,
    "peek": lambda of, _: of[0] if of else NIL,
    "remove": _remove,
    "rev": lambda of, _: type(of)(of[::-1]),
    **dict.fromkeys(("iter", "iter_mut", "into_iter", "clone", "cloned", "copied", "to_vec", "as_slice"), _copy),
    **dict.fromkeys(("filter", "take", "flatten", "or"), lambda _, __: UNKNOWN),
    **dict.fromkeys(("drain", "insert", "retain", "reverse", "rotate_left", "sort", "split_off", "swap"), _changed),
    **dict.fromkeys(("dedup", "swap_remove", "truncate"), _changed),
}
"""Methods of the words of a command line, an iterator at first, that are not those of every list."""
TEXTS: dict[str, Callable[[str, Given], Any]] = {
    "is_empty": lambda of, _: not of,
    "len": lambda of, _: len(of),
    "trim": lambda of, _: of.strip(),
    "to_lowercase": lambda of, _: of.lower(),
    "to_ascii_lowercase": lambda of, _: of.lower(),
    "to_uppercase": lambda of, _: of.upper(),
    "as_bytes": lambda of, _: of,
    "parse": lambda of, _: _parsed(of),
    "eq_ignore_ascii_case": lambda of, given: _is_like(of, given.argument(0)),
}
LISTS: dict[str, Callable[[list[Any], Given], Any]] = {
    "push": _push,
    "push_back": _push,
    "extend": _extend,
    "append": _extend,
    "pop": _pop,
    "pop_back": _pop,
    "pop_front": _pop_first,
    "clear": _clear,
    "get": _get,
    "len": lambda of, _: len(of),
    "is_empty": lambda of, _: not of,
}


def _chunks(of: list[Any], given: Given) -> Any:
    length = given.argument(0)
    known = isinstance(length, int) and length > 0
    return [of[start : start + length] for start in range(0, len(of), length)] if known else UNKNOWN


LISTS["chunks"] = _chunks
NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "min": lambda of, other: outermost([of, other], min),
    "max": lambda of, other: outermost([of, other], max),
    **dict.fromkeys(("saturating_mul", "wrapping_mul", "checked_mul", "mul_f64"), lambda of, by: binary("*", of, by)),
    **dict.fromkeys(("saturating_add", "wrapping_add", "checked_add"), lambda of, by: binary("+", of, by)),
}


def holds(of: Any, name: str) -> Any:
    if isinstance(of, Unknown):
        return UNKNOWN if of is UNSET else {"is_ok": True, "is_err": False}.get(name, UNKNOWN)
    found = isinstance(of, Err) if name in ("is_ok", "is_err") else of is NIL
    return found if name in ("is_err", "is_none") else not found


def mapped(machine: RustMachine, of: Any, name: str, given: Given) -> Run:
    if of is NIL or of is UNSET or isinstance(of, Err):
        return given.argument(0) if name == "map_or" else of
    what = given.argument(-1)
    if isinstance(of, list):
        found: list[Any] = []
        for one in of:
            value = yield from machine.call(what, [one], given.span)
            if value is UNKNOWN and name == "filter_map":
                return UNKNOWN
            found.append(value)
        if name == "filter_map":
            found = [one for one in found if one is not NIL]
        return UNIT if name == "for_each" else Words(found) if isinstance(of, Words) else found
    if name == "inspect":
        return of
    value = yield from machine.call(what, [of], given.span)
    return value


def instead(machine: RustMachine, of: Any, name: str, given: Given) -> Run:
    if name == "map_err":
        return of
    if isinstance(of, Err) or of is NIL or of is UNSET:
        if name in ("unwrap_or", "unwrap_or_default"):
            return given.argument(0, UNKNOWN)
        value = yield from machine.call(given.argument(0), [UNKNOWN], given.span)
        return of if name == "inspect_err" else value
    return of
