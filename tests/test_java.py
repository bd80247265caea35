"""Java programs: from the class or jar that a container starts to its sources, and what those do with the signal.

Verdicts of programs like these were measured on JDK 17 as PID 1 (fixtures/verdicts/jvm-*).
"""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

DOCKERFILE = """FROM eclipse-temurin:17-jdk AS build
WORKDIR /src
COPY . .
RUN javac -d /out Main.java

FROM eclipse-temurin:17-jre
COPY --from=build /out /app
CMD ["java", "-cp", "/app", "Main"]
"""


def launch(files: dict[str, str]) -> Launch:
    (found,) = read_project(request({"Dockerfile": DOCKERFILE, **files})[0]).launches
    return found


def program(main: str, members: str = "", **files: str) -> Launch:
    """A program whose main has this body."""
    text = (
        "import java.util.concurrent.*;\nimport com.sun.net.httpserver.HttpServer;\n\npublic class Main {\n"
        f"{members}\n    public static void main(String[] args) throws Exception {{\n{main}\n    }}\n}}\n"
    )
    return launch({"Main.java": text, **{f"{name}.java": text for name, text in files.items()}})


def hook(body: str) -> str:
    return f"Runtime.getRuntime().addShutdownHook(new Thread(() -> {{ {body} }}));\n"


LOOP = 'while (running) { Thread.sleep(200); }\nThread.sleep(700);\nSystem.out.println("flushed");\n'
RUNNING = "    static volatile boolean running = true;\n    static final CountDownLatch done = new CountDownLatch(1);\n"
SERVER = "HttpServer server = HttpServer.create(new java.net.InetSocketAddress(8080), 0);\nserver.start();\n"


class TestWithoutAHook:
    def test_the_jvm_ends_at_once(self) -> None:
        found = program("while (true) { Thread.sleep(1000); }")
        assert found.verdict is Verdict.CUT
        assert found.why == "Main.java: it has no shutdown hook, so the JVM ends at once on SIGTERM, exit 143"

    @pytest.mark.parametrize("loop", ["while (true) { Thread.sleep(200); }", "while (going()) { Thread.sleep(200); }"])
    def test_a_hook_that_a_setting_adds_is_known_when_it_runs(self, loop: str) -> None:
        added = hook('System.out.println("saved");')
        found = program(f'if (Boolean.parseBoolean(System.getenv("SAVES"))) {{ {added} }}\n{loop}')
        assert found.verdict is Verdict.UNKNOWN
        assert found.why == (
            "Main.java: what it does on SIGTERM in line 6 depends on its settings, which are only known when it runs"
        )

    def test_finally_does_not_run(self) -> None:
        assert program("try { while (true) Thread.sleep(1000); } finally { save(); }").verdict is Verdict.CUT

    def test_a_server_keeps_the_process_when_main_has_returned(self) -> None:
        assert program(SERVER).verdict is Verdict.CUT

    def test_a_program_that_ends_by_itself_is_none_to_stop(self) -> None:
        assert program('System.out.println("done");').one_shot

    def test_a_library_that_may_have_one_is_unknown(self) -> None:
        found = program(
            "Undertow server = Undertow.builder().build();\nserver.start();\nThread.currentThread().join();"
        )
        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "Main.java: what Undertow.builder.start does on SIGTERM is not in the project"


class TestHooks:
    @pytest.mark.parametrize(
        ("body", "verdict"),
        [
            ("running = false;", Verdict.CUT),
            ("running = false; try { done.await(); } catch (InterruptedException e) { }", Verdict.HANDLED),
            ("running = false; try { main.join(); } catch (InterruptedException e) { }", Verdict.HANDLED),
            ("running = false; try { main.join(100); } catch (InterruptedException e) { }", Verdict.CUT),
            ("main.interrupt(); try { main.join(); } catch (InterruptedException e) { }", Verdict.HANDLED),
            ("try { done.await(); } catch (InterruptedException e) { }", Verdict.IGNORED),
            ("System.exit(0);", Verdict.IGNORED),
            ("running = false; Runtime.getRuntime().halt(0);", Verdict.CUT),
            ('System.out.println("closed");', Verdict.HANDLED),
            ("try { Thread.sleep(20000); } catch (InterruptedException e) { }", Verdict.IGNORED),
        ],
    )
    def test_a_worker(self, body: str, verdict: Verdict) -> None:
        main = f"Thread main = Thread.currentThread();\n{hook(body)}{LOOP}done.countDown();\n"
        assert program(main, RUNNING).verdict is verdict

    @pytest.mark.parametrize(
        ("body", "verdict"),
        [
            ("server.stop(5);", Verdict.HANDLED),
            ("server.stop(0);", Verdict.CUT),
            ('System.out.println("bye");', Verdict.CUT),
        ],
    )
    def test_a_server(self, body: str, verdict: Verdict) -> None:
        assert program(SERVER + hook(body)).verdict is verdict

    def test_the_drain_is_the_time_that_stop_gets(self) -> None:
        drain = program(SERVER + hook("server.stop(7);")).budget.drain
        assert drain is not None
        assert drain.seconds == 7.0

    @pytest.mark.parametrize(
        "text",
        [
            "Runtime.getRuntime().addShutdownHook(new Thread(Main::stop));\n",
            "Runtime.getRuntime().addShutdownHook(new Thread() { @Override public void run() { stop(); } });\n",
            "Runtime.getRuntime().addShutdownHook(new Thread(new Stopper()));\n",
            'Runnable r = () -> stop();\nRuntime.getRuntime().addShutdownHook(new Thread(r, "stop"));\n',
        ],
    )
    def test_every_way_to_write_one(self, text: str) -> None:
        stop = "static void stop() { running = false; try { done.await(); } catch (Exception e) { } }"
        members = f"{RUNNING}    {stop}\n"
        stopper = "class Stopper implements Runnable { public void run() { Main.stop(); } }\n"
        assert program(f"{text}{LOOP}done.countDown();\n", members, Stopper=stopper).verdict is Verdict.HANDLED

    def test_a_handler_of_sun_misc_replaces_the_jvms(self) -> None:
        text = 'sun.misc.Signal.handle(new sun.misc.Signal("TERM"), signal -> System.out.println("no"));\n'
        found = program(text + LOOP, RUNNING)
        assert found.verdict is Verdict.IGNORED
        assert "replaces the JVM's own, and does not end the process" in found.why

    def test_one_that_ends_the_loop_is_handled(self) -> None:
        text = 'sun.misc.Signal.handle(new sun.misc.Signal("TERM"), signal -> running = false);\n'
        assert program(text + LOOP, RUNNING).verdict is Verdict.HANDLED


class TestExecutors:
    POOL = "ExecutorService pool = Executors.newFixedThreadPool(4);\npool.submit(() -> { work(); });\n"
    WORK = (
        RUNNING + "    static void work() { while (running) {"
        " try { Thread.sleep(500); } catch (InterruptedException e) { return; } }"
        ' try { Thread.sleep(300); } catch (InterruptedException e) { } System.out.println("flushed"); }\n'
    )

    @pytest.mark.parametrize(
        ("body", "verdict"),
        [
            ("running = false; pool.shutdown(); pool.awaitTermination(5, TimeUnit.SECONDS);", Verdict.HANDLED),
            ("running = false; pool.shutdown();", Verdict.CUT),
            ("running = false; pool.shutdown(); pool.awaitTermination(100, TimeUnit.MILLISECONDS);", Verdict.CUT),
            ("running = false; pool.close();", Verdict.HANDLED),
            ("pool.shutdownNow(); pool.awaitTermination(5, TimeUnit.SECONDS);", Verdict.HANDLED),
        ],
    )
    def test_tasks(self, body: str, verdict: Verdict) -> None:
        text = f"{self.POOL}{hook(f'try {{ {body} }} catch (Exception e) {{ }}')}"
        assert program(text, self.WORK).verdict is verdict


class TestGrpc:
    SERVE = "Server server = ServerBuilder.forPort(9090).addService(service).build().start();\n"

    @pytest.mark.parametrize(
        ("body", "verdict"),
        [
            ("server.shutdown();", Verdict.CUT),
            (
                "server.shutdown(); try { server.awaitTermination(8, TimeUnit.SECONDS); } catch (Exception e) { }",
                Verdict.HANDLED,
            ),
            ("server.shutdownNow();", Verdict.CUT),
        ],
    )
    def test_a_hook_has_to_wait(self, body: str, verdict: Verdict) -> None:
        found = program(f"{self.SERVE}{hook(body)}server.awaitTermination();\n")
        assert found.verdict is verdict


class TestTheSource:
    POM = (
        "<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>app</artifactId>"
        "<version>1</version></project>"
    )
    JAR = (
        "FROM maven:3.9 AS build\nWORKDIR /src\nCOPY pom.xml .\nCOPY src src\nRUN mvn package\n\n"
        'FROM eclipse-temurin:17\nCOPY --from=build /src/target/app-1.jar /app.jar\nCMD ["java", "-jar", "/app.jar"]\n'
    )

    APP = (
        "package shop;\npublic class App {\n    public static void main(String[] a) throws Exception {\n"
        "        while (true) Thread.sleep(9);\n    }\n}\n"
    )

    def test_the_one_main_of_a_jar(self) -> None:
        found = launch({"Dockerfile": self.JAR, "pom.xml": self.POM, "src/main/java/shop/App.java": self.APP})
        assert found.why == "App.java: it has no shutdown hook, so the JVM ends at once on SIGTERM, exit 143"

    def test_a_main_that_is_not_here(self) -> None:
        found = launch({"Dockerfile": self.JAR, "pom.xml": self.POM})
        assert found.why == "which class /app.jar starts is not said in pom.xml"

    def test_a_gradle_start_script(self) -> None:
        found = launch(
            {
                "Dockerfile": "FROM gradle:8 AS build\nWORKDIR /src\nCOPY . .\nRUN gradle installDist\n\n"
                "FROM eclipse-temurin:17\n"
                'COPY --from=build /src/build/install/shop /shop\nCMD ["/shop/bin/shop"]\n',
                "build.gradle.kts": 'plugins {\n    application\n}\napplication { mainClass.set("shop.App") }\n',
                "src/main/java/shop/App.java": self.APP,
            }
        )
        assert [hop.effect.value for hop in found.hops][-2:] == ["replaces", "cuts"]
        assert found.why == "App.java: it has no shutdown hook, so the JVM ends at once on SIGTERM, exit 143"

    @pytest.mark.parametrize("text", ["class {", "}{", "public class Main { void main( }"])
    def test_what_is_no_java_is_unknown(self, text: str) -> None:
        assert launch({"Main.java": text}).verdict is Verdict.UNKNOWN


CONSUMER = """class Consumer extends Thread {
    final BlockingQueue<String> queue = new LinkedBlockingQueue<>();

    @Override
    public void run() {
        try {
            while (true) {
                String next = queue.take();
                if (%s) break;
                Thread.sleep(500);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
"""


@pytest.mark.parametrize(
    ("queue", "verdict"),
    [("PriorityBlockingQueue<>(1)", Verdict.HANDLED), ("LinkedBlockingQueue<>(1)", Verdict.IGNORED)],
)
def test_the_capacity_that_a_heap_begins_with_is_no_bound(queue: str, verdict: Verdict) -> None:
    fills = f'BlockingQueue<String> queue = new {queue};\nqueue.put("a");\nqueue.put("b");\ndone.countDown();\n'
    found = program(f"{hook('running = false; done.await();')}{LOOP}{fills}", RUNNING)
    assert found.verdict is verdict, found.why


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("next.equals(Main.STOP)", Verdict.HANDLED),
        ("Main.STOP.equals(next)", Verdict.HANDLED),
        ("Objects.equals(next, Main.STOP)", Verdict.HANDLED),
        ('next.equals("other")', Verdict.IGNORED),
    ],
)
def test_a_poison_pill(test: str, verdict: Verdict) -> None:
    members = '    static final String STOP = "stop";\n' + (CONSUMER % test).replace(
        "class Consumer", "static class Consumer"
    )
    stops = hook("consumer.queue.add(STOP); try { consumer.join(); } catch (InterruptedException e) { }")
    found = program(f"Consumer consumer = new Consumer();\nconsumer.start();\n{stops}", members)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("pool", "verdict"), [("newFixedThreadPool(2)", Verdict.CUT), ("newCachedThreadPool()", Verdict.UNKNOWN)]
)
def test_a_pool_with_threads_of_its_own_keeps_the_process(pool: str, verdict: Verdict) -> None:
    found = program(f"ExecutorService pool = Executors.{pool};\npool.submit(() -> System.out.println());")
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("made", "kept", "over"),
    [
        ("List<Thread> all = new ArrayList<>()", "all.add(one)", "for (Thread t : all) t.join();"),
        ("Deque<Thread> all = new ArrayDeque<>()", "all.push(one)", "while (!all.isEmpty()) all.pop().join();"),
        (
            "List<Thread> all = new LinkedList<>()",
            "all.add(one)",
            "for (int i = 0; i < all.size(); i++) all.get(i).join();",
        ),
    ],
)
def test_threads_that_a_collection_holds(made: str, kept: str, over: str) -> None:
    starts = (
        f"Thread one = new Thread(() -> {{ try {{ {LOOP} }} catch (InterruptedException e) {{ }} }});\none.start();"
    )
    stops = hook(f"running = false; try {{ {over} }} catch (InterruptedException e) {{ }}")
    main = f"{starts}\n{kept};\n{stops}Thread.sleep(Long.MAX_VALUE);"
    members = f"{RUNNING}    static final {made};\n"
    assert program(main, members).verdict is Verdict.HANDLED
    assert program(main.replace(f"{kept};\n", ""), members).verdict is Verdict.CUT


JAR = """FROM eclipse-temurin:17-jdk AS build
WORKDIR /src
COPY . .
RUN javac -d /out Main.java Other.java
RUN PACKED

FROM eclipse-temurin:17-jre
COPY --from=build /app.jar /app.jar
CMD ["java", "-jar", "/app.jar"]
"""


@pytest.mark.parametrize(
    ("packed", "main"),
    [
        ("jar cfe /app.jar Main -C /out .", "Main"),
        ("jar -cvfe /app.jar Main -C /out .", "Main"),
        ("jar --create --file /app.jar --main-class Main -C /out .", "Main"),
        ("jar --create --file=/app.jar --main-class=Main -C /out .", "Main"),
        ("jar -c -f /out.jar -e Main -C /out . && mv /out.jar /app.jar", "Main"),
        ("echo 'Main-Class: Main' > /m.txt && jar cfm /app.jar /m.txt -C /out .", "Main"),
        ("jar cfm /app.jar /src/manifest.txt -C /out .", "Main"),
        ("jar cfe /other.jar Other -C /out . && jar cfe /app.jar Main -C /out .", "Main"),
        ("jar cfe /a.jar Other -C /out . && jar cfe /b.jar Main -C /out . && mv /b.jar /app.jar", ""),
        ("jar cf /app.jar -C /out .", ""),
        ("jar tf /app.jar Main", ""),
    ],
)
def test_a_jar_that_the_build_packs_by_hand(packed: str, main: str) -> None:
    body = "while (true) Thread.sleep(60000);"
    text = f"public class Main {{ public static void main(String[] args) throws Exception {{ {body} }} }}\n"
    files = {"Main.java": text, "Other.java": text.replace("Main", "Other"), "manifest.txt": "Main-Class: Main\n"}
    found = launch({**files, "Dockerfile": JAR.replace("PACKED", packed)})
    ends = f"{main}.java: it has no shutdown hook, so the JVM ends at once on SIGTERM, exit 143"
    assert found.why == (ends if main else "/app.jar is built by nothing in the project")


@pytest.mark.parametrize(
    ("makes", "waits", "path"),
    [
        ("FutureTask<String> task = new FutureTask<>(() -> null);", "task.get();", "FutureTask.get"),
        ("Phaser phaser = new Phaser(2);", "phaser.arriveAndAwaitAdvance();", "Phaser.arriveAndAwaitAdvance"),
        ("SynchronousQueue<String> hand = new SynchronousQueue<>();", 'hand.put("last");', "SynchronousQueue.put"),
    ],
)
def test_what_a_hook_waits_for_that_is_not_followed_is_unknown(makes: str, waits: str, path: str) -> None:
    found = program(f"{makes}\n{hook(waits)}new CountDownLatch(1).await();\n")

    assert found.verdict is Verdict.UNKNOWN
    assert found.why == f"Main.java: whether {path} in line 8 comes to its end is not known"


@pytest.mark.parametrize(
    ("field", "closes", "expected"),
    [
        ("", "name.trim();", Verdict.CUT),
        (" = System.lineSeparator()", "name.trim();", Verdict.HANDLED),
        ("; static void fill() throws Exception { field().setAccessible(true); }", "name.trim();", Verdict.HANDLED),
        ("", "if (name != null) name.trim();", Verdict.HANDLED),
        ("", "try { name.trim(); } catch (RuntimeException e) { }", Verdict.HANDLED),
        ("", "System.out.println(args[0]);", Verdict.CUT),
        ("", 'throw new IllegalStateException("shut");', Verdict.CUT),
    ],
)
def test_a_hook_ends_with_an_exception(field: str, closes: str, expected: Verdict) -> None:
    held = f"class Held {{ static String name{field}; }}\n"
    text = closes.replace("name", "Held.name")
    found = program(f"{hook(text)}new CountDownLatch(1).await();\n", held)
    assert found.verdict is expected, found.why


@pytest.mark.parametrize(
    ("made", "writes", "expected"),
    [
        ('new BufferedWriter(new FileWriter("log"))', 'out.write("end");', Verdict.CUT),
        ('new BufferedWriter(new FileWriter("log"))', 'out.write("end"); out.flush();', Verdict.HANDLED),
        ("new PrintWriter(new OutputStreamWriter(System.out), true)", 'out.println("end");', Verdict.HANDLED),
        ("new PrintWriter(new OutputStreamWriter(System.out))", 'out.println("end");', Verdict.CUT),
        ('new FileOutputStream("log")', "out.write(1);", Verdict.HANDLED),
        ('new BufferedWriter(new FileWriter("log"))', 'out.write("end"); Files.closeQuietly(out);', Verdict.HANDLED),
    ],
)
def test_a_buffer_is_lost_with_the_jvm(made: str, writes: str, expected: Verdict) -> None:
    found = program(f"var out = {made};\n{hook(writes)}new CountDownLatch(1).await();\n")
    assert found.verdict is expected, found.why


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("out.close();", Verdict.HANDLED),
        ("buffer.close();", Verdict.CUT),
        ("for (Writer one : open.values()) one.close();", Verdict.HANDLED),
        ("for (var one : open.entrySet()) one.getValue().close();", Verdict.HANDLED),
    ],
)
def test_what_stands_in_front_of_a_buffer_flushes_it(last: str, expected: Verdict) -> None:
    makes = 'var buffer = new BufferedWriter(new FileWriter("log"));\nvar out = new PrintWriter(buffer);\n'
    makes += 'var open = new java.util.HashMap<String, Writer>();\nopen.put("log", out);\n'
    writes = 'buffer.write("start");\nout.println("next");\n'
    closes = f"try {{ {last} }} catch (Exception e) {{ }}"
    found = program(f"{makes}{writes}{hook(closes)}new CountDownLatch(1).await();\n")
    assert found.verdict is expected, found.why


@pytest.mark.parametrize(
    ("body", "closes", "expected"),
    [
        ("try { work(); } finally { save(); }", "", Verdict.CUT),
        ("try { work(); } finally { save(); }", "save();", Verdict.HANDLED),
        ("try { work(); } finally { save(); }", "write();", Verdict.HANDLED),
        ("try { work(); } finally { end(); }", "write();", Verdict.UNKNOWN),
        ("try { work(); } finally { end(); }", "", Verdict.CUT),
        ("try { work(); } finally { idle(); }", "", Verdict.HANDLED),
        ("loop();", "", Verdict.CUT),
    ],
)
def test_the_jvm_unwinds_no_thread_as_it_ends(body: str, closes: str, expected: Verdict) -> None:
    members = (
        "static void work() throws Exception { while (true) Thread.sleep(100); }\n"
        'static void write() { try { java.nio.file.Files.writeString(null, "rows"); } catch (Exception e) { } }\n'
        "static void save() { write(); }\n"
        'static void end() { write(); new java.io.File("run").delete(); }\n'
        'static void idle() { System.out.println("over"); }\n'
        "static void loop() throws Exception { try { while (true) Thread.sleep(100); } finally { save(); } }\n"
    )
    found = program(f"{hook(closes)}{body}\n", members)
    assert found.verdict is expected, found.why


@pytest.mark.parametrize(
    ("closes", "expected", "words"),
    [
        ("child.destroy(); child.waitFor();", Verdict.UNKNOWN, "nothing is known of the command serve-files"),
        ("child.destroy();", Verdict.UNKNOWN, "which nothing waits for, has something to finish"),
        ("child.destroyForcibly();", Verdict.UNKNOWN, "which SIGKILL ends, has something to finish"),
    ],
)
def test_a_child_process_of_java(closes: str, expected: Verdict, words: str) -> None:
    starts = 'Process child = new ProcessBuilder("serve-files").inheritIO().start();\n'
    tried = f"try {{ {closes} }} catch (Exception e) {{ }}"
    found = program(f"{starts}{hook(tried)}System.exit(child.waitFor());\n")
    assert found.verdict is expected
    assert words in found.why


@pytest.mark.parametrize(
    ("closes", "expected"),
    [("timer.cancel();", Verdict.UNKNOWN), ("timer.cancel(); save();", Verdict.HANDLED)],
)
def test_what_a_timer_writes_at_times(closes: str, expected: Verdict) -> None:
    members = 'static void save() { System.out.println("saved"); }\n'
    task = "new java.util.TimerTask() { public void run() { save(); } }"
    timer = f"var timer = new java.util.Timer(true);\ntimer.schedule({task}, 9000, 9000);\n"
    found = program(f"{timer}{hook(closes)}new CountDownLatch(1).await();\n", members)
    assert found.verdict is expected, found.why
