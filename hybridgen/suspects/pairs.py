"""Pairs of functions that undo each other, found by their names, and calls that show whether.

``decode(encode(x))`` should give ``x`` back for every ``x`` that ``encode`` takes. The other way
round is no law: ``decode`` may take texts that ``encode`` never gives. Where names do not promise
that nothing is lost (``snake_to_camel``), going there again should end where it did before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridgen.domain import Candidate, Module, Step, StepKind, Target, TargetKind
from hybridgen.suspects.kinds import ADMITTED

LAW = "law"
"""Origin of candidates that try a law; their ``name_hint`` says which."""

OPPOSITES = (
    ("encode", "decode"),
    ("encrypt", "decrypt"),
    ("dumps", "loads"),
    ("pack", "unpack"),
    ("quote", "unquote"),
    ("escape", "unescape"),
    ("compress", "decompress"),
    ("serialize", "deserialize"),
    ("serialise", "deserialise"),
    ("marshal", "unmarshal"),
    ("hexlify", "unhexlify"),
    ("freeze", "thaw"),
)
LOSSY = (
    ("format", "parse"),
    ("unparse", "parse"),
    ("flatten", "unflatten"),
    ("stringify", "parse"),
)
WORDS = (("to", "from"), ("as", "from"), ("dump", "load"))
_TURNED = re.compile(r"(?P<one>[a-z][a-z_]*?)(?P<word>_?(?:to|2)_?)(?P<other>[a-z_]+)")
_INVERSE = re.compile(
    r"\b(?:inverse|opposite|reverse|counterpart) (?:function )?(?:of|to) [`:a-z]*?`*(\w+)"
)
READERS = ("parse", "from_string", "from_str", "fromstring", "from_text")
"""Class methods that read what ``str()`` writes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``undo(do(x))`` should be ``x``.

    Attributes:
        is_lossless: the names promise that nothing is lost on the way, as those of ``quote`` and
            ``unquote`` do; those of ``snake_to_camel`` and ``camel_to_snake`` do not.
        is_typed: the hints of both fit each other word for word.
    """

    do: Target
    undo: Target
    is_lossless: bool
    is_typed: bool


def pairs(targets: Sequence[Target]) -> Iterator[Pair]:
    """Functions of one argument, and methods with their class methods, that undo each other."""
    known = {target.qualname: target for target in targets}
    for do in targets:
        for name, is_lossless in _opposites(do):
            owner = f"{do.parent}." if do.parent else ""
            undo = known.get(owner + name)
            if undo is None or undo is do:
                continue
            if _can_be_chained(do, undo) and not _hints_clash(do, undo):
                yield Pair(do, undo, is_lossless, _hints_match(do, undo))


def _opposites(do: Target) -> Iterator[tuple[str, bool]]:
    """Names of what may undo ``do``, and whether they promise that nothing is lost."""
    name = do.name
    if name == "__str__":
        yield from ((reader, True) for reader in READERS)
    if do.is_private:
        return
    for one, other in (*OPPOSITES, *LOSSY):
        if re.search(rf"(?<![a-z]){one}|{one}(?![a-z])", name) and other not in name:
            yield name.replace(one, other), (one, other) in OPPOSITES
    parts = name.split("_")
    for one, other in WORDS:
        if one in parts[:1]:
            yield "_".join([other, *parts[1:]]), True
    turned = _TURNED.fullmatch(name)
    if turned is not None:
        yield turned["other"] + turned["word"] + turned["one"], False
    told = _INVERSE.search(do.docstring or "")
    if told is not None:
        yield told[1], True


def _can_be_chained(do: Target, undo: Target) -> bool:
    if do.is_async or undo.is_async or do.kind is TargetKind.CLASS or len(needed(undo)) != 1:
        return False
    if do.kind is TargetKind.FUNCTION:
        return undo.kind is TargetKind.FUNCTION and len(needed(do)) == 1
    is_method = do.binding == "instance" and not needed(do)
    return is_method and undo.binding in ("class", "static")


def needed(target: Target) -> list[str]:
    """Parameters without a default."""
    return [
        parameter.name
        for parameter in target.parameters
        if parameter.default is None and not parameter.kind.value.startswith("var-")
    ]


def _hints(do: Target, undo: Target) -> tuple[tuple[str | None, str | None], ...]:
    middle = (do.returns, undo.parameters[0].annotation)
    if do.kind is not TargetKind.FUNCTION:
        return (middle,)
    return middle, (do.parameters[0].annotation, undo.returns)


def _hints_match(do: Target, undo: Target) -> bool:
    return all(one is not None and one == other for one, other in _hints(do, undo))


def _hints_clash(do: Target, undo: Target) -> bool:
    """True if hints say that one cannot take what the other gives."""
    return any(
        one in ADMITTED and other in ADMITTED and ADMITTED[one].isdisjoint(ADMITTED[other])
        for one, other in _hints(do, undo)
    )


def round_trips(
    pair: Pair, inputs: Sequence[str], objects: Mapping[str, Sequence[str]], module: Module
) -> Iterator[Candidate]:
    """Candidates that go there and back.

    Args:
        inputs: arguments with which ``do`` was seen to work, as source text.
        objects: constructions of objects by class.
    """
    hint = f"round trip of {pair.do.name} and {pair.undo.name}"
    owner = pair.do.parent
    if owner is None:
        for text in inputs:
            there = f"{pair.do.qualname}({text})"
            back = f"{pair.undo.qualname}({there})"
            steps: tuple[Step, ...] = (Step(StepKind.PROBE, back, f"_ == ({text})"),)
            if not pair.is_lossless:  # what was lost on the first way is not lost again
                again = f"{pair.do.qualname}({back})"
                steps = (Step(StepKind.PROBE, there), Step(StepKind.PROBE, again))
            yield law(module, pair.do, hint, steps)
        return
    for text in objects.get(owner, ()):
        inner = f"str({text})" if pair.do.name == "__str__" else f"{text}.{pair.do.name}()"
        code = f"{owner}.{pair.undo.name}({inner}) == {text}"
        yield law(module, pair.do, hint, (Step(StepKind.PROBE, code, "_ is True"),))


def law(module: Module, target: Target, hint: str, steps: tuple[Step, ...]) -> Candidate:
    """A candidate that tries a law."""
    text = "\n".join(step.code for step in steps)
    imports = [line for word, line in _IMPORTS.items() if re.search(rf"\b{word}[.(]", text)]
    return Candidate(
        target=target.qualname,
        steps=steps,
        label=module.label,
        origin=LAW,
        imports=tuple(line for line in imports if line.split()[-1] not in module.names),
        name_hint=hint,
    )


_IMPORTS = {
    "Decimal": "from decimal import Decimal",
    "Fraction": "from fractions import Fraction",
    "datetime": "import datetime",
    "uuid": "import uuid",
}


def is_pure(text: str) -> bool:
    """True for source text of a value that is the same each time it is built."""
    node = ast.parse(text, mode="eval").body
    unfit = (ast.Lambda, ast.GeneratorExp, ast.Await, ast.NamedExpr, ast.Starred)
    return not any(isinstance(item, unfit) for item in ast.walk(node))
