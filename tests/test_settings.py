"""Precedence, sources, and what a project's file may and may not say."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal, SettingsError, UsageError
from hybridgen.resources import resource_folder
from hybridgen.settings import (
    OTHER_VARIABLES,
    PROJECT_KEYS,
    Found,
    Settings,
    load_settings,
    organisation_file,
    project_folder,
    project_root,
    ready_made_names,
    shown_key,
    user_file,
)
from hybridgen.source import find_project

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives each test a user of its own; returns where that user's file would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    path = user_file()
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Where the organisation's file would be."""
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    return folder / "config.toml"


def load(project=None, flags=None, config=None, environment=None, organisation=None) -> Settings:
    nowhere = user_file().parent / "no" / "organisation.toml"
    return load_settings(
        project, flags or {}, config, environment or {}, organisation=organisation or nowhere
    )


def test_defaults_hold_when_nobody_says_anything():
    settings = load()
    assert settings == Settings()
    assert {settings.source_of(key) for key in Settings.model_fields} == {"default"}


def test_each_place_beats_the_ones_below_it(tmp_path, project, user):
    chosen = tmp_path / "mine.toml"
    places = [
        ("default", lambda: None),
        (f"user file {user}", lambda: user.write_text("seed = 1\nthreads = 3")),
        (
            f"project file {project / 'hybridgen.toml'}",
            lambda: (project / "hybridgen.toml").write_text("seed = 2"),
        ),
        (f"config file {chosen}", lambda: chosen.write_text("seed = 3")),
        ("environment HYBRIDGEN_SEED", lambda: None),
        ("command line", lambda: None),
    ]
    for rank, (source, write) in enumerate(places):
        write()
        settings = load(
            project,
            flags={"seed": 5 if rank == 5 else None},
            config=str(chosen) if rank >= 3 else None,
            environment={"HYBRIDGEN_SEED": "4"} if rank >= 4 else {},
        )
        assert (settings.seed, settings.source_of("seed")) == (rank, source)
    # A place that wins for one key leaves the others to the places below.
    assert settings.source_of("threads") == f"user file {user}"


def test_the_config_variable_chooses_a_file_unless_the_flag_does(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(f"model = '{name}'")
    variable = {"HYBRIDGEN_CONFIG": str(tmp_path / "a.toml")}
    assert load(environment=variable).model == "a"
    assert load(config=str(tmp_path / "b.toml"), environment=variable).model == "b"


def test_the_pyproject_table_is_the_projects_file(project):
    (project / "pyproject.toml").write_text("[tool.hybridgen]\nline_length = 100\n")
    settings = load(project)
    assert settings.line_length == 100
    assert settings.source_of("line_length") == f"project file {project / 'pyproject.toml'}"


def test_a_pyproject_without_our_table_says_nothing(project):
    (project / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert load(project) == Settings()


def test_two_project_files_are_refused(project):
    (project / "pyproject.toml").write_text("[tool.hybridgen]\nseed = 1\n")
    (project / "hybridgen.toml").write_text("seed = 2\n")
    with pytest.raises(SettingsError, match="are both there"):
        load(project)


# Where prompts go, under which terms, and what makes files looser.
NO_VARIABLE = {
    *("labels_public", "labels_internal", "labels_headers"),
    *("labels_packages_public", "labels_packages_internal"),
    *("gemini_terms", "gemini_acknowledge_unpaid", "gemini_sdk"),
    *("gemini_url", "gemini_proxy", "gemini_ca"),
    *("onprem_url", "onprem_trusted_hosts", "onprem_ca"),
}

VALUES = {
    "effort": "'quick'",
    "model": "'/tmp/evil.gguf'",
    "model_folder": "'/tmp'",
    "python": "'/tmp/evil'",
    "max_tokens": "400",
    "context_tokens": "1024",
    "threads": "1",
    "gpu_layers": "-1",
    "sandbox": "'off'",
    "memory_limit_mb": "9999",
    "call_timeout": "99.0",
    "log_file": "'/tmp/log'",
    "gemini_sdk": "'google-genai'",
    "gemini_model": "'gemini-x'",
    "labels_packages_public": "['*']",
    "labels_packages_internal": "['*']",
    "gemini_terms": "'paid'",
    "gemini_acknowledge_unpaid": "true",
    "gemini_url": "'https://evil.example'",
    "gemini_proxy": "'https://evil.example'",
    "gemini_ca": "'/tmp/ca.pem'",
    "gemini_max_requests": "9999",
    "gemini_max_tokens": "9999",
    "onprem_url": "'https://evil.example'",
    "onprem_model": "'x'",
    "onprem_trusted_hosts": "['evil.example']",
    "onprem_ca": "'/tmp/ca.pem'",
    "onprem_parallel": "9",
    "ledger_keep_text": "true",
    "security_minimum_level": "'kernel'",
}


@pytest.mark.parametrize("key", sorted(set(Settings.model_fields) - set(PROJECT_KEYS)))
@pytest.mark.parametrize("name", ["hybridgen.toml", "pyproject.toml"])
def test_a_projects_file_cannot_set(project, name, key):
    table = "[tool.hybridgen]\n" if name == "pyproject.toml" else ""
    (project / name).write_text(f"{table}{shown_key(key)} = {VALUES[key]}\n")
    with pytest.raises(SettingsError) as caught:
        load(project)
    assert str(project / name) in caught.value.message
    assert f"{shown_key(key)} cannot be set by a project's file" in caught.value.message
    assert (f"HYBRIDGEN_{key.upper()}" in caught.value.hint) is (key not in NO_VARIABLE)
    assert str(user_file()) in caught.value.hint


@pytest.mark.parametrize("key", sorted(set(Settings.model_fields) - set(PROJECT_KEYS)))
def test_a_file_that_the_user_picked_can_set(tmp_path, key):
    (tmp_path / "mine.toml").write_text(f"{shown_key(key)} = {VALUES[key]}\n")
    assert load(config=str(tmp_path / "mine.toml")).source_of(key).startswith("config file")


@pytest.mark.parametrize("key", sorted(NO_VARIABLE))
def test_no_variable_opens_a_way_out_or_makes_files_looser(key, user):
    with pytest.raises(SettingsError) as caught:
        load(environment={f"HYBRIDGEN_{key.upper()}": "paid"})
    name = f"environment HYBRIDGEN_{key.upper()}: {shown_key(key)}"
    assert caught.value.message.startswith(f"{name} cannot be set by a variable")
    assert f"set {shown_key(key)} in {user}" in caught.value.hint


@pytest.mark.parametrize("is_variable", [True, False])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("key", sorted(set(Settings.model_fields) - set(PROJECT_KEYS)))
def test_a_picked_file_in_a_project_cannot_set_what_its_own_file_cannot(
    project, key, is_known, is_variable
):
    (project / ".git").mkdir()
    path = project / "ci" / "mine.toml"
    path.parent.mkdir()
    path.write_text(f"{shown_key(key)} = {VALUES[key]}\n")
    picked = {"environment": {"HYBRIDGEN_CONFIG": str(path)}} if is_variable else {}
    with pytest.raises(SettingsError) as caught:
        load(project if is_known else None, config=None if is_variable else str(path), **picked)
    place = f"config file {path} (in the project {project})"
    assert caught.value.message == f"{place}: {shown_key(key)} cannot be set by a project's file"


def test_marks_of_a_picked_file_in_a_project_need_trust(project):
    (project / "setup.py").touch()
    (project / "mine.toml").write_text("labels.public = ['**']\ntests = 'checks'\nseed = 5\n")
    settings = load(project, config=str(project / "mine.toml"))
    assert (settings.tests, settings.seed) == ("checks", 5)
    assert [found.is_project for found in settings.found("labels_public")] == [True]


def test_a_link_into_or_out_of_a_project_lifts_nothing(project, tmp_path):
    (project / ".git").mkdir()
    (project / "inner.toml").write_text("gemini.terms = 'paid'")
    (tmp_path / "outer.toml").write_text("gemini.terms = 'paid'")
    (tmp_path / "into.toml").symlink_to(project / "inner.toml")
    (project / "out.toml").symlink_to(tmp_path / "outer.toml")
    (tmp_path / "folder").symlink_to(project)
    inside = ("into.toml", "project/out.toml", "folder/inner.toml", "project/../project/inner.toml")
    for name in inside:
        with pytest.raises(SettingsError, match="cannot be set by a project's file"):
            load(config=str(tmp_path / name))
    assert load(project, config=str(tmp_path / "outer.toml")).gemini_terms == "paid"


def test_a_picked_file_is_not_in_a_project_that_its_path_only_passes(
    project, tmp_path, monkeypatch
):
    (project / ".git").mkdir()
    (tmp_path / "mine.toml").write_text("gemini.terms = 'paid'")
    monkeypatch.chdir(project)
    assert load(project, config="../mine.toml").gemini_terms == "paid"


@pytest.mark.parametrize(
    ("link", "leads", "picked"),
    [
        ("project/out", "a/b/c", "project/out/../../mine.toml"),
        ("project/out", "a", "project/out/mine.toml"),
        ("way", "project/out", "way/mine.toml"),
    ],
)
def test_a_picked_file_to_which_a_link_of_a_project_leads_is_the_projects(
    project, tmp_path, link, leads, picked
):
    (project / ".git").mkdir()
    (tmp_path / "a/b/c").mkdir(parents=True)
    (project / "out").symlink_to(tmp_path / "a")
    (tmp_path / link).unlink(missing_ok=True)
    (tmp_path / link).symlink_to(tmp_path / leads)
    for folder in (tmp_path, tmp_path / "a", project):
        (folder / "mine.toml").write_text("gemini.terms = 'paid'")
    for root in (None, project):
        with pytest.raises(SettingsError, match="cannot be set by a project's file"):
            load(root, config=str(tmp_path / picked))


def test_a_path_that_begins_in_the_users_own_folder_lifts_nothing(project, user):
    (project / ".git").mkdir()
    (project / "mine.toml").write_text("gemini.terms = 'paid'")
    with pytest.raises(SettingsError, match="cannot be set by a project's file"):
        load(config=str(user.parent / "../../project/mine.toml"))


def test_a_picked_file_above_the_root_of_the_same_repository_is_the_projects(project, tmp_path):
    (project / ".git").mkdir()
    (project / "part").mkdir()
    (project / "part" / "setup.py").touch()
    (project / "mine.toml").write_text("onprem.trusted_hosts = ['evil.example']")
    with pytest.raises(SettingsError, match="cannot be set by a project's file"):
        load(project / "part", config=str(project / "mine.toml"))


def test_a_user_file_that_a_variable_moved_into_the_project_is_the_projects(project, monkeypatch):
    (project / ".git").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project / "x"))
    user_file().parent.mkdir(parents=True)
    user_file().write_text("gemini.url = 'https://evil.example'")
    with pytest.raises(SettingsError, match="cannot be set by a project's file"):
        load(project)


def test_who_keeps_their_own_settings_in_git_can_pick_a_file_there(user):
    (user.parent / ".git").mkdir()
    user.with_name("work.toml").write_text("gemini.terms = 'paid'")
    assert load(config=str(user.with_name("work.toml"))).gemini_terms == "paid"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("offline = true", "offline", True),
        ("budget = 30", "budget", 30.0),
        ("budget = 120", "budget", 120.0),
        ("effort = 'quick'", "effort", "quick"),
        ("tests = 'src/../tests'", None, None),
        ("tests = 'test/unit'", "tests", "test/unit"),
        ("line_length = 100", "line_length", 100),
        ("temperature = 0", "temperature", 0.0),
        ("suspects = 'xfail'", "suspects", "xfail"),
        ("cache = false", "cache", False),
        ("backend = 'local'", "backend", "local"),
        ("context = 'raise'", "context", "raise"),
        ("labels.public = ['docs/']", "labels_public", ("docs/",)),
        ("labels.confidential = ['*.py']", "labels_confidential", ("*.py",)),
        ("backend = 'auto'", None, None),
        ("backend = 'gemini'", None, None),
        ("context = 'drop'", None, None),
        ("offline = false", None, None),
        ("suspects = 'drop'", None, None),
        ("cache = true", None, None),
        ("budget = 120.5", None, None),
        ("tests = '/tmp'", None, None),
        ("tests = '../elsewhere'", None, None),
        ("tests = 'link'", None, None),
    ],
)
def test_a_projects_file_may_only_tighten_and_stay_inside(project, tmp_path, text, key, value):
    (tmp_path / "outside").mkdir()
    (project / "link").symlink_to(tmp_path / "outside")
    (project / "hybridgen.toml").write_text(text)
    if key is None:
        with pytest.raises(SettingsError, match="cannot be set by a project's file"):
            load(project)
    else:
        assert getattr(load(project), key) == value


def test_the_users_own_word_lifts_what_a_project_tightened(project):
    (project / "hybridgen.toml").write_text("offline = true")
    assert load(project).offline
    assert not load(project, flags={"offline": False}).offline
    (project / "hybridgen.toml").write_text("cache = false\nsuspects = 'report'")
    assert not load(project).cache
    assert load(project, environment={"HYBRIDGEN_CACHE": "true"}).cache
    assert load(project, flags={"suspects": "drop"}).suspects == "drop"


def test_an_unknown_key_names_the_place_and_the_closest_key(user):
    user.write_text("bugdet = 3")
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.message == f"user file {user}: bugdet is not a setting"
    assert caught.value.hint == "did you mean budget?"


def test_an_unknown_variable_names_the_closest_one():
    with pytest.raises(SettingsError) as caught:
        load(environment={"HYBRIDGEN_BUGDET": "3"})
    assert "HYBRIDGEN_BUGDET" in caught.value.message
    assert caught.value.hint == "did you mean HYBRIDGEN_BUDGET?"


def test_variables_of_other_programs_and_empty_ones_are_left_alone():
    environment = {"HYBRIDGENERATOR_X": "1", "BUDGET": "x", "HYBRIDGEN_BUDGET": ""}
    assert load(environment=environment) == Settings()


def test_every_other_variable_is_known():
    for name in OTHER_VARIABLES:
        if name != "HYBRIDGEN_CONFIG":
            assert load(environment={name: "1"}) == Settings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("budget = 'fast'", "budget = 'fast' is of the wrong type"),
        ("budget = '120'", "budget = '120' is of the wrong type"),
        ("budget = true", "budget = true is of the wrong type"),
        ("offline = 'no'", "offline = 'no' is of the wrong type"),
        ("cache = 'no'", "cache = 'no' is of the wrong type"),
        ("suspects = 'hide'", "suspects = 'hide' cannot be right"),
        ("budget = 0", "budget = 0 cannot be right: input should be greater than 0"),
        ("budget = inf", "budget = inf cannot be right: input should be a finite number"),
        ("seed = 1.5", "seed = 1.5 cannot be right"),
        ("threads = 0", "threads = 0 cannot be right"),
        ("model = 7", "model = 7 cannot be right"),
        ("model = ''", "model = '' cannot be right"),
        ("backend = 'cloud'", "backend = 'cloud' cannot be right"),
        ("[budget]\nx = 1", "budget = (a table) cannot be right"),
        ("tests = ['a']", "tests = (a list) cannot be right"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(user, text, expected):
    user.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.message.startswith(f"user file {user}: {expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gemini = 'paid'", "gemini is a table of settings"),
        ("gemini_terms = 'paid'", "gemini_terms is not a setting"),
        ("[gemini]\nterm = 'paid'", "gemini.term is not a setting"),
        ("[gemini]\nterms = 'free'", "gemini.terms = 'free' cannot be right"),
        ("[gemini]\nterms = ['paid']", "gemini.terms = (a list) cannot be right"),
        ("[gemini]\nacknowledge_unpaid = 'true'", "gemini.acknowledge_unpaid = 'true' is of"),
        ("[gemini]\nmodel = 'a/../b'", "gemini.model = 'a/../b' cannot be right"),
        ("[labels]\npublic = 'docs/'", "labels.public = 'docs/' is of the wrong type"),
        ("[labels]\npublic = [1]", "labels.public = (a list) cannot be right"),
        ("[labels]\npublic = ['']", "labels.public = (a list) cannot be right"),
        ("[onprem]\nurl = 'models.example.com'", "onprem.url = 'models.example.com' cannot be"),
        ("[onprem]\nurl = 'file:///etc'", "onprem.url = 'file:///etc' cannot be right: write"),
        ("[onprem]\nurl = 'https://a:b@c'", "onprem.url = 'https://a:b@c' cannot be right: an"),
        ("[onprem]\nurl = 'https://c?a=b'", "onprem.url = 'https://c?a=b' cannot be right: an"),
        ("[onprem]\nurl = 'https://c:99999'", "onprem.url = 'https://c:99999' cannot be right"),
        ("[ceiling]\noffline = true", "ceiling is not a setting"),
    ],
)
def test_a_wrong_value_of_a_table_is_named_with_its_place(user, text, expected):
    user.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.message.startswith(f"user file {user}: {expected}")


def test_a_ceiling_in_a_users_file_is_told_where_it_belongs(user):
    user.write_text("[ceiling]\noffline = true")
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(organisation_file()) in caught.value.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[gemni]\nterms = 'paid'", "did you mean [gemini]?"),
        ("gemni = 'paid'", "did you mean gemini?"),
        ("threads = 'two'", "the default is unset"),
        ("labels.public = 'two'", "the default is []"),
        ("cache = 2", "the default is true"),
    ],
)
def test_hints_are_in_the_words_of_toml(user, text, hint):
    user.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.hint == hint


def test_a_slip_in_the_ceiling_names_the_closest_key(company):
    company.write_text("[ceiling]\nbackend = ['local']")
    with pytest.raises(SettingsError, match=r"ceiling.backend is not a setting; did you mean back"):
        load(organisation=company)


def test_the_strictest_minimum_of_kernel_locks_holds(user, company):
    company.write_text("[security]\nminimum_level = 'kernel'\n")
    user.write_text("[security]\nminimum_level = 'sockets'\n")
    settings = load(organisation=company)
    assert settings.security_minimum_level == "kernel"
    assert str(company) in settings.source_of("security_minimum_level")
    company.write_text("[security]\nminimum_level = 'none'\n")
    assert load(organisation=company).security_minimum_level == "sockets"


def test_a_table_of_a_file_is_part_of_the_name_in_a_variable(user):
    user.write_text("[gemini]\nterms = 'paid'\nmodel = 'gemini-x'\n[ledger]\nkeep_text = false\n")
    settings = load(environment={"HYBRIDGEN_GEMINI_MODEL": "gemini-y"})
    assert (settings.gemini_terms, settings.gemini_model) == ("paid", "gemini-y")
    assert settings.source_of("gemini_model") == "environment HYBRIDGEN_GEMINI_MODEL"
    assert settings.ledger_keep_text is False


def test_a_list_in_a_variable_is_parted_by_commas():
    settings = load(environment={"HYBRIDGEN_LABELS_CONFIDENTIAL": "docs/, src/open/**"})
    assert settings.labels_confidential == ("docs/", "src/open/**")


def test_patterns_of_all_places_are_added_and_each_tells_its_place(
    project, user, company, tmp_path
):
    chosen = tmp_path / "mine.toml"
    chosen.write_text("labels.public = ['b']")
    user.write_text("labels.public = ['a', 'b']")
    (project / "hybridgen.toml").write_text("labels.public = ['c']")
    company.write_text("labels.public = ['d']\nlabels.confidential = ['x']")
    settings = load(project, config=str(chosen), organisation=company)
    project_place = f"project file {project / 'hybridgen.toml'}"
    assert settings.labels_public == ("d", "a", "b", "c")
    assert settings.found("labels_public") == (
        Found(("b",), f"config file {chosen}"),
        Found(("c",), project_place, is_project=True),
        Found(("a", "b"), f"user file {user}"),
        Found(("d",), f"organisation file {company}", is_organisation=True),
    )
    assert project_place in settings.source_of("labels_public")
    assert settings.found("seed") == ()
    with pytest.raises(KeyError):
        settings.found("colour")


def test_only_the_user_can_replace_the_usual_headers(project, user, company):
    usual = load().labels_headers
    assert "Confidential" in usual
    (project / "hybridgen.toml").write_text("labels.headers = ['Secret']")
    company.write_text("labels.headers = ['ACME']")
    assert set(load(project, organisation=company).labels_headers) == {*usual, "Secret", "ACME"}
    user.write_text("labels.headers = ['Mine']")
    assert load(project, organisation=company).labels_headers == ("ACME", "Mine", "Secret")


def test_the_organisations_values_are_defaults_below_the_users(user, company):
    company.write_text("seed = 1\nthreads = 2\n[onprem]\nurl = 'https://models.example.com/v1/'\n")
    user.write_text("seed = 3")
    settings = load(organisation=company)
    assert (settings.seed, settings.threads) == (3, 2)
    assert settings.onprem_url == "https://models.example.com/v1"
    assert settings.source_of("threads") == f"organisation file {company}"


CEILINGS = [
    ("offline = true", "offline", False, True),
    ("backends = ['onprem']", "backend", "gemini", "onprem"),
    ("backends = []", "backend", "onprem", "local"),
    ("gemini_terms = ['paid-no-storage']", "gemini_terms", "unpaid", "paid-no-storage"),
    (
        "hosts = ['Models.example.com']",
        "onprem_url",
        "https://x.example",
        "http://models.example.com",
    ),
    ("hosts = ['a.example']", "gemini_url", "https://b.example", "https://a.example:8443"),
    ("hosts = ['a.example']", "gemini_proxy", "http://a.example.evil", "http://a.example"),
    ("sdks = ['google-generativeai']", "gemini_sdk", "google-genai", "google-generativeai"),
    ("https_only = true", "onprem_url", "http://127.0.0.1:8080/v1", "HTTPS://models.example.com"),
    ("keep_text = false", "ledger_keep_text", True, False),
]


@pytest.mark.parametrize(("rule", "key", "refused", "allowed"), CEILINGS)
def test_what_breaks_the_ceiling_is_refused_and_names_the_organisations_file(
    company, user, rule, key, refused, allowed
):
    company.write_text(f"[ceiling]\n{rule}\n")
    user.write_text(
        f"{shown_key(key)} = {str(refused).lower() if refused in (False, True) else repr(refused)}"
    )
    for flags in ({}, {key: refused}):
        with pytest.raises(PolicyRefusal) as caught:
            load(flags=flags, organisation=company)
        assert str(company) in caught.value.message
        assert f"{shown_key(key)} = " in caught.value.message
        assert caught.value.exit_code == 4
    assert load(flags={key: allowed}, organisation=company).source_of(key)


def test_what_the_ceiling_demands_holds_where_nobody_says_anything(company, project):
    company.write_text(
        "[ceiling]\noffline = true\nloosest = 'internal'\nbackends = ['onprem']\n"
        "keep_text = false\nhttps_only = true\nsdks = []\n"
    )
    settings = load(project, organisation=company)
    assert (settings.offline, settings.ledger_keep_text) == (True, False)
    for key in ("offline", "ledger_keep_text"):
        assert settings.source_of(key) == f"organisation file {company} [ceiling]"
    assert settings.ceiling.loosest is Label.INTERNAL
    assert settings.ceiling.limits() == {
        "offline": True,
        "loosest": "internal",
        "backends": ["onprem"],
        "keep_text": False,
        "https_only": True,
        "sdks": [],
    }
    assert settings.backend == "auto"
    assert settings.ceiling.allows_backend("local")
    assert not settings.ceiling.allows_backend("gemini")


def test_without_an_organisation_everything_is_open():
    ceiling = load().ceiling
    assert (ceiling.file, ceiling.limits()) == (None, {})
    assert ceiling.allows_backend("gemini")
    assert ceiling.allows_host("anywhere.example")
    assert ceiling.allows_sdk("google-generativeai")
    assert ceiling.allows_address("http://models.example.com")
    assert load().ledger_keep_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[ceiling", "is not valid TOML"),
        ("[ceiling]\nbackend = ['local']", "ceiling.backend is not a setting"),
        ("[ceiling]\nbackends = 'local'", "ceiling.backends cannot be right"),
        ("[ceiling]\nbackends = ['openai']", "ceiling.backends.0 cannot be right"),
        ("[ceiling]\nloosest = 'secret'", "ceiling.loosest cannot be right"),
        ("[ceiling]\noffline = 'yes'", "ceiling.offline cannot be right"),
        ("[ceiling]\nsdks = ['genai']", "ceiling.sdks.0 cannot be right"),
        ("[ceiling]\nkeep_text = 'no'", "ceiling.keep_text cannot be right"),
        ("ceiling = 1", "ceiling cannot be right"),
        ("bugdet = 1", "bugdet is not a setting"),
    ],
)
def test_a_malformed_organisation_file_stops_everything(company, text, expected):
    company.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(organisation=company)
    assert expected in caught.value.message
    assert str(company) in caught.value.message
    assert caught.value.exit_code == 2


def test_an_organisation_file_that_others_may_write_stops_everything(company):
    company.write_text("seed = 1")
    for path, mode in ((company, 0o664), (company, 0o646), (company.parent, 0o775)):
        usual = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(SettingsError, match="may be written by others"):
            load(organisation=company)
        path.chmod(usual)
    assert load(organisation=company).seed == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_organisation_file_of_another_user_stops_everything(company):
    company.write_text("seed = 1")
    os.chown(company, 4711, -1)
    with pytest.raises(SettingsError, match="belongs to user 4711"):
        load(organisation=company)


def test_an_organisation_file_that_cannot_be_read_stops_everything(company):
    company.mkdir()
    with pytest.raises(SettingsError, match="not a regular file"):
        load(organisation=company)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(organisation=company.parent / ("x" * 300))


def test_no_variable_moves_the_organisations_file(monkeypatch, tmp_path):
    usual = organisation_file()
    for name in ("XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "HOME", "PROGRAMDATA", "HYBRIDGEN_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    assert organisation_file() == usual
    assert usual.is_absolute()
    assert usual.name == "config.toml"


def test_a_wrong_value_in_a_variable_names_the_variable():
    with pytest.raises(SettingsError, match=r"^environment HYBRIDGEN_BUDGET: budget = 'fast'"):
        load(environment={"HYBRIDGEN_BUDGET": "fast"})


@pytest.mark.parametrize("key", ["budget", "backend", "api_key", "seed"])
def test_what_looks_like_a_secret_is_never_echoed(user, key):
    secret = "AIzaSyD-0123456789-abcdefghijklmnop"
    user.write_text(f"{key} = '{secret}'")
    for environment in ({}, {f"HYBRIDGEN_{key.upper()}": secret}):
        with pytest.raises(SettingsError) as caught:
            load(environment=environment)
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None  # pydantic's error would quote it


def test_a_file_that_is_no_toml_is_named_with_the_line(user):
    user.write_text("seed = 1\nbudget == 3\n")
    with pytest.raises(SettingsError, match=r"config\.toml is not valid TOML: .*line 2"):
        load()


def test_text_that_is_not_utf8_is_refused(user):
    user.write_bytes(b"model = '\xff'")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load()


def test_a_pipe_in_place_of_a_projects_file_does_not_hang(project):
    os.mkfifo(project / "hybridgen.toml")
    with pytest.raises(SettingsError, match="not a regular file"):
        load(project)


def test_a_config_that_does_not_exist_lists_the_ready_made_ones():
    with pytest.raises(SettingsError) as caught:
        load(config="nowhere/at/all.toml")
    assert caught.value.hint == "ready-made are: ci, hybrid, offline, onprem"
    with pytest.raises(SettingsError, match="ofline") as caught:
        load(config="ofline")
    assert caught.value.hint == "did you mean offline?"


@pytest.mark.parametrize("name", ready_made_names())
def test_every_ready_made_configuration_loads(name):
    settings = load(config=name)
    path = resource_folder("configs") / f"{name}.toml"
    assert settings.source_of("backend") == f"config file {path}"
    assert settings.gemini_terms is None  # nobody but the user says which terms hold
    assert settings.sandbox == "required"


def test_the_ready_made_names_are_those_promised():
    assert ready_made_names() == ["ci", "hybrid", "offline", "onprem"]
    assert load(config="offline").offline
    assert load(config="ci").offline


def test_paths_in_a_file_are_relative_to_the_file(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "mine.toml").write_text("model_folder = 'models'\nmodel = 'x.gguf'\npython = 'py/3'")
    monkeypatch.chdir(tmp_path)
    settings = load(config="etc/mine.toml", environment={"HYBRIDGEN_LOG_FILE": "log/x"})
    assert settings.model_folder == folder / "models"
    assert settings.model == str(folder / "x.gguf")
    assert settings.python == str(folder / "py/3")
    assert settings.log_file == tmp_path / "log/x"


def test_a_bare_name_of_a_model_or_interpreter_stays_a_name():
    settings = load(flags={"model": "qwen2.5-coder-0.5b", "python": "python3.9"})
    assert (settings.model, settings.python) == ("qwen2.5-coder-0.5b", "python3.9")


def test_a_path_flag_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(flags={"log_file": Path("x.log")}).log_file == tmp_path / "x.log"


def test_settings_are_frozen_and_know_only_their_own_keys():
    settings = load()
    with pytest.raises(ValidationError, match="frozen"):
        settings.budget = 3.0
    with pytest.raises(KeyError):
        settings.source_of("colour")


def test_the_process_environment_is_not_read_behind_our_back(monkeypatch):
    monkeypatch.setenv("SEED", "9")
    monkeypatch.setenv("BUDGET", "9")
    monkeypatch.setenv("HYBRIDGEN_SEED", "9")
    assert load(environment={}) == Settings()


def test_the_project_folder_is_the_nearest_with_a_mark(tmp_path):
    inner = tmp_path / "repo" / "package" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    assert project_folder(inner / "module.py") == tmp_path / "repo"
    (tmp_path / "repo" / "package" / "pyproject.toml").touch()
    assert project_folder(inner) == tmp_path / "repo" / "package"


ROOTS = [
    (["pyproject.toml", "a/b.py"], "a/b.py", "."),
    ([".git/HEAD", "a/b.py"], "a", "."),
    (["setup.py", "p/__init__.py", "p/q/__init__.py", "p/q/setup.py", "p/q/x.py"], "p/q/x.py", "."),
    (["setup.py", "p/__init__.py", "p/setup.cfg", "p/x.py"], "p/x.py", "p"),
    (["setup.py/x", "p/__init__.py", "p/x.py"], "p/x.py", "."),
    (["p/__init__.py", "p/q/__init__.py", "p/q/x.py"], "p/q/x.py", "."),
    (["p/__init__.py", "p/x.py"], "p", "."),
    (["p/x.py"], "p/x.py", "p"),
]


@pytest.mark.parametrize(("files", "asked", "root"), ROOTS)
def test_marks_are_relative_to_the_folder_that_the_code_is_run_in(
    tmp_path, monkeypatch, files, asked, root
):
    for name in files:
        path = tmp_path / "home/work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/.git").mkdir()  # a home under version control is no project
    (tmp_path / "home/hybridgen.toml").write_text("seed = 1")
    path = tmp_path / "home/work" / asked
    assert project_root(path) == (tmp_path / "home/work" / root).resolve()
    assert project_root(path) == find_project(path, python=None, tests=None).root


def test_the_home_folder_is_no_project(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "pyproject.toml").touch()
    (home / "x.py").touch()
    monkeypatch.setenv("HOME", str(home))
    for path in (home, home / "x.py", tmp_path, Path("/")):
        assert project_folder(path) is None
        with pytest.raises(UsageError, match="which is no project"):
            project_root(path)


def test_a_linked_folder_has_the_root_of_where_it_was_found(tmp_path):
    (tmp_path / "one/a").mkdir(parents=True)
    (tmp_path / "one/pyproject.toml").touch()
    (tmp_path / "link").symlink_to("one")
    path = tmp_path / "link/a"
    assert project_root(path) == (tmp_path / "one").resolve()
    assert project_root(path) == find_project(path, python=None, tests=None).root


def test_the_docs_list_every_setting_as_it_is():
    lines = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if "| `" in line
    ]
    documented = {row[0].strip("`"): row[1:] for row in rows if len(row) == 4}
    assert list(documented) == [shown_key(key) for key in Settings.model_fields]
    for key, info in Settings.model_fields.items():
        default, meaning, in_project = documented[shown_key(key)]
        allowed = PROJECT_KEYS[key] or "yes" if key in PROJECT_KEYS else "no"
        assert (meaning, in_project) == (info.description, allowed)
        if info.default is None or info.default == ():
            assert default == "-"
        else:
            text = default.strip("`")
            quoted = f"'{text}'" if isinstance(info.default, str) else text
            read = tomllib.loads(f"x = {quoted}")["x"]
            assert (tuple(read) if isinstance(read, list) else read) == info.default
    variables = {row[0].strip("`"): row[1] for row in rows if len(row) == 2}
    assert variables == dict(OTHER_VARIABLES)


def test_every_variable_that_the_package_speaks_of_is_known():
    known = {f"HYBRIDGEN_{key.upper()}" for key in Settings.model_fields} | set(OTHER_VARIABLES)
    spoken_of = {
        name
        for path in (ROOT / "hybridgen").rglob("*.py")
        for name in re.findall(r"(?<!_)\bHYBRIDGEN_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert "HYBRIDGEN_CONFIG" in spoken_of
    assert spoken_of <= known


@pytest.mark.parametrize(
    ("flags", "seconds"),
    [
        ({}, 120.0),
        ({"effort": "quick"}, 30.0),
        ({"effort": "thorough"}, 480.0),
        ({"effort": "thorough", "budget": 7.0}, 7.0),
    ],
)
def test_effort_means_a_time_unless_one_is_given(flags: dict[str, object], seconds: float) -> None:
    assert load_settings(None, flags, environment={}).seconds == seconds


def test_project_asks_for_no_more_effort_than_usual(project: Path) -> None:
    (project / "hybridgen.toml").write_text("effort = 'thorough'\n")
    with pytest.raises(SettingsError, match="effort"):
        load_settings(project, {}, environment={})
