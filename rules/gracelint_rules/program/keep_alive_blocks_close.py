r"""A `server.close()` that waits for connections nobody uses.

## What it does
Reports Node's `server.close()` in a signal handler where connections that clients keep open outlast the grace period:
the keep-alive timeout, three seconds for a request in flight and the margin are more than preStop leaves of it, and
nothing sweeps idle connections, answers `Connection: close` while stopping, or ends the wait. It is an error where the
program itself sets a timeout that exceeds the grace period. WebSockets and raw sockets that nothing closes count too,
and so do requests that are put away and that nothing answers (a long poll in a `Map`).

## Why is this bad?
`server.close()` takes no new connections and waits until the last one has ended. Connections that are idle at that
moment are closed from Node 19 on. One that is *busy* then, and is kept by its client, stays open for the keep-alive
timeout after its answer, on every version: 5 s by default, 72 s in Fastify, often more than a minute where the advice
for load balancers was followed. Calling `closeIdleConnections()` once, right after `close()`, is too early for it.
WebSockets stay open as long as their clients like. The grace period goes by with no request in flight, and SIGKILL
ends what was a graceful shutdown.

A timeout that the program sets was chosen for clients that keep their connections, so the verdict is *ignored* where
it exceeds the grace period. With a default it hangs by the clients: the verdict stays, and this is a warning.

## Example
```dockerfile bad path=Dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
```
```javascript bad path=server.js
const http = require('http');

const server = http.createServer((req, res) => res.end('hello'));
server.keepAliveTimeout = 65_000;
server.listen(8080);

process.on('SIGTERM', () => {
  server.close(() => console.log('closed'));
});
```
Use instead:
```javascript good path=server.js
const http = require('http');

const server = http.createServer((req, res) => res.end('hello'));
server.keepAliveTimeout = 65_000;
server.listen(8080);

process.on('SIGTERM', () => {
  setInterval(() => server.closeIdleConnections?.(), 500).unref();
  server.close(() => console.log('closed'));
});
```

## Fix safety
Unsafe: the fix ends connections without a request on them, twice a second and only while the server closes; a client
that was about to send its next request there has to connect again. Node has the method since 18.2. WebSockets are to
be closed by the program itself.

## References
- [Node: server.close()](https://nodejs.org/api/http.html#serverclosecallback)
- [Node: server.keepAliveTimeout](https://nodejs.org/api/http.html#serverkeepalivetimeout)
- [Fastify: keepAliveTimeout](https://fastify.dev/docs/latest/Reference/Server/#keepalivetimeout)
"""

from collections.abc import Iterator

from gracelint import Applicability, Cause, Finding, Fix, Program, Severity, Verdict, edits, rule

_UPGRADES = ("ws", "socket.io")


@rule("keep-alive-blocks-close", severity=Severity.WARNING, subject=Program, verdict=True)
def keep_alive_blocks_close(program: Program) -> Iterator[Finding]:
    stuck = program.stop_because(Cause.KEEP_ALIVE)
    if stuck is not None and stuck.verdict is Verdict.IGNORED:
        message = f"{stuck.why}: it runs on until {stuck.kill}"
        yield Finding(message, at=stuck.reaction.span or program.span, notes=stuck.notes, severity=Severity.ERROR)
        return
    upgraded = next((server for server in program.servers if server.name in _UPGRADES), None)
    for wait in program.waits if upgraded is not None else ():
        if upgraded is not None and wait.kind == "web-socket":
            every = f"every WebSocket of {upgraded.name}"
            yield Finding(f"{_call(wait.span.text)} waits for {every} to end: close the clients too", at=wait.span)
    if program.held is None:
        return
    stop, wait = program.held
    seconds = wait.seconds or 0.0
    keeps = f"{_call(wait.span.text)} waits for connections that clients keep for {seconds:g} s after an answer"
    changes = edits.node.sweep_idle_connections(program, wait)
    yield Finding(
        f"{keeps} ({_said_by(program)}), and there are {stop.grace:g} s until SIGKILL",
        at=wait.span,
        notes=stop.notes,
        fix=Fix("Close idle connections on a timer", changes, Applicability.UNSAFE) if changes else None,
        severity=Severity.ERROR if stop.late and stop.reaction.cause is Cause.KEEP_ALIVE else None,
    )


def _call(text: str) -> str:
    return f"{text.partition('(')[0]}()"


def _said_by(program: Program) -> str:
    if any(server.options.get("keepAliveTimeout") for server in program.servers):
        return "keepAliveTimeout"
    return "Fastify's default" if any(server.name == "fastify" for server in program.servers) else "Node's default"
