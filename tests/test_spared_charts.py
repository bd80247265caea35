"""A run for a file of one chart renders that chart and those that are made of it; others only where they matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gracelint.cli import main
from gracelint.render.helm import release

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 2
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: {image}
"""
NAMES = ("mail", "shop", "cart")


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three charts, of which the shop takes the cart as a part of its own."""
    for name in NAMES:
        needs = 'dependencies: [{name: cart, version: 1.0.0, repository: "file://../cart"}]\n' if name == "shop" else ""
        write(tmp_path / f"charts/{name}/Chart.yaml", f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n{needs}")
        text = DEPLOYMENT.format(name=name, image=f"registry.example.com/{name}:1")
        write(tmp_path / f"charts/{name}/templates/deployment.yaml", text)
    write(tmp_path / "gracelint.toml", "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The charts that are rendered."""
    roots: list[str] = []
    render = release.render

    def noted(files: Any, chart: Any, *others: Any) -> Any:
        roots.append(chart.root)
        return render(files, chart, *others)

    monkeypatch.setattr(release, "render", noted)
    return roots


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *paths: str) -> list[str]:
    assert main(["check", "--format", "concise", "--fail-on", "never", *paths]) == 0
    return sorted(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("path", "charts_of_it"),
    [
        ("charts/mail/templates/deployment.yaml", ["charts/mail"]),
        ("charts/shop/Chart.yaml", ["charts/shop"]),
        ("charts/cart/templates/deployment.yaml", ["charts/cart", "charts/shop"]),
    ],
)
@pytest.mark.usefixtures("charts")
def test_what_a_file_is_no_part_of_is_not_rendered(
    capsys: pytest.CaptureFixture[str], rendered: list[str], path: str, charts_of_it: list[str]
) -> None:
    whole = said(capsys, ".")
    rendered.clear()
    own = said(capsys, path)
    assert rendered == charts_of_it
    assert [line for line in own if line.startswith(path)] == [line for line in whole if line.startswith(path)]


SCRIPT = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data:
  start.sh: |
    nginx -g 'daemon off;'
"""
MOUNTED = DEPLOYMENT.replace(
    "{image}\n",
    """nginx:1.27
          command: [bash, /scripts/start.sh]
          volumeMounts: [{{name: scripts, mountPath: /scripts}}]
      volumes: [{{name: scripts, configMap: {{name: {name}}}}}]
""",
)


def test_a_script_of_a_chart_is_shared_with_what_is_made_of_it_alone(
    charts: Path, capsys: pytest.CaptureFixture[str], rendered: list[str]
) -> None:
    for name in NAMES:
        write(charts / f"charts/{name}/templates/script.yaml", SCRIPT.format(name=name))
        write(charts / f"charts/{name}/templates/deployment.yaml", MOUNTED.format(name=name))
    whole = said(capsys, ".")
    rendered.clear()
    own = said(capsys, "charts/mail/templates/script.yaml")
    assert rendered == ["charts/mail"]
    line = "charts/mail/templates/script.yaml:6:"
    assert [one for one in own if one.startswith(line)] == [one for one in whole if one.startswith(line)] != []


@pytest.mark.usefixtures("charts")
def test_a_file_outside_of_charts_may_be_what_any_of_them_is_about(
    capsys: pytest.CaptureFixture[str], rendered: list[str]
) -> None:
    said(capsys, "gracelint.toml")
    assert rendered == ["charts/cart", "charts/mail", "charts/shop"]


def test_an_image_that_is_built_here_may_be_run_by_others(
    charts: Path, capsys: pytest.CaptureFixture[str], rendered: list[str]
) -> None:
    write(charts / "mail/Dockerfile", 'FROM nginx:1.27\nCMD ["nginx", "-g", "daemon off;"]\n')
    write(charts / "other/Dockerfile", 'FROM nginx:1.27\nCMD ["nginx", "-g", "daemon off;"]\n')
    said(capsys, "charts/cart/templates/deployment.yaml")
    assert rendered == ["charts/cart", "charts/shop"]
    rendered.clear()
    said(capsys, "charts/mail/templates/deployment.yaml")
    assert rendered == ["charts/mail", "charts/cart", "charts/mail", "charts/shop"]
