"""The report for people."""

import io
import subprocess
import sys
from dataclasses import replace

from rich.console import Console

from hybridgen.domain import Coverage, MutationScore
from hybridgen.report.console import plain_report, rich_report


def test_one_tested_module(tested):
    assert (
        plain_report([tested])
        == """\
shop/pricing.py
  14 tests in tests/test_pricing.py  line 0 -> 99 %, branch 0 -> 91 %
  confidential (not marked), local, qwen2.5-coder-0.5b, 1,920 tokens, 48.2 s
  run by .venv/bin/python, kernel locks: kernel
  dropped: 2 flaky, 5 redundant
  note: conftest.py is needed too
    written"""
    )


def test_reasons_for_dropping_are_told_in_words(tested):
    dropped = {"budget": 40, "together": 1, "secret": 2, "some other reason": 3}
    assert (
        "  dropped: 40 no time left to confirm, 2 held what looks like a secret, "
        "3 some other reason, 1 failed in pytest\n"
    ) in plain_report([replace(tested, tests_dropped=dropped)])


def test_several_modules_end_with_a_total(tested, covered, failed):
    lines = plain_report([tested, covered, failed]).splitlines()
    assert lines[7:] == [
        "shop/cart.py",
        "  nothing to add  line 100 -> 100 %, branch 100 -> 100 %",
        "  public (marked public), local, no model, 0 tokens, 1.0 s",
        "  run by python, kernel locks: kernel",
        "shop/\\x1b[31mbad[bold].py",
        "  error: syntax error in line 3",
        "  correct it",
        "  confidential (not marked), local, no model, 0 tokens, 0.0 s",
        "  run by python, kernel locks: kernel",
        "3 modules: 1 with new tests, 1 without success; 14 tests, 1,920 tokens, 49.2 s",
    ]


def test_suspects_and_mutants_are_told_in_a_few_lines(suspected):
    lines = plain_report([suspected]).splitlines()
    assert lines[4:-2] == [
        "  mutants: 41 of the 50 tried (of about 80) noticed, 1 may mean the same",
        "    not noticed: shop/pricing.py:12: secret < 5 -> secret <= 5",
        "    may mean the same: shop/pricing.py:14: secret + 0 -> secret - 0",
        "  dropped: 2 flaky, 5 redundant",
        "  strong suspect: tier(90) gives 'silver', expected 'gold'",
        "    docstring example (shop/pricing.py:12), in tier",
        f"  weak suspect: tier('{'x' * 91}... raises IndexError, expected no exception",
        "    exception IndexError (shop/pricing.py:9), in tier",
    ]


def test_every_mutant_that_was_not_noticed_is_counted(suspected):
    names = tuple(f"m.py:{number}: a -> b" for number in range(9))
    score = MutationScore(killed=3, total=20, survivors=names[:8], equivalent=names)
    lines = plain_report([replace(suspected, mutation=score)]).splitlines()
    assert "  mutants: 3 of 20 noticed, 9 may mean the same" in lines
    assert "    not noticed: 3 more" in lines
    assert "    may mean the same: 6 more" in lines


def test_blanks_inside_of_a_text_are_shown_as_they_are(suspected):
    blank = replace(suspected.suspects[0], call="dashes('-  -')", observed="'a\n  b'")
    text = plain_report([replace(suspected, suspects=(blank,))])
    assert "strong suspect: dashes('-  -') gives 'a\\n  b', expected 'gold'" in text


def test_more_than_ten_suspects_are_counted(suspected):
    outcome = replace(suspected, suspects=suspected.suspects[:1] * 13)
    text = plain_report([outcome])
    assert text.count("strong suspect: ") == 10
    assert "\n  and 3 more suspects\n" in text


def test_no_module_at_all_is_said():
    assert plain_report([]).startswith("0 modules: ")


def test_a_module_without_tests_says_so(tested):
    outcome = replace(tested, tests_kept=0, test_file=None, exit_code=1)
    assert "  no tests  line 0 -> 99 %" in plain_report([outcome])


def test_coverage_is_never_rounded_up_to_all(tested):
    outcome = replace(tested, coverage_before=None, coverage_after=Coverage(99.99, 100.0, 99.99))
    assert "  line 99 %, branch 100 %" in plain_report([outcome])


def test_a_terminal_shows_the_same_text_in_colour(tested, covered, failed):
    outcomes = [tested, covered, failed]
    text = rich_report(outcomes)
    # Brackets in a file's name are not read as markup.
    assert text.plain == plain_report(outcomes)
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, color_system="standard", width=40).print(
        text, soft_wrap=True
    )
    shown = stream.getvalue()
    assert "\x1b[32m  14 tests in tests/test_pricing.py" in shown
    assert "\x1b[31m  error: syntax error" in shown
    assert "\x1b[1mshop/\\x1b[31mbad[bold].py" in shown


def test_plain_text_needs_no_rich():
    code = "import sys, hybridgen.report.console; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
