r"""Reading shell text: POSIX's grammar, and what bash adds to it.

The grammar is small and closed (POSIX.1-2017, XCU 2.10), so it is read here by recursive descent: no parser generator
has to be imported for `CMD python app.py`, and every command keeps its exact place.
"""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.facts.script import (
    AndOr,
    Background,
    Case,
    Function,
    Group,
    HereText,
    If,
    Loop,
    Pipeline,
    Redirect,
    Script,
    ShellWord,
    Simple,
)
from gracelint.parse.shell_words import (
    ASSIGNMENT,
    DEEPEST,
    PLAIN,
    SPACE,
    BrokenError,
    certain,
    parentheses_end,
    unquoted,
    word_end,
)
from gracelint.source import Passage, Segment, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from gracelint.facts.script import Command

_OPERATOR = pattern(r"&&|\|\||;;&|;;|;&|\|&|&(?!>)|[;|()\n]")
_REDIRECT = pattern(r"(?:[0-9]+|\{\w+\})?(<<<|<<-|<<|<>|<&|>>|>&|>\||&>>|&>|<(?!\()|>(?!\())")
_COPROCESS = pattern(r"coproc[ \t]+(?:([A-Za-z_]\w*)[ \t]+)?(?=[{(]|(?:while|until|for|if|case)\b)")
_FUNCTION = pattern(r"([^\s|&;()<>\\'\"$`={}]+)[ \t]*\([ \t]*\)")
_NAME = pattern(r"[A-Za-z_]\w*")
_CLOSERS = frozenset(("then", "do", "done", "fi", "else", "elif", "esac", "}"))
_SEPARATORS = frozenset((";", "&", "\n"))


def read_script(passage: Passage) -> Script:
    """The commands of shell text. Text that breaks the grammar gives the commands before that, and `broken`."""
    plain = _plain(passage)
    if plain is not None:
        return Script(passage, (plain,), (), None)
    return _parsed(passage)


@lru_cache(maxsize=64)
def _parsed(passage: Passage) -> Script:
    """Parsed once: many launches may run one script."""
    interpreter: tuple[str, ...] = ()
    if passage.text.startswith("#!"):
        interpreter = tuple(passage.text.split("\n", 1)[0][2:].strip(" \t").split(None, 1))
    reader = _Reader(passage)
    body: list[Command] = []
    broken = None
    try:
        reader.commands(body)
        if reader.offset < len(passage.text):
            raise BrokenError(reader.offset)
    except (BrokenError, RecursionError) as error:
        offset = error.offset if isinstance(error, BrokenError) else reader.offset
        start = min(offset, max(len(passage.text) - 1, 0))
        broken = passage.span(start, min(start + 1, len(passage.text)))
    return Script(passage, tuple(body), interpreter, broken)


def _plain(passage: Passage) -> Simple | None:
    """The command of a text that is one line of ordinary words, as most are: no grammar is needed for it."""
    text = passage.text
    words = text.split()
    if not words or not _ORDINARY.issuperset(text) or "=" in words[0] or words[0] in _RESERVED:
        return None
    found = []
    position = 0
    for word in words:
        start = text.index(word, position)
        position = start + len(word)
        found.append(ShellWord(word, word, passage.span(start, position)))
    return Simple(tuple(found), (), (), passage.span(text.index(words[0]), position))


_ORDINARY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-./:,=@%+")


class _Reader:
    """A place in the text; each method reads one thing of the grammar from there on."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.text = passage.text
        self.offset = 0
        self.depth = 0
        self.heredocs: list[tuple[str, bool, HereText]] = []

    def commands(self, body: list[Command]) -> None:
        """Reads commands into `body` up to a word or operator that closes the construct around them."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise BrokenError(self.offset)
        while True:
            self._newlines()
            operator = self._operator()
            if self.offset >= len(self.text) or (operator and operator != "(") or self._keyword() in _CLOSERS:
                break
            start = self.offset
            command = self._and_or()
            operator = self._operator()
            if operator == "&":
                command = Background(command, self._span(start, self.offset))
            body.append(command)
            if operator not in _SEPARATORS:
                break
            if operator != "\n":
                self.offset += 1
        self.depth -= 1

    def _list(self) -> tuple[Command, ...]:
        body: list[Command] = []
        self.commands(body)
        if not body:
            raise BrokenError(self.offset)
        return tuple(body)

    def _and_or(self) -> Command:
        start = self.offset
        left = self._pipeline()
        while (operator := self._operator()) in ("&&", "||"):
            self.offset += 2
            self._newlines()
            right = self._pipeline()
            left = AndOr(left, operator, right, self._span(start, self._end))
        return left

    def _pipeline(self) -> Command:
        start = self.offset
        negated = False
        while self._keyword() == "!":
            self.offset += 1
            self._blanks()
            negated = not negated
        commands = [self._command()]
        while (operator := self._operator()) in ("|", "|&"):
            self.offset += len(operator)
            self._newlines()
            commands.append(self._command())
        if len(commands) == 1 and not negated:
            return commands[0]
        return Pipeline(tuple(commands), negated, self._span(start, self._end))

    def _command(self) -> Command:
        self._blanks()
        start = self.offset
        text = self.text
        if text.startswith("((", start):
            end = text.find("))", start)
            if end < 0:
                raise BrokenError(start)
            self.offset = self._end = end + 2
            return self._arithmetic(start, end)
        if text.startswith("(", start):
            self.offset += 1
            body = self._list()
            self._expect(")")
            return Group(body, True, self._redirects(), self._span(start, self._end))
        keyword = self._keyword()
        if keyword in _CLOSERS:
            raise BrokenError(start)
        reader = getattr(self, f"_{_COMPOUND[keyword]}", None) if keyword in _COMPOUND else None
        if reader is not None:
            self.offset += len(keyword)
            compound: Command = reader(start)
            return compound
        coprocess = _COPROCESS.match(text, start)
        if coprocess is not None:
            self.offset = coprocess.end()
            return Background(self._command(), self._span(start, self._end), coprocess[1] or "COPROC")
        function = _FUNCTION.match(text, start)
        if function is not None:
            self.offset = function.end()
            return self._function_body(function[1], start)
        return self._simple(start)

    def _arithmetic(self, start: int, end: int) -> Command:
        """`(( … ))`: a command whose one argument is the expression."""
        opener = ShellWord("((", "((", self._span(start, start + 2))
        expression = self.text[start + 2 : end].strip()
        return Simple(
            (opener, ShellWord(expression, expression, self._span(start + 2, end))), (), (), self._span(start, end + 2)
        )

    def _group(self, start: int) -> Command:
        body = self._list()
        self._expect("}")
        return Group(body, False, self._redirects(), self._span(start, self._end))

    def _if(self, start: int) -> Command:
        branches = []
        otherwise = None
        keyword = "elif"
        while keyword == "elif":
            condition = self._list()
            self._expect("then")
            branches.append((condition, self._list()))
            keyword = self._keyword()
            self._expect(keyword if keyword in ("elif", "else", "fi") else "fi")
        if keyword == "else":
            otherwise = self._list()
            self._expect("fi")
        return If(tuple(branches), otherwise, self._redirects(), self._span(start, self._end))

    def _while(self, start: int) -> Command:
        kind = self.text[start : start + 5]
        condition = self._list()
        self._expect("do")
        body = self._list()
        self._expect("done")
        return Loop(kind, condition, body, self._redirects(), self._span(start, self._end))

    def _for(self, start: int) -> Command:
        self._blanks()
        variable = None
        if self.text.startswith("((", self.offset):
            end = self.text.find("))", self.offset)
            if end < 0:
                raise BrokenError(self.offset)
            self.offset = end + 2
        else:
            name = _NAME.match(self.text, self.offset)
            if name is None:
                raise BrokenError(self.offset)
            variable = name[0]
            self.offset = name.end()
        self._newlines()
        words: list[ShellWord] = []
        if self._keyword() == "in":
            self.offset += 2
            self._blanks()
            while not self._operator() and self.offset < len(self.text):
                words.append(self._word())
                self._blanks()
        if self._operator() == ";":
            self.offset += 1
        self._newlines()
        braces = self._keyword() == "{"
        self._expect("{" if braces else "do")
        body = self._list()
        self._expect("}" if braces else "done")
        each = Simple(tuple(words), (), (), self._span(start, self._end))
        return Loop("for", (each,), body, self._redirects(), self._span(start, self._end), variable)

    def _case(self, start: int) -> Command:
        self._blanks()
        subject = self._word()
        self._newlines()
        self._expect("in")
        arms = []
        self._newlines()
        while self._keyword() != "esac":
            if self._operator() == "(":
                self.offset += 1
            self._blanks()
            patterns = [self._word()]
            while self._operator() == "|":
                self.offset += 1
                self._blanks()
                patterns.append(self._word())
            self._expect(")")
            body: list[Command] = []
            self.commands(body)
            arms.append((tuple(patterns), tuple(body)))
            operator = self._operator()
            if operator in (";;", ";&", ";;&"):
                self.offset += len(operator)
            elif self._keyword() != "esac":
                raise BrokenError(self.offset)
            self._newlines()
        self._expect("esac")
        return Case(subject, tuple(arms), self._redirects(), self._span(start, self._end))

    def _named_function(self, start: int) -> Command:
        self._blanks()
        name = self._word()
        self._blanks()
        if self.text.startswith("(", self.offset):
            self._expect("(")
            self._expect(")")
        return self._function_body(name.text, start)

    def _function_body(self, name: str, start: int) -> Command:
        self._newlines()
        body = self._command()
        own = isinstance(body, Group) and not body.subshell and not body.redirects
        inner = body.body if isinstance(body, Group) and own else (body,)
        return Function(name, inner, self._span(start, self._end))

    def _condition(self, start: int) -> Command:
        """`[[ … ]]`: the operators within are words to us."""
        words = [ShellWord("[[", "[[", self._span(start, start + 2))]
        while words[-1].text != "]]":
            self._newlines()
            if self.offset >= len(self.text):
                raise BrokenError(start)
            symbol = _CONDITION_OPERATOR.match(self.text, self.offset)
            if symbol is not None:
                self.offset = symbol.end()
                words.append(ShellWord(symbol[0], symbol[0], self._span(symbol.start(), symbol.end())))
            elif words[-1].text == "=~":
                words.append(self._pattern())
            else:
                words.append(self._word())
        return Simple(tuple(words), (), self._redirects(), self._span(start, self._end))

    def _pattern(self) -> ShellWord:
        """The regular expression after `=~`: up to the next blank outside of quotes, with parentheses and bars."""
        found = _REGULAR_EXPRESSION.match(self.text, self.offset)
        assert found is not None
        self.offset = self._end = found.end()
        return ShellWord(found[0], None, self._span(found.start(), found.end()))

    def _simple(self, start: int) -> Command:
        words: list[ShellWord] = []
        assignments: list[tuple[str, ShellWord | None]] = []
        redirects: list[Redirect] = []
        self._end = start
        while self.offset < len(self.text):
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            if self._operator() or self.offset >= len(self.text):
                break
            assignment = None if words else ASSIGNMENT.match(self.text, self.offset)
            if assignment is not None:
                self.offset = self._end = assignment.end()
                assignments.append((assignment[1], self._assigned(assignment)))
            else:
                words.append(self._word())
            self._blanks()
        if not words and not assignments and not redirects:
            raise BrokenError(self.offset)
        return Simple(tuple(words), tuple(assignments), tuple(redirects), self._span(start, self._end))

    def _assigned(self, assignment: re.Match[str]) -> ShellWord | None:
        """The value; `X+=b` is read as `X=${X}b`, and `X+=(b)` as `X=("${X[@]}" b)`."""
        start = self.offset
        name = assignment[1]
        appends = assignment[0].endswith("+=")
        if self.text.startswith("(", start):
            self.offset = self._end = parentheses_end(self.text, start + 1, 1)
            text = self.text[start : self.offset]
            text = f'("${{{name}[@]}}" {text[1:]}' if appends else text
            return ShellWord(text, None, self._span(start, self.offset))
        if start >= len(self.text) or self.text[start] in " \t\r\n;&|)<>":
            return None
        word = self._word()
        if assignment[2]:  # a job that is kept by a key is one more of the array
            is_job = word.text.strip('"') in ("$!", "${!}")
            return ShellWord(f'("${{{name}[@]}}" {word.text})' if is_job else "$UNKNOWN", None, word.span)
        return ShellWord(f"${{{name}}}{word.text}", None, word.span) if appends else word

    def _redirects(self) -> tuple[Redirect, ...]:
        redirects = []
        self._blanks()
        while (redirect := self._redirect()) is not None:
            redirects.append(redirect)
            self._blanks()
        return tuple(redirects)

    def _redirect(self) -> Redirect | None:
        self._blanks()
        found = _REDIRECT.match(self.text, self.offset)
        if found is None:
            return None
        self.offset = found.end()
        self._blanks()
        target = self._word()
        self._blanks()
        if found[1] in ("<<", "<<-"):
            delimiter = unquoted(target.text)
            here = HereText(delimiter != target.text)
            self.heredocs.append((delimiter, found[1] == "<<-", here))
            return Redirect(found[0], target, self._span(found.start(), self._end), here)
        return Redirect(found[0], target, self._span(found.start(), self._end))

    def _word(self) -> ShellWord:
        start = self.offset
        end = word_end(self.text, start)
        if end == start:
            raise BrokenError(start)
        self.offset = self._end = end
        text = self.text[start:end]
        return ShellWord(text, certain(text), self._span(start, end))

    def _blanks(self) -> None:
        """Skips blanks, continued lines and a comment."""
        space = SPACE.match(self.text, self.offset)
        if space is not None:
            self.offset = space.end()
        if self.text.startswith("\r\n", self.offset):
            self.offset += 1
        if self.text.startswith("#", self.offset) and (
            self.offset == 0 or self.text[self.offset - 1] in " \t\r\n;&|()"
        ):
            newline = self.text.find("\n", self.offset)
            self.offset = len(self.text) if newline < 0 else newline

    def _newlines(self) -> None:
        self._blanks()
        while self.text.startswith("\n", self.offset):
            self.offset += 1
            self._skip_heredocs()
            self._blanks()

    def _skip_heredocs(self) -> None:
        for delimiter, tabs, here in self.heredocs:
            start = self.offset
            while self.offset < len(self.text):
                newline = self.text.find("\n", self.offset)
                end = len(self.text) if newline < 0 else newline
                line, begin = self.text[self.offset : end].rstrip("\r"), self.offset
                self.offset = min(end + 1, len(self.text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    here.passage = _part(self.passage, start, begin)
                    break
        self.heredocs.clear()

    def _operator(self) -> str:
        self._blanks()
        found = _OPERATOR.match(self.text, self.offset)
        return found[0] if found else ""

    def _keyword(self) -> str:
        """The plain word that begins here, if it is a reserved one."""
        self._blanks()
        found = PLAIN.match(self.text, self.offset)
        if found is None or found[0] not in _RESERVED:
            return ""
        after = self.text[found.end() : found.end() + 1]
        return found[0] if not after or after in " \t\r\n;&|()<>" else ""

    def _expect(self, token: str) -> None:
        self._newlines()
        if not self.text.startswith(token, self.offset):
            raise BrokenError(self.offset)
        self.offset += len(token)
        self._end = self.offset

    def _span(self, start: int, end: int) -> Span:
        return self.passage.span(start, max(start, end))


_CONDITION_OPERATOR = pattern(r"&&|\|\||[()<>|&;]+")
_REGULAR_EXPRESSION = pattern(r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\[\s\S]|\S)+""")
_COMPOUND = {
    "{": "group",
    "if": "if",
    "while": "while",
    "until": "while",
    "for": "for",
    "select": "for",
    "case": "case",
    "function": "named_function",
    "[[": "condition",
}
_RESERVED = _CLOSERS | frozenset(_COMPOUND) | {"!", "in"}


def _part(passage: Passage, start: int, end: int) -> Passage:
    """A part of a passage, which knows its places line for line where it is written as it reads."""
    text, span = passage.text[start:end], passage.span(start, end)
    if span.text == text:
        return Passage.whole(span.source, span.start, span.end)
    return Passage(span.source, text, (Segment(0, span.start, len(text), span.end - span.start),))
