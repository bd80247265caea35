"""Go programs: from the binary that a container starts to its main package, and what that does with the signal."""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.launch.runtimes import go
from gracelint.reading import read_project
from gracelint.testing import request
from gracelint.tree.files import ProjectFiles

MODULE = "module example.com/shop\n\ngo 1.23\n"
SERVE = 'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":8080", nil)\n}\n'
NOBODY_HEARS = "main.go: it has no handler for SIGTERM, so the Go runtime ends it at once, exit 2"


def launch(files: dict[str, str]) -> Launch:
    (found,) = read_project(request({"go.mod": MODULE, **files})[0]).launches
    return found


def program(body: str, *imports: str) -> Launch:
    """A program whose main has this body."""
    lines = "".join(f'\t"{path}"\n' for path in ("os/signal", "syscall", *imports))
    text = f"package main\n\nimport (\n{lines})\n\nfunc main() {{\n{body}\n}}\n"
    return launch({"main.go": text, "Dockerfile": build("go build -o /app .")})


def build(command: str, start: str = '["/app"]', binary: str = "/app") -> str:
    stage = f"FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN {command}\n"
    return f"{stage}FROM scratch\nCOPY --from=build {binary} /app\nENTRYPOINT {start}\n"


class TestFromTheImageToTheSource:
    @pytest.mark.parametrize(
        ("build", "binary", "found"),
        [
            ("  - id: web\n    dir: cmd/web\n    binary: shop-web\n", "shop-web", True),
            (
                "  - main: ./cmd/web/main.go\n    binary: shop-web\n    goos: [linux]\n",
                "${TARGETPLATFORM}/shop-web",
                True,
            ),
            ("  - dir: cmd\n    main: ./web\n", "shop", True),
            ("  - dir: cmd/web\n    binary: shop-web\n    goos: [js]\n", "shop-web", False),
            ("  - dir: cmd/web\n    binary: '{{ .ProjectName }}'\n", "shop-web", False),
            ("  - {dir: cmd/web, binary: shop}\n  - {dir: cmd/other, binary: shop}\n", "shop", False),
        ],
    )
    def test_a_binary_that_goreleaser_builds(self, build: str, binary: str, found: bool) -> None:
        text = f'FROM scratch\nARG TARGETPLATFORM\nCOPY {binary} /bin/start\nENTRYPOINT ["/bin/start"]\n'
        text = text.replace("start", binary.rpartition("/")[2])
        files = {"cmd/web/main.go": SERVE, "images/Dockerfile": text}
        files[".goreleaser.yaml"] = f"project_name: shop\nbuilds:\n{build}"
        assert (launch(files).why == NOBODY_HEARS) is found

    @pytest.mark.parametrize(
        ("context", "source", "found"),
        [
            (".", "bin/${ARCH}/web", True),
            (".", "dist/other", False),
            ("cmd/web", "linux/web", True),
            ("cmd/web", "linux/shop", False),
        ],
    )
    def test_a_binary_that_is_built_before_the_image(self, context: str, source: str, found: bool) -> None:
        name = source.rpartition("/")[2]
        text = f'FROM scratch\nARG ARCH=amd64\nCOPY {source} /bin/{name}\nENTRYPOINT ["/bin/{name}"]\n'
        files = {"cmd/web/main.go": SERVE, f"{context}/Dockerfile".removeprefix("./"): text}
        assert (launch(files).why == NOBODY_HEARS) is found

    def test_the_binary_of_a_module_at_the_root_that_is_built_before_the_image(self) -> None:
        text = 'FROM scratch\nCOPY shop /bin/shop\nENTRYPOINT ["/bin/shop"]\n'
        assert launch({"main.go": SERVE, "Dockerfile": text}).why == NOBODY_HEARS

    @pytest.mark.parametrize(
        ("module", "most", "looks"),
        [("go.mod", 4_000, 1), ("app/go.mod", 4_000, 0), ("go.mod", 3, 0)],
    )
    def test_main_packages_are_looked_for_once(
        self, monkeypatch: pytest.MonkeyPatch, module: str, most: int, looks: int
    ) -> None:
        seen: list[str] = []
        names = ProjectFiles.names

        def counted(files: ProjectFiles, folder: str) -> tuple[str, ...]:
            seen.append(folder)
            return names(files, folder)

        monkeypatch.setattr(ProjectFiles, "names", counted)
        monkeypatch.setattr(go, "_MOST", most)
        files = {f"lib{number}/deep/readme.md": "" for number in range(5)} | {module: MODULE}
        for number in range(6):
            text = f'FROM scratch\nCOPY app{number} /app{number}\nENTRYPOINT ["/app{number}"]\n'
            files[f"Dockerfile.{number}"] = text
        assert len(read_project(request(files)[0]).launches) == 6
        assert seen.count("lib3/deep") == looks

    @pytest.mark.parametrize(
        ("command", "binary"),
        [
            ("go build -o /app ./cmd/web", "/app"),
            (
                "CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags '-s -w' -o /app ./cmd/web",
                "/app",
            ),
            ("go build -o=/app example.com/shop/cmd/web", "/app"),
            ("go build -o /app cmd/web/main.go", "/app"),
            ("go build -o /app cmd/web/*.go", "/app"),
            ("go build -C cmd/web -o /app", "/app"),
            ("cd cmd/web && go build", "/src/cmd/web/web"),
            ("go build ./cmd/web", "/src/web"),
            ("go build -o bin/ ./cmd/web ./cmd/worker", "/src/bin/web"),
            ("go build -o bin/ ./...", "/src/bin/web"),
            ("go build -o bin/ cmd/web/main.go", "/src/bin/main"),
            ("go build cmd/web/main.go", "/src/main"),
            ("go build -o /app ./cmd/web/...", "/app"),
            ("go install ./...", "/go/bin/web"),
            ("go build -o /worker ./cmd/worker && go build -o /app ./cmd/web", "/app"),
            ("make web", "/src/bin/web"),
            ("make all", "/src/bin/web"),
        ],
    )
    def test_the_main_package_of_a_build(self, command: str, binary: str) -> None:
        worker = 'package main\n\nimport "time"\n\nfunc main() {\n\ttime.Sleep(time.Hour)\n}\n'
        found = launch(
            {
                "cmd/web/main.go": SERVE,
                "cmd/worker/worker.go": worker,
                "Makefile": "OUT := bin\n\nall: check bin/web\n\ncheck:\n\tgo vet ./...\n\n"
                "FLAGS = \\\n\t-s \\\n\t-X main.version=$(shell git describe)\n"
                'WEB = \\\n\tGOOS=$(shell go env GOOS) \\\n\tgo build -ldflags="$(FLAGS)"\n\n'
                "web:\n\t$(WEB) -o $(OUT)/$@ ./cmd/$@\n\nbin/web:\n\tgo build -o $@ ./cmd/web\n",
                "Dockerfile": build(command, binary=binary),
            }
        )

        assert found.verdict is Verdict.CUT
        assert found.why == NOBODY_HEARS

    def test_what_is_not_in_the_project(self) -> None:
        found = launch({"main.go": SERVE, "Dockerfile": build("go build -o /app ./cmd/api")})

        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "/src/cmd/api, which `go build` compiles, is not in the project"

    @pytest.mark.parametrize(
        ("mount", "verdict"),
        [
            ("type=bind,target=.", Verdict.CUT),
            ("source=cmd/web,target=/src,rw", Verdict.CUT),
            ("type=bind,source=cmd/web/main.go,dst=main.go", Verdict.CUT),
            ("type=cache,target=.", Verdict.UNKNOWN),
            ("type=bind,from=deps,target=.", Verdict.UNKNOWN),
        ],
    )
    def test_sources_that_the_build_only_mounts(self, mount: str, verdict: Verdict) -> None:
        command = "go build -o /app ./cmd/web" if mount.endswith("bind,target=.") else "go build -o /app"
        text = build(f"--mount={mount} {command}").replace("COPY . .\n", "")

        assert launch({"cmd/web/main.go": SERVE, "Dockerfile": text}).verdict is verdict

    @pytest.mark.parametrize("line", ["ENV NAME=web", "ARG NAME=web", "ARG NAME=worker\nENV NAME=web"])
    def test_a_build_reads_the_variables_of_its_stage(self, line: str) -> None:
        text = build("go build -o /app ./cmd/$NAME").replace("WORKDIR", f"{line}\nWORKDIR")
        worker = "package main\n\nfunc main() {\n\tselect {}\n}\n"
        found = launch({"cmd/web/main.go": SERVE, "cmd/worker/main.go": worker, "Dockerfile": text})
        assert found.why == NOBODY_HEARS
        assert found.program is not None and found.program.source.path == "cmd/web/main.go"

    def test_an_image_of_one_stage(self) -> None:
        lines = [
            "FROM golang:1.23",
            "WORKDIR /src",
            "COPY . .",
            "RUN go build -o server",
            'CMD ["./server"]',
        ]
        found = launch({"main.go": SERVE, "Dockerfile": "\n".join(lines)})

        assert found.why == NOBODY_HEARS


class TestWhatTheRuntimeDoes:
    def test_nobody_asks_for_the_signal(self) -> None:
        found = launch({"main.go": SERVE, "Dockerfile": build("go build -o /app .")})

        assert found.verdict is Verdict.CUT
        assert found.why == NOBODY_HEARS

    def test_a_channel_that_nobody_reads(self) -> None:
        body = '\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n\thttp.ListenAndServe("", nil)'
        found = program(body, "net/http", "os")

        assert found.verdict is Verdict.IGNORED
        assert found.why == "main.go: line 12 takes SIGTERM from the Go runtime, and nothing ever reads the channel"

    def test_a_handler_that_waits_for_requests(self) -> None:
        body = """
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	srv := &http.Server{}
	go srv.ListenAndServe()
	<-ctx.Done()
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	srv.Shutdown(limit)"""
        found = program(body, "context", "net/http", "time")

        assert found.verdict is Verdict.HANDLED
        assert found.budget.drain is not None
        assert found.budget.drain.seconds == 5.0


STREAMS = """
	mux := http.NewServeMux()
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(time.Second)
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				fmt.Fprint(w, "data: x\\n\\n")
				w.(http.Flusher).Flush()
			}
		}
	})
	srv := &http.Server{Handler: mux}
	go srv.ListenAndServe()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	srv.Shutdown(limit)"""


class TestStreams:
    """Shutdown waits for an answer that goes on for as long as its client listens."""

    def judged(self, body: str) -> tuple[Verdict, str]:
        found = program(body, "context", "fmt", "net/http", "os", "time")
        return found.verdict, found.why

    def test_without_a_limit_it_waits_for_ever(self) -> None:
        assert self.judged(STREAMS.replace("Shutdown(limit)", "Shutdown(context.Background())")) == (
            Verdict.IGNORED,
            "main.go: line 35 waits for the answer of line 18, a stream that never ends",
        )

    def test_a_limit_ends_it(self) -> None:
        assert self.judged(STREAMS)[0] is Verdict.HANDLED

    @pytest.mark.parametrize(
        ("old", "new", "verdict"),
        [
            ("for {", "for n := 0; n < 9; n++ {", Verdict.HANDLED),
            ("case <-tick.C:", "case <-closing:\n\t\t\t\treturn\n\t\t\tcase <-tick.C:", Verdict.UNKNOWN),
            ("Handler: mux", "Handler: mux, BaseContext: contexts", Verdict.UNKNOWN),
            ("case <-r.Context().Done():", "case <-done:", Verdict.UNKNOWN),
        ],
    )
    def test_what_may_end_the_stream(self, old: str, new: str, verdict: Verdict) -> None:
        body = STREAMS.replace("Shutdown(limit)", "Shutdown(context.Background())")
        assert self.judged(body.replace(old, new))[0] is verdict


@pytest.mark.parametrize(
    ("rest", "verdict", "why"),
    [
        (
            '\n\t\tfmt.Println("flushed")',
            Verdict.CUT,
            "main.go: on SIGTERM main returns while the goroutine of line 15, which nothing waits for, is to end",
        ),
        ("", Verdict.HANDLED, "main.go: it handles SIGTERM in line 21, and main returns once that is done"),
    ],
)
def test_a_goroutine_that_nothing_waits_for(rest: str, verdict: Verdict, why: str) -> None:
    body = f"""
	var stopping atomic.Bool
	go func() {{
		for !stopping.Load() {{
			time.Sleep(300 * time.Millisecond)
		}}{rest}
	}}()
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
	stopping.Store(true)"""
    found = program(body, "fmt", "os", "sync/atomic", "time")

    assert (found.verdict, found.why) == (verdict, why)


@pytest.mark.parametrize(
    ("farewell", "verdict", "why"),
    [
        (
            'fmt.Fprintln(one, "closing")\n\t\t',
            Verdict.UNKNOWN,
            "main.go: whether all are answered that line 29 takes leave of is only known when it runs",
        ),
        ("", Verdict.CUT, "main.go: on SIGTERM main returns with the connections that line 23 serves"),
    ],
)
def test_connections_that_main_takes_leave_of(farewell: str, verdict: Verdict, why: str) -> None:
    body = f"""
	ln, _ := net.Listen("tcp", ":6000")
	members := map[net.Conn]bool{{}}
	go func() {{
		for {{
			c, err := ln.Accept()
			if err != nil {{
				return
			}}
			members[c] = true
			go bufio.NewScanner(c).Scan()
		}}
	}}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	for one := range members {{
		{farewell}one.Close()
	}}"""
    found = program(body, "bufio", "fmt", "net", "os")

    assert (found.verdict, found.why) == (verdict, why)


@pytest.mark.parametrize(("closes", "verdict"), [("\n\tclose(done)", Verdict.CUT), ("", Verdict.HANDLED)])
def test_a_channel_that_is_closed_twice_ends_the_program(closes: str, verdict: Verdict) -> None:
    body = f"""
	done := make(chan struct{{}})
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
	close(done){closes}"""
    found = program(body, "os")

    assert found.verdict is verdict
    if closes:
        assert found.why == "main.go: on SIGTERM a panic ends the program"


def test_cron_says_when_its_jobs_are_done() -> None:
    body = """
	c := cron.New()
	c.Start()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	<-c.Stop().Done()"""
    found = program(body, "os", "github.com/robfig/cron/v3")

    assert (found.verdict, found.why) == (
        Verdict.HANDLED,
        "main.go: it handles SIGTERM in line 15, and main returns once that is done",
    )


class TestWhatIsNotRead:
    def test_a_library_that_may_handle_signals(self) -> None:
        text = SERVE.replace(
            'import "net/http"',
            'import (\n\t"net/http"\n\n\t_ "example.org/lifecycle"\n)',
        )
        found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})

        assert found.verdict is Verdict.UNKNOWN
        assert found.why == (
            "main.go: whether example.org/lifecycle, which main.go imports, handles SIGTERM is not known"
        )

    def test_signals_that_are_only_known_when_it_runs(self) -> None:
        body = "\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, chosen())\n\t<-c"
        found = program(body, "os")

        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "main.go: which signals line 11 listens for is only known when it runs"

    def test_a_setting_that_decides(self) -> None:
        body = '\tif os.Getenv("GRACEFUL") != "" {\n\t\tsignal.Ignore(syscall.SIGTERM)\n\t}\n\tselect {}'
        found = program(body, "os")

        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "main.go: whether line 11, which asks for signals, is reached cannot be told"

    @pytest.mark.parametrize(
        ("serves", "verdict", "why"),
        [
            ('\thttp.ListenAndServe("", nil)\n', Verdict.CUT, NOBODY_HEARS),
            (
                "\tif strict() {\n\t\tos.Exit(1)\n\t}\n\tselect {}\n",
                Verdict.UNKNOWN,
                "main.go: whether line 16, which asks for signals, is reached cannot be told",
            ),
        ],
    )
    def test_what_comes_after_a_server_is_not_reached(self, serves: str, verdict: Verdict, why: str) -> None:
        asks = "\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n\t<-c"
        found = program(serves + asks, "net/http", "os")

        assert (found.verdict, found.why) == (verdict, why)

    def test_a_function_that_a_library_may_call(self) -> None:
        body = """
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	lifecycle.OnStop(func() { os.Exit(0) })
	select {}"""
        found = program(body, "os", "example.org/lifecycle")

        assert found.verdict is Verdict.UNKNOWN
        assert found.why == (
            "main.go: whether example.org/lifecycle.OnStop calls the function that it gets in line 14 is not known"
        )

    def test_a_file_that_is_no_go(self) -> None:
        found = launch(
            {
                "main.go": SERVE,
                "more.go": "package main\n\nfunc {",
                "Dockerfile": build("go build -o /app ."),
            }
        )

        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "main.go: more.go (line 3) could not be read, and may handle SIGTERM"

    def test_of_other_signals_it_is_said_as_well(self) -> None:
        found = launch(
            {
                "main.go": SERVE,
                "more.go": "package main\n\nfunc {",
                "Dockerfile": f"{build('go build -o /app .')}STOPSIGNAL SIGINT\n",
            }
        )

        assert found.why == "main.go: more.go (line 3) could not be read, and may handle SIGINT"

    @pytest.mark.parametrize(
        ("guard", "long_running"),
        [
            ("for _, one := range os.Environ() {\n\t\tif one == name { return true }\n\t}\n", True),
            ("if len(os.Environ()) > 9 { return false }\n", None),
        ],
    )
    def test_what_a_guard_returns_that_may_be_taken(self, guard: str, long_running: bool | None) -> None:
        """It gives up at its start where the function returns false: nobody deploys that."""
        main = (
            'package main\n\nimport "os"\n\n'
            f"func given(name string) bool {{\n\t{guard}\treturn false\n}}\n\n"
            'func main() {\n\tif !given("SHOP") { os.Exit(1) }\n\tselect {}\n}\n'
        )

        found = launch({"main.go": main, "Dockerfile": build("go build -o /app .")})

        assert found.program is not None
        assert found.program.long_running is long_running

    @pytest.mark.parametrize("guard", ['base.Scheme != "https"', 'base.Scheme == "" || len(base.Host) == 0'])
    def test_what_a_library_gives_may_be_any_text(self, guard: str) -> None:
        main = (
            'package main\n\nimport (\n\t"net/url"\n\t"os"\n\t"os/signal"\n\t"syscall"\n)\n\n'
            'func main() {\n\tbase, _ := url.Parse("https://shop")\n'
            f"\tif {guard} {{ os.Exit(1) }}\n"
            "\tstop := make(chan os.Signal, 1)\n\tsignal.Notify(stop, syscall.SIGTERM)\n\t<-stop\n}\n"
        )

        found = launch({"main.go": main, "Dockerfile": build("go build -o /app .")})

        assert (found.verdict, found.why) == (
            Verdict.HANDLED,
            "main.go: it handles SIGTERM in line 14, and main returns once that is done",
        )

    def test_what_gives_up_at_its_start_does_not_run_to_its_end(self) -> None:
        main = 'package main\n\nimport "os"\n\nfunc main() {\n\tos.Exit(3)\n}\n'

        found = launch({"main.go": main, "Dockerfile": build("go build -o /app .")})

        assert (found.verdict, found.one_shot, found.why) == (
            Verdict.UNKNOWN,
            False,
            "main.go: whether it gets past line 6, where it gives up, is not known",
        )


@pytest.mark.parametrize(
    ("guard", "verdict"),
    [
        ('if os.Getenv("MODE") == "x" { return "off" }', Verdict.UNKNOWN),
        ('switch os.Getenv("MODE") { case "x": return "off" }', Verdict.UNKNOWN),
        ('if os.Getenv("MODE") == "x" { return "on" }', Verdict.HANDLED),
    ],
)
def test_the_text_that_a_guard_returns_which_may_be_taken(guard: str, verdict: Verdict) -> None:
    text = (
        'package main\n\nimport (\n\t"os"\n\t"os/signal"\n\t"syscall"\n)\n\n'
        f'func mode() string {{\n\t{guard}\n\treturn "on"\n}}\n\n'
        'func main() {\n\tif mode() == "on" {\n\t\tended := make(chan os.Signal, 1)\n'
        "\t\tsignal.Notify(ended, syscall.SIGTERM)\n\t\t<-ended\n\t\treturn\n\t}\n"
        "\tsignal.Ignore(syscall.SIGTERM)\n\tselect {}\n}\n"
    )
    assert launch({"main.go": text, "Dockerfile": build("go build -o /app .")}).verdict is verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ('log.Print("begun")', 'log.Print("sealed")', Verdict.UNKNOWN),
        ('log.Print("begun")', "return", Verdict.HANDLED),
        ("", "", Verdict.HANDLED),
    ],
)
def test_what_is_done_bit_by_bit_is_given_up_in_its_middle(before: str, after: str, verdict: Verdict) -> None:
    body = (
        "func seal(ctx context.Context, parts int) {\n"
        f"\t{before}\n"
        "\tfor i := 0; i < parts; i++ {\n\t\tselect {\n\t\tcase <-ctx.Done():\n\t\t\treturn\n"
        "\t\tcase <-time.After(time.Second):\n\t\t}\n\t}\n"
        f"\t{after}\n}}\n"
        "func main() {\n\tctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)\n"
        "\tfor n := 1; ctx.Err() == nil; n++ {\n\t\tseal(ctx, n + 9)\n\t}\n}\n"
    )
    text = f'package main\nimport ("context"; "log"; "os/signal"; "syscall"; "time")\n{body}'
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is verdict, found.why
    assert verdict is Verdict.HANDLED or found.why == (
        "main.go: whether what line 7 gives up on SIGTERM is done anew is not in the sources"
    )


def test_a_program_without_end_is_given_up() -> None:
    doubling = "\n".join(f"func f{n}() {{ f{n + 1}(); f{n + 1}() }}" for n in range(40)) + "\nfunc f40() {}\n"
    text = f"package main\n\nfunc main() {{\n\tf0()\n}}\n\n{doubling}"
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})

    assert found.verdict is Verdict.UNKNOWN
    assert found.why == "main.go: it is too large to be followed to its end"


@pytest.mark.parametrize(
    ("child", "tells", "verdict"),
    [
        ("redis-server", "", Verdict.UNKNOWN),
        ("redis-server", "\n\tchild.Process.Signal(signal)", Verdict.HANDLED),
        ("/worker", "\n\tchild.Process.Signal(signal)", Verdict.UNKNOWN),
    ],
)
def test_a_child_that_was_started_before_the_signal_has_to_be_told(child: str, tells: str, verdict: Verdict) -> None:
    start = f'\tchild := exec.Command("{child}")\n\tchild.Start()\n\tstop := make(chan os.Signal, 1)\n'
    body = f"{start}\tsignal.Notify(stop, syscall.SIGTERM)\n\tsignal := <-stop\n\t_ = signal{tells}\n\tchild.Wait()"
    assert program(body, "os", "os/exec").verdict is verdict


def test_a_program_that_gives_up_at_its_start_is_not_taken_to_end_by_itself() -> None:
    found = program('\tif err := errors.New("no plugins"); err != nil {\n\t\tpanic(err)\n\t}\n\tselect {}', "errors")
    assert (found.verdict, found.one_shot) == (Verdict.UNKNOWN, False)
    assert found.why == "main.go: whether it gets past line 11, where it gives up, is not known"


def test_a_program_that_comes_to_the_end_of_main_ends_by_itself() -> None:
    found = program('\tfmt.Println("done")', "fmt")
    assert (found.verdict, found.one_shot) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("leaves", "verdict", "why"),
    [
        ("err == io.EOF", Verdict.UNKNOWN, "whether what line 14 reads to its end ever ends is not known"),
        ("err == bufio.ErrTooLong", Verdict.CUT, NOBODY_HEARS.removeprefix("main.go: ")),
    ],
)
def test_a_program_that_reads_its_input_to_the_end_may_end_by_itself(leaves: str, verdict: Verdict, why: str) -> None:
    body = "\tinput := bufio.NewReader(os.Stdin)\n\tfor {\n\t\tline, err := input.ReadString(10)\n"
    body += f"\t\tif {leaves} {{\n\t\t\tbreak\n\t\t}}\n\t\tfmt.Println(line)\n\t}}"
    found = program(body, "io", "fmt", "bufio", "os")
    assert (found.verdict, found.why) == (verdict, f"main.go: {why}")


@pytest.mark.parametrize(
    ("work", "verdict", "why"),
    [
        ("begin()\n\t\ttime.Sleep(time.Second)\n\t\tsave()", Verdict.CUT, "in the middle of the work of line 19"),
        ("begin()\n\t\ttime.Sleep(time.Second)", Verdict.HANDLED, "os.Exit ends the program once that is done"),
        ("time.Sleep(time.Second)\n\t\tsave()", Verdict.HANDLED, "os.Exit ends the program once that is done"),
    ],
)
def test_an_exit_of_another_goroutine_breaks_off_what_main_is_at(work: str, verdict: Verdict, why: str) -> None:
    handler = "\tgo func() {\n\t\t<-c\n\t\tos.Exit(0)\n\t}()\n"
    functions = "func begin() {}\nfunc save() {}\n"
    imports = 'import (\n\t"os"\n\t"os/signal"\n\t"syscall"\n\t"time"\n)\n'
    main = f"\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n{handler}\tfor {{\n\t\t{work}\n\t}}\n"
    text = f"package main\n{imports}{functions}func main() {{\n{main}}}\n"
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is verdict
    assert why in found.why


CLOSER = """package main

import (
\t"os"
\t"os/signal"
\t"syscall"
)

var shared = New(%s)

func New(signals ...os.Signal) chan os.Signal {
\tc := make(chan os.Signal, 1)
\tif len(signals) > 0 {
\t\tsignal.Notify(c, signals...)
\t}
\treturn c
}

func main() {
\t<-shared
}

var _ = syscall.SIGTERM
"""


@pytest.mark.parametrize(("signals", "verdict"), [("", Verdict.CUT), ("syscall.SIGTERM", Verdict.HANDLED)])
def test_a_known_condition_leaves_out_what_asks_for_signals(signals: str, verdict: Verdict) -> None:
    found = launch({"main.go": CLOSER % signals, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is verdict


@pytest.mark.parametrize("sets", ["missing = append(missing, 1)", "missing = nil"])
def test_what_only_one_branch_sets_may_be_as_it_was(sets: str) -> None:
    body = (
        f'\tvar missing []int\n\tif os.Getenv("ROLE") == "web" {{\n\t\t{sets}\n\t}}\n'
        "\tif len(missing) > 0 {\n\t\treturn\n\t}\n\tselect {}\n"
    )
    assert program(body, "os").why == NOBODY_HEARS


def test_what_a_condition_leaves_out_once_and_takes_once_is_read() -> None:
    text = CLOSER % "" + "\nvar other = New(syscall.SIGTERM)\n\nfunc init() {\n\t_ = other\n}\n"
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is Verdict.IGNORED


SHUTDOWN = """package main

import (
\t"context"
\t"flag"
\t"net/http"
\t"os/signal"
\t"syscall"
\t"time"
)

func main() {
\tvar wait time.Duration
\tDECLARED
\tflag.Parse()
\tctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
\tdefer stop()
\tserver := &http.Server{Addr: ":8080"}
\tgo server.ListenAndServe()
\t<-ctx.Done()
\tlimit, cancel := context.WithTimeout(context.Background(), wait)
\tdefer cancel()
\tserver.Shutdown(limit)
}
"""


class TestFlags:
    @pytest.mark.parametrize(
        "declared",
        [
            'flag.DurationVar(&wait, "wait", 10*time.Second, "how long")',
            'its := flag.Duration("wait", 10*time.Second, "how long")\n\tdefer func() {}()\n\twait = *its',
        ],
    )
    @pytest.mark.parametrize(
        ("words", "verdict"),
        [
            ("", Verdict.HANDLED),
            (', "-wait", "500ms"', Verdict.CUT),
            (', "--wait=0.5s"', Verdict.CUT),
            (', "--wait=1m30s"', Verdict.HANDLED),
            (', "--other=1ms"', Verdict.HANDLED),
        ],
    )
    def test_the_words_of_the_command_set_them(self, declared: str, words: str, verdict: Verdict) -> None:
        text = SHUTDOWN.replace("DECLARED", declared)
        found = launch({"main.go": text, "Dockerfile": build("go build -o /app .", f'["/app"{words}]')})
        assert found.verdict is verdict

    def test_the_arguments_of_a_manifest_set_them(self) -> None:
        text = SHUTDOWN.replace("DECLARED", 'flag.DurationVar(&wait, "wait", 10*time.Second, "how long")')
        compose = "services:\n  web:\n    build: .\n    command: [--wait=200ms]\n"
        files = {"main.go": text, "Dockerfile": build("go build -o /app ."), "compose.yaml": compose, "go.mod": MODULE}
        (found,) = read_project(request(files)[0]).launches
        assert found.verdict is Verdict.CUT

    def test_a_switch(self) -> None:
        body = (
            '\tonce := flag.Bool("once", false, "run once")\n\tflag.Parse()\n\tif *once {\n\t\treturn\n\t}\n\tselect {}'
        )
        text = f'package main\n\nimport "flag"\n\nfunc main() {{\n{body}\n}}\n'
        stays = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
        leaves = launch({"main.go": text, "Dockerfile": build("go build -o /app .", '["/app", "-once"]')})
        assert stays.verdict is Verdict.CUT
        assert (leaves.verdict, leaves.ends_by_itself) == (Verdict.UNKNOWN, True)

    def test_a_flag_that_cobra_declares(self) -> None:
        text = SHUTDOWN.replace('"flag"', '"github.com/spf13/cobra"').replace("\tflag.Parse()\n", "")
        text = text.replace(
            "DECLARED", 'cmd := &cobra.Command{}\n\tcmd.Flags().DurationVarP(&wait, "wait", "w", 0, "")'
        )
        found = launch({"main.go": text, "Dockerfile": build("go build -o /app .", '["/app", "-w", "200ms"]')})
        assert found.verdict is Verdict.CUT


@pytest.mark.parametrize("run", ["./hack/build.sh", "sh hack/build.sh", "cd hack && bash build.sh"])
def test_a_script_of_the_project_may_build_it(run: str) -> None:
    text = "package main\n\nfunc main() { select {} }\n"
    script = "#!/bin/sh\nset -e\nexport CGO_ENABLED=0\ncd /src && go build -o /out/server_amd64 .\n"
    image = (
        f"FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN go vet ./...\nRUN {run}\nFROM scratch\n"
        'COPY --from=build /out/server_amd64 /server\nENTRYPOINT ["/server"]\n'
    )
    found = launch({"main.go": text, "Dockerfile": image, "hack/build.sh": script})
    assert found.verdict is Verdict.CUT


def test_a_server_returns_when_its_listener_is_closed() -> None:
    body = (
        '\tl, _ := net.Listen("tcp", ":8080")\n\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n'
        "\tgo func() {\n\t\t<-c\n\t\tl.Close()\n\t}()\n\thttp.Serve(l, nil)\n"
    )
    found = program(body, "net", "net/http", "os")
    assert found.verdict is Verdict.CUT
    assert found.why == "main.go: on SIGTERM main returns with the requests that are being answered"
    assert program(body.replace("l.Close()", "_ = l"), "net", "net/http", "os").verdict is Verdict.IGNORED


def test_new_with_a_value_is_read() -> None:
    """Go 1.26 takes an expression where older versions take a type."""
    found = program("flags := new(map[string]bool{})\nlimit := new(10)\n_, _ = flags, limit\nselect {}")
    assert found.verdict is Verdict.CUT


def test_a_server_of_a_library_is_not_taken_to_return_at_once() -> None:
    found = program("\tweb.ListenAndServe(nil, nil, nil)", "github.com/prometheus/exporter-toolkit/web")
    assert not found.ends_by_itself


KEYS = """\
package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"syscall"
)

func keys(value map[string]any, out []string) []string {
	for key, inner := range value {
		if below, ok := inner.(map[string]any); ok {
			out = append(out, keys(below, out)...)
		} else {
			out = append(out, key)
		}
	}
	return out
}

func main() {
	text, _ := os.ReadFile("settings.json")
	var value map[string]any
	_ = json.Unmarshal(text, &value)
	for _, key := range keys(value, nil) {
		println(key)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
}
"""


def test_a_function_that_goes_through_data_within_data_comes_to_an_end() -> None:
    found = launch({"main.go": KEYS, "Dockerfile": build("go build -o /app .")})

    assert (found.verdict, found.why) == (
        Verdict.HANDLED,
        "main.go: it handles SIGTERM in line 29, and main returns once that is done",
    )


def test_a_function_that_waits_within_itself_goes_on() -> None:
    text = KEYS.replace("\t<-stop\n", "\tagain(value)\n").replace('"syscall"\n', '"syscall"\n\t"time"\n')
    text += "\nfunc again(value any) {\n\ttime.Sleep(time.Second)\n\tagain(value)\n}\n"

    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})

    assert not found.ends_by_itself
    assert found.verdict in (Verdict.IGNORED, Verdict.UNKNOWN)


@pytest.mark.parametrize("library", ["github.com/urfave/cli/v2", "github.com/spf13/cobra"])
def test_a_command_line_without_a_command_only_says_how_it_is_used(library: str) -> None:
    urfave = 'app := &lib.App{Commands: []*lib.Command{{Name: "serve", Action: serve}}}\n\tapp.Run(os.Args)'
    cobra = (
        'root := &lib.Command{Use: "app"}\n\troot.AddCommand(&lib.Command{Use: "serve", Run: serve})\n\troot.Execute()'
    )
    made, given = (urfave, "c *lib.Context") if "urfave" in library else (cobra, "c *lib.Command, args []string")
    text = (
        f'package main\n\nimport (\n\t"net/http"\n\t"os"\n\n\tlib "{library}"\n)\n\nvar _ = os.Args\n\n'
        f'func serve({given}) {{ http.ListenAndServe(":80", nil) }}\n\nfunc main() {{\n\t{made}\n}}\n'
    )
    serves = build("go build -o /app .", '["/app", "serve"]')

    alone = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    serving = launch({"main.go": text, "Dockerfile": serves})

    assert alone.ends_by_itself
    assert not serving.ends_by_itself


def test_a_server_that_a_library_is_given_is_the_one_that_is_shut_down() -> None:
    text = (
        'package main\n\nimport (\n\t"context"\n\t"net/http"\n\t"os"\n\t"os/signal"\n\t"syscall"\n\n'
        '\t"github.com/prometheus/exporter-toolkit/web"\n)\n\nfunc main() {\n\tserver := &http.Server{}\n'
        "\tstop := make(chan os.Signal, 1)\n\tsignal.Notify(stop, syscall.SIGTERM)\n\tdone := make(chan bool)\n"
        "\tgo func() {\n\t\t<-stop\n\t\tserver.Shutdown(context.Background())\n\t\tclose(done)\n\t}()\n"
        "\tweb.ListenAndServe(server, nil, nil)\n\t<-done\n}\n"
    )

    assert launch({"main.go": text, "Dockerfile": build("go build -o /app .")}).verdict is Verdict.HANDLED
    never = text.replace("server.Shutdown(context.Background())", "(&http.Server{}).Shutdown(context.Background())")
    assert launch({"main.go": never, "Dockerfile": build("go build -o /app .")}).verdict is not Verdict.HANDLED


@pytest.mark.parametrize(
    "run",
    [
        "RUN <<EOT\nset -e\nexport CGO_ENABLED=0\ngo build -o /app .\nEOT",
        "RUN go build -o /app${EXT} .",
        "RUN --mount=type=bind,target=. go build -o /app .",
    ],
)
def test_a_build_is_found_however_a_dockerfile_writes_it(run: str) -> None:
    copies = "" if "--mount" in run else "COPY . .\n"
    served = 'FROM scratch\nCOPY --from=build /app /\nCMD ["/app"]\n'
    text = f"FROM golang:1.23 AS build\nWORKDIR /src\n{copies}{run}\n{served}"

    assert launch({"main.go": SERVE, "Dockerfile": text}).why == NOBODY_HEARS
