"""macOS, as far as it can be tried elsewhere: a ``sandbox-exec`` of ours in place of the real one.

One of them only starts the program, as a system would where Seatbelt is a name. The other reads
what the profile allows, and locks for real by this kernel. The real language and its kernel were
never asked: docs/security.md says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridgen.domain import Interpreter
from hybridgen.engine.process import EngineProcess
from hybridgen.errors import PolicyRefusal, SandboxUnavailable, UsageError
from hybridgen.lockdown import (
    LockLevel,
    Profile,
    courier_profile,
    engine_command,
    engine_profile,
    lock_down,
    locked_command,
    probe,
    runner_profile,
    seatbelt,
)
from hybridgen.lockdown.program import loader_of

NAME_ONLY = """
import os, sys
os.execv(sys.argv[3], sys.argv[3:])
"""

LOCKING = """
import json, os, re, sys
from pathlib import Path
from hybridgen.lockdown import Profile, locked_command
from hybridgen.lockdown.profile import programs
from hybridgen.lockdown.runtime import readable_by_all
text, argv = sys.argv[2], sys.argv[3:]
def allowed(what):
    lines = [line for line in text.splitlines() if line.startswith(f"(allow {what} (subpath")]
    found = re.findall(r'\\(subpath ("(?:[^"\\\\]|\\\\.)*")\\)', "".join(lines))
    return tuple(Path(json.loads(one)) for one in found)
read = (*allowed("file-read*"), *readable_by_all())
execute = tuple(file for one in allowed("process-exec") for file in programs(one, read))
name = "runner" if "(deny process-fork)" in text else "nursery"
os.getpid = os.getppid  # whom it is to die with
command = locked_command(Profile(name, read, execute, allowed("file-write*")), argv)
os.execv(command[0], command)
"""

FILES_ONLY = LOCKING.replace("locked_command(Profile", "without_filter(Profile").replace(
    "name =",
    "from hybridgen.lockdown import LockLevel\n"
    "def without_filter(profile, argv):\n"
    "    level = LockLevel(False, True, 'no filter')\n"
    "    return locked_command(profile, argv, unsafe_level=level)\n"
    "name =",
)

Fake = Callable[[str], Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Writes a ``sandbox-exec``."""

    def write(code: str) -> Path:
        file = tmp_path / "sandbox-exec"
        file.write_text(f"#!{sys.executable} -I\n{code}")
        file.chmod(0o755)
        return file

    return write


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> Iterator[Callable[[str], None]]:
    """Makes this process believe that it runs on a Mac with that ``sandbox-exec``."""

    def become(code: str) -> None:
        monkeypatch.setattr(seatbelt, "SANDBOX_EXEC", fake(code))
        monkeypatch.setattr(sys, "platform", "darwin")

    probe.cache_clear()
    yield become
    probe.cache_clear()


def _profile(tmp_path: Path, **changes: Any) -> Profile:
    profile = Profile(
        name="runner",
        read=(tmp_path / "project",),
        execute=(Path("/opt/python/bin/python3"),),
        write=(tmp_path / "scratch", Path("/dev/null")),
    )
    return replace(profile, **changes)


def test_everything_that_is_shut_is_shut_before_anything_is_opened(tmp_path: Path) -> None:
    lines = seatbelt.seatbelt_text(_profile(tmp_path)).splitlines()
    assert lines[:2] == ["(version 1)", "(allow default)"]
    for shut, opened in (
        ("(deny network*)", None),
        ("(deny process-fork)", None),
        ("(deny signal)", "(allow signal (target self))"),
        ("(deny process-exec)", '(allow process-exec (subpath "/opt/python/bin/python3"))'),
        (
            "(deny file-write*)",
            f'(allow file-write* (subpath "{tmp_path}/scratch") (subpath "/dev/null"))',
        ),
    ):
        assert lines.count(shut) == 1
        # The last rule that fits counts, so nothing else may open it again.
        what = shut.removeprefix("(deny ").removesuffix(")")
        assert [line for line in lines if line.startswith(f"(allow {what}")] == [opened] * bool(
            opened
        )
        assert opened is None or lines.index(shut) < lines.index(opened)


def test_homes_and_temporary_folders_are_shut_but_for_what_the_profile_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    lines = seatbelt.seatbelt_text(_profile(tmp_path)).splitlines()
    [shut] = [line for line in lines if line.startswith("(deny file-read*")]
    for place in ("/Users", "/Volumes", "/private/tmp", "/private/var/folders", str(tmp_path)):
        assert f'(subpath "{place}")' in shut
    [opened] = [line for line in lines if line.startswith("(allow file-read* ")]
    assert f'(subpath "{tmp_path}/project")' in opened
    assert lines.index(shut) < lines.index(opened)


def test_only_a_nursery_may_fork_and_only_end_its_own(tmp_path: Path) -> None:
    text = seatbelt.seatbelt_text(_profile(tmp_path, name="nursery"))
    assert "process-fork" not in text
    assert "(allow signal (target self) (target pgrp))" in text


def test_the_model_starts_nothing_but_itself_and_reads_its_file(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    text = seatbelt.seatbelt_text(engine_profile(model))
    program = Path(sys.executable).resolve()
    assert f'(allow process-exec (subpath "{program}"))' in text
    assert "(deny process-fork)" in text
    assert f'(subpath "{model}")' in text
    assert '(allow file-write* (subpath "/dev/null"))' in text


@pytest.mark.parametrize("name", ['a "b" (allow network*)', "back\\slash", "späße", "a b"])
def test_path_stays_one_word(tmp_path: Path, name: str) -> None:
    text = seatbelt.seatbelt_text(_profile(tmp_path, read=(tmp_path / name,)))
    [line] = [line for line in text.splitlines() if line.startswith("(allow file-read* ")]
    after = line.removeprefix("(allow file-read* (subpath ")
    # Strings of the language are written as those of JSON, as far as printable text goes.
    assert json.JSONDecoder(strict=True).raw_decode(after)[0] == str(tmp_path / name)


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", "\udcff", "right-to-left \u202e"])
def test_path_that_cannot_be_quoted_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SandboxUnavailable, match="cannot stand in a profile"):
        seatbelt.seatbelt_text(_profile(tmp_path, read=(tmp_path / name,)))


def test_profile_that_seatbelt_cannot_hold_is_refused(tmp_path: Path) -> None:
    for profile in (
        courier_profile([443]),
        _profile(tmp_path, standard=(tmp_path,)),
        _profile(tmp_path, libraries=(tmp_path,)),
    ):
        with pytest.raises(SandboxUnavailable, match="cannot hold"):
            seatbelt.seatbelt_text(profile)


def test_program_of_a_framework_may_become_the_application_beside_it(tmp_path: Path) -> None:
    application = tmp_path / "Resources" / "Python.app"
    application.mkdir(parents=True)
    text = seatbelt.seatbelt_text(_profile(tmp_path, execute=(tmp_path / "bin" / "python3",)))
    [line] = [line for line in text.splitlines() if line.startswith("(allow process-exec ")]
    assert f'(subpath "{application}")' in line


def test_program_of_a_mac_is_one_there_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python3"
    program.write_bytes(b"\xcf\xfa\xed\xfe" + bytes(60))
    with pytest.raises(UsageError, match="64-bit program"):
        loader_of(program)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert loader_of(program) is None


def test_there_is_no_level_without_sandbox_exec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mac: Callable[[str], None]
) -> None:
    mac(LOCKING)
    monkeypatch.setattr(seatbelt, "SANDBOX_EXEC", tmp_path / "none")
    assert probe().name == "none"
    assert "there is no" in probe().why
    with pytest.raises(SandboxUnavailable):
        locked_command(_profile(tmp_path), ["/bin/true"])


def test_name_alone_is_no_level(mac: Callable[[str], None]) -> None:
    mac(NAME_ONLY)
    level = probe()
    assert level.name == "none"
    assert not level.can_run
    assert "network, files, processes" in level.why


@pytest.mark.usefixtures("kernel_with_locks")
def test_what_holds_in_part_is_no_level(mac: Callable[[str], None]) -> None:
    mac(FILES_ONLY)
    level = probe()
    assert (level.name, level.can_run) == ("none", False)
    assert level.why.endswith("should here: network")


@pytest.mark.usefixtures("kernel_with_locks")
def test_what_really_denies_is_best_effort_and_no_more(mac: Callable[[str], None]) -> None:
    mac(LOCKING)
    level = probe()
    assert (level.name, level.can_run, level.is_full) == ("best-effort", True, False)
    assert [level.reaches(name) for name in ("none", "best-effort", "sockets", "kernel")] == [
        *(True, True, False, False)
    ]


@pytest.mark.usefixtures("kernel_with_locks")
def test_model_is_started_in_it_too(tmp_path: Path, mac: Callable[[str], None]) -> None:
    mac(LOCKING)
    model = tmp_path / "model.gguf"
    command = engine_command(model, ["/usr/bin/python3", "-c", "pass"])
    assert command[:2] == [str(seatbelt.SANDBOX_EXEC), "-p"]
    assert f'(subpath "{model}")' in command[2]
    assert command[3:] == ["/usr/bin/python3", "-c", "pass"]


@pytest.mark.usefixtures("kernel_with_locks")
def test_process_of_the_model_reaches_no_network_there(
    tmp_path: Path, mac: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mac(LOCKING)
    attack = (
        "import _socket, json, sys\n"
        "try: _socket.socket().connect(('127.0.0.1', 9)); found = 'open'\n"
        "except OSError as problem: found = problem.strerror\n"
        "print(json.dumps({'event': found}))\n"
    )
    monkeypatch.setattr("hybridgen.engine.process._BOOTSTRAP", attack)
    model = tmp_path / "model.gguf"
    model.touch()
    process = EngineProcess(tmp_path / "engine.log", model)
    try:
        assert process.receive(30.0) == {"event": "Operation not permitted"}
    finally:
        process.kill()


def test_level_without_seatbelt_leaves_the_model_as_it_is(mac: Callable[[str], None]) -> None:
    mac(NAME_ONLY)
    assert engine_command(Path("/m.gguf"), ["/usr/bin/python3"]) == ["/usr/bin/python3"]


def test_unsafe_run_takes_it_all_the_same_where_it_holds(
    tmp_path: Path, mac: Callable[[str], None]
) -> None:
    mac(NAME_ONLY)
    held = LockLevel(False, False, "held", seatbelt=True)
    assert "-p" in locked_command(_profile(tmp_path), ["/bin/true"], unsafe_level=held)
    none = LockLevel(False, False, "none")
    assert locked_command(_profile(tmp_path), ["/bin/true"], unsafe_level=none) == ["/bin/true"]


def test_nothing_is_left_for_a_process_to_take_on_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(plan: object) -> None:
        raise FileNotFoundError("/proc/self/task")

    monkeypatch.setattr("hybridgen.lockdown.own.take", take)
    monkeypatch.setattr(sys, "platform", "darwin")
    profile = engine_profile(tmp_path / "model.gguf")
    lock_down(profile, level=LockLevel(False, False, "as the engine is told on a Mac"))
    with pytest.raises(SandboxUnavailable):  # asked for more, it fails
        lock_down(profile)


def test_folder_that_holds_the_library_of_a_home_is_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "home" / "Library").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "darwin")
    interpreter = Interpreter(Path(sys.executable), "", (Path(sys.prefix), Path(sys.base_prefix)))
    with pytest.raises(PolicyRefusal, match="would open"):
        runner_profile(
            project=tmp_path / "home" / "Library", interpreter=interpreter, scratch=scratch
        )


def test_processor_time_and_files_have_limits_in_it(
    tmp_path: Path, mac: Callable[[str], None]
) -> None:
    mac(NAME_ONLY)
    ask = (
        "import resource as r; print(r.getrlimit(r.RLIMIT_CPU)[1], r.getrlimit(r.RLIMIT_FSIZE)[1])"
    )
    command = locked_command(_profile(tmp_path), [sys.executable, "-I", "-c", ask])
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    limits = _profile(tmp_path).limits
    assert done.stdout.split() == [str(limits.cpu_seconds), str(limits.file_bytes)]


AS_ON_A_MAC = """
import sys
from pathlib import Path
# Libraries ask for their system when they are imported; that is still this one.
import hybridgen.cli.backend, hybridgen.cli.door, hybridgen.cli.explain, hybridgen.cli.generate
import hybridgen.doctor, hybridgen.pipeline, hybridgen.report.console
from hybridgen.lockdown import seatbelt
from hybridgen.cli.main import main
seatbelt.SANDBOX_EXEC = Path(sys.argv[1])
sys.platform = "darwin"
main(sys.argv[2:])
"""


@pytest.fixture
def on_a_mac(tmp_path: Path, fake: Fake) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``hybridgen`` in a project, with that ``sandbox-exec`` and these settings."""
    project, home = tmp_path / "project", tmp_path / "home"
    project.mkdir()
    (home / ".config" / "hybridgen").mkdir(parents=True)
    (project / "m.py").write_text("def double(a: int) -> int:\n    return a * 2\n")
    (project / "pyproject.toml").write_text("[project]\nname = 'm'\n")

    def run(code: str, *arguments: str, settings: str = "") -> subprocess.CompletedProcess[str]:
        (home / ".config" / "hybridgen" / "config.toml").write_text(settings)
        return subprocess.run(
            [sys.executable, "-I", "-c", AS_ON_A_MAC, str(fake(code)), *arguments],
            cwd=project,
            env={"PATH": os.defpath, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


GENERATE = ("generate", "m.py", "--no-model", "--budget", "30")
REMOTE = (
    "[labels]\ninternal = ['*']\n"
    "[onprem]\nurl = 'http://127.0.0.1:9'\nmodel = 'm'\ntrusted_hosts = ['127.0.0.1']\n"
)


@pytest.mark.long
@pytest.mark.usefixtures("kernel_with_locks")
def test_whole_run_writes_tests_and_says_once_what_holds(on_a_mac, tmp_path: Path) -> None:
    done = on_a_mac(LOCKING, *GENERATE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "project" / "tests" / "test_m.py").exists()
    assert "kernel locks: best-effort\n" in done.stdout
    said = [line for line in done.stdout.splitlines() if "Seatbelt keeps" in line]
    assert len(said) == 1
    assert "nothing is sent" in said[0]


@pytest.mark.long
@pytest.mark.usefixtures("kernel_with_locks")
def test_nobody_else_is_asked_there(on_a_mac) -> None:
    done = on_a_mac(LOCKING, "generate", "m.py", "--json", "--budget", "30", settings=REMOTE)
    [module] = json.loads(done.stdout)["modules"]
    assert (module["locks"], module["route"]["backend"]) == ("best-effort", "local")


@pytest.mark.usefixtures("kernel_with_locks")
def test_who_asks_for_somebody_else_is_refused_there(on_a_mac) -> None:
    asked = ("generate", "m.py", "--backend", "onprem")
    refused = on_a_mac(LOCKING, *asked, settings=REMOTE)
    assert refused.returncode in (2, 4)
    assert "nothing is sent where the kernel cannot lock what sends it" in refused.stderr


def test_name_alone_runs_no_code(on_a_mac, tmp_path: Path) -> None:
    refused = on_a_mac(NAME_ONLY, *GENERATE)
    assert refused.returncode == 4
    assert "Seatbelt does not hold" in refused.stderr
    assert not (tmp_path / "project" / "tests").exists()


@pytest.mark.usefixtures("kernel_with_locks")
@pytest.mark.parametrize("minimum", ["kernel", "sockets"])
def test_organisation_may_ask_for_more(on_a_mac, minimum: str) -> None:
    settings = f"[security]\nminimum_level = '{minimum}'\n"
    refused = on_a_mac(LOCKING, *GENERATE, "--unsafe-no-sandbox", settings=settings)
    assert refused.returncode == 4
    assert f"minimum_level = '{minimum}'" in refused.stderr


@pytest.mark.usefixtures("kernel_with_locks")
def test_doctor_says_the_level(on_a_mac) -> None:
    done = on_a_mac(LOCKING, "doctor", "--json")
    found = {one["subject"]: one for one in json.loads(done.stdout)["findings"]}
    locks = found["locks"]
    assert (locks["state"], locks["facts"]["level"]) == ("warning", "best-effort")
    assert "nothing is sent here" in locks["fix"]
    assert found["python"]["state"] == "ok"  # started in the same locks as code under test
