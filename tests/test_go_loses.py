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


ENDS = """package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type Store struct {
	rows  int
	timer *time.Timer
}

func (s *Store) save() { fmt.Println("saved", s.rows) }

func (s *Store) flush() { s.save() }

func (s *Store) add() {
	s.rows++
	s.timer = time.AfterFunc(30*time.Second, s.save)
}

var store *Store

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { REQUEST })
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	BEFORE
	<-stop
	AFTER
}
"""


def ends(before: str = "", after: str = "", request: str = "") -> tuple[Verdict | None, str]:
    text = ENDS.replace("BEFORE", before).replace("AFTER", after).replace("REQUEST", request)
    found = launch({"main.go": text, "Dockerfile": build("go build -o /app .")})
    return found.verdict, found.why


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("fmt.Println(os.Args[1])", Verdict.CUT),
        ("if len(os.Args) > 1 { fmt.Println(os.Args[1]) }", Verdict.HANDLED),
        ("var last []string; fmt.Println(last[len(last)-1])", Verdict.CUT),
        ('few := []string{"a"}; fmt.Println(few[0], few[:1])', Verdict.HANDLED),
        ('few := []string{"a"}; fmt.Println(few[:2])', Verdict.CUT),
        ("ring := make([]int, 4); fmt.Println(ring[3], ring[:2])", Verdict.HANDLED),
        ('at := []string{2: "c"}; fmt.Println(at[2])', Verdict.HANDLED),
        ("more := append([]string{}, os.Environ()...); fmt.Println(more[1])", Verdict.HANDLED),
        ("count := 0; fmt.Println(10 / count)", Verdict.CUT),
        ("fmt.Println(store.rows)", Verdict.CUT),
        ("rows := make(chan int, 1); close(rows); rows <- 1", Verdict.CUT),
    ],
)
def test_what_cannot_be_done_on_the_way_out_ends_it_with_a_panic(after: str, expected: Verdict) -> None:
    assert ends(after=after)[0] is expected


def test_what_a_request_may_have_set_may_be_there() -> None:
    assert ends(after="fmt.Println(store.rows)", request="store = &Store{}")[0] is Verdict.HANDLED


def test_what_another_package_sets_may_be_there() -> None:
    main = ENDS.replace("var store *Store\n", "").replace('"time"\n', '"time"\n\n\t"example.com/app/store"\n')
    main = main.replace("BEFORE", "").replace("AFTER", "store.Close()")
    store = 'package store\n\nimport "fmt"\n\ntype Store struct{ Rows int }\n\nvar Current *Store\n\n'
    files = {
        "store/store.go": store + "func Close() { fmt.Println(Current.Rows) }\n",
        "go.mod": "module example.com/app\n",
        "Dockerfile": build("go build -o /app ."),
    }

    def verdict(request: str) -> Verdict | None:
        return launch({**files, "main.go": main.replace("REQUEST", request)}).verdict

    assert verdict("") is Verdict.CUT
    assert verdict("store.Current = &store.Store{}") is Verdict.HANDLED


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "time.AfterFunc(time.Second, (&Store{}).save)", Verdict.CUT),
        ("", "time.AfterFunc(time.Second, func() { os.Exit(1) })", Verdict.HANDLED),
        ("", "s := &Store{}; time.AfterFunc(time.Second, s.save); time.Sleep(2 * time.Second)", Verdict.HANDLED),
        ("s := &Store{}; s.add()", "", Verdict.UNKNOWN),
        ("s := &Store{}; s.add()", "s.save()", Verdict.HANDLED),
        ("s := &Store{}; time.AfterFunc(time.Minute, func() { s.flush() })", "s.save()", Verdict.HANDLED),
        ("s := &Store{}; time.AfterFunc(time.Minute, func() { s.flush() })", "", Verdict.UNKNOWN),
        ("s := &Store{}; go func() { time.Sleep(time.Minute); s.save() }()", "", Verdict.UNKNOWN),
        ("s := &Store{}; go func() { for { time.Sleep(time.Minute); s.save() } }()", "", Verdict.UNKNOWN),
        ("s := &Store{}; go func() { for { time.Sleep(time.Minute); s.save() } }()", "s.save()", Verdict.HANDLED),
    ],
)
def test_what_a_timer_or_a_goroutine_writes_later(before: str, after: str, expected: Verdict) -> None:
    verdict, why = ends(before, after)
    assert verdict is expected, why
