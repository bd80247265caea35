"""`gracelint config`."""

from __future__ import annotations

import os

import gracelint
from gracelint.cli.exits import CLEAN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(_: Namespace) -> int:
    with open(os.path.join(os.path.dirname(gracelint.__file__), "settings.schema.json"), encoding="utf-8") as file:
        print(file.read(), end="")
    return CLEAN
