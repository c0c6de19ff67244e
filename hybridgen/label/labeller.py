"""Labels the files of one project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from hybridgen.domain import Evidence, Label, SourceFile, strictest
from hybridgen.errors import HybridgenError
from hybridgen.label.below import ReadSettings, SettingsBelow, nothing_said
from hybridgen.label.cache import FactCache
from hybridgen.label.evidence import confidential
from hybridgen.label.facts import Facts, read_facts
from hybridgen.label.ignored import IgnoreFiles
from hybridgen.label.imported import Import, ModuleIndex, is_test_path
from hybridgen.label.listing import Entry, list_files
from hybridgen.label.places import Place, find_place
from hybridgen.label.rules import STRICT, Rules, hash_of
from hybridgen.label.trust import Trusted, TrustedFile
from hybridgen.label.verdict import Judge, Verdict, trusted_file
from hybridgen.reading import read_once

# What is known of one file of the project, by its real path relative to the root.
Known = Callable[[str], tuple[Place, Facts]]


class Labeller:
    """Says of each file of a project how confidential it is, and why.

    Whatever goes wrong while a file is labelled makes it confidential.

    Args:
        root: the project's folder.
        rules: what is said about labels outside of the files.
        trusted: what the user trusts in this project.
        cache: remembers what files say, for :meth:`walk` alone.
        outermost: the outermost folder around the project that may speak for it.
        below: reads the settings file of a folder below the root.

    Raises:
        SettingsError: a mark is no pattern.
    """

    def __init__(
        self,
        root: Path,
        rules: Rules = STRICT,
        trusted: Trusted | None = None,
        cache: FactCache | None = None,
        outermost: Path | None = None,
        below: ReadSettings = nothing_said,
    ) -> None:
        self.root = root.resolve()
        self.rules = rules
        self.trusted = trusted
        self._judge = Judge(rules, trusted)
        self.cache = cache
        self.below = below
        self._outermost = outermost
        self._index: ModuleIndex | None = None

    def file(self, path: Path, data: bytes) -> SourceFile:
        """Label bytes that were read once, from ``path``.

        Args:
            path: by which the file was asked for; absolute, or relative to the root. Every link
                on the way counts.
            data: its bytes.
        """
        try:
            place = find_place(self.root, path)
            below = SettingsBelow(self.root, self.below)
            headers = (*self.rules.headers, *below.headers(place.names))
            facts = read_facts(data, place.name, headers)
            ignored = IgnoreFiles(self.root, self._outermost)
            known = partial(self.known, below)
            inspection = _Inspection(self._judge, ignored, below, known, self.modules)
            inspection.add(place, facts)
            return inspection.source_file(place.name)
        except Exception as error:  # whatever goes wrong while labelling: confidential
            return self._failed(path, sha256(data).hexdigest(), error)

    def look(self, path: Path) -> SourceFile:
        """Read a file, once, and label it; one that cannot be read is confidential."""
        try:
            _, data = read_once(self.root / path, self.root, path.name)
        except Exception as error:
            return self._failed(path, "", error)
        return self.file(path, data)

    def walk(self) -> Iterator[SourceFile]:
        """Label all files of the project, sorted within each folder.

        Links are left out, as what they lead to is listed itself, and so are folders of tools
        and environments (``.git``, ``node_modules`` ...): all in them is confidential. What files
        say may come from the cache: nothing is to be sent by what this says.
        """
        return (source for source, _ in self.survey())

    def trustable(self) -> tuple[TrustedFile, ...]:
        """The files that the project's own marks would loosen, if the user trusted them now."""
        return tuple(file for _, file in self.survey() if file is not None)

    def survey(self) -> Iterator[tuple[SourceFile, TrustedFile | None]]:
        """What :meth:`walk` and :meth:`trustable` say of each file, in one go."""
        entries = {entry.place.name: entry for entry in list_files(self.root)}
        below = SettingsBelow(self.root, self.below)
        facts = _FactReader(self, entries, below)
        index = ModuleIndex(entries)
        ignored = IgnoreFiles(self.root, self._outermost)
        inspection = _Inspection(self._judge, ignored, below, facts.known, lambda: index)
        for name in entries:
            try:
                yield inspection.source_file(name), inspection.trustable(name)
            except Exception as error:
                yield self._failed(Path(name), "", error), None
        facts.keep()

    def known(self, below: SettingsBelow, name: str) -> tuple[Place, Facts]:
        """A file of the project as it is now.

        Args:
            below: what settings files below the root add.
        """
        place = find_place(self.root, Path(name))
        return place, self.facts(name, below.headers(place.names))

    def facts(self, name: str, headers: tuple[str, ...] = ()) -> Facts:
        """What the file says now; one that cannot be read has something against it.

        Args:
            headers: phrases besides those of the rules.
        """
        try:
            _, data = read_once(self.root / name, self.root, name)
        except HybridgenError as error:
            return Facts("", findings=(confidential("content", error.message),), imports=None)
        return read_facts(data, name, (*self.rules.headers, *headers))

    def modules(self) -> ModuleIndex:
        """The modules of the project, as they were when that was asked first."""
        if self._index is None:
            self._index = ModuleIndex(entry.place.name for entry in list_files(self.root))
        return self._index

    def _failed(self, path: Path, digest: str, error: Exception) -> SourceFile:
        """A file about which nothing is known."""
        why = error.message if isinstance(error, HybridgenError) else type(error).__name__
        evidence = confidential("error", f"could not be labelled: {why}")
        absolute = self.root / path
        is_inside = absolute.is_relative_to(self.root)
        shown = absolute.relative_to(self.root) if is_inside else absolute
        return SourceFile(shown.as_posix(), digest, Label.CONFIDENTIAL, (evidence,))


class _FactReader:
    """What listed files say, from the cache where it knows."""

    def __init__(self, labeller: Labeller, entries: dict[str, Entry], below: SettingsBelow) -> None:
        self._labeller = labeller
        self._entries = entries
        self._below = below
        self._cache = labeller.cache
        self._rules = repr(sorted(labeller.rules.headers))
        self._found: dict[str, tuple[str, Facts]] = {}
        if self._cache is not None:
            self._found = self._cache.load(labeller.root, self._rules)
        self._new: dict[str, tuple[Entry, Facts]] = {}

    def known(self, name: str) -> tuple[Place, Facts]:
        entry = self._entries.get(name)
        if entry is None:  # in a folder that is not listed
            return self._labeller.known(self._below, name)
        headers = self._below.headers(entry.place.names)
        if headers:  # what the file says depends on them
            entry = replace(entry, stamp=f"{entry.stamp} {hash_of(headers)}")
        kept = self._found.get(name)
        if kept is not None and kept[0] == entry.stamp:
            return entry.place, kept[1]
        facts = self._labeller.facts(name, headers)
        self._new[name] = (entry, facts)
        return entry.place, facts

    def keep(self) -> None:
        """Remember what had to be read, and forget what is gone."""
        if self._cache is not None:
            gone = self._found.keys() - self._entries.keys()
            self._cache.keep(self._labeller.root, self._rules, self._new, gone)


class _Inspection:
    """What is looked up while files are labelled: each file and each list once."""

    def __init__(
        self,
        judge: Judge,
        ignored: IgnoreFiles,
        below: SettingsBelow,
        known: Known,
        modules: Callable[[], ModuleIndex],
    ) -> None:
        self._judge = judge
        self._ignored = ignored
        self._below = below
        self._look_up = known
        self._modules = modules
        self._facts: dict[str, Facts] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._steps: dict[str, tuple[tuple[str, ...], tuple[Evidence, ...]]] = {}

    def add(self, place: Place, facts: Facts) -> None:
        """Take in a file that was read already."""
        self._facts[place.name] = facts
        against = (*self._ignored.evidence(place.names), *self._below.evidence(place.names))
        self._verdicts[place.name] = self._judge.decide(place, facts, against)

    def source_file(self, name: str) -> SourceFile:
        """The file with its label; a test is as strict as what it imports."""
        verdict, raised = self._verdict(name), self._raised(name, would_be=False)
        label = strictest((verdict.label, *(item.label for item in raised)))
        is_raised = label > verdict.label
        evidence = (*raised, *verdict.evidence) if is_raised else (*verdict.evidence, *raised)
        return SourceFile(name, self._facts[name].sha256, label, evidence)

    def trustable(self, name: str) -> TrustedFile | None:
        """The record of the file if trust would loosen it."""
        verdict = self._verdict(name)
        if not verdict.marks or verdict.would_be is Label.CONFIDENTIAL:
            return None
        raised = self._raised(name, would_be=True)
        label = strictest((verdict.would_be, *(item.label for item in raised)))
        return trusted_file(name, label, verdict.marks)

    def _verdict(self, name: str) -> Verdict:
        if name not in self._verdicts:
            self.add(*self._look_up(name))
        return self._verdicts[name]

    def _raised(self, name: str, *, would_be: bool) -> tuple[Evidence, ...]:
        """Evidence from what a test imports, from what the imported tests import, and so on."""
        if not is_test_path(name):
            return ()
        found: list[Evidence] = []
        seen, pending = {name}, [name]
        while pending:
            here = pending.pop()
            files, unknown = self._imported(here)
            found += unknown
            for file in files:
                if file not in seen:
                    seen.add(file)
                    verdict = self._verdict(file)
                    label = verdict.would_be if would_be else verdict.label
                    word = label.name.lower()
                    if label > Label.PUBLIC:
                        found.append(Evidence(label, "import", f"{here} imports {file}: {word}"))
                    if is_test_path(file):
                        pending.append(file)
        return tuple(sorted(dict.fromkeys(found), key=lambda item: -item.label))

    def _imported(self, name: str) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
        """The files that a test imports, and what is against it because that is not known."""
        if name not in self._steps:
            self._verdict(name)
            imports = self._facts[name].imports
            if imports is None:
                unknown = confidential("import", f"what {name} imports cannot be known")
                self._steps[name] = ((), (unknown,))
            else:
                self._steps[name] = self._resolved(name, imports)
        return self._steps[name]

    def _resolved(
        self, name: str, imports: tuple[Import, ...]
    ) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
        modules = self._modules()
        files: dict[str, None] = dict.fromkeys(modules.conftests(name))
        unknown: list[Evidence] = []
        for wanted in imports:
            found = modules.files_of(wanted, name)
            if found is None:
                unknown.append(confidential("import", f"{name}: {wanted} leads to no file"))
            for file in found or ():
                # A package that says nothing lends its name only.
                if len(found or ()) == 1 or not self._is_empty_package(file):
                    files[file] = None
        return tuple(file for file in files if file != name), tuple(unknown)

    def _is_empty_package(self, file: str) -> bool:
        self._verdict(file)
        return file.endswith("__init__.py") and self._facts[file].is_empty
