"""Reasons for a label."""

from __future__ import annotations

from hybridgen.domain import Evidence, Label


def confidential(rule: str, detail: str) -> Evidence:
    """A reason for the strictest label."""
    return Evidence(Label.CONFIDENTIAL, rule, detail)
