"""Reads what a worker answers, and believes only what a worker of ours could have said.

The code under test runs in the same process as the worker and may have taken it over. What
comes back is written into a test file, so it is checked for its form here: expectations are
plain values, paths lead to parts of a value, names are names. Anything else costs that check,
or the whole answer. The suite's allow-list comes on top of this.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Collection, Mapping
from typing import Any

from hybridgen.domain import Arc, Check, CheckKind, Raised, StepResult
from hybridgen.domain.places import QUESTIONS, READERS, is_listing, is_place

WRAPPERS = ("", "list", "asyncio.run", "collect")
LONGEST = 1_000
"""Characters of an expression, a path or a message; the worker's own limits are lower."""

MOST_CHECKS = 100
LARGEST_LINE = 2**31
EFFECTS = (
    "writes files outside of tmp_path",
    "starts programs or uses the network",
    "leaves the environment or the working folder changed",
    "opens a file by its number",
    "reads modes or times that the sandbox cannot set",
)

_STATUSES = ("ok", "raised", "skipped")
_SINGLETONS = ("None", "True", "False", "Ellipsis")
_BUILDERS = frozenset({"bytearray", "float", "frozenset", "range", "set", "slice"})
# Classes and functions of the standard library with small letters that give plain values.
_LOWER = frozenset({"compile", "date", "datetime", "deque", "time", "timedelta", "timezone"})
_READERS = frozenset({"as_posix", "group", "groups", "tolist"})
_ESCAPED = re.compile(r"(?:\\[^A-Za-z0-9]|[^\\.^$*+?{}\[\]|()])*", re.DOTALL)
_IMPORT = re.compile(r"(?:import (?P<module>[\w.]+)|from (?P<base>[\w.]+) import (?P<name>\w+))")


class NonsenseError(ValueError):
    """An answer that no worker of ours gives."""


def steps_in(answer: Mapping[str, Any], count: int, imports: Collection[str]) -> list[StepResult]:
    """The results of ``count`` steps.

    Args:
        imports: the import statements that the request held; checks may repeat them.

    Raises:
        NonsenseError: the answer has another form than a worker gives it.
    """
    items = answer.get("steps")
    if not isinstance(items, list) or len(items) != count:
        raise NonsenseError("steps")
    return [_step(item, frozenset(imports)) for item in items]


def wraps_in(answer: Mapping[str, Any]) -> list[str]:
    """What the worker put around each step; call :func:`steps_in` before."""
    wraps = [item.get("wrap", "") for item in answer["steps"]]
    if any(wrap not in WRAPPERS for wrap in wraps):
        raise NonsenseError("wrap")
    return wraps


def arcs_in(answer: Mapping[str, Any], key: str = "arcs") -> frozenset[Arc]:
    """The arcs of any answer; those ``"thrown"`` were left by an exception."""
    pairs = answer.get(key)
    if not isinstance(pairs, list):
        raise NonsenseError(key)
    for pair in pairs:
        is_pair = isinstance(pair, list) and len(pair) == 2
        if not is_pair or not all(type(n) is int and abs(n) < LARGEST_LINE for n in pair):
            raise NonsenseError(key)
    return frozenset((first, last) for first, last in pairs)


def text_in(answer: Mapping[str, Any], key: str) -> str | None:
    """A text of any answer, or None where it says null or nothing."""
    value = answer.get(key)
    if value is not None and not isinstance(value, str):
        raise NonsenseError(key)
    return value


def missing_in(answer: Mapping[str, Any]) -> str | None:
    """The distribution that a failed import asks for; it ends in a command line for people."""
    missing = (text_in(answer, "missing") or "").partition(".")[0]
    return missing if missing.isascii() and missing.isidentifier() else None


def effect_in(answer: Mapping[str, Any]) -> str | None:
    """What the run did beyond its own values, or None."""
    effect = text_in(answer, "effect")
    if effect is not None and effect not in EFFECTS:
        raise NonsenseError("effect")
    return effect


def outcomes_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """Outcome by node of a pytest run."""
    outcomes = answer.get("outcomes")
    if not isinstance(outcomes, dict) or not all(isinstance(v, str) for v in outcomes.values()):
        raise NonsenseError("outcomes")
    return outcomes


def errors_in(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The complaints of a pytest run, each with its node."""
    errors = answer.get("errors")
    if not isinstance(errors, list):
        raise NonsenseError("errors")
    found = []
    for item in errors[:20]:
        is_pair = isinstance(item, list) and len(item) == 2
        if not is_pair or not all(isinstance(part, str) for part in item):
            raise NonsenseError("errors")
        found.append(f"{item[0]}: {item[1]}"[: 2 * LONGEST])
    return tuple(found)


# ---------------------------------------------------------------- one step


def _step(item: object, imports: frozenset[str]) -> StepResult:
    if not isinstance(item, dict) or item.get("status") not in _STATUSES:
        raise NonsenseError("status")
    status, raised = item["status"], None
    if status == "raised":
        raised = _raised(item.get("raised"))
        if raised is None:  # a class that no import statement reaches
            return StepResult("skipped")
    output, holds = item.get("output", ""), item.get("opinion_holds")
    complaints = item.get("complaints", "")
    if not isinstance(complaints, str):
        raise NonsenseError("complaints")
    if not isinstance(output, str) or holds not in (None, True, False):
        raise NonsenseError("output")
    return StepResult(
        status=status,
        checks=_checks(item.get("checks", []), imports),
        raised=raised,
        output=output,
        warnings=tuple(_names(item.get("warnings", []))),
        changed=tuple(_changed(item.get("changed", []), imports)),
        opinion_holds=None if holds is None else bool(holds),
        logs=_logs(item.get("logs", [])),
        complaints=complaints,
    )


def _logs(items: object) -> tuple[tuple[str, str], ...]:
    """Level and message of each record; a message that a test cannot show costs all of them."""
    if not isinstance(items, list):
        raise NonsenseError("logs")
    for item in items:
        is_pair = isinstance(item, list) and len(item) == 2
        if not is_pair or not all(isinstance(part, str) for part in item):
            raise NonsenseError("logs")
    is_plain = all(len(text) <= LONGEST and text.isprintable() for _, text in items)
    return tuple((level, text) for level, text in items) if is_plain else ()


def _names(items: object) -> list[str]:
    if not isinstance(items, list) or not all(isinstance(n, str) and _is_name(n) for n in items):
        raise NonsenseError("names")
    return items


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text) and len(text) <= LONGEST


def _changed(items: object, imports: frozenset[str]) -> list[tuple[str, tuple[Check, ...]]]:
    """The checks of what changed: an argument by its name, or something below ``tmp_path``."""
    if not isinstance(items, list) or any(not isinstance(i, list) or len(i) != 2 for i in items):
        raise NonsenseError("changed")
    if not all(isinstance(name, str) for name, _ in items):
        raise NonsenseError("changed")
    _names([name for name, _ in items if not (is_place(name) or is_listing(name))])
    found = [(name, _checks(checks, imports, name)) for name, checks in items[:MOST_CHECKS]]
    return [(name, checks) for name, checks in found if checks or name.isidentifier()]


def _raised(item: object) -> Raised | None:
    if not isinstance(item, dict):
        raise NonsenseError("raised")
    texts = [item.get(key) for key in ("type_name", "type_import", "match")]
    flags = [item.get(key) for key in ("is_deliberate", "is_inside")]
    if not all(isinstance(t, str) for t in texts) or not all(type(f) is bool for f in flags):
        raise NonsenseError("raised")
    name, line, match = (str(text) for text in texts)
    if not _is_name(name):
        return None
    if line:
        found = _import(line)
        if found is None or found["name"] != name:
            return None
    elif not _is_exception(name):
        return None
    is_plain = len(match) <= LONGEST and _ESCAPED.fullmatch(match)
    text = item.get("text", "")
    said = text[:LONGEST] if isinstance(text, str) else ""
    is_deliberate, is_inside = map(bool, flags)
    return Raised(name, line, match if is_plain else "", is_deliberate, is_inside, text=said)


def _is_exception(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _import(line: object) -> re.Match[str] | None:
    """The parts of an import statement without ``as``, if it is one."""
    found = _IMPORT.fullmatch(line) if isinstance(line, str) and len(line) < LONGEST else None
    if found is None:
        return None
    parts = (found["module"] or f"{found['base']}.{found['name']}").split(".")
    return found if all(map(_is_name, parts)) else None


# ---------------------------------------------------------------- checks


def _checks(items: object, imports: frozenset[str], subject: str = "") -> tuple[Check, ...]:
    """The checks that a test may hold; what is none, though of the right types, is left out.

    Args:
        subject: what they are about, where that is not the value of the step.
    """
    is_asked = _is_asked_of_place if is_place(subject) else _is_asked
    if not isinstance(items, list):
        raise NonsenseError("checks")
    found = []
    for item in items[:MOST_CHECKS]:
        if not isinstance(item, dict) or item.get("kind") not in list(CheckKind):
            raise NonsenseError("checks")
        path, text, lines = item.get("path"), item.get("expression"), item.get("imports")
        if not isinstance(path, str) or not isinstance(text, str) or not isinstance(lines, list):
            raise NonsenseError("checks")
        kind = CheckKind(item["kind"])
        is_known = all(line in imports or _import(line) for line in lines)
        check = Check(kind, path, text, tuple(lines))
        if is_known and _is_expected(kind, text) and is_asked(check):
            found.append(check)
    return tuple(found)


def _is_asked(check: Check) -> bool:
    """Whether a check is about a value or a part of it."""
    return _is_path(check.path)


def _is_asked_of_place(check: Check) -> bool:
    """Whether a check is about what lies below ``tmp_path``: what it is, or what it holds."""
    if check.imports:
        return False
    if check.kind is CheckKind.IS:
        return check.path in QUESTIONS and check.expression in ("True", "False")
    reader = check.path.removesuffix("[:60]")
    if reader not in READERS or check.kind not in (CheckKind.EQUAL, CheckKind.LENGTH):
        return False
    node = _parsed(check.expression)
    kind = int if check.kind is CheckKind.LENGTH else bytes if "bytes" in reader else str
    return isinstance(node, ast.Constant) and type(node.value) is kind


def _is_expected(kind: CheckKind, text: str) -> bool:
    """Whether ``text`` can be the expected side of a check of this kind."""
    if kind is CheckKind.IS:
        return text in _SINGLETONS
    if kind is CheckKind.NAN:
        return not text
    node = _parsed(text)
    if kind is CheckKind.LENGTH:
        return isinstance(node, ast.Constant) and type(node.value) is int
    if kind is CheckKind.TYPE:
        return isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node is not None and _is_value(node)


def _is_path(path: str) -> bool:
    """Whether ``path`` leads from a value to a part of it: ``.total``, ``['a'][0]``, ``.args``."""
    node = _parsed(f"_{path}")
    while node is not None and not (isinstance(node, ast.Name) and node.id == "_"):
        node = _part_of(node)
    return node is not None


def _part_of(node: ast.expr) -> ast.expr | None:
    """The value of which ``node`` is a part, or None if it is something else."""
    match node:
        case ast.Attribute(value=inner, attr=name) if not name.startswith("_"):
            return inner
        case ast.Subscript(value=inner, slice=ast.Slice(lower=None, step=None, upper=end)):
            return inner if isinstance(end, ast.Constant) else None
        case ast.Subscript(value=inner, slice=key):
            return inner if _is_value(key) else None
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args, keywords=[]):
            if name in _READERS and not args:
                return inner
            is_below = [isinstance(a, ast.Name) and a.id == "tmp_path" for a in args] == [True]
            return inner if name == "relative_to" and is_below else None
    return None


def _parsed(text: str) -> ast.expr | None:
    """An expression on one line, without anything in it that could deceive the eye."""
    if len(text) > LONGEST or not text.isprintable():
        return None
    try:
        return ast.parse(f"({text})", mode="eval").body if _is_closed(text) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_closed(text: str) -> bool:
    """True if ``text`` is an expression by itself and not by the brackets put around it."""
    ast.parse(text, mode="eval")
    return True


def _is_value(node: ast.expr) -> bool:
    """Whether an expression builds a value and does nothing else."""
    match node:
        case ast.Constant() | ast.Name():
            return True
        case ast.BinOp(op=ast.Div()):
            return is_place(ast.unparse(node))
        case ast.Call(func=ast.Name(id="str"), args=[path], keywords=[]):
            return is_place(ast.unparse(path))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            return _is_value(inner)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.BitOr(), right=right):
            return _is_value(left) and _is_value(right)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(map(_is_value, items))
        case ast.Dict(keys=keys, values=values):
            return all(k is not None and _is_value(k) for k in keys) and all(map(_is_value, values))
        case ast.Attribute(value=inner, attr=name):
            return not name.startswith("__") and _is_chain(inner)
        case ast.Call(func=function, args=args, keywords=named):
            values = [*args, *(item.value for item in named)]
            is_plain = all(item.arg is not None for item in named)
            return is_plain and _is_class(function) and all(map(_is_value, values))
    return False


def _is_chain(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute) and not node.attr.startswith("__"):
        node = node.value
    return isinstance(node, ast.Name)


def _is_class(node: ast.expr) -> bool:
    """Whether what is called is a class, judged by its name; a function could do anything."""
    if not _is_chain(node):
        return False
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in _BUILDERS or name in _LOWER or name.lstrip("_")[:1].isupper()
