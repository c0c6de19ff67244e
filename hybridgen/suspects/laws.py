"""Laws that names and operators promise, tried on inputs that are known to work, and judged.

``slugify(slugify(x))`` is ``slugify(x)``; what is equal has the same hash; ``a < b`` and ``b < a``
are not both true. Commutativity only where a docstring says the word.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from hybridgen.domain import (
    Candidate,
    Module,
    Observation,
    Step,
    StepKind,
    Strength,
    Suspect,
    Target,
    TargetKind,
)
from hybridgen.suspects.calling import DOCUMENTED, Called, Caller
from hybridgen.suspects.kinds import kind_of, literal, parsed
from hybridgen.suspects.pairs import LAW, is_pure, law, needed, pairs, round_trips
from hybridgen.suspects.returned import value_of

MOST_INPUTS = 6
"""Inputs with which a law of one function is tried."""

MOST_OBJECTS = 4
MOST_CANDIDATES = 60
IDEMPOTENCE = "idempotence"
COMMUTATIVITY = "commutativity"
_IDEMPOTENT = re.compile(
    r"(?:.*_)?(?:normali[sz]e|canonicali[sz]e|slugify|sanitize|sanitise|dedupe|deduplicate|"
    r"dedent|simplify|collapse_\w*spaces?|strip|strip_(?:\w*spaces?|accents|tags|html|ansi|"
    r"punctuation|comments))(?:_(?:text|name|path|url|key|string|str|spaces?|whitespace))?"
)


def law_candidates(
    module: Module, targets: Sequence[Target], observations: Sequence[Observation]
) -> tuple[Candidate, ...]:
    """Calls that try round trips and laws, with inputs that were seen to work."""
    caller = Caller(module, observations)
    inputs, objects = _inputs(observations, caller), _objects(observations, caller)
    found: list[Candidate] = []
    for pair in pairs(targets):
        found += round_trips(pair, inputs.get(pair.do.qualname, ())[:MOST_INPUTS], objects, module)
    for target in targets:
        if target.kind is TargetKind.FUNCTION and not target.is_async:
            found += _function_laws(module, target, inputs.get(target.qualname, ()))
        elif target.kind is TargetKind.CLASS:
            found += _order_laws(module, target, caller, objects.get(target.qualname, ()))
    unique = {tuple(step.code for step in item.steps): item for item in found}
    return tuple(unique.values())[:MOST_CANDIDATES]


def _inputs(observations: Sequence[Observation], caller: Caller) -> dict[str, list[str]]:
    """Arguments, as source text, of calls that gave a value; those that people wrote first."""
    found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for observation in observations:
        if observation.candidate.origin in ("odd", LAW) or observation.candidate.fixtures:
            continue
        rank = 0 if observation.candidate.origin == DOCUMENTED else 1
        for calls, result in zip(
            caller.calls(observation.candidate), observation.results, strict=False
        ):
            for call in calls:
                text = _text(call)
                if result.status == "ok" and text and not result.changed:
                    found[call.target.qualname].append((rank, text))
    return {
        name: list(dict.fromkeys(text for _, text in sorted(items, key=lambda item: item[0])))
        for name, items in found.items()
    }


def _text(call: Called) -> str:
    """The positional arguments of a call that has no others and reads no variable."""
    if not call.arguments or len(call.arguments) != max(1, len(needed(call.target))):
        return ""
    text = ", ".join(ast.unparse(value) for _, value in call.arguments)
    names = [n for _, v in call.arguments for n in ast.walk(v) if isinstance(n, ast.Name)]
    return text if not names and is_pure(f"({text})") else ""


def _objects(observations: Sequence[Observation], caller: Caller) -> dict[str, list[str]]:
    """Constructions, as source text, that worked, by class; short ones first."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for observation in observations:
        if observation.candidate.origin in ("odd", LAW) or observation.candidate.fixtures:
            continue
        for step, result in zip(observation.candidate.steps, observation.results, strict=False):
            match parsed(step.code.partition(" = ")[2] or step.code):
                case ast.Call(func=ast.Name(id=name)) as node if name in caller.targets:
                    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                    is_known = names <= set(caller.targets)
                    if result.status == "ok" and is_known and is_pure(ast.unparse(node)):
                        found[name][ast.unparse(node)] = None
    return {name: sorted(items, key=len)[:MOST_OBJECTS] for name, items in found.items()}


def _function_laws(module: Module, target: Target, inputs: Sequence[str]) -> Iterator[Candidate]:
    name = target.qualname
    if _IDEMPOTENT.fullmatch(target.name) and len(needed(target)) == 1:
        for text in inputs[:MOST_INPUTS]:
            once = f"{name}({text})"
            steps = (Step(StepKind.PROBE, once), Step(StepKind.PROBE, f"{name}({once})"))
            yield law(module, target, IDEMPOTENCE, steps)
    told = re.search(r"(?<!not )(?<!non-)\bcommutative\b", target.docstring or "")
    if told and len(needed(target)) == 2:
        for text in inputs[:MOST_INPUTS]:
            match parsed(f"({text})"):
                case ast.Tuple(elts=[one, other]):
                    turned = f"{name}({ast.unparse(other)}, {ast.unparse(one)})"
                    steps = Step(StepKind.PROBE, f"{name}({text})"), Step(StepKind.PROBE, turned)
                    yield law(module, target, COMMUTATIVITY, steps)


ORDER_LAWS = (
    ("__eq__", "a value equals itself", "({a}) == ({a})"),
    ("__eq__", "symmetry of ==", "(({a}) == ({b})) is (({b}) == ({a}))"),
    ("__eq__", "!= is the opposite of ==", "(({a}) != ({b})) is not (({a}) == ({b}))"),
    ("__hash__", "what is equal has one hash", "({a}) != ({b}) or hash({a}) == hash({b})"),
    ("__lt__", "nothing is less than itself", "not (({a}) < ({a}))"),
    ("__lt__", "a < b and b < a are not both true", "not (({a}) < ({b}) and ({b}) < ({a}))"),
    ("__lt__", "a < b excludes a == b", "not (({a}) < ({b}) and ({a}) == ({b}))"),
    ("__gt__", "a < b means b > a", "(({a}) < ({b})) is (({b}) > ({a}))"),
    ("__le__", "a < b means a <= b", "not (({a}) < ({b})) or ({a}) <= ({b})"),
)
"""Method, name of the law, and what is true of any two objects."""


def _order_laws(
    module: Module, target: Target, caller: Caller, objects: Sequence[str]
) -> Iterator[Candidate]:
    for method, name, code in ORDER_LAWS:
        known = caller.targets.get(f"{target.qualname}.{method}")
        if known is None or _is_partial(target):
            continue
        is_about_one = "{b}" not in code
        for index, one in enumerate(objects):
            for other in objects[index : index + 1] if is_about_one else objects[index:]:
                text = ast.unparse(ast.parse(code.format(a=one, b=other)))
                step = Step(StepKind.PROBE, text, "_ is True")
                yield law(module, known, name, (step,))


def _is_partial(target: Target) -> bool:
    """True for classes that answer with something else than yes and no (expressions, mocks)."""
    return bool(re.search(r"expr|query|column|field|mock|any|match", target.name.lower()))


def law_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One suspect for each pair, and each method or function, of which a law was broken."""
    found = {pair.do.qualname: pair for pair in pairs(module.targets)}
    tried: defaultdict[tuple[str, str], list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.candidate.origin == LAW:
            key = observation.candidate.target, observation.candidate.name_hint
            tried[key].append(observation)
    told: set[str] = set()  # a class whose order is broken breaks several laws at once
    for (name, hint), group in tried.items():
        broken = [item for item in group if _is_broken(item, hint)]
        if not broken or name not in caller.targets or name in told:
            continue
        worst = min(broken, key=lambda item: len(item.candidate.steps[-1].code))
        pair = found.get(name) if _is_trip(hint) else None
        told |= {name} if pair is None else {pair.do.qualname, pair.undo.qualname}
        is_mostly_broken = 2 * len(broken) > len(group)
        if pair is not None and is_mostly_broken and not pair.is_typed:
            continue  # the names fit, but they are no pair
        is_strong = pair is not None and pair.is_lossless and len(broken) < len(group)
        is_strong = is_strong and _is_asked_for(worst, name, caller)
        yield _suspect(worst, hint, module, is_strong=is_strong, caller=caller)


def _is_asked_for(observation: Observation, name: str, caller: Caller) -> bool:
    """True if what went into a round trip is what its first half asks for."""
    calls = [call for found in caller.calls(observation.candidate) for call in found]
    first = [call for call in calls if call.target.qualname == name]
    return bool(first) and all(map(caller.is_asked_for, first))


def _is_trip(hint: str) -> bool:
    return hint.startswith("round trip")


def _suspect(
    observation: Observation, hint: str, module: Module, *, is_strong: bool, caller: Caller
) -> Suspect:
    step, result = observation.candidate.steps[-1], observation.results[-1]
    target = caller.targets[observation.candidate.target]
    expected, value, raised = _expected(observation), value_of(result), result.raised
    seen = f"raises {raised.type_name}" if raised is not None else "another value"
    return Suspect(
        target=target.qualname,
        call=step.code,
        expected="True" if expected is None else ast.unparse(expected)[:200],
        observed=seen if value is None else ast.unparse(value)[:200],
        evidence=f"{hint} ({module.display}:{target.first_line})",
        strength=Strength.STRONG if is_strong else Strength.WEAK,
        observation=observation,
    )


def _expected(observation: Observation) -> ast.expr | None:
    """What the law says should come out, or None where it says that a condition is true."""
    opinion = observation.candidate.steps[-1].opinion or ""
    if opinion.startswith("_ =="):
        return parsed(opinion.removeprefix("_ =="))
    return value_of(observation.results[0]) if not opinion else None


def _is_broken(observation: Observation, hint: str) -> bool:
    """True if a law does not hold, and not just because the value has another form."""
    steps, results = observation.candidate.steps, observation.results
    if len(steps) != len(results):
        return False
    result, opinion = results[-1], steps[-1].opinion or ""
    if result.raised is not None:
        # Operators may refuse; but what one half of a pair writes, the other has to read.
        return _is_trip(hint) and opinion.startswith("_ ==") and result.raised.is_inside
    if result.status != "ok" or (opinion and result.opinion_holds is not False):
        return False
    if opinion.startswith("_ is"):
        return True
    value, expected = value_of(result), _expected(observation)
    if value is None or expected is None:
        return False
    if kind_of(value) != kind_of(expected):  # a text for a number: another form of it
        return kind_of(value) == "NoneType"
    return not _is_close(value, expected)


def _is_close(one: ast.expr, other: ast.expr) -> bool:
    """True for values that are equal, or differ by the rounding of fractions inside."""
    one_value, other_value = literal(ast.unparse(one)), literal(ast.unparse(other))
    if one_value is not None and one_value == other_value:
        return True
    shape = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")
    first, second = ast.unparse(one), ast.unparse(other)
    numbers = list(zip(shape.findall(first), shape.findall(second), strict=False))
    return shape.sub("#", first) == shape.sub("#", second) and all(
        a == b or ("." in a + b and abs(float(a) - float(b)) <= 1e-6 * max(1.0, abs(float(a))))
        for a, b in numbers
    )
