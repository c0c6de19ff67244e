"""The JSON document and the exit code."""

import json
from dataclasses import replace

import pytest

from hybridgen.report.document import exit_code, to_document


def test_the_document_has_every_promised_key(tested):
    document = json.loads(json.dumps(to_document([tested], version="1.2.3")))
    assert document == {
        "schema_version": 1,
        "hybridgen": "1.2.3",
        "label": "confidential",
        "modules": [
            {
                "path": "shop/pricing.py",
                "label": "confidential",
                "why": "not marked",
                "route": {"backend": "local", "why": "all code is confidential"},
                "model": "qwen2.5-coder-0.5b",
                "interpreter": ".venv/bin/python",
                "locks": "kernel",
                "test_file": "tests/test_pricing.py",
                "tests_kept": 14,
                "tests_dropped": {"flaky": 2, "redundant": 5},
                "coverage": {
                    "before": {"line": 0.0, "branch": 0.0, "pooled": 0.0},
                    "after": {"line": 99.6, "branch": 91.23, "pooled": 96.5},
                },
                "mutation": None,
                "suspects": [],
                "tokens": 1920,
                "seconds": 48.234,
                "stages": {"searching": 20.1, "confirming": 2.0},
                "questions": {"values": {"times": 2, "gained": 7, "seconds": 12.3}},
                "error": None,
                "exit_code": 0,
                "notes": ["conftest.py is needed too\nwritten"],
            }
        ],
        "totals": {
            "modules": 1,
            "modules_with_tests": 1,
            "modules_failed": 0,
            "tests_kept": 14,
            "tests_dropped": {"flaky": 2, "redundant": 5},
            "suspects": 0,
            "mutants": 0,
            "mutants_killed": 0,
            "tokens": 1920,
            "seconds": 48.234,
        },
        "exit_code": 0,
    }


def test_rendered_tests_stay_out_of_the_document(tested):
    assert "test_secret_value" not in json.dumps(to_document([tested]))


def test_suspects_are_told_by_place_without_values(suspected):
    document = to_document([suspected, suspected])
    module = document["modules"][0]
    assert module["suspects"][0] == {
        "target": "tier",
        "evidence": "docstring example (shop/pricing.py:12)",
        "strength": "strong",
    }
    assert module["mutation"] == {
        "killed": 41,
        "total": 50,
        "survivors": ["shop/pricing.py:12"],
        "equivalent": ["shop/pricing.py:14"],
        "untried": 30,
    }
    text = json.dumps(document)
    assert "silver" not in text and "gold" not in text and "secret" not in text
    totals = document["totals"]
    assert [totals[key] for key in ("suspects", "mutants", "mutants_killed")] == [4, 100, 82]


def test_coverage_that_was_not_measured_is_null(failed):
    module = to_document([failed])["modules"][0]
    assert module["coverage"] == {"before": None, "after": None}
    assert module["error"] == "syntax error in line 3\ncorrect it"


def test_the_document_states_the_strictest_label(covered, tested):
    assert to_document([covered])["label"] == "public"
    assert to_document([covered, tested])["label"] == "confidential"
    assert to_document([])["label"] == "confidential"


def test_totals_add_up_over_modules(tested, covered, failed):
    totals = to_document([tested, tested, covered, failed])["totals"]
    assert totals["modules"] == 4
    assert totals["modules_with_tests"] == 2
    assert totals["modules_failed"] == 1
    assert totals["tests_kept"] == 28
    assert totals["tests_dropped"] == {"flaky": 4, "redundant": 10}
    assert totals["tokens"] == 3840
    assert totals["seconds"] == pytest.approx(97.469)


def test_all_tested_or_covered_exits_with_0(tested, covered):
    assert exit_code([tested, covered]) == 0
    assert exit_code([]) == 0


def test_one_module_without_tests_exits_with_1(tested, failed):
    assert exit_code([tested, failed]) == 1


def test_an_error_never_exits_with_0(tested):
    assert exit_code([replace(tested, error="x", exit_code=0)]) == 1


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((0, 1, 4), 4), ((4, 3), 4), ((1, 3), 3), ((1, 2), 2), ((4, 130, 0), 130)],
)
def test_the_exit_code_that_matters_most_wins(tested, codes, expected):
    outcomes = [replace(tested, exit_code=code) for code in codes]
    assert exit_code(outcomes) == expected
    assert exit_code(outcomes[::-1]) == expected
    assert to_document(outcomes)["exit_code"] == expected
