"""What a candidate's code sees of the world: pytest's monkeypatch, and metadata of its own files.

Part of every worker; standard library only, Python 3.9 and newer.

The kernel denies ``chmod`` and ``utime`` even in the scratch folder, and with them half of
``shutil``. So for files there, and only there, these calls are taken down instead of made, and
``stat`` answers from the notes. That is no more than a story: where the clock is shifted, which
is in all confirming runs but one, other numbers are told, so that nothing that depends on a mode
or a time is the same in all runs and nothing of it gets into a test.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NOTHING = object()
SEQUENCE = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")


# ---------------------------------------------------------------- monkeypatch


class MonkeyPatch:
    """The part of pytest's fixture that generated tests use, with its signatures."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._undo: list[Callable[[], Any]] = []
        self._folder: str | None = None

    def setattr(self, target: Any, name: Any, value: Any = NOTHING, raising: bool = True) -> None:
        """``setattr("package.module.name", value)`` or ``setattr(owner, "name", value)``."""
        if value is NOTHING:
            target, name, value = *owner_of(target), name
        old = getattr(target, name, NOTHING)
        if raising and old is NOTHING:
            raise AttributeError(f"{target!r} has no attribute {name!r}")
        if isinstance(target, type):  # not what the class gives, but what it holds
            old = vars(target).get(name, NOTHING)
        self._undo.append(lambda: put_attribute(target, name, old))
        setattr(target, name, value)

    def delattr(self, target: Any, name: Any = NOTHING, raising: bool = True) -> None:
        """Removes an attribute for the time of the test."""
        if name is NOTHING:
            target, name = owner_of(target)
        old = getattr(target, name, NOTHING)
        if old is NOTHING:
            if raising:
                raise AttributeError(name)
            return
        if isinstance(target, type):
            old = vars(target).get(name, NOTHING)
        self._undo.append(lambda: put_attribute(target, name, old))
        delattr(target, name)

    def setitem(self, mapping: Any, name: Any, value: Any) -> None:
        """Sets an item of a mapping."""
        old = mapping.get(name, NOTHING)
        self._undo.append(lambda: put_item(mapping, name, old))
        mapping[name] = value

    def delitem(self, mapping: Any, name: Any, raising: bool = True) -> None:
        """Removes an item of a mapping; of the imported modules, only the one under test."""
        is_other = mapping is sys.modules and name != self._session.module.__name__
        if is_other or name not in mapping:
            if raising:
                raise KeyError(name)
            return
        old = mapping[name]
        self._undo.append(lambda: put_item(mapping, name, old))
        del mapping[name]

    def setenv(self, name: str, value: str, prepend: str | None = None) -> None:
        """Sets a variable of the environment."""
        if prepend and name in os.environ:
            value = value + prepend + os.environ[name]
        self.setitem(os.environ, name, value)

    def delenv(self, name: str, raising: bool = True) -> None:
        """Removes a variable of the environment."""
        self.delitem(os.environ, name, raising)

    def chdir(self, path: Any) -> None:
        """Changes the working folder."""
        if self._folder is None:
            self._folder = os.getcwd()
        os.chdir(path)

    def undo(self) -> None:
        """Puts everything back, the last change first."""
        while self._undo:
            with contextlib.suppress(BaseException):
                self._undo.pop()()
        if self._folder is not None:
            with contextlib.suppress(BaseException):
                os.chdir(self._folder)
            self._folder = None


def owner_of(path: Any) -> tuple[Any, str]:
    """The object and the attribute that ``"package.module.name"`` means, as pytest finds them."""
    if not isinstance(path, str) or "." not in path:
        raise TypeError(f"must be an absolute import path, not {path!r}")
    *parts, name = path.split(".")
    used = parts[0]
    found: Any = __import__(used)
    for part in parts[1:]:
        used = f"{used}.{part}"
        if not hasattr(found, part):
            __import__(used)
        found = getattr(found, part)
    return found, name


def put_attribute(target: Any, name: str, old: Any) -> None:
    """Gives an attribute its old value back, or takes it away."""
    if old is NOTHING:
        delattr(target, name)
    else:
        setattr(target, name, old)


def put_item(mapping: Any, name: Any, old: Any) -> None:
    """Gives an item its old value back, or takes it away."""
    if old is NOTHING:
        mapping.pop(name, None)
    else:
        mapping[name] = old


# ---------------------------------------------------------------- metadata of scratch files


class Instead:
    """Stands in for a function of ``os``; no function itself, so as a member it stays unbound."""

    def __init__(self, real: Any, function: Callable[..., Any]) -> None:
        self.real, self.function = real, function
        self.__name__, self.__doc__ = real.__name__, real.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Does what stands in for the real function."""
        return self.function(*args, **kwargs)


class Metadata:
    """Modes and times that were set for files below a folder, by device and inode."""

    def __init__(self, worker: Any, session: Any) -> None:
        self.worker, self.session = worker, session
        self.folder = os.path.join(session.scratch, "")
        self.modes: dict[tuple[int, int], int] = {}
        self.times: dict[tuple[int, int], tuple[int, int]] = {}
        self.stat = os.stat

    def install(self) -> None:
        """Replaces the functions of ``os`` in this process."""
        for name in ("stat", "lstat", "fstat", "access", "chmod", "fchmod", "utime"):
            real = getattr(os, name)
            maker = getattr(self, f"{name}_of", None) or self.stat_of
            stand_in = Instead(real, maker(real))
            setattr(os, name, stand_in)
            for group in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
                if real in group:
                    group.add(stand_in)

    def start(self) -> None:
        """Forgets the files of the candidate before."""
        self.modes.clear()
        self.times.clear()
        self.worker.EFFECTS.has_notes = False

    def stat_of(self, real: Any) -> Callable[..., Any]:
        """``stat``, ``lstat`` or ``fstat``, answered from the notes where there are some."""

        def answer(*args: Any, **kwargs: Any) -> Any:
            found = real(*args, **kwargs)
            key = (found.st_dev, found.st_ino)
            is_noted = key in self.modes or key in self.times
            return self.told(found, key) if is_noted else found

        return answer

    def told(self, found: os.stat_result, key: tuple[int, int]) -> os.stat_result:
        """A result with the noted mode and times; others where the clock is shifted."""
        mode = stat.S_IFMT(found.st_mode) | self.modes.get(key, stat.S_IMODE(found.st_mode))
        accessed, modified = self.times.get(key, (found.st_atime_ns, found.st_mtime_ns))
        if self.session.clock:
            mode ^= 0o777
            accessed += self.session.clock * 10**9
            modified += self.session.clock * 10**9
        plain = list(found)[:10]  # up to the size by name, and three times in whole seconds
        plain[0], plain[7], plain[8] = mode, accessed // 10**9, modified // 10**9
        others = [name for name in dir(found) if name.startswith("st_") and name not in SEQUENCE]
        named = {name: getattr(found, name) for name in others}
        named.update(st_atime_ns=accessed, st_mtime_ns=modified)
        named.update(st_atime=accessed / 1e9, st_mtime=modified / 1e9)
        return os.stat_result(plain, named)

    def access_of(self, real: Any) -> Callable[..., Any]:
        """``access``: whether a noted file can be executed is as good as unknown."""

        def access(path: Any, mode: int, **kwargs: Any) -> Any:
            answer = real(path, mode & ~os.X_OK, **kwargs)
            if not answer or not mode & os.X_OK:
                return answer
            found = self.stat(path)
            noted = self.modes.get((found.st_dev, found.st_ino))
            if noted is None:
                return real(path, mode, **kwargs)
            return bool(noted & 0o100) != bool(self.session.clock)

        return access

    def chmod_of(self, real: Any) -> Callable[..., Any]:
        """``chmod``, noted for files of ours that their owner may still read and write."""

        def chmod(path: Any, mode: int, **kwargs: Any) -> None:
            key = self.own(path, **kwargs)
            least = stat.S_IRUSR | stat.S_IWUSR
            is_mode = type(mode) is int and -(2**31) <= mode < 2**31  # else the call itself raises
            if key is None or not is_mode or mode & least != least:
                real(path, mode, **kwargs)
                return
            self.noted("os.chmod", path)
            self.modes[key] = mode & 0o7777  # as the kernel does, of negative numbers too

        return chmod

    fchmod_of = chmod_of

    def utime_of(self, real: Any) -> Callable[..., Any]:
        """``utime``, noted for files of ours."""

        def utime(path: Any, times: Any = None, **kwargs: Any) -> None:
            plain = {name: value for name, value in kwargs.items() if name != "ns"}
            key = self.own(path, **plain)
            if key is None or (times is not None and "ns" in kwargs):
                real(path, times, **kwargs)
                return
            if "ns" in kwargs:
                accessed, modified = kwargs["ns"]
            elif times is None:
                accessed = modified = self.worker.time.time_ns()
            else:
                accessed, modified = (int(part * 10**9) for part in times)
            self.noted("os.utime", path)
            self.times[key] = (accessed, modified)

        return utime

    def own(self, path: Any, **kwargs: Any) -> tuple[int, int] | None:
        """Device and inode of a file in our folder, None for any other."""
        if any(value is not None for key, value in kwargs.items() if key == "dir_fd"):
            return None
        if type(path) is int:
            place = os.readlink(f"/proc/self/fd/{path}")
        else:
            place = os.path.realpath(os.fsdecode(path))
        if not place.startswith(self.folder):
            return None
        found = self.stat(path)
        is_link = type(path) is not int and os.path.islink(path)
        return None if is_link else (found.st_dev, found.st_ino)

    def noted(self, event: str, path: Any) -> None:
        """Tells of the attempt as if the call had been made."""
        self.worker.EFFECTS.hook(event, (path, 0, -1, -1))
        self.worker.EFFECTS.has_notes = True


def install(worker: Any, session: Any) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
    """Adds the fixture and the metadata to a worker; there are no operations of its own."""
    metadata = Metadata(worker, session)
    if sys.platform == "linux":
        metadata.install()
        session.starts.append(metadata.start)
    session.fixtures["monkeypatch"] = lambda: MonkeyPatch(session)
    return {}
