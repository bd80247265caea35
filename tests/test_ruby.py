"""Ruby programs: from `ruby app.rb` or `rake worker` to the script, and what it does with the signal."""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

IMAGE = "FROM ruby:3.3-slim\nWORKDIR /app\nCOPY . .\n"


def launch(files: dict[str, str], command: str = '["ruby", "app.rb"]') -> Launch:
    (found,) = read_project(request({"Dockerfile": f"{IMAGE}CMD {command}\n", **files})[0]).launches
    return found


def script(text: str) -> tuple[Verdict, str]:
    found = launch({"app.rb": text})
    return found.verdict, found.why


class TestWhatTheRuntimeDoes:
    @pytest.mark.parametrize(
        ("text", "verdict", "why"),
        [
            (
                "loop { sleep 1 }\n",
                Verdict.CUT,
                "it does not trap SIGTERM, and does nothing on the way of the exception that ends it",
            ),
            (
                "begin\n  loop { sleep 1 }\nensure\n  puts 'bye'\nend\n",
                Verdict.HANDLED,
                "SIGTERM is the exception SignalException to Ruby, and line 3 cleans up on its way",
            ),
            (
                "at_exit { puts 'bye' }\nsleep\n",
                Verdict.HANDLED,
                "SIGTERM is the exception SignalException to Ruby, and line 1 cleans up on its way",
            ),
            (
                "loop do\n  sleep 1\nrescue => e\n  puts e\nend\n",
                Verdict.CUT,
                "it does not trap SIGTERM, and does nothing on the way of the exception that ends it",
            ),
            (
                "loop do\n  sleep 1\nrescue Exception => e\n  puts e\nend\n",
                Verdict.IGNORED,
                "the rescue of line 3 catches the SignalException of SIGTERM, and it goes on",
            ),
            (
                "begin\n  sleep\nrescue Interrupt\n  puts 'bye'\nend\n",
                Verdict.CUT,
                "it rescues Interrupt, which is SIGINT alone, so Ruby ends it at once on SIGTERM",
            ),
            ("trap('TERM', 'IGNORE')\nsleep\n", Verdict.IGNORED, "line 1 ignores SIGTERM"),
            (
                "trap('TERM', 'SYSTEM_DEFAULT')\nsleep\n",
                Verdict.IGNORED,
                "line 1 gives SIGTERM back to the kernel, which keeps it from PID 1",
            ),
        ],
    )
    def test_the_signal_is_an_exception(self, text: str, verdict: Verdict, why: str) -> None:
        assert script(text) == (verdict, f"app.rb: {why}")

    def test_a_trap_lets_the_sleep_go_on(self) -> None:
        verdict, why = script("stop = false\ntrap('TERM') { stop = true }\nsleep 60 until stop\n")
        assert verdict is Verdict.IGNORED
        assert why.endswith("but SIGKILL comes after 10 s")

    def test_what_is_still_at_its_cleanup(self) -> None:
        text = "trap('TERM') do\n  Thread.new { puts 'bye' }\n  exit!\nend\nsleep\n"
        why = "app.rb: on SIGTERM `exit!` ends it at once while the thread of line 2 is still at its cleanup"
        assert script(text) == (Verdict.CUT, why)

    @pytest.mark.parametrize("lock", ["Mutex", "Thread::Mutex", "Monitor"])
    def test_a_trap_gets_no_lock(self, lock: str) -> None:
        loop = "until done\n  sleep 1\nend\n"
        text = f"require 'monitor'\nlock = {lock}.new\ndone = false\ntrap('TERM') {{ TAKES }}\n{loop}"
        why = "app.rb: line 4 asks for a lock in a trap, which raises ThreadError, and that ends it"
        assert script(text.replace("TAKES", "lock.synchronize { done = true }")) == (Verdict.CUT, why)
        assert script(text.replace("TAKES", "done = true"))[0] is Verdict.HANDLED
        # a thread of its own may have it
        assert script(text.replace("TAKES", "Thread.new { lock.synchronize { done = true } }"))[0] is Verdict.HANDLED

    def test_what_rescues_the_error_of_a_lock_in_a_trap(self) -> None:
        text = "lock = Mutex.new\ntrap('TERM') { lock.synchronize { exit } }\nbegin\n  sleep\nrescue ThreadError\nend\n"
        assert script(text)[0] is Verdict.HANDLED

    @pytest.mark.parametrize(
        ("rest", "verdict", "why"),
        [
            (
                "  puts 'flushed'\n",
                Verdict.CUT,
                "on SIGTERM main comes to its end while the thread of line 3 is still at its cleanup",
            ),
            ("", Verdict.HANDLED, "it handles SIGTERM in line 2, and main comes to its end once that is done"),
        ],
    )
    def test_a_thread_that_nothing_joins(self, rest: str, verdict: Verdict, why: str) -> None:
        loop = f"Thread.new do\n  while $on\n    sleep 0.5\n  end\n{rest}end\n"
        text = f"$on = true\ntrap('TERM') {{ $on = false }}\n{loop}sleep 0.1 while $on\n"
        assert script(text) == (verdict, f"app.rb: {why}")

    def test_threads_that_are_joined_by_the_name_of_the_method(self) -> None:
        loop = "Thread.new do\n  until $stop\n    sleep 0.5\n  end\n  puts 'flushed'\nend\n"
        text = f"trap('TERM') {{ $stop = true }}\none = {loop}[one].each(&:join)\n"
        why = "app.rb: it handles SIGTERM in line 1, and main comes to its end once that is done"
        assert script(text) == (Verdict.HANDLED, why)

    def test_a_thread_that_goes_round_for_ever_is_not_waited_for(self) -> None:
        loop = "Thread.new do\n  loop { sleep 0.5 }\n  puts 'never'\nend\n"
        assert script(f"stop = false\ntrap('TERM') {{ stop = true }}\n{loop}sleep 0.1 until stop\n")[0] is (
            Verdict.HANDLED
        )


class TestFromTheCommandToTheScript:
    @pytest.mark.parametrize(
        ("command", "files"),
        [
            ('["bundle", "exec", "ruby", "bin/worker.rb"]', ("bin/worker.rb",)),
            ('["ruby", "-Ilib", "bin/worker.rb"]', ("bin/worker.rb",)),
            ('["ruby", "main.rb"]', ("main.rb", "lib/worker.rb")),
            ('["rake", "worker"]', ("Rakefile",)),
        ],
    )
    def test_the_file_it_runs(self, command: str, files: tuple[str, ...]) -> None:
        loop = "trap('TERM') { exit }\nloop { sleep 1 }\n"
        texts = {
            "bin/worker.rb": loop,
            "main.rb": "require_relative 'lib/worker'\n",
            "lib/worker.rb": loop,
            "Rakefile": f"task :worker do\n{loop}end\n",
        }
        found = launch({name: texts[name] for name in files}, command)
        assert found.verdict is Verdict.HANDLED, found.why

    def test_what_it_execs(self) -> None:
        files = {"app.rb": "exec('ruby', 'worker.rb')\n", "worker.rb": "trap('TERM') { exit }\nsleep\n"}
        found = launch(files)
        assert (found.verdict, found.why) == (
            Verdict.HANDLED,
            "worker.rb: it handles SIGTERM in line 1, and `exit` ends it once that is done",
        )

    def test_a_known_worker_by_its_file(self) -> None:
        found = launch({"bin/rails": "#!/usr/bin/env ruby\n"}, '["ruby", "bin/rails", "server"]')
        assert (found.verdict, found.why) == (
            Verdict.HANDLED,
            "rails server finishes what is in flight on SIGTERM and ends",
        )


class TestWhatIsNotRead:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("require 'daemons'\nsleep\n", "whether daemons, which app.rb requires, handles SIGTERM is not known"),
            ("require_relative 'gone'\nsleep\n", "gone, which app.rb requires, could not be read"),
            ("trap(ARGV[0]) { exit }\nsleep\n", "which signal line 1 traps is only known when it runs"),
            ("trap('TERM') { exit }\nexec(ENV['CMD'])\n", "what line 2 execs is only known when it runs"),
        ],
    )
    def test_nobody_can_tell(self, text: str, why: str) -> None:
        verdict, said = script(text)
        assert verdict is Verdict.UNKNOWN
        assert why in said


class TestServers:
    @pytest.mark.parametrize(
        "text",
        [
            "require 'sinatra'\nget('/') { 'ok' }\n",
            "require 'sinatra/base'\nclass Shop < Sinatra::Base\n  get('/') { 'ok' }\nend\nShop.run!\n",
        ],
    )
    def test_sinatra_stops_by_itself(self, text: str) -> None:
        verdict, why = script(text)
        assert verdict is Verdict.HANDLED, why

    def test_resque_by_its_environment(self) -> None:
        quick = launch({}, '["bundle", "exec", "rake", "resque:work"]')
        assert (quick.verdict, quick.why) == (
            Verdict.CUT,
            "SIGTERM is resque's quick stop: its child is killed with the job it works on",
        )
        (found,) = read_project(
            request({"Dockerfile": f'{IMAGE}ENV GRACEFUL_TERM=1\nCMD ["rake", "resque:work"]\n'})[0]
        ).launches
        assert found.verdict is Verdict.HANDLED

    @pytest.mark.parametrize(
        ("settings", "drain"),
        [
            ("workers 2\n", 30.0),
            ("workers 2\nworker_shutdown_timeout 12\n", 12.0),
            ("force_shutdown_after 8\n", 8.0),
            ('workers ENV.fetch("WEB_CONCURRENCY") { 2 }\nworker_shutdown_timeout(9)\n', 9.0),
        ],
    )
    def test_puma_by_its_settings(self, settings: str, drain: float) -> None:
        found = launch({"config/puma.rb": settings}, '["bundle", "exec", "puma"]')
        assert found.budget.drain is not None
        assert (found.verdict, found.budget.drain.seconds) == (Verdict.HANDLED, drain)

    def test_puma_that_has_no_time(self) -> None:
        found = launch({"config/puma.rb": "force_shutdown_after :immediately\n"}, '["puma"]')
        assert (found.verdict, found.why) == (
            Verdict.CUT,
            "`force_shutdown_after :immediately` makes puma drop open requests",
        )


BROKEN_OFF = "on SIGTERM `exit` ends it in the middle of the work of line 3"


def test_names_by_themselves_may_be_calls_in_a_choice() -> None:
    idle = "def idle\n  loop { sleep 1 }\nend\n"
    work = "def work\n  stop = false\n  trap('TERM') { stop = true }\n  sleep 0.1 until stop\nend\n"
    assert script(f"{idle}{work}ARGV[0] == 'idle' ? idle : work\n")[0] is Verdict.HANDLED
    assert script(f"{idle}{work}ENV['IDLE'] ? idle : work\n")[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("rest", "verdict", "why"),
    [
        ("loop do\n  sleep 3\n  puts 'saved'\nend\n", Verdict.HANDLED, ""),
        ("def job\n  sleep 3\n  puts 'saved'\nend\nloop { job }\n", Verdict.HANDLED, ""),
        ("def job = (puts 'begun';\n  sleep 3; puts 'saved')\nloop { job }\n", Verdict.HANDLED, ""),
        ("loop do puts 'begun'\n  sleep 3\n  puts 'saved'\nend\n", Verdict.CUT, BROKEN_OFF),
        ("def job; puts 'begun'\n  sleep 3\n  puts 'saved'\nend\nloop { job }\n", Verdict.CUT, BROKEN_OFF),
        ("loop do puts 'begun'\n  sleep 3\nend\n", Verdict.HANDLED, ""),
        ("loop do job = take\n  if job.nil? then sleep 3 end\n  puts job\nend\n", Verdict.HANDLED, ""),
    ],
)
def test_an_exit_in_a_trap_breaks_off_what_main_is_at(rest: str, verdict: Verdict, why: str) -> None:
    found = script("trap('TERM') { exit }\n" + rest)
    assert found[0] is verdict
    assert why in found[1]


@pytest.mark.parametrize(
    ("guard", "verdict"),
    [
        ("return :off if File.exist?('off')", Verdict.UNKNOWN),
        ("File.exist?('off') and return :off", Verdict.UNKNOWN),
        ("case File.read('mode')\n  when 'x' then return :off\n  end", Verdict.UNKNOWN),
        ("return :on if File.exist?('on')", Verdict.HANDLED),
        ("raise 'no mode' unless File.exist?('on')", Verdict.HANDLED),
    ],
)
def test_what_a_guard_returns_that_may_be_taken(guard: str, verdict: Verdict) -> None:
    mode = f"def mode\n  {guard}\n  :on\nend\n"
    text = f"{mode}trap('TERM', mode == :on ? proc {{ exit }} : 'IGNORE')\nloop {{ sleep 1 }}\n"
    ends = "if mode == :on\n  trap('TERM') { exit }\nelse\n  trap('TERM', 'IGNORE')\nend\nloop { sleep 1 }\n"
    assert script(mode + ends)[0] is verdict
    assert script(text)[0] is verdict


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("STOPS if {on: 1}.key?(:on)", Verdict.HANDLED),
        ("STOPS unless {on: 1}.key?(:off)", Verdict.HANDLED),
        ("STOPS unless {on: 1}.key?(File.read('mode'))", Verdict.UNKNOWN),
        ("jobs = {on: 1}\njobs.delete(:on)\nSTOPS if jobs.empty?", Verdict.HANDLED),
        ("jobs = {on: 1}\njobs.delete(File.read('mode'))\nSTOPS unless jobs.empty?", Verdict.UNKNOWN),
    ],
)
def test_a_key_that_nobody_can_tell_may_be_any(body: str, verdict: Verdict) -> None:
    assert script(body.replace("STOPS", "trap('TERM') { exit }") + "\nloop { sleep 1 }\n")[0] is verdict


@pytest.mark.parametrize(("other", "verdict"), [("true", Verdict.HANDLED), ("false", Verdict.UNKNOWN)])
def test_an_object_by_a_key_that_nobody_can_tell_may_be_each_of_its_kind(other: str, verdict: Verdict) -> None:
    mode = (
        "class Mode\n  def initialize(ends)\n    @ends = ends\n  end\n  def run\n    if @ends\n"
        "      trap('TERM') { exit }\n    else\n      trap('TERM', 'IGNORE')\n    end\n"
        "    loop { sleep 1 }\n  end\nend\n"
    )
    assert script(f"{mode}[Mode.new(true), Mode.new({other})][File.read('mode').to_i].run\n")[0] is verdict


def test_a_command_may_be_the_child_that_has_not_ended() -> None:
    waits = "begin\n  sleep 1 while Process.wait(-1, Process::WNOHANG).nil?\nrescue Errno::ECHILD\nend\n"
    forks = "pid = fork { sleep }\ntrap('TERM') { Process.kill('TERM', pid) }\n"
    assert script(f"{forks}{waits}")[0] is Verdict.HANDLED
    assert script(f"spawn('sleep 60')\n{forks}{waits}") == (
        Verdict.UNKNOWN,
        "app.rb: whether the child that line 5 asks for ends is not known",
    )


def test_a_forked_process_that_nothing_waits_for_may_have_something_to_finish() -> None:
    ends = "trap('TERM') { exit }\nfork { loop { sleep 1 } }\nsleep\n"
    assert script(ends) == (
        Verdict.UNKNOWN,
        "app.rb: whether the process that line 2 forks, which nothing waits for, has something to finish is not known",
    )


def test_a_loop_may_ask_for_what_the_trap_does() -> None:
    text = "trap('TERM') { File.write('stop', '') }\nsleep 1 until File.exist?('stop')\n"
    assert script(text)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("above", "closes", "verdict"),
    [
        ("pool = nil", "pool.shutdown", Verdict.CUT),
        ("pool = nil", "pool&.shutdown", Verdict.HANDLED),
        ("pool = nil", "pool.to_s", Verdict.HANDLED),
        ("pool = nil\nThread.new { pool = Queue.new }", "pool.shutdown", Verdict.HANDLED),
        ("pool = nil", "begin; pool.shutdown; rescue NoMethodError; end", Verdict.HANDLED),
        ("jobs = {'a' => 'b'}", "puts jobs['next'].upcase", Verdict.CUT),
        ("jobs = {'a' => 'b'}\njobs['next'] = 'c'", "puts jobs['next'].upcase", Verdict.HANDLED),
        ("@pool = nil\ndef given(k, v) = instance_variable_set(k, v)", "@pool.shutdown", Verdict.HANDLED),
        ("@pool = nil", "@pool.shutdown", Verdict.CUT),
        ("", "$stdout.flush", Verdict.HANDLED),
    ],
)
def test_a_method_of_nil_ends_what_a_trap_does(above: str, closes: str, verdict: Verdict) -> None:
    found = script(f"{above}\ntrap('TERM') do\n  {closes}\n  exit\nend\nsleep\n")
    assert found[0] is verdict, found[1]


def test_a_trap_throws_to_the_catch_of_main() -> None:
    assert script("trap('TERM') { throw :stop }\ncatch(:stop) { sleep }\nputs 'saved'\n")[0] is Verdict.HANDLED
