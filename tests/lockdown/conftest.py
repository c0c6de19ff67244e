"""A cage: a project, a scratch folder and things outside, for one user, with real children."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hybridgen.domain import Interpreter
from hybridgen.lockdown import (
    Limits,
    LockLevel,
    locked_command,
    runner_environment,
    runner_profile,
)
from hybridgen.lockdown.command import LAUNCHER

NOBODY = 65534


@dataclass(frozen=True)
class Cage:
    """Where one attack happens, and as whom."""

    folder: Path
    interpreter: Interpreter
    user: int | None
    launcher: Path
    limits: Limits = field(default_factory=Limits)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def outside(self) -> Path:
        return self.folder / "outside"

    def limited(self, **changes: int) -> Cage:
        return replace(self, limits=replace(self.limits, **changes))

    def as_user(self) -> dict[str, Any]:
        """Arguments for Popen."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def command(
        self,
        argv: Sequence[str],
        keep: Sequence[int] = (),
        unsafe_level: LockLevel | None = None,
    ) -> list[str]:
        profile = runner_profile(
            project=self.project,
            interpreter=self.interpreter,
            scratch=self.scratch,
            limits=self.limits,
        )
        command = locked_command(profile, argv, keep=keep, unsafe_level=unsafe_level)
        command[3] = str(self.launcher)  # the checkout may be closed to that user
        if self.user is not None:  # and so may our own Python
            command[0] = str(self.interpreter.path)
        return command

    def environment(self) -> dict[str, str]:
        environment = runner_environment(self.interpreter, self.scratch, hash_seed=0)
        for name in ("home", "tmp"):
            self.give(self.scratch / name)
        return environment

    def give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def python(
        self,
        code: str,
        *arguments: object,
        locked: bool = True,
        keep: Sequence[int] = (),
        unsafe_level: LockLevel | None = None,
        **popen: Any,
    ) -> subprocess.CompletedProcess[str]:
        argv = [str(self.interpreter.path), "-S", "-c", code, *map(str, arguments)]
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("env", self.environment())
        return subprocess.run(
            self.command(argv, keep, unsafe_level) if locked else argv,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.scratch,
            **popen,
            **self.as_user(),
        )

    def victim(self) -> subprocess.Popen[bytes]:
        """A process of the same user that is not ours to touch."""
        sleep = shutil.which("sleep")
        assert sleep is not None
        return subprocess.Popen([sleep, "60"], cwd="/", **self.as_user())


def _interpreter(path: str) -> Interpreter:
    asked = "import sys; print(sys.prefix); print(sys.base_prefix)"
    output = subprocess.run([path, "-c", asked], capture_output=True, text=True, check=True).stdout
    return Interpreter(Path(path), "for tests", tuple(map(Path, output.split("\n")[:2])))


def _runs_for(path: str, user: int) -> bool:
    try:
        result = subprocess.run(
            [path, "-I", "-S", "-c", "import ctypes, json, resource, asyncio, sqlite3"],
            cwd="/",
            capture_output=True,
            user=user,
            group=user,
            extra_groups=[],
        )
    except OSError:
        return False
    return result.returncode == 0


@pytest.fixture(scope="session", params=["own user", "nobody"])
def who(request: pytest.FixtureRequest) -> tuple[Interpreter, int | None]:
    """Interpreter and user id: as root proves little, so nobody tries it as well."""
    if request.param == "own user":
        return _interpreter(sys.executable), None
    if os.getuid() != 0:
        pytest.skip("only root can become nobody; this user is unprivileged already")
    found = {shutil.which("python3", path=place) for place in ("/usr/bin", "/usr/local/bin")}
    for path in (*filter(None, found), sys.executable):
        if _runs_for(path, NOBODY):
            return _interpreter(path), NOBODY
    pytest.skip("no Python here that nobody may run")


@pytest.fixture
def cage(kernel_with_locks: None, who: tuple[Interpreter, int | None]) -> Iterator[Cage]:
    """A fresh cage. Not under pytest's own folder, which is closed to other users."""
    interpreter, user = who
    with tempfile.TemporaryDirectory(prefix="cage-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        launcher = Path(shutil.copy(LAUNCHER, folder))
        launcher.chmod(0o644)
        cage = Cage(folder, interpreter, user, launcher)
        for path in (cage.project, cage.scratch, cage.outside, cage.project / "empty"):
            path.mkdir()
            cage.give(path)
        for path, text in (
            (cage.project / "module.py", "def double(x):\n    return 2 * x\n"),
            (cage.outside / "secret", "the secret"),
        ):
            path.write_text(text)
            path.chmod(0o600)
            cage.give(path)
        yield cage
