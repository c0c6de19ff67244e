"""The text of ``hybridgen explain``: what a reader has to see at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.domain import Destination, Evidence, Fragment, Label, Prompt, SourceFile
from hybridgen.domain.explanations import (
    ExplainedFile,
    ExplainedPrompt,
    Explanation,
    Objection,
    Receiver,
    Way,
)
from hybridgen.report.explained import as_json, as_lines

PUBLIC = SourceFile(
    "src/money.py",
    "00",
    Label.PUBLIC,
    (Evidence(Label.PUBLIC, "mark", "marked public by /src/ in project file /home/x/shop/a.toml"),),
)
PLAIN = SourceFile(
    "src/cart.py",
    "01",
    Label.CONFIDENTIAL,
    (
        Evidence(Label.CONFIDENTIAL, "unmarked", "not marked, so confidential"),
        Evidence(Label.PUBLIC, "untrusted mark", "marked public, which needs: hybridgen trust"),
    ),
)
STRICT = Label.CONFIDENTIAL
LOCAL = Way(("local",), ("the model on this machine",), "it stays")
GEMINI = Destination(
    "gemini", "http://g.example", "m-1", "google-generativeai", "unpaid", Label.PUBLIC
)


@pytest.fixture
def explanation() -> Explanation:
    return Explanation(
        root=Path("/home/x/shop"),
        files=(ExplainedFile(PUBLIC), ExplainedFile(PLAIN, needs_trust=True)),
        is_folder=True,
        ways={
            Label.PUBLIC: Way(("gemini", "local"), ("Google Gemini", "here"), "public code may"),
            Label.INTERNAL: Way((), (), "not set up"),
            Label.CONFIDENTIAL: LOCAL,
        },
        receivers=(
            Receiver("gemini", "Google Gemini", GEMINI),
            Receiver("onprem", "the server in the building", None, "onprem.url is not set"),
        ),
    )


def fragment(text: str, label: Label = Label.PUBLIC, origin: str = "template system") -> Fragment:
    sources = () if origin.startswith("template") else (PUBLIC,)
    return Fragment(text, label, origin, "why", sources)


@pytest.fixture
def prompted(explanation: Explanation) -> Explanation:
    """With a prompt whose first line is made of three fragments."""
    prompt = Prompt(
        system=(fragment("Module "), fragment("shop.cart", Label.INTERNAL, "src/cart.py")),
        context=(fragment(":\n\n    x = 1\n", Label.PUBLIC, "src/money.py"),),
        request=(fragment("Write it."),),
        answer=fragment("import a\n"),
    )
    file = ExplainedFile(PUBLIC, (ExplainedPrompt("Cart.add", prompt, 1234),))
    return replace(explanation, files=(file,), is_folder=False, shows_prompts=True)


def test_a_folder_is_counted_before_it_is_listed(explanation) -> None:
    lines = as_lines(explanation).splitlines()
    assert lines[:5] == [
        "/home/x/shop: 2 files",
        "",
        "   1 public        Google Gemini, else here",
        "   0 internal      refused: not set up",
        "   1 confidential  the model on this machine",
    ]
    assert "1 with marks of the project's own that need: hybridgen trust" in lines
    assert lines[-2:] == [
        "public        src/money.py  marked public by /src/ in project file a.toml",
        "confidential  src/cart.py   marked public, which needs: hybridgen trust",
    ]


def test_a_reason_by_itself_is_shown_rather_than_a_mark_that_trust_would_not_save(
    explanation,
) -> None:
    header = Evidence(Label.CONFIDENTIAL, "header", "its first lines say so")
    file = replace(PLAIN, evidence=(*PLAIN.evidence, header))
    lines = as_lines(replace(explanation, files=(ExplainedFile(file),))).splitlines()
    assert lines[-1] == "confidential  src/cart.py  its first lines say so"


def test_receivers_tell_address_model_library_terms_and_missing_encryption(explanation) -> None:
    text = as_lines(explanation)
    assert (
        "Google Gemini\n"
        "  http://g.example, not encrypted on its way, model m-1, by google-generativeai\n"
        "  terms unpaid: people at Google may read it"
    ) in text
    assert "the server in the building\n  not asked: onprem.url is not set" in text


def test_a_line_of_a_prompt_has_the_strictest_label_of_its_words(prompted) -> None:
    lines = as_lines(prompted).splitlines()
    start = lines.index("  --- instructions")
    assert "prompt for src/money.py::Cart.add: internal, about 1,234 tokens" in lines
    assert lines[start + 1 :][:9] == [
        "  internal      src/cart.py      | Module shop.cart",
        "  --- context",
        "  public        src/money.py     | :",
        "  public        src/money.py     |",
        "  public        src/money.py     |     x = 1",
        "  --- request",
        "  public        template system  | Write it.",
        "  --- start of the answer",
        "  public        template system  | import a",
    ]


def test_a_file_without_prompts_says_why(prompted) -> None:
    file = ExplainedFile(PUBLIC, problem="line 1: syntax error")
    text = as_lines(replace(prompted, files=(file,)))
    assert "src/money.py: no prompt: line 1: syntax error" in text


def objected(prompted: Explanation, **places: str) -> Explanation:
    """Three prompts, of which two are refused for one reason."""
    [file] = prompted.files
    why = Objection(
        "copy", "a.py:2 has text of b.py:1", "take it out", tuple(places.items()), STRICT
    )
    [one] = file.prompts
    prompts = (
        replace(one, target="a", is_checked=True, objection=why),
        replace(one, target="b", is_checked=True),
        replace(one, target="c", is_checked=True, objection=why),
    )
    return replace(prompted, files=(replace(file, prompts=prompts),), shows_prompts=False)


def test_a_reason_for_several_prompts_is_said_once_with_their_names(prompted) -> None:
    lines = as_lines(objected(prompted)).splitlines()
    assert lines[0] == "src/money.py: public, but a part is refused, and a run ends there"
    assert "  refused   the prompts for a and c: a.py:2 has text of b.py:1" in lines
    assert "            take it out" in lines
    assert not any("checked" in line for line in lines)


def test_the_document_names_what_is_refused_and_is_as_strict_as_what_it_names(prompted) -> None:
    found = json.loads(as_json(objected(prompted, place="a.py:2", copy_of="b.py:1")))
    assert found["label"] == "confidential"
    assert found["files"][0]["gate"] == {
        "asked_about": ["a", "b", "c"],
        "refusals": [
            {
                "targets": ["a", "c"],
                "reason": "copy",
                "why": "a.py:2 has text of b.py:1",
                "next": "take it out",
                "place": "a.py:2",
                "copy_of": "b.py:1",
            }
        ],
    }


def test_the_document_has_the_fragments_as_they_are(prompted) -> None:
    [file] = json.loads(as_json(prompted))["files"]
    [prompt] = file["prompts"]
    assert [part["text"] for part in prompt["fragments"]] == [
        "Module ", "shop.cart", ":\n\n    x = 1\n", "Write it.", "import a\n",
    ]  # fmt: skip
    assert [part["part"] for part in prompt["fragments"]] == [
        "system", "system", "context", "request", "answer",
    ]  # fmt: skip
    assert (prompt["label"], prompt["tokens"]) == ("internal", 1234)


def test_the_document_states_the_strictest_label_of_all_files(explanation) -> None:
    document = json.loads(as_json(explanation))
    assert document["label"] == "confidential"
    assert document["files"][0]["evidence"][0]["rule"] == "mark"
    assert document["receivers"]["onprem"] == {
        "is_asked": False,
        "why_not": "onprem.url is not set",
    }
    assert json.loads(as_json(replace(explanation, files=())))["label"] == "confidential"


def test_control_characters_of_a_project_do_not_steer_the_terminal(explanation) -> None:
    file = ExplainedFile(replace(PUBLIC, path="a\x1b[2J\nsrc/b.py"))
    text = as_lines(replace(explanation, files=(file,)))
    assert "\x1b" not in text
    assert "\npublic        a\\x1b[2J src/b.py  marked" in text
