"""Handles no signal."""

import time

print("ready", flush=True)
try:
    time.sleep(1000)
finally:
    print("cleanup done", flush=True)
