"""What is handed from step to step of the work on one module, and how its time is divided.

A stage ends by the work done (``observe/effort.py``: prices in seconds on a laptop with two cores),
so that the same seed, settings and code give the same file; the clock is a cap that only a slower
or busier machine reaches. Of a budget of 120 seconds:

===================================  ======================  ===================================
stage                                ends at work            cap of the clock
===================================  ======================  ===================================
search, with a model to ask          24 s or its plateau     36 s
search, without one                  48 s or its plateau     70 s
the model                            54 s                    70 s, 18 s of it in any case
search with what it taught           60 s                    70 s
making finds readable                66 s                    15% of what is left
confirming                           72 s                    60% of what is left
mutants                              90 s                    70% of what verifying leaves
making tests plainer                 102 s                   what verifying takes before the end
verifying with pytest                what there is to do     tests alone: the end
===================================  ======================  ===================================

A stage that is done earlier leaves its time to the next one. Where one run of pytest takes long,
the caps come earlier, so that there is time for the runs that every file takes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from hybridgen.backends import Backend
from hybridgen.domain import Asked, Module, SourceFile, Target
from hybridgen.label import Labeller
from hybridgen.observe.effort import Effort, Limit
from hybridgen.observe.operands import Watcher as OperandWatcher
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.observe.verify import Verifier
from hybridgen.route import NO_REMOTES, Remotes
from hybridgen.settings import Settings

FINISH_SHARE, FINISH_SECONDS = 0.45, 50.0
"""What is kept of a budget for confirming, mutants and real pytest: a share, at most so long."""

FINISH_LEAST = 15.0
"""Seconds that this takes at the least, of which half of a budget is kept if it is that short."""

SEARCH_WORK, SEARCH_CAP = 0.2, 0.3
"""How much of a budget the search may take before the model is asked: work, and on the clock.

It goes on afterwards: what it would have found by then it still finds, with better seeds.
"""

SEARCH_ALONE_WORK = 0.4
"""The same where there is no model to ask."""

ASK_WORK, ASK_LEAST = 0.45, 0.15
"""Where asking ends, as work, and what the model gets on the clock though confirming is slow."""

FIND_WORK = 0.5
"""Where finding candidates ends, the model's part included."""

SIMPLIFY_WORK, CONFIRM_WORK, MUTANTS_WORK, POLISH_WORK = 0.55, 0.6, 0.75, 0.85
"""Where making finds readable, confirming, trying mutants and making tests plainer end."""

LEAST_SEARCH_SHARE = 0.25
"""What finding candidates gets of a budget even where confirming them is slow."""


class Watcher(Protocol):
    """Told what is going on; see ``cli/progress.py``."""

    def module(self, path: str) -> None:
        """Work on another module begins."""

    def stage(self, text: str) -> None:
        """The module enters another stage."""

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """The stage goes on."""


def _no_preparation(labeller: Labeller) -> None:
    """Where nothing may be sent there is nothing to prepare."""


def _no_record(files: Sequence[SourceFile], backend: str) -> None:
    """Where nothing is written down."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides where text may go; as it is made without arguments, nowhere.

    Attributes:
        labeller: makes what labels the files of the project in a folder.
        remotes: what may be asked besides this machine.
        models: by name of a backend that is there, the name of its model, for people.
        prepare: called with a project's labeller before any of its text may be sent.
        refused: told of the files that a backend, asked for by name, may not read.
        failures: which backends gave no answer so far, and what was asked instead, for people.
        remarks: what is to be said of the model's process and was not yet, for people.
    """

    labeller: Callable[[Path], Labeller] = Labeller
    remotes: Remotes = NO_REMOTES
    models: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Labeller], None] = _no_preparation
    refused: Callable[[Sequence[SourceFile], str], None] = _no_record
    failures: Callable[[], Sequence[str]] = tuple
    remarks: Callable[[], Sequence[str]] = tuple


NOTHING_LEAVES: Final = Policy()


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all modules of a run.

    Attributes:
        is_dry_run: make the difference, write nothing.
    """

    settings: Settings
    sandbox: Sandbox
    backend: Backend | None
    watcher: Watcher
    is_dry_run: bool
    policy: Policy


@dataclass
class Tally:
    """What is counted on the way to an outcome.

    Attributes:
        asking: seconds that answers of the model took; of several at once, those of the last one.
        late: stages that the clock ended.
        answered_by: how many answers each backend gave.
        questions: what short questions brought, by their kind.
    """

    tokens: int = 0
    answers: int = 0
    asking: float = 0.0
    late: dict[str, None] = field(default_factory=dict)
    cut: Counter[str] = field(default_factory=Counter)
    answered_by: Counter[str] = field(default_factory=Counter)
    questions: dict[str, Asked] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Subject:
    """A module that could be imported, and what belongs to the work on it.

    Attributes:
        path: where its tests go.
        previous: what is there now, or None.
        kept: ``previous`` without the tests of ours that a new run replaces.
        labeller: of the project that the module lies in.
    """

    module: Module
    import_name: str
    targets: tuple[Target, ...]
    runner: Runner
    operands: OperandWatcher
    verifier: Verifier
    path: Path
    previous: str | None
    kept: str | None
    labeller: Labeller


class Budget:
    """The time of one module, on the clock of ``time.monotonic``.

    Attributes:
        started: when the work began.
        seconds: the whole budget.
        end: when everything has to be done.
        finish_at: when finding candidates ends, so that there is time for what follows.
    """

    def __init__(self, started: float, seconds: float) -> None:
        self.started = started
        self.seconds = seconds
        self.end = started + seconds
        usual = max(seconds * FINISH_SHARE, min(FINISH_LEAST, seconds / 2))
        self.finish_at = self.end - min(FINISH_SECONDS, usual)
        self._kept = FINISH_SHARE * seconds / 2

    @property
    def left(self) -> float:
        """Seconds until the end."""
        return self.end - time.monotonic()

    def limit(self, effort: Effort, work: float, deadline: float) -> Limit:
        """The end of a stage, after a share of the budget as work."""
        return Limit(effort, work * self.seconds, deadline)

    def share(self, part: float) -> float:
        """The moment when that part of the budget is spent."""
        return self.started + self.seconds * part

    def keep(self, seconds: float) -> None:
        """Keeps at least so much for real pytest, where half the usual rest is less."""
        self._kept = max(self._kept, seconds)
        self.reserve(0.0)

    def reserve(self, seconds: float) -> float:
        """Keeps at least so much for confirming, and what real pytest is kept; ``finish_at``."""
        latest = self.end - self._kept - seconds
        self.finish_at = max(self.share(LEAST_SEARCH_SHARE), min(self.finish_at, latest))
        return self.finish_at
