"""Says where each file may go, and why, without asking a model and without running code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybridgen.domain import Label, SourceFile, estimated_tokens
from hybridgen.domain.explanations import (
    ExplainedFile,
    ExplainedPrompt,
    Explanation,
    Receiver,
    Way,
)
from hybridgen.errors import HybridgenError, SourceError, UsageError
from hybridgen.label import Labeller
from hybridgen.pipeline.stricter import StricterImports
from hybridgen.reading import decode, parse, read_once
from hybridgen.route import NAMES, Remotes, plan_route, steps
from hybridgen.settings import Settings


def explain(
    arguments: Sequence[str],
    settings: Settings,
    labeller: Labeller,
    remotes: Remotes,
    *,
    with_prompts: bool = False,
) -> Explanation:
    """Label the files that ``arguments`` name and say where each may go.

    Args:
        arguments: files, folders, or ``file.py::NAME``; all in the labeller's project.
        with_prompts: build the prompts too, from source alone.

    Raises:
        UsageError: a path that is not there or outside of the project, or a name that the file
            does not define.
    """
    asked = [_asked(argument, labeller.root) for argument in arguments]
    ways = {label: _way(label, settings.backend, remotes) for label in Label}
    imports = StricterImports(labeller)
    files: dict[str, ExplainedFile] = {}
    for one in _found(asked, labeller):
        source, needs_trust = one.source, one.needs_trust
        prompts: tuple[ExplainedPrompt, ...] = ()
        problem = None
        if with_prompts and source.path.endswith(".py"):
            try:
                prompts = _prompts(source, one.name, settings, labeller)
            except HybridgenError as error:
                problem = error.message
        elif with_prompts and not one.is_listed:
            problem = "it is no Python file, and prompts are made for these alone"
        known = files.get(source.path)
        if known is not None:  # two functions of one file were asked about
            prompts, problem = (*known.prompts, *prompts), problem or known.problem
            needs_trust |= known.needs_trust
        # What stays here anyway, or is sent without what is stricter, needs no look.
        may_stay = settings.context == "raise" and ways[source.label].steps[:1] not in _HERE
        stricter = imports.of(source) if may_stay else ()
        files[source.path] = ExplainedFile(source, prompts, problem, stricter, needs_trust)
    return Explanation(
        root=labeller.root,
        files=tuple(sorted(files.values(), key=lambda item: (item.file.label, item.file.path))),
        is_folder=any(item.path.is_dir() for item in asked),
        ways=ways,
        receivers=tuple(_receiver(backend, remotes) for backend in ("gemini", "onprem")),
    )


# The first step of what is sent nowhere: it stays, or is refused.
_HERE: Final = ((), ("local",))


@dataclass(frozen=True, slots=True)
class _Asked:
    path: Path
    name: str | None


def _asked(argument: str, root: Path) -> _Asked:
    text, separator, name = argument.partition("::")
    path = Path(text)
    if not path.exists() and not path.is_symlink():
        raise UsageError(f"{text} does not exist", "check the path and run again")
    if path.is_dir():
        path = path.resolve()
        if not path.is_relative_to(root):
            raise UsageError(
                f"{text} leads out of the project {root}", f"ask there: hybridgen explain {path}"
            )
        if separator:
            raise UsageError(
                f"{argument}: only a file can have ::{name}", f"write {text}/module.py::{name}"
            )
    return _Asked(path.absolute(), name or None)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that was asked about; whether trust would loosen it is known of listed ones alone."""

    source: SourceFile
    name: str | None = None
    is_listed: bool = False
    needs_trust: bool = False


def _found(asked: Sequence[_Asked], labeller: Labeller) -> Iterator[_Found]:
    folders = [item.path.relative_to(labeller.root) for item in asked if item.path.is_dir()]
    if folders:
        for source, trustable in labeller.survey():
            if any(Path(source.path).is_relative_to(folder) for folder in folders):
                needs_trust = trustable is not None and trustable.label < source.label
                yield _Found(source, is_listed=True, needs_trust=needs_trust)
    for item in asked:
        if not item.path.is_dir():
            source = labeller.look(item.path)
            if item.name is not None:
                _check_name(item, item.name, labeller.root)
            yield _Found(source, item.name)


def _check_name(item: _Asked, name: str, root: Path) -> None:
    """Refuse a name that the file does not define; what cannot be read is said elsewhere.

    Raises:
        UsageError: it does not.
    """
    from hybridgen.source.definitions import find_targets
    from hybridgen.source.module import check_name, display_path

    shown = display_path(item.path)
    if item.path.suffix != ".py":
        raise UsageError(f"{shown} is no Python file, so nothing in it is called {name}")
    try:
        text = decode(read_once(item.path, root, shown)[1], shown)
        tree = parse(text, shown)
        targets = find_targets(tree, text, Label.CONFIDENTIAL)
    except (HybridgenError, RecursionError):
        return
    try:
        check_name(name, targets, tree, shown)
    except SourceError as error:
        raise UsageError(error.message, error.hint) from error


def _way(label: Label, backend: str, remotes: Remotes) -> Way:
    try:
        route = plan_route(label, backend, remotes)
        found = steps(label, backend, remotes)
    except HybridgenError as error:
        return Way((), (), error.message)
    return Way(found, tuple(NAMES[step] for step in found), route.why)


def _receiver(backend: str, remotes: Remotes) -> Receiver:
    why_not = "offline" if remotes.offline else remotes.why_not.get(backend, "it is not set up")
    destination = remotes.destination(backend)
    return Receiver(
        backend, NAMES[backend], destination, "" if destination is not None else why_not
    )


def _prompts(
    source: SourceFile,
    name: str | None,
    settings: Settings,
    labeller: Labeller,
) -> tuple[ExplainedPrompt, ...]:
    """The prompts for the file's targets; its code is read and never run."""
    from hybridgen.prompt import build_prompt
    from hybridgen.source import Selection, chosen_targets, find_project, read_module

    path = labeller.root / source.path
    project = find_project(path, python=settings.python, tests=settings.tests)
    module = read_module(Selection(path, name), project, labeller)
    found = []
    for target in chosen_targets(module):
        if target.is_private and not module.only:
            continue
        prompt = build_prompt(
            module,
            target,
            import_name=module.import_names[0].name,
            missing=(),
            examples=(),
            count_tokens=lambda texts: [estimated_tokens(text) for text in texts],
        )
        tokens = sum(estimated_tokens(part.text) for part in prompt.fragments)
        found.append(ExplainedPrompt(target.qualname, prompt, tokens))
    return tuple(found)
