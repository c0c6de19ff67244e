"""What macOS has in place of seccomp and Landlock: Seatbelt, by ``sandbox-exec``.

A profile becomes a text in Seatbelt's own language, of which the last rule that fits counts. Apple
calls ``sandbox-exec`` deprecated and documents the language nowhere; each word used here stands in
profiles of Apple's, Chromium's or of others who start Python so. None of it was ever run by us:
what counts is that :func:`hybridgen.lockdown.probe.probe` sees it deny.

A process in a Seatbelt cannot put another on what it starts, so the broker has none: its children
could get none then.

What it covers: no connection, no server, no datagram (``network*``); no file is written but in the
scratch folder, none is read in homes, temporary folders and on other disks but what the profile
reads; no program is started but the profile's own, and no process but by a nursery; no signal to
others and no look at them; no service of the system but those that every program asks (users,
time, log), and for the model the compiler of Metal; no other application is asked for anything.

What it does not: memory, and the sum of threads; what lies outside of homes (``/etc``,
``/Library``, ``/opt``) can be read; shared memory and semaphores with other programs; a mutant's
process may fork as its nursery may; the command itself (the broker) has no locks.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hybridgen.errors import SandboxUnavailable
from hybridgen.lockdown.profile import Profile

SANDBOX_EXEC: Final = Path("/usr/bin/sandbox-exec")

_PRIVATE: Final = (
    *("/Users", "/Volumes", "/Network", "/home", "/cores"),
    *("/private/tmp", "/private/var/tmp", "/private/var/folders", "/private/var/root"),
)
"""Where users, and programs of theirs, keep what is nobody else's business."""
_ASKED_BY_ALL: Final = (
    "com.apple.logd",
    "com.apple.system.logger",
    "com.apple.system.notification_center",
    "com.apple.system.opendirectoryd.libinfo",
)
_METAL: Final = "com.apple.MTLCompilerService"
"""Without it a llama.cpp that was built for Metal does not load, nor on the processor alone."""
_NEVER: Final = (
    "network*",
    "system-socket",
    "appleevent-send",
    "lsopen",
    "job-creation",
    "mach-register",
    "mach-priv-task-port",
    "process-info*",
    "signal",
    "process-exec",
    "file-write*",
    "mach-lookup",
)


def seatbelt_command(profile: Profile) -> list[str]:
    """What stands before a program and its arguments, to start it by ``profile``.

    Raises:
        SandboxUnavailable: there is no ``sandbox-exec``, or it cannot hold this profile.
    """
    if not SANDBOX_EXEC.exists():
        raise SandboxUnavailable(
            f"there is no {SANDBOX_EXEC} to lock with", "see what holds here: hybridgen doctor"
        )
    return [str(SANDBOX_EXEC), "-p", seatbelt_text(profile)]


def seatbelt_text(profile: Profile) -> str:
    """The profile in Seatbelt's language.

    Raises:
        SandboxUnavailable: a path cannot be quoted, or the profile asks for what Seatbelt has not
            (some ports, parts of a folder).
    """
    if profile.ports != () or profile.standard or profile.libraries:
        raise SandboxUnavailable(
            f"Seatbelt cannot hold the profile of the {profile.name}",
            "run it on Linux: docs/security.md",
        )
    services = [_named("global-name", name) for name in _ASKED_BY_ALL]
    if profile.name.endswith("engine"):
        services += [_named(kind, _METAL) for kind in ("global-name", "xpc-service-name")]
    is_nursery = profile.name == "nursery"
    lines = [
        "(version 1)",
        "(allow default)",
        *(f"(deny {what})" for what in _NEVER),
        *([] if is_nursery else ["(deny process-fork)"]),
        # Its children are of its own process group, which nobody else is in.
        f"(allow signal (target self){' (target pgrp)' if is_nursery else ''})",
        "(allow process-info* (target self))",
        # Arguments and environment of other processes of the same user.
        '(deny sysctl-read (sysctl-name-prefix "kern.procargs"))',
        *_rules("allow", "mach-lookup", services),
        *_rules("deny", "file-read*", _below(private_places())),
        "(allow file-read-metadata)",
        *_rules("allow", "file-read*", _below(_readable(profile))),
        *_rules("allow", "file-write*", _below(profile.write)),
        *_rules("allow", "process-exec", _below(_programs(profile))),
    ]
    return "\n".join(lines)


def private_places() -> tuple[Path, ...]:
    """Homes, temporary folders and other disks, of which only a profile's own may be read."""
    names = [*_PRIVATE, tempfile.gettempdir(), os.environ.get("HOME", "")]
    with contextlib.suppress(KeyError):  # a user without an entry
        names.append(pwd.getpwuid(os.getuid()).pw_dir)
    # As Seatbelt sees them: /home and /tmp are links on macOS.
    places = (Path(name).resolve() for name in names if name.startswith("/"))
    return tuple(dict.fromkeys(place for place in places if place != Path("/")))


def _readable(profile: Profile) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((*profile.read, *_programs(profile), *profile.write)))


def _programs(profile: Profile) -> tuple[Path, ...]:
    """What may be started: ``sandbox-exec`` becomes the program inside of the rules already."""
    programs = profile.execute or (Path(sys.executable).resolve(),)
    # A Python of a framework is a stub, which becomes the application beside it.
    stubs = (program.parent.parent / "Resources" / "Python.app" for program in programs)
    return (*programs, *(stub for stub in stubs if stub.is_dir()))


def _below(paths: Iterable[Path]) -> list[str]:
    """Filters for folders and all below, and for single files."""
    return [f"(subpath {_quoted(path)})" for path in paths]


def _named(kind: str, name: str) -> str:
    return f'({kind} "{name}")'


def _rules(verb: str, what: str, filters: Iterable[str]) -> list[str]:
    """One rule, or none where there is nothing: without a filter it would mean everything."""
    text = " ".join(filters)
    return [f"({verb} {what} {text})"] if text else []


def _quoted(path: Path) -> str:
    """A string of the language, which is Scheme.

    Raises:
        SandboxUnavailable: nobody documents how such a name would be written.
    """
    text = str(path)
    if not text.isprintable() or not path.is_absolute():
        raise SandboxUnavailable(
            f"{text!r} cannot stand in a profile of Seatbelt", "give it another name"
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
