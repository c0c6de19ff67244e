"""Code under test that attacks what is on the disk, on the screen, and in other processes.

One whole ``hybridgen generate`` on a terminal of its own, for a module that tries every deed of
``code/deeds.py`` when it is imported; a second one without the locks shows that each of them works.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("kernel_with_locks")

DEEDS_FILE = Path(__file__).with_name("code") / "deeds.py"
START = """\
import atexit, fcntl, json, os, resource, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
after, came = sys.argv.pop(1), []
signal.signal(signal.SIGUSR1, lambda number, frame: came.append(number))
def tell():
    adjusted = open("/proc/self/oom_score_adj").read()
    state = [os.getpriority(os.PRIO_PROCESS, 0), resource.getrlimit(resource.RLIMIT_NOFILE)]
    with open(after, "w") as file:
        json.dump({{"signals": came, "ranking": int(adjusted), "state": state}}, file)
atexit.register(tell)
{without}
from hybridgen.cli.main import main
main(sys.argv[1:])
"""
UNLOCKED = """\
import hybridgen.cli.locks as locks
import hybridgen.observe.runner as runner
locks.lock_broker = lambda: None
runner.locked_command = lambda profile, command, **options: list(command)
"""
UNSEEN = """\
import hybridgen.report.visible as visible
visible.visible = lambda text: text
"""
"""What is printed is printed as it is."""
COMMAND = ("generate", "--no-model", "--diff", "--budget", "3")
FILES = {
    "project/pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n",
    "project/README.md": "# Shop\n",
    "project/docs/page.md": "page\n",
    "project/data/table.txt": "table\n",
    "project/.git/config": "[core]\n",
    "project/.git/hooks/readme": "",
    "project/shop/__init__.py": "",
    "project/shop/fees.py": "FEE = 1\n",
    "home/.bashrc": "# mine\n",
    "home/.ssh/id": "a key\n",
    "home/.config/hybridgen/config.toml": "",
    "home/.local/state/hybridgen/readme": "",
}


@dataclass
class World:
    """A user, a project with an environment, a terminal; and what became of them."""

    folder: Path
    screen: bytes = b""
    keys: int = 0
    echoes: bool = True
    pipe: bytes = b""
    after: dict[str, Any] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def packages(self) -> Path:
        [found] = (self.project / ".venv/lib").glob("python*/site-packages")
        return found

    def has(self, name: str) -> bool:
        """Whether a file holds the attacker's word."""
        path = self.folder / name
        return path.is_file() and "zebra" in path.read_text()


Trace = Callable[[World], bool]
ON_DISK: dict[str, Trace] = {
    "start_of_the_shell": lambda w: w.has("home/.bashrc"),
    "settings_of_the_user": lambda w: w.has("home/.config/hybridgen/config.toml"),
    "state_of_hybridgen": lambda w: w.has("home/.local/state/hybridgen/zebra"),
    "mode_of_a_key": lambda w: (w.home / ".ssh/id").stat().st_mode & 0o777 != 0o600,
    "link_to_a_key": lambda w: (w.project / "zebra-key").exists(),
    "path_file_of_packages": lambda w: (w.packages / "zebra.pth").exists(),
    "site_of_packages": lambda w: (w.packages / "sitecustomize.py").exists(),
    "settings_of_tests": lambda w: w.has("project/conftest.py"),
    "hook_of_git": lambda w: w.has("project/.git/hooks/pre-commit"),
    "settings_of_git": lambda w: w.has("project/.git/config"),
    "code_of_a_neighbour": lambda w: w.has("project/shop/fees.py"),
    "bytecode_of_a_neighbour": lambda w: (w.project / "shop/__pycache__").exists(),
    "removal_of_a_text": lambda w: not (w.project / "README.md").exists(),
    "removal_of_a_folder": lambda w: not (w.project / "docs").exists(),
    "folder_for_a_link": lambda w: (w.project / "data").is_symlink(),
    "attribute": lambda w: bool(os.listxattr(w.project / "pyproject.toml")),
    "time_of_a_file": lambda w: (w.project / "pyproject.toml").stat().st_mtime == 1,
}
IN_PROCESSES: dict[str, Trace] = {
    "signal_to_the_command": lambda w: w.after["signals"] != [],
    "limits_of_the_command": lambda w: w.after["state"][1][0] == 200,
    "priority_of_the_command": lambda w: w.after["state"][0] != os.getpriority(0, 0),
    "ranking_of_the_command": lambda w: w.after["ranking"] == 777,
    "pipe_of_the_command": lambda w: w.pipe == b"zebra",
}
ON_SCREEN: dict[str, Trace] = {
    "words_on_the_screen": lambda w: b"\x1b]0;zebra" in w.screen,
    "keys_of_the_keyboard": lambda w: w.keys > 0,
    "settings_of_the_terminal": lambda w: not w.echoes,
}
ONLY_TOLD = (
    *("pytest_of_the_next_check", "files_of_the_next_worker", "environment_of_the_command"),
    *("memory_of_the_command", "command_lines_of_siblings", "list_of_processes"),
)
TRACES = {**ON_DISK, **IN_PROCESSES, **ON_SCREEN}
DEEDS = (*TRACES, *ONLY_TOLD)
NOT_EVERYWHERE = {"attribute", "keys_of_the_keyboard", "memory_of_the_command"}
"""What needs a file system, or a kernel, that lets anybody do it."""


def make(folder: Path) -> World:
    world = World(folder)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (world.home / ".ssh/id").chmod(0o600)
    (world.home / ".local/state/hybridgen").chmod(0o700)
    venv.create(world.project / ".venv", with_pip=False, symlinks=True)
    (world.project / "shop/deeds.py").write_text(DEEDS_FILE.read_text())
    return world


def state(world: World) -> dict[str, object]:
    """All that belongs to the user: names, modes, times, contents."""
    found: dict[str, object] = {}
    for path in sorted(world.folder.rglob("*")):
        if ".local" in path.parts or ".cache" in path.parts or path == world.folder / "after":
            continue
        status = path.lstat()
        text = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (
            status.st_mode,
            status.st_ino,
            status.st_mtime_ns,
            status.st_nlink,
            text,
        )
    return found


@contextlib.contextmanager
def terminal(world: World) -> Iterator[int]:
    """A terminal; what is written to it, typed into it and set in it goes into ``world``."""
    master, slave = pty.openpty()

    def read() -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(master, 1 << 16):
                world.screen += piece

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield slave
        waiting = array.array("i", [0])
        fcntl.ioctl(slave, termios.FIONREAD, waiting)
        world.keys = waiting[0]
        world.echoes = bool(termios.tcgetattr(slave)[3] & termios.ECHO)
    finally:
        os.close(slave)
        reader.join()
        os.close(master)


def start(world: World, slave: int, without: str, *arguments: str, **more: Any) -> None:
    """Runs the command on a terminal."""
    after = str(world.folder / "after")
    subprocess.run(
        [sys.executable, "-I", "-c", START.format(without=without), after, *arguments],
        cwd=world.project,
        env={
            **{"PATH": os.defpath, "HOME": str(world.home), "GEMINI_API_KEY": "zebra-key"},
            **{"TERM": "xterm", "COLUMNS": "4000", "LANG": "C.UTF-8"},
        },
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        timeout=100,
        check=False,
        **more,
    )


def attacked(world: World, without: str = "") -> World:
    """The world after a run in which every deed was tried."""
    read, write = os.pipe()
    with terminal(world) as slave:
        given = {
            **{"home": str(world.home), "project": str(world.project), "pipe": write},
            **{"packages": str(world.packages), "screen": os.ttyname(slave), "deeds": DEEDS},
        }
        (world.project / "shop/deeds.json").write_text(json.dumps(given))
        before = state(world)
        start(world, slave, without, *COMMAND, "shop/deeds.py", pass_fds=(write,))
    os.close(write)
    world.pipe = os.read(read, 100)
    os.close(read)
    world.after = json.loads((world.folder / "after").read_text())
    words = re.findall(rb"worked: ([\d? ]*) ?end", re.sub(rb"\s+", b" ", world.screen))
    assert words, world.screen
    world.told = {DEEDS[int(n)] for text in words for n in text.split() if n.isdigit()}
    world.after["unchanged"] = state(world) == before
    return world


@pytest.fixture(scope="module")
def locked(kernel_with_locks: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    return attacked(make(tmp_path_factory.mktemp("locked")))


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> World:
    return attacked(make(tmp_path_factory.mktemp("unlocked")), UNLOCKED)


@pytest.mark.parametrize("deed", DEEDS)
def test_deed_is_denied_and_works_without_the_locks(
    deed: str, locked: World, unlocked: World
) -> None:
    left = TRACES.get(deed, lambda world: deed in world.told)
    assert deed not in locked.told
    assert not left(locked)
    if deed in NOT_EVERYWHERE and deed not in unlocked.told:
        pytest.skip("denied, but nothing to compare with: this machine lets nobody do it")
    assert deed in unlocked.told
    assert left(unlocked)


def test_nothing_of_the_users_has_changed(locked: World, unlocked: World) -> None:
    assert locked.after["unchanged"] is True
    assert unlocked.after["unchanged"] is False


def title(place: str) -> str:
    """What gives a terminal's window another title, and turns the line around."""
    return f"\x1b]0;zebra-{place}\x07\u202e\x9b5m"


END = "\n\nraise ValueError\n\n\ndef f():\n    return 1\n"
"""An import that fails, so that nothing is searched for."""
SHOWN = {
    "name": (f"shop/{title('name')}.py", END),
    "folder": (f"shop/{title('folder')}/deep.py", END),
    "error": ("shop/error.py", f"raise ValueError({title('error')!r}){END}"),
    "line": ("shop/line.py", f"x = '{title('line')}' ({END}"),
    "exit": ("shop/leaves.py", f"import sys\n\nsys.exit({title('exit')!r}){END}"),
}
HIDDEN = {
    "output": ("shop/output.py", f"print({title('output')!r}){END}"),
    "complaint": (
        "shop/complaint.py",
        f"import os\n\nos.write(2, {title('complaint')!r}.encode()){END}",
    ),
}


@pytest.fixture(scope="module")
def screens(kernel_with_locks: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What is on the screen after a run: as it is, and with nothing made visible."""
    found = []
    for without in ("", UNSEEN):
        world = World(tmp_path_factory.mktemp("screen"))
        world.home.mkdir()
        for name, text in (*SHOWN.values(), *HIDDEN.values(), ("pyproject.toml", "[project]\n")):
            (world.project / name).parent.mkdir(parents=True, exist_ok=True)
            (world.project / name).write_text(text)
        with terminal(world) as slave:
            start(world, slave, without, *COMMAND, "shop")
        found.append(world.screen.decode())
    return found[0], found[1]


@pytest.mark.parametrize("place", SHOWN)
def test_what_is_shown_of_a_project_steers_no_terminal(
    place: str, screens: tuple[str, str]
) -> None:
    harmless, raw = screens
    assert f"\\x1b]0;zebra-{place}\\x07\\u202e\\x9b" in harmless
    assert f"\x1b]0;zebra-{place}" in raw


@pytest.mark.parametrize("place", HIDDEN)
def test_what_code_prints_is_not_shown(place: str, screens: tuple[str, str]) -> None:
    assert f"zebra-{place}" not in screens[0]


@pytest.mark.parametrize("sign", ["\x1b]", "\x07", "\x08", "\u202e", "\x9b"])
def test_nothing_that_steers_is_on_the_screen(sign: str, screens: tuple[str, str]) -> None:
    assert sign not in screens[0]
