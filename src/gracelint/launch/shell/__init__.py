"""Shells: what a script starts, on each way through it, and what the shell in front does with a signal."""
