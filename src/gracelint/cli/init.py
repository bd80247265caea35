"""`gracelint init`: settings and a pre-commit hook for a repository. What is there is left as it is."""

from __future__ import annotations

import os
import re
from collections import Counter

from gracelint.cli.exits import CLEAN
from gracelint.cli.streams import say
from gracelint.config import OWN_FILE, ConfigError, Configuration, locate
from gracelint.report import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

HOOKS = ".pre-commit-config.yaml"
_SETTINGS = """\
# Settings of gracelint; all are optional. `gracelint rules` lists the rules, `gracelint explain RULE` shows one.
# select = ["launch", "kubernetes"]    # groups or rules, in place of the default
# ignore = []
# exclude = []
"""
_CLUSTER = '# kubernetes-version = "1.31"          # which preStop forms and sidecars the cluster knows\n'
_IMAGES = """
[images]                               # which Dockerfile builds an image that a manifest names
"""
_HOOK = """\
- repo: local
  hooks:
    - id: gracelint
      name: gracelint
      entry: gracelint check
      language: system                 # the command on your PATH
      types_or: [text]
      exclude_types: [markdown, rst, asciidoc, html, css, scss, sass, less, svg, xml, csv, sql, diff, pem, tex]
      require_serial: true
"""
_WHERE = {"dockerfile": "in Dockerfiles alone", "compose": "in Compose files", "kubernetes": "in manifests"}
_NEXT = """
`gracelint check` says what is wrong. To begin with new findings alone: `gracelint check --write-baseline FILE`,
and `baseline = "FILE"` in the settings."""


def run(options: Namespace) -> int:
    place = locate(os.getcwd())
    root = place.root if place is not None else os.getcwd()
    say(options, _settings(root))
    say(options, *_hook(root).rstrip("\n").split("\n"))
    say(options, *_NEXT.split("\n"))
    return CLEAN


def _settings(root: str) -> str:
    present = Configuration(root).inside("")
    if present.file is not None:
        return f"{os.path.relpath(os.path.join(root, present.file))} has settings already: left as it is."
    kinds, unlinked = _found(root)
    text = _SETTINGS + (_CLUSTER if kinds["kubernetes"] else "")
    if unlinked:
        text += _IMAGES + "".join(f'# {_quoted(image)} = "Dockerfile"\n' for image in unlinked)
    path = os.path.join(root, OWN_FILE)
    _create(path, text)
    wrote = f"Wrote {os.path.relpath(path)}"
    if not kinds:
        return f"{wrote}; nothing that can be read here starts a container."
    told = ", ".join(f"{kinds[kind]} {where}" for kind, where in _WHERE.items() if kinds[kind])
    return f"{wrote} for {counted(sum(kinds.values()), 'container')}: {told}."


def _found(root: str) -> tuple[Counter[str], list[str]]:
    """How many containers there are of each kind, and the images that are joined to no Dockerfile and not known."""
    from gracelint.launch.images.bases import is_known
    from gracelint.project import Request
    from gracelint.reading import read_project

    launches = read_project(Request(root=root, paths=(root,), configuration=Configuration(root))).launches
    names = [launch.image.reference for launch in launches if launch.stage is None]
    unlinked = [name for name in dict.fromkeys(names) if name and not is_known(name) and name.isprintable()]
    return Counter(launch.origin.kind for launch in launches), unlinked[:20]


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _hook(root: str) -> str:
    path = os.path.join(root, HOOKS)
    shown = os.path.relpath(path)
    if not os.path.lexists(path):
        _create(path, f"repos:\n{_indented(_HOOK, '  ')}")
        return f"Wrote {shown}: run `pre-commit install` once."
    return f"{shown} is there already: left as it is. What it needs is\n\n{_indented(_HOOK, '  ')}"


def _indented(text: str, indent: str) -> str:
    return re.sub(r"^(?=.)", indent, text, flags=re.MULTILINE)


def _create(path: str, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"{os.path.relpath(path)}: cannot be written: {error.strerror}") from error
