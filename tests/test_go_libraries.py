"""Go programs on libraries that listen for signals, wait for messages, or build the program up."""

from __future__ import annotations

import pytest

from gracelint.behaviour.go import brokers, children, clock, fx, texts
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

BUILD = "FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nFROM scratch\n"
LISTENS = "\tctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)\n\tdefer stop()\n"
WAITS = "\tsig := make(chan os.Signal, 1)\n\tsignal.Notify(sig, syscall.SIGTERM)\n"


def program(body: str, *imports: str, before: str = "", **packages: str) -> Launch:
    """A program whose main has this body; an import may have a name before its path."""
    lines = "".join(f'\t{name} "{path}"\n' for name, _, path in (one.rpartition(" ") for one in imports))
    text = f"package main\n\nimport (\n{lines})\n\n{before}\nfunc main() {{\n{body}\n}}\n"
    files = {"go.mod": "module example.com/shop\n\ngo 1.23\n", "main.go": text}
    files |= {f"{name}/{name}.go": f"package {name}\n\n{its}" for name, its in packages.items()}
    dockerfile = f'{BUILD}COPY --from=build /app /app\nENTRYPOINT ["/app"]\n'
    (found,) = read_project(request(files | {"Dockerfile": dockerfile})[0]).launches
    return found


KAFKA = "github.com/segmentio/kafka-go"
REDIS = "github.com/redis/go-redis/v9"
AMQP = "github.com/rabbitmq/amqp091-go"
SARAMA = "github.com/IBM/sarama"
NATS = "github.com/nats-io/nats.go"
TEMPORAL = "go.temporal.io/sdk/worker"
ASYNQ = "github.com/hibiken/asynq"
CONTEXT = ("context", "os/signal", "syscall")
CHANNEL = ("os", "os/signal", "syscall")


@pytest.mark.parametrize(
    ("library", "calls"),
    [
        ("github.com/jessevdk/go-flags", "flags.NewParser(&options{}, 0).Parse()"),
        ("github.com/jessevdk/go-flags", "flags.Parse(&options{})"),
        ("github.com/alecthomas/kingpin/v2", 'kingpin.Command("x", "").Action(nil)\n\tkingpin.Parse()'),
        ("gopkg.in/alecthomas/kingpin.v2", 'kingpin.Command("x", "").\n\t\tAction(nil)\n\tkingpin.Parse()'),
    ],
)
def test_a_library_that_calls_commands_may_go_on(library: str, calls: str) -> None:
    """What reads the command line ends by itself only where no commands are given to it."""
    name = {"go-flags": "flags", "v2": "kingpin", "kingpin.v2": "kingpin"}[library.rpartition("/")[2]]
    before = "type serve struct{}\n\nfunc (serve) Execute([]string) error { select {} }\n\n"
    before += "type options struct { S serve %s }\n"

    found = program(f"\t{calls}", f"{name} {library}", before=before % '`command:"serve"`')

    assert found.verdict is Verdict.CUT
    assert found.why == "main.go: it has no handler for SIGTERM, so the Go runtime ends it at once, exit 2"
    if "flags" in name:
        without = program(f"\t{calls}", f"{name} {library}", before=before % "")
        assert without.why == "main.go: it runs to its end by itself, and the Go runtime ends it at once on SIGTERM"


def test_a_server_that_a_row_describes() -> None:
    found = program('\tn := negroni.Classic()\n\tn.Run(":80")', "negroni github.com/urfave/negroni")

    assert (found.verdict, found.why) == (
        Verdict.CUT,
        "main.go: it has no handler for SIGTERM, so the Go runtime ends it at once, exit 2",
    )
    assert found.program is not None
    assert [server.name for server in found.program.servers] == ["Go's negroni.Negroni"]


class TestCommands:
    """cobra's, of which the words of the command line choose one."""

    MAIN = 'package main\n\nimport "example.com/shop/cmd"\n\nfunc main() { cmd.Execute() }\n'
    ROOT = (
        'package cmd\n\nimport "github.com/spf13/cobra"\n\nvar root = &cobra.Command{Use: "shop"}\n\n'
        "func Execute() error { return root.Execute() }\n"
    )
    SERVE = (
        'package cmd\n\nimport (\n\t"context"\n\t"os/signal"\n\t"syscall"\n\n\t"github.com/spf13/cobra"\n)\n\n'
        'func init() {\n\troot.AddCommand(&cobra.Command{Use: "serve", Run: RUN})\n}\n'
    )
    LISTEN = (
        "func(cmd *cobra.Command, args []string) {\n\t\tctx, stop := signal.NotifyContext(context.Background(), "
        "syscall.SIGTERM)\n\t\tdefer stop()\n\t\t<-ctx.Done()\n\t}"
    )
    WORK = (
        'package cmd\n\nimport "github.com/spf13/cobra"\n\nfunc init() {\n\troot.AddCommand(&cobra.Command{'
        'Use: "work", Run: func(cmd *cobra.Command, args []string) { select {} }})\n}\n'
    )

    def judged(self, word: str, serve: str) -> tuple[Verdict, str]:
        files = {"go.mod": "module example.com/shop\n\ngo 1.23\n", "main.go": self.MAIN, "cmd/root.go": self.ROOT}
        files |= {"cmd/serve.go": serve, "cmd/work.go": self.WORK}
        files |= {"Dockerfile": f'{BUILD}COPY --from=build /app /app\nCMD ["/app", "{word}"]\n'}
        (found,) = read_project(request(files)[0]).launches
        return found.verdict, found.why

    def test_the_signals_of_another_command_are_not_asked_for(self) -> None:
        named = self.LISTEN.replace("func(", "func serve(")
        for serve in (self.SERVE.replace("RUN", self.LISTEN), f"{self.SERVE.replace('RUN', 'serve')}\n{named}\n"):
            assert self.judged("serve", serve)[0] is Verdict.HANDLED
            assert self.judged("work", serve) == (
                Verdict.CUT,
                "main.go: it has no handler for SIGTERM, so the Go runtime ends it at once, exit 2",
            )

    def test_what_something_else_calls_too_may_be_run(self) -> None:
        named = self.LISTEN.replace("func(", "func serve(")
        serve = f"{self.SERVE.replace('RUN', 'serve')}\n{named}\n\nvar also = serve\n"
        assert self.judged("work", serve) == (
            Verdict.UNKNOWN,
            "main.go: whether line 16 of cmd/serve.go, which asks for signals, is reached cannot be told",
        )


class TestBrokers:
    @pytest.mark.parametrize(
        ("given", "verdict"), [("ctx", Verdict.HANDLED), ("context.Background()", Verdict.IGNORED)]
    )
    @pytest.mark.parametrize(
        ("makes", "takes", "library"),
        [
            ("kafka.NewReader(kafka.ReaderConfig{})", "m, err := from.FetchMessage(CTX)", KAFKA),
            ("redis.NewClient(&redis.Options{})", 'm, err := from.BLPop(CTX, 0, "jobs").Result()', REDIS),
        ],
    )
    def test_a_context_ends_the_wait(self, makes: str, takes: str, library: str, given: str, verdict: Verdict) -> None:
        loop = f"\tfor {{\n\t\t{takes}\n\t\tif err != nil {{\n\t\t\treturn\n\t\t}}\n\t\tprintln(m)\n\t}}"
        body = f"{LISTENS}\t_ = ctx\n\tfrom := {makes}\n{loop}".replace("CTX", given)
        assert program(body, *CONTEXT, library).verdict is verdict

    @pytest.mark.parametrize(("closes", "verdict"), [("conn.Close()", Verdict.HANDLED), ("", Verdict.IGNORED)])
    def test_the_end_of_a_connection_ends_the_deliveries(self, closes: str, verdict: Verdict) -> None:
        body = (
            '\tconn, _ := amqp.Dial("amqp://")\n\tch, _ := conn.Channel()\n'
            '\tjobs, _ := ch.Consume("jobs", "", false, false, false, false, nil)\n'
            f"{WAITS}\tgo func() {{\n\t\t<-sig\n\t\t{closes}\n\t}}()\n"
            "\tfor job := range jobs {\n\t\tjob.Ack(false)\n\t}"
        )
        assert program(body, *CHANNEL, f"amqp {AMQP}").verdict is verdict

    def test_a_consumer_group_sets_its_handler_up(self) -> None:
        setup = "func (h *Handler) Setup(any) error {\n\tclose(h.ready)\n\treturn nil\n}\n"
        handler = f"type Handler struct{{ ready chan bool }}\n\n{setup}"
        body = (
            '\tgroup, _ := sarama.NewConsumerGroup(nil, "g", nil)\n\th := &Handler{ready: make(chan bool)}\n'
            "\tctx, cancel := context.WithCancel(context.Background())\n\tdone := make(chan bool)\n"
            "\tgo func() {\n\t\tgroup.Consume(ctx, nil, h)\n\t\tclose(done)\n\t}()\n\t<-h.ready\n"
            f"{WAITS}\t<-sig\n\tcancel()\n\t<-done"
        )
        found = program(body, "context", *CHANNEL, SARAMA, before=handler)
        assert found.verdict is Verdict.HANDLED
        assert program(
            body.replace("\tcancel()\n", "\t_ = cancel\n"), "context", *CHANNEL, SARAMA, before=handler
        ).verdict is (Verdict.IGNORED)

    @pytest.mark.parametrize(("ends", "verdict"), [("nc.Drain()", Verdict.HANDLED), ("nc.Flush()", Verdict.IGNORED)])
    def test_nats_calls_its_handler_once_it_has_drained(self, ends: str, verdict: Verdict) -> None:
        body = (
            "\tdone := make(chan bool)\n"
            '\tnc, _ := nats.Connect("", nats.ClosedHandler(func(*nats.Conn) { close(done) }))\n'
            f"{WAITS}\t<-sig\n\t{ends}\n\t<-done"
        )
        assert program(body, *CHANNEL, NATS).verdict is verdict

    def test_libraries_that_listen_by_themselves(self) -> None:
        tasks = "\tsrv := asynq.NewServer(nil, asynq.Config{})\n\tsrv.Run(nil)"
        assert program(tasks, ASYNQ).verdict is Verdict.HANDLED
        flows = '\tw := worker.New(nil, "q", worker.Options{})\n\tw.Run(worker.InterruptCh())'
        assert program(flows, TEMPORAL).verdict is Verdict.HANDLED

    def test_fasthttp(self) -> None:
        assert program('\tfasthttp.ListenAndServe(":80", nil)', "github.com/valyala/fasthttp").verdict is Verdict.CUT


FX = "go.uber.org/fx"
SERVER = """func NewServer(lc fx.Lifecycle) *http.Server {
	srv := &http.Server{Addr: ":8080"}
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go srv.ListenAndServe()
			return nil
		},
		OnStop: func(ctx context.Context) error { return srv.ENDS },
	})
	return srv
}
"""
PARAMS = """type Params struct {
	fx.In

	Lifecycle fx.Lifecycle
	Server    *http.Server
}

func NewServer() (*http.Server, error) { return &http.Server{Addr: ":8080"}, nil }

func Start(p Params) {
	p.Lifecycle.Append(fx.StartStopHook(
		func() { go p.Server.ListenAndServe() },
		func(ctx context.Context) error { return p.Server.ENDS },
	))
}
"""


class TestFx:
    @pytest.mark.parametrize(("ends", "verdict"), [("Shutdown(ctx)", Verdict.HANDLED), ("Close()", Verdict.CUT)])
    @pytest.mark.parametrize(
        ("before", "options"),
        [
            (SERVER, "fx.Provide(NewServer), fx.Invoke(func(*http.Server) {})"),
            (SERVER, 'fx.Module("web", fx.Provide(fx.Annotate(NewServer)), fx.Invoke(func(*http.Server) {}))'),
            (PARAMS, "fx.Options(fx.Provide(NewServer)), fx.Invoke(Start)"),
        ],
    )
    def test_run_stops_what_is_hooked_into_the_lifecycle(
        self, before: str, options: str, ends: str, verdict: Verdict
    ) -> None:
        found = program(f"\tfx.New({options}).Run()", "context", "net/http", FX, before=before.replace("ENDS", ends))
        assert found.verdict is verdict

    def test_a_hook_that_was_not_seen(self) -> None:
        before = SERVER.replace("ENDS", "Shutdown(ctx)")
        found = program("\tfx.New(options()...).Run()", "context", "net/http", FX, before=before)
        assert found.verdict is Verdict.UNKNOWN

    def test_start_and_stop(self) -> None:
        before = SERVER.replace("ENDS", "Shutdown(ctx)")
        body = (
            "\tapp := fx.New(fx.Provide(NewServer), fx.Invoke(func(*http.Server) {}))\n\tctx := context.Background()\n"
            "\tapp.Start(ctx)\n\t<-app.Done()\n\tapp.Stop(ctx)"
        )
        assert program(body, "context", "net/http", FX, before=before).verdict is Verdict.HANDLED
        cut = program(body.replace("\tapp.Stop(ctx)", ""), "context", "net/http", FX, before=before)
        assert cut.verdict is Verdict.CUT


@pytest.mark.parametrize("condition", ["!errors.Is(err, http.ErrServerClosed)", "err != http.ErrServerClosed"])
def test_echo_says_that_its_server_was_closed(condition: str) -> None:
    body = f"""\te := echo.New()
	go func() {{
		if err := e.Start(":80"); err != nil && {condition} {{
			panic(errors.Unwrap(err))
		}}
	}}()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	e.Shutdown(context.Background())"""
    imports = ("context", "errors", "net/http", "os", "os/signal", "syscall", "github.com/labstack/echo/v4")
    assert program(body, *imports).verdict is Verdict.HANDLED


def test_calls_without_what_they_need_are_read() -> None:
    """They do not compile, and a file that is being written may hold one."""
    calls = [path for module in (brokers, children, clock, fx, texts) for path in module.FUNCTIONS]
    imports = sorted({path.rpartition(".")[0] for path in calls} - {"time"})
    names = {one: f"p{index}" for index, one in enumerate(imports)}
    body = "\n".join(f"\t{names.get(path.rpartition('.')[0], 'time')}.{path.rpartition('.')[2]}()" for path in calls)
    wait = "\tsig := make(chan os.Signal, 1)\n\tsignal.Notify(sig, syscall.SIGTERM)\n\t<-sig\n"
    lines = (*(f"{name} {path}" for path, name in names.items()), "os", "os/signal", "syscall", "time")

    assert program(wait + body, *lines).verdict is Verdict.HANDLED
