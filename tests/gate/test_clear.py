"""What the gate lets out, and everything that it does not."""

from __future__ import annotations

import ast
import base64
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen import __version__
from hybridgen.domain import Evidence, Fragment, Label, Payload, SourceFile, Usage
from hybridgen.errors import GateRefusal
from hybridgen.gate import FingerprintIndex, Gate, Ledger
from hybridgen.gate import clear as clearing

KEY = "AIza" + "SyA-1234567890abcdefghijklmnopqrstu"


@pytest.fixture
def refused(gate, gemini):
    """The refusal of a prompt."""

    def ask(prompt, destination=gemini, by=gate):
        with pytest.raises(GateRefusal) as caught:
            by.clear(prompt, destination)
        assert caught.value.hint
        assert caught.value.exit_code == 4
        return caught.value

    return ask


def entries(ledger):
    return [(entry.kind, entry.details.get("reason")) for entry in ledger.entries()]


def test_public_text_is_cleared_as_it_is(gate, prompt_of, prices, prices_text, gemini, ledger):
    cleared = gate.clear(prompt_of(prices_text, prices), gemini)
    assert cleared.destination == gemini
    assert cleared.payload == Payload("You write tests.\n", prices_text, "tests.")
    (entry,) = ledger.entries()
    assert (entry.number, entry.kind) == (cleared.entry, "send")
    assert entry.details["sha256"] == cleared.sha256
    assert entry.details["size"] == cleared.size
    assert entry.details["destination"]["terms"] == "paid"
    (file,) = entry.details["files"]
    assert (file["path"], file["sha256"], file["label"]) == (
        "src/prices.py",
        prices.sha256,
        "public",
    )
    assert file["evidence"][0]["detail"] == "src/prices.py is marked in the settings"


def test_what_an_answer_cost_and_what_failed_is_written_down(
    gate, prompt_of, prices, prices_text, gemini, ledger
):
    cleared = gate.clear(prompt_of(prices_text, prices), gemini)
    gate.done(cleared, Usage(100, 20, 1.5), attempts=3)
    gate.failed(cleared, "503 from the service" + "x" * 1000)
    gate.failed(cleared, "cannot be reached", may_have_left=False)
    reply, failure, unsent = [entry for entry in ledger.entries() if entry.kind != "send"]
    assert reply.details == {
        "answers_entry": cleared.entry,
        "attempts": 3,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "seconds": 1.5,
    }
    assert failure.details["answers_entry"] == cleared.entry
    assert len(failure.details["why"]) == 300
    assert (failure.details["left"], unsent.details["left"]) == ("maybe", "no")


def test_a_route_that_was_refused_is_written_down_with_its_files(gate, margins, ledger, shop):
    gate.refused((margins,), "gemini")
    (entry,) = ledger.entries()
    assert entries(ledger) == [("refusal", "route")]
    assert entry.details["destination"] == {"backend": "gemini"}
    assert entry.details["project"] == str(shop.root)
    (file,) = entry.details["files"]
    assert (file["path"], file["sha256"]) == ("src/margins.py", margins.sha256)
    assert file["label"] == "confidential"


def test_a_refused_route_needs_no_ledger(margins, shop, index, state):
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "ledger").write_text("in the way")
    gate = Gate(Ledger(state / "ledger"), index, shop.relabel, lambda text: True)
    gate.refused((margins,), "gemini")
    assert (state / "ledger").read_text() == "in the way"


def test_an_entry_names_the_version_that_wrote_it(gate, prompt_of, prices, gemini, ledger):
    gate.clear(prompt_of("x = 1\n", prices), gemini)
    assert next(ledger.entries()).details["version"] == __version__


# Labels


def test_confidential_text_is_refused(refused, prompt_of, margins, ledger):
    error = refused(prompt_of("x = 1\n", margins))
    assert "src/margins.py:1 is confidential" in error.message
    assert "hybridgen explain src/margins.py" in error.hint
    assert entries(ledger) == [("refusal", "label")]


def test_a_refusal_is_written_down_with_files_and_without_text(refused, prompt_of, margins, state):
    refused(prompt_of("unique_word_of_the_text = 1\n", margins))
    kept = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert margins.sha256.encode() in kept
    assert b"unique_word_of_the_text" not in kept


def test_one_confidential_file_behind_a_public_text_is_enough(refused, prompt_of, prices, margins):
    prompt = prompt_of("x = 1\n", prices)
    about = replace(prompt.context[0], sources=(prices, margins))
    assert "confidential" in refused(replace(prompt, context=(about,))).message


def test_a_label_stricter_than_its_files_counts(refused, prompt_of, prices):
    prompt = prompt_of("x = 1\n", prices)
    about = replace(prompt.context[0], label=Label.INTERNAL)
    assert "internal" in refused(replace(prompt, context=(about,))).message


def test_internal_text_goes_to_a_server_in_the_building_only(
    gate, refused, prompt_of, shop, gemini, onprem
):
    terms = shop.write("src/terms.py", "days = 30\n", Label.INTERNAL)
    prompt = prompt_of("days = 30\n", terms)
    assert gate.clear(prompt, onprem).destination == onprem
    assert "internal" in refused(prompt, gemini).message


def test_confidential_text_goes_nowhere_whatever_a_destination_claims(
    refused, prompt_of, margins, prices, onprem, ledger
):
    claims = replace(onprem, clearance=Label.CONFIDENTIAL)
    assert "never leaves" in refused(prompt_of("x = 1\n", margins), claims).message
    assert "never leaves" in refused(prompt_of("x = 1\n", prices), claims).message
    assert entries(ledger) == [("refusal", "destination")] * 2


def test_text_that_is_no_fragment_is_refused(refused, prompt_of, prices):
    prompt = prompt_of("x = 1\n", prices)

    class Disguised:
        """Says of itself what a fragment says."""

        text, label, origin, why, sources = "x", Label.PUBLIC, "o", "w", (prices,)

    for part in ("x = 1\n", Disguised()):
        assert "no fragment" in refused(replace(prompt, context=(part,))).message


def test_text_without_a_file_must_be_our_own(refused, prompt_of, prices, ledger):
    stray = Fragment("somebody's words", Label.PUBLIC, "somewhere", "said so")
    assert "somewhere" in refused(prompt_of("x = 1\n", prices, more=(stray,))).message
    assert entries(ledger) == [("refusal", "no source")]


def test_our_own_words_must_be_public(refused, prompt_of, prices, onprem, ledger):
    ours = Fragment("You write tests.\n", Label.INTERNAL, "template system", "raised")
    assert "template system" in refused(prompt_of("x = 1\n", prices, more=(ours,)), onprem).message
    assert entries(ledger) == [("refusal", "no source")]


# Files


def test_a_file_that_changed_since_it_was_read_is_refused(refused, prompt_of, prices, shop, ledger):
    (shop.root / "src/prices.py").write_text("x = 2\n")
    assert "src/prices.py: it was changed" in refused(prompt_of("x = 1\n", prices)).message
    assert entries(ledger) == [("refusal", "changed")]


def test_a_file_that_got_stricter_is_refused(refused, prompt_of, prices, shop):
    shop.labels["src/prices.py"] = Label.INTERNAL
    assert "internal now, and was public" in refused(prompt_of("x = 1\n", prices)).message


def test_a_file_that_is_gone_is_refused(refused, prompt_of, prices, shop):
    (shop.root / "src/prices.py").unlink()
    assert "cannot be labelled again" in refused(prompt_of("x = 1\n", prices)).message


def test_whatever_goes_wrong_while_labelling_again_is_a_refusal(
    refused, prompt_of, prices, ledger, index
):
    for answer in (None, "public", SourceFile("src/prices.py", prices.sha256, 0, ())):
        gate = Gate(ledger, index, lambda source, answer=answer: answer, lambda text: True)
        refused(prompt_of("x = 1\n", prices), by=gate)


# Secrets


def test_a_secret_is_named_by_kind_and_place_and_never_shown(
    refused, prompt_of, shop, ledger, state
):
    text = f"x = 1\ny = 2\nkey = '{KEY}'\n"
    keyed = shop.write("src/keyed.py", text, Label.PUBLIC)
    prompt = prompt_of(text.partition("\n")[2], keyed)
    outline = replace(prompt.context[0], origin="src/keyed.py")
    error = refused(replace(prompt, context=(outline,)))
    assert error.message == "src/keyed.py:3 seems to hold a secret: Google key"
    assert KEY not in str(error)
    assert entries(ledger) == [("refusal", "secret")]
    details = next(ledger.entries()).details
    assert (details["place"], details["secret"]) == ("src/keyed.py:3", "Google key")
    assert all(KEY.encode() not in path.read_bytes() for path in state.rglob("*.*"))


def test_a_secret_split_over_two_fragments_is_found(refused, prompt_of, prices):
    rest = Fragment(f"{KEY[9:]}'\n", Label.PUBLIC, "src/prices.py:7", "marked", (prices,))
    error = refused(prompt_of(f"x = 1\nkey = '{KEY[:9]}", prices, more=(rest,)))
    assert "Google key" in error.message
    assert "src/prices.py:1 (with what follows it in the prompt)" in error.message


def test_a_secret_in_the_start_of_the_answer_is_found(refused, prompt_of, prices):
    start = Fragment(f"# {KEY}\n", Label.PUBLIC, "src/prices.py:3", "marked", (prices,))
    assert "Google key" in refused(replace(prompt_of("x = 1\n", prices), answer=start)).message


# Copies


def test_a_copy_of_a_confidential_function_is_refused_and_both_places_are_named(
    refused, prompt_of, shop, index, margins, margins_text, ledger
):
    index.add(margins, margins_text)
    copied = shop.write("src/open.py", f"x = 1\n\n\n{margins_text}", Label.PUBLIC)
    error = refused(prompt_of(f"x = 1\n\n\n{margins_text}", copied))
    original = f"{shop.root}/src/margins.py:"
    assert error.message.startswith(f"src/open.py:4 has text of {original}")
    assert "no longer there" not in error.message
    assert "README" in error.hint
    assert f"hybridgen mark public {shop.root}/src/margins.py, then hybridgen trust" in error.hint
    assert entries(ledger) == [("refusal", "copy")]
    details = next(ledger.entries()).details
    assert details["place"] == "src/open.py:4"
    assert details["copy_of"].startswith(original)
    assert details["copy_of"] in error.message
    assert details["copy_label"] == "confidential"


@pytest.mark.parametrize("width", [76, 10_000])
def test_a_copy_in_base64_is_refused(
    refused, prompt_of, shop, index, margins, margins_text, ledger, width
):
    text = f"# Größe\n{margins_text}"
    index.add(margins, text)
    digits = base64.b64encode(text.encode()).decode()
    lines = "".join(f'    "{line}"\n' for line in textwrap.wrap(digits, width))
    copied = shop.write("src/open.py", f"CODE = (\n{lines})\n", Label.PUBLIC)
    error = refused(prompt_of(f"CODE = (\n{lines})\n", copied))
    assert error.message.startswith(f"src/open.py:2 has text of {shop.root}/src/margins.py:")
    assert entries(ledger) == [("refusal", "copy")]


@pytest.mark.parametrize("rule", ["header", "ignore file", "mark in the file"])
def test_no_mark_is_advised_where_no_mark_helps(
    prompt_of, shop, index, margins, margins_text, ledger, refused, rule
):
    index.add(margins, margins_text)
    copied = shop.write("src/open.py", margins_text, Label.PUBLIC)
    why = Evidence(Label.CONFIDENTIAL, rule, "it says so")

    def relabel(source):
        now = shop.relabel(source)
        return replace(now, evidence=(why,)) if source.path == margins.path else now

    gate = Gate(
        ledger, index, relabel, "You write tests.\ntests.".__contains__, project=str(shop.root)
    )
    error = refused(prompt_of(margins_text, copied), by=gate)
    assert "has text of" in error.message
    assert "hybridgen mark" not in error.hint
    assert "--backend local" in error.hint


def test_the_place_of_a_copy_is_not_the_template_before_it(
    refused, prompt_of, index, prices, prices_text, margins, margins_text
):
    index.add(margins, margins_text)
    body = margins_text.partition("def ")[2]
    parts = (
        Fragment("You ", Label.PUBLIC, "template system", "part of hybridgen"),
        Fragment(body, Label.PUBLIC, "src/prices.py:77", "marked", (prices,)),
    )
    error = refused(prompt_of(prices_text, prices, more=parts))
    assert error.message.startswith("src/prices.py:77 has text of")


def test_a_copy_of_a_file_that_is_gone_is_refused(
    refused, prompt_of, shop, index, margins, margins_text
):
    index.add(margins, margins_text)
    (shop.root / "src/margins.py").unlink()
    copied = shop.write("src/open.py", margins_text, Label.PUBLIC)
    error = refused(prompt_of(margins_text, copied))
    assert "no longer there" in error.message
    assert "hybridgen mark" not in error.hint
    assert f"hybridgen purge --moved {shop.root}/src/margins.py" in error.hint


def test_a_copy_of_a_project_that_is_gone_says_how_to_forget_it(
    refused, prompt_of, shop, state, margins, margins_text
):
    old = shop.root.parent / "its old name"
    elsewhere = FingerprintIndex(state / "fingerprints", old)
    elsewhere.add(margins, margins_text)
    elsewhere.close()
    copied = shop.write("src/open.py", margins_text, Label.PUBLIC)
    error = refused(prompt_of(margins_text, copied))
    assert f"hybridgen purge --moved '{old}'" in error.hint


def test_a_copy_spread_over_fragments_is_refused(
    refused, prompt_of, prices, index, margins, margins_text
):
    index.add(margins, margins_text)
    lines = margins_text.splitlines(keepends=True)
    parts = tuple(Fragment(line, Label.PUBLIC, "p:1", "marked", (prices,)) for line in lines)
    assert "src/margins.py" in refused(prompt_of("x = 1\n", prices, more=parts)).message


def test_a_copy_in_another_layout_is_refused(
    refused, prompt_of, prices, index, margins, margins_text
):
    index.add(margins, margins_text)
    again = ast.unparse(ast.parse(margins_text)).replace("    ", "\t").replace("'", '"')
    assert "src/margins.py" in refused(prompt_of(again, prices)).message


def test_without_the_index_nothing_is_sent(prompt_of, prices, shop, ledger, state, refused):
    (state / "fingerprints").mkdir(parents=True, mode=0o700)
    (state / "fingerprints" / "fingerprints.db").write_bytes(b"no database" * 100)
    (state / "fingerprints" / "fingerprints.db").chmod(0o600)
    index = FingerprintIndex(state / "fingerprints", shop.root)
    gate = Gate(ledger, index, shop.relabel, lambda text: True)
    assert "fingerprints.db" in refused(prompt_of("x = 1 ; y = 2 " * 9, prices), by=gate).message
    assert entries(ledger) == [("refusal", "unavailable")]


# Ledger


def test_without_a_ledger_nothing_is_sent(prompt_of, prices, shop, index, state, refused):
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "ledger").write_text("in the way")
    gate = Gate(Ledger(state / "ledger"), index, shop.relabel, lambda text: True)
    assert "nothing is sent" in refused(prompt_of("x = 1\n", prices), by=gate).message


def test_a_refusal_stands_without_a_ledger(prompt_of, margins, shop, index, state, refused):
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "ledger").write_text("in the way")
    gate = Gate(Ledger(state / "ledger"), index, shop.relabel, lambda text: True)
    assert "is confidential" in refused(prompt_of("x = 1\n", margins), by=gate).message


def test_with_a_broken_ledger_nothing_is_sent(gate, refused, prompt_of, prices, gemini, ledger):
    gate.clear(prompt_of("x = 1\n", prices), gemini)
    with ledger.path.open("ab") as file:
        file.write(b'{"half a li')
    error = refused(prompt_of("x = 1\n", prices))
    assert "its last line is broken" in error.message
    assert "hybridgen audit verify" in error.hint


def test_the_entry_is_on_the_disk_before_the_text_is_cleared(
    gate, prompt_of, prices, gemini, ledger, monkeypatch
):
    seen = []
    real = clearing.Cleared

    def watched(*arguments, **named):
        seen.append([entry.kind for entry in ledger.entries()])
        return real(*arguments, **named)

    monkeypatch.setattr(clearing, "Cleared", watched)
    gate.clear(prompt_of("x = 1\n", prices), gemini)
    assert seen == [["send"]]


def test_an_error_while_deciding_is_a_refusal(prompt_of, prices, shop, ledger, index, refused):
    def is_ours(text):
        raise RuntimeError("words of the project")

    gate = Gate(ledger, index, shop.relabel, is_ours)
    error = refused(prompt_of("x = 1\n", prices), by=gate)
    assert "RuntimeError" in error.message
    assert "words of the project" not in str(error)
    assert entries(ledger) == [("refusal", "undecided")]


def test_text_that_has_no_bytes_is_a_refusal(prompt_of, prices, refused):
    refused(prompt_of("x = '\ud800'\n", prices))


def test_the_reason_of_a_label_is_said(refused, prompt_of, shop):
    source = shop.write("src/deep.py", "x = 1\n", Label.CONFIDENTIAL)
    why = Evidence(Label.CONFIDENTIAL, "header", "line 1 says Proprietary")
    prompt = prompt_of("x = 1\n", replace(source, evidence=(why,)))
    prompt = replace(prompt, context=(replace(prompt.context[0], label=Label.PUBLIC),))
    assert "src/deep.py: line 1 says Proprietary" in refused(prompt).message


def test_no_path_is_needed(prompt_of, prices, gemini, tmp_path: Path):
    ledger, index = Ledger(tmp_path / "a"), FingerprintIndex(tmp_path / "b")
    gate = Gate(ledger, index, lambda source: source, lambda text: True)
    assert gate.clear(prompt_of("x = 1\n", prices), gemini).entry == 1
