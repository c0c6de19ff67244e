"""A small project on the disk, and a gate for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hybridgen.domain import Destination, Evidence, Fragment, Label, Prompt, SourceFile
from hybridgen.gate import FingerprintIndex, Gate, Ledger

PRICES = '''\
"""Prices of the shop."""

import decimal


def discount(price, percent):
    """The price after a discount."""
    if not 0 <= percent <= 100:
        raise ValueError("percent must be between 0 and 100")
    return price * (100 - percent) / 100
'''

MARGINS = '''\
"""What nobody outside may know."""

import decimal


def margin_of(order, suppliers, ledger):
    # Suppliers of the first tier grant a hidden rebate.
    rebates = {name: terms.rebate for name, terms in suppliers.items() if terms.tier == 1}
    cost = sum(line.amount * line.unit_cost for line in order.lines)
    hidden = sum(rebates.get(line.supplier, 0) * line.amount for line in order.lines)
    booked = ledger.total(order.number, account="freight") + cost - hidden
    return (order.revenue - booked) / order.revenue
'''

SYSTEM = "You write tests.\n"


@dataclass
class Shop:
    """A project: its files, and how each is labelled."""

    root: Path
    labels: dict[str, Label] = field(default_factory=dict)

    def write(self, path: str, text: str, label: Label) -> SourceFile:
        """Writes a file and labels it."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")
        self.labels[path] = label
        return self.relabel(SourceFile(path, "", label, ()))

    def relabel(self, source: SourceFile) -> SourceFile:
        """The file as it is now."""
        data = (self.root / source.path).read_bytes()
        label = self.labels[source.path]
        why = Evidence(label, "mark", f"{source.path} is marked in the settings")
        return SourceFile(source.path, hashlib.sha256(data).hexdigest(), label, (why,))


AskGate = Callable[..., Prompt]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    root = tmp_path / "shop"
    root.mkdir()
    return Shop(root)


@pytest.fixture
def prices(shop: Shop) -> SourceFile:
    """A public file."""
    return shop.write("src/prices.py", PRICES, Label.PUBLIC)


@pytest.fixture
def margins(shop: Shop) -> SourceFile:
    """A confidential file."""
    return shop.write("src/margins.py", MARGINS, Label.CONFIDENTIAL)


@pytest.fixture
def margins_text() -> str:
    return MARGINS


@pytest.fixture
def prices_text() -> str:
    return PRICES


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The user's state folder."""
    return tmp_path / "state"


@pytest.fixture
def ledger(state: Path) -> Ledger:
    return Ledger(state / "ledger")


@pytest.fixture
def index(state: Path, shop: Shop) -> FingerprintIndex:
    return FingerprintIndex(state / "fingerprints", shop.root)


@pytest.fixture
def gate(ledger: Ledger, index: FingerprintIndex, shop: Shop) -> Gate:
    return Gate(ledger, index, shop.relabel, SYSTEM.__contains__, project=str(shop.root))


@pytest.fixture
def gemini() -> Destination:
    return Destination(
        "gemini",
        "https://generativelanguage.googleapis.com",
        "gemini-2.5-flash",
        "google-genai",
        "paid",
        Label.PUBLIC,
    )


@pytest.fixture
def onprem() -> Destination:
    return Destination(
        "onprem", "https://llm.corp", "coder", "openai-compatible", "onprem", Label.INTERNAL
    )


@pytest.fixture
def prompt_of() -> Callable[..., Prompt]:
    """A prompt about texts of files; more fragments may be put before its end."""

    def make(text: str, *sources: SourceFile, more: tuple[Fragment, ...] = ()) -> Prompt:
        label = max((source.label for source in sources), default=Label.PUBLIC)
        origin = f"{sources[0].path}:1" if sources else "template system"
        about = Fragment(text, label, origin, "marked", sources)
        ours = Fragment(SYSTEM, Label.PUBLIC, "template system", "part of hybridgen")
        start = Fragment("tests.", Label.PUBLIC, "template system", "part of hybridgen")
        return Prompt((ours,), (about,), more, start)

    return make
