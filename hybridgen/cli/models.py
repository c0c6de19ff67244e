"""``hybridgen models``: list, pull, verify, path, rm."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import TaskID

    from hybridgen.modelstore.progress import Progress
    from hybridgen.modelstore.store import ModelStatus, ModelStore

_OFFLINE = "hybridgen.offline"  # key in click's own dict of the invocation
_LINE_EVERY_PERCENT = 10
_ASSUMED_BYTES_PER_SECOND = 10_000_000  # said as such; the bar shows the real one


@click.group()
@click.option(
    "--model-folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the models, by default one in your cache folder.",
)
@click.option("--config", metavar="FILE|NAME", help="Settings file, or a ready-made one by name.")
@click.pass_context
def models(ctx: click.Context, model_folder: Path | None, config: str | None) -> None:
    """Get, check and remove the models that run on this machine."""
    from hybridgen.cli.locks import lock_broker
    from hybridgen.modelstore.store import ModelStore
    from hybridgen.settings import load_settings

    if ctx.invoked_subcommand != "pull":
        lock_broker()
    # The puller knows no project, so no project's file is read.
    settings = load_settings(None, {"model_folder": model_folder}, config)
    ctx.meta[_OFFLINE] = settings.offline
    if model_folder is not None or ctx.find_object(ModelStore) is None:
        ctx.obj = ModelStore(settings.model_folder)


def _store() -> ModelStore:
    from hybridgen.modelstore.store import ModelStore

    store = click.get_current_context().find_object(ModelStore)
    assert store is not None  # the group made one
    return store


@models.command(name="list")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
def list_models(is_json: bool) -> None:
    """List the models that hybridgen knows, and which are on this machine."""
    store = _store()
    entries = store.list()
    if is_json:
        document = {
            "schema_version": 1,
            "folder": str(store.folder),
            "models": [_as_json(entry) for entry in entries],
        }
        click.echo(json.dumps(document, indent=2))
        return
    from hybridgen.modelstore.progress import readable_bytes

    width = max((len(entry.manifest.name) for entry in entries), default=0)
    for entry in entries:
        manifest = entry.manifest
        state = entry.state.value
        if entry.state == "partial":
            state = f"{100 * entry.arrived // manifest.bytes}% pulled"
        size, memory = readable_bytes(manifest.bytes), readable_bytes(manifest.memory_bytes)
        facts = f"{size:>9}  needs {memory:>9} memory  {manifest.licence}"
        click.echo(f"{manifest.name:<{width}}  {state:<10} {facts}  {manifest.about}")


def _as_json(entry: ModelStatus) -> dict[str, object]:
    manifest = entry.manifest
    return {
        "name": manifest.name,
        "about": manifest.about,
        "state": entry.state.value,
        "path": str(entry.path),
        "arrived_bytes": entry.arrived,
        "bytes": manifest.bytes,
        "sha256": manifest.sha256,
        "licence": manifest.licence,
        "context_tokens": manifest.context_tokens,
        "memory_bytes": manifest.memory_bytes,
        "sources": [name for name in ("hub", "mirror") if getattr(manifest, name) is not None],
    }


@models.command(name="pull")
@click.argument("name", required=False)
@click.option(
    "--source",
    type=click.Choice(["hub", "mirror"]),
    help="Use only this source; without it the hub is tried first, then the mirror.",
)
@click.option(
    "--offline",
    is_flag=True,
    help="Never touch the network; say which file to copy where.",
)
@click.option(
    "--hub-endpoint",
    metavar="URL",
    envvar="HYBRIDGEN_HUB_ENDPOINT",
    show_envvar=True,
    help="Address of the hub, if your company has its own.",
)
def pull_model(
    name: str | None, source: str | None, offline: bool, hub_endpoint: str | None
) -> None:
    """Get a model; without NAME, the one that suits this machine."""
    from hybridgen.cli.locks import lock_puller
    from hybridgen.modelstore.pull import PullOptions, Source, pull

    store = _store()
    say = _progress()
    chosen = name or _choose(store, say)
    is_offline = offline or click.get_current_context().meta[_OFFLINE]
    options = PullOptions(Source(source) if source else None, is_offline, hub_endpoint or None)
    store.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock_puller(store.folder)
    with say:
        path = pull(store, chosen, options, say)
    click.echo(str(path))


def _choose(store: ModelStore, say: Progress) -> str:
    """The model for this machine; says why, how large it is and how long it may take."""
    from hybridgen.modelstore.machine import memory_limit, usable_cores
    from hybridgen.modelstore.progress import readable_bytes

    manifest, why = store.choose_default(memory_limit(), usable_cores())
    minutes = max(1, round(manifest.bytes / _ASSUMED_BYTES_PER_SECOND / 60))
    rate = f"{readable_bytes(_ASSUMED_BYTES_PER_SECOND)} a second"
    say.note(f"{manifest.name} suits this machine ({why}).")
    say.note(f"It has {readable_bytes(manifest.bytes)}: about {minutes} min at {rate}.")
    return manifest.name


@models.command(name="verify")
@click.argument("name", required=False)
def verify_model(name: str | None) -> None:
    """Check the sha256 of a model; without NAME, of all that are on this machine."""
    from hybridgen.errors import ModelMissing

    store = _store()
    names = [entry.manifest.name for entry in store.list() if entry.path.is_file()]
    if name is None and not names:
        raise ModelMissing("there is no model on this machine", "hybridgen models pull")
    for each in [name] if name else names:
        click.echo(f"{each}: sha256 is right: {store.verify(each)}")


@models.command(name="path")
@click.argument("name")
def path_of_model(name: str) -> None:
    """Print where a model is."""
    click.echo(str(_store().path(name)))


@models.command(name="rm")
@click.argument("name")
def remove_model(name: str) -> None:
    """Remove a model and what an interrupted pull left of it."""
    from hybridgen.modelstore.progress import readable_bytes

    freed = _store().remove(name)
    click.echo(f"{name}: {readable_bytes(freed)} freed")


def _progress() -> BarProgress | LineProgress:
    return BarProgress() if sys.stderr.isatty() else LineProgress()


class LineProgress:
    """Progress as plain lines on stderr, one for every tenth."""

    def __init__(self) -> None:
        self._label = ""
        self._total = 1
        self._said = 0

    def __enter__(self) -> LineProgress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, message: str) -> None:
        """Print the sentence."""
        click.echo(message, err=True)

    def start(self, label: str, done: int, total: int) -> None:
        """Remember the stretch."""
        self._label, self._total = label, total
        self._said = self._tenth(done)
        self._began, self._done_before = time.monotonic(), done
        self._print(done)

    def update(self, done: int) -> None:
        """Print a line if another tenth is done."""
        if self._tenth(done) > self._said:
            self._said = self._tenth(done)
            self._print(done)

    def _tenth(self, done: int) -> int:
        return 100 * done // self._total // _LINE_EVERY_PERCENT

    def _print(self, done: int) -> None:
        seconds = time.monotonic() - self._began
        fetched = done - self._done_before
        left = ""
        if fetched > 0 and done < self._total:
            left = f", about {seconds * (self._total - done) / fetched:,.0f} s left"
        percent = 100 * done // self._total
        click.echo(f"{self._label}: {percent}% of {self._total / 1e6:,.0f} MB{left}", err=True)


class BarProgress:
    """Progress as a bar on stderr, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> BarProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def note(self, message: str) -> None:
        """Print the sentence above the bar."""
        self._bar.console.print(message, markup=False, highlight=False)

    def start(self, label: str, done: int, total: int) -> None:
        """Show a bar; an earlier one makes room."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(label, completed=done, total=total)

    def update(self, done: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.update(self._task, completed=done)
