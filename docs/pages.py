"""What the site says of the code and its tables: made when it is built, and kept nowhere.

A hook of MkDocs (https://www.mkdocs.org/user-guide/configuration/#hooks). Pages for the rules are added; in the others
`<!-- table NAME -->` stands for what the function `NAME` makes.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import gracelint
import gracelint.testing
from gracelint.cli.parser import make_parser
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.report.rules import summary
from gracelint.rules import GROUPS, Address, addresses
from gracelint.testing import read

Row = Mapping[str, Any]
HERE = Path(__file__).parent
SCHEMA = Path(gracelint.__file__).with_name("settings.schema.json")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    (chapter,) = (entry["Rules"] for entry in config.nav or () if "Rules" in entry)
    for group in GROUPS:
        pages = {f"rules/{known.name}.md": rule_page(known) for known in addresses() if known.group == group}
        chapter.append({group: list(pages)})
        for path, content in pages.items():
            files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    markdown = re.sub(r"\[([^]]+)\]\(\.\./editors/\w+\)", r"\1", markdown)
    shown = re.sub(r"<!-- file (\S+) (\w+) -->", _file, markdown)
    return re.sub(r"<!-- table (\w+) -->", lambda found: TABLES[found[1]](), shown)


def _file(found: re.Match[str]) -> str:
    """A file of this folder as a block; four backticks, as documentation of rules has blocks of its own."""
    path, language = found[1], found[2]
    return f'````{language} title="{path.partition("/")[2]}"\n{(HERE / path).read_text()}````'


def tabulated(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """In code a bar is no border of a table, and a backslash before it would be shown."""
    parts = text.replace("\n", " ").split("`")
    return "`".join(part if index % 2 else part.replace("|", "&#124;") for index, part in enumerate(parts))


def code(text: object) -> str:
    return f"`{text}`" if text not in ("", None) else ""


def source(row: Row) -> str:
    """Where a row was read: addresses become links."""
    told = str(row.get("source", ""))
    return re.sub(r"https?://[^\s;,]+", lambda found: f"[{found[0].split('/')[2]}]({found[0]})", told)


# Rules


def rules() -> str:
    parts = []
    for group in GROUPS:
        known = [(address, address.load()) for address in addresses() if address.group == group]
        rows = (
            (f"[{address.name}]({address.name}.md)", rule.severity.value, summary(rule) + _strict(rule.strict))
            for address, rule in known
        )
        parts += [f"## {group}\n", tabulated(("Rule", "Severity", "What it reports"), rows), ""]
    return "\n".join(parts)


def _strict(strict: bool) -> str:
    return " *Only with `strict`.*" if strict else ""


def rule_page(address: Address) -> str:
    rule = address.load()
    about = f"# {rule.name}\n\n*{address.group}, {rule.severity.value}.*{_strict(rule.strict)}\n\n"
    return about + re.sub(r"```(\w+) (?:bad|good)(?: path=(\S+))?", _fence, rule.doc)


def _fence(found: re.Match[str]) -> str:
    return f'```{found[1]} title="{found[2]}"' if found[2] else f"```{found[1]}"


# Settings and commands


def settings() -> str:
    parts = []
    for name, about in json.loads(SCHEMA.read_text())["properties"].items():
        parts += [f"## {name}\n", about["description"], "", f"*{_type(about)}*\n"]
        entry = about.get("items") or about.get("additionalProperties") or about
        inner = entry.get("properties", {}) if isinstance(entry, dict) else {}
        inner = inner or about.get("properties", {})
        rows = [(code(key), _type(value), value.get("description", "")) for key, value in inner.items()]
        parts += [tabulated(("Key", "Type", "Meaning"), rows), ""] if rows else []
    return "\n".join(parts)


def _type(about: Row) -> str:
    if "enum" in about:
        return "one of " + ", ".join(code(value) for value in about["enum"])
    kind = about.get("type", "")
    if kind == "array":
        return f"list of {_type(about.get('items', {}))}"
    if kind == "object" and isinstance(about.get("additionalProperties"), dict):
        return f"table of {_type(about['additionalProperties'])}"
    return (
        {"object": "table", "boolean": "true or false"}.get(kind, kind) if isinstance(kind, str) else " or ".join(kind)
    )


def commands() -> str:
    parser = make_parser()
    parts = [_help("gracelint", parser)]
    for name, inner in _subcommands(parser).items():
        parts += [f"## {name}\n", _help(f"gracelint {name}", inner)]
    return "\n".join(parts)


def _help(name: str, parser: Any) -> str:
    return f"```console\n$ {name} --help\n{parser.format_help().rstrip()}\n```\n"


def _subcommands(parser: Any) -> dict[str, Any]:
    for action in parser._actions:
        if isinstance(action.choices, dict):
            return dict(action.choices)
    return {}


# What is known of images, servers, shells, tools and libraries

VERDICTS = {
    Verdict.HANDLED: "✅ handled",
    Verdict.IGNORED: "❌ ignored",
    Verdict.CUT: "✂️ cut",
    Verdict.UNKNOWN: "❔ unknown",
}


def images() -> str:
    rows = (row for name in image_names() for row in _image(name))
    return tabulated(("Image", "Starts", "Stop signal", "Verdict", "Why"), (row for row in rows if row[3] != BASE))


def base_images() -> str:
    return ", ".join(row[0] for name in image_names() for row in _image(name) if row[3] == BASE)


@cache
def image_names() -> list[str]:
    """The images that have a row of their own, by the names without wildcards."""
    rows = table("images")["images"]
    return sorted({name for row in rows for name in row["names"] if not set(name) & set("*?[{")})


BASE = "a base image"
ENDS = "it ends at once"
"""How gracelint says that a shell or interpreter is started with nothing to do."""


@cache
def _image(name: str) -> list[tuple[str, ...]]:
    launches = read({"Dockerfile": f"FROM {name}\n"}).launches
    return [
        (
            code(name),
            code(" ".join(word.value for word in launch.argv or ())),
            code(launch.stop_signal.value),
            BASE if launch.why.endswith(ENDS) else VERDICTS[launch.verdict],
            launch.why,
        )
        for launch in launches[:1]
    ]


SIGNALS = {
    "graceful": "finishes its work",
    "drops": "drops what is in flight",
    "stays": "goes on",
    "unhandled": "has no handler",
}


def servers() -> str:
    rows = (
        (f"**{row.get('label', name)}**", _signals(row.get("signals", {})), _drain(row.get("drain", {})), source(row))
        for name, row in table("servers").items()
    )
    return tabulated(("Program", "On a signal", "Time it takes", "Source"), rows)


def _signals(signals: Row) -> str:
    by_effect: dict[str, list[str]] = {}
    for signal, effect in signals.items():
        by_effect.setdefault(effect, []).append(code(signal))
    return "; ".join(f"{', '.join(names)}: {SIGNALS.get(effect, effect)}" for effect, names in by_effect.items())


def _drain(drain: Row) -> str:
    told = [f"{drain['default']} s" if "default" in drain else "", str(drain.get("unbounded", ""))]
    told.append(f"set by {code(drain['flag'])}" if "flag" in drain else "")
    return ", ".join(filter(None, told))


def shells() -> str:
    rows = (
        (f"**{row['title']}**", ", ".join(row.get("execs", ())) or "nothing: it always stays in front", source(row))
        for row in table("shells").values()
        if isinstance(row, Mapping) and "title" in row
    )
    return tabulated(("Shell", "Execs its last command in", "Source"), rows)


def package_managers() -> str:
    rows = (
        (", ".join(map(code, row.get("names", [name]))), _effects(row), source(row))
        for name, row in table("package_managers").items()
        if "effect" in row
    )
    return tabulated(("Command", "Effect", "Source"), rows)


def _effects(row: Row) -> str:
    told = [str(row["effect"])]
    for part in row.get("versions", ()):
        bounds = [
            f"from {part['from']}" if "from" in part else "",
            f"before {part['until']}" if "until" in part else "",
        ]
        told.append(f"{' and '.join(filter(None, bounds))}: {part.get('effect', row['effect'])}")
    return "; ".join(told)


def wrappers() -> str:
    parts = []
    for title, name in (("Inits", "inits"), ("Wrappers", "wrappers"), ("Supervisors", "supervisors")):
        rows = (
            (", ".join(map(code, row.get("names", [key]))), str(row.get("effect", "forwards")), source(row))
            for key, row in table(name).items()
            if isinstance(row, Mapping)
        )
        parts += [f"## {title}\n", tabulated(("Command", "Effect", "Source"), rows), ""]
    return "\n".join(parts)


LANGUAGES = {
    "python": "Python",
    "node": "Node",
    "go": "Go",
    "java": "JVM",
    "dotnet": ".NET",
    "ruby": "Ruby",
    "php": "PHP",
    "rust": "Rust",
}


def libraries() -> str:
    parts = []
    for name, title in LANGUAGES.items():
        rows = [(code(path), kind, source(row)) for path, kind, row in _rows(name)]
        parts += [f"## {title}\n", tabulated(("Name", "Table", "Source"), rows), ""] if rows else []
    return "\n".join(parts)


def _rows(name: str) -> Iterator[tuple[str, str, Row]]:
    """Rows with a source, however deep their table lies."""
    try:
        left: list[tuple[str, str, Any]] = [("", "", table(name))]
    except FileNotFoundError:
        return
    while left:
        kind, path, value = left.pop(0)
        if isinstance(value, Mapping) and path and "source" in value:
            yield path, kind, value
        elif isinstance(value, Mapping):
            left += [(path or kind, str(key), inner) for key, inner in value.items()]


# What a rule gets


def testing() -> str:
    return _functions(gracelint.testing, gracelint.testing.__all__)


def functions() -> str:
    return _functions(gracelint, gracelint.__all__)


def edits() -> str:
    """What each kind of file can be edited to, by the module that does it."""
    parts = []
    for name in gracelint.edits.__all__:
        module = getattr(gracelint.edits, name)
        own = [each for each, made in vars(module).items() if getattr(made, "__module__", "") == module.__name__]
        public = [each for each in own if not each.startswith("_")]
        about = (inspect.getdoc(module) or "").partition("\n")[0]
        parts += [f"### edits.{name}\n", about, "", _functions(module, public), ""]
    return "\n".join(parts)


def _functions(module: Any, names: Iterable[str]) -> str:
    made = [value for name in names if inspect.isfunction(value := getattr(module, name))]
    rows = ((code(each.__name__ + _given(each)), " ".join((each.__doc__ or "").split())) for each in made)
    return tabulated(("Function", "What it does"), rows)


def _given(function: Any) -> str:
    """`(program: Program, seconds: float)`; annotations are texts in the source."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)).partition(" ->")[0])


def reference() -> str:
    parts = []
    for name in gracelint.__all__:
        value = getattr(gracelint, name)
        if isinstance(value, type):
            parts += [f"## {name}\n", (value.__doc__ or "").strip(), "", _attributes(value), ""]
    return "\n".join(parts)


def _attributes(value: type) -> str:
    """The attributes and properties of a class, each with the text that stands below it in the source."""
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    assert isinstance(made, ast.ClassDef)
    rows: list[tuple[str, ...]] = []
    for index, node in enumerate(made.body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_"):
            after = made.body[index + 1] if index + 1 < len(made.body) else None
            rows.append((code(node.target.id), code(ast.unparse(node.annotation)), _told(after)))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            after = made.body[index + 1] if index + 1 < len(made.body) else None
            rows.append((code(node.targets[0].id), code(ast.unparse(node.value)), _told(after)))
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = ", ".join(each.arg for each in node.args.args[1:])
            called = node.name if not given and node.decorator_list else f"{node.name}({given})"
            told = (ast.get_docstring(node) or "").replace("\n", " ")
            rows.append((code(called), code(ast.unparse(node.returns)) if node.returns else "", told))
    return tabulated(("Attribute", "Type", "Meaning"), rows) if rows else ""


def _told(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


TABLES = {
    made.__name__: made
    for made in (
        rules,
        settings,
        commands,
        images,
        base_images,
        servers,
        shells,
        package_managers,
        wrappers,
        libraries,
        testing,
        functions,
        edits,
        reference,
    )
}
