"""Operands of comparisons, seen in a real locked worker that runs instrumented code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridgen.domain import Candidate, Module
from hybridgen.observe.answers import NonsenseError
from hybridgen.observe.operands import Operands, Watcher, operands_in
from hybridgen.observe.runner import Runner, Sandbox

Watch = Callable[[str, str], list[tuple[str, object, object]]]


@pytest.fixture
def watch(
    read: Callable[..., Module],
    sandbox: Sandbox,
    candidate: Callable[..., Candidate],
    tmp_path: Path,
) -> Iterator[Watch]:
    """``watch(module text, call)`` gives what was compared."""
    opened: dict[str, tuple[Runner, Watcher]] = {}

    def watch(text: str, call: str) -> list[tuple[str, object, object]]:
        if text not in opened:
            module = read(text)
            scratch = tmp_path / f"runner{len(opened)}"
            scratch.mkdir()
            runner = Runner(module, sandbox, scratch)
            runner.open()
            watcher = Watcher(module, runner, sandbox, tmp_path / f"watcher{len(opened)}")
            opened[text] = (runner, watcher)
        found = opened[text][1].operands(candidate(f"?{call}"))
        return [(operands.kind, operands.left, operands.right) for operands in found]

    yield watch
    for runner, watcher in opened.values():
        watcher.close()
        runner.close()


def test_comparisons_tell_both_sides(watch: Watch) -> None:
    text = """
    def f(a, b):
        if a == "open" or b not in ("x", "y"):
            return 1
        return a < b
    """
    assert watch(text, "f('shut', 'x')") == [
        ("==", "shut", "open"),
        ("not in", "x", ("x", "y")),
        ("<", "shut", "x"),
    ]


def test_a_chain_tells_each_pair_and_stops_where_python_does(watch: Watch) -> None:
    text = """
    def f(n):
        return 0 <= n < 10 < 5
    """
    assert watch(text, "f(3)") == [("<=", 0, 3), ("<", 3, 10), ("<", 10, 5)]
    assert watch(text, "f(-1)") == [("<=", 0, -1)]


def test_texts_patterns_keys_and_types_are_seen(watch: Watch) -> None:
    text = """
    import re
    WORD = re.compile("[a-z]+", re.I)
    TABLE = {"a": 1, "b": 2}

    def f(text, value):
        text.startswith(("--", "-"))
        WORD.fullmatch(text)
        re.search(r"\\d", text)
        TABLE.get(text)
        isinstance(value, (str, int))
        if len(text) > 3:
            return int("7")
        return TABLE["b"]
    """
    assert watch(text, "f('four', 1.5)") == [
        ("startswith", "four", ("--", "-")),
        ("fullmatch", "four", ("[a-z]+", 34)),
        ("search", "four", (r"\d", 0)),
        ("key", "four", ["a", "b"]),
        ("isinstance", 1.5, ["str", "int"]),
        ("len >", 4, 3),
        ("int", "7", None),
    ]


def test_a_match_statement_tells_what_its_cases_accept(watch: Watch) -> None:
    text = """
    def f(command):
        match command:
            case "quit" | "exit":
                return 0
            case ["go", where]:
                return where
            case {"name": str()}:
                return 2
    """
    assert [right for _, _, right in watch(text, "f('stay')")] == [
        "quit",
        "exit",
        ["go", "a"],
        {"name": "a"},
    ]


def test_objects_of_the_project_are_never_looked_at(watch: Watch) -> None:
    text = """
    LOG = []

    class Loud(str):
        def __repr__(self):
            LOG.append("repr")
            return "boom"

        def __len__(self):
            LOG.append("len")
            return 1

    def f(a):
        a == "x"
        a.startswith("x")
        return bool(LOG) == True
    """
    assert watch(text, "f(Loud('x'))") == [("==", None, "x"), ("==", False, True)]


def test_loops_say_only_a_few_things(watch: Watch) -> None:
    text = """
    def f():
        return sum(n == 5 for n in range(100_000))
    """
    assert len(watch(text, "f()")) <= 10


def test_code_that_hangs_gives_nothing_and_the_next_call_works(watch: Watch) -> None:
    text = """
    def f(n):
        while n == 1:
            pass
        return n == 2
    """
    assert watch(text, "f(1)") == []
    assert watch(text, "f(3)") == [("==", 3, 1), ("==", 3, 2)]


@pytest.mark.parametrize(
    "item",
    [
        "no list",
        [1, "==", "1"],
        [0, "==", "1", "2"],
        ["1", "==", "1", "2"],
        [1, "=" * 50, "1", "2"],
        [1, "==", 1, 2],
    ],
)
def test_answers_of_another_form_are_refused(item: object) -> None:
    with pytest.raises(NonsenseError):
        operands_in({"operands": [item]})


@pytest.mark.parametrize("text", ["__import__('os')", "1 +", "'a'" + "'a'" * 2000, "(" * 500])
def test_what_is_no_short_literal_counts_as_unknown(text: str) -> None:
    assert operands_in({"operands": [[1, "==", text, "1"]]}) == (Operands(1, "==", None, 1),)
