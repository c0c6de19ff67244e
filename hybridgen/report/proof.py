"""The proof of ``hybridgen doctor --prove``, for a security officer and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

SCHEMA_VERSION: Final = 1
HELD: Final = "held"
BROKEN: Final = "BROKEN"


class ProofRow(Protocol):
    """One attack, as :class:`hybridgen.proof.Row` tells of it."""

    @property
    def process(self) -> str:
        """From inside which process."""
        ...

    @property
    def attack(self) -> str:
        """What was tried, in words."""
        ...

    @property
    def expected(self) -> str:
        """What has to come of it."""
        ...

    @property
    def result(self) -> str:
        """What came of it."""
        ...

    @property
    def control(self) -> str:
        """What came of the same without the lock."""
        ...

    @property
    def verdict(self) -> str:
        """``held``, ``BROKEN`` or ``not proven``."""
        ...


def head_lines(process: str, about: str) -> Iterator[str]:
    """What stands above the rows of one process."""
    yield f"\n{process}: {about}"
    yield f"  {'verdict':<10}  {'expected':<8}  {'result':<9}  {'without lock':<12}  attack"


def row_line(row: ProofRow) -> str:
    """One attack as one line."""
    return (
        f"  {row.verdict:<10}  {row.expected:<8}  {row.result:<9}  {row.control:<12}  {row.attack}"
    )


def summary(rows: Sequence[ProofRow]) -> str:
    """How many of which, and what the exit code says."""
    counts = Counter(str(row.verdict) for row in rows)
    if counts[HELD] == len(rows) > 0:
        return (
            f"{len(rows)} attacks: all held, and each works where the lock is missing (exit code 0)"
        )
    said = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    text = f"{len(rows)} attacks: {said}: it is not proven that nothing gets out (exit code 1)"
    if counts[BROKEN]:  # no want of time lets an attack succeed
        return text
    return f"{text}. For want of time? Then again, on an idle machine: hybridgen doctor --prove"


def as_json(
    rows: Sequence[ProofRow], *, version: str, system: str, processes: Mapping[str, str]
) -> str:
    """The proof as one document; it says nothing of any project."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "label": "public",
        "version": version,
        "system": system,
        "is_proven": is_proven(rows),
        "processes": dict(processes),
        "rows": [
            {
                "process": row.process,
                "attack": row.attack,
                "expected": row.expected,
                "result": row.result,
                "control": row.control,
                "verdict": str(row.verdict),
            }
            for row in rows
        ],
    }
    return json.dumps(document, indent=2)


def is_proven(rows: Sequence[ProofRow]) -> bool:
    """Whether every attack was denied and worked without the lock."""
    return bool(rows) and all(row.verdict == HELD for row in rows)
