"""The text of package.json's scripts, as the tools that run them read it."""

from __future__ import annotations

import re

from gracelint.source import Passage, Segment, Word


def with_words(passage: Passage, extra: tuple[Word, ...]) -> Passage:
    """The script with the words of the command line behind it, quoted as package managers do."""
    if not extra:
        return passage
    added = "".join(f" {quoted(word.value)}" for word in extra)
    length = len(passage.text)
    last = passage.span(length, length).start
    return Passage(passage.source, passage.text + added, (*passage.segments, Segment(length, last, len(added), 0)))


def quoted(word: str) -> str:
    if word and all(char.isalnum() or char in "-_./:=@%+," for char in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def without_shell(text: Passage) -> tuple[Word, ...] | None:
    """The words of the last command of an `&&` list, for tools that read scripts themselves; None where it is more."""
    start = text.text.rfind("&&") + 2 if "&&" in text.text else 0
    rest = text.text[start:]
    if any(char in rest for char in "|&;<>()`$\n\\"):
        return None
    words: list[Word] = []
    at = start
    while at < len(text.text):
        char = text.text[at]
        if char.isspace():
            at += 1
            continue
        begin = at
        quote = char if char in "\"'" else ""
        if quote:
            at = text.text.find(quote, begin + 1)
            if at < 0:
                return None
            words.append(Word(text.text[begin + 1 : at], text.span(begin, at + 1)))
            at += 1
            continue
        while at < len(text.text) and not text.text[at].isspace():
            at += 1
        words.append(Word(text.text[begin:at], text.span(begin, at)))
    while words and is_assignment(words[0].value):
        words.pop(0)
    if words and words[0].value == "exec":
        words.pop(0)
    return tuple(words) or None


def is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def split(word: Word) -> tuple[Word, ...]:
    return tuple(Word(part, word.span) for part in word.value.split())


def run_by_bun(script: Passage) -> Passage:
    """Bun runs the `npm run` of a script itself. The text keeps its length, so that its places stay right."""
    text = re.sub(r"(?<![\w./-])(npm|yarn|pnpm)(?= run\b)", lambda match: "bun".ljust(len(match[1])), script.text)
    return Passage(script.source, text, script.segments)


def made_passage(text: str, at: Word) -> Passage | None:
    """A text that stands nowhere as such: all of it is at the place of a word."""
    span = at.span
    return Passage(span.source, text, (Segment(0, span.start, len(text), 0),)) if span is not None else None
