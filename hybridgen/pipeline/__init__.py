"""Composes the rooms: settings and paths in, one ``Outcome`` for each module out.

The engine starts first and loads while sources are read. Inside a module: read, label, route, find
its import name, see what existing tests cover (``unit``); search without the model while it loads,
ask the model for what is still open (``finding``); confirm, choose, render, verify with real
pytest, write (``writing``). An error in one module is its outcome; the others go on.
"""

from hybridgen.pipeline.job import Policy, Watcher
from hybridgen.pipeline.run import generate

__all__ = ["Policy", "Watcher", "generate"]
