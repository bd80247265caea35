"""Compose files as services: each project merged from its files as Compose does it, each fact in its own place."""

from gracelint.parse.compose.project import is_compose, read_compose, read_projects

__all__ = ["is_compose", "read_compose", "read_projects"]
