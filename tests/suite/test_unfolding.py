"""Invariant 7 for classes and fixtures: what hybridgen writes is allowed, and nothing more."""

from __future__ import annotations

import pytest

from hybridgen.suite import forbidden

NAME = "shop.pricing"
HEAD = (
    "import unittest\nfrom pathlib import Path\n\nimport pytest\n\n"
    "from shop.pricing import Cart, load\n\n\n"
)
PLAIN = HEAD.replace("import unittest\n", "")


def in_class(methods: str, head: str = "class TestCart:") -> tuple[str, ...]:
    """Screens a class; ``unittest`` is imported where the class is one of its cases."""
    lines = "\n".join(f"    {line}" if line else "" for line in methods.split("\n"))
    return forbidden(f"{HEAD if 'unittest' in head else PLAIN}{head}\n{lines}\n", NAME)


def in_case(methods: str) -> tuple[str, ...]:
    """Screens a ``unittest.TestCase``."""
    return in_class(methods, "class CartTest(unittest.TestCase):")


FIXTURE = "@pytest.fixture\ndef cart(self):\n    return Cart()\n\n"


@pytest.mark.parametrize(
    "methods",
    [
        f"{FIXTURE}def test_total(self, cart):\n    assert cart.total() == 0",
        f"{FIXTURE}def test_open(self, cart, tmp_path):\n    cart.open()\n"
        "    (tmp_path / 'a').write_text('x')",
        "@pytest.mark.parametrize('count', [0, -1])\ndef test_add(self, count):\n"
        "    with pytest.raises(ValueError):\n        Cart().add('tea', 3, count=count)",
        "@pytest.mark.xfail(reason='contradicts: docstring', strict=True)\n"
        "def test_add(self):\n    assert Cart().total() == 1",
        "def test_it(self):\n    class Fake:\n        def name(self):\n            return self\n\n"
        "    assert load(Fake()) == 1",
    ],
)
def test_classes_of_pytest_are_allowed(methods: str) -> None:
    assert in_class(methods) == ()


@pytest.mark.parametrize(
    "body",
    [
        "self.assertEqual(self.cart.total(), 0)",
        "self.assertTrue(self.cart.open())\nself.assertIsNone(load('a'))",
        "with self.assertRaisesRegex(ValueError, 'count'):\n    self.cart.add('tea', 3)",
        "for text in [1]:\n    with self.subTest(text=text):\n        self.assertIn(text, [1])",
    ],
)
def test_test_cases_of_unittest_are_allowed(body: str) -> None:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    assert in_case(f"def setUp(self):\n    self.cart = Cart()\n\ndef test_it(self):\n{lines}") == ()


def test_fixtures_of_the_file_are_allowed() -> None:
    source = f"{PLAIN}@pytest.fixture\ndef cart():\n    return Cart()\n\n\n"
    assert forbidden(f"{source}def test_it(cart):\n    assert cart.open()\n", NAME) == ()


@pytest.mark.parametrize(
    "head",
    [
        "class TestCart(Cart):",
        "class TestCart(metaclass=Cart):",
        "class TestCart(unittest.TestCase, Cart):",
        "class TestCart(unittest.IsolatedAsyncioTestCase):",
        "class TestCart(unittest.mock.MagicMock):",
        "@load\nclass TestCart:",
        "class Cart:",
        "class Fake:",
        "class TestCart[T: (load(1), 1)]:",
    ],
)
def test_class_that_is_not_one_of_tests_is_refused(head: str) -> None:
    assert in_class("def test_it(self):\n    assert load(1) == 1", head)


IT = "def test_it(self):\n    assert load(1) == 1"


@pytest.mark.parametrize(
    "methods",
    [
        f"x = load('a')\n\n{IT}",
        f"load('a')\n\n{IT}",
        f"class Inner:\n    x = load('a')\n\n{IT}",
        f"pytestmark = pytest.mark.usefixtures('x')\n\n{IT}",
        f"def __init__(self):\n    load('a')\n\n{IT}",
        f"def setup_method(self):\n    load('a')\n\n{IT}",
        f"def teardown_method(self):\n    load('a')\n\n{IT}",
        f"def helper(self):\n    load('a')\n\n{IT}",
        f"async def test_other(self):\n    assert load(1)\n\n{IT}",
        f"@staticmethod\ndef test_other():\n    assert load(1)\n\n{IT}",
        f"{IT}\n\n{IT}",
        "def test_it():\n    assert load(1)",
        "def test_it(other):\n    assert load(1)",
        "def test_it(self, request):\n    assert load(1)",
        "def test_it(self, *, tmp_path=Path('/etc')):\n    (tmp_path / 'a').write_text('x')",
        "def test_it(self, x=load(1)):\n    assert load(x)",
        "def test_it(self) -> load(1):\n    assert load(1)",
        "def test_it(self):\n    assert self.cart",
        "def test_it(self):\n    self.x = Cart\n    assert load(1)",
        "def test_it(self):\n    assert load(self)",
        "def test_it(self):\n    self = Path('/etc/x')\n    self.write_text('a')",
        "def test_it(self):\n    class Fake:\n        def run(self, x=self.test_it()):\n"
        "            return 1\n\n    assert load(Fake())",
        "def test_it(self):\n    class Fake:\n        def run(self, x: self.test_it()):\n"
        "            return 1\n\n    assert load(Fake())",
        "def test_it(self):\n    exec('1')",
    ],
)
def test_class_with_more_than_tests_is_refused(methods: str) -> None:
    assert in_class(methods)


@pytest.mark.parametrize(
    "fixture",
    [
        "@pytest.fixture(autouse=True)\ndef cart(self):\n    return Cart()",
        "@pytest.fixture(name='tmp_path')\ndef cart(self):\n    return Cart()",
        "@pytest.fixture\ndef cart(self):\n    load('a')\n    return Cart()",
        "@pytest.fixture\ndef cart(self):\n    yield Cart()",
        "@pytest.fixture\ndef cart(self, tmp_path):\n    return Cart()",
        "@pytest.fixture\ndef cart(self):\n    return self.test_it()",
        "@pytest.fixture\ndef cart(self):\n    return eval('1')",
        "@pytest.fixture\n@load\ndef cart(self):\n    return Cart()",
        "@pytest.fixture\ndef tmp_path(self):\n    return Path('/etc')",
        "@pytest.fixture\ndef tmp_path_factory(self):\n    return Cart()",
        "@pytest.fixture\ndef monkeypatch(self):\n    return Cart()",
        "@pytest.fixture\ndef pytestmark(self):\n    return Cart()",
        "@pytest.fixture\ndef setup_method(self):\n    return Cart()",
        "@pytest.fixture\ndef __init__(self):\n    return Cart()",
        "@pytest.fixture\ndef cart(self):\n    return Cart()\n\n"
        "@pytest.fixture\ndef cart(self):\n    return Path('/etc')",
    ],
)
def test_fixture_that_does_more_than_return_an_object_is_refused(fixture: str) -> None:
    assert in_class(f"{fixture}\n\n{IT}")


@pytest.mark.parametrize(
    "methods",
    [
        # A path that is no cart, under the name of a fixture that is one.
        f"{FIXTURE}@pytest.mark.parametrize('cart', [Path('/etc')])\n"
        "def test_it(self, cart):\n    cart.rename('x')",
        "@pytest.fixture\ndef cart(self):\n    return Path('/etc')\n\n"
        "def test_it(self, cart):\n    cart.write_text('x')",
        # What is a name of the test is not one of the fixture.
        "@pytest.fixture\ndef cart(self):\n    return eval\n\n"
        "def test_it(self, cart):\n    eval = 1\n    assert load(cart, eval)",
        f"{FIXTURE}def test_it(self, cart):\n    cart = Path('/etc/x')\n    cart.write_text('x')",
    ],
)
def test_fixture_is_judged_by_what_it_is(methods: str) -> None:
    assert in_class(methods)


@pytest.mark.parametrize(
    "set_up",
    [
        "self.cart = Cart()\n    load('a')",
        "self.cart = eval('1')",
        "cart = Cart()\n    self.cart = cart",
        "self.cart = Cart()\n    self.other = self.cart.open()",
        "self.tearDown = Cart()",
        "self.id = Cart()",
        "self._outcome = Cart()",
        "self.__class__ = Cart",
        "self.cart.owner = 'ann'",
        "self.cart: Cart = Cart()",
        "self.cart = self.other = Cart()",
    ],
)
def test_set_up_that_does_more_than_make_objects_is_refused(set_up: str) -> None:
    assert in_case(f"def setUp(self):\n    {set_up}\n\ndef test_it(self):\n    load(1)")


@pytest.mark.parametrize(
    "methods",
    [
        "def setUp(self):\n    self.cart = Cart()\n\ndef setUp(self):\n    self.cart = load(1)",
        "def setUp(self, x=load(1)):\n    self.cart = Cart()",
        "@load\ndef setUp(self):\n    self.cart = Cart()",
        "def tearDown(self):\n    load('a')",
        "def run(self, result=None):\n    load('a')",
        "def setUpClass(cls):\n    load('a')",
        "@pytest.fixture\ndef cart(self):\n    return Cart()",
        "def test_other(self):\n    self.addCleanup(load, 'a')",
        "def test_other(self):\n    self.assertRaises(ValueError, load, 'a')",
        "def test_other(self):\n    with self.assertRaises(ValueError) as caught:\n        load(1)",
        "def test_other(self):\n    self.assertEqual(*load(1))",
        "def test_other(self):\n    self.assertEqual(1, 1, msg=load)",
        "def test_other(self):\n    self.assertTrue(eval('1'))",
        "def test_other(self):\n    with self.subTest(x=eval('1')):\n        load(1)",
        "def test_other(self):\n    with self.subTest(**load(1)):\n        load(1)",
        "def test_other(self):\n    self.doCleanups()",
        "def test_other(self):\n    check = self.assertEqual\n    check(1, 1)",
    ],
)
def test_test_case_with_more_than_assertions_is_refused(methods: str) -> None:
    assert in_case(f"{methods}\n\ndef test_it(self):\n    self.assertTrue(load(1))")


@pytest.mark.parametrize(
    "source",
    [
        "import unittest\n\n\ndef test_it():\n    assert 1\n",
        "import unittest\n\n\ndef test_it():\n    unittest.main()\n",
        "import unittest as pytest\n\n\nclass TestX(pytest.TestCase):\n"
        "    def test_it(self):\n        self.assertTrue(1)\n",
        "from shop.pricing import unittest\n\n\nclass TestX(unittest.TestCase):\n"
        "    def test_it(self):\n        self.assertTrue(1)\n",
        "from shop.pricing import unittest\n\n\nclass TestX(unittest.TestCase):\n"
        "    def test_it(self):\n        self.assertTrue(1)\n\n\nimport unittest\n",
        "from shop.pricing import pytest\n\n\n@pytest.fixture\ndef cart():\n    return 1\n\n\n"
        "def test_it(cart):\n    assert cart\n",
        "from shop.pricing import TestX\n\n\n"
        "class TestX:\n    def test_it(self):\n        assert 1\n",
        "class TestX:\n    def test_it(self):\n        assert 1\n\n\n"
        "class TestX:\n    def test_it(self):\n        assert 1\n",
    ],
)
def test_names_mean_one_thing_in_the_whole_file(source: str) -> None:
    assert forbidden(source, NAME)


@pytest.mark.parametrize(
    ("decorator", "parameter", "body"),
    [
        ("'f', [eval]", "f", "eval = 1\n    assert f('1') == eval"),
        ("'f', [[eval for eval in ()], eval]", "f", "assert f('1')"),
        ("'tmp_path', [Path('/etc')]", "tmp_path", "(tmp_path / 'x').write_text('a')"),
        ("'tmp_path_factory', [Cart()]", "tmp_path_factory", "assert load(1)"),
    ],
)
def test_rows_do_not_borrow_names_of_the_test_or_of_a_fixture(
    decorator: str, parameter: str, body: str
) -> None:
    test = f"@pytest.mark.parametrize({decorator})\ndef test_it({parameter}):\n    {body}\n"
    assert forbidden(f"{PLAIN}{test}", NAME)
