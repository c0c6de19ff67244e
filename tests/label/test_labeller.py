"""How all evidence about a file becomes one label."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.errors import SettingsError
from hybridgen.label import Labeller, Mark, Rules, Trusted, TrustedFile
from hybridgen.label.verdict import Judge

PUBLIC, INTERNAL, CONFIDENTIAL = Label


def own(pattern: str, label: Label) -> Mark:
    return Mark(pattern, label, "config.toml", needs_trust=False)


def theirs(pattern: str, label: Label) -> Mark:
    return Mark(pattern, label, "hybridgen.toml", needs_trust=True)


def trusted_now(labeller: Labeller) -> Labeller:
    """The labeller after ``hybridgen trust``."""
    files = {file.path: file for file in labeller.trustable()}
    trusted = Trusted(str(labeller.root), labeller.rules.fingerprint(), files)
    return Labeller(labeller.root, labeller.rules, trusted)


def test_unmarked_file_is_confidential_and_says_so(make) -> None:
    file = Labeller(make({"a.py": "x = 1\n"})).look(Path("a.py"))
    assert file.label is CONFIDENTIAL
    assert file.evidence[0].detail == "not marked, so confidential"


def test_path_and_hash_are_those_of_the_bytes_that_were_given(make) -> None:
    root = make({"shop/a.py": "x = 1\n"})
    file = Labeller(root).file(root / "shop" / "a.py", b"x = 2\n")
    assert (file.path, file.sha256) == ("shop/a.py", sha256(b"x = 2\n").hexdigest())


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([own("/a.py", PUBLIC)], PUBLIC),
        ([own("/a.py", INTERNAL)], INTERNAL),
        ([own("/a.py", CONFIDENTIAL)], CONFIDENTIAL),
        ([own("/b.py", PUBLIC)], CONFIDENTIAL),
        ([own("*.py", PUBLIC), own("/a.py", INTERNAL)], INTERNAL),
        ([own("/a.py", INTERNAL), own("*.py", PUBLIC)], INTERNAL),
        ([own("*.py", PUBLIC), own("/a.py", CONFIDENTIAL)], CONFIDENTIAL),
        ([own("*.py", PUBLIC), own("!/a.py", PUBLIC)], CONFIDENTIAL),
        ([theirs("/a.py", PUBLIC)], CONFIDENTIAL),
        ([theirs("/a.py", INTERNAL)], CONFIDENTIAL),
        ([own("/a.py", PUBLIC), theirs("/a.py", INTERNAL)], INTERNAL),
        ([own("/a.py", PUBLIC), theirs("/a.py", CONFIDENTIAL)], CONFIDENTIAL),
        ([own("/a.py", INTERNAL), theirs("/a.py", PUBLIC)], INTERNAL),
    ],
)
def test_strictest_mark_wins_and_only_a_users_own_loosens_without_trust(
    make, marks, expected
) -> None:
    root = make({"a.py": "x = 1\n", "b.py": ""})
    assert Labeller(root, Rules(tuple(marks))).look(Path("a.py")).label is expected


ABOVE = ("", "core/", "shop/core/")


@pytest.mark.parametrize(
    ("pattern", "label", "expected"),
    [
        ("/a.py", CONFIDENTIAL, CONFIDENTIAL),
        ("/core/a.py", CONFIDENTIAL, CONFIDENTIAL),
        ("/shop/core/", INTERNAL, INTERNAL),
        ("/SHOP/**", CONFIDENTIAL, CONFIDENTIAL),
        ("/other/", CONFIDENTIAL, PUBLIC),
    ],
)
def test_mark_tightens_what_it_matches_from_any_of_its_folders(
    make, pattern, label, expected
) -> None:
    mark = Mark(pattern, label, "config.toml", needs_trust=False, prefixes=ABOVE)
    others = (own("**", PUBLIC), own("/b.py", label))
    labeller = Labeller(make({"a.py": ""}), Rules((*others, mark)))
    assert labeller.look(Path("a.py")).label is expected


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.py"], PUBLIC),
        (["**"], PUBLIC),
        (["/a.py"], CONFIDENTIAL),
        (["/core/a.py"], CONFIDENTIAL),
        (["/shop/core/a.py"], CONFIDENTIAL),
        (["/a.py", "/core/a.py", "/shop/core/a.py"], PUBLIC),
        (["*.py", "!/shop/core/a.py"], CONFIDENTIAL),
    ],
)
def test_mark_loosens_what_it_matches_from_all_of_its_folders(make, patterns, expected) -> None:
    marks = tuple(Mark(one, PUBLIC, "config.toml", False, ABOVE) for one in patterns)
    labeller = Labeller(make({"a.py": ""}), Rules(marks))
    assert labeller.look(Path("a.py")).label is expected


def test_mark_from_above_the_project_only_tightens_and_asks_for_no_trust(make) -> None:
    outer = (Mark("/core/", INTERNAL, "outer.toml", needs_trust=True, prefixes=("core/",)),)
    root = make({"a.py": ""})
    unmarked = Labeller(root, Rules(outer=outer))
    assert unmarked.look(Path("a.py")).label is CONFIDENTIAL
    assert unmarked.trustable() == ()
    assert unmarked.rules.fingerprint() == Rules().fingerprint()
    file = Labeller(root, Rules((own("**", PUBLIC),), outer=outer)).look(Path("a.py"))
    assert (file.label, file.evidence[0].detail) == (
        INTERNAL,
        "marked internal by /core/ in outer.toml",
    )


def test_deciding_evidence_comes_first_and_names_pattern_and_place(make) -> None:
    rules = Rules((own("*.py", PUBLIC), own("/a.py", INTERNAL)))
    file = Labeller(make({"a.py": ""}), rules).look(Path("a.py"))
    assert [evidence.detail for evidence in file.evidence] == [
        "marked internal by /a.py in config.toml",
        "marked public by *.py in config.toml",
    ]


def test_mark_that_waits_for_trust_is_named_and_does_not_count(make) -> None:
    rules = Rules((theirs("/a.py", PUBLIC),))
    file = Labeller(make({"a.py": ""}), rules).look(Path("a.py"))
    assert [(one.rule, one.label) for one in file.evidence] == [
        ("unmarked", CONFIDENTIAL),
        ("untrusted mark", PUBLIC),
    ]
    assert "hybridgen trust" in file.evidence[1].detail


def test_nothing_is_looser_than_the_organisation_allows(make) -> None:
    marks = (own("**", PUBLIC),)
    root = make({"a.py": ""})
    for loosest in Label:
        rules = Rules(marks, loosest=loosest, loosest_place="/etc/hybridgen/config.toml")
        assert Labeller(root, rules).look(Path("a.py")).label is loosest
    assert (
        "/etc/hybridgen/config.toml allows"
        in Labeller(root, rules).look(Path("a.py")).evidence[0].detail
    )


def test_mark_that_is_no_pattern_is_an_error_that_names_its_place(make) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml: labels\.confidential: '\['"):
        Labeller(make({}), Rules((own("[", CONFIDENTIAL),)))


def test_file_that_is_not_there_is_confidential(make, public) -> None:
    file = Labeller(make({}), public).look(Path("gone.py"))
    assert (file.label, file.sha256) == (CONFIDENTIAL, "")


def test_whatever_goes_wrong_while_labelling_is_confidential(
    make, public, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    root = make({"a.py": ""})
    labeller = Labeller(root, public)
    assert labeller.look(Path("a.py")).label is PUBLIC
    monkeypatch.setattr(Judge, "decide", broken)
    assert labeller.look(Path("a.py")).label is CONFIDENTIAL
    assert labeller.file(root / "a.py", b"").label is CONFIDENTIAL
    assert [file.label for file in labeller.walk()] == [CONFIDENTIAL]


def test_trusted_mark_counts_for_the_files_that_were_there(make) -> None:
    rules = Rules((theirs("/shop/", PUBLIC),))
    root = make({"shop/a.py": "x = 1\n"})
    labeller = trusted_now(Labeller(root, rules))
    assert labeller.look(Path("shop/a.py")).label is PUBLIC
    make({"shop/new.py": "x = 1\n"})
    assert labeller.look(Path("shop/new.py")).label is CONFIDENTIAL
    (root / "shop/a.py").rename(root / "shop/renamed.py")
    assert labeller.look(Path("shop/renamed.py")).label is CONFIDENTIAL


def test_edit_of_a_trusted_file_needs_no_new_trust(make) -> None:
    rules = Rules((theirs("/a.py", PUBLIC),))
    labeller = trusted_now(Labeller(make({"a.py": "x = 1\n"}), rules))
    make({"a.py": "secret = 'quite another text'\n"})
    assert labeller.look(Path("a.py")).label is PUBLIC


def test_other_mark_on_a_trusted_file_needs_new_trust(make) -> None:
    root = make({"a.py": "", "b.py": ""})
    before = trusted_now(Labeller(root, Rules((theirs("/?.py", PUBLIC),))))
    rules = Rules((theirs("/?.py", PUBLIC), theirs("/a.py", PUBLIC)))
    after = Labeller(root, rules, before.trusted)
    assert after.look(Path("a.py")).label is CONFIDENTIAL
    assert after.look(Path("b.py")).label is PUBLIC


def test_trusted_internal_file_is_not_public_because_its_mark_was_changed(make) -> None:
    root = make({"a.py": ""})
    before = trusted_now(Labeller(root, Rules((theirs("/a.py", INTERNAL),))))
    after = Labeller(root, Rules((theirs("/a.py", PUBLIC),)), before.trusted)
    assert after.look(Path("a.py")).label is CONFIDENTIAL


def test_mark_in_a_trusted_file_needs_new_trust_when_it_changes(make) -> None:
    root = make({"a.py": "# hybridgen: internal\nx = 1\n"})
    assert Labeller(root).look(Path("a.py")).label is CONFIDENTIAL
    labeller = trusted_now(Labeller(root))
    assert labeller.look(Path("a.py")).label is INTERNAL
    make({"a.py": "# hybridgen: internal\nx = 2\n"})
    assert labeller.look(Path("a.py")).label is INTERNAL
    make({"a.py": "# hybridgen: public\nx = 2\n"})
    assert labeller.look(Path("a.py")).label is CONFIDENTIAL


def test_tightening_needs_no_trust_and_spoils_none(make) -> None:
    root = make({"a.py": "", "b.py": ""})
    before = trusted_now(Labeller(root, Rules((theirs("/?.py", PUBLIC),))))
    rules = Rules((theirs("/?.py", PUBLIC), theirs("/a.py", INTERNAL)))
    after = Labeller(root, rules, before.trusted)
    assert after.look(Path("b.py")).label is PUBLIC
    rules = Rules((theirs("/?.py", PUBLIC), theirs("/a.py", CONFIDENTIAL)))
    after = Labeller(root, rules, before.trusted)
    assert after.look(Path("a.py")).label is CONFIDENTIAL
    assert after.look(Path("b.py")).label is PUBLIC


def test_trust_is_never_looser_than_what_was_shown(make) -> None:
    root = make({"a.py": "# Internal use only\n"})
    labeller = trusted_now(Labeller(root, Rules((theirs("/a.py", PUBLIC),))))
    assert labeller.look(Path("a.py")).label is INTERNAL
    make({"a.py": "x = 1\n"})
    assert labeller.look(Path("a.py")).label is INTERNAL


def test_older_record_makes_nothing_stricter_than_the_users_own_mark(make) -> None:
    root = make({"a.py": "# Internal use only\n"})
    rules = Rules((theirs("/a.py", PUBLIC), own("/a.py", PUBLIC)))
    labeller = trusted_now(Labeller(root, rules))
    make({"a.py": "x = 1\n"})
    assert labeller.look(Path("a.py")).label is PUBLIC


def test_record_of_trust_makes_nothing_looser_without_a_mark(make) -> None:
    root = make({"a.py": ""})
    trusted = Trusted(str(root), "", {"a.py": TrustedFile("a.py", PUBLIC, "")})
    assert Labeller(root, Rules(), trusted).look(Path("a.py")).label is CONFIDENTIAL


def test_trustable_are_the_files_that_only_wait_for_trust(make) -> None:
    root = make({"a.py": "", "b.py": "", "c.py": "# Confidential\n", "d.py": "", "e.py": ""})
    marks = (theirs("/[ab].py", PUBLIC), theirs("/b.py", INTERNAL), theirs("/c.py", PUBLIC))
    labeller = Labeller(root, Rules((*marks, own("/d.py", PUBLIC))))
    found = {file.path: file.label for file in labeller.trustable()}
    assert found == {"a.py": PUBLIC, "b.py": INTERNAL}


def test_walk_says_what_looking_says(make) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "",
        "pkg/b.py": "# Proprietary\n",
        "pkg/.aiexclude": "c.py\n",
        "pkg/c.py": "",
        "tests/conftest.py": "",
        "tests/test_a.py": "from pkg import a\n",
        "tests/test_b.py": "import pkg.b\n",
        "data.bin": b"\0\1",
        "note.ipynb": "{}",
    }
    labeller = Labeller(make(files), Rules((own("**", PUBLIC),)))
    walked = {file.path: file for file in labeller.walk()}
    assert set(walked) == set(files)
    assert walked["tests/test_a.py"].label is PUBLIC
    assert walked["tests/test_b.py"].label is CONFIDENTIAL
    for name, file in walked.items():
        assert labeller.look(Path(name)) == file


def test_walk_leaves_out_only_what_is_confidential(make, public) -> None:
    names = [".git/x.py", "node_modules/x.py", "env/lib/x.py", "a/__pycache__/x.py"]
    root = make(dict.fromkeys([*names, "env/pyvenv.cfg", "a/b.py"], ""))
    labeller = Labeller(root, public)
    assert [file.path for file in labeller.walk()] == ["a/b.py"]
    assert {labeller.look(Path(name)).label for name in names} == {CONFIDENTIAL}
