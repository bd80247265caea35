"""The command line of `java`, with the options that the environment adds."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.source import Located, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUES = frozenset(
    (
        *("-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules"),
        *("--add-exports", "--add-opens", "--add-reads", "--limit-modules", "--patch-module", "--source"),
    )
)
_PATHS = ("-cp", "-classpath", "--class-path")
_OPEN = pattern(r"\$\{?\w*(?:OPT|ARG|FLAG)\w*(?:\[[@*]\])?\}?")
"""A variable of options whose value the files do not say."""
ENVIRONMENT = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
"""What adds options: to any JVM, and to the `java` launcher from JDK 9 on."""


class Started(Record, identity=True):
    """What `java` starts. `kind` is jar, class, module, or "" where it starts nothing."""

    kind: str
    target: Word | None
    options: tuple[Word, ...]
    class_path: tuple[str, ...]
    system: Mapping[str, Located[str | None]]
    """What `-D` sets."""
    arguments: tuple[Word, ...]
    unread: str | None = None
    """Why there may be other options."""


def read_command(argv: tuple[Word, ...], env: Mapping[str, str | None]) -> Started:
    """The environment's options come first, as the JVM has them."""
    more: list[Word] = []
    unread = None
    for name in ENVIRONMENT:
        text = env.get(name, "")
        if text is None or "$" in text:
            unread = f"{name} is only known when it runs"
        elif text:
            more += [Word(part) for part in text.split()]
    words = [*more, *argv[1:]]
    options: list[Word] = []
    class_path: list[str] = []
    system: dict[str, Located[str | None]] = {}
    index = 0
    while index < len(words):
        word = words[index]
        if index + 1 < len(words) and _OPEN.fullmatch(word.value):
            unread = f"{word.value} is only known when it runs"
            index += 1
            continue
        if not word.value.startswith(("-", "@")):
            break
        name, equals, value = word.value.partition("=")
        index += 1
        if name in ("-jar", "-m", "--module") and not equals:
            target = words[index] if index < len(words) else None
            kind = "jar" if name == "-jar" else "module"
            return Started(
                kind if target else "",
                target,
                tuple(options),
                tuple(class_path),
                system,
                (*words[index + 1 :],),
                unread,
            )
        options.append(word)
        if name in _VALUES and not equals:
            value = words[index].value if index < len(words) else ""
            index += 1
        if name in _PATHS:
            class_path = [part for part in value.split(":") if part]
        elif name.startswith("-D"):
            system[name[2:]] = Located(value if equals else "", word.span)
    kind = "class" if index < len(words) else ""
    target = words[index] if kind else None
    return Started(kind, target, tuple(options), tuple(class_path), system, tuple(words[index + 1 :]), unread)
