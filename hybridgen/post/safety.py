"""What no candidate may contain, whatever names it uses.

The list of names in :mod:`hybridgen.post.vocabulary` keeps out processes, sockets, the
environment and mocks. This module adds what is reached through attributes (files outside
``tmp_path``, the clock, the interpreter's insides) and values that would fill the memory. It is
no sandbox: the runner is, and the suite has its own allow-list before anything is written.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from hybridgen.post.syntax import dotted, free_names, words
from hybridgen.post.vocabulary import Vocabulary, is_safe_part

_DUNDERS = frozenset(
    f"__{name}__"
    for name in words(
        """
    abs add and bool bytes call class contains delitem doc enter eq exit float floordiv ge
    getitem gt hash iadd index init int iter le len lt missing mod mul name ne neg next or
    pos pow qualname radd repr reversed rmul round rsub setitem str sub truediv xor
    post_init
    """
    )
)
_CLOCK = frozenset({"now", "today", "utcnow", "uuid1", "uuid4", "home", "cwd", "expanduser"})
_INSIDES = words(
    """
    f_globals f_locals f_builtins gi_frame gi_code cr_frame cr_code tb_frame ag_frame mro
    func_globals co_code attrgetter methodcaller
    """
)
WRITES = words(
    """
    write_text write_bytes unlink rmdir mkdir touch chmod lchmod rename replace_with
    symlink_to hardlink_to link_to open rglob glob iterdir
    """
)
_MOST_REPEATED = 10_000
_MOST_COUNTED = 100_000
_COUNTING = words("range bytes bytearray ljust rjust center zfill repeat")


def is_harmless(
    node: ast.AST, vocabulary: Vocabulary, temporary: frozenset[str], numbers: Mapping[str, int]
) -> bool:
    """True if nothing in ``node`` is on one of the lists above.

    Args:
        temporary: names of variables that hold paths below ``tmp_path``.
        numbers: values of variables that hold a number.
    """
    return not any(_is_harmful(item, vocabulary, temporary, numbers) for item in ast.walk(node))


def _is_harmful(
    node: ast.AST, vocabulary: Vocabulary, temporary: frozenset[str], numbers: Mapping[str, int]
) -> bool:
    if isinstance(node, ast.Attribute):
        return not _is_harmless_attribute(node, vocabulary, temporary)
    if isinstance(node, ast.BinOp | ast.Call):
        return _is_huge(node, numbers)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "__globals__" in node.value or "__subclasses__" in node.value
    return isinstance(node, ast.Global | ast.Nonlocal | ast.While)


def _is_harmless_attribute(
    node: ast.Attribute, vocabulary: Vocabulary, temporary: frozenset[str]
) -> bool:
    attribute = node.attr
    if attribute.startswith("__") and attribute not in _DUNDERS | vocabulary.methods:
        return False
    if attribute in _INSIDES:
        return False
    root = (dotted(node) or [""])[0]
    statement = vocabulary.import_for(root) or "" if root else ""
    is_part = isinstance(node.value, ast.Name) and statement.startswith("import ")
    if is_part and not is_safe_part(statement.split()[1], attribute):
        return False
    if attribute in _CLOCK and (statement or root in ("datetime", "date", "dt", "Path", "uuid")):
        return False
    if attribute in WRITES and attribute not in vocabulary.methods:
        return bool(free_names(node.value) & (temporary | {"tmp_path"}))
    return True


def _number(node: ast.expr, numbers: Mapping[str, int]) -> int | None:
    """The value of a constant integer expression, or None; capped far above all limits."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return numbers.get(node.id)
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, numbers), _number(node.right, numbers)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Pow):
            return 10**60 if abs(left) > 1 and right > 200 else left ** max(right, 0)
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.LShift):
            return 10**60 if right > 200 else left << max(right, 0)
        if isinstance(node.op, ast.Add):
            return left + right
    return None


def _is_huge(node: ast.BinOp | ast.Call, numbers: Mapping[str, int]) -> bool:
    if isinstance(node, ast.Call):
        called = (dotted(node.func) or [""])[-1]
        if isinstance(node.func, ast.Attribute):
            called = node.func.attr
        values = [_number(item, numbers) or 0 for item in node.args]
        return called in _COUNTING and any(abs(value) > _MOST_COUNTED for value in values)
    if isinstance(node.op, ast.Mult):
        for side, other in ((node.left, node.right), (node.right, node.left)):
            is_text = isinstance(side, ast.Constant) and isinstance(side.value, str | bytes)
            if is_text or isinstance(side, ast.List | ast.Tuple | ast.JoinedStr | ast.BinOp):
                value = _number(other, numbers)
                if value is not None and abs(value) > _MOST_REPEATED:
                    return is_text or _number(side, numbers) is None
    value = _number(node, numbers)
    if value is not None:
        return abs(value) > 10**40
    return isinstance(node.op, ast.Pow) and _is_huge_power(node, numbers)


def _is_huge_power(node: ast.BinOp, numbers: Mapping[str, int]) -> bool:
    exponent = _number(node.right, numbers)
    return exponent is not None and abs(exponent) > 1000
