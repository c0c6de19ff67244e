"""Which cases to keep: every test adds a line or a branch, further rows show other outcomes."""

from __future__ import annotations

import ast
import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybridgen.domain import Arc, Check, CheckKind, Observation, Target
from hybridgen.suite.shapes import (
    WEAK_KINDS,
    Shape,
    assertions,
    call_in,
    outcome_text,
    printed_only,
    shape_of,
)
from hybridgen.suite.tidying import tidy

_PREFERRED = frozenset({"docstring", "model"})  # written to be read
_LONG = 60  # characters of code that a reader takes in at a glance
_ROWS_PER_OUTCOME = 2


@dataclass(frozen=True, slots=True)
class _Case:
    """An observation with what selection needs to know about it."""

    observation: Observation
    arcs: frozenset[Arc]
    effort: float
    tie: tuple[int, int, int, str]
    shape: Shape | None
    outcome: str


def choose(
    observations: Sequence[Observation],
    *,
    covered: frozenset[Arc],
    targets: Sequence[Target],
    seed: int,
    cases_per_target: int = 6,
) -> tuple[Observation, ...]:
    """Chooses cases for a small suite.

    A greedy cover (gain in arcs for the effort of reading the case) picks the tests; a line
    is never new without an arc to it. Tests that later ones made superfluous go again. Then
    each target gets rows with outcomes not yet shown, because a suite is judged by the
    mutants that it kills.

    Args:
        observations: confirmed observations; arcs should be those that coverage.py counts
            as possible, or an exception may look like a branch.
        covered: arcs that existing tests execute.
        targets: of the module, in source order.
        seed: breaks ties.
        cases_per_target: rows and single cases of one target, at most; the cover may need more.
    """
    cases = _cases(observations, covered, seed)
    tiers: list[list[_Case]] = [[], [], []]
    for case in cases:
        tiers[_tier(case.observation)].append(case)
    kept: list[_Case] = []
    done: set[Arc] = set()
    for tier in tiers:
        kept += _cover(tier, done)
    kept = _pruned(kept)
    extra = _Extras(kept, tiers[0], cases_per_target)
    order = {target.qualname: index for index, target in enumerate(targets)}
    names = dict.fromkeys(case.observation.candidate.target for case in kept)
    for name in sorted(names, key=lambda name: order.get(name, len(order))):
        extra.fill(name)
    return tuple(case.observation for case in (*kept, *extra.added))


def can_be_kept(observation: Observation) -> bool:
    """False for cases that assert nothing, or only that the code broke by accident."""
    results = observation.results
    has_assertion = any(assertions(r) or printed_only(r) or r.warnings for r in results)
    if not has_assertion or any(result.status == "skipped" for result in results):
        return False
    values = any(r.checks or r.changed or r.warnings or printed_only(r) for r in results)
    raised = results[-1].raised
    return values or (raised is not None and raised.is_deliberate and raised.is_inside)


def _tier(observation: Observation) -> int:
    """0 for good cases, 1 for doubtful ones, 2 for assertions on type or length only."""
    items = [item for result in observation.results for item in assertions(result)]
    checks = [item for item in items if isinstance(item, Check)]
    is_weak = bool(checks) and len(checks) == len(items)
    if is_weak and all(check.kind in WEAK_KINDS for check in checks):
        return 2
    raised = observation.results[-1].raised
    is_accident = raised is not None and not (raised.is_deliberate and raised.is_inside)
    is_documented = observation.candidate.origin == "docstring"
    is_suspect = is_documented and any(r.opinion_holds is False for r in observation.results)
    return 1 if is_accident or is_suspect else 0


def _cases(observations: Sequence[Observation], covered: frozenset[Arc], seed: int) -> list[_Case]:
    seen: set[tuple[str, ...]] = set()
    cases: list[_Case] = []
    for observation in map(tidy, observations):
        key = tuple(step.code for step in observation.candidate.steps)
        if key in seen or not can_be_kept(observation):
            continue
        seen.add(key)
        cases.append(
            _Case(
                observation,
                observation.arcs - covered,
                _effort(observation),
                _tie(observation, seed),
                shape_of(observation),
                outcome_text(observation),
            )
        )
    return sorted(cases, key=lambda case: case.tie)


def _effort(observation: Observation) -> float:
    """How much there is to read, 1 for a short call with one simple expectation."""
    steps = observation.candidate.steps
    length = sum(len(step.code) for step in steps)
    expected = [
        item.expression
        for result in observation.results
        for item in assertions(result)
        if isinstance(item, Check)
    ]
    length += sum(map(len, expected))
    odd = sum(not char.isprintable() or ord(char) > 126 for step in steps for char in step.code)
    return (
        1.0
        + 0.25 * (len(steps) - 1)
        + 0.1 * max(0, len(expected) - 1)
        + max(0, length - _LONG) / 120
        + odd / 10
    )


def _tie(observation: Observation, seed: int) -> tuple[int, int, int, str]:
    candidate = observation.candidate
    disagrees = any(result.opinion_holds is False for result in observation.results)
    code = "\n".join(step.code for step in candidate.steps)
    digest = hashlib.sha256(f"{seed}:{code}".encode("utf-8", "surrogatepass")).hexdigest()
    return int(candidate.origin not in _PREFERRED), int(disagrees), len(code), digest


def _cover(cases: Sequence[_Case], done: set[Arc]) -> list[_Case]:
    """Lazy greedy weighted set cover: gains only shrink, so a stale gain is an upper bound.

    Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978.
    """
    heap = [
        (-len(case.arcs - done) / case.effort, index)
        for index, case in enumerate(cases)
        if case.arcs - done
    ]
    heapq.heapify(heap)
    kept: list[_Case] = []
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


def _pruned(kept: Sequence[_Case]) -> list[_Case]:
    """Drops test functions whose every arc is executed by the others, the least useful first."""
    groups: dict[Shape | int, list[_Case]] = {}
    for index, case in enumerate(kept):
        groups.setdefault(case.shape or index, []).append(case)
    arcs = {key: _union(cases) for key, cases in groups.items()}
    sizes = sorted(groups, key=lambda key: (len(arcs[key]), -max(c.effort for c in groups[key])))
    for key in sizes:
        others = frozenset[Arc]().union(*(arcs[other] for other in arcs if other != key))
        if arcs[key] <= others:
            del arcs[key]
    return [case for index, case in enumerate(kept) if (case.shape or index) in arcs]


def _union(cases: Iterable[_Case]) -> frozenset[Arc]:
    return frozenset[Arc]().union(*(case.arcs for case in cases))


class _Extras:
    """Adds rows to tests that are kept anyway."""

    def __init__(self, kept: Sequence[_Case], cases: Sequence[_Case], limit: int) -> None:
        self.kept = kept
        self.cases = cases
        self.limit = limit
        self.added: list[_Case] = []

    def fill(self, target: str) -> None:
        """Adds rows for one target: new outcomes first, then different ways and inputs."""
        own = [case for case in self.kept if case.observation.candidate.target == target]
        shapes = {case.shape for case in own if case.shape is not None}
        keys = {_key(case) for case in own}
        free = [case for case in self.cases if case.shape in shapes and _key(case) not in keys]
        count = {case.outcome: 0 for case in (*own, *free)}
        features: set[str] = set()
        for case in own:
            count[case.outcome] += 1
            features |= _features(case)
        total = len(own)
        while free and total < self.limit:
            best = min(free, key=lambda case: self._rank(case, count, features))
            if count[best.outcome] and not self._is_useful(best, count, features):
                break
            free.remove(best)
            self.added.append(best)
            count[best.outcome] += 1
            features |= _features(best)
            total += 1

    @staticmethod
    def _rank(
        case: _Case, count: dict[str, int], features: set[str]
    ) -> tuple[bool, bool, int, float, tuple[int, int, int, str]]:
        needs_more = _is_boolean(case) and count[case.outcome] < _ROWS_PER_OUTCOME
        new = len(_features(case) - features)
        return count[case.outcome] > 0, not needs_more, -new, case.effort, case.tie

    @staticmethod
    def _is_useful(case: _Case, count: dict[str, int], features: set[str]) -> bool:
        """True for a further row with a known outcome that is worth its line."""
        if _is_boolean(case) and count[case.outcome] < _ROWS_PER_OUTCOME:
            return True
        return bool(_features(case) - features)


def _key(case: _Case) -> tuple[str, ...]:
    return tuple(step.code for step in case.observation.candidate.steps)


def _is_boolean(case: _Case) -> bool:
    checks = case.observation.results[-1].checks
    return any(c.kind is CheckKind.IS and c.expression in ("True", "False") for c in checks)


def _features(case: _Case) -> set[str]:
    """What is particular about a case: its way through the code, its outcome, its inputs."""
    found = {f"arcs {hash(case.observation.arcs)}", f"outcome {case.outcome}"}
    call = call_in(case.observation.candidate.steps[-1].code)
    for index, text in enumerate(call.arguments if call is not None else ()):
        found.add(f"{index} {_sketch(text)}")
    return found


def _sketch(text: str) -> str:
    """A literal in outline: its type, sign, size, and the kinds of its characters."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return "expression"
    kind = type(value).__name__
    if isinstance(value, bool) or value is None:
        return f"{kind} {value}"
    if isinstance(value, int | float):
        sign = (value > 0) - (value < 0)
        size = len(str(abs(int(value)))) if abs(value) < 1e18 else 19
        return f"{kind} {sign} {size}"
    if isinstance(value, str):
        tests = (str.isalpha, str.isdigit, str.isspace, str.isupper)
        kinds = "".join(str(int(any(test(char) for char in value))) for test in tests)
        return f"{kind} {min(len(value), 8)} {kinds}"
    if isinstance(value, bytes | list | tuple | dict | set):
        return f"{kind} {min(len(value), 4)}"
    return kind
