"""A pool or client that no way out closes.

## What it does
Reports connections and pools of known libraries (SQLAlchemy, asyncpg, psycopg, redis, pika, Kafka clients, pg, mysql2
and the like) that the program opens at start and closes on no path that a stop takes. Context managers count as
closing.

## Why is this bad?
The server at the other end notices only by a timeout: connections stay counted against its limit, unacknowledged
messages are redelivered late, a consumer group waits for its session timeout before it rebalances, producers lose
what they had buffered.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "ingest.py"]
```
```python bad path=ingest.py
import signal
import sys
import time

from kafka import KafkaProducer

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
producer = KafkaProducer(bootstrap_servers="kafka:9092")
while True:
    producer.send("ticks", b"tick")
    time.sleep(1)
```
Use instead:
```python good path=ingest.py
import signal
import sys
import time

from kafka import KafkaProducer

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
producer = KafkaProducer(bootstrap_servers="kafka:9092")
try:
    while True:
        producer.send("ticks", b"tick")
        time.sleep(1)
finally:
    producer.close(timeout=5)
```

## References
- [Kafka: KafkaProducer.close](https://kafka-python.readthedocs.io/en/master/apidoc/KafkaProducer.html)
"""

from collections.abc import Iterator

from gracelint import Finding, Program, Severity, Verdict, rule


@rule("unclosed-connections", severity=Severity.WARNING, subject=Program, strict=True, about=("connections",))
def unclosed_connections(program: Program) -> Iterator[Finding]:
    if not any(stop.verdict is Verdict.HANDLED for stop in program.stops):
        return
    for connection in program.connections:
        if not connection.closed:
            yield Finding(
                f"no way out closes this {connection.library} connection: it breaks off without a goodbye",
                at=connection.span,
            )
