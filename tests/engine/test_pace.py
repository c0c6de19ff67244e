"""How many threads compute, on machines that are made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hybridgen.engine.pace import Pace


class Machine:
    """Takes some seconds for a step, by the number of threads."""

    def __init__(self, most: int, **seconds: float) -> None:
        self.threads = most
        self.seconds = {int(name.removeprefix("t")): value for name, value in seconds.items()}
        self.pace = Pace(most, self.use)
        self.tried: set[int] = set()

    def use(self, threads: int) -> None:
        self.threads = threads

    def step(self) -> float:
        self.tried.add(self.threads)
        return self.seconds[self.threads]

    def work(self, steps: int, rows: int = 1) -> None:
        for _ in range(steps):
            self.pace.note(self.step() * rows, rows)


@pytest.fixture
def idle() -> Iterator[Machine]:
    machine = Machine(2, t2=1.0, t1=1.8)
    machine.pace.calibrate(machine.step)
    yield machine


def test_idle_machine_computes_with_all_threads(idle: Machine) -> None:
    assert idle.threads == idle.pace.threads == 2


def test_idle_machine_is_not_slowed_down_by_trials(idle: Machine) -> None:
    idle.tried.clear()
    idle.work(2_000)
    assert idle.tried == {2}


def test_machine_that_is_busy_at_the_start_computes_with_one_fewer() -> None:
    machine = Machine(2, t2=3.0, t1=1.8)
    machine.pace.calibrate(machine.step)
    assert machine.threads == 1


def test_machine_that_becomes_busy_takes_a_step_down(idle: Machine) -> None:
    idle.seconds = {2: 5.0, 1: 2.0}
    idle.work(200)
    assert idle.threads == 1


def test_machine_that_becomes_idle_again_takes_the_step_up(idle: Machine) -> None:
    idle.seconds = {2: 5.0, 1: 2.0}
    idle.work(200)
    idle.seconds = {2: 1.0, 1: 1.8}
    idle.work(2_000)
    assert idle.threads == 2


def test_step_down_that_does_not_help_is_taken_back(idle: Machine) -> None:
    idle.seconds = {2: 5.0, 1: 5.0}
    idle.work(36)
    idle.work(8)
    assert idle.tried == {1, 2}
    assert idle.threads == 2


def test_more_samples_at_once_are_no_sign_of_a_busy_machine(idle: Machine) -> None:
    idle.tried.clear()
    idle.work(200, rows=1)
    idle.work(200, rows=8)
    assert idle.tried == {2}


def test_trial_ends_with_the_samples_that_it_was_made_on(idle: Machine) -> None:
    idle.seconds = {2: 5.0, 1: 2.0}
    idle.work(34)
    while idle.threads == 2:
        idle.work(1)
    idle.work(1, rows=3)
    assert idle.threads == 2


def test_single_core_has_nothing_to_choose() -> None:
    machine = Machine(1, t1=1.0)
    machine.pace.calibrate(machine.step)
    machine.work(200)
    assert machine.tried == set() | {1}
