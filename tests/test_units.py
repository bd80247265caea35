"""Which objects say something of which workload, and which containers get requests."""

from __future__ import annotations

import pytest

from gracelint.facts.kubernetes import Workload
from gracelint.launch import units
from gracelint.launch.mounted import data_of
from gracelint.launch.traffic import gets_traffic
from gracelint.launch.units import attach
from gracelint.parse.kubernetes import read_manifests
from gracelint.parse.yaml import read_stream
from gracelint.source import Source

WEB = """
kind: Deployment
metadata: {name: web%s}
spec:
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [%s]}
"""
SERVICE = """
kind: Service
apiVersion: v1
metadata: {name: web%s}
spec: {selector: {app: %s}, ports: [{port: 80, targetPort: %s}]}
"""
PLAIN = WEB % ("", "{image: x}")
ITS_SERVICE = SERVICE % ("", "web", 80)


def applied(files: dict[str, str]) -> dict[str, Workload]:
    """The workloads of files, by the file that each stands in."""
    sources = [Source(path, text) for path, text in files.items()]
    found = read_manifests([document for source in sources for document in read_stream(source).documents])
    return {workload.source.path: workload for workload in attach(found)}


def attached(*texts: str) -> Workload:
    """The first of several files in one folder."""
    return applied({f"{number}.yaml": text for number, text in enumerate(texts)})["0.yaml"]


# In one folder


def test_a_service_selects_pods_by_labels() -> None:
    found = attached(PLAIN, ITS_SERVICE, SERVICE % ("2", "other", 80))
    assert [service.selector for service in found.services] == [{"app": "web"}]
    assert found.any_service


@pytest.mark.parametrize(
    ("pods", "service", "selects"),
    [
        ("", "", True),
        (", namespace: a", ", namespace: a", True),
        (", namespace: a", ", namespace: b", False),
        ("", ", namespace: a", True),
        (", namespace: a", "", True),
    ],
)
def test_a_service_selects_in_its_namespace(pods: str, service: str, selects: bool) -> None:
    found = attached(WEB % (pods, "{image: x}"), SERVICE % (service, "web", 80))
    assert bool(found.services) == selects


def test_budgets_select_by_labels_and_expressions() -> None:
    budget = "kind: PodDisruptionBudget\nmetadata: {name: %s}\nspec: {maxUnavailable: 1, selector: {%s}}\n"
    found = attached(
        PLAIN,
        budget % ("labels", "matchLabels: {tier: front}"),
        budget % ("in", "matchExpressions: [{key: app, operator: In, values: [web]}]"),
        budget % ("not-in", "matchExpressions: [{key: app, operator: NotIn, values: [web]}]"),
        budget % ("exists", "matchExpressions: [{key: app, operator: Exists}]"),
        budget % ("absent", "matchExpressions: [{key: app, operator: DoesNotExist}]"),
        budget % ("both", "matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: [back]}]"),
    )
    assert {item.name for item in found.budgets} == {"labels", "in", "exists"}


def test_claims_and_config_maps_are_found_by_the_volumes_that_name_them() -> None:
    volumes = "volumes: [{persistentVolumeClaim: {claimName: a}}, {configMap: {name: c}}]"
    text = PLAIN.replace("spec: {containers", f"spec: {{{volumes}, containers")
    claim = "kind: PersistentVolumeClaim\nmetadata: {name: %s}\nspec: {accessModes: [ReadWriteOnce]}\n"
    scripts = "kind: ConfigMap\nmetadata: {name: %s}\ndata: {drain.sh: sleep 5}\n"
    found = attached(text, claim % "a", claim % "b", scripts % "c", scripts % "d")
    assert [(item.name, item.access_modes) for item in found.claims] == [("a", ("ReadWriteOnce",))]
    assert [(item.name, [*data_of(item)]) for item in found.config_maps] == [("c", ["drain.sh"])]


# Over folders


@pytest.mark.parametrize(
    ("deployment", "service"),
    [
        ("k8s/web.yaml", "k8s/service.yaml"),
        ("k8s/deployments/web.yaml", "k8s/services/web.yaml"),
        ("apps/web/deploy.yaml", "charts/public.yaml"),
    ],
)
def test_alone_they_meet_over_any_distance(deployment: str, service: str) -> None:
    assert applied({deployment: PLAIN, service: ITS_SERVICE})[deployment].services


def test_a_service_belongs_to_the_variant_beside_it() -> None:
    found = applied({"base/web.yaml": PLAIN, "extras/scaling/web.yaml": f"{PLAIN}---{ITS_SERVICE}"})
    assert found["extras/scaling/web.yaml"].services
    assert not found["base/web.yaml"].services
    assert not found["base/web.yaml"].any_service


def test_a_service_belongs_to_the_variant_in_its_own_file() -> None:
    found = applied({"v1.yaml": PLAIN, "v2.yaml": f"{PLAIN}---{ITS_SERVICE}"})
    assert found["v2.yaml"].services
    assert not found["v1.yaml"].services


def test_two_services_as_near_as_each_other_are_none() -> None:
    found = applied({"a/web.yaml": PLAIN, "b/service.yaml": ITS_SERVICE, "c/service.yaml": ITS_SERVICE})
    assert not found["a/web.yaml"].services


def test_the_nearer_of_two_services_counts() -> None:
    near, far = SERVICE % ("-near", "web", 80), SERVICE % ("-far", "web", 80)
    found = applied({"shop/a/web.yaml": PLAIN, "shop/b/service.yaml": near, "bank/service.yaml": far})
    assert [service.name for service in found["shop/a/web.yaml"].services] == ["web-near"]


def test_a_kustomization_joins_what_it_pulls_in() -> None:
    found = applied(
        {
            "base/web/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web/web.yaml": PLAIN,
            "base/net/kustomization.yaml": "resources: [services.yaml]\n",
            "base/net/services.yaml": ITS_SERVICE,
            "other/web.yaml": PLAIN,
            "prod/kustomization.yaml": "resources: [../base/web]\ncomponents: [../base/net]\n",
        }
    )
    assert [service.name for service in found["base/web/web.yaml"].services] == ["web"]
    assert not found["other/web.yaml"].services


def test_kustomizations_that_pull_each_other_in_end() -> None:
    one, other = "resources: [../b, web.yaml]\n", "resources: [../a]\n"
    found = applied({"a/kustomization.yaml": one, "b/kustomization.yaml": other, "a/web.yaml": PLAIN})
    assert not found["a/web.yaml"].services


def test_standard_input_has_what_it_has_itself() -> None:
    found = applied({"-": PLAIN, "service.yaml": ITS_SERVICE})
    assert not found["-"].services
    assert not found["-"].any_service


def test_a_service_elsewhere_says_nothing_of_other_folders() -> None:
    ports = WEB % ("", "{image: x, ports: [{containerPort: 80}]}")
    found = applied({"a/web.yaml": ports, "b/service.yaml": SERVICE % ("", "other", 80)})["a/web.yaml"]
    assert gets_traffic(found, found.containers[0])


def test_work_grows_with_the_input_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    own = units._Shelf.of

    def counted(shelf: units._Shelf, namespace: str) -> list[object]:
        nonlocal looked_at
        found = [*own(shelf, namespace)]
        looked_at += len(found) + 1
        return found

    monkeypatch.setattr(units._Shelf, "of", counted)
    counts = []
    for size in (200, 2000):
        looked_at = 0
        files = {f"app{number}/web.yaml": PLAIN for number in range(size)}
        files |= {f"app{number}/service.yaml": ITS_SERVICE for number in range(size)}
        assert all(len(workload.services) == 1 for workload in applied(files).values())
        counts.append(looked_at)
    assert counts[1] <= 11 * counts[0]


# How many pods answer


@pytest.mark.parametrize(
    ("text", "others", "stand_in"),
    [
        (PLAIN, [], False),
        (PLAIN.replace("spec:\n", "spec:\n  replicas: 2\n", 1), [], True),
        (PLAIN.replace("spec:\n", "spec:\n  replicas: 2\n  strategy: {type: Recreate}\n", 1), [], False),
        (PLAIN, ["kind: HorizontalPodAutoscaler\nspec: {minReplicas: 2, scaleTargetRef: {%s}}\n"], True),
        (PLAIN, ["kind: HorizontalPodAutoscaler\nspec: {scaleTargetRef: {%s}}\n"], False),
        (PLAIN, ["kind: ScaledObject\nspec: {minReplicaCount: 3, scaleTargetRef: {%s}}\n"], True),
        (PLAIN, ["kind: ScaledObject\nspec: {minReplicaCount: 3, scaleTargetRef: {name: other}}\n"], False),
        (PLAIN.replace("Deployment", "DaemonSet"), [], True),
        (PLAIN, [ITS_SERVICE, PLAIN.replace("name: web", "name: canary")], True),
    ],
)
def test_whether_another_pod_takes_the_requests(text: str, others: list[str], stand_in: bool) -> None:
    found = attached(text, *(other.replace("%s", "kind: Deployment, name: web") for other in others))
    assert found.has_stand_in == stand_in


# Who gets requests

TWO = "{image: a, ports: [{name: http, containerPort: 8080}]}, {image: b, ports: [{containerPort: 9090}]}"
PROBED = "{image: a, readinessProbe: {tcpSocket: {port: 8080}}}, {image: b}"
BY_NAME = SERVICE % ("", "web", "http")
BESIDE = "{image: a}, {image: gce-proxy, name: sql}"


@pytest.mark.parametrize(
    ("containers", "services", "expected"),
    [
        ("{image: a}", [], [False]),
        ("{image: a, ports: [{containerPort: 80}]}", [], [True]),
        ("{image: a, ports: [{name: metrics, containerPort: 80}]}", [], [False]),
        ("{image: a, ports: [{containerPort: 80}]}", [SERVICE % ("", "other", 80)], [False]),
        ("{image: a}", [ITS_SERVICE], [True]),
        ("{image: a}", [SERVICE % ("", "web", "http-metrics")], [False]),
        ("{image: a}", [SERVICE % ("-metrics", "web", 80)], [False]),
        ("{image: a}", [ITS_SERVICE.replace("spec: {", "spec: {clusterIP: None, ")], [False]),
        ("{image: 'docker.io/bitnami/postgresql:16'}", [ITS_SERVICE], [False]),
        ("{image: a, args: [--leader-elect]}", [ITS_SERVICE], [False]),
        ("{image: a, args: [--leader-elect=false]}", [ITS_SERVICE], [True]),
        (TWO, [SERVICE % ("", "web", 8080)], [True, False]),
        (TWO, [SERVICE % ("", "web", "http")], [True, False]),
        (TWO, [SERVICE % ("", "web", 9090)], [False, True]),
        (TWO, [SERVICE % ("", "web", 8080), SERVICE % ("2", "web", 9090)], [True, True]),
        (TWO, [SERVICE % ("", "web", 1234)], [True, True]),
        (TWO.replace("{containerPort: 9090}", "{name: http, containerPort: 9090}"), [BY_NAME], [True, False]),
        (PROBED, [SERVICE % ("", "web", 8080)], [True, False]),
        (BESIDE, [SERVICE % ("", "web", 8080)], [True, False]),
    ],
)
def test_traffic(containers: str, services: list[str], expected: list[bool]) -> None:
    found = attached(WEB % ("", containers), *services)
    assert [gets_traffic(found, item) for item in found.containers] == expected


@pytest.mark.parametrize(
    "pod",
    [
        "kind: Pod\nmetadata: {annotations: {helm.sh/hook: test}}\nspec: {%s}\n",
        "kind: Pod\nspec: {restartPolicy: Never, %s}\n",
        "kind: Pod\nspec: {os: {name: windows}, %s}\n",
        "kind: Pod\nspec: {nodeSelector: {kubernetes.io/os: windows}, %s}\n",
        "kind: Pod\nspec: {nodeSelector: {beta.kubernetes.io/os: windows}, %s}\n",
        "kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {%s}}}}}\n",
    ],
)
def test_pods_that_end_by_themselves_or_run_on_windows_get_none(pod: str) -> None:
    found = attached(pod % "containers: [{image: x, ports: [{containerPort: 1}]}]")
    assert not gets_traffic(found, found.containers[0])
    assert not found.untold


def test_init_containers_get_none() -> None:
    containers = "containers: [{image: x}], initContainers: [{image: y, ports: [{containerPort: 1}]}]"
    found = attached(f"kind: Pod\nspec: {{{containers}}}\n")
    assert [gets_traffic(found, item) for item in found.containers] == [False, False]


@pytest.mark.parametrize(("kind", "untold"), [("Deployment", True), ("DaemonSet", False)])
def test_whether_anything_says_who_sends_it_requests(kind: str, untold: bool) -> None:
    assert attached(PLAIN.replace("kind: Deployment", f"kind: {kind}")).untold is untold


def test_a_service_says_who_sends_requests() -> None:
    assert not attached(PLAIN, ITS_SERVICE).untold
