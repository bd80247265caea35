"""`trace` as pictures: a page, a drawing, a chart; what they hold, and that they hold for any name.

Those that open the page need Chromium (`apt-get install chromium`); elsewhere they are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import FIXTURES
from devtools import Browser
from gracelint.cli import main

EVIL = "\"'><script>alert(1)</script><img src=http://e.example/x>`]]>\n--> x\u202e\ufffe"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def traced(folder: str | Path, name: str, out: Path, *more: str) -> str:
    assert main(["trace", str(folder), "--format", f"{name}={out}", *more]) == 0
    return out.read_text()


@pytest.fixture(autouse=True)
def no_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The demo shop alone: the cases around it name some of its images."""
    return Path(shutil.copytree(os.path.join(FIXTURES, "shop"), tmp_path / "shop"))


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "gracelint.toml").write_text("")
    services = {EVIL: {"image": EVIL, "command": ["sh", "-c", f"{EVIL}; x"], "stop_signal": "SIGKILL"}}
    (folder / "compose.yaml").write_text(json.dumps({"services": services}))
    return folder


def many(folder: Path, number: int) -> Path:
    folder.mkdir()
    (folder / "app.py").write_text("import time\nwhile True:\n    time.sleep(1)\n")
    (folder / "Dockerfile").write_text('FROM python:3.12-slim\nCOPY app.py .\nCMD ["python", "app.py"]\n')
    services = {
        f"s{index}": {"build": ".", "stop_grace_period": f"{5 + index}s", **({"init": True} if index % 2 else {})}
        for index in range(number)
    }
    (folder / "compose.yaml").write_text(json.dumps({"services": services}))
    return folder


class Page(HTMLParser):
    """The elements of a page, and whether each that is opened is closed."""

    EMPTY = ("meta", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]


class TestPage:
    def test_each_container_has_its_way_its_time_and_its_findings(self, shop: Path, tmp_path: Path) -> None:
        text = traced(shop, "html", tmp_path / "page.html")
        page = Page(text)
        assert len(page.all("details")) == 11
        assert page.all("details")[0]["data-verdict"] == "ignored"
        start = text.index("<strong>Deployment checkout, container checkout</strong>")
        checkout = text[start : text.index("</details>", start)]
        told = re.sub(r"<[^>]+>", "", checkout)
        assert "PID 1 gunicorn --workers 2 --bind 0.0.0.0:8000 app:app" in told
        assert "15 sSIGTERM to PID 1" in told
        assert "30 sSIGKILL, up to 15 s before it has drained (30 s: gunicorn --graceful-timeout, default)" in told
        assert "stopping needs 47 s (15 preStop + 30 drain + 2 margin" in told
        assert '<span class="bar calm" style="left:0%;width:50%">' in checkout
        assert '<span class="bar bad" style="left:50%;width:50%">' in checkout

    def test_connections_that_clients_keep_take_their_time(self, tmp_path: Path) -> None:
        fastify = Path(__file__).parents[1] / "fixtures" / "verdicts" / "node-fastify-default"
        told = re.sub(r"<[^>]+>", "", traced(fastify, "html", tmp_path / "page.html"))
        assert "10 sSIGKILL, up to 62 s before clients let go of the connections they keep (72 s)" in told

    def test_it_asks_for_nothing_and_runs_nothing_but_its_own(self, evil: Path, tmp_path: Path) -> None:
        text = traced(evil, "html", tmp_path / "page.html")
        page = Page(text)
        assert len(page.all("script")) == len(page.all("style")) == 1
        assert not page.all("img") and not page.all("link") and not page.all("a")
        assert "alert(1)" in text and "<script>alert" not in text
        assert not any("src" in found or "href" in found for _, found in page.elements)
        (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
        assert str(policy["content"]).startswith("default-src 'none';")

    @pytest.mark.parametrize(
        ("variables", "line"),
        [
            (
                {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_SHA": "abc"},
                "https://github.com/acme/shop/blob/abc/worker/entrypoint.sh#L8",
            ),
            (
                {"CI_PROJECT_URL": "https://gitlab.example.com/acme/shop", "CI_COMMIT_SHA": "abc"},
                "https://gitlab.example.com/acme/shop/-/blob/abc/worker/entrypoint.sh#L8",
            ),
        ],
    )
    def test_in_a_pipeline_places_are_links(
        self, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], line: str
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        page = Page(traced(shop, "html", tmp_path / "page.html"))
        assert line in [found["href"] for found in page.all("a")]
        assert all(found["rel"] == "noreferrer" for found in page.all("a"))

    def test_no_other_address_becomes_a_link(self, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI_PROJECT_URL", "javascript:alert(1)//")
        monkeypatch.setenv("CI_COMMIT_SHA", "abc")
        assert not Page(traced(shop, "html", tmp_path / "page.html")).all("a")

    def test_what_is_said_of_an_object_stands_with_its_container(self, shop: Path, tmp_path: Path) -> None:
        text = traced(shop / "k8s" / "worker.yaml", "html", tmp_path / "page.html")
        worker = text[text.index("<strong>Deployment worker, container worker</strong>") : text.index("</details>")]
        assert "<code>invalid-pre-stop</code>" in worker
        assert "Other findings" not in text

    def test_what_is_drawn_is_said(self, shop: Path, tmp_path: Path) -> None:
        page = Page(traced(shop, "html", tmp_path / "page.html"))
        tracks = page.all("div", **{"class": "track"})
        assert tracks and all(track["role"] == "img" and track["aria-label"] for track in tracks)
        assert page.all("html", lang="en")
        assert [found["aria-label"] for found in page.all("input", type="search")] == ["Name or path"]

    def test_of_many_the_worst_are_unfolded(self, tmp_path: Path) -> None:
        page = Page(traced(many(tmp_path / "many", 60), "html", tmp_path / "page.html"))
        assert len(page.all("details")) == 60
        assert sum("open" in found for found in page.all("details")) == 12

    def test_nothing_to_show(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert "No container is started by these files." in traced(tmp_path / "empty", "html", tmp_path / "page.html")


def in_browser(page: Path, script: str, *, width: int = 1280, more: tuple[str, ...] = ()) -> str:
    """What a script behind the page writes into the title."""
    assert CHROMIUM is not None
    opened = page.with_name("opened.html")
    text = page.read_text().replace("</body>", f"<script>document.title = (() => {{ {script} }})();</script></body>")
    opened.write_text(text)
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={page.parent}/chromium", f"--window-size={width},900", *more]
    done = subprocess.run([*command, "--dump-dom", opened.as_uri()], capture_output=True, text=True, timeout=120)
    found = re.search(r"<title>(.*?)</title>", done.stdout)
    assert found is not None, done.stderr
    return found[1]


@needs_chromium
class TestInABrowser:
    def test_the_filter_knows_verdicts_and_paths(self, shop: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.html"
        traced(shop, "html", page)
        script = """
            const form = document.querySelector("form"), said = [];
            const shown = () => [...document.querySelectorAll("details")].filter((one) => !one.hidden).length;
            said.push(shown());
            form.querySelector("input[value=handled]").click();
            said.push(shown());
            form.elements.words.value = "WORKER entrypoint.sh";
            form.elements.words.dispatchEvent(new Event("input", {bubbles: true}));
            said.push(shown(), form.querySelector("output").textContent);
            return said.join(", ");
        """
        assert in_browser(page, script) == "11, 7, 2, 2 of 11 shown"

    @pytest.mark.parametrize("width", [500, 1280])
    def test_nothing_is_wider_than_the_window(self, shop: Path, tmp_path: Path, evil: Path, width: int) -> None:
        page = tmp_path / "page.html"
        for folder in (shop, evil):
            traced(folder, "html", page)
            assert in_browser(page, "return String(document.body.scrollWidth <= innerWidth)", width=width) == "true"

    def test_no_name_is_run(self, tmp_path: Path, evil: Path) -> None:
        page = tmp_path / "page.html"
        traced(evil, "html", page)
        assert in_browser(page, "return String(document.images.length + document.scripts.length)") == "2"

    def test_text_can_be_read_in_light_and_dark(self, shop: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.html"
        traced(shop, "html", page)
        script = """
            const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            const light = (colour) => {
              const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
              return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
            };
            const back = (one) => {
              for (; one; one = one.parentElement) {
                const colour = getComputedStyle(one).backgroundColor;
                if (!/, 0\\)$/.test(colour)) return colour;
              }
              return "rgb(255, 255, 255)";
            };
            let worst = 21;
            for (const one of document.querySelectorAll("h1, h3, p, code, strong, output, .badge, .effect, .level")) {
              const [a, b] = [light(getComputedStyle(one).color), light(back(one))].sort((x, y) => y - x);
              worst = Math.min(worst, (a + 0.05) / (b + 0.05));
            }
            return `${worst >= 4.5} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
        """
        assert in_browser(page, script) == "true false"
        dark = ("--blink-settings=preferredColorScheme=0",)
        assert in_browser(page, script, more=dark) == "true true"

    def test_it_is_used_without_a_mouse(self, shop: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.html"
        traced(shop, "html", page)
        shown = "[...document.querySelectorAll('details')].filter(one => !one.hidden).length"
        with Browser(str(CHROMIUM), page, tmp_path / "profile", *FLAGS) as browser:
            assert browser.run(shown) == 11
            browser.press("Tab")
            assert browser.run("document.activeElement.value") == "ignored"
            browser.press(" ")
            assert browser.run(shown) == 7
            for key in ("Tab", "Tab", "Tab", *"k8s"):
                browser.press(key)
            assert browser.run("document.activeElement.value") == "k8s"
            assert browser.run("document.querySelector('output').textContent") == "3 of 11 shown"
            browser.press("Tab")
            assert browser.run("document.activeElement.tagName") == "SUMMARY"
            before = browser.run("document.activeElement.parentElement.open")
            browser.press("Enter")
            assert browser.run("document.activeElement.parentElement.open") is not before

    def test_a_screen_reader_is_told_what_things_are(self, shop: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.html"
        traced(shop, "html", page, "--only", "Deployment worker")
        with Browser(str(CHROMIUM), page, tmp_path / "profile", *FLAGS) as browser:
            spoken = browser.spoken()
        assert ("checkbox", "ignored (1)") in spoken
        assert ("searchbox", "Name or path") in spoken
        (picture,) = [name for role, name in spoken if role == "image"]
        assert picture == (
            "0 seconds: preStop runs, and the grace period with it; "
            "30 seconds: SIGKILL: preStop has used up the grace period before SIGTERM was sent"
        )
        named = ("checkbox", "searchbox", "image", "DisclosureTriangle", "link", "button", "heading")
        assert [role for role, name in spoken if role in named and not name] == []

    def test_what_a_program_always_takes_is_drawn(self, tmp_path: Path) -> None:
        slow = "import signal, time\non = True\ndef stop(*_):\n    global on\n    on = False\n"
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "app.py").write_text(f"{slow}signal.signal(signal.SIGTERM, stop)\nwhile on:\n    time.sleep(4)\n")
        (folder / "Dockerfile").write_text('FROM python:3.12-slim\nCOPY app.py .\nCMD ["python", "app.py"]\n')
        text = traced(folder, "html", tmp_path / "page.html")
        assert '<span class="bar slow" style="left:0%;width:40%"></span>' in text
        assert "4 s</span><span>app.py has acted on it, at the latest" in text


class TestDrawing:
    def test_it_draws_one_launch(self, shop: Path, tmp_path: Path) -> None:
        text = traced(shop, "svg", tmp_path / "web.svg", "--only", "deployment web")
        root = ElementTree.fromstring(text)
        said = ["".join(element.itertext()) for element in root]
        assert said[0] == "Deployment web, container web: cut"
        assert "forwards SIGTERM: npm 10.8.2 passes SIGTERM to the `sh` it runs the script with" in said
        assert "10 s  SIGTERM to PID 1" in said

    def test_of_several_one_has_to_be_chosen(
        self, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["trace", str(shop), "--format", "svg"]) == 2
        assert capsys.readouterr().err == (
            "gracelint: svg draws one container, and these files start 11: choose one with --only: "
            "Compose service api, Compose service checkout, Compose service web, Compose service worker, "
            "Compose service payments, …\n"
        )

    def test_any_name_makes_valid_xml(self, evil: Path, tmp_path: Path) -> None:
        root = ElementTree.fromstring(traced(evil, "svg", tmp_path / "x.svg"))
        assert {element.tag.partition("}")[2] for element in root.iter()} <= {
            *("svg", "title", "rect", "text", "circle", "line"),
        }


class TestChart:
    def test_it_is_a_flow_chart(self, shop: Path, tmp_path: Path) -> None:
        lines = traced(shop, "mermaid", tmp_path / "web.md", "--only", "Deployment web").splitlines()
        assert lines[:3] == ["```mermaid", "flowchart TD", '  subgraph c0["Deployment web, container web"]']
        assert "    c0h0 --> c0h1 --> c0h2 --> c0h3 --> c0end" in lines
        assert "    c0h2[\"sh -c 'node server.js'<br/>cuts the program off\"]:::bad" in lines
        assert lines[-1] == "```"

    def test_no_name_ends_a_label_or_the_block(self, evil: Path, tmp_path: Path) -> None:
        lines = traced(evil, "mermaid", tmp_path / "x.md").splitlines()
        assert [line for line in lines if line.startswith("```")] == [lines[0], lines[-1]]
        labels = [line for line in lines if '"' in line]
        assert labels and all(line.count('"') == 2 for line in labels)
        assert all("<" not in line.replace("<br/>", "") for line in labels)
