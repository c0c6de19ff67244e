"""A candidate with another value for one argument of a call."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from hybridgen.domain import Candidate, ParameterKind, Target, TargetKind

_MAKERS = (".__init__", ".__new__", ".__post_init__")


def exchanged(
    candidate: Candidate, target: Target, parameter: str, value: str, *, origin: str
) -> Candidate | None:
    """The candidate with ``value`` for a parameter of the last call of ``target`` in it.

    What is given by a variable of a plain assignment is exchanged there.

    Args:
        value: a literal, as source text.
        origin: of the value.

    Returns:
        None where ``target`` is not called by its name, or takes the parameter from ``*`` or
        ``**``, or where it has that value.
    """
    trees = [_tree(step.code) for step in candidate.steps]
    try:
        literal = ast.parse(value, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    for index in reversed(range(len(trees))):
        calls = [call for call in ast.walk(trees[index]) if _is_call_of(call, target)]
        for call in calls[-1:]:
            assert isinstance(call, ast.Call)
            old = _argument(call, target, parameter)
            changed = _assigned(trees[:index], old, literal)
            if changed is None:
                if not _put(call, target, parameter, literal):
                    return None
                changed = index
            return _with_step(candidate, changed, trees[changed], origin)
    return None


def _tree(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def _is_call_of(node: ast.AST, target: Target) -> bool:
    if not isinstance(node, ast.Call):
        return False
    qualname = target.qualname
    for maker in _MAKERS:
        qualname = qualname.removesuffix(maker)
    is_method = qualname == target.qualname and target.kind is TargetKind.METHOD
    match node.func:
        case ast.Attribute(attr=name) if is_method:
            return name == target.name
    return not is_method and ast.unparse(node.func) == qualname


def _argument(call: ast.Call, target: Target, parameter: str) -> ast.expr | None:
    """What a call gives for a parameter."""
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword.value
    place = _place(target, parameter)
    return call.args[place] if place is not None and place < len(call.args) else None


def _place(target: Target, parameter: str) -> int | None:
    """The place of what may be given by place."""
    usual = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)
    names = [found.name for found in target.parameters if found.kind in usual]
    return names.index(parameter) if parameter in names else None


def _put(call: ast.Call, target: Target, parameter: str, value: ast.expr) -> bool:
    """Gives a parameter a value; False where a call cannot."""
    for keyword in call.keywords:
        if keyword.arg == parameter:
            keyword.value = value
            return True
    if any(isinstance(item, ast.Starred) for item in call.args):
        return False
    if any(keyword.arg is None for keyword in call.keywords):
        return False
    place = _place(target, parameter)
    if place is not None and place < len(call.args):
        call.args[place] = value
    elif place == len(call.args):
        call.args.append(value)
    elif _takes_name(target, parameter):
        call.keywords.append(ast.keyword(parameter, value))
    else:
        return False
    return True


def _takes_name(target: Target, parameter: str) -> bool:
    kinds = {found.name: found.kind for found in target.parameters}
    return kinds.get(parameter) in (ParameterKind.POSITIONAL, ParameterKind.KEYWORD)


def _assigned(trees: Sequence[ast.Module], old: ast.expr | None, value: ast.expr) -> int | None:
    """Puts a value where the variable ``old`` is last assigned one; the place of that step."""
    if not isinstance(old, ast.Name):
        return None
    for index in reversed(range(len(trees))):
        match trees[index].body:
            case [ast.Assign(targets=[ast.Name(id=name)]) as statement] if name == old.id:
                statement.value = value
                return index
    return None


def _with_step(candidate: Candidate, index: int, tree: ast.Module, origin: str) -> Candidate | None:
    code = ast.unparse(tree)
    steps = candidate.steps
    if code == ast.unparse(_tree(steps[index].code)):
        return None
    step = replace(steps[index], code=code, opinion=None)
    changed = (*steps[:index], step, *steps[index + 1 :])
    return replace(candidate, steps=changed, origin=origin, name_hint="")
