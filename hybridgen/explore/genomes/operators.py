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
    "__round__": "round({o})",
    "__index__": "hex({o})",
    "__complex__": "complex({o})",
    "__bytes__": "bytes({o})",
    "__format__": "format({o}, {0})",
    "__divmod__": "divmod({o}, {0})",
    "__matmul__": "{o} @ {0}",
    "__lshift__": "{o} << {0}",
    "__rshift__": "{o} >> {0}",
    "__rtruediv__": "{0} / {o}",
    "__rfloordiv__": "{0} // {o}",
    "__rmod__": "{0} % {o}",
    "__rpow__": "{0} ** {o}",
    "__ror__": "{0} | {o}",
    "__rand__": "{0} & {o}",
    "__rxor__": "{0} ^ {o}",
    "__next__": "next({o})",
    "__copy__": "copy.copy({o})",
    "__deepcopy__": "copy.deepcopy({o})",
    "__reduce__": "copy.copy({o})",
    "__getstate__": "copy.copy({o})",
    "__setstate__": "copy.deepcopy({o})",
}
STATEMENTS = {
    "__setitem__": "{o}[{0}] = {1}",
    "__delitem__": "del {o}[{0}]",
    "__iadd__": "{o} += {0}",
    "__isub__": "{o} -= {0}",
    "__ior__": "{o} |= {0}",
    "__iand__": "{o} &= {0}",
    "__ixor__": "{o} ^= {0}",
    "__imul__": "{o} *= {0}",
    "__enter__": "with {o}:\n    pass",
}
CONVERSIONS = {"list": "__iter__"}
COMPARISONS = {**SYMBOLS, ast.In: "__contains__", ast.NotIn: "__contains__"}


def called_name(node: ast.AST) -> str:
    """The name of what an expression calls, ``__len__`` for ``len(x)``; empty if nothing."""
    if isinstance(node, ast.Call):
        owner, _, name = ast.unparse(node.func).rpartition(".")
        is_function = owner in ("", "copy")  # text.format() is a method of its own
        is_operator = is_function and f"__{name}__" in OPERATORS
        return f"__{name}__" if is_operator else CONVERSIONS.get(name, name)
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return "__getitem__"
    if isinstance(node, ast.Compare):
        return COMPARISONS.get(type(node.ops[0]), "")
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return SYMBOLS.get(type(node.op), "")
    return ""
