"""``hybridgen purge``: removes what is kept about code."""

from __future__ import annotations

import shutil
from pathlib import Path

import click


@click.command()
@click.option("--dry-run", "is_dry_run", is_flag=True, help="List what there is, remove nothing.")
@click.pass_context
def purge(context: click.Context, /, *, is_dry_run: bool) -> None:
    """Remove what hybridgen keeps about your code.

    That is, in your own folders: replies of the model, the log of the engine, the report of the
    last crash, labels of files as listed last, and texts that were sent to Gemini or a server in
    the building. Models, settings and written tests stay. So do, in the same folders, the ledger
    of what was sent when, what you trust, and the keyed fingerprints by which copies of
    confidential files are known. Settings are not read: a log that they put elsewhere is yours to
    remove.

    Exit codes: 0 nothing is kept any more, 1 something could not be removed.
    """
    from hybridgen.cli.places import kept_places
    from hybridgen.modelstore.progress import readable_bytes

    found = [place for place in kept_places() if place.path.is_symlink() or place.path.exists()]
    if not found:
        click.echo("nothing is kept")
    code = 0
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
    context.exit(code)


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
