"""``hybridgen mark`` and ``hybridgen unmark``: say in the project's settings who may read what."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hybridgen.label.marking import Edit


@click.command()
@click.argument("label", type=click.Choice(["public", "internal", "confidential"]))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def mark(label: str, paths: tuple[str, ...]) -> None:
    """Mark files in the project's settings file, and show the difference.

    PATH is a file, a folder with all below it, or a pattern in quotes ('src/*.py').
    public: may be sent to Gemini. internal: may be sent to a server in the building that you
    trust. confidential: stays on this machine, as everything does that is not marked.

    The file is hybridgen.toml, or pyproject.toml where that has a table tool.hybridgen; comments
    stay. A mark that loosens counts for each user after `hybridgen trust`; one that tightens
    counts at once.

    Exit codes: 0 done, 2 usage or settings, 4 refused by policy.
    """
    from hybridgen.domain import Label
    from hybridgen.label import marking

    root, patterns = _patterns(paths)
    edit = marking.mark(marking.read_marks(root), Label[label.upper()], patterns)
    _apply(root, edit, patterns)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def unmark(paths: tuple[str, ...]) -> None:
    """Take marks out of the project's settings file, and show the difference.

    PATH is what was marked: a file, a folder, or a pattern as it stands in the file. Files that
    have no mark are confidential.

    Exit codes: 0 done, 2 usage or settings, or PATH has no mark of its own, 4 refused by policy.
    """
    from hybridgen.errors import UsageError
    from hybridgen.label import marking

    root, patterns = _patterns(paths)
    pairs = list(zip(paths, patterns, strict=True))
    edit, missing = marking.unmark(marking.read_marks(root), pairs)
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: no mark of that name in {edit.path}",
            f"see which one decides: hybridgen explain {missing[0]}",
        )
    _apply(root, edit, patterns)


def _patterns(paths: Sequence[str]) -> tuple[Path, list[str]]:
    """The root of the one project that all paths belong to, and the pattern of each.

    Raises:
        UsageError: a path leads to nothing or out of the project, or is no pattern.
    """
    from hybridgen.errors import UsageError
    from hybridgen.label.marking import pattern_of
    from hybridgen.label.patterns import Patterns
    from hybridgen.settings import project_folder

    here = Path.cwd()
    if not all(path.strip() for path in paths):
        raise UsageError("PATH is empty", "name a file or folder; the whole project is: .")
    for path in paths:
        # Whoever put it there would decide what the pattern means.
        if "*" in path and os.path.lexists(here / path):
            raise UsageError(
                f"{path} is a pattern, and here also the name of a file",
                "rename the file, or write what you mean into the settings file yourself",
            )
    roots = {(project_folder(here / path.partition("*")[0]) or here).resolve() for path in paths}
    if len(roots) > 1:
        names = " and ".join(sorted(str(root) for root in roots))
        raise UsageError(
            f"the paths belong to several projects: {names}", "run it once for each project"
        )
    (root,) = roots
    patterns = [pattern_of(root, path, here) for path in paths]
    try:
        Patterns(patterns)
    except ValueError as error:
        raise UsageError(str(error), "write it as in a .gitignore: '/src/*.py'") from error
    return root, patterns


def _apply(root: Path, edit: Edit, patterns: Sequence[str]) -> None:
    """Write the file, and say what changed in it and what that means."""
    from hybridgen.label.marking import save
    from hybridgen.report.visible import visible
    from hybridgen.settings import load_settings

    load_settings(root, {})  # nothing is written into a file that cannot be right
    difference = edit.diff(str(edit.path).lstrip("/"))
    if difference:
        save(edit)
        click.echo(visible(difference), nl=False)
    else:
        click.echo(visible(f"{edit.path} says so already"))
    _show_labels(root, patterns)


def _show_labels(root: Path, patterns: Sequence[str]) -> None:
    """The labels that the files of each pattern have now."""
    from hybridgen.cli.places import state_folder
    from hybridgen.label.patterns import Patterns
    from hybridgen.pipeline.labelling import make_labeller
    from hybridgen.report.visible import visible
    from hybridgen.settings import load_settings

    labeller = make_labeller(root, load_settings(root, {}), state_folder())
    found = list(labeller.survey())
    waiting = 0
    for pattern in patterns:
        matching = Patterns([pattern])
        here = [pair for pair in found if matching.loosening(pair[0].path, [pair[0].path])]
        files = [file for file, _ in here]
        waiting += sum(trusted is not None and trusted.label < file.label for file, trusted in here)
        if len(files) == 1:
            (file,) = files
            untrusted = [one for one in file.evidence if one.rule == "untrusted mark"]
            is_waiting = file.evidence[0].rule == "unmarked"
            reason = untrusted[0] if untrusted and is_waiting else file.evidence[0]
            said = f"{file.label.name.lower()} ({reason.detail})"
        else:
            counts = Counter(file.label for file in files)
            parts = (f"{counts[label]} {label.name.lower()}" for label in sorted(counts))
            said = f"{len(files)} files: {', '.join(parts)}" if files else "no files"
        click.echo(visible(f"{pattern}: {said}"))
    if waiting:
        noun = "1 file is" if waiting == 1 else f"{waiting} files are"
        click.echo(f"{noun} looser only once you said so: hybridgen trust")
