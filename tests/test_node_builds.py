"""From a file that only a build makes to its source."""

from __future__ import annotations

import pytest

from gracelint.launch.runtimes.pm2 import is_process_file
from gracelint.source import Word
from gracelint.testing import read

HANDLER = "process.on('SIGTERM', () => process.exit(0));\nsetInterval(() => {}, 1000);\n"
STAGES = """\
FROM node:22 AS build
WORKDIR /src
COPY . .
RUN npm ci && {run}
FROM node:22
WORKDIR /app
COPY --from=build /src/{out} {out}/
"""


def why(files: dict[str, str], started: str, run: str = "npm run build", out: str = "dist") -> tuple[str, str]:
    dockerfile = STAGES.format(run=run, out=out) + f'CMD ["node", "{started}"]\n'
    (launch,) = read({"Dockerfile": dockerfile, "package.json": "{}"} | files).launches
    return launch.verdict.value, launch.why


def script(build: str) -> str:
    return f'{{"scripts": {{"build": "{build}"}}}}'


@pytest.mark.parametrize(
    ("build", "source", "started", "out"),
    [
        ("esbuild server/main.ts --bundle --outfile=dist/app.js", "server/main.ts", "dist/app.js", "dist"),
        ("esbuild app/a.ts app/b.ts --outdir=dist", "app/b.ts", "dist/b.js", "dist"),
        ("tsup app/worker.ts -d out", "app/worker.ts", "out/worker.js", "out"),
        ("rollup -i lib/main.mjs -o out/all.mjs -f es", "lib/main.mjs", "out/all.mjs", "out"),
        ("swc app -d build --strip-leading-paths", "app/api/main.ts", "build/api/main.js", "build"),
        ("swc app -d build", "app/main.ts", "build/app/main.js", "build"),
        ("babel code --out-dir dist", "code/main.js", "dist/main.js", "dist"),
        ("ncc build code/main.ts -o out", "code/main.ts", "out/index.js", "out"),
        ("bun build code/main.ts --outdir out --target node", "code/main.ts", "out/main.js", "out"),
        ("vite build --ssr code/main.ts --outDir out", "code/main.ts", "out/main.js", "out"),
        ("tsc --outDir out --rootDir code", "code/main.ts", "out/main.js", "out"),
    ],
)
def test_the_command_says_it(build: str, source: str, started: str, out: str) -> None:
    verdict, said = why({"package.json": script(build), source: HANDLER}, started, out=out)
    assert (verdict, said.partition(":")[0]) == ("handled", source.rpartition("/")[2])


@pytest.mark.parametrize("build", ["tsc -p conf/ts.json", "tsc --build conf/ts.json --force"])
def test_the_compiler_is_given_its_settings(build: str) -> None:
    files = {
        "package.json": script(build),
        "conf/ts.json": '{"compilerOptions": {"outDir": "../out", "rootDir": "../code"}}',
        "code/main.ts": HANDLER,
    }
    verdict, said = why(files, "out/main.js", out="out")
    assert (verdict, said.partition(":")[0]) == ("handled", "main.ts")


@pytest.mark.parametrize(
    ("name", "text", "source", "started"),
    [
        ("tsup.config.ts", "export default defineConfig({ entry: ['app/main.ts'] });", "app/main.ts", "dist/main.js"),
        ("tsup.config.ts", "export default { entry: { api: 'app/main.ts' } };", "app/main.ts", "dist/api.js"),
        ("tsdown.config.ts", "export default defineConfig({});", "src/index.ts", "dist/index.mjs"),
        ("rollup.config.js", "export default { input: 'a.js', output: { file: 'dist/z.js' } };", "a.js", "dist/z.js"),
        ("webpack.config.js", "module.exports = { entry: './a.js' };", "a.js", "dist/main.js"),
        ("webpack.config.js",
         "module.exports = { entry: { api: './a.js' }, output: { path: path.join(__dirname, 'dist') } };",
         "a.js", "dist/api.js"),
        ("vite.config.ts", "export default { build: { ssr: 'app/main.ts' } };", "app/main.ts", "dist/main.js"),
    ],
)  # fmt: skip
def test_the_configuration_says_it(name: str, text: str, source: str, started: str) -> None:
    assert why({name: text, source: HANDLER}, started)[0] == "handled"


BUILDER = """\
const defaults = { entry: 'src/index.ts', folder: 'bundle' };
esbuild.build({ entryPoints: [defaults.entry], outfile: path.join(defaults.folder, 'all.js') });
"""


@pytest.mark.parametrize(
    ("scripts", "source"),
    [
        ('{"bundle": "node ../tools/pack.js"}', "src/index.ts"),
        ('{"bundle": "node ../tools/pack.js --minify --entry=src/main.ts"}', "src/main.ts"),
        ('{"a": "node ../tools/pack.js --entry=src/a.ts", "bundle": "node ../tools/pack.js"}', "src/index.ts"),
    ],
)
def test_a_script_of_the_project_calls_the_bundler(scripts: str, source: str) -> None:
    files = {
        "api/Dockerfile": 'FROM node:22\nCOPY bundle/all.js ./\nCMD ["node", "all.js"]\n',
        "api/package.json": f'{{"scripts": {scripts}}}',
        f"api/{source}": HANDLER,
        "tools/pack.js": f"const esbuild = require('esbuild');\n{BUILDER}",
    }
    (launch,) = read(files).launches
    assert (launch.verdict.value, launch.why.partition(":")[0]) == ("handled", source.rpartition("/")[2])


def test_what_nothing_maps_is_not_guessed() -> None:
    files = {"package.json": script("make-it"), "src/other.ts": HANDLER}
    assert why(files, "dist/main.js") == ("unknown", "dist/main.js is not in the project")


def test_a_pruned_repository_keeps_its_folders() -> None:
    dockerfile = (
        "FROM node:22 AS pruned\nWORKDIR /r\nCOPY . .\nRUN npx turbo prune api --docker\n"
        "FROM node:22\nWORKDIR /r\nCOPY --from=pruned /r/out/full/ .\n"
        'CMD ["node", "apps/api/main.js"]\n'
    )
    (launch,) = read({"Dockerfile": dockerfile, "apps/api/main.js": HANDLER}).launches
    assert launch.why == "main.js: its SIGTERM handler runs and ends the process"


@pytest.mark.parametrize(
    "command",
    [
        "pnpm deploy --filter=@acme/api --prod /prod/api",
        "pnpm --filter @acme/api --prod deploy --legacy /prod/api",
        "pnpm -F ./apps/api deploy /prod/api",
    ],
)
@pytest.mark.parametrize("started", ["dist/main.js", "src/main.js"])
def test_a_deployed_package_is_found_in_its_workspace(command: str, started: str) -> None:
    dockerfile = (
        f"FROM node:22 AS build\nWORKDIR /r\nCOPY . .\nRUN pnpm -r build && {command}\n"
        f'FROM node:22\nWORKDIR /api\nCOPY --from=build /prod/api .\nCMD ["node", "{started}"]\n'
    )
    files = {
        "Dockerfile": dockerfile,
        "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
        "package.json": "{}",
        "apps/api/package.json": '{"name": "@acme/api"}',
        "apps/api/src/main.js": HANDLER,
    }
    (launch,) = read(files).launches
    assert launch.why == "main.js: its SIGTERM handler runs and ends the process"


@pytest.mark.parametrize(
    ("dependency", "started", "name"),
    [
        ("next", ".next/standalone/server.js", "Next's server"),
        ("nuxt", ".output/server/index.mjs", "Nitro's node server"),
        ("@sveltejs/adapter-node", "build/index.js", "SvelteKit's node server"),
    ],
)
def test_servers_that_frameworks_write(dependency: str, started: str, name: str) -> None:
    package = f'{{"dependencies": {{"{dependency}": "15"}}}}'
    folder = started.partition("/")[0]
    found = why({"package.json": package}, started, out=folder)
    assert found == ("handled", f"{name} closes on SIGTERM and finishes what is in flight")


@pytest.mark.parametrize(
    ("wanted", "verdict", "reason"),
    [
        ("^13.5.6", "cut", "Next's server exits at once on SIGTERM before Next 14.1: open requests are dropped"),
        ("14.1.0", "handled", "Next's server closes on SIGTERM and finishes what is in flight"),
        ("latest", "handled", "Next's server closes on SIGTERM and finishes what is in flight"),
        (
            ">=13",
            "unknown",
            "package.json asks for next >=13, whose versions differ in what they do: the lock file decides",
        ),
    ],
)
def test_what_nexts_server_does_depends_on_its_version(wanted: str, verdict: str, reason: str) -> None:
    package = f'{{"dependencies": {{"next": "{wanted}"}}}}'
    assert why({"package.json": package}, ".next/standalone/server.js", out=".next") == (verdict, reason)


@pytest.mark.parametrize(
    ("wanted", "workspace"),
    [
        ("catalog:", {"pnpm-workspace.yaml": "packages: [apps/*]\ncatalog:\n  next: ^15.1.0\n"}),
        ("catalog:web", {"pnpm-workspace.yaml": "catalogs:\n  web:\n    next: 14.2.3\n  old:\n    next: 12.0.0\n"}),
        ("catalog:", {"package.json": '{"workspaces": {"packages": ["apps/*"], "catalog": {"next": "15"}}}'}),
        ("catalog:web", {"package.json": '{"catalogs": {"web": {"next": "15"}}}'}),
    ],
)
def test_a_version_that_stands_in_the_catalog_of_the_workspace(wanted: str, workspace: dict[str, str]) -> None:
    dockerfile = (
        "FROM node:22 AS build\nWORKDIR /b\nCOPY . .\nRUN npx turbo build\n"
        "FROM node:22\nWORKDIR /r/apps/web\n"
        'COPY --from=build /b/apps/web/.next/standalone/apps/web ./\nCMD ["node", "server.js"]\n'
    )
    package = f'{{"dependencies": {{"next": "{wanted}"}}}}'

    (launch,) = read(
        {"package.json": "{}", "apps/web/package.json": package, "Dockerfile": dockerfile} | workspace
    ).launches

    assert launch.why == "Next's server closes on SIGTERM and finishes what is in flight"


def test_a_catalog_that_is_not_there_leaves_the_version_open() -> None:
    package = '{"dependencies": {"next": "catalog:"}}'
    assert why({"package.json": package}, ".next/standalone/server.js", out=".next") == (
        "unknown",
        "package.json asks for next catalog:, whose versions differ in what they do: the lock file decides",
    )


def test_a_next_server_that_leaves_the_signals_to_its_application() -> None:
    dockerfile = (
        "FROM node:22 AS build\nWORKDIR /b\nCOPY . .\nRUN npm run build\n"
        "FROM node:22\nWORKDIR /r\nENV NEXT_MANUAL_SIG_HANDLE=true\n"
        'COPY --from=build /b/.next/standalone ./\nCMD ["node", "server.js"]\n'
    )
    (launch,) = read({"Dockerfile": dockerfile, "package.json": '{"dependencies": {"next": "15"}}'}).launches
    assert (launch.verdict.value, launch.why) == (
        "unknown",
        "NEXT_MANUAL_SIG_HANDLE leaves the signals to the application, whose handler is in what was built",
    )


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        ({"libs/stop/package.json": '{"name": "@a/stop", "main": "on.js"}', "libs/stop/on.js": HANDLER}, "handled"),
        ({"libs/stop/package.json": '{"name": "@a/stop", "exports": {"import": "./on.js"}}',
          "libs/stop/on.js": HANDLER},
         "handled"),
        ({"libs/stop/package.json": '{"name": "@a/stop", "main": "dist/on.js"}', "libs/stop/src/on.ts": HANDLER},
         "handled"),
        ({"libs/stop/package.json": '{"name": "@a/stop", "main": "gone.js"}'}, "unknown"),
        ({"libs/stop/package.json": '{"name": "@a/stop", "main": "on.js"}',
          "libs/stop/on.js": "setInterval(() => {}, 9);"},
         "ignored"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "root",
    [
        {"package.json": '{"workspaces": ["libs/*"]}'},
        {"package.json": '{"workspaces": {"packages": ["libs/**"]}}'},
        {"package.json": "{}", "pnpm-workspace.yaml": "packages:\n  - 'libs/*'\n"},
        {"package.json": '{"dependencies": {"@a/stop": "file:libs/stop"}}'},
        {"package.json": "{}", "lerna.json": '{"packages": ["libs/*"]}'},
    ],
)
def test_packages_of_the_workspace(root: dict[str, str], files: dict[str, str], verdict: str) -> None:
    dockerfile = 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["node", "main.js"]\n'
    (launch,) = read({"Dockerfile": dockerfile, "main.js": "import '@a/stop';\n"} | root | files).launches
    assert launch.verdict.value == verdict


@pytest.mark.parametrize(
    ("word", "is_file"), [("ecosystem.config.js", True), ("process.json", True), ("server.js", False), ("npm", False)]
)
def test_process_files_of_pm2(word: str, is_file: bool) -> None:
    assert is_process_file(Word(word)) is is_file


@pytest.mark.parametrize("prune", ["npx turbo prune web --docker", "cp -r . out"])
def test_what_turbo_prunes_is_where_it_was(prune: str) -> None:
    text = f"""FROM node:22 AS pruner
WORKDIR /shop
COPY . .
RUN {prune}
FROM node:22
WORKDIR /shop
COPY --from=pruner /shop/out/json/ .
COPY --from=pruner /shop/out/full/ .
CMD ["node", "apps/web/server.js"]
"""
    server = "require('http').createServer((asked, answer) => answer.end()).listen(80);\n"
    files = {"Dockerfile": text, "apps/web/server.js": server, "package.json": "{}"}
    (launch,) = read(files).launches
    assert (launch.program is not None) is ("turbo" in prune)


@pytest.mark.parametrize(
    ("options", "started", "verdict"),
    [
        ('"outputPath": "dist/apps/shop", "main": "apps/shop/src/main.ts"', "main.js", "handled"),
        (
            '"outputPath": "{workspaceRoot}/dist/{projectRoot}", "main": "{projectRoot}/src/main.ts"',
            "main.js",
            "handled",
        ),
        ('"outputPath": "dist/apps/shop", "main": "apps/shop/src/main.ts"', "src/main.js", "handled"),
        ('"outputPath": "dist/apps/till", "main": "apps/shop/src/main.ts"', "main.js", "unknown"),
        ('"outputPath": "dist/apps/shop", "main": "apps/shop/src/main.ts"', "other.js", "unknown"),
    ],
)
def test_what_nx_builds_is_put_into_the_image(options: str, started: str, verdict: str) -> None:
    text = f'FROM node:22\nWORKDIR /app\nCOPY ./dist/apps/shop .\nCMD ["node", "./{started}"]\n'
    project = f'{{"targets": {{"build": {{"executor": "@nx/webpack:webpack", "options": {{{options}}}}}}}}}'
    files = {"apps/shop/Dockerfile": text, "apps/shop/project.json": project, "package.json": "{}"}
    (launch,) = read({**files, "apps/shop/src/main.ts": HANDLER}).launches
    assert launch.verdict.value == verdict, launch.why


@pytest.mark.parametrize(("output", "verdict"), [("./client", "ignored"), ("../other", "unknown")])
def test_the_client_that_prisma_generates(output: str, verdict: str) -> None:
    schema = f'generator client {{\n  provider = "prisma-client-js"\n  output   = "{output}"\n}}\n'
    app = "const { PrismaClient } = require('../prisma/client');\nnew PrismaClient();\nsetInterval(() => {}, 1000);\n"
    text = 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["node", "src/main.js"]\n'
    (launch,) = read({"Dockerfile": text, "src/main.js": app, "prisma/schema.prisma": schema}).launches
    assert launch.verdict.value == verdict, launch.why
