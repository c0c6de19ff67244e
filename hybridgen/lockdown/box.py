"""The runner's box where the kernel has no Landlock: what bubblewrap lets a program see.

bubblewrap (https://github.com/containers/bubblewrap) makes a file tree of its own by namespaces, in
which there is nothing but what a profile names. The filter of system calls is the same as ever; it
is handed to bubblewrap, which installs it last.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hybridgen.lockdown.profile import Profile
from hybridgen.lockdown.seccomp import Program

_PLACES: Final = "/usr/bin:/bin:/usr/local/bin"
_LINKS: Final = ("/bin", "/lib", "/lib64", "/sbin")
# Of the namespaces not that of the network: making one needs a socket, and there are none inside.
_NAMESPACES: Final = ("user", "ipc", "pid", "uts")
TO_MAKE_A_BOX: Final = 0xFFFFFFFF & ~(1 << 19)
"""What root keeps of its capabilities until the box is made: it needs some, and not to trace."""

IN_THE_BOX: Final = 2
"""The program's process id; 1 is bubblewrap's own, which reaps."""


def bubblewrap() -> Path | None:
    """The program, from the system's own folders."""
    found = shutil.which("bwrap", path=_PLACES)
    return None if found is None else Path(found)


def box_plan(profile: Profile, program: Path, seccomp: Program | None) -> dict[str, Any]:
    """How ``launch.py`` starts a program in a box: the command before it, and the filter.

    Args:
        program: bubblewrap.
    """
    arguments = [str(program), "--die-with-parent", "--cap-drop", "ALL", "--proc", "/proc"]
    arguments += [f"--unshare-{name}" for name in _NAMESPACES]
    arguments += [word for words in _mounts(profile) for word in words]
    return {"command": arguments, "pid": IN_THE_BOX, "seccomp": seccomp}


def _mounts(profile: Profile) -> Iterator[tuple[str, str, str]]:
    """What is where; a folder that lies within another comes after it."""
    for name in _LINKS:
        link = Path(name)
        if link.is_symlink():
            yield "--symlink", str(link.readlink()), name
    shown = dict.fromkeys((*profile.read, *profile.execute), "--ro-bind")
    shown.update((path, "--bind") for path in profile.write)
    for path in sorted(shown):
        if path.is_relative_to("/dev"):
            yield "--dev-bind", str(path), str(path)
        elif not path.is_relative_to("/proc"):
            yield shown[path], str(path), str(path)
