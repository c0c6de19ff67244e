"""From settings files and what was trusted to the labels of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal
from hybridgen.label import Labeller
from hybridgen.pipeline.labelling import make_labeller, trust_store
from hybridgen.settings import load_settings

PUBLIC, INTERNAL, CONFIDENTIAL = Label
Make = Callable[..., Labeller]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    return folder


@pytest.fixture
def make(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """The labeller where user, project and organisation have settings files with these texts."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    organisation = tmp_path / "organisation.toml"

    def make(user: str = "", project: str = "", company: str = "") -> Labeller:
        file = home / ".config/hybridgen/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(user)
        (root / "hybridgen.toml").write_text(project)
        organisation.write_text(company)
        settings = load_settings(root, {}, None, {}, organisation)
        return make_labeller(root, settings, tmp_path / "state")

    return make


MARK = '[labels]\n{} = ["/a.py"]\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, CONFIDENTIAL),
        ({"user": MARK.format("public")}, PUBLIC),
        ({"project": MARK.format("public")}, CONFIDENTIAL),
        ({"company": MARK.format("internal")}, INTERNAL),
        ({"user": MARK.format("public"), "project": MARK.format("internal")}, INTERNAL),
        ({"user": MARK.format("public"), "company": MARK.format("confidential")}, CONFIDENTIAL),
        ({"user": MARK.format("public"), "company": "[ceiling]\nloosest = 'internal'\n"}, INTERNAL),
        ({"user": MARK.format("public"), "project": "[labels]\nheaders = ['x = 1']\n"}, PUBLIC),
    ],
)
def test_marks_of_all_places_are_weighed(make: Make, files, expected) -> None:
    assert make(**files).look(Path("a.py")).label is expected


def test_phrases_of_a_project_are_added_to_the_users(make: Make, root: Path) -> None:
    own = MARK.format("public")
    (root / "a.py").write_text("# nur intern\n")
    assert make(own).look(Path("a.py")).label is PUBLIC
    project = "[labels]\nheaders = ['nur intern']\n"
    assert make(own, project).look(Path("a.py")).label is CONFIDENTIAL
    (root / "a.py").write_text("# all rights reserved\n")
    assert make(own, project).look(Path("a.py")).label is CONFIDENTIAL
    assert make(own + "headers = []\n").look(Path("a.py")).label is PUBLIC


def test_trust_that_was_said_counts(make: Make, root: Path, tmp_path: Path) -> None:
    labeller = make(project=MARK.format("public"))
    store = trust_store(tmp_path / "state")
    store.trust(labeller.root, labeller.trustable(), labeller.rules.fingerprint())
    assert make(project=MARK.format("public")).look(Path("a.py")).label is PUBLIC
    ceiling = "[ceiling]\nloosest = 'internal'\n"
    found = make(project=MARK.format("public"), company=ceiling).look(Path("a.py"))
    assert (found.label, found.evidence[0].rule) == (INTERNAL, "ceiling")
    store.revoke(root)
    assert make(project=MARK.format("public")).look(Path("a.py")).label is CONFIDENTIAL


def test_trust_that_cannot_be_known_is_a_refusal(make: Make, tmp_path: Path) -> None:
    labeller = make(project=MARK.format("public"))
    store = trust_store(tmp_path / "state")
    store.trust(labeller.root, labeller.trustable(), "")
    (record,) = (tmp_path / "state/trust").iterdir()
    record.write_text("{}")
    with pytest.raises(PolicyRefusal):
        make(project=MARK.format("public"))
