"""The model's own process: llama.cpp close to the metal, behind a pipe."""

from hybridgen.engine.engine import Engine, EngineUnusableError

__all__ = ["Engine", "EngineUnusableError"]
