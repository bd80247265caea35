"""`gracelint show-settings`."""

from __future__ import annotations

import os

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import request_of
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def run(options: Namespace) -> int:
    import json

    request, _ = request_of(options)
    for path in request.paths:
        below = os.path.relpath(path, request.root).replace(os.sep, "/")
        folder = below if os.path.isdir(path) else below.rpartition("/")[0]
        settings = request.configuration.inside("" if folder == "." else folder)
        told = {name: _plain(getattr(settings, name)) for name in settings.__match_args__}
        file = os.path.relpath(os.path.join(request.root, settings.file)) if settings.file else None
        print(f"# {visible(os.path.relpath(path))}: {visible(file) if file else 'no settings file'}")
        for name, value in told.items():
            if name not in ("file", "folder", "without_plugins"):
                print(f"{name.replace('_', '-')} = {json.dumps(value, ensure_ascii=True)}")
    return CLEAN


def _plain(value: Any) -> Any:
    """Records and enumerations as what JSON can say."""
    if hasattr(value, "__match_args__"):
        return {name: _plain(getattr(value, name)) for name in value.__match_args__}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
