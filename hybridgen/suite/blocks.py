"""Test functions as text: cases grouped by shape, named, with the imports they need."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeGuard

from hybridgen.domain import Check, CheckKind, Module, Observation
from hybridgen.suite.bodies import Body, indent, plain_body
from hybridgen.suite.edges import inputs, literal, row_order
from hybridgen.suite.imports import Import, free_names, module_imports, parse_imports, resolve
from hybridgen.suite.naming import choose_name
from hybridgen.suite.qualifying import better_short, requalified
from hybridgen.suite.shapes import Shape, call_in, printed_only, shape_of
from hybridgen.suite.subjects import subject_of
from hybridgen.suite.tables import argument_names, table
from hybridgen.suite.tidying import reworded, tidy

_FIXTURES = ("tmp_path", "monkeypatch", "capsys", "caplog")  # in this order, others after them
_MOST_ROWS = 6  # of one table, where its rows show more than one behaviour
_TOOLS = (Import("pytest"), Import("math"), Import("asyncio"))


class UnrenderableError(Exception):
    """A case that cannot become a test function; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Block:
    """One test function.

    Attributes:
        name: of the function.
        target: what it tests.
        text: decorator and function, without the digest line.
        imports: what has to be imported at the top of the file.
        owner: the class or function under test with whose other tests it stands in one class,
            or "" for a test on its own.
    """

    name: str
    target: str
    text: str
    imports: tuple[Import, ...]
    owner: str = ""

    @property
    def source(self) -> str:
        """The function as a file of its own."""
        return "\n".join([*(item.statement for item in self.imports), "", "", self.text, ""])


def group(chosen: Sequence[Observation], module: Module) -> list[list[Observation]]:
    """Cases of one test together, in the order of the tests in the file.

    Targets come in source order; within a target values before output before exceptions.
    """
    order = {target.qualname: index for index, target in enumerate(module.targets)}
    by_shape: dict[Shape | int, list[Observation]] = {}
    for index, observation in enumerate(map(tidy, chosen)):
        by_shape.setdefault(shape_of(observation) or index, []).append(observation)

    def rank(cases: list[Observation]) -> tuple[int, int, int, int]:
        last = cases[0].results[-1]
        kind = 2 if last.raised is not None else 1 if printed_only(last) else 0
        steps = cases[0].candidate.steps
        call = call_in(steps[-1].code)
        size = len(call.arguments) if call is not None else 0
        place = order.get(subject_of(cases[0], module.targets), len(order))
        return place, kind, len(steps), size

    groups = [part for cases in by_shape.values() for part in _by_behaviour(_sorted_rows(cases))]
    return sorted(groups, key=rank)


def _by_behaviour(rows: list[Observation]) -> list[list[Observation]]:
    """A long table in parts: what is true, what is false, what gives None, and all others."""
    if len(rows) <= _MOST_ROWS:
        return [rows]
    parts: dict[str, list[Observation]] = {}
    for row in rows:
        checks = row.results[-1].checks
        is_plain = len(checks) == 1 and checks[0].kind is CheckKind.IS
        parts.setdefault(checks[0].expression if is_plain else "", []).append(row)
    return list(parts.values())


def _sorted_rows(cases: list[Observation]) -> list[Observation]:
    """Rows without doubles: the normal ones first, numbers in their order."""
    unique = {tuple(step.code for step in case.candidate.steps): case for case in reversed(cases)}
    return sorted(unique.values(), key=_row_order)


def _row_order(case: Observation) -> tuple[object, ...]:
    """As :func:`row_order`, but texts of punctuation alone come after those with words."""
    outcome, edges, *order = row_order(case)
    texts = [value for text in inputs(case) if isinstance(value := literal(text), str)]
    is_odd = any(text.strip() and not re.search(r"\w", text) for text in texts)
    return outcome, edges, is_odd, *order


def build(
    cases: Sequence[Observation],
    module: Module,
    import_name: str,
    *,
    taken: Set[str] = frozenset(),
    bound: Mapping[str, Import | None] | None = None,
    is_one_of_many: bool = False,
    owner: str = "",
    is_named_alone: bool = True,
) -> Block:
    """Renders one test function.

    Args:
        cases: observations of one shape, or a single one.
        module: the module under test.
        import_name: how it is imported.
        taken: names that the function must not have.
        bound: what the file's top level binds already.
        is_one_of_many: True if other tests show the same exception of the same subject.
        owner: the class or function in whose class of tests it is to stand, or "".
        is_named_alone: True if its name has to say which class it is about.

    Raises:
        UnrenderableError: a name that the test needs is nowhere to be found, or hidden.
    """
    package = import_name.rpartition(".")[0]
    subject = subject_of(cases[0], module.targets)
    cases = [_with_known_warnings(reworded(tidy(c), module.targets), module) for c in cases]
    cases = _in_one_style(cases, module, import_name, bound or {})
    own = parse_imports([line for case in cases for line in case.candidate.imports], package)
    is_table = len(cases) > 1
    decorator, body, columns = _parts(cases, module)
    first = cases[0]
    call = call_in(first.candidate.steps[-1].code)
    parameters = argument_names(call, subject, module) if call else ()
    name = choose_name(
        cases,
        subject,
        parameters,
        module.targets,
        taken,
        is_one_of_many=is_one_of_many,
        owner="" if is_named_alone else owner,
    )
    text = _function(name, decorator, body, columns)
    expected = [*(i for case in cases for i in _expected_imports(case, package)), *_TOOLS]
    try:
        in_steps = {name for case in cases for name in _names_in_steps(case)}
        names = free_names(text)
        found, missing = resolve(names, in_steps, own, expected, module, import_name)
    except (SyntaxError, ValueError) as error:
        raise UnrenderableError(f"not valid Python: {error}") from error
    if missing:
        raise UnrenderableError(f"unknown or ambiguous name {missing[0]}")
    if hidden := _hidden(text, module.names):
        raise UnrenderableError(f"uses {hidden} before it hides it")
    items = tuple(dict.fromkeys(found.values()))
    local = [item for item in items if _is_local(item, bound or {})]
    if local:
        if is_table and {item.bound for item in local} & free_names(_stub(decorator)):
            raise UnrenderableError(f"the file has another {local[0].bound}")
        lines = tuple(item.statement for item in sorted(local))
        body = Body((*lines, "", *body.lines), body.fixtures)
        text = _function(name, decorator, body, columns)
    kept = tuple(item for item in items if item not in local)
    return Block(name, first.candidate.target, text, kept, owner)


def _in_one_style(
    cases: Sequence[Observation],
    module: Module,
    import_name: str,
    bound: Mapping[str, Import | None],
) -> list[Observation]:
    """The cases with ``date(...)`` in all of them, or ``datetime.date(...)`` in all of them."""
    package = import_name.rpartition(".")[0]
    own = parse_imports([line for case in cases for line in case.candidate.imports], package)
    needed = _other_meanings(module, import_name, bound)
    needed |= {item.module for item in own if item.name}
    better = [better_short(case, module, import_name, bound) for case in cases]
    short = needed | frozenset.intersection(*better)
    return [requalified(case, short) for case in cases]


def _parts(cases: Sequence[Observation], module: Module) -> tuple[str, Body, tuple[str, ...]]:
    if len(cases) == 1:
        return "", plain_body(cases[0], module.names), ()
    used = {name for case in cases for name in _names_in(case)}
    return table(cases, module, used)


def _names_in(case: Observation) -> set[str]:
    """Every name in a case, except the names of keywords."""
    found = _names_in_steps(case)
    for check in _checks(case):
        found |= _names_of(check.expression)
    return found


def _names_in_steps(case: Observation) -> set[str]:
    return {name for step in case.candidate.steps for name in _names_of(step.code)}


def _names_of(code: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def _function(name: str, decorator: str, body: Body, columns: tuple[str, ...]) -> str:
    known = [fixture for fixture in _FIXTURES if fixture in body.fixtures]
    others = [fixture for fixture in body.fixtures if fixture not in _FIXTURES]
    parameters = ", ".join(dict.fromkeys((*columns, *known, *others)))
    head = f"{decorator}\n" if decorator else ""
    return f"{head}def {name}({parameters}):\n{indent(chr(10).join(body.lines))}"


def _stub(decorator: str) -> str:
    return f"{decorator}\ndef test():\n    pass\n"


def _is_local(item: Import, bound: Mapping[str, Import | None]) -> bool:
    """True if the import cannot stand at the top of the file."""
    if item.must_stay_local:
        return True
    return item.bound in bound and item.conflicts_with(bound[item.bound])


def _checks(case: Observation) -> Iterable[Check]:
    for result in case.results:
        yield from result.checks
        yield from itertools.chain.from_iterable(checks for _, checks in result.changed)


def _expected_imports(case: Observation, package: str) -> tuple[Import, ...]:
    """The imports that expected values and exceptions bring along."""
    statements = [text for check in _checks(case) for text in check.imports]
    raised = (result.raised for result in case.results)
    statements += [item.type_import for item in raised if item is not None and item.type_import]
    return parse_imports(statements, package)


def _other_meanings(
    module: Module, import_name: str, bound: Mapping[str, Import | None]
) -> frozenset[str]:
    """Names of modules that mean something else in the module under test or in the file."""
    got = module_imports(module, import_name)
    in_module = {name for name in module.names if Import(name) != got.get(name)}
    in_file = {name for name, item in bound.items() if Import(name).conflicts_with(item)}
    return frozenset(in_module | in_file)


def _with_known_warnings(case: Observation, module: Module) -> Observation:
    """Warnings are observed by class name; one that cannot be imported becomes ``Warning``."""
    results = tuple(
        dataclasses.replace(
            result,
            warnings=tuple(
                name if hasattr(builtins, name) or name in module.names else "Warning"
                for name in result.warnings
            ),
        )
        for result in case.results
    )
    return dataclasses.replace(case, results=results)


def _hidden(text: str, names: frozenset[str]) -> str | None:
    """A module's name that a test reads before it makes it a variable of its own."""
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    stored = {n.id for n in ast.walk(function) if _is_store(n)} & names
    ready: set[str] = {argument.arg for argument in function.args.args}
    for statement in function.body:
        nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        is_augmented = isinstance(statement, ast.AugAssign)
        for node in nodes:
            is_read = isinstance(node.ctx, ast.Load) or is_augmented
            if is_read and node.id in stored and node.id not in ready:
                return node.id
        ready |= {node.id for node in nodes if _is_store(node)}
    return None


def _is_store(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
