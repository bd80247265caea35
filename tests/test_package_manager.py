"""Package managers and script runners: which script they run, through which shell, and what reaches the program."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from gracelint.facts.launch import Hop, HopKind, Launch
from gracelint.testing import read

SERVER = """\
const http = require('http');

const server = http.createServer((req, res) => res.end('ok'));
server.listen(8000);

if (process.argv[2] !== 'none') {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => server.close(() => process.exit(7)));
  }
}
"""
SCRIPTS = {
    "start": "node srv.js",
    "none": "node srv.js none",
    "execstart": "exec node srv.js",
    "cdstart": "cd . && node srv.js",
    "redir": "node srv.js > log 2>&1",
    "semi": "node srv.js; true",
    "envstart": "NODE_ENV=production node srv.js",
    "twostage": "npm run start",
    "runp": "run-p start sleeper",
    "conc": "concurrently 'node srv.js' 'npm:start'",
    "nodemon": "nodemon srv.js",
    "sleeper": "sleep 1000",
}
IMAGES = {"dash": "node:22-slim", "ash": "node:22-alpine", "bash": "rockylinux:9"}


def launch_of(
    *argv: str,
    sh: str = "dash",
    npm: str = "10.9.9",
    init: str = "",
    signal: str = "SIGTERM",
    lines: tuple[str, ...] = (),
    package: Mapping[str, object] | None = None,
    **files: str,
) -> Launch:
    """The launch of an image whose CMD is a JSON array; `files` have `_` for `.` in their names."""
    words = [*init.split(), *argv]
    dockerfile = [f"FROM {IMAGES.get(sh, sh)}", "WORKDIR /app", "COPY . .", f"RUN npm install -g npm@{npm}", *lines]
    dockerfile += [f"STOPSIGNAL {signal}", f"ENTRYPOINT {json.dumps(words)}", ""]
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    project = {
        "Dockerfile": "\n".join(dockerfile),
        "package.json": json.dumps({"name": "shop", "scripts": SCRIPTS, **(package or {})}),
        "srv.js": SERVER,
        **named,
    }
    (launch,) = read(project).launches
    return launch


def manager_of(launch: Launch) -> Hop:
    return next(hop for hop in launch.hops if hop.kind is HopKind.PACKAGE_MANAGER)


@pytest.mark.parametrize(
    ("npm", "sh", "script", "init", "verdict"),
    [
        ("6.14.18", "dash", "start", "", "cut"),
        ("6.14.18", "dash", "start", "tini --", "cut"),
        ("6.14.18", "bash", "start", "", "handled"),
        ("6.14.18", "ash", "start", "", "handled"),
        ("6.14.18", "ash", "none", "", "cut"),
        ("6.14.18", "dash", "execstart", "", "handled"),
        ("7.24.2", "dash", "start", "", "cut"),
        ("7.24.2", "bash", "start", "tini --", "handled"),
        ("8.19.0", "dash", "cdstart", "", "cut"),
        ("8.19.0", "ash", "start", "", "handled"),
        ("9.6.6", "dash", "start", "", "cut"),
        ("9.6.6", "ash", "start", "", "handled"),
        ("9.6.7", "dash", "start", "", "ignored"),
        ("9.6.7", "ash", "start", "", "ignored"),
        ("9.8.1", "dash", "execstart", "", "ignored"),
        ("9.8.1", "dash", "start", "tini --", "ignored"),
        ("9.8.1", "ash", "none", "tini --", "ignored"),
        ("9.8.1", "dash", "start", "tini -g --", "cut"),
        ("9.8.1", "dash", "start", "dumb-init --", "cut"),
        ("10.2.5", "ash", "start", "", "ignored"),
        ("10.3.0", "dash", "start", "", "cut"),
        ("10.3.0", "ash", "start", "", "handled"),
        ("11.19.1", "dash", "start", "dumb-init --", "cut"),
        ("11.19.1", "dash", "execstart", "", "handled"),
        ("11.19.1", "dash", "redir", "", "cut"),
        ("11.19.1", "ash", "redir", "", "handled"),
        ("11.19.1", "dash", "semi", "", "cut"),
        ("11.19.1", "ash", "semi", "", "cut"),
        ("11.19.1", "ash", "envstart", "", "handled"),
        ("11.19.1", "dash", "twostage", "", "cut"),
        ("11.19.1", "ash", "twostage", "", "handled"),
        ("11.19.1", "ash", "runp", "", "cut"),
        ("11.19.1", "dash", "conc", "", "cut"),
        ("11.19.1", "ash", "conc", "", "handled"),
        ("11.19.1", "dash", "nodemon", "", "cut"),
    ],
)
def test_npm_as_measured(npm: str, sh: str, script: str, init: str, verdict: str) -> None:
    assert launch_of("npm", "run", script, npm=npm, sh=sh, init=init).verdict == verdict


@pytest.mark.parametrize(
    ("argv", "sh", "verdict"),
    [
        (("node", "srv.js"), "dash", "handled"),
        (("node", "srv.js", "none"), "dash", "ignored"),
        (("node", "--watch", "srv.js"), "dash", "handled"),
        (("node", "--watch", "srv.js", "none"), "dash", "cut"),
        (("node", "--run", "start"), "dash", "ignored"),
        (("node", "--run", "start"), "ash", "ignored"),
        (("yarn", "start"), "dash", "cut"),
        (("yarn", "start"), "ash", "cut"),
        (("yarn", "execstart"), "dash", "cut"),
        (("pnpm", "run", "start"), "dash", "cut"),
        (("pnpm", "start"), "ash", "handled"),
        (("pnpm", "none"), "ash", "cut"),
        (("pnpm", "exec", "node", "srv.js"), "dash", "handled"),
        (("npm", "exec", "--", "node", "srv.js"), "dash", "cut"),
        (("npm", "exec", "--", "node", "srv.js"), "ash", "handled"),
        (("npm", "exec", "-c", "node srv.js"), "dash", "cut"),
        (("npm", "exec", "-c", "node srv.js"), "ash", "handled"),
        (("npm", "exec", "--call", "exec node srv.js"), "dash", "handled"),
        (("npx", "--no-install", "tsx", "srv.js"), "dash", "cut"),
        (("npx", "--no-install", "tsx", "srv.js"), "ash", "handled"),
        (("tsx", "srv.js"), "dash", "handled"),
        (("tsx", "watch", "srv.js"), "dash", "handled"),
        (("tsx", "srv.js", "none"), "dash", "cut"),
        (("node", "--import", "tsx", "srv.js"), "dash", "handled"),
        (("nodemon", "srv.js"), "dash", "handled"),
        (("nodemon", "srv.js", "none"), "dash", "cut"),
        (("pm2-runtime", "srv.js"), "dash", "handled"),
        (("pm2", "start", "srv.js", "--no-daemon"), "dash", "ignored"),
        (("run-p", "start", "sleeper"), "dash", "ignored"),
        (("concurrently", "node srv.js", "npm:start"), "dash", "handled"),
        (("cross-env", "X=1", "node", "srv.js"), "dash", "handled"),
        (("dotenv", "--", "node", "srv.js"), "dash", "handled"),
        (("dotenvx", "run", "--", "node", "srv.js"), "dash", "handled"),
        (("env-cmd", "-f", ".env", "node", "srv.js"), "dash", "handled"),
        (("bun", "srv.js"), "dash", "handled"),
        (("bun", "srv.js", "none"), "dash", "ignored"),
        (("bun", "run", "start"), "dash", "handled"),
        (("bun", "run", "none"), "dash", "cut"),
        (("deno", "run", "-A", "srv.js"), "dash", "handled"),
        (("deno", "run", "-A", "srv.js", "none"), "dash", "cut"),
        (("deno", "run", "-A", "--env-file", "srv.js"), "dash", "handled"),
        (("deno", "run", "--ext", "ts", "srv.js"), "dash", "handled"),
        (("deno", "task", "start"), "dash", "handled"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_other_runners_as_measured(argv: tuple[str, ...], sh: str, verdict: str) -> None:
    assert launch_of(*argv, sh=sh).verdict == verdict


@pytest.mark.parametrize(
    ("argv", "sh", "init", "verdict"),
    [
        (("npx", "node", "srv.js"), "ash", "", "ignored"),
        (("npx", "node", "srv.js"), "ash", "tini --", "cut"),
        (("npx", "-c", "exec node srv.js"), "ash", "", "ignored"),
        (("npx", "tsx", "srv.js"), "dash", "", "handled"),
        (("npx", "tsx", "srv.js"), "ash", "tini --", "handled"),
    ],
)
def test_npx_of_npm_6_passes_nothing_on_and_is_what_packages_bring(
    argv: tuple[str, ...], sh: str, init: str, verdict: str
) -> None:
    assert launch_of(*argv, npm="6.14.18", sh=sh, init=init).verdict == verdict


@pytest.mark.parametrize(("script", "ends"), [("tsc && node srv.js", False), ("webpack --mode production", True)])
def test_the_name_of_a_script_counts_where_what_it_runs_is_not_known(script: str, ends: bool) -> None:
    assert launch_of("npm", "run", "build", package={"scripts": {"build": script}}).ends_by_itself is ends


@pytest.mark.parametrize(("init", "verdict"), [("", "ignored"), ("tini --", "unknown")])
def test_yarn_4_does_not_pass_sigint_on(init: str, verdict: str) -> None:
    lines = ("RUN apt-get update && apt-get install -y tini",)
    launch = launch_of(
        "yarn", "start", init=init, signal="SIGINT", lines=lines, package={"packageManager": "yarn@4.9.1"}
    )
    assert (launch.verdict.value, manager_of(launch).why) == (verdict, "yarn does not pass SIGINT on")


@pytest.mark.parametrize("command", ["start", "execstart", "cdstart"])
def test_yarn_4_runs_the_script_without_a_shell(command: str) -> None:
    launch = launch_of("yarn", command, package={"packageManager": "yarn@4.9.1"})
    assert launch.verdict == "handled"
    assert manager_of(launch).why == "Yarn 4.9.1 runs the script without a shell and passes SIGTERM on"


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, "1"),
        ({"_yarnrc_yml": "nodeLinker: node-modules\n"}, "4"),
        ({"yarn_lock": "# yarn lockfile v1\n"}, "1"),
        ({"yarn_lock": "__metadata:\n  version: 8\n"}, "4"),
    ],
)
def test_which_yarn_it_is(files: dict[str, str], version: str) -> None:
    assert manager_of(launch_of("yarn", "start", **files)).details["version"].split(".")[0] == version


def test_the_version_is_that_of_the_base_image_unless_run_installs_another() -> None:
    assert manager_of(launch_of("npm", "start", npm="next", sh="node:18.17-slim")).details["version"] == "9.6.7"
    newest = manager_of(launch_of("npm", "start", npm="latest", sh="node:18.17-slim"))
    assert newest.why == "npm passes SIGTERM to the `sh` it runs the script with"
    assert manager_of(launch_of("npm", "start", npm="10.9.9", sh="node:18.17-slim")).details["version"] == "10.9.9"


def test_pnpm_6_cuts_whatever_the_shell() -> None:
    assert launch_of("pnpm", "start", sh="ash", package={"packageManager": "pnpm@6.35.1"}).verdict == "cut"


@pytest.mark.parametrize(
    ("argv", "script", "text"),
    [
        (("npm", "start"), "start", "node srv.js"),
        (("npm", "run", "none", "--silent"), "none", "node srv.js none"),
        (("npm", "--loglevel", "warn", "run-script", "none"), "none", "node srv.js none"),
        (("npm", "start", "--", "--port", "80 81"), "start", "node srv.js --port '80 81'"),
        (("npm", "start", "extra"), "start", "node srv.js extra"),
        (("yarn", "start", "--port", "80"), "start", "node srv.js --port 80"),
        (("yarn", "run", "none"), "none", "node srv.js none"),
        (("pnpm", "--silent", "none"), "none", "node srv.js none"),
        (("node", "--run", "none"), "none", "node srv.js none"),
        (("corepack", "pnpm@9", "start"), "start", "node srv.js"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_the_script_and_its_arguments(argv: tuple[str, ...], script: str, text: str) -> None:
    launch = launch_of(*argv)
    hop = next(hop for hop in launch.hops if "script" in hop.details)
    below = launch.below(hop)
    assert hop.details["script"] == script
    assert below is not None and below.argv == ("sh", "-c", text)


@pytest.mark.parametrize(
    ("argv", "more"),
    [
        (("npm", "--prefix", "api", "start"), {}),
        (("npm", "-C", "api", "start"), {}),
        (("npm", "start", "--prefix=api"), {}),
        (("npm", "start", "-w", "@shop/api"), {"workspaces": ["packages/*", "api"]}),
        (("npm", "start", "--workspace=api"), {"workspaces": ["api"]}),
        (("yarn", "--cwd", "api", "start"), {}),
        (("yarn", "workspace", "@shop/api", "start"), {"workspaces": {"packages": ["api"]}}),
        (("pnpm", "-C", "api", "start"), {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_package_in_another_folder(argv: tuple[str, ...], more: Mapping[str, object]) -> None:
    api = json.dumps({"name": "@shop/api", "scripts": {"start": "node ../srv.js none"}})
    launch = launch_of(*argv, package=more, api__package_json=api)
    assert manager_of(launch).details["passage"].text == "node ../srv.js none"
    assert launch.program is not None and launch.program.source.path == "srv.js"


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("npm", "run", "serve"), "package.json has no script `serve`"),
        (("npm", "frobnicate"), "nothing is known of `npm frobnicate`"),
        (("npm", "exec"), "`npm exec` is given no command"),
        (("cross-env", "A=1"), "`cross-env` is given no command"),
        (
            ("pm2-runtime", "ecosystem.config.js"),
            "what pm2-runtime starts is said in ecosystem.config.js, and cannot be read there",
        ),
        (("ts-node-dev", "srv.js"), "nobody has measured what ts-node-dev does with SIGTERM"),
        (("nx", "run", "start"), "nobody has measured what nx does with SIGTERM"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_unknown_says_why(argv: tuple[str, ...], why: str) -> None:
    launch = launch_of(*argv)
    assert (launch.verdict, launch.why) == ("unknown", why)


@pytest.mark.parametrize("argv", [("npm", "ci"), ("yarn", "install"), ("npm", "test"), ("pnpm",)], ids=" ".join)
def test_commands_that_end_by_themselves(argv: tuple[str, ...]) -> None:
    assert launch_of(*argv).one_shot


def test_a_broken_package_json_is_unknown_not_a_crash() -> None:
    launch = launch_of("npm", "start", package_json='{"scripts": {')
    assert launch.why == "the package.json that `npm` reads is not in the project"


def test_scripts_that_start_themselves_come_to_an_end() -> None:
    assert launch_of("npm", "start", package={"scripts": {"start": "npm start"}}).verdict == "cut"
    looping = launch_of("npm", "start", sh="ash", package={"scripts": {"start": "npm start"}})
    assert looping.why == "the command starts itself over and over"


def test_script_shell_of_npmrc() -> None:
    assert launch_of("npm", "start", _npmrc="script-shell=/bin/bash\n").verdict == "handled"


def test_pm2_turns_sigterm_into_sigint_and_kills_soon() -> None:
    only_sigterm = SERVER.replace("['SIGTERM', 'SIGINT']", "['SIGTERM']")
    launch = launch_of("pm2-runtime", "srv.js", srv_js=only_sigterm)
    assert launch.verdict == "cut"
    deadline = manager_of(launch).deadline
    assert deadline is not None
    assert deadline.value == 1.6


@pytest.mark.parametrize(
    ("wanted", "verdict", "why"),
    [
        ("^15.1.0", "handled", "`next start` closes its server on SIGTERM and finishes what is in flight"),
        ("14.1.0", "handled", "`next start` closes its server on SIGTERM and finishes what is in flight"),
        ("14.0.4", "cut", "`next start` exits at once on SIGTERM before Next 14.1: open requests are dropped"),
        ("^13.4.0", "cut", "`next start` exits at once on SIGTERM before Next 14.1: open requests are dropped"),
        (
            "^14.0.0",
            "unknown",
            "package.json asks for next ^14.0.0, whose versions differ in what they do: the lock file decides",
        ),
    ],
)
def test_next_start_waits_for_open_requests_from_14_1_on(wanted: str, verdict: str, why: str) -> None:
    launch = launch_of("next", "start", package={"dependencies": {"next": wanted}})
    assert (launch.verdict, launch.why) == (verdict, why)


def test_next_start_of_a_version_that_the_workspace_has_in_its_catalog() -> None:
    package = {"dependencies": {"next": "catalog:"}, "workspaces": {"catalog": {"next": "13.5.6"}}}
    launch = launch_of("next", "start", package=package)
    assert launch.why == "`next start` exits at once on SIGTERM before Next 14.1: open requests are dropped"


@pytest.mark.parametrize("wanted", ["15.0.0", "13.5.6"])
def test_next_start_may_leave_the_signals_to_its_application(wanted: str) -> None:
    package = {"dependencies": {"next": wanted}}
    launch = launch_of("next", "start", package=package, lines=("ENV NEXT_MANUAL_SIG_HANDLE=true",))
    assert (launch.verdict, launch.why) == (
        "unknown",
        "NEXT_MANUAL_SIG_HANDLE leaves the signals to the application, whose handler is in what was built",
    )
    launch = launch_of("next", "start", package=package, signal="SIGQUIT")
    assert (launch.verdict, launch.why) == ("unknown", "nobody knows what `next start` does on SIGQUIT here")


def test_a_built_file_is_found_through_the_stage_that_builds_it() -> None:
    dockerfile = (
        "FROM node:22 AS build\nWORKDIR /src\nCOPY . .\nRUN npm ci && npm run build\n"
        "FROM node:22-slim\nWORKDIR /app\nCOPY --from=build /src/dist ./dist\n"
        'CMD ["node", "dist/main"]\n'
    )
    project = {
        "Dockerfile": dockerfile,
        "src/main.ts": SERVER,
        "tsconfig.json": '{"compilerOptions": {"outDir": "dist"}}',
    }
    (launch,) = read(project).launches
    assert launch.program is not None and launch.program.source.path == "src/main.ts"
    assert launch.verdict == "handled"


@pytest.mark.parametrize(
    ("argv", "lines"),
    [
        (("node", "--require", "./tracing.js", "srv.js", "none"), ()),
        (("node", "-r", "./tracing", "srv.js", "none"), ()),
        (("node", "srv.js", "none"), ('ENV NODE_OPTIONS="--import ./tracing.js"',)),
    ],
)
def test_modules_that_node_runs_first(argv: tuple[str, ...], lines: tuple[str, ...]) -> None:
    tracing = "process.on('SIGTERM', () => sdk.shutdown().finally(() => process.exit(0)));\n"
    launch = launch_of(*argv, lines=lines, tracing_js=tracing)
    assert (launch.verdict, launch.why) == ("cut", "srv.js: process.exit comes at once, without closing the server")


def test_a_missing_start_script_is_npm_s_default() -> None:
    launch = launch_of("npm", "start", package={"scripts": {}}, server_js=SERVER)
    assert launch.program is not None and launch.program.source.path == "server.js"


@pytest.mark.parametrize(("base", "verdict"), [("alpine:3.18", "handled"), ("alpine:3.19", "ignored")])
def test_the_npm_of_alpine_s_own_packages(base: str, verdict: str) -> None:
    dockerfile = f'FROM {base}\nRUN apk add --no-cache nodejs npm\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n'
    project = {"Dockerfile": dockerfile, "package.json": '{"scripts": {"start": "node srv.js"}}', "srv.js": SERVER}
    (launch,) = read(project).launches
    assert launch.verdict == verdict


@pytest.mark.parametrize("more", ["a;b", "a b; c", "x > y", ""])
def test_what_is_passed_to_a_script_stays_one_word(more: str) -> None:
    assert launch_of("npm", "start", "--", more, sh="ash").verdict == "handled"


def test_what_a_shell_may_expand_is_not_known_to_the_program() -> None:
    assert launch_of("npm", "start", "--", "$(true)", sh="ash").verdict == "unknown"


@pytest.mark.parametrize(
    "argv",
    [
        ("npm", "--prefix", "api", "start"),
        ("npm", "start", "--prefix", "api"),
        ("npm", "start", "--prefix=api"),
        ("yarn", "--cwd", "api", "start"),
        ("pnpm", "-C", "api", "start"),
    ],
    ids=" ".join,
)
def test_the_package_may_lie_in_another_folder(argv: tuple[str, ...]) -> None:
    package = json.dumps({"scripts": {"start": "node ../srv.js none"}})
    launch = launch_of(*argv, api__package_json=package)
    assert manager_of(launch).details["passage"].text == "node ../srv.js none"


def test_what_cross_env_sets_is_set() -> None:
    def drain(value: str) -> float | None:
        words = ("cross-env", f"GUNICORN_CMD_ARGS=--graceful-timeout={value}", "gunicorn", "app:app")
        found = launch_of(*words).budget.drain
        return found.seconds if found is not None else None

    assert drain("7") == 7.0
    assert drain("$SECONDS") is None
