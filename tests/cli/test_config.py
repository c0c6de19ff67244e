"""``hybridgen config show`` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hybridgen
from hybridgen.settings import Settings, shown_key

ROOT = Path(hybridgen.__file__).parents[1]


@pytest.fixture
def show(tmp_path):
    """Runs ``hybridgen config show`` in an empty folder for a user without settings."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".git").mkdir()

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            **variables,
        }
        return subprocess.run(
            [sys.executable, "-m", "hybridgen", "config", "show", *arguments],
            env=environment,
            cwd=tmp_path / "here",
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def rows(text: str) -> dict[str, tuple[str, str]]:
    found = {}
    for line in text.partition("\n\n")[0].splitlines():
        key, value, source = line.split(None, 2)
        found[key] = (value, source)
    return found


def test_every_setting_is_listed_with_its_default(show):
    done = show()
    assert (done.returncode, done.stderr) == (0, "")
    listed = rows(done.stdout)
    assert list(listed) == [shown_key(key) for key in Settings.model_fields]
    assert listed["effort"] == ("normal", "default")
    assert listed["budget"] == ("-", "default")
    assert listed["offline"] == ("false", "default")
    assert listed["model"] == ("-", "default")


def test_each_value_tells_its_source(show, tmp_path):
    user = tmp_path / ".config" / "hybridgen" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("threads = 2\nseed = 1\n")
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "hybridgen.toml").write_text("line_length = 100\n")
    done = show("--config", "offline", str(project / "src"), HYBRIDGEN_SEED="7")
    listed = rows(done.stdout)
    assert listed["threads"] == ("2", f"user file {user}")
    assert listed["seed"] == ("7", "environment HYBRIDGEN_SEED")
    assert listed["line_length"] == ("100", f"project file {project / 'hybridgen.toml'}")
    assert listed["offline"] == ("true", f"config file {ROOT / 'configs' / 'offline.toml'}")


def test_the_users_own_file_is_named_even_if_it_is_not_there(show, tmp_path):
    user = tmp_path / ".config" / "hybridgen" / "config.toml"
    assert show().stdout.endswith(f"\n\nuser file: {user} (not there yet)\n")
    assert json.loads(show("--json").stdout)["user_file"] == str(user)
    user.parent.mkdir(parents=True)
    user.touch()
    assert show().stdout.endswith(f"\n\nuser file: {user}\n")


def test_json_holds_typed_values_and_sources(show):
    document = json.loads(show("--json", HYBRIDGEN_BUDGET="30").stdout)
    assert document["schema_version"] == 1
    assert document["settings"]["budget"] == {
        "value": 30.0,
        "source": "environment HYBRIDGEN_BUDGET",
    }
    assert document["settings"]["offline"] == {"value": False, "source": "default"}
    assert document["settings"]["model"] == {"value": None, "source": "default"}
    assert list(document["settings"]) == [shown_key(key) for key in Settings.model_fields]


def test_a_setting_of_a_table_has_its_name_and_a_list_is_shown_as_one(show):
    variables = {"HYBRIDGEN_GEMINI_MODEL": "gemini-x", "HYBRIDGEN_LABELS_CONFIDENTIAL": "a/,b.py"}
    listed = rows(show(**variables).stdout)
    assert listed["gemini.model"] == ("gemini-x", "environment HYBRIDGEN_GEMINI_MODEL")
    assert listed["onprem.trusted_hosts"] == ("-", "default")
    document = json.loads(show("--json", **variables).stdout)
    assert document["settings"]["labels.confidential"]["value"] == ["a/", "b.py"]


def test_a_projects_file_that_says_too_much_is_refused(show, tmp_path):
    (tmp_path / "here" / "hybridgen.toml").write_text("sandbox = 'off'\n")
    done = show()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: project file ")
    assert "sandbox cannot be set by a project's file\n  remove it there" in done.stderr


def test_a_path_that_does_not_exist_is_a_usage_error(show):
    done = show("nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: nowhere does not exist\n")


def test_control_characters_in_a_value_do_not_reach_the_terminal(show):
    done = show(HYBRIDGEN_MODEL="\x1b[2Jx")
    assert "\x1b" not in done.stdout
    assert rows(done.stdout)["model"][0] == "\\x1b[2Jx"
