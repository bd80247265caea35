"""Jars that the JDK's own `jar` packs in a RUN line, and the class that they start."""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.dockerfile import Stage
    from gracelint.launch.step import Context

_JAR = pattern(r"(?m)(?:^|[;&|(])[ \t]{0,20}(?:[\w/.]{0,100}/)?jar[ \t]+([^;&|)\n]{1,2000})")
_MAIN = pattern(r"\bMain-Class:[ \t]*([\w.$]+)")
_LETTERS = frozenset("cvfmeM0")
_LONG = {"-f": "f", "--file": "f", "-e": "e", "--main-class": "e", "-m": "m", "--manifest": "m"}


def packed_main(path: str, context: Context) -> str | None:
    """The class that a jar starts: of the one that is packed under its name, else of the only one there is."""
    stage = context.image.stage
    if stage is None:
        return None
    found = [one for text in _runs(stage) for one in _packed(text, context)]
    named = [main for name, main in found if posixpath.basename(name) == posixpath.basename(path)]
    mains = set(named or [main for _, main in found])
    return mains.pop() if len(mains) == 1 else None


def _runs(stage: Stage) -> Iterator[str]:
    for one in (stage, *(stage.siblings or {}).values()):
        for above in one.lineage():
            for item in above.instructions:
                if item.name == "RUN":
                    yield item.argument.text.replace("\\\n", " ")


def _packed(text: str, context: Context) -> Iterator[tuple[str, str]]:
    for match in _JAR.finditer(text):
        words = [word.strip("'\"") for word in match[1].split()]
        given = _options(words)
        main = given.get("e") or _written(given.get("m", ""), text, context)
        if given.get("c") and main:
            yield given.get("f", ""), main


def _options(words: list[str]) -> dict[str, str]:
    """`--create --file app.jar --main-class Main`, `cfe app.jar Main`, `-cvfm app.jar manifest`."""
    given: dict[str, str] = {}
    letters = words[0].removeprefix("-")
    rest = words[1:]
    if not words[0].startswith("--") and "c" in letters and _LETTERS.issuperset(letters):
        given["c"] = "c"
        for letter in letters:
            if letter in "fme" and rest:
                given[letter] = rest.pop(0)
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in ("--create", "-c"):
            given["c"] = "c"
        elif name in _LONG:
            given[_LONG[name]] = value if equals else words[index + 1] if index + 1 < len(words) else ""
    return given


def _written(manifest: str, text: str, context: Context) -> str | None:
    """The class that a manifest names: a file of the project, or one that the same RUN writes."""
    if not manifest:
        return None
    folder = context.image.context or ""
    places = (posixpath.normpath(posixpath.join(folder, one)) for one in (manifest, posixpath.basename(manifest)))
    source = next((one for place in places if (one := context.files.read(place)) is not None), None)
    found = _MAIN.search(source.text if source is not None else text)
    return found[1] if found is not None else None
