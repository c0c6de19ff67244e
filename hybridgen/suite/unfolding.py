"""Classes and fixtures of a test file as the plain test functions that say the same.

What judges tests judges functions. A class may hold what hybridgen itself writes into one, and
its methods are unfolded: a fixture becomes the first statement of each test that asks for it,
``setUp`` that of all, and ``self`` is gone. Anything that cannot be unfolded is a problem.
"""

from __future__ import annotations

import ast
import copy
import re
import symtable
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from hybridgen.suite.policy import RESERVED, words

Refuse = Callable[[ast.AST, str], None]

_CLASS = re.compile(r"Test\w*|\w+Test")
_FIXTURE = re.compile(r"(?!test|setup|teardown|pytest)[a-z][A-Za-z0-9_]*")
_ASSERTIONS = {
    **dict.fromkeys(words("assertTrue assertFalse assertIsNone"), 1),
    **dict.fromkeys(
        words(
            "assertEqual assertNotEqual assertIs assertIsNot assertIn assertNotIn assertLess "
            "assertLessEqual assertGreater assertGreaterEqual assertAlmostEqual"
        ),
        2,
    ),
}
_CONTEXTS = {"assertRaises": 1, "assertRaisesRegex": 2, "assertWarns": 1}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for a chain of attributes on a name, else ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def locals_by_line(source: str) -> dict[int, frozenset[str]]:
    """The names that are local to each function and method, by its line."""
    tables = symtable.symtable(source, "<test>", "exec").get_children()
    classes = [table for table in tables if table.get_type() == "class"]
    methods = [inner for table in classes for inner in table.get_children()]
    return {
        table.get_lineno(): frozenset(s.get_name() for s in table.get_symbols() if s.is_local())
        for table in (*tables, *methods)
    }


def columns_of(decorator: ast.expr) -> set[str] | None:
    """The names that a mark of hybridgen's kinds gives values for; None for any other decorator.

    These are ``pytest.mark.parametrize`` and, without names, a strict ``pytest.mark.xfail``.
    """
    match decorator:
        case ast.Call(func=mark, args=[names, _], keywords=more) if (
            dotted(mark) == "pytest.mark.parametrize"
        ):
            # indirect=True would turn values into fixtures
            return None if any(item.arg != "ids" for item in more) else _words(names)
        case ast.Call(
            func=mark,
            args=[],
            keywords=[
                ast.keyword(arg="reason", value=ast.Constant(value=str())),
                ast.keyword(arg="strict", value=ast.Constant(value=True)),
            ],
        ) if dotted(mark) == "pytest.mark.xfail":
            return set()
    return None


def _words(names: ast.expr) -> set[str] | None:
    try:
        value = ast.literal_eval(names)
    except ValueError:
        return None
    if isinstance(value, str):
        return {name.strip() for name in value.split(",")}
    return set(value) if isinstance(value, tuple) else None


def may_name_fixture(name: str) -> bool:
    """Whether a fixture or an attribute of a test case may have a name.

    Not if pytest, unittest or a common plug-in would take it for something else.
    """
    import unittest

    is_free = name not in RESERVED and not hasattr(unittest.TestCase, name)
    return is_free and _FIXTURE.fullmatch(name) is not None


class Unfolding:
    """The tests of a file as functions.

    Attributes:
        functions: every test, and what each fixture builds as a function of its own: there its
            names mean what they mean in the fixture.
        problems: what could not be unfolded, each with its place.
        has_cases: True if a class is a ``unittest.TestCase``.
    """

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self.functions: list[ast.FunctionDef] = []
        self.problems: list[tuple[ast.AST, str]] = []
        self.has_cases = False
        definitions = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        self._check_doubles(definitions)
        functions = [node for node in definitions if isinstance(node, ast.FunctionDef)]
        fixtures = dict(self._fixtures(functions, []))
        for node in definitions:
            if isinstance(node, ast.ClassDef):
                self._class(node, fixtures)
            elif not _is_fixture(node):
                self._test(node, fixtures, {}, None)

    def _refuse(self, node: ast.AST, why: str) -> None:
        self.problems.append((node, why))

    def _check_doubles(self, nodes: Sequence[ast.FunctionDef | ast.ClassDef]) -> None:
        """Of two things with one name, pytest runs the last only."""
        seen: set[str] = set()
        for node in nodes:
            if node.name in seen:
                self._refuse(node, f"defines {node.name} twice")
            seen.add(node.name)

    def _fixtures(
        self, functions: Sequence[ast.FunctionDef], parameters: list[str]
    ) -> Iterator[tuple[str, ast.expr]]:
        """What each fixture returns: one expression, made without parameters."""
        for node in functions:
            if not _is_fixture(node):
                continue
            match node.body:
                case [ast.Return(value=ast.expr() as value)] if _parameters(
                    node
                ) == parameters and may_name_fixture(node.name):
                    self._add_alone(node, value)
                    yield node.name, value
                case _:
                    self._refuse(node, "has a fixture that does more than return an object")

    def _add_alone(self, place: ast.FunctionDef, value: ast.expr) -> None:
        found = copy.copy(place)
        found.name, found.args, found.decorator_list = "test_fixture", _no_arguments(), []
        found.body = [self._without_self(ast.copy_location(ast.Expr(value), value), None)]
        self.functions.append(found)

    def _class(self, node: ast.ClassDef, fixtures: Mapping[str, ast.expr]) -> None:
        is_case = [dotted(base) for base in node.bases] == ["unittest.TestCase"]
        is_plain = not (node.decorator_list or node.keywords or getattr(node, "type_params", []))
        if not is_plain or (node.bases and not is_case) or not _CLASS.fullmatch(node.name):
            self._refuse(node, "has a class that is not one of tests")
            return
        self.has_cases |= is_case
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        for item in node.body:
            if not isinstance(item, ast.FunctionDef):
                self._refuse(item, "has code outside of test functions")
        self._check_doubles(methods)
        made: dict[str, ast.expr] = {}
        if is_case:
            for method in methods:
                if method.name == "setUp":
                    made |= self._set_up(method)
        else:
            fixtures = {**fixtures, **dict(self._fixtures(methods, ["self"]))}
        for method in methods:
            if (is_case and method.name == "setUp") or (not is_case and _is_fixture(method)):
                continue
            if _parameters(method)[:1] != ["self"]:
                self._refuse(method, "has unusual parameters")
            elif is_case and (method.decorator_list or _parameters(method) != ["self"]):
                self._refuse(method, "has a method of a test case with more than self")
            else:
                self._test(method, {} if is_case else fixtures, made, is_case)

    def _set_up(self, method: ast.FunctionDef) -> dict[str, ast.expr]:
        """What ``setUp`` makes attributes of the test case."""
        made: dict[str, ast.expr] = {}
        if _parameters(method) != ["self"] or method.decorator_list:
            self._refuse(method, "has unusual parameters")
        for statement in method.body:
            match statement:
                case ast.Assign(
                    targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value
                ) if may_name_fixture(name) and name not in made:
                    self._add_alone(method, value)
                    made[name] = value
                case _:
                    self._refuse(statement, "has a setUp that does more than make objects")
        return made

    def _test(
        self,
        node: ast.FunctionDef,
        fixtures: Mapping[str, ast.expr],
        made: Mapping[str, ast.expr],
        is_case: bool | None,
    ) -> None:
        """Adds a test; ``is_case`` is None outside of classes."""
        if not node.name.startswith("test_"):
            self._refuse(node, "has code outside of test functions")
            return
        asked = [argument.arg for argument in node.args.args if argument.arg in fixtures]
        for decorator in node.decorator_list:
            for name in sorted((columns_of(decorator) or set()) & set(asked)):
                self._refuse(decorator, f"gives values for the fixture {name}")
        found = copy.deepcopy(node)
        if is_case is not None:
            found.args.args = found.args.args[1:]
            found.body = [self._without_self(s, made if is_case else None) for s in found.body]
        found.args.args = [a for a in found.args.args if a.arg not in fixtures]
        built = {**{name: fixtures[name] for name in asked}, **_as_attributes(made)}
        found.body = [_assignment(name, value, node) for name, value in built.items()] + found.body
        self.functions.append(found)

    def _without_self(self, node: ast.stmt, made: Collection[str] | None) -> ast.stmt:
        changed = _Selfless(made, self._refuse).visit(copy.deepcopy(node))
        assert isinstance(changed, ast.stmt), "a statement stays one"
        return changed


class _Selfless(ast.NodeTransformer):
    """Takes ``self`` out of a method.

    Args:
        made: the attributes that ``setUp`` makes, None outside of a ``TestCase``.
        refuse: told of every ``self`` that is left.
    """

    def __init__(self, made: Collection[str] | None, refuse: Refuse) -> None:
        self._made = made
        self._refuse = refuse

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """``self.assertEqual(a, b)`` as ``(a, b)``: what counts is what is compared."""
        match node.value:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="self"), attr=name), args=args, keywords=[]
            ) if self._is_call(_ASSERTIONS.get(name), args):
                node.value = _tuple(args, node)
        return self.generic_visit(node)

    def visit_withitem(self, node: ast.withitem) -> ast.AST:
        """``with self.assertRaises(X)`` and ``with self.subTest(x=x)``, as tuples too."""
        match node:
            case ast.withitem(
                context_expr=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="self"), attr=name),
                    args=args,
                    keywords=named,
                ),
                optional_vars=None,
            ) if self._made is not None:
                values = [item.value for item in named if item.arg is not None]
                is_labelled = name == "subTest" and not args and len(values) == len(named)
                if is_labelled or (not named and self._is_call(_CONTEXTS.get(name), args)):
                    node.context_expr = _tuple([*args, *values], node.context_expr)
        return self.generic_visit(node)

    def _is_call(self, count: int | None, args: Sequence[ast.expr]) -> bool:
        is_plain = not any(isinstance(item, ast.Starred) for item in args)
        return self._made is not None and len(args) == count and is_plain

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """``self.cart``, which ``setUp`` made, as a variable that nothing else can be called."""
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Load()) if name in (
                self._made or ()
            ):
                return ast.copy_location(ast.Name(f"self.{name}", ast.Load()), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Any other use could reach what unittest and pytest do."""
        if node.id == "self":
            self._refuse(node, "uses self otherwise than listed")
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A method of a stand-in has a ``self`` of its own."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """As any other function."""
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if "self" not in _parameters(node):
            return self.generic_visit(node)
        outside = [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
        for part in outside:  # defaults and annotations are evaluated where the function stands
            for inner in ast.walk(part):
                if isinstance(inner, ast.Name) and inner.id == "self":
                    self._refuse(inner, "uses self otherwise than listed")
        return node


def _is_fixture(node: ast.FunctionDef) -> bool:
    return [dotted(item) for item in node.decorator_list] == ["pytest.fixture"]


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names of plain parameters; "" for each of another kind."""
    arguments = node.args
    others = [*arguments.posonlyargs, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return [*(a.arg for a in arguments.args), *("" for item in others if item is not None)]


def _no_arguments() -> ast.arguments:
    return ast.arguments([], [], None, [], [], None, [])


def _tuple(values: Sequence[ast.expr], place: ast.AST) -> ast.Tuple:
    found = ast.Tuple(list(values), ast.Load())
    return ast.copy_location(found, place)


def _as_attributes(made: Mapping[str, ast.expr]) -> dict[str, ast.expr]:
    return {f"self.{name}": value for name, value in made.items()}


def _assignment(name: str, value: ast.expr, place: ast.AST) -> ast.stmt:
    found = ast.Assign([ast.Name(name, ast.Store())], copy.deepcopy(value))
    return ast.fix_missing_locations(ast.copy_location(found, place))
