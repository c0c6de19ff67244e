"""What prompts that may leave this machine can know: public files, and nothing of the others."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from hybridgen import pipeline
from hybridgen.backends import FakeBackend
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import (
    Candidate,
    Destination,
    Label,
    Module,
    Outcome,
    Prompt,
    SourceFile,
    Step,
    StepKind,
)
from hybridgen.errors import RunnerError, SourceError
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.lockdown import probe
from hybridgen.observe.runner import Dropped, Runner, Sandbox
from hybridgen.pipeline.cleared_copy import ClearedCopy, cleared_copy
from hybridgen.pipeline.job import Policy
from hybridgen.pipeline.packages import Packages
from hybridgen.route import Remotes
from hybridgen.settings import load_settings
from hybridgen.source import find_project, read_module, select

OPEN = """\
from hashlib import sha256

from shop.rates import RATE


def fee(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0  # what no search finds
    if sha256(str(amount).encode()).hexdigest().endswith("0000000"):
        return 1  # and what nobody tells
    return amount * RATE
"""
SECRET = "RATE = 3\nHINT = 'zebra-4711'\n"
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n",
    "shop/__init__.py": "",
    "shop/open.py": OPEN,
    "shop/rates.py": SECRET,
    "README.md": "```python\nfee(596138)\n```\n",
}
PEEK = Candidate("peek", (Step(StepKind.PROBE, "peek()"),), Label.PUBLIC, "test")
GEMINI = Destination("gemini", "http://127.0.0.1:1", "m", "google-genai", "paid", Label.PUBLIC)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def labels(root: Path, *public: str) -> Labeller:
    marks = [Mark(pattern, Label.PUBLIC, "user file", needs_trust=False) for pattern in public]
    return Labeller(root, Rules(tuple(marks), (), Label.PUBLIC, ""))


def module_of(root: Path, labeller: Labeller, python: Path | None = None) -> Module:
    path = root / "shop" / "open.py"
    project = find_project(path, python=None if python is None else str(python), tests=None)
    return read_module(select([str(path)])[0], project, labeller)


def copy_of(module: Module, labeller: Labeller, folder: Path, *named: str) -> ClearedCopy:
    packages = Packages(module.project.interpreter, {Label.PUBLIC: named})
    return cleared_copy(module, labeller, folder, packages)


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_copy_holds_what_is_no_stricter_than_the_module(project: Path, tmp_path: Path) -> None:
    labeller = labels(project, "shop/open.py", "shop/__init__.py")
    copy = copy_of(module_of(project, labeller), labeller, tmp_path / "copy")
    assert names_in(tmp_path / "copy") == ["shop/__init__.py", "shop/open.py"]
    assert copy.module.path == tmp_path / "copy" / "shop" / "open.py"
    assert copy.module.project.label is Label.PUBLIC
    assert {file.path for file in copy.labels.walk()} == {"shop/__init__.py", "shop/open.py"}


def test_file_that_is_not_in_the_copy_is_confidential_there(project: Path, tmp_path: Path) -> None:
    labeller = labels(project, "shop/open.py")
    copy = copy_of(module_of(project, labeller), labeller, tmp_path / "copy")
    path = copy.module.path
    assert copy.labels.file(path, OPEN.encode()).label is Label.PUBLIC
    assert copy.labels.file(path, b"changed").label is Label.CONFIDENTIAL
    assert copy.labels.file(path.with_name("other.py"), b"").label is Label.CONFIDENTIAL


def test_code_in_the_copy_cannot_read_the_rest_of_the_project(
    project: Path, tmp_path: Path
) -> None:
    assert probe().is_full
    text = f"def peek() -> str:\n    return open({str(project / 'shop/rates.py')!r}).read()\n"
    (project / "shop" / "open.py").write_text(text)
    labeller = labels(project, "shop/open.py", "shop/__init__.py")
    real = module_of(project, labeller)
    copy = copy_of(real, labeller, tmp_path / "copy").module
    sandbox = Sandbox(is_locked=True, call_timeout=2.0, memory_bytes=2**30)
    seen = {}
    for name, module in (("project", real), ("copy", copy)):
        folder = tmp_path / f"scratch-{name}"
        folder.mkdir()
        runner = Runner(module, sandbox, folder)
        try:
            runner.open()
            seen[name] = runner.run(PEEK)
        finally:
            runner.close()
    told = seen["project"]
    assert not isinstance(told, Dropped)
    assert "zebra-4711" in str(told)
    assert told.label is Label.CONFIDENTIAL
    assert "zebra-4711" not in str(seen["copy"])


def test_interpreter_whose_library_lies_in_the_project_is_refused(
    project: Path, tmp_path: Path
) -> None:
    labeller = labels(project, "shop/open.py")
    module = module_of(project, labeller)
    program = project / "python" / "bin" / "python3"
    library = project / "python" / "lib" / "python3.11"
    for folder in (program.parent, library):
        folder.mkdir(parents=True)
    (library / "os.py").touch()
    shutil.copyfile(module.project.interpreter.path.resolve(), program)
    interpreter = replace(module.project.interpreter, path=program)
    moved = replace(module, project=replace(module.project, interpreter=interpreter))
    with pytest.raises(SourceError, match="all code that is run may read"):
        copy_of(moved, labeller, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_file_that_became_stricter_since_it_was_listed_is_left_out(
    project: Path, tmp_path: Path
) -> None:
    class Stale(Labeller):
        def walk(self) -> Iterator[SourceFile]:
            for file in super().walk():
                yield replace(file, label=Label.PUBLIC)

    fresh = labels(project, "shop/open.py")
    stale = Stale(project, fresh.rules)
    copy_of(module_of(project, fresh), stale, tmp_path / "copy")
    assert names_in(tmp_path / "copy") == ["shop/open.py"]


Ask = Callable[..., tuple[Outcome, list[Prompt]]]


@pytest.fixture
def ask(project: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs ``generate`` up to the last question, with a backend that keeps its prompts."""

    def enough(*_: object) -> NoReturn:
        raise RunnerError("all was asked")

    monkeypatch.setattr("hybridgen.explore.search.OPEN_PLATEAU", 0.2)
    monkeypatch.setattr("hybridgen.explore.search.Search.simplify", lambda *_: None)
    monkeypatch.setattr("hybridgen.pipeline.unit.Writer.rehearse", lambda _: None)
    monkeypatch.setattr("hybridgen.pipeline.unit.Writer.confirm", enough)

    def run(*public: str, **flags: object) -> tuple[Outcome, list[Prompt]]:
        backend = FakeBackend(["fee(5)\n"])
        values: Mapping[str, object] = {"budget": 60.0, "backend": "auto", **flags}
        [outcome] = pipeline.generate(
            [str(project / "shop" / "open.py")],
            load_settings(None, values, environment={}),
            lambda: backend,
            SilentProgress(),
            is_dry_run=True,
            policy=Policy(
                lambda root: labels(root, *public),
                Remotes(gemini=GEMINI),
                {"gemini": "fake", "local": "fake"},
            ),
        )
        return outcome, backend.prompts

    return run


def test_public_code_that_runs_with_public_files_gives_public_prompts(ask: Ask) -> None:
    outcome, prompts = ask("shop/")
    assert outcome.error == "all was asked"
    assert outcome.route.backend == "gemini"
    assert prompts
    assert {prompt.label for prompt in prompts} == {Label.PUBLIC}
    # The README is confidential: that its call covers a line must not be known.
    assert any("no search finds" in part.text for part in prompts[0].request[3:])


def test_public_code_that_needs_a_confidential_file_stays_on_this_machine(ask: Ask) -> None:
    outcome, prompts = ask("shop/open.py", "shop/__init__.py")
    assert outcome.error == "all was asked"
    assert {prompt.label for prompt in prompts} == {Label.CONFIDENTIAL}
    assert any("does not run with public files alone" in note for note in outcome.notes)


def test_with_drop_its_prompts_are_public_and_tell_nothing_of_what_runs_show(ask: Ask) -> None:
    outcome, prompts = ask("shop/open.py", "shop/__init__.py", context="drop")
    assert outcome.error == "all was asked"
    assert {prompt.label for prompt in prompts} == {Label.PUBLIC}
    assert not any("Not executed" in part.text for p in prompts for part in p.request)


def test_confidential_code_gives_confidential_prompts(ask: Ask) -> None:
    outcome, prompts = ask()
    assert outcome.error == "all was asked"
    assert outcome.route.backend == "local"
    assert {prompt.label for prompt in prompts} == {Label.CONFIDENTIAL}


def test_gemini_for_confidential_code_is_refused_and_nothing_is_asked(ask: Ask) -> None:
    outcome, prompts = ask(backend="gemini")
    assert outcome.exit_code == 4
    assert prompts == []
