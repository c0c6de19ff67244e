"""The one door out: what is sent anywhere was cleared here, and is in the ledger before it goes.

Questions in this order, and the first that has no clear yes is a refusal:

1. Is everything a fragment, and may the receiver read each of them and each file behind them?
   Words without a file behind them must be ours.
2. Are these files still what they were when they were labelled, and no stricter?
3. Is there no secret in the very text that would go out?
4. Does it share nothing with stricter files, so that no copy of them is in it?
5. Is it in the ledger?

A refusal is in the ledger too, with its kind and its files, never with the text or the secret.
"""

from __future__ import annotations

import contextlib
import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from hybridgen import __version__
from hybridgen.domain import Destination, Fragment, Label, Payload, Prompt, SourceFile, Usage
from hybridgen.errors import GateRefusal
from hybridgen.gate.cleared import _SEAL, Cleared, outgoing_bytes
from hybridgen.gate.index import FingerprintIndex, Overlap
from hybridgen.gate.ledger import Ledger
from hybridgen.gate.lines import place_of
from hybridgen.secretscan import decoded, find_secrets

_STAY = "or let the model on this machine do it: --backend local"
_LONGEST_WHY = 300
# Rules that are no mark, so that no other mark can undo them.
_ASIDE_FROM_MARKS = frozenset({"header", "ignore file", "mark in the file"})


@dataclass(frozen=True, slots=True)
class _No:
    """Why a prompt may not go: kind and places are for the ledger, the rest for the user."""

    kind: str
    message: str
    hint: str
    places: Mapping[str, str] = field(default_factory=dict)


class Gate:
    """Clears prompts for destinations; may be used by several threads.

    Args:
        ledger: where every send and every refusal is written.
        index: knows the strict files of this user.
        relabel: labels a file again, as it lies on the disk now. It may raise: then the answer
            is no.
        is_ours: whether a text is made of hybridgen's own words only.
        project: the folder of the project, for the ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        index: FingerprintIndex,
        relabel: Callable[[SourceFile], SourceFile],
        is_ours: Callable[[str], bool],
        *,
        project: str = "",
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._relabel = relabel
        self._is_ours = is_ours
        self._project = project

    def clear(self, prompt: Prompt, destination: Destination) -> Cleared:
        """What may be sent to ``destination`` for ``prompt``, written into the ledger.

        Raises:
            GateRefusal: it may not go, with the place and the next command; or whether it may
                cannot be told.
        """
        payload, data = Payload("", "", ""), b""
        try:
            no = self._objection(prompt, destination)
            if no is None:
                payload = payload_of(prompt)
                data = outgoing_bytes(payload, destination.model)
        except GateRefusal as error:
            no = _No("unavailable", error.message, error.hint or _STAY)
        except Exception as error:  # what cannot be decided stays here
            what = f"whether this prompt may go cannot be told: {type(error).__name__} in the gate"
            no = _No("undecided", what, f"report it, {_STAY}")
        if no is not None:
            self._refuse(no, prompt, destination)
        sha256 = hashlib.sha256(data).hexdigest()
        details = {**self._details(prompt, destination), "sha256": sha256, "size": len(data)}
        entry = self._ledger.append("send", details, text=data)
        return Cleared(destination, payload, sha256, len(data), entry.number, seal=_SEAL)

    def done(self, cleared: Cleared, usage: Usage, *, attempts: int = 1) -> None:
        """Writes down what an answer cost.

        Args:
            attempts: how many requests it took, each with the whole text.

        Raises:
            GateRefusal: the ledger cannot be written.
        """
        tokens = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        seconds = round(usage.seconds, 3)
        details = {"answers_entry": cleared.entry, "seconds": seconds, "attempts": attempts}
        self._ledger.append("reply", {**details, **tokens})

    def failed(self, cleared: Cleared, why: str, *, may_have_left: bool = True) -> None:
        """Writes down that no answer came; the text may have arrived nevertheless.

        Args:
            may_have_left: False only if it is certain that no text left this machine.

        Raises:
            GateRefusal: the ledger cannot be written.
        """
        left = "maybe" if may_have_left else "no"
        details = {"answers_entry": cleared.entry, "left": left, "why": why[:_LONGEST_WHY]}
        self._ledger.append("failure", details)

    def refused(self, files: Sequence[SourceFile], backend: str) -> None:
        """Writes down that ``backend``, asked for by name, may not read ``files``.

        The refusal stands without a ledger: this never raises.
        """
        details = {**self._about(files), "destination": {"backend": backend}, "reason": "route"}
        with contextlib.suppress(Exception):
            self._ledger.append("refusal", details)

    def _objection(self, prompt: Prompt, destination: Destination) -> _No | None:
        """The first reason why it may not go."""
        return (
            self._about_labels(prompt, destination)
            or self._about_files(prompt)
            or self._about_secrets(prompt)
            or self._about_copies(prompt, destination)
        )

    def _about_labels(self, prompt: Prompt, destination: Destination) -> _No | None:
        clearance = destination.clearance
        if not isinstance(clearance, Label) or clearance >= Label.CONFIDENTIAL:
            what = f"{_shown(destination)} is cleared for confidential text, which never leaves"
            return _No("destination", what, f"correct the settings: hybridgen config show; {_STAY}")
        if not all(type(part) is Fragment for part in prompt.fragments):
            what = "a part of the prompt is no fragment, so nobody knows how confidential it is"
            return _No("no fragment", what, f"report it, {_STAY}")
        for part in prompt.fragments:
            if not part.sources and (part.label != Label.PUBLIC or not self._is_ours(part.text)):
                what = f"{part.origin}: text without a file behind it, and not hybridgen's own"
                return _No("no source", f"{what} ({part.why})", f"report it, {_STAY}")
            for label, why in _labels(part):
                if not isinstance(label, Label) or label > clearance:
                    what = _too_strict(part, label, why, destination)
                    return _No("label", what, _explain(part), {"place": part.origin})
        if prompt.label > clearance:
            what = f"the prompt is {_name(prompt.label)}, too strict for {_shown(destination)}"
            return _No("label", what, _STAY)
        return None

    def _about_files(self, prompt: Prompt) -> _No | None:
        for source in _files(prompt):
            try:
                now = self._relabel(source)
                is_same = now.sha256 == source.sha256
                is_stricter = not isinstance(now.label, Label) or now.label > source.label
            except Exception as error:
                what = f"{source.path}: cannot be labelled again ({type(error).__name__})"
                return _No("unreadable", what, f"see why: hybridgen explain {source.path}; {_STAY}")
            if not is_same:
                what = f"{source.path}: it was changed since its text was read"
                return _No("changed", what, "run the command again")
            if is_stricter:
                what = f"{source.path}: it is {_name(now.label)} now, and was {_name(source.label)}"
                hint = f"see why: hybridgen explain {source.path}; then run the command again"
                return _No("stricter", what, hint)
        return None

    def _about_secrets(self, prompt: Prompt) -> _No | None:
        for part in prompt.fragments:
            for secret in find_secrets(part.text):
                return _secret(secret.kind, place_of(part, secret.line, self._project))
        # One that no fragment holds alone: its halves are in two.
        for secret in find_secrets(_joined(prompt)):
            place = place_of(*_at_line(prompt, secret.line), self._project)
            return _secret(secret.kind, place, " (with what follows it in the prompt)")
        return None

    def _about_copies(self, prompt: Prompt, destination: Destination) -> _No | None:
        worst = self._copied(_joined(prompt), destination.clearance)
        if worst is None:
            return None
        place = place_of(*_at_line(prompt, worst.prompt_line), self._project)
        original = f"{worst.path}:{worst.line}"
        what = (
            f"{place} has text of {original}, which is {_name(worst.label)}{_whereabouts(worst)}: "
            f"too strict for {_shown(destination)}"
        )
        mark = (
            "or, if that file is a README, an example or a copy of this one and not confidential: "
            f"hybridgen mark {_name(destination.clearance)} {worst.path}, then hybridgen trust; "
        )
        way = ""
        if worst.is_there is False:
            is_project = not Path(worst.root).exists()
            gone = shlex.quote(worst.root if is_project else worst.path)
            kind = "project" if is_project else "file"
            way = f"or, if that {kind} was moved or renamed: hybridgen purge --moved {gone}; "
        elif not self._is_held(worst):
            way = mark
        hint = f"take the copy out; {way}{_STAY}"
        places = {"place": place, "copy_of": original, "copy_label": _name(worst.label)}
        return _No("copy", what, hint, places)

    def _copied(self, text: str, clearance: Label) -> Overlap | None:
        """What the text shares most with a stricter file, as it is or encoded."""
        found = self._index.overlaps(text, clearance)
        if found:
            return found[0]
        for inner, line in decoded(text):
            found = self._index.overlaps(inner, clearance)
            if found:
                return replace(found[0], prompt_line=line)
        return None

    def _is_held(self, overlap: Overlap) -> bool:
        """Whether more than a missing mark makes the strict file strict, as far as is known."""
        path = Path(overlap.path)
        if not self._project or not path.is_relative_to(self._project):
            return False
        name = path.relative_to(self._project).as_posix()
        try:
            evidence = self._relabel(SourceFile(name, "", overlap.label, ())).evidence
            return any(
                one.rule in _ASIDE_FROM_MARKS and one.label >= overlap.label for one in evidence
            )
        except Exception:  # it is only about a hint
            return True

    def _refuse(self, no: _No, prompt: Prompt, destination: Destination) -> NoReturn:
        """Raises, and writes it down where that can be done."""
        refusal = GateRefusal(no.message, no.hint)
        try:
            details = {**self._details(prompt, destination), "reason": no.kind, **no.places}
            self._ledger.append("refusal", details)
        except Exception as error:  # the refusal stands without a ledger
            raise refusal from error
        raise refusal

    def _details(self, prompt: Prompt, destination: Destination) -> Mapping[str, Any]:
        where = {
            "backend": destination.backend,
            "url": destination.url,
            "model": destination.model,
            "sdk": destination.sdk,
            "terms": destination.terms,
            "clearance": _name(destination.clearance),
        }
        return {**self._about(_files(prompt)), "destination": where}

    def _about(self, files: Sequence[SourceFile]) -> Mapping[str, Any]:
        records = [_record(source) for source in files]
        return {"version": __version__, "project": self._project, "files": records}


def payload_of(prompt: Prompt) -> Payload:
    """The texts of ``prompt`` as every backend sends them."""
    user = (*prompt.context, *prompt.request)
    return Payload(_text(prompt.system), _text(user), prompt.answer.text)


def _secret(kind: str, place: str, more: str = "") -> _No:
    hint = f"take it out of the code, and change it where it is used; {_STAY}"
    what = f"{place}{more} seems to hold a secret: {kind}"
    return _No("secret", what, hint, {"place": place, "secret": kind})


def _files(prompt: Prompt) -> list[SourceFile]:
    """The files behind the prompt, each once, in the order of reading."""
    parts = [part for part in prompt.fragments if type(part) is Fragment]
    return list(dict.fromkeys(source for part in parts for source in part.sources))


def _labels(part: Fragment) -> list[tuple[Label, str]]:
    """The labels of a fragment and of the files behind it, each with its reason."""
    files = [
        (source.label, f"{source.path}: {source.evidence[0].detail if source.evidence else ''}")
        for source in part.sources
    ]
    return [(part.label, part.why), *files]


def _too_strict(part: Fragment, label: Label, why: str, destination: Destination) -> str:
    most = _name(destination.clearance)
    return (
        f"{part.origin} is {_name(label)} ({why}), and {_shown(destination)} may read "
        f"nothing stricter than {most}"
    )


def _explain(part: Fragment) -> str:
    path = part.sources[0].path if part.sources else "PATH"
    return f"see why: hybridgen explain {path}; {_STAY}"


def _joined(prompt: Prompt) -> str:
    return _text(prompt.fragments)


def _text(parts: Sequence[Fragment]) -> str:
    return "".join(part.text for part in parts)


def _at_line(prompt: Prompt, line: int) -> tuple[Fragment, int]:
    """The fragment that a line of the joined text is in, and the line's number in that.

    Of several in one line it is the first that has a file behind it: templates hold no copies.
    """
    first, found = 1, []
    for part in prompt.fragments:
        end = first + part.text.count("\n")
        last = end - 1 if part.text.endswith("\n") else end
        if first <= line <= last:
            found.append((part, line - first + 1))
        first = end
    return next((place for place in found if place[0].sources), *found[:1])


def _record(source: SourceFile) -> Mapping[str, Any]:
    """A file as the ledger names it."""
    evidence = [
        {"label": _name(one.label), "rule": one.rule, "detail": one.detail}
        for one in source.evidence
    ]
    return {
        "path": source.path,
        "sha256": source.sha256,
        "label": _name(source.label),
        "evidence": evidence,
    }


def _whereabouts(overlap: Overlap) -> str:
    return " and no longer there" if overlap.is_there is False else ""


def _shown(destination: Destination) -> str:
    return f"{destination.backend} ({destination.url})"


def _name(label: object) -> str:
    return label.name.lower() if isinstance(label, Label) else repr(label)
