"""The site of the documentation: it builds without a warning, its links lead somewhere, it says what the code says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gracelint
from gracelint.knowledge import table
from gracelint.rules import addresses

pytest.importorskip("mkdocs", reason="needs the extra `docs`")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(made)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
    return made


def words(page: Path) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page.read_text()).split())


@pytest.mark.parametrize("rule", [address.name for address in addresses()])
def test_every_rule_has_its_page(site: Path, rule: str) -> None:
    assert "What it does" in words(site / "rules" / rule / "index.html")
    assert f'href="{rule}/"' in (site / "rules/index.html").read_text()


def test_images_are_answered_for_by_gracelint(site: Path) -> None:
    told = words(site / "images/index.html")
    assert re.search(r"nginx /docker-entrypoint.sh nginx -g daemon off; SIGQUIT ✅ handled", told)
    assert re.search(r"Base images.* debian,", told)


@pytest.mark.parametrize("name", table("servers"))
def test_every_server_is_listed(site: Path, name: str) -> None:
    assert table("servers")[name].get("label", name) in words(site / "servers/index.html")


def test_what_a_rule_gets_is_told(site: Path) -> None:
    page = (site / "reference/index.html").read_text()
    names = {*gracelint.__all__, *(f"edits.{name}" for name in gracelint.edits.__all__)}
    for kind in (gracelint.Launch, gracelint.Stage, gracelint.Workload, gracelint.Program):
        names |= {f"<code>{name}</code>" for name in kind.__match_args__}
    assert {name for name in names if name not in page} == set()
    assert "<code>Word | None</code>" in page and "\\|" not in page


@pytest.mark.parametrize("kind", [gracelint.Launch, gracelint.Stage, gracelint.Workload, gracelint.Program])
def test_each_attribute_of_a_subject_has_a_meaning(kind: type, site: Path) -> None:
    page = (site / "reference/index.html").read_text()
    start = page.index(f'<h2 id="{kind.__name__.lower()}"')
    rows = re.findall(
        r"<tr>\s*<td><code>(.*?)</code></td>.*?<td>(.*?)</td>\s*</tr>",
        page[start : page.find("<h2", start + 1)],
        re.DOTALL,
    )
    assert len(rows) > 15
    assert [name for name, meaning in rows if not meaning.rpartition("<td>")[2].strip()] == []


def test_no_place_is_left_to_be_filled_in(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(r"<!-- (table|file) ", page.read_text()), page


def test_no_page_needs_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="https?:', page.read_text()), page


def test_the_pack_to_start_from_passes_its_own_tests(tmp_path: Path) -> None:
    pack = ROOT / "docs/rule-pack"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={pack}", str(pack / "tests")]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(pack)}, capture_output=True, text=True
    )
    assert re.search(r"\b2 passed\b", done.stdout), done.stdout + done.stderr
