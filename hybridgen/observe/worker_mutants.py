"""Adds to the worker: runs candidates on changed versions of a module, each in a fresh process.

The worker that loads this file is a *nursery*: it imports nothing of the project, only what the
module under test imports from elsewhere, which is most of the cost of an import. For each mutant
it forks; the child takes the runner's locks, imports the module with the mutant's source in the
place of its file, runs candidates, and ends. So names that were bound early (``from module import
f``, default arguments, registries, subclasses) mean the mutant's too, and nothing that a mutant
does is seen by the next one.

``prepare`` learns in a child what the module imports; imports what comes from elsewhere
``mutant``  runs candidates on one version of the module -> an answer for each, null where it hung

A child cannot fork, signal or look into the nursery, and has none of its descriptors.

Standard library only, Python 3.9 and newer, as worker.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import importlib.machinery
import io
import json
import os
import signal
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    from collections.abc import Callable
    from typing import Any

    Json = dict[str, Any]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, FILTER_MODE = 1, 4, 22, 2
MOST_BYTES = 8 * 2**20
"""Of the answers of one child; a candidate that says more than that counts as hung."""

REAL_TO_PROCESSOR_TIME = 5
now = time.monotonic  # the project may replace what the module time holds


def install(worker: Any, session: Any) -> dict[str, Callable[[Json], Json]]:
    """The operations of this file."""
    nursery = Nursery(worker, session)
    return {"prepare": nursery.prepare, "mutant": nursery.mutant}


class Filter(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def lock(program: list[list[Any]] | None, parent: int) -> None:
    """Takes the locks of a runner: what is asked for holds, or this process ends.

    Args:
        program: the system call filter, or None where the user did without.
        parent: the process that must not be outlived.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), zero, zero, zero)
    if os.getppid() != parent:
        os._exit(1)
    if program is None:
        return
    pid = os.getpid()
    code = b"".join(
        struct.pack("HBBI", operation, if_true, if_false, pid if operand == "pid" else operand)
        for operation, if_true, if_false, operand in program
    )
    held = ctypes.create_string_buffer(code, len(code))
    pointer = ctypes.byref(Filter(len(program), ctypes.addressof(held)))
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(FILTER_MODE), pointer, zero, zero) != 0:
        os._exit(1)


class Untraced:
    """In the place of the worker's tracer: nobody asks for the arcs of a mutant."""

    def __init__(self, path: str = "") -> None:
        self.arcs: set[Any] = set()
        self.thrown: set[Any] = set()

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...

    def sorted_arcs(self) -> list[Any]:
        """Nothing."""
        return []


class Unchanged:
    """In the place of the worker's snapshot, where only the last run is followed by a look."""

    def __init__(self, snapshot: Any) -> None:
        self.own_names = snapshot.own_names
        self.modules = sys.modules

    def is_stale(self) -> bool:
        """No."""
        return False


class Nursery:
    """Forks a child for each version of the module under test."""

    def __init__(self, worker: Any, session: Any) -> None:
        self.worker = worker
        self.session = session
        self.children = 0
        self.package = ""
        self.codes: dict[str, types.CodeType] = {}  # of the project's files; compiled, not run
        if sys.platform.startswith("linux"):  # children cannot open what lies in /proc/PID/fd
            zero = ctypes.c_ulong(0)
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, zero, zero, zero, zero)

    # ---- in the nursery itself

    def prepare(self, request: Json) -> Json:
        """Imports what the module under test imports from outside of its project."""
        folders = (request["load"]["project"], os.path.realpath(request["load"]["project"]))
        self.session.roots = tuple(folder.rstrip(os.sep) + os.sep for folder in folders)
        self.package = request["load"]["name"].partition(".")[0]
        lines, _ = self.fork(lambda out: self.learn(request, out), request)
        learned = json.loads(lines[0]) if lines else {"elsewhere": [], "own": []}
        for name in learned["elsewhere"]:
            # One may want the project, or another module first.
            with contextlib.suppress(BaseException), self.worker.quiet():
                importlib.import_module(name)
        for file in learned["own"]:
            with contextlib.suppress(Exception), io.FileIO(file) as source:
                self.codes[os.path.realpath(file)] = compiled(source.readall(), file)
        gc.collect()
        gc.freeze()  # or the collector would copy every page into every child
        return {"ok": bool(lines)}

    def mutant(self, request: Json) -> Json:
        """Runs ``runs`` on one version of the module; those marked ``alone`` in a child each."""
        answers: Json = {}
        until = now() + request["seconds"]
        alone = [[place] for place, run in enumerate(request["runs"]) if run["alone"]]
        together = [place for place, run in enumerate(request["runs"]) if not run["alone"]]
        for group in (together, *alone):
            if group and not self.group(request, group, until, answers):
                return {"ok": True, "loaded": False, "answers": {}}
            if None in answers.values():
                break  # what hangs once mostly hangs again, and each time costs seconds
        return {"ok": True, "loaded": True, "answers": answers}

    def group(self, request: Json, places: list[int], until: float, answers: Json) -> bool:
        """Runs some candidates one after the other; False if the module cannot be imported.

        Where the module's state turns out to have changed, they are run again, with another
        child from there on where it did.
        """
        is_careful = request["is_careful"]
        found: dict[int, Json | None] = {}
        while len(found) < len(places) and now() < until:
            rest = places[len(found) :]
            work = functools.partial(self.child, request, rest, is_careful, until)
            lines, ending = self.fork(work, request)
            if not lines or lines[0] != b"loaded":
                return False
            if not ending and lines[-1] == b"changed" and not is_careful:
                is_careful = True
                continue
            told = [parsed(line) for line in lines[1:] if line != b"changed"]
            found.update(zip(rest, told))  # noqa: B905
            if ending and len(told) < len(rest):
                found[rest[len(told)]] = None
                break
            if not told:
                break
        answers.update((str(place), answer) for place, answer in found.items())
        return True

    def fork(self, work: Callable[[int], None], request: Json) -> tuple[list[bytes], str]:
        """Does ``work`` in a child; gives the lines that it wrote, and what ended it early."""
        parent = os.getpid()
        ours, theirs = os.pipe()
        self.children += 1
        child = os.fork()
        if child == 0:
            try:
                out = os.dup2(theirs, 3) if theirs != 3 else 3
                os.closerange(4, 256)
                lock(request["filter"], parent)
                work(out)
            finally:
                os._exit(0)
        os.close(theirs)
        text = bytearray()
        while len(text) < MOST_BYTES:
            piece = os.read(ours, 1 << 16)
            if not piece:
                break
            text += piece
        os.close(ours)  # a child that still writes dies of it
        _, status = os.waitpid(child, 0)
        complete = text.rpartition(b"\n")[0]
        lines = bytes(complete).split(b"\n") if complete else []
        if not os.WIFSIGNALED(status):
            return lines, "" if os.WEXITSTATUS(status) == 0 else "died"
        number = os.WTERMSIG(status)
        return lines, "timeout" if number in (signal.SIGPROF, signal.SIGALRM) else "died"

    # ---- in a child

    def learn(self, request: Json, out: int) -> None:
        """Imports the module as it is and writes which modules from elsewhere that took."""
        before = set(sys.modules)
        self.arm(request["import_seconds"])
        if not self.load(request, None):
            return
        learned: Json = {"elsewhere": [], "own": []}
        for name, module in list(sys.modules.items()):
            if not self.is_own(name, module):
                learned["elsewhere"] += [name] if name not in before else []
            elif str(getattr(module, "__file__", None)).endswith(".py"):
                learned["own"].append(module.__file__)
        write(out, json.dumps(learned).encode())

    def child(
        self, request: Json, places: list[int], is_careful: bool, until: float, out: int
    ) -> None:
        """Imports one version of the module and runs candidates on it."""
        self.arm(request["import_seconds"])
        for name, module in list(sys.modules.items()):
            if self.is_own(name, module):  # a package from elsewhere imported it
                del sys.modules[name]
        write(out, b"loaded" if self.load(request, request["source"]) else b"failed")
        self.session.count = 10_000 * self.children  # folders for tmp_path that nobody used yet
        whole = None if is_careful else self.worker.Snapshot(self.session)
        if whole is not None:
            self.session.snapshot = Unchanged(whole)
        for place in places:
            if now() > until:
                return
            self.arm(request["run_seconds"])
            answer = self.session.run(request["runs"][place])
            write(out, json.dumps(answer).encode())
            if answer["dirty"]:
                return
        if whole is not None and len(places) > 1 and whole.is_stale():
            write(out, b"changed")

    def load(self, request: Json, source: str | None) -> bool:
        """Imports the module, with another source than its file's if one is given."""
        self.worker.Tracer = Untraced
        codes = dict(self.codes)
        if source is not None:
            file = request["load"]["file"]
            codes[os.path.realpath(file)] = compiled(source, file)
        put_codes(codes)
        return self.session.load(request["load"])["ok"] is True

    def arm(self, seconds: float) -> None:
        """Ends this process after so many seconds of processor time, or a few times as many."""
        for number in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, REAL_TO_PROCESSOR_TIME * seconds)

    def is_own(self, name: str, module: types.ModuleType | None) -> bool:
        """True if a module is part of the project, not of what is installed below its folder."""
        if name.partition(".")[0] == self.package:
            return True
        file = getattr(module, "__file__", None)
        is_elsewhere = not isinstance(file, str) or "-packages" in file
        return not is_elsewhere and bool(self.session.is_project(file))


def compiled(source: str | bytes, file: str) -> types.CodeType:
    """The code of a file, as import makes it."""
    return compile(source, file, "exec", dont_inherit=True)


def put_codes(codes: dict[str, types.CodeType]) -> None:
    """Makes every loader of Python files take the code of these files from here."""
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        code = codes.get(os.path.realpath(self.path))
        return usual(self, fullname) if code is None else code

    setattr(importlib.machinery.SourceFileLoader, "get_code", get_code)  # noqa: B010


def parsed(line: bytes) -> Json | None:
    """An answer of a child, or None for what is none; the broker looks at it more closely."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write(descriptor: int, line: bytes) -> None:
    """Writes a line whole."""
    data = memoryview(line + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
