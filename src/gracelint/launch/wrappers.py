"""Inits and wrappers: programs that start the program named in their arguments."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.knowledge import keys, table
from gracelint.launch.deadlines import deadline_of
from gracelint.launch.environment import switched_on
from gracelint.launch.images.packages import listed_version
from gracelint.launch.signals import signal_name
from gracelint.launch.step import Context, Step
from gracelint.launch.versions import of_version
from gracelint.launch.words import Arguments, base_name, read_options
from gracelint.source import Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What an init or a wrapper does; None where argv[0] is neither."""
    name = base_name(argv[0].value)
    key = keys("inits").get(argv[0].value) or keys("inits").get(name)
    if key is not None:
        return _init_step(argv, context, key, table("inits")[key])
    if name == "busybox" and len(argv) > 1:
        return _applet_step(argv, context)
    if name in context.wrappers:
        return _wrapper_step(argv, context, name, context.wrappers[name])
    key = keys("wrappers").get(name)
    if key is not None:
        return _wrapper_step(argv, context, key, table("wrappers")[key])
    return None


def _applet_step(argv: tuple[Word, ...], context: Context) -> Step:
    """`busybox timeout …` is busybox's timeout, whatever the image has by that name."""
    image = replace(context.image, sh="busybox-ash", packages=context.image.packages - _REAL_TOOLS)
    why = f"busybox runs its {argv[1].value} in its own place"
    hop = Hop(("busybox",), HopKind.WRAPPER, "busybox", Effect.REPLACES, why, _span(argv, context), context.pid_1)
    return Step(replace(hop, signal=context.signal), argv[1:], replace(context, image=image))


def docker_init(context: Context, span: Span | None) -> Step:
    """The init that `init: true` puts in front: tini, as /sbin/docker-init (Docker Engine)."""
    hop = Hop(
        argv=("/sbin/docker-init", "--"),
        kind=HopKind.INIT,
        name="tini",
        effect=Effect.FORWARDS,
        why=f"`init: true` puts docker-init (tini) in front, which passes {context.signal} on to its child",
        span=span,
        pid_1=context.pid_1,
        signal=context.signal,
    )
    return Step(hop, context=replace(context, pid_1=False))


def _init_step(argv: tuple[Word, ...], context: Context, key: str, row: Mapping[str, Any]) -> Step:
    given = read_options(argv, 1, row.get("values", ()))
    command = argv[given.rest :]
    group = _signals_group(given, row, key, context)
    signal = _rewritten(given, row, context.signal)
    name = base_name(argv[0].value)
    subreaper = given.has(row.get("subreaper", ())) or switched_on(key, "subreaper", context.env)
    details = {"group": group, "subreaper": subreaper}

    def hop(effect: Effect, why: str) -> Hop:
        words = tuple(word.value for word in argv[: given.rest])
        return Hop(words, HopKind.INIT, key, effect, why, _span(argv, context), context.pid_1, context.signal, details)

    stays = row.get("stays", {}).get(context.signal) if context.image.os != "apk" else None
    if stays is not None and context.pid_1:
        return Step(replace(hop(Effect.SWALLOWS, stays), details={"advice": row["advice"]}))
    if "opaque" in row:
        return Step(hop(Effect.UNKNOWN, row["opaque"]))
    if group is None:
        return Step(hop(Effect.UNKNOWN, f"whether {name} signals its whole process group is only known when it runs"))
    if not command:
        return Step(hop(Effect.UNKNOWN, f"{name} is given no command: it says so, and ends"), one_shot=True)
    if signal is None:
        return Step(hop(Effect.SWALLOWS, f"{name} is told to drop {context.signal}"), command)
    if signal == "SIGKILL":
        why = f"{name} passes {context.signal} on as SIGKILL, which nothing can handle"
        return Step(hop(Effect.CUTS, why), command, replace(context, pid_1=False, signal=signal))
    aim = "to its whole process group" if group else "to its child"
    turned = f" as {signal}" if signal != context.signal else ""
    why = f"{name} passes {context.signal} on {aim}{turned} and ends when its child ends"
    ignores = frozenset[str]() if row.get("resets_ignored") else context.ignores
    below = replace(context, pid_1=False, signal=signal, group_signalled=group, ignores=ignores)
    return Step(hop(Effect.FORWARDS, why), command, below)


def _signals_group(given: Arguments, row: Mapping[str, Any], key: str, context: Context) -> bool | None:
    """Whether an init signals the whole group: as its options say, else the environment, else by its nature."""
    if row.get("signals_group"):
        if given.has(row.get("single", ())):
            return False
        single = switched_on(key, "single", context.env)
        return None if single is None else not single
    return given.has(row.get("group", ())) or switched_on(key, "group", context.env)


def _rewritten(given: Arguments, row: Mapping[str, Any], signal: str) -> str | None:
    """The signal after dumb-init's `--rewrite from:to`; None where it is dropped (`15:0`)."""
    for option, value in given.options:
        if option not in row.get("rewrite", ()) or value is None:
            continue
        before, _, after = value.value.partition(":")
        if signal_name(before) == signal:
            return None if after == "0" else signal_name(after) or signal
    return signal


def _wrapper_step(argv: tuple[Word, ...], context: Context, key: str, row: Mapping[str, Any]) -> Step | None:
    if "versions" in row:
        version = context.image.versions.get(key) or listed_version(key, context.image, context.files)
        row = of_version(row, version)
    start = _after_subcommand(argv, row)
    if start is None:
        return None
    given = read_options(argv, start, row.get("values", ()))
    if given.has(row.get("detaches", ())):
        return None
    command = _command(argv, given, row, context)
    name = base_name(argv[0].value)
    if command is None and row.get("alone") == "ends":
        words = tuple(word.value for word in argv)
        why = f"{name} is given no command: it says so, and ends"
        hop = Hop(words, HopKind.WRAPPER, key, Effect.UNKNOWN, why, _span(argv, context), context.pid_1, context.signal)
        return Step(hop, one_shot=True)
    if command is None:
        return None
    effect = _effect(given, row, context)
    if context.signal not in row.get("passes", (context.signal,)):
        effect = Effect.UNKNOWN
    own = _own_words(argv, command)
    why = row.get("why_as_child" if not context.pid_1 else "why") or row.get("why") or f"{name} execs its command"
    if effect is Effect.REPLACES:
        why = f"{name} execs its command"
    elif not context.pid_1 and effect is Effect.CUTS and row["effect"] == "swallows" and "why_as_child" not in row:
        why = f"{name} has no handler: {context.signal} ends it at once, and nothing waits for its command"
    elif effect is Effect.UNKNOWN:
        why = f"what {name} does on {{signal}} is not known"
    hop = Hop(
        tuple(word.value for word in own),
        HopKind.WRAPPER,
        key,
        effect,
        why.replace("{signal}", context.signal).replace("{name}", name),
        _span(argv, context),
        context.pid_1,
        context.signal,
        {"instead": row["instead"]} if "instead" in row else {},
        deadline=deadline_of(argv, row) if effect is Effect.FORWARDS else None,
    )
    below = replace(context, user=_user(argv, given, row) or context.user)
    if effect is not Effect.REPLACES:
        below = replace(below, pid_1=False, signal=row.get("as_signal", context.signal))
    return Step(hop, command, below, development=row.get("development", False))


def _after_subcommand(argv: tuple[Word, ...], row: Mapping[str, Any]) -> int | None:
    """Where the wrapper's own options begin: after `run` in `poetry run`; None where it is another subcommand."""
    if "run" not in row:
        return 1
    given = read_options(argv, 1, row.get("values", ()))
    if given.rest < len(argv) and argv[given.rest].value == row["run"]:
        return given.rest + 1
    return None


def _user(argv: tuple[Word, ...], given: Arguments, row: Mapping[str, Any]) -> str | None:
    """Whom the command runs as, where the wrapper changes that."""
    if row.get("user") == "operand":
        word = argv[given.rest] if given.rest < len(argv) else None
    else:
        word = given.value(row.get("user", ()))
    return word.value.partition(":")[0] if word is not None else None


def _command(
    argv: tuple[Word, ...], given: Arguments, row: Mapping[str, Any], context: Context
) -> tuple[Word, ...] | None:
    """The words of the command that is started, or None where there is none."""
    if "behind" in row:
        at = next((index for index, word in enumerate(argv) if word.value == row["behind"]), len(argv))
        return argv[at + 1 :] or None
    rest = argv[given.rest :]
    if row.get("assigns"):
        split = given.value(("-S", "--split-string"))
        words = _drop_assignments((*_split(split), *rest) if split else rest)
        while words and words[0].value.startswith("-"):
            words = _drop_assignments(words[read_options(words, 0, row["values"]).rest :])
        return words or None
    if "command" in row:
        program = given.value(row["command"])
        return (program, *rest) if program else None
    if "shell" in row:
        command = _shell_command(rest, given, argv, row, context)
        if command is not None or row["shell"] not in ("string", "split"):
            return command
    rest = rest[row.get("operands", 0) :]
    if rest and rest[0].value == "--":
        rest = rest[1:]
    if not rest:
        return _python_module(argv, given, row)
    if row.get("python") == "always" or (row.get("python") and rest[0].value.endswith(".py")):
        return (Word("python", rest[0].span), *rest)
    return (*rest, Word(_FROM_INPUT, rest[-1].span)) if row.get("appends") else rest


_FROM_INPUT = "$LINE"
"""Stands for the words that xargs reads."""


def _python_module(argv: tuple[Word, ...], given: Arguments, row: Mapping[str, Any]) -> tuple[Word, ...] | None:
    """`uv run -m module …`: an option that stands for `python -m`."""
    module = next((index for index in range(len(argv)) if argv[index].value in ("-m", "--module")), None)
    if row.get("python") is None or module is None:
        return None
    return (Word("python", argv[module].span), Word("-m", argv[module].span), *argv[module + 1 :])


def _shell_command(
    rest: tuple[Word, ...], given: Arguments, argv: tuple[Word, ...], row: Mapping[str, Any], context: Context
) -> tuple[Word, ...] | None:
    if row["shell"] == "words":
        return (Word("sh"), Word("-c"), Word(" ".join(word.value for word in rest), rest[0].span)) if rest else None
    texts = row["text"]
    at = next((i for i in range(1, len(argv) - 1) if argv[i].value in texts or _ends_cluster(argv[i], texts)), None)
    text = argv[at + 1] if at is not None else given.value([name for name in texts if name.startswith("--")])
    if text is None:
        # `runuser -u app -- command` starts the command itself, without a shell
        user = next((i for i, word in enumerate(argv) if word.value in ("-u", "--user")), None)
        if row["shell"] != "login" or user is None or base_name(argv[0].value) != "runuser":
            return None
        rest = argv[user + 2 :]
        return (rest[1:] if rest and rest[0].value == "--" else rest) or None
    if row["shell"] == "login":
        shell = given.value(("-s", "--shell")) or next(
            (argv[i + 1] for i in range(len(argv) - 1) if argv[i].value in ("-s", "--shell")), Word("/bin/sh")
        )
        return (shell, Word("-c", text.span), text, *_behind_user(argv, row, text))
    if row["shell"] == "split":
        return tuple(_split(text)) or None
    return (Word("sh"), Word("-c", text.span), text)


def _behind_user(argv: tuple[Word, ...], row: Mapping[str, Any], text: Word) -> tuple[Word, ...]:
    """The words behind the user's name, which the shell gets as `$0`, `$1` …: options may stand among them."""
    operands: list[Word] = []
    index = 1
    while index < len(argv) and argv[index].value != "--":
        word = argv[index]
        index += 2 if word.value in (*row["values"], *row["text"]) else 1
        if word is not text and (not word.value.startswith("-") or word.value == "-"):
            operands.append(word)
    operands += argv[index + 1 :]
    return tuple(operands[2 if operands and operands[0].value == "-" else 1 :])


def _ends_cluster(word: Word, texts: list[str]) -> bool:
    """`-qefc` is -q -e -f -c, and the text follows."""
    value = word.value
    return value.startswith("-") and not value.startswith("--") and f"-{value[-1]}" in texts


def _split(word: Word | None) -> list[Word]:
    if word is None:
        return []
    return [Word(part, word.span) for part in word.value.split()]


def _drop_assignments(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words behind the assignments; a substitution with words behind it, as in `env $(cat .env) app`, is some."""
    index = 0
    while index < len(words) and _assigns(words[index].value, last=index == len(words) - 1):
        index += 1
    return words[index:]


def _assigns(word: str, last: bool) -> bool:
    return (not last and word.startswith(("$(", "`"))) or ("=" in word and not word.startswith("="))


def _effect(given: Arguments, row: Mapping[str, Any], context: Context) -> Effect:
    effect = row["as_pid_1"] if context.pid_1 and "as_pid_1" in row else row["effect"]
    for option, other in row.get("unless", {}).items():
        if given.has((option,)):
            effect = other
    if "busybox" in row and context.image.sh == "busybox-ash" and not context.image.packages & _REAL_TOOLS:
        effect = row["busybox"]
    return context.unheard if effect == "swallows" else Effect(effect)


_REAL_TOOLS = frozenset(("coreutils", "util-linux", "util-linux-misc", "shadow", "shadow-login", "runuser"))
"""Alpine packages that put the full tools in the place of busybox's applets."""


def _own_words(argv: tuple[Word, ...], command: tuple[Word, ...]) -> tuple[Word, ...]:
    for index in range(1, len(argv)):
        if argv[index] is command[0]:
            return argv[:index]
    return argv[:1]


def _span(argv: tuple[Word, ...], context: Context) -> Span | None:
    return argv[0].span or context.span
