"""Says where each file may go, and why, without asking a model and without running code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
from hybridgen.errors import HybridgenError, PolicyRefusal, SourceError, UsageError
from hybridgen.gate import FingerprintIndex
from hybridgen.label import Labeller, TrustedFile
from hybridgen.pipeline.foreseeing import Foresight
from hybridgen.pipeline.packages import Packages, packages_for
from hybridgen.pipeline.remembering import remember
from hybridgen.pipeline.stricter import StricterImports
from hybridgen.reading import decode, parse, read_once
from hybridgen.route import NAMES, Remotes, plan_route, steps
from hybridgen.settings import Settings
from hybridgen.source import display_path


def explain(
    arguments: Sequence[str],
    settings: Settings,
    labeller: Labeller,
    remotes: Remotes,
    index: FingerprintIndex | None = None,
    *,
    with_prompts: bool = False,
) -> Explanation:
    """Label the files that ``arguments`` name and say where each may go.

    For files that are named, and wherever there are prompts, the gate is asked what it would
    refuse; see ``foreseeing.py``. What stays here is not asked about.

    Args:
        arguments: files, folders, or ``file.py::NAME``; all in the labeller's project.
        index: knows copies, and takes in what is labelled here; None if the gate is not asked.
        with_prompts: make the prompts of all files, from source alone, and show them.

    Raises:
        UsageError: a path that is not there or outside of the project, or a name that the file
            does not define.
    """
    asked = [_asked(argument, labeller.root) for argument in arguments]
    listed = _Listed(labeller, index)
    explainer = _Explainer(settings, labeller, remotes, listed, with_prompts=with_prompts)
    files: dict[str, ExplainedFile] = {}
    for one in _found(asked, listed, labeller):
        file = explainer.file(one)
        known = files.get(file.file.path)
        if known is not None:  # two functions of one file were asked about
            file = replace(
                file,
                prompts=(*known.prompts, *file.prompts),
                problem=file.problem or known.problem,
                needs_trust=file.needs_trust or known.needs_trust,
                asked_as=file.asked_as or known.asked_as,
            )
        files[file.file.path] = file
    listed.remember([item.file for item in files.values()])
    return Explanation(
        root=labeller.root,
        files=tuple(sorted(files.values(), key=lambda item: (item.file.label, item.file.path))),
        is_folder=any(item.path.is_dir() for item in asked),
        ways=explainer.ways,
        receivers=tuple(_receiver(backend, remotes) for backend in ("gemini", "onprem")),
        shows_prompts=with_prompts,
    )


class _Explainer:
    """Says of one file after the other where it may go."""

    def __init__(
        self,
        settings: Settings,
        labeller: Labeller,
        remotes: Remotes,
        listed: _Listed,
        *,
        with_prompts: bool,
    ) -> None:
        self.ways = {label: _way(label, settings.backend, remotes) for label in Label}
        self._settings = settings
        self._labeller = labeller
        self._remotes = remotes
        self._with_prompts = with_prompts
        self._imports = StricterImports(labeller)
        self._foresight: Foresight | None = None
        if listed.index is not None:
            self._foresight = Foresight(labeller, listed.index, listed.read)

    def file(self, one: _Found) -> ExplainedFile:
        """What is to be said about one file."""
        source = one.source
        may_leave = self.ways[source.label].steps[:1] not in _HERE
        is_checked = may_leave and not one.is_listed and self._foresight is not None
        prompts: tuple[ExplainedPrompt, ...] = ()
        problem = None
        if (self._with_prompts or is_checked) and source.path.endswith(".py"):
            try:
                prompts = self._prompts(source, one.name)
                problem = None if prompts or one.is_listed else "it defines nothing public to test"
            except HybridgenError as error:
                problem = error.message
        elif (self._with_prompts or is_checked) and not one.is_listed:
            problem = "it is no Python file, and prompts are made for these alone"
        # What stays here anyway, or is sent without what is stricter, needs no look.
        may_stay = self._settings.context == "raise" and may_leave
        return ExplainedFile(
            source,
            prompts,
            problem,
            stricter=self._imports.of(source) if may_stay else (),
            packages=self._closed_packages(source) if may_stay else (),
            needs_trust=one.needs_trust,
            asked_as=one.asked_as,
        )

    def _closed_packages(self, source: SourceFile) -> tuple[str, ...]:
        """What it needs of what is installed, and is not named as fit for its label."""
        names = self._imports.outside(source)
        if not names or self._packages is None:
            return ()
        return self._packages.closed(names, source.label)

    @cached_property
    def _packages(self) -> Packages | None:
        """Those of the project's Python; None where there is none, which a run will say."""
        from hybridgen.source import find_project

        try:
            project = find_project(
                self._labeller.root,
                python=self._settings.python,
                tests=self._settings.tests,
            )
        except HybridgenError:
            return None
        return packages_for(project.interpreter, self._settings)

    def _prompts(self, source: SourceFile, name: str | None) -> tuple[ExplainedPrompt, ...]:
        """The prompts for the file's targets; its code is read and never run."""
        from hybridgen.prompt import build_prompt
        from hybridgen.source import (
            Selection,
            chosen_targets,
            find_project,
            read_module,
        )

        path = self._labeller.root / source.path
        project = find_project(path, python=self._settings.python, tests=self._settings.tests)
        module = read_module(Selection(path, name), project, self._labeller)
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
            one = ExplainedPrompt(target.qualname, prompt, tokens)
            found.append(self._checked(one, display_path(path)))
        return tuple(found)

    def _checked(self, one: ExplainedPrompt, path: str) -> ExplainedPrompt:
        """The prompt with what the gate has against it, if it is about to leave.

        The backend that is asked first decides: those after it may read as much, and more.
        """
        first = next(iter(self.ways[one.prompt.label].steps), "local")
        destination = self._remotes.destination(first)
        if self._foresight is None or destination is None:
            return one
        objection = self._foresight.objection(one.prompt, destination, path)
        return replace(one, is_checked=True, objection=objection)


# The first step of what is sent nowhere: it stays, or is refused.
_HERE: Final = ((), ("local",))

_AT_HOME: Final = "let the model on this machine do it: --backend local"


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
    asked_as: str = ""


class _Listed:
    """The files of the project, listed once where they are needed.

    Args:
        index: takes in the fingerprints of what was labelled, or None.
    """

    def __init__(self, labeller: Labeller, index: FingerprintIndex | None) -> None:
        self.index = index
        self._labeller = labeller
        self._files: list[tuple[SourceFile, TrustedFile | None]] | None = None

    def read(self) -> list[tuple[SourceFile, TrustedFile | None]]:
        """All files, each with the record of what trust would make of it."""
        if self._files is None:
            self._files = list(self._labeller.survey())
            self._remember([file for file, _ in self._files])
        return self._files

    def remember(self, files: Sequence[SourceFile]) -> None:
        """Takes ``files`` into the index where not the whole project was.

        Of these the strict ones alone: a looser file that is seen before all others would pass
        for the first of its copies.
        """
        if self._files is None:
            self._remember([file for file in files if file.label is Label.CONFIDENTIAL])

    def _remember(self, files: Sequence[SourceFile]) -> None:
        if self.index is not None:
            remember(self.index, self._labeller, files)


def _found(asked: Sequence[_Asked], listed: _Listed, labeller: Labeller) -> Iterator[_Found]:
    folders = [item.path.relative_to(labeller.root) for item in asked if item.path.is_dir()]
    if folders:
        for source, trustable in listed.read():
            if any(Path(source.path).is_relative_to(folder) for folder in folders):
                needs_trust = trustable is not None and trustable.label < source.label
                yield _Found(source, is_listed=True, needs_trust=needs_trust)
    for item in asked:
        if not item.path.is_dir():
            source = labeller.look(item.path)
            if item.name is not None:
                _check_name(item, item.name, labeller.root)
            yield _Found(source, item.name, asked_as=_link_of(item.path, source, labeller.root))


def _link_of(path: Path, source: SourceFile, root: Path) -> str:
    """The name by which a file was asked about, if it leads to a file of another name."""
    name = Path(os.path.normpath(path))
    real = name.parent.resolve() / name.name
    leads = real.is_relative_to(root) and real.relative_to(root).as_posix() != source.path
    return display_path(path) if leads else ""


def _check_name(item: _Asked, name: str, root: Path) -> None:
    """Refuse a name that the file does not define; what cannot be read is said elsewhere.

    Raises:
        UsageError: it does not.
    """
    from hybridgen.source.definitions import find_targets
    from hybridgen.source.module import check_name

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
    except PolicyRefusal as error:
        return Way((), (), error.message, _AT_HOME)
    except HybridgenError as error:
        return Way((), (), error.message, error.hint or "")
    return Way(found, tuple(NAMES[step] for step in found), route.why)


def _receiver(backend: str, remotes: Remotes) -> Receiver:
    why_not = "offline" if remotes.offline else remotes.why_not.get(backend, "it is not set up")
    destination = remotes.destination(backend)
    return Receiver(
        backend, NAMES[backend], destination, "" if destination is not None else why_not
    )
