"""Channels of the standard library, tokio and crossbeam, and what wakes others: Notify, Condvar."""

from __future__ import annotations

from gracelint.behaviour.machine.machine import receive
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Chan, Doubt, Err, Object, Wait
from gracelint.behaviour.rust.syntax import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.machine import RustMachine
    from gracelint.source import Span


_UNBOUNDED = 1_000_000
"""Messages in a channel that has no bound."""


def _pair(type_: str) -> Callable[[RustMachine, Given], Any]:
    def made(_: RustMachine, given: Given) -> Any:
        room = given.argument(0)
        chan = Chan(room if isinstance(room, int) else _UNBOUNDED, given.span)
        sender, receiver = Object(f"{type_}Sender", given.span), Object(f"{type_}Receiver", given.span)
        if type_ == "Once":
            sender.type, receiver.type = "OnceSender", "Oneshot"
        sender.state["sends"] = [chan]
        receiver.state["chan"], receiver.state["from"] = chan, sender
        if type_ == "Broadcast":
            sender.state["receivers"] = sender.state["sends"]
        return [sender, receiver]

    return made


def _subscribe(_: RustMachine, of: Object, given: Given) -> Any:
    sender = of.state.get("from", of)
    receiver = Object("BroadcastReceiver", given.span)
    receiver.state["chan"], receiver.state["from"] = Chan(1, given.span), sender
    sender.state["sends"].append(receiver.state["chan"])
    return receiver


def _send(_: RustMachine, of: Object, given: Given) -> Any:
    for chan in of.state["sends"]:
        chan.queue.append(given.argument(0, UNIT))
    return UNIT


def _send_with_room(machine: RustMachine, of: Object, given: Given) -> Run:
    """Waits until there is room; a channel of none takes one that waits to be received."""
    channels: list[Chan] = of.state["sends"]
    yield Wait("send", given.span, lambda: all(one.closed or len(one.queue) < max(one.room, 1) for one in channels))
    return _send(machine, of, given)


def cloned(of: Object) -> Object:
    """One more owner of a sender, where it is one."""
    if "sends" in of.state:
        of.state["clones"] = of.state.get("clones", 0) + 1
    return of


def dropped(of: Object) -> bool:
    """One owner less of a sender: its channels end with the last one. False where others own it still."""
    owners = of.state.get("clones", 0)
    of.state["clones"] = owners - 1
    for chan in of.state["sends"] if owners == 0 else ():
        chan.closed = True
    return bool(owners == 0)


def _send_later(machine: RustMachine, of: Object, given: Given) -> Run:
    yield from ()
    return _send(machine, of, given)


def _receive(machine: RustMachine, of: Object, given: Given) -> Run:
    value = yield from receive(machine, of.state["chan"], given.span, None)
    return value


def _receive_many(machine: RustMachine, of: Object, given: Given) -> Run:
    """How many there were: none where the channel is closed."""
    value = yield from _receive(machine, of, given)
    return 0 if value is NIL else UNKNOWN


def _receive_or_fail(machine: RustMachine, of: Object, given: Given) -> Run:
    value = yield from _receive(machine, of, given)
    return Err("RecvError") if value is NIL else value


def receive_once(machine: RustMachine, of: Object, span: Span) -> Run:
    value = yield from receive(machine, of.state["chan"], span, None)
    return Err("RecvError") if value is NIL else value


def _try(machine: RustMachine, of: Object, _: Given) -> Any:
    chan: Chan = of.state["chan"]
    return machine.take(chan) if chan.queue else Err("Disconnected" if chan.closed else "Empty")


def _receive_timeout(machine: RustMachine, of: Object, given: Given) -> Run:
    chan: Chan = of.state["chan"]
    seconds = given.argument(0)
    until = machine.now + (float(seconds) if isinstance(seconds, (int, float)) else 1.0)
    node = (given.span.source.path, given.span.start)
    yield Wait("receive", given.span, lambda: bool(chan.queue) or machine.now >= until, at=lambda: until, node=node)
    return machine.take(chan) if chan.queue else Err("Timeout")


def _close(_: RustMachine, of: Object, __: Given) -> Any:
    of.state["chan"].closed = True
    return UNIT


# watch


def _watch(_: RustMachine, given: Given) -> Any:
    sender, receiver = Object("WatchSender", given.span), Object("WatchReceiver", given.span)
    sender.state["box"] = receiver.state["box"] = [given.argument(0, UNKNOWN), 0]
    receiver.state["seen"] = 0
    return [sender, receiver]


def _watcher(_: RustMachine, of: Object, given: Given) -> Any:
    one = Object("WatchReceiver", given.span)
    one.state["box"] = of.state["box"]
    one.state["seen"] = of.state.get("seen", of.state["box"][1])
    return one


def _watch_send(_: RustMachine, of: Object, given: Given) -> Any:
    of.state["box"][0] = given.argument(0, UNKNOWN)
    of.state["box"][1] += 1
    return UNIT


def _watch_modify(_: RustMachine, of: Object, __: Given) -> Any:
    of.state["box"][0] = UNKNOWN
    of.state["box"][1] += 1
    return UNKNOWN


def _watched(_: RustMachine, of: Object, __: Given) -> Any:
    return of.state["box"][0]


def _seen(_: RustMachine, of: Object, __: Given) -> Any:
    of.state["seen"] = of.state["box"][1]
    return of.state["box"][0]


def _changed(_: RustMachine, of: Object, given: Given) -> Run:
    box = of.state["box"]
    yield Wait("receive", given.span, lambda: box[1] > of.state["seen"])
    of.state["seen"] = box[1]
    return UNIT


def _watch_until(machine: RustMachine, of: Object, given: Given) -> Run:
    box = of.state["box"]
    while True:
        machine.step()
        version = box[1]
        holds = yield from machine.call(given.argument(0), [box[0]], given.span)
        if machine.truth(holds):
            of.state["seen"] = version
            return box[0]
        yield from _version(box, version, given.span)


def _version(box: list[Any], version: int, span: Span) -> Run:
    yield Wait("receive", span, lambda: box[1] > version)


# waking others


def _notify(_: RustMachine, of: Object, __: Given) -> Any:
    of.state["permit"] = True
    return UNIT


def _notify_all(_: RustMachine, of: Object, __: Given) -> Any:
    of.state["round"] = of.state.get("round", 0) + 1
    return UNIT


def _notified(_: RustMachine, of: Object, given: Given) -> Run:
    began = of.state.get("round", 0)
    yield Wait("receive", given.span, lambda: bool(of.state.get("permit")) or of.state.get("round", 0) > began)
    of.state["permit"] = False
    return UNIT


def _condition(machine: RustMachine, of: Object, given: Given) -> Run:
    yield from _notified(machine, of, given)
    return given.argument(0)


def _condition_while(machine: RustMachine, of: Object, given: Given) -> Run:
    while True:
        machine.step()
        holds = yield from machine.call(given.argument(1), [given.argument(0)], given.span)
        if not machine.truth(holds):
            return given.argument(0)
        yield from _notified(machine, of, given)


def _condition_timeout(machine: RustMachine, of: Object, given: Given) -> Run:
    seconds = given.argument(1)
    until = machine.now + (float(seconds) if isinstance(seconds, (int, float)) else 1.0)
    node = (given.span.source.path, given.span.start)
    yield Wait(
        "receive",
        given.span,
        lambda: bool(of.state.get("permit")) or machine.now >= until,
        at=lambda: until,
        node=node,
    )
    return [given.argument(0), UNKNOWN]


def _meet(_: RustMachine, of: Object, given: Given) -> Run:
    """Waits until as many have come to a barrier as it is for; then the next round begins."""
    parties = of.state["given"].argument(0)
    if not isinstance(parties, int):
        raise Doubt(f"how many line {given.span.line} waits for is only known when it runs", given.span)
    came = of.state["came"] = of.state.get("came", 0) + 1
    last = -(-came // max(parties, 1)) * max(parties, 1)
    yield Wait("receive", given.span, lambda: of.state["came"] >= last)
    return UNIT


def _permit(machine: RustMachine, _: Object, given: Given) -> Run:
    """A permit comes back when it is dropped, which is not followed: on the way out that decides."""
    yield from ()
    if machine.is_main_stopping():
        raise Doubt(f"whether the permits that line {given.span.line} waits for come back is not known", given.span)
    return UNKNOWN


FUNCTIONS: dict[str, Callable[[RustMachine, Given], Any]] = {
    "std::sync::mpsc::channel": _pair("Std"),
    "std::sync::mpsc::sync_channel": _pair("Std"),
    "crossbeam_channel::bounded": _pair("Std"),
    "crossbeam_channel::unbounded": _pair("Std"),
    "crossbeam::channel::bounded": _pair("Std"),
    "crossbeam::channel::unbounded": _pair("Std"),
    "tokio::sync::mpsc::channel": _pair("Bounded"),
    "tokio::sync::mpsc::unbounded_channel": _pair("Unbounded"),
    "tokio::sync::oneshot::channel": _pair("Once"),
    "futures::channel::oneshot::channel": _pair("Once"),
    "tokio::sync::broadcast::channel": _pair("Broadcast"),
    "tokio::sync::watch::channel": _watch,
}
METHODS: dict[tuple[str, str], Callable[[RustMachine, Object, Given], Any]] = {
    ("StdSender", "send"): _send_with_room,
    ("StdSender", "try_send"): _send,
    ("StdReceiver", "recv"): _receive_or_fail,
    ("StdReceiver", "try_recv"): _try,
    ("StdReceiver", "recv_timeout"): _receive_timeout,
    ("BoundedSender", "try_send"): _send,
    ("BoundedSender", "blocking_send"): _send,
    ("UnboundedSender", "send"): _send,
    ("OnceSender", "send"): _send,
    ("BroadcastSender", "send"): _send,
    ("BroadcastSender", "subscribe"): _subscribe,
    ("BroadcastReceiver", "resubscribe"): _subscribe,
    ("BroadcastReceiver", "try_recv"): _try,
    ("WatchSender", "send"): _watch_send,
    ("WatchSender", "send_replace"): _watch_send,
    ("WatchSender", "send_modify"): _watch_modify,
    ("WatchSender", "send_if_modified"): _watch_modify,
    ("WatchSender", "subscribe"): _watcher,
    ("WatchSender", "borrow"): _watched,
    ("WatchReceiver", "clone"): _watcher,
    ("WatchReceiver", "borrow"): _watched,
    ("WatchReceiver", "borrow_and_update"): _seen,
    ("Notify", "notify_one"): _notify,
    ("Notify", "notify_waiters"): _notify_all,
    ("Barrier", "wait"): _meet,
    ("Condvar", "notify_one"): _notify,
    ("Condvar", "notify_all"): _notify,
    ("Condvar", "wait"): _condition,
    ("Condvar", "wait_while"): _condition_while,
    ("Condvar", "wait_timeout"): _condition_timeout,
}
for _type in ("Std", "Bounded", "Unbounded", "Broadcast"):
    METHODS[f"{_type}Sender", "clone"] = lambda _, of, __: cloned(of)
for _type in ("Bounded", "Unbounded"):
    METHODS[f"{_type}Receiver", "try_recv"] = _try
    METHODS[f"{_type}Receiver", "blocking_recv"] = _receive
    METHODS[f"{_type}Receiver", "close"] = _close
METHODS["Oneshot", "try_recv"] = _try
METHODS["Oneshot", "blocking_recv"] = _receive_or_fail
FUTURES: dict[tuple[str, str], Callable[[RustMachine, Object, Given], Run]] = {
    ("BoundedSender", "send"): _send_later,
    ("BoundedReceiver", "recv"): _receive,
    ("UnboundedReceiver", "recv"): _receive,
    ("BoundedReceiver", "recv_many"): _receive_many,
    ("UnboundedReceiver", "recv_many"): _receive_many,
    ("BroadcastReceiver", "recv"): _receive_or_fail,
    ("WatchReceiver", "changed"): _changed,
    ("WatchReceiver", "wait_for"): _watch_until,
    ("Notify", "notified"): _notified,
    ("AsyncBarrier", "wait"): _meet,
    **{("Semaphore", name): _permit for name in ("acquire", "acquire_owned", "acquire_many", "acquire_many_owned")},
}
