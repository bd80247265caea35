"""What a file is for, by its name and by the folders it stands in: development, tests, or being run."""

from __future__ import annotations

from gracelint.base.memory import lru_cache

_MADE_UP = ("mock", "mocks", "fake", "fakes")
_TRIED = (
    "test",
    "tests",
    "testing",
    "testdata",
    "tester",
    "apptest",
    "loadtest",
    "integrationtest",
    "e2e",
    "ci",
    "githubactions",
)
_TESTS = frozenset((*_TRIED, *_MADE_UP, "playwright", "cypress"))
_OF_TESTS = frozenset(("data", "config", "configs", "fixtures", "cases", "manifests", "load", "integration", "smoke"))
"""What a folder of tests is called besides: `test-configs`, `load-test`."""
_DEVELOPMENT = frozenset(("dev", "devel", "develop", "development", "devenv", "debug", "local", "tilt", *_TESTS))
_PRODUCTION = frozenset(("prod", "production"))
_STARTED = frozenset(("compose", "dockerfile"))
_RUNS_OF_TESTS = frozenset(("integration", "smoke", "benchmark", "benchmarks"))
"""What a Compose file or a Dockerfile is called that is started for tests: `docker-compose.integration.yml`."""
_TEST_FOLDERS = _TESTS | {
    *("test-data", "test_data", "acceptance", "conformance"),
    *(".ci", ".circleci", ".github", ".gitlab"),
}
_FOLDERS = _DEVELOPMENT | _TEST_FOLDERS | {".devcontainer", "devcontainer"}
_PROSE = frozenset(("doc", "docs", "documentation", "snippets"))
_BUILT_PROSE = "_site"
"""The folder that Jekyll writes a site to."""
_EXAMPLES = frozenset(("example", "examples", "sample", "samples", "demo", "demos", "sandbox"))
_DEMOS = frozenset(("demo", "demos"))
_DEPLOYED = frozenset(("microservice", "microservices"))
"""What is deployed as a whole by those who try something else out: `microservices-demo`."""
_LESSONS = frozenset(("workshop", "workshops", "beginner", "beginners", "homework", "labs"))
_STAND_INS = frozenset(("dummy", "stub", "stubs", "simulator", "simulators", "simulation", "loadgen", "loadgenerator"))
"""What makes up the world that a program is tried out in: devices that send, users that ask."""
_RETIRED = frozenset(("archive", "archived", "deprecated", "obsolete", "attic", "old", "bak", "backups"))
_TEMPLATES = frozenset(("template", "tmpl", "tpl", "gotmpl", "ftl", "j2", "jinja", "jinja2", "erb", "mustache", "hbs"))


def is_for_development(path: str) -> bool:
    """Whether a file is one for development or tests; `usr/local` is where images have theirs."""
    *folders, name = f"/{path.lower()}".replace("/usr/local/", "/").split("/")
    return says_development(name) or _starts_tests(name) or not _FOLDERS.isdisjoint(folders)


def says_development(name: str) -> bool:
    """Whether a name has a word for development or tests."""
    return not _DEVELOPMENT.isdisjoint(_words(name))


@lru_cache(maxsize=64)
def starting_production(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, of those in a folder, of Dockerfiles and Compose files for production: plain ones beside are not."""
    return tuple(filter(_starts_production, names))


def _starts_production(name: str) -> bool:
    words = _words(name.lower())
    return not (_PRODUCTION.isdisjoint(words) or _STARTED.isdisjoint(words))


def _starts_tests(name: str) -> bool:
    words = _words(name)
    return not (_RUNS_OF_TESTS.isdisjoint(words) or _STARTED.isdisjoint(words))


def is_set_aside(path: str) -> bool:
    """Whether a file is there for tests alone, or for the record: nobody is served by what it says."""
    return is_for_tests(path) or is_retired(path)


def is_for_tests(path: str) -> bool:
    """Whether a file is there for tests alone, by its own name or by that of a folder."""
    *folders, name = path.lower().split("/")
    named = not _TESTS.isdisjoint(_words(name)) or _starts_tests(name)
    return named or not _TEST_FOLDERS.isdisjoint(folders) or holds_tests(path)


def is_example(path: str) -> bool:
    """Whether a file stands in a folder of examples, by the first word of its name: `examples`, `sample-app`."""
    return not _EXAMPLES.isdisjoint(_first_words(path))


def is_tried_out(path: str) -> bool:
    """Whether a file stands among examples, lessons or documentation, in `test-http` or `redis-demo`, or for others.

    Nobody takes advice there.
    """
    parts = [set(_words(part)) for part in path.lower().split("/")]
    shows = any(not words.isdisjoint(_DEMOS) and words.isdisjoint(_DEPLOYED) for words in parts[:-1])
    teaches = any(not _LESSONS.isdisjoint(words) for words in parts[:-1])
    stands_in = any(not _STAND_INS.isdisjoint(words) or {"load", "generator"} <= words for words in parts)
    tested = not _TESTS.isdisjoint(_first_words(path))
    return tested or shows or teaches or stands_in or is_example(path) or is_prose(path)


def _first_words(path: str) -> list[str]:
    return [folder.lstrip(".").partition("-")[0] for folder in path.lower().split("/")[:-1]]


def holds_tests(path: str) -> bool:
    """Whether all words of a folder's name say that it is for tests: `test-configs`, `loadtest`."""
    return _are_of_tests(path.rpartition("/")[0])


@lru_cache(maxsize=256)
def _are_of_tests(folders: str) -> bool:
    return any(_is_of_tests(set(_words(folder))) for folder in folders.lower().split("/"))


def _is_of_tests(words: set[str]) -> bool:
    return not words.isdisjoint(_TESTS - {"ci"}) and words <= _TESTS | _OF_TESTS


def is_retired(path: str) -> bool:
    """Whether a folder's name says that what stands in it is kept for the record."""
    return _are_retired(path.rpartition("/")[0])


@lru_cache(maxsize=256)
def _are_retired(folders: str) -> bool:
    return any(not _RETIRED.isdisjoint(_words(folder)) for folder in folders.lower().split("/"))


def is_template(path: str) -> bool:
    """Whether a file's name says that something else is made from it: `compose.template.yml`, `web.ftl.yaml`."""
    return not _TEMPLATES.isdisjoint(_words(path.lower().rpartition("/")[2]))


def is_scaffold(path: str) -> bool:
    """Whether a folder's name is yet to be filled in, `{{ cookiecutter.slug }}`: another project is made from it."""
    return "{{" in path


def is_prose(path: str) -> bool:
    """Whether a file belongs to documentation: what it shows may leave things out."""
    folders = path.lower().split("/")[:-1]
    return _BUILT_PROSE in folders or any(not _PROSE.isdisjoint(_words(folder)) for folder in folders)


def _words(name: str) -> list[str]:
    return name.replace("-", ".").replace("_", ".").split(".")
