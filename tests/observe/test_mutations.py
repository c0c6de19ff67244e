"""What mutants are made of a module: each kind, on reached lines only, and none of prose."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen.domain.mutants import Mutant
from hybridgen.observe import mutations
from hybridgen.observe.mutations import mutants_of


def make(text: str, *lines: int) -> tuple[Mutant, ...]:
    source = dedent(text)
    reached = frozenset(lines) or frozenset(range(1, source.count("\n") + 2))
    return mutants_of(source, reached, seed=0)


def changes(body: str) -> set[str]:
    """``"a < b -> a <= b"`` for every mutant of a function with that body."""
    found = make(f"def f(a, b, c):\n    {body}\n")
    return {mutant.describe().partition(": ")[2] for mutant in found}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a < b", {"a < b -> a <= b", "a < b -> a >= b", "a < b -> None"}),
        ("x = a == 3", {"a == 3 -> a != 3", "a == 3 -> a <= 3", "a == 3 -> a >= 3"}),
        ("x = a not  in b", {"a not in b -> a in b"}),
        ("x = (a) is (b)", {"a) is (b -> a) is not (b"}),
        ("x = a and b", {"a and b -> (a or b)", "a and b -> (a)", "a and b -> (b)"}),
        ("x = a + b", {"a + b -> (a - b)", "a + b -> (a * b)"}),
        ("x = a > b", {"a > b -> a >= b", "a > b -> a != b"}),
        ("x = a | b", {"a | b -> (a & b)", "a | b -> (a ^ b)"}),
        ("x = 1.5", {"1.5 -> 2.5", "1.5 -> 0.5"}),
        ("x = not a", {"not a -> a"}),
        ("x = 7", {"7 -> 8", "7 -> 6"}),
        ("x = 'q'", {"'q' -> 'XXq'", "'q' -> ''"}),
        ("x = f'{a}q'", {"f'{a}q' -> ('XX' f'{a}q')"}),
        ("x = f'{a + 1}q'", {"a + 1 -> (a - 1)", "1 -> 2"}),
        ("raise a", {"raise a -> pass"}),
        ("a.append(b)", {"a.append(b) -> pass"}),
        ("x = a.strip()", {"a.strip() -> a"}),
        ("x = a[b:c]", {"b:c -> :c", "b:c -> b:"}),
        ("a += b", {"a += b -> a -= b"}),
        ("x = b if a else c", {"a -> (not a)"}),
        ("x = [b for b in c if b]", {"b -> (not b)"}),
    ],
)
def test_mutants_of_each_kind(body: str, expected: set[str]) -> None:
    assert expected <= changes(body)


def test_statements_of_loops_and_handlers_are_mutated() -> None:
    found = make(
        """
        def f(a):
            for x in a:
                try:
                    continue
                except ValueError:
                    break
        """
    )
    assert {(m.before, m.after) for m in found} == {
        ("a", "()"),
        ("continue", "break"),
        ("break", "continue"),
        ("ValueError", "()"),
    }


def test_decorators_are_left_out_but_those_that_do_nothing() -> None:
    found = make(
        """
        class Box:
            @property
            def size(self):
                return self._size

            @typing.overload
            def grow(self):
                self._size

            @names("a")
            def shrink(self):
                self._size
        """
    )
    changed = {(m.before, m.after, *sorted(m.lines)) for m in found if m.kind == "decorator"}
    assert changed == {("property", "(lambda it: it)", 5), ('names("a")', "(lambda it: it)", 13)}


def test_prose_annotations_and_imports_are_left_alone() -> None:
    found = make(
        '''
        """Docs 1."""
        import os
        from typing import TYPE_CHECKING, Literal
        __all__ = ["f"]
        if TYPE_CHECKING:
            X = 1


        def f(a: "int" = None) -> Literal[3]:
            """More 2."""
            log.warning("because of %s", a)
            x: "str" = a
            raise ValueError(f"no {a}", "never")
        '''
    )
    assert [mutant.kind for mutant in found] == ["exception"]


def test_lines_that_nothing_reaches_have_no_mutants() -> None:
    found = make("def f(a):\n    if a:\n        return 1\n    return 2\n", 2, 4)
    assert {mutant.line for mutant in found} == {2, 4}


def test_what_runs_at_import_time_counts_where_it_is_used() -> None:
    found = make(
        """
        BASE = 10
        DOUBLE = BASE * 2
        UNUSED = 30


        def f(step=5):
            return step + DOUBLE


        class Box:
            size = 40

            def grow(self):
                return self.size
        """,
        8,
        15,
    )
    reached = {mutant.before: sorted(mutant.lines) for mutant in found if mutant.line < 13}
    assert reached == {
        **{"10": [8], "BASE * 2": [8], "2": [8], "5": [8], "step + DOUBLE": [8]},
        "40": [15],
    }


def test_function_that_only_the_import_calls_counts_where_its_work_is_used() -> None:
    source = dedent(
        """
        TABLE = {}


        def register(name, value):
            TABLE[name] = value + 1


        register("a", 20)


        def look_up(name):
            return TABLE[name]
        """
    )
    found = mutants_of(source, frozenset({13}), at_import=frozenset({2, 5, 6, 9, 12}), seed=0)
    assert {(m.before, m.line) for m in found} >= {("value + 1", 6), ("20", 9)}
    assert {lines for m in found for lines in m.lines} == {13}


def test_no_other_line_moves_and_every_mutant_is_a_module() -> None:
    source = Path(mutations.__file__).read_text()
    found = make(source)
    assert len(found) > 200
    for mutant in found[::5]:
        text = mutant.source(source.encode())
        assert text != source
        assert text.count("\n") == source.count("\n")
        ast.parse(text)


def test_text_beyond_ascii_is_cut_in_the_right_place() -> None:
    [mutant] = [m for m in make("def f(a):\n    return 'ä€', a < 3\n") if m.after == "a <= 3"]
    source = "def f(a):\n    return 'ä€', a < 3\n"
    assert mutant.source(source.encode()) == "def f(a):\n    return 'ä€', a <= 3\n"


def test_start_of_the_order_is_a_sample_of_all_functions_and_depends_on_the_seed() -> None:
    lines = [f"def f{n}(a):\n    return a + {n} * a - (a < {n}) * 2\n" for n in range(6)]
    source = "".join(lines)
    reached = frozenset(range(1, 13))
    found = mutants_of(source, reached, seed=1)
    owners = Counter((mutant.line + 1) // 2 for mutant in found[:12])
    assert len(owners) == 6
    assert found == mutants_of(source, reached, seed=1)
    assert found != mutants_of(source, reached, seed=2)
    assert set(found) == set(mutants_of(source, reached, seed=2))
