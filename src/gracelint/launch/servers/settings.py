"""What a server is told: its command line, its environment and its configuration file, the strongest last."""

from __future__ import annotations

import posixpath

from gracelint.base.record import Record
from gracelint.launch.images.image import find_file, list_folder
from gracelint.source import Located, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gracelint.launch.step import Context
    from gracelint.source import Passage, Source, Span

    Options = dict[str, "Located[str | None]"]


class ServerSettings(Record, identity=True):
    """Options by their long name in snake case; a value of None is there but cannot be read."""

    options: Mapping[str, Located[str | None]]
    operands: tuple[str, ...] = ()
    unread: str | None = None
    """Why options that are not in `options` may be set all the same: a configuration file that cannot be read."""


def read_settings(argv: tuple[Word, ...], context: Context, row: Mapping[str, Any]) -> ServerSettings:
    """Reads them with the precedence that servers share: command line, then environment, then file."""
    given, operands = _arguments(argv[1:], row)
    environment, lost = _environment(context, row)
    options = environment | given
    lost = lost or _set_by_run(context, row)
    spec = row.get("config")
    if spec is None:
        return ServerSettings(options, operands, lost)
    try:
        configured = _READERS[spec["reader"]](options, operands, spec, context)
    except _UnreadError as reason:
        return ServerSettings({**reason.found, **options}, operands, str(reason))
    return ServerSettings(configured | options, operands, lost)


def called_with(options: Mapping[str, float | str | bool | None]) -> ServerSettings:
    """The keyword arguments of a call in a program's source."""
    return ServerSettings(
        {name: Located(None if value is None else str(value).lower()) for name, value in options.items()}
    )


class _UnreadError(Exception):
    """A configuration that is there and cannot be read; `found` is what was set beside it."""

    def __init__(self, reason: str, found: Options | None = None) -> None:
        super().__init__(reason)
        self.found = found or {}


def _arguments(words: Iterable[Word], row: Mapping[str, Any]) -> tuple[Options, tuple[str, ...]]:
    """Options and operands, in any order as most servers allow."""
    short, switches = row.get("short", {}), frozenset(row.get("switches", ()))
    prefix = row.get("prefix", "")
    found: Options = {}
    operands = []
    queue = list(words)
    for index, word in enumerate(queue):
        text = word.value
        if not text.startswith("-") or text in ("-", "--"):
            before = queue[index - 1].value if index else ""
            if text not in ("-", "--") and not _takes_next(before, short, switches, prefix):
                operands.append(text)
            continue
        name, equals, value = text.partition("=")
        if prefix and name.startswith(prefix):
            name = name[len(prefix) :]
        if equals:
            found[_long(name, short)] = Located(_known(value), word.span)
        elif text[1] != "-" and len(text) > 2 and text[1] in short:
            found[short[text[1]]] = Located(_known(text[2:]), word.span)
        elif _long(name, short) in switches or index + 1 == len(queue) or queue[index + 1].value.startswith("-"):
            found[_long(name, short)] = Located("true", word.span)
            if text[1] != "-":
                found |= {letter: Located("true", word.span) for letter in text[1:] if letter in switches}
        else:
            following = queue[index + 1]
            found[_long(name, short)] = Located(_known(following.value), following.span)
    return found, tuple(operands)


def _takes_next(option: str, short: Mapping[str, str], switches: frozenset[str], prefix: str) -> bool:
    if not option.startswith("-") or option in ("-", "--") or "=" in option:
        return False
    if option[1] != "-" and len(option) > 2 and option[1] in short:
        return False
    name = _long(option[len(prefix) :] if prefix and option.startswith(prefix) else option, short)
    return name not in switches and not (option[1] != "-" and option[-1] in switches)


def _long(name: str, short: Mapping[str, str]) -> str:
    bare = name.lstrip("-")
    return str(short.get(bare, bare.replace("-", "_").replace(".", "_")))


def _known(value: str) -> str | None:
    return None if "$" in value else value


def _environment(context: Context, row: Mapping[str, Any]) -> tuple[Options, str | None]:
    found: Options = {}
    lost = None
    for name in row.get("env_args", ()):
        text = context.env.get(name, "")
        if text == "":
            continue
        if text is None or "$" in text:
            lost = f"{name} is only known when it runs"
            continue
        import shlex

        try:
            found |= _arguments([Word(part) for part in shlex.split(text)], row)[0]
        except ValueError:
            lost = f"{name} cannot be read"
    prefix = row.get("env_prefix")
    if prefix is not None:
        for option in options_of(row):
            name = prefix + option.upper()
            if name in context.env:
                value = context.env[name]
                found[option] = Located(None if value is None else _known(value))
    return found, lost


def _set_by_run(context: Context, row: Mapping[str, Any]) -> str | None:
    """A RUN line that names an option has probably written it into a configuration file (`sed -i`, `echo >>`)."""
    if "config" not in row or context.image.stage is None:
        return None
    names = [spelling for option in options_of(row) for spelling in {option, option.replace("_", "-")} if "_" in option]
    for stage in context.image.stage.lineage():
        for item in stage.instructions:
            if item.name == "RUN":
                text = item.argument.text
                name = next((name for name in names if name in text), None)
                if name is not None:
                    return f"a RUN line sets {name}"
    return None


def options_of(row: Mapping[str, Any]) -> set[str]:
    """The options that bear on what the row says."""
    named = {variant["option"] for variant in row.get("when", ()) if "option" in variant}
    return named | {row[key]["option"] for key in ("drain", "application") if "option" in row.get(key, ())}


# Configuration files


def config_files(options: Options, spec: Mapping[str, Any], context: Context) -> list[Passage]:
    """The file an option names, else those read by default. Raises _UnreadError for a named one that is not here."""
    named = options.get(spec.get("option", ""))
    if named is None:
        return [passage for path in spec.get("files", ()) for passage in _matching(path, context)]
    if named.value is None:
        raise _UnreadError("which configuration file it reads is only known when it runs")
    path = named.value.removeprefix("file:")
    if path.startswith("python:"):
        path = path[len("python:") :].replace(".", "/") + ".py"
    found = find_file(context.image, context.files, path, context.working_dir)
    if found is None:
        raise _UnreadError(f"its configuration file {path} is not in the project")
    return [found]


def _matching(pattern: str, context: Context) -> list[Passage]:
    """The files of the image that a path means, in which one folder and the name may have a `*`."""
    folder, name = posixpath.split(pattern)
    folders, names = [folder], [name]
    if "*" in folder:
        before, _, after = folder.partition("/*")
        found = list_folder(context.image, context.files, before, context.working_dir)
        folders = [f"{before}/{entry.rstrip('/')}{after}" for entry in found]
    paths = []
    for folder in folders:
        if "*" in name:
            from fnmatch import filter as matching

            names = matching(sorted(list_folder(context.image, context.files, folder, context.working_dir)), name)
        paths += [posixpath.join(folder, name) for name in names]
    passages = (find_file(context.image, context.files, path, context.working_dir) for path in paths)
    return [passage for passage in passages if passage is not None]


def _python(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """Literal assignments at the top of a Python file."""
    found: Options = {}
    for passage in config_files(options, spec, context):
        import ast

        try:
            tree = ast.parse(passage.text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise _UnreadError(f"{passage.source.path} is no valid Python") from None
        top = {id(node) for node in tree.body}
        lines = _line_spans(passage)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                raise _UnreadError(f"{passage.source.path} takes its settings from another module")
            if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            literal = _literal(node.value, context) if node.value is not None else None
            certain = id(node) in top and literal is not None
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = Located(str(literal).lower() if certain else None, lines.get(node.lineno))
    return found


def _ruby(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """`name value` at the top of a Ruby file: a number, a symbol, a text, or a variable with a default."""
    import re

    line_of = re.compile(r"^( *)(\w+)[ (]+(.+?)\)?\s*(?:#.*)?$")
    variable = re.compile(r"^ENV(?:\.fetch\(|\[)[\"'](\w+)[\"'][\])]?(?:,\s*|\)?\s*(?:\|\||\{)\s*)?[\"']?([\w.-]*)")
    found: Options = {}
    for passage in config_files(options, spec, context):
        spans = _line_spans(passage)
        for number, line in enumerate(passage.text.split("\n"), 1):
            parts = line_of.match(line)
            if parts is None or line.lstrip().startswith("#"):
                continue
            indent, name, value = parts.groups()
            its: str | None = None if indent or " if " in value or " unless " in value else value.strip("\"':")
            fetched = variable.match(value)
            if fetched is not None and its is not None:
                its = context.env.get(fetched[1], fetched[2]) or None
            elif its is not None and not re.fullmatch(r"[\w./:-]+", its):
                its = None
            found[name] = Located(its, spans[number])
    return found


def _literal(node: ast.expr, context: Context) -> object:
    """What an expression of literals and environment variables comes to; None where that is not known."""
    import ast

    if isinstance(node, ast.Constant):
        return node.value
    if not isinstance(node, ast.Call) or node.keywords or not node.args:
        return None
    name = ast.unparse(node.func)
    if name in ("int", "float", "str") and len(node.args) == 1:
        value = _literal(node.args[0], context)
        try:
            return None if value is None else {"int": int, "float": float, "str": str}[name](str(value))
        except ValueError:
            return None
    if name in ("os.environ.get", "environ.get", "os.getenv", "getenv"):
        key = _literal(node.args[0], context)
        if isinstance(key, str) and key in context.env:
            return context.env[key]
        return _literal(node.args[1], context) if len(node.args) > 1 else None
    return None


def _line_spans(passage: Passage) -> dict[int, Span]:
    spans, offset = {}, 0
    for number, line in enumerate(passage.text.split("\n"), 1):
        spans[number] = passage.span(offset, offset + len(line.rstrip("\r")))
        offset += len(line) + 1
    return spans


def _toml(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    from gracelint import toml

    found: Options = {}
    for passage in config_files(options, spec, context):
        try:
            values = toml.loads(passage.text)
        except toml.TOMLDecodeError:
            raise _UnreadError(f"{passage.source.path} cannot be read as TOML") from None
        found |= {name: Located(str(value).lower(), passage.span(0, 0)) for name, value in values.items()}
    return found


def _lines(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """`name value` lines (haproxy)."""
    found: Options = {}
    for passage in config_files(options, spec, context):
        for start, line in _each_line(passage):
            words = line.split("#", 1)[0].split()
            if len(words) > 1:
                found[_long(words[0], {})] = Located(_known(words[1]), passage.span(start, start + len(line)))
    return found


def _attributes(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """`name="value"` of any element of an XML file, outside of comments (Tomcat)."""
    found: Options = {}
    for passage in config_files(options, spec, context):
        parts = (part.rpartition("-->")[2] for part in passage.text.replace("'", '"').split("<!--"))
        pieces = "".join(parts).split('"')
        names = (piece.rstrip(" =").split()[-1:] for piece in pieces[:-1:2])
        for name, value in zip(names, pieces[1::2], strict=False):
            found |= {one: Located(_known(value), passage.span(0, 0)) for one in name}
    return found


def _directives(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """`name value;` directives (nginx), those given with -g included."""
    given = options.get("directives")
    if given is not None and given.value is None:
        raise _UnreadError("its directives are only known when it runs")
    beside = _split_directives(given.value or "", given.span) if given is not None else {}
    found: Options = {}
    try:
        for passage in config_files(options, spec, context):
            for start, line in _each_line(passage):
                text = line.split("#", 1)[0]
                found |= _split_directives(text, passage.span(start, start + len(text)))
    except _UnreadError as reason:
        raise _UnreadError(str(reason), beside) from None
    return found | beside


def _split_directives(text: str, span: Any) -> Options:
    parts = (part.split() for part in text.replace("{", ";").replace("}", ";").split(";"))
    return {words[0]: Located(words[1], span) for words in parts if len(words) == 2}


def _ini(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """`name = value` lines of php-fpm: `;` comments."""
    found: Options = {}
    for passage in config_files(options, spec, context):
        found |= _assignments(passage, (";", "#"))
    return found


def _uwsgi(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    """uWSGI's ini files, given as option or operand; flags are written `master = true`."""
    named = options.get("ini")
    other = next(
        (name for name in ("yaml", "yml", "json", "xml", "config", "emperor", "socket_config") if name in options), None
    )
    path = named or next((Located(word) for word in operands if word.endswith(".ini")), None)
    if other is not None or (
        path is None and any(word.endswith((".yml", ".yaml", ".json", ".xml")) for word in operands)
    ):
        raise _UnreadError("its configuration is not an ini file")
    if path is None:
        return {}
    if path.value is None:
        raise _UnreadError("which configuration file it reads is only known when it runs")
    file, _, section = path.value.partition(":")
    if section:
        raise _UnreadError(f"it reads only the section {section} of {file}")
    found: Options = {}
    for passage in config_files({"ini": Located(file)}, spec, context):
        found |= _assignments(passage, (";", "#"))
    if "ini" in found or "include" in found or "inherit" in found:
        raise _UnreadError(f"{file} includes other files")
    return found


def _assignments(passage: Passage, comments: tuple[str, ...]) -> Options:
    found: Options = {}
    for start, line in _each_line(passage):
        key, equals, value = line.partition("=")
        if not equals or line.lstrip().startswith((*comments, "[")):
            continue
        value = value.split(" ;", 1)[0].strip().strip("\"'")
        known = None if "%(" in value or "$(" in value or "@(" in value else _known(value)
        name = _long(key.strip(), {})
        earlier = found.get(name)
        if earlier is not None and earlier.value is not None and known is not None and name.startswith("hook"):
            known = f"{earlier.value}\n{known}"
        found[name] = Located(known, passage.span(start, start + len(line)))
    return found


def _yaml(options: Options, operands: tuple[str, ...], spec: Mapping[str, Any], context: Context) -> Options:
    found: Options = {}
    for passage in config_files(options, spec, context):
        found |= {name.lstrip(":"): value for name, value in _flat_yaml(passage.source).items()}
    return found


def _flat_yaml(source: Source) -> Options:
    """Scalars by their path, keys joined with `_`. What aliases repeat is read once: it may be exponential."""
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.facts.yaml import Scalar
    from gracelint.parse.errors import ParseError, TemplatedError
    from gracelint.parse.yaml import read_documents

    try:
        documents = read_documents(source)
    except (ParseError, TemplatedError):
        raise _UnreadError(f"{source.path} cannot be read") from None
    found: Options = {}
    todo = [("", document.root) for document in documents]
    seen = set()
    while todo:
        path, node = todo.pop()
        if isinstance(node, Scalar):
            found.setdefault(path, Located(_known(node.value), node.span))
        elif isinstance(node, Node) and id(node) not in seen:
            seen.add(id(node))
            todo += [(f"{path}_{_long(key.value, {})}".lstrip("_"), value) for key, value in node.items]
    return found


def _each_line(passage: Passage) -> Iterable[tuple[int, str]]:
    offset = 0
    for line in passage.text.splitlines(keepends=True):
        yield offset, line.rstrip("\r\n")
        offset += len(line)


_READERS = {
    "python": _python,
    "toml": _toml,
    "lines": _lines,
    "attributes": _attributes,
    "directives": _directives,
    "ini": _ini,
    "uwsgi": _uwsgi,
    "yaml": _yaml,
    "ruby": _ruby,
}
