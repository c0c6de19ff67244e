"""The line about terms says what matters, and where it was read."""

from __future__ import annotations

import re

import pytest

from hybridgen.report.terms import terms_line

GEMINI = ["unpaid", "paid", "paid-no-storage", "vertex"]
SDKS = ["google-genai", "google-generativeai"]


@pytest.mark.parametrize("terms", GEMINI)
@pytest.mark.parametrize("sdk", SDKS)
def test_every_line_names_its_pages_and_the_day_on_which_they_were_read(terms, sdk) -> None:
    line = terms_line(terms, sdk)
    assert re.search(r"\(.+; .*read \d{4}-\d\d-\d\d", line)
    assert "\n" not in line


def test_unpaid_says_that_people_read_it_and_google_learns_from_it() -> None:
    line = terms_line("unpaid", "google-genai")
    assert "people at Google may read it" in line
    assert "improves its products with it" in line


@pytest.mark.parametrize("terms", ["paid", "paid-no-storage"])
def test_paid_promises_no_improvement_but_not_that_nothing_is_kept(terms) -> None:
    line = terms_line(terms, "google-genai")
    assert "does not improve products" in line
    assert "55 days" in line
    assert "people at Google may read" not in line


@pytest.mark.parametrize("terms", GEMINI)
def test_only_the_sdk_that_can_switch_storage_off_says_so(terms) -> None:
    assert "cannot switch storage off" in terms_line(terms, "google-generativeai")
    assert "store=false" not in terms_line(terms, "google-generativeai")
    assert "cannot switch storage off" not in terms_line(terms, "google-genai")


def test_a_server_of_ones_own_has_no_terms_of_google() -> None:
    assert "Google" not in terms_line("onprem", "openai-compatible")


def test_terms_that_nobody_said_are_not_invented() -> None:
    assert terms_line("", "google-genai").startswith("nobody said which terms hold")
