"""Names for tests: what is tested, and what happens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence, Set

from hybridgen.domain import Check, CheckKind, Observation, Raised, StepResult, Target, TargetKind
from hybridgen.domain.places import is_listing, is_place
from hybridgen.suite.conditions import cause, ways
from hybridgen.suite.edges import literal
from hybridgen.suite.messages import stable_part, words_of
from hybridgen.suite.policy import words
from hybridgen.suite.qualities import kind, quality, result_in_words, value_in_words
from hybridgen.suite.shapes import Call, call_in, construction, printed_only

_HINT = re.compile(r"test_[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_MEANINGLESS = re.compile(r"(?:_?(?:case|example|basic|simple|test|function|method|\d+))+$")
_RAISES = words("raise raises error errors exception fails rejects throws raised")
_CLAIMS = {"true": "True", "false": "False", "none": "None", "empty": "", "zero": "0"}
_TYPES = re.compile(r"\b(?:int|str|float|bytes|type|string|integer|number)\b")
_LONGEST = 70
_WORDS_OF_MESSAGE = 6
_LOOSE_ENDS = words(
    "a an and are as at be but by for from got in is must not of on or should than that the to with"
)
_SHORT_WORD = 2  # "be", "at": such words of a message blame nobody


def slug(qualname: str) -> str:
    """``Cart.add_item`` -> ``cart_add_item``, ``Cart.__len__`` -> ``cart_len``."""
    parts = [_snake(part) for part in qualname.split(".")]
    if parts[-1] == "init" and len(parts) > 1:
        parts.pop()
    return "_".join(part for part in parts if part)


def choose_name(
    observations: Sequence[Observation],
    subject_name: str,
    parameters: Sequence[str],
    targets: Sequence[Target],
    taken: Set[str],
    *,
    is_one_of_many: bool = False,
    owner: str = "",
) -> str:
    """A name that no other test has.

    Args:
        observations: the cases of the test, one for a plain test.
        subject_name: qualified name of what its last step shows.
        parameters: names of the arguments of its last call, "" where unknown.
        targets: of the module.
        taken: the names in use.
        is_one_of_many: True if other tests show the same exception of the same subject.
        owner: the class under test whose name the test need not repeat, or "".
    """
    own = subject_name.removeprefix(owner).lstrip(".") if owner else subject_name
    shown = _attribute(observations[0])
    is_class = any(t.qualname == subject_name and t.kind is TargetKind.CLASS for t in targets)
    subject = "_".join(filter(None, [slug(own), shown if is_class else ""]))
    subject = subject or (_inherited(observations[0]) or "init" if owner else "module")
    found = _proposals(observations, subject_name, parameters, targets, is_one_of_many)
    names = [name[:_LONGEST].rstrip("_") for name in found]
    for name in (f"test_{subject}{'_' if detail else ''}{detail}" for detail in names):
        if name not in taken:
            return name
    hint = observations[0].candidate.name_hint
    best = f"test_{'_'.join(filter(None, [subject, names[0] if names else '']))}"
    for extra in (hint, *(f"{best}_{number}" for number in range(2, len(taken) + 3))):
        if extra and extra not in taken and _HINT.fullmatch(extra):
            return extra
    raise AssertionError("more numbers than names were tried")


def _inherited(observation: Observation) -> str:
    """``pop`` for a case of a class that ends by ``queue.pop()``, or ""."""
    *before, last = observation.candidate.steps
    match _parse(last.code):
        case ast.Module(
            body=[ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)))]
        ) if any(step.code.startswith(f"{owner} = ") for step in before):  # not asyncio.run()
            return _snake(name)
    return ""


def _shown(result: StepResult) -> tuple[Check, ...]:
    """What is asserted of a value, or else of what changed."""
    changed = (checks for name, checks in result.changed if name.isidentifier())
    return result.checks or tuple(check for checks in changed for check in checks)


def _attribute(observation: Observation) -> str:
    """``owner`` for a case that ends by looking at ``cart.owner``, or ""."""
    match _parse(observation.candidate.steps[-1].code):
        case ast.Module(body=[ast.Expr(value=ast.Attribute(value=ast.Name(), attr=name))]):
            return _snake(name)
    return ""


def _proposals(
    observations: Sequence[Observation],
    subject_name: str,
    parameters: Sequence[str],
    targets: Sequence[Target],
    is_one_of_many: bool,
) -> Iterator[str]:
    """What comes after ``test_<subject>``, best first."""
    first = observations[0]
    target = next((t for t in targets if t.qualname == subject_name), None)
    why = cause(observations, targets, subject_name)
    others = () if why else ways(observations, targets, subject_name)
    result = first.results[-1]
    is_single = len(observations) == 1
    if is_single and (detail := _hinted(first, subject_name)) is not None:
        yield detail
    history = _history(first, subject_name)
    arguments = _describe(first, parameters) if is_single else ""
    if result.raised is not None:
        patterns = {c.results[-1].raised.match for c in observations if c.results[-1].raised}
        is_one_of_many &= len(patterns) == 1
        extra = _extra(first, parameters)
        code = "\n".join(step.code for step in first.candidate.steps)
        own = [parameter.name for parameter in target.parameters] if target is not None else []
        yield from _raising(
            result.raised, code, arguments, extra, why, own, history, is_one_of_many
        )
        return
    if printed_only(result):
        yield "_".join(filter(None, ["prints", *history]))
    if result.warnings:
        yield f"emits_{_snake(result.warnings[0])}"
    did = _on_disk(result)
    if did and not result.checks:
        yield "_".join([did, *history])
    elif result.changed and not result.checks and not history:
        name = result.changed[0][0]
        is_own_object = any(
            re.match(rf"{name} = [A-Z]", step.code) for step in first.candidate.steps
        )
        yield "" if is_own_object else f"changes_{_snake(name)}"
    if result.checks and all(check.kind is CheckKind.NAN for check in result.checks):
        yield "_".join(["is_not_a_number", *history])
    if history:
        yield "_".join(history)
    else:
        is_class = target is not None and target.kind is TargetKind.CLASS
        yield "attributes" if is_class and any(c.path for c in result.checks) else ""
    if _is_repeated(first, subject_name):
        yield "_".join(["again", *history])
    if why:
        yield "_".join([why, *history])
    if arguments:
        yield "_".join(filter(None, ["of", arguments, *history]))
    yield from ("_".join([way, *history]) for way in others)
    if did:
        yield "_".join([did, *history])
    checks = [check for case in observations for check in _shown(case.results[-1])]
    yield from _distinguished(first, checks, parameters, history, targets)


def _on_disk(result: StepResult) -> str:
    """What a call did below ``tmp_path``: ``writes_file``, ``moves_file`` ..., or ""."""
    told = [checks for name, checks in result.changed if is_place(name) or is_listing(name)]
    paths = {check.path for checks in told for check in checks}
    if not paths or paths == {".is_dir()"}:
        return "makes_folder" if paths else ""
    if ".exists()" in paths:
        return "removes_file" if paths == {".exists()"} else "moves_file"
    return "writes_file"


def _raising(
    raised: Raised,
    code: str,
    arguments: str,
    extra: str,
    why: str,
    parameters: Sequence[str],
    history: Sequence[str],
    is_one_of_many: bool,
) -> Iterator[str]:
    after = "_".join(history)
    kind = f"raises_{_snake(raised.type_name)}"
    message = _short_message(raised, code)
    if arguments and not after and _is_blamed(arguments, raised):
        yield f"rejects_{arguments}"
    if why:
        is_empty = why == arguments.replace("empty_", "without_", 1)
        if short := f"rejects_{arguments}" if is_empty else _rejecting(why, parameters):
            yield short
        yield f"{kind}_{why}"
    if is_one_of_many and message:
        yield f"{kind}_{message}"
    yield "_".join(filter(None, [kind, after]))
    if message:
        yield f"{kind}_{message}"
    if extra:
        yield "_".join(filter(None, [kind, extra, after]))


def _rejecting(why: str, parameters: Sequence[str]) -> str:
    """``rejects_quantity_below_1`` for ``if_quantity_is_below_1``, or ""."""
    for parameter in map(_snake, parameters):
        if why == f"without_{parameter}":
            return f"rejects_missing_{parameter}"
        is_joined = ("_and_" in why and "_between_" not in why) or "_or_" in why
        if why.startswith(f"if_{parameter}_is_") and not is_joined:
            rest = why.removeprefix(f"if_{parameter}_is_")
            is_adjective = rest in ("negative", "empty", "positive")
            return f"rejects_{rest}_{parameter}" if is_adjective else f"rejects_{parameter}_{rest}"
    return ""


def _short_message(raised: Raised, code: str) -> str:
    """The first words of a message, without the input in it, as far as they fit into a name."""
    found = words_of(stable_part(raised.match, code))[:_WORDS_OF_MESSAGE]
    while found and found[-1] in _LOOSE_ENDS:
        found.pop()
    text = "_".join(found)
    is_said = len(found) > 1 and any(word.isalpha() for word in found)
    return text if text.isascii() and is_said else ""


def _is_blamed(arguments: str, raised: Raised) -> bool:
    """True if the message speaks of the argument that stands out: no cause is guessed."""
    if _TYPES.search(raised.match):
        return False  # it is the type that is wrong, not that the number is 0
    message = words_of(raised.match)
    names = [word.rstrip("s") for word in arguments.split("_")]
    return any(word.rstrip("s") in names for word in message if len(word) > _SHORT_WORD)


def _distinguished(
    first: Observation,
    checks: Sequence[Check],
    parameters: Sequence[str],
    history: Sequence[str],
    targets: Sequence[Target],
) -> Iterator[str]:
    """Second choices, for the second test of one target."""
    after = "_".join(history)
    if extra := _extra(first, parameters):
        yield "_".join(filter(None, [extra, after]))
    if built := _built(first, targets):
        yield "_".join(filter(None, [built, after]))
    for given in _inputs(first, parameters):
        yield "_".join(filter(None, ["of", given, after]))
    kinds = {check.kind for check in checks}
    if kinds == {CheckKind.IS} and not _is_equation(first):
        values = {check.expression for check in checks}
        if values <= {"True", "False"} and len(values) == 1:
            yield "_".join(filter(None, ["is", _snake(values.pop()), after]))
    if _is_plain_value(checks):
        yield "_".join(filter(None, ["gives", value_in_words(checks[0]), after]))
    if len(checks) == 1 and checks[0].path and (value := value_in_words(checks[0])):
        yield "_".join(filter(None, ["gives", _snake(checks[0].path).strip("_"), value, after]))
    if any(check.path for check in checks):
        yield "_".join(filter(None, ["attributes", after]))
    if ends := {result_in_words(check) for check in checks if not check.path} - {""}:
        yield "_".join(filter(None, ["gives", *(ends if len(ends) == 1 else ()), after]))


def _inputs(observation: Observation, parameters: Sequence[str]) -> Iterator[str]:
    """What kind of value each argument is: ``numeric_text``, ``single_items``, ``nothing``."""
    call = _asking_call(observation)
    if call is None:
        return
    if not call.arguments:
        yield "nothing"
    for text, parameter in zip(call.arguments, parameters, strict=False):
        if found := kind(literal(text)):
            yield f"{found}_{_snake(parameter)}"


def _is_repeated(observation: Observation, subject_name: str) -> bool:
    """True if the method that the last step calls was called on the same object before."""
    name = subject_name.rpartition(".")[2]
    *before, last = observation.candidate.steps
    own = _names(last.code)
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in own
        for step in before
        for node in ast.walk(_parse(step.code))
    )


def _is_plain_value(checks: Sequence[Check]) -> bool:
    """True if one short text or number is all that was observed."""
    is_one = len(checks) == 1 and not checks[0].path
    return is_one and bool(re.search(r"[a-z0-9]", value_in_words(checks[0])))


def _is_equation(observation: Observation) -> bool:
    """True for ``f(x) == y``, where "is true" would say nothing."""
    match _parse(observation.candidate.steps[-1].code):
        case ast.Module(body=[ast.Expr(value=ast.Compare(left=ast.Call()))]):
            return True
    return False


def _asking_call(observation: Observation) -> Call | None:
    """The last call, also the left side of ``f(x) == y``."""
    code = observation.candidate.steps[-1].code
    match _parse(code):
        case ast.Module(body=[ast.Expr(value=ast.Compare(left=left))]):
            return call_in(ast.unparse(left))
    return call_in(code)


def _built(observation: Observation, targets: Sequence[Target]) -> str:
    """How the object of a case is made: ``made_with_owner``, ``made_by_parse``, ``by_default``."""
    step = observation.candidate.steps[0]
    found = construction(step.code)
    if found is None:
        is_bare = re.fullmatch(r"\w+ = [A-Z]\w*\(\)", step.code)
        return "by_default" if is_bare else ""
    call = found[1]
    names = [_snake(name) for name, _ in call.keywords[:2]]
    maker = re.fullmatch(r"[A-Z]\w*\.([a-z]\w*)", call.function)
    if maker and not names:
        return f"made_by_{_snake(maker[1])}"
    known = next((t.parameters for t in targets if t.qualname == call.function), ())
    if not names and len(call.positional) > 1:
        names = [_snake(item.name) for item in known[: len(call.positional)]][-1:]
    return f"made_with_{'_and_'.join(names)}" if names else ""


def _extra(observation: Observation, parameters: Sequence[str]) -> str:
    """What one call has that a shorter one has not: ``with_currency``."""
    call = _asking_call(observation)
    if call is None:
        return ""
    if call.keywords:
        return f"with_{'_and_'.join(_snake(name) for name, _ in call.keywords[:2])}"
    is_named = len(call.positional) > 1 and parameters and "value" not in parameters[-1]
    return f"with_{_snake(parameters[-1])}" if is_named else ""


def _history(observation: Observation, subject_name: str) -> list[str]:
    """``["after", "add", "and", "remove"]``: methods called before the last step."""
    *before, last = observation.candidate.steps
    names: list[str] = []
    for step in before:
        for node in ast.walk(_parse(step.code)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attribute)):
                    name = _snake(attribute)
                    is_own = owner in _names(last.code) and owner != "asyncio"
                    if is_own and name and name not in names:
                        names.append(name)
    own = slug(subject_name.rpartition(".")[2])
    names = [name for name in names if name != own]
    if not names:
        return []
    words = names if len(names) <= 2 else [names[0], names[-1]]
    return ["after", "_and_".join(words)]


def _describe(observation: Observation, parameters: Sequence[str]) -> str:
    """The one argument that stands out (``empty_text``, ``negative_price``), or ""."""
    call = call_in(observation.candidate.steps[-1].code)
    if call is None:
        return ""
    found: list[str] = []
    for text, parameter in zip(call.arguments, parameters, strict=False):
        word = quality(text)
        if word == "none":
            found.append(word)
        elif word and parameter:
            found.append(f"{word}_{_snake(parameter)}")
    return found[0] if len(found) == 1 else ""


def _hinted(observation: Observation, subject_name: str) -> str | None:
    """The candidate's own name without its subject, if it is decent and true."""
    hint = observation.candidate.name_hint.strip().lower()
    subject = slug(subject_name)
    if not _HINT.fullmatch(hint) or len(hint) > _LONGEST:
        return None
    rest = hint.removeprefix("test_")
    own = slug(subject_name.rpartition(".")[2])
    for prefix in (subject, own):
        if prefix and (rest == prefix or rest.startswith(f"{prefix}_")):
            rest = rest[len(prefix) :].strip("_")
            return (
                rest
                if rest and not _MEANINGLESS.fullmatch(rest) and _is_true(rest, observation)
                else None
            )
    return None


def _is_true(claim: str, observation: Observation) -> bool:
    """False if the words of a hint contradict what was observed, as far as words go."""
    has_raised = observation.results[-1].status == "raised"
    expressions = {check.expression for result in observation.results for check in result.checks}
    code = " ".join(step.code for step in observation.candidate.steps)
    return _is_shown(claim.split("_"), code, expressions, has_raised=has_raised)


def says_nothing_wrong(detail: str, body: str) -> bool:
    """Whether the words of a name say something, and nothing that the statements belie.

    Args:
        detail: what comes after the name of what is tested, ``empty_text``.
        body: the statements of the test.
    """
    if _MEANINGLESS.fullmatch(detail) or not detail:
        return False
    expected: set[str] = set()
    for node in ast.walk(_parse(body)):
        match node:
            case ast.Assert(test=ast.Compare(comparators=[right])):
                expected.add(ast.unparse(right))
            case ast.Assert(test=test):
                expected.add(str(not isinstance(test, ast.UnaryOp)))
    has_raised = bool(re.search(r"\b(?:raises|assertRaises\w*)\(", body))
    return _is_shown(detail.split("_"), body, expected, has_raised=has_raised)


def _is_shown(words: Sequence[str], code: str, expressions: Set[str], *, has_raised: bool) -> bool:
    """False if words contradict what code gave, as far as words go."""
    if has_raised != bool(_RAISES & set(words)):
        return False
    known = f"{code} {' '.join(expressions)}"
    for word in words:
        claimed = _CLAIMS.get(word)
        if claimed and claimed not in expressions and claimed not in known:
            return False
        if word.isdigit() and not re.search(rf"(?<!\d){word}(?!\d)", known):
            return False
        if word in ("true", "false") and claimed not in expressions:
            return False
    outcome = {"valid": "False", "invalid": "True"}
    return not any(outcome.get(word) in expressions for word in words if word in outcome)


def _snake(name: str) -> str:
    """``ShoppingCart`` -> ``shopping_cart``, ``HTTPError`` -> ``http_error``."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"\W|__+", "_", text.strip("_")).lower()


def _parse(code: str) -> ast.AST:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _names(code: str) -> set[str]:
    return {node.id for node in ast.walk(_parse(code)) if isinstance(node, ast.Name)}
