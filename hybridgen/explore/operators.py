"""How operators and their methods are written and read: ``len(x)`` is ``x.__len__()``."""

from __future__ import annotations

import ast

from hybridgen.dunders import SYMBOLS

OPERATORS = {
    "__len__": "len({o})",
    "__str__": "str({o})",
    "__repr__": "repr({o})",
    "__bool__": "bool({o})",
    "__iter__": "list({o})",
    "__hash__": "hash({o}) == hash({o})",
    "__contains__": "{0} in {o}",
    "__getitem__": "{o}[{0}]",
    "__eq__": "{o} == {0}",
    "__ne__": "{o} != {0}",
    "__lt__": "{o} < {0}",
    "__le__": "{o} <= {0}",
    "__gt__": "{o} > {0}",
    "__ge__": "{o} >= {0}",
    "__add__": "{o} + {0}",
    "__sub__": "{o} - {0}",
    "__mul__": "{o} * {0}",
    "__truediv__": "{o} / {0}",
    "__mod__": "{o} % {0}",
    "__floordiv__": "{o} // {0}",
    "__radd__": "{0} + {o}",
    "__rmul__": "{0} * {o}",
    "__or__": "{o} | {0}",
    "__and__": "{o} & {0}",
    "__xor__": "{o} ^ {0}",
    "__neg__": "-{o}",
    "__abs__": "abs({o})",
    "__int__": "int({o})",
    "__float__": "float({o})",
    "__reversed__": "list(reversed({o}))",
    "__invert__": "~{o}",
    "__pow__": "{o} ** {0}",
    "__rsub__": "{0} - {o}",
    "__pos__": "+{o}",
}
STATEMENTS = {
    "__setitem__": "{o}[{0}] = {1}",
    "__delitem__": "del {o}[{0}]",
    "__iadd__": "{o} += {0}",
    "__isub__": "{o} -= {0}",
    "__ior__": "{o} |= {0}",
    "__enter__": "with {o}:\n    pass",
}
CONVERSIONS = {"list": "__iter__"}
COMPARISONS = {**SYMBOLS, ast.In: "__contains__", ast.NotIn: "__contains__"}


def called_name(node: ast.AST) -> str:
    """The name of what an expression calls, ``__len__`` for ``len(x)``; empty if nothing."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return f"__{name}__" if f"__{name}__" in OPERATORS else CONVERSIONS.get(name, name)
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return "__getitem__"
    if isinstance(node, ast.Compare):
        return COMPARISONS.get(type(node.ops[0]), "")
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return SYMBOLS.get(type(node.op), "")
    return ""
