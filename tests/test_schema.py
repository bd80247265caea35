"""The JSON schema of the settings takes what gracelint takes, and refuses what it refuses."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import jsonschema
import pytest

from conftest import FIXTURES, ROOT
from gracelint import toml
from gracelint.cli import main
from gracelint.config import _READERS, ConfigError, parse_settings


@pytest.fixture
def schema(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["config", "--schema"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    jsonschema.Draft7Validator.check_schema(found)
    return found


def examples() -> list[str]:
    """The settings of the README and of all cases."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = re.findall(r"```toml\n(.*?)```", file.read(), re.DOTALL)
    for folder, _, names in os.walk(FIXTURES):
        if "gracelint.toml" in names:
            with open(os.path.join(folder, "gracelint.toml"), encoding="utf-8") as file:
                found.append(file.read())
    return found


def test_every_setting_is_described(schema: dict[str, Any]) -> None:
    assert list(schema["properties"]) and set(schema["properties"]) == set(_READERS)
    assert all(row["description"].endswith(".") for row in schema["properties"].values())


def test_the_settings_that_are_shown_and_tested_are_valid(schema: dict[str, Any]) -> None:
    assert len(examples()) > 3
    for text in examples():
        parse_settings(text, "gracelint.toml")
        jsonschema.validate(toml.loads(text), schema)


RIGHT = [
    'kubernetes-version = "v1.30+"',
    'documentation = "https://docs.example.com/{rule}"\nbaseline = "known.json"\nrequire-reason = true',
    '[[charts]]\npath = "chart"\nvalues = ["ci.yaml"]\n[charts.set]\n"web.replicas" = 2',
    "[budget]\np95-request-seconds = 2.5\nconnection-drain-seconds = 5",
    '[workload-kinds.App]\ntemplates = ["spec.template"]',
]
WRONG = [
    'selct = ["launch"]',
    'select = "launch"',
    "strict = 1",
    '[severity]\nmissing-init = "fatal"',
    '[per-file-ignores]\n"k8s/*" = "launch"',
    "baseline = 1",
    'documentation = "docs"',
    "[images]\nx = 1",
    "[[charts]]\nrelease = 'x'",
    "[[charts]]\npath = 'x'\nchart = 'y'",
    "[wrappers.run]\nvalues = ['-x']",
    "[wrappers.run]\neffect = 'eats'",
    "[workload-kinds.App]\nspec = ['x']",
    "[budget]\ndrain = 3",
    "[budget]\ndrain-seconds = -1",
    "[budget]\ndrain-seconds = 1\np95-request-seconds = 1",
    "kubernetes-version = 1.30",
    'kubernetes-version = "one.two"',
]


@pytest.mark.parametrize("text", RIGHT)
def test_both_take_it(schema: dict[str, Any], text: str) -> None:
    parse_settings(text, "gracelint.toml")
    jsonschema.validate(toml.loads(text), schema)


@pytest.mark.parametrize("text", WRONG)
def test_both_refuse_it(schema: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError):
        parse_settings(text, "gracelint.toml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(toml.loads(text), schema)
