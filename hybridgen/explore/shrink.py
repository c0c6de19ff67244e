"""Makes what the search found short and easy to read, without changing what it is for.

As in delta debugging (Zeller, Hildebrandt 2002) and hypothesis' shrinking, a change stays if the
run still shows what the find is kept for: the same course of steps with the same types of
exceptions and, if it was the first to reach some code, that code; else the same path and a result
that no other find has. Numbers are left alone, unless they are long: the search tries those at
boundaries, and that is where mutants live.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from hybridgen.domain import Arc, Candidate, Observation
from hybridgen.explore.archive import Outcome, outcome_of
from hybridgen.explore.around.circumstances import is_set_up
from hybridgen.explore.simplify.versions import without_parts

SIMPLE_TEXTS = ("a", "abc", "")
"""What a text is replaced by if it does not matter, best first."""

MOST_TRIES = 80
ENOUGH, ENOUGH_FOR_RESULT = 12, 50
"""Texts of so many characters are short enough, the latter where the result is what counts: rich
results tell more mutants apart than poor ones."""

LARGEST_NUMBER = 10_000
EMPTY = frozenset({"''", "b''", "[]", "()", "{}", "set()", "None", "False", "0"})

Run = Callable[[Candidate], Observation | None]


def shrink(
    observation: Observation,
    run: Run,
    needed: Collection[Arc] | None = None,
    taken: Collection[Outcome] = (),
    plain: Mapping[str, str] | None = None,
) -> Observation:
    """A simpler observation that shows the same, or the same one.

    Args:
        run: runs a candidate, None where that gave no observation.
        needed: the arcs that it is kept for; None if it is kept for its result.
        taken: results that other finds show already.
        plain: the plainest construction of each class, see :func:`plain_constructions`.
    """
    shrinker = _Shrinker(observation, run, needed, taken)
    shrinker.build_plainly(plain or {})
    for index, step in enumerate(observation.candidate.steps):
        if not is_set_up(step):
            shrinker.shrink_step(index)
    return shrinker.best


def plain_constructions(candidates: Iterable[Candidate]) -> dict[str, str]:
    """For each class that is built first in a candidate: the plainest of these constructions.

    Tests that differ in what matters only are easier to read, and can share a fixture.
    """
    found: dict[str, list[str]] = {}
    for candidate in candidates:
        built = _construction(candidate.steps[0].code) if len(candidate.steps) > 1 else None
        if built is not None:
            found.setdefault(built[1], []).append(built[2])
    return {kind: min(texts, key=_plainness) for kind, texts in found.items()}


def _construction(code: str) -> tuple[str, str, str] | None:
    """(variable, class, call) of ``cart = Cart('a')``."""
    match ast.parse(code).body:
        case [ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=kind)) as c)]:
            is_literal = not any(
                isinstance(node, ast.Name | ast.Lambda)
                for part in (*c.args, *(keyword.value for keyword in c.keywords))
                for node in ast.walk(part)
            )
            return (name, kind, ast.unparse(c)) if is_literal and kind[:1].isupper() else None
    return None


def _plainness(text: str) -> tuple[bool, int, bool, str]:
    parts = ast.walk(ast.parse(text))
    texts = [n.value for n in parts if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    is_odd = any(not value.isalnum() for value in texts)
    return is_odd, len(text), any(not value.isalpha() for value in texts), text


class _Shrinker:
    """One shrinking in progress; ``best`` is the simplest observation so far."""

    def __init__(
        self,
        observation: Observation,
        run: Run,
        needed: Collection[Arc] | None,
        taken: Collection[Outcome],
    ) -> None:
        self.best = observation
        self._run = run
        self._needed = None if needed is None else frozenset(needed)
        self._taken = taken
        self._enough = ENOUGH_FOR_RESULT if needed is None else ENOUGH
        self._left = MOST_TRIES
        self._tried: set[str] = set()

    def build_plainly(self, plain: Mapping[str, str]) -> None:
        """Builds the object as other tests build theirs, where its arguments do not matter."""
        built = _construction(self._code(0))
        if built is not None and built[1] in plain:
            self._attempt(0, f"{built[0]} = {plain[built[1]]}")

    def shrink_step(self, index: int) -> None:
        """Simplifies one step: its arguments and containers, then its texts."""
        if self._needed is not None or len(self._code(index)) > self._enough:
            self._drop_parts(index)
        for old in _texts(self._code(index)):
            text = self._whole(index, old)
            if len(text) > self._enough or not _is_plain(text):
                self._shrink_text(index, text)

    def _code(self, index: int) -> str:
        return self.best.candidate.steps[index].code

    def _attempt(self, index: int, code: str) -> bool:
        """Tries a step's new code; True if it shows the same and so was kept."""
        if self._left <= 0 or code == self._code(index) or code in self._tried:
            return False
        self._tried.add(code)
        self._left -= 1
        old = self.best.candidate
        steps = (*old.steps[:index], replace(old.steps[index], code=code), *old.steps[index + 1 :])
        candidate = replace(old, steps=steps)
        found = self._run(candidate)
        if found is None or not self._shows_the_same(found):
            return False
        self.best = replace(found, candidate=candidate)
        return True

    def _shows_the_same(self, new: Observation) -> bool:
        old = self.best
        if len(new.results) != len(old.results) or _course(old) != _course(new):
            return False
        if self._needed is not None:
            return self._needed <= new.arcs
        if new.arcs != old.arcs:
            return False
        outcome = outcome_of(new)
        return outcome == outcome_of(old) or (bool(outcome) and outcome not in self._taken)

    def _drop_parts(self, index: int) -> None:
        """Leaves out optional arguments and items of containers, last ones first."""
        is_changed = True
        while is_changed and self._left > 0:
            simpler = _without_parts(self._code(index))
            is_changed = any(self._attempt(index, code) for code in simpler)

    def _whole(self, index: int, old: str) -> str:
        """Replaces a text as a whole, if it does not matter; gives the text that stands now."""
        for new in SIMPLE_TEXTS:
            is_simpler = new != old and (new or not old.strip()) and old not in SIMPLE_TEXTS[:2]
            is_simpler &= self._needed is not None or len(old) > self._enough
            if is_simpler and self._attempt(index, _replaced(self._code(index), old, new)):
                return new
        return old

    def _shrink_text(self, index: int, text: str) -> None:
        """Deletes lines, then words, then characters; then makes what is left plain."""
        for split in (_lines, _words, list):
            text = self._without_pieces(index, text, split)
        for change in (_tidy, textwrap.dedent, str.strip, str.lower):
            text = self._changed(index, text, change(text))
        for old in dict.fromkeys(re.findall(r"[^\W\d_]{2,}|[^\W\d_](?=\d)|\d{2,}", text)):
            plain = "1" if old.isdigit() else "a"
            text = self._changed(index, text, text.replace(old, plain))
        for old in dict.fromkeys(re.findall(r"[^\x00-\x7f]|[\x00-\x08\x0b-\x1f]", text)):
            text = self._changed(index, text, text.replace(old, "a"))

    def _changed(self, index: int, old: str, new: str) -> str:
        is_kept = old != new and self._attempt(index, _replaced(self._code(index), old, new))
        return new if is_kept else old

    def _without_pieces(self, index: int, text: str, split: Callable[[str], list[str]]) -> str:
        """Deletes runs of pieces, long runs first, as far as that shows the same."""
        pieces = split(text)
        size = len(pieces) // 2
        while size >= 1 and self._left > 0 and len(text) > self._enough:
            at = len(pieces) - size
            while at >= 0 and len(text) > self._enough:
                shorter = pieces[:at] + pieces[at + size :]
                new = "".join(shorter)
                if new and self._changed(index, text, new) == new:
                    text, pieces = new, shorter
                at -= size
            size = size // 2
        return text


def _course(observation: Observation) -> tuple[tuple[str, ...], ...]:
    """What kind of result each step had: its status, its exception, whether its value is empty."""
    return tuple(
        (
            result.status,
            result.raised.type_name if result.raised else "",
            *(f"{check.kind} {check.expression in EMPTY}" for check in result.checks[:1]),
        )
        for result in observation.results
    )


def _texts(code: str) -> list[str]:
    """The texts in a step, the longest first."""
    found = {
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted(found, key=lambda text: (-len(text), text))


def _replaced(code: str, old: str, new: str) -> str:
    """``code`` with another text, wherever it stands."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value == old:
            node.value = new
    return ast.unparse(tree)


def _without_parts(code: str) -> Iterator[str]:
    """``code`` with one argument, item or long number less."""
    yield from without_parts(code, is_kept=lambda call: False, largest=LARGEST_NUMBER)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\w+|\s+|[^\w\s]", text)


def _tidy(text: str) -> str:
    """Four spaces for a tab, none at the end of a line."""
    lines = [line.rstrip() for line in text.replace("\t", "    ").split("\n")]
    return "\n".join(lines)
