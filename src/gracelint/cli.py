"""The command: arguments → settings → project → engine → report. No logic of its own."""

from __future__ import annotations

import gc
import os
import sys
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from contextlib import suppress

from gracelint.config import ConfigError, Configuration, Settings, locate, read_settings
from gracelint.finding import Severity
from gracelint.record import replace
from gracelint.report import FORMATS, counted
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gracelint.engine import Report
    from gracelint.project import Request
    from gracelint.selection import Selection

CLEAN, FINDINGS, FAILED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    # All that is read stays until the end: looking for garbage would take a quarter of a long run.
    gc.disable()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        print("gracelint: standard output is closed", file=sys.stderr)
        return FAILED
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except ConfigError as error:
        print(f"gracelint: {visible(str(error))}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _without_output(error)


def _without_output(error: OSError) -> int:
    """Nothing more can be written to standard output; Python must not try again at its end."""
    if sys.stdout is sys.__stdout__:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if not isinstance(error, BrokenPipeError):
        with suppress(OSError):
            print(f"gracelint: {visible(error.strerror or str(error))}", file=sys.stderr)
    return FAILED


def _check(options: Namespace) -> int:
    from gracelint.engine import lint
    from gracelint.project import read_project

    request, selection = _request(options)
    fixed, fresh = None, _fresh(options)
    if options.fix or options.diff:
        from gracelint.fixer import fix

        if request.overlay:
            raise ConfigError("standard input cannot be fixed: give the file's path")
        fixed = fix(request, selection, unsafe=options.unsafe_fixes, fresh=fresh)
        report = fixed.before if options.diff else fixed.after
    else:
        report = fresh(lint(read_project(request), selection))
    if options.write_baseline:
        from gracelint.baseline import write

        write(options.write_baseline, report)
        _say(options, f"Wrote {counted(len(report.findings), 'finding')} to {options.write_baseline}.")
        return FAILED if report.errors else CLEAN
    if fixed is not None:
        from gracelint.fixer import unified_diff
        from gracelint.writing import write_files

        if options.diff:
            print(unified_diff(fixed, report.shown), end="")
        else:
            write_files(fixed)
        _say(options, fixed.story(options.diff, options.show_fixes))
    if not options.diff:
        _output(report, options)
    if any(_is_empty(name, report) for name in request.overlay):
        raise ConfigError("standard input holds nothing to check: no manifest, Compose file or Dockerfile")
    return _verdict(report, options)


def _is_empty(name: str, report: Report) -> bool:
    """Whether nothing of what came from standard input was judged: the command before the pipe has failed."""
    return name not in report.judged and not any(reported.path == name for reported in report.findings)


def _fresh(options: Namespace) -> Callable[[Report], Report]:
    """Leaves out of a report what the baseline lists, unless all of it is to be listed anew."""
    if not options.baseline or options.write_baseline:
        return lambda report: report
    from functools import partial

    from gracelint.baseline import without_known

    return partial(without_known, options.baseline)


def _trace(options: Namespace) -> int:
    from functools import partial

    from gracelint.engine import shown_path
    from gracelint.project import read_project
    from gracelint.report.trace import render

    request, _ = _request(options)
    project = read_project(request)
    color = options.format == "text" and _wants_color(options)
    told = [launch for launch in project.launches if project.concerns(launch)]
    print(render(told, options.format, shown=partial(shown_path, request.root, request.working_dir), color=color))
    for error in project.errors:
        print(f"gracelint: {error}", file=sys.stderr)
    return FAILED if project.errors else CLEAN


def _render(options: Namespace) -> int:
    from functools import partial

    from gracelint.engine import shown_path
    from gracelint.project import read_project
    from gracelint.report.render import render

    request, _ = _request(options)
    project = read_project(request)
    told = [source for source in project.rendered if source.unit is not None and project.renders(source)]
    if options.verify:
        from gracelint.render.helm.release import NEWEST
        from gracelint.render.verify import compare

        version = request.configuration.of("").assume.kubernetes_version or NEWEST
        for line in compare(request.root, told, version):
            print(line)
    else:
        print(render(told, partial(shown_path, request.root, request.working_dir)))
    for error in project.errors:
        print(f"gracelint: {error}", file=sys.stderr)
    return FAILED if project.errors else CLEAN


def _explain(options: Namespace) -> int:
    from gracelint.report.rules import explain
    from gracelint.selection import every_rule

    print(explain(every_rule(_settings_here(options)), options.rule, color=_wants_color(options)))
    return CLEAN


def _rules(options: Namespace) -> int:
    from gracelint.report.rules import table
    from gracelint.selection import every_rule

    print(table(every_rule(_settings_here(options)), options.format))
    return CLEAN


def _request(options: Namespace) -> tuple[Request, Selection]:
    from gracelint.project import STDIN, Request, place_of
    from gracelint.selection import select

    working_dir = os.getcwd()
    paths = [os.path.abspath(path) for path in options.paths if path != STDIN]
    fed = os.path.abspath(options.stdin_filename or STDIN)
    place = place_of([*paths, fed] if STDIN in options.paths else paths, working_dir)
    overlay = {}
    if STDIN in options.paths:
        name = os.path.relpath(fed, place.root) if options.stdin_filename else STDIN
        overlay[name] = sys.stdin.buffer.read().decode(errors="replace")
        paths.append(os.path.join(place.root, name))
    configuration = _configuration(options, place.root)
    request = Request(
        root=place.root,
        working_dir=working_dir,
        paths=tuple(paths),
        configuration=configuration,
        around=0 if options.isolated else place.around,
        isolated=options.isolated,
        jobs=options.jobs,
        overlay=overlay,
        progress=_progress() if sys.stderr.isatty() and not options.quiet else None,
    )
    return request, select(configuration)


def _configuration(options: Namespace, root: str) -> Configuration:
    """What the configuration says, overruled by the command line."""

    def adjust(settings: Settings) -> Settings:
        return replace(
            settings,
            select=tuple(getattr(options, "select", None) or settings.select),
            ignore=(*settings.ignore, *(getattr(options, "ignore", None) or ())),
            strict=settings.strict or getattr(options, "strict", False),
            plugins=() if options.no_plugins else settings.plugins,
            without_plugins=options.no_plugins,
        )

    if options.config is not None:
        if not os.path.isfile(options.config):
            raise ConfigError(f"--config: {options.config}: no such file")
        return Configuration(root, adjust=adjust, fixed=read_settings(os.path.abspath(options.config)))
    fixed = Settings() if getattr(options, "isolated", False) else None
    return Configuration(root, adjust=adjust, fixed=fixed)


def _settings_here(options: Namespace) -> Settings:
    """The settings that hold in the working folder."""
    here = os.getcwd()
    place = locate(here)
    root = place.root if place is not None else here
    return _configuration(options, root).inside("" if root == here else os.path.relpath(here, root))


def _output(report: Report, options: Namespace) -> None:
    for name, path in options.format or [("text", None)]:
        text = _rendered(report, name, options, to_file=path not in (None, "-"))
        if path is None or path == "-":
            print(text, end="\n" if text else "")
            continue
        try:
            with open(path, "w", encoding="utf-8", errors="replace") as file:
                file.write(text + "\n")
        except OSError as error:
            raise ConfigError(f"--format: {path}: cannot be written: {error.strerror}") from error
    if options.verbose:
        for skip in report.skipped:
            _say(options, f"skipped {visible(report.shown(skip.path))}: {skip.reason}")
    for message in report.errors:
        print(f"gracelint: {visible(message)}", file=sys.stderr)


def _rendered(report: Report, name: str, options: Namespace, *, to_file: bool) -> str:
    if name == "text":
        from gracelint.report import text

        color = not to_file and _wants_color(options)
        if options.statistics:
            return text.statistics(report, color=color)
        return text.render(report, color=color, summary=not options.quiet)
    if name == "json":
        from gracelint.report.json import render
    elif name == "sarif":
        from gracelint.report.sarif import render
    elif name == "github":
        from gracelint.report.github import render
    elif name == "gitlab":
        from gracelint.report.gitlab import render
    else:
        from gracelint.report.junit import render
    return render(report)


def _verdict(report: Report, options: Namespace) -> int:
    if report.errors:
        return FAILED
    if options.fail_on == "never":
        return CLEAN
    worst = min((reported.severity.rank for reported in report.findings), default=len(Severity))
    return FINDINGS if worst <= Severity(options.fail_on).rank else CLEAN


def _say(options: Namespace, text: str) -> None:
    if text and not options.quiet:
        print("\n".join(map(visible, text.split("\n"))), file=sys.stderr)


def _wants_color(options: Namespace) -> bool:
    if options.color != "auto":
        return bool(options.color == "always")
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _progress() -> Callable[[int, int], None]:
    """A bar on standard error, once a run takes longer than a second."""
    from time import monotonic

    start = shown = monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal shown
        now = monotonic()
        if done == total:
            print("\r\x1b[K" if shown > start else "", end="", file=sys.stderr, flush=True)
        elif now - start > 1 and now - shown > 0.1:
            shown = now
            bar = "█" * (20 * done // total)
            print(f"\r{bar:░<20} {done}/{total} files", end="", file=sys.stderr, flush=True)

    return progress


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="gracelint",
        description="Says which containers will be killed, or drop requests, when they are told to stop.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="report what will go wrong when containers are told to stop")
    check.set_defaults(run=_check)
    _add_paths(check)
    fixing = check.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="apply safe fixes")
    fixing.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: unsafe ones as well")
    fixing.add_argument("--diff", action="store_true", help="show what --fix would change, and write nothing")
    fixing.add_argument("--show-fixes", action="store_true", help="with --fix or --diff: name each fix and its place")
    rules = check.add_argument_group("rules")
    rules.add_argument("--select", type=_names, action="extend", metavar="NAME", help="run only these rules or groups")
    rules.add_argument(
        "--ignore", type=_names, action="extend", metavar="NAME", help="do not run these rules or groups"
    )
    rules.add_argument("--strict", action="store_true", help="run the strict rules as well")
    output = check.add_argument_group("output")
    output.add_argument(
        "--format",
        type=_format,
        action="append",
        metavar="FMT[=FILE]",
        help=f"one of {', '.join(FORMATS)}; can be given several times",
    )
    output.add_argument("--statistics", action="store_true", help="show how often each rule was broken, not where")
    output.add_argument(
        "--fail-on",
        choices=("error", "warning", "info", "never"),
        default="warning",
        help="mildest severity that makes the exit code 1 (default: warning)",
    )
    output.add_argument("--baseline", metavar="FILE", help="do not report the findings listed in FILE")
    output.add_argument("--write-baseline", metavar="FILE", help="list the present findings in FILE")
    trace = commands.add_parser("trace", help="tell the story of each launch: what a stop signal meets on its way")
    trace.set_defaults(run=_trace)
    _add_paths(trace)
    trace.add_argument("--format", choices=("text", "json"), default="text")
    render = commands.add_parser("render", help="show what charts and overlays come to, and where each line comes from")
    render.set_defaults(run=_render)
    _add_paths(render)
    render.add_argument(
        "--verify",
        action="store_true",
        help="compare with what the installed helm and kustomize make of them",
    )
    explain = commands.add_parser("explain", help="show a rule's documentation")
    explain.set_defaults(run=_explain)
    explain.add_argument("rule", metavar="RULE")
    rules_command = commands.add_parser("rules", help="list the rules")
    rules_command.set_defaults(run=_rules)
    rules_command.add_argument("--format", choices=("text", "json"), default="text")
    for command in (check, trace, render, explain, rules_command):
        _add_common(command)
    return parser


class _Version(Action):
    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        from gracelint import __version__

        print(f"gracelint {__version__}")
        parser.exit()


def _add_paths(command: ArgumentParser) -> None:
    command.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="files and folders; - is standard input"
    )
    command.add_argument(
        "--isolated", action="store_true", help="read the given paths alone, no project and no settings"
    )
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="read N files at once, for slow disks")
    command.add_argument("--stdin-filename", metavar="FILE", help="the name of what is read from standard input")


def _add_common(command: ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="use this pyproject.toml or gracelint.toml")
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    command.add_argument("--no-plugins", action="store_true", help="load no rule packs, whatever the settings say")
    loudness = command.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="say nothing but findings")
    loudness.add_argument("-v", "--verbose", action="store_true", help="say what is skipped, and why")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _format(text: str) -> tuple[str, str | None]:
    name, _, path = text.partition("=")
    if name not in FORMATS:
        raise ArgumentTypeError(f"{name!r} is none of {', '.join(FORMATS)}")
    return name, None if path in ("", "-") else path
