"""Settings: what they may say, where they are found, and what a wrong one is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from gracelint.base.record import replace
from gracelint.config import ConfigError, Configuration, Place, Settings, locate, matches, parse_settings
from gracelint.finding import Severity
from gracelint.project import place_of
from gracelint.tree.discover import UNMARKED_LIMIT


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
        workload-kinds.Fleet = { templates = ["spec.template"] }
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
    assert read.workload_kinds == {"Fleet": {"templates": ["spec.template"]}}
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
        (
            "wrappers.x.effect = 3",
            'gracelint.toml: wrappers.x.effect must be "replaces", "forwards", "swallows" or "cuts", not 3',
        ),
        (
            "wrappers.x = {}",
            'gracelint.toml: wrappers.x needs an effect: "replaces", "forwards", "swallows" or "cuts"',
        ),
        (
            "wrappers.x = { effect = 'cuts', values = '-p' }",
            "gracelint.toml: wrappers.x.values must be a list of strings, such as [\"…\"], not '-p'",
        ),
        (
            "wrappers.x = { effect = 'cuts', operands = -1 }",
            "gracelint.toml: wrappers.x.operands must be a number, 0 or more, not -1",
        ),
        (
            "wrappers.x = { effect = 'cuts', unless = { -n = 'dies' } }",
            'gracelint.toml: wrappers.x.unless.-n must be "replaces", "forwards", "swallows" or "cuts", not \'dies\'',
        ),
        (
            "wrappers.x = { effect = 'cuts', shell = 'yes' }",
            'wrappers.x.shell must be "string" or "words", not \'yes\'',
        ),
        ("wrappers.x = { effect = 'cuts', value = ['-p'] }", "gracelint.toml: wrappers.x.value is not known here; "),
        ("workload-kinds.X = { templates = 'spec' }", "workload-kinds.X.templates must be a list of strings"),
        ("workload-kinds.X = {}", "gracelint.toml: workload-kinds.X needs templates: the paths of its pod templates"),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(text)
    assert message in str(error.value)


class TestRoot:
    def test_it_is_the_repository_however_many_configurations_stand_in_it(self, tmp_path: Path) -> None:
        repo = tmp_path / "repo"
        inner = repo / "services" / "api"
        inner.mkdir(parents=True)
        (repo / ".git").mkdir()
        (tmp_path / "gracelint.toml").write_text("strict = true")
        (repo / "pyproject.toml").write_text("[tool.gracelint]\nstrict = true")
        (inner / "gracelint.toml").write_text("")
        assert locate(str(inner)) == Place(str(repo))

    def test_without_a_repository_it_is_the_topmost_configuration(self, tmp_path: Path) -> None:
        inner = tmp_path / "services" / "api"
        inner.mkdir(parents=True)
        (inner / "gracelint.toml").write_text("")
        assert locate(str(inner)) == Place(str(inner))
        (tmp_path / "pyproject.toml").write_text("[tool.gracelint]\nstrict = true")
        (tmp_path / "services" / "pyproject.toml").write_text("[tool.other]\nname = 'gracelint'")
        assert locate(str(inner)) == Place(str(tmp_path))


class TestNearestSettings:
    FILES: ClassVar = {
        "gracelint.toml": 'exclude = ["old", "*.gen.yaml"]\nimages.web = "web/Dockerfile"',
        "api/pyproject.toml": '[tool.gracelint]\nstrict = true\nexclude = ["tmp"]\nimages.api = "../api/Dockerfile"',
        "web/pyproject.toml": "[tool.other]\nname = 'gracelint'",
    }

    def configuration(self, **others: Any) -> Configuration:
        return Configuration("/nowhere", overlay=self.FILES, **others)

    def test_the_nearest_file_above_holds(self) -> None:
        settings = self.configuration()
        assert settings.of("Dockerfile").folder == ""
        assert not settings.of("web/deep/Dockerfile").strict
        assert settings.of("api/deep/er/Dockerfile").strict
        assert settings.of("api/Dockerfile") is settings.of("api/deep/Dockerfile")

    def test_globs_and_paths_start_where_the_file_stands(self) -> None:
        settings = self.configuration()
        assert settings.of("api/Dockerfile").image_files() == {"api": "api/Dockerfile"}
        assert settings.of("x.yaml").image_files() == {"web": "web/Dockerfile"}

    def test_a_folder_excluded_from_above_is_so_with_all_that_is_in_it(self) -> None:
        settings = self.configuration()
        excluded = ["old/Dockerfile", "web/old/deep/x.yaml", "a.gen.yaml", "api/tmp/Dockerfile"]
        assert [path for path in excluded if not settings.excludes(path)] == []
        read = ["Dockerfile", "web/tmp/Dockerfile", "api/x.gen.yaml", "older/x.yaml"]
        assert [path for path in read if settings.excludes(path)] == []

    def test_what_the_command_line_says_holds_everywhere(self) -> None:
        adjusted = self.configuration(adjust=lambda settings: replace(settings, ignore=("missing-init",)))
        assert adjusted.of("api/Dockerfile").ignore == adjusted.of("Dockerfile").ignore == ("missing-init",)
        assert self.configuration(fixed=Settings(strict=True)).of("Dockerfile").strict

    def test_folders_can_lie_as_deep_as_they_like(self) -> None:
        path = "d/" * 5000 + "Dockerfile"
        assert self.configuration().of(path).folder == ""
        assert not self.configuration().excludes(path)


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
        ("a/b.yaml", "a/**/b.yaml", True),
        ("a/x/y/b.yaml", "a/**/b.yaml", True),
        ("ab.yaml", "a/**/b.yaml", False),
        ("a/x/b.yaml", "a/**", True),
        ("a/x/b.yaml", "**/**/b.yaml", True),
        ("a/xb.yaml", "**/b.yaml", False),
        ("a/b.yaml", "./a", True),
        ("x/a/b.yaml", "./a", False),
    ],
)
def test_globs(path: str, pattern: str, matching: bool) -> None:
    assert matches(path, (pattern,)) is matching
