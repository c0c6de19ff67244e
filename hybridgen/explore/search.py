"""Coverage-guided search for inputs, without a model.

Each round picks a target, makes a fresh genome or varies one that reached new code before, runs it
in the worker and keeps what shows something new: the loop of a grey-box fuzzer (AFL), with typed
literals in place of bytes, as in Pynguin's dynamic seeding.
"""

from __future__ import annotations

import ast
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from hybridgen.domain import Arc, Candidate, Module, Observation, Target, TargetKind
from hybridgen.explore.archive import SEARCHED, Archive
from hybridgen.explore.calls import CallMaker, Genome
from hybridgen.explore.operators import called_name
from hybridgen.explore.shrink import shrink
from hybridgen.observe.runner import Dropped, Runner
from hybridgen.observe.trim import trim

FIRST_ROUNDS = 12
"""Fresh genomes for each target before the search follows what it learned."""

PLATEAU = 900
"""Runs without anything new after which the search ends."""

MOST_TIMEOUTS = 3
"""After so many hangs or deaths a target is left alone: each costs a new process."""


@dataclass
class SearchReport:
    """What a search did; ``seconds`` are those of its runs in the worker."""

    runs: int = 0
    seconds: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def seconds_per_run(self) -> float:
        """Mean time of a run: high where calls change the module's state, so workers change."""
        return self.seconds / self.runs if self.runs else 0.0


def without_private_access(candidate: Candidate) -> Candidate:
    """``candidate`` without the steps that look behind the public side of an object.

    A test that reads ``cart._lines`` breaks with every change inside the class.
    """
    steps = tuple(step for step in candidate.steps if not _is_private_access(step.code))
    return replace(candidate, steps=steps)


def _is_private_access(code: str) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not (node.attr.startswith("__") and node.attr.endswith("__"))
        for node in ast.walk(ast.parse(code))
    )


class Search:
    """The search over one module; keeps its knowledge between rounds.

    Args:
        targets: what may be called, private definitions left out.
        archive: where finds go.
        seed: the same seed gives the same genomes.
    """

    def __init__(
        self,
        module: Module,
        targets: Sequence[Target],
        runner: Runner,
        archive: Archive,
        *,
        seed: int,
    ) -> None:
        self._runner = runner
        self._archive = archive
        self._targets = [t for t in targets if not (t.kind is TargetKind.METHOD and t.is_private)]
        self._chooser = random.Random(seed)
        self._maker = CallMaker(module, self._chooser)
        self._corpus: list[tuple[Target, Genome]] = []
        self._reached: set[Arc] = set(archive.arcs)
        self._trouble: Counter[str] = Counter()
        self.report = SearchReport()

    def take(self, candidates: Iterable[Candidate], deadline: float) -> int:
        """Runs given candidates (examples, a model's) and learns from their arguments.

        Returns:
            How many of them showed something new.
        """
        found = 0
        for candidate in candidates:
            if time.monotonic() > deadline:
                break
            public = without_private_access(candidate)
            if public.steps:
                found += self._run(public)
            self._learn_from(candidate)
        return found

    def run(
        self,
        until: Callable[[], float],
        focus: Callable[[], frozenset[str]],
        *,
        plateau: int = PLATEAU,
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        """Searches until nothing new comes, or time is up.

        Args:
            until: the end on the clock of ``time.monotonic``; asked now and then, since what
                was found has to be confirmed in the time that is left.
            focus: names of targets with code that is not reached yet; asked now and then.
            plateau: runs without anything new that end it.
            on_turn: called now and then, so that somebody can show that it goes on.
        """
        queue = [] if self._corpus else [t for _ in range(FIRST_ROUNDS) for t in self._targets]
        idle, wanted, turn, deadline = 0, focus(), 0, until()
        while self._targets and time.monotonic() < deadline:
            turn += 1
            if turn % 20 == 0:
                deadline = until()
                on_turn()
            if turn % 100 == 0:
                wanted = focus()
            if queue:
                target = queue.pop()
                genome = self._maker.genome(target)
            elif idle >= plateau or not self._usable():
                break
            else:
                target, genome = self._pick(wanted)
            if self._trouble[target.qualname] >= MOST_TIMEOUTS:
                continue
            idle = 0 if self._try(target, genome) else idle + (not queue)

    def simplify(self, deadline: float) -> None:
        """Makes what the search itself found easier to read."""
        for observation in self._archive.observations:
            if time.monotonic() > deadline:
                return
            if observation.candidate.origin in SEARCHED:
                self._archive.exchange(observation, shrink(observation, self._execute))

    def _usable(self) -> bool:
        return any(self._trouble[target.qualname] < MOST_TIMEOUTS for target in self._targets)

    def _pick(self, wanted: frozenset[str]) -> tuple[Target, Genome]:
        choose = self._chooser
        if self._corpus and choose.random() < 0.6:
            favoured = [entry for entry in self._corpus if entry[0].qualname in wanted]
            entries = favoured if favoured and choose.random() < 0.8 else self._corpus
            target, genome = choose.choice(entries)
            for _ in range(choose.choice((1, 1, 2, 3))):
                genome = self._maker.vary(genome)
            return target, genome
        open_targets = [target for target in self._targets if target.qualname in wanted]
        target = choose.choice(
            open_targets if open_targets and choose.random() < 0.8 else self._targets
        )
        return target, self._maker.genome(target)

    def _try(self, target: Target, genome: Genome) -> bool:
        candidate = self._maker.candidate(genome, target)
        if candidate is None:
            return False
        before = len(self._reached)
        is_new = self._run(candidate)
        if is_new or len(self._reached) > before:
            self._corpus.append((target, genome))
            self._learn(genome)
            return True
        return False

    def _run(self, candidate: Candidate) -> bool:
        """Runs a candidate, and again what is left of it after trimming; True if new."""
        result = self._execute(candidate)
        if result is None:
            return False
        is_new = False
        for part in trim(result):
            trimmed = self._retargeted(part)
            observation = replace(result, candidate=trimmed)
            if trimmed.steps != result.candidate.steps:
                again = self._execute(trimmed)
                if again is None:
                    continue
                observation = again
            is_new |= self._archive.consider(observation)
        return is_new

    def _retargeted(self, candidate: Candidate) -> Candidate:
        """Names as target what is called last: that is what a reader takes a test for."""
        for step in reversed(candidate.steps):
            for node in ast.walk(ast.parse(step.code)):
                name = called_name(node)
                target = self._maker.by_short_name(name, candidate.target) if name else None
                if target is not None:
                    return replace(candidate, target=target.qualname)
        return candidate

    def _execute(self, candidate: Candidate) -> Observation | None:
        started = time.monotonic()
        result = self._runner.run(candidate)
        self.report.runs += 1
        self.report.seconds += time.monotonic() - started
        if isinstance(result, Dropped):
            self.report.dropped[result.reason] += 1
            if result.reason in ("timeout", "died", "output"):
                self._trouble[candidate.target] += 1
            return None
        self._reached |= result.arcs
        return result

    def _learn(self, genome: Genome) -> None:
        for call in (*([genome.build] if genome.build else ()), *genome.calls):
            target = self._maker.target(call.target)
            for parameter, (keyword, text) in zip(target.parameters, call.arguments, strict=False):
                self._maker.learn(call.target, keyword or parameter.name, text)

    def _learn_from(self, candidate: Candidate) -> None:
        """Makes the literal arguments of calls in ``candidate`` seeds for mutation."""
        for step in candidate.steps:
            for node in ast.walk(ast.parse(step.code)):
                if isinstance(node, ast.Call):
                    self._learn_call(candidate, node)

    def _learn_call(self, candidate: Candidate, node: ast.Call) -> None:
        name = ast.unparse(node.func).rpartition(".")[2]
        target = self._maker.by_short_name(name, candidate.target)
        if target is None:
            return
        texts = [ast.unparse(argument) for argument in node.args]
        for parameter, text in zip(target.parameters, texts, strict=False):
            self._maker.learn(target.qualname, parameter.name, text)
        for keyword in node.keywords:
            if keyword.arg:
                self._maker.learn(target.qualname, keyword.arg, ast.unparse(keyword.value))
        has_names = any(isinstance(n, ast.Name) for a in node.args for n in ast.walk(a))
        if target.kind is TargetKind.FUNCTION and not has_names and not node.keywords:
            call = self._maker.plain_call(target, texts)
            self._corpus.append((target, Genome(None, (call,))))
