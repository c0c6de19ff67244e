"""``hybridgen generate``: the main job."""

from __future__ import annotations

import contextlib
import functools
import json
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybridgen import __version__
from hybridgen.cli.progress import open_progress
from hybridgen.report.visible import visible

if TYPE_CHECKING:
    from hybridgen.domain import Outcome, Sent
    from hybridgen.label import Labeller
    from hybridgen.settings import Settings

_NO_MODEL = (
    "no model is installed, so inputs come from the search alone; a model adds what it cannot "
    "guess: hybridgen models pull"
)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--config", metavar="FILE|NAME", help="Settings file, or a ready-made one by name.")
@click.option(
    "--backend", metavar="NAME", help="`auto`, `local` (this machine), `gemini` or `onprem`."
)
@click.option("--model", metavar="NAME|FILE", help="An installed model, or a .gguf file.")
@click.option("--no-model", "has_no_model", is_flag=True, help="Search alone, load no model.")
@click.option("--no-cache", "has_no_cache", is_flag=True, help="Ask a model again, keep nothing.")
@click.option(
    "--effort",
    type=click.Choice(["quick", "normal", "thorough"]),
    help="How long is searched and asked: up to 30, 120 or 480 seconds.",
)
@click.option("--budget", type=float, metavar="SECONDS", help="Time for each module.")
@click.option("--tests", metavar="FOLDER", help="The project's tests folder.")
@click.option("--python", metavar="FILE", help="The Python that runs the project's code.")
@click.option("--seed", type=int, help="Seed of everything drawn at random.")
@click.option("--threads", type=int, help="Threads of the model.")
@click.option("--gpu-layers", type=int, help="Layers on a graphics card: 0 none, -1 all.")
@click.option(
    "--suspects",
    type=click.Choice(["report", "xfail", "drop"]),
    help="Likely bugs: say them, write xfail tests too, or leave them out.",
)
@click.option("--offline", is_flag=True, default=None, help="Never touch the network.")
@click.option("--diff", "is_dry_run", is_flag=True, help="Print the difference, write nothing.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option(
    "--unsafe-no-sandbox",
    "sandbox",
    flag_value="off",
    default=None,
    help="Run your code and its tests without protection.",
)
@click.pass_context
def generate(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    config: str | None,
    has_no_model: bool,
    has_no_cache: bool,
    is_dry_run: bool,
    is_json: bool,
    **flags: object,
) -> None:
    """Write unit tests for Python code.

    PATH is a file, a folder, or FILE::NAME for one function, class or Class.method.

    Code is confidential until its owner says otherwise, and confidential code is read on this
    machine only. Where you set up Gemini or a server in the building, they may be asked about what
    is marked for them (`hybridgen mark`, `hybridgen trust`); `hybridgen explain PATH` says who may
    read what, and `hybridgen audit` what was sent.

    Inputs come from a search; where a model is installed, also from the model. What it answers is
    kept for the next run, readable by you alone, until `hybridgen purge`.

    Exit codes: 0 all modules got tests or were covered already, 1 some got none, 2 usage or
    settings, 3 internal error, 4 refused by policy, 130 interrupted.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):  # leave as after Ctrl-C: nothing stays behind
        signal.signal(number, _stop)
    progress = open_progress()  # first, so that something is seen while the rest is imported
    try:
        from hybridgen import pipeline
        from hybridgen.cli.backend import choose_backend
        from hybridgen.cli.door import Door
        from hybridgen.cli.locks import lock_broker
        from hybridgen.pipeline.remotes import missing_backends
        from hybridgen.report.document import exit_code
        from hybridgen.report.sent import sent_lines
        from hybridgen.settings import load_settings

        _refuse_both(flags, has_no_model=has_no_model)
        if has_no_cache:
            flags["cache"] = False
        if has_no_model:
            flags["backend"] = "local"
        # The way out is fixed by the user's own settings, before a repository can have a say.
        with contextlib.closing(Door(load_settings(None, flags, config))) as door:
            lock_broker()
            settings = _settings(paths, config, flags)
            remotes = door.remotes(settings)
            chosen = None
            if not has_no_model:
                chosen = choose_backend(settings, door.backends(remotes), remotes)
            policy = pipeline.Policy(
                labeller=_labellers(flags, config),
                remotes=remotes,
                models={} if chosen is None else chosen.models,
                prepare=door.prepare,
                refused=door.refused,
                failures=lambda: () if chosen is None else chosen.routed.notes,
                remarks=lambda: () if chosen is None else chosen.remarks(),
            )
            make_backend = None if chosen is None else chosen.make_backend
            outcomes = pipeline.generate(
                paths, settings, make_backend, progress, is_dry_run=is_dry_run, policy=policy
            )
            sent, head = door.sent, door.head
    finally:
        progress.close()
    if is_json:
        _print_document(outcomes, sent, head)
    else:
        _show(outcomes, is_dry_run=is_dry_run)
        for line in sent_lines(sent, head):
            click.echo(visible(line), err=True)
        if not has_no_model:
            _show_notes([_NO_MODEL] if chosen is None else chosen.notes())
            _show_notes(missing_backends(settings, remotes, {one.label for one in outcomes}))
    context.exit(exit_code(outcomes))


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _refuse_both(flags: dict[str, object], *, has_no_model: bool) -> None:
    """A model cannot be asked for and refused at once."""
    from hybridgen.errors import UsageError

    for name in ("model", "backend"):
        if has_no_model and flags[name] is not None:
            raise UsageError(
                f"--{name} and --no-model contradict each other", "leave one of them out"
            )


def _settings(paths: Sequence[str], config: str | None, flags: dict[str, object]) -> Settings:
    """The settings of the one project that all paths belong to."""
    from hybridgen.errors import UsageError
    from hybridgen.settings import load_settings, project_folder

    folders = {project_folder(Path(path.partition("::")[0])) for path in paths}
    if len(folders) > 1:
        names = " and ".join(sorted(str(folder) for folder in folders))
        raise UsageError(
            f"the paths belong to several projects: {names}",
            "run hybridgen once for each, since each may have settings of its own",
        )
    return load_settings(folders.pop(), flags, config)


def _labellers(flags: dict[str, object], config: str | None) -> Callable[[Path], Labeller]:
    """Makes what labels the files of a project, by the marks in its own settings.

    Once for each, since it reads what is trusted: a project may lie within another.
    """
    from hybridgen.cli.places import state_folder
    from hybridgen.pipeline.labelling import make_labeller
    from hybridgen.settings import load_settings

    def make(root: Path) -> Labeller:
        return make_labeller(root, load_settings(root, flags, config), state_folder())

    return functools.cache(make)


def _show_notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"note: {visible(note)}", err=True)


def _print_document(outcomes: Sequence[Outcome], sent: Sequence[Sent], head: str | None) -> None:
    from hybridgen.report.document import to_document
    from hybridgen.report.sent import sent_document

    document = to_document(outcomes, version=__version__)
    document["sent"] = sent_document(sent, head)
    click.echo(json.dumps(document, indent=2))


def _show(outcomes: Sequence[Outcome], *, is_dry_run: bool) -> None:
    if is_dry_run:
        for outcome in outcomes:
            if outcome.diff:
                # Piped, it is for a patch, byte by byte; a terminal is not to be steered by it.
                is_seen = sys.stdout.isatty()
                click.echo(visible(outcome.diff) if is_seen else outcome.diff, nl=False)
    # With --diff, stdout holds the difference alone, so that it can be piped into a patch.
    stream = sys.stderr if is_dry_run else sys.stdout
    if stream.isatty():
        from rich.console import Console

        from hybridgen.report.console import rich_report

        Console(file=stream).print(rich_report(outcomes), soft_wrap=True)
    else:
        from hybridgen.report.console import plain_report

        click.echo(plain_report(outcomes), file=stream)
