"""``hybridgen generate``: the main job."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybridgen import __version__
from hybridgen.cli.progress import open_progress

if TYPE_CHECKING:
    from hybridgen.backends import Backend
    from hybridgen.domain import Outcome
    from hybridgen.settings import Settings

_NO_MODEL = (
    "no model is installed, so inputs come from the search alone; a model adds what it cannot "
    "guess: hybridgen models pull"
)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--config", metavar="FILE|NAME", help="Settings file, or a ready-made one by name.")
@click.option("--backend", metavar="NAME", help="Where prompts go; `local` is this machine.")
@click.option("--model", metavar="NAME|FILE", help="An installed model, or a .gguf file.")
@click.option("--budget", type=float, metavar="SECONDS", help="Time for each module.")
@click.option("--tests", metavar="FOLDER", help="The project's tests folder.")
@click.option("--python", metavar="FILE", help="The Python that runs the project's code.")
@click.option("--seed", type=int, help="Seed of everything drawn at random.")
@click.option("--threads", type=int, help="Threads of the model.")
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
    is_dry_run: bool,
    is_json: bool,
    **flags: object,
) -> None:
    """Write unit tests for Python code.

    PATH is a file, a folder, or FILE::NAME for one function, class or Class.method. Code is
    confidential: it is read on this machine only, and nothing is sent anywhere.

    Exit codes: 0 all modules got tests or were covered already, 1 some got none, 2 usage or
    settings, 3 internal error, 4 refused by policy, 130 interrupted.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):  # leave as after Ctrl-C: nothing stays behind
        signal.signal(number, _stop)
    progress = open_progress()  # first, so that something is seen while the rest is imported
    try:
        from hybridgen import pipeline
        from hybridgen.report.document import exit_code

        settings = _settings(paths, config, flags)
        make_backend, model = _backend(settings)
        outcomes = pipeline.generate(
            paths, settings, make_backend, model, progress, is_dry_run=is_dry_run
        )
    finally:
        progress.close()
    _show(outcomes, is_json=is_json, is_dry_run=is_dry_run)
    if model is None and not is_json:
        click.echo(f"note: {_NO_MODEL}", err=True)
    context.exit(exit_code(outcomes))


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


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


def _backend(settings: Settings) -> tuple[Callable[[], Backend] | None, str | None]:
    """What starts the backend, and the model's name; (None, None) where no model is installed."""
    from functools import partial

    from hybridgen.backends import BACKENDS
    from hybridgen.domain import Label
    from hybridgen.modelstore.store import ModelStore
    from hybridgen.route import choose_route

    choose_route(Label.CONFIDENTIAL, settings.backend)
    store = ModelStore(settings.model_folder)
    if settings.model is not None:
        path, manifest = store.resolve(settings.model)
    else:
        manifest = store.installed_best()
        if manifest is None:
            return None, None
        path = store.path(manifest.name)
    name = manifest.name if manifest is not None else path.name
    has_own_template = manifest is None or manifest.chat_template == "from-file"
    context = settings.context_tokens
    return partial(
        BACKENDS[settings.backend],
        path,
        model_name=name,
        log=settings.log_file or _log_file(),
        context_tokens=context if manifest is None else min(context, manifest.context_tokens),
        threads=settings.threads,
        chat_template=None if has_own_template or manifest is None else manifest.chat_template,
        memory_bytes=None if manifest is None else manifest.memory_bytes,
        seed=settings.seed,
    ), name


def _log_file() -> Path:
    import platformdirs

    folder = Path(platformdirs.user_state_dir("hybridgen"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "engine.log"


def _show(outcomes: Sequence[Outcome], *, is_json: bool, is_dry_run: bool) -> None:
    if is_json:
        from hybridgen.report.document import to_document

        click.echo(json.dumps(to_document(outcomes, version=__version__), indent=2))
        return
    if is_dry_run:
        for outcome in outcomes:
            if outcome.diff:
                click.echo(outcome.diff, nl=False)
    # With --diff, stdout holds the difference alone, so that it can be piped into a patch.
    stream = sys.stderr if is_dry_run else sys.stdout
    if stream.isatty():
        from rich.console import Console

        from hybridgen.report.console import rich_report

        Console(file=stream).print(rich_report(outcomes), soft_wrap=True)
    else:
        from hybridgen.report.console import plain_report

        click.echo(plain_report(outcomes), file=stream)
