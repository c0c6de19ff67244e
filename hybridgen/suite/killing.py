"""Selection by what cases notice: a case for each mutant, and no assertion that notices none."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence, Set

from hybridgen.domain import Candidate
from hybridgen.domain.mutants import findings
from hybridgen.suite.cases import Case, Key
from hybridgen.suite.shapes import Shape

_MOST_ROWS = 8  # of one table; more where nothing else notices a mutant at all
_MOST_NEEDED_ROWS = 16
_NEW_TEST = 1.5  # how much harder a test of its own reads than a further row


Goals = Mapping[Key, frozenset[int]]


def noticing(
    kept: Sequence[Case], cases: Sequence[Case], goals_of: Callable[[Case], frozenset[int]]
) -> list[Case]:
    """The cases to add so that all goals are met that any case meets.

    Greedy: most goals for the effort of reading first. Of those added, the ones go again that
    others made superfluous.

    Args:
        kept: cases that are there anyway.
        cases: those to choose from.
        goals_of: the mutants that a case notices, with what else it is worth, as numbers.
    """
    goals = {case.key: goals_of(case) for case in (*kept, *cases)}
    done = set[int]().union(*(goals[case.key] for case in kept))
    rows: Counter[Shape | None] = Counter(case.shape for case in kept)
    free = {case.key: case for case in cases if goals[case.key] - done}
    for case in kept:
        free.pop(case.key, None)
    added: list[Case] = []
    while free:
        best = min(free.values(), key=lambda case: (-_gain(case, goals, done, rows), case.tie))
        if _gain(best, goals, done, rows) <= 0:
            break
        added.append(free.pop(best.key))
        done |= goals[best.key]
        rows[best.shape] += 1
    return _needed(kept, added, goals)


def _gain(case: Case, goals: Goals, done: Set[int], rows: Counter[Shape | None]) -> float:
    new = goals[case.key] - done
    is_row = case.shape is not None and rows[case.shape] > 0
    most = _MOST_NEEDED_ROWS if case.kills - done else _MOST_ROWS
    if not new or (is_row and rows[case.shape] >= most):
        return 0.0
    return len(new) / (case.effort + (0.0 if is_row else _NEW_TEST))


def _needed(kept: Sequence[Case], added: Sequence[Case], goals: Goals) -> list[Case]:
    """``added`` without those whose every goal others meet, the hardest to read first."""
    count = Counter(goal for case in (*kept, *added) for goal in goals[case.key])
    needed = {case.key: case for case in added}
    for case in sorted(added, key=lambda case: (-case.effort, case.tie)):
        if all(count[goal] > 1 for goal in goals[case.key]):
            count.subtract(goals[case.key])
            del needed[case.key]
    return list(needed.values())


# ---------------------------------------------------------------- assertions


def without_idle(cases: Sequence[Case], partial: Set[Candidate]) -> list[Case]:
    """The cases without assertions that notice no mutant, beside others that do.

    The rows of a table lose the same ones, or they would no longer be rows of one table.

    Args:
        partial: candidates of which it is not known what all their assertions notice.
    """
    groups: defaultdict[Shape | int, list[Case]] = defaultdict(list)
    for index, case in enumerate(cases):
        groups[case.shape or index].append(case)
    found: list[Case] = []
    for group in groups.values():
        used = set[tuple[int, int]]().union(*(_used(case) for case in group))
        is_known = all(case.noticing and case.raw.candidate not in partial for case in group)
        found += [_only(case, used) if is_known else case for case in group]
    order = {case.key: index for index, case in enumerate(cases)}
    return sorted(found, key=lambda case: order[case.key])


def _used(case: Case) -> set[tuple[int, int]]:
    """Step and number of each check that notices something."""
    found = set()
    steps = case.raw.candidate.steps
    for place, (step, result) in enumerate(zip(steps, case.observation.results, strict=True)):
        for number, check in enumerate(result.checks):
            alone = dataclasses.replace(result, checks=(check,), changed=(), output="", warnings=())
            if any(case.noticing.get(item) for item in findings(step, alone)):
                found.add((place, number))
    return found


def _only(case: Case, used: Set[tuple[int, int]]) -> Case:
    """The case with those checks only, where a step has any of them."""
    results = []
    for place, result in enumerate(case.observation.results):
        kept = tuple(c for number, c in enumerate(result.checks) if (place, number) in used)
        results.append(dataclasses.replace(result, checks=kept) if kept else result)
    observation = dataclasses.replace(case.observation, results=tuple(results))
    return dataclasses.replace(case, observation=observation)
