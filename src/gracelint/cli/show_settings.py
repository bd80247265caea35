"""`gracelint show-settings`: what holds, as TOML that could stand in gracelint.toml."""

from __future__ import annotations

import os

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import request_of
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from gracelint.config import Settings

_KEYS = {"options": "rules"}
"""Settings that are called otherwise than their attributes."""
_NO_SETTINGS = ("file", "folder", "without_plugins", "assume")


def run(options: Namespace) -> int:
    request, _ = request_of(options)
    for number, path in enumerate(request.paths):
        below = os.path.relpath(path, request.root).replace(os.sep, "/")
        folder = below if os.path.isdir(path) else below.rpartition("/")[0]
        settings = request.configuration.inside("" if folder == "." else folder)
        file = os.path.relpath(os.path.join(request.root, settings.file)) if settings.file else None
        separator = "\n" if number else ""
        print(f"{separator}# {visible(os.path.relpath(path))}: {visible(file) if file else 'no settings file'}")
        print("\n".join(_told(settings)))
    return CLEAN


def _told(settings: Settings) -> Iterator[str]:
    values = {
        _KEYS.get(name, name.replace("_", "-")): getattr(settings, name)
        for name in settings.__match_args__
        if name not in _NO_SETTINGS
    }
    version = settings.assume.kubernetes_version
    values["kubernetes-version"] = None if version is None else "{}.{}".format(*version)
    values["budget"] = _budget(settings)
    for key, value in values.items():
        if value is not None:
            yield f"{key} = {_toml(value)}"
    unset = [key for key, value in values.items() if value is None]
    if unset:
        yield f"# not set: {', '.join(unset)}"
    if not settings.assume.drain_is_set:
        yield f"# not set: budget.drain-seconds; where nothing says more, {settings.assume.drain:g} s are assumed"


def _budget(settings: Settings) -> dict[str, float]:
    assume = settings.assume
    drain = {"drain-seconds": assume.drain} if assume.drain_is_set else {}
    return {"pre-stop-seconds": assume.pre_stop, **drain, "margin-seconds": assume.margin}


def _toml(value: Any) -> str:
    if hasattr(value, "__match_args__"):
        value = {name: each for name in value.__match_args__ if (each := getattr(value, name)) is not None}
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {_toml(item)}' for key, item in value.items())}}}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:g}" if float(value).is_integer() and abs(value) < 1e6 else repr(value)
    return _string(str(value))


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").isalnum() else _string(name)


def _string(text: str) -> str:
    """Quoted, with nothing in it that a terminal could take for an order."""
    shown = (f"\\{char}" if char in '"\\' else char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
    return f'"{"".join(shown)}"'
