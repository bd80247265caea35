"""Go's template language, and the functions that Helm gives it. What each line gives was compared with helm."""

# ruff: noqa: E501 (a line of these tables is a template)

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from gracelint.render.helm.functions import functions
from gracelint.render.helm.syntax import TemplateSyntaxError, parse
from gracelint.render.helm.template import Limits, Machine, TemplateError
from gracelint.render.values import placed
from gracelint.source import Source

VALUES: dict[str, Any] = {
    "name": "shop",
    "empty": "",
    "count": 3.0,
    "large": 1234567.0,
    "on": True,
    "off": False,
    "ports": [80.0, 443.0],
    "labels": {"tier": "front", "app": "shop"},
    "pods": [{"name": "a", "port": 1.0}, {"name": "b", "port": 2.0}],
    "nested": {"deep": {"key": "value"}},
    "script": "set -e\nexec app\n",
}


def rendered(text: str, limits: Limits | None = None) -> str:
    reads: list[tuple[str | int, ...]] = []
    templates = parse(Source("chart/templates/all.yaml", text), "main")
    machine = Machine(templates, functions(reads), reads, limits or Limits())
    return str(machine.run("main", {"Values": placed(VALUES), "Release": {"Name": "rel"}}))


LANGUAGE = [
    ("plain", "plain"),
    ("{{ .Values.name }}", "shop"),
    ("a {{- 1 }} b", "a1 b"),
    ("a {{ 1 -}} \n b", "a 1b"),
    ("a{{/* a comment with }} in it */}}b", "ab"),
    ("a {{- /* trimmed */ -}} b", "ab"),
    ('{{ "a}}b" }}', "a}}b"),
    ("{{ `raw \\n` }}", "raw \\n"),
    ('{{ "\\u00e9\\t" }}', "é\t"),
    ("{{ 'a' }}", "97"),
    ("{{ 0x1F }} {{ 1_000 }} {{ 010 }} {{ -2.5 }}", "31 1000 8 -2.5"),
    ("{{ 0x1p20 }} {{ 0x1.8p1 }} {{ divf 3145728 0x1p20 }}", "1.048576e+06 3 3"),
    ("{{ if .Values.on }}yes{{ else }}no{{ end }}", "yes"),
    ("{{ if .Values.off }}1{{ else if .Values.empty }}2{{ else }}3{{ end }}", "3"),
    ("{{ with .Values.labels }}{{ .app }}{{ $.Values.name }}{{ end }}", "shopshop"),
    ("{{ with .Values.empty }}a{{ else with .Values.name }}{{ . }}{{ else }}c{{ end }}", "shop"),
    ("{{ range .Values.ports }}{{ . }},{{ end }}", "80,443,"),
    ("{{ range $i, $p := .Values.ports }}{{ $i }}={{ $p }} {{ end }}", "0=80 1=443 "),
    ("{{ range $key, $value := .Values.labels }}{{ $key }}={{ $value }} {{ end }}", "app=shop tier=front "),
    ("{{ range .Values.missing }}a{{ else }}none{{ end }}", "none"),
    (
        "{{ range $i := until 5 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $i }}{{ end }}",
        "02",
    ),
    ("{{ range 3 }}x{{ end }}", "xxx"),
    ("{{ range.Values.ports }}{{ . }}{{ end }}", "80443"),
    ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
    ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
    ('{{ define "a" }}<{{ . }}>{{ end }}{{ template "a" 1 }}{{ include "a" "b" }}', "<1><b>"),
    ('{{ block "a" 5 }}[{{ . }}]{{ end }}', "[5]"),
    ("{{ (index .Values.pods 1).name }}", "b"),
    ("{{ .Values.name | upper | quote }}", '"SHOP"'),
    ("{{ .Values.name | upper | }}{{ (.Values.name |) }}", "SHOPshop"),
    ("{{ and .Values.on .Values.name }}{{ or .Values.off .Values.empty 7 }}", "shop7"),
    ("{{ or .Values.on (fail `not reached`) }}", "true"),
    ("{{ .Values.missing }}{{ .Values.nested.deep.key }}", "<no value>value"),
    ("{{ .Values.large }} {{ .Values.count }}", "1.234567e+06 3"),
    ("{{ tpl `{{ .Values.name }}-x` . }}", "shop-x"),
    (
        "{{ tpl `{{ .Values.missing }}x` . }}{{ tpl (include `of-nothing` .) . }}{{ define `of-nothing` }}{{ .Values.missing }}{{ end }}",
        "x",
    ),
    (
        "{{ define `a` }}{{ default 8080 .Values.port.number }}{{ end }}{{ template `a` }} {{ include `a` nil }}",
        "8080 8080",
    ),
    ("{{ .Values.AsMap.name }} {{ (get .Values.AsMap `labels`).app }}", "shop shop"),
    ("{{ .Values.labels }}", "map[app:shop tier:front]"),
    ("{{ .Values.ports }}", "[80 443]"),
]


@pytest.mark.parametrize(("template", "text"), LANGUAGE, ids=[template for template, _ in LANGUAGE])
def test_the_language(template: str, text: str) -> None:
    assert rendered(template) == text


FUNCTIONS = [
    ('{{ printf "%s-%d %05.1f %q %v %t %x" "a" 5 2.25 "q\\"" nil true 255 }}', 'a-5 002.2 "q\\"" <nil> true ff'),
    ('{{ printf "%d" .Values.count }}', "%!d(float64=3)"),
    ('{{ printf "%-5s|%5s|" "a" "b" }}', "a    |    b|"),
    ('{{ printf "%s" }}', "%!s(MISSING)"),
    ("{{ default `x` .Values.empty }}{{ .Values.name | default `y` }}", "xshop"),
    ("{{ coalesce `` 0 nil `third` }}", "third"),
    ("{{ ternary 1 2 .Values.on }}", "1"),
    ("{{ list 1 2 3 | join `,` }} {{ first (list 1 2) }} {{ rest (list 1 2 3) | toJson }}", "1,2,3 1 [2,3]"),
    ("{{ dict `b` 1 `a` (list 1) | toJson }}", '{"a":[1],"b":1}'),
    ("{{ dict `b` 1 `a` (list 1) | toYaml }}", "a:\n- 1\nb: 1"),
    ("{{ toYaml .Values.pods }}", "- name: a\n  port: 1\n- name: b\n  port: 2"),
    ("{{ toYaml .Values.script }}", "|\n  set -e\n  exec app"),
    ("{{ dict `on` `yes` `n` `12` `e` `` `t` `a: b` | toYaml }}", 'e: ""\n"n": "12"\n"on": "yes"\nt: \'a: b\''),
    (
        "{{ list `a b` `/x/*` `*` `a: b` `a:b` `- a` `-a` ` a` `a #b` `a#b` `@` `it's` `é` `%` | toYaml }}",
        "- a b\n- /x/*\n- '*'\n- 'a: b'\n- a:b\n- '- a'\n- -a\n- ' a'\n- 'a #b'\n- a#b\n- '@'\n- it's\n- é\n- '%'",
    ),
    (
        "{{ list `1e3` `1_0` `0x1F` `.5` `1:30` `2024-01-02` `2024-1-2x` `_1` `~` `y` `<<` `.inf` `1.2.3` `+1` `-` | toYaml }}",
        '- "1e3"\n- "1_0"\n- "0x1F"\n- ".5"\n- "1:30"\n- "2024-01-02"\n- 2024-1-2x\n- _1\n- "~"\n- "y"\n- <<\n- ".inf"\n- 1.2.3\n- "+1"\n- \'-\'',
    ),
    (
        '{{ list "a\\tb" "a\\n b" "a \\nb" "\\n" " a\\nb" "a\\n\\n" "a\\nb " | toYaml }}',
        '- "a\\tb"\n- |-\n  a\n   b\n- "a \\nb"\n- |2+\n\n- |2-\n   a\n  b\n- |+\n  a\n\n- "a\\nb "',
    ),
    ("{{ dict `b10` 1 `b2` 2 `B` 3 `b_` 4 `ba` 5 `1` 6 | toYaml }}", '"1": 6\nB: 3\nb_: 4\nb2: 2\nb10: 1\nba: 5'),
    (
        "{{ `[1234567.5, 1e21, 12345678901234567890, 1e-7, 3.0]` | fromYamlArray | toYaml }}",
        "- 1.2345675e+06\n- 1e+21\n- 12345678901234567000\n- 1e-07\n- 3",
    ),
    ("{{ `a: [1, {b: c}]` | fromYaml | toJson }}", '{"a":[1,{"b":"c"}]}'),
    ('{{ (`{"a": 1.5}` | fromJson).a }}', "1.5"),
    ("{{ nindent 2 `a\\nb` }}|{{ indent 2 `a` }}", "\n  a\\nb|  a"),
    ("{{ trim ` a ` }}{{ trimAll `$` `$5$` }}{{ trimSuffix `-` `a-` }}{{ trimPrefix `-` `-b` }}", "a5ab"),
    (
        "{{ trunc 3 `abcdef` }} {{ trunc -3 `abcdef` }} {{ substr 1 3 `abcdef` }} {{ abbrev 5 `abcdefgh` }}",
        "abc def bc ab...",
    ),
    (
        "{{ replace `+` `_` `1.0+x` }} {{ repeat 2 `ab` }} {{ `ab` | contains `b` }} {{ hasPrefix `a` `ab` }}",
        "1.0_x abab true true",
    ),
    ("{{ splitList `,` `a,b` }} {{ (split `,` `a,b`)._1 }}", "[a b] b"),
    (
        "{{ snakecase `FirstName` }} {{ kebabcase `FirstName` }} {{ camelcase `first_name` }}",
        "first_name first-name FirstName",
    ),
    (
        "{{ add 1 2 3 }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 5 }} {{ add1 1 }}",
        "6 3 6 3 1 5 2",
    ),
    ("{{ int .Values.count }} {{ int64 `7` }} {{ float64 `1.5` }} {{ int `x` }}", "3 7 1.5 0"),
    ("{{ round 2.567 2 }} {{ floor 2.7 }} {{ ceil 2.1 }}", "2.57 2 3"),
    ("{{ until 3 }} {{ untilStep 1 7 2 }} {{ seq 1 3 }}", "[0 1 2] [1 3 5] 1 2 3"),
    (
        "{{ hasKey .Values.labels `app` }} {{ get .Values.labels `app` }} {{ dig `deep` `key` `x` .Values.nested }}",
        "true shop value",
    ),
    (
        "{{ pick .Values.labels `app` | toJson }} {{ omit .Values.labels `app` | toJson }} {{ keys .Values.labels | sortAlpha }}",
        '{"app":"shop"} {"tier":"front"} [app tier]',
    ),
    (
        "{{ merge (dict `a` 1) (dict `a` 2 `b` 3) | toJson }} {{ mergeOverwrite (dict `a` 1) (dict `a` 2) | toJson }}",
        '{"a":1,"b":3} {"a":2}',
    ),
    (
        "{{ has 2 (list 1 2) }} {{ without (list 1 2 3) 2 }} {{ uniq (list 1 1 2) }} {{ compact (list 0 1 ``) }}",
        "true [1 3] [1 2] [1]",
    ),
    (
        "{{ kindOf .Values.count }} {{ kindOf 1 }} {{ kindIs `map` .Values.labels }} {{ typeOf `a` }}",
        "float64 int true string",
    ),
    (
        "{{ semverCompare `>=1.19-0` `1.31.0` }} {{ semverCompare `^1.2` `2.0.0` }} {{ semverCompare `~1.2.3 || >3` `1.2.9` }}",
        "true false true",
    ),
    ("{{ (semver `v1.2.3`).Minor }}", "2"),
    (
        "{{ regexMatch `^[a-z]+$` `abc` }} {{ regexReplaceAll `a(b+)` `xabbz` `<$1>` }} {{ regexFind `[0-9]+` `a12` }}",
        "true x<bb>z 12",
    ),
    ("{{ b64enc `a` }} {{ b64dec `YQ==` }} {{ sha256sum `` | trunc 8 }}", "YQ== a e3b0c442"),
    ("{{ base `/a/b.c` }} {{ dir `/a/b.c` }} {{ ext `b.c` }} {{ clean `a//b` }}", "b.c /a .c a/b"),
    ("{{ lookup `v1` `Secret` `ns` `name` }}", "map[]"),
    ("{{ len .Values.ports }} {{ len `é` }} {{ index .Values.ports 0 }} {{ slice .Values.ports 1 }}", "2 2 80 [443]"),
    (
        "{{ eq 1 1 }} {{ ne `a` `b` }} {{ lt 1 2 }} {{ ge 2 2 }} {{ not .Values.on }} {{ empty .Values.empty }}",
        "true true true true false true",
    ),
    ("{{ quote `a` 1 nil }} {{ squote `a` }} {{ cat `a` 1 }}", '"a" "1" \'a\' a 1'),
]


@pytest.mark.parametrize(("template", "text"), FUNCTIONS, ids=[template for template, _ in FUNCTIONS])
def test_the_functions(template: str, text: str) -> None:
    assert rendered(template) == text


def test_nothing_of_a_rendering_outlives_it() -> None:
    """A run looks for no garbage: what refers to itself in a circle stays until its end, with all that was parsed."""
    templates = parse(
        Source("chart/templates/all.yaml", '{{ include "a" . }}{{ define "a" }}{{ tpl "{{ . }}" 1 }}{{ end }}'), "main"
    )
    machine = Machine(templates, functions([]), [])
    assert machine.run("main", {}) == "1"
    gone = weakref.ref(machine)
    gc.disable()
    try:
        del machine
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ fail `no image is set` }}", "no image is set"),
        ("{{ .Values.missing.key }}", "nil pointer evaluating interface {}.key"),
        ("{{ merge .Values.missing .Values.labels }}", "merge: an argument is of the wrong kind"),
        ("{{ eq 1 `1` }}", "incompatible types for comparison"),
        ("{{ nothingOfThatName 1 }}", "function 'nothingOfThatName' is not known"),
        ("{{ include `missing` . }}", "no template 'missing'"),
        ("{{ div 1 0 }}", "div: integer division or modulo by zero"),
        ("{{ index .Values.ports 9 }}", "index 9 of a list of 2"),
        ("{{ $missing }}", "undefined variable $missing"),
    ],
)
def test_what_ends_a_template(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(f"first\n{template}")
    assert caught.value.reason == reason
    assert caught.value.origin is not None
    assert caught.value.origin.span.text == template


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ if }}{{ end }}", "an action without a value"),
        ("{{ if true }}", "a block without its {{ end }}"),
        ("{{ end }}", "unexpected {{ end }}"),
        ("{{ .Values.a", "an action that does not end"),
        ("{{ (1 }}", "a parenthesis that is not closed"),
        ("{{ | 1 }}", "an action without a value"),
        ("{{/* a", "a comment that does not end"),
        ("{{ a # b }}", "unexpected '#' in an action"),
        ("{{ define }}{{ end }}", "define without a name"),
        ("{{" + "(" * 200 + "1" + ")" * 200 + "}}", "nested too deeply"),
        ("{{ if 1 }}" * 200 + "{{ end }}" * 200, "nested too deeply"),
    ],
)
def test_what_is_no_template(template: str, reason: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        parse(Source("chart/templates/all.yaml", template), "main")
    assert caught.value.reason == reason


TOO_LARGE = "too large to be followed"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
            "templates run each other more than 200 deep",
        ),
        (
            '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
            "templates run each other more than 200 deep",
        ),
        ("{{ range until 1000000000 }}{{ end }}", TOO_LARGE),
        ("{{ range 1000000000 }}{{ end }}", TOO_LARGE),
        ("{{ repeat 1000000000 `a` }}", TOO_LARGE),
        ("{{ $x := `ab` }}{{ range until 60 }}{{ $x = printf `%s%s` $x $x }}{{ end }}", TOO_LARGE),
        ("{{ $x := list 1 2 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}", TOO_LARGE),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ toYaml $x }}", TOO_LARGE),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}", TOO_LARGE),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}", TOO_LARGE),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ deepCopy $x | len }}", TOO_LARGE),
        (
            "{{ $x := dict `a` 1 }}{{ range until 60 }}{{ $x = dict `a` $x `b` $x }}{{ end }}{{ merge (dict) $x | len }}",
            TOO_LARGE,
        ),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ eq (toString $x) `a` }}", TOO_LARGE),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ print $x }}", TOO_LARGE),
        ("{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ printf `%v` $x }}", TOO_LARGE),
        ("{{ regexMatch `(a+)+(b+)+$` (repeat 100000 `a`) }}", TOO_LARGE),
        ("{{ regexMatch `((a{1,100}){1,100}){1,100}` `a` }}", TOO_LARGE),
        ("{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}", TOO_LARGE),
    ],
)
def test_what_is_too_large(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(template, Limits(steps=300_000, output=2_000_000))
    assert caught.value.reason == reason
