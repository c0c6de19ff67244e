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
        seatbelt: macOS: neither of the two, but Seatbelt denied both to what was started in it.
            This process itself has no locks there.
    """

    sockets: bool
    files: bool
    why: str
    boxed: bool = False
    seatbelt: bool = False

    @property
    def name(self) -> str:
        """``kernel``, ``boxed``, ``sockets``, ``best-effort``, ``files`` or ``none``."""
        if self.is_full:
            return "kernel"
        if self.boxed and self.sockets:
            return "boxed"
        if self.sockets:
            return "sockets"
        if self.seatbelt:
            return "best-effort"
        return "files" if self.files else "none"

    @property
    def is_full(self) -> bool:
        """True if every lock of a profile holds: without that nothing is sent."""
        return self.sockets and self.files

    @property
    def can_run(self) -> bool:
        """True if code under test can be locked: it reaches no network and no file but its own."""
        return self.seatbelt or (self.sockets and (self.files or self.boxed))

    @property
    def caveat(self) -> str | None:
        """Where code runs in less than the kernel's locks, what holds and what does not."""
        if self.name != "best-effort":
            return None
        return (
            "kernel locks: best-effort: Seatbelt keeps your code, generated tests and the model "
            "from networks and from other files; hybridgen itself has no locks here, so nothing "
            "is sent (docs/security.md)"
        )

    def reaches(self, minimum: str) -> bool:
        """Whether this is no less than ``none``, ``best-effort``, ``sockets`` or ``kernel``."""
        if minimum == "best-effort":
            return self.sockets or self.seatbelt
        return minimum == "none" or self.is_full or (minimum == "sockets" and self.sockets)
