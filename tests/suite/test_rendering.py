"""Rendered files: gold text, and real runs under pytest."""

from __future__ import annotations

import ast
import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybridgen import suite
from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Module,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
    Strength,
    Suspect,
    TestFile,
)
from hybridgen.errors import PolicyRefusal, SourceError

GOLD = Path(__file__).parent / "gold" / "pricing.txt"
NAME = "shop.pricing"
DATE = ["from datetime import date"]
ASYNC = ["import asyncio"]


def write_and_run(file: TestFile, root: Path) -> subprocess.CompletedProcess[str]:
    """Runs a rendered file under plain pytest with warnings as errors."""
    suite.write(file, root=root)
    environment = {"PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, str(file.path)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def render(module: Module, cases: Sequence[Observation], previous: str | None = None) -> TestFile:
    path = module.project.tests_folder / "test_pricing.py"
    return suite.render(module, NAME, cases, path=path, previous=previous, line_length=88)


def sample(observe: Callable[..., Observation]) -> list[Observation]:
    """One case or more of everything that the renderer knows."""
    return [
        *(observe("parse_price", f"= parse_price({text!r})") for text in ("3,50", " 7.1 ", "0")),
        *(
            observe("parse_price", f"= parse_price({text!r}, currency='JPY')")
            for text in ("300", "1200")
        ),
        observe("parse_price", '= parse_price("")'),
        *(
            observe("is_discount_day", f"= is_discount_day(date({day}))", imports=DATE)
            for day in ("2024, 2, 29", "2024, 1, 2", "2024, 1, 3")
        ),
        *(observe("discount", f"= discount({args})") for args in ("100, 10", "80, 0", "0.3, 33")),
        *(observe("discount", f"= discount({args})") for args in ("100, 101", "50, -1")),
        observe("find", '= find(["anna", "bob"], "b")'),
        observe("find", '= find([], "b")'),
        observe("greet", '= greet("Ann")'),
        observe("old_price", "= old_price(3)"),
        observe("drop_cheap", "prices = [1, 5, 9]", "= drop_cheap(prices, 4)"),
        observe("vat", '= vat("100")'),
        observe("ratio", "= ratio(1, 0)"),
        observe("ratio", "= ratio(1, 3)"),
        observe("due", "= due(date(2024, 1, 31))", imports=DATE),
        observe("fetch", '= asyncio.run(fetch("tea"))', imports=ASYNC),
        observe("fetch", '= asyncio.run(fetch("none"))', imports=ASYNC),
        observe("test_connection", '= test_connection("localhost")'),
        observe("Cart", '= Cart("ann")'),
        observe("Cart.add", "cart = Cart()", '= cart.add("tea", 3, count=0)'),
        observe("Cart.add", "cart = Cart()", '= cart.add("tea", 3, count=-2)'),
        observe(
            "Cart.total",
            "cart = Cart()",
            'cart.add("tea", 3)',
            'cart.add("mug", 8, count=2)',
            "= cart.total()",
            'cart.remove("mug")',
            "= len(cart)",
        ),
        observe("Cart.remove", "cart = Cart()", '= cart.remove("mug")'),
    ]


def test_sample_renders_as_the_gold_file(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    text = render(pricing, sample(observe)).text
    if os.environ.get("REWRITE_GOLD"):
        GOLD.write_text(text, encoding="utf-8")
    assert text == GOLD.read_text(encoding="utf-8")


def test_sample_passes_under_pytest_and_all_its_tests_are_named(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path
) -> None:
    file = render(pricing, sample(observe))
    done = write_and_run(file, tmp_path)
    assert done.returncode == 0, done.stdout
    assert file.label is Label.CONFIDENTIAL
    assert suite.forbidden(file.text, NAME, pricing.source.text) == ()
    tests: list[str] = []
    for node in ast.parse(file.text).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        start = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found = (n.name for n in inner if isinstance(n, ast.FunctionDef))
        tests += [start + name for name in found if name.startswith("test_")]
    assert tests == list(file.test_names)


def test_tests_fail_when_the_code_changes(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path
) -> None:
    file = render(pricing, sample(observe))
    source = pricing.path.read_text(encoding="utf-8")
    # Of another size: what Python kept of a file that was changed at once is taken for the new one.
    pricing.path.write_text(source.replace("100 - percent", "100 + 2 * percent"), encoding="utf-8")
    done = write_and_run(file, tmp_path)
    assert "FAILED tests/test_pricing.py::test_discount[" in done.stdout


def test_rendered_file_is_formatted_and_sorted_for_python_39(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    from hybridgen.suite.formatting import format_source, sort_imports

    text = render(pricing, sample(observe)).text
    assert format_source(text, 88) == text
    assert sort_imports(text, "shop", 88) == text
    ast.parse(text, feature_version=(3, 9))


def test_second_run_changes_nothing(pricing: Module, observe: Callable[..., Observation]) -> None:
    first = render(pricing, sample(observe))
    again = render(pricing, sample(observe), previous=first.text)
    assert again.text == first.text
    assert again.test_names == first.test_names


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        ("test_discount_halves_the_price", "test_discount_halves_the_price"),
        ("test_discount_1", "test_discount"),
        ("test_1", "test_discount"),
        ("test_discount_raises_value_error", "test_discount"),
        ("test_discount_gives_70", "test_discount"),
        ("test_discount_gives_50", "test_discount_gives_50"),
        ("test_discount_is_none", "test_discount"),
        ("Test Discount!", "test_discount"),
        ("test_other_thing", "test_discount"),
    ],
)
def test_hint_names_a_test_only_if_it_is_decent_and_true(
    pricing: Module, observe: Callable[..., Observation], hint: str, name: str
) -> None:
    case = observe("discount", "= discount(100, 50)", name_hint=hint)
    assert render(pricing, [case]).test_names == (name,)


def test_names_do_not_collide_with_the_file(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    previous = "def test_discount():\n    assert 1 < 2\n"
    file = render(pricing, [observe("discount", "= discount(100, 50)")], previous)
    assert file.text.startswith(previous) is False  # imports come first
    names = [n.name for n in ast.parse(file.text).body if isinstance(n, ast.FunctionDef)]
    assert len(set(names)) == 2
    assert "test_discount" in names


def test_name_of_a_person_for_something_else_is_imported_inside(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path
) -> None:
    previous = "def discount():\n    return 1\n\n\ndef test_own():\n    assert discount() == 1\n"
    file = render(pricing, [observe("discount", "= discount(100, 50)")], previous)
    assert "    from shop.pricing import discount\n" in file.text
    assert write_and_run_on(previous, file, tmp_path).returncode == 0


def write_and_run_on(previous: str, file: TestFile, root: Path) -> subprocess.CompletedProcess[str]:
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_text(previous, encoding="utf-8")
    return write_and_run(file, root)


def test_datetime_class_and_module_do_not_clash(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    tmp_path: Path,
) -> None:
    source = (
        "from datetime import datetime, timedelta\n\n\n"
        "def later(day):\n    return day + timedelta(days=1)\n"
    )
    module = make_module(source)
    observe = make_observe(module)
    file = render(module, [observe("later", "= later(datetime(2024, 1, 31))")])
    assert "assert later(datetime(2024, 1, 31)) == datetime(2024, 2, 1, 0, 0)" in file.text
    assert write_and_run(file, tmp_path).returncode == 0


def test_one_file_has_one_style_of_imports(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    tmp_path: Path,
) -> None:
    source = "def same(day):\n    return day\n\n\ndef twice(day):\n    return [day, day]\n"
    module = make_module(source)
    observe = make_observe(module)
    cases = [
        observe("same", "= same(datetime.date(2024, 1, 31))", imports=["import datetime"]),
        observe("same", "= same(datetime.date(2023, 1, 31))", imports=["import datetime"]),
        observe("twice", "= twice(date(2024, 1, 31))[0]", imports=["from datetime import date"]),
    ]
    file = render(module, cases)
    assert "from datetime import date\n" in file.text
    assert "datetime.date" not in file.text
    assert write_and_run(file, tmp_path).returncode == 0


def test_module_imported_as_a_whole_stays_so(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module("import datetime\n\n\ndef same(day):\n    return day\n")
    file = render(module, [make_observe(module)("same", "= same(datetime.date(2024, 1, 31))")])
    assert "assert same(datetime.date(2024, 1, 31)) == datetime.date(2024, 1, 31)" in file.text


def test_name_of_a_candidate_wins_over_the_same_name_of_the_module(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    tmp_path: Path,
) -> None:
    module = make_module("from datetime import datetime\n\n\ndef year(day):\n    return day.year\n")
    observe = make_observe(module)
    cases = [
        observe("year", f"= year(datetime.date({n}, 1, 31))", imports=["import datetime"])
        for n in (2023, 2024)
    ]
    file = render(module, cases)
    assert write_and_run(file, tmp_path).returncode == 0


def test_objects_made_differently_share_one_table(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path
) -> None:
    cases = [
        observe("Cart.add", f"cart = Cart({owner!r})", f"= cart.add('tea', 3, count={count})")
        for owner, count in (("ann", 0), ("bob", -2))
    ]
    file = render(pricing, cases)
    assert '("owner", "count"),' in file.text
    assert "cart = Cart(owner)\n" in file.text
    done = write_and_run(file, tmp_path)
    assert "2 passed" in done.stdout


def test_failing_constructor_needs_no_variable(pricing: Module) -> None:
    raised = Raised("ValueError", "", "no owner", is_deliberate=True, is_inside=True)
    step = Step(StepKind.SETUP, "cart = Cart(None)")
    candidate = Candidate("Cart", (step,), Label.CONFIDENTIAL, "types")
    result = StepResult("raised", raised=raised)
    case = Observation(candidate, (result,), frozenset({(1, 2)}), Label.CONFIDENTIAL)
    assert "        Cart(None)\n" in render(pricing, [case]).text


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("class A:\n    pass\n", "assert a != 1"),
        ("class A(tuple):\n    pass\n", "assert (a == 1) is False"),
        (
            "class A:\n    def __ne__(self, other):\n        return True\n",
            "assert (a == 1) is False",
        ),
    ],
)
def test_unequal_is_said_plainly_only_where_it_is_the_same(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    source: str,
    line: str,
) -> None:
    module = make_module(source)
    bases = ("tuple",) if "(tuple)" in source else ()
    targets = tuple(dataclasses.replace(t, bases=bases) for t in module.targets)
    module = dataclasses.replace(module, targets=targets)
    assert line in render(module, [make_observe(module)("A", "a = A()", "= a == 1")]).text


def test_names_of_another_module_of_the_package_come_from_there(
    make_module: Callable[..., Module], tmp_path: Path
) -> None:
    make_module("class Money(int):\n    pass\n", "shop.money")
    module = make_module("from .money import Money\n\n\ndef tax(m):\n    return m * 2\n")
    case = plain("tax", "tax(Money(2))", "4")
    file = render(module, [case])
    assert "from shop.money import Money\nfrom shop.pricing import tax\n" in file.text
    assert write_and_run(file, tmp_path).returncode == 0


def plain(target: str, code: str, expected: str, *results: StepResult, **more: Any) -> Observation:
    """An observation by hand: one probe that equals ``expected``."""
    result = StepResult("ok", checks=(Check(CheckKind.EQUAL, "", expected),))
    candidate = Candidate(
        target, (Step(StepKind.PROBE, code),), Label.CONFIDENTIAL, "types", **more
    )
    return Observation(candidate, (*results, result), frozenset({(1, 2)}), Label.CONFIDENTIAL)


@pytest.mark.parametrize(
    ("code", "expected", "line"),
    [
        ("discount(100, 50) > 3", "True", "assert discount(100, 50) > 3"),
        ("not discount(100, 50)", "False", "assert (not discount(100, 50)) is False"),
        ("find([], '') or 5", "5", "assert (find([], '') or 5) == 5"),
        ("-discount(100, 50)", "-50.0", "assert -discount(100, 50) == -50.0"),
        ("await fetch('tea')", "3", "assert asyncio.run(fetch('tea')) == 3"),
    ],
)
def test_operators_keep_their_meaning_in_an_assertion(
    pricing: Module, tmp_path: Path, code: str, expected: str, line: str
) -> None:
    kind = CheckKind.IS if expected in ("True", "False") else CheckKind.EQUAL
    result = StepResult("ok", checks=(Check(kind, "", expected),))
    candidate = Candidate("discount", (Step(StepKind.PROBE, code),), Label.CONFIDENTIAL, "types")
    case = Observation(candidate, (result,), frozenset(), Label.CONFIDENTIAL)
    file = render(pricing, [case])
    assert line in file.text.replace('"', "'")
    assert write_and_run(file, tmp_path).returncode == 0


def test_text_of_several_lines_keeps_its_lines(pricing: Module, tmp_path: Path) -> None:
    code = 'find(["""a\nb"""], "a")'
    file = render(pricing, [plain("find", code, '"a\\nb"')])
    assert write_and_run(file, tmp_path).returncode == 0


@pytest.mark.parametrize(
    "parameter", ["request", "class_", "_x", "expected", "math", "pytest", "f", "self_"]
)
def test_parameter_names_that_mean_something_else_are_changed(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    tmp_path: Path,
    parameter: str,
) -> None:
    module = make_module(f"def f({parameter}):\n    return {parameter} + 1\n")
    observe = make_observe(module)
    file = render(module, [observe("f", f"= f({number})") for number in (1, 2, 3)])
    done = write_and_run(file, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_broken_file_is_refused(pricing: Module, observe: Callable[..., Observation]) -> None:
    with pytest.raises(SourceError, match="cannot be read as Python"):
        render(pricing, [observe("vat", '= vat("1")')], previous="def test_(:\n")


@pytest.mark.parametrize(
    ("target", "call", "kind"),
    [
        ("find", "find(['AKIA{}', 'ann'], 'ann')", "AWS"),
        ("greet", "greet('ghp_{}')", "GitHub"),
    ],
)
def test_secret_in_the_finished_text_is_refused_though_no_test_was_screened_for_it(
    pricing: Module, observe: Callable[..., Observation], target: str, call: str, kind: str
) -> None:
    # Put together here: no file of ours holds one.
    secret = {"AWS": "IOSFODNN7REALKEY", "GitHub": "0123456789abcdefghijABCDEFGHIJ456789"}[kind]
    harmless = observe("vat", '= vat("100")')
    assert render(pricing, [harmless]).test_names
    with pytest.raises(PolicyRefusal, match=f"seems to hold a secret: .*{kind}") as caught:
        render(pricing, [harmless, observe(target, f"= {call.format(secret)}")])
    assert secret not in str(caught.value)


def test_failed_tests_go_with_the_imports_that_only_they_needed(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path
) -> None:
    cases = [observe("ratio", "= ratio(1, 0)"), observe("find", '= find([], "b")')]
    file = render(pricing, cases)
    less = suite.without(file, {"test_ratio_is_not_a_number"}, line_length=88)
    assert less.test_names == ("test_find",)
    assert "math" not in less.text
    assert less.text == render(pricing, cases[1:]).text
    assert write_and_run(less, tmp_path).returncode == 0


def test_suspect_becomes_a_test_that_is_expected_to_fail(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path
) -> None:
    case = observe("discount", "= discount(100, 50)")
    suspect = Suspect(
        target="discount",
        call="discount(100, 50)",
        expected="60.0",
        observed="50.0",
        evidence="docstring example",
        strength=Strength.STRONG,
        observation=case,
    )
    path = pricing.project.tests_folder / "test_pricing.py"
    file = suite.render(
        pricing, NAME, [case], path=path, previous=None, line_length=88, suspects=[suspect]
    )
    assert len(file.test_names) == 2
    done = write_and_run(file, tmp_path)
    assert "1 passed, 1 xfailed" in done.stdout
    assert suite.without(file, file.test_names[1:]).test_names == file.test_names[:1]


def test_what_a_call_did_to_files_is_asserted_after_it(pricing: Module) -> None:
    steps = (
        Step(StepKind.SETUP, "(tmp_path / 'old').mkdir()"),
        Step(StepKind.SETUP, "(tmp_path / 'old').rename(tmp_path / 'new')"),
        Step(StepKind.PROBE, "(tmp_path / 'new' / 'a').touch()"),
    )
    none = Check(CheckKind.IS, "", "None")
    changed = (
        ("tmp_path / 'new' / 'a'", (Check(CheckKind.EQUAL, ".read_text()", "''"),)),
        ("tmp_path / 'old'", (Check(CheckKind.IS, ".exists()", "False"),)),
        ("sorted(p.name for p in tmp_path.iterdir())", (Check(CheckKind.EQUAL, "", "['new']"),)),
    )
    quiet = StepResult("ok")
    results = (quiet, quiet, StepResult("ok", checks=(none,), changed=changed))
    candidate = Candidate("greet", steps, Label.PUBLIC, "search", (), ("tmp_path",))
    file = render(pricing, [Observation(candidate, results, frozenset(), Label.PUBLIC)])
    *_, contents, absent, names = file.text.rstrip().splitlines()
    assert contents == '    assert (tmp_path / "new" / "a").read_text() == ""'
    assert '(tmp_path / "old").exists()' in absent
    assert names == '    assert sorted(p.name for p in tmp_path.iterdir()) == ["new"]'
    done = write_and_run(file, pricing.project.root)
    assert done.returncode == 0, done.stdout


def test_parser_of_files_gives_way_where_another_test_reads(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    parser = observe(
        "discount",
        "parser = ConfigParser()",
        "= discount(100.0, len(parser.sections()))",
        imports=["from configparser import ConfigParser"],
    )
    reader = observe(
        "discount",
        "stream = StringIO('50')",
        "= discount(100.0, int(stream.read(2)))",
        imports=["from io import StringIO"],
    )
    assert "ConfigParser()" in render(pricing, [parser]).text
    both = render(pricing, [parser, reader]).text
    assert "stream.read(2)" in both
    assert "ConfigParser" not in both
