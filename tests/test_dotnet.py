"""Programs of .NET: from `dotnet App.dll` to the project, and what its host does.

Nothing here was started: the facts are those of Microsoft's documentation.
"""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

PROGRAM = "var app = WebApplication.CreateBuilder(args).Build();\napp.Run();\n"
DOCKERFILE = """FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish Shop.Api.csproj -c Release -o /out

FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /app
COPY --from=build /out .
ENTRYPOINT ["dotnet", "Shop.Api.dll"]
"""
FINISHES = ".NET's host finishes open requests and stops its services on SIGTERM"


def project(framework: str = "net8.0", sdk: str = "Microsoft.NET.Sdk.Web", more: str = "") -> str:
    return (
        f'<Project Sdk="{sdk}">\n  <PropertyGroup>\n    <TargetFramework>{framework}</TargetFramework>\n{more}'
        "  </PropertyGroup>\n</Project>\n"
    )


def launch(files: dict[str, str]) -> Launch:
    usual = {"Dockerfile": DOCKERFILE, "Shop.Api.csproj": project(), "Program.cs": PROGRAM}
    (found,) = read_project(request({**usual, **files})[0]).launches
    return found


def worker(body: str) -> dict[str, str]:
    """A worker service whose ExecuteAsync has this body."""
    return {
        "Program.cs": "var builder = Host.CreateApplicationBuilder(args);\n"
        "builder.Services.AddHostedService<Worker>();\n"
        "builder.Build().Run();\n",
        "Worker.cs": "class Worker : BackgroundService\n{\n    protected override async Task ExecuteAsync("
        f"CancellationToken stoppingToken)\n    {{\n{body}\n    }}\n}}\n",
    }


class TestTheProject:
    @pytest.mark.parametrize(
        "entrypoint",
        [
            '["dotnet", "Shop.Api.dll"]',
            '["dotnet", "exec", "Shop.Api.dll"]',
            '["dotnet", "/app/Shop.Api.dll", "--urls", "http://+:80"]',
            '["./Shop.Api"]',
        ],
    )
    def test_it_is_found_by_the_assembly(self, entrypoint: str) -> None:
        found = launch({"Dockerfile": DOCKERFILE.replace('["dotnet", "Shop.Api.dll"]', entrypoint)})
        assert (found.verdict, found.why) == (Verdict.HANDLED, FINISHES)

    def test_an_assembly_may_have_a_name_of_its_own(self) -> None:
        files = {"Shop.Api.csproj": "", "web.csproj": project(more="    <AssemblyName>Shop.Api</AssemblyName>\n")}
        assert launch(files).verdict is Verdict.HANDLED

    def test_one_that_nobody_makes(self) -> None:
        found = launch({"Dockerfile": DOCKERFILE.replace('"Shop.Api.dll"', '"Other.dll"')})
        assert (found.verdict, found.why) == (Verdict.UNKNOWN, "Other.dll is built by no project that is here")

    def test_the_projects_of_a_large_repository_are_near_its_top(self) -> None:
        files = {f"web/assets/{number}.svg": "" for number in range(4_100)}
        assert launch(
            files | {"api/Shop.Api.csproj": project(), "api/Program.cs": PROGRAM, "Shop.Api.csproj": ""}
        ).verdict is (Verdict.HANDLED)

    def test_two_of_one_name_are_none(self) -> None:
        assert launch({"old/Shop.Api.csproj": project()}).verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize("name", ["Directory.Build.props", "Directory.Packages.props", "Directory.Build.targets"])
    def test_the_version_may_stand_above_the_projects(self, name: str) -> None:
        files = {"Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n', name: project("net9.0")}
        assert launch(files).verdict is Verdict.HANDLED

    @pytest.mark.parametrize(
        "imported",
        [
            "$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))",
            "$([MSBuild]::GetDirectoryNameOfFileAbove($(MSBuildThisFileDirectory).., "
            "'Directory.Build.props'))/Directory.Build.props",
            "../Directory.Build.props",
            "$(MSBuildThisFileDirectory)..\\Directory.Build.props",
        ],
    )
    def test_properties_are_imported(self, imported: str) -> None:
        files = {
            "Shop.Api.csproj": "",
            "api/Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "api/Program.cs": PROGRAM,
            "api/Directory.Build.props": f'<Project>\n  <Import Project="{imported}" />\n</Project>\n',
            "Directory.Build.props": project("net9.0"),
        }
        assert launch(files).verdict is Verdict.HANDLED

    def test_a_file_that_is_not_imported_says_nothing(self) -> None:
        files = {
            "Shop.Api.csproj": "",
            "api/Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "api/Program.cs": PROGRAM,
            "api/Directory.Build.props": "<Project />\n",
            "Directory.Build.props": project("net9.0"),
        }
        assert launch(files).why == "which .NET Shop.Api is built for is not known: api/Shop.Api.csproj names none"

    def test_the_version_may_be_a_property(self) -> None:
        files = {
            "Shop.Api.csproj": project("net$(Version)"),
            "Directory.Build.props": project("x", more="    <Version>8.0</Version>\n"),
        }
        assert launch(files).verdict is Verdict.HANDLED

    def test_imports_that_go_round(self) -> None:
        round_and_round = '<Project><Import Project="Directory.Build.props" /></Project>\n'
        files = {
            "Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "Directory.Build.props": round_and_round,
        }
        assert launch(files).verdict is Verdict.UNKNOWN

    def test_no_version(self) -> None:
        found = launch({"Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n'})
        assert found.why == "which .NET Shop.Api is built for is not known: Shop.Api.csproj names none"

    def test_entities_are_not_followed(self) -> None:
        files = {"Shop.Api.csproj": '<!DOCTYPE p [<!ENTITY a "aaaa">]>\n' + project()}
        assert launch(files).verdict is Verdict.UNKNOWN


class TestRun:
    """`dotnet run` in a folder of the image."""

    TEXT = "FROM mcr.microsoft.com/dotnet/sdk:8.0\nWORKDIR /src\nCOPY . .\n"

    @pytest.mark.parametrize(
        "command",
        [
            '["dotnet", "run"]',
            '["dotnet", "run", "--no-build", "-c", "Release", "--", "--urls", "http://+:80"]',
            '["dotnet", "run", "--project", "Shop.Api.csproj"]',
            '["dotnet", "run", "--project", "/src"]',
        ],
    )
    def test_it_passes_the_signal_on(self, command: str) -> None:
        found = launch({"Dockerfile": f"{self.TEXT}CMD {command}\n"})
        assert (found.verdict, found.why) == (Verdict.HANDLED, FINISHES)
        assert found.hops[-2].why == "dotnet run passes SIGTERM on and waits for the program"

    @pytest.mark.parametrize(
        ("files", "text"),
        [
            ({}, 'STOPSIGNAL SIGINT\nCMD ["dotnet", "run"]\n'),
            ({"Other.csproj": project()}, 'CMD ["dotnet", "run"]\n'),
            ({}, 'CMD ["dotnet", "run", "--project", "api"]\n'),
        ],
    )
    def test_what_is_not_known(self, files: dict[str, str], text: str) -> None:
        found = launch({"Dockerfile": self.TEXT + text, **files})
        assert (found.verdict, found.why) == (Verdict.UNKNOWN, "nothing is known of the command dotnet")

    def test_a_variable_that_stays_as_it_is(self) -> None:
        found = launch({"Dockerfile": f'{self.TEXT}CMD ["dotnet", "run", "--no-build", "-c", "$CONFIGURATION"]\n'})
        assert found.why == "nothing is built as $CONFIGURATION, which no shell replaces here: it ends at once"
        assert found.verdict is Verdict.UNKNOWN


class TestTheHost:
    @pytest.mark.parametrize("made", ["Host.CreateDefaultBuilder(args)", "Host\n    .CreateDefaultBuilder(args)"])
    def test_how_it_is_made(self, made: str) -> None:
        start = "webBuilder => webBuilder.UseStartup<Startup>()"
        found = launch({"Program.cs": f"{made}\n    .ConfigureWebHostDefaults({start})\n    .Build().Run();\n"})
        assert (found.verdict, found.why) == (Verdict.HANDLED, FINISHES)

    @pytest.mark.parametrize(
        ("framework", "program", "seconds"),
        [
            ("net8.0", PROGRAM, 30.0),
            ("net5.0", PROGRAM, 5.0),
            ("netcoreapp3.1", PROGRAM, 5.0),
            ("net10.0", "// ShutdownTimeout = 3\n" + PROGRAM, None),
            ("net8.0", PROGRAM + "options.ShutdownTimeout = TimeSpan.FromSeconds(45);\n", 45.0),
            ("net8.0", PROGRAM + "web.UseShutdownTimeout(TimeSpan.FromMinutes(2));\n", 120.0),
            ("net8.0", PROGRAM + "options.ShutdownTimeout = settings.Wait;\n", None),
        ],
    )
    def test_how_long_it_waits(self, framework: str, program: str, seconds: float | None) -> None:
        found = launch({"Shop.Api.csproj": project(framework), "Program.cs": program})
        assert found.verdict is Verdict.HANDLED
        assert (found.budget.drain.seconds if found.budget.drain else None) == seconds

    def test_the_environment_sets_it_too(self) -> None:
        text = DOCKERFILE.replace("WORKDIR /app", "ENV DOTNET_SHUTDOWNTIMEOUTSECONDS=12\nWORKDIR /app")
        found = launch({"Dockerfile": text})
        assert found.budget.drain is not None
        assert found.budget.drain.seconds == 12.0

    @pytest.mark.parametrize(
        ("arguments", "seconds"),
        [
            ('"--shutdownTimeoutSeconds", "12"', 12.0),
            ('"--urls", "http://+:80", "--shutdownTimeoutSeconds=12"', 12.0),
            ('"/ShutdownTimeoutSeconds", "12", "--urls", "http://+:80"', 12.0),
            ('"--shutdownTimeoutSeconds"', None),
        ],
    )
    def test_so_does_the_command_line(self, arguments: str, seconds: float | None) -> None:
        found = launch({"Dockerfile": DOCKERFILE.replace('.dll"]', f'.dll", {arguments}]')})
        assert (found.budget.drain.seconds if found.budget.drain else None) == seconds

    @pytest.mark.parametrize(
        ("program", "why"),
        [
            (
                "var app = WebApplication.CreateBuilder(args).Build();\n",
                "Shop.Api makes a host, and where it is run is not found",
            ),
            (
                PROGRAM + "Console.CancelKeyPress += (_, e) => e.Cancel = true;\n",
                ".NET host: its own code takes signals or the end of the process (Program.cs:3)",
            ),
            (
                "Console.CancelKeyPress += (_, e) => e.Cancel = true;\n" + PROGRAM,
                ".NET host: its own code takes signals or the end of the process (Program.cs:1)",
            ),
            (
                PROGRAM + "app.Lifetime.ApplicationStopping.Register(() => { Thread.Sleep(60000); });\n",
                ".NET host: its own code waits while the host stops (Program.cs:3)",
            ),
        ],
    )
    def test_what_is_not_known(self, program: str, why: str) -> None:
        found = launch({"Program.cs": program})
        assert (found.verdict, found.why) == (Verdict.UNKNOWN, why)

    @pytest.mark.parametrize(
        ("options", "verdict"),
        [
            ("q => q.WaitForJobsToComplete = true", Verdict.HANDLED),
            ("q => { q.AwaitApplicationStarted = true; }", Verdict.UNKNOWN),
            ("", Verdict.UNKNOWN),
        ],
    )
    def test_quartz_waits_where_it_is_told_to(self, options: str, verdict: Verdict) -> None:
        text = f"b.Services.AddQuartzHostedService({options});\nb.Build().Run();\n"
        assert launch({"Program.cs": f"var b = WebApplication.CreateBuilder(args);\n{text}"}).verdict is verdict

    @pytest.mark.parametrize(
        ("stop", "jobs", "verdict"),
        [
            ("await _scheduler.Shutdown(token);", "", Verdict.HANDLED),
            ("await _scheduler.Shutdown(true, token);", "TriggerBuilder.Create()", Verdict.HANDLED),
            ("await _scheduler.Shutdown(cancellationToken);", "TriggerBuilder.Create()", Verdict.UNKNOWN),
        ],
    )
    def test_a_scheduler_that_is_shut_down_by_hand(self, stop: str, jobs: str, verdict: Verdict) -> None:
        service = (
            f"class Jobs : IHostedService {{ public async Task StopAsync(CancellationToken token) {{ {stop} }} }}\n"
        )
        files = {"Jobs.cs": service, "Triggers.cs": f"class Triggers {{ object One => {jobs or 'null'}; }}\n"}
        assert launch(files).verdict is verdict

    def test_comments_are_no_code(self) -> None:
        assert launch({"Program.cs": PROGRAM + "// Console.CancelKeyPress would be heard\n"}).verdict is Verdict.HANDLED


class TestBackgroundServices:
    @pytest.mark.parametrize(
        "body",
        [
            "while (!stoppingToken.IsCancellationRequested) { await Work(); await Task.Delay(1000, stoppingToken); }",
            "while (true) { await Task.Delay(1000, stoppingToken); }",
            "await foreach (var item in queue.ReadAllAsync(stoppingToken)) { Handle(item); }",
            "await Task.Yield();",
        ],
    )
    def test_they_look_at_their_token(self, body: str) -> None:
        assert launch(worker(body)).verdict is Verdict.HANDLED

    def test_one_that_does_not_is_given_up(self) -> None:
        found = launch(worker("while (true) { await Work(); await Task.Delay(1000); }"))
        assert found.verdict is Verdict.IGNORED
        assert found.why == (
            "Worker.ExecuteAsync never looks at its token (Worker.cs:3), and the host gives up after 30 s, "
            "but SIGKILL comes after 10 s"
        )

    def test_one_that_may(self) -> None:
        body = "if (stoppingToken.CanBeCanceled) Log();\nwhile (true) { await Work(); }"
        found = launch(worker(body))
        assert found.why == ".NET host: Worker may run on when its token is cancelled (Worker.cs:3)"


LOOP = 'while (running) { Thread.Sleep(300); }\nThread.Sleep(500);\nConsole.WriteLine("flushed");\n'


def console(program: str, framework: str = "net8.0") -> Launch:
    """A program without a host, of top-level statements."""
    return launch({"Shop.Api.csproj": project(framework, "Microsoft.NET.Sdk"), "Program.cs": program})


class TestConsolePrograms:
    @pytest.mark.parametrize(
        ("program", "verdict"),
        [
            ("while (true) Thread.Sleep(1000);\n", Verdict.CUT),
            (f"var running = true;\nConsole.CancelKeyPress += (_, e) => running = false;\n{LOOP}", Verdict.CUT),
            (
                "var running = true;\nAppDomain.CurrentDomain.ProcessExit += (_, _) => running = false;\n" + LOOP,
                Verdict.CUT,
            ),
            (
                "var running = true;\nvar done = new ManualResetEventSlim();\n"
                "AppDomain.CurrentDomain.ProcessExit += (_, _) => { running = false; done.Wait(); };\n"
                f"{LOOP}done.Set();\n",
                Verdict.HANDLED,
            ),
            (
                "var running = true;\nusing var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>\n"
                f"{{ context.Cancel = true; running = false; }});\n{LOOP}",
                Verdict.HANDLED,
            ),
            (
                "var running = true;\nusing var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>\n"
                f"{{ running = false; }});\n{LOOP}",
                Verdict.CUT,
            ),
            (
                "using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>\n"
                "{ context.Cancel = true; });\nwhile (true) Thread.Sleep(1000);\n",
                Verdict.IGNORED,
            ),
            (
                "var source = new CancellationTokenSource();\n"
                "using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>\n"
                "{ context.Cancel = true; source.Cancel(); });\n"
                "try { while (true) { await Task.Delay(1000, source.Token); } }\n"
                'catch (OperationCanceledException) { }\nConsole.WriteLine("flushed");\n',
                Verdict.HANDLED,
            ),
        ],
    )
    @pytest.mark.parametrize("framework", ["net6.0", "net9.0"])
    def test_until_net_9(self, program: str, verdict: Verdict, framework: str) -> None:
        assert console(program, framework).verdict is verdict

    @pytest.mark.parametrize(
        "program",
        [
            "while (true) Thread.Sleep(1000);\n",
            "AppDomain.CurrentDomain.ProcessExit += (_, _) => Save();\nwhile (true) Thread.Sleep(1000);\n"
            "static void Save() { }\n",
        ],
    )
    def test_from_net_10_on_nobody_hears(self, program: str) -> None:
        found = console(program, "net10.0")
        assert found.verdict is Verdict.IGNORED
        assert "from .NET 10 on neither has the runtime" in found.why

    def test_behind_an_init_that_is_a_cut(self) -> None:
        text = DOCKERFILE.replace('["dotnet"', '["tini", "--", "dotnet"')
        program = {"Shop.Api.csproj": project("net10.0"), "Program.cs": "while (true) Thread.Sleep(1000);\n"}
        assert launch({"Dockerfile": text, **program}).verdict is Verdict.CUT

    def test_a_library_that_may_listen(self) -> None:
        found = console("var bus = new Bus();\nbus.Start();\nThread.Sleep(Timeout.Infinite);\n")
        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "Program.cs: what Bus.Start does on SIGTERM is not in the project"

    def test_a_class_with_main(self) -> None:
        text = "class Program\n{\n    static async Task Main()\n    {\n        await Task.Delay(-1);\n    }\n}\n"
        assert console(text).why == (
            "Program.cs: it has no handler for SIGTERM, so the .NET runtime ends it at once, exit 143"
        )
