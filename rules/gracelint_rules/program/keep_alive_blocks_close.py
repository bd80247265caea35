r"""A `server.close()` that waits for connections nobody uses.

## What it does
Reports Node's `server.close()` in a signal handler where idle connections hold it up: before Node 19, or with a
WebSocket server on the same port, and neither `closeIdleConnections()`, `closeAllConnections()` nor a timer ends them.

## Why is this bad?
`server.close()` takes no new connections and waits until the last one has ended. Before Node 19 it does not touch idle
keep-alive connections: the connection pool of a proxy or load balancer keeps them open for `keepAliveTimeout` (5 s
unless set, and often set to more than a minute). WebSockets stay open as long as their clients like, on every version.
The grace period goes by with no request in flight, and SIGKILL ends what was a graceful shutdown.

## Example
```dockerfile bad path=Dockerfile
FROM node:18-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENTRYPOINT ["tini", "--"]
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
  server.close(() => console.log('closed'));
  server.closeIdleConnections?.();
});
```

## Fix safety
The fix ends connections without a request on them, and only while the server closes: safe. Node has the method since
18.2; the `?.()` leaves older versions as they were. WebSockets are to be closed by the program itself.

## References
- [Node: server.close()](https://nodejs.org/api/http.html#serverclosecallback)
- [Node: server.closeIdleConnections()](https://nodejs.org/api/http.html#servercloseidleconnections)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Program, Severity, edits, rule

_UPGRADES = ("ws", "socket.io")


@rule("keep-alive-blocks-close", severity=Severity.WARNING, subject=Program)
def keep_alive_blocks_close(program: Program) -> Iterator[Finding]:
    upgraded = next((server for server in program.servers if server.name in _UPGRADES), None)
    for wait in program.waits:
        if wait.kind != "keep-alive":
            continue
        if upgraded is not None:
            message = f"server.close() waits for every WebSocket of {upgraded.name} to end: close the clients too"
            yield Finding(message, at=wait.span)
            continue
        changes = edits.node.close_idle_connections(program, wait)
        yield Finding(
            f"on Node {program.runtime}, server.close() waits for idle keep-alive connections, {_time(program)}",
            at=wait.span,
            fix=Fix("Close the idle connections too", changes, Applicability.SAFE) if changes else None,
        )


def _time(program: Program) -> str:
    given = next((server.options[key] for server in program.servers for key in server.options), None)
    return "5 s by default" if given is None else f"{given:g} s (keepAliveTimeout)"
