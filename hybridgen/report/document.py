"""The machine-readable report of a run, and the exit code that sums it up.

It holds numbers, names and reasons. Source text and observed values stay out: the document
goes into CI artifacts. So a suspect is told by target, evidence with its place, and strength, and
a surviving mutant by its place; the console shows what was called and what came out. The document
states the label of the strictest module it speaks of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from hybridgen.domain import Coverage, MutationScore, Outcome, Suspect, strictest

SCHEMA_VERSION: Final = 1

_REFUSED: Final = 4
_INTERRUPTED: Final = 130


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """The command's exit code: the one of the outcomes that matters most.

    Interrupted comes first, then refused by policy, then the higher number; an error counts
    as 1 at least. Without outcomes nothing was left undone: 0.
    """
    codes = {code_of(outcome) for outcome in outcomes}
    for code in (_INTERRUPTED, _REFUSED):
        if code in codes:
            return code
    return max(codes, default=0)


def code_of(outcome: Outcome) -> int:
    """The exit code of one module alone; never 0 if it says that it has an error."""
    return max(outcome.exit_code, 1) if outcome.error else outcome.exit_code


def to_document(outcomes: Sequence[Outcome], *, version: str = "") -> dict[str, Any]:
    """All of ``outcomes`` as one JSON-ready document.

    Args:
        outcomes: one for each module.
        version: hybridgen's own version.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "hybridgen": version,
        "label": strictest(outcome.label for outcome in outcomes).name.lower(),
        "modules": [_module(outcome) for outcome in outcomes],
        "totals": totals(outcomes),
        "exit_code": exit_code(outcomes),
    }


def totals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Sums over all modules."""
    dropped: Counter[str] = Counter()
    for outcome in outcomes:
        dropped.update(outcome.tests_dropped)
    scores = [outcome.mutation for outcome in outcomes if outcome.mutation is not None]
    return {
        "modules": len(outcomes),
        "modules_with_tests": sum(outcome.tests_kept > 0 for outcome in outcomes),
        "modules_failed": sum(code_of(outcome) != 0 for outcome in outcomes),
        "tests_kept": sum(outcome.tests_kept for outcome in outcomes),
        "tests_dropped": dict(sorted(dropped.items())),
        "suspects": sum(len(outcome.suspects) for outcome in outcomes),
        "mutants": sum(score.total for score in scores),
        "mutants_killed": sum(score.killed for score in scores),
        "tokens": sum(outcome.tokens for outcome in outcomes),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
    }


def _module(outcome: Outcome) -> dict[str, Any]:
    return {
        "path": outcome.path,
        "label": outcome.label.name.lower(),
        "why": outcome.why,
        "route": {"backend": outcome.route.backend, "why": outcome.route.why},
        "model": outcome.model,
        "interpreter": outcome.interpreter,
        "locks": outcome.locks,
        "test_file": outcome.test_file,
        "tests_kept": outcome.tests_kept,
        "tests_dropped": dict(sorted(outcome.tests_dropped.items())),
        "coverage": {
            "before": _coverage(outcome.coverage_before),
            "after": _coverage(outcome.coverage_after),
        },
        "mutation": _mutation(outcome.mutation),
        "suspects": [_suspect(suspect) for suspect in outcome.suspects],
        "tokens": outcome.tokens,
        "seconds": round(outcome.seconds, 3),
        "stages": {name: round(seconds, 1) for name, seconds in outcome.stages.items()},
        "questions": {
            kind: {"times": asked.times, "gained": asked.gained, "seconds": round(asked.seconds, 1)}
            for kind, asked in outcome.questions.items()
        },
        "error": outcome.error,
        "exit_code": code_of(outcome),
        "notes": list(outcome.notes),
    }


def _mutation(score: MutationScore | None) -> dict[str, Any] | None:
    """Counts and places; what was changed into what is source text."""
    if score is None:
        return None
    return {
        "killed": score.killed,
        "total": score.total,
        "survivors": [_place(line) for line in score.survivors],
        "equivalent": [_place(line) for line in score.equivalent],
        "untried": score.untried,
    }


def _place(line: str) -> str:
    """``cart.py:12`` of ``cart.py:12: a < b -> a <= b``."""
    return line.partition(": ")[0]


def _suspect(suspect: Suspect) -> dict[str, str]:
    return {
        "target": suspect.target,
        "evidence": suspect.evidence,
        "strength": suspect.strength.value,
    }


def _coverage(coverage: Coverage | None) -> dict[str, float] | None:
    """Percentages, or None where nothing was measured."""
    if coverage is None:
        return None
    return {
        "line": round(coverage.line, 2),
        "branch": round(coverage.branch, 2),
        "pooled": round(coverage.pooled, 2),
    }
