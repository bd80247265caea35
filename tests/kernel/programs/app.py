"""Ends cleanly on SIGTERM and SIGINT, and takes half a second for it."""

import signal
import sys
import threading
import time

stop = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stop.set())

print("ready", flush=True)
stop.wait()
time.sleep(0.5)
print("cleanup done", flush=True)
sys.exit(0)
