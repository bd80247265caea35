"""Requests that are in flight at the signal: what they come through, and whether anything ends them."""

from __future__ import annotations

import pytest

from gracelint.facts.verdict import Verdict
from test_go import build, launch

SERVES = """package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/elsewhere"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

func quick(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func noted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "OPTIONS" {
			w.WriteHeader(204)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, r *http.Request) {
	lines := bufio.NewScanner(os.Stdin)
	BODY
	fmt.Fprintln(w, "end")
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	MUX
	srv := &http.Server{Addr: ":8080", Handler: HANDLER}
	go srv.ListenAndServe()
	<-ctx.Done()
	srv.Shutdown(context.Background())
}
"""
PLAIN = 'mux := http.NewServeMux()\n\tmux.HandleFunc("/", answer)'
CHI = 'mux := chi.NewRouter()\n\tmux.Use(USED)\n\tmux.Get("/", answer)'
STREAM = """for {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Second):
			fmt.Fprintln(w, "tick")
			MORE
		}
	}"""


def judged(body: str, mux: str = PLAIN, handler: str = "mux") -> Verdict:
    text = SERVES.replace("BODY", body.replace("MORE", "")).replace("MUX", mux).replace("HANDLER", handler)
    return launch({"main.go": text, "Dockerfile": build("go build -o /app .")}).verdict


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("mux", Verdict.IGNORED),
        ("noted(mux)", Verdict.IGNORED),
        ("http.MaxBytesHandler(noted(mux), 4096)", Verdict.IGNORED),
        ("quick(mux)", Verdict.HANDLED),
        ("noted(quick(noted(mux)))", Verdict.HANDLED),
        ('http.TimeoutHandler(noted(mux), time.Second, "late")', Verdict.HANDLED),
        ("elsewhere.Wrap(mux)", Verdict.UNKNOWN),
        ("noted(elsewhere.Wrap(mux))", Verdict.UNKNOWN),
    ],
)
def test_what_is_around_a_mux(handler: str, expected: Verdict) -> None:
    assert judged(STREAM, handler=handler) is expected


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ("noted", Verdict.IGNORED),
        ("middleware.Logger, middleware.Compress(5)", Verdict.IGNORED),
        ("noted, quick", Verdict.HANDLED),
        ("middleware.Timeout(2 * time.Second)", Verdict.HANDLED),
        ("elsewhere.Around", Verdict.UNKNOWN),
    ],
)
def test_what_a_router_uses(used: str, expected: Verdict) -> None:
    assert judged(STREAM, CHI.replace("USED", used)) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (STREAM.replace("MORE", "if lines.Scan() {\n\t\t\t\treturn\n\t\t\t}"), Verdict.UNKNOWN),
        (STREAM.replace("MORE", "switch lines.Text() {\n\t\t\tcase `end`:\n\t\t\t\treturn\n\t\t\t}"), Verdict.UNKNOWN),
        (STREAM.replace("MORE", "if lines.Scan() {\n\t\t\t\tcontinue\n\t\t\t}"), Verdict.IGNORED),
        ("for r.Context().Err() == nil {\n\t\ttime.Sleep(time.Second)\n\t}", Verdict.IGNORED),
        ("for lines.Scan() {\n\t\ttime.Sleep(10 * time.Millisecond)\n\t}", Verdict.UNKNOWN),
        ("for i := 0; i < 3; i++ {\n\t\ttime.Sleep(time.Second)\n\t}", Verdict.HANDLED),
        ("for {\n\t\t_, err := r.Body.Read(nil)\n\t\tif err != nil {\n\t\t\tbreak\n\t\t}\n\t}", Verdict.HANDLED),
        ("time.Sleep(30 * time.Second)", Verdict.IGNORED),
        ("select {\n\tcase <-r.Context().Done():\n\tcase <-time.After(30 * time.Second):\n\t}", Verdict.IGNORED),
        ("select {\n\tcase <-r.Context().Done():\n\tcase <-time.After(3 * time.Second):\n\t}", Verdict.HANDLED),
    ],
)
def test_what_ends_a_request(body: str, expected: Verdict) -> None:
    assert judged(body) is expected
