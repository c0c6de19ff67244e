"""Values that are hard to write down, or that fight back when they are looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Observation
from hybridgen.observe.runner import Runner

OpenRunner = Callable[..., Runner]
MakeCandidate = Callable[..., Candidate]
Found = list[tuple[str, str, str]]


def last_checks(runner: Runner, candidate: Candidate) -> Found:
    result = runner.run(candidate)
    assert isinstance(result, Observation), result
    assert result.results[-1].status == "ok"
    return [(c.kind.value, c.path, c.expression) for c in result.results[-1].checks]


RICH = """
import array, collections, enum, ipaddress, pathlib, re, types, uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

class Access(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4
    ALL = 7

class Bits(enum.IntFlag):
    LOW = 1
    HIGH = 2

class Shade(enum.Enum):
    GREY = 1
    GRAY = 1

@dataclass
class Order:
    name: str
    total: int = field(default=0, init=False)

class Pair(collections.namedtuple("Pair", "left right")):
    pass

class Signed(Pair):
    def __new__(cls, left):
        return super().__new__(cls, left, -left)

class Sneaky:
    def __init__(self):
        self.good = 1

    @property
    def readers(self):
        self._readers = getattr(self, "_readers", 0) + 1
        return self._readers

    @property
    def broken(self):
        raise KeyboardInterrupt

    @property
    def area(self):
        return 12

def handler():
    return 1

def f(x=None):
    return x

def changed_order():
    order = Order("a")
    order.total = 5
    return order

def failed():
    return ValueError("bad", 3)
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(-0.0)", "-0.0"),
        ("f([True, 1, 1.0])", "[True, 1, 1.0]"),
        ("f(Access.READ | Access.RUN)", "Access.READ | Access.RUN"),
        ("f([Access(0), Access.ALL])", "[Access(0), Access.ALL]"),
        ("f(Bits.LOW | Bits.HIGH)", "Bits.LOW | Bits.HIGH"),
        ("f(Shade.GRAY)", "Shade.GREY"),
        ("f(Order('a'))", "Order(name='a')"),
        ("f(Pair(1, 2))", "Pair(left=1, right=2)"),
        ("f(ipaddress.ip_network('10.0.0.0/8'))", "IPv4Network('10.0.0.0/8')"),
        ("f(re.compile('a+', re.I))", "re.compile('a+', re.IGNORECASE)"),
        ("f(uuid.UUID(int=1))", "UUID('00000000-0000-0000-0000-000000000001')"),
        ("f(Fraction(1, 3))", "Fraction(1, 3)"),
        ("f(pathlib.Path('/etc/x'))", "Path('/etc/x')"),
        ("f(pathlib.PureWindowsPath('a/b'))", r"PureWindowsPath('a\\b')"),
        ("f(types.SimpleNamespace(a=1))", "SimpleNamespace(a=1)"),
        ("f(slice(1, None))", "slice(1, None, None)"),
        ("f(handler)", "handler"),
        ("f(len)", "len"),
        ("f({'b': 1, 'a': [None]})", "{'b': 1, 'a': [None]}"),
        ("f('\\ud800')", "'\\ud800'"),
    ],
)
def test_rich_value_is_written_as_code(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str, expected: str
) -> None:
    assert last_checks(open_runner(RICH), candidate("?" + code)) == [("equal", "", expected)]


@pytest.mark.parametrize(
    ("code", "expression", "imports"),
    [
        (
            "f(date(2024, 2, 29) + timedelta(1))",
            "date(2024, 3, 1)",
            ("from datetime import date",),
        ),
        (
            "f(datetime(2024, 1, 2, tzinfo=timezone.utc))",
            "datetime(2024, 1, 2, 0, 0, tzinfo=timezone.utc)",
            None,
        ),
        (
            "f(datetime(2024, 1, 2, tzinfo=ZoneInfo('Europe/Berlin')))",
            "datetime(2024, 1, 2, 0, 0, tzinfo=ZoneInfo('Europe/Berlin'))",
            None,
        ),
        ("f(datetime(2024, 1, 2, fold=1))", "datetime(2024, 1, 2, 0, 0, fold=1)", None),
        ("f(datetime.min - datetime.min)", "timedelta(0)", None),
    ],
)
def test_moment_is_written_with_the_names_that_the_candidate_uses(
    open_runner: OpenRunner,
    candidate: MakeCandidate,
    code: str,
    expression: str,
    imports: tuple[str, ...] | None,
) -> None:
    steps = (code, "datetime.max") if "datetime" not in code else (code,)
    result = open_runner(RICH).run(candidate("?" + steps[0], *("?" + s for s in steps[1:])))
    assert isinstance(result, Observation)
    check = result.results[0].checks[0]
    assert check.expression == expression
    assert not any(line == "import datetime" for line in check.imports)


def test_moment_needs_only_the_module_where_its_name_is_free(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    body = "return d.datetime(2024, 1, x, tzinfo=d.timezone.utc)"
    text = f"import datetime as d\ndef f(x):\n    {body}\n"
    result = open_runner(text).run(candidate("?f(1)"))
    assert isinstance(result, Observation)
    check = result.results[0].checks[0]
    assert check.expression == "datetime.datetime(2024, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)"
    assert check.imports == ("import datetime",)


def test_expression_never_uses_a_name_that_the_candidate_uses_for_something_else(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(RICH)
    assert last_checks(runner, candidate("Fraction = f", "?Fraction(uuid.UUID(int=1)).int")) == [
        ("equal", "", "1")
    ]
    found = last_checks(runner, candidate("half = Fraction(1, 2)", "Fraction = 3", "?f(half)"))
    assert ("equal", "", "Fraction(1, 2)") not in found
    assert ("equal", ".numerator", "1") in found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "f(re.match('(a)(b)', 'abc'))",
            [("equal", ".group()", "'ab'"), ("equal", ".groups()", "('a', 'b')")],
        ),
        ("failed()", [("equal", ".args", "('bad', 3)")]),
        ("f(array.array('i', [1, 2]))", [("equal", ".tolist()", "[1, 2]")]),
        ("changed_order()", [("equal", ".name", "'a'"), ("equal", ".total", "5")]),
    ],
)  # fmt: skip
def test_object_without_expression_is_asserted_by_what_it_offers(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str, expected: Found
) -> None:
    found = last_checks(open_runner(RICH), candidate("?" + code))
    assert [item for item in found if item in expected] == expected
    assert found[0][0] == "type"


def test_tuple_class_with_its_own_constructor_is_asserted_as_a_tuple(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = last_checks(open_runner(RICH), candidate("?f(Signed(2))"))
    assert found == [("type", "", "'Signed'"), ("equal", "", "(2, -2)")]


def test_property_that_raises_or_counts_its_readers_is_left_out(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = last_checks(open_runner(RICH), candidate("?f(Sneaky())"))
    assert found == [
        ("type", "", "'Sneaky'"),
        ("equal", ".good", "1"),
        ("equal", ".area", "12"),
    ]


EVIL = '''
import decimal, enum, itertools
from dataclasses import dataclass

def stop(*args, **kwargs):
    raise KeyboardInterrupt

class Mute:
    __eq__ = __len__ = __iter__ = __repr__ = __str__ = __bool__ = stop
    __getattr__ = __hash__ = __call__ = stop

class Masked:
    __class__ = property(stop)
    __dict__ = property(stop)

class Exits:
    def __getattribute__(self, name):
        raise SystemExit(name)

class Unlike:
    """As arrays do: comparing gives no bool."""
    def __eq__(self, other):
        return [True, False]
    def __init__(self):
        self.size = 2

@dataclass
class Holder:
    inside: object

@dataclass
class Yes:
    x: int = 1
    def __post_init__(self):
        self.x += 1
    def __eq__(self, other):
        return True

class Late(str):
    def __str__(self):
        raise RuntimeError("no")

class Endless(list):
    def __iter__(self):
        return itertools.repeat(1)

class Answers:
    def __getattr__(self, name):
        return Answers()

def deep(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value

def f(x=None):
    return x

def numbers():
    yield from itertools.count()
'''


@pytest.mark.parametrize(
    "code",
    [
        "Mute()", "Masked()", "Exits()", "[Mute(), Exits()]", "{'a': Masked()}", "Holder(Mute())",
        "Late('a')", "Answers()", "decimal.Decimal('sNaN')", "deep(5_000)", "(i for i in [Mute()])",
        "numbers()", "10 ** 100_000", "'x' * 10 ** 7", "list(range(10 ** 6))", "Holder(Holder)",
        "__import__('sys')", "[(i for i in 'ab')]", "complex('nan')", "range(10 ** 5000)",
    ],
)  # fmt: skip
def test_hostile_or_huge_value_costs_at_most_its_checks(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str
) -> None:
    runner = open_runner(EVIL)
    last_checks(runner, candidate(f"x = {code}", "?f(x)"))
    assert last_checks(runner, candidate("?f(1)")) == [("equal", "", "1")]
    assert runner.restarts == 0


def test_value_whose_equality_is_no_bool_is_asserted_by_its_parts(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = last_checks(open_runner(EVIL), candidate("?f(Holder(Unlike()))"))
    assert found == [("type", "", "'Holder'"), ("equal", ".inside.size", "2")]


def test_class_that_equals_everything_is_believed_only_if_it_is_rebuilt_the_same(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    assert last_checks(open_runner(EVIL), candidate("?f(Yes())")) == [
        ("type", "", "'Yes'"),
        ("equal", ".x", "2"),
    ]


def test_iterator_without_end_is_not_turned_into_a_list(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(EVIL).run(candidate("?numbers()"))
    assert isinstance(result, Observation)
    assert result.candidate.steps[0].code == "numbers()"
    assert result.results[0].checks == ()


LOCAL = """
import os
from pathlib import Path

def save(folder, name):
    path = folder / "out" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    return path

def save_text(folder):
    return str(folder / "a.txt")

def source():
    return Path(__file__)

def source_text():
    return [1, os.path.dirname(__file__)]

def refuse():
    raise ValueError("cannot read " + __file__)
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("save(tmp_path, 'a.txt')", "tmp_path / 'out' / 'a.txt'"),
        ("save(tmp_path, 'a.txt').parent.parent", "tmp_path"),
        ("[save(tmp_path, 'a'), None]", "[tmp_path / 'out' / 'a', None]"),
        ("save_text(tmp_path)", "str(tmp_path / 'a.txt')"),
        ("{'a': save_text(tmp_path)}", "{'a': str(tmp_path / 'a.txt')}"),
    ],
)
def test_path_below_tmp_path_is_asserted_as_a_test_writes_it(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str, expected: str
) -> None:
    assert last_checks(open_runner(LOCAL), candidate(f"?{code}")) == [("equal", "", expected)]


def test_path_that_a_test_cannot_show_is_told_in_another_way_or_not(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(LOCAL)
    assert last_checks(runner, candidate('?save(tmp_path, "it\'s")')) == [
        ("equal", ".relative_to(tmp_path).as_posix()", '"out/it\'s"')
    ]
    assert last_checks(runner, candidate("?save_text(tmp_path) + '/'")) == []
    assert last_checks(runner, candidate("?save_text(tmp_path) + '/../b'")) == []
    assert last_checks(runner, candidate("?save_text(tmp_path) + ' is it'")) == [
        ("equal", "", "str(tmp_path / 'a.txt is it')")
    ]


def test_path_of_this_machine_is_never_asserted(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(LOCAL)
    assert last_checks(runner, candidate("?source()")) == [("equal", ".name", "'sample.py'")]
    assert last_checks(runner, candidate("?source_text()")) == [
        ("length", "", "2"),
        ("equal", "[0]", "1"),
    ]
    refused = runner.run(candidate("?refuse()"))
    assert isinstance(refused, Observation)
    assert refused.results[0].raised is not None
    assert refused.results[0].raised.match == ""


def test_numpy_values_are_asserted_as_plain_ones(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    pytest.importorskip("numpy")
    runner = open_runner(
        "import numpy as np\ndef f(x):\n    return np.array(x)\ndef g(x):\n    return np.int64(x)\n"
    )
    assert ("equal", ".tolist()", "[1, 2]") in last_checks(runner, candidate("?f([1, 2])"))
    assert ("equal", ".tolist()", "3") in last_checks(runner, candidate("?g(3)"))


UNSEEN = """
from dataclasses import dataclass, field

@dataclass
class Order:
    name: str
    history: list = field(default_factory=list, compare=False)
    _cache: dict = field(default_factory=dict, compare=False)

    def move(self, status):
        self.history.append(status)
        self._cache[status] = 1

@dataclass
class Stamped:
    name: str
    number: int = field(compare=False)
"""


def test_fields_that_an_equation_does_not_see_are_checked_by_themselves(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(UNSEEN).run(candidate("order = Order('a')", "order.move(2)", "?order"))
    assert isinstance(result, Observation)
    expected = [("equal", "", "Order(name='a')"), ("equal", ".history", "[2]")]
    (name, changed), last = result.results[1].changed[0], result.results[2].checks
    assert name == "order"
    assert [(c.kind.value, c.path, c.expression) for c in changed] == expected[1:]
    assert [(c.kind.value, c.path, c.expression) for c in last] == expected


def test_an_equation_is_not_made_without_a_field_that_construction_needs(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    assert last_checks(open_runner(UNSEEN), candidate("?Stamped('a', 3)")) == [
        ("type", "", "'Stamped'"),
        ("equal", ".name", "'a'"),
        ("equal", ".number", "3"),
    ]
