"""Makes candidates of items: drops what cannot work, splits what is independent, caps sizes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hybridgen.domain import Candidate, Label, Step, StepKind
from hybridgen.post.flatten import Item, literal_numbers
from hybridgen.post.safety import is_harmless
from hybridgen.post.syntax import (
    bound_names,
    dotted,
    free_names,
    is_constant,
    is_valid,
    name,
    words,
)
from hybridgen.post.vocabulary import Vocabulary

MOST_STEPS = 12
_LONGEST_PROBE = 400
_LONGEST_SETUP = 1_500
_IMMUTABLE = words(
    "Decimal Fraction UUID date datetime time timedelta timezone frozenset ZoneInfo str"
)


def assemble(
    items: Sequence[Item], vocabulary: Vocabulary, *, label: Label, origin: str, name_hint: str
) -> list[Candidate]:
    """The candidates that one scenario gives."""
    kept = _useful(_with_result_probes(_known(items, vocabulary), vocabulary), vocabulary)
    found: list[Candidate] = []
    for group in _groups(kept, vocabulary, is_loose=not name_hint):
        group = _useful(group[:MOST_STEPS], vocabulary)
        names = frozenset().union(*(free_names(item.node) for item in group))
        if not vocabulary.is_about_module(names):
            continue
        if not any(item.kind is StepKind.PROBE for item in group):
            continue
        steps = tuple(_step(item, vocabulary, group) for item in group)
        local = frozenset().union(*(bound_names(item.node) for item in group))
        opinions = [item.condition or item.raises for item in group]
        used = names.union(*(free_names(node) for node in opinions if node is not None))
        imports = {vocabulary.import_for(item) for item in used - local}
        found.append(
            Candidate(
                target=vocabulary.target.qualname,
                steps=steps,
                label=label,
                origin=origin,
                imports=tuple(sorted(item for item in imports if item)),
                fixtures=("tmp_path",) if "tmp_path" in names else (),
                name_hint=name_hint,
            )
        )
    return found


def _known(items: Sequence[Item], vocabulary: Vocabulary) -> list[Item]:
    """``items`` without those that use unknown names, and without what depends on them."""
    available: set[str] = set()
    outside: set[str] = set()  # names that were taken from outside the candidate
    temporary: set[str] = set()
    renamed: dict[str, str] = {}
    numbers = literal_numbers(items)
    kept: list[Item] = []
    for item in items:
        _rename(item, renamed)
        needed = free_names(item.node) - available - {"tmp_path"}
        binds = bound_names(item.node) if item.kind is StepKind.SETUP else frozenset()
        is_kept = (
            all(map(vocabulary.is_known, needed))
            and vocabulary.own.isdisjoint(binds)
            and is_harmless(item.node, vocabulary, frozenset(temporary), numbers)
            and _fits(item)
        )
        if not is_kept:
            available -= binds
            continue
        outside |= needed
        # "date = date(2024, 1, 1)" would make "date" a local of the test before it has a value.
        clashes = {old: f"{old}_" for old in binds & outside if old not in available}
        if clashes and isinstance(item.node, ast.Assign):
            renamed |= clashes
            for target in item.node.targets:
                _Renamer(clashes).visit(target)
            binds = bound_names(item.node)
        available |= binds
        if free_names(item.node) & (temporary | {"tmp_path"}):
            temporary |= binds
        kept.append(item)
    return kept


class _Renamer(ast.NodeTransformer):
    def __init__(self, renamed: dict[str, str]) -> None:
        self._renamed = renamed

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._renamed.get(node.id, node.id)
        return node


def _rename(item: Item, renamed: dict[str, str]) -> None:
    if renamed:
        for node in (item.node, item.condition, item.raises):
            if node is not None:
                _Renamer(renamed).visit(node)


def _fits(item: Item) -> bool:
    """True if ``item`` is short enough and compiles on its own."""
    code = ast.unparse(item.node)
    if item.kind is StepKind.PROBE:
        return len(code) <= _LONGEST_PROBE and is_valid(code, "eval")
    return len(code) <= _LONGEST_SETUP and is_valid(code, "exec")


def _with_result_probes(items: Sequence[Item], vocabulary: Vocabulary) -> list[Item]:
    """``items`` with a probe after each result of the module that nobody looks at."""
    result: list[Item] = []
    made: set[str] = set()
    for at, item in enumerate(items):
        result.append(item)
        needed = free_names(item.node)
        if not needed.isdisjoint(vocabulary.own | made):
            made |= bound_names(item.node) if item.kind is StepKind.SETUP else set()
        if not isinstance(item.node, ast.Assign) or item.raises is not None:
            continue
        binds = bound_names(item.node)
        is_about_module = not needed.isdisjoint(vocabulary.own | made)
        for bound in sorted(binds if is_about_module else ()):
            if not _is_read(bound, items[at + 1 :]):
                result.append(Item(StepKind.PROBE, name(bound)))
    return result


def _is_read(wanted: str, items: Sequence[Item]) -> bool:
    """True if ``wanted`` is read before it is bound again."""
    for item in items:
        if wanted in free_names(item.node):
            return True
        if item.condition is not None and wanted in free_names(item.condition):
            return True
        if isinstance(item.node, ast.Assign) and wanted in bound_names(item.node):
            return False
    return False


def _useful(items: Sequence[Item], vocabulary: Vocabulary) -> list[Item]:
    """``items`` without set-up that nothing needs."""
    kept: list[Item] = []
    needed: set[str] = set()
    for item in reversed(items):
        node = item.node
        reads = free_names(node)
        is_definition = isinstance(
            node, ast.Assign | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        )
        is_silent = isinstance(node, ast.Expr) and item.kind is StepKind.SETUP
        if item.kind is StepKind.SETUP and (is_definition or is_silent):
            binds = bound_names(node) or reads
            if isinstance(node, ast.Assign) and not bound_names(node):
                binds = reads | _roots(node)
            if needed.isdisjoint(binds) and vocabulary.own.isdisjoint(reads):
                continue
        needed |= reads
        if item.condition is not None:
            needed |= free_names(item.condition)
        kept.insert(0, item)
    return kept


def _roots(node: ast.Assign) -> frozenset[str]:
    return frozenset().union(*(free_names(target) for target in node.targets))


def _groups(items: Sequence[Item], vocabulary: Vocabulary, *, is_loose: bool) -> list[list[Item]]:
    """``items`` split into groups that share no state; each with the constants it uses."""
    is_ordered = not is_loose and len(items) <= MOST_STEPS and _has_global_effect(items, vocabulary)
    if is_ordered:
        return [list(items)]
    leader = list(range(len(items)))

    def find(at: int) -> int:
        while leader[at] != at:
            at = leader[at]
        return at

    made_at: dict[str, int] = {}
    copies: list[set[int]] = [set() for _ in items]
    is_shared = [_is_shareable(item) for item in items]
    for at, item in enumerate(items):
        reads = free_names(item.node)
        if item.condition is not None:
            reads |= free_names(item.condition)
        for used in sorted(reads):
            source = made_at.get(used)
            if source is None:
                if used == "tmp_path":
                    made_at[used] = at  # all files of a test are one state
            elif used != "tmp_path" and is_shared[source]:
                copies[at] |= {source, *copies[source]}
            else:
                is_shared[at] = False
                leader[find(at)] = find(source)
        if item.kind is StepKind.SETUP:
            for bound in bound_names(item.node):
                made_at[bound] = at
    groups: dict[int, list[int]] = {}
    for at in range(len(items)):
        groups.setdefault(find(at), []).append(at)
    result = []
    for members in groups.values():
        wanted = sorted(set(members).union(*(copies[at] for at in members)))
        if any(items[at].kind is StepKind.PROBE for at in members):
            result.append([items[at] for at in wanted])
    return result


def _has_global_effect(items: Sequence[Item], vocabulary: Vocabulary) -> bool:
    """True if a function was called for its effect, and others were looked at afterwards."""
    called: set[str] = set()
    for item in items:
        functions = vocabulary.functions.keys() & free_names(item.node)
        if item.condition is not None and functions and called - functions:
            return True
        if item.is_bare and item.raises is None:
            called |= functions
    return False


def _is_shareable(item: Item) -> bool:
    """True for set-up whose value cannot change: constants, definitions, dates ..."""
    node = item.node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return True
    if not isinstance(node, ast.Assign):
        return False
    if is_constant(node.value) or isinstance(node.value, ast.Lambda):
        return True
    if isinstance(node.value, ast.Call):
        return (dotted(node.value.func) or [""])[-1] in _IMMUTABLE
    return False


def _step(item: Item, vocabulary: Vocabulary, group: Sequence[Item]) -> Step:
    return Step(item.kind, ast.unparse(item.node), _opinion(item, vocabulary, group))


def _opinion(item: Item, vocabulary: Vocabulary, group: Sequence[Item]) -> str | None:
    """The opinion as text, or None where it uses names that are not there."""
    if item.raises is not None:
        parts = dotted(item.raises)
        if isinstance(item.raises, ast.Tuple):
            return "raises Exception"
        if parts is None or not vocabulary.is_known(parts[0]):
            item.raises = None
            return None
        return f"raises {'.'.join(parts)}"
    if item.condition is None:
        return None
    before = group[: [id(other) for other in group].index(id(item))]
    available = frozenset({"_", "tmp_path"}).union(*(bound_names(other.node) for other in before))
    code = ast.unparse(item.condition)
    if (
        len(code) <= _LONGEST_PROBE
        and all(map(vocabulary.is_known, free_names(item.condition) - available))
        and is_harmless(item.condition, vocabulary, frozenset(), {})
        and is_valid(code, "eval")
    ):
        return code
    item.condition = None
    return None
