"""From chosen cases to the text of a test file, new or merged into an existing one."""

from __future__ import annotations

import ast
import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from hybridgen.domain import Module, Observation, TestFile, strictest
from hybridgen.errors import PolicyRefusal
from hybridgen.suite.allowlist import forbidden
from hybridgen.suite.blocks import Block, UnrenderableError, build, group
from hybridgen.suite.imports import Import, bindings
from hybridgen.suite.merging import formatted, header, import_lines, insert, used_names
from hybridgen.suite.ownership import strip_own
from hybridgen.suite.subjects import subject_of


def render(
    module: Module,
    import_name: str,
    chosen: Sequence[Observation],
    *,
    path: Path,
    previous: str | None,
    line_length: int,
) -> TestFile:
    """Renders cases as tests and merges them into a file.

    hybridgen's own unedited tests in ``previous`` are replaced (those of the targets asked
    for, if the module is limited to some); everything else keeps every byte.

    Args:
        module: the module under test.
        import_name: the name by which the tests import it.
        chosen: what :func:`choose` kept.
        path: where the file goes.
        previous: what it holds now, see :func:`hybridgen.suite.read`.
        line_length: for the formatter.

    Raises:
        SourceError: ``previous`` is not valid Python.
        PolicyRefusal: a test would not be harmless outside of the sandbox (invariant 7).
    """
    base = header(import_name)
    own_imports: tuple[Import, ...] = ()
    if previous is not None and previous.strip():
        stripped = strip_own(previous, lambda target, _: _is_asked_for(target, module.only))
        base, own_imports = stripped.text, stripped.imports
    elif previous:
        base = previous + base
    bound = bindings(ast.parse(base))
    blocks = _blocks(module, import_name, chosen, bound)
    for block in blocks:
        if reasons := forbidden(block.source, import_name):
            raise PolicyRefusal(
                f"{block.name} for {module.display} would not be harmless: {reasons[0]}",
                "filter observations with hybridgen.suite.screened before choosing",
            )
    still_used = used_names(base)
    needed = [item for item in own_imports if item.bound in still_used]
    needed += [item for block in blocks for item in block.imports if bound.get(item.bound) != item]
    imports = import_lines(needed, import_name.partition(".")[0], line_length)
    text = insert(base, imports, formatted(blocks, line_length))
    label = strictest([module.label, *(observation.label for observation in chosen)])
    return TestFile(path, text, previous, tuple(block.name for block in blocks), label)


def without(test_file: TestFile, names: Collection[str], *, line_length: int = 88) -> TestFile:
    """The same file without some of the tests that hybridgen wrote, and their imports.

    Raises:
        SourceError: the file is not valid Python.
    """
    stripped = strip_own(test_file.text, lambda _, name: name in names)
    still_used = used_names(stripped.text)
    needed = [item for item in stripped.imports if item.bound in still_used]
    package = _package(stripped.imports)
    text = insert(stripped.text, import_lines(needed, package, line_length), [])
    kept = tuple(name for name in test_file.test_names if name not in stripped.names)
    return dataclasses.replace(test_file, text=text, test_names=kept)


def without_own(text: str, only: str | None = None) -> str:
    """A test file as it is before hybridgen's next run: without what that run replaces.

    Raises:
        SourceError: the file is not valid Python.
    """
    stripped = strip_own(text, lambda target, _: _is_asked_for(target, only))
    still_used = used_names(stripped.text)
    needed = [item for item in stripped.imports if item.bound in still_used]
    return insert(stripped.text, import_lines(needed, _package(needed), 88), [])


def _package(imports: Sequence[Import]) -> str:
    """The package under test, judged by the imports: what is neither stdlib nor pytest."""
    import sys

    known = {*sys.stdlib_module_names, "pytest"}
    tops = [item.module.partition(".")[0] for item in imports]
    return next((top for top in tops if top not in known), "")


def _is_asked_for(target: str, only: str | None) -> bool:
    return only is None or target == only or target.startswith(f"{only}.")


def _blocks(
    module: Module,
    import_name: str,
    chosen: Sequence[Observation],
    bound: Mapping[str, Import | None],
) -> list[Block]:
    """The test functions; imports that contradict each other go inside of functions."""
    known = dict(bound)
    taken = set(known)
    blocks: list[Block] = []

    def add(cases: Sequence[Observation]) -> None:
        block = build(
            cases,
            module,
            import_name,
            taken=taken,
            bound=known,
            is_one_of_many=count[_exception(cases, module)] > 1,
        )
        taken.add(block.name)
        known.update((item.bound, item) for item in block.imports)
        blocks.append(block)

    groups = group(chosen, module)
    count = Counter(_exception(cases, module) for cases in groups)
    for cases in groups:
        try:
            add(cases)
        except UnrenderableError:
            # One row may be at fault: the first case is the one that earned the test.
            for case in cases[:1] if len(cases) > 1 else ():
                try:
                    add([case])
                except UnrenderableError:
                    continue
    return blocks


def _exception(cases: Sequence[Observation], module: Module) -> tuple[str, str]:
    """What a test's subject is, and what it raises."""
    raised = cases[0].results[-1].raised
    subject = subject_of(cases[0], module.targets)
    return subject, raised.type_name if raised is not None else ""
