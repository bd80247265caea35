"""What the words that a program is started with decide, in every language of one machine."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request


class Program(NamedTuple):
    """A program that stops gracefully where its first word is "work", and does not else."""

    image: str
    command: str
    files: dict[str, str]


GO = """package main

import (
\t"os"
\t"os/signal"
\t"syscall"
)

func main() {
\tstop := make(chan os.Signal, 1)
\tif len(os.Args) > 1 && os.Args[1] == "work" {
\t\tsignal.Notify(stop, syscall.SIGTERM)
\t}
\t<-stop
}
"""
COBRA = """package main

import (
\t"os"
\t"os/signal"
\t"syscall"

\t"github.com/spf13/cobra"
)

func work(cmd *cobra.Command, args []string) {
\tstop := make(chan os.Signal, 1)
\tsignal.Notify(stop, syscall.SIGTERM)
\t<-stop
}

func main() {
\troot := &cobra.Command{Use: "app", Run: func(cmd *cobra.Command, args []string) { select {} }}
\troot.AddCommand(&cobra.Command{Use: "work", Run: work})
\troot.Execute()
}
"""
RUST = """use std::{thread, time::Duration};

fn main() {
    let (tx, rx) = std::sync::mpsc::channel();
    if std::env::args().nth(1).as_deref() == Some("work") {
        ctrlc::set_handler(move || tx.send(()).unwrap()).unwrap();
        rx.recv().unwrap();
        return;
    }
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}
"""
RUBY = "trap('TERM') { exit } if ARGV[0] == 'work'\ntrap('TERM', 'IGNORE') unless ARGV[0] == 'work'\nloop { sleep 1 }\n"
PHP = """<?php
pcntl_async_signals(true);
if (($argv[1] ?? 'serve') === 'work') {
    pcntl_signal(SIGTERM, function () use (&$stop) { $stop = true; });
}
while (!$stop) {
    sleep(1);
}
"""
PHP_SERVER = PHP.replace("$argv[1]", "$_SERVER['argv'][1]")
JAVA = """public class Main {
    static volatile boolean running = true;

    public static void main(String[] args) throws Exception {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            running = !args[0].equals("work");
            try { main.join(); } catch (InterruptedException e) { }
        }));
        while (running) { Thread.sleep(200); }
    }
}
"""
CARGO = '[package]\nname = "app"\nversion = "0.1.0"\n\n[dependencies]\n' + (
    'ctrlc = { version = "3", features = ["termination"] }\n'
)
COPIED = "WORKDIR /src\nCOPY . .\n"
PROGRAMS = {
    "go": Program(
        f"FROM golang:1.23 AS build\n{COPIED}RUN go build -o /app .\nFROM debian\nCOPY --from=build /app /app\n",
        "/app",
        {"main.go": GO, "go.mod": "module app\n\ngo 1.23\n"},
    ),
    "cobra": Program(
        f"FROM golang:1.23 AS build\n{COPIED}RUN go build -o /app .\nFROM debian\nCOPY --from=build /app /app\n",
        "/app",
        {"main.go": COBRA, "go.mod": "module app\n\ngo 1.23\n\nrequire github.com/spf13/cobra v1.9.1\n"},
    ),
    "rust": Program(
        f"FROM rust:1.84 AS build\n{COPIED}RUN cargo build --release\n"
        "FROM debian\nCOPY --from=build /src/target/release/app /app\n",
        "/app",
        {"src/main.rs": RUST, "Cargo.toml": CARGO},
    ),
    "ruby": Program("FROM ruby:3.3\nWORKDIR /app\nCOPY . .\n", "ruby app.rb", {"app.rb": RUBY}),
    "php": Program(
        "FROM php:8.3-cli\nRUN docker-php-ext-install pcntl\nWORKDIR /app\nCOPY . .\n", "php app.php", {"app.php": PHP}
    ),
    "php-server": Program(
        "FROM php:8.3-cli\nRUN docker-php-ext-install pcntl\nWORKDIR /app\nCOPY . .\n",
        "php app.php",
        {"app.php": PHP_SERVER},
    ),
    "java": Program(
        f"FROM eclipse-temurin:17-jdk AS build\n{COPIED}RUN javac -d /out Main.java\n"
        "FROM eclipse-temurin:17-jre\nCOPY --from=build /out /app\n",
        "java -cp /app Main",
        {"Main.java": JAVA},
    ),
}


def verdict(program: Program, words: str) -> Verdict:
    files = {**program.files, "Dockerfile": f"{program.image}CMD exec {program.command} {words}\n"}
    (found,) = read_project(request(files)[0]).launches
    return found.verdict


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_word_that_is_written_there_decides(language: str) -> None:
    assert verdict(PROGRAMS[language], "work") is Verdict.HANDLED
    assert verdict(PROGRAMS[language], "serve") is not Verdict.HANDLED


@pytest.mark.parametrize("language", PROGRAMS)
@pytest.mark.parametrize("word", ['"$(cat /role)"', "`cat /role`"])
def test_a_word_that_a_shell_expands_is_known_when_it_runs(language: str, word: str) -> None:
    assert verdict(PROGRAMS[language], word) is Verdict.UNKNOWN
