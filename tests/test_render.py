"""Charts and overlays as the rules see them: what is judged, and where findings about it stand."""

from __future__ import annotations

from typing import Any

import pytest

from gracelint.engine.reported import Report
from gracelint.report import text
from gracelint.report.render import render
from gracelint.testing import fix, fixed_files, lint, read

CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
VALUES = """\
replicas: 2
grace: 40
image: {repository: ghcr.io/acme/shop, tag: 1.4.2}
lifecycle: {}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      terminationGracePeriodSeconds: {{ .Values.grace }}
      containers:
        - name: web
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: {path: /ready, port: 8080}
          {{- with .Values.lifecycle }}
          lifecycle: {{- toYaml . | nindent 12 }}
          {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: shop}
  ports: [{port: 80, targetPort: 8080}]
"""


def chart(**files: str) -> dict[str, str]:
    """A chart in `charts/shop`; keyword `values` replaces its values."""
    return {
        "charts/shop/Chart.yaml": CHART,
        "charts/shop/values.yaml": files.get("values", VALUES),
        "charts/shop/templates/all.yaml": files.get("template", DEPLOYMENT),
    }


def told(report: Report) -> list[str]:
    return [f"{item.path}:{item.finding.at.line} {item.rule}" for item in report.findings]


def notes(report: Report) -> list[str]:
    return [
        f"{note.span.source.path}:{note.span.line} {note.text}"
        for item in report.findings
        for note in item.finding.notes
    ]


class TestCharts:
    def test_a_finding_stands_at_the_line_of_its_template(self) -> None:
        assert told(lint(chart())) == ["charts/shop/templates/all.yaml:15 missing-pre-stop"]

    def test_values_decide(self) -> None:
        hook = VALUES.replace("lifecycle: {}", "lifecycle: {preStop: {sleep: {seconds: 3}}}")
        assert told(lint(chart(values=hook), select=["missing-pre-stop"])) == []
        assert told(lint(chart(values=VALUES.replace("replicas: 2", "replicas: 1")), select=["missing-pre-stop"])) == []

    def test_the_value_that_decides_is_a_note(self) -> None:
        zero = chart(values=VALUES.replace("grace: 40", "grace: 0"))
        report = lint(zero, select=["zero-grace-period"])
        assert told(report) == ["charts/shop/templates/all.yaml:13 zero-grace-period"]
        assert notes(report) == ["charts/shop/values.yaml:2 this value fills it in"]

    def test_launches_know_what_they_were_rendered_from(self) -> None:
        (launch,) = read(chart()).launches
        assert (launch.origin.name, launch.origin.span.place.line) == ("shop", 15)
        unit = launch.origin.source.unit
        assert unit is not None
        assert (unit.kind, unit.path, unit.release, unit.values) == ("chart", "charts/shop", "shop", "")

    def test_a_release_stands_in_for_the_defaults(self) -> None:
        release = """\
kind: HelmRelease
metadata: {name: front, namespace: web}
spec:
  chart:
    spec:
      chart: ./charts/shop
      sourceRef: {kind: GitRepository, name: here}
  values:
    grace: 0
"""
        files = {**chart(), "cluster/shop.yaml": release}
        report = lint(files, select=["zero-grace-period"])
        assert told(report) == ["charts/shop/templates/all.yaml:13 zero-grace-period"]
        assert notes(report) == ["cluster/shop.yaml:9 this value fills it in"]
        assert [launch.origin.name for launch in read(files).launches] == ["front"]

    def test_an_application_of_argo_cd(self) -> None:
        application = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: front}
spec:
  source:
    path: charts/shop
    helm:
      releaseName: storefront
      valueFiles: [../../values/prod.yaml]
      parameters: [{name: replicas, value: "1"}]
"""
        files = {**chart(), "apps/shop.yaml": application, "values/prod.yaml": "grace: 0\n"}
        assert told(lint(files, select=["zero-grace-period", "missing-pre-stop"])) == [
            "charts/shop/templates/all.yaml:13 zero-grace-period"
        ]
        assert [launch.origin.name for launch in read(files).launches] == ["storefront"]

    def test_a_chart_from_elsewhere_is_said_once(self) -> None:
        release = """\
kind: HelmRelease
metadata: {name: cache}
spec:
  chart:
    spec:
      chart: redis
      sourceRef: {kind: HelmRepository, name: bitnami}
"""
        (reported,) = lint({"cluster/cache.yaml": release}).findings
        assert (reported.rule, reported.finding.at.line) == ("unread-manifest", 6)
        assert reported.finding.message == (
            "HelmRelease `cache` installs the chart redis of HelmRepository bitnami, which is not here"
        )

    def test_values_from_a_config_map(self) -> None:
        release = """\
kind: HelmRelease
metadata: {name: front}
spec:
  chart: {spec: {chart: charts/shop, sourceRef: {kind: GitRepository, name: here}}}
  valuesFrom: [{kind: ConfigMap, name: front-values}]
---
kind: ConfigMap
metadata: {name: front-values}
data:
  values.yaml: |
    grace: 0
"""
        assert told(lint({**chart(), "cluster/shop.yaml": release}, select=["zero-grace-period"])) == [
            "charts/shop/templates/all.yaml:13 zero-grace-period"
        ]

    def test_an_application_set(self) -> None:
        applications = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: fronts}
spec:
  generators: [{list: {elements: [{cluster: a}]}}]
  template:
    metadata: {name: "{{cluster}}-front"}
    spec:
      source: {path: charts/shop, helm: {valuesObject: {grace: 0}}}
"""
        assert told(lint({**chart(), "apps.yaml": applications}, select=["zero-grace-period"])) == [
            "charts/shop/templates/all.yaml:13 zero-grace-period"
        ]

    def test_a_helmfile(self) -> None:
        helmfile = """\
releases:
  - name: front
    chart: ./charts/shop
    values: [{grace: 0}]
  - name: cache
    chart: bitnami/redis
"""
        report = lint({**chart(), "helmfile.yaml": helmfile}, select=["zero-grace-period"])
        assert told(report) == [
            "charts/shop/templates/all.yaml:13 zero-grace-period",
            "helmfile.yaml:6 unread-manifest",
        ]
        assert notes(report) == ["helmfile.yaml:4 this value fills it in"]

    def test_settings_install_a_chart(self) -> None:
        settings = (
            '[[charts]]\npath = "charts/shop"\nvalues = ["prod.yaml"]\nrelease = "a"\n[charts.set]\nreplicas = 1\n'
        )
        files = {**chart(), "gracelint.toml": settings, "prod.yaml": "grace: 0\n"}
        assert told(lint(files, select=["zero-grace-period", "missing-pre-stop"])) == [
            "charts/shop/templates/all.yaml:13 zero-grace-period"
        ]

    def test_the_values_of_its_ci_are_judged_beside_the_defaults(self) -> None:
        files = {**chart(), "charts/shop/ci/zero-values.yaml": "grace: 0\n"}
        report = lint(files, select=["zero-grace-period"])
        assert told(report) == ["charts/shop/templates/all.yaml:13 zero-grace-period"]
        assert notes(report) == ["charts/shop/ci/zero-values.yaml:1 this value fills it in"]
        assert told(lint(files, select=["missing-pre-stop"])) == ["charts/shop/templates/all.yaml:15 missing-pre-stop"]

    def test_subcharts(self) -> None:
        parent = """\
apiVersion: v2
name: all
dependencies:
  - {name: shop, alias: front, condition: front.enabled, repository: "file://../shop", version: 1.0.0}
"""
        files = {
            **chart(),
            "charts/all/Chart.yaml": parent,
            "charts/all/values.yaml": "front: {grace: 0}\n",
        }
        report = lint(files, select=["zero-grace-period"])
        assert told(report) == ["charts/shop/templates/all.yaml:13 zero-grace-period"]
        assert notes(report) == ["charts/all/values.yaml:1 this value fills it in"]
        off = {**files, "charts/all/values.yaml": "front: {grace: 0, enabled: false}\n"}
        assert told(lint(off, select=["zero-grace-period"])) == []

    def test_subcharts_that_are_not_here_are_said_in_one_sentence(self) -> None:
        needs = ["{name: redis, version: 1.0.0}", "{name: nats, version: 1.0.0}"]
        found = []
        for some in (needs[:1], needs):
            parent = "apiVersion: v2\nname: all\ndependencies:\n" + "".join(f"  - {one}\n" for one in some)
            files = {
                "charts/all/Chart.yaml": parent,
                "charts/all/values.yaml": VALUES,
                "charts/all/templates/web.yaml": DEPLOYMENT,
            }
            found += [one.finding.message for one in lint(files, select=["unread-manifest"]).findings]
        assert found == [
            "`redis`, which `all` depends on, cannot be found here and is not judged",
            "`redis` and `nats`, which `all` depends on, cannot be found here and are not judged",
        ]

    def test_a_dependency_is_the_chart_of_its_name_and_version_in_the_repository(self) -> None:
        helper = '{{ define "kit.grace" }}0{{ end }}'
        files = {
            **chart(template=DEPLOYMENT.replace("{{ .Values.grace }}", '{{ include "kit.grace" . }}')),
            "charts/shop/Chart.yaml": CHART + 'dependencies: [{name: kit, version: 0.3.*, repository: "oci://x"}]\n',
            "charts/kit/Chart.yaml": "apiVersion: v2\nname: kit\nversion: 0.3.1\ntype: library\n",
            "charts/kit/templates/_grace.tpl": helper,
            "tests/kit/Chart.yaml": "apiVersion: v2\nname: kit\nversion: 0.0.0\n",
        }
        assert told(lint(files, select=["zero-grace-period"])) == [
            "charts/kit/templates/_grace.tpl:1 zero-grace-period"
        ]
        files["other/kit/Chart.yaml"] = files["charts/kit/Chart.yaml"]
        assert [item.finding.message for item in lint(files, select=["zero-grace-period"]).findings] == [
            "1 of 1 templates of the chart `shop` cannot be rendered, and what they make is not judged; "
            "`kit`, which `shop` depends on, cannot be found here and is not judged"
        ]

    def test_one_note_for_a_helper_however_many_templates_it_ends(self) -> None:
        fails = '{{ define "port" }}{{ .Values.kafka.service.port }}{{ end }}'
        files = chart(template=DEPLOYMENT.replace("8080", '{{ include "port" . }}') + fails)
        files["charts/shop/templates/other.yaml"] = 'port: {{ include "port" . }}\n'
        report = lint(files, select=["unread-manifest"])
        assert [item.finding.message for item in report.findings] == [
            "2 of 2 templates of the chart `shop` cannot be rendered, and what they make is not judged"
        ]
        reason = "charts/shop/templates/all.yaml:32 nil pointer evaluating interface {}.service"
        assert notes(report) == [reason]
        files["charts/shop/Chart.yaml"] = CHART + "dependencies: [{name: kafka, version: 1.0.0}]\n"
        assert notes(lint(files, select=["unread-manifest"])) == [f"{reason}: the values of `kafka` are not here"]

    def test_a_template_that_another_one_puts_in_is_no_manifest_of_its_own(self) -> None:
        files = chart(template='{{ tpl (.Files.Get "files/web.yaml") . }}')
        files["charts/shop/files/web.yaml"] = DEPLOYMENT
        report = lint(files, select=["templated-manifest", "missing-pre-stop"])
        assert told(report) == ["charts/shop/files/web.yaml:15 missing-pre-stop"]
        left_alone = {**files, "charts/shop/templates/all.yaml": "# nothing\n"}
        assert [item.rule for item in lint(left_alone).findings] == ["templated-manifest"]

    def test_one_finding_for_a_line_however_often_it_is_rendered(self) -> None:
        releases = "".join(
            f"kind: HelmRelease\nmetadata: {{name: {name}}}\nspec: {{chart: {{spec: {{chart: charts/shop}}}}}}\n---\n"
            for name in ("a", "b")
        )
        template = DEPLOYMENT.replace("name: web", "name: {{ .Release.Name }}-web")
        report = lint({**chart(template=template), "cluster/all.yaml": releases}, select=["missing-pre-stop"])
        assert told(report) == ["charts/shop/templates/all.yaml:15 missing-pre-stop"]
        again = [note for note in notes(report) if "rendered again" in note]
        assert [note.partition(" gets")[0] for note in again] == [
            "charts/shop/templates/all.yaml:15 rendered again: `b-web`"
        ]

    def test_what_cannot_be_rendered_is_said_once_for_the_chart(self) -> None:
        broken = "kind: Deployment\nmetadata: {name: {{ fail `a name` }} }\n"
        files = {**chart(), "charts/shop/templates/one.yaml": broken, "charts/shop/templates/two.yaml": broken}
        reports = [item for item in lint(files).findings if item.rule == "unread-manifest"]
        assert [(item.path, item.finding.at.line) for item in reports] == [("charts/shop/Chart.yaml", 2)]
        assert reports[0].finding.message == (
            "2 of 3 templates of the chart `shop` cannot be rendered, and what they make is not judged"
        )
        assert [(note.span.source.path, note.span.line, note.text) for note in reports[0].finding.notes] == [
            ("charts/shop/templates/one.yaml", 2, "a name"),
            ("charts/shop/templates/two.yaml", 2, "a name"),
        ]

    def test_what_only_the_user_can_give_stands_for_a_variable(self) -> None:
        """Helm itself ends there; whoever installs the chart gives a value, whatever it is."""
        named = DEPLOYMENT.replace("kind: Deployment", "kind: Deployment # {{ required `a name` .Values.name }}")
        sources = read({**chart(), "charts/shop/templates/all.yaml": named}).rendered
        assert [source.text.splitlines()[1] for source in sources] == ["kind: Deployment # ${REQUIRED}"]

    def test_the_last_template_is_rendered_first_and_what_it_sets_is_seen_by_the_others(self) -> None:
        template = DEPLOYMENT.replace(".Values.replicas", ".Values.given.replicas")
        files = {
            **chart(template=template),
            "charts/shop/values.yaml": VALUES.replace("replicas", "defaults: {}\nmany"),
        }
        assert [item.rule for item in lint(files).findings] == ["unread-manifest"]
        files["charts/shop/templates/zzz.yaml"] = '{{ $_ := set $.Values "given" (dict "replicas" .Values.many) }}'
        assert told(lint(files)) == ["charts/shop/templates/all.yaml:15 missing-pre-stop"]
        files["charts/shop/templates/zzz.yaml"] = (
            '{{ $_ := set $ "Values" (merge .Values (dict "given" (dict "replicas" .Values.many))) }}'
        )
        assert told(lint(files)) == ["charts/shop/templates/all.yaml:15 missing-pre-stop"]

    def test_of_a_value_that_is_given_twice_the_last_holds(self) -> None:
        assert told(lint(chart(values=VALUES + "replicas: 1\n"))) == []
        assert told(lint(chart(values="replicas: 1\n" + VALUES))) == [
            "charts/shop/templates/all.yaml:15 missing-pre-stop"
        ]

    def test_api_versions_are_a_list(self) -> None:
        template = f'{{{{ if has "apps/v1" .Capabilities.APIVersions }}}}\n{DEPLOYMENT}{{{{ end }}}}\n'
        assert told(lint(chart(template=template))) == ["charts/shop/templates/all.yaml:16 missing-pre-stop"]

    def test_what_renders_to_no_manifest(self) -> None:
        report = lint(chart(template="kind: Deployment\nspec: [{{ .Values.grace }}\n"))
        assert told(report) == ["charts/shop/templates/all.yaml:3 unread-manifest"]
        assert report.findings[0].finding.message == "what this is rendered to is no manifest, and is not judged"

    def test_a_comment_in_the_template_silences(self) -> None:
        ignored = DEPLOYMENT.replace(
            "        - name: web",
            "        # gracelint: ignore[missing-pre-stop] it drains by itself\n        - name: web",
        )
        assert told(lint(chart(template=ignored))) == []

    def test_an_annotation_silences(self) -> None:
        ignored = DEPLOYMENT.replace(
            "  name: {{ .Release.Name }}\nspec:\n  replicas",
            '  name: {{ .Release.Name }}\n  annotations: {gracelint/ignore: "missing-pre-stop"}\nspec:\n  replicas',
        )
        assert told(lint(chart(template=ignored))) == []

    def test_a_fix_edits_the_value(self) -> None:
        files = chart(values=VALUES.replace("lifecycle: {}", "lifecycle: {preStop: {sleep: {seconds: 40}}}"))
        fixed = fixed_files(files, fix(files, select=["grace-period-too-short"]))
        assert fixed["charts/shop/values.yaml"] == files["charts/shop/values.yaml"].replace("grace: 40", "grace: 52")
        assert fixed["charts/shop/templates/all.yaml"] == DEPLOYMENT

    def test_a_fix_edits_the_template(self) -> None:
        files = chart(template=DEPLOYMENT.replace("{{ .Values.grace }}", "0"))
        fixed = fixed_files(files, fix(files, select=["zero-grace-period"]))
        assert fixed["charts/shop/templates/all.yaml"] == DEPLOYMENT.replace(
            "      terminationGracePeriodSeconds: {{ .Values.grace }}\n", ""
        )

    def test_a_fix_that_no_edit_can_make_is_for_people(self) -> None:
        files = chart(values=VALUES.replace("grace: 40", "grace: 0"))
        (reported,) = lint(files, select=["zero-grace-period"]).findings
        assert reported.finding.fix is not None
        assert reported.finding.fix.title == "Use the default of 30 s (it comes from the chart's value `grace`)"
        assert not reported.finding.fix.edits

    def test_a_fix_that_changes_more_is_taken_back(self) -> None:
        twice = DEPLOYMENT.replace("  replicas: {{ .Values.replicas }}", "  replicas: {{ .Values.grace }}")
        values = VALUES.replace("lifecycle: {}", "lifecycle: {preStop: {sleep: {seconds: 40}}}")
        files = chart(template=twice, values=values)
        fixed = fix(files, select=["grace-period-too-short"])
        assert not fixed.changes
        assert fixed.story(False) == [
            "Not fixed: grace-period-too-short at charts/shop/templates/all.yaml:13: the fix would change more of what "
            "charts/shop/templates/all.yaml is rendered to than it should, so it was taken back"
        ]

    def test_hostile_charts_end(self) -> None:
        hostile = '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}'
        hostile += '{{ include "a" . }}'
        (reported,) = lint(chart(template=hostile)).findings
        assert reported.rule == "unread-manifest"
        outside = 'kind: ConfigMap\ndata: {a: {{ .Files.Get "../../secret" | quote }} }\n'
        assert told(lint({**chart(template=outside), "secret": "x"})) == []


class TestShowing:
    def test_each_line_with_its_place(self) -> None:
        template = "kind: ConfigMap\nmetadata: {name: {{ .Release.Name }} }\n{{ toYaml .Values }}\n---\nkind: A\n"
        rendered = read(chart(template=template, values="data:\n  key: value\n")).rendered
        assert render(rendered).splitlines() == [
            "---",
            "# chart charts/shop, release shop",
            f"{'kind: ConfigMap':<60}  # charts/shop/templates/all.yaml:1",
            f"{'metadata: {name: shop }':<60}  # charts/shop/templates/all.yaml:2",
            f"{'data:':<60}  # charts/shop/templates/all.yaml:3",
            f"{'  key: value':<60}  # charts/shop/templates/all.yaml:3",
            "---",
            f"{'kind: A':<60}  # charts/shop/templates/all.yaml:5",
        ]

    def test_a_chart_in_the_root_is_named_as_paths_name_it(self) -> None:
        files = chart(template="kind: A\n")
        rendered = read({path.removeprefix("charts/shop/"): text for path, text in files.items()}).rendered
        assert render(rendered).splitlines()[1] == "# chart ., release shop"


BASE = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/shop
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}}
          lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
""",
}


def overlay(kustomization: str, **files: str) -> dict[str, str]:
    extra = {f"prod/{name.replace('_', '.')}": text for name, text in files.items()}
    return {**BASE, "prod/kustomization.yaml": f"resources: [../base]\n{kustomization}", **extra}


def values(files: dict[str, str], *path: str) -> list[Any]:
    """What stands at a path of each workload that is judged."""
    found = []
    for workload in read(files).workloads:
        scalar = workload.node.scalar(*path)
        found.append(scalar.value if scalar is not None else None)
    return found


class TestOverlays:
    def test_a_base_is_not_judged_alone(self) -> None:
        assert len(read(overlay("")).workloads) == 1
        assert len(read(BASE).workloads) == 1

    @pytest.mark.parametrize("patches", ["", "patches: [{path: replicas.yaml}]\n"])
    def test_a_script_in_a_block_stands_where_the_base_has_it(self, patches: str) -> None:
        command = """          command: ["/bin/sh", "-c"]
          args:
            - |
              set -e
              echo it is "up"
              redis-server /etc/redis.conf
"""
        replicas = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"
        files = overlay(patches, replicas_yaml=replicas)
        image = "          image: ghcr.io/acme/shop\n"
        files["base/web.yaml"] = BASE["base/web.yaml"].replace(image, "          image: redis:7\n" + command)
        (reported,) = lint(files, select=["shell-wrapper"]).findings
        assert (reported.finding.at.source.path, reported.finding.at.line, reported.finding.at.text[:2]) == (
            "base/web.yaml",
            15,
            "|\n",
        )
        assert reported.finding.fix is not None
        (edit,) = reported.finding.fix.edits
        assert (edit.span.source.path, edit.span.line, edit.span.column, edit.text) == (
            "base/web.yaml",
            18,
            15,
            "exec ",
        )

    def test_an_item_of_a_list_stands_where_it_is_written(self) -> None:
        (workload,) = read(overlay("")).workloads
        at = workload.source.text.index("- name: web")
        assert workload.source.map is not None
        assert workload.source.map.span(at, at + 1).line == 11

    def test_a_finding_stands_in_the_patch_that_makes_it(self) -> None:
        patch = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 0
"""
        files = overlay("patches: [{path: grace.yaml}]\n", grace_yaml=patch)
        assert told(lint(files, select=["zero-grace-period"])) == ["prod/grace.yaml:7 zero-grace-period"]

    def test_a_finding_stands_in_the_base_where_that_says_it(self) -> None:
        base = {
            **BASE,
            "base/web.yaml": BASE["base/web.yaml"].replace(
                "      containers:", "      terminationGracePeriodSeconds: 0\n      containers:"
            ),
        }
        files = {**base, "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: p-\n"}
        assert told(lint(files, select=["zero-grace-period"])) == ["base/web.yaml:10 zero-grace-period"]
        assert values(files, "metadata", "name") == ["p-web"]

    def test_a_patch_written_in_place(self) -> None:
        inline = """\
patches:
  - target: {kind: Deployment}
    patch: |-
      - op: add
        path: /spec/template/spec/terminationGracePeriodSeconds
        value: 0
"""
        assert told(lint(overlay(inline), select=["zero-grace-period"])) == [
            "prod/kustomization.yaml:7 zero-grace-period"
        ]

    def test_what_a_patch_only_repeats_stands_in_the_base(self) -> None:
        patch = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          env: [{name: COLOR, value: blue}]
"""
        base = {
            **BASE,
            "base/web.yaml": BASE["base/web.yaml"].replace("          lifecycle:", "          # lifecycle:"),
        }
        files = {**base, **overlay("patches: [{path: color.yaml}]\n", color_yaml=patch), **base}
        assert told(lint(files, select=["missing-pre-stop"])) == ["base/web.yaml:11 missing-pre-stop"]

    def test_a_text_that_needs_quotes_stands_where_it_is_written(self) -> None:
        patch = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          command: [sh, -c, shop]
          args: [--port=8080]
"""
        files = overlay("patches: [{path: args.yaml}]\n", args_yaml=patch)
        assert told(lint(files, select=["ignored-command"])) == ["prod/args.yaml:10 ignored-command"]

    def test_patches_merge_containers_by_name_and_delete(self) -> None:
        patch = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          lifecycle: {$patch: delete}
        - name: helper
          image: ghcr.io/acme/helper
"""
        (workload,) = read(overlay("patchesStrategicMerge: [p.yaml]\n", p_yaml=patch)).workloads
        assert [container.name for container in workload.containers] == ["web", "helper"]
        assert workload.containers[0].pre_stop is None
        assert workload.containers[0].image is not None

    def test_names_images_replicas_namespace_labels(self) -> None:
        kustomization = """\
namePrefix: a-
nameSuffix: -z
namespace: shop
commonLabels: {team: front}
replicas: [{name: web, count: 5}]
images: [{name: ghcr.io/acme/shop, newName: registry.example.com/shop, newTag: "2"}]
"""
        (workload,) = read(overlay(kustomization)).workloads
        assert (workload.name, workload.namespace) == ("a-web-z", "shop")
        assert workload.labels == {"app": "web", "team": "front"}
        assert workload.replicas is not None
        assert workload.replicas.value == 5
        assert workload.containers[0].image is not None
        assert workload.containers[0].image.value == "registry.example.com/shop:2"
        assert [service.selector for service in workload.services] == [{"app": "web", "team": "front"}]

    def test_components_and_generators(self) -> None:
        component = "kind: Component\npatches: [{path: one.yaml}]\n"
        one = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 7}\n"
        files = {
            **overlay("components: [../extra]\nconfigMapGenerator: [{name: scripts, files: [stop.sh]}]\n"),
            "extra/kustomization.yaml": component,
            "extra/one.yaml": one,
            "prod/stop.sh": "sleep 5\n",
        }
        assert values(files, "spec", "replicas") == ["7"]
        assert told(lint(files)) == []

    def test_replacements(self) -> None:
        kustomization = """\
replacements:
  - source: {kind: Deployment, name: web, fieldPath: spec.replicas}
    targets:
      - select: {kind: Deployment}
        fieldPaths: [spec.template.spec.terminationGracePeriodSeconds]
        options: {create: true}
"""
        (workload,) = read(overlay(kustomization)).workloads
        assert workload.grace.value == 2

    def test_variables(self) -> None:
        command = "command: [serve, --name, $(NAME), --replicas=$(COUNT)]"
        base = {**BASE, "base/web.yaml": BASE["base/web.yaml"].replace("image: gh", f"{command}\n          image: gh")}
        kustomization = """\
resources: [../base]
namePrefix: p-
vars:
  - {name: NAME, objref: {kind: Service, name: web, apiVersion: v1}}
  - {name: COUNT, objref: {kind: Deployment, name: web}, fieldref: {fieldpath: spec.replicas}}
"""
        (workload,) = read({**base, "prod/kustomization.yaml": kustomization}).workloads
        assert [word.value for word in workload.containers[0].command or ()] == [
            "serve",
            "--name",
            "p-web",
            "--replicas=2",
        ]

    def test_a_chart_of_a_kustomization(self) -> None:
        kustomization = """\
helmCharts:
  - {name: shop, releaseName: front, valuesInline: {grace: 0}}
  - {name: cache, repo: https://charts.example.com}
namePrefix: p-
"""
        files = {path.replace("charts/shop", "prod/charts/shop"): text for path, text in chart().items()}
        files["prod/kustomization.yaml"] = kustomization
        report = lint(files, select=["zero-grace-period"])
        assert told(report) == [
            "prod/charts/shop/templates/all.yaml:13 zero-grace-period",
            "prod/kustomization.yaml:3 unread-manifest",
        ]
        assert "the chart cache is not in this repository" in [item.finding.message for item in report.findings]
        assert "p-front" in [workload.name for workload in read(files).workloads]

    def test_flux_applies_a_folder_that_others_build_upon(self) -> None:
        flux = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: base}
spec: {path: ./base}
"""
        files = overlay("namePrefix: p-\n")
        assert [workload.name for workload in read(files).workloads] == ["p-web"]
        assert [workload.name for workload in read({**files, "flux.yaml": flux}).workloads] == ["p-web", "web"]

    def test_what_lies_elsewhere_is_said(self) -> None:
        files = overlay("components: []\n")
        files["prod/kustomization.yaml"] = "resources:\n  - ../base\n  - https://github.com/acme/infra//base?ref=v1\n"
        (reported,) = lint(files).findings
        assert (reported.rule, reported.path, reported.finding.at.line) == (
            "unread-manifest",
            "prod/kustomization.yaml",
            3,
        )
        assert reported.finding.message == "https://github.com/acme/infra//base?ref=v1 lies outside of this repository"

    def test_a_broken_file_stays_a_syntax_error(self) -> None:
        files = overlay("")
        files["base/web.yaml"] = "a: [1\n"
        assert told(lint(files)) == ["base/web.yaml:2 syntax-error"]

    def test_kustomizations_that_lead_to_each_other_end(self) -> None:
        files = {"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
        assert [item.rule for item in lint(files).findings] == []

    def test_nothing_outside_of_the_project_is_read(self) -> None:
        files = {"kustomization.yaml": "resources: [../../etc/passwd, /etc/passwd]\n"}
        assert [item.finding.message for item in lint(files).findings] == [
            "there is no ../../etc/passwd",
            "there is no /etc/passwd",
        ]


class TestApplicationSets:
    """Whose parameters come from lists, folders and files of the repository."""

    def write(self, generators: str, path: str, **rest: str) -> str:
        go = "  goTemplate: true\n" if rest.get("go") else ""
        helm = rest.get("helm", "{}")
        return f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: fronts}}
spec:
{go}  generators: {generators}
  template:
    metadata: {{name: "{{{{path.basename}}}}-front"}}
    spec:
      source: {{path: "{path}", helm: {helm}}}
"""

    def zeros(self, applications: str, **files: str) -> list[str]:
        report = lint({**chart(), "apps.yaml": applications, **files}, select=["zero-grace-period"])
        return [*told(report), *notes(report)]

    FOUND = "charts/shop/templates/all.yaml:13 zero-grace-period"

    def test_a_list(self) -> None:
        sets = self.write(
            "[{list: {elements: [{chart: shop, grace: 0}]}}]", "charts/{{chart}}", helm='{values: "grace: {{grace}}"}'
        )
        assert self.zeros(sets) == [self.FOUND]

    def test_the_values_of_a_list_fit_one_element_alone(self) -> None:
        elements = "[{list: {elements: [{grace: 5}, {grace: 0}]}}]"
        sets = self.write(elements, "charts/shop", helm='{parameters: [{name: grace, value: "{{grace}}"}]}')
        assert self.zeros(sets) == [self.FOUND]
        assert self.zeros(sets.replace("{grace: 0}", "{grace: 9}")) == []

    def test_folders_of_the_repository(self) -> None:
        folders = '[{git: {repoURL: x, directories: [{path: "charts/*"}, {path: charts/old, exclude: true}]}}]'
        sets = self.write(folders, "{{path}}", helm='{valueFiles: ["zero-{{path.basename}}.yaml"]}')
        assert self.zeros(sets, **{"charts/shop/zero-shop.yaml": "grace: 0\n"}) == [
            self.FOUND,
            "charts/shop/zero-shop.yaml:1 this value fills it in",
        ]

    def test_files_of_the_repository(self) -> None:
        files = '[{git: {repoURL: x, files: [{path: "envs/**/config.json"}]}}]'
        sets = self.write(files, "charts/{{app.chart}}", helm='{valuesObject: {grace: "{{app.grace}}"}}')
        config = '{"app": {"chart": "shop", "grace": 0}}'
        assert self.zeros(sets, **{"envs/prod/eu/config.json": config}) == [
            self.FOUND,
            "apps.yaml:9 this value fills it in",
        ]

    def test_go_templates(self) -> None:
        folders = '[{git: {repoURL: x, directories: [{path: "charts/*"}]}}]'
        sets = self.write(
            folders, "{{ .path.path }}", helm='{values: "grace: {{ len .path.segments | sub 2 }}"}', go="yes"
        )
        assert self.zeros(sets) == [self.FOUND]

    def test_a_matrix(self) -> None:
        matrix = """[{matrix: {generators: [
      {git: {repoURL: x, directories: [{path: "charts/*"}]}},
      {list: {elements: [{grace: 0}]}}]}}]"""
        sets = self.write(matrix, "{{path}}", helm='{valuesObject: {grace: "{{grace}}"}}')
        assert self.zeros(sets)[0] == self.FOUND

    def test_a_merge(self) -> None:
        merge = """[{merge: {mergeKeys: [chart], generators: [
      {list: {elements: [{chart: shop, grace: 5}]}},
      {list: {elements: [{chart: shop, grace: 0}, {chart: other, grace: 7}]}}]}}]"""
        sets = self.write(merge, "charts/{{chart}}", helm='{valuesObject: {grace: "{{grace}}"}}')
        assert self.zeros(sets)[0] == self.FOUND

    def test_a_matrix_of_which_a_part_is_known(self) -> None:
        matrix = """[{matrix: {generators: [
      {git: {repoURL: x, directories: [{path: "charts/*"}]}},
      {clusters: {}}]}}]"""
        assert self.zeros(self.write(matrix, "{{path}}", helm="{valuesObject: {grace: 0}}"))[0] == self.FOUND
        assert (
            self.zeros(self.write(matrix, "{{.path.path}}", helm="{valuesObject: {grace: 0}}", go="yes"))[0]
            == self.FOUND
        )

    def test_what_only_a_cluster_knows_is_said_once(self) -> None:
        sets = self.write("[{clusters: {}}]", "clusters/{{name}}")
        report = lint({"apps.yaml": sets})
        assert told(report) == ["apps.yaml:9 unread-manifest"]
        assert report.findings[0].finding.message == (
            "nothing in this repository says what this installs, and it is not judged"
        )
        assert report.unseen == 1


class TestHelmfiles:
    """Templates, environments, values in templates, nested files."""

    def zeros(self, helmfile: str, **files: str) -> list[str]:
        report = lint({**chart(), "helmfile.yaml": helmfile, **files}, select=["zero-grace-period"])
        return told(report)

    FOUND = "charts/shop/templates/all.yaml:13 zero-grace-period"

    def test_environments(self) -> None:
        helmfile = """\
environments:
  default:
    values: [{grace: 5}]
  production:
    values: [env/production.yaml]
---
releases:
  - name: front
    chart: ./charts/shop
    values: [{grace: {{ .Values.grace }}}]
"""
        assert self.zeros(helmfile) == []
        assert self.zeros(helmfile.replace("grace: 5", "grace: 0")) == [self.FOUND]
        without = helmfile.replace("  default:\n    values: [{grace: 5}]\n", "")
        assert self.zeros(without, **{"env/production.yaml": "grace: 0\n"}) == [self.FOUND]

    def test_values_of_the_same_part(self) -> None:
        helmfile = """\
environments:
  default: {values: [{grace: 0, shop: {enabled: true}}]}
releases:
{{- if .Values.shop.enabled }}
  - name: front
    chart: ./charts/shop
    condition: shop.enabled
    values:
      - values/{{`{{ .Release.Name }}`}}.yaml.gotmpl
{{- end }}
"""
        values = {"values/front.yaml.gotmpl": 'grace: {{ .Values | get "grace" 9 }}\n'}
        assert self.zeros(helmfile, **values) == [self.FOUND]
        assert self.zeros(helmfile.replace("enabled: true", "enabled: false"), **values) == []

    def test_templates_that_releases_inherit(self) -> None:
        helmfile = """\
templates:
  default:
    chart: "./charts/{{`{{ .Release.Labels.chart }}`}}"
    values: [{grace: 0}]
releases:
  - name: front
    labels: {chart: shop}
    inherit: [{template: default}]
  - name: back
    installed: false
    chart: ./charts/shop
"""
        assert self.zeros(helmfile) == [self.FOUND]

    def test_what_a_release_says_comes_after_its_templates(self) -> None:
        helmfile = """\
templates:
  default: {values: [{grace: %s, other: 1}]}
releases:
  - name: front
    chart: ./charts/shop
    inherit: [{template: default}]
    values: [{%s: 5}]
"""
        assert self.zeros(helmfile % (0, "other")) == [self.FOUND]
        assert self.zeros(helmfile % (0, "grace")) == []

    def test_nested_files(self) -> None:
        nested = {"apps/front.yaml": "releases: [{name: front, chart: ../charts/shop, values: [{grace: 0}]}]\n"}
        assert self.zeros("helmfiles: [{path: apps/front.yaml}]\n", **nested) == [self.FOUND]
        assert self.zeros("helmfiles: ['apps/*.yaml']\n", **nested) == [self.FOUND]

    def test_values_of_the_file_are_weaker_than_those_of_its_environment(self) -> None:
        helmfile = """\
values: [{grace: 0}]
environments:
  default: {values: [{other: 1}]}
---
releases:
  - name: front
    chart: ./charts/shop
    values: [{grace: {{ .Values.grace }}}]
"""
        assert self.zeros(helmfile) == [self.FOUND]
        assert self.zeros(helmfile.replace("other: 1", "grace: 5")) == []
        assert self.zeros(f"values: [{{grace: 5}}]\n---\n{helmfile}") == [self.FOUND]

    def test_nested_files_know_the_values_they_are_given_and_no_others(self) -> None:
        nested = {
            "apps/front.yaml": """\
environments:
  default: {values: [{grace: 7}]}
---
releases:
  - name: front
    chart: ../charts/shop
    values: [{grace: {{ .Values.grace }}}]
"""
        }
        outer = "environments: {default: {values: [{grace: 0}]}}\n---\nhelmfiles: [{path: apps/front.yaml%s}]\n"
        assert self.zeros(outer % "", **nested) == []
        assert self.zeros(outer % ", values: [{grace: 0}]", **nested) == [self.FOUND]

    def test_the_last_setting_of_a_value_counts(self) -> None:
        helmfile = """\
releases:
  - name: front
    chart: ./charts/shop
    set:
      - {name: grace, value: %s}
      - {name: grace, value: %s}
      - {name: hosts, values: [a, b]}
"""
        assert self.zeros(helmfile % (5, 0)) == [self.FOUND]
        assert self.zeros(helmfile % (0, 5)) == []

    def test_what_only_a_run_can_tell(self) -> None:
        helmfile = 'releases:\n  - name: {{ exec "hostname" (list) }}\n    chart: ./charts/shop\n'
        report = lint({**chart(), "helmfile.yaml": helmfile})
        (reported,) = [item for item in report.findings if item.rule == "unread-manifest"]
        assert reported.finding.at.line == 2
        assert reported.finding.message == (
            "this helmfile cannot be filled in, and its releases are not seen: `exec` can only be known when it is run"
        )


def test_the_summary_tells_what_ends_by_itself_from_what_is_unknown() -> None:
    pod = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  initContainers: [{name: wait, image: busybox, command: [sh, -c, "until nslookup db; do sleep 1; done"]}]
  containers: [{name: web, image: ghcr.io/acme/web}]
"""
    report = lint({"web.yaml": pod})
    assert report.one_shots == 1
    assert "2 containers: 1 unknown, 1 ends by itself (`gracelint trace`)." in text.render(report)
