"""What the Kubernetes rules make of a manifest is valid by the API's own schemas."""

from __future__ import annotations

import os

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from conftest import EXPECTED, case_files, rule_cases
from gracelint.parse.purposes import is_out_of_date
from gracelint.rules import addresses
from gracelint.testing import fix


def expected(folder: str) -> str:
    with open(os.path.join(folder, EXPECTED), encoding="utf-8") as file:
        return file.read()


RULES = [address.name for address in addresses() if address.group == "kubernetes"]
CASES = [(rule, folder) for rule, folder in rule_cases() if rule in RULES and "+++ b/" in expected(folder)]


@pytest.mark.parametrize(
    ("rule", "folder"), CASES, ids=[f"{rule}/{os.path.basename(folder)}" for rule, folder in CASES]
)
def test_a_fixed_manifest_is_valid(rule: str, folder: str) -> None:
    changes = fix(case_files(folder), select=[rule]).changes
    assert changes
    for change in changes:
        for manifest in YAML(typ="safe").load_all(change.after.removeprefix("\ufeff")):
            for item in manifest.get("items", [manifest]):
                if is_out_of_date(item.get("apiVersion", "")):
                    item["apiVersion"] = "apps/v1"  # has the fields of those that it replaced
                if "apiVersion" in item:
                    kubernetes_validate.validate(item, "1.34", strict=True)
