"""Ends cleanly on SIGINT alone."""

import time

print("ready", flush=True)
try:
    while True:
        time.sleep(1)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("cleanup done", flush=True)
