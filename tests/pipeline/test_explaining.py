"""What is explained for which argument, and that prompts are counted as the remote backends do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.backends.remote import RemoteBackend
from hybridgen.domain import Label, estimated_tokens
from hybridgen.domain.explanations import Explanation
from hybridgen.errors import UsageError
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.pipeline.explaining import explain
from hybridgen.route import Remotes
from hybridgen.settings import Settings


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "a").mkdir(parents=True)
    (folder / "ab").mkdir()
    (folder / "a/one.py").write_text("def one(x):\n    return x\n\ndef _two(x):\n    return x\n")
    (folder / "ab/other.py").write_text("def other(x):\n    return x\n")
    (folder / "pyproject.toml").write_text("")
    monkeypatch.chdir(folder)
    return folder


def ask(project: Path, *arguments: str, backend: str = "auto", **options: bool) -> Explanation:
    rules = Rules((Mark("/a/", Label.PUBLIC, "user file", needs_trust=False),))
    settings = Settings(backend=backend)
    return explain(arguments, settings, Labeller(project, rules), Remotes(), **options)


def names(explanation: Explanation) -> list[str]:
    return [item.file.path for item in explanation.files]


def test_a_folder_is_not_another_one_whose_name_begins_alike(project) -> None:
    assert names(ask(project, "a")) == ["a/one.py"]
    assert names(ask(project, ".")) == ["a/one.py", "ab/other.py", "pyproject.toml"]


def test_a_file_that_is_named_twice_is_explained_once(project) -> None:
    found = ask(project, "a", "a/one.py", str(project / "a/one.py"))
    assert names(found) == ["a/one.py"]


def test_a_linked_folder_means_what_it_leads_to(project, tmp_path) -> None:
    (project / "link").symlink_to("ab")
    assert names(ask(project, "link")) == ["ab/other.py"]
    (project / "out").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leads out of the project"):
        ask(project, "out")


def test_the_loosest_comes_first_and_each_label_tells_its_way(project) -> None:
    found = ask(project, ".", backend="gemini")
    assert [item.file.label for item in found.files] == sorted(
        item.file.label for item in found.files
    )
    assert found.files[0].file.label is Label.PUBLIC
    assert found.ways[Label.CONFIDENTIAL].steps == ()
    assert "may read public code only" in found.ways[Label.CONFIDENTIAL].why
    assert ask(project, ".").ways[Label.CONFIDENTIAL].steps == ("local",)


def test_there_are_prompts_for_the_public_definitions_or_the_one_that_was_named(project) -> None:
    [file] = ask(project, "a/one.py", with_prompts=True).files
    assert [one.target for one in file.prompts] == ["one"]
    assert file.prompts[0].prompt.label is Label.PUBLIC
    [file] = ask(project, "a/one.py::_two", "a/one.py::one", with_prompts=True).files
    assert [one.target for one in file.prompts] == ["_two", "one"]


@pytest.mark.parametrize("with_prompts", [True, False])
def test_a_name_that_is_not_there_is_refused_with_close_ones(project, with_prompts) -> None:
    with pytest.raises(UsageError, match="ones is defined nowhere in it") as caught:
        ask(project, "a/one.py::ones", with_prompts=with_prompts)
    assert caught.value.hint == "did you mean a/one.py::one?"
    with pytest.raises(UsageError, match="is no Python file"):
        ask(project, "pyproject.toml::ones", with_prompts=with_prompts)


def test_a_file_that_is_no_module_has_no_prompt_and_says_so_where_it_was_named(project) -> None:
    [file] = ask(project, "pyproject.toml", with_prompts=True).files
    assert "no Python file" in (file.problem or "")
    assert all(file.problem is None for file in ask(project, ".", with_prompts=True).files)


def test_without_being_asked_no_prompt_is_made(project) -> None:
    [file] = ask(project, "a/one.py").files
    assert (file.prompts, file.problem) == ((), None)


@pytest.mark.parametrize("text", ["", "a", "abcd", "abcde", "ü" * 9])
def test_tokens_are_counted_as_for_a_backend_elsewhere(text) -> None:
    # Else the parts that do not fit would be others than in the prompt that is sent.
    counted = RemoteBackend.count_tokens(None, [text], deadline=0.0)
    assert counted == [estimated_tokens(text)]
