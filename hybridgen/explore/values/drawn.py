"""Varied values for type hints of built-in types, drawn by hypothesis in our own process.

Hand-made values come first (``plain.py``): they read better. These are for the variety that nobody
thinks of: signs and sizes of numbers, odd combinations in containers. They cross to the worker as
literals. Texts are kept to characters that a reader can see.
"""

from __future__ import annotations

import ast
import atexit
import functools
import operator
import random
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

EXAMPLES = 40
BYTES = 1_024
"""From which one value is made; enough for any."""

MOST_ITEMS = 4
LONGEST = 80
LARGEST = 10**6
LETTERS = "abcxyzABC0123456789 _-.,:;/+=@#%'\"()[]é"

_SEQUENCES = ("list", "List", "Sequence", "MutableSequence", "Iterable", "Collection")
_MAPPINGS = ("dict", "Dict", "Mapping", "MutableMapping")


class Drawn:
    """Values by the text of a type hint, drawn once for each.

    Args:
        seed: the same seed gives the same values.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, annotation: str) -> tuple[str, ...]:
        """Values as source text; none for a hint with any other type than built-in ones."""
        if annotation not in self._known:
            self._known[annotation] = self._draw(annotation)
        return self._known[annotation]

    def _draw(self, annotation: str) -> tuple[str, ...]:
        try:
            node = ast.parse(annotation.strip("'\""), mode="eval").body
        except (SyntaxError, ValueError):
            return ()
        strategy = _strategy(node)
        return () if strategy is None else _examples(strategy, self._seed)


def _examples(strategy: SearchStrategy[Any], seed: int) -> tuple[str, ...]:
    import hypothesis

    found: dict[str, None] = {}

    @hypothesis.settings(database=None, deadline=None)
    @hypothesis.given(strategy)
    def collect(value: object) -> None:
        found[_written(value)] = None

    # Its own choices favour constants of whatever modules are loaded, so they would differ between
    # an installed and a cloned hybridgen; those that it makes from bytes do not.
    test: Any = collect
    chooser = random.Random(seed)
    for _ in range(EXAMPLES):
        test.hypothesis.fuzz_one_input(chooser.randbytes(BYTES))
    return tuple(text for text in found if len(text) <= LONGEST)


def _written(value: object) -> str:
    """``repr``, with the names that :data:`hybridgen.explore.values.plain.IMPORTS` binds."""
    text = repr(value)
    return f"uuid.{text}" if text.startswith("UUID(") else text


def _strategy(node: ast.expr) -> SearchStrategy[Any] | None:
    """The strategy of a hint, None where a part of it is no built-in type."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _any_of([_strategy(node.left), _strategy(node.right)])
    if isinstance(node, ast.Constant):
        return _simple().get("None") if node.value is None else None
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _of_many(_name(node.value), inner)
    return _simple().get(_name(node))


def _of_many(name: str, inner: list[ast.expr]) -> SearchStrategy[Any] | None:
    from hypothesis import strategies

    is_open = name in ("tuple", "Tuple") and ast.unparse(inner[-1]) == "..."
    parts = [_strategy(part) for part in (inner[:1] if is_open else inner)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if name == "Optional":
        return strategies.none() | known[0]
    if name == "Union":
        return _any_of(parts)
    if name in _SEQUENCES:
        return strategies.lists(known[0], max_size=MOST_ITEMS)
    if is_open:
        return strategies.lists(known[0], max_size=MOST_ITEMS).map(tuple)
    if name in ("tuple", "Tuple"):
        return strategies.tuples(*known)
    if name in _MAPPINGS and len(known) == 2 and _is_hashable(inner[0]):
        return strategies.dictionaries(*known, max_size=MOST_ITEMS)
    return None


def _any_of(parts: list[SearchStrategy[Any] | None]) -> SearchStrategy[Any] | None:
    known = [part for part in parts if part is not None]
    return functools.reduce(operator.or_, known) if len(known) == len(parts) else None


def _is_hashable(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@functools.cache
def _simple() -> dict[str, SearchStrategy[Any]]:
    """Strategies by the name of a type."""
    from hypothesis import configuration, strategies

    # It keeps tables in a folder; that must not be the working folder, somebody's project.
    home = tempfile.mkdtemp(prefix="hybridgen-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    configuration.set_hypothesis_home_dir(home)
    numbers = strategies.floats(-LARGEST, LARGEST).map(lambda value: round(value, 3) + 0.0)
    return {
        "None": strategies.none(),
        "str": strategies.text(LETTERS, max_size=12),
        "int": strategies.integers(-LARGEST, LARGEST),
        "float": numbers,
        "bool": strategies.booleans(),
        "bytes": strategies.binary(max_size=6),
        "Decimal": strategies.decimals(-LARGEST, LARGEST, places=2),
        "Fraction": strategies.fractions(-99, 99, max_denominator=20),
        "date": strategies.dates(),
        "datetime": strategies.datetimes(),
        "time": strategies.times(),
        "timedelta": strategies.timedeltas(),
        "UUID": strategies.uuids(),
    }
