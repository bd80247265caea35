"""Calls of what is not the program's own: the language, the standard library, and the rows of knowledge/go.toml."""

from __future__ import annotations

from gracelint.behaviour.go import clients, concurrency, connections
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.values import ANSWER, Func, Some
from gracelint.behaviour.machine import library as rows
from gracelint.behaviour.machine import serving
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Chan,
    Ctx,
    Ended,
    Err,
    Lib,
    Method,
    Object,
    Sig,
    Unknown,
    Wait,
)
from gracelint.behaviour.tree import text_of
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

BUILTINS = frozenset(
    (
        "make",
        "new",
        "close",
        "panic",
        "append",
        "len",
        "cap",
        "copy",
        "delete",
        "print",
        "println",
        "recover",
        "min",
        "max",
        "clear",
        "string",
        "int",
        "int32",
        "int64",
        "uint32",
        "uint64",
        "float64",
        "byte",
        "bool",
        "error",
        "any",
    )
)
_UNITS = {
    "Nanosecond": 1.0,
    "Microsecond": 1e3,
    "Millisecond": 1e6,
    "Second": 1e9,
    "Minute": 60e9,
    "Hour": 3600e9,
}
_PARTS = {"Seconds": 1e9, "Minutes": 60e9, "Hours": 3600e9, "Milliseconds": 1e6}
"""What a duration is in, by its method."""
_ERRORS = ("context.Canceled", "context.DeadlineExceeded", "io.EOF", "net.ErrClosed")
_SAME = ("time.Duration", "string", "int", "int32", "int64", "uint32", "uint64", "float64", "byte", "bool", "any")


def exported(package: str, name: str) -> Any:
    """What a library's package exports by a name."""
    path = f"{package}.{name}"
    if package == "time" and name in _UNITS:
        return _UNITS[name]
    if path in ("os.Interrupt", "os.Kill"):
        return Sig("SIGINT" if name == "Interrupt" else "SIGKILL")
    if name.startswith("SIG") and package in ("syscall", "golang.org/x/sys/unix"):
        return Sig(name)
    if (name.startswith("Err") and name != "Error") or path in _ERRORS:
        return Err(path)
    return Lib(path)


def is_known(function: Any) -> bool:
    """Whether a call leaves the variables alone whose addresses it gets."""
    if isinstance(function, Lib):
        return function.path in concurrency.FUNCTIONS
    return isinstance(function, Method) and isinstance(function.of, Object)


def has_method(of: Object, name: str) -> bool:
    return name[:1].isupper() and (of.type in table("go")["types"] or of.type in concurrency.METHODS)


def literal(_: GoMachine, __: Object) -> None:
    """A library's struct that is written out."""


def call(machine: GoMachine, function: Any, given: list[Any], span: Span, name: str) -> Run:
    machine.calls(function, given, span)
    if machine.greeting and machine.current in machine.greeting and any(map(_is_client, (*given, function))):
        yield from serving.answers(machine, machine.greeting.pop(machine.current))
    if name.endswith("ServeHTTP"):
        from gracelint.behaviour.go import routes

        value = yield from routes.serve(machine, routes.serves(function), given, span)
        return value
    if isinstance(function, Lib):
        value = yield from _function(machine, function.path, given, span)
        return value
    if isinstance(function, Method):
        value = yield from _method(machine, function.of, function.name, given, span)
        return value
    if machine.connections and not function.of:
        connections.limits(machine, name.rpartition(".")[2], given)
    yield from _foreign(machine, function.of, name.rpartition(".")[2], given, span)
    return UNKNOWN


_FX = "go.uber.org/fx."
_HANDLERS = (
    "net/http.",
    "github.com/go-chi/",
    "github.com/gorilla/handlers.",
    "go.opentelemetry.io/contrib/instrumentation/net/http/",
    "golang.org/x/net/http2/h2c.",
)
_PROCESSES = ("os/exec.", "os.Process", "syscall.", "golang.org/x/sys/unix.")
_CLOCK = ("time.Now", "time.Since", "time.Time", "time.Until", "context.WithDeadline")
_TEXTS = ("strconv.", "strings.", "time.ParseDuration", "cmp.Or")
_SETTINGS = (
    "github.com/caarlos0/env",
    "github.com/ilyakaznacheev/cleanenv.",
    "github.com/kelseyhightower/envconfig.",
    "github.com/sethvargo/go-envconfig.",
)
_BROKERS = (
    "github.com/IBM/sarama.",
    "github.com/Shopify/sarama.",
    "github.com/go-redis/redis/v8.",
    "github.com/nats-io/nats.go.",
    "github.com/rabbitmq/amqp091-go.",
    "github.com/redis/go-redis/v9.",
    "github.com/segmentio/kafka-go.",
    "github.com/streadway/amqp.",
    "go.temporal.io/sdk/worker.",
)


def _further(path: str, kind: str) -> dict[str, Any]:
    """What is known of a library that has a module of its own, which few programs need."""
    if path.startswith(_HANDLERS) and kind == "FUNCTIONS":
        from gracelint.behaviour.go import routes

        its = routes.function(path)
        return {path: its} if its is not None else {}
    if path.startswith(_TEXTS) and kind == "FUNCTIONS":
        from gracelint.behaviour.go import texts

        return texts.FUNCTIONS
    if path.startswith(_CLOCK):
        from gracelint.behaviour.go import clock

        return clock.FUNCTIONS if kind == "FUNCTIONS" else clock.METHODS
    if path.startswith(_PROCESSES):
        from gracelint.behaviour.go import children

        return children.FUNCTIONS if kind == "FUNCTIONS" else children.METHODS
    if path.startswith(_FX):
        from gracelint.behaviour.go import fx

        return fx.FUNCTIONS if kind == "FUNCTIONS" else fx.METHODS
    if path.startswith(_BROKERS):
        from gracelint.behaviour.go import brokers

        return brokers.FUNCTIONS if kind == "FUNCTIONS" else brokers.METHODS
    return {}


def _function(machine: GoMachine, path: str, given: list[Any], span: Span) -> Run:
    own = concurrency.FUNCTIONS.get(path)
    given = [*map(machine.settle, given)] if own is not None else given
    if len(given) < concurrency.LEAST.get(path, own is not None):
        return UNKNOWN
    own = own or _further(path, "FUNCTIONS").get(path)
    if own is None and path.startswith(_SETTINGS):
        from gracelint.behaviour.go import settings

        own = settings.reader_of(path)
    if own is not None:
        value = own(machine, given, span)
        if hasattr(value, "send"):
            value = yield from value
        return value
    known = rows.function(machine, rows.Given(path, span, given, {}))
    if known is not None:
        value = yield from known
        return value
    if path in _SAME:
        return given[0] if given else UNKNOWN
    name = path.rpartition(".")[2]
    if path == "panic" or path.endswith((".Panic", ".Panicf")):
        raise Ended("panic", span)
    if name.startswith("Fatal") or path == "k8s.io/klog/v2.Exit":
        raise Ended("fatal", span)
    if path == "append":
        before = given[0] if given and isinstance(given[0], list) else Some()
        machine.pay_for(len(before))
        is_whole = type(before) is list and not any(isinstance(one, Unknown) for one in given[1:])
        return [*before, *given[1:]] if is_whole else Some([*before, *given[1:]])
    if path in ("len", "cap") and given and isinstance(given[0], Chan):
        return len(given[0].queue) if path == "len" else given[0].room
    if path == "len":
        is_told = given and isinstance(given[0], (list, str)) and not isinstance(given[0], Some)
        return len(given[0]) if is_told else UNKNOWN
    if path == "delete" and len(given) > 1 and isinstance(given[0], dict) and isinstance(given[1], (Chan, Object)):
        if machine.current is None or not machine.current.journals:
            given[0].pop(given[1], None)
        return NIL
    if path in BUILTINS:
        return NIL if path in ("recover", "print", "println", "delete") else UNKNOWN
    makes = table("go")["makes"].get(path)
    if makes is not None:
        yield from ()
        one = Object(makes, span)
        one.fields.update({"_given": given})
        return (one, NIL) if path in table("go")["with_error"] else one
    if path in table("go")["asks"]:
        return (Unknown(path), ANSWER)
    if path == "errors.New" or path == "fmt.Errorf":
        return Err(f"{path} {span.start}")
    if path in ("path/filepath.Base", "path.Base") and given and isinstance(given[0], str):
        return given[0].rpartition("/")[2]
    yield from _foreign(machine, path, name, given, span)
    if path in connections.COPIES and machine.current in machine.connections and any(map(_is_client, given)):
        value = yield from connections.reads(machine, name, span, to_the_end=True)
        return value
    reads = path in _READERS and any(map(_is_client, given))
    return Unknown(_CLIENT if reads else path)


_CLIENT = "net.Conn"


def _is_client(value: Any) -> bool:
    of = value.of if isinstance(value, Method) else value
    return isinstance(of, Unknown) and of.of == _CLIENT


_READERS = ("bufio.NewReader", "bufio.NewReadWriter", "bufio.NewScanner", "encoding/json.NewDecoder")


def _method(machine: GoMachine, of: Any, name: str, given: list[Any], span: Span) -> Run:
    if isinstance(of, Object):
        own = concurrency.METHODS.get(of.type, {}).get(name) or clients.METHODS.get(of.type, {}).get(name)
        own = own or _further(of.type, "METHODS").get(of.type, {}).get(name)
        if own is not None and len(given) < concurrency.LEAST.get(name, 0):
            return UNKNOWN
        if own is not None:
            value = own(machine, of, given, span)
            if hasattr(value, "send"):
                value = yield from value
            return value
        known = rows.method(machine, of.type, name, rows.Given(f"{of.type}.{name}", span, given, {}, of))
        if known is not None:
            value = yield from known
            return value
        if of.package is None:
            yield from _foreign(machine, of.type, name, given, span)
            return Unknown(of.type)
        return UNKNOWN
    if isinstance(of, Ctx):
        if name == "Done":
            return of
        if name == "Err":
            return Err("context.Canceled") if of.ends(machine.now) else NIL
        return UNKNOWN
    if isinstance(of, Err):
        return UNKNOWN
    if isinstance(of, Unknown):
        if name.startswith("Fatal"):
            raise Ended("fatal", span)
        if _is_client(of) and name in connections.READS:
            if machine.accepted and machine.choose(2, span) == 1:
                yield Wait("accept", span, lambda: False)
            if machine.current in machine.connections:
                value = yield from connections.reads(machine, name, span)
                return value
        elif _is_client(of):
            connections.limits(machine, name, given)
        yield from _foreign(machine, of.of, name, given, span)
        return Unknown(of.of)
    if isinstance(of, (int, float)) and name in _PARTS:
        return of / _PARTS[name]
    if isinstance(of, Sig) and name == "String":
        return str(of)
    if isinstance(of, (Chan, Func)):
        return UNKNOWN
    return UNKNOWN


def _may_stop(value: Any) -> bool:
    """Whether a function that a library gets would end something if it were called."""
    return isinstance(value, Func) and any(word in text_of(value.node) for word in _STOPPING)


_STOPPING = ("Shutdown(", "GracefulStop(", "close(", "cancel(", "os.Exit(", "Stop(", "signal.")


def _foreign(machine: GoMachine, path: str, name: str, given: list[Any], span: Span) -> Run:
    """A call of a library nobody knows. It may wait, for ever or until its context ends, and handle signals."""
    words = table("go")["foreign"]
    if any(_may_stop(one) for one in given) and not path.startswith(tuple(words["handlers"])):
        machine.callbacks.append((path, span))
    first = path.partition("/")[0]
    if not path or "." not in first or path.partition(".")[0] in words["standard"]:
        return
    if machine.stopping or not (name in words["waits"] or _runs_commands(machine, path, name)):
        return
    if any(path == one or path.startswith((f"{one}/", f"{one}.")) for one in words["returns"]):
        return
    machine.unsure.append(path if path.endswith(f".{name}") else f"{path}'s {name}")
    context = next((one for one in given if isinstance(one, Ctx)), None)
    way = machine.choose(3 if context is not None else 2, span)
    if way == 1:
        yield Wait("for ever", span, lambda: False)
    if way == 2 and context is not None:
        its = context
        yield Wait("context", span, lambda: its.ends(machine.now), at=lambda: its.deadline)


def _runs_commands(machine: GoMachine, path: str, name: str) -> bool:
    """Whether a library that reads the command line calls the program's own commands, which it was given."""
    rows = table("go")["commands"]
    row = next(
        (row for package, row in rows.items() if path == package or path.startswith((f"{package}.", f"{package}/"))),
        None,
    )
    if row is None or name not in row["calls"]:
        return False
    return any(given in file.source.text for file in machine.files() for given in row["given"])
