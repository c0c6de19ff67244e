"""``hybridgen explain``: says where files may go, and why."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridgen.domain import Label


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--prompt", "with_prompts", is_flag=True, help="Show the prompts, part by part.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--record",
    metavar="BASELINE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the labels that the marks ask for to a file.",
)
@click.option(
    "--check",
    metavar="BASELINE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Fail if a file's label got looser than recorded.",
)
@click.option("--config", metavar="FILE|NAME", help="Settings file, or a ready-made one by name.")
@click.option("--backend", metavar="NAME", help="As `generate` would be told.")
@click.option("--offline", is_flag=True, default=None, help="As `generate` would be told.")
@click.pass_context
def explain(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    with_prompts: bool,
    as_json: bool,
    record: Path | None,
    check: Path | None,
    config: str | None,
    backend: str | None,
    offline: bool | None,
) -> None:
    """Say how confidential files are, who may read them, and why.

    PATH is a file, a folder, or FILE::NAME for one function, class or Class.method; without it,
    the current folder. Nothing is sent, no model is loaded, and no code is run. Whether there is
    a key for Gemini is not looked up.

    With --prompt, the prompts are shown as source alone makes them, with the label and the
    origin of each part.

    --record writes the labels that the marks in the project ask for, trusted or not, for all of
    its files; --check fails in a build if one got looser. A file that is not recorded is expected
    to be confidential.

    Exit codes: 0 done, 1 a label got looser, 2 usage or settings, 3 internal error, 4 refused by
    policy.
    """
    from hybridgen.cli.places import fingerprint_folder, state_folder
    from hybridgen.errors import UsageError
    from hybridgen.gate import FingerprintIndex
    from hybridgen.pipeline.baseline import labels_as_marked
    from hybridgen.pipeline.explaining import explain as explain_files
    from hybridgen.pipeline.labelling import make_labeller
    from hybridgen.pipeline.remembering import remember
    from hybridgen.pipeline.remotes import remotes_from
    from hybridgen.report import explained
    from hybridgen.settings import load_settings, project_folder

    if record is not None and check is not None:
        raise UsageError("--record and --check contradict each other", "leave one of them out")
    paths = paths or (".",)
    root = _root(paths)
    settings = load_settings(project_folder(root), {"backend": backend, "offline": offline}, config)
    labeller = make_labeller(root, settings, state_folder())
    if record is not None or check is not None:
        own = [found.texts for found in settings.found("labels_headers") if found.is_project]
        headers = [word for texts in own for word in texts]
        context.exit(_keep(labels_as_marked(labeller, headers), record, check))
    remotes = remotes_from(settings, has_key=True)
    found = explain_files(paths, settings, labeller, remotes, with_prompts=with_prompts)
    with contextlib.closing(FingerprintIndex(fingerprint_folder(), labeller.root)) as index:
        remember(index, labeller, (item.file for item in found.files))
    click.echo(explained.as_json(found) if as_json else explained.as_lines(found))


def _root(paths: tuple[str, ...]) -> Path:
    """The one project that all paths belong to."""
    from hybridgen.errors import UsageError
    from hybridgen.settings import project_root

    files = [Path(path.partition("::")[0]) for path in paths]
    for file in files:
        if not file.exists() and not file.is_symlink():
            raise UsageError(f"{file} does not exist", "check the path and run again")
    roots = {project_root(file) for file in files}
    if len(roots) > 1:
        names = " and ".join(sorted(map(str, roots)))
        raise UsageError(
            f"the paths belong to several projects: {names}", "run it once for each project"
        )
    return roots.pop()


def _keep(now: Mapping[str, Label], record: Path | None, check: Path | None) -> int:
    """Record the labels of the whole project, or compare them; the exit code."""
    from hybridgen.pipeline.baseline import looser_files, read_baseline, write_baseline
    from hybridgen.report.visible import visible

    if record is not None:
        write_baseline(record, now)
        click.echo(visible(f"recorded in {record}: {_counted(now)}"))
        return 0
    assert check is not None
    looser = looser_files(now, read_baseline(check))
    for file in looser:
        was, label = file.was.name.lower(), file.now.name.lower()
        click.echo(visible(f"{file.path}: {label} now, {was} in {check}"))
    if not looser:
        click.echo(visible(f"no label is looser than in {check}: {_counted(now)}"))
        return 0
    click.echo(
        visible(
            f"{len(looser)} looser; if that is meant, say why in the commit that contains: "
            f"hybridgen explain . --record {check}"
        )
    )
    return 1


def _counted(labels: Mapping[str, Label]) -> str:
    from collections import Counter

    counts = Counter(label.name.lower() for label in labels.values())
    return f"{counts['public']} public, {counts['internal']} internal, all others confidential"
