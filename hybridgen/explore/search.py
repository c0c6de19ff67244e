"""Coverage-guided search for inputs, without a model.

Each round picks a target, makes a fresh genome or varies one that reached new code before, runs it
in the worker and keeps what shows something new: the loop of a grey-box fuzzer (AFL), with typed
literals in place of bytes, as in Pynguin's dynamic seeding.
"""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hybridgen.domain import Arc, Candidate, Module, Observation, Target, TargetKind
from hybridgen.explore.archive import SEARCHED, Archive, weight
from hybridgen.explore.around.circumstances import Circumstances
from hybridgen.explore.execution import Execution
from hybridgen.explore.focus import Focus
from hybridgen.explore.genomes.calls import CallMaker, Genome
from hybridgen.explore.genomes.operators import called_name
from hybridgen.explore.genomes.variants import Variants
from hybridgen.explore.leads import Leads
from hybridgen.explore.operands.demands import Demands
from hybridgen.explore.operands.hints import Hints, SeesOperands, Site
from hybridgen.explore.schedule import FAVOUR_OPEN, Attention, Corpus, Entry
from hybridgen.explore.shrink import plain_constructions, shrink
from hybridgen.observe.runner import Runner
from hybridgen.observe.trim import trim

FIRST_ROUNDS = 12
"""Fresh genomes for each target before the search follows what it learned."""

PLATEAU = 900
"""Runs without anything new after which the search ends."""

OPEN_PLATEAU = 6
"""How many times as long it is while code is open that nothing reaches."""

PLATEAU_SHARE = 0.4
"""The search goes on for so much of what it took to the last find: where finds come late, more
come later."""

HINT_SHARE = 0.8
"""How often a suggestion of operands is followed while there are some."""

FIRST_HINT_SHARE = 0.5
"""The same while some targets were hardly called at all."""

DEMAND_SHARE = 0.5
"""How often something is tried that the source of an open condition asks for, while there is."""

LOOK_EVERY = 25
"""Runs without anything new after which operands of another run are asked for."""

VARY_SHARE = 0.75
"""How often a find is varied; else a fresh genome is made."""

LOOK_AGAIN_SHARE = 0.1
"""How often what was made because of operands is watched though it reached nothing new: it may have
passed one of several conditions. More often where a branch is open."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A genome to run.

    Attributes:
        operator: how it was made from ``parent``.
        site: the comparison that suggested it.
    """

    target: Target
    genome: Genome
    operator: str = ""
    parent: Entry | None = None
    site: Site | None = None


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
        watcher: tells what code compared while a candidate ran; without one the search has to
            guess more.

    Attributes:
        focus: what is still open of the targets, private methods included.
        report: what was done.
        leads: what was seen besides, that can become no test.
    """

    def __init__(
        self,
        module: Module,
        targets: Sequence[Target],
        runner: Runner,
        archive: Archive,
        *,
        seed: int,
        watcher: SeesOperands | None = None,
    ) -> None:
        self._archive = archive
        self._targets = [t for t in targets if not (t.kind is TargetKind.METHOD and t.is_private)]
        self._chooser = random.Random(seed)
        self._maker = CallMaker(module, self._chooser)
        self._circumstances = Circumstances(module, runner.import_name.name, self._chooser)
        self._attention = Attention(self._chooser)
        self._corpus = Corpus(self._chooser, self._attention)
        self._variants = Variants(
            self._maker,
            {target.qualname: target for target in module.targets},
            module.docstring,
            self._chooser,
        )
        write = self._maker.candidate
        self._hints = Hints(watcher, self._chooser, seed, write) if watcher is not None else None
        self._demands = Demands(module, self._targets, self._maker, self._chooser)
        self._arcs: frozenset[Arc] = frozenset()
        self._unwatched: list[Trial] = []
        self.focus = Focus(module, targets, archive)
        self._open_lines: frozenset[int] = frozenset()
        self._open_branches: frozenset[Arc] = frozenset()
        self._open: dict[str, int] = {}
        self._execution = Execution(runner, archive.arcs)
        self.report = self._execution.report
        self.leads = Leads()

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

    def suggest(
        self, target: Target, parameter: str, values: Iterable[str], deadline: float
    ) -> int:
        """Calls ``target`` with given values of a parameter; they are seeds for mutation.

        Returns:
            How many of them showed something new.
        """
        found = 0
        for value in values:
            self._maker.learn(target.qualname, parameter, value)
            if time.monotonic() > deadline or target not in self._targets:
                continue
            fresh = self._variants.fresh(target)
            genome = self._maker.with_argument(fresh, target, parameter, value)
            if self._try(Trial(target, genome)):
                found += 1
            else:
                self._add(target, genome)
        return found

    def run(
        self,
        until: Callable[[], float],
        *,
        plateau: int = PLATEAU,
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        """Searches until nothing new comes, or time is up.

        Args:
            until: the end on the clock of ``time.monotonic``; asked now and then, since what
                was found has to be confirmed in the time that is left.
            plateau: runs without anything new that end it where all code is reached and finds
                did not come late.
            on_turn: called now and then, so that somebody can show that it goes on.
        """
        queue = [] if len(self._corpus) else [t for _ in range(FIRST_ROUNDS) for t in self._targets]
        if queue:
            self.take(self._circumstances.scripts(), until())
        idle, turn, found_at, deadline = 0, 0, 0, until()
        self._look_what_is_open()
        while self._targets and time.monotonic() < deadline:
            turn += 1
            if turn % 20 == 0:
                deadline = until()
                on_turn()
            if turn % 100 == 0:
                self._look_what_is_open()
            trial = self._demanded()
            if trial is None:
                trial = self._hint(idle, FIRST_HINT_SHARE if queue else HINT_SHARE)
            if trial is None and queue:
                target = queue.pop()
                trial = Trial(target, self._variants.fresh(target))
            elif trial is None:
                patience = plateau * (OPEN_PLATEAU if self._open else 1)
                if idle >= max(patience, found_at * PLATEAU_SHARE) or not self._usable():
                    break
                trial = self._pick()
            if not self._execution.is_usable(trial.target.qualname):
                idle += not queue
                continue
            if self._try(trial):
                idle, found_at = 0, turn
            else:
                idle += not queue

    def _look_what_is_open(self) -> None:
        self._open_lines = self.focus.branch_lines()
        self._open = self.focus.counts()
        self._open_branches = self.focus.branches()
        self._demands.look(self._open_branches, self._corpus.entries())

    def _demanded(self) -> Trial | None:
        """What the source of an open condition asks for, now and then."""
        if self._chooser.random() > DEMAND_SHARE:
            return None
        found = self._demands.take(self._open_branches)
        return None if found is None else Trial(*found)

    def _hint(self, idle: int, share: float) -> Trial | None:
        """What operands of an earlier run suggest, mostly."""
        hints = self._hints
        if hints is None:
            return None
        if self._unwatched or idle % LOOK_EVERY == LOOK_EVERY - 1:
            self._look(hints, self._unwatched.pop() if self._unwatched else self._pick())
        if self._chooser.random() > share:
            return None
        hint = hints.take(self._open_lines)
        return None if hint is None else Trial(hint.target, hint.genome, site=hint.site)

    def _look(self, hints: Hints, trial: Trial) -> None:
        """Watches what code compares in a trial, and queues what that suggests."""
        candidate = self._maker.candidate(trial.genome, trial.target)
        if candidate is not None:
            seen = hints.look(
                trial.target,
                trial.genome,
                candidate,
                self._open_lines,
                is_queued=trial.site is None,
            )
            self._variants.learn(trial.genome, seen)
            if hints.note_sites(seen) and trial.site is not None:
                self._add(trial.target, trial.genome)  # now what it suggests is of interest
            if self._archive.has_room_for_boundary(candidate.target):
                self._keep_boundary(candidate, hints.note_boundaries(seen))

    def simplify(self, deadline: float, is_over: Callable[[], bool] = lambda: False) -> None:
        """Makes what the search itself found easier to read, what is hardest to read first."""
        finds = sorted(self._archive.finds, key=lambda find: -weight(find[0].candidate))
        plain = plain_constructions(observation.candidate for observation, _ in finds)
        self._execution.forgive()

        def look(candidate: Candidate) -> Observation | None:
            is_late = time.monotonic() > deadline or is_over()
            if is_late or not self._execution.is_usable(candidate.target):
                return None
            return self._execution.glance(candidate)

        for observation, needed in finds:
            if time.monotonic() > deadline or is_over():
                return
            if observation.candidate.origin in SEARCHED:
                taken = self._archive.outcomes(but=observation)
                simpler = shrink(observation, look, needed, taken, plain)
                again = self._execution.run(simpler.candidate)
                if again is not None and (needed or frozenset()) <= again.arcs:
                    self._archive.exchange(observation, again)

    def _usable(self) -> bool:
        return any(self._execution.is_usable(target.qualname) for target in self._targets)

    def _pick(self) -> Trial:
        choose = self._chooser
        callable_names = {target.qualname for target in self._targets}
        counts = {name: count for name, count in self._open.items() if name in callable_names}
        if len(self._corpus) and choose.random() < VARY_SHARE:
            entry = self._corpus.pick(counts)
            genome, operator = self._variants.vary(entry, self._corpus)
            return Trial(entry.target, genome, operator, entry)
        target = choose.choice(self._targets)
        if counts and choose.random() < FAVOUR_OPEN:
            name = self._attention.choose(counts)
            target = next(target for target in self._targets if target.qualname == name)
        return Trial(target, self._variants.fresh(target))

    def _try(self, trial: Trial) -> bool:
        candidate = self._maker.candidate(trial.genome, trial.target)
        if candidate is None:
            return False
        before = len(self._execution.reached)
        is_new = self._run(candidate)
        is_path = self._execution.took_new_path()
        is_find = len(self._execution.reached) > before
        if is_find:
            self._attention.found(trial.target.qualname)
        if trial.parent is not None:
            self._variants.operators.tell(trial.operator, is_find=is_find)
            trial.parent.finds += is_find
        if trial.site is not None and not is_new:
            if self._hints and self._archive.has_room_for_boundary(candidate.target):
                stands = self._hints.stands_at_new_boundary(candidate, trial.site)
                self._keep_boundary(candidate, stands)
            is_near = trial.site[0] in self._open_lines
            if self._chooser.random() < LOOK_AGAIN_SHARE * (3 if is_near else 1):
                self._unwatched.append(trial)  # only to see whether it comes to another place
        if is_new or is_find:
            self._add(trial.target, trial.genome)
            self._learn(trial.genome)
        elif is_path:
            self._add(trial.target, trial.genome)
        return is_new or is_find

    def _keep_boundary(self, candidate: Candidate, is_new: bool) -> None:
        """Keeps what is the first to stand exactly at a limit, or just below or above it."""
        observation = self._execution.run(candidate) if is_new else None
        if observation is not None:
            self._archive.keep_boundary(observation)

    def _add(self, target: Target, genome: Genome) -> None:
        lines = frozenset(line for arc in self._arcs for line in arc)
        self._corpus.add(target, genome, lines)
        self._unwatched.append(Trial(target, genome))

    def _run(self, candidate: Candidate) -> bool:
        """Runs a candidate, and again what is left of it after trimming; True if new."""
        self._arcs = frozenset()
        result = self._execute_around(candidate)
        if result is None:
            return False
        self._arcs = result.arcs
        self.leads.note(result)
        self._maker.observe(result)
        is_new = False
        for part in trim(result):
            trimmed = self._retargeted(part)
            observation = replace(result, candidate=trimmed)
            if trimmed.steps != result.candidate.steps:
                again = self._execution.run(trimmed)
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

    def _execute_around(self, candidate: Candidate) -> Observation | None:
        """Runs a candidate in a world that is fixed as far as it came to look at it."""
        around = self._circumstances.around(candidate)
        if self._execution.is_slow and not self._is_promising(around):
            return None
        result = self._execution.run(around)
        if result is None:
            return None
        used = self._circumstances.used_by(result)
        return result if used is result.candidate else self._execution.run(used)

    def _is_promising(self, candidate: Candidate) -> bool:
        """Whether a candidate shows something new at a first look."""
        result = self._execution.glance(candidate)
        is_known = result is None or result.arcs <= self._execution.reached
        return not is_known or (result is not None and self._archive.is_new(result))

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
            self._add(target, Genome(None, (call,)))
