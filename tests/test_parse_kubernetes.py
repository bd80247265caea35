"""Kubernetes objects as workloads."""

from __future__ import annotations

import math

import pytest

from gracelint.facts.kubernetes import Container, Workload
from gracelint.knowledge import table
from gracelint.parse.kubernetes import Manifests, read_manifests
from gracelint.parse.yaml import read_stream
from gracelint.source import Source


def manifests(*texts: str, **files: str) -> Manifests:
    sources = [Source(f"{number}.yaml", text) for number, text in enumerate(texts)]
    sources += [Source(path, text) for path, text in files.items()]
    return read_manifests([document for source in sources for document in read_stream(source).documents])


def workload(text: str) -> Workload:
    (found,) = manifests(text).workloads
    return found


def container(lines: str, pod: str = "") -> Container:
    """The only container of a pod, from the lines below its image."""
    indented = "".join(f"    {line}\n" for line in lines.strip("\n").split("\n"))
    return workload(f"kind: Pod\nspec:\n  containers:\n  - image: web:1\n{indented}{pod}").containers[0]


def words(found: tuple[object, ...] | None) -> list[str] | None:
    return None if found is None else [word.value for word in found]  # type: ignore[attr-defined]


# Where pods are

POD = "{metadata: {labels: {app: web}}, spec: {containers: [{image: web:1}]}}"


@pytest.mark.parametrize("row", table("workloads")["workload"], ids=lambda row: f"{row['kind']} {row.get('group', '')}")
def test_the_pods_of_every_known_kind_are_found(row: dict[str, object]) -> None:
    templates, specs = row.get("templates", ()), row.get("specs", ())
    assert isinstance(templates, (list, tuple))
    assert isinstance(specs, (list, tuple))
    for path in (*templates, *specs):
        body = "{container: {image: web:1}}" if "container" in row else POD
        for step in reversed(str(path).split(".") if path else []):
            body = f"{{{step[:-2]}: [{body}]}}" if step.endswith("[]") else f"{{{step}: {body}}}"
        text = f"{{apiVersion: {row.get('group', 'v1')}/v1, kind: {row['kind']}, {body[1:-1]}}}"
        found = workload(text)
        assert found.kind == row["kind"]
        assert found.runs_to_end == row.get("runs-to-end", False)
        assert found.knative == row.get("knative", False)
        assert [item.image.value for item in found.containers if item.image] == ["web:1"]


def test_a_kind_of_the_user_is_found() -> None:
    text = "kind: Farm\nspec:\n  sheds:\n  - template: " + POD
    kinds = {"Farm": {"templates": ["spec.sheds[].template"]}}
    (found,) = read_manifests(read_stream(Source("x.yaml", text), kinds).documents, kinds).workloads
    assert found.labels == {"app": "web"}


def test_a_list_holds_objects() -> None:
    text = (
        f"kind: List\nitems:\n- kind: DeploymentList\n  items:\n  - kind: Deployment\n    spec: {{template: {POD}}}\n"
    )
    assert workload(text).kind == "Deployment"


def test_a_list_of_lists_of_lists_holds_each_object_once() -> None:
    lists = "".join(f"- &l{n}\n  kind: List\n  items: [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 13))
    text = f"kind: List\nitems:\n- &l0\n  kind: Deployment\n  spec: {{template: {POD}}}\n{lists}"
    assert workload(text).kind == "Deployment"


@pytest.mark.parametrize(
    "text",
    [
        "kind: Deployment\n",
        "kind: Deployment\nspec: 3\n",
        "kind: Deployment\nspec: {template: {spec: {containers: 3}}}\n",
        "kind: Deployment\nspec: {template: {spec: {containers: [1, null, [2]]}}}\n",
        "kind: Deployment\nspec: {template: {spec: {containers: []}}}\n",
        "kind: [Deployment]\n",
        "- kind: Deployment\n",
        "kind: List\nitems: 3\n",
        "kind: List\nitems: [1, [2]]\n",
        "kind: Service\nspec: {selector: [1], ports: [{}]}\n",
        "kind: PodDisruptionBudget\nspec: 1\n",
    ],
)
def test_odd_objects_have_no_workload(text: str) -> None:
    assert manifests(text).workloads == ()


def test_a_part_of_a_deployment_without_an_image_is_a_patch() -> None:
    patch = "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        args: [x]\n"
    assert manifests(patch).workloads == ()


@pytest.mark.parametrize(
    "listed",
    ["patches:\n- path: web.yaml\n", "patchesStrategicMerge:\n- web.yaml\n", "patchesJson6902:\n- path: ./web.yaml\n"],
)
def test_a_file_that_a_kustomization_lists_as_a_patch_is_one(listed: str) -> None:
    patch = f"kind: Deployment\nspec: {{template: {POD}}}\n"
    found = manifests(**{"prod/kustomization.yaml": listed, "prod/web.yaml": patch, "base/web.yaml": patch})
    assert [item.source.path for item in found.workloads] == ["base/web.yaml"]


# What a pod says


def test_a_workload_points_at_its_name() -> None:
    found = workload(f"kind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec: {{template: {POD}}}\n")
    assert (found.name, found.namespace, found.span.text, found.span.line) == ("web", "shop", "web", 2)
    assert workload(f"kind: Deployment\nspec: {{template: {POD}}}\n").span.text == "kind"


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("terminationGracePeriodSeconds: 45", 45),
        ('terminationGracePeriodSeconds: "45"', 45),
        ("terminationGracePeriodSeconds: 0", 0),
        ("terminationGracePeriodSeconds: null", 30),
        ("terminationGracePeriodSeconds:", 30),
        ("restartPolicy: Always", 30),
        ("terminationGracePeriodSeconds: ${GRACE}", math.nan),
        ('terminationGracePeriodSeconds: "{{ .Values.grace }}"', math.nan),
        ("terminationGracePeriodSeconds: [1]", math.nan),
    ],
)
def test_the_grace_period(line: str, seconds: float) -> None:
    grace = workload(f"kind: Pod\nspec:\n  {line}\n  containers:\n  - image: x\n").grace
    assert grace.value == pytest.approx(seconds, nan_ok=True)
    assert (grace.span is None) == (seconds == 30)


def test_annotations_of_the_template_lie_over_those_of_the_object() -> None:
    text = (
        "kind: Deployment\nmetadata: {annotations: {a: 1, b: 1}}\n"
        "spec: {template: {metadata: {annotations: {b: 2}}, spec: {containers: [{image: x}]}}}\n"
    )
    assert {key: word.value for key, word in workload(text).annotations.items()} == {"a": "1", "b": "2"}


def test_init_containers_and_sidecars_come_last() -> None:
    pod = "  initContainers:\n  - {name: a, image: a}\n  - {name: b, image: b, restartPolicy: Always}\n"
    text = f"kind: Pod\nspec:\n{pod}  containers:\n  - {{name: c, image: c}}\n"
    assert [(item.name, item.role) for item in workload(text).containers] == [
        ("c", "main"),
        ("a", "init"),
        ("b", "sidecar"),
    ]


# What a container says


def test_command_and_args_are_words_with_places() -> None:
    found = container("command:\n- sh\n- -c\nargs: ['exec  web', 8080]\n")
    assert words(found.command) == ["sh", "-c"]
    assert words(found.args) == ["exec  web", "8080"]
    assert found.args is not None
    assert found.args[0].span is not None
    assert found.args[0].span.text == "'exec  web'"


@pytest.mark.parametrize("line", ["command: []", "command: null", "command: sh", "tty: true"])
def test_no_list_of_words_is_no_command(line: str) -> None:
    assert container(line).command is None


def test_variables_of_the_containers_own_env_are_put_in() -> None:
    found = container(
        """
env:
- {name: HOST, value: db}
- {name: URL, value: "pg://$(HOST)/x"}
- {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
- {name: EMPTY}
args: ["$(URL)", "--p=$(SECRET)", "$(NONE)", "$$(HOST)", "$HOME", "a$(EMPTY)b"]
"""
    )
    assert words(found.args) == ["pg://db/x", "--p=$(SECRET)", "$(NONE)", "$(HOST)", "$HOME", "ab"]
    assert found.env is not None
    assert {key: word and word.value for key, word in found.env.items()} == {
        "HOST": "db",
        "URL": "pg://db/x",
        "SECRET": None,
        "EMPTY": "",
    }


def test_the_characters_of_an_expanded_word_are_found_again() -> None:
    found = container("env: [{name: A, value: long text}]\nargs:\n- |\n  echo $(A)\n  run\n")
    assert found.args is not None
    (word,) = found.args
    assert word.value == "echo long text\nrun\n"
    assert word.passage is not None
    assert word.passage.span(word.value.index("run"), word.value.index("run") + 3).text == "run"
    assert word.passage.span(5, 14).text == "$(A)"


def test_ports_have_numbers_and_names() -> None:
    found = container(
        "ports:\n- containerPort: 8080\n- {name: dns, containerPort: '53', protocol: UDP}\n- hostPort: 1\n"
    )
    assert [(port.number, port.name, port.protocol) for port in found.ports] == [
        (8080, None, "TCP"),
        (53, "dns", "UDP"),
        (None, None, "TCP"),
    ]


def test_probes_have_the_apis_defaults() -> None:
    found = container(
        "readinessProbe: {httpGet: {port: 1}}\nlivenessProbe: {tcpSocket: {port: 1}, periodSeconds: '5'}\n"
    )
    assert found.readiness is not None
    assert (found.readiness.kind, found.readiness.patience) == ("httpGet", 30)
    assert found.liveness is not None
    assert (found.liveness.kind, found.liveness.patience) == ("tcpSocket", 15)
    assert found.startup is None


def test_a_pre_stop_hook_has_handlers() -> None:
    hook = container("lifecycle: {preStop: {exec: {command: [sleep, '5']}, sleep: {seconds: 3}}}\n").pre_stop
    assert hook is not None
    assert hook.handlers == ("exec", "sleep")
    assert words(hook.argv) == ["sleep", "5"]
    assert hook.sleep is not None
    assert hook.sleep.value == 3
    assert hook.key.text == "preStop"


def test_a_stop_signal() -> None:
    signal = container("lifecycle: {stopSignal: SIGUSR1}\n").stop_signal
    assert signal is not None
    assert signal.value == "SIGUSR1"


@pytest.mark.parametrize(
    ("lines", "proxy", "waits"),
    [
        ("name: istio-proxy", "istio-proxy", False),
        ("name: x", None, False),
        ("name: cloud-sql-proxy\nargs: [--max-sigterm-delay=10s]", "cloud-sql-proxy", True),
    ],
)
def test_proxies_are_known_by_name(lines: str, proxy: str | None, waits: bool) -> None:
    found = container(lines)
    assert (found.proxy, found.proxy_waits) == (proxy, waits)


def test_proxies_are_known_by_image() -> None:
    image = "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.1@sha256:00"
    assert (
        workload(f"kind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n").containers[0].proxy == "cloud-sql-proxy"
    )


@pytest.mark.parametrize(
    ("folder", "sample"),
    [
        ("skeleton", True),
        ("service-template", True),
        ("template-service", False),
        ("v1.29.0", True),
        ("v1", False),
        ("test-configs", True),
        ("deploy", False),
    ],
)
def test_what_nobody_mends_where_it_stands_is_a_sample(folder: str, sample: bool) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n"
    [workload] = read_manifests(read_stream(Source(f"{folder}/pod.yaml", text)).documents).workloads
    assert workload.sample is sample
