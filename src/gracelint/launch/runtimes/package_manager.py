"""Package managers, script runners, loaders and watchers of the Node world: what they start, and what they pass on."""

from __future__ import annotations

import posixpath

from gracelint.base.record import Record, replace
from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.knowledge import keys, table
from gracelint.launch.deadlines import deadline_of
from gracelint.launch.images.image import find_file
from gracelint.launch.runtimes import pm2
from gracelint.launch.runtimes.script_text import (
    is_assignment,
    made_passage,
    quoted,
    run_by_bun,
    split,
    with_words,
    without_shell,
)
from gracelint.launch.step import Context, Step
from gracelint.launch.versions import NEWEST, SEVERAL, newest, of_requirement, of_version
from gracelint.launch.words import Arguments, base_name, read_options
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.facts.package import Package


class Call(Record, identity=True):
    """One command line of such a tool, and the package it is called in."""

    argv: tuple[Word, ...]
    context: Context
    key: str
    """The tool's row in `knowledge/package_managers.toml`."""
    row: dict[str, Any]
    """The row as it stands for the version in the image."""
    version: str
    """Empty where nothing tells."""
    package: Package | None
    folder: str
    """Where the package's scripts run, in the image."""

    @property
    def name(self) -> str:
        return base_name(self.argv[0].value)


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a tool of `knowledge/package_managers.toml` does; None where argv[0] is none."""
    argv = _without_node(argv)
    key = _row_name(argv)
    if key is None:
        return None
    call = _call(argv, context, key)
    kind: str = call.row["kind"]
    if kind == "scripts":
        return _scripts_step(call)
    if kind == "command":
        return _command_step(call)
    if kind == "program":
        return _program_step(call)
    return _tasks_step(call) if kind == "tasks" else _server_step(call)


def _without_node(argv: tuple[Word, ...]) -> tuple[Word, ...]:
    """`node node_modules/.bin/tsx …` is `tsx …`."""
    if len(argv) > 1 and base_name(argv[0].value) == "node" and "node_modules/.bin/" in argv[1].value:
        return argv[1:]
    return argv


def _row_name(argv: tuple[Word, ...]) -> str | None:
    name = base_name(argv[0].value)
    if name not in ("node", "nodejs"):
        return keys("package_managers").get(name)
    for word in argv[1:]:
        if not word.value.startswith("-"):
            return None
        if word.value in ("--run", "--watch") or word.value.startswith("--watch-path"):
            return "node-run" if word.value == "--run" else "node-watch"
    return None


def _call(argv: tuple[Word, ...], context: Context, key: str) -> Call:
    from gracelint.launch.runtimes.node_packages import nearest_package

    row = table("package_managers")[key]
    folder = context.working_dir
    given = next(
        (argv[i + 1].value for i in range(1, len(argv) - 1) if argv[i].value in row.get("folder", ())),
        next((w.value.partition("=")[2] for w in argv if w.value.partition("=")[0] in row.get("folder", ())), ""),
    )
    package, folder = nearest_package(context, posixpath.join(folder, given))
    if "dependency" in row:
        wanted = (package.dependencies or {}).get(row["dependency"], "") if package else ""
        if wanted.startswith("catalog:"):
            from gracelint.launch.runtimes.catalogs import of_image

            wanted = of_image(row["dependency"], wanted, context.image, context.files, folder)
        wanted = wanted or row["default"]
        known = of_requirement(row, wanted)
        if known is None:
            return Call(argv, context, key, {**row, "effect": "unknown", "why": SEVERAL}, wanted, package, folder)
        return Call(argv, context, key, dict(known), wanted.lstrip("^~>=v "), package, folder)
    version = _version(key, row, package, folder, context)
    row = dict(of_version(row, version or row.get("default", "")))
    return Call(argv, context, key, row, version, package, folder)


def _version(key: str, row: dict[str, Any], package: Package | None, folder: str, context: Context) -> str:
    """What the image's RUN lines install, then `packageManager`, then what the base image ships."""
    manager: str = row.get("manager", key)
    declared = (package.manager or "") if package else ""
    if manager != "npm" and declared.startswith(f"{manager}@"):
        return declared.partition("@")[2].partition("+")[0]
    installed = _installed(manager, context)
    if installed:
        return installed
    if manager == "yarn":
        return "4" if _is_berry(folder, context) else context.image.versions.get(manager, "1")
    base = context.image.reference or ""
    packaged = next((known for name, known in row.get("packaged", {}).items() if base.startswith(name)), "")
    return context.image.versions.get(manager) or packaged


def _installed(manager: str, context: Context) -> str | None:
    """X of `npm install -g npm@X` or `corepack prepare pnpm@X` in the last RUN that says one."""
    prefix = f"{manager}@"
    for stage in context.image.stage.lineage() if context.image.stage else ():
        for instruction in reversed(stage.instructions):
            if instruction.name != "RUN" or prefix not in instruction.argument.text:
                continue
            for word in instruction.argument.text.replace("'", " ").replace('"', " ").split():
                if word.startswith(prefix) and (version := newest(word[len(prefix) :])):
                    return version
    return None


def _is_berry(folder: str, context: Context) -> bool:
    """Yarn 2 and later keep a .yarnrc.yml or a lock file of another format than Yarn 1."""
    if find_file(context.image, context.files, ".yarnrc.yml", folder) is not None:
        return True
    lock = find_file(context.image, context.files, "yarn.lock", folder)
    return lock is not None and "__metadata:" in lock.text[:2000]


def _scripts_step(call: Call) -> Step:
    """`npm start`, `yarn workspace api run serve`, `pnpm exec node x.js`, `bun server.ts`."""
    row = call.row
    words, passed, given = _subcommand(call)
    wanted = given.value(row.get("workspace", ()))
    if words and words[0].value == "workspace" and len(words) > 2:
        wanted, words = words[1], words[2:]
    if wanted is not None:
        from gracelint.launch.runtimes.node_packages import workspace

        package, folder = workspace(call.package, call.folder, call.context, wanted.value)
        call = replace(call, package=package, folder=folder)
    if not words:
        return _unknown(call, f"`{call.name}` without a script ends by itself", one_shot=True)
    head = words[0].value
    if head in row.get("own", ()):
        return _unknown(call, f"`{call.name} {head}` ends by itself", one_shot=True)
    if head in row.get("exec", ()):
        text = None if words[1:] or passed else given.value(("-c", "--call"))
        if text is not None and row.get("exec_shell"):
            return _start(call, {}, (Word("sh", text.span), Word("-c", text.span), text))
        return _exec(call, words[1:] or passed, words[0].value)
    if head in row.get("file_run", ()) or (row.get("files") and _is_file(words, call)):
        return _file(call, words[1:] if head in (*row.get("file_run", ()), *row["run"]) else words, passed)
    if head in row["run"]:
        words = words[1:]
    elif head not in row.get("named", ()) and not row.get("any"):
        return _unknown(call, f"nothing is known of `{call.name} {head}`")
    if not words:
        return _unknown(call, f"`{call.name} {head}` without a script only lists them", one_shot=True)
    return _script(call, words[0], (*words[1:], *passed))


def _subcommand(call: Call) -> tuple[tuple[Word, ...], tuple[Word, ...], Arguments]:
    """The words after the options, the words after `--`, and the options."""
    row, argv = call.row, call.argv
    keywords = {*row["run"], *row.get("exec", ()), *row.get("file_run", ()), "workspace"}
    words: list[Word] = []
    options: list[tuple[str, Word | None]] = []
    index = 1
    while index < len(argv):
        text = argv[index].value
        if text == "--":
            return tuple(words), argv[index + 1 :], Arguments(tuple(options), index)
        if text.startswith("-") and text not in row["run"] and text not in row.get("own", ()):
            read = read_options(argv[: index + 2], index, row.get("values", ()))
            options.extend(read.options[:1])
            index += 2 if text in row.get("values", ()) else 1
            continue
        words.append(argv[index])
        index += 1
        is_script = len(words) == (3 if words[0].value == "workspace" else 1) and text not in keywords
        after_keyword = len(words) > 1 and words[-2].value in keywords and words[-2].value != "workspace"
        if text in row.get("exec", ()) and len(words) == 1:
            rest = argv[index:]
            if row["pass"] == "separator":
                read = read_options(argv, index, row.get("values", ()))
                options.extend(read.options)
                rest = argv[read.rest :]
            words.extend(word for i, word in enumerate(rest) if not (i == 0 and word.value == "--"))
            break
        if row["pass"] == "all" and (is_script or after_keyword):
            words.extend(argv[index:])
            break
    return tuple(words), (), Arguments(tuple(options), index)


def _script(call: Call, name: Word, extra: tuple[Word, ...]) -> Step:
    """A script of package.json, run by the tool's shell."""
    if name.value in ("test", "t", "tst"):
        return _unknown(call, f"`{call.name} test` ends by itself", one_shot=True)
    task = _deno_task(call, name.value) if call.key == "deno" else None
    if task is not None:
        passage = made_passage(task, name)
        plain = without_shell(with_words(passage, extra)) if passage is not None else None
        if plain is None:
            return _unknown(call, f"deno reads the task `{name.value}` itself, and it is no plain command")
        return _start(call, {"script": name.value}, plain)
    if call.package is None:
        return _unknown(call, f"the package.json that `{call.name}` reads is not in the project")
    script = name.value
    passage = call.package.scripts.get(script)
    details: dict[str, object] = {"script": script, "package": call.package.source}
    if passage is None:
        if script == "start" and call.key == "npm":
            # npm's own default for a package that has a server.js
            details["instead"] = _instead(call, ("node", "server.js"), extra)
            return _start(call, details, _made("node server.js", name))
        if call.row.get("any") and call.key != "deno":
            return _exec(call, (name, *extra), "exec")
        return _unknown(call, f"{call.package.source.path} has no script `{script}`", details | {"missing": True})
    details |= {"passage": passage, "instead": _instead(call, _plain(call.package, script), extra)}
    text = with_words(run_by_bun(passage) if call.key == "bun" else passage, extra)
    word = Word(text.text, text.span(0, len(text.text)), text)
    if not call.row["shell"]:
        plain = without_shell(text)
        if plain is None:
            return _unknown(
                call, f"{call.name} reads the script `{script}` itself, and it is no plain command", details
            )
        return _start(call, details, plain)
    shell = _script_shell(call)
    return _start(call, details, (Word(shell, word.span), Word("-c", word.span), word))


def _deno_task(call: Call, name: str) -> str | None:
    """A task of deno.json."""
    from gracelint.behaviour.node.modules import relaxed_json

    for file in ("deno.json", "deno.jsonc"):
        found = find_file(call.context.image, call.context.files, file, call.context.working_dir)
        data = relaxed_json(found.text) if found is not None else None
        tasks = data.get("tasks") if isinstance(data, dict) else None
        task = tasks.get(name) if isinstance(tasks, dict) else None
        task = task.get("command") if isinstance(task, dict) else task
        if isinstance(task, str):
            return task
    return None


def _plain(package: Package, script: str) -> tuple[str, ...] | None:
    """The one plain command that a script comes to, by way of `npm run other` too."""
    seen: set[str] = set()
    while script not in seen:
        seen.add(script)
        words = package.plain(script)
        if words is None or words[0] not in ("npm", "yarn", "pnpm") or words[-1] not in package.scripts:
            return words
        if len(words) > 3:
            return None
        script = words[-1]
    return None


def _instead(call: Call, words: tuple[str, ...] | None, extra: tuple[Word, ...] = ()) -> tuple[str, ...] | None:
    """The command line that does the same without the package manager; None where that is not sure."""
    if not words or call.folder != call.context.working_dir:
        return None
    dependencies = (call.package.dependencies or {}) if call.package else {}
    given = (*words[1:], *(word.value for word in extra))
    if words[0] in ("node", "bun", "deno", "python", "python3"):
        return (words[0], *given)
    return (f"node_modules/.bin/{words[0]}", *given) if words[0] in dependencies else None


def _script_shell(call: Call) -> str:
    """npm's and pnpm's `script-shell` (environment or .npmrc), else the first of the row's shells in the image."""
    if call.key in ("npm", "pnpm"):
        configured = call.context.env.get("npm_config_script_shell") or call.context.env.get("NPM_CONFIG_SCRIPT_SHELL")
        if configured:
            return configured
        config = find_file(call.context.image, call.context.files, ".npmrc", call.folder)
        for line in config.text.splitlines() if config else ():
            key, _, value = line.partition("=")
            if key.strip() == "script-shell" and value.strip():
                return value.strip()
    has = call.context.image.has
    return next((shell for shell in call.row["shell"] if shell == "sh" or has(shell)), "sh")


def _exec(call: Call, words: tuple[Word, ...], subcommand: str) -> Step:
    """`npm exec -- node x.js` runs the words in a shell, `pnpm exec` and Yarn without one."""
    if not words:
        return _unknown(call, f"`{call.name} {subcommand}` is given no command")
    if subcommand == "node":
        words = (Word("node", words[0].span), *words)
    if "exec_as_child" in call.row:
        call = replace(call, row=call.row | {"as_child": call.row["exec_as_child"]})
    details: dict[str, object] = {"instead": _instead(call, tuple(word.value for word in words))}
    return _start(call, details, _in_shell(call, words) if call.row.get("exec_shell") else words)


def _in_shell(call: Call, words: tuple[Word, ...]) -> tuple[Word, ...]:
    return _made(" ".join(quoted(word.value) for word in words), words[0])


def _made(text: str, at: Word) -> tuple[Word, ...]:
    """`sh -c` with text that stands nowhere: it is made from the words at a place, where nothing can be put in."""
    span, passage = at.span, made_passage(text, at)
    return (Word("sh", span), Word("-c", span), Word(text, None, passage))


def _is_file(words: tuple[Word, ...], call: Call) -> bool:
    """Bun's words may name a file instead of a script."""
    word = words[1] if words[0].value in call.row["run"] and len(words) > 1 else words[0]
    if call.package is not None and word.value in call.package.scripts:
        return False
    return word.value.endswith((".js", ".ts", ".mjs", ".cjs", ".mts", ".jsx", ".tsx")) or word.value.startswith("./")


def _file(call: Call, words: tuple[Word, ...], passed: tuple[Word, ...]) -> Step:
    """`bun server.ts`: the runtime itself is the process, as node would be."""
    given = read_options((Word(""), *words), 1, call.row.get("values", ()))
    words = (Word(""), *words)[given.rest :]
    if not words:
        return _unknown(call, f"`{call.name}` is given no file")
    context = call.context
    if call.row.get("default_ends"):
        # Deno leaves signals it does not handle at an action that ends it, PID 1 or not
        context = replace(context, pid_1=False)
    return Step(None, (Word("node", words[0].span), *words, *passed), context)


def _command_step(call: Call) -> Step | None:
    """`npx tsx x.ts`, `cross-env A=1 node x.js`, `dotenv -- node x.js`."""
    row = call.row
    given = read_options(call.argv, 1, row.get("values", ()))
    words = call.argv[given.rest :]
    if "own" in row:
        if not words or words[0].value not in row["own"]:
            return None
        given = read_options(call.argv, given.rest + 1, row.get("values", ()))
        words = call.argv[given.rest :]
    if words and words[0].value == "--":
        words = words[1:]
    if "own_only" in row and (not words or words[0].value.partition("@")[0] not in row["own_only"]):
        return _unknown(call, f"`{call.name}` ends by itself", one_shot=True)
    text = given.value(("-c", "--call")) if call.key == "npx" else None
    if text is not None:
        return _start(call, {}, (Word("sh", text.span), Word("-c", text.span), text))
    env = dict(call.context.env)
    while row.get("assigns") and words and is_assignment(words[0].value):
        name, _, value = words[0].value.partition("=")
        env[name] = None if "$" in value else value
        words = words[1:]
    if not words:
        return _unknown(call, f"`{call.name}` is given no command")
    if call.key in ("npx", "bunx", "corepack"):
        words = (Word(_without_version(words[0].value), words[0].span), *words[1:])
    call = replace(call, context=replace(call.context, env=env), folder=call.context.working_dir)
    if "scripts_effect" in row and words[0].value not in row["no_scripts"]:
        call = replace(call, row=row | {"effect": row["scripts_effect"], "why": row["scripts_why"]})
    instead = _instead(call, tuple(word.value for word in words)) if call.key == "npx" else None
    return _start(call, {"instead": instead}, _in_shell(call, words) if row.get("exec_shell") else words)


def _without_version(word: str) -> str:
    """`tsx@4` → `tsx`, `@nestjs/cli@10` → `nest`-like names stay as they are without their scope."""
    name, at, _ = word[1:].partition("@")
    return word[:1] + name if at else word


def _program_step(call: Call) -> Step:
    """`nodemon src/index.js`, `tsx watch server.ts`, `pm2-runtime server.js`."""
    row = call.row
    values = row.get("values", ())
    given = read_options(call.argv, 1, values)
    if given.rest < len(call.argv) and call.argv[given.rest].value in row.get("own", ()):
        word = call.argv[given.rest].value
        row = row | {"development": row.get("development") or word == "watch"}
        call = replace(call, row=row)
        given = replace(read_options(call.argv, given.rest + 1, values), options=given.options)
    words = call.argv[given.rest :]
    call = replace(call, folder=call.context.working_dir)
    command = given.value(row.get("exec_option", ()))
    if command is not None:
        start = tuple(Word(part, command.span) for part in command.value.split())
        return _start(call, {}, (*start, *words))
    if not words:
        main = call.package.main if call.package else None
        words = (main or Word("index.js", call.argv[0].span),)
    if call.key.startswith("pm2") and pm2.is_process_file(words[0]):
        return _process_file(call, words[0], given.value(("--only",)))
    if call.key.startswith("pm2") and keys("package_managers").get(words[0].value):
        return _start(call, {}, tuple(word for word in words if word.value != "--"))
    runtime = "ts-node" if call.key == "nodemon" and words[0].value.endswith(".ts") else "node"
    return _start(call, {}, (Word(runtime, call.argv[0].span), *_after_separator(words)))


def _process_file(call: Call, file: Word, only: Word | None) -> Step:
    started = pm2.apps(file, only, call.context)
    if not started:
        return _unknown(call, f"what {call.name} starts is said in {file.value}, and cannot be read there")
    effect, why = _effect(call)
    signal = call.row.get("as_signal", call.context.signal)
    below = {"pid_1": False, "signal": signal, "depth": call.context.depth + 1, "positional": ()}
    return Step(
        _hop(call, effect, why, {}), together=tuple((app.argv, replace(app.context, **below)) for app in started)
    )


def _after_separator(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Without the first `--`, which parts the program's name from its arguments."""
    at = next((index for index, word in enumerate(words) if word.value == "--"), None)
    return words if at is None else (*words[:at], *words[at + 1 :])


def _tasks_step(call: Call) -> Step:
    """`concurrently "npm:api" "node worker.js"`, `run-p api worker`."""
    row = call.row
    tasks: list[Word] = []
    index = 1
    while index < len(call.argv):
        text = call.argv[index].value
        if text.startswith("-"):
            index += 2 if text in row.get("values", ()) else 1
            continue
        tasks.append(call.argv[index])
        index += 1
    lines = [line for task in tasks if (line := _task(task, row))]
    if not lines:
        return _unknown(call, f"`{call.name}` is given no command")
    effect, why = _effect(call)
    below = replace(call.context, pid_1=False, depth=call.context.depth + 1)
    hop = _hop(call, effect, why, {"waits_for_output": row.get("waits_for_output", False)})
    return Step(hop, together=tuple((line, below) for line in lines))


def _task(task: Word, row: dict[str, Any]) -> tuple[Word, ...]:
    if not row.get("commands"):
        return (Word("npm", task.span), Word("run", task.span), *split(task))
    for manager in ("npm", "yarn", "pnpm", "bun"):
        if task.value.startswith(f"{manager}:"):
            name = replace(task, value=task.value[len(manager) + 1 :], passage=None)
            return (Word(manager, task.span), Word("run", task.span), *split(name))
    return (Word("sh", task.span), Word("-c", task.span), task)


def _server_step(call: Call) -> Step | None:
    """`next start`; other subcommands are not this module's."""
    row = call.row
    if "run" in row and (len(call.argv) < 2 or call.argv[1].value not in row["run"]):
        return None
    if row.get("unless") in call.context.env:
        return _unknown(call, row["instead"])
    effect, why = _effect(call)
    if effect is not Effect.UNKNOWN and call.context.signal not in row.get("handles", (call.context.signal,)):
        return _unknown(call, f"nobody knows what `{call.name} start` does on {call.context.signal} here")
    hop = replace(_hop(call, effect, why, {}), kind=HopKind.SERVER)
    return Step(hop, development=any(word.value == "--watch" for word in call.argv))


def _start(call: Call, details: dict[str, object], words: tuple[Word, ...]) -> Step:
    """The hop, and the process it starts."""
    effect, why = _effect(call)
    context = call.context
    below = replace(
        context,
        pid_1=context.pid_1 and effect is Effect.REPLACES,
        signal=call.row.get("as_signal", context.signal),
        working_dir=call.folder,
        positional=(),
    )
    hop = replace(_hop(call, effect, why, details), deadline=deadline_of(call.argv, call.row))
    return Step(hop, words, below, development=bool(call.row.get("development")))


def _effect(call: Call) -> tuple[Effect, str]:
    row, context = call.row, call.context
    effect = Effect(row["effect"])
    version = call.version if call.version != NEWEST else ""
    why: str = row["why"].format(name=call.name, version=version, signal=context.signal).replace("  ", " ")
    if context.signal in row.get("ignores", ()):
        return Effect.SWALLOWS if context.pid_1 else Effect.UNKNOWN, f"{call.name} does not pass {context.signal} on"
    if row.get("as_child") == "cuts" and not context.pid_1:
        return Effect.CUTS, f"{call.name} dies of {context.signal} once it has passed it on, unless it is PID 1"
    if effect is not Effect.SWALLOWS or context.unheard is effect:
        return effect, why
    if row.get("as_child") == "swallows":
        return (Effect.FORWARDS if context.group_signalled else effect), why
    return (
        Effect.CUTS,
        f"{call.name} has no handler: {context.signal} ends it at once, and nothing waits for its program",
    )


def _hop(call: Call, effect: Effect, why: str, details: dict[str, object]) -> Hop:
    manages = bool(call.row.get("manages"))
    facts = {"manager": call.key, "version": call.version, "manages": manages, "words": call.argv, **details}
    words = tuple(word.value for word in call.argv)
    span = call.argv[0].span or call.context.span
    pid_1, signal = call.context.pid_1, call.context.signal
    return Hop(words, HopKind.PACKAGE_MANAGER, call.key, effect, why, span, pid_1, signal, facts)


def _unknown(call: Call, why: str, details: dict[str, object] | None = None, one_shot: bool | None = None) -> Step:
    return Step(_hop(call, Effect.UNKNOWN, why, details or {}), one_shot=one_shot)
