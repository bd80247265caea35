"""Files that a script writes before it starts the program: here texts, copies, templates."""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.launch.shell.paths import NOWHERE
from gracelint.launch.words import base_name
from gracelint.parse.expansion import expand
from gracelint.source import Passage, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from gracelint.facts.script import Redirect, Simple
    from gracelint.launch.shell.paths import State
    from gracelint.source import Word

_LONGEST = 50_000
"""Characters of a file that is kept."""
_ESCAPED = pattern(r"\\([$`\\])|\$(?:\{(\w+)\}|(\w+))")
_VARIABLE = pattern(r"\$(?:\{(\w+)\}|(\w+))")


def note_writes(
    words: list[Word],
    command: Simple,
    state: State,
    read: Callable[[str, str], Passage | None],
    is_sure: bool = True,
) -> None:
    """Takes down what a command writes: its text where that can be told, else that the file is another one now.

    Of a command that is not sure to run, it is not known what the file says then.
    """
    before = state.written
    _note(words, command, state, read)
    name, path = words[0].value, _path_of(command.redirects[-1], state) if command.redirects else None
    if name == "echo" and len(words) == 2 and path is not None:
        # what `echo $! > app.pid` puts into a file is there for `$(cat app.pid)`
        state.variables[f"cat {path}"] = words[1].value if is_sure else None
    if not is_sure:
        state.written = {each: text if before.get(each) is text else None for each, text in state.written.items()}


def _path_of(redirect: Redirect, state: State) -> str | None:
    """The file that a redirection writes anew."""
    return state.text(redirect.target) if redirect.operator == ">" and redirect.target is not None else None


def _note(words: list[Word], command: Simple, state: State, read: Callable[[str, str], Passage | None]) -> None:
    name = base_name(words[0].value)
    operands = [word.value for word in words[1:] if not word.value.startswith("-")]
    if name in ("cp", "mv", "ln", "install") and len(operands) == 2:
        _set(operands[1], _text_of(operands[0], state, read), state, over=operands[0])
        _note_folder(operands[0], operands[1], state)
    elif name in ("sed", "perl") and any(word.value.startswith("-i") for word in words[1:]) and operands:
        _set(operands[-1], None, state)
    target = _target(command.redirects, state)
    if name == "tee" and operands:
        target = operands[0]
    if target is None:
        return
    appends = any(redirect.operator.endswith(">>") for redirect in command.redirects) or "-a" in operands
    here = next((redirect.here for redirect in command.redirects if redirect.here is not None), None)
    text: Passage | None = None
    if here is not None and here.passage is not None and name in ("cat", "tee"):
        text = here.passage if here.literal else _expanded(here.passage, state)
    elif name == "envsubst":
        source = next((redirect for redirect in command.redirects if redirect.operator == "<"), None)
        path = state.text(source.target) if source is not None and source.target is not None else None
        found = _text_of(path, state, read) if path is not None else None
        text = _substituted(found, state) if found is not None else None
    elif name == "cat" and len(operands) == 1:
        text = _text_of(operands[0], state, read)
    elif name == "sed" and len(operands) == 2 and (ends := _LINE_ENDS.fullmatch(operands[0])) is not None:
        found = _text_of(operands[1], state, read)
        text = _without(found, "\r" if ends[1] == r"\r" else ends[1]) if found is not None else None
    _set(target, None if appends else text, state)


_LINE_ENDS = pattern(r"s/(\\r|\w)\$//")
"""What sed takes off the lines of a script that was checked out on Windows; Compose leaves no `\\` in double quotes."""


def _without(passage: Passage, end: str) -> Passage:
    """A text without a character at the end of its lines."""
    lines = passage.text.split("\n")
    if not any(line.endswith(end) for line in lines):
        return passage
    return _elsewhere(passage, "\n".join(line.removesuffix(end) for line in lines))


def _note_folder(source: str, target: str, state: State) -> None:
    """Takes down that the files of one folder are in another one now: `cp -a /templates/. /etc/nginx/`."""
    below, place = _place(source, state), _place(target, state)
    if source.endswith("/.") and below is not None and place is not None:
        state.copied = {**state.copied, place: below}


def _target(redirects: tuple[Redirect, ...], state: State) -> str | None:
    """The file that standard output goes to."""
    found = [one for one in redirects if one.operator in (">", ">>", ">|", "1>", "1>>") and one.target is not None]
    return state.text(found[-1].target) if found and found[-1].target is not None else None


def _set(path: str, text: Passage | None, state: State, over: str = "") -> None:
    if path.endswith("/"):
        path = posixpath.join(path, posixpath.basename(over))
    place = _place(path, state)
    if place is not None and not place.startswith("/dev/"):
        kept = text if text is not None and len(text.text) <= _LONGEST else None
        state.written = {**state.written, place: kept}


def _place(path: str, state: State) -> str | None:
    if "$" in path or "\x00" in path or (state.working_dir == NOWHERE and not path.startswith("/")):
        return None
    return posixpath.normpath(posixpath.join(state.working_dir, path))


def _text_of(path: str, state: State, read: Callable[[str, str], Passage | None]) -> Passage | None:
    place = _place(path, state)
    if place is not None and place in state.written:
        return state.written[place]
    folder = state.copied.get(posixpath.dirname(place)) if place is not None else None
    if folder is not None and place is not None:
        found = read(posixpath.join(folder, posixpath.basename(place)), state.working_dir)
        return found if found is not None else read(path, state.working_dir)
    return read(path, state.working_dir)


def _expanded(passage: Passage, state: State) -> Passage | None:
    """A here text with the values of its variables."""
    text = passage.text
    if "$" not in text and "`" not in text and "\\" not in text:
        return passage
    quoted = text.replace('"', '\\"')
    fields = expand(f'"{quoted}"', state.scope)
    if fields is not None:
        return _elsewhere(passage, " ".join(fields))
    # what is not known stays a variable, and so is not known to those who read the file either
    return _elsewhere(passage, _ESCAPED.sub(lambda found: _value(found, state), text))


def _value(found: re.Match[str], state: State) -> str:
    if found[1]:
        return found[1]
    value = state.variables.get(found[2] or found[3], None)
    return found[0] if value is None else value


def _substituted(passage: Passage, state: State) -> Passage | None:
    values = {name: state.variables.get(name, "") for name in state.exported}
    names = {found[1] or found[2] for found in _VARIABLE.finditer(passage.text)}
    if any(values.get(name, "") is None for name in names):
        return None
    return _elsewhere(passage, _VARIABLE.sub(lambda found: values.get(found[1] or found[2]) or "", passage.text))


def _elsewhere(passage: Passage, text: str) -> Passage:
    """Another text, all of which stands where the passage does."""
    span = passage.span(0, len(passage.text))
    return Passage(span.source, text, (Segment(0, span.start, len(text), span.end - span.start),))
