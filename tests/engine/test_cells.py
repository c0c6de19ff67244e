"""Which prompts stay in memory, and that what is there is what the bookkeeping says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen.engine.cells import BEGINNINGS, Cells, sequences_for

SAMPLES = 2


class Memory:
    """Sequences as llama.cpp holds them; a copy onto something is an error there as well."""

    def __init__(self, size: int = 100) -> None:
        self.sequences: dict[int, list[int]] = {n: [] for n in range(sequences_for(SAMPLES))}
        self.cells = Cells(self, size=size, samples=SAMPLES, is_divisible=True)

    def copy_sequence(self, source: int, to: int) -> None:
        assert self.sequences[to] == []
        self.sequences[to] = [*self.sequences[source]]

    def cut_sequence(self, sequence: int, start: int) -> None:
        del self.sequences[sequence][start:]

    def read(self, tokens: list[int], beginning: int, room: int = 0) -> int:
        """What the model does with a prompt; gives how many tokens it found there."""
        known = self.cells.open(tokens, room)
        held = self.sequences[self.cells.prompt]
        assert held == tokens[:known]
        for end in (max(known, beginning), len(tokens)):
            held += tokens[len(held) : end]
            self.cells.holds(tokens[:end])
            self.cells.keep(beginning)
        return known


class WholeMemory(Memory):
    """A model with a recurrent state, which cannot forget a part."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = Cells(self, size=100, samples=SAMPLES, is_divisible=False)

    def cut_sequence(self, sequence: int, start: int) -> None:
        assert start in (0, len(self.sequences[sequence]))
        super().cut_sequence(sequence, start)


def test_second_target_of_a_module_finds_the_beginning_and_only_that() -> None:
    memory = Memory()
    assert memory.read([1, 2, 3, 4, 10, 11], beginning=4) == 0
    assert memory.read([1, 2, 3, 4, 20, 21], beginning=4) == 4
    assert memory.cells.kept == ((1, 2, 3, 4),)


def test_same_prompt_again_is_there_but_for_its_last_token() -> None:
    memory = Memory()
    memory.read([1, 2, 3, 4], beginning=2)
    assert memory.read([1, 2, 3, 4], beginning=2) == 3


def test_beginnings_of_other_modules_and_questions_stay() -> None:
    memory = Memory()
    for first in (1, 2, 3):
        memory.read([first, 5, 6, 7], beginning=3)
    assert memory.read([1, 5, 6, 8], beginning=3) == 3


def test_oldest_beginning_makes_place_for_a_new_one() -> None:
    memory = Memory()
    for first in range(1, BEGINNINGS + 2):
        memory.read([first, 5, 6], beginning=2)
    assert memory.read([1, 5, 6], beginning=2) == 0
    assert memory.read([BEGINNINGS + 1, 5, 6], beginning=2) == 2


def test_beginning_that_was_used_again_is_not_the_oldest() -> None:
    memory = Memory()
    for first in range(1, BEGINNINGS + 1):
        memory.read([first, 5, 6], beginning=2)
    memory.read([1, 5, 7], beginning=2)
    memory.read([9, 5, 6], beginning=2)
    assert memory.read([1, 5, 8], beginning=2) == 2


def test_finished_target_and_unused_beginnings_make_room_for_answers() -> None:
    memory = Memory(size=20)
    memory.read([1, 2, 3, 4, 5, 6], beginning=3)
    memory.read([7, 8, 9, 10], beginning=3, room=16)
    assert memory.cells.kept == ((7, 8, 9),)
    assert memory.cells.room == 16


def test_equal_beginnings_take_cells_once() -> None:
    memory = Memory(size=20)
    memory.read([1, 2, 3, 4], beginning=3)
    assert memory.cells.room == 16


def test_beginning_stays_where_more_than_it_was_there_already() -> None:
    memory = Memory()
    memory.read([1, 2, 3, 4, 5], beginning=0)
    memory.read([1, 2, 3, 4, 6], beginning=2)
    memory.read([7], beginning=0)
    assert memory.read([1, 2, 8], beginning=2) == 2


def test_samples_go_on_from_the_prompt_and_leave_nothing() -> None:
    memory = Memory()
    memory.read([1, 2, 3], beginning=2)
    branches = memory.cells.branch(SAMPLES)
    for branch in branches:
        assert memory.sequences[branch] == [1, 2, 3]
        memory.sequences[branch].append(9)
    for branch in branches:
        memory.cells.end(branch)
    filled = [tokens for tokens in memory.sequences.values() if tokens]
    assert filled == [[1, 2, 3], [1, 2]] or filled == [[1, 2], [1, 2, 3]]


def test_recurrent_model_uses_whole_beginnings_only() -> None:
    memory = WholeMemory()
    memory.read([1, 2, 3, 4], beginning=3)
    assert memory.read([1, 2, 3, 5], beginning=3) == 3
    assert memory.read([1, 2, 6], beginning=2) == 0


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(0, 12), st.booleans()
        ),
        max_size=12,
    )
)
def test_bookkeeping_is_what_the_memory_holds(
    prompts: list[tuple[list[int], int, bool]],
) -> None:
    memory = Memory(size=40)
    for tokens, beginning, is_cut in prompts:
        memory.read(tokens, min(beginning, len(tokens) - 1), room=8)
        if is_cut:
            memory.cells.cut(len(tokens) // 2)
        ends = [memory.cells.prompt, *memory.cells.branch(SAMPLES)]
        for branch in ends[1:]:
            memory.cells.end(branch)
        kept = [tuple(held) for held in memory.sequences.values() if held]
        assert all(held in kept for held in memory.cells.kept)
        assert memory.cells.room >= 8
