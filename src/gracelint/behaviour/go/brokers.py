"""Clients of queues and brokers: what waits for messages, and what ends that wait.

A message comes once a second. What waits with a context returns its error once that has ended.
"""

from __future__ import annotations

from gracelint.behaviour.go import expressions
from gracelint.behaviour.machine.machine import receive
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Chan, Ctx, Err, Object, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

    How = Callable[[GoMachine, Object, list[Any], Span], Any]

_EVERY = 1.0
_AMQP = ("github.com/rabbitmq/amqp091-go", "github.com/streadway/amqp")
_REDIS = ("github.com/redis/go-redis/v9", "github.com/go-redis/redis/v8")
_SARAMA = ("github.com/IBM/sarama", "github.com/Shopify/sarama")
_KAFKA, _NATS = "github.com/segmentio/kafka-go", "github.com/nats-io/nats.go"
_TEMPORAL = "go.temporal.io/sdk/worker"


def _take(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    """The next message and no error, or the error of a context that has ended."""
    contexts = [one for one in given if isinstance(one, Ctx)]
    until = machine.now + _EVERY

    def over() -> bool:
        return any(one.ends(machine.now) for one in contexts)

    def at() -> float:
        return min((one.deadline for one in contexts if one.deadline is not None), default=until)

    node = (span.source.path, span.start)
    yield Wait("receive", span, lambda: over() or machine.now >= until, at=lambda: min(at(), until), node=node)
    return (UNKNOWN, Err("context.Canceled")) if over() else (UNKNOWN, NIL)


def _take_later(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    """A command of go-redis that blocks: its result is asked for afterwards."""
    command = Object(f"{of.type.rpartition('.')[0]}.Cmd", span)
    command.state["result"] = yield from _take(machine, of, given, span)
    return command


def _make(type_: str, error: bool = False) -> Callable[..., Any]:
    def made(*args: Any) -> Any:
        one = Object(type_, args[-1])
        one.fields["_given"] = args[-2]
        return (one, NIL) if error else one

    return made


def _messages(error: bool) -> How:
    def made(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
        channel = Chan(1, span)
        channel.at, channel.every = machine.now + _EVERY, _EVERY
        of.state.setdefault("channels", []).append(channel)
        return (channel, NIL) if error else channel

    return made


def _close(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
    """Ends the channels of messages that were made from it, directly or not."""
    for channel in of.state.get("channels", ()):
        channel.closed, channel.at = True, None
    for one in of.state.get("parts", ()):
        _close(machine, one, given, span)
    return NIL


def _part(type_: str) -> How:
    def made(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
        one = Object(type_, span)
        of.state.setdefault("parts", []).append(one)
        return (one, NIL)

    return made


def _consume(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    """A session of sarama's consumer group: it sets the handler up, and lasts as long as its context."""
    context = next((one for one in given if isinstance(one, Ctx)), None)
    handler = given[-1] if given else UNKNOWN
    yield from _told(machine, handler, "Setup", span)
    if context is None:
        yield Wait("for ever", span, lambda: False)
    else:
        yield Wait("run", span, lambda: context.ends(machine.now), at=lambda: context.deadline)
    yield from _told(machine, handler, "Cleanup", span)
    return NIL


def _told(machine: GoMachine, handler: Any, name: str, span: Span) -> Run:
    if isinstance(handler, Object) and handler.package is not None:
        method = yield from expressions.member(machine, handler, name)
        yield from expressions.call(machine, method, [UNKNOWN], span)


def _connect(machine: GoMachine, given: list[Any], span: Span) -> Any:
    """nats.Connect with its options."""
    one = Object(f"{_NATS}.Conn", span)
    one.state["closed"] = [its.state["calls"] for its in given if isinstance(its, Object) and "calls" in its.state]
    return (one, NIL)


def _closed_handler(machine: GoMachine, given: list[Any], span: Span) -> Any:
    option = Object("option", span)
    option.state["calls"] = given[0] if given else UNKNOWN
    return option


def _drain(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
    """nats' Drain and Close: the handler of the end is called once that is done."""
    _close(machine, of, given, span)
    for handler in of.state.pop("closed", []):
        machine.start(expressions.call(machine, handler, [of], span), span)
    return NIL


def _interrupt_channel(machine: GoMachine, given: list[Any], span: Span) -> Any:
    channel = Chan(1, span)
    machine.notify(channel, ("SIGTERM", "SIGINT"), span)
    return channel


def _run_worker(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    yield from receive(machine, given[0] if given else NIL, span, (span.source.path, span.start))
    return NIL


FUNCTIONS: dict[str, Callable[[GoMachine, list[Any], Span], Any]] = {
    f"{_KAFKA}.NewReader": _make(f"{_KAFKA}.Reader"),
    f"{_NATS}.Connect": _connect,
    f"{_NATS}.ClosedHandler": _closed_handler,
    f"{_TEMPORAL}.New": _make(f"{_TEMPORAL}.Worker"),
    f"{_TEMPORAL}.InterruptCh": _interrupt_channel,
    **{f"{one}.NewConsumerGroup": _make(f"{one}.ConsumerGroup", error=True) for one in _SARAMA},
    **{f"{one}.Dial": _make(f"{one}.Connection", error=True) for one in _AMQP},
    **{f"{one}.{name}": _make(f"{one}.Client") for one in _REDIS for name in ("NewClient", "NewUniversalClient")},
}
_BLOCKING = ("BLPop", "BRPop", "BLMove", "BRPopLPush", "BZPopMin", "BZPopMax", "XRead", "XReadGroup")
METHODS: dict[str, dict[str, How]] = {
    f"{_KAFKA}.Reader": {"FetchMessage": _take, "ReadMessage": _take},
    f"{_NATS}.Conn": {"Drain": _drain, "Close": _drain},
    f"{_TEMPORAL}.Worker": {"Run": _run_worker, "Start": lambda *_: NIL},
    **{f"{one}.ConsumerGroup": {"Consume": _consume} for one in _SARAMA},
    **{f"{one}.Connection": {"Channel": _part(f"{one}.Channel"), "Close": _close} for one in _AMQP},
    **{f"{one}.Channel": {"Consume": _messages(error=True), "Cancel": _close, "Close": _close} for one in _AMQP},
    **{f"{one}.Client": dict.fromkeys(_BLOCKING, _take_later) for one in _REDIS},
}
for _one in _REDIS:
    METHODS[f"{_one}.Client"] |= {"Subscribe": _make(f"{_one}.PubSub"), "PSubscribe": _make(f"{_one}.PubSub")}
    METHODS[f"{_one}.Cmd"] = {
        "Result": lambda _, of, __, ___: of.state.get("result", UNKNOWN),
        "Val": lambda _, of, __, ___: of.state.get("result", (UNKNOWN, UNKNOWN))[0],
        "Err": lambda _, of, __, ___: of.state.get("result", (UNKNOWN, UNKNOWN))[1],
    }
    METHODS[f"{_one}.PubSub"] = {"Channel": _messages(error=False), "ReceiveMessage": _take, "Close": _close}
