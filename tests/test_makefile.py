"""What `make target` leaves running."""

from __future__ import annotations

import pytest

from gracelint.launch.makefile import recipe
from gracelint.source import Passage, Source


def last_command(text: str, target: str | None = None, **variables: str) -> list[str]:
    return [word.value for word in recipe(Passage.whole(Source("Makefile", text)), target, variables)]


def test_a_plain_line_is_started_without_a_shell() -> None:
    assert last_command("run:\n\tpython worker.py --queue 'a b'\n") == ["python", "worker.py", "--queue", "a b"]


@pytest.mark.parametrize(
    "line", ["cd x && python w.py", "python w.py > log", "exec python w.py", "X=1 python w.py", "python *.py"]
)
def test_a_line_with_a_shells_signs_is_given_to_the_shell(line: str) -> None:
    assert last_command(f"run:\n\t{line}\n") == ["/bin/sh", "-c", line]


def test_the_shell_can_be_another() -> None:
    assert last_command("SHELL := /bin/bash\nrun:\n\tpython w.py\n") == ["/bin/bash", "-c", "python w.py"]


def test_the_last_line_is_the_program_and_marks_are_left_out() -> None:
    assert last_command("run:\n\t@echo starting\n\t@-python w.py\n") == ["python", "w.py"]


def test_the_first_target_is_the_default_and_phony_is_none() -> None:
    assert last_command(".PHONY: run\nrun: build\n\tpython w.py\nbuild:\n\tpip install .\n") == ["python", "w.py"]


def test_a_target_without_a_recipe_is_its_last_prerequisite() -> None:
    assert last_command("start: build serve\nbuild:\n\tpip install .\nserve:\n\tpython w.py\n") == ["python", "w.py"]


def test_variables_are_put_in_and_the_command_line_wins() -> None:
    text = "PYTHON ?= python\nAPP = w.py\nrun:\n\t$(PYTHON) ${APP}\n"
    assert last_command(text) == ["python", "w.py"]
    assert last_command(text, "run", PYTHON="pypy3") == ["pypy3", "w.py"]


def test_a_target_that_is_not_there_is_nothing() -> None:
    assert last_command("run:\n\tpython w.py\n", "serve") == []
    assert last_command("a: b\nb: a\n", "a") == []


def test_words_point_to_the_recipe_line() -> None:
    source = Source("Makefile", "run:\n\tpython worker.py\n")
    word = recipe(Passage.whole(source), None, {})[0]
    assert word.span is not None
    assert (word.span.line, word.span.text) == (2, "python worker.py")
