"""What the gate would say to prompts that may leave, asked before any is sent.

It is the gate of a run, with a ledger that takes no entry. Nothing is sent without one: so nothing
can be cleared here, and what would be refused is written down nowhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from hybridgen.domain import Destination, Label, Prompt
from hybridgen.domain.explanations import Objection
from hybridgen.errors import GateRefusal
from hybridgen.gate import FingerprintIndex, Gate, Ledger
from hybridgen.label import Labeller
from hybridgen.prompt import is_ours

_PLACES: Final = ("place", "secret", "copy_of", "copy_label")
# How the gate ends its hints: an option for the command that was run, and here is none.
_OPTION: Final = "do it: --backend local"


class Foresight:
    """Tells what the gate would refuse.

    Args:
        labeller: of the project; each file is labelled once.
        index: knows the strict files.
        prepare: takes the files of the project into the index; called before the first question.
    """

    def __init__(
        self, labeller: Labeller, index: FingerprintIndex, prepare: Callable[[], object]
    ) -> None:
        self._ledger = _TakesNothing()
        self._gate = Gate(
            self._ledger,
            index,
            cache(lambda source: labeller.look(Path(source.path))),
            is_ours,
            project=str(labeller.root),
        )
        self._prepare = cache(prepare)

    def objection(self, prompt: Prompt, destination: Destination, path: str) -> Objection | None:
        """What the gate has against ``prompt``, or None.

        Args:
            path: of the module, as a command takes it.
        """
        self._prepare()
        self._ledger.details = {}
        try:
            self._gate.clear(prompt, destination)
        except _WouldBeSent:
            return None
        except GateRefusal as error:
            details = self._ledger.details
            places = {name: str(details[name]) for name in _PLACES if name in details}
            command = f"do it: hybridgen generate {shlex.quote(path)} --backend local"
            return Objection(
                reason=str(details.get("reason", "")),
                why=error.message,
                hint=(error.hint or "").replace(_OPTION, command),
                details=tuple(places.items()),
                label=max(prompt.label, _label(places.get("copy_label"))),
            )
        raise AssertionError("a gate without a ledger has cleared a prompt")


class _WouldBeSent(Exception):
    """All that the gate asks was answered with yes, up to the ledger."""


class _TakesNothing(Ledger):
    """A ledger without a file, that takes no entry.

    Attributes:
        details: of the entry that was to be written last.
    """

    def __init__(self) -> None:
        super().__init__(Path(os.devnull), keep_text=False)
        self.details: Mapping[str, Any] = {}

    def append(
        self, kind: str, details: Mapping[str, Any], *, text: bytes | None = None
    ) -> NoReturn:
        """Notes what it was about, and refuses it."""
        self.details = details
        raise _WouldBeSent(kind)


def _label(name: str | None) -> Label:
    return Label.PUBLIC if name is None else Label[name.upper()]
