"""`gracelint lsp`."""

from __future__ import annotations

from functools import partial

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import configuration_of
from gracelint.config import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    try:
        from gracelint.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise ConfigError(
            "lsp: the language server is not installed: install gracelint with its extra `lsp`"
        ) from error
    serve(partial(configuration_of, options))
    return CLEAN
