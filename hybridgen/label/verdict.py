"""Weighs what speaks for and against a loose label of one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybridgen.domain import Evidence, Label, strictest
from hybridgen.label.facts import Facts
from hybridgen.label.fragments import UNMARKED
from hybridgen.label.places import Place
from hybridgen.label.rules import MarkLists, Permit, Rules, hash_of
from hybridgen.label.trust import Trusted, TrustedFile


@dataclass(frozen=True, slots=True)
class Verdict:
    """The label of one file by itself.

    Attributes:
        evidence: every reason that had a say, the deciding one first.
        would_be: the label that it had if all its marks were trusted.
        marks: hash of the marks that need trust; "" if there is none.
    """

    label: Label
    evidence: tuple[Evidence, ...]
    would_be: Label
    marks: str


class Judge:
    """Decides by the marks, the lists of others, the place and the text of a file.

    All evidence is gathered and the strictest wins; without a mark that counts, the file is
    confidential.

    Raises:
        SettingsError: a mark is no pattern.
    """

    def __init__(self, rules: Rules, trusted: Trusted | None) -> None:
        self._lists = MarkLists(rules.marks)
        self._outer = MarkLists(rules.outer)
        self._trusted = trusted
        self._ceiling: tuple[Evidence, ...] = ()
        if rules.loosest > Label.PUBLIC:
            name = rules.loosest.name.lower()
            detail = f"{rules.loosest_place or 'the organisation'} allows {name} at the loosest"
            self._ceiling = (Evidence(rules.loosest, "ceiling", detail),)

    def decide(self, place: Place, facts: Facts, lists: Sequence[Evidence] = ()) -> Verdict:
        """Label a file by itself; what a test imports is weighed elsewhere.

        Args:
            lists: what lists and settings files in its folders have against a loose label.
        """
        against = (
            *place.findings,
            *facts.findings,
            *self._lists.tightening(place.names),
            *self._outer.tightening(place.names),
            *lists,
            *self._ceiling,
        )
        permits = (*self._lists.permits(place.name, place.names), *_own_permits(facts))
        asked = [permit for permit in permits if permit.needs_trust]
        free = [permit.evidence for permit in permits if not permit.needs_trust]
        marks = hash_of([[p.evidence.label.name, p.pattern] for p in asked]) if asked else ""
        granted, trust = self._granted(place.name, asked, marks, has_free=bool(free))
        counted = (*free, *granted)
        would_be = _weigh((*free, *(permit.evidence for permit in asked)), against)[0]
        label, evidence = _weigh(counted, (*against, *trust))
        if not granted:
            evidence = _with_untrusted(label, evidence, asked, is_of_use=would_be < label)
        return Verdict(label, evidence, would_be, marks)

    def _granted(
        self, name: str, asked: Sequence[Permit], marks: str, *, has_free: bool
    ) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
        """The marks that count because they were trusted, and what the record itself says."""
        record = None if self._trusted is None else self._trusted.files.get(name)
        if not asked or record is None or record.marks != marks:
            return (), ()
        granted = tuple(permit.evidence for permit in asked)
        word = record.label.name.lower()
        said = Evidence(record.label, "trust", f"trusted as {word} by you")
        # Where marks of the user's own allow it too, an older record must not make it stricter.
        return granted, () if has_free else (said,)


def trusted_file(name: str, label: Label, marks: str) -> TrustedFile | None:
    """The record for a file that trust would loosen to ``label``; None if it would not."""
    return TrustedFile(name, label, marks) if marks and label < Label.CONFIDENTIAL else None


def _own_permits(facts: Facts) -> tuple[Permit, ...]:
    """The marks in the file itself."""
    return tuple(
        Permit(Evidence(label, "mark in the file", f"its line {line} asks for it"), line, True)
        for label, line in facts.marks
    )


def _with_untrusted(
    label: Label, evidence: Sequence[Evidence], asked: Sequence[Permit], *, is_of_use: bool
) -> tuple[Evidence, ...]:
    """The evidence with the marks that would need trust, which a mark for internal tells twice."""
    said = ", which needs: hybridgen trust" if is_of_use else "; trust would not change the label"
    uncounted = [
        Evidence(permit.evidence.label, "untrusted mark", f"{permit.evidence.detail}{said}")
        for permit in asked
    ]
    twice = {
        one
        for one in evidence
        for permit in asked
        if one.label < label and _is_same_mark(one, permit.evidence)
    }
    return (*(one for one in evidence if one not in twice), *uncounted)


def _is_same_mark(one: Evidence, other: Evidence) -> bool:
    is_in_file = one.rule == other.rule == "mark in the file"
    return one == other or (is_in_file and one.label == other.label)


def _weigh(
    permits: Sequence[Evidence], against: Sequence[Evidence]
) -> tuple[Label, tuple[Evidence, ...]]:
    """The label, and all evidence with the deciding one first."""
    counted = tuple(dict.fromkeys((*permits, *against)))
    if not permits:
        counted = (*counted, Evidence(Label.CONFIDENTIAL, "unmarked", UNMARKED))
    ordered = sorted(counted, key=lambda item: -item.label)
    return strictest(item.label for item in ordered), tuple(ordered)
