"""Reads JavaScript and TypeScript programs that run on Node."""

from __future__ import annotations

from gracelint.behaviour.node.modules import trace_built
from gracelint.behaviour.node.program import read_node

__all__ = ["read_node", "trace_built"]
