"""One defect in copies is one finding, which names the others."""

from __future__ import annotations

from gracelint.engine.reported import Report
from gracelint.testing import lint

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: {image}
          ports:
            - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
spec:
  type: LoadBalancer
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
"""
RULE = "missing-readiness-probe"
TEXT = "`web` has no readinessProbe: a new pod gets requests before it can serve them, so that each rollout drops some"


def deployment(name: str = "web", namespace: str = "shop", image: str = "ghcr.io/acme/shop:1.4.2") -> str:
    return DEPLOYMENT.format(name=name, namespace=namespace, image=image)


def told(report: Report) -> list[str]:
    """Each finding with its place, and the places of its copies."""
    lines = []
    for item in report.findings:
        copies = [f"{note.span.source.path}:{note.span.line}" for note in item.finding.notes if "same" in note.text]
        place = f"{item.path}:{item.finding.at.line} {item.severity.value}"
        lines.append(" ".join((place, *copies)))
    return lines


def run(files: dict[str, str], rule: str = RULE) -> Report:
    return lint(files, select=[rule])


class TestManifests:
    def test_one_object_for_each_environment_is_one_defect(self) -> None:
        report = run(
            {
                "envs/staging/web.yaml": deployment(namespace="staging", image="ghcr.io/acme/shop:1.5.0"),
                "envs/production/web.yaml": deployment(namespace="production"),
            }
        )
        assert told(report) == ["envs/production/web.yaml:17 warning envs/staging/web.yaml:17"]
        assert report.findings[0].finding.message == TEXT

    def test_the_copy_nearest_to_the_root_speaks(self) -> None:
        report = run({"a/b/web.yaml": deployment(), "web/web.yaml": deployment()})
        assert told(report) == ["web/web.yaml:17 warning a/b/web.yaml:17"]

    def test_what_runs_speaks_for_its_samples(self) -> None:
        report = run({"docs/web.yaml": deployment(), "deploy/eu/web.yaml": deployment()})
        assert told(report) == ["deploy/eu/web.yaml:17 warning docs/web.yaml:17"]

    def test_another_name_or_image_is_another_defect(self) -> None:
        report = run({"a/web.yaml": deployment(), "b/web.yaml": deployment("api")})
        assert told(report) == ["a/web.yaml:17 warning", "b/web.yaml:17 warning"]
        report = run({"a/web.yaml": deployment(), "b/web.yaml": deployment(image="ghcr.io/acme/blog:3")})
        assert told(report) == ["a/web.yaml:17 warning", "b/web.yaml:17 warning"]

    def test_numbered_objects_are_copies(self) -> None:
        numbered = (deployment(f"app{number}", image=f"ghcr.io/acme/app{number}:2") for number in (1, 2))
        first, second = (text.replace("- name: web", f"- name: app{number}") for number, text in enumerate(numbered, 1))
        assert told(run({"a/one.yaml": first, "a/two.yaml": second})) == ["a/one.yaml:17 warning a/two.yaml:17"]

    def test_the_first_of_a_series_may_have_no_number(self) -> None:
        files = {f"{name}.yaml": deployment(name) for name in ("app", "app-2", "apple")}
        assert told(run(files)) == ["app-2.yaml:17 warning app.yaml:17", "apple.yaml:17 warning"]

    def test_of_one_file_too(self) -> None:
        numbered = (deployment(f"app-v{number}", image=f"ghcr.io/acme/app-v{number}:2") for number in (1, 2))
        assert told(run({"app.yaml": "---\n".join(numbered)})) == ["app.yaml:17 warning app.yaml:51"]

    def test_containers_of_one_pod_are_none(self) -> None:
        pod = deployment().partition("---")[0]
        one = pod[pod.index("        - name: web") :]
        two = pod.replace(one, one.replace("web", "web1") + one.replace("web", "web2"))
        assert told(run({"app.yaml": two})) == ["app.yaml:17 info", "app.yaml:21 info"]

    def test_what_runs_before_the_program_makes_no_other_object(self) -> None:
        waits = (
            "      initContainers:\n        - name: wait\n          image: busybox:1\n          command: [sleep, '5']\n"
        )
        later = deployment().replace("      containers:\n", f"{waits}      containers:\n")
        assert told(run({"a/web.yaml": deployment(), "b/web.yaml": later})) == ["a/web.yaml:17 warning b/web.yaml:21"]

    def test_a_suppressed_copy_is_not_named(self) -> None:
        silent = deployment().replace("- name: web", f"# gracelint: ignore[{RULE}] as it is\n        - name: web")
        assert told(run({"a/web.yaml": deployment(), "b/web.yaml": silent})) == ["a/web.yaml:17 warning"]


class TestTexts:
    VARIANT = "FROM debian:{}\nCOPY . /app\nCMD /app/serve --port 8080\n"

    def test_variants_of_an_image_differ_in_numbers_and_comments(self) -> None:
        files = {
            "11/Dockerfile": self.VARIANT.format("11"),
            "12/Dockerfile": "# The current one\n" + self.VARIANT.format("12.5"),
        }
        assert told(run(files, "shell-form-command")) == ["11/Dockerfile:3 error 12/Dockerfile:4"]

    def test_the_fix_mends_all_of_them(self) -> None:
        files = {"11/Dockerfile": self.VARIANT.format("11"), "12/Dockerfile": self.VARIANT.format("12")}
        (reported,) = run(files, "shell-form-command").findings
        assert reported.finding.fix is not None
        assert [edit.span.source.path for edit in reported.finding.fix.edits] == ["11/Dockerfile", "12/Dockerfile"]

    def test_images_that_only_start_alike_are_not_copies(self) -> None:
        files = {
            "shop/Dockerfile": self.VARIANT.format("12"),
            "blog/Dockerfile": self.VARIANT.format("12").replace("COPY", "USER blog\nCOPY"),
        }
        assert told(run(files, "shell-form-command")) == ["blog/Dockerfile:4 error", "shop/Dockerfile:3 error"]

    def test_versions_differ_in_the_numbers_of_their_paths(self) -> None:
        files = {
            "11/Dockerfile": self.VARIANT.format("11"),
            "12/Dockerfile": self.VARIANT.format("12").replace("COPY", "USER app\nCOPY"),
        }
        assert told(run(files, "shell-form-command")) == ["11/Dockerfile:3 error 12/Dockerfile:4"]

    def test_what_a_base_image_does_is_said_once(self) -> None:
        rule = "drops-requests-on-stop"
        files = {"shop/Dockerfile": "FROM php:8.3-fpm\nCOPY . .\n", "blog/Dockerfile": "FROM php:8.4-fpm\nRUN true\n"}
        assert told(run(files, rule)) == ["blog/Dockerfile:1 warning shop/Dockerfile:1"]
        files["blog/Dockerfile"] = "FROM php:8.4-fpm-alpine\nRUN true\n"
        assert told(run(files, rule)) == ["blog/Dockerfile:1 warning", "shop/Dockerfile:1 warning"]


class TestServices:
    RULE = "unheard-stop-signal"
    CRON = "services:\n  cron:\n    image: alpine:3.{}\n    command: crond -f\n{}"

    def test_one_service_in_several_files_is_one_defect(self) -> None:
        files = {
            "compose.yaml": self.CRON.format(20, "    restart: always\n"),
            "compose-import.yaml": self.CRON.format(
                21, "    depends_on: [app]\n  app:\n    image: ghcr.io/acme/shop\n"
            ),
        }
        assert told(run(files, self.RULE)) == ["compose-import.yaml:4 error compose.yaml:4"]

    def test_another_name_is_another_defect(self) -> None:
        files = {"a/compose.yaml": self.CRON.format(20, ""), "b/compose.yaml": self.CRON.format(20, "")}
        assert told(run(files, self.RULE)) == ["a/compose.yaml:4 error b/compose.yaml:4"]
        files["b/compose.yaml"] = files["b/compose.yaml"].replace("cron:", "nightly:")
        assert told(run(files, self.RULE)) == ["a/compose.yaml:4 error", "b/compose.yaml:4 error"]


class TestWhatToolsWrite:
    def test_a_generated_manifest_is_named_by_what_it_comes_from(self) -> None:
        files = {
            "base/k8s/web.yaml": deployment(),
            "install.yaml": "# Code generated by make. DO NOT EDIT.\n" + deployment(),
        }
        assert told(run(files)) == ["base/k8s/web.yaml:17 warning install.yaml:18"]

    def test_alone_it_is_information(self) -> None:
        report = run({"install.yaml": "# Code generated by make. DO NOT EDIT.\n" + deployment()})
        assert told(report) == ["install.yaml:18 info"]
        fix = report.findings[0].finding.fix
        assert fix is not None
        assert not fix.edits

    def test_dist_holds_what_a_build_makes(self) -> None:
        assert told(run({"k8s/dist/web.yaml": deployment()})) == ["k8s/dist/web.yaml:17 info"]

    def test_helm_names_the_template(self) -> None:
        rendered = "---\n# Source: shop/templates/web.yaml\n" + deployment()
        (reported,) = run({"web.yaml": rendered + "---\n" + deployment("api")}).findings[:1]
        assert "rendered from shop/templates/web.yaml" in [note.text for note in reported.finding.notes]

    def test_a_template_is_not_named_beyond_its_document(self) -> None:
        rendered = "---\n# Source: shop/templates/web.yaml\n" + deployment()
        _, reported = run({"web.yaml": rendered + "---\n" + deployment("api")}).findings
        assert not [note.text for note in reported.finding.notes if note.text.startswith("rendered")]


POM = """\
<project>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>3.2.5</version>
  </parent>
  <artifactId>shop</artifactId>
  <dependencies>
    <dependency>
      <groupId>org.springframework.boot</groupId>
      <artifactId>spring-boot-starter-web</artifactId>
    </dependency>
  </dependencies>
</project>
"""
IMAGE = """\
FROM maven:3.9-eclipse-temurin-21 AS build
COPY . .
RUN mvn -q package

FROM eclipse-temurin:21-jre
COPY --from=build /target/shop.jar /app/shop.jar
ENTRYPOINT ["java", {}"-jar", "/app/shop.jar"]
"""


def test_two_images_that_one_change_mends_are_one_finding() -> None:
    files = {
        "pom.xml": POM,
        "src/main/resources/application.properties": "server.port=8080\n",
        "Dockerfile": IMAGE.format(""),
        "Dockerfile.small": IMAGE.format('"-Xmx256m", '),
    }
    report = lint(files, select=["drops-requests-on-stop"])
    assert told(report) == ["Dockerfile:7 warning Dockerfile.small:7"]
