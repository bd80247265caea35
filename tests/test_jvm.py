"""Frameworks of the JVM: from the jar to the project, its version and its settings, and images without a Dockerfile."""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

BOOT = "org.springframework.boot"
PARENT = (
    f"<parent><groupId>{BOOT}</groupId><artifactId>spring-boot-starter-parent</artifactId>"
    "<version>3.3.5</version></parent>"
)
DEFAULT_34 = "Spring Boot finishes open requests on SIGTERM (graceful by default since 3.4)"
SET = "Spring Boot finishes open requests on SIGTERM (server.shutdown=graceful)"
IMMEDIATE = "Spring Boot closes open requests on SIGTERM while `server.shutdown` is immediate, the default before 3.4"
DOCKERFILE = """FROM eclipse-temurin:21 AS build
WORKDIR /src
COPY . .
RUN ./build.sh

FROM eclipse-temurin:21-jre
WORKDIR /app
{env}COPY --from=build /src/target/app.jar app.jar
ENTRYPOINT {entrypoint}
"""


def dockerfile(entrypoint: str = '["java", "-jar", "app.jar"]', env: str = "", jar: str = "target/app.jar") -> str:
    return DOCKERFILE.format(env=env, entrypoint=entrypoint).replace("target/app.jar", jar)


def dependency(name: str, group: str = BOOT) -> str:
    return f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId></dependency>"


def pom(parent: str = PARENT, dependencies: str = dependency("spring-boot-starter-web"), more: str = "") -> str:
    return (
        f'<project xmlns="http://maven.apache.org/POM/4.0.0">{parent}<groupId>shop</groupId><artifactId>app</artifactId>'
        f"<version>1</version>{more}<dependencies>{dependencies}</dependencies></project>"
    )


def launches(files: dict[str, str]) -> tuple[Launch, ...]:
    return read_project(request(files)[0]).launches


def launch(files: dict[str, str]) -> Launch:
    (found,) = launches({"Dockerfile": dockerfile(), "pom.xml": pom(), **files})
    return found


def settings(text: str, name: str = "application.yml") -> dict[str, str]:
    return {f"src/main/resources/{name}": text}


GRACEFUL = "server:\n  shutdown: graceful\n"


class TestMaven:
    def test_the_version_of_the_parent(self) -> None:
        assert launch({}).why == IMMEDIATE
        assert launch({"pom.xml": pom(PARENT.replace("3.3.5", "3.4.0"))}).why == DEFAULT_34
        assert launch({"pom.xml": pom(PARENT.replace("3.3.5", "4.0.1"))}).why == DEFAULT_34

    def test_a_bom_with_a_property(self) -> None:
        more = (
            "<properties><boot>3.5.1</boot></properties><dependencyManagement><dependencies><dependency>"
            f"<groupId>{BOOT}</groupId><artifactId>spring-boot-dependencies</artifactId><version>${{boot}}</version>"
            "<type>pom</type><scope>import</scope></dependency></dependencies></dependencyManagement>"
        )
        assert launch({"pom.xml": pom("", more=more)}).why == DEFAULT_34

    def test_a_parent_in_the_repository(self) -> None:
        own = "<parent><groupId>shop</groupId><artifactId>all</artifactId><version>1</version></parent>"
        files = {
            "Dockerfile": dockerfile(jar="api/target/app.jar"),
            "pom.xml": f"<project>{PARENT}<artifactId>all</artifactId><packaging>pom</packaging>"
            "<modules><module>api</module><module>web</module></modules></project>",
            "api/pom.xml": pom(own, dependency("web", "shop")),
            "web/pom.xml": pom(own).replace("<artifactId>app<", "<artifactId>web<"),
        }
        assert launch(files).why == IMMEDIATE

    def test_a_parent_that_is_not_here(self) -> None:
        own = "<parent><groupId>acme</groupId><artifactId>base</artifactId><version>1</version></parent>"
        found = launch({"pom.xml": pom(own)})
        assert found.verdict is Verdict.UNKNOWN
        assert found.why == "which version of Spring Boot it is, is not known: acme:base is not in the project"

    def test_what_only_tests_need_does_not_count(self) -> None:
        test = dependency("spring-boot-starter-web").replace("</dependency>", "<scope>test</scope></dependency>")
        assert launch({"pom.xml": pom(dependencies=test)}).verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize("text", ["", "<project>", "<!DOCTYPE a [<!ENTITY b 'c'>]><project>&b;</project>"])
    def test_what_is_no_pom(self, text: str) -> None:
        assert launch({"pom.xml": text}).verdict is Verdict.UNKNOWN


class TestGradle:
    @pytest.mark.parametrize(
        "script",
        [
            "plugins {{ id '{boot}' version '3.4.1' }}\n"
            "dependencies {{ implementation '{boot}:spring-boot-starter-web' }}\n",
            "buildscript {{ ext {{ bootVersion = '3.4.1' }}\n"
            'dependencies {{ classpath "{boot}:spring-boot-gradle-plugin:${{bootVersion}}" }} }}\n'
            "apply plugin: '{boot}'\ndependencies {{ implementation '{boot}:spring-boot-starter-web' }}\n",
        ],
    )
    def test_groovy(self, script: str) -> None:
        files = {"build.gradle": script.format(boot=BOOT), "Dockerfile": dockerfile(jar="build/libs/app.jar")}
        (found,) = launches(files)
        assert found.why == DEFAULT_34

    def test_a_catalog(self) -> None:
        files = {
            "Dockerfile": dockerfile(jar="build/libs/*.jar"),
            "settings.gradle.kts": 'rootProject.name = "shop"\n',
            "build.gradle.kts": "plugins { alias(libs.plugins.spring.boot) }\n"
            "dependencies { implementation(libs.spring.boot.starter.web) }\n",
            "gradle/libs.versions.toml": f'[versions]\nboot = "3.4.1"\n[plugins]\nspring-boot = {{ id = "{BOOT}", '
            'version.ref = "boot" }\n[libraries]\n'
            f'spring-boot-starter-web = {{ module = "{BOOT}:spring-boot-starter-web" }}\n',
        }
        (found,) = launches(files)
        assert found.why == DEFAULT_34

    def test_the_version_may_stand_in_the_root(self) -> None:
        files = {
            "Dockerfile": dockerfile(jar="api/build/libs/api.jar"),
            "settings.gradle": "include ':api'\n",
            "build.gradle": f"plugins {{ id '{BOOT}' version '3.4.1' apply false }}\n",
            "api/build.gradle": f"plugins {{ id '{BOOT}' }}\n"
            f"dependencies {{ implementation '{BOOT}:spring-boot-starter-web' }}\n",
        }
        (found,) = launches(files)
        assert found.why == DEFAULT_34

    def test_comments_are_not_read(self) -> None:
        script = f"// id '{BOOT}' version '3.4.1'\nplugins {{ id 'java' }}\n"
        files = {"build.gradle": script, "Dockerfile": dockerfile(jar="build/libs/app.jar")}
        (found,) = launches(files)
        assert found.verdict is Verdict.UNKNOWN


class TestSettings:
    @pytest.mark.parametrize(
        "files",
        [
            settings(GRACEFUL),
            settings("server.shutdown=graceful\n", "application.properties"),
            settings("server.shutdown: graceful\n", "application.properties"),
            settings("server:\n  shutdown: ${HOW:graceful}\n"),
            {"Dockerfile": dockerfile(env="ENV SERVER_SHUTDOWN=graceful\n")},
            {"Dockerfile": dockerfile(env="ENV JAVA_TOOL_OPTIONS=-Dserver.shutdown=graceful\n")},
            {"Dockerfile": dockerfile('["java", "-Dserver.shutdown=graceful", "-jar", "app.jar"]')},
            {"Dockerfile": dockerfile('["java", "-jar", "app.jar", "--server.shutdown=graceful"]')},
            {
                "Dockerfile": dockerfile(env="ENV SPRING_PROFILES_ACTIVE=prod\n"),
                **settings(GRACEFUL, "application-prod.yml"),
            },
            settings(
                "spring:\n  profiles:\n    active: prod\n---\n"
                f"spring:\n  config:\n    activate:\n      on-profile: prod | qa\n{GRACEFUL}"
            ),
        ],
    )
    def test_graceful_wherever_it_is_said(self, files: dict[str, str]) -> None:
        assert launch(files).why == SET

    @pytest.mark.parametrize(
        "files",
        [
            settings(GRACEFUL, "application-prod.yml"),
            settings(f"---\nspring:\n  config:\n    activate:\n      on-profile: prod\n{GRACEFUL}"),
            settings("# server.shutdown=graceful\n", "application.properties"),
            {"Dockerfile": dockerfile(env="ENV SERVER_SHUTDOWN=immediate\n"), **settings(GRACEFUL)},
        ],
    )
    def test_what_does_not_hold(self, files: dict[str, str]) -> None:
        assert launch(files).why == IMMEDIATE

    def test_the_manifest_sets_it_too(self) -> None:
        compose = "services:\n  app:\n    build: .\n    environment: {SERVER_SHUTDOWN: graceful}\n"
        assert launch({"compose.yaml": compose}).why == SET

    def test_what_is_set_has_its_place(self) -> None:
        text = "a=1\nserver.shutdown=graceful\nspring.lifecycle.timeout-per-shutdown-phase=20s\n"
        drain = launch(settings(text, "application.properties")).budget.drain
        assert drain is not None and drain.span is not None
        assert drain.span.text.rstrip() == "spring.lifecycle.timeout-per-shutdown-phase=20s"

    def test_a_profile_that_nobody_knows(self) -> None:
        compose = "services:\n  app:\n    build: .\n    environment: {SPRING_PROFILES_ACTIVE: $PROFILE}\n"
        assert (
            launch({"compose.yaml": compose, **settings(GRACEFUL, "application-prod.yml")}).verdict is Verdict.UNKNOWN
        )

    def test_the_phase_is_the_drain(self) -> None:
        text = f"{GRACEFUL}spring:\n  lifecycle:\n    timeout-per-shutdown-phase: 45s\n"
        drain = launch(settings(text)).budget.drain
        assert drain is not None
        assert drain.seconds == 45.0

    def test_a_server_of_configurations_may_set_it(self) -> None:
        found = launch(settings('spring:\n  config:\n    import: "optional:configserver:"\n'))
        assert found.why == "Spring Boot: its configuration server may set what its files do not"

    def test_quarkus_counts_its_own_profile(self) -> None:
        text = "%prod.quarkus.shutdown.timeout=10s\n%dev.quarkus.shutdown.timeout=0\n"
        quarkus = pom("", dependency("quarkus-rest", "io.quarkus"))
        found = launch({"pom.xml": quarkus, **settings(text, "application.properties")})
        assert (found.verdict, found.budget.drain and found.budget.drain.seconds) == (Verdict.HANDLED, 10.0)
        assert launch({"pom.xml": quarkus}).verdict is Verdict.CUT


class TestOwnCode:
    def source(self, text: str) -> dict[str, str]:
        return {"src/main/java/shop/App.java": text, "pom.xml": pom(PARENT.replace("3.3.5", "3.4.0"))}

    def test_the_hook_turned_off(self) -> None:
        found = launch(self.source("class App { void a() { app.setRegisterShutdownHook(false); } }\n"))
        assert found.verdict is Verdict.CUT
        assert found.why == (
            "Spring Boot: its shutdown hook is turned off, and the JVM ends at once on SIGTERM "
            "(src/main/java/shop/App.java:1)"
        )

    def test_what_a_bean_sleeps_counts(self) -> None:
        found = launch(self.source("class App {\n  @PreDestroy\n  void a() { Thread.sleep(60_000); }\n}\n"))
        assert found.verdict is Verdict.IGNORED
        assert found.why.endswith("(src/main/java/shop/App.java:2): 60 s, but SIGKILL comes after 10 s")

    def test_a_bean_that_only_closes_is_no_hindrance(self) -> None:
        assert launch(self.source("class App {\n  @PreDestroy\n  void a() { pool.close(); }\n}\n")).why == DEFAULT_34

    def test_what_a_hook_of_its_own_sleeps_counts(self) -> None:
        hook = "Runtime.getRuntime().addShutdownHook(new Thread(() -> { Thread.sleep(60_000); }))"
        found = launch(self.source(f"class App {{\n  void a() {{ {hook}; }}\n}}\n"))
        assert found.verdict is Verdict.IGNORED
        assert found.why.endswith("(src/main/java/shop/App.java:2): 60 s, but SIGKILL comes after 10 s")

    def test_what_stands_behind_a_hook_is_not_in_it(self) -> None:
        hook = "Runtime.getRuntime().addShutdownHook(Thread(::close))"
        text = f"class App {{\n  fun a() {{\n    {hook}\n    while (go) {{ Thread.sleep(60_000) }}\n  }}\n}}\n"
        assert launch(self.source(text)).why == DEFAULT_34

    def test_a_worker_is_judged_by_what_runs_in_it(self) -> None:
        batch = pom(dependencies=dependency("spring-boot-starter"))
        assert launch({"pom.xml": batch}).verdict is Verdict.UNKNOWN
        job = {"pom.xml": batch, "src/main/java/A.java": "class A { @Scheduled void a() { } }\n"}
        assert launch(job).verdict is Verdict.HANDLED
        old = {**job, "pom.xml": batch.replace("3.3.5", "2.7.18")}
        assert launch(old).verdict is Verdict.CUT


class TestKotlin:
    """A framework is judged by its build as in Java; of a plain main the file is named."""

    MAIN = "package shop\n\nfun main() {\n  Thread.currentThread().join()\n}\n"

    def launch(self, dependencies: str) -> Launch:
        files = {
            "Dockerfile": dockerfile(jar="build/libs/app.jar"),
            "build.gradle.kts": 'plugins { kotlin("jvm") version "2.0.0" }\n'
            f'dependencies {{ {dependencies} }}\napplication {{ mainClass.set("shop.MainKt") }}\n',
            "src/main/kotlin/shop/Main.kt": self.MAIN,
        }
        (found,) = launches(files)
        return found

    def test_the_build_names_a_framework(self) -> None:
        found = self.launch('implementation("io.ktor:ktor-server-netty:3.0.0")')
        assert found.why == (
            "Ktor gives open requests 1 s on SIGTERM (shutdownGracePeriod), and drops those that need longer"
        )

    def test_a_plain_main_is_named(self) -> None:
        found = self.launch('implementation("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.8.0")')
        assert (found.verdict, found.why) == (
            Verdict.UNKNOWN,
            "src/main/kotlin/shop/Main.kt is Kotlin, and its code is not read",
        )


class TestImages:
    MANIFEST = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n    - {name: app, image: NAME}\n"
    )
    JIB = (
        "<build><plugins><plugin><groupId>com.google.cloud.tools</groupId><artifactId>jib-maven-plugin</artifactId>"
        "<configuration><to><image>acme/${project.artifactId}:1</image></to></configuration></plugin></plugins></build>"
    )

    def manifest(self, name: str, files: dict[str, str]) -> Launch:
        (found,) = launches({"k8s/pod.yaml": self.MANIFEST.replace("NAME", name), **files})
        return found

    def test_jib(self) -> None:
        found = self.manifest("acme/app:1", {"pom.xml": pom(more=self.JIB)})
        assert (found.link, found.why) == ("built", IMMEDIATE)
        assert [word.value for word in found.argv or ()] == [
            "java",
            "-cp",
            "/app/resources:/app/classes:/app/libs/*",
            "Main",
        ]

    FABRIC8 = (
        "<build><plugins><plugin><groupId>io.fabric8</groupId><artifactId>docker-maven-plugin</artifactId>"
        "<configuration><images><image><name>acme/${project.name}:1</name><build><from>eclipse-temurin:21-jre</from>"
        "<assembly><descriptorRef>artifact</descriptorRef></assembly>STARTED</build></image></images></configuration>"
        "</plugin></plugins></build>"
    )

    @pytest.mark.parametrize(
        ("started", "argv", "why"),
        [
            (
                '<entryPoint>["java", "-jar", "/${project.artifactId}.jar"]</entryPoint>',
                ["java", "-jar", "/app.jar"],
                IMMEDIATE,
            ),
            (
                "<cmd><exec><arg>java</arg><arg>-jar</arg><arg>/app.jar</arg></exec></cmd>",
                ["/__cacert_entrypoint.sh", "java", "-jar", "/app.jar"],
                IMMEDIATE,
            ),
            (
                "<entryPoint><shell>exec java -jar /app.jar</shell></entryPoint>",
                ["/bin/sh", "-c", "exec java -jar /app.jar"],
                IMMEDIATE,
            ),
        ],
    )
    def test_fabric8_without_a_dockerfile(self, started: str, argv: list[str], why: str) -> None:
        found = self.manifest("acme/app:1", {"pom.xml": pom(more=self.FABRIC8.replace("STARTED", started))})
        assert [word.value for word in found.argv or ()] == argv
        assert (found.link, found.why) == ("built", why)

    @pytest.mark.parametrize(
        "before", ["", "test { exclude '**/*Slow*' }\n", "/* id 'war' */ // to { image = 'other' }\n"]
    )
    def test_jib_in_gradle(self, before: str) -> None:
        script = before + (
            f"plugins {{\n  id '{BOOT}' version '3.4.1'\n  id 'com.google.cloud.tools.jib' version '3.4.0'\n}}\n"
            f"dependencies {{ implementation '{BOOT}:spring-boot-starter-web' }}\n"
            "jib { to { image = 'acme/app' } }\n"
        )
        assert self.manifest("acme/app", {"build.gradle": script}).why == DEFAULT_34

    @pytest.mark.parametrize(
        ("entrypoint", "started"),
        [
            ("<shell>bash</shell><option>-c</option><arg>/start.sh</arg>", ["bash", "-c", "/start.sh"]),
            ("sh,/start.sh", ["sh", "/start.sh"]),
            ("INHERIT", ["/__cacert_entrypoint.sh"]),
        ],
    )
    def test_jib_may_be_told_what_to_start(self, entrypoint: str, started: list[str]) -> None:
        jib = self.JIB.replace("</to>", f"</to><container><entrypoint>{entrypoint}</entrypoint></container>")
        inherited = "<build><plugins><plugin><artifactId>jib-maven-plugin</artifactId></plugin></plugins>"
        managed = jib.replace("<build>", f"{inherited}<pluginManagement>").replace(
            "</build>", "</pluginManagement></build>"
        )
        for more in (jib, managed):
            found = self.manifest("acme/app:1", {"pom.xml": pom(more=more)})
            assert [word.value for word in found.argv or ()] == started
            assert found.verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize(
        ("entrypoint", "verdict"),
        [
            ('["sh", "/start.sh"]', Verdict.HANDLED),
            ('"sh /start.sh".split(" ")', Verdict.HANDLED),
            ('listOf("sh", "/start.sh")', Verdict.HANDLED),
            ('"sh,/start.sh".split(",")', Verdict.HANDLED),
            ('[\n      "sh",\n      "/start.sh",\n    ]', Verdict.HANDLED),
            ('["sh", script]', Verdict.UNKNOWN),
            ("command.split()", Verdict.UNKNOWN),
            ("commandOf(project)", Verdict.UNKNOWN),
        ],
    )
    def test_jib_puts_files_beside_the_program(self, entrypoint: str, verdict: Verdict) -> None:
        script = (
            f"plugins {{\n  id '{BOOT}' version '3.4.1'\n  id 'com.google.cloud.tools.jib' version '3.4.0'\n}}\n"
            f"dependencies {{ implementation '{BOOT}:spring-boot-starter-web' }}\n"
            "jib {\n  to { image = 'acme/app' }\n  extraDirectories { paths = file('docker/jib') }\n"
            f"  container {{\n    entrypoint = {entrypoint}\n  }}\n}}\n"
        )
        start = "#!/bin/sh\nexec java -cp /app/resources:/app/classes:/app/libs/* shop.App\n"
        sources = {
            "src/main/java/shop/App.java": "package shop;\nclass App { public static void main(String[] a) {} }\n"
        }
        found = self.manifest("acme/app", {"build.gradle": script, "docker/jib/start.sh": start, **sources})
        assert found.verdict is verdict
        left = self.manifest("acme/app", {"build.gradle": script, **sources})
        assert left.verdict is Verdict.UNKNOWN

    def test_another_image_is_not_it(self) -> None:
        assert self.manifest("acme/other:1", {"pom.xml": pom(more=self.JIB)}).link is None

    def test_skaffold(self) -> None:
        files = {
            "skaffold.yaml": "build:\n  artifacts:\n"
            "    - image: shop-api\n      context: .\n      jib: {project: api}\n",
            "api/pom.xml": pom(),
        }
        assert self.manifest("shop-api", files).why == IMMEDIATE

    def test_buildpacks_of_skaffold_in_a_required_file(self) -> None:
        files = {
            "skaffold.yaml": "requires:\n  - path: api\n",
            "api/skaffold.yaml": "build:\n  artifacts:\n    - image: shop-api\n      buildpacks: {builder: x}\n",
            "api/pom.xml": pom(),
        }
        assert self.manifest("shop-api", files).why == IMMEDIATE

    def test_layers_of_a_jar(self) -> None:
        text = (
            "FROM eclipse-temurin:21 AS build\nWORKDIR /x\nCOPY target/*.jar app.jar\n"
            "RUN java -Djarmode=layertools -jar app.jar extract\n\nFROM eclipse-temurin:21\nWORKDIR /app\n"
            "COPY --from=build /x/dependencies/ ./\nCOPY --from=build /x/application/ ./\n"
            'ENTRYPOINT ["java", "org.springframework.boot.loader.launch.JarLauncher"]\n'
        )
        assert launch({"Dockerfile": text}).why == IMMEDIATE

    @pytest.mark.parametrize(
        "build",
        [
            "COPY api/pom.xml api/\nCOPY api/src api/src\nRUN mvn -f api/pom.xml package\n",
            "COPY api ./api\nRUN mvn -f api/pom.xml package\n",
            "WORKDIR /src/api\nCOPY api/pom.xml .\nCOPY api/src ./src\nRUN mvn package\n",
        ],
    )
    @pytest.mark.parametrize(
        "taken",
        [
            'COPY --from=build /src/api/target/app.jar app.jar\nCMD ["java", "-jar", "app.jar"]\n',
            "COPY --from=layers /x/application/ ./\n"
            'CMD ["java", "org.springframework.boot.loader.launch.JarLauncher"]\n',
        ],
    )
    def test_of_two_projects_the_one_whose_jar_it_is(self, build: str, taken: str) -> None:
        text = (
            f"FROM maven:3-eclipse-temurin-21 AS build\nWORKDIR /src\n{build}"
            "FROM eclipse-temurin:21-jre AS layers\nWORKDIR /x\nCOPY --from=build /src/api/target/app.jar app.jar\n"
            "RUN java -Djarmode=layertools -jar app.jar extract\n"
            f"FROM eclipse-temurin:21-jre\nWORKDIR /app\n{taken}"
        )
        newer = pom(PARENT.replace("3.3.5", "3.4.0"))
        (found,) = launches({"Dockerfile": text, "api/pom.xml": newer, "web/pom.xml": pom(), "api/src/A.java": ""})
        assert found.why == DEFAULT_34

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ("-Dloader.main=shop.http.App", IMMEDIATE),
            ("$JAVA_OPTS -Dloader.main=shop.http.App", "Spring Boot: $JAVA_OPTS is only known when it runs"),
            (
                '"${JAVA_OPTS[@]}" -Dloader.main=shop.http.App',
                "Spring Boot: ${JAVA_OPTS[@]} is only known when it runs",
            ),
            ("-Dloader.main=shop.till.App", IMMEDIATE),
            ("-Dloader.main=shop.till.MainKt", IMMEDIATE),
            ("-Dloader.main=shop.http.Other", "shop.http.Other is compiled by nothing in the project"),
        ],
    )
    def test_the_launcher_is_told_which_class_to_start(self, options: str, why: str) -> None:
        script = f"#!/bin/bash\nexec java -cp /a.jar {options} {BOOT}.loader.launch.PropertiesLauncher\n"
        text = 'FROM eclipse-temurin:21\nARG JAVA_OPTS\nCOPY start.sh /\nCMD ["/start.sh"]\n'
        files = {
            "http/pom.xml": pom(),
            "http/src/main/java/shop/http/App.java": "package shop.http; class App {}\n",
            "till/pom.xml": pom(),
            "till/src/main/kotlin/shop/till/App.kt": "package shop.till\n\nclass App\n",
            "till/src/main/kotlin/shop/till/Main.kt": "package shop.till\n\nfun main() {}\n",
            "dao/pom.xml": pom(),
            "image/Dockerfile": text,
            "image/start.sh": script.replace("exec", "JAVA_OPTS=$(cat /opts)\nexec"),
        }
        (found,) = launches(files)
        assert found.why == why

    def test_an_image_that_docker_builds_of_what_maven_has_copied(self) -> None:
        plugins = (
            "<build><plugins><plugin><artifactId>maven-resources-plugin</artifactId><executions><execution>"
            "<configuration><resources><resource><directory>docker</directory></resource></resources></configuration>"
            "</execution></executions></plugin><plugin><artifactId>exec-maven-plugin</artifactId><executions>"
            "<execution><configuration><executable>docker</executable>"
            "<workingDirectory>${project.build.directory}</workingDirectory><arguments><argument>build</argument>"
            "<argument>-t</argument><argument>acme/${image}</argument><argument>.</argument></arguments>"
            "</configuration></execution></executions></plugin></plugins></build>"
        )
        more = f"<packaging>pom</packaging><properties><image>till</image></properties>{plugins}"
        files = {"msa/pom.xml": pom(more=more), "msa/docker/Dockerfile": 'FROM alpine\nCMD ["sleep", "1d"]\n'}
        found = next(
            one
            for one in launches({**files, "pod.yaml": self.MANIFEST.replace("NAME", "acme/till")})
            if one.origin.span.source.path == "pod.yaml"
        )
        assert found.link == "built"

    def test_a_jar_that_nothing_here_builds(self) -> None:
        text = 'FROM eclipse-temurin:21\nADD https://example.com/a.jar /a.jar\nCMD ["java", "-jar", "/a.jar"]\n'
        (found,) = launches({"Dockerfile": text})
        assert found.why == "/a.jar is built by nothing in the project"


@pytest.mark.parametrize("passed_on", ["JAVA_OPTS: ${JAVA_OPTS}", "JAVA_OPTS: $JAVA_OPTS", "JAVA_OPTS:"])
def test_options_that_compose_only_passes_on_are_as_those_that_docker_run_may_pass(passed_on: str) -> None:
    files = {
        "Dockerfile": "FROM eclipse-temurin:21\nCOPY target/app.jar /\nENTRYPOINT exec java $JAVA_OPTS -jar /app.jar\n",
        "compose.yaml": f"services:\n  web:\n    build: .\n    environment:\n      {passed_on}\n",
        "pom.xml": pom(),
        "src/A.java": "",
    }
    assert [found.why for found in launches(files)] == [IMMEDIATE]
    (given,) = launches({**files, ".env": "JAVA_OPTS=-Dserver.shutdown=graceful\n"})
    assert given.verdict is Verdict.HANDLED
