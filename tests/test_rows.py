"""A server or a library of a language that is known is one row: no code knows of these."""

from __future__ import annotations

import json

import pytest

from gracelint.testing import read

GO = """\
package main

import (
	"net/http"
	"time"

	"gopkg.in/tylerb/graceful.v1"
)

func main() {
	graceful.Run(":8080", 5*time.Second, http.NewServeMux())
}
"""
NODE = """\
const service = require('restana')()
service.get('/', (req, res) => res.send('ok'))
service.start(8080)
process.on('SIGTERM', async () => {
  await service.close()
})
"""
PYTHON = """\
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

FTPServer(("0.0.0.0", 2121), FTPHandler).serve_forever()
"""
DEBIAN = "FROM debian:12\n"
BUILT = """\
FROM golang:1.22 AS build
WORKDIR /src
COPY . .
RUN go build -o /app .
FROM scratch
COPY --from=build /app /app
"""


@pytest.mark.parametrize(
    ("command", "files", "verdict"),
    [
        (["/app"], {"main.go": GO, "go.mod": "module shop\n"}, "handled"),
        (["node", "app.js"], {"app.js": NODE, "package.json": '{"dependencies": {"restana": "5"}}'}, "handled"),
        (["python", "app.py"], {"app.py": PYTHON}, "ignored"),
        (["rspamd", "-f"], {}, "handled"),
        (["zabbix_agent2", "-f"], {}, "handled"),
    ],
)
def test_a_row_is_all_that_is_needed(command: list[str], files: dict[str, str], verdict: str) -> None:
    language = {"/app": BUILT, "node": "FROM node:22\nCOPY . .\n", "python": "FROM python:3.12\nCOPY . .\n"}
    dockerfile = f"{language.get(command[0], DEBIAN)}ENTRYPOINT {json.dumps(command)}\n"

    (launch,) = read({**files, "Dockerfile": dockerfile}).launches

    assert launch.verdict.value == verdict, launch.why
