"""The definitions that a search can call, and what it knows of each from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from hybridgen.domain import Label, Module, Parameter, ParameterKind, Target, TargetKind
from hybridgen.explore.genomes.genome import RESULT
from hybridgen.explore.genomes.operators import OPERATORS, STATEMENTS
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.values.aliases import definitions_in
from hybridgen.explore.wanted.duck import members_of

CHANGING = ("append", "add", "update", "insert", "extend", "push", "put", "register", "setdefault")
FACTORY = ("from_", "parse", "create", "make", "build", "of", "load", "new")
_ENUMS = ("Enum", "Flag")


class Catalogue:
    """Targets of a module by name, with the classes that it imports from its project.

    Attributes:
        holdings: the settings of collections that objects hold, by class.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.own: Mapping[str, Target] = {target.qualname: target for target in module.targets}
        self.targets: Mapping[str, Target] = {
            **{target.qualname: target for target in module.neighbours},
            **self.own,
        }
        self.classes = tuple(
            name for name, target in self.targets.items() if target.kind is TargetKind.CLASS
        )
        self.definitions = definitions_in(module.source.text)
        self.heirs = {**self._heirs_of_others(), **{n: self._heirs(n) for n in self.classes}}
        self._enumerations = {name: enum_members(self.targets[name]) for name in self.classes}
        self.singletons = _singletons(module, self.classes)
        self.holdings: dict[str, tuple[Target, ...]] = {}
        self._methods = {name: self._methods_of(name) for name in self.classes}

    def target(self, qualname: str) -> Target:
        """The target of that name; a class with the parameters that its construction takes."""
        if qualname.endswith(RESULT):
            return _called_result(qualname, self.module.label)
        if qualname not in self.targets:
            held = self.holdings[qualname.rpartition(".")[0]]
            return next(setting for setting in held if setting.qualname == qualname)
        target = self.targets[qualname]
        if target.name == "__set__":  # value = 3 does not name the object, that is there already
            return replace(target, parameters=target.parameters[1:2])
        return self.constructor(target) if target.kind is TargetKind.CLASS else target

    def constructor(self, target: Target) -> Target:
        """A class with the parameters that its construction takes, inherited ones too."""
        seen = target
        for _ in range(5):
            if seen.parameters or "def __init__" in seen.source or not seen.bases:
                break
            base = self.targets.get(base_name(seen.bases[0]))
            if base is None:
                break
            seen = base
        return replace(target, parameters=seen.parameters)

    def members(self, name: str) -> tuple[str, ...]:
        """The members of a class that is an enumeration, else none."""
        return self._enumerations.get(name, ())

    def methods(self, name: str) -> tuple[Target, ...]:
        """Public methods and operators that can be called on an object of a class."""
        return self._methods.get(name, ())

    def inherited(self, name: str) -> Iterator[Target]:
        """All methods that a class has from its own module, its own before those of its bases."""
        for owner in (name, *self._bases(name)):
            yield from (target for target in self.targets.values() if target.parent == owner)

    def factories(self, name: str) -> tuple[Target, ...]:
        """Class methods that make an object of their class, by what they say or are called."""
        return tuple(
            target
            for target in self.targets.values()
            if target.parent == name
            and target.binding in ("class", "static")
            and not target.is_private
            and not target.is_async
            and (
                (target.returns or "").strip("'\"") in (name, "Self", "typing.Self")
                or (target.returns is None and target.name.startswith(FACTORY))
            )
        )

    def is_abstract(self, name: str) -> bool:
        """True if objects can only be made of classes that inherit from this one."""
        if is_protocol(self.targets[name]):
            return True
        methods = {m.name: m for m in reversed(list(self.inherited(name)))}
        return any(map(is_abstract, methods.values()))

    def _methods_of(self, name: str) -> tuple[Target, ...]:
        found: dict[str, Target] = {}
        for target in self.inherited(name):
            if _is_callable_on_objects(target):
                found.setdefault(target.name, target)
        return tuple(found.values())

    def _bases(self, name: str) -> list[str]:
        found = [name]
        for known in found:
            bases = map(base_name, self.targets[known].bases if known in self.targets else ())
            found += [base for base in bases if base in self.classes and base not in found]
        return found[1:]

    def _heirs_of_others(self) -> dict[str, tuple[str, ...]]:
        """Classes that inherit from what is defined elsewhere: a time zone from ``tzinfo``."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.classes:
            for base in map(base_name, self.targets[name].bases):
                if base not in self.targets and not self.targets[name].is_private:
                    found[base] = (*found.get(base, ()), name)
        return found

    def _heirs(self, name: str) -> tuple[str, ...]:
        found = [name]
        for known in found:
            found += [
                other
                for other in self.classes
                if known in map(base_name, self.targets[other].bases) and other not in found
            ]
        if is_protocol(self.targets[name]):
            asked = members_of(self.targets[name])
            found += [
                other
                for other in self.classes
                if other not in found and asked and asked <= members_of(self.targets[other])
            ]
        return tuple(found[1:])


def base_name(base: str) -> str:
    """The name of a base class without its package and its type arguments."""
    return base.split("[")[0].split(".")[-1]


def is_protocol(target: Target) -> bool:
    """True for a class that only says what objects have to offer."""
    return any(base_name(base) == "Protocol" for base in target.bases)


def is_abstract(method: Target) -> bool:
    """True for a method that says that classes that inherit have to give it."""
    return any("abstract" in decorator for decorator in method.decorators)


def is_left_open(method: Target) -> bool:
    """True for an abstract method, and for one that does nothing but refuse to be called."""
    if is_abstract(method):
        return True
    for node in tree_of(method.source).body[:1]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            rest = [part for part in node.body if not isinstance(part, ast.Expr)]
            return (
                len(rest) == 1
                and isinstance(rest[0], ast.Raise)
                and ("NotImplementedError" in method.raises)
            )
    return False


def changes_state(target: Target) -> bool:
    """True if a method seems to change its object."""
    if target.name in STATEMENTS or target.name.startswith(CHANGING):
        return True
    return any(
        isinstance(node, ast.Attribute | ast.Subscript)
        and not isinstance(node.ctx, ast.Load)
        and ast.unparse(node).startswith("self.")
        for node in ast.walk(tree_of(target.source))
    )


def setter_parameter(target: Target) -> Parameter | None:
    """The parameter of a property's setter, None if it has none."""
    if target.binding != "property" or ".setter" not in target.source:
        return None
    for node in tree_of(target.source).body:
        is_setter = isinstance(node, ast.FunctionDef) and any(
            ast.unparse(decorator).endswith(".setter") for decorator in node.decorator_list
        )
        if is_setter and isinstance(node, ast.FunctionDef) and len(node.args.args) > 1:
            argument = node.args.args[1]
            hint = ast.unparse(argument.annotation) if argument.annotation else target.returns
            return Parameter(argument.arg, ParameterKind.POSITIONAL, hint)
    return None


@lru_cache(maxsize=1024)
def keyword_names(target: Target, parameter: str) -> tuple[str, ...]:
    """The names that code looks up in its ``**kwargs``."""
    pattern = ast.walk(tree_of(target.source))
    found: dict[str, None] = {}
    for node in pattern:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop" | "setdefault"),
                args=[ast.Constant(value=str(key)), *_],
            ) if name == parameter:
                found[key] = None
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
                if name == parameter:
                    found[key] = None
            case ast.Compare(
                left=ast.Constant(value=str(key)), ops=[ast.In()], comparators=[ast.Name(id=name)]
            ) if name == parameter:
                found[key] = None
    return tuple(key for key in found if key.isidentifier())


def enum_members(target: Target) -> tuple[str, ...]:
    """Members of an enumeration by its source, () for any other class."""
    if not any(word in base for base in target.bases for word in _ENUMS):
        return ()
    body = tree_of(target.source).body
    if not body or not isinstance(body[0], ast.ClassDef):
        return ()
    names = [
        node.targets[0].id
        for node in body[0].body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    return tuple(name for name in names if not name.startswith("_"))


def is_dunder(name: str) -> bool:
    """True for ``__len__`` and its like."""
    return name.startswith("__") and name.endswith("__")


def _is_callable_on_objects(target: Target) -> bool:
    is_known = not is_dunder(target.name) or target.name in {*OPERATORS, *STATEMENTS, "__call__"}
    # Objects of a private class have public methods too: a public function may return one.
    is_private = target.name.startswith("_") and not is_dunder(target.name)
    return not is_private and target.binding in ("instance", "property") and is_known


def _singletons(module: Module, classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Public names at the top of a module for an object of one of its classes, by class."""
    found: dict[str, tuple[str, ...]] = {}
    for node in tree_of(module.source.text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            kind = ast.unparse(node.value.func)
            names = [part.id for part in node.targets if isinstance(part, ast.Name)]
            public = tuple(name for name in names if not name.startswith("_"))
            if kind in classes and public:
                found[kind] = (*found.get(kind, ()), *public)
    return found


def _called_result(qualname: str, label: Label) -> Target:
    """What stands for a function that another one returned: it takes anything."""
    return Target(
        qualname=qualname,
        kind=TargetKind.FUNCTION,
        is_async=False,
        parameters=(Parameter("args", ParameterKind.VAR_POSITIONAL),),
        returns=None,
        docstring=None,
        decorators=(),
        binding="",
        bases=(),
        first_line=0,
        last_line=0,
        source="",
        calls=(),
        raises=(),
        label=label,
    )
