"""``hybridgen config``: shows settings and where each came from."""

from __future__ import annotations

from pathlib import Path

import click

from hybridgen.errors import UsageError


@click.group()
def config() -> None:
    """Show settings and where they come from."""


@config.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--config", "chosen", metavar="FILE|NAME", help="A settings file, or a ready-made one's name."
)
def show(path: Path, as_json: bool, chosen: str | None) -> None:
    """Print every setting that holds for PATH, with its value and source.

    PATH is a file or folder of a project; without it, the current folder. The last line names your
    own settings file.
    """
    from hybridgen import settings
    from hybridgen.report import listing
    from hybridgen.report.visible import visible

    if not path.exists():
        raise UsageError(f"{path} does not exist", "give a file or folder of a project")
    loaded = settings.load_settings(settings.project_folder(path), {}, chosen)
    rows = [
        listing.Row(settings.shown_key(key), value, loaded.source_of(key))
        for key, value in loaded.model_dump(mode="json").items()
    ]
    rows += [
        listing.Row(f"ceiling.{key}", value, f"organisation file {loaded.ceiling.file}")
        for key, value in loaded.ceiling.limits().items()
    ]
    own = settings.user_file()
    if as_json:
        click.echo(listing.as_json(rows, str(own)))
        return
    missing = "" if own.exists() else " (not there yet)"
    click.echo(f"{listing.as_lines(rows)}\n\nuser file: {visible(str(own))}{missing}")
