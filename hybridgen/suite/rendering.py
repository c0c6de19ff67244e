"""From chosen cases to the text of a test file, new or merged into an existing one."""

from __future__ import annotations

import ast
import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from hybridgen.domain import Module, Observation, Suspect, TargetKind, TestFile, strictest
from hybridgen.errors import PolicyRefusal
from hybridgen.secretscan import find_secrets
from hybridgen.suite.allowlist import forbidden
from hybridgen.suite.blocks import Block, UnrenderableError, build, group
from hybridgen.suite.imports import Import, bindings
from hybridgen.suite.merging import formatted, header, import_lines, insert, used_names
from hybridgen.suite.ownership import strip_own
from hybridgen.suite.policy import FILE_READERS
from hybridgen.suite.sections import Section, renamed, sections
from hybridgen.suite.style import Layout, Style, style_of
from hybridgen.suite.subjects import subject_of
from hybridgen.suite.unittests import as_method
from hybridgen.suite.xfail import xfail_blocks


def render(
    module: Module,
    import_name: str,
    chosen: Sequence[Observation],
    *,
    path: Path,
    previous: str | None,
    line_length: int,
    suspects: Sequence[Suspect] = (),
    python_classes: Sequence[str] = (),
    python_functions: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
) -> TestFile:
    """Renders cases as tests and merges them into a file.

    hybridgen's own unedited tests in ``previous`` are replaced (those of the targets asked
    for, if the module is limited to some); everything else keeps every byte.

    Args:
        module: the module under test.
        import_name: the name by which the tests import it.
        chosen: what :func:`select` kept.
        path: where the file goes.
        previous: what it holds now, see :func:`hybridgen.suite.read`.
        line_length: for the formatter.
        suspects: what is said by a test that is expected to fail.
        python_classes: which classes the project's pytest collects, () for its default.
        python_functions: which functions it collects.
        names: other names for tests, by those that pytest has for them without it.

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
    style = style_of(base, module.project.existing_tests).collected(
        python_classes, python_functions
    )
    for attempt in (style, dataclasses.replace(style, layout=Layout.FUNCTIONS)):
        parts = _parts(module, import_name, chosen, suspects, base, attempt)
        parts = [renamed(part, names or {}) for part in parts]
        texts = formatted(parts, line_length, style.quote)
        reasons = _judged(parts, texts, import_name, module)
        if not reasons:
            break
    else:
        if len(fewer := _without_file_readers(chosen)) < len(chosen):
            return render(
                module,
                import_name,
                fewer,
                path=path,
                previous=previous,
                line_length=line_length,
                suspects=suspects,
                python_classes=python_classes,
                python_functions=python_functions,
                names=names,
            )
        raise PolicyRefusal(
            f"the tests for {module.display} would not be harmless: {reasons[0]}",
            "filter observations with hybridgen.suite.screened before choosing",
        )
    bound = bindings(ast.parse(base))
    still_used = used_names(base)
    needed = [item for item in own_imports if item.bound in still_used]
    needed += [item for part in parts for item in part.imports if bound.get(item.bound) != item]
    imports = import_lines(needed, import_name.partition(".")[0], line_length)
    text = insert(base, imports, texts)
    label = strictest([module.label, *(observation.label for observation in chosen)])
    tests = tuple(name for part in parts for name in part.tests)
    return TestFile(path, text, previous, tests, label)


def _without_file_readers(chosen: Sequence[Observation]) -> list[Observation]:
    """Cases that use no module whose objects may read files.

    With such a module in a file, no method that has the name of their readers is called with an
    argument there, whatever it belongs to; each case alone was fit, together they may not be.
    """
    return [item for item in chosen if not _imported(item) & FILE_READERS.keys()]


def _imported(observation: Observation) -> set[str]:
    checks = (check for result in observation.results for check in result.checks)
    lines = [*observation.candidate.imports, *(line for c in checks for line in c.imports)]
    return {line.split()[1] for line in lines}


def _parts(
    module: Module,
    import_name: str,
    chosen: Sequence[Observation],
    suspects: Sequence[Suspect],
    base: str,
    style: Style,
) -> list[Section]:
    """The statements that hybridgen adds to a file."""
    bound = bindings(ast.parse(base))
    blocks = _blocks(module, import_name, chosen, bound, style)
    for block in blocks:
        if reasons := forbidden(block.source, import_name, module.source.text):
            raise PolicyRefusal(
                f"{block.name} for {module.display} would not be harmless: {reasons[0]}",
                "filter observations with hybridgen.suite.screened before choosing",
            )
    known = bound | {item.bound: item for block in blocks for item in block.imports}
    used = set(known) | {block.name for block in blocks}
    blocks += xfail_blocks(suspects, module, import_name, taken=used, bound=known)
    taken = set(bound) | {item.bound for block in blocks for item in block.imports}
    return sections(blocks, style, taken=taken, only=module.only)


def _judged(
    parts: Sequence[Section], texts: Sequence[str], import_name: str, module: Module
) -> tuple[str, ...]:
    """Why the text that goes into the file must not be written, with all the imports it uses."""
    imports = dict.fromkeys(item.statement for part in parts for item in part.imports)
    source = "\n\n\n".join(["\n".join(imports), *texts])
    secrets = (f"it seems to hold a secret: {found.kind}" for found in find_secrets(source))
    return (*forbidden(source, import_name, module.source.text), *secrets)


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
    style: Style,
) -> list[Block]:
    """The test functions; imports that contradict each other go inside of functions.

    Tests in a class leave its name out of theirs.
    """
    groups = group(chosen, module)
    count = Counter(_exception(cases, module) for cases in groups)
    known = dict(bound)
    used: defaultdict[str, set[str]] = defaultdict(set)
    blocks: list[Block] = []

    def built(cases: Sequence[Observation], owner: str) -> Block:
        return build(
            cases,
            module,
            import_name,
            taken=used[owner] | set(known),
            bound=known,
            is_one_of_many=count[_exception(cases, module)] > 1,
            owner=owner,
            is_named_alone=not _is_class(owner, module),
        )

    def add(cases: Sequence[Observation], owner: str) -> None:
        block = built(cases, owner)
        if owner and style.layout is Layout.UNITTEST and as_method(block.text) is None:
            block = built(cases, "")  # unittest has nothing that is as plain as tmp_path
        used[block.owner].add(block.name)
        known.update((item.bound, item) for item in block.imports)
        blocks.append(block)

    for cases, owner in zip(groups, _owners(groups, module, style), strict=True):
        _add_one_way(add, cases, owner)
    return blocks


def _add_one_way(
    add: Callable[[Sequence[Observation], str], None], cases: Sequence[Observation], owner: str
) -> None:
    """Adds a table, or else its first row: that is the one that earned the test."""
    for part in (cases, cases[:1]) if len(cases) > 1 else (cases,):
        try:
            add(part, owner)
        except UnrenderableError:
            continue
        return


def _owners(groups: Sequence[Sequence[Observation]], module: Module, style: Style) -> list[str]:
    """For each test, the class or function in whose class of tests it stands, or ""."""
    if style.layout is Layout.FUNCTIONS:
        return [""] * len(groups)
    found: list[str] = []
    for cases in groups:
        top = subject_of(cases[0], module.targets).partition(".")[0]
        is_grouped = style.layout is not Layout.MIXED or _is_class(top, module)
        found.append(top if is_grouped else "")
    count = Counter(found)
    is_mixed = style.layout is Layout.MIXED
    return [owner if count[owner] > 1 or not is_mixed else "" for owner in found]


def _is_class(name: str, module: Module) -> bool:
    return any(t.qualname == name and t.kind is TargetKind.CLASS for t in module.targets)


def _exception(cases: Sequence[Observation], module: Module) -> tuple[str, str]:
    """What a test's subject is, and what it raises."""
    raised = cases[0].results[-1].raised
    subject = subject_of(cases[0], module.targets)
    return subject, raised.type_name if raised is not None else ""
