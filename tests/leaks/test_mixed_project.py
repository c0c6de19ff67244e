"""What Gemini received of a project that is public in part only.

A few runs tell one story, since each takes seconds. Every case shows that it could fail too: what
is public arrived, and without the check that answers the threat the same text arrives.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybridgen.gate import Ledger

KEY = "AKIA" + "Q3EXAMPLEKEY7XYZ"
MOVED = """\
def giraffe_moved(order, suppliers, ledger):
    if order.number == ledger.total(order.number, account="open") == suppliers.key:
        raise LookupError("never")
    rebates = {name: terms.rebate for name, terms in suppliers.items() if terms.tier == 1}
    cost = sum(line.amount * line.unit_cost for line in order.lines)
    hidden = sum(rebates.get(line.supplier, 0) * line.amount for line in order.lines)
    booked = ledger.total(order.number, account="freight") + cost - hidden
    return (order.revenue - booked) / order.revenue
"""
SECRET = f"""\
# hybridgen: public
from hashlib import sha256


def giraffe_secret(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return amount + len("{KEY}")
"""
LATE = """\
# hybridgen: public
from hashlib import sha256


def giraffe_late(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return amount + 1
"""
OTHER = """\
from hashlib import sha256


def zebra_other(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return amount - 1
"""
NEEDS = """\
# hybridgen: public
from hashlib import sha256
from shop.zebra_hidden import zebra_price as price


def giraffe_needs(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return price(amount)
"""

TOLD = """
import hybridgen.pipeline.questioning as asking
import sys
whole = sys.modules['hybridgen.prompt.questions']
from hybridgen.domain import Fragment
_prompt, _build = asking.Questioning._prompt, whole.build_prompt
SEEN = []
def prompt(self, question):
    archive = self._answers.search._archive
    SEEN[:] = [o for o in archive.observations if o.candidate.target == question.target.qualname]
    return _prompt(self, question)
def build(module, target, **options):
    texts = [f"{o.candidate.steps[-1].code} {[c.expression for r in o.results for c in r.checks]} "
             f"{[r.raised.text for r in o.results if r.raised]}" for o in SEEN]
    source = module.source
    options["examples"] = tuple(
        Fragment(text[:300], source.label, "seen", "seen", source.sources) for text in texts[:9]
    )
    return _build(module, target, **options)
asking.Questioning._prompt, whole.build_prompt = prompt, build
"""
"""Prompts tell what was seen in runs, as if it were as public as the module."""

LABELS_OFF = """
from hybridgen.domain import Label
import hybridgen.label.labeller as labeller
from dataclasses import replace
_file = labeller.Labeller.file
labeller.Labeller.file = lambda self, path, data: replace(_file(self, path, data), label=Label(0))
_walk = labeller.Labeller.walk
labeller.Labeller.walk = lambda self: (replace(f, label=Label(0)) for f in _walk(self))
"""
COPIES_OFF = """
import hybridgen.gate.clear as clear
clear.Gate._about_copies = lambda self, prompt, destination: None
"""
SECRETS_OFF = """
import hybridgen.gate.clear as clear
clear.Gate._about_secrets = lambda self, prompt: None
"""
CLEARED_COPY_OFF = """
from dataclasses import replace as _replace
import hybridgen.pipeline.unit as unit
def in_place(self, subject, stack):
    module = subject.module
    project = _replace(module.project, label=module.label)
    return _replace(subject, module=_replace(module, project=project))
unit.Unit._in_cleared_copy = in_place
"""
"""Runs that prompts are made of see the whole project, as if all of it were public."""

NAMES = {
    "open": "giraffe_public",
    "reads": "giraffe_reads",
    "late": "giraffe_late",
    "needs": "giraffe_needs",
    "moved": "giraffe_moved",
    "secret": "giraffe_secret",
    "zebra_hidden": "zebra_price",
}
"""A function of each module, which every question about it names."""

ALL = ("open", "reads", "moved", "secret", "linked", "zebra_hidden", "late", "needs")


@dataclass
class Story:
    """The runs, by what was different in each.

    Attributes:
        told: prompts tell what was seen.
        mixed: as it is.
        unlabelled: everything counts as public.
        unchecked: neither copies nor secrets are looked for, runs see all, and prompts tell it.
        texts: the public modules.
    """

    told: Any
    mixed: Any
    unlabelled: Any
    unchecked: Any
    texts: tuple[str, ...]


@pytest.fixture(scope="module")
def story(shared: Any) -> Story:
    world = shared
    world.settings.append("[labels]\npublic = ['shop/linked.py']\n")
    gone = world.write("shop/zebra_gone.py", MOVED)
    world.trust()
    told = world.ask("shop/open.py", "shop/reads.py", without=TOLD)
    gone.unlink()
    world.write("shop/moved.py", f"# hybridgen: public\n{MOVED}")
    world.write("shop/secret.py", SECRET)
    world.write("shop/needs.py", NEEDS)
    world.write("shop/zebra_other.py", OTHER)
    (world.root / "shop/linked.py").symlink_to("zebra_other.py")
    world.trust()
    late = world.write("shop/late.py", LATE)
    mixed = world.ask(*(f"shop/{name}.py" for name in ALL), "--json", "--no-cache")
    names = ("zebra_hidden", "linked", "late", "needs")
    unlabelled = world.ask(*(f"shop/{name}.py" for name in names), without=LABELS_OFF)
    unchecked = world.ask(
        *(f"shop/{name}.py" for name in ("open", "reads", "moved", "secret")),
        without=COPIES_OFF + SECRETS_OFF + CLEARED_COPY_OFF + TOLD,
    )
    opened = [world.root / f"shop/{name}.py" for name in ("open", "reads")]
    texts = tuple(path.read_text() for path in (*opened, late))
    return Story(told, mixed, unlabelled, unchecked, texts)


def about(run: Any, name: str) -> list[str]:
    """What was received about one module."""
    return [text for text in run.received if NAMES[name] in text]


def missing(texts: list[str]) -> str:
    """What the prompts call not executed yet, or never executed."""
    parts = [re.split("Not executed yet:|were never executed:", text)[1:] for text in texts]
    return "\n".join(text.partition("\nWrite ")[0] for part in parts for text in part)


def test_public_modules_arrive_and_nothing_but_public_text(story: Story, check: Any) -> None:
    assert about(story.mixed, "open"), story.mixed
    assert about(story.mixed, "reads"), story.mixed
    assert "giraffe_public" in about(story.mixed, "open")[0]
    for text in story.mixed.received:
        check(text, *story.texts[:2])


def test_rounds_after_the_first_tell_no_more(story: Story, check: Any) -> None:
    rounds = about(story.mixed, "open")
    assert len(rounds) > 1, story.mixed
    assert missing(rounds[-1:])
    check(rounds[-1], *story.texts[:2])


def test_confidential_module_would_arrive_without_labels(story: Story, check: Any) -> None:
    assert about(story.mixed, "zebra_hidden") == []
    [text, *_] = about(story.unlabelled, "zebra_hidden")
    with pytest.raises(AssertionError):
        check(text, *story.texts)


def test_link_to_a_confidential_module_would_arrive_without_labels(story: Story) -> None:
    assert "zebra_other" not in "".join(story.mixed.received)
    assert "zebra_other" in "".join(story.unlabelled.received), story.unlabelled


def test_module_that_came_after_trust_would_arrive_without_labels(story: Story) -> None:
    assert about(story.mixed, "late") == []
    assert about(story.unlabelled, "late"), story.unlabelled


def test_module_that_needs_a_confidential_one_would_arrive_without_labels(story: Story) -> None:
    assert about(story.mixed, "needs") == []
    assert "does not run with public files alone" in story.mixed.out
    assert about(story.unlabelled, "needs"), story.unlabelled


def test_code_moved_from_a_file_that_is_gone_is_refused(story: Story) -> None:
    assert about(story.mixed, "moved") == []
    assert story.mixed.code == 4, story.mixed
    assert "shop/moved.py" in story.mixed.out
    assert "shop/zebra_gone.py" in story.mixed.out
    assert about(story.unchecked, "moved"), story.unchecked


def test_secret_in_public_code_is_refused_and_shown_nowhere(story: Story, shared: Any) -> None:
    assert about(story.mixed, "secret") == []
    assert KEY not in story.mixed.out
    assert KEY in "".join(about(story.unchecked, "secret")), story.unchecked
    state = shared.home / ".local/state/hybridgen"
    [entry] = [
        line
        for line in (state / "ledger/ledger.jsonl").read_text().splitlines()
        if '"reason":"secret"' in line
    ]
    assert KEY not in entry


def test_what_runs_show_of_confidential_files_would_arrive_without_the_copy(
    story: Story,
) -> None:
    """A secret value, and an exception that has it in its message."""
    told = "".join(about(story.told, "reads"))
    assert "Known calls:" in told
    assert "giraffe_reads(" in told
    assert "zebra-8080-table" not in told
    shown = "".join(about(story.unchecked, "reads")).partition("Known calls:")[2]
    assert shown.count("zebra-8080-table") > 1


def test_which_lines_confidential_files_lead_to_would_arrive_without_the_copy(
    story: Story,
) -> None:
    assert "raise ValueError(table)" in missing(about(story.mixed, "reads"))
    assert "raise ValueError(table)" not in missing(about(story.unchecked, "reads"))


def test_calls_in_confidential_tests_and_texts_would_arrive_without_the_copy(
    story: Story,
) -> None:
    assert "596138" not in "".join(about(story.told, "open"))
    assert "return 0" in missing(about(story.mixed, "open"))
    assert "596138" in "".join(about(story.unchecked, "open"))
    assert "return 0" not in missing(about(story.unchecked, "open"))


def test_kept_texts_are_those_that_arrived(story: Story, shared: Any) -> None:
    folder = shared.home / ".local/state/hybridgen/ledger/texts"
    kept = [json.loads(path.read_text()) for path in folder.iterdir()]
    texts = {"\n".join((one["system"], one["user"], one["answer_start"])) for one in kept}
    assert set(story.mixed.received) <= texts


def ledger_of(world: Any) -> Path:
    path: Path = world.home / ".local/state/hybridgen/ledger/ledger.jsonl"
    return path


@pytest.fixture
def copied_ledger(story: Story, shared: Any, tmp_path: Path) -> Path:
    """A copy of the ledger that all these runs wrote."""
    folder = tmp_path / "ledger"
    folder.mkdir(mode=0o700)
    path = folder / "ledger.jsonl"
    path.write_bytes(ledger_of(shared).read_bytes())
    path.chmod(0o600)
    return path


def test_ledger_of_all_runs_verifies_until_a_byte_in_it_is_changed(copied_ledger: Path) -> None:
    ledger, data = Ledger(copied_ledger.parent), copied_ledger.read_bytes()
    kinds = {entry.kind for entry in ledger.entries()}
    assert kinds == {"send", "reply", "refusal"}
    assert ledger.verify().problem is None
    end = data.rindex(b"\n", 0, -1)  # the rest is the last line
    for place in range(0, end, 97):
        copied_ledger.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert ledger.verify().problem is not None, place


def test_cut_end_is_seen_against_the_head_that_a_run_printed(
    copied_ledger: Path, story: Story
) -> None:
    out = story.mixed.out
    document, _ = json.JSONDecoder().raw_decode(out[out.index("{") :])
    head = document["sent"]["ledger_head"]
    ledger = Ledger(copied_ledger.parent)
    assert ledger.verify(head).problem is None
    lines = copied_ledger.read_bytes().splitlines(keepends=True)
    [place] = [number for number, line in enumerate(lines) if json.loads(line)["hash"] == head]
    copied_ledger.write_bytes(b"".join(lines[:place]))
    assert ledger.verify().problem is None
    assert "the end was cut" in str(ledger.verify(head).problem)
