"""The command: arguments → settings → project → engine → report. No logic of its own.

Each command is a module of the same name with `run(options)`, which is imported when it is asked for.
"""

from __future__ import annotations

import gc
import os
import sys

from gracelint.cli.exits import FAILED, INTERRUPTED
from gracelint.cli.plain import plain
from gracelint.cli.streams import lenient
from gracelint.config import ConfigError
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    gc.disable()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        print("gracelint: standard output is closed", file=sys.stderr)
        return FAILED
    if sys.platform == "win32":
        print("gracelint: Windows is not supported: use WSL, or the image that the Dockerfile builds", file=sys.stderr)
        return FAILED
    try:
        options = _read(sys.argv[1:] if arguments is None else arguments)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors=lenient())
        code: int = __import__(f"gracelint.cli.{options.run}", fromlist=("run",)).run(options)
        sys.stdout.flush()
        return code
    except ConfigError as error:
        print(f"gracelint: {visible(str(error))}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _without_output(error)


def _read(arguments: Sequence[str]) -> Namespace:
    options = plain(arguments)
    if options is not None:
        return options
    from gracelint.cli.parser import read_arguments

    return read_arguments(arguments)


def _without_output(error: OSError) -> int:
    """Nothing more can be written to standard output; Python must not try again at its end."""
    if sys.stdout is sys.__stdout__:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        except (OSError, ValueError):
            pass
    if not isinstance(error, BrokenPipeError):
        told = error.strerror or str(error) if _is_somewhere() else "the working folder is not there any more"
        try:
            print(f"gracelint: {visible(told)}", file=sys.stderr)
        except OSError:
            pass
    return FAILED


def _is_somewhere() -> bool:
    try:
        return bool(os.getcwd())
    except OSError:
        return False
