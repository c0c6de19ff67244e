"""Asks a model for names of tests that nothing told apart, and so have a number for a name.

A number is better than a wrong name: words are only taken where answers agree on them, and never
where they say what the test does not show.
"""

from __future__ import annotations

import ast
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hybridgen.domain import Completion, Module, Target, TestFile
from hybridgen.pipeline.consulting import Consultant
from hybridgen.post import name_after
from hybridgen.prompt import Naming, QuestionKind, build_naming
from hybridgen.suite import says_nothing_wrong
from hybridgen.suite.naming import slug

MOST_NAMES: Final = 8
"""Asked for in one module."""

LEAST_SECONDS: Final = 10.0
"""Left before verifying, below which no name is asked for."""

MOST_VAIN: Final = 3
"""Questions without a name, after which no other is asked."""

MOST_TOKENS: Final = 16
"""Of an answer: a few words and a bracket."""

AGREEING: Final = 2

_NUMBERED: Final = re.compile(r"(?P<stem>test_\w*?)_\d+")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A test that has a number for a name.

    Attributes:
        test: its name as pytest has it, ``TestCart::test_add_2``.
        stem: what the number follows, ``test_add``.
        body: its statements.
        other: those of the test that is called ``stem``.
    """

    test: str
    stem: str
    body: str
    other: str


class Wording:
    """Finds names for the numbered tests of one file.

    Args:
        deadline: on the clock of ``time.monotonic``, for what comes before verifying.
    """

    def __init__(self, consultant: Consultant, deadline: float) -> None:
        self._consultant = consultant
        self._deadline = deadline

    def names(self, file: TestFile) -> dict[str, str]:
        """Better names of functions, by the names that pytest has for their tests."""
        found: dict[str, str] = {}
        vain = 0
        for item in numbered(file)[:MOST_NAMES]:
            is_late = time.monotonic() + LEAST_SECONDS > self._deadline
            if is_late or vain == MOST_VAIN or self._consultant.backend is None:
                break
            name = self._name(item)
            is_new = name not in found.values() and not re.search(rf"\b{name}\b", file.text)
            if name and is_new:
                found[item.test] = name
                self._consultant.gained(QuestionKind.NAME, 1)
            else:
                vain += 1
        return found

    def _name(self, item: Numbered) -> str:
        """The name for one test, "" where no answer is fit."""
        module = self._consultant.subject.module
        target = subject_of(item, module)
        if target is None:
            return ""
        start = f"{item.stem}_with_"
        prompt = build_naming(
            Naming(target, start, item.body, item.other),
            module,
            count_tokens=lambda texts: self._consultant.count_tokens(texts, self._deadline),
        )
        if prompt is None:
            return ""
        completions = self._consultant.ask(
            QuestionKind.NAME,
            prompt,
            name=item.test,
            max_tokens=MOST_TOKENS,
            deadline=self._deadline,
        )
        words = agreed(completions, start, item.body)
        return f"{start}{words}" if words else ""


def agreed(completions: Sequence[Completion], start: str, body: str) -> str:
    """The words on which answers agree, "" where they do not, or where a test shows otherwise."""
    count = Counter(name_after(completion, start) for completion in completions)
    fit = (words for words, times in count.items() if words and times >= AGREEING)
    return next((words for words in fit if says_nothing_wrong(words, body)), "")


def numbered(file: TestFile) -> list[Numbered]:
    """The tests of hybridgen that have the name of another one and a number."""
    bodies = dict(_bodies(file.text))
    found = []
    for test in file.test_names:
        owner, mark, name = test.rpartition("::")
        match = _NUMBERED.fullmatch(name)
        other = f"{owner}{mark}{match['stem']}" if match else ""
        if match and other in bodies and test in bodies:
            found.append(Numbered(test, match["stem"], bodies[test], bodies[other]))
    return found


def subject_of(item: Numbered, module: Module) -> Target | None:
    """What a test is about, by its name and that of its class."""
    owner = item.test.rpartition("::")[0].lower()
    found = [
        target
        for target in module.targets
        if f"{item.stem}_".startswith(f"test_{slug(target.name if owner else target.qualname)}_")
        and (not owner or target.qualname.split(".")[0].strip("_").lower() in owner)
    ]
    return max(found, key=lambda target: len(slug(target.qualname)), default=None)


def _bodies(text: str) -> Iterator[tuple[str, str]]:
    """The functions of a test file with their statements, named as pytest does."""
    for node in ast.parse(text).body:
        inner, start = ([node], "")
        if isinstance(node, ast.ClassDef):
            inner, start = node.body, f"{node.name}::"
        for item in inner:
            if isinstance(item, ast.FunctionDef):
                parts = (*item.decorator_list, *item.body)
                code = (ast.get_source_segment(text, part) or "" for part in parts)
                yield f"{start}{item.name}", "\n".join(code)
