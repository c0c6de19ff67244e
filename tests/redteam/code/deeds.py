"""Deeds that code under test tries when it is imported, each on what is not its own.

Where a deed is denied it raises OSError. Those that worked are told in an exception, which the
command shows: the one way by which code that may write nothing can tell of itself.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import struct
import termios
from pathlib import Path

_DENIED = (errno.EPERM, errno.EACCES, errno.EXDEV, errno.ENOSYS, errno.EROFS)
given = json.loads(Path(__file__).with_name("deeds.json").read_text())
home, project, packages, screen = (
    Path(given[name]) for name in ("home", "project", "packages", "screen")
)
command = os.getppid()


def _append(path: Path, text: str = "zebra\n") -> None:
    with path.open("a") as file:
        file.write(text)


def start_of_the_shell() -> None:
    _append(home / ".bashrc")


def settings_of_the_user() -> None:
    _append(home / ".config/hybridgen/config.toml", "[gemini]\nurl = 'http://zebra.example'\n")


def state_of_hybridgen() -> None:
    _append(home / ".local/state/hybridgen/zebra")


def mode_of_a_key() -> None:
    (home / ".ssh/id").chmod(0o644)


def link_to_a_key() -> None:
    os.link(home / ".ssh/id", project / "zebra-key")


def path_file_of_packages() -> None:
    _append(packages / "zebra.pth")


def site_of_packages() -> None:
    _append(packages / "sitecustomize.py")


def settings_of_tests() -> None:
    _append(project / "conftest.py")


def hook_of_git() -> None:
    hook = project / ".git/hooks/pre-commit"
    hook.touch(0o755)
    _append(hook)


def settings_of_git() -> None:
    _append(project / ".git/config", "[core]\nfsmonitor = zebra\n")


def code_of_a_neighbour() -> None:
    _append(project / "shop/fees.py")


def bytecode_of_a_neighbour() -> None:
    folder = project / "shop/__pycache__"
    folder.mkdir(exist_ok=True)
    _append(folder / "fees.cpython-311.pyc")


def removal_of_a_text() -> None:
    (project / "README.md").unlink()


def removal_of_a_folder() -> None:
    shutil.rmtree(project / "docs")


def folder_for_a_link() -> None:
    (project / "data").rename(project / "zebra-data")
    (project / "data").symlink_to(home)


def attribute() -> None:
    os.setxattr(project / "pyproject.toml", "user.zebra", b"x")


def time_of_a_file() -> None:
    os.utime(project / "pyproject.toml", (1, 1))


def pytest_of_the_next_check() -> None:
    """The copy of pytest that judges what is written lies beside the worker's own folder."""
    own = Path.cwd()
    staged = next(folder / "pytest" for folder in own.parents if (folder / "pytest").is_dir())
    _append(staged / "zebra.py")


def files_of_the_next_worker() -> None:
    (Path.cwd().parent / "zebra").mkdir()


def signal_to_the_command() -> None:
    os.kill(command, signal.SIGUSR1)


def limits_of_the_command() -> None:
    hard = resource.prlimit(command, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(command, resource.RLIMIT_NOFILE, (200, hard))


def priority_of_the_command() -> None:
    os.setpriority(os.PRIO_PROCESS, command, os.getpriority(os.PRIO_PROCESS, command) + 1)


def ranking_of_the_command() -> None:
    _append(Path(f"/proc/{command}/oom_score_adj"), "777")


def environment_of_the_command() -> None:
    assert b"zebra-key" in Path(f"/proc/{command}/environ").read_bytes()


def memory_of_the_command() -> None:
    with Path(f"/proc/{command}/mem").open("r+b"):
        pass


def pipe_of_the_command() -> None:
    number = os.open(f"/proc/{command}/fd/{given['pipe']}", os.O_WRONLY)
    os.write(number, b"zebra")
    os.close(number)


def command_lines_of_siblings() -> None:
    seen = []
    for number in range(command - 40, command + 40):
        if number != os.getpid():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, NotADirectoryError):
                seen.append(Path(f"/proc/{number}/cmdline").read_bytes())
    assert any(b"hybridgen" in line for line in seen)


def list_of_processes() -> None:
    assert Path("/proc", str(command)) in Path("/proc").iterdir()


def words_on_the_screen() -> None:
    with screen.open("wb", buffering=0) as terminal:
        terminal.write(b"\x1b]0;zebra\x07")


def keys_of_the_keyboard() -> None:
    terminal = os.open(screen, os.O_RDWR | os.O_NOCTTY)
    for letter in b"zebra\n":
        fcntl.ioctl(terminal, termios.TIOCSTI, struct.pack("B", letter))
    os.close(terminal)


def settings_of_the_terminal() -> None:
    terminal = os.open(screen, os.O_RDWR | os.O_NOCTTY)
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    os.close(terminal)


def outcome(number: int, name: str) -> str:
    """The number alone if the deed worked, with a question mark if it failed undenied."""
    try:
        globals()[name]()
    except OSError as problem:
        return "" if problem.errno in _DENIED else f"{number}?"
    except Exception:
        return f"{number}?"
    return str(number)


told = (outcome(number, name) for number, name in enumerate(given["deeds"]))
raise RuntimeError(f"worked: {' '.join(filter(None, told))} end")
