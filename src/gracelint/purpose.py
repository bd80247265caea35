"""What a file is for, by its name and by the folders it stands in: development, tests, or being run."""

from __future__ import annotations

_TESTS = frozenset(("test", "tests", "testing", "testdata", "e2e", "ci"))
_DEVELOPMENT = frozenset(("dev", "devel", "develop", "development", "debug", "local", "tilt", *_TESTS))
_TEST_FOLDERS = _TESTS | {"test-data", "test_data", "acceptance", ".ci", ".circleci", ".github", ".gitlab"}
_FOLDERS = _DEVELOPMENT | _TEST_FOLDERS | {".devcontainer", "devcontainer"}


def is_for_development(path: str) -> bool:
    """Whether a Dockerfile is one for development or tests."""
    *folders, name = path.lower().split("/")
    return says_development(name) or not _FOLDERS.isdisjoint(folders)


def says_development(name: str) -> bool:
    """Whether a name has a word for development or tests."""
    return not _DEVELOPMENT.isdisjoint(_words(name))


def is_for_tests(path: str) -> bool:
    """Whether a file is there for tests alone."""
    *folders, name = path.lower().split("/")
    return not (_TESTS.isdisjoint(_words(name)) and _TEST_FOLDERS.isdisjoint(folders))


def _words(name: str) -> list[str]:
    return name.replace("-", ".").replace("_", ".").split(".")
