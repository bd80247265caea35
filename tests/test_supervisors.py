"""Programs that run several others, named in files of their own."""

from __future__ import annotations

import pytest

from gracelint.engine import lint
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.reading import read_project
from gracelint.testing import read, request

WORKER = """\
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


def launch(command: str, *lines: str, **files: str) -> Launch:
    text = "\n".join(("FROM python:3.12-slim", "WORKDIR /app", *lines, "COPY . .", f"CMD {command}", ""))
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    (found,) = read(
        {"Dockerfile": text, "worker.py": WORKER, "silent.py": "import time\nwhile True:\n    time.sleep(1)\n", **named}
    ).launches
    return found


class TestSupervisord:
    COMMAND = '["supervisord", "-n", "-c", "/app/supervisord.conf"]'

    @pytest.mark.parametrize(
        ("program", "verdict"),
        [
            ("command=python worker.py", Verdict.HANDLED),
            ("command = python worker.py ; the queue\nautorestart=true", Verdict.HANDLED),
            ("command=sh -c 'exec python worker.py'", Verdict.HANDLED),
            ("command=sh -c 'cd /app && python worker.py'", Verdict.CUT),
            ("command=python worker.py\nstopsignal=KILL", Verdict.CUT),
            ("command=python worker.py\nstopsignal=QUIT", Verdict.CUT),
            ("command=python silent.py", Verdict.CUT),
        ],
    )
    def test_each_program_is_stopped_with_its_signal(self, program: str, verdict: Verdict) -> None:
        assert launch(self.COMMAND, supervisord_conf=f"[program:worker]\n{program}\n").verdict is verdict

    @pytest.mark.parametrize(
        ("command", "why"),
        [
            ("python %(ENV_HOME_OF)s/worker.py", None),
            ("%(ENV_RUNS)s worker.py", None),
            ("python %(program_name)s.py", None),
            ("python /app/%(process_num)02d.py", "/app/00.py is not in the project"),
            ("python %(ENV_GIVEN)s/worker.py", "`$GIVEN/worker.py` is only known when it runs"),
        ],
    )
    def test_what_is_put_into_a_command(self, command: str, why: str | None) -> None:
        lines = ("ENV HOME_OF=/app RUNS='python -u'", "ARG GIVEN", "ENV GIVEN=$GIVEN")
        found = launch(self.COMMAND, *lines, supervisord_conf=f"[program:worker]\ncommand={command}\n")
        assert found.verdict is (Verdict.UNKNOWN if why else Verdict.HANDLED)
        assert why is None or found.why == why

    def test_it_goes_on_when_all_its_programs_have_ended(self) -> None:
        found = launch(self.COMMAND, supervisord_conf="[program:setup]\ncommand=cp a b\nautorestart=false\n")
        assert (found.verdict, found.one_shot) == (Verdict.UNKNOWN, False)
        assert found.why == (
            "all that supervisord starts ends by itself, and whether more is started later is not known"
        )

    def test_the_worst_of_several_programs_decides(self) -> None:
        text = "[program:a]\ncommand=python worker.py\n[program:b]\ncommand=python silent.py\n"
        found = launch(self.COMMAND, supervisord_conf=text)
        assert (found.verdict, found.hops[-1].name) == (Verdict.CUT, "silent.py")

    def test_each_program_that_goes_wrong_is_reported_where_it_is_to_be_mended(self) -> None:
        silent = "import time\nwhile True:\n    time.sleep(1)\n"
        programs = {
            "a": "python silent.py",
            "b": "python other.py",
            "c": "sh -c 'cd /app && python worker.py'",
            "d": "python worker.py",
            "e": "python silent.py",
        }
        files = {
            "Dockerfile": f"FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD {self.COMMAND}\n",
            "supervisord.conf": "".join(f"[program:{name}]\ncommand={text}\n" for name, text in programs.items()),
            "worker.py": WORKER,
            "silent.py": silent,
            "other.py": silent,
        }
        asked, selection = request(files)
        report = lint(read_project(asked), selection)
        assert [(item.rule, item.path, item.finding.at.line) for item in report.findings] == [
            ("missing-sigterm-handler", "other.py", 3),
            ("missing-sigterm-handler", "silent.py", 3),
            ("shell-wrapper", "supervisord.conf", 6),
        ]
        assert report.containers[Verdict.CUT] == 1

    def test_a_program_that_is_not_started_does_not_count(self) -> None:
        text = "[program:a]\ncommand=python worker.py\n[program:b]\ncommand=python silent.py\nautostart=false\n"
        assert launch(self.COMMAND, supervisord_conf=text).verdict is Verdict.HANDLED

    @pytest.mark.parametrize(
        ("script", "verdict"),
        [
            ("python prepare.py\nsupervisorctl start b >/dev/null\n", Verdict.CUT),
            ("supervisorctl start all\n", Verdict.CUT),
            ("python prepare.py\nsupervisorctl start a\n", Verdict.HANDLED),
            ('if [ "$LOCAL" = yes ]; then\n  supervisorctl start b\nfi\nexit 0\n', Verdict.UNKNOWN),
        ],
    )
    def test_a_program_that_another_one_starts_counts(self, script: str, verdict: Verdict) -> None:
        text = (
            "[program:first]\ncommand=/app/first.sh\nautorestart=false\n[program:a]\ncommand=python worker.py\n"
            "[program:b]\ncommand=python silent.py\nautostart=false\n"
        )
        files = {"first_sh": "#!/bin/bash\n" + script, "prepare_py": "print(1)\n"}
        assert launch(self.COMMAND, supervisord_conf=text, **files).verdict is verdict

    def test_its_configuration_may_be_elsewhere(self) -> None:
        found = launch(self.COMMAND.replace("/app/", "/etc/"))
        assert (found.verdict, found.why) == (
            Verdict.UNKNOWN,
            "what supervisord runs cannot be read: its file is not in the project",
        )

    def test_hops_point_to_the_command_in_the_configuration(self) -> None:
        found = launch(self.COMMAND, supervisord_conf="[program:worker]\ncommand=python worker.py\n")
        span = found.hops[-1].span
        assert span is not None
        assert (span.source.path, span.line, span.text) == ("supervisord.conf", 2, "python worker.py")


class TestHoncho:
    def test_a_shell_in_between_does_no_harm(self) -> None:
        found = launch('["honcho", "start"]', Procfile="web: cd /app && python worker.py\n")
        assert found.verdict is Verdict.HANDLED

    def test_what_an_entry_starts_stands_behind_its_name(self) -> None:
        found = launch('["honcho", "start"]', Procfile="# all\nweb:   cd /app && python worker.py \n")
        places = [hop.span.text for hop in found.hops if hop.span is not None and hop.span.source.path == "Procfile"]
        assert places[0] == "cd /app && python worker.py"

    def test_only_the_named_entries_are_started(self) -> None:
        text = "good: python worker.py\nbad: python silent.py\n"
        assert launch('["honcho", "start", "good"]', Procfile=text).verdict is Verdict.HANDLED
        assert launch('["honcho", "start"]', Procfile=text).verdict is Verdict.CUT

    def test_goreman_signals_what_a_shell_runs_too(self) -> None:
        found = launch('["goreman", "-f", "Procfile", "start"]', Procfile="web: cd /app && python worker.py\n")
        assert (found.verdict, found.hops[0].name) == (Verdict.HANDLED, "goreman")

    def test_honcho_run_passes_nothing_on(self) -> None:
        assert launch('["honcho", "run", "python", "worker.py"]').verdict is Verdict.IGNORED


class TestForego:
    def test_its_entries_replace_their_shell(self) -> None:
        found = launch('["forego", "start", "-r"]', Procfile="web: python worker.py\n")
        assert found.verdict is Verdict.HANDLED

    @pytest.mark.parametrize(("options", "seconds"), [("", 3.0), ('"-t", "20", ', 20.0)])
    def test_what_it_gives_an_entry(self, options: str, seconds: float) -> None:
        served = "web: gunicorn --graceful-timeout 10 shop:application\n"
        found = launch(f'["forego", "start", {options}"-r"]', Procfile=served)
        assert [one.deadline.value for one in found.shortfalls] == ([seconds] if seconds < 10 else [])

    def test_sigquit_ends_it_at_once(self) -> None:
        found = launch('["forego", "start"]\nSTOPSIGNAL SIGQUIT', Procfile="web: python worker.py\n")
        assert (found.verdict, found.why) == (
            Verdict.CUT,
            "forego has no handler for SIGQUIT, which ends it at once",
        )


class TestServices:
    RUN = "#!/bin/sh\nexec python /app/worker.py\n"

    @pytest.mark.parametrize(
        ("command", "verdict"),
        [
            ('["s6-svscan", "/app/sv"]', Verdict.HANDLED),
            ('["runsv", "/app/sv/a"]', Verdict.HANDLED),
            ('["runsvdir", "/app/sv"]', Verdict.CUT),
            ('["svscan", "/app/sv"]', Verdict.IGNORED),
        ],
    )
    def test_each_supervisor_has_its_way(self, command: str, verdict: Verdict) -> None:
        assert launch(command, sv__a__run=self.RUN).verdict is verdict

    def test_a_run_script_without_exec_is_cut(self) -> None:
        run = self.RUN.replace("exec ", "")
        assert launch('["s6-svscan", "/app/sv"]', sv__a__run=run).verdict is Verdict.CUT


class TestMake:
    @pytest.mark.parametrize(
        ("recipe", "verdict"),
        [
            ("python worker.py", Verdict.HANDLED),
            ("exec python worker.py", Verdict.HANDLED),
            ("cd /app && python worker.py", Verdict.IGNORED),
            ("python silent.py", Verdict.CUT),
        ],
    )
    def test_the_last_line_of_the_recipe_decides(self, recipe: str, verdict: Verdict) -> None:
        assert launch('["make", "run"]', Makefile=f"run:\n\t{recipe}\n").verdict is verdict

    def test_under_an_init_make_does_not_wait(self) -> None:
        found = launch('["tini", "--", "make", "run"]', Makefile="run:\n\tcd /app && python worker.py\n")
        assert found.verdict is Verdict.CUT


class TestS6Overlay:
    @pytest.mark.parametrize(("program", "verdict"), [("worker", Verdict.HANDLED), ("silent", Verdict.CUT)])
    def test_the_command_behind_it_is_told_to_stop_too(self, program: str, verdict: Verdict) -> None:
        found = launch(
            f'["python", "{program}.py"]\n'
            "ADD https://github.com/just-containers/s6-overlay/releases/download/v3/x.tar.xz /tmp\n"
            'ENTRYPOINT ["/init"]'
        )
        assert found.verdict is verdict

    @pytest.mark.parametrize(("kind", "verdict"), [("longrun", Verdict.CUT), ("oneshot", Verdict.UNKNOWN)])
    def test_a_one_shot_is_no_service(self, kind: str, verdict: Verdict) -> None:
        folder = "rootfs/etc/s6-overlay/s6-rc.d/setup"
        files = {
            "Dockerfile": "FROM debian:12-slim\nWORKDIR /app\nCOPY rootfs/ /\nCOPY . .\n"
            "ADD https://github.com/just-containers/s6-overlay/releases/download/v3/x.tar.xz /tmp\n"
            'ENTRYPOINT ["/init"]\n',
            f"{folder}/type": f"{kind}\n",
            f"{folder}/run": "#!/bin/sh\npython /app/silent.py\necho done\n",
            "silent.py": "import time\nwhile True:\n    time.sleep(1)\n",
        }
        (found,) = read(files).launches
        assert found.verdict is verdict

    @pytest.mark.parametrize(
        ("settings", "seconds"),
        [
            ("", [6.0]),
            ("ENV S6_KILL_GRACETIME=5000", [8.0]),
            ("ENV S6_SERVICES_GRACETIME=9000", []),
            ("ENV S6_KILL_GRACETIME=soon", []),
            ("ENV S6_SERVICES_GRACETIME=soon", []),
        ],
    )
    def test_what_it_gives_a_service(self, settings: str, seconds: list[float]) -> None:
        files = {
            "Dockerfile": f"FROM python:3.12-slim\nWORKDIR /app\nCOPY rootfs/ /\n{settings}\n"
            "ADD https://github.com/just-containers/s6-overlay/releases/download/v3/x.tar.xz /tmp\n"
            'ENTRYPOINT ["/init"]\n',
            "rootfs/etc/services.d/web/run": "#!/bin/sh\nexec gunicorn --graceful-timeout 10 shop:application\n",
        }
        (found,) = read(files).launches
        assert [one.deadline.value for one in found.shortfalls] == seconds


class TestCircus:
    @pytest.mark.parametrize(
        ("watcher", "verdict"),
        [
            ("cmd = python worker.py", Verdict.HANDLED),
            ("cmd = python\nargs = worker.py", Verdict.HANDLED),
            ("cmd = python worker.py\nstop_signal = QUIT", Verdict.CUT),
            ("cmd = python worker.py\nshell = True", Verdict.CUT),
            ("cmd = python silent.py", Verdict.CUT),
            ("cmd = python silent.py\nautostart = False\n[watcher:b]\ncmd = python worker.py", Verdict.HANDLED),
        ],
    )
    def test_each_watcher_is_stopped_with_its_signal(self, watcher: str, verdict: Verdict) -> None:
        found = launch('["circusd", "--log-level", "info", "circus.ini"]', circus_ini=f"[watcher:a]\n{watcher}\n")
        assert found.verdict is verdict

    def test_its_file_is_the_operand(self) -> None:
        found = launch('["circusd", "other.ini"]', circus_ini="[watcher:a]\ncmd = python worker.py\n")
        assert found.why == "what circus runs cannot be read: its file is not in the project"


class TestRunit:
    RUN = "#!/bin/sh\nexec python /app/worker.py\n"

    def trap(self, action: str, **more: str) -> Launch:
        script = f"#!/bin/sh\ntrap '{action}' TERM\nrunsvdir -P /app/sv &\npid=$!\nwait $pid\n"
        return launch('["./start.sh"]', start_sh=script, sv__worker__run=self.RUN, **more)

    @pytest.mark.parametrize(
        ("action", "verdict"),
        [
            ("sv stop /app/sv/*; kill -HUP $pid; wait $pid", Verdict.HANDLED),
            ("sv -w 20 force-stop /app/sv/worker; exit 0", Verdict.HANDLED),
            ("kill -HUP $pid; sv stop /app/sv/*; wait $pid", Verdict.CUT),
            ("sv down /app/sv/*; exit 0", Verdict.CUT),
            ("sv stop /app/sv/*; wait $pid", Verdict.IGNORED),
        ],
    )
    def test_sv_stops_the_services_before_the_script_ends_them(self, action: str, verdict: Verdict) -> None:
        assert self.trap(action).verdict is verdict

    def test_a_service_that_sv_is_not_told_of_is_killed(self) -> None:
        assert self.trap("sv stop /app/sv/worker; exit 0", sv__other__run=self.RUN).verdict is Verdict.CUT


def test_the_time_of_the_rest_is_that_of_the_supervisor_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table("supervisors")["supervisord"], "rest", "KILL_TIME")
    monkeypatch.setitem(
        table("environment"), "supervisord", {"kill": {"variable": "KILL_TIME", "unit": 1, "default": 7}}
    )
    found = launch('["supervisord", "-c", "supervisord.conf"]', supervisord_conf="[program:web]\ncommand=./web\n")
    assert [hop.details["rest"] for hop in found.hops if "rest" in hop.details] == ["7 s (KILL_TIME)"]
