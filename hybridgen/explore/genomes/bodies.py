"""The few lines that a sample's functions and classes are made of."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from hybridgen.domain import Parameter, ParameterKind, Target
from hybridgen.explore.genomes.arguments import Arguments
from hybridgen.explore.genomes.catalogue import is_abstract, is_left_open
from hybridgen.explore.genomes.genome import MADE

_SET = re.compile(r"\b(?!self\b)[a-z_]\w*\.([a-z]\w*)(?:: [^=\n]+)? = ")
_SET_BY_NAME = re.compile(r"""setattr\(\w+, ['"](\w+)['"]""")
_LOOKS_INTO = re.compile(r"vars\(|__dict__|callable\(")

SPOKEN_OF_SHARE = 0.4
"""How often a class has each of the methods that its decorator speaks of."""

PLAIN_RESULT_SHARE = 0.7
PLAIN_RESULTS = {
    "": ("1", "2", "'a'"),
    "str": ("'a'", "'abc'"),
    "int": ("1", "2"),
    "float": ("1.5",),
    "bool": ("True", "False"),
}
"""What an heir's methods mostly give, by the type that the base asks for."""

_INNER_METHODS = {
    "__eq__": "def __eq__(self, other):\n        return self.value == other.value",
    "__lt__": "def __lt__(self, other):\n        return self.value < other.value",
    "__gt__": "def __gt__(self, other):\n        return self.value > other.value",
    "__le__": "def __le__(self, other):\n        return self.value <= other.value",
    "__ge__": "def __ge__(self, other):\n        return self.value >= other.value",
    "__repr__": "def __repr__(self):\n        return 'sample'",
    "__str__": "def __str__(self):\n        return 'sample'",
    "__len__": "def __len__(self):\n        return 2",
    "__call__": "def __call__(self, x):\n        return x",
    "__post_init__": "def __post_init__(self):\n        self.ready = True",
}


def attributes_set(source: str) -> tuple[str, ...]:
    """Public attributes that code gives to what it made or was given: ``wrapper.calls = []``."""
    found = [*_SET.findall(source), *_SET_BY_NAME.findall(source)]
    return tuple(dict.fromkeys(name for name in found if not name.startswith("_")))


def is_counting(code: str) -> bool:
    """Whether a sample counts its calls and says so by nothing that it returns."""
    return "calls" in code and not re.search(r"return .*calls", code)


def sample_of_class(source: str, name: str, chooser: random.Random) -> str:
    """A class for a decorator of classes, with some of the methods that it speaks of."""
    parts = []
    if "__annotations__" in source or "get_type_hints" in source or chooser.random() < 0.1:
        parts.append("value: int = 1")
    else:
        parts.append("def __init__(self, value=1):\n        self.value = value")
    for method, text in _INNER_METHODS.items():
        if method in source and chooser.random() < SPOKEN_OF_SHARE:
            parts.append(text)
    if _LOOKS_INTO.search(source) and chooser.random() < SPOKEN_OF_SHARE:
        parts.append("def method(self, x=1):\n        return x")
    lines = "\n\n".join(f"    {part}" for part in parts)
    return f"class {name}:\n{lines}"


class Bodies:
    """Writes the functions of samples: what they do is little, but can be told from outside."""

    def __init__(self, arguments: Arguments, chooser: random.Random, class_name: str) -> None:
        self._arguments = arguments
        self._chooser = chooser
        self._class = class_name

    def class_with_method(self, source: str, *, is_property: bool) -> str:
        """A class whose one method is decorated."""
        parameters = "" if is_property else self._chooser.choice(("", ", x", ", x", ", x, y=2"))
        kind, lines = self._body(source, has_value=bool(parameters))
        if "calls" in "".join(lines):
            head = f"class {self._class}:\n    calls = 0\n\n"
        else:
            head = f"class {self._class}:\n"
        name = "value" if is_property else "method"
        text = "\n".join(f"        {line}" for line in lines)
        return f"{head}    @{MADE}\n    {kind} {name}(self{parameters}):\n{text}"

    def function(self, source: str, name: str) -> str:
        """A function that is decorated."""
        parameters = self._chooser.choice(("", "x", "x", "x, y=2"))
        kind, lines = self._body(source, has_value=bool(parameters))
        lines = [line.replace("self.calls += 1", "calls.append(1)") for line in lines]
        lines = [line.replace("self.calls", "len(calls)") for line in lines]
        head = "calls = []\n\n\n" if "calls" in "".join(lines) else ""
        text = "\n".join(f"    {line}" for line in lines)
        return f"{head}@{MADE}\n{kind} {name}({parameters}):\n{text}"

    def _body(self, source: str, *, has_value: bool) -> tuple[str, list[str]]:
        """``def`` or ``async def``, and the statements."""
        choose = self._chooser
        value = "x" if has_value else "1"
        bodies = [[f"return {value}"], ["self.calls += 1", "return self.calls"]]
        if has_value:
            bodies.append(["self.calls += 1", "return x"])
        if "except" in source or "finally" in source or choose.random() < 0.1:
            bodies.append(["raise ValueError('failed')"])
            bodies.append(
                [
                    "self.calls += 1",
                    "if self.calls < 2:",
                    "    raise ValueError('failed')",
                    "return self.calls",
                ]
            )
        if "None" in source:
            bodies.append(["self.calls += 1"])
            bodies.append(["return None"])
        if "yield" in source or "generator" in source:
            bodies += [[f"yield {value}", "yield 2"]] * 2
        lines = choose.choice(bodies)
        is_async = ("async" in source or "await" in source or "coroutine" in source) and (
            choose.random() < 0.55
        )
        if "__doc__" in source and choose.random() < 0.3:
            lines = ['"""Say something."""', *lines]
        return ("async def" if is_async else "def"), list(lines)

    def of_heir(self, source: str, methods: Sequence[Target]) -> list[str]:
        """The lines of a class that fills in what its base leaves open."""
        found: list[str] = []
        seen: set[str] = set()
        for method in methods:
            if method.name in seen:
                continue
            seen.add(method.name)
            if is_abstract(method) or (is_left_open(method) and self._chooser.random() < 0.8):
                found += [*([""] if found else []), *self._filled(method)]
        if not found and "metaclass=" in source.partition(":")[0]:
            found = ["    key = 1", "    name = 'a'"]
        return found or ["    pass"]

    def _filled(self, method: Target) -> list[str]:
        given = method.returns
        parameter = Parameter("result", ParameterKind.POSITIONAL, given)
        value = self._arguments.value(method.qualname, parameter, 2)
        plain_values = PLAIN_RESULTS.get(given or "", ())
        if plain_values and self._chooser.random() < PLAIN_RESULT_SHARE:
            value = self._chooser.choice(plain_values)
        if method.binding == "property":
            return [f"    {method.name} = {value}"]
        heads = {
            ParameterKind.VAR_POSITIONAL: "*",
            ParameterKind.VAR_KEYWORD: "**",
        }
        names = [
            f"{heads.get(p.kind, '')}{p.name}{'=None' if p.default is not None else ''}"
            for p in method.parameters
        ]
        keyword = next(
            (i for i, p in enumerate(method.parameters) if p.kind is ParameterKind.KEYWORD), None
        )
        has_rest = any(p.kind is ParameterKind.VAR_POSITIONAL for p in method.parameters)
        if keyword is not None and not has_rest:
            names.insert(keyword, "*")
        plain = [p.name for p in method.parameters if p.kind is ParameterKind.POSITIONAL]
        if plain and given is None and self._chooser.random() < 0.4:
            value = plain[0]
        elif plain and given == "str" and self._chooser.random() < 0.5:
            value = f"str({plain[0]})"
        first = {"class": ["cls"], "static": []}.get(method.binding, ["self"])
        head = f"{'async ' if method.is_async else ''}def {method.name}"
        binder = {"class": ["    @classmethod"], "static": ["    @staticmethod"]}
        return [
            *binder.get(method.binding, []),
            f"    {head}({', '.join([*first, *names])}):",
            f"        return {value}",
        ]
