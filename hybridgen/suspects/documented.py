"""Where an example in a docstring and what was observed disagree.

Output is compared as doctest compares it, with ELLIPSIS and NORMALIZE_WHITESPACE, and is then
given the benefit of the doubt: addresses, quotes, prefixes of Python 2, numbers that were rounded
for the reader, and values that are equal although they are shown in another way.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import re
from collections.abc import Iterator, Sequence

from hybridgen.domain import CheckKind, Module, Observation, StepResult, Strength, Suspect
from hybridgen.suspects.calling import ELSEWHERE, Caller
from hybridgen.suspects.kinds import literal, parsed
from hybridgen.suspects.returned import value_of
from hybridgen.suspects.sessions import (
    MODULE,
    MODULE_PROSE,
    SESSION,
    Session,
    Shown,
    sessions,
)

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.DONT_ACCEPT_TRUE_FOR_1
_ADDRESS = re.compile(r"0x[0-9A-Fa-f]+")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w])")
_PREFIX = re.compile(r"\b[ub](?=['\"])")
LONGEST_SHOWN = 200


def documented_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One suspect for each example that does not give what its docstring shows."""
    found = {_key(session): session for session in sessions(module, module.targets)}
    for observation in observations:
        candidate = observation.candidate
        if candidate.origin == SESSION:
            session = found.get((candidate.target, candidate.name_hint))
            if session is not None:
                yield from _judge(session, observation, module, caller)
        elif candidate.origin == ELSEWHERE and candidate.target in caller.targets:
            suspect = _judge_elsewhere(observation, module, caller)
            if suspect is not None:
                yield suspect


def _judge_elsewhere(observation: Observation, module: Module, caller: Caller) -> Suspect | None:
    """What a document or a test says of one call: weak, for who wrote it may have been wrong.

    Only for a call that needs nothing before it: what was left out there may matter.
    """
    steps, results = observation.candidate.steps, observation.results
    if len(steps) != 1 or results[0].opinion_holds is not False:
        return None
    want = (steps[0].opinion or "").removeprefix("_ == ")
    value = value_of(results[0])
    got = "" if value is None else ast.unparse(value)
    if not is_comparable(want, got, None) or is_shown(want, got):
        return None
    target = caller.targets[observation.candidate.target]
    return Suspect(
        target=target.qualname,
        call=steps[0].code,
        expected=_short(want),
        observed=_short(got),
        evidence=f"example elsewhere in the project ({module.display}:{target.first_line})",
        strength=Strength.WEAK,
        observation=observation,
    )


def _key(session: Session) -> tuple[str, str]:
    return session.candidate.target, session.candidate.name_hint


def _judge(
    session: Session, observation: Observation, module: Module, caller: Caller
) -> Iterator[Suspect]:
    results = observation.results
    for shown in session.shown:
        if shown.at >= len(results) or not (shown.want or shown.raises):
            continue
        about = _target_of(shown, session, caller)
        if about is None:
            continue
        seen = _contradiction(shown, results[shown.at :])
        if seen is None:
            continue
        expected = f"raises {shown.raises}" if shown.raises else shown.want.strip()
        yield Suspect(
            target=about,
            call=shown.source,
            expected=_short(expected),
            observed=_short(seen),
            evidence=f"docstring example ({module.display}:{shown.line})",
            strength=Strength.STRONG,
            observation=observation,
        )


def _target_of(shown: Shown, session: Session, caller: Caller) -> str | None:
    """What an example is about: for a module's docstring only what it calls itself."""
    if session.candidate.name_hint not in (MODULE, MODULE_PROSE):
        return session.candidate.target
    for node in ast.walk(ast.parse(shown.source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in caller.targets:
                return name
    return None


def _contradiction(shown: Shown, results: Sequence[StepResult]) -> str | None:
    """What was observed instead, or None if it may well be what the docstring shows."""
    first = results[0]
    if first.status == "raised" and first.raised is not None:
        if not first.raised.is_inside:  # it never came so far: names that the session lacks
            return None
        is_told = shown.raises and is_kind_of(first.raised.type_name, shown.raises)
        return None if is_told else f"raises {first.raised.type_name}"
    if first.status != "ok":
        return None
    if shown.raises:
        return "raises nothing"
    if not shown.is_value:
        return None if is_shown(shown.want, first.output) else first.output.strip() or "nothing"
    if len(results) < 3 or results[1].status != "ok":
        return None
    text = _text(results[1])
    holds = results[2].opinion_holds
    if text is None or holds is True:
        return None
    if text == "None" and first.output:
        return None if is_shown(shown.want, first.output) else first.output.strip()
    got = first.output + text
    if is_shown(shown.want, got) or not is_comparable(shown.want, got, holds):
        return None
    return got


def is_kind_of(name: str, told: str) -> bool:
    """True unless both are built-in exceptions that have nothing to do with each other."""
    one, other = (getattr(builtins, item, None) for item in (name, told))
    if not isinstance(one, type) or not isinstance(other, type):
        return True
    return issubclass(one, other) or issubclass(other, one)


def _text(result: StepResult) -> str | None:
    """The text that ``repr(...)`` was seen to give, if all of it is known."""
    for check in result.checks:
        if check.kind is CheckKind.EQUAL and not check.path:
            found = literal(check.expression)
            if found and isinstance(found[0], str):
                return found[0]
    return None


def is_shown(want: str, got: str) -> bool:
    """Whether a reader would say that ``got`` is what the docstring shows."""
    if doctest.OutputChecker().check_output(want + "\n", got + "\n", FLAGS):
        return True
    one, other = _plain(want), _plain(got)
    if "..." in one and doctest.OutputChecker().check_output(one + "\n", other + "\n", FLAGS):
        return True
    return one == other or _are_rounded(one, other) or _are_equal(want, got)


def _plain(text: str) -> str:
    """Text without what differs for no reason: space, quotes, addresses, prefixes, comments."""
    text = _ADDRESS.sub("0x", _PREFIX.sub("", text))
    text = re.sub(r"\s+#.*", "", text).replace("<BLANKLINE>", "").replace('"', "'")
    return re.sub(r"\s+", "", text).strip("'`")


def _are_rounded(want: str, got: str) -> bool:
    """True if only numbers differ, and those that the docstring shows are rounded."""
    if _NUMBER.sub("#", want) != _NUMBER.sub("#", got):
        return False
    for one, other in zip(_NUMBER.findall(want), _NUMBER.findall(got), strict=True):
        digits = len(one.partition(".")[2].partition("e")[0])
        if one == other:
            continue
        if not digits and "." not in other:
            return False
        number, rounded = float(other), float(one)
        limit = max(1.01 * 10.0**-digits if digits else 0.0, 1e-9 * abs(rounded))
        if abs(number - rounded) > limit:
            return False
    return True


def _are_equal(want: str, got: str) -> bool:
    """True for literals that are equal: other order of a dict, other spelling of a number."""
    one, other = literal(want), literal(got)
    return one is not None and other is not None and bool(one == other)


def is_comparable(want: str, got: str, holds: bool | None) -> bool:
    """True if both are of a form in which a difference means something.

    Prose is not, nor is an object that is shown in another way by now (``<map object>`` where
    Python 2 gave a list).
    """
    if literal(want) is not None:
        return literal(got) is not None and "..." not in want
    if want.startswith("<") and got.startswith("<"):
        return _first_word(want) == _first_word(got) and "..." not in want
    match parsed(want), parsed(got):
        case ast.Call(func=one), ast.Call(func=other):
            return holds is False and ast.unparse(one) == ast.unparse(other)
    return False


def _first_word(text: str) -> str:
    return re.split(r"\W+", text)[1]


def _short(text: str) -> str:
    """One line: a literal over several lines stays one, other text shows where its lines end."""
    glue = "\\n" if literal(text) is None else " "
    text = text.strip().replace("\n", glue)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
