"""Text with its label: the only thing that a prompt is made of."""

from __future__ import annotations

from hybridgen.domain import Fragment, Label, SourceFile

UNMARKED = "not marked, so confidential"


def fragment_of(text: str, origin: str, *files: SourceFile) -> Fragment:
    """``text`` with the strictest label of the files that it was made from.

    Args:
        text: what is labelled.
        origin: where it came from, for people (a path as displayed).
        files: as they were labelled; without one the text is confidential.
    """
    if not files:
        return unlabelled(text, origin)
    deciding = max(files, key=lambda file: file.label)
    why = deciding.evidence[0].detail if deciding.evidence else UNMARKED
    return Fragment(text, deciding.label, origin, why, files)


def unlabelled(text: str, origin: str) -> Fragment:
    """``text`` that belongs to no file that was labelled: confidential."""
    return Fragment(text, Label.CONFIDENTIAL, origin, UNMARKED)
