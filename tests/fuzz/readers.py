"""One project for each reader, made of bytes: what the harness and the normal suite run on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from gracelint.testing import fix, fixed_files, read_folder

FIXTURES = os.path.join(os.path.dirname(__file__), "..", "..", "fixtures")
Project = dict[str, str]

CHART = "apiVersion: v2\nname: x\nversion: 1.0.0\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: x, image: x}]}\n"


JAVA_MAIN = ("java", "-cp", "/app", "Main")
NET_BASE, NET_MAIN = "mcr.microsoft.com/dotnet/runtime:8.0", ("dotnet", "/app/app.dll")


def started(image: str, *command: str) -> str:
    words = ", ".join(f'"{word}"' for word in command)
    return f"FROM {image}\nWORKDIR /app\nCOPY . .\nCMD [{words}]\n"


def built(image: str, build: str, base: str, made: str, *command: str) -> str:
    """A program that one stage compiles and the last one starts."""
    words = ", ".join(f'"{word}"' for word in command)
    return f"FROM {image} AS b\nWORKDIR /src\nCOPY . .\nRUN {build}\nFROM {base}\nCOPY --from=b {made}\nCMD [{words}]\n"


GO = built("golang:1.22", "go build -o /app .", "debian:12", "/app /app", "/app")
JAVA = built("eclipse-temurin:17-jdk", "javac -d /out Main.java", "eclipse-temurin:17-jre", "/out /app", *JAVA_MAIN)
NET = built("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet publish -c Release -o /out", NET_BASE, "/out /app", *NET_MAIN)
RUST = built("rust:1.84", "cargo build --release", "debian:12", "/src/target/release/x /x", "/x")
PHP = started("php:8.3-cli", "php", "app.php").replace("COPY", "RUN docker-php-ext-install pcntl\nCOPY")
PROJECT = (
    '{"scripts": {"start": "node app.js", "worker": "python3 -u app.py"}}',
    "services:\n  web: {build: ., command: npm start}\n  worker: {build: ., command: npm run worker, init: true}\n",
)
CSPROJ = """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType>
<TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>
"""

READERS: dict[str, tuple[str, Callable[[str], Project]]] = {
    "dockerfile": ("Dockerfile", lambda text: {"Dockerfile": text}),
    "manifest": (".yaml", lambda text: {"deploy.yaml": text}),
    "compose": ("compose.yaml", lambda text: {"compose.yaml": text}),
    "shell": (".sh", lambda text: {"Dockerfile": started("debian:12", "./start.sh"), "start.sh": text}),
    "python": (".py", lambda text: {"Dockerfile": started("python:3.12", "python", "app.py"), "app.py": text}),
    "javascript": (".js", lambda text: {"Dockerfile": started("node:22", "node", "app.js"), "app.js": text}),
    "makefile": ("Makefile", lambda text: {"Dockerfile": started("debian:12", "make", "run"), "Makefile": text}),
    "supervisord": (
        ".conf",
        lambda text: {"Dockerfile": started("debian:12", "supervisord", "-c", "s.conf"), "s.conf": text},
    ),
    "package": ("package.json", lambda text: {"Dockerfile": started("node:22", "npm", "start"), "package.json": text}),
    "template": (
        ".tpl",
        lambda text: {"Chart.yaml": CHART, "values.yaml": "a: {b: 1}\n", "templates/x.yaml": text},
    ),
    "chart": (
        "values.yaml",
        lambda text: {
            "Chart.yaml": CHART,
            "values.yaml": text,
            "templates/x.yaml": POD + "x: {{ toYaml .Values.a }}\n",
        },
    ),
    "go": (".go", lambda text: {"Dockerfile": GO, "go.mod": "module x\ngo 1.22\n", "main.go": text}),
    "java": (
        ".java",
        lambda text: {"Dockerfile": JAVA, "Main.java": re.sub(r"\bclass \w+", "class Main", text, count=1)},
    ),
    "csharp": (".cs", lambda text: {"Dockerfile": NET, "app.csproj": CSPROJ, "Program.cs": text}),
    "ruby": (".rb", lambda text: {"Dockerfile": started("ruby:3.3", "ruby", "app.rb"), "app.rb": text}),
    "php": (".php", lambda text: {"Dockerfile": PHP, "app.php": text}),
    "rust": (
        ".rs",
        lambda text: {
            "Dockerfile": RUST,
            "Cargo.toml": '[package]\nname = "x"\nversion = "1.0.0"\n',
            "src/main.rs": text,
        },
    ),
    "project": (
        ".py",
        lambda text: {
            "Dockerfile": started("node:22", "./start.sh"),
            "start.sh": "#!/bin/sh\nnpm run worker &\nnpm start\n",
            "package.json": PROJECT[0],
            "compose.yaml": PROJECT[1],
            "app.py": text,
            "app.js": f"/*\n{text[:200]}\n*/\nrequire('http').createServer().listen(80)\n",
            "deploy.yaml": POD.replace("image: x", f"image: shop, command: [npm, start], args: [{text[:20]!r}]"),
        },
    ),
    "kustomization": ("kustomization.yaml", lambda text: {"kustomization.yaml": text, "pod.yaml": POD}),
}
"""How the files of each reader are known among the fixtures, and a project that has one with a text."""


def seeds(reader: str) -> Iterator[str]:
    """The texts of this kind in the fixtures, and one that has a bit of everything."""
    yield from (text for text in (_TYPICAL.get(reader),) if text is not None)
    for path, text in sorted(read_folder(FIXTURES).items()):
        if path.endswith(READERS[reader][0]) and len(text) < 4_000:
            yield text


_TYPICAL = {
    "template": POD.replace("name: x}]", '{{ include "n" . }}, image: {{ .Values.a.b | default "x" | quote }}}]')
    + '{{- define "n" }}name: {{ printf "%s-%d" .Release.Name 3 | trunc 63 }}{{ end }}\n'
    + "{{- range $i, $v := until 3 }}\n# {{ $i }} {{ if eq $v 1 }}a{{ else }}b{{ end }}\n{{- end }}\n"
    + '{{- with .Values.a }}{{ toYaml . | nindent 4 }}{{ end }}{{ tpl "{{ .Values.a.b }}" $ }}\n'
    + '{{ regexReplaceAll "(a+)b*" "aab" "${1}c" }}{{ semverCompare ">=1.20-0" .Capabilities.KubeVersion.Version }}\n',
    "chart": "a: &a {b: [1, x], c: ~}\nd: *a\nglobal: {e: 'f'}\n",
    "kustomization": "namePrefix: a-\nresources: [pod.yaml]\nimages: [{name: x, newTag: '2'}]\n"
    "commonLabels: {app: x}\nreplicas: [{name: x, count: 2}]\n"
    "configMapGenerator: [{name: c, literals: [a=b]}]\n"
    "patches:\n- target: {kind: Pod}\n  patch: |\n    - {op: add, path: /metadata/labels, value: {a: b}}\n"
    "- patch: |\n    kind: Pod\n    apiVersion: v1\n    metadata: {name: x}\n    spec: {hostPID: true}\n"
    "replacements:\n- source: {kind: Pod, fieldPath: metadata.name}\n"
    "  targets: [{select: {kind: Pod}, fieldPaths: [spec.containers.0.name]}]\n",
}


def check(reader: str, text: str) -> None:
    """Lints, fixes, and fixes again: no reader breaks, and what a fix makes can be fixed no further by the same."""
    files = READERS[reader][1](text.encode("utf-8", "replace").decode())
    once = fix(files, strict=True)
    assert once.before.errors == ()
    assert once.after.errors == ()
    if once.changes:
        assert fix(fixed_files(files, once), strict=True).changes == ()
