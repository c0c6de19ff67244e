"""Locks that processes of ours take on themselves: broker, engine, courier, puller.

Unlike the runner they are no other program: each is started bare, learns what it needs, and locks
itself before it does its work, while it has a single thread.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from hybridgen.errors import SandboxUnavailable
from hybridgen.lockdown.box import TO_MAKE_A_BOX
from hybridgen.lockdown.cards import card_devices, card_folders, read_by_drivers
from hybridgen.lockdown.command import FULL_LEVEL, lock_plan
from hybridgen.lockdown.launch import take
from hybridgen.lockdown.level import LockLevel
from hybridgen.lockdown.packages import PACKAGE, own_packages
from hybridgen.lockdown.probe import probe
from hybridgen.lockdown.profile import Profile, programs
from hybridgen.lockdown.runtime import bare_runtime, readable_by_all
from hybridgen.lockdown.seatbelt import seatbelt_command
from hybridgen.lockdown.syscalls import this_architecture

_DNS: Final = 53
_NAMES: Final = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/host.conf"),
    *("/etc/services", "/etc/protocols", "/run/systemd/resolve"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/usr/lib/ssl"),
    *("/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki"),
    "/usr/share/crypto-policies",
)
"""How names of hosts become addresses, and whose certificates the system believes."""
_SITES: Final = ("/site-packages", "/dist-packages")
_SENDERS: Final = ("httpx2", "google-genai", "google-generativeai")
"""Distributions that the courier imports."""
_FILES_IN_VARIABLES: Final = (
    "NETRC",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
_TERMINAL: Final = ("/dev/null", "/dev/tty")
_EVERYTHING: Final = (Path("/"),)
_PR_SET_DUMPABLE: Final = 4
_FILES_AND_SIGNALS: Final = 0b111111
"""Of root's capabilities: any file's content, mode and owner; signals to other users."""


def broker_profile(*, may_box: bool = False) -> Profile:
    """The command itself: reads, starts and changes what its user may, reaches no network.

    That all files are open to it is meant: what Landlock adds is that a process inside cannot
    look into one outside, such as the courier, through ``/proc`` or by tracing it.

    Args:
        may_box: may make namespaces, in which bubblewrap puts a runner where there is no Landlock.
    """
    return Profile(
        name="boxer" if may_box else "broker",
        read=_EVERYTHING,
        execute=_EVERYTHING,
        write=_EVERYTHING,
        keeps_signals=False,  # it ends its courier, which is older than its locks
        capabilities=TO_MAKE_A_BOX if may_box else _FILES_AND_SIGNALS,
    )


def engine_profile(model: Path, *, has_card: bool = False, root: Path = _EVERYTHING[0]) -> Profile:
    """The process of the model: reads its file and our Python, starts and writes nothing.

    Args:
        has_card: it may use graphics cards: their device files, and what their drivers read.
        root: where the device files of cards lie, in ``dev``; another one for tests.
    """
    return Profile(
        name="offloading engine" if has_card else "engine",
        read=(*_ours(), model.resolve(), *(read_by_drivers(root) if has_card else ())),
        execute=(),
        write=_there(_TERMINAL[:1]),
        devices=card_devices(root) if has_card else (),
        listed=card_folders(root) if has_card else (),
    )


def engine_command(model: Path, argv: Sequence[str]) -> list[str]:
    """The command line of the model's process: it locks itself, except on macOS.

    There it cannot, so it is started in a Seatbelt, if that holds.

    Args:
        model: the file that it may read besides our Python.
        argv: program, by absolute path, and arguments.

    Raises:
        SandboxUnavailable: Seatbelt cannot hold the profile.
    """
    before = seatbelt_command(engine_profile(model)) if probe().seatbelt else []
    return [*before, *argv]


def courier_profile(ports: Iterable[int]) -> Profile:
    """The process that sends: reads what we are made of, connects to these ports, starts nothing.

    Of what is installed it reads our own packages only: a project may lie in ``/usr`` or in the
    prefix of our Python, and a company's packages may be installed beside ours.
    """
    runtime, ours = bare_runtime(_python()), own_packages(*_SENDERS)
    return Profile(
        name="courier",
        read=(*runtime.read, *ours.read, *_there(_NAMES)),
        execute=(),
        write=_there(_TERMINAL[:1]),
        listed=ours.listed,
        standard=runtime.standard,
        libraries=runtime.libraries,
        ports=(*dict.fromkeys((*ports, _DNS)),),
    )


def _python() -> Path:
    """The interpreter behind a virtual environment."""
    return Path(sys.executable).resolve()


def puller_profile(folder: Path) -> Profile:
    """``models pull``: writes the folder of the models, and reads no project.

    It starts pip, by our own Python only. TCP may go to any port, since the user's settings for
    pip and for the hub say where to.
    """
    program = _python()
    runtime = bare_runtime(program)
    # pip looks into everything that is installed beside it.
    packages = (Path(entry) for entry in sys.path if entry.endswith(_SITES))
    start = (program, Path(sys.prefix) / "pyvenv.cfg", *packages, PACKAGE)
    read = (*runtime.read, *_there(map(str, start)), *_there((*_NAMES, *_of_pip())))
    loadable = (*read, *runtime.standard, *runtime.libraries)
    return Profile(
        name="puller",
        read=read,
        execute=programs(program, loadable),
        write=(*_there(_TERMINAL), folder.resolve()),
        standard=runtime.standard,
        libraries=runtime.libraries,
        ports=None,
        capabilities=_FILES_AND_SIGNALS,
    )


def _of_pip() -> tuple[str, ...]:
    """Where the user's settings for pip and the hub lie: indexes, passwords, certificates."""
    home = Path.home()
    own = (home / name for name in (".config/pip", ".pip", ".netrc"))
    named = (
        value
        for name, value in os.environ.items()
        if name in _FILES_IN_VARIABLES or name.startswith("PIP_")
    )
    words = (word for value in named for word in value.split() if word.startswith("/"))
    # pip tells the index what system it runs on, from a dozen files there.
    return ("/etc", *map(str, own), *words)


def lock_down(profile: Profile, *, level: LockLevel = FULL_LEVEL) -> None:
    """Takes the locks of ``profile`` on this process; they cannot be taken off again.

    Every child and thread that is started from now on has them as well. The process is not
    dumpable from now on, until it becomes another program.

    Args:
        level: the locks to take, of those that the profile has.

    Raises:
        SandboxUnavailable: the kernel does not take a lock. The process must not go on with its
            work.
        RuntimeError: another thread is running already, which the locks would leave out.
    """
    if sys.platform != "linux" and not (level.sockets or level.files):
        return  # nothing that a process could take on itself: macOS has Seatbelt, from outside
    if level.sockets and this_architecture() is None:
        raise SandboxUnavailable(
            "there is no system call filter for this machine", "run on Linux, x86_64 or aarch64"
        )
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
            if profile.ports == ():
                _shut_sockets()
        take(lock_plan(profile, level))
    except OSError as problem:
        raise SandboxUnavailable(
            f"the locks of the {profile.name} could not be taken: {problem}",
            "see what this system can lock: hybridgen doctor",
        ) from problem


def _shut_sockets() -> None:
    """Sockets that were inherited, or opened by a library, lead nowhere from now on.

    The locks bound what is opened, not what is open: a keyring's connection could start programs
    outside of them. The numbers stay taken, so that whoever believes in one closes nothing else.
    Streams 0 to 2 stay what the caller made them.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208  pathlib costs milliseconds
        try:
            mode = os.fstat(descriptor := int(entry)).st_mode
        except OSError:  # the listing's own descriptor
            continue
        if descriptor > 2 and stat.S_ISSOCK(mode):
            os.dup2(null, descriptor, inheritable=False)
    os.close(null)


def _ours() -> tuple[Path, ...]:
    """Our own Python with its packages, this package, and what the system has for all."""
    prefixes = (Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix))
    return (*dict.fromkeys((*prefixes, PACKAGE, *readable_by_all())),)


def _there(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path.resolve() for name in names if (path := Path(name)).exists())
