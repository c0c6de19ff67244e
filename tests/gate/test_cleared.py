"""Nobody but the gate makes a Cleared."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import pickle
from pathlib import Path

import pytest

import hybridgen
from hybridgen.domain import Payload
from hybridgen.gate import Cleared, outgoing_bytes
from hybridgen.gate.cleared import Cleared as TheSame


@pytest.fixture
def cleared(gate, prices, prices_text, prompt_of, gemini):
    return gate.clear(prompt_of(prices_text, prices), gemini)


def test_one_that_was_not_cleared_cannot_be_built(gemini):
    with pytest.raises(TypeError, match="only the gate"):
        Cleared(gemini, Payload("", "", ""), "0" * 64, 0, 1)
    with pytest.raises(TypeError, match="only the gate"):
        Cleared(gemini, Payload("", "", ""), "0" * 64, 0, 1, seal=object())


def test_it_cannot_get_another_text_or_destination(cleared, gemini):
    elsewhere = dataclasses.replace(gemini, url="https://elsewhere.example")
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(cleared, destination=elsewhere)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cleared.destination = elsewhere


def test_a_subclass_that_needs_no_seal_cannot_be_made():
    with pytest.raises(TypeError, match="no subclasses"):
        type("Forged", (Cleared,), {"__post_init__": lambda self, seal: None})


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_copied(cleared, make):
    with pytest.raises(TypeError, match="neither be copied nor pickled"):
        make(cleared)


def test_the_seal_is_named_by_the_gate_alone():
    package = Path(hybridgen.__file__).parent
    places = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "_SEAL" in path.read_text(encoding="utf-8")
    }
    assert places == {"gate/cleared.py", "gate/clear.py"}
    assert TheSame is Cleared


def test_hash_and_size_are_of_all_texts_and_the_model(cleared, prices_text):
    data = outgoing_bytes(cleared.payload, "gemini-2.5-flash")
    assert json.loads(data) == {
        "answer_start": "tests.",
        "model": "gemini-2.5-flash",
        "system": "You write tests.\n",
        "user": prices_text,
    }
    assert (cleared.sha256, cleared.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert outgoing_bytes(cleared.payload, "another") != data


def test_the_bytes_are_utf_8_in_one_fixed_form():
    data = outgoing_bytes(Payload("é", "u", "a"), "m")
    assert data == '{"answer_start": "a", "model": "m", "system": "é", "user": "u"}'.encode()
