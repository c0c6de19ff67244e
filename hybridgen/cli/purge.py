"""``hybridgen purge``: removes what is kept about code."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import click

from hybridgen import __version__


@click.command()
@click.option("--dry-run", "is_dry_run", is_flag=True, help="List what there is, remove nothing.")
@click.option(
    "--moved",
    metavar="PATH",
    help="Instead, forget the fingerprints of a project or file that was moved or renamed.",
)
@click.pass_context
def purge(context: click.Context, /, *, is_dry_run: bool, moved: str | None) -> None:
    """Remove what hybridgen keeps about your code.

    That is, in your own folders: replies of the model, the log of the engine, the report of the
    last crash, labels of files as listed last, and texts that were sent to Gemini or a server in
    the building. Models, settings and written tests stay. So do, in the same folders, the ledger
    of what was sent when, what you trust, and the keyed fingerprints by which copies of
    confidential files are known. Where sent texts were removed, the ledger says how many and when.
    Settings are not read: a log that they put elsewhere is yours to remove.

    With --moved, nothing of that goes. What was confidential at PATH, a project's folder or a file
    of a project, which is gone, is forgotten: where it lies now, it no longer counts as a copy of
    that, and neither does any other copy. The ledger says so.

    Exit codes: 0 nothing is kept any more, 1 something could not be removed or written down, 2
    usage, 4 the fingerprints cannot be used.
    """
    if moved is not None:
        _forget(Path(moved), is_dry_run=is_dry_run)
        return
    from hybridgen.cli.places import kept_places
    from hybridgen.modelstore.progress import readable_bytes

    found = [place for place in kept_places() if place.path.is_symlink() or place.path.exists()]
    if not found:
        click.echo("nothing is kept")
    code, texts = 0, _sent_texts()
    for place in found:
        try:
            size = readable_bytes(_bytes_of(place.path))
            if not is_dry_run:
                _remove(place.path)
        except OSError as error:
            code = 1
            click.echo(f"error: {place.path}: cannot be removed: {error.strerror}", err=True)
        else:
            done = "would remove" if is_dry_run else "removed"
            click.echo(f"{done} {place.path} ({place.what}, {size})")
    gone = texts - _sent_texts()
    if gone > 0 and not _is_written_down(gone):
        code = 1
    context.exit(code)


def _forget(path: Path, *, is_dry_run: bool) -> None:
    """Forgets the fingerprints of a project, or of a file of one, that is gone.

    Raises:
        UsageError: it is still there, or nothing of it is known.
        GateRefusal: the fingerprints, or the ledger, cannot be used.
    """
    from hybridgen.cli.places import fingerprint_folder, ledger_folder
    from hybridgen.errors import UsageError
    from hybridgen.gate import FingerprintIndex, Ledger

    place = Path.cwd() / path
    if os.path.lexists(place):
        raise UsageError(
            f"{place} is still there", "mark its files instead: hybridgen mark, hybridgen trust"
        )
    with contextlib.closing(FingerprintIndex(fingerprint_folder())) as index:
        known = index.known_files(place)
        if not known:
            raise UsageError(f"nothing in {place} is known", "name it as the refusal named it")
        if not is_dry_run:
            # First what cannot be undone is written down.
            details = {"version": __version__, "forgotten": sorted(map(str, known))}
            Ledger(ledger_folder()).append("forget", details)
            index.forget(known)
    done = "would forget" if is_dry_run else "forgot"
    click.echo(f"{done} {len(known)} {'file' if len(known) == 1 else 'files'}: {place}")


def _sent_texts() -> int:
    """How many texts of sent prompts are kept; no link is followed."""
    from hybridgen.cli.places import sent_texts_folder

    folder = sent_texts_folder()
    try:
        return 0 if folder.is_symlink() else sum(one.suffix == ".json" for one in folder.iterdir())
    except OSError:  # not there, or it is said elsewhere what is wrong with it
        return 0


def _is_written_down(texts: int) -> bool:
    """Adds an entry to the ledger, which names these texts; says where that cannot be done."""
    from hybridgen.cli.places import ledger_folder
    from hybridgen.errors import GateRefusal
    from hybridgen.gate import Ledger

    try:
        Ledger(ledger_folder()).append("purge", {"version": __version__, "texts": texts})
    except GateRefusal as error:
        what = "the sent texts are removed, but the ledger could not say so"
        click.echo(f"error: {what}: {error}", err=True)
        return False
    return True


def _bytes_of(path: Path) -> int:
    """What the file, or all files of the folder, have; no link is followed."""
    if path.is_dir() and not path.is_symlink():
        return sum(_bytes_of(inner) for inner in path.iterdir())
    return path.lstat().st_size


def _remove(path: Path) -> None:
    """Removes a file or a folder, of a link the link itself."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
