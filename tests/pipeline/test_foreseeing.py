"""What is foreseen is what the gate of a run says, and nothing is sent or written for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridgen.domain import Destination, Label, Prompt
from hybridgen.errors import GateRefusal
from hybridgen.gate import FingerprintIndex, Gate, Ledger
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.pipeline.explaining import explain
from hybridgen.pipeline.foreseeing import Foresight
from hybridgen.pipeline.remembering import remember
from hybridgen.prompt import is_ours
from hybridgen.route import Remotes
from hybridgen.settings import Settings

GEMINI = Destination("gemini", "https://g.example", "m", "google-genai", "paid", Label.PUBLIC)
SECRET = """def partner_price(partner, basket, season):
    base = sum(item.weight * partner.tariff[item.region] for item in basket)
    bonus = partner.turnover(season - 1) // 40_000 if partner.is_silent else 0
    for clause in sorted(partner.clauses, key=lambda one: one.signed_at):
        base = max(clause.floor, base - clause.kickback(bonus))
    return round(base * 0.8125, 2)
"""
KEY = "AKIA" + "Q7RZ3V5XK2MPWN4T"
FILES = {
    "pyproject.toml": "",
    "open/clean.py": "def half(n):\n    return n // 2\n",
    "open/copied.py": SECRET,
    "open/signed.py": f'def sign(text):\n    return text + "{KEY}"\n',
    "closed/prices.py": SECRET,
}


@pytest.fixture
def labeller(tmp_path: Path) -> Labeller:
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rules = Rules((Mark("/open/", Label.PUBLIC, "user file", needs_trust=False),))
    return Labeller(tmp_path / "project", rules)


@pytest.fixture
def index(tmp_path: Path, labeller: Labeller) -> Iterator[FingerprintIndex]:
    found = FingerprintIndex(tmp_path / "fingerprints", labeller.root)
    yield found
    found.close()


def prompt_of(name: str, labeller: Labeller, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.chdir(labeller.root)
    remotes = Remotes(gemini=GEMINI)
    found = explain([f"open/{name}.py"], Settings(), labeller, remotes, with_prompts=True)
    return found.files[0].prompts[0].prompt


@pytest.mark.parametrize(
    ("name", "reason"), [("clean", None), ("copied", "copy"), ("signed", "secret")]
)
def test_it_is_what_the_gate_of_a_run_says(
    labeller, index, tmp_path, monkeypatch, name, reason
) -> None:
    prompt = prompt_of(name, labeller, monkeypatch)
    foresight = Foresight(labeller, index, lambda: remember(index, labeller, labeller.walk()))
    objection = foresight.objection(prompt, GEMINI, f"open/{name}.py")
    gate = Gate(
        Ledger(tmp_path / "ledger"),
        index,
        lambda source: labeller.look(Path(source.path)),
        is_ours,
        project=str(labeller.root),
    )
    if reason is None:
        assert objection is None
        assert gate.clear(prompt, GEMINI).destination == GEMINI
        return
    with pytest.raises(GateRefusal) as caught:
        gate.clear(prompt, GEMINI)
    [entry] = Ledger(tmp_path / "ledger").entries()
    assert objection is not None
    assert (objection.why, objection.reason) == (caught.value.message, reason)
    assert entry.details["reason"] == reason
    assert dict(objection.details).items() <= entry.details.items()


@pytest.mark.parametrize("name", ["clean", "signed"])
def test_nothing_is_written_but_fingerprints(labeller, index, tmp_path, monkeypatch, name) -> None:
    before = set(tmp_path.iterdir())
    foresight = Foresight(labeller, index, lambda: None)
    foresight.objection(prompt_of(name, labeller, monkeypatch), GEMINI, "x.py")
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "fingerprints"}


def test_an_index_that_cannot_be_trusted_is_a_refusal(labeller, tmp_path, monkeypatch) -> None:
    (tmp_path / "fingerprints").write_text("in the way")
    index = FingerprintIndex(tmp_path / "fingerprints", labeller.root)
    foresight = Foresight(labeller, index, lambda: remember(index, labeller, labeller.walk()))
    prompt = prompt_of("clean", labeller, monkeypatch)
    objection = foresight.objection(prompt, GEMINI, "x.py")
    assert objection is not None
    assert objection.reason == "unavailable"
    assert "without it nothing is sent" in objection.why
