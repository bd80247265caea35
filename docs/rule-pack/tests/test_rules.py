"""The examples in the rules' documentation are true, and options do what they say."""

import pytest
from acme_gracelint_rules.kubernetes.unowned_long_stop import unowned_long_stop

from gracelint.testing import check_example, examples, lint

SETTINGS = 'plugins = ["acme_gracelint_rules"]\n'
WORKER = """\
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  terminationGracePeriodSeconds: 200
  containers: [{name: worker, image: "registry.acme.example/worker:2.0.1"}]
"""


@pytest.mark.parametrize("example", examples(unowned_long_stop.doc))
def test_documentation(example):
    check_example(unowned_long_stop.name, example, plugins=["acme_gracelint_rules"])


def test_the_option_moves_the_limit():
    settings = SETTINGS + "[rules.unowned-long-stop]\nlongest = 300\n"
    found = lint({"gracelint.toml": SETTINGS, "worker.yaml": WORKER}, select=["unowned-long-stop"]).findings
    assert [item.finding.message for item in found] == [
        "200 s to stop, and no `acme.example/owner` says who needs them"
    ]
    assert not lint({"gracelint.toml": settings, "worker.yaml": WORKER}, select=["unowned-long-stop"]).findings
