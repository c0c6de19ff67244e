"""Files that somebody wants to keep from machines: lists for AI tools, and git's own.

Nobody has to trust these lists, since they only tighten. Each file of patterns speaks for its
folder and all below it; only itself can take back what it says. One that cannot be read or
understood makes everything below it confidential.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from hybridgen.domain import Evidence
from hybridgen.label.evidence import confidential
from hybridgen.label.patterns import Patterns

AI_EXCLUDE = ".aiexclude"
GIT_IGNORE = ".gitignore"
NAMES = (AI_EXCLUDE, ".geminiignore", ".aiignore", ".cursorignore", GIT_IGNORE)
MOST_BYTES = 1024 * 1024


class IgnoreFiles:
    """The lists that speak for files of a project, each read once.

    Lists above the project count too; those of git up to the root of its repository. Git is not
    started: it would run what the repository's configuration names.

    Args:
        root: the project's real root.
        outermost: the outermost folder around the project that may speak for it.
    """

    def __init__(self, root: Path, outermost: Path | None = None) -> None:
        self._root = root
        ways = (root, *root.parents)
        git = next((step for step in ways if (step / ".git").exists()), outermost or root)
        self._git = git
        self._top = top = min(git, outermost or root, key=lambda step: len(step.parts))
        self._prefix = "" if top == root else root.relative_to(top).as_posix() + "/"
        self._lists: dict[str, tuple[tuple[str, Patterns | None], ...]] = {}
        self._exclude = _git_exclude(git)

    def evidence(self, names: Sequence[str]) -> Iterator[Evidence]:
        """What the lists say about a file to which ``names`` lead, relative to the root."""
        for name in (self._prefix + name for name in names):
            steps = name.split("/")[:-1]
            for depth in range(len(steps) + 1):
                folder = "/".join(steps[:depth])
                inner = name[len(folder) + 1 :] if folder else name
                for shown, patterns in self._lists_of(folder):
                    yield from _said(shown, patterns, inner)

    def _lists_of(self, folder: str) -> tuple[tuple[str, Patterns | None], ...]:
        """The lists in ``folder``, relative to the top; None for one that is not understood."""
        if folder not in self._lists:
            place = self._top / folder
            is_git = place.is_relative_to(self._git)
            paths = [place / name for name in NAMES if is_git or name != GIT_IGNORE]
            if place == self._git and self._exclude is not None:
                paths.append(self._exclude)
            found = ((os.path.relpath(path, self._root), _read(path)) for path in paths)
            self._lists[folder] = tuple((shown, lines[0]) for shown, lines in found if lines)
        return self._lists[folder]


def _said(shown: str, patterns: Patterns | None, inner: str) -> Iterator[Evidence]:
    if patterns is None:
        yield confidential("ignore file", f"{shown} cannot be understood")
        return
    if len(patterns) == 0 and shown.endswith(AI_EXCLUDE):
        # https://firebase.google.com/docs/studio/set-up-gemini#exclude-files
        yield confidential("ignore file", f"{shown} is empty, which means everything")
        return
    pattern = patterns.tightening([inner])
    if pattern is not None:
        yield confidential("ignore file", f"{pattern} in {shown}")


def _read(path: Path) -> tuple[Patterns | None] | None:
    """The patterns of a list, (None,) if it cannot be understood, None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return (None,) if path.is_symlink() else None
    except OSError:
        return (None,)
    with os.fdopen(descriptor, "rb") as file:
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return (None,)
            data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                return (None,)
            lines = data.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
            if path.name == AI_EXCLUDE:  # it knows no negation
                lines = [line for line in lines if not line.startswith("!")]
            return (Patterns(lines),)
        except (OSError, ValueError):
            return (None,)


def _git_exclude(top: Path) -> Path | None:
    """The repository's own list that is not part of it; None if there is no repository."""
    git = top / ".git"
    if git.is_dir():
        return git / "info" / "exclude"
    try:
        if not git.is_file() or git.stat().st_size > MOST_BYTES:
            return None
        word, _, place = git.read_text(encoding="utf-8").strip().partition(": ")
        if word != "gitdir":
            return None
        folder = top / place
        common = folder / "commondir"  # of a further working tree
        if common.is_file() and common.stat().st_size <= MOST_BYTES:
            folder = folder / common.read_text(encoding="utf-8").strip()
        return folder / "info" / "exclude"
    except (OSError, ValueError):
        return None
