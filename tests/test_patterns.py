"""No regular expression takes longer than its text grows: each one there is meets texts made to hold it up.

The texts come from the expression itself: what leads to one of its loops, what goes round in it many times, and
something on which the rest fails. A loop that is quadratic takes seconds for them, and a linear one milliseconds.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FrameType
from typing import Any

import pytest

from conftest import ROOT
from gracelint.base.patterns import _Pattern

try:
    from re import _constants as codes  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_constants as codes
    import sre_parse as parser

LENGTH = 5_000
SECONDS = 0.03
"""Of the processor: what is linear takes a tenth of it, what is quadratic more."""
ENDS = ("", "\n\0")
TOKENS = (*" \n\\'\"${(#:.-/a0", "a.", "a ", "${", "{{", "\\\n", "--a ", " \n")

FOLDERS = ("src/gracelint", "rules/gracelint_rules")
FUNCTIONS = ("match", "search", "fullmatch", "split", "sub", "findall", "finditer")


SHORT = {
    "src/gracelint/cli/parser.py": "what argparse says of the command line",
    "src/gracelint/parse/compose/project.py: _NAME": "the name of a file, of 255 bytes at most",
    "src/gracelint/parse/expansion.py: _CD": "texts of more than 1,000 characters are not looked at",
}
"""Those that never see a long text, and why."""


class Use:
    """An expression and how it is used."""

    def __init__(self, where: str, pattern: re.Pattern[str], function: str) -> None:
        self.where, self.pattern, self.function = where, pattern, function


def files() -> Iterator[str]:
    for top in FOLDERS:
        for parent, _, names in os.walk(os.path.join(ROOT, top)):
            yield from (os.path.join(parent, name) for name in names if name.endswith(".py"))


def uses() -> Iterator[Use]:
    """Each expression that a module names, and each that a call of `re` spells out."""
    for path in sorted(files()):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        short = os.path.relpath(path, ROOT)
        module: Any = import_module(short.split("/", 1)[1][:-3].replace("/", ".").removesuffix(".__init__"))
        tables = [
            (name, each) for name, value in vars(module).items() if isinstance(value, dict) for each in value.values()
        ]
        for name, value in (*vars(module).items(), *tables):
            if isinstance(value, (re.Pattern, _Pattern)) and isinstance(written := _text_of(value), str):
                for function in ("match", "search") if (name, value) in tables else FUNCTIONS:
                    if (name, value) in tables or re.search(rf"\b{name}\.{function}\b", text):
                        yield Use(f"{short}: {name}", re.compile(written, getattr(value, "flags", 0)), function)
        if "re." in text:
            yield from _spelled_out(ast.parse(text), short, module)


def _text_of(value: re.Pattern[str] | _Pattern) -> str | bytes:
    return value._text if isinstance(value, _Pattern) else value.pattern


class Names(dict[str, Any]):
    """What a module knows; a name that is not known until a function runs is a word."""

    def __missing__(self, name: str) -> str:
        return "xx"


def _spelled_out(tree: ast.AST, short: str, module: Any) -> Iterator[Use]:
    """Expressions that stand in calls. One put together from local names is taken with a word for each."""
    values = {name: value for name, value in vars(module).items() if isinstance(value, (str, int, tuple, frozenset))}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        function = call.func.attr
        if ast.dump(call.func.value) != _RE or function not in (*FUNCTIONS, "compile"):
            continue
        local = {node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)} - {*values, "re"}
        if any(isinstance(node, ast.Attribute) and node.attr not in _PLAIN for node in ast.walk(call.args[0])):
            continue  # a part of an object: a glob of the user's, a template's own expression
        written = eval(
            ast.unparse(call.args[0]), {}, Names({"re": re, "str": str, "map": map, "sorted": sorted, **values})
        )
        if not isinstance(written, str) or (function == "compile" and not local):
            continue
        flags = [item.value for item in call.keywords if item.arg == "flags"]
        flags = flags or (call.args[2:3] if function in ("match", "search", "fullmatch", "findall", "finditer") else [])
        pattern = re.compile(written, eval(ast.unparse(flags[0]), {"re": re}) if flags else 0)
        for used in (function,) if function != "compile" else ("match", "search"):
            yield Use(f"{short}:{call.lineno}", pattern, used)


_RE = ast.dump(ast.parse("re", mode="eval").body)
_PLAIN = ("escape", "format", "join", "replace")


def attacks(pattern: re.Pattern[str]) -> Iterator[str]:
    """Texts that go round in one loop of the expression, or in none."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    pumps = dict.fromkeys([("", token) for token in TOKENS] + list(_loops(list(tree), "")))
    for before, round_ in pumps:
        if round_:
            for end in ENDS:
                yield before + round_ * (LENGTH // len(round_)) + end


def _loops(nodes: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """Each loop without an end: what leads to it, and one round."""
    for node in nodes:
        code, value = node
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT) or str(code) == "POSSESSIVE_REPEAT":
            _, most, body = value
            for example in _examples(list(body)):
                if most is codes.MAXREPEAT or most > 1_000:
                    yield before, example
                    yield "", before + example
            yield from _loops(list(body), before)
        elif code is codes.SUBPATTERN:
            yield from _loops(list(value[3]), before)
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from _loops(list(branch), before)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _loops(list(value[1]), before)
        elif str(code) == "ATOMIC_GROUP":
            yield from _loops(list(value), before)
        before += next(_examples([node]))


def _examples(nodes: list[Any]) -> Iterator[str]:
    """Some texts that nodes stand for, one for each branch and character of the first that has several."""
    texts = [""]
    for node in nodes:
        several = list(_example(node)) or [""]
        texts = [text + one for text in texts for one in several][:24]
    yield from dict.fromkeys(texts)


def _example(node: Any) -> Iterator[str]:
    code, value = node
    if code is codes.LITERAL:
        yield chr(value)
    elif code is codes.NOT_LITERAL:
        yield from (char for char in "a \n" if ord(char) != value)
    elif code is codes.ANY:
        yield from "a "
    elif code is codes.IN:
        matcher = re.compile(_written(node))
        yield from [char for char in "a0 \n\t.-_/\\\"'${[(:,=#" if matcher.fullmatch(char)][:4] or [
            chr(item[1]) for item in value if item[0] is codes.LITERAL
        ][:1]
    elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT) or str(code) == "POSSESSIVE_REPEAT":
        least, _, body = value
        for example in _examples(list(body)):
            yield example * max(least, 1)
        if least == 0:
            yield ""
    elif code is codes.SUBPATTERN:
        yield from _examples(list(value[3]))
    elif code is codes.BRANCH:
        for branch in value[1]:
            yield from _examples(list(branch))
    else:
        yield ""


_CLASSES = {"CATEGORY_SPACE": r"\s", "CATEGORY_NOT_SPACE": r"\S", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W"}
_CLASSES |= {"CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D"}


def _written(node: Any) -> str:
    """A class of characters as it is written."""
    parts = []
    for code, value in node[1]:
        if code is codes.NEGATE:
            parts.insert(0, "^")
        elif code is codes.LITERAL:
            parts.append(re.escape(chr(value)))
        elif code is codes.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        else:
            parts.append(_CLASSES[str(value)])
    return f"[{''.join(parts)}]"


class TooLongError(Exception):
    pass


def seconds(use: Use, text: str) -> float:
    """What one use takes; no more than it is given."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    run: Callable[[], Any] = {
        "sub": lambda: use.pattern.sub("", text),
        "finditer": lambda: sum(1 for _ in use.pattern.finditer(text)),
    }.get(use.function, lambda: getattr(use.pattern, use.function)(text))
    before = signal.signal(signal.SIGVTALRM, stop)
    started = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        run()
        return time.process_time() - started
    except TooLongError:
        return SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


USES = list(uses())


@pytest.mark.parametrize("use", USES, ids=[f"{use.where}.{use.function}" for use in USES])
def test_an_expression_takes_time_that_grows_with_its_text(use: Use) -> None:
    if any(use.where.startswith(name) for name in SHORT):
        return
    slow = [text for text in attacks(use.pattern) if seconds(use, text) >= SECONDS]
    assert [f"{text[:40]!r} … {text[-10:]!r}" for text in slow if seconds(use, text) >= SECONDS] == []


def test_what_is_slow_is_found() -> None:
    for written in (r"a*a*b", r"(a|a)*b", r"(?:\s+x?)*y", r"\s+$"):
        pattern = re.compile(written)
        slow = [seconds(Use("", pattern, "search"), text) >= SECONDS for text in attacks(pattern)]
        assert any(slow), written
