"""An extension of the worker: records what the code under test compares its input with.

The module under test is imported from instrumented source: each comparison, look-up, conversion
and match in its functions also tells what it saw. It is for workers of their own, since it makes
code slow and shows up in tracebacks; no expectation of a test comes from here. As in fuzzers with
compare logs (RedQueen, AFL++'s cmplog), a later step puts one side where the other side occurs in
the input.

Standard library only, Python 3.9 and newer. Only values of exact built-in types are looked at, so
that no code of the project runs because of it.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import itertools
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Sequence
    from typing import Any

    Json = dict[str, Any]

NAME = "__hybridgen__"
LONGEST_TEXT = 400
MOST_ITEMS = 24
MOST_A_SITE = 10
MOST_RECORDS = 500

COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
TEXT_METHODS = frozenset(
    {
        *("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "replace"),
        *("split", "rsplit", "partition", "rpartition", "strip", "lstrip", "rstrip"),
        *("removeprefix", "removesuffix", "splitlines"),
        *("isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isspace", "isupper"),
        *("islower", "istitle", "isidentifier", "isascii"),
    }
)
KEY_METHODS = frozenset({"get", "pop", "setdefault"})
PATTERN_METHODS = frozenset({"match", "search", "fullmatch", "findall", "finditer", "sub", "subn"})
METHODS = TEXT_METHODS | KEY_METHODS | PATTERN_METHODS
CLASS_EXAMPLES = {
    "str": ("'a'",),
    "int": ("1",),
    "float": ("1.5",),
    "bool": ("True",),
    "bytes": ("b'a'",),
    "list": ("[1]",),
    "tuple": ("(1,)",),
    "dict": ("{'a': 1}",),
}
FUNCTIONS = frozenset({"int", "float", "complex", "Decimal", "isinstance"})


def plain(value: Any, depth: int = 0) -> str | None:
    """A short value of built-in types as a literal, or None."""
    kind = type(value)
    if kind in (bool, type(None)):
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() < 200 else None
    if kind is float:
        return repr(value) if value - value == 0 else None  # neither infinite nor NaN
    if kind in (str, bytes):
        return repr(value) if len(value) <= LONGEST_TEXT else None
    if depth > 1 or kind not in (list, tuple, set, frozenset, dict):
        return None
    texts = [plain(item, depth + 1) for item in itertools.islice(value, MOST_ITEMS)]
    found = [text for text in texts if text is not None]
    if kind in (list, tuple) and (len(found) < len(texts) or len(value) > MOST_ITEMS):
        return None
    if kind is tuple:
        return f"({', '.join(found)}{',' if len(found) == 1 else ''})"
    if kind is list:
        return f"[{', '.join(found)}]"
    return f"{{{', '.join(sorted(found))}}}" if found else None  # sets, and keys of mappings


def names_of(kinds: Any) -> list[str]:
    """Names of the built-in classes in the second argument of ``isinstance``."""
    items = kinds if type(kinds) is tuple else (kinds,)
    return [item.__name__ for item in items if type(item) is type and item.__module__ == "builtins"]


def keys_of(mapping: dict[Any, Any]) -> str | None:
    """The first keys of a mapping, by the method of the built-in base."""
    texts = [plain(key, 1) for key in itertools.islice(dict.__iter__(mapping), MOST_ITEMS)]
    return f"[{', '.join(text for text in texts if text is not None)}]"


class Recorder:
    """What instrumented code calls; every method gives what the original code would have given."""

    def __init__(self) -> None:
        self.records: list[list[Any]] = []
        self.counts: dict[int, int] = {}
        self.seen: set[tuple[Any, ...]] = set()
        self.pending: dict[tuple[int, int], str | None] = {}

    def reset(self) -> None:
        """Forgets the last run."""
        self.records, self.counts, self.seen, self.pending = [], {}, set(), {}

    def is_full(self, site: int) -> bool:
        """True if a place in the code has said enough; loops would say the same for long."""
        return self.counts.get(site, 0) >= MOST_A_SITE or len(self.records) >= MOST_RECORDS

    def note(self, site: int, line: int, kind: str, left: str | None, right: str | None) -> None:
        """Takes one record, once."""
        key = (line, kind, left, right)
        if (left is not None or right is not None) and key not in self.seen:
            self.seen.add(key)
            self.counts[site] = self.counts.get(site, 0) + 1
            self.records.append([line, kind, left, right])

    def operand(self, site: int, line: int, kind: str, at: int, value: Any) -> Any:
        """An operand of a comparison, the first or a later one of a chain."""
        if not self.is_full(site):
            text = plain(value)
            if at:
                self.note(site, line, kind, self.pending.get((site, at - 1)), text)
            self.pending[site, at] = text
        return value

    def subject(self, site: int, line: int, examples: Sequence[str], value: Any) -> Any:
        """The subject of a ``match``, with a literal that fits each case."""
        if not self.is_full(site):
            text = plain(value)
            for example in examples:
                self.note(site, line, "==", text, example)
        return value

    def item(self, site: int, line: int, container: Any, key: Any) -> Any:
        """A subscript."""
        if isinstance(container, dict) and not self.is_full(site):
            self.note(site, line, "key", plain(key), keys_of(container))
        return container[key]

    def method(self, site: int, line: int, owner: Any, name: str, *args: Any, **named: Any) -> Any:
        """A call of a method with a name that texts, mappings or patterns have."""
        if not self.is_full(site):
            kind = type(owner)
            first = args[0] if args else next(iter(named.values()), None)
            if kind in (str, bytes) and name in TEXT_METHODS:
                self.note(site, line, name, plain(owner), plain(first))
            elif isinstance(owner, dict) and name in KEY_METHODS:
                self.note(site, line, "key", plain(first), keys_of(owner))
            elif name in PATTERN_METHODS:
                self.pattern(site, line, owner, name, args)
        return getattr(owner, name)(*args, **named)

    def pattern(self, site: int, line: int, owner: Any, name: str, args: Sequence[Any]) -> None:
        """A regular expression: the text it is tried on, its pattern and flags."""
        rest = list(args)
        found = owner
        if owner is re and rest:
            found = rest.pop(0)
        if type(found) is str:
            found = (found, 0)
        elif type(found) is re.Pattern:
            found = (found.pattern, found.flags)
        text = rest[1 if name in ("sub", "subn") else 0 :][:1]
        if type(found) is tuple and text:
            how = "fullmatch" if name == "fullmatch" else "match" if name == "match" else "search"
            self.note(site, line, how, plain(text[0]), plain(found))

    def function(self, site: int, line: int, function: Any, *args: Any, **named: Any) -> Any:
        """A conversion of a text, or a check of a type."""
        if args and not self.is_full(site):
            if function is isinstance and len(args) == 2:
                self.note(site, line, "isinstance", plain(args[0]), plain(names_of(args[1])))
            elif type(args[0]) in (str, bytes):
                name = getattr(function, "__name__", "")
                self.note(site, line, str(name), plain(args[0]), None)
        return function(*args, **named)


class Instrument(ast.NodeTransformer):
    """Makes code inside functions tell the recorder what it sees; lines stay what they are."""

    def __init__(self) -> None:
        self.sites = itertools.count()
        self.is_inside = False

    def visit_FunctionDef(self, node: Any) -> Any:
        """Changes the body only: defaults and decorators are evaluated once, at import."""
        before, self.is_inside = self.is_inside, True
        node.body = [self.visit(statement) for statement in node.body]
        self.is_inside = before
        return node

    def visit_AsyncFunctionDef(self, node: Any) -> Any:
        """The same for coroutines."""
        return self.visit_FunctionDef(node)

    def visit_AnnAssign(self, node: Any) -> Any:
        """Leaves the annotation alone."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Compare(self, node: Any) -> Any:
        """Taps the operands, so that chains are still evaluated as Python does it."""
        self.generic_visit(node)
        if not self.is_inside or all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            return node
        site = next(self.sites)
        operands = [node.left, *node.comparators]
        is_length = any(
            isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id == "len"
            for item in operands
        )
        for at, item in enumerate(operands):
            kind = COMPARISONS[type(node.ops[max(at - 1, 0)])]
            kind = f"len {kind}" if is_length else kind
            operands[at] = self.told("operand", site, item, kind, at, item)
        node.left, node.comparators = operands[0], operands[1:]
        return node

    def visit_Call(self, node: Any) -> Any:
        """Replaces calls of methods and functions that look into texts."""
        self.generic_visit(node)
        if not self.is_inside:
            return node
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in METHODS:
            told = self.told("method", next(self.sites), node, function.value, function.attr)
        elif isinstance(function, ast.Name) and function.id in FUNCTIONS:
            told = self.told("function", next(self.sites), node, function)
        else:
            return node
        told.args += node.args
        told.keywords = node.keywords
        return told

    def visit_Subscript(self, node: Any) -> Any:
        """Replaces look-ups; slices are none."""
        self.generic_visit(node)
        has_slice = any(isinstance(part, ast.Slice) for part in ast.walk(node.slice))
        if not self.is_inside or has_slice or not isinstance(node.ctx, ast.Load):
            return node
        return self.told("item", next(self.sites), node, node.value, node.slice)

    def visit_Match(self, node: Any) -> Any:
        """Taps the subject."""
        self.generic_visit(node)
        examples = [text for case in node.cases for text in examples_of(case.pattern)]
        if self.is_inside:
            node.subject = self.told(
                "subject", next(self.sites), node.subject, examples[:MOST_ITEMS], node.subject
            )
        return node

    def told(self, method: str, site: int, where: Any, *parts: Any) -> Any:
        """A call of the recorder."""
        function = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
        literals: list[Any] = [ast.Constant(site), ast.Constant(where.lineno)]
        for part in parts:
            is_node = isinstance(part, ast.AST)
            literals.append(part if is_node else ast.parse(repr(part), mode="eval").body)
        call = ast.copy_location(ast.Call(function, literals, []), where)
        for new in (function, function.value, *literals):
            if new not in parts:
                ast.copy_location(new, where)
        return ast.fix_missing_locations(call)


def examples_of(pattern: Any) -> list[str]:
    """Literals that a ``case`` accepts: an example for each of its alternatives."""
    kind = type(pattern).__name__  # ast has these classes since Python 3.10 only
    if kind in ("MatchValue", "MatchSingleton"):
        value = pattern.value
        return [ast.unparse(value) if isinstance(value, ast.AST) else repr(value)]
    if kind == "MatchOr":
        return [text for part in pattern.patterns for text in examples_of(part)]
    if kind == "MatchAs":
        return examples_of(pattern.pattern) if pattern.pattern is not None else ["'a'"]
    if kind == "MatchClass":
        return list(CLASS_EXAMPLES.get(ast.unparse(pattern.cls), ()))
    if kind == "MatchSequence":
        fixed = [part for part in pattern.patterns if type(part).__name__ != "MatchStar"]
        parts = [examples_of(part) for part in fixed]
        if all(parts):
            return ["[" + ", ".join(part[0] for part in parts) + "]"]
    if kind == "MatchMapping":
        values = [examples_of(part) for part in pattern.patterns]
        if all(values):
            pairs = [f"{ast.unparse(key)}: {values[at][0]}" for at, key in enumerate(pattern.keys)]
            return ["{" + ", ".join(pairs) + "}"]
    return []


class Loader(importlib.machinery.SourceFileLoader):
    """Loads one file from instrumented source, past any cached bytecode."""

    def get_code(self, fullname: str) -> types.CodeType:
        """The code of the module; as it is written where it cannot be instrumented."""
        path = self.get_filename(fullname)
        data = self.get_data(path)
        try:
            tree = Instrument().visit(ast.parse(data, path))
            return compile(tree, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, TypeError, RecursionError):
            return compile(data, path, "exec", dont_inherit=True)


class Finder:
    """Finds modules as Python does, and gives one file to the loader above."""

    def __init__(self, file: str) -> None:
        self.file = os.path.realpath(file)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """The specification of a module."""
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.origin and os.path.realpath(spec.origin) == self.file:
                        spec.loader = Loader(fullname, spec.origin)
                    return spec
        return None


def install(worker: Any, session: Any) -> dict[str, Callable[[Json], Json]]:
    """The operations that this file adds: ``watch`` before ``load``, ``operands`` as ``run``."""
    recorder = Recorder()
    setattr(builtins, NAME, recorder)

    def watch(request: Json) -> Json:
        sys.meta_path.insert(0, Finder(request["file"]))
        return {"ok": True}

    def operands(request: Json) -> Json:
        recorder.reset()
        answer = session.run(request)
        return {"operands": recorder.records, "error": answer["error"]}

    return {"watch": watch, "operands": operands}
