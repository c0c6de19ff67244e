"""Which cases to keep: every test adds a line or a branch, further rows show other outcomes."""

from __future__ import annotations

import ast
import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from hybridgen.domain import Arc, Check, Observation, StepResult, Target, TargetKind
from hybridgen.domain.mutants import Kills
from hybridgen.suite.cases import Case, is_boolean, make_case, raises
from hybridgen.suite.chains import unchained
from hybridgen.suite.homes import Homes
from hybridgen.suite.killing import noticing, without_idle, without_list
from hybridgen.suite.rows import Extras
from hybridgen.suite.shapes import (
    WEAK_KINDS,
    Shape,
    assertions,
    printed_only,
)
from hybridgen.suite.splitting import split
from hybridgen.suite.subjects import subject_of

_ASIDES = 3  # tests of one thing beyond which what was asked on the way is left out


@dataclass(frozen=True, slots=True)
class Choice:
    """What is kept, and the mutants that it notices (indices into ``Kills.mutants``).

    Attributes:
        cases: what is known of each observation, in the same order.
    """

    observations: tuple[Observation, ...]
    noticed: frozenset[int]
    cases: tuple[Case, ...] = ()


NOTHING_TRIED = Kills()
"""What is known where no mutant was tried."""


def select(
    observations: Sequence[Observation],
    *,
    covered: frozenset[Arc],
    targets: Sequence[Target],
    seed: int,
    kills: Kills = NOTHING_TRIED,
    cases_per_target: int = 5,
) -> Choice:
    """Chooses cases for a small suite.

    A greedy cover (gain in arcs for the effort of reading the case) picks the tests; a line
    is never new without an arc to it. Tests that later ones made superfluous go again. Then
    each mutant that any case notices gets one that does, best as a further row of a test that
    is there anyway. Where it is not known what cases notice, each target gets rows with
    outcomes not yet shown instead, since boundaries are where mutants live.

    Args:
        observations: confirmed observations; arcs should be those that coverage.py counts
            as possible, or an exception may look like a branch.
        covered: arcs that existing tests execute.
        targets: of the module, in source order.
        seed: breaks ties.
        kills: the mutants that each observation notices, as far as was found out.
        cases_per_target: rows and single cases of one target, at most; the cover may need more.
    """
    observations, kills = unchained(observations, kills)
    told = frozenset(name.rpartition(".")[2] for target in targets for name in target.raises)
    procedures = _procedures(observations)
    tiers: list[list[Case]] = [[], [], []]
    for case in _cases(observations, covered, seed, kills):
        tiers[_tier(case.observation, told, procedures)].append(case)
    kept: list[Case] = []
    done: set[Arc] = set()
    for tier in tiers:
        kept += _cover(tier, done)
    kept = _split(_pruned(kept), targets, seed, has_kills=bool(kills.mutants))
    parts = _last_parts(tiers[0], targets, seed)
    if kills.mutants:
        asides = (part for case in tiers[0] for part in _parts(case, targets, seed)[:-1])
        goals = Homes(kills.mutants, targets).goals
        kept += noticing(kept, [*parts, *filter(_is_worth_a_test, asides)], goals)
    kept += _untested(kept, parts, targets)
    if not (kills.mutants and kills.is_complete):
        kept += _other_answers(kept, parts, targets)
        extra = Extras(kept, parts, cases_per_target)
        for family in dict.fromkeys(case.family for case in kept if case.family):
            extra.fill(family)
        kept = [without_list(case) for case in (*kept, *extra.added)]
    else:
        kept = without_idle(kept, kills.partial)
    noticed = frozenset[int]().union(*(case.kills for case in kept))
    return Choice(tuple(case.observation for case in kept), noticed, tuple(kept))


def can_be_kept(observation: Observation) -> bool:
    """False for cases that assert nothing, or only that the code broke by accident."""
    results = observation.results
    has_assertion = any(assertions(r) or printed_only(r) or r.warnings for r in results)
    if not has_assertion or any(result.status == "skipped" for result in results):
        return False
    if any(_is_about_print(step.code) for step in observation.candidate.steps):
        return False
    raised = results[-1].raised
    return raised is None or (raised.is_deliberate and raised.is_inside)


def _tier(case: Observation, told: Set[str], procedures: Set[str]) -> int:
    """0 for good cases, 1 for doubtful ones, 2 for those that hardly assert anything.

    Args:
        case: what was observed.
        told: names of the exceptions that the module raises itself.
        procedures: targets that never return anything but None.
    """
    last = case.results[-1]
    if _is_weak(case) or (case.candidate.target in procedures and _is_none_only(last)):
        return 2
    is_accident = last.raised is not None and not last.raised.match
    is_accident &= last.raised is None or last.raised.type_name not in told
    is_documented = case.candidate.origin == "docstring"
    is_suspect = is_documented and any(r.opinion_holds is False for r in case.results)
    return 1 if is_accident or is_suspect or case.candidate.origin == "odd" else 0


def _is_weak(case: Observation) -> bool:
    """True for assertions on type or length only, and for those that can hardly fail."""
    items = [item for result in case.results for item in assertions(result)]
    checks = [item for item in items if isinstance(item, Check)]
    if checks and len(checks) == len(items) and all(c.kind in WEAK_KINDS for c in checks):
        return True
    match _node(case.candidate.steps[-1].code):
        case ast.Compare(left=left, comparators=[right]):  # hash(x) == hash(x)
            return ast.dump(left) == ast.dump(right)
    return False


def _is_about_print(code: str) -> bool:
    """True for ``print(x) == y``, a misread example."""
    match _node(code):
        case ast.Compare(left=ast.Call(func=ast.Name(id="print"))):
            return True
    return False


def _node(code: str) -> ast.expr | None:
    try:
        return ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _is_none_only(result: StepResult) -> bool:
    is_none = [check.expression for check in result.checks] == ["None"]
    is_told = result.changed or result.warnings or result.output or result.complaints
    return is_none and not is_told


def _procedures(observations: Iterable[Observation]) -> frozenset[str]:
    """Targets that were never seen to return anything but None."""
    returned: dict[str, set[str]] = {}
    for case in observations:
        found = returned.setdefault(case.candidate.target, set())
        found.update(check.expression for check in case.results[-1].checks)
    return frozenset(name for name, values in returned.items() if values <= {"None"})


def _real_arcs(observations: Iterable[Observation]) -> frozenset[Arc]:
    """All arcs but those with which only exceptions left a function."""
    ended = (case.arcs for case in observations if case.results[-1].raised is None)
    broken = (case.arcs for case in observations if case.results[-1].raised is not None)
    inside = (arc for arcs in broken for arc in arcs if arc[1] > 0)
    return frozenset[Arc]().union(*ended, inside)


def _cases(
    observations: Sequence[Observation], covered: frozenset[Arc], seed: int, kills: Kills
) -> list[Case]:
    seen: set[tuple[str, ...]] = set()
    cases: list[Case] = []
    possible = _real_arcs(observations) - covered
    for observation in observations:
        case = make_case(observation, possible, seed, kills.found.get(observation.candidate))
        if case.key not in seen and can_be_kept(case.observation):
            seen.add(case.key)
            cases.append(case)
    return sorted(cases, key=lambda case: case.tie)


def _parts(case: Case, targets: Sequence[Target], seed: int) -> list[Case]:
    """One case a question, see :func:`split`; the last one stands for the whole."""
    parts = split(case.raw, targets)
    if len(parts) == 1:
        return [case]
    return [make_case(part, case.arcs, seed, case.noticing) for part in parts]


def _last_parts(cases: Iterable[Case], targets: Sequence[Target], seed: int) -> list[Case]:
    """What each case ends with, without doubles."""
    last = (_parts(case, targets, seed)[-1] for case in cases)
    return list({case.key: case for case in last}.values())


def _split(
    kept: Sequence[Case], targets: Sequence[Target], seed: int, *, has_kills: bool
) -> list[Case]:
    """The kept cases with one question each; what was asked on the way only where it is new.

    Args:
        has_kills: it is known what cases notice, so what is asked on the way is chosen by that.
    """
    parts = [_parts(case, targets, seed) for case in kept]
    found = {group[-1].key: group[-1] for group in parts}
    shown = Counter(_question(case, targets) for case in found.values())
    outcomes = {_told(case, targets) for case in found.values()}
    for case in itertools.chain.from_iterable(group[:-1] for group in parts):
        subject, outcome = _question(case, targets), _told(case, targets)
        is_worth_it = _is_worth_a_test(case) and shown[subject] < _ASIDES and not has_kills
        if case.key not in found and outcome not in outcomes:
            if is_worth_it or not shown[subject]:
                found[case.key] = case
                shown[subject] += 1
                outcomes.add(outcome)
    return list(found.values())


def _is_worth_a_test(case: Case) -> bool:
    return not _is_weak(case.observation) and not _is_none_only(case.observation.results[-1])


def _question(case: Case, targets: Sequence[Target]) -> tuple[str, bool]:
    """What a case is about, and whether about a failure of it."""
    return subject_of(case.observation, targets), raises(case)


def _told(case: Case, targets: Sequence[Target]) -> str:
    size = len(case.shape.keywords) + case.shape.positional if case.shape is not None else 0
    return f"{subject_of(case.observation, targets)} {size} {case.outcome}"


def _cover(cases: Sequence[Case], done: set[Arc]) -> list[Case]:
    """Lazy greedy weighted set cover: gains only shrink, so a stale gain is an upper bound.

    Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978.
    """
    heap = [
        (-len(case.arcs - done) / case.effort, index)
        for index, case in enumerate(cases)
        if case.arcs - done
    ]
    heapq.heapify(heap)
    kept: list[Case] = []
    while heap:
        _, index = heapq.heappop(heap)
        gain = len(cases[index].arcs - done) / cases[index].effort
        if not gain:
            continue
        if heap and (-gain, index) > heap[0]:
            heapq.heappush(heap, (-gain, index))
            continue
        kept.append(cases[index])
        done |= cases[index].arcs
    return kept


def _pruned(kept: Sequence[Case]) -> list[Case]:
    """Drops test functions whose every arc is executed by the others, the least useful first."""
    groups: dict[Shape | int, list[Case]] = {}
    for index, case in enumerate(kept):
        groups.setdefault(case.shape or index, []).append(case)
    arcs = {key: _union(cases) for key, cases in groups.items()}
    sizes = sorted(groups, key=lambda key: (len(arcs[key]), -max(c.effort for c in groups[key])))
    for key in sizes:
        others = frozenset[Arc]().union(*(arcs[other] for other in arcs if other != key))
        if arcs[key] <= others:
            del arcs[key]
    return [case for index, case in enumerate(kept) if (case.shape or index) in arcs]


def _union(cases: Iterable[Case]) -> frozenset[Arc]:
    return frozenset[Arc]().union(*(case.arcs for case in cases))


def _untested(kept: Sequence[Case], parts: Sequence[Case], targets: Sequence[Target]) -> list[Case]:
    """A case for each function and method of which none is kept, or only failures: the easiest."""
    tested = {_question(case, targets) for case in kept}
    found: dict[str, Case] = {}
    for case in sorted(parts, key=lambda case: (raises(case), case.effort, case.tie)):
        subject = subject_of(case.observation, targets)
        is_missing = not {(subject, False), (subject, raises(case))} & tested
        if is_missing and _is_worth_a_test(case):
            found.setdefault(subject, case)
    functions = (t.qualname for t in targets if t.kind is not TargetKind.CLASS)
    return [found[name] for name in functions if name in found]


def _other_answers(
    kept: Sequence[Case], parts: Sequence[Case], targets: Sequence[Target]
) -> list[Case]:
    """For each operator that was seen to say only yes or only no: a case of the other answer."""
    shown: dict[str, set[str]] = {}
    for case in kept:
        if is_boolean(case) and case.shape is None:
            subject = subject_of(case.observation, targets)
            shown.setdefault(subject, set()).add(case.outcome)
    found: list[Case] = []
    for case in sorted(parts, key=lambda case: case.tie):
        subject = subject_of(case.observation, targets)
        is_plain = case.shape is None and not _is_weak(case.observation)
        is_missing = len(shown.get(subject, ())) == 1 and case.outcome not in shown[subject]
        if is_plain and is_boolean(case) and is_missing:
            shown[subject].add(case.outcome)
            found.append(case)
    return found
