"""Says where each file may go, and why, without asking a model and without running code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain import Label, SourceFile, estimated_tokens
from hybridgen.domain.explanations import (
    ExplainedFile,
    ExplainedPrompt,
    Explanation,
    Receiver,
    Way,
)
from hybridgen.errors import HybridgenError, UsageError
from hybridgen.label import Labeller
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
        UsageError: a path that is not there or outside of the project.
    """
    asked = [_asked(argument, labeller.root) for argument in arguments]
    files: dict[str, ExplainedFile] = {}
    for source, name in _sources(asked, labeller):
        prompts: tuple[ExplainedPrompt, ...] = ()
        problem = None
        if with_prompts and source.path.endswith(".py"):
            try:
                prompts = _prompts(source, name, settings, labeller)
            except HybridgenError as error:
                problem = error.message
        known = files.get(source.path)
        if known is not None:  # two functions of one file were asked about
            prompts, problem = (*known.prompts, *prompts), problem or known.problem
        files[source.path] = ExplainedFile(source, prompts, problem)
    return Explanation(
        root=labeller.root,
        files=tuple(sorted(files.values(), key=lambda item: (item.file.label, item.file.path))),
        is_folder=any(item.path.is_dir() for item in asked),
        ways={label: _way(label, settings.backend, remotes) for label in Label},
        receivers=tuple(_receiver(backend, remotes) for backend in ("gemini", "onprem")),
    )


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


def _sources(
    asked: Sequence[_Asked], labeller: Labeller
) -> Iterator[tuple[SourceFile, str | None]]:
    """Each file that was asked about with the name in it, if one was asked about."""
    folders = [item.path.relative_to(labeller.root) for item in asked if item.path.is_dir()]
    if folders:
        for source in labeller.walk():
            if any(Path(source.path).is_relative_to(folder) for folder in folders):
                yield source, None
    for item in asked:
        if not item.path.is_dir():
            yield labeller.look(item.path), item.name


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
