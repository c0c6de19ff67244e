"""The report of a run for people: a few lines a module, and one line for all.

::

    examples/shop/pricing.py
      14 tests in examples/tests/test_pricing.py  line 0 -> 96 %, branch 0 -> 91 %
      confidential (not marked), local, qwen2.5-coder-0.5b, 1,920 tokens, 48.2 s
      mutants: 41 of 50 noticed
      dropped: 2 flaky, 5 redundant
      strong suspect: tier(90) gives 'silver', expected 'gold'
        docstring example (examples/shop/pricing.py:12), in tier
      note: conftest.py is needed too

The text is made once, as lines with a role; a terminal shows the roles as colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hybridgen.domain import Coverage, MutationScore, Outcome, Suspect
from hybridgen.report.document import code_of, totals
from hybridgen.report.visible import visible

if TYPE_CHECKING:
    from rich.text import Text


class Role(StrEnum):
    """What a line says; the value is its style on a terminal."""

    TITLE = "bold"
    DONE = "green"
    IDLE = "cyan"
    FAILED = "red"
    DETAIL = "dim"
    NOTE = "yellow"
    SUSPECT = "magenta"


REASONS = {
    "alone": "failed when run alone",
    "budget": "no time left to confirm",
    "died": "ended the process",
    "import": "could not be imported",
    "no assertion": "nothing to assert",
    "not allowed": "code not allowed in tests",
    "not renderable": "values that no code can show",
    "output": "printed far too much",
    "sandbox": "refused by the sandbox",
    "secret": "held what looks like a secret",
    "shuffled": "failed in another order",
    "suspect": "showed a likely bug",
    "syntax": "no valid Python",
    "timeout": "did not end in time",
    "together": "failed in pytest",
    "unstable": "differed from run to run",
}
"""Why something became no test, for people; other reasons are told as they are."""

MOST_SUSPECTS = 10
MOST_SURVIVORS = 5
MOST_EQUIVALENT = 3
LONGEST_PART = 100
"""Characters of a call, or of a value, in a line about a suspect."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report; its text holds no control characters."""

    role: Role
    text: str


def plain_report(outcomes: Sequence[Outcome]) -> str:
    """The report as plain text, for files, pipes and logs."""
    return "\n".join(line.text for line in _lines(outcomes))


def rich_report(outcomes: Sequence[Outcome]) -> Text:
    """The same text with colours, for a terminal; to be printed with ``soft_wrap=True``."""
    from rich.text import Text

    # Never markup: names of files may hold brackets.
    return Text("\n").join(Text(line.text, style=line.role.value) for line in _lines(outcomes))


def _lines(outcomes: Sequence[Outcome]) -> Iterator[Line]:
    for outcome in outcomes:
        for line in _module(outcome):
            for text in visible(line.text).splitlines() or [""]:
                yield Line(line.role, text)
    if len(outcomes) != 1:
        yield _total(outcomes)


def _module(outcome: Outcome) -> Iterator[Line]:
    yield Line(Role.TITLE, outcome.path)
    yield _result(outcome)
    facts = [
        f"{outcome.label.name.lower()} ({outcome.why})",
        outcome.route.backend,
        outcome.model or "no model",
        f"{outcome.tokens:,} tokens",
        f"{outcome.seconds:.1f} s",
    ]
    yield Line(Role.DETAIL, "  " + ", ".join(facts))
    yield Line(Role.DETAIL, f"  run by {outcome.interpreter}, kernel locks: {outcome.locks}")
    if outcome.mutation is not None:
        yield from _mutation(outcome.mutation)
    if outcome.tests_dropped:
        reasons = sorted(outcome.tests_dropped.items())
        parts = ", ".join(f"{count} {REASONS.get(reason, reason)}" for reason, count in reasons)
        yield Line(Role.DETAIL, f"  dropped: {parts}")
    yield from _suspects(outcome.suspects)
    for note in outcome.notes:
        yield Line(Role.NOTE, "  note: " + note.replace("\n", "\n    "))


def _result(outcome: Outcome) -> Line:
    if outcome.error is not None:
        return Line(Role.FAILED, "  error: " + outcome.error.replace("\n", "\n  "))
    change = _change(outcome.coverage_before, outcome.coverage_after)
    if outcome.tests_kept:
        where = f" in {outcome.test_file}" if outcome.test_file else ""
        return Line(Role.DONE, f"  {_count(outcome.tests_kept, 'test')}{where}{change}")
    if code_of(outcome) == 0:
        return Line(Role.IDLE, f"  nothing to add{change}")
    return Line(Role.FAILED, f"  no tests{change}")


def _mutation(score: MutationScore) -> Iterator[Line]:
    tried = f"of {score.total}"
    if score.untried:
        tried = f"of the {score.total} tried (of about {score.total + score.untried})"
    same = f", {len(score.equivalent)} may mean the same" if score.equivalent else ""
    yield Line(Role.DETAIL, f"  mutants: {score.killed} {tried} noticed{same}")
    yield from _some("not noticed", score.survivors, MOST_SURVIVORS)
    yield from _some("may mean the same", score.equivalent, MOST_EQUIVALENT)


def _some(what: str, lines: Sequence[str], most: int) -> Iterator[Line]:
    """The first of some mutants, and how many more there are."""
    for line in lines[:most]:
        yield Line(Role.DETAIL, f"    {what}: {_one_line(line)}")
    if len(lines) > most:
        yield Line(Role.DETAIL, f"    {what}: {len(lines) - most} more")


def _suspects(suspects: Sequence[Suspect]) -> Iterator[Line]:
    for suspect in suspects[:MOST_SUSPECTS]:
        call, expected, seen = map(_one_line, (suspect.call, suspect.expected, suspect.observed))
        gives = seen if seen.startswith("raises ") else f"gives {seen}"
        wanted = expected.removeprefix("raises ")
        first = f"  {suspect.strength.value} suspect: {call} {gives}, expected {wanted}"
        yield Line(Role.SUSPECT, first)
        yield Line(Role.SUSPECT, f"    {suspect.evidence}, in {suspect.target}")
    unsaid = len(suspects) - MOST_SUSPECTS
    if unsaid > 0:
        yield Line(Role.SUSPECT, f"  and {_count(unsaid, 'more suspect')}")


def _one_line(text: str) -> str:
    text = text.strip().replace("\n", "\\n")  # never the blanks: they may be what it is about
    return text if len(text) <= LONGEST_PART else f"{text[: LONGEST_PART - 3]}..."


def _change(before: Coverage | None, after: Coverage | None) -> str:
    if after is None:
        return ""
    if before is None:
        return f"  line {_percent(after.line)} %, branch {_percent(after.branch)} %"
    return (
        f"  line {_percent(before.line)} -> {_percent(after.line)} %,"
        f" branch {_percent(before.branch)} -> {_percent(after.branch)} %"
    )


def _percent(value: float) -> str:
    # 99.6 is not all of it: never round up to 100.
    return str(min(round(value), 99) if value < 100 else 100)


def _total(outcomes: Sequence[Outcome]) -> Line:
    sums = totals(outcomes)
    failed = sums["modules_failed"]
    text = (
        f"{_count(sums['modules'], 'module')}: {sums['modules_with_tests']} with new tests,"
        f" {failed} without success; {_count(sums['tests_kept'], 'test')},"
        f" {sums['tokens']:,} tokens, {sums['seconds']:.1f} s"
    )
    return Line(Role.FAILED if failed else Role.TITLE, text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
