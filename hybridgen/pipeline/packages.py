"""Which installed packages may be read where prompts leave this machine: those named for it.

Nothing in an environment proves where a package came from, and a company's own packages lie beside
everybody's. So an installed package is confidential until its user's or organisation's settings
name it (``labels.packages_public``, ``labels.packages_internal``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from hybridgen.domain import Interpreter, Label
from hybridgen.settings import Settings
from hybridgen.source.distributions import Distribution, distributions, entries_of, normalised


def packages_for(interpreter: Interpreter, settings: Settings) -> Packages:
    """The packages of an interpreter, as the settings name them."""
    named = {
        Label.PUBLIC: settings.labels_packages_public,
        Label.INTERNAL: settings.labels_packages_internal,
    }
    return Packages(interpreter, named)


class Packages:
    """The distributions that are installed for a project's interpreter.

    Args:
        named: patterns of names for each label; ``!`` before one takes names out again. What says
            of itself that it was never published is meant only by its whole name.
    """

    def __init__(self, interpreter: Interpreter, named: Mapping[Label, Sequence[str]]) -> None:
        self._known = distributions(interpreter)
        self._named = named

    def readable(self, label: Label) -> tuple[Path, ...]:
        """Files and folders of the packages that a prompt with ``label`` may know of."""
        is_open = (one for one in self._known if self._is_open(one, label))
        return tuple(entries_of(self._known, is_open))

    def closed(self, imported: Iterable[str], label: Label) -> tuple[str, ...]:
        """Names of the closed distributions behind imported names, and of what those require."""
        return tuple(
            one.name
            for one in self._with_requirements(set(imported))
            if not self._is_open(one, label)
        )

    def _with_requirements(self, imported: set[str]) -> Iterator[Distribution]:
        by_name = {one.name: one for one in self._known}
        pending = [
            one
            for one in self._known
            if any(entry.name.partition(".")[0] in imported for entry in one.entries)
        ]
        seen = {one.name for one in pending}
        while pending:
            one = pending.pop(0)
            yield one
            for name in one.requires:
                if name in by_name and name not in seen:
                    seen.add(name)
                    pending.append(by_name[name])

    def _is_open(self, one: Distribution, label: Label) -> bool:
        if label is Label.CONFIDENTIAL:
            return True
        return any(
            _is_meant(one, self._named.get(looser, ())) for looser in Label if looser <= label
        )


def _is_meant(one: Distribution, patterns: Sequence[str]) -> bool:
    if any(text.startswith("!") and _matches(one.name, text[1:]) for text in patterns):
        return False
    if one.is_private:
        return one.name in {normalised(text) for text in patterns}
    return any(_matches(one.name, text) for text in patterns)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, normalised(pattern))
