"""``hybridgen trust``: says which of a project's own marks count."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hybridgen.label import TrustedFile, TrustStore


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--yes", "is_sure", is_flag=True, help="Trust the listed files without asking.")
@click.option("--list", "is_list", is_flag=True, help="List what is trusted, in all projects.")
@click.option("--revoke", "is_revoke", is_flag=True, help="Trust nothing in the project any more.")
@click.option("--config", metavar="FILE|NAME", help="Settings file, or a ready-made one by name.")
@click.pass_context
def trust(
    context: click.Context,
    /,
    path: Path,
    *,
    is_sure: bool,
    is_list: bool,
    is_revoke: bool,
    config: str | None,
) -> None:
    """Let the marks of a project count, for the files that are there now.

    PATH is in the project; without it, the current folder. Marks that came with the code could
    be anybody's, so they make nothing public or internal before you said so. The files that they
    loosen are listed; once you agree, this very list is kept in your own state folder. A file
    that is new, was renamed, or is marked otherwise stays confidential until you say it again.
    Marks that tighten always count.

    With --config the marks in that file count as they will in runs with it: in a project's file
    they need trust, in a file of your own that lies in no project they need none.

    Exit codes: 0 done, 1 you did not agree, 2 usage or settings, 4 refused by policy.
    """
    from hybridgen.cli.places import state_folder
    from hybridgen.errors import UsageError
    from hybridgen.pipeline.labelling import trust_store

    if is_list + is_revoke + is_sure > 1:
        raise UsageError(
            "--yes, --list and --revoke contradict each other", "leave all but one out"
        )
    if config is not None and (is_list or is_revoke):
        raise UsageError("--list and --revoke read no settings", "leave --config out")
    store = trust_store(state_folder())
    if is_list:
        _list(store)
        return
    if not path.exists() and not is_revoke:
        raise UsageError(f"{path} does not exist", "give a file or folder of a project")
    root = _root(path)
    if is_revoke:
        _revoke(store, root)
        return
    command = ["hybridgen", "trust", *([str(path)] if str(path) != "." else [])]
    command += [] if config is None else ["--config", config]
    context.exit(_trust(store, root, config, None if is_sure else shlex.join(command)))


def _root(path: Path) -> Path:
    """The root of the project, as `hybridgen generate` finds it; a folder that is gone itself."""
    from hybridgen.settings import project_folder, project_root

    return project_root(path) if path.exists() else (project_folder(path) or path).resolve()


def _trust(store: TrustStore, root: Path, config: str | None, command: str | None) -> int:
    """List what becomes looser, ask, and keep the list; the exit code.

    Args:
        command: what was asked for, to name it where there is nobody to ask; None asks nobody.
    """
    from hybridgen.cli.places import fingerprint_folder, state_folder
    from hybridgen.gate import FingerprintIndex
    from hybridgen.pipeline.labelling import make_labeller
    from hybridgen.pipeline.remembering import remember
    from hybridgen.settings import load_settings

    labeller = make_labeller(root, load_settings(root, {}, config), state_folder())
    listed = tuple(labeller.survey())
    # Before anything is looser: what is moved into a trusted file later has to be known.
    with contextlib.closing(FingerprintIndex(fingerprint_folder(), labeller.root)) as index:
        remember(index, labeller, (file for file, _ in listed))
    files = tuple(trustable for _, trustable in listed if trustable is not None)
    if not files:
        _echo(f"nothing to trust: no mark of {root} makes a file public or internal")
        click.echo("mark one with: hybridgen mark public PATH")
        return 0
    before = labeller.trusted.files if labeller.trusted is not None else {}
    marks = labeller.rules.fingerprint()
    if labeller.trusted is not None and labeller.trusted.marks != marks:
        click.echo("the marks in the settings changed since you trusted them last")
    _show(root, files, before)
    is_same = dict(before) == {file.path: file for file in files}
    if is_same and labeller.trusted is not None and labeller.trusted.marks == marks:
        click.echo("you trust all of them already")
        return 0
    if command is not None and not _agrees(command):
        click.echo("nothing was trusted")
        return 1
    store.trust(labeller.root, files, marks)
    click.echo(f"trusted: {_counted(files)}")
    return 0


def _agrees(command: str) -> bool:
    """Ask the user.

    Raises:
        UsageError: there is no terminal to ask at.
    """
    from hybridgen.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask at, so nothing was trusted",
            f"read the list above, then say: {command} --yes",
        )
    return click.confirm("May these files be read by others as their labels say?")


def _show(root: Path, files: Sequence[TrustedFile], before: Mapping[str, TrustedFile]) -> None:
    """The files that become looser; + is one that was not trusted so before."""
    _echo(f"in {root} the project's own marks make {_counted(files)}:")
    _show_files(files, before)
    gone = sorted(before.keys() - {file.path for file in files})
    if gone:
        click.echo(f"  no longer trusted ({len(gone)})")
    for name in gone:
        _echo(f"  - {name}")


def _show_files(files: Iterable[TrustedFile], before: Mapping[str, TrustedFile]) -> None:
    by_label: dict[str, list[TrustedFile]] = {}
    for file in sorted(files, key=lambda file: (file.label, file.path)):
        by_label.setdefault(file.label.name.lower(), []).append(file)
    for label, group in by_label.items():
        click.echo(f"  {label} ({len(group)})")
        for file in group:
            _echo(f"  {' ' if before.get(file.path) == file else '+'} {file.path}")


def _counted(files: Iterable[TrustedFile]) -> str:
    labels = [file.label for file in files]
    parts = (f"{labels.count(label)} {label.name.lower()}" for label in sorted(set(labels)))
    noun = "file" if len(labels) == 1 else "files"
    return f"{' and '.join(parts)} {noun}"


def _list(store: TrustStore) -> None:
    """Everything that is trusted anywhere."""
    roots = store.roots()
    if not roots:
        click.echo("no project is trusted")
    for root in roots:
        trusted = store.of(root)
        if trusted is not None:
            _echo(str(root) if root.is_dir() else f"{root} (is not there)")
            _show_files(trusted.files.values(), trusted.files)
    if roots:
        click.echo("what of it holds now, by today's marks and files, says: hybridgen explain")


def _revoke(store: TrustStore, root: Path) -> None:
    done = store.revoke(root)
    _echo(f"nothing in {root} is trusted any more" if done else f"nothing in {root} was trusted")


def _echo(text: str) -> None:
    from hybridgen.report.visible import visible

    click.echo(visible(text))
