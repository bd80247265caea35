"""Servers, daemons and workers that are known by name: what they are told and serve, what they do on a signal."""
