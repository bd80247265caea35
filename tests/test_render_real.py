"""What real helm and kustomize make of the same charts and overlays.

`GRACELINT_RENDERERS` names the folder that has both commands; `tests/install-renderers` builds them into it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gracelint.cli import main
from gracelint.facts import yaml
from gracelint.parse.yaml import read_documents
from gracelint.render.dump import dump
from gracelint.render.helm.chart import read_chart
from gracelint.render.helm.release import Release, render
from gracelint.render.kustomize.build import build
from gracelint.render.values import value_of
from gracelint.source import Source
from gracelint.tree.files import ProjectFiles
from test_render import BASE, CHART, DEPLOYMENT, VALUES
from test_render_functions import ROWS
from test_render_template import FUNCTIONS, LANGUAGE
from test_render_template import VALUES as TEMPLATE_VALUES

FOLDER = os.environ.get("GRACELINT_RENDERERS", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="GRACELINT_RENDERERS does not name the folder of helm and kustomize")


def write(root: str, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        with open(os.path.join(root, path), "w", encoding="utf-8") as file:
            file.write(text)


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def objects(*texts: str) -> dict[tuple[str, str], Any]:
    documents = [document for text in texts for document in read_documents(Source("", text))]
    values = [value_of(document.root) for document in documents if isinstance(document.root, yaml.Mapping)]
    return {(value["kind"], value["metadata"]["name"]): value for value in values}


def by_helm(root: str) -> dict[tuple[str, str], Any]:
    return objects(output(os.path.join(FOLDER, "helm"), "template", "shop", root, "--kube-version", "1.34.0"))


def by_us(root: str) -> dict[tuple[str, str], Any]:
    files = ProjectFiles(root)
    rendered, unread = render(files, read_chart(files, ""), Release("shop"))
    assert not unread, unread[0].reason
    return objects(*(item.text for item in rendered))


def test_every_line_of_the_tables(tmp_path: object) -> None:
    """The rows that `test_render_template.py` and `test_render_functions.py` claim were compared with helm."""
    rows = [text for text, _ in (*LANGUAGE, *FUNCTIONS, *ROWS) if "define" not in text and "block" not in text]
    helpers = "".join(f'{{{{ define "row-{number}" }}}}{text}{{{{ end }}}}' for number, text in enumerate(rows))
    data = "".join(f'  r{number}: {{{{ include "row-{number}" . | toJson }}}}\n' for number in range(len(rows)))
    write(
        str(tmp_path),
        {
            "Chart.yaml": CHART,
            "values.yaml": dump(TEMPLATE_VALUES),
            "templates/_rows.tpl": helpers,
            "templates/all.yaml": f"kind: ConfigMap\nmetadata: {{name: rows}}\ndata:\n{data}",
        },
    )
    theirs, ours = by_helm(str(tmp_path)), by_us(str(tmp_path))
    for number, text in enumerate(rows):
        assert ours["ConfigMap", "rows"]["data"][f"r{number}"] == theirs["ConfigMap", "rows"]["data"][f"r{number}"], (
            text
        )


SUBCHARTS = {
    "Chart.yaml": """\
apiVersion: v2
name: all
version: 1.0.0
appVersion: "7"
dependencies:
  - {name: part, version: 1.0.0, alias: first, import-values: [data, {child: more.inner, parent: taken}]}
  - {name: part, version: 1.0.0, alias: second, condition: second.enabled}
  - {name: part, version: 1.0.0, alias: third, tags: [extra]}
  - {name: kit, version: 1.0.0}
""",
    "values.yaml": """\
global: {region: north}
tags: {extra: false}
first: {size: 5, gone: null, deep: {b: two}, grand: {image: {registry: null, tag: null, other: null}}}
second: {enabled: true, global: {region: south}}
own: {a: 1, nothing: null}
""",
    "templates/own.yaml": """\
kind: ConfigMap
metadata: {name: own}
data:
  values: {{ omit .Values "first" "second" "third" "kit" | toJson | quote }}
  chart: {{ printf "%s-%s-%s" .Chart.Name .Chart.Version .Chart.AppVersion }}
  part: {{ .Values.first.size | quote }}
  kit: {{ include "kit.name" . }}
  files: {{ .Files.Get "notes.txt" | quote }}
  template: {{ .Template.Name }} {{ .Template.BasePath }}
  version: v{{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.APIVersions.Has "apps/v1" }}
  release: {{ .Release.Name }} {{ .Release.Service }} {{ .Release.IsInstall }}
{{ (.Files.Glob "conf/*.ini").AsConfig | indent 2 }}
  {{- range $path, $_ := .Files.Glob "conf/**" }}
  {{ base $path }}-lines: {{ $.Files.Lines $path | join "," | quote }}
  {{- end }}
""",
    "notes.txt": "some notes\n",
    "conf/a.ini": "a=1\nb=2\n",
    "conf/deep/c.ini": "c=3\n",
    "charts/part/Chart.yaml": "apiVersion: v2\nname: part\nversion: 1.0.0\n",
    "charts/part/values.yaml": """\
size: 1
gone: here
deep: {a: one, b: one}
exports: {data: {imported: yes-it-is}}
more: {inner: {x: 1}}
unset: null
grand: {image: {registry: null, tag: 3}}
""",
    "charts/part/charts/grand/Chart.yaml": "apiVersion: v2\nname: grand\nversion: 1.0.0\n",
    "charts/part/charts/grand/values.yaml": "image: {registry: docker.io, tag: 1, digest: null}\nnever: null\n",
    "charts/part/charts/grand/templates/grand.yaml": """\
kind: ConfigMap
metadata: {name: grand-{{ .Values.global.region }}-{{ randAlpha 1 | len }}}
data:
  values: {{ .Values | toJson | quote }}
""",
    "charts/part/templates/part.yaml": """\
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data:
  values: {{ .Values | toJson | quote }}
  kit: {{ include "kit.name" . }}
  overridden: {{ include "shared" . }}
""",
    "charts/part/templates/_shared.tpl": '{{ define "shared" }}of the part{{ end }}',
    "templates/_shared.tpl": '{{ define "shared" }}of the whole{{ end }}',
    "charts/kit/Chart.yaml": "apiVersion: v2\nname: kit\nversion: 1.0.0\ntype: library\n",
    "charts/kit/templates/_names.tpl": '{{ define "kit.name" }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}',
}


DOCUMENTS = {
    "Chart.yaml": CHART,
    ".helmignore": "# none of these\n/templates/old/\n*.bak.yaml\nconf/secret.ini\n!*\n",
    "templates/run-on.yaml": """\
kind: ConfigMap
metadata: {name: first}
data:
  ends: |
    with a space {{ "" }}
---# a note
kind: ConfigMap
metadata: {name: second}
data:
  blank: |+
    lines

---  kind: ConfigMap
metadata: {name: third}
data:
  files: a{{ range $path, $_ := .Files.Glob "conf/*" }} {{ $path }}{{ end }}
  secret: {{ .Files.Get "conf/secret.ini" | quote }}
  last: |
    {{- "no newline" | nindent 4 }}
{{- /* nothing behind it */ -}}
""",
    "templates/old/all.yaml": "kind: ConfigMap\nmetadata: {name: old}\n",
    "templates/all.bak.yaml": "kind: ConfigMap\nmetadata: {name: backup}\n",
    "templates/.hidden.yaml": "kind: ConfigMap\nmetadata: {name: hidden}\n",
    "conf/secret.ini": "a=1\n",
    "conf/open.ini": "a=1\n",
}


@pytest.mark.parametrize(
    "files",
    [
        DOCUMENTS,
        {"Chart.yaml": CHART, "values.yaml": VALUES, "templates/all.yaml": DEPLOYMENT},
        SUBCHARTS,
        {**SUBCHARTS, "values.yaml": SUBCHARTS["values.yaml"].replace("extra: false", "extra: true")},
        {**SUBCHARTS, "values.yaml": SUBCHARTS["values.yaml"].replace("enabled: true", "enabled: false")},
    ],
    ids=["documents", "plain", "subcharts", "by-tag", "by-condition"],
)
def test_charts(tmp_path: object, files: dict[str, str]) -> None:
    write(str(tmp_path), files)
    assert by_us(str(tmp_path)) == by_helm(str(tmp_path))


PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: web
          env: [{name: A, value: "1"}]
          args: [--one]
          lifecycle: null
        - name: helper
          image: ghcr.io/acme/helper
"""
OVERLAYS = {
    "plain": "resources: [../base]\n",
    "names": """\
resources: [../base]
namePrefix: a-
nameSuffix: -b
namespace: shop
commonLabels: {team: front}
commonAnnotations: {note: text}
""",
    "labels": """\
resources: [../base]
labels:
  - {pairs: {team: front}, includeTemplates: true}
  - {pairs: {tier: web}}
""",
    "images": """\
resources: [../base]
images: [{name: ghcr.io/acme/shop, newName: r.example.com/shop, newTag: v2}]
replicas: [{name: web, count: 4}]
""",
    "strategic": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
    "json": """\
resources: [../base]
patches:
  - target: {kind: Deployment, name: web}
    patch: |-
      - {op: replace, path: /spec/replicas, value: 3}
      - {op: add, path: /spec/template/spec/containers/0/env, value: [{name: B, value: "2"}]}
      - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: C, value: "3"}}
      - {op: remove, path: /spec/template/spec/containers/0/lifecycle}
""",
    "delete": """\
resources: [../base]
patches:
  - patch: "{apiVersion: v1, kind: Service, metadata: {name: web}, $patch: delete}"
""",
    "component": "resources: [../base]\ncomponents: [../extra]\n",
    "annotated": """\
resources: [../base]
patches:
  - target: {kind: Deployment}
    patch: |-
      - {op: add, path: /metadata/annotations/a.b~1c, value: d}
  - target: {kind: Service}
    patch: |-
      - {op: add, path: /metadata/annotations/a, value: b}
      - {op: remove, path: /metadata/annotations/a}
""",
    "generated": """\
resources: [user.yaml]
resources: [../base, user.yaml]
namePrefix: a-
generatorOptions: {labels: {team: back, tier: web}, immutable: true}
configMapGenerator:
  - {name: settings, literals: ["a='<1> & 2'", b=x=y], files: [text=settings.txt], options: {labels: {team: front}}}
  - {name: plain, envs: [plain.env], options: {disableNameSuffixHash: true}}
  - {name: elsewhere, namespace: other, literals: [a=1]}
""",
    "merged": """\
resources: [../generated]
namespace: shop
configMapGenerator:
  - {name: settings, behavior: merge, literals: [b=z]}
  - {name: plain, behavior: merge, literals: [B=z]}
  - {name: user, behavior: merge, literals: [a=b]}
patches:
  - patch: |-
      {apiVersion: apps/v1, kind: Deployment, metadata: {name: user, namespace: home}, spec: {replicas: 3}}
""",
    "inherited": """\
resources: [../configured]
nameSuffix: -z
images: [{name: ghcr.io/acme/job, newTag: v3}]
commonLabels: {tier: web}
""",
    "replacement": """\
resources: [../base]
replacements:
  - source: {kind: Service, name: web, fieldPath: spec.ports.0.targetPort}
    targets:
      - select: {kind: Deployment}
        fieldPaths: ["spec.template.spec.containers.[name=web].ports.0.containerPort"]
""",
    "nested": "resources: [../names]\nnamePrefix: c-\n",
    "configured": """\
resources: [../base, ../custom]
namePrefix: a-
namespace: shop
commonLabels: {team: front}
commonAnnotations: {note: text}
images: [{name: ghcr.io/acme/job, newTag: v2}]
replicas: [{name: batch, count: 3}]
configurations: [config.yaml]
patches: [{path: rollout-patch.yaml}]
""",
    "schema": """\
resources: [../base, ../custom]
openapi: {path: schema.json}
patches: [{path: rollout-patch.yaml}, {path: patch.yaml}]
""",
    "plugins": """\
resources: [../base, ../custom]
generators:
  - generate.yaml
  - |-
    apiVersion: builtin
    kind: ConfigMapGenerator
    metadata: {name: inline}
    options: {disableNameSuffixHash: true}
    literals: [a=1]
transformers: [transform.yaml, ../transformers]
""",
}
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: batch}
spec:
  workloadRef: {kind: Deployment, name: web}
  replicas: 1
  image: ghcr.io/acme/job:v1
  template:
    metadata: {labels: {app: batch}}
    spec:
      containers:
        - name: job
          image: ghcr.io/acme/job:v1
          args: [--first]
        - name: helper
          image: ghcr.io/acme/helper:v1
"""
USER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: user, namespace: home, annotations: {}}
spec:
  template:
    spec:
      containers:
        - name: user
          image: ghcr.io/acme/user
          envFrom: [{configMapRef: {name: settings}}, {configMapRef: {name: plain}}, {configMapRef: {name: elsewhere}}]
      volumes: [{name: settings, configMap: {name: settings}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: user}
"""
CUSTOM = {
    "generated/user.yaml": USER,
    "generated/settings.txt": "some \u00e9\n\ttext\n",
    "generated/plain.env": "\ufeff# none\nA=1 \n\nB\n",
    "custom/kustomization.yaml": "resources: [rollout.yaml]\n",
    "custom/rollout.yaml": ROLLOUT,
    "configured/config.yaml": """\
namePrefix: [{path: spec/image, kind: Rollout}]
commonLabels:
  - {path: spec/selector/matchLabels, create: true, group: argoproj.io, kind: Rollout}
  - {path: spec/template/metadata/labels, create: true, group: argoproj.io, kind: Rollout}
commonAnnotations: [{path: spec/template/metadata/annotations, create: true, kind: Rollout}]
images: [{path: spec/image, kind: Rollout}]
replicas: [{path: spec/replicas, create: true, kind: Rollout}]
nameReference: [{kind: Deployment, fieldSpecs: [{path: spec/workloadRef/name, kind: Rollout}]}]
""",
    **{
        f"{folder}/rollout-patch.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: batch}
spec:
  template:
    spec:
      containers:
        - name: job
          env: [{name: A, value: "1"}]
"""
        for folder in ("configured", "schema")
    },
    # With a schema of one's own kustomize knows no keys of its own: the list is replaced whole.
    "schema/patch.yaml": PATCH.replace("          lifecycle: null\n", ""),
    "schema/schema.json": """\
{"definitions": {
  "io.argoproj.Rollout": {
    "properties": {
      "apiVersion": {"type": "string"},
      "kind": {"type": "string"},
      "metadata": {"type": "object"},
      "spec": {"properties": {"template": {"$ref": "#/definitions/Template"}}}
    },
    "x-kubernetes-group-version-kind": [{"group": "argoproj.io", "kind": "Rollout", "version": "v1alpha1"}]
  },
  "Template": {"properties": {"spec": {"properties": {"containers": {
    "items": {"properties": {"name": {"type": "string"}, "env": {"type": "array",
      "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}},
    "type": "array",
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge"
  }}}}}
}}
""",
    "plugins/generate.yaml": """\
apiVersion: builtin
kind: ConfigMapGenerator
metadata: {name: made, namespace: shop}
options: {disableNameSuffixHash: true}
literals: [color=red, size=5]
""",
    "plugins/transform.yaml": """\
apiVersion: builtin
kind: PrefixTransformer
metadata: {name: any}
prefix: z-
fieldSpecs: [{path: metadata/name, kind: Deployment}]
---
apiVersion: builtin
kind: LabelTransformer
metadata: {name: any}
labels: {team: front}
fieldSpecs: [{path: metadata/labels, create: true}]
---
apiVersion: builtin
kind: AnnotationsTransformer
metadata: {name: any}
annotations: {note: text}
fieldSpecs: [{path: spec/template/metadata/annotations, create: true, kind: Deployment}]
---
apiVersion: builtin
kind: ReplicaCountTransformer
metadata: {name: any}
replica: {name: batch, count: 7}
fieldSpecs: [{path: spec/replicas, create: true, kind: Rollout}]
---
apiVersion: builtin
kind: ImageTagTransformer
metadata: {name: any}
imageTag: {name: ghcr.io/acme/job, newTag: v9}
fieldSpecs: [{path: "spec/template/spec/containers[]/image", kind: Rollout}]
""",
    "transformers/kustomization.yaml": "resources: [patch.yaml, namespace.yaml]\n",
    "transformers/patch.yaml": """\
apiVersion: builtin
kind: PatchTransformer
metadata: {name: grace}
target: {kind: Deployment}
patch: |-
  - {op: add, path: /spec/template/spec/terminationGracePeriodSeconds, value: 77}
""",
    "transformers/namespace.yaml": """\
apiVersion: builtin
kind: NamespaceTransformer
metadata: {name: any, namespace: other}
fieldSpecs: [{path: metadata/namespace, create: true}]
""",
}


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays(tmp_path: object, name: str) -> None:
    root = str(tmp_path)
    files = {f"{each}/kustomization.yaml": text for each, text in OVERLAYS.items()}
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: patch.yaml}]\n"
    extra = {"strategic/patch.yaml": PATCH, "extra/kustomization.yaml": component, "extra/patch.yaml": PATCH}
    write(root, {**BASE, **files, **extra, **CUSTOM})
    overlay = build(ProjectFiles(root), name)
    assert not overlay.unread
    theirs = output(os.path.join(FOLDER, "kustomize"), "build", os.path.join(root, name))
    assert objects(*(item.text for item in overlay.objects)) == objects(theirs)


def test_verify_tells_of_the_first_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    template = "kind: ConfigMap\nmetadata: {name: {{ .Values.name | quote }}}\ndata: {a: b}\n"
    files = {
        "chart/Chart.yaml": CHART,
        "chart/values.yaml": "name: shop\n",
        "chart/templates/all.yaml": template,
        "random/Chart.yaml": CHART,
        "random/templates/all.yaml": template.replace(".Values.name", "now | unixEpoch"),
        "overlay/kustomization.yaml": "resources: [web.yaml]\n",
        "overlay/web.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\ndefaultMode: 0755\n",
    }
    write(str(tmp_path), files)
    monkeypatch.setenv("PATH", f"{FOLDER}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    main(["render", "--verify", "."])
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines[:2] == ["chart: 1 objects, equal", "overlay: 1 objects, equal"]
    assert re.fullmatch("random: 1 objects, ConfigMap [0-9]+ is only in theirs", lines[2])
