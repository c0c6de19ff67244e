"""Does a case make the code under test touch more than its own values?

hybridgen observes in a sandbox, but the developer runs the written test without one: a call
that was stopped by the kernel here would delete a file there, and what asks for a file that is
not here would find one there. So the lines that a case executes are searched for calls that read
or write files, start programs or use the network; cases with files belong below ``tmp_path``.

It sees the module under test only, not what other modules do on its behalf.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from hybridgen.domain import Candidate, Module, Observation, Step, StepKind
from hybridgen.outside import is_outside
from hybridgen.suite.imports import imports_in
from hybridgen.suite.policy import words

_OS_FILES = words(
    "remove unlink rmdir removedirs rename renames replace mkdir makedirs symlink link chmod "
    "chown lchown lchmod truncate utime mkfifo mknod setxattr chdir chroot open"
)
_FILES = words("shutil tempfile sqlite3 shelve dbm")
_SHUTIL_READS = frozenset(["which", "disk_usage", "get_terminal_size"])
_METHODS = words(
    "write_text write_bytes unlink rmdir mkdir touch chmod symlink_to hardlink_to rmtree"
)
_ARCHIVES = frozenset(["extractall"])
_OPENING = frozenset(["open", "io.open", "codecs.open", "gzip.open"])
_OS_ASKS = words("listdir scandir walk stat lstat access readlink getcwd")
_PATH_ASKS = words(
    "exists lexists isfile isdir islink ismount getsize getmtime getatime getctime samefile"
)
_PATH_METHODS = words(
    "is_file is_dir is_symlink iterdir rglob read_text read_bytes lstat expanduser"
)

FOLDER = "monkeypatch.chdir(tmp_path)"
"""Set-up under which a relative path leads into an empty folder, here and at the developer's."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Lines of a module with calls that reach further than its own values.

    Attributes:
        files: they write, remove or rename.
        asks: they read files, or ask whether there are any.
        outside: they reach programs or the network, with what is called, as it is written there.
    """

    files: frozenset[int]
    asks: frozenset[int]
    outside: Mapping[int, frozenset[str]]


def side_effect(observation: Observation, source: str) -> str | None:
    """Why a case is not safe to repeat without a sandbox, or None.

    Files may be read and written by cases that use ``tmp_path``.
    """
    effects, lines = effects_of(source), _lines(observation)
    replaced = replaced_by(observation.candidate)
    for line in sorted(lines & effects.outside.keys()):
        if not all(_is_replaced(call, replaced) for call in effects.outside[line]):
            return "starts programs or uses the network"
    uses_folder = "tmp_path" in observation.candidate.fixtures
    if lines & effects.files and not uses_folder:
        return "writes files outside of tmp_path"
    if lines & effects.asks and not uses_folder:
        return "reads files outside of tmp_path"
    return None


def anchored(observation: Observation, source: str) -> Candidate:
    """The candidate of a case; one that reads or writes files does so in an empty folder.

    Where a call names a path below ``tmp_path`` already, it stays as it is.
    """
    candidate, effects = observation.candidate, effects_of(source)
    if "tmp_path" in candidate.fixtures:
        return candidate
    if not _lines(observation) & (effects.files | effects.asks):
        return candidate
    fixtures = dict.fromkeys((*candidate.fixtures, "monkeypatch", "tmp_path"))
    steps = (Step(StepKind.SETUP, FOLDER), *candidate.steps)
    return replace(candidate, steps=steps, fixtures=tuple(fixtures))


def _lines(observation: Observation) -> set[int]:
    return {line for arc in observation.arcs for line in arc if line > 0}


@lru_cache(maxsize=16)
def effects_of(source: str) -> Effects:
    """Finds those lines in the text of a module; empty if it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Effects(frozenset(), frozenset(), {})
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for item in imports_in(node):
                full = f"{item.module}.{item.name}" if item.name else item.module
                known[item.bound] = full if item.name or item.alias else item.bound
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    own = {node.name for node in ast.walk(tree) if isinstance(node, functions)}
    files: set[int] = set()
    asks: set[int] = set()
    outside: defaultdict[int, set[str]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            kind = _kind(node, known)
            # The tracer names the first line of a statement, the call may stand further down.
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if kind == "files":
                files.update(span)
            elif kind == "asks" and not _is_own(node, own):
                asks.update(span)
            elif kind == "outside":
                for line in span:
                    outside[line].add(_written(node))
    called = {line: frozenset(calls) for line, calls in outside.items()}
    return Effects(frozenset(files), frozenset(asks), called)


def replaced_by(candidate: Candidate) -> tuple[str, ...]:
    """What a candidate replaces by ``monkeypatch.setattr``: import paths, in order."""
    found: list[str] = []
    for step in candidate.steps:
        match ast.parse(step.code).body:
            case [ast.Expr(value=ast.Call(func=function, args=[ast.Constant(value=str(path)), _]))]:
                if ast.unparse(function) == "monkeypatch.setattr":
                    found.append(path)
    return tuple(found)


def replaced_outside(observations: Iterable[Observation], module: Module) -> tuple[str, ...]:
    """One line for each call to the outside that tests replace, for the report.

    ``subprocess.run is replaced in 3 tests``, by the name that the module gives it.
    """
    calls = {call for names in effects_of(module.source.text).outside.values() for call in names}
    count: Counter[str] = Counter()
    for observation in observations:
        replaced = replaced_by(observation.candidate)
        count.update(call for call in sorted(calls) if _is_replaced(call, replaced))
    return tuple(
        f"{call} is replaced in {number} test{'s' if number > 1 else ''}: the real one never runs"
        for call, number in sorted(count.items())
    )


def _is_replaced(call: str, replaced: Collection[str]) -> bool:
    return any(path.endswith(f".{call}") for path in replaced)


def _is_own(call: ast.Call, own: Collection[str]) -> bool:
    """True for ``store.exists(key)`` where the module defines such a method."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in own


def _kind(call: ast.Call, known: dict[str, str]) -> str | None:
    """``"files"``, ``"asks"``, ``"outside"`` or None for one call."""
    dotted = _written(call)
    root, _, rest = dotted.partition(".")
    full = f"{known.get(root, root)}.{rest}" if rest else known.get(root, root)
    base, _, name = full.rpartition(".")
    if is_outside(full):
        return "outside"
    if base == "os":
        return "files" if name in _OS_FILES else "asks" if name in _OS_ASKS else None
    top = full.partition(".")[0]
    if root in known and top in _FILES and name not in _SHUTIL_READS:
        return "files"
    is_opening = full in _OPENING
    if (is_opening or name == "open") and _writes(call, is_method=not is_opening and base != ""):
        return "files"
    if name in _METHODS or name in _ARCHIVES:
        return "files"
    is_asking = is_opening or name in _PATH_METHODS or top == "glob"
    return "asks" if is_asking or (name in _PATH_ASKS and base != "") else None


def _written(call: ast.Call) -> str:
    """What is called, as ``a.b.c``; for a method of what a call gave, ``.c``."""
    parts: list[str] = []
    node = call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "", *reversed(parts)])


def _writes(call: ast.Call, *, is_method: bool) -> bool:
    """True if the mode of an ``open`` call writes, or is not plain to see."""
    values = {item.arg: item.value for item in call.keywords}
    position = 0 if is_method else 1
    mode = values.get("mode", call.args[position] if len(call.args) > position else None)
    if mode is None:
        return False
    if not isinstance(mode, ast.Constant) or not isinstance(mode.value, str):
        return True
    return any(char in mode.value for char in "wax+")
