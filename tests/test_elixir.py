"""Releases of Elixir: what Mix puts into them, and what their start script execs."""

from __future__ import annotations

import pytest

from gracelint.testing import read

BUILD = """FROM elixir:1.18 AS build
WORKDIR /app
COPY mix.exs ./
COPY rel rel
RUN mix release
FROM debian:bookworm-slim
WORKDIR /app
COPY --from=build /app/_build/prod/rel/shop ./
CMD {}
"""
SERVER = '#!/bin/sh\nset -eu\n\ncd -P -- "$(dirname -- "$0")"\nPHX_SERVER=true exec ./shop start\n'
STOPS = "the Erlang virtual machine stops its applications one after the other on SIGTERM, and ends"


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ('["/app/bin/server"]', "handled"),
        ('["bin/shop", "start"]', "handled"),
        ('["sh", "-c", "ulimit -n 65536 && exec /app/bin/server"]', "handled"),
        ('["bin/shop", "remote"]', "unknown"),
        ('["bin/other", "start"]', "unknown"),
    ],
)
def test_a_release_execs_the_virtual_machine(command: str, verdict: str) -> None:
    files = {"Dockerfile": BUILD.format(command), "mix.exs": "", "rel/overlays/bin/server": SERVER}
    (launch,) = read(files).launches
    assert launch.verdict.value == verdict
    assert (launch.why == STOPS) is (verdict == "handled")


@pytest.mark.parametrize(("command", "verdict"), [("phx.server", "handled"), ("compile", "unknown")])
def test_mix_becomes_the_virtual_machine(command: str, verdict: str) -> None:
    (launch,) = read({"Dockerfile": f'FROM elixir:1.18\nCMD ["mix", "{command}"]\n'}).launches
    assert launch.verdict.value == verdict
