"""Whatever the text, nothing is raised, and what comes out can be executed as it is."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybridgen.domain import Candidate, StepKind

Recover = Callable[..., tuple[Candidate, ...]]
REPLIES = [
    path.read_bytes().decode("utf-8")
    for path in sorted((Path(__file__).parent / "corpus").glob("*.txt"))
]
SOURCE = (Path(__file__).parent / "corpus" / "sample_account.py").read_text(encoding="utf-8")
SOURCE += (
    (Path(__file__).parent / "corpus" / "sample_text.py")
    .read_text(encoding="utf-8")
    .replace("from __future__ import annotations", "")
)
FRAGMENTS = [
    "```python",
    "```",
    "def test_a():",
    "def slugify(x):",
    "class TestX:",
    "    ",
    "\t",
    "\n",
    "\n    ",
    "slugify('a')",
    "account",
    "Account('x', 1)",
    ".deposit(5)",
    ".balance",
    "assert ",
    " == ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    '"""',
    "with pytest.raises(ValueError):",
    "for a in [1, 2]:",
    "a",
    ":",
    "@pytest.mark.parametrize('a', [1, 2])",
    "@pytest.fixture",
    "lambda: ",
    "await ",
    "yield ",
    "return ",
    "x = ",
    "x",
    ",",
    ">>> ",
    "... ",
    "self.",
    "*",
    "1e999",
    "10**9",
    "\\",
    "#",
    "\r\n",
    "if x:",
    "else:",
    "try:",
    "except:",
    "import os",
    "from m import slugify as s",
    "global x",
    "print(",
    "del x",
    "x += 1",
    "match x:",
    "    case 1:",
    "f'{x!r:>{x}}'",
    "async def f():",
    "while True:",
    "class Account:",
    "_",
    "nonlocal x",
    "(x := slugify('b'))",
    "break",
    "super()",
    "__name__",
    "type X = int",
    "tmp_path",
    "“a”",
]
KNOWN = frozenset(dir(builtins)) | {"tmp_path"}
QUIET = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check(found: tuple[Candidate, ...], names: frozenset[str]) -> None:
    for candidate in found:
        assert 1 <= len(candidate.steps) <= 12
        assert any(step.kind is StepKind.PROBE for step in candidate.steps)
        lines = list(candidate.imports)
        for step in candidate.steps:
            assert step.code == ast.unparse(ast.parse(step.code))
            if step.kind is StepKind.PROBE:
                compile(step.code, "<probe>", "eval", ast.PyCF_ONLY_AST)
                assert len(step.code) <= 400
            lines.append(step.code)
            if step.opinion is not None and not step.opinion.startswith("raises "):
                compile(step.opinion, "<opinion>", "eval", ast.PyCF_ONLY_AST)
        assert unknown("\n".join(lines)) <= names | KNOWN


def unknown(code: str) -> set[str]:
    """Names that ``code`` reads and never binds, found independently by ``symtable``."""
    top = symtable.symtable(code, "<candidate>", "exec")
    bound = {
        item.get_name() for item in top.get_symbols() if item.is_assigned() or item.is_imported()
    }
    found: set[str] = set()
    waiting = [top]
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        found |= {
            item.get_name()
            for item in table.get_symbols()
            if item.is_referenced() and (item.is_global() or table is top)
        }
    return found - bound


@pytest.fixture(scope="module")
def names() -> frozenset[str]:
    return frozenset(
        {"Account", "Stack", "InsufficientFunds", "slugify", "parse_duration", "count_words"}
        | {"_WORD", "dataclass", "field", "re", "annotations"}
    )


@QUIET
@given(text=st.text(max_size=400), is_cut_off=st.booleans())
@example(text="slugify(\udcff)", is_cut_off=True)
def test_any_text_is_survived(
    recover: Recover, names: frozenset[str], text: str, is_cut_off: bool
) -> None:
    check(recover(SOURCE, "slugify", text, is_cut_off), names)


@QUIET
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=40), is_cut_off=st.booleans())
def test_any_heap_of_code_is_survived(
    recover: Recover, names: frozenset[str], parts: list[str], is_cut_off: bool
) -> None:
    check(recover(SOURCE, "Account.deposit", "".join(parts), is_cut_off), names)
    check(recover(SOURCE, "Account.deposit", "\n".join(parts), is_cut_off), names)


@QUIET
@given(data=st.data())
def test_damaged_real_reply_is_survived(
    recover: Recover, names: frozenset[str], data: st.DataObject
) -> None:
    lines = data.draw(st.sampled_from(REPLIES)).split("\n")
    for at in sorted(data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=6)), reverse=True):
        del lines[at]
    text = "\n".join(lines)
    text = text[: data.draw(st.integers(0, len(text)))]
    check(recover(SOURCE, "Account", text, data.draw(st.booleans())), names)


def test_answer_cut_at_any_position_keeps_the_tests_before_it(recover: Recover) -> None:
    text = "".join(f"def test_{n}():\n    assert slugify('{n}') == '{n}'\n\n" for n in range(4))
    for end in range(len(text)):
        found = recover(SOURCE, "slugify", text[:end], is_cut_off=True)
        assert len(found) >= text[:end].count("\n\n")
