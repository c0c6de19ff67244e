"""``hybridgen audit``: what left this machine, and what was refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from hybridgen.errors import UsageError

if TYPE_CHECKING:
    from hybridgen.gate import Entry, Ledger

SCHEMA_VERSION = 1
_COLUMNS = (
    *("n", "time", "kind", "version", "project", "backend", "url", "model", "sdk", "terms"),
    *("clearance", "reason", "place", "copy_of", "copy_label", "secret", "answers_entry", "left"),
    *("why", "sha256", "size", "attempts", "prompt_tokens", "completion_tokens", "seconds"),
    *("texts", "files", "evidence", "prev", "hash"),
)
_NOT_KEPT = "is not kept: ledger.keep_text was false when it was sent, or somebody removed it"
_STILL_THERE = "its hash and its files are: hybridgen audit show {}"
_CHANGED = "is not what was sent: somebody changed the file"
_SEE_CHANGES = "see what else was changed: hybridgen audit verify"
# For people; what the ledger says is in docs/audit.md.
_REASONS = {
    "route": "route: it was asked for by name and may not read this",
    "label": "label: too strict",
}
# What a spreadsheet takes for a formula when a cell starts with it; in some, wide signs too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@click.group()
def audit() -> None:
    """Show what was sent where, and what was refused.

    The ledger is a chain of entries in your state folder: docs/audit.md says what it proves.
    """


@audit.command(name="list")
def list_entries() -> None:
    """List all entries, a line each, the oldest first."""
    from hybridgen.report.visible import visible

    ledger = _ledger()
    _warn_if_broken(ledger)
    entries = list(ledger.entries())
    ended = {entry.details.get("answers_entry") for entry in entries}
    for entry in entries:
        is_open = entry.kind == "send" and entry.number not in ended
        line = _line(entry) + ("  no ending is known: count it as sent" if is_open else "")
        click.echo(visible(line).replace("\n", "\\n"))
    if not entries:
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
    _warn_if_broken(ledger)
    entry = ledger.find(number)
    if entry is None:
        raise UsageError(f"there is no entry {number}", "see which there are: hybridgen audit list")
    if not with_text:
        click.echo(json.dumps(_fields(entry), indent=2))
        return
    if entry.kind != "send":
        raise UsageError(f"entry {number} is a {entry.kind}: it has no text", "name a send")
    sha256 = str(entry.details.get("sha256"))
    data = ledger.text(sha256)
    if data is None:
        problem, hint = _why_no_text(ledger, entry, sha256)
        click.echo(f"error: the text of entry {number} {problem}\n  {hint}", err=True)
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

    Exit codes: 0 the chain is whole, 1 it is not, 2 HASH is not a head.
    """
    from hybridgen.gate import SHORTEST_HEAD, is_head

    if head is not None and not is_head(head):
        raise UsageError(
            f"--head {head!r} is not at least {SHORTEST_HEAD} digits of a head",
            "give one as a run or this command printed it: hybridgen audit verify --head HASH",
        )
    ledger = _ledger()
    found = ledger.verify(head)
    if found.problem is not None:
        click.echo(
            f"error: the ledger does not hold: {found.problem}\n"
            f"  {found.entries} entries are whole; keep a copy for whoever looks into it: "
            f"cp {ledger.path} {ledger.path}.suspect",
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
    from hybridgen.cli.places import ledger_folder
    from hybridgen.gate import Ledger

    return Ledger(ledger_folder())


def _warn_if_broken(ledger: Ledger) -> None:
    if ledger.verify().problem is not None:
        click.echo("warning: the chain does not hold, see: hybridgen audit verify", err=True)


def _why_no_text(ledger: Ledger, entry: Entry, sha256: str) -> tuple[str, str]:
    """What became of a text that is not there as it was sent, and what to do next."""
    if ledger.has_text(sha256):
        return _CHANGED, _SEE_CHANGES
    later = (one for one in ledger.entries() if one.number > entry.number and one.kind == "purge")
    purge = next(later, None)
    hint = _STILL_THERE.format(entry.number)
    if purge is None:
        return _NOT_KEPT, hint
    when = f"{purge.time[:19]}Z"
    return (
        f"is gone: kept texts were removed at {when} (hybridgen purge, entry {purge.number})",
        hint,
    )


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
        return f"{head}  to {details.get('answers_entry')}: {tokens}"
    if entry.kind == "purge":
        texts = details.get("texts")
        return f"{head}  {texts} kept {'text' if texts == 1 else 'texts'} of sent prompts removed"
    if entry.kind == "forget":
        return f"{head}  files that are gone and not known any more: {details.get('forgotten')}"
    if entry.kind == "failure":
        left = "nothing left" if details.get("left") == "no" else "it may have left"
        return f"{head}  to {details.get('answers_entry')}, {left}: {details.get('why')}"
    where = details.get("destination", {})
    names = " ".join(str(where[name]) for name in ("backend", "model") if name in where)
    terms = f" ({where['terms']})" if "terms" in where else ""
    project = PurePath(str(details.get("project", ""))).name or "no project"
    files = ", ".join(
        f"{file.get('path')} ({file.get('label')})" for file in details.get("files", ())
    )
    what = f"{details.get('size')} bytes" if entry.kind == "send" else _refused(details)
    return f"{head}  {project}  {names}{terms}  {what}  {files or 'no file'}"


def _refused(details: Mapping[str, Any]) -> str:
    """Why a prompt was refused, and the places."""
    reason = str(details.get("reason"))
    said = [_REASONS.get(reason, reason)]
    if "secret" in details:
        said.append(f"({details['secret']})")
    if "place" in details:
        said.append(f"at {details['place']}")
    if "copy_of" in details:
        said.append(f"of {details['copy_of']}")
    return " ".join(said)


def _as_json(entries: Iterable[Entry]) -> str:
    rows = [_fields(entry) for entry in entries]
    document = {"schema_version": SCHEMA_VERSION, "label": _strictest(rows), "entries": rows}
    return json.dumps(document, indent=2) + "\n"


def _strictest(rows: Iterable[Mapping[str, Any]]) -> str:
    """The strictest label of all files named: names tell something too."""
    from hybridgen.domain import Label

    named = {file.get("label") for row in rows for file in row.get("files", ())}
    named |= {row.get("copy_label") for row in rows}
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
        reasons = [
            f"{one['path']}: {why['rule']}: {why['detail']}"
            for one in fields.get("files", ())
            for why in one.get("evidence", ())
        ]
        lists = {"files": "; ".join(files), "evidence": "; ".join(reasons)}
        row = {**fields.get("destination", {}), **fields, **lists}
        writer.writerow({name: _cell(visible(str(row.get(name, "")))) for name in _COLUMNS})
    return out.getvalue()


def _cell(text: str) -> str:
    """The text as a cell that no spreadsheet computes."""
    return f"'{text}" if text.startswith(_FORMULA) else text
