"""The way out of this machine for one run: key, courier, gate and ledger.

It is opened before anything of a repository is read: its settings are the user's and the
organisation's. What a repository says can close it, never open it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridgen.backends import Backend
from hybridgen.backends.remote import RemoteBackend
from hybridgen.cli.places import fingerprint_folder, ledger_folder
from hybridgen.domain import Destination, Prompt, Sent, SourceFile, Usage
from hybridgen.errors import GateRefusal, SettingsError
from hybridgen.gate import Cleared, FingerprintIndex, Gate, Ledger
from hybridgen.pipeline.remembering import remember
from hybridgen.pipeline.remotes import possible, remotes_from
from hybridgen.prompt import is_ours
from hybridgen.route import Remotes
from hybridgen.settings import Settings

if TYPE_CHECKING:
    from hybridgen.courier import Courier, Setup
    from hybridgen.label import Labeller

KEY_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "onprem": ("ONPREM_API_KEY",),
}
"""Where keys may lie in the environment; they are taken out of it, so that no child has them."""


class Door:
    """The way out, as the user's and the organisation's settings allow it.

    It is the gate of whatever project is worked on: :meth:`prepare` says which one that is, and
    before that everything is refused.

    Args:
        settings: of user and organisation; no repository was looked at.

    Raises:
        PolicyRefusal: an address that the settings do not vouch for.
        SettingsError: a file of certificates that cannot be read.
        RemoteError: the courier does not start.
    """

    def __init__(self, settings: Settings) -> None:
        wanted = possible(remotes_from(settings, has_key=True))
        found = [one for one in (wanted.gemini, wanted.onprem) if one is not None]
        if settings.backend == "local":
            found = []
        self._keys = {one.backend: key_of(one.backend)[0] for one in found}
        self._ledger = Ledger(ledger_folder(), keep_text=settings.ledger_keep_text)
        self._cleared: list[Cleared] = []
        self._answered: set[int] = set()  # numbers of entries
        self._unsent: set[int] = set()
        self._ended: set[int] = set()
        self._courier: Courier | None = None
        self._index: FingerprintIndex | None = None
        self._gate: Gate | None = None
        self._root: Path | None = None
        setups = [
            setup_of(one, self._keys[one.backend], settings)
            for one in found
            if self._keys[one.backend] or one.backend != "gemini"  # no key, no Gemini
        ]
        if setups:
            from hybridgen.courier import Courier

            self._courier = Courier.start()
            self._courier.configure(*setups)

    def remotes(self, settings: Settings) -> Remotes:
        """What may be asked, by the settings of the run, which are no looser than the door's."""
        found = possible(remotes_from(settings, has_key=True))
        if found.gemini is None or self._keys.get("gemini"):
            return found
        return remotes_from(settings, has_key=False)

    def backends(self, remotes: Remotes) -> dict[str, Callable[[], Backend]]:
        """By name, what makes each remote backend; none without a courier."""
        courier, found = self._courier, (remotes.gemini, remotes.onprem)
        if courier is None:
            return {}
        return {one.backend: partial(RemoteBackend, self, courier, one) for one in found if one}

    def prepare(self, labeller: Labeller) -> None:
        """Opens the gate for one project: every stricter file in it is taken in, to know copies.

        Raises:
            PolicyRefusal: what is kept in the user's folders cannot be trusted.
        """
        if self._root == labeller.root:
            return
        self._close_gate()
        self._index = FingerprintIndex(fingerprint_folder(), labeller.root)
        remember(self._index, labeller, labeller.walk())
        self._root = labeller.root
        self._gate = Gate(
            self._ledger,
            self._index,
            lambda source: labeller.look(Path(source.path)),
            is_ours,
            project=str(labeller.root),
        )

    def clear(self, prompt: Prompt, destination: Destination) -> Cleared:
        """See :meth:`hybridgen.gate.Gate.clear`."""
        cleared = self._opened().clear(prompt, destination)
        self._cleared.append(cleared)
        return cleared

    def done(self, cleared: Cleared, usage: Usage, *, attempts: int) -> None:
        """See :meth:`hybridgen.gate.Gate.done`."""
        self._ended.add(cleared.entry)
        self._answered.add(cleared.entry)
        self._opened().done(cleared, usage, attempts=attempts)

    def failed(self, cleared: Cleared, why: str, *, may_have_left: bool) -> None:
        """See :meth:`hybridgen.gate.Gate.failed`."""
        self._ended.add(cleared.entry)
        if not may_have_left:
            self._unsent.add(cleared.entry)
        self._opened().failed(cleared, why, may_have_left=may_have_left)

    def refused(self, files: Sequence[SourceFile], backend: str) -> None:
        """See :meth:`hybridgen.gate.Gate.refused`."""
        if self._gate is not None:
            self._gate.refused(files, backend)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What left in this run so far, or may have left, by destination."""
        left: dict[Destination, list[Cleared]] = {}
        for cleared in self._cleared:
            if cleared.entry not in self._unsent:
                left.setdefault(cleared.destination, []).append(cleared)
        return tuple(
            Sent(
                where,
                prompts=len(each),
                size=sum(one.size for one in each),
                unanswered=sum(one.entry not in self._answered for one in each),
            )
            for where, each in left.items()
        )

    @property
    def head(self) -> str | None:
        """Hash of the ledger's last entry, if this run has sent anything."""
        return self._ledger.head() if self.sent else None

    def close(self) -> None:
        """Ends the courier and closes the index; may be called twice."""
        if self._courier is not None:
            self._courier.close()
        self._end_all()
        self._close_gate()

    def _end_all(self) -> None:
        """Writes an ending to what was cleared and has none, since something came between."""
        for cleared in self._cleared:
            if cleared.entry not in self._ended and self._gate is not None:
                with contextlib.suppress(GateRefusal):
                    self.failed(cleared, "the run ended", may_have_left=True)

    def _opened(self) -> Gate:
        if self._gate is None:
            raise GateRefusal(
                "nothing may be sent before the files of the project were looked at",
                "report it, or let the model on this machine do it: --backend local",
            )
        return self._gate

    def _close_gate(self) -> None:
        if self._index is not None:
            self._index.close()
        self._index = self._gate = self._root = None


def setup_of(destination: Destination, key: str, settings: Settings) -> Setup:
    """How ``destination`` is reached, as the settings say."""
    from hybridgen.courier import Setup

    if destination.backend == "gemini":
        return Setup(
            destination,
            key=key,
            proxy=settings.gemini_proxy,
            ca=_certificates(settings.gemini_ca, "gemini.ca"),
            max_requests=settings.gemini_max_requests,
            max_tokens=settings.gemini_max_tokens,
        )
    return Setup(
        destination,
        key=key,
        ca=_certificates(settings.onprem_ca, "onprem.ca"),
        trusted_hosts=settings.onprem_trusted_hosts,
        parallel=settings.onprem_parallel,
    )


def _certificates(path: Path | None, key: str) -> bytes | None:
    """The file's content: the courier itself can read nothing."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{key}: {path} cannot be read: {error.strerror}", "name a PEM file with certificates"
        ) from error


def key_of(backend: str) -> tuple[str, str | None]:
    """The key, which is never shown, and where it was found, for people; ("", None) without one.

    The environment loses it, so that no child has it; else it is what was put into the keyring by
    ``keyring set hybridgen gemini``. A broken keyring has no key.
    """
    found = {name: os.environ.pop(name, "").strip() for name in KEY_VARIABLES[backend]}
    for name, key in found.items():
        if key:
            return key, f"the variable {name}"
    try:
        import keyring

        key = (keyring.get_password("hybridgen", backend) or "").strip()
    except Exception:  # each of its back ends has errors of its own, and it may not be installed
        key = ""
    return key, "the keyring" if key else None
