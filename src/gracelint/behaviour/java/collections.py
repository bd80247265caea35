"""Java's lists, queues without waiting, and sets: what they hold, in order."""

from __future__ import annotations

from gracelint.behaviour.java.waiting import now
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Given
    from gracelint.behaviour.machine.values import Run


class Table(dict):  # type: ignore[type-arg]
    """A map; under UNKNOWN, what a key nobody can tell has put there."""


def new_table(machine: JavaMachine, _: Any, given: Given) -> Run:
    first = given.argument(0)
    return now(Table(first) if isinstance(first, Table) else Table())


def table_of(machine: JavaMachine, _: Any, given: Given) -> Run:
    pairs = [*zip(given.args[::2], given.args[1::2], strict=False)]
    return now(Table((_key(key), value) for key, value in pairs) if len(given.args) % 2 == 0 else UNKNOWN)


def _key(value: Any) -> Any:
    """Constants of an enum are keys, too; what else there may be is not told."""
    return (
        value if isinstance(value, (str, int)) or (isinstance(value, Object) and "constant" in value.state) else UNKNOWN
    )


def table_method(machine: JavaMachine, of: Table, name: str, given: Given) -> Run:
    key = _key(given.argument(0))
    if name in ("put", "putIfAbsent", "computeIfAbsent", "merge", "compute", "replace"):
        before = of.get(key, NIL)
        of[key] = given.argument(1, UNKNOWN) if name == "put" or (name == "putIfAbsent" and key not in of) else UNKNOWN
        return now(before if name == "put" else UNKNOWN)
    if name in ("get", "getOrDefault"):
        if key is UNKNOWN or UNKNOWN in of:
            return now(machine.one_of([*of.values()], (given.span, "key")))
        return now(of.get(key, given.argument(1, NIL)))
    if name == "remove" and key is UNKNOWN:
        of.update({UNKNOWN: UNKNOWN} if of else {})
        return now(UNKNOWN)
    if name == "remove":
        return now(of.pop(key, NIL))
    if name == "clear":
        of.clear()
    if name == "values" and UNKNOWN not in of:
        return now([*of.values()])
    if name == "forEach":
        return _each_entry(machine, of, given)
    known = {"isEmpty": not of, "size": len(of), "containsKey": key in of} if UNKNOWN not in (*of, key) else {}
    return now(known.get(name, UNKNOWN))


def _each_entry(machine: JavaMachine, of: Table, given: Given) -> Run:
    for key, value in [*of.items()]:
        yield from machine.call(given.argument(0), [key, value], given.span)
    return NIL


TABLES = ("ConcurrentHashMap", "EnumMap", "HashMap", "LinkedHashMap", "TreeMap")
CLASSES = (
    "ArrayDeque",
    "ArrayList",
    "ConcurrentLinkedDeque",
    "ConcurrentLinkedQueue",
    "CopyOnWriteArrayList",
    "HashSet",
    "LinkedHashSet",
    "LinkedList",
    "Stack",
    "Vector",
)
OF = ("List.of", "Set.of", "Arrays.asList", "Stream.of")
SAME = (
    "Arrays.stream",
    "Collections.synchronizedList",
    "Collections.unmodifiableList",
    "List.copyOf",
)


def made(machine: JavaMachine, _: Any, given: Given) -> Run:
    """A new one: empty, or with what another holds."""
    first = given.argument(0, 0)
    machine.pay_for(_length(first))
    return now([*first] if isinstance(first, list) else [] if isinstance(first, int) else UNKNOWN)


def of(machine: JavaMachine, _: Any, given: Given) -> Run:
    machine.pay_for(len(given.args))
    return now(given.args[0] if len(given.args) == 1 and isinstance(given.args[0], list) else [*given.args])


def same(machine: JavaMachine, _: Any, given: Given) -> Run:
    return now(given.argument(0))


def method(machine: JavaMachine, items: list[Any], name: str, given: Given) -> Run:
    how = _METHODS.get(name)
    if how is not None:
        machine.pay_for(_length(given.argument(0)))
        return now(how(items, given))
    if name in ("forEach", "forEachRemaining", "map", "mapToObj", "peek") and given.args:
        return _each(machine, items, name, given)
    return now(items if name in _SAME else UNKNOWN)


def _length(value: Any) -> int:
    """How many elements may be copied from it; 0 for what is no list."""
    return len(value) if isinstance(value, list) else 0


def _each(machine: JavaMachine, items: list[Any], name: str, given: Given) -> Run:
    found: list[Any] = []
    for one in [*items]:
        value = yield from machine.call(given.args[0], [one], given.span)
        found.append(value)
    return NIL if name.startswith("forEach") else items if name == "peek" else found


def _add(items: list[Any], given: Given) -> Any:
    if len(given.args) > 1 and isinstance(given.args[0], int):
        items.insert(given.args[0], given.args[1])
    else:
        items.append(given.argument(0))
    return True


def _add_first(items: list[Any], given: Given) -> Any:
    items.insert(0, given.argument(0))
    return True


def _add_all(items: list[Any], given: Given) -> Any:
    more = given.argument(0)
    items.extend(more if isinstance(more, list) else [UNKNOWN])
    return True


def _get(items: list[Any], given: Given) -> Any:
    index = given.argument(0)
    return items[index] if isinstance(index, int) and 0 <= index < len(items) else UNKNOWN


def _take_first(items: list[Any], given: Given) -> Any:
    return items.pop(0) if items else NIL


def _take_last(items: list[Any], given: Given) -> Any:
    return items.pop() if items else NIL


def _remove(items: list[Any], given: Given) -> Any:
    if not given.args:
        return _take_first(items, given)
    index = given.args[0]
    if isinstance(index, int) and not isinstance(index, bool):
        return items.pop(index) if 0 <= index < len(items) else UNKNOWN
    place = next((place for place, one in enumerate(items) if one is index), None)
    return items.pop(place) is not NIL if place is not None else UNKNOWN


def _clear(items: list[Any], given: Given) -> Any:
    items.clear()
    return NIL


def _reverse(items: list[Any], given: Given) -> Any:
    items.reverse()
    return NIL


_SAME = ("collect", "filter", "limit", "parallelStream", "sorted", "stream", "toArray", "toList")
_METHODS: dict[str, Callable[[list[Any], Given], Any]] = {
    **dict.fromkeys(("add", "addLast", "offer", "offerLast"), _add),
    **dict.fromkeys(("addFirst", "offerFirst", "push"), _add_first),
    **dict.fromkeys(("pop", "poll", "pollFirst", "removeFirst", "next", "previous"), _take_first),
    **dict.fromkeys(("pollLast", "removeLast"), _take_last),
    **dict.fromkeys(("iterator", "listIterator"), lambda items, given: [*items][:: -1 if given.args else 1]),
    **dict.fromkeys(("descendingIterator", "reversed", "descendingSet"), lambda items, _: items[::-1]),
    **dict.fromkeys(("hasNext", "hasPrevious"), lambda items, _: bool(items)),
    **dict.fromkeys(("peek", "peekFirst", "getFirst", "firstElement"), lambda items, _: items[0] if items else NIL),
    **dict.fromkeys(("peekLast", "getLast", "lastElement"), lambda items, _: items[-1] if items else NIL),
    "addAll": _add_all,
    "get": _get,
    "remove": _remove,
    "clear": _clear,
    "size": lambda items, _: len(items),
    "isEmpty": lambda items, _: not items,
}
