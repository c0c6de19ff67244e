"""Tests of a class stand together, share what they build, and can be taken out one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen import suite
from hybridgen.domain import Module, Observation, TestFile
from hybridgen.suite.blocks import build

CART = "cart = Cart()"
TWO = "".join(
    f"class {name}:\n    def size(self):\n        return {size}\n\n    def two(self):\n"
    f"        return 2\n\n\n"
    for name, size in (("Big", 9), ("Small", 1))
)


def render(module: Module, cases: list[Observation], previous: str | None = None) -> TestFile:
    path = module.project.tests_folder / "test_pricing.py"
    return suite.render(module, "shop.pricing", cases, path=path, previous=previous, line_length=88)


def three(observe: Callable[..., Observation], built: str = CART) -> list[Observation]:
    return [
        observe("Cart.add", built, "= cart.add('tea', 3, count=0)"),
        observe("Cart.remove", built, "= cart.remove('mug')"),
        observe("Cart.total", built, "cart.add('tea', 3)", "= cart.total()"),
    ]


def test_what_three_tests_build_is_a_fixture(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    text = render(pricing, three(observe)).text
    assert "    @pytest.fixture\n    def cart(self):\n        return Cart()\n" in text
    assert text.count("Cart()") == 1
    assert "    def test_remove_raises_key_error(self, cart):\n" in text


def test_what_two_tests_build_is_none(pricing: Module, observe: Callable[..., Observation]) -> None:
    text = render(pricing, three(observe)[:2]).text
    assert "fixture" not in text
    assert text.count("cart = Cart()") == 2


def test_argument_that_a_test_is_about_stays_in_sight(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    built = "cart = Cart('ann')"
    cases = [*three(observe, built), observe("Cart", built, "= cart.owner")]
    text = render(pricing, cases).text
    assert '        cart = Cart("ann")\n        assert cart.owner == "ann"\n' in text
    assert '        return Cart("ann")\n' in text


def test_single_test_of_a_class_needs_no_class(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    file = render(pricing, three(observe)[:1])
    assert file.test_names == ("test_cart_add_rejects_zero_count",)
    assert "class Test" not in file.text


def test_class_of_a_person_is_left_alone(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    mine = "class TestCart:\n    def test_total_after_add(self):\n        assert len('a') == 1\n"
    others = "class TestOther:\n    def test_it(self):\n        assert len('a') == 1\n"
    file = render(pricing, three(observe), f"{mine}\n\n{others}")
    assert mine in file.text
    assert "class TestCartCases:\n" in file.text
    assert "TestCartCases::test_total_after_add" in file.test_names
    assert "TestCart::test_total_after_add" not in file.test_names


def test_methods_of_two_classes_may_have_one_name(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(TWO)
    observe = make_observe(module)
    cases = [
        observe(f"{name}.{method}", f"x = {name}()", f"= x.{method}()")
        for name in ("Big", "Small")
        for method in ("size", "two")
    ]
    assert render(module, cases).test_names == (
        "TestBig::test_size",
        "TestBig::test_two",
        "TestSmall::test_size",
        "TestSmall::test_two",
    )


def test_test_leaves_its_class_only(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(TWO)
    observe = make_observe(module)
    cases = [
        observe(f"{name}.{method}", f"x = {name}()", f"= x.{method}()")
        for name in ("Big", "Small")
        for method in ("size", "two")
    ]
    less = suite.without(render(module, cases), {"TestBig::test_two"})
    assert less.test_names == ("TestBig::test_size", "TestSmall::test_size", "TestSmall::test_two")
    assert less.text.count("def test_two(self)") == 1


def test_failed_test_leaves_its_class(pricing: Module, observe: Callable[..., Observation]) -> None:
    cases = three(observe)
    file = render(pricing, [*cases, observe("find", '= find([], "b")')])
    gone = "TestCart::test_remove_raises_key_error"
    assert gone in file.test_names
    less = suite.without(file, {gone})
    assert less.test_names == tuple(name for name in file.test_names if name != gone)
    assert "mug" not in less.text
    assert "class TestCart:\n    @pytest.fixture\n" in less.text
    # What is left is still hybridgen's own.
    assert render(pricing, cases, less.text).text == render(pricing, cases).text


def test_class_goes_with_its_last_test_and_a_fixture_with_its_last_user(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    built = "cart = Cart('ann')"
    cases = [*three(observe, built), observe("Cart", built, "= cart.owner")]
    file = render(pricing, cases)
    owner = next(name for name in file.test_names if "owner" in name)
    less = suite.without(file, set(file.test_names) - {owner})
    assert less.test_names == (owner,)
    assert "fixture" not in less.text
    assert "pytest" not in less.text
    assert f"class TestCart:\n    def {owner.removeprefix('TestCart::')}(self):\n" in less.text
    assert "class" not in suite.without(file, set(file.test_names)).text


def test_edited_class_belongs_to_its_editor(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    first = render(pricing, three(observe))
    edited = first.text.replace("return Cart()", 'return Cart("bob")')
    again = render(pricing, [observe("find", '= find([], "b")')], edited)
    assert 'return Cart("bob")' in again.text
    assert again.test_names == ("test_find",)


@pytest.mark.parametrize("only", ["Cart.add", "Cart"])
def test_run_for_one_method_leaves_the_tests_of_the_others(
    make_module: Callable[..., Module],
    pricing: Module,
    observe: Callable[..., Observation],
    only: str,
) -> None:
    first = render(pricing, three(observe))
    module = make_module(pricing.source.text, only=only)
    cases = [
        observe("Cart.add", CART, f"= cart.add('tea', {price})", "= cart.total()")
        for price in (5, 6)
    ]
    again = render(module, cases, first.text)
    has_first = "test_remove_raises_key_error" in again.text
    assert has_first is (only == "Cart.add")
    assert render(module, cases, again.text).text == again.text


def test_secret_in_a_long_text_is_seen_before_the_text_is_folded(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    text = f"{'many words before it ' * 4}password = hunter2hunter2 {'and words after it ' * 4}"
    block = build([observe("find", f"= find([{text!r}], 'm')")], pricing, "shop.pricing")
    assert repr(text) in block.source


def test_inherited_method_names_its_test(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module("class Stack(list):\n    pass\n")
    observe = make_observe(module)
    cases = [
        observe("Stack", "x = Stack()", "= x.pop()"),
        observe("Stack", "x = Stack()", "= x.index(3)"),
    ]
    assert sorted(render(module, cases).test_names) == [
        "TestStack::test_index_raises_value_error",
        "TestStack::test_pop_raises_index_error",
    ]
