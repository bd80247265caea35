"""pm2's process files: `ecosystem.config.js`, `process.json`."""

from __future__ import annotations

import json
import posixpath

from gracelint.base.record import Record, replace
from gracelint.facts.launch import Deadline
from gracelint.launch.images.image import find_file
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.launch.step import Context
    from gracelint.source import Span

_INTERPRETERS = {".py": "python3", ".sh": "bash", ".rb": "ruby", ".php": "php", ".ts": "ts-node"}


class App(Record):
    """One application of a process file, with what it is started in."""

    argv: tuple[Word, ...]
    context: Context


def is_process_file(word: Word) -> bool:
    name = posixpath.basename(word.value)
    return name.endswith((".json", ".yml", ".yaml", ".config.js", ".config.cjs", ".config.mjs")) or "ecosystem" in name


def apps(file: Word, only: Word | None, context: Context) -> list[App] | None:
    """What a process file starts; None where that is more than literals."""
    found = find_file(context.image, context.files, file.value, context.working_dir)
    if found is None or len(found.text) != len(found.source.text):
        return None
    if file.value.endswith(".json"):
        data, span = _loaded(found.text), file.span
    elif file.value.endswith((".js", ".cjs", ".mjs")):
        from gracelint.behaviour.node.settings import exported

        data, span = exported(found.source), found.source.span(0, 0)
    else:
        return None
    listed = data.get("apps") if isinstance(data, dict) else data
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list):
        return None
    wanted = set(only.value.split(",")) if only is not None else None
    read = [_app(one, context, span) for one in listed if wanted is None or _name(one) in wanted]
    return [one for one in read if one is not None] if all(read) else None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _name(app: Any) -> Any:
    return app.get("name") if isinstance(app, dict) else None


def _app(app: Any, context: Context, span: Span | None) -> App | None:
    script = app.get("script") if isinstance(app, dict) else None
    if not isinstance(script, str) or not script or app.get("shutdown_with_message"):
        return None
    args = app.get("args", ())
    words = args.split() if isinstance(args, str) else [str(one) for one in args or ()]
    first, *rest = script.split() if " " in script and not script.endswith((".js", ".cjs", ".mjs")) else [script]
    interpreter = app.get("interpreter") or app.get("exec_interpreter")
    ending = posixpath.splitext(first)[1]
    if not isinstance(interpreter, str):
        is_file = ending in (".js", ".cjs", ".mjs") or ending in _INTERPRETERS or "/" in first
        interpreter = _INTERPRETERS.get(ending, "node") if is_file else "none"
    line = [first, *rest, *words] if interpreter == "none" else [interpreter, first, *rest, *words]
    env = app.get("env")
    given = {key: str(value) for key, value in env.items()} if isinstance(env, dict) else {}
    folder = app.get("cwd")
    kill = app.get("kill_timeout")
    known = isinstance(kill, (int, float)) and not isinstance(kill, bool)
    return App(
        tuple(Word(one, span) for one in line),
        replace(
            context,
            working_dir=posixpath.join(context.working_dir, folder) if isinstance(folder, str) else context.working_dir,
            env={**context.env, **given},
            deadline=Deadline(float(kill) / 1000 if known else 1.6, span if known else None, "kill_timeout", 0.001),
        ),
    )
