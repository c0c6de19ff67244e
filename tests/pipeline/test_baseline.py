"""The record of labels: what counts as looser, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.errors import UsageError
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.pipeline.baseline import (
    Looser,
    labels_as_marked,
    looser_files,
    read_baseline,
    write_baseline,
)

PUBLIC, INTERNAL, CONFIDENTIAL = Label


def test_only_a_looser_label_is_reported_and_an_unknown_file_counts_as_confidential() -> None:
    recorded = {"a": PUBLIC, "b": INTERNAL, "c": INTERNAL, "gone": PUBLIC}
    now = {"a": INTERNAL, "b": INTERNAL, "c": PUBLIC, "d": CONFIDENTIAL, "e": INTERNAL}
    assert looser_files(now, recorded) == (
        Looser("c", INTERNAL, PUBLIC),
        Looser("e", CONFIDENTIAL, INTERNAL),
    )


def test_what_was_written_is_read_again_without_what_is_confidential_anyway(tmp_path) -> None:
    path = tmp_path / "labels.json"
    write_baseline(path, {"ü b": INTERNAL, "a": PUBLIC, "c": CONFIDENTIAL})
    assert read_baseline(path) == {"a": PUBLIC, "ü b": INTERNAL}
    assert "confidential" not in path.read_text().replace("hybridgen_labels", "")


def test_writing_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "labels.json").symlink_to(other)
    write_baseline(tmp_path / "labels.json", {"a": PUBLIC})
    assert other.read_text() == "mine"
    assert read_baseline(tmp_path / "labels.json") == {"a": PUBLIC}


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "labels.json").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_baseline(tmp_path / "labels.json", {"a": PUBLIC})
    assert [path.name for path in tmp_path.iterdir()] == ["labels.json"]


@pytest.mark.parametrize("text", ['{"hybridgen_labels": 2, "labels": {}}', "[" * 100_000])
def test_a_record_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_baseline(tmp_path / "labels.json")
    assert "hybridgen explain . --record" in (caught.value.hint or "")


def test_the_marks_of_the_project_count_without_trust_and_no_others_do(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text("x = 1\n")
    marks = (
        Mark("/a.py", PUBLIC, "project file", needs_trust=True),
        Mark("/b.py", PUBLIC, "user file", needs_trust=False),
        Mark("/a.py", CONFIDENTIAL, "user file", needs_trust=False),
    )
    labeller = Labeller(tmp_path, Rules(marks, loosest=INTERNAL))
    assert labels_as_marked(labeller, ()) == {"a.py": PUBLIC}


def test_the_usual_headers_and_the_projects_own_count_whatever_the_users_are(tmp_path) -> None:
    (tmp_path / "a.py").write_text("# Proprietary\nx = 1\n")
    (tmp_path / "b.py").write_text("# Hush\nx = 1\n")
    rules = Rules((Mark("*.py", PUBLIC, "project file", needs_trust=True),), headers=())
    labeller = Labeller(tmp_path, rules)
    assert labels_as_marked(labeller, ()) == {"b.py": PUBLIC}
    assert labels_as_marked(labeller, ["Hush"]) == {}
