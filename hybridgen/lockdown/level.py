"""How much the kernel can lock, found by trying."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockLevel:
    """Which locks hold on this machine.

    Attributes:
        sockets: the system call filter holds (no sockets, processes, signals, chmod).
        files: Landlock holds (no file outside of the profile).
        why: what was seen, for people.
        boxed: there is no Landlock, but bubblewrap, in whose box the runner sees no other file.
    """

    sockets: bool
    files: bool
    why: str
    boxed: bool = False

    @property
    def name(self) -> str:
        """``full``, ``boxed``, ``sockets``, ``files`` or ``none``."""
        if self.is_full:
            return "full"
        if self.can_run:
            return "boxed"
        return "sockets" if self.sockets else "files" if self.files else "none"

    @property
    def is_full(self) -> bool:
        """True if every lock of a profile holds."""
        return self.sockets and self.files

    @property
    def can_run(self) -> bool:
        """True if code under test can be locked: it reaches no network and no file but its own."""
        return self.sockets and (self.files or self.boxed)

    def reaches(self, minimum: str) -> bool:
        """Whether this is no less than ``none``, ``sockets`` or ``full``."""
        return minimum == "none" or self.is_full or (minimum == "sockets" and self.sockets)
