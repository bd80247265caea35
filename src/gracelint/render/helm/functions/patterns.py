"""Regular expressions as Go's RE2 has them: in time that grows with the text, whatever the pattern is.

Python's `re` takes exponential time for patterns that a chart may bring along, so this is Pike's virtual machine
(https://swtch.com/~rsc/regexp/regexp2.html). Simple patterns on short texts are left to `re`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gracelint.base.numbers import is_digits
from gracelint.base.record import Record
from gracelint.render.helm.template import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Test = Callable[[str], bool]

_LARGEST = 2_000
"""Instructions of a pattern."""
_STEPS = 2_000_000
"""Instructions run for one text."""
_AT_ONCE = 4
"""Instructions at the price of one step of a template."""


class _Instruction(Record, identity=True):
    """`char` tests a character; `split` goes on at `to`, else at `other`; `save`, `assert` and `match` as they say."""

    what: str
    test: Test | None = None
    to: int = 0
    other: int = 0


_Captures = tuple["int | None", ...]


def price(pattern: str, text: str) -> int:
    """The steps of a template that it takes to look for a pattern in a text. Raises TemplateError."""
    return Pattern(pattern).instructions_for(text) // _AT_ONCE


class Pattern:
    """A compiled pattern. Raises TemplateError for one that RE2 does not know, or that is too large."""

    def __init__(self, pattern: str) -> None:
        self._program, self._names, self._groups = _compiled(pattern)
        self._simple, self._longest = _simple(pattern)

    def instructions_for(self, text: str) -> int:
        """How many instructions a search runs at most; none where `re` does it."""
        return 0 if self._is_simple_for(text) else len(self._program) * (len(text) + 1)

    def _is_simple_for(self, text: str) -> bool:
        return self._simple is not None and len(text) <= self._longest

    def search(self, text: str) -> bool:
        if self._simple is not None and self._is_simple_for(text):
            return self._simple.search(text) is not None
        return self._match(text, 0) is not None

    def find_all(self, text: str) -> list[str]:
        return [text[found[0] : found[1]] for found in self._matches(text)]

    def replace(self, text: str, replacement: str) -> str:
        """`$1`, `${1}` and `${name}` stand for groups, `$$` for a dollar."""
        parts: list[str] = []
        position = 0
        for found in self._matches(text):
            parts += [text[position : found[0]], self._expanded(replacement, text, found)]
            position = found[1]
        return "".join([*parts, text[position:]])

    def split(self, text: str, most: int) -> list[str]:
        if most == 0:
            return []
        parts: list[str] = []
        position = 0
        for found in self._matches(text):
            if most > 0 and len(parts) == most - 1:
                break
            if found[1] == 0:
                continue
            parts.append(text[position : found[0]])
            position = found[1]
        return [*parts, text[position:]]

    def _expanded(self, template: str, text: str, found: list[int]) -> str:
        parts: list[str] = []
        position = 0
        while (dollar := template.find("$", position)) >= 0:
            parts.append(template[position:dollar])
            position = dollar + 1
            if template.startswith("$", position):
                parts.append("$")
                position += 1
                continue
            braced = template.startswith("{", position)
            start = end = position + braced
            while end < len(template) and (template[end].isalnum() or template[end] == "_"):
                end += 1
            name = template[start:end]
            if not name or (braced and not template.startswith("}", end)):
                parts.append("$")
                continue
            position = end + braced
            group = int(name) if is_digits(name) and len(name) < 5 else self._names.get(name, -1)
            if 0 <= group <= self._groups and found[2 * group] >= 0:
                parts.append(text[found[2 * group] : found[2 * group + 1]])
        return "".join([*parts, template[position:]])

    def _matches(self, text: str) -> Iterator[list[int]]:
        """All matches that do not overlap, each as the offsets of its groups (-1: not in it)."""
        if self._is_simple_for(text):
            yield from ([offset for span in match.regs for offset in span] for match in self._quickly(text))
            return
        position, last = 0, -1
        steps = _Steps()
        while position <= len(text):
            found = self._match(text, position, steps)
            if found is None:
                return
            if found[1] > found[0] or found[0] != last:
                yield found
            last = found[1]
            position = found[1] if found[1] > found[0] else found[1] + 1

    def _quickly(self, text: str) -> Iterator[re.Match[str]]:
        """What `re` finds; Go takes no empty match right behind another match."""
        assert self._simple is not None
        last = -1
        for match in self._simple.finditer(text):
            if match.end() > match.start() or match.start() != last:
                yield match
            last = match.end()

    def _match(self, text: str, start: int, steps: _Steps | None = None) -> list[int] | None:
        """The leftmost match from `start` on, as Perl would choose it."""
        steps = steps or _Steps()
        program = self._program
        nothing: _Captures = (None,) * (2 * self._groups + 2)
        threads: list[tuple[int, _Captures]] = []
        best: _Captures | None = None
        for position in range(start, len(text) + 1):
            if best is None:
                self._follow(threads, {at for at, _ in threads}, 0, nothing, text, position, steps)
            if not threads:
                if best is not None:
                    break
                continue
            following: list[tuple[int, _Captures]] = []
            seen: set[int] = set()
            for at, captures in threads:
                steps.take()
                instruction = program[at]
                if instruction.what == "match":
                    best = captures
                    break
                if position < len(text) and instruction.test is not None and instruction.test(text[position]):
                    self._follow(following, seen, at + 1, captures, text, position + 1, steps)
            threads = following
        if best is None:
            return None
        return [-1 if offset is None else offset for offset in best]

    def _follow(
        self,
        threads: list[tuple[int, _Captures]],
        seen: set[int],
        at: int,
        captures: _Captures,
        text: str,
        position: int,
        steps: _Steps,
    ) -> None:
        """Adds the instructions that can be reached without a character, in order of preference."""
        stack = [(at, captures)]
        while stack:
            at, captures = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            steps.take()
            instruction = self._program[at]
            if instruction.what == "split":
                stack += [(instruction.other, captures), (instruction.to, captures)]
            elif instruction.what == "jump":
                stack.append((instruction.to, captures))
            elif instruction.what == "save":
                slot = instruction.to
                stack.append((at + 1, (*captures[:slot], position, *captures[slot + 1 :])))
            elif instruction.what in _ASSERTIONS:
                if _ASSERTIONS[instruction.what](text, position):
                    stack.append((at + 1, captures))
            else:
                threads.append((at, captures))


class _Steps:
    def __init__(self) -> None:
        self._left = _STEPS

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TemplateError("too large to be followed")


_TOKEN = re.compile(
    r"""(?P<atom>\\[dDwW]|\\[^\w\s]|\[\^?\]?(?:\\[dDwW]|\\[^\w\s]|[^\\\]\[])*\]|[^\\()\[\]{}?*+|^$])
    |(?P<start>^\^)|(?P<end>\$\Z)|(?P<group>\((?:\?:)?)|(?P<close>\)(?![?*+{]))|(?P<or>\|)|(?P<loop>[*+](?!\?))|(?P<maybe>\?(?!\?))""",
    re.VERBOSE,
)
_LONGEST_FOR = (5_000_000, 5_000, 300, 80)
"""Code points of a text that `re` gets, by the number of loops in the pattern: it may try them all from each start."""
_MOST_WAYS = 100
"""Choices that may follow each other in a pattern for `re`, multiplied: it may try all of them from each start too."""


@lru_cache(256)
def _simple(pattern: str) -> tuple[re.Pattern[str] | None, int]:
    """The pattern for `re`, where it means the same there and has no loops in loops; the longest text for it."""
    position = loops = 0
    ways = 1
    choices = [1]
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            return None, 0
        loops += token.lastgroup == "loop"
        if token.lastgroup == "group":
            choices.append(1)
        elif token.lastgroup == "or":
            choices[-1] += 1
        elif token.lastgroup == "maybe":
            ways *= 2
        elif token.lastgroup == "close" and len(choices) > 1:
            ways *= choices.pop()
        position = token.end()
    if loops >= len(_LONGEST_FOR) or ways > _MOST_WAYS:
        return None, 0
    body = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern
    try:
        return re.compile(body, re.ASCII), _LONGEST_FOR[loops] // ways
    except re.error:
        return None, 0


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _at_word_edge(text: str, position: int) -> bool:
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return before != after


_ASSERTIONS: dict[str, Callable[[str, int], bool]] = {
    "start": lambda text, position: position == 0,
    "end": lambda text, position: position == len(text),
    "line-start": lambda text, position: position == 0 or text[position - 1] == "\n",
    "line-end": lambda text, position: position == len(text) or text[position] == "\n",
    "edge": _at_word_edge,
    "no-edge": lambda text, position: not _at_word_edge(text, position),
}


@lru_cache(256)
def _compiled(pattern: str) -> tuple[list[_Instruction], dict[str, int], int]:
    compiler = _Compiler(pattern)
    body = compiler.alternatives()
    if compiler.more():
        raise TemplateError(f"regular expression: unexpected {compiler.rest()!r}")
    program = [
        _Instruction("save", to=0),
        *body,
        _Instruction("save", to=1),
        _Instruction("match"),
    ]
    return _linked(program), compiler.names, compiler.groups


def _linked(program: list[_Instruction]) -> list[_Instruction]:
    """Jumps are written relative to where they stand."""
    return [
        _Instruction(one.what, one.test, index + one.to, index + one.other) if one.what in ("split", "jump") else one
        for index, one in enumerate(program)
    ]


_CLASSES: dict[str, Test] = {
    "d": lambda char: "0" <= char <= "9",
    "w": _is_word,
    "s": lambda char: char in "\t\n\f\r ",
}
_NAMED: dict[str, Test] = {
    "alnum": lambda char: char.isascii() and char.isalnum(),
    "alpha": lambda char: char.isascii() and char.isalpha(),
    "ascii": str.isascii,
    "blank": lambda char: char in "\t ",
    "cntrl": lambda char: char < " " or char == "\x7f",
    "digit": _CLASSES["d"],
    "graph": lambda char: "!" <= char <= "~",
    "lower": lambda char: "a" <= char <= "z",
    "print": lambda char: " " <= char <= "~",
    "punct": lambda char: "!" <= char <= "~" and not char.isalnum(),
    "space": lambda char: char in "\t\n\v\f\r ",
    "upper": lambda char: "A" <= char <= "Z",
    "word": _is_word,
    "xdigit": lambda char: char in "0123456789abcdefABCDEF",
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_MAX_REPEAT = 1000


class _Compiler:
    """A pattern → instructions whose jumps are relative."""

    def __init__(self, pattern: str) -> None:
        self.names: dict[str, int] = {}
        self.groups = 0
        self._text = pattern
        self._at = 0
        self._flags = ""
        self._depth = 0

    def more(self) -> bool:
        return self._at < len(self._text)

    def rest(self) -> str:
        return self._text[self._at :][:20]

    def alternatives(self) -> list[_Instruction]:
        self._depth += 1
        if self._depth > 50:
            raise TemplateError("regular expression: nested too deeply")
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        self._depth -= 1
        program = branches.pop()
        for branch in reversed(branches):
            jump = _Instruction("jump", to=len(program) + 1)
            program = [_Instruction("split", to=1, other=len(branch) + 2), *branch, jump, *program]
        return self._checked(program)

    def _checked(self, program: list[_Instruction]) -> list[_Instruction]:
        if len(program) > _LARGEST:
            raise TemplateError("too large to be followed")
        return program

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if not self.more():
            raise TemplateError("regular expression: it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _sequence(self) -> list[_Instruction]:
        program: list[_Instruction] = []
        flags = self._flags
        while self.more() and self._text[self._at] not in "|)":
            program += self._repeated(self._atom())
            self._checked(program)
        if self._depth > 1:
            self._flags = flags
        return program

    def _atom(self) -> list[_Instruction]:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return [self._char(self._set())]
        if char == ".":
            all_of_them = "s" in self._flags
            return [self._char(lambda found: all_of_them or found != "\n")]
        if char == "^":
            return [_Instruction("line-start" if "m" in self._flags else "start")]
        if char == "$":
            return [_Instruction("line-end" if "m" in self._flags else "end")]
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise TemplateError(f"regular expression: nothing to repeat before {char!r}")
        return [self._exactly(char)]

    def _char(self, test: Test) -> _Instruction:
        return _Instruction("char", test)

    def _exactly(self, char: str) -> _Instruction:
        if "i" in self._flags:
            folded = char.casefold()
            return self._char(lambda found: found.casefold() == folded)
        return self._char(char.__eq__)

    def _group(self) -> list[_Instruction]:
        before = self._flags
        if self._take("?"):
            if self._take("P<") or self._take("<"):
                end = self._text.find(">", self._at)
                if end < 0:
                    raise TemplateError("regular expression: a group's name does not end")
                self.names[self._text[self._at : end]] = self.groups + 1
                self._at = end + 1
            else:
                self._read_flags()
                if self._take(")"):
                    return []
                if not self._take(":"):
                    raise TemplateError(f"regular expression: unexpected {self.rest()!r}")
                body = self.alternatives()
                self._close(before)
                return body
        self.groups += 1
        number = self.groups
        body = self.alternatives()
        self._close(before)
        return [_Instruction("save", to=2 * number), *body, _Instruction("save", to=2 * number + 1)]

    def _close(self, flags: str) -> None:
        if not self._take(")"):
            raise TemplateError("regular expression: a group is not closed")
        self._flags = flags

    def _read_flags(self) -> None:
        off = False
        while self.more() and self._text[self._at] in "imsU-":
            flag = self._next()
            if flag == "-":
                off = True
            else:
                self._flags = self._flags.replace(flag, "") if off else self._flags + flag

    def _escape(self) -> list[_Instruction]:
        char = self._next()
        if char.lower() in _CLASSES:
            return [self._char(_negated(_CLASSES[char.lower()], char.isupper()))]
        if char in "AzZ":
            return [_Instruction("start" if char == "A" else "end")]
        if char in "bB":
            return [_Instruction("edge" if char == "b" else "no-edge")]
        if char in "pP":
            return [self._char(self._property(char == "P"))]
        if char == "Q":
            end = self._text.find("\\E", self._at)
            literal = self._text[self._at : end if end >= 0 else None]
            self._at = len(self._text) if end < 0 else end + 2
            return [self._exactly(letter) for letter in literal]
        return [self._exactly(self._escaped(char))]

    def _escaped(self, char: str) -> str:
        if char == "x":
            digits = self._text[self._at : self._at + 2]
            if self._take("{"):
                end = self._text.find("}", self._at)
                digits = self._text[self._at : max(end, 0)]
                self._at = end + 1
            else:
                self._at += 2
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError) as error:
                raise TemplateError("regular expression: \\x without a code point") from error
        return _ESCAPES.get(char, char)

    def _property(self, negated: bool) -> Test:
        from unicodedata import category

        name = self._next()
        if name == "{":
            end = self._text.find("}", self._at)
            if end < 0:
                raise TemplateError("regular expression: \\p is not closed")
            name = self._text[self._at : end]
            self._at = end + 1
        if len(name) > 2 or not name.isalpha():
            raise TemplateError(f"regular expression: \\p{{{name}}} is not known")
        return _negated(lambda char: category(char).startswith(name), negated)

    def _set(self) -> Test:
        negated = self._take("^")
        tests: list[Test] = []
        first = True
        while first or not self._text.startswith("]", self._at):
            first = False
            if self._take("[:"):
                tests.append(self._named())
                continue
            char = self._next()
            if char == "\\":
                char = self._next()
                if char.lower() in _CLASSES:
                    tests.append(_negated(_CLASSES[char.lower()], char.isupper()))
                    continue
                if char in "pP":
                    tests.append(self._property(char == "P"))
                    continue
                char = self._escaped(char)
            last = char
            if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
                self._at += 1
                last = self._next()
                last = self._escaped(self._next()) if last == "\\" else last
            tests.append(_between(char, last, "i" in self._flags))
        self._at += 1
        return _negated(lambda char: any(test(char) for test in tests), negated)

    def _named(self) -> Test:
        end = self._text.find(":]", self._at)
        name = self._text[self._at : max(end, self._at)]
        known = _NAMED.get(name.removeprefix("^"))
        if end < 0 or known is None:
            raise TemplateError(f"regular expression: [:{name[:20]}:] is not known")
        self._at = end + 2
        return _negated(known, name.startswith("^"))

    def _repeated(self, atom: list[_Instruction]) -> list[_Instruction]:
        while self.more():
            if self._take("*"):
                least, most = 0, None
            elif self._take("+"):
                least, most = 1, None
            elif self._take("?"):
                least, most = 0, 1
            else:
                counts = self._counts()
                if counts is None:
                    break
                least, most = counts
            lazy = self._take("?") != ("U" in self._flags)
            if len(atom) * (most or least or 1) > _LARGEST:
                raise TemplateError("too large to be followed")
            atom = self._checked(_times(atom, least, most, lazy))
        return atom

    def _counts(self) -> tuple[int, int | None] | None:
        """`{2}`, `{2,}` or `{2,5}`; anything else in braces is text."""
        end = self._text.find("}", self._at, self._at + 12)
        if end < 0 or not self._text.startswith("{", self._at):
            return None
        first, comma, second = self._text[self._at + 1 : end].partition(",")
        if not is_digits(first) or (second and not is_digits(second)):
            return None
        least, most = int(first), int(second) if second else None if comma else int(first)
        if least > _MAX_REPEAT or (most is not None and (most > _MAX_REPEAT or most < least)):
            raise TemplateError("regular expression: an invalid repeat count")
        self._at = end + 1
        return least, most


def _times(atom: list[_Instruction], least: int, most: int | None, lazy: bool) -> list[_Instruction]:
    program = atom * least
    if most is None:
        loop = [_split(1, len(atom) + 2, lazy), *atom, _Instruction("jump", to=-len(atom) - 1)]
        return [*program, *loop]
    optional: list[_Instruction] = []
    for _ in range(most - least):
        optional = [_split(1, len(atom) + len(optional) + 1, lazy), *atom, *optional]
    return [*program, *optional]


def _split(inside: int, behind: int, lazy: bool) -> _Instruction:
    return _Instruction("split", to=behind if lazy else inside, other=inside if lazy else behind)


def _negated(test: Test, negated: bool) -> Test:
    return (lambda char: not test(char)) if negated else test


def _between(first: str, last: str, any_case: bool) -> Test:
    if any_case:
        return lambda char: first <= char.lower() <= last or first <= char.upper() <= last
    return lambda char: first <= char <= last
