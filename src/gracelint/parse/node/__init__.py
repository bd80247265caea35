"""Reads JavaScript and TypeScript programs that run on Node."""

from __future__ import annotations

from gracelint.parse.node.modules import trace_built
from gracelint.parse.node.program import read_node

__all__ = ["read_node", "trace_built"]
