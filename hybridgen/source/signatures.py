"""The parameters of functions, and those by which a class is instantiated."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from hybridgen.domain import Parameter, ParameterKind
from hybridgen.source.blocks import last_name, runtime_blocks

_ATTRS = {"define", "frozen", "mutable", "attrs", "s"}
_FIELD_CALLS = {"field", "ib", "attrib", "Field"}
_ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
_KEYWORD_MODELS = {"BaseModel", "BaseSettings", "TypedDict"}


def parameters_of(
    node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_bound: bool
) -> tuple[Parameter, ...]:
    """Parameters in order; without the first (``self``, ``cls``) for a bound method."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + [
        ast.unparse(default) for default in arguments.defaults
    ]
    result = []
    for index, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        is_positional_only = index < len(arguments.posonlyargs)
        kind = ParameterKind.POSITIONAL_ONLY if is_positional_only else ParameterKind.POSITIONAL
        result.append(_parameter(argument, kind, default))
    if is_bound:
        result = result[1:]
    if arguments.vararg:
        result.append(_parameter(arguments.vararg, ParameterKind.VAR_POSITIONAL))
    for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        default = ast.unparse(value) if value else None
        result.append(_parameter(argument, ParameterKind.KEYWORD, default))
    if arguments.kwarg:
        result.append(_parameter(arguments.kwarg, ParameterKind.VAR_KEYWORD))
    return tuple(result)


def class_parameters(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]
) -> tuple[Parameter, ...]:
    """What has to be passed to make an instance, as far as this module shows it.

    Looked at in this order: ``__init__``, the fields of a dataclass, attrs class, NamedTuple,
    TypedDict or pydantic model, ``__new__``, an enum's value, then the same of base classes that
    the module defines.
    """
    return _class_parameters(node, classes, frozenset())


def _class_parameters(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], seen: frozenset[str]
) -> tuple[Parameter, ...]:
    if node.name in seen:  # class A(A): the base is another class of that name
        return ()
    init = _method(node, "__init__")
    if init is not None:
        return parameters_of(init, is_bound=True)
    if _field_style(node, classes, frozenset()):
        return tuple(_in_call_order(_fields(node, classes, frozenset())))
    new = _method(node, "__new__")
    bases = [last_name(base) for base in node.bases]
    if new is not None and not _ENUMS & set(bases):
        return parameters_of(new, is_bound=True)
    if _ENUMS & set(bases):
        return (Parameter("value", ParameterKind.POSITIONAL),)
    for base in node.bases:
        if isinstance(base, ast.Call) and last_name(base) == "namedtuple":
            return tuple(_namedtuple_fields(base))
        if last_name(base) in classes:
            return _class_parameters(classes[last_name(base)], classes, seen | {node.name})
    if any(base.endswith(("Error", "Exception", "Warning")) for base in bases):
        return (Parameter("args", ParameterKind.VAR_POSITIONAL),)
    return ()


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The last definition of a method in the class, also inside ``if`` and ``try``."""
    waiting: list[ast.stmt] = list(reversed(node.body))
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            decorators = map(last_name, statement.decorator_list)
            if "overload" not in decorators:
                return statement
        for block in runtime_blocks(statement):
            waiting += reversed(block)
    return None


def _field_style(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], seen: frozenset[str]
) -> str:
    """``"dataclass"``, ``"attrs"`` or ``"model"`` if annotated fields become parameters."""
    for decorator in node.decorator_list:
        name = last_name(decorator)
        keywords = _keywords(decorator)
        if keywords.get("init") == "False":
            return ""
        if name == "dataclass":
            return "dataclass"
        if name in _ATTRS:
            return "attrs"
    for base in map(last_name, node.bases):
        if base == "NamedTuple":
            return "dataclass"
        if base in _KEYWORD_MODELS:
            return "model"
        if base in classes and base not in seen:
            style = _field_style(classes[base], classes, seen | {node.name})
            # Fields are inherited by every model, but by a dataclass only with the decorator.
            if style == "model":
                return style
    return ""


def _fields(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], seen: frozenset[str]
) -> Iterator[Parameter]:
    own: dict[str, Parameter] = {}
    for base in reversed(node.bases):
        name = last_name(base)
        if name not in classes or name in seen | {node.name}:
            continue
        if _field_style(classes[name], classes, frozenset()):
            inherited = _fields(classes[name], classes, seen | {node.name})
            own |= {field.name: field for field in inherited}
    style = _field_style(node, classes, frozenset())
    decorators = [_keywords(decorator) for decorator in node.decorator_list]
    is_keyword = style == "model" or any(d.get("kw_only") == "True" for d in decorators)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and last_name(statement.annotation) == "KW_ONLY":
            is_keyword = True
            continue
        found = _field(statement, style, is_keyword=is_keyword)
        if found is not None:
            own[found.name] = found
    yield from own.values()


def _field(statement: ast.stmt, style: str, *, is_keyword: bool) -> Parameter | None:
    target: ast.expr
    annotation: ast.expr | None = None
    if isinstance(statement, ast.AnnAssign):
        target, annotation, value = statement.target, statement.annotation, statement.value
    elif isinstance(statement, ast.Assign) and style == "attrs" and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        if not _is_field_call(value):
            return None
    else:
        return None
    if not isinstance(target, ast.Name) or (annotation and _is_no_field(annotation)):
        return None
    default = ast.unparse(value) if value else None
    if value is not None and _is_field_call(value):
        options = _keywords(value)
        if options.get("init") == "False":
            return None
        is_keyword = is_keyword or options.get("kw_only") == "True"
        factory = options.get("default_factory") or options.get("factory")
        default = options.get("default") or (f"{factory}()" if factory else None)
    return Parameter(
        name=target.id.lstrip("_") or target.id if style == "attrs" else target.id,
        kind=ParameterKind.KEYWORD if is_keyword else ParameterKind.POSITIONAL,
        annotation=ast.unparse(annotation) if annotation else None,
        default=default,
    )


def _is_no_field(annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return "ClassVar[" in annotation.value
    return last_name(annotation) == "ClassVar"


def _is_field_call(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and last_name(value) in _FIELD_CALLS


def _in_call_order(fields: Iterator[Parameter]) -> list[Parameter]:
    """Keyword-only parameters come after the others."""
    return sorted(fields, key=lambda field: field.kind is ParameterKind.KEYWORD)


def _namedtuple_fields(call: ast.Call) -> Iterator[Parameter]:
    """Fields of ``namedtuple("Point", "x y")`` where they are written out."""
    fields = call.args[1] if len(call.args) > 1 else None
    names: list[object] = []
    if isinstance(fields, ast.Constant) and isinstance(fields.value, str):
        names = [*fields.value.replace(",", " ").split()]
    elif isinstance(fields, ast.List | ast.Tuple):
        names = [item.value for item in fields.elts if isinstance(item, ast.Constant)]
    for name in names:
        if isinstance(name, str):
            yield Parameter(name, ParameterKind.POSITIONAL)


def _keywords(node: ast.expr) -> dict[str, str]:
    words = node.keywords if isinstance(node, ast.Call) else []
    return {word.arg: ast.unparse(word.value) for word in words if word.arg}


def _parameter(argument: ast.arg, kind: ParameterKind, default: str | None = None) -> Parameter:
    annotation = ast.unparse(argument.annotation) if argument.annotation else None
    return Parameter(argument.arg, kind, annotation, default)
