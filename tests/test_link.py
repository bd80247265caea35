"""Which files make a launch together, and what that launch amounts to."""

from __future__ import annotations

import sys

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.testing import read

HANDLES = """\
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    while True:
        time.sleep(1)
finally:
    print("clean")
"""
NO_HANDLER = "import time\n\nwhile True:\n    time.sleep(1)\n"
SLOW = """\
import signal
import time

stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
while not stopping:
    time.sleep({pause})
"""


def dockerfile(command: str = 'CMD ["python", "worker.py"]', base: str = "python:3.12-slim") -> str:
    return f"FROM {base}\nWORKDIR /app\nCOPY . .\n{command}\n"


def pod(image: str, spec: str = "", container: str = "") -> str:
    return (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: worker\nspec:\n"
        f"{spec}  containers:\n    - name: worker\n      image: {image}\n{container}"
    )


def launches(**files: str) -> list[Launch]:
    """Launches of a project; in file names `__` stands for a slash and `_` for a dot."""
    return list(read({name.replace("__", "/").replace("_", "."): text for name, text in files.items()}).launches)


def only(**files: str) -> Launch:
    (launch,) = launches(**files)
    return launch


def argv(launch: Launch) -> list[str]:
    return [word.value for word in launch.argv or ()]


class TestLinks:
    def test_a_dockerfile_by_itself_is_a_launch_with_dockers_grace(self) -> None:
        launch = only(Dockerfile=dockerfile(), worker_py=HANDLES)
        assert (launch.origin.kind, launch.link, launch.grace.value) == ("dockerfile", None, 10.0)
        assert launch.verdict is Verdict.HANDLED

    def test_compose_builds_a_stage_which_is_then_no_launch_of_its_own(self) -> None:
        launch = only(
            api__Dockerfile=dockerfile(), api__worker_py=HANDLES, compose_yaml="services:\n  a:\n    build: api\n"
        )
        assert (launch.origin.kind, launch.origin.name, launch.link) == ("compose", "a", "built")

    def test_compose_can_build_a_stage_that_is_not_the_last(self) -> None:
        text = f"{dockerfile()}\nFROM python:3.12-slim AS other\nCMD true\n".replace("slim\n", "slim AS app\n", 1)
        found = launches(
            Dockerfile=text,
            worker_py=HANDLES,
            compose_yaml="services:\n  a:\n    build:\n      context: .\n      target: app\n",
        )
        assert [launch.origin.name for launch in found] == ["other", "a"]
        assert found[1].stage is not None
        assert found[1].stage.name == "app"

    def test_a_manifest_names_an_image_that_a_folder_builds(self) -> None:
        launch = only(worker__Dockerfile=dockerfile(), worker__worker_py=HANDLES, pod_yaml=pod("acme/worker:1"))
        assert (launch.origin.kind, launch.link, launch.verdict) == ("kubernetes", "named", Verdict.HANDLED)

    def test_the_configuration_declares_what_builds_an_image(self) -> None:
        launch = only(
            docker__app__Dockerfile=dockerfile().replace("COPY . .", "COPY worker.py ."),
            worker_py=HANDLES,
            pod_yaml=pod("acme/something-else:1"),
            gracelint_toml='[images]\n"acme/something-else" = "docker/app/Dockerfile"\n',
        )
        assert (launch.link, launch.verdict) == ("declared", Verdict.HANDLED)

    def test_skaffold_says_what_builds_an_image(self) -> None:
        launch = only(
            src__Dockerfile=dockerfile(),
            src__worker_py=HANDLES,
            skaffold_yaml="apiVersion: skaffold/v4beta1\nkind: Config\nbuild:\n  artifacts:\n"
            "    - image: acme/orders\n      context: src\n",
            pod_yaml=pod("acme/orders"),
        )
        assert (launch.link, launch.verdict) == ("built", Verdict.HANDLED)

    def test_an_image_from_elsewhere_is_unknown(self) -> None:
        launch = only(pod_yaml=pod("acme/elsewhere:1"))
        assert (launch.verdict, launch.why) == (
            Verdict.UNKNOWN,
            "what the image acme/elsewhere:1 starts is not known",
        )


class TestOverrides:
    IMAGE = 'ENTRYPOINT ["python"]\nCMD ["worker.py"]'

    @pytest.mark.parametrize(
        ("override", "started"),
        [
            ("", ["python", "worker.py"]),
            ('      args: ["other.py"]\n', ["python", "other.py"]),
            ('      command: ["sh", "-c", "true"]\n', ["sh", "-c", "true"]),
            ('      command: ["sh"]\n      args: ["run.sh"]\n', ["sh", "run.sh"]),
        ],
    )
    def test_kubernetes(self, override: str, started: list[str]) -> None:
        launch = only(
            worker__Dockerfile=dockerfile(self.IMAGE),
            worker__worker_py=HANDLES,
            pod_yaml=pod("worker", container=override),
        )
        assert argv(launch) == started

    @pytest.mark.parametrize(
        ("override", "started"),
        [
            ("", ["python", "worker.py"]),
            ("    command: other.py --fast\n", ["python", "other.py", "--fast"]),
            ("    entrypoint: sh run.sh\n", ["sh", "run.sh"]),
            ("    entrypoint: sh\n    command: [run.sh]\n", ["sh", "run.sh"]),
        ],
    )
    def test_compose(self, override: str, started: list[str]) -> None:
        launch = only(
            Dockerfile=dockerfile(self.IMAGE),
            worker_py=HANDLES,
            compose_yaml=f"services:\n  a:\n    build: .\n{override}",
        )
        assert argv(launch) == started

    def test_kubernetes_stop_signal_comes_before_the_images(self) -> None:
        launch = only(
            worker__Dockerfile=dockerfile("STOPSIGNAL SIGINT\n" + 'CMD ["python", "worker.py"]'),
            worker__worker_py=HANDLES,
            pod_yaml=pod("worker", container="      lifecycle:\n        stopSignal: SIGTERM\n"),
        )
        assert launch.stop_signal.value == "SIGTERM"


class TestVerdicts:
    def test_init_true_puts_an_init_in_front(self) -> None:
        launch = only(
            Dockerfile=dockerfile(),
            worker_py=NO_HANDLER,
            compose_yaml="services:\n  a:\n    build: .\n    init: true\n",
        )
        assert (launch.hops[0].name, launch.verdict) == ("tini", Verdict.CUT)

    def test_a_shared_process_namespace_takes_pid_1_away(self) -> None:
        launch = only(
            worker__Dockerfile=dockerfile(),
            worker__worker_py=NO_HANDLER,
            pod_yaml=pod("worker", spec="  shareProcessNamespace: true\n"),
        )
        assert (launch.hops[0].pid_1, launch.verdict) == (False, Verdict.CUT)

    def test_sigkill_cuts_whatever_the_program_does(self) -> None:
        launch = only(Dockerfile=dockerfile('STOPSIGNAL 9\nCMD ["python", "worker.py"]'), worker_py=HANDLES)
        assert launch.verdict is Verdict.CUT
        assert launch.why == "SIGKILL cannot be caught: the kernel ends everything at once"

    def test_a_stop_signal_that_cannot_be_resolved_leaves_the_verdict_open(self) -> None:
        launch = only(Dockerfile=dockerfile('ARG S\nSTOPSIGNAL $S\nCMD ["python", "worker.py"]'), worker_py=HANDLES)
        assert launch.verdict is Verdict.UNKNOWN
        assert launch.why == "the stop signal $S is only known when the image is built"

    @pytest.mark.parametrize(("pause", "verdict"), [(2, Verdict.HANDLED), (60, Verdict.IGNORED)])
    def test_a_flag_must_be_looked_at_within_the_grace(self, pause: int, verdict: Verdict) -> None:
        launch = only(Dockerfile=dockerfile(), worker_py=SLOW.format(pause=pause))
        assert launch.verdict is verdict

    def test_a_longer_grace_lets_a_slow_program_notice(self) -> None:
        launch = only(
            worker__Dockerfile=dockerfile(),
            worker__worker_py=SLOW.format(pause=60),
            pod_yaml=pod("worker", spec="  terminationGracePeriodSeconds: 90\n"),
        )
        assert launch.verdict is Verdict.HANDLED

    def test_a_command_of_a_base_built_here_is_declared_by_each_from(self) -> None:
        base = dockerfile("CMD python worker.py")
        settings = '[images]\n"acme/base" = "base/Dockerfile"\n'
        both = launches(
            base__Dockerfile=base, app__Dockerfile="FROM acme/base:1\n", gracelint_toml=settings, app__worker_py=HANDLES
        )
        places = {(launch.origin.span.source.path, launch.origin.span.line): launch.verdict for launch in both}
        assert places == {("base/Dockerfile", 4): Verdict.IGNORED, ("app/Dockerfile", 1): Verdict.IGNORED}

    def test_an_unknown_base_may_bring_an_init(self) -> None:
        launch = only(Dockerfile=dockerfile(base="acme/base:1"), worker_py=NO_HANDLER)
        assert launch.verdict is Verdict.UNKNOWN
        assert launch.why == "the image acme/base:1 may bring an ENTRYPOINT of its own, such as an init"

    def test_an_unknown_base_is_no_matter_where_the_entrypoint_is_set(self) -> None:
        launch = only(Dockerfile=dockerfile('ENTRYPOINT ["python", "worker.py"]', "acme/base:1"), worker_py=NO_HANDLER)
        assert launch.verdict is Verdict.IGNORED

    def test_an_unknown_base_that_names_no_command_gets_what_compose_says_as_arguments(self) -> None:
        launch = only(
            Dockerfile="FROM apache/airflow:2.10.4\nCOPY dags /opt/airflow/dags\n",
            compose_yaml="services:\n  worker:\n    build: .\n    command: celery worker\n",
        )
        assert launch.verdict is Verdict.UNKNOWN
        assert launch.why == (
            "nothing is known of the image apache/airflow:2.10.4, and its ENTRYPOINT gets the command as arguments"
        )

    def test_an_unknown_base_may_bring_the_stop_signal_of_its_server(self) -> None:
        serve = 'ENTRYPOINT ["nginx", "-g", "daemon off;"]'
        launch = only(Dockerfile=dockerfile(serve, "acme/nginx-certbot:1"))
        assert launch.verdict is Verdict.UNKNOWN
        assert launch.why == (
            "the image acme/nginx-certbot:1 may bring a STOPSIGNAL of its own: "
            "on SIGQUIT, nginx finishes what is in flight"
        )

    @pytest.mark.parametrize(("signal", "verdict"), [("SIGTERM", Verdict.CUT), ("SIGQUIT", Verdict.HANDLED)])
    def test_a_stop_signal_that_is_set_is_the_one(self, signal: str, verdict: Verdict) -> None:
        serve = f'STOPSIGNAL {signal}\nENTRYPOINT ["nginx", "-g", "daemon off;"]'
        assert only(Dockerfile=dockerfile(serve, "acme/nginx-certbot:1")).verdict is verdict


def test_a_stage_that_two_services_run_is_shared() -> None:
    found = launches(
        Dockerfile=dockerfile(),
        worker_py=HANDLES,
        compose_yaml="services:\n  a:\n    build: .\n  b:\n    build: .\n",
    )
    assert [launch.shared for launch in found] == [True, True]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile.dev", dockerfile()),
        ("Dockerfile", dockerfile().replace("slim", "slim AS dev")),
        (".devcontainer/Dockerfile", dockerfile()),
    ],
)
def test_images_named_for_development(name: str, text: str) -> None:
    (launch,) = read({name: text, "worker.py": HANDLES}).launches
    assert launch.development


@pytest.mark.parametrize(
    ("folder", "development"),
    [("dev/docker", True), ("scripts/local", True), ("rootfs/usr/local/bin", False), ("docker", False)],
)
def test_what_an_entry_script_s_folder_says_counts(folder: str, development: bool) -> None:
    text = dockerfile('ENTRYPOINT ["/entry.sh"]').replace("COPY .", f"COPY {folder}/entry.sh /\nCOPY .")
    (launch,) = read({"Dockerfile": text, f"{folder}/entry.sh": "#!/bin/sh\nexec sleep 9\n"}).launches
    assert [hop.argv[0] for hop in launch.hops][:1] == ["/entry.sh"]
    assert launch.development is development


@pytest.mark.parametrize(
    ("path", "development"),
    [
        ("tools/integration_tests/accounts.py", True),
        ("tests/stub.py", True),
        ("mock_accounts.py", True),
        ("tools/integrations/accounts.py", False),
        ("accounts.py", False),
    ],
)
def test_a_program_of_tests_is_for_development(path: str, development: bool) -> None:
    text = dockerfile(f'ENTRYPOINT ["python", "{path}"]').replace("COPY .", f"COPY {path} {path}\nCOPY .")
    (launch,) = read({"Dockerfile": text, path: HANDLES}).launches
    assert launch.development is development


@pytest.mark.parametrize(
    ("folder", "development"),
    [(".devcontainer", True), ("e2e", True), ("archive", True), ("deploy", False)],
)
def test_what_stands_in_a_folder_for_development_is_for_development(folder: str, development: bool) -> None:
    service = "services: {worker: {image: acme/worker, command: [worker]}}\n"
    for name, text in (("compose.yaml", service), ("pod.yaml", pod("acme/worker"))):
        (launch,) = read({f"{folder}/{name}": text}).launches
        assert launch.development is development


@pytest.mark.parametrize(("folder", "link"), [("web/", None), ("_archived/", "named")])
def test_what_is_kept_for_the_record_builds_what_is_kept_with_it(folder: str, link: str | None) -> None:
    files = {"_archived/worker/Dockerfile": dockerfile(), "_archived/worker/worker.py": HANDLES}
    found = read({**files, f"{folder}pod.yaml": pod("acme/worker")}).launches
    assert [one.link for one in found if one.origin.kind == "kubernetes"] == [link]


def test_of_two_dockerfiles_that_fit_the_one_beside_the_manifest_is_meant() -> None:
    files = {f"{folder}/shop/Dockerfile": dockerfile() for folder in ("store", "events")}
    named = pod("acme/shop:1")
    beside = read({**files, "store/shop/pod.yaml": named}).launches[-1]
    assert beside.stage is not None and beside.stage.source.path == "store/shop/Dockerfile"
    apart = read({**files, "deploy/pod.yaml": named}).launches[-1]
    assert (apart.stage, apart.fitting) == (None, ("events/shop/Dockerfile", "store/shop/Dockerfile"))


def test_windows_images_are_no_launches() -> None:
    text = "FROM mcr.microsoft.com/windows/servercore:ltsc2022\nCMD app.exe\n"
    assert launches(Dockerfile=text) == []
    (launch,) = launches(Dockerfile=text, compose_yaml="services:\n  a:\n    build: .\n")
    assert (launch.hops, launch.why) == ((), "a Windows container gets no signals")


@pytest.mark.parametrize(
    "image", ["mongo:windowsservercore", "redis:nanoserver", "golang:1.26-windowsservercore-ltsc2025"]
)
def test_a_tag_says_that_an_image_is_for_windows(image: str) -> None:
    (launch,) = launches(compose_yaml=f"services:\n  a:\n    image: {image}\n")
    assert (launch.verdict, launch.why) == (Verdict.UNKNOWN, "a Windows container gets no signals")


class TestVariablesOfConfigMaps:
    ENTRY = '#!/bin/sh\nif [ "$ROLE" = worker ]; then exec python worker.py; fi\npython worker.py\n'
    MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  ROLE: worker\n---\n"

    def launch(self, container: str) -> Launch:
        return only(
            Dockerfile=dockerfile('ENTRYPOINT ["sh", "/app/entry.sh"]'),
            entry_sh=self.ENTRY,
            worker_py=SLOW.format(pause=0.2),
            pod_yaml=self.MAP + pod("worker", container=container),
        )

    @pytest.mark.parametrize(
        ("container", "verdict"),
        [
            ("      envFrom:\n        - configMapRef: {name: settings}\n", Verdict.HANDLED),
            ("      envFrom:\n        - configMapRef: {name: settings}\n          prefix: APP_\n", Verdict.IGNORED),
            ("      envFrom:\n        - configMapRef: {name: elsewhere}\n", Verdict.UNKNOWN),
            (
                "      envFrom:\n        - configMapRef: {name: settings}\n        - secretRef: {name: keys}\n",
                Verdict.UNKNOWN,
            ),
            (
                "      env:\n        - {name: ROLE, valueFrom: {configMapKeyRef: {name: settings, key: ROLE}}}\n",
                Verdict.HANDLED,
            ),
            (
                "      envFrom:\n        - configMapRef: {name: settings}\n"
                "      env:\n        - {name: ROLE, value: web}\n",
                Verdict.IGNORED,
            ),
        ],
    )
    def test_they_decide_the_way_through_the_entry_script(self, container: str, verdict: Verdict) -> None:
        assert self.launch(container).verdict is verdict

    @pytest.mark.parametrize(("count", "verdict"), [(400, Verdict.HANDLED), (600, Verdict.UNKNOWN)])
    def test_of_a_config_map_with_more_than_a_start_could_ask_for_none_is_known(
        self, monkeypatch: pytest.MonkeyPatch, count: int, verdict: Verdict
    ) -> None:
        more = "".join(f"  KEY_{number}: x\n" for number in range(count))
        monkeypatch.setattr(self, "MAP", self.MAP.replace("---\n", f"{more}---\n"), raising=False)
        assert self.launch("      envFrom:\n        - configMapRef: {name: settings}\n").verdict is verdict


@pytest.mark.parametrize(
    ("name", "first", "text"),
    [
        ("start", "#!/usr/bin/env python3", NO_HANDLER),
        ("start", "#!/usr/local/bin/python", NO_HANDLER),
        ("start", "#!/usr/bin/env node", "setInterval(() => {}, 1000);\n"),
        ("start.js", "#!/usr/bin/nodejs", "setInterval(() => {}, 1000);\n"),
        ("start", "#!/usr/bin/env -S node --enable-source-maps", "setInterval(() => {}, 1000);\n"),
        ("start", "#!/bin/sh", "while :; do date; done\n"),
    ],
)
def test_a_program_is_run_by_what_its_first_line_names(name: str, first: str, text: str) -> None:
    (launch,) = read({"Dockerfile": dockerfile(f'CMD ["./{name}"]', "debian:12"), name: f"{first}\n{text}"}).launches
    assert launch.verdict is Verdict.IGNORED, launch.why


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("python:3.10-slim", "worker.py has a syntax error in line 2, to {here}"),
        ("python:3.99-slim", "worker.py cannot be read by {here}, in line 2: the image has 3.99"),
        ("debian:12", "worker.py has a syntax error in line 2, to {here}"),
    ],
)
def test_a_program_in_a_newer_python_is_not_called_wrong(base: str, why: str) -> None:
    launch = only(Dockerfile=dockerfile(base=base), worker_py="import time\nwhenever True:\n    time.sleep(1)\n")
    here = f"Python {sys.version_info.major}.{sys.version_info.minor}, which gracelint runs on"
    assert (launch.verdict, launch.why) == (Verdict.UNKNOWN, why.format(here=here))
