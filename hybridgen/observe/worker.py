"""The worker: runs candidates with the project's own Python. One file, standard library only.

It is started inside the runner's locks as ``python -I worker.py`` and talks JSON lines over the
descriptors that were its standard input and output; what the code under test reads or prints goes
elsewhere. It imports the module under test once, then answers requests until its input ends:

``load``    import a module (optionally under a shifted clock) -> did it work, from which file
``run``     execute one candidate -> per step: value as checks, exception, output, warnings, what
            it did to arguments and to files below tmp_path; arcs
``pytest``  run real pytest on files -> outcome per test; arcs; where the module came from
``extend``  load another file of ours that adds operations, for workers with a job of their own

Values and exceptions of the code under test can be hostile: whatever they raise while they are
looked at, up to BaseException, costs one check or one step and never the protocol. What hangs or
kills the process is the broker's to end.

Python 3.9 and newer. Arcs follow coverage.py's own rules for what a trace event means
(coverage/pytracer.py), so that its reports can be fed with them.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import datetime
import dis
import enum
import errno
import fcntl
import functools
import gc
import importlib
import importlib.util
import io
import itertools
import json
import locale
import math
import os
import re
import signal
import sys
import threading
import time
import traceback
import types
import warnings
from collections import deque

TYPE_CHECKING = False  # typing itself would cost a tenth of the start of every worker
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Json = dict[str, Any]
    Arc = tuple[int, int]

MAX_EXPRESSION = 400
MAX_OUTPUT = 2_000
MAX_ITEMS = 1_000
MAX_LOGS = 8
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
# What callers can rely on even where no raise statement of the project says so; any other type
# that a built-in operation raised (TypeError, AttributeError, IndexError ...) is an accident.
CONTRACT = (ValueError, KeyError, OSError, ArithmeticError, StopIteration, SystemExit)


# ---------------------------------------------------------------- lines and arcs


class Tracer:
    """Records (from line, to line) of one file as coverage.py does."""

    RESUME = dis.opmap.get("RESUME")
    RETURN, YIELD = dis.opmap["RETURN_VALUE"], dis.opmap["YIELD_VALUE"]
    YIELD_FROM = dis.opmap.get("YIELD_FROM", -1)
    LASTI_IS_YIELD = sys.version_info[:2] != (3, 13)

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        self.arcs: set[Arc] = set()
        self.thrown: set[Arc] = set()  # left by an exception, which is no branch of the code
        self.is_ours: dict[str, bool] = {}
        self.bytecode: dict[types.CodeType, bytes] = {}

    def __enter__(self) -> None:
        threading.settrace(self.trace)
        sys.settrace(self.trace)

    def __exit__(self, *exc: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def sorted_arcs(self) -> list[Arc]:
        """The arcs so far; a copy first, because threads of the project may still add some."""
        return sorted(self.arcs.copy())

    def trace(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        """The global trace function: follows frames of our file only."""
        code = frame.f_code
        name = code.co_filename
        ours = self.is_ours.get(name)
        if ours is None:
            # A relative name would be resolved against a folder that may be gone.
            ours = os.path.isabs(name) and os.path.realpath(name) == self.path
            self.is_ours[name] = ours
        return self.follow(frame, code) if ours else None

    def follow(self, frame: types.FrameType, code: types.CodeType) -> Callable[..., Any]:
        """The local trace function of one frame."""
        raw = self.bytecode.get(code)
        if raw is None:
            raw = self.bytecode[code] = code.co_code
        has_resume = self.RESUME is not None
        is_call = raw[frame.f_lasti + 1] == 0 if has_resume else frame.f_lasti < 0
        last = -code.co_firstlineno if is_call else frame.f_lineno
        arcs = self.arcs
        is_raising = False

        def local(frame: types.FrameType, event: str, arg: Any) -> Any:
            nonlocal last, is_raising
            if event == "exception":
                is_raising = True
            elif event == "line":
                is_raising = False
                arcs.add((last, frame.f_lineno))
                last = frame.f_lineno
            elif event == "return" and self.returns(raw, frame.f_lasti):
                if sys.version_info >= (3, 14) and frame.f_lineno != last:
                    arcs.add((last, frame.f_lineno))
                    last = frame.f_lineno
                if is_raising and (last, -code.co_firstlineno) not in arcs:
                    self.thrown.add((last, -code.co_firstlineno))
                elif not is_raising:
                    self.thrown.discard((last, -code.co_firstlineno))
                arcs.add((last, -code.co_firstlineno))
            return local

        return local

    def returns(self, raw: bytes, at: int) -> bool:
        """True for a real return, False for a yield that will be resumed."""
        if self.RESUME is not None:
            if len(raw) == at + 2:
                return True
            following = at + 2 if self.LASTI_IS_YIELD else at
            return raw[following] != self.RESUME
        if raw[at] == self.RETURN:
            return True
        if raw[at] == self.YIELD:
            return False
        return len(raw) <= at + 2 or raw[at + 2] != self.YIELD_FROM


# ---------------------------------------------------------------- a clock that can be shifted

REPLACED: list[Any] = []


def shift_clock(seconds: int) -> None:
    """Makes the wall clock of this process run ``seconds`` ahead, to find values made from it."""
    real_time, real_time_ns, real_strftime = time.time, time.time_ns, time.strftime

    def shifted() -> float:
        return real_time() + seconds

    def from_now(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda at=None: real(shifted() if at is None else at)

    time.time = shifted
    time.time_ns = lambda: real_time_ns() + seconds * 10**9
    time.ctime, time.gmtime = from_now(time.ctime), from_now(time.gmtime)
    local = from_now(time.localtime)
    real_asctime = time.asctime
    time.localtime = local
    time.asctime = lambda at=None: real_asctime(local() if at is None else at)
    time.strftime = lambda form, at=None: real_strftime(form, local() if at is None else at)

    def now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(shifted(), tz)

    def today(cls: Any) -> Any:
        return cls.fromtimestamp(shifted())

    def utcnow(cls: Any) -> Any:
        if sys.version_info >= (3, 12):  # the real one does, and tests have to expect it
            text = "datetime.datetime.utcnow() is deprecated"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        return cls.fromtimestamp(shifted(), datetime.timezone(datetime.timedelta())).replace(
            tzinfo=None
        )

    replace_method(datetime.datetime, "now", now)
    replace_method(datetime.datetime, "utcnow", utcnow)
    replace_method(datetime.date, "today", today)


def replace_method(kind: type, name: str, function: Callable[..., Any]) -> None:
    """Gives a built-in class another class method.

    Stand-in classes would break ``type(x) is datetime``, pickling and subclasses, so the class's
    own dictionary is changed behind its read-only view. CPython's method cache does not notice
    and does not own what it holds: so nothing may have called the method before, and the old
    one is kept alive.
    """
    members = gc.get_referents(vars(kind))[0]
    REPLACED.append(members.get(name))
    members[name] = classmethod(function)


def shift_machine() -> None:
    """Makes this process look as if another user ran it on another machine.

    The kernel lock hides the user database, so that nobody seems to exist: a value made from that
    would be another one wherever the test runs later. Here everybody exists.
    """
    import grp
    import pwd
    import socket

    def user(uid: int = 4001, name: str = "elsewhere") -> Any:
        return pwd.struct_passwd((name, "x", uid, 4002, "", "/home/" + name, "/bin/sh"))

    def group(gid: int = 4002, name: str = "elsewhere") -> Any:
        return grp.struct_group((name, "x", gid, [name]))

    users: Any = pwd
    users.getpwuid, users.getpwall = user, lambda: [user()]
    users.getpwnam = lambda name: user(name=name)
    groups: Any = grp
    groups.getgrgid, groups.getgrall = group, lambda: [group()]
    groups.getgrnam = lambda name: group(name=name)
    system: Any = os
    for name in ("getuid", "geteuid", "getgid", "getegid", "cpu_count"):
        setattr(system, name, functools.partial(plus, getattr(os, name), 4001))
    system.getlogin = lambda: "elsewhere"
    network: Any = socket
    network.gethostname = lambda: "elsewhere"


def plus(function: Callable[[], Any], number: int) -> int:
    """What a function gives, and more."""
    return int(function() or 0) + number


# ---------------------------------------------------------------- effects on the world

WRITES_FILES = "writes files outside of tmp_path"
GOES_OUTSIDE = "starts programs or uses the network"
LEAVES_CHANGED = "leaves the environment or the working folder changed"
OPENS_NUMBER = "opens a file by its number"
READS_METADATA = "reads modes or times that the sandbox cannot set"
STANDARD_LIBRARY = os.path.dirname(os.path.abspath(ast.__file__)) + os.sep
# Events of sys.audit, with how many of the first arguments are paths and where their folders'
# descriptors stand.
PATH_EVENTS: dict[str, tuple[int, tuple[int, ...]]] = {
    "os.remove": (1, (1,)),
    "os.rmdir": (1, (1,)),
    "os.mkdir": (1, (2,)),
    "os.rename": (2, (2, 3)),
    "os.link": (2, (2, 3)),
    "os.symlink": (2, (-1, 2)),
    "os.truncate": (1, ()),
    "os.chmod": (1, (2,)),
    "os.chown": (1, (3,)),
    "os.utime": (1, (3,)),
    "os.setxattr": (1, ()),
    "os.removexattr": (1, ()),
    "os.chflags": (1, ()),
    "os.chdir": (1, ()),
    "sqlite3.connect": (1, ()),
}
OUTSIDE_EVENTS = frozenset(
    {
        *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"),
        *("os.kill", "os.killpg", "pty.spawn", "subprocess.Popen", "webbrowser.open"),
        *("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyaddr"),
        *("socket.gethostbyname", "socket.sendto", "socket.sendmsg", "socket.sethostname"),
        *("signal.pthread_kill", "syslog.openlog", "syslog.syslog"),
    }
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Effects:
    """Notes what code does beyond its own values, wherever it does it and whether it may.

    A test is run later without a sandbox. What was denied or missing here would delete a file
    there, so it is the attempt that counts.
    """

    def __init__(self) -> None:
        self.is_on = False
        self.folders: tuple[str, ...] = ()
        self.found = ""
        self.has_notes = False  # a mode or a time was noted, not set: see worker_world.py

    @contextlib.contextmanager
    def noted(self, folders: Iterable[str]) -> Iterator[None]:
        """Notes effects, but for files in ``folders``."""
        self.folders = tuple(os.path.join(folder, "") for folder in folders)
        self.found, self.is_on = "", True
        try:
            yield
        finally:
            self.is_on = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Takes an event of ``sys.audit``."""
        if not self.is_on:
            return
        if event in OUTSIDE_EVENTS:
            self.found = GOES_OUTSIDE
        elif event == "open":
            if isinstance(arguments[0], int) and not is_library(sys._getframe(1)):
                # open(1) would take, and at its end close, what pytest writes to.
                self.found = OPENS_NUMBER
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            if type(arguments[2]) is int and arguments[2] & WRITING:
                self.touch(arguments[0], -1)
        elif event == "os.scandir":
            # The entries tell what the kernel has, and there is no way to answer for them.
            if self.has_notes and not is_library(sys._getframe(1)):
                self.found = READS_METADATA
        elif event in PATH_EVENTS:
            count, descriptors = PATH_EVENTS[event]
            for index in range(count):
                at = descriptors[index] if index < len(descriptors) else -1
                self.touch(arguments[index], arguments[at] if 0 < at < len(arguments) else -1)

    def touch(self, path: Any, folder: Any) -> None:
        """Notes that something at ``path`` is changed."""
        try:
            if type(path) is int:  # what is open was opened before, or is no file
                return
            place = os.fsdecode(path)
            if type(folder) is int and folder >= 0:
                place = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), place)
            place = os.path.abspath(place)
        except BaseException:
            place = ""
        if place != os.devnull and not os.path.join(place, "").startswith(self.folders):
            self.found = self.found or WRITES_FILES


def is_library(frame: types.FrameType) -> bool:
    """True if the standard library runs here, not what was installed below its folder."""
    name = frame.f_code.co_filename
    is_below = name.startswith(STANDARD_LIBRARY) and "-packages" not in name
    return is_below or name.startswith("<frozen ")


EFFECTS = Effects()


def surroundings() -> tuple[Any, ...]:
    """What a test shares with all tests that run after it."""
    folder = os.stat(".")  # unlike getcwd it works in a folder that was removed
    return folder.st_dev, folder.st_ino, dict(os.environ)


# ---------------------------------------------------------------- values to expressions


class NoExpressionError(Exception):
    """This value has no expression that a test file could hold."""


# Types whose repr is an expression once their name is imported.
SPEAKING = {
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "uuid": {"UUID"},
    "ipaddress": {
        *("IPv4Address", "IPv4Network", "IPv4Interface"),
        *("IPv6Address", "IPv6Network", "IPv6Interface"),
    },
}


class Surroundings:
    """What a value is looked at in: names of the candidate, and texts of this machine.

    Args:
        names: what the candidate's code can see; a test has the same names.
        lines: the import statements that bound some of them.
        places: folders whose paths differ on the machine where the test will run.
    """

    def __init__(self, names: Json, lines: Iterable[str], places: Iterable[str]) -> None:
        self.names = names
        self.lines = {line.split()[-1]: line for line in lines}
        self.places = tuple(place for place in places if len(place) > 1)

    def is_local(self, text: str | bytes | bytearray) -> bool:
        """True if a text holds a path that is only valid here and now."""
        if isinstance(text, str):
            return any(place in text for place in self.places)
        return any(os.fsencode(place) in text for place in self.places)

    def place_of(self, text: str) -> str | None:
        """A path below the test's own folder as a test writes it, None for any other text."""
        folder = str(self.names.get("tmp_path") or "")
        if not folder or not (text + os.sep).startswith(folder + os.sep):
            return None
        parts = tuple(text[len(folder) + 1 :].split(os.sep)) if text != folder else ()
        return code_of(parts) if is_speakable(parts) else None


class Expression:
    """Source text for a value, with the imports it needs and what it is made of."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.imports: dict[str, str] = {}
        self.has_fraction = False
        self.parents: list[int] = []

    def need(self, line: str, bound: Any) -> str:
        """Adds an import; a test cannot use one name for two things."""
        name = line.split()[-1]
        if name in self.around.names:
            if self.around.names[name] is not bound:
                raise NoExpressionError
            line = self.around.lines.get(name, line)
        if self.imports.setdefault(name, line) != line:
            raise NoExpressionError
        return name

    def of(self, value: Any) -> str:
        """The text for a value anywhere inside; raises NoExpressionError, or what it raises."""
        if id(value) in self.parents or len(self.parents) > 8:
            raise NoExpressionError
        self.parents.append(id(value))
        try:
            text = self._text(value, type(value))
        finally:
            self.parents.pop()
        if len(text) > MAX_EXPRESSION:
            raise NoExpressionError
        return text

    def _text(self, value: Any, kind: Any) -> str:
        # type(value) everywhere, never isinstance: __class__ may lie, raise or hang.
        if value is None or value is Ellipsis or value is NotImplemented or kind is bool:
            return repr(value)
        if kind in (int, str, bytes, bytearray):
            return self._flat(value, kind)
        if kind in (float, complex):
            return self._number(value, kind)
        if kind in (list, tuple, set, frozenset, dict, range, slice):
            return self._container(value, kind)
        if issubclass(kind, enum.Enum):
            return self._member(value, kind)
        if issubclass(kind, type) or kind in (types.FunctionType, types.BuiltinFunctionType):
            return self._named(value)
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return self._fields(kind, zip(kind._fields, tuple.__iter__(value)))  # noqa: B905
        if hasattr(kind, "__dataclass_fields__"):
            import dataclasses

            # What == does not look at is checked by itself, see unseen_checks().
            told = [field for field in dataclasses.fields(kind) if field.init and field.compare]
            names = [field.name for field in told]
            return self._fields(kind, [(name, getattr(value, name)) for name in names])
        return self._library(value, kind.__module__, kind.__name__)

    def _flat(self, value: Any, kind: Any) -> str:
        size = value.bit_length() if kind is int else len(value)
        if size > MAX_EXPRESSION * 4:  # never build, nor compare, what is too long anyway
            raise NoExpressionError
        if kind is not int and self.around.is_local(value):
            place = self.around.place_of(value) if kind is str else None
            if place is None:
                raise NoExpressionError
            return f"str({place})"
        return repr(value)

    def _number(self, value: Any, kind: Any) -> str:
        if kind is complex:
            self.has_fraction = True
            return repr(value)
        if not math.isfinite(value):
            return f"float({str(value)!r})"
        self.has_fraction |= value != int(value)
        return repr(value)

    def _container(self, value: Any, kind: Any) -> str:
        if kind in (range, slice):
            parts = (value.start, value.stop, value.step)
            items = [self.of(part) for part in parts]
            return repr(value) if kind is range else f"slice({', '.join(items)})"
        if len(value) > 60:
            raise NoExpressionError
        if kind is dict:
            pairs = [f"{self.of(key)}: {self.of(item)}" for key, item in value.items()]
            return f"{{{', '.join(pairs)}}}"
        items = [self.of(item) for item in value]
        body = ", ".join(items)
        if kind is list:
            return f"[{body}]"
        if kind is tuple:
            return f"({body},)" if len(items) == 1 else f"({body})"
        # Sorted by text: the order of a set differs from run to run.
        body = f"{{{', '.join(sorted(items))}}}" if items else "set()"
        if kind is set:
            return body
        return f"frozenset({body if items else ''})"

    def _member(self, value: Any, kind: Any) -> str:
        name = self._named(kind)
        if isinstance(value._name_, str) and kind.__members__.get(value._name_) is value:
            return f"{name}.{value._name_}"
        if not issubclass(kind, enum.Flag):
            raise NoExpressionError
        bits = [m for m in kind if m._value_ & value._value_ and bin(m._value_).count("1") == 1]
        return " | ".join(f"{name}.{member._name_}" for member in bits) or f"{name}(0)"

    def _fields(self, kind: type, fields: Iterable[tuple[str, Any]]) -> str:
        name = self._named(kind)
        return f"{name}({', '.join(f'{key}={self.of(value)}' for key, value in fields)})"

    def _named(self, value: Any) -> str:
        """A class or function that its module offers under its own name."""
        parts = value.__qualname__.split(".")
        module = sys.modules.get(value.__module__)
        found: Any = module
        for part in parts:
            found = getattr(found, part, None)
        if found is not value or value.__module__ == "__main__":
            raise NoExpressionError
        if module is not builtins:
            self.need(f"from {value.__module__} import {parts[0]}", getattr(module, parts[0]))
        return str(value.__qualname__)

    def _library(self, value: Any, module: str, name: str) -> str:
        kind = type(value)
        if name in SPEAKING.get(module, ()):
            self._named(kind)
            return repr(value)
        if module == "datetime":
            return self._moment(value, name)
        if module == "zoneinfo" and name == "ZoneInfo" and value.key:
            return f"{self._named(kind)}({value.key!r})"
        if module == "re" and name == "Pattern":
            self.need("import re", re)
            return repr(value)
        if module.startswith("pathlib") and self.around.is_local(str(value)):
            place = self.around.place_of(str(value))
            if place is None or name.startswith("Pure"):
                raise NoExpressionError
            return place
        if module.startswith("pathlib"):
            import pathlib

            # The concrete classes cannot be created on other systems, so tests name Path.
            shown = name if name.startswith("Pure") else "Path"
            self.need(f"from pathlib import {shown}", getattr(pathlib, shown))
            return f"{shown}({str(value)!r})"
        if module == "collections" and name == "Counter":
            return f"{self._named(kind)}({self.of(dict(value))})"
        if module == "collections" and name in ("OrderedDict", "deque"):
            items = list(value) if name == "deque" else list(value.items())
            return f"{self._named(kind)}({self.of(items)})"
        if module == "types" and name == "SimpleNamespace":
            self.need("from types import SimpleNamespace", kind)
            pairs = [f"{key}={self.of(item)}" for key, item in vars(value).items()]
            return f"SimpleNamespace({', '.join(pairs)})"
        raise NoExpressionError

    def _moment(self, value: Any, name: str) -> str:
        """A value of the datetime module, in the way that the candidate's names allow."""
        zone = value.tzinfo if name in ("datetime", "time") else None
        if zone is not None:
            value = value.replace(tzinfo=None)
        text = repr(value)
        if self.around.names.get("datetime", datetime) is datetime:
            self.need("import datetime", datetime)
        else:  # "from datetime import datetime"
            for part in set(re.findall(r"\bdatetime\.(\w+)\(|\bdatetime\.(timezone)\b", text)):
                part_name = part[0] or part[1]
                self.need(f"from datetime import {part_name}", getattr(datetime, part_name))
            text = re.sub(r"\bdatetime\.(?=[a-z]+[.(])", "", text)
        return text if zone is None else f"{text[:-1]}, tzinfo={self.of(zone)})"


def expression_of(value: Any, around: Surroundings) -> tuple[str, list[str], bool] | None:
    """(source text, imports, has fractions) of an equal value of equal type, or None.

    It is evaluated where a test would, and what comes out has to give the same text again: a
    class whose ``==`` says yes to everything is not believed.
    """
    expression, again = Expression(around), Expression(around)
    try:
        text = expression.of(value)
        imports = list(expression.imports.values())
        scope = dict(around.names)
        for line in imports:
            exec(line, scope)
        other = eval(text, scope)
        is_same = type(other) is type(value) and bool(other == value) and bool(value == other)
        if is_same and again.of(other) == text:
            return text, imports, expression.has_fraction
    except BaseException:
        return None
    return None


# ---------------------------------------------------------------- checks


def check(kind: str, path: str, expression: str, imports: Iterable[str] = ()) -> Json:
    """One assertion, as the broker's ``Check`` takes it."""
    return {"kind": kind, "path": path, "expression": expression, "imports": list(imports)}


def observe(value: Any, around: Surroundings) -> list[Json]:
    """The checks for any value; for one that cannot be looked at, its type."""
    try:
        with quiet():
            return checks_of(value, around)
    except BaseException:
        return [check("type", "", repr(type(value).__name__))]


def checks_of(value: Any, around: Surroundings, path: str = "", depth: int = 0) -> list[Json]:
    """The assertions that hold for ``value``, strongest form first found."""
    kind = type(value)
    if value is None or value is True or value is False or value is Ellipsis:
        return [check("is", path, repr(value))]
    if kind is float and math.isnan(value):
        return [check("nan", path, "")]
    found = expression_of(value, around)
    if found is not None:
        text, imports, has_fraction = found
        if not has_fraction or kind not in (float, complex, list, tuple, dict):
            return [check("equal", path, text, imports), *unseen_checks(value, around, path, depth)]
        if kind in (float, complex) or is_flat(value):
            return [check("approx", path, text, imports)]
    if depth > 2 or is_iterator(kind) or is_async_iterator(kind) or is_stand_in(kind):
        return []
    if kind in (str, bytes):
        if around.is_local(value):
            return []
        start = check("equal", path + "[:60]", repr(value[:60]))
        return [check("length", path, str(len(value))), start]
    if kind in (list, tuple, dict, set, frozenset, bytearray):
        return container_checks(value, around, path, depth)
    if kind.__module__.startswith("pathlib") and around.is_local(str(value)):
        return [local_path_check(value, around, path)]
    return object_checks(value, around, path, depth)


def unseen_checks(value: Any, around: Surroundings, path: str, depth: int) -> list[Json]:
    """The checks of what ``==`` of a dataclass leaves out."""
    result: list[Json] = []
    if depth > 2 or "__dataclass_fields__" not in members_of(type(value)):
        return result
    import dataclasses

    for field in dataclasses.fields(type(value)):
        if not field.compare and not field.name.startswith("_"):
            read = functools.partial(getattr, value, field.name)
            with contextlib.suppress(BaseException):
                result += part_checks(read, around, f"{path}.{field.name}", depth)
    return result[:8]


def is_stand_in(kind: type) -> bool:
    """True for what nobody asserts: a coroutine, a mock, what a candidate's own class made."""
    is_own = kind.__module__ in ("candidate", "unittest.mock")
    return is_own or issubclass(kind, types.CoroutineType)


def is_flat(value: Any) -> bool:
    """True if pytest.approx takes it as it stands."""
    leaves = value.values() if type(value) is dict else value
    return all(item is None or type(item) in (int, float, str, bool, complex) for item in leaves)


def container_checks(value: Any, around: Surroundings, path: str, depth: int) -> list[Json]:
    """The length of a container that has no expression, and its first items."""
    result = [check("length", path, str(len(value)))]
    if type(value) is dict:
        for key in itertools.islice(value, 6):
            found = expression_of(key, around)
            if found and not found[1]:
                result += checks_of(value[key], around, f"{path}[{found[0]}]", depth + 1)
    elif type(value) in (list, tuple):
        for index, item in enumerate(value[:6]):
            result += checks_of(item, around, f"{path}[{index}]", depth + 1)
    return result[:8]


def local_path_check(value: Any, around: Surroundings, path: str) -> Json:
    """A path below the test's own folder relative to it; of any other local path its name."""
    folder = around.names.get("tmp_path")
    if folder is not None and folder in (value, *value.parents):
        below = value.relative_to(folder).as_posix()
        return check("equal", path + ".relative_to(tmp_path).as_posix()", repr(below))
    return check("equal", path + ".name", repr(value.name))


def object_checks(value: Any, around: Surroundings, path: str, depth: int) -> list[Json]:
    """The type of an object and what else can be said: its plain value, or its public parts."""
    kind = type(value)
    result = [check("type", path, repr(kind.__name__))]
    for base in (str, bytes, int, float, complex, list, tuple, dict, set, frozenset):
        if issubclass(kind, base):
            with contextlib.suppress(BaseException):
                plain = base(value)
                if bool(value == plain):
                    inner = checks_of(plain, around, path, 3)
                    result += [item for item in inner if item["kind"] in ("equal", "approx")]
            return result
    if callable(value) or issubclass(kind, types.ModuleType):
        return result
    for suffix, read, is_computed in itertools.islice(public_parts(value), 12):
        with contextlib.suppress(BaseException):
            items = part_checks(read, around, path + suffix, depth)
            # A property that counts its readers, say, must not be asserted.
            if not is_computed or items == part_checks(read, around, path + suffix, depth):
                result += items
    if "__len__" in members_of(kind):
        with contextlib.suppress(BaseException):
            result.append(check("length", path, str(len(value))))
    return result[:8]


def part_checks(read: Callable[[], Any], around: Surroundings, path: str, depth: int) -> list[Json]:
    """The checks of one part of an object, other than that its type is so and so."""
    inner = read()
    if callable(inner):
        return []
    return [item for item in checks_of(inner, around, path, depth + 1) if item["kind"] != "type"]


def public_parts(value: Any) -> Iterator[tuple[str, Callable[[], Any], bool]]:
    """What callers may look at: (access path, how to read it, whether code computes it)."""
    kind = type(value)
    if kind is re.Match:
        yield ".group()", value.group, False
        yield ".groups()", value.groups, False
    if kind.__module__ in ("numpy", "array"):
        yield ".tolist()", value.tolist, False
    if issubclass(kind, BaseException):
        yield ".args", lambda: value.args, False
    members = members_of(kind)
    names: dict[str, bool] = {}
    with contextlib.suppress(Exception):
        names.update(dict.fromkeys(object.__getattribute__(value, "__dict__"), False))
    for name, member in members.items():
        if isinstance(member, (types.MemberDescriptorType, property, functools.cached_property)):
            names.setdefault(name, not isinstance(member, types.MemberDescriptorType))
    for name, is_computed in names.items():
        if isinstance(name, str) and name.isidentifier() and not name.startswith("_"):
            yield f".{name}", functools.partial(getattr, value, name), is_computed


def members_of(kind: type) -> Json:
    """The members of a class and its bases, without asking any ``__getattr__``."""
    found: Json = {}
    for base in kind.__mro__:
        if base is not object:
            for name, member in vars(base).items():
                found.setdefault(name, member)
    return found


def is_iterator(kind: type) -> bool:
    """True if values of ``kind`` are used up by looking at them."""
    members = members_of(kind)
    return "__next__" in members and "__iter__" in members and not issubclass(kind, io.IOBase)


def is_async_iterator(kind: type) -> bool:
    """True if values of ``kind`` are used up by ``async for``."""
    members = members_of(kind)
    return "__anext__" in members and "__aiter__" in members


# ---------------------------------------------------------------- files below tmp_path

MOST_ENTRIES = 60
MOST_PLACES = 20
LARGEST_FILE = 20_000
SHORT_BYTES = 120
FOLDER, FILE, LINK, OTHER = "folder", "file", "link", "other"
QUESTIONS = {FOLDER: ".is_dir()", FILE: ".is_file()", LINK: ".is_symlink()"}
SPEAKABLE = re.compile(r"(?!\.\.?$)[\w.=@#-][\w .~=@#-]{0,59}")
# As they are before code under test, or a test's set-up, puts others in their place.
list_folder, status_of, OpenFile = os.listdir, os.lstat, io.FileIO

if TYPE_CHECKING:
    Place = tuple[str, ...]
    Tree = dict[Place, "str | bytes"]


def tree_below(folder: str) -> Tree | None:
    """What there is in a folder by the way to it: the bytes of small files, else a word.

    The folder itself stands under the empty way. None if there is too much, or it cannot be read.
    """
    found: Tree = {}
    waiting: list[Place] = [()]
    try:
        while waiting:
            place = waiting.pop()
            path = "/".join((folder, *place))
            try:
                found[place] = entry_at(path)
            except FileNotFoundError:
                continue
            if found[place] == FOLDER:
                waiting += [(*place, name) for name in list_folder(path)]
            if len(found) + len(waiting) > MOST_ENTRIES:
                return None
    except (OSError, ValueError):
        return None
    return found


def entry_at(path: str) -> str | bytes:
    """The bytes of a small file, else what there is; a link is not followed."""
    status = status_of(path)
    kind = status.st_mode & 0o170000
    if kind != 0o100000:
        return {0o040000: FOLDER, 0o120000: LINK}.get(kind, OTHER)
    if status.st_size > LARGEST_FILE:
        return FILE
    with OpenFile(path) as file:
        return file.read()


def files_changed(before: Tree, after: Tree, around: Surroundings) -> list[list[Any]]:
    """The places below tmp_path that are no longer as they were, each with its checks."""
    if () not in after:
        return [["tmp_path", [check("is", ".exists()", "False")]]] if () in before else []
    new = sorted(place for place, entry in after.items() if before.get(place) != entry)
    # A folder with something new in it goes without saying, and so does what was in one removed.
    told = [place for place in new if after[place] != FOLDER or not has_below(place, new)]
    gone = sorted(place for place in before if place not in after and place[:-1] in after)
    found = [(place, entry_checks(after[place], around)) for place in told]
    found += [(place, [check("is", ".exists()", "False")]) for place in gone]
    result = [[code_of(place), checks] for place, checks in found if checks and is_speakable(place)]
    return [*result[:MOST_PLACES], *listing(told, gone, after)] if found else []


def has_below(place: Place, others: Iterable[Place]) -> bool:
    """True if one of the others lies in the folder."""
    return any(len(o) > len(place) and o[: len(place)] == place for o in others)


def is_speakable(place: Place) -> bool:
    """True if every part of the way is a name that a test can show."""
    return all(SPEAKABLE.fullmatch(part) for part in place)


def code_of(place: Place) -> str:
    """``tmp_path / 'folder' / 'data.txt'``."""
    return " / ".join(["tmp_path", *map(repr, place)])


def entry_checks(entry: str | bytes, around: Surroundings) -> list[Json]:
    """What can be said of something that is there: what it holds, then what it is."""
    if isinstance(entry, bytes):
        return [*content_checks(entry, around), check("is", ".is_file()", "True")]
    return [check("is", QUESTIONS[entry], "True")] if entry in QUESTIONS else []


def content_checks(data: bytes, around: Surroundings) -> list[Json]:
    """What a small file holds: its text, or its bytes where reading as text would change them."""
    if around.is_local(data):
        return []
    value: Any = data
    read = ".read_bytes()"
    with contextlib.suppress(ValueError):
        text = data.decode("utf-8")
        if all(char.isprintable() or char in "\n\t" for char in text):
            value, read = text, ".read_text()" if text.isascii() else ".read_text(encoding='utf-8')"
    shown = repr(value)
    is_text = type(value) is str or (b"\0" not in value and value.isascii())
    if len(shown) <= (MAX_EXPRESSION if is_text else SHORT_BYTES):
        return [check("equal", read, shown)]
    if not is_text:
        return []
    start = check("equal", read + "[:60]", repr(value[:60]))
    return [check("length", read, str(len(value))), start]


def listing(told: list[Place], gone: list[Place], after: Tree) -> Iterator[list[Any]]:
    """The names in the folder in which everything happened."""
    ways = [place[:-1] for place in (*told, *gone)]
    pairs = zip(min(ways), max(ways))  # noqa: B905
    folder = tuple(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    is_flat = set(ways) == {folder}
    inside = [place for place in after if has_below(folder, [place])]
    names = sorted(place[-1] for place in inside if not is_flat or place[:-1] == folder)
    if len(names) <= 12 and all(map(is_speakable, inside)):
        all_of = "iterdir()" if is_flat else "rglob('*')"
        owner = code_of(folder) if not folder else f"({code_of(folder)})"
        code = f"sorted(p.name for p in {owner}.{all_of})"
        yield [code, [check("equal", "", repr(names))]]


# ---------------------------------------------------------------- what calls leave behind


ATOMS = frozenset({type(None), bool, int, float, complex})
PLAIN = frozenset({str, bytes, list, tuple, dict, set, frozenset})
INERT = frozenset({types.ModuleType, types.BuiltinFunctionType, property, re.Pattern, object})
CONTAINERS = (dict, list, tuple, set, frozenset, deque)
EMPTY = types.CellType()


class Snapshot:
    """What calls can change and later calls can see: globals of the project, and the process.

    Bounded in cost: of very much data the first part is compared. Random numbers and caches of
    ``functools`` are put back instead, since so many calls use them.
    """

    BUDGET = 5_000

    def __init__(self, session: Session) -> None:
        self.session = session
        self.left = 0
        self.modules = dict(sys.modules)
        self.own = session.own_modules()
        self.own_names = {module.__name__ for module in self.own}
        self.prints = self.take()
        self.random = self._random()

    def is_stale(self) -> bool:
        """True if this process is no longer as it was; it cannot be used again then."""
        try:
            if self.random is not None and self._random() != self.random:
                sys.modules["random"].setstate(self.random)
            if any(sys.modules.get(name) is not m for name, m in self.modules.items()):
                return True
            return self.take() != self.prints
        except BaseException:
            return True

    def _random(self) -> Any:
        module = self.modules.get("random")
        return None if module is None else module.getstate()

    def take(self) -> list[Any]:
        """A fingerprint, made of plain values and ids only."""
        self.left = self.BUDGET
        parts: list[Any] = self.process()
        for module in self.own:
            for name, value in list(vars(module).items()):
                if not name.startswith("__"):
                    try:
                        parts.append((name, self.print_of(value, 0)))
                    except BaseException:
                        parts.append((name, id(value)))
        return parts

    def process(self) -> list[Any]:
        """State of the interpreter and the process that calls may change for all."""
        folder = os.stat(".")  # unlike getcwd it works in a folder that was removed
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGUSR1)
        parts: list[Any] = [
            *(folder.st_dev, folder.st_ino, id(os.environ), dict(os.environ)),
            *(tuple(sys.path), list(map(id, vars(builtins).values())), sys.getrecursionlimit()),
            *(threading.active_count(), locale.setlocale(locale.LC_ALL), time.tzname),
            [id(signal.getsignal(number)) for number in signals],
            signal.getitimer(signal.ITIMER_REAL)[0] > 0,
            [id(hook) for hook in (sys.excepthook, sys.displayhook, time.time, time.sleep)],
        ]
        logging = self.modules.get("logging")
        if logging is not None:
            parts += [logging.root.manager.disable, self.print_of(logging.root, 0)]
        decimal = self.modules.get("decimal")
        if decimal is not None:
            context = decimal.getcontext()
            parts += [context.prec, context.rounding, context.Emin, context.Emax]
        return parts

    def print_of(self, value: Any, depth: int) -> Any:
        """A value's part of the fingerprint."""
        kind = type(value)
        self.left -= 1
        if kind in ATOMS:
            return value
        if kind in (str, bytes):
            return value if len(value) < 1_000 else (id(value), len(value))
        if kind in INERT or depth > 4 or self.left < 0 or issubclass(kind, enum.Enum):
            return id(value)
        if kind is types.FunctionType:
            return id(value), self.function_print(value, depth + 1)
        if issubclass(kind, type):
            return id(value), self.class_print(value, depth + 1)
        if issubclass(kind, CONTAINERS):
            return kind.__name__, self.items_print(value, kind, depth + 1)
        if kind is functools._lru_cache_wrapper:
            value.cache_clear()
        return id(value), self.object_print(value, kind, depth + 1)

    def items_print(self, value: Any, kind: type, depth: int) -> list[Any]:
        """The length of a container and its first items, by the methods of the built-in base."""
        base: Any = next(base for base in CONTAINERS if issubclass(kind, base))
        result: list[Any] = [base.__len__(value)]
        items: Iterable[Any] = base.__iter__(value)
        if base is dict:  # not its pairs as such: they are made anew each time, at other addresses
            items = itertools.chain.from_iterable(dict.items(value))
        for item in itertools.islice(items, 400 if base is dict else 200):
            if self.left > 0:
                result.append(self.print_of(item, depth))
        return result

    def function_print(self, value: Any, depth: int) -> Any:
        """What a function keeps from call to call: defaults, attributes, variables around it."""
        if value.__module__ not in self.own_names:
            return None
        held = [v for v in (value.__defaults__, value.__kwdefaults__, value.__dict__) if v]
        # A method that says super() holds its class as __class__, which is looked at by itself.
        for index, cell in enumerate(value.__closure__ or ()):
            if value.__code__.co_freevars[index] != "__class__" and cell != EMPTY:
                held.append(cell.cell_contents)
        # Nothing that is made here may be looked at: below some depth its address is its print.
        return [self.print_of(item, depth) for item in held]

    def class_print(self, value: Any, depth: int) -> Any:
        """The attributes of a class of the project."""
        # Flags keep every combination that was ever asked for in their class.
        if value.__module__ not in self.own_names or issubclass(value, enum.Enum):
            return None
        members = [(k, v) for k, v in vars(value).items() if not k.startswith("__")]
        return [(name, self.print_of(member, depth)) for name, member in members]

    def object_print(self, value: Any, kind: type, depth: int) -> Any:
        """What an object of the project holds, and a few of the standard library."""
        if kind in (staticmethod, classmethod):
            return self.print_of(value.__func__, depth)
        if kind in (itertools.count, bytearray):
            return repr(value) if kind is itertools.count else bytes(value[:1_000])
        if kind.__module__ == "logging":
            held = (getattr(value, "level", 0), getattr(value, "handlers", 0))
            return [self.print_of(item, depth) for item in held]
        if kind.__module__ == "random":
            return hash(value.getstate())
        if kind.__module__ not in self.own_names:
            return None
        names = [n for n, m in members_of(kind).items() if type(m) is types.MemberDescriptorType]
        slots = [getattr(value, name, None) for name in names]
        return [self.print_of(item, depth) for item in (getattr(value, "__dict__", None), *slots)]


# ---------------------------------------------------------------- running a candidate


class Kept(io.BytesIO):
    """Keeps the start of what is written to it and survives being closed."""

    def write(self, data: Any) -> int:
        """Takes everything, keeps what fits."""
        room = max(0, 4 * MAX_OUTPUT + 4 - self.tell())
        super().write(bytes(data[:room]))
        return len(data)

    def close(self) -> None:
        """Does nothing: code under test may close its output, we still want to read it."""

    def text(self) -> str:
        """All that was printed, or nothing if it was too much to be asserted."""
        found = self.getvalue().decode("utf-8", "replace")
        return found if len(found) <= MAX_OUTPUT else ""


@contextlib.contextmanager
def printed() -> Iterator[tuple[Kept, Kept]]:
    """Takes what is printed to stdout and stderr; both have the bytes and encoding of pytest's."""
    out, err = Kept(), Kept()
    streams = [
        io.TextIOWrapper(buffer, encoding="utf-8", newline="", write_through=True)
        for buffer in (out, err)
    ]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        yield out, err


def complaint(text: str, around: Surroundings) -> str:
    """What was printed to stderr, if that is the same elsewhere."""
    is_odd = "Traceback" in text or around.is_local(text) or ADDRESS.search(text)
    return "" if is_odd else text


def is_from_argparse(error: BaseException) -> bool:
    """True for what argparse complained of: its words are others in each version of Python."""
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(os.path.basename(name) in ("argparse.py", "optparse.py") for name in frames)


@contextlib.contextmanager
def logged() -> Iterator[list[Any]]:
    """Takes what is logged, as far as it gets to the root logger: what pytest's caplog sees."""
    records: list[Any] = []
    logging: Any = sys.modules.get("logging")
    if logging is None:
        yield records
        return
    handler = logging.Handler()
    handler.emit = records.append
    logging.root.addHandler(handler)
    try:
        yield records
    finally:
        logging.root.removeHandler(handler)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallows what project code prints while we import it or look at its values."""
    with printed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def text_of(error: BaseException) -> str:
    """The text of an exception, as a file can hold it; it may be unable to give one."""
    try:
        return str(error).encode("utf-8", "backslashreplace").decode()
    except BaseException:
        return ""


def names_in(tree: ast.AST) -> tuple[set[str], set[str]]:
    """The names that code reads, and those that it binds or deletes."""
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return used, bound


ARGUMENT_LINE = 1_000
WRAPPING = ("asyncio", "copy", *vars(builtins))


def set_apart(tree: ast.AST) -> None:
    """Puts the arguments of what a step calls on a line of their own.

    So a traceback tells whether the call was made, or what it should get could not be made.
    """
    for part in arguments_of(subject_in(tree)):
        for node in ast.walk(part):
            if hasattr(node, "lineno"):
                place: Any = node
                place.lineno = place.end_lineno = ARGUMENT_LINE
                place.col_offset = place.end_col_offset = 0


def subject_in(tree: ast.AST) -> ast.AST:
    """What a step is about: ``f(x)`` in ``list(f(x))``, ``y = f(x).name`` and ``await f(x)``."""
    node: Any = tree
    if isinstance(tree, ast.Module) and len(tree.body) == 1:
        node = tree.body[0]
    while True:
        inner: Any = getattr(node, "body" if isinstance(node, ast.Expression) else "value", None)
        if isinstance(node, ast.Call):
            is_wrapping = len(node.args) == 1 and root_of(node.func) in WRAPPING
            inner = node.args[0] if is_wrapping else None
        is_part = isinstance(node, (ast.Call, ast.Attribute, ast.Subscript))
        is_last = not isinstance(inner, ast.AST) or isinstance(node, ast.AugAssign)
        if is_last or (is_part and not isinstance(inner, ast.Call)):
            found: ast.AST = node
            return found
        node = inner


def arguments_of(node: ast.AST) -> list[ast.AST]:
    """The parts that are there before anything is called or an operator is applied."""
    if isinstance(node, ast.Call):
        owner = getattr(node.func, "value", None)
        built = [owner] if isinstance(owner, ast.Call) else []
        return [*built, *node.args, *(keyword.value for keyword in node.keywords)]
    operands: list[ast.AST] = []
    if isinstance(node, ast.BinOp):
        operands = [node.left, node.right]
    elif isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
    elif isinstance(node, ast.AugAssign):
        operands = [node.value]
    return [part for part in operands if isinstance(part, ast.Call) and builds(part)]


def root_of(node: ast.AST) -> str:
    """``asyncio`` of ``asyncio.run``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def builds(call: ast.Call) -> bool:
    """True for ``Cart("a")``, by its name."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else root_of(call.func)
    return name[:1].isupper()


def wrapper_of(value: Any) -> str:
    """The call that a test puts around a coroutine or an iterator to look at what it gives."""
    kind = type(value)
    if issubclass(kind, types.CoroutineType):
        return "asyncio.run"
    if is_async_iterator(kind):
        return "collect"
    return "list" if is_iterator(kind) else ""


def unwrap(value: Any, wrapper: str) -> tuple[Any, str]:
    """What ``wrapper`` makes of the value, and the wrapper if it could be applied."""
    if wrapper == "asyncio.run":
        import asyncio

        return asyncio.run(value), wrapper
    if wrapper == "collect":
        import asyncio

        found = asyncio.run(collected(value))
        return (value, "") if found is None else (found, wrapper)
    if wrapper == "list":
        items = list(itertools.islice(value, MAX_ITEMS))
        if len(items) < MAX_ITEMS:
            return items, wrapper
    return value, ""  # an iterator that may never end is left alone


async def collected(values: Any) -> list[Any] | None:
    """What an asynchronous iterator gives, None if it may never end."""
    items = []
    async for item in values:
        items.append(item)
        if len(items) == MAX_ITEMS:
            return None
    return items


def is_in_argument(frame: types.FrameType, line: int) -> bool:
    """True for a place in a candidate where it only makes what it is going to pass."""
    code = frame.f_code
    return (code.co_filename, code.co_name, line) == ("<candidate>", "<module>", ARGUMENT_LINE)


class Raising:
    """The raise statements of a file of the project, and what its functions say of exceptions."""

    # What comes of wrong values; a function that knows them raises its own exceptions then.
    ESCAPING = (ValueError, KeyError, ArithmeticError)

    def __init__(self, filename: str) -> None:
        self.statements: list[ast.Raise | ast.Assert] = []
        self.functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
        with contextlib.suppress(Exception):
            with open(filename, "rb") as file:
                tree = ast.parse(file.read())
            for node in ast.walk(tree):
                if isinstance(node, (ast.Raise, ast.Assert)):
                    self.statements.append(node)
                elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self.functions.append(node)

    def names(self, kind: type, frame: types.FrameType, line: int) -> bool:
        """True if a raise or assert statement stands there that is about this class."""
        here = [node for node in self.statements if spans(node, line)]
        classes = [raised_class(node, frame) for node in here]
        return any(known is None or issubclass(kind, known) for known in classes)

    def is_botched(self, kind: type, frame: types.FrameType, line: int) -> bool:
        """True where another exception was to be raised: ``raise LexerError("%d" % text)``."""
        here = [n for n in self.statements if isinstance(n, ast.Raise) and spans(n, line)]
        return bool(here) and not self.names(kind, frame, line)

    def documents(self, kind: type, line: int) -> bool:
        """True if the function around a line says in its docstring that it raises this."""
        around = [node for node in self.functions if spans(node, line)]
        text = ast.get_docstring(around[-1]) if around else None
        names = [base.__name__ for base in kind.__mro__[:-3]]  # not Exception and its bases
        return any(re.search(rf"\b{name}\b", text or "") for name in names)

    def may_escape(self, kind: type, frame: types.FrameType, line: int) -> bool:
        """Whether callers can rely on what no raise statement raised.

        Not if the function has other exceptions by which it says that a value is wrong.
        """
        around = [node for node in self.functions if spans(node, line)]
        if not around or not issubclass(kind, self.ESCAPING):
            return True
        own = [node for node in self.statements if spans(around[-1], node.lineno)]
        classes = [raised_class(node, frame) for node in own if isinstance(node, ast.Raise)]
        told = [known for known in classes if known is not None and is_about_values(known)]
        return None in classes or not told or any(issubclass(kind, known) for known in told)


def spans(node: Any, line: int) -> bool:
    """True if a line belongs to a statement."""
    return bool(node.lineno <= line <= (node.end_lineno or node.lineno))


def is_about_values(kind: type) -> bool:
    """False for ``TypeError``, ``StopIteration`` and others that say nothing of wrong values."""
    return kind.__module__ != "builtins" or issubclass(kind, ValueError)


def raised_class(node: ast.Raise | ast.Assert, frame: types.FrameType) -> type | None:
    """The class that a statement names; None where it raises what something else made."""
    if isinstance(node, ast.Assert):
        return AssertionError
    named = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    path = []
    while isinstance(named, ast.Attribute):
        path.append(named.attr)
        named = named.value
    if not isinstance(named, ast.Name):
        return None
    found: Any = None
    for scope in (frame.f_locals, frame.f_globals, vars(builtins)):
        if named.id in scope:
            found = scope[named.id]
            break
    for name in reversed(path):
        is_known = issubclass(type(found), (type, types.ModuleType))
        found = vars(found).get(name) if is_known else None
    return found if issubclass(type(found), type) else None


class Session:
    """The module under test, imported once, and the folders of this worker."""

    def __init__(self, scratch: str) -> None:
        self.scratch = scratch
        self.module: Any = None
        self.tracer = Tracer(os.devnull)
        self.roots: tuple[str, ...] = ()
        self.count = 0
        self.raising: dict[str, Raising] = {}
        self.is_inside: dict[str, bool] = {}
        self.snapshot: Snapshot | None = None
        self.clock = 0
        self.fixtures: dict[str, Callable[[], Any]] = {}  # by name; each can undo()
        self.starts: list[Callable[[], None]] = []  # called before each candidate
        self.operations: dict[str, Callable[[Json], Json]] = {
            "load": self.load,
            "run": self.run,
            "pytest": run_pytest,
            "extend": self.extend,
        }

    def extend(self, request: Json) -> Json:
        """Adds the operations of another file of ours, for workers with a job of their own.

        Such a file defines ``install(worker, session)``, which gets this module and gives the
        operations by name.
        """
        spec = importlib.util.spec_from_file_location(request["name"], request["file"])
        assert spec is not None and spec.loader is not None
        extension = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(extension)
        self.operations.update(extension.install(sys.modules["__main__"], self))
        return {"ok": True}

    # ---- importing

    def load(self, request: Json) -> Json:
        """Imports the module under test."""
        folders = (request["project"], os.path.realpath(request["project"]))
        self.roots = tuple(folder.rstrip(os.sep) + os.sep for folder in folders)
        if request.get("packages") is not None:
            own = ("site-packages", "dist-packages")
            sys.path[:] = [path for path in sys.path if os.path.basename(path) not in own]
            sys.path.extend(request["packages"])
        sys.path[:0] = request["paths"]
        sys.path.extend(request.get("more_paths", ()))
        sys.argv[:] = request.get("arguments", ["pytest"])
        os.environ.update(request.get("environment", {}))
        time.tzset()
        self.clock = request["clock"]
        if self.clock:
            shift_clock(self.clock)
            shift_machine()
        self.tracer = Tracer(request["file"])
        try:
            with self.tracer, quiet():
                self.module = importlib.import_module(request["name"])
        except BaseException as error:
            return self.failure(error)
        found = getattr(self.module, "__file__", None) or ""
        return {
            "ok": os.path.realpath(found) == os.path.realpath(request["file"]),
            "found": found,
            "error": None,
            "arcs": self.tracer.sorted_arcs(),
            "version": ".".join(map(str, sys.version_info[:3])),
        }

    def failure(self, error: BaseException) -> Json:
        """Why the import failed, and the last line of the project that took part."""
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        frames = traceback.walk_tb(error.__traceback__)
        places = [(frame.f_code.co_filename, line) for frame, line in frames]
        inside = [place for place in places if self.is_project(place[0])]
        where, line = inside[-1] if inside else (None, None)
        return {
            "ok": False,
            "error": f"{type(error).__name__}: {text_of(error)[:300]}",
            "missing": missing if isinstance(missing, str) else None,
            "line": line,
            "where": where,
        }

    def is_project(self, filename: str) -> bool:
        """True if a file lies in the project."""
        if filename not in self.is_inside:
            is_file = os.path.isabs(filename)
            self.is_inside[filename] = is_file and os.path.realpath(filename).startswith(self.roots)
        return self.is_inside[filename]

    def own_modules(self) -> list[types.ModuleType]:
        """The module under test, then the other modules of the project that are imported."""
        found = [self.module] if issubclass(type(self.module), types.ModuleType) else []
        for module in list(sys.modules.values()):
            if type(module) is types.ModuleType and module is not self.module:
                file = str(vars(module).get("__file__"))
                if file.startswith(self.roots) and "site-packages" not in file:
                    found.append(module)
        return found

    # ---- running

    def run(self, request: Json) -> Json:
        """Executes one candidate."""
        names: Json = {"__name__": "candidate", "__builtins__": builtins}
        self.tracer.arcs, self.tracer.thrown = set(), set()
        if self.snapshot is None:
            self.snapshot = Snapshot(self)
        for line in request["imports"]:
            try:
                exec(line, names)
            except BaseException as error:
                text = f"{type(error).__name__}: {text_of(error)}"
                return {"steps": [], "arcs": [], "error": text}
        if "tmp_path" in request["fixtures"]:
            from pathlib import Path

            self.count += 1
            names["tmp_path"] = Path(self.scratch, "tmp_path", str(self.count))
            names["tmp_path"].mkdir(parents=True)
        for start in self.starts:
            start()
        fixtures = {n: self.fixtures[n]() for n in request["fixtures"] if n in self.fixtures}
        names.update(fixtures)
        places = (self.scratch, *(root.rstrip(os.sep) for root in self.roots))
        around = Surroundings(names, request["imports"], places)
        broken: set[str] = set()
        steps: list[Json] = []
        own = [names["tmp_path"]] if "tmp_path" in names else []
        before = surroundings()
        with EFFECTS.noted([*map(str, own), os.environ.get("TMPDIR", self.scratch)]):
            for step in request["steps"]:
                result: Json = {"status": "skipped"}  # also where our own code fails on its value
                with contextlib.suppress(BaseException):
                    result = self.step(step, around, broken)
                steps.append(result)
        for fixture in fixtures.values():
            fixture.undo()
        is_dirty = self.snapshot.is_stale()
        if is_dirty or len(sys.modules) != len(self.snapshot.modules):
            self.snapshot = None
        arcs = self.tracer.sorted_arcs()
        thrown = sorted(self.tracer.thrown.copy())
        effect = EFFECTS.found or (LEAVES_CHANGED if surroundings() != before else None)
        answer = {"steps": steps, "arcs": arcs, "thrown": thrown, "dirty": is_dirty}
        return {**answer, "effect": effect, "error": None}

    def step(self, step: Json, around: Surroundings, broken: set[str]) -> Json:
        """Executes one step; ``broken`` are the names that failed steps should have bound."""
        try:
            tree = ast.parse(step["code"], mode="eval" if step["probe"] else "exec")
            used, bound = names_in(tree)
            if used & broken:
                broken |= bound
                return {"status": "skipped"}
            is_awaited = isinstance(tree, ast.Expression) and isinstance(tree.body, ast.Await)
            if is_awaited:  # the test will say asyncio.run(...) itself
                tree.body = tree.body.value
            set_apart(tree)
            code = compile(tree, "<candidate>", "eval" if step["probe"] else "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {"status": "skipped"}
        before = self.watched(used, around)
        files = self.files(used, around)
        value, wrap = None, ""
        result: Json
        catching = warnings.catch_warnings(record=True)
        with printed() as (output, complaints), logged() as records, catching as caught:
            warnings.simplefilter("always")
            try:
                with self.tracer:
                    value = eval(code, around.names)
                    if step["probe"]:
                        wrap = wrapper_of(value)
                        value, wrap = unwrap(value, wrap)
            except BaseException as error:
                broken |= bound
                result = self.failed(step, error)
                result.update(output=output.text(), logs=self.logs(records, around))
                result["changed"] = self.changed_files(files, around)
                if not is_from_argparse(error):
                    result["complaints"] = complaint(complaints.text(), around)
                return dict(result, wrap="" if is_awaited else wrap)
        result = {"status": "ok", "output": output.text(), "logs": self.logs(records, around)}
        result["complaints"] = complaint(complaints.text(), around)
        changed_files = self.changed_files(files, around)  # before anybody looks at the value
        result["warnings"] = sorted({name for w in caught for name in self.warning(w)})
        if step["probe"]:
            result["wrap"] = "" if is_awaited else wrap
            result["checks"] = observe(value, around)
            result["opinion_holds"] = self.opinion(step, value, around)
        result["changed"] = [
            [name, [item for item in checks if item not in before[name]]]
            for name, checks in self.watched(used, around).items()
            if name in before and checks != before[name]
        ]
        result["changed"] += changed_files
        return result

    def failed(self, step: Json, error: BaseException) -> Json:
        """The answer for a step that raised."""
        with quiet():
            raised, holds = self.raised(error), self.raise_opinion(step, error)
        return {"status": "raised", "raised": raised, "opinion_holds": holds}

    def logs(self, records: list[Any], around: Surroundings) -> list[list[str]]:
        """Level and message of what was logged; nothing where others than the project did."""
        found = []
        try:
            for record in records:
                text = record.getMessage()
                is_plain = type(text) is str and len(text) <= MAX_EXPRESSION
                if not is_plain or around.is_local(text) or ADDRESS.search(text):
                    return []
                if not self.is_project(record.pathname):
                    return []
                found.append([str(record.levelname), text])
        except BaseException:
            return []
        return found if len(found) <= MAX_LOGS else []

    def warning(self, message: warnings.WarningMessage) -> Iterator[str]:
        """The name of a warning that the project or the candidate caused."""
        is_own = message.filename == "<candidate>" or self.is_project(message.filename)
        if is_own and message.category.__module__ == "builtins":
            yield message.category.__name__

    def watched(self, used: set[str], around: Surroundings) -> dict[str, list[Json]]:
        """The checks of every mutable local value that a step can reach by name."""
        assert self.snapshot is not None
        result = {}
        for name in sorted(used):
            kind = type(around.names.get(name))
            is_own = kind.__module__ in self.snapshot.own_names and "__call__" not in vars(kind)
            if kind in (list, dict, set, bytearray) or (is_own and not issubclass(kind, type)):
                result[name] = observe(around.names[name], around)
        return result

    def files(self, used: set[str], around: Surroundings) -> Tree | None:
        """What lies below tmp_path, if the code under test can do something to it in a step."""
        folder = around.names.get("tmp_path")
        if folder is None or not any(self.leads_to_project(name, around) for name in used):
            return None
        return tree_below(str(folder))

    def changed_files(self, before: Tree | None, around: Surroundings) -> list[list[Any]]:
        """What a step did below tmp_path."""
        after = None if before is None else tree_below(str(around.names["tmp_path"]))
        return [] if before is None or after is None else files_changed(before, after, around)

    def leads_to_project(self, name: str, around: Surroundings) -> bool:
        """False for what the candidate itself prepares its files with."""
        assert self.snapshot is not None
        value: Any = around.names.get(name)
        kind = type(value)
        if kind in ATOMS or kind in PLAIN or kind.__module__.startswith("pathlib"):
            return False
        if issubclass(kind, types.ModuleType):
            return value.__name__ in self.snapshot.own_names
        if issubclass(kind, type) or kind in (types.FunctionType, types.BuiltinFunctionType):
            return value.__module__ in self.snapshot.own_names
        return name != "monkeypatch"

    # ---- opinions and exceptions

    def opinion(self, step: Json, value: Any, around: Surroundings) -> bool | None:
        """Whether a value is what the step's author expected; None if nobody can say."""
        text = step.get("opinion")
        if not text or text.startswith("raises"):
            return False if text else None
        try:
            with quiet():
                return bool(eval(text, dict(around.names, _=value)))
        except BaseException:
            return None

    def raise_opinion(self, step: Json, error: BaseException) -> bool | None:
        """Whether an exception is what the step's author expected."""
        text = step.get("opinion")
        if not text:
            return None
        name = text.split()[-1].split(".")[-1]
        return text.startswith("raises") and name in [k.__name__ for k in type(error).__mro__]

    def raised(self, error: BaseException) -> Json:
        """What a test could say about an exception."""
        kind = type(error)
        frames = list(traceback.walk_tb(error.__traceback__))
        inside = [place for place in frames if self.is_project(place[0].f_code.co_filename)]
        if any(is_in_argument(*place) for place in frames):
            inside = []  # what the test is about was never called
        by_statement = bool(inside) and self.raising_in(inside[-1][0]).names(kind, *inside[-1])
        deliberate = by_statement and issubclass(kind, (Exception, SystemExit))
        if inside and not by_statement and issubclass(kind, CONTRACT):
            is_documented = any(self.raising_in(f).documents(kind, line) for f, line in inside)
            escapes = self.raising_in(inside[-1][0]).may_escape(kind, *inside[-1])
            is_botched = any(self.raising_in(f).is_botched(kind, f, line) for f, line in inside)
            deliberate = (is_documented or escapes) and not is_botched
        is_status = kind is SystemExit and list(map(type, error.args)) == [int]
        text = text_of(error)
        type_import = ""
        if kind.__module__ != "builtins":
            name = self.public_home(kind)
            type_import = f"from {name} import {kind.__name__}"
            module = sys.modules.get(name)
            deliberate &= vars(module or types).get(kind.__name__) is kind
        return {
            "type_name": kind.__name__,
            "type_import": type_import,
            "match": self.match(text) if by_statement or is_status else "",
            "is_deliberate": deliberate,
            "is_inside": bool(inside),
            "text": text[:300],
        }

    def public_home(self, kind: type) -> str:
        """The module that offers a class: ``json`` for what ``json.decoder`` defines."""
        parts = kind.__module__.split(".")
        if self.is_project(getattr(sys.modules.get(kind.__module__), "__file__", None) or ""):
            return kind.__module__
        names = [".".join(parts[: end + 1]) for end in range(len(parts))]
        homes = [n for n in names if vars(sys.modules.get(n, types)).get(kind.__name__) is kind]
        return homes[0] if homes else kind.__module__

    def match(self, text: str) -> str:
        """A pattern for a message, or nothing if it may be another elsewhere."""
        is_local = any(place in text for place in (self.scratch, *self.roots))
        if not 0 < len(text) <= 200 or "\n" in text or is_local or ADDRESS.search(text):
            return ""
        return re.escape(text).replace("\\ ", " ")

    def raising_in(self, frame: types.FrameType) -> Raising:
        """The raise statements of the file in which a frame runs."""
        filename = frame.f_code.co_filename
        if filename not in self.raising:
            self.raising[filename] = Raising(filename)
        return self.raising[filename]


# ---------------------------------------------------------------- real pytest


class Recorder:
    """A pytest plugin: orders the tests and keeps one outcome a test."""

    def __init__(self, order: int, select: list[str] | None) -> None:
        self.order, self.select = order, select
        self.outcomes: dict[str, str] = {}
        self.errors: list[list[str]] = []

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keeps the tests asked for, in the order asked for."""
        if self.select is not None:
            items[:] = [item for item in items if test_of(item.nodeid) in self.select]
        if self.order:
            import random

            random.Random(self.order).shuffle(items)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Notes the outcome of a test; a failing set-up or tear-down counts as well."""
        if report.when == "call" or report.outcome != "passed":
            is_expected = report.outcome == "skipped" and hasattr(report, "wasxfail")
            self.outcomes[report.nodeid] = "passed" if is_expected else report.outcome
            if report.outcome == "failed":
                self.errors.append([report.nodeid, why(report.longrepr)])

    def pytest_collectreport(self, report: Any) -> None:
        """Notes a file that cannot be imported."""
        if report.failed:
            self.errors.append([report.nodeid, why(report.longrepr)])


def test_of(node: str) -> str:
    """``TestCart::test_add`` of ``tests/test_cart.py::TestCart::test_add[one::two]``."""
    return node.partition("::")[2].partition("[")[0]


def why(problem: Any) -> str:
    """The lines of pytest's report that name the exception, else its end."""
    text = str(problem)
    named = [line[1:].strip() for line in text.splitlines() if line.startswith("E  ")]
    return " ".join(named)[:600] or text[-600:]


def run_pytest(request: Json) -> Json:
    """Runs the project's pytest, else the one that the broker lends."""
    os.chdir(request["folder"])
    sys.argv[:] = ["pytest", *request["arguments"]]  # what main() without arguments would read
    sys.path[:0] = request.get("paths", ())
    sys.path.extend(request.get("more_paths", ()))
    if request["clock"]:
        shift_clock(request["clock"])
    try:
        pytest: Any = importlib.import_module("pytest")
    except ImportError as error:
        return {"ok": False, "error": f"pytest cannot be imported: {error}"}
    recorder = Recorder(request["order"], request["select"])
    tracer = Tracer(request["file"])
    complaints = io.StringIO()
    with tracer, contextlib.redirect_stderr(complaints):
        status = pytest.main(request["arguments"], plugins=[recorder])
    if not recorder.outcomes and complaints.getvalue().strip():
        recorder.errors.append(["pytest", complaints.getvalue().strip()[-600:]])
    found = getattr(sys.modules.get(request["name"]), "__file__", None)
    return {
        "ok": True,
        "status": int(status),
        "outcomes": recorder.outcomes,
        "errors": recorder.errors[:20],
        "arcs": tracer.sorted_arcs(),
        "found": os.path.realpath(found) if found else None,
        "version": getattr(pytest, "__version__", "?"),
    }


# ---------------------------------------------------------------- the protocol


def answer_to(request: Json, session: Session) -> bytes:
    """The answer to any request as a line; what goes wrong in here is an answer too."""
    try:
        answer = session.operations[request["op"]](request)
        return json.dumps(answer).encode() + b"\n"
    except BaseException as error:
        sys.settrace(None)
        session.snapshot = None
        text = f"{type(error).__name__} in the worker: {text_of(error)[:300]}"
        failed = {"ok": False, "error": text, "steps": [], "arcs": [], "dirty": True}
        return json.dumps(failed).encode() + b"\n"


def main() -> None:
    """Moves the protocol away from the standard streams and serves until the input ends."""
    # High descriptors: code that closes the first few "to be a daemon" does not hit them.
    requests = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 60), "rb")
    answers = os.fdopen(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 60), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    session = Session(os.path.realpath(os.getcwd()))
    extensions = sys.argv[2:]
    sys.addaudithook(EFFECTS.hook)
    for file in extensions:
        session.extend({"name": os.path.basename(file)[:-3], "file": file})
    for line in requests:
        answers.write(answer_to(json.loads(line), session))
        answers.flush()
    os._exit(0)  # threads that project code left behind do not keep us alive


if __name__ == "__main__":
    main()
