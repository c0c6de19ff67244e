"""Profiles: what a locked process may read, start, write and use up."""

from __future__ import annotations

import contextlib
import os
import pwd
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hybridgen.domain import Interpreter, Runtime
from hybridgen.errors import PolicyRefusal, RunnerError
from hybridgen.lockdown.program import loader_of
from hybridgen.lockdown.runtime import readable_by_all

_DEVICES_TO_WRITE = (Path("/dev/null"),)

READ_ANY_FILE = 1 << 2
"""CAP_DAC_READ_SEARCH, where Landlock lets it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one locked process may use up.

    Attributes:
        memory_bytes: heap, stacks and other private memory; address space is bounded by four
            times as much, because large libraries map far more than they touch.
        cpu_seconds: processor time of all its threads.
        file_bytes: size of any one file that it writes.
        open_files: descriptors open at a time.
    """

    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 600
    file_bytes: int = 64 * 1024**2
    open_files: int = 256

    def by_name(self) -> dict[str, int]:
        """The same as resource limits, by their name without ``RLIMIT_``."""
        return {
            "DATA": self.memory_bytes,
            "AS": 4 * self.memory_bytes,
            "CPU": self.cpu_seconds,
            "FSIZE": self.file_bytes,
            "NOFILE": self.open_files,
            # Not 0: a core pattern that starts with a pipe ignores 0, and stops at 1
            # (https://github.com/torvalds/linux/blob/master/fs/coredump.c).
            "CORE": 1,
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """What a locked process may do; every path is absolute, resolved and exists.

    Attributes:
        name: the system call filter, as :func:`hybridgen.lockdown.seccomp.filter_of` knows it.
        read: files and whole folders.
        execute: programs and their loaders, single files.
        write: files, and folders in which it may do everything but start programs.
        devices: device files, and folders of them, to read, to write, and to make the ioctls of
            that the filter lets through.
        listed: folders in which names may be looked for, in all that lies below.
        standard: folders of a standard library, to be read without installed packages.
        libraries: folders of which the shared libraries directly inside may be read.
        ports: where TCP connections may go; None where Landlock does not bound them.
        keeps_signals: Landlock lets none of its signals out.
        capabilities: what root keeps of its own, as bits (man 7 capabilities). Never CAP_PERFMON
            or CAP_SYS_PTRACE: they look into other processes, past Landlock.
    """

    name: str
    read: tuple[Path, ...]
    execute: tuple[Path, ...]
    write: tuple[Path, ...]
    limits: Limits = field(default_factory=Limits)
    devices: tuple[Path, ...] = ()
    listed: tuple[Path, ...] = ()
    standard: tuple[Path, ...] = ()
    libraries: tuple[Path, ...] = ()
    ports: tuple[int, ...] | None = ()
    keeps_signals: bool = True
    capabilities: int = READ_ANY_FILE


def runner_profile(
    *,
    project: Path,
    interpreter: Interpreter,
    scratch: Path,
    extra_read: Sequence[Path] = (),
    limits: Limits | None = None,
    may_fork: bool = False,
) -> Profile:
    """The profile for code under test and generated tests.

    Args:
        project: the project's root, read-only.
        interpreter: the project's Python; its prefixes come from the repository's own files, so
            they are believed only where they hold a Python and open nothing else.
        scratch: an existing folder of ours, the only place that can be written.
        extra_read: further folders or files to read, chosen by the user.
        limits: memory, time, file size, open files.
        may_fork: for a process in which nothing of the project runs, and whose children lock
            themselves by :func:`~hybridgen.lockdown.command.child_filter` before it does.

    Raises:
        PolicyRefusal: a path would open the user's home folder or other projects.
        UsageError: the interpreter is not a program.
        RunnerError: the scratch folder does not exist or holds what it must not.
    """
    root, place = project.resolve(), scratch.resolve()
    homes = _homes()
    _refuse_wide(root, "The project's root", homes, "Start hybridgen in a folder of its own.")
    further = tuple(path.resolve() for path in extra_read if path.exists())
    for path in further:
        _refuse_wide(path, "The folder to read", homes, "Name the folders that are needed.")
    runtime = interpreter.runtime or _whole_runtime(interpreter, root, homes)
    folders = (*runtime.read, *runtime.packages)
    _check_scratch(place, (root, *folders, *runtime.standard, *further, *homes))
    read = tuple(dict.fromkeys((root, *folders, *further)))
    loadable = (*read, *runtime.standard, *runtime.libraries)
    return Profile(
        name="nursery" if may_fork else "runner",
        read=read,
        execute=programs(interpreter.path.resolve(), loadable),
        write=(place, *(path for path in _DEVICES_TO_WRITE if path.exists())),
        limits=limits or Limits(),
        standard=runtime.standard,
        libraries=runtime.libraries,
    )


def _whole_runtime(interpreter: Interpreter, root: Path, homes: Sequence[Path]) -> Runtime:
    """The whole of an interpreter's prefixes and of the system's runtime."""
    system = readable_by_all()
    prefixes = tuple(
        path
        for path in (prefix.resolve() for prefix in interpreter.prefixes if prefix.exists())
        if not _is_inside(path, (*system, root))
    )
    for path in prefixes:
        _check_prefix(path, interpreter, (*homes, root.parent))
    return Runtime(read=(*prefixes, *system), standard=(), libraries=())


def programs(program: Path, readable: Iterable[Path]) -> tuple[Path, ...]:
    """A program and its dynamic loader, the two files that the kernel opens to start it.

    Raises:
        PolicyRefusal: the loader lies outside of what may be read. A program that a repository
            ships could name any file there, and to execute is to read.
        UsageError: it is not a program.
    """
    loader = loader_of(program)
    if loader is None:
        return (program,)
    if not _is_inside(loader, readable):
        raise PolicyRefusal(
            f"{program} wants to be started by {loader}, which is no part of its installation.",
            "Choose another interpreter with --python.",
        )
    return (program, loader)


def runner_environment(
    interpreter: Interpreter, scratch: Path, *, hash_seed: int
) -> dict[str, str]:
    """The whole environment of a runner: nothing of the user's, the same on every machine.

    Creates the folders ``home`` and ``tmp`` in ``scratch``, which it closes to other users. An
    interpreter started with ``-I`` or ``-E`` ignores the variables that begin with ``PYTHON``.
    """
    place = scratch.resolve()
    # Code under test that runs as root could leave a setuid program here for other users.
    place.chmod(0o700)
    folders = {"HOME": place / "home", "TMPDIR": place / "tmp"}
    for folder in folders.values():
        folder.mkdir(mode=0o700, exist_ok=True)
    return {
        **{name: str(folder) for name, folder in folders.items()},
        "PATH": f"{interpreter.path.parent}:/usr/bin:/bin",
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "80",
        # One thread: sums of floats in one order, and no stack for every core of a server.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _homes() -> tuple[Path, ...]:
    """Folders that nothing may open as a whole: the user's home and the data kept in it."""
    names = [os.environ.get("HOME", "")]
    with contextlib.suppress(KeyError):  # a container may run as a user that has no entry
        names.append(pwd.getpwuid(os.getuid()).pw_dir)
    homes = [Path(name).resolve() for name in names if name.startswith("/")]
    kept = [Path(".local", "share")]
    if sys.platform == "darwin":
        kept.append(Path("Library"))
    return tuple(dict.fromkeys(home / data for home in homes for data in kept))


def _is_inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _refuse_wide(path: Path, what: str, protected: Iterable[Path], hint: str) -> None:
    """Raise PolicyRefusal if ``path`` is the root folder or holds something protected."""
    if path == Path(path.anchor):
        raise PolicyRefusal(f"{what} is {path}, which would open the whole machine.", hint)
    for folder in protected:
        if folder.is_relative_to(path):
            raise PolicyRefusal(f"{what} is {path}, which would open {folder} as well.", hint)


def _check_prefix(path: Path, interpreter: Interpreter, protected: Iterable[Path]) -> None:
    """A prefix may come from a ``pyvenv.cfg`` in the repository: it must be a Python, no more."""
    hint = "Choose another interpreter with --python, such as one in a venv of the project."
    _refuse_wide(path, f"The prefix of {interpreter.path}", protected, hint)
    landmarks = ("lib*/python3*/os.py", "lib/pypy3*/os.py", "lib-python/3/os.py", "pyvenv.cfg")
    if not any(next(path.glob(landmark), None) for landmark in landmarks):
        raise PolicyRefusal(
            f"{interpreter.path} says that it is installed in {path}, but no Python is there.", hint
        )


def _check_scratch(place: Path, others: Iterable[Path]) -> None:
    """Whatever lies in the scratch folder can be overwritten by code under test."""
    if not place.is_dir():
        raise RunnerError(f"The scratch folder {place} does not exist.")
    for other in others:
        if other.is_relative_to(place):
            raise RunnerError(
                f"The scratch folder {place} holds {other}, which code under test could change.",
                "Set TMPDIR to an empty folder outside of the project.",
            )
