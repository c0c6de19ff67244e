"""Calls that people wrote down: doctests, calls in docstrings, documents, tests and other code."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Sequence

from hybridgen.domain import Candidate, Fragment, Module, Target, strictest
from hybridgen.domain.prose import told_calls
from hybridgen.post import candidates_from_code


def docstring_candidates(module: Module, target: Target) -> tuple[Candidate, ...]:
    """Candidates from the examples in a target's docstring, and the module's for its functions."""
    found: list[Candidate] = []
    texts = [target.docstring or ""]
    if module.docstring and target.name in module.docstring:
        texts.append(module.docstring)
    for text in texts:
        for code in (*_doctests(text), *_calls(text, target.name)):
            found += candidates_from_code(
                code, module, target, label=module.label, origin="docstring"
            )
    return _unique(found)


def mention_candidates(
    module: Module, targets: Sequence[Target], mentions: Sequence[Fragment]
) -> tuple[Candidate, ...]:
    """Candidates from code elsewhere in the project that names what is under test.

    Args:
        targets: what is tested; a piece of code belongs to the first that it calls.
        mentions: pieces of code from documents, tests and other modules.
    """
    found: list[Candidate] = []
    for fragment in mentions:
        names = set(re.findall(r"\w+(?=\()", fragment.text))
        target = next((t for t in targets if t.name in names), None)
        if target is not None:
            label = strictest((module.label, fragment.label))
            found += candidates_from_code(
                fragment.text, module, target, label=label, origin="example"
            )
    return _unique(found)


def _unique(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The first of equal candidates: it stands in a doctest, say, and so has an opinion."""
    unique: dict[tuple[str, ...], Candidate] = {}
    for candidate in found:
        unique.setdefault(tuple(step.code for step in candidate.steps), candidate)
    return tuple(unique.values())


def _doctests(text: str) -> Iterator[str]:
    if ">>>" not in text:
        return
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return
    lines = []
    for example in examples:
        wanted = example.want.strip()
        source = example.source.strip()
        if (
            wanted
            and "\n" not in wanted
            and not wanted.startswith("Traceback")
            and _is_value(wanted)
        ):
            lines.append(_expectation(source, wanted))
        else:
            lines.append(source)
    yield "\n".join(lines)


def _expectation(source: str, wanted: str) -> str:
    if not _is_value(source) or source.startswith("print("):
        return source
    if wanted in ("True", "False"):
        return f"assert ({source})" if wanted == "True" else f"assert not ({source})"
    return f"assert ({source}) == ({wanted})"


def _is_value(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _calls(text: str, name: str) -> Iterator[str]:
    """Calls of ``name`` anywhere in prose, with the value that it says they give."""
    for told in told_calls(text, name):
        yield _expectation(told.call, told.value) if told.value else told.call
