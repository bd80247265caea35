"""Settings: what they may say, where they are found, and what a wrong one is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracelint.config import ConfigError, Place, Settings, locate, matches, parse_settings
from gracelint.discover import UNMARKED_LIMIT
from gracelint.finding import Severity
from gracelint.project import place_of


def settings(text: str) -> Settings:
    return parse_settings(text, "gracelint.toml")


def test_every_key() -> None:
    read = settings(
        """
        select = ["launch"]
        ignore = ["missing-init"]
        strict = true
        exclude = ["legacy"]
        plugins = ["acme_gracelint_rules"]
        kubernetes-version = "1.30"
        severity.missing-init = "info"
        per-file-ignores."dev/*" = ["dev-server"]
        images.shop = "docker/shop.Dockerfile"
        rules.excessive-grace-period.seconds = 900
        wrappers.with-vault = { effect = "replaces" }
        base-images.acme = { family = "debian" }
        workload-kinds.Fleet = { pod = "spec.template" }
        budget = { pre-stop-seconds = 5, drain-seconds = 20, margin-seconds = 1 }
        """
    )
    assert read.select == ("launch",)
    assert read.ignore == ("missing-init",)
    assert read.strict
    assert read.exclude == ("legacy",)
    assert read.plugins == ("acme_gracelint_rules",)
    assert read.severity == {"missing-init": Severity.INFO}
    assert read.per_file_ignores == {"dev/*": ("dev-server",)}
    assert read.images == {"shop": "docker/shop.Dockerfile"}
    assert read.options == {"excessive-grace-period": {"seconds": 900}}
    assert read.wrappers == {"with-vault": {"effect": "replaces"}}
    assert read.base_images == {"acme": {"family": "debian"}}
    assert read.workload_kinds == {"Fleet": {"pod": "spec.template"}}
    assume = read.assume
    assert (assume.kubernetes_version, assume.pre_stop, assume.drain, assume.margin) == ((1, 30), 5, 20, 1)


def test_the_drain_can_be_reckoned_from_what_was_measured() -> None:
    read = settings("budget = { p95-request-seconds = 1.5, connection-drain-seconds = 4 }")
    assert read.assume.drain == 2 * 1.5 + 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "gracelint.toml: unknown key 'selct': did you mean 'select'?"),
        ("colour = 1", "gracelint.toml: unknown key 'colour'"),
        ("select = 'launch'", 'gracelint.toml: select must be a list of strings, such as ["…"]'),
        ("strict = 1", "gracelint.toml: strict must be true or false"),
        ("severity.x = 'fatal'", 'gracelint.toml: severity.x must be "error", "warning" or "info", not \'fatal\''),
        ("kubernetes-version = 1.30", 'gracelint.toml: kubernetes-version must be a string such as "1.30", not 1.3'),
        ("budget.drain = 3", "gracelint.toml: unknown key 'budget.drain': did you mean 'drain-seconds'?"),
        (
            "budget.drain-seconds = -1",
            "gracelint.toml: budget.drain-seconds must be a number of seconds, 0 or more, not -1",
        ),
        ("budget.drain-seconds = inf", "0 or more, not inf"),
        (
            "budget = { drain-seconds = 1, p95-request-seconds = 1 }",
            "budget: drain-seconds and p95-request-seconds both say how long draining takes: keep one",
        ),
        ("images.shop = 3", "gracelint.toml: images.'shop' must be the path of a Dockerfile"),
        ("rules.missing-init = 3", "gracelint.toml: rules.missing-init must be a table"),
        ("select = [", "gracelint.toml: not valid TOML: "),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(text)
    assert message in str(error.value)


def test_the_nearest_configuration_up_to_the_git_root_counts(tmp_path: Path) -> None:
    outer, repo = tmp_path / "gracelint.toml", tmp_path / "repo"
    inner = repo / "services" / "api"
    inner.mkdir(parents=True)
    (repo / ".git").mkdir()
    outer.write_text("strict = true")
    assert locate(str(inner)) == Place(str(repo))
    (repo / "pyproject.toml").write_text("[tool.gracelint]\nstrict = true")
    assert locate(str(inner)) == Place(str(repo), str(repo / "pyproject.toml"))
    (repo / "services" / "pyproject.toml").write_text("[tool.other]\nname = 'gracelint'")
    assert locate(str(inner)) == Place(str(repo), str(repo / "pyproject.toml"))
    (inner / "gracelint.toml").write_text("")
    assert locate(str(inner)) == Place(str(inner), str(inner / "gracelint.toml"))


def test_where_nothing_marks_a_root_it_is_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    manifest = str(tmp_path / "k8s" / "deploy.yaml")
    assert place_of([manifest], str(tmp_path)) == Place(str(tmp_path), around=UNMARKED_LIMIT)
    assert place_of([manifest], str(tmp_path / "elsewhere")) == Place(str(tmp_path / "k8s"), around=UNMARKED_LIMIT)
    elsewhere = [manifest, str(tmp_path / "Dockerfile")]
    assert place_of(elsewhere, str(tmp_path / "elsewhere")) == Place(str(tmp_path), around=0)


@pytest.mark.parametrize(
    ("path", "pattern", "matching"),
    [
        ("a/legacy/b.yaml", "legacy", True),
        ("a/legacy/b.yaml", "legacy/", True),
        ("legacy.yaml", "legacy", False),
        ("a/b.gen.yaml", "*.gen.yaml", True),
        ("a/b.yaml", "a/*.yaml", True),
        ("x/a/b.yaml", "a/*.yaml", False),
        ("x/a/b.yaml", "**/a/*.yaml", True),
        ("a/b.yaml", "**/a/*.yaml", True),
        ("a/b/c.yaml", "a/b", True),
        ("a/b.yaml", "./a", True),
        ("x/a/b.yaml", "./a", False),
    ],
)
def test_globs(path: str, pattern: str, matching: bool) -> None:
    assert matches(path, (pattern,)) is matching
