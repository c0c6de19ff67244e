"""A test function of pytest as a method of ``unittest.TestCase``.

A table becomes a loop over ``subTest``. Tests that need a fixture of pytest stay functions:
``unittest`` has nothing that is as plain as ``tmp_path``.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from hybridgen.suite.bodies import indent
from hybridgen.suite.literals import Places, spliced

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "assertEqual",
    ast.NotEq: "assertNotEqual",
    ast.Is: "assertIs",
    ast.IsNot: "assertIsNot",
    ast.In: "assertIn",
    ast.NotIn: "assertNotIn",
    ast.Lt: "assertLess",
    ast.LtE: "assertLessEqual",
    ast.Gt: "assertGreater",
    ast.GtE: "assertGreaterEqual",
}
_ROUNDED = 100  # below it, seven decimal places hold what pytest.approx compares
_TABLES = ("cases", "rows", "table_of_cases")


def as_method(text: str, shared: Collection[str] = ()) -> str | None:
    """A test function as a method, or None if it needs a fixture that is not ``shared``.

    Args:
        text: the function, with its decorator.
        shared: names that ``setUp`` made attributes of the test case.
    """
    function = _function(text)
    decorator = next(iter(function.decorator_list), None)
    columns, rows = _table(decorator, text)
    parameters = [argument.arg for argument in function.args.args]
    if set(parameters) - {*columns, *shared}:
        return None
    text = _renamed(text, set(parameters) - set(columns))
    if decorator is not None:
        columns, rows = _table(_function(text).decorator_list[0], text)
    numbers = _approximate(columns, rows, text)
    rows = rows.replace("pytest.approx(", "(") if numbers else rows
    text = _asserted(text, numbers)
    function = _function(text)
    body = "\n".join(text.split("\n")[function.body[0].lineno - 1 :])
    if columns:
        body = _looped(columns, rows, body, _names(text))
    return f"def {function.name}(self):\n{body}"


def _function(text: str) -> ast.FunctionDef:
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef), "a test is a function"
    return function


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _table(decorator: ast.expr | None, text: str) -> tuple[tuple[str, ...], str]:
    """The columns of a table and its rows as source text."""
    match decorator:
        case ast.Call(args=[names, rows, *_]):
            found = ast.literal_eval(names)
            columns = (found,) if isinstance(found, str) else tuple(found)
            return columns, ast.get_source_segment(text, rows) or ast.unparse(rows)
    return (), ""


def _renamed(text: str, shared: Collection[str]) -> str:
    """``cart`` as ``self.cart``."""
    places = Places(text)
    uses = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
    return spliced(text, [(*places.span(n), f"self.{n.id}") for n in uses if n.id in shared])


def _approximate(columns: Sequence[str], rows: str, text: str) -> bool:
    """True if a table compares numbers that assertAlmostEqual compares as pytest.approx does."""
    if "pytest.approx(" not in rows:
        return False
    sides = [
        side.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Compare)
        for side in node.comparators
        if isinstance(side, ast.Name)
    ]
    places = [columns.index(side) for side in sides if side in columns]
    if len(places) != 1 or len(columns) < 2:
        return False
    table = ast.parse(rows.strip(), mode="eval").body
    values = [row.elts[places[0]] for row in getattr(table, "elts", ())]
    others = rows.count("pytest.approx(") - sum("approx" in ast.unparse(v) for v in values)
    return not others and all(_rounded(value) is not None for value in values)


def _rounded(node: ast.expr) -> str | None:
    """The number of ``pytest.approx(0.1)``, or a number itself, if it is a small one."""
    match node:
        case ast.Call(func=ast.Attribute(attr="approx"), args=[inner], keywords=[]):
            node = inner
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return ast.unparse(node) if is_number and abs(value) < _ROUNDED else None


def _asserted(text: str, is_rounded: bool) -> str:
    """The same with the assertions of a test case."""
    places = Places(text)
    edits: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Assert(test=test):
                edits.append((*places.span(node), _assertion(test, text, is_rounded)))
            case ast.With(items=items):
                edits += [
                    (*places.span(item.context_expr), _context(item.context_expr, text))
                    for item in items
                ]
    return spliced(text, edits)


def _assertion(test: ast.expr, text: str, is_rounded: bool) -> str:
    def source(node: ast.expr) -> str:
        return ast.get_source_segment(text, node) or ast.unparse(node)

    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Call() as right]) if (
            "pytest.approx" in source(right)
        ):
            number = _rounded(right)
            if number is not None:
                return f"self.assertAlmostEqual({source(left)}, {number})"
            return f"self.assertEqual({source(left)}, {source(right)})"
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return f"self.assertIsNone({source(left)})"
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            name = _COMPARISONS[type(operator)]
            is_side = is_rounded and isinstance(right, ast.Name)
            name = "assertAlmostEqual" if is_side and name == "assertEqual" else name
            return f"self.{name}({source(left)}, {source(right)})"
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return f"self.assertFalse({source(inner)})"
    return f"self.assertTrue({source(test)})"


def _context(node: ast.expr, text: str) -> str:
    match node:
        case ast.Call(func=ast.Attribute(attr="raises"), args=[kind], keywords=keywords):
            kind_text = ast.get_source_segment(text, kind) or ast.unparse(kind)
            if not keywords:
                return f"self.assertRaises({kind_text})"
            pattern = keywords[0].value
            match_text = ast.get_source_segment(text, pattern) or ast.unparse(pattern)
            return f"self.assertRaisesRegex({kind_text}, {match_text})"
        case ast.Call(func=ast.Attribute(attr="warns"), args=[kind]):
            return f"self.assertWarns({ast.get_source_segment(text, kind)})"
    return ast.get_source_segment(text, node) or ast.unparse(node)


def _looped(columns: Sequence[str], rows: str, body: str, used: Collection[str]) -> str:
    """The body once for each row."""
    name = next(name for name in _TABLES if name not in used)
    shown = [c for c in columns if not c.startswith(("expected", "outcome", "message", "printed"))]
    label = ", ".join(f"{column}={column}" for column in shown or columns[:1])
    lines = [
        f"{name} = {rows}",
        f"for {', '.join(columns)} in {name}:",
        f"    with self.subTest({label}):",
    ]
    return f"{indent(chr(10).join(lines))}\n{indent(indent(body))}"
