"""Exit codes, messages and start-up of the command, all in real processes."""

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

import hybridgen
from hybridgen.cli.main import COMMANDS, LazyGroup
from hybridgen.cli.main import hybridgen as group

ROOT = Path(hybridgen.__file__).parents[1]

# As far as Windows can be tried elsewhere: its name, and none of the modules that it lacks. click
# asks for its system when it is imported; that is still this one.
AS_ON_WINDOWS = """
import os, select, signal, sys
import click
sys.platform = "win32"
sys.modules.update(dict.fromkeys(("fcntl", "grp", "pwd", "resource", "termios")))
del select.poll, signal.SIGHUP, os.uname, os.getuid
from hybridgen.__main__ import start
start()
"""

# Commands that end in every way a command can end.
ENDINGS = r"""
import os, time
import click
from hybridgen import errors

@click.group()
def end(): pass

@end.command()
@click.argument("name")
def error(name):
    raise getattr(errors, name)("it went wrong in a\x1b[31m.py", "try this\nor that")

@end.command()
def crash():
    secret_local = "local value"
    try:
        {}["quoted source"]
    except KeyError as error:
        raise ValueError("def confidential(): ...") from error

@end.command()
@click.argument("code", type=int)
def code(code):
    return code

@end.command()
@click.argument("code", type=int)
def leave(code):
    click.get_current_context().exit(code)

@end.command()
def wait():
    print("ready", flush=True)
    time.sleep(60)

@end.command()
def decline():
    click.confirm("sure?", abort=True)

@end.command()
def talk():
    for _ in range(100_000):
        print("words " * 10)

@end.command()
def child_gone():
    reader, writer = os.pipe()
    os.close(reader)
    os.write(writer, b"x")
"""

START = "import hybridgen.cli.main as m; m.COMMANDS['end'] = ('endings:end', 'End.'); m.main()"


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "endings.py").write_text(ENDINGS)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
    }


def run(environment, *arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "hybridgen", *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def end(environment, *arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-c", START, "end", *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_click_and_nothing_heavier(environment, arguments):
    code = f"""
import sys
before = set(sys.modules)
from hybridgen.cli.main import main
try:
    main({arguments!r})
except SystemExit:
    pass
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print("LOADED", *sorted(loaded - set(sys.stdlib_module_names)))
print("OURS", *sorted(name for name in sys.modules if name.startswith("hybridgen")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    *_, loaded, ours = done.stdout.splitlines()
    assert loaded == "LOADED click hybridgen"
    assert ours == "OURS hybridgen hybridgen.cli hybridgen.cli.main hybridgen.errors"


def test_help_lists_every_command_with_its_line(environment):
    done = run(environment, "--help")
    assert done.returncode == 0
    for name, (_, text) in COMMANDS.items():
        assert any(line.split(None, 1) == [name, text] for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_has_help(name):
    assert isinstance(group, LazyGroup)
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_version(environment):
    done = run(environment, "--version")
    assert done.stdout == f"hybridgen, version {hybridgen.__version__}\n"


@pytest.mark.parametrize("arguments", [["generat"], ["--nonsense"], ["config", "show", "--x"], []])
def test_a_wrong_command_line_exits_with_2_and_prints_nothing_on_stdout(environment, arguments):
    done = run(environment, *arguments)
    if not arguments and done.returncode == 0:
        pytest.skip("click before 8.2 takes no arguments for --help")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Usage: hybridgen" in done.stderr


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UsageError", 2),
        ("SettingsError", 2),
        ("ModelMissing", 1),
        ("PolicyRefusal", 4),
        ("SandboxUnavailable", 4),
        ("HybridgenError", 3),
    ],
)
def test_an_error_of_ours_is_a_message_a_hint_and_its_exit_code(environment, name, code):
    done = end(environment, "error", name)
    assert done.returncode == code
    assert done.stdout == ""
    # The escape sequence does not reach the terminal.
    assert done.stderr == "error: it went wrong in a\\x1b[31m.py\n  try this\n  or that\n"


@pytest.mark.parametrize("way", ["code", "leave"])
def test_a_command_may_return_its_exit_code_or_leave_with_it(environment, way):
    assert end(environment, way, "4").returncode == 4
    assert end(environment, way, "0").returncode == 0


def test_a_crash_leaves_a_log_without_a_word_of_the_project(environment, tmp_path):
    done = end(environment, "crash")
    log = tmp_path / "state" / "hybridgen" / "crash.log"
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error: internal error: ValueError in hybridgen/cli/main.py:")
    assert str(log) in done.stderr
    text = log.read_text()
    assert "builtins.KeyError" in text
    assert re.search(r"endings\.py:\d+ in crash", text)
    for word in ("confidential", "quoted", "local value", "raise", "secret_local"):
        assert word not in text + done.stderr
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_a_crash_log_replaces_an_older_one_and_follows_no_link(environment, tmp_path):
    folder = tmp_path / "state" / "hybridgen"
    folder.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    (folder / "crash.log").symlink_to(victim)
    assert end(environment, "crash").returncode == 3
    assert victim.read_text() == "keep me"
    assert "KeyError" in (folder / "crash.log").read_text()


def test_a_crash_without_a_place_for_the_log_is_still_told(environment, tmp_path):
    (tmp_path / "state").write_text("a file, not a folder")
    done = end(environment, "crash")
    assert done.returncode == 3
    assert "no crash log" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_traceback_variable_shows_everything(environment):
    done = end({**environment, "HYBRIDGEN_TRACEBACK": "1"}, "crash")
    assert done.returncode == 3
    assert "ValueError: def confidential(): ..." in done.stderr


def test_an_interrupt_exits_with_130(environment):
    process = subprocess.Popen(
        [sys.executable, "-c", START, "end", "wait"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr == "\ninterrupted\n"


def test_a_question_answered_with_no_exits_with_130(environment):
    assert end(environment, "decline", stdin="n\n").returncode == 130


def test_a_reader_that_goes_away_ends_the_command_quietly(environment):
    process = subprocess.Popen(
        [sys.executable, "-c", START, "end", "talk"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        process.stdout.read(5)
        process.stdout.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_reader_that_was_never_there_is_met_quietly(environment):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hybridgen", "--help"],
            env=environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_broken_pipe_to_a_child_is_not_mistaken_for_a_reader(environment):
    done = end(environment, "child-gone")
    assert done.returncode == 3
    assert "internal error: BrokenPipeError" in done.stderr


def test_shell_completion_knows_the_commands(environment):
    done = run(
        {
            **environment,
            "_HYBRIDGEN_COMPLETE": "bash_complete",
            "COMP_WORDS": "hybridgen co",
            "COMP_CWORD": "1",
        }
    )
    assert done.stdout == "plain,config\n"


def _on_windows(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AS_ON_WINDOWS, *arguments],
        env={"PATH": os.defpath, "HOME": "/nowhere", "PYTHONPATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [*COMMANDS, "generate a.py --json", "models list"])
def test_every_command_ends_on_windows_with_one_clear_error(command: str) -> None:
    done = _on_windows(*command.split())
    assert (done.returncode, done.stdout) == (4, "")
    message, hint = done.stderr.splitlines()
    assert message == "error: hybridgen runs on Linux and macOS, and on Windows inside WSL 2"
    assert "docs/security.md" in hint


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_shown_on_windows(option: str) -> None:
    done = _on_windows(option)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hybridgen" in done.stdout
