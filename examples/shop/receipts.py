"""Receipts on disk: one JSON file each, and a CSV summary for the bookkeeper."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

COLUMNS = ["number", "customer", "total"]


class ReceiptError(Exception):
    """A receipt cannot be read or must not be written."""


@dataclass(frozen=True)
class Receipt:
    """What a customer paid."""

    number: int
    customer: str
    total: Decimal


def file_name(number: int) -> str:
    """Name of a receipt's file: ``receipt-000042.json``."""
    if number < 1:
        raise ValueError("receipt numbers start at 1")
    return f"receipt-{number:06d}.json"


def save(receipt: Receipt, folder: Path) -> Path:
    """Write a receipt; one that exists is never overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(receipt.number)
    if path.exists():
        raise ReceiptError(f"receipt {receipt.number} exists already")
    data = {**asdict(receipt), "total": str(receipt.total)}
    path.write_text(json.dumps(data, indent=2, sort_keys=True), encoding="utf-8")
    return path


def load(path: Path) -> Receipt:
    """Read one receipt.

    Raises:
        ReceiptError: the file is missing, or is no receipt.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Receipt(int(data["number"]), data["customer"], Decimal(data["total"]))
    except FileNotFoundError:
        raise ReceiptError(f"no receipt at {path.name}") from None
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise ReceiptError(f"{path.name} is not a receipt") from error


def load_all(folder: Path) -> list[Receipt]:
    """Read all receipts of a folder in the order of their numbers."""
    receipts = (load(path) for path in folder.glob("receipt-*.json"))
    return sorted(receipts, key=lambda receipt: receipt.number)


def export_csv(receipts: list[Receipt], path: Path) -> int:
    """Write a CSV summary with a last line for the sum; return the number of receipts."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for receipt in receipts:
            writer.writerow(asdict(receipt))
        total = sum((receipt.total for receipt in receipts), Decimal(0))
        writer.writerow({"number": "", "customer": "sum", "total": total})
    return len(receipts)


def total_by_customer(path: Path) -> dict[str, Decimal]:
    """Add up a CSV summary by customer, leaving out the line of the sum."""
    totals: dict[str, Decimal] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["number"]:
                totals[row["customer"]] = totals.get(row["customer"], Decimal(0)) + Decimal(
                    row["total"]
                )
    return totals
