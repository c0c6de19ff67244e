"""What each chosen case is there for, so that it may become plainer without a loss.

Every line transition and every mutant is guarded by one case. As long as each case keeps what it
guards, the suite as a whole loses nothing, whatever else changes in a case.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

from hybridgen.domain import Arc, Check, CheckKind, Observation, StepResult, Target
from hybridgen.domain.mutants import Kills
from hybridgen.suite.cases import Case
from hybridgen.suite.edges import literal
from hybridgen.suite.homes import Homes
from hybridgen.suite.messages import outline, stable_part
from hybridgen.suite.shapes import WEAK_KINDS, outcome_text
from hybridgen.suite.tidying import tidy

T = TypeVar("T", bound=Hashable)
_TELLING = 8  # characters of a message that still say something
_SHORT = 80  # characters of a value that is asserted as a whole instead of by its parts


@dataclass(frozen=True, slots=True)
class Guard:
    """A chosen case and what it must keep.

    Attributes:
        raw: the case as it was observed, tidied but for its messages.
        arcs: line transitions that no other case has to execute.
        mutants: indices of those that no other case has to notice.
        is_row: others have the same shape: they are the rows of one table.
        outcome: what it has to show, where it guards nothing or no mutants were tried; else "".
    """

    raw: Observation
    arcs: frozenset[Arc]
    mutants: frozenset[int]
    is_row: bool
    outcome: str


def guards(cases: Sequence[Case], kills: Kills, targets: Sequence[Target]) -> list[Guard]:
    """Divides what a suite executes and notices among its cases, the plainest first.

    A mutant is guarded by a case of the function that it changes, if there is one.
    """
    order = sorted(range(len(cases)), key=lambda index: (cases[index].effort, cases[index].tie))
    arcs = _divided(order, lambda index: cases[index].arcs)
    homes = Homes(kills.mutants, targets)
    count = len(kills.mutants)
    own = _divided(
        order, lambda i: frozenset(g - count for g in homes.goals(cases[i]) if g >= count)
    )
    at_home = frozenset[int]().union(*own)
    others = _divided(order, lambda index: cases[index].kills - at_home)
    shapes = [case.shape for case in cases]
    found = []
    for index, case in enumerate(cases):
        mutants = own[index] | others[index]
        is_idle = not (arcs[index] or mutants) or not kills.mutants
        found.append(
            Guard(
                case.observation,
                arcs[index],
                mutants,
                case.shape is not None and shapes.count(case.shape) > 1,
                outcome_text(case.observation) if is_idle else "",
            )
        )
    return found


def _divided(order: Sequence[int], goals: Callable[[int], frozenset[T]]) -> list[frozenset[T]]:
    """For each case the goals that none before it meets, in its place in the suite."""
    done: set[T] = set()
    found: list[frozenset[T]] = [frozenset()] * len(order)
    for index in order:
        found[index] = goals(index) - done
        done |= found[index]
    return found


def alike(old: Observation, new: Observation, places: Sequence[int]) -> Observation | None:
    """A new observation with what the old one asserts, or None if it does not show as much.

    Args:
        old: as it stands in the suite.
        new: as it was made.
        places: for each step of the new one, the place of the step in the old one.
    """
    left_out = [old.results[place] for place in range(len(old.results)) if place not in places]
    if len(new.results) != len(places) or not all(map(_is_quiet, left_out)):
        return None
    pairs = [_alike(old.results[p], r) for p, r in zip(places, new.results, strict=True)]
    results = tuple(result for result in pairs if result is not None)
    if len(results) != len(pairs):
        return None
    found = dataclasses.replace(new, results=results)
    told = zip(_messages(tidy(found)), _messages(old, places), strict=True)
    return found if all(_say_the_same(*pair) for pair in told) else None


def _say_the_same(one: str, other: str) -> bool:
    """True for two messages of one kind: what they repeat of the input may be in one of them."""
    short, long = sorted((one.strip(), other.strip()), key=len)
    return short == long or (len(short) >= _TELLING and short in long)


def _is_quiet(result: StepResult) -> bool:
    """True for a step that only prepares something, or fails on the way to what is shown."""
    return result == StepResult("ok") or result.raised is not None


def _messages(observation: Observation, places: Sequence[int] | None = None) -> list[str]:
    """What its exceptions say about any such input."""
    results = observation.results
    code = "\n".join(step.code for step in observation.candidate.steps)
    chosen = results if places is None else [results[place] for place in places]
    return [outline(stable_part(r.raised.match, code)) for r in chosen if r.raised is not None]


def _alike(old: StepResult, new: StepResult) -> StepResult | None:
    if old.status != new.status or old.warnings != new.warnings:
        return None
    if bool(old.output) > bool(new.output) or bool(old.logs) > bool(new.logs):
        return None
    if bool(old.complaints) > bool(new.complaints):
        return None
    if (old.raised is None) != (new.raised is None):
        return None
    if old.raised is not None and new.raised is not None:
        one, other = old.raised, new.raised
        if (one.type_name, one.type_import) != (other.type_name, other.type_import):
            return None
        if bool(one.match) != bool(other.match) or not (other.is_deliberate and other.is_inside):
            return None
    checks = _checks(old.checks, new.checks)
    known = dict(new.changed)
    changed = tuple((name, _checks(items, known.get(name, ()))) for name, items in old.changed)
    if checks is None or any(items is None for _, items in changed):
        return None
    return dataclasses.replace(
        new,
        checks=checks,
        changed=tuple((name, items) for name, items in changed if items is not None),
        output=new.output if old.output else "",
        logs=new.logs if old.logs else (),
        complaints=new.complaints if old.complaints else "",
    )


def _checks(old: Sequence[Check], new: Sequence[Check]) -> tuple[Check, ...] | None:
    """What is new of the same kind; the value as a whole where that has become short enough."""
    if not old:
        return ()
    whole = [c for c in new if not c.path and c.kind not in WEAK_KINDS]
    if whole and not any(not c.path and c.kind not in WEAK_KINDS for c in old):
        if len(whole[0].expression) <= _SHORT:
            return (whole[0],)
    kept = tuple(c for c in new if any(_is_alike(other, c) for other in old))
    return kept or None


def _is_alike(old: Check, new: Check) -> bool:
    if old.path != new.path or (old.kind in WEAK_KINDS) != (new.kind in WEAK_KINDS):
        return False
    if CheckKind.IS in (old.kind, new.kind) or old.kind is CheckKind.TYPE:
        return old.kind is new.kind and old.expression == new.expression
    one, other = literal(old.expression), literal(new.expression)
    is_sized = isinstance(one, Sized) and isinstance(other, Sized)
    return type(one) is type(other) and (not is_sized or bool(one) == bool(other))
