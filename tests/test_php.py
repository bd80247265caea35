"""PHP programs: from `php worker.php` or `php artisan …` to what they do with the signal."""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import read, request

PCNTL = "RUN docker-php-ext-install pcntl\n"
STOPS = "pcntl_signal(SIGTERM, function () use (&$stop) { $stop = true; });\n"
LOOPS = "while (!$stop) {\n    sleep(1);\n}\n"


def launch(files: dict[str, str], command: str = '["php", "app.php"]', run: str = PCNTL, image: str = "cli") -> Launch:
    dockerfile = f"FROM php:8.3-{image}\n{run}WORKDIR /app\nCOPY . .\nCMD {command}\n"
    (found,) = read_project(request({"Dockerfile": dockerfile, **files})[0]).launches
    return found


def script(text: str, run: str = PCNTL) -> tuple[Verdict, str]:
    found = launch({"app.php": f"<?php\n{text}"}, run=run)
    return found.verdict, found.why


@pytest.mark.parametrize("command", ['["php"]', '["php", "-d", "a=1"]', '["php", "-a"]', '["php", "--"]'])
def test_without_a_script_it_waits_for_one(command: str) -> None:
    assert launch({}, command).why == (
        "php without a script reads its standard input, which is empty here: it ends at once"
    )


def test_a_script_that_cannot_be_read_is_unknown() -> None:
    assert script("$a = ;\n") == (Verdict.UNKNOWN, "app.php has a syntax error in line 2")


class TestWhatTheRuntimeDoes:
    @pytest.mark.parametrize(
        ("text", "verdict", "why"),
        [
            (LOOPS, Verdict.IGNORED, "it has no handler for SIGTERM"),
            (
                STOPS + LOOPS,
                Verdict.IGNORED,
                "the handler of line 2 is never called: there is neither pcntl_async_signals(true) nor "
                "pcntl_signal_dispatch() on the way",
            ),
            (
                f"pcntl_async_signals(true);\n{STOPS}{LOOPS}",
                Verdict.HANDLED,
                "it handles SIGTERM in line 3, and the script comes to its end once that is done",
            ),
            (
                f"declare(ticks=1);\n{STOPS}{LOOPS}",
                Verdict.HANDLED,
                "it handles SIGTERM in line 3, and the script comes to its end once that is done",
            ),
            (
                f"{STOPS}while (!$stop) {{\n    sleep(1);\n    pcntl_signal_dispatch();\n}}\n",
                Verdict.HANDLED,
                "it handles SIGTERM in line 2, and the script comes to its end once that is done",
            ),
            (
                f"pcntl_async_signals(true);\n{STOPS.replace('&', '')}{LOOPS}",
                Verdict.IGNORED,
                "the handler of line 3 takes SIGTERM, and the script goes on in line 5",
            ),
            ("pcntl_signal(SIGTERM, SIG_IGN);\nwhile (true) sleep(1);\n", Verdict.IGNORED, "line 2 ignores SIGTERM"),
            (
                "pcntl_async_signals(true);\npcntl_signal(SIGINT, fn () => exit());\nwhile (true) sleep(1);\n",
                Verdict.IGNORED,
                "it handles SIGINT, not SIGTERM",
            ),
            (
                "pcntl_async_signals(true);\npcntl_signal(SIGTERM, fn () => exit());\npassthru('job');\n",
                Verdict.IGNORED,
                "the wait in line 4 is started again, so the handler of line 3 is never called",
            ),
        ],
    )
    def test_signals_are_heard_where_the_program_lets_them(self, text: str, verdict: Verdict, why: str) -> None:
        assert script(text) == (verdict, f"app.php: {why}")

    def test_a_sleep_ends_with_the_signal(self) -> None:
        verdict, _ = script(f"pcntl_async_signals(true);\n{STOPS}while (!$stop) {{\n    sleep(600);\n}}\n")
        assert verdict is Verdict.HANDLED

    @pytest.mark.parametrize(
        ("run", "verdict"),
        [
            ("", Verdict.IGNORED),
            (PCNTL, Verdict.HANDLED),
            ("RUN docker-php-ext-install opcache \\\n    pcntl\n", Verdict.HANDLED),
            ("RUN install-php-extensions redis pcntl\n", Verdict.HANDLED),
            ("RUN docker-php-ext-install opcache\n", Verdict.IGNORED),
            ('ARG MORE="zip pcntl"\nRUN install-php-extensions ${MORE} redis\n', Verdict.HANDLED),
            ('ARG MORE="zip pcntl"\nRUN install-them ${MORE}\n', Verdict.UNKNOWN),
            ('ARG MORE="zip"\nRUN install-php-extensions $MORE\n', Verdict.IGNORED),
            ("RUN ./extensions.sh\n", Verdict.UNKNOWN),
        ],
    )
    def test_only_where_the_image_has_pcntl(self, run: str, verdict: Verdict) -> None:
        guarded = f"if (extension_loaded('pcntl')) {{\n    pcntl_async_signals(true);\n    {STOPS}}}\n"
        assert script(guarded + LOOPS, run)[0] is verdict


class TestWhatIsNotRead:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (
                "require 'vendor/autoload.php';\nuse Acme\\Bus\\Worker;\n$w = new Worker();\nwhile (true) sleep(1);\n",
                "whether Acme\\Bus\\Worker, which app.php uses, handles SIGTERM is not known",
            ),
            ("require $argv[1];\nwhile (true) sleep(1);\n", "what line 2 of app.php includes could not be read"),
            ("pcntl_signal($argv[1], fn () => exit());\n" + LOOPS, "which signal line 2 handles is only known"),
        ],
    )
    def test_nobody_can_tell(self, text: str, why: str) -> None:
        verdict, said = script(text)
        assert verdict is Verdict.UNKNOWN
        assert why in said

    def test_what_stands_behind_too_many_files(self) -> None:
        files = {f"n{number}.php": "<?php\n" for number in range(100, 420)}
        text = "<?php\n" + "".join(f"require '{name}';\n" for name in files) + "while (true) {\n    sleep(1);\n}\n"
        found = launch({"app.php": text, **files})
        assert found.verdict is Verdict.UNKNOWN
        assert "(behind 300 other files) could not be read, and may handle SIGTERM" in found.why

    def test_classes_that_composer_loads(self) -> None:
        worker = f"<?php\nnamespace App;\nclass Worker {{\n  function run() {{\n    {STOPS}{LOOPS}  }}\n}}\n"
        files = {
            "composer.json": '{"autoload": {"psr-4": {"App\\\\": "src/"}}}',
            "src/Worker.php": worker,
            "app.php": "<?php\nrequire 'vendor/autoload.php';\npcntl_async_signals(true);\n(new App\\Worker)->run();\n",
        }
        found = launch(files)
        assert (found.verdict, found.why) == (
            Verdict.HANDLED,
            "app.php: it handles SIGTERM in line 5 of src/Worker.php, "
            "and the script comes to its end once that is done",
        )


class TestFrameworks:
    @pytest.mark.parametrize(
        ("command", "run", "verdict", "why"),
        [
            (
                "artisan queue:work",
                "",
                Verdict.IGNORED,
                "artisan queue:work handles SIGTERM with pcntl alone, which the image does not have",
            ),
            (
                "artisan queue:work --timeout=30",
                PCNTL,
                Verdict.HANDLED,
                "artisan queue:work finishes what is in flight on SIGTERM and ends",
            ),
            (
                "artisan schedule:work",
                "",
                Verdict.IGNORED,
                "artisan schedule:work hears SIGTERM with pcntl alone, which the image does not have",
            ),
            (
                "artisan schedule:work",
                PCNTL,
                Verdict.UNKNOWN,
                "what artisan schedule:work does on SIGTERM is not known",
            ),
            (
                "bin/console messenger:consume async",
                "",
                Verdict.IGNORED,
                "messenger:consume handles SIGTERM with pcntl alone, which the image does not have",
            ),
        ],
    )
    def test_a_command_by_its_settings(self, command: str, run: str, verdict: Verdict, why: str) -> None:
        words = ", ".join(f'"{word}"' for word in f"php {command}".split())
        found = launch({"artisan": "#!/usr/bin/env php\n<?php\n"}, f"[{words}]", run)
        assert (found.verdict, found.why) == (verdict, why)

    def test_an_apache_image_stops_a_worker_with_sigwinch(self) -> None:
        found = launch({}, '["php", "artisan", "queue:work"]', image="apache")
        assert (found.verdict, found.why) == (Verdict.IGNORED, "artisan queue:work does not stop on SIGWINCH")


FORKS = """pcntl_async_signals(true);
$children = [];
for ($n = 0; $n < 2; $n++) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        work();
    }
    $children[$pid] = $n;
}
pcntl_signal(SIGTERM, function () use (&$children) {
    foreach (array_keys($children) as $pid) {
        posix_kill($pid, SIGTERM);
    }
});
while (count($children) > 0) {
    $pid = WAIT;
    unset($children[$pid]);
}
"""


class TestChildren:
    @pytest.mark.parametrize("keeps", ["$children[$pid] = $n;", "$children[] = $pid;"])
    @pytest.mark.parametrize("left", ["count($children) > 0", "$children"])
    def test_a_wait_that_is_started_again_lets_no_handler_run(self, keeps: str, left: str) -> None:
        text = FORKS.replace("$children[$pid] = $n;", keeps).replace("count($children) > 0", left)
        assert script(text.replace("WAIT", "pcntl_wait($status)")) == (
            Verdict.IGNORED,
            "app.php: the wait in line 17 is started again, so the handler of line 11 is never called",
        )

    def test_whether_a_child_has_ended_is_not_known(self) -> None:
        asked = "pcntl_waitpid(-1, $status, WNOHANG);\n    usleep(1000)"
        assert script(FORKS.replace("WAIT", asked)) == (
            Verdict.UNKNOWN,
            "app.php: whether the child that line 17 asks for ends is not known",
        )


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("echo 'begun'; sleep(3); echo 'saved';", Verdict.CUT),
        ("begin(); usleep(300000); save();", Verdict.CUT),
        ("sleep(3); save();", Verdict.HANDLED),
        ("begin(); sleep(3);", Verdict.HANDLED),
        ("$job = begin(); if (!$job) { sleep(1); continue; } save();", Verdict.HANDLED),
        ("begin(); for ($i = 0; $i < 3; $i++) { sleep(1); } save();", Verdict.CUT),
        ("begin(); for ($i = 0; $i < 3; $i++) { if (full()) { break; } sleep(1); } save();", Verdict.HANDLED),
    ],
)
def test_an_exit_in_a_handler_breaks_off_what_the_script_is_at(body: str, verdict: Verdict) -> None:
    functions = "function begin() { echo 'begun'; }\nfunction save() { echo 'saved'; }\n"
    handler = "pcntl_async_signals(true);\npcntl_signal(SIGTERM, function () { echo 'bye'; exit(0); });\n"
    found = script(f"{functions}{handler}while (true) {{ {body} }}\n")
    assert found[0] is verdict
    if verdict is Verdict.CUT:
        assert found[1].endswith("on SIGTERM `exit` ends it in the middle of the work of line 6")


@pytest.mark.parametrize(
    ("test", "verdict"), [("> 0", Verdict.HANDLED), ("=== 15", Verdict.HANDLED), ("== 2", Verdict.IGNORED)]
)
def test_a_signal_is_a_number(test: str, verdict: Verdict) -> None:
    waits = "while (true) {\n    $signal = pcntl_sigtimedwait([SIGTERM], $info, 1);\n    if ($signal TEST) break;\n}\n"
    assert script("pcntl_sigprocmask(SIG_BLOCK, [SIGTERM]);\n" + waits.replace("TEST", test))[0] is verdict


@pytest.mark.parametrize(
    ("taken", "verdict"),
    [
        ("[, $role] = $argv;", Verdict.UNKNOWN),
        ("list(, $role) = $argv;", Verdict.UNKNOWN),
        ("[1 => $role] = $argv;", Verdict.UNKNOWN),
        ('["role" => $role] = ["role" => "worker"];', Verdict.UNKNOWN),
        ('[, $role] = ["app", "worker"];', Verdict.HANDLED),
        ('[, $role] = ["app", "idle"];', Verdict.IGNORED),
        ('[2 => $role] = ["app", "idle", "worker"];', Verdict.HANDLED),
        ('[[, $role], $more] = [["app", "worker"], 1];', Verdict.HANDLED),
        ('foreach ([["app", "worker"]] as [, $role]) {}', Verdict.HANDLED),
        ('foreach ([["app", "idle"]] as [$app, $role]) {}', Verdict.IGNORED),
    ],
)
def test_a_value_is_taken_out_of_a_list_by_its_place(taken: str, verdict: Verdict) -> None:
    starts = f'if ($role === "worker") {{\n{STOPS}}}\n'
    assert script(f"pcntl_async_signals(true);\n{taken}\n{starts}{LOOPS}")[0] is verdict


@pytest.mark.parametrize(
    ("returned", "verdict"), [("false", Verdict.UNKNOWN), ("getenv('ON')", Verdict.UNKNOWN), ("true", Verdict.HANDLED)]
)
def test_what_a_guard_returns_that_may_be_taken(returned: str, verdict: Verdict) -> None:
    text = (
        "pcntl_async_signals(true);\nfunction stops(): bool {\n    if (file_exists('mode')) {\n"
        f"        return {returned};\n    }}\n    return true;\n}}\n"
        f"if (stops()) {{\n    {STOPS}}} else {{\n    pcntl_signal(SIGTERM, SIG_IGN);\n}}\n{LOOPS}"
    )
    assert script(text)[0] is verdict


@pytest.mark.parametrize("through", ["[...made()];", "given(...made());", "foreach (made() as $one) {}"])
def test_a_generator_is_run_by_what_unpacks_it(through: str) -> None:
    made = f"function given(...$all) {{}}\nfunction made() {{\n    global $stop;\n    {STOPS}    yield 1;\n}}\n"
    assert script(f"pcntl_async_signals(true);\n{made}{through}\n{LOOPS}")[0] is Verdict.HANDLED


def test_a_generator_that_something_else_gets_may_be_run() -> None:
    made = f"function made() {{\n    {STOPS}    yield 1;\n}}\n"
    assert script(f"pcntl_async_signals(true);\n{made}$pool->run(made());\n{LOOPS}") == (
        Verdict.UNKNOWN,
        "app.php: what the generator of line 7 is asked for is only known when it runs",
    )


@pytest.mark.parametrize("place", ["$ends['stop']", "Ends::$stop", "$ends->stop", "$all[$which]"])
def test_a_reference_to_what_an_array_a_class_or_an_object_holds(place: str) -> None:
    """The place of an entry that nobody can tell is not followed."""
    held = "new One()" if "->" in place else "['stop' => false]"
    above = (
        "class Ends { public static $stop = false; }\n"
        "class One { public $stop = false; }\n"
        f"$ends = {held};\n"
        "$all = [false, false];\n$which = (int) file_get_contents('which');\n"
        "function stops(&$stop) {\n    pcntl_signal(SIGTERM, function () use (&$stop) { $stop = true; });\n}\n"
    )
    text = f"pcntl_async_signals(true);\n{above}stops({place});\nwhile (!{place}) {{\n    sleep(1);\n}}\n"
    assert script(text)[0] is (Verdict.UNKNOWN if "which" in place else Verdict.HANDLED)


def test_accept_waits_where_no_select_has_told_of_a_client() -> None:
    listens = (
        '$server = stream_socket_server("tcp://0.0.0.0:80");\n$ready = [$server];\nstream_select($ready, $w, $e, 1);\n'
    )
    accepts = "while ($client = stream_socket_accept($server, -1)) {\n    fclose($client);\n}\n"
    found = script(f"pcntl_async_signals(true);\n{listens}{accepts}pcntl_signal(SIGTERM, SIG_IGN);\n{LOOPS}")
    assert found[0] is Verdict.UNKNOWN


def test_a_child_that_is_waited_for_may_go_on() -> None:
    starts = '$child = proc_open(["serve-files"], [], $pipes);\npcntl_async_signals(true);\n'
    text = f"{starts}{STOPS}{LOOPS}proc_close($child);\n"

    assert script(text) == (
        Verdict.UNKNOWN,
        "app.php: whether the child that line 8 waits for ends on SIGTERM is not known",
    )


@pytest.mark.parametrize(
    ("above", "closes", "verdict"),
    [
        ("$pool = null;", "$pool->close();", Verdict.CUT),
        ("$pool = null;", "$pool?->close();", Verdict.HANDLED),
        ("$pool = null;\nfunction opened() { global $pool; $pool = new Pool(); }", "$pool->close();", Verdict.HANDLED),
        (
            "$pool = null;\nfunction opened() { global $pool; [$log, $pool] = open(); }",
            "$pool->close();",
            Verdict.HANDLED,
        ),
        ("$pool = null;", "try { $pool->close(); } catch (Error $e) { }", Verdict.HANDLED),
    ],
)
def test_a_method_of_null_is_an_error(above: str, closes: str, verdict: Verdict) -> None:
    handler = f"pcntl_signal(SIGTERM, function () use (&$pool) {{ {closes} exit(0); }});"
    found = script(f"pcntl_async_signals(true);\n{above}\n{handler}\nwhile (true) {{\n    sleep(1);\n}}\n")
    assert found[0] is verdict, found[1]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("begin($id);", "finish($id);", Verdict.CUT),
        ("", "", Verdict.HANDLED),
        ("begin($id);", "", Verdict.HANDLED),
    ],
)
def test_an_exit_in_the_middle_of_what_the_caller_does(before: str, after: str, verdict: Verdict) -> None:
    text = (
        "pcntl_async_signals(true);\npcntl_signal(SIGTERM, function () { exit(0); });\n"
        "function begin($id) { file_put_contents('begun', $id); }\n"
        "function finish($id) { file_put_contents('done', $id); }\n"
        "function transfer() {\n    $end = microtime(true) + 2;\n"
        "    while (microtime(true) < $end) { usleep(50000); }\n}\n"
        f"for ($id = 1; ; $id++) {{\n    {before}\n    transfer();\n    {after}\n}}\n"
    )
    assert script(text)[0] is verdict


@pytest.mark.parametrize(
    ("install", "verdict"),
    [
        ("apt-get update && apt-get install -y php8.3-cli php8.3-mysql", "handled"),
        ("apt-get update && apt-get install -y php-cli", "handled"),
        ("apt-get update && apt-get install -y php8.3-fpm", "unknown"),
    ],
)
def test_the_php_of_debian_and_ubuntu_can_handle_signals(install: str, verdict: str) -> None:
    """On the command line; as measured with Debian's php8.2-cli."""
    dockerfile = f'FROM ubuntu:24.04\nRUN {install}\nWORKDIR /app\nCOPY . .\nCMD ["php", "artisan", "queue:work"]\n'

    (launch,) = read({"Dockerfile": dockerfile, "artisan": "#!/usr/bin/env php\n<?php\n"}).launches

    assert launch.verdict.value == verdict


@pytest.mark.parametrize("timeout", ["", " --timeout=30", " --timeout=0"])
def test_the_images_of_laravel_sail_can_handle_signals(timeout: str) -> None:
    """Of `--timeout` 0 means none: a worker finishes its job, however long that takes."""
    compose = f"services:\n  queue:\n    image: sail-8.4/app\n    command: php artisan queue:work{timeout}\n"

    (launch,) = read({"compose.yaml": compose, "artisan": "#!/usr/bin/env php\n<?php\n"}).launches

    assert launch.why == "artisan queue:work finishes what is in flight on SIGTERM and ends"
