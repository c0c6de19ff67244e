"""Selection by what cases notice: a case for each mutant, and no assertion that notices none."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from hybridgen.domain import Candidate, Check, StepResult
from hybridgen.domain.mutants import findings
from hybridgen.domain.places import is_listing, is_place
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


_Place = tuple[int, str, int]
"""Step, what is changed or "" for the value, number: where a check stands in a case."""


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
        used = set[_Place]().union(*(_used(case) for case in group))
        is_known = all(case.noticing and case.raw.candidate not in partial for case in group)
        found += [_only(case, used) if is_known else without_list(case) for case in group]
    order = {case.key: index for index, case in enumerate(cases)}
    return sorted(found, key=lambda case: order[case.key])


def without_list(case: Case) -> Case:
    """The case without a list of names that comes after the files themselves: it may be idle."""
    results = []
    for result in case.observation.results:
        places = [index for index, (name, _) in enumerate(result.changed) if is_place(name)]
        changed = tuple(
            item
            for index, item in enumerate(result.changed)
            if not (is_listing(item[0]) and places and places[0] < index)
        )
        results.append(dataclasses.replace(result, changed=changed))
    observation = dataclasses.replace(case.observation, results=tuple(results))
    return dataclasses.replace(case, observation=observation)


def _used(case: Case) -> set[_Place]:
    """The place of each check that notices something; a list of files, something that others do
    not."""
    steps = case.raw.candidate.steps
    kills: dict[_Place, frozenset[int]] = {}
    for index, (step, result) in enumerate(zip(steps, case.observation.results, strict=True)):
        for subject, number, check in _checks(result):
            alone = StepResult("ok", changed=((subject, (check,)),))
            if not subject:
                alone = StepResult("ok", checks=(check,))
            told = (case.noticing.get(item, frozenset()) for item in findings(step, alone))
            kills[index, subject, number] = frozenset[int]().union(*told)
    named = {place: found for place, found in kills.items() if not is_listing(place[1])}
    known = frozenset[int]().union(*named.values())
    return {place for place, found in kills.items() if found and (place in named or found - known)}


def _checks(result: StepResult) -> Iterator[tuple[str, int, Check]]:
    """The checks of a step: of its value, then of what it changed, by name."""
    for subject, checks in (("", result.checks), *result.changed):
        yield from ((subject, number, check) for number, check in enumerate(checks))


def _only(case: Case, used: Set[_Place]) -> Case:
    """The case with those checks only, where a step has any of them."""
    results = []
    for index, result in enumerate(case.observation.results):
        kept: dict[str, list[Check]] = {}
        for subject, number, check in _checks(result):
            if (index, subject, number) in used:
                kept.setdefault(subject, []).append(check)
        checks = tuple(kept.pop("", ()))
        changed = tuple((subject, tuple(items)) for subject, items in kept.items())
        is_told = bool(checks or changed or result.raised)
        results.append(
            dataclasses.replace(result, checks=checks, changed=changed) if is_told else result
        )
    observation = dataclasses.replace(case.observation, results=tuple(results))
    return dataclasses.replace(case, observation=observation)
