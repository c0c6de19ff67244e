"""Which cases to keep: every test adds a line or a branch, further rows show other outcomes."""

from __future__ import annotations

import ast
import hashlib
import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from hybridgen.domain import Arc, Check, CheckKind, Observation, StepResult, Target
from hybridgen.suite.edges import are_neighbours, inputs
from hybridgen.suite.shapes import (
    WEAK_KINDS,
    Shape,
    assertions,
    outcome_text,
    printed_only,
    shape_of,
)
from hybridgen.suite.splitting import split
from hybridgen.suite.subjects import subject_of
from hybridgen.suite.tidying import tidy

_PREFERRED = frozenset({"docstring", "model"})  # written to be read
_LONG = 60  # characters of code that a reader takes in at a glance
_ROWS_PER_OUTCOME = 2  # of True and False
_MOST_EFFORT = 1.9  # of a row that no line of code needs
_MOST_EFFORT_OF_ERROR = 3.0  # it often takes some steps to come to one
_PINS = 2  # further rows that pin a boundary down
_ASIDES = 3  # tests of one thing beyond which what was asked on the way is left out
_Key = tuple[str, ...]
_EFFORT_OF_ORIGIN = {"docstring": 0.0, "model": 0.0, "odd": 1.0}


@dataclass(frozen=True, slots=True)
class _Case:
    """An observation, as it was made and tidied, with what selection needs to know about it."""

    raw: Observation
    observation: Observation
    arcs: frozenset[Arc]
    effort: float
    tie: tuple[int, int, int, str]
    shape: Shape | None
    outcome: str

    @property
    def key(self) -> tuple[str, ...]:
        """The code of all its steps."""
        return tuple(step.code for step in self.observation.candidate.steps)

    @property
    def family(self) -> tuple[object, ...]:
        """What the rows of one function have in common, whether they return or raise."""
        return () if self.shape is None else (self.shape.wrappers, self.shape.function)


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
    told = frozenset(name.rpartition(".")[2] for target in targets for name in target.raises)
    procedures = _procedures(observations)
    cases = _cases(observations, covered, seed)
    tiers: list[list[_Case]] = [[], [], []]
    for case in cases:
        tiers[_tier(case.observation, told, procedures)].append(case)
    kept: list[_Case] = []
    done: set[Arc] = set()
    for tier in tiers:
        kept += _cover(tier, done)
    kept = _split(_pruned(kept), targets, seed)
    parts = _last_parts(tiers[0], targets, seed)
    kept += _other_answers(kept, parts, targets)
    extra = _Extras(kept, parts, cases_per_target)
    shapes = dict.fromkeys(case.family for case in kept if case.family)
    for family in shapes:
        extra.fill(family)
    return tuple(case.observation for case in (*kept, *extra.added))


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
    return is_none and not (result.changed or result.warnings or result.output)


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


def _cases(observations: Sequence[Observation], covered: frozenset[Arc], seed: int) -> list[_Case]:
    seen: set[tuple[str, ...]] = set()
    cases: list[_Case] = []
    possible = _real_arcs(observations) - covered
    for observation in observations:
        case = _case(observation, possible, seed)
        if case.key not in seen and can_be_kept(case.observation):
            seen.add(case.key)
            cases.append(case)
    return sorted(cases, key=lambda case: case.tie)


def _case(observation: Observation, possible: frozenset[Arc], seed: int) -> _Case:
    tidied = tidy(observation)
    return _Case(
        observation,
        tidied,
        tidied.arcs & possible,
        _effort(tidied),
        _tie(tidied, seed),
        shape_of(tidied),
        outcome_text(tidied),
    )


def _parts(case: _Case, targets: Sequence[Target], seed: int) -> list[_Case]:
    """One case a question, see :func:`split`; the last one stands for the whole."""
    parts = split(case.raw, targets)
    return [case] if len(parts) == 1 else [_case(part, case.arcs, seed) for part in parts]


def _last_parts(cases: Iterable[_Case], targets: Sequence[Target], seed: int) -> list[_Case]:
    """What each case ends with, without doubles."""
    last = (_parts(case, targets, seed)[-1] for case in cases)
    return list({case.key: case for case in last}.values())


def _split(kept: Sequence[_Case], targets: Sequence[Target], seed: int) -> list[_Case]:
    """The kept cases with one question each; what was asked on the way only where it is new."""
    parts = [_parts(case, targets, seed) for case in kept]
    found = {group[-1].key: group[-1] for group in parts}
    shown = Counter(_question(case, targets) for case in found.values())
    outcomes = {_told(case, targets) for case in found.values()}
    for case in itertools.chain.from_iterable(group[:-1] for group in parts):
        subject, outcome = _question(case, targets), _told(case, targets)
        is_weak = _is_weak(case.observation) or _is_none_only(case.observation.results[-1])
        is_worth_it = not is_weak and shown[subject] < _ASIDES
        if case.key not in found and outcome not in outcomes:
            if is_worth_it or not shown[subject]:
                found[case.key] = case
                shown[subject] += 1
                outcomes.add(outcome)
    return list(found.values())


def _question(case: _Case, targets: Sequence[Target]) -> tuple[str, bool]:
    """What a case is about, and whether about a failure of it."""
    return subject_of(case.observation, targets), _raises(case)


def _told(case: _Case, targets: Sequence[Target]) -> str:
    size = len(case.shape.keywords) + case.shape.positional if case.shape is not None else 0
    return f"{subject_of(case.observation, targets)} {size} {case.outcome}"


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
        + _EFFORT_OF_ORIGIN.get(observation.candidate.origin, 0.2)
        + 0.25 * (len(steps) - 1)
        + 0.1 * max(0, len(expected) - 1)
        + max(0, length - _LONG) / 80
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


def _other_answers(
    kept: Sequence[_Case], parts: Sequence[_Case], targets: Sequence[Target]
) -> list[_Case]:
    """For each operator that was seen to say only yes or only no: a case of the other answer."""
    shown: dict[str, set[str]] = {}
    for case in kept:
        if _is_boolean(case) and case.shape is None:
            subject = subject_of(case.observation, targets)
            shown.setdefault(subject, set()).add(case.outcome)
    found: list[_Case] = []
    for case in sorted(parts, key=lambda case: case.tie):
        subject = subject_of(case.observation, targets)
        is_plain = case.shape is None and not _is_weak(case.observation)
        is_missing = len(shown.get(subject, ())) == 1 and case.outcome not in shown[subject]
        if is_plain and _is_boolean(case) and is_missing:
            shown[subject].add(case.outcome)
            found.append(case)
    return found


class _Extras:
    """Adds rows to tests that are kept anyway."""

    def __init__(self, kept: Sequence[_Case], cases: Sequence[_Case], limit: int) -> None:
        self.kept = kept
        self.cases = cases
        self.limit = limit
        self.added: list[_Case] = []

    def fill(self, family: tuple[object, ...]) -> None:
        """Adds rows for one function: new outcomes and boundaries, then different inputs."""
        own = [case for case in self.kept if case.family == family]
        shapes = {case.shape for case in own}
        keys = {case.key for case in own}
        near = [case for case in self.cases if case.family == family and case.key not in keys]
        table = _Table(own, _boundaries([*own, *near]))
        free = [
            case
            for case in near
            if (case.effort <= _MOST_EFFORT and case.shape in shapes)
            or (case.effort <= _MOST_EFFORT_OF_ERROR and _is_error(case))
        ]
        while free:
            best = min(free, key=table.rank)
            room = self.limit + (_PINS if table.is_pinning(best) else 0)
            if not table.is_useful(best) or len(table.keys) >= room:
                return
            free.remove(best)
            table.add(best)
            self.added.append(best)


class _Table:
    """What the cases of one function show so far."""

    def __init__(self, cases: Sequence[_Case], pairs: Mapping[_Key, Set[_Key]]) -> None:
        self.pairs = pairs
        self.keys: set[_Key] = set()
        self.pinned: set[_Key] = set()
        self.features: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        for case in cases:
            self.add(case)

    def add(self, case: _Case) -> None:
        """Takes a case in."""
        if self.is_pinning(case):
            self.pinned |= {case.key, *(self.pairs[case.key] & self.keys)}
        self.keys.add(case.key)
        self.outcomes[case.outcome] += 1
        self.features |= _features(case)

    def is_pinning(self, case: _Case) -> bool:
        """True if a neighbour that ends otherwise is there, and has no such neighbour yet."""
        return bool((self.pairs.get(case.key, set()) & self.keys) - self.pinned)

    def is_useful(self, case: _Case) -> bool:
        """True if the case is worth its line."""
        return any((not self.outcomes[case.outcome], *self._merits(case)))

    def rank(self, case: _Case) -> tuple[object, ...]:
        """Sorts the best case first."""
        is_pinning, is_missing, new = self._merits(case)
        is_known = self.outcomes[case.outcome] > 0
        return is_known and not is_pinning, not is_pinning, not is_missing, -new, case.tie

    def _merits(self, case: _Case) -> tuple[bool, bool, int]:
        is_missing = _is_boolean(case) and self.outcomes[case.outcome] < _ROWS_PER_OUTCOME
        new = 0 if _raises(case) else len(_features(case) - self.features)
        return self.is_pinning(case), is_missing, new


def _boundaries(cases: Sequence[_Case]) -> dict[_Key, set[_Key]]:
    """Cases next to each other that go other ways to other ends, by their keys."""
    pairs: dict[_Key, set[_Key]] = {}
    for one, other in itertools.combinations(cases, 2):
        is_other_way = one.arcs != other.arcs and one.outcome != other.outcome
        if is_other_way and are_neighbours(one.observation, other.observation):
            pairs.setdefault(one.key, set()).add(other.key)
            pairs.setdefault(other.key, set()).add(one.key)
    return pairs


def _is_error(case: _Case) -> bool:
    """True for an exception with a message of the project's own: it may open a new test."""
    raised = case.observation.results[-1].raised
    return raised is not None and bool(raised.match)


def _raises(case: _Case) -> bool:
    return case.observation.results[-1].raised is not None


def _is_boolean(case: _Case) -> bool:
    checks = case.observation.results[-1].checks
    return any(c.kind is CheckKind.IS and c.expression in ("True", "False") for c in checks)


def _features(case: _Case) -> set[str]:
    """What is particular about a case: its way through the code, its outcome, its inputs."""
    found = {f"arcs {hash(case.observation.arcs)}", f"outcome {case.outcome}"}
    for index, text in enumerate(inputs(case.observation)):
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
