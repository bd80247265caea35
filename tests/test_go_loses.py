"""Go programs that end in good order, but for what they have gathered or never made."""

from __future__ import annotations

import pytest

from gracelint.facts.verdict import Verdict
from test_go import build, launch

GATHERS = """package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func save(rows []int) { fmt.Println("saved", rows) }

func gather(in <-chan int, quit <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	var rows []int
LAST
	for {
		select {
		case row := <-in:
			rows = append(rows, row)
			if len(rows) >= ENOUGH {
				save(rows)
				rows = nil
			}
		case <-quit:
			LEAVE
			return
		}
	}
}

func main() {
	in, quit, done := make(chan int), make(chan struct{}), make(chan struct{})
	go gather(in, quit, done)
	go func() {
		for i := 0; ; i++ {
			in <- i
			time.Sleep(time.Second)
		}
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	close(quit)
	<-done
}
"""


@pytest.mark.parametrize(
    ("enough", "last", "leave", "expected"),
    [
        ("100", "", "", Verdict.UNKNOWN),
        ("100", "", "save(rows)", Verdict.HANDLED),
        ("100", "	defer func() { save(rows) }()", "", Verdict.HANDLED),
        ("100", "	flush := func() { save(rows) }", "flush()", Verdict.HANDLED),
        ("1", "", "", Verdict.HANDLED),
    ],
)
def test_rows_that_wait_for_more(enough: str, last: str, leave: str, expected: Verdict) -> None:
    text = GATHERS.replace("ENOUGH", enough).replace("LAST", last).replace("LEAVE", leave)
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is expected, found.why


FIELD = """package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

type Batcher struct{ rows []string }

func (b *Batcher) Add(row string) {
	b.rows = append(b.rows, row)
	if len(b.rows) > 500 {
		b.flush()
	}
}

func (b *Batcher) flush() {
	fmt.Println("wrote", len(b.rows))
	b.rows = nil
}

func (b *Batcher) Close() { CLOSE }

func main() {
	b := &Batcher{}
	b.Add("boot")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	b.Close()
}
"""


@pytest.mark.parametrize(
    ("close", "expected"), [('fmt.Println("bye")', Verdict.UNKNOWN), ("b.flush()", Verdict.HANDLED)]
)
def test_rows_of_a_struct_that_wait_for_more(close: str, expected: Verdict) -> None:
    found = launch({"main.go": FIELD.replace("CLOSE", close), "Dockerfile": build("go build -o /app .")})
    assert found.verdict is expected, found.why


NIL = """package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

type Cache struct{ path string }

func (c *Cache) Close() { CLOSE }

type App struct {
	cache  *Cache
	totals map[string]int
}

func main() {
	app := &App{MADE}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	LAST
	fmt.Println("bye", app)
}
"""


@pytest.mark.parametrize(
    ("made", "close", "last", "expected"),
    [
        ("", "fmt.Println(c.path)", "app.cache.Close()", Verdict.CUT),
        ("cache: &Cache{}", "fmt.Println(c.path)", "app.cache.Close()", Verdict.HANDLED),
        ("", "if c == nil { return }; fmt.Println(c.path)", "app.cache.Close()", Verdict.HANDLED),
        ("", 'fmt.Println("closed")', "app.cache.Close()", Verdict.HANDLED),
        ("", "fmt.Println(c.path)", "if app.cache != nil { app.cache.Close() }", Verdict.HANDLED),
        ("", "fmt.Println(c.path)", 'app.totals["stops"]++', Verdict.CUT),
        ("", "fmt.Println(c.path)", 'app.totals["stops"] = 1', Verdict.CUT),
        ("totals: map[string]int{}", "fmt.Println(c.path)", 'app.totals["stops"] = 1', Verdict.HANDLED),
    ],
)
def test_what_is_nil_when_it_is_used(made: str, close: str, last: str, expected: Verdict) -> None:
    text = NIL.replace("MADE", made).replace("CLOSE", close).replace("LAST", last)
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is expected, found.why


@pytest.mark.parametrize(("last", "expected"), [("", Verdict.UNKNOWN), ("out.Flush()", Verdict.HANDLED)])
def test_a_buffer_that_nothing_flushes(last: str, expected: Verdict) -> None:
    text = f"""package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {{
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "up")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	{last}
}}
"""
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    assert found.verdict is expected, found.why
