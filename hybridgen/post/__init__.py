"""The post-processing layer: any model's text becomes candidates, without a model.

Text goes through ``extract`` (where is code?), ``salvage`` (what of it can be parsed?),
``answer`` (which tests are in it?), ``normalise`` and ``files`` (which names does it mean?),
``flatten`` (what is executed, what is looked at?) and ``assemble`` (what stands on its own?).
No step raises on any text: what cannot be understood is dropped.
"""

from __future__ import annotations

import ast

from hybridgen.domain import Candidate, Completion, Label, Module, Target
from hybridgen.post.answer import scenarios
from hybridgen.post.assemble import assemble
from hybridgen.post.expected import expected
from hybridgen.post.extract import code_segments
from hybridgen.post.files import with_temporary_files
from hybridgen.post.flatten import flatten
from hybridgen.post.name import name_after
from hybridgen.post.normalise import normalise
from hybridgen.post.salvage import statements, without_last_expectation
from hybridgen.post.values import texts, values
from hybridgen.post.vocabulary import Vocabulary, read_imports

__all__ = ["candidates", "candidates_from_code", "expected", "name_after", "texts", "values"]

_MOST_CANDIDATES = 80


def candidates(completion: Completion, module: Module, target: Target) -> tuple[Candidate, ...]:
    """The candidates in a model's answer; none if there is nothing in it to use.

    Never raises on any text. Values that the model expects become opinions, which nothing
    trusts. The candidates carry the label of the completion.
    """
    text = completion.text
    if completion.is_cut_off:
        text = without_last_expectation(text)
    return candidates_from_code(text, module, target, label=completion.label, origin="model")


def candidates_from_code(
    code: str, module: Module, target: Target, *, label: Label, origin: str
) -> tuple[Candidate, ...]:
    """The candidates in ``code``: an answer, a docstring with examples, an existing test."""
    body = [item for segment in code_segments(code) for item in statements(segment)]
    vocabulary = Vocabulary(module, target)
    nodes = [node for statement in body for node in ast.walk(statement)]
    vocabulary.imports = read_imports(nodes, vocabulary)
    found: dict[tuple[tuple[str, str], ...], Candidate] = {}
    for scenario in scenarios(body, vocabulary):
        plain = normalise(scenario.body, vocabulary, scenario.arguments)
        items = flatten(with_temporary_files(plain, vocabulary), vocabulary)
        for candidate in assemble(
            items, vocabulary, label=label, origin=origin, name_hint=scenario.name
        ):
            key = tuple((step.kind.value, step.code) for step in candidate.steps)
            found.setdefault(key, candidate)
    return tuple(found.values())[:_MOST_CANDIDATES]
