"""How many sampled mutants of a module a test file notices, measured from outside.

    python bench/mutants.py PROJECT path/to/module.py tests/test_module.py [--count 40] [--seed 1]

Each mutant is one change in the module's syntax tree (comparison, boolean, arithmetic, constant,
``not``, returned value, dropped call), in a copy of the project, judged by plain pytest: a mutant
is killed if pytest fails. The sample is seeded. Prints one JSON object; survivors are shown as
lines of code.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

COMPARE = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip


def mutations(node: ast.AST) -> Iterator[ast.AST]:
    """New nodes that could stand in the place of ``node``."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        changed = copy.deepcopy(node)
        changed.ops[0] = COMPARE[type(node.ops[0])]()
        yield changed
    if isinstance(node, ast.BoolOp):
        changed = copy.deepcopy(node)
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield changed
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        changed = copy.deepcopy(node)
        changed.op = ARITHMETIC[type(node.op)]()
        yield changed
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield ast.Constant(node.value + 1)
        elif isinstance(node.value, str) and node.value:
            yield ast.Constant("XX" + node.value)
    if isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()


def left_out(tree: ast.Module) -> set[int]:
    """Nodes that say nothing at run time: docstrings, annotations and imports."""
    ids: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                parts.append(node.body[0])
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.AST):
                parts.append(part)
        for part in parts:
            ids.update(id(inner) for inner in ast.walk(part))
    return ids


def put(parent: ast.AST, field: str, place: int | None, node: ast.AST) -> None:
    """Puts a node into a field of its parent, or into a place of the list there."""
    if place is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node


def sources(text: str, count: int, seed: int) -> list[tuple[int, str, str]]:
    """Up to ``count`` sampled mutants as (line, old code, new source of the module)."""
    tree = ast.parse(text)
    skipped = left_out(tree)
    sites = []
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            for index, node in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(node, ast.AST) and id(node) not in skipped:
                    place = index if isinstance(value, list) else None
                    sites += [(parent, field, place, node, new) for new in mutations(node)]
    random.Random(seed).shuffle(sites)
    result = []
    for parent, field, place, node, new in sites[:count]:
        put(parent, field, place, new)
        changed = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
        put(parent, field, place, node)
        result.append(
            (getattr(node, "lineno", 0), f"{ast.unparse(node)} -> {ast.unparse(new)}", changed)
        )
    return result


def passes(folder: Path, test_file: str, python: str) -> bool:
    """True if pytest passes in ``folder``; a run that takes a minute counts as failed."""
    command = [python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", test_file]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    """Prints the score as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("module", help="relative to the project")
    parser.add_argument("test_file", help="relative to the project")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--at-least", type=float, default=0.0, help="exit with 1 below this score")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "copy"
        shutil.copytree(
            options.project, folder, ignore=shutil.ignore_patterns(".git", "__pycache__")
        )
        if not passes(folder, options.test_file, options.python):
            sys.exit("the tests do not pass on the module as it is")
        path = folder / options.module
        original = path.read_text(encoding="utf-8")
        killed, survivors = 0, []
        mutants = sources(original, options.count, options.seed)
        for line, change, text in mutants:
            path.write_text(text, encoding="utf-8")
            if passes(folder, options.test_file, options.python):
                survivors.append(f"{options.module}:{line}: {change}")
            else:
                killed += 1
    score = killed / len(mutants) if mutants else 1.0
    print(
        json.dumps(
            {"mutants": len(mutants), "killed": killed, "score": score, "survivors": survivors},
            indent=1,
        )
    )
    sys.exit(0 if score >= options.at_least else 1)


if __name__ == "__main__":
    main()
