"""From a profile to a command line that locks itself before it starts the program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybridgen.errors import SandboxUnavailable
from hybridgen.lockdown.box import TO_MAKE_A_BOX, box_plan
from hybridgen.lockdown.level import LockLevel
from hybridgen.lockdown.profile import Profile
from hybridgen.lockdown.seatbelt import seatbelt_command
from hybridgen.lockdown.seccomp import Program, filter_of
from hybridgen.lockdown.syscalls import this_architecture

LAUNCHER = Path(__file__).with_name("launch.py")
LAUNCH_FAILED = 97
"""Exit status when a lock could not be taken; the reason is the line on stderr."""

FULL_LEVEL = LockLevel(sockets=True, files=True, why="asked for")


def locked_command(
    profile: Profile,
    argv: Sequence[str],
    *,
    keep: Sequence[int] = (),
    unsafe_level: LockLevel | None = None,
    box: Path | None = None,
) -> list[str]:
    """The command line that locks itself by ``profile`` and then becomes ``argv``.

    Start it from the process that called this function, and from a thread that lives as long as
    the child: the kernel kills the child when the *thread* that started it ends. Start it with
    ``start_new_session=True`` and stop it with ``os.killpg``.

    Args:
        profile: what ``argv`` may do.
        argv: program, by absolute path, and arguments.
        keep: descriptors that it inherits besides 0, 1 and 2 (pass them to ``Popen`` too).
        unsafe_level: with ``--unsafe-no-sandbox`` only: take the locks that this level has and
            go without the others.
        box: bubblewrap, which bounds files in place of Landlock.

    Raises:
        SandboxUnavailable: there is no filter for this machine, and nothing unsafe was asked for.
    """
    if sys.platform == "darwin" and (unsafe_level is None or unsafe_level.seatbelt):
        return _in_seatbelt(profile, argv)
    if sys.platform != "linux" and unsafe_level is not None:
        return list(argv)
    level = FULL_LEVEL if unsafe_level is None else unsafe_level
    architecture = this_architecture()
    if level.sockets and architecture is None:
        raise SandboxUnavailable(
            "There is no system call filter for this machine.",
            "Run on Linux, x86_64 or aarch64, or accept the risk with --unsafe-no-sandbox.",
        )
    plan = {
        "system": "linux",
        "parent": os.getpid(),
        "keep": list(keep),
        "limits": profile.limits.by_name(),
        **lock_plan(profile, level),
        "box": None,
    }
    if box is not None:
        plan["box"] = box_plan(profile, box, plan["seccomp"])
        # The box takes all of root's rights away in the end.
        plan.update(landlock=None, seccomp=None, capabilities=TO_MAKE_A_BOX)
    return _launched(plan, argv)


def _in_seatbelt(profile: Profile, argv: Sequence[str]) -> list[str]:
    limits = profile.limits.by_name()
    # macOS ignores or refuses bounds on memory, and after a refusal nothing is started.
    kept = {name: limits[name] for name in ("CPU", "FSIZE", "NOFILE", "CORE")}
    plan = {"system": "darwin", "limits": kept, "box": None}
    return _launched(plan, [*seatbelt_command(profile), *argv])


def _launched(plan: dict[str, Any], argv: Sequence[str]) -> list[str]:
    text = json.dumps(plan, separators=(",", ":"))
    return [sys.executable, "-I", "-S", str(LAUNCHER), text, "--", *argv]


def lock_plan(profile: Profile, level: LockLevel) -> dict[str, Any]:
    """The locks of ``profile``, as far as ``level`` has them, in the words of ``launch.py``."""
    kinds = ("read", "execute", "write", "devices", "listed", "standard", "libraries")
    paths = {kind: [str(path) for path in getattr(profile, kind)] for kind in kinds}
    architecture = this_architecture() if level.sockets else None
    return {
        "landlock": paths if level.files else None,
        "ports": None if profile.ports is None else list(profile.ports),
        "scoped": ["sockets", *(["signals"] if profile.keeps_signals else [])],
        "capabilities": profile.capabilities,
        "seccomp": None if architecture is None else filter_of(profile.name, architecture),
    }


def child_filter(*, unsafe_level: LockLevel | None = None) -> Program | None:
    """What a child of a process that may fork adds, to be locked like any runner.

    Its operand ``"pid"`` stands for the child's own process id.

    Args:
        unsafe_level: as for :func:`locked_command`.

    Returns:
        The filter, or None where this level has none.
    """
    level = FULL_LEVEL if unsafe_level is None else unsafe_level
    architecture = this_architecture()
    return filter_of("runner", architecture) if level.sockets and architecture else None
