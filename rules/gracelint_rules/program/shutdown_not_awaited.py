"""A graceful shutdown that the program does not wait for.

## What it does
Reports Go programs that end while what they have told to stop is still at it: `Shutdown` is called in a goroutine,
`ListenAndServe` returns at that moment, and main returns after it; or a goroutine cleans up once its context is done
while main returns on the same signal. Silent where main waits: for a channel, a `sync.WaitGroup`, an `errgroup`.

## Why is this bad?
`Shutdown` closes the listener first, so `ListenAndServe` returns at once with `ErrServerClosed`. When main returns the
process ends, whatever other goroutines are doing: the requests that `Shutdown` waits for are dropped, and the handler
that looks so careful saves none of them.

## Example
```dockerfile bad path=Dockerfile
FROM golang:1.23-alpine AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /app .

FROM scratch
COPY --from=build /app /app
ENTRYPOINT ["/app"]
```
```go bad path=main.go
package main

import (
        "context"
        "net/http"
        "os/signal"
        "syscall"
        "time"
)

func main() {
        ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
        defer stop()
        srv := &http.Server{Addr: ":8080"}
        go func() {
                <-ctx.Done()
                limit, cancel := context.WithTimeout(context.Background(), 6*time.Second)
                defer cancel()
                srv.Shutdown(limit)
        }()
        srv.ListenAndServe()
}
```
Use instead:
```go good path=main.go
package main

import (
        "context"
        "net/http"
        "os/signal"
        "syscall"
        "time"
)

func main() {
        ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
        defer stop()
        srv := &http.Server{Addr: ":8080"}
        done := make(chan struct{})
        go func() {
                defer close(done)
                <-ctx.Done()
                limit, cancel := context.WithTimeout(context.Background(), 6*time.Second)
                defer cancel()
                srv.Shutdown(limit)
        }()
        srv.ListenAndServe()
        <-done
}
```

## References
- [net/http: Server.Shutdown](https://pkg.go.dev/net/http#Server.Shutdown)
"""

from collections.abc import Iterator

from gracelint import Applicability, Cause, Finding, Fix, Program, Severity, rule


@rule("shutdown-not-awaited", severity=Severity.ERROR, subject=Program, verdict=True)
def shutdown_not_awaited(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.SHUTDOWN_NOT_AWAITED)
    if stop is None:
        return
    yield Finding(
        stop.why,
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        fix=Fix(
            "Let main wait for it: close a channel when it is done, and receive from it last", (), Applicability.MANUAL
        ),
    )
