"""From settings files and what was trusted to the labels of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal
from hybridgen.label import Labeller
from hybridgen.label.facts import HEADERS
from hybridgen.pipeline.labelling import make_labeller, trust_store
from hybridgen.settings import USUAL_HEADERS, load_settings

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


def test_usual_phrases_are_the_same_wherever_they_are_asked_for() -> None:
    assert HEADERS == USUAL_HEADERS


Nest = Callable[..., Labeller]


@pytest.fixture
def nest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nest:
    """The labeller of ``core``, which made itself a project within another one."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    organisation = tmp_path / "organisation.toml"

    def nest(user: str, company: str = "", **outer: str | bytes) -> Labeller:
        core = home / "work/shop/core"
        core.mkdir(parents=True)
        (core / "secret.py").write_text("x = 1\n")
        (core / "setup.py").touch()
        (home / "work/shop/setup.py").touch()
        for name, text in outer.items():
            path = home / "work/shop" / name.replace("_DOT_", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        file = home / ".config/hybridgen/config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(user)
        organisation.write_text(company)
        settings = load_settings(core, {}, None, {}, organisation)
        return make_labeller(core, settings, tmp_path / "state")

    return nest


ALL = '[labels]\npublic = ["**"]\n'
STRICTER = '[labels]\nconfidential = ["/core/secret.py"]\n'


def test_project_within_a_project_is_labelled_by_marks_that_match_from_both(nest: Nest) -> None:
    assert nest(ALL).look(Path("secret.py")).label is PUBLIC


def test_new_root_below_does_not_lift_what_the_user_marked(nest: Nest) -> None:
    file = nest(ALL + 'confidential = ["/core/secret.py"]\n').look(Path("secret.py"))
    assert file.label is CONFIDENTIAL
    assert "/core/secret.py in user file" in file.evidence[0].detail


def test_new_root_below_does_not_lift_what_the_organisation_marked(nest: Nest) -> None:
    assert nest(ALL, STRICTER).look(Path("secret.py")).label is CONFIDENTIAL


def test_new_root_below_does_not_loosen_by_a_mark_meant_for_the_root_above(nest: Nest) -> None:
    assert nest('[labels]\npublic = ["/secret.py"]\n').look(Path("secret.py")).label is CONFIDENTIAL


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hybridgen_DOT_toml", STRICTER, CONFIDENTIAL),
        ("hybridgen_DOT_toml", '[labels]\ninternal = ["/core/"]\n', INTERNAL),
        ("hybridgen_DOT_toml", '[labels]\nconfidential = ["/secret.py"]\n', PUBLIC),
        ("hybridgen_DOT_toml", '[labels]\nheaders = ["x marks"]\n', PUBLIC),
        ("pyproject_DOT_toml", STRICTER.replace("[", "[tool.hybridgen.", 1), CONFIDENTIAL),
        ("pyproject_DOT_toml", "[project]\n", PUBLIC),
        ("hybridgen_DOT_toml", "[labels\n", CONFIDENTIAL),
        ("hybridgen_DOT_toml", b"\xff", CONFIDENTIAL),
        ("hybridgen_DOT_toml", "labels = 1\n", CONFIDENTIAL),
        ("hybridgen_DOT_toml", '[labels]\nconfidential = "/core/"\n', CONFIDENTIAL),
        ("hybridgen_DOT_toml", '[labels]\nconfidential = ["["]\n', CONFIDENTIAL),
        ("pyproject_DOT_toml", "[project\n", CONFIDENTIAL),
    ],
)
def test_settings_above_a_new_root_still_tighten(nest: Nest, name, text, expected) -> None:
    file = nest(ALL, **{name: text}).look(Path("secret.py"))
    assert file.label is expected
    shown = f"work/shop/{name.replace('_DOT_', '.')}"
    assert expected is PUBLIC or shown in file.evidence[0].detail


def test_phrases_of_settings_above_a_new_root_still_count(nest: Nest) -> None:
    labeller = nest(ALL, hybridgen_DOT_toml='[labels]\nheaders = ["nur intern"]\n')
    (labeller.root / "secret.py").write_text("# nur intern\n")
    assert labeller.look(Path("secret.py")).label is CONFIDENTIAL


def test_settings_above_a_new_root_loosen_nothing(nest: Nest) -> None:
    labeller = nest("", hybridgen_DOT_toml=ALL + 'internal = ["**"]\n')
    assert labeller.look(Path("secret.py")).label is CONFIDENTIAL
    assert labeller.trustable() == ()


def test_list_for_ai_tools_above_a_new_root_still_counts(nest: Nest) -> None:
    labeller = nest(ALL, _DOT_aiexclude="/core/\n")
    assert labeller.look(Path("secret.py")).label is CONFIDENTIAL


def test_home_folder_and_what_is_above_it_say_nothing(nest: Nest, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "home"):
        folder.mkdir(exist_ok=True)
        (folder / "hybridgen.toml").write_text('[labels]\nconfidential = ["**"]\n')
    assert nest(ALL).look(Path("secret.py")).label is PUBLIC


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hybridgen.toml", '[labels]\nconfidential = ["/b.py"]\n', CONFIDENTIAL),
        ("hybridgen.toml", '[labels]\ninternal = ["b.py"]\n', INTERNAL),
        ("hybridgen.toml", '[labels]\nconfidential = ["/core/b.py"]\n', PUBLIC),
        ("hybridgen.toml", '[labels]\nheaders = ["nur intern"]\n', CONFIDENTIAL),
        ("hybridgen.toml", '[labels]\nheaders = ["y = 1"]\n', PUBLIC),
        ("hybridgen.toml", "[labels\n", CONFIDENTIAL),
        ("hybridgen.toml", '[labels]\nconfidential = ["["]\n', CONFIDENTIAL),
        ("pyproject.toml", '[tool.hybridgen.labels]\nconfidential = ["b.py"]\n', CONFIDENTIAL),
        ("pyproject.toml", "[tool.hybridgen\n", CONFIDENTIAL),
        ("pyproject.toml", "[project]\n", PUBLIC),
        ("pyproject.toml", "{{ a template }}\n", PUBLIC),
    ],
)
def test_settings_below_the_root_tighten(make: Make, root: Path, name, text, expected) -> None:
    (root / "core/deep").mkdir(parents=True)
    (root / "core" / name).write_text(text)
    for folder in ("core", "core/deep"):
        (root / folder / "b.py").write_text("# nur intern\nx = 1\n")
    labeller = make(ALL)
    assert labeller.look(Path("core/b.py")).label is expected
    assert labeller.look(Path("a.py")).label is PUBLIC
    for _ in range(2):  # without and with what was remembered
        labels = {file.path: file.label for file in labeller.walk()}
        assert labels["core/b.py"] is expected
        assert labels["a.py"] is PUBLIC


def test_settings_below_the_root_loosen_nothing(make: Make, root: Path) -> None:
    (root / "core").mkdir()
    (root / "core/hybridgen.toml").write_text(ALL + 'internal = ["**"]\n')
    (root / "core/b.py").touch()
    labeller = make()
    assert labeller.look(Path("core/b.py")).label is CONFIDENTIAL
    assert labeller.trustable() == ()


@pytest.mark.parametrize("state", ["state", "linked"])
def test_trust_that_lies_in_the_project_is_a_refusal(make: Make, root: Path, state: str) -> None:
    settings = load_settings(root, {}, None, {})
    (root.parent / "linked").symlink_to(root / "state")
    folder = root / "state" if state == "state" else root.parent / "linked"
    with pytest.raises(PolicyRefusal, match="is in the project"):
        make_labeller(root, settings, folder)
    (root / "core").mkdir()
    (root / "setup.py").touch()
    with pytest.raises(PolicyRefusal, match="is in the project"):
        make_labeller(root / "core", settings, folder)


def test_project_within_a_project_keeps_its_marks_where_the_run_began_above(
    nest: Nest, tmp_path: Path
) -> None:
    core = nest(ALL).root
    (core / "hybridgen.toml").write_text('[labels]\nconfidential = ["/secret.py"]\n')
    above = load_settings(core.parent, {}, None, {}, tmp_path / "organisation.toml")
    labeller = make_labeller(core, above, tmp_path / "state")
    assert labeller.look(Path("secret.py")).label is CONFIDENTIAL
    assert labeller.look(Path("setup.py")).label is PUBLIC
