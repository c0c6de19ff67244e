"""Makes what the search found easier to read, without changing what it shows.

As in delta debugging and hypothesis' shrinking, a change stays if the run shows the same: the same
code reached, the same values, the same type of exception. Numbers are left alone: the search
tries those at boundaries, and that is where mutants live.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace

from hybridgen.domain import Candidate, Observation
from hybridgen.explore.archive import outcome_of

SIMPLE_TEXTS = ("a", "abc", "")
"""What a text is replaced by if it does not matter, best first."""

MOST_TRIES = 24

Run = Callable[[Candidate], Observation | None]


def shrink(observation: Observation, run: Run) -> Observation:
    """A simpler observation that shows the same, or the same one."""
    tries = 0
    best = observation
    for simpler in _simpler(observation.candidate):
        if tries >= MOST_TRIES:
            break
        tries += 1
        candidate = simpler(best.candidate)
        if candidate is None:
            continue
        found = run(candidate)
        if found is not None and _shows_the_same(best, found):
            best = replace(found, candidate=candidate)
    return best


def _shows_the_same(old: Observation, new: Observation) -> bool:
    if new.arcs != old.arcs or len(new.results) != len(old.results):
        return False
    for one, other in zip(old.results, new.results, strict=True):
        types = [r.raised.type_name if r.raised else None for r in (one, other)]
        if one.status != other.status or types[0] != types[1]:
            return False
    if any(result.raised for result in old.results):
        return True  # a message may name the text that changed
    return outcome_of(old) == outcome_of(new)


def _simpler(candidate: Candidate) -> Iterator[Callable[[Candidate], Candidate | None]]:
    """Changes to try, each a function of the best candidate so far."""
    for index, step in enumerate(candidate.steps):
        texts = {
            node.value
            for node in ast.walk(ast.parse(step.code))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value not in SIMPLE_TEXTS[:2]
        }
        for old in sorted(texts):
            for new in SIMPLE_TEXTS:
                if new != old and (new or not old.strip()):
                    yield _replacement(index, old, new)


def _replacement(index: int, old: str, new: str) -> Callable[[Candidate], Candidate | None]:
    def change(candidate: Candidate) -> Candidate | None:
        step = candidate.steps[index]
        tree = ast.parse(step.code)
        found = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value == old]
        if not found:
            return None
        for node in found:
            node.value = new
        steps = list(candidate.steps)
        steps[index] = replace(step, code=ast.unparse(tree))
        return replace(candidate, steps=tuple(steps))

    return change
