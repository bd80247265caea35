"""Rust programs: from the binary that a container starts to its crate, and what that does with the signal."""

from __future__ import annotations

import pytest

from gracelint.behaviour import rust
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

PACKAGE = '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
TOKIO = 'tokio = { version = "1", features = ["full"] }\n'
AXUM = f'axum = "0.7"\n{TOKIO}'
HOOK = 'signal-hook = "0.3"\n'
SLEEPS = "fn main() {\n    loop {\n        std::thread::sleep(std::time::Duration::from_secs(1));\n    }\n}\n"
NOBODY_HEARS = "main.rs: it has no handler for SIGTERM, and Rust installs none"
TERMINATE = "signal(SignalKind::terminate())"
SIGNALS = "use tokio::signal::unix::{signal, SignalKind};\n"


def launch(files: dict[str, str]) -> Launch:
    (found,) = read_project(request(files)[0]).launches
    return found


def dockerfile(command: str = "cargo build --release", made: str = "/src/target/release/shop", run: str = "") -> str:
    stage = f"FROM rust:1.81 AS build\nWORKDIR /src\nCOPY . .\nRUN {run}{command}\n"
    return f'{stage}FROM debian:bookworm-slim\nCOPY --from=build {made} /shop\nENTRYPOINT ["/shop"]\n'


def program(text: str, dependencies: str = TOKIO, **more: str) -> tuple[Verdict, str]:
    """What becomes of a program with this src/main.rs."""
    files = {"Cargo.toml": PACKAGE + dependencies, "src/main.rs": text, "Dockerfile": dockerfile()}
    found = launch(files | {f"src/{name}.rs": its for name, its in more.items()})
    return found.verdict, found.why.removeprefix("main.rs: ")


def asynchronous(body: str, before: str = SIGNALS) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{before}\n#[tokio::main]\nasync fn main() {{\n{lines}}}\n"


class TestFromTheImageToTheCrate:
    def test_what_cargo_installs_from_elsewhere_makes_nothing_of_the_project(self) -> None:
        text = 'FROM rust:1.81\nRUN cargo install --locked cargo-nextest\nCMD ["sleep", "infinity"]\n'
        assert launch({"Dockerfile": text}).why == "sleep has no handler for SIGTERM"

    @pytest.mark.parametrize(("above", "why"), [("", NOBODY_HEARS), ('#[path = "rounds.rs"]\nmod again;\n', None)])
    def test_a_module_may_be_declared_by_main_and_by_the_library(self, above: str, why: str | None) -> None:
        rounds = f"{above}pub fn pause() {{ std::thread::sleep(std::time::Duration::from_secs(1)) }}\n"
        main = "mod rounds;\nfn main() { loop { rounds::pause() } }\n"
        verdict, found = program(main, lib="pub mod rounds;\n", rounds=rounds)
        if why is None:
            assert (verdict, found) == (Verdict.UNKNOWN, "src/rounds.rs could not be read, and may handle SIGTERM")
        else:
            assert (verdict, f"main.rs: {found}") == (Verdict.IGNORED, why)

    @pytest.mark.parametrize(
        ("command", "made"),
        [
            ("cargo build --release", "/src/target/release/shop"),
            ("cargo build", "/src/target/debug/shop"),
            ("cargo build --release --locked --bin shop", "/src/target/release/shop"),
            (
                "cargo build --release --target x86_64-unknown-linux-musl",
                "/src/target/x86_64-unknown-linux-musl/release/shop",
            ),
            ("cargo build --release --target-dir /out", "/out/release/shop"),
            ("cargo install --path .", "/usr/local/cargo/bin/shop"),
            ("cargo install --path . --root /out", "/out/bin/shop"),
            ("cargo build --release && cp target/release/shop /usr/bin/shop", "/usr/bin/shop"),
            ("cargo build --release --manifest-path shop/Cargo.toml", "/src/shop/target/release/shop"),
        ],
    )
    def test_the_crate_of_a_build(self, command: str, made: str) -> None:
        folder = "shop/" if "shop/Cargo.toml" in command else ""
        files = {f"{folder}Cargo.toml": PACKAGE, f"{folder}src/main.rs": SLEEPS}
        found = launch(files | {"Dockerfile": dockerfile(command, made)})

        assert (found.verdict, found.why) == (Verdict.IGNORED, NOBODY_HEARS)

    def test_sources_that_the_build_only_mounts(self) -> None:
        text = dockerfile("cargo build --release", run="--mount=type=bind,target=. ").replace("COPY . .\n", "")
        found = launch({"Cargo.toml": PACKAGE, "src/main.rs": SLEEPS, "Dockerfile": text})

        assert (found.verdict, found.why) == (Verdict.IGNORED, NOBODY_HEARS)

    def test_the_member_of_a_workspace_whose_binary_is_started(self) -> None:
        files = {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
            "crates/shop/Cargo.toml": PACKAGE,
            "crates/shop/src/main.rs": SLEEPS,
            "crates/tool/Cargo.toml": PACKAGE.replace("shop", "tool"),
            "crates/tool/src/main.rs": "fn main() {}\n",
        }
        found = launch(files | {"Dockerfile": dockerfile("cargo build --release -p shop")})

        assert (found.verdict, found.why) == (Verdict.IGNORED, NOBODY_HEARS)

    def test_a_binary_of_another_file(self) -> None:
        files = {"Cargo.toml": PACKAGE, "src/main.rs": "fn main() {}\n", "src/bin/worker.rs": SLEEPS}
        made = "/src/target/release/worker"
        found = launch(files | {"Dockerfile": dockerfile("cargo build --release --bins", made)})

        assert (found.verdict, found.why) == (Verdict.IGNORED, NOBODY_HEARS.replace("main", "worker"))

    def test_what_is_not_in_the_project(self) -> None:
        found = launch({"Dockerfile": dockerfile()})

        assert (found.verdict, found.why) == (
            Verdict.UNKNOWN,
            "there is no Cargo.toml of a package in the root folder",
        )

    def test_a_binary_that_no_crate_has(self) -> None:
        text = dockerfile(made="/src/target/release/other")
        found = launch({"Cargo.toml": PACKAGE, "src/main.rs": SLEEPS, "Dockerfile": text})

        assert (found.verdict, found.why) == (Verdict.UNKNOWN, "no crate in the root folder has a binary other")


class TestWhatTheRuntimeDoes:
    def test_nobody_asks_for_the_signal(self) -> None:
        assert program(SLEEPS, "") == (Verdict.IGNORED, "it has no handler for SIGTERM, and Rust installs none")

    def test_behind_an_init_the_kernel_ends_it(self) -> None:
        text = dockerfile().replace('["/shop"]', '["tini", "--", "/shop"]')
        found = launch({"Cargo.toml": PACKAGE, "src/main.rs": SLEEPS, "Dockerfile": text})

        assert found.verdict is Verdict.CUT

    @pytest.mark.parametrize(
        ("asked", "verdict", "why"),
        [
            (
                "signal(SignalKind::terminate())",
                Verdict.HANDLED,
                "it handles SIGTERM in line 5, and main returns once that is done",
            ),
            ("signal(SignalKind::interrupt())", Verdict.IGNORED, "it handles SIGINT in line 5, not SIGTERM"),
        ],
    )
    def test_what_tokio_was_asked_for(self, asked: str, verdict: Verdict, why: str) -> None:
        text = asynchronous(f"let mut stop = {asked}.unwrap();\nstop.recv().await;")
        assert program(text) == (verdict, why)

    def test_ctrl_c_is_the_signal_of_a_terminal_alone(self) -> None:
        text = asynchronous("tokio::signal::ctrl_c().await.unwrap();", "")
        assert program(text) == (Verdict.IGNORED, "it handles SIGINT in line 4, not SIGTERM")

    @pytest.mark.parametrize(
        ("features", "verdict"), [('features = ["termination"]', Verdict.HANDLED), ("", Verdict.IGNORED)]
    )
    def test_the_crate_ctrlc_by_its_features(self, features: str, verdict: Verdict) -> None:
        text = (
            "use std::sync::mpsc::channel;\n\nfn main() {\n    let (tx, rx) = channel();\n"
            "    ctrlc::set_handler(move || tx.send(()).unwrap()).unwrap();\n    rx.recv().unwrap();\n}\n"
        )
        its = f", {features}" if features else ""
        assert program(text, f'ctrlc = {{ version = "3"{its} }}\n')[0] is verdict

    def test_a_name_may_be_a_module_and_a_function(self) -> None:
        stop = (
            "use tokio::signal;\n\npub async fn signal() {\n"
            "    signal::unix::signal(signal::unix::SignalKind::terminate()).unwrap().recv().await;\n}\n"
        )
        text = "mod stop;\n\n#[tokio::main]\nasync fn main() {\n    stop::signal().await;\n}\n"
        assert program(text, stop=stop) == (
            Verdict.HANDLED,
            "it handles SIGTERM in line 4 of src/stop.rs, and main returns once that is done",
        )

    def test_what_is_for_other_systems_is_left_out(self) -> None:
        body = (
            f"#[cfg(unix)]\nlet stop = async {{ {TERMINATE}.unwrap().recv().await; }};\n"
            "#[cfg(not(unix))]\nlet stop = std::future::pending::<()>();\nstop.await;"
        )
        assert program(asynchronous(body))[0] is Verdict.HANDLED


class TestServers:
    SERVE = "use axum::Router;\n" + SIGNALS
    BIND = 'let at = tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap();\n'

    def test_a_server_that_nothing_ends(self) -> None:
        body = f"{self.BIND}axum::serve(at, Router::new()).await.unwrap();"
        assert program(asynchronous(body, self.SERVE), AXUM) == (
            Verdict.IGNORED,
            "it has no handler for SIGTERM, and Rust installs none",
        )

    def test_a_server_that_finishes_its_requests(self) -> None:
        body = (
            f"{self.BIND}axum::serve(at, Router::new())\n    .with_graceful_shutdown(async {{\n"
            f"        {TERMINATE}.unwrap().recv().await;\n    }})\n    .await\n    .unwrap();"
        )
        assert program(asynchronous(body, self.SERVE), AXUM) == (
            Verdict.HANDLED,
            "it handles SIGTERM in line 9, and main returns once that is done",
        )

    def test_a_select_drops_the_server_with_its_requests(self) -> None:
        body = (
            f"{self.BIND}let mut stop = {TERMINATE}.unwrap();\ntokio::select! {{\n"
            "    _ = axum::serve(at, Router::new()).into_future() => {}\n    _ = stop.recv() => {}\n}"
        )
        assert program(asynchronous(body, self.SERVE), AXUM) == (
            Verdict.CUT,
            "on SIGTERM main returns with the requests that are being answered",
        )

    @pytest.mark.parametrize(
        ("settings", "verdict", "why"),
        [
            ("", Verdict.HANDLED, "it handles SIGTERM in line 5, and main returns once that is done"),
            (".shutdown_timeout(1)", Verdict.CUT, "gives requests 1 s, and main returns with those that need longer"),
            (".disable_signals()", Verdict.IGNORED, "it has no handler for SIGTERM, and Rust installs none"),
        ],
    )
    def test_actix_listens_by_itself(self, settings: str, verdict: Verdict, why: str) -> None:
        text = (
            "use actix_web::{App, HttpServer};\n\n#[actix_web::main]\nasync fn main() -> std::io::Result<()> {\n"
            f'    HttpServer::new(App::new){settings}.bind(("0.0.0.0", 80))?.run().await\n}}\n'
        )
        found, said = program(text, 'actix-web = "4"\n')
        assert found is verdict
        assert said.endswith(why)


class TestThreads:
    FLAG = (
        "use signal_hook::{consts::SIGTERM, flag};\nuse std::sync::{atomic::{AtomicBool, Ordering}, Arc};\n"
        "use std::{thread, time::Duration};\n\nfn main() {\n    let stop = Arc::new(AtomicBool::new(false));\n"
        "    flag::register(SIGTERM, Arc::clone(&stop)).unwrap();\n    let told = Arc::clone(&stop);\n"
        "    let worker = thread::spawn(move || {\n        while !told.load(Ordering::Relaxed) {\n"
        "            thread::sleep(Duration::from_millis(500));\n        }\nREST    });\nEND}\n"
    )
    POLLS = "    while !stop.load(Ordering::Relaxed) {\n        thread::sleep(Duration::from_millis(100));\n    }\n"
    FLUSH = '        println!("flushed");\n'

    def test_a_thread_that_main_joins(self) -> None:
        text = self.FLAG.replace("REST", self.FLUSH).replace("END", "    worker.join().unwrap();\n")
        assert program(text, HOOK) == (
            Verdict.HANDLED,
            "it handles SIGTERM in line 7, and main returns once that is done",
        )

    def test_a_thread_with_something_left_to_do_that_nothing_joins(self) -> None:
        text = self.FLAG.replace("REST", self.FLUSH.replace("println!", "write")).replace("END", self.POLLS)
        assert program(text, HOOK) == (
            Verdict.CUT,
            "on SIGTERM main returns while the thread of line 9, which nothing joins, is to end itself",
        )

    def test_a_thread_that_only_pauses_loses_nothing(self) -> None:
        text = self.FLAG.replace("REST", "").replace("END", self.POLLS)
        assert program(text, HOOK)[0] is Verdict.HANDLED

    def test_a_flag_that_nobody_reads(self) -> None:
        loop = "    loop {\n        thread::sleep(Duration::from_millis(100));\n    }\n"
        text = self.FLAG.replace("REST", "").replace("END", loop)
        assert program(text, HOOK) == (
            Verdict.IGNORED,
            "line 7 takes SIGTERM, and main, which waits in line 15, does not end for it",
        )

    def test_exit_runs_no_drop(self) -> None:
        text = (
            "use signal_hook::{consts::TERM_SIGNALS, iterator::Signals};\n\nstruct Spool;\n\n"
            'impl Drop for Spool {\n    fn drop(&mut self) {\n        println!("closed");\n    }\n}\n\n'
            "fn main() {\n    let mut signals = Signals::new(TERM_SIGNALS).unwrap();\n"
            "    std::thread::spawn(move || {\n        for _ in signals.forever() {\n"
            "            std::process::exit(0);\n        }\n    });\nHELD    loop {\n"
            "        std::thread::sleep(std::time::Duration::from_secs(1));\n    }\n}\n"
        )
        assert program(text.replace("HELD", "    let _spool = Spool;\n"), HOOK) == (
            Verdict.CUT,
            "on SIGTERM `process::exit` ends it, and `Spool::drop`, which cleans up, does not run",
        )
        assert program(text.replace("HELD", ""), HOOK) == (
            Verdict.HANDLED,
            "it handles SIGTERM in line 12, and `process::exit` ends it once that is done",
        )


class TestTasks:
    def test_a_task_that_main_does_not_wait_for(self) -> None:
        body = (
            "let token = tokio_util::sync::CancellationToken::new();\nlet its = token.clone();\n"
            "let task = tokio::spawn(async move {\n    its.cancelled().await;\n"
            "    tokio::time::sleep(std::time::Duration::from_secs(1)).await;\n});\n"
            f"{TERMINATE}.unwrap().recv().await;\ntoken.cancel();\n"
        )
        more = f'{TOKIO}tokio-util = "0.7"\n'
        verdict, why = program(asynchronous(body), more)
        assert verdict is Verdict.CUT
        assert why == "on SIGTERM main returns while line 9 is still at its cleanup"
        assert program(asynchronous(f"{body}task.await.unwrap();"), more)[0] is Verdict.HANDLED

    @pytest.mark.parametrize(
        ("ends", "verdict"),
        [
            (f"{TERMINATE}.unwrap().recv().await;", Verdict.HANDLED),
            ("std::future::pending::<()>().await;", Verdict.IGNORED),
        ],
    )
    def test_many_messages_at_once(self, ends: str, verdict: Verdict) -> None:
        """None are left where all senders are gone."""
        body = (
            "let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel::<u64>();\nlet mut many = Vec::new();\n"
            f"tokio::spawn(async move {{\n    {ends}\n    drop(tx);\n}});\n"
            "loop {\n    let count = rx.recv_many(&mut many, 8).await;\n    if count == 0 { break; }\n}"
        )
        assert program(asynchronous(body))[0] is verdict

    def test_what_a_task_holds_is_dropped_with_it(self) -> None:
        body = (
            "let (tx, mut rx) = tokio::sync::mpsc::channel::<u64>(8);\n"
            f"let sends = tokio::spawn(async move {{\n    {TERMINATE}.unwrap().recv().await;\n    drop(tx);\n}});\n"
            "let takes = tokio::spawn(async move { while rx.recv().await.is_some() {} });\n"
            "sends.await.unwrap();\ntakes.await.unwrap();"
        )
        why = "whether line 12 ends once the senders of its channel are dropped is not known"
        assert program(asynchronous(body))[0] is Verdict.HANDLED
        assert program(asynchronous(body.replace("    drop(tx);\n", "    let _held = tx;\n"))) == (Verdict.UNKNOWN, why)


class TestWhatIsNotRead:
    def test_a_crate_that_may_handle_signals(self) -> None:
        text = f"use lifecycle::Guard;\n\n{SLEEPS}"
        assert program(text, 'lifecycle = "1"\n') == (
            Verdict.UNKNOWN,
            "whether the crate lifecycle, which src/main.rs uses, handles SIGTERM is not known",
        )

    @pytest.mark.parametrize("leaves", ["return Err(1);", "return Err(1)", 'bail!("no");'])
    def test_a_guard_whose_condition_nobody_can_tell_is_passed_by(self, leaves: str) -> None:
        """What stands behind a way out, be it only its semicolon, does not make it less of one."""
        check = f"fn check(one: Settings) -> Result<u32, u32> {{\n    if !one.holds() {{ {leaves} }}\n    Ok(1)\n}}\n"
        loop = "    loop { std::thread::sleep(std::time::Duration::from_secs(1)); }\n    Ok(())\n"
        main = f"fn main() -> Result<(), u32> {{\n    check(settings::load())?;\n{loop}}}\n"

        assert program(check + main) == (Verdict.IGNORED, NOBODY_HEARS.removeprefix("main.rs: "))

    def test_a_crate_that_is_only_named(self) -> None:
        assert program(SLEEPS, 'lifecycle = "1"\n')[0] is Verdict.IGNORED

    def test_signals_that_are_only_known_when_it_runs(self) -> None:
        text = asynchronous("let mut stop = signal(chosen()).unwrap();\nstop.recv().await;")
        assert program(text) == (
            Verdict.UNKNOWN,
            "which signals line 5 listens for is only known when it runs",
        )

    def test_a_module_that_is_missing(self) -> None:
        assert program(f"mod gone;\n\n{SLEEPS}", "") == (
            Verdict.UNKNOWN,
            "src/gone.rs could not be read, and may handle SIGTERM",
        )

    def test_a_missing_module_that_all_is_left_to(self) -> None:
        assert program("mod gone;\n\nfn main() {\n    gone::run();\n}\n", "") == (
            Verdict.UNKNOWN,
            "src/gone.rs could not be read, and may handle SIGTERM",
        )

    def test_a_file_that_is_no_rust(self) -> None:
        verdict, why = program("mod broken;\n\n" + SLEEPS, "", broken="fn {\n")
        assert verdict is Verdict.UNKNOWN
        assert why == "src/broken.rs (line 1) could not be read, and may handle SIGTERM"


def test_a_binary_that_several_services_start_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[object] = []
    tell = rust.tell
    monkeypatch.setattr(rust, "tell", lambda question: followed.append(question) or tell(question))
    services = "".join(f"  {name}:\n    build: .\n" for name in ("web", "worker"))
    files = {"Cargo.toml": PACKAGE, "src/main.rs": SLEEPS, "Dockerfile": dockerfile()}
    found = read_project(request(files | {"compose.yaml": f"services:\n{services}"})[0]).launches
    assert [one.why for one in found] == [NOBODY_HEARS] * 2
    assert len(followed) == 1


WORK = """async fn work() {
    loop {
        begin();
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        save();
    }
}
fn begin() {}
fn save() {}
"""


SELECT = "tokio::select! {\n    _ = JOB => {}\n    _ = term.recv() => {}\n}"


@pytest.mark.parametrize(
    ("main", "verdict"),
    [
        (SELECT.replace("JOB", "work()"), Verdict.CUT),
        ("let job = work();\ntokio::pin!(job);\n" + SELECT.replace("JOB", "&mut job"), Verdict.HANDLED),
        ("let task = tokio::spawn(work());\nterm.recv().await;\ntask.abort();", Verdict.CUT),
    ],
)
def test_a_future_that_is_dropped_in_the_middle_of_its_work(main: str, verdict: Verdict) -> None:
    found = program(asynchronous(f"let mut term = {TERMINATE}.unwrap();\n{main}", SIGNALS + WORK))
    assert found[0] is verdict
    if verdict is Verdict.CUT:
        assert found[1] == "on SIGTERM it drops a future in the middle of the work of line 5"


def test_a_pause_at_the_end_of_a_round_is_no_work() -> None:
    work = WORK.replace("        save();\n", "")
    body = f"let mut term = {TERMINATE}.unwrap();\n{SELECT.replace('JOB', 'work()')}"
    assert program(asynchronous(body, SIGNALS + work))[0] is Verdict.HANDLED


def test_a_range_without_an_end_goes_on_for_ever() -> None:
    body = "for n in 1.. {\n    std::thread::sleep(std::time::Duration::from_secs(n));\n}"
    found = program(f"fn main() {{\n{body}\n}}\n")
    assert found == (Verdict.IGNORED, NOBODY_HEARS.removeprefix("main.rs: "))


@pytest.mark.parametrize(
    ("clones", "verdict"),
    [("", Verdict.HANDLED), ("let other = tx.clone();\n    std::mem::forget(other);", Verdict.UNKNOWN)],
)
def test_a_channel_ends_when_its_last_sender_is_dropped(clones: str, verdict: Verdict) -> None:
    text = f"""use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

fn main() {{
    let (tx, rx) = std::sync::mpsc::channel::<u32>();
    {clones}
    let worker = std::thread::spawn(move || while let Ok(n) = rx.recv() {{ println!("{{n}}") }});
    let mut signals = Signals::new([SIGTERM]).unwrap();
    signals.forever().next();
    drop(tx);
    worker.join().unwrap();
}}
"""
    assert program(text, HOOK)[0] is verdict


@pytest.mark.parametrize("made", ["Vec::new()", "vec![]", "Vec::with_capacity(2)"])
def test_tasks_that_are_kept_in_a_list_are_waited_for(made: str) -> None:
    work = (
        "async fn work(mut stop: tokio::sync::broadcast::Receiver<()>) {\n    stop.recv().await.ok();\n    SAVES\n}\n"
    )
    saves = 'tokio::time::sleep(std::time::Duration::from_millis(300)).await;\n    println!("saved");'
    body = (
        f"let (stop, _) = tokio::sync::broadcast::channel::<()>(1);\nlet mut tasks = {made};\n"
        "for _ in 0..2 {\n    tasks.push(tokio::spawn(work(stop.subscribe())));\n}\n"
        f"{TERMINATE}.unwrap().recv().await;\nstop.send(()).ok();\nfor task in tasks {{\n    task.await.ok();\n}}"
    )
    text = asynchronous(body, SIGNALS + work.replace("SAVES", saves))
    assert program(text)[0] is Verdict.HANDLED
    assert program(text.replace("    task.await.ok();", "    drop(task);"))[0] is Verdict.CUT
    assert program(text.replace(f"= {made}", "= kept()"))[0] is Verdict.UNKNOWN


ROCKET = """#[macro_use]
extern crate rocket;

#[get("/")]
fn index() -> &'static str {
    "ok"
}

#[launch]
fn rocket() -> _ {
    rocket::build().mount("/", routes![index])
}
"""


def test_rocket_is_launched_in_the_place_of_main() -> None:
    found = program(ROCKET, 'rocket = "0.5"\n')
    assert found[0] is Verdict.CUT
    assert "gives requests 2 s" in found[1]


def test_a_part_of_a_tuple_that_gets_no_name() -> None:
    serves = "warp::serve(warp::any()).bind_with_graceful_shutdown(([0, 0, 0, 0], 80), stop())"
    stop = f"async fn stop() {{\n    {TERMINATE}.unwrap().recv().await;\n}}\n"
    body = f"let (_, server) = {serves};\nserver.await;"
    assert program(asynchronous(body, SIGNALS + stop), f'{TOKIO}warp = "0.3"\n')[0] is Verdict.HANDLED


def test_a_macro_that_makes_names() -> None:
    macro = "macro_rules! setter {\n    ($f:ident) => { pub fn ${concat(set_, $f)}(&mut self) {} };\n}\n"
    assert program(asynchronous("loop { std::thread::sleep(std::time::Duration::from_secs(1)); }", macro))[0] is (
        Verdict.IGNORED
    )


LISTENS = "ctrlc::set_handler(|| std::process::exit(0)).unwrap();"
ROUNDS = "loop { std::thread::sleep(std::time::Duration::from_secs(1)); }"
CTRLC = 'ctrlc = { version = "3", features = ["termination"] }\n'


@pytest.mark.parametrize(
    ("made", "mode", "verdict"),
    [
        ("let _ = args.iter().next();", "args[1]", Verdict.HANDLED),
        ("let mut rest = args.clone().into_iter();\n    rest.next();", "args[1]", Verdict.HANDLED),
        ("args.remove(0);", "args[0]", Verdict.HANDLED),
        ("", "args.iter().rev().next().unwrap()", Verdict.IGNORED),
        ("let args: Vec<String> = args.into_iter().filter(|one| one.len() > 4).collect();", "args[0]", Verdict.UNKNOWN),
        ("args.retain(|one| one.len() > 4);", "args[1]", Verdict.UNKNOWN),
    ],
)
def test_words_of_the_command_line_stay_where_only_an_iterator_goes_on(made: str, mode: str, verdict: Verdict) -> None:
    text = (
        f"fn main() {{\n    let mut args: Vec<String> = std::env::args().collect();\n    {made}\n"
        f'    if {mode} == "serve" {{\n        {LISTENS}\n    }}\n    {ROUNDS}\n}}\n'
    )
    start = dockerfile() + 'CMD ["serve", "all"]\n'
    found = launch({"Cargo.toml": PACKAGE + CTRLC, "src/main.rs": text, "Dockerfile": start})
    assert found.verdict is verdict, found.why


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ('"serve"', Verdict.HANDLED),
        ('"--name=migrate", "serve"', Verdict.HANDLED),
        ('"--name", "shop", "serve"', Verdict.HANDLED),
        ('"--name", "serve", "migrate"', Verdict.UNKNOWN),
        ('"migrate", "serve"', Verdict.IGNORED),
    ],
)
def test_the_value_of_an_option_may_be_called_like_a_subcommand(words: str, verdict: Verdict) -> None:
    text = (
        "use clap::{Parser, Subcommand};\n#[derive(Parser)]\nstruct Cli {\n"
        "    #[arg(long)]\n    name: Option<String>,\n    #[command(subcommand)]\n    what: What,\n}\n"
        "#[derive(Subcommand)]\nenum What { Serve, Migrate }\n"
        f"fn main() {{\n    match Cli::parse().what {{\n        What::Serve => {{ {LISTENS} }}\n"
        f"        What::Migrate => {{}}\n    }}\n    {ROUNDS}\n}}\n"
    )
    start = dockerfile() + f"CMD [{words}]\n"
    found = launch({"Cargo.toml": f'{PACKAGE}{CTRLC}clap = "4"\n', "src/main.rs": text, "Dockerfile": start})
    assert found.verdict is verdict, found.why


@pytest.mark.parametrize(
    ("returned", "verdict"), [("false", Verdict.UNKNOWN), ("given()", Verdict.UNKNOWN), ("true", Verdict.HANDLED)]
)
def test_what_a_guard_returns_that_may_be_taken(returned: str, verdict: Verdict) -> None:
    text = (
        f'fn stops() -> bool {{\n    if std::env::var("MODE").unwrap() == "x" {{\n        return {returned};\n    }}\n'
        f"    true\n}}\nfn main() {{\n    if stops() {{\n        {LISTENS}\n    }}\n    {ROUNDS}\n}}\n"
    )
    assert program(text, CTRLC)[0] is verdict


class TestCodeThatNoKnownConditionLeadsTo:
    """Something is left out in each of these, `if 1 > 2`."""

    @staticmethod
    def of(function: str, calls: str) -> Verdict:
        never = "if 1 > 2 {\n        made();\n    }"
        return program(f"{function}\nfn main() {{\n    {never}\n    {calls}\n    {ROUNDS}\n}}\n", CTRLC)[0]

    def test_a_function_that_nothing_else_calls(self) -> None:
        assert self.of(f"fn made() {{\n    {LISTENS}\n}}", "") is Verdict.IGNORED

    @pytest.mark.parametrize(
        ("function", "calls"),
        [
            (
                "struct Mode;\nimpl std::str::FromStr for Mode {\n    type Err = ();\n"
                f"    fn from_str(one: &str) -> Result<Self, ()> {{\n        {LISTENS}\n        Ok(Mode)\n    }}\n}}",
                'let _ = "on".parse::<Mode>();',
            ),
            (
                "struct Mode;\nimpl std::ops::Add<i32> for Mode {\n    type Output = i32;\n"
                f"    fn add(self, other: i32) -> i32 {{\n        {LISTENS}\n        other\n    }}\n}}",
                "let _ = Mode + 1;",
            ),
            (
                '#[derive(Deserialize)]\nstruct Config {\n    #[serde(default = "port")]\n    port: u16,\n}\n'
                f"fn port() -> u16 {{\n    {LISTENS}\n    80\n}}",
                "let _: Config = read();",
            ),
        ],
    )
    def test_what_a_trait_calls_without_its_name(self, function: str, calls: str) -> None:
        assert self.of(function, calls) is Verdict.UNKNOWN

    def test_a_later_round_may_come_to_what_the_first_ones_leave_out(self) -> None:
        pause = "std::thread::sleep(std::time::Duration::from_millis(1));"
        later = f"if n == 90000 {{\n            {LISTENS}\n        }}\n        n += 1;"
        text = f"fn main() {{\n    let mut n = 0;\n    loop {{\n        {later}\n        {pause}\n    }}\n}}\n"
        assert program(text, CTRLC)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("sends", "then", "verdict"),
    [
        ("tx.send(1).await.unwrap();", "", Verdict.HANDLED),
        ("tx.send(1).await.unwrap(); keep!(tx);", "", Verdict.UNKNOWN),
        ("let room = tx.reserve_owned().await.unwrap(); rooms.send(room).await.unwrap();", "", Verdict.UNKNOWN),
        ("tokio::time::sleep(PAUSE).await; tx.send(1).await.unwrap();", "let (tx, mut rx) = pair();", Verdict.UNKNOWN),
    ],
)
def test_a_task_owns_the_sender_that_it_was_made_with(sends: str, then: str, verdict: Verdict) -> None:
    before = (
        "macro_rules! keep { ($one:expr) => { std::mem::forget($one) } }\n"
        "const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);\n"
    )
    channel = "let (tx, mut rx) = tokio::sync::mpsc::channel::<u32>(1);"
    body = (
        f"let mut asked = {TERMINATE}.unwrap();\n{channel}\ntokio::spawn(async move {{ {sends} }});\n"
        f"{then.replace('let (tx, mut rx) = pair();', channel)}\nasked.recv().await;\n"
        'while let Some(one) = rx.recv().await {\n    println!("{one}");\n}\n'
    )
    body += "tx.send(1).await.unwrap();\n" if then else ""
    assert program(asynchronous(body, SIGNALS + before))[0] is verdict


class TestBranchesThatDoNotMatter:
    """Of what bears on no signal one way stands for all: nine such branches would be 512 ways else."""

    PAUSE = "std::thread::sleep(std::time::Duration::from_secs(1))"
    BRANCHES = "".join(f"    let _{n} = if flag({n}) {{ MAKES }} else {{ None }};\n" for n in range(9))
    OWN = (
        "use serde_json::Map as Parameters;\n\nstruct Server;\n\nimpl Server {\n"
        "    fn new() -> Option<Server> { std::thread::spawn(|| {}); None }\n}\n\n"
        "struct Plain;\n\nimpl Plain {\n    fn new() -> Option<Plain> { None }\n}\n\n"
        "fn flag(n: u8) -> bool { std::env::args().count() > n.into() }\n\n"
    )

    @pytest.mark.parametrize(
        ("makes", "why"),
        [
            ("Plain::new()", NOBODY_HEARS),
            ("Parameters::new()", NOBODY_HEARS),
            ("serde_json::Map::new()", NOBODY_HEARS),
            ("Server::new()", "main.rs: it has more ways to its end than can be followed"),
        ],
    )
    def test_a_call_by_its_path_is_no_other_of_that_name(self, makes: str, why: str) -> None:
        text = f"{self.OWN}fn main() {{\n{self.BRANCHES.replace('MAKES', makes)}    loop {{ {self.PAUSE} }}\n}}\n"
        assert f"main.rs: {program(text, 'serde_json = 1')[1]}" == why


def test_permits_that_are_waited_for_on_the_way_out_may_never_come_back() -> None:
    body = (
        "let slots = tokio::sync::Semaphore::new(2);\n"
        f"let mut term = {TERMINATE}.unwrap();\n"
        "term.recv().await;\n"
        "let _all = slots.acquire_many(2).await.unwrap();"
    )

    assert program(asynchronous(body)) == (
        Verdict.UNKNOWN,
        "whether the permits that line 8 waits for come back is not known",
    )


KEYS = """\
use std::collections::HashSet;
use serde_json::Value;

fn keys(value: &Value, path: &mut Vec<String>, found: &mut HashSet<String>) {
    if let Value::Object(map) = value {
        for (key, inner) in map {
            match inner {
                Value::Object(_) => {
                    path.push(key.clone());
                    keys(inner, path, found);
                    path.pop();
                }
                _ => {
                    found.insert(format!("{}{}", path.join("."), key));
                }
            }
        }
    }
}

fn main() {
    let text = std::fs::read_to_string("settings.json").unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut found = HashSet::new();
    keys(&value, &mut Vec::new(), &mut found);
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]).unwrap();
    for _ in signals.forever() {
        break;
    }
}
"""


def test_a_function_that_goes_through_data_within_data_comes_to_an_end() -> None:
    verdict, why = program(KEYS, f'{HOOK}serde_json = "1"\n')

    assert (verdict, why) == (
        Verdict.HANDLED,
        "it handles SIGTERM in line 26, and main returns once that is done",
    )


@pytest.mark.parametrize(
    ("before", "inside", "expected"),
    [
        ("let mut guard = inner.lock().unwrap();", "*guard += 1;", Verdict.UNKNOWN),
        ("let mut guard = inner.lock().unwrap(); *guard += 1; drop(guard);", "", Verdict.HANDLED),
        ("", "*inner.lock().unwrap() += 1;", Verdict.HANDLED),
    ],
)
def test_a_lock_that_a_thread_keeps(before: str, inside: str, expected: Verdict) -> None:
    text = f"""use signal_hook::{{consts::SIGTERM, iterator::Signals}};
use std::sync::{{Arc, Mutex}};
fn main() {{
    let state = Arc::new(Mutex::new(0u64));
    let inner = Arc::clone(&state);
    std::thread::spawn(move || {{
        {before}
        loop {{
            {inside}
            std::thread::sleep(std::time::Duration::from_millis(100));
        }}
    }});
    let mut signals = Signals::new([SIGTERM]).unwrap();
    for _ in signals.forever() {{
        println!("bye {{}}", *state.lock().unwrap());
        break;
    }}
}}
"""
    verdict, why = program(text, HOOK)
    assert verdict is expected, why


def test_a_binary_that_an_argument_names_is_found_where_it_is_copied_to() -> None:
    text = (
        "ARG APP_NAME=shop\nFROM rust:1.81 AS build\nARG APP_NAME\nWORKDIR /app\n"
        "RUN --mount=type=bind,source=src,target=src \\\n    --mount=type=bind,source=Cargo.toml,target=Cargo.toml \\\n"
        "    cargo build --release && cp ./target/release/$APP_NAME /bin/server\n"
        'FROM alpine:3.20\nCOPY --from=build /bin/server /bin/\nCMD ["/bin/server"]\n'
    )

    found = launch({"Cargo.toml": PACKAGE, "src/main.rs": SLEEPS, "Dockerfile": text})

    assert (found.verdict, found.why) == (Verdict.IGNORED, NOBODY_HEARS)


RUSTC = """
use std::{{sync::atomic::{{AtomicBool, Ordering}}, thread, time::Duration}};
static STOP: AtomicBool = AtomicBool::new(false);
extern "C" {{
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(code: i32) -> !;
}}
extern "C" fn stop(_: i32) {{
    {handler}
}}
fn main() {{
    {before}
    while !STOP.load(Ordering::SeqCst) {{
        println!("begun");
        thread::sleep(Duration::from_millis(800));
        println!("done");
    }}
}}
"""
FLAG, INSTALLS = "STOP.store(true, Ordering::SeqCst);", "unsafe { signal(15, stop); }"


@pytest.mark.parametrize(
    ("handler", "before", "verdict"),
    [
        (FLAG, INSTALLS, Verdict.HANDLED),
        (FLAG, INSTALLS.replace("15", "2"), Verdict.IGNORED),
        (FLAG, "", Verdict.UNKNOWN),
        ("unsafe { _exit(0) }", INSTALLS, Verdict.CUT),
    ],
)
def test_functions_of_the_c_library_that_the_program_declares(handler: str, before: str, verdict: Verdict) -> None:
    made = dockerfile("rustc -O -o /out/shop main.rs", "/out/shop", "mkdir -p /out && ")
    found = launch({"main.rs": RUSTC.format(handler=handler, before=before), "Dockerfile": made})
    assert found.verdict is verdict, found.why


@pytest.mark.parametrize(
    ("command", "made", "is_read"),
    [
        ("rustc main.rs", "/src/main", True),
        ("rustc --out-dir /out src/main.rs", "/out/main", True),
        ("cd src && rustc -C opt-level=3 main.rs -o ../shop", "/src/shop", True),
        ("rustc -o shop main.rs --extern tokio=libtokio.rlib", "/src/shop", False),
        ("rustc -o other main.rs", "/src/shop", False),
        ("rustc -o shop gone.rs", "/src/shop", False),
    ],
)
def test_a_binary_of_one_file(command: str, made: str, is_read: bool) -> None:
    found = launch({"main.rs": SLEEPS, "src/main.rs": SLEEPS, "Dockerfile": dockerfile(command, made)})
    assert (found.why == NOBODY_HEARS) is is_read, found.why
