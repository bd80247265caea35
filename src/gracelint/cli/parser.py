"""What the command line may say."""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, Action, ArgumentParser, ArgumentTypeError, HelpFormatter, Namespace

from gracelint.cli.plain import COLORS, FAIL_ON
from gracelint.report import FORMATS
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

ENVIRONMENT = "GRACELINT_"
"""With an option's name behind it: what holds where the command line does not say."""
FROM_ENVIRONMENT = (
    "baseline",
    "color",
    "config",
    "diff_base",
    "fail_on",
    "format",
    "ignore",
    "jobs",
    "no_cache",
    "no_plugins",
    "select",
    "strict",
)
PICTURES = ("text", "json", "html", "svg", "mermaid")


def read_arguments(arguments: Sequence[str]) -> Namespace:
    parser = make_parser()
    if not arguments:
        parser.print_help(sys.stderr)
        parser.exit(2)
    if arguments[0].startswith("-") and not parser.knows(arguments[0]):
        parser.refuse(arguments[:1])
    options, unknown = parser.parse_known_args(arguments)
    command: Parser = options.parser
    if unknown:
        command.refuse(unknown)
    for name in FROM_ENVIRONMENT:
        if name == "format" and options.run != "check":
            continue
        value = os.environ.get(ENVIRONMENT + name.upper())
        if value and hasattr(options, name) and getattr(options, name) == command.get_default(name):
            setattr(options, name, command.from_environment(name, value))
    return options


class Parser(ArgumentParser):
    """An ArgumentParser that names the nearest command or choice, and the variable that a wrong value came from."""

    variable = ""

    def _get_formatter(self) -> HelpFormatter:
        """Of the terminal's width: asked for by argparse itself, it takes `shutil`, for each option anew."""
        try:
            width = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(1).columns
        except (OSError, ValueError):
            width = 80
        return HelpFormatter(self.prog, width=max(width, 40) - 2)

    def error(self, message: str) -> NoReturn:
        """Ends with the message alone: a page of usage would push it out of sight."""
        import re

        wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if wrong is not None:
            from gracelint.config import did_you_mean

            known = [name.strip("' ") for name in wrong[2].split(",")]
            near = did_you_mean(wrong[1], known)
            if "check" in known and wrong[1] in ("help", "version"):
                near = f": did you mean '--{wrong[1]}'?"
            elif not near and "check" in known and os.path.lexists(wrong[1]):
                near = f": did you mean 'check {wrong[1]}'?"
            told = message[: wrong.start()].replace("argument COMMAND: ", "")
            message = f"{told}{wrong[1]!r} is none of {', '.join(known)}{near}"
        self.exit(2, visible(f"gracelint: {self.variable}{message}") + f"\n`{self.prog} --help` says what there is.\n")

    def knows(self, option: str) -> bool:
        """Whether a word is an option, or what argparse takes for one: its beginning."""
        return any(name.startswith(option.partition("=")[0]) for name in self._option_string_actions)

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Ends with what the first of the unknown words could have meant."""
        from gracelint.config import did_you_mean

        first = words[0].partition("=")[0]
        near = did_you_mean(first, self._option_string_actions) if first.startswith("-") else ""
        self.error(f"unrecognized arguments: {' '.join(words)}{_of_command(first, self) or near}")

    def from_environment(self, name: str, value: str) -> object:
        """What an option is set to by its variable."""
        action = next(action for action in self._actions if action.dest == name)
        if action.nargs == 0:
            return value.lower() not in ("0", "false", "no")
        self.variable = f"{ENVIRONMENT}{name.upper()}: "
        read = self.parse_args([f"{action.option_strings[-1]}={value}"])
        self.variable = ""
        return getattr(read, name)


def _of_command(option: str, parser: ArgumentParser) -> str:
    """`: did you mean 'gracelint check --fix'?`, where an option stands before its command."""
    if parser._subparsers is None:
        return ""
    commands: Any = parser._subparsers._group_actions[0].choices
    owners = [name for name, one in commands.items() if option in one._option_string_actions]
    return f": did you mean 'gracelint {owners[0]} {option}'?" if owners else ""


def make_parser() -> Parser:
    parser = Parser(
        prog="gracelint",
        description="Says which containers will be killed, or drop requests, when they are told to stop.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        metavar="SHELL",
        help="print a completion script for bash, zsh, fish or tcsh and exit (needs shtab)",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, help: str, *parts: Callable[[ArgumentParser], None]) -> None:
        added = commands.add_parser(name, help=help)
        added.set_defaults(run=name.replace("-", "_"), parser=added)
        for part in (*parts, _add_common):
            part(added)

    command("check", "report what will go wrong when containers are told to stop", _add_paths, _add_check)
    command("trace", "tell the story of each launch: what a stop signal meets on its way", _add_paths, _add_trace)
    command("render", "show what charts and overlays come to, and where each line comes from", _add_paths, _add_render)
    command("explain", "show the documentation of rules, or of what is found at a place", _add_explain)
    command("rules", "list the rules", _add_rules)
    command("lsp", "serve an editor on standard input and output (needs gracelint[lsp])", _add_lsp)
    command("init", "set a repository up: gracelint.toml and a pre-commit hook")
    command("config", "show the schema of the settings, for editors", _add_config)
    command("show-files", "list the files that are judged", _add_paths)
    command("show-settings", "show the settings that hold for files and folders", _add_paths)
    command("show-links", "show which Dockerfile each image is joined to, and why", _add_paths)
    return parser


def _add_check(check: ArgumentParser) -> None:
    fixing = check.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="apply safe fixes")
    fixing.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: unsafe ones as well")
    fixing.add_argument("--diff", action="store_true", help="show what --fix would change, and write nothing")
    fixing.add_argument("--show-fixes", action="store_true", help="with --fix or --diff: name each fix and its place")
    _add_selection(check)
    output = check.add_argument_group("output")
    output.add_argument(
        "--format",
        type=_format,
        action="append",
        metavar="FMT[=FILE]",
        help=f"one of {', '.join(FORMATS)}; can be given several times",
    )
    output.add_argument("--show-suppressed", action="store_true", help="with sarif: list what comments silence, too")
    output.add_argument("--statistics", action="store_true", help="show how often each rule was broken, not where")
    output.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="warning",
        help="mildest severity that makes the exit code 1 (default: warning)",
    )
    output.add_argument("--baseline", metavar="FILE", help="do not report the findings listed in FILE")
    output.add_argument("--write-baseline", metavar="FILE", help="list the present findings in FILE")
    output.add_argument("--diff-base", metavar="REV", help="report only what the change since git's REV has brought")


def _add_selection(command: ArgumentParser) -> None:
    rules = command.add_argument_group("rules")
    rules.add_argument("--select", type=_names, action="extend", metavar="NAME", help="run only these rules or groups")
    rules.add_argument(
        "--ignore", type=_names, action="extend", metavar="NAME", help="do not run these rules or groups"
    )
    rules.add_argument("--strict", action="store_true", help="run the strict rules as well")
    rules.add_argument(
        "--require-reason", action="store_true", help="report comments that silence a rule and give no reason"
    )


def _add_lsp(lsp: ArgumentParser) -> None:
    _add_selection(lsp)
    lsp.add_argument("--stdio", action="store_true", help="what some editors add; it is so anyway")


def _add_trace(trace: ArgumentParser) -> None:
    trace.add_argument(
        "--format",
        type=_picture,
        default=("text", None),
        metavar="FMT[=FILE]",
        help=f"one of {', '.join(PICTURES)}",
    )
    trace.add_argument("--only", metavar="NAME", help="only launches with NAME in what they are called")


def _add_render(render: ArgumentParser) -> None:
    render.add_argument(
        "--verify", action="store_true", help="compare with what the installed helm and kustomize make of them"
    )


def _add_explain(explain: ArgumentParser) -> None:
    explain.add_argument("rule", metavar="RULE", nargs="+", help="a rule's name, or a place such as k8s/web.yaml:24")


def _add_rules(rules: ArgumentParser) -> None:
    rules.add_argument("--format", choices=("text", "json"), default="text")


def _add_config(config: ArgumentParser) -> None:
    config.add_argument("--schema", action="store_true", required=True, help="print the JSON schema of gracelint.toml")


def _add_paths(command: ArgumentParser) -> None:
    command.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="files and folders; - is standard input"
    )
    command.add_argument(
        "--isolated", action="store_true", help="read the given paths alone, no project and no settings"
    )
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="read N files at once, for slow disks")
    command.add_argument(
        "--no-cache", action="store_true", help="keep nothing between runs, and use nothing that was kept"
    )
    command.add_argument("--stdin-filename", metavar="FILE", help="the name of what is read from standard input")


def _add_common(command: ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="use this pyproject.toml or gracelint.toml")
    command.add_argument("--color", choices=COLORS, default="auto")
    command.add_argument("--no-plugins", action="store_true", help="load no rule packs, whatever the settings say")
    loudness = command.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="say nothing but findings")
    loudness.add_argument("-v", "--verbose", action="store_true", help="say what is skipped, and why")


class _Version(Action):
    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        from gracelint import __version__

        print(f"gracelint {__version__}")
        parser.exit()


class _Completion(Action):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"default": SUPPRESS})

    def __call__(self, parser: ArgumentParser, _: Namespace, shell: object, __: str | None = None) -> None:
        try:
            import shtab
        except ImportError:
            parser.error("--print-completion needs shtab: install gracelint with its extra `completion`")
        if shell not in shtab.SUPPORTED_SHELLS:
            parser.error(f"--print-completion: {shell!r} is none of {', '.join(shtab.SUPPORTED_SHELLS)}")
        _name_values(parser, shtab.FILE)
        print(shtab.complete(parser, shell), flush=True)
        parser.exit()


def _name_values(parser: ArgumentParser, file: object) -> None:
    """Says of options and arguments what stands behind them; `file` is what shtab calls a path."""
    from gracelint.config import Settings
    from gracelint.rules import GROUPS
    from gracelint.selection import ENGINE, every_rule

    rules = [rule.name for _, rule in every_rule(Settings())]
    files = ("paths", "config", "baseline", "write_baseline", "stdin_filename")
    for name, command in parser._subparsers._group_actions[0].choices.items():  # type: ignore[union-attr]
        for action in command._actions:
            if action.dest in files:
                action.complete = file
            elif action.dest == "format" and not action.choices:
                action.choices = PICTURES if name == "trace" else FORMATS
            elif action.dest in ("select", "ignore"):
                action.choices = [*GROUPS, ENGINE, *rules]
            elif action.dest == "rule":
                action.choices = rules


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _format(text: str) -> tuple[str, str | None]:
    return _one_of(FORMATS, text, PICTURES, "trace")


def _picture(text: str) -> tuple[str, str | None]:
    return _one_of(PICTURES, text, FORMATS, "check")


def _one_of(known: tuple[str, ...], text: str, others: tuple[str, ...], command: str) -> tuple[str, str | None]:
    name, _, path = text.partition("=")
    if name not in known:
        from gracelint.config import did_you_mean

        near = f": it is a format of `gracelint {command}`" if name in others else did_you_mean(name, known)
        raise ArgumentTypeError(f"{name!r} is none of {', '.join(known)}{near}")
    return name, None if path in ("", "-") else path
