"""``hybridgen doctor`` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hybridgen
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.lockdown import probe

ROOT = Path(hybridgen.__file__).parents[1]
KEY = "sk-Zq8vTn3mWc5xLr7yHd2k"
PLANTED = "PLANTED-IN-THE-PROJECT"

# What the command itself opens and where it connects, on stderr at the end.
WATCHED = """
import socket, sys
seen = []
def note(event, given):
    if event == "open" and isinstance(given[0], (str, bytes)):
        seen.append(f"open {given[0]}")
    elif event in ("socket.connect", "socket.getaddrinfo"):
        seen.append(event)
    elif event == "subprocess.Popen":
        try:
            socket.socket().close()
        except PermissionError:
            seen.append("starts a program, locked")
        else:
            seen.append("starts a program, unlocked")
sys.addaudithook(note)
from hybridgen.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print("SEEN", *seen, sep="\\n", file=sys.stderr)
"""

Doctor = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(not probe().is_full, reason="the kernel does not lock")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{PLANTED}"\n')
    (folder / "hybridgen.toml").write_text(f'budget = "{PLANTED}"\n')
    (folder / "shop.py").write_text(f"NAME = '{PLANTED}'\n")
    return folder


@pytest.fixture
def doctor(home: Path, project: Path, tiny_gguf: Path) -> Doctor:
    """Runs it in the project, for a user who set a model and nothing else."""

    def run(
        *arguments: str, start: tuple[str, ...] = ("-m", "hybridgen"), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "HYBRIDGEN_MODEL": str(tiny_gguf),
            **variables,
        }
        return subprocess.run(
            [sys.executable, *start, "doctor", *arguments],
            env=environment,
            cwd=project,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def user_settings(home: Path, text: str) -> None:
    path = home / ".config" / "hybridgen" / "config.toml"
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    path.write_text(text)
    path.chmod(0o600)


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """By subject, the last finding of each."""
    return {one["subject"]: one for one in json.loads(done.stdout)["findings"]}


def test_sound_installation_is_a_mark_a_line_and_exit_0(doctor: Doctor, home: Path) -> None:
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, empty, last = done.stdout.splitlines()
    marks = {line.split()[0] for line in lines if not line.startswith("  ")}
    assert marks <= {"ok", "warning", "skipped"}
    assert empty == ""
    assert "nothing is wrong (exit code 0)" in last
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert list(home.iterdir()) == [], "a look left something behind"


def test_nothing_is_connected_to_and_no_file_of_the_project_is_opened(
    doctor: Doctor, project: Path, home: Path
) -> None:
    user_settings(home, '[gemini]\nterms = "paid"\n')
    done = doctor(start=("-c", WATCHED), GEMINI_API_KEY=KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = done.stderr.partition("SEEN\n")[2].splitlines()
    assert any(line.startswith("open ") for line in seen)
    assert [line for line in seen if line.startswith("socket")] == []
    assert [line for line in seen if str(project) in line] == []
    assert "starts a program, locked" in seen
    assert "starts a program, unlocked" not in seen
    assert PLANTED not in done.stdout + done.stderr


def test_no_part_of_a_key_is_shown(doctor: Doctor, home: Path) -> None:
    user_settings(home, '[gemini]\nterms = "paid"\n')
    for done in (doctor(GEMINI_API_KEY=KEY), doctor("--json", GEMINI_API_KEY=KEY)):
        assert "the variable GEMINI_API_KEY" in done.stdout
        for start in range(len(KEY) - 4):
            assert KEY[start : start + 5] not in done.stdout + done.stderr


def test_file_that_others_can_read_is_exit_1_until_the_fix_was_done(
    doctor: Doctor, home: Path
) -> None:
    state = home / ".local" / "state" / "hybridgen"
    (state / "trust").mkdir(parents=True, mode=0o700)
    state.chmod(0o700)
    (state / "engine.log").touch(0o644)
    done = doctor()
    assert done.returncode == 1
    fix = next(line for line in done.stdout.splitlines() if "fix: chmod" in line)
    assert "exit code 1" in done.stdout.splitlines()[-1]
    subprocess.run(["/bin/sh", "-c", fix.partition("fix: ")[2]], check=True, timeout=20)
    assert doctor().returncode == 0


def test_document_says_the_same(doctor: Doctor, home: Path) -> None:
    done = doctor("--json", HYBRIDGEN_MODEL="qwen2.5-coder-0.5b")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert (document["exit_code"], document["online"]) == (1, False)
    model = findings(done)["model"]
    assert (model["state"], model["fix"]) == ("wrong", "hybridgen models pull qwen2.5-coder-0.5b")
    assert findings(done)["python"]["facts"]["version"]
    assert done.stderr == ""


def test_broken_settings_file_is_a_finding_and_no_traceback(doctor: Doctor, home: Path) -> None:
    user_settings(home, "budget = \n")
    done = doctor()
    assert done.returncode == 1
    assert "config.toml is not valid TOML" in done.stdout
    assert "fix: correct that line" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "not checked: the settings cannot be read" in done.stdout


@pytest.fixture
def server() -> Iterator[FakeOpenai]:
    with FakeOpenai([]) as fake:
        yield fake


def test_server_in_the_building_is_asked_with_online_only(
    doctor: Doctor, home: Path, server: FakeOpenai
) -> None:
    table = f'[onprem]\nurl = "{server.url}/v1"\nmodel = "fake"\ntrusted_hosts = ["127.0.0.1"]\n'
    user_settings(home, table)
    done = doctor("--json", ONPREM_API_KEY=KEY)
    assert findings(done)["reach"]["state"] == "skipped"
    assert server.requests == []
    done = doctor("--json", "--online", ONPREM_API_KEY=KEY)
    assert findings(done)["reach"]["state"] == "ok", done.stdout
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1/models", b"")
    assert KEY in request.headers["authorization"]
    server.close()
    done = doctor("--online")
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout
    assert "tried: " in done.stdout
    assert "onprem.url" in done.stdout


def test_offline_is_stronger_than_online(doctor: Doctor, home: Path, server: FakeOpenai) -> None:
    table = f'[onprem]\nurl = "{server.url}/v1"\nmodel = "fake"\ntrusted_hosts = ["127.0.0.1"]\n'
    user_settings(home, f"offline = true\n{table}")
    done = doctor("--json", "--online")
    assert findings(done)["reach"]["state"] == "skipped"
    assert server.requests == []
