"""Interpreters and virtual machines: from what is started to the source that it is built from, and its facts."""
