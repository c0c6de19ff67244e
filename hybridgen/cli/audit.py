"""``hybridgen audit``: what left this machine, and what was refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from hybridgen.errors import UsageError

if TYPE_CHECKING:
    from hybridgen.gate import Entry, Ledger

SCHEMA_VERSION = 1
_COLUMNS = (
    *("n", "time", "kind", "project", "backend", "url", "model", "sdk", "terms", "clearance"),
    *("reason", "answers", "why", "sha256", "size", "prompt_tokens", "completion_tokens"),
    *("seconds", "files", "prev", "hash"),
)
# What a spreadsheet takes for a formula when a cell starts with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.group()
def audit() -> None:
    """Show what was sent where, and what was refused.

    The ledger is a chain of entries in your state folder: docs/audit.md says what it proves.
    """


@audit.command(name="list")
def list_entries() -> None:
    """List all entries, a line each, the oldest first."""
    from hybridgen.report.visible import visible

    is_empty = True
    for entry in _ledger().entries():
        is_empty = False
        click.echo(visible(_line(entry)).replace("\n", "\\n"))
    if is_empty:
        click.echo("the ledger is empty: nothing was sent, nothing was refused")


@audit.command()
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@click.option("--text", "with_text", is_flag=True, help="Print what was sent, and nothing else.")
@click.pass_context
def show(context: click.Context, /, number: int, with_text: bool) -> None:
    """Show the entry with the number ID.

    Exit codes: 0 shown, 1 its text is not kept or not what was sent, 2 there is no such entry.
    """
    from hybridgen.report.visible import visible

    ledger = _ledger()
    entry = ledger.find(number)
    if entry is None:
        raise UsageError(f"there is no entry {number}", "see which there are: hybridgen audit list")
    if not with_text:
        click.echo(json.dumps(_fields(entry), indent=2))
        return
    if entry.kind != "send":
        raise UsageError(f"entry {number} is a {entry.kind}: it has no text", "name a send")
    data = ledger.text(str(entry.details.get("sha256")))
    if data is None:
        click.echo(
            f"error: the text of entry {number} is not kept, or is not what was sent\n"
            "  see which: hybridgen audit verify",
            err=True,
        )
        context.exit(1)
    texts = json.loads(data)
    for name in ("system", "user", "answer_start"):
        click.echo(f"--- {name}")
        click.echo(visible(str(texts.get(name))))


@audit.command()
@click.option("--head", metavar="HASH", help="A hash that an earlier run printed.")
@click.pass_context
def verify(context: click.Context, /, head: str | None) -> None:
    """Compute the chain again, and find what was changed.

    A chain alone cannot show that its end was cut: with --head, the entry with that hash (12
    digits or more of it) has to be there.

    Exit codes: 0 the chain is whole, 1 it is not.
    """
    found = _ledger().verify(head)
    if found.problem is not None:
        click.echo(
            f"error: the ledger does not hold: {found.problem}\n"
            f"  {found.entries} entries before it are whole",
            err=True,
        )
        context.exit(1)
    if found.head is None:
        click.echo("the ledger is empty: nothing was sent, nothing was refused")
    else:
        click.echo(f"{found.entries} entries, the chain is whole, its head is {found.head}")


@audit.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv"]),
    default="json",
    show_default=True,
    help="What to print.",
)
def export(form: str) -> None:
    """Print all entries as one JSON document, or as CSV for a spreadsheet."""
    entries = list(_ledger().entries())
    click.echo(_as_json(entries) if form == "json" else _as_csv(entries), nl=False)


def _ledger() -> Ledger:
    from hybridgen.cli.places import state_folder
    from hybridgen.gate import Ledger

    return Ledger(state_folder() / "ledger")


def _fields(entry: Entry) -> dict[str, Any]:
    """The entry with the names that its line in the ledger has."""
    chain = {"prev": entry.previous, "hash": entry.hash}
    first = {"n": entry.number, "time": entry.time, "kind": entry.kind}
    return {**first, **entry.details, **chain}


def _line(entry: Entry) -> str:
    details = entry.details
    head = f"{entry.number:5}  {entry.time[:19]}Z  {entry.kind:7}"
    if entry.kind == "reply":
        tokens = f"{details.get('prompt_tokens')} + {details.get('completion_tokens')} tokens"
        return f"{head}  to {details.get('answers')}: {tokens}"
    if entry.kind == "failure":
        return f"{head}  to {details.get('answers')}: {details.get('why')}"
    where = details.get("destination", {})
    files = ", ".join(
        f"{file.get('path')} ({file.get('label')})" for file in details.get("files", ())
    )
    what = f"{details.get('size')} bytes" if entry.kind == "send" else f"{details.get('reason')}"
    return f"{head}  {where.get('backend')} {where.get('model')}  {what}  {files or 'no file'}"


def _as_json(entries: Iterable[Entry]) -> str:
    rows = [_fields(entry) for entry in entries]
    document = {"schema_version": SCHEMA_VERSION, "label": _strictest(rows), "entries": rows}
    return json.dumps(document, indent=2) + "\n"


def _strictest(rows: Iterable[Mapping[str, Any]]) -> str:
    """The strictest label of all files named: names tell something too."""
    from hybridgen.domain import Label

    named = {file.get("label") for row in rows for file in row.get("files", ())}
    labels = [label for label in Label if label.name.lower() in named]
    return max(labels, default=Label.PUBLIC).name.lower()


def _as_csv(entries: Iterable[Entry]) -> str:
    from hybridgen.report.visible import visible

    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        fields = _fields(entry)
        files = [f"{one['path']} {one['label']} {one['sha256']}" for one in fields.get("files", ())]
        row = {**fields.get("destination", {}), **fields, "files": "; ".join(files)}
        writer.writerow({name: _cell(visible(str(row.get(name, "")))) for name in _COLUMNS})
    return out.getvalue()


def _cell(text: str) -> str:
    """The text as a cell that no spreadsheet computes."""
    return f"'{text}" if text.startswith(_FORMULA) else text
