"""The README shows what gracelint prints, and the demo shop has just the defects it is meant to have.

`pytest --update` puts the present output into README.md and draws docs/*.svg anew.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gracelint.config import parse_settings
from gracelint.testing import lint, read_folder

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "fixtures/shop"
README = ROOT / "README.md"

SHOWN = {
    "check": ["check", "fixtures/shop/worker/entrypoint.sh", "fixtures/shop/k8s/checkout.yaml"],
    "trace": ["trace", "fixtures/shop/k8s/web.yaml"],
}
"""What stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
DRAWN = {
    "check.svg": ["check", "api", "worker", "k8s/checkout.yaml"],
    "web.svg": ["trace", "k8s/web.yaml", "--format", "svg"],
}

DEFECTS = {
    ("api/Dockerfile", "shell-form-command"),
    ("compose.yaml", "uncatchable-stop-signal"),
    ("k8s/api.yaml", "identical-probes"),
    ("k8s/api.yaml", "missing-pre-stop"),
    ("k8s/checkout.yaml", "grace-period-too-short"),
    ("k8s/web.yaml", "disruptive-rollout"),
    ("k8s/web.yaml", "missing-readiness-probe"),
    ("k8s/worker.yaml", "invalid-pre-stop"),
    ("web/Dockerfile", "package-manager-as-pid-1"),
    ("worker/entrypoint.sh", "script-without-exec"),
}


def test_each_defect_of_the_shop_is_one_finding() -> None:
    findings = lint(read_folder(str(SHOP))).findings
    assert sorted((reported.path, reported.rule) for reported in findings) == sorted(DEFECTS)


@pytest.mark.parametrize("name", SHOWN)
def test_the_readme_shows_what_is_printed(name: str, update: bool) -> None:
    arguments = SHOWN[name]
    block = f"```console\n$ gracelint {' '.join(arguments)}\n{_printed(arguments, ROOT)}```"
    between = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    if update:
        README.write_text(between.sub(lambda found: found[1] + block + found[2], README.read_text()))
    shown = between.search(README.read_text())
    assert shown is not None, f"the README has no place for {name}"
    assert block in shown[0]


@pytest.mark.parametrize("name", DRAWN)
def test_the_readme_has_its_pictures(name: str, update: bool) -> None:
    picture = ROOT / "docs" / name
    if update:
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(_drawn(DRAWN[name]))
    assert f"docs/{name}" in README.read_text()
    assert picture.read_text().startswith("<svg")
    assert name == "check.svg" or picture.read_text() == _drawn(DRAWN[name])


def test_the_settings_of_the_readme_are_settings() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        parse_settings(block, "README.md")


PAGES = [README, *ROOT.glob("docs/*.md"), *ROOT.glob("editors/*/README.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_not_published_is_installed_from_a_clone(page: Path) -> None:
    assert not re.findall(r"\binstall (?:-\S+ )*'?gracelint\b", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_who_the_owner_is(page: Path) -> None:
    assert "OWNER" not in page.read_text() or "In place of `OWNER`" in page.read_text()


def _printed(arguments: list[str], folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "gracelint", *arguments, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def _drawn(arguments: list[str]) -> str:
    if "svg" in arguments:
        return _printed(arguments, SHOP)
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=124, file=io.StringIO())
    console.print(Text.from_ansi(_printed(arguments, SHOP, "--color", "always")))
    return console.export_svg(title=f"gracelint {arguments[0]}")
