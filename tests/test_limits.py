"""A few bytes cannot make a reader work without end: work is counted in calls, and grows with the text."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from tree_sitter import Node

from gracelint.base.record import replace
from gracelint.behaviour.csharp import syntax as csharp
from gracelint.behaviour.go import syntax as go_syntax
from gracelint.behaviour.go.syntax import read_file
from gracelint.behaviour.java import syntax as java_syntax
from gracelint.behaviour.node import syntax as node
from gracelint.behaviour.node.syntax import read_file as read_module
from gracelint.behaviour.php import syntax as php_syntax
from gracelint.behaviour.ruby import syntax as ruby_syntax
from gracelint.behaviour.rust import syntax as rust_syntax
from gracelint.behaviour.tree import walk
from gracelint.engine.reported import Report
from gracelint.fixing.fixer import fix
from gracelint.parse.yaml import read_documents
from gracelint.render.tree import tree_of, unplaced
from gracelint.report.text import render
from gracelint.source import Source
from gracelint.testing import lint, read, request
from gracelint.tree.warm import Warm

Project = dict[str, str]

PYTHON = 'FROM python:3.12\nCOPY . .\nCMD ["python", "app.py"]\n'
NODE = 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n'
SHELL = 'FROM debian:12\nCOPY . .\nCMD ["./start.sh"]\n'
SUPERVISOR = 'FROM debian:12\nCOPY . .\nCMD ["supervisord", "-c", "supervisord.conf"]\n'
NPM = '{"scripts": {"start": "node server.js"}}'


def app(text: str) -> Project:
    return {"Dockerfile": PYTHON, "app.py": text + "\nwhile True: pass\n"}


def server(text: str) -> Project:
    return {"Dockerfile": NODE, "server.js": text + "\nsetInterval(() => {}, 1)\n"}


def script(text: str) -> Project:
    return {"Dockerfile": SHELL, "start.sh": f"#!/bin/bash\n{text}\nexec app\n"}


def ruby(text: str) -> Project:
    return {"Dockerfile": 'FROM ruby:3.3\nCOPY . .\nCMD ["ruby", "app.rb"]\n', "app.rb": f"{text}sleep\n"}


def php(text: str) -> Project:
    run = "RUN docker-php-ext-install pcntl\n"
    dockerfile = f'FROM php:8.3-cli\n{run}COPY . .\nCMD ["php", "app.php"]\n'
    return {"Dockerfile": dockerfile, "app.php": f"<?php\n{text}while (true) sleep(1);\n"}


def go(text: str) -> Project:
    build = "FROM golang:1.22 AS b\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nFROM scratch\n"
    return {
        "Dockerfile": build + 'COPY --from=b /app /app\nCMD ["/app"]\n',
        "go.mod": "module x\ngo 1.22\n",
        "main.go": f"package main\nfunc main() {{\n{text}\nselect {{}}\n}}\n",
    }


def java(text: str) -> Project:
    build = "FROM eclipse-temurin:17 AS b\nWORKDIR /src\nCOPY . .\nRUN javac -d /out Main.java\n"
    return {
        "Dockerfile": build + 'FROM eclipse-temurin:17\nCOPY --from=b /out /app\nCMD ["java", "-cp", "/app", "Main"]\n',
        "Main.java": "import java.util.*;\npublic class Main {\n"
        + f"public static void main(String[] args) throws Exception {{\n{text}\n"
        + "while (true) Thread.sleep(1000);\n}\n}\n",
    }


def rust(text: str) -> Project:
    build = "FROM rust:1.81 AS b\nWORKDIR /src\nCOPY . .\nRUN cargo build --release\nFROM debian:12-slim\n"
    return {
        "Dockerfile": build + 'COPY --from=b /src/target/release/x /x\nENTRYPOINT ["/x"]\n',
        "Cargo.toml": '[package]\nname = "x"\nversion = "1.0.0"\nedition = "2021"\n',
        "src/main.rs": "use std::{thread, time::Duration};\n"
        + f"fn main() {{\n{text}\nloop {{ thread::sleep(Duration::from_secs(1)); }}\n}}\n",
    }


def pod(container: str) -> Project:
    head = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
    return {"pod.yaml": f"{head}spec: {{containers: [{{name: x, {container}}}]}}\n"}


def programs(command: str, count: int) -> str:
    return "[supervisord]\n" + "".join(f"[program:a{n}]\ncommand={command}\n" for n in range(count))


DOUBLING: dict[str, Callable[[int], Project]] = {
    "ENV put into itself": lambda n: {"Dockerfile": "FROM x\nENV A=aaaa\n" + "ENV A=$A$A\n" * n + "CMD $A\n"},
    "ARG put into itself": lambda n: {"Dockerfile": "ARG A=aaaa\n" + "ARG A=$A$A\n" * n + "FROM $A\nCMD $A\n"},
    "a tuple added to itself": lambda n: app("x = (1,)\n" + "x = x + x\n" * n),
    "a list that holds itself twice": lambda n: app("x = [1]\n" + "x = [*x, *x]\n" * n),
    "a list extended by itself": lambda n: app("x = [1]\n" + "x.extend(x)\n" * n),
    "a list grown in place": lambda n: app("x = [1]\n" + "x += x\n" * n),
    "a text formatted into itself": lambda n: app("x = 'a'\n" + "x = f'{x}{x}'\n" * n),
    "a ladder of classes": lambda n: app(
        "class C0: pass\nclass C1(C0): pass\n"
        + "".join(f"class C{i}(C{i - 1}, C{i - 2}): pass\n" for i in range(2, n))
        + f"C{n - 1}().missing()"
    ),
    "an array spread into itself": lambda n: server("let x = [1]\n" + "x = [...x, ...x]\n" * n),
    "an array pushed to itself": lambda n: server("let x = [1]\n" + "x.push(...x)\n" * n),
    "an array joined to itself": lambda n: server("let x = [1]\n" + "x = x.concat(x)\n" * n),
    "a template put into itself": lambda n: server("let x = 'a'\n" + "x = `${x}${x}`\n" * n),
    "arguments set twice": lambda n: script("set -- a\n" + 'set -- "$@" "$@"\n' * n),
    "an array of itself": lambda n: script("A=(a)\n" + 'A=("${A[@]}" "${A[@]}")\n' * n),
    "a variable put into itself": lambda n: script("A=aaaa\n" + "A=$A$A\n" * n),
    "a text split into a list": lambda n: app(f"x = '{'a ' * 20_000}'\n" + "y = x.split()\n" * n),
    "a slice appended to itself": lambda n: go("x := []int{1}\n" + "x = append(x, x...)\n" * n),
    "a Go text added to itself": lambda n: go('x := "a"\n' + "x = x + x\n" * n),
    "a Ruby text added to itself": lambda n: ruby("x = 'a'\n" + "x = x + x\n" * n),
    "a Ruby list spread into itself": lambda n: ruby("x = [1]\n" + "x = [*x, *x]\n" * n),
    "a Ruby number multiplied by itself": lambda n: ruby("x = 3\n" + "x = x * x\n" * n),
    "a PHP text added to itself": lambda n: php("$x = 'a';\n" + "$x = $x . $x;\n" * n),
    "a PHP list spread into itself": lambda n: php("$x = [1];\n" + "$x = [...$x, ...$x];\n" * n),
    "a Java list added to itself": lambda n: java(
        "List<Integer> x = new ArrayList<>(List.of(1));\n" + "x.addAll(x);\n" * n
    ),
    "a Java list copied into the next": lambda n: java(
        "List<Integer> x0 = new ArrayList<>(List.of(1));\n"
        + "".join(f"List<Integer> x{i} = new ArrayList<>(x{i - 1});\nx{i}.addAll(x{i - 1});\n" for i in range(1, n))
    ),
    "a Rust list extended by its copy": lambda n: rust("let mut x = vec![1];\n" + "x.extend(x.clone());\n" * n),
    "awaits of functions that await": lambda n: server(
        "async function f0() { await fetch('a'); await fetch('b') }\n"
        + "".join(f"async function f{i}() {{ await f{i - 1}(); await f{i - 1}() }}\n" for i in range(1, n))
        + f"process.on('SIGTERM', async () => {{ await f{n - 1}(); process.exit(0) }})"
    ),
    "listeners that call each other": lambda n: server(
        "const e = new (require('events'))()\n" + "e.on('a', () => e.emit('a'))\n" * n + "e.emit('a')"
    ),
    "loops in loops": lambda n: script(
        "".join(f"for x{i} in 1 2 3; do\n" for i in range(n)) + "a &\n" + "done\n" * n + "wait"
    ),
    "make variables": lambda n: {
        "Dockerfile": 'FROM debian:12\nCOPY . .\nCMD ["make", "run"]\n',
        "Makefile": "B0=aa\n"
        + "".join(f"B{i}=$(B{i - 1})$(B{i - 1})\n" for i in range(1, n))
        + f"run:\n\t$(B{n - 1})\n",
    },
    "a supervisor that starts itself": lambda n: {
        "Dockerfile": SUPERVISOR,
        "supervisord.conf": programs("supervisord -c supervisord.conf", n),
    },
}


@pytest.mark.parametrize("name", DOUBLING)
def test_what_doubles_is_followed_no_further_than_some_point(name: str) -> None:
    few, many = (calls(DOUBLING[name](count)) for count in (25, 50))
    assert many < 3 * few + 20_000


def chart(template: str, values: str = "a: 1\n", **files: str) -> Project:
    return {
        "Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n",
        "values.yaml": values,
        "templates/x.yaml": template,
        **files,
    }


GROWING: dict[str, Callable[[int], Project]] = {
    "lines of a text in an overlay": lambda n: {
        "kustomization.yaml": "resources: [map.yaml]\n",
        "map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: |\n" + "    b\n" * n,
    },
    "open references in arguments": lambda n: pod(f"image: x, args: ['{'$(' * n}']"),
    "references in arguments": lambda n: pod(f"image: x, args: ['{'$(A)' * n}'], env: [{{name: A, value: {'x' * n}}}]"),
    "strings that never close in a tsconfig": lambda n: {
        "Dockerfile": 'FROM node:22\nCOPY . .\nRUN npx tsc\nCMD ["node", "dist/index.js"]\n',
        "tsconfig.json": '"a\\' * n,
        "src/index.ts": "setInterval(() => {}, 1)",
    },
    "services that extend each other": lambda n: {
        "compose.yaml": "services:\n  s0: {image: x, command: [a]}\n"
        + "".join(f"  s{i}: {{extends: s{i - 1}, volumes: [./a{i}:/a{i}], x-{i}: 1}}\n" for i in range(1, n // 10))
    },
    "a command under many names": lambda n: {
        "compose.yaml": f"x-a: &a [{'a, ' * (n // 10)}]\nservices:\n"
        + "".join(f"  s{i}: {{image: x, command: *a}}\n" for i in range(n // 10))
    },
    "an environment of many containers": lambda n: {
        "pod.yaml": f"kind: Pod\napiVersion: v1\nx: &a [{'{name: A, value: b}, ' * (n // 10)}]\nspec:\n  containers:\n"
        + "".join(f"  - {{name: a{i}, image: x, command: [a], env: *a}}\n" for i in range(n // 10))
    },
    "one long file of variables for each of many services": lambda n: {
        "compose.yaml": "services:\n"
        + "".join(f"  s{i}: {{image: x, command: [a], env_file: [e, e, e]}}\n" for i in range(n // 50)),
        "e": "".join(f"A{i}=${{A{i - 1}}}${{A{i - 1}}}\n" for i in range(n // 20)) + f"X={'${X}' * (n // 6)}\n",
    },
    "suppressions one below the other": lambda n: {
        "pod.yaml": "kind: Pod\napiVersion: v1\n" + "# gracelint: ignore[a]\n" * (n // 10)
    },
    "suppressions in one line": lambda n: {"Dockerfile": f"FROM x\n# gracelint: ignore[{'a,' * n}]\nCMD a\n"},
    "stages built from each other": lambda n: {
        "Dockerfile": "FROM x AS s0\n" + "".join(f"FROM s{i - 1} AS s{i}\nCMD a\n" for i in range(1, n // 10))
    },
    "commands one behind the other": lambda n: script("a;" * n + "a"),
    "jobs one behind the other": lambda n: script("a & " * n + "wait"),
    "a command of one word": lambda n: {"Dockerfile": f"FROM x\nCMD {'exec ' * n} a\n"},
    "fields of one f-string": lambda n: app("x = f'" + "{a}" * n + "'"),
    "targets that need each other": lambda n: {
        "Dockerfile": 'FROM debian:12\nCOPY . .\nCMD ["make", "run"]\n',
        "Makefile": "run: a0\n"
        + "".join(f"a{i}: a{i + 1} b{i + 1}\nb{i}: a{i + 1} b{i + 1}\n" for i in range(n // 20)),
    },
    "one include of a supervisor again and again": lambda n: {
        "Dockerfile": SUPERVISOR,
        "supervisord.conf": f"[supervisord]\n[include]\nfiles = {'*.conf ' * n}\n",
    },
    "text added to one file": lambda n: {
        "Dockerfile": f'FROM x\nRUN {" && ".join(["echo a >> /file"] * (n // 20))}\nCMD ["/file"]\n'
    },
}


CHARTS = {
    "a range of a thousand million": "{{ range 1000000000 }}x{{ end }}",
    "a range in a range": "{{ range until 10000 }}{{ range until 10000 }}x{{ end }}{{ end }}",
    "templates that include each other": '{{ define "a" }}{{ include "b" . }}{{ end }}'
    '{{ define "b" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
    "a fan of templates": "".join(
        f'{{{{ define "a{n}" }}}}{{{{ include "a{n + 1}" . }}}}{{{{ include "a{n + 1}" . }}}}{{{{ end }}}}'
        for n in range(60)
    )
    + '{{ define "a60" }}x{{ end }}{{ include "a0" . }}',
    "a long text": '{{ repeat 1000000000 "a" }}',
    "a list that doubles": "{{ $x := list 1 2 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}",
    "a list that holds itself twice": "{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}"
    "{{ $x | toYaml }}",
    "a template that is a template": '{{ tpl "{{ tpl .Values.t . }}{{ tpl .Values.t . }}" . }}',
    "a long text that is read often": '{{ $x := repeat 100000 "a" }}{{ range until 99999 }}{{ sha256sum $x }}{{ end }}',
    "a pattern that is looked for often": '{{ $x := repeat 999 "a" }}{{ range until 9999 }}'
    '{{ regexMatch "(a|aa)+(b|bb)+$" $x }}{{ end }}',
    "a mapping that is read often": '{{ $x := repeat 9999 "a: 1\n" }}{{ range until 10000 }}{{ fromYaml $x }}{{ end }}',
    "values that are written often": "{{ range until 10000 }}{{ $x := toYaml $.Values }}{{ end }}",
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_that_never_ends_is_told_of_once(name: str) -> None:
    values = 't: "{{ tpl .Values.t . }}{{ tpl .Values.t . }}"\n' + "".join(f"k{n}: 1\n" for n in range(2_000))
    started = time.process_time()
    report = lint(chart(CHARTS[name], values))
    assert [item.rule for item in report.findings] == ["unread-manifest"]
    assert report.findings[0].finding.message == (
        "1 of 1 templates of the chart `x` cannot be rendered, and what they make is not judged"
    )
    assert time.process_time() - started < 10


def test_a_chart_that_never_ends_is_rendered_for_one_of_its_releases() -> None:
    helmfile = "releases:\n" + "".join(f"- {{name: r{n}, chart: .}}\n" for n in range(200))
    endless = "{{ range until 9999 }}{{ range until 999 }}x{{ end }}{{ end }}"
    started = time.process_time()
    report = lint(chart(endless, **{"helmfile.yaml": helmfile}))
    assert [item.rule for item in report.findings] == ["unread-manifest"]
    assert time.process_time() - started < 15


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: x, image: x}]}\n"


def overlay(text: str, **files: str) -> Project:
    return {"kustomization.yaml": f"resources: [pod.yaml]\n{text}", "pod.yaml": POD, **files}


def patched(*operations: str) -> Project:
    lines = "".join(f"    - {{{operation}}}\n" for operation in operations)
    return overlay(f"patches:\n- target: {{kind: Pod}}\n  patch: |\n{lines}")


OVERLAYS = {
    "an object copied into itself": patched(
        "op: add, path: /x, value: {a: 1}", *(f"op: copy, from: /x, path: /x/y{n}" for n in range(60))
    ),
    "operations on many objects": {
        **patched(*["op: add, path: /metadata/labels, value: {a: b}"] * 500),
        "pod.yaml": f"---\n{POD}" * 1_000,
    },
    "one file brought again and again": overlay("bases: [" + "pod.yaml, " * 10_000 + "]\n"),
    "labels of many objects": overlay(
        "bases: [many.yaml]\ncommonLabels:\n" + "".join(f"  a{n}: b\n" for n in range(4_000)),
        **{"many.yaml": f"---\n{POD}" * 1_000},
    ),
    "patterns of patches for many objects": {
        **overlay("patches:\n" + "- {target: {name: '(a+)+$'}, patch: '[{op: add, path: /x, value: y}]'}\n" * 400),
        "pod.yaml": "".join(f"---\n{POD.replace('name: x', 'name: ' + 'a' * 89 + '-b', 1)}" for _ in range(300)),
    },
    "generators without end": overlay(
        "configMapGenerator:\n" + "".join(f"- {{name: c{n}, literals: [a=b]}}\n" for n in range(4_000))
    ),
}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_that_never_ends_is_told_of_once_and_costs_the_others_nothing(name: str) -> None:
    never_ends = {f"never/{path}": text for path, text in OVERLAYS[name].items()}
    started = time.process_time()
    report = lint({**never_ends, "other/kustomization.yaml": "resources: [pod.yaml]\n", "other/pod.yaml": POD})
    assert [(item.rule, item.path, item.finding.message) for item in report.findings] == [
        ("unread-manifest", "never/kustomization.yaml", "too large to be followed")
    ]
    assert sum(report.containers.values()) == 1
    assert time.process_time() - started < 10


def test_a_template_that_never_ends_costs_the_others_of_its_chart_nothing() -> None:
    report = lint(chart('{{ regexMatch "(a|aa)+(b|bb)+$" (repeat 1000000 "a") }}', **{"templates/pod.yaml": POD}))
    assert [(item.rule, item.path, item.finding.message) for item in report.findings] == [
        (
            "unread-manifest",
            "Chart.yaml",
            "1 of 2 templates of the chart `x` cannot be rendered, and what they make is not judged",
        )
    ]
    assert sum(report.containers.values()) == 1


def test_definitions_of_resources_cost_what_it_takes_to_pass_them_by() -> None:
    """Charts carry megabytes of them, for each of the forty values in their `ci/` anew; nobody reads them."""
    definition = "kind: CustomResourceDefinition\nmetadata: {name: x}\nspec:\n" + "  a: b\n" * 60_000
    values = {f"ci/{number}-values.yaml": f"a: {number}\n" for number in range(40)}
    report = lint(chart(definition, **{"templates/pod.yaml": POD, **values}))
    assert not report.findings
    assert sum(report.containers.values()) == 41


def test_a_definition_that_an_overlay_only_passes_by_knows_no_places() -> None:
    """Of some overlays, they are nine tenths of the text."""
    fields = "".join(f"      field{n}: {{type: string, description: nothing}}\n" for n in range(5_000))
    text = f"apiVersion: v1\nkind: CustomResourceDefinition\nmetadata: {{name: x}}\nspec:\n  schema:\n{fields}"
    (document,) = read_documents(Source("crd.yaml", text))
    assert unplaced(document.root, {})  # what all share, such as the table of interned names, grows at the first time
    placed, without = held(lambda: tree_of(document.root)), held(lambda: unplaced(document.root, {}))
    assert without < placed / 3


def held(make: Callable[[], object]) -> int:
    """The bytes that a value takes."""
    tracemalloc.start()
    try:
        value = make()
        assert value
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_tree_that_was_walked_takes_no_more_room_than_before() -> None:
    file = read_file(Source("main.go", "package main\n" + "var a = b(c, d)\n" * 2_000))
    assert file is not None
    assert held(lambda: sum(1 for _ in walk(file.root))) < 10_000


def test_the_children_of_a_module_are_let_go_once_it_was_gone_through() -> None:
    file = read_module(Source("server.js", "f(a, b, c)\n" * 2_000))

    def deepen(node: Node) -> int:
        return 1 + sum(map(deepen, node.named_children))

    assert held(lambda: deepen(file.root)) < 10_000


def test_a_report_of_thousands_of_findings_takes_a_few_times_the_room_of_its_text() -> None:
    report = lint(GROWING["suppressions in one line"](5_000))
    length = len(render(report))
    tracemalloc.start()
    try:
        render(report)
        assert tracemalloc.get_traced_memory()[1] < 6 * length
    finally:
        tracemalloc.stop()


def test_a_source_is_followed_up_to_the_same_length_in_every_language() -> None:
    assert {
        language._LONGEST for language in (csharp, go_syntax, java_syntax, node, php_syntax, ruby_syntax, rust_syntax)
    } == {1_000_000}


def test_many_charts_take_no_longer_together_than_one() -> None:
    endless = "{{ range until 9999 }}{{ range until 999 }}{{ end }}{{ end }}"
    files = {f"{n}/{path}": text for n in range(200) for path, text in chart(endless).items()}
    started = time.process_time()
    report = lint({**files, **{f"z/{path}": text for path, text in chart(POD).items()}})
    assert {item.rule for item in report.findings} == {"unread-manifest"}
    assert sum(report.containers.values()) == 1
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", GROWING)
def test_what_grows_takes_time_that_grows_with_it(name: str) -> None:
    started = time.process_time()
    assert lint(GROWING[name](20_000)).errors == ()
    assert time.process_time() - started < 10


POD_OF_A_CHART = "kind: Pod\napiVersion: v1\nmetadata: {name: x}\nspec: {containers: [{name: x, image: x}]}\n"


def charts_that_depend_on_each_other(count: int) -> Project:
    files = {}
    for n in range(count):
        near = [f"{{name: c{m}, version: 1, repository: 'file://../c{m}'}}" for m in ((n + 1) % count, 3 * n % count)]
        about = f"apiVersion: v2\nname: c{n}\nversion: 1.0.0\ndependencies: [{', '.join(near)}]\n"
        files |= {f"c{n}/Chart.yaml": about, f"c{n}/templates/x.yaml": POD_OF_A_CHART}
    return files


def matrix(count: int) -> Project:
    listed = "".join(f"          - {{e: v{n}, f: '{{{{g}}}}'}}\n" for n in range(count))
    generators = f"      - list:\n          elements:\n{listed}        selector: {{matchLabels: {{e: nobody}}}}\n" * 2
    head = "kind: ApplicationSet\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: s}\nspec:\n  generators:\n"
    some = "".join(f"          - {{g: v{n}}}\n" for n in range(count))
    first = f"      - list:\n          elements:\n{some}"
    template = "  template:\n    spec: {source: {repoURL: 'https://x', path: c}}\n"
    return {"set.yaml": f"{head}  - matrix:\n      generators:\n{first}{generators}{template}"}


LINEAR: dict[str, Callable[[int], Project]] = {
    "methods of one name that call each other in a round": lambda n: app(
        "import queue, signal\nclass Stop(Exception): pass\ndef on_term(*_): raise Stop\n"
        "signal.signal(signal.SIGTERM, on_term)\n"
        + "".join(
            f"class A{i}:\n    def a(self):\n        self.b()\n        self.c()\n"
            "    def b(self):\n        self.a()\n        self.c()\n"
            "    def c(self):\n        self.a()\n        self.b()\n"
            for i in range(n)
        )
        + "work = queue.Queue()\ndef main(a):\n    try:\n        while True:\n            work.get(timeout=1)\n"
        "            a.a()\n    except Stop:\n        raise SystemExit\nmain(A0())\n"
    ),
    "Dockerfiles within a Compose file": lambda n: {
        "compose.yaml": "services:\n"
        + "".join(
            f"  s{i}:\n    build:\n      dockerfile_inline: |\n        FROM debian\n        CMD a b\n" for i in range(n)
        )
    },
    "projects that include each other": lambda n: {
        f"c{i}/compose.yaml": f"include: [../c{(i + 1) % n}/compose.yaml, ../c{(i * 7 + 1) % n}/compose.yaml]\n"
        f"services:\n  s{i}: {{image: x}}\n"
        for i in range(n)
    },
    "flags of one instruction": lambda n: {
        "Dockerfile": "FROM x\nRUN " + "".join(f"--f{i}=i \\\n" for i in range(n)) + "app\nCMD a\n"
    },
    "charts that depend on each other": charts_that_depend_on_each_other,
    "generators of an ApplicationSet": matrix,
    "requests put away, and functions that call each other": lambda n: server(
        "const waiting = new Map();\n"
        "const s = require('http').createServer((q, r) => { waiting.set(q, r); }).listen(1);\n"
        + "".join(
            f"function f{i}() {{ waiting.size > 1; waiting.get({i}); f{(i + 1) % n}(); f{i * 7 % n}(); }}\n"
            for i in range(n)
        )
        + "process.on('SIGTERM', () => s.close());\n"
    ),
    "lists that are worked off within each other": lambda n: server(
        "const jobs = [];\nconst s = require('http').createServer((q, r) => { jobs.push(q); r.end(); }).listen(1);\n"
        + "".join(f"async function f{i}() {{ while (jobs.length) await jobs.shift()();\n" for i in range(n))
        + "}" * n
        + "\nf0();\nprocess.on('SIGTERM', () => { s.close(); setTimeout(() => process.exit(0), 100); jobs.length; });\n"
    ),
    "handlers of one signal": lambda n: server(
        "process.on('SIGTERM', () => s.close(() => process.exit(0)))\nconst s = require('http').createServer()\n" * n
    ),
    "tasks that pause in the middle of their work": lambda n: {
        "Dockerfile": PYTHON,
        "app.py": "import asyncio, signal\n"
        + "".join(f"async def f{i}():\n while True:\n  a()\n  await asyncio.sleep(2)\n\n" for i in range(n))
        + "async def main():\n stop = asyncio.Event()\n"
        + " asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        + "".join(f" t{i} = asyncio.create_task(f{i}())\n" for i in range(n))
        + " await stop.wait()\nasyncio.run(main())\n",
    },
    "promises one behind the other": lambda n: server(
        "let p = Promise.resolve()\n" + "p = p.then(() => work())\n" * n + "process.on('SIGTERM', () => p.then(stop))\n"
    ),
    "servers that are closed each by a handler of its own": lambda n: server(
        "".join(
            f"const s{i} = require('http').createServer().listen({i})\nprocess.on('SIGTERM', () => s{i}.close())\n"
            for i in range(n)
        )
    ),
    "stages that services run": lambda n: {
        "Dockerfile": "".join(f"FROM debian:12 AS s{i}\nCMD app {i}\n" for i in range(n)),
        "compose.yaml": "services:\n" + "".join(f"  s{i}: {{build: {{context: ., target: s{i}}}}}\n" for i in range(n)),
    },
    "packages of one workspace that services run": lambda n: {
        "Dockerfile": "FROM node:22\nCOPY . .\n",
        "package.json": '{"workspaces": ["p/*"]}',
        **{f"p/w{i}/package.json": f'{{"name": "n{i}", "scripts": {{"start": "node s.js"}}}}' for i in range(n)},
        "compose.yaml": "services:\n"
        + "".join(f"  s{i}: {{build: ., command: npm start -w n{i}}}\n" for i in range(n)),
    },
    "projects of one Gradle build": lambda n: {
        "Dockerfile": "FROM gradle AS b\nCOPY . .\nRUN gradle build\nFROM eclipse-temurin:17\n"
        'COPY --from=b /m0/build/libs/m0.jar /x.jar\nCMD ["java", "-jar", "/x.jar"]\n',
        "settings.gradle": "".join(f"include 'm{i}'\n" for i in range(n)),
        **{f"m{i}/build.gradle": f"dependencies {{ implementation project(':m{(i + 1) % n}') }}\n" for i in range(n)},
    },
    "images that an overlay names": lambda n: {
        "kustomization.yaml": "resources: [pod.yaml]\nimages:\n"
        + "".join(f"- {{name: i{i}, newTag: v}}\n" for i in range(n)),
        "pod.yaml": "".join(f"---\n{POD.replace('image: x', f'image: i{i}')}" for i in range(n // 4)),
    },
    "releases with one file of values": lambda n: {
        **chart(POD_OF_A_CHART),
        "helmfile.yaml": "releases:\n" + "".join(f"- {{name: r{i}, chart: ., values: [v.yaml]}}\n" for i in range(n)),
        "v.yaml": "".join(f"k{i}: {{a: b}}\n" for i in range(20 * n)),
    },
    "names that a tsconfig maps": lambda n: {
        "Dockerfile": 'FROM node:22\nCOPY . .\nRUN npx tsc\nCMD ["node", "dist/index.js"]\n',
        "tsconfig.json": '{"compilerOptions": {"outDir": "dist", "rootDir": "src", "paths": {'
        + ", ".join(f'"@a{i}/*": ["b{i}/*"]' for i in range(4 * n))
        + "}}}",
        "src/index.ts": "".join(f"import '@a{i}/x'\n" for i in range(4 * n)) + "setInterval(() => {}, 1)\n",
    },
    "children that a program waits for": lambda n: app("import subprocess\n" + "subprocess.run(['a'])\n" * 2 * n),
    "promises side by side": lambda n: server(f"Promise.all([{'f().then(() => g()), ' * n}]).then(() => x())\n"),
    "functions that run at the end": lambda n: app("import atexit\n" + "atexit.register(lambda: f())\n" * n),
    "containers of one pod": lambda n: {
        "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
        + "".join(f"  - {{name: c{i}, image: x{i}, command: [sh, -c, a]}}\n" for i in range(n))
    },
    "mappings merged one into the other": lambda n: chart(
        '{{ $d := dict "a" 1 }}' + '{{ $d = merge (dict "b" $d) $d }}' * 4 * n + POD_OF_A_CHART
    ),
}


@pytest.mark.parametrize("name", LINEAR)
def test_four_times_as_much_takes_little_more_than_four_times_the_calls(name: str) -> None:
    calls(LINEAR[name](60))  # loads what it needs
    few, many = (calls(LINEAR[name](count)) for count in (60, 240))
    assert many < 6 * few


@pytest.mark.parametrize(
    "name",
    ["packages of one workspace that services run", "children that a program waits for", "stages that services run"],
)
def test_fixing_four_times_as_much_takes_little_more_than_four_times_the_calls(name: str) -> None:
    calls(LINEAR[name](60), fixed)  # loads what it needs
    few, many = (calls(LINEAR[name](count), fixed) for count in (60, 240))
    assert many < 6 * few


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": "FROM node:22\nWORKDIR //app\nCOPY . .\nCMD npm start\n", "package.json": NPM},
        {"Dockerfile": "FROM node:22\nWORKDIR ${NONE}//app\nCOPY . .\nCMD npm start\n", "package.json": NPM},
        {"Dockerfile": "FROM node:22\nCOPY . .\nCMD cd //x && npm start\n", "package.json": NPM},
        {"Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["npm", "--prefix", "//app", "start"]\n', "package.json": NPM},
        {"compose.yaml": "services:\n  x: {image: node:22, working_dir: //x, command: npm start}\n"},
        pod("image: node:22, workingDir: //x, command: [npm, start]"),
    ],
    ids=["WORKDIR", "an empty variable", "cd", "--prefix", "working_dir", "workingDir"],
)
def test_a_walk_to_the_root_ends_there(files: Project) -> None:
    assert lint(files).errors == ()


@pytest.mark.parametrize(
    "files",
    [
        script(f"trap 'sleep {'9' * 400}; exit' TERM\nsleep {'9' * 400}"),
        app(f"import time\ntime.sleep({'9' * 400})\ntime.sleep(-{'9' * 400})"),
        server(f"process.on('SIGTERM', () => setTimeout(() => process.exit(), {'9' * 400}))\nlet x = {'9' * 5000}"),
        pod(f"image: x, args: [sleep, '{'9' * 5000}']"),
        {"compose.yaml": f"services:\n  x: {{image: x, stop_grace_period: {'9' * 400}s}}\n"},
        {
            "Dockerfile": 'FROM debian:12\nCOPY . .\nCMD ["make", "run"]\n',
            "Makefile": "run:\n\tdon't\n",
        },
    ],
    ids=["sleep", "time.sleep", "setTimeout", "args", "stop_grace_period", "a recipe with an apostrophe"],
)
def test_no_number_and_no_quote_breaks_a_reader(files: Project) -> None:
    assert lint(files).errors == ()


def test_digits_of_other_scripts_are_no_number() -> None:
    text = pod("image: x")["pod.yaml"].replace("spec: {", "spec: {terminationGracePeriodSeconds: ٤٥, ")
    (launch,) = read({"pod.yaml": text}).launches
    assert launch.grace.value != 45


def test_a_program_that_is_too_large_is_unknown_and_says_so() -> None:
    (launch,) = read(app("x = 1\n" * 200_000)).launches
    assert launch.verdict.value == "unknown"
    assert launch.why == "app.py is too large to be followed"


def fixed(files: Project) -> Report:
    """What is left to report on, once a run of the command has fixed what it can."""
    asked, selection = request(files)
    return fix(replace(asked, warm=Warm()), selection, unsafe=True).after


def calls(files: Project, run: Callable[[Project], Report] = lint) -> int:
    """How many functions are called to lint a project."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        assert run(files).errors == ()
    finally:
        sys.setprofile(None)
    return count
