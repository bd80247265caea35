"""Reads package.json. The standard `json` module says what is in it; a scan of the tokens says where."""

from __future__ import annotations

import json

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.facts.package import Package
from gracelint.parse.errors import ParseError
from gracelint.source import Passage, Segment, Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOKEN = pattern(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')
_ESCAPE = pattern(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)")


@lru_cache(maxsize=256)
def read_package(source: Source) -> Package:
    """The package.json's facts. Raises ParseError where it is no JSON object."""
    data = _load(source)
    spans, script_spans = _string_spans(source.text)

    def word(key: str) -> Word | None:
        value = data.get(key)
        place = spans.get(key)
        return Word(value, source.span(*place)) if isinstance(value, str) and place else None

    scripts = {key: _passage(source, start + 1, end - 1) for key, (start, end) in script_spans.items()}
    manager, name = data.get("packageManager"), data.get("name")
    dependencies: dict[str, str] = {}
    for kind in ("peerDependencies", "optionalDependencies", "devDependencies", "dependencies"):
        dependencies |= _strings(data.get(kind))
    return Package(
        source=source,
        scripts=scripts,
        main=word("main"),
        name=name if isinstance(name, str) else None,
        module=data.get("type") == "module",
        manager=manager if isinstance(manager, str) else None,
        dependencies=dependencies,
        workspaces=_workspaces(data.get("workspaces")),
    )


def _load(source: Source) -> dict[str, Any]:
    text = source.text
    start = 1 if text.startswith("\ufeff") else 0
    try:
        data = json.loads(text[start:])
    except json.JSONDecodeError as error:
        at = min(error.pos + start, len(text))
        raise ParseError(f"no valid JSON: {error.msg}", source.span(at, min(at + 1, len(text)))) from error
    except RecursionError as error:
        raise ParseError("no valid JSON: nested too deeply", source.span(start, start)) from error
    except ValueError as error:
        raise ParseError(f"no valid JSON: {error}", source.span(start, start)) from error
    if not isinstance(data, dict):
        raise ParseError("a package.json is an object", source.span(start, len(text)))
    return data


def _string_spans(text: str) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Where the strings stand that are members of the top object, and of its `scripts`, quotes included.

    The text is known to be valid JSON. As in JSON, the last of two equal keys counts.
    """
    top: dict[str, tuple[int, int]] = {}
    scripts: dict[str, tuple[int, int]] = {}
    depth = 0
    keys = ["", ""]
    after_colon = False
    for token in _TOKEN.finditer(text):
        kind = text[token.start()]
        if kind == '"':
            if depth == 1 and after_colon:
                top[keys[0]] = token.span()
            elif depth == 2 and after_colon and keys[0] == "scripts":
                scripts[keys[1]] = token.span()
            elif depth in (1, 2) and not after_colon:
                keys[depth - 1] = json.loads(token.group())
        elif kind in "{[":
            depth += 1
            if depth == 2 and keys[0] == "scripts":
                scripts.clear()
            after_colon = False
        else:
            depth -= kind in "}]"
            after_colon = kind == ":"
    return top, scripts


def _passage(source: Source, start: int, end: int) -> Passage:
    """The text between the quotes of a JSON string, with its escapes resolved."""
    parts: list[str] = []
    segments: list[Segment] = []
    offset = 0
    at = start
    raw = source.text

    def plain(until: int) -> None:
        nonlocal offset
        if until > at:
            parts.append(raw[at:until])
            segments.append(Segment(offset, at, until - at, until - at))
            offset += until - at

    for escape in _ESCAPE.finditer(raw, start, end):
        plain(escape.start())
        char = json.loads(f'"{escape.group()}"')
        parts.append(char)
        segments.append(Segment(offset, escape.start(), len(char), len(escape.group())))
        offset += len(char)
        at = escape.end()
    plain(end)
    return Passage(source, "".join(parts), tuple(segments) or (Segment(0, start, 0, 0),))


def _strings(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def _workspaces(value: object) -> tuple[str, ...]:
    """A list, or (Yarn 1) an object with the list under `packages`."""
    if isinstance(value, dict):
        value = value.get("packages")
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
