"""A case is about what its last step calls."""

from __future__ import annotations

import pytest

from hybridgen.domain import (
    Candidate,
    Label,
    Observation,
    Step,
    StepKind,
    StepResult,
    Target,
    TargetKind,
)
from hybridgen.suite.subjects import subject_of


def target(name: str) -> Target:
    is_class = name[:1].isupper() and "." not in name
    kind = TargetKind.CLASS if is_class else TargetKind.FUNCTION
    return Target(
        name, kind, False, (), None, None, (), "", (), 1, 2, "", (), (), Label.CONFIDENTIAL
    )


TARGETS = tuple(
    map(
        target,
        (
            "Cart",
            "Cart.add",
            "Cart.lines",
            "Cart.__eq__",
            "Cart.__iadd__",
            "Cart.load",
            "total",
            "other",
        ),
    )
)


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("cart.add(1)", "Cart.add"),
        ("cart.add(1) == 2", "Cart.add"),
        ("cart.add(1).price", "Cart.add"),
        ("cart.add(1)[0]", "Cart.add"),
        ("str(cart.add(1))", "Cart.add"),
        ("cart == 2", "Cart.__eq__"),
        ("cart.lines", "Cart.lines"),
        ("Cart.load('a')", "Cart.load"),
        ("list(Cart.load('a'))", "Cart.load"),
        ("total(cart)", "total"),
        ("unknown(cart)", "other"),
        ("cart()", "Cart.__call__"),
        ("format(cart, 'short')", "Cart.__format__"),
        ("cart += 1", "Cart.__iadd__"),
        ("cart -= 1", "Cart.__sub__"),
        ("cart[0] = 1", "Cart.__setitem__"),
        ("del cart[0]", "Cart.__delitem__"),
        ("cart.lines = 2", "Cart.lines"),
        ("runpy.run_module('shop', run_name='__main__')", "__main__"),
        ("Cart('a') == Cart('a')", "other"),
    ],
)
def test_the_last_step_tells(code: str, subject: str) -> None:
    steps = (Step(StepKind.SETUP, "cart = Cart('a')"), Step(StepKind.PROBE, code))
    candidate = Candidate("other", steps, Label.CONFIDENTIAL, "docstring")
    results = (StepResult("ok"), StepResult("ok"))
    observation = Observation(candidate, results, frozenset(), Label.CONFIDENTIAL)
    assert subject_of(observation, TARGETS) == subject


@pytest.mark.parametrize(
    "body",
    [
        "    async with Cart('a') as basket:\n        return await basket.add(1)",
        "    return [item async for item in cart.add(1)]",
    ],
)
def test_a_coroutine_of_the_test_is_looked_into(body: str) -> None:
    codes = ("cart = Cart('a')", f"async def scenario():\n{body}", "asyncio.run(scenario())")
    steps = tuple(Step(StepKind.SETUP, code) for code in codes)
    candidate = Candidate("other", steps, Label.CONFIDENTIAL, "docstring")
    results = (StepResult("ok"),) * 3
    observation = Observation(candidate, results, frozenset(), Label.CONFIDENTIAL)
    assert subject_of(observation, TARGETS) == "Cart.add"
