"""What is said of what a run sent."""

from __future__ import annotations

import json

from hybridgen.domain import Destination, Label, Sent
from hybridgen.report.sent import sent_document, sent_lines
from hybridgen.report.terms import terms_line

GEMINI = Destination(
    "gemini", "https://generativelanguage.example", "flash", "google-genai", "paid", Label.PUBLIC
)
ONPREM = Destination(
    "onprem", "http://models.corp:8000", "coder", "openai-compatible", "onprem", Label.INTERNAL
)
HEAD = "ab" * 32


def test_a_run_that_sent_nothing_says_nothing_of_it() -> None:
    assert list(sent_lines((), None)) == []
    assert list(sent_lines((), HEAD)) == []


def test_each_destination_has_a_line_with_how_much_where_and_its_terms() -> None:
    sent = (Sent(GEMINI, 1, 1234567), Sent(ONPREM, 12, 80))
    first, second, _ = sent_lines(sent, HEAD)
    assert first == (
        "sent: 1 prompt, 1,234,567 bytes, to gemini (https://generativelanguage.example, flash): "
        + terms_line("paid", "google-genai")
    )
    assert second == (
        "sent: 12 prompts, 80 bytes, to onprem (http://models.corp:8000, coder): "
        + terms_line("onprem", "openai-compatible")
    )


def test_what_got_no_answer_is_said_to_have_arrived_perhaps() -> None:
    one, two, _ = sent_lines((Sent(GEMINI, 1, 9, 1), Sent(ONPREM, 12, 80, 3)), HEAD)
    assert one.startswith("sent: 1 prompt (without an answer: may have arrived), 9 bytes, to")
    assert two.startswith("sent: 12 prompts (3 of them without an answer: may have arrived), 80")


def test_the_last_line_has_the_whole_head_and_the_command_that_shows_what_it_was() -> None:
    last = list(sent_lines((Sent(GEMINI, 1, 9),), HEAD))[-1]
    assert f"head is {HEAD}" in last
    assert "hybridgen audit list" in last


def test_the_document_says_the_same_and_can_be_json() -> None:
    document = sent_document((Sent(GEMINI, 2, 300, unanswered=1), Sent(ONPREM, 1, 80)), HEAD)
    assert json.loads(json.dumps(document)) == document
    assert document["ledger_head"] == HEAD
    assert document["destinations"] == [
        {
            "backend": "gemini",
            "url": "https://generativelanguage.example",
            "model": "flash",
            "sdk": "google-genai",
            "terms": "paid",
            "prompts": 2,
            "unanswered": 1,
            "bytes": 300,
        },
        {
            "backend": "onprem",
            "url": "http://models.corp:8000",
            "model": "coder",
            "sdk": "openai-compatible",
            "terms": "onprem",
            "prompts": 1,
            "unanswered": 0,
            "bytes": 80,
        },
    ]


def test_a_document_of_a_run_that_sent_nothing_says_so() -> None:
    assert sent_document((), None) == {"destinations": [], "ledger_head": None}
