"""Letting a model load before it is asked."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from hybridgen.domain import Label


@runtime_checkable
class Beginning(Protocol):
    """A backend that takes a while until it can answer."""

    def begin(self, label: Label, about: str) -> None:
        """Questions labelled ``label`` will come; returns at once.

        Args:
            about: text that stays the same where the same questions will be asked again.
        """
        ...


def begin(backend: object, label: Label, about: str) -> None:
    """See :meth:`Beginning.begin`; other backends have nothing to begin."""
    if isinstance(backend, Beginning):
        backend.begin(label, about)
