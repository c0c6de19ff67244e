"""``hybridgen explain``: says where files may go, and why."""

from __future__ import annotations

import contextlib
import shlex
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

    The prompts for a file that may be sent are made from source alone, and the gate is asked
    what it would refuse: secrets, and copies of stricter files. In a folder that is done with
    --prompt only.

    With --prompt, these prompts are shown, with the label and the origin of each part.

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
    from hybridgen.pipeline.remotes import possible, remotes_from
    from hybridgen.report import explained
    from hybridgen.settings import load_settings, project_folder

    if record is not None and check is not None:
        raise UsageError("--record and --check contradict each other", "leave one of them out")
    if (record is not None or check is not None) and (as_json or with_prompts):
        shown = "--json" if as_json else "--prompt"
        raise UsageError(f"{shown} shows nothing with --record or --check", f"leave {shown} out")
    paths = paths or (".",)
    root = _root(paths)
    settings = load_settings(project_folder(root), {"backend": backend, "offline": offline}, config)
    labeller = make_labeller(root, settings, state_folder())
    if record is not None or check is not None:
        own = [found.texts for found in settings.found("labels_headers") if found.is_project]
        headers = [word for texts in own for word in texts]
        context.exit(_keep(root, labels_as_marked(labeller, headers), record, check))
    remotes = possible(remotes_from(settings, has_key=True))
    with contextlib.closing(FingerprintIndex(fingerprint_folder(), labeller.root)) as index:
        found = explain_files(paths, settings, labeller, remotes, index, with_prompts=with_prompts)
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


def _keep(root: Path, now: Mapping[str, Label], record: Path | None, check: Path | None) -> int:
    """Record the labels of the whole project, or compare them; the exit code."""
    from hybridgen.pipeline.baseline import looser_files, read_baseline, write_baseline
    from hybridgen.report.visible import visible
    from hybridgen.source import display_path

    if record is not None:
        write_baseline(record, now)
        click.echo(visible(f"recorded in {record}: {_counted(now)}"))
        return 0
    assert check is not None
    recorded = read_baseline(check)
    looser = looser_files(now, recorded)
    for file in looser:
        was = f"{file.was.name.lower()} in {check}"
        if file.path not in recorded:
            was = f"not in {check}, so expected to be confidential"
        click.echo(visible(f"{file.path}: marked {file.now.name.lower()} now, {was}"))
    if not looser:
        click.echo(visible(f"nothing is looser than in {check}: {_counted(now)}"))
        return 0
    click.echo(
        visible(
            f"{len(looser)} looser by the project's own marks, trusted or not; to see which mark: "
            f"{shlex.join(['hybridgen', 'explain', display_path(root / looser[0].path)])}\n"
            "if that is meant, record it, and say why in the commit that contains it: "
            f"{shlex.join(['hybridgen', 'explain', '--record', str(check)])}"
        )
    )
    return 1


def _counted(labels: Mapping[str, Label]) -> str:
    from collections import Counter

    counts = Counter(label.name.lower() for label in labels.values())
    return (
        f"by the project's own marks, trusted or not, {counts['public']} public and "
        f"{counts['internal']} internal, all others confidential"
    )
