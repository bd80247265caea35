"""What is kept between runs saves work and changes nothing: not what is said, not what is right, not the project."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gracelint import reading
from gracelint.cli import main
from gracelint.launch.desk import Desk
from gracelint.tree import files, index

DOCKERFILE = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD python app.py; true\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 2
  template:
    metadata: {{labels: {{app: {name}, tier: web}}}}
    spec:
      containers:
        - name: main
          image: registry.example.com/team/{image}:1
          ports: [{{containerPort: 8080}}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: {name}}}
spec: {{minAvailable: 2, selector: {{matchLabels: {{app: {name}}}}}}}
"""
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: {name}}}\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n"
NAMES = ("shop", "cart", "mail")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three services, each with a Dockerfile and manifests; the index is used however small the project is."""
    monkeypatch.setattr(reading, "WORTH_KEEPING", 1)
    monkeypatch.setattr(index, "SETTLED", -(10**18))
    monkeypatch.setenv("GRACELINT_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "shop"
    for name in NAMES:
        write(root / f"services/{name}/Dockerfile", DOCKERFILE)
        for kind, text in (("deployment", DEPLOYMENT), ("service", SERVICE), ("budget", BUDGET), ("role", ROLE)):
            write(root / f"deploy/{kind}-{name}.yaml", text.format(name=name, image=name))
        write(root / f"deploy/settings-{name}.yaml", CONFIG_MAP.format(name=name))
    write(root / "gracelint.toml", "")
    monkeypatch.chdir(root)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["check", "--format", "json", "--fail-on", "never", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files of the project that are opened."""
    paths: list[str] = []
    read = files._bytes

    def noted(path: str, more: int) -> bytes | None:
        paths.append(os.path.relpath(path))
        return read(path, more)

    monkeypatch.setattr(files, "_bytes", noted)
    yield paths


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize(
    "path", [".", "services/shop/Dockerfile", "deploy/deployment-cart.yaml", "deploy/budget-mail.yaml", "deploy"]
)
def test_the_same_is_said_without_an_index_and_with_a_new_and_an_old_one(
    shop: Path, capsys: pytest.CaptureFixture[str], path: str, jobs: str
) -> None:
    without = said(capsys, "--no-cache", path)
    assert '"rule"' in without
    assert said(capsys, "--jobs", jobs, path) == without
    assert said(capsys, "--jobs", jobs, path) == without


def test_a_run_for_a_dockerfile_opens_what_it_is_joined_with(
    shop: Path, capsys: pytest.CaptureFixture[str], opened: list[str]
) -> None:
    said(capsys, "services/shop/Dockerfile")
    opened.clear()
    said(capsys, "services/shop/Dockerfile")
    assert sorted(opened) == [
        "deploy/budget-shop.yaml",
        "deploy/deployment-shop.yaml",
        "deploy/service-cart.yaml",  # whether there is a Service beside a workload counts, too
        "deploy/service-shop.yaml",
        "services/shop/Dockerfile",
    ]


@pytest.mark.parametrize("off", [(), ("--no-cache",)], ids=["kept", "not kept"])
def test_a_run_for_a_dockerfile_looks_into_no_folder_of_others(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, off: tuple[str, ...]
) -> None:
    said(capsys, *off, "services/shop/Dockerfile")
    folders: set[str] = set()
    names = files.ProjectFiles._names

    def noted(project: files.ProjectFiles, folder: str) -> dict[str, None]:
        folders.add(folder)
        return names(project, folder)

    monkeypatch.setattr(files.ProjectFiles, "_names", noted)
    said(capsys, *off, "services/shop/Dockerfile")
    assert folders and all(folder.startswith("services/shop") for folder in folders)


BESIDE = {
    "claim": """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce]}
""",
    "scaler": """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}, minReplicas: 2, maxReplicas: 3}
""",
    "ingress": """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {alb.ingress.kubernetes.io/target-group-attributes: deregistration_delay.timeout_seconds=120}
spec: {defaultBackend: {service: {name: shop, port: {number: 80}}}}
""",
}
VOLUMES = "      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n"


@pytest.mark.parametrize("kind", BESIDE)
def test_a_run_for_a_deployment_opens_what_is_said_of_it_elsewhere(
    shop: Path, capsys: pytest.CaptureFixture[str], opened: list[str], kind: str
) -> None:
    write(shop / "deploy/deployment-shop.yaml", DEPLOYMENT.format(name="shop", image="shop") + VOLUMES)
    write(shop / "deploy/beside.yaml", BESIDE[kind])
    said(capsys, "deploy/deployment-shop.yaml")
    opened.clear()
    said(capsys, "deploy/deployment-shop.yaml")
    assert "deploy/beside.yaml" in opened


def test_a_run_for_everything_opens_all_but_what_matters_to_nobody(
    shop: Path, capsys: pytest.CaptureFixture[str], opened: list[str]
) -> None:
    said(capsys, "services/shop/Dockerfile")
    assert "deploy/role-shop.yaml" in opened
    opened.clear()
    said(capsys, ".")
    assert not any("role" in path for path in opened)
    assert len(opened) == 3 * len(("Dockerfile", "Deployment", "Service", "PodDisruptionBudget", "ConfigMap"))


@pytest.mark.parametrize("path", ["deploy/role-shop.yaml", "deploy/settings-cart.yaml"])
def test_a_run_for_an_object_that_bears_on_nothing_opens_no_other_file(
    shop: Path, capsys: pytest.CaptureFixture[str], opened: list[str], path: str
) -> None:
    without = said(capsys, "--no-cache", path)
    said(capsys, path)
    opened.clear()
    assert said(capsys, path) == without
    assert opened == [path]


def test_a_file_that_a_program_may_read_has_every_launch_followed(
    shop: Path, capsys: pytest.CaptureFixture[str], opened: list[str]
) -> None:
    write(shop / "services/shop/settings.json", '{"port": 8080}\n')
    said(capsys, "services/shop/settings.json")
    opened.clear()
    said(capsys, "services/shop/settings.json")
    assert {f"services/{name}/Dockerfile" for name in NAMES} <= set(opened)


@pytest.mark.parametrize(
    ("path", "text", "may_be_read"),
    [
        ("services/other/Dockerfile", DOCKERFILE, False),
        ("compose.yaml", "services: {log: {image: fluentd, volumes: ['./logs:/fluentd/etc']}}\n", False),
        ("compose.yaml", "services: {log: {image: fluentd, volumes: ['./deploy:/fluentd/etc']}}\n", True),
        ("compose.yaml", "services: {log: {build: {context: ., dockerfile: services/shop/Dockerfile}}}\n", True),
        ("services/other/Dockerfile", DOCKERFILE.replace("COPY . .", "COPY $SETTINGS ."), True),
        ("services/other/Dockerfile", f"{DOCKERFILE}COPY deploy/logging.yaml /etc/\n", True),
    ],
)
def test_launches_are_followed_for_a_file_without_objects_where_one_may_have_it_in_its_image(
    shop: Path, capsys: pytest.CaptureFixture[str], opened: list[str], path: str, text: str, may_be_read: bool
) -> None:
    write(shop / "deploy/logging.yaml", "level: info\n")
    write(shop / path, text)
    without = said(capsys, "--no-cache", "deploy/logging.yaml")
    said(capsys, "deploy/logging.yaml")
    opened.clear()
    assert said(capsys, "deploy/logging.yaml") == without
    assert ("services/cart/Dockerfile" in opened) is may_be_read


def test_an_index_of_which_nothing_has_changed_is_not_written_again(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "services/shop/Dockerfile")
    (kept,) = (tmp_path / "cache").iterdir()
    before = kept.stat()
    for path in ("services/shop/Dockerfile", "deploy/role-shop.yaml", "deploy/deployment-cart.yaml", "."):
        said(capsys, path)
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_each_image_is_looked_for_once(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capsys, "services/shop/Dockerfile")
    asked: list[tuple[str, str]] = []
    find = Desk.find

    def noted(desk: Desk, reference: str, path: str) -> object:
        asked.append((reference, path))
        return find(desk, reference, path)

    monkeypatch.setattr(Desk, "find", noted)
    said(capsys, "services/cart/Dockerfile")
    images = [pair for pair in asked if "team/mail" in pair[0]]
    assert images == [("registry.example.com/team/mail:1", "deploy/deployment-mail.yaml")]


def test_whatever_is_changed_between_runs_the_same_is_said(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(4)
    texts = (DEPLOYMENT, SERVICE, BUDGET, ROLE, CONFIG_MAP)
    paths = sorted(path for path in shop.rglob("*") if path.is_file() and path.suffix != ".toml")
    for _ in range(25):
        path = dice.choice(paths)
        if path.name == "Dockerfile":
            base = dice.choice(["python:3.12-slim", "team/cart", "team/shop", "alpine:3.20"])
            path.write_text(DOCKERFILE.replace("python:3.12-slim", base))
        elif dice.random() < 0.2:
            path.unlink(missing_ok=True)
        else:
            path.write_text(dice.choice(texts).format(name=dice.choice(NAMES), image=dice.choice(NAMES)))
        asked = dice.choice([path for path in paths if path.exists()])
        where = os.path.relpath(asked, shop)
        assert said(capsys, where) == said(capsys, "--no-cache", where), where


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "changed"])
def test_an_index_that_is_broken_counts_for_nothing_and_is_written_anew(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], opened: list[str], damage: bytes | None
) -> None:
    without = said(capsys, ".")
    said(capsys, "services/shop/Dockerfile")
    (kept,) = (tmp_path / "cache").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(b"nothing", b"nothinG") if damage is None else damage)
    opened.clear()
    assert said(capsys, ".") == without
    assert "deploy/role-shop.yaml" in opened
    assert kept.read_bytes() == whole


def test_where_nothing_can_be_written_nothing_is_said_of_it(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "file", "")
    monkeypatch.setenv("GRACELINT_CACHE_DIR", str(tmp_path / "file" / "below"))
    main(["check", "--fail-on", "never", "deploy/role-shop.yaml"])
    assert capsys.readouterr().err == ""
    assert not list((tmp_path / "file").parent.glob("cache"))


def test_a_run_for_everything_begins_none_and_keeps_up_one_that_is_there(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, ".")
    assert not (tmp_path / "cache").exists()
    said(capsys, "deploy/role-shop.yaml")
    (kept,) = (tmp_path / "cache").iterdir()
    before = kept.read_bytes()
    write(shop / "deploy/role-shop.yaml", CONFIG_MAP.format(name="shop"))
    said(capsys, ".")
    assert kept.read_bytes() != before


@pytest.mark.parametrize("off", ["--no-cache", "cache = false"])
def test_it_can_be_turned_off(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], off: str) -> None:
    if off.startswith("--"):
        said(capsys, off, "deploy/role-shop.yaml")
    else:
        write(shop / "gracelint.toml", off)
        said(capsys, "deploy/role-shop.yaml")
    assert not (tmp_path / "cache").exists()


def test_it_lies_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRACELINT_CACHE_DIR", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/cache")
    assert index.cache_folder() == "/home/me/cache/gracelint"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/me")
    assert index.cache_folder() == "/home/me/.cache/gracelint"


def test_a_file_that_has_just_changed_is_not_kept(tmp_path: Path) -> None:
    write(tmp_path / "new.yaml", "kind: Pod\n")
    now = (tmp_path / "new.yaml").stat().st_mtime_ns
    for later, kept in ((1, {}), (3_000_000_000, {"new.yaml": ("key",)})):
        first = index.Index(str(tmp_path), str(tmp_path / f"cache/{later}"), now + later)
        assert first.look(["new.yaml"]) == {}
        first.learn("new.yaml", ["key"])
        first.save()
        again = index.Index(str(tmp_path), str(tmp_path / f"cache/{later}"), now + later)
        assert again.look(["new.yaml"]) == kept


def test_a_link_is_never_known(tmp_path: Path) -> None:
    write(tmp_path / "there.yaml", "kind: Pod\n")
    (tmp_path / "link.yaml").symlink_to("there.yaml")
    kept = index.Index(str(tmp_path), str(tmp_path / "cache/index"), 10**19)
    kept.look(["there.yaml", "link.yaml"])
    for name in ("there.yaml", "link.yaml"):
        kept.learn(name, ["key"])
    kept.save()
    again = index.Index(str(tmp_path), str(tmp_path / "cache/index"), 10**19)
    assert again.look(["there.yaml", "link.yaml"]) == {"there.yaml": ("key",)}


def test_what_one_root_has_is_nothing_to_another(tmp_path: Path) -> None:
    write(tmp_path / "a/x.yaml", "kind: Pod\n")
    os.makedirs(tmp_path / "b")
    os.link(tmp_path / "a/x.yaml", tmp_path / "b/x.yaml")
    kept = index.Index(str(tmp_path / "a"), str(tmp_path / "index"), 10**19)
    kept.look(["x.yaml"])
    kept.learn("x.yaml", ["key"])
    kept.save()
    assert index.Index(str(tmp_path / "b"), str(tmp_path / "index"), 10**19).look(["x.yaml"]) == {}


def test_names_that_would_break_the_text_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a\tb.yaml", "kind: Pod\n")
    write(tmp_path / "c.yaml", "kind: Pod\n")
    kept = index.Index(str(tmp_path), str(tmp_path / "cache/index"), 10**19)
    for name, key in (("a\tb.yaml", "key"), ("c.yaml", "two\nlines")):
        kept.look([name])
        kept.learn(name, [key])
    kept.save()
    assert not (tmp_path / "cache").exists()
