"""True suspects, and what looks like one and is none."""

from dataclasses import replace

import pytest

from hybridgen import suspects
from hybridgen.domain import Strength
from hybridgen.suspects.pairs import LAW
from hybridgen.suspects.sessions import SESSION

STRONG, WEAK = Strength.STRONG, Strength.WEAK


@pytest.mark.parametrize(
    ("target", "strength", "call", "expected", "observed", "evidence"),
    [
        ("add", STRONG, "add(2, 2)", "4", "0", "docstring"),
        ("half", STRONG, "half(3)", "2", "1", "docstring"),
        ("words", STRONG, "words(sample)", "['a', 'b', 'c']", "['a', 'b']", "docstring"),
        ("positive", STRONG, "positive(-1)", "raises ValueError", "raises nothing", "docstring"),
        ("shout", STRONG, "shout('a')", "A!", "A", "docstring"),
        ("doubled", STRONG, "doubled(2)", "4", "5", "docstring"),
        ("Point", STRONG, "Point(1, 2).moved(1)", "Point(x=2, y=3)", "Point(x=2, y=2)", "docst"),
        ("slug", STRONG, "slug('Hello  World')", '"hello-world"', "'hello--world'", "docstring ex"),
        ("checked", STRONG, "checked(0)", "raises ValueError", "raises nothing", "docstring ex"),
        (
            "percent",
            STRONG,
            "percent(1, 0)",
            "0.0",
            "raises ZeroDivisionError",
            "docstring promise",
        ),
        ("middle", STRONG, "middle([])", "None", "raises IndexError", "docstring promise"),
        (
            "longest",
            STRONG,
            "longest([])",
            "raises ValueE",
            "raises IndexError",
            "docstring promise",
        ),
        ("to_roman", STRONG, "to_roman(0)", "raises ValueError", "''", "docstring promise"),
        ("root", STRONG, "root(-1)", "raises ValueError", "1.0", "docstring promise"),
        ("nth", STRONG, "nth(12)", "raises LookupError", "12", "docstring promise"),
        ("Stack.__eq__", WEAK, "Stack() == 4", "no exc", "raises AttributeError", "exception Attr"),
        (
            "joined",
            WEAK,
            "joined(...)",
            "raises ValueError if words",
            "raises nothing of the kind anywhere",
            "docstring promises ValueError",
        ),
        ("name_of", STRONG, "name_of(2)", "a value of type str", "None", "return hint"),
        ("ratio", STRONG, "ratio(1, 2)", "a value of type int", "0.5", "return hint"),
        ("tags", WEAK, "tags('abc')", "a value of type list[str]", "[3]", "return hint"),
        ("initial", WEAK, "initial('')", "no exc", "raises IndexError", "exception IndexError"),
        ("grade", STRONG, "grade(10)", "no exc", "raises UnboundLocalError", "exception Unbound"),
        ("depth", STRONG, "depth(-1)", "no exc", "raises RecursionError", "exception Recursion"),
        ("mean", WEAK, "mean([])", "no exc", "raises ZeroDivisionError", "exception ZeroDiv"),
        ("encode", STRONG, "decode(encode('xb'))", "'xb'", "'xa'", "round trip of encode and dec"),
        ("slugify", WEAK, "slugify(slugify('a----b'))", "'a--b'", "'a-b'", "idempot"),
        ("Money.__hash__", WEAK, "", "True", "False", "what is equal has one hash"),
        ("Money.__lt__", WEAK, "", "True", "False", "nothing is less than itself"),
    ],
)
def test_a_contradiction_is_a_suspect(broken, target, strength, call, expected, observed, evidence):
    found = [item for item in broken.about(target) if item.evidence.startswith(evidence)]
    assert [item.strength for item in found] == [strength]
    assert found[0].call.startswith(call)
    assert found[0].expected.startswith(expected)
    assert found[0].observed == observed


def test_the_evidence_names_file_and_line(broken):
    text = broken.module.source.text.splitlines()
    for target, line in [("add", ">>> add(2, 2)"), ("words", ">>> words(sample)")]:
        place = broken.about(target)[0].evidence
        number = int(place.rpartition(":")[2].rstrip(")"))
        assert line in text[number - 1]
        assert "broken.py:" in place


def test_what_a_docstring_promises_is_told_by_its_place_alone(broken):
    text = broken.module.source.text.splitlines()
    found = {item.target: item for item in broken.suspects if "promise" in item.evidence}
    for target, line in [("percent", "0.0 if the whole is 0"), ("nth", ":raises LookupError:")]:
        assert "if" not in found[target].evidence
        assert line in text[int(found[target].evidence.rpartition(":")[2].rstrip(")")) - 1]


def test_strong_ones_come_first_and_each_kind_once(broken):
    strengths = [suspect.strength for suspect in broken.suspects]
    assert strengths == sorted(strengths, key=lambda strength: strength is WEAK)
    keys = [(suspect.target, suspect.evidence) for suspect in broken.suspects]
    assert len(set(keys)) == len(keys)


def test_what_is_right_in_its_own_way_is_no_suspect(sound):
    assert [(s.target, s.call, s.expected, s.observed, s.evidence) for s in sound.suspects] == []


def test_what_stands_in_for_a_service_is_not_blamed_on_the_code(sound):
    (seen,) = [o for o in sound.observations if o.candidate.target == "asked"]
    assert [result.raised.type_name for result in seen.results if result.raised] == [
        "AttributeError"
    ]
    assert sound.about("asked") == []


def test_every_example_of_the_sound_module_was_run(sound):
    tried = {o.candidate.target for o in sound.observations if o.candidate.origin == SESSION}
    assert {"third", "letters", "Node", "day", "counted", "spaced", "fails"} <= tried


def test_laws_were_tried_on_the_sound_module(sound):
    laws = {o.candidate.name_hint for o in sound.observations if o.candidate.origin == LAW}
    assert {
        *("round trip of quote and unquote", "round trip of to_fraction and from_fraction"),
        *("round trip of __str__ and parse", "idempotence", "what is equal has one hash"),
        *("a < b and b < a are not both true", "round trip of pack and unpack"),
    } <= laws


def test_strong_suspects_stay_out_of_the_suite(broken):
    usual = [o for o in broken.observations if o.candidate.origin == "search"]
    kept = suspects.left_out(usual, broken.suspects, broken.module)
    gone = {o.candidate.steps[-1].code for o in usual} - {o.candidate.steps[-1].code for o in kept}
    assert gone == {
        *("name_of(2)", "ratio(1, 2)", "grade(10)", "depth(-1)"),
        *("percent(1, 0)", "middle([])", "longest([])", "to_roman(0)", "root(-1)", "nth(12)"),
        *("encode('xb')",),  # one half of the round trip that is broken
    }


def test_a_broken_promise_is_no_mere_accident_too(broken):
    assert len(broken.about("longest")) == len(broken.about("middle")) == 1


def test_weak_suspects_take_nothing_away(broken):
    weak = [suspect for suspect in broken.suspects if suspect.strength is WEAK]
    assert suspects.left_out(broken.observations, weak, broken.module) == broken.observations


SUM = '''
def total(a, b):
    """Adds.

    >>> total(1, 2)
    3
    """
    return a + b
'''


def test_a_bug_put_into_a_sound_function_is_found(look):
    assert look("fine", SUM).suspects == ()
    assert [s.call for s in look("wrong", SUM.replace("a + b", "a - b")).suspects] == [
        "total(1, 2)"
    ]


ASKED = """
def area(a, b):
    return a + b
"""


@pytest.fixture(scope="module")
def asked(look):
    return look("asked", ASKED, [("area(2, 3)", "search")])


def told(looked, origin, opinion):
    """The one observation, as if its author had expected something else."""
    seen = looked.observations[0]
    step = replace(seen.candidate.steps[0], opinion=opinion)
    result = replace(seen.results[0], opinion_holds=False)
    candidate = replace(seen.candidate, steps=(step,), origin=origin)
    return replace(seen, candidate=candidate, results=(result,))


@pytest.mark.parametrize(("count", "expected"), [(1, []), (2, ["6"])])
def test_several_answers_of_a_model_are_needed(asked, count, expected):
    found = suspects.suspects_in([told(asked, "model", "_ == 6")] * count, asked.module)
    assert [suspect.expected for suspect in found] == expected
    assert {suspect.strength for suspect in found} <= {WEAK}


@pytest.mark.parametrize(
    ("opinion", "count"),
    [("_ == 6", 1), ("_ == 5", 0), ("_ == 5.0", 0), ("_ == Area(5)", 0), ("_ > 7", 0)],
)
def test_what_a_document_says_of_a_call_is_a_weak_hint(asked, opinion, count):
    found = suspects.suspects_in([told(asked, "example", opinion)], asked.module)
    assert [suspect.strength for suspect in found] == [WEAK] * count
