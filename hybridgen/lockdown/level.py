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
    """

    sockets: bool
    files: bool
    why: str

    @property
    def name(self) -> str:
        """``full``, ``sockets``, ``files`` or ``none``."""
        if self.is_full:
            return "full"
        return "sockets" if self.sockets else "files" if self.files else "none"

    @property
    def is_full(self) -> bool:
        """True if every lock of a profile holds."""
        return self.sockets and self.files
