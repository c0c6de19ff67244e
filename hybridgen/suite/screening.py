"""Sorts out observations that must not, or cannot, become a test, and says why."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Sequence

from hybridgen.domain import Module, Observation
from hybridgen.secretscan import secret_in
from hybridgen.suite.allowlist import forbidden
from hybridgen.suite.blocks import UnrenderableError, build
from hybridgen.suite.expectations import expects_by_a_function
from hybridgen.suite.selection import can_be_kept
from hybridgen.suite.sideeffects import side_effect


def screened(
    observations: Sequence[Observation], module: Module, import_name: str
) -> tuple[tuple[Observation, ...], dict[str, int]]:
    """The observations that may become tests, and how many may not, by reason.

    Reasons: ``"no assertion"`` (nothing to assert, or broken by accident), ``"secret"``,
    ``"not renderable"``, ``"not allowed"`` (invariant 7; or what is expected is not built by
    classes alone), ``"sandbox"`` (the kernel's denial
    was observed, not the code), ``"writes files outside of tmp_path"``, ``"reads files
    outside of tmp_path"``, ``"starts programs or uses the network"``.
    """
    kept: list[Observation] = []
    dropped: Counter[str] = Counter()
    for observation in observations:
        reason = drop_reason(observation, module, import_name)
        if reason is None:
            kept.append(observation)
        else:
            dropped[reason] += 1
    return tuple(kept), dict(dropped)


def drop_reason(observation: Observation, module: Module, import_name: str) -> str | None:
    """Why an observation may not become a test, or None."""
    if not can_be_kept(observation):
        return "no assertion"
    if _was_denied(observation):
        return "sandbox"
    if (effect := side_effect(observation, module.source.text)) is not None:
        return effect
    try:
        block = build([observation], module, import_name)
        block.source.encode("utf-8")
    except (UnrenderableError, UnicodeEncodeError):
        return "not renderable"
    if secret_in(block.source) is not None:
        return "secret"
    if forbidden(block.source, import_name, module.source.text):
        return "not allowed"
    return "not allowed" if expects_by_a_function(observation, module, import_name) else None


def _was_denied(observation: Observation) -> bool:
    """True if an exception is one with which the sandbox answers."""
    raised = (result.raised for result in observation.results)
    names = [item.type_name for item in raised if item is not None and not item.type_import]
    kinds = (getattr(builtins, name, None) for name in names)
    denials = (PermissionError, ConnectionError, BlockingIOError, MemoryError)
    return any(isinstance(kind, type) and issubclass(kind, denials) for kind in kinds)
