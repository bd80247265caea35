"""Compose projects put together from their files: the cases of the Compose specification's own loader, retold."""

from __future__ import annotations

from typing import Any

import pytest

from gracelint.facts.compose import ComposeService
from gracelint.testing import read

Files = dict[str, str]
Facts = dict[str, dict[str, Any]]
"""For each service what is asked of it; the services themselves are asked for where none is named below."""

CASES: dict[str, tuple[Files, Facts]] = {
    # Overrides
    "an override replaces a command and keeps the rest": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop:1\n    command: [npm, start]\n    init: true\n",
            "compose.override.yaml": "services:\n  shop:\n    command: node shop.js\n",
        },
        {"shop": {"command": ["node", "shop.js"], "image": "shop:1", "init": True}},
    ),
    "an override of the old name": (
        {
            "docker-compose.yml": "services:\n  shop: {image: shop, entrypoint: [tini, --], command: [a]}\n",
            "docker-compose.override.yml": "services:\n  shop: {entrypoint: [], stop_grace_period: 1m30s}\n",
        },
        {"shop": {"entrypoint": [], "command": ["a"], "grace": 90.0}},
    ),
    "an override of another name counts, too": (
        {
            "docker-compose.yml": "services: {shop: {image: shop}}\n",
            "compose.override.yml": "services: {shop: {stop_signal: SIGINT}}\n",
        },
        {"shop": {"stop_signal": "SIGINT"}},
    ),
    "of two base files the first counts": (
        {
            "compose.yaml": "services: {shop: {image: new}}\n",
            "compose.override.yml": "services: {shop: {stop_signal: SIGQUIT}}\n",
        },
        {"shop": {"image": "new", "stop_signal": "SIGQUIT"}},
    ),
    "a service of the override alone": (
        {
            "compose.yaml": "services: {shop: {image: shop}}\n",
            "compose.override.yaml": "services: {mail: {image: mail}}\n",
        },
        {"shop": {"image": "shop"}, "mail": {"image": "mail"}},
    ),
    "variables are merged by name, in whatever form": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop\n    environment: {A: one, B: two}\n",
            "compose.override.yaml": "services:\n  shop:\n    environment:\n      - B=three\n      - C=four\n",
        },
        {"shop": {"environment": {"A": "one", "B": "three", "C": "four"}}},
    ),
    "a list of variables below a mapping": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop\n    environment: [A=one, B=two]\n",
            "compose.override.yaml": "services:\n  shop:\n    environment:\n      A: three\n",
        },
        {"shop": {"environment": {"A": "three", "B": "two"}}},
    ),
    "volumes are merged by the path in the container": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop\n    volumes: ['./a:/app', './b:/data']\n",
            "compose.override.yaml": (
                "services:\n  shop:\n    volumes:\n      - {type: bind, source: ./c, target: /app}\n      - ./d:/more\n"
            ),
        },
        {"shop": {"mounts": {"/app": "c", "/data": "b", "/more": "d"}}},
    ),
    "a named volume takes a bind mount's place": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop\n    volumes: ['./a:/app']\nvolumes: {data: {}}\n",
            "compose.override.yaml": "services:\n  shop:\n    volumes: ['data:/app']\n",
        },
        {"shop": {"mounts": {}}},
    ),
    "a build in one word below one in many": (
        {
            "compose.yaml": "services: {shop: {build: ./shop}}\n",
            "compose.override.yaml": "services: {shop: {build: {target: dev, args: {A: one}}}}\n",
        },
        {"shop": {"context": "shop", "target": "dev", "arguments": {"A": "one"}}},
    ),
    "a build in many words below one in one": (
        {
            "compose.yaml": "services: {shop: {build: {context: ./shop, dockerfile: Shop.Dockerfile}}}\n",
            "compose.override.yaml": "services: {shop: {build: ./other}}\n",
        },
        {"shop": {"context": "other", "dockerfile": "Shop.Dockerfile"}},
    ),
    "build arguments are merged by name": (
        {
            "compose.yaml": "services: {shop: {build: {context: ., args: {A: one, B: two}}}}\n",
            "compose.override.yaml": "services: {shop: {build: {context: ., args: [B=three]}}}\n",
        },
        {"shop": {"arguments": {"A": "one", "B": "three"}}},
    ),
    "null keeps what lies below": (
        {
            "compose.yaml": "services: {shop: {image: shop, stop_signal: SIGINT, environment: {A: one}}}\n",
            "compose.override.yaml": "services: {shop: {stop_signal: null, environment: null}}\n",
        },
        {"shop": {"stop_signal": "SIGINT", "environment": {"A": "one"}}},
    ),
    "null takes a command away": (
        {
            "compose.yaml": "services: {shop: {image: shop, command: [a]}}\n",
            "compose.override.yaml": "services: {shop: {command: null}}\n",
        },
        {"shop": {"command": None}},
    ),
    "documents of one file are merged": (
        {"compose.yaml": "services: {shop: {image: shop, command: [a]}}\n---\nservices: {shop: {command: [b]}}\n"},
        {"shop": {"image": "shop", "command": ["b"]}},
    ),
    "COMPOSE_FILE says which files": (
        {
            ".env": "COMPOSE_FILE=base.compose.yml:prod.compose.yml\n",
            "base.compose.yml": "services: {shop: {image: shop, command: [a]}}\n",
            "prod.compose.yml": "services: {shop: {command: [b]}}\n",
        },
        {"shop": {"command": ["b"]}},
    ),
    "COMPOSE_FILE may name a file that is none by itself": (
        {
            ".env": "COMPOSE_FILE=base.yml:prod.yml\n",
            "base.yml": "services: {shop: {image: shop, command: [a]}}\n",
            "prod.yml": "services: {shop: {command: [b]}}\n",
        },
        {"shop": {"command": ["b"]}},
    ),
    # Tags
    "reset takes a key away": (
        {
            "compose.yaml": "services: {shop: {image: shop, command: [a], stop_signal: SIGINT, environment: {A: x}}}\n",
            "compose.override.yaml": (
                "services:\n  shop:\n    command: !reset null\n    stop_signal: !reset ''\n    environment: !reset {}\n"
            ),
        },
        {"shop": {"command": None, "stop_signal": None, "environment": {}}},
    ),
    "reset takes one variable away": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop\n    environment: {A: one, B: two}\n",
            "compose.override.yaml": "services:\n  shop:\n    environment:\n      A: !reset null\n",
        },
        {"shop": {"environment": {"B": "two"}}},
    ),
    "override replaces instead of adding": (
        {
            "compose.yaml": "services:\n  shop:\n    image: shop\n    volumes: [./a:/a]\n    environment: {A: one}\n",
            "compose.override.yaml": (
                "services:\n  shop:\n    volumes: !override [./b:/b]\n    environment: !override {B: two}\n"
            ),
        },
        {"shop": {"mounts": {"/b": "b"}, "environment": {"B": "two"}}},
    ),
    "reset where nothing lies below": (
        {"compose.yaml": "services: {shop: {image: shop, command: !reset [a], stop_signal: SIGINT}}\n"},
        {"shop": {"command": None, "stop_signal": "SIGINT"}},
    ),
    "reset of a key of what is extended": (
        {
            "compose.yaml": (
                "services:\n  base: {image: shop, command: [a], init: true}\n"
                "  shop:\n    extends: base\n    command: !reset null\n"
            ),
        },
        {"shop": {"command": None, "init": True}},
    ),
    # extends
    "a service of another file is extended": (
        {
            "compose.yaml": "services:\n  shop:\n    extends: {file: common.yml, service: base}\n    command: [b]\n",
            "common.yml": "services: {base: {image: shop, command: [a], stop_grace_period: 40s}}\n",
        },
        {"shop": {"image": "shop", "command": ["b"], "grace": 40.0}},
    ),
    "paths of an extended file start from its folder": (
        {
            "compose.yaml": "services: {shop: {extends: {file: parts/common.yml, service: base}}}\n",
            "parts/common.yml": (
                "services:\n  base:\n    build: ./shop\n    volumes: [./conf:/conf]\n    env_file: shop.env\n"
            ),
            "parts/shop.env": "ROLE=web\n",
        },
        {"shop": {"context": "parts/shop", "mounts": {"/conf": "parts/conf"}, "environment": {"ROLE": "web"}}},
    ),
    "an extended service extends a third": (
        {
            "compose.yaml": "services: {shop: {extends: {file: a/one.yml, service: one}, environment: {C: three}}}\n",
            "a/one.yml": (
                "services: {one: {extends: {file: ../b/two.yml, service: two}, environment: {B: two}, build: .}}\n"
            ),
            "b/two.yml": "services: {two: {stop_signal: SIGINT, environment: {A: one}}}\n",
        },
        {
            "shop": {
                "stop_signal": "SIGINT",
                "environment": {"A": "one", "B": "two", "C": "three"},
                "context": "a",
            }
        },
    ),
    "extends within the extended file": (
        {
            "compose.yaml": "services: {shop: {extends: {file: common.yml, service: api}}}\n",
            "common.yml": "services:\n  base: {image: shop, init: true}\n  api: {extends: base, command: [api]}\n",
        },
        {"shop": {"image": "shop", "init": True, "command": ["api"]}},
    ),
    "the file itself by its name": (
        {
            "compose.yaml": (
                "services:\n  base: {image: shop}\n"
                "  shop: {extends: {file: compose.yaml, service: base}, command: [a]}\n"
            ),
        },
        {"shop": {"image": "shop", "command": ["a"]}},
    ),
    "an override of a service that extends": (
        {
            "compose.yaml": "services: {shop: {extends: {file: common.yml, service: base}}}\n",
            "compose.override.yaml": "services: {shop: {command: [c]}}\n",
            "common.yml": "services: {base: {image: shop, command: [a]}}\n",
        },
        {"shop": {"command": ["c"]}},
    ),
    "an override that extends": (
        {
            "compose.yaml": "services: {shop: {image: shop, command: [a], init: true}}\n",
            "compose.override.yaml": "services: {shop: {extends: {file: debug.yml, service: debug}}}\n",
            "debug.yml": "services: {debug: {image: debug, command: [d]}}\n",
        },
        {"shop": {"image": "debug", "command": ["d"], "init": True}},
    ),
    "extending adds volumes and replaces a command": (
        {
            "compose.yaml": (
                "services:\n  base: {image: shop, volumes: [./a:/a], command: [a, b]}\n"
                "  shop: {extends: {service: base}, volumes: [./b:/b], command: [c]}\n"
            ),
        },
        {"shop": {"mounts": {"/a": "a", "/b": "b"}, "command": ["c"]}},
    ),
    # include
    "an included file brings its services": (
        {
            "compose.yaml": "include: [db/compose.yaml]\nservices: {shop: {image: shop}}\n",
            "db/compose.yaml": "services: {db: {build: ./image, volumes: [./conf:/conf]}}\n",
        },
        {"shop": {"image": "shop"}, "db": {"context": "db/image", "mounts": {"/conf": "db/conf"}}},
    ),
    "an included file has variables of its own": (
        {
            ".env": "TAG=main\n",
            "compose.yaml": (
                "include:\n  - path: db/compose.yaml\n    env_file: db/other.env\n"
                "services: {shop: {image: 'shop:$TAG'}}\n"
            ),
            "db/compose.yaml": "services: {db: {image: 'db:$TAG-$KIND'}}\n",
            "db/other.env": "TAG=other\nKIND=slim\n",
        },
        {"shop": {"image": "shop:main"}, "db": {"image": "db:main-slim"}},
    ),
    "the variables beside an included file": (
        {
            "compose.yaml": "include: [db/compose.yaml]\nservices: {shop: {image: 'shop:${TAG:-none}'}}\n",
            "db/compose.yaml": "services: {db: {image: 'db:${TAG:-none}'}}\n",
            "db/.env": "TAG=beside\n",
        },
        {"shop": {"image": "shop:none"}, "db": {"image": "db:beside"}},
    ),
    "files that are included one over the other": (
        {
            "compose.yaml": "include:\n  - path: [db/one.yaml, db/two.yaml]\nservices: {shop: {image: shop}}\n",
            "db/one.yaml": "services: {db: {image: db, command: [a]}}\n",
            "db/two.yaml": "services: {db: {command: [b]}}\n",
        },
        {"db": {"image": "db", "command": ["b"]}},
    ),
    "another project directory": (
        {
            "compose.yaml": (
                "include:\n  - path: parts/db.yaml\n    project_directory: .\nservices: {shop: {image: shop}}\n"
            ),
            "parts/db.yaml": "services: {db: {build: ./db}}\n",
        },
        {"db": {"context": "db"}},
    ),
    "an include in an included file": (
        {
            "compose.yaml": "include: [a/compose.yaml]\nservices: {shop: {image: shop}}\n",
            "a/compose.yaml": "include: [../b/compose.yaml]\nservices: {one: {image: one}}\n",
            "b/compose.yaml": "services: {two: {build: .}}\n",
        },
        {"one": {"image": "one"}, "two": {"context": "b"}},
    ),
    "the override of an including file changes what is included": (
        {
            "compose.yaml": "include: [db.yaml]\nservices: {shop: {image: shop}}\n",
            "compose.override.yaml": "services: {db: {command: [b]}}\n",
            "db.yaml": "services: {db: {image: db, command: [a]}}\n",
        },
        {"db": {"image": "db", "command": ["b"]}},
    ),
    "a service that extends an included one": (
        {
            "compose.yaml": "include: [db.yaml]\nservices: {copy: {extends: db, command: [c]}}\n",
            "db.yaml": "services: {db: {image: db, command: [a]}}\n",
        },
        {"copy": {"image": "db", "command": ["c"]}, "db": {"command": ["a"]}},
    ),
    # env_file
    "variables of files lie below the service's own, the last file counts": (
        {
            "compose.yaml": (
                "services:\n  shop:\n    image: shop\n    env_file: [a.env, {path: b.env, required: true}]\n"
                "    environment: {C: own}\n"
            ),
            "a.env": "A=a\nB=a\nC=a\n",
            "b.env": "B=b\n",
        },
        {"shop": {"environment": {"A": "a", "B": "b", "C": "own"}}},
    ),
    "quotes, comments and variables in a file of variables": (
        {
            "compose.yaml": "services: {shop: {image: shop, env_file: a.env}}\n",
            "a.env": (
                "# a comment\nexport A=plain # not part\nB='single $A'\nC=\"double $A\\ttab\"\nD=${A}-${X:-none}\n"
                'E=a#b\nF:yaml style\nG="two\nlines"\nH=\nI = spaced \n'
            ),
        },
        {
            "shop": {
                "environment": {
                    "A": "plain",
                    "B": "single $A",
                    "C": "double plain\ttab",
                    "D": "plain-none",
                    "E": "a#b",
                    "F": "yaml style",
                    "G": "two\nlines",
                    "H": "",
                    "I": "spaced",
                }
            }
        },
    ),
    "a file of raw values": (
        {
            "compose.yaml": "services: {shop: {image: shop, env_file: [{path: a.env, format: raw}]}}\n",
            "a.env": "A=it's $B\n",
        },
        {"shop": {"environment": {"A": "it's $B"}}},
    ),
    "files of variables of an override are added": (
        {
            "compose.yaml": "services: {shop: {image: shop, env_file: a.env}}\n",
            "compose.override.yaml": "services: {shop: {env_file: [b.env]}}\n",
            "a.env": "A=a\nB=a\n",
            "b.env": "B=b\n",
        },
        {"shop": {"environment": {"A": "a", "B": "b"}}},
    ),
    "a variable without a value takes that of .env": (
        {".env": "ROLE=web\n", "compose.yaml": "services: {shop: {image: shop, environment: [ROLE]}}\n"},
        {"shop": {"environment": {"ROLE": "web"}}},
    ),
    # Variables and fragments
    "variables and their defaults": (
        {
            ".env": "SET=yes\nEMPTY=\n",
            "compose.yaml": (
                "services:\n  shop:\n    image: shop\n    environment:\n"
                "      A: ${SET:-no}\n      B: ${EMPTY:-default}\n      C: ${EMPTY-default}\n"
                "      D: ${UNSET-default}\n"
                "      E: ${SET:+other}\n      F: ${EMPTY:+other}\n      G: ${EMPTY+other}\n      H: ${SET:?must}\n"
                '      I: $$SET\n      J: ${UNSET:-${SET}-x}\n      K: x$SET\n      L: ${UNSET:-{"a":1}}\n'
                '      M: ${SET:-{"a":1}}\n'
            ),
        },
        {
            "shop": {
                "environment": {
                    "A": "yes",
                    "B": "default",
                    "C": "",
                    "D": "default",
                    "E": "other",
                    "F": "",
                    "G": "other",
                    "H": "yes",
                    "I": "$SET",
                    "J": "yes-x",
                    "K": "xyes",
                    "L": '{"a":1}',
                    "M": "yes",
                }
            }
        },
    ),
    "anchors and fragments": (
        {
            "compose.yaml": (
                "x-app: &app\n  image: shop\n  environment: &env {A: one}\n  stop_grace_period: 25s\n"
                "services:\n  shop:\n    <<: *app\n    command: [a]\n"
                "  work:\n    <<: *app\n    environment: {<<: *env, B: two}\n"
            ),
        },
        {
            "shop": {"grace": 25.0, "environment": {"A": "one"}, "command": ["a"]},
            "work": {"environment": {"A": "one", "B": "two"}},
        },
    ),
    "a list of fragments": (
        {
            "compose.yaml": (
                "x-a: &a {image: one, init: true}\nx-b: &b {image: two, stop_signal: SIGINT}\n"
                "services:\n  shop:\n    <<: [*a, *b]\n"
            ),
        },
        {"shop": {"image": "one", "init": True, "stop_signal": "SIGINT"}},
    ),
    "a command of one string is split, one of a list is not": (
        {
            "compose.yaml": (
                "services:\n  a: {image: x, command: sh -c 'exec node shop.js'}\n"
                "  b: {image: x, command: [sh, -c, exec node]}\n  c: {image: x, entrypoint: '', command: ''}\n"
            ),
        },
        {
            "a": {"command": ["sh", "-c", "exec node shop.js"]},
            "b": {"command": ["sh", "-c", "exec node"]},
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_project_is_put_together_as_compose_does_it(name: str) -> None:
    files, expected = CASES[name]
    found = {service.name: service for service in read(files).services}
    assert found.keys() >= expected.keys()
    told = {name: {key: facts(found[name])[key] for key in wanted} for name, wanted in expected.items()}
    assert told == expected


def facts(service: ComposeService) -> dict[str, Any]:
    build = service.build
    return {
        "image": service.image.value if service.image else None,
        "command": _words(service.command),
        "entrypoint": _words(service.entrypoint),
        "init": service.init.value if service.init else None,
        "stop_signal": service.stop_signal.value if service.stop_signal else None,
        "grace": service.grace.value,
        "environment": {key: word.value if word else None for key, word in (service.environment or {}).items()},
        "mounts": {target: host for host, target in service.mounts},
        "context": build.context if build else None,
        "dockerfile": build.dockerfile if build else None,
        "target": build.target if build else None,
        "arguments": dict(build.arguments or {}) if build else None,
    }


def _words(words: Any) -> list[str] | None:
    return None if words is None else [word.value for word in words]


@pytest.mark.parametrize(("dockerfile", "told"), [("Dockerfile", ["web"]), ("web/Dockerfile", [])])
def test_a_service_of_build_options_alone_is_put_over_another_one(dockerfile: str, told: list[str]) -> None:
    base = "services:\n  web:\n    image: shop:1\n    command: [python, app.py]\n"
    over = "services:\n  web:\n    build: {target: dev}\n  other:\n    build: {context: web}\n"
    launches = read({"compose.yaml": base, "compose.dev.yaml": over, dockerfile: "FROM nginx AS dev\n"}).launches
    found = [one.origin.name for one in launches if one.origin.source.path == "compose.dev.yaml"]
    assert found == [*told, "other"]


LIVE = "services:\n  web:\n    build: ./web\n    command: COMMAND\n    volumes: ['MOUNT']\n  db: {image: postgres:17}\n"


@pytest.mark.parametrize(
    ("path", "command", "mount", "spared"),
    [
        ("compose.yaml", "npm run dev", "./web:/app", {"web", "db"}),
        ("compose.yaml", "sh -c 'npm install && npm run dev'", "./web/src:/app/src", {"web", "db"}),
        ("compose.yaml", "bash -ec 'nodemon server.js'", "./web:/app", {"web", "db"}),
        ("compose.yaml", "pnpm --parallel dev", "./web:/app", {"web", "db"}),
        ("compose.yaml", "uvicorn --reload shop:app", ".:/srv", {"web", "db"}),
        ("compose.yaml", "sh -c 'mvn -ntp spring-boot:run'", "./web:/app", {"web", "db"}),
        ("compose.yaml", "npm run dev", "./web/settings.json:/app/settings.json", set()),
        ("compose.yaml", "npm run dev", "./certificates:/certificates", set()),
        ("compose.yaml", "npm start", "./web:/app", set()),
        ("compose.yaml", "celery -A dev worker", ".:/srv", set()),
        ("compose.prod.yaml", "npm run dev", "./web:/app", set()),
    ],
)
def test_a_file_that_runs_a_reloader_over_its_sources_is_for_development(
    path: str, command: str, mount: str, spared: set[str]
) -> None:
    services = read({path: LIVE.replace("COMMAND", command).replace("MOUNT", mount)}).services
    assert {service.name for service in services if service.development} == spared


@pytest.mark.parametrize(
    ("working_dir", "command", "development"),
    [
        ("/app", "mvn spring-boot:run", True),
        ("/app/web", "mvn spring-boot:run", True),
        ("/", "mvn spring-boot:run", False),
        ("/", "sh -c 'cd /app && npm run dev'", True),
        ("/", "python /app/manage.py runserver", True),
        ("/", "python /application/manage.py runserver", False),
    ],
)
def test_an_image_that_is_started_in_a_mounted_folder_runs_its_sources(
    working_dir: str, command: str, development: bool
) -> None:
    text = f"services:\n  api:\n    image: maven:3\n    command: {command}\n    volumes: ['./api:/app']\n"
    (service,) = read({"compose.yaml": f"{text}    working_dir: {working_dir}\n"}).services
    assert service.development is development


@pytest.mark.parametrize(
    ("more", "mount", "development"),
    [
        ("build: {context: ., target: dev}", "./:/app:delegated", True),
        ("build: {context: ., target: app-development}", "./src:/app/src", True),
        ("build: {context: ., target: prod}", "./:/app", False),
        ("build: {context: ., target: dev}", "data:/app", False),
        ("environment: [NODE_ENV=development]", "./:/app", True),
        ("environment: {RAILS_ENV: test}", "./:/app", True),
        ("environment: {NODE_ENV: production}", "./:/app", False),
        ("environment: {NODE_ENV: development}", "./settings.json:/app/settings.json", False),
        ("environment: {STAGE: development}", "./:/app", False),
    ],
)
def test_a_file_that_runs_its_sources_in_a_stage_or_an_environment_for_development(
    more: str, mount: str, development: bool
) -> None:
    text = f"services:\n  web:\n    image: shop\n    command: npm start\n    {more}\n    volumes: ['{mount}']\n"
    (service,) = read({"compose.yaml": text}).services
    assert service.development is development


@pytest.mark.parametrize(
    ("image", "development"), [("node:22", True), ("caddy:2", False), ("reg.io:5000/caddy", False)]
)
def test_a_server_that_reloads_its_configuration_is_not_for_development(image: str, development: bool) -> None:
    text = f"services:\n  web:\n    image: {image}\n    command: run --watch\n    volumes: ['.:/srv']\n"
    (service,) = read({"compose.yaml": text}).services
    assert service.development is development


@pytest.mark.parametrize(
    ("files", "image"),
    [
        ({".env": "IMAGE=caddy:2\n", ".env.example": "IMAGE=nginx:1\n"}, "caddy"),
        ({".env.example": "IMAGE=caddy:2\n"}, "caddy"),
        ({"env.sample": "IMAGE=caddy:2\n"}, "caddy"),
        ({".env.other": "IMAGE=caddy:2\n"}, None),
    ],
)
def test_what_env_is_copied_from_stands_for_it(files: dict[str, str], image: str | None) -> None:
    (launch,) = read({"compose.yaml": "services:\n  web:\n    image: ${IMAGE}\n", **files}).launches
    assert (launch.hops[0].argv[0] if launch.hops else None) == image


@pytest.mark.parametrize(
    ("compose", "build", "dockerfile", "found"),
    [
        ("tests/redis/compose.yaml", "./redis", "tests/redis/Dockerfile", True),
        ("deploy/local/compose.yaml", "../apps/api", "apps/api/Dockerfile", True),
        ("deploy/local/compose.yaml", ".", "deploy/Dockerfile", False),
        ("deploy/local/compose.yaml", "..", "Dockerfile", False),
    ],
)
def test_a_file_that_is_put_over_one_of_a_folder_above_names_folders_from_there(
    compose: str, build: str, dockerfile: str, found: bool
) -> None:
    files = {compose: f"services:\n  store:\n    build: {build}\n", dockerfile: "FROM redis:7\n"}

    (launch,) = [one for one in read(files).launches if one.origin.source.path == compose]

    assert (launch.verdict.value == "handled") is found
